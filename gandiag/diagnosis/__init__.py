"""Diagnosis: what is wrong with a run, since when, why, and what to do. Reads runs only; never imports torch."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Sequence

from gandiag.diagnosis.balance import discriminator_dominance, vanishing_generator_gradient
from gandiag.diagnosis.collapse import mode_collapse
from gandiag.diagnosis.dropping import mode_dropping
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.failures import divergence, numerical_failure
from gandiag.diagnosis.finding import Diagnosis, Finding, Overall, Verdict
from gandiag.diagnosis.inputs import data_mismatch
from gandiag.diagnosis.limits import DEFAULT, Limits, load_limits, make_limits
from gandiag.diagnosis.memory import discriminator_overfitting, memorisation
from gandiag.diagnosis.motion import oscillation
from gandiag.diagnosis.objective import objective_fault
from gandiag.diagnosis.progress import convergence, stagnation
from gandiag.diagnosis.rates import learning_rate
from gandiag.diagnosis.scores import metric_fault
from gandiag.diagnosis.story import tell
from gandiag.diagnosis.weakness import discriminator_weakness
from gandiag.diagnosis.weights import dead_layers, spectral_collapse
from gandiag.errors import NotRecorded

Check = Callable[[Recorded], Finding]
CHECKS: tuple[Check, ...] = (
    objective_fault,
    data_mismatch,
    metric_fault,
    numerical_failure,
    divergence,
    learning_rate,
    mode_collapse,
    mode_dropping,
    discriminator_dominance,
    discriminator_weakness,
    vanishing_generator_gradient,
    discriminator_overfitting,
    memorisation,
    oscillation,
    spectral_collapse,
    dead_layers,
    stagnation,
    convergence,
)

__all__ = [
    "CHECKS",
    "CannotTell",
    "Check",
    "Diagnosis",
    "Evidence",
    "Finding",
    "Limits",
    "Overall",
    "Recorded",
    "Verdict",
    "diagnose",
    "evidence",
    "judge",
    "load_limits",
    "make_limits",
]


def diagnose(
    run: Recorded | str | os.PathLike[str], checks: Sequence[Check] = CHECKS, limits: Limits | None = None
) -> Diagnosis:
    """Judges a run, or the run directory or the log at a path, also one that is still being written: every check, told as one story.

    >>> diagnose("runs/00000-mlp-digits").verdict   # doctest: +SKIP
    <Overall.STABLE: 'stable'>
    """
    if isinstance(run, str | os.PathLike):
        from gandiag.logs import open_recording

        run = open_recording(run)
    seen = run if isinstance(run, Evidence) and limits in (None, run.limits) else Evidence(run, limits or DEFAULT)
    return tell(seen, [judge(check, seen) for check in checks])


class BrokenCheck(RuntimeWarning):
    """A check raised what no check should; it counts as not made."""


def judge(check: Check, run: Recorded) -> Finding:
    """Makes one check; what was not recorded becomes NOT_CHECKED here and nowhere else.

    So does a verdict on numbers that are NaN: comparisons with NaN are false, and must not read as healthy.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of numpy on stretches that hold nothing but NaN
            finding = check(run)
    except NotRecorded as missing:
        return Finding(check.__name__, Verdict.NOT_CHECKED, str(missing))
    except CannotTell as reason:
        return Finding(check.__name__, Verdict.NOT_CHECKED, str(reason))
    except (
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:  # one broken check must not take the others along
        told = f"this check broke on this run ({type(error).__name__}: {error}); that is a defect of gandiag: please report it"
        warnings.warn(f"gandiag's check {check.__name__}: {told}", BrokenCheck, stacklevel=2)
        return Finding(check.__name__, Verdict.NOT_CHECKED, told)
    if finding.verdict in (Verdict.HEALTHY, Verdict.SUSPECT) and re.search(r"\bnan\b", finding.claim):
        return Finding(
            check.__name__,
            Verdict.NOT_CHECKED,
            f"what was measured is not finite: {finding.claim}",
            series=finding.series,
        )
    return finding
