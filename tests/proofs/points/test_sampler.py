"""Points derived from a statement satisfy its hypotheses, and those that cannot be had say why."""

from __future__ import annotations

import random
from typing import Any

import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.kernel import NotProved, Point, Sequent, cases, holds
from proofs.points import NoPoint, Sampler
from proofs.points.expressions import Expression, assigned, at, expression
from proofs.points.solving import Constraint, Solver, Unmet
from proofs.terms import (
    And,
    Eq,
    Formula,
    Identity,
    Le,
    Lt,
    Nat,
    Nonzero,
    Term,
    for_all,
    index_le,
    matrix,
    product,
    scalar,
    sequence,
    size,
    summation,
    term,
    vector,
)

n, m, t, i, j = (size(name) for name in "nmtij")
F = sequence("F", arity=2)
x, y, u = scalar("x"), scalar("y"), scalar("u")
a, b, h = sequence("a"), sequence("b"), sequence("h")
W, k = sequence("W", n, m), sequence("k", m)
Q, R, S = matrix("Q", n, n), matrix("R", n, n), matrix("S", n, n)
v, w = vector("v", n), vector("w", n)

STATEMENTS: dict[str, tuple[list[Formula], Term]] = {
    "signs": ([Lt(term(0), x), Le(y, term(0)), Nonzero(u)], x + y + u),
    "between bounds": ([Le(term(1), x), Lt(x, term(2)), Le(-y, u), Le(u, y), Le(y * y, x)], x + y + u),
    "signs of a family": ([for_all(i, And((Lt(term(0), a(i)), Lt(a(i), term(1)))))], a(t)),
    "indices": ([index_le(m + 2, n), index_le(t, m)], Nat(n + m + t)),
    "a scalar recurrence": ([Eq(h(0), x), for_all(i, Eq(h(i + 1), a(i + 1) * h(i) + b(i + 1)))], h(t)),
    "two recurrences, one in the other": (
        [for_all(i, Eq(h(i + 1), a(i + 1) * h(i))), for_all(i, Eq(b(i + 1), b(i) + h(i + 1)))],
        b(t),
    ),
    "a matrix recurrence": ([for_all(i, Eq(W(i + 1), (S + Q) @ W(i)))], x),
    "pointwise": ([for_all(i, Eq(a(i), 2 * b(2 * i + 1) - 1))], a(t)),
    "a definition": ([Eq(x, summation(i, 1, t, a(i))), Eq(y, x * x + u)], y),
    "a linear equation": ([Eq(R @ (Identity(n) + S), Identity(n))], x),
    "a quotient": ([Eq(u * u * x, y + 1), Nonzero(u)], x / u),
    "a symmetric matrix": ([Eq(S.T, S), Eq(Q + Q.T, v @ v.T)], x),
    "a unit vector": ([Eq(v.T @ v, term(1)), Eq(v.T @ w, term(0))], x),
    "rotations": ([Eq(Q.T @ Q, Identity(n)), Eq(R, Q @ S @ Q.T)], x),
    "a power": ([Eq(product(i, 1, t, x), y)], x),
    "a family of two indices": (
        [for_all(i, for_all(j, Eq(F(i, j + 1), a(j + 1) * F(i, j)))), for_all(i, Eq(F(i, 0), b(i)))],
        F(t, n),
    ),
}


def statement(name: str) -> Sequent:
    """The hypotheses of that name; the conclusion is about one more term."""
    hypotheses, value = STATEMENTS[name]
    spoken_of = value if value != x else x + summation(i, 1, t, a(i))
    if "matrix" in name:
        spoken_of = (vector("l", n).T @ W(t) @ k(t)) * spoken_of
    return Sequent(frozenset(hypotheses), Eq(spoken_of, spoken_of))


@pytest.mark.parametrize("name", STATEMENTS)
@given(seed=st.integers(0, 2**32), degenerate=st.booleans())
@settings(max_examples=15, deadline=None)
def test_every_hypothesis_holds_at_a_derived_point(name: str, seed: int, degenerate: bool) -> None:
    sequent = statement(name)
    try:
        point = Sampler(sequent).draw(random.Random(seed), degenerate)
    except NoPoint:
        assert degenerate, "a point that is not degenerate is found for each of these"
        return
    assert all(holds(h, point) for h in sequent.hypotheses)
    if not degenerate:
        proved_or_without_a_value(sequent, point)


def proved_or_without_a_value(sequent: Sequent, point: Point) -> None:
    """The kernel takes the point: it has a value for every variable, of the right shape."""
    try:
        cases(sequent, [point])
    except NotProved as reason:
        if "denominator" not in str(reason):
            raise


def drawn(hypotheses: list[Formula], value: Term, count: int, degenerate: bool = False) -> list[Point]:
    sampler = Sampler(Sequent(frozenset(hypotheses), Eq(value, value)))
    return [sampler.draw(random.Random(seed), degenerate) for seed in range(count)]


