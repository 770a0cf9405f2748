"""What seldom happens to the recorder's parts: each answer is known beforehand, and each is told rather than passed over."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten

import gandiag
from gandiag.errors import RunError
from gandiag.recording import accelerated_steps, accelerator, gradients, measure, naming
from gandiag.recording.addresses import Parameters, tensor_reader
from gandiag.recording.arnoldi import KINDS, eigenvalues
from gandiag.recording.game import NoSecondDerivative, game_spectrum, player
from gandiag.recording.jacobian import generator_jacobians
from gandiag.recording.latents import Feed, latent_kinds
from gandiag.recording.logits import running_sum
from gandiag.recording.naming import NoPlayers, Players, name_players
from gandiag.recording.origin import REAL, Outputs
from gandiag.recording.passing import Passing
from gandiag.recording.player import unwrapped
from gandiag.recording.recorder import _close_at_exit
from gandiag.recording.step import Step
from gandiag.recording.suspicions import Suspicions
from gandiag.recording.untouched import untouched
from gandiag.recording.witnessed import Call, Turn
from gandiag.recording.writing import Chunk, WriterThread
from gandiag.run.layout import refuse_link
from tests.test_recording_parts import BrokenBackward

# ------------------------------------------------------------------------------------------------- whose turn, by hand-made turns


class Scene:
    """A stranger's networks, and turns of their optimizers put together by hand."""

    def __init__(self, latents: int = 4, **judges: nn.Module) -> None:
        self.G = nn.Linear(latents, 2)
        self.judges = judges or {"D": nn.Linear(2, 1)}
        self.z = torch.randn(64, latents, generator=torch.Generator().manual_seed(0))
        self.order = 0
        self.optimizers = {m: torch.optim.SGD(m.parameters(), 0.1) for m in (self.G, *self.judges.values())}

    def call(self, module: nn.Module, fed: Tensor, sources: tuple[nn.Module, ...] = ()) -> Call:
        """One call of a network, as the watch would note it."""
        self.order += 1
        leaves, structure = tree_flatten(((fed,), {}))
        with torch.no_grad():
            out = module(fed)
        return Call(
            module, owned(module), self.order, frozenset(owned(s) for s in sources), True, frozenset(), not sources,
            leaves, structure, [tuple(fed.shape)], [out], [tuple(out.shape)], out, "Addmm", used=True,
        )  # fmt: skip

    def round(self, judge: nn.Module) -> list[Turn]:
        """One update of a judge on reals and fakes, and one of the generator through it."""
        made, again = self.call(self.G, self.z), self.call(self.G, self.z)
        made.fed[owned(judge)] = again.fed[owned(judge)] = 0
        shown = [self.call(judge, torch.randn(64, 2)), self.call(judge, made.outputs[0], (self.G,))]
        through = self.call(judge, again.outputs[0], (self.G,))
        return [self.turn(judge, [made, *shown]), self.turn(self.G, [again, through])]

    def turn(self, module: nn.Module, calls: list[Call]) -> Turn:
        return Turn(self.optimizers[module], owned(module), calls, 1)


def owned(module: nn.Module) -> frozenset[int]:
    return frozenset(id(p) for p in module.parameters())


def test_players_are_known_by_their_turns() -> None:
    scene = Scene()
    (judge,) = scene.judges.values()
    found = name_players(scene.round(judge) * 3)
    assert isinstance(found, Players)
    assert found.generator is scene.G
    assert found.discriminator is judge
    assert [kind["kind"] for kind in found.facts["latents"]] == ["normal"]


