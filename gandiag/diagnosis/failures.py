"""Checks of numbers that break: numerical_failure and divergence."""

from __future__ import annotations

import math

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.fakes import distance_from_reals, relapses
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import lower_rates, regularise
from gandiag.errors import NotRecorded

WATCHED = (
    "discriminator_loss",
    "generator_loss",
    "discriminator_penalty",
    "generator_penalty",
    "discriminator_gradient_norm",
    "generator_gradient_norm",
    "real_logit_mean",
    "fake_logit_mean",
    "discriminator_parameter_norm",
    "generator_parameter_norm",
    "fake_mean",
    "real_mean",
)
GRADIENTS = ("generator_gradient_norm", "discriminator_gradient_norm")
LOSSES = ("discriminator_loss", "generator_loss")
SCORES = ("real_logit_mean", "fake_logit_mean", "real_logit_sd", "fake_logit_sd")
WEIGHTS = ("generator_parameter_norm", "discriminator_parameter_norm")


# ------------------------------------------------------------------------------------------------------- numerical failure

REALS = "real batch"  # the recorder's name for them
# so many times beyond the limits, a game need not run away for a fifth of the run: so many steps will do
FAR, FAR_STEPS = 10.0, 30
# times as wide as the reals that the fakes begin and stay; of reals at least so wide, or it is they that are out of scale
WIDE, USUAL_SD = 8.0, 0.1
HEAVY = 0.9  # momentum at which games turn unstable that are stable without (Gidel et al. 2019); it multiplies a rate by 1 / (1 - momentum)


def numerical_failure(run: Recorded) -> Finding:
    """Finds the first number that is NaN or infinite: its tensor, its layer, its step, and whether the run recovered."""
    e = evidence(run)
    bad = {name: steps for name in WATCHED if (steps := _bad_steps(e, name)) is not None}
    if not bad:
        raise NotRecorded("any loss, gradient norm or score")
    events = [r for r in e.records("events") if r.get("event") == "nonfinite" and isinstance(r.get("step"), int)]
    firsts = [(int(steps[0]), name) for name, steps in bad.items() if len(steps)]
    if not firsts and not events:
        return Finding(
            "numerical_failure",
            Verdict.HEALTHY,
            f"0 of {e.steps} steps hold a NaN or an infinity (limit: 0)",
            series=tuple(bad),
        )
    step, name = min(firsts + [(r["step"], _place(r)) for r in events], key=lambda pair: pair[0])
    place = next((_place(r) for r in events if r["step"] <= step), name)
    share = max((len(s) for s in bad.values()), default=0) / max(1, e.steps - step)
    series = tuple(n for n, s in bad.items() if len(s))
    ends = {n: steps for n, steps in bad.items() if len(steps) and _ends_bad(e, n, steps)}
    if not ends and share < 0.05:
        scaled = "gradient_scale" in e
        verdict = Verdict.HEALTHY if scaled else Verdict.SUSPECT
        why = (
            "a loss scale is looked for by overflowing now and then"
            if scaled
            else "a single overflow that the weights survived"
        )
        return Finding(
            "numerical_failure",
            verdict,
            f"{place} was not finite first at step {step}, in {share:.2%} of the steps since (limit: 0), and the run recovered",
            cause=why,
            remedies=() if scaled else ("clip the gradients of both players to norm 1",),
            series=series,
            onset=None if scaled else step,
        )
    claim = f"{place} is NaN or infinite from step {step} on ({share:.0%} of the steps since; limit: 0)"
    by_data = name == "real_mean" or place.startswith(REALS)
    return Finding(
        "numerical_failure",
        Verdict.FAILED,
        claim,
        cause="the data hold values that are no finite numbers, and the weights took them in"
        if by_data
        else "a loss or a gradient overflowed, and the weights took it in",
        remedies=(
            *(
                ("look at the data: torch.isfinite(batch).all(), and fill or drop what is missing before the game",)
                if by_data
                else lower_rates(e, "both")
            ),
            "restart from the last checkpoint before that step",
        ),
        series=series or tuple(bad)[:2],
        onset=step,
    )


