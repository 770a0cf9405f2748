"""Two processes and one record: it equals that of one process with the same global batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gandiag.quantities import QUANTITIES
from gandiag.run import load_run
from tests import forked

TRAINING = """
import os, sys
import torch, torch.distributed as dist, torch.nn.functional as F
from torch import nn
from gandiag.recording import Recorder
world = int(os.environ.get("WORLD_SIZE", 1))
rank = int(os.environ.get("RANK", 0))
if world > 1:
    dist.init_process_group("gloo")
torch.manual_seed(0)
G = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)).double().float()
D = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
if world > 1:
    G, D = nn.parallel.DistributedDataParallel(G), nn.parallel.DistributedDataParallel(D, broadcast_buffers=False)
g_opt, d_opt = torch.optim.SGD(G.parameters(), 0.05), torch.optim.SGD(D.parameters(), 0.05)
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
chance = torch.Generator().manual_seed(1)
cut, shrinks = int(sys.argv[2]), len(sys.argv) > 3
halves = slice(0, cut), slice(cut, 16)
part = slice(0, 16) if world == 1 else halves[rank]


def mean(values):
    return sum(values[half].mean() for half in halves) / 2 if world == 1 else values.mean()


for step in range(25):
    real, z = torch.randn(16, 2, generator=chance)[part], torch.randn(16, 3, generator=chance)[part]
    if shrinks and rank == 0 and step in (9, 10, 17):
        real, z = real[:5], z[:5]
    fake = G(z)
    d_opt.zero_grad()
    d_loss = mean(F.softplus(-D(real))) + mean(F.softplus(D(fake.detach())))
    d_loss.backward()
    d_opt.step()
    g_opt.zero_grad()
    g_loss = mean(F.softplus(-D(fake)))
    g_loss.backward()
    g_opt.step()
    recorder.step(d_loss=d_loss, g_loss=g_loss)
recorder.close()
if world > 1:
    dist.barrier()
    dist.destroy_process_group()
"""


def train(path: Path, world: int, *arguments: str) -> None:
    script = path.parent / f"train{world}.py"
    script.write_text(TRAINING)
    for ended in forked.ranks(str(script), str(path), *arguments, cwd=path.parent, count=world):
        assert ended.returncode == 0, ended.stderr


needs_processes = pytest.mark.skipif(
    not torch.distributed.is_available(), reason="this torch was built without torch.distributed"
)


@needs_processes
@pytest.mark.parametrize("cut", [8, 10], ids=["equal batches", "unequal batches"])
def test_the_record_of_two_processes_equals_that_of_one(tmp_path: Path, cut: int) -> None:
    """DDP averages the ranks' gradients whatever their batches' sizes: the one process averages the losses of the two parts."""
    train(tmp_path / "one", 1, str(cut))
    train(tmp_path / "two", 2, str(cut))
    one, two = load_run(tmp_path / "one"), load_run(tmp_path / "two")
    timing = {"wall_time", "step_seconds", "images_per_second", "probe_seconds"}
    assert set(one.names) - timing == set(two.names) - timing
    assert len(set(one.names) - timing) > 50
    for name in set(one.names) - timing:
        a, b = (r.layers(name) if QUANTITIES[name].shape != "scalar" else r[name] for r in (one, two))
        assert a.index.to_list() == b.index.to_list(), name
        np.testing.assert_allclose(b.to_numpy(), a.to_numpy(), rtol=1e-6, atol=1e-6, err_msg=name)


@needs_processes
def test_a_batch_that_changes_its_size_on_one_rank_alone_stops_nobody(tmp_path: Path) -> None:
    train(tmp_path / "run", 2, "8", "shrinks")
    run = load_run(tmp_path / "run")
    assert run.about["status"] == "finished"
    assert run["fake_logit_mean"].index.to_list() == list(range(25))
    assert any("the ranks saw steps of different kinds" in sentence for sentence in run.about["could_not_tell"])
