"""Peers and us on the same features in one process, by turns, equal first and then timed: `python -m benchmarks.evaluation [CASE ...]`.

Peers: pip install --no-deps torch-fidelity prdc pytorch-fid vendi-score tqdm. Neither they nor we get more threads than the other.
Each case prints one row: median seconds of both over the rounds, and the ratio of each round's pair (median, smallest, largest).
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import math
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from metrics_peers import import_peer

from gandiag.metrics import (
    FrechetDistance,
    frechet_distance,
    frechet_statistics,
    kernel_distance,
    kernel_distance_subsets,
    prdc,
    vendi_score,
)
from gandiag.metrics.inception import fold, random_state
from gandiag.metrics.inception_onnx import onnx_session, run_session
from gandiag.metrics.pixel_paths import tensorflow_path

ROUNDS = 3
N, WIDE, NARROW = 10_000, 2048, 64
SETTINGS = {"rounds": ROUNDS}  # --rounds


@dataclass(frozen=True)
class Row:
    """One comparison: `ratio` is the peer's time over ours, of each round's pair."""

    name: str
    peer: str
    theirs: float
    ours: float
    ratio: tuple[float, float, float]
    target: str
    equal: str


def features(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features with a falling spectrum, a little apart, float32 as extractors give them."""
    random = np.random.default_rng(seed)
    scale = (1 + np.arange(d)) ** -0.5
    x = random.standard_normal((n, d), dtype=np.float32) * scale.astype(np.float32)
    y = random.standard_normal((n, d), dtype=np.float32) * scale.astype(np.float32) * np.float32(1.05) + np.float32(
        0.02
    )
    return x, y


def by_turns(
    name: str,
    peer: str,
    theirs: Callable[[], Any],
    ours: Callable[[], Any],
    *,
    target: str,
    equal: str,
    rounds: int = ROUNDS,
) -> Row:
    """Times A B A B, at most `rounds` times and at most --rounds; which goes first changes with each round."""
    rounds = min(rounds, SETTINGS["rounds"])
    times: dict[str, list[float]] = {"theirs": [], "ours": []}
    for i in range(rounds):
        for who, call in (("theirs", theirs), ("ours", ours))[:: 1 if i % 2 == 0 else -1]:
            gc.collect()
            start = time.perf_counter()
            call()
            times[who].append(time.perf_counter() - start)
    ratios = sorted(a / b for a, b in zip(times["theirs"], times["ours"]))
    return Row(
        name,
        peer,
        float(np.median(times["theirs"])),
        float(np.median(times["ours"])),
        (float(np.median(ratios)), ratios[0], ratios[-1]),
        target,
        equal,
    )


def close(found: float, expected: float, tolerance: float) -> str:
    """Asserts equality and says how near."""
    off = abs(found - expected) / max(abs(expected), 1e-300)
    assert off <= tolerance, f"{found!r} and {expected!r} differ by {off:.1e}, {tolerance:.0e} was allowed"
    return f"{off:.0e}"


def frechet() -> Iterator[Row]:
    """Statistics given, at d = 2048 and N = 10 000, the real side kept or not; then from features."""
    fidelity = import_peer("torch_fidelity.metric_fid")
    x, y = (a.astype(np.float64) for a in features(N, WIDE))
    a, b = frechet_statistics(x), frechet_statistics(y)
    theirs = [{"mu": s.mean, "sigma": s.covariance.copy()} for s in (a, b)]

    def their_fid() -> float:
        return float(fidelity.fid_statistics_to_metric(*theirs, False)["frechet_inception_distance"])

    value = frechet_distance(a, b)
    equal = close(value, their_fid(), 1e-8)
    yield by_turns(
        f"Fréchet, statistics given, real side kept, d={WIDE}",
        "torch-fidelity",
        their_fid,
        lambda: frechet_distance(a, fresh_with_covariance(b)),
        target="4",
        equal=equal,
    )
    yield by_turns(
        f"Fréchet, statistics given, cold, d={WIDE}",
        "torch-fidelity",
        their_fid,
        lambda: frechet_distance(fresh_with_covariance(a), fresh_with_covariance(b)),
        target="3.5",
        equal=equal,
    )
    tensors = [torch.from_numpy(z) for z in (x, y)]
    yield by_turns(
        f"Fréchet, features to value, real side kept, N={N}, d={WIDE}",
        "torch-fidelity",
        lambda: fidelity.fid_statistics_to_metric(theirs[0], fidelity.fid_features_to_statistics(tensors[1]), False),
        lambda: frechet_distance(a, y),
        target="2",
        equal=equal,
    )


