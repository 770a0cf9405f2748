"""Finds the two players of a GAN in a stranger's script: whose output becomes whose input, and which optimizer steps whom."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.optim import optimizer as optimizers

CALLS_KEPT = 96  # outermost calls whose storages are kept alive while watching, so that no address is used twice
GRAPH_NODES = 400  # how far back a discriminator's input is followed towards a generator's output
FAKES_HANDED_OVER = 4  # of G's outputs, to the recorder that takes over
GENERATOR_STEPS = 2  # how many updates of the generator are seen before the players are named
OPTIMIZER_STEPS = 400  # after so many updates without a GAN the module hooks go; a new optimizer brings them back


@dataclass
class Call:
    """One call of a network that owns stepped parameters."""

    module: nn.Module
    order: int
    sources: set[int]  # ids of the networks whose outputs these inputs are
    shapes: tuple[tuple[int, ...], ...]
    outputs: tuple[Tensor, ...]  # detached: they share the storage, and hold no graph
    nodes: tuple[Any, ...]  # the outputs' grad_fn, by which descent is told
    with_grad: bool
    from_outside: bool  # some floating input of this call came from no network
    inputs: tuple[Tensor, ...]
    whose: str = ""


@dataclass(frozen=True)
class Players:
    """Who plays: the two networks, the optimizers that step them, and how the game is played, in words."""

    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    discriminator_output: str
    latents: tuple[Tensor, ...]
    facts: dict[str, Any]
    doubts: tuple[str, ...] = ()
    fakes: tuple[Tensor, ...] = ()  # G's last outputs, which the script may yet show to D


@dataclass(frozen=True)
class NoPlayers:
    """Why no pair of players can be named (yet)."""

    why: str
    final: bool = False


@dataclass
class Watch:
    """Watches module calls and optimizer steps through torch's global hooks until the players are known.

    `on_found` is called once, right after an update of the generator, with the Players. Nothing of the script is changed:
    the hooks only look.
    """

    on_found: Callable[[Players], None]
    names: tuple[str | None, str | None] = (None, None)
    namespace: Callable[[], dict[str, Any]] = dict
    verdict: NoPlayers = field(default_factory=lambda: NoPlayers("no optimizer stepped"))
    done: bool = False

    def __post_init__(self) -> None:
        self._depth: list[int] = []
        self._order = 0
        self._calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self._turns: list[tuple[torch.optim.Optimizer, list[Call]]] = []
        self._since: list[Call] = []
        self._owned: dict[int, frozenset[int]] = {}
        self._steps_without = 0
        self._seen: set[int] = set()
        self._module_hooks: list[Any] = []
        self._optimizer_hooks = [optimizers.register_optimizer_step_post_hook(self._after_step)]
        self._listen()

    # -- hooks

    def _listen(self) -> None:
        if not self._module_hooks:
            self._module_hooks = [
                hooks.register_module_forward_pre_hook(self._enter),
                hooks.register_module_forward_hook(self._leave, with_kwargs=True, always_call=True),
            ]

    def _deafen(self) -> None:
        for handle in self._module_hooks:
            handle.remove()
        self._module_hooks = []
        self._depth.clear()

    def stop(self) -> None:
        """Takes every hook away and forgets what was seen; not to be called from within an optimizer's post-hook."""
        self._rest()
        for handle in self._optimizer_hooks:
            handle.remove()
        self._optimizer_hooks = []

    def _rest(self) -> None:
        """Ends the watch within the optimizer's hook, which torch is calling: its table must not change under it."""
        self.done = True
        self._deafen()
        self._calls.clear()
        self._turns.clear()
        self._since.clear()

    def _enter(self, module: nn.Module, _inputs: Any) -> None:
        if not torch.compiler.is_compiling():
            self._owns_nothing(module)
            self._depth.append(id(module))

    def _leave(self, module: nn.Module, inputs: Any, named: Any, output: Any) -> None:
        if torch.compiler.is_compiling() or not self._depth:
            return
        while self._depth and self._depth[-1] != id(module):
            self._depth.pop()  # a call that left by an exception
        if self._depth:
            self._depth.pop()
        if output is None or self._owns_nothing(module) or self._inside_a_player():
            return
        self._note(module, tuple(tensors_of((inputs, named))), tuple(tensors_of(output)))

    def _inside_a_player(self) -> bool:
        """Tells whether an enclosing call is itself a network: only outermost networks play, but a wrapper of both is none."""
        return any(owned and not self._wraps_both(owned) for owned in (self._owned.get(i) for i in self._depth))

    def _wraps_both(self, owned: frozenset[int]) -> bool:
        stepped = [self._parameters_of(o) for o in {id(o): o for o, _ in self._turns}.values()]
        if len(stepped) < 2:
            return False
        return sum(bool(owned & s) and not owned <= s for s in stepped) >= 2

    def _owns_nothing(self, module: nn.Module) -> bool:
        if id(module) not in self._owned:
            self._owned[id(module)] = frozenset(id(p) for p in module.parameters())
        return not self._owned[id(module)]

    def _note(self, module: nn.Module, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> None:
        floating = [t for t in inputs if t.is_floating_point()]
        if not outputs or not inputs:
            return
        origins = [self._origin(t) for t in floating]
        self._order += 1
        call = Call(
            module=module,
            order=self._order,
            sources={o for o in origins if o},
            shapes=tuple(tuple(t.shape) for t in inputs),
            outputs=tuple(t.detach() for t in outputs),
            nodes=tuple(t.grad_fn for t in outputs if t.grad_fn is not None),
            with_grad=any(t.requires_grad for t in outputs),
            from_outside=any(o == 0 for o in origins) or not floating,
            inputs=tuple(t.detach() for t in inputs),
        )
        self._calls.append(call)
        self._since.append(call)

    def _origin(self, tensor: Tensor) -> int:
        """Returns the id of the network that made a tensor (by storage, else by the graph), 0 where none did."""
        address = address_of(tensor)
        for call in reversed(self._calls):
            if address and any(address == address_of(out) for out in call.outputs):
                return id(call.module)
        nodes = {id(n): call for call in self._calls for n in call.nodes}
        for node in ancestors(tensor.grad_fn, GRAPH_NODES):
            if id(node) in nodes:
                return id(nodes[id(node)].module)
        return 0

    def _after_step(self, optimizer: torch.optim.Optimizer, _args: Any, _named: Any) -> None:
        if self.done:
            return
        if id(optimizer) not in self._seen:
            self._seen.add(id(optimizer))
            self._steps_without = 0
            self._listen()
        if not self._module_hooks:
            return
        self._turns.append((optimizer, self._since))
        self._since = []
        del self._turns[:-64]
        for call in list(self._calls)[:-24]:
            call.nodes = ()  # graphs are let go early: only what the present step made can still be followed
        found = name_players(self._turns, names=self.names, namespace=self.namespace())
        if isinstance(found, Players):
            if optimizer is found.generator_optimizer:
                self._rest()
                self.on_found(found)
            return
        self.verdict = found
        self._steps_without += 1
        if self._steps_without > OPTIMIZER_STEPS:
            self._deafen()

    @staticmethod
    def _parameters_of(optimizer: torch.optim.Optimizer) -> frozenset[int]:
        return parameters_of(optimizer)


# ------------------------------------------------------------------------------------------------------------------- naming


def name_players(
    turns: list[tuple[torch.optim.Optimizer, list[Call]]],
    *,
    names: tuple[str | None, str | None] = (None, None),
    namespace: dict[str, Any] | None = None,
) -> Players | NoPlayers:
    """Names generator and discriminator from what was seen between optimizer steps, or says why it cannot.

    The discriminator is the network that is shown both what another network made and what none made; the other network is
    the generator. Two pairs, or two networks that feed one discriminator, are refused with the names in the sentence.
    """
    stepped = {id(o): parameters_of(o) for o, _ in turns}
    calls = [c for _, seen in turns for c in seen]
    modules = {id(c.module): c.module for c in calls if any(owned_by(c.module) & s for s in stepped.values())}
    pairs = sorted(
        {
            (s, id(c.module))
            for c in calls
            for s in c.sources
            if s in modules and s != id(c.module) and id(c.module) in modules
        }
    )
    pairs = [p for p in pairs if plays(p, turns, calls, stepped)]
    called = {i: name_of(m, namespace) for i, m in modules.items()}
    pairs = [p for p in pairs if named(p, names, modules, called, namespace)]
    if not pairs:
        return NoPlayers(why_no_pair(modules, called, names, len(stepped)))
    if len(pairs) > 1:
        said = "; ".join(f"{called[g]} against {called[d]}" for g, d in pairs)
        return NoPlayers(f"more than one pair plays here ({said}): name one with --generator and --discriminator")
    return describe(pairs[0], modules, turns, called)


def plays(
    pair: tuple[int, int],
    turns: list[tuple[torch.optim.Optimizer, list[Call]]],
    calls: list[Call],
    stepped: dict[int, frozenset[int]],
) -> bool:
    """Tells whether a pair plays a game: D is a sink, is stepped on reals and fakes, and G is stepped through D."""
    maker, judge = pair
    if any(judge in c.sources and id(c.module) != judge for c in calls):
        return False  # what it returns goes on into another network: a decoder, or the other half of a cycle
    turn_of_g = turn_of_d = cycles = after_d = 0
    for optimizer, seen in turns:
        mine = [c for c in seen if id(c.module) == judge]
        if not mine:
            continue
        steps = stepped[id(optimizer)]
        through = [c for c in mine if maker in c.sources and c.with_grad]
        if steps & owned_by_id(maker, calls) and through:
            turn_of_g += 1
            cycles += after_d
            after_d = 0
        if steps & owned_by_id(judge, calls) and shown_both(maker, seen, judge):
            turn_of_d += 1
            after_d = 1
    return turn_of_g >= GENERATOR_STEPS and turn_of_d >= 1 and cycles >= GENERATOR_STEPS


def shown_both(maker: int, seen: list[Call], judge: int) -> bool:
    """Tells whether D was shown fakes and reals in this turn; fakes that cannot be traced count where D was called twice."""
    mine = [c for c in seen if id(c.module) == judge and c.with_grad]
    fakes = [c for c in mine if maker in c.sources]
    others = [c for c in mine if c.from_outside and maker not in c.sources]
    return bool(fakes and others) or len(others) >= 2 or any(double(c, seen, maker) for c in mine)


def double(call: Call, seen: list[Call], maker: int) -> bool:
    """Tells whether one call holds reals and fakes in one concatenated batch: it is larger than what G made for it."""
    made = [c.outputs[0].shape[0] for c in seen if id(c.module) == maker and c.outputs and c.outputs[0].ndim]
    shown = [s[0] for s in call.shapes if s]
    return bool(made and shown) and max(shown) >= 2 * min(made) > 0


def describe(
    pair: tuple[int, int],
    modules: dict[int, nn.Module],
    turns: list[tuple[torch.optim.Optimizer, list[Call]]],
    called: dict[int, str],
) -> Players | NoPlayers:
    """Puts together who plays, with what, and what of it is unsure."""
    maker, judge = pair
    generator, discriminator = modules[maker], modules[judge]
    g_opt, d_opt = optimizer_of(generator, turns, through=judge), optimizer_of(discriminator, turns, through=judge)
    if g_opt is None or d_opt is None:
        return NoPlayers(f"no optimizer steps {called[maker if g_opt is None else judge]} alone")
    made = [c for _, seen in turns for c in seen if id(c.module) == maker and c.with_grad]
    judged = [c for _, seen in turns for c in seen if id(c.module) == judge and c.with_grad]
    output, doubts = output_of(judged)
    others = sorted({called[i] for i in modules if i not in pair})
    if others:
        doubts = (*doubts, f"other networks are trained beside them and are not recorded: {', '.join(others)}")
    facts = {
        "generator": called[maker],
        "discriminator": called[judge],
        "latents": latent_kinds(generator, made),
        "sample_shape": list(made[-1].outputs[0].shape[1:]),
        "order": "one optimizer steps both" if g_opt is d_opt else order_of_turns(turns, g_opt, d_opt),
    }
    fakes = tuple(t for c in made[-FAKES_HANDED_OVER:] for t in c.outputs)
    return Players(generator, discriminator, g_opt, d_opt, output, made[-1].inputs, facts, tuple(doubts), fakes)


def optimizer_of(
    module: nn.Module, turns: list[tuple[torch.optim.Optimizer, list[Call]]], *, through: int
) -> torch.optim.Optimizer | None:
    """Returns the optimizer that steps a network, the one with the fewest foreign parameters where several do."""
    owned = owned_by(module)
    held = {id(o): o for o, _ in turns if parameters_of(o) & owned}
    return min(
        held.values(), key=lambda o: (len(parameters_of(o) - owned), -len(parameters_of(o) & owned)), default=None
    )


def output_of(judged: list[Call]) -> tuple[str, tuple[str, ...]]:
    """Tells logits from probabilities by the last function of D and by the values that it returned."""
    first = [c.outputs[0] for c in judged if c.outputs]
    sigmoid = any(ends_in_sigmoid(n) for c in judged for n in c.nodes[:1])
    if sigmoid:
        return "probability", ()
    inside = bool(first) and all(bool(((t >= 0) & (t <= 1)).all()) for t in first)
    if inside and not any(c.nodes for c in judged):
        return "probability", ("every output of the discriminator lies in [0, 1]: taken as probabilities",)
    return "logit", ()


def ends_in_sigmoid(node: Any) -> bool:
    """Follows views, squeezes and casts back from an output to the function that made its values."""
    passing = (
        "View",
        "Squeeze",
        "Unsqueeze",
        "Reshape",
        "ToCopy",
        "Clone",
        "Alias",
        "Select",
        "Flatten",
        "Permute",
        "Slice",
    )
    for _ in range(8):
        name = type(node).__name__
        if "Sigmoid" in name:
            return "LogSigmoid" not in name
        if not any(word in name for word in passing) or not node.next_functions:
            return False
        node = node.next_functions[0][0]
    return False


def latent_kinds(generator: nn.Module, made: list[Call]) -> list[dict[str, Any]]:
    """Describes each input of the generator over the calls that were seen."""
    width = len(made[-1].inputs)
    batches = [c.inputs[0].shape[:1] for c in made]
    usual = max(set(batches), key=batches.count)  # samples for show are drawn in other batch sizes, by other laws
    seen = [c for c in made if len(c.inputs) == width and c.inputs[0].shape[:1] == usual]
    made = seen or made
    kinds = [
        latent_kind([c.inputs[i] for c in seen if c.inputs[i].shape[1:] == made[-1].inputs[i].shape[1:]])
        for i in range(width)
    ]
    tables = [m.num_embeddings for m in generator.modules() if isinstance(m, nn.Embedding)]
    for kind in kinds:
        if kind["kind"] == "label" and tables:
            kind["classes"] = max(kind["classes"], min(tables))
    return kinds


def latent_kind(batches: list[Tensor]) -> dict[str, Any]:
    """Describes one input of the generator: its shape beyond the batch, and how its values are distributed.

    A normal and a uniform law are told apart by their fourth moment (3 and 1.8 times the squared variance).
    """
    shape = list(batches[-1].shape[1:])
    if not batches[-1].is_floating_point():
        return {"shape": shape, "kind": "label", "classes": max(int(t.max()) for t in batches if t.numel()) + 1}
    values = torch.cat([t.float().reshape(len(t), -1) if t.ndim else t.float().reshape(1, 1) for t in batches])
    if values.shape[1] > 1 and bool(((values == 0) | (values == 1)).all()) and bool((values.sum(1) == 1).all()):
        return {"shape": shape, "kind": "one-hot", "classes": values.shape[1]}
    low, high, mean, sd = (float(x) for x in (values.min(), values.max(), values.mean(), values.std(unbiased=False)))
    facts = {"shape": shape, "kind": "unknown", "low": low, "high": high, "mean": mean, "sd": sd}
    if values.numel() >= 16 and sd > 0:
        kurtosis = float(((values - mean) / sd).pow(4).mean())
        facts["kind"] = (
            "uniform" if kurtosis < 2.3 and high - low < 4 * sd else "normal" if 2.3 <= kurtosis < 4.5 else "unknown"
        )
    return facts


def order_of_turns(
    turns: list[tuple[torch.optim.Optimizer, list[Call]]], g_opt: torch.optim.Optimizer, d_opt: torch.optim.Optimizer
) -> str:
    """Says how updates follow one another: 'alternating, 5 D updates a step', 'alternating, 2 G updates a step'."""
    sequence = "".join("g" if o is g_opt else "d" if o is d_opt else "" for o, _ in turns)
    runs_of_d = [len(part) for part in sequence.strip("d").split("g") if part]
    runs_of_g = [len(part) for part in sequence.strip("g").split("d") if part]
    if runs_of_d and max(runs_of_d) > 1:
        return f"alternating, {max(runs_of_d)} D updates a step"
    if runs_of_g and max(runs_of_g) > 1:
        return f"alternating, {max(runs_of_g)} G updates a step"
    return "alternating"


def why_no_pair(
    modules: dict[int, nn.Module], called: dict[int, str], names: tuple[str | None, str | None], optimizers_seen: int
) -> str:
    """Says in one sentence why no GAN was seen."""
    if any(names):
        return f"no network named {' or '.join(n for n in names if n)} plays against another; networks seen: {', '.join(called.values()) or 'none'}"
    if not optimizers_seen:
        return "no optimizer stepped"
    if len(modules) < 2:
        return f"only one network was trained ({', '.join(called.values()) or 'none was called'})"
    return f"of the networks trained ({', '.join(sorted(called.values()))}) none is shown both what another makes and data from outside"


# -------------------------------------------------------------------------------------------------------------- small facts


def tensors_of(value: Any) -> Iterator[Tensor]:
    """Yields the tensors of nested tuples, lists and dicts, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from tensors_of(entry)
    elif isinstance(value, (tuple, list)):
        for entry in value:
            yield from tensors_of(entry)


def address_of(tensor: Tensor) -> int:
    """Returns where a tensor's storage begins, 0 where it has none."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):
        return 0


def ancestors(node: Any, limit: int) -> Iterator[Any]:
    """Yields the functions that a value descends from, breadth first, at most `limit` of them."""
    waiting: deque[Any] = deque([node] if node is not None else [])
    seen: set[int] = set()
    while waiting and len(seen) < limit:
        now = waiting.popleft()
        if now is None or id(now) in seen:
            continue
        seen.add(id(now))
        yield now
        waiting.extend(before for before, _ in now.next_functions)


def parameters_of(optimizer: torch.optim.Optimizer) -> frozenset[int]:
    """Returns the ids of the parameters that an optimizer steps."""
    return frozenset(id(p) for group in optimizer.param_groups for p in group["params"])


def owned_by(module: nn.Module) -> frozenset[int]:
    """Returns the ids of a network's parameters."""
    return frozenset(id(p) for p in module.parameters())


def owned_by_id(identity: int, calls: list[Call]) -> frozenset[int]:
    """Returns the ids of the parameters of a network that was seen."""
    return next((owned_by(c.module) for c in calls if id(c.module) == identity), frozenset())


def name_of(module: nn.Module, namespace: dict[str, Any] | None) -> str:
    """Returns what the script calls a network (`netG`), and its class."""
    for name, value in (namespace or {}).items():
        if value is module:
            return f"{name} ({type(module).__name__})"
    return type(module).__name__


def named(
    pair: tuple[int, int],
    names: tuple[str | None, str | None],
    modules: dict[int, nn.Module],
    called: dict[int, str],
    namespace: dict[str, Any] | None,
) -> bool:
    """Tells whether a pair bears the names that the user gave: a variable of the script, dotted or not, or a class."""
    for name, identity in zip(names, pair):
        if name is None:
            continue
        variable = lookup(name, namespace or {})
        if variable is not modules[identity] and name not in (type(modules[identity]).__name__, called[identity]):
            return False
    return True


def lookup(name: str, namespace: dict[str, Any]) -> Any:
    """Follows a dotted name, through attributes and dict entries: `trainer.models.gen`."""
    first, *rest = name.split(".")
    value = namespace.get(first)
    for part in rest:
        value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
    return value
