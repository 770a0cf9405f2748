"""What does not fit together is said before a run's folder is made: settings, data, networks of the user's own; and what they are given."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from benchmarks.tiny_ring import TINY_RING
from gandiag.errors import UsageError
from gandiag.run import load_run
from gandiag.training import train
from gandiag.training.config import check_config
from gandiag.training.data import load_data
from gandiag.training.dataset import make_dataset
from gandiag.training.players import as_settings, initial_settings
from gandiag.training.plugins import called
from gandiag.training.preparation import as_displayed, prepare
from gandiag.training.step import play

TINY = dataclasses.replace(
    TINY_RING,
    steps=4,
    evaluate_every=2,
    evaluation_samples=40,
    diagnose_every=0,
    features="pixels",
)


DEPTHS = ("generator_depth", "discriminator_depth")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"conditional": True, "pack": 2}, "a class each"),
        ({"augmentation": "ada"}, "ring has points"),
        ({"augmentation": "ada", "data": "digits", "loss": "wasserstein"}, "choose diffaugment"),
        ({"augmentation": "ada", "data": "digits", "loss": "relativistic"}, "choose diffaugment"),
        ({"precision": "float16", "update": "extragradient"}, "choose bfloat16"),
        ({"precision": "float16", "update": "consensus"}, "choose bfloat16"),
        ({"update": "unrolled", "optimizer_d": "rmsprop"}, "adam or sgd"),
        ({"update": "unrolled", "compile": True}, "leave compile out"),
        ({"stop_on": ("divergence",), "diagnose_every": 0}, "diagnose_every is 0"),
        ({"stop_when": "converged", "diagnose_every": 0}, "diagnose_every is 0"),
        ({"update": "simultaneous", "changes": "2: d_steps=3"}, "has not"),
        ({"metrics": ("frechet",)}, "frechet_distance"),
        ({"best_by": "modes"}, "modes_hit"),
        ({"best_by": "mode_sd_ratio"}, "no direction that is better"),
        ({"best_by": "class_recall"}, "no direction that is better"),
        ({"samples": 32}, "ring has no end"),
        ({"resolution": 16}, "ring has points"),
        ({"generator": "dcgan", "generator_depth": 2, "data": "digits"}, "--set generator_depth=none"),
        ({"data": "digits", "batch": 1, "generator": "dcgan", "discriminator": "mlp"}, "would see 1 sample"),
        (
            {"data": "ring", "generator": "pac", "discriminator": "mlp", "pack": 16, "batch": 16},
            "generator is batch-normalised",
        ),
        ({"data": "ring", "generator": "pac", "discriminator": "mlp", "pack": 8, "batch": 16}, None),
        ({"data": "ring", "generator": "mlp", "discriminator": "text-norm", "pack": 16}, "would see 1 sample"),
    ],
    ids=str,
)
def test_what_excludes_each_other_is_refused_before_anything_is_written(
    tmp_path: Path, changes: dict[str, object], wanted: str | None
) -> None:
    depths: dict[str, object] = {} if "generator" not in changes else dict.fromkeys(DEPTHS)
    config = dataclasses.replace(TINY, **{**depths, **changes})  # type: ignore[arg-type]
    if wanted is None:
        train(config, out=tmp_path / "run")
        return
    with pytest.raises(UsageError, match=wanted):
        train(config, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_seed_and_a_number_of_fakes_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="2\\^63"):
        check_config(dataclasses.replace(TINY, seed=2**63))
    assert check_config(dataclasses.replace(TINY, seed=2**63 - 1)).seed == 2**63 - 1
    with pytest.raises(UsageError, match="at least 2, not 1"):
        check_config(dataclasses.replace(TINY, evaluation_samples=1))


def test_a_single_sample_is_no_data(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros((1, 2), dtype=np.float32))
    with pytest.raises(UsageError, match="has 1 sample"):
        prepare(dataclasses.replace(TINY, data=str(tmp_path / "one.npy"), heldout=0.0, batch=1))


def own(monkeypatch: pytest.MonkeyPatch, **functions: object) -> None:
    """Makes a module `mine` of the user's own."""
    import sys

    module = ModuleType("mine")
    for name, function in functions.items():
        setattr(module, name, function)
    monkeypatch.setitem(sys.modules, "mine", module)


