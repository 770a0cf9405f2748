"""The page: its charts equal the recording, hostile text stays text, the same run gives the same bytes, poor runs give sensible pages."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import made_runs
import numpy as np
import pytest

from gandiag.diagnosis.finding import Diagnosis, Finding, Overall, Verdict
from gandiag.errors import NotRecorded, UsageError
from gandiag.reporting import SECTIONS, Panel, write_markdown, write_report
from gandiag.reporting.decimate import untyped
from gandiag.run import Run, RunWriter, load_run

STEPS = 600
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_runs.healthy(tmp_path_factory.mktemp("runs") / "healthy", steps=STEPS)


@pytest.fixture(scope="module")
def collapsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_runs.rotating_collapse(tmp_path_factory.mktemp("runs") / "collapsed", steps=STEPS)


def figures_of(page: Path) -> dict:
    found = re.search(
        r'<script type="application/json" id="figures">(.*?)</script>', page.read_text(encoding="utf-8"), re.S
    )
    assert found
    return json.loads(found[1])


def text_of(page: Path) -> str:
    """What a reader without JavaScript sees: the text outside of script and style."""
    whole = page.read_text(encoding="utf-8")
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style)\b.*?</\1>", " ", whole, flags=re.S)))


class Elements(HTMLParser):
    """Collects the elements of a page and whatever they would load."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        self.loads += [str(given[k]) for k in ("src", "srcset", "poster", "data") if given.get(k)]
        if tag == "link":
            self.loads.append(str(given.get("href")))
        if tag == "a":
            self.targets.append(str(given.get("href")))


def elements(page: Path) -> Elements:
    parser = Elements()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser


def test_every_curve_of_the_page_equals_the_recording(healthy: Path) -> None:
    run = load_run(healthy)
    checked = set()
    for figure in figures_of(write_report(run)).values():
        for trace in figure["data"]:
            name = trace.get("meta", "")
            if trace["type"] != "scatter" or name not in run or figure["layout"]["meta"]["over"] != "steps":
                continue
            series = run[name]
            x, y = untyped(trace["x"]), untyped(trace["y"])
            np.testing.assert_array_equal(series.loc[x].to_numpy(), y, err_msg=name)
            assert np.nanmin(y) == np.nanmin(series), name
            assert np.nanmax(y) == np.nanmax(series), name
            checked.add(name)
    assert {
        "discriminator_loss",
        "generator_gradient_norm",
        "real_logit_q05",
        "discriminator_auc",
        "modes_covered",
        "frechet_distance[digits-cnn]",
    } <= checked


def test_heatmaps_and_histograms_of_the_page_equal_the_recording(healthy: Path) -> None:
    run, figures = load_run(healthy), figures_of(write_report(healthy))
    heat = figures["layer-gradients-of-generator"]["data"][0]
    table = run.layers("generator_layer_gradient_norm")
    at = untyped(heat["x"])
    np.testing.assert_allclose(untyped(heat["z"]), np.log10(table.loc[at].to_numpy()).T, rtol=1e-6, atol=1e-6)
    data, fakes = figures["class-histogram"]["data"]
    np.testing.assert_array_equal(untyped(fakes["y"]), run.layers("mode_histogram").iloc[-1])
    np.testing.assert_array_equal(untyped(data["y"]), run.layers("data_mode_histogram").iloc[-1])


def test_every_figure_is_one_that_plotly_accepts(healthy: Path) -> None:
    import plotly.graph_objects as go

    figures = figures_of(write_report(healthy))
    assert len(figures) > 20
    for figure in figures.values():
        go.Figure(figure)


def test_alert_bands_are_on_every_chart_over_steps(collapsed: Path) -> None:
    finding = Finding("mode_collapse", Verdict.FAILED, "1 of 10 modes", onset=120, end=480, series=("modes_covered",))
    page = write_report(collapsed, diagnosis=Diagnosis(Overall.UNSTABLE, (finding,), "It collapsed."))
    over_steps = [f for f in figures_of(page).values() if f["layout"]["meta"]["over"] == "steps"]
    assert len(over_steps) > 15
    for figure in over_steps:
        assert any("mode_collapse" in s.get("name", "") and s["x0"] == 120 for s in figure["layout"]["shapes"])


