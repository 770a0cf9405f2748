"""Facts: what the page, report.json and the Markdown say of a run in words; nothing here draws."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from gandiag.diagnosis.finding import Diagnosis, Finding, Overall, Verdict
from gandiag.quantities import quantity
from gandiag.reporting.numbers import number, percent, plain
from gandiag.run import Run

ICONS = {
    Overall.STABLE: "✓",
    Overall.SUSPECT: "!",
    Overall.UNSTABLE: "✕",
    Overall.INCONCLUSIVE: "?",
    Verdict.HEALTHY: "✓",
    Verdict.SUSPECT: "!",
    Verdict.FAILED: "✕",
    Verdict.NOT_CHECKED: "?",
}
TONES = {
    Overall.STABLE: "good",
    Overall.SUSPECT: "warn",
    Overall.UNSTABLE: "bad",
    Overall.INCONCLUSIVE: "none",
    Verdict.HEALTHY: "good",
    Verdict.SUSPECT: "warn",
    Verdict.FAILED: "bad",
    Verdict.NOT_CHECKED: "none",
}


def check_title(check: str) -> str:
    """Returns a check's code as words: mode_collapse -> 'Mode collapse'."""
    words = check.replace("_", " ")
    return words[:1].upper() + words[1:]


def identity(run: Run) -> list[tuple[str, str]]:
    """Returns what the run is in a few words: recipe, data, seed, device, when."""
    about = run.about
    data, device = _mapping(about, "data"), _mapping(about, "device")
    rows = [
        ("recipe", about.get("recipe")),
        ("data", data.get("name")),
        ("loss", about.get("loss")),
        ("seed", about.get("seed")),
        ("device", device.get("name") or device.get("type")),
        ("recorded", str(about.get("created") or "")[:16].replace("T", " ") or None),
    ]
    return [(label, plain(value)) for label, value in rows if value is not None]


def reproduce(run: Run) -> dict[str, Any]:
    """Returns what it takes to make the run again: command, configuration with sources, versions, device, commit, data, players."""
    about = run.about
    command, sources = about.get("command"), _mapping(about, "config_sources")
    config = [
        (str(k), plain(v), str(sources.get(k, "")))
        for k, v in sorted(_mapping(about, "config").items(), key=lambda kv: str(kv[0]))
    ]
    facts = [
        ("Seed", about.get("seed")),
        ("Commit", about.get("commit")),
        ("Created", about.get("created")),
        ("Status", about.get("status")),
        ("Ended because", about.get("ended_because")),
    ]
    facts += [(check_title(k), v) for k, v in _mapping(about, "device").items()]
    return {
        "command": shlex.join(str(c) for c in command)
        if isinstance(command, list)
        else plain(command)
        if command
        else "",
        "config": config,
        "facts": [(k, plain(v)) for k, v in facts if v is not None],
        "versions": [(str(k), plain(v)) for k, v in _mapping(about, "versions").items()],
        "data": [(str(k), _shortened(v)) for k, v in _mapping(about, "data").items() if v is not None],
        "players": _players(about),
        "probes": [(str(k), plain(v)) for k, v in _mapping(about, "probes").items()],
        "could_not_tell": [
            *_sentences(about),
            *(f"{name} is damaged: what it held is missing" for name in run.unreadable),
        ],
    }


def _sentences(about: Mapping[str, Any]) -> list[str]:
    told = about.get("could_not_tell")
    return [plain(s) for s in told] if isinstance(told, list) else []


def _mapping(about: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = about.get(key)
    return value if isinstance(value, Mapping) else {}


def _players(about: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    rows = []
    for who in ("generator", "discriminator"):
        player, optimizer = _mapping(_mapping(about, "players"), who), _mapping(_mapping(about, "optimizers"), who)
        if player or optimizer:
            count = player.get("parameters")
            size = f"{number(count)} parameters" if isinstance(count, int) else ""
            rows.append(
                (
                    who,
                    " · ".join(x for x in (plain(player.get("class", "")), size, plain(player.get("output", ""))) if x),
                    ", ".join(f"{k} {plain(v)}" for k, v in optimizer.items()),
                )
            )
    return rows


def _shortened(value: Any, limit: int = 160) -> str:
    """Returns a fact about the data in a line or two: numbers of a list with few digits, points in brackets."""
    if isinstance(value, list) and any(isinstance(v, (float, list)) for v in value):
        words = ", ".join(f"({_few_digits(v)})" if isinstance(v, list) else _few_digits([v]) for v in value)
    else:
        words = plain(value)
    return words if len(words) <= limit else words[:limit] + " …"


def _few_digits(values: list[Any]) -> str:
    return ", ".join(number(round(v, 3), 3) if isinstance(v, float) else plain(v) for v in values)


def counted(diagnosis: Diagnosis) -> str:
    """Returns how many checks were made and what they said: '9 healthy, 1 failed, 3 not checked'."""
    words = [
        (sum(f.verdict is v for f in diagnosis.findings), str(v))
        for v in (Verdict.FAILED, Verdict.SUSPECT, Verdict.HEALTHY, Verdict.NOT_CHECKED)
    ]
    return ", ".join(f"{n} {word}" for n, word in words if n) or "no check was made"


def finding_facts(finding: Finding) -> dict[str, Any]:
    """Returns a finding as plain data for report.json."""
    return {
        "check": finding.check,
        "kind": finding.kind,
        "verdict": str(finding.verdict),
        "claim": finding.claim,
        "cause": finding.cause,
        "remedies": list(remedies(finding)),
        "series": list(finding.series),
        "onset": finding.onset,
        "end": finding.end,
        "confidence": finding.confidence,
        "because_of": finding.because_of,
    }


def remedies(finding: Finding) -> tuple[str, ...]:
    """Returns the remedies in order; the first one alone where only that is given."""
    return finding.remedies or ((finding.remedy,) if finding.remedy else ())


def confidence(finding: Finding) -> str:
    """Returns the confidence in words, '' where none is given."""
    return "" if finding.confidence is None else f"{percent(finding.confidence)} sure"


def meaning(name: str) -> str:
    """Returns what a series means, '' for one that the vocabulary does not hold."""
    known = quantity(name)
    return known.meaning if known else ""
