"""The house: who may import whom, no torch right of the run directory, and what `--help` loads."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "gandiag"
STAGES = ("cli", "training", "recording", "metrics", "diagnosis", "reporting", "export")
GROUND = {"errors"}  # every stage may say what went wrong
MAY_IMPORT = {
    "errors": set(),
    "quantities": set(),
    "run": set(),
    "logs": {"run", "quantities"},
    "metrics": set(),
    "recording": {"run", "quantities", "metrics"},
    "training": {"run", "quantities", "recording", "metrics", "diagnosis"},
    "diagnosis": {"run", "quantities", "logs"},
    "reporting": {"run", "quantities", "diagnosis", "logs"},
    "export": {"metrics", "run", "quantities"},
    "integrations": {"recording", "run", "quantities"},
}
FREE_OF_TORCH = ("run", "logs", "quantities", "errors", "diagnosis", "reporting")
HEAVY = ("torch", "pandas", "scipy", "onnxruntime", "sklearn", "plotly", "onnx", "pyarrow")


def stage_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imports_of(file: Path) -> list[tuple[str, int]]:
    """Every module of ours, and of others, that a file imports anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found += [
                (f"{node.module}.{alias.name}" if node.module == "gandiag" else node.module, node.lineno)
                for alias in node.names
            ]
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(file: Path) -> None:
    stage = stage_of(file)
    if stage in ("cli", "__init__", "__main__"):
        return
    allowed = MAY_IMPORT[stage] | GROUND | {stage}
    for module, line in imports_of(file):
        if module.split(".")[0] == "gandiag" and len(module.split(".")) > 1:
            target = module.split(".")[1]
            if target == "__version__":
                continue
            assert target in allowed, (
                f"{file.relative_to(ROOT)}:{line} imports gandiag.{target}; {stage} may import only {sorted(allowed)}"
            )


@cache
def files_read_by(file: Path) -> set[Path]:
    """The files of its own folder that a file imports, anywhere in it: in a function or for types alone is an arrow too."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {file_of(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {file_of(f"{node.module}.{alias.name}") or file_of(node.module) for alias in node.names}
    return {f for f in found if f is not None and f.parent == file.parent and f != file}


def file_of(module: str) -> Path | None:
    """The file that a module of ours is; a folder's is its door."""
    place = ROOT.joinpath(*module.split("."))
    return next((f for f in (place.with_suffix(".py"), place / "__init__.py") if f in FILES), None)


def circle_through(file: Path) -> list[str]:
    """The shortest way by imports within a folder from a file back to itself; empty where there is none."""
    ways = [[file]]
    seen = set()
    for way in ways:  # grows as it goes: the nearest files first
        for following in sorted(files_read_by(way[-1])):
            if following == file:
                return [p.stem for p in (*way, file)]
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return []


@pytest.mark.parametrize("folder", sorted({f.parent for f in FILES} - {PACKAGE}), ids=lambda f: f.name)
def test_data_flows_one_way_within_a_folder(folder: Path) -> None:
    circles = {" -> ".join(c) for f in sorted(folder.glob("*.py")) if (c := circle_through(f))}
    assert not circles, (
        f"files of {folder.relative_to(ROOT)} that cannot be read one after the other: {sorted(circles)}"
    )


@pytest.mark.parametrize(
    "file", [f for f in FILES if stage_of(f) in FREE_OF_TORCH], ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_no_torch_right_of_the_run_directory(file: Path) -> None:
    for module, line in imports_of(file):
        assert module.split(".")[0] not in ("torch", "sklearn", "safetensors", "onnxruntime"), (
            f"{file.relative_to(ROOT)}:{line} imports {module}"
        )


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_every_file_says_in_its_first_line_what_it_is_for(file: Path) -> None:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert docstring, f"{file} has no docstring"
    assert len(docstring.splitlines()[0]) > 12


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_one_level_of_folders(stage: str) -> None:
    assert not [p for p in (PACKAGE / stage).rglob("*.py") if len(p.relative_to(PACKAGE).parts) > 2]


def modules_loaded_by(code: str) -> set[str]:
    names = "sorted({m.split('.')[0] for m in sys.modules})"
    script = f"import sys, json\ntry:\n    {code}\nexcept SystemExit: pass\nprint('MODULES' + json.dumps({names}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.split("MODULES")[-1]))


def verbs() -> list[str]:
    from gandiag.cli import VERBS, _file_exists

    return [v for v in VERBS if _file_exists(v)]


def test_importing_gandiag_loads_nothing_heavy() -> None:
    assert not modules_loaded_by("import gandiag") & {*HEAVY, "numpy", "click"}


@pytest.mark.parametrize("verb", ["", *verbs()])
def test_help_loads_nothing_heavy(verb: str) -> None:
    arguments = [verb, "--help"] if verb else ["--help"]
    loaded = modules_loaded_by(f"from gandiag.cli import main; main({arguments!r})") & set(HEAVY)
    assert not loaded, f"gandiag {verb} --help loads {sorted(loaded)}"


@pytest.mark.parametrize("module", ["gandiag.run", "gandiag.diagnosis", "gandiag.reporting"])
def test_the_right_hand_side_loads_no_torch(module: str) -> None:
    assert not modules_loaded_by(f"import {module}") & {"torch", "sklearn", "onnxruntime"}


@pytest.mark.parametrize("verb", verbs())
def test_every_verbs_help_ends_with_an_example(verb: str) -> None:
    done = subprocess.run([sys.executable, "-m", "gandiag", verb, "--help"], capture_output=True, text=True, check=True)
    assert f"gandiag {verb}" in done.stdout.split("Example", 1)[-1], (
        f"`gandiag {verb} --help` shows no runnable example"
    )
