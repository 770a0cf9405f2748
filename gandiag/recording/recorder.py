"""Recorder: watches a training of two players and writes what every step tells, at almost no cost, into a run directory."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import sys
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from gandiag.errors import UsageError
from gandiag.recording import gradients
from gandiag.recording.about import describe
from gandiag.recording.accelerator import chosen
from gandiag.recording.addresses import Copier
from gandiag.recording.arguments import joined, listed, says
from gandiag.recording.beginning import first_step, probe_table, totals_before
from gandiag.recording.buffer import BIT, SCALARS, WHOLE_VALUES
from gandiag.recording.capture import Capture, norm
from gandiag.recording.distributed import ranks
from gandiag.recording.guard import guarded, warn_once
from gandiag.recording.judging import Judging
from gandiag.recording.optimizers import watch
from gandiag.recording.player import Player
from gandiag.recording.reduce import HostRow
from gandiag.recording.rows import Rows
from gandiag.recording.samples import as_arrays
from gandiag.recording.schedule import Schedule, as_logits, as_step
from gandiag.recording.step import Probe
from gandiag.recording.suspicions import Suspicions
from gandiag.recording.turns import Turns, nothing_seen
from gandiag.recording.writing import Chunk, WriterThread
from gandiag.run import RunWriter, load_run

SCALAR_BITS = tuple(BIT[name] for name in SCALARS)
REAL_SUM, FAKE_SUM, AT_IMAGE = (SCALARS.index(n) for n in ("real_sum", "fake_sum", "generator_gradient_at_image"))
UNSEEN_STEPS = 4  # after so many a player that trains and was never seen called is looked for
Given = Tensor | float | None
Status = Literal["finished", "interrupted", "failed"]


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
        table = probe_table(probes)
        self._probability = discriminator_output == "probability"
        self._discriminator = Player("discriminator", discriminator, discriminator_optimizer)
        self._generator = Player("generator", generator, generator_optimizer)
        self._players = {"discriminator": self._discriminator, "generator": self._generator}
        device = next((p.device for p in self._discriminator.parameters), torch.device("cpu"))
        self._device = device
        self._untold: dict[str, str] = {}
        self._untold_news = False
        self._manual = not automatic
        self._goes_first: str | None = None
        self._complete = False
        self._closed = self._detached = self._gave_up = False

        facts = describe(self._discriminator, self._generator, output=discriminator_output, probes=table, device=device)
        begin = first_step(self.path, resume)
        before = {} if begin is None else load_run(self.path).about
        self._untold |= {sentence: sentence for sentence in before.get("could_not_tell", [])}
        found = chosen(device.type, before.get("accelerator"))
        facts["accelerator"] = found.words
        if "accelerator" in before and before["accelerator"].startswith("compiled") and found.accelerator is None:
            self._say("accelerator", f"the run began with the compiled accelerator and goes on without: {found.words}")
        library: ctypes.CDLL | None = None
        self._copier: Copier | None = None
        if found.accelerator is not None:
            library = found.accelerator.free
            self._copier = Copier(found.accelerator.held)
            for player in self._players.values():
                player.accelerate(found.accelerator.held)
        self._ranks = None if alone else ranks()
        told = {**facts, **(about or {})} if begin is None else {**(about or {}), "status": "running"}
        silent = self._ranks is not None and self._ranks.rank > 0
        self.writes = not silent  # of the processes that train together, only the first one
        self._thread = WriterThread(None if silent else RunWriter(self.path, told, resume_at=begin))
        self.index = begin or 0
        self._wall_before, self._images_seen = totals_before(self.path, begin)
        self._began = self._last_end = time.perf_counter()
        self._first = True
        self._steps_here = 0

        self._cosine_every = table.get(gradients.gradient_cosines, 0)
        self._update_every = table.get(gradients.update_ratios, 0)
        self._judging = Judging(self.path, judge, on_finding)
        self._suspicions = Suspicions(
            probability=self._probability,
            say=self._say,
            event=lambda record: self._thread.record("events", record),
        )
        self._schedule = Schedule(table, device=device, gathers=self._ranks is not None, say=self._say, library=library)
        self._rows = Rows(
            device,
            players=self._players,
            probes=table,
            probability=self._probability,
            schedule=self._schedule,
            ranks=self._ranks,
            thread=self._thread,
            say=self._say,
            look=self._look,
            written=self._judging.look,
            library=library,
        )
        self._capture = Capture(generator, discriminator, say=self._say)
        self._capture.give_up = self.give_up
        self._capture.row = self.index
        self._capture.optimised = {
            who: partial(getattr, player, "parameters")
            for who, player in self._players.items()
            if player.optimizer is not None
        }
        self._turns = Turns(self._capture, say=self._say)
        if automatic:
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
        if not self._manual:
            self._manual, self._capture.on_call = True, None
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
    def last_fakes(self) -> list[Tensor]:
        """The generator's last outputs, the newest first: detached, on their device."""
        return [*self._capture.generated.held][::-1]

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

    def follow_optimizer(self, who: str, optimizer: Any) -> None:
        """Reads a player's gradients from now on also as this optimizer takes them: one that the training made anew."""
        player = self._players[who]
        player.follow(optimizer)
        self._undo.append(watch(player.optimizer, partial(self._one_steps, player)))

    def update_about(self, **changes: Any) -> None:
        """Changes entries of run.json."""
        self._thread.put(lambda: self._thread.update_about(changes))

    def flush(self) -> None:
        """Brings every row so far to the disk, and waits until it is there; with several ranks, every row that they have gathered.

        A disk that hangs is waited for once, for a minute; then the training goes on.
        """
        self._close_if_complete()
        if self._ranks is None:
            self._rows.reduce()
        self._ship()
        self._thread.wait()

    def state_dict(self) -> dict[str, Any]:
        """Returns what a recorder made with `resume=STEP` must be given to go on exactly as if it had never stopped: tensors and numbers."""
        self._close_if_complete()
        return {
            "index": self.index,
            "images_seen": self._images_seen,
            "goes_first": self._goes_first,
            "previous": list(self._schedule.previous),
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
        self._schedule.previous = (at, *(None if t is None else t.to(self._device) for t in (real, fake)))
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
        if not self._manual and not self._gave_up and (self._discriminator.updates or self._generator.updates):
            self._end_step(None, None, (None,) * 4, None, None, None, None)
        self._closed = True
        self.detach()
        self._judging.hurry()
        self._rows.alone = status != "finished"
        self._rows.meet()
        self._ship()
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

    def give_up(self, where: str, error: Exception) -> bool:
        """Ends the watching after something unexpected in a hook; False where the exception is the user's own, of `on_finding`."""
        if error is self._judging.raised:
            return False
        if not self._gave_up:
            self._gave_up = True
            self._capture.muted, self._capture.on_call, self._complete = True, None, False
            self._say("hook", warn_once(self.path, where, error))
            self._tell()
        return True

    # -- optimizers

    def _watch_optimizers(self) -> list[Callable[[], None]]:
        d, g = self._discriminator.optimizer, self._generator.optimizer
        undo = []
        if d is not None and d is g:
            undo.append(watch(d, self._both_step))
        else:
            for player in self._players.values():
                if player.optimizer is not None:
                    undo.append(watch(player.optimizer, partial(self._one_steps, player)))
        for who, player in self._players.items():
            if player.optimizer is not None and not player.steps_it:
                self._say(f"{who} not stepped", f"the {who}'s optimizer holds none of the {who}'s parameters")
        return undo

    @guarded
    def _one_steps(self, player: Player) -> None:
        if self._gave_up:
            return
        who = player.who
        self._goes_first = self._goes_first or who
        if not self._manual:
            self._begin_update(who)
        self._turns.stepped(who)
        self._read(player)
        if who == "generator" and self._goes_first == "discriminator" and not self._manual:
            self._complete = True

    @guarded
    def _both_step(self) -> None:
        if self._gave_up:
            return
        passes = self._capture.open
        alone = {
            who
            for who, other in (("discriminator", "generator"), ("generator", "discriminator"))
            if passes and all(getattr(p, f"reached_{who}") and not getattr(p, f"reached_{other}") for p in passes)
        }
        if len(alone) == 1:
            self._one_steps(self._players[alone.pop()])
            return
        self._goes_first = self._goes_first or "discriminator"
        self._close_if_complete()
        self._turns.stepped_together()
        self._read(self._discriminator)
        self._read(self._generator)
        self._complete = not self._manual

    def _begin_update(self, who: str) -> None:
        """In the automatic mode, closes the row that this update no longer belongs to."""
        self._close_if_complete()
        if who == "generator" and self._goes_first == "generator" and self._generator.updates:
            self._end_step(None, None, (None,) * 4, None, None, None, None)

    def _read(self, player: Player) -> None:
        idle = player.adopt_what_is_used()
        if idle is not None:
            self._follow_new_layers(player.who, idle)
        index, cosine, update = self.index, self._cosine_every, self._update_every
        player.read(
            self._rows.block,
            cosine=bool(cosine) and index % cosine == 0,
            cosine_next=bool(cosine) and (index + 1) % cosine == 0,
            update=bool(update) and index % update == 0,
        )

    def _follow_new_layers(self, who: str, idle: Sequence[str]) -> None:
        self._rows.reduce()
        self._rows.follow_layers()
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
            # what is made under the script's inference_mode could never be written to again
            with torch.inference_mode(False) if torch.is_inference_mode_enabled() else contextlib.nullcontext():
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
        players, index = self._players, self.index
        if not (self._discriminator.updates or self._generator.updates):
            self._turns.nobody_stepped()
        same = says(real_logits, fake_logits, real, fake)
        try:
            d = self._turns.seen("discriminator", same, self._probability)
            g = self._turns.seen("generator", same, self._probability)
        except Exception as error:  # of what was captured; what the loop gives is recorded all the same
            self.give_up("what was seen", error)
            d = g = nothing_seen()
        d_real, g_real, d_fake, g_fake = d.real, g.real, d.fake, g.fake
        real = joined((d_real if d_real.scores else g_real).images) if real is None else real
        fake = joined((d_fake if d_fake.scores else g_fake).images) if fake is None else fake
        vectors: dict[str, list[Tensor]] = {
            "real_logits": (d_real.scores or g_real.scores) if real_logits is None else [real_logits],
            "fake_logits": (d_fake.scores or g_fake.scores) if fake_logits is None else [fake_logits],
            "discriminator_force_real": d_real.gradients,
            "discriminator_force_fake": d_fake.gradients,
            "generator_force_real": g_real.gradients,
            "generator_force_fake": g_fake.gradients,
        }
        scalars = list(self._scalars(losses))
        for place, name, batch in ((REAL_SUM, "real_values", real), (FAKE_SUM, "fake_values", fake)):
            if batch is not None:
                if batch.numel() <= WHOLE_VALUES:
                    vectors[name] = [batch]
                else:
                    scalars[place] = batch.sum()
        at_image = g.image_gradients
        if len(at_image) == 1 and at_image[0].dim():
            vectors["image_gradient"] = at_image
        elif at_image:
            scalars[AT_IMAGE] = norm(torch.stack([norm(one) for one in at_image]))
        mask = self._fill(vectors, scalars)
        for player in players.values():
            if player.updates:
                mask |= player.bits
        due = self._schedule.due(index)
        if due:
            scores = [as_logits(vectors[name], self._probability) for name in ("real_logits", "fake_logits")]
            self._schedule.run(
                due,
                as_step(
                    index,
                    players=players,
                    batches=(self._schedule.kept(due, real), self._schedule.kept(due, fake)),
                    scores=(scores[0], scores[1]),
                    previous=self._schedule.previous,
                ),
            )
        self._schedule.end_step(index, real, fake)
        self._rows.block.end_row(index, mask)
        return real

    def _fill(self, vectors: Mapping[str, list[Tensor]], scalars: Sequence[Given]) -> int:
        """Copies all entries into the block's open row by one call; returns the bits of those that are there."""
        mask = 0
        places: list[int | str] = []
        whole: list[Tensor] = []
        in_pieces = False
        for place, value in enumerate(scalars):
            if value is not None:
                mask |= SCALAR_BITS[place]
                places.append(place)
                whole.append(value if isinstance(value, Tensor) and not value.dim() else self._as_scalar(value))
        for name, pieces in vectors.items():
            if pieces:
                mask |= BIT[name]
                places.append(name)
                whole.append(pieces[0])
                in_pieces = in_pieces or len(pieces) > 1
        rows, copier = self._rows, self._copier
        if copier is None or in_pieces or not copier.copy(rows.block, mask, places, whole):
            rows.make_room(vectors)
            rows.block.copy(places, whole, vectors)
        return mask

    def _scalars(self, losses: tuple[Given, ...]) -> tuple[Given, ...]:
        d, g = self._discriminator, self._generator
        stale = self._turns.stale
        return (
            *losses,
            None,  # what the batches tell
            None,
            None,
            d.largest,
            g.largest,
            d.scale,
            g.scale,
            d.gradient_scale,
            g.gradient_scale,
            d.skipped,
            g.skipped,
            stale.get("discriminator"),
            stale.get("generator"),
        )

    def _as_scalar(self, value: Tensor | float) -> Tensor:
        if not isinstance(value, Tensor):
            return torch.full((), float(value), device=self._device)
        if value.dim():
            value = value.mean() if value.numel() != 1 else value.reshape(())
        return value

    def _end_row_on_host(
        self, real: Tensor | None, data_wait_seconds: float | None, augmentation_probability: float | None
    ) -> None:
        now = time.perf_counter()
        seconds = None if self._first else now - self._last_end
        shown = (
            None
            if real is None
            else float(real.shape[0] * max(self._discriminator.updates, 1) * (self._ranks.world if self._ranks else 1))
        )
        if shown is not None:
            self._images_seen += shown
        row = HostRow(
            now - self._began + self._wall_before,
            seconds,
            data_wait_seconds,
            shown / seconds if shown and seconds else None,
            self._images_seen if shown is not None else None,
            float(self._discriminator.updates),
            float(self._generator.updates),
            augmentation_probability,
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
        self._rows.end_row(row, now)
        if self._untold_news:
            self._tell()
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

    # -- what is written

    def _ship(self) -> None:
        self._rows.ship(anyway=True)
        self._tell()

    def _tell(self) -> None:
        if self._untold_news:
            self._untold_news = False
            told = list(self._untold.values())
            self._thread.put(lambda: self._thread.update_about({"could_not_tell": told}))

    def _look(self, rows: Chunk, hidden: Mapping[str, np.ndarray]) -> None:
        """Looks at rows that have reached the host; in the writer thread."""
        self._suspicions.look(
            rows, hidden, sigmoid=self._capture.score_operation == "Sigmoid", activation=self._capture.image_operation
        )

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
