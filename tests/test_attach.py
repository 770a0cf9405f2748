"""Scripts in other people's styles under attach: players found, none confused, weights bit-identical, numbers those of the script."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import random
import runpy
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gandiag
from benchmarks.attach_scripts import commands_in, same_text
from gandiag.cli.attach_script import Wishes, run_script
from gandiag.export import verify_bundle
from gandiag.recording.attachment import Attachment, attach
from gandiag.recording.direct import Direct
from gandiag.recording.latents import latent_kind
from gandiag.recording.passing import part_of
from tests import forked

SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True)
class Expected:
    """What attach must find in a script."""

    generator: str
    discriminator: str
    output: str = "logit"
    latents: tuple[str, ...] = ("normal",)
    order: str = "alternating"


FOUND = {
    "dcgan_toplevel": Expected("netG (Generator)", "netD (Discriminator)", "probability"),
    "gan_g_first": Expected("generator (Generator)", "discriminator (Discriminator)", "probability"),
    "wgan_clip": Expected("G (Sequential)", "C (Sequential)", order="alternating, 5 D updates a step"),
    "made_anew": Expected("G (Sequential)", "D (Sequential)"),
    "wgan_gp": Expected(
        "generator (Generator)", "discriminator (Discriminator)", order="alternating, 5 D updates a step"
    ),
    "lsgan_trainer": Expected("Net", "Net"),
    "acgan": Expected("generator (Generator)", "discriminator (Discriminator)", "probability", ("normal", "label")),
    "cgan_functions": Expected("g (G)", "d (D)", latents=("normal", "label")),
    "infogan": Expected(
        "generator (Generator)", "discriminator (Discriminator)", latents=("normal", "one-hot", "uniform")
    ),
    "ebgan": Expected("generator (Sequential)", "discriminator (Discriminator)"),
    "relativistic": Expected("generator (Sequential)", "discriminator (Sequential)"),
    "hinge_twice": Expected("net_g (Sequential)", "net_d (Sequential)", order="alternating, 2 G updates a step"),
    "one_optimizer": Expected("gen (Sequential)", "dis (Sequential)", order="one optimizer steps both"),
    "concatenated_r1": Expected("g (Sequential)", "d (Critic)"),
    "patch_ema": Expected("g (Gen)", "d (PatchD)"),
    "accumulate_amp": Expected("G (Sequential)", "D (Sequential)"),
    "compiled": Expected("g (OptimizedModule)", "d (OptimizedModule)"),
    "aae": Expected("encoder (Sequential)", "discriminator (Sequential)", "probability", ("uniform",)),
    "augmented": Expected("g (Sequential)", "d (Sequential)"),
    "data_parallel": Expected("netG (DataParallel)", "netD.module (Net)", order="alternating, 3 D updates a step"),
    "ddp_gloo": Expected("generator (DistributedDataParallel)", "discriminator (DistributedDataParallel)"),
    "began": Expected("generator (Sequential)", "discriminator (Sequential)"),
    "modes_and_hooks": Expected("gen (Sequential)", "dis (Sequential)"),
    "pretrained": Expected("srnet (SRResNet)", "judge (Judge)", "probability", ("unknown",)),
    "many_critic_steps": Expected("netG (Sequential)", "netC (Sequential)", order="alternating, 100 D updates a step"),
    "compiled_in_place": Expected("g (Sequential)", "d (Sequential)"),
    "simultaneous": Expected("models.gen (Sequential)", "models.dis (Sequential)"),
    "lightning_manual": Expected("gan.generator (Sequential)", "gan.discriminator (Sequential)"),
    "accelerated": Expected("gen (Sequential)", "dis (Sequential)"),
    "infogan_pieces": Expected("netG (Sequential)", "body (Sequential) + netD (Sequential)", "probability"),
    "direct_forward": Expected("gen (SNGenerator)", "critic (SNCritic)"),
    "bigan": Expected("G (Sequential)", "D (JointD)"),
    "bigan_uniform": Expected("G (Sequential)", "D (JointD)"),
    "features_to_helper": Expected("maker (Maker)", "judge (Judge)", latents=("normal", "one-hot")),
    "six_steps": Expected("G (StyledG)", "D (Sequential)"),
    "draws_its_own": Expected("sampler (Sampler)", "judge (Judge)", latents=()),
    "joined_pairs": Expected("netG (Translator)", "netD (PairJudge)", latents=("unknown",)),
    "reconstructs_first": Expected("encoder (Sequential)", "judge (Sequential)", "probability", ("unknown",)),
    "biggan_joined": Expected(
        "G (Generator)", "D (Discriminator)", latents=("normal", "unknown"), order="alternating, 2 D updates a step"
    ),
    "scales_joined": Expected("netG (Sequential)", "netD (Scales)", latents=("unknown",)),
    "lazy_penalties": Expected("generator (Generator)", "discriminator (Sequential)", latents=("normal", "normal")),
    "content_loss": Expected("netG (Sequential)", "netD (Discriminator)", "probability", ("unknown",)),
    "dataclass_outputs": Expected("G (Generator)", "D (Discriminator)"),
    "keras_style": Expected(
        "gan.generator (Model)", "gan.discriminator (Model)", "probability", order="alternating, 2 D updates a step"
    ),
    "mode_regularised": Expected("G (Sequential)", "D (Sequential)", "probability"),
    "both_at_once": Expected("maker (Sequential)", "judge (Pairwise)"),
    "two_classes": Expected("maker (Sequential)", "judge (Sequential)"),
    "own_train_method": Expected(
        "G.model (Sequential)", "D.model (Sequential)", "probability", order="alternating, 2 D updates a step"
    ),
}
NEEDS = {"lightning_manual": "lightning", "accelerated": "accelerate"}
NO_GAN = {
    "no_gan_classifier": "none is shown both what another makes and data from outside",
    "no_gan_vae": "none is shown both what another makes and data from outside",
    "actor_critic": "none is shown both what another makes and data from outside",
    "shared_head": "none is shown both what another makes and data from outside",
    "plain_functions": "networks that are written as plain functions",
    "shared_pieces": "what it returns goes on into head (Sequential): networks that share pieces",
    "per_sample_gradients": "of the networks trained (D (Sequential), G (Sequential)) none is shown both",
    "functional_copies": "is called with parameters that are not its own",
    "crossed_pairs": "no pair is each other's opponent",
}


@dataclass(frozen=True)
class Ran:
    """One run of a script in this process."""

    printed: str
    weights: dict[str, dict[str, torch.Tensor]]
    own: dict[str, list[float]]
    random_state: torch.Tensor
    other_streams: str  # Python's and numpy's


def run(script: str, out: Path) -> Ran:
    """Runs a script as `python SCRIPT OUT` would, in this process."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - the stream that strangers' scripts draw from
    kept, printed = sys.argv, io.StringIO()
    sys.argv = [f"{script}.py", str(out)]
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(str(SCRIPTS / f"{script}.py"), run_name="__main__")
    finally:
        sys.argv = kept
    own = Path(f"{out}.json")
    numbers = json.loads(own.read_text()) if own.exists() else {}
    others = repr((random.getstate(), np.random.get_state()))  # noqa: NPY002 - as above
    return Ran(printed.getvalue(), torch.load(out, weights_only=True), numbers, torch.get_rng_state(), others)


