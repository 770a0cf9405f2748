"""Remakes the gallery: trains every run of it, writes the reports, one comparison, one stability map, and the pages that list them.

    python reports/remake.py [NAME ...] [--mnist DIR] [--runs runs/gallery] [--out reports] [--judge]

Without names everything is remade that has not been trained yet under --runs (delete a run's folder to train it again). `--judge` trains
nothing: what has been recorded is diagnosed and reported again. All pages share one plotly.min.js.
"""

from __future__ import annotations

import argparse
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

HERE = Path(__file__).parent
COMPARED = ("ring-dynamics", "rotating-collapse", "divergence")
SWEEP = (
    "--recipe",
    "ring-plain",
    "--over",
    "lr_g=1e-4:1e-3:1e-2,lr_d=1e-4:1e-3:1e-2",
    "--set",
    "evaluate_every=50",
    "--steps",
    "600",
)
MEASURED = "measure=spectrum,hessians,residual,gap,noise,conditioning,weights,heldout,path"


@dataclass(frozen=True)
class Entry:
    """A page of the gallery: its file's name, its title, what it shows, and the command that makes its run ({mnist}: the folder of MNIST)."""

    name: str
    title: str
    shows: str
    command: str


GALLERY = (
    Entry("healthy-digits", "Healthy digits", "The default: a healthy training on 1797 real digits.", "gandiag run"),
    Entry(
        "rotating-collapse",
        "Rotating collapse",
        "G hops from mode to mode; losses and AUC look ideal all the while.",
        "gandiag run --recipe rotating-collapse --data ring",
    ),
    Entry(
        "ring-dynamics",
        "A ring, with the game's dynamics",
        "A healthy training on the ring of 8, with all that can be measured of the game: eigenvalues, curvature, duality gap, path, phase portrait.",
        f"gandiag run --recipe ring-r1 --steps 1000 --set {MEASURED} --set evaluate_every=100 --set checkpoint_every=100 --set probes=full",
    ),
    Entry(
        "mnist-dcgan",
        "DCGAN on MNIST",
        "A small DCGAN on 10,000 real MNIST digits, 1500 steps: all ten digits, scored on the features of a classifier trained on the spot.",
        "gandiag run --recipe dcgan --data mnist:{mnist} --steps 1500 --set generator_width=32 --set discriminator_width=32 --set threads=1 "
        "--set evaluate_every=250 --set sample_every=125 --set diagnose_every=500 --set ema_images=5000",
    ),
    Entry(
        "divergence",
        "Divergence",
        "Healthy up to step 500; then both learning rates are 0.3.",
        "gandiag run --recipe onset-divergence",
    ),
    Entry(
        "few-images",
        "Few images",
        "The default on 100 digits and hardly any penalty: D learns them by heart.",
        "gandiag run --set samples=100 --batch 50 --steps 2500 --gamma 0.01",
    ),
    Entry(
        "fault-unbounded",
        "Faulty listing: unbounded discriminator",
        "A textbook's loss as printed, log(2 − D(x)): D is paid without bound.",
        "gandiag run --recipe fault-unbounded --steps 400",
    ),
    Entry(
        "fault-cooperative",
        "Faulty listing: cooperative players",
        "A textbook's loss as printed, with a sign turned round: D helps G.",
        "gandiag run --recipe fault-cooperative --steps 150",
    ),
    Entry(
        "fault-shared-objective",
        "Faulty listing: shared objective",
        "A textbook's loop as printed: both nets minimise one sum.",
        "gandiag run --recipe fault-shared-objective --steps 400",
    ),
    Entry(
        "fault-saturated",
        "Faulty listing: saturated discriminator",
        "A textbook's loss as printed, D(x) + D(G(z)): D calls everything fake.",
        "gandiag run --recipe fault-saturated --steps 300",
    ),
    Entry(
        "dirac",
        "Dirac-GAN",
        "One parameter a player: the smallest game that circles for ever. Theory: one turn in about 126 steps.",
        "python reports/dirac.py dirac",
    ),
)
OTHERS = (
    ("comparison.html", "Three runs on the ring compared", f"gandiag compare {' '.join(COMPARED)}"),
    (
        "stability-map.html",
        "A stability map over both learning rates",
        f"gandiag sweep {' '.join(SWEEP)} --out map; gandiag compare --map lr_g,lr_d map/*",
    ),
)


