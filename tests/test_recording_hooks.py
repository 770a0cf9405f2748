"""The compiled hooks: a recording is the same to the last bit with them and without, whatever the loop does; Python's wherever they cannot be had."""

from __future__ import annotations

import gc
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.recording import Recorder, accelerator, compiled_hooks, recorder
from gandiag.recording.capture import LEARNT_IN, STALE_EVERY, STALE_FIRST, Capture
from gandiag.recording.compiled_hooks import Hooks, find_hooks
from gandiag.run import Run, load_run
from tests import test_recording_loops as loops
from tests.test_recording_accelerator import TIMES, series

STEPS = max(STALE_FIRST, LEARNT_IN) + 15  # the first steps are Python's: what the hooks look at more closely then
HAS_HEADERS = (Path(compiled_hooks.sysconfig.get_path("include")) / "Python.h").is_file()
pytestmark = pytest.mark.skipif(
    not HAS_HEADERS or not any(shutil.which(name) for name in accelerator.COMPILERS),
    reason="no C compiler or no Python.h here: the compiled hooks are not compared with Python's",
)


@pytest.fixture
def hooks() -> Any:
    found = find_hooks()
    assert found.module is not None, found.words
    return found.module


def in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "find_hooks", lambda: Hooks(None, "Python (a test)"))


def everything(run: Run) -> dict[str, np.ndarray]:
    return {name: series(run, name) for name in run.names if name not in TIMES}


def same(one: Run, other: Run) -> None:
    ours, theirs = everything(one), everything(other)
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        np.testing.assert_array_equal(ours[name], values, err_msg=name)
    assert one.about["could_not_tell"] == other.about["could_not_tell"]


@pytest.mark.parametrize("by_hand", [False, True], ids=["automatic", "by hand"])
@pytest.mark.parametrize("loop", [*loops.LOOPS, loops.gradients_by_hand], ids=lambda f: f.__name__)
def test_a_recording_of_any_loop_is_the_same_to_the_last_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hooks: Any, loop: Callable[..., Iterator[Any]], by_hand: bool
) -> None:
    monkeypatch.setattr(loops, "STEPS", STEPS)
    compiled, told = loops.record(tmp_path / "compiled", loop, loops.players(), by_hand=by_hand)
    in_python(monkeypatch)
    python, also_told = loops.record(tmp_path / "python", loop, loops.players(), by_hand=by_hand)
    assert told == also_told
    assert compiled.steps == len(told)
    same(compiled, python)


def softplus_losses(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def train(path: Path, *, updates: int = 1, kind: str = "", steps: int = STEPS) -> tuple[Run, list[Tensor]]:
    """Records a training, odd in one way; returns the run and the parameters that it ended with."""
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    D: nn.Module = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    if kind == "flat":
        D = nn.Sequential(D, nn.Flatten(0))
    g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
    made: list[Tensor] = []
    with Recorder(
        path, generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as watching:
        for step in range(steps):
            real = torch.randn(7 if step % 6 == 5 else 10, 2)
            real.requires_grad_(kind == "r1")
            fake = G(torch.randn(10, 4))
            for _ in range(updates):
                real_scores = D(real)
                loss = softplus_losses(real_scores, D(fake.detach()))
                if kind == "r1" and step % 4 == 0:
                    (gradient,) = torch.autograd.grad(real_scores.sum(), real, create_graph=True)
                    loss = loss + gradient.square().sum(1).mean()
                d_opt.zero_grad()
                loss.backward()
                d_opt.step()
            if kind == "evaluates":
                with torch.no_grad():
                    D(G(torch.randn(5, 4)))
            if kind == "keeps":
                made.append(fake.detach())
            if kind == "views":
                D(fake.detach()[2:]).mean().backward()
            if kind == "hooked" and fake.requires_grad:
                fake.register_hook(lambda gradient: gradient * 2)
            scores = D(fake * 1.5 if kind == "augmented" else made[0] if kind == "keeps" and step % 5 == 4 else fake)
            if kind == "in place":
                scores = scores.mul_(2)
            g_opt.zero_grad()
            if scores.requires_grad:
                F.softplus(-scores).mean().backward()
            g_opt.step()
            watching.step(d_loss=loss)
    return load_run(path), [p.detach().clone() for p in (*G.parameters(), *D.parameters())]


@pytest.mark.parametrize("updates", [1, 3])
@pytest.mark.parametrize(
    "kind",
    ["", "flat", "r1", "evaluates", "keeps", "views", "hooked", "augmented", "in place"],
    ids=lambda k: k or "plain",
)
def test_a_recording_of_an_odd_training_is_the_same_to_the_last_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hooks: Any, kind: str, updates: int
) -> None:
    compiled, ended = train(tmp_path / "compiled", kind=kind, updates=updates)
    in_python(monkeypatch)
    python, also_ended = train(tmp_path / "python", kind=kind, updates=updates)
    same(compiled, python)
    assert all(torch.equal(a, b) for a, b in zip(ended, also_ended))


def test_the_usual_call_goes_the_compiled_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hooks: Any) -> None:
    taken: dict[str, list[bool]] = {"generator_called": [], "discriminator_called": []}

    def watched(name: str) -> Callable[..., bool]:
        def call(*given: Any) -> bool:
            taken[name].append(getattr(hooks, name)(*given))
            return taken[name][-1]

        return call

    looked: list[int] = []
    new_pass = Capture._new_pass

    def counted(capture: Capture, running: int) -> Any:
        looked.append(capture.row)
        return new_pass(capture, running)

    monkeypatch.setattr(Capture, "_new_pass", counted)
    both = SimpleNamespace(**{name: watched(name) for name in taken})
    monkeypatch.setattr(recorder, "find_hooks", lambda: Hooks(both, "compiled (a test)"))
    train(tmp_path / "run")
    assert taken["generator_called"] == [False] + [True] * (STEPS - 1), "the first call is Python's"
    assert taken["discriminator_called"] == [False] + [True] * (3 * STEPS - 1)
    assert not [row for row in looked if row >= STALE_FIRST and row % STALE_EVERY], "passes like those before are C's"


