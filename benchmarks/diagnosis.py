"""How often the diagnosis is right: records sick and healthy trainings once, judges them offline, prints error rates with intervals.

    python -m benchmarks.diagnosis record runs-of-benchmark --seeds 0,1,2,3,4     (minutes a seed on one core; what is there is kept)
    python -m benchmarks.diagnosis judge runs-of-benchmark --calibration 0        (seconds)

Limits were set on the calibration seeds; the other seeds are reported apart. Each run is judged twice: as recorded with evaluations, and
bare, with nothing but what a Recorder sees in somebody's loop.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.diagnosis_cases import CASES
from benchmarks.diagnosis_truth import Truth, truth
from gandiag.diagnosis import CHECKS, Diagnosis, Finding, Verdict, diagnose
from gandiag.diagnosis.limits import DEFAULT
from gandiag.errors import NotRecorded
from gandiag.run import Run, load_run

LOOKS = 20  # times that a run is judged while it is going on
# Of looks that are all equally good, one drawn at random fails by chance in less than a tenth of the runs of 12, and less of longer ones
# (tests/test_benchmark_labels.py).
AS_GOOD = 4.0


@dataclass(frozen=True)
class View:
    """A recording in memory, cut off at a step and without some series: what a live or a bare diagnosis sees."""

    path: Path
    about: dict[str, Any]
    series: dict[str, pd.Series]
    tables: dict[str, pd.DataFrame]
    events: list[dict[str, Any]] = field(default_factory=list)
    end: int = 2**60

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({*self.series, *self.tables}))

    @property
    def steps(self) -> int:
        last = [
            int(s.index[min(len(s), s.index.searchsorted(self.end)) - 1])
            for s in self.series.values()
            if s.index[0] < self.end
        ]
        return max(last, default=-1) + 1

    def __contains__(self, name: object) -> bool:
        try:
            self._find(str(name), {**self.series, **self.tables})
        except NotRecorded:
            return False
        return True

    def __getitem__(self, name: str) -> pd.Series:
        return self._cut(self._find(name, self.series), name)

    def layers(self, name: str) -> pd.DataFrame:
        return self._cut(self._find(name, self.tables), name)

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [e for e in self.events if e.get("step", 0) < self.end] if kind == "events" else []

    def sample_steps(self, kind: str = "fake") -> list[int]:
        return [step for step in load_run(self.path).sample_steps(kind) if step < self.end]

    def samples(self, step: int, kind: str = "fake") -> dict[str, Any]:
        return load_run(self.path).samples(step, kind)

    def _find(self, name: str, held: dict[str, Any]) -> Any:
        found = [n for n in held if n == name] or [n for n in held if n.startswith(f"{name}[")]
        if len(found) != 1:
            raise NotRecorded(name)
        return held[found[0]]

    def _cut(self, held: Any, name: str) -> Any:
        kept = held.iloc[: held.index.searchsorted(self.end)]
        if not len(kept):
            raise NotRecorded(name, "no step holds a value")
        return kept


def view(run: Run, *, bare: bool) -> View:
    """Reads a run into memory; `bare` leaves the evaluations out."""
    evaluated = {name for r in run.records("evaluations") for name in r.get("scores", {})} if bare else set()
    series, tables = {}, {}
    for name in run.names:
        if name in evaluated:
            continue
        try:
            series[name] = run[name]
        except NotRecorded:
            tables[name] = run.layers(name)
    return View(run.path, run.about, series, tables, run.records("events"))


# ---------------------------------------------------------------------------------------------------------------- judging


@dataclass(frozen=True)
class Judged:
    """One run: what was injected, what an outside look saw, and what the diagnosis says."""

    name: str
    seed: int
    steps: int
    truth: Truth
    seen: list[dict[str, Any]]
    diagnosis: Diagnosis
    alarms: tuple[tuple[int, frozenset[str]], ...]  # while the run was going on: step, checks that had failed

    @property
    def ill(self) -> bool | None:
        """By the label; None: it says nothing, or contradicts what was injected."""
        return self.truth.ill

    @property
    def causes(self) -> tuple[str, ...]:
        """The checks that name its illness rightly."""
        return self.truth.causes

    @property
    def onset(self) -> int | None:
        """The step at which it fell ill."""
        return self.truth.onset

    @property
    def roots(self) -> list[Finding]:
        return [f for f in self.diagnosis.findings if f.verdict is Verdict.FAILED and not f.because_of]

    @property
    def failed(self) -> list[Finding]:
        return [f for f in self.diagnosis.findings if f.verdict is Verdict.FAILED]


def judge_run(folder: Path, *, bare: bool, live: bool) -> Judged:
    """Judges one recorded run, at its end and, if asked, LOOKS times on the way."""
    label = json.loads((folder / "label.json").read_text())
    held = view(load_run(folder / "run"), bare=bare)
    alarms = []
    for i in range(1, LOOKS + 1) if live else ():
        end = label["steps"] * i // LOOKS
        cut = View(held.path, {**held.about, "status": "running"}, held.series, held.tables, held.events, end)
        alarms.append((end, frozenset(f.check for f in diagnose(cut).findings if f.verdict is Verdict.FAILED)))
    true = truth(label)
    return Judged(
        label["name"],
        label["seed"],
        label["steps"],
        true,
        label["seen"],
        diagnose(held),
        tuple(alarms),
    )


# --------------------------------------------------------------------------------------------------------------- reporting


def wilson(hits: int, count: int) -> str:
    """Returns 'hits/count = share [low, high]' with Wilson's 95 % interval."""
    if not count:
        return "0/0"
    z, p = 1.96, hits / count
    centre, half = (
        (p + z * z / (2 * count)) / (1 + z * z / count),
        z * np.sqrt(p * (1 - p) / count + z * z / (4 * count * count)) / (1 + z * z / count),
    )
    return f"{hits}/{count} = {p:.3f} [{max(0, centre - half):.3f}, {min(1, centre + half):.3f}]"


