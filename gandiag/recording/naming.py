"""Names the two players from what was seen between optimizer steps: whose output becomes whose input, and who is stepped through whom."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor, nn
from torch.optim import Optimizer

from gandiag.recording.evidence import Pair, evidence, evidence_by_what_was_given
from gandiag.recording.latents import latent_kinds, takes_single_samples
from gandiag.recording.outputs import SOFTMAXES, TWO_CLASSES, every_value_read
from gandiag.recording.pieces import bodies_and_heads, joined
from gandiag.recording.refusals import at_once, crossed, in_pieces, not_through, why_no_pair
from gandiag.recording.variables import is_named, name_of
from gandiag.recording.witnessed import Call, Network, Turn

PATIENCE = 6  # updates of a generator that is sure, while another pair may yet turn out to play
MOST_PAIRS = 4  # that are recorded beside one another
REWARDED = (
    "nothing leads from the generator's output to what the discriminator is shown (actions that are drawn, say): who plays was told by what the "
    "generator was given, which one alone of the discriminator's batches holds"
)
FAKES_HANDED_OVER = 4  # of G's outputs, to the recorder that takes over

Output = Literal["logit", "probability"]


@dataclass(frozen=True)
class Players:
    """Who plays: the two networks, the optimizers that step them, and how the game is played, in words."""

    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: Optimizer
    discriminator_optimizer: Optimizer
    discriminator_output: Output
    calls: tuple[Call, ...]  # of the generator, as the game makes them, the last one last
    facts: dict[str, Any]
    doubts: tuple[str, ...] = ()
    called_directly: tuple[nn.Module, ...] = ()  # modules whose `forward` the script calls itself, past torch's hooks
    fakes: tuple[Tensor, ...] = ()  # G's last outputs, which the script may yet show to D
    two_classes: bool = False  # D's verdict is two values that one softmax joins


@dataclass(frozen=True)
class NoPlayers:
    """Why no pair of players can be named (yet)."""

    why: str
    pairs: tuple[Players, ...] = ()  # where several play, each of them


def name_players(
    turns: list[Turn], *, names: tuple[str | None, str | None] = (None, None), namespace: dict[str, Any] | None = None
) -> Players | NoPlayers:
    """Names generator and discriminator from what was seen between optimizer steps, or says why it cannot.

    The discriminator is the network that is shown both what another network made and what none made; the other network is
    the generator. Two pairs, or two networks that feed one discriminator, are refused with the names in the sentence.
    """
    found = name_pair(turns, names, namespace)
    if isinstance(found, Players):
        return found
    found_in_one: list[tuple[int, Players]] = []
    for body, head in bodies_and_heads(turns, {t.parameters for t in turns}):
        in_one = name_pair(joined(turns, body, head), names, namespace)
        if isinstance(in_one, Players):
            found_in_one.append((values_a_sample(turns, head), in_one))
    fewest = min(
        (values for values, _ in found_in_one), default=0
    )  # a verdict is one value; a helper's classes are many
    judges = [players for values, players in found_in_one if values == fewest]
    if len(judges) > 1:
        judges.sort(key=lambda p: str(p.facts["discriminator"]))
        said = "; ".join(f"{p.facts['generator']} against {p.facts['discriminator']}" for p in judges)
        return NoPlayers(f"more than one pair plays here ({said}): name one with --discriminator", tuple(judges))
    return judges[0] if judges else found


def values_a_sample(turns: list[Turn], network: Network) -> int:
    """Returns how many values a network's judgement has for each sample."""
    shapes = [c.output_shapes[c.score_is] for t in turns for c in t.calls if c.owned == network]
    return math.prod(shapes[-1][1:]) if shapes else 0