def _bad_steps(e: Evidence, name: str) -> np.ndarray | None:
    try:
        series = e[name]
    except NotRecorded:
        return None
    return np.asarray(series.index.to_numpy()[~np.isfinite(series.to_numpy(dtype=float))])


def _ends_bad(e: Evidence, name: str, bad: np.ndarray) -> bool:
    """Whether the last value that was measured is among the bad ones."""
    return bool(len(bad) and bad[-1] == e[name].index[-1])


def _place(record: dict[str, object]) -> str:
    layer = record.get("layer")
    return f"{record.get('tensor', 'a tensor')}" + (f" ({layer})" if layer else "")


# -------------------------------------------------------------------------------------------------------------- divergence


def divergence(run: Recorded) -> Finding:
    """Finds a game that runs away: gradients, losses, scores or weights that outgrow their own past, or fakes that leave the data's range."""
    e = evidence(run)
    grown = {
        name: growth for name in (*GRADIENTS, *LOSSES, *SCORES, *WEIGHTS) if (growth := _growth(e, name)) is not None
    }
    away = distance_from_reals(e)
    if not grown and away is None:
        raise NotRecorded("any loss, gradient norm, score or range of the fakes")
    if e.steps < 3 * e.limits.block_rows:
        raise CannotTell(f"the run has {e.steps} steps, growth needs at least {3 * e.limits.block_rows}")
    kinds = [
        max((grown[n] for n in names if n in grown), key=trends.tail_middle, default=None)
        for names in (GRADIENTS, LOSSES, SCORES, WEIGHTS)
    ]
    present = [k for k in kinds if k is not None]
    limit = e.limits.divergence_growth
    state = _running_away(e, present, away, 1.0)
    far = _running_away(e, present, away, FAR)
    top, most = max(((n, float(np.nanmax(g))) for n, g in grown.items()), key=lambda pair: pair[1], default=("", 0.0))
    series = tuple(n for n, g in grown.items() if np.nanmax(g) > limit) or tuple(grown)[:2]
    if e.holds(state) or (state[-1] and _broke(e)) or _lately(e, far):
        heavy = _momentum(e)
        where = f"{top} is {most:.3g} times its usual level (limit: {limit:g})"
        if away is not None and trends.middle(trends.tail(away, e.limits.tail_share)) > e.limits.fake_range:
            far_off = f"fakes lie {trends.middle(trends.tail(away, e.limits.tail_share)):.3g} sd of the reals away (limit: {e.limits.fake_range:g})"
            where = f"{where}, {far_off}" if most > limit else far_off
            series += ("fake_mean", "fake_sd")
        return Finding(
            "divergence",
            Verdict.FAILED,
            where,
            cause="the players' updates amplify each other"
            + (f": momentum {heavy:g} makes each rate {1 / (1 - heavy):.3g} times itself" if heavy else ""),
            series=series,
            remedies=(*(("set momentum to 0.5 or less",) if heavy else ()), *lower_rates(e, "both"), *regularise(e)),
            onset=e.onset(state),
        )
    if (wide := _wide_from_the_start(e)) is not None:
        return Finding(
            "divergence",
            Verdict.FAILED,
            f"the fakes began {wide[0]:.3g} times as wide as the reals, and are {wide[1]:.3g} times as wide (limit: {WIDE:g})",
            cause="the generator begins far too large and does not find back: its first weights are too large, or what it multiplies its output by",
            series=("fake_sd", "real_sd", *series),
            remedies=(
                "begin with smaller weights (torch's own, or a standard deviation of 0.02)",
                "let the generator end in what bounds it to the data's range",
            ),
            onset=int(e.edges[0]),
            kind="wide start",
        )
    span = trends.longest(state)
    if span and span[1] - span[0] + 1 >= e.limits.sustained_share * len(state):
        return Finding(
            "divergence",
            Verdict.SUSPECT,
            f"{top} was {most:.3g} times its usual level for a while (limit: {limit:g}), and came back",
            series=series,
            remedies=lower_rates(e, "both"),
            onset=int(e.edges[span[0]]),
            end=int(e.edges[span[1] + 1]),
        )
    alone = f"{top} was {most:.3g} times its usual level, and no second sign went with it (limit: {limit:g}, for two signs at once)"
    return Finding(
        "divergence",
        Verdict.HEALTHY,
        alone if most > limit else f"nothing was more than {most:.3g} times its usual level (limit: {limit:g})",
        series=series,
    )


