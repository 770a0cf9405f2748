"""Numbers as text, decimation, typed arrays, axes: what every chart of the report stands on."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from gandiag.diagnosis.finding import Diagnosis, Finding, Overall, Verdict
from gandiag.reporting import axes, decimate, figures, heatmaps, numbers
from gandiag.reporting.curves import cut_axis, runs_away


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "–"),
        (12000, "12,000"),
        (0.98123, "0.9812"),
        (-1.38629, "−1.386"),
        (3.1e-8, "3.1e−8"),
        (0.0, "0"),
        (1234.5678, "1,235"),
        (math.nan, "NaN"),
        (-math.inf, "−∞"),
        (1.23e15, "1.23e15"),
        (0.5, "0.5"),
        (100.0, "100"),
    ],
)
def test_numbers_are_written_with_four_digits(value: float | None, said: str) -> None:
    assert numbers.number(value) == said


def test_times_sizes_and_spans_of_steps_are_words() -> None:
    assert numbers.duration(8.13) == "8.1 s"
    assert numbers.duration(190) == "3 min 10 s"
    assert numbers.duration(7500) == "2 h 5 min"
    assert numbers.size(1.5 * 2**30) == "1.5 GiB"
    assert numbers.steps(400, None) == "step 400 to the end"
    assert numbers.steps(1200, 3400) == "steps 1,200 to 3,400"
    assert numbers.steps(None, None) == ""


def kept_slowly(values: np.ndarray, buckets: int) -> set[int]:
    """The obvious twin of `decimate.kept`, one bucket after the other."""
    width = math.ceil(len(values) / buckets)
    chosen = {0, len(values) - 1}
    for a in range(0, len(values), width):
        bucket = values[a : a + width]
        finite = [i for i in range(len(bucket)) if math.isfinite(bucket[i])]
        bad = [i for i in range(len(bucket)) if not math.isfinite(bucket[i])]
        if finite:
            chosen |= {a + min(finite, key=lambda i: bucket[i]), a + max(finite, key=lambda i: bucket[i])}
        if bad:
            chosen.add(a + bad[0])
    return {int(i) for i in chosen}


@pytest.mark.parametrize("holes", [0.0, 0.05, 1.0])
def test_decimation_keeps_what_its_slow_twin_keeps(holes: float) -> None:
    random = np.random.default_rng(0)
    values = random.standard_cauchy(5003)
    values[random.random(5003) < holes] = np.nan
    values[1234] = np.inf
    kept = set(decimate.kept(values, 100).tolist())
    wanted = kept_slowly(values, 100)
    assert kept == wanted


def test_no_extreme_is_lost_in_a_million_steps() -> None:
    values = np.random.default_rng(1).normal(size=1_000_000).astype(np.float32)
    values[[17, 499_999, 999_998]] = [50, -60, 70]
    kept = decimate.kept(values)
    assert {17, 499_999, 999_998, 0, 999_999} <= set(kept.tolist())
    assert len(kept) <= 2 * decimate.BUCKETS + 2
    assert values[kept].max() == values.max()
    assert values[kept].min() == values.min()


def test_a_short_series_is_drawn_whole() -> None:
    assert decimate.kept(np.arange(900.0)).tolist() == list(range(900))
    assert decimate.kept(np.array([])).tolist() == []


def test_a_heatmap_keeps_the_largest_of_each_bucket() -> None:
    table = np.zeros((10_000, 3))
    table[7777, 1] = 9
    table[5, 2] = np.nan
    at, cells = decimate.columns(np.arange(10_000), table)
    assert len(at) == decimate.HEATMAP_COLUMNS
    assert cells[:, 1].max() == 9
    assert np.isfinite(cells).all()


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.arange(200), "u1"),
        (np.arange(-3, 3), "i2"),
        (np.arange(100_000), "i4"),
        (np.array([0.5, np.nan, -np.inf]), "f4"),
        (np.array([0.1, 0.2]), "f8"),
        (np.array([0.1], dtype=np.float32), "f4"),
        (np.array([2**40]), "f8"),
        (np.arange(6.0).reshape(2, 3), "f4"),
    ],
)
def test_typed_arrays_come_back_exactly_in_the_smallest_type(values: np.ndarray, dtype: str) -> None:
    encoded = decimate.typed(values)
    assert isinstance(encoded, dict)
    assert encoded["dtype"] == dtype
    np.testing.assert_array_equal(decimate.untyped(encoded), values)


def test_a_constant_has_room_on_its_axis_and_noise_is_not_blown_up() -> None:
    low, high = axes.scale([np.full(9, 0.001)], log=True)["range"]
    assert high - low == pytest.approx(axes.LOG_SPAN)
    assert (low + high) / 2 == pytest.approx(-3)
    low, high = axes.scale([np.full(9, 10.0)], log=False)["range"]
    assert (low, high) == (pytest.approx(9), pytest.approx(11))
    low, high = axes.scale([np.zeros(3), np.array([np.nan])], log=False)["range"]
    assert low < 0 < high
    assert axes.scale([np.array([np.nan, -1])], log=True) == {}


def test_log_ticks_are_round_numbers_within_the_axis() -> None:
    ticks = axes.log_ticks(-1.2, 0.1)
    assert [t for v, t in zip(ticks["tickvals"], ticks["ticktext"]) if 10**-1.2 <= v <= 10**0.1] == [
        "0.1",
        "0.2",
        "0.5",
        "1",
    ]
    wide = axes.log_ticks(-8, 12)
    shown = [v for v in wide["tickvals"] if 1e-8 <= v <= 1e12]
    assert 3 <= len(shown) <= 8


def illness(**changes: object) -> Diagnosis:
    finding = Finding("mode_collapse", Verdict.FAILED, "1 of 8", onset=100, **changes)  # type: ignore[arg-type]
    return Diagnosis(
        Overall.UNSTABLE, (finding, Finding("x", Verdict.HEALTHY, "", onset=5), Finding("y", Verdict.SUSPECT, "")), ""
    )


def test_alert_bands_lie_over_the_steps_of_illnesses_alone() -> None:
    shaded = [s for s in axes.bands(illness(end=300), 1000) if s["name"] == "alert mode_collapse"]
    assert [(s["x0"], s["x1"]) for s in shaded] == [(100, 300)]
    to_the_end = axes.bands(illness(), 1000)
    assert {s["x1"] for s in to_the_end if s["type"] == "rect"} == {1000}
    assert all("mode_collapse" in s["name"] for s in to_the_end)


def test_a_long_series_is_drawn_with_all_its_extremes_and_a_median_of_the_same_colour() -> None:
    values = pd.Series(np.random.default_rng(0).normal(size=3000), index=np.arange(3000), name="discriminator_loss")
    thin, strong = figures.line(values, figures.Curve("discriminator_loss", "D"))
    y = decimate.untyped(thin["y"])
    assert (y.min(), y.max()) == (values.min(), values.max())
    assert thin["line"]["color"] == strong["line"]["color"]
    x = decimate.untyped(thin["x"])
    np.testing.assert_array_equal(values.loc[x].to_numpy(), y)


def test_rows_of_a_heatmap_never_share_a_name() -> None:
    names = [f"a.very.long.module.path.that.goes.on.{i}.and.on.and.on.and.on.weight" for i in range(3)]
    table = pd.DataFrame(np.ones((4, 3)), columns=names)
    rows = heatmaps.heatmap(table, illness(), 4, y="", value="v")["data"][0]["y"]
    assert len(set(rows)) == 3


def test_an_axis_ends_where_a_few_values_would_hide_all_others() -> None:
    calm = np.linspace(-1.5, -1.3, 200)
    assert cut_axis([calm]) is None
    wild = np.where(np.arange(200) == 77, -3e9, calm)
    low, high = cut_axis([wild]) or (0.0, 0.0)
    assert -40 < low < -20
    assert high > -1.3
    assert cut_axis([np.array([np.nan, np.inf])]) is None


def test_a_log_axis_is_taken_for_wild_values_of_one_sign_zeros_aside() -> None:
    values = np.where(np.arange(100) == 50, 1e9, 1.0)
    assert runs_away([values])
    assert runs_away([np.where(np.arange(100) == 3, 0.0, values)])
    assert not runs_away([np.where(np.arange(100) == 3, -1.0, values)])
    assert not runs_away([np.ones(100)])