def name_pair(
    turns: list[Turn], names: tuple[str | None, str | None], namespace: dict[str, Any] | None
) -> Players | NoPlayers:
    """Names generator and discriminator among the networks as they were called."""
    steps = {t.parameters for t in turns}
    calls = [c for t in turns for c in t.calls if not wraps_several(c.owned, steps)]
    owned = [n for n in dict.fromkeys(c.owned for c in calls) if any(n & s for s in steps)]
    networks = {n: module_of(n, calls) for n in owned}
    called = {n: name_of(m, namespace) for n, m in networks.items()}
    pairs = {(s, c.owned) for c in calls for s in c.sources if s in networks and s != c.owned and c.owned in networks}
    ordered = sorted(pairs, key=lambda p: (called[p[0]], called[p[1]]))
    seen = {p: evidence(p, turns, calls) for p in ordered}
    some = without_helpers([p for p in ordered if seen[p].is_some], steps)
    some = [p for p in some if is_named(p, names, networks, called, namespace)]
    playing = [p for p in some if seen[p].is_enough]
    waiting = [p for p in some if p not in playing]
    if playing and waiting and max(seen[p].generator_turns for p in playing) < PATIENCE:
        return NoPlayers(
            f"{called[waiting[0][0]]} seems to play against {called[waiting[0][1]]}, too, but it is not yet sure"
        )
    playing, encoders = without_encoders(playing, calls, networks)
    if not any(e.is_some for e in seen.values()):
        playing = [p for p in imitating(turns, calls, networks) if is_named(p, names, networks, called, namespace)]
        if len(playing) == 1:
            found = describe(playing[0], networks, turns, called)
            if isinstance(found, Players):  # no output of G's is shown to D, and no update of G's goes through it
                found = replace(found, doubts=(*found.doubts, REWARDED), fakes=())
            return found
        playing = []
    if not playing and any(e.is_some for e in seen.values()) and not any(names):
        g, d = next(p for p, e in seen.items() if e.is_some)
        return NoPlayers(f"{called[g]} seems to play against {called[d]}, but too few updates were seen to be sure")
    if not playing:
        why = crossed(seen, called) or at_once(seen, turns, called) or in_pieces(ordered, calls, called)
        why = why or not_through(seen, called) or why_no_pair(networks, called, names, len(steps))
        return NoPlayers(why)
    described = [with_doubts(describe(p, networks, turns, called), p, encoders, calls, called) for p in playing]
    if len(playing) > 1:
        said = "; ".join(f"{called[g]} against {called[d]}" for g, d in playing)
        why = f"more than one pair plays here ({said}): name one with --generator and --discriminator"
        return NoPlayers(why, tuple(p for p in described if isinstance(p, Players)))
    return described[0]


def imitating(turns: list[Turn], calls: list[Call], networks: dict[Network, nn.Module]) -> list[Pair]:
    """Returns the pairs of which the one is only known by what it was given, which the other is shown: a policy, and the judge of its actions."""
    pairs = {(s, c.owned) for c in calls for s in c.holds if s in networks and s != c.owned and c.owned in networks}
    return [p for p in pairs if evidence_by_what_was_given(p, turns, calls).is_enough]


def wraps_several(owned: Network, steps: set[frozenset[int]]) -> bool:
    """Tells whether a module holds networks that different optimizers step: a wrapper of both players, and none itself."""
    return sum(bool(owned & s) and not owned <= s for s in steps) >= 2


def module_of(network: Network, calls: list[Call]) -> nn.Module:
    """Returns the module that stands for a network: the wrapper where the game only calls that, else what it wraps."""
    mine = [c for c in calls if c.owned == network]
    modules = list({id(c.module): c.module for c in mine if c.with_grad or c.fed}.values()) or [mine[-1].module]
    inner = [m for m in modules if all(any(part is m for part in other.modules()) for other in modules)]
    return inner[0] if inner else modules[-1]


def without_helpers(pairs: list[Pair], steps: set[frozenset[int]]) -> list[Pair]:
    """Leaves out judges that are only ever stepped together with the maker, where another judge has updates of its own.

    A classifier that is trained on reals and fakes to help the generator is no opponent.
    """
    own = [(g, d) for g, d in pairs if any(s & d and not s & g for s in steps)]
    return own or pairs


def without_encoders(
    pairs: list[Pair], calls: list[Call], networks: dict[Network, nn.Module]
) -> tuple[list[Pair], list[Network]]:
    """Leaves out the encoders that stand on the reals' side of a judge of pairs; returns what plays, and the encoders.

    A judge of (image, code) is shown what a decoder makes of noise and what an encoder makes of data, and both are stepped
    through it: the one that is fed noise is the generator, or the one alone that is fed normal noise, since data may pass for uniform.
    Where no one or several are, all are kept.
    """
    judges = {d for _, d in pairs}
    if len(pairs) < 2 or len(judges) > 1:
        return pairs, []
    fed_noise, fed_normal = [], []
    for maker, judge in pairs:
        made = [c for c in calls if c.owned == maker and judge in c.fed and c.leaves]
        kinds = {kind["kind"] for kind in latent_kinds(networks[maker], made)} if made else set()
        if kinds & {"normal", "uniform"} and "unknown" not in kinds:
            fed_noise.append((maker, judge))
        if "normal" in kinds and not kinds & {"uniform", "unknown"}:
            fed_normal.append((maker, judge))
    if len(fed_noise) > 1:
        fed_noise = fed_normal
    if len(fed_noise) != 1:
        return pairs, []
    return fed_noise, [g for g, _ in pairs if (g, fed_noise[0][1]) not in fed_noise]


