"""The probes that read one step at a time: which are due, what they found, and what every probe has cost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gandiag.recording.accelerated_steps import STEPWISE
from gandiag.recording.accelerator import Accelerator
from gandiag.recording.arguments import head
from gandiag.recording.logits import to_logits
from gandiag.recording.probes import BATCHWISE, BLOCKWISE, DEFERRED, name_of
from gandiag.recording.step import Probe, Step, Value

PROBE_COSTS_EVERY = 100  # steps

Eager = dict[int, dict[int, dict[str, Value]]]  # cadence -> step -> values
Later = list[tuple[Probe, int, Step]]  # probe, its cadence, the step that it will read


class Schedule:
    """Runs what is due at a step, or puts it off for the writer thread; `take` hands over what has gathered."""

    def __init__(
        self,
        probes: Mapping[Probe, int],
        *,
        device: torch.device,
        gathers: bool,
        say: Callable[[str, str], None],
        accelerator: Accelerator | None = None,
    ) -> None:
        self.seconds: dict[str, float] = {}  # that each probe has cost since the costs were last noted
        self.costs: list[str] = []  # whose costs the last note holds
        self.previous: tuple[int, Tensor | None, Tensor | None] = (-1, None, None)  # step, its batches' first values
        self._probes = [(p, n) for p, n in probes.items() if p not in BLOCKWISE]
        self._rhythm = math.gcd(*(n for _, n in self._probes)) or 1  # at other steps none is due
        self._compared_every = min((n for p, n in self._probes), default=0)
        self._put_off: Sequence[Probe] = BATCHWISE if gathers else DEFERRED if device.type == "cpu" else ()
        self._say = say
        self._accelerator = accelerator
        self._eager: Eager = {}
        self._later: Later = []

    def due(self, index: int) -> list[tuple[Probe, int]]:
        """Returns the probes that run at this step, with their cadences."""
        return [(p, n) for p, n in self._probes if index % n == 0] if index % self._rhythm == 0 else []

    def run(self, due: Sequence[tuple[Probe, int]], step: Step) -> None:
        """Runs probes on a step now, or notes them for later; called without grad."""
        for probe, every in due:
            if probe in self._put_off:
                self._later.append((probe, every, step))
            else:
                self._note(self._eager, probe, every, step)

    def kept(self, due: Sequence[tuple[Probe, int]], batch: Tensor | None) -> Tensor | None:
        """Returns a batch as the probes that are due may read it: a copy that no in-place change reaches where one is put off."""
        if batch is None:
            return None
        for probe, _ in due:
            if probe in BATCHWISE and probe in self._put_off:
                return batch.clone()
        return batch.detach()

    def end_step(self, index: int, real: Tensor | None, fake: Tensor | None) -> None:
        """Keeps what the next step's probes compare with, and now and then notes what the probes have cost."""
        if index % PROBE_COSTS_EVERY == 0 and index and self.seconds:
            seconds, self.seconds = self.seconds, dict.fromkeys(self.seconds, 0.0)
            self.costs = list(seconds)
            self._eager.setdefault(PROBE_COSTS_EVERY, {})[index] = {"probe_seconds": list(seconds.values())}
        if self._compared_every and (index + 1) % self._compared_every == 0:
            self.previous = (index, head(real), head(fake))

    def take(self) -> tuple[Eager, Later]:
        """Hands over what the probes have found, and those that were put off."""
        taken = self._eager, self._later
        self._eager, self._later = {}, []
        return taken

    def catch_up(self, eager: Eager, later: Sequence[tuple[Probe, int, Step]]) -> None:
        """Runs what was put off, and adds it to what was found; in the writer thread."""
        with torch.no_grad():
            for probe, every, step in later:
                self._note(eager, probe, every, step, self._accelerator)

    def _note(self, found: Eager, probe: Probe, every: int, step: Step, accelerator: Accelerator | None = None) -> None:
        began = time.perf_counter()
        try:
            values = probe(step) if accelerator is None else _on_host(probe, step, accelerator)
        except Exception as error:  # a probe must never stop the training
            self._probes = [(p, n) for p, n in self._probes if p is not probe]
            self._say(
                f"probe {name_of(probe)}",
                f"the probe {name_of(probe)} failed at step {step.index} ({type(error).__name__}: {error}) "
                "and was switched off",
            )
            return
        self.seconds[name_of(probe)] = self.seconds.get(name_of(probe), 0.0) + time.perf_counter() - began
        found.setdefault(every, {}).setdefault(step.index, {}).update(values)


def _on_host(probe: Probe, step: Step, accelerator: Accelerator) -> dict[str, Value]:
    """Runs a probe's compiled twin; where there is none, or only torch can, the probe, with its tensors read off the CPU alike."""
    twin = STEPWISE.get(probe)
    values = None if twin is None else twin(accelerator, step)
    if values is None:
        values = {n: v.tolist() if isinstance(v, Tensor) else v for n, v in probe(step).items()}
    return values


def as_logits(pieces: Sequence[Tensor] | None, probability: bool) -> Tensor | None:
    """Returns a step's scores as probes read them, flat logits; `pieces` are D's outputs as they are."""
    if not pieces:
        return None
    flat = (
        torch.cat([p.detach().reshape(-1).float() for p in pieces])
        if len(pieces) > 1
        else pieces[0].detach().reshape(-1).float()
    )
    return to_logits(flat) if probability else flat


def as_step(
    index: int,
    *,
    players: Mapping[str, Any],
    batches: tuple[Tensor | None, Tensor | None],
    fakes: tuple[Tensor | None, Tensor | None] = (None, None),
    scores: tuple[Tensor | None, Tensor | None],
    previous: tuple[int, Tensor | None, Tensor | None],
) -> Step:
    """Returns the step that has just ended as its probes see it."""
    d, g = players["discriminator"], players["generator"]
    real, fake = batches
    before = previous if previous[0] == index - 1 else (-1, None, None)
    return Step(
        index=index,
        real=real,
        fake=fake,
        shown=fakes[0],
        made=fakes[1],
        real_logits=scores[0],
        fake_logits=scores[1],
        previous_real=before[1],
        previous_fake=before[2],
        discriminator=d,
        generator=g,
        discriminator_turn=d.turn,
        generator_turn=g.turn,
        discriminator_change=d.layer_updates(),
        generator_change=g.layer_updates(),
    )
