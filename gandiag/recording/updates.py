"""The players' updates as their optimizers step: whose it is, its gradients, and, where nobody calls `step`, when a step is complete."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from gandiag.recording import gradients
from gandiag.recording.capture import Capture
from gandiag.recording.guard import guarded
from gandiag.recording.kept import Kept
from gandiag.recording.optimizers import watch
from gandiag.recording.player import Player
from gandiag.recording.rewrites import Rewrites
from gandiag.recording.rows import Rows
from gandiag.recording.step import Probe
from gandiag.recording.turns import Turns
from gandiag.recording.uncalled import Uncalled
from gandiag.recording.unstepped import LOOKS, Unstepped
from gandiag.recording.untold import Untold
from gandiag.recording.uphill import Way

# updates of the generator in a row without the discriminator, until they are recorded as if it took part unseen: where attach has seen it
# called, and where it was seen to take part in such an update
ASIDE_AT_FIRST, MOST_ASIDE = 8, 64
UNSEEN_STEPS = 4  # after so many a player that trains and was never seen called is looked for


class Updates:
    """Watches the optimizers, each of which tells of its update just before it; `remove` takes the hooks away."""

    def __init__(
        self,
        players: Mapping[str, Player],
        *,
        probes: Mapping[Probe, int],
        capture: Capture,
        turns: Turns,
        ways: Mapping[str, Way],
        rows: Rows,
        untold: Untold,
        automatic: bool,
        end_step: Callable[[], None],
        give_up: Callable[[str, Exception], bool],
    ) -> None:
        self.automatic = automatic  # a step is what lies between two updates of the generator
        self.complete = False  # the step is over, and is ended as soon as it is sure that nothing more belongs to it
        self.goes_first: str | None = None
        self.give_up = give_up
        self._watching = True
        self._players, self._capture, self._turns, self._rows = players, capture, turns, rows
        self._untold, self._end_step, self._ways = untold, end_step, ways
        self._cosine_every = probes.get(gradients.gradient_cosines, 0)
        self._update_every = probes.get(gradients.update_ratios, 0)
        self._steps = 0
        # how many updates of the generator in a row are taken to be outside the game: none, until D was seen to take part in one
        self.patience = 0
        self._aside = 0
        self._alone = False  # whether the generator was only ever updated without the discriminator, of which no call was seen yet
        self._steps_aside: set[str] = set()  # the players that are
        self._idle_optimizers: set[str] = set()  # of whom it is said that their optimizers never step
        self._out_of_sight: int | None = 0  # steps in which D was updated by no pass that was seen; None once one was
        self.rewrites, self.unstepped = Rewrites(players["generator"]), Unstepped(players)
        self._uncalled: dict[str, tuple[int, Uncalled]] = {}  # by player, and the step since which it is looked
        self._kept = Kept(capture, ways, untold.say)
        self._undo = self._watch()
        self._followed: dict[str, Callable[[], None]] = {}  # what undoes the watch over an optimizer that came later

    def _watch(self) -> list[Callable[[], None]]:
        players = self._players.values()
        d, g = (player.optimizer for player in players)
        if d is not None and d is g:
            undo = [watch(d, self._both_step, partial(self._evaluates_again, *players))]
        else:
            undo = [
                watch(p.optimizer, partial(self._one_steps, p), partial(self._evaluates_again, p))
                for p in players
                if p.optimizer is not None
            ]
        for player in players:
            if player.optimizer is not None and not player.steps_it:
                self._untold.say(
                    f"{player.who} not stepped",
                    f"the {player.who}'s optimizer holds none of the {player.who}'s parameters",
                )
        return undo

    def follow(self, who: str, optimizer: Any, is_new: bool) -> None:
        """Takes another optimizer for a player's own; one that is new is watched from now on, and no longer the one that was followed before."""
        player = self._players[who]
        player.follow(optimizer)
        if is_new:
            if who in self._followed:
                self._followed[who]()
            told = partial(self._one_steps, player), partial(self._evaluates_again, player)
            self._followed[who] = watch(player.optimizer, *told)

    def stop(self) -> None:
        """Looks at no update any more, though the hooks stay."""
        self._watching = self.complete = False

    def remove(self) -> None:
        """Takes every hook away."""
        for undo in (*self._undo, *self._followed.values(), *(way.remove for way in self._ways.values())):
            undo()
        self._undo, self._followed = [], {}
        for _, looked in self._uncalled.values():
            looked.remove()
        self._uncalled = {}

    @guarded
    def _evaluates_again(self, *players: Player) -> None:
        """Notes that an optimizer that is stepping evaluates its closure once more: what it has told of this update is taken back."""
        if self._watching:
            self.complete = False
            for player in players:
                player.take_back()

    @guarded
    def _one_steps(self, player: Player) -> None:
        if not self._watching:
            return
        who = player.who
        again, player.is_taken_back = player.is_taken_back, False
        if self._capture.passes.cleared_some:
            self._kept.about_to_step(who)
        if who == "generator" and self._is_aside(player.updates):
            self.rewrites.aside()
            if not self.automatic:
                player.count_aside()
            return
        self.goes_first = self.goes_first or self._who_has_begun(who)
        if self.automatic and not again:
            self._begin(who)
        if not again:
            player.before_update()
        if who in self._idle_optimizers:
            self._idle_optimizers.discard(who)
            self._untold.take_back(f"{who} unstepped")
        if self._turns.stepped(who):
            self._read(player, again=again)
        else:
            player.count_aside()
            self._note_aside(who)
            self._untold.say(
                "penalty alone",
                "the discriminator is also stepped by a penalty alone (lazy R1, say): such updates are counted, and their gradients are "
                "not in the record",
            )
        if self.automatic and who == "generator" and self.goes_first == "discriminator":
            self.complete = True

    def _who_has_begun(self, who: str) -> str:
        """Returns who goes first, as this player is the first to be stepped: D, where it has moved by other means than its optimizer."""
        d_has = (
            who == "generator" and self._players["discriminator"].is_moving and self._turns.waits_for("discriminator")
        )
        return "discriminator" if d_has else who

    def _note_aside(self, who: str) -> None:
        """Notes that a player's optimizer is also called outside the game, once: what it remembers of gradients is not the game's alone."""
        self._ways[who].stepped_aside()
        if who not in self._steps_aside:
            self._steps_aside.add(who)
            self._turns.note("aside", player=who)

    def _is_aside(self, updates: int) -> bool:
        """Tells whether the generator, after so many updates in this step, is about to be stepped outside the game: a reconstruction, a
        penalty on itself alone.

        Such an update begins and ends no step; where the loop ends it, the first is recorded whatever it is. As long
        as the discriminator was never seen to take part, none is known to be one.
        """
        in_game = self._turns.in_game("generator")
        self._turns.note_whether_heard(in_game)
        # nor can D's verdict be a reward
        self._alone = in_game is False and "discriminator" not in self._capture.called
        if in_game is not False:
            self._aside = 0
            if in_game:
                self.patience = MOST_ASIDE
            return False
        if not (self.automatic or updates):
            return False
        self._aside += 1
        if self._aside > self.patience:
            return False
        self._turns.aside("generator")
        self._note_aside("generator")
        self._untold.say(
            "aside",
            "the generator is also stepped without the discriminator's verdict (a reconstruction, a penalty on itself): such updates "
            "begin and end no step, and their gradients are not in the record",
        )
        return True

    @guarded
    def _both_step(self) -> None:
        if not self._watching:
            return
        passes = self._capture.passes.open
        alone = {
            who
            for who, other in (("discriminator", "generator"), ("generator", "discriminator"))
            if passes and all(getattr(p, f"reached_{who}") and not getattr(p, f"reached_{other}") for p in passes)
        }
        if len(alone) == 1:
            self._one_steps(self._players[alone.pop()])
            return
        self.goes_first = self.goes_first or "discriminator"
        self.end_if_complete()
        self._turns.stepped_together()
        for player in self._players.values():
            again, player.is_taken_back = player.is_taken_back, False
            if not again:
                player.before_update()
            self._read(player, again=again)
        self.complete = self.automatic

    def _begin(self, who: str) -> None:
        """Where nobody calls `step`, ends the step that this update no longer belongs to."""
        self.end_if_complete()
        if who == "generator" and self.goes_first == "generator" and self._players[who].updates:
            self._end_step()
        elif who == "discriminator" and self._alone and self.goes_first == "generator":
            # the generator was trained alone until now: the discriminator's first update is no part of that one's step
            if self._players["generator"].updates:
                self._end_step()
            self._alone, self.goes_first = False, "discriminator"

    def end_if_complete(self) -> None:
        """Ends the step that is over."""
        if self.complete:
            self.complete = False
            # what is made under the script's inference_mode could never be written to again
            with torch.inference_mode(False) if torch.is_inference_mode_enabled() else contextlib.nullcontext():
                self._end_step()

    def _read(self, player: Player, *, again: bool) -> None:
        idle = player.adopt_what_is_used()
        if idle is not None:
            self._follow_new_layers(player.who, idle)
        if (left_out := player.newly_left_out()) is not None:
            self._turns.note("left_out", player=player.who, parameters=left_out)
        self._ways[player.who].about_to_step()
        if player.who == "generator" and not again:
            self.rewrites.about_to_step(self._rows.index)
        rows, cosine, update = self._rows, self._cosine_every, self._update_every
        index = rows.index
        player.read(
            rows.block,
            cosine=bool(cosine) and index % cosine == 0,
            cosine_next=bool(cosine) and (index + 1) % cosine == 0,
            update=bool(update) and index % update == 0,
            again=again,
        )

    def _follow_new_layers(self, who: str, idle: Sequence[str]) -> None:
        self._rows.reduce()
        self._rows.follow_layers()
        self._untold.take_back(f"{who} idle")
        if who in self._uncalled:
            self._uncalled.pop(who)[1].remove()
        if idle:
            self._uncalled[who] = self._steps, Uncalled(self._players[who].module, idle)
            self._untold.say(
                f"{who} idle",
                f"these parameters of the {who} got no gradient, and are not among its layers: {', '.join(idle)}",
            )

    def end_step(self) -> None:
        """Begins the next step; after a few looks for a player that is trained and was never called."""
        self._note_updates_out_of_sight()
        if self._steps == UNSEEN_STEPS - 1:
            self._say_who_never_steps()
        for player in self._players.values():
            player.begin_step()
        self._turns.forget(claimed=not self.automatic)
        self._steps += 1
        if self._steps == UNSEEN_STEPS:
            self._look_for_unseen()
        elif self._steps == 2 * UNSEEN_STEPS:
            self._look_inside_the_unseen()
        elif self._steps in LOOKS:
            self.unstepped.look()
        for who in [who for who, (since, _) in self._uncalled.items() if self._steps > since + UNSEEN_STEPS]:
            looked = self._uncalled.pop(who)[1]
            if looked.parameters:
                self._turns.note("uncalled", player=who, parameters=looked.parameters)
            looked.remove()

    def _note_updates_out_of_sight(self) -> None:
        """Says where a discriminator that is called for G is itself updated, from the first, by what no backward pass was seen to compute."""
        if self._out_of_sight is None or not self._players["discriminator"].updates:
            return
        self._out_of_sight += 1
        if self._turns.passes_of("discriminator"):
            self._out_of_sight = None
        elif self._out_of_sight == UNSEEN_STEPS and "discriminator" in self._capture.called:
            self._untold.say(
                "out of sight",
                "the discriminator is updated, and no backward pass was seen that computes its gradients (per-sample gradients by a function "
                "transform, say): its scores and forces in its own turn are not in the record, and the scores on fakes are those of the generator's "
                "turn; step(real_logits=, fake_logits=) would tell",
            )

    def _look_inside_the_unseen(self) -> None:
        """Looks at what lies inside a player that is called by a method which the loop took from it before: nothing on it sees that."""
        for who, player in self._players.items():
            if who not in self._capture.called and player.total_updates and self._capture.follow_inside(who):
                for said in ("untold", f"{who} unseen"):
                    self._untold.take_back(said)
                self._untold.say(
                    f"{who} unseen",
                    f"the {who} was updated and no call of it was seen, neither by torch's hooks nor by its methods (one that was taken from it "
                    f"before the recorder was made, say): what the network inside it returns is read from step {self._rows.index} on; call the "
                    "module itself",
                )

    def tell_if_no_step_ended(self) -> None:
        """Says, at the end, of an automatic recording that nothing ended a step of it."""
        if self.automatic and not self._steps:
            self._untold.say(
                "no step",
                "no update of the generator by its optimizer was seen, and so no step: nothing is in the record (players that the loop moves by "
                "hand, say); call step() at the end of each",
            )

    def _say_who_never_steps(self) -> None:
        """Says of which player gradients are computed that its optimizer has never used; taken back once it has."""
        for who, player in self._players.items():
            if (
                player.optimizer is not None
                and not (player.total_updates or player.moved_unseen)
                and self._turns.waits_for(who)
            ):
                self._idle_optimizers.add(who)
                self._untold.say(
                    f"{who} unstepped",
                    f"gradients of the {who} are computed, and its optimizer was not seen to step: where the loop moves the {who} otherwise "
                    f"(by hand through .data, say), its scores and forces in its own turn are not in the record; step(real_logits=, fake_logits=) "
                    "would tell",
                )

    def _look_for_unseen(self) -> None:
        """Says which player is trained and yet was never called, as far as hooks can see; follows the compiled wrapper that hides it."""
        for who, player in self._players.items():
            if who not in self._capture.called and player.total_updates:
                if self._capture.follow_compiled(who):
                    self._untold.say(
                        f"{who} unseen",
                        f"the {who} was compiled in place after the recorder was made: what hooks see of it begins at step "
                        f"{self._rows.index + self.automatic}; compile it before",
                    )
                elif self._capture.follow_wrapper(who):
                    self._untold.say(
                        f"{who} unseen",
                        f"the {who} is called through torch.compile's wrapper, and the recorder was given the network "
                        f"inside: what hooks see of it begins at step {self._rows.index}; give the recorder the wrapper",
                    )
                else:
                    self._capture.follow_methods(who)
                    self._untold.take_back("untold")
                    self._untold.say(
                        f"{who} unseen",
                        f"the {who} was updated and no call of it was seen by torch's hooks: its own methods are watched from step "
                        f"{self._rows.index} on; call the module itself, or give the recorder the very module that the loop calls",
                    )
