"""`gandiag evaluate`: scores images, a run's generator or an exported model against real images, with intervals and protocol."""

from __future__ import annotations

import json
import math
import os
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gandiag.metrics.quality import Evaluation

METRIC_NAMES = "fd, fd-infinity, kid, pr, dc, prd, is, vendi, ndb, birthday, sw, mmd, memorisation"


@click.command(
    "evaluate",
    epilog="""\b
URIs: a folder of images (class = subfolder), X.zip, X.npz, X.npy, X.parquet, IDX files, mnist:FOLDER, digits; for --fake also a run,
an exported bundle, MODEL.onnx; npz files of mu and sigma give the Frechet distance alone.

\b
Examples:
  gandiag evaluate --real digits --fake runs/00000-mlp-digits
  gandiag evaluate --real photos/ --fake a.zip --fake b.npz --features inception-tf --metrics fd,kid,pr --json
  torchrun --nproc-per-node 4 -m gandiag evaluate --real photos/ --fake runs/mine --features dinov2
""",
)
@click.option("--real", required=True, metavar="URI", help="The real images.")
@click.option(
    "--fake", "fakes", required=True, multiple=True, metavar="URI", help="What is scored; several give a table."
)
@click.option(
    "--heldout", metavar="URI", help="Real images that the generator was not trained on: adds the copying test C_T."
)
@click.option(
    "--metrics",
    default="fd,kid,pr,dc,vendi,memorisation",
    show_default=True,
    metavar="NAME,...",
    help=f"{METRIC_NAMES}, or all.",
)
@click.option(
    "--features",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="auto, digits-cnn, classifier, inception-tf|pytorch|clean|torchmetrics, dinov2, clip, clip-336:unit, random-conv, pixels, "
    "torchscript:FILE, onnx:FILE, module:function.",
)
@click.option(
    "--weights",
    type=click.Path(),
    metavar="FILE",
    help="The weights of the features, instead of cached or downloaded ones.",
)
@click.option(
    "--count", type=click.IntRange(min=2), metavar="N", help="At most N images of each side, drawn by the seed."
)
@click.option(
    "--size",
    type=click.IntRange(min=1),
    metavar="PIXELS",
    help="Bring every image to PIXELS x PIXELS first; part of the protocol.",
)
@click.option(
    "--checkpoint", default="best", show_default=True, metavar="best|last|STEP", help="Which checkpoint of a run."
)
@click.option("--seed", default=0, show_default=True, help="Of the draws of images, latents and splits.")
@click.option("--no-cache", is_flag=True, help="Extract the features again and keep nothing.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout; everything else goes to stderr."
)
def command(**options: Any) -> None:
    """Score fakes against reals: FID, KID, precision, recall and more, each with its interval, its floor and its protocol."""
    import torch

    from gandiag.cli.evaluate_inputs import Request, evaluate
    from gandiag.cli.run import leave_at_once
    from gandiag.training.processes import join_processes, leave_processes

    processes, device = join_processes(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    request = Request(
        real=options["real"],
        fakes=options["fakes"],
        heldout=options["heldout"],
        metrics=tuple(m.strip() for m in options["metrics"].split(",") if m.strip()),
        features=options["features"],
        weights=options["weights"],
        count=options["count"],
        size=options["size"],
        checkpoint=options["checkpoint"],
        seed=options["seed"],
        cache=not options["no_cache"],
        processes=processes,
        device=str(device),
    )
    with Ticker() as ticker:
        results, notes = evaluate(request, ticker if processes.writes else _unheard)
    if processes.writes:
        click.echo(told(results, notes, as_json=options["as_json"]))
    leave_processes(processes)
    if processes.world > 1:
        leave_at_once(0)


def told(results: list[tuple[str, Evaluation]], notes: list[str], *, as_json: bool) -> str:
    """Returns what the command says: one JSON document, or the table and the notes under it."""
    if as_json:
        return json.dumps(_document(results, notes), indent=1, allow_nan=False)
    return "\n".join([table(results), *(f"note: {note}" for note in notes)])


def _unheard(*_: object) -> None:
    """The progress of all processes but the first."""


class Ticker:
    """Progress on stderr: a rich bar on a terminal, one plain line a task elsewhere."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._said = ""

    def __enter__(self) -> Ticker:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, task: str, done: int = 0, total: int | None = None) -> None:
        """Says that a task is at `done` of `total`."""
        if self._bar is None:
            if task != self._said:
                click.echo(task, err=True)
            self._said = task
            return
        if task != self._said:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(task.replace("[", "\\["), total=total)
            self._said = task
        self._bar.update(self._task, completed=done, total=total)


def _floor_heading(results: list[tuple[str, Evaluation]]) -> str:
    """Names the floor's own count, which is smaller than the scores': a Frechet distance grows with 1/N, and is read beside like N only."""
    counts = {str(e.protocol.get("floor", "")).rpartition(", ")[2] for _, e in results if e.floors}
    return f"real vs real ({counts.pop()})" if len(counts) == 1 else "real vs real"


def table(results: list[tuple[str, Evaluation]]) -> str:
    """Returns the scores as text: one row a score, one column a fake, intervals in brackets, and the floor last."""
    names = list(
        dict.fromkeys(k for _, e in results for k, v in e.scores.items() if not isinstance(v, list) and not _is_part(k))
    )
    headings = ["score", *(_short(name) for name, _ in results), _floor_heading(results)]
    rows = [headings]
    for name in names:
        floor = next((e.floors[name] for _, e in results if name in e.floors), None)
        rows.append([name, *(_cell(e, name) for _, e in results), "" if floor is None else _number(floor)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(headings))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*lines, *_class_lines(results)])


def _class_lines(results: list[tuple[str, Evaluation]]) -> list[str]:
    """The recall of each class, where it is known: dropped minorities show there."""
    lines = []
    for name, evaluation in results:
        recall = evaluation.scores.get("class_recall")
        if isinstance(recall, list):
            told = ", ".join(
                f"{label} {_number(value)}" for label, value in zip(evaluation.labels["class_recall"], recall)
            )
            lines.append(f"class recall of {_short(name)}: {told}")
    return lines


def _document(results: list[tuple[str, Evaluation]], notes: list[str]) -> dict[str, Any]:
    return {
        "evaluations": [
            {
                "fake": name,
                "scores": _plain(e.scores),
                "floors": _plain(e.floors),
                "labels": e.labels,
                "protocol": e.protocol,
            }
            for name, e in results
        ],
        "notes": notes,
    }


def _plain(scores: Any) -> dict[str, Any]:
    """NaN and infinities have no JSON: null."""

    def one(value: Any) -> Any:
        return [one(v) for v in value] if isinstance(value, list) else value if math.isfinite(value) else None

    return {name: one(value) for name, value in scores.items()}


def _is_part(name: str) -> bool:
    """Ends of intervals and errors stand in their score's own cell."""
    return name.split("[", 1)[0].endswith(("_low", "_high", "_error", "_sd", "_floor"))


def _cell(evaluation: Evaluation, name: str) -> str:
    value = evaluation.scores.get(name)
    if value is None or isinstance(value, list):
        return ""
    base, bracket, rest = name.partition("[")
    low, high = (evaluation.scores.get(f"{base}_{end}{bracket}{rest}") for end in ("low", "high"))
    if isinstance(low, float) and isinstance(high, float):
        return f"{_number(value)} [{_number(low)}, {_number(high)}]"
    return _number(value)


def _number(value: float) -> str:
    return f"{value:.4g}"


def _short(name: str) -> str:
    text = os.path.basename(os.path.normpath(name)) or name
    return text if len(text) <= 28 else text[:25] + "..."
