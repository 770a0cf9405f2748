"""Augmentation: nothing at probability 0, exact where the map is known, differentiable, and ADA's p goes where r_t sends it."""

from __future__ import annotations

import math

import pytest
import torch

from gandiag.errors import UsageError
from gandiag.training.augmentation import (
    AUGMENTATIONS,
    AdaptiveProbability,
    ada,
    augmentation_named,
    cut_out,
    hue_turned,
    shifted,
    warped,
)
from gandiag.training.config import Config
from gandiag.training.players import as_settings, initial_settings
from gandiag.training.preparation import prepare
from gandiag.training.step import play


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 6, channels: int = 3, side: int = 8) -> torch.Tensor:
    return torch.rand(count, channels, side, side, generator=random(9)) * 2 - 1


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
@pytest.mark.parametrize("channels", [1, 3])
def test_probability_nought_changes_nothing_and_one_changes_all(name: str, channels: int) -> None:
    batch = images(64, channels)
    assert torch.allclose(AUGMENTATIONS[name](batch, 0.0, random()), batch, atol=1e-6)
    out = AUGMENTATIONS[name](batch, 1.0, random())
    assert out.shape == batch.shape
    assert bool(((out - batch).abs().amax((1, 2, 3)) > 0.01).all())


def test_diffaugment_leaves_the_share_that_it_should() -> None:
    batch = images(4000, 1, 4)
    same = (AUGMENTATIONS["diffaugment"](batch, 0.3, random()) == batch).all(1).all(1).all(1)
    assert same.float().mean().item() == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
def test_the_probability_may_be_a_tensor_and_the_draws_are_the_generators_own(name: str) -> None:
    batch = images()
    state = torch.random.get_rng_state()
    one = AUGMENTATIONS[name](batch, torch.tensor(0.5), random(3))
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(one, AUGMENTATIONS[name](batch, 0.5, random(3)))
    assert not torch.equal(one, AUGMENTATIONS[name](batch, 0.5, random(4)))


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
def test_gradients_go_through_to_the_generator(name: str) -> None:
    batch = images().requires_grad_()
    AUGMENTATIONS[name](batch, 1.0, random()).square().sum().backward()
    assert bool(batch.grad.isfinite().all())
    assert bool((batch.grad.abs().sum((1, 2, 3)) > 0).all())


def affine(*rows: tuple[float, float, float], count: int = 2) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32).expand(count, 2, 3)


def test_known_maps_are_exact() -> None:
    batch = images(2)
    maps = {
        "identity": (((1, 0, 0), (0, 1, 0)), batch),
        "mirrored": (((-1, 0, 0), (0, 1, 0)), batch.flip(3)),
        "upside down": (((1, 0, 0), (0, -1, 0)), batch.flip(2)),
        "half a turn": (((-1, 0, 0), (0, -1, 0)), batch.flip(2, 3)),
        "a quarter turn": (((0, -1, 0), (1, 0, 0)), torch.rot90(batch, 1, (2, 3))),
    }
    for name, (rows, expected) in maps.items():
        assert torch.allclose(warped(batch, affine(*rows)), expected, atol=1e-5), name
    assert torch.allclose(
        warped(batch, affine((1, 0, 2), (0, 1, 0)))[..., :6], batch[..., 2:], atol=1e-5
    )  # the pixel at u is the old one at u + 2


def test_a_turn_of_the_hue_moves_red_to_green_and_leaves_greys() -> None:
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    third = torch.full((1, 1, 1, 1), 2 * math.pi / 3)
    assert hue_turned(red, third).flatten().tolist() == pytest.approx([0.0, 1.0, 0.0], abs=1e-6)
    grey = torch.full((1, 3, 1, 1), 0.3)
    assert torch.allclose(hue_turned(grey, third), grey)
    colours = torch.randn(4, 3, 5, 5)
    back = hue_turned(hue_turned(colours, torch.tensor(0.7)), torch.tensor(-0.7))
    assert torch.allclose(back, colours, atol=1e-6)
    assert torch.allclose(hue_turned(colours, torch.tensor(1.1)).square().sum(1), colours.square().sum(1), atol=1e-5)


def test_ada_turns_hues_of_three_channels_only() -> None:
    """With every geometric part undone, a colour image keeps its grey level's distance and changes its hue."""
    flat = torch.tensor([0.5, 0.1, -0.2]).reshape(1, 3, 1, 1).expand(64, 3, 8, 8)
    changed = ada(flat, 1.0, torch.Generator().manual_seed(0))[:, :, 4, 4]
    off = changed - changed.mean(1, keepdim=True)
    original = flat[:1, :, 0, 0] - flat[:1, :, 0, 0].mean()
    cosines = torch.nn.functional.cosine_similarity(off, original)
    assert cosines.abs().max() <= 1 + 1e-6
    assert (cosines.abs() < 0.7).float().mean() > 0.3  # without a turn of the hue all are 1 or -1
    two = torch.tensor([0.5, 0.1]).reshape(1, 2, 1, 1).expand(8, 2, 8, 8)
    assert torch.isfinite(ada(two, 1.0, torch.Generator().manual_seed(0))).all()


