"""Checks of how the game moves: oscillation, from the trace of the parameters, the scores or the fakes, and from the game's eigenvalues."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.clock import thinned
from gandiag.diagnosis.dynamics import TraceReading, Word, read_trace
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import another_update, average, lower_rates, regularise
from gandiag.diagnosis.tracing import recurrence
from gandiag.errors import NotRecorded
from gandiag.quantities import TINY_GAME

MANY_TURNS = 5.0  # of a trace that heads for a limit cycle, before that is believed rather than that it goes on growing
LEARNED_BY = 0.3  # share of the run after which a turn counts: before, the fakes are still on their way to the data
MANY_ROWS = 100  # of a trace that comes back through noise: of fewer rows chance makes a cycle more often (tests of `tracing.recurrence`)
LASTING = 0.5  # share of its amplitude that a turning trace must keep over what is read
AVERAGED = "the loop keeps a moving average of the generator, whose samples may be well: judge those"
CYCLES = (Word.NEUTRAL_CYCLE, Word.LIMIT_CYCLE)


def oscillation(run: Recorded) -> Finding:
    """Finds a game that turns in place: its period, whether the amplitude grows, and what the eigenvalues say where they were recorded."""
    e = evidence(run)
    if tiny(e):
        return _of_tiny_game(e)
    name, points, steps, unit = _fakes_trace(e)
    e.need_steps()
    later = slice(int(LEARNED_BY * len(steps)), None)
    reading = read_trace(*thinned(points[later], steps[later]))
    if reading.word is Word.UNCLEAR and not e.going_on:  # young games hop to and fro as they learn
        reading = _through_noise(points[later], steps[later]) or reading
    amplitude = _amplitude(points[later], unit)
    turns = (steps[-1] - steps[later][0]) / reading.period if reading.period else 0.0
    lasting = (
        reading.word in (*CYCLES, Word.DIVERGING)
        or (reading.multiplier or 0.0) ** (steps[-1] - steps[later][0]) > LASTING
    )
    # a swing that has died away by the end is none any more; it is read over two turns at the least
    width = max(2 * (reading.period or 0.0), e.limits.tail_share * e.steps)
    lasting = lasting and _amplitude(points[steps >= steps[-1] - width], unit) >= e.limits.oscillation
    turning = turns >= e.limits.turns and lasting
    claim = f"the fakes' mean swings by {amplitude:.2g} sd of the reals"
    claim += f" every {reading.period:.0f} steps" if reading.period else ""
    claim += f" (limit: {e.limits.oscillation:g} for {e.limits.turns:g} turns); {_spectrum(e)}".rstrip("; ")
    if not turning and amplitude >= e.limits.oscillation:
        claim += ", but they do not turn about a place, or no longer"
    if not turning or amplitude < e.limits.oscillation:
        return Finding("oscillation", Verdict.HEALTHY, claim, series=(name,))
    kind = "growing" if reading.word is Word.DIVERGING else str(reading.word.value)
    # the harness scores its own average; of a stranger's only the generator is known here
    averaged = e.keeps_average and reading.word in CYCLES
    return Finding(
        "oscillation",
        Verdict.SUSPECT if averaged else Verdict.FAILED,
        claim + (f"; {AVERAGED}" if averaged else ""),
        cause="the players chase each other round a point that does not attract",
        remedies=_calm(e),
        series=(name,),
        onset=int(steps[later][0]),
        kind=kind,
    )


def _amplitude(points: np.ndarray, unit: float) -> float:
    """Half the way that points (n, columns) swing along their widest column, but for a tenth of them, in units."""
    low, high = np.nanquantile(points, (0.05, 0.95), axis=0)
    return float(np.max(high - low) / 2 / unit)


def _through_noise(points: np.ndarray, steps: np.ndarray) -> TraceReading | None:
    """A cycle that noise hides from every law: the trace comes back again and again all the same."""
    known = np.isfinite(points).all(axis=1)
    rows = recurrence(points[known]) if known.sum() >= MANY_ROWS else None
    if rows is None:
        return None
    spacing = float(steps[-1] - steps[0]) / max(len(points) - 1, 1)
    return TraceReading(Word.NEUTRAL_CYCLE, "it comes back through noise", multiplier=1.0, period=rows * spacing)


def tiny(e: Evidence) -> bool:
    """Says whether this is a game of a few parameters, such as the Dirac-GAN, whose trace is the whole truth."""
    counts = parameter_counts(e)
    return len(counts) == 2 and sum(counts) <= TINY_GAME


def parameter_counts(e: Evidence) -> list[int]:
    """Returns how many parameters the generator and the discriminator have; empty where the run does not say."""
    players = e.about.get("players")
    if not isinstance(players, dict):
        return []
    facts = [players.get(who) for who in ("generator", "discriminator")]
    counts = [n for p in facts if isinstance(p, dict) and isinstance(n := p.get("parameters"), int)]
    return counts if len(counts) == 2 else []


def read_game(e: Evidence) -> tuple[str, TraceReading]:
    """Returns the name of the trace and what it does, over all of the run: of the traces that can be had, the first that shows a law."""
    traces = _traces(e)
    if not traces:
        raise NotRecorded("parameter_trace", "nor the mean of the fakes")
    readings = [(name, read_trace(*thinned(points, steps))) for name, points, steps in traces if len(points) >= 12]
    if not readings:
        raise CannotTell(f"the trace has {max(len(points) for _, points, _ in traces)} rows, 12 are needed")
    clear = next((pair for pair in readings if pair[1].word is not Word.UNCLEAR), readings[0])
    if clear[1].word is Word.DIVERGING or (clear[1].word is Word.LIMIT_CYCLE and clear[1].turns >= MANY_TURNS):
        return clear  # the distance from the middle of a cycle grows as well, for one that comes from within
    return _grows(e) or clear


def _traces(e: Evidence) -> list[tuple[str, np.ndarray, np.ndarray]]:
    found = []
    for name in ("parameter_trace", "fake_channel_mean"):
        try:
            table = e.layers(name)
            found.append((name, table.to_numpy(dtype=float), table.index.to_numpy()))
        except NotRecorded:
            continue
    if "fake_mean" in e:
        series = e["fake_mean"]
        found.append(("fake_mean", series.to_numpy(dtype=float)[:, None], series.index.to_numpy()))
    if found and found[0][0] == "parameter_trace":
        return found[:1]
    return _of_two_numbers(e) + found


def _of_two_numbers(e: Evidence) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Traces of a game of one number each (Dirac-GAN): sizes from the parameter norms; G's sign is its fakes', D's is where it drives G.

    Each sign turns where its own number is zero, so that a sign that is a row late moves nothing far.
    """
    if parameter_counts(e) != [1, 1]:
        return []
    try:
        g, d, fake = (e[n] for n in ("generator_parameter_norm", "discriminator_parameter_norm", "fake_mean"))
    except NotRecorded:
        return []
    at = g.index.intersection(d.index).intersection(fake.index)
    if len(at) < 3:
        return []
    theta = np.sign(fake.loc[at].to_numpy(dtype=float)) * g.loc[at].to_numpy(dtype=float)
    size = d.loc[at].to_numpy(dtype=float)
    signs = [np.sign(np.gradient(theta))]
    if "fake_logit_mean" in e:
        signs.append(np.sign(e["fake_logit_mean"].reindex(at).to_numpy(dtype=float)) * np.sign(theta))
    return [("generator_parameter_norm", np.stack([theta, sign * size], axis=1), at.to_numpy()) for sign in signs]