def test_each_network_is_looked_up_once_however_often_it_was_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recurrent cell is called hundreds of times an update: what grows with the square of that holds the script up."""
    looked: list[frozenset[int]] = []
    look = naming.module_of

    def counted(network: frozenset[int], calls: list[Call]) -> nn.Module:
        looked.append(network)
        return look(network, calls)

    monkeypatch.setattr(naming, "module_of", counted)
    scene = Scene()
    (judge,) = scene.judges.values()
    turns = scene.round(judge) * 30
    assert isinstance(name_players(turns), Players)
    assert len(looked) == len(set(looked))


def test_a_second_judge_that_has_only_begun_is_waited_for() -> None:
    scene = Scene(first=nn.Linear(2, 1), second=nn.Linear(2, 1))
    first, second = scene.judges.values()
    turns = [*scene.round(first), *scene.round(first), *scene.round(first), *scene.round(second)]
    found = name_players(turns, namespace={"G": scene.G, "first": first, "second": second})
    assert isinstance(found, NoPlayers)
    assert found.why == "G (Linear) seems to play against second (Linear), too, but it is not yet sure"


def test_a_generator_whose_inputs_are_too_large_to_be_kept_is_said_so() -> None:
    scene = Scene()
    (judge,) = scene.judges.values()
    turns = scene.round(judge) * 3
    for turn in turns:
        for call in turn.calls:
            call.let_go(small=63)  # values: latents and images have more, scores have 64
    assert all(not call.outputs and not call.leaves and call.score is None for t in turns for call in t.calls)
    found = name_players(turns, namespace={"G": scene.G})
    assert isinstance(found, NoPlayers)
    assert found.why == "the inputs of G (Linear) are too large to be looked at"


def test_what_is_small_is_kept_of_a_call_that_is_let_go() -> None:
    scene = Scene()
    call = scene.call(scene.G, scene.z)
    call.let_go(small=scene.z.numel())
    assert call.inputs[0] is scene.z
    assert call.score is not None
    assert call.outputs == []


def test_an_input_that_is_not_one_a_sample_is_a_constant_and_given_again_as_it_was() -> None:
    scene = Scene()
    call = scene.call(scene.G, scene.z)
    blend = torch.tensor(0.25)  # of a progressive generator's two resolutions
    leaves, structure = tree_flatten(((scene.z, blend), {}))
    call.leaves, call.structure, call.shapes = leaves, structure, [tuple(scene.z.shape), ()]
    kinds = latent_kinds(scene.G, [call, call])
    assert [kind["kind"] for kind in kinds] == ["normal", "constant"]
    (z, again), named = Feed([call], kinds).draw(5, np.random.default_rng(0))
    assert z.shape == (5, 4)
    assert float(again) == 0.25
    assert named == {}


@pytest.mark.parametrize(("width", "kept"), [(2, 2048), (3 * 1024 * 256, 8)])
def test_data_that_are_translated_are_drawn_from_what_passed_by_as_far_as_they_are_small(width: int, kept: int) -> None:
    """Eight rows a call: of points two thousand are kept, of large images no more than the last call's."""
    leaves, structure = tree_flatten(((torch.zeros(8, width),), {}))
    call = SimpleNamespace(
        leaves=leaves,
        structure=structure,
        shapes=[(8, width)],
        inputs=leaves,
        made=(False,),
        output_shapes=[(8, width)],
    )
    feed = Feed([call], [{"shape": [width], "kind": "unknown"}])
    assert feed.ages
    for number in range(1, 400 if width == 2 else 12):
        feed.see((torch.full((8, width), float(number)),), {})
        if number % 8 == 0:
            feed.draw(1, np.random.default_rng(0))
    assert len(feed._last) <= (8 if width == 2 else 1)
    (drawn,), _ = feed.draw(4, np.random.default_rng(0))
    assert drawn.shape == (4, width)
    assert len(feed._seen[0]) == kept
    assert float(feed._seen[0].max()) == (399 if width == 2 else 11)


# -------------------------------------------------------------------------------------------------------- evaluations in passing


class Book:
    """Where `Passing` hands over what it found."""

    writes = True
    last_fakes: tuple[Tensor, ...] = ()

    def __init__(self, path: Path) -> None:
        self.path, self.events, self.evaluations = path, [], []

    def record_event(self, kind: str, why: str) -> None:
        self.events.append((kind, why))

    def record_evaluation(self, scores: Any, **_: Any) -> None:
        self.evaluations.append(scores)

    def record_samples(self, *_: Any, **__: Any) -> None:
        pass


