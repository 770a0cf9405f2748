"""Integrations: what reaches a tracker is what was recorded; a Lightning module and an Accelerate loop are recorded as any loop is."""

from __future__ import annotations

import math
import sys
import threading
import types
import warnings
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gandiag.errors import UsageError
from gandiag.integrations import (
    Alert,
    Histogram,
    Mirror,
    Sink,
    lightning_callback,
    to_mlflow,
    to_tensorboard,
    to_tracker,
)
from gandiag.quantities import LOGIT_BINS, logit_bin_labels
from gandiag.run import Run, RunWriter, load_run

FAILED = SimpleNamespace(check="mode_collapse", verdict="failed", claim="1 of 8 modes (limit: 4)")


def write(path: Path, steps: int = 25) -> Run:
    """A run of one series each step, one with holes, a vector, scores and an alert."""
    with RunWriter(path, {}) as writer:
        at = np.arange(steps)
        writer.append(
            "every-1",
            at,
            {
                "generator_loss": at / 10,
                "discriminator_loss": np.where(at == 20, np.nan, at),
                "fakes": np.ones((steps, 2)),
            },
            labels={"fakes": ["a", "b"]},
            absent={"discriminator_loss": at < 20},
        )
        writer.record(
            "evaluations",
            {
                "step": 13,
                "scores": {"frechet_distance[digits-cnn]": 2.5, "modes_covered": 7, "mode_histogram": [0.5, 0.5]},
            },
        )
        writer.record(
            "events",
            {"event": "alert", "step": 12, "check": "divergence", "verdict": "suspect", "claim": "D's loss rises"},
        )
    return load_run(path)


class Collected:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.alerts: list[Alert] = []
        self.sink = Sink(lambda values, step: self.rows.append((step, dict(values))), self.alerts.append)


def test_what_is_sent_is_what_was_recorded_every_so_many_steps(tmp_path: Path) -> None:
    run, seen = write(tmp_path / "run"), Collected()
    with Mirror(run.path, seen.sink) as mirror:
        mirror.alert(FAILED)
    assert [step for step, _ in seen.rows] == [0, 10, 13, 20]
    rows = dict(seen.rows)
    assert rows[10] == {"gandiag/generator_loss": 1.0}
    assert rows[13] == {"gandiag/frechet_distance[digits-cnn]": 2.5, "gandiag/modes_covered": 7.0}
    assert rows[20]["gandiag/generator_loss"] == 2.0
    assert math.isnan(rows[20]["gandiag/discriminator_loss"])
    assert seen.alerts == [
        Alert("divergence", "WARN", "D's loss rises", 12),
        Alert("mode_collapse", "ERROR", "1 of 8 modes (limit: 4)", 24),
    ]


def test_a_row_and_an_alert_are_sent_once_however_often_the_run_is_looked_at(tmp_path: Path) -> None:
    write(tmp_path / "run")
    seen, looked = Collected(), threading.Event()
    sink = Sink(lambda values, step: (seen.sink.log(values, step), looked.set())[0], seen.alerts.append)
    with Mirror(tmp_path / "run", sink, every=5, seconds=0.01) as mirror:
        assert looked.wait(30)
        mirror.alert(FAILED)
        mirror.alert(FAILED)
        with RunWriter(tmp_path / "run", {}, resume_at=25) as writer:
            writer.append("every-1", np.arange(25, 36), {"generator_loss": np.arange(25, 36) / 10})
    assert [s for s, v in seen.rows if "gandiag/generator_loss" in v] == [0, 5, 10, 15, 20, 25, 30, 35]
    assert sorted(a.check for a in seen.alerts) == ["divergence", "mode_collapse"]


def test_a_mirror_waits_for_its_run_and_leaves_out_what_was_sent_before_a_resume(tmp_path: Path) -> None:
    seen = Collected()
    mirror = Mirror(tmp_path / "run", seen.sink, since=15)
    write(tmp_path / "run")
    mirror.close()
    mirror.close()
    assert [s for s, _ in seen.rows] == [20]
    assert seen.alerts == []


def test_a_tracker_that_fails_is_said_once_and_costs_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "run")

    def refuse(*_: Any) -> None:
        raise ConnectionError("no network")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with Mirror(tmp_path / "run", Sink(refuse, refuse), seconds=0.01) as mirror:
            mirror.alert(FAILED)
    assert sum("no network" in str(w.message) for w in caught) == 1


def test_nonsense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        Mirror(tmp_path, Collected().sink, every=0)


class Plain:
    """A tracker with `log` alone."""

    def __init__(self) -> None:
        self.logged: list[tuple[dict[str, float], int | None]] = []

    def log(self, values: dict[str, float], step: int | None = None) -> None:
        self.logged.append((values, step))


