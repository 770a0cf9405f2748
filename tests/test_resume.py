"""Resume: a run that was killed and resumed equals one that never stopped, bit for bit."""

from __future__ import annotations

import dataclasses
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.tiny_ring import TINY_RING
from gandiag.errors import GandiagError
from gandiag.run import Run, load_run
from gandiag.training import Config, train
from gandiag.training.checkpoint import load_checkpoint
from gandiag.training.config import FIELDS
from tests import forked

TINY = dataclasses.replace(
    TINY_RING,
    steps=24,
    evaluate_every=6,
    sample_every=6,
    checkpoint_every=6,
    evaluation_samples=100,
    diagnose_every=0,
    keep=9,
)
CLOCKS = {"wall_time", "step_seconds", "data_wait_seconds", "images_per_second", "probe_seconds"}


def assert_same(one: object, two: object, where: str = "state") -> None:
    """Compares nested checkpoint states bit for bit."""
    assert type(one) is type(two), where
    if isinstance(one, dict):
        assert isinstance(two, dict)
        assert list(one) == list(two), where
        for key in one:
            assert_same(one[key], two[key], f"{where}.{key}")
    elif isinstance(one, (list, tuple)):
        assert isinstance(two, (list, tuple))
        assert len(one) == len(two), where
        for i, pair in enumerate(zip(one, two)):
            assert_same(*pair, f"{where}[{i}]")
    elif isinstance(one, torch.Tensor):
        assert isinstance(two, torch.Tensor)
        assert torch.equal(one, two), where
    else:
        assert one == two, where


def assert_same_run(one: Path, two: Path, step: int) -> None:
    """Weights, moving average, optimizers, random generators, sampler position and the recording, its clocks aside."""
    first, second = load_checkpoint(one, step), load_checkpoint(two, step)
    assert_same(first.weights, second.weights, "weights")
    assert_same(first.state, second.state)
    runs = load_run(one), load_run(two)
    assert set(runs[0].names) == set(runs[1].names)
    for name in sorted(set(runs[0].names) - CLOCKS):
        tables = [table(run, name) for run in runs]
        assert tables[0].equals(tables[1]), f"{name}: {differing(*tables)}"
    assert runs[0].sample_steps() == runs[1].sample_steps()
    for at in runs[0].sample_steps():
        for key, array in runs[0].samples(at).items():
            assert array.tobytes() == runs[1].samples(at)[key].tobytes()


def table(run: Run, name: str) -> Any:
    try:
        return run[name]
    except GandiagError:
        return run.layers(name)


def differing(one: Any, two: Any) -> str:
    missing = sorted(set(one.index) ^ set(two.index))
    return (
        f"only one has steps {missing}"
        if missing
        else f"differs at {[i for i in one.index if not (one.loc[[i]].equals(two.loc[[i]]))][:9]}"
    )


def halves(config: Config, folder: Path, at: int) -> None:
    """Trains the whole in one go, and in two with a resume at a checkpoint between."""
    train(config, out=folder / "whole")
    train(dataclasses.replace(config, images=at * config.batch), out=folder / "halves")
    train(config, out=folder / "halves", resume=True)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ema_images": 0},
        {"optimizer_g": "sgd", "optimizer_d": "rmsprop"},
        {"update": "simultaneous"},
        {"update": "extragradient"},
        {"update": "optimistic"},
        {"update": "lookahead"},
        {"update": "consensus"},
        {"update": "unrolled"},
        {"penalties": ("wgan-gp", "lecam"), "loss": "wasserstein"},
        {"instance_noise": 0.1, "penalties": ("dragan",)},
        {"pack": 2},
        {"d_steps": 3, "g_steps": 2},
        {"accumulate": 2, "clip_gradient": 0.5},
        {"spectral_norm": True},
        {"changes": "4: lr_g=0.01; 8-20: lr_d=0.0001", "schedule": "cosine", "warmup": 3},
        {"precision": "bfloat16"},
        {"penalty_every": 5},
        {"data": "digits"},
        {"conditional": True},
    ],
    ids=lambda changes: "-".join(f"{k}={v}" for k, v in changes.items())[:60] or "plain",
)
def test_a_resumed_run_equals_one_that_never_stopped(tmp_path: Path, changes: dict[str, object]) -> None:
    halves(dataclasses.replace(TINY, **changes), tmp_path, at=12)  # type: ignore[arg-type]
    assert_same_run(tmp_path / "whole", tmp_path / "halves", 24)


