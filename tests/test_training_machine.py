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
from gandiag.training.combinations import refuse_for_processes
from gandiag.training.config import check_config
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


EVERY_UPDATE = """
import os
import torch
from torch import distributed
from gandiag.training.config import Config
from gandiag.training.optimizers import UPDATES
from gandiag.training.players import as_settings, initial_settings
from gandiag.training.preparation import prepare
from gandiag.training.step import play

found = {}
for update in UPDATES:
    for clip in (None, 0.05):
        config = Config(**SETTINGS, update=update, clip_gradient=clip)
        training = prepare(config)
        for training.players.step in range(5):
            play(training.players, training.rules, as_settings(initial_settings(config)), training.update)
        players = training.players.generator, training.players.discriminator
        found[update, clip] = torch.cat([p.detach().flatten() for player in players for p in player.parameters()])
torch.save(found, f"{os.environ.get('WORLD_SIZE', '1')}-{os.environ.get('RANK', '0')}.pt")
if training.processes.world > 1:
    distributed.barrier()
    distributed.destroy_process_group()
"""


def test_two_processes_make_every_update_as_one_does(tmp_path: Path) -> None:
    """Also those that differentiate a gradient, which each process knows of its own share only; and one that is cut after it was changed."""
    chosen = dataclasses.replace(TINY_RING, accumulate=2, optimizer_g="sgd", optimizer_d="sgd", threads=1)
    settings = {
        name: value for name, value in dataclasses.asdict(chosen).items() if name not in ("update", "clip_gradient")
    }
    (tmp_path / "play.py").write_text(EVERY_UPDATE.replace("SETTINGS", repr(settings)))
    for count in (1, 2):
        for done in forked.ranks("play.py", cwd=tmp_path, count=count):
            assert done.returncode == 0, done.stderr[-2000:]
    one, first, second = (torch.load(tmp_path / f"{name}.pt", weights_only=True) for name in ("1-0", "2-0", "2-1"))
    for update, weights in one.items():
        assert torch.equal(first[update], second[update]), update
        assert torch.allclose(weights, first[update], atol=1e-6), update


@pytest.mark.parametrize(
    ("settings", "processes", "fits"),
    [
        ({"batch": 12, "accumulate": 2}, 2, True),
        ({"batch": 12, "accumulate": 4}, 2, False),  # parts of 2, 2, 2 and none at all
        ({"batch": 16, "pack": 16}, 2, False),
        ({"batch": 16, "pack": 2, "accumulate": 4}, 2, True),
        ({"batch": 16}, 3, False),
    ],
)
def test_a_share_of_the_batch_that_has_no_equal_parts_is_refused(
    settings: dict[str, object], processes: int, fits: bool
) -> None:
    config = check_config(dataclasses.replace(TINY_RING, **settings))  # type: ignore[arg-type]
    if fits:
        refuse_for_processes(config, processes)
        return
    with pytest.raises(UsageError, match="choose a multiple of"):
        refuse_for_processes(config, processes)


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


OWN_NOISE = """
import os
import torch
from torch import nn

class Noisy(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.drawn = nn.Linear(8, 2), []

    def forward(self, latents):
        noise = torch.randn(len(latents), 2)  # as dropout draws: from torch's own generator
        if torch.is_grad_enabled():
            self.drawn.append(noise)
            torch.save(torch.stack(self.drawn), f"drawn-{os.environ.get('RANK', '0')}.pt")
        return self.linear(latents) + noise

def generator():
    return Noisy()
"""


def test_what_a_network_draws_itself_differs_between_processes_and_is_resumed(tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(OWN_NOISE)
    settings = ["--data", "ring:sd=0.05", "--batch", "16", "--generator", "noisy:generator", "--no-report"]
    for setting in ("latent_size=8", "discriminator_width=8", "evaluation_samples=100", "evaluate_every=0", "measure="):
        settings += ["--set", setting]
    for arguments in (
        [*settings, "--steps", "6", "--out", "whole"],
        [*settings, "--steps", "3", "--out", "halves"],
        ["--resume", "halves", "--steps", "6", "--no-report"],
    ):
        for done in forked.ranks("-m", "gandiag", "run", *arguments, cwd=tmp_path, count=2):
            assert done.returncode == 0, done.stderr[-2000:]
    first, second = (torch.load(tmp_path / f"drawn-{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first.shape == second.shape
    assert not any(torch.equal(one, other) for one, other in zip(first, second))
    whole, halves = (load_checkpoint(tmp_path / run).weights for run in ("whole", "halves"))
    for player, weights in whole.items():
        for name, value in weights.items():
            assert torch.equal(value, halves[player][name]), f"{player}.{name}"
