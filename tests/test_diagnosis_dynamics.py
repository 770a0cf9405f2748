"""What a trace does: every row of the solvable games gets the word, rate, period and amplitude of theory; noise gets none."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from gandiag.diagnosis.dynamics import Word, read_trace
from gandiag.diagnosis.local_dynamics import (
    kind_of_equilibrium,
    multipliers,
    read_eigenvalues,
    read_multipliers,
    simulate,
    update_jacobian,
    update_matrix,
)

Field = Callable[[float, float], tuple[float, float]]
START = (1.0, 1.0)


def sigmoid(t: float) -> float:
    return 1 / (1 + math.exp(-t)) if t > -700 else 0.0


# v = (-dL/dtheta, +dL/dpsi) of the Dirac-GAN, with Mescheder's sign of psi


def minimax(theta: float, psi: float) -> tuple[float, float]:
    slope = sigmoid(-theta * psi)
    return -slope * psi, slope * theta


def non_saturating(theta: float, psi: float) -> tuple[float, float]:
    return -sigmoid(theta * psi) * psi, sigmoid(-theta * psi) * theta


def wasserstein(theta: float, psi: float) -> tuple[float, float]:
    return -psi, theta


def r1(field: Field, gamma: float) -> Field:
    return lambda theta, psi: (field(theta, psi)[0], field(theta, psi)[1] - gamma * psi)


def wgan_gp(gamma: float, target: float) -> Field:
    return lambda theta, psi: (-psi, theta - gamma * (abs(psi) - target) * np.sign(psi))


def instance_noise(sd: float) -> Field:
    nodes, weights = np.polynomial.hermite_e.hermegauss(30)
    nodes, weights = sd * nodes, weights / weights.sum()

    def field(theta: float, psi: float) -> tuple[float, float]:
        on_fake = weights / (1 + np.exp(np.clip(psi * (theta + nodes), -700, 700)))
        on_real = weights / (1 + np.exp(np.clip(-psi * nodes, -700, 700)))
        return float(-psi * on_fake.sum()), float((on_fake * (theta + nodes)).sum() - (on_real * nodes).sum())

    return field


def consensus(gamma: float) -> Field:
    """v - gamma grad |v|^2 / 2 of the minimax game, by the chain rule: s = sigma(-theta psi), |v|^2 = s^2 (theta^2 + psi^2)."""

    def field(theta: float, psi: float) -> tuple[float, float]:
        v = minimax(theta, psi)
        s = sigmoid(-theta * psi)
        down, square = -s * s * (1 - s), theta**2 + psi**2
        return v[0] - gamma * (down * psi * square + s * s * theta), v[1] - gamma * (
            down * theta * square + s * s * psi
        )

    return field


def play(
    field: Field,
    h: float,
    steps: int,
    start: tuple[float, float] = START,
    *,
    alternating: bool = False,
    clip: float = math.inf,
) -> np.ndarray:
    theta, psi = start
    trace = [(theta, psi)]
    for _ in range(steps):
        a, b = field(theta, psi)
        theta += h * a
        psi += h * (field(theta, psi)[1] if alternating else b)
        psi = min(max(psi, -clip), clip)
        trace.append((theta, psi))
    return np.array(trace)


def largest(values: np.ndarray) -> float:
    return float(np.abs(values).max())


# -- the rows of the table


@pytest.mark.parametrize("steps", [500, 1000, 5500, 20500])
@pytest.mark.parametrize("h", [0.1, 0.2])
def test_simultaneous_minimax_diverges_also_where_it_crawls(h: float, steps: int) -> None:
    reading = read_trace(play(minimax, h, steps))
    assert reading.word == Word.DIVERGING
    assert reading.multiplier is not None
    assert reading.multiplier > 1


def test_a_trace_that_crawls_says_so() -> None:
    trace = play(minimax, 0.2, 5500)
    assert np.hypot(*trace[-1]) == pytest.approx(4.24, abs=0.01)  # the regression value
    assert read_trace(trace).stalled


@pytest.mark.parametrize("h", [0.05, 0.2])
def test_alternating_minimax_is_a_neutral_cycle(h: float) -> None:
    reading = read_trace(play(minimax, h, round(100 / h), alternating=True))
    assert reading.word == Word.NEUTRAL_CYCLE
    if h == 0.2:
        assert reading.period == pytest.approx(70.6, rel=0.01)
    small = read_trace(play(minimax, h, round(100 / h), (0.01, 0.01), alternating=True))
    assert small.word == Word.NEUTRAL_CYCLE
    assert small.period == pytest.approx(2 * math.pi / (2 * math.asin(h / 4)), rel=1e-3)


@pytest.mark.parametrize("h", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("start", [(1.0, 1.0), (0.1, 0.1), (3.0, 0.0)])
def test_simultaneous_non_saturating_is_a_limit_cycle_of_the_known_radius(h: float, start: tuple[float, float]) -> None:
    reading = read_trace(play(non_saturating, h, round(60 / h**2), start))
    assert reading.word == Word.LIMIT_CYCLE
    assert reading.amplitude == pytest.approx(math.sqrt(2 * h), rel=0.01)


@pytest.mark.parametrize(("h", "steps"), [(0.05, 2000), (0.2, 500), (0.2, 10000)])
def test_alternating_non_saturating_converges_without_a_rate(h: float, steps: int) -> None:
    trace = play(non_saturating, h, steps, alternating=True)
    assert 1 / (trace[-1] ** 2).sum() == pytest.approx(0.5 + steps * h / 8, rel=0.1)  # the law itself
    assert read_trace(trace).word == Word.SUBLINEAR


@pytest.mark.parametrize("h", [0.05, 0.2])
def test_wasserstein_diverges_simultaneously_and_keeps_its_orbit_alternating(h: float) -> None:
    out = read_trace(play(wasserstein, h, 500))
    assert out.word == Word.DIVERGING
    assert out.multiplier == pytest.approx(math.sqrt(1 + h * h), abs=1e-6)
    assert read_trace(play(wasserstein, h, 500, alternating=True)).word == Word.NEUTRAL_CYCLE


@pytest.mark.parametrize(("h", "period", "high"), [(0.2, 33.0, 1.272), (0.05, 126.4, 1.071)])
@pytest.mark.parametrize("start", [(0.3, 0.3), (2.0, 0.5)])
def test_clipping_gives_a_limit_cycle_just_outside_the_clip(
    h: float, period: float, high: float, start: tuple[float, float]
) -> None:
    trace = play(wasserstein, h, round(300 / h), start, clip=1.0)
    reading = read_trace(trace)
    assert reading.word == Word.LIMIT_CYCLE
    assert reading.period == pytest.approx(period, rel=0.01)
    assert np.hypot(*trace[-200:].T).max() == pytest.approx(high, rel=0.01)
    inside = play(wasserstein, 0.2, 500, (0.3, 0.3), clip=1.0, alternating=True)
    assert read_trace(inside).word == Word.NEUTRAL_CYCLE


@pytest.mark.parametrize(("gamma", "target"), [(1.0, 1.0), (0.5, 0.5), (0.3, 1.0)])
@pytest.mark.parametrize("start", ["outside", "on the cycle"])
def test_wgan_gp_is_a_limit_cycle_with_the_amplitude_and_period_of_theory(
    gamma: float, target: float, start: str
) -> None:
    b = math.sqrt(1 - gamma**2 / 4)
    amplitude = gamma * target / math.tanh(math.pi * gamma / (4 * b))
    trace = play(wgan_gp(gamma, target), 0.001, 40000, (amplitude, 0.0) if start == "on the cycle" else (1.0, 1.0))
    reading = read_trace(trace)
    assert reading.word == Word.LIMIT_CYCLE
    assert reading.half_ranges[0] == pytest.approx(amplitude, rel=0.01)
    assert reading.period == pytest.approx(2 * math.pi / b / 0.001, rel=0.01)


@pytest.mark.parametrize("alternating", [False, True])
def test_wgan_gp_with_large_steps_never_reads_as_converged(alternating: bool) -> None:
    for gamma in (0.3, 1.0):
        assert read_trace(play(wgan_gp(gamma, 1.0), 0.2, 500, alternating=alternating)).word == Word.LIMIT_CYCLE


@pytest.mark.parametrize("loss", [minimax, non_saturating])
@pytest.mark.parametrize("gamma", [0.3, 0.9, 1.0, 2.0])
@pytest.mark.parametrize("alternating", [False, True])
def test_r1_converges_with_the_rate_of_theory(loss: Field, gamma: float, alternating: bool) -> None:
    h = 0.2
    jacobian = np.array([[0, -0.5], [0.5, -gamma]])
    rate = largest(
        np.linalg.eigvals(update_matrix(jacobian, "alternating" if alternating else "simultaneous", h, first=1))
    )
    reading = read_trace(play(r1(loss, gamma), h, 500, alternating=alternating))
    assert reading.word == Word.CONVERGING
    assert reading.multiplier == pytest.approx(rate, abs=1e-4 if gamma == 1.0 else 1e-6)


@pytest.mark.parametrize(
    ("field", "jacobian"),
    [
        (instance_noise(0.7), np.array([[0, -0.5], [0.5, -0.49 / 2]])),
        (instance_noise(2.0), np.array([[0, -0.5], [0.5, -2.0]])),
        (consensus(1.0), np.array([[-0.25, -0.5], [0.5, -0.25]])),
    ],
)
@pytest.mark.parametrize("alternating", [False, True])
def test_instance_noise_and_consensus_converge_with_their_rates(
    field: Field, jacobian: np.ndarray, alternating: bool
) -> None:
    rate = largest(
        np.linalg.eigvals(update_matrix(jacobian, "alternating" if alternating else "simultaneous", 0.2, first=1))
    )
    reading = read_trace(play(field, 0.2, 400, alternating=alternating))
    assert reading.word == Word.CONVERGING
    assert reading.multiplier == pytest.approx(rate, abs=1e-5)


def test_r1_beyond_its_step_limit_diverges() -> None:
    gamma, h = 0.04, 0.2  # stable for h < 4 gamma
    assert read_trace(play(r1(minimax, gamma), h, 3000, (0.01, 0.01))).word == Word.DIVERGING
    assert read_trace(play(r1(minimax, gamma), 0.9 * 4 * gamma, 3000, (0.01, 0.01))).word == Word.CONVERGING


# -- one coordinate, single precision, noise, sparse rows


@pytest.mark.parametrize(
    ("trace", "word"),
    [
        (play(minimax, 0.2, 500, alternating=True), Word.NEUTRAL_CYCLE),
        (play(non_saturating, 0.2, 1500), Word.LIMIT_CYCLE),
        (play(non_saturating, 0.2, 1500, alternating=True), Word.SUBLINEAR),
        (play(wasserstein, 0.1, 500), Word.DIVERGING),
        (play(minimax, 0.2, 1000), Word.DIVERGING),
        (play(r1(minimax, 0.3), 0.2, 500), Word.CONVERGING),
    ],
)
def test_one_coordinate_single_precision_and_every_fourth_row_say_the_same(trace: np.ndarray, word: Word) -> None:
    assert read_trace(trace[:, 0]).word == word
    assert read_trace(trace.astype(np.float32)).word == word
    whole, sparse = read_trace(trace), read_trace(trace[::4], np.arange(len(trace))[::4])
    assert sparse.word == word
    if whole.period is not None:
        assert sparse.period == pytest.approx(whole.period, rel=0.03)
    far = read_trace(trace @ np.random.default_rng(0).standard_normal((2, 6)) + 5)
    assert far.word == word


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("noise", [0.001, 0.01])
def test_a_little_noise_changes_no_word(seed: int, noise: float) -> None:
    random = np.random.default_rng(seed)
    for trace, word in (
        (play(minimax, 0.2, 700, alternating=True), Word.NEUTRAL_CYCLE),
        (play(non_saturating, 0.2, 1500), Word.LIMIT_CYCLE),
        (play(wasserstein, 0.2, 500), Word.DIVERGING),
    ):
        assert read_trace(trace + noise * random.standard_normal(trace.shape)).word == word


@pytest.mark.parametrize("seed", range(10))
def test_noise_alone_is_no_dynamics(seed: int) -> None:
    random = np.random.default_rng(seed)
    for shape in ((2000,), (2000, 2), (500, 4)):
        white = random.standard_normal(shape)
        assert read_trace(white).word == Word.UNCLEAR
        assert "about a fixed point" in read_trace(white).why
        walk = read_trace(np.cumsum(white, axis=0))
        assert walk.word == Word.UNCLEAR


@pytest.mark.parametrize("seed", range(5))
def test_a_trace_that_hops_from_place_to_place_round_a_ring_turns(seed: int) -> None:
    """Rotating collapse: the fakes stay at a mode, hop to the next, and reverse once; about the middle they turn all the same."""
    random = np.random.default_rng(seed)
    modes = np.concatenate([np.arange(20), np.arange(20, -30, -1)]) % 8
    angle = np.repeat(modes, 18) * np.pi / 4
    trace = np.stack([np.cos(angle), np.sin(angle)], 1) + 0.08 * random.standard_normal((len(angle), 2))
    reading = read_trace(trace)
    assert reading.word in (Word.NEUTRAL_CYCLE, Word.LIMIT_CYCLE)
    assert reading.turns > 4
    assert reading.period == pytest.approx(8 * 18, rel=0.1)


def test_red_noise_is_hardly_ever_taken_for_a_turning() -> None:
    cycles = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        trace = np.zeros((800, 2))
        for i, kick in enumerate(random.standard_normal((799, 2))):
            trace[i + 1] = 0.95 * trace[i] + kick
        cycles += read_trace(trace).word is not Word.UNCLEAR
    assert cycles <= 3


@pytest.mark.parametrize(
    ("trace", "word"),
    [
        (np.ones((50, 2)), Word.STILL),
        (np.arange(5.0), Word.UNCLEAR),
        (np.append(np.ones(50), np.nan), Word.DIVERGING),
        (np.append(np.ones(50), np.inf), Word.DIVERGING),
        (1.01 ** np.arange(500), Word.DIVERGING),
        (0.99 ** np.arange(500), Word.CONVERGING),
        (3 + 0.5 ** np.arange(500), Word.CONVERGING),
        (1 / np.sqrt(1 + np.arange(1000)), Word.SUBLINEAR),
        (np.log(1 + np.arange(1000)), Word.DRIFTING),
        (np.arange(500.0), Word.DRIFTING),
        ((-1.05) ** np.arange(100), Word.DIVERGING),
        ((-0.95) ** np.arange(100), Word.CONVERGING),
        ((-1.0) ** np.arange(100), Word.NEUTRAL_CYCLE),
        (np.cos(2 * np.pi / 3.1 * np.arange(100)), Word.NEUTRAL_CYCLE),
        (
            np.stack([np.cos(0.01 * np.arange(900)), np.sin(0.01 * np.arange(900))], 1),
            Word.NEUTRAL_CYCLE,
        ),  # a linear law needs no second turn
        (play(minimax, 0.02, 900, alternating=True), Word.UNCLEAR),  # 1.3 turns of a nonlinear one do not suffice
    ],
)
def test_what_is_no_spiral_gets_its_own_word(trace: np.ndarray, word: Word) -> None:
    assert read_trace(trace).word == word


def test_a_trace_of_a_wrong_shape_or_with_steps_that_go_back_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        read_trace(np.zeros((3, 3, 3)))
    with pytest.raises(ValueError, match="increase"):
        read_trace(np.zeros(20), np.zeros(20))


@pytest.mark.parametrize("seed", range(3))
def test_a_seventy_dimensional_game_shows_its_rate_in_any_projection(seed: int) -> None:
    random = np.random.default_rng(seed)
    p, q = (random.standard_normal((k, k)) for k in (40, 30))
    b = random.standard_normal((40, 30)) / 3
    jacobian = np.block([[-p @ p.T / 40 - 0.3 * np.eye(40), -b], [b.T, -q @ q.T / 30 - 0.3 * np.eye(30)]])
    for h in (0.05, 0.2):
        matrix = np.eye(70) + h * jacobian
        expected = largest(np.linalg.eigvals(matrix))
        trace = simulate(lambda x, m=matrix: m @ x, random.standard_normal(70), 1500)
        reading = read_trace(trace @ random.standard_normal((70, 4)))
        assert reading.word == (Word.CONVERGING if expected < 1 else Word.DIVERGING)
        assert reading.multiplier == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("seed", range(40))
def test_random_linear_and_weakly_nonlinear_games_get_their_word(seed: int) -> None:
    """Hopf's normal form dz = (a - b |z|^2 (1 + i c)) z + i w z, in three coordinates of a random plane, at any speed and amplitude."""
    random = np.random.default_rng(seed)
    rows = int(random.integers(300, 2000))
    period, c, start = random.uniform(8, rows / 6), random.uniform(0, 0.5), random.uniform(0.3, 3)
    kind = (Word.LIMIT_CYCLE, Word.SUBLINEAR, Word.CONVERGING, Word.DIVERGING)[seed % 4]
    low, high = {Word.LIMIT_CYCLE: (4, 20), Word.SUBLINEAR: (0, 0), Word.CONVERGING: (-10, -3), Word.DIVERGING: (2, 5)}[
        kind
    ]
    a = random.uniform(low, high) / rows
    b = 0.0 if kind is Word.DIVERGING else a if kind is Word.LIMIT_CYCLE else random.uniform(2, 30) / rows / start**2
    z, trace = start * np.exp(1j * random.uniform(0, 6)), []
    for _ in range(rows):
        trace.append((z.real, z.imag))
        for _ in range(4):
            z = (z + 0.25 * (a - b * abs(z) ** 2 * (1 + 1j * c)) * z) * np.exp(0.5j * np.pi / period)
    reading = read_trace(np.array(trace) @ random.standard_normal((2, 3)) + random.standard_normal(3))
    assert reading.word == kind
    if kind is Word.DIVERGING:
        assert reading.multiplier == pytest.approx((1 + a / 4) ** 4, abs=1e-5)


