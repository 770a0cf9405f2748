"""Loops in which D judges others than G's present fakes, or gives no verdicts at all: what is recorded of them, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag import Recorder, load_run
from gandiag.diagnosis import Verdict, diagnose

STEPS = 400
Pick = Callable[[int, Tensor, list[Tensor]], Tensor]


def nets(seed: int, values: int = 1) -> tuple[nn.Module, nn.Module, torch.optim.Optimizer, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    g = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
    d = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, values))
    return (
        g,
        d,
        torch.optim.Adam(g.parameters(), 2e-3, (0.5, 0.99)),
        torch.optim.Adam(d.parameters(), 2e-3, (0.5, 0.99)),
    )


def reals(n: int) -> Tensor:
    return torch.tensor([3.0, -1.0]) + 0.5 * torch.randn(n, 2)


def play(path: Path, pick: Pick, seed: int, *, automatic: bool) -> None:
    """Trains on what `pick` makes of the step's fakes and those of all steps before."""
    g, d, og, od = nets(seed)
    kept: list[Tensor] = []
    with Recorder(
        path, generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od, automatic=automatic
    ) as recorder:
        for step in range(STEPS):
            kept.append(g(torch.randn(64, 4)).detach())
            shown = pick(step, kept[-1], kept)
            od.zero_grad()
            (F.softplus(-d(reals(64))).mean() + F.softplus(d(shown)).mean()).backward()
            od.step()
            og.zero_grad()
            F.softplus(-d(g(torch.randn(64, 4)))).mean().backward()
            og.step()
            if not automatic:
                recorder.step()


def never_refreshed(step: int, now: Tensor, kept: list[Tensor]) -> Tensor:
    return now if step < 20 else kept[step % 20].clone()


FRESH: dict[str, Pick] = {
    "fresh": lambda step, now, kept: now,
    "noise": lambda step, now, kept: now + 0.1 * torch.randn_like(now),
    "a pool of the last ten": lambda step, now, kept: kept[max(0, step - step % 10 - 1)],
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("automatic", [False, True])
def test_a_buffer_that_is_never_refreshed_is_named(tmp_path: Path, seed: int, automatic: bool) -> None:
    play(tmp_path / "run", never_refreshed, seed, automatic=automatic)
    finding = diagnose(tmp_path / "run").finding("objective_fault")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "stale fakes")
    assert finding.onset is not None
    assert finding.onset <= 150


@pytest.mark.parametrize("how", FRESH)
def test_fresh_noisy_and_recent_fakes_are_one_distribution(tmp_path: Path, how: str) -> None:
    play(tmp_path / "run", FRESH[how], 0, automatic=False)
    energy = load_run(tmp_path / "run")["shown_fake_energy"]
    assert float(energy.iloc[3:].max()) < 0.3
    assert diagnose(tmp_path / "run").finding("objective_fault").kind != "stale fakes"


@pytest.mark.parametrize("detached", [True, False])
def test_verdicts_that_do_not_lead_back_to_the_generator_are_told(tmp_path: Path, detached: bool) -> None:
    g, d, og, od = nets(0)
    with Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od
    ) as recorder:
        for _ in range(120):
            made = g(torch.randn(64, 4))
            d_loss = F.softplus(-d(reals(64))).mean() + F.softplus(d(made.detach())).mean()
            od.zero_grad()
            d_loss.backward()
            od.step()
            g_loss = F.softplus(-d(made.detach() if detached else made)).mean() + 0.1 * made.abs().mean()
            og.zero_grad()
            g_loss.backward()
            og.step()
            recorder.step(d_loss=d_loss, g_loss=g_loss)
    events = [r["event"] for r in load_run(tmp_path / "run").records("events")]
    assert events.count("generator_unreached") == detached
    finding = diagnose(tmp_path / "run").finding("objective_fault")
    assert (finding.kind == "detached generator") is detached


@pytest.mark.parametrize("automatic", [True, False])
@pytest.mark.parametrize(
    ("read", "kind"),
    [("both", ""), ("reals twice", "one side"), ("fakes twice", "one side"), ("reals, and fakes after that", "")],
)
def test_verdicts_on_fakes_that_no_loss_reads_are_told(tmp_path: Path, read: str, kind: str, automatic: bool) -> None:
    g, d, og, od = nets(0)
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=og,
        discriminator_optimizer=od,
        automatic=automatic,
    ) as recorder:
        for _ in range(120):
            made = g(torch.randn(64, 4))
            on_real, on_fake = d(reals(64)), d(made.detach())
            od.zero_grad()
            if read == "reals, and fakes after that":
                F.softplus(-on_real).mean().backward()
                od.step()
                od.zero_grad()
                F.softplus(d(made.detach())).mean().backward()
            else:
                first, second = (
                    (on_fake if read == "fakes twice" else on_real),
                    (on_real if read == "reals twice" else on_fake),
                )
                (F.softplus(-first).mean() + F.softplus(second).mean()).backward()
            od.step()
            og.zero_grad()
            F.softplus(-d(made)).mean().backward()
            og.step()
            if not automatic:
                recorder.step()
    run = load_run(tmp_path / "run")
    assert [r["event"] for r in run.records("events")].count("unread") == bool(kind)
    assert f"{'fake' if read == 'fakes twice' else 'real'}_logit_mean" in run
    finding = diagnose(run).finding("objective_fault")
    assert finding.kind == kind, finding.claim


