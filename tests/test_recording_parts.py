"""The recorder's small parts on what is odd: outputs in every wrapping, batches without a partner, spectra without a spread, wrong calls."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import gandiag
from gandiag.errors import UsageError
from gandiag.quantities import QUANTITIES
from gandiag.recording import arnoldi, measure
from gandiag.recording.arguments import joined, listed
from gandiag.recording.direct import Direct
from gandiag.recording.diversity import fake_batch, real_batch
from gandiag.recording.duality import duality_gap
from gandiag.recording.heldout import one_score_a_sample
from gandiag.recording.jacobian import generator_jacobians
from gandiag.recording.judging import Judging
from gandiag.recording.latents import latent_kind
from gandiag.recording.naming import NoPlayers, name_players, order_of_turns, output_of
from gandiag.recording.optimizers import watch
from gandiag.recording.origin import is_tracked
from gandiag.recording.outputs import last_operation, scores, tensors
from gandiag.recording.paths import read_path
from gandiag.recording.pieces import Together
from gandiag.recording.player import unwrapped
from gandiag.recording.samples import as_arrays
from gandiag.recording.sides import _range_of, image_shape
from gandiag.recording.step import Step, ascending
from gandiag.recording.trace import parameter_trace
from gandiag.recording.untouched import bare, hidden_from_scripting
from gandiag.recording.variables import lookup
from gandiag.recording.weights import _quadrature
from gandiag.recording.witnessed import Turn
from tests import made_runs

A, B, C = torch.rand(4), torch.rand(4, 3), torch.rand(4, 1, 2, 2)
HALF = C[:, :, :1]

OUTPUTS: dict[str, tuple[Any, list[Tensor]]] = {
    "a tensor": (B, [B]),
    "validity and classes": ((A, B), [A]),
    "a mapping that names it": ({"features": B, "logits": A}, [A]),
    "a mapping that does not": ({"features": B, "realness": A}, [A]),
    "an object": (SimpleNamespace(features=B, realness=A), [A]),
    "patches at two scales": ([C, HALF], [C, HALF]),
    "features of two scales, the last of each": ([[B, C], [B, A]], [C, A]),
    "features alone": ([B, B], [B]),
    "whole numbers beside it": ((torch.arange(4), A), [A]),
    "nothing": ((), []),
    "what is no output": (len, []),
    "nested too deep": ({"x": {"y": {"z": {"w": A}}}}, []),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_scores_in_an_output_are_found(name: str) -> None:
    output, wanted = OUTPUTS[name]
    found = scores(output)
    assert len(found) == len(wanted)
    assert all(one is other for one, other in zip(found, wanted))


def test_whole_numbers_are_no_scores() -> None:
    assert list(tensors(torch.arange(3))) == []
    assert list(tensors((torch.arange(3), {"x": A}))) == [A]


def test_the_operation_behind_an_output_is_seen_through_views_and_not_for_ever() -> None:
    x = torch.rand(4, 3, requires_grad=True)
    assert last_operation(torch.sigmoid(x).view(-1).squeeze().float()) == "Sigmoid"
    assert last_operation(x) == ""  # a leaf comes out of nothing
    assert last_operation(x.view(-1)) == "AccumulateGrad"
    deep = torch.tanh(x)
    for _ in range(40):
        deep = deep.view(-1)
    assert last_operation(deep) == ""


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        (torch.tensor([[1.0, 3.0], [5.0, 7.0]]), [2.0, 6.0]),
        ({"validity": torch.tensor([1.0, 2.0]), "classes": torch.rand(2, 5)}, [1.0, 2.0]),
        ([torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [4.0]])], [2.0, 3.0]),
    ],
    ids=["patches", "heads", "scales"],
)
def test_one_score_a_sample(output: Any, wanted: list[float]) -> None:
    assert one_score_a_sample(output).tolist() == wanted


def test_an_output_without_a_tensor_has_no_score() -> None:
    with pytest.raises(TypeError, match="returned no tensor"):
        one_score_a_sample(["loss"])  # type: ignore[list-item]  # what is tried here


def test_batches_of_several_calls_are_joined_where_they_fit() -> None:
    one, two = torch.zeros(2, 1, 4, 4), torch.ones(3, 1, 4, 4)
    assert joined([]) is None
    assert joined([one]) is one
    whole = joined([one, two])
    assert whole is not None
    assert whole.shape == (5, 1, 4, 4)
    assert joined([one, torch.ones(3, 1, 8, 8)]) is one


def test_scores_become_lists_that_json_can_hold() -> None:
    assert listed(torch.tensor([1.0, 2.0])) == [1.0, 2.0]
    assert listed(np.arange(2)) == [0, 1]
    assert listed((1, 2)) == [1, 2]
    assert listed(0.5) == 0.5


def test_fakes_without_reals_have_a_spread_and_no_ratio() -> None:
    batch = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    alone, beside = fake_batch(Step(0, fake=batch)), fake_batch(Step(0, fake=batch, real=batch))
    assert set(beside) - set(alone) == {"diversity_ratio"}
    assert float(torch.as_tensor(beside["diversity_ratio"])) == pytest.approx(1.0)
    assert fake_batch(Step(0)) == real_batch(Step(0)) == parameter_trace(Step(0)) == {}
    assert set(alone) <= set(QUANTITIES)


def test_a_probe_that_is_run_without_what_it_needs_says_so() -> None:
    with pytest.raises(ValueError, match="this step holds no real_logits"):
        _ = Step(0).sorted_real_logits
    assert ascending(torch.tensor([3, 1, 2])).tolist() == [1, 2, 3]
    assert ascending(torch.tensor([3.0, math.nan, 2.0], dtype=torch.bfloat16))[:2].tolist() == [2.0, 3.0]


@pytest.mark.parametrize(
    ("batch", "name", "shape"),
    [(torch.rand(4, 2), "points", (4, 2)), (torch.zeros(4, 3, 8, 6), "images", (4, 8, 6, 3)),
     (torch.zeros(4, 1, 8, 6, dtype=torch.uint8), "images", (4, 8, 6, 1))],
    ids=["points", "floats", "bytes"],
)  # fmt: skip
def test_samples_are_points_or_images(batch: Tensor, name: str, shape: tuple[int, ...]) -> None:
    kept = as_arrays(batch, torch.arange(4))
    assert kept[name].shape == shape
    assert kept["labels"].tolist() == [0, 1, 2, 3]
    if name == "images":
        assert kept["images"].max() == (0 if batch.dtype == torch.uint8 else 128)


def test_a_batch_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"this batch has shape \(4, 2, 2\)"):
        as_arrays(torch.zeros(4, 2, 2))


# ---------------------------------------------------------------------------------------------------------------- linear algebra


def test_an_unknown_kind_of_leader_is_named() -> None:
    with pytest.raises(ValueError, match="unknown kind of leading eigenvalue"):
        arnoldi.eigenvalues(lambda v: v, torch.ones(3), kinds=("biggest",))


def test_the_recurrence_ends_where_a_matrix_has_no_further_direction() -> None:
    """Of a matrix of rank one every start is used up after one step; the one singular value that is not 0 is found exactly."""
    one, many = torch.rand(300, generator=torch.Generator().manual_seed(0)), torch.ones(400)
    wide = torch.outer(one, many).double()
    values, weights = _quadrature(wide)
    assert float(values.max()) == pytest.approx(float(one.norm() * many.norm()), rel=1e-6)
    assert float(weights.sum()) == pytest.approx(300, rel=1e-6)
    assert len(values) < 100


class Once(torch.autograd.Function):
    """A layer that can be differentiated once."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]  # autograd's own
        return 3 * x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]  # autograd's own
        return 3 * gradient


