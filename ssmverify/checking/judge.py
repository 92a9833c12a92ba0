"""The truth of a formula at a point, by plain arithmetic on fractions.

Written from what the terms mean, and apart from `proofs.kernel.evaluation`: what the two agree on is not the mistake of
one. A matrix is a list of rows with its shape, since one without rows has columns all the same.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from proofs.kernel import Table
from proofs.terms import (
    Add,
    And,
    Atom,
    Div,
    Eq,
    ForAll,
    Formula,
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
    Term,
    Transpose,
    UniqueMinimiser,
    Zero,
    walk,
)

Env = tuple[int, ...]  # the values of the bound indices, the innermost first


class Unjudged(Exception):
    """The truth of a formula at a point cannot be told; the message says why."""


class Matrix(NamedTuple):
    rows: int
    columns: int
    entries: list[list[Fraction]]


Value = Fraction | Matrix


class Judge:
    """Tells what is true at one point."""

    def __init__(self, point: Mapping[str, Any], seed: object = 0) -> None:
        self.point, self.random = point, random.Random(str(seed))
        self.members: dict[tuple[str, Env], Value] = {}
        self.rival: Callable[[Env], Value] | None = None  # the value of the symbol that a minimiser binds

    # ------------------------------------------------------------------------------------------------ formulas
    def true(self, formula: Formula, env: Env = ()) -> bool:
        """Whether the formula is true. What is said of every natural number is tried as far as `window` goes.

        Raises Unjudged, also where a denominator is zero.
        """
        match formula:
            case Eq(lhs, rhs):
                return all(x == y for x, y in self._pairs(lhs, rhs, env))
            case Le(lhs, rhs):
                return all(x <= y for x, y in self._pairs(lhs, rhs, env))
            case Lt(lhs, rhs):
                return all(x < y for x, y in self._pairs(lhs, rhs, env))
            case Nonzero(inner):
                return self.value(inner, env) != 0
            case IndexLe(lhs, rhs):
                return self.index(lhs, env) <= self.index(rhs, env)
            case And(parts):
                return all(self.true(part, env) for part in parts)
            case ForAll(body):
                return all(self.true(body, (k, *env)) for k in range(self.window(body) + 1))
            case UniqueMinimiser():
                return self._minimal(formula, env)
        raise Unjudged(f"no truth for a {type(formula).__name__}")

    def window(self, x: Any) -> int:
        """A number beyond which no family in x has members of its own."""
        atoms = [y for y in walk(x) if type(y) is Atom and y.indices]
        lasts = [self._last(a.symbol.name) for a in atoms]
        return 1 + max(lasts, default=1) + max((abs(i.constant) for a in atoms for i in a.indices), default=0)

    def _last(self, name: str) -> int:
        given = self.point.get(name)
        return max((max(place) for place in given.entries), default=0) if isinstance(given, Table) else 0

    def _pairs(self, lhs: Term, rhs: Term, env: Env) -> Iterator[tuple[Fraction, Fraction]]:
        x, y = self.value(lhs, env), self.value(rhs, env)
        if isinstance(x, Matrix) and isinstance(y, Matrix):
            for one, other in zip(x.entries, y.entries, strict=True):
                yield from zip(one, other, strict=True)
        else:
            yield _number(x), _number(y)

    # --------------------------------------------------------------------------------------------------- terms
    def index(self, i: Index, env: Env) -> int:
        total = i.constant
        for variable, factor in i.coefficients:
            total += factor * (env[variable] if isinstance(variable, int) else self.point[variable])
        return total

    def value(self, x: Term, env: Env = ()) -> Value:
        """The value of a term: a fraction where its shape is (1, 1), else a matrix."""
        match x:
            case Num(number):
                return number
            case Nat(i):
                return Fraction(self.index(i, env))
            case Atom(symbol, indices):
                return self._member(symbol, tuple(self.index(i, env) for i in indices))
            case Identity(n):
                unit = _unit(self.index(n, env))
                return unit.entries[0][0] if x.is_scalar else unit
            case Zero(n, m):
                return Fraction(0) if x.is_scalar else _nought(self.index(n, env), self.index(m, env))
            case Add(terms):
                return _total([self.value(part, env) for part in terms])
            case Mul(factors):
                return self._product(x, [self.value(f, env) for f in factors])
            case Div(above, below):
                divisor = _number(self.value(below, env))
                if divisor == 0:
                    raise Unjudged("a denominator is zero")
                return _times(1 / divisor, self.value(above, env))
            case Transpose(of):
                return _flipped(self.value(of, env))
            case Sum(body, lo, hi):
                members = [self.value(body, (k, *env)) for k in self._range(lo, hi, env)]
                return _total([self._start(x, env), *members])
            case Prod(body, lo, hi):
                members = [self.value(body, (k, *env)) for k in self._range(lo, hi, env)]
                if x.is_scalar:
                    return self._product(x, members)
                return self._product(x, [*reversed(members), _unit(self.index(x.shape[0], env))])
        raise Unjudged(f"no value for a {type(x).__name__}")

    def _range(self, lo: Index, hi: Index, env: Env) -> range:
        return range(self.index(lo, env), self.index(hi, env) + 1)

    def _start(self, x: Term, env: Env) -> Value:
        return Fraction(0) if x.is_scalar else _nought(*(self.index(side, env) for side in x.shape))

    def _product(self, whole: Term, values: list[Value]) -> Value:
        weight, result = Fraction(1), None
        for v in values:
            if isinstance(v, Fraction):
                weight *= v
            else:
                result = v if result is None else _composed(result, v)
        if result is None:
            return weight
        return weight * result.entries[0][0] if whole.is_scalar else _times(weight, result)

    def _member(self, symbol: Symbol, at: Env) -> Value:
        if symbol.name == "":
            if self.rival is None:
                raise Unjudged("a bound symbol has lost its binder")
            return self.rival(at)
        key = symbol.name, at
        if key not in self.members:
            given = self.point[symbol.name]
            self.members[key] = _fractions(given.entries.get(at, given.default) if isinstance(given, Table) else given)
        return self.members[key]

    # ------------------------------------------------------------------------------------------ the minimisers
    def _minimal(self, formula: UniqueMinimiser, env: Env) -> bool:
        """False where a competitor is no worse: one along each axis or along random lines, and the best of each line.

        For a quadratic objective, if the claimed minimiser is none, a line along which it is not the best is an axis.
        """
        spans = [self._range(lo, hi, env) for lo, hi in formula.ranges]
        claimed = {place: self._claimed(formula, place, env) for place in itertools.product(*spans)}
        shape = self.index(formula.symbol.rows, env), self.index(formula.symbol.columns, env)
        places = [(p, i, j) for p in claimed for i in range(shape[0]) for j in range(shape[1])]

        def objective(step: Mapping[tuple[Env, int, int], Fraction], length: Fraction) -> Fraction:
            def rival(at: Env) -> Value:
                if at not in claimed:  # outside the ranges all competitors agree; what they are there is free
                    return Fraction(0) if formula.symbol.is_scalar else _nought(*shape)
                base = claimed[at]
                if isinstance(base, Fraction):
                    return base + length * step.get((at, 0, 0), Fraction(0))
                moved = [
                    [e + length * step.get((at, i, j), Fraction(0)) for j, e in enumerate(row)]
                    for i, row in enumerate(base.entries)
                ]
                return Matrix(*shape, moved)

            self.rival = rival
            return _number(self.value(formula.objective, env))

        least = objective({}, Fraction(0))
        lines = [{place: Fraction(1)} for place in places]
        lines += [{place: Fraction(self.random.randint(-2, 2)) for place in places} for _ in range(4)]
        return not any(self._better(objective, line, least) for line in lines if any(line.values()))

    def _claimed(self, formula: UniqueMinimiser, place: Env, env: Env) -> Value:
        at: Any = formula.at
        for k in place:
            at, env = at.body, (k, *env)
        return self.value(at, env)

    @staticmethod
    def _better(objective: Callable[[Any, Fraction], Fraction], line: Any, least: Fraction) -> bool:
        ahead, behind = objective(line, Fraction(1)), objective(line, Fraction(-1))
        if min(ahead, behind) <= least:
            return True
        best = (behind - ahead) / (2 * (ahead + behind - 2 * least))  # of a parabola through the three
        return best != 0 and objective(line, best) <= least


def _number(x: Value) -> Fraction:
    if isinstance(x, Matrix):
        raise Unjudged("a matrix stands where a number should")
    return x


def _fractions(given: Any) -> Value:
    if hasattr(given, "shape"):
        rows, columns = given.shape
        return Matrix(rows, columns, [[_fraction(given[i, j]) for j in range(columns)] for i in range(rows)])
    return _fraction(given)


def _fraction(x: Any) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def _unit(n: int) -> Matrix:
    return Matrix(n, n, [[Fraction(i == j) for j in range(n)] for i in range(n)])


def _nought(rows: int, columns: int) -> Matrix:
    return Matrix(rows, columns, [[Fraction(0)] * columns for _ in range(rows)])


def _total(values: list[Value]) -> Value:
    first = values[0]
    if isinstance(first, Fraction):
        return sum(map(_number, values), Fraction(0))
    summed = [[sum(cell, Fraction(0)) for cell in zip(*row, strict=True)] for row in _parallel(values)]
    return Matrix(first.rows, first.columns, summed)


def _parallel(values: list[Any]) -> Iterator[tuple[list[Fraction], ...]]:
    return zip(*(v.entries for v in values), strict=True)


def _times(weight: Fraction, x: Value) -> Value:
    if isinstance(x, Fraction):
        return weight * x
    return x if weight == 1 else Matrix(x.rows, x.columns, [[weight * e for e in row] for row in x.entries])


def _composed(x: Matrix, y: Matrix) -> Matrix:
    if x.columns != y.rows:
        raise Unjudged(f"a product of shapes {x.rows, x.columns} and {y.rows, y.columns}")
    turned = [[row[j] for row in y.entries] for j in range(y.columns)]
    entries = [
        [sum((p * q for p, q in zip(row, column, strict=True)), Fraction(0)) for column in turned] for row in x.entries
    ]
    return Matrix(x.rows, y.columns, entries)


def _flipped(x: Value) -> Value:
    if isinstance(x, Fraction):
        return x
    return Matrix(x.columns, x.rows, [[row[j] for row in x.entries] for j in range(x.columns)])