@pytest.mark.parametrize("penalty", [0.0, 0.02])
def test_features_are_no_verdicts_and_are_not_read_as_labels(tmp_path: Path, penalty: float) -> None:
    """An MMD game: D returns eight numbers a sample, its forces cancel, and a logistic loss's labels would read as one half each."""
    g, d, og, od = nets(0, values=8)

    def mmd(a: Tensor, b: Tensor) -> Tensor:
        def kernel(x: Tensor, y: Tensor) -> Tensor:
            return 1 / (1 + torch.cdist(x, y).square())

        return kernel(a, a).mean() + kernel(b, b).mean() - 2 * kernel(a, b).mean()

    with Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od
    ) as recorder:
        for _ in range(STEPS):
            x, made = reals(64).requires_grad_(), g(torch.randn(64, 4))
            verdict = d(x)
            d_loss = -mmd(verdict, d(made.detach()))
            if penalty:
                slope = torch.autograd.grad(verdict.square().sum(), x, create_graph=True)[0]
                d_loss = d_loss + penalty * slope.square().sum(1).mean()
            od.zero_grad()
            d_loss.backward()
            od.step()
            g_loss = mmd(d(x), d(made))
            og.zero_grad()
            g_loss.backward()
            og.step()
            recorder.step(d_loss=d_loss, g_loss=g_loss)
    noted = [r for r in load_run(tmp_path / "run").records("events") if r["event"] == "vector_verdicts"]
    assert [r["values"] for r in noted] == [8]
    assert any("8 values for each sample" in said for said in load_run(tmp_path / "run").about["could_not_tell"])
    assert diagnose(tmp_path / "run").finding("objective_fault").kind != "same labels"


@pytest.mark.parametrize("automatic", [False, True])
def test_a_penalty_on_the_verdict_of_the_reals_does_not_make_them_an_interpolate(
    tmp_path: Path, automatic: bool
) -> None:
    """R1 on the very call that the loss reads, and fakes that noise has cut from G: the fakes were taken for the reals."""
    g, d, og, od = nets(0)
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=og,
        discriminator_optimizer=od,
        automatic=automatic,
    ) as recorder:
        means = []
        for _ in range(60):
            made = g(torch.randn(64, 4))
            x = (reals(64) + 0.05 * torch.randn(64, 2)).requires_grad_()
            verdict = d(x)
            slope = torch.autograd.grad(verdict.sum(), x, create_graph=True)[0].square().sum(1).mean()
            shown = made.detach() + 0.05 * torch.randn(64, 2)
            od.zero_grad()
            (F.softplus(-verdict).mean() + F.softplus(d(shown)).mean() + 0.1 * slope).backward()
            od.step()
            og.zero_grad()
            F.softplus(-d(made + 0.05 * torch.randn(64, 2))).mean().backward()
            og.step()
            means.append(float(x.detach().mean()))
            if not automatic:
                recorder.step()
    run = load_run(tmp_path / "run")
    seen = run["real_mean"]
    assert len(seen) >= 5
    assert seen.to_numpy() == pytest.approx([means[i] for i in seen.index], abs=1e-5)
    assert len(run["discriminator_force_on_fake"]) >= 50


def test_a_way_back_that_is_too_long_to_walk_is_not_called_none(tmp_path: Path) -> None:
    """Between G and D lie more operations than are looked through: nothing is said of where the verdicts lead."""
    g, d, og, od = nets(0)
    with Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od
    ) as recorder:
        for _ in range(60):
            made = g(torch.randn(8, 4))
            far = made
            for _ in range(1200):
                far = far * 1.0 + 0.0
            od.zero_grad()
            (F.softplus(-d(reals(8))).mean() + F.softplus(d(far.detach())).mean()).backward()
            od.step()
            og.zero_grad()
            (F.softplus(-d(far)).mean() + 0.01 * made.square().mean()).backward()
            og.step()
            recorder.step()
    assert not [r for r in load_run(tmp_path / "run").records("events") if r["event"] == "generator_unreached"]


