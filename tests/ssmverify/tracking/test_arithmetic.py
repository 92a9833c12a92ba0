"""The arithmetics M0 to M6 against independent ways to the same numbers."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numeric.scan import scan
from ssmverify.errors import BadInput
from ssmverify.tracking.arithmetic.chains import chain
from ssmverify.tracking.arithmetic.disagreement import disagreements, witness_disagreement
from ssmverify.tracking.arithmetic.evaluators import (
    TREES,
    exact,
    exact_then_cast,
    fused,
    once,
    per_step,
    runs_then_cast,
    scan_tree,
    stochastic,
    unfused,
)
from ssmverify.tracking.arithmetic.machines import MACHINES, flushes, run
from ssmverify.tracking.arithmetic.numbers import (
    BFLOAT16,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    ROUNDINGS,
    Fixed,
    Gaussian,
    gaussian,
)
from ssmverify.tracking.arithmetic.witnesses import SELECTIVE, SUBNORMAL, TIME_INVARIANT, Witness
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.monoid import transition_monoid

quarters = st.integers(-12, 12).map(lambda k: Fraction(k, 4))
words = st.lists(st.tuples(quarters, quarters), min_size=1, max_size=9)
complex_words = st.lists(st.tuples(*[st.builds(Gaussian, quarters, quarters)] * 2), min_size=1, max_size=6)
wide = Fixed(-(10**12), 10**12, Fraction(1, 2))
floats32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def convolution(a: list[Fraction], b: list[Fraction], h0: Fraction) -> Fraction:
    terms = [math.prod(a[j + 1 :], start=Fraction(1)) * b[j] for j in range(len(b))]
    return math.prod(a, start=h0) + sum(terms)


# ------------------------------------------------------------------------------------------------------------ casts
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("flushes", [False, True])
def test_saturating_casts_keep_the_order_and_their_own_numbers(rounding: str, flushes: bool) -> None:
    cast = Fixed(-3, 3, Fraction(1, 2), rounding, flushes=flushes)
    values = [cast(Fraction(k, 24)) for k in range(-72, 73)]
    assert values == sorted(values)
    assert set(values) == set(cast)
    assert all(cast(x) == x for x in cast)


@given(st.integers(-100, 100))
def test_wrapping_is_arithmetic_modulo_the_number_of_states(number: int) -> None:
    cast = Fixed(-4, 3, wraps=True)
    assert (cast(Fraction(number)) - number) % 8 == 0
    assert -4 <= cast(Fraction(number)) <= 3


@given(st.fractions(max_denominator=10**30))
def test_float64_is_python_s(q: Fraction) -> None:
    assert FLOAT64(q) == Fraction(q.numerator / q.denominator)


@given(floats32)
def test_bfloat16_is_torch_s(x: float) -> None:
    rounded = torch.tensor(x, dtype=torch.float32).to(torch.bfloat16).item()
    if math.isfinite(rounded):
        assert BFLOAT16(Fraction(x)) == Fraction(rounded)
    else:
        with pytest.raises(BadInput, match="overflows"):
            BFLOAT16(Fraction(x))


@pytest.mark.parametrize(("cast", "dtype"), [(FLOAT16, np.float16), (FLOAT32, np.float32)])
def test_products_and_sums_are_numpy_s_down_to_the_subnormals(cast: object, dtype: type[np.floating]) -> None:
    generator = np.random.default_rng(0)
    info = np.finfo(dtype)
    scales = 2.0 ** np.array([0, 3, (info.minexp - info.nmant) // 2 + 1, info.minexp // 2], dtype=np.float64)
    for scale in scales:
        x, y = (generator.standard_normal((2, 200)) * scale).astype(dtype)
        for i in range(200):
            p, q = Fraction(float(x[i])), Fraction(float(y[i]))
            assert cast(p * q) == Fraction(float(x[i] * y[i]))  # type: ignore[operator]
            assert cast(p + q) == Fraction(float(x[i] + y[i]))  # type: ignore[operator]


def test_overflow_and_unknown_names_are_the_user_s_to_mend() -> None:
    with pytest.raises(BadInput, match="overflows"):
        FLOAT16(Fraction(70000))
    with pytest.raises(BadInput, match=r"2\*\*1100 or more overflows"):
        FLOAT64(Fraction(2) ** 1100)
    with pytest.raises(BadInput, match="no rounding 'up'"):
        Fixed(-1, 1, rounding="up")
    with pytest.raises(BadInput, match="no scan tree"):
        scan_tree([Fraction(1)], [Fraction(1)], Fraction(0), wide, wide, "oak")


# ------------------------------------------------------------------------------------------------------- evaluators
@given(words, quarters)
def test_exact_is_the_convolution_and_m1_its_cast(word: list[tuple[Fraction, Fraction]], h0: Fraction) -> None:
    a, b = map(list, zip(*word, strict=True))
    ends = [convolution(a[:t], b[:t], h0) for t in range(1, len(a) + 1)]
    assert exact(a, b, h0) == ends
    assert exact_then_cast(a, b, h0, wide) == [wide(h) for h in ends]


@given(st.lists(st.tuples(*[st.tuples(floats32, floats32)] * 2), min_size=1, max_size=8))
@settings(max_examples=50)
def test_m2m_is_the_fused_scan_bit_for_bit(word: list[tuple[tuple[float, float], ...]]) -> None:
    shrunk = [
        [complex(x / 2**60 if abs(x) > 1e18 else x, y / 2**60 if abs(y) > 1e18 else y) for x, y in ab] for ab in word
    ]
    a, b = (np.array(side, np.complex64) for side in zip(*shrunk, strict=True))
    a = (a / (1 + np.abs(a))).astype(np.complex64)
    states = scan(torch.from_numpy(a)[None, :, None], torch.from_numpy(b)[None, :, None])[0, :, 0]
    ours = per_step(*([gaussian(Fraction(float(z.real)), Fraction(float(z.imag))) for z in side] for side in (a, b)),
                    gaussian(0), FLOAT32, fused)  # fmt: skip
    assert [(float(h.re), float(h.im)) for h in ours] == [(z.real, z.imag) for z in states.tolist()]


def test_real_steps_round_once_or_twice() -> None:
    cast = Fixed(-9, 9)
    half = Fraction(1, 2)
    assert once(half, Fraction(1), half, cast) == fused(half, Fraction(1), half, cast) == 1
    assert unfused(half, Fraction(1), half, cast) == 0  # 1/2 rounds to 0, and 0 + 1/2 again


@pytest.mark.parametrize("machine", MACHINES)
def test_machines_keep_subnormals_here(machine: str) -> None:
    if flushes(MACHINES[machine][0]):
        pytest.skip(f"{machine} flushes subnormals to zero on this machine, so its float32 is another arithmetic")
    assert run(MACHINES[machine][0], gaussian(1), gaussian(0), gaussian(FLOAT32.smallest)) == gaussian(FLOAT32.smallest)


@pytest.mark.parametrize("tree", TREES)
def test_a_tree_joins_neighbours_and_nothing_else(tree: str) -> None:
    for length in range(18):
        spans = TREES[tree]([(t, t + 1) for t in range(length)], _join)  # type: ignore[arg-type]
        assert spans == [(0, t + 1) for t in range(length)]


def _join(earlier: tuple[int, int], later: tuple[int, int]) -> tuple[int, int]:
    assert earlier[1] == later[0]
    return earlier[0], later[1]


@pytest.mark.parametrize("tree", TREES)
@given(word=complex_words)
@settings(max_examples=30)
def test_without_rounding_every_tree_is_the_recurrence(tree: str, word: list[tuple[Gaussian, Gaussian]]) -> None:
    a, b = map(list, zip(*word, strict=True))
    start = gaussian(1, -2)
    assert scan_tree(a, b, start, Fraction, Fraction, tree) == exact(a, b, start)


@given(words, quarters)
@settings(max_examples=30)
def test_stochastic_rounding_is_a_distribution_around_the_exact_state(
    word: list[tuple[Fraction, Fraction]], h0: Fraction
) -> None:
    """Unbiased while nothing saturates: the mean is the exact state."""
    a, b = map(list, zip(*word[:5], strict=True))
    for distribution, state in zip(stochastic(a, b, wide(h0), wide), exact(a, b, wide(h0)), strict=True):
        assert sum(distribution.values()) == 1
        assert sum(h * p for h, p in distribution.items()) == state


def test_stochastic_rounding_of_complex_states_is_part_by_part() -> None:
    (found,) = stochastic([gaussian(1)], [gaussian("1/4", "1/2")], gaussian(0), Fixed(-1, 1))
    shares = {(h.re, h.im): p for h, p in found.items()}
    assert shares == {(x, y): Fraction(1 if x else 3, 8) for x, y in itertools.product((0, 1), repeat=2)}


@given(st.tuples(quarters, quarters), st.integers(1, 8), quarters)
def test_m6_is_m1_on_one_run_and_m2_without_runs(letter: tuple[Fraction, Fraction], k: int, h0: Fraction) -> None:
    a, b = [letter[0]] * k, [letter[1]] * k
    assert runs_then_cast(a, b, h0, wide) == exact_then_cast(a, b, h0, wide)
    b = [letter[1] + t for t in range(k)]
    assert runs_then_cast(a, b, h0, wide) == per_step(a, b, h0, wide)


def test_disagreements_are_reproducible_and_shares() -> None:
    found = disagreements(8, words=20, seed=3)
    assert found == disagreements(8, words=20, seed=3)
    assert {d.arithmetic[:2] for d in found} == {"M2", "M4", "M5", "M6"}
    assert all(0 <= d.share <= 1 and (d.share > 0) == (d.largest > 0) for d in found)


def test_short_words_of_the_witnesses_agree_and_some_longer_ones_do_not() -> None:
    assert witness_disagreement(SUBNORMAL, 1, words=20) == 0
    assert witness_disagreement(SUBNORMAL, 20, words=20) > 0


@pytest.mark.parametrize("witness", [SELECTIVE, TIME_INVARIANT, SUBNORMAL], ids=lambda witness: witness.name)
def test_long_products_are_tracked(witness: Witness) -> None:
    """200 of a witness's words in a row: the states move as the product of the permutations says."""
    generator = random.Random(0)
    places, product = list(witness.places), tuple(range(5))
    for i in generator.choices(range(len(witness.words)), k=200):
        for letter in witness.words[i]:
            a, b = witness.letters[letter]
            places = [per_step([a], [b], h, witness.cast, witness.step)[0] for h in places]
        product = tuple(witness.generators[i][p] for p in product)
        assert places == [witness.places[p] for p in product]


# ------------------------------------------------------------------------------------------------------------ monoids
@pytest.mark.parametrize("rounding", ["floor", "nearest-even"])
def test_fewer_generators_make_the_same_monoid(rounding: str) -> None:
    made = chain(rounding)
    names = tuple(map(str, range(len(made.letters))))
    whole = transition_monoid(Automaton(names, tuple(made.letters)))
    assert {row.tobytes() for row in whole.elements} == {row.tobytes() for row in made.monoid.elements}