def _grows(e: Evidence) -> tuple[str, TraceReading] | None:
    """A game of one number each about the origin whose distance from it has grown and still does: it diverges, even where it only crawls by now."""
    if parameter_counts(e) != [1, 1] or abs(e.now_or_nan("real_mean")) > 0:
        return None
    g, d = e.maybe("generator_parameter_norm"), e.maybe("discriminator_parameter_norm")
    if g is None or d is None:
        return None
    far = np.hypot(g, d)
    late = far[len(far) // 2 :]
    if trends.kendall_z(late) < 2 * trends.RISE_Z or late[-1] < 1.03 * late[0] or late[-1] <= far[0]:
        return None  # nearer than it began it has not diverged, whatever it does by now: a turn is no circle
    per_step = (late[-1] / late[0]) ** (2 / max(e.steps, 1))
    why = f"the distance from the equilibrium grew from {far[0]:.3g} to {far[-1]:.3g} and still grows"
    return "generator_parameter_norm", TraceReading(
        Word.DIVERGING, why, multiplier=float(per_step), period=_any_period(e)
    )


def _any_period(e: Evidence) -> float | None:
    readings = [read_trace(*thinned(points, steps)) for _, points, steps in _traces(e) if len(points) >= 12]
    return next((r.period for r in readings if r.period), None)


def _of_tiny_game(e: Evidence) -> Finding:
    name, reading = read_game(e)
    period = f", one turn in {reading.period:.1f} steps" if reading.period else ""
    multiplier = f", amplitude times {reading.multiplier:.6g} a step" if reading.multiplier is not None else ""
    claim = f"{reading.word.value}{period}{multiplier} (limit: below 1): {reading.why}"
    spectrum = _spectrum(e)
    claim += f"; {spectrum}" if spectrum else ""
    if reading.word in CYCLES or reading.word is Word.DIVERGING:
        return Finding(
            "oscillation",
            Verdict.FAILED,
            claim,
            cause="the equilibrium does not attract: the players turn round it",
            remedies=_calm(e),
            series=(name,),
            onset=0,
            kind=str(reading.word.value),
        )
    if reading.word is Word.UNCLEAR:
        raise CannotTell(reading.why)
    return Finding("oscillation", Verdict.HEALTHY, claim, series=(name,), kind=str(reading.word.value))


def _fakes_trace(e: Evidence) -> tuple[str, np.ndarray, np.ndarray, float]:
    """The fakes' mean over time, and the reals' standard deviation as its unit."""
    try:
        table = e.layers("fake_channel_mean")
        name, points, steps = "fake_channel_mean", table.to_numpy(dtype=float), table.index.to_numpy()
    except NotRecorded:
        series = e["fake_mean"]
        name, points, steps = "fake_mean", series.to_numpy(dtype=float)[:, None], series.index.to_numpy()
    unit = e.now("real_sd")
    if len(points) < 24 or not unit > 0:
        raise CannotTell(f"{name} has {len(points)} rows, 24 are needed to see it turn")
    return name, points[:, :16], steps, unit


def eigenvalues(e: Evidence) -> np.ndarray | None:
    """Returns the leading eigenvalues of the game's Jacobian when they were last recorded; None where they never were."""
    try:
        real, imaginary = e.layers("game_eigenvalues_real"), e.layers("game_eigenvalues_imaginary")
    except NotRecorded:
        return None
    return np.asarray(real.iloc[-1].to_numpy(dtype=float) + 1j * imaginary.iloc[-1].to_numpy(dtype=float))


def _spectrum(e: Evidence) -> str:
    values = eigenvalues(e)
    if values is None or not np.isfinite(values).all():
        return ""
    turning = values[np.argmax(np.abs(values.imag))]
    word = (
        "locally stable"
        if values.real.max() < -1e-9
        else "locally unstable"
        if values.real.max() > 1e-9
        else "neither attracting nor repelling"
    )
    rotating = f"{turning.real:.3g} +- {abs(turning.imag):.3g}i"
    return f"the game's eigenvalues are {word} (largest real part {values.real.max():.3g}, most rotating {rotating})"


def _calm(e: Evidence) -> tuple[str, ...]:
    overshoots = trends.middle(np.array([e.now_or_nan("generator_gradient_cosine")])) < 0
    return (*regularise(e), *another_update(e), *(lower_rates(e, "both") if overshoots else average(e)))
