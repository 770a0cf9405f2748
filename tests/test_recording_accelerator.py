"""The compiled accelerator: every number of it equal to torch's, whatever the tensors; and torch's way wherever it cannot be had."""

from __future__ import annotations

import ctypes
import math
import shutil
import stat
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.errors import NotRecorded
from gandiag.recording import Recorder, accelerated, accelerated_steps, accelerator, addresses
from gandiag.recording.accelerator import find_accelerator
from gandiag.recording.addresses import Copier, Parameters
from gandiag.recording.buffer import Block
from gandiag.recording.probes import BLOCKWISE, FULL, name_of
from gandiag.recording.step import Step
from gandiag.run import Run, load_run

HAS_COMPILER = any(shutil.which(name) for name in accelerator.COMPILERS)
needs_compiler = pytest.mark.skipif(
    not HAS_COMPILER, reason="no C compiler here: the accelerator is not compared with torch"
)
TIMES = {"wall_time", "step_seconds", "images_per_second", "probe_seconds"}
# float32 sums by two ways; a distance of two near points loses more in the Gram matrix of the torch twin
CLOSE = {"rtol": 2e-5, "atol": 2e-6}


@pytest.fixture
def found() -> accelerator.Accelerator:
    have = find_accelerator().accelerator
    assert have is not None, find_accelerator().words
    return have


