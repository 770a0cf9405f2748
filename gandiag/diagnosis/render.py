"""A diagnosis in words: as plain text, as JSON, as Markdown for a pull request, as JUnit XML for a CI server."""

from __future__ import annotations

import datetime
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gandiag.diagnosis.finding import Diagnosis, Finding, Verdict
from gandiag.diagnosis.gate import Judged
from gandiag.errors import printable

MARKS = {Verdict.FAILED: "FAIL", Verdict.SUSPECT: "WARN", Verdict.HEALTHY: "pass", Verdict.NOT_CHECKED: "skip"}


def judged_as_data(judged: Judged) -> dict[str, Any]:
    """Returns what the gate saw as what JSON has."""
    return {
        "runs": [as_data(name, d) for name, d in judged.runs],
        "changes": [asdict(c) for c in judged.changes],
        "failing": [{"run": name, "check": f.check, "claim": f.claim} for name, f in judged.failing],
    }


def as_data(name: str, diagnosis: Diagnosis) -> dict[str, Any]:
    """Returns a diagnosis as what JSON has."""
    findings = [{**asdict(f), "verdict": f.verdict.value} for f in diagnosis.findings]
    return {"run": name, "verdict": diagnosis.verdict.value, "story": diagnosis.story, "findings": findings}


def judged_as_text(judged: Judged, *, everything: bool = False) -> str:
    """Returns what the gate saw as lines for a terminal."""
    lines = [as_text(name, d, everything=everything) for name, d in judged.runs]
    lines += [f"{'WORSE' if c.worse else 'same '} {c.claim}" for c in judged.changes]
    return printable("\n".join(lines))


def as_text(name: str, diagnosis: Diagnosis, *, everything: bool = False) -> str:
    """Returns a diagnosis as lines for a terminal: the verdict, then each illness with its remedy, consequences indented."""
    lines = [f"{_one_line(name)}: {diagnosis.verdict.value.upper()}. {diagnosis.story}"]
    for f in diagnosis.findings if everything else diagnosis.illnesses:
        lines += _told(f)
    return printable("\n".join(lines))


def _one_line(name: str) -> str:
    return " ".join(name.split())


def _told(f: Finding) -> list[str]:
    indent = "    " if f.because_of else "  "
    kind, since = f" ({f.kind})" if f.kind else "", f", from step {f.onset}" if f.onset is not None else ""
    end = f" to {f.end}" if f.end is not None else ""
    sure = f", confidence {f.confidence:.0%}" if f.confidence is not None else ""
    lines = [f"{indent}{MARKS[f.verdict]} {f.check}{kind}{since}{end}{sure}: {f.claim}"]
    lines += [f"{indent}     why: {f.cause}"] if f.cause else []
    lines += [f"{indent}     try: {'; then '.join(f.remedies)}"] if f.remedies else []
    return lines


def as_markdown(judged: Judged) -> str:
    """Returns a Markdown table of runs, under it each illness, and the changes against the baseline."""
    lines = ["| run | verdict | why |", "|---|---|---|"]
    lines += [f"| {_cell(name)} | **{d.verdict.value}** | {_cell(d.story)} |" for name, d in judged.runs]
    for name, d in judged.runs:
        if d.illnesses:
            lines += [
                "",
                f"### {_cell(name)}",
                "",
                "| check | verdict | from step | what was found | what to try |",
                "|---|---|---|---|---|",
            ]
            lines += [
                f"| {'↳ ' if f.because_of else ''}`{f.check}`{f' ({f.kind})' if f.kind else ''} | {f.verdict.value} | "
                f"{'' if f.onset is None else f.onset} | {_cell(f.claim)} | {_cell('; '.join(f.remedies))} |"
                for f in d.illnesses
            ]
    if judged.changes:
        lines += ["", "### Against the baseline", "", "| score | now | baseline | |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(c.score)} | {c.value:.4g} | {c.baseline:.4g} | {'**worse**' if c.worse else 'no worse'} |"
            for c in judged.changes
        ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    text = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace("\\", "\\\\").replace("\n", " ")
    return re.sub(r"([|`*_\[\]])", r"\\\1", text)


def as_junit(judged: Judged) -> str:
    """Returns JUnit XML: a test suite a run, a test case a check; failures are what the gate fails on.

    It is valid by Ant's schema and by Jenkins': hence a time and a host for each suite, and what is suspect in the suite's output.
    """
    bad = {(name, f.check) for name, f in judged.failing}
    root = ET.Element("testsuites")
    for name, d in judged.runs:
        _suite(root, name, [(f, (name, f.check) in bad) for f in d.findings])
    if judged.changes:
        changes = [
            (Finding(c.score, Verdict.FAILED if c.worse else Verdict.HEALTHY, c.claim), c.worse) for c in judged.changes
        ]
        _suite(root, "baseline", changes)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ET.Element, name: str, cases: Sequence[tuple[Finding, bool]]) -> None:
    facts = {
        "name": printable(name),
        "tests": str(len(cases)),
        "failures": str(sum(bad for _, bad in cases)),
        "skipped": str(sum(f.verdict is Verdict.NOT_CHECKED and not bad for f, bad in cases)),
        "errors": "0",
        "package": "gandiag",
        "id": str(len(root)),
        "time": "0",
        "timestamp": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "hostname": "localhost",
    }
    suite = ET.SubElement(root, "testsuite", facts)
    ET.SubElement(suite, "properties")
    for f, bad in cases:
        case = ET.SubElement(suite, "testcase", classname=printable(name), name=printable(f.check), time="0")
        if bad:
            ET.SubElement(case, "failure", message=printable(f.claim), type=f.verdict.value).text = printable(
                "\n".join(_told(f))
            )
        elif f.verdict is Verdict.NOT_CHECKED:
            ET.SubElement(case, "skipped", message=printable(f.claim))
    suspected = [line for f, bad in cases if f.verdict is Verdict.SUSPECT and not bad for line in _told(f)]
    ET.SubElement(suite, "system-out").text = printable("\n".join(suspected))
    ET.SubElement(suite, "system-err")
