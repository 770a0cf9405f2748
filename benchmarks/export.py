"""What an export costs and gives: parity and latency beside torch, fp16, and the bundle served for real. `python -m benchmarks.export`.

The generators are those of the harness, untrained but with their batch norms' statistics set: speed and rounding do not depend on
training. With `--mlserver-python PYTHON` (an environment that has mlserver, onnxruntime and tritonclient[http]) the bundle is served by
MLServer and called by tritonclient and by plain HTTP; without, by the standard library's server of docs/deployment.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import torch

from gandiag.export import Bundle, export_generator
from gandiag.training.networks import GENERATORS, build_generator

PAGE = Path(__file__).resolve().parent.parent / "docs" / "deployment.md"
WORKLOADS = {
    "dcgan 3x32x32": ("dcgan", (3, 32, 32), (100,)),
    "mlp 1x8x8": ("mlp", (1, 8, 8), (64,)),
    "mlp ring": ("mlp", (2,), (8,)),
}
BATCHES = (1, 2, 3, 5, 8, 16, 64)
TRITON_CALLER = """
import sys, numpy, tritonclient.http as triton
address, model, file = sys.argv[1:]
data = numpy.load(file)
client = triton.InferenceServerClient(address)
made = []
for start, stop in data["cuts"]:
    z = data["z"][start:stop]
    tensor = triton.InferInput("z", list(z.shape), "FP32")
    tensor.set_data_from_numpy(z, binary_data=False)
    answer = client.infer(model, [tensor], outputs=[triton.InferRequestedOutput("image", binary_data=False)])
    made.append(answer.as_numpy("image"))
numpy.save(file + ".out.npy", numpy.concatenate(made))
"""


def generator(name: str, shape: tuple[int, ...], latent: tuple[int, ...]) -> torch.nn.Module:
    """A generator of the harness whose running statistics are those of its own activations."""
    torch.manual_seed(0)
    net = build_generator(name, shape, latent)
    with torch.no_grad():
        for _ in range(3):
            net.train()(torch.randn(64, *latent))
    return net.eval()


def exports(folder: Path, compiled: bool) -> dict[str, Bundle]:
    """Exports each workload, prints its certificates, and returns the bundles."""
    bundles = {}
    for label, (name, shape, latent) in WORKLOADS.items():
        start = time.perf_counter()
        net = generator(name, shape, latent)
        torch.compiler.reset()  # one forward is compiled for all of them, and recompiled only so often
        bundle = export_generator(net, latent, folder / label.replace(" ", "-"), compiled=compiled, mlserver=True)
        print(
            f"\n{label}: {sum(p.numel() for p in net.parameters()) / 1e6:.2f}M parameters, exported in {time.perf_counter() - start:.1f} s"
        )
        for one in bundle.certificates:
            print(f"  {one.name:<12}{one.word:<8}{one.claim}")
        bundles[label] = bundle
    return bundles


def all_generators(folder: Path) -> None:
    """Exports every generator of the harness, with and without classes, and prints each one's parity."""
    print("\n| generator | classes | parity |\n|---|---|---|")
    for name in GENERATORS:
        for classes in (None, 10):
            torch.manual_seed(0)
            net = build_generator(name, (1, 8, 8), (16,), num_classes=classes, width=8)
            with torch.no_grad():
                for _ in range(20):
                    net.train()(torch.randn(64, 16), *([] if classes is None else [torch.randint(classes, (64,))]))
            bundle = export_generator(net.eval(), 16, folder / f"{name}-{classes}", num_classes=classes, measure=False)
            print(f"| {name} | {classes or '-'} | {bundle.certificate('parity').claim} |", flush=True)


def half(folder: Path, full: Bundle) -> None:
    """Exports the DCGAN in half precision and prints its size beside the full one's."""
    name, shape, latent = WORKLOADS["dcgan 3x32x32"]
    bundle = export_generator(generator(name, shape, latent), latent, folder / "half", fp16=True)
    share = bundle.model.stat().st_size / full.model.stat().st_size
    print(
        f"\nfp16: {share:.2f} of the size; {bundle.certificate('parity').claim}\n      {bundle.certificate('quality').claim}"
    )