def test_a_tracker_of_wandbs_shape_gets_rows_and_alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Plain()
    sink = to_tracker(plain)
    sink.log({"gandiag/a": 1.0}, 10)
    sink.alert(Alert("mode_collapse", "ERROR", "x", 11))
    assert plain.logged == [({"gandiag/a": 1.0}, 10), ({"gandiag/alert/mode_collapse": 2.0}, 11)]

    levels = Enum("AlertLevel", {"INFO": "info", "WARN": "warn", "ERROR": "error"})
    told: list[dict[str, Any]] = []
    module = types.ModuleType("faketracker")
    module.AlertLevel, module.log, module.alert = levels, plain.log, lambda **given: told.append(given)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faketracker", module)
    to_tracker(module).alert(Alert("c" * 80, "WARN", "the claim", 3))
    assert told == [{"title": ("gandiag: " + "c" * 80)[:63], "text": "the claim", "level": levels.WARN}]


def test_a_tracker_with_an_axis_of_its_own_is_not_given_the_step_of_others() -> None:
    class Own(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.defined: list[tuple[Any, ...]] = []

        def define_metric(self, name: str, step_metric: str | None = None) -> None:
            self.defined.append((name, step_metric))

    own = Own()
    to_tracker(own).log({"gandiag/a": 1.0}, 10)
    assert own.defined == [("gandiag/step", None), ("gandiag/*", "gandiag/step")]
    assert own.logged == [({"gandiag/a": 1.0, "gandiag/step": 10}, None)]


def test_mlflow_gets_batches_that_it_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    entities = types.ModuleType("mlflow.entities")
    entities.Metric = lambda key, value, timestamp, step: (key, value, step)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", types.ModuleType("mlflow"))
    monkeypatch.setitem(sys.modules, "mlflow.entities", entities)
    sent: list[Any] = []
    client = SimpleNamespace(
        log_batch=lambda run_id, metrics: sent.append((run_id, metrics)), set_tag=lambda *given: sent.append(given)
    )
    sink = to_mlflow(client, "run-1")
    sink.log({"gandiag/frechet_distance[digits-cnn]": 2.0} | {f"gandiag/{i}": 0.0 for i in range(1200)}, 40)
    sink.alert(Alert("divergence", "WARN", "rises", 41))
    assert [len(metrics) for _, metrics in sent[:2]] == [1000, 201]
    assert sent[0][1][0] == ("gandiag/frechet_distance/digits-cnn", 2.0, 40)
    assert sent[2] == ("run-1", "gandiag.alert.divergence", "WARN at step 41: rises")


def test_real_tensorboard_reads_what_was_sent(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: its sink is held to a fake alone")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    write(tmp_path / "run")
    with SummaryWriter(str(tmp_path / "tb")) as writer, Mirror(tmp_path / "run", to_tensorboard(writer)) as mirror:
        mirror.alert(FAILED)
    events = EventAccumulator(str(tmp_path / "tb"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("gandiag/generator_loss")] == [(0, 0.0), (10, 1.0), (20, 2.0)]
    texts = [e.tensor_proto.string_val[0].decode() for e in events.Tensors("gandiag/alerts/text_summary")]
    assert texts == ["**WARN** divergence: D's loss rises", "**ERROR** mode_collapse: 1 of 8 modes (limit: 4)"]


def test_histograms_of_the_logits_reach_real_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: its histograms are not looked at")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    counts = np.zeros((3, LOGIT_BINS + 2))
    counts[:, 0], counts[:, 21], counts[:, -1] = 1, 5, 2  # below -10; 0 .. 0.5; above 10
    with RunWriter(tmp_path / "run", {}) as writer:
        writer.append(
            "every-10",
            np.array([0, 10, 20]),
            {"real_logit_histogram": counts},
            labels={"real_logit_histogram": logit_bin_labels()},
        )
    with SummaryWriter(str(tmp_path / "tb")) as board, Mirror(tmp_path / "run", to_tensorboard(board)):
        pass
    events = EventAccumulator(str(tmp_path / "tb"), size_guidance={"histograms": 0})
    events.Reload()
    found = events.Histograms("gandiag/real_logit_histogram")
    assert [h.step for h in found] == [0, 10, 20]
    held = {limit: c for limit, c in zip(found[1].histogram_value.bucket_limit, found[1].histogram_value.bucket) if c}
    assert held == {-10.0: 1.0, 0.5: 5.0, 10.5: 2.0}
    assert found[1].histogram_value.num == 8


def test_a_tracker_with_histograms_gets_those_of_the_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Plain()
    module = types.ModuleType("faketracker")
    module.log, module.Histogram = plain.log, lambda np_histogram: np_histogram  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faketracker", module)
    sink = to_tracker(module)
    assert sink.histograms is not None
    sink.histograms({"gandiag/h": Histogram((0.0, 0.5, 1.0), (3.0, 4.0))}, 10)
    ((values, step),) = plain.logged
    assert step == 10
    assert [a.tolist() for a in values["gandiag/h"]] == [[3.0, 4.0], [0.0, 0.5, 1.0]]  # type: ignore[attr-defined]
    assert to_tracker(Plain()).histograms is None


def test_real_wandb_takes_rows_histograms_and_alerts_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb", reason="wandb is not installed: its sink is held to fakes alone")
    monkeypatch.setenv("WANDB_SILENT", "true")
    write(tmp_path / "run")
    run = wandb.init(mode="offline", dir=str(tmp_path), project="gandiag-test")
    told: list[Any] = []
    monkeypatch.setattr(type(run), "alert", lambda self, **given: told.append(given))
    sink = to_tracker(run)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # what a mirror says when a tracker fails
        with Mirror(tmp_path / "run", sink) as mirror:
            mirror.alert(FAILED)
    assert sink.histograms is not None
    sink.histograms({"gandiag/h": Histogram((0.0, 0.5, 1.0), (3.0, 4.0))}, 20)
    assert run.summary["gandiag/generator_loss"] == 2.0
    assert run.summary["gandiag/step"] == 20
    assert run.summary["gandiag/h"]["_type"] == "histogram"
    assert [t["level"] for t in told] == [wandb.AlertLevel.WARN, wandb.AlertLevel.ERROR]
    run.finish()


def test_real_mlflow_takes_rows_and_alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed: its sink is held to a fake alone")
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # mlflow-skinny brings no database
    client = MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())
    run_id = client.create_run(client.create_experiment("e")).info.run_id
    write(tmp_path / "run")
    with Mirror(tmp_path / "run", to_mlflow(client, run_id)) as mirror:
        mirror.alert(FAILED)
    history = client.get_metric_history(run_id, "gandiag/generator_loss")
    assert [(m.step, m.value) for m in history] == [(0, 0.0), (10, 1.0), (20, 2.0)]
    assert client.get_metric_history(run_id, "gandiag/frechet_distance/digits-cnn")[0].value == 2.5
    tags = client.get_run(run_id).data.tags
    assert tags["gandiag.alert.mode_collapse"].startswith("ERROR at step 24")


def test_tensorboard_gets_scalars_and_text() -> None:
    got: list[Any] = []
    writer = SimpleNamespace(add_scalar=lambda *a: got.append(a), add_text=lambda *a: got.append(a))
    sink = to_tensorboard(writer)
    sink.log({"gandiag/a": 1.0}, 10)
    sink.alert(Alert("divergence", "WARN", "rises", 41))
    assert got == [("gandiag/a", 1.0, 10), ("gandiag/alerts", "**WARN** divergence: rises", 41)]


# ------------------------------------------------------------------------------------------------- Lightning and Accelerate


def nets() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return (
        nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)),
        nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)),
    )


