"""What every recipe reaches with several seeds: healthy ones a quality, sick ones an illness; and PacGAN's table beside its published rows.

    python -m benchmarks.recipes record benchmarks/recipes.jsonl --seeds 0,1,2     (hours of one core; rows that are there are kept)
    python -m benchmarks.recipes record benchmarks/recipes.jsonl pacgan-1@ring ... (single plays: a recipe's name, @data)
    python -m benchmarks.recipes table benchmarks/recipes.jsonl docs/recipes.md    (seconds; replaces the tables between its marks)
    python -m benchmarks.recipes scale                                             (seconds; what Frechet distances on digits mean)

Quality is that of the last step's samples: on a mixture against its known modes, on images by a classifier of digits. Illness is what
`gandiag.diagnose` says. Nothing is chosen after the fact: neither checkpoint nor seed.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gandiag.diagnosis import diagnose
from gandiag.metrics import frechet_distance
from gandiag.metrics.features import load_features
from gandiag.run import Run, load_run
from gandiag.training import RECIPES, effective_config, train
from gandiag.training.data import load_data

SCORES = (
    "modes_covered",
    "modes_hit",
    "modes_total",
    "high_quality_share",
    "mode_kl",
    "frechet_distance",
    "frechet_distance_floor",
)
# What a play has smaller than its recipe where an evening of one core would not be enough for three seeds of them all.
_NARROW = {"generator_width": 16, "discriminator_width": 16}
SMALLER: dict[str, dict[str, Any]] = {
    "text-mlp": {"steps": 1500},
    "text-mlp-minimax": {"steps": 1500},
    "text-mlp-norm": {"steps": 3000},
    "text-dense": {"steps": 1500},
    "text-conv": {"steps": 3000, "generator_width": 64},
    "text-leaky": {"steps": 1500, "generator_width": 128, "discriminator_width": 128},
    "text-attention": {"steps": 1500, "generator_width": 32, "discriminator_width": 32},
    "dcgan": {"steps": 2500},
    "lsgan": {"steps": 2500},
    "conv": {"steps": 1000, "generator_width": 32, "discriminator_width": 32},
    "sngan": {"steps": 1500},
    "sagan": {"steps": 2400},
    "wgan-gp": {"steps": 1200},
    "dragan": {"steps": 2000},
    "r3gan": {"steps": 1500, "batch": 32, **_NARROW},
    "r1-resnet": {"steps": 2200},
    "pacgan-1": {"steps": 8000},
    "pacgan-2": {"steps": 8000},
    "pacgan-4": {"steps": 8000},
}
# Frechet distance that a healthy training on digits ends with at most: a tenth of the trace of their features' covariance (193), which is how far
# a generator that always draws the same is away at the least. What a generator begins with is no yardstick: 99 to 264, by how it is initialised.
HEALTHY_DISTANCE = 19.3
HEALTHY_QUALITY = 0.8  # high-quality share that one on a mixture ends with at least, all modes covered
PUBLISHED = {  # PacGAN's Table 1: modes, share of high quality in percent, reverse KL, each with its standard error; 10 trials of 400 000 steps
    "pacgan-1@ring:sd=0.01": ("6.3 ± .5", "98.2 ± .2", ".45 ± .09"),
    "pacgan-2@ring:sd=0.01": ("7.9 ± .1", "95.6 ± 2.0", ".07 ± .03"),
    "pacgan-4@ring:sd=0.01": ("7.8 ± .1", "95.9 ± 1.4", ".07 ± .02"),
    "pacgan-1@grid:sd=0.05": ("17.3 ± .8", "94.8 ± .7", ".70 ± .07"),
    "pacgan-2@grid:sd=0.05": ("23.8 ± .7", "91.3 ± .8", ".13 ± .04"),
    "pacgan-4@grid:sd=0.05": ("24.8 ± .2", "93.6 ± .6", ".04 ± .01"),
}
PUBLISHED_STEPS = 400_000
LOOKS = 12  # evaluations of a play, six times as many where something changes in mid-run
PAPER = tuple(
    f"{method}@{data}" for data in ("ring:sd=0.01", "grid:sd=0.05") for method in ("pacgan-1", "pacgan-2", "pacgan-4")
)
PLAYS = (*(name for name in RECIPES if not name.startswith("pacgan")), *PAPER)


def play(name: str, seed: int, folder: Path, steps: int | None = None) -> dict[str, Any]:
    """Trains one recipe (`name` or `name@data`) with one seed and returns its row."""
    recipe, _, data = name.partition("@")
    settings = {**SMALLER.get(recipe, {}), **({"data": data} if data else {}), **({"steps": steps} if steps else {})}
    config, _ = effective_config(recipe, flags=settings)
    steps = config.steps
    looks = max(config.evaluate_every, steps // (LOOKS * (6 if config.changes else 1)))
    config = replace(config, seed=seed, steps=steps, evaluate_every=looks, sample_every=0, diagnose_every=0, threads=1)
    began, burned = time.perf_counter(), time.process_time()
    outcome = train(config, out=folder, about={"recipe": recipe})
    if outcome.ended != "finished":  # a play that was cut short must not stand there as a result
        raise SystemExit(
            f"{name} with seed {seed} ended at step {outcome.step} of {steps} ({outcome.why}): no row is kept"
        )
    run = load_run(folder)
    diagnosis = diagnose(run)
    return {
        "play": name,
        "seed": seed,
        "steps": config.steps,
        "settings": {name: value for name, value in settings.items() if name not in ("data", "steps")},
        "seconds": round(time.perf_counter() - began, 1),
        "core_seconds": round(time.process_time() - burned, 1),
        "machine": f"{platform.machine()}, torch {torch.__version__}",
        "verdict": diagnosis.verdict.value,
        "findings": [finding.check for finding in diagnosis.illnesses],
        "first": {score: at(run, score, 0) for score in SCORES},
        "last": {score: at(run, score, -1) for score in SCORES},
        "course": [round(float(v), 3) for v in run["modes_covered"]] if "modes_covered" in run else [],
    }


def at(run: Run, name: str, place: int) -> float | None:
    """Returns a score's value at a place of its course, None where the run has none."""
    return float(run[name].iloc[place]) if name in run else None


