"""Checkpoints: everything that an exact resume needs, each written in one piece; and the trained generator, read back from one.

A checkpoint is a folder checkpoints/step-000004000 with the players' weights as safetensors (generator, generator_ema,
discriminator), state.pt (optimizers, random generators, recorder: torch.save, read with weights_only=True) and
checkpoint.json (what it is). last.json and best.json name a step.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from gandiag.errors import RunError
from gandiag.run import load_run
from gandiag.training.config import FIELDS, Config, check_config, read_value

FORMAT = 1
PLAYERS = ("generator", "generator_ema", "discriminator")
_FOLDER = re.compile(r"^step-(\d{9,})$")


@dataclass(frozen=True)
class Checkpoint:
    """What one checkpoint holds: weights by player, the rest of the state, and the facts that rebuild the networks."""

    path: Path
    step: int
    weights: dict[str, dict[str, Tensor]]
    state: dict[str, Any]
    facts: dict[str, Any]


@dataclass(frozen=True)
class TrainedGenerator:
    """A generator as it was trained: `module` is in eval mode on the CPU, called as module(z) or, with classes, module(z, labels).

    z has shape (n, *latent_shape), drawn from N(0, 1) where `latent` is 'normal' and from -1 .. 1 where it is 'uniform'; labels are
    int64 (n,) in 0 .. num_classes - 1. The result is images (n, *shape) in [-1, 1] or points (n, d).
    """

    module: nn.Module
    latent_shape: tuple[int, ...]
    latent: str
    num_classes: int | None
    output: Literal["images", "points"]
    shape: tuple[int, ...]
    step: int
    ema: bool
    facts: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(
    run: Path, step: int, *, players: Mapping[str, nn.Module], state: Mapping[str, Any], facts: Mapping[str, Any]
) -> Path:
    """Writes the checkpoint of a step and makes it the last one; a reader sees the whole of it or nothing. Returns its folder."""
    folder = run / "checkpoints"
    final = folder / f"step-{step:09d}"
    scratch = folder / f".step-{step:09d}.part"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        _fill(scratch, players, state, {"format": FORMAT, "step": step, **facts})
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)  # on a full disk what was begun takes the last of it
        raise
    if final.exists():
        shutil.rmtree(final)  # a resumed run comes by here again, with the same content
    os.replace(scratch, final)
    write_json(folder / "last.json", {"step": step})
    return final


def _fill(scratch: Path, players: Mapping[str, nn.Module], state: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    for name, module in players.items():
        save_file(
            {k: v.detach().to("cpu", copy=True).contiguous() for k, v in module.state_dict().items()},
            str(scratch / f"{name}.safetensors"),
        )
    torch.save(dict(state), scratch / "state.pt")
    write_json(scratch / "checkpoint.json", facts)
    for file in scratch.iterdir():
        _to_disk(file)


def prune_checkpoints(run: Path, keep: int) -> None:
    """Deletes all but the newest `keep` checkpoints and the best one."""
    best = named_step(run, "best")
    for step in checkpoint_steps(run)[:-keep]:
        if step != best:
            shutil.rmtree(run / "checkpoints" / f"step-{step:09d}", ignore_errors=True)


def forget_after(run: Path, step: int) -> None:
    """Deletes checkpoints beyond a step, and best.json where it names one: a resumed run will make them again."""
    best = named_step(run, "best")
    if best is not None and best > step:
        (run / "checkpoints" / "best.json").unlink()
    for later in checkpoint_steps(run):
        if later > step:
            shutil.rmtree(run / "checkpoints" / f"step-{later:09d}", ignore_errors=True)


def checkpoint_steps(run: Path) -> list[int]:
    """Returns the steps that have a checkpoint, in order."""
    folder = run / "checkpoints"
    names = (_FOLDER.match(entry.name) for entry in (folder.iterdir() if folder.is_dir() else ()))
    return sorted(int(match[1]) for match in names if match)


def named_step(run: Path, name: str) -> int | None:
    """Returns the step that best.json or last.json names, None where there is none or it has no checkpoint any more."""
    try:
        step = json.loads((run / "checkpoints" / f"{name}.json").read_text(encoding="utf-8"))["step"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return step if isinstance(step, int) and (run / "checkpoints" / f"step-{step:09d}").is_dir() else None


def read_best(run: Path) -> dict[str, Any] | None:
    """Returns what best.json says (step, score, value, better), None where there is no best checkpoint."""
    if named_step(run, "best") is None:
        return None
    best: dict[str, Any] = json.loads((run / "checkpoints" / "best.json").read_text(encoding="utf-8"))
    return best if isinstance(best.get("value"), (int, float)) else None


def load_checkpoint(run: str | os.PathLike[str], which: str | int = "last") -> Checkpoint:
    """Reads a checkpoint (`best`, `last` or a step) of a run; raises RunError with the steps that there are where it is missing or damaged."""
    folder, step = _find(Path(run), which)
    weights = {
        name: _read_weights(folder / f"{name}.safetensors")
        for name in PLAYERS
        if (folder / f"{name}.safetensors").exists()
    }
    try:
        state = torch.load(folder / "state.pt", map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever the bytes lead it to
        raise RunError(
            f"{folder / 'state.pt'} cannot be read ({type(error).__name__}); of checkpoints the run has {_steps(Path(run))}: "
            f"delete {folder} to go on at the one before"
        ) from None
    return Checkpoint(path=folder, step=step, weights=weights, state=state, facts=_read_facts(folder))


def load_generator(
    run: str | os.PathLike[str], checkpoint: str | int = "best", *, ema: bool = True
) -> TrainedGenerator:
    """Rebuilds the generator of a run from a checkpoint (`best`, `last` or a step), its moving average unless `ema` is false.

    `best` falls back to `last` where no score was ever computed. Raises RunError where the run has no such checkpoint.
    """
    from gandiag.training.players import build_generator_of

    path = Path(run)
    if checkpoint == "best" and named_step(path, "best") is None:
        checkpoint = "last"
    folder, step = _find(path, checkpoint)
    facts = _read_facts(folder)
    config = config_from(facts.get("config", {}))
    shape = tuple(int(n) for n in facts["shape"])
    module = build_generator_of(config, shape=shape, num_classes=facts["num_classes"])
    averaged = ema and (folder / "generator_ema.safetensors").exists()
    file = folder / ("generator_ema.safetensors" if averaged else "generator.safetensors")
    try:
        module.load_state_dict(_read_weights(file))
    except RuntimeError as error:
        raise RunError(f"{file} does not fit the network {config.generator!r}: {str(error).splitlines()[0]}") from None
    return TrainedGenerator(
        module=module.eval().requires_grad_(False),
        latent_shape=tuple(facts["latent_shape"]),
        latent=config.latent,
        num_classes=facts["num_classes"],
        output=facts["output"],
        shape=shape,
        step=step,
        ema=averaged,
        facts={k: v for k, v in facts.items() if k not in ("format", "step")},
    )


def config_from(values: Mapping[str, Any]) -> Config:
    """Returns the Config that a run.json or checkpoint.json holds; fields of other versions are passed over."""
    known: dict[str, Any] = {name: read_value(name, value) for name, value in values.items() if name in FIELDS}
    return check_config(Config(**known))


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Replaces a JSON file in one piece."""
    scratch = file.with_name(file.name + ".part")
    scratch.write_text(json.dumps(content, indent=1, default=list) + "\n", encoding="utf-8")
    os.replace(scratch, file)


