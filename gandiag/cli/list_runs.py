"""gandiag list: the runs of a folder, each with its verdict."""

from __future__ import annotations

from pathlib import Path

import click

COLUMNS = ("verdict", "steps", "status", "recipe", "data", "best", "path")


@click.command(
    "list",
    epilog="""\b
Examples:
  gandiag list
  gandiag list sweep --csv""",
)
@click.argument("folder", default="runs", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout; everything else goes to stderr."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def command(folder: Path, as_json: bool, as_csv: bool) -> None:
    """List the runs in FOLDER (default: runs) and below it: verdict, steps, best score."""
    from gandiag.diagnosis import diagnose
    from gandiag.errors import RunError, printable
    from gandiag.reporting.tables import aligned, find_runs, run_row

    if not folder.is_dir():
        raise RunError(
            f"{folder} is no folder: give the one that holds your runs, or make a first run with `gandiag run`"
        )
    runs, left_out = find_runs(folder)
    for why in left_out:
        click.echo(f"Left out: {printable(why)}", err=True)
    rows = [run_row(run, diagnose(run)) for run in runs]
    if as_json:
        import json

        click.echo(json.dumps(rows, indent=1))
    elif as_csv:
        import csv
        import io

        out = io.StringIO()
        writer = csv.DictWriter(out, [*COLUMNS, "name", "created", "story"], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        click.echo(out.getvalue(), nl=False)
    elif rows:
        click.echo(aligned(COLUMNS, [[str(row[c]) for c in COLUMNS] for row in rows], right=(1,)))
    else:
        click.echo(f"No run lies in {folder}; `gandiag run` makes one.", err=True)
