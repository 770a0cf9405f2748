"""gandiag run: trains, shows how it goes, and ends with the verdict, the report and the commands that come next."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from gandiag.training.loop import Outcome
    from gandiag.training.plan import Plan
    from gandiag.training.preparation import Training

# The options that stand for a setting; any other setting is given by --set or GANDIAG_RUN_NAME. Their texts are read by the setting's own type.
SETTING_OPTIONS = {
    "data": "What to train on: digits, ring, grid, mnist:DIR, cifar10:DIR, a folder, X.zip, X.npz, X.parquet.",
    "steps": "How many updates of the game.",
    "batch": "How many real samples an update sees, over all processes.",
    "seed": "The seed of everything that is random.",
    "device": "Where to train: auto, cpu, cuda, cuda:N or mps.",
    "gamma": "Weight of the gradient penalties.",
    "generator": "A network's name, or package.module:function of your own.",
    "discriminator": "A network's name, or package.module:function of your own.",
    "imbalance": "Long tail on purpose: the rarest class keeps this share of its samples.",
    "metrics": "Scores to record, separated by commas; all that fit where it is not given.",
    "features": "The features that scores are computed on.",
    "stop_on": "Checks whose failure ends the run, separated by commas (mode_collapse,divergence).",
    "stop_when": "End early: converged, when the run has converged.",
    "keep": "How many of the newest checkpoints stay.",
}


class CommandOfSettings(click.Command):
    """A command that answers an option it does not have with the setting of that name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from gandiag.training.config import FIELDS
            from gandiag.training.other_names import meant

            name = error.option_name.lstrip("-").replace("-", "_")
            if name in FIELDS:
                raise click.UsageError(
                    f"No such option {error.option_name}: it is a setting, give --set {name}=VALUE", ctx
                ) from None
            options = {flag.lstrip("-").replace("-", "_"): flag for p in self.params for flag in p.opts}
            hint = meant(name, [*FIELDS, *options])
            for plain, flag in options.items():
                hint = hint.replace(f"'{plain}'", flag)
            raise click.UsageError(
                f"No such option {error.option_name}{hint}; settings are given by --set NAME=VALUE", ctx
            ) from None


def setting_options(function: Any) -> Any:
    """Adds an option for each of SETTING_OPTIONS."""
    for name, text in reversed(SETTING_OPTIONS.items()):
        function = click.option(f"--{name.replace('_', '-')}", name, metavar="VALUE", help=text)(function)
    return function


