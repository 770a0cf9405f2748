"""Panel: what a section returns, and the one place where a quantity that was not recorded becomes a sentence instead of a chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded
from gandiag.quantities import quantity
from gandiag.run import Run

MEASURED = "`gandiag run --set measure={}` has it at each evaluation; in a loop of your own: `gandiag.recording.measure.measure_game(…)`"
EVALUATED = "evaluate during the run: `recorder.record_evaluation({…}, protocol=…)`"
AFTERWARDS = f"`gandiag evaluate` scores a finished run with it; during one: {EVALUATED.split(': ', 1)[1]}"
HOW_TO_RECORD = {  # by the group of the quantity
    "losses": "give the losses to `recorder.step(d_loss=…, g_loss=…)`",
    "gradients": "give the recorder both optimizers; the default probes record it",
    "spectra": MEASURED.format("weights"),
    "discriminator outputs": "give `recorder.step(real_logits=…, fake_logits=…)`, or let the hooks of `automatic=True` capture them",
    "held out": f"hold some of the data out (`--set heldout=0.1`); {MEASURED.format('heldout')}",
    "force on the score": "give the losses and logits with their graph to `recorder.step(…)`, or record with `automatic=True`",
    "diversity": "give the batches to `recorder.step(real=…, fake=…)`",
    "ranges": "give the batches to `recorder.step(real=…, fake=…)`",
    "numerics": "the default probes record it",
    "cost": "the default probes record it",
    "training": "give it to `recorder.step(augmentation_probability=…)`",
    "quality": f"{EVALUATED}; `gandiag run` does it by itself",
    "modes": f"{EVALUATED}; `gandiag run` does it by itself on data whose modes or classes are known",
    "memorisation": AFTERWARDS,
}
HOW_TO_RECORD_ONE = {  # by its own name, where its group's way is not its own
    "game_eigenvalues_real": MEASURED.format("spectrum"),
    "generator_hessian_min": MEASURED.format("hessians"),
    "duality_gap": MEASURED.format("gap,residual"),
    "path_angle": MEASURED.format("path"),
    "discriminator_gradient_noise_scale": MEASURED.format("noise"),
    "jacobian_log_condition": MEASURED.format("conditioning"),
    "parameter_trace": 'record with `probes="full"` (`gandiag run --set probes=full`)',
    "device_memory_bytes": "the default probes record it where the players are on CUDA",
    "kernel_distance": AFTERWARDS,
    "vendi_score": AFTERWARDS,
    "sliced_wasserstein": AFTERWARDS,
}


@dataclass(frozen=True)
class Panel:
    """One panel of the page: `lead` says in one sentence how a healthy run looks there, `summary` says in text what is drawn.

    `figure` is a plotly figure, as a dict or a `plotly.graph_objects.Figure`; where it is None, `missing` says what was not
    recorded and how to record it. `series` are the quantities drawn, so that findings can link to their evidence.
    """

    title: str
    lead: str
    figure: Any = None
    summary: str = ""
    chapter: str = ""
    series: tuple[str, ...] = ()
    missing: str = ""
    note: str = ""
    wide: bool = False
    label: str = "When healthy:"  # what stands before the lead


@dataclass(frozen=True)
class Drawing:
    """What the drawing half of a section makes: the figure, its text, the series in it and those that it lacked."""

    figure: dict[str, Any]
    summary: str
    series: tuple[str, ...] = ()
    absent: tuple[str, ...] = field(default=())


Section = Callable[[Run, Diagnosis], Panel]


def panel(title: str, *, chapter: str, lead: str, draw: Callable[[], Drawing], wide: bool = False) -> Panel:
    """Draws a panel; where the quantities were not recorded, returns one that says so and how to record them."""
    try:
        drawing = draw()
    except NotRecorded as error:
        return Panel(title, lead, chapter=chapter, missing=missing_sentence(error), wide=wide)
    note = f"Not recorded, so not drawn: {', '.join(drawing.absent)}." if drawing.absent else ""
    return Panel(title, lead, drawing.figure, drawing.summary, chapter, drawing.series, note=note, wide=wide)


def missing_sentence(error: NotRecorded) -> str:
    """Returns what was not recorded, and how to record it."""
    first = error.name.split(",")[0].strip()
    known = quantity(first)
    how = HOW_TO_RECORD_ONE.get(first) or (HOW_TO_RECORD.get(known.group, "") if known else "")
    return f"{error}." + (f" To have it: {how}." if how else "")
