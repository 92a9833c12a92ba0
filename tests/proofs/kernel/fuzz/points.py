"""Moves for `refute` and `cases`: random sequents at random points, which the judge sees as worlds."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from proofs.kernel import Cases, Refuted, Sequent, Table
from proofs.terms import (
    Eq,
    Formula,
    Index,
    Le,
    Lt,
    Symbol,
    Term,
    UniqueMinimiser,
    for_all,
    free_indices,
    index,
    symbols,
    term,
    vector,
    walk,
)
from tests.proofs.kernel.fuzz.judge import Number, Unjudged, true
from tests.proofs.kernel.fuzz.moves import Move, Script
from tests.proofs.kernel.fuzz.nodes import Draw, a, b, i, n, p, t, x

DECISIVE = (
    16  # beyond every exception of a drawn table and every shift of an index: a quantifier tried so far is decided
)


class AtPoint:
    """A point, as a world."""

    def __init__(self, point: Mapping[str, Any]) -> None:
        self.point = point

    def size(self, name: str) -> int:
        return int(self.point[name])

    def entry(self, symbol: Symbol, shape: tuple[int, int], at: tuple[int, ...], row: int, column: int) -> Number:
        given = self.point[symbol.name]
        if isinstance(given, Table):
            given = given.entries.get(at, given.default)
        given = given[row, column] if isinstance(given, np.ndarray) else given
        return Fraction(int(given.numerator), int(given.denominator))


def _value(draw: Draw, rows: int, columns: int, scalar: bool) -> Any:
    if scalar:
        return Fraction(draw.one(0, 1, 1, 2, -1, Fraction(1, 2)))
    array = np.empty((rows, columns), dtype=object)
    for place in itertools.product(range(rows), range(columns)):
        array[place] = Fraction(draw.one(0, 1, 1, -1))
    return array


def point(draw: Draw, sequent: Sequent) -> dict[str, Any]:
    """A value for every variable of the sequent; a family is a table with entries at negative indices too."""
    found: dict[str, Any] = {name: draw.one(0, 1, 1, 2, 2, 3) for name in sorted(free_indices(sequent))}
    letters = {(u.letter, u.symbol) for u in walk(sequent) if isinstance(u, UniqueMinimiser)}
    for name, symbol in sorted({(s.name, s) for s in symbols(sequent)} | letters, key=repr):
        sides = [
            side.constant + sum(c * found[str(v)] for v, c in side.coefficients)
            for side in (symbol.rows, symbol.columns)
        ]
        members = [_value(draw, *sides, symbol.is_scalar) for _ in range(draw.one(0, 1, 1, 2))]
        keys = [tuple(draw.randint(-5, 5) for _ in range(symbol.arity)) for _ in members]
        default = _value(draw, *sides, symbol.is_scalar)
        as_table = symbol.arity and draw.flip(0.8)
        found[name] = Table(dict(zip(keys, members, strict=True)), default) if as_table else default
    return found


def _quantified(draw: Draw) -> Formula:
    """What the exceptions of a table decide."""
    c, shift = draw.one(1, 1, 2, 3), draw.randint(-4, 4)
    inside: Term = draw.one(a(c * t + shift), a(c * t + shift) * b(t), p(t + shift, draw.one(index(0), n, index(-2))))
    if draw.flip(0.3):
        return for_all(t, for_all(i, draw.one(Eq, Le)(p(t, i + shift), draw.one(p(i, t), a(t), term(1)))))
    return for_all(t, draw.one(Eq, Le, Le, Lt)(inside, draw.one(term(0), term(1), x, inside * inside)))


def _formula(draw: Draw) -> Formula:
    if draw.flip(0.6):
        return _quantified(draw)
    if draw.flip(0.2):
        rows: Index = draw.one(index(1), n)
        k, unknown = vector("k", rows), Symbol("s", rows, index(1))
        at, value = draw.one(k, 2 * k), draw.one(1, -1, 2)
        error = unknown() - k
        return UniqueMinimiser(unknown, (), value * (error.T @ error), at)
    return draw.formula()


def _sequent(draw: Draw) -> Sequent:
    hypotheses = [_formula(draw) for _ in range(draw.one(0, 0, 1))]
    return Sequent(frozenset(hypotheses), _formula(draw))


def refute(s: Script) -> Any:
    sequent = _sequent(s.draw)
    return s.do("refute", sequent, point(s.draw, sequent))


def cases(s: Script) -> Any:
    sequent = _sequent(s.draw)
    return s.do("cases", sequent, [point(s.draw, sequent) for _ in range(s.draw.one(1, 1, 2))])


def judged_at_points(made: Refuted | Cases) -> bool | None:
    """Whether the hypotheses hold at the points and the conclusion does not, or does; None without a verdict."""
    points = [made.point] if isinstance(made, Refuted) else made.points
    try:
        for world in map(AtPoint, points):
            if not all(true(h, world, DECISIVE) for h in made.sequent.hypotheses):
                return False
            if isinstance(made.sequent.conclusion, UniqueMinimiser):
                return _beaten(made.sequent.conclusion, world)
            if true(made.sequent.conclusion, world, DECISIVE) == isinstance(made, Refuted):
                return False
    except Unjudged:
        return None
    return True


def _beaten(goal: UniqueMinimiser, world: AtPoint) -> bool | None:
    """Of a refuted minimiser: whether the judge too finds a competitor that is no worse; it tries its own."""
    return None if true(goal, world, DECISIVE) else True


MOVES: dict[str, list[Move]] = {"refute": [refute], "cases": [cases]}
