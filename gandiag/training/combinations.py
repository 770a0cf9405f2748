"""What does not go together, said before anything is trained and before a run's folder is made."""

from __future__ import annotations

from gandiag.errors import UsageError
from gandiag.quantities import QUANTITIES
from gandiag.recording.measure import PARTS
from gandiag.training.alarms import known_checks
from gandiag.training.config import Config
from gandiag.training.dataset import Dataset
from gandiag.training.other_names import meant
from gandiag.training.players import batch_normalised
from gandiag.training.schedule import CHANGEABLE, WHOLE, parse_changes, require_beginnings
from gandiag.training.step import Players

FREE_OFFSET = ("wasserstein", "relativistic")  # losses that leave the level of D's outputs open: its sign says nothing
SCALABLE = ("alternating", "simultaneous", "lookahead")  # updates that move by nothing but what a loss scaler unscales
TWICE = ("consensus", "unrolled")  # updates that differentiate through the other player
HAS_STEPS = ("alternating", "lookahead", "unrolled")


def refuse_settings(config: Config) -> None:
    """Raises UsageError for settings that exclude each other, or names that nothing answers to."""
    known_checks(config.stop_on)
    _known("measure", config.measure, PARTS)
    _known("metrics", tuple(name.partition("[")[0] for name in config.metrics), tuple(QUANTITIES))
    changes = parse_changes(config.changes)
    require_beginnings(changes, {name: getattr(config, name) for name in CHANGEABLE})
    _known("best_by", (config.best_by.partition("[")[0],), ("auto", *QUANTITIES))
    best = QUANTITIES.get(config.best_by.partition("[")[0])
    _refuse(
        (
            best is not None and (best.better == "neither" or best.shape != "scalar"),
            f"best_by={config.best_by}: it has no direction that is better, and a best checkpoint needs one; leave it out, or choose "
            "frechet_distance or modes_covered",
        ),
        (
            config.compile and config.update in TWICE,
            f"compile=true and update={config.update}: it differentiates twice, which compiled code cannot; leave compile out",
        ),
        (
            config.precision == "float16" and config.update not in SCALABLE,
            f"precision=float16 and update={config.update}: only {', '.join(SCALABLE)} know of the loss's scale; choose bfloat16",
        ),
        (
            config.update == "unrolled" and config.optimizer_d == "rmsprop",
            "update=unrolled and optimizer_d=rmsprop: no differentiable step of it is known; choose adam or sgd",
        ),
        (
            config.conditional and config.pack > 1,
            "conditional=true and pack: the samples of a pack have a class each, and D takes one; choose one of the two",
        ),
        (
            config.augmentation == "ada" and config.loss in FREE_OFFSET,
            f"augmentation=ada and loss={config.loss}: ada goes by D's sign on reals, which says nothing here; choose diffaugment",
        ),
        (
            bool(config.stop_on or config.stop_when) and config.diagnose_every == 0,
            "stop_on and stop_when are looked at in a diagnosis, and diagnose_every is 0: give it a number of steps",
        ),
        (
            config.update not in HAS_STEPS and any(change.name in WHOLE for change in changes),
            f"changes sets d_steps or g_steps, which the update {config.update} has not",
        ),
    )


def refuse_for_processes(config: Config, processes: int) -> None:
    """Raises UsageError where a process's share of the batch cannot be cut into equal parts of whole packs."""
    whole = processes * config.accumulate * config.pack
    _refuse(
        (
            processes > 1 and config.batch % whole != 0,
            f"a batch of {config.batch} cannot be shared by {processes} processes in {config.accumulate} parts of packs of "
            f"{config.pack}: choose a multiple of {whole}",
        )
    )


def refuse_for_data(config: Config, data: Dataset) -> None:
    """Raises UsageError for settings that do not go with the data."""
    _refuse(
        (len(data) < 2, f"{data.name} has 1 sample; a training needs at least 2"),
        (
            config.samples is not None and data.endless,
            f"samples takes the first of the data, and {data.name} has no end, it is drawn afresh for every batch: give it a count, as in "
            "--data ring:count=1000",
        ),
        (
            config.resolution is not None and data.kind == "points",
            f"resolution={config.resolution} resizes images, and {data.name} has points; leave it out",
        ),
        (
            config.augmentation != "none" and data.kind == "points",
            f"augmentation={config.augmentation} changes images, and {data.name} has points; set augmentation=none",
        ),
    )


def refuse_for_players(config: Config, players: Players, *, processes: int) -> None:
    """Raises UsageError where a batch-normalised player would see one sample at a time."""
    part = config.batch // processes // config.accumulate
    for name, player, count in (
        ("generator", players.generator, part // config.pack),  # each of a pack's fakes is made in another call
        ("discriminator", players.discriminator, part // config.pack),
    ):
        if batch_normalised(player) and count < 2:
            raise UsageError(
                f"the {name} is batch-normalised and would see {count} sample at a time (batch {config.batch}, {processes} processes, "
                f"accumulate {config.accumulate}, pack {config.pack}): choose a larger --batch"
            )


def _known(setting: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            listed = f"; there are {', '.join(known)}" if len(known) < 20 else "; docs/metrics.md tells them all"
            raise UsageError(f"{setting} names {name!r}, which is none of them{meant(name, known)}{listed}")


def _refuse(*reasons: tuple[bool, str]) -> None:
    for holds, reason in reasons:
        if holds:
            raise UsageError(reason)
