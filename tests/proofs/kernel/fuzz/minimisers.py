"""Moves for `minimiser`: least squares of random kinds, right and wrong."""

from __future__ import annotations

from typing import Any

from proofs import kernel
from proofs.kernel import Fact
from proofs.terms import (
    ONE,
    Add,
    Eq,
    Index,
    Sum,
    Symbol,
    Term,
    UniqueMinimiser,
    apply,
    family,
    index,
    sequence,
    substitute,
    summation,
    term,
    vector,
)
from tests.proofs.kernel.fuzz.moves import Move, Script
from tests.proofs.kernel.fuzz.nodes import GIVEN, Draw, a, b, i, j, n, p, t, x, y, z


def _without(draw: Draw, rows: Index, columns: Index) -> Term:
    """A term that mentions neither i nor j, the indices of the families to come."""
    return substitute(draw.term(rows, columns, 1), {"i": n, "j": t})


def of_a_vector(s: Script) -> Any:
    """|s - at|² + weight (k'(s - at))² over a vector or a scalar s: the gap is the second square, of the difference."""
    draw = s.draw
    rows = draw.one(n, n, ONE)
    unknown, delta, k = Symbol("s", rows, ONE), Symbol("d", rows, ONE), vector("k", rows)
    at = _without(draw, rows, ONE)
    weight = draw.one(y, a(t), term(2), x * x, draw.plain(1), -y, term(-1), term(-4))

    error = unknown() - at
    objective = error.T @ error + weight * (k.T @ error) * (k.T @ error)
    kd = k.T @ delta()
    gap = draw.one(weight * kd * kd, weight * kd * kd, weight * (kd * kd), term(0))
    claimed = at if draw.flip(0.9) else at + k
    goal = UniqueMinimiser(unknown, (), objective, claimed)
    before, after = (substitute(objective, families={unknown: v}) for v in (claimed, claimed + delta()))
    premise = s.do("identity", after, before + Add((delta().T @ delta(), gap)))
    return s.do("minimiser", goal, premise, delta, gap, GIVEN)


def of_a_family(s: Script) -> Any:
    """The sum over i of (s_i - q_i)² + weight (b_i (s_i - q_i))², q drawn, over random ranges."""
    draw = s.draw
    unknown, delta = sequence("s"), sequence("d")
    lo = draw.one(index(0), index(1), index(2), t)
    hi = draw.one(n, n + 1, lo, t + 1, index(3))
    q = draw.one(a(i), b(i) * x, a(i + 1) - z, draw.term(depth=1))
    weight = draw.one(y, a(i), term(3), -y)
    error = unknown(i) - q
    body = error * error + weight * (b(i) * error) * (b(i) * error)
    at = family((i,), q)
    moved = family((i,), q + delta(i))
    gap = weight * (b(i) * delta(i)) * (b(i) * delta(i))
    parts = [substitute(body, families={unknown: at}), delta(i) * delta(i), gap]
    fact = s.do("identity", substitute(body, families={unknown: moved}), Add(tuple(parts)))
    summed = s.do("rewrite", s.do("congruence", fact, Sum, i, lo, hi), s.do("additive", i, lo, hi, parts))
    ranges = ((draw.one(lo, lo, lo, lo, index(0)), draw.one(hi, hi, hi, hi, hi + 1)),)
    goal = UniqueMinimiser(unknown, ranges, summation(i, lo, hi, body), at)
    return s.do("minimiser", goal, summed, delta, summation(i, lo, hi, gap), GIVEN)


def of_a_family_of_two(s: Script) -> Any:
    """The sum over i and j of (s_ij - q_ij)², and of weight p_ij (s_ij - q_ij)²."""
    draw = s.draw
    unknown, delta = sequence("s", arity=2), sequence("d", arity=2)
    bounds = [(draw.one(index(0), index(1)), draw.one(n, t + 1, index(2))) for _ in range(2)]
    q = draw.one(p(j, i), a(i) * b(j), p(i, j) - x)
    weight = draw.one(p(i, j), y, -p(i, j))
    error = unknown(i, j) - q
    body = error * error + weight * (error * error)
    at, moved = family((i, j), q), family((i, j), q + delta(i, j))
    parts = [substitute(body, families={unknown: at}), delta(i, j) * delta(i, j), weight * (delta(i, j) * delta(i, j))]
    fact = s.do("identity", substitute(body, families={unknown: moved}), Add(tuple(parts)))
    objective, gap = body, parts[2]
    for v, (lo, hi) in ((j, bounds[1]), (i, bounds[0])):
        fact = s.do("rewrite", s.do("congruence", fact, Sum, v, lo, hi), s.do("additive", v, lo, hi, parts))
        parts = [summation(v, lo, hi, part) for part in parts]
        objective, gap = summation(v, lo, hi, objective), summation(v, lo, hi, gap)
    ranges = tuple(bounds if draw.flip(0.8) else bounds[::-1])
    return s.do("minimiser", UniqueMinimiser(unknown, ranges, objective, at), fact, delta, gap, GIVEN)


def from_an_assumption(s: Script) -> Any:
    """The premise assumed, so that delta is one value and not any; or proved, with a delta that the goal knows."""
    draw = s.draw
    unknown, delta = Symbol("s", ONE, ONE), draw.one(x.symbol, y.symbol, Symbol("d", ONE, ONE))
    at = draw.one(term(0), z, x, a(t), term(1))
    slope, offset = draw.one(x, z, term(1), a(t)), draw.one(at, at, term(0))
    objective = slope * (unknown() - offset) if draw.flip(0.7) else draw.term(depth=1) * (unknown() - offset)
    gap = draw.one(term(0), term(0), x * x)
    goal = UniqueMinimiser(unknown, (), objective, at)
    after, before = (substitute(objective, families={unknown: v}) for v in (at + delta(), at))
    premise = Eq(after, before + Add((delta().T @ delta(), gap)))
    proved = s.do("identity", *(premise.lhs, premise.rhs)) if draw.flip(0.5) else s.assumed(premise)
    return s.do("minimiser", goal, proved, delta, gap, GIVEN)


def of_less_than_the_norm(s: Script) -> Any:
    """The premise with part of the norm only, or with another relation."""
    draw = s.draw
    unknown, delta, at = sequence("s"), sequence("d"), family((i,), draw.one(a(i), term(0), x * b(i)))
    k = draw.one(index(1), index(0), index(2))
    objective = (unknown(k) - apply(at, (k,))) * (unknown(k) - apply(at, (k,)))
    moved = family((i,), apply(at, (i,)) + delta(i))
    after, before = (substitute(objective, families={unknown: v}) for v in (moved, at))
    gap = term(0)
    norm = draw.one(delta(k) * delta(k), summation(i, k, k, delta(i) * delta(i)))
    premise: Fact = kernel.identity(after, before + Add((delta(k) * delta(k), gap)))
    if isinstance(norm, Sum):
        single = kernel.single(norm)
        same = kernel.identity(after, before + Add((norm, gap)), [Eq(norm, delta(k) * delta(k))])
        premise = s.do("discharge", same, single)
    ranges = ((draw.one(k, index(0)), draw.one(k, k, n, k + 1)),)
    return s.do("minimiser", UniqueMinimiser(unknown, ranges, objective, at), premise, delta, gap)


MOVES: dict[str, list[Move]] = {
    "minimiser": [of_a_vector, of_a_family, of_a_family_of_two, from_an_assumption, of_less_than_the_norm]
}