def run_attached(script: str, folder: Path, **wishes: Any) -> tuple[Ran, Attachment, list[str]]:
    said: list[str] = []
    attachment = attach(folder / "run", say=said.append, **wishes)
    try:
        ran = run(script, folder / "attached.pt")
    finally:
        attachment.detach()
    return ran, attachment, said


@pytest.fixture(params=FOUND)
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Ran, Ran, Attachment, Path]:
    if request.param in NEEDS:
        pytest.importorskip(
            NEEDS[request.param], reason=f"without it a script that uses it cannot be tried: {NEEDS[request.param]}"
        )
    plain = run(request.param, tmp_path / "plain.pt")
    ran, attachment, _ = run_attached(request.param, tmp_path, every=10)
    return request.param, plain, ran, attachment, tmp_path / "run"


def test_a_script_is_understood_and_left_as_it_was(recorded: tuple[str, Ran, Ran, Attachment, Path]) -> None:
    name, plain, ran, attachment, path = recorded
    expected = FOUND[name]
    assert attachment.players is not None, attachment.why_not
    facts = attachment.players.facts
    # the players
    assert facts["generator"] == expected.generator
    assert facts["discriminator"] == expected.discriminator
    assert attachment.players.discriminator_output == expected.output
    assert tuple(kind["kind"] for kind in facts["latents"]) == expected.latents
    assert facts["order"] == expected.order
    # nothing was touched: weights, printed text, the random stream
    assert ran.printed == plain.printed
    assert torch.equal(ran.random_state, plain.random_state)
    assert ran.other_streams == plain.other_streams
    for net, state in plain.weights.items():
        for key, value in state.items():
            assert torch.equal(value, ran.weights[net][key]), f"{net}.{key} differs with and without attach"
    for player in (attachment.players.generator, attachment.players.discriminator):
        ours = [getattr(vars(part).get("forward"), "__module__", "") for part in player.modules()]
        assert "gandiag.recording.direct" not in ours
        assert not any(part._forward_hooks for part in player.modules())
    # the numbers are the script's own
    holds_the_scripts_numbers(gandiag.load_run(path), plain.own)


