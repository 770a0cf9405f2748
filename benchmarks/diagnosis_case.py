"""What one configuration of the diagnosis benchmark is: data, players, game, schedule, and what was injected into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One configuration. `causes` are the checks that name its illness rightly, the injected one first; empty for a healthy control."""

    name: str
    causes: tuple[str, ...] = ()
    # a mixture of benchmarks/diagnosis_mixtures.py, digits (8x8), digits28 (the same, 28x28) or colour
    data: str = "ring"
    nets: str = "mlp"  # mlp, conv, residual, deep, layer-norm, spectral (norm in D), dropout (in D), attention (in G)
    loss: str = "non-saturating"  # see benchmarks/diagnosis_play.py
    r1: float = 0.0
    r2: float = 0.0
    gp: float = 0.0
    clip: float = 0.0  # D's weights are kept within this
    d_steps: int = 1
    g_steps: int = 1
    lr_g: float = 1e-3
    lr_d: float = 1e-3
    betas: tuple[float, float] = (0.0, 0.99)
    optimizer_g: str = "adam"
    batch: int = 128
    steps: int = 1200
    latent: int = 8
    width: int = 128
    d_width: int = 128
    dropout: float = 0.3  # of a D with dropout
    samples: int = 0  # train on so many samples only; 0 = all
    shift: float = 0.0  # the data are moved by this
    scale: str = ""  # '01': reals stay in [0, 1]; 'same': one batch for ever
    sigmoid: bool = False  # D ends in a sigmoid and its output is what the loop holds
    conditional: bool = False  # both players are given the class, one-hot
    noise: float = 0.0  # sd of the noise on what D is shown, falling to 0 over the run
    clip_norm: float = 0.0  # gradients are clipped to this norm
    schedule: str = ""  # of both rates: 'cosine' to 0, 'warm-up' over a quarter of the run
    before: int = 0  # steps that were trained before the recording begins
    fault: str = ""  # detached, one-optimizer ...
    changes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)  # step -> what is changed there
    ramp: Mapping[str, float] = field(
        default_factory=dict
    )  # option -> the factor by which it has grown at the end of the run
    fresh: bool = False  # no limit was set on it: other data, nets, losses and faults, reported in a table of their own
    later: bool = False  # of a third set, made after rules had been mended on the second
    onset: int | None = None  # the step at which the injected fault begins, where that is known
