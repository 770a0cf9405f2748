"""A diagnosis in words: as plain text, as JSON, as Markdown for a pull request, as JUnit XML for a CI server."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gandiag.diagnosis.finding import Diagnosis, Finding, Overall, Verdict

MARKS = {Verdict.FAILED: "FAIL", Verdict.SUSPECT: "WARN", Verdict.HEALTHY: "pass", Verdict.NOT_CHECKED: "skip"}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")

Judged = tuple[str, Diagnosis]


def plain(text: str) -> str:
    """Returns a text without control characters: a run's name may hold escape codes for the reader's terminal."""
    return _UNPRINTABLE.sub("?", text)


def as_data(name: str, diagnosis: Diagnosis) -> dict[str, Any]:
    """Returns a diagnosis as what JSON has."""
    return {"run": name, "verdict": diagnosis.verdict.value, "story": diagnosis.story,
            "findings": [{**asdict(f), "verdict": f.verdict.value} for f in diagnosis.findings]}  # fmt: skip


def as_text(name: str, diagnosis: Diagnosis, *, everything: bool = False) -> str:
    """Returns a diagnosis as lines for a terminal: the verdict, then each illness with its remedy, consequences indented."""
    lines = [f"{name}: {diagnosis.verdict.value.upper()}. {diagnosis.story}"]
    for f in diagnosis.findings if everything else diagnosis.illnesses:
        lines += _told(f)
    return plain("\n".join(lines))


def _told(f: Finding) -> list[str]:
    indent = "    " if f.because_of else "  "
    kind, since = f" ({f.kind})" if f.kind else "", f", from step {f.onset}" if f.onset is not None else ""
    end = f" to {f.end}" if f.end is not None else ""
    sure = f", confidence {f.confidence:.0%}" if f.confidence is not None else ""
    lines = [f"{indent}{MARKS[f.verdict]} {f.check}{kind}{since}{end}{sure}: {f.claim}"]
    lines += [f"{indent}     why: {f.cause}"] if f.cause else []
    lines += [f"{indent}     try: {'; then '.join(f.remedies)}"] if f.remedies else []
    return lines


def as_markdown(judged: Sequence[Judged]) -> str:
    """Returns a Markdown table of runs, and under it each illness."""
    lines = ["| run | verdict | why |", "|---|---|---|"]
    lines += [f"| {_cell(name)} | **{d.verdict.value}** | {_cell(d.story)} |" for name, d in judged]
    for name, d in judged:
        if d.illnesses:
            lines += ["", f"### {_cell(name)}", "", "| check | verdict | from step | what was found | what to try |", "|---|---|---|---|---|"]
            lines += [f"| {'↳ ' if f.because_of else ''}`{f.check}`{f' ({f.kind})' if f.kind else ''} | {f.verdict.value} | "
                      f"{'' if f.onset is None else f.onset} | {_cell(f.claim)} | {_cell('; '.join(f.remedies))} |" for f in d.illnesses]  # fmt: skip
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    text = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace("\\", "\\\\").replace("\n", " ")
    return re.sub(r"([|`*_\[\]])", r"\\\1", text)


def as_junit(judged: Sequence[Judged], failing: Sequence[tuple[str, Finding]]) -> str:
    """Returns JUnit XML: a test suite a run, a test case a check; `failing` are the findings that the gate fails on."""
    bad = {(name, f.check) for name, f in failing}
    root = ET.Element("testsuites", name="gandiag check")
    for name, d in judged:
        skipped = sum(f.verdict is Verdict.NOT_CHECKED for f in d.findings)
        count = sum((name, f.check) in bad for f in d.findings)
        suite = ET.SubElement(root, "testsuite", name=plain(name), tests=str(len(d.findings)), failures=str(count), skipped=str(skipped), errors="0")
        for f in d.findings:
            case = ET.SubElement(suite, "testcase", classname=plain(name), name=f.check)
            if (name, f.check) in bad:
                failure = ET.SubElement(case, "failure", message=plain(f.claim), type=f.verdict.value)
                failure.text = plain("\n".join(_told(f)))
            elif f.verdict is Verdict.NOT_CHECKED:
                ET.SubElement(case, "skipped", message=plain(f.claim))
            elif f.verdict is Verdict.SUSPECT:
                ET.SubElement(case, "system-out").text = plain("\n".join(_told(f)))
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def gate(judged: Sequence[Judged], fail_on: Sequence[str]) -> list[tuple[str, Finding]]:
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