def holds_the_scripts_numbers(recording: gandiag.Run, own: dict[str, list[float]]) -> None:
    """The recording begins after the first updates: its rows are the last ones of what the script computed."""
    series = {
        "real": "real_logit_mean",
        "fake": "fake_logit_mean",
        "d_norm": "discriminator_gradient_norm",
        "g_norm": "generator_gradient_norm",
    }
    for key, values in own.items():
        rows = recording[series[key]]
        assert len(rows) >= 5
        best = min(misfit(rows, values, shift, every) for every in (1, 2) for shift in range(len(values)))
        said = f"{rows.head(3).to_dict()} against {values[:6]}"
        assert best < 2e-4, f"{series[key]} is not what the script computed (off by {best:.1e}): {said}"


def misfit(rows: Any, values: list[float], shift: int, every: int) -> float:
    """Returns the largest relative difference of the rows from the script's values, row 0 standing at value `shift`.

    `every` is how many updates a step has: of several, the last one counts.
    """
    places = shift + every * rows.index.to_numpy()
    inside = places < len(values)
    if inside.sum() < max(4, len(rows) - 1):
        return np.inf
    wanted, found = np.asarray(values)[places[inside]], rows.to_numpy()[inside]
    return float(np.max(np.abs(wanted - found) / (np.abs(wanted) + 1e-3)))


@pytest.mark.parametrize("script", NO_GAN)
def test_what_is_no_gan_is_said_not_guessed(script: str, tmp_path: Path) -> None:
    plain = run(script, tmp_path / "plain.pt")
    ran, attachment, _ = run_attached(script, tmp_path)
    assert attachment.players is None
    assert NO_GAN[script] in attachment.why_not
    assert ran.printed == plain.printed
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("script", "pairs"),
    [
        ("cyclegan", ["G_AB (Sequential) against D_B (Sequential)", "G_BA (Sequential) against D_A (Sequential)"]),
        ("two_judges", ["G (Sequential) against D1 (Sequential)", "G (Sequential) against D2 (Sequential)"]),
    ],
)
def test_where_two_pairs_play_each_has_a_run_of_its_own(script: str, pairs: list[str], tmp_path: Path) -> None:
    plain = run(script, tmp_path / "plain.pt")
    ran, attachment, said = run_attached(script, tmp_path)
    found = [f"{g.players.facts['generator']} against {g.players.facts['discriminator']}" for g in attachment.games]
    assert found == pairs
    assert any(line.startswith("2 pairs play here") for line in said)
    assert [path.name for path in attachment.paths] == ["run", "run-2"]
    assert ran.printed == plain.printed
    assert torch.equal(ran.random_state, plain.random_state)
    for net, state in plain.weights.items():
        assert all(torch.equal(value, ran.weights[net][key]) for key, value in state.items())
    first = gandiag.load_run(tmp_path / "run")
    steps = [gandiag.load_run(path).steps for path in attachment.paths]
    assert first["fake_logit_mean"].notna().all()
    assert abs(steps[0] - steps[1]) <= 1