class Sick(nn.Module):
    """A generator of points whose samples can be spoilt."""

    def __init__(self, spoil: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.layer, self.spoil = nn.Linear(3, 2), spoil

    def forward(self, z: Tensor) -> Tensor:
        return self.spoil(self.layer(z))


def every_eighth_is_nan(x: Tensor) -> Tensor:
    return x.index_fill(0, torch.arange(0, len(x), 8), torch.nan)


def passing(path: Path, spoil: Callable[[Tensor], Tensor]) -> tuple[Passing, Book]:
    torch.manual_seed(0)
    feed = SimpleNamespace(
        kinds=(), draw=lambda n, random: ((torch.as_tensor(random.normal(size=(n, 3))).float(),), {})
    )
    watch, book = Passing(Sick(spoil), feed), Book(path)  # type: ignore[arg-type]  # the two methods that it asks
    watch.recorder = book
    for index in range(8):
        watch.keep(Step(index, real=torch.randn(64, 2)))
    return watch, book


def test_fresh_samples_that_are_not_finite_are_counted_and_not_scored(tmp_path: Path) -> None:
    watch, book = passing(tmp_path, every_eighth_is_nan)
    watch.evaluate(100)
    assert book.events == [("not_evaluated", "64 of 512 fresh samples are not finite")]
    assert book.evaluations == []


def test_fresh_samples_of_another_shape_than_the_reals_are_not_scored(tmp_path: Path) -> None:
    watch, book = passing(tmp_path, lambda x: x[:, :1])
    watch.evaluate(100)
    assert book.events == [("not_evaluated", "what the generator returns has not the shape of the reals")]
    assert book.evaluations == []


def test_a_rank_that_does_not_write_draws_nothing_to_be_scored(tmp_path: Path) -> None:
    watch, book = passing(tmp_path, lambda x: x)
    book.writes = False
    watch.evaluate(100)
    assert (book.events, book.evaluations) == ([], [])
    book.writes = True
    watch.evaluate(100)
    assert len(book.evaluations) == 1


# ------------------------------------------------------------------------------------------------------------------- small parts


def test_a_device_that_is_no_cpu_is_left_to_torch() -> None:
    found = accelerator.chosen("cuda:0", None)
    assert (found.accelerator, found.words) == (None, "torch (on cuda:0)")


def test_a_system_without_users_has_no_compiler_that_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "getuid")
    with pytest.raises(accelerator.NotThere, match="no C compiler"):
        accelerator.compiled(tmp_path)


@pytest.mark.skipif(accelerator.find_accelerator().accelerator is None, reason="no C compiler is at hand")
def test_without_torchs_table_of_functions_tensors_are_asked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = accelerator.find_accelerator().accelerator
    assert found is not None
    monkeypatch.setattr(Tensor, "__dlpack_c_exchange_api__", None, raising=False)
    tensor_reader.cache_clear()
    try:
        values = [torch.tensor([3.0, 4.0]), torch.full((2, 2), 6.0)]
        parameters, norms = Parameters(found.held, values), torch.zeros(2)
        assert parameters.look(values, norms.data_ptr()) is not None
        assert norms.tolist() == [5.0, 12.0]
        nothing = [torch.zeros(0), values[1]]
        assert Parameters(found.held, nothing).look(nothing) is None, "what lies nowhere cannot be read by address"
    finally:
        tensor_reader.cache_clear()


