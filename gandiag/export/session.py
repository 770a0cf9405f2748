"""Session: an ONNX model run by ONNX Runtime, on the provider that was asked for or not at all. No torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gandiag.errors import UsageError
from gandiag.export.contract import IMAGE, LABEL, LATENT, ExportError

Provider = Literal["auto", "cpu", "cuda", "tensorrt"]
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}
CUDA_OPTIONS = {
    "use_tf32": "0",
    "cudnn_conv_algo_search": "HEURISTIC",
}  # TF32 keeps 10 bits: its rounding is no float32 parity


@dataclass(frozen=True)
class Session:
    """An open model; `provider` is the short name of the one that ONNX Runtime really uses."""

    runtime: Any
    provider: str
    labelled: bool

    def __call__(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Runs one batch: latents (n, ...) float32 and, where the model takes them, labels (n,) int64."""
        feed = {LATENT: np.ascontiguousarray(latents, dtype=np.float32)}
        if self.labelled:
            if labels is None:
                raise ExportError("the model takes labels and none were given")
            feed[LABEL] = np.ascontiguousarray(labels, dtype=np.int64)
        try:
            return np.asarray(self.runtime.run([IMAGE], feed)[0])
        except Exception as error:  # onnxruntime raises its own types, which share no base but Exception
            raise ExportError(f"ONNX Runtime failed on a batch of {len(latents)}: {_first_line(error)}") from error


def open_session(model: bytes, provider: Provider = "auto", threads: int = 0) -> Session:
    """Opens a model held in memory; raises ExportError where the provider that was asked for would not be the one that runs.

    "auto" takes CUDA where it really works and the CPU otherwise. `threads` is the number of CPU threads (0: all).
    """
    if provider not in ("auto", *PROVIDERS):
        raise UsageError(f"unknown provider {provider!r}: choose auto, {', '.join(PROVIDERS)}")
    onnxruntime = _runtime(provider)
    wanted = _wanted(provider, onnxruntime.get_available_providers())
    try:
        runtime = onnxruntime.InferenceSession(model, _options(onnxruntime, threads), providers=_with_options(wanted))
    except Exception as error:  # see Session.__call__
        raise ExportError(f"ONNX Runtime refuses the model: {_first_line(error)}") from error
    used = runtime.get_providers()[0]
    if provider != "auto" and used != PROVIDERS[provider]:
        raise ExportError(
            f"{provider} was asked for, but ONNX Runtime fell back to {used}: install what {provider} needs, or say --provider cpu"
        )
    labelled = LABEL in {one.name for one in runtime.get_inputs()}
    return Session(runtime, {long: short for short, long in PROVIDERS.items()}.get(used, used), labelled)


def run_in_batches(session: Session, latents: np.ndarray, labels: np.ndarray | None, batch: int) -> np.ndarray:
    """Runs all latents through a session, `batch` at a time; a last batch that is short is filled up and cut again."""
    parts = []
    for start in range(0, len(latents), batch):
        index = np.arange(start, start + batch) % len(latents)
        parts.append(session(latents[index], None if labels is None else labels[index])[: len(latents) - start])
    return np.concatenate(parts)


def _runtime(provider: str) -> Any:
    if provider in ("cuda", "tensorrt") or (provider == "auto" and _has_nvidia_device()):
        import contextlib

        with contextlib.suppress(
            ImportError
        ):  # torch first: its CUDA libraries are the ones that ONNX Runtime then finds
            import torch  # noqa: F401 - for its effect
    import onnxruntime

    onnxruntime.set_default_logger_severity(
        4
    )  # a provider that cannot load is our error to tell, not a wall of text on stderr
    return onnxruntime


def _wanted(provider: str, available: Sequence[str]) -> list[str]:
    if provider == "auto":
        cuda = PROVIDERS["cuda"] in available and _has_nvidia_device()
        return [PROVIDERS["cuda"], PROVIDERS["cpu"]] if cuda else [PROVIDERS["cpu"]]
    if PROVIDERS[provider] not in available:
        raise ExportError(
            f"this ONNX Runtime has no {PROVIDERS[provider]} (it has {', '.join(available)}): say --provider cpu, or install onnxruntime-gpu"
        )
    fallbacks = {"cpu": ["cpu"], "cuda": ["cuda", "cpu"], "tensorrt": ["tensorrt", "cuda", "cpu"]}[provider]
    return [PROVIDERS[one] for one in fallbacks if PROVIDERS[one] in available]


def _with_options(providers: Sequence[str]) -> list[Any]:
    return [(name, CUDA_OPTIONS) if name == PROVIDERS["cuda"] else name for name in providers]


def _has_nvidia_device() -> bool:
    return (
        os.path.exists("/dev/nvidiactl")
        or os.path.exists("/dev/dxg")
        or (os.name == "nt" and "CUDA_PATH" in os.environ)
    )


def _options(onnxruntime: Any, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return options


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