# -- theory


def test_bilinear_multipliers_are_those_of_the_table() -> None:
    field = np.array([[0.0, -1.0], [1.0, 0.0]])
    pair = np.linalg.eigvals(field)
    table = {
        0.1: (1.00499, 1, 0.99504, 0.99494),
        0.5: (1.11803, 1, 0.90139, 0.70711),
        0.58: (1.15603, 1, 0.88134, 1.00686),
        1.1: (1.48661, 1, 1.11987, 2.139),
    }
    for h, (simultaneous, alternating, extragradient, optimistic) in table.items():
        assert largest(multipliers(pair, "simultaneous", h)) == pytest.approx(simultaneous, abs=1e-5)
        assert largest(np.linalg.eigvals(update_matrix(field, "alternating", h, first=1))) == pytest.approx(
            alternating, abs=1e-9
        )
        assert largest(multipliers(pair, "extragradient", h)) == pytest.approx(extragradient, abs=1e-5)
        assert largest(multipliers(pair, "optimistic", h)) == pytest.approx(optimistic, abs=1e-3)
        for rule in ("simultaneous", "extragradient", "optimistic"):
            assert largest(np.linalg.eigvals(update_matrix(field, rule, h, first=1))) == pytest.approx(
                largest(multipliers(pair, rule, h)), abs=1e-7
            )


