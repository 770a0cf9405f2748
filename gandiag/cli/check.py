"""`gandiag check`: judges runs, and fails (exit code 1) where a finding is bad enough."""

from __future__ import annotations

import json
from pathlib import Path

import click

SEVERITIES = ("failed", "suspect", "inconclusive", "never")


@click.command(
    epilog="""\b
Examples:
  gandiag check runs/00000-mlp-digits
  gandiag check runs/* --fail-on suspect --junit checks.xml
  gandiag check runs/mine --fail-on mode_collapse,divergence --json
"""
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="RUN...")
@click.option(
    "--fail-on", default="failed", show_default=True, metavar="WHAT",
    help="Exit with 1 on: failed, suspect (and failed), inconclusive, never, or the codes of checks; several with commas.",
)  # fmt: skip
@click.option("--limits", type=click.Path(path_type=Path), metavar="FILE", help="A TOML file of limits that replace the checks' own.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML for a CI server.")
@click.option("--markdown", type=click.Path(path_type=Path), metavar="FILE", help="Write a Markdown table, for a pull request.")
@click.option("--all", "everything", is_flag=True, help="Print also the checks that passed or were not made.")
def command(
    runs: tuple[Path, ...], fail_on: str, limits: Path | None, as_json: bool, junit: Path | None, markdown: Path | None, everything: bool
) -> int:
    """Judge runs: verdict, what is wrong, since when, and what to do.

    The exit code is 0 where nothing is bad enough, 1 where something is, 2 for a mistake in the command, 3 where a run cannot be read.
    """
    from gandiag.diagnosis import diagnose, load_limits, render

    if not runs:
        raise click.UsageError("give at least one RUN: the folder that `gandiag run` or a Recorder wrote")
    wanted = _wanted(fail_on)
    chosen = load_limits(limits) if limits else None
    judged = [(str(run), diagnose(run, limits=chosen)) for run in runs]
    failing = render.gate(judged, wanted)
    if junit:
        junit.write_text(render.as_junit(judged, failing), encoding="utf-8")
    if markdown:
        markdown.write_text(render.as_markdown(judged), encoding="utf-8")
    if as_json:
        told = {"runs": [render.as_data(name, d) for name, d in judged], "failing": [{"run": n, "check": f.check} for n, f in failing]}
        click.echo(json.dumps(told, indent=1))
    else:
        for name, diagnosis in judged:
            click.echo(render.as_text(name, diagnosis, everything=everything))
    return 1 if failing else 0


def _wanted(fail_on: str) -> list[str]:
    from gandiag.diagnosis import CHECKS
    from gandiag.errors import did_you_mean

    known = (*SEVERITIES, *(check.__name__ for check in CHECKS))
    words = [w.strip() for w in fail_on.split(",") if w.strip()]
    for word in words:
        if word not in known:
            raise click.UsageError(f"--fail-on: there is no {word!r}{did_you_mean(word, list(known))}; known are {', '.join(known)}")
    return words