def _wide_from_the_start(e: Evidence) -> tuple[float, float] | None:
    """Returns how many times as wide as the reals the fakes began, and now are; None where they are not, or the reals are narrow themselves."""
    fake, real = e.maybe("fake_sd"), e.maybe("real_sd")
    if fake is None or real is None or e.going_on or not trends.middle(real) > USUAL_SD:
        return None
    wide = np.nan_to_num(fake / np.maximum(real, 1e-12), nan=0.0)
    return (
        (float(wide[0]), trends.tail_middle(wide, e.limits.tail_share))
        if wide[0] > WIDE and e.holds(wide > WIDE)
        else None
    )


def _momentum(e: Evidence) -> float:
    """The larger of both players' momenta where it is at least what multiplies a rate tenfold, else 0."""
    momenta = (e.facts("optimizers", who).get("momentum") for who in ("generator", "discriminator"))
    given = [m for m in momenta if isinstance(m, int | float)]
    return max((float(m) for m in given if HEAVY <= m < 1), default=0.0)


def _running_away(e: Evidence, kinds: list[np.ndarray], away: np.ndarray | None, times: float) -> np.ndarray:
    """Where two signs of running away agree (n,) bool, each of them `times` as far gone as its limit asks."""
    count = sum(
        ((k > times * e.limits.divergence_growth).astype(int) for k in kinds), start=np.zeros(len(e.edges) - 1, int)
    )
    if away is not None:
        start = float(away[np.flatnonzero(away)[0]]) if np.any(away) else 0.0
        beyond = away > times * max(e.limits.fake_range, 2 * start)
        count = count + 2 * beyond  # fakes that only begin far away have not run away
    count = count + np.any([k > times * e.limits.divergence_growth_alone for k in kinds], axis=0) if kinds else count
    lost = relapses(e)  # samples that were good and are not: what runs away has done harm
    count = count + lost if lost is not None else count
    return np.asarray(count >= 2)


def _lately(e: Evidence, state: np.ndarray) -> bool:
    """Whether a state has held without a gap for the last steps, few as they are."""
    recent = state[e.edges[1:] > e.steps - FAR_STEPS]
    return len(state) > len(recent) > 1 and bool(recent.all())


def _growth(e: Evidence, name: str) -> np.ndarray | None:
    """Level over the largest level that the first part of the run made usual; None where it was not recorded."""
    if (levels := e.maybe(name)) is None:
        return None
    size = np.abs(levels)
    alive = np.flatnonzero(size > 0)
    begun = (
        size[alive[0] :] if len(alive) else size
    )  # a player that enters the game late (VQGAN's D) had no level before
    usual = max(
        trends.usual_level(begun), trends.middle(begun[: max(1, len(begun) // 20)])
    )  # what dies and comes back has not diverged
    if not math.isfinite(usual):
        return None
    floor = (
        1.0 if name in (*LOSSES, *SCORES) else 0.0
    )  # losses and scores cross zero: what is below 1 is no scale of its own
    return np.asarray(np.nan_to_num(size / max(usual, floor, 1e-12), nan=0.0))


def _broke(e: Evidence) -> bool:
    """Whether the run ended in numbers that are not finite."""
    return any(
        len(bad) and _ends_bad(e, n, bad) for n in (*GRADIENTS, *LOSSES) if (bad := _bad_steps(e, n)) is not None
    )
