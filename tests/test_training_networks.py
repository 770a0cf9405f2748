"""Networks: every pair makes and judges samples of every shape, begins as its paper says, and is a function of its inputs alone."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import pytest
import torch
from torch import nn

from gandiag.errors import UsageError
from gandiag.training.networks import DISCRIMINATORS, GENERATORS, build_discriminator, build_generator
from gandiag.training.networks_blocks import ConditionalBatchNorm, Maxout, Scored, SelfAttention, doublings, halvings
from gandiag.training.networks_r3gan import Resampled
from gandiag.training.networks_residual import ResidualDown

POINTS = (2,)
SHAPES = [POINTS, (1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64)]
DENSE = {"mlp", "text-mlp", "text-mlp-norm", "text-norm", "text-norm-out", "text-leaky", "text-dense", "pac"}
ALL = [("generator", name) for name in GENERATORS] + [("discriminator", name) for name in DISCRIMINATORS]


def build(
    player: str, name: str, shape: tuple[int, ...], num_classes: int | None = None, width: int | None = 8
) -> nn.Module:
    torch.manual_seed(0)
    return (build_generator if player == "generator" else build_discriminator)(
        name, shape, (5,), num_classes=num_classes, width=width
    )


def inputs(player: str, shape: tuple[int, ...], num_classes: int | None, count: int = 4) -> tuple[torch.Tensor, ...]:
    random = torch.Generator().manual_seed(1)
    first = torch.randn(count, *((5,) if player == "generator" else shape), generator=random)
    return (first,) if num_classes is None else (first, torch.arange(count) % num_classes)


@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize(("player", "name"), ALL)
def test_every_network_works_on_every_shape_or_says_why_not(player: str, name: str, num_classes: int | None) -> None:
    for shape in SHAPES:
        if shape == POINTS and name not in DENSE:
            with pytest.raises(UsageError, match="square images"):
                build(player, name, shape, num_classes)
            continue
        network = build(player, name, shape, num_classes)
        out = network(*inputs(player, shape, num_classes))
        assert out.shape == ((4, *shape) if player == "generator" else (4,))
        assert bool(out.isfinite().all())


@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize(("player", "name"), ALL)
def test_gradients_reach_every_parameter_and_nothing_is_random(player: str, name: str, num_classes: int | None) -> None:
    shape = (1, 8, 8)
    network = build(player, name, shape, num_classes)
    given = inputs(player, shape, num_classes)
    twin = copy.deepcopy(network)
    out = network(*given)
    assert torch.equal(out, twin(*given))  # no dropout, no noise of its own
    assert torch.equal(network.eval()(*given), network(*given))
    network.train()(*given).square().sum().backward()
    for part, parameter in network.named_parameters():
        assert parameter.grad is not None, part
        assert bool(parameter.grad.isfinite().all()), part


@pytest.mark.parametrize(("player", "name"), ALL)
def test_classes_matter_and_must_be_given(player: str, name: str) -> None:
    shape = (1, 8, 8)
    network = build(player, name, shape, 3)
    if name == "sagan" and player == "generator":
        network.eval()
    for part in network.modules():  # what begins neutral is pushed off its start
        if isinstance(part, ConditionalBatchNorm) and part.shift is not None:
            nn.init.normal_(part.shift.weight)
    (first, labels) = inputs(player, shape, 3)
    assert not torch.allclose(network(first, labels), network(first, (labels + 1) % 3))
    with pytest.raises(TypeError, match="conditional"):
        network(first)


@pytest.mark.parametrize("name", list(GENERATORS))
def test_images_are_in_range_and_latents_may_have_any_shape(name: str) -> None:
    generator = build("generator", name, (1, 8, 8))
    latent = torch.randn(3, 5) * 100
    out = generator(latent)
    if name != "r3gan":  # whose output is linear
        assert out.abs().max().item() <= 1
    assert torch.equal(generator.eval()(latent.reshape(3, 5, 1, 1)), generator(latent))


def test_points_are_not_squashed() -> None:
    generator = build("generator", "mlp", POINTS)
    for parameter in generator.parameters():
        nn.init.constant_(parameter, 1.0)
    assert generator(torch.ones(1, 5)).max().item() > 1


def test_the_default_pair_is_three_of_256_against_two() -> None:
    def shapes(network: nn.Module) -> list[tuple[int, ...]]:
        return [tuple(parameter.shape) for parameter in network.parameters() if parameter.ndim == 2]

    assert shapes(build_generator("mlp", (1, 8, 8), (64,))) == [(256, 64), (256, 256), (256, 256), (64, 256)]
    assert shapes(build_discriminator("mlp", (1, 8, 8))) == [(256, 64), (256, 256), (1, 256)]
    assert shapes(build_generator("text-mlp", (1, 28, 28), (100,))) == [
        (128, 100),
        (256, 128),
        (512, 256),
        (1024, 512),
        (784, 1024),
    ]
    assert shapes(build_discriminator("text-mlp", (1, 28, 28))) == [(512, 784), (256, 512), (128, 256), (1, 128)]
    assert shapes(GENERATORS["mlp"]((2,), (8,), width=128, depth=2)) == [(128, 8), (128, 128), (2, 128)]  # type: ignore[call-arg]  # the MLPs' own
    assert shapes(build_generator("pac", (2,), (2,))) == [(400, 2)] + [(400, 400)] * 3 + [(2, 400)]
    assert shapes(build_discriminator("pac", (4,))) == [
        (1000, 4),
        (1000, 200),
        (1000, 200),
        (1, 200),
    ]  # packed by two, five pieces


def test_the_textbook_generator_goes_from_7x7x256_to_28x28() -> None:
    generator = build_generator("text-conv", (1, 28, 28), (100,))
    seen: list[tuple[int, ...]] = []
    for layer in generator.modules():
        if isinstance(layer, nn.Unflatten | nn.ConvTranspose2d):
            layer.register_forward_hook(lambda _, __, out: seen.append(tuple(out.shape[1:])))
    generator(torch.zeros(2, 100))
    assert seen == [(256, 7, 7), (128, 7, 7), (64, 14, 14), (1, 28, 28)]


def test_dcgan_doubles_from_4x4_and_begins_at_two_hundredths() -> None:
    generator, discriminator = build_generator("dcgan", (3, 64, 64), (100,)), build_discriminator("dcgan", (3, 64, 64))
    channels = [layer.in_channels for layer in generator.modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert channels == [512, 256, 128, 64]
    assert [layer.out_channels for layer in discriminator.modules() if isinstance(layer, nn.Conv2d)] == [
        64,
        128,
        256,
        512,
    ]
    for network in (generator, discriminator):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
                assert layer.bias is None or not layer.bias.any()
            if isinstance(layer, nn.BatchNorm2d):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.02)
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in discriminator.modules()) == 3  # none on the first


@pytest.mark.parametrize("name", ["sngan", "sagan"])
def test_spectral_discriminators_have_gain_one_in_every_layer(name: str) -> None:
    discriminator = build("discriminator", name, (1, 8, 8), 3)
    for _ in range(100):
        discriminator(*inputs("discriminator", (1, 8, 8), 3))
    weights = [
        layer.weight.detach()
        for layer in discriminator.modules()
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding)
    ]
    assert len(weights) == (9 if name == "sngan" else 13)
    for weight in weights:
        assert torch.linalg.svdvals(weight.flatten(1))[0].item() == pytest.approx(1, abs=2e-2)


def test_sngan_on_32x32_halves_twice_and_ends_at_8x8() -> None:
    discriminator = build_discriminator("sngan", (3, 32, 32), width=4)
    downs = [block.down for block in discriminator.modules() if isinstance(block, ResidualDown)]
    assert downs == [True, True, False, False]


@pytest.mark.parametrize("name", ["r1-resnet", "r3gan"])
def test_networks_without_normalisation_have_none(name: str) -> None:
    for player in ("generator", "discriminator"):
        network = build(player, name, (1, 8, 8))
        assert not list(network.buffers()) or name == "r3gan"
        assert not any("Norm" in type(layer).__name__ for layer in network.modules())
        one, four = inputs(player, (1, 8, 8), None, 1), inputs(player, (1, 8, 8), None, 4)
        joined = network(torch.cat([one[0], four[0]]))
        assert torch.allclose(joined[:1], network(one[0]), atol=1e-5)  # a sample's result does not depend on its batch


def test_r3gan_blocks_begin_as_the_identity_and_resample_by_one_two_one() -> None:
    up, down = Resampled(1, 1, up=True), Resampled(1, 1, up=False)
    ramp = torch.arange(4.0).expand(1, 1, 4, 4).contiguous()
    assert up(ramp)[0, 0, 4].tolist() == [
        0,
        0,
        0.5,
        1,
        1.5,
        2,
        2.5,
        3,
    ]  # old places and the means between, edge: half of nothing
    assert up(torch.ones(1, 1, 4, 4))[0, 0, 2:, 2:].unique().tolist() == [1]
    assert down(torch.ones(1, 1, 8, 8))[0, 0, 1:, 1:].unique().tolist() == [1]
    discriminator = build_discriminator("r3gan", (1, 8, 8), width=16)
    x = torch.randn(2, 16, 8, 8)
    block = discriminator.body[1]
    assert torch.equal(block(x), x)
    first = block.body[0].weight
    assert first.std().item() == pytest.approx(math.sqrt(2 / 1.04) * 4 ** (-1 / 4) / math.sqrt(16), rel=0.1)


def test_projection_is_the_inner_product_with_the_class() -> None:
    network = Scored(nn.Identity(), 3, 2)
    features, labels = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([1])
    expected = network.head(features).squeeze(1) + features[0] @ network.embedding.weight[1]
    assert torch.allclose(network(features, labels), expected)


def test_conditional_batch_norm_scales_and_shifts_by_class() -> None:
    norm = ConditionalBatchNorm(2, 2)
    norm.scale.weight.data = torch.tensor([[1.0, 1.0], [3.0, 1.0]])
    norm.shift.weight.data = torch.tensor([[0.0, 0.0], [0.0, 7.0]])
    x = torch.randn(6, 2, 3, 3)
    plain = nn.BatchNorm2d(2, affine=False)(x)
    out = norm(x, torch.tensor([0, 0, 0, 1, 1, 1]))
    assert torch.allclose(out[:3], plain[:3])
    assert torch.allclose(
        out[3:], plain[3:] * torch.tensor([3.0, 1.0])[:, None, None] + torch.tensor([0.0, 7.0])[:, None, None]
    )


def test_self_attention_begins_as_the_identity_and_then_sees_all_places() -> None:
    attention = SelfAttention(16)
    x = torch.randn(2, 16, 6, 6)
    assert torch.equal(attention(x), x)
    attention.gate.data.fill_(1.0)
    moved = x.clone()
    moved[:, :, 0, 0] += 1
    assert not torch.allclose(attention(x)[:, :, 5, 5], attention(moved)[:, :, 5, 5])


def test_maxout_is_the_largest_of_its_pieces() -> None:
    layer = Maxout(2, 3, 5)
    x = torch.randn(4, 2)
    by_hand = torch.stack([layer.linear(x)[:, 5 * i : 5 * i + 5].max(1).values for i in range(3)], 1)
    assert torch.equal(layer(x), by_hand)


def test_a_normalised_score_has_mean_nought_on_every_batch() -> None:
    discriminator = build("discriminator", "text-norm-out", (1, 8, 8))
    for _ in range(3):
        scores = discriminator(torch.randn(64, 1, 8, 8) + 5)
        assert scores.mean().item() == pytest.approx(0, abs=1e-5)


def test_halvings() -> None:
    assert [halvings(side) for side in (4, 8, 12, 14, 28, 32, 64, 9)] == [0, 1, 1, 1, 2, 3, 4, 0]
    assert [doublings(side) for side in (4, 8, 12, 14, 16, 28, 32, 64, 9)] == [1, 2, 2, 1, 2, 2, 3, 4, 0]


@pytest.mark.parametrize("name", ["dcgan", "r1-resnet"])
def test_a_score_of_a_small_image_joins_what_is_far_apart_in_it(name: str) -> None:
    """With one convolution of stride 2 it would be a sum over patches: the effect of two opposite corners would be that of each, added."""
    discriminator = build("discriminator", name, (1, 8, 8)).eval()
    first, second = (torch.zeros(1, 1, 8, 8) for _ in range(2))
    first[..., :3, :3], second[..., 5:, 5:] = 1.0, 1.0
    with torch.no_grad():
        scores = discriminator(torch.cat([torch.zeros(1, 1, 8, 8), first, second, first + second])).double()
    assert abs(scores[3] - scores[1] - scores[2] + scores[0]) > 1e-6 * scores.abs().max()


def test_a_users_own_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_networks_module.py").write_text(
        "from torch import nn\ndef mine(sample_shape, latent_shape, *, num_classes=None, width=None):\n"
        "    return nn.Linear(latent_shape[0], sample_shape[0])\n"
        "def wrong(*_, **__):\n    return 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert build_generator("my_networks_module:mine", (2,), (5,))(torch.zeros(3, 5)).shape == (3, 2)
    with pytest.raises(UsageError, match="returned a int"):
        build_discriminator("my_networks_module:wrong", (2,))
    with pytest.raises(UsageError, match="did you mean 'sngan'"):
        build_generator("sngn", (1, 8, 8), (5,))
    with pytest.raises(UsageError, match="known: mlp, conv"):
        build_discriminator("qqq", (1, 8, 8))
