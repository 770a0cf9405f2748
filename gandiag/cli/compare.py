"""gandiag compare: runs beside each other."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    "compare",
    epilog="""\b
Examples:
  gandiag compare runs/00000-mlp-digits runs/00001-mlp-digits
  gandiag compare --map lr_g,lr_d runs/*""",
)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("comparison.html"),
    show_default=True,
    help="The file to write.",
)
@click.option(
    "--by",
    "align",
    type=click.Choice(["step", "images"]),
    default="step",
    show_default=True,
    help="Align curves by step or by images seen.",
)
@click.option("--map", "over", metavar="X,Y", help="Two options: a stability map over them, e.g. lr_g,lr_d.")
@click.option(
    "--each", is_flag=True, help="Show every run by itself: do not put the seeds of one configuration into a band."
)
@click.option(
    "--plotlyjs",
    type=click.Choice(["inline", "directory"]),
    default="inline",
    show_default=True,
    help="Put plotly.js into the page, or beside it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, and write no page.")
@click.option("--markdown", is_flag=True, help="Print the comparison as Markdown, and write no page.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
def command(
    runs: tuple[Path, ...],
    out: Path,
    align: str,
    over: str | None,
    each: bool,
    plotlyjs: str,
    as_json: bool,
    markdown: bool,
    show: bool,
) -> None:
    """Compare RUNS: verdicts, what differs in their configuration, scores and whether they differ by more than noise, curves.

    Runs that differ in nothing but their seed are one group, shown as a band.
    """
    import json

    from gandiag.errors import UsageError
    from gandiag.reporting import compare_runs, comparison_markdown, write_comparison
    from gandiag.reporting.compare import comparison_facts

    options = tuple(part.strip() for part in over.split(",")) if over is not None else None
    if options is not None and (len(options) != 2 or not all(options)):
        raise UsageError(f"--map {over}: two options with a comma between them were expected, as in lr_g,lr_d")
    comparison = compare_runs(runs, by_group=not each)
    if as_json:
        click.echo(json.dumps(comparison_facts(comparison), indent=1))
        return
    if markdown:
        click.echo(comparison_markdown(comparison))
        return
    page = write_comparison(
        comparison,
        out,
        align="images" if align == "images" else "step",
        over=(options[0], options[1]) if options else None,
        plotlyjs="directory" if plotlyjs == "directory" else "inline",
    )
    for c in comparison.runs:
        click.echo(f"{c.diagnosis.verdict!s:<13} {c.name}", err=True)
    click.echo(str(page))
    if show:
        click.launch(page.resolve().as_uri())
