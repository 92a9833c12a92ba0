"""Compiled circuits against the exact-then-cast oracle, in whole where the inputs can be gone through."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssmverify.tracking.circuits import products
from ssmverify.tracking.circuits.circuit import Circuit, Gate, evaluate, evaluate_naively
from ssmverify.tracking.circuits.compile import LEAST, METHODS, compile_model, compile_stack, decode, encode
from ssmverify.tracking.circuits.fixed_point import (
    CASTS,
    ComplexChannel,
    ComplexDiagonal,
    ComplexTable,
    Diagonal,
    Letters,
    Model,
    TimeInvariant,
    every_word,
    exact_then_cast,
    free,
    random_words,
    recurrent,
    selective,
    stacked,
)


def outputs(circuit: Circuit, model: Model, words: Letters, one_hot: bool = False) -> list[int]:
    signed = model.bounds(words.shape[1])[0] < 0
    return decode(evaluate(circuit, encode(model, words, one_hot=one_hot)), signed)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("n", "p"), [(2, 2), (3, 2), (4, 2), (2, 3)])
def test_every_input(n: int, p: int, method: str) -> None:
    words = every_word(free(p), n)
    assert len(words) == 2 ** (2 * n * p)
    circuit = compile_model(free(p), n, method=method)
    assert outputs(circuit, free(p), words) == exact_then_cast(free(p), words).tolist()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("one_hot", [False, True])
def test_signed(method: str, cast: str, one_hot: bool) -> None:
    model = free(1, signed=True)
    words = every_word(model, 3)
    circuit = compile_model(model, 3, method=method, cast=cast, one_hot=one_hot)
    assert outputs(circuit, model, words, one_hot) == exact_then_cast(model, words, cast).tolist()


SELECTIVE = selective(3, ((4, 2, 1, 8), (1, -2, 3, 0), (1, 1, 1, 1)), ((8, 0, -5, 3), (-7, 2, 2, 5), (1, -1, 2, 0)))
ROTATING = ComplexDiagonal(
    3,
    (3,),
    (
        ComplexChannel(
            ComplexTable(0, ((3, 4), (-2, 5), (0, 0))),
            ComplexTable(0, ((1, 2), (-3, 1), (2, -2))),
            ComplexTable(0, ((1, 0), (1, 1), (0, -1))),
        ),
    ),
)
ONE_WAY = selective(3, ((4, 4), (3, -3), (1, 1)))
SHEAR = TimeInvariant(2, ((4, 1), (0, 4)), ((1, 0), (0, 1), (-1, 2)), (1, -1))  # no basis of eigenvectors


@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize(
    ("model", "n", "method"),
    [
        *((SELECTIVE, 4, method) for method in METHODS),
        *((SHEAR, 5, method) for method in METHODS),
        (ROTATING, 5, "residues"),
        (ROTATING, 5, "shallow"),
    ],
)
def test_gates_readouts_rotations_and_matrices(model: Model, n: int, method: str, cast: str) -> None:
    words = every_word(model, n)
    circuit = compile_model(model, n, method=method, cast=cast)
    assert outputs(circuit, model, words) == exact_then_cast(model, words, cast).tolist()


gaussian = st.tuples(st.integers(-8, 8), st.integers(-8, 8))
complex_table = st.lists(gaussian, min_size=2, max_size=2).map(lambda values: ComplexTable(0, tuple(values)))
complex_models = st.builds(ComplexChannel, complex_table, complex_table, complex_table).map(
    lambda channel: ComplexDiagonal(3, (2,), (channel,))
)
real_table = st.lists(st.integers(-8, 8), min_size=2, max_size=2)
real_models = st.builds(lambda *channel: selective(3, channel), real_table, real_table, real_table)
pair = st.tuples(st.integers(-4, 4), st.integers(-4, 4))
matrix_models = st.builds(
    TimeInvariant, st.just(2), st.tuples(pair, pair), st.lists(pair, min_size=2, max_size=3).map(tuple), pair
)


@given(complex_models | real_models | matrix_models, st.integers(1, 4))
def test_the_bounds_hold_for_every_word(model: Model, n: int) -> None:
    low, high = model.bounds(n)
    assert all(low <= N <= high for N in model.numerators(every_word(model, n)))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_bounds_are_reached(n: int) -> None:
    """By letters that all pull one way; the modulus of 3 + 4i is a whole number."""
    kept, written = ComplexTable(0, ((5, 0), (5, 0), (3, 4))), ComplexTable(0, ((5, 0), (-5, 0), (3, 4)))
    straight = ComplexDiagonal(1, (3,), (ComplexChannel(kept, written, ComplexTable(0, ((1, 0), (1, 0), (0, 0)))),))
    for model in (straight, ONE_WAY, TimeInvariant(1, ((2, 1), (1, 2)), ((3, 1), (-3, -1)), (1, 2))):
        found = model.numerators(every_word(model, n))
        assert model.bounds(n) == (min(found), max(found))


def test_the_bound_of_complex_channels_takes_each_root_upwards() -> None:
    """1 + i has the modulus √2: written, decayed and read, each alone."""
    one, turned = ComplexTable(0, ((1, 0),)), ComplexTable(0, ((1, 1),))
    for parts, n, most in (((one, turned, one), 1, 2), ((turned, one, one), 2, 4), ((one, one, turned), 1, 2)):
        assert ComplexDiagonal(1, (1,), (ComplexChannel(*parts),)).bounds(n) == (-most, most)


@pytest.mark.parametrize("model", [free(2, channels=2), free(3), free(2, signed=True)])
def test_more_inputs_at_random(model: Diagonal) -> None:
    words = random_words(model, 4, 2000, np.random.default_rng(4))
    circuit = compile_model(model, 4)
    assert outputs(circuit, model, words) == exact_then_cast(model, words).tolist()


tables = st.lists(st.integers(-8, 8), min_size=3, max_size=3)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(tables, tables, tables), min_size=1, max_size=2),
    st.integers(1, 4),
    st.sampled_from(METHODS),
    st.sampled_from(list(CASTS)),
)
def test_any_tables(channels: Any, n: int, method: str, cast: str) -> None:
    """Zeros, signs, multiples of the primes, letters that never differ, decays of size 1."""
    model = selective(3, *channels)
    words = every_word(model, n)
    circuit = compile_model(model, n, method=method, cast=cast)
    assert outputs(circuit, model, words) == exact_then_cast(model, words, cast).tolist()


def test_the_naive_evaluator_agrees_on_a_compiled_circuit() -> None:
    circuit = compile_model(free(2), 3)
    bits = encode(free(2), random_words(free(2), 3, 60, np.random.default_rng(0)))
    fast = evaluate(circuit, bits).astype(int).tolist()
    assert fast == [evaluate_naively(circuit, row) for row in bits.astype(int).tolist()]


@pytest.mark.parametrize("n", [2, 5, 9])
def test_convolution_and_recurrence_are_the_same_in_exact_arithmetic(n: int) -> None:
    for model in (free(2), free(1, signed=True, channels=2), SELECTIVE):
        words = random_words(model, n, 20, np.random.default_rng(n))
        for cast in CASTS:
            assert exact_then_cast(model, words, cast).tolist() == recurrent(model, words, cast).tolist()


@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("d", [1, 2, 8])
def test_least_numerators(cast: str, d: int) -> None:
    for v in range(-4, 5):
        least = LEAST[cast](v, d)
        assert CASTS[cast](Fraction(least, d)) >= v > CASTS[cast](Fraction(least - 1, d))


# ------------------------------------------------------------------------------------------------------- depth
@pytest.mark.parametrize("n", range(2, 25))
def test_depth_does_not_grow(n: int) -> None:
    assert compile_model(free(2), n).depth == 6
    assert compile_model(free(2), n, one_hot=True).depth == 5
    assert compile_model(free(2), n, method="shallow").depth == 4
    assert compile_model(SHEAR, n, method="counting").depth == 3
    assert compile_model(SHEAR, n, method="counting", one_hot=True).depth == 2


def halves(p: int) -> Diagonal:
    """Decays that are powers of two."""
    decays = tuple(2**i for i in range(p + 1))
    return selective(p, (decays, tuple(range(p + 1)), (1,) * (p + 1)))


@pytest.mark.parametrize("n", [3, 6, 12, 24])
def test_powers_of_two_need_few_counters(n: int) -> None:
    """A product of k shifts by up to p has p k + 1 values, times those of the input."""
    circuit = compile_model(halves(3), n, method="counting")
    words = random_words(halves(3), n, 200, np.random.default_rng(n))
    assert outputs(circuit, halves(3), words) == exact_then_cast(halves(3), words).tolist()
    assert circuit.depth == 4
    assert circuit.layers[1] <= sum(3 * (3 * k + 1) + 3 for k in range(n))


def double(value: int) -> tuple[int, int]:
    """An upper layer's token: decay and input of two bits, no linear function of the output."""
    return value * value % 4, (3 * value + 1) // 2 % 4


