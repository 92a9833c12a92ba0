"""The judge: the truth of formulas in a world that gives every variable a value.

Written apart from `proofs.kernel.evaluation`: plain loops over ints and Fractions, a matrix as its shape and its
entries, bound variables as a tuple of numbers, the innermost first. Division is
total: by zero it has a value of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from proofs.kernel.terms import BOUND, TERMS, Lambda
from proofs.terms import (
    Add,
    And,
    Atom,
    Div,
    Eq,
    ForAll,
    Identity,
    Index,
    IndexLe,
    Le,
    Lt,
    Mul,
    Nat,
    Nonzero,
    Num,
    Prod,
    Sum,
    Symbol,
    Transpose,
    UniqueMinimiser,
    Zero,
)

Number = int | Fraction
Bound = tuple[int, ...]


class Unjudged(Exception):
    """The judge has no verdict here: a size is negative, or nothing is minimised over."""


class World(Protocol):
    """Values for the free variables."""

    def size(self, name: str) -> int: ...

    def entry(self, symbol: Symbol, shape: tuple[int, int], at: tuple[int, ...], row: int, column: int) -> Number: ...


@dataclass(frozen=True)
class Matrix:
    rows: int
    columns: int
    entries: dict[tuple[int, int], Number]


def filled(rows: int, columns: int, entry: Callable[[int, int], Number]) -> Matrix:
    if rows < 0 or columns < 0:
        raise Unjudged("a size is negative")
    places = itertools.product(range(rows), range(columns))
    return Matrix(rows, columns, {(r, c): entry(r, c) for r, c in places})


def number(q: Number) -> Matrix:
    return Matrix(1, 1, {(0, 0): q})


def unit(k: int) -> Matrix:
    return filled(k, k, lambda r, c: int(r == c))


def plus(u: Matrix, v: Matrix) -> Matrix:
    assert (u.rows, u.columns) == (v.rows, v.columns)
    return Matrix(u.rows, u.columns, {at: q + v.entries[at] for at, q in u.entries.items()})


def scaled(u: Matrix, q: Number) -> Matrix:
    return Matrix(u.rows, u.columns, {at: p * q for at, p in u.entries.items()})


def times(u: Matrix, v: Matrix) -> Matrix:
    assert u.columns == v.rows
    inner = range(u.columns)
    return filled(u.rows, v.columns, lambda r, c: sum(u.entries[r, k] * v.entries[k, c] for k in inner))


def position(i: Index, world: World, bound: Bound = ()) -> int:
    total = i.constant
    for variable, c in i.coefficients:
        total += c * (bound[variable] if isinstance(variable, int) else world.size(variable))
    return total


def value(x: Any, world: World, bound: Bound = ()) -> Matrix:
    """The value of a term; a scalar is 1 by 1."""
    match x:
        case Num(q):
            return number(q)
        case Nat(i):
            return number(position(i, world, bound))
        case Atom(symbol, indices):
            at = tuple(position(i, world, bound) for i in indices)
            shape = position(symbol.rows, world), position(symbol.columns, world)
            return filled(*shape, lambda r, c: world.entry(symbol, shape, at, r, c))
        case Identity(k):
            return unit(position(k, world, bound))
        case Zero(rows, columns):
            return filled(position(rows, world, bound), position(columns, world, bound), lambda *_: 0)
        case Add(terms):
            total = value(terms[0], world, bound)
            for part in terms[1:]:
                total = plus(total, value(part, world, bound))
            return total
        case Mul(factors):
            return _product(x, [value(f, world, bound) for f in factors], [f.is_scalar for f in factors])
        case Div(above, below):
            q = value(below, world, bound).entries[0, 0]
            over = value(above, world, bound)
            return scaled(over, 1 / Fraction(q)) if q else _over_zero(over)
        case Transpose(inner):
            m = value(inner, world, bound)
            return Matrix(m.columns, m.rows, {(c, r): q for (r, c), q in m.entries.items()})
        case Sum() | Prod():
            return _big(x, world, bound)
    raise AssertionError(x)


def _over_zero(m: Matrix) -> Matrix:
    """A quotient by zero has some value, of which nothing is known; here one that no law of quotients holds for."""
    return Matrix(m.rows, m.columns, {at: 3 * q + 5 for at, q in m.entries.items()})


def _product(x: Mul, values: list[Matrix], scalars: list[bool]) -> Matrix:
    factor: Number = 1
    result = None
    for v, is_scalar in zip(values, scalars, strict=True):
        if is_scalar:
            factor = factor * v.entries[0, 0]
        else:
            result = v if result is None else times(result, v)
    return scaled(number(1) if result is None else result, factor)


def _big(x: Sum | Prod, world: World, bound: Bound) -> Matrix:
    lo, hi = position(x.lo, world, bound), position(x.hi, world, bound)
    rows, columns = (position(side, world, bound) for side in x.shape)
    if isinstance(x, Sum):
        total = filled(rows, columns, lambda *_: 0)
        for k in range(lo, hi + 1):
            total = plus(total, value(x.body, world, (k, *bound)))
        return total
    result = unit(rows)
    for k in range(lo, hi + 1):
        result = times(value(x.body, world, (k, *bound)), result)
    return result


def true(formula: Any, world: World, reach: int, bound: Bound = ()) -> bool:
    """The truth of a formula, a quantified one tried at 0..reach."""
    match formula:
        case Eq(lhs, rhs):
            u, v = value(lhs, world, bound), value(rhs, world, bound)
            assert (u.rows, u.columns) == (v.rows, v.columns)
            return u.entries == v.entries
        case Le(lhs, rhs) | Lt(lhs, rhs):
            u, v = value(lhs, world, bound), value(rhs, world, bound)
            strictly = isinstance(formula, Lt)
            return all(q < v.entries[at] or (q == v.entries[at] and not strictly) for at, q in u.entries.items())
        case Nonzero(inner):
            return value(inner, world, bound).entries[0, 0] != 0
        case IndexLe(lhs, rhs):
            return position(lhs, world, bound) <= position(rhs, world, bound)
        case And(parts):
            return all(true(part, world, reach, bound) for part in parts)
        case ForAll():
            return all(true(formula.body, world, reach, (k, *bound)) for k in range(reach + 1))
        case UniqueMinimiser():
            return _unbeaten(formula, world, bound)
    raise AssertionError(formula)


class Moved:
    """A world in which the symbol that a minimiser statement binds has the claimed value plus a step."""

    def __init__(self, formula: UniqueMinimiser, world: World, bound: Bound, step: dict[Any, Number]) -> None:
        self.formula, self.world, self.bound, self.step = formula, world, bound, step

    def size(self, name: str) -> int:
        return self.world.size(name)

    def entry(self, symbol: Symbol, shape: tuple[int, int], at: tuple[int, ...], row: int, column: int) -> Number:
        if symbol.name != BOUND:
            return self.world.entry(symbol, shape, at, row, column)
        family: Any = self.formula.at
        bound = self.bound
        for k in at:
            assert type(family) is Lambda
            family, bound = family.body, (k, *bound)
        assert type(family) in TERMS
        return value(family, self.world, bound).entries[row, column] + self.step.get((at, row, column), 0)


STEPS = (1, -1, Fraction(1, 2), -2)


def _unbeaten(formula: UniqueMinimiser, world: World, bound: Bound) -> bool:
    """Whether the claimed minimiser is better than competitors that differ in one entry, or in all of them."""
    spans = [range(position(lo, world, bound), position(hi, world, bound) + 1) for lo, hi in formula.ranges]
    sides = (range(position(s, world, bound)) for s in (formula.symbol.rows, formula.symbol.columns))
    places = list(itertools.product(itertools.product(*spans), *sides))
    if not places:
        raise Unjudged("nothing is minimised over")

    def at(step: dict[Any, Number]) -> Number:
        return value(formula.objective, Moved(formula, world, bound, step), bound).entries[0, 0]

    least = at({})
    chosen = places if len(places) <= 4 else [places[0], places[-1]]
    steps = [{place: q} for place in chosen for q in STEPS] + [dict.fromkeys(places, q) for q in STEPS[:2]]
    return all(least < at(step) for step in steps)
