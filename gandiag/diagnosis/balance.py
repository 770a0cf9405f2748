"""Checks of the players' balance: discriminator_dominance and vanishing_generator_gradient."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.collapse import coverage
from gandiag.diagnosis.evidence import Evidence, Recorded, evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import (
    equal_rates,
    fewer_discriminator_steps,
    lower_rates,
    rate,
    regularise,
    without_saturation,
)
from gandiag.errors import NotRecorded


def discriminator_dominance(run: Recorded) -> Finding:
    """Finds a discriminator that always wins against a generator that gets nowhere; AUC alone never decides."""
    e = evidence(run)
    auc = e.auc()
    e.need_steps()
    now = trends.middle(trends.tail(auc, e.limits.tail_share))
    claim = f"AUC is {now:.4f} (limit: {e.limits.dominance_auc:g})"
    state = np.nan_to_num(auc, nan=0.5) > e.limits.dominance_auc
    series = tuple(s for s in ("discriminator_auc", "real_logit_mean", "fake_logit_mean", "generator_loss") if s in e)
    if not e.holds(state):
        return Finding("discriminator_dominance", Verdict.HEALTHY, claim, series=series)
    signs = _failing_generator(e)
    onset = e.onset(state)
    cause = "the discriminator learns faster than the generator can follow"
    remedies = _relief(e)
    if signs:
        return Finding("discriminator_dominance", Verdict.FAILED, f"{claim} and {signs[0]}", cause=cause, remedies=remedies, series=series, onset=onset)
    return Finding("discriminator_dominance", Verdict.SUSPECT, f"{claim}, but nothing shows that the generator fails", cause=cause, remedies=remedies,
                   series=series, onset=onset)  # fmt: skip


def _failing_generator(e: Evidence) -> list[str]:
    """What shows, beside AUC, that the generator gets nowhere."""
    signs = []
    c = coverage(e)
    if c is not None:
        late = float(np.median(trends.tail(c.share, e.limits.tail_share)))
        if late <= e.limits.covered_share:
            signs.append(f"{late * c.total:.0f} of {c.total} modes are covered")
    gap = _gap(e)
    if c is None and gap is not None:
        now = trends.tail_middle(gap, e.limits.tail_share)
        if now > e.limits.dominance_gap and not e.free_offset:
            signs.append(f"reals and fakes lie {now:.3g} logits apart (limit: {e.limits.dominance_gap:g})")
    ratio = e.now_or_nan("diversity_ratio")
    if ratio < e.limits.diversity_fall:
        signs.append(f"the fakes' diversity is {ratio:.2g} of the reals'")
    return signs


def _gap(e: Evidence) -> np.ndarray | None:
    real, fake = e.maybe("real_logit_mean"), e.maybe("fake_logit_mean")
    return None if real is None or fake is None else np.abs(real - fake)


def _relief(e: Evidence) -> tuple[str, ...]:
    g, d = rate(e, "generator"), rate(e, "discriminator")
    balance = (equal_rates(e, "generator"),) if g and d and d > 2 * g else ()
    return (*fewer_discriminator_steps(e), *balance, *regularise(e), *(() if balance else lower_rates(e, "discriminator")))


# ------------------------------------------------------------------------------------------- vanishing generator gradient


def vanishing_generator_gradient(run: Recorded) -> Finding:
    """Finds a generator that is no longer told where to go: its gradient has died while D still tells reals from fakes."""
    e = evidence(run)
    norm = e.level("generator_gradient_norm")
    e.need_steps()
    early = float(np.nanmax(norm[: max(3, len(norm) // 5)]))
    if not early > 0:
        return Finding("vanishing_generator_gradient", Verdict.FAILED, "the generator's gradient norm is 0 from the start (limit: above 0)",
                       cause="no gradient reaches the generator", remedies=("look for a detach() or a torch.no_grad() in the generator's step",),
                       series=("generator_gradient_norm",), onset=0, kind="parameters")  # fmt: skip
    fall = norm / early
    now = trends.middle(trends.tail(fall, e.limits.tail_share))
    claim = f"the generator's gradient norm is {now:.3g} of its early level (limit: {e.limits.vanished_gradient:g})"
    state = np.nan_to_num(fall, nan=1.0) < e.limits.vanished_gradient
    series = tuple(s for s in ("generator_gradient_norm", "generator_gradient_at_logit", "generator_gradient_at_image", "generator_saturation") if s in e)
    if not e.holds(state):
        faint = e.holds(np.nan_to_num(fall, nan=1.0) < e.limits.faint_gradient) and _loses(e)
        if faint and _saturates(e):
            return Finding("vanishing_generator_gradient", Verdict.SUSPECT, claim + ", and the loss saturates", remedies=without_saturation(e), series=series)
        return Finding("vanishing_generator_gradient", Verdict.HEALTHY, claim, series=series)
    if not _loses(e):
        return Finding("vanishing_generator_gradient", Verdict.HEALTHY, claim + ", but D cannot tell reals from fakes either: the game has come to rest",
                       series=series)  # fmt: skip
    kind = "logit" if _saturates(e) else "image"
    cause = {"logit": "the loss is saturated: D is sure of its verdict on fakes, and the generator's loss is flat there",
             "image": "the discriminator is flat around the fakes"}[kind]  # fmt: skip
    remedies = without_saturation(e) if kind == "logit" else regularise(e)
    return Finding("vanishing_generator_gradient", Verdict.FAILED, claim, cause=cause, remedies=(*remedies, *_relief(e)), series=series,
                   onset=e.onset(state), kind=kind)  # fmt: skip


def _saturates(e: Evidence) -> bool:
    """Whether the gradient dies at the logit already."""
    at_logit = e.maybe("generator_gradient_at_logit")
    if at_logit is not None:
        early = float(np.nanmax(at_logit[: max(3, len(at_logit) // 5)]))
        return bool(trends.tail_middle(at_logit) < 0.03 * early)
    return e.loss == "minimax" and e.now_or_nan("generator_saturation") < e.limits.saturated


def _loses(e: Evidence) -> bool:
    """Whether the generator still has something to learn: D wins, the fakes lack diversity, or modes are missing."""
    auc = e.auc() if "discriminator_auc" in e else None
    c = coverage(e)
    return bool(
        (auc is not None and trends.middle(trends.tail(auc, e.limits.tail_share)) > 0.9)
        or e.now_or_nan("diversity_ratio") < e.limits.diversity_fall
        or (c is not None and float(np.median(trends.tail(c.share, e.limits.tail_share))) <= e.limits.covered_share)
    )


def need_any(e: Evidence, *names: str) -> None:
    """Raises NotRecorded where none of the names was recorded."""
    if not any(n in e for n in names):
        raise NotRecorded(" or ".join(names))