def generator_of_two(latent_shape: tuple[int, ...]) -> torch.nn.Module:
    return torch.nn.Linear(latent_shape[0], 2)


def test_one_s_own_function_is_given_what_it_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Scores(torch.nn.Module):
        def __init__(self, hidden: int = 4) -> None:
            super().__init__()
            self.body = torch.nn.Sequential(torch.nn.Linear(2, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 1))

        def forward(self, points: torch.Tensor) -> torch.Tensor:
            return self.body(points)

    def patches() -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Unflatten(1, (1, 3)))  # three logits a sample

    own(monkeypatch, generator=generator_of_two, Scores=Scores, patches=patches)
    for name in ("Scores", "patches"):
        train(dataclasses.replace(TINY, generator="mine:generator", discriminator=f"mine:{name}",
                                  generator_depth=None, discriminator_depth=None), out=tmp_path / name)  # fmt: skip
        assert len(load_run(tmp_path / name)["discriminator_loss"]) == 4


@pytest.mark.parametrize(
    ("generator", "discriminator", "wanted"),
    [
        (lambda sample_shape: torch.nn.Linear(2, 3), None, r"makes \(2, 3\) out of latents \(2, 2\)"),
        (lambda: torch.nn.Linear(5, 2), None, r"cannot be called with \(2, 2\): RuntimeError"),
        (lambda: torch.nn.LSTM(2, 2), None, "returned a tuple and no tensor"),
        (
            None,
            lambda: torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Flatten(0)),
            r"it must return a logit a sample",
        ),
        (None, lambda: torch.nn.Flatten(0), "no parameters to learn"),
        (lambda z_dim: torch.nn.Linear(z_dim, 2), None, "needs the argument 'z_dim'"),
        (lambda: 1 / 0, None, "fails with ZeroDivisionError"),
    ],
)
def test_one_s_own_network_that_does_not_fit_is_told_so_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, generator: object, discriminator: object, wanted: str
) -> None:
    own(monkeypatch, generator=generator, discriminator=discriminator)
    names = {"generator": "mine:generator", "generator_depth": None} if generator else {}
    names |= {"discriminator": "mine:discriminator", "discriminator_depth": None} if discriminator else {}
    with pytest.raises(UsageError, match=wanted):
        train(dataclasses.replace(TINY, **names), out=tmp_path / "run")  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_trying_one_s_own_networks_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    own(monkeypatch, generator=lambda: torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)))
    config = dataclasses.replace(TINY, generator="mine:generator", generator_depth=None)
    players = prepare(config).players
    assert players.generator.training
    assert int(players.generator[1].num_batches_tracked) == 0  # type: ignore[index]
    assert torch.equal(players.random.get_state(), prepare(config).players.random.get_state())


def test_arguments_by_name_by_position_and_by_default() -> None:
    given = {"sample_shape": (2,), "latent_shape": (5,), "num_classes": None, "width": 7}
    assert called(lambda width, sample_shape: (width, sample_shape), "f", given) == (7, (2,))
    assert called(lambda shape, z, *, width=None: (shape, z, width), "f", given) == ((2,), (5,), 7)
    assert called(lambda **rest: rest, "f", given) == given
    assert called(lambda channels=3: channels, "f", given) == 3
    with pytest.raises(UsageError, match="needs the argument 'depth'"):
        called(lambda sample_shape, depth: None, "f", given)


def test_data_of_one_s_own_may_be_an_array_or_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    own(monkeypatch, array=lambda: points, pair=lambda: (torch.tensor(points), [0, 1, 2] * 3), text=lambda: "no data")
    assert load_data("mine:array").num_classes is None
    assert load_data("mine:pair").num_classes == 3
    with pytest.raises(UsageError, match="returned a str"):
        load_data("mine:text")


