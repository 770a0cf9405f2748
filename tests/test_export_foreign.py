"""Tests of generators that this project did not write: a function that builds the net, a safetensors file, nothing unpickled."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gandiag.errors import UsageError
from gandiag.export import ExportError, export_generator
from gandiag.export.foreign import build_generator, load_weights, read_weights

STRANGER = """
from torch import nn

class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.main = nn.Sequential(nn.ConvTranspose2d(6, width, 4), nn.BatchNorm2d(width), nn.ReLU(True),
                                  nn.ConvTranspose2d(width, 3, 4, 2, 1), nn.Tanh())
    def forward(self, input):
        return self.main(input)

def make():
    return Net()

def number():
    return 7

def broken():
    raise RuntimeError("no weights here")

tied = None
"""


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"stranger_{abs(hash(tmp_path)) % 10**9}"
    (tmp_path / f"{name}.py").write_text(STRANGER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_a_strangers_net_with_a_latent_map_exports(stranger: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = build_generator(f"{stranger}:make")
    save_file(
        {f"module.{name}": value for name, value in source.state_dict().items()}, tmp_path / "g.safetensors"
    )  # as DDP saves
    net = build_generator(f"{stranger}:Net", tmp_path / "g.safetensors")
    bundle = export_generator(net, (6, 1, 1), tmp_path / "b", measure=False, latent="uniform", uint8=True)
    z = np.random.default_rng(0).uniform(-1, 1, (5, 6, 1, 1)).astype(np.float32)
    made = bundle.session("cpu")(z)
    with torch.no_grad():
        level = source.eval()(torch.from_numpy(z)).permute(0, 2, 3, 1).numpy() * 127.5 + 128
    assert (made.dtype, made.shape) == (np.uint8, (5, 8, 8, 3))
    certain = np.abs(level - np.round(level)) > 1e-3  # not on the edge between two bytes
    assert certain.mean() > 0.9
    assert np.array_equal(made[certain], np.clip(level, 0, 255).astype(np.uint8)[certain])


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ("nowhere", UsageError, "package.module:function"),
        ("no_such_package_x:make", UsageError, "no module 'no_such_package_x'"),
        ("{0}:mkae", UsageError, "did you mean 'make'"),
        ("{0}:tied", UsageError, "is a NoneType"),
        ("{0}:number", ExportError, "returned a int, not a torch.nn.Module"),
        ("{0}:broken", ExportError, "RuntimeError: no weights here"),
    ],
)
def test_what_builds_no_net_is_told(stranger: str, where: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build_generator(where.format(stranger))


def test_weights_of_another_net_are_told_by_name(stranger: str, tmp_path: Path) -> None:
    net = build_generator(f"{stranger}:make")
    save_file({"main.0.weight": torch.zeros(6, 5, 4, 4), "head.weight": torch.zeros(1)}, tmp_path / "d.safetensors")
    with pytest.raises(
        ExportError,
        match=r"missing \(first: main.0.bias\); 1 unknown to the net \(first: head.weight\); 1 of another shape",
    ):
        load_weights(net, tmp_path / "d.safetensors")


class Trap:
    opened = False

    def __reduce__(self) -> tuple[object, ...]:
        return (setattr, (Trap, "opened", True))


@pytest.mark.parametrize("name", ["g.pt", "g.safetensors"])
def test_a_pickle_is_refused_unopened(tmp_path: Path, name: str) -> None:
    torch.save({"w": torch.zeros(1)}, tmp_path / name)
    with pytest.raises(ExportError, match=r"is a pickle.*safetensors.torch.save_file"):
        read_weights(tmp_path / name)
    (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ExportError, match="is a pickle"):
        read_weights(tmp_path / name)
    assert Trap.opened is False


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff" * 64, (2**40).to_bytes(8, "little") + b"{}"])
def test_a_damaged_safetensors_file_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "g.safetensors").write_bytes(data)
    with pytest.raises(ExportError, match="no safetensors file"):
        read_weights(tmp_path / "g.safetensors")


def test_tied_weights_that_safetensors_keeps_once_load(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(3, 3, bias=False)
            self.second = nn.Linear(3, 3, bias=False)
            self.second.weight = self.first.weight

    net, weight = Tied(), torch.arange(9.0).view(3, 3)
    save_file({"first.weight": weight}, tmp_path / "g.safetensors")
    load_weights(net, tmp_path / "g.safetensors")
    assert torch.equal(net.second.weight, weight)
