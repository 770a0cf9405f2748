"""The moving average of G that a script keeps: found, scored beside G, and told from what only looks like one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import softplus

import gandiag
from gandiag.recording.averaged import Average, copies_of


def net(*sizes: int) -> nn.Module:
    return nn.Sequential(nn.Linear(sizes[0], 16), nn.ReLU(), nn.Linear(16, sizes[1]))


def walked(generator: nn.Module, follow: Callable[[int], None], looks: int = 5) -> Average:
    """A generator that wanders, looked at every fifth step."""
    average = Average(generator)
    chance = torch.Generator().manual_seed(0)
    for step in range(5 * looks):
        with torch.no_grad():
            for p in generator.parameters():
                p += 0.02 * torch.randn(p.shape, generator=chance)
        follow(step)
        if step % 5 == 4:
            average.look()
            average.settle()
    return average


def mean_of(generator: nn.Module, average: nn.Module, decay: float = 0.9) -> Callable[[int], None]:
    def follow(step: int) -> None:
        with torch.no_grad():
            for a, p in zip(average.parameters(), generator.parameters()):
                a.lerp_(p, 1 - decay)

    return follow


def test_the_average_is_found_and_is_the_only_one() -> None:
    torch.manual_seed(0)
    g = net(3, 2)
    mean = copy.deepcopy(g).requires_grad_(False)
    assert walked(g, mean_of(g, mean)).module is mean


def test_torchs_own_averaged_model_is_found() -> None:
    torch.manual_seed(0)
    g = net(3, 2)
    wrapper = torch.optim.swa_utils.AveragedModel(g, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    assert walked(g, lambda step: wrapper.update_parameters(g)).module is wrapper.module


@pytest.mark.parametrize("kind", ["by name", "made anew", "whole state", "list", "list of values"])
def test_an_average_that_is_a_table_of_tensors_is_found_and_becomes_a_module(kind: str) -> None:
    torch.manual_seed(0)
    g = nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
    source = g.state_dict() if kind == "whole state" else dict(g.named_parameters())
    table = {name: value.detach().clone() for name, value in source.items()}
    kept: list[torch.Tensor] = [*table.values()] if kind.startswith("list") else []
    snapshot = {name: value.detach().clone() for name, value in source.items()}

    def follow(step: int) -> None:
        with torch.no_grad():
            for i, (name, value) in enumerate(source.items()):
                if kind == "made anew":
                    table[name] = 0.9 * table[name] + 0.1 * value
                elif kind == "list of values":
                    kept[i] = 0.9 * kept[i] + 0.1 * value
                elif value.is_floating_point():
                    table[name].mul_(0.9).add_(value, alpha=0.1)

    average = walked(g, follow)
    assert average.module is not None
    wanted = [*table.values()] if kind != "list of values" else kept
    state = average.module.state_dict()
    assert all(torch.equal(state[name], value) for name, value in zip(source, wanted))
    follow(0)
    assert average.settle() is average.module, "it is followed on"
    assert torch.equal(state["0.weight"], kept[0] if kept else table["0.weight"])
    assert not torch.equal(state["0.weight"], snapshot["0.weight"])


def test_an_average_of_which_a_module_and_a_list_are_kept_is_one() -> None:
    torch.manual_seed(0)
    g = net(3, 2)
    mean = copy.deepcopy(g).requires_grad_(False)
    kept = [*mean.parameters()]
    assert walked(g, mean_of(g, mean)).module is mean
    assert kept


@pytest.mark.parametrize("what", ["snapshot", "best so far", "target", "another", "trained beside"])
def test_what_only_looks_like_an_average_is_none(what: str) -> None:
    torch.manual_seed(0)
    g = net(3, 2)
    other = net(3, 2) if what in ("another", "trained beside") else copy.deepcopy(g)
    optimizer = torch.optim.SGD(other.parameters(), 0.1) if what == "trained beside" else None
    assert (other in copies_of(g)) is (optimizer is None)

    def follow(step: int) -> None:
        if what == "target" or (what == "best so far" and step == 12):
            other.load_state_dict(g.state_dict())
        elif what == "another":
            with torch.no_grad():
                for p in other.parameters():
                    p += 0.02 * torch.randn_like(p)

    assert walked(g, follow).module is None


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    yield
    gandiag.detach()


@pytest.mark.parametrize("kept", [True, False])
def test_attach_scores_and_keeps_the_average_where_its_samples_are_the_better(kept: bool, tmp_path: Path) -> None:
    """A generator whose samples are shaken as a whole in every step: its average makes what it makes in the middle."""
    attachment = gandiag.attach(tmp_path / "run", every=100, say=lambda line: None)
    torch.manual_seed(0)
    g, d = net(2, 2), net(2, 1)
    mean = copy.deepcopy(g).requires_grad_(False) if kept else None
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    for _ in range(420):
        d_opt.zero_grad()
        real = torch.randn(32, 2)
        (softplus(-d(real)).mean() + softplus(d(g(torch.randn(32, 2)).detach())).mean()).backward()
        d_opt.step()
        g_opt.zero_grad()
        softplus(-d(g(torch.randn(32, 2)))).mean().backward()
        g_opt.step()
        if mean is not None:
            mean_of(g, mean, 0.98)(0)
        with torch.no_grad():
            g[2].bias.copy_(0.7 * torch.randn(2))  # type: ignore[index, operator]  # of a Sequential
    gandiag.detach()
    records = gandiag.load_run(tmp_path / "run").records("evaluations")
    assert any(r["protocol"].get("generator") == "its moving average" for r in records) is kept
    passing = attachment.games[0].passing
    assert (passing.better is mean) is kept
    saved = load_file(tmp_path / "run" / "checkpoints" / "last-generator.safetensors")
    assert torch.equal(saved["0.weight"], (mean or g).state_dict()["0.weight"])


@pytest.mark.parametrize("kept", ["average", "by its data", "snapshot", "nothing"])
def test_a_loop_that_keeps_an_average_is_known_by_it(kept: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = net(2, 2), net(2, 1)
    mean = None if kept == "nothing" else copy.deepcopy(g)
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    with gandiag.Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for step in range(420):
            d_opt.zero_grad()
            (softplus(-d(torch.randn(16, 2))).mean() + softplus(d(g(torch.randn(16, 2)).detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-d(g(torch.randn(16, 2)))).mean().backward()
            g_opt.step()
            if kept == "average" and mean is not None:
                mean_of(g, mean, 0.98)(0)
            elif kept == "by its data" and mean is not None:
                for a, b in zip(mean.parameters(), g.parameters()):
                    a.data = 0.98 * a.data + 0.02 * b.data
            elif kept == "snapshot" and step == 200 and mean is not None:
                mean.load_state_dict(g.state_dict())
    assert gandiag.load_run(tmp_path / "run").about.get("keeps_average", False) is (kept in ("average", "by its data"))


@pytest.mark.parametrize("begins", ["made late", "rests at first"])
def test_an_average_that_begins_late_is_known_as_well(begins: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    mean = copy.deepcopy(g) if begins == "rests at first" else None
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 1e-2), torch.optim.SGD(d.parameters(), 1e-2)
    players = {"generator": g, "discriminator": d, "generator_optimizer": g_opt, "discriminator_optimizer": d_opt}
    with gandiag.Recorder(tmp_path / "run", **players, automatic=True):
        for step in range(720):
            d_opt.zero_grad()
            (softplus(-d(torch.randn(4, 2) + 1)).mean() + softplus(d(g(torch.randn(4, 2)).detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-d(g(torch.randn(4, 2)))).mean().backward()
            g_opt.step()
            if step == 450 and mean is None:
                mean = copy.deepcopy(g)
            if step >= 450 and mean is not None:
                mean_of(g, mean, 0.98)(0)
    assert gandiag.load_run(tmp_path / "run").about["keeps_average"] is True


def test_an_average_that_is_made_after_the_first_searches_is_found() -> None:
    torch.manual_seed(0)
    g = net(3, 2)
    kept: list[nn.Module] = []
    follows: list[Callable[[int], None]] = []

    def follow(step: int) -> None:
        if step == 50:
            kept.append(copy.deepcopy(g).requires_grad_(False))
            follows.append(mean_of(g, kept[0]))
        for one in follows:
            one(step)

    assert walked(g, follow, looks=20).module is kept[0]


@pytest.mark.parametrize(
    ("decay", "left"), [(0.98, 0.98**430), (0.999, 0.999**430), (0.99999, 0.99999**430), (1.0, None)]
)
def test_how_much_of_the_start_is_left_in_an_average_is_told(decay: float, left: float | None, tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = nn.Linear(4, 2), nn.Linear(2, 1)
    mean = copy.deepcopy(g)
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 1e-2), torch.optim.SGD(d.parameters(), 1e-2)
    players = {"generator": g, "discriminator": d, "generator_optimizer": g_opt, "discriminator_optimizer": d_opt}
    with gandiag.Recorder(tmp_path / "run", **players) as recorder:
        for _ in range(430):
            fake, real = g(torch.randn(16, 4)), torch.randn(16, 2) + 3
            d_opt.zero_grad()
            (softplus(-d(real)).mean() + softplus(d(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-d(fake)).mean().backward()
            g_opt.step()
            if decay < 1:
                mean_of(g, mean, decay)(0)
            recorder.step(real=real, fake=fake)
    told = gandiag.load_run(tmp_path / "run").about.get("average_share_of_start")
    assert told == (None if left is None else pytest.approx(left, abs=0.1))
    finding = gandiag.diagnose(tmp_path / "run").finding("stagnation")
    assert (finding.kind == "stale average") is (left is not None and left > 0.5)
