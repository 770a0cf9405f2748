"""The state of a training beside its weights, out to a checkpoint and back: what makes a resumed run equal to one that never stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gandiag.training.checkpoint import Checkpoint
from gandiag.training.preparation import Training

if TYPE_CHECKING:
    from gandiag.recording import Recorder


def state_of(training: Training, recorder: Recorder) -> dict[str, Any]:
    """Returns everything beside the weights that the next step depends on."""
    players = training.players
    return {
        "step": players.step,
        "generator_optimizer": players.generator_optimizer.state_dict(),
        "discriminator_optimizer": players.discriminator_optimizer.state_dict(),
        "scaler": players.scaler.state_dict(),
        "random": players.random.get_state(),
        "noise": players.noise.get_state(),
        "torch_random": torch.get_rng_state(),
        "cuda_random": torch.cuda.get_rng_state(training.device) if training.device.type == "cuda" else None,
        "sampler": training.sampler.state_dict(),
        "adaptive": None if players.adaptive is None else players.adaptive.state_dict(),
        "penalty_memory": dict(players.penalty_memory),
        "recorder": remembered(recorder),
    }


def remembered(recorder: Recorder) -> dict[str, Any]:
    """Returns what the recorder needs of the steps before for the next one (last gradients, last batches), where it can tell."""
    tell = getattr(recorder, "state_dict", None)
    return dict(tell()) if tell is not None else {}


def remind(recorder: Recorder, state: dict[str, Any]) -> None:
    """Gives the recorder back what it remembered at the checkpoint."""
    take = getattr(recorder, "load_state_dict", None)
    if take is not None and state.get("recorder"):
        take(state["recorder"])


def restore(training: Training, checkpoint: Checkpoint) -> None:
    """Puts everything back to where it was when the checkpoint was written."""
    players, state = training.players, checkpoint.state
    players.generator.load_state_dict(checkpoint.weights["generator"])
    players.discriminator.load_state_dict(checkpoint.weights["discriminator"])
    players.generator_ema.load_state_dict(checkpoint.weights.get("generator_ema", checkpoint.weights["generator"]))
    players.generator_optimizer.load_state_dict(state["generator_optimizer"])
    players.discriminator_optimizer.load_state_dict(state["discriminator_optimizer"])
    players.scaler.load_state_dict(state["scaler"])
    players.random.set_state(state["random"])
    players.noise.set_state(state["noise"])  # the first process's: the others begin theirs anew at every step
    torch.set_rng_state(state["torch_random"])
    if state["cuda_random"] is not None and training.device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda_random"], training.device)
    training.sampler.load_state_dict(state["sampler"])
    if players.adaptive is not None and state["adaptive"] is not None:
        players.adaptive.load_state_dict(state["adaptive"])
    players.penalty_memory.update({name: value.to(training.device) for name, value in state["penalty_memory"].items()})
    players.step = checkpoint.step