def test_what_stands_behind_the_generator_is_not_called_an_encoder(tmp_path: Path) -> None:
    ran, attachment, _ = run_attached("supervisor_behind", tmp_path)
    assert attachment.players is not None, attachment.why_not
    assert attachment.players.facts["generator"] == "generator (Sequential)"
    told = " ".join(attachment.players.doubts)
    assert "supervisor (Sequential) hands what generator (Sequential) makes on to the discriminator" in told
    assert "supervisor (Sequential) feeds the discriminator as well, from data" not in told
    assert ran.printed == run("supervisor_behind", tmp_path / "plain.pt").printed


def test_one_training_after_another_has_a_run_each_and_new_optimizers_are_followed(tmp_path: Path) -> None:
    plain = run("seeds_in_a_row", tmp_path / "plain.pt")
    ran, attachment, said = run_attached("seeds_in_a_row", tmp_path)
    first, second = (gandiag.load_run(path) for path in attachment.paths)
    assert (first.steps, first.about["status"]) == (18, "finished")
    assert any(line.startswith("the training that was recorded is over after 18 steps") for line in said)
    assert sum("a new optimizer steps the" in line for line in said) == 2
    rates = second["generator_learning_rate"].dropna()
    assert sorted(set(rates)) == pytest.approx([0.001, 0.01])
    assert second.steps > 50
    assert second["generator_gradient_norm"].notna().sum() >= second.steps - 1
    assert ran.printed == plain.printed
    assert torch.equal(ran.random_state, plain.random_state)
    assert all(torch.equal(v, ran.weights[net][k]) for net in plain.weights for k, v in plain.weights[net].items())


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (torch.arange(900).reshape(300, 3).sin(), "unknown"),  # neighbours go together: no noise
        (torch.randn(40, 7, generator=torch.Generator().manual_seed(0)), "normal"),
        (torch.rand(40, 7, generator=torch.Generator().manual_seed(0)), "uniform"),
        (torch.tensor([0, 3, 1]), "label"),
        (torch.eye(4)[[0, 3, 1]], "one-hot"),
        (torch.eye(4, dtype=torch.int64)[[0, 3, 1]], "one-hot"),
        (torch.tensor([[0, 1, 1], [1, 0, 1]]), "label"),  # several attributes a sample
    ],
)
def test_the_kind_of_a_latent_is_told_from_its_values(made: torch.Tensor, kind: str) -> None:
    assert latent_kind([made])["kind"] == kind


def test_the_part_of_a_joined_tensor_that_is_the_sample_is_found() -> None:
    made, label = torch.randn(5, 6), torch.eye(5)[:, :3]
    assert part_of(made, torch.cat([made, label], 1)) == slice(0, 6)
    assert part_of(made, torch.cat([label, made], 1)) == slice(3, 9)
    assert part_of(made, torch.cat([made + 1, label], 1)) is None
    assert part_of(made, made * 2) == slice(None)
    picture, source = torch.randn(5, 1, 4, 4), torch.randn(5, 3, 4, 4)
    assert part_of(picture, torch.cat([source, picture], 1)) == slice(3, 4)
    assert part_of(picture, source[:, :, :2]) is None


