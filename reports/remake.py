"""Remakes the gallery: trains every run of it, writes the reports, one comparison, one stability map, and the page that lists them.

    python reports/remake.py [NAME ...] [--mnist DIR] [--runs runs/gallery] [--out reports] [--judge]

Without names everything is remade. `--judge` trains nothing: what has been recorded is diagnosed and reported again. All pages share
one plotly.min.js.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from gandiag.errors import GandiagError
from gandiag.reporting import write_comparison, write_report
from gandiag.reporting.embed import environment, policy, source
from gandiag.run import load_run
from gandiag.training import RECIPES

HERE = Path(__file__).parent
LEARNING_RATES = ("0.0001", "0.001", "0.01")


@dataclass(frozen=True)
class Entry:
    """A run of the gallery: its folder's name, what it shows, and the arguments of `gandiag run`."""

    name: str
    shows: str
    arguments: tuple[str, ...]


GALLERY = (
    Entry("healthy-digits", "A healthy training on real digits: the default of `gandiag run`.", ()),
    Entry(
        "rotating-collapse",
        "G hops from mode to mode while losses and AUC look ideal.",
        ("--recipe", "rotating-collapse"),
    ),
    Entry(
        "divergence",
        "Healthy up to step 500; then both learning rates are far too high.",
        ("--recipe", "onset-divergence"),
    ),
    Entry("collapse-at-a-step", "Healthy up to step 500; then it collapses.", ("--recipe", "onset-collapse")),
    Entry("few-samples", "32 training points: D learns them by heart.", ("--recipe", "few-samples")),
    Entry(
        "dominant-discriminator",
        "D wins every comparison, and G learns nothing from it.",
        ("--recipe", "dominant-discriminator"),
    ),
    Entry(
        "vanishing-gradient",
        "The saturating loss far from the data: no gradient reaches G.",
        ("--recipe", "vanishing-gradient"),
    ),
    Entry("data-mismatch", "The data in [0, 1] against a generator in [-1, 1].", ("--recipe", "data-mismatch")),
    Entry(
        "unbounded-discriminator",
        "A faulty textbook listing: D is paid without bound.",
        ("--recipe", "unbounded-discriminator"),
    ),
    Entry(
        "cooperative-game", "A faulty textbook listing: the players help each other.", ("--recipe", "cooperative-game")
    ),
    Entry(
        "shared-objective",
        "A faulty textbook listing: both nets minimise the same sum.",
        ("--recipe", "shared-objective"),
    ),
    Entry(
        "saturated-discriminator",
        "A faulty textbook listing: D is 0 everywhere.",
        ("--recipe", "saturated-discriminator"),
    ),
    Entry("dirac", "The Dirac-GAN: the smallest game that circles for ever.", ("--recipe", "dirac")),
    Entry("mnist-dcgan", "A DCGAN on 10 000 real MNIST digits.", ("--recipe", "dcgan", "--data", "mnist:{mnist}")),
)


def train(entry: Entry, runs: Path, mnist: str) -> str:
    """Trains one entry; returns why it could not, '' where it could."""
    if "mnist:{mnist}" in entry.arguments and not mnist:
        return "needs --mnist DIR"
    if "--recipe" in entry.arguments and entry.arguments[entry.arguments.index("--recipe") + 1] not in RECIPES:
        return "this gandiag has no such recipe"
    arguments = [a.replace("{mnist}", mnist) for a in entry.arguments]
    return _gandiag_run(runs / entry.name, arguments)


def _gandiag_run(out: Path, arguments: list[str]) -> str:
    if (out / "run.json").exists():
        return "" if load_run(out).about.get("status") != "running" else f"{out} is half a run: delete it"
    done = subprocess.run(
        [sys.executable, "-m", "gandiag", "run", "--out", str(out), "--no-report", *arguments], check=False
    )
    return "" if done.returncode in (0, 1) else f"gandiag run ended with {done.returncode}"


def report(entry: Entry, runs: Path, out: Path) -> None:
    """Writes the report of one entry."""
    write_report(runs / entry.name, out / f"{entry.name}.html", plotlyjs="directory")


def compare(runs: Path, out: Path) -> None:
    """Writes the comparison of three trainings on the ring, as far as they exist."""
    found = [
        runs / name
        for name in ("collapse-at-a-step", "divergence", "rotating-collapse")
        if (runs / name / "run.json").exists()
    ]
    if len(found) > 1:
        write_comparison(found, out / "comparison.html", plotlyjs="directory")


def stability_map(runs: Path, out: Path, *, judge: bool) -> None:
    """Trains a grid of learning rates on the ring, briefly, and writes the map."""
    for lr_g, lr_d in itertools.product(LEARNING_RATES, LEARNING_RATES):
        if not judge:
            rates = ["--set", f"lr_g={lr_g}", "--set", f"lr_d={lr_d}", "--steps", "1000"]
            _gandiag_run(runs / "map" / f"{lr_g}-{lr_d}", ["--recipe", "ring-plain", *rates])
    found = sorted(p.parent for p in (runs / "map").glob("*/run.json"))
    if len(found) > 1:
        write_comparison(found, out / "stability-map.html", over=("lr_g", "lr_d"), plotlyjs="directory")


def index(out: Path) -> None:
    """Writes the page that lists what there is."""
    rows = []
    for entry in GALLERY:
        facts = out / f"{entry.name}.json"
        if facts.exists():
            told = json.loads(facts.read_text(encoding="utf-8"))
            command = " ".join(["gandiag run", *entry.arguments]).replace("{mnist}", "DIR")
            rows.append({"entry": entry, "verdict": told["verdict"], "story": told["story"], "command": command})
    others = [
        (f, t)
        for f, t in (("comparison.html", "Three runs compared"), ("stability-map.html", "A stability map"))
        if (out / f).exists()
    ]
    template = environment().from_string((HERE / "index.template.html").read_text(encoding="utf-8"))
    page = template.render(rows=rows, others=others, css=source("page.css"), policy=policy("inline"))
    (out / "index.html").write_text(page, encoding="utf-8")


def main() -> None:
    """Remakes what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--mnist", default="", metavar="DIR")
    parser.add_argument("--runs", type=Path, default=Path("runs/gallery"))
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--judge", action="store_true")
    given = parser.parse_args()
    for entry in GALLERY:
        if given.names and entry.name not in given.names:
            continue
        why = "" if given.judge else train(entry, given.runs, given.mnist)
        try:
            if why:
                raise GandiagError(why)
            report(entry, given.runs, given.out)
        except GandiagError as error:
            click.echo(f"{entry.name}: left out: {error}", err=True)
    if not given.names or "comparison" in given.names:
        compare(given.runs, given.out)
    if not given.names or "stability-map" in given.names:
        stability_map(given.runs, given.out, judge=given.judge)
    index(given.out)


if __name__ == "__main__":
    main()