def lightning_module(pl: Any, every: int = 1) -> Any:
    class Gan(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = False
            self.generator, self.discriminator = nets()
            self.seen: list[dict[str, float]] = []

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.generator.parameters(), 1e-3), torch.optim.Adam(
                self.discriminator.parameters(), 1e-3
            )

        def training_step(self, batch: Any, index: int) -> Any:
            real = batch[0]
            g_opt, d_opt = self.optimizers()
            fake = self.generator(torch.randn(len(real), 3, generator=torch.Generator().manual_seed(index)))
            self.toggle_optimizer(d_opt)
            d_loss = F.softplus(-self.discriminator(real)).mean() + F.softplus(self.discriminator(fake.detach())).mean()
            d_opt.zero_grad()
            self.manual_backward(d_loss)
            d_opt.step()
            self.untoggle_optimizer(d_opt)
            self.log("d_loss", d_loss)
            if index % every:
                return None
            self.toggle_optimizer(g_opt)
            fake = self.generator(torch.randn(len(real), 3, generator=torch.Generator().manual_seed(index)))
            g_loss = F.softplus(-self.discriminator(fake)).mean()
            g_opt.zero_grad()
            self.manual_backward(g_loss)
            norm = torch.stack([p.grad.norm() for p in self.generator.parameters()]).norm()
            g_opt.step()
            self.untoggle_optimizer(g_opt)
            self.seen.append({"d_loss": d_loss.item(), "g_loss": g_loss.item(), "norm": norm.item()})
            return {"g_loss": g_loss.detach()}

    return Gan()


def lightning_trainer(pl: Any, tmp_path: Path, callbacks: list[Any], epochs: int = 1) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pl.Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=callbacks,
            default_root_dir=tmp_path,
        )


