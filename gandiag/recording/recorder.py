"""Recorder: watches a training of two players and writes what every step tells, at almost no cost, into a run directory."""

from __future__ import annotations

import atexit
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
from gandiag.recording.about import describe
from gandiag.recording.accelerator import Accelerator, chosen
from gandiag.recording.addresses import Copier
from gandiag.recording.arguments import Scores, as_scores, listed
from gandiag.recording.beginning import first_step, probe_table, refuse_what_cannot_play, totals_before
from gandiag.recording.capture import Capture
from gandiag.recording.distributed import ranks
from gandiag.recording.ending import told_at_the_end
from gandiag.recording.filling import Filling, Given
from gandiag.recording.guard import warn_once
from gandiag.recording.heirs import Heirs
from gandiag.recording.judging import Judging
from gandiag.recording.pace import Pace
from gandiag.recording.player import Player
from gandiag.recording.rows import Rows
from gandiag.recording.samples import as_arrays
from gandiag.recording.schedule import Schedule
from gandiag.recording.step import Probe
from gandiag.recording.suspicions import Suspicions
from gandiag.recording.turns import Turns
from gandiag.recording.untold import Untold
from gandiag.recording.updates import ASIDE_AT_FIRST, Updates
from gandiag.recording.uphill import Way
from gandiag.recording.writing import Chunk, WriterThread
from gandiag.run import RunWriter, load_run

Status = Literal["finished", "interrupted", "failed"]