def test_points_of_a_recurrence_are_not_all_zero() -> None:
    points = drawn([for_all(i, Eq(h(i + 1), a(i + 1) * h(i) + b(i + 1)))], h(t), 20)
    assert sum(any(value != 0 for value in p["h"].entries.values()) for p in points) >= 18


def test_a_family_has_members_of_its_own_as_far_as_the_statement_speaks_of_it() -> None:
    points = drawn([], a(2 * t + 1), 20)
    assert any(p["a"].last >= 2 * p["t"] + 1 > 3 for p in points)


def test_unit_vectors_are_not_only_those_of_the_axes() -> None:
    points = drawn([Eq(v.T @ v, term(1))], (v.T @ v), 40)
    assert any(all(entry != 0 for entry in p["v"].flat) and p["n"] > 1 for p in points)


def test_degenerate_points_have_sizes_0_and_1_zeros_and_equal_values() -> None:
    points = drawn([], v.T @ w + summation(i, 1, t, a(i)), 60, degenerate=True)
    assert {p["n"] for p in points} == {0, 1}
    assert any(p["n"] == 1 and p["v"][0, 0] == 0 != p["w"][0, 0] for p in points)
    assert any(p["n"] == 1 and p["v"][0, 0] == p["w"][0, 0] != 0 for p in points)
    assert any(p["t"] == 0 for p in points)


def test_the_same_randomness_gives_the_same_point() -> None:
    sequent = statement("a scalar recurrence")
    first, second = (Sampler(sequent).draw(random.Random(7)) for _ in range(2))
    assert repr(sorted(first.items())) == repr(sorted(second.items()))


def test_hypotheses_that_contradict_one_another_are_named() -> None:
    with pytest.raises(NoPoint) as missed:
        drawn([Le(term(1), x), Le(x, term(0))], x, 1)
    assert missed.value.hypothesis in (Le(term(1), x), Le(x, term(0)))
    with pytest.raises(NoPoint) as missed:
        drawn([index_le(n + 1, n)], x, 1)
    assert missed.value.hypothesis == index_le(n + 1, n)


def test_a_hypothesis_that_no_point_decides_is_named_at_once() -> None:
    powers = for_all(i, Eq(product(j, 1, i, x), a(i)))
    with pytest.raises(NoPoint, match="cannot be decided at a point"):
        drawn([powers], x, 1)


# ---------------------------------------------------------------------------------------------------- expressions
values = st.builds(fmpq, st.integers(-4, 4), st.integers(1, 3))


@given(values, values, values)
@settings(max_examples=60)
def test_expressions_compute_as_numbers_do(p: fmpq, q: fmpq, r: fmpq) -> None:
    def formula(s: Any, z: Any) -> Any:
        return (2 - s * z) * (z - r) + (s + r) / (z * z + 1) - r / (s * s + 2) + (-s) / 3

    found = formula(Expression.unknown(0), Expression.unknown(1))
    above, below = (assigned(part, {0: p, 1: q}).get((), fmpq(0)) for part in (found.above, found.below))
    assert above / below == formula(p, q)


def test_expressions_are_equal_when_they_are_so_for_all_values() -> None:
    z = Expression.unknown(0)
    assert (z + 1) * (z - 1) == z * z - 1
    assert z != z + 1
    assert expression(fmpq(0)) == 0
    assert at((z * z).above, fmpq(3)) == 9


# ------------------------------------------------------------------------------------------------------- the solver
def relation(kind: str, value: Expression) -> Constraint:
    return Constraint(kind, value.above, kind)


def test_linear_equations_are_solved_together() -> None:
    p, q = Expression.unknown(0), Expression.unknown(1)
    solver = Solver([relation("=", p + q - 3), relation("=", p - q - 1)], random.Random(1))
    assert solver.solve([0, 1], {}) == {0: 2, 1: 1}


def test_a_square_is_solved_where_its_root_is_rational() -> None:
    p = Expression.unknown(0)
    with pytest.raises(Unmet):
        Solver([relation("=", p * p - 2)], random.Random(1)).solve([0], {})
    signs = set()
    for seed in range(9):
        found = Solver([relation("=", p * p - fmpq(4, 9))], random.Random(seed))
        signs.add(found.solve([0], {})[0])
    assert signs == {fmpq(2, 3), fmpq(-2, 3)}


def test_equations_without_a_solution_are_told() -> None:
    p, q = Expression.unknown(0), Expression.unknown(1)
    with pytest.raises(Unmet):
        Solver([relation("=", p + q), relation("=", p + q - 1)], random.Random(1)).solve([0, 1], {})


def test_what_is_preferred_gives_way_to_an_inequality() -> None:
    p = Expression.unknown(0)
    assert Solver([], random.Random(1)).solve([0], {0: fmpq(0)}) == {0: 0}
    assert Solver([relation("<", -p)], random.Random(1)).solve([0], {0: fmpq(0)})[0] > 0