def test_the_value_function_has_its_line_at_minus_ln_4(healthy: Path) -> None:
    shapes = figures_of(write_report(healthy))["value-function"]["layout"]["shapes"]
    assert any(s["y0"] == pytest.approx(-np.log(4)) == s["y1"] for s in shapes if s["name"] == "reference")


def test_the_page_says_verdict_finding_and_remedy_without_javascript(collapsed: Path) -> None:
    said = text_of(write_report(collapsed))
    assert "UNSTABLE" in said
    assert "Mode collapse" in said
    assert "rotating" in said
    assert "What to try" in said
    assert "Zoom all charts to these steps" in said
    assert "discriminator_dominance" in said  # the table of all checks
    assert "Configuration" in said


def test_the_page_loads_nothing_and_its_links_lead_somewhere(collapsed: Path) -> None:
    page = write_report(collapsed)
    found = elements(page)
    assert all(load.startswith("data:") for load in found.loads)
    assert len(found.ids) == len(set(found.ids))
    inner = [t[1:] for t in found.targets if not t.startswith("#zoom=")]
    assert set(inner) <= set(found.ids)
    whole = html.unescape(page.read_text(encoding="utf-8"))
    assert "default-src 'none'" in whole
    assert "connect-src 'none'" in whole
    config = json.loads(re.search(r'id="config">(.*?)</script>', whole)[1])  # type: ignore[index]
    assert config["showSendToCloud"] is False
    assert config["plotlyServerURL"] == ""
    assert config["displaylogo"] is False


def test_the_same_run_gives_the_same_bytes(healthy: Path, tmp_path: Path) -> None:
    first = write_report(healthy, tmp_path / "a.html").read_bytes()
    assert write_report(healthy, tmp_path / "b.html").read_bytes() == first
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_the_page_stays_within_its_size(healthy: Path, tmp_path: Path) -> None:
    page = write_report(healthy, tmp_path / "report.html", plotlyjs="directory")
    assert page.stat().st_size < 3e6
    assert (tmp_path / "plotly.min.js").stat().st_size > 1e6
    assert elements(page).loads[-1] == "plotly.min.js"


def test_report_json_holds_the_facts_of_the_page(collapsed: Path) -> None:
    facts = json.loads(write_report(collapsed).with_suffix(".json").read_text(encoding="utf-8"))
    assert facts["verdict"] == "unstable"
    assert facts["steps"] == STEPS
    assert any(f["check"] == "mode_collapse" and f["onset"] is not None for f in facts["findings"])
    assert {"losses", "gradient-norms", "modes"} <= {p["id"] for p in facts["panels"]}
    assert all(p["summary"] or p["missing"] for p in facts["panels"])


def hostile_run(path: Path) -> Path:
    about = {
        "name": HOSTILE,
        "recipe": HOSTILE,
        "config": {HOSTILE: HOSTILE},
        "config_sources": {HOSTILE: HOSTILE},
        "command": ["gandiag", HOSTILE],
        "data": {"name": HOSTILE, "classes": [HOSTILE, "b"]},
        "versions": {HOSTILE: HOSTILE},
        "status": HOSTILE,
        "could_not_tell": [HOSTILE],
    }
    with RunWriter(path, about) as writer:
        steps = np.arange(5)
        layers = {"generator_layer_gradient_norm": [HOSTILE, "</script><img src=x onerror=alert(1)>"]}
        writer.append(
            "every-1",
            steps,
            {"discriminator_loss": steps * 1.0, "generator_layer_gradient_norm": np.ones((5, 2))},
            labels=layers,
        )
        writer.record(
            "evaluations", {"step": 4, "scores": {f"frechet_distance[{HOSTILE}]": 1.0, "mode_histogram": [0.5, 0.5]}}
        )
    return path