def test_kill_nine_and_resume_equals_one_that_never_stopped(tmp_path: Path) -> None:
    settings = {name: value for name in FIELDS if (value := getattr(TINY, name)) != FIELDS[name].default}
    config = dataclasses.replace(TINY, steps=200, checkpoint_every=25, evaluate_every=50, sample_every=50)
    command = ["-m", "gandiag", "run", "--out", "killed", "--no-report"]
    for name in {*settings, "steps", "checkpoint_every", "evaluate_every", "sample_every"}:
        value = getattr(config, name)
        command += ["--set", f"{name}={','.join(map(str, value)) if isinstance(value, tuple) else value}"]
    process = forked.start(*command, cwd=tmp_path)
    last = tmp_path / "killed" / "checkpoints" / "last.json"
    until = time.monotonic() + 120
    while (
        not (last.exists() and json.loads(last.read_text())["step"] >= 75)
        and process.poll() is None
        and time.monotonic() < until
    ):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.communicate().returncode == -signal.SIGKILL
    assert load_run(tmp_path / "killed").about["status"] == "running"
    train(config, out=tmp_path / "killed", resume=True)
    train(config, out=tmp_path / "whole")
    assert_same_run(tmp_path / "whole", tmp_path / "killed", 200)
    assert load_run(tmp_path / "killed").about["status"] == "finished"


def test_what_the_recorder_remembers_from_step_to_step_is_resumed_too(tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, probes="full")  # cosines with the last gradient at every step
    halves(config, tmp_path, at=10)
    assert_same_run(tmp_path / "whole", tmp_path / "halves", 24)


def test_an_interrupted_run_is_resumed_where_it_stopped(tmp_path: Path) -> None:
    train(dataclasses.replace(TINY, images=16 * 9), out=tmp_path / "run")
    assert load_checkpoint(tmp_path / "run").step == 9
    train(TINY, out=tmp_path / "run", resume=True)
    train(TINY, out=tmp_path / "whole")
    first, second = load_checkpoint(tmp_path / "run", 24), load_checkpoint(tmp_path / "whole", 24)
    assert_same(first.weights, second.weights)
    run = load_run(tmp_path / "run")
    assert list(run["discriminator_loss"].index) == list(range(24))
    assert [e["event"] for e in run.records("events")].count("resumed") == 1


def test_other_data_under_the_same_name_is_refused(tmp_path: Path) -> None:
    import numpy as np

    file = tmp_path / "points.npy"
    np.save(file, np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32))
    config = dataclasses.replace(TINY, data=str(file))
    train(dataclasses.replace(config, steps=6), out=tmp_path / "run")
    np.save(file, np.random.default_rng(1).normal(size=(64, 2)).astype(np.float32))
    with pytest.raises(GandiagError, match="not what the checkpoint was trained on"):
        train(config, out=tmp_path / "run", resume=True)


@pytest.mark.parametrize("precisions", [("float32", "float16"), ("float16", "float32"), ("float16", "bfloat16")])
def test_a_run_may_go_on_in_another_precision(tmp_path: Path, precisions: tuple[str, str]) -> None:
    before, after = precisions
    train(dataclasses.replace(TINY, steps=6, precision=before), out=tmp_path / "run")  # type: ignore[arg-type]
    train(dataclasses.replace(TINY, steps=9, precision=after), out=tmp_path / "run", resume=True)  # type: ignore[arg-type]
    assert list(load_run(tmp_path / "run")["discriminator_loss"].index) == list(range(9))


def test_a_run_of_another_kind_of_device_goes_on_with_new_random_numbers_and_says_so(tmp_path: Path) -> None:
    train(dataclasses.replace(TINY, steps=6), out=tmp_path / "run")
    file = load_checkpoint(tmp_path / "run").path / "state.pt"
    state = torch.load(file, weights_only=True)
    torch.save(
        {**state, **{name: torch.zeros(16, dtype=torch.uint8) for name in ("random", "noise")}}, file
    )  # as CUDA's
    with pytest.warns(RuntimeWarning, match="another kind of device than cpu"):
        train(dataclasses.replace(TINY, steps=9), out=tmp_path / "run", resume=True)
    assert load_checkpoint(tmp_path / "run").step == 9