def test_whole_pixel_shifts_are_exact_and_fill_with_grey() -> None:
    batch = images(200, 1, 16).abs() + 1
    out = shifted(batch, random())
    found = set()
    for image, moved in zip(batch[:, 0], out[:, 0]):
        fits = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3) if torch.equal(moved, by_hand(image, dy, dx))]
        assert len(fits) == 1
        found.add(fits[0])
    assert len(found) == 25


def by_hand(image: torch.Tensor, dy: int, dx: int) -> torch.Tensor:
    """The image whose pixel at (y, x) is the old one at (y + dy, x + dx), or 0 where there is none."""
    height, width = image.shape
    framed = torch.zeros(3 * height, 3 * width)
    framed[height : 2 * height, width : 2 * width] = image
    return framed[height + dy : 2 * height + dy, width + dx : 2 * width + dx]


def test_cutting_out_removes_a_square_of_half_the_side() -> None:
    out = cut_out(torch.ones(300, 1, 8, 8), random())
    gone = (out == 0).sum((1, 2, 3))
    assert gone.max().item() == 16
    assert gone.min().item() >= 4  # a corner of it at least
    full = (out == 0)[gone == 16][0, 0].nonzero()
    assert (full.amax(0) - full.amin(0)).tolist() == [3, 3]


def test_points_are_refused() -> None:
    for augmentation in AUGMENTATIONS.values():
        with pytest.raises(UsageError, match="augmentation=none"):
            augmentation(torch.zeros(4, 2), 1.0, None)
    with pytest.raises(UsageError, match="did you mean 'diffaugment'"):
        augmentation_named("difaugment")
    assert augmentation_named("ada") is AUGMENTATIONS["ada"]


def test_p_moves_by_the_images_seen_towards_the_target() -> None:
    control = AdaptiveProbability(target=0.6, interval=4, images=1000)
    for step in range(1, 41):
        control.observe(torch.tensor([3.0] * 9 + [-1.0]))  # r_t = .8
        assert control.p.item() == pytest.approx((step // 4) * 40 / 1000, abs=1e-6)
    for _ in range(4):
        control.observe(torch.tensor([3.0] * 7 + [-1.0] * 3))  # r_t = .4
    assert control.p.item() == pytest.approx(0.36, abs=1e-6)


def test_p_stays_between_nought_and_one() -> None:
    control = AdaptiveProbability(interval=1, images=10)
    for _ in range(5):
        control.observe(-torch.ones(7))
    assert control.p.item() == 0
    for _ in range(5):
        control.observe(torch.ones(7))
    assert control.p.item() == 1


def test_the_signs_of_several_batches_are_averaged() -> None:
    control = AdaptiveProbability(target=0.6, interval=2, images=100)
    control.observe(torch.ones(10))
    control.observe(-torch.ones(2))  # r_t = 8 / 12 > .6, although the mean of the two batches' is 0
    assert control.p.item() == pytest.approx(12 / 100)


def test_the_controller_resumes_between_two_moves() -> None:
    whole, resumed = AdaptiveProbability(images=1000), AdaptiveProbability(images=1000)
    batches = [torch.randn(16, generator=random(i)) + 0.5 * math.sin(i) + 0.8 for i in range(31)]
    for batch in batches[:15]:
        whole.observe(batch)
    resumed.load_state_dict(whole.state_dict())
    for batch in batches[15:]:
        whole.observe(batch)
        resumed.observe(batch)
    assert whole.p.item() == resumed.p.item() > 0
    with pytest.raises(UsageError, match="target"):
        AdaptiveProbability(target=2)


def test_p_moves_at_updates_of_the_discriminator_and_not_at_the_parts_of_a_batch() -> None:
    moves = {}
    for accumulate in (1, 4):
        config = Config(
            data="digits", augmentation="ada", batch=16, accumulate=accumulate, generator_width=8, discriminator_width=8
        )
        training = prepare(config)
        assert training.players.adaptive is not None
        seen = []
        for _ in range(4):
            play(training.players, training.rules, as_settings(initial_settings(config)), training.update)
            seen.append(training.players.adaptive.state_dict()["updates"])
        moves[accumulate] = seen
    assert moves[1] == moves[4] == [1, 2, 3, 0]
