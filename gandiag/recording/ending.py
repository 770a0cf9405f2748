"""What is told of a run only once it is over: what held D's slope, what the players were given, who ascends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gandiag.recording.capture import Capture
from gandiag.recording.constraint import constraint
from gandiag.recording.heirs import Heirs
from gandiag.recording.player import Player
from gandiag.recording.units import identical_units
from gandiag.recording.updates import Updates
from gandiag.recording.uphill import Way

MADE_ANEW = 0.5  # of a player's updates by an optimizer that is new: its moments never last


def told_at_the_end(
    capture: Capture,
    players: Mapping[str, Player],
    updates: Updates,
    ways: Mapping[str, Way],
    heirs: Heirs,
    say: Callable[[str, str], None],
) -> dict[str, Any]:
    """Returns entries of run.json, without those of which there is nothing to tell. Waits for the device.

    What cannot be told, on a device that has failed say, is left out and said: the others and the end of the run do not hang on it.
    """
    entries: dict[str, Callable[[], Any]] = {
        "discriminator_constraint": lambda: {
            **constraint(players["discriminator"].module, gradient_penalty=capture.penalty_seen),
            "slopes_alone": capture.slopes_alone,
        },
        "same_latents": capture.feeding.told,
        "labels": lambda: capture.conditions.told() or capture.beside.told_of_classes(),
        "conditions": capture.asked.told,
        "beside": capture.beside.told,
        "unjudged": capture.unjudged.told,
        "keeps_average": lambda: capture.average.was_seen() or None,
        "average_share_of_start": lambda: capture.average.share_of_start(capture.passes.row),
        "rewritten": updates.rewrites.told,
        "unstepped": updates.unstepped.told,
        "made_anew": lambda: (
            [who for who, n in heirs.count.items() if n > MADE_ANEW * players[who].total_updates] or None
        ),
        "identical_units": lambda: (
            {who: names for who, p in players.items() if (names := identical_units(p.module))} or None
        ),
        "ascends": lambda: [who for who, way in ways.items() if way.ascends()] or None,
    }
    told: dict[str, Any] = {}
    for name, tell in entries.items():
        try:
            told[name] = tell()
        except Exception as error:
            say(f"end {name}", f"{name} could not be told at the end of the run: {type(error).__name__}: {error}")
    return {name: value for name, value in told.items() if value is not None}