def _find(run: Path, which: str | int) -> tuple[Path, int]:
    load_run(run)  # says what is wrong where this is no run at all
    if isinstance(which, str) and which not in ("best", "last"):
        if not which.isdigit():
            raise RunError(f"a checkpoint is best, last or a step, not {which!r}")
        which = int(which)
    step = named_step(run, which) if isinstance(which, str) else which
    if step is None and which == "last" and checkpoint_steps(run):
        step = checkpoint_steps(run)[-1]
    if step is None or step not in checkpoint_steps(run):
        raise RunError(f"{run} has no checkpoint {which!r}; it has {_steps(run)}")
    folder = run / "checkpoints" / f"step-{step:09d}"
    link = next((f for f in (folder.parent, folder, *folder.iterdir()) if f.is_symlink()), None)
    if link is not None:
        raise RunError(f"{link} is a link, and a run holds plain files only: copy the run with its content (cp -rL)")
    return folder, step


def _steps(run: Path) -> str:
    steps = checkpoint_steps(run)
    return (
        "those of steps " + ", ".join(map(str, steps))
        if steps
        else "none: it was not trained by `gandiag run`, or stopped before its first one"
    )


def _read_weights(file: Path) -> dict[str, Tensor]:
    try:
        weights: dict[str, Tensor] = load_file(str(file), device="cpu")
    except (OSError, SafetensorError, ValueError) as error:
        raise RunError(f"{file} cannot be read as safetensors ({error}); use another checkpoint") from None
    return weights


def _read_facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{folder / 'checkpoint.json'} cannot be read ({error}); use another checkpoint") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise RunError(f"{folder} is no checkpoint of format {FORMAT}")
    return facts


def _to_disk(file: Path) -> None:
    with file.open("rb") as source:
        os.fsync(source.fileno())
