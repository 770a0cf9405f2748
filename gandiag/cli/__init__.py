"""The command line: `gandiag VERB`. One file a verb; a verb's libraries are imported when it runs, so `--help` is instant."""

from __future__ import annotations

import importlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial

import click

from gandiag.errors import GandiagError, did_you_mean, printable

VERBS = {
    "run": "Train a GAN, record every step, diagnose it and write its report.",
    "attach": "Record somebody's training script, unedited.",
    "report": "Write the report of a run again.",
    "check": "Judge runs: exit code 1 where a finding is bad enough.",
    "compare": "Compare runs, or groups of runs.",
    "watch": "Show the report of a run live, while it is going on.",
    "evaluate": "Score images against images: FID, KID, precision, recall ...",
    "export": "Export a generator to ONNX, with proof that the file is the generator.",
    "verify": "Prove an exported bundle again.",
    "sweep": "Train over a grid of settings.",
    "recipes": "List the recipes.",
    "list": "List the runs of a folder.",
    "show": "Print the numbers of a run.",
    "doctor": "Check this machine and this installation.",
    "completion": "Print the script that has a shell complete the commands.",
}


class Verbs(click.Group):
    """Loads a verb's file only when that verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [v for v in VERBS if _file_exists(v)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS or not _file_exists(cmd_name):
            return None
        module = importlib.import_module(f"gandiag.cli.{_file_of(cmd_name)}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(
                f"there is no command {args[0]!r}{did_you_mean(args[0], self.list_commands(ctx))}; see `gandiag --help`"
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(verb, VERBS[verb]) for verb in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def _file_of(verb: str) -> str:
    return {"list": "list_runs"}.get(verb, verb)


def _file_exists(verb: str) -> bool:
    return os.path.exists(os.path.join(os.path.dirname(__file__), f"{_file_of(verb)}.py"))


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "GANDIAG", "max_content_width": 110},
)
@click.version_option(package_name="gandiag", message="gandiag %(version)s")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Tell whether a GAN training is healthy: record every step, diagnose, report, export.

    Begin with `gandiag run`: it trains on real digits and ends with a verdict and a report.
    """
    if ctx.invoked_subcommand != "attach":  # there stdout is the script's own
        print_whatever_the_encoding()


def print_whatever_the_encoding() -> None:
    """Has stdout and stderr replace what their encoding lacks: a pipe of Windows' has no minus sign, a path may hold any bytes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="surrogateescape" if stream.encoding.lower() == "utf-8" else "replace")


def main(args: Sequence[str] | None = None) -> None:
    """The console script: runs a verb and turns errors into one line and an exit code (2 usage, 3 runtime, 130 interrupted)."""
    told = warnings.formatwarning
    warnings.formatwarning = partial(_ours_in_one_line, told)
    try:
        code = group.main(args=None if args is None else list(args), prog_name="gandiag", standalone_mode=False)
    except click.exceptions.Abort:
        code = _say("interrupted", 130)
    except click.ClickException as error:
        error.show(file=sys.stderr)
        code = 2 if isinstance(error, click.UsageError) else 3
    except GandiagError as error:
        code = _say(str(error), error.exit_code)
    except KeyboardInterrupt:
        code = _say("interrupted", 130)
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # the reader of our output has gone: that is no error
        code = 0
    except OSError as error:
        why = error.strerror or str(error)
        code = _say(f"{why}: {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else why, 3)
    except Exception:  # a fault of ours or of a stranger's network: told whole, and under no code that means a finding
        import traceback

        traceback.print_exc()
        code = 3
    finally:
        warnings.formatwarning = told
    sys.exit(code if isinstance(code, int) else 0)


def _ours_in_one_line(
    others: Callable[..., str],
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """A warning of ours is for the user, who has no use for the line of our source; others are told as they always were."""
    if filename.startswith(os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep):
        return f"Warning: {printable(str(message))}\n"
    return others(message, category, filename, lineno, line)


def _say(message: str, code: int) -> int:
    click.echo(f"Error: {printable(message)}" if code != 130 else message, err=True)
    return code
