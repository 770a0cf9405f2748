"""Checks of how the game moves: oscillation, from the trace of the parameters, the scores or the fakes, and from the game's eigenvalues."""

from __future__ import annotations

import numpy as np

from gandiag.diagnosis import trends
from gandiag.diagnosis.dynamics import TraceReading, Word, read_trace
from gandiag.diagnosis.evidence import CannotTell, Evidence, Recorded, evidence
from gandiag.diagnosis.finding import Finding, Verdict
from gandiag.diagnosis.remedies import regularise
from gandiag.errors import NotRecorded

MOST_ROWS = 2000  # of a trace that are read; a longer one is thinned out evenly
TINY_GAME = (
    200  # parameters of both players together, up to which the game is a known equation and its trace the whole truth
)
LEARNED_BY = 0.3  # share of the run after which a turn counts: before, the fakes are still on their way to the data
LASTING = 0.5  # share of its amplitude that a turning trace must keep over what is read
CYCLES = (Word.NEUTRAL_CYCLE, Word.LIMIT_CYCLE)


def oscillation(run: Recorded) -> Finding:
    """Finds a game that turns in place: its period, whether the amplitude grows, and what the eigenvalues say where they were recorded."""
    e = evidence(run)
    if tiny(e):
        return _of_tiny_game(e)
    name, points, steps, unit = _fakes_trace(e)
    e.need_steps()
    later = slice(int(LEARNED_BY * len(steps)), None)
    reading = read_trace(*_thinned(points[later], steps[later]))
    low, high = np.nanquantile(points[later], (0.05, 0.95), axis=0)
    amplitude = float(np.max(high - low) / 2 / unit)
    turns = (steps[-1] - steps[later][0]) / reading.period if reading.period else 0.0
    lasting = (
        reading.word in (*CYCLES, Word.DIVERGING)
        or (reading.multiplier or 0.0) ** (steps[-1] - steps[later][0]) > LASTING
    )
    turning = turns >= e.limits.turns and lasting
    claim = f"the fakes' mean swings by {amplitude:.2g} sd of the reals"
    claim += f" every {reading.period:.0f} steps" if reading.period else ""
    claim += f" (limit: {e.limits.oscillation:g} for {e.limits.turns:g} turns); {_spectrum(e)}".rstrip("; ")
    if not turning or amplitude < e.limits.oscillation:
        return Finding("oscillation", Verdict.HEALTHY, claim, series=(name,))
    kind = "growing" if reading.word is Word.DIVERGING else str(reading.word.value)
    return Finding(
        "oscillation",
        Verdict.FAILED,
        claim,
        cause="the players chase each other round a point that does not attract",
        remedies=_calm(e),
        series=(name,),
        onset=int(steps[later][0]),
        kind=kind,
    )


def tiny(e: Evidence) -> bool:
    """Says whether this is a game of a few parameters, such as the Dirac-GAN, whose trace is the whole truth."""
    players = e.about.get("players")
    if not isinstance(players, dict):
        return False
    counts = [n for p in players.values() if isinstance(p, dict) and isinstance(n := p.get("parameters"), int)]
    return len(counts) == 2 and sum(counts) <= TINY_GAME


def game_trace(e: Evidence) -> tuple[str, np.ndarray, np.ndarray]:
    """Returns the name, the points (rows, coordinates) and the steps of the game's trace; raises NotRecorded."""
    try:
        table = e.layers("parameter_trace")
        return "parameter_trace", table.to_numpy(dtype=float), table.index.to_numpy()
    except NotRecorded:
        pass
    for name in ("fake_channel_mean",):
        try:
            table = e.layers(name)
            return name, table.to_numpy(dtype=float), table.index.to_numpy()
        except NotRecorded:
            continue
    series = e["fake_mean"]
    return "fake_mean", series.to_numpy(dtype=float)[:, None], series.index.to_numpy()


def read_game(e: Evidence) -> tuple[str, TraceReading]:
    """Returns the name of the trace and what it does, over all of the run."""
    name, points, steps = game_trace(e)
    if len(points) < 12:
        raise CannotTell(f"the trace has {len(points)} rows, 12 are needed")
    return name, read_trace(*_thinned(points, steps))


def _of_tiny_game(e: Evidence) -> Finding:
    name, reading = read_game(e)
    period = f", one turn in {reading.period:.1f} steps" if reading.period else ""
    multiplier = f", amplitude times {reading.multiplier:.6g} a step" if reading.multiplier is not None else ""
    claim = f"{reading.word.value}{period}{multiplier} (limit: below 1): {reading.why}"
    spectrum = _spectrum(e)
    claim += f"; {spectrum}" if spectrum else ""
    if reading.word in CYCLES or (reading.word is Word.DIVERGING and reading.period):
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


def _thinned(points: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    stride = max(1, -(-len(points) // MOST_ROWS))
    return points[::stride], steps[::stride]


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
    game = (
        ("--set update=extragradient",)
        if "update" in e.config
        else ("an optimizer for games: extragradient or optimistic Adam",)
    )
    averaged = trends.middle(np.array([e.now_or_nan("generator_gradient_cosine")]))
    return (
        *regularise(e),
        *game,
        *(("average the weights (EMA)",) if not averaged < 0 else ("lower both learning rates",)),
    )