class CalledDirectly(torch.nn.Module):
    """Stands for a network whose `forward` the script calls itself."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


def test_a_copy_of_a_network_whose_forward_is_watched_calls_its_own_layers() -> None:
    net, seen = CalledDirectly(), []
    direct = Direct(lambda module, inputs: seen.append(module), lambda *told: None)
    direct.watch(net)
    x = torch.ones(1, 2)
    net.forward(x)
    assert seen == [net]
    pickled = io.BytesIO()
    torch.save(net, pickled)
    assert b"gandiag" not in pickled.getvalue()
    pickled.seek(0)
    for other in (copy.deepcopy(net), torch.load(pickled, weights_only=False)):
        torch.nn.init.zeros_(other.layer.weight)
        torch.nn.init.zeros_(other.layer.bias)
        assert torch.equal(other.forward(x), torch.zeros(1, 2))
    assert seen == [net]
    direct.remove()
    assert "forward" not in vars(net)


def test_a_watch_that_fails_never_stops_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*told: Any, **named: Any) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("gandiag.recording.finder.name_players", fail)
    ran, attachment, _ = run_attached("simultaneous", tmp_path)
    assert "nobody foresaw this" in attachment.why_not
    assert ran.printed


def test_a_recording_that_cannot_begin_never_stops_the_script(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    said: list[str] = []
    attachment = attach(tmp_path / "in the way" / "run", say=said.append)
    ran = run("simultaneous", tmp_path / "a.pt")
    attachment.detach()
    assert "could not begin" in said[0]
    assert "could not begin" in attachment.why_not
    assert ran.printed


ROUGH = """
import os, shutil, sys, time, torch
from torch import nn
from torch.nn.functional import softplus
g, d = nn.Linear(4, 3), nn.Linear(3, 1)
og, od = torch.optim.SGD(g.parameters(), 0.1), torch.optim.SGD(d.parameters(), 0.1)
for step in range(40):
    fake = g(torch.randn(16, 4))
    od.zero_grad()
    (softplus(-d(torch.randn(16, 3))).mean() + softplus(d(fake.detach())).mean()).backward()
    od.step()
    og.zero_grad()
    softplus(-d(fake)).mean().backward()
    og.step()
    if step == 20:
        ROUGHLY