def test_the_jacobian_of_what_has_no_second_derivative_is_taken_row_by_row() -> None:
    wide = torch.rand(9, 2, generator=torch.Generator().manual_seed(0))
    latents = torch.rand(3, 2)
    by_columns = generator_jacobians(lambda z: z @ wide.T, latents)
    assert torch.allclose(by_columns, wide.expand(3, 9, 2))
    for of_it in (1.0, 0.5):  # all of the generator, or one of two ways through it: half of J must not get lost

        def generate(z: Tensor, share: float = of_it) -> Tensor:
            return (share * Once.apply(z) / 3 + (1 - share) * z) @ wide.T

        assert torch.allclose(generator_jacobians(generate, latents), by_columns)


def test_another_error_of_the_generator_is_its_own() -> None:
    def broken(z: Tensor) -> Tensor:
        return BrokenBackward.apply(z @ torch.rand(2, 9))

    with pytest.raises(RuntimeError, match="no such kernel"):
        generator_jacobians(broken, torch.rand(3, 2))


class BrokenBackward(torch.autograd.Function):
    """A layer whose backward pass fails for a reason of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]  # autograd's own
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]  # autograd's own
        raise RuntimeError("no such kernel")


def test_a_game_whose_value_is_no_number_has_no_gap() -> None:
    players = nn.Linear(1, 1), nn.Linear(1, 1)

    def value(g: nn.Module, d: nn.Module, latents: Any, reals: Any) -> Tensor:
        return d(g(latents)).mean() * math.nan

    gap = duality_gap(*players, value, torch.ones(2, 1), torch.ones(2, 1), steps=2)
    assert math.isnan(gap.gap)


def test_a_batch_of_one_shows_no_noise_of_the_gradient() -> None:
    players = nn.Linear(1, 1), nn.Linear(1, 1)
    one = torch.ones(1, 1)
    assert measure._noise(*players, lambda *_: one, lambda *_: one, one, one) == {}


@pytest.mark.parametrize(
    ("angles", "way"),
    [
        ([1.0] * 12 + [-1.0] * 12, "attraction"),
        ([-1.0] * 12 + [1.0] * 12, "repulsion"),
        ([0.0] * 8 + [0.9] * 8 + [0.0] * 8, "rotation"),
        ([0.3] * 24, "neither"),
        ([1.0, math.nan, -1.0], "neither"),  # too few to tell
    ],
    ids=["switch", "switch the other way", "bump", "level", "few"],
)
def test_what_a_path_shows(angles: list[float], way: str) -> None:
    assert read_path(SimpleNamespace(angles=np.array(angles))) == way  # type: ignore[arg-type]  # all that is read of a path


# -------------------------------------------------------------------------------------------------------- other people's objects


def test_a_stand_in_of_a_tracer_is_no_batch() -> None:
    class Own(Tensor):
        pass

    assert is_tracked(torch.ones(2))
    assert is_tracked(torch.ones(2).as_subclass(Own))
    stand_in = torch.ones(2).as_subclass(Own)
    stand_in.fake_mode = object()  # type: ignore[attr-defined]  # as torch's FakeTensor has it
    assert not is_tracked(stand_in)


def test_a_step_that_the_optimizer_had_of_its_own_is_put_back() -> None:
    class Plain:
        """An optimizer that is none of torch's."""

        def __init__(self) -> None:
            self.calls = 0

        def step(self) -> None:
            self.calls += 1

    seen: list[str] = []
    of_its_class, of_its_own, replaced = Plain(), Plain(), Plain()
    of_its_own.step = mine = lambda: None  # type: ignore[method-assign]  # as a scheduler's wrapper does
    undo: list[Callable[[], None]] = [
        watch(o, lambda: seen.append("step"), lambda: seen.append("again"))
        for o in (of_its_class, of_its_own, replaced)
    ]
    of_its_class.step()
    of_its_own.step()
    assert (seen, of_its_class.calls) == (["step"] * 2, 1)
    replaced.step = later = lambda: None  # type: ignore[method-assign]  # somebody wrapped it after us
    for one in undo:
        one()
    assert "step" not in vars(of_its_class)
    assert of_its_own.step is mine
    assert replaced.step is later


