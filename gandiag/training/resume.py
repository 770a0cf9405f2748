"""The state of a training beside its weights, out to a checkpoint and back: what makes a resumed run equal to one that never stopped."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gandiag.training.checkpoint import Checkpoint
from gandiag.training.dataset import mixed_seed
from gandiag.training.players import LATENTS, NOISE
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
    if state["scaler"]:  # empty where the steps so far needed none: a resumed run may be given another precision
        players.scaler.load_state_dict(state["scaler"])
    seed = training.config.seed
    if not (
        _go_on(players.random, state["random"], mixed_seed(seed, LATENTS, checkpoint.step))
        & _go_on(players.noise, state["noise"], mixed_seed(seed, NOISE, checkpoint.step))  # the first process's
    ):
        warnings.warn(
            f"{checkpoint.path} was written on another kind of device than {training.device}: random numbers are drawn anew from here, "
            "and the run is not that which would have gone on there",
            RuntimeWarning,
            stacklevel=2,
        )
    torch.set_rng_state(state["torch_random"])
    if state["cuda_random"] is not None and training.device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda_random"], training.device)
    training.sampler.load_state_dict(state["sampler"])
    if players.adaptive is not None and state["adaptive"] is not None:
        players.adaptive.load_state_dict(state["adaptive"])
    players.penalty_memory.update({name: value.to(training.device) for name, value in state["penalty_memory"].items()})
    players.step = checkpoint.step


def _go_on(random: torch.Generator, state: Tensor, seed: int) -> bool:
    """Has a random generator go on from a saved state; one of another kind of device begins anew from the seed, and false is returned."""
    if state.shape != random.get_state().shape:
        random.manual_seed(seed)
        return False
    random.set_state(state)
    return True
