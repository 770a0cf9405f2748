"""`gandiag attach SCRIPT ...`: runs somebody's training script, unedited, under full diagnosis."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    "attach",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="""\b
Examples:
  gandiag attach train.py --epochs 3 --lr 2e-4
  gandiag attach --out runs/mine --stop-on mode_collapse,divergence -m package.train
  gandiag attach --generator netG_A --discriminator netD_B cyclegan.py""",
)
@click.option("--out", type=click.Path(path_type=Path), help="The run directory.  [default: runs/NNNNN-attach-SCRIPT]")
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Steps between two evaluations of the generator.",
)
@click.option(
    "--stop-on",
    metavar="CHECKS",
    default="",
    help="End the script when one of these checks FAILED: mode_collapse,divergence ...",
)
@click.option(
    "--export",
    "bundle",
    type=click.Path(path_type=Path),
    help="Export the generator to a verified ONNX bundle at the end.",
)
@click.option("--generator", metavar="NAME", help="The generator's name in the script, where more than one pair plays.")
@click.option("--discriminator", metavar="NAME", help="The discriminator's name in the script.")
@click.option("--report/--no-report", default=True, show_default=True, help="Write the report at the end.")
@click.option("-m", "as_module", is_flag=True, help="SCRIPT is a module, as for `python -m`.")
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(
    out: Path | None,
    every: int,
    stop_on: str,
    bundle: Path | None,
    generator: str | None,
    discriminator: str | None,
    report: bool,
    as_module: bool,
    script: str,
    arguments: tuple[str, ...],
) -> None:
    """Record somebody's training script, unedited, and diagnose it.

    The script runs in this process with its own arguments, working directory, output and exit code. gandiag finds the generator
    and the discriminator by watching the first updates, says on standard error what it found and each alert as it is raised,
    and at the end (also after Ctrl-C, an exception or sys.exit) leaves the run, its report and its verdict. A script that
    trains no GAN ends normally, with one line that says so.
    """
    from gandiag.cli.attach_script import Wishes, run_script

    wishes = Wishes(
        out=out,
        every=every,
        stop_on=tuple(name.strip() for name in stop_on.split(",") if name.strip()),
        bundle=bundle,
        generator=generator,
        discriminator=discriminator,
        report=report,
    )
    raise SystemExit(run_script(script, list(arguments), as_module=as_module, wishes=wishes))