def with_doubts(
    found: Players | NoPlayers, pair: Pair, encoders: list[Network], calls: list[Call], called: dict[Network, str]
) -> Players | NoPlayers:
    """Adds which networks were taken to stand on the reals' side, and which hand on what the generator makes."""
    if not encoders or isinstance(found, NoPlayers):
        return found
    maker, judge = pair
    behind = {c.owned for c in calls if maker in c.sources and judge in c.fed and c.owned in encoders}
    said = ", ".join(called[e] for e in encoders if e not in behind)
    chained = ", ".join(called[e] for e in encoders if e in behind)
    doubts = (
        f"{said} feeds the discriminator as well, from data and not from noise: taken for an encoder, on the side of the reals",
        f"{chained} hands what {called[maker]} makes on to the discriminator: it is taken for fake where the graph tells, and for real where "
        "it is detached",
    )
    return replace(found, doubts=(*found.doubts, *(d for d, who in zip(doubts, (said, chained)) if who)))


def describe(
    pair: Pair, networks: dict[Network, nn.Module], turns: list[Turn], called: dict[Network, str]
) -> Players | NoPlayers:
    """Puts together who plays, with what, and what of it is unsure."""
    maker, judge = pair
    for player in pair:
        if not player & {id(p) for p in networks[player].parameters()}:
            return NoPlayers(
                f"{called[player]} is called with parameters that are not its own (torch.func.functional_call): its updates cannot be "
                "watched; gandiag.Recorder takes what the loop gives it"
            )
    # a generator that was trained alone before, or is beside the game, may have another optimizer for that
    in_game = [t for t in turns if any(c.owned == judge and maker in c.sources for c in t.calls)]
    g_opt, d_opt = optimizer_of(maker, in_game or turns), optimizer_of(judge, turns)
    if g_opt is None or d_opt is None:
        return NoPlayers(f"no optimizer steps {called[maker if g_opt is None else judge]}")
    made = [
        c for t in turns for c in t.calls if c.owned == maker and (c.with_grad or c.fed) and (c.leaves or not c.shapes)
    ]
    playing = [c for c in made if judge in c.fed] or made
    playing = [c for c in playing if not c.sources] or playing  # a reconstruction is made of codes, a sample of noise
    if not playing:
        return NoPlayers(f"the inputs of {called[maker]} are too large to be looked at")
    which = playing[-1].fed.get(judge, 0)
    judged = [c for t in turns for c in t.calls if c.owned == judge and c.with_grad]
    two_classes = judges_by_two_classes(judged)
    output, doubts = ("logit", (TWO_CLASSES,)) if two_classes else output_of(judged)
    others = sorted({called[n] for n in networks if not any(n <= player or player <= n for player in pair)})
    if others:
        doubts = (*doubts, f"other networks are trained beside them and are not recorded: {', '.join(others)}")
    facts = {
        "generator": called[maker],
        "discriminator": called[judge],
        "latents": latent_kinds(networks[maker], playing),
        "sample_shape": list(playing[-1].output_shapes[which][0 if takes_single_samples(playing[-1]) else 1 :]),
        "sample_output": which,
        "order": "one optimizer steps both" if g_opt is d_opt else order_of_turns(turns, judge, g_opt, d_opt),
    }
    # the judged ones last: what resembles a real by right (an identity, a reconstruction) is not what a batch is compared with by value
    handed_over = sorted(made[-FAKES_HANDED_OVER:], key=lambda c: judge in c.fed)
    fakes = tuple(t for c in handed_over for t in c.outputs)
    return Players(
        networks[maker],
        networks[judge],
        g_opt,
        d_opt,
        output,
        tuple(playing),
        facts,
        doubts,
        fakes=fakes,
        two_classes=two_classes,
    )


