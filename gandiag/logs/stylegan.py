"""The folder of a StyleGAN2-ADA or StyleGAN3 training, read as a log."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gandiag.errors import RunError
from gandiag.logs.log import Log, is_number
from gandiag.logs.tables import read_lines

MAX_BATCH, MAX_KIMG = 10**9, 1e12  # of a StyleGAN training; beyond, the file is damaged
_STYLEGAN = {
    "Loss/scores/real": "real_logit_mean",
    "Loss/scores/fake": "fake_logit_mean",
    "Loss/scores/real/std": "real_logit_sd",
    "Loss/scores/fake/std": "fake_logit_sd",
    "Loss/signs/real": "real_sign_mean",
    "Loss/G/loss": "generator_loss",
    "Loss/D/loss": "discriminator_loss",
    "Loss/D/reg": "discriminator_penalty",
    "Loss/G/reg": "generator_penalty",
    "Progress/augment": "augmentation_probability",
    "Timing/total_sec": "wall_time",
}
_STYLEGAN_SCORES = {
    "fid50k_full": "frechet_distance[inception-tf]",
    "fid50k": "frechet_distance[inception-tf]",
    "kid50k_full": "kernel_distance[inception-tf]",
    "kid50k": "kernel_distance[inception-tf]",
    "pr50k3_full_precision": "precision[vgg16]",
    "pr50k3_full_recall": "recall[vgg16]",
    "is50k_mean": "inception_score",
}


def read_stylegan(folder: Path, names: dict[str, str]) -> Log:
    """Reads the folder of a StyleGAN2-ADA or StyleGAN3 training: stats.jsonl, metric-*.jsonl and training_options.json. Steps are batches."""
    import pandas as pd

    options = _options(folder)
    batch = options.get("batch_size")
    batch = batch if isinstance(batch, int) and 0 < batch < MAX_BATCH else 1
    rows = [
        (round(r["Progress/kimg"] * 1000 / batch), r)
        for r in read_lines(folder / "stats.jsonl")
        if is_number(r.get("Progress/kimg")) and 0 <= r["Progress/kimg"] < MAX_KIMG
    ]
    columns: dict[str, dict[int, float]] = {}
    for step, row in rows:
        for theirs, ours in {**_STYLEGAN, **names}.items():
            if is_number(row.get(theirs)):
                columns.setdefault(ours, {})[step] = float(row[theirs])
        signs = [row.get(f"Loss/signs/{what}") for what in ("real", "fake")]
        if all(is_number(s) for s in signs):
            columns.setdefault("discriminator_accuracy", {})[step] = (
                2 + float(signs[0] or 0) - float(signs[1] or 0)
            ) / 4
    for file in sorted(folder.glob("metric-*.jsonl")):
        for row in read_lines(file):
            match = re.search(r"(\d{6,12})", str(row.get("snapshot_pkl", "")))
            for theirs, ours in _STYLEGAN_SCORES.items():
                if match and is_number(row.get(f"results/{theirs}")):
                    columns.setdefault(ours, {})[round(int(match[1]) * 1000 / batch)] = float(row[f"results/{theirs}"])
    series = {n: pd.Series(v, dtype=float, name=n).rename_axis("step").sort_index() for n, v in columns.items() if v}
    if not series:
        raise RunError(f"{folder / 'stats.jsonl'} holds no statistics of a StyleGAN training (Progress/kimg, Loss/...)")
    return Log(folder, _stylegan_about(folder, options), series)


def _options(folder: Path) -> dict[str, Any]:
    file = folder / "training_options.json"
    try:
        options = json.loads(file.read_text(encoding="utf-8")) if file.is_file() and file.stat().st_size < 2**24 else {}
    except (OSError, ValueError, RecursionError):
        options = {}
    return options if isinstance(options, dict) else {}


def _stylegan_about(folder: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    def part(name: str) -> dict[str, Any]:
        return options[name] if isinstance(options.get(name), dict) else {}

    data, g, d = part("training_set_kwargs"), part("G_opt_kwargs"), part("D_opt_kwargs")
    about: dict[str, Any] = {
        "name": folder.name,
        "source": "stylegan",
        "loss": "non-saturating",
        "seed": options.get("random_seed"),
        "could_not_tell": [],
    }
    about["optimizers"] = {
        who: {
            "class": str(o.get("class_name", "")).rsplit(".", 1)[-1],
            "learning_rate": o.get("lr"),
            "betas": o.get("betas"),
        }
        for who, o in (("generator", g), ("discriminator", d))
        if o
    }
    about["data"] = {
        "name": Path(str(data.get("path", ""))).name or None,
        "kind": "images",
        "count": data.get("max_size"),
    }
    about["options"] = {
        "gamma": part("loss_kwargs").get("r1_gamma"),
        "ada_target": options.get("ada_target"),
        "batch": options.get("batch_size"),
    }
    return about
