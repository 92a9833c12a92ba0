"""Moves for sums, products and induction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proofs import kernel
from proofs.terms import (
    ONE,
    Eq,
    Formula,
    Index,
    Le,
    Mul,
    Nat,
    Prod,
    Sum,
    Term,
    free_indices,
    index,
    index_le,
    product,
    summation,
    term,
)
from proofs.terms import family as family_of
from tests.proofs.kernel.fuzz.moves import Move, Script
from tests.proofs.kernel.fuzz.nodes import GIVEN, a, b, i, n, p, t, x, y, z


def _range(s: Script) -> tuple[Index, Index]:
    lo = s.draw.index()
    return lo, s.draw.one(lo - 1, lo - 2, lo, lo + 1, lo + 2, s.draw.index(), s.draw.index())


def _big(s: Script) -> Term:
    return s.draw.big(s.draw.one(summation, product), *_range(s))


def empty(s: Script) -> Any:
    lo = s.draw.index()
    kind = s.draw.one(summation, product)
    return s.do("empty", s.draw.big(kind, lo, s.draw.one(lo - 1, lo - 1, lo - 2, lo - 1 - t, lo, s.draw.index())))


def single(s: Script) -> Any:
    lo = s.draw.index()
    kind = s.draw.one(summation, product)
    return s.do("single", s.draw.big(kind, lo, s.draw.one(lo, lo, lo + 1, s.draw.index())))


def split(s: Script) -> Any:
    whole = _big(s)
    middle = s.draw.one(whole.lo, whole.hi, whole.hi - 1, s.draw.index(), s.draw.index())  # type: ignore[attr-defined]
    return s.do("split", whole, middle)


def additive(s: Script) -> Any:
    shape = s.draw.shape()
    parts = [s.draw.term(*shape, 1) for _ in range(s.draw.one(1, 2, 2, 3))]
    return s.do("additive", s.draw.variable(), *_range(s), parts)


def linear(s: Script) -> Any:
    draw = s.draw
    rows, through, columns = draw.one((ONE, ONE, ONE), (n, n, n), (n, n, ONE), (ONE, n, ONE))
    v = draw.variable()
    left = draw.term(rows, through, 1)
    right = draw.one(None, draw.term(columns, columns, 1))
    return s.do("linear", v, *_range(s), left, draw.term(through, columns, 1), right)


def congruence(s: Script) -> Any:
    draw = s.draw
    v, (lo, hi) = draw.variable(), _range(s)
    left = draw.one(a(v), b(v) * x, draw.term(depth=1))
    relation = draw.one(Eq, Le)
    fact = s.assumed(relation(left, draw.term(depth=1)))
    if draw.flip(0.5):
        fact = s.under(fact, draw.one(index_le(lo, v), index_le(v, hi), index_le(v, t), index_le(1, v)))
    return s.do("congruence", fact, draw.one(Sum, Sum, Prod), v, lo, hi)


def congruence_of_a_law(s: Script) -> Any:
    """From an equation without hypotheses, or an inequality that holds of natural numbers only."""
    draw = s.draw
    v, (lo, hi) = draw.variable(), _range(s)
    if draw.flip(0.3):
        certificate = draw.one(Nat(v), Nat(v) * y, a(v))
        fact = s.do("squares", x, x + certificate, certificate, GIVEN)
    elif draw.flip(0.5):
        hi = draw.one(hi, hi, index(2) - v)
        fact = s.do("split", draw.big(summation, index(0), hi), v)
    else:
        shape = draw.one((ONE, ONE), (n, n))
        left = draw.term(*shape)
        fact = s.do("words", left, draw.law(left), [])
    return s.do("congruence", fact, draw.one(Sum, Prod), v, lo, hi)


def induction(s: Script) -> Any:
    """a(t) = c, from a(0) = c and a recurrence that c is a fixed point of; or is not."""
    draw = s.draw
    c, rate = draw.one(x, y, term(2), x + z, Nat(n)), draw.one(b(t), z, term(3), Nat(t), Mul((b(t), y)))

    def following(v: Term) -> Term:
        return draw.one(c + rate * (v - c), v + rate * (v - c), v - (v - c) * rate)

    step = following(a(t))
    fixed = kernel.instantiate(s.assumed(Eq(z, step)), {}, {a: family_of((t,), c)}).conclusion.rhs  # type: ignore[attr-defined]
    statement = draw.one(Eq, Eq, Le)(a(t), c)
    moved = s.do("rewrite", s.assumed(Eq(a(t + 1), step)), s.assumed(Eq(a(t), c)))
    after = s.do("rewrite", moved, s.do("identity", fixed, c))
    base = s.assumed(type(statement)(a(0), c)) if draw.flip(0.9) else s.under(s.assumed(Eq(a(0), c)), draw.formula())
    return s.do("induction", statement, t, base, after)


def induction_on_sums(s: Script) -> Any:
    """sum over 0..t-1 of f(i + 1) - f(i) = f(t) - f(0)."""
    draw = s.draw
    f = draw.one(lambda k: a(k), lambda k: Nat(k) * a(k), lambda k: p(k, n) * b(k + 1), lambda k: a(k) * a(k) + x)
    body = f(i + 1) - f(i)

    def statement(time: Index, of: Callable[[Index], Term] = f) -> Eq:
        return Eq(summation(i, 0, time - 1, body), of(time) - f(index(0)))

    start, after = statement(index(0)).lhs, statement(t + 1).lhs
    base = s.do("rewrite", s.do("empty", start), s.do("identity", term(0), statement(index(0)).rhs))
    cut = s.do("split", after, t - 1)
    cut = s.do("rewrite", cut, s.do("single", cut.conclusion.rhs.terms[1]))
    cut = s.do("rewrite", cut, s.assumed(statement(t)))
    step = s.do("rewrite", cut, s.do("identity", cut.conclusion.rhs, statement(t + 1).rhs))
    return s.do("induction", statement(t) if draw.flip(0.9) else statement(t, lambda k: f(k + 1)), t, base, step)


def induction_assumed(s: Script) -> Any:
    statement = s.draw.formula()
    v = s.draw.one(t, t, i, n)
    if v.name not in free_indices(statement):
        statement = Eq(a(v), s.draw.term(depth=1))
    base, step = (_at(statement, v, value) for value in (index(0), v + 1))
    extra = s.draw.one([], [], [s.draw.formula()])
    return s.do("induction", statement, v, s.assumed(base), s.under(s.assumed(step), statement, *extra))


def _at(formula: Formula, v: Index, value: Index) -> Formula:
    return kernel.instantiate(kernel.assume(formula), {v.name: value}).conclusion


MOVES: dict[str, list[Move]] = {
    "empty": [empty],
    "single": [single],
    "split": [split],
    "additive": [additive],
    "linear": [linear],
    "congruence": [congruence, congruence_of_a_law],
    "induction": [induction, induction_on_sums, induction_assumed],
}
