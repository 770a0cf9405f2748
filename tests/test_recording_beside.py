"""What D is given beside the reals: whether it belongs to them, told at the end of the run and judged; and an end that nothing can spoil."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

import gandiag
from gandiag.diagnosis import Verdict
from gandiag.recording.beside import Beside, agreement, classes_in_numbers
from tests.made_runs import made


def test_conditions_that_belong_to_their_samples_are_told_from_strange_ones() -> None:
    chance = torch.Generator().manual_seed(0)
    given = torch.randn(800, 3, generator=chance)
    samples = given @ torch.randn(3, 5, generator=chance) + 0.1 * torch.randn(800, 5, generator=chance)
    mine, strange = agreement(samples, given), agreement(samples[torch.randperm(800, generator=chance)], given)
    assert mine is not None
    assert strange is not None
    assert mine["share"] > 0.9
    assert abs(strange["share"] - 0.5) < 4 * (0.25 / strange["count"]) ** 0.5
    again = torch.cat([given[:300], given[:300]]), torch.cat([samples[:300], samples[:300]])
    few = agreement(again[1][torch.randperm(600, generator=chance)], again[0])
    assert few is not None
    assert few["count"] <= 300, "a condition that comes twice counts once"


def test_nothing_is_told_of_conditions_that_never_differ_or_are_not_finite() -> None:
    samples = torch.randn(50, 2)
    assert agreement(samples, torch.ones(50, 3)) is None
    assert agreement(samples, torch.full((50, 3), torch.nan)) is None


@pytest.mark.parametrize("form", ["one-hot", "one number", "planes"])
@pytest.mark.parametrize("mine", [True, False])
def test_classes_in_numbers_are_held_against_their_samples(form: str, mine: bool) -> None:
    chance = torch.Generator().manual_seed(0)
    label = torch.randint(4, (1000,), generator=chance)
    samples = torch.randn(4, 6, generator=chance)[label] * 3 + torch.randn(1000, 6, generator=chance)
    given = label if mine else label[torch.randperm(1000, generator=chance)]
    code = (given[:, None] / 3 if form == "one number" else nn.functional.one_hot(given, 4)).float()
    if form == "planes":
        code = code[:, :, None, None].expand(-1, -1, 2, 2)
    beside = Beside()
    for i in range(0, 1000, 50):
        beside.note(samples[i : i + 50], (samples[i : i + 50], code[i : i + 50]), {})
    told = beside.told_of_classes()
    assert told is not None
    assert sum(told["counts"]["real"].values()) == 1000
    assert told["agreement"]["count"] == 1000
    assert (told["agreement"]["share"] > 0.8) is mine
    assert 0.24 < told["agreement"]["chance"] < 0.27


def test_measurements_codes_of_several_ones_and_one_class_are_no_classes() -> None:
    chance = torch.Generator().manual_seed(0)
    kinds = torch.randn(4, 3, generator=chance)[torch.randint(4, (400,), generator=chance)]
    assert classes_in_numbers(torch.randn(400, 1, generator=chance)) is None
    assert classes_in_numbers(kinds) is None
    assert classes_in_numbers(torch.ones(400, 1)) is None
    assert classes_in_numbers(torch.full((400, 1), torch.nan)) is None
    assert classes_in_numbers(torch.randint(2, (400, 3), generator=chance).float()) is None


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_one_hot_labels_that_do_not_belong_to_their_reals_are_named(apart: bool, joined: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2)), Judge(6)
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    centres = 3 * torch.randn(4, 2)
    with gandiag.Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(150):
            label = torch.randint(4, (16,))
            code = nn.functional.one_hot(label[torch.randperm(16)] if apart else label, 4).float()
            real, fake = centres[label] + 0.3 * torch.randn(16, 2), g(torch.cat([torch.randn(16, 2), code], 1))

            def judged(sample: Tensor, code: Tensor = code) -> Tensor:
                return d(torch.cat([sample, code], 1)) if joined else d(sample, code)

            d_opt.zero_grad()
            (softplus(-judged(real)).mean() + softplus(judged(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-judged(fake)).mean().backward()
            g_opt.step()
            recorder.step()
    run = gandiag.load_run(tmp_path / "run")
    assert run.about["labels"]["agreement"]["count"] > 500
    found = gandiag.diagnose(run).finding("data_mismatch")
    assert (found.verdict is Verdict.FAILED and found.kind == "labels") is apart, found.claim


class Judge(nn.Module):
    """Two arguments, or one in which they are joined."""

    def __init__(self, values: int = 4) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(values, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def forward(self, first: Tensor, second: Tensor | None = None) -> Any:
        return self.net(first if second is None else torch.cat([first, second], 1))


def paired(path: Path, *, apart: bool, joined: bool) -> Any:
    """A game of G(source) against D(source, real), whose pairs are or are not taken apart; D wins, the fakes are no reals."""
    torch.manual_seed(0)
    g, d = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2)), Judge()
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-5), torch.optim.Adam(d.parameters(), 1e-3)

    def judged(source: Tensor, sample: Tensor) -> Tensor:
        return d(torch.cat([source, sample], 1)) if joined else d(source, sample)

    with gandiag.Recorder(
        path, generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True
    ):
        for _ in range(320):
            source = torch.randn(16, 2)
            real = 3 + source.flip(1) ** 2
            given = source[torch.randperm(16)] if apart else source
            fake = g(given)
            d_opt.zero_grad()
            (softplus(-judged(given, real)).mean() + softplus(judged(given, fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-judged(given, fake)).mean().backward()
            g_opt.step()
    return gandiag.load_run(path)


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_pairs_that_were_taken_apart_are_named(apart: bool, joined: bool, tmp_path: Path) -> None:
    run = paired(tmp_path / "run", apart=apart, joined=joined)
    told = run.about["beside"]
    assert told["count"] > 900
    assert (told["share"] < 0.55) is apart
    found = gandiag.diagnose(run).finding("data_mismatch")
    assert (found.verdict is Verdict.FAILED and found.kind == "pairs") is apart, found.claim


def test_a_condition_that_tells_little_is_no_fault_while_the_fakes_are_well(tmp_path: Path) -> None:
    told = {"share": 0.5, "chance": 0.5, "count": 1000.0}
    assert gandiag.diagnose(made(tmp_path / "run", facts={"beside": told})).finding("data_mismatch").kind != "pairs"
    for i, odd in enumerate((3, {"share": "half"}, {"share": 0.5, "chance": 0.5}, [1])):
        assert gandiag.diagnose(made(tmp_path / f"{i}", facts={"beside": odd})).finding("data_mismatch").kind == ""


def test_an_end_of_which_one_part_cannot_be_told_keeps_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Beside) -> None:
        raise IndexError("915")

    monkeypatch.setattr(Beside, "told", broken)
    run = paired(tmp_path / "run", apart=False, joined=False)
    assert run.about["status"] == "finished"
    assert "beside" not in run.about
    assert "discriminator_constraint" in run.about
    assert any("beside could not be told" in sentence for sentence in run.about["could_not_tell"])


@pytest.mark.parametrize("first", ["condition", "sample"])
def test_the_first_reals_are_the_samples_whichever_argument_they_are(first: str, tmp_path: Path) -> None:
    """Both have one form: that fakes stand second is known only once D was shown some."""
    torch.manual_seed(0)
    g, d = nn.Linear(2, 2), Judge()
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 1e-3), torch.optim.SGD(d.parameters(), 1e-3)
    with gandiag.Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(12):
            source, real = 50 + torch.randn(16, 2), torch.randn(16, 2)
            fake = g(source)

            def judged(sample: Tensor, source: Tensor = source) -> Tensor:
                return d(source, sample) if first == "condition" else d(sample, source)

            d_opt.zero_grad()
            (softplus(-judged(real)).mean() + softplus(judged(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-judged(fake)).mean().backward()
            g_opt.step()
            recorder.step()
    assert float(gandiag.load_run(tmp_path / "run")["real_max"].max()) < 10