@pytest.fixture(params=["C asks torch", "Python asks torch"])
def asked(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, found: accelerator.Accelerator
) -> ctypes.CDLL:
    """The compiled functions, by both ways of asking what a tensor is."""
    if request.param == "Python asks torch":
        monkeypatch.setattr(addresses, "tensor_reader", lambda held: 0)
    elif not addresses.tensor_reader(found.held):
        pytest.skip(f"torch {torch.__version__} has no function by which C could ask: that way stays untested")
    return found.held


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and nothing remembered of another."""
    monkeypatch.setenv("GANDIAG_CACHE", str(tmp_path / "cache"))
    accelerator._found.cache_clear()
    yield tmp_path / "cache" / "accelerator"
    accelerator._found.cache_clear()


# -- the probes


def scores(kind: str, rows: int, width: int, seed: int) -> Tensor:
    values = torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)) * 3
    if kind == "ties":
        return (values * 2).round() / 2
    if kind == "constant":
        return torch.full_like(values, 0.25)
    if kind == "far":
        return values * 1e3
    if kind in ("nan", "inf", "mostly nan"):
        values[0, 0] = math.nan if kind == "nan" else math.inf
        if kind == "mostly nan":
            values[0, 1:] = math.nan
            values[-1, : width // 2] = -math.inf
    return values


@needs_compiler
@pytest.mark.parametrize("kind", ["plain", "ties", "constant", "far", "nan", "inf", "mostly nan"])
@pytest.mark.parametrize(("rows", "real", "fake"), [(5, 16, 16), (3, 7, 13), (2, 1, 1), (4, 256, 64)])
def test_every_probe_of_a_block_equals_its_twin(
    found: accelerator.Accelerator, kind: str, rows: int, real: int, fake: int
) -> None:
    step = Step(
        index=0,
        real_logits=scores(kind, rows, real, 1),
        fake_logits=scores(kind, rows, fake, 2),
        discriminator_force_real=scores(kind, rows, real, 3),
        discriminator_force_fake=scores(kind, rows, fake, 4),
        generator_force_real=scores(kind, rows, real, 5),
        generator_force_fake=scores(kind, rows, fake, 6),
        generator_gradient_at_image=scores(kind, rows, 1, 7)[:, 0],
        discriminator_layer_gradients=scores(kind, rows, 4, 8).abs(),
        generator_layer_gradients=scores(kind, rows, 3, 9).abs(),
        generator_gradient_max=scores("plain", rows, 1, 10)[:, 0].abs(),
        d_loss=scores(kind, rows, 1, 11)[:, 0],
        g_loss=scores(kind, rows, 1, 12)[:, 0],
        d_penalty=scores(kind, rows, 1, 13)[:, 0],
        g_penalty=scores(kind, rows, 1, 14)[:, 0],
    )
    assert set(accelerated.BLOCKWISE) == set(BLOCKWISE), "a probe of a block without a compiled twin, or the reverse"
    for probe, twin in accelerated.BLOCKWISE.items():
        expected = probe(step)
        got = twin(found.free, step, rows)
        assert got.keys() == expected.keys(), name_of(probe)
        for name, values in got.items():
            np.testing.assert_allclose(values, expected[name], **CLOSE, err_msg=f"{kind} {name}")


@needs_compiler
def test_rows_that_are_not_side_by_side_are_read_where_they_lie(found: accelerator.Accelerator) -> None:
    block = scores("plain", 12, 9, 1)
    every, alone = Step(index=0, real_logits=block[2:11:4]), Step(index=0, real_logits=block[[2, 6, 10]])
    for name, values in accelerated.real_outputs(found.free, every, 3).items():
        np.testing.assert_array_equal(values, accelerated.real_outputs(found.free, alone, 3)[name])
    np.testing.assert_array_equal(
        accelerated.real_histogram(found.free, every, 3)["real_logit_histogram"].sum(1), [9, 9, 9]
    )


BATCHES: dict[str, Callable[[], Tensor]] = {
    "points": lambda: torch.randn(64, 2),
    "odd": lambda: torch.randn(11, 3),
    "one": lambda: torch.randn(1, 2),
    "scalars": lambda: torch.randn(20),
    "images": lambda: torch.rand(9, 3, 8, 8) * 2 - 1,
    "grey": lambda: torch.rand(300, 1, 5, 5),
    "wide": lambda: torch.randn(6, 40),
    "constant": lambda: torch.full((8, 2), 0.5),
    "nan": lambda: torch.tensor([[0.0, math.nan], [1.0, 2.0], [3.0, 4.0]]),
    "infinite": lambda: torch.tensor([[0.0, math.inf], [1.0, -math.inf], [3.0, 4.0]]),
}


@needs_compiler
@pytest.mark.parametrize("kind", BATCHES)
def test_every_probe_of_a_batch_equals_its_twin(found: accelerator.Accelerator, kind: str) -> None:
    torch.manual_seed(0)
    real, fake = BATCHES[kind](), BATCHES[kind]()
    before = real.clone()
    before[len(before) // 2 :] += 1
    step = Step(
        index=1,
        real=real,
        fake=fake,
        previous_real=before.reshape(-1),
        previous_fake=fake.reshape(-1).clone(),
        discriminator_change=lambda: (torch.tensor([0.5, 3.0, 0.25]), torch.tensor([2.0, 0.0, 1e-3])),
        generator_change=lambda: (torch.rand(5), torch.rand(5) * 1e10),
    )
    for probe, twin in accelerated_steps.STEPWISE.items():
        expected, got = probe(step), twin(found, step)
        assert got is not None
        assert got.keys() == expected.keys()
        for name, values in got.items():
            np.testing.assert_allclose(values, expected[name], **CLOSE, equal_nan=True, err_msg=name)


@needs_compiler
def test_a_batch_that_c_must_not_read_is_left_to_torch(found: accelerator.Accelerator) -> None:
    for batch in (
        torch.randn(4, 2).double(),
        torch.randn(2, 4).t(),
        torch.randint(0, 255, (4, 2), dtype=torch.uint8),
        torch.empty(0, 2),
        torch.zeros(1).expand(accelerated_steps.MOST_VALUES + 1).clone(),
    ):
        assert accelerated_steps.real_batch(found, Step(index=0, real=batch)) is None
    assert accelerated_steps.fake_batch(found, Step(index=0, real=batch, fake=torch.randn(4, 2))) is None


# -- addresses


@needs_compiler
def test_norms_cosines_and_changes_are_those_of_numpy(asked: ctypes.CDLL) -> None:
    torch.manual_seed(0)
    shapes = [(3, 5), (1,), (64, 17), ()]
    now, before = ([torch.randn(s) for s in shapes] for _ in range(2))
    parameters = Parameters(asked, now)
    at_before = parameters.look(before)
    assert at_before is not None
    flat = parameters.keep(at_before, None)
    at_now = parameters.look(now)
    assert at_now is not None
    assert torch.equal(flat, torch.cat([t.reshape(-1) for t in before]))
    out = torch.zeros(len(shapes) + 1)
    parameters.norms(at_now, out.data_ptr())
    np.testing.assert_allclose(out[:-1], [t.double().norm() for t in now], rtol=1e-6)
    assert out[-1] == 0, "written past its end"
    one, two = (torch.cat([t.reshape(-1) for t in side]).double() for side in (now, before))
    assert parameters.cosine(at_now, flat) == pytest.approx(float(one @ two / one.norm() / two.norm()), abs=1e-7)
    moved, size = parameters.changes(at_now, flat)
    np.testing.assert_allclose(moved, [(a.double() - b).norm() for a, b in zip(now, before)], rtol=1e-6)
    np.testing.assert_allclose(size, [t.double().norm() for t in now], rtol=1e-6)
    zero = torch.zeros_like(flat)
    assert parameters.cosine(at_now, zero) == 0


@needs_compiler
def test_what_c_must_not_read_is_seen(asked: ctypes.CDLL) -> None:
    good = torch.randn(3, 4)
    parameters = Parameters(asked, [good])
    block, copier = Block(torch.device("cpu")), Copier(asked)
    assert copier.copy(block, 1, ["real_logits"], [good])  # from then on C knows what to expect there
    assert parameters.look([good]) is not None
    assert parameters.look([torch.randn(2)]) is None
    negative = torch.complex(torch.zeros(3, 4), torch.ones(3, 4)).conj().imag
    assert negative.is_neg()
    for bad in (
        None,
        good.double(),
        good.half(),
        good.t(),
        torch.randn(6, 4)[::2],
        good.to_sparse(),
        torch.zeros(1).expand(3, 4),
        negative,
        torch._neg_view(good),
        good.to("meta"),
        torch.zeros(0),
    ):
        assert parameters.look([bad]) is None
        if bad is not None and bad.numel():
            assert not Copier(asked).copy(Block(torch.device("cpu")), 1, ["real_logits"], [bad])
            assert not copier.copy(block, 1, ["real_logits"], [bad])
    assert parameters.look([good.requires_grad_()]) is not None
    assert parameters.look([nn.Parameter(good.detach())[None, :, None]]) is not None, (
        "axes of one place are in one piece"
    )


@needs_compiler
def test_copies_follow_the_rows_and_the_widths(asked: ctypes.CDLL) -> None:
    block, copier = Block(torch.device("cpu"), 4), Copier(asked)
    for row in range(3):
        values = torch.arange(5.0) + 10 * row
        assert copier.copy(block, 3, [1, "real_logits"], [torch.tensor(float(row)), values])
        assert torch.equal(block.vectors["real_logits"][row], values)
        assert block.scalars[row, :3].tolist() == [0, row, 0]
        assert not copier.copy(block, 1, ["real_logits"], [torch.ones(6)]), "another width begins another block"
        block.end_row(row, 0)
    block.clear()
    block.copy(["real_logits"], [torch.ones(6)], {})
    assert copier.copy(block, 1, ["real_logits"], [torch.ones(6)])
    assert block.vectors["real_logits"].shape == (4, 6)
    with pytest.raises(ValueError, match="4 bytes"):
        copier.copy(block, 2, [1], [torch.ones(2)])


@needs_compiler
def test_a_table_of_functions_of_another_version_is_not_used(found: accelerator.Accelerator) -> None:
    table = (ctypes.c_uint64 * 7)(1, 0, 11, 12, 13, 14, 15)
    assert found.held.reader_in(ctypes.addressof(table)) == 14
    table[0] = 2
    assert found.held.reader_in(ctypes.addressof(table)) == 0


# -- whole recordings


class Frozen(nn.Sequential):
    """An MLP whose first layer is not trained."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
        self[0].requires_grad_(False)


