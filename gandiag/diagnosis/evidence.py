"""Evidence: a run as the checks read it, on one grid of stretches, each series summarised once; and what is known of the game."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import erf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.limits import DEFAULT, Limits
from gandiag.errors import NotRecorded
from gandiag.quantities import AVERAGE

if TYPE_CHECKING:
    import pandas as pd

Made = TypeVar("Made")
Loss = Literal["non-saturating", "minimax", "hinge", "least-squares", "wasserstein", "relativistic", "unknown"]
_LOSS_WORDS: tuple[tuple[str, Loss], ...] = (
    ("nonsat", "non-saturating"),
    ("saturating", "minimax"),
    ("minimax", "minimax"),
    ("hinge", "hinge"),
    ("leastsquare", "least-squares"),
    ("lsgan", "least-squares"),
    ("mse", "least-squares"),
    ("wass", "wasserstein"),
    ("wgan", "wasserstein"),
    ("relativ", "relativistic"),
    ("rpgan", "relativistic"),
    ("r3gan", "relativistic"),
    ("ns", "non-saturating"),
    ("logistic", "non-saturating"),
    ("bce", "non-saturating"),
)
STEPS_AN_EPOCH = 15  # at least; in a log with one row an epoch so many fewer rows are needed
GOOD_PRECISION, NEARLY_ALL = 0.5, 0.8  # of its samples, and of the modes
FREE_OFFSET = 1e-3  # D's forces on real and fake cancel to this share at every step: its loss sees differences only


class CannotTell(Exception):
    """A check has what it reads, and yet cannot judge: too few steps, say. The message says why; it becomes a NOT_CHECKED finding."""


class Recorded(Protocol):
    """What a check may ask of a run; `Run` is one, and so is a log of others (`gandiag.logs`)."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def about(self) -> dict[str, Any]:
        """What it is: configuration, data, players, as far as they are known."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every series that it holds."""

    @property
    def steps(self) -> int:
        """How many steps it spans."""

    def __contains__(self, name: object) -> bool: ...
    def __getitem__(self, name: str) -> pd.Series: ...
    def layers(self, name: str) -> pd.DataFrame:
        """Returns a vector as steps x labels; raises NotRecorded."""

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Returns the low-rate records of one kind."""


@dataclass(frozen=True)
class Evidence:
    """A run with its series summarised on one grid; has the door of a Run, so that a check takes either."""

    run: Recorded
    limits: Limits = DEFAULT
    _levels: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)
    _tables: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    _series: dict[str, pd.Series] = field(default_factory=dict, repr=False, compare=False)
    _records: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False, compare=False)
    _made: dict[Callable[[Evidence], Any], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def path(self) -> Path:
        """Where the run lies."""
        return self.run.path

    @property
    def about(self) -> dict[str, Any]:
        """What the run is, its run.json."""
        return self.run.about

    @property
    def names(self) -> tuple[str, ...]:
        """Every series that the run holds."""
        return self.run.names

    @cached_property
    def steps(self) -> int:
        """How many steps the run spans, read once."""
        return self.run.steps

    def __contains__(self, name: object) -> bool:
        return name in self.run

    def __getitem__(self, name: str) -> pd.Series:
        if name not in self._series:
            found = self.run[name]
            self._series[name] = found[found.index >= self._comparable_from] if self._is_score(name) else found
        return self._series[name]

    def at_the_same_steps(self, names: tuple[str, ...]) -> list[np.ndarray]:
        """Returns several series at the steps at which all of them were measured and are finite."""
        series = [self[name].dropna() for name in names]
        both = series[0].index
        for one in series[1:]:
            both = both.intersection(one.index)
        values = np.stack([one.loc[both].to_numpy(dtype=float) for one in series])
        return list(values[:, np.isfinite(values).all(axis=0)])

    def layers(self, name: str) -> pd.DataFrame:
        """The run's own vectors, read once."""
        if name not in self._tables:
            found = self.run.layers(name)
            self._tables[name] = found[found.index >= self._comparable_from] if self._is_score(name) else found
        return self._tables[name]

    @cached_property
    def _comparable_from(self) -> int:
        """The step since which evaluations were against the same reals: earlier scores are of another scale."""
        changes = [r for r in self.records("events") if r.get("event") == "reference_changed"]
        return max((step for r in changes if isinstance(step := r.get("step"), int)), default=0)

    def _is_score(self, name: str) -> bool:
        if not self._comparable_from:
            return False
        scores = {k for r in self.records("evaluations") if isinstance(r.get("scores"), dict) for k in r["scores"]}
        return any(k == name or k.startswith(f"{name}[") for k in scores)

    def records(self, kind: str) -> list[dict[str, Any]]:
        """The run's own records, read once."""
        if kind not in self._records:
            self._records[kind] = self.run.records(kind)
        return self._records[kind]

    def once(self, make: Callable[[Evidence], Made]) -> Made:
        """Returns what a function makes of this evidence, made at its first call only: many checks ask for the same."""
        if make not in self._made:
            self._made[make] = make(self)
        found: Made = self._made[make]
        return found

    # -- the grid

    @cached_property
    def edges(self) -> np.ndarray:
        """Edges (n + 1,) of the stretches on which every series is summarised."""
        return trends.block_edges(self.steps, blocks=self.limits.blocks, rows=self.limits.block_rows)

    def level(self, name: str) -> np.ndarray:
        """Returns the median of a series in each stretch (n,), gaps filled forwards, NaN before the first; raises NotRecorded."""
        if name not in self._levels:
            series = self[name]
            self._levels[name] = trends.block_medians(series.index.to_numpy(), series.to_numpy(dtype=float), self.edges)
        return self._levels[name]

    def maybe(self, name: str) -> np.ndarray | None:
        """Returns `level(name)`, or None where it was not recorded."""
        try:
            return self.level(name)
        except NotRecorded:
            return None

    def now(self, name: str) -> float:
        """Returns the present level of a series: the median over the tail of the run; raises NotRecorded."""
        return trends.middle(trends.tail(self.level(name), self.limits.tail_share))

    def now_or_nan(self, name: str) -> float:
        """Returns `now(name)`, or NaN where it was not recorded."""
        return self.now(name) if self.maybe(name) is not None else float("nan")

    def holds(self, state: np.ndarray) -> bool:
        """Says whether a state (n,) of the stretches holds at the end of the run."""
        fewest = self.limits.sustained_steps / self.steps_in_one
        return trends.holds(state, max(self.limits.tail_share, fewest / max(self.steps, 1)))

    def onset(self, state: np.ndarray) -> int | None:
        """Returns the step at which the last lasting stretch of a state begins."""
        first = trends.onset(state)
        return None if first is None else int(self.edges[first])

    @property
    def short(self) -> bool:
        """Says whether the run is too short for anything but what is certain at once."""
        return self.steps < self.steps_needed

    @cached_property
    def steps_needed(self) -> int:
        """How many steps what grows slowly needs: the limit, and of a run that is going on a share of what was planned; fewer epochs."""
        needed = -(-self.limits.steps_needed // self.steps_in_one)
        planned = self.about.get("steps_planned")
        if self.going_on and isinstance(planned, int):
            return max(needed, int(self.limits.planned_needed * planned))
        return needed

    @property
    def step_word(self) -> str:
        """What one of the steps is: "epoch" in a log with one row for each."""
        return "epoch" if self.about.get("steps_are") == "epochs" else "step"

    @cached_property
    def steps_in_one(self) -> int:
        """How many steps one of the recording's steps stands for, at least: those of an epoch, or so many updates of the generator."""
        if self.step_word == "epoch":
            return STEPS_AN_EPOCH
        updates = self["generator_updates"].dropna() if "generator_updates" in self else None
        return 1 if updates is None or updates.empty else max(1, int(updates.median()))

    @property
    def going_on(self) -> bool:
        """Whether the run is still being written: what is not there yet may come."""
        return self.about.get("status") == "running"

    def need_steps(self) -> None:
        """Raises CannotTell where the run is too short for what grows slowly."""
        if self.short:
            raise CannotTell(
                f"the run has {self.steps} {self.step_word}{'s' * (self.steps != 1)}, {self.steps_needed} are needed to judge this"
            )

    @cached_property
    def single_point(self) -> bool:
        """Says whether the game is about one point, as a Dirac-GAN's is; images that are all alike are a fault of the loader instead.

        The data are one, or the generator is: it has no more parameters than a sample has values, and gives the same for every latent.
        """
        sd, fake_sd = self.maybe("real_sd"), self.maybe("fake_sd")
        if sd is None or fake_sd is None:
            return False
        if np.nanmax(sd, initial=0.0) == 0 and np.nanmax(fake_sd, initial=0.0) <= 1e-12:
            return True
        held = self.facts("players", "generator").get("parameters")
        alike = self.maybe("fake_pairwise_distance")
        if not isinstance(held, int) or alike is None or not np.isfinite(alike).any() or np.nanmax(alike) > 1e-12:
            return False
        try:
            values = self.layers("fake_channel_mean").shape[1]
        except NotRecorded:
            return False
        return 0 < held <= values

    def need_spread_data(self) -> None:
        """Raises CannotTell where the data are one point: a Dirac-GAN has no diversity to lose, and its trace says all (oscillation)."""
        if self.single_point:
            raise CannotTell(
                "the data are a single point: the trace of the game is judged instead (oscillation, convergence)"
            )

    # -- what is known of the game

    @cached_property
    def config(self) -> dict[str, Any]:
        """The flat configuration, where the run has one."""
        given = self.about.get("config")
        return given if isinstance(given, dict) else {}

    @property
    def keeps_average(self) -> bool:
        """Says whether a stranger's loop keeps a moving average of the generator, which nobody has scored here: the harness scores its own."""
        return self.about.get("keeps_average") is True and not self.config

    @cached_property
    def average_is_well(self) -> bool:
        """Whether the last evaluation was of the generator's moving average, and found most of its samples and nearly all modes good."""
        last = next((r for r in reversed(self.records("evaluations")) if isinstance(r.get("scores"), dict)), None)
        if last is None or not isinstance(last.get("protocol"), dict) or last["protocol"].get("generator") != AVERAGE:
            return False
        scores = last["scores"]
        given = [
            next((v for k, v in scores.items() if k.startswith("precision[")), None),
            scores.get("modes_covered"),
            scores.get("modes_total"),
        ]
        known = [float(v) for v in given if isinstance(v, int | float)]
        return len(known) == len(given) and known[0] >= GOOD_PRECISION and known[1] >= NEARLY_ALL * known[2]

    def facts(self, entry: str, who: str) -> dict[str, Any]:
        """Returns what run.json says of a player under `optimizers` or `players`; empty where it says nothing, or is damaged there."""
        given = self.about.get(entry)
        found = given.get(who) if isinstance(given, dict) else None
        return found if isinstance(found, dict) else {}

    @cached_property
    def loss(self) -> Loss:
        """Returns the loss by its family, `unknown` where the run does not say."""
        given = self.about.get("loss", self.config.get("loss"))
        word = "".join(c for c in str(given or "").lower() if c.isalnum())
        return next((loss for key, loss in _LOSS_WORDS if key in word), "unknown") if word else "unknown"

    @cached_property
    def free_offset(self) -> bool:
        """Says whether D is a critic whose scores have no meaning in themselves, only their differences (Wasserstein, relativistic).

        Known by the loss's name or by D's forces: a loss of differences pushes reals up exactly as it pushes fakes down.
        """
        if self.loss in ("wasserstein", "relativistic"):
            return True
        if self.loss != "unknown":
            return False
        try:
            up, down = self.run["discriminator_force_on_real"], self.run["discriminator_force_on_fake"]
            size = self.run["discriminator_force_size_on_real"]
        except NotRecorded:
            return False
        both = up.index.intersection(down.index).intersection(size.index)[:500]
        scale = size.loc[both].to_numpy() + 1e-12
        return bool(
            len(both) >= 20
            and np.max(np.abs(up.loc[both].to_numpy() + down.loc[both].to_numpy()) / scale) < FREE_OFFSET
        )

    @cached_property
    def inverted(self) -> bool:
        """Says whether this game scores fakes high and reals low on purpose: D pushes reals down and fakes up, and G pushes fakes down."""
        try:
            real, fake = self.now("discriminator_force_on_real"), self.now("discriminator_force_on_fake")
            generator = self.now("generator_force_on_fake")
        except NotRecorded:
            return False
        return real < 0 < fake and generator < 0

    def auc(self) -> np.ndarray:
        """Returns how well D tells reals from fakes in its own convention (n,): 1 = always; raises NotRecorded.

        Where only means and spreads of the scores were recorded (a log of somebody's), the AUC of two normal laws stands in.
        """
        if "discriminator_auc" in self:
            auc = self.level("discriminator_auc")
        else:
            try:
                gap = self.level("real_logit_mean") - self.level("fake_logit_mean")
                spread = np.hypot(self.level("real_logit_sd"), self.level("fake_logit_sd"))
            except NotRecorded:
                raise NotRecorded("discriminator_auc", "nor can it be had from the scores' means and spreads") from None
            auc = np.array([0.5 * (1 + erf(x / math.sqrt(2))) for x in gap / np.maximum(spread, 1e-12)])
        return 1 - auc if self.inverted else auc

    @cached_property
    def images(self) -> bool:
        """Says whether the data are images; unknown counts as no."""
        data = self.about.get("data")
        return isinstance(data, dict) and data.get("kind") == "images"


def evidence(run: Recorded | Evidence) -> Evidence:
    """Returns a run as evidence; evidence as it is."""
    return run if isinstance(run, Evidence) else Evidence(run)
