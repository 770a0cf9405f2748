"""`gandiag verify`: prove an exported bundle again, on this machine, without torch."""

from __future__ import annotations

import json
from typing import cast

import click


@click.command(
    "verify",
    epilog="""\b
Example:
  gandiag verify bundle/""",
)
@click.argument("bundle")
@click.option(
    "--provider",
    type=click.Choice(["auto", "cpu", "cuda", "tensorrt"]),
    default="auto",
    show_default=True,
    help="Where the file is run.",
)
@click.option("--measure/--no-measure", default=True, help="Measure latency and memory here too.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout; everything else goes to stderr."
)
def command(bundle: str, provider: str, measure: bool, as_json: bool) -> int:
    """Prove a BUNDLE again. Exit code 1 where a certificate fails, 3 where a byte was changed."""
    from gandiag.cli.export import say_certificates
    from gandiag.export import verify_bundle
    from gandiag.export.files import certificate_json
    from gandiag.export.session import Provider

    found = verify_bundle(bundle, provider=cast(Provider, provider), measure=measure)
    if as_json:
        what = {
            "bundle": bundle,
            "passed": found.passed,
            "certificates": [certificate_json(one) for one in found.certificates],
        }
        click.echo(json.dumps(what, indent=1))
    else:
        say_certificates(found.certificates)
        click.echo(
            "\nproven: the file is the generator that was exported"
            if found.passed
            else "\nNOT PROVEN: see the certificate that failed"
        )
    return 0 if found.passed else 1
