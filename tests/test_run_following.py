"""Following a run while it is written: the same rows as a whole reading, read once, thinned out by the steps alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gandiag import Watch, diagnose
from gandiag.run import Following, RunWriter, load_run
from gandiag.run.following import BURST, FIRST_KEPT, LAST_KEPT, MOST_BURSTS, kept_steps


def append(writer: RunWriter, begin: int, end: int) -> None:
    at = np.arange(begin, end)
    writer.append("every-1", at, {"discriminator_loss": np.sin(at / 50.0)})
    tens = at[at % 10 == 0]
    if len(tens):
        writer.append(
            "every-10", tens, {"diversity_ratio": 1.0 + 0.0 * tens}, absent={"diversity_ratio": tens % 20 == 10}
        )


def test_a_short_run_is_read_whole_piece_by_piece(tmp_path: Path) -> None:
    following = Following(tmp_path / "run")
    with RunWriter(tmp_path / "run", {}) as writer:
        for begin in range(0, 1000, 250):
            append(writer, begin, begin + 250)
            seen, whole = following.look(), load_run(tmp_path / "run")
            assert seen.steps == whole.steps == begin + 250
            for name in whole.names:
                assert seen[name].equals(whole[name])


def test_a_torn_tail_waits_for_its_end(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run", {}) as writer:
        append(writer, 0, 100)
        append(writer, 100, 200)
    file = next((tmp_path / "run" / "tables").glob("every-1.*"))
    whole = file.read_bytes()
    following = Following(tmp_path / "run")
    file.write_bytes(whole[: len(whole) - 300])  # in the middle of the second batch
    assert following.look()["discriminator_loss"].index[-1] == 99
    file.write_bytes(whole)
    assert following.look()["discriminator_loss"].index[-1] == 199


def test_a_table_that_is_none_yet_or_never_is_passed_over(tmp_path: Path) -> None:
    """A file whose first bytes are not there yet, one of another program's, one whose steps are no whole numbers, a note of the user's."""
    following = Following(tmp_path / "run")
    with RunWriter(tmp_path / "run", {}) as writer:
        append(writer, 0, 100)
        writer.append("every-1", np.arange(0), {"discriminator_loss": np.empty(0)})  # a block without a row
    tables = tmp_path / "run" / "tables"
    (tables / "every-1.0007.arrow").write_bytes(b"")
    (tables / "notes.txt").write_text("mine")
    foreign = {
        "floats": pa.table({"step": [0.5]}),
        "stepless": pa.table({"x": [1]}),
        "twice": pa.table([[1], [2], [3]], ["step", "x", "x"]),
    }
    for name, table in foreign.items():
        with (
            pa.OSFile(str(tables / f"{name}.0000.arrow"), "wb") as sink,
            pa.ipc.new_stream(sink, table.schema) as stream,
        ):
            stream.write_table(table)
    seen = following.look()
    assert seen.steps == 100
    assert seen.names == load_run(tmp_path / "run").names == ("discriminator_loss", "diversity_ratio")


def test_rows_of_an_earlier_start_are_superseded_as_in_a_whole_reading(tmp_path: Path) -> None:
    following = Following(tmp_path / "run")
    with RunWriter(tmp_path / "run", {}) as writer:
        append(writer, 0, 300)
    following.look()
    with RunWriter(tmp_path / "run", {}, resume_at=100) as writer:
        append(writer, 100, 150)
    seen = following.look()
    assert seen.steps == load_run(tmp_path / "run").steps == 150
    assert seen["discriminator_loss"].equals(load_run(tmp_path / "run")["discriminator_loss"])


@pytest.mark.parametrize("steps", [20_000, 300_000, 3_000_000])
def test_the_beginning_and_the_end_stay_whole_and_the_rest_is_bursts(steps: int) -> None:
    at = np.arange(steps)
    kept = at[kept_steps(at, steps)]
    assert np.array_equal(kept[:FIRST_KEPT], at[:FIRST_KEPT])
    assert np.array_equal(kept[-LAST_KEPT:], at[-LAST_KEPT:])
    assert len(kept) <= FIRST_KEPT + LAST_KEPT + BURST * (MOST_BURSTS + 1)
    gaps = np.diff(kept)
    assert gaps.max() <= 2 * steps / MOST_BURSTS
    assert np.mean(gaps == 1) > 0.9


def test_a_longer_run_keeps_nothing_that_a_shorter_one_has_dropped() -> None:
    at = np.arange(2_000_000)
    before = np.ones(len(at), dtype=bool)
    for steps in (5_000, 12_000, 40_000, 333_333, 1_000_000, 2_000_000):
        now = kept_steps(at, steps)
        assert not np.any(now[:steps] & ~before[:steps] & (at[:steps] < steps - LAST_KEPT))
        before[:steps] = now[:steps]


def test_what_is_kept_does_not_depend_on_when_the_looks_were_made(tmp_path: Path) -> None:
    often = Following(tmp_path / "run")
    with RunWriter(tmp_path / "run", {}) as writer:
        for begin in range(0, 20_000, 700):
            append(writer, begin, min(20_000, begin + 700))
            often.look()
    once = Following(tmp_path / "run").look()
    seen = often.look()
    for name in ("discriminator_loss", "diversity_ratio"):
        assert seen[name].equals(once[name])
    assert len(seen["discriminator_loss"]) < 12_000
    at = np.arange(20_000)
    assert np.array_equal(seen["discriminator_loss"].index, at[kept_steps(at, 20_000)])


def test_a_watch_says_what_a_diagnosis_says(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "run")
    with RunWriter(tmp_path / "run", {}) as writer:
        append(writer, 0, 400)
        assert watch.look().findings == diagnose(tmp_path / "run").findings
        writer.append("every-1", np.arange(400, 600), {"discriminator_loss": np.full(200, np.nan)})
        assert watch.look().finding("numerical_failure").onset == 400
        assert watch.look().findings == diagnose(tmp_path / "run").findings
