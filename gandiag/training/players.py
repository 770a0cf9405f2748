"""From a configuration to the live players, rules and settings: where configuration ends and plain values begin."""

from __future__ import annotations

import copy
import inspect
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from gandiag.errors import UsageError
from gandiag.training.augmentation import AdaptiveProbability, augmentation_named
from gandiag.training.config import Config
from gandiag.training.data import Dataset, Sampler
from gandiag.training.dataset import mixed_seed
from gandiag.training.losses import loss_named
from gandiag.training.networks import DISCRIMINATORS, GENERATORS, build_discriminator, build_generator
from gandiag.training.optimizers import UPDATES, Update, make_optimizer, update_named
from gandiag.training.other_names import meant
from gandiag.training.penalties import add_instance_noise, lazy_rates, penalty_named, spectrally_normalised
from gandiag.training.processes import Processes
from gandiag.training.schedule import CHANGEABLE, WHOLE
from gandiag.training.step import Players, Rules, Settings, UpdateOfPlayers, Waited

Shape = tuple[int, ...]
LATENTS, NOISE = 1, 2  # streams of random numbers
FUSED_ON = ("cpu", "cuda")  # devices for which torch has optimizers in one kernel
LatentSource = Callable[[int, torch.Generator], tuple[Tensor, Tensor | None]]


