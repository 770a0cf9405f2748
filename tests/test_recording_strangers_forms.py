"""What discriminators of published trainings return and are shown: classes of which one is the fakes', pairs, features of two domains, actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch.nn.functional import softplus

from gandiag.recording.classes import NONE, UNTOLD, Classes, fakes_class_in
from gandiag.recording.seen import Seen, Side
from gandiag.run import load_run
from tests.test_recording_strangers_kinds import (
    BATCH,
    STEPS,
    Scene,
    Told,
    adam,
    d_loss_of,
    kept,
    mean,
    mlp,
    play,
    points,
    recorded,
    z,
)

# ----------------------------------------------------------------------------------------------- classes, of which one is the fakes'

CLASSES = 3


class Sorting(nn.Module):
    """Sorts into classes, and returns logits, what comes out of a softmax, or that behind features and logits (GAN-BERT)."""

    def __init__(self, form: str, values: int) -> None:
        super().__init__()
        self.body, self.head, self.form = mlp(2, 8), nn.Linear(8, values), form

    def forward(self, x: Tensor) -> Any:
        features = torch.tanh(self.body(x))
        values = self.head(features)
        if self.form == "logarithms":
            return values.log_softmax(1)
        if self.form == "probabilities":
            return values.softmax(1)
        return (features, values, values.softmax(1)) if self.form == "beside features" else values


def log_odds(form: str, fakes: int, output: Any) -> Tensor:
    """The score that is behind the classes: the logarithm of the odds of all others against the fakes'."""
    values = output[1] if isinstance(output, tuple) else output.log() if form == "probabilities" else output
    others = [i for i in range(values.shape[1]) if i != fakes]
    mine = values[:, fakes] if fakes < values.shape[1] else 0.0
    return values[:, others].logsumexp(1) - mine


def sorted_into_classes(
    s: Scene, form: str = "logits", fakes: int = CLASSES, values: int = CLASSES + 1
) -> Iterator[Told]:
    """A semi-supervised game: reals are of their own classes, fakes of one more."""
    s.play(mlp(3, 8, 2), Sorting(form, values))
    labels_of = torch.tensor([i for i in range(CLASSES + 1) if i != fakes][:CLASSES])
    for _ in range(STEPS):
        made, x, labels = s.g(z()), points(), labels_of[torch.randint(0, CLASSES, (BATCH,))]
        if form == "in one call":
            real, fake = s.d(torch.cat([x, made.detach()])).chunk(2)
        else:
            real, fake = s.d(x), s.d(made.detach())
        of_real, of_fake = (log_odds(form, fakes, one) for one in (real, fake))
        if form in ("logits", "in one call") and fakes < values:
            loss = F.cross_entropy(real, labels) + F.cross_entropy(fake, torch.full((BATCH,), fakes))
        else:
            loss = d_loss_of(of_real, of_fake)
        if form == "beside features":  # its losses read the probabilities
            loss = -torch.log(1 - real[2][:, fakes]).mean() - torch.log(fake[2][:, fakes]).mean()
        s.d_opt.zero_grad()
        loss.backward()
        pushed = {"push_real": torch.sigmoid(-of_real).mean(), "push_fake": -torch.sigmoid(of_fake).mean()}
        s.d_moves(
            real=mean(of_real), fake=mean(of_fake), **{name: float(value.detach()) for name, value in pushed.items()}
        )
        judged = s.d(made)
        odds = log_odds(form, fakes, judged)
        s.g_opt.zero_grad()
        (-torch.log(1 - judged[2][:, fakes]) if form == "beside features" else softplus(-odds)).mean().backward()
        s.g_moves(pull=float(torch.sigmoid(-odds.detach()).mean()))
        yield s.ended()


FORMS: dict[str, Callable[[Scene], Iterator[Told]]] = {
    "the fakes' last": sorted_into_classes,
    "the fakes' first": partial(sorted_into_classes, fakes=0),
    "in one call": partial(sorted_into_classes, form="in one call"),
    "logarithms": partial(sorted_into_classes, form="logarithms"),
    "probabilities": partial(sorted_into_classes, form="probabilities"),
    "beside features": partial(sorted_into_classes, form="beside features"),
    "the fakes' not returned": partial(sorted_into_classes, values=CLASSES),
}


