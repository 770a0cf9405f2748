"""Every generator that the harness can build is exported with a dynamic batch, within four times the float32 rounding floor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gandiag.export import export_generator
from gandiag.training.networks import GENERATORS, build_generator


def warmed(net: nn.Module, labels: torch.Tensor) -> nn.Module:
    """The net with running statistics that are those of its own activations."""
    with torch.no_grad():
        for _ in range(20):
            net.train()(torch.randn(len(labels), 16), labels)
    return net.eval()


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_of_the_harness_is_exported(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    labels = torch.arange(32) % 10
    net = warmed(build_generator(name, (1, 8, 8), (16,), num_classes=10, width=8), labels)
    bundle = export_generator(net, 16, tmp_path / "bundle", num_classes=10, measure=False)
    parity = bundle.certificate("parity")
    assert parity.passed, parity.claim
    z = torch.randn(5, 16)
    found = bundle.session("cpu")(z.numpy(), labels[:5].numpy())
    with torch.no_grad():
        np.testing.assert_allclose(found, net(z, labels[:5]).numpy(), rtol=0, atol=1e-4)
