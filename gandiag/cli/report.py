"""gandiag report: writes the page of a run again."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    "report",
    epilog="""\b
Examples:
  gandiag report runs/00000-mlp-digits --open
  gandiag report runs/mine --baseline runs/good -o mine.html""",
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: RUN/report.html]",
)
@click.option("--baseline", type=click.Path(path_type=Path), help="A known good run to compare with.")
@click.option(
    "--plotlyjs",
    type=click.Choice(["inline", "directory"]),
    default="inline",
    show_default=True,
    help="Put plotly.js into the page, or once beside it for all pages of a folder.",
)
@click.option("--markdown", is_flag=True, help="Print the summary as Markdown, for a pull request, and write no page.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
def command(run: Path, out: Path | None, baseline: Path | None, plotlyjs: str, markdown: bool, show: bool) -> None:
    """Write the stability report of RUN as one HTML file, and report.json with the same facts beside it."""
    from gandiag.reporting import write_markdown, write_report

    if markdown:
        text = write_markdown(run, baseline=baseline)
        if out is None:
            click.echo(text, nl=False)
        else:
            out.write_text(text, encoding="utf-8")
            click.echo(str(out))
        return
    page = write_report(run, out, plotlyjs="directory" if plotlyjs == "directory" else "inline", baseline=baseline)
    click.echo(str(page))
    if show:
        click.launch(page.resolve().as_uri())