def mlp(*widths: int) -> nn.Sequential:
    layers = [m for a, b in pairwise(widths) for m in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
    return nn.Sequential(*layers[:-1])


PAIRS: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (lambda: mlp(4, 16, 2), lambda: mlp(2, 16, 1), (2,)),
    "flat scores": (lambda: mlp(4, 8, 2), lambda: nn.Sequential(mlp(2, 8, 1), nn.Flatten(0)), (2,)),
    "frozen": (lambda: mlp(4, 8, 2), Frozen, (2,)),
    "patches": (
        lambda: nn.Sequential(nn.Linear(4, 3 * 64), nn.Unflatten(1, (3, 8, 8)), nn.Conv2d(3, 3, 3, padding=1)),
        lambda: nn.Sequential(nn.Conv2d(3, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 3)),
        (3, 8, 8),
    ),
}


def train(
    path: Path, pair: str, *, spoil: str = "", probability: bool = False, steps: int = 25, updates: int = 1
) -> dict[str, np.ndarray]:
    """Records a short training in every detail, its batches of odd sizes; returns all series."""
    torch.manual_seed(0)
    make_g, make_d, shape = PAIRS[pair]
    generator, discriminator = make_g(), make_d()
    if probability:
        discriminator = nn.Sequential(discriminator, nn.Sigmoid())
    g_opt = torch.optim.Adam(generator.parameters(), 1e-3)
    d_opt = torch.optim.Adam([p for p in discriminator.parameters() if p.requires_grad], 1e-3)

    def losses(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        if probability:
            return -(torch.log(real).mean() + torch.log(1 - fake).mean()), -torch.log(fake).mean()
        return F.softplus(-real).mean() + F.softplus(fake).mean(), F.softplus(-fake).mean()

    with Recorder(
        path,
        generator=generator,
        discriminator=discriminator,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        discriminator_output="probability" if probability else "logit",
        probes=FULL,
    ) as recorder:
        for step in range(steps):
            count = 7 if step % 6 == 5 else 10
            real = torch.randn(count, *shape)
            fake = generator(torch.randn(count, 4))
            for _ in range(updates):
                real_scores, fake_scores = discriminator(real), discriminator(fake.detach())
                d_loss = losses(real_scores, fake_scores)[0]
                d_opt.zero_grad()
                d_loss.backward()
                if step >= 9 and spoil:
                    _spoil(discriminator, spoil)
                d_opt.step()
            g_loss = losses(real_scores.detach(), discriminator(fake))[1]
            g_opt.zero_grad()
            g_loss.backward()
            g_opt.step()
            given = {"real_logits": real_scores, "fake_logits": fake_scores} if step % 2 else {}
            recorder.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake, **given)
    run = load_run(path)
    return {name: series(run, name) for name in run.names if name not in TIMES}