class Recorder:
    """Records a training of a generator against a discriminator.

    `step(...)` is the last line of the loop's body; every argument of it may be left out, and what is left out is captured by
    hooks. With `automatic=True` no line in the loop is needed: a step is what lies between two updates of the generator.
    `discriminator_output` says whether D returns logits (or a critic's raw scores) or, after a sigmoid, probabilities. `probes` is a
    tier's name or a table such as `PROBES | {my_probe: 10}`. `resume` continues a run: True after its last row, a number from that step on. Each
    illness that `judge` (by default `gandiag.diagnose`) finds on the way is handed once to `on_finding`. Under torch.distributed every rank
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
            raise UsageError(
                f"discriminator_output is 'logit' (any raw score: a critic's too) or 'probability', not {discriminator_output!r}"
            )
        refuse_what_cannot_play(generator, discriminator, generator_optimizer, discriminator_optimizer)
        self.path = Path(path)
        self._probability = discriminator_output == "probability"
        self._players = {
            "discriminator": Player("discriminator", discriminator, discriminator_optimizer),
            "generator": Player("generator", generator, generator_optimizer),
        }
        table = probe_table(probes, sum(player.values for player in self._players.values()))
        device = next((p.device for p in self._players["discriminator"].parameters), torch.device("cpu"))
        self._device = device
        self._closed = self._detached = self._gave_up = False

        facts = describe(
            self._players["discriminator"],
            self._players["generator"],
            output=discriminator_output,
            probes=table,
            device=device,
        )
        begin = first_step(self.path, resume)
        before = {} if begin is None else load_run(self.path).about
        self._untold = Untold([*before.get("could_not_tell", []), *(about or {}).get("could_not_tell", [])])
        accelerator = self._accelerate(facts, before)
        library = None if accelerator is None else accelerator.free
        self._ranks = None if alone else ranks()
        told = {**facts, **(about or {})} if begin is None else {**(about or {}), "status": "running"}
        silent = self._ranks is not None and self._ranks.rank > 0
        self.writes = not silent  # of the processes that train together, only the first one
        self._thread = WriterThread(None if silent else RunWriter(self.path, told, resume_at=begin))
        self._pace = Pace(*totals_before(self.path, begin))
        self._judging = Judging(self.path, judge, on_finding)
        say = self._untold.say
        self._suspicions = Suspicions(
            probability=self._probability,
            say=say,
            event=lambda record: self._thread.record("events", record),
            take_back=self._untold.take_back,
        )
        self._schedule = Schedule(
            table, device=device, gathers=self._ranks is not None, say=say, accelerator=accelerator
        )
        self._rows = Rows(
            device,
            players=self._players,
            probes=table,
            probability=self._probability,
            schedule=self._schedule,
            ranks=self._ranks,
            thread=self._thread,
            say=say,
            look=self._look,
            written=self._judging.look,
            library=library,
            index=begin or 0,
        )
        self._capture = Capture(generator, discriminator, say=say)
        self._capture.give_up = self.give_up
        self._capture.passes.row = self.index
        self._capture.passes.optimised = {
            who: partial(getattr, player, "parameters")
            for who, player in self._players.items()
            if player.optimizer is not None
        }
        turns = Turns(self._capture, say=say, note=self.record_event, take_back=self._untold.take_back)
        self._ways = ways = {who: Way(player, self._capture) for who, player in self._players.items()}
        turns.way_of_d = lambda: ways["discriminator"].sign
        self._filling = Filling(
            self._players,
            turns=turns,
            ways=ways,
            schedule=self._schedule,
            rows=self._rows,
            copier=None if accelerator is None else Copier(accelerator.held),
            probability=self._probability,
            device=device,
            give_up=self.give_up,
        )
        self._updates = Updates(
            self._players,
            probes=table,
            capture=self._capture,
            turns=turns,
            ways=ways,
            rows=self._rows,
            untold=self._untold,
            automatic=automatic,
            end_step=self._end_step,
            give_up=self.give_up,
        )
        self.heirs = Heirs(
            self._players, follow=self._updates.follow, step=lambda: self.index, say=say, give_up=self.give_up
        )
        if automatic:
            self._capture.on_call = self._updates.end_if_complete
            self.heirs.listen()  # where an optimizer that nobody knows steps the generator, no step would end
        me = weakref.ref(self)
        self._at_exit = lambda: _close_at_exit(me, os.getpid())
        atexit.register(self._at_exit)

    def _accelerate(self, facts: dict[str, Any], before: Mapping[str, Any]) -> Accelerator | None:
        """Notes by which way the numbers are computed; returns the compiled one where there is one."""
        found = chosen(self._device.type, before.get("accelerator"))
        facts["accelerator"] = found.words
        if before.get("accelerator", "").startswith("compiled") and found.accelerator is None:
            self._untold.say(
                "accelerator",
                f"the run began with the compiled accelerator and goes on without: {found.words}",
            )
        if found.accelerator is not None:
            for player in self._players.values():
                player.accelerate(found.accelerator.held)
        return found.accelerator

    # -- the public door

    def step(
        self,
        *,
        real_logits: Scores = None,
        fake_logits: Scores = None,
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
        they are (probabilities where `discriminator_output="probability"`), of any shape, or lists of those of several scales. Waits for
        nothing on the device.
        """
        if self._closed:
            raise UsageError(f"the recorder of {self.path} is closed: make a new one with resume=True to go on")
        if self._updates.automatic:
            self._updates.automatic, self._capture.on_call = False, None
        if not (isinstance(real_logits, Tensor) and isinstance(fake_logits, Tensor)):
            real_logits, fake_logits = as_scores(real_logits), as_scores(fake_logits)
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
    def index(self) -> int:
        """The next step's index: how many steps there were."""
        return self._rows.index

    @property
    def last_fakes(self) -> list[Tensor]:
        """The generator's last outputs, the newest first: detached, on their device."""
        return [*self._capture.generated.held][::-1]

    @property
    def shows_changed_fakes(self) -> bool:
        """Whether D is shown the generator's outputs changed in between: augmented, with noise, in another range."""
        return self._capture.generated.changed

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
        self._updates.patience = ASIDE_AT_FIRST  # whoever knows the fakes has seen the discriminator called

    def read_two_classes(self) -> None:
        """Reads two values that D returns for each sample as the logits of two classes, the second of them the reals."""
        self._capture.two_classes = True

    def show_inputs(self, see: Callable[[tuple[Any, ...], Mapping[str, Any]], None]) -> None:
        """Has what the loop gives the generator shown to a function, at each call that builds a graph."""
        self._capture.on_made = see

    def tell(self, sentence: str) -> None:
        """Adds to what run.json says could not be told, once."""
        self._untold.say(sentence, sentence)

    def update_about(self, **changes: Any) -> None:
        """Changes entries of run.json."""
        self._thread.put(lambda: self._thread.update_about(changes))

    def flush(self) -> None:
        """Brings every row so far to the disk, and waits until it is there; with several ranks, every row that they have gathered.

        A disk that hangs is waited for once, for a minute; then the training goes on.
        """
        self._updates.end_if_complete()
        if self._ranks is None:
            self._rows.reduce()
        self._ship()
        self._thread.wait()

    def state_dict(self) -> dict[str, Any]:
        """Returns what a recorder made with `resume=STEP` must be given to go on exactly as if it had never stopped: tensors and numbers."""
        self._updates.end_if_complete()
        return {
            "index": self.index,
            "images_seen": self._pace.images_seen,
            "goes_first": self._updates.goes_first,
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
        self._pace.images_seen, self._updates.goes_first = float(state["images_seen"]), state["goes_first"]
        at, real, fake = state["previous"]
        self._schedule.previous = (at, *(None if t is None else t.to(self._device) for t in (real, fake)))
        for who, player in self._players.items():
            player.load_state_dict(state["players"][who], self._device)

    def detach(self) -> None:
        """Takes every hook away: modules and optimizers are as they were. The run stays open until `close`."""
        if not self._detached:
            self._detached = True
            self._capture.remove()
            self._updates.remove()
            self.heirs.remove()

    def close(self, status: Status = "finished") -> None:
        """Writes what is left, takes the hooks away and ends the run; a second call does nothing."""
        if self._closed:
            return
        if self._updates.automatic and not self._gave_up and any(self.updates.values()):
            self._end_step()
        self._updates.tell_if_no_step_ended()
        self._closed = True
        if not self._gave_up and self._players["discriminator"].total_updates:
            self.update_about(
                **told_at_the_end(self._capture, self._players, self._updates, self._ways, self.heirs, self._untold.say)
            )
        self.detach()
        self._judging.hurry()
        self._rows.alone = status != "finished"
        self._rows.meet()
        self._ship()
        self._thread.wait()
        self._untold.write(self._thread)  # what the last rows gave rise to
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
            self._capture.muted, self._capture.on_call = True, None
            self._updates.stop()
            self._untold.say("hook", warn_once(self.path, where, error))
            self._untold.write(self._thread)
        return True

    # -- the end of a step

    @property
    def _last_index(self) -> int:
        return max(self.index - 1, 0)

    def _end_step(
        self,
        real_logits: Tensor | None = None,
        fake_logits: Tensor | None = None,
        losses: tuple[Given, ...] = (None,) * 4,
        real: Tensor | None = None,
        fake: Tensor | None = None,
        data_wait_seconds: float | None = None,
        augmentation_probability: float | None = None,
    ) -> None:
        rows, updates = self._rows, self._updates
        updates.complete = False
        was = torch.is_grad_enabled()
        # torch.no_grad() costs several times as much; and nothing below needs a detach
        torch._C._set_grad_enabled(False)
        discriminator, generator = self._players.values()
        discriminator.look_whether_moved()
        generator.look_whether_moved()
        try:
            real = self._filling.fill(real_logits, fake_logits, losses, real, fake)
        finally:
            torch._C._set_grad_enabled(was)
        now = time.perf_counter()
        world = 1 if self._ranks is None else self._ranks.world
        if discriminator.moved_unseen or generator.moved_unseen:
            self.heirs.listen()
        row = self._pace.row(
            now,
            None if real is None else real.shape[0] * max(discriminator.updates, 1) * world,
            # of weights that something else moves nobody knows how many updates they had
            discriminator_updates=None if discriminator.moved_unseen else discriminator.updates,
            generator_updates=None if generator.moved_unseen else generator.updates,
            data_wait_seconds=data_wait_seconds,
            augmentation_probability=augmentation_probability,
        )
        rows.index += 1
        updates.end_step()
        rows.end_row(row, now)
        if self._untold.news:
            self._untold.write(self._thread)
        self._judging.hand_over()

    # -- what is written

    def _ship(self) -> None:
        self._rows.ship(anyway=True)
        self._untold.write(self._thread)

    def _look(self, rows: Chunk, hidden: Mapping[str, np.ndarray]) -> None:
        """Looks at rows that have reached the host; in the writer thread."""
        self._suspicions.look(
            rows, hidden, operation=self._capture.score_operation, activation=self._capture.image_operation
        )


def _close_at_exit(recorder: weakref.ref[Recorder], process: int) -> None:
    """Ends a run whose script ended without doing so; a forked child leaves it alone."""
    found = recorder()
    if found is None or os.getpid() != process:
        return
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    found.close("finished" if error is None else "interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