@pytest.mark.parametrize("form", FORMS)
def test_of_classes_the_log_odds_against_the_fakes_are_the_score(form: str, tmp_path: Path) -> None:
    run = recorded(FORMS[form], "automatic", tmp_path / "run")
    told = [said for said in run.about["could_not_tell"] if "values for each sample" in said or "classes" in said]
    assert len(told) == 1
    assert "classes for each sample" in told[0]
    assert not [r for r in run.records("events") if r["event"] == "vector_verdicts"]


def test_attach_does_not_doubt_what_is_read_as_classes(tmp_path: Path) -> None:
    run = recorded(sorted_into_classes, "attach", tmp_path / "run")
    assert not any("every one was read" in said for said in run.about["could_not_tell"])


def in_two_classes(s: Scene, fakes: int, *, ascends: bool = False) -> Iterator[Told]:
    """D ends in the logarithms of two classes' probabilities, of which either may be the fakes'; it may ascend their likelihood."""
    d = nn.Sequential(mlp(2, 8, 2), nn.LogSoftmax(1))
    sign = -1 if ascends else 1
    s.play(mlp(3, 8, 2), d, None, torch.optim.Adam(d.parameters(), 1e-3, maximize=ascends))
    for _ in range(STEPS):
        made = s.g(z())
        real, fake = s.d(points()), s.d(made.detach())
        loss = F.nll_loss(real, torch.full((BATCH,), 1 - fakes)) + F.nll_loss(fake, torch.full((BATCH,), fakes))
        of_real, of_fake = (one[:, 1 - fakes] - one[:, fakes] for one in (real.detach(), fake.detach()))
        s.d_opt.zero_grad()
        (sign * loss).backward()
        s.d_moves(
            real=mean(of_real),
            fake=mean(of_fake),
            push_real=float(torch.sigmoid(-of_real).mean()),
            push_fake=-float(torch.sigmoid(of_fake).mean()),
        )
        judged = s.d(made)
        s.g_opt.zero_grad()
        F.nll_loss(judged, torch.full((BATCH,), 1 - fakes)).backward()
        s.g_moves(pull=float((1 - judged.detach()[:, 1 - fakes].exp()).mean()))
        yield s.ended()


@pytest.mark.parametrize("fakes", [0, 1])
def test_of_two_classes_either_may_be_the_fakes(fakes: int, tmp_path: Path) -> None:
    run = recorded(partial(in_two_classes, fakes=fakes), "automatic", tmp_path / "run")
    assert any("tells two classes apart" in said for said in run.about["could_not_tell"])


def test_two_classes_whose_likelihood_is_ascended_are_not_taken_for_each_other(tmp_path: Path) -> None:
    steps, _, _ = play(partial(in_two_classes, fakes=0, ascends=True), tmp_path / "run", "automatic")
    found = load_run(tmp_path / "run")["real_logit_mean"].iloc[1:]  # that it ascends its first update tells
    assert found.to_list() == pytest.approx([step["real"] for step in steps[1:]], rel=1e-4)


def patches(s: Scene, loss: str) -> Iterator[Told]:
    """Verdicts of five patches in a row, from a head that starts near zero."""
    d = mlp(2, 8, 5)
    nn.init.zeros_(d[-1].weight)
    s.play(mlp(3, 8, 2), d)
    for _ in range(STEPS):
        fakes = s.g(z())
        real, fake = kept(s.d(points())), kept(s.d(fakes.detach()))
        s.d_turn(d_loss_of(real, fake) if loss == "logistic" else fake.mean() - real.mean(), real, fake)
        s.g_usual(fakes)
        yield s.ended()


@pytest.mark.parametrize("loss", ["logistic", "Wasserstein"])
def test_verdicts_on_patches_are_no_classes(loss: str, tmp_path: Path) -> None:
    run = recorded(partial(patches, loss=loss), "automatic", tmp_path / "run")
    assert any("every one was read as a score" in said for said in run.about["could_not_tell"])


