"""One construction, every arithmetic: Longhorn's step over rationals, balls, polynomials and a prime field agrees."""

from typing import Any

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from proofs.arithmetic import entrywise, polynomials, prime_field
from proofs.kernel import ball, evaluate, rational
from proofs.longhorn.update import beta_1, k_1, p_1, step, x_1

P = 2**61 - 1
entries = st.lists(st.builds(fmpq, st.integers(-9, 9), st.integers(1, 9)), min_size=6, max_size=6)


def inputs(values: list[fmpq]) -> tuple[Any, Any, Any, Any]:
    """p and k in two states, x, and beta >= 0."""
    p, k = (np.array(part, dtype=object).reshape(2, 1) for part in (values[:2], values[2:4]))
    return p, k, values[4], abs(values[5])


def columns(value: Any) -> list[Any]:
    return [value[0, 0], value[1, 0]]


def run(p: Any, k: Any, x: Any, beta: Any) -> list[Any]:
    error, size = (k.T @ p)[0, 0] - x, (k.T @ k)[0, 0]
    return columns(p - (beta / (1 + beta * size)) * error * k)


@given(entries)
def test_the_construction_over_rationals_is_the_formula(values: list[fmpq]) -> None:
    p, k, x, beta = inputs(values)
    assert columns(step(p, k, x, beta)) == run(p, k, x, beta)


@given(entries)
def test_balls_contain_the_rational_value(values: list[fmpq]) -> None:
    p, k, x, beta = inputs(values)
    point = lambda q: ball(q, q)  # noqa: E731
    enclosed = columns(step(entrywise(point, p), entrywise(point, k), point(x), point(beta)))
    assert all((box - value).contains(0) for box, value in zip(enclosed, columns(step(p, k, x, beta)), strict=True))


@given(entries)
def test_a_prime_field_holds_the_residue(values: list[fmpq]) -> None:
    p, k, x, beta = inputs(values)
    number = prime_field(P)
    found = columns(step(entrywise(number, p), entrywise(number, k), number(x), number(beta)))
    assert found == [number(value) for value in columns(step(p, k, x, beta))]


@given(entries)
def test_a_polynomial_takes_the_rational_value(values: list[fmpq]) -> None:
    p, k, x, beta = inputs(values)
    constant, (open_x,) = polynomials(1)
    found = columns(step(p, k, open_x, beta))
    assert [f.evaluate(open_x, x) for f in found] == columns(step(p, k, x, beta))
    assert constant(1) == 1


@given(entries)
def test_words_evaluate_to_the_rational_value(values: list[fmpq]) -> None:
    p, k, x, beta = values[0], values[1], values[2], abs(values[3])
    point = {"p": p, "k": k, "x": x, "β": beta}
    assert evaluate(step(p_1, k_1, x_1, beta_1), point) == p - beta / (1 + beta * k * k) * (k * p - x) * k


@pytest.mark.parametrize(
    ("value", "expected"), [(0.1, fmpq(3602879701896397, 2**55)), (2, fmpq(2)), (fmpq(1, 3), fmpq(1, 3))]
)
def test_a_number_enters_exactly(value: Any, expected: fmpq) -> None:
    assert rational(value) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_does_not_enter(value: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        rational(value)
