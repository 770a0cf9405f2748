"""The recorder itself: no host reads, absent apart from NaN, resume, a failing disk, kill -9, findings, bad arguments."""

from __future__ import annotations

import gc
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef

from gandiag.errors import RunError, UsageError
from gandiag.quantities import QUANTITIES
from gandiag.recording import PROBES, Recorder, Step
from gandiag.recording.passes import Call, Pass
from gandiag.run import RunWriter, load_run


class Loop:
    """A small plain loop with a recorder."""

    def __init__(self, path: Path, seed: int = 0, **options: Any) -> None:
        torch.manual_seed(seed)
        self.G = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
        self.D = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
        self.g_opt, self.d_opt = (
            torch.optim.Adam(self.G.parameters(), 1e-3),
            torch.optim.Adam(self.D.parameters(), 1e-3),
        )
        self.recorder = Recorder(
            path,
            generator=self.G,
            discriminator=self.D,
            generator_optimizer=self.g_opt,
            discriminator_optimizer=self.d_opt,
            **options,
        )

    def train(self, poison: float = 0.0) -> dict[str, Tensor]:
        real, fake = torch.randn(16, 2), self.G(torch.randn(16, 3))
        self.d_opt.zero_grad()
        real_logits, fake_logits = self.D(real), self.D(fake.detach())
        d_loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean() + poison
        d_loss.backward()
        self.d_opt.step()
        self.g_opt.zero_grad()
        g_loss = F.softplus(-self.D(fake)).mean()
        g_loss.backward()
        self.g_opt.step()
        return {
            "real_logits": real_logits,
            "fake_logits": fake_logits,
            "d_loss": d_loss,
            "g_loss": g_loss,
            "real": real,
            "fake": fake,
        }

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.recorder.step(**self.train())


def test_what_is_recorded_is_what_was_given(tmp_path: Path) -> None:
    loop = Loop(tmp_path / "run")
    told = []
    for _ in range(25):
        seen = loop.train()
        loop.recorder.step(**seen)
        told.append(
            {
                "discriminator_loss": seen["d_loss"].item(),
                "generator_loss": seen["g_loss"].item(),
                "real_logit_mean": seen["real_logits"].mean().item(),
                "fake_logit_sd": seen["fake_logits"].std(correction=0).item(),
            }
        )
    loop.recorder.close()
    run = load_run(tmp_path / "run")
    for name in told[0]:
        np.testing.assert_allclose(run[name].to_numpy(), [t[name] for t in told], rtol=1e-5, atol=1e-7)
    assert run["real_min"].index.to_list() == [0, 10, 20]
    assert run["discriminator_gradient_cosine"].index.to_list() == [10, 20]
    assert run["images_seen"].iloc[-1] == 25 * 16
    assert run.about["status"] == "finished"
    assert set(run.names) - set(QUANTITIES) == set()


def test_a_step_reads_nothing_from_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop(tmp_path / "run", probes="full")
    loop.run(3)
    seen = [loop.train() for _ in range(70)]

    def refuse(*arguments: Any, **named: Any) -> Any:
        raise AssertionError("the host read a value of a tensor inside Recorder.step")

    with monkeypatch.context() as patched:
        for name in ("item", "tolist", "cpu", "__bool__", "__float__", "__int__", "__index__"):
            patched.setattr(Tensor, name, refuse)
        for given in seen:
            loop.recorder.step(**given)
    loop.recorder.close()
    assert load_run(tmp_path / "run").steps == 73


def test_nothing_of_a_step_is_kept_alive_but_its_numbers(tmp_path: Path) -> None:
    others = {
        id(o): o for o in gc.get_objects() if type(o) in (Call, Pass)
    }  # of tests before, held so that no id comes again
    loop = Loop(tmp_path / "run", probes="minimal")
    alive = []
    for _ in range(8):
        seen = loop.train()
        alive.append([StorageWeakRef(seen[name].untyped_storage()) for name in ("real", "real_logits", "d_loss")])
        loop.recorder.step(**seen)
    del seen
    assert [any(not ref.expired() for ref in refs) for refs in alive] == [False] * 8
    gc.collect()
    assert not [o for o in gc.get_objects() if type(o) in (Call, Pass) and id(o) not in others]
    loop.recorder.close()


