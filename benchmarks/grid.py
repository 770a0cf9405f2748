"""Every recipe on every kind of data: built small and played for one step, so that it is known what goes together and why not what does not.

    python -m benchmarks.grid docs/recipes.md      (a minute or two of one core; replaces the table between its marks; without a page it is printed)

A recipe that cannot play must say so by a UsageError before a run's folder is made: anything else is a fault, and ends the command.
"""

from __future__ import annotations

import argparse
import io
import pickle
import re
import struct
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.recipes import replaced
from gandiag.errors import GandiagError
from gandiag.training import RECIPES, Config, effective_config
from gandiag.training.loop import dry_run

AT_32 = "@32"  # of a kind that is brought to 32x32
COUNT = 40  # samples of each kind of data
PLAYS = "yes"


def make_data(folder: Path) -> dict[str, str]:
    """Writes a little of every kind of data and returns what --data says for it by the name of the kind."""
    random = np.random.default_rng(0)
    labels = np.arange(COUNT, dtype=np.uint8) % 10
    write_idx(folder / "mnist", random.integers(0, 256, (COUNT, 28, 28), dtype=np.uint8), labels)
    write_cifar(folder / "cifar", random.integers(0, 256, (COUNT, 3072), dtype=np.uint8), labels)
    write_folder(folder / "square", random.integers(0, 256, (COUNT, 64, 64, 3), dtype=np.uint8))
    write_folder(folder / "odd", random.integers(0, 256, (COUNT, 15, 15, 3), dtype=np.uint8))
    write_folder(folder / "tall", random.integers(0, 256, (COUNT, 16, 8, 3), dtype=np.uint8))
    np.save(folder / "points.npy", random.normal(size=(COUNT, 3)).astype(np.float32))
    return {
        "digits, 8x8": "digits",
        "MNIST (IDX), 28x28": f"mnist:{folder / 'mnist'}",
        "stacked MNIST, 28x28x3": f"stacked-mnist:{folder / 'mnist'},count={COUNT}",
        "CIFAR-10, 32x32x3": f"cifar10:{folder / 'cifar'}",
        "folder, 64x64x3": str(folder / "square"),
        "folder, 15x15x3": str(folder / "odd"),
        "the same, resolution=32": str(folder / "odd") + AT_32,
        "folder, 16x8x3": str(folder / "tall"),
        "ring, grid": "ring:sd=0.05",
        "points in 3-D": str(folder / "points.npy"),
    }


def write_idx(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Writes images (n, h, w) and labels (n,) as MNIST's two files."""
    folder.mkdir(parents=True)
    for name, array in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)):
        head = struct.pack(f">{1 + array.ndim}I", 0x00000800 + array.ndim, *array.shape)
        (folder / name).write_bytes(head + array.tobytes())


def write_cifar(folder: Path, rows: np.ndarray, labels: np.ndarray) -> None:
    """Writes rows (n, 3072) and labels as CIFAR-10's five batches and its names."""
    folder.mkdir(parents=True)
    for number in range(1, 6):
        mine = slice(number - 1, None, 5)
        batch = {b"data": rows[mine], b"labels": [int(label) for label in labels[mine]]}
        (folder / f"data_batch_{number}").write_bytes(pickle.dumps(batch, protocol=2))
    names = {b"label_names": [f"class {i}".encode() for i in range(10)]}
    (folder / "batches.meta").write_bytes(pickle.dumps(names, protocol=2))


def write_folder(folder: Path, images: np.ndarray) -> None:
    """Writes images (n, h, w, 3) as PNG files in two folders, one a class."""
    for number, image in enumerate(images):
        packed = io.BytesIO()
        Image.fromarray(image).save(packed, "png")
        place = folder / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.png").write_bytes(packed.getvalue())


def small(name: str, data: str) -> Config:
    """The recipe on this data at a fraction of its size: its own networks, loss and penalties, four packs a batch."""
    config, _ = effective_config(name)
    return replace(
        config,
        data=data.removesuffix(AT_32),
        resolution=32 if data.endswith(AT_32) else None,
        batch=4 * config.pack,
        generator_width=8,
        discriminator_width=8,
        samples=None if config.samples is None else min(config.samples, 20),
        heldout=0.0,
        evaluation_samples=8,
        features="pixels",
        threads=1,
    )


def outcome(name: str, data: str) -> str:
    """Plays one step of a recipe on this data; returns 'yes', or why it is refused. What is no GandiagError is a fault and is raised."""
    try:
        dry_run(small(name, data))
    except GandiagError as error:
        return str(error)
    return PLAYS


def played(folder: Path, names: list[str]) -> dict[str, dict[str, str]]:
    """Returns the outcome of these recipes on every kind of data."""
    kinds = make_data(folder)
    return {name: {kind: outcome(name, data).replace(data, "DATA") for kind, data in kinds.items()} for name in names}


def grid_table(found: dict[str, dict[str, str]]) -> str:
    """Returns the table: recipes with the same outcomes share a row, reasons are told by number beneath."""
    kinds = list(next(iter(found.values())))
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, outcomes in found.items():
        groups.setdefault(tuple(_reason(text) for text in outcomes.values()), []).append(name)
    reasons = list(dict.fromkeys(text for row in groups for text in row if text != PLAYS))
    lines = [f"| recipes | {' | '.join(kinds)} |", "|---" * (1 + len(kinds)) + "|"]
    for row, names in groups.items():
        cells = " | ".join(PLAYS if text == PLAYS else f"no ({reasons.index(text) + 1})" for text in row)
        lines.append(f"| {', '.join(f'`{name}`' for name in names)} | {cells} |")
    told = "\n".join(f"{number}. {text}" for number, text in enumerate(reasons, 1))
    count = sum(text == PLAYS for row in found.values() for text in row.values())
    total = sum(len(row) for row in found.values())
    return (
        "\n".join(lines)
        + f"\n\n{count} of {total} play; the others are refused before a run's folder is made, with these words:\n\n{told}"
    )


def _reason(text: str) -> str:
    """The refusal without what differs between networks and shapes, so that like ones share a number."""
    for pattern, plain in ((r"network [\w-]+ works", "network works"), (r"multiple of \d", "multiple of 2 or 4")):
        text = re.sub(pattern, plain, text)
    return re.sub(
        r"and \w+ has ", "and DATA has ", re.sub(r"the shape \([\d, ]+\)", "another shape", text)
    ).splitlines()[0]


def main() -> None:
    """Plays all of them and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "page", nargs="?", type=Path, help="the page whose table between <!-- grid --> and <!-- end --> is replaced"
    )
    page = parser.parse_args().page
    with tempfile.TemporaryDirectory() as folder:
        table = grid_table(played(Path(folder), list(RECIPES)))
    if page is None:
        print(table)
    else:
        page.write_text(replaced(page.read_text(encoding="utf-8"), "grid", table), encoding="utf-8")


if __name__ == "__main__":
    main()
