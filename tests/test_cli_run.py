"""gandiag run and gandiag recipes: options, sources of values, errors in one line with an exit code, what is said at the end."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandiag.cli import main
from gandiag.run import load_run
from gandiag.training.recipes import RECIPES
from tests import forked

TINY = ["--data", "ring:sd=0.05", "--steps", "8", "--batch", "16", "--no-report"]
TINY += [
    part
    for setting in ("generator_width=8", "discriminator_width=8", "evaluation_samples=100", "evaluate_every=0")
    for part in ("--set", setting)
]


class Said:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)

    def run(*args: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main(list(args))
        captured = capsys.readouterr()
        return Said(int(ended.value.code or 0), captured.out, captured.err)

    return run


def test_a_run_ends_with_verdict_and_the_commands_that_come_next(say) -> None:
    said = say("run", *TINY)
    run = load_run("runs/00000-mlp-ring")
    assert said.code == 0
    assert said.out.startswith("runs/00000-mlp-ring: ")
    assert "gandiag report runs/00000-mlp-ring" in said.out
    assert "gandiag export runs/00000-mlp-ring" in said.out
    assert "step 8/8" in said.err
    assert run.about["config_sources"]["batch"] == "flag"
    assert run.about["config_sources"]["generator_width"] == "set"
    assert run.about["config_sources"]["loss"] == "default"
    assert run.about["recipe"] == "mlp"
    assert run.about["command"][:2] == ["gandiag", "run"] or run.about["command"][0] == "gandiag"
    assert say("run", *TINY).out.startswith("runs/00001-mlp-ring: ")


def test_json_leaves_one_document_on_stdout(say) -> None:
    said = say("run", *TINY, "--out", "mine", "--json")
    document = json.loads(said.out)
    assert (document["step"], document["ended"], document["run"], document["report"]) == (8, "finished", "mine", None)
    assert document["verdict"] in ("stable", "suspect", "unstable", "inconclusive")
    assert "step 8/8" in said.err


def test_the_report_is_written_unless_it_is_not_wanted(say) -> None:
    said = say("run", *[a for a in TINY if a != "--no-report"], "--out", "mine")
    assert "Report: mine/report.html" in said.out
    assert Path("mine/report.html").stat().st_size > 10_000


def test_settings_come_from_flag_environment_file_and_recipe(say, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine.toml").write_text('recipe = "ring-r1"\nsteps = 5\nbatch = 32\nlr_g = 0.5\n')
    monkeypatch.setenv("GANDIAG_RUN_BATCH", "24")
    monkeypatch.setenv("GANDIAG_RUN_LR_G", "0.25")
    said = say("run", "--config", "mine.toml", "--steps", "7", "--dry-run", "--json")
    facts = json.loads(said.out)
    config = facts["config"]
    assert (facts["recipe"], config["steps"], config["batch"], config["lr_g"], config["gamma"], config["seed"]) == (
        "ring-r1",
        7,
        24,
        0.25,
        0.1,
        0,
    )


def test_a_dry_run_writes_nothing(say, tmp_path: Path) -> None:
    said = say("run", *TINY, "--dry-run")
    assert said.code == 0
    assert "ring: endless points of shape 2" in said.out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("args", "code", "wanted"),
    [
        (["--recipe", "rotating-colapse"], 2, "did you mean 'rotating-collapse'"),
        (["--set", "lrg=1"], 2, "did you mean 'lr_g'"),
        (["--set", "lr_g=fast"], 2, "must be a number"),
        (["--set", "lr_g"], 2, "name=value"),
        (["--steps", "0"], 2, "at least 1"),
        (["--data", "digits", "--batch", "5000"], 2, "larger than the data"),
        (["--device", "cuda"], 2, "CUDA"),
        (["--data", "digts"], 2, "digits"),
        (["--config", "absent.toml"], 2, "cannot be read"),
        (["--seed", "1", "--set", "seed=2"], 2, "give it once"),
        (["--stop-on", "mode_colapse"], 2, "did you mean 'mode_collapse'"),
        (["--resume"], 2, "needs a run"),
        (["--resume", "absent"], 3, "does not exist"),
        (["--nonsense"], 2, "No such option"),
        (["--loss", "hinge"], 2, "--set loss=VALUE"),
        (["--batch-size", "8"], 2, "did you mean batch?"),
        (["--set", "loss=WGAN"], 2, "did you mean wasserstein?"),
        (["--recipe", ""], 2, "no recipe ''"),
        (["--generator", "no.such.module:function"], 2, "no module"),
        (["--set", "changes=5: batch=1"], 2, "cannot set 'batch'"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    say, args: list[str], code: int, wanted: str, tmp_path: Path
) -> None:
    if "cuda" in args:
        import torch

        if torch.cuda.is_available():
            pytest.skip("there is a CUDA device here: that one is asked for in vain cannot be tried")
    said = say("run", *args)
    assert said.code == code
    assert wanted in said.err
    assert "Traceback" not in said.err
    assert len([line for line in said.err.strip().splitlines() if line.startswith("Error")]) == 1
    assert said.out == ""
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_holds_another_run_is_refused_and_can_be_resumed(say, monkeypatch: pytest.MonkeyPatch) -> None:
    say("run", *TINY, "--out", "mine")
    said = say("run", *TINY, "--out", "mine")
    assert said.code == 3
    assert "mine holds another run" in said.err
    said = say("run", "--resume", "mine", "--steps", "12", "--no-report")
    assert said.code == 0, said.err
    assert len(load_run("mine")["discriminator_loss"]) == 12
    said = say("run", "--resume", "mine", "--batch", "8")
    assert said.code == 2
    assert "batch is built into mine" in said.err
    said = say("run", "--resume", "mine", "--steps", "20", "--set", "beta1=0.9")
    assert said.code == 2
    assert (
        "beta1 is built into mine" in said.err
    )  # in the optimizers' state: it would be written down and change nothing
    said = say("run", "--resume", "mine", "--steps", "5")
    assert said.code == 2
    assert "has its 12 steps" in said.err
    said = say("run", "--resume", "mine")
    assert said.code == 2
    assert "has its 12 steps" in said.err
    monkeypatch.setenv("GANDIAG_RUN_STEPS", "14")
    said = say("run", "--resume", "mine", "--no-report")
    assert said.code == 0, said.err
    assert len(load_run("mine")["discriminator_loss"]) == 14
    monkeypatch.setenv("GANDIAG_RUN_SEED", "3")
    assert "GANDIAG_RUN_SEED=3" in say("run", "--resume", "mine", "--steps", "16").err


def test_a_full_disk_is_said_before_anything_is_trained(say, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 5 * 2**20, 5 * 2**20))
    said = say("run", *TINY)
    assert said.code == 3
    assert "no disk space" in said.err
    assert "5 MiB" in said.err


def test_one_s_own_networks_are_found_in_the_working_directory(say) -> None:
    Path("my_networks.py").write_text(
        "from torch import nn\n"
        "def generator(sample_shape, latent_shape, *, num_classes=None, width=None):\n    return nn.Linear(latent_shape[0], sample_shape[0])\n"
        "def discriminator(sample_shape, latent_shape=(), *, num_classes=None, width=None):\n"
        "    return nn.Sequential(nn.Linear(sample_shape[0], 8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0))\n"
    )
    said = say(
        "run",
        *TINY[:6],
        "--set",
        "evaluate_every=0",
        "--no-report",
        "--generator",
        "my_networks:generator",
        "--discriminator",
        "my_networks:discriminator",
        "--out",
        "mine",
    )
    assert said.code == 0, said.err
    assert load_run("mine").about["players"]["generator"]["class"] == "Linear"


def test_recipes_are_listed_printed_and_nearly_named(say) -> None:
    said = say("recipes")
    assert [line.split()[0] for line in said.out.splitlines()] == list(RECIPES)
    Path("mlp.toml").write_text(say("recipes", "mlp").out)
    assert json.loads(say("run", "--config", "mlp.toml", "--dry-run", "--json").out)["config"]["lr_g"] == 1e-3
    assert {row["name"] for row in json.loads(say("recipes", "--json").out)} == set(RECIPES)
    said = say("recipes", "mpl")
    assert said.code == 2
    assert "did you mean 'mlp'" in said.err


def test_an_interrupt_keeps_the_run_and_its_report(tmp_path: Path) -> None:
    import signal
    import time

    command = "-m gandiag run --data ring --steps 100000 --batch 16 --set evaluation_samples=100 --out run"
    process = forked.start(*command.split(), cwd=tmp_path)
    until = time.monotonic() + 100
    while (
        not list((tmp_path / "run" / "tables").glob("*.arrow")) and process.poll() is None and time.monotonic() < until
    ):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    ended = process.communicate(timeout=100)
    assert ended.returncode == 130, ended.stderr
    assert "it was interrupted" in ended.stdout
    assert "gandiag run --resume run" in ended.stdout
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "run" / "report.html").exists()
    assert load_run(tmp_path / "run").about["status"] == "interrupted"


def test_help_loads_no_heavy_library() -> None:
    heavy = ("torch", "pandas", "scipy", "sklearn", "plotly")
    code = f"import sys; from gandiag.cli import main\ntry: main(['run', '--help'])\nfinally: print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("[]")


def test_a_setting_that_changes_nothing_is_told_and_the_run_goes_on(say) -> None:
    said = say("run", *TINY, "--dry-run", "--set", "lookahead_every=3", "--set", "penalties=", "--gamma", "10")
    assert said.code == 0
    assert said.err.splitlines() == [
        "Note: gamma=10.0 has no effect: penalties is empty; --set penalties=r1 has one",
        "Note: lookahead_every=3 has no effect: update is alternating",
    ]


def test_a_warning_of_ours_is_one_line_and_others_are_as_they_were(say) -> None:
    Path("mine").mkdir()
    for number in range(40):
        Image.fromarray(np.full((8, 8), number, dtype=np.uint8)).save(f"mine/{number}.png")
    Path("mine/7.png").write_bytes(b"no image")
    Path("warner.py").write_text(
        "import warnings\nfrom torch import nn\n\ndef discriminator():\n"
        "    warnings.warn('mine')\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, 1))\n"
    )
    before = warnings.formatwarning
    with warnings.catch_warnings():  # shown on stderr, as outside pytest, and not kept
        warnings.simplefilter("always")
        warnings.showwarning = lambda *a, **_: print(warnings.formatwarning(*a[:4]), file=sys.stderr, end="")  # type: ignore[assignment]
        said = say(
            "run",
            *TINY,
            "--data",
            "mine",
            "--set",
            "on_bad=skip",
            "--dry-run",
            "--discriminator",
            "warner:discriminator",
        )
    assert said.code == 0, said.err
    _, ours, *others = said.err.splitlines()
    assert ours == "Warning: mine: 1 of 40 images cannot be read (7.png: not a readable image); left out"
    assert "warner.py:5: UserWarning: mine" in others[0]
    assert warnings.formatwarning is before
