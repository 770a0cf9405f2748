"""gandiag recipes: lists the recipes, or prints one as a configuration file."""

from __future__ import annotations

import json

import click


@click.command(
    "recipes",
    short_help="List the recipes.",
    epilog="""\b
Examples:
  gandiag recipes
  gandiag recipes mlp > mine.toml && gandiag run --config mine.toml""",
)
@click.argument("name", required=False)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout; everything else goes to stderr."
)
def command(name: str | None, as_json: bool) -> None:
    """List the recipes with a line each; with a NAME, print its whole configuration as TOML."""
    from dataclasses import asdict

    from gandiag.training.config import as_toml, effective_config
    from gandiag.training.recipes import RECIPES, recipe_overrides

    if name is not None:
        recipe_overrides(name)  # says which one was meant where there is none of that name
    chosen = RECIPES if name is None else {name: RECIPES[name]}
    configs = {key: effective_config(key)[0] for key in chosen}
    if as_json:
        rows = [
            {"name": key, "summary": r.summary, "health": r.health, "source": r.source, "config": asdict(configs[key])}
            for key, r in chosen.items()
        ]
        click.echo(json.dumps(rows if name is None else rows[0], indent=1))
    elif name is None:
        width = max(map(len, chosen))
        for key, recipe in chosen.items():
            click.echo(f"{key:<{width}}  {recipe.health:<8} {recipe.summary}")
    else:
        click.echo(as_toml(configs[name], f"{name}: {chosen[name].summary}"), nl=False)