def real_batches(count: int) -> Any:
    chance = torch.Generator().manual_seed(1)
    data = torch.utils.data.TensorDataset(torch.randn(16 * count, 2, generator=chance))
    return torch.utils.data.DataLoader(data, batch_size=16)


@pytest.mark.filterwarnings("ignore")
def test_a_lightning_module_is_recorded_as_it_computes_and_trains_the_same(tmp_path: Path) -> None:
    pl = pytest.importorskip("lightning.pytorch", reason="lightning is not installed: its callback is not run")
    weights = []
    for recorded in (False, True):
        module = lightning_module(pl)
        callbacks = [lightning_callback(tmp_path / "run")] if recorded else []
        lightning_trainer(pl, tmp_path, callbacks).fit(module, real_batches(12))
        weights.append([p.detach().clone() for p in module.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights))
    run = load_run(tmp_path / "run")
    assert run.about["status"] == "finished"
    np.testing.assert_allclose(run["discriminator_loss"], [s["d_loss"] for s in module.seen], rtol=1e-6)
    np.testing.assert_allclose(run["generator_loss"], [s["g_loss"] for s in module.seen], rtol=1e-6)
    np.testing.assert_allclose(run["generator_gradient_norm"], [s["norm"] for s in module.seen], rtol=1e-5)
    assert run["real_logit_mean"].index.to_list() == list(range(12))
    assert run["discriminator_learning_rate"].iloc[0] == pytest.approx(1e-3)


@pytest.mark.filterwarnings("ignore")
def test_in_lightning_a_step_ends_with_the_generators_update(tmp_path: Path) -> None:
    pl = pytest.importorskip("lightning.pytorch", reason="lightning is not installed: its callback is not run")
    module = lightning_module(pl, every=3)
    lightning_trainer(pl, tmp_path, [lightning_callback(tmp_path / "run")]).fit(module, real_batches(10))
    assert load_run(tmp_path / "run")["discriminator_updates"].to_list() == [1, 3, 3, 3]


@pytest.mark.filterwarnings("ignore")
def test_a_lightning_run_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    pl = pytest.importorskip("lightning.pytorch", reason="lightning is not installed: its callback is not run")
    trainer = lightning_trainer(pl, tmp_path, [lightning_callback(tmp_path / "run")])
    trainer.fit(lightning_module(pl), real_batches(6))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    again = lightning_trainer(pl, tmp_path, [lightning_callback(tmp_path / "run")], epochs=2)
    again.fit(lightning_module(pl), real_batches(6), ckpt_path=tmp_path / "last.ckpt")
    assert load_run(tmp_path / "run")["generator_gradient_norm"].index.to_list() == list(range(12))


@pytest.mark.filterwarnings("ignore")
def test_a_lightning_module_without_such_networks_is_told_what_to_give(tmp_path: Path) -> None:
    pl = pytest.importorskip("lightning.pytorch", reason="lightning is not installed: its callback is not run")
    trainer = lightning_trainer(pl, tmp_path, [lightning_callback(tmp_path / "run", generator="netG")])
    with pytest.raises(UsageError, match="no network 'netG'"):
        trainer.fit(lightning_module(pl), real_batches(2))


def test_an_accelerate_loop_is_recorded_as_it_computes(tmp_path: Path) -> None:
    accelerate = pytest.importorskip(
        "accelerate", reason="accelerate is not installed: its wrapped optimizers are not run"
    )
    from gandiag.recording import Recorder

    accelerator = accelerate.Accelerator(cpu=True)
    G, D = nets()
    g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
    G, D, g_opt, d_opt, loader = accelerator.prepare(G, D, g_opt, d_opt, real_batches(8))
    told = []
    with Recorder(
        tmp_path / "run", generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for (real,) in loader:
            fake = G(torch.randn(len(real), 3))
            real_logits, fake_logits = D(real), D(fake.detach())
            d_loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
            d_opt.zero_grad()
            accelerator.backward(d_loss)
            d_norm = torch.stack([p.grad.norm() for p in D.parameters()]).norm()
            d_opt.step()
            g_loss = F.softplus(-D(fake)).mean()
            g_opt.zero_grad()
            accelerator.backward(g_loss)
            g_opt.step()
            recorder.step(d_loss=d_loss, g_loss=g_loss)
            told.append((d_norm.item(), real_logits.mean().item(), fake_logits.mean().item()))
    run = load_run(tmp_path / "run")
    for name, column in zip(("discriminator_gradient_norm", "real_logit_mean", "fake_logit_mean"), zip(*told)):
        np.testing.assert_allclose(run[name], column, rtol=1e-5)
