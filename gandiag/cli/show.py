"""gandiag show: the numbers of a run."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    "show",
    epilog="""\b
Examples:
  gandiag show runs/00000-mlp-digits
  gandiag show runs/00000-mlp-digits discriminator_loss generator_loss --csv > losses.csv""",
)
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("series", nargs=-1)
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print CSV: a row a step; empty = not measured, nan = NaN was measured."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout: steps and values of each series."
)
@click.option(
    "--parquet", type=click.Path(path_type=Path, dir_okay=False), help="Write a Parquet file: null = not measured."
)
def command(run: Path, series: tuple[str, ...], as_csv: bool, as_json: bool, parquet: Path | None) -> None:
    """Print the numbers of RUN: all series, or the SERIES that are named."""
    from gandiag.errors import UsageError
    from gandiag.reporting import tables
    from gandiag.reporting.opened import opened

    if as_csv + as_json + (parquet is not None) > 1:
        raise UsageError("--csv, --json and --parquet exclude each other: give one of them")
    recording = opened(run)
    names = tables.chosen(recording, series)
    if as_json:
        import json

        click.echo(json.dumps(tables.as_json(recording, names)))
    elif as_csv:
        import sys

        import pyarrow.csv

        pyarrow.csv.write_csv(
            tables.arrow_table(recording, names), sys.stdout.buffer, pyarrow.csv.WriteOptions(quoting_style="needed")
        )
    elif parquet is not None:
        import pyarrow.parquet

        pyarrow.parquet.write_table(tables.arrow_table(recording, names), parquet)
        click.echo(str(parquet))
    elif names:
        click.echo(
            tables.aligned(
                ("series", "values", "first", "last", "smallest", "largest"),
                tables.overview_rows(recording, names),
                right=(1, 2, 3, 4, 5),
            )
        )
    else:
        click.echo(f"{run} holds no series yet.", err=True)
