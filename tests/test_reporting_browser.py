"""The report in a real browser: no console message, no request, charts drawn and zoomed together, keyboard, hostile text, accessibility."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import browser
import made_runs
import numpy as np
import pytest
from test_reporting_page import HOSTILE, hostile_run

from gandiag.reporting import compare_runs, write_comparison, write_report
from gandiag.reporting.live import Live, address, serve
from gandiag.run import RunWriter

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason=browser.WHY_SKIPPED)

LOOK = """
  const boxes = [...document.querySelectorAll(".chart")];
  const over = boxes.filter((b) => b.layout && b.layout.meta && b.layout.meta.over === "steps");
  const link = document.querySelector("[data-zoom]");
  if (link) link.click();
  await new Promise((done) => setTimeout(done, 1500));
  const ranges = over.map((b) => b.layout.xaxis.range.map(Math.round).join("-"));
  const input = document.getElementById("when");
  input.value = 0;
  input.dispatchEvent(new Event("input"));
  const first = document.querySelector(".frames > div:not([hidden])").dataset.step;
  const focusable = [...document.querySelectorAll("a[href], button, input, summary, [tabindex='0']")]
    .filter((e) => e.checkVisibility() && !e.closest(".modebar"));
  return {
    charts: boxes.length, drawn: boxes.filter((b) => b.querySelector(".main-svg")).length,
    over: over.length, ranges: [...new Set(ranges)], zoom: link ? link.dataset.zoom : null, first,
    focusable: focusable.length, unreachable: focusable.filter((e) => e.tabIndex < 0).length,
    wide: document.documentElement.scrollWidth,
    buttons: [...document.querySelectorAll(".modebar-btn")].map((e) => e.dataset.title).filter((t) => /share|cloud|chart studio/i.test(t)),
    ink: getComputedStyle(document.body).color, labels: getComputedStyle(boxes[0].querySelector(".xtick text")).fill,
  };
"""


@pytest.fixture(scope="module")
def collapsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(made_runs.rotating_collapse(tmp_path_factory.mktemp("runs") / "collapsed", steps=600))


def test_the_page_opens_offline_and_its_charts_answer(collapsed: Path) -> None:
    seen = browser.visit(collapsed, LOOK)
    assert seen.console == []
    assert seen.requests == []
    assert seen.found["drawn"] == seen.found["charts"] > 20
    assert seen.found["ranges"] == [seen.found["zoom"]]  # one link zooms every chart over steps
    assert seen.found["over"] > 15
    assert seen.found["first"] != "599"
    assert seen.found["unreachable"] == 0
    assert seen.found["buttons"] == []


def test_the_page_fits_a_telephone_and_the_dark(collapsed: Path) -> None:
    seen = browser.visit(collapsed, LOOK, dark=True, width=500)
    assert seen.console == []
    assert seen.found["wide"] <= 500
    red = int(seen.found["ink"].removeprefix("rgb(").split(",")[0])
    assert red > 200  # light ink on a dark ground, also in the charts
    assert int(seen.found["labels"].removeprefix("rgb(").split(",")[0]) > 120


def test_this_test_would_notice_a_request_and_an_error(tmp_path: Path) -> None:
    page = tmp_path / "loud.html"
    page.write_text(
        '<!DOCTYPE html><body><img src="http://127.0.0.1:9/x.png"><script>console.error("no")</script></body>'
    )
    seen = browser.visit(page, "return 1;")
    assert seen.requests == ["http://127.0.0.1:9/x.png"]
    assert seen.console


def test_hostile_text_runs_nothing(tmp_path: Path) -> None:
    page = write_report(hostile_run(tmp_path / "run"))
    seen = browser.visit(
        page,
        """return {
             name: document.querySelector(".run .name").textContent, images: document.querySelectorAll("img[src='x']").length,
             scripts: document.querySelectorAll("script:not([type])").length,
             ticks: [...document.querySelectorAll(".ytick text")].map((t) => t.textContent) };""",
        before="<script>window.alert = () => console.error('alert was called');</script>",
    )
    assert seen.console == []
    assert seen.requests == []
    assert seen.found["name"] == HOSTILE
    assert seen.found["scripts"] == 4  # plotly.js, the page's own, and the two of this test
    assert seen.found["images"] == 0
    assert any("<script>" in tick for tick in seen.found["ticks"])  # a layer's name is shown as it is


def test_a_comparison_opens_offline(tmp_path: Path) -> None:
    runs = [made_runs.healthy(tmp_path / "a", steps=300), made_runs.total_collapse(tmp_path / "b", steps=300)]
    page = write_comparison(runs, tmp_path / "c.html", plotlyjs="directory")
    seen = browser.visit(page, 'return document.querySelectorAll(".chart .main-svg").length;')
    assert seen.console == []
    assert seen.requests == []
    assert seen.found > 10


NARROW_LOOK = """
  await new Promise((done) => setTimeout(done, 1000));
  const box = document.querySelector(".chart");
  return {plot: box.querySelector(".nsewdrag").getBoundingClientRect().width, card: box.clientWidth,
          to: document.querySelector(".zoom .to").value};