def test_a_file_in_the_place_of_a_module_is_answered_with_the_module() -> None:
    with pytest.raises(UsageError, match="give the module and not its file: nets:make"):
        prepare(dataclasses.replace(TINY, generator="nets.py:make", generator_depth=None))


def test_points_are_displayed_and_scored_as_the_discriminator_is_shown_them(tmp_path: Path) -> None:
    ring = load_data("ring:sd=0.05")
    shown = as_displayed(ring, scale=2.0, offset=3.0)
    assert shown.modes == pytest.approx(ring.modes * 2 + 3)  # type: ignore[operator]
    assert shown.mode_sd == pytest.approx(0.1)
    assert torch.equal(shown.samples, ring.samples * 2 + 3)
    digits = load_data("digits")
    assert as_displayed(digits, scale=0.5, offset=0.5) is digits  # images have a range of their own
    train(dataclasses.replace(TINY, data_offset=3.0), out=tmp_path / "run")
    run = load_run(tmp_path / "run")
    assert np.mean(run.about["data"]["modes"]) == pytest.approx(3.0)
    assert run.about["data"]["count"] is None  # still endless
    assert float(run.samples(0, "real")["points"].mean()) == pytest.approx(3.0, abs=0.1)


def test_a_loss_scaler_takes_every_move_of_a_step() -> None:
    config = dataclasses.replace(TINY, precision="float16", d_steps=3, clip_gradient=0.5)
    training = prepare(config)
    before = [p.detach().clone() for p in training.players.discriminator.parameters()]
    for _ in range(6):
        turns = play(training.players, training.rules, as_settings(initial_settings(config)), training.update)
    assert all(torch.isfinite(turn.loss) for turn in turns)
    assert any(not torch.equal(a, b) for a, b in zip(before, training.players.discriminator.parameters()))


def test_workers_change_neither_what_is_drawn_nor_where_it_goes_on() -> None:
    from gandiag.training.data import Sampler

    images = make_dataset("images", torch.arange(50 * 4, dtype=torch.uint8).reshape(50, 1, 2, 2), labels=[0, 1] * 25)
    for data in (images, load_data("ring")):
        alone, helped = Sampler(data, 16, seed=3), Sampler(data, 16, seed=3, workers=2)
        drawn = [alone.next() for _ in range(9)]
        for samples, labels in drawn[:5]:
            found = helped.next()
            assert torch.equal(found[0], samples)
            assert torch.equal(found[1], labels)  # type: ignore[arg-type]
        resumed = Sampler(data, 16, seed=3, workers=1)
        resumed.load_state_dict(helped.state_dict())
        for sampler in (helped, resumed):
            assert all(torch.equal(sampler.next()[0], samples) for samples, _ in drawn[5:])


def test_what_is_called_otherwise_elsewhere_is_answered_with_our_name() -> None:
    from gandiag.training.config import FIELDS, effective_config
    from gandiag.training.losses import LOSSES
    from gandiag.training.other_names import OTHER_NAMES, meant

    assert meant("WGAN", tuple(LOSSES)) == " (did you mean wasserstein?)"
    assert meant("Hinge", tuple(LOSSES)) == " (did you mean 'hinge'?)"
    assert meant("fp16", ("float32", "float16")) == " (did you mean float16?)"
    assert meant("--batch-size", tuple(FIELDS)) == " (did you mean batch?)"
    assert meant("qqqq", tuple(LOSSES)) == ""
    assert not set(OTHER_NAMES) & set(FIELDS)  # a name of ours means what it says
    with pytest.raises(UsageError, match="did you mean lr_g and lr_d"):
        effective_config("mlp", settings={"lr": "0.1"})
    with pytest.raises(UsageError, match="did you mean frechet_distance"):
        prepare(dataclasses.replace(TINY, metrics=("fid",)))
