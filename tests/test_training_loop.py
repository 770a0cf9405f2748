"""train: what a run leaves behind, how it ends, and that recording does not change it."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import threading
from pathlib import Path

import pytest
import torch

from benchmarks.tiny_ring import TINY_RING
from gandiag.diagnosis.finding import Diagnosis, Finding, Overall, Verdict
from gandiag.errors import GandiagError, RunError, UsageError
from gandiag.run import load_run
from gandiag.training import Config, checkpoint, load_generator, train
from gandiag.training.alarms import reason_to_stop
from gandiag.training.checkpoint import checkpoint_steps, load_checkpoint, named_step, read_best
from gandiag.training.evaluation import Score
from gandiag.training.loop import Progress
from gandiag.training.pause import is_better
from gandiag.training.players import as_settings, initial_settings, pack_samples
from gandiag.training.preparation import prepare
from gandiag.training.step import Players, generated, play, update_average

TINY = dataclasses.replace(
    TINY_RING,
    steps=12,
    evaluate_every=6,
    sample_every=6,
    checkpoint_every=4,
    evaluation_samples=200,
    diagnose_every=0,
    keep=2,
)


def tiny(**changes: object) -> Config:
    return dataclasses.replace(TINY, **changes)  # type: ignore[arg-type]


def weights(run: Path, player: str, which: str | int = "last") -> torch.Tensor:
    return flat(load_checkpoint(run, which).weights[player])


def flat(state: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat([state[name].flatten().double() for name in sorted(state)])


def test_a_run_leaves_its_record_its_scores_its_samples_and_its_checkpoints(tmp_path: Path) -> None:
    steps: list[Progress] = []
    outcome = train(TINY, out=tmp_path / "run", watch=steps.append, about={"recipe": "tiny"})
    run = load_run(tmp_path / "run")
    assert (outcome.ended, outcome.step) == ("finished", 12)
    assert [p.step for p in steps] == list(range(1, 13))
    assert run.about["status"] == "finished"
    assert run.about["recipe"] == "tiny"
    assert run.about["data"]["kind"] == "points"
    assert len(run.about["data"]["modes"]) == 8
    assert run.about["config"]["batch"] == 16
    assert list(run["discriminator_loss"].index) == list(range(12))
    assert list(run["modes_covered"].index) == [0, 6, 12]
    assert run.sample_steps() == [0, 6, 12]
    assert run.samples(12)["points"].shape[1] == 2
    assert named_step(run.path, "last") == 12
    assert set(checkpoint_steps(run.path)) >= {8, 12}
    assert not list((run.path / "checkpoints").glob(".*"))


def test_the_recorded_losses_and_gradients_are_those_of_the_training_itself(tmp_path: Path) -> None:
    train(tiny(steps=5), out=tmp_path / "run")
    training = prepare(tiny(steps=5))
    d_losses, g_losses, g_norms = [], [], []
    for _ in range(5):
        d_turn, g_turn = play(training.players, training.rules, as_settings(initial_settings(TINY)), training.update)
        training.players.step += 1
        d_losses.append(float(d_turn.loss))
        g_losses.append(float(g_turn.loss))
        g_norms.append(
            float(
                torch.cat(
                    [p.grad.flatten() for p in training.players.generator.parameters() if p.grad is not None]
                ).norm()
            )
        )
    run = load_run(tmp_path / "run")
    assert run["discriminator_loss"].tolist() == pytest.approx(d_losses, rel=1e-6)
    assert run["generator_loss"].tolist() == pytest.approx(g_losses, rel=1e-6)
    assert run["generator_gradient_norm"].tolist() == pytest.approx(g_norms, rel=1e-5)
    assert torch.equal(weights(tmp_path / "run", "generator"), flat(training.players.generator.state_dict()))


def test_the_same_command_twice_leaves_the_same_weights_and_records(tmp_path: Path) -> None:
    for name in ("one", "two"):
        train(TINY, out=tmp_path / name)
    one, two = load_run(tmp_path / "one"), load_run(tmp_path / "two")
    for player in ("generator", "generator_ema", "discriminator"):
        assert torch.equal(weights(one.path, player), weights(two.path, player))
    clocks = {"wall_time", "step_seconds", "data_wait_seconds", "images_per_second", "probe_seconds"}
    assert set(one.names) == set(two.names)
    for name in set(one.names) - clocks:
        table = [run.layers(name) if is_vector(run, name) else run[name] for run in (one, two)]
        assert table[0].equals(table[1]), name


def is_vector(run, name: str) -> bool:
    try:
        run[name]
    except GandiagError:
        return True
    return False


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    for seed in (0, 1):
        train(tiny(seed=seed), out=tmp_path / str(seed))
    assert not torch.equal(weights(tmp_path / "0", "generator"), weights(tmp_path / "1", "generator"))


def test_load_generator_gives_back_what_was_trained(tmp_path: Path) -> None:
    train(TINY, out=tmp_path / "run")
    last = load_generator(tmp_path / "run", "last")
    assert (last.latent_shape, last.latent, last.num_classes, last.output, last.shape, last.step, last.ema) == (
        (2,),
        "normal",
        None,
        "points",
        (2,),
        12,
        True,
    )
    assert not last.module.training
    with torch.no_grad():
        assert last.module(torch.zeros(3, *last.latent_shape)).shape == (3, 2)
    raw = load_generator(tmp_path / "run", 12, ema=False)
    assert not raw.ema
    assert torch.equal(flat(raw.module.state_dict()), weights(tmp_path / "run", "generator"))
    assert load_generator(tmp_path / "run").step == (read_best(tmp_path / "run") or {"step": 12})["step"]
    with pytest.raises(RunError, match="it has those of steps"):
        load_generator(tmp_path / "run", 7)
    with pytest.raises(RunError, match="no run"):
        load_generator(tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    train(TINY, out=tmp_path / "run")
    folder = tmp_path / "run" / "checkpoints" / "step-000000012"
    (folder / "generator_ema.safetensors").write_bytes(b"\0" * 40)
    with pytest.raises(RunError, match=r"generator_ema\.safetensors cannot be read as safetensors"):
        load_generator(tmp_path / "run", 12)
    (folder / "state.pt").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    (folder / "generator_ema.safetensors").unlink()
    with pytest.raises(
        RunError, match=r"state\.pt cannot be read .* delete .*step-000000012 to go on at the one before"
    ):
        load_checkpoint(tmp_path / "run", 12)
    shutil.rmtree(folder)
    train(TINY, out=tmp_path / "run", resume=True)
    assert load_checkpoint(tmp_path / "run").step == 12


def test_only_the_newest_checkpoints_and_the_best_one_stay(tmp_path: Path) -> None:
    train(tiny(steps=20, checkpoint_every=2, keep=3, evaluate_every=0), out=tmp_path / "run")
    best = read_best(tmp_path / "run")
    assert set(checkpoint_steps(tmp_path / "run")) == {16, 18, 20} | ({best["step"]} if best else set())


def test_better_is_judged_by_the_score_s_own_direction() -> None:
    best = {"step": 3, "score": "frechet_distance[x]", "value": 2.0, "better": "lower"}
    assert is_better(best, Score("frechet_distance[x]", 1.9, "lower"))
    assert not is_better(best, Score("frechet_distance[x]", 2.0, "lower"))
    assert is_better({**best, "score": "recall[x]"}, Score("recall[x]", 2.1, "higher"))
    assert is_better(best, Score("mode_kl", 99.0, "lower"))
    assert is_better(None, Score("mode_kl", 99.0, "lower"))


def test_the_moving_average_halves_its_distance_in_its_half_life() -> None:
    training = prepare(tiny(ema_images=160, ema_ramp=0.0))
    players = training.players
    begin = torch.cat([p.detach().flatten().clone() for p in players.generator_ema.parameters()])
    with torch.no_grad():
        for parameter in players.generator.parameters():
            parameter.add_(1.0)
    for step in range(10):
        update_average(players, images=16 * (step + 1), half_life=160, ramp=0.0, batch=16)
    moved = torch.cat([p.detach().flatten() for p in players.generator_ema.parameters()]) - begin
    assert torch.allclose(moved, torch.full_like(moved, 0.5), atol=1e-5)


def test_images_and_minutes_end_a_run_early(tmp_path: Path) -> None:
    outcome = train(tiny(images=80), out=tmp_path / "images")
    assert (outcome.ended, outcome.step, outcome.why) == ("stopped", 5, "80 images were shown")
    outcome = train(tiny(minutes=0.0), out=tmp_path / "minutes")
    assert (outcome.ended, outcome.step) == ("stopped", 0)


def test_a_finding_that_was_asked_for_ends_the_run(tmp_path: Path) -> None:
    config = tiny(steps=400, lr_g=1e30, lr_d=1e30, diagnose_every=10, evaluate_every=0, sample_every=0)
    told: list[str] = []
    outcome = train(
        dataclasses.replace(config, stop_on=("numerical_failure",)),
        out=tmp_path / "run",
        on_finding=lambda finding: told.append(finding.check),
    )
    assert outcome.ended == "stopped"
    assert outcome.why.startswith("numerical_failure: ")
    assert outcome.step % 10 == 0
    assert outcome.step < 400
    assert told.count("numerical_failure") == 1
    assert load_run(tmp_path / "run").about["ended_because"] == outcome.why
    events = load_run(tmp_path / "run").records("events")
    assert [e["check"] for e in events if e["event"] == "alert"].count("numerical_failure") == 1
    again = train(dataclasses.replace(config, stop_on=("numerical_failure",)), out=tmp_path / "again")
    assert again.step == outcome.step, "it stops by the record and not by the clock"


def test_convergence_ends_a_run_only_where_nothing_has_failed() -> None:
    settled = Finding("convergence", Verdict.HEALTHY, "settled", kind="settled")
    improving = dataclasses.replace(settled, kind="still improving")
    sick = Finding("mode_collapse", Verdict.FAILED, "one mode")
    for findings, stops in (((settled,), True), ((improving,), False), ((sick, settled), False), ((sick,), False)):
        diagnosis = Diagnosis(Overall.STABLE, findings, "")
        assert bool(reason_to_stop(diagnosis, (), "converged")) == stops
        assert not reason_to_stop(diagnosis, (), None)
    assert (
        reason_to_stop(Diagnosis(Overall.UNSTABLE, (sick,), ""), ("mode_collapse",), None) == "mode_collapse: one mode"
    )


def test_a_disk_that_refuses_a_checkpoint_costs_the_checkpoint_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", refuse)
    with pytest.warns(RuntimeWarning, match="No space left"):
        outcome = train(TINY, out=tmp_path / "run")
    run = load_run(tmp_path / "run")
    assert (outcome.ended, len(run["discriminator_loss"])) == ("finished", 12)
    assert "checkpoint_failed" in [e["event"] for e in run.records("events")]
    assert checkpoint_steps(run.path) == []


def test_a_signal_ends_the_run_after_the_step_and_keeps_a_checkpoint(tmp_path: Path) -> None:
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread only: nothing is tested here")
    before = signal.getsignal(signal.SIGINT)

    def interrupt(progress: Progress) -> None:
        if progress.step == 7:
            os.kill(os.getpid(), signal.SIGINT)

    outcome = train(TINY, out=tmp_path / "run", watch=interrupt)
    assert (outcome.ended, outcome.step) == ("interrupted", 7)
    assert load_run(tmp_path / "run").about["status"] == "interrupted"
    assert named_step(tmp_path / "run", "last") == 7
    assert signal.getsignal(signal.SIGINT) is before


def test_a_failing_step_leaves_a_run_that_says_so(tmp_path: Path) -> None:
    def fail(progress: Progress) -> None:
        if progress.step == 5:
            raise RuntimeError("the user's own fault")

    with pytest.raises(RuntimeError, match="the user's own fault"):
        train(TINY, out=tmp_path / "run", watch=fail)
    run = load_run(tmp_path / "run")
    assert run.about["status"] == "failed"
    assert len(run["discriminator_loss"]) == 5


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"data": "digits", "batch": 5000}, "larger than the data"),
        ({"device": "cuda:99"}, "CUDA"),
        ({"device": "toaster"}, "no device"),
        ({"loss": "hing"}, "hinge"),
        ({"update": "alternatin"}, "alternating"),
        ({"generator": "mpl"}, "mlp"),
        ({"penalties": ("r3",)}, "r1"),
        ({"optimizer_g": "adamm"}, "adam"),
        ({"data": "digit"}, "digits"),
        ({"conditional": True, "data": "absent.npz"}, "absent"),
        ({"changes": "5: lrg=1"}, "lr_g"),
        ({"stop_on": ("mode_colapse",)}, "mode_collapse"),
        ({"precision": "fp16"}, "did you mean float16"),
        ({"latent": "gauss"}, "normal, uniform"),
        ({"schedule": "typo"}, "constant, linear"),
        ({"steps": -3}, "at least 1"),
        ({"accumulate": 3}, "divisible by accumulate"),
        ({"threads": None}, "whole number"),
        ({"device": torch.device("cpu")}, "a text"),
        ({"changes": "2-8: clip_weights=0.1"}, "none at step 2, and a ramp needs a value to begin from"),
        ({"changes": "4: clip_gradient=0"}, "number above 0"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, changes: dict[str, object], wanted: str
) -> None:
    with pytest.raises(GandiagError, match=wanted):
        train(tiny(**changes), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_another_run_is_left_alone(tmp_path: Path) -> None:
    train(TINY, out=tmp_path / "run")
    before = json.loads((tmp_path / "run" / "run.json").read_text())
    with pytest.raises(RunError, match="holds another run: give another folder with --out, or continue"):
        train(TINY, out=tmp_path / "run")
    assert json.loads((tmp_path / "run" / "run.json").read_text()) == before


def test_packing_joins_samples_along_their_channels() -> None:
    batch = torch.arange(24.0).reshape(4, 1, 2, 3)
    packed = pack_samples(batch, 2)
    assert packed.shape == (2, 2, 2, 3)
    assert torch.equal(packed[1, 0], batch[2, 0])
    assert torch.equal(packed[1, 1], batch[3, 0])
    assert pack_samples(batch, 1) is batch


def test_accumulated_parts_give_the_gradient_of_the_whole_batch() -> None:
    found = []
    for parts in (1, 4):
        training = prepare(tiny(accumulate=parts, penalties=(), d_steps=1))
        players: Players = training.players
        latents = torch.randn(16, 2, generator=torch.Generator().manual_seed(5))
        drawn = iter(latents.chunk(parts) * 2)
        rules = dataclasses.replace(training.rules, draw_latent=lambda count, random, drawn=drawn: (next(drawn), None))
        play(players, rules, as_settings(initial_settings(TINY)), training.update)
        found.append(torch.cat([p.grad.flatten() for p in players.discriminator.parameters() if p.grad is not None]))
    assert torch.allclose(found[0], found[1], atol=1e-6)


def test_a_lazy_penalty_comes_at_its_steps_and_so_many_times_as_strong() -> None:
    training = prepare(tiny(penalty_every=3, gamma=0.5))
    settings = as_settings(initial_settings(tiny(gamma=0.5)))
    with_penalty = []
    for step in range(6):
        training.players.step = step
        with_penalty.append(play(training.players, training.rules, settings, training.update)[0].penalty is not None)
    assert with_penalty == [True, False, False, True, False, False]
    eager = prepare(tiny(penalty_every=1, gamma=0.5))
    lazy = prepare(tiny(penalty_every=3, gamma=0.5))
    values = [play(t.players, t.rules, settings, t.update)[0].penalty for t in (eager, lazy)]
    assert float(values[1]) == pytest.approx(3 * float(values[0]), rel=1e-6)


def test_a_change_takes_effect_at_its_step(tmp_path: Path) -> None:
    train(tiny(changes="5: lr_g=0.25 gamma=0", probes="full"), out=tmp_path / "run")
    run = load_run(tmp_path / "run")
    assert run["discriminator_penalty"].loc[:4].gt(0).all()
    rates = run["generator_learning_rate"]
    assert (rates.loc[rates.index < 5] == 1e-3).all()
    assert (rates.loc[rates.index >= 5] == 0.25).all()
    assert run["discriminator_penalty"].reindex(range(5, 12)).fillna(0).eq(0).all()


def test_conditional_training_needs_labels(tmp_path: Path) -> None:
    import numpy as np

    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32))
    with pytest.raises(UsageError, match="no labels"):
        prepare(tiny(data=str(tmp_path / "points.npy"), conditional=True))


def test_a_ramp_begins_from_the_value_that_an_earlier_change_has_set(tmp_path: Path) -> None:
    train(tiny(changes="2: clip_gradient=4; 4-8: clip_gradient=1"), out=tmp_path / "run")


def test_reals_are_shown_also_where_samples_come_at_the_end_only(tmp_path: Path) -> None:
    train(tiny(sample_every=0, evaluate_every=0), out=tmp_path / "run")
    run = load_run(tmp_path / "run")
    assert (run.sample_steps("real"), run.sample_steps("fake")) == ([0], [12])


def test_only_a_penalty_that_is_there_slows_the_discriminator_down(tmp_path: Path) -> None:
    for name, penalties in (("lazy", ("r1",)), ("none", ())):
        train(tiny(penalty_every=4, penalties=penalties, beta1=0.5, probes="full"), out=tmp_path / name)
    rates = {name: load_run(tmp_path / name)["discriminator_learning_rate"].iloc[-1] for name in ("lazy", "none")}
    assert rates == pytest.approx({"lazy": 1e-3 * 4 / 5, "none": 1e-3})
    group = prepare(tiny(penalty_every=4, penalties=(), beta1=0.5)).players.discriminator_optimizer.param_groups[0]
    assert group["betas"] == (0.5, 0.99)


def test_a_training_leaves_the_process_as_it_found_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    seen = set()
    try:
        train(
            tiny(threads=1, deterministic=True),
            out=tmp_path / "run",
            watch=lambda progress: seen.add(os.environ.get("CUBLAS_WORKSPACE_CONFIG")),
        )
        assert seen == {":4096:8"}  # cuBLAS on CUDA is refused without it
        assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
        assert torch.get_num_threads() == before + 1
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(False)


def test_a_lack_of_memory_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(GandiagError, match=r"out of memory .*smaller --batch"):
        train(tiny(batch=2**50), out=tmp_path / "run")


def test_samples_that_lose_the_score_of_the_best_checkpoint_do_not_end_the_run(tmp_path: Path) -> None:
    config = dataclasses.replace(
        TINY, lr_g=1e30, best_by="frechet_distance", steps=6, evaluate_every=2, checkpoint_every=2
    )
    assert train(config, out=tmp_path / "run").step == 6  # its fakes are NaN from the first step on
    with pytest.warns(RuntimeWarning, match="no best checkpoint until one does"):
        train(dataclasses.replace(config, best_by="vendi_score"), out=tmp_path / "other")


def test_a_single_held_out_sample_has_no_spread_and_ends_nothing(tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, data="digits", heldout=0.0007, measure=("weights", "heldout"))
    train(config, out=tmp_path / "run")
    run = load_run(tmp_path / "run")
    assert "heldout_auc" not in run
    assert "generator_layer_spectral_norm" in run.names


def test_the_fakes_of_a_pack_are_normalised_apart_as_in_pacgans_code() -> None:
    training = prepare(
        tiny(generator="pac", discriminator="pac", generator_width=8, generator_depth=2, pack=4, batch=32)
    )
    players, rules = training.players, training.rules
    before: list[torch.Tensor] = []
    first = next(m for m in players.generator.modules() if isinstance(m, torch.nn.BatchNorm1d))
    first.register_forward_hook(lambda module, given, made: before.append(made.detach()))
    latent, _ = rules.draw_latent(32, players.random)
    fakes = generated(players, rules, latent, None)
    assert [len(made) for made in before] == [8, 8, 8, 8]
    for made in before:  # each call's own mean and variance, whatever those of the whole batch are
        assert made.mean(0).abs().max() < 1e-5
        assert made.var(0, unbiased=False).max() == pytest.approx(1, abs=0.05)
    packs = pack_samples(fakes, 4).reshape(8, 4, 2)
    for slot in range(4):  # a pack holds one fake of each call
        assert torch.allclose(packs[:, slot], players.generator(latent[slot::4]), atol=1e-6)
    players.generator.eval()  # which takes no notice of the others in a batch: the fakes are those of their latents, in order
    assert torch.allclose(generated(players, rules, latent, None), players.generator(latent), atol=1e-6)


def test_a_generator_without_batch_statistics_makes_a_pack_in_one_call() -> None:
    training = prepare(tiny(pack=4, batch=32))
    assert (training.rules.slots, training.config.pack) == (1, 4)
