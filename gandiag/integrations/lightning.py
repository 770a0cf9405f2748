"""A Lightning callback that records a module with manual optimization."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gandiag.errors import UsageError
from gandiag.recording import Recorder


def lightning_callback(
    path: str | os.PathLike[str],
    *,
    generator: str = "generator",
    discriminator: str = "discriminator",
    losses: tuple[str, str] = ("d_loss", "g_loss"),
    **recorder_options: Any,
) -> Any:
    """Returns a Lightning callback that records a module with manual optimization; other options are those of `Recorder`.

    `generator` and `discriminator` are the attributes of the LightningModule that hold the networks (dots allowed). Optimizers are told
    by the parameters that they hold. A step ends with the batch in which the generator was updated. `losses` are the names under which
    D's and G's loss are found in what `training_step` returns, or else among what it logs; a loss that is in neither is absent. A run
    resumed from a Lightning checkpoint goes on with its record; rows after the checkpoint are superseded.
    """
    return _callback_class()(Path(path), generator, discriminator, losses, recorder_options)


def _callback_class() -> Any:
    home = next((n for n in ("lightning.pytorch", "pytorch_lightning") if n in sys.modules), None)
    for name in (home,) if home else ("lightning.pytorch", "pytorch_lightning"):
        try:
            base = importlib.import_module(name).Callback
            break
        except ImportError:
            continue
    else:
        raise UsageError("Lightning is not installed: pip install 'gandiag[lightning]'")

    class GandiagCallback(base):  # type: ignore[misc, valid-type]  # Lightning is optional: its class is known when it is needed
        def __init__(
            self, path: Path, generator: str, discriminator: str, losses: tuple[str, str], options: dict[str, Any]
        ) -> None:
            self.path, self.names, self.losses, self.options = path, (generator, discriminator), losses, options
            self.recorder: Recorder | None = None
            self._state: dict[str, Any] | None = None

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            G, D = (_attribute(pl_module, name) for name in self.names)
            resume = {} if self._state is None else {"resume": self._state["index"]}
            self.recorder = Recorder(
                self.path,
                generator=G,
                discriminator=D,
                generator_optimizer=_stepping(trainer.optimizers, G),
                discriminator_optimizer=_stepping(trainer.optimizers, D),
                **{**self.options, **resume},
            )
            if self._state is not None:
                self.recorder.load_state_dict(self._state)

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
            if self.recorder is not None and self.recorder.updates["generator"]:
                d_loss, g_loss = (_loss(outputs, trainer, name) for name in self.losses)
                self.recorder.step(d_loss=d_loss, g_loss=g_loss)

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            if self.recorder is not None:
                self.recorder.close()

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            if self.recorder is not None:
                self.recorder.close("interrupted" if isinstance(exception, KeyboardInterrupt) else "failed")

        def state_dict(self) -> dict[str, Any]:
            return {} if self.recorder is None else self.recorder.state_dict()

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            self._state = state_dict or None

    return GandiagCallback


def _attribute(module: Any, name: str) -> Any:
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise UsageError(
                f"{type(module).__name__} has no network {name!r}: give lightning_callback(..., generator=, discriminator=) "
                "the names of the attributes that hold them"
            )
    return found


def _stepping(optimizers: list[Any], module: Any) -> Any:
    """Returns the optimizer that holds the module's parameters, None where none does."""
    mine = {id(p) for p in module.parameters()}
    return next(
        (o for o in optimizers if any(id(p) in mine for group in o.param_groups for p in group["params"])), None
    )


def _loss(outputs: Any, trainer: Any, name: str) -> Any:
    if isinstance(outputs, Mapping) and name in outputs:
        return outputs[name]
    return trainer.callback_metrics.get(name)