def test_thresholds_of_extragradient_and_optimism_are_exact() -> None:
    for rule, threshold in (("extragradient", 1.0), ("optimistic", 1 / math.sqrt(3))):
        assert largest(multipliers([1j, -1j], rule, threshold - 1e-6)) < 1
        assert largest(multipliers([1j, -1j], rule, threshold + 1e-6)) > 1
    assert largest(multipliers([1j, -1j], "extragradient", 1 / math.sqrt(2))) == pytest.approx(math.sqrt(0.75))


def test_momentum_in_the_bilinear_game_helps_alternating_play_only_when_negative() -> None:
    field = np.array([[0.0, -1.0], [1.0, 0.0]])

    def size(rule: str, h: float, momentum: float) -> float:
        return largest(np.linalg.eigvals(update_matrix(field, rule, h, first=1, momentum=momentum)))  # type: ignore[arg-type]  # parametrised

    assert size("simultaneous", 0.1, -0.3) == pytest.approx(1.0016, abs=1e-4)
    assert largest(multipliers([1j, -1j], "simultaneous", 0.1, momentum=-0.3)) == pytest.approx(
        size("simultaneous", 0.1, -0.3), abs=1e-9
    )
    assert size("alternating", 0.1, -0.3) == pytest.approx(0.99863, abs=1e-5)
    assert size("alternating", 0.5, -0.3) == pytest.approx(0.96485, abs=1e-5)
    assert size("alternating", 0.1, 0.5) == pytest.approx(1.0323, abs=1e-4)


