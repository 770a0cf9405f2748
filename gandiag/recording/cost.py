"""What the training and its recording cost: device memory; times are noted by the recorder itself."""

from __future__ import annotations

import torch

from gandiag.recording.step import Step, Value


def device_memory(step: Step) -> dict[str, Value]:
    """Peak memory allocated on the device, in bytes; absent on the CPU, where nobody counts it."""
    player = step.generator or step.discriminator
    if player is None or not player.parameters or player.parameters[0].device.type != "cuda":
        return {}
    return {"device_memory_bytes": float(torch.cuda.max_memory_allocated(player.parameters[0].device))}
