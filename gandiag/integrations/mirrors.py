"""Mirrors that carry what was recorded on to TensorBoard, W&B, trackio or MLflow.

A mirror reads what has reached the disk, at its own pace and in its own thread: it never asks the device for a value, and a
tracker that fails or waits for its network costs the training nothing. A sink is two functions; write your own the same way.
"""

from __future__ import annotations

import contextvars
import importlib
import inspect
import os
import queue
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from gandiag.errors import NotRecorded, UsageError
from gandiag.quantities import LOGIT_BIN_LIMIT, LOGIT_BINS, quantity
from gandiag.run import Run, load_run

EVERY = 10  # steps between two rows that are carried on: trackers are made for points that people look at, not for each step
SECONDS = 10.0  # between two looks at the run
SHARE = 20  # a look is followed by a pause of at least so many times its own duration
TITLE = 63  # characters: W&B refuses the title of an alert from 64 on
BATCH = 1000  # metrics: MLflow refuses larger batches
LOGIT_WIDTH = 2 * LOGIT_BIN_LIMIT / LOGIT_BINS
LOGIT_EDGES = tuple(-LOGIT_BIN_LIMIT + LOGIT_WIDTH * i for i in range(-1, LOGIT_BINS + 2))
LEVELS = {"failed": "ERROR", "suspect": "WARN"}  # verdict -> alert level; any other is INFO


@dataclass(frozen=True)
class Alert:
    """An illness as trackers take it: `level` is INFO, WARN or ERROR."""

    check: str
    level: str
    claim: str
    step: int


@dataclass(frozen=True)
class Histogram:
    """Counts on bins: `edges` are one more than `counts`, all finite (the outer bins, open in the record, are given the width of the others)."""

    edges: tuple[float, ...]
    counts: tuple[float, ...]


@dataclass(frozen=True)
class Sink:
    """Where a mirror carries things: values of one step by name, alerts, and histograms where the tracker has any."""

    log: Callable[[Mapping[str, float], int], None]
    alert: Callable[[Alert], None]
    histograms: Callable[[Mapping[str, Histogram], int], None] | None = None


def to_tensorboard(writer: Any) -> Sink:
    """Returns a sink into a `SummaryWriter` (torch.utils.tensorboard or tensorboardX): scalars, and alerts as text."""

    def log(values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, step)

    def alert(found: Alert) -> None:
        writer.add_text("gandiag/alerts", f"**{found.level}** {found.check}: {found.claim}", found.step)

    def histograms(found: Mapping[str, Histogram], step: int) -> None:
        for name, one in found.items():
            middles = [(a + b) / 2 for a, b in zip(one.edges, one.edges[1:])]
            writer.add_histogram_raw(
                name,
                min=one.edges[0],
                max=one.edges[-1],
                num=int(sum(one.counts)),
                sum=sum(c * m for c, m in zip(one.counts, middles)),
                sum_squares=sum(c * m * m for c, m in zip(one.counts, middles)),
                bucket_limits=list(one.edges[1:]),
                bucket_counts=list(one.counts),
                global_step=step,
            )

    return Sink(log, alert, histograms if hasattr(writer, "add_histogram_raw") else None)


def to_tracker(tracker: Any) -> Sink:
    """Returns a sink into anything with W&B's shape: `log(dict, step=)`, and `alert(title=, text=, level=)` where there is one.

    Give `wandb.init(...)` or the module `trackio`. A tracker with `define_metric` gets a step axis of its own, `gandiag/step`, so that
    what comes late is not refused; log your own values there without `step=`, or give gandiag a run of its own. Without `alert` an
    alert is a value of 1 (suspect) or 2 (failed) named after its check.
    """
    own_axis = hasattr(tracker, "define_metric")
    if own_axis:
        tracker.define_metric("gandiag/step")
        tracker.define_metric("gandiag/*", step_metric="gandiag/step")

    def log(values: Mapping[str, float], step: int) -> None:
        if own_axis:
            tracker.log({**values, "gandiag/step": step})
        else:
            tracker.log(dict(values), step=step)

    def alert(found: Alert) -> None:
        if hasattr(tracker, "alert"):
            tracker.alert(
                title=f"gandiag: {found.check}"[:TITLE], text=found.claim, level=_level_of(tracker, found.level)
            )
        else:
            log({f"gandiag/alert/{found.check}": {"WARN": 1.0, "ERROR": 2.0}.get(found.level, 0.0)}, found.step)

    kind = getattr(_package_of(tracker), "Histogram", None)
    if kind is not None and "np_histogram" not in inspect.signature(kind).parameters:
        kind = None  # something else of that name

    def histograms(found: Mapping[str, Histogram], step: int) -> None:
        assert kind is not None
        values = {n: kind(np_histogram=(np.asarray(h.counts), np.asarray(h.edges))) for n, h in found.items()}
        if own_axis:
            tracker.log({**values, "gandiag/step": step})
        else:
            tracker.log(values, step=step)

    return Sink(log, alert, None if kind is None else histograms)


def to_mlflow(client: Any, run_id: str) -> Sink:
    """Returns a sink into a run of MLflow, through an `MlflowClient`: metrics, and alerts as tags `gandiag.alert.CHECK`."""
    Metric = importlib.import_module("mlflow.entities").Metric

    def log(values: Mapping[str, float], step: int) -> None:
        now = int(time.time() * 1000)
        # MLflow allows no brackets in names: a score's features stand behind a slash there
        found = [
            Metric(name.replace("[", "/").replace("]", ""), float(value), now, step) for name, value in values.items()
        ]
        for at in range(0, len(found), BATCH):
            client.log_batch(run_id, metrics=found[at : at + BATCH])

    def alert(found: Alert) -> None:
        client.set_tag(run_id, f"gandiag.alert.{found.check}", f"{found.level} at step {found.step}: {found.claim}")

    return Sink(log, alert)