"""
ROUGHLY = {
    "deletes the run": ("shutil.rmtree('runs')", 0, "does not exist"),
    "closes stderr and stdout": ("os.close(2); sys.stderr.close(); sys.stdout.close()", 0, "INCONCLUSIVE"),
    "leaves at once": ("time.sleep(0.6); step = 21", 5, ""),
}


@pytest.mark.parametrize("name", ROUGHLY)
def test_what_a_rough_script_does_to_itself_keeps_its_exit_code(name: str, tmp_path: Path) -> None:
    act, code, said = ROUGHLY[name]
    source = ROUGH.replace("ROUGHLY", act)
    if code:
        source += "    if step == 30:\n        time.sleep(0.6)\n        os._exit(5)\n"
    (tmp_path / "rough.py").write_text(source)
    ran = gandiag_attach("rough.py", cwd=tmp_path)
    assert ran.returncode == code, ran.stderr
    assert said in ran.stderr
    if name != "deletes the run":
        assert gandiag.load_run(tmp_path / "runs" / "00000-attach-rough").steps > 15


@pytest.mark.parametrize(
    ("script", "generator", "discriminator"),
    [("cyclegan", "G_AB", "D_B"), ("bigan", "G", "JointD"), ("two_judges", None, "D1")],
)
def test_names_decide_where_two_pairs_play(
    script: str, generator: str | None, discriminator: str, tmp_path: Path
) -> None:
    ran, attachment, said = run_attached(script, tmp_path, generator=generator, discriminator=discriminator)
    assert attachment.players is not None, attachment.why_not
    assert attachment.players.facts["generator"] == f"{generator or 'G'} (Sequential)"
    assert discriminator in attachment.players.facts["discriminator"]
    assert "other networks are trained beside them" in said[1]
    holds_the_scripts_numbers(gandiag.load_run(tmp_path / "run"), ran.own)


def test_quality_comes_from_what_passes_by(tmp_path: Path) -> None:
    run_attached("dcgan_toplevel", tmp_path)
    recording = gandiag.load_run(tmp_path / "run")
    assert "frechet_distance[random-conv]" in recording
    assert recording["modes_total"].iloc[-1] >= 1
    assert recording.sample_steps("fake")
    assert recording.sample_steps("real") == [0]
    from safetensors.torch import load_file

    saved = load_file(tmp_path / "run" / "checkpoints" / "last-generator.safetensors")
    wanted = torch.load(tmp_path / "attached.pt", weights_only=True)["g"]
    assert all(torch.equal(saved[key], value) for key, value in wanted.items())


def test_detach_takes_every_hook_away(tmp_path: Path) -> None:
    from torch.nn.modules import module as table
    from torch.optim import optimizer as optimizers

    def hooks() -> int:
        held = (table._global_forward_hooks, table._global_forward_pre_hooks, optimizers._global_optimizer_post_hooks)
        return sum(len(h) for h in held) + len(optimizers._global_optimizer_pre_hooks)

    before = hooks()
    attachment = attach(tmp_path / "run", say=lambda line: None)
    assert hooks() > before
    with pytest.raises(gandiag.RunError, match="recorded already"):
        attach(tmp_path / "other")
    gandiag.detach()
    assert hooks() == before
    assert attachment.players is None
    gandiag.detach()  # once more does nothing


# ------------------------------------------------------------------------------------------------------------ the command


def gandiag_attach(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return forked.python("-m", "gandiag", "attach", *arguments, cwd=cwd)


def afresh(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=cwd)


def test_the_command_leaves_a_run_a_report_and_the_scripts_own_output(tmp_path: Path) -> None:
    script = str(SCRIPTS / "gan_g_first.py")
    plain = afresh(script, "a.pt", "--n_epochs", "4", cwd=tmp_path)
    ran = afresh("-m", "gandiag", "attach", script, "b.pt", "--n_epochs", "4", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == plain.stdout
    assert "generator: generator (Generator)" in ran.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name == "00000-attach-gan_g_first"
    assert (folder / "report.html").exists()
    assert gandiag.load_run(folder).about["status"] == "finished"
    assert "report:" in ran.stderr


def test_workers_that_load_data_are_forked_as_before(tmp_path: Path) -> None:
    """In a process of its own: this one has threads of other tests, which no fork survives for sure."""
    script = str(SCRIPTS / "modes_and_hooks.py")
    plain = afresh(script, "a.pt", "1", cwd=tmp_path)
    ran = afresh("-m", "gandiag", "attach", "--no-report", script, "b.pt", "1", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == plain.stdout
    a, b = (torch.load(tmp_path / name, weights_only=True) for name in ("a.pt", "b.pt"))
    assert all(torch.equal(value, b[net][key]) for net in a for key, value in a[net].items())


def test_a_crash_shows_its_own_traceback_and_keeps_the_run(tmp_path: Path) -> None:
    script = str(SCRIPTS / "crashes.py")
    plain = afresh(script, cwd=tmp_path)
    ran = gandiag_attach(script, cwd=tmp_path)
    assert ran.returncode == plain.returncode == 1
    assert plain.stderr.strip() in ran.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert gandiag.load_run(folder).about["status"] == "failed"
    assert gandiag.load_run(folder).steps > 3


def test_the_scripts_exit_code_is_kept(tmp_path: Path) -> None:
    ran = gandiag_attach(str(SCRIPTS / "crashes.py"), "--exit", cwd=tmp_path)
    assert ran.returncode == 7
    assert ran.stdout == "leaving\n"


def test_a_script_without_a_gan_ends_with_one_line(tmp_path: Path) -> None:
    ran = gandiag_attach(str(SCRIPTS / "no_gan_classifier.py"), "c.pt", cwd=tmp_path)
    assert ran.returncode == 0
    assert ran.stderr.startswith("gandiag: no GAN was trained here")
    assert len(ran.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


ENDINGS = {
    "chained": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('bad') from error",
    "interrupt": "raise KeyboardInterrupt",
    "words": "import sys, warnings\nwarnings.warn('careful')\nsys.exit('enough')",
    "syntax": "x = (1\ny = 2 +",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_however_a_script_ends_it_ends_as_under_python(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "script.py").write_text(ENDINGS[name] + "\n")
    plain = afresh("script.py", cwd=tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.warns(UserWarning, match="careful") if name == "words" else contextlib.nullcontext():
        code = run_script("script.py", [], as_module=False, wishes=WISHES)
    assert code == (130 if plain.returncode == -signal.SIGINT else plain.returncode)
    ours = "gandiag: no GAN was trained here: no optimizer stepped; nothing was recorded\n"
    theirs = "enough\n" if name == "words" else plain.stderr  # the warning went to pytest
    assert capfd.readouterr().err == theirs + ours


WISHES = Wishes(out=None, every=500, stop_on=(), bundle=None, generator=None, discriminator=None, report=False)
SICK = """
import os, sys, time, torch
from torch import nn
from torch.nn.functional import softplus
torch.manual_seed(0)
g, d = nn.Linear(4, 3), nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
og, od = torch.optim.SGD(g.parameters(), 0.1), torch.optim.SGD(d.parameters(), 1e6)
os.mkdir("elsewhere")
os.chdir("elsewhere")
while True:
    fake = g(torch.randn(16, 4))
    od.zero_grad()
    (softplus(-d(torch.randn(16, 3))).mean() + softplus(d(fake.detach())).mean()).backward()
    od.step()
    og.zero_grad()
    softplus(-d(fake)).mean().backward()
    og.step()
    time.sleep(0.001)
    try:
        time.sleep(0)
    except BaseException:
        pass