def test_hostile_text_is_shown_as_text(tmp_path: Path) -> None:
    finding = Finding(
        HOSTILE,
        Verdict.FAILED,
        HOSTILE,
        cause=HOSTILE,
        remedies=(HOSTILE, HOSTILE),
        series=(HOSTILE,),
        onset=1,
        kind=HOSTILE,
    )
    page = write_report(hostile_run(tmp_path / "run"), diagnosis=Diagnosis(Overall.UNSTABLE, (finding,), HOSTILE))
    whole = page.read_text(encoding="utf-8")
    assert HOSTILE not in whole
    assert "<img src=x" not in whole
    assert HOSTILE in text_of(page)
    rows = figures_of(page)["layer-gradients-of-generator"]["data"][0]["y"]
    assert all("<" not in row for row in rows)
    said = write_markdown(load_run(tmp_path / "run"), diagnosis=Diagnosis(Overall.UNSTABLE, (finding,), HOSTILE))
    assert "<script>" not in re.sub("`[^`]*`", "", said)  # within a code span it is text


@pytest.mark.parametrize("maker", [made_runs.only_losses, made_runs.one_step, made_runs.empty, made_runs.cut_off])
def test_a_poor_run_gives_a_page_that_says_what_is_missing(maker: object, tmp_path: Path) -> None:
    page = write_report(load_run(maker(tmp_path / "run")), plotlyjs="directory")  # type: ignore[operator]
    facts = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    figures, said = figures_of(page), " ".join(text_of(page).split())
    for panel in facts["panels"]:
        assert (panel["id"] in figures) == (panel["missing"] is None)
        if panel["missing"]:
            assert "not recorded" in panel["missing"]
            assert " ".join(panel["missing"].replace("`", " ").split()) in said


def test_only_losses_says_how_to_record_the_rest(tmp_path: Path) -> None:
    page = write_report(made_runs.only_losses(tmp_path / "run", steps=50))
    panels = {p["id"]: p for p in json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["panels"]}
    assert panels["losses"]["missing"] is None
    assert "record_evaluation" in panels["modes"]["missing"]
    assert "--set measure=spectrum" in panels["eigenvalues"]["missing"]
    assert 'probes="full"' in panels["phase-portrait"]["missing"]


