"""Quotients of sparse polynomials over Q, in unknowns that are numbered: what a term is while values are missing.

They enter `proofs.kernel.evaluate` like any other number, mixed with `fmpq` where nothing is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flint import fmpq

Monomial = tuple[int, ...]  # the unknowns, in order, each as often as its power
Polynomial = dict[Monomial, fmpq]  # no coefficient is 0
ONE: Polynomial = {(): fmpq(1)}


def plus(p: Polynomial, q: Polynomial) -> Polynomial:
    """p + q."""
    if len(p) < len(q):
        p, q = q, p
    total = dict(p)
    for monomial, coefficient in q.items():
        _add(total, monomial, coefficient)
    return total


def _add(total: Polynomial, monomial: Monomial, coefficient: fmpq) -> None:
    value = total.get(monomial, 0) + coefficient
    if value == 0:
        total.pop(monomial, None)
    else:
        total[monomial] = value


def times(p: Polynomial, q: Polynomial) -> Polynomial:
    """p q."""
    if p is ONE:
        return q
    if q is ONE:
        return p
    total: Polynomial = {}
    for x, a in p.items():
        for y, b in q.items():
            _add(total, tuple(sorted(x + y)) if x and y else x or y, a * b)
    return total


def unknowns(p: Polynomial) -> set[int]:
    """Those that occur in p."""
    return {v for monomial in p for v in monomial}


def assigned(p: Polynomial, values: Mapping[int, fmpq]) -> Polynomial:
    """p with values for some of its unknowns."""
    total: Polynomial = {}
    for monomial, coefficient in p.items():
        left = tuple(v for v in monomial if v not in values)
        if len(left) < len(monomial):
            for v in monomial:
                if v in values:
                    coefficient = coefficient * values[v]
        if coefficient != 0:
            _add(total, left, coefficient)
    return total


def at(p: Polynomial, value: fmpq) -> fmpq:
    """The value of p, which has one unknown at most."""
    return sum((c * value ** len(monomial) for monomial, c in p.items()), fmpq(0))


class Expression:
    """above / below. Where `below` vanishes it has no value, so whoever assigns its unknowns must avoid that."""

    __slots__ = ("above", "below")

    def __init__(self, above: Polynomial, below: Polynomial = ONE) -> None:
        self.above, self.below = above, below

    @classmethod
    def unknown(cls, v: int) -> Expression:
        return cls({(v,): fmpq(1)})

    def __add__(self, other: Any) -> Expression:
        other = expression(other)
        if self.below == other.below:
            return Expression(plus(self.above, other.above), self.below)
        above = plus(times(self.above, other.below), times(other.above, self.below))
        return Expression(above, times(self.below, other.below))

    def __mul__(self, other: Any) -> Expression:
        other = expression(other)
        return Expression(times(self.above, other.above), times(self.below, other.below))

    def __truediv__(self, other: Any) -> Expression:
        other = expression(other)
        if len(other.above) == 1 and () in other.above:
            return self * Expression({(): 1 / other.above[()]}) * Expression(other.below)
        return Expression(times(self.above, other.below), times(self.below, other.above))

    __radd__, __rmul__ = __add__, __mul__  # the numbers commute

    def __neg__(self) -> Expression:
        return self.__mul__(fmpq(-1))

    def __sub__(self, other: Any) -> Expression:
        return self + -expression(other)

    def __rsub__(self, other: Any) -> Expression:
        return (-self).__add__(other)

    def __rtruediv__(self, other: Any) -> Expression:
        return expression(other).__truediv__(self)

    def __eq__(self, other: object) -> bool:
        """Whether the two are the same for all values."""
        return not (self - other).above

    __hash__ = None  # type: ignore[assignment]


def expression(x: Any) -> Expression:
    """A number as an expression."""
    if isinstance(x, Expression):
        return x
    return Expression({} if x == 0 else {(): fmpq(x)})
