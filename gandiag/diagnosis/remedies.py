"""Remedies that fit a run's configuration: each names an option and a value."""

from __future__ import annotations

from gandiag.diagnosis.evidence import Evidence

_RATE_OPTION = {"generator": "lr_g", "discriminator": "lr_d"}
# The largest rate that a remedy names: no recipe of the field moves a player by more, whatever its optimizer.
LARGEST_RATE = 1e-2
FREE_OFFSET = ("wasserstein", "relativistic")  # losses that leave the level of D's scores open


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
    """Says how to give the slower player (`toward`) the other's rate; where that is no usual one, or the same, how to slow the faster down."""
    other = "generator" if toward == "discriminator" else "discriminator"
    value, own = rate(e, other), rate(e, toward)
    if value and own and value > LARGEST_RATE and value != own:
        return set_rate(e, other, own)
    if value and value == own:
        return set_rate(e, other, value / 5)
    return set_rate(e, toward, value) if value else f"raise the {toward}'s learning rate to the {other}'s"


def regularise(e: Evidence) -> tuple[str, ...]:
    """Says how to add or strengthen a gradient penalty."""
    if "gamma" not in e.config or "penalties" not in e.config:
        return ("add an R1 penalty on D (gamma about 0.1 to 1)",)
    if not e.config["penalties"]:
        return ("--set penalties=r1 --set gamma=0.5",)
    return (f"--set gamma={max(0.5, 2 * float(e.config['gamma'] or 0)):g}",)


def without_saturation(e: Evidence) -> tuple[str, ...]:
    """Says how to leave the saturating loss; where it is another one already, how to keep D from being so sure."""
    if e.config.get("loss") == "non-saturating":
        return regularise(e)
    return (
        ("--set loss=non-saturating",)
        if "loss" in e.config
        else ("let G minimise -log D(G(z)) in place of log(1 - D(G(z)))",)
    )


def another_update(e: Evidence) -> tuple[str, ...]:
    """Says how to play the game by a rule that does not turn: none where it is played by one, or cannot be."""
    if "update" not in e.config:
        return ("an optimizer for games: extragradient or optimistic Adam",)
    loops = e.config.get("d_steps") == e.config.get("g_steps") == 1
    free = e.config["update"] in ("alternating", "simultaneous", "lookahead") and loops
    return ("--set update=extragradient",) if free and e.config.get("precision") != "float16" else ()


def average(e: Evidence) -> tuple[str, ...]:
    """Says how to average the generator's weights, where they are not."""
    if "ema_images" not in e.config:
        return ("average the weights (EMA)",)
    return () if e.config["ema_images"] else ("--set ema_images=44000",)


def augment(e: Evidence) -> tuple[str, ...]:
    """Says how to augment what D sees; points have no augmentation, and ada goes by a sign that some losses leave open."""
    data = e.about.get("data")
    if isinstance(data, dict) and data.get("kind") == "points":
        return ()
    if "augmentation" not in e.config:
        return ("augment what D sees (ADA, DiffAugment)",)
    if e.config["augmentation"] != "none":
        return regularise(e)
    return (f"--set augmentation={'diffaugment' if e.config.get('loss') in FREE_OFFSET else 'ada'}",)


def fewer_discriminator_steps(e: Evidence) -> tuple[str, ...]:
    """Says how to give D fewer updates, where it has more than one."""
    for name in ("d_steps", "n_critic", "discriminator_steps"):
        if isinstance(e.config.get(name), int) and e.config[name] > 1:
            return (f"--set {name}=1",)
    updates = e.maybe("discriminator_updates")
    return ("make one D update a step",) if updates is not None and updates[-1] > 1 else ()


def pack(e: Evidence) -> tuple[str, ...]:
    """Says how to let D see several samples at a time; a D that is given a class takes one sample."""
    if "pack" not in e.config:
        return ("let D see two samples at a time (PacGAN)",)
    if e.config.get("conditional"):
        return ()
    more, batch = 2 * max(int(e.config["pack"]), 1), int(e.config.get("batch") or 0)
    whole = more * max(int(e.config.get("accumulate") or 1), 1)
    return (f"--set pack={more}" + (f" --set batch={-(-batch // whole) * whole}" if batch % whole else ""),)


def larger_discriminator(e: Evidence) -> str:
    """Says how to give D more units."""
    width = e.config.get("discriminator_width")
    if isinstance(width, int):
        return f"--set discriminator_width={max(64, 8 * width)}"
    return "give D about as many parameters as G has"