def report(title: str, runs: Sequence[Judged]) -> list[str]:
    """Returns every table for one set of runs as Markdown lines."""
    sick, well = [r for r in runs if r.ill], [r for r in runs if r.ill is False]
    unclear = Counter(f"{r.name}: {r.truth.why}" for r in runs if r.ill is None)
    outcome = Counter(r.name for r in sick if not CASES[r.name].causes)
    right = [r for r in sick if r.roots and r.roots[0].check in r.causes]
    lines = [f"## {title}", "", f"{len(runs)} runs: {len(sick)} sick, {len(well)} healthy, {sum(unclear.values())} left out.", "",
             f"Sick although nothing was injected (modes lost, by the outside view): {_told(outcome)}.",
             f"Left out: {_told(unclear)}; of these {sum(bool(r.failed) for r in runs if r.ill is None)} with a FAILED.", "",
             "| | share [95 % interval] | held to |", "|---|---|---|",
             f"| an illness found in sick runs | {wilson(sum(bool(r.failed) for r in sick), len(sick))} | >= .95 |",
             f"| a FAILED on healthy runs | {wilson(sum(bool(r.failed) for r in well), len(well))} | <= .02 |",
             f"| right cause first in sick runs | {wilson(len(right), len(sick))} | >= .90 |"]  # fmt: skip
    errors = [
        abs(f.onset - r.onset) / r.steps
        for r in sick
        if r.onset is not None
        for f in r.roots[:1]
        if f.onset is not None
    ]
    known = [
        abs(f.onset - r.onset) / r.steps
        for r in sick
        if CASES[r.name].onset is not None and r.onset
        for f in r.roots[:1]
        if f.onset is not None
    ]
    if errors:
        lines.append(
            f"| median onset error, all sick runs ({len(errors)}) | {np.median(errors):.3f} of the run | <= .03 |"
        )
    if known:
        lines.append(
            f"| median onset error, onset injected in mid-run ({len(known)}) | {np.median(known):.3f} of the run | <= .03 |"
        )
    return [*lines, "", *_confusion(sick, well), "", *_per_check(sick, well), "", *_live(sick, well), "", *_reliability([*sick, *well]), "",
            *_checkpoints(well), "", *_wrong(sick, well)]  # fmt: skip


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{name} x{count}" for name, count in counted.items()) or "none"


