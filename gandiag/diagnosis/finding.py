"""What a check says: verdicts, findings and the diagnosis, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What one check found."""

    HEALTHY = "healthy"
    SUSPECT = "suspect"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class Overall(StrEnum):
    """What the checks together say of a run."""

    STABLE = "stable"
    SUSPECT = "suspect"
    UNSTABLE = "unstable"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Finding:
    """What one check found: its claim holds the number and the limit.

    `onset` and `end` are steps of the run; `confidence` is the probability, as calibrated by the benchmark, that an illness
    that is named here is real (None for HEALTHY and NOT_CHECKED); `remedies` are ordered, each names the option and a value;
    `because_of` names the check whose finding is this one's cause, once the story is told.
    """

    check: str
    verdict: Verdict
    claim: str
    cause: str = ""
    remedy: str = ""
    remedies: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    onset: int | None = None
    end: int | None = None
    confidence: float | None = None
    because_of: str = ""
    kind: str = ""  # a finer word within the check: 'rotating', 'total', 'cooperative' ...


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on a run: findings with the root cause first, and the story in one or two sentences."""

    verdict: Overall
    findings: tuple[Finding, ...]
    story: str

    def finding(self, check: str) -> Finding:
        """Returns the finding of one check; KeyError where that check was not among those that ran."""
        for finding in self.findings:
            if finding.check == check:
                return finding
        raise KeyError(check)

    @property
    def illnesses(self) -> tuple[Finding, ...]:
        """The findings that are FAILED or SUSPECT, root cause first."""
        return tuple(f for f in self.findings if f.verdict in (Verdict.FAILED, Verdict.SUSPECT))