"""


def test_stop_on_ends_a_sick_script_and_a_new_working_directory_does_not_move_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sick.py").write_text(SICK)
    monkeypatch.chdir(tmp_path)
    wishes = replace(WISHES, out=Path("mine"), stop_on=("numerical_failure",))
    assert run_script("sick.py", [], as_module=False, wishes=wishes) == 1
    said = capfd.readouterr().err
    assert said.count("ALERT numerical_failure") == 1
    assert "stopping the script: --stop-on numerical_failure" in said
    assert gandiag.load_run(tmp_path / "mine").about["status"] == "interrupted"
    assert not any((tmp_path / "elsewhere").iterdir())


def test_export_makes_a_bundle_that_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    wishes = replace(WISHES, out=Path("mine"), bundle=Path("bundle"))
    assert run_script(str(SCRIPTS / "dcgan_toplevel.py"), ["a.pt"], as_module=False, wishes=wishes) == 0
    assert f"exported to {tmp_path / 'bundle'}" in capfd.readouterr().err
    assert (tmp_path / "bundle" / "manifest.json").exists()
    assert verify_bundle(tmp_path / "bundle").passed


def test_no_such_script_and_no_such_check_are_usage_errors(tmp_path: Path) -> None:
    assert gandiag_attach("nowhere.py", cwd=tmp_path).returncode == 2
    ran = gandiag_attach("--stop-on", "mode_colapse", str(SCRIPTS / "crashes.py"), cwd=tmp_path)
    assert ran.returncode == 2
    assert "did you mean 'mode_collapse'" in ran.stderr


def test_sigterm_leaves_a_run_with_its_report(tmp_path: Path) -> None:
    endless = (SCRIPTS / "crashes.py").read_text().replace("range(20)", "range(10**9)").replace("step == 12", "False")
    (tmp_path / "endless.py").write_text(endless)
    process = forked.start("-m", "gandiag", "attach", "endless.py", cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("runs/*/tables/*.arrow")) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    ended = process.communicate(timeout=60)
    assert ended.returncode == 143, ended.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "report.html").exists()
    assert gandiag.load_run(folder).steps > 10


def test_a_module_runs_with_m(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "train.py").write_text((SCRIPTS / "wgan_clip.py").read_text())
    ran = gandiag_attach("-m", "package.train", "w.pt", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "w.pt").exists()
    assert os.listdir(tmp_path / "runs") == ["00000-attach-train"]


def through_torchrun(folder: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    """torchrun_two.py in two processes, and where it wrote.

    As its processes part, gloo itself aborts one of them now and then (seen in CI of the bare script: SIGABRT after its
    last line): such a start is made again in a new folder, three times at most. Whatever else goes wrong is not.
    """
    starts = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    for attempt in range(3):
        (here := folder / str(attempt)).mkdir(parents=True)
        done = subprocess.run(
            [
                *starts,
                *(word.format(here=here) for word in words),
                str(SCRIPTS / "torchrun_two.py"),
                str(here / "rank"),
            ],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            timeout=300,
        )
        if "SIGABRT" not in done.stderr:
            break
    return done, here


def test_of_the_processes_that_torchrun_starts_the_first_one_records_and_speaks(tmp_path: Path) -> None:
    attached, with_us = through_torchrun(
        tmp_path / "attached", "-m", "gandiag", "attach", "--no-report", "--out", "{here}/run"
    )
    plain, alone = through_torchrun(tmp_path / "plain")
    assert attached.returncode == 0, attached.stderr[-2000:]
    assert plain.returncode == 0, plain.stderr[-2000:]
    assert sorted(attached.stdout.splitlines()) == sorted(plain.stdout.splitlines())
    for rank in (0, 1):
        ours, own = (torch.load(folder / f"rank-{rank}.pt", weights_only=True) for folder in (with_us, alone))
        assert all(torch.equal(ours[key], own[key]) for key in own)
    assert attached.stderr.count("gandiag: recording to") == 1
    assert attached.stderr.count("gandiag: INCONCLUSIVE") == 1
    recording = gandiag.load_run(with_us / "run")
    assert recording.steps >= 27
    assert recording["real_logit_mean"].notna().all()
    assert any("the processes parted" in said for said in recording.about["could_not_tell"])


def test_a_notebook_may_attach_again_to_another_folder_and_never_to_the_same(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        _, attachment, _ = run_attached("lsgan_trainer", tmp_path / name)
        assert attachment.players is not None, attachment.why_not
    first, second = (gandiag.load_run(tmp_path / name / "run") for name in ("first", "second"))
    assert first["generator_loss" if "generator_loss" in first else "fake_logit_mean"].equals(
        second["generator_loss" if "generator_loss" in second else "fake_logit_mean"]
    )
    with pytest.raises(gandiag.RunError, match="not empty"):
        attach(tmp_path / "first" / "run")
    gandiag.detach()


def test_the_comparison_of_scripts_tells_times_from_other_text(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("")
    (tmp_path / "two.py").write_text("")
    assert commands_in(tmp_path, "") == [["one.py"], ["two.py"]]
    (tmp_path / "commands.txt").write_text("# a comment\nfolder/two.py --name 'a b'\none.py\n")
    assert commands_in(tmp_path, "two") == [["folder/two.py", "--name", "a b"]]
    assert same_text("loss 0.5\n", "loss 0.5\n") == "same"
    assert same_text("took 1.52 s, 3it/s\n", "took 11.4 s, 12it/s\n") == "same but for numbers"
    assert same_text("loss 0.5\n", "lass 0.5\n") == "DIFFERS"


@pytest.mark.parametrize("still", ["generator", "discriminator"])
def test_of_a_gan_one_of_whose_players_never_moves_it_is_said_where_to_look(still: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    attachment = gandiag.attach(tmp_path / "run")
    try:
        g, d = torch.nn.Linear(4, 2), torch.nn.Linear(2, 1)
        optimizers = {
            who: torch.optim.SGD(net.parameters(), 0.01) for who, net in (("generator", g), ("discriminator", d))
        }
        for _ in range(8):
            for who, optimizer in optimizers.items():
                optimizer.zero_grad()
                fakes = d(g(torch.randn(8, 4)))
                (fakes.mean() - d(torch.randn(8, 2)).mean() if who == "discriminator" else -fakes.mean()).backward()
                if who != still:
                    optimizer.step()
    finally:
        gandiag.detach()
    assert attachment.players is None
    assert "its other player never moves" in attachment.why_not
    assert "step()" in attachment.why_not
