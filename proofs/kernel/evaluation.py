"""Exact values of terms, and the truth of formulas, at a point.

Part of the trusted base, which `proofs.kernel` lists.

A point gives every free variable a value, by name: an index variable a natural number; a scalar a rational; a matrix
(also one that happens to be 1 by 1 there) an object array of rationals; a family a `Table`, or one value for all its
members.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from flint import fmpq

from proofs.kernel.arithmetic import rational
from proofs.kernel.terms import (
    Add,
    And,
    Atom,
    Binder,
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
    children,
    free_indices,
    substitute,
    symbols,
    walk,
)

Point = Mapping[str, Any]


class Undecidable(Exception):
    """The truth of a formula at a point cannot be computed."""


@dataclass(frozen=True)
class Table:
    """A family with finitely many exceptions: `entries[indices]`, and `default` everywhere else."""

    entries: Mapping[tuple[int, ...], Any]
    default: Any

    def __getitem__(self, indices: tuple[int, ...]) -> Any:
        return self.entries.get(indices, self.default)

    @property
    def last(self) -> int:
        """The largest index with an entry of its own."""
        return max((max(i) for i in self.entries), default=0)


def position(i: Index, point: Point) -> int:
    """The value of an index."""
    return i.constant + sum(c * int(point[name]) for name, c in i.coefficients)


def evaluate(term: Term, point: Point, number: Callable[[fmpq], Any] = rational) -> Any:
    """The value of `term`; numbers of the term enter the arithmetic of the point's values by `number`.

    A scalar comes back as an element, a matrix as an object array. Raises ZeroDivisionError at a zero denominator.
    """

    def value(x: Term) -> Any:
        return evaluate(x, point, number)

    match term:
        case Num(q):
            return number(fmpq(q.numerator, q.denominator))
        case Nat(i):
            return number(fmpq(position(i, point)))
        case Atom(symbol, indices):
            given = point[symbol.name]
            return given[tuple(position(i, point) for i in indices)] if isinstance(given, Table) else given
        case Identity(n):
            return _diagonal(position(n, point), number)
        case Zero(n, m):
            return _zeros((position(n, point), position(m, point)), number)
        case Add(terms):
            return _fold(lambda x, y: x + y, map(value, terms))
        case Mul(factors):
            product = _fold(_multiply, map(value, factors))
            return product[0, 0] if term.is_scalar and isinstance(product, np.ndarray) else product
        case Div(numerator, denominator):
            below = value(denominator)
            if below == 0:
                raise ZeroDivisionError("a denominator is zero at the point")
            return value(numerator) / below
        case Transpose(of):
            inner = value(of)
            return inner.T if isinstance(inner, np.ndarray) else inner
        case Sum() | Prod():
            return _big(term, point, number)
    raise TypeError(f"no value for {type(term).__name__}")


def _big(term: Sum | Prod, point: Point, number: Callable[[fmpq], Any]) -> Any:
    members = [
        evaluate(term.body, {**point, term.bound: i}, number)
        for i in range(position(term.lo, point), position(term.hi, point) + 1)
    ]
    rows, columns = (position(i, point) for i in term.shape)
    if isinstance(term, Sum):
        zero = number(fmpq(0)) if term.is_scalar else _zeros((rows, columns), number)
        return _fold(lambda x, y: x + y, [zero, *members])
    one = number(fmpq(1)) if term.is_scalar else _diagonal(rows, number)
    return _fold(_multiply, [*reversed(members), one])


def _fold(operation: Callable[[Any, Any], Any], values: Any) -> Any:
    iterator = iter(values)
    result = next(iterator)
    for v in iterator:
        result = operation(result, v)
    return result


def _multiply(x: Any, y: Any) -> Any:
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
        return x @ y
    return y * x if isinstance(y, np.ndarray) else x * y  # the array first: numpy knows how to meet any number


def _zeros(shape: tuple[int, int], number: Callable[[fmpq], Any]) -> Any:
    if min(shape) < 0:
        raise Undecidable(f"a matrix of shape {shape}")
    return np.full(shape, number(fmpq(0)), dtype=object)


def _diagonal(n: int, number: Callable[[fmpq], Any]) -> Any:
    result = _zeros((n, n), number)
    result[range(n), range(n)] = number(fmpq(1))
    return result


def same(x: Any, y: Any) -> bool:
    """Exact equality of two values."""
    return bool(np.all(x == y))


def holds(formula: Formula, point: Point) -> bool:
    """The truth of `formula` at `point`.

    A UniqueMinimiser is decided in one direction only: False if the point carries, under the name of the bound
    symbol, a competitor that is no worse. Raises Undecidable otherwise, and ZeroDivisionError at a zero denominator.
    """
    match formula:
        case Eq(lhs, rhs):
            return same(evaluate(lhs, point), evaluate(rhs, point))
        case Le(lhs, rhs):
            return bool(np.all(evaluate(lhs, point) <= evaluate(rhs, point)))
        case Lt(lhs, rhs):
            return bool(np.all(evaluate(lhs, point) < evaluate(rhs, point)))
        case Nonzero(term):
            return bool(evaluate(term, point) != 0)
        case IndexLe(lhs, rhs):
            return position(lhs, point) <= position(rhs, point)
        case And(parts):
            return all(holds(part, point) for part in parts)
        case ForAll():
            last = _last_exception(formula.body, formula.bound, point)
            return all(holds(formula.body, {**point, formula.bound: t}) for t in range(last + 2))
        case UniqueMinimiser():
            return _unbeaten(formula, point)
    raise Undecidable(f"the truth of a {type(formula).__name__} cannot be computed")


def _last_exception(x: Any, bound: str, point: Point) -> int:
    """A number beyond which x no longer depends on the bound variable: every family is at its default."""
    if bound not in free_indices(x):
        return 0
    if isinstance(x, Atom) and bound not in free_indices(x.symbol):
        shift = max(_shift(i, bound) for i in x.indices if bound in free_indices(i))
        given = point[x.symbol.name]
        return given.last + shift if isinstance(given, Table) else 0
    if isinstance(x, Binder) and bound not in free_indices(tuple(children(x))[2:]):
        return _last_exception(x.body, bound, point)  # whatever the inner variable is, a family is at its default
    if isinstance(x, Index | Binder | UniqueMinimiser):
        raise Undecidable("a quantified formula uses its variable outside the index of a family")
    return max(_last_exception(part, bound, point) for part in children(x))


def _shift(i: Index, bound: str) -> int:
    """How far an index c * bound + offset, c >= 1, may stay below its variable."""
    if [name for name, c in i.coefficients] != [bound] or i.coefficients[0][1] < 1:
        raise Undecidable("a quantified formula mixes its variable with others in one index")
    return abs(i.constant)


def require_well_typed(x: object, point: Point) -> None:
    """Every variable of x has a value at the point, exact and of its shape; raises Undecidable else."""
    indices, known, bound = _variables(x)
    _require_distinct(indices, known)
    for name in indices:
        if not (isinstance(point.get(name), int) and point[name] >= 0):
            raise Undecidable(f"the index {name} needs a natural number, given {point.get(name)!r}")
    for symbol in known - {b for b in bound if b.name not in point}:
        if symbol.name not in point:
            raise Undecidable(f"{symbol.name} has no value")
        given = point[symbol.name]
        shape = position(symbol.rows, point), position(symbol.columns, point)
        if isinstance(given, Table) and not (symbol.arity and {len(i) for i in given.entries} <= {symbol.arity}):
            raise Undecidable(f"{symbol.name} takes {symbol.arity} indices, its table others")
        for value in [*given.entries.values(), given.default] if isinstance(given, Table) else [given]:
            entries = np.array(value, dtype=object)
            if entries.shape != (() if symbol.is_scalar else shape) or any(type(e) is not fmpq for e in entries.flat):
                raise Undecidable(f"{symbol.name} needs exact rationals of shape {shape}")


def require_distinct_names(x: object) -> None:
    """No two variables of x share a name, by which alone a point and a reader know them; raises Undecidable else."""
    indices, known, _ = _variables(x)
    _require_distinct(indices, known)


@lru_cache(maxsize=1024)
def _variables(x: Any) -> tuple[frozenset[str], frozenset[Symbol], frozenset[Symbol]]:
    """The free index variables of x, its symbols, and those that a minimiser statement binds."""
    bound = frozenset(node.symbol for node in walk(x) if isinstance(node, UniqueMinimiser))
    return frozenset(free_indices(x)), frozenset(symbols(x)), bound


def _require_distinct(indices: frozenset[str], known: frozenset[Symbol]) -> None:
    names = sorted([*indices, *(symbol.name for symbol in known)])
    if twice := [a for a, b in itertools.pairwise(names) if a == b]:
        raise Undecidable(f"{twice[0]} names more than one variable")


def inhabited(x: object, point: Point) -> bool:
    """Whether every symbol of x has an entry at the point: of a matrix without entries all is true, and void."""
    return all(position(side, point) > 0 for symbol in _variables(x)[1] for side in (symbol.rows, symbol.columns))


def frozen(point: Point) -> Point:
    """A copy of the point that cannot be changed."""
    return MappingProxyType({name: _frozen(value) for name, value in point.items()})


def _frozen(value: Any) -> Any:
    if isinstance(value, Table):
        return Table(MappingProxyType({i: _frozen(v) for i, v in value.entries.items()}), _frozen(value.default))
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.setflags(write=False)
    return value


def same_point(x: Point, y: Point, about: object) -> bool:
    """Whether two points agree on every variable of `about`."""
    names = free_indices(about) | {symbol.name for symbol in symbols(about)}
    return all(_same_value(x.get(name), y.get(name)) for name in names)


def _same_value(x: Any, y: Any) -> bool:
    if isinstance(x, Table) or isinstance(y, Table):
        tables = [v if isinstance(v, Table) else Table({}, v) for v in (x, y)]
        keys = {key for table in tables for key in table.entries}
        pairs = [(tables[0].default, tables[1].default), *((tables[0][key], tables[1][key]) for key in keys)]
        return all(_same_value(a, b) for a, b in pairs)
    return np.shape(x) == np.shape(y) and same(x, y)


def _unbeaten(formula: UniqueMinimiser, point: Point) -> bool:
    name = formula.symbol.name
    if name not in point:
        raise Undecidable(f"no competitor {name} is given")
    claimed = substitute(formula.objective, families={formula.symbol: formula.at})
    better = evaluate(formula.objective, point) <= evaluate(claimed, point)
    at = minimiser_table(formula, point)
    members = _members(formula, point)
    differs = any(not same(member(point[name], i), member(at, i)) for i in members)
    if better and differs:
        return False
    raise Undecidable("this competitor is worse, which proves nothing")


def _members(formula: UniqueMinimiser, point: Point) -> list[tuple[int, ...]]:
    spans = (range(position(lo, point), position(hi, point) + 1) for lo, hi in formula.ranges)
    return list(itertools.product(*spans))


def member(value: Any, indices: tuple[int, ...]) -> Any:
    """The member of a family's value."""
    return value[indices] if isinstance(value, Table) else value


def minimiser_table(formula: UniqueMinimiser, point: Point) -> Any:
    """The claimed minimiser's value within the ranges: a Table, zero outside them; or for arity 0 its one value."""
    if not formula.ranges:
        return _member_at(formula.at, (), point)
    at = {i: _member_at(formula.at, i, point) for i in _members(formula, point)}
    return Table(at, _nought(formula.symbol, point))


def _member_at(function: Any, indices: tuple[int, ...], point: Point) -> Any:
    for i in indices:
        function, point = function.body, {**point, function.bound: i}
    return evaluate(function, point)


def _nought(symbol: Symbol, point: Point) -> Any:
    shape = position(symbol.rows, point), position(symbol.columns, point)
    return fmpq(0) if symbol.is_scalar else _zeros(shape, rational)