def test_absent_is_not_nan_and_nan_is_not_absent(tmp_path: Path) -> None:
    loop = Loop(tmp_path / "run")
    for i in range(6):
        seen = loop.train()
        loop.recorder.step(
            d_loss=seen["d_loss"] if i % 2 else None, g_loss=torch.tensor(math.nan) if i == 3 else seen["g_loss"]
        )
    loop.recorder.close()
    run = load_run(tmp_path / "run")
    assert run["discriminator_loss"].index.to_list() == [1, 3, 5]
    assert run["generator_loss"].index.to_list() == list(range(6))
    assert math.isnan(run["generator_loss"][3])
    assert run["nonfinite"].to_list() == [0, 0, 0, 1, 0, 0]
    assert "discriminator_penalty" not in run


def test_the_first_value_that_is_not_finite_is_named_with_its_tensor_layer_and_step(tmp_path: Path) -> None:
    loop = Loop(tmp_path / "run")
    loop.run(3)
    hook = loop.D[2].weight.register_hook(lambda g: g * math.inf)
    loop.run(2)
    hook.remove()
    loop.recorder.close()
    events = [e for e in load_run(tmp_path / "run").records("events") if e["event"] == "nonfinite"]
    assert events == [
        {"event": "nonfinite", "step": 3, "tensor": "discriminator gradient", "layer": "2.weight", "layers": "1 of 4"}
    ]


def test_data_that_is_not_finite_is_blamed_on_the_data(tmp_path: Path) -> None:
    loop = Loop(tmp_path / "run")
    loop.run(2)
    seen = loop.train()
    seen["real"] = seen["real"].index_fill(0, torch.tensor(0), math.nan)
    loop.recorder.step(**(seen | {"d_loss": torch.tensor(math.nan)}))
    loop.recorder.close()
    event = next(e for e in load_run(tmp_path / "run").records("events") if e["event"] == "nonfinite")
    assert (event["tensor"], event["step"]) == ("real batch", 2)