def fresh_with_covariance(side: Any) -> Any:
    """The same statistics, whose factor is not known yet; the covariance is, since the peers are given covariances too."""
    made = type(side)(side.count, side.mean, side.scatter, side.rows)
    made.__dict__["covariance"] = side.covariance
    return made


def frechet_by_root() -> Iterator[Row]:
    """The same against the matrix square root that pytorch-fid, clean-fid and others take: half a minute a turn."""
    score = import_peer("pytorch_fid.fid_score")
    a, b = (frechet_statistics(z) for z in features(N, WIDE))

    def theirs() -> float:
        return float(score.calculate_frechet_distance(a.mean, a.covariance, b.mean, b.covariance))

    equal = close(frechet_distance(a, b), theirs(), 1e-8)
    yield by_turns(
        f"Fréchet, statistics given, cold, d={WIDE}",
        "pytorch-fid",
        theirs,
        lambda: frechet_distance(fresh_with_covariance(a), fresh_with_covariance(b)),
        target="15",
        equal=equal,
        rounds=2,
    )


def frechet_few() -> Iterator[Row]:
    """N = 1024 < d = 2048, where only the low-rank route is exact: the peers' own error is printed beside it."""
    fidelity = import_peer("torch_fidelity.metric_fid")
    x, y = (z.astype(np.float64) for z in features(N, WIDE))
    few, a = y[:1024], frechet_statistics(x)
    tensors = [torch.from_numpy(z) for z in (x, few)]
    given = [fidelity.fid_features_to_statistics(t) for t in tensors]

    def their_fid() -> float:
        return float(fidelity.fid_statistics_to_metric(*given, False)["frechet_inception_distance"])

    rows, upper = (few - few.mean(0)) / np.sqrt(1023), np.linalg.qr((x - x.mean(0)) / np.sqrt(N - 1), mode="r")
    exact = (
        ((x.mean(0) - few.mean(0)) ** 2).sum()
        + (rows**2).sum()
        + (upper**2).sum()
        - 2 * np.linalg.svd(rows @ upper.T, compute_uv=False).sum()
    )
    equal = close(frechet_distance(a, few), float(exact), 1e-10)
    off = abs(their_fid() - exact) / exact
    yield by_turns(
        f"Fréchet, N=1024 < d={WIDE}, real side kept",
        f"torch-fidelity (off by {off:.0e})",
        their_fid,
        lambda: frechet_distance(a, few),
        target="10",
        equal=equal,
    )


def neighbours(widths: tuple[int, ...] = (NARROW,)) -> Iterator[Row]:
    """PRDC, k = 5, N = 10 000."""
    package = import_peer("prdc")
    for d, target in ((w, "5" if w == NARROW else "2.2") for w in widths):
        x, y = (z.astype(np.float64) for z in features(N, d))
        with contextlib.redirect_stdout(None):
            theirs = package.compute_prdc(x, y, nearest_k=5)
        ours, extra = extra_memory(lambda x=x, y=y: prdc(x, y))
        assert ours._asdict() == theirs, (ours, theirs)

        def their_prdc(x: np.ndarray = x, y: np.ndarray = y) -> None:
            with contextlib.redirect_stdout(None):
                package.compute_prdc(x, y, nearest_k=5)

        yield by_turns(
            f"PRDC, N={N}, d={d} (+{extra:.0f} MB)",
            "prdc",
            their_prdc,
            lambda x=x, y=y: prdc(x, y),
            target=target,
            equal="exact",
            rounds=2,
        )


def kernels(widths: tuple[int, ...] = (NARROW,)) -> Iterator[Row]:
    """KID: 100 subsets of 1000 both ways, and ours over all pairs."""
    reference = import_peer("torch_fidelity.metric_kid")
    settings = {
        "kid_subsets": 100,
        "kid_subset_size": 1000,
        "kid_kernel": "poly",
        "kid_kernel_poly_degree": 3,
        "kid_kernel_poly_gamma": None,
        "kid_kernel_poly_coef0": 1.0,
        "rng_seed": 2020,
        "verbose": False,
    }
    for d, target in ((w, "3" if w == NARROW else "1") for w in widths):
        x, y = features(N, d)
        double = [z.astype(np.float64) for z in (x, y)]

        def theirs(a: np.ndarray, b: np.ndarray, few: int = 100) -> float:
            return float(
                reference.kid_features_to_metric(
                    torch.from_numpy(a), torch.from_numpy(b), **{**settings, "kid_subsets": few}
                )["kernel_inception_distance_mean"]
            )

        equal = close(kernel_distance_subsets(*double, subsets=4).mean, theirs(*double, few=4), 1e-9)
        yield by_turns(
            f"KID, 100 subsets of 1000, d={d}",
            "torch-fidelity",
            lambda x=x, y=y: theirs(x, y),
            lambda x=x, y=y: kernel_distance_subsets(x, y),
            target=target,
            equal=f"{equal} in float64",
        )
        if d == NARROW:
            yield by_turns(
                f"KID, all pairs of N={N} against 100 subsets, d={d}",
                "torch-fidelity",
                lambda x=x, y=y: theirs(x, y),
                lambda double=double: kernel_distance(*double),
                target="3",
                equal="another estimate",
            )


