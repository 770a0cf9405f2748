"""The ends of series in recorded runs: the median of the last fifth, by run; what was not recorded is NaN."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.ends import ends
from gandiag.run import RunWriter


def test_a_series_ends_at_the_median_of_its_last_fifth(tmp_path: Path) -> None:
    for name, last in (("well", 0.01), ("sick", 0.5)):
        values = np.where(np.arange(50) < 40, 0.9, last)
        with RunWriter(tmp_path / name / "run", {}) as writer:
            writer.append("every-10", np.arange(50) * 10, {"energy_coefficient": values})
    found = ends(tmp_path, ["energy_coefficient", "real_sd"])
    assert found["well"] == pytest.approx([0.01, np.nan], nan_ok=True)
    assert found["sick"] == pytest.approx([0.5, np.nan], nan_ok=True)


def test_of_a_vector_the_column_that_ends_highest_counts(tmp_path: Path) -> None:
    values = np.tile([0.1, 0.4, 0.2], (50, 1))
    values[:40] = 0.9
    with RunWriter(tmp_path / "run", {}) as writer:
        writer.append("every-50", np.arange(50) * 50, {"marginal_energy": values})
    assert next(iter(ends(tmp_path, ["marginal_energy"]).values())) == pytest.approx([0.4])