def test_data_on_another_scale_than_the_generator_is_said(tmp_path: Path) -> None:
    torch.manual_seed(0)
    G, D = nn.Sequential(nn.Linear(3, 4), nn.Tanh()), nn.Linear(4, 1)
    g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.1), torch.optim.SGD(D.parameters(), 0.1)
    with Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for _ in range(40):
            fake = G(torch.randn(8, 3))
            d_opt.zero_grad()
            (F.softplus(-D(torch.rand(8, 4))).mean() + F.softplus(D(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            F.softplus(-D(fake)).mean().backward()
            g_opt.step()
    events = load_run(tmp_path / "run").records("events")
    assert [e["event"] for e in events] == ["data_mismatch"]
    assert "[-1, 1]" in events[0]["claim"]


def test_resume_supersedes_and_equals_a_run_that_never_stopped(tmp_path: Path) -> None:
    whole = Loop(tmp_path / "whole")
    whole.run(40)
    whole.recorder.close()

    first = Loop(tmp_path / "parts")
    first.run(20)
    kept = {
        "recorder": first.recorder.state_dict(),
        "G": first.G.state_dict(),
        "D": first.D.state_dict(),
        "g": first.g_opt.state_dict(),
        "d": first.d_opt.state_dict(),
    }
    kept = torch.load(_saved(kept, tmp_path / "state.pt"), weights_only=True)
    chance = torch.get_rng_state()
    first.run(7)  # rows beyond the checkpoint, which the resumed run must supersede
    first.recorder.close("interrupted")

    second = Loop(tmp_path / "parts", seed=5, resume=20)
    for module, name in ((second.G, "G"), (second.D, "D"), (second.g_opt, "g"), (second.d_opt, "d")):
        module.load_state_dict(kept[name])
    second.recorder.load_state_dict(kept["recorder"])
    torch.set_rng_state(chance)
    second.run(20)
    second.recorder.close()
    a, b = load_run(tmp_path / "whole"), load_run(tmp_path / "parts")
    timing = {"wall_time", "step_seconds", "images_per_second", "probe_seconds"}
    for name in set(a.names) - timing:
        x, y = (r.layers(name) if QUANTITIES[name].shape != "scalar" else r[name] for r in (a, b))
        assert x.index.to_list() == y.index.to_list(), name
        np.testing.assert_array_equal(x.to_numpy(), y.to_numpy(), err_msg=name)
    assert b.about["status"] == "finished"


def _saved(state: Any, path: Path) -> Path:
    torch.save(state, path)
    return path


def test_the_record_does_not_depend_on_when_it_was_flushed(tmp_path: Path) -> None:
    for name, often in (("once", False), ("often", True)):
        loop = Loop(tmp_path / name)
        for i in range(33):
            loop.run(1)
            if often and i % 3 == 0:
                loop.recorder.flush()
        loop.recorder.close()
    a, b = load_run(tmp_path / "once"), load_run(tmp_path / "often")
    for name in (
        "real_logit_mean",
        "real_logit_sd",
        "discriminator_auc",
        "discriminator_gradient_norm",
        "generator_force_on_fake",
        "fake_logit_q05",
        "discriminator_calibration_error",
        "value_function",
    ):
        np.testing.assert_array_equal(a[name].to_numpy(), b[name].to_numpy(), err_msg=name)


def test_a_failing_disk_never_stops_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop(tmp_path / "run")
    working = RunWriter.append

    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(28, "No space left on device")

    loop.run(5)
    loop.recorder.flush()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        monkeypatch.setattr(RunWriter, "append", full)
        loop.run(5)
        loop.recorder.flush()
        loop.run(5)
        loop.recorder.flush()
        monkeypatch.setattr(RunWriter, "append", working)
        loop.run(5)
        loop.recorder.close()
    assert sum("cannot write" in str(w.message) for w in caught) == 1
    run = load_run(tmp_path / "run")
    assert run["discriminator_loss"].index.to_list() == list(range(20))
    assert "dropped_rows" not in run.about


def test_what_waits_for_a_failing_disk_is_bounded_and_what_is_dropped_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gandiag.recording.writing.BACKLOG_BYTES", 20_000)
    loop = Loop(tmp_path / "run", probes="minimal")
    working = RunWriter.append
    monkeypatch.setattr(
        RunWriter, "append", lambda *a, **k: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(20):
            loop.run(10)
            loop.recorder.flush()
    assert [w for w in caught if "training goes on" in str(w.message)]
    monkeypatch.setattr(RunWriter, "append", working)
    loop.recorder.close()
    run = load_run(tmp_path / "run")
    kept = run["discriminator_loss"].index.to_list()
    assert kept == list(range(200 - len(kept), 200))
    assert run.about["dropped_rows"] >= 200 - len(kept) > 0


def test_a_probe_of_the_users_own_is_recorded_and_a_broken_one_is_switched_off(tmp_path: Path) -> None:
    def spread(step: Step) -> dict[str, Tensor]:
        assert step.fake is not None
        return {"my_spread": step.fake.std(), "my_means": step.fake.mean(0)}

    def broken(step: Step) -> dict[str, Tensor]:
        raise KeyError("oops")

    loop = Loop(tmp_path / "run", probes=PROBES | {spread: 5, broken: 1})
    loop.run(11)
    loop.recorder.close()
    run = load_run(tmp_path / "run")
    assert run["my_spread"].index.to_list() == [0, 5, 10]
    assert run.layers("my_means").shape == (3, 2)
    assert any("broken" in sentence for sentence in run.about["could_not_tell"])


def test_each_finding_is_handed_over_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gandiag.recording.judging.JUDGE_SECONDS", 0.0)
    monkeypatch.setattr("gandiag.recording.judging.JUDGE_SHARE", 0)
    told: list[Any] = []
    judged: list[Path] = []

    def judge(path: Path) -> Any:
        judged.append(path)
        return [SimpleNamespace(check="divergence", verdict="failed")]

    loop = Loop(tmp_path / "run", judge=judge, on_finding=told.append)
    for _ in range(4):
        loop.run(3)
        loop.recorder.flush()
    loop.recorder.close()
    assert len(judged) >= 4
    assert [f.check for f in told] == ["divergence"]


def test_evaluations_samples_and_events_are_kept(tmp_path: Path) -> None:
    with Loop(tmp_path / "run").recorder as recorder:
        recorder.step(d_loss=1.0, g_loss=2)
        recorder.record_evaluation(
            {"frechet_distance[digits-cnn]": 3.5, "mode_histogram": [0.5, 0.5]},
            protocol={"n": 100},
            labels={"mode_histogram": ["0", "1"]},
        )
        recorder.record_samples(torch.tensor([[[[-1.0, 1.0], [0.0, 2.0]]]]), step=0, labels=torch.tensor([7]))
        recorder.record_event("stopped", why="test")
    run = load_run(tmp_path / "run")
    assert run["discriminator_loss"][0] == 1
    assert run["frechet_distance"][0] == 3.5
    assert run.samples(0)["images"][..., 0].tolist() == [[[0, 255], [128, 255]]]
    assert run.samples(0)["labels"].tolist() == [7]
    assert run.records("events") == [{"step": 0, "event": "stopped", "why": "test"}]


def test_leaving_by_an_exception_or_a_key_notes_it_and_keeps_the_rows(tmp_path: Path) -> None:
    for error, status in ((ValueError, "failed"), (KeyboardInterrupt, "interrupted")):
        loop = Loop(tmp_path / status)
        with pytest.raises(error), loop.recorder:  # noqa: PT012 - what is raised inside the recorder's block is what is tested
            loop.run(3)
            raise error
        run = load_run(tmp_path / status)
        assert run.about["status"] == status
        assert run.steps == 3
        assert not loop.G._forward_hooks


def test_bad_arguments_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="minimal, default, full"):
        Loop(tmp_path / "a", probes="minimall")
    with pytest.raises(UsageError, match=r"'logit' .* or 'probability'"):
        Loop(tmp_path / "b", discriminator_output="sigmoid")
    Loop(tmp_path / "c").recorder.close()
    with pytest.raises(RunError, match="another run"):
        Loop(tmp_path / "c")
    net = torch.nn.Linear(2, 2)
    for wrong, sentence in (
        (
            {"generator_optimizer": [torch.optim.SGD(net.parameters(), 0.1)]},
            "generator_optimizer is one optimizer.* not list",
        ),
        ({"generator": "net"}, "generator is a torch.nn.Module, not str"),
        ({"discriminator": net}, "one and the same module"),
    ):
        with pytest.raises(UsageError, match=sentence):
            Recorder(tmp_path / "e", **{"generator": net, "discriminator": torch.nn.Linear(2, 1)} | wrong)
    assert not (tmp_path / "e").exists()
    with pytest.raises(UsageError, match="0 or more, not -3"):
        Loop(tmp_path / "c", resume=-3)
    loop = Loop(tmp_path / "d")
    loop.recorder.close()
    with pytest.raises(UsageError, match="closed"):
        loop.recorder.step()


KILLED = """
import sys; sys.path.insert(0, {tests!r})
from pathlib import Path
from test_recording_recorder import Loop
loop = Loop(Path({path!r}), resume={resume})
if {resume}: print("resumed", loop.recorder.index, flush=True)
while True:
    loop.run(1)
    print(loop.recorder.index, __import__("time").time(), flush=True)
"""


def test_killed_at_a_random_moment_the_run_loads_has_lost_at_most_a_second_and_resumes_without_doubles(
    tmp_path: Path,
) -> None:
    path, chance = tmp_path / "run", random.Random(0)
    begun = 0
    for attempt in range(2):
        code = KILLED.format(tests=str(Path(__file__).parent), path=str(path), resume=attempt > 0)
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        while not attempt and not list((path / "tables").glob("every-1.*")):
            lines.append(
                child.stdout.readline()
            )  # the first write waits for its libraries to load, on a machine under load for seconds
        until = time.monotonic() + chance.uniform(0.5, 1.5)
        while time.monotonic() < until:
            lines.append(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        lines += child.stdout.read().splitlines()
        child.wait()
        child.stdout.close()
        told = [
            (int(a), float(b))
            for a, b in (line.split() for line in lines if line and line[0].isdigit() and len(line.split()) == 2)
        ]
        run = load_run(path)
        steps = run["discriminator_loss"].index.to_numpy()
        np.testing.assert_array_equal(steps, np.arange(len(steps)))
        kept_until = dict(told).get(len(steps))
        if kept_until is not None:
            assert told[-1][1] - kept_until < 1.0 + 0.5  # half a second for a machine under load
        assert len(steps) > begun
        begun = len(steps)
    assert json.loads((path / "run.json").read_text())["status"] == "running"
