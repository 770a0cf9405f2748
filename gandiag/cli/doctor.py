"""`gandiag doctor`: what this machine and this installation can do, and whether the metrics tell the truth on it."""

from __future__ import annotations

import json

import click


@click.command(
    "doctor",
    epilog="""\b
Examples:
  gandiag doctor
  gandiag doctor --json > machine.json""",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout; everything else goes to stderr."
)
def command(as_json: bool) -> None:
    """Check this machine and this installation.

    Versions; devices; ONNX Runtime, its providers that really load, and whether two of its packages hide each other; the
    shipped weights and their checksums; and whether the metrics tell the truth here: the Frechet distance of a set to itself
    is 0, a collapsed set scores high precision and low recall, and scores do not depend on the batch size or on TF32.
    Exit code 1 where a check fails.
    """
    from gandiag.cli.doctor_checks import examine

    rows = examine()
    if as_json:
        click.echo(json.dumps([{"check": r.check, "ok": r.ok, "found": r.found, "do": r.do} for r in rows], indent=1))
    else:
        width = max(len(r.check) for r in rows)
        for row in rows:
            mark = click.style("ok  ", fg="green") if row.ok else click.style("FAIL", fg="red")
            click.echo(
                f"{mark} {row.check:<{width}}  {row.found}"
                + (f"\n     {'':<{width}}  do: {row.do}" if row.do and not row.ok else "")
            )
    if not all(r.ok for r in rows):
        raise SystemExit(1)