"""


def test_many_runs_leave_room_for_their_curves_on_a_telephone(tmp_path: Path) -> None:
    runs = [made_runs.only_losses(tmp_path / f"with-a-long-name-{i}", steps=200 + i) for i in range(5)]
    page = write_comparison(compare_runs(runs, by_group=False), tmp_path / "comparison.html")
    seen = browser.visit(page, NARROW_LOOK, width=500)
    assert seen.console == []
    assert seen.found["plot"] > 0.6 * seen.found["card"]
    assert seen.found["to"] == "204"  # the last step, and not the end of the padded axis


def test_a_watched_run_shows_new_points_without_a_reload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunWriter(tmp_path / "run", {"name": "live"}) as writer:
        writer.append("every-1", np.arange(3), {"discriminator_loss": np.ones(3)})
        asked = []
        page = Live.page

        def page_of_a_run_that_goes_on(self: Live) -> tuple[str, bytes]:
            asked.append(1)
            if len(asked) == 3:  # the page, its script's first question, and now there is news
                writer.append(
                    "every-1",
                    np.arange(3, 6),
                    {"discriminator_loss": np.full(3, 7.25), "discriminator_auc": np.ones(3)},
                )
            return page(self)

        monkeypatch.setattr(Live, "page", page_of_a_run_that_goes_on)
        server = serve(writer.path)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        dom, console, requests = browser.look(address(server))
        server.shutdown()
        server.server_close()
    assert console == []
    assert {r.removeprefix(address(server)) for r in requests} <= {"", "plotly.min.js"}
    assert len(asked) >= 3
    assert "highest 7.25" in dom  # said in words
    assert re.search(
        r'id="chart-separation"[^>]*class="[^"]*js-plotly-plot|class="[^"]*js-plotly-plot[^"]*" id="chart-separation"',
        dom,
    )  # a new chart
    assert ">6<" in dom  # the scorecard's number of steps
    assert 'class="live"' in dom


def with_rates(run: Path, lr_g: float) -> Path:
    """The run, which says its learning rates, so that a map can place it."""
    about = json.loads((run / "run.json").read_text())
    about["config"] = {**about.get("config", {}), "lr_g": lr_g, "lr_d": 2e-3}
    (run / "run.json").write_text(json.dumps(about))
    return run


def page(which: str, folder: Path, collapsed: Path) -> Path:
    """Each kind of page that this package writes."""
    if which == "report":
        return collapsed
    if which == "gallery":
        return Path(__file__).parents[1] / "reports" / "index.html"
    healthy, ill = (make(folder / make.__name__, steps=300) for make in (made_runs.healthy, made_runs.total_collapse))
    runs = [with_rates(healthy, 1e-3), with_rates(ill, 1e-2)]
    return write_comparison(runs, folder / "c.html", plotlyjs="directory", over=("lr_g", "lr_d"))


@pytest.mark.skipif(
    browser.axe() is None, reason="axe-core is not installed (npm install axe-core): accessibility is then not measured"
)
@pytest.mark.parametrize("which", ["report", "comparison with a map", "gallery"])
def test_axe_finds_nothing_serious(which: str, collapsed: Path, tmp_path: Path) -> None:
    script = browser.axe()
    assert script
    seen = browser.visit(
        page(which, tmp_path, collapsed),
        """const found = await axe.run(document, { resultTypes: ["violations"] });
           const grave = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
           return grave.map((v) => [v.id, v.nodes.length, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))]);""",
        before=f"<script>{script.read_text(encoding='utf-8')}</script>",
    )
    assert seen.found == []