@click.command(
    "run",
    cls=CommandOfSettings,
    epilog="""\b
Examples:
  gandiag run
  gandiag run --recipe rotating-collapse --data ring
  gandiag run --data digits --steps 2000 --set lr_g=0.0005 --set loss=hinge
  gandiag run --resume runs/00000-mlp-digits --steps 8000
""",
)
@click.option(
    "--recipe", metavar="NAME", help="The recipe to start from (`gandiag recipes` lists them; mlp where none is named)."
)
@setting_options
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any setting of `gandiag recipes mlp`; may be repeated.",
)
@click.option(
    "--config", type=click.Path(), metavar="FILE", help="A TOML file of settings (`gandiag recipes NAME` prints one)."
)
@click.option(
    "--outdir",
    type=click.Path(),
    default="runs",
    show_default=True,
    help="Where the run's folder NNNNN-recipe-data is made.",
)
@click.option("--out", type=click.Path(), help="The run's own folder, instead of one under --outdir.")
@click.option(
    "--resume",
    type=click.Path(),
    is_flag=False,
    flag_value="",
    metavar="[RUN]",
    help="Continue a run at its last checkpoint, as configured but for flags, --set and GANDIAG_RUN_NAME; without a value "
    "the one that --out names.",
)
@click.option("--dry-run", is_flag=True, help="Build everything, play one step, write nothing.")
@click.option(
    "--report/--no-report", "with_report", default=True, show_default=True, help="Write report.html at the end."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout; everything else goes to stderr."
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    recipe: str | None,
    settings: tuple[str, ...],
    config: str | None,
    outdir: str,
    out: str | None,
    resume: str | None,
    dry_run: bool,
    with_report: bool,
    as_json: bool,
    **given: str | None,
) -> int:
    """Train a GAN, record every step, diagnose it and write its report.

    Without options: an MLP pair on scikit-learn's 1797 real digits, in under a minute. A setting comes from its flag or --set, else from
    GANDIAG_RUN_NAME, else from --config, else from the recipe. Ctrl-C ends the training early and keeps run, checkpoint and report.
    """
    flags = {
        name: value for name, value in given.items() if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    plan = make_plan(
        recipe=recipe, flags=flags, settings=settings, config=config, out=out, outdir=outdir, resume=resume
    )
    say_what_is_idle(plan)
    if dry_run:
        from gandiag.training.loop import dry_run as build

        facts = describe(plan, build(plan.config))
        click.echo(
            json.dumps(facts, indent=1)
            if as_json
            else "\n".join(f"{name:<14} {value}" for name, value in facts.items() if name != "config")
        )
        return 0
    outcome = train_with_progress(plan)
    if os.environ.get("RANK", "0") == "0":
        click.echo(conclude(outcome, with_report=with_report, as_json=as_json))
    code = 130 if outcome.ended == "interrupted" else 0
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        leave_at_once(code)
    return code


def leave_at_once(code: int) -> None:
    """Ends one of several processes whose work is on the disk: gloo's threads now and then abort an interpreter that is torn down."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def say_what_is_idle(plan: Plan) -> None:
    """Says on stderr, once for all processes, which of the settings that were asked for change nothing."""
    from gandiag.training.idle import without_effect

    if os.environ.get("RANK", "0") == "0":
        for sentence in without_effect(plan.config, plan.sources):
            click.echo(f"Note: {sentence}", err=True)


def make_plan(
    *,
    recipe: str | None,
    flags: dict[str, str | None],
    settings: tuple[str, ...],
    config: str | None,
    out: str | None,
    outdir: str,
    resume: str | None,
) -> Plan:
    """Turns the command line into a plan; raises UsageError for what cannot be."""
    from gandiag.errors import UsageError
    from gandiag.training.config import environment_values, read_config_file, split_settings
    from gandiag.training.plan import plan_new, plan_resume

    if resume is None:
        return plan_new(
            recipe=recipe,
            file=read_config_file(config) if config else {},
            environment=environment_values(os.environ),
            flags=flags,
            settings=split_settings(settings),
            out=out,
            outdir=outdir,
        )
    if resume and out and Path(resume) != Path(out):
        raise UsageError(
            f"--resume {resume} and --out {out} are two runs: a run is continued in its own folder, give one of them"
        )
    if not (resume or out):
        raise UsageError("--resume needs a run: --resume runs/00000-mlp-digits")
    if recipe or config:
        raise UsageError(
            "--resume keeps the run's own configuration: leave --recipe and --config out, change single settings with --set"
        )
    return plan_resume(
        resume or str(out),
        environment=environment_values(os.environ),
        flags=flags,
        settings=split_settings(settings),
    )


def train_with_progress(plan: Plan) -> Outcome:
    """Trains; progress and alerts go to stderr, of the first process where there are several."""
    from gandiag.cli.progress import Display
    from gandiag.training.loop import train

    title = f"{plan.recipe} on {plan.config.data}: {plan.config.steps} steps, recorded in {plan.path}"
    display = Display(plan.config.steps, title=title if os.environ.get("RANK", "0") == "0" else "")
    about = {"command": ["gandiag", *sys.argv[1:]], "recipe": plan.recipe, "config_sources": plan.sources}
    try:
        return train(
            plan.config, out=plan.path, resume=plan.resume, about=about, watch=display, on_finding=display.alert
        )
    finally:
        display.close()


def conclude(outcome: Outcome, *, with_report: bool, as_json: bool) -> str:
    """Judges the run, writes its report, and says both, as text or JSON."""
    from gandiag.diagnosis import diagnose, render
    from gandiag.reporting import write_report
    from gandiag.run import load_run
    from gandiag.training.checkpoint import read_best

    run = load_run(outcome.path)
    diagnosis = diagnose(run)
    report = write_report(run, diagnosis=diagnosis) if with_report else None
    if as_json:
        facts = {
            **render.as_data(str(outcome.path), diagnosis),
            "step": outcome.step,
            "ended": outcome.ended,
            "why": outcome.why,
            "report": None if report is None else str(report),
            "best": read_best(outcome.path),
        }
        return json.dumps(facts, indent=1)
    lines = [] if outcome.ended == "finished" else [f"Ended after {outcome.step} steps: {outcome.why}."]
    lines += [render.as_text(str(outcome.path), diagnosis)]
    lines += [] if report is None else [f"Report: {report}"]
    lines += ["Next:", f"  gandiag report {outcome.path} --open", f"  gandiag export {outcome.path} -o bundle"]
    if outcome.ended == "interrupted":
        lines += [f"  gandiag run --resume {outcome.path}"]
    return "\n".join(lines)


def describe(plan: Plan, training: Training) -> dict[str, Any]:
    """Returns what would be trained, as data."""
    from dataclasses import asdict

    data = training.data
    return {
        "recipe": plan.recipe,
        "run": str(plan.path),
        "device": str(training.device),
        "steps": plan.config.steps,
        "batch": plan.config.batch,
        "data": f"{data.name}: {'endless' if data.endless else len(data)} {data.kind} of shape {'x'.join(map(str, data.shape))}",
        "generator": f"{plan.config.generator}, {parameter_count(training.players.generator)} parameters",
        "discriminator": f"{plan.config.discriminator}, {parameter_count(training.players.discriminator)} parameters",
        "game": f"{plan.config.loss}, {' + '.join(plan.config.penalties) or 'no penalty'}, {plan.config.update}",
        "config": asdict(plan.config),
    }


def parameter_count(network: Any) -> int:
    """Returns how many numbers a network learns."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
