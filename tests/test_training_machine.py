"""The machine's side of a training: compilation, mixed precision, several processes, threads."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks.tiny_ring import TINY_RING
from gandiag.errors import UsageError
from gandiag.run import load_run
from gandiag.training import Config
from gandiag.training.checkpoint import load_checkpoint
from gandiag.training.players import as_settings, initial_settings
from gandiag.training.preparation import prepare
from gandiag.training.processes import Processes
from gandiag.training.step import play
from tests import forked


def losses(config: Config, steps: int = 3) -> list[float]:
    training = prepare(config)
    found: list[float] = []
    for _ in range(steps):
        d_turn, g_turn = play(training.players, training.rules, as_settings(initial_settings(config)), training.update)
        training.players.step += 1
        found += [float(d_turn.loss), float(g_turn.loss), float(d_turn.penalty) if d_turn.penalty is not None else 0.0]
    return found


@pytest.fixture
def quick_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces and differentiates as the real compiler does, but generates no code: that takes a minute and a C++ compiler."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))


@pytest.mark.parametrize(
    "penalties", [(), ("r1",), ("wgan-gp", "orthogonal"), ("r1", "r2")], ids=lambda names: "+".join(names) or "none"
)
@pytest.mark.usefixtures("quick_compiler")
def test_compiled_players_play_the_same_game(penalties: tuple[str, ...]) -> None:
    config = dataclasses.replace(TINY_RING, penalties=penalties)
    assert losses(dataclasses.replace(config, compile=True)) == pytest.approx(losses(config), rel=1e-5)


def test_a_spectrally_normalised_player_is_left_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inductor's code for it stops at the second of an update's two calls; tracing alone does not show that (benchmarks/compiled.py does)."""
    seen: list[str] = []

    def compiler(forward: Callable[..., object]) -> Callable[..., object]:
        seen.append(type(forward.__self__).__name__)  # type: ignore[attr-defined]  # it is a bound method
        return forward

    monkeypatch.setattr(torch, "compile", compiler)
    config = dataclasses.replace(TINY_RING, compile=True)
    prepare(config)
    assert seen == ["LabelledLatent", "Scored"]
    prepare(dataclasses.replace(config, spectral_norm=True))
    assert seen[2:] == ["LabelledLatent"]


def test_an_update_that_differentiates_twice_refuses_compilation() -> None:
    with pytest.raises(UsageError, match="differentiates twice"):
        prepare(dataclasses.replace(TINY_RING, compile=True, update="unrolled"))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"clip_gradient": 0.1, "accumulate": 2}, {"loss": "relativistic", "penalties": ("r1", "r2")}],
    ids=str,
)
def test_mixed_precision_plays_nearly_the_same_game(precision: str, changes: dict[str, object]) -> None:
    config = dataclasses.replace(TINY_RING, **changes)  # type: ignore[arg-type]
    assert losses(dataclasses.replace(config, precision=precision)) == pytest.approx(
        losses(config), rel=0.02, abs=0.005
    )


def test_threads_are_set_as_the_configuration_says() -> None:
    before = torch.get_num_threads()
    try:
        prepare(dataclasses.replace(TINY_RING, threads=2))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_each_process_takes_its_part_of_what_all_drew() -> None:
    batch = torch.arange(8)
    assert torch.equal(torch.cat([Processes(rank, 4).share(batch) for rank in range(4)]), batch)


def test_two_processes_train_and_resume_as_one_trains_on_the_whole_batch(tmp_path: Path) -> None:
    """With LeCam, whose moving averages of the logits must be those of the whole batch on each of them, also after a resume."""
    settings = ["--data", "ring:sd=0.05", "--batch", "32", "--no-report"]
    for setting in (
        "generator_width=16",
        "discriminator_width=16",
        "penalties=r1,lecam",
        "gamma=0.5",
        "evaluation_samples=100",
        "evaluate_every=25",
        "measure=",
    ):
        settings += ["--set", setting]
    for count, arguments in (
        (1, [*settings, "--steps", "50", "--out", "one"]),
        (2, [*settings, "--steps", "25", "--out", "two"]),
        (2, ["--resume", "two", "--steps", "50", "--no-report"]),
    ):
        for done in forked.ranks("-m", "gandiag", "run", *arguments, cwd=tmp_path, count=count):
            assert done.returncode == 0, done.stderr[-2000:]
    memories = [load_checkpoint(tmp_path / run).state["penalty_memory"] for run in ("one", "two")]
    for name, value in memories[0].items():
        assert torch.allclose(value, memories[1][name], atol=1e-5), name
    one, two = load_checkpoint(tmp_path / "one").weights, load_checkpoint(tmp_path / "two").weights
    for player, weights in one.items():
        for name, value in weights.items():
            assert torch.allclose(value, two[player][name], atol=1e-5), f"{player}.{name}"
    runs = load_run(tmp_path / "one"), load_run(tmp_path / "two")
    assert runs[1].about["processes"] == 2
    for name in (
        "discriminator_loss",
        "generator_loss",
        "discriminator_gradient_norm",
        "discriminator_auc",
        "fake_logit_mean",
        "diversity_ratio",
    ):
        assert runs[1][name].to_numpy() == pytest.approx(runs[0][name].to_numpy(), abs=1e-6), name