def choose_device(name: str) -> torch.device:
    """Returns the device of a name (`auto`: CUDA, else the CPU); raises UsageError where the machine has no such device."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(
            f"{name!r} is no device{meant(name, ('auto', 'cpu', 'cuda', 'mps'))}: give --device auto, cpu, cuda or cuda:N"
        ) from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            f"--device {name} was asked for, but torch {torch.__version__} sees no CUDA device: leave --device out, or give cpu"
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"--device {name} was asked for, but there are only {torch.cuda.device_count()} CUDA devices (from cuda:0)"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError(
            "--device mps was asked for, but torch sees no Apple GPU here: leave --device out, or give --device cpu"
        )
    if device.type not in ("cpu", "cuda", "mps"):
        raise UsageError(f"--device {name} is not supported: give auto, cpu, cuda, cuda:N or mps")
    return device


def build_generator_of(config: Config, *, shape: Shape, num_classes: int | None) -> nn.Module:
    """Builds the generator of a configuration, untrained, for samples of a shape."""
    return _built(
        config.generator,
        GENERATORS,
        build_generator,
        shape,
        latent_shape(config),
        num_classes,
        config.generator_width,
        config.generator_depth,
    )


def build_discriminator_of(config: Config, *, shape: Shape, num_classes: int | None) -> nn.Module:
    """Builds the discriminator of a configuration, untrained, for (packs of) samples of a shape."""
    packed = (shape[0] * config.pack, *shape[1:])
    discriminator = _built(
        config.discriminator,
        DISCRIMINATORS,
        build_discriminator,
        packed,
        latent_shape(config),
        num_classes,
        config.discriminator_width,
        config.discriminator_depth,
    )
    return spectrally_normalised(discriminator) if config.spectral_norm else discriminator


def latent_shape(config: Config) -> Shape:
    """The shape of one latent."""
    return (config.latent_size,)


def build_players(
    config: Config, *, shape: Shape, num_classes: int | None, device: torch.device, rank: int = 0
) -> Players:
    """Builds both networks from the seed, the moving average, the optimizers and the random generator, on the device."""
    torch.manual_seed(config.seed)
    layout: dict[str, Any] = {"memory_format": torch.channels_last} if config.channels_last and len(shape) == 3 else {}
    generator = build_generator_of(config, shape=shape, num_classes=num_classes).to(device=device, **layout)
    discriminator = build_discriminator_of(config, shape=shape, num_classes=num_classes).to(device=device, **layout)
    average = copy.deepcopy(generator).requires_grad_(False).eval()
    for player in filter(_compilable, (generator, discriminator) if config.compile else ()):
        player.forward = torch.compile(player.forward)  # the module stays itself: its hooks and its state dict
    return Players(
        generator=generator,
        discriminator=discriminator,
        generator_ema=average,
        generator_optimizer=_optimizer(config, "generator", generator),
        discriminator_optimizer=_optimizer(config, "discriminator", discriminator),
        scaler=torch.amp.GradScaler(device.type, enabled=config.precision == "float16"),
        random=torch.Generator(device).manual_seed(mixed_seed(config.seed, LATENTS)),
        noise=torch.Generator(device).manual_seed(mixed_seed(config.seed, NOISE, rank)),
        adaptive=AdaptiveProbability(device=device, target=config.augmentation_target)
        if config.augmentation == "ada"
        else None,
    )


def build_rules(
    config: Config,
    *,
    data: Dataset,
    sampler: Sampler,
    num_classes: int | None,
    device: torch.device,
    processes: Processes,
    batch_statistics: bool,
) -> Rules:
    """Turns names into functions: the game's loss, penalties, view, draws and precision.

    A generator with `batch_statistics` makes each of a pack's fakes in a call of its own, as PacGAN's code does: normalised together, the
    packs of a batch would tell of each other.
    """
    waited = Waited()
    return Rules(
        loss=loss_named(config.loss),
        penalties=tuple(penalty_named(name) for name in config.penalties),
        penalty_every=penalty_interval(config),
        view=_view(config),
        draw_latent=latent_source(config, data=data, num_classes=num_classes, device=device, processes=processes),
        draw_real=_real_source(sampler, num_classes, waited),
        waited=waited,
        batch=config.batch // processes.world,
        slots=config.pack if batch_statistics else 1,
        accumulate=config.accumulate,
        reuse_logits=config.precision == "float32" and not config.compile,
        twice_differentiable=Eager if config.compile else _as_it_is,
        autocast=_autocast(config.precision, device),
        average=processes.average_gradients,
        gather=processes.gathered,
    )


def latent_source(
    config: Config, *, data: Dataset, num_classes: int | None, device: torch.device, processes: Processes
) -> LatentSource:
    """Returns the function that draws latents, and in a conditional game classes as often as the data has them.

    All processes draw all alike and each takes its share, so that several train as one does on the whole batch.
    """
    frequencies = data.labels.to(device) if num_classes is not None and data.labels is not None else None

    def draw(count: int, random: torch.Generator) -> tuple[Tensor, Tensor | None]:
        everywhere = (count * processes.world, *latent_shape(config))
        if config.latent == "normal":
            latent = torch.randn(everywhere, generator=random, device=device)
        else:
            latent = torch.rand(everywhere, generator=random, device=device) * 2 - 1
        if frequencies is None:
            return processes.share(latent), None
        chosen = torch.randint(len(frequencies), (len(latent),), generator=random, device=device)
        return processes.share(latent), processes.share(frequencies[chosen])

    return draw


def build_update(config: Config) -> UpdateOfPlayers:
    """Returns the update of a configuration, with those of its options that this update knows; raises UsageError for an unknown one."""
    offered: dict[str, Any] = {"first": config.first, "weight": config.consensus, "every": config.lookahead_every}
    offered |= {"share": config.lookahead_share, "unroll": config.unroll}
    taken = inspect.signature(UPDATES[config.update]).parameters if config.update in UPDATES else {}
    options = {
        name: value
        for name, value in offered.items()
        if name in taken and not (config.update == "consensus" and name == "first")
    }

    @cache
    def update(d_steps: int, g_steps: int) -> Update:
        return update_named(config.update, **options, d_steps=d_steps, g_steps=g_steps)

    update(config.d_steps, config.g_steps)  # what cannot be is said now, and not at the first step
    return lambda discriminator, generator, settings: update(settings.d_steps, settings.g_steps)(
        discriminator, generator
    )


def penalty_interval(config: Config) -> int:
    """Returns how many steps lie between two penalties; 1 where there are none, for whose sake nothing is slowed down."""
    return config.penalty_every if config.penalties else 1


def initial_settings(config: Config) -> dict[str, float | None]:
    """Returns the values that changeable settings begin with."""
    return {name: getattr(config, name) for name in CHANGEABLE}


def as_settings(values: dict[str, float | None]) -> Settings:
    """Returns the settings of one step from their values by name."""
    whole: dict[str, Any] = {name: int(value or 0) if name in WHOLE else value for name, value in values.items()}
    return Settings(**whole)


class Eager(nn.Module):
    """A player whose forward was compiled, as it was written: compiled code cannot be differentiated twice, as gradient penalties do."""

    def __init__(self, player: nn.Module) -> None:
        super().__init__()
        self.player = player

    def forward(self, *inputs: Tensor) -> Tensor:
        """Returns what the player's own forward returns."""
        outputs: Tensor = type(self.player).forward(self.player, *inputs)
        return outputs