def test_wrappers_are_taken_off() -> None:
    inner = nn.Linear(1, 1)
    assert bare(nn.DataParallel(inner)) is inner
    assert bare(inner) is inner
    optimizer = torch.optim.SGD(inner.parameters(), 0.1)
    wrapped = SimpleNamespace(optimizer=SimpleNamespace(optimizer=optimizer))
    assert unwrapped(SimpleNamespace(optimizer=optimizer)) is optimizer
    assert unwrapped(wrapped) is wrapped  # what is inside is no optimizer
    assert unwrapped(optimizer) is optimizer


def test_scripting_is_left_as_somebody_else_has_changed_it() -> None:
    from torch.jit import _recursive as scripting

    before = scripting.get_hook_stubs
    undo = hidden_from_scripting()
    theirs = scripting.get_hook_stubs = lambda module: ([], [])
    try:
        undo()
        assert scripting.get_hook_stubs is theirs
    finally:
        scripting.get_hook_stubs = before


# ---------------------------------------------------------------------------------------------------------- what attach tells


def smooth(side: int, channels: int, count: int = 6) -> Tensor:
    """Flat images whose neighbouring values go together."""
    wave = torch.linspace(0, 3, side).sin()
    grid = wave[:, None] + wave[None, :]
    return (grid + 0.01 * torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(0))).reshape(
        count, -1
    )


