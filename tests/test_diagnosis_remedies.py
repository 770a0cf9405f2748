"""Remedies fit the run that they are said of: each option exists, and the harness takes its value beside the others."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gandiag.diagnosis import remedies
from gandiag.diagnosis.evidence import Evidence
from gandiag.logs import Log
from gandiag.training.combinations import refuse_settings
from gandiag.training.config import Config, effective_config

SAID: tuple[Callable[[Evidence], tuple[str, ...]], ...] = (
    remedies.regularise,
    remedies.without_saturation,
    remedies.another_update,
    remedies.average,
    remedies.augment,
    remedies.pack,
    remedies.fewer_discriminator_steps,
    lambda e: remedies.lower_rates(e, "both"),
    lambda e: (remedies.larger_discriminator(e), remedies.equal_rates(e, "generator")),
)


def run_of(config: Config | None, kind: str = "images") -> Evidence:
    about = {"data": {"kind": kind}} | ({} if config is None else {"config": dataclasses.asdict(config)})
    return Evidence(Log(Path("run"), about, {}))


@pytest.mark.parametrize("kind", ["images", "points"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"conditional": True},
        {"pack": 2, "batch": 130},
        {"loss": "wasserstein", "penalties": ("wgan-gp",), "d_steps": 5},
        {"loss": "saturating", "penalties": (), "gamma": 0.0, "ema_images": 0, "discriminator_width": 4},
        {"update": "extragradient", "augmentation": "ada"},
        {"update": "unrolled"},
        {"precision": "float16", "accumulate": 2},
    ],
)
def test_each_option_that_is_named_is_taken_by_the_harness(changes: dict, kind: str) -> None:
    config = dataclasses.replace(Config(), **changes)
    before = {name: getattr(config, name) for name in (f.name for f in dataclasses.fields(Config))}
    for say in SAID:
        for remedy in say(run_of(config, kind)):
            options = dict(re.findall(r"--set (\w+)=(\S+)", remedy))
            assert options or "--set" not in remedy
            asked, _ = effective_config("few-digits", file=before, settings=options)
            refuse_settings(asked)
            assert not options or asked != config, remedy
            assert not (kind == "points" and asked.augmentation != config.augmentation), remedy


def test_a_loop_of_ones_own_is_told_in_words() -> None:
    said = [*itertools.chain.from_iterable(say(run_of(None)) for say in SAID)]
    assert said
    assert not [remedy for remedy in said if "--set" in remedy]
