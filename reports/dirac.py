"""Plays the Dirac-GAN and records it: one parameter a player, the smallest game that circles for ever.

    python reports/dirac.py RUN

G puts all mass at theta, D(x) = psi x, the data lie at 0 (Mescheder et al. 2018). The players move in turns by plain gradient steps,
without a penalty: theory says a circle round the equilibrium (0, 0), with imaginary eigenvalues of +-1/2 there and no attraction.
"""

from __future__ import annotations

import sys

import torch

from gandiag.recording import Recorder
from gandiag.recording.measure import measure_game, measured_labels
from gandiag.training.games import SmallGame, dirac_gan

STEPS = 600
RATE = 0.1
EVERY = 20  # steps between two looks at the Jacobian
BATCH = 8  # copies of the one point, so that a batch has a spread (of 0)
PARTS = ("spectrum", "hessians", "residual", "gap")


def play(game: SmallGame, recorder: Recorder, optimizers: dict[str, torch.optim.Optimizer]) -> None:
    """Plays one step: D first, then G."""
    generator, discriminator = game.generator, game.discriminator
    latents, reals = game.latents.expand(BATCH, -1), game.reals.expand(BATCH, -1)
    optimizers["discriminator"].zero_grad()
    d_loss = game.discriminator_loss(generator, discriminator, game.latents, game.reals)
    d_loss.backward()
    optimizers["discriminator"].step()
    optimizers["generator"].zero_grad()
    g_loss = game.generator_loss(generator, discriminator, game.latents, game.reals)
    g_loss.backward()
    optimizers["generator"].step()
    with torch.no_grad():
        fakes = generator(latents)
        real_logits, fake_logits = discriminator(reals), discriminator(fakes)
    recorder.step(
        real_logits=real_logits, fake_logits=fake_logits, d_loss=d_loss, g_loss=g_loss, real=reals, fake=fakes
    )


def look(game: SmallGame, recorder: Recorder, step: int) -> None:
    """Records the spectrum of the game where the players are."""
    losses = (game.generator_loss, game.discriminator_loss)
    series = measure_game(game.generator, game.discriminator, *losses, game.latents, game.reals, parts=PARTS, step=RATE)
    known = measured_labels(game.generator, game.discriminator)
    labels = {name: values for name, values in known.items() if name in series}
    recorder.record_evaluation(series, protocol={"measure": list(PARTS)}, labels=labels, step=step)


def main(out: str) -> None:
    """Records one game of STEPS steps."""
    game = dirac_gan("minimax", theta=1.0, psi=0.0)
    players = {"generator": game.generator, "discriminator": game.discriminator}
    optimizers: dict[str, torch.optim.Optimizer] = {
        name: torch.optim.SGD(module.parameters(), lr=RATE) for name, module in players.items()
    }
    about = {
        "recipe": "dirac",
        "loss": "minimax",
        "data": {"name": "a point at 0", "kind": "points"},
        "steps_planned": STEPS,
        "command": ["python", "reports/dirac.py", "dirac"],
    }
    with Recorder(
        out,
        generator=game.generator,
        discriminator=game.discriminator,
        generator_optimizer=optimizers["generator"],
        discriminator_optimizer=optimizers["discriminator"],
        probes="full",
        about=about,
    ) as recorder:
        for step in range(STEPS):
            if step % EVERY == 0:
                look(game, recorder, step)
            play(game, recorder, optimizers)


if __name__ == "__main__":
    main(sys.argv[1])