@pytest.mark.parametrize(
    ("reals", "shape"),
    [
        (torch.zeros(2, 3, 8, 8), (3, 8, 8)),
        (smooth(8, 1), (1, 8, 8)),
        (smooth(8, 3), (3, 8, 8)),
        (torch.rand(6, 64, generator=torch.Generator().manual_seed(0)), None),  # noise is no image
        (torch.rand(6, 60), None),  # fills no square
        (torch.zeros(6, 64), None),
        (torch.zeros(2, 5, 8, 8), None),  # five channels are no picture
    ],
    ids=["images", "flat", "flat colour", "noise", "no square", "constant", "five channels"],
)
def test_samples_are_known_as_images_by_their_neighbours(reals: Tensor, shape: tuple[int, ...] | None) -> None:
    assert image_shape(reals) == shape


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.0, 1.0, (0.0, 1.0)),
        (-0.9, 1.0, (-1.0, 1.0)),
        (0.0, 254.0, (0.0, 255.0)),
        (-7.0, 9.0, (-7.0, 9.0)),
        (3.0, 3.0, (2.5, 3.5)),
    ],
)
def test_the_range_of_reals_is_a_standard_one_or_their_own(
    low: float, high: float, wanted: tuple[float, float]
) -> None:
    assert _range_of(torch.tensor([low, high])) == wanted


def test_the_law_of_a_few_values_is_unknown() -> None:
    draw = torch.Generator().manual_seed(0)
    assert latent_kind([torch.randn(2, 3, generator=draw)])["kind"] == "unknown"
    assert latent_kind([torch.full((40, 7), 0.5)])["kind"] == "unknown"
    assert latent_kind([torch.randn(40, 7, generator=draw)])["kind"] == "normal"


def on_a_ring(draw: torch.Generator) -> Tensor:
    angle = torch.randint(0, 6, (64,), generator=draw) * math.pi / 3
    return 1.5 * torch.stack([angle.cos(), angle.sin()], 1) + 0.12 * torch.randn(64, 2, generator=draw)


def paired(draw: torch.Generator) -> Tensor:
    z = torch.randn(64, 4, generator=draw)
    return torch.cat([z, z[:, :1] + 0.5 * z[:, 1:2]], 1) / torch.tensor([1, 1, 1, 1, 1.25**0.5])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("batch", "law"),
    [
        (lambda draw: torch.randn(64, 2, generator=draw), "normal"),
        (lambda draw: torch.rand(16, 8, generator=draw) * 2 - 1, "uniform"),
        (lambda draw: nn.functional.normalize(torch.randn(64, 128, generator=draw)), "normal"),
        (on_a_ring, "unknown"),  # of a uniform law's range and moments
        (paired, "unknown"),
    ],
)
def test_data_with_the_moments_of_noise_are_not_taken_for_noise(batch: Any, law: str, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    assert latent_kind([batch(draw) for _ in range(6)])["kind"] == law


def test_a_dotted_name_is_followed_through_attributes_and_dicts() -> None:
    held = {"trainer": SimpleNamespace(models={"gen": 3})}
    assert lookup("trainer.models.gen", held) == 3
    assert lookup("trainer.models.dis", held) is None
    assert lookup("trainer.nets.gen", held) is None
    assert lookup("nowhere", held) is None


def test_optimizers_that_stepped_nothing_that_was_called_are_said() -> None:
    for turns, why in (
        ([], "no optimizer stepped"),
        ([Turn(SGD, frozenset({1}), [], 1)], "parameters of no module that was called"),
    ):
        found = name_players(turns)
        assert isinstance(found, NoPlayers)
        assert why in found.why
    named = name_players([], names=("G", None))
    assert isinstance(named, NoPlayers)
    assert "no network named G plays against another; networks seen: none" in named.why


SGD = torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.1)


