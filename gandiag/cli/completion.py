"""gandiag completion: the script that has a shell complete the verbs and their options."""

from __future__ import annotations

import click


@click.command(
    "completion",
    epilog="""\b
Examples:
  gandiag completion bash >> ~/.bashrc
  gandiag completion zsh >> ~/.zshrc
  gandiag completion fish > ~/.config/fish/completions/gandiag.fish""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that has SHELL complete gandiag's commands and options; put it where that shell reads it."""
    from click.shell_completion import get_completion_class

    from gandiag.cli import group

    completes = get_completion_class(shell)
    assert completes is not None  # the three are click's own
    click.echo(completes(group, {}, "gandiag", "_GANDIAG_COMPLETE").source())
