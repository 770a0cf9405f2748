"""The run directory: what is written is what is read, torn tails are dropped, absent is not NaN, resumed rows are not doubled."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandiag import NotRecorded, RunError, load_run
from gandiag.run import RunWriter


def rows(writer: RunWriter, start: int, stop: int, value: float = 1.0, table: str = "every-1") -> None:
    steps = np.arange(start, stop)
    writer.append(table, steps, {"generator_loss": np.full(len(steps), value, np.float32)})


def test_a_scalar_comes_back_with_its_steps_and_values(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        writer.append("every-1", np.arange(3), {"generator_loss": np.array([1, 2, 3], np.float32)})
        writer.append("every-1", np.arange(3, 5), {"generator_loss": np.array([4, 5], np.float32)})
    series = load_run(tmp_path / "r")["generator_loss"]
    assert series.to_list() == [1, 2, 3, 4, 5]
    assert series.index.to_list() == [0, 1, 2, 3, 4]
    assert series.index.name == "step"
    assert series.name == "generator_loss"


def test_absent_is_not_nan(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        writer.append(
            "t",
            np.arange(4),
            {"generator_loss": np.array([1, np.nan, 9, np.inf])},
            absent={"generator_loss": np.array([False, False, True, False])},
        )
    series = load_run(tmp_path / "r")["generator_loss"]
    assert series.index.to_list() == [0, 1, 3]
    assert math.isnan(series[1])
    assert series[3] == math.inf


def test_a_vector_comes_back_as_a_frame_with_its_labels(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    with RunWriter(tmp_path / "r", {}) as writer:
        writer.append(
            "t",
            np.array([0, 10, 20]),
            {"generator_layer_gradient_norm": values},
            labels={"generator_layer_gradient_norm": ["net.0", "net.1"]},
            absent={"generator_layer_gradient_norm": np.array([False, True, False])},
        )
    frame = load_run(tmp_path / "r").layers("generator_layer_gradient_norm")
    assert frame.columns.to_list() == ["net.0", "net.1"]
    assert frame.index.to_list() == [0, 20]
    assert frame.to_numpy().tolist() == [[0, 1], [4, 5]]


def test_a_scalar_is_no_vector_and_a_vector_no_scalar(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        writer.append("t", np.arange(2), {"a": np.zeros(2), "b": np.zeros((2, 3))}, labels={"b": list("xyz")})
    run = load_run(tmp_path / "r")
    with pytest.raises(NotRecorded, match="vector"):
        run["b"]
    with pytest.raises(NotRecorded, match="scalar"):
        run.layers("a")
    with pytest.raises(NotRecorded, match="c was not recorded"):
        run["c"]
    assert "a" in run
    assert "c" not in run
    assert run.names == ("a", "b")
    with pytest.raises(RunError, match="no kind of record"):
        run.records("../../etc/passwd")


def test_a_column_that_was_never_measured_is_not_recorded(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        writer.append("t", np.arange(2), {"a": np.zeros(2)}, absent={"a": np.array([True, True])})
    with pytest.raises(NotRecorded):
        load_run(tmp_path / "r")["a"]


def test_new_columns_begin_a_new_segment_and_old_rows_stay(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        rows(writer, 0, 2)
        writer.append(
            "every-1",
            np.arange(2, 4),
            {"generator_loss": np.array([7, 8], np.float32), "discriminator_loss": np.array([1, 2], np.float32)},
        )
    run = load_run(tmp_path / "r")
    assert run["generator_loss"].to_list() == [1, 1, 7, 8]
    assert run["discriminator_loss"].index.to_list() == [2, 3]


def test_it_can_be_read_while_it_is_being_written(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "r", {"status": "running"})
    rows(writer, 0, 5)
    assert len(load_run(tmp_path / "r")["generator_loss"]) == 5
    rows(writer, 5, 8)
    assert len(load_run(tmp_path / "r")["generator_loss"]) == 8
    assert load_run(tmp_path / "r").about["status"] == "running"
    writer.close()
    assert load_run(tmp_path / "r").about["status"] == "finished"
    writer.close("failed")  # once more says nothing new
    assert load_run(tmp_path / "r").about["status"] == "finished"


def test_a_stream_cut_at_any_byte_keeps_every_whole_batch(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        for i in range(4):
            rows(writer, 10 * i, 10 * i + 10)
    file = tmp_path / "r" / "tables" / "every-1.0000.arrow"
    whole = file.read_bytes()
    kept = []
    for size in range(0, len(whole) + 1, 37):
        file.write_bytes(whole[:size])
        run = load_run(tmp_path / "r")
        kept.append(len(run["generator_loss"]) if "generator_loss" in run else 0)
    assert kept == sorted(kept)
    assert set(kept) <= {0, 10, 20, 30, 40}
    assert {10, 20, 30} <= set(kept)
    file.write_bytes(whole)
    assert len(load_run(tmp_path / "r")["generator_loss"]) == 40


def test_a_stream_with_a_mutated_byte_raises_nothing_but_our_errors(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        rows(writer, 0, 20)
    file = tmp_path / "r" / "tables" / "every-1.0000.arrow"
    whole = file.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(300):
        mutated = bytearray(whole)
        mutated[random.integers(len(whole))] = random.integers(256)
        file.write_bytes(bytes(mutated))
        run = load_run(tmp_path / "r")
        for name in run.names:
            with contextlib.suppress(NotRecorded, RunError):
                run[name]


def test_what_was_measured_only_before_the_resume_is_gone(tmp_path: Path) -> None:
    names = {"norms": ["a", "b"]}
    with RunWriter(tmp_path / "r", {}) as writer:
        writer.append("t", np.arange(4, 6), {"norms": np.ones((2, 2)), "loss": np.ones(2)}, labels=names)
        writer.samples(3, {"points": np.zeros((1, 2), np.float32)}, kind="real")
        writer.samples(3, {"points": np.zeros((1, 2), np.float32)})
        writer.samples(9, {"points": np.zeros((1, 2), np.float32)})
    with RunWriter(tmp_path / "r", {}, resume_at=4) as writer:
        unmeasured = {"norms": np.array([True]), "loss": np.array([True])}
        writer.append(
            "t", np.array([4]), {"norms": np.ones((1, 2)), "loss": np.ones(1)}, labels=names, absent=unmeasured
        )
    run = load_run(tmp_path / "r")
    for read, name in ((run.__getitem__, "loss"), (run.layers, "norms")):
        with pytest.raises(NotRecorded, match="no step holds a value"):
            read(name)
    assert (run.sample_steps(), run.sample_steps("real")) == ([3], [3])


def test_resume_supersedes_rows_instead_of_doubling_them(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {"seed": 1}) as writer:
        rows(writer, 0, 10, 1.0)
        rows(writer, 0, 10, 1.0, table="every-5")
        writer.record("evaluations", {"step": 4, "scores": {"modes_covered": 1}})
        writer.record("evaluations", {"step": 8, "scores": {"modes_covered": 2}})
        writer.samples(8, {"points": np.zeros((2, 2), np.float32)})
    with RunWriter(tmp_path / "r", {}, resume_at=6) as writer:
        rows(writer, 6, 9, 2.0)
        writer.record("evaluations", {"step": 8, "scores": {"modes_covered": 3}})
    run = load_run(tmp_path / "r")
    series = run["generator_loss"]
    assert run.about["seed"] == 1
    assert series.index.is_unique
    assert series.loc[6:].eq(2).all()
    assert run["modes_covered"].to_dict() == {4: 1, 8: 3}
    assert run.sample_steps() == []
    assert run.steps == 9


def test_a_table_that_is_not_continued_is_cut_too(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        rows(writer, 0, 10, table="old")
    RunWriter(tmp_path / "r", {}, resume_at=4).close()
    assert load_run(tmp_path / "r")["generator_loss"].index.to_list() == [0, 1, 2, 3]
    RunWriter(tmp_path / "r", {}, resume_at=2).close()
    assert load_run(tmp_path / "r")["generator_loss"].index.to_list() == [0, 1]


@pytest.mark.parametrize(("before", "after"), [("every-10", "every-1"), ("every-1", "every-10")])
def test_a_run_that_goes_on_at_another_cadence_keeps_both_parts_of_a_series(
    tmp_path: Path, before: str, after: str
) -> None:
    with RunWriter(tmp_path / "run", {}) as writer:
        rows(writer, 0, 20, 1.0, table=before)
    with RunWriter(tmp_path / "run", {}, resume_at=15) as writer:
        rows(writer, 15, 30, 2.0, table=after)
    series = load_run(tmp_path / "run")["generator_loss"]
    assert list(series.index) == list(range(30))
    assert list(series) == [1.0] * 15 + [2.0] * 15


def test_a_series_type_does_not_depend_on_where_a_segment_ends(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run", {}) as writer:
        values = {"p": np.zeros(5, dtype=np.float32)}
        writer.append("every-1", np.arange(5), values)
        writer.append("every-1", np.arange(5, 10), {**values, "q": values["p"]}, absent={"p": np.ones(5, dtype=bool)})
    assert load_run(tmp_path / "run")["p"].dtype == np.float32


def test_scores_are_series_and_need_no_features_name_where_there_is_one(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        for step, score in ((0, 9.0), (10, 4.0), (20, math.nan)):
            writer.record(
                "evaluations",
                {
                    "step": step,
                    "scores": {"frechet_distance[digits-cnn]": score, "mode_histogram": [0.5, 0.5]},
                    "labels": {"mode_histogram": ["zero", "one"]},
                },
            )
        writer.record("evaluations", {"step": 30, "scores": {"frechet_distance[digits-cnn]": None}})
    run = load_run(tmp_path / "r")
    assert run["frechet_distance"].index.to_list() == [0, 10, 20]
    assert math.isnan(run["frechet_distance"][20])
    assert run.layers("mode_histogram").columns.to_list() == ["zero", "one"]


def test_two_kinds_of_features_are_not_confused(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        writer.record("evaluations", {"step": 0, "scores": {"precision[a]": 1.0, "precision[b]": 0.5}})
    with pytest.raises(NotRecorded, match=r"precision\[a\], precision\[b\]"):
        load_run(tmp_path / "r")["precision"]


def test_a_score_by_class_is_a_vector_and_its_last_length_counts(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        for step, recall in ((0, [1.0]), (5, [0.5, 1.0]), (9, [0.25, 1.0])):
            writer.record("evaluations", {"step": step, "scores": {"class_recall": recall, "void": None}})
    run = load_run(tmp_path / "r")
    with pytest.raises(NotRecorded, match=r"it is a vector; use run\.layers"):
        run["class_recall"]
    assert run.layers("class_recall").to_dict() == {"0": {5: 0.5, 9: 0.25}, "1": {5: 1.0, 9: 1.0}}
    for read in (run.__getitem__, run.layers):
        with pytest.raises(NotRecorded):
            read("void")


def test_a_vector_whose_length_changed_on_resume_is_read_in_its_last_form(tmp_path: Path) -> None:
    def layers(writer: RunWriter, at: int, names: list[str]) -> None:
        label = {"generator_layer_gradient_norm": names}
        writer.append(
            "t", np.array([at]), {"generator_layer_gradient_norm": np.full((1, len(names)), at)}, labels=label
        )

    with RunWriter(tmp_path / "r", {}) as writer:
        layers(writer, 0, ["a"])
        layers(writer, 1, ["a", "b"])
    frame = load_run(tmp_path / "r").layers("generator_layer_gradient_norm")
    assert frame.index.to_list() == [1]
    assert frame.columns.to_list() == ["a", "b"]


def test_samples_come_back(tmp_path: Path) -> None:
    images = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    with RunWriter(tmp_path / "r", {}) as writer:
        writer.samples(7, {"images": images})
        writer.samples(0, {"images": images}, kind="real")
    run = load_run(tmp_path / "r")
    assert run.sample_steps() == [7]
    assert run.sample_steps("real") == [0]
    assert (run.samples(7)["images"] == images).all()
    with pytest.raises(NotRecorded):
        run.samples(8)


def test_a_pickle_in_place_of_samples_is_refused(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        writer.samples(7, {"points": np.zeros((1, 2))})
    np.savez(
        tmp_path / "r" / "samples" / "fake-000000007.npz", points=np.array([{"a": 1}], dtype=object), allow_pickle=True
    )
    with pytest.raises(RunError, match="cannot be read"):
        load_run(tmp_path / "r").samples(7)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "cannot be read"),
        ("[1]", "list"),
        ("{}", "format None"),
        ('{"format": 99}', "format 99"),
        ("{" * 50, "cannot be read"),
    ],
)
def test_a_run_json_that_is_none_is_an_error_that_says_so(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RunError, match=word):
        load_run(tmp_path)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no run\.json"):
        load_run(tmp_path)
    with pytest.raises(RunError, match="does not exist"):
        load_run(tmp_path / "nowhere")


def test_an_empty_run_loads(tmp_path: Path) -> None:
    RunWriter(tmp_path / "r", {}).close()
    run = load_run(tmp_path / "r")
    assert run.steps == 0
    assert run.names == ()


def test_a_folder_that_holds_something_is_not_written_over(tmp_path: Path) -> None:
    RunWriter(tmp_path / "r", {}).close()
    with pytest.raises(RunError, match="holds another run"):
        RunWriter(tmp_path / "r", {})
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        RunWriter(tmp_path / "s", {})


def test_names_of_tables_and_records_cannot_lead_elsewhere(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        with pytest.raises(ValueError, match="a table's name is letters"):
            rows(writer, 0, 1, table="../elsewhere")
        with pytest.raises(ValueError, match="lower-case letters"):
            writer.record("../events", {})
    assert sorted(f.name for f in tmp_path.iterdir()) == ["r"]


def test_an_empty_batch_whose_write_failed_supersedes_nothing(tmp_path: Path) -> None:
    class Full:
        def write_batch(self, batch: object) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    with RunWriter(tmp_path / "r", {}) as writer:
        rows(writer, 0, 5)
        schema, _, sink = writer._streams["every-1"]
        writer._streams["every-1"] = (schema, Full(), sink)  # type: ignore[assignment]
        with pytest.raises(OSError, match="No space"):
            rows(writer, 5, 5)
        rows(writer, 5, 6)
    assert load_run(tmp_path / "r")["generator_loss"].index.to_list() == list(range(6))


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "r", {})
    script = f"from gandiag.run import RunWriter\nRunWriter({str(tmp_path / 'r')!r}, {{}}, resume_at=0)"
    second = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "being written by another process" in second.stderr
    writer.close()
    RunWriter(tmp_path / "r", {}, resume_at=0).close()


def test_a_writer_that_came_and_went_while_this_one_looked_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import filelock

    acquire, path = filelock.FileLock.acquire, tmp_path / "run"

    def late(self: filelock.FileLock, **named: Any) -> Any:
        monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
        with RunWriter(path.with_name("other"), {"name": "first"}):
            pass
        shutil.copy(path.with_name("other") / "run.json", path / "run.json")
        return acquire(self, **named)

    monkeypatch.setattr(filelock.FileLock, "acquire", late)
    with pytest.raises(RunError, match="holds another run"):
        RunWriter(path, {"name": "second"})
    assert load_run(path).about["name"] == "first"
    with RunWriter(path, {}, resume_at=0):
        pass  # and its lock was let go


@pytest.mark.parametrize("arrives", [True, False])
def test_a_batch_whose_write_failed_is_there_once_after_it_was_tried_again(tmp_path: Path, arrives: bool) -> None:
    class Failing:
        """A file whose flush fails once; what it was given may reach the disk all the same when it is closed."""

        def __init__(self, sink: Any) -> None:
            self.sink = sink

        def flush(self) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            if not arrives:
                self.sink.truncate(self.sink.tell() - 10)
            self.sink.close()

    with RunWriter(tmp_path / "r", {}) as writer:
        rows(writer, 0, 5)
        schema, stream, sink = writer._streams["every-1"]
        writer._streams["every-1"] = (schema, stream, Failing(sink))  # type: ignore[assignment]
        with pytest.raises(OSError, match="No space"):
            rows(writer, 5, 8)
        assert load_run(tmp_path / "r")["generator_loss"].index.to_list() == list(range(8 if arrives else 5))
        rows(writer, 5, 8, value=2.0)
        rows(writer, 8, 10)
    series = load_run(tmp_path / "r")["generator_loss"]
    assert series.index.to_list() == list(range(10))
    assert series[5] == 2.0


def test_a_damaged_table_is_left_out_and_named(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        rows(writer, 0, 5)
        rows(writer, 0, 5, table="every-5")
    tables = tmp_path / "r" / "tables"
    assert load_run(tmp_path / "r").unreadable == ()
    (tables / "every-1.0000.arrow").write_bytes(b"rubbish")
    (tables / "every-1.0001.arrow").write_bytes(b"")  # begun, and killed before the first byte: nothing is missing
    (tables / "notes.txt").write_text("mine")
    run = load_run(tmp_path / "r")
    assert run.unreadable == ("tables/every-1.0000.arrow",)
    assert run["generator_loss"].index.to_list() == list(range(5))
    shutil.rmtree(tables)
    bare = load_run(tmp_path / "r")
    assert (bare.unreadable, bare.names, bare.steps) == ((), (), 0)


def test_a_torn_line_is_dropped_and_not_added_to(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        writer.record("events", {"step": 0, "event": "a"})
    with (tmp_path / "r" / "events.jsonl").open("a") as file:
        file.write('[1, 2]\n7\n{"step": 1, "ev')
    with RunWriter(tmp_path / "r", {}, resume_at=5) as writer:
        writer.record("events", {"step": 6, "event": "b"})
    assert [r["event"] for r in load_run(tmp_path / "r").records("events")] == ["a", "b"]


def test_after_a_write_that_failed_the_rest_is_readable(tmp_path: Path) -> None:
    class Full(Exception):
        pass

    class FullDisk:
        def write_batch(self, batch: object) -> None:
            sink.write(b"\x10\x00\x00\x00 torn")
            raise Full

        def close(self) -> None:
            pass

    with RunWriter(tmp_path / "r", {}) as writer:
        rows(writer, 0, 5)
        schema, _, sink = writer._streams["every-1"]
        writer._streams["every-1"] = (schema, FullDisk(), sink)  # type: ignore[assignment]
        with pytest.raises(Full):
            rows(writer, 5, 10)
        rows(writer, 10, 15)
    assert load_run(tmp_path / "r")["generator_loss"].index.to_list() == [*range(5), *range(10, 15)]


def test_killed_while_writing_it_loses_only_what_was_not_flushed(tmp_path: Path) -> None:
    script = textwrap.dedent(f"""
        import numpy as np, os, signal
        from gandiag.run import RunWriter
        writer = RunWriter({str(tmp_path / "r")!r}, {{"status": "running"}})
        for i in range(30):
            writer.append("every-1", np.arange(i * 10, i * 10 + 10), {{"generator_loss": np.full(10, i, np.float32)}})
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    run = load_run(tmp_path / "r")
    assert len(run["generator_loss"]) == 300
    RunWriter(tmp_path / "r", {}, resume_at=run.steps).close()  # the dead process's lock does not stand in the way