def test_several_updates_a_step_move_the_alternating_threshold() -> None:
    field = np.array([[0.0, -0.5], [0.5, 0.0]])
    for h, n, expected in ((3.9, 1, 1.0), (4.1, 1, 1.5625), (1.7, 5, 1.0), (1.85, 5, 1.684)):
        assert largest(
            np.linalg.eigvals(update_matrix(field, "alternating", h, first=1, updates=(1, n)))
        ) == pytest.approx(expected, abs=1e-3)


def test_the_numeric_jacobian_of_an_update_map_equals_theory() -> None:
    for gamma in (0.3, 2.0):
        field = r1(minimax, gamma)

        def update(x: np.ndarray, field: Field = field) -> np.ndarray:
            theta = x[0] + 0.2 * field(*x)[0]
            return np.array([theta, x[1] + 0.2 * field(theta, x[1])[1]])

        expected = np.array([[1, -0.1], [0.1, 1 - 0.2 * gamma - 0.01]])
        assert np.abs(update_jacobian(update, np.zeros(2)) - expected).max() < 1e-9


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([0.5j, -0.5j], Word.ROTATION),
        ([-0.1 + 1j, -0.1 - 1j], Word.CONVERGING),
        ([0.1, -3], Word.DIVERGING),
        ([-0.5, -0.5], Word.CONVERGING),
        ([0.0, -1.0], Word.UNCLEAR),
    ],
)
def test_words_of_a_field(values: list[complex], word: Word) -> None:
    assert read_eigenvalues(values).word == word


