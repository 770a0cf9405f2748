"""The story: which finding is the root, which are its consequences, the overall verdict, and one sentence that says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gandiag.diagnosis.evidence import Evidence
from gandiag.diagnosis.finding import Diagnosis, Finding, Overall, Verdict

# A check may cause those that stand behind its name; what stands earlier in the table is the deeper cause.
CAUSES: dict[str, tuple[str, ...]] = {
    "objective_fault": ("*",),
    "data_mismatch": ("*",),
    "metric_fault": ("convergence", "mode_dropping", "memorisation", "stagnation"),
    "learning_rate": (
        "metric_fault",
        "divergence",
        "numerical_failure",
        "mode_collapse",
        "oscillation",
        "discriminator_dominance",
        "vanishing_generator_gradient",
        "dead_layers",
        "spectral_collapse",
        "stagnation",
        "convergence",
        "mode_dropping",
        "discriminator_weakness",
    ),
    "discriminator_weakness": (
        "mode_collapse",
        "divergence",
        "stagnation",
        "oscillation",
        "mode_dropping",
        "convergence",
        "vanishing_generator_gradient",
    ),
    "divergence": (
        "metric_fault",
        "numerical_failure",
        "mode_collapse",
        "discriminator_dominance",
        "vanishing_generator_gradient",
        "oscillation",
        "spectral_collapse",
        "stagnation",
        "convergence",
        "mode_dropping",
        "dead_layers",
        "discriminator_weakness",
    ),
    "numerical_failure": (
        "metric_fault",
        "divergence",
        "mode_collapse",
        "stagnation",
        "convergence",
        "mode_dropping",
        "discriminator_dominance",
        "vanishing_generator_gradient",
    ),
    "dead_layers": (
        "mode_collapse",
        "discriminator_dominance",
        "discriminator_weakness",
        "vanishing_generator_gradient",
        "oscillation",
        "stagnation",
        "mode_dropping",
        "convergence",
    ),
    "vanishing_generator_gradient": (
        "discriminator_dominance",
        "mode_collapse",
        "stagnation",
        "mode_dropping",
        "convergence",
        "dead_layers",
        "learning_rate",
    ),
    "discriminator_dominance": (
        "mode_collapse",
        "stagnation",
        "mode_dropping",
        "convergence",
        "vanishing_generator_gradient",
        "oscillation",
        "learning_rate",
    ),
    "discriminator_overfitting": (
        "memorisation",
        "mode_collapse",
        "mode_dropping",
        "convergence",
        "discriminator_dominance",
        "stagnation",
    ),
    "mode_collapse": (
        "mode_dropping",
        "oscillation",
        "spectral_collapse",
        "stagnation",
        "convergence",
        "discriminator_dominance",
        "memorisation",
        "discriminator_weakness",
        "vanishing_generator_gradient",
    ),
    "memorisation": ("mode_dropping", "convergence"),
    "spectral_collapse": ("mode_dropping", "stagnation", "convergence"),
    "oscillation": ("mode_dropping", "stagnation", "convergence"),
    "stagnation": ("convergence", "mode_dropping"),
    "mode_dropping": ("convergence",),
    "convergence": (),
}
# The share of findings of each check that were right on the calibration seeds of benchmarks/diagnosis.py, (right + 1) / (all + 2), rounded down;
# .8 where fewer than five were seen. A suspicion is worth half: what made it one is that a second sign was missing.
CONFIDENCE = {
    "numerical_failure": 0.95, "objective_fault": 0.95, "data_mismatch": 0.9, "metric_fault": 0.9, "divergence": 0.9, "mode_collapse": 0.95,
    "discriminator_dominance": 0.85, "discriminator_weakness": 0.9, "vanishing_generator_gradient": 0.9, "discriminator_overfitting": 0.85,
    "memorisation": 0.85,
}  # fmt: skip
UNCALIBRATED = 0.8
SUSPICION = 0.3  # few stand alone: beside a failed finding they are told as its consequences
_RANK = {check: i for i, check in enumerate(CAUSES)}
_SEVERITY = {Verdict.FAILED: 0, Verdict.SUSPECT: 1, Verdict.HEALTHY: 2, Verdict.NOT_CHECKED: 3}
# A generator that collapses is easy to tell, and one that draws a single point is dead: D's dominance, or a gradient that died behind the
# logit, explains a collapse only where it came well before, or was there from the start.
MUST_PRECEDE = (
    ("discriminator_dominance", "mode_collapse"),
    ("discriminator_dominance", "divergence"),
    ("vanishing_generator_gradient", "mode_collapse"),
)
# A saturating loss is the cause whenever its gradient dies; and the outcome of a run is read at its end, whenever it began.
ANY_TIME = (
    ("vanishing_generator_gradient", "discriminator_dominance"),
    ("vanishing_generator_gradient", "mode_collapse"),
)
SATURATES = "logit"  # the kind of a vanishing gradient that dies in the loss
OUTCOMES = ("stagnation", "convergence", "mode_dropping", "memorisation")
NOT_OF_THE_GAME = ("metric_fault",)  # an illness of the measurement: the training itself may be well
MUST_BE_CHECKED = ("divergence", "mode_collapse")  # without these nobody can call a run stable
NEED_EVALUATIONS = ("mode_dropping", "convergence")
LATER = 0.05  # share of the run by which a cause may be noticed after its consequence


def tell(e: Evidence, findings: Sequence[Finding]) -> Diagnosis:
    """Orders findings into one story: roots first, each followed by its consequences; then what is healthy or was not checked."""
    linked = [_with_confidence(f) for f in _link(findings, LATER * e.steps)]
    roots = sorted((f for f in linked if _ill(f) and not f.because_of), key=_weight)
    ordered: list[Finding] = []
    for root in roots:
        ordered.append(root)
        ordered += sorted((f for f in linked if f.because_of == root.check), key=_weight)
    ordered += sorted(
        (f for f in linked if not _ill(f)), key=lambda f: (_SEVERITY[f.verdict], _RANK.get(f.check, len(_RANK)))
    )
    verdict = _overall(e, ordered)
    return Diagnosis(verdict, tuple(ordered), _sentence(e, verdict, ordered))


def _with_confidence(f: Finding) -> Finding:
    if not _ill(f) or f.confidence is not None:
        return f
    return replace(f, confidence=SUSPICION if f.verdict is Verdict.SUSPECT else CONFIDENCE.get(f.check, UNCALIBRATED))


def _ill(f: Finding) -> bool:
    return f.verdict in (Verdict.FAILED, Verdict.SUSPECT)


def _weight(f: Finding) -> tuple[int, int, int]:
    return (_SEVERITY[f.verdict], _RANK.get(f.check, len(_RANK)), f.onset if f.onset is not None else -1)


def _link(findings: Sequence[Finding], slack: float) -> list[Finding]:
    """Gives each consequence the name of its root."""
    ill = [f for f in findings if _ill(f)]
    parent: dict[str, str] = {}
    for f in ill:
        causes = [c for c in ill if c.check != f.check and _may_cause(c, f, slack)]
        if causes:
            parent[f.check] = min(causes, key=_weight).check
    _break_circles(parent, {f.check: f for f in ill})
    return [replace(f, because_of=_root(f.check, parent)) if f.check in parent else f for f in findings]


def _break_circles(parent: dict[str, str], ill: dict[str, Finding]) -> None:
    """Makes the deepest of findings that lead to each other a root: none may lose itself in a circle, with all that follows from it."""
    for check in ill:
        way: list[str] = []
        while check in parent and check not in way:
            way.append(check)
            check = parent[check]
        if check in way:
            del parent[min(way[way.index(check) :], key=lambda c: _weight(ill[c]))]


def _root(check: str, parent: dict[str, str]) -> str:
    while check in parent:
        check = parent[check]
    return check


def _may_cause(cause: Finding, effect: Finding, slack: float) -> bool:
    if not _table_allows(cause, effect) or _SEVERITY[cause.verdict] > _SEVERITY[effect.verdict]:
        return False
    if not _early_enough(cause, effect, slack):
        return False
    both_ways = (
        _table_allows(effect, cause)
        and _SEVERITY[effect.verdict] <= _SEVERITY[cause.verdict]
        and _early_enough(effect, cause, slack)
    )
    return not both_ways or _RANK.get(cause.check, 99) < _RANK.get(effect.check, 99)


def _table_allows(cause: Finding, effect: Finding) -> bool:
    behind = CAUSES.get(cause.check, ())
    return effect.check in behind or "*" in behind


def _early_enough(cause: Finding, effect: Finding, slack: float) -> bool:
    """A cause may be noticed a little later than its effect; one that must precede comes clearly before it, or is there from the start."""
    if (
        cause.onset is None
        or effect.onset is None
        or effect.check in OUTCOMES
        or (cause.kind == SATURATES and (cause.check, effect.check) in ANY_TIME)
    ):
        return True
    if (cause.check, effect.check) in MUST_PRECEDE:
        return cause.onset <= max(2 * slack, effect.onset - slack)
    return cause.onset <= effect.onset + slack


def _overall(e: Evidence, findings: Sequence[Finding]) -> Overall:
    failed = [f for f in findings if f.verdict is Verdict.FAILED]
    if any(f.check not in NOT_OF_THE_GAME for f in failed):
        return Overall.UNSTABLE
    if failed or any(f.verdict is Verdict.SUSPECT for f in findings):
        return Overall.SUSPECT
    must = ("divergence", "oscillation") if e.single_point else MUST_BE_CHECKED
    unseen = [f for f in findings if f.check in must and f.verdict is Verdict.NOT_CHECKED]
    if e.short or unseen or not any(f.verdict is Verdict.HEALTHY for f in findings):
        return Overall.INCONCLUSIVE
    return Overall.STABLE


def _sentence(e: Evidence, verdict: Overall, findings: Sequence[Finding]) -> str:
    ill = [f for f in findings if _ill(f)]
    if ill:
        root = ill[0]
        since = f" since step {root.onset}" if root.onset and f"step {root.onset}" not in root.claim else ""
        effects = [words(f.check) for f in ill[1:] if f.because_of == root.check]
        others = [words(f.check) for f in ill[1:] if not f.because_of]
        then = f"; it brings {_list(effects)}" if effects else ""
        beside = f"; beside it {_list(others)}" if others else ""
        return f"{words(root.check).capitalize()}{f' ({root.kind})' if root.kind else ''}{since}: {root.claim}{then}{beside}."
    unseen = [words(f.check) for f in findings if f.verdict is Verdict.NOT_CHECKED]
    if verdict is Overall.STABLE:
        unjudged = (
            "; how good the samples are was not judged: no evaluation was recorded" if _unjudged(findings) else ""
        )
        return (
            f"No illness was found in {e.steps} {e.step_word}s{unjudged}"
            + (f"; not checked: {_list(unseen)}" if unseen else "")
            + "."
        )
    why = (
        f"{e.steps} {e.step_word}{'s are' if e.steps != 1 else ' is'} too few"
        if e.short
        else f"not checked: {_list(unseen)}"
    )
    return f"No illness was found, but the run cannot be called stable: {why}."


def _unjudged(findings: Sequence[Finding]) -> bool:
    """Whether nothing measured the samples themselves: stable is then said of the game alone."""
    asked = [f.verdict for f in findings if f.check in NEED_EVALUATIONS]
    return bool(asked) and all(verdict is Verdict.NOT_CHECKED for verdict in asked)


def words(check: str) -> str:
    """Returns a check's code as words."""
    return check.replace("_", " ")


def _list(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
