"""`gandiag export`: a run's generator, or anybody's, as an ONNX bundle that is proven to be the generator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import click

from gandiag.errors import UsageError

if TYPE_CHECKING:
    from gandiag.export import Bundle, Certificate
    from gandiag.export.contract import Latent


@click.command(
    "export",
    epilog="""\b
Examples:
  gandiag export runs/00000-mlp-digits -o bundle/
  gandiag export --generator mine.nets:build --weights g.safetensors --z 128 -o bundle/""",
)
@click.argument("run", required=False)
@click.option("-o", "--out", required=True, metavar="DIR", help="The bundle's folder: new, or empty.")
@click.option(
    "--checkpoint", default="best", show_default=True, metavar="best|last|STEP", help="Which checkpoint of RUN."
)
@click.option("--raw", is_flag=True, help="The weights of the last update instead of their moving average (EMA).")
@click.option(
    "--generator", metavar="MODULE:FUNCTION", help="Instead of RUN: what builds the net, called without arguments."
)
@click.option("--weights", metavar="FILE.safetensors", help="The state dict for --generator.")
@click.option("--z", "latent_text", metavar="128|100x1x1", help="The shape of one latent for --generator.")
@click.option("--classes", type=int, metavar="N", help="For --generator: it takes labels 0 .. N-1 as its second input.")
@click.option(
    "--latent",
    type=click.Choice(["normal", "uniform"]),
    default="normal",
    show_default=True,
    help="For --generator: how z is drawn.",
)
@click.option(
    "--range",
    "value_range",
    type=(float, float),
    default=(-1.0, 1.0),
    show_default=True,
    help="For --generator: the range of its images.",
)
@click.option("--uint8", is_flag=True, help="Put the step to bytes into the graph: images come out as uint8, NHWC.")
@click.option(
    "--truncation", type=float, metavar="PSI", help="Pull the latents towards their mean in the graph (0 < PSI <= 1)."
)
@click.option("--fp16", is_flag=True, help="Half-precision weights and computation; z and float images stay float32.")
@click.option("--opset", type=int, default=18, show_default=True, help="Version of the ONNX operators.")
@click.option("--static-batch", type=int, metavar="N", help="Fix the batch size (the default takes any).")
@click.option(
    "--provider",
    type=click.Choice(["auto", "cpu", "cuda", "tensorrt"]),
    default="auto",
    show_default=True,
    help="Where it is proven.",
)
@click.option(
    "--name",
    default=None,
    help="The model's name, for the card and the servers.  [default: the run's name, or generator]",
)
@click.option(
    "--force", is_flag=True, help="Write the bundle although a certificate failed; it is marked as not certified."
)
@click.option(
    "--features", metavar="NAME", help="Also judge quality on these features of gandiag.metrics, such as digits-cnn."
)
@click.option(
    "--measure/--no-measure",
    default=True,
    help="Measure latency and memory; without, the same weights give the same bytes in every file.",
)
@click.option("--compiled", is_flag=True, help="Time torch.compile too, beside torch eager.")
@click.option("--triton", is_flag=True, help="Add a Triton model repository.")
@click.option("--mlserver", is_flag=True, help="Add an MLServer folder.")
@click.option("--overwrite", is_flag=True, help="Replace the bundle that is in DIR already.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document on stdout, the manifest; everything else goes to stderr.",
)
def command(
    run: str | None,
    out: str,
    checkpoint: str,
    raw: bool,
    generator: str | None,
    weights: str | None,
    latent_text: str | None,
    classes: int | None,
    latent: str,
    value_range: tuple[float, float],
    as_json: bool,
    name: str | None,
    **how: Any,
) -> None:
    """Export the generator of RUN, or any other, to an ONNX bundle, and prove that the file is the generator."""
    from gandiag.export.files import check_target

    check_target(out, how["overwrite"])
    if (run is None) == (generator is None):
        raise UsageError("give either a RUN, or --generator MODULE:FUNCTION with --z")
    if run is not None:
        if weights or latent_text or classes:
            raise UsageError("--weights, --z and --classes describe a --generator; a RUN knows its own")
        bundle = _of_run(run, out, checkpoint, raw, name, how)
    else:
        assert generator is not None
        bundle = _of_function(
            generator,
            weights,
            latent_text,
            out,
            name,
            {"num_classes": classes, "latent": latent, "value_range": value_range, **how},
        )
    if as_json:
        click.echo(json.dumps(bundle.manifest, indent=1))
        return
    say_certificates(bundle.certificates)
    click.echo(f"\n{'' if bundle.certified else 'NOT CERTIFIED: '}{bundle.manifest['description']}")
    click.echo(f"Written to {bundle.path}. Next: gandiag verify {bundle.path}")


def say_certificates(certificates: tuple[Certificate, ...]) -> None:
    """Prints the certificates as a table."""
    colours = {"passed": "green", "FAILED": "red", "noted": None}
    for one in certificates:
        click.echo(f"{one.name:<12} {click.style(f'{one.word:<7}', fg=colours[one.word])} {one.claim}")


def parse_latent(text: str | None) -> int | tuple[int, ...]:
    """Reads --z: 128, or 100x1x1 for a latent that is a map."""
    if not text:
        raise UsageError("--generator needs --z, the shape of one latent: --z 128, or --z 100x1x1")
    parts = text.lower().split("x")
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise UsageError(f"--z is {text!r}: give a number such as 128, or a shape such as 100x1x1")
    return int(parts[0]) if len(parts) == 1 else tuple(int(part) for part in parts)


def _of_run(path: str, out: str, checkpoint: str, raw: bool, name: str | None, how: dict[str, Any]) -> Bundle:
    from gandiag.export import export_generator
    from gandiag.run import load_run
    from gandiag.training import load_generator

    run = load_run(path)
    which = int(checkpoint) if checkpoint.isascii() and checkpoint.isdigit() else checkpoint
    if isinstance(which, str) and which not in ("best", "last"):
        raise UsageError(f"--checkpoint is {checkpoint!r}: choose best, last, or a step")
    trained = load_generator(path, which, ema=not raw)
    facts = {**run_facts(run, path), "step": trained.step, "ema": trained.ema}
    how["features"] = how["features"] or _features_of(run)
    return export_generator(
        trained.module,
        trained.latent_shape,
        out,
        num_classes=trained.num_classes,
        latent=cast("Latent", trained.latent),
        kind=trained.output,
        facts=facts,
        name=name or str(facts["run"]),
        **how,
    )


def _features_of(run: Any) -> str | None:
    """The features that the run itself was evaluated on, where they need no file."""
    from gandiag.metrics import FEATURES

    evaluations = run.records("evaluations")
    name = evaluations[-1].get("protocol", {}).get("features") if evaluations else None
    return name if name in FEATURES and name == "digits-cnn" else None


def _of_function(
    where: str, weights: str | None, latent_text: str | None, out: str, name: str | None, how: dict[str, Any]
) -> Bundle:
    latent_dim = parse_latent(latent_text)
    from gandiag.export import export_generator
    from gandiag.export.foreign import build_generator

    facts = (
        {"generator": where, "weights": weights}
        if weights
        else {"generator": where, "weights": "as the function built them"}
    )
    return export_generator(
        build_generator(where, weights), latent_dim, out, facts=facts, name=name or "generator", **how
    )


def run_facts(run: Any, path: str) -> dict[str, Any]:
    """Returns what a bundle says of the run that it comes from: name, configuration, data, seed, versions, scores, verdict."""
    from pathlib import Path

    from gandiag.diagnosis import diagnose

    about = run.about
    facts = {
        key: about[key]
        for key in ("seed", "recipe", "data", "config", "commit", "device")
        if about.get(key) is not None
    }
    evaluations = run.records("evaluations")
    if evaluations:
        facts["scores"] = {
            key: value for key, value in evaluations[-1].get("scores", {}).items() if isinstance(value, (int, float))
        }
    diagnosis = diagnose(run)
    return {
        "run": about.get("name") or Path(path).resolve().name,
        **facts,
        "verdict": str(diagnosis.verdict),
        "story": diagnosis.story,
    }
