"""Live diagnosis: judges what was recorded so far, hands each new alert out once, and says when the training should stop itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from gandiag.diagnosis import CHECKS
from gandiag.diagnosis.finding import Diagnosis, Finding, Verdict
from gandiag.diagnosis.watching import Watch
from gandiag.errors import UsageError, did_you_mean
from gandiag.run import load_run

if TYPE_CHECKING:
    from gandiag.recording import Recorder

_WATCHES: WeakKeyDictionary[Recorder, Watch] = (
    WeakKeyDictionary()
)  # what was read of each run so far, as long as it is recorded
ANY = "any"  # in stop_on: every check


def look(
    recorder: Recorder, *, stop_on: Sequence[str], stop_when: str | None, on_finding: Callable[[Finding], None] | None
) -> str:
    """Diagnoses the run up to now and returns why to stop, or an empty text. It depends on the recording alone, never on the clock."""
    recorder.flush()
    try:
        diagnosis = _WATCHES.setdefault(recorder, Watch(recorder.path)).look()
    except Exception as error:  # a diagnosis that fails must not take a week of training with it
        recorder.record_event("diagnosis_failed", why=f"{type(error).__name__}: {error}")
        return ""
    for finding in new_alerts(recorder, diagnosis):
        recorder.record_event(
            "alert", check=finding.check, verdict=str(finding.verdict), claim=finding.claim, onset=finding.onset
        )
        if on_finding is not None:
            on_finding(finding)
    return reason_to_stop(diagnosis, stop_on, stop_when)


def new_alerts(recorder: Recorder, diagnosis: Diagnosis) -> list[Finding]:
    """Returns the illnesses that have FAILED and that no alert has told of yet; a suspicion may still pass, and can wait for the end."""
    events = load_run(recorder.path).records("events")
    told = {event.get("check") for event in events if event.get("event") == "alert"}
    return [f for f in diagnosis.illnesses if f.verdict is Verdict.FAILED and f.check not in told]


def reason_to_stop(diagnosis: Diagnosis, stop_on: Sequence[str], stop_when: str | None) -> str:
    """Returns which check that was asked for has failed, or that the training has converged; an empty text where neither is so."""
    for finding in diagnosis.findings:
        if (finding.check in stop_on or ANY in stop_on) and finding.verdict == Verdict.FAILED:
            return f"{finding.check}: {finding.claim}"
    sick = any(finding.verdict == Verdict.FAILED for finding in diagnosis.findings)
    for finding in diagnosis.findings if stop_when == "converged" and not sick else ():
        if finding.check == "convergence" and finding.verdict == Verdict.HEALTHY and finding.kind != "still improving":
            return f"converged: {finding.claim}"
    return ""


def known_checks(names: Sequence[str]) -> None:
    """Raises UsageError for a name that is no check, with the nearest one."""
    codes = [check.__name__ for check in CHECKS]
    for name in names:
        if name not in (*codes, ANY):
            raise UsageError(
                f"stop_on names {name!r}, which is no check{did_you_mean(name, codes)}; there are {', '.join(codes)}, and any"
            )
