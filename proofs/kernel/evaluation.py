"""Exact values of terms, and the truth of formulas, at a point.

Part of the trusted base, which `proofs.kernel` lists.

A point gives every free variable a value, by name: an index variable a natural number; a scalar a rational; a matrix
(also one that happens to be 1 by 1 there) an object array of rationals; a family a `Table`, or one value for all its
members. `frozen` lets nothing else in, and copies what it lets in. Bound index variables have their values in `bound`,
the innermost first. The bound symbol of a `UniqueMinimiser` has its value under the empty name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from flint import fmpq

from proofs.kernel.arithmetic import rational
from proofs.kernel.terms import (
    BOUND,
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
Bound = tuple[int, ...]


class Undecidable(Exception):
    """The truth of a formula at a point cannot be computed."""


class Frozen(Mapping[Any, Any]):
    """A mapping that nobody changes; unlike MappingProxyType it can be sent to another process."""

    def __init__(self, values: Mapping[Any, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, key: Any) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)


@dataclass(frozen=True)
class Table:
    """A family with finitely many exceptions: `entries[indices]`, and `default` everywhere else."""

    entries: Mapping[tuple[int, ...], Any]
    default: Any

    def __post_init__(self) -> None:
        for key in self.entries:
            if type(key) is not tuple or any(type(i) is not int for i in key):
                raise TypeError(f"a table's entries stand at tuples of ints, given {key!r}")
        object.__setattr__(self, "entries", Frozen(self.entries))

    def __getitem__(self, indices: tuple[int, ...]) -> Any:
        return self.entries.get(indices, self.default)

    @property
    def last(self) -> int:
        """The largest index with an entry of its own, or -1."""
        return max((max(i, default=-1) for i in self.entries), default=-1)


def frozen(point: Point) -> Point:
    """A copy of the point that cannot be changed, its numbers as `fmpq`. Raises TypeError for what is no point."""
    if type(point) not in (dict, Frozen):
        raise TypeError(f"a point is a dict from names to values, given a {type(point).__name__}")
    copied = dict(point)
    if any(type(name) is not str for name in copied):
        raise TypeError("a point is a dict from names to values: a name is a str")
    return Frozen({name: value if type(value) is int else _frozen(value, name) for name, value in copied.items()})


def _frozen(value: Any, name: str) -> Any:
    if type(value) is Table:
        entries = {i: _frozen(v, name) for i, v in value.entries.items()}
        return Table(entries, _frozen(value.default, name))
    if type(value) is np.ndarray and value.dtype == object and value.ndim == 2:
        copied = np.empty(value.shape, dtype=object)
        for place, entry in np.ndenumerate(value):
            copied[place] = _frozen_number(entry, name)
        copied.setflags(write=False)
        return copied.view()  # which cannot be made writable again, as its owner can
    return _frozen_number(value, name)


def _frozen_number(value: Any, name: str) -> fmpq:
    if type(value) not in (fmpq, Fraction):
        wanted = "an int, a Fraction, an fmpq, a 2-dimensional object array of such, or a Table"
        raise TypeError(f"the value of {name} at a point is {wanted}, given a {type(value).__name__}")
    return rational(value)


def position(i: Index, point: Point, bound: Bound = ()) -> int:
    """The value of an index."""
    return i.constant + sum(c * (int(point[v]) if isinstance(v, str) else bound[v]) for v, c in i.coefficients)


def evaluate(term: Term, point: Point, number: Callable[[fmpq], Any] = rational, bound: Bound = ()) -> Any:
    """The value of `term`; numbers of the term enter the arithmetic of the point's values by `number`.

    A scalar comes back as an element, a matrix as an object array. Raises ZeroDivisionError at a zero denominator.
    """

    def value(x: Term) -> Any:
        return evaluate(x, point, number, bound)

    match term:
        case Num(q):
            return number(fmpq(q.numerator, q.denominator))
        case Nat(i):
            return number(fmpq(position(i, point, bound)))
        case Atom(symbol, indices):
            given = point[symbol.name]
            return given[tuple(position(i, point, bound) for i in indices)] if isinstance(given, Table) else given
        case Identity() | Zero() if term.is_scalar:
            return number(fmpq(type(term) is Identity))
        case Identity(n):
            return _diagonal(position(n, point, bound), number)
        case Zero(n, m):
            return _zeros((position(n, point, bound), position(m, point, bound)), number)
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
            return _big(term, point, number, bound)
    raise TypeError(f"no value for {type(term).__name__}")


def _big(term: Sum | Prod, point: Point, number: Callable[[fmpq], Any], bound: Bound) -> Any:
    members = [
        evaluate(term.body, point, number, (i, *bound))
        for i in range(position(term.lo, point, bound), position(term.hi, point, bound) + 1)
    ]
    rows, columns = (position(i, point, bound) for i in term.shape)
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


def holds(formula: Formula, point: Point, bound: Bound = ()) -> bool:
    """The truth of `formula` at `point`.

    A ForAll is decided by finitely many values: past the last exception of every table that its variable indexes, the
    body no longer depends on it, so 0, 1, ..., and one value beyond are all there is; at least one is tried. A
    UniqueMinimiser is decided in one direction only: False if the point carries, under its letter, a competitor that is
    no worse. Raises Undecidable otherwise, and ZeroDivisionError at a zero denominator.
    """

    def value(x: Term) -> Any:
        return evaluate(x, point, rational, bound)

    match formula:
        case Eq(lhs, rhs):
            return same(value(lhs), value(rhs))
        case Le(lhs, rhs):
            return bool(np.all(value(lhs) <= value(rhs)))
        case Lt(lhs, rhs):
            return bool(np.all(value(lhs) < value(rhs)))
        case Nonzero(term):
            return bool(value(term) != 0)
        case IndexLe(lhs, rhs):
            return position(lhs, point, bound) <= position(rhs, point, bound)
        case And(parts):
            return all(holds(part, point, bound) for part in parts)
        case ForAll(body):
            beyond = max(_last_exception(body, 0, point) + 1, 0)
            return all(holds(body, point, (t, *bound)) for t in range(beyond + 1))
        case UniqueMinimiser():
            return _unbeaten(formula, point, bound)
    raise Undecidable(f"the truth of a {type(formula).__name__} cannot be computed")


def _mentions(x: Any, at: int) -> bool:
    """Whether the bound variable at position `at` occurs in x."""
    if type(x) is Index:
        return at in x.variables
    if isinstance(x, Binder):
        return _mentions(x.body, at + 1) or any(_mentions(y, at) for y in list(children(x))[1:])
    return any(_mentions(y, at) for y in children(x))


def _last_exception(x: Any, at: int, point: Point) -> int:
    """A number beyond which x does not depend on its variable at position `at`: every family is at its default."""
    if not _mentions(x, at):
        return -1
    if type(x) is Atom:
        shift = max(_shift(i, at) for i in x.indices if at in i.variables)
        given = point[x.symbol.name]
        return given.last + shift if isinstance(given, Table) else -1
    if isinstance(x, Binder) and not any(_mentions(y, at) for y in list(children(x))[1:]):
        return _last_exception(x.body, at + 1, point)  # whatever the inner variable is, a family is at its default
    if isinstance(x, Index | Binder | UniqueMinimiser):
        raise Undecidable("a quantified formula uses its variable outside the index of a family")
    return max(_last_exception(part, at, point) for part in children(x))


def _shift(i: Index, at: int) -> int:
    """How far an index c * variable + offset, c >= 1, may stay below its variable."""
    if i.variables != {at} or i.coefficients[0][1] < 1:
        raise Undecidable("a quantified formula mixes its variable with others in one index")
    return abs(i.constant)


def require_well_typed(x: object, point: Point) -> None:
    """Every variable of x has a value at the point, exact and of its shape; raises Undecidable else."""
    indices, known, competitors = _variables(x)
    require_distinct_names(x)
    for name in indices:
        if not (type(point.get(name)) is int and point[name] >= 0):
            raise Undecidable(f"the index {name} needs a natural number, given {point.get(name)!r}")
    for name, symbol in [*((s.name, s) for s in known), *((letter, s) for letter, s in competitors if letter in point)]:
        if name not in point:
            raise Undecidable(f"{name} has no value")
        given = point[name]
        shape = position(symbol.rows, point), position(symbol.columns, point)
        if type(given) is Table and not (symbol.arity and {len(i) for i in given.entries} <= {symbol.arity}):
            raise Undecidable(f"{name} takes {symbol.arity} indices, its table others")
        for value in [*given.entries.values(), given.default] if type(given) is Table else [given]:
            if not _fits(value, symbol, shape):
                raise Undecidable(f"{name} needs exact rationals of shape {shape}")


def _fits(value: Any, symbol: Symbol, shape: tuple[int, int]) -> bool:
    if symbol.is_scalar:
        return type(value) is fmpq
    return type(value) is np.ndarray and value.shape == shape and all(type(e) is fmpq for e in value.flat)


def require_distinct_names(x: object) -> None:
    """No two variables of x share a name, by which alone a point and a reader know them; raises Undecidable else."""
    indices, known, competitors = _variables(x)
    names = sorted([*indices, *(symbol.name for symbol in known), *(letter for letter, _ in competitors)])
    if twice := [a for a, b in itertools.pairwise(names) if a == b]:
        raise Undecidable(f"{twice[0]} names more than one variable")


def _variables(x: Any) -> tuple[frozenset[str], frozenset[Symbol], frozenset[tuple[str, Symbol]]]:
    """The free index variables of x, its free symbols, and the letters of those that a minimiser statement binds.

    The letters are looked up each time: statements that differ in them alone are equal, so none may stand for another.
    """
    indices, known, has_minimiser = _free(x)
    if not has_minimiser:
        return indices, known, frozenset()
    minimisers = (node for node in walk(x) if type(node) is UniqueMinimiser)
    return indices, known, frozenset((node.letter, node.symbol) for node in minimisers)


@lru_cache(maxsize=1024)
def _free(x: Any) -> tuple[frozenset[str], frozenset[Symbol], bool]:
    has_minimiser = any(type(node) is UniqueMinimiser for node in walk(x))
    return frozenset(free_indices(x)), frozenset(symbols(x)), has_minimiser


def inhabited(x: object, point: Point) -> bool:
    """Whether every symbol of x has an entry at the point: of a matrix without entries all is true, and void."""
    _, known, competitors = _variables(x)
    sides = [side for symbol in (*known, *(s for _, s in competitors)) for side in (symbol.rows, symbol.columns)]
    return all(position(side, point) > 0 for side in sides)


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


def _unbeaten(formula: UniqueMinimiser, point: Point, bound: Bound) -> bool:
    if formula.letter not in point:
        raise Undecidable(f"no competitor {formula.letter} is given")
    competitor = point[formula.letter]
    claimed = evaluate(substitute(formula.objective, families={formula.symbol: formula.at}), point, rational, bound)
    better = evaluate(formula.objective, {**point, BOUND: competitor}, rational, bound) <= claimed
    at = minimiser_table(formula, point, bound)
    members = _members(formula, point, bound)
    differs = any(not same(member(competitor, i), member(at, i)) for i in members)
    if better and differs:
        return False
    raise Undecidable("this competitor is worse, which proves nothing")


def _members(formula: UniqueMinimiser, point: Point, bound: Bound) -> list[tuple[int, ...]]:
    spans = (range(position(lo, point, bound), position(hi, point, bound) + 1) for lo, hi in formula.ranges)
    return list(itertools.product(*spans))


def member(value: Any, indices: tuple[int, ...]) -> Any:
    """The member of a family's value."""
    return value[indices] if isinstance(value, Table) else value


def minimiser_table(formula: UniqueMinimiser, point: Point, bound: Bound = ()) -> Any:
    """The claimed minimiser's value within the ranges: a Table, zero outside them; or for arity 0 its one value."""
    if not formula.ranges:
        return _member_at(formula.at, (), point, bound)
    at = {i: _member_at(formula.at, i, point, bound) for i in _members(formula, point, bound)}
    return Table(at, _nought(formula.symbol, point))


def _member_at(function: Any, indices: tuple[int, ...], point: Point, bound: Bound) -> Any:
    for i in indices:
        function, bound = function.body, (i, *bound)
    return evaluate(function, point, rational, bound)


def _nought(symbol: Symbol, point: Point) -> Any:
    shape = position(symbol.rows, point), position(symbol.columns, point)
    return fmpq(0) if symbol.is_scalar else _zeros(shape, rational)
