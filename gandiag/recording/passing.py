"""What passes by is enough for quality: a seeded reservoir of reals as D saw them, and fresh fakes, scored every so many steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gandiag.quantities import AVERAGE
from gandiag.recording.averaged import Average
from gandiag.recording.diversity import all_over
from gandiag.recording.latents import Feed
from gandiag.recording.outputs import tensors
from gandiag.recording.sides import Side, make_side
from gandiag.recording.step import Step, Value
from gandiag.recording.untouched import bare, own_randomness, to_eval_mode, untouched

RESERVOIR = 1024  # reals kept: enough that the distance's own noise stays below the changes that matter
FAKES = 512  # drawn for each evaluation
ENOUGH = 256  # reals before the first evaluation: the clusters that it makes stay the modes of the whole run
KEEP_EVERY = 1  # while the reservoir fills; afterwards every THIN_EVERY steps
THIN_EVERY = 10
LOOK_EVERY = 50
FIRST_LOOKS = (50, 100, 200)  # young runs change fast; afterwards every EVALUATE_EVERY steps
EVALUATE_EVERY = 500
OF_A_STEP = 16  # of the reals that are kept of the last steps: one batch may be of one class
SHOWN = 64  # samples kept for the page
PARTS_TRIED = 8  # steps: what an augmentation has changed is never found
AS_SHOWN = (
    "what the discriminator is shown is changed on the way from the generator (augmented, with noise, in another range): what is scored are the last "
    "fakes as they were shown to it, against reals as they were shown to it"
)
BATCH = 64  # at a time through the generator

Scored = tuple[dict[str, Any], dict[str, list[str]], dict[str, Any]]  # scores, labels, protocol


class Passing:
    """Keeps reals as they pass, draws fakes from the generator as the script does, and scores the ones against the others.

    Its two probes return no series: `keep` fills the reservoir, `evaluate_when_due` hands scores and samples to the recorder.
    Nothing of the script is touched: own random streams, modes and buffers put back, no gradients.
    """

    def __init__(
        self,
        generator: nn.Module,
        feed: Feed,
        *,
        output: int = 0,
        seed: int = 0,
        every: int = EVALUATE_EVERY,
    ) -> None:
        self.generator = bare(generator)
        self.feed = feed
        self.output = output  # which of the tensors that the generator returns is the sample
        self.every = every
        self.seed = seed
        self.recorder: Any = None
        self.best: tuple[float, int] | None = None
        self.average = Average(self.generator)
        # what the last scores are of: the generator, or its moving average where that is the better
        self.better: nn.Module = self.generator
        self._random = np.random.default_rng(seed)
        self._part: slice | None = None  # of what D is shown, where the loop joins samples and conditions in one tensor
        self._tried = 0
        self._reals: Tensor | None = None
        self._passed = 0
        self._shown: deque[Tensor] = (
            deque()
        )  # the last fakes as D was shown them, where they are changed on the way to it
        self._shown_reals: deque[Tensor] = deque()  # and the reals beside them: noise on both fades, say
        self._reference: Side | None = None
        self._size = torch.Size()  # of the samples of which that is made
        self._moves = 0  # how often the reals that are scored against were exchanged
        self._last = -1

    # -- probes

    def keep(self, step: Step) -> dict[str, Value]:
        """Lets each real take its chance of a place in the reservoir (algorithm R); the draw is on the host, the copy on the device."""
        real = self._sample_in(step)
        if step.fake is not None and self.recorder.shows_changed_fakes:
            _keep_last(self._shown, step.fake, FAKES)
            if real is not None:
                _keep_last(self._shown_reals, all_over(real, OF_A_STEP), FAKES)
        full = self._passed >= RESERVOIR
        if real is None or not real.is_floating_point() or real.ndim < 2 or (full and step.index % THIN_EVERY):
            return {}
        if self._reals is None or self._reals.shape[1:] != real.shape[1:]:
            self._reals, self._passed = (
                torch.empty((RESERVOIR, *real.shape[1:]), dtype=real.dtype, device=real.device),
                0,
            )
        first = self._passed + np.arange(len(real))
        places = np.where(first < RESERVOIR, first, self._random.integers(0, first + 1))
        self._passed += len(real)
        rows = np.flatnonzero(places < RESERVOIR)
        if len(rows):
            last_wins = {int(places[r]): int(r) for r in rows}
            target, source = (torch.tensor(list(x)) for x in (last_wins.keys(), last_wins.values()))
            self._reals[target.to(real.device, non_blocking=True)] = real.detach()[
                source.to(real.device, non_blocking=True)
            ]
        return {}

    def _sample_in(self, step: Step) -> Tensor | None:
        """Returns the reals without the labels, codes or source images that the loop has joined to them along the first axis."""
        real, fake = step.real, step.fake
        if self._part is None and fake is not None:
            self._tried += 1
            found = (p for made in self.recorder.last_fakes if (p := part_of(made, fake)) is not None)
            self._part = next(found, slice(None) if self._tried >= PARTS_TRIED else None)
        return real if real is None or self._part is None or real.ndim < 2 else real[:, self._part]

    def evaluate_when_due(self, step: Step) -> dict[str, Value]:
        """Scores the generator at the fixed steps of the schedule."""
        self.average.look()
        if step.index in FIRST_LOOKS or (step.index and step.index % self.every == 0):
            self.evaluate(step.index)
        return {}

    # -- scoring

    def evaluate(self, index: int, enough: int = ENOUGH) -> None:
        """Scores fresh fakes against the reals kept, and hands scores, samples and the best generator so far to the recorder."""
        if not self.recorder.writes:
            return
        with own_randomness(self.seed):  # some of what computes the scores draws from the streams that are the script's
            self._evaluate(index, enough)

    def _evaluate(self, index: int, enough: int) -> None:
        count = min(self._passed, RESERVOIR)
        if self._reals is None or (self._reference is None and count < enough) or index == self._last:
            return
        self._last = index
        reals = self._reals[:count].detach().float().cpu()
        fakes = self._as_shown() if self._shown else self.draw(FAKES)
        if fakes is None or fakes.shape[1:] != reals.shape[1:]:
            self.recorder.record_event("not_evaluated", why="what the generator returns has not the shape of the reals")
            return
        broken = int((~torch.isfinite(fakes.flatten(1)).all(1)).sum())
        if broken:
            self.recorder.record_event("not_evaluated", why=f"{broken} of {len(fakes)} fresh samples are not finite")
            return
        if self._reference is not None and self._size != reals.shape[1:]:
            sizes = f"{_in_words(reals.shape[1:])} in place of {_in_words(self._size)}"
            why = f"the samples are of another size than at first, {sizes}: their scores could not be compared"
            self.recorder.record_event("not_evaluated", why=why)
            return
        self._size = reals.shape[1:]
        side = self._real_side(reals)
        if self._shown and (others := self._moved(side)) is not None:
            reals, side = others
            self.recorder_has_reals = False
        scores, labels, protocol = side.score(fakes, self.seed)
        self.better = self.generator
        average = self._of_the_average(reals, side)
        if average is not None and _distance_in(average[1][0]) < _distance_in(scores):
            fakes, (scores, labels, protocol) = average
            self.better = self.average.module or self.generator
            protocol = {**protocol, "generator": AVERAGE}
        self.recorder.record_evaluation(scores, protocol=protocol, labels=labels, step=index)
        self.recorder.record_samples(side.shown(fakes[:SHOWN]), kind="fake", step=index)
        if not self.recorder_has_reals:
            self.recorder.record_samples(side.shown(reals[:SHOWN]), kind="real", step=index if self._moves else 0)
            self.recorder_has_reals = True
        self._keep_best(scores, index)

    def _moved(self, side: Side) -> tuple[Tensor, Side] | None:
        """Returns the reals as D was shown them last, and a side of them, where those that the scores were against so far are others; else None.

        They are others where their Frechet distance to those lies above twice what chance gives.
        """
        last = [batch.float().cpu() for batch in self._shown_reals if batch.shape[1:] == self._size]
        if sum(len(batch) for batch in last) < ENOUGH:
            return None
        reals = torch.cat(last)
        scores = side.score(reals, self.seed)[0]
        low, floor = (
            next((float(v) for k, v in scores.items() if k.startswith(f"frechet_distance_{what}[")), 0.0)
            for what in ("low", "floor")
        )
        if not low > 2 * floor:
            return None
        self._reference, self._moves, self.best = make_side(reals, self.seed), self._moves + 1, None
        self.recorder.record_event("reference_changed", distance=low, chance=floor)
        return reals, self._reference

    def _as_shown(self) -> Tensor:
        """Returns the last fakes as D was shown them, on the host: nobody else can change fresh ones as the script changes reals and fakes."""
        self.recorder.tell(AS_SHOWN)
        return torch.cat([batch.float().cpu() for batch in self._shown if batch.shape[1:] == self._shown[-1].shape[1:]])

    recorder_has_reals = False

    def _of_the_average(self, reals: Tensor, side: Side) -> tuple[Tensor, Scored] | None:
        """Returns what the generator's moving average makes, and its scores; None where the script keeps none, or that gives nothing to score."""
        # where the script changes G's fakes, it does not change those of the average
        average = None if self._shown else self.average.settle()
        fakes = None if average is None else self.draw(FAKES, average)
        if fakes is None or fakes.shape[1:] != reals.shape[1:] or not torch.isfinite(fakes).all():
            return None
        return fakes, side.score(fakes, self.seed)

    def draw(self, count: int, generator: nn.Module | None = None) -> Tensor | None:
        """Returns fresh fakes (count, ...) on the host, drawn in eval mode with the observed kind of latent; None where G fails so."""
        generator = self.generator if generator is None else generator
        draw = np.random.default_rng([self.seed, 1])
        made: list[Tensor] = []
        with torch.no_grad(), untouched(generator), own_randomness(self.seed):
            to_eval_mode(generator)
            while (have := sum(len(batch) for batch in made)) < count:
                arguments, named = self.feed.draw(min(BATCH, count - have), draw)
                try:
                    out = uncompiled(generator)(*arguments, **named)
                except (RuntimeError, TypeError, ValueError) as error:
                    self.recorder.record_event(
                        "not_evaluated", why=f"the generator cannot be called in eval mode: {error}"
                    )
                    return None
                found = list(tensors(out))
                made.append(found[min(self.output, len(found) - 1)].detach().float().cpu())
        return torch.cat(made)[:count]  # a generator that draws its own latents makes as many as it likes

    def _real_side(self, reals: Tensor) -> Side:
        if self._reference is None:
            self._reference = make_side(reals, self.seed)
        return self._reference

    def _keep_best(self, scores: Mapping[str, Any], index: int) -> None:
        distance = _distance_in(scores)
        if distance < np.inf and (self.best is None or distance < self.best[0]):
            self.best = (distance, index)
            self.save("best", index)

    def save(self, which: str, index: int) -> Path:
        """Writes the generator as safetensors to RUN/checkpoints/WHICH-generator.safetensors, in one piece."""
        import json
        import os

        from safetensors.torch import save_file

        folder = Path(self.recorder.path) / "checkpoints"
        folder.mkdir(exist_ok=True)
        file = folder / f"{which}-generator.safetensors"
        tensors = {
            name: t.detach().cpu().clone().contiguous()
            for name, t in self.better.state_dict().items()
            if isinstance(t, Tensor)
        }
        scratch = file.with_suffix(".part")
        save_file(
            tensors,
            scratch,
            metadata={
                "step": str(index),
                "class": type(self.better).__name__,
                "weights": "the generator's own" if self.better is self.generator else AVERAGE,
                "latents": json.dumps(self.feed.kinds),
            },
        )
        os.replace(scratch, file)
        return file