def test_run_json_takes_what_json_has_not(tmp_path: Path) -> None:
    RunWriter(
        tmp_path / "r", {"a": np.float32(1), "b": (1, 2), "c": Path("x"), "d": np.arange(2), "e": "\ud800"}
    ).close()
    about = json.loads((tmp_path / "r" / "run.json").read_text())
    assert (about["a"], about["b"], about["c"], about["d"]) == (1.0, [1, 2], "x", [0, 1])
    assert not os.path.exists(tmp_path / "r" / "run.json.part")


@pytest.mark.parametrize("name", ["run.json", "events.jsonl", "samples/fake-000000003.npz"])
def test_a_file_of_an_absurd_size_is_refused_unread(tmp_path: Path, name: str) -> None:
    with RunWriter(tmp_path / "r", {}) as writer:
        writer.record("events", {"step": 0})
        writer.samples(3, {"points": np.zeros((1, 2), np.float32)})
    file = tmp_path / "r" / name
    if name.endswith(".npz"):  # the archive's table of contents promises 2 GiB
        packed = bytearray(file.read_bytes())
        at = packed.index(b"PK\x01\x02") + 24
        packed[at : at + 4] = (2**31).to_bytes(4, "little")
        file.write_bytes(packed)
    else:
        os.truncate(file, 64 * 2**20 + 1)
    with pytest.raises(RunError, match=r"larger than 64 MiB|more than 1 GiB"):
        read_all(tmp_path / "r")


def read_all(path: Path) -> None:
    run = load_run(path)
    run.records("events")
    run.samples(3)


def test_a_link_in_place_of_a_table_is_not_followed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with RunWriter(tmp_path / name, {}) as writer:
            rows(writer, 0, 3)
    table = tmp_path / "a" / "tables" / "every-1.0000.arrow"
    table.unlink()
    table.symlink_to(tmp_path / "b" / "tables" / "every-1.0000.arrow")
    assert load_run(tmp_path / "a").names == ()