@pytest.mark.parametrize(
    ("rule", "h", "word"),
    [
        ("simultaneous", 0.2, Word.DIVERGING),
        ("extragradient", 0.2, Word.CONVERGING),
        ("extragradient", 2.1, Word.DIVERGING),
        ("optimistic", 1.1, Word.CONVERGING),
        ("optimistic", 1.2, Word.DIVERGING),
    ],
)
def test_words_of_a_rule_on_the_dirac_game(rule: str, h: float, word: Word) -> None:
    assert read_multipliers(multipliers([0.5j, -0.5j], rule, h)).word == word  # type: ignore[arg-type]  # parametrised


def test_alternating_on_the_dirac_game_is_a_neutral_cycle_with_its_period() -> None:
    reading = read_multipliers(
        np.linalg.eigvals(update_matrix(np.array([[0, -0.5], [0.5, 0]]), "alternating", 0.2, first=1))
    )
    assert reading.word == Word.NEUTRAL_CYCLE
    assert reading.period == pytest.approx(62.8, abs=0.05)


def test_rules_that_the_eigenvalues_do_not_determine_are_refused() -> None:
    with pytest.raises(ValueError, match="update_matrix"):
        multipliers([1j], "alternating", 0.1)


def test_equilibria_are_named_by_both_the_flow_and_the_players_own_hessians() -> None:
    assert (
        kind_of_equilibrium([-0.2 + 1j, -0.2 - 1j], [(-0.2, -0.2), (0.6, 0.6)])
        == "stable stationary point, but no Nash equilibrium"
    )
    assert kind_of_equilibrium([-0.2 + 1j, -0.2 - 1j], [(0.1, 0.2), (0.6, 0.6)]) == "stable local Nash equilibrium"
    assert (
        kind_of_equilibrium([1j, -1j], [(0.0, 0.0), (0.0, 0.0)])
        == "local Nash equilibrium that does not attract to first order"
    )
    assert kind_of_equilibrium([0.5, -1], [(-0.5, 1.0), (0.1, 0.6)]) == "unstable point that is no Nash equilibrium"


