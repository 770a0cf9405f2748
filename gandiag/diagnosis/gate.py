"""The gate: several runs judged together, against baselines where there are some, and which findings it fails on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gandiag.diagnosis.baseline import Change, regressions
from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.finding import Diagnosis, Finding, Overall, Verdict
from gandiag.diagnosis.limits import DEFAULT, Limits

Named = tuple[str, Diagnosis]


@dataclass(frozen=True)
class Judged:
    """What the gate saw: each run's diagnosis, the changes against the baseline, what it fails on, and what it could not read in logs."""

    runs: tuple[Named, ...]
    changes: tuple[Change, ...]
    failing: tuple[tuple[str, Finding], ...]
    ignored: tuple[tuple[str, tuple[str, ...]], ...] = ()  # of each log the columns that have no meaning here


def judge_runs(
    runs: Sequence[str | os.PathLike[str]],
    baselines: Sequence[str | os.PathLike[str]] = (),
    *,
    fail_on: Sequence[str] = ("failed",),
    limits: Limits | None = None,
    names: Mapping[str, str] | None = None,
) -> Judged:
    """Judges runs or logs; `names` maps a log's columns to ours; several runs are taken for seeds where there is a baseline."""
    from gandiag.diagnosis import diagnose
    from gandiag.logs import open_recording

    def judged(path: str | os.PathLike[str]) -> tuple[Evidence, Diagnosis]:
        seen = Evidence(open_recording(path, names), limits or DEFAULT)
        return seen, diagnose(seen, limits=limits)

    mine = [judged(path) for path in runs]
    told = [(str(path), diagnosis) for path, (_, diagnosis) in zip(runs, mine)]
    failing = failing_findings(told, fail_on)
    ignored = tuple(
        (str(p), columns) for p, (seen, _) in zip(runs, mine) if (columns := getattr(seen.run, "ignored", ()))
    )
    if not baselines:
        return Judged(tuple(told), (), tuple(failing), ignored)
    changes, new = regressions(mine, [judged(path) for path in baselines])
    already = {(name, f.check) for name, f in failing}
    failing += [
        (name, f) for name, d in told for f in d.findings if any(f is n for n in new) and (name, f.check) not in already
    ]
    failing += [("baseline", _as_finding(c)) for c in changes if c.worse]
    return Judged(tuple(told), tuple(changes), tuple(failing if "never" not in fail_on else ()), ignored)


def failing_findings(judged: Sequence[Named], fail_on: Sequence[str]) -> list[tuple[str, Finding]]:
    """Returns the findings that a gate fails on: `failed`, `suspect` (that and worse), `inconclusive`, `never`, or checks by their code."""
    found: list[tuple[str, Finding]] = []
    for name, d in judged:
        for f in d.findings:
            bad = f.verdict is Verdict.FAILED and ("failed" in fail_on or "suspect" in fail_on or f.check in fail_on)
            bad |= f.verdict is Verdict.SUSPECT and "suspect" in fail_on
            bad |= f.verdict is Verdict.NOT_CHECKED and d.verdict is Overall.INCONCLUSIVE and "inconclusive" in fail_on
            if bad:
                found.append((name, f))
    return found


def _as_finding(change: Change) -> Finding:
    return Finding(
        "regression",
        Verdict.FAILED,
        change.claim,
        cause="the score is worse than the baseline's",
        series=(change.score,),
    )