def series(run: Run, name: str) -> np.ndarray:
    """One series as an array, also where it has layers; with the steps at which it was measured."""
    try:
        found = run[name]
    except NotRecorded:
        found = run.layers(name)
    return np.column_stack([found.index, found.to_numpy(dtype=float)])


def _spoil(discriminator: nn.Module, how: str) -> None:
    for parameter in discriminator.parameters():
        grad = parameter.grad
        if grad is None:
            continue
        if how == "nan":
            grad.reshape(-1)[0] = math.nan
        elif how == "strides" and grad.dim() > 1:
            parameter.grad = grad.transpose(0, 1).contiguous().transpose(0, 1)
        elif how == "missing":
            parameter.grad = None
            return


@needs_compiler
@pytest.mark.parametrize(
    ("pair", "how"),
    [
        ("mlp", {}),
        ("mlp", {"updates": 3}),
        ("mlp", {"probability": True}),
        ("mlp", {"spoil": "nan"}),
        ("mlp", {"spoil": "strides"}),
        ("mlp", {"spoil": "missing"}),
        ("flat scores", {}),
        ("frozen", {}),
        ("patches", {}),
    ],
)
def test_a_recording_is_the_same_by_either_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pair: str, how: dict
) -> None:
    fast = train(tmp_path / "compiled", pair, **how)
    monkeypatch.setenv(accelerator.SWITCH, "off")
    slow = train(tmp_path / "torch", pair, **how)
    assert load_run(tmp_path / "compiled").about["accelerator"].startswith("compiled")
    assert load_run(tmp_path / "torch").about["accelerator"].startswith("torch (the accelerator is switched off")
    assert fast.keys() == slow.keys()
    for name, values in slow.items():
        np.testing.assert_allclose(fast[name], values, rtol=1e-4, atol=2e-6, equal_nan=True, err_msg=name)


@needs_compiler
@pytest.mark.parametrize("how", [{}, {"updates": 2}], ids=["plain", "two updates"])
def test_a_recording_is_the_same_to_the_last_bit_whoever_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict
) -> None:
    by_c = train(tmp_path / "C", "mlp", **how)
    monkeypatch.setattr(addresses, "tensor_reader", lambda held: 0)
    by_python = train(tmp_path / "Python", "mlp", **how)
    assert by_c.keys() == by_python.keys()
    for name, values in by_python.items():
        np.testing.assert_array_equal(by_c[name], values, err_msg=name)