def gradients_of(values: Tensor, loss: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    values = values.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(values), values)
    return values.detach(), slope


def test_what_the_gradients_tell_of_classes() -> None:
    torch.manual_seed(0)
    values = torch.randn(6, 4)
    of_two = torch.full((6,), 2)
    found = {
        "classes": gradients_of(values, lambda v: F.cross_entropy(v, of_two)),
        "half precision": gradients_of(values.bfloat16(), lambda v: F.cross_entropy(v.float(), of_two)),
        "ascended": gradients_of(values, lambda v: -F.cross_entropy(v, of_two)),
        "one is settled": gradients_of(values, lambda v: F.cross_entropy(v[1:], of_two[1:])),
        "a sum of exponentials": gradients_of(values, lambda v: softplus(v.logsumexp(1)).mean()),
        "labels of reals": gradients_of(values, lambda v: F.cross_entropy(v, torch.arange(6) % 4)),
        "each alone": gradients_of(values, lambda v: softplus(v).mean()),
        "all alike": gradients_of(torch.zeros(6, 4), lambda v: softplus(v).mean()),
        "nothing": (values, torch.zeros(6, 4)),
    }
    told = {name: int(fakes_class_in(v.float(), slope.float())) for name, (v, slope) in found.items()}
    classes = dict.fromkeys(("classes", "half precision", "ascended", "one is settled"), 2)
    assert told == {
        **classes,
        "a sum of exponentials": 4,
        "labels of reals": NONE,
        "each alone": NONE,
        "all alike": UNTOLD,
        "nothing": UNTOLD,
    }


@pytest.mark.parametrize("of_classes", [True, False])
def test_as_long_as_the_host_does_not_know_the_device_chooses(of_classes: bool) -> None:
    torch.manual_seed(0)
    said: list[str] = []
    classes = Classes(4, "", say=lambda key, line: said.append(line), take_back=said.append, note=lambda *_, **__: None)
    values, slope = gradients_of(
        torch.randn(6, 4), lambda v: F.cross_entropy(v, torch.full((6,), 1)) if of_classes else softplus(v).mean()
    )
    seen = Seen(Side([], [], []), Side([values], [slope], []), [])
    classes._asked, classes._answer = fakes_class_in(values, slope), (torch.tensor(NONE), Late())
    pending = classes.read("discriminator", seen).fake
    raw = Seen(Side([], [], []), Side([values.flatten()], [slope.flatten()], []), []).fake
    classes._answer = None
    classes._asked = None
    known = classes.read("discriminator", seen).fake if of_classes else raw
    assert float(pending.scores[0].mean()) == pytest.approx(float(known.scores[0].mean()))
    assert float(pending.gradients[0].sum()) == pytest.approx(float(known.gradients[0].sum()), abs=1e-6)
    assert float(pending.gradients[0].norm()) == pytest.approx(float(known.gradients[0].norm()))


class Late:
    """An event that has not come yet."""

    def query(self) -> bool:
        return False


# ------------------------------------------------------------------------------------------------------- pieces of one operation


