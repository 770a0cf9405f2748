"""Config: precedence, sources, typed texts, errors that name the nearest setting, TOML there and back; schedules and changes at a step."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import numpy as np
import pytest

from gandiag.errors import UsageError
from gandiag.training.config import (
    FIELDS,
    Config,
    as_read,
    as_toml,
    check_config,
    comments,
    effective_config,
    environment_values,
    read_config_file,
    read_value,
    split_settings,
)
from gandiag.training.idle import idle_everywhere, without_effect
from gandiag.training.recipes import DEFAULT_RECIPE, RECIPES
from gandiag.training.schedule import CHANGEABLE, learning_rate_factor, parse_changes, settings_at


def test_precedence_flag_over_environment_over_file_over_recipe_over_default() -> None:
    layers = {"file": {"batch": 32}, "environment": {"batch": "64"}, "flags": {"batch": "16"}}
    for dropped, expected, source in (
        ("", 16, "flag"),
        ("flags", 64, "environment"),
        ("environment", 32, "config file"),
        ("file", 256, "recipe"),
    ):
        layers.pop(dropped, None)
        config, sources = effective_config("ring-r1", **layers)  # type: ignore[arg-type]
        assert (config.batch, sources["batch"]) == (expected, source)
    assert sources["seed"] == "default"
    assert set(sources) == set(FIELDS)


def test_set_is_as_strong_as_a_flag_and_says_so() -> None:
    config, sources = effective_config("mlp", environment={"lr_g": "0.5"}, settings={"lr_g": "0.25"})
    assert (config.lr_g, sources["lr_g"]) == (0.25, "set")
    with pytest.raises(UsageError, match="seed is given by a flag and by --set"):
        effective_config("mlp", flags={"seed": "1"}, settings={"seed": "2"})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("steps", "10", 10),
        ("steps", 10, 10),
        ("steps", "1e3", 1000),
        ("lr_g", "1e-4", 1e-4),
        ("lr_g", 1, 1.0),
        ("compile", "yes", True),
        ("compile", False, False),
        ("penalties", "r1, r2", ("r1", "r2")),
        ("penalties", "", ()),
        ("penalties", ["r1"], ("r1",)),
        ("clip_gradient", "none", None),
        ("clip_gradient", "0.5", 0.5),
        ("data", "none", "none"),
        ("changes", "5: gamma=0", "5: gamma=0"),
    ],
)
def test_texts_are_read_by_the_type_of_their_field(name: str, text: object, value: object) -> None:
    found = read_value(name, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("steps", "many", "whole number"),
        ("steps", "1.5", "whole number"),
        ("steps", "inf", "whole number"),
        ("steps", True, "whole number"),
        ("lr_g", "fast", "a number"),
        ("compile", "perhaps", "true or false"),
        ("steps", "none", "whole number"),
        ("data", 3, "a text"),
        ("gamma", None, "cannot be none"),
    ],
)
def test_what_does_not_fit_the_type_is_refused_with_what_was_expected(name: str, text: object, wanted: str) -> None:
    with pytest.raises(UsageError, match=wanted):
        read_value(name, text)


def test_a_configuration_made_in_python_is_read_as_the_command_line_s() -> None:
    given = Config(steps=np.int64(7), lr_g="1e-4", penalties="r1,r2", data=Path("some/folder"), gamma=1)  # type: ignore[arg-type]
    read = as_read(given)
    assert (read.steps, read.lr_g, read.penalties, read.data, read.gamma) == (7, 1e-4, ("r1", "r2"), "some/folder", 1.0)
    assert as_read(Config()) == Config()


def test_unknown_names_are_answered_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match=r"no recipe 'rotatingcollapse' \(did you mean 'rotating-collapse'\?\)"):
        effective_config("rotatingcollapse")
    with pytest.raises(UsageError, match=r"--set names 'lrg'.*did you mean 'lr_g'"):
        split_settings(("lrg=1",))
    with pytest.raises(UsageError, match="name=value"):
        split_settings(("lr_g",))
    with pytest.raises(UsageError, match="twice"):
        split_settings(("lr_g=1", "lr_g=2"))


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"lr_d": -1.0}, "lr_d must be at least 0"),
        ({"beta2": 1.0}, "beta2 must be below 1"),
        ({"clip_gradient": 0.0}, "clip_gradient must be above 0, not 0.0; none: unbounded"),
        ({"clip_weights": 0.0}, "clip_weights must be above 0"),
        ({"lookahead_share": 0.0}, "lookahead_share must be above 0"),
        ({"lookahead_share": 1.5}, "lookahead_share must be at most 1"),
        ({"gamma": float("nan")}, "nan"),
        ({"precision": "float8"}, "one of float32"),
        ({"batch": 10, "accumulate": 3}, "divisible"),
        ({"batch": 10, "pack": 4}, "divisible"),
    ],
)
def test_values_out_of_range_are_refused(changes: dict[str, object], wanted: str) -> None:
    with pytest.raises(UsageError, match=wanted):
        check_config(dataclasses.replace(Config(), **changes))  # type: ignore[arg-type]


def test_every_field_has_a_comment_and_every_recipe_survives_toml(tmp_path) -> None:
    assert set(comments()) == set(FIELDS)
    for name in RECIPES:
        config, _ = effective_config(name)
        file = tmp_path / f"{name}.toml"
        file.write_text(as_toml(config, f"{name}\nsecond line"))
        again, sources = effective_config("mlp", file=read_config_file(file))
        lost = {field for field in FIELDS if getattr(again, field) != getattr(config, field)}
        assert lost <= {field for field in FIELDS if getattr(config, field) is None}, name
        assert sources["steps"] == "config file"


def test_a_config_file_that_is_none_is_refused(tmp_path) -> None:
    bad = tmp_path / "bad.toml"
    for text, wanted in (("steps = ", "is no TOML"), ("stepps = 3", "did you mean 'steps'")):
        bad.write_text(text)
        with pytest.raises(UsageError, match=wanted):
            read_config_file(bad)
    with pytest.raises(UsageError, match="cannot be read"):
        read_config_file(tmp_path / "absent.toml")


def test_the_environment_gives_settings_and_nothing_else() -> None:
    assert environment_values(
        {"GANDIAG_RUN_LR_G": "1", "GANDIAG_RUN_JSON": "1", "LR_D": "2", "GANDIAG_RUN_SEED": ""}
    ) == {"lr_g": "1"}


def test_changes_begin_at_their_step_and_ramps_go_by_equal_factors() -> None:
    initial = {**dict.fromkeys(CHANGEABLE, 0.0), "lr_g": 0.01, "gamma": 2.0}
    changes = parse_changes("10: gamma=0; 20-40: lr_g=0.0001")
    assert settings_at(9, initial, changes)["gamma"] == 2.0
    assert settings_at(10, initial, changes)["gamma"] == 0.0
    assert settings_at(20, initial, changes)["lr_g"] == 0.01
    assert settings_at(30, initial, changes)["lr_g"] == pytest.approx(0.001)
    assert settings_at(40, initial, changes)["lr_g"] == 0.0001
    assert settings_at(10**6, initial, changes)["lr_g"] == 0.0001
    assert initial["gamma"] == 2.0


def test_a_ramp_to_or_from_zero_is_a_straight_line() -> None:
    initial = {**dict.fromkeys(CHANGEABLE, 0.0), "gamma": 4.0}
    assert settings_at(15, initial, parse_changes("10-20: gamma=0"))["gamma"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("gamma=0", "changes reads"),
        ("5: batch=3", "cannot set 'batch'"),
        ("5: gama=3", "did you mean 'gamma'"),
        ("9-5: gamma=0", "ends before"),
        ("5: gamma=x", "no number"),
        ("5: gamma=-1", "no number"),
        ("5: d_steps=1.5", "whole number"),
        ("5-9: d_steps=2", "not in a ramp"),
        ("5: gamma=nan", "no number"),
    ],
)
def test_changes_that_cannot_be_are_refused(text: str, wanted: str) -> None:
    with pytest.raises(UsageError, match=wanted):
        parse_changes(text)


def test_learning_rate_schedules_at_known_places() -> None:
    assert learning_rate_factor(99, schedule="constant", warmup=0, steps=100) == 1.0
    assert learning_rate_factor(50, schedule="linear", warmup=0, steps=100) == pytest.approx(0.5)
    assert learning_rate_factor(50, schedule="cosine", warmup=0, steps=100) == pytest.approx(0.5)
    assert learning_rate_factor(0, schedule="constant", warmup=9, steps=100) == pytest.approx(0.1)
    assert learning_rate_factor(9, schedule="constant", warmup=9, steps=100) == 1.0
    assert learning_rate_factor(100, schedule="cosine", warmup=9, steps=100) == pytest.approx(0.0)
    with pytest.raises(ValueError, match="schedule"):
        learning_rate_factor(0, schedule="stairs", warmup=0, steps=1)


@pytest.mark.parametrize(
    ("recipe", "given", "said"),
    [
        ("dcgan", {"gamma": "10"}, ["gamma=10.0 has no effect: penalties is empty; --set penalties=r1 has one"]),
        ("mlp", {"gamma": "10"}, []),
        ("mlp", {"gamma": "0", "penalties": "r1,r2"}, ["penalties=('r1', 'r2') has no effect: gamma is 0"]),
        ("mlp", {"gamma": "0", "penalties": "r1", "changes": "5: gamma=1"}, []),
        (
            "mlp",
            {"first": "generator", "update": "simultaneous"},
            ["first=generator has no effect: update is simultaneous"],
        ),
        ("unrolled", {"unroll": "3", "lookahead_every": "2"}, ["lookahead_every=2 has no effect: update is unrolled"]),
        (
            "mlp",
            {"augmentation_probability": "0.5"},
            ["augmentation_probability=0.5 has no effect: augmentation is none"],
        ),
        (
            "mlp",
            {"steps": "9", "changes": "9: gamma=0"},
            ["changes=9: gamma=0 has no effect: the run ends after 9 steps"],
        ),
        ("mlp", {"optimizer_g": "sgd", "optimizer_d": "sgd", "beta2": "0.9"}, ["beta2=0.9 has no effect: both"]),
        ("mlp", {"optimizer_g": "sgd", "beta2": "0.9"}, []),
    ],
)
def test_what_was_asked_for_and_changes_nothing_is_said(recipe: str, given: dict[str, str], said: list[str]) -> None:
    for layer in ("settings", "flags", "environment", "file"):
        found = without_effect(*effective_config(recipe, **{layer: given}))  # type: ignore[arg-type]
        assert len(found) == len(said)
        assert all(sentence.startswith(wanted) for sentence, wanted in zip(found, said)), found


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_a_recipe_and_its_own_print_say_nothing_of_the_kind(recipe: str) -> None:
    config, sources = effective_config(recipe)
    assert without_effect(config, sources) == []
    printed = tomllib.loads(as_toml(config))
    assert without_effect(*effective_config(DEFAULT_RECIPE, file=printed)) == []


def test_a_width_that_one_s_own_function_does_not_take_is_said() -> None:
    given = {"generator": "tests.test_training_config:narrow", "generator_width": "8", "discriminator_width": "8"}
    assert without_effect(*effective_config("mlp", settings=given)) == [
        "generator_width=8 has no effect: tests.test_training_config:narrow takes no argument `width`"
    ]


def narrow(latent_shape: tuple[int, ...]) -> None:
    """A generator's function that leaves no width open."""


def test_an_axis_of_a_sweep_that_changes_nothing_is_said() -> None:
    assert idle_everywhere({"gamma": ["1", "2"], "seed": ["0", "1"]}, "dcgan", {}) == [
        "gamma=1.0 has no effect: penalties is empty; --set penalties=r1 has one"
    ]
    assert idle_everywhere({"gamma": ["1", "2"], "penalties": ["r1", "r2"]}, "dcgan", {}) == []
