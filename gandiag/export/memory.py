"""Memory: what serving the file takes, measured in a process of its own. `python -m gandiag.export.memory` is that process. No torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from gandiag.export.contract import Certificate, Contract

BATCHES = (1, 64)
SECONDS = 120.0  # a serving process that hangs is not waited for


def memory_certificate(model: bytes, contract: Contract) -> Certificate:
    """Opens the file in a fresh process on the CPU and reads its peak memory: bare, after loading, after each batch. Informs only."""
    request = json.dumps({"contract": contract.as_json(), "bytes": len(model)}).encode() + b"\n"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "gandiag.export.memory"],
            input=request + model,
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        peaks: dict[str, int] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return Certificate("memory", None, f"not measured: {type(error).__name__}", {})
    base, last = peaks["runtime"], list(peaks)[-1]
    grown = {name: peak - base for name, peak in peaks.items()}
    over = f"{grown[last] / 1e6:.0f} MB over ONNX Runtime alone"
    claim = f"{peaks[last] / 1e6:.0f} MB at {last}, of which {over}; the file has {len(model) / 1e6:.2f} MB"
    return Certificate("memory", None, claim, {"peak_bytes": peaks, "over_runtime_bytes": grown})


def peak_bytes() -> int:
    """The most memory that this process has held, in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024
    except (OSError, StopIteration):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Reads a contract and a model from stdin, runs it, and writes the peaks to stdout as JSON."""
    import onnxruntime  # noqa: F401 - its own memory is the baseline

    from gandiag.export.latents import draw_labels, draw_latents
    from gandiag.export.session import open_session

    request: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    contract = Contract.from_json(request["contract"])
    peaks = {"runtime": peak_bytes()}
    session = open_session(sys.stdin.buffer.read(request["bytes"]), "cpu", 1)
    peaks["loaded"] = peak_bytes()
    for size in BATCHES if contract.batch is None else (contract.batch,):
        session(draw_latents(contract, size), draw_labels(contract, size))
        peaks[f"batch {size}"] = peak_bytes()
    sys.stdout.write(json.dumps(peaks))


if __name__ == "__main__":
    main()