def _keep_last(batches: deque[Tensor], batch: Tensor, count: int) -> None:
    """Adds a batch to the last ones, of which as many are kept as hold `count` samples."""
    batches.append(batch.detach())
    while sum(len(b) for b in batches) - len(batches[0]) >= count:
        batches.popleft()


def _in_words(shape: torch.Size) -> str:
    return "x".join(str(n) for n in shape)


def _distance_in(scores: Mapping[str, Any]) -> float:
    return float(next((v for k, v in scores.items() if k.startswith("frechet_distance[")), np.inf))


def part_of(made: Tensor, shown: Tensor) -> slice | None:
    """Returns which part along axis 1 of what D was shown is the generator's own output; None where it is not part of it."""
    if made.ndim == 1 and len(shown) == 1:
        made = made.unsqueeze(0)  # one sample without an axis for the batch
    if made.ndim != shown.ndim or made.ndim < 2 or len(made) != len(shown) or made.shape[2:] != shown.shape[2:]:
        return None
    size, whole = made.shape[1], shown.shape[1]
    for begin in (0, whole - size) if size < whole else ():
        if torch.equal(shown[:, begin : begin + size], made):
            return slice(begin, begin + size)
    return slice(None) if size == whole else None


def uncompiled(module: nn.Module) -> Callable[..., Any]:
    """Returns the module's call without its compiled form: eval mode and our batches would have it compiled once more."""
    return module._call_impl if getattr(module, "_compiled_call_impl", None) is not None else module
