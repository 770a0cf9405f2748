"""attach and detach: anybody's training under diagnosis, unedited. The players are found, then the automatic Recorder takes over."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch.optim import Optimizer
from torch.optim import optimizer as optimizers

from gandiag.errors import RunError
from gandiag.recording.distributed import ranks
from gandiag.recording.finder import Watch
from gandiag.recording.guard import warn
from gandiag.recording.naming import Players
from gandiag.recording.passing import EVALUATE_EVERY
from gandiag.recording.standing import record_standing
from gandiag.recording.untouched import hidden_from_scripting
from gandiag.recording.watched_game import Game

# updates in a row by optimizers that were not there before: the networks that were recorded are done
ANOTHER_TRAINING = 8
# ... while one of the players goes on and the other is moved no more: a network has taken its place
ANOTHER_PLAYER = 64
MOST_RUNS = 20  # of one process: a search over hyperparameters is not recorded for ever

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
        self.games: list[Game] = []  # of the training that is going on, or was the last one
        self.ended: list[Path] = []  # runs of earlier trainings of this process
        self.failure = ""  # why no recording could begin although the players were found
        self.speaks = True  # of processes that train together, only the first one does
        self._every, self._seed, self._about = every, seed, dict(about)
        self._tell = say
        self._names, self._namespace = names, namespace
        self._on_recording = on_recording
        self._foreign = 0
        self._known: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self._over = False
        self._watch = Watch(self._begin, names=names, namespace=namespace)
        self._show_to_scripting = hidden_from_scripting()
        self._optimizer_hook = optimizers.register_optimizer_step_pre_hook(self._before_step)

    @property
    def players(self) -> Players | None:
        """The players of the first game, None where none was found."""
        return self.games[0].players if self.games else None

    @property
    def paths(self) -> list[Path]:
        """The run directories so far, the oldest first."""
        return [*self.ended, *(game.path for game in self.games)]

    @property
    def why_not(self) -> str:
        """Why nothing is being recorded (yet); empty once the players are found."""
        return "" if self.games else self.failure or self._watch.verdict.why

    def _say(self, line: str) -> None:
        """Says a line; whoever listens cannot stop the script by an error of its own."""
        if self.speaks:
            try:
                self._tell(line)
            except Exception as error:
                self.speaks = False
                warn(
                    f"gandiag: what it says could not be told any more ({type(error).__name__}: {error}); first: {line}"
                )

    def _begin(self, found: list[Players]) -> None:
        """Begins a recording for each pair; a script must not fall because of one that cannot begin."""
        self._known = weakref.WeakSet(self._watch.seen)
        self._foreign = 0
        together = ranks()
        self.speaks = together is None or together.rank == 0
        for players in found:
            number = len(self.paths) + 1
            path = self.path if number == 1 else self.path.with_name(f"{self.path.name}-{number}")
            try:
                game = Game(
                    players,
                    path,
                    every=self._every,
                    seed=self._seed,
                    about=self._about,
                    say=self._say,
                    on_look=self._look,
                )
            except Exception as error:
                self.failure = f"the recording to {path} could not begin ({type(error).__name__}: {error})"
                self._say(self.failure)
                continue
            self.games.append(game)
        if len(found) > 1:
            self._say(
                f"{len(found)} pairs play here: each has a recording of its own; --generator and --discriminator choose one"
            )
        if self.games and self._on_recording is not None:
            self._on_recording(self)

    def _look(self) -> None:
        """Takes away the hooks through which the players were found, when no optimizer is stepping."""
        self._watch.stop()

    def _before_step(self, optimizer: Optimizer, _arguments: Any, _named: Any) -> None:
        """Notices what comes after: an optimizer that takes the place of a player's, or another training altogether."""
        if self._over or not self.games:
            return
        try:
            owners = [game for game in self.games if game.owns(optimizer)]
            if owners or optimizer in self._known:
                self._foreign = 0
                return
            heirs = [game for game in self.games if game.takes_over(optimizer)]
            if heirs:
                self._foreign = 0
                return
            self._foreign += 1
            alone = max(game.others_step() for game in self.games)
            over = self._foreign >= ANOTHER_TRAINING or alone >= ANOTHER_PLAYER
            if over and len(self.paths) < MOST_RUNS:
                self._begin_anew()
        except Exception as error:  # a script must not fall because of what watches it
            self._over = True
            self._say(f"what follows could not be watched ({type(error).__name__}: {error})")

    def _begin_anew(self) -> None:
        """Ends what was recorded, and looks for players again."""
        steps = self.games[0].steps
        self._say(
            f"the training that was recorded is over after {steps} steps; the next one will have a recording of its own"
        )
        self._watch.stop()
        for game in self.games:
            game.close("finished")
        self.ended += [game.path for game in self.games]
        self.games = []
        self._watch = Watch(self._begin, names=self._names, namespace=self._namespace)

    def detach(self, status: str = "finished") -> None:
        """Ends the recording: a last evaluation, the generator as safetensors, hooks taken away. The script's own state stays as it is."""
        global _current
        self._over = True
        self._optimizer_hook.remove()
        self._show_to_scripting()
        if not self.paths:
            self._record_who_stands()
        self._watch.stop()
        if _current is self:
            _current = None
        for game in self.games:
            game.close(status)

    def _record_who_stands(self) -> None:
        """Leaves a run of a game that never was one, since one of its players never moved."""
        together = ranks()
        if together is not None and together.rank:
            return
        try:
            found = self._watch.standing()
            if found is not None:
                record_standing(self.path, self._about, found)
                self.ended.append(self.path)
                self._say(
                    f"{found.generator} plays against {found.discriminator}, and the {found.who} never moves: {found.why}"
                )
        except Exception as error:  # a script must not fall because of what watches it
            self._say(f"a game of which one player never moves could not be recorded ({type(error).__name__}: {error})")


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
    """Writes one line of gandiag's own to standard error, so that a script's standard output stays its own.

    A script may have closed its standard error, or put something else in its place: then the line goes nowhere.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"gandiag: {line}\n")
        sys.stderr.flush()


def _main_namespace() -> dict[str, Any]:
    main = sys.modules.get("__main__")
    return dict(vars(main)) if main is not None else {}