@pytest.mark.parametrize("rows", range(1, 24))
def test_a_short_trace_is_unclear_and_never_an_error(rows: int) -> None:
    points = np.random.default_rng(rows).normal(size=(rows, 2))
    assert isinstance(read_trace(points).word, Word)


# ------------------------------------------------------------------------------------- the closed forms that games seldom need


def test_a_flow_turns_by_the_exponential_and_momentum_is_known_for_simultaneous_updates_only() -> None:
    assert multipliers([-0.5 + 2j], "continuous", 0.1)[0] == pytest.approx(np.exp(-0.05 + 0.2j))
    with pytest.raises(ValueError, match="momentum is known here for simultaneous updates"):
        multipliers([1j], "optimistic", 0.1, momentum=0.5)
    for rule in ("alternating", "consensus"):
        with pytest.raises(ValueError, match="do not follow from the eigenvalues"):
            multipliers([1j], rule, 0.1)  # type: ignore[arg-type]  # parametrised
    with pytest.raises(ValueError, match="no update matrix for 'continuous'"):
        update_matrix(np.eye(2), "continuous", 0.1, first=1)


def test_consensus_draws_a_rotation_in_by_the_square_of_its_speed() -> None:
    """v' = rotation by w: consensus adds -gamma w^2 to the real part, so that |mu|^2 = (1 - h gamma w^2)^2 + (h w)^2."""
    h, gamma, w = 0.1, 0.7, 2.0
    found = np.linalg.eigvals(update_matrix(w * np.array([[0, -1.0], [1.0, 0]]), "consensus", h, first=1, gamma=gamma))
    assert np.abs(found) == pytest.approx(math.hypot(1 - h * gamma * w**2, h * w))