class OnCuda(Tensor):
    """A tensor that says that it lies on CUDA, where a running sum by torch raises once deterministic algorithms are asked for."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]  # what the stand-in is for
        return torch.device("cuda")

    def cumsum(self, *_: Any, **__: Any) -> Tensor:
        raise RuntimeError("cumsum_cuda_kernel does not have a deterministic implementation")


def test_running_sums_on_cuda_take_the_deterministic_way_where_it_is_asked_for() -> None:
    values = torch.arange(1.0, 12.0).repeat(2, 1)
    torch.use_deterministic_algorithms(True)
    try:
        found = running_sum(values.as_subclass(OnCuda))
    finally:
        torch.use_deterministic_algorithms(False)
    assert found.tolist() == [[1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 66]] * 2


def test_what_is_made_before_the_generator_ever_ran_comes_from_the_data() -> None:
    augmented = 2 * torch.ones(3, requires_grad=True)
    assert Outputs().origin(augmented) == REAL


class Selfish(torch.optim.SGD):
    """An optimizer that names itself as what it wraps."""

    @property
    def optimizer(self) -> Selfish:
        return self


def test_an_optimizer_that_wraps_itself_is_taken_as_it_is() -> None:
    selfish = Selfish(nn.Linear(1, 1).parameters(), 0.1)
    assert unwrapped(selfish) is selfish


def test_what_is_suspected_of_the_data_is_said_once_and_never_looked_at_again() -> None:
    said: list[Any] = []
    suspicions = Suspicions(probability=False, say=lambda *_: None, event=said.append)
    low, high = np.zeros(4), np.ones(4)  # pictures in [0, 1] for a generator in [-1, 1]
    for begin in range(0, 12, 4):
        rows = Chunk("step", np.arange(begin, begin + 4), {"real_min": low, "real_max": high})
        suspicions.look(rows, {}, operation="", activation="Tanh")
    assert [(e["event"], e["step"]) for e in said] == [("data_mismatch", 0)]


@pytest.mark.parametrize("operation", ["Sigmoid", "View"])
def test_scores_that_leave_the_unit_range_later_are_logits_after_all(operation: str) -> None:
    said: dict[str, str] = {}
    suspicions = Suspicions(
        probability=False, say=said.__setitem__, event=lambda record: None, take_back=lambda key: said.pop(key, None)
    )
    for begin, high in ((0, 0.6), (30, 0.9), (60, 1.4)):
        scores = {
            f"_{what}_logits_{end}": np.full(30, value)
            for what in ("real", "fake")
            for end, value in (("low", 0.2), ("high", high))
        }
        suspicions.look(
            Chunk("step", np.arange(begin, begin + 30), {"wall_time": np.arange(30.0)}),
            scores,
            operation=operation,
            activation="",
        )
        if begin < 60:
            assert "scores" in said
    assert ("scores" in said) is (operation == "Sigmoid"), "what the graph has told stays said"


def test_a_hook_that_takes_itself_away_in_a_measurement_stays_away_and_the_others_keep_their_order() -> None:
    module, seen = nn.Linear(1, 1), []
    first = module.register_forward_hook(lambda *_: seen.append("first"))
    module.register_forward_hook(hook_of_ours(seen))
    module.register_forward_hook(lambda *_: seen.append("last"))
    with untouched(module):
        module(torch.ones(1))
        first.remove()
    module(torch.ones(1))
    assert seen == ["first", "last", "ours", "last"]


def hook_of_ours(seen: list[str]) -> Callable[..., None]:
    def hook(*_: Any) -> None:
        seen.append("ours")

    hook.__module__ = "gandiag.recording.capture"
    return hook


def test_a_gradient_without_signal_has_no_noise_scale() -> None:
    generator, discriminator = nn.Linear(1, 1), nn.Linear(1, 1)
    signs = torch.tensor([[1.0], [-1.0]]).repeat(4, 1)

    def cancelling(g: nn.Module, d: nn.Module, z: Tensor, x: Tensor) -> Tensor:
        return (g(z) * 0).mean() + (d(x) * x).mean()  # one of the players learns nothing; the other d(x) = w x + b

    found = measure._noise(generator, discriminator, cancelling, cancelling, signs, signs)
    assert found["generator_gradient_signal"] == 0
    assert "generator_gradient_noise_scale" not in found
    assert found["discriminator_gradient_noise_trace"] == pytest.approx(
        8 / 7
    )  # of the bias, +-1 in each of eight chunks of 1
    assert found["discriminator_gradient_noise_scale"] == pytest.approx(8 / 7 / (1 - 1 / 7))


def test_a_link_in_a_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("{}")
    (tmp_path / "run.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="is a link"):
        refuse_link(tmp_path / "elsewhere", tmp_path / "run.json")


def test_a_writer_that_has_ended_is_not_waited_for() -> None:
    thread = WriterThread(None)
    done: list[int] = []
    thread.put(lambda: done.append(1))
    thread.stop("finished")
    assert done == [1]
    thread._thread.join()
    assert thread.wait() is True


# ---------------------------------------------------------------------------------------------------------------- the recorder


class Loop:
    """A pair on points with a recorder; `train` plays one step."""

    def __init__(self, path: Path, discriminator: nn.Module | None = None, **options: Any) -> None:
        torch.manual_seed(0)
        self.G, self.D = nn.Linear(3, 2), discriminator or nn.Linear(2, 1)
        self.g_opt, self.d_opt = (torch.optim.SGD(m.parameters(), 0.1) for m in (self.G, self.D))
        self.recorder = gandiag.Recorder(
            path, generator=self.G, discriminator=self.D, generator_optimizer=self.g_opt, discriminator_optimizer=self.d_opt, **options
        )  # fmt: skip

    def train(self, judge: Callable[[Tensor], Tensor] | None = None) -> tuple[Tensor, Tensor]:
        judge = judge or self.D
        real, fake = torch.randn(6, 2), self.G(torch.randn(6, 3))
        on_real, on_fake = judge(real), judge(fake.detach())
        self.d_opt.zero_grad()
        (F.softplus(-on_real).mean() + F.softplus(on_fake).mean()).backward()
        self.d_opt.step()
        self.g_opt.zero_grad()
        F.softplus(-judge(fake)).mean().backward()
        self.g_opt.step()
        return on_real.detach().clone(), on_fake.detach().clone()


def status(path: Path) -> str:
    return str(json.loads((path / "run.json").read_text(encoding="utf-8"))["status"])


def test_at_the_end_of_a_process_only_its_own_runs_are_closed(tmp_path: Path) -> None:
    loop = Loop(tmp_path / "run")
    loop.train()
    loop.recorder.step()
    _close_at_exit(weakref.ref(loop.recorder), os.getpid() + 1)  # a forked child's
    loop.recorder.flush()
    assert status(tmp_path / "run") == "running"
    _close_at_exit(weakref.ref(loop.recorder), os.getpid())
    assert status(tmp_path / "run") == "finished"
    _close_at_exit(
        weakref.ref(Loop(tmp_path / "gone").recorder), os.getpid()
    )  # nothing is left of it: nothing to be closed


def test_scores_that_were_changed_in_place_are_left_out_and_said(tmp_path: Path) -> None:
    loop = Loop(tmp_path / "run")

    def shifted(x: Tensor) -> Tensor:
        return loop.D(x).add_(1.0)

    loop.train()
    loop.recorder.step()
    loop.train(shifted)
    loop.recorder.step()
    loop.recorder.close()
    run = gandiag.load_run(tmp_path / "run")
    assert run["real_logit_mean"].index.to_list() == [0]
    assert any("changed in place" in sentence for sentence in run.about["could_not_tell"])


# ------------------------------------------------------------------------------------------- operations without a second derivative


CODES = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [3.0, 4.0], [-1.0, 2.0]])


def distances(z: Tensor) -> Tensor:
    """Distances to a table of codes, by torch's own operation, which can be differentiated once."""
    return torch.cdist(z, CODES)


