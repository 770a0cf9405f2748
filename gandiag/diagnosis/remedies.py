"""Remedies that fit a run's configuration: each names an option and a value."""

from __future__ import annotations

from gandiag.diagnosis.evidence import Evidence

_RATE_OPTION = {"generator": "lr_g", "discriminator": "lr_d"}
# The largest rate that a remedy names: no recipe of the field moves a player by more, whatever its optimizer.
LARGEST_RATE = 1e-2


def rate(e: Evidence, who: str) -> float | None:
    """Returns a player's learning rate: from the configuration, the optimizer, or the recording."""
    for given in (e.config.get(_RATE_OPTION[who]), e.facts("optimizers", who).get("learning_rate")):
        if isinstance(given, int | float) and not isinstance(given, bool):
            return float(given)
    level = e.maybe(f"{who}_learning_rate")
    return None if level is None else float(level[-1])


def set_rate(e: Evidence, who: str, value: float) -> str:
    """Says how to set a player's learning rate, in the words of the run's own configuration where it is ours."""
    if _RATE_OPTION[who] in e.config:
        return f"--set {_RATE_OPTION[who]}={value:.1g}"
    return f"set the {who}'s learning rate to {value:.1g}"


def lower_rates(e: Evidence, who: str, by: float = 5.0) -> tuple[str, ...]:
    """Says how to lower the learning rate of `generator`, `discriminator` or `both`."""
    players = ("generator", "discriminator") if who == "both" else (who,)
    said = [set_rate(e, p, r / by) for p in players if (r := rate(e, p))]
    return (
        (" ".join(said) if all(s.startswith("--set") for s in said) else ", ".join(said),)
        if said
        else (f"lower the learning rate fivefold ({who})",)
    )


def equal_rates(e: Evidence, toward: str) -> str:
    """Says how to give the slower player (`toward`) the other's learning rate; where that is no usual one, how to slow the faster down."""
    other = "generator" if toward == "discriminator" else "discriminator"
    value, own = rate(e, other), rate(e, toward)
    if value and own and value > LARGEST_RATE:
        return set_rate(e, other, own)
    return set_rate(e, toward, value) if value else f"raise the {toward}'s learning rate to the {other}'s"


def regularise(e: Evidence) -> tuple[str, ...]:
    """Says how to add or strengthen a gradient penalty."""
    if "gamma" not in e.config or "penalties" not in e.config:
        return ("add an R1 penalty on D (gamma about 0.1 to 1)",)
    if not e.config["penalties"]:
        return ("--set penalties=r1 --set gamma=0.5",)
    return (f"--set gamma={max(0.5, 2 * float(e.config['gamma'] or 0)):g}",)


def without_saturation(e: Evidence) -> tuple[str, ...]:
    """Says how to leave the saturating loss."""
    return (
        ("--set loss=non-saturating",)
        if "loss" in e.config
        else ("let G minimise -log D(G(z)) in place of log(1 - D(G(z)))",)
    )


def fewer_discriminator_steps(e: Evidence) -> tuple[str, ...]:
    """Says how to give D fewer updates, where it has more than one."""
    for name in ("d_steps", "n_critic", "discriminator_steps"):
        if isinstance(e.config.get(name), int) and e.config[name] > 1:
            return (f"--set {name}=1",)
    updates = e.maybe("discriminator_updates")
    return ("make one D update a step",) if updates is not None and updates[-1] > 1 else ()


def pack(e: Evidence) -> str:
    """Says how to let D see several samples at a time."""
    return "--set pack=2" if "pack" in e.config else "let D see two samples at a time (PacGAN)"


def larger_discriminator(e: Evidence) -> str:
    """Says how to give D more units."""
    width = e.config.get("discriminator_width")
    if isinstance(width, int):
        return f"--set discriminator_width={max(64, 8 * width)}"
    return "give D about as many parameters as G has"