def batch_normalised(player: nn.Module) -> bool:
    """Whether what a player makes of a sample depends, in training, on the others of its batch."""
    return any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in player.modules())


def _compilable(player: nn.Module) -> bool:
    """Whether a player can be compiled: not with spectral norm, whose power iteration writes to its buffers in each call.

    An update calls D twice before it goes backward, and inductor's code keeps the buffers themselves: the first call's are overwritten.
    """
    return not any(is_parametrized(module) for module in player.modules())


def _as_it_is(player: nn.Module) -> nn.Module:
    return player


def pack_samples(batch: Tensor, count: int) -> Tensor:
    """Joins each `count` samples to one along their first dimension: (n, c, h, w) to (n / count, c * count, h, w)."""
    return batch if count == 1 else batch.reshape(len(batch) // count, count * batch.shape[1], *batch.shape[2:])


def _built(
    name: str,
    known: dict[str, Any],
    build: Callable[..., nn.Module],
    shape: Shape,
    latent: Shape,
    num_classes: int | None,
    width: int | None,
    depth: int | None,
) -> nn.Module:
    if depth is None:
        return build(name, shape, latent, num_classes=num_classes, width=width)
    if name not in known or "depth" not in inspect.signature(known[name]).parameters:
        able = [other for other, builder in known.items() if "depth" in inspect.signature(builder).parameters]
        player = "generator" if known is GENERATORS else "discriminator"
        raise UsageError(
            f"the network {name!r} has no depth to set, and {player}_depth is {depth}: --set {player}_depth=none; networks that have one: "
            f"{', '.join(able)}"
        )
    network: nn.Module = known[name](shape, latent, num_classes=num_classes, width=width, depth=depth)
    return network


def _optimizer(config: Config, which: str, player: nn.Module) -> torch.optim.Optimizer:
    name, rate = (config.optimizer_g, config.lr_g) if which == "generator" else (config.optimizer_d, config.lr_d)
    lazy = penalty_interval(config) if which == "discriminator" else 1
    _, (beta1, beta2) = (
        lazy_rates(rate, (config.beta1, config.beta2), lazy)
        if config.beta1 >= 0
        else (rate, (config.beta1, config.beta2))
    )
    trainable = [p for p in player.parameters() if p.requires_grad]
    if not trainable:
        raise UsageError(f"the {which} {getattr(config, which)} has no parameters to learn")
    return make_optimizer(
        name,
        trainable,
        learning_rate=rate,
        beta1=beta1,
        beta2=beta2,
        weight_decay=config.weight_decay,
        fused=all(p.device.type in FUSED_ON for p in trainable),  # a third of the time of the loop over parameters
    )


def _view(config: Config) -> Callable[[Tensor, Settings, Players], Tensor]:
    """Noise comes last: what the discriminator sees is noisy whatever the augmentation did."""
    augmentation = None if config.augmentation == "none" else augmentation_named(config.augmentation)

    def view(batch: Tensor, settings: Settings, players: Players) -> Tensor:
        if augmentation is not None:
            batch = augmentation(
                batch,
                settings.augmentation_probability if players.adaptive is None else players.adaptive.p,
                players.noise,
            )
        return pack_samples(add_instance_noise(batch, settings.instance_noise, players.noise), config.pack)

    return view


def _real_source(
    sampler: Sampler, num_classes: int | None, waited: Waited
) -> Callable[[], tuple[Tensor, Tensor | None]]:
    def draw() -> tuple[Tensor, Tensor | None]:
        began = time.perf_counter()
        real, labels = sampler.next()
        waited.seconds += time.perf_counter() - began
        return real, None if num_classes is None else labels

    return draw


def _autocast(precision: str, device: torch.device) -> Callable[[], AbstractContextManager[Any]]:
    if precision == "float32":
        return nullcontext
    kind = {"bfloat16": torch.bfloat16, "float16": torch.float16}[precision]
    return lambda: torch.autocast(device.type, dtype=kind)