@pytest.mark.parametrize(("layers", "n"), [(2, 2), (2, 3), (3, 2)])
def test_stacked_layers(layers: int, n: int) -> None:
    models, lookups = [free(2)] * layers, [double] * (layers - 1)
    words = every_word(free(2), n) if n == 2 else random_words(free(2), n, 2000, np.random.default_rng(1))
    for method, depth in (("residues", 6 + 4 * (layers - 1)), ("shallow", 4 + 2 * (layers - 1))):
        circuit = compile_stack(models, lookups, n, method=method)
        assert circuit.depth == depth
        assert outputs(circuit, free(2), words) == stacked(models, lookups, words).tolist()


# ------------------------------------------------------------------------------------------------- what must fail
def test_every_gate_that_is_deleted_is_missed() -> None:
    """But for two: [beta_1 = 0] and [alpha_2 = 0] only keep beta_1 alpha_2 < 4 out of N, which the floor forgets."""
    words = every_word(free(2), 2)
    bits, expected = encode(free(2), words), exact_then_cast(free(2), words).tolist()
    circuit = compile_model(free(2), 2)
    gates = range(circuit.inputs, circuit.inputs + circuit.size)
    redundant = [gate for gate in gates if decode(evaluate(circuit.without(gate), bits), False) == expected]
    assert [list(circuit.gates())[gate - circuit.inputs] for gate in redundant] == [
        Gate((2, 3), (-1, -1), 0),
        Gate((4, 5), (-1, -1), 0),
    ]


