"""The report at scale: one command writes a run of a million steps x 200 series, diagnoses and reports it, and opens the page.

    python -m benchmarks.report [--steps 1000000] [--series 200] [--keep FOLDER]

Prints the times, the size beyond plotly.js, whether every extreme of every drawn series is on the page, and, where Chromium is
installed, how long a chart takes to be drawn and to answer a zoom.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from gandiag.diagnosis import diagnose
from gandiag.quantities import QUANTITIES
from gandiag.reporting import write_report
from gandiag.reporting.decimate import untyped
from gandiag.run import Run, RunWriter, load_run

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import browser

TARGET_SECONDS, TARGET_BYTES, TARGET_ANSWER_MS = 5.0, 3_000_000, 100.0
CHUNK = 50_000
PER_STEP_GROUPS = ("quality", "modes", "memorisation")  # these are evaluations, not per step
ANSWER = """
<script>
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const times = { drawn: [], zoomed: [] };
  for (const [id, figure] of Object.entries(figures).filter(([, f]) => f.layout.meta.over === "steps").slice(0, 12)) {
    const box = document.getElementById("chart-" + id), start = performance.now();
    Plotly.newPlot(box, figure.data, figure.layout);
    const between = performance.now();
    Plotly.relayout(box, { "xaxis.range": [1000, 400000] });
    times.drawn.push(between - start); times.zoomed.push(performance.now() - between);
  }
  document.body.append(Object.assign(document.createElement("pre"), { id: "times", textContent: JSON.stringify(times) }));
</script>
"""


def record(path: Path, steps: int, series: int) -> None:
    """Writes a run whose series wander and have rare spikes."""
    random = np.random.default_rng(0)
    names = [q.name for q in QUANTITIES.values() if q.shape == "scalar" and q.group not in PER_STEP_GROUPS][:series]
    names += [f"series_{i}" for i in range(series - len(names))]
    base = random.normal(size=CHUNK).astype(np.float32)
    with RunWriter(path, {"name": "a-million-steps", "steps_planned": steps}) as writer:
        for start in range(0, steps, CHUNK):
            at = np.arange(start, min(start + CHUNK, steps))
            columns = {
                n: np.float32(1) + np.float32(0.1) * np.roll(base, 37 * i + start)[: len(at)]
                for i, n in enumerate(names)
            }
            for i, values in enumerate(columns.values()):
                values[(i * 977) % len(values)] = 5 + start / steps
            writer.append("every-1", at, columns)
            rows = at[::10]
            layers = {"generator_layer_gradient_norm": np.abs(random.normal(size=(len(rows), 40))).astype(np.float32)}
            writer.append(
                "every-10", rows, layers, labels={"generator_layer_gradient_norm": [f"{i}.weight" for i in range(40)]}
            )


def extremes_lost(run: Run, page: Path) -> tuple[int, int]:
    """Returns how many drawn series lack their smallest or largest value on the page, and how many are drawn."""
    found = re.search(r'id="figures">(.*?)</script>', page.read_text(encoding="utf-8"), re.S)
    assert found
    drawn: dict[str, list[np.ndarray]] = {}
    for figure in json.loads(found[1]).values():
        for trace in figure["data"]:
            if trace["type"] == "scatter" and trace.get("meta") in run:
                drawn.setdefault(trace["meta"], []).append(untyped(trace["y"]))
    lost = 0
    for name, parts in drawn.items():
        y, values = np.concatenate(parts), run[name]
        lost += not (np.nanmin(y) == values.min() and np.nanmax(y) == values.max())
    return lost, len(drawn)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="Where to keep the run and its page.")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="gandiag-report-"))
    try:
        if not (folder / "run.json").exists():
            record(folder, given.steps, given.series)
        measure(folder, given.steps, given.series)
    finally:
        if given.keep is None:
            shutil.rmtree(folder)


def measure(folder: Path, steps: int, series: int) -> None:
    """Times the diagnosis and the report, three times each, and looks at the page."""
    judged, written = [], []
    for _ in range(3):
        run = load_run(folder)
        start = time.perf_counter()
        diagnosis = diagnose(run)
        judged.append(time.perf_counter() - start)
        run = load_run(folder)
        start = time.perf_counter()
        page = write_report(run, diagnosis=diagnosis, plotlyjs="directory")
        written.append(time.perf_counter() - start)
    lost, drawn = extremes_lost(run, page)
    print(f"{steps:,} steps x {series} series")
    print(f"  diagnosis            {statistics.median(judged):6.2f} s  (range {min(judged):.2f} to {max(judged):.2f})")
    print(
        f"  report               {statistics.median(written):6.2f} s  (range {min(written):.2f} to {max(written):.2f}; target {TARGET_SECONDS:g})"
    )
    print(f"  beyond plotly.js     {page.stat().st_size / 1e6:6.2f} MB (target {TARGET_BYTES / 1e6:g})")
    print(f"  extremes lost        {lost:6d}    of {drawn} series drawn")
    if browser.CHROMIUM is None:
        print(f"  charts' answer       not measured: {browser.WHY_SKIPPED}")
        return
    shown = page.with_name("timed.html")
    shown.write_text(page.read_text(encoding="utf-8").replace("</body>", ANSWER + "</body>"), encoding="utf-8")
    dom, console, requests = browser.look(shown.as_uri(), height=1000, virtual=False)
    shown.unlink()
    for what, times in json.loads(dom.split('<pre id="times">')[1].split("</pre>")[0]).items():
        spread = f"range {min(times):.0f} to {max(times):.0f}; target {TARGET_ANSWER_MS:g}) over {len(times)} charts"
        print(f"  a chart is {what:<8}  {statistics.median(times):6.0f} ms ({spread}")
    print(f"  console, requests    {len(console)}, {len(requests)}")


if __name__ == "__main__":
    main()
