"""Looks at rows that have reached the host for what must be said at once: the first value that is not finite, a score that is no
logit, data on another scale than the fakes. Runs in the writer thread; the training never waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gandiag.recording.numerics import first_nonfinite
from gandiag.recording.writing import Chunk

SURE_STEPS = 20  # steps in a row with every score in [0, 1] before they are called probabilities; logits of both signs come sooner
SURE_BATCHES = 3  # batches in a row outside the generator's range
TOLERANCE = 0.01  # by which data may pass the ends of the generator's range: rounding and resizing do
UNBOUNDED = ("Addmm", "Mm", "Bmm", "Baddbmm", "Addmv", "Mv", "Dot", "Linear", "Convolution", "MkldnnConvolution")
RANGES = {"Tanh": (-1.0, 1.0), "Sigmoid": (0.0, 1.0)}


class Suspicions:
    """What has been suspected so far; each thing is said once."""

    def __init__(
        self,
        *,
        probability: bool,
        say: Callable[[str, str], None],
        event: Callable[[Mapping[str, Any]], None],
        take_back: Callable[[str], None] = lambda key: None,
    ) -> None:
        self._probability, self._say, self._event, self._take_back = probability, say, event, take_back
        self._said: set[str] = set()
        self._in_unit = 0
        self._guessed = False  # it was said by the scores alone, which may yet leave [0, 1]
        self._outside = 0

    def look(self, rows: Chunk, hidden: Mapping[str, np.ndarray], *, operation: str, activation: str | None) -> None:
        """Looks at one table's rows; `operation` and `activation` are what the graph told of D's and G's last operation."""
        if "wall_time" in rows.columns:
            self._nonfinite(rows, hidden)
            self._scores(rows, hidden, operation)
        if "real_min" in rows.columns and activation in RANGES:
            self._data(rows, activation, *RANGES[activation])

    def _nonfinite(self, rows: Chunk, hidden: Mapping[str, np.ndarray]) -> None:
        if "nonfinite" in self._said:
            return
        sums = {f"{what} batch": hidden[f"_{what}_sum"] for what in ("real", "fake") if f"_{what}_sum" in hidden}
        fact = first_nonfinite(rows.columns, rows.absent, rows.steps, sums, rows.labels)
        if fact is not None:
            self._said.add("nonfinite")
            self._event({"event": "nonfinite", **fact})

    def _scores(self, rows: Chunk, hidden: Mapping[str, np.ndarray], operation: str) -> None:
        settled = "scores" in self._said and not self._guessed
        if settled or "_real_logits_low" not in hidden or "_fake_logits_low" not in hidden:
            return
        low = np.minimum(hidden["_real_logits_low"], hidden["_fake_logits_low"])
        high = np.maximum(hidden["_real_logits_high"], hidden["_fake_logits_high"])
        there = ~(
            rows.absent.get("real_logit_mean", np.zeros(len(low), bool))
            | rows.absent.get("fake_logit_mean", np.zeros(len(low), bool))
        )
        inside = (low >= 0) & (high <= 1)
        if self._probability:
            wrong = np.flatnonzero(there & ((low < 0) | (high > 1)))
            if len(wrong):
                self._mismatch(
                    int(rows.steps[wrong[0]]),
                    "the recorder was told that the discriminator returns probabilities, and saw scores "
                    'outside [0, 1]: what it derived from them is wrong; give discriminator_output="logit"',
                )
            return
        if self._guessed:
            if not inside[there].all():  # logits after all, which were small and positive at first
                self._guessed = False
                self._take_back("scores")
            return
        self._in_unit = self._in_unit + int(there.sum()) if inside[there].all() else 0
        sigmoid = operation == "Sigmoid"
        unbounded = operation.startswith(UNBOUNDED)  # a weak discriminator's scores may lie in [0, 1] all the same
        if self._in_unit and (sigmoid or (self._in_unit >= SURE_STEPS and not unbounded)):
            self._guessed = not sigmoid
            self._mismatch(
                int(rows.steps[0]),
                "the recorder was told that the discriminator returns logits, and saw only scores in [0, 1]"
                + (", which come out of a sigmoid" if sigmoid else "")
                + ": AUC and ranks hold, but quantiles, value function, "
                'accuracy and forces are not those of logits; give discriminator_output="probability"',
            )

    def _mismatch(self, step: int, sentence: str) -> None:
        self._said.add("scores")
        self._say("scores", sentence)
        self._event({"step": step, "event": "discriminator_output", "claim": sentence})

    def _data(self, rows: Chunk, activation: str, low: float, high: float) -> None:
        if "data" in self._said:
            return
        real_low, real_high = rows.columns["real_min"], rows.columns["real_max"]
        there = ~rows.absent.get("real_min", np.zeros(len(real_low), bool))
        beyond = (real_low < low - TOLERANCE) | (real_high > high + TOLERANCE)
        half = (real_low >= 0) & (real_high <= 1 + TOLERANCE) if low < 0 else np.zeros(len(real_low), bool)
        wrong = (beyond | half) & there
        self._outside = self._outside + int(wrong.sum()) if wrong[there].all() else 0
        if self._outside >= SURE_BATCHES:
            self._said.add("data")
            at = int(np.argmax(wrong))
            self._event(
                {
                    "step": int(rows.steps[at]),
                    "event": "data_mismatch",
                    "real_min": float(real_low[at]),
                    "real_max": float(real_high[at]),
                    "claim": f"real batches lie in [{real_low[at]:.3g}, {real_high[at]:.3g}], and the generator ends in {activation.lower()}: "
                    f"its samples lie in [{low:g}, {high:g}]",
                }
            )
