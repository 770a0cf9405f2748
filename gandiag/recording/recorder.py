"""Recorder: watches a training of two players and writes what every step tells, at almost no cost, into a run directory."""

from __future__ import annotations

import atexit
import math
import os
import queue
import sys
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from gandiag.errors import UsageError
from gandiag.quantities import logit_bin_labels
from gandiag.recording import gradients
from gandiag.recording.about import describe
from gandiag.recording.arguments import copied, first_shown, flat_or_none, head, joined, listed, says
from gandiag.recording.beginning import first_step, probe_table, totals_before
from gandiag.recording.buffer import BIT, BLOCK_STEPS, SCALARS, Block, capacity_for
from gandiag.recording.capture import Capture
from gandiag.recording.distributed import FIRST_ROWS, agree, gathered, gathered_batches, ranks
from gandiag.recording.gradients import Player
from gandiag.recording.judging import Judging
from gandiag.recording.optimizers import watch
from gandiag.recording.probes import BATCHWISE, BLOCKWISE, name_of
from gandiag.recording.reduce import HostRow, Table, chunk, reduce
from gandiag.recording.samples import as_arrays
from gandiag.recording.step import Probe, Step, Value
from gandiag.recording.suspicions import Suspicions
from gandiag.recording.turns import Turns
from gandiag.recording.writing import Transfer, WriterThread, take_off
from gandiag.run import RunWriter, load_run

SCALAR_BITS = tuple(BIT[name] for name in SCALARS)
FLUSH_SECONDS = 0.4  # rows wait in memory no longer than this while the training steps: kill -9 loses at most a second
UNSEEN_STEPS = 4  # after so many a player that trains and was never seen called is looked for
PROBE_COSTS_EVERY = 100  # steps
MOST_BLOCKS = 4  # that may wait for the writer thread; beyond, the training reduces its own
Given = Tensor | float | None
Status = Literal["finished", "interrupted", "failed"]


@dataclass(frozen=True)
class Reduced:
    """A block's tables, with their values on the way to the host."""

    tables: list[Table]
    transfer: Transfer
    labels: Mapping[str, Sequence[str]]