def train(entry: Entry, runs: Path, mnist: str) -> None:
    """Trains one entry in the folder of the runs unless it is there; raises GandiagError with the reason where that cannot be."""
    if "{mnist}" in entry.command and not mnist:
        raise GandiagError("needs --mnist DIR")
    out = runs / entry.name
    if (out / "run.json").exists():
        if load_run(out).about.get("status") == "running":
            raise GandiagError(f"{out} is half a run: delete it")
        return
    runs.mkdir(parents=True, exist_ok=True)
    if mnist and not (runs / "mnist").exists():
        (runs / "mnist").symlink_to(Path(mnist).resolve())  # so that no page names where it lies on this machine
    program, *arguments = entry.command.replace("{mnist}", "mnist").split()
    if program == "gandiag":
        call([sys.executable, "-m", "gandiag", *arguments, "--out", entry.name, "--no-report"], runs)
    else:
        call([sys.executable, str(HERE / Path(arguments[0]).name), *arguments[1:]], runs)


def call(command: list[str], folder: Path) -> None:
    """Runs a command in a folder; raises GandiagError where it ends with more than findings."""
    ended = subprocess.run(command, cwd=folder, check=False).returncode
    if ended not in (0, 1):
        raise GandiagError(f"{' '.join(command[1:])} ended with {ended}")


def compare(runs: Path, out: Path) -> None:
    """Writes the comparison of the trainings on the ring, as far as they exist."""
    found = [runs / name for name in COMPARED if (runs / name / "run.json").exists()]
    if len(found) > 1:
        write_comparison(found, out / "comparison.html", plotlyjs="directory")


def stability_map(runs: Path, out: Path, *, judge: bool) -> None:
    """Trains a grid of learning rates on the ring, briefly, and writes the map."""
    if not judge:
        runs.mkdir(parents=True, exist_ok=True)
        call([sys.executable, "-m", "gandiag", "sweep", *SWEEP, "--out", "map"], runs)
    found = sorted(p.parent for p in (runs / "map").glob("*/run.json"))
    if len(found) > 1:
        write_comparison(found, out / "stability-map.html", over=("lr_g", "lr_d"), plotlyjs="directory")


def index(out: Path) -> None:
    """Writes the two lists of what there is: index.html, and README.md with the command of each."""
    rows = []
    for entry in GALLERY:
        facts = out / f"{entry.name}.json"
        if facts.exists():
            told = json.loads(facts.read_text(encoding="utf-8"))
            command = entry.command.replace("{mnist}", "DIR")
            rows.append({"entry": entry, "verdict": told["verdict"], "story": told["story"], "command": command})
    others = [{"file": f, "title": t, "command": c} for f, t, c in OTHERS if (out / f).exists()]
    for name, file, escaped in (
        ("index.template.html", "index.html", True),
        ("README.template.md", "README.md", False),
    ):
        template = environment().overlay(autoescape=escaped).from_string((HERE / name).read_text(encoding="utf-8"))
        page = template.render(rows=rows, others=others, css=source("page.css"), policy=policy("inline"))
        (out / file).write_text(page.rstrip() + "\n", encoding="utf-8")


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
        try:
            if not given.judge:
                train(entry, given.runs, given.mnist)
            write_report(given.runs / entry.name, given.out / f"{entry.name}.html", plotlyjs="directory")
        except GandiagError as error:
            click.echo(f"{entry.name}: left out: {error}", err=True)
    if not given.names or "comparison" in given.names:
        compare(given.runs, given.out)
    if not given.names or "stability-map" in given.names:
        stability_map(given.runs, given.out, judge=given.judge)
    index(given.out)


if __name__ == "__main__":
    main()