def test_the_jacobian_of_distances_is_their_directions() -> None:
    z = torch.tensor([[0.5, 0.25], [2.0, -1.0]])
    directions = (z[:, None] - CODES) / (z[:, None] - CODES).norm(dim=2, keepdim=True)
    assert torch.allclose(generator_jacobians(distances, z), directions, atol=1e-6)


def test_a_game_of_distances_names_the_operation_that_has_no_second_derivative() -> None:
    x, y = torch.ones(1, 2, requires_grad=True), torch.ones(5, requires_grad=True)

    def worth() -> Tensor:
        return (distances(x) @ y).sum()

    with pytest.raises(NoSecondDerivative, match="_cdist_backward"):
        game_spectrum([player([x], worth), player([y], lambda: -worth())])


def test_another_error_of_a_game_is_its_own() -> None:
    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)

    def worth() -> Tensor:
        return (BrokenBackward.apply(x) * y).sum()

    with pytest.raises(RuntimeError, match="no such kernel") as raised:
        game_spectrum([player([x], worth), player([y], lambda: -worth())])
    assert not isinstance(raised.value, NoSecondDerivative)


@pytest.mark.skipif(accelerator.find_accelerator().accelerator is None, reason="no C compiler is at hand")
def test_updates_in_double_precision_are_left_to_torch() -> None:
    found = accelerator.find_accelerator().accelerator
    assert found is not None
    moved = (torch.tensor([3.0, 4.0]).double(), torch.tensor([10.0, 0.5]).double())
    step = Step(0, discriminator_change=lambda: moved)
    assert accelerated_steps.update_ratios(found, step) is None
    by_torch = gradients.update_ratios(step)
    assert by_torch["discriminator_layer_update_ratio"].tolist() == pytest.approx([0.3, 8.0])  # type: ignore[union-attr]
    assert float(by_torch["discriminator_update_ratio"]) == pytest.approx(5 / 100.25**0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("products", [12, 17, 31, 57])
@pytest.mark.parametrize("seed", range(3))
def test_values_from_a_basis_that_was_cut_short_are_exact_for_a_matrix_within_their_residual(
    seed: int, products: int
) -> None:
    """A cut through a conjugate pair would break the recurrence, and the residuals would promise what does not hold."""
    draw = np.random.default_rng(seed)
    radii, angles = 2.0 * 0.75 ** np.arange(8), draw.uniform(0.3, 2.8, 8)
    turns = [r * np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) for r, t in zip(radii, angles)]
    mixed, _ = np.linalg.qr(draw.normal(size=(16, 16)))
    matrix = mixed @ scipy.linalg.block_diag(*turns) @ mixed.T
    known, start = torch.from_numpy(matrix), torch.ones(16, dtype=torch.float64)
    found = eigenvalues(lambda v: known @ v, start, kinds=tuple(KINDS), count=2, products=products, basis=8)
    nearest = [np.linalg.svd(matrix - value * np.eye(16), compute_uv=False)[-1] for value in found.values]
    assert (np.array(nearest) <= found.residuals + 1e-12).all()
