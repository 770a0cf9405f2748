"""The story of a run as Markdown: for a pull request, a log or a terminal."""

from __future__ import annotations

import os
from typing import Any

from gandiag.diagnosis.finding import Diagnosis, Verdict
from gandiag.reporting import facts, numbers, scorecard
from gandiag.reporting.compare import compare_runs, comparison_markdown
from gandiag.reporting.markdown import escape, table
from gandiag.reporting.opened import opened
from gandiag.run import Run


def write_markdown(
    run: Run | str | os.PathLike[str],
    *,
    diagnosis: Diagnosis | None = None,
    baseline: Run | str | os.PathLike[str] | None = None,
) -> str:
    """Returns the verdict, the scorecard, the findings and the checks of a run as Markdown."""
    run = opened(run)
    diagnosis = diagnosis or _diagnose(run)
    parts = [
        f"## {facts.ICONS[diagnosis.verdict]} {str(diagnosis.verdict).upper()}: {escape(name(run))}",
        escape(diagnosis.story),
        escape(scorecard.best_sentence(run, diagnosis)),
        _scorecard(run, diagnosis),
        *(_finding(f) for f in diagnosis.illnesses),
        _checks(diagnosis),
        _reproduce(run),
    ]
    if baseline is not None:
        parts.insert(4, comparison_markdown(compare_runs([baseline, run], by_group=False)))
    return "\n\n".join(p for p in parts if p) + "\n"


def name(run: Run) -> str:
    """Returns the run's name."""
    return str(run.about.get("name") or run.path.name)


def _diagnose(run: Run) -> Diagnosis:
    from gandiag.diagnosis import diagnose

    return diagnose(run)


def _scorecard(run: Run, diagnosis: Diagnosis) -> str:
    return table(["", "", ""], [[t.label, t.value, t.note] for t in scorecard.scorecard(run, diagnosis)])


def _finding(finding: Any) -> str:
    when = numbers.steps(finding.onset, finding.end)
    kind = f" ({escape(finding.kind.replace('_', ' '))})" if finding.kind else ""
    lines = [
        f"### {facts.ICONS[finding.verdict]} {escape(facts.check_title(finding.check))}{kind}: {finding.verdict}"
        + (f", {when}" if when else ""),
        escape(finding.claim),
    ]
    if finding.cause:
        lines.append(f"**Why.** {escape(finding.cause)}")
    lines += ["\n".join(f"{i}. {escape(r)}" for i, r in enumerate(facts.remedies(finding), 1))]
    return "\n\n".join(line for line in lines if line)


def _checks(diagnosis: Diagnosis) -> str:
    order = list(Verdict)
    rows = [
        [f.check, str(f.verdict), f.claim] for f in sorted(diagnosis.findings, key=lambda f: -order.index(f.verdict))
    ]
    return (
        f"<details><summary>All checks: {facts.counted(diagnosis)}</summary>\n\n{table(['check', 'result', 'measured'], rows)}\n\n</details>"
        if rows
        else ""
    )


def _reproduce(run: Run) -> str:
    command = facts.reproduce(run)["command"]
    words = " ".join(command.split()).replace("`", "'")
    return f"Made with `{words}`." if command else ""