def record(sink: Path, names: list[str], seeds: list[int], steps: int | None) -> None:
    """Plays what the file does not hold yet, and appends a row as soon as it is known."""
    rows = read(sink) if sink.exists() else []
    there = {(row["play"], row["seed"]) for row in rows}
    for seed in seeds:
        for name in names or PLAYS:
            if (name, seed) in there:
                continue
            with tempfile.TemporaryDirectory() as scratch:
                row = play(name, seed, Path(scratch) / "run", steps)
            with sink.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            last = {k: None if v is None else round(v, 4) for k, v in row["last"].items()}
            print(
                name,
                seed,
                row["steps"],
                f"{row['core_seconds']} s",
                row["verdict"],
                row["findings"],
                last,
                row["first"]["frechet_distance"],
                flush=True,
            )


def read(source: Path) -> list[dict[str, Any]]:
    """Returns the rows of a results file."""
    return [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]


def reached(row: dict[str, Any]) -> bool:
    """Whether a play ended well: all modes covered, and most samples in them or, of digits, a Frechet distance of a tenth of their spread."""
    last = row["last"]
    if last["modes_total"] is None or last["modes_covered"] < last["modes_total"] or last["frechet_distance"] is None:
        return False
    if last["high_quality_share"] is not None:
        return bool(last["high_quality_share"] >= HEALTHY_QUALITY)
    return bool(last["frechet_distance"] <= HEALTHY_DISTANCE)


def fell_ill(row: dict[str, Any]) -> bool:
    """Whether the diagnosis calls a play unstable."""
    return bool(row["verdict"] == "unstable")


def recipe_table(rows: list[dict[str, Any]]) -> str:
    """Returns the table of all recipes: medians over the seeds, the range of the one quality that counts, and how many did what they should."""
    lines = [
        "| recipe | meant | data | steps | core s | modes | high quality | Fréchet, first to last (floor) | as meant | diagnosis by seed |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in RECIPES:
        plays = [row for row in rows if row["play"] == name]
        if plays:
            lines.append(_recipe_row(name, plays))
    return "\n".join(lines)


def _recipe_row(name: str, plays: list[dict[str, Any]]) -> str:
    health = RECIPES[name].health
    as_meant = sum((fell_ill if health == "sick" else reached)(row) for row in plays)
    words = [row["verdict"] + (f" ({', '.join(row['findings'][:2])})" if row["findings"] else "") for row in plays]
    diagnoses = "; ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    first, last, floor = (
        median(plays, place, score)
        for place, score in (
            ("first", "frechet_distance"),
            ("last", "frechet_distance"),
            ("last", "frechet_distance_floor"),
        )
    )
    return (
        f"| `{name}` | {health} | {effective_config(name)[0].data} | {_length(name, plays[0])} | "
        f"{statistics.median(r['core_seconds'] for r in plays):.0f} | "
        f"{spread(plays, 'modes_covered')} of {median(plays, 'last', 'modes_total')} | {spread(plays, 'high_quality_share')} | "
        f"{first} to {last} ({floor}) | {as_meant} of {len(plays)} | {diagnoses} |"
    )


def _length(name: str, row: dict[str, Any]) -> str:
    """How long a play was, and what it had smaller than its recipe."""
    whole = effective_config(name)[0].steps
    steps = f"{row['steps']}" if row["steps"] == whole else f"{row['steps']} of {whole}"
    changed = dict(row.get("settings", {}))
    if changed.get("generator_width", 0) == changed.get("discriminator_width"):
        changed = {"width": changed.pop("generator_width"), **changed}
        del changed["discriminator_width"]
    narrow = [f"{setting.replace('_', ' ')} {value}" for setting, value in changed.items()]
    return ", ".join([steps, *narrow])