RIGHT = products.units_modulo


def wrong_generator(q: int) -> products.Units:
    """Logarithms to one generator, powers of another."""
    right = RIGHT(q)
    others = [g for g in right.powers if right.logs[g] != 1 and len({pow(g, s, q) for s in range(q - 1)}) == q - 1]
    return products.Units(tuple(pow(others[0], s, q) for s in range(q - 1)), right.logs) if others else right


def one_prime_less(limit: int, step: int) -> list[int]:
    return products.odd_primes(limit, step)[:-1]


def ties_upwards(v: int, d: int) -> int:
    return -((1 - 2 * v) * d // 2)


@pytest.mark.parametrize(
    ("place", "broken", "cast"),
    [
        ("ssmverify.tracking.circuits.products.units_modulo", wrong_generator, "floor"),
        ("ssmverify.tracking.circuits.compile.odd_primes", one_prime_less, "floor"),
        ("ssmverify.tracking.circuits.compile.LEAST", {**LEAST, "nearest-even": ties_upwards}, "nearest-even"),
        ("ssmverify.tracking.circuits.compile.LEAST", {"floor": LEAST["nearest-even"]}, "floor"),
    ],
)
def test_a_broken_compiler_is_caught(place: str, broken: Callable[..., Any], cast: str) -> None:
    words = every_word(free(2), 3)
    with mock.patch(place, broken):
        circuit = compile_model(free(2), 3, cast=cast)
    assert outputs(circuit, free(2), words) != exact_then_cast(free(2), words, cast).tolist()


def test_a_negative_bound_that_is_cast_to_zero() -> None:
    """y is a quarter of the last input but one, -1, 0 or 1: a sign bit that is never set."""
    delay = TimeInvariant(2, ((0, 0), (1, 0)), ((1, 0), (-1, 0), (0, 0)), (0, 1))
    words = every_word(delay, 3)
    for cast in CASTS:
        circuit = compile_model(delay, 3, cast=cast)
        assert outputs(circuit, delay, words) == exact_then_cast(delay, words, cast).tolist()
    assert set(exact_then_cast(delay, words, "nearest-even")) == {0}
    assert set(exact_then_cast(delay, words)) == {0, -1}


@pytest.mark.parametrize("how", [{"method": "magic"}, {"cast": "up"}, {"n": 0}])
def test_what_cannot_be_compiled(how: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no circuit with"):
        compile_model(free(2), **{"n": 2, **how})


def test_complex_products_are_not_counted() -> None:
    with pytest.raises(ValueError, match='use method="residues"'):
        compile_model(ROTATING, 3, method="counting")
