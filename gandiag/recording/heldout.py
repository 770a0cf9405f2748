"""The discriminator on reals that it was never trained on: the AUC gap with its null spread, and the overfitting ratio r_v, gated."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

R_V_GATE = 4.0  # r_v's denominator must exceed this many standard errors of itself and of its numerator: its own error is then below 1/4


def heldout_scores(train_logits: Tensor, heldout_logits: Tensor, fake_logits: Tensor) -> dict[str, float]:
    """Returns the series of the group "held out" from logits on training reals (n,), held-out reals (k,) and fakes (m,); n, k, m >= 2.

    `auc_gap` = AUC(train, fake) - AUC(held out, fake), both against the same fakes, ties half. `auc_gap_sd` is its standard deviation
    where training and held-out reals are exchangeable to D: given the fakes, each real counts by its placement (the share of the fakes
    below it), and the difference of two means of exchangeable placements has exactly the variance S^2 (1/n + 1/k), S^2 the placements'
    pooled sample variance. Where reals and fakes are alike too, S^2 has the mean (m + 1) / (12 m): the classical (n + m + 1) / (12 n m)
    of each AUC, less what the two share through the fakes. `discriminator_overfitting`, r_v = (E D(train) - E D(held out)) /
    (E D(train) - E D(fake)) (Karras et al. 2020), is left out where its denominator is noise or D has the sides inverted.
    Values that are not finite leave every series that they enter NaN.
    """
    train, heldout, fake = (t.detach().double().flatten() for t in (train_logits, heldout_logits, fake_logits))
    for name, t in (("training reals", train), ("held-out reals", heldout), ("fakes", fake)):
        if len(t) < 2:
            raise ValueError(f"{len(t)} logits of {name}: at least 2 are needed for a spread")
    if not all(bool(torch.isfinite(t).all()) for t in (train, heldout, fake)):
        return dict.fromkeys(("heldout_logit_mean", "heldout_auc", "auc_gap", "auc_gap_sd"), float("nan"))
    on_train, on_heldout = placements(train, fake), placements(heldout, fake)
    pooled = torch.cat([on_train, on_heldout]).var()
    scores = {
        "heldout_logit_mean": heldout.mean(),
        "heldout_auc": on_heldout.mean(),
        "auc_gap": on_train.mean() - on_heldout.mean(),
        "auc_gap_sd": (pooled * (1 / len(train) + 1 / len(heldout))).sqrt(),
    }
    ratio = overfitting_ratio(train, heldout, fake)
    return {name: float(value) for name, value in scores.items()} | (
        {} if ratio is None else {"discriminator_overfitting": ratio}
    )


def placements(scores: Tensor, against: Tensor) -> Tensor:
    """Returns for each of `scores` (n,) the share of `against` (m,) that lies below it, ties half; its mean is the AUC, exactly."""
    ordered = against.sort().values
    below = torch.searchsorted(ordered, scores, right=False)
    return (below + torch.searchsorted(ordered, scores, right=True)).to(scores.dtype) / (2 * len(against))


def overfitting_ratio(train: Tensor, heldout: Tensor, fake: Tensor) -> float | None:
    """Returns r_v: 0 = D treats held-out reals as training ones, 1 = as fakes; None where the denominator is too small to divide by."""

    def error(one: Tensor, other: Tensor) -> Tensor:
        return (one.var() / len(one) + other.var() / len(other)).sqrt()

    numerator, denominator = train.mean() - heldout.mean(), train.mean() - fake.mean()
    if bool(denominator <= R_V_GATE * torch.maximum(error(train, fake), error(train, heldout))):
        return None
    return float(numerator / denominator)


def one_score_a_sample(output: Tensor | Sequence[Tensor] | dict[str, Tensor]) -> Tensor:
    """Returns (n,) logits of whatever a discriminator returns: patches and scales are averaged, of several heads the first counts."""
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, Tensor):
        return output.detach().reshape(len(output), -1).double().mean(dim=1)
    scales = [o for o in output if isinstance(o, Tensor)]
    if not scales:
        raise TypeError("the discriminator returned no tensor")
    same = [s for s in scales if s.shape[:2] == scales[0].shape[:2] and s.dim() == scales[0].dim()]
    return torch.stack([one_score_a_sample(s) for s in same]).mean(dim=0)