def vendi() -> Iterator[Row]:
    """Vendi at n = 5000, d = 64: the n x n form of the package against the d x d form."""
    package = import_peer("vendi_score.vendi")
    x = features(5000, NARROW)[0].astype(np.float64)
    equal = close(vendi_score(x), float(package.score_dual(x)), 1e-9)
    yield by_turns(
        "Vendi, n=5000, d=64",
        "vendi-score (score_X)",
        lambda: package.score_X(x),
        lambda: vendi_score(x),
        target="-",
        equal=f"{equal} to its dual",
        rounds=2,
    )


def inception() -> Iterator[Row]:
    """Inception features of 32 small images with the same random weights, from uint8 to 2048 features."""
    peer = import_peer("torch_fidelity.feature_extractor_inceptionv3")
    state = random_state()
    path = Path("inception-random.pth")
    torch.save(state, path)
    try:
        network = peer.FeatureExtractorInceptionV3("any", ["2048"], feature_extractor_weights_path=str(path))
    finally:
        path.unlink()
    ours = fold(state)
    session = onnx_session(ours)
    images = torch.randint(256, (32, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    theirs = network(images)[0]
    for name, run in (
        ("ONNX Runtime, batch norm folded", lambda: run_session(session, tensorflow_path(images))["2048"]),
        ("torch, folded, channels_last", lambda: ours.run(tensorflow_path(images))["2048"]),
    ):
        off = float((run() - theirs).norm() / theirs.norm())
        assert off < 1e-6, off
        yield by_turns(
            f"Inception features, 32 images: {name}",
            "torch-fidelity",
            lambda: network(images),
            run,
            target="2" if "ONNX" in name else "-",
            equal=f"{off:.0e}",
        )


def streaming() -> Iterator[Row]:
    """A streaming distance over a million images of 8 x 8: what the last nine tenths of them add to the memory."""
    metric = FrechetDistance("pixels")
    batch = torch.randint(256, (1000, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    def see(images: int) -> None:
        for _ in range(0, images, len(batch)):
            metric.update(batch, real=True)

    see(100_000)
    start = time.perf_counter()
    _, extra = extra_memory(lambda: see(900_000))
    seconds = time.perf_counter() - start
    name = f"Streaming Fréchet distance, from 100 000 to 1 000 000 images: {extra:+.1f} MB"
    yield Row(name, "-", math.nan, seconds, (math.nan,) * 3, "no growth", "-")


def extra_memory(call: Callable[[], Any]) -> tuple[Any, float]:
    """Returns what the call returned, and by how many MB the process was larger at its peak, looked at every 5 ms."""
    peak, done = [_resident()], threading.Event()
    before = peak[0]

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], _resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        found = call()
    finally:
        done.set()
        watcher.join()
    return found, (peak[0] - before) / 1e6


def _resident() -> float:
    with open("/proc/self/statm") as source:
        return int(source.read().split()[1]) * 4096.0


CASES: dict[str, Callable[[], Iterator[Row]]] = {
    "frechet": frechet,
    "frechet-few": frechet_few,
    "frechet-root": frechet_by_root,
    "prdc": neighbours,
    "prdc-wide": lambda: neighbours((WIDE,)),
    "kid": kernels,
    "kid-wide": lambda: kernels((WIDE,)),
    "vendi": vendi,
    "inception": inception,
    "streaming": streaming,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="which comparisons; all where none is named")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each, at most")
    given = parser.parse_args()
    chosen, SETTINGS["rounds"] = given.cases or list(CASES), given.rounds
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    print(
        f"torch {torch.__version__}, numpy {np.__version__}, {torch.get_num_threads()} threads, at most {given.rounds} rounds by turns\n"
    )
    print(
        "| work | peer | theirs, s | ours, s | ratio (smallest to largest) | target | equal to |\n|---|---|---|---|---|---|---|"
    )
    for case in chosen:
        for r in CASES[case]():
            if math.isnan(r.theirs):
                print(f"| {r.name} | {r.peer} | - | {r.ours:.3g} | - | {r.target} | {r.equal} |", flush=True)
                continue
            print(
                f"| {r.name} | {r.peer} | {r.theirs:.3g} | {r.ours:.3g} | **{r.ratio[0]:.2f}** ({r.ratio[1]:.2f} to {r.ratio[2]:.2f}) "
                f"| {r.target} | {r.equal} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
