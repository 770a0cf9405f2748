"""What the columns of other people's logs mean, by their names alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gandiag.quantities import quantity

if TYPE_CHECKING:
    import pandas as pd

STEP_NAMES = (
    "step",
    "steps",
    "iteration",
    "iterations",
    "iter",
    "iters",
    "globalstep",
    "trainerglobalstep",
    "totaliterations",
    "batchesdone",
    "nimg",
    "it",
)
EPOCH_NAMES = ("epoch", "epochs", "trainerepoch")  # the steps of a log that counts no others
SCORES = {  # of the tutorials, whatever their D ends in
    "d(x)": "real_logit_mean",
    "d_x": "real_logit_mean",
    "d(g(z))": "fake_logit_mean",
    "d_g_z1": "fake_logit_mean",
}
# Columns that everybody names alike, in lower case and without punctuation -> our series.
KNOWN_NAMES: dict[str, str] = {
    **dict.fromkeys(
        (
            "dloss",
            "lossd",
            "errd",
            "discloss",
            "lossdisc",
            "discriminatorloss",
            "lossdiscriminator",
            "criticloss",
            "losscritic",
            "dlosstotal",
            "dtotalloss",
            "traindloss",
            "lossdloss",
            "losstotald",
            "dislosss",
            "lossdis",
            "disloss",
        ),
        "discriminator_loss",
    ),
    **dict.fromkeys(
        (
            "gloss",
            "lossg",
            "errg",
            "genloss",
            "lossgen",
            "generatorloss",
            "lossgenerator",
            "glosstotal",
            "gtotalloss",
            "traingloss",
            "lossgloss",
            "losstotalg",
        ),
        "generator_loss",
    ),
    **dict.fromkeys(
        ("fid", "fid50k", "fid50kfull", "frechetdistance", "fidscore", "frechetinceptiondistance"), "frechet_distance"
    ),
    **dict.fromkeys(("kid", "kid50k", "kid50kfull", "kernelinceptiondistance"), "kernel_distance"),
    **dict.fromkeys(("is", "inceptionscore", "is50kmean", "ismean"), "inception_score"),
    **dict.fromkeys(("precision", "pr50k3fullprecision"), "precision"),
    **dict.fromkeys(("recall", "pr50k3fullrecall"), "recall"),
    **dict.fromkeys(
        ("dgradnorm", "gradnormd", "discriminatorgradnorm", "gradnormdiscriminator"), "discriminator_gradient_norm"
    ),
    **dict.fromkeys(("ggradnorm", "gradnormg", "generatorgradnorm", "gradnormgenerator"), "generator_gradient_norm"),
    **dict.fromkeys(("dlr", "lrd"), "discriminator_learning_rate"),
    **dict.fromkeys(("glr", "lrg"), "generator_learning_rate"),
    **dict.fromkeys(("gp", "gradientpenalty", "r1", "r1penalty", "dpenalty"), "discriminator_penalty"),
    **dict.fromkeys(("dacc", "daccuracy", "discaccuracy", "discriminatoraccuracy"), "discriminator_accuracy"),
    **dict.fromkeys(
        ("reallogits", "reallogit", "realscore", "dlogitsreal", "logitsreal", "lossscoresreal"), "real_logit_mean"
    ),
    **dict.fromkeys(
        ("fakelogits", "fakelogit", "fakescore", "dlogitsfake", "logitsfake", "lossscoresfake"), "fake_logit_mean"
    ),
    **dict.fromkeys(("losssignsreal", "rt"), "real_sign_mean"),
    "progressaugment": "augmentation_probability",
    "adap": "augmentation_probability",
}


def guess(column: str) -> str | None:
    """What a column means by its name alone, None where it could be anything. `RUN - name` is how W&B exports it."""
    column = column.rsplit(" - ", 1)[-1]
    if column.endswith(("__MIN", "__MAX")):
        return None
    if quantity(column) is not None:
        return column
    if column.lower() in SCORES:
        return SCORES[column.lower()]
    for word in map(_bare, (column, column.rsplit("/", 1)[-1])):
        if word in STEP_NAMES:
            return "step"
        if word in KNOWN_NAMES:
            return KNOWN_NAMES[word]
    return None


def counts_epochs(column: str) -> bool:
    """Whether a column holds the number of the epoch."""
    column = column.rsplit(" - ", 1)[-1]
    return any(_bare(part) in EPOCH_NAMES for part in (column, column.rsplit("/", 1)[-1]))


def as_printed(column: str, name: str, values: pd.Series) -> str | None:
    """Corrects a guess by what was printed: `D(x)` and `D(G(z))` that never leave [0, 1] are probabilities, and only the fakes' has a series."""
    if column.lower() not in SCORES or not values.dropna().between(0, 1).all():
        return name
    return "generator_saturation" if name == "fake_logit_mean" else None


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