def _confusion(sick: Sequence[Judged], well: Sequence[Judged]) -> list[str]:
    first: Callable[[Judged], str] = lambda r: r.roots[0].check if r.roots else "none"  # noqa: E731 - used twice, one line
    columns = sorted({first(r) for r in (*sick, *well)})
    rows = sorted({r.causes[0] for r in sick})
    lines = [
        "First failed finding (columns) by what was injected (rows):",
        "",
        "| injected | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for row in rows:
        count = Counter(first(r) for r in sick if r.causes[0] == row)
        lines.append(f"| {row} | " + " | ".join(str(count[c]) if count[c] else "" for c in columns) + " |")
    count = Counter(first(r) for r in well)
    return [*lines, "| healthy | " + " | ".join(str(count[c]) if count[c] else "" for c in columns) + " |"]


def _per_check(sick: Sequence[Judged], well: Sequence[Judged]) -> list[str]:
    lines = ["| check | precision as a root | recall of what it is the first cause of |", "|---|---|---|"]
    for check in (c.__name__ for c in CHECKS):
        said = [r for r in (*sick, *well) if any(f.check == check for f in r.roots)]
        due = [r for r in sick if r.causes[0] == check]
        if said or due:
            hits = sum(check in r.causes for r in said)
            lines.append(
                f"| {check} | {wilson(hits, len(said))} | {wilson(sum(any(f.check == check for f in r.failed) for r in due), len(due))} |"
            )
    return lines


def _live(sick: Sequence[Judged], well: Sequence[Judged]) -> list[str]:
    if not any(r.alarms for r in (*sick, *well)):
        return []
    steps = sum(r.steps for r in well)
    episodes = sum(_episodes(r.alarms) for r in well)
    early = [r for r in sick if CASES[r.name].onset]
    steps += sum(r.onset or 0 for r in early)
    episodes += sum(_episodes([a for a in r.alarms if a[0] <= (r.onset or 0)]) for r in early)
    leads = [(_first_lasting(r), r) for r in sick if r.onset is not None]
    caught = [
        at <= max(r.onset or 0, DEFAULT.steps_needed) + 0.02 * r.steps + r.steps / LOOKS
        for at, r in leads
        if at is not None
    ]
    delay = [(at - (r.onset or 0)) / r.steps for at, r in leads if at is not None]
    rate = 1000 * episodes / max(steps, 1)
    within = f"onset (or step {DEFAULT.steps_needed}) + 2 % + one look"
    return [
        f"Live, judged {LOOKS} times a run: {episodes} false alarms in {steps} healthy steps = {rate:.3f} per 1000 steps.",
        f"Alarm no later than {within}: {wilson(sum(caught), len(leads))}; median delay {np.median(delay):.3f} of the run.",
    ]


def _episodes(alarms: Iterable[tuple[int, frozenset[str]]]) -> int:
    count, before = 0, False
    for _, checks in alarms:
        count += bool(checks) and not before
        before = bool(checks)
    return count


def _first_lasting(r: Judged) -> int | None:
    """The first look after the onset at which something had failed."""
    return next((at for at, checks in r.alarms if checks and at > (r.onset or 0)), None)


def _reliability(runs: Sequence[Judged]) -> list[str]:
    said = [(f.confidence, f.check in r.causes) for r in runs for f in r.roots if f.confidence is not None]
    lines = ["| said with confidence | findings | right |", "|---|---|---|"]
    for low, high in ((0.0, 0.5), (0.5, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 1.01)):
        part = [right for c, right in said if low <= c < high]
        if part:
            mean = np.mean([c for c, _ in said if low <= c < high])
            lines.append(f"| {mean:.2f} ({low:g} to {min(high, 1):g}) | {len(part)} | {wilson(sum(part), len(part))} |")
    return lines


def _checkpoints(well: Sequence[Judged]) -> list[str]:
    """Whether the evaluation that `convergence` would ship is as good as the best one, by a held-out score that the checks never read.

    The score is the energy distance of fresh samples to held-out reals, the median of a look and its two neighbours. As good is within
    AS_GOOD times the noise of one look above the least: the least of many looks is low by luck.
    """
    hits = count = 0
    drawn = 0.0
    for r in well:
        claim = r.diagnosis.finding("convergence").claim
        seen = [s for s in r.seen if "held_out" in s]
        if "ship step " not in claim or len(seen) < 4:
            continue
        step = int(claim.split("ship step ")[1].split(":")[0])
        near = min(range(len(seen)), key=lambda i, at=step: abs(seen[i]["step"] - at))
        good = as_good([s["held_out"] for s in seen])
        count += 1
        hits += bool(good[near])
        drawn += float(np.mean(good))
    return [
        "The checkpoint that `convergence` names is as good as the best by energy distance to held-out reals: "
        f"{wilson(hits, count)}; one drawn at random would be in {drawn / max(count, 1):.3f}."
    ]


def as_good(looks: Sequence[float]) -> np.ndarray:
    """Tells which looks (n,) at a score, less is better, are as good as the best one, within their noise."""
    smooth = np.array([np.median(looks[max(0, i - 1) : i + 2]) for i in range(len(looks))])
    steps = np.diff(looks[len(looks) // 2 :])
    noise = 1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2)
    return np.asarray(smooth <= smooth.min() + AS_GOOD * noise)


def _wrong(sick: Sequence[Judged], well: Sequence[Judged]) -> list[str]:
    lines = ["Every run that was judged wrongly:", ""]
    for r in sick:
        if not r.failed:
            lines.append(f"- missed: {r.name} seed {r.seed} ({', '.join(r.causes)}): {r.diagnosis.story}")
        elif r.roots[0].check not in r.causes:
            lines.append(f"- wrong cause: {r.name} seed {r.seed} ({', '.join(r.causes)}): {r.diagnosis.story}")
    lines += [f"- false alarm: {r.name} seed {r.seed}: {r.diagnosis.story}" for r in well if r.failed]
    return lines if len(lines) > 2 else ["No run was judged wrongly."]


# -------------------------------------------------------------------------------------------------------------- the command


def record(out: Path, seeds: Sequence[int], names: Sequence[str]) -> None:
    """Records what is missing."""
    import torch

    from benchmarks.diagnosis_play import play
    from gandiag.recording import Recorder

    torch.set_num_threads(1)
    for seed in seeds:
        for name in names:
            folder = out / f"{name}-{seed}"
            if (folder / "label.json").exists():
                continue
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            began = time.perf_counter()
            play(CASES[name], seed, folder, Recorder)
            print(f"{name} seed {seed}: {time.perf_counter() - began:.0f} s", flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["record", "judge"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--only", default="", help="names of configurations, with commas")
    parser.add_argument("--calibration", default="0", help="the seeds on which limits were set")
    parser.add_argument(
        "--mended", default="0,1", help="the seeds of the fresh configurations after whose runs a rule was mended"
    )
    parser.add_argument("--no-live", action="store_true", help="judge at the end only")
    args = parser.parse_args()
    names = args.only.split(",") if args.only else list(CASES)
    if args.what == "record":
        record(args.out, [int(s) for s in args.seeds.split(",")], names)
        return
    calibration, mended = ({int(s) for s in given.split(",") if s} for given in (args.calibration, args.mended))
    folders = sorted(f.parent for f in args.out.glob("*/label.json") if f.parent.name.rsplit("-", 1)[0] in names)
    for bare in (False, True):
        began = time.perf_counter()
        runs = [judge_run(folder, bare=bare, live=not args.no_live) for folder in folders]
        first = [r for r in runs if not (CASES[r.name].fresh or CASES[r.name].later)]
        how = "bare (no evaluations)" if bare else "with evaluations"
        for title, part in (
            ("calibration seeds", [r for r in first if r.seed in calibration]),
            ("other seeds", [r for r in first if r.seed not in calibration]),
            (
                "fresh configurations, seeds after which rules were mended",
                [r for r in runs if r.seed in mended and CASES[r.name].fresh],
            ),
            (
                "fresh configurations, seeds that nobody had seen",
                [r for r in runs if r.seed not in mended and CASES[r.name].fresh],
            ),
            ("a third set of configurations", [r for r in runs if CASES[r.name].later]),
        ):
            if part:
                print("\n".join(report(f"{how}, {title}", part)), "\n")
        print(f"({len(runs)} runs judged in {time.perf_counter() - began:.0f} s)\n")


if __name__ == "__main__":
    main()
