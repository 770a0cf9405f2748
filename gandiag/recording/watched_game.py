"""One pair of players that attach has found: its recorder, what passes by, and how both end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch.optim import Optimizer

from gandiag.recording.direct import Direct, tell_hooks
from gandiag.recording.guard import until_it_fails
from gandiag.recording.latents import Feed
from gandiag.recording.naming import Players
from gandiag.recording.passing import KEEP_EVERY, LOOK_EVERY, Passing
from gandiag.recording.pieces import Together
from gandiag.recording.probes import PROBES
from gandiag.recording.step import Step, Value

FEW_REALS = 32  # with fewer even the one evaluation at the end of a short script would say nothing


class Game:
    """A recording of one generator against one discriminator, begun after the players were found."""

    def __init__(
        self,
        players: Players,
        path: Path,
        *,
        every: int,
        seed: int,
        about: Mapping[str, Any],
        say: Callable[[str], None],
        on_look: Callable[[], None],
    ) -> None:
        from gandiag.recording.recorder import Recorder

        facts = players.facts
        self.path = path
        self.players = replace(players, calls=(), fakes=())  # batches of the script's are not kept alive
        self._say, self._on_look = say, on_look
        self._undo: list[Callable[[], None]] = []
        if isinstance(players.discriminator, Together):
            self._undo.append(players.discriminator.link(self._failed))
        direct = Direct(_nothing, until_it_fails(tell_hooks, self._failed))
        for module in players.called_directly:
            direct.watch(module)
        self._undo.append(direct.remove)
        self.passing = Passing(
            players.generator,
            Feed(players.calls, facts["latents"]),
            output=facts["sample_output"],
            seed=seed,
            every=every,
        )
        watched = {"attached": {**facts, "doubts": list(players.doubts)}, "could_not_tell": list(players.doubts)}
        self.recorder = Recorder(
            path,
            generator=players.generator,
            discriminator=players.discriminator,
            generator_optimizer=players.generator_optimizer,
            discriminator_optimizer=players.discriminator_optimizer,
            discriminator_output=players.discriminator_output,
            automatic=True,
            probes={**PROBES, self.passing.keep: KEEP_EVERY, self._look: LOOK_EVERY},
            about={**about, **watched},
        )
        if players.fakes:
            self.recorder.remember_fakes(*players.fakes)
        if players.two_classes:
            self.recorder.read_two_classes()
        self.passing.recorder = self.recorder
        if self.passing.feed.ages:
            self.recorder.show_inputs(self.passing.feed.see)
        self._closed = False
        self.recorder.heirs.leave_to_attach(say)
        say(f"recording to {path}: {in_words(players)}")
        for doubt in players.doubts:
            say(f"could not tell: {doubt}")

    def _failed(self, where: str, error: Exception) -> None:
        """Ends the watching after a failure of a hook that only passes calls on to the recorder's."""
        self.recorder.give_up(where, error)

    @property
    def steps(self) -> int:
        """How many steps were recorded so far."""
        return self.recorder.index

    def owns(self, optimizer: Optimizer) -> bool:
        """Tells, at each update by it, whether an optimizer is one of the players' that is recorded."""
        return self.recorder.heirs.owns(optimizer)

    def takes_over(self, optimizer: Optimizer) -> bool:
        """Tells whether an optimizer that is new steps a player; it is followed where the player's own has ceased to."""
        return self.recorder.heirs.takes_over(optimizer)

    def others_step(self) -> int:
        """Notes an update of networks that do not play here; returns how many there were since the player that has rested longest moved."""
        return self.recorder.heirs.another_steps()

    def _look(self, step: Step) -> dict[str, Value]:
        """Evaluates when it is due; the first time, it also takes away the hooks through which the players were found."""
        self._on_look()
        return self.passing.evaluate_when_due(step)

    def close(self, status: str) -> None:
        """Ends the recording, after a last look at what the generator makes; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        recorder: Any = self.recorder
        try:
            if recorder.index > 0 and recorder.writes:
                self.passing.evaluate(recorder.index - 1, enough=FEW_REALS)
                self.passing.save("last", recorder.index - 1)
        except Exception as error:  # whatever a last look at a stranger's net runs into, the run must be closed
            recorder.record_event("not_evaluated", why=f"{type(error).__name__}: {error}")
            self._say(f"the last evaluation failed ({type(error).__name__}: {error})")
        finally:
            for undo in self._undo:
                undo()
            recorder.close(status)


def in_words(players: Players) -> str:
    """Says in one line who plays: networks with their sizes, latents, D's output, the order of updates, what the samples are."""
    facts = players.facts
    generator, discriminator = players.generator, players.discriminator
    latents = " and ".join(_latent_in_words(kind) for kind in facts["latents"] if kind["kind"] != "constant")
    output = "output probability in [0, 1]" if players.discriminator_output == "probability" else "output logits"
    shape = "x".join(str(n) for n in facts["sample_shape"]) or "scalar"
    return (
        f"generator: {facts['generator']} ({_size(generator)} parameters), latent {latents or 'drawn by itself'}; "
        f"discriminator: {facts['discriminator']} ({_size(discriminator)} parameters), {output}; {facts['order']}; samples {shape}"
    )


def _latent_in_words(kind: Mapping[str, Any]) -> str:
    shape = "(" + ", ".join(str(n) for n in kind["shape"]) + ")"
    if kind["kind"] in ("label", "one-hot"):
        return f"{kind['kind']} of {kind['classes']} classes"
    if kind.get("one_hot"):
        return f"{kind['kind']} {shape} with a one-hot of {len(kind['one_hot'])} classes in it"
    return f"{kind['kind']} {shape}" if kind["kind"] != "unknown" else f"of an unknown law {shape}"


def _size(module: Any) -> str:
    count = sum(p.numel() for p in module.parameters())
    return f"{count / 1e6:.1f}M" if count >= 1e6 else f"{count / 1e3:.1f}k" if count >= 1e3 else str(count)


def _nothing(_module: Any, _arguments: Any) -> None:
    return None
