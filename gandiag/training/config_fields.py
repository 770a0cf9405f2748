"""Config: one flat dataclass that says everything about a training, and which values are allowed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from gandiag.errors import UsageError
from gandiag.training.other_names import meant


@dataclass(frozen=True)
class Config:
    """Everything about a training; a value never depends on another, so that each can be set alone (`--set name=value`)."""

    # the data
    data: str = "digits"  # digits, ring, grid, ring:sd=0.05, mnist:DIR, cifar10:DIR, a folder, X.zip, X.npz
    resolution: int | None = None  # height and width to which images are brought; none: as they are
    imbalance: float | None = None  # long tail on purpose: the rarest class keeps this share of its samples
    samples: int | None = None  # train on the first so many samples only; none: on all
    heldout: float = 0.1  # share of the data that is never trained on; 0: none
    on_bad: Literal["error", "skip"] = "error"  # what to do about an unreadable image: error, skip
    data_scale: float = 1.0  # the data are multiplied by this after they have been brought to [-1, 1] ...
    data_offset: float = 0.0  # ... and this is added: anything but 1 and 0 is a fault on purpose
    # the players
    generator: str = "mlp"  # a network's name, or package.module:function
    discriminator: str = "mlp"  # a network's name, or package.module:function
    generator_width: int | None = None  # units or channels of its hidden layers; none: the network's own
    discriminator_width: int | None = None  # units or channels of its hidden layers; none: the network's own
    generator_depth: int | None = None  # hidden layers, of networks that leave it open; none: the network's own
    discriminator_depth: int | None = None  # hidden layers, of networks that leave it open; none: the network's own
    spectral_norm: bool = False  # divide the discriminator's weights by their largest singular value
    latent: str = "normal"  # normal, uniform (-1 .. 1)
    latent_size: int = 64  # how many random numbers the generator is fed
    conditional: bool = False  # feed the classes to both players
    pack: int = 1  # PacGAN: the discriminator sees so many samples at a time
    # the game
    loss: str = "non-saturating"  # see LOSSES
    penalties: tuple[str, ...] = ("r1",)  # see PENALTIES; they are added, each times gamma
    gamma: float = 5.0  # weight of the penalties
    penalty_every: int = 1  # lazy regularisation: at every so many steps, so many times as strong
    instance_noise: float = 0.0  # standard deviation of the noise that is added to what the discriminator sees
    clip_weights: float | None = None  # the discriminator's weights are clipped to +- this; none: unbounded
    augmentation: str = "none"  # none, diffaugment, ada
    augmentation_probability: float = 1.0  # of diffaugment; ada finds its own, beginning at 0
    augmentation_target: float = 0.6  # E[sign D(real)] that ada holds
    # how it is played
    update: str = "alternating"  # see UPDATES: alternating, simultaneous, extragradient, optimistic, consensus ...
    first: str = "discriminator"  # who moves first in an alternating step: discriminator, generator
    d_steps: int = 1  # updates of the discriminator in a step
    g_steps: int = 1  # updates of the generator in a step
    unroll: int = 5  # steps that an unrolled update looks ahead
    consensus: float = 10.0  # weight of the gradient-norm term of a consensus update
    lookahead_every: int = 5  # steps after which a lookahead update goes back ...
    lookahead_share: float = 0.5  # ... to this share of the way
    optimizer_g: str = "adam"  # see OPTIMIZERS
    optimizer_d: str = "adam"  # see OPTIMIZERS
    lr_g: float = 1e-3  # learning rate of the generator
    lr_d: float = 1e-3  # learning rate of the discriminator
    beta1: float = 0.0  # decay of the mean gradient; the momentum of sgd and rmsprop
    beta2: float = 0.99  # decay of the mean squared gradient
    weight_decay: float = 0.0  # decoupled weight decay of both players
    schedule: str = "constant"  # of both learning rates: constant, linear, cosine (down to 0 at the last step)
    warmup: int = 0  # steps in which the learning rates rise from 0
    clip_gradient: float | None = None  # largest norm of a player's gradient; none: unbounded
    changes: str = ""  # what changes in mid-run: "500: lr_g=0.005 gamma=0; 500-900: lr_d=0.1" (a - is a ramp)
    # how long, how much
    steps: int = 3000  # updates of the game
    batch: int = 128  # real samples that the discriminator is shown in an update, over all processes
    accumulate: int = 1  # the batch is worked off in so many parts
    images: int | None = None  # stop after so many real samples, a batch a step however often D is updated in it
    minutes: float | None = None  # stop after so long; a resumed run has as many again
    stop_on: tuple[str, ...] = ()  # checks whose failure ends the run
    stop_when: str | None = None  # converged: end when the convergence check says so
    # keeping and looking
    ema_images: int = 44_000  # half-life of the generator's moving average, in real samples, a batch a step; 0: none
    ema_ramp: float = 0.05  # the half-life is at most this share of what was shown so far
    evaluate_every: int = 250  # steps between evaluations; 0: at the end only
    evaluation_samples: int = 2500  # fakes that an evaluation draws
    features: str = "auto"  # whose features the scores are computed on: auto, digits-cnn, pixels, ...
    metrics: tuple[str, ...] = ()  # scores; empty: all that fit the data
    measure: tuple[str, ...] = ("weights", "heldout")  # of the game, at each evaluation: see measure.PARTS
    best_by: str = "auto"  # score by which the best checkpoint is chosen
    checkpoint_every: int = 1000  # steps between checkpoints; the last step always has one
    keep: int = 2  # how many of the newest checkpoints stay; the best one always does
    sample_every: int = 250  # steps between kept sample batches; 0: at the end only
    probes: str = "default"  # what is recorded: minimal, default, full
    diagnose_every: int = 250  # steps between diagnoses during the run; 0: none
    # the machine
    seed: int = 0  # of everything that is random
    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    threads: int = 1  # of the CPU; small networks lose time with more; 0: torch's own choice
    workers: int = 0  # threads that lay out the next batches from the computer's memory; 0: the data lie on the device
    precision: str = "float32"  # float32, bfloat16, float16 (the last two: automatic mixed precision)
    compile: bool = False  # torch.compile both players
    channels_last: bool = False  # memory layout of images
    deterministic: bool = False  # deterministic algorithms also on CUDA


FIELDS: dict[str, dataclasses.Field[Any]] = {f.name: f for f in dataclasses.fields(Config)}
ALTERNATIVES = {
    "on_bad": ("error", "skip"),
    "latent": ("normal", "uniform"),
    "first": ("discriminator", "generator"),
    "schedule": ("constant", "linear", "cosine"),
    "stop_when": ("converged",),
    "probes": ("minimal", "default", "full"),
    "precision": ("float32", "bfloat16", "float16"),
}
AT_LEAST_ONE = (
    "latent_size",
    "lookahead_every",
    "pack",
    "penalty_every",
    "d_steps",
    "g_steps",
    "unroll",
    "steps",
    "batch",
    "accumulate",
    "keep",
    "images",
    "evaluation_samples",
    "resolution",
    "samples",
    "generator_width",
    "discriminator_width",
    "generator_depth",
    "discriminator_depth",
)
AT_LEAST_ZERO = (
    "gamma",
    "instance_noise",
    "augmentation_probability",
    "lr_g",
    "lr_d",
    "weight_decay",
    "warmup",
    "minutes",
    "ema_images",
    "ema_ramp",
    "evaluate_every",
    "checkpoint_every",
    "sample_every",
    "diagnose_every",
    "threads",
    "workers",
    "heldout",
    "consensus",
    "seed",
)
ABOVE_ZERO = ("clip_gradient", "clip_weights", "lookahead_share")
LARGEST_SEED = 2**63 - 1  # what torch takes
BELOW_ONE = ("beta2", "heldout")
AT_MOST_ONE = ("lookahead_share",)


def check_config(config: Config) -> Config:
    """Returns the configuration when its values are in range and fit together; raises UsageError otherwise."""
    for name in FIELDS:
        value = getattr(config, name)
        numbers = value if isinstance(value, tuple) else (value,)
        if any(isinstance(v, float) and v != v for v in numbers):
            raise UsageError(f"{name} is not a number (nan)")
        if name in ALTERNATIVES and value is not None and value not in ALTERNATIVES[name]:
            raise UsageError(
                f"{name} is one of {', '.join(ALTERNATIVES[name])}, not {value!r}{meant(str(value), ALTERNATIVES[name])}"
            )
        if name in AT_LEAST_ONE and value is not None and value < 1:
            raise UsageError(f"{name} must be at least 1, not {value}")
        if name in AT_LEAST_ZERO and value is not None and value < 0:
            raise UsageError(f"{name} must be at least 0, not {value}")
        if name in ABOVE_ZERO and value is not None and value <= 0:
            without = "" if FIELDS[name].default is not None else "; none: unbounded"
            raise UsageError(f"{name} must be above 0, not {value}{without}")
        if name in AT_MOST_ONE and value > 1:
            raise UsageError(f"{name} must be at most 1, not {value}")
        if name in BELOW_ONE and value >= 1:
            raise UsageError(f"{name} must be below 1, not {value}")
    if config.seed > LARGEST_SEED:
        raise UsageError(f"seed is at most 2^63 - 1, not {config.seed}")
    if config.evaluation_samples < 2:
        raise UsageError(f"evaluation_samples must be at least 2, not {config.evaluation_samples}")
    if config.batch % config.accumulate or config.batch // config.accumulate % config.pack:
        raise UsageError(
            f"batch ({config.batch}) must be divisible by accumulate ({config.accumulate}) and its parts by pack ({config.pack})"
        )
    return config
