"""`gandiag check`: judges runs, and fails (exit code 1) where a finding is bad enough."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

MOST_NAMED = 8  # columns of a log that are named as not understood
SEVERITIES = ("failed", "suspect", "inconclusive", "never")


@click.command(
    epilog="""\b
Examples:
  gandiag check runs/00000-mlp-digits
  gandiag check runs --fail-on suspect --junit checks.xml
  gandiag check runs/mine --fail-on mode_collapse,divergence --json
  gandiag check runs/seed-* --baseline runs/good-0 --baseline runs/good-1
  gandiag check --csv log.csv --map my_d_loss=discriminator_loss
  gandiag check train.log
"""
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="RUN...")
@click.option(
    "--csv",
    "logs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Somebody's log: CSV, TSV, JSON, JSON lines, or what a loop printed (.txt, .log).",
)
@click.option(
    "--map",
    "names",
    multiple=True,
    metavar="THEIRS=OURS",
    help="What a column of such a log means; `step` is a meaning too.",
)
@click.option(
    "--fail-on",
    default="failed",
    show_default=True,
    metavar="WHAT",
    help="Exit with 1 on: failed, suspect (and failed), inconclusive, never, or the codes of checks; several with commas.",
)
@click.option(
    "--baseline",
    "baselines",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="A known good run; more of them are seeds.",
)
@click.option(
    "--limits",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A TOML file of limits that replace the checks' own.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout; everything else goes to stderr."
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML for a CI server.")
@click.option(
    "--markdown", type=click.Path(path_type=Path), metavar="FILE", help="Write a Markdown table, for a pull request."
)
@click.option("--all", "everything", is_flag=True, help="Print also the checks that passed or were not made.")
def command(
    runs: tuple[Path, ...],
    logs: tuple[Path, ...],
    names: tuple[str, ...],
    fail_on: str,
    baselines: tuple[Path, ...],
    limits: Path | None,
    as_json: bool,
    junit: Path | None,
    markdown: Path | None,
    everything: bool,
) -> int:
    """Judge runs, or other people's logs: verdict, what is wrong, since when, and what to do.

    RUN is the folder that `gandiag run` or a Recorder wrote, the folder of a StyleGAN training, a folder of TensorBoard events, a
    file of CSV or JSON lines, or a folder in which such folders lie: all of them are judged. The exit code is 0 where nothing is bad
    enough, 1 where something is, 2 for a mistake in the command, 3 where a run cannot be read.
    """
    from gandiag.diagnosis import load_limits, render
    from gandiag.diagnosis.gate import judge_runs
    from gandiag.errors import printable
    from gandiag.logs import recordings_in

    if not runs and not logs:
        raise click.UsageError(
            "give at least one RUN: the folder that `gandiag run` or a Recorder wrote, or a log of another trainer"
        )
    runs = tuple(found for given in runs for found in recordings_in(given))
    for name in damaged(runs):
        click.echo(f"{printable(name)} is damaged: it is judged by what is left", err=True)
    result = judge_runs(
        (*runs, *logs),
        baselines,
        fail_on=_wanted(fail_on),
        limits=load_limits(limits) if limits else None,
        names=_names(names),
    )
    for name, columns in result.ignored:
        click.echo(printable(not_understood(name, columns)), err=True)
    if junit:
        junit.write_text(render.as_junit(result), encoding="utf-8")
    if markdown:
        markdown.write_text(render.as_markdown(result), encoding="utf-8")
    click.echo(
        json.dumps(render.judged_as_data(result), indent=1)
        if as_json
        else render.judged_as_text(result, everything=everything)
    )
    return 1 if result.failing else 0


def not_understood(name: str, columns: Sequence[str]) -> str:
    """Says which columns of a log have no meaning here, so that a misspelt name does not pass for a healthy one."""
    more = f" and {len(columns) - MOST_NAMED} more" if len(columns) > MOST_NAMED else ""
    return (
        f"{name}: nothing is known of {', '.join(columns[:MOST_NAMED])}{more}; say what they are with --map THEIRS=OURS"
    )


def damaged(runs: Sequence[Path]) -> list[str]:
    """Returns the tables of these runs that cannot be read."""
    from gandiag.run import load_run

    whole = [load_run(path) for path in runs if (path / "run.json").is_file()]
    return [str(run.path / name) for run in whole for name in run.unreadable]


def _wanted(fail_on: str) -> list[str]:
    from gandiag.diagnosis import CHECKS
    from gandiag.errors import did_you_mean

    known = (*SEVERITIES, *(check.__name__ for check in CHECKS))
    words = [w.strip() for w in fail_on.split(",") if w.strip()]
    if not words:
        raise click.UsageError("--fail-on is empty, so that nothing would ever fail; say `never` where that is meant")
    for word in words:
        if word not in known:
            raise click.UsageError(
                f"--fail-on: there is no {word!r}{did_you_mean(word, list(known))}; known are {', '.join(known)}"
            )
    return words


def _names(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [g.rpartition("=") for g in given]
    for theirs, equals, ours in pairs:
        if not equals or not theirs or not ours:
            raise click.UsageError(
                f"--map {theirs}{equals}{ours}: THEIRS=OURS was expected, as in --map my_d_loss=discriminator_loss"
            )
    return {theirs: ours for theirs, _, ours in pairs}