class Recorder:
    """Records a training of a generator against a discriminator.

    `step(...)` is the last line of the loop's body; every argument of it may be left out, and what is left out is captured by
    hooks. With `automatic=True` no line in the loop is needed: a step is what lies between two updates of the generator.
    `discriminator_output` says whether D returns logits or, after a sigmoid, probabilities. `probes` is a tier's name or a table
    such as `PROBES | {my_probe: 10}`. `resume` continues a run: True after its last row, a number from that step on. Each illness
    that `judge` (by default `gandiag.diagnose`) finds on the way is handed once to `on_finding`. Under torch.distributed every rank
    makes a Recorder and rank 0 writes, unless `alone`: one rank records for all, and what `step` is given is gathered already.
    Nothing that is recorded changes
    the training: no random number of the run is drawn, no module is left changed after `detach` or `close`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        generator: nn.Module,
        discriminator: nn.Module,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        discriminator_output: Literal["logit", "probability"] = "logit",
        automatic: bool = False,
        probes: str | Mapping[Probe, int] = "default",
        about: Mapping[str, Any] | None = None,
        resume: bool | int = False,
        on_finding: Callable[[Any], None] | None = None,
        judge: Callable[[Path], Sequence[Any]] | None = None,
        alone: bool = False,
    ) -> None:
        if discriminator_output not in ("logit", "probability"):
            raise UsageError(f"discriminator_output is 'logit' or 'probability', not {discriminator_output!r}")
        self.path = Path(path)
        self._probes = probe_table(probes)
        self._probability = discriminator_output == "probability"
        self._discriminator = Player("discriminator", discriminator, discriminator_optimizer)
        self._generator = Player("generator", generator, generator_optimizer)
        self._players = {"discriminator": self._discriminator, "generator": self._generator}
        self._device = next((p.device for p in self._discriminator.parameters), torch.device("cpu"))
        self._untold: dict[str, str] = {}
        self._untold_news = False
        self._manual = not automatic
        self._goes_first: str | None = None
        self._complete = False
        self._closed = self._alone = False
        self._detached = False

        facts = describe(
            self._discriminator, self._generator, output=discriminator_output, probes=self._probes, device=self._device
        )
        begin = first_step(self.path, resume)
        if begin is not None:
            self._untold |= {sentence: sentence for sentence in load_run(self.path).about.get("could_not_tell", [])}
        self._ranks = None if alone else ranks()
        self._rows = FIRST_ROWS if self._ranks else BLOCK_STEPS
        told = {**facts, **(about or {})} if begin is None else {**(about or {}), "status": "running"}
        silent = self._ranks is not None and self._ranks.rank > 0
        self._thread = WriterThread(None if silent else RunWriter(self.path, told, resume_at=begin))
        self.index = begin or 0
        self._wall_before, self._images_seen = totals_before(self.path, begin)
        self._began = self._last_end = self._last_flush = time.perf_counter()
        self._first = True
        self._steps_here = 0

        self._labels = {
            f"{p.who}_layer_{what}": p.names
            for p in self._players.values()
            for what in ("gradient_norm", "update_ratio")
        }
        self._labels |= {"real_logit_histogram": logit_bin_labels(), "fake_logit_histogram": logit_bin_labels()}
        self._layer_sizes = {p.who: [q.numel() for q in p.parameters] for p in self._players.values()}
        self._cosine_every = self._probes.get(gradients.gradient_cosines, 0)
        self._update_every = self._probes.get(gradients.update_ratios, 0)
        self._eager_probes = [(p, n) for p, n in self._probes.items() if p not in BLOCKWISE]
        self._eager_rhythm = math.gcd(*(n for _, n in self._eager_probes)) or 1  # at other steps none is due
        self._compared_every = min((n for p, n in self._eager_probes), default=0)
        self._eager: dict[int, dict[int, dict[str, Value]]] = {}
        self._seconds: dict[str, float] = {}
        self._previous: tuple[int, Tensor | None, Tensor | None] = (-1, None, None)
        self._host: list[HostRow] = []
        self._later: list[tuple[Probe, int, Step]] = []  # probes of batches, for the writer thread
        self._unwritten: list[Reduced] = []  # touched by the writer thread only
        self._spare: queue.SimpleQueue[Block] = queue.SimpleQueue()
        self._blocks = 1
        self._widest = max((p.values for p in self._players.values() if p.flat), default=1)
        self._block = Block(self._device, capacity_for(self._widest))

        self._judging = Judging(self.path, judge, on_finding)
        self._suspicions = Suspicions(
            probability=self._probability,
            layers=self._labels,
            say=self._say,
            event=lambda record: self._thread.record("events", record),
        )
        self._capture = Capture(generator, discriminator, say=self._say)
        self._turns = Turns(self._capture, say=self._say)
        self._capture.on_call = self._close_if_complete
        self._undo = self._watch_optimizers()
        me = weakref.ref(self)
        self._at_exit = lambda: _close_at_exit(me, os.getpid())
        atexit.register(self._at_exit)

    # -- the public door

    def step(
        self,
        *,
        real_logits: Tensor | None = None,
        fake_logits: Tensor | None = None,
        d_loss: Given = None,
        g_loss: Given = None,
        real: Tensor | None = None,
        fake: Tensor | None = None,
        d_penalty: Given = None,
        g_penalty: Given = None,
        data_wait_seconds: float | None = None,
        augmentation_probability: float | None = None,
    ) -> None:
        """Ends one step of the game. What is given wins over what was captured; `real_logits` and `fake_logits` are D's outputs as
        they are (probabilities where `discriminator_output="probability"`), of any shape. Waits for nothing on the device.
        """
        if self._closed:
            raise UsageError(f"the recorder of {self.path} is closed: make a new one with resume=True to go on")
        self._manual = True
        self._end_step(
            real_logits,
            fake_logits,
            (d_loss, g_loss, d_penalty, g_penalty),
            real,
            fake,
            data_wait_seconds,
            augmentation_probability,
        )

    @property
    def updates(self) -> dict[str, int]:
        """How many updates each player has had since the last step ended."""
        return {who: player.updates for who, player in self._players.items()}

    def record_evaluation(
        self,
        scores: Mapping[str, float | Sequence[float]],
        *,
        protocol: Mapping[str, Any],
        labels: Mapping[str, Sequence[str]] | None = None,
        step: int | None = None,
    ) -> None:
        """Keeps scores of an evaluation: quantities' names to values, scores on features with the features in brackets."""
        record = {
            "step": self._last_index if step is None else step,
            "scores": {k: listed(v) for k, v in scores.items()},
            "labels": {k: list(v) for k, v in (labels or {}).items()},
            "protocol": dict(protocol),
        }
        self._thread.put(lambda: self._thread.record("evaluations", record))

    def record_samples(
        self,
        batch: Any,
        *,
        kind: Literal["fake", "real"] = "fake",
        step: int | None = None,
        labels: Any = None,
        beside: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Keeps a small batch: images (n, c, h, w), floats in [-1, 1] or uint8, or points (n, d). Waits for the device.

        `beside` are arrays that belong to it and are kept in the same file under their own names, D's decision field say.
        """
        if kind not in ("fake", "real"):
            raise UsageError(f"samples are 'fake' or 'real', not {kind!r}")
        arrays = dict(beside or {}) | as_arrays(batch, labels)
        at = self._last_index if step is None else step
        self._thread.put(lambda: self._thread.samples(at, arrays, kind), size=sum(a.nbytes for a in arrays.values()))

    def record_event(self, kind: str, **facts: Any) -> None:
        """Keeps that something happened at this step: `nonfinite`, `resumed`, `stopped` ..., with plain facts."""
        record = {"step": self._last_index, "event": kind, **facts}
        self._thread.put(lambda: self._thread.record("events", record))

    def remember_fakes(self, *outputs: Tensor) -> None:
        """Names tensors that the generator returned before this recorder watched it, so that what is made of them is known as fake."""
        for output in outputs:
            self._capture.generated.remember(output)

    def update_about(self, **changes: Any) -> None:
        """Changes entries of run.json."""
        self._thread.put(lambda: self._thread.update_about(changes))

    def flush(self) -> None:
        """Brings every row so far to the disk, and waits until it is there; with several ranks, every row that they have gathered.

        A disk that hangs is waited for once, for a minute; then the training goes on.
        """
        self._close_if_complete()
        if self._ranks is None:
            self._reduce()
        self._ship(anyway=True)
        self._thread.wait()

    def state_dict(self) -> dict[str, Any]:
        """Returns what a recorder made with `resume=STEP` must be given to go on exactly as if it had never stopped: tensors and numbers."""
        self._close_if_complete()
        return {
            "index": self.index,
            "images_seen": self._images_seen,
            "goes_first": self._goes_first,
            "previous": list(self._previous),
            "players": {who: p.state_dict() for who, p in self._players.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state_dict` returned; UsageError where that is the state of another step."""
        if state["index"] != self.index:
            raise UsageError(
                f"this state was taken at step {state['index']}, and the recorder goes on at step {self.index}: "
                f"make it with resume={state['index']}"
            )
        self._images_seen, self._goes_first = float(state["images_seen"]), state["goes_first"]
        at, real, fake = state["previous"]
        self._previous = (at, *(None if t is None else t.to(self._device) for t in (real, fake)))
        for who, player in self._players.items():
            player.load_state_dict(state["players"][who], self._device)

    def detach(self) -> None:
        """Takes every hook away: modules and optimizers are as they were. The run stays open until `close`."""
        if not self._detached:
            self._detached = True
            self._capture.remove()
            for undo in self._undo:
                undo()
            self._undo = []

    def close(self, status: Status = "finished") -> None:
        """Writes what is left, takes the hooks away and ends the run; a second call does nothing."""
        if self._closed:
            return
        if not self._manual and (self._discriminator.updates or self._generator.updates):
            self._end_step(None, None, (None,) * 4, None, None, None, None)
        self._closed = True
        self.detach()
        self._judging.hurry()
        self._alone = status != "finished"  # the other ranks may not come to a common end
        self._reduce()
        self._ship(anyway=True)
        self._thread.wait()
        self._tell()  # what the last rows gave rise to
        self._thread.stop(status)
        self._judging.hand_over()
        atexit.unregister(self._at_exit)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("finished" if kind is None else "interrupted" if issubclass(kind, KeyboardInterrupt) else "failed")

    # -- optimizers

    def _watch_optimizers(self) -> list[Callable[[], None]]:
        d, g = self._discriminator.optimizer, self._generator.optimizer
        undo = []
        if d is not None and d is g:
            undo.append(watch(d, self._both_step))
        else:
            for player in self._players.values():
                if player.optimizer is not None:
                    undo.append(watch(player.optimizer, partial(self._one_steps, player.who)))
        for who, player in self._players.items():
            if player.optimizer is not None and not player.steps_it:
                self._say(f"{who} not stepped", f"the {who}'s optimizer holds none of the {who}'s parameters")
        return undo

    def _one_steps(self, who: str) -> None:
        self._begin_update(who)
        self._turns.stepped(who)
        self._read(who)
        if who == "generator" and self._goes_first == "discriminator" and not self._manual:
            self._complete = True

    def _both_step(self) -> None:
        passes = self._capture.open
        alone = {
            who
            for who, other in (("discriminator", "generator"), ("generator", "discriminator"))
            if passes and all(getattr(p, f"reached_{who}") and not getattr(p, f"reached_{other}") for p in passes)
        }
        if len(alone) == 1:
            self._one_steps(alone.pop())
            return
        self._begin_update("discriminator")
        self._turns.stepped_together()
        self._read("discriminator")
        self._read("generator")
        self._complete = not self._manual

    def _begin_update(self, who: str) -> None:
        """In the automatic mode, closes the row that this update no longer belongs to."""
        self._goes_first = self._goes_first or who
        self._close_if_complete()
        if not self._manual and who == "generator" and self._goes_first == "generator" and self._generator.updates:
            self._end_step(None, None, (None,) * 4, None, None, None, None)

    def _read(self, who: str) -> None:
        idle = self._players[who].adopt_what_is_used()
        if idle is not None:
            self._follow_new_layers(who, idle)
        index = self.index
        cosine, update = self._cosine_every, self._update_every
        was = torch.is_grad_enabled()
        torch._C._set_grad_enabled(False)  # torch.no_grad() costs several times as much, at each update of each player
        try:
            self._players[who].read(
                self._block,
                cosine=bool(cosine) and index % cosine == 0,
                cosine_next=bool(cosine) and (index + 1) % cosine == 0,
                update=bool(update) and index % update == 0,
            )
        finally:
            torch._C._set_grad_enabled(was)

    def _follow_new_layers(self, who: str, idle: Sequence[str]) -> None:
        player = self._players[who]
        self._reduce()
        self._layer_sizes = {**self._layer_sizes, who: [q.numel() for q in player.parameters]}
        self._labels = {
            **self._labels,
            f"{who}_layer_gradient_norm": player.names,
            f"{who}_layer_update_ratio": player.names,
        }
        self._untold.pop(f"{who} idle", None)
        if idle:
            self._say(
                f"{who} idle",
                f"these parameters of the {who} got no gradient, and are not among its layers: {', '.join(idle)}",
            )
        self._untold_news = True

    def _close_if_complete(self) -> None:
        if self._complete:
            self._complete = False
            self._end_step(None, None, (None,) * 4, None, None, None, None)

    # -- the end of a step

    @property
    def _last_index(self) -> int:
        return max(self.index - 1, 0)

    def _end_step(
        self,
        real_logits: Tensor | None,
        fake_logits: Tensor | None,
        losses: tuple[Given, ...],
        real: Tensor | None,
        fake: Tensor | None,
        data_wait_seconds: float | None,
        augmentation_probability: float | None,
    ) -> None:
        self._complete = False
        was = torch.is_grad_enabled()
        torch._C._set_grad_enabled(
            False
        )  # torch.no_grad() costs several times as much; and nothing below needs a detach
        try:
            real = self._write_row(real_logits, fake_logits, losses, real, fake)
        finally:
            torch._C._set_grad_enabled(was)
        self._end_row_on_host(real, data_wait_seconds, augmentation_probability)

    def _write_row(
        self,
        real_logits: Tensor | None,
        fake_logits: Tensor | None,
        losses: tuple[Given, ...],
        real: Tensor | None,
        fake: Tensor | None,
    ) -> Tensor | None:
        """Fills the block's open row and closes it; returns the real batch."""
        if not (self._discriminator.updates or self._generator.updates):
            self._turns.nobody_stepped()
        same = says(((real_logits, True), (fake_logits, False), (real, True), (fake, False)))
        d = self._turns.seen("discriminator", same, self._probability)
        g = self._turns.seen("generator", same, self._probability)
        real = real if real is not None else joined(first_shown(d.real, g.real).images)
        fake = fake if fake is not None else joined(first_shown(d.fake, g.fake).images)
        vectors = {
            "real_logits": [real_logits.reshape(-1)] if real_logits is not None else first_shown(d.real, g.real).scores,
            "fake_logits": [fake_logits.reshape(-1)] if fake_logits is not None else first_shown(d.fake, g.fake).scores,
            "discriminator_force_real": d.real.gradients,
            "discriminator_force_fake": d.fake.gradients,
            "generator_force_real": g.real.gradients,
            "generator_force_fake": g.fake.gradients,
        }
        mask = self._fill(
            {name: pieces for name, pieces in vectors.items() if pieces},
            self._scalars(losses, real, fake, g.image_norms),
        )
        for player in (self._discriminator, self._generator):
            if player.updates:
                mask |= player.bits
        self._run_eager(real, fake, real_logits, fake_logits)
        self._block.end_row(self.index, mask)
        return real

    def _fill(self, vectors: Mapping[str, list[Tensor]], scalars: Sequence[Given]) -> int:
        """Copies all entries into the block's open row by one call; returns the bits of those that are there."""
        if not self._block.fits(vectors):
            self._widest = max(self._widest, *(sum(p.numel() for p in pieces) for pieces in vectors.values()))
            self._reduce()
        mask = 0
        rows: list[Tensor] = []
        whole: list[Tensor] = []
        for bit, place, value in zip(SCALAR_BITS, self._block.scalar_places, scalars):
            if value is not None:
                mask |= bit
                rows.append(place)
                whole.append(self._as_scalar(value))
        for name, pieces in vectors.items():
            mask |= BIT[name]
            if len(pieces) == 1:
                rows.append(self._block.row(name, pieces[0].numel()))
                whole.append(pieces[0])
            else:
                torch.cat([p.float() for p in pieces], out=self._block.row(name, sum(p.numel() for p in pieces)))
        if rows:
            torch._foreach_copy_(rows, whole, non_blocking=True)
        return mask

    def _scalars(
        self, losses: tuple[Given, ...], real: Tensor | None, fake: Tensor | None, image_norms: list[Tensor]
    ) -> tuple[Given, ...]:
        d, g = self._discriminator, self._generator
        at_image = (
            None
            if not image_norms
            else image_norms[0]
            if len(image_norms) == 1
            else torch.linalg.vector_norm(torch.stack(image_norms))
        )
        return (
            *losses,
            None if real is None else real.sum(),
            None if fake is None else fake.sum(),
            at_image,
            d.largest,
            g.largest,
            d.scale,
            g.scale,
            d.gradient_scale,
            g.gradient_scale,
            d.skipped,
            g.skipped,
        )

    def _as_scalar(self, value: Tensor | float) -> Tensor:
        if not isinstance(value, Tensor):
            return torch.full((), float(value), device=self._device)
        if value.dim():
            value = value.mean() if value.numel() != 1 else value.reshape(())
        return value if value.device == self._device else value.to(self._device, non_blocking=True)

    def _run_eager(
        self, real: Tensor | None, fake: Tensor | None, real_logits: Tensor | None, fake_logits: Tensor | None
    ) -> None:
        due = (
            [(p, n) for p, n in self._eager_probes if self.index % n == 0]
            if self.index % self._eager_rhythm == 0
            else None
        )
        if due:
            step = self._as_step(real, fake, real_logits, fake_logits)
            later = self._device.type == "cpu" or self._ranks is not None
            kept = (
                replace(step, real=copied(step.real), fake=copied(step.fake))
                if later and any(p in BATCHWISE for p, _ in due)
                else step
            )
            for probe, every in due:
                if later and probe in BATCHWISE:
                    self._later.append((probe, every, kept))
                else:
                    self._eager.setdefault(every, {}).setdefault(self.index, {}).update(self._run_probe(probe, step))
        if self.index % PROBE_COSTS_EVERY == 0 and self.index and self._seconds:
            seconds, self._seconds = self._seconds, dict.fromkeys(self._seconds, 0.0)
            self._labels["probe_seconds"] = list(seconds)
            self._eager.setdefault(PROBE_COSTS_EVERY, {})[self.index] = {"probe_seconds": list(seconds.values())}
        if self._compared_every and (self.index + 1) % self._compared_every == 0:
            self._previous = (self.index, head(real), head(fake))

    @torch.no_grad()
    def _run_probe(self, probe: Probe, step: Step) -> dict[str, Value]:
        began = time.perf_counter()
        try:
            found = probe(step)
        except Exception as error:  # a probe must never stop the training
            self._eager_probes = [(p, n) for p, n in self._eager_probes if p is not probe]
            self._say(
                f"probe {name_of(probe)}",
                f"the probe {name_of(probe)} failed at step {step.index} ({type(error).__name__}: {error}) "
                "and was switched off",
            )
            return {}
        self._seconds[name_of(probe)] = self._seconds.get(name_of(probe), 0.0) + time.perf_counter() - began
        return found

    def _as_step(
        self, real: Tensor | None, fake: Tensor | None, real_logits: Tensor | None, fake_logits: Tensor | None
    ) -> Step:
        d, g = self._discriminator, self._generator
        d_update, g_update = d.layer_updates(), g.layer_updates()
        before = self._previous if self._previous[0] == self.index - 1 else (-1, None, None)
        return Step(
            index=self.index,
            real=None if real is None else real.detach(),
            fake=None if fake is None else fake.detach(),
            real_logits=flat_or_none(real_logits),
            fake_logits=flat_or_none(fake_logits),
            previous_real=before[1],
            previous_fake=before[2],
            discriminator=d,
            generator=g,
            discriminator_gradient_cosine=d.cosine,
            generator_gradient_cosine=g.cosine,
            discriminator_layer_updates=d_update and d_update[0],
            discriminator_layer_parameters=d_update and d_update[1],
            generator_layer_updates=g_update and g_update[0],
            generator_layer_parameters=g_update and g_update[1],
        )

    def _end_row_on_host(
        self, real: Tensor | None, data_wait_seconds: float | None, augmentation_probability: float | None
    ) -> None:
        now = time.perf_counter()
        seconds = None if self._first else now - self._last_end
        shown = (
            None
            if real is None
            else float(len(real) * max(self._discriminator.updates, 1) * (self._ranks.world if self._ranks else 1))
        )
        if shown is not None:
            self._images_seen += shown
        self._host.append(
            HostRow(
                now - self._began + self._wall_before,
                seconds,
                data_wait_seconds,
                shown / seconds if shown and seconds else None,
                self._images_seen if shown is not None else None,
                float(self._discriminator.updates),
                float(self._generator.updates),
                augmentation_probability,
            )
        )
        self._first = False
        self._last_end = now
        self._discriminator.begin_step()
        self._generator.begin_step()
        self._turns.forget(claimed=self._manual)
        self.index += 1
        self._steps_here += 1
        if self._steps_here == UNSEEN_STEPS:
            self._look_for_unseen()
        if self._block.full or len(self._block.steps) >= self._rows:
            self._reduce()
        if now - self._last_flush >= FLUSH_SECONDS:
            if self._ranks is None:
                self._reduce()
            self._ship()
        self._judging.hand_over()

    def _look_for_unseen(self) -> None:
        """Says which player is trained and yet was never called, as far as hooks can see; follows the compiled wrapper that hides it."""
        for who, player in self._players.items():
            if who not in self._capture.called and player.total_updates:
                if self._capture.follow_wrapper(who):
                    self._say(
                        f"{who} unseen",
                        f"the {who} is called through torch.compile's wrapper, and the recorder was given the network "
                        f"inside: what hooks see of it begins at step {self.index}; give the recorder the wrapper",
                    )
                else:
                    self._say(
                        f"{who} unseen",
                        f"the {who} was updated and no call of it was seen: outputs, forces and images that step() is not "
                        "given are absent; give the recorder the very module that the loop calls",
                    )

    # -- flushing

    def _reduce(self) -> None:
        """Turns the rows of the block into columns: on the CPU in the writer thread, on a device here, where it is only queued."""
        block, host, eager = self._block, self._host, self._eager
        if not block.steps:
            if capacity_for(self._widest) < block.capacity:
                self._block = Block(self._device, capacity_for(self._widest))
                self._block.take_open_row(block)
            return
        later, self._later = self._later, []
        self._host, self._eager = [], {}
        sizes, labels = self._layer_sizes, dict(self._labels)
        self._block = self._empty_block()
        self._block.take_open_row(block)
        if self._thread.full and self._ranks is None:
            self._thread.refuse(len(block.steps))
            block.clear()
            self._spare.put(block)
            return
        if self._ranks is not None and not self._alone:
            seconds = sum(r.step_seconds or 0.0 for r in host) / len(host)
            alike, slowest = agree(block, later, seconds, self._ranks.world)
            self._rows = max(1, min(BLOCK_STEPS, int(FLUSH_SECONDS / max(slowest, 1e-6))))
            if alike:
                later = gathered_batches(later, self._ranks.world)
                reduced = self._reduce_block(gathered(block, self._ranks.world), host, eager, later, sizes, labels)
                block.clear()
                self._spare.put(block)
                self._hand_over(reduced)
                return
            self._say(
                "ranks", "the ranks saw batches of different sizes: from some steps only rank 0's part is recorded"
            )
        if self._device.type == "cpu" and self._blocks <= MOST_BLOCKS and self._ranks is None:
            self._thread.put(
                lambda: self._unwritten.append(self._reduce_block(block, host, eager, later, sizes, labels))
            )
        else:
            self._hand_over(self._reduce_block(block, host, eager, later, sizes, labels))

    def _hand_over(self, reduced: Reduced) -> None:
        values = reduced.transfer.values
        rows = max((len(t.steps) for t in reduced.tables), default=0)
        self._thread.put(
            lambda: self._unwritten.append(reduced), size=values.numel() * values.element_size() + 1, rows=rows
        )

    def _reduce_block(
        self,
        block: Block,
        host: list[HostRow],
        eager: dict[int, dict[int, dict[str, Value]]],
        later: Sequence[tuple[Probe, int, Step]],
        sizes: Mapping[str, Sequence[int]],
        labels: Mapping[str, Sequence[str]],
    ) -> Reduced:
        for probe, every, step in later:
            eager.setdefault(every, {}).setdefault(step.index, {}).update(self._run_probe(probe, step))
        tables = reduce(block, host, self._probes, eager, sizes, probability=self._probability, seconds=self._seconds)
        transfer = take_off(torch.cat([t.flat.to(self._device) for t in tables]))
        if self._ranks is None:
            block.clear()
            self._spare.put(block)
        return Reduced(tables, transfer, labels)

    def _empty_block(self) -> Block:
        while not self._spare.empty():
            block = self._spare.get()
            if block.capacity == capacity_for(self._widest):
                return block
            self._blocks -= 1
        self._blocks += 1
        return Block(self._device, capacity_for(self._widest))

    def _ship(self, *, anyway: bool = False) -> None:
        """Has the writer thread write what was reduced; not while it is far behind, unless `anyway`."""
        self._last_flush = time.perf_counter()
        if anyway or not self._thread.full:
            self._thread.put(self._write)
            self._tell()

    def _tell(self) -> None:
        if self._untold_news:
            self._untold_news = False
            told = list(self._untold.values())
            self._thread.put(lambda: self._thread.update_about({"could_not_tell": told}))

    def _write(self) -> None:
        unwritten, self._unwritten = self._unwritten, []
        for reduced in unwritten:
            values = reduced.transfer.wait()
            at = 0
            for table in reduced.tables:
                size = sum(c.numel() for c in table.columns.values())
                rows, hidden = chunk(table, values[at : at + size], reduced.labels)
                at += size
                if rows.columns:
                    self._thread.append(rows)
                    self._suspicions.look(
                        rows,
                        hidden,
                        sigmoid=self._capture.score_operation == "Sigmoid",
                        activation=self._capture.image_operation,
                    )
        self._judging.look()

    def _say(self, key: str, sentence: str) -> None:
        """Notes in run.json, once, what could not be told."""
        if key not in self._untold:
            self._untold[key] = sentence
            self._untold_news = True


def _close_at_exit(recorder: weakref.ref[Recorder], process: int) -> None:
    """Ends a run whose script ended without doing so; a forked child leaves it alone."""
    found = recorder()
    if found is None or os.getpid() != process:
        return
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    found.close("finished" if error is None else "interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
