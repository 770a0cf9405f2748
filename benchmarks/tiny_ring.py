"""The smallest training on the ring: what the faults and the harness's tests play, each with steps of its own."""

from __future__ import annotations

import dataclasses

from gandiag.training import Config

TINY_RING = dataclasses.replace(
    Config(),
    data="ring:sd=0.05",
    generator_width=8,
    generator_depth=1,
    discriminator_width=8,
    discriminator_depth=1,
    latent_size=2,
    batch=16,
)
