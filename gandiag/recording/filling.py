"""The open row, filled as a step ends: with what the loop gives, and else with what the hooks have seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from gandiag.recording.addresses import Copier
from gandiag.recording.arguments import joined, says
from gandiag.recording.buffer import BIT, SCALARS, WHOLE_VALUES
from gandiag.recording.nearness import shown_fakes
from gandiag.recording.passes import norm
from gandiag.recording.player import Player
from gandiag.recording.probes import SCORELESS
from gandiag.recording.rows import Rows
from gandiag.recording.schedule import Schedule, as_logits, as_step
from gandiag.recording.seen import Seen, nothing_seen
from gandiag.recording.through import both_norms
from gandiag.recording.turns import Turns
from gandiag.recording.uphill import Way

SCALAR_BITS = tuple(BIT[name] for name in SCALARS)
REAL_SUM, FAKE_SUM, AT_IMAGE = (SCALARS.index(n) for n in ("real_sum", "fake_sum", "generator_gradient_at_image"))
VERDICT, VERDICT_EVERY = SCALARS.index("generator_turn_verdict_sum"), 10
Given = Tensor | float | None


class Filling:
    """Fills the block's open row and closes it."""

    def __init__(
        self,
        players: Mapping[str, Player],
        *,
        turns: Turns,
        ways: Mapping[str, Way],
        schedule: Schedule,
        rows: Rows,
        copier: Copier | None,
        probability: bool,
        device: torch.device,
        give_up: Callable[[str, Exception], bool],
    ) -> None:
        self._players, self._turns, self._schedule, self._rows = players, turns, schedule, rows
        self._discriminator, self._generator = players["discriminator"], players["generator"]
        self._ways = ways
        self._copier, self._probability, self._device, self._give_up = copier, probability, device, give_up
        self._zero = torch.zeros((), device=device)

    def fill(
        self,
        real_logits: Tensor | None,
        fake_logits: Tensor | None,
        losses: tuple[Given, ...],
        real: Tensor | None,
        fake: Tensor | None,
    ) -> Tensor | None:
        """Fills the row and closes it; returns the real batch. Called without grad."""
        index = self._rows.index
        d, g = self._seen(real_logits, fake_logits, real, fake)
        d_real, g_real, d_fake, g_fake = d.real, g.real, d.fake, g.fake
        if real is None:
            real = self._turns.sample(joined((d_real if d_real.images else g_real).images))
        if fake is None:
            sure = d_fake.images and not (
                d.guessed and g_fake.images
            )  # what leads to G in its own turn is certainly a fake
            fake = self._turns.sample(joined((d_fake if sure else g_fake).images))
        # what looks real alone in G's turn is a fake that could not be traced
        reals_judged = d_real.scores or (g_real.scores if g_fake.scores else [])
        vectors: dict[str, list[Tensor]] = {
            "real_logits": reals_judged if real_logits is None else [real_logits],
            "fake_logits": (d_fake.scores or g_fake.scores) if fake_logits is None else [fake_logits],
            "discriminator_force_real": d_real.gradients,
            "discriminator_force_fake": d_fake.gradients,
            "generator_force_real": g_real.gradients,
            "generator_force_fake": g_fake.gradients,
        }
        scalars = self._scalars(losses)
        for place, name, batch in ((REAL_SUM, "real_values", real), (FAKE_SUM, "fake_values", fake)):
            if batch is not None:
                if batch.numel() <= WHOLE_VALUES:
                    vectors[name] = [batch]
                else:
                    scalars[place] = batch.sum()
        if not index % VERDICT_EVERY and g_fake.scores:
            verdict = as_logits(g_fake.scores, self._probability)
            if verdict is not None:
                scalars[VERDICT], scalars[VERDICT + 1] = verdict.sum(), float(verdict.numel())
        at_image = g.image_gradients
        if len(at_image) == 1:
            if at_image[0].dim():
                vectors["image_gradient"] = at_image
            else:
                scalars[AT_IMAGE] = at_image[0]
        elif at_image:
            scalars[AT_IMAGE] = norm(torch.stack([norm(one) for one in at_image]))
        mask = self._copy(vectors, scalars)
        for player in (self._discriminator, self._generator):
            if player.updates:
                mask |= player.bits
        due = self._schedule.due(index)
        if due:
            scored = not SCORELESS.issuperset(probe for probe, _ in due)
            both: list[Tensor | None] = [None, None]
            if d_fake.images and g_fake.images and any(probe is shown_fakes for probe, _ in due):
                both = [self._schedule.kept(due, self._turns.sample(joined(s.images))) for s in (d_fake, g_fake)]
            scores = [
                as_logits(vectors[name], self._probability) if scored else None
                for name in ("real_logits", "fake_logits")
            ]
            self._schedule.run(
                due,
                as_step(
                    index,
                    players=self._players,
                    batches=(self._schedule.kept(due, real), self._schedule.kept(due, fake)),
                    scores=(scores[0], scores[1]),
                    fakes=(both[0], both[1]),
                    previous=self._schedule.previous,
                ),
            )
        self._schedule.end_step(index, real, fake)
        self._rows.block.end_row(index, mask)
        return real

    def _seen(
        self, real_logits: Tensor | None, fake_logits: Tensor | None, real: Tensor | None, fake: Tensor | None
    ) -> tuple[Seen, Seen]:
        """Returns what the discriminator's update of this step saw, and what the generator's did."""
        turns = self._turns
        if not (self._discriminator.updates or self._generator.updates):
            turns.nobody_stepped()
        elif self._discriminator.moved_unseen:
            turns.moved_unseen("discriminator")
        elif self._generator.moved_unseen:
            turns.moved_unseen("generator")
        same = says(real_logits, fake_logits, real, fake)
        try:
            seen = (
                turns.seen("discriminator", same, self._probability),
                turns.seen("generator", same, self._probability),
            )
            for who, way in self._ways.items():
                if way.looks:
                    way.learn(turns.passes_of(who))
            return seen
        except Exception as error:  # of what was captured; what the loop gives is recorded all the same
            self._give_up("what was seen", error)
            return nothing_seen(), nothing_seen()

    def _copy(self, vectors: Mapping[str, list[Tensor]], scalars: Sequence[Given]) -> int:
        """Copies all entries into the block's open row by one call; returns the bits of those that are there."""
        mask = 0
        places: list[int | str] = []
        whole: list[Tensor] = []
        in_pieces = False
        for place, value in enumerate(scalars):
            if value is not None:
                mask |= SCALAR_BITS[place]
                places.append(place)
                whole.append(value if isinstance(value, Tensor) and not value.dim() else self._as_scalar(value))
        for name, pieces in vectors.items():
            if pieces:
                mask |= BIT[name]
                places.append(name)
                whole.append(pieces[0])
                in_pieces = in_pieces or len(pieces) > 1
        rows, copier = self._rows, self._copier
        if copier is None or in_pieces or not copier.copy(rows.block, mask, places, whole):
            rows.make_room(vectors)
            rows.block.copy(places, whole, vectors)
        return mask

    def _scalars(self, losses: tuple[Given, ...]) -> list[Given]:
        d, g, stale = self._discriminator, self._generator, self._turns.stale
        return [
            *losses,
            None,  # what the batches tell
            None,
            None,
            d.largest,
            g.largest,
            d.scale,
            g.scale,
            d.gradient_scale,
            g.gradient_scale,
            d.skipped,
            g.skipped,
            d.skips,
            g.skips,
            d.turn_skipped,
            g.turn_skipped,
            stale.get("discriminator"),
            stale.get("generator"),
            self._ways["discriminator"].sign,
            self._ways["generator"].sign,
            *self._at_image(),
            None,  # what the generator's turn tells: a sum, and of how many
            None,
        ]

    def _at_image(self) -> tuple[Given, Given]:
        """What came to G's outputs through D in its update, and all that came, where it was looked at."""
        passes = self._turns.passes_of("generator")
        if not any(p.through for p in passes):
            return None, None
        found = both_norms([part for p in passes for part in p.through], [n for p in passes for n in p.at_judged])
        return (None, None) if found is None else found

    def _as_scalar(self, value: Tensor | float) -> Tensor:
        if not isinstance(value, Tensor):
            if value == 0:  # what gradients that were cleared hold, every time that it is looked
                return self._zero
            return torch.full((), float(value), device=self._device)
        return value.mean() if value.numel() != 1 else value.reshape(())