class OfBoth(nn.Module):
    """Judges reals and fakes in one call; in one pass, in one tensor, or each by itself."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.net, self.form = mlp(3, 8, 1), form

    def forward(self, real: Tensor, fake: Tensor) -> Any:
        if self.form == "pieces":
            return self.net(torch.cat([real, fake])).chunk(2)
        of_real, of_fake = self.net(real), self.net(fake)
        if self.form == "columns":
            return torch.cat([of_real, of_fake], 1)
        return (of_real, of_fake) if self.form == "tuple" else (of_real.squeeze(1), of_fake.squeeze(1))


def both_at_once(s: Scene, form: str) -> Iterator[Told]:
    s.play(mlp(3, 8, 3), OfBoth(form))
    for _ in range(STEPS):
        x, fakes = torch.randn(BATCH, 3) + 1, s.g(z())
        output = s.d(x, fakes.detach())
        real, fake = (output[:, :1], output[:, 1:]) if form == "columns" else output
        s.d_turn(d_loss_of(kept(real), kept(fake)), real, fake)
        output = s.d(x, fakes)
        judged = output[:, 1:] if form == "columns" else output[1]
        s.g_turn(softplus(-kept(judged)).mean(), judged)
        yield s.ended()


@pytest.mark.parametrize("form", ["tuple", "scalars", "pieces", "columns"])
def test_verdicts_on_both_are_told_apart(form: str, tmp_path: Path) -> None:
    run = recorded(partial(both_at_once, form=form), "automatic", tmp_path / "run")
    assert not run.about["could_not_tell"]


def test_attach_does_not_doubt_verdicts_that_the_graph_tells_apart(tmp_path: Path) -> None:
    run = recorded(partial(both_at_once, form="tuple"), "attach", tmp_path / "run")
    assert not run.about["could_not_tell"]


def test_a_piece_that_no_loss_reads_is_no_failure_of_the_watch(tmp_path: Path) -> None:
    """Of what one operation returns hooks are told `None` for the pieces that a loss leaves out: that ended the script, and the recording."""
    _, alone, _ = play(partial(both_at_once, form="pieces"), None, "attach")
    _, watched, attachment = play(partial(both_at_once, form="pieces"), tmp_path / "run", "attach")
    assert all(torch.equal(one, other) for one, other in zip(alone, watched))
    assert "in one and the same call" in attachment.why_not


def pieces_of_the_generator(s: Scene) -> Iterator[Told]:
    """G returns an image and a mask, two pieces of one tensor; the mask is for show."""

    class Halves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp(3, 8, 4)

        def forward(self, noise: Tensor) -> Any:
            return self.net(noise).chunk(2, 1)

    s.play(Halves(), mlp(2, 8, 1))
    for _ in range(STEPS):
        image, _ = s.g(z())
        s.d_usual(points(), image)
        s.g_usual(image)
        yield s.ended()


# ------------------------------------------------------------------------------------------------- what D is shown, and who is pushed


def two_domains(s: Scene, *, anew: bool) -> Iterator[Told]:
    """Domain adaptation: one extractor makes the features of both domains, D tells them apart, a classifier learns beside."""
    g, sorter = mlp(2, 8, 4), mlp(4, 3)
    s.play(g, mlp(4, 8, 1), adam(g, sorter))
    for _ in range(STEPS):
        source, target, labels = points(), points() - 3, torch.randint(0, 3, (BATCH,))
        of_source, of_target = g(source), g(target)
        real, fake = kept(s.d(of_source.detach())), kept(s.d(of_target.detach()))
        s.d_opt.zero_grad()
        d_loss_of(real, fake).backward()
        if anew:  # nothing tells which of them stands for the reals
            s.d_moves()
            of_source, of_target = g(source), g(target)
            loss = d_loss_of(s.d(of_target), s.d(of_source)) + F.cross_entropy(sorter(of_source), labels)
            s.g_turn(loss)
        else:
            s.d_steps(real, fake)
            s.g_usual(of_target, F.cross_entropy(sorter(of_source), labels))
        yield s.ended()


@pytest.mark.parametrize("anew", [False, True])
def test_of_features_of_two_domains_those_that_g_is_not_pushed_by_are_the_reals(anew: bool, tmp_path: Path) -> None:
    run = recorded(partial(two_domains, anew=anew), "automatic", tmp_path / "run")
    assert ("real_logit_mean" in run) is not anew
    assert any("nothing but what the generator makes" in said for said in run.about["could_not_tell"])


def imitated(s: Scene, *, reinforced: bool) -> Iterator[Told]:
    """GAIL: D is shown states joined to actions; its verdict is the policy's loss, or a reward for actions that were drawn."""
    s.play(mlp(3, 8, 2), mlp(5, 8, 1))
    for _ in range(STEPS):
        states = z()
        actions = s.g(states)
        if reinforced:
            actions = torch.distributions.Normal(actions, 0.3).sample()
        fake, real = (kept(s.d(torch.cat(x, 1))) for x in ((states, actions.detach()), (z(), points())))
        s.d_turn(d_loss_of(real, fake), real, fake)
        if reinforced:
            reward = softplus(s.d(torch.cat([states, actions], 1))).detach()
            s.g_turn(((s.g(states) - actions).square().sum(1, keepdim=True) * (reward - reward.mean())).mean())
        else:
            judged = kept(s.d(torch.cat([states, actions], 1)))
            s.g_turn(softplus(-judged).mean(), judged)
        yield s.ended()