def test_what_is_not_the_usual_call_is_left_to_python_untouched(tmp_path: Path, hooks: Any) -> None:
    G, D = nn.Linear(2, 2), nn.Linear(2, 1)
    with Recorder(tmp_path / "run", generator=G, discriminator=D) as watching:
        D(G(torch.randn(3, 2)))
        capture = watching._capture
        count, x, labels = capture.generated.count, torch.randn(3, 2), torch.zeros(3)
        score = D(x)
        for arguments, named, output in (
            ((x, labels), {}, score),
            ((x,), {"labels": labels}, score),
            ((), {"x": x}, score),
            ((x,), {}, (score, x)),
            ((x,), {}, score.detach()),
            ((x.double(),), {}, score),
            ((nn.Parameter(x),), {}, score),
            ((x[0],), {}, score[0]),
            ((x,), {}, score.expand(3, 2)),
            (([x],), {}, score),
        ):
            assert hooks.discriminator_called(capture, arguments, named, output) is False
        for output in ([x], torch.tensor(1.0), nn.Parameter(x)):
            assert hooks.generator_called(capture, output) is False
        assert capture.generated.count == count
        assert len(score._backward_hooks or ()) == 1, "the one of the call itself"
        for wrong in ((), (capture,), (capture, 1, 2, 3, 4)):
            with pytest.raises(TypeError):
                hooks.discriminator_called(*wrong)
            with pytest.raises(TypeError):
                hooks.generator_called(*wrong[:1])


@pytest.mark.parametrize("broken", ["generated", "_met"])
def test_an_error_in_a_compiled_hook_ends_the_watching_and_not_the_training(
    tmp_path: Path, hooks: Any, broken: str
) -> None:
    G, D = nn.Linear(2, 2), nn.Linear(2, 1)
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.1), torch.optim.SGD(D.parameters(), 0.1)
    with (
        Recorder(
            tmp_path / "run", generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt
        ) as watching,
        warnings.catch_warnings(record=True) as said,
    ):
        warnings.simplefilter("always")
        for step in range(STEPS):
            if step == STEPS - 5:
                setattr(watching._capture, broken, None)
            fake = G(torch.randn(4, 2))
            d_opt.zero_grad()
            softplus_losses(D(torch.randn(4, 2)), D(fake.detach())).backward()
            d_opt.step()
            g_opt.zero_grad()
            F.softplus(-D(fake)).mean().backward()
            g_opt.step()
            watching.step(d_loss=float(step))
    run = load_run(tmp_path / "run")
    assert run["discriminator_loss"].to_list() == list(range(STEPS))
    assert sum("gandiag's own hook" in str(w.message) for w in said) == 1
    assert any("gandiag's own hook" in told for told in run.about["could_not_tell"])


def test_nothing_is_left_behind_by_many_steps(tmp_path: Path, hooks: Any) -> None:
    G, D = nn.Linear(2, 2), nn.Linear(2, 1)
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.1), torch.optim.SGD(D.parameters(), 0.1)
    with Recorder(
        tmp_path / "run", generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as watching:

        def play(steps: int) -> int:
            for _ in range(steps):
                fake = G(torch.randn(4, 2))
                d_opt.zero_grad()
                softplus_losses(D(torch.randn(4, 2)), D(fake.detach())).backward()
                d_opt.step()
                g_opt.zero_grad()
                F.softplus(-D(fake)).mean().backward()
                g_opt.step()
                watching.step()
            watching.flush()
            gc.collect()
            return sum(issubclass(type(o), Tensor) for o in gc.get_objects())

        before = play(2 * STEPS)
        assert play(2 * STEPS) <= before + 4


def test_they_are_compiled_once_and_anew_for_another_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hooks: Any
) -> None:
    first = compiled_hooks.build(tmp_path / "accelerator")
    assert compiled_hooks.build(tmp_path / "accelerator") == first
    monkeypatch.setattr(compiled_hooks.sys, "version", "another")
    assert compiled_hooks.build(tmp_path / "accelerator") != first


def test_where_backward_passes_are_compiled_the_hooks_are_pythons(monkeypatch: pytest.MonkeyPatch, hooks: Any) -> None:
    import torch._dynamo.config as config

    monkeypatch.setattr(config, "compiled_autograd", True)
    assert find_hooks().module is None
    monkeypatch.setattr(config, "compiled_autograd", False)
    assert find_hooks().module is hooks


def test_without_headers_or_switched_off_the_hooks_are_pythons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANDIAG_CACHE", str(tmp_path))
    monkeypatch.setattr(compiled_hooks.sysconfig, "get_path", lambda name: str(tmp_path))
    compiled_hooks._found.cache_clear()
    try:
        found = find_hooks()
        assert found.module is None
        assert "Python's headers are not in" in found.words
        monkeypatch.setenv(accelerator.SWITCH, "off")
        assert find_hooks().words == "Python (switched off by GANDIAG_ACCELERATOR)"
        run, _ = train(tmp_path / "run", steps=3)
        assert run.steps == 3
    finally:
        compiled_hooks._found.cache_clear()