class Growing(nn.Module):
    """A generator with a stage that is yet to come, or one that is called and cut off."""

    def __init__(self, *, called: bool) -> None:
        super().__init__()
        self.first, self.second, self.called = nn.Linear(4, 2), nn.Linear(2, 2), called

    def forward(self, z: Tensor) -> Tensor:
        made: Tensor = self.first(z)
        return made + self.second(made).round().detach() if self.called else made


@pytest.mark.parametrize("automatic", [False, True])
@pytest.mark.parametrize("called", [False, True])
def test_a_stage_that_is_yet_to_come_is_cut_off_from_nothing(tmp_path: Path, called: bool, automatic: bool) -> None:
    torch.manual_seed(0)
    g, d = Growing(called=called), nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    og, od = torch.optim.SGD(g.parameters(), 1e-4), torch.optim.SGD(d.parameters(), 1e-4)
    hooks = [len(m._forward_pre_hooks) for m in g.modules()]
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=og,
        discriminator_optimizer=od,
        automatic=automatic,
    ) as recorder:
        for _ in range(STEPS):
            fake = g(torch.randn(64, 4))
            od.zero_grad()
            (F.softplus(-d(reals(64) + 5)).mean() + F.softplus(d(fake.detach())).mean()).backward()
            od.step()
            og.zero_grad()
            F.softplus(-d(fake)).mean().backward()
            og.step()
            if not automatic:
                recorder.step()
    assert (diagnose(tmp_path / "run").finding("objective_fault").kind == "partly detached generator") is called
    assert [len(m._forward_pre_hooks) for m in g.modules()] == hooks


def test_a_discriminator_whose_gradients_are_taken_for_each_sample_is_said_to_be_out_of_sight(tmp_path: Path) -> None:
    g, d, og, od = nets(0)

    def loss(weights: dict[str, Tensor], x: Tensor, sign: Tensor) -> Tensor:
        verdict: Tensor = torch.func.functional_call(d, weights, (x.unsqueeze(0),))
        return F.softplus(-sign * verdict).sum()

    of_each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    norms = []
    with Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od
    ) as recorder:
        for _ in range(8):
            x, made = reals(16), g(torch.randn(16, 4))
            weights = {name: p.detach() for name, p in d.named_parameters()}
            found = of_each(weights, torch.cat([x, made.detach()]), torch.cat([torch.ones(16), -torch.ones(16)]))
            for name, p in d.named_parameters():
                p.grad = found[name].mean(0)
            norms.append(torch.cat([p.grad.flatten() for p in d.parameters() if p.grad is not None]).norm().item())
            od.step()
            og.zero_grad()
            F.softplus(-d(made)).mean().backward()
            og.step()
            recorder.step()
    run = load_run(tmp_path / "run")
    assert run["discriminator_gradient_norm"].to_list() == pytest.approx(norms, rel=1e-4)
    assert any("no backward pass was seen" in said for said in run.about["could_not_tell"])


@pytest.mark.parametrize("automatic", [True, False])
@pytest.mark.parametrize("loss", ["overwritten", "summed", "features", "frozen"])
def test_a_discriminator_whose_verdict_the_generator_never_uses_is_told(
    tmp_path: Path, automatic: bool, loss: str
) -> None:
    g, d, og, od = nets(0)
    other = nets(1)[1]
    o_other = torch.optim.Adam(other.parameters(), 1e-3)
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=og,
        discriminator_optimizer=od,
        automatic=automatic,
    ) as recorder:
        for _ in range(120):
            made = g(torch.randn(64, 4))
            for judge, optimizer in ((d, od), (other, o_other)):
                d_loss = F.softplus(-judge(reals(64))).mean() + F.softplus(judge(made.detach())).mean()
                optimizer.zero_grad()
                d_loss.backward()
                optimizer.step()
            d.requires_grad_(loss != "frozen")
            g_loss = 0.1 * made.abs().mean()
            for judge in (d, other):
                term = F.softplus(-judge(made)).mean()
                if loss == "features":  # D is asked, and what it knows is used, but not its verdict
                    term = judge[:-1](made).mean(0).sub(judge[:-1](reals(64)).mean(0)).square().sum()
                g_loss = term if loss == "overwritten" else g_loss + term
            d.requires_grad_(True)
            og.zero_grad()
            g_loss.backward()
            og.step()
            if not automatic:
                recorder.step(d_loss=d_loss, g_loss=g_loss)
    events = [r["event"] for r in load_run(tmp_path / "run").records("events")]
    assert events.count("discriminator_unheard") == (loss == "overwritten")
    assert (diagnose(tmp_path / "run").finding("objective_fault").kind == "unheard") is (loss == "overwritten")