@contextmanager
def mlserver(python: str, folder: Path) -> Iterator[str]:
    """MLServer on a free port of this machine alone."""
    ports = [free_port() for _ in range(3)]
    names = ("HTTP", "GRPC", "METRICS")
    settings = {f"MLSERVER_{name}_PORT": str(port) for name, port in zip(names, ports)}
    environment = {
        **os.environ,
        **settings,
        "MLSERVER_HOST": "127.0.0.1",
        "MLSERVER_PARALLEL_WORKERS": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [str(Path(python).parent / "mlserver"), "start", "."]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for(f"http://127.0.0.1:{ports[0]}/v2/health/ready")
            yield f"http://127.0.0.1:{ports[0]}"
        finally:
            process.terminate()


@contextmanager
def plain_server(bundle: Bundle) -> Iterator[str]:
    """The standard library's server that docs/deployment.md shows."""
    place = {"json": json, "numpy": np, "session": bundle.session("cpu").runtime}
    exec(page_block(), place)  # noqa: S102 - our own page
    server = ThreadingHTTPServer(("127.0.0.1", 0), place["Handler"])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def page_block() -> str:
    """The server and the client of docs/deployment.md, without the lines that start them."""
    block = next(
        b for b in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S) if "class Handler" in b
    )
    return block[: block.index("server = ThreadingHTTPServer")]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(address: str, seconds: float = 60.0) -> None:
    """Returns once the address answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urlopen(address, timeout=2).close()
            return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise TimeoutError(f"{address} does not answer")


def requests(bundle: Bundle, count: int) -> list[np.ndarray]:
    """Latents of `count` requests of mixed batch sizes."""
    random = np.random.default_rng(0)
    sizes = random.choice(BATCHES, count)
    return [random.standard_normal((size, *bundle.contract.latent_shape)).astype(np.float32) for size in sizes]


def call_all(
    fetch: Callable[..., np.ndarray], address: str, model: str, bundle: Bundle, latents: list[np.ndarray]
) -> float:
    """Sends every request, prints throughput and latencies, and returns the largest difference to the file's own answers."""
    session, times, worst = bundle.session("cpu"), [], 0.0
    start = time.perf_counter()
    for z in latents:
        before = time.perf_counter()
        made = fetch(address, model, z)
        times.append(time.perf_counter() - before)
        worst = max(worst, float(np.abs(made - session(z)).max()))
    wall, rows = time.perf_counter() - start, sum(map(len, latents))
    low, middle, high = np.quantile(times, [0.05, 0.5, 0.99]) * 1e3
    print(f"  plain HTTP: {len(latents)} requests, {rows} samples, {len(latents) / wall:.0f} requests/s, {rows / wall:.0f} samples/s, "
          f"latency 5 % {low:.2f}, median {middle:.2f}, 99 % {high:.2f} ms; largest difference to the file {worst:.1e}")  # fmt: skip
    return worst


def call_by_triton(
    python: str, address: str, model: str, bundle: Bundle, latents: list[np.ndarray], folder: Path
) -> float:
    """The same requests through tritonclient, in the environment that has it; returns the largest difference to the file's own answers."""
    ends = np.cumsum([len(z) for z in latents])
    file = folder / "latents.npz"
    np.savez(file, z=np.concatenate(latents), cuts=np.stack([ends - [len(z) for z in latents], ends], 1))
    start = time.perf_counter()
    subprocess.run([python, "-c", TRITON_CALLER, address.removeprefix("http://"), model, str(file)], check=True)
    wall = time.perf_counter() - start
    session = bundle.session("cpu")
    expected = np.concatenate([session(z) for z in latents])
    worst = float(np.abs(np.load(f"{file}.out.npy") - expected).max())
    print(
        f"  tritonclient: {len(latents)} requests, {len(latents) / wall:.0f} requests/s with its start; largest difference to the file {worst:.1e}"
    )
    return worst


def serve(bundle: Bundle, count: int, python: str | None, folder: Path) -> list[float]:
    """Serves a bundle and calls it, by MLServer where it is at hand; returns each client's largest difference to the file."""
    place: dict[str, Any] = {"json": json, "numpy": np, "session": None}
    exec(page_block(), place)  # noqa: S102 - our own page
    latents = requests(bundle, count)
    if python is None:
        print("\nserved by the standard library's server of docs/deployment.md (no --mlserver-python):")
        with plain_server(bundle) as address:
            return [call_all(place["fetch"], address, "generator", bundle, latents)]
    print("\nserved by MLServer:")
    with mlserver(python, bundle.path / "mlserver") as address:
        return [
            call_all(place["fetch"], address, "generator", bundle, latents),
            call_by_triton(python, address, "generator", bundle, latents, folder),
        ]


def main() -> None:
    """Runs all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mlserver-python", metavar="PYTHON", help="the Python of an environment with mlserver")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--compiled", action="store_true", help="time torch.compile too")
    parser.add_argument("--every-generator", action="store_true", help="only export all generators of the harness")
    parser.add_argument("--threads", type=int, default=1, help="of torch and of ONNX Runtime")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {sys.platform}")
    with tempfile.TemporaryDirectory() as scratch:
        if options.every_generator:
            all_generators(Path(scratch))
            return
        bundles = exports(Path(scratch), options.compiled)
        half(Path(scratch), bundles["dcgan 3x32x32"])
        serve(bundles["mlp 1x8x8"], options.requests, options.mlserver_python, Path(scratch))


if __name__ == "__main__":
    main()