@pytest.mark.parametrize("how", ["attach", "automatic"])
@pytest.mark.parametrize("reinforced", [False, True])
def test_a_policy_and_the_judge_of_its_actions_are_found_and_recorded(
    reinforced: bool, how: str, tmp_path: Path
) -> None:
    run = recorded(partial(imitated, reinforced=reinforced), how, tmp_path / "run")

    doubted = any("who plays was told by what the generator was given" in said for said in run.about["could_not_tell"])
    assert doubted is (reinforced and how == "attach")


def criticised(s: Scene) -> Iterator[Told]:
    """An actor and a critic of states and actions, its own and replayed ones: no game, though it is shown what the actor was given."""
    s.play(mlp(3, 8, 2), mlp(5, 8, 1))
    for _ in range(STEPS):
        states = z()
        actions = (s.g(states) + torch.randn(BATCH, 2)).detach()
        batches = torch.cat([states, actions], 1), torch.cat([z(), points()], 1)
        s.d_opt.zero_grad()
        sum((s.d(x) - torch.randn(BATCH, 1)).square().mean() for x in batches).backward()
        s.d_moves()
        worth = s.d(batches[0]).detach()
        s.g_turn(((s.g(states) - actions).square().sum(1, keepdim=True) * worth).mean())
        yield s.ended()


def judged_by_an_average(s: Scene) -> Iterator[Told]:
    """G is trained against a moving average of D."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))
    slow = mlp(2, 8, 1).requires_grad_(False)
    for _ in range(STEPS):
        fakes = s.g(z())
        s.d_usual(points(), fakes)
        with torch.no_grad():
            for one, other in zip(slow.parameters(), s.d.parameters()):
                one.lerp_(other, 0.1)
        s.g_turn(softplus(-slow(fakes)).mean())
        yield s.ended()


def by_a_transform(s: Scene) -> Iterator[Told]:
    """D's gradients come from torch.func.grad, and are put in place by the loop."""
    s.play(mlp(3, 8, 2), mlp(2, 8, 1))

    def loss_of(values: dict[str, Tensor], x: Tensor, fakes: Tensor) -> Tensor:
        return d_loss_of(functional_call(s.d, values, (x,)), functional_call(s.d, values, (fakes,)))

    for _ in range(STEPS):
        fakes = s.g(z())
        slopes = grad(loss_of)({n: p.detach() for n, p in s.d.named_parameters()}, points(), fakes.detach())
        for name, p in s.d.named_parameters():
            p.grad = slopes[name]
        s.d_moves()
        s.d.zero_grad()
        judged = kept(s.d(fakes))
        s.g_turn(softplus(-judged).mean(), judged)
        yield {**s.ended(), "fake": mean(judged)}  # of its own turn none is seen, and it is said so


@pytest.mark.parametrize(
    "loop", [judged_by_an_average, by_a_transform, pieces_of_the_generator], ids=lambda loop: loop.__name__
)
def test_every_step_is_recorded_as_the_loop_computed_it(loop: Any, tmp_path: Path) -> None:
    run = recorded(loop, "automatic", tmp_path / "run")
    assert run.about["could_not_tell"] == [] or loop is by_a_transform


@pytest.mark.parametrize(
    ("loop", "said"),
    [
        (criticised, "none is shown both"),
        (judged_by_an_average, "no update of"),
        (by_a_transform, "within a function transform (torch.func) is not seen"),
    ],
    ids=["criticised", "judged by an average", "by a transform"],
)
def test_what_attach_cannot_tell_it_says(loop: Any, said: str, tmp_path: Path) -> None:
    _, _, attachment = play(loop, tmp_path / "run", "attach")
    assert said in attachment.why_not
    assert not (tmp_path / "run").exists() or not load_run(tmp_path / "run").steps
