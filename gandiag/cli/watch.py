"""gandiag watch: the report of a run, live, while it is going on."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    "watch",
    epilog="""\b
Example:
  gandiag watch runs/00000-mlp-digits --open""",
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port on loopback.  [default: a free one]")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
def command(run: Path, port: int, show: bool) -> None:
    """Serve the report of RUN on this machine alone; new points appear without a reload. Ctrl-C ends it."""
    from gandiag.reporting.live import address, serve

    server = serve(run, port=port)
    click.echo(address(server))
    if show:
        click.launch(address(server))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass  # that is how it ends
    finally:
        server.server_close()