def optimizer_of(network: Network, turns: list[Turn]) -> Optimizer | None:
    """Returns the optimizer that steps a network, the one with the fewest foreign parameters where several do."""
    holders = {id(t.optimizer): t for t in turns if t.parameters & network}
    best = min(
        holders.values(), key=lambda t: (len(t.parameters - network), -len(t.parameters & network)), default=None
    )
    return None if best is None else best.optimizer


def judges_by_two_classes(judged: list[Call]) -> bool:
    """Tells whether D's verdict is a softmax over two classes, by its last function or by gradients that cancel in every call."""
    used = [c for c in judged if c.used and c.score_is < len(c.output_shapes)]
    pairs = [c for c in used if len(c.output_shapes[c.score_is]) == 2 and c.output_shapes[c.score_is][1] == 2]
    return bool(used) and len(pairs) == len(used) and all(c.balanced or c.operation == "LogSoftmax" for c in pairs)


def sorts_into_classes(judged: list[Call]) -> bool:
    """Tells whether D's values are classes that one softmax joins; which of them is the fakes' the recorder tells."""
    used = [c for c in judged if c.used]
    return bool(used) and all(c.balanced or c.operation in SOFTMAXES for c in used)


def output_of(judged: list[Call]) -> tuple[Output, tuple[str, ...]]:
    """Tells logits from probabilities by the last function of D and by the values that it returned; adds what is unsure."""
    doubts: tuple[str, ...] = ()
    kept = [c.score for c in judged if c.score is not None]
    energy = bool(judged) and judged[-1].output_shapes[0] in judged[-1].shapes
    single = (
        bool(judged) and not judged[-1].several_scores
    )  # flattened patches of several scales are verdicts, as maps of them are
    if (
        single
        and kept
        and kept[-1].ndim == 2
        and kept[-1].shape[1] > 1
        and not energy
        and not sorts_into_classes(judged)
    ):
        doubts = (every_value_read(kept[-1].shape[1]),)
    shapes = judged[-1].output_shapes if judged else []
    verdicts = sum(bool(s) and math.prod(s[1:]) == 1 for s in shapes)
    if verdicts > 1 and not judged[-1].several_scores and not any(c.tells_apart for c in judged):
        doubts = (
            *doubts,
            f"the discriminator returns {verdicts} single values for each sample: the first was read as its verdict",
        )
    if any(c.operation == "Sigmoid" for c in judged):
        return "probability", doubts
    traced = any(c.operation and "Compiled" not in c.operation for c in judged)
    if not traced and kept and all(bool(((t >= 0) & (t <= 1)).all()) for t in kept):
        return "probability", (*doubts, "every output of the discriminator lies in [0, 1]: taken as probabilities")
    return "logit", doubts


def order_of_turns(turns: list[Turn], judge: Network, g_opt: Optimizer, d_opt: Optimizer) -> str:
    """Says how updates follow one another: 'alternating, 5 D updates a step', 'alternating, 2 G updates a step'.

    Updates of G in which D is not called (a penalty on G alone) are none of the game's.
    """
    begun = next((i for i, t in enumerate(turns) if t.optimizer is not turns[0].optimizer), 0)
    runs: list[list[Turn]] = []
    for turn in turns[begun:]:  # how many there are of the first may be the beginning's alone
        if runs and runs[-1][0].optimizer is turn.optimizer:
            runs[-1].append(turn)
        else:
            runs.append([turn])
    for who, optimizer in (("D", d_opt), ("G", g_opt)):
        whole = [r for r in runs if r[0].optimizer is optimizer]
        aside = [sum(who == "G" and all(c.owned != judge for c in t.calls) for t in r) for r in whole]
        lengths = [r[-1].repeats - beside for r, beside in zip(whole, aside)]
        ended = lengths[:-1] if whole and whole[-1] is runs[-1] else lengths
        if max(lengths, default=1) > 1:
            upto = "up to " if min(ended, default=max(lengths)) < max(lengths) else ""
            return f"alternating, {upto}{max(lengths)} {who} updates a step"
    return "alternating"


# -------------------------------------------------------------------------------------------------------------- small facts


def parameters_of(optimizer: Optimizer) -> frozenset[int]:
    """Returns the ids of the parameters that an optimizer steps."""
    return frozenset(id(p) for group in optimizer.param_groups for p in group["params"])