class Doubling(nn.Module):
    """A network whose `forward` is called by name."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


def test_a_forward_that_the_script_put_in_place_itself_is_put_back() -> None:
    calls: list[Tensor] = []
    net, own, later = Doubling(), Doubling(), Doubling()
    own.forward = mine = lambda x: 3 * x  # type: ignore[method-assign]  # as monkey-patching scripts do
    direct = Direct(lambda module, inputs: None, lambda module, inputs, named, output: calls.append(output))
    for one in (net, own, later):
        direct.watch(one)
    assert (net in direct, Doubling() in direct, direct.modules) == (True, False, [net, own, later])
    assert float(net.forward(torch.ones(()))) == 2
    assert float(own.forward(torch.ones(()))) == 3
    assert [float(c) for c in calls] == [2, 3]
    later.forward = theirs = lambda x: x  # type: ignore[method-assign]  # patched after us
    direct.remove()
    assert "forward" not in vars(net)
    assert own.forward is mine
    assert later.forward is theirs


def test_a_body_and_a_head_are_one_network_to_its_hooks() -> None:
    body, head = nn.Linear(2, 3), nn.Linear(3, 1)
    whole, seen = Together(body, head), []
    whole.register_forward_hook(lambda module, arguments, output: seen.append((arguments[0], output)))
    whole.register_forward_hook(
        lambda module, arguments, named, output: seen.append((arguments[0], output)), with_kwargs=True
    )
    x = torch.ones(4, 2)
    assert torch.equal(whole.forward(x), head(body(x)))
    seen.clear()
    end = whole.link()
    judged = head(body(x))
    assert len(seen) == 2
    assert all(given is x and output is judged for given, output in seen)
    head(body(x).clone())  # what was made of the body's output counts as made of its last
    assert len(seen) == 4
    end()
    head(body(x))
    head(torch.ones(1, 3))
    assert len(seen) == 4
    begun = whole.link()
    head(torch.ones(1, 3))  # the head alone, before the body was ever called: that is no call of both
    assert len(seen) == 4
    begun()


def test_a_finding_is_handed_over_once_and_a_callback_may_stop_the_training(tmp_path: Path) -> None:
    told: list[str] = []
    finding = SimpleNamespace(check="mode_collapse", verdict="failed")
    judging = Judging(tmp_path, lambda path: [finding, finding], lambda found: told.append(found.check))
    judging.look()
    judging.look()  # not yet due again
    judging.hurry()
    judging.look()
    assert told == []  # the training's own thread is told, not the writer's
    judging.hand_over()
    judging.hand_over()
    assert told == ["mode_collapse"]

    def stop(found: Any) -> None:
        raise RuntimeError("enough")

    stopping = Judging(tmp_path, lambda path: [finding], stop)
    stopping.look()
    with pytest.raises(RuntimeError, match="enough"):
        stopping.hand_over()
    assert isinstance(stopping.raised, RuntimeError)
    silent = Judging(tmp_path, lambda path: 1 / 0, None)  # nobody to tell: nothing is judged
    silent.look()
    silent.hand_over()


def test_without_a_judge_of_ones_own_the_run_is_watched_as_it_is_written(tmp_path: Path) -> None:
    run = made_runs.MADE["divergence_with_nan"](tmp_path / "run", steps=400)
    told: list[str] = []
    judging = Judging(run, None, lambda found: told.append(found.check))
    for _ in range(2):
        judging.hurry()
        judging.look()
    judging.hand_over()
    assert "numerical_failure" in told
    assert len(told) == len(set(told))


# ------------------------------------------------------------------------------------------------------------- wrong calls


def recorder(path: Path, **named: Any) -> gandiag.Recorder:
    g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    optimizers = torch.optim.SGD(g.parameters(), 0.1), torch.optim.SGD(d.parameters(), 0.1)
    return gandiag.Recorder(
        path,
        generator=g,
        discriminator=d,
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1],
        **named,
    )


@pytest.mark.parametrize(
    "table", [{"losses": 1}, {real_batch: 0}, {real_batch: 1.5}], ids=["a name", "never", "a half"]
)
def test_a_table_of_probes_that_is_none_is_refused(table: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a table of probes maps functions to how many steps"):
        recorder(tmp_path / "run", probes=table)


def test_samples_of_another_kind_and_a_state_of_another_step_are_refused(tmp_path: Path) -> None:
    with recorder(tmp_path / "run") as recording:
        with pytest.raises(UsageError, match="samples are 'fake' or 'real'"):
            recording.record_samples(torch.zeros(2, 2), kind="test")  # type: ignore[arg-type]  # what is tried here
        state = recording.state_dict()
        recording.step(d_loss=torch.tensor(1.0))
        with pytest.raises(UsageError, match="this state was taken at step 0, and the recorder goes on at step 1"):
            recording.load_state_dict(state)


def test_probabilities_that_are_none_are_said(tmp_path: Path) -> None:
    with recorder(tmp_path / "run", discriminator_output="probability") as recording:
        for _ in range(8):
            recording.step(real_logits=torch.tensor([0.2, 1.7]), fake_logits=torch.tensor([-0.5, 0.1]))
    run = gandiag.load_run(tmp_path / "run")
    assert any("saw scores outside [0, 1]" in sentence for sentence in run.about["could_not_tell"])
    assert [e["step"] for e in run.records("events") if e["event"] == "discriminator_output"] == [0]


def turns_of(lengths: str) -> tuple[list[Turn], frozenset[int], Any, Any]:
    """Makes turns in which D is called: d and g are updates of the game, p one of G alone."""
    d, g = (torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.1) for _ in range(2))
    judge = frozenset({1})
    called = SimpleNamespace(owned=judge)
    turns: list[Turn] = []
    for letter in lengths:
        optimizer = d if letter == "d" else g
        repeats = turns[-1].repeats + 1 if turns and turns[-1].optimizer is optimizer else 1
        calls: Any = [] if letter == "p" else [called]
        turns.append(Turn(optimizer, frozenset(), calls, repeats))
    return turns, judge, g, d


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ("dgdg", "alternating"),
        ("gddgddg", "alternating, 2 D updates a step"),
        ("gddgdgddg", "alternating, up to 2 D updates a step"),  # lazy R1
        ("dgpdgdgpdg", "alternating"),  # the path length's updates are none of the game's
        ("dggdgg", "alternating, 2 G updates a step"),
    ],
)
def test_how_updates_follow_one_another_is_said_of_the_game_alone(lengths: str, said: str) -> None:
    assert order_of_turns(*turns_of(lengths)) == said


@pytest.mark.parametrize("others", [(), ((8, 3),), ((8, 1),)])
def test_of_several_verdicts_it_is_said_that_the_first_is_read(others: tuple[tuple[int, ...], ...]) -> None:
    """A coupled GAN's discriminator returns one for each domain; the classes beside a verdict are none."""
    judged: Any = SimpleNamespace(
        score=torch.randn(8, 1),
        output_shapes=[(8, 1), *others],
        shapes=[(8, 2)],
        operation="Addmm",
        several_scores=False,
        tells_apart=False,
    )
    _, doubts = output_of([judged])
    assert any("2 single values for each sample" in doubt for doubt in doubts) == (others == ((8, 1),))
