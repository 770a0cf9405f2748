"""The discriminator's decision field over the plane of 2-D data, kept beside the samples so that a report can draw it under them."""

from __future__ import annotations

import numpy as np
import torch

from gandiag.recording.heldout import one_score_a_sample
from gandiag.recording.untouched import bare, untouched
from gandiag.training.measuring import settings_now
from gandiag.training.preparation import Training

CELLS = 48  # along each side
MARGIN = 1.35  # of the data's own square: where fakes that miss the data still lie
SAMPLES = 2000  # of the data, whose square is looked at


def decision_field(training: Training) -> dict[str, np.ndarray]:
    """Returns `field` (48, 48) float32, D's raw output at the centre of each cell, the lowest y first, and its `extent` [x0, x1, y0, y1].

    Nothing where the data are no points in the plane, or where D takes more than one point (packs, classes). D is left as it is.
    """
    data, config = training.data, training.config
    if data.kind != "points" or data.shape != (2,) or config.pack > 1 or training.num_classes is not None:
        return {}
    settings = settings_now(training)
    seen = data.batch(slice(SAMPLES)) * settings.data_scale + settings.data_offset
    low, high = seen.amin(dim=0), seen.amax(dim=0)
    half = MARGIN * float((high - low).max()) / 2 or 1.0
    centre = ((low + high) / 2).tolist()
    across, up = (c + half * ((torch.arange(CELLS) + 0.5) / CELLS * 2 - 1) for c in centre)
    plane = torch.stack(torch.meshgrid(across, up, indexing="xy"), dim=-1).reshape(-1, 2).to(training.device)
    discriminator = bare(training.players.discriminator)
    with torch.no_grad(), untouched(discriminator):
        scores = one_score_a_sample(discriminator.eval()(plane))
    extent = [centre[0] - half, centre[0] + half, centre[1] - half, centre[1] + half]
    return {
        "field": scores.reshape(CELLS, CELLS).float().cpu().numpy(),
        "extent": np.asarray(extent, dtype=np.float32),
    }
