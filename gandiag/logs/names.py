"""What the columns of other people's logs mean, by their names alone."""

from __future__ import annotations

import re

from gandiag.quantities import quantity

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
    for word in (re.sub(r"[^a-z0-9]", "", part.lower()) for part in (column, column.rsplit("/", 1)[-1])):
        if word in STEP_NAMES:
            return "step"
        if word in KNOWN_NAMES:
            return KNOWN_NAMES[word]
    return None