@needs_compiler
def test_a_run_goes_on_by_the_way_that_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin_or_go_on(name: str, resume: bool) -> dict:
        nets = mlp(2, 2), mlp(2, 1)
        with Recorder(tmp_path / name, generator=nets[0], discriminator=nets[1], resume=resume) as recorder:
            recorder.step(d_loss=1.0)
        return load_run(tmp_path / name).about

    begin_or_go_on("compiled", False)
    monkeypatch.setenv(accelerator.SWITCH, "off")
    begin_or_go_on("torch", False)
    assert any("goes on without" in told for told in begin_or_go_on("compiled", True)["could_not_tell"])
    monkeypatch.delenv(accelerator.SWITCH)
    about = begin_or_go_on("torch", True)
    assert about["accelerator"].startswith("torch")
    assert about["could_not_tell"] == []


# -- the library


@needs_compiler
def test_it_is_compiled_once_and_kept_for_this_user_alone(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = find_accelerator()
    assert first.accelerator is not None
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o700
    assert [f.name for f in fresh.iterdir()] == [first.accelerator.file.name]
    accelerator._found.cache_clear()
    monkeypatch.setattr(accelerator.subprocess, "run", lambda *a, **k: pytest.fail("compiled twice"))
    again = find_accelerator().accelerator
    assert again is not None
    assert again.file == first.accelerator.file


@needs_compiler
def test_a_damaged_library_is_made_anew(fresh: Path) -> None:
    library = accelerator.compiled(fresh)
    sound = library.read_bytes()
    library.write_bytes(sound[: len(sound) // 2])
    assert accelerator.compiled(fresh).read_bytes() == sound
    found = find_accelerator().accelerator
    assert found is not None


@needs_compiler
def test_another_source_is_another_library(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = accelerator.compiled(fresh)
    changed = tmp_path / "changed.c"
    changed.write_text(accelerator.SOURCE.read_text() + "\nint more(void) { return 1; }\n")
    monkeypatch.setattr(accelerator, "SOURCE", changed)
    assert accelerator.compiled(fresh) != library
    assert len(list(fresh.glob("*.so"))) == 2
    assert not list(fresh.glob("*.part"))


@needs_compiler
@pytest.mark.parametrize("source", ["int half(", "void totals(void) {}\n"])
def test_a_source_that_does_not_compile_or_lacks_functions_leaves_the_work_to_torch(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    bad = tmp_path / "bad.c"
    bad.write_text(source)
    monkeypatch.setattr(accelerator, "SOURCE", bad)
    found = find_accelerator()
    assert found.accelerator is None
    assert found.words.startswith("torch (no accelerator: ")


@needs_compiler
def test_a_library_that_computes_something_else_is_not_used(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "wrong.c"
    wrong.write_text(accelerator.SOURCE.read_text().replace("out[r] = (float)sum;", "out[r] = (float)sum + 1;"))
    monkeypatch.setattr(accelerator, "SOURCE", wrong)
    assert "does not add up" in find_accelerator().words


@pytest.mark.parametrize("trouble", ["no compiler", "broken compiler", "open folder", "folder is a file", "hangs"])
def test_any_trouble_leaves_the_work_to_torch(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    if trouble in ("no compiler", "broken compiler", "hangs"):
        tools = tmp_path / "tools"
        tools.mkdir()
        if trouble != "no compiler":
            compiler = tools / "cc"
            compiler.write_text("#!/bin/sh\n" + ("exec /bin/sleep 30\n" if trouble == "hangs" else "exit 3\n"))
            compiler.chmod(0o755)
        monkeypatch.setenv("PATH", str(tools))
        monkeypatch.setattr(accelerator, "COMPILE_SECONDS", 0.2)
    elif trouble == "open folder":
        fresh.mkdir(parents=True)
        fresh.chmod(0o777)
    else:
        fresh.parent.mkdir(parents=True)
        fresh.write_text("")
    found = find_accelerator()
    assert found.accelerator is None
    assert found.words.startswith("torch (no accelerator: ")
    nets = mlp(2, 2), mlp(2, 1)
    with Recorder(tmp_path / "run", generator=nets[0], discriminator=nets[1]) as recorder:
        recorder.step(real_logits=torch.randn(4), fake_logits=torch.randn(4))
    run = load_run(tmp_path / "run")
    assert run.about["accelerator"] == found.words
    assert len(run["real_logit_mean"]) == 1