class Mirror:
    """Carries the scalars and alerts of a run that is being recorded on to a sink.

    Every `every`-th step of each scalar series is sent under `gandiag/NAME`, from step `since` on, and the histograms of D's logits
    where the tracker takes histograms; other vectors stay in the run. Hand
    `mirror.alert` to `Recorder(..., on_finding=mirror.alert)` for alerts while the training goes on; alerts that are in the run's own
    record (`gandiag run`) come by themselves. Each alert is sent once. `close` sends what is left: close the recorder first.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sink: Sink,
        *,
        every: int = EVERY,
        seconds: float = SECONDS,
        since: int = 0,
    ) -> None:
        if every < 1:
            raise UsageError(f"every is how many steps lie between two rows that are sent, at least 1, not {every!r}")
        self.path, self._sink, self._every, self._seconds, self._since = Path(path), sink, every, seconds, since
        self._sent: dict[str, int] = {}
        self._told: set[tuple[str, str]] = set()
        self._findings: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._warned = False
        # trackio and MLflow keep their current run in context variables, which a thread does not inherit
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._work,), name="gandiag-mirror", daemon=True)
        self._thread.start()

    def alert(self, finding: Any) -> None:
        """Takes a finding, to be sent from the mirror's own thread; returns at once."""
        self._findings.put(finding)

    def close(self) -> None:
        """Sends what is left and ends; a second call does nothing."""
        self._ended.set()
        self._thread.join()

    def __enter__(self) -> Mirror:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        pause = self._seconds
        while not self._ended.wait(pause):
            pause = max(self._seconds, SHARE * self._look())
        self._look()

    def _look(self) -> float:
        """Sends what is new, and returns how many seconds that took."""
        began = time.perf_counter()
        try:
            if (self.path / "run.json").exists():
                run = load_run(self.path)
                self._send_rows(run)
                self._send_alerts(run)
        except Exception as error:  # a tracker's fault must not reach the training
            self._complain(error)
        return time.perf_counter() - began

    def _send_rows(self, run: Run) -> None:
        rows: dict[int, dict[str, float]] = {}
        newest = dict(self._sent)
        scores = {
            name for record in run.records("evaluations") for name in record.get("scores", ())
        }  # sent whenever there are any
        for name in run.names:
            series = _scalar(run, name)
            if series is None:
                continue
            new = series[series.index > self._sent.get(name, self._since - 1)]
            for step, value in new[(new.index % self._every == 0) | (name in scores)].items():
                rows.setdefault(int(step), {})[f"gandiag/{name}"] = float(value)
            if len(new):
                newest[name] = int(new.index[-1])
        counts = self._histograms(run, newest) if self._sink.histograms is not None else {}
        self._sent = newest  # also where the tracker fails: what it refused once is not sent for ever
        for step in sorted({*rows, *counts}):
            if step in rows:
                self._sink.log(rows[step], step)
            if step in counts and self._sink.histograms is not None:
                self._sink.histograms(counts[step], step)

    def _histograms(self, run: Run, newest: dict[str, int]) -> dict[int, dict[str, Histogram]]:
        """Returns the new histograms by step, and notes in `newest` how far they go."""
        found: dict[int, dict[str, Histogram]] = {}
        for name in ("real_logit_histogram", "fake_logit_histogram"):
            if name not in run:
                continue
            table = run.layers(name)
            new = table[table.index > self._sent.get(name, self._since - 1)]
            due = new[new.index % self._every == 0]
            for step, counts in zip(due.index.to_list(), due.to_numpy().tolist()):
                found.setdefault(step, {})[f"gandiag/{name}"] = Histogram(LOGIT_EDGES, tuple(counts))
            if len(new):
                newest[name] = int(new.index[-1])
        return found

    def _send_alerts(self, run: Run) -> None:
        found = [
            Alert(
                str(e.get("check")),
                LEVELS.get(str(e.get("verdict")), "INFO"),
                str(e.get("claim")),
                int(e.get("step") or 0),
            )
            for e in run.records("events")
            if e.get("event") == "alert"
        ]
        while not self._findings.empty():
            f = self._findings.get()
            found.append(Alert(f.check, LEVELS.get(str(f.verdict), "INFO"), f.claim, max(run.steps - 1, 0)))
        for one in found:
            if (one.check, one.level) not in self._told and one.step >= self._since:
                self._told.add((one.check, one.level))
                self._sink.alert(one)

    def _complain(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            what = (
                f"gandiag could not carry the record of {self.path} on to the tracker ({type(error).__name__}: {error})"
            )
            warnings.warn(f"{what}; the training and its record go on", RuntimeWarning, stacklevel=2)


def _scalar(run: Run, name: str) -> Any:
    """Returns a series as pandas holds it, None where it is a vector."""
    known = quantity(name)
    if known is not None and known.shape != "scalar":
        return None
    try:
        return run[name]
    except NotRecorded:
        return None


def _level_of(tracker: Any, level: str) -> Any:
    """Returns the level as the tracker's own package spells it, its name where it has no word for it."""
    return getattr(getattr(_package_of(tracker), "AlertLevel", None), level, level)


def _package_of(tracker: Any) -> Any:
    """Returns the package that a tracker, or the module that was given for one, belongs to; None where it is not loaded."""
    name = getattr(tracker, "__module__", None) or getattr(tracker, "__name__", None) or type(tracker).__module__
    return sys.modules.get(name.split(".")[0])
