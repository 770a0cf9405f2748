"""What series end at in recorded runs: the ranges that limits are set by, and that their comments state.

python -m benchmarks.ends DIR energy_coefficient real_nearest_fake    (seconds)

DIR is as `benchmarks.diagnosis record` or `benchmarks.exam play` left it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from gandiag.errors import GandiagError, NotRecorded
from gandiag.run import Run, load_run

LATE = 5  # a fifth of a series is its end
FEWEST = 3


def ends(folder: Path, names: list[str]) -> dict[str, list[float]]:
    """Returns, by run, the median of each series' last fifth, of a vector the largest of its columns' means; NaN where it was not recorded."""
    found = {}
    for path in sorted(folder.glob("**/run/run.json")):
        try:
            run = load_run(path.parent)
            found[str(path.parent.parent.relative_to(folder))] = [
                _end_in(run, name) if name in run.names else np.nan for name in names
            ]
        except GandiagError:
            continue  # nothing was recorded there
    return found


def _end_in(run: Run, name: str) -> float:
    try:
        return _end(run[name].dropna().to_numpy(dtype=float))
    except NotRecorded:  # a vector: its largest end
        table = run.layers(name).to_numpy(dtype=float)
        late = table[-max(FEWEST, len(table) // LATE) :]
        return float(np.nan_to_num(late).mean(axis=0).max()) if late.size else np.nan


def _end(values: np.ndarray) -> float:
    return float(np.median(values[-max(FEWEST, len(values) // LATE) :])) if len(values) else np.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+")
    given = parser.parse_args()
    found = ends(given.folder, given.names)
    print(f"| run | {' | '.join(given.names)} |\n|---|{'---|' * len(given.names)}")
    for run, values in sorted(found.items(), key=lambda one: -np.nan_to_num(one[1][0], nan=-np.inf)):
        print(f"| {run} | {' | '.join(f'{v:.3g}' for v in values)} |")


if __name__ == "__main__":
    main()
