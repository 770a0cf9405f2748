"""Tests of what cannot be exported as it is: each error names the layer and the cure; and of what looks hard and can."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gandiag.errors import UsageError
from gandiag.export import ExportError, export_generator
from gandiag.export.contract import latent_shape


class Around(nn.Module):
    """A layer between two convolutions: 8 numbers to a 4 x 4 image. The layer is `body.1`."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.first = nn.Linear(8, 64)
        self.body = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), layer, nn.Conv2d(4, 1, 3, padding=1))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.body(self.first(z).view(-1, 4, 4, 4)))


class Noise(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(1))  # as StyleGAN begins: noise that cannot be seen in the output yet

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.strength * torch.randn(len(x), 1, 4, 4)


class HiddenNoise(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.from_numpy(np.random.default_rng().standard_normal((1, 4, 4, 4)).astype(np.float32))


class DropoutAlwaysOn(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, 0.5, training=True)


class Branch(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.mean() > 0 else x


class Item(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / float(x.detach().abs().max())


class LoopOverSamples(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[i] * 2 for i in range(len(x))])


class BatchBranch(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if len(x) > 4 else x


class BatchAsNumber(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(len(x), 4, 4, 4)  # len() is a Python number: tracing takes it for a constant


class OneBatchOnly(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(3, 4, 4, 4)


class NumpyInside(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.from_numpy(np.cos(x.detach().numpy()))


class Modulated(nn.Module):
    """StyleGAN2's modulated convolution, as its authors fuse it (groups = batch) or unfused; the style comes from the input itself."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 4, 3, 3) / 6)
        self.style = nn.Linear(4, 4)
        nn.init.ones_(self.style.bias)
        self.fused = fused

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, style = x.shape[0], self.style(x.mean((2, 3)))
        weight = self.weight[None] * style.view(n, 1, 4, 1, 1)
        scale = (weight.pow(2).sum((2, 3, 4)) + 1e-8).rsqrt()
        if self.fused:
            weight = (weight * scale.view(n, 4, 1, 1, 1)).view(n * 4, 4, 3, 3)
            return F.conv2d(x.reshape(1, n * 4, 4, 4), weight, padding=1, groups=n).view(n, 4, 4, 4)
        return F.conv2d(x * style.view(n, 4, 1, 1), self.weight, padding=1) * scale.view(n, 4, 1, 1)


def around(layer: nn.Module) -> Around:
    torch.manual_seed(0)
    return Around(layer)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Noise(), r"noise is drawn inside forward: randn in layer 'body.1' \(Noise\).*feed the noise as an input"),
        (HiddenNoise(), r"layer 'body.1' \(HiddenNoise\) gives another result for the same latents.*fixed buffer"),
        (DropoutAlwaysOn(), r"noise is drawn inside forward: .* in layer 'body.1' \(DropoutAlwaysOn\)"),
        (
            Modulated(fused=True),
            r"layer 'body.1' \(Modulated\) folds the batch into the groups.*unfused.*--static-batch",
        ),
        (Branch(), r"layer 'body.1' \(Branch\) branches on the values of a tensor.*torch.where"),
        (Item(), r"layer 'body.1' \(Item\) branches on the values of a tensor.*buffer"),
        (LoopOverSamples(), r"layer 'body.1' \(LoopOverSamples\) is tied to the batch size.*--static-batch"),
        (BatchBranch(), r"layer 'body.1' \(BatchBranch\) is tied to the batch size"),
        (
            BatchAsNumber(),
            r"layer 'body.1' \(BatchAsNumber\) is tied to the batch size.*len\(x\) where x.shape\[0\] would do",
        ),
        (OneBatchOnly(), r"fails in torch on inputs \(5, 8\), in layer 'body.1' \(OneBatchOnly\)"),
        (NumpyInside(), r"layer 'body.1' \(NumpyInside\) cannot be traced.*no numpy"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_what_cannot_be_exported_names_the_layer_and_the_cure(tmp_path: Path, layer: nn.Module, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        export_generator(around(layer), 8, tmp_path / "b", measure=False)
    assert list(tmp_path.iterdir()) == []


def test_a_sample_that_depends_on_its_batch_is_refused_with_the_layer(tmp_path: Path) -> None:
    layer = nn.BatchNorm2d(4, track_running_stats=False)
    with pytest.raises(ExportError, match=r"determinism: .*a sample depends on its batch.*'body.1' \(BatchNorm2d\)"):
        export_generator(around(layer), 8, tmp_path / "b", measure=False)


def test_the_unfused_modulated_convolution_exports_with_a_dynamic_batch(tmp_path: Path) -> None:
    bundle = export_generator(around(Modulated(fused=False)), 8, tmp_path / "b", measure=False)
    assert bundle.certificate("parity").facts["floors"] <= 4
    assert bundle.sample(9).shape == (9, 1, 4, 4)


def test_the_fused_one_exports_with_a_static_batch(tmp_path: Path) -> None:
    bundle = export_generator(around(Modulated(fused=True)), 8, tmp_path / "b", static_batch=4, measure=False)
    assert bundle.session("cpu").runtime.get_inputs()[0].shape == [4, 8]
    assert bundle.sample(9).shape == (9, 1, 4, 4)  # the last batch is filled up and cut again


def test_an_epsilon_of_1e_8_survives(tmp_path: Path) -> None:
    """The exporter's own optimisation takes x + 1e-8 for x; where x is 0 the file would then give infinity times zero."""

    class PixelNorm(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return (z * (z.pow(2).mean(1, keepdim=True) + 1e-8).rsqrt()).view(-1, 2, 2, 2)

    bundle = export_generator(PixelNorm(), 8, tmp_path / "b", measure=False)
    small = np.full((1, 8), 1e-5, np.float32)  # mean square 1e-10, a hundredth of the epsilon
    assert bundle.session("cpu")(small) == pytest.approx(1e-5 / np.sqrt(1e-10 + 1e-8), rel=1e-5)
    assert np.isfinite(bundle.session("cpu")(np.zeros((1, 8), np.float32))).all()


def test_norms_that_keep_hooks_on_the_module_are_frozen_as_they_evaluate(tmp_path: Path) -> None:
    layer = nn.Sequential(
        nn.utils.spectral_norm(nn.Conv2d(4, 4, 3, padding=1)), nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 1))
    )
    net = around(layer).train()
    net(torch.randn(4, 8)).sum().backward()  # leaves non-leaf weights and gradients behind
    power = layer[0].weight_u.clone()
    seen: list[int] = []
    net.register_forward_hook(lambda *_: seen.append(1))  # somebody's recorder
    bundle = export_generator(net, 8, tmp_path / "b", measure=False)
    assert seen == []
    assert torch.equal(layer[0].weight_u, power)
    z = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    with torch.no_grad():
        assert np.abs(bundle.session("cpu")(z) - net.eval()(torch.from_numpy(z)).numpy()).max() < 1e-5


def test_a_forward_that_returns_more_than_images_is_told(tmp_path: Path) -> None:
    class Pair(Around):
        def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]  # on purpose
            image = super().forward(z)
            return image, z

    with pytest.raises(ExportError, match="returns tuple of Tensor, Tensor, not one tensor of images"):
        export_generator(Pair(nn.Identity()), 8, tmp_path / "b", measure=False)


def test_a_wrong_latent_shape_is_told_with_the_layer(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"fails in torch on inputs \(3, 9\), in layer 'first' \(Linear\)"):
        export_generator(around(nn.Identity()), 9, tmp_path / "b", measure=False)


@pytest.mark.parametrize("given", [4.0, "4", torch.nn.Linear(4, 2), (4, 1.5), None])
def test_a_latent_dim_that_is_no_whole_number_is_told(given: object) -> None:
    with pytest.raises(UsageError, match="latent_dim is whole numbers"):
        latent_shape(given)  # type: ignore[arg-type]
    assert latent_shape(np.int64(4)) == (4,)  # type: ignore[arg-type]
    assert latent_shape(torch.Size([4, 1, 1])) == (4, 1, 1)
