"""attach and detach: anybody's training under diagnosis, unedited. The players are found, then the automatic Recorder takes over."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gandiag.errors import RunError
from gandiag.recording.direct import Direct, tell_hooks
from gandiag.recording.finder import Watch
from gandiag.recording.latents import Feed
from gandiag.recording.naming import Players
from gandiag.recording.passing import EVALUATE_EVERY, KEEP_EVERY, LOOK_EVERY, Passing
from gandiag.recording.pieces import Together
from gandiag.recording.probes import PROBES
from gandiag.recording.step import Step, Value

FEW_REALS = 32  # with fewer even the one evaluation at the end of a short script would say nothing

_current: Attachment | None = None  # the one attachment of this process, so that `gandiag.detach()` needs no argument


class Attachment:
    """What `attach` returns: whom it found, where it records, and the way to end it."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        names: tuple[str | None, str | None],
        say: Callable[[str], None],
        every: int,
        seed: int,
        about: Mapping[str, Any],
        namespace: Callable[[], dict[str, Any]],
        on_recording: Callable[[Attachment], None] | None,
    ) -> None:
        self.path = Path(path).absolute()  # the script may change its working directory
        self.players: Players | None = None
        self.recorder: Any = None
        self.passing: Passing | None = None
        self._say, self._every, self._seed, self._about = say, every, seed, dict(about)
        self._on_recording = on_recording
        self._undo: list[Callable[[], None]] = []
        self._watch = Watch(self._begin, names=names, namespace=namespace)

    @property
    def why_not(self) -> str:
        """Why nothing is being recorded (yet); empty once the players are found."""
        return "" if self.players is not None else self._watch.verdict.why

    def _begin(self, players: Players) -> None:
        from gandiag.recording.recorder import Recorder

        facts = players.facts
        if isinstance(players.discriminator, Together):
            self._undo.append(players.discriminator.link())
        direct = Direct(_nothing, tell_hooks)
        for module in players.called_directly:
            direct.watch(module)
        self._undo.append(direct.remove)
        self.players = replace(players, calls=(), fakes=())  # batches of the script's are not kept alive
        self.passing = Passing(
            players.generator,
            Feed(players.calls, facts["latents"]),
            output=facts["sample_output"],
            seed=self._seed,
            every=self._every,
        )
        watched = {"attached": {**facts, "doubts": list(players.doubts)}, "could_not_tell": list(players.doubts)}
        self.recorder = Recorder(
            self.path,
            generator=players.generator,
            discriminator=players.discriminator,
            generator_optimizer=players.generator_optimizer,
            discriminator_optimizer=players.discriminator_optimizer,
            discriminator_output=players.discriminator_output,
            automatic=True,
            probes={**PROBES, self.passing.keep: KEEP_EVERY, self._look: LOOK_EVERY},
            about={**self._about, **watched},
        )
        self.recorder.remember_fakes(*players.fakes)
        self.passing.recorder = self.recorder
        self._say(f"recording to {self.path}: {in_words(players)}")
        for doubt in players.doubts:
            self._say(f"could not tell: {doubt}")
        if self._on_recording is not None:
            self._on_recording(self)

    def _look(self, step: Step) -> dict[str, Value]:
        """Evaluates when it is due; the first time, it also takes away the hook through which the players were found."""
        self._watch.stop()
        assert self.passing is not None
        return self.passing.evaluate_when_due(step)

    def detach(self, status: str = "finished") -> None:
        """Ends the recording: a last evaluation, the generator as safetensors, hooks taken away. The script's own state stays as it is."""
        global _current
        self._watch.stop()
        if _current is self:
            _current = None
        recorder, self.recorder = self.recorder, None
        if recorder is None:
            return
        try:
            if self.passing is not None and recorder.index > 0:
                self.passing.evaluate(recorder.index - 1, enough=FEW_REALS)
                self.passing.save("last", recorder.index - 1)
        except Exception as error:  # whatever a last look at a stranger's net runs into, the run must be closed
            recorder.record_event("not_evaluated", why=f"{type(error).__name__}: {error}")
            self._say(f"the last evaluation failed ({type(error).__name__}: {error})")
        finally:
            for undo in self._undo:
                undo()
            recorder.close(status)


def attach(
    path: str | os.PathLike[str],
    *,
    generator: str | None = None,
    discriminator: str | None = None,
    every: int = EVALUATE_EVERY,
    seed: int = 0,
    about: Mapping[str, Any] | None = None,
    say: Callable[[str], None] | None = None,
    namespace: Callable[[], dict[str, Any]] | None = None,
    on_recording: Callable[[Attachment], None] | None = None,
) -> Attachment:
    """Records whatever GAN this process trains from now on to the run directory `path`, without a line in its loop.

    Call it before the training begins. Global hooks watch the first updates until it is clear whose output feeds whom; then
    they go, and the automatic Recorder takes over. `generator` and `discriminator` (variables of the script, dotted or not, or
    class names) decide where more than one pair plays. `every` is how many steps lie between two evaluations. What it found
    and what it could not tell goes to `say` (standard error, if None). Raises RunError where this process is attached already
    or the folder holds something.
    """
    global _current
    if _current is not None:
        raise RunError(f"this process is recorded already, to {_current.path}: call gandiag.detach() first")
    if Path(path).exists() and (not Path(path).is_dir() or any(Path(path).iterdir())):
        raise RunError(f"{path} exists and is not empty: give another folder")
    warnings.filterwarnings("ignore", message=".*there are global hooks on modules.*")
    _current = Attachment(
        path,
        names=(generator, discriminator),
        say=say or print_to_stderr,
        every=every,
        seed=seed,
        about=about or {},
        namespace=namespace or _main_namespace,
        on_recording=on_recording,
    )
    return _current


def detach() -> None:
    """Ends what `attach` began: the run is closed, every hook is gone. Does nothing where nothing is attached."""
    if _current is not None:
        _current.detach()


def print_to_stderr(line: str) -> None:
    """Writes one line of gandiag's own to standard error, so that a script's standard output stays its own."""
    sys.stderr.write(f"gandiag: {line}\n")
    sys.stderr.flush()


def in_words(players: Players) -> str:
    """Says in one line who plays: networks with their sizes, latents, D's output, the order of updates, what the samples are."""
    facts = players.facts
    generator, discriminator = players.generator, players.discriminator
    latents = " and ".join(_latent_in_words(kind) for kind in facts["latents"] if kind["kind"] != "constant")
    output = "output probability in [0, 1]" if players.discriminator_output == "probability" else "output logits"
    shape = "x".join(str(n) for n in facts["sample_shape"]) or "scalar"
    return (
        f"generator: {facts['generator']} ({_size(generator)} parameters), latent {latents}; "
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


def _main_namespace() -> dict[str, Any]:
    main = sys.modules.get("__main__")
    return dict(vars(main)) if main is not None else {}
