"""Mutants: small faults put into metrics, checks, recording and the run directory, one at a time; does a test notice? Prints a table.

    python -m benchmarks.mutants                       53 mutants, one a file
    python -m benchmarks.mutants --count 10 --seed 3 --only metrics/frechet.py
    python -m benchmarks.mutants --count 40 --only diagnosis/
    python -m benchmarks.mutants --count 46 --only recording/

A mutant is one change of one place: a comparison turned round or made strict, plus for minus, times for divide, `and` for `or`, a number a tenth
larger or a whole number one larger, a condition negated. The tests of that file's topic run in a copy of the repository until the first one fails.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 900  # that the tests may take; a mutant that makes them hang is noticed too


def _files(topic: str, names: str) -> str:
    return " ".join(f"test_{topic}_{name}.py" for name in names.split())


METRICS = {
    "frechet": "frechet*",
    "fidelity": "fidelity*",
    "kernel": "kernel*",
    "neighbours": "neighbours*",
    "diversity": "diversity*",
    "modes": "modes*",
    "memorisation": "fidelity* neighbours*",
}
CHECKS = (
    "balance", "collapse", "data_change", "dropping", "dynamics", "evidence", "failures",
    "fakes", "inputs", "local_dynamics", "memory", "miswired", "motion", "objective",
    "pictures", "progress", "scores", "trends", "turning", "weights",
)  # fmt: skip
RECORDING = {
    "arnoldi": "game",
    "buffer": "twin recorder accelerator",
    "diversity": "diversity twin",
    "duality": "measures",
    "force": "twin shapes",
    "game": "game measures",
    "gradients": "twin parts",
    "heldout": "measures",
    "jacobian": "measures parts",
    "judging": "recorder threads",
    "logits": "logits twin parts",
    "noise": "measures",
    "numerics": "twin parts",
    "origin": "origin loops",
    "pace": "recorder parts",
    "paths": "measures trace",
    "player": "twin parts stale shapes double capture",
    "reduce": "twin recorder parts accelerator",
    "schedule": "twin recorder parts",
    "suspicions": "parts recorder",
    "trace": "trace",
    "turns": "late_turns loops odd_loops stale shapes",
    "weights": "measures parts",
}
# a file's own tests first: most mutants end there
TESTS = (
    {f"metrics/{name}.py": _files("metrics", tests) for name, tests in METRICS.items()}
    | {f"diagnosis/{name}.py": _files("diagnosis", f"{name}* *") for name in CHECKS}
    | {f"recording/{name}.py": _files("recording", tests) for name, tests in RECORDING.items()}
    | {f"run/{name}.py": "test_run*.py" for name in ("following", "reading", "writing")}
)
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True)
class Mutant:
    """One change: the line, what stands there, and the whole file with the change."""

    file: str
    line: int
    change: str
    source: str


def mutants_of(file: str, count: int, chance: random.Random) -> list[Mutant]:
    """Returns so many mutants of a file of the package, drawn by chance, in the order of the file."""
    text = (ROOT / "gandiag" / file).read_text(encoding="utf-8")
    places = list(range(len(_places(ast.parse(text)))))
    chance.shuffle(places)
    made: list[Mutant] = []
    for place in places:
        if len(made) < count and (mutant := _mutant(file, text, place)) is not None:
            made.append(mutant)
    return sorted(made, key=lambda mutant: mutant.line)


def _places(tree: ast.AST) -> list[ast.AST]:
    """The nodes that can be changed, in the order of the file; annotations, docstrings and messages aside."""
    found: list[ast.AST] = []

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.JoinedStr | ast.Raise):
            return
        if isinstance(node, ast.Compare | ast.BinOp | ast.BoolOp | ast.IfExp | ast.If):
            found.append(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            found.append(node)
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns", "decorator_list"):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        walk(child)

    walk(tree)
    return found


def _mutant(file: str, text: str, number: int) -> Mutant | None:
    tree = ast.parse(text)
    node = _places(tree)[number]
    before = ast.unparse(node.test) if isinstance(node, ast.If | ast.IfExp) else ast.unparse(node)
    if isinstance(node, ast.If | ast.IfExp):
        node.test = ast.UnaryOp(ast.Not(), node.test)
        after = ast.unparse(node.test)
    else:
        if isinstance(node, ast.Compare):
            swap = SWAPS.get(type(node.ops[0]))
            if swap is None:
                return None
            node.ops[0] = swap()  # type: ignore[assignment]  # an operator of the same kind
        elif isinstance(node, ast.BinOp | ast.BoolOp):
            swap = SWAPS.get(type(node.op))
            if swap is None:
                return None
            node.op = swap()  # type: ignore[assignment]  # an operator of the same kind
        elif isinstance(node, ast.Constant):
            value = node.value
            assert isinstance(value, int | float)
            node.value = value + 1 if isinstance(value, int) else value * 1.1 if value else 0.1
        after = ast.unparse(node)
    line = getattr(node, "lineno", 0)
    return Mutant(file, line, f"`{before[:70]}` -> `{after[:70]}`", ast.unparse(ast.fix_missing_locations(tree)))


def tests_of(file: str, copy: Path) -> list[str]:
    """Returns the test files of a file's topic, each once."""
    found = [str(t) for pattern in TESTS[file].split() for t in sorted((copy / "tests").glob(pattern))]
    return list(dict.fromkeys(found))


def survives(mutant: Mutant, copy: Path) -> bool:
    """Runs the tests of the mutant's topic in the copy; whether all of them pass."""
    target = copy / "gandiag" / mutant.file
    whole = target.read_text(encoding="utf-8")
    target.write_text(mutant.source, encoding="utf-8")
    try:
        return _passes(tests_of(mutant.file, copy), copy)
    finally:
        target.write_text(whole, encoding="utf-8")


def _passes(tests: list[str], copy: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-o", "addopts=", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> None:
    """Plays the mutants and prints what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=53)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only",
        default="",
        metavar="FILE",
        help="a file, or the beginning of its name: metrics/, diagnosis/, recording/, run/",
    )
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    files = [file for file in TESTS if file.startswith(asked.only)]
    if not files:
        parser.error(f"--only: there is no {asked.only!r}; there are {', '.join(TESTS)}")
    chosen = []
    for i, file in enumerate(files):
        chosen += mutants_of(file, asked.count // len(files) + (i < asked.count % len(files)), chance)
    print(
        f"{len(chosen)} mutants, seed {asked.seed}\n\n| file | line | change | a test fails |\n|---|---|---|---|",
        flush=True,
    )
    alive = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder) / "copy"
        for part in ("gandiag", "tests", "benchmarks", "docs", "pyproject.toml"):
            source = ROOT / part
            copied = shutil.copytree if source.is_dir() else shutil.copy2
            (copy / part).parent.mkdir(parents=True, exist_ok=True)
            copied(source, copy / part)  # type: ignore[operator]  # either takes two paths
        unhurt = sorted({test for mutant in chosen for test in tests_of(mutant.file, copy)})
        if not _passes(unhurt, copy):
            raise SystemExit(f"the tests fail without a mutant, or take more than {SECONDS} s: nothing can be told")
        for mutant in chosen:
            lives = survives(mutant, copy)
            alive += lives
            print(
                f"| {mutant.file} | {mutant.line} | {mutant.change.replace('|', '/')} | {'**no**' if lives else 'yes'} |",
                flush=True,
            )
    print(f"\n{len(chosen) - alive} of {len(chosen)} were noticed")


if __name__ == "__main__":
    main()
