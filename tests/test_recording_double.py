"""A training in double precision is recorded like any other: norms are worked out without narrowing and kept in float32."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

from gandiag import load_run
from gandiag.recording import Recorder
from gandiag.recording.player import norms


def test_norms_of_every_precision():
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        (found,) = norms([torch.full((4,), 3.0, dtype=dtype)])
        assert found.dtype == torch.float32
        assert float(found) == 6.0


def test_a_double_precision_loop_is_recorded(tmp_path):
    torch.manual_seed(0)
    generator, discriminator = nn.Linear(3, 2).double(), nn.Linear(2, 1).double()
    g_opt, d_opt = (torch.optim.SGD(m.parameters(), lr=0.1) for m in (generator, discriminator))
    norms_seen = []
    with Recorder(
        tmp_path / "run",
        generator=generator,
        discriminator=discriminator,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
        probes="full",
    ):
        for _ in range(3):
            real = torch.randn(8, 2, dtype=torch.float64)
            d_opt.zero_grad()
            fake = generator(torch.randn(8, 3, dtype=torch.float64))
            (softplus(-discriminator(real)).mean() + softplus(discriminator(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-discriminator(fake)).mean().backward()
            norms_seen.append(float(torch.cat([p.grad.reshape(-1) for p in generator.parameters()]).norm()))
            g_opt.step()
    run = load_run(tmp_path / "run")
    np.testing.assert_allclose(run["generator_gradient_norm"].to_numpy(), norms_seen, rtol=1e-5)
    assert run["generator_gradient_at_image"].notna().all()