def paper_table(rows: list[dict[str, Any]]) -> str:
    """Returns PacGAN's table: ours as means with standard errors, beside what was published."""
    lines = [
        "| mixture | method | seeds, steps | modes hit | published | with 20 samples | high quality, % | published | reverse KL | published |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in PAPER:
        plays = [row for row in rows if row["play"] == name]
        if plays:
            recipe, _, data = name.partition("@")
            method = "GAN" if recipe == "pacgan-1" else f"PacGAN{recipe[-1]}"
            ours = (mean(plays, "modes_hit"), mean(plays, "high_quality_share", 100), mean(plays, "mode_kl"))
            modes, *rest = (f"{found} | {published}" for found, published in zip(ours, PUBLISHED[name]))
            both = " | ".join((modes, mean(plays, "modes_covered"), *rest))
            length = " and ".join(f"{s:,}" for s in sorted({row["steps"] for row in plays}))
            lines.append(f"| {data.partition(':')[0]} | {method} | {len(plays)}, {length} | {both} |")
    return "\n".join(lines) + f"\n\nPublished after {PUBLISHED_STEPS:,} steps."


def values(plays: list[dict[str, Any]], place: str, score: str) -> list[float]:
    """Returns a score's values over the seeds that have it."""
    return [row[place][score] for row in plays if row[place][score] is not None]


def median(plays: list[dict[str, Any]], place: str, score: str) -> str:
    """Returns the median over the seeds as a text."""
    found = values(plays, place, score)
    return f"{statistics.median(found):.3g}" if found else "–"


def spread(plays: list[dict[str, Any]], score: str) -> str:
    """Returns the median over the seeds and, where they differ, their range."""
    found = values(plays, "last", score)
    if not found:
        return "–"
    middle = f"{statistics.median(found):.2g}"
    return middle if min(found) == max(found) else f"{middle} ({min(found):.2g} … {max(found):.2g})"


def mean(plays: list[dict[str, Any]], score: str, unit: float = 1.0) -> str:
    """Returns the mean over the seeds with its standard error."""
    found = [unit * value for value in values(plays, "last", score)]
    if len(found) < 2:
        return f"{found[0]:.3g}" if found else "–"
    return f"{statistics.fmean(found):.3g} ± {statistics.stdev(found) / len(found) ** 0.5:.2g}"


def write_tables(rows: list[dict[str, Any]], page: Path) -> None:
    """Replaces what stands between `<!-- NAME -->` and `<!-- end -->` on the page."""
    tables: dict[str, Callable[[list[dict[str, Any]]], str]] = {"recipes": recipe_table, "paper": paper_table}
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        text = replaced(text, name, table(rows))
    page.write_text(text, encoding="utf-8")


def replaced(text: str, name: str, table: str) -> str:
    """Returns a page's text with this table between `<!-- NAME -->` and the next `<!-- end -->`."""
    before, mark, rest = text.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    if not (mark and end):
        raise SystemExit(f"the page has no <!-- {name} --> … <!-- end -->")
    return f"{before}{mark}\n{table}\n\n{end}{after}"


def tell_scale() -> None:
    """Prints the digits' spread, and how far digits without one class, and digits under noise, are from all of them."""
    data = load_data("digits")
    features = load_features("digits-cnn")
    real = features.extract(data.samples).double()
    classes = torch.as_tensor(data.labels)
    without = [float(frechet_distance(real, real[classes != one])) for one in range(10)]
    print(f"trace of the covariance {torch.cov(real.T).trace():.1f}")
    print(f"without one class {min(without):.1f} .. {max(without):.1f}, mean {statistics.fmean(without):.1f}")
    for share in (0.05, 0.1, 0.25):
        noise = 255 * share * torch.randn(data.samples.shape, generator=torch.Generator().manual_seed(0))
        noisy = (data.samples + noise).clamp(0, 255).round().byte()
        print(f"noise of {share} of the range: {float(frechet_distance(real, features.extract(noisy).double())):.2f}")


def main() -> None:
    """Plays and records, or writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "table", "scale"))
    parser.add_argument("file", nargs="?", type=Path, help="the results, a JSON line a play")
    parser.add_argument("names", nargs="*", help="plays (all where none is named); of `table` the page")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--steps", type=int, help="of every play, for a trial")
    options = parser.parse_args()
    if options.what == "scale":
        tell_scale()
    elif options.file is None:
        parser.error("which file of results?")
    elif options.what == "table":
        write_tables(read(options.file), Path(options.names[0]))
    else:
        record(options.file, options.names, [int(seed) for seed in options.seeds.split(",")], options.steps)


if __name__ == "__main__":
    main()