def test_nan_and_infinity_are_said_and_not_hidden(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run", {}) as writer:
        values = np.array([1.0, 2.0, np.nan, np.inf, 3.0])
        writer.append("every-1", np.arange(5), {"discriminator_loss": values, "generator_loss": np.full(5, np.nan)})
    page = write_report(tmp_path / "run")
    assert "2 values are not finite, the first at step 2" in text_of(page)
    assert "none of its 5 values is a finite number" in text_of(page)


def my_own_section(run: Run, diagnosis: Diagnosis) -> Panel:
    return Panel("Mine", "Flat.", {"data": [], "layout": {}}, "Nothing is drawn.", "My chapter")


def my_missing_section(run: Run, diagnosis: Diagnosis) -> Panel:
    raise NotRecorded("my_series")


def test_a_user_adds_sections_of_their_own(healthy: Path, tmp_path: Path) -> None:
    page = write_report(healthy, tmp_path / "r.html", sections=(*SECTIONS, my_own_section, my_missing_section))
    assert "my-own-section" in figures_of(page)
    assert "my_series was not recorded" in text_of(page)


def test_an_unknown_way_to_hold_plotly_is_refused(healthy: Path) -> None:
    with pytest.raises(UsageError, match="inline"):
        write_report(healthy, plotlyjs="cdn")  # type: ignore[arg-type]


def test_points_are_drawn_over_the_modes_and_runaways_are_counted(tmp_path: Path) -> None:
    about = {"data": {"name": "ring", "kind": "points", "modes": [[0, 1], [1, 0], [0, -1], [-1, 0]], "mode_sd": 0.01}}
    with RunWriter(tmp_path / "run", about) as writer:
        writer.append("every-1", np.arange(3), {"discriminator_loss": np.ones(3)})
        writer.samples(0, {"points": np.zeros((10, 2), np.float32)})
        writer.samples(2, {"points": np.array([[0, 1], [600, 0], [np.nan, 0]], np.float32)})
        writer.samples(0, {"points": np.eye(2, dtype=np.float32)}, "real")
    page = write_report(tmp_path / "run")
    whole = page.read_text(encoding="utf-8")
    assert whole.count('class="mode"') == 4 * 3
    assert "2 lie outside this window" in whole


def test_markdown_holds_verdict_findings_and_checks(collapsed: Path) -> None:
    said = write_markdown(collapsed)
    assert said.startswith("## ✕ UNSTABLE")
    assert "Mode collapse" in said
    assert "| discriminator\\_dominance |" in said


@pytest.mark.parametrize(
    "odd", [None, 7, "text", [], {}, [[1, 2, 3]], {"modes": "x", "classes": 3, "mode_sd": "y", "name": ["a"]}]
)
def test_a_run_json_of_odd_values_still_gives_a_page(odd: object, tmp_path: Path) -> None:
    keys = (
        "config",
        "config_sources",
        "versions",
        "device",
        "data",
        "players",
        "optimizers",
        "probes",
        "command",
        "seed",
        "could_not_tell",
        "created",
    )
    with RunWriter(tmp_path / "run", dict.fromkeys(keys, odd)) as writer:
        writer.append("every-1", np.arange(3), {"discriminator_loss": np.ones(3)})
        writer.samples(0, {"points": np.zeros((5, 2), np.float32)})
        writer.record("evaluations", {"step": 2, "scores": {"mode_histogram": [0.5, 0.5]}})
    page = write_report(tmp_path / "run", diagnosis=Diagnosis(Overall.INCONCLUSIVE, (), "Nothing was checked."))
    assert "INCONCLUSIVE" in text_of(page)


def test_samples_that_cannot_be_shown_are_said(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run", {}) as writer:
        writer.append("every-1", np.arange(3), {"discriminator_loss": np.ones(3)})
        writer.samples(1, {"images": np.zeros((4, 8), np.uint8)})
        (writer.path / "samples" / "fake-000000002.npz").write_bytes(b"torn")
    diagnosis = Diagnosis(Overall.INCONCLUSIVE, (), "")
    assert "cannot be read as a batch of samples" in text_of(write_report(tmp_path / "run", diagnosis=diagnosis))
    with RunWriter(tmp_path / "run2", {}) as writer:
        writer.append("every-1", np.arange(3), {"discriminator_loss": np.ones(3)})
        writer.samples(1, {"images": np.zeros((4, 8), np.uint8)})
    assert "neither images" in text_of(write_report(tmp_path / "run2", diagnosis=diagnosis))


def test_an_impossible_score_is_never_called_the_best(tmp_path: Path) -> None:
    lines = "".join(
        json.dumps({"step": s, "d_loss": 1.3, "g_loss": 0.8, "fid": v}) + "\n"
        for s, v in enumerate((1.2e57, -3.1e68, 4.0))
    )
    (tmp_path / "log.jsonl").write_text(lines)
    fault = Finding(
        "metric_fault", Verdict.FAILED, "reads −3.1e68", series=("frechet_distance[inception]", "frechet_distance")
    )
    run = load_log(tmp_path / "log.jsonl", "fid=frechet_distance")
    page = write_report(run, diagnosis=Diagnosis(Overall.SUSPECT, (fault,), "The score is nonsense."))
    assert page == tmp_path / "log.report.html"
    said = text_of(page)
    assert "impossible" in said
    assert "Best score" not in said
    assert "Best score" in text_of(write_report(run, diagnosis=Diagnosis(Overall.STABLE, (), "")))


def load_log(file: Path, mapping: str) -> Run:
    from gandiag.logs import open_recording

    theirs, ours = mapping.split("=")
    return open_recording(file, {theirs: ours})  # type: ignore[return-value]


def test_what_my_own_probe_measured_is_drawn_too(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run", {}) as writer:
        columns = {"discriminator_loss": np.ones(4), "my_probe": np.arange(4.0), "my_vector": np.ones((4, 2))}
        writer.append("every-1", np.arange(4), columns, labels={"my_vector": ["a", "b"]})
    figures = figures_of(write_report(tmp_path / "run", diagnosis=Diagnosis(Overall.STABLE, (), "")))
    assert untyped(figures["my-probe"]["data"][0]["y"]).tolist() == [0, 1, 2, 3]
    assert figures["my-vector"]["data"][0]["y"] == ["a", "b"]


def test_a_score_on_several_features_has_a_curve_for_each(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run", {}) as writer:
        for step in (0, 10):
            scores = {
                f"{n}[{f}]": 0.5
                for n in ("precision", "recall", "frechet_distance", "kernel_distance")
                for f in ("pixels", "digits-cnn")
            }
            writer.record("evaluations", {"step": step, "scores": scores})
    figures = figures_of(write_report(tmp_path / "run", diagnosis=Diagnosis(Overall.STABLE, (), "")))
    for id in ("frechet", "kernel", "neighbours"):
        drawn = {t["meta"].split("[")[1] for t in figures[id]["data"]}
        assert drawn == {"pixels]", "digits-cnn]"}, id
    assert "precision-recall" in figures


def test_what_a_healthy_run_looks_like_is_not_said_as_if_this_one_were(collapsed: Path, tmp_path: Path) -> None:
    said = text_of(write_report(collapsed, tmp_path / "report.html"))
    assert said.count("When healthy:") > 20
    assert not re.search(r"(?<!When )\bhealthy: |Healthy", said)


def test_a_log_that_does_not_say_how_it_ended_is_not_said_to_be_unknown(tmp_path: Path) -> None:
    log = tmp_path / "losses.csv"
    log.write_text("step,d_loss,g_loss\n" + "".join(f"{i},0.5,0.7\n" for i in range(50)))
    said = " ".join(text_of(write_report(log, tmp_path / "report.html")).split())
    assert "Steps 50 recorded" in said
    assert "unknown" not in said.split("Findings")[1]


def test_what_no_quantity_could_show_reads_as_english() -> None:
    assert str(NotRecorded("any score")) == "no score was recorded"


def test_a_folder_is_no_file_for_a_report(healthy: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        write_report(healthy, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_the_loop_itself_sees_of_its_samples_is_drawn(tmp_path: Path) -> None:
    at = np.arange(0, 100, 10)
    with RunWriter(tmp_path / "run", {"steps": 100}) as writer:
        writer.append(
            "every-10",
            at,
            {
                "energy_coefficient": np.linspace(0.6, 0.25, 10),
                "fake_nearest_real": np.linspace(9.0, 1.5, 10),
                "real_nearest_fake": np.linspace(20.0, 12.0, 10),
                "real_roughness": np.full(10, 0.5),
                "fake_roughness": np.linspace(1.9, 0.2, 10),
                "generator_game_share": np.full(10, 0.01),
                "marginal_energy": np.linspace(0.5, 0.1, 10)[:, None] * np.array([1.0, 0.0, 2.0, 3.0, 4.0]),
            },
        )
    page = write_report(tmp_path / "run")
    drawn = {trace.get("meta"): trace for figure in figures_of(page).values() for trace in figure["data"]}
    assert untyped(drawn["energy_coefficient"]["y"])[-1] == pytest.approx(0.25)
    assert untyped(drawn["real_nearest_fake"]["y"]) == pytest.approx(np.linspace(20.0, 12.0, 10))
    said = text_of(page)
    assert "fakes from reals: from 0.6 (step 0) to 0.25 (step 90)" in said
    assert "fake to its nearest real: from 9 (step 0) to 1.5 (step 90)" in said
    assert untyped(drawn["fake_roughness"]["y"])[-1] == pytest.approx(0.2)
    assert "through the discriminator: " in said
    assert [f"column {i}: " in said for i in range(5)] == [False, False, True, True, True]  # the three that fit worst
    assert "shown_fake_energy" not in said  # optional: its absence is nothing to speak of