def test_a_simulation_ends_where_it_leaves_the_finite_numbers() -> None:
    with np.errstate(over="ignore"):
        trace = simulate(lambda x: x**3, [10.0], 50)
    assert len(trace) < 12
    assert np.isinf(trace[-1, 0])


def test_what_runs_straight_away_ever_faster_diverges_and_what_comes_to_rest_has_converged() -> None:
    at = np.arange(200)
    straight = read_trace(np.exp(0.05 * at)[:, None] * np.array([1.0, 2.0]))
    assert straight.word is Word.DIVERGING
    assert straight.multiplier == pytest.approx(math.exp(0.05), rel=1e-6)
    scattered = np.cumsum(np.exp(0.05 * at + 0.1 * np.random.default_rng(0).standard_normal(200)))
    assert (
        read_trace(scattered[:, None]).word is Word.DIVERGING
    )  # as steady a growth as a scatter of a tenth lets it be
    assert read_trace(np.full((200, 2), 3.0)).word is Word.STILL
    resting = np.where(at < 4, 0.5**at, 0.0)[:, None]
    assert read_trace(resting).word is Word.CONVERGING


def test_rows_at_uneven_steps_are_read_off_an_even_clock() -> None:
    """A turn in 40 steps, every row but some that were not kept: the period is that of the steps and not of the rows."""
    at = np.delete(np.arange(400.0), [50, 51, 120, 200, 201, 202, 333])
    reading = read_trace(np.stack([np.cos(2 * np.pi * at / 40), np.sin(2 * np.pi * at / 40)], axis=1), at)
    assert reading.word is Word.NEUTRAL_CYCLE
    assert reading.period == pytest.approx(40, rel=0.01)
    with pytest.raises(ValueError, match="must increase"):
        read_trace(np.zeros((3, 1)), np.array([0, 2, 1]))
    with pytest.raises(ValueError, match=r"shape \(rows,\) or \(rows, coordinates\)"):
        read_trace(np.zeros((3, 1, 1)))


@pytest.mark.parametrize("seed", range(5))
def test_a_way_down_to_noise_converges_with_its_rate(seed: int) -> None:
    """Instance noise on the Dirac-GAN: lambda = -sigma^2 / 4 +- sqrt(sigma^4 / 16 - 1/4), driven by the batches' own noise."""
    random, law = np.random.default_rng(seed), 1 + 0.1 * (-(0.7**2) / 4 + np.sqrt(complex(0.7**4 / 16 - 0.25)))
    place, trace = 0.8 + 0.3j, []
    for kick in random.standard_normal((1500, 2)) * 0.002:
        place = law * place + complex(*kick)
        trace.append((place.real, place.imag))
    told = read_trace(np.array(trace))
    assert told.word == Word.CONVERGING
    assert told.multiplier == pytest.approx(abs(law), abs=0.002)
