"""Combinations of the kernel's rules that proof scripts use again and again. Not trusted: they can only fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from proofs.kernel import (
    Fact,
    NotProved,
    additive,
    congruence,
    discharge,
    identity,
    minimiser,
    rewrite,
    single,
    split,
    words,
)
from proofs.terms import (
    Add,
    Eq,
    Formula,
    Index,
    Prod,
    Sum,
    Symbol,
    Term,
    UniqueMinimiser,
    apply,
    family,
    fresh,
    substitute,
)


def equal(lhs: Term, rhs: Term, *by: Fact) -> Fact:
    """lhs = rhs modulo proved equations, which are discharged: of scalars by ideal, of matrices by rewriting."""
    equations = [cast(Eq, fact.conclusion) for fact in by]
    scalars = lhs.is_scalar and all(equation.lhs.is_scalar for equation in equations)
    return discharge((identity if scalars else words)(lhs, rhs, equations), *by)


def unfold(value: Term) -> Fact:
    """Split off the last member of a sum or product: sum up to t + 1 = sum up to t, + member t + 1."""
    if not isinstance(value, Sum | Prod):
        raise NotProved("unfold: a sum or product is needed here")
    fact = split(value, value.hi - 1)
    return rewrite(fact, single(type(value)(value.body, value.hi, value.hi)))


def unique_minimiser(
    goal: UniqueMinimiser,
    gap: Callable[..., Term],
    nonzero: Callable[..., Sequence[Fact]],
    given: Sequence[Formula],
    equations: Callable[..., Sequence[Fact]] = lambda *_: (),
) -> Fact:
    """`minimiser` for a family whose objective is a sum, over the ranges of its indices, of one term for each member.

    `gap(delta, *indices)` is by how much, beyond delta^2, that term grows; `nonzero(*indices)` proves the
    denominators, `equations(*indices)` what else the growth needs.
    """
    symbol = goal.symbol
    delta = Symbol("δ", symbol.rows, symbol.columns, symbol.arity)
    at: tuple[Index, ...] = ()
    for _ in goal.ranges:
        at = (*at, fresh(goal, *given, *at))
    body = goal.objective
    for v in at:
        body = cast(Term, cast(Sum, body).at(v))
    change = delta(*at)
    moved = family(at, apply(goal.at, at) + change)
    after = substitute(body, families={symbol: moved})
    parts: list[Term] = [substitute(body, families={symbol: goal.at}), change.T @ change, gap(change, *at)]
    fact = equal(after, Add(tuple(parts)), *equations(*at))
    fact = discharge(fact, *(n for n in nonzero(*at) if n.conclusion in fact.hypotheses))
    for v, (lo, hi) in reversed(list(zip(at, goal.ranges, strict=True))):
        fact = congruence(fact, Sum, v, lo, hi)
        sums = additive(v, lo, hi, parts)
        fact = rewrite(fact, sums)
        parts = list(cast(Add, cast(Eq, sums.conclusion).rhs).terms)
    return minimiser(goal, fact, delta, parts[2], given)
