"""Points for a statement, from nothing but its variables and its hypotheses.

Sizes and other indices come first, then inputs: variables that no equation gives. What the equations give, be it by a
definition, a recurrence or a linear equation, is solved for. Which variable an equation gives is a guess, another one
at each attempt. Every family is constant from some index on, so that its quantified hypotheses can be decided.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, cast

import numpy as np
from flint import fmpq

from proofs.kernel import Point, Sequent, Table, Undecidable, evaluate, holds, position
from proofs.points.expressions import ONE, Expression, expression, unknowns
from proofs.points.solving import Constraint, Solver, Unmet, implied, last_bounded_from_one_side
from proofs.points.values import any_matrix, filled, orthogonal, zeros
from proofs.terms import (
    And,
    Atom,
    Eq,
    ForAll,
    Formula,
    Identity,
    Index,
    IndexLe,
    Le,
    Lt,
    Mul,
    Node,
    Nonzero,
    Symbol,
    Transpose,
    UniqueMinimiser,
    free_indices,
    symbols,
    term,
    walk,
)

ATTEMPTS = 60
FARTHEST = 8  # the members that a family may have of its own
Place = tuple[int, ...] | None  # of a member of a family; None is the default


class NoPoint(Exception):
    """No point was found; `hypothesis` is the one that was missed most often, or that no point decides."""

    def __init__(self, hypothesis: Any, what: str = "no point found for") -> None:
        super().__init__(f"{what}: {hypothesis}")
        self.hypothesis, self.what = hypothesis, what


@dataclass
class Attempt:
    """One attempt at a point: what it has drawn so far."""

    random: random.Random
    number: int
    degenerate: bool
    point: dict[str, Any] = field(default_factory=dict)
    reaches: dict[str, int] = field(default_factory=dict)  # how many members of an input family are its own

    @property
    def special(self) -> int:
        """How many of 8 matrices are of a special kind."""
        return (1, 0, 2, 6)[self.number % 4] if self.number < ATTEMPTS // 2 else 6

    @property
    def zeros(self) -> bool:
        """Whether many values are to be zero."""
        return self.degenerate or self.number % 6 == 5

    @property
    def positive(self) -> bool:
        """Whether numbers are positive where they may be."""
        return self.number % 3 == 1

    def often(self, times: int) -> bool:
        """True `times` times, for each time that it is False."""
        return self.random.randint(0, times) != times

    def shape(self, symbol: Symbol) -> tuple[int, int]:
        return position(symbol.rows, self.point), position(symbol.columns, self.point)

    def places(self, symbol: Symbol, given: bool) -> list[Place]:
        """Where the family has members of its own, and its default; one that is solved for has more."""
        if not symbol.arity:
            return [None]
        span = range(self.reaches[symbol.name] if given else self.reach + 2)
        return [*product(span, repeat=symbol.arity), None]

    @property
    def reach(self) -> int:
        return max(self.reaches.values(), default=0)


def assembled(symbol: Symbol, members: Mapping[Place, Any]) -> Any:
    """The value of a variable or a family, from its members; a scalar's are 1 by 1."""
    values = {place: m[0, 0] if symbol.is_scalar else m for place, m in members.items()}
    default = values.pop(None)
    return Table(values, default) if symbol.arity else default  # type: ignore[arg-type]


@dataclass(frozen=True)
class Hypothesis:
    """A hypothesis, and what is read off it."""

    formula: Formula
    name: str  # by which hypotheses are put in order
    parts: tuple[Formula, ...]  # without quantifiers and conjunctions; bound variables stay positions
    symbols: frozenset[Symbol]

    @property
    def equations(self) -> list[Eq]:
        return [part for part in self.parts if isinstance(part, Eq)]


@lru_cache(maxsize=4096)
def _read(h: Formula) -> Hypothesis:
    return Hypothesis(h, repr(h), tuple(_opened(h)), frozenset(symbols(h)))


@dataclass(frozen=True)
class Sampler:
    """Draws points at which the hypotheses of the sequent hold and its conclusion can be read."""

    sequent: Sequent

    @cached_property
    def hypotheses(self) -> list[Hypothesis]:
        return sorted(map(_read, self.sequent.hypotheses), key=lambda h: h.name)

    @cached_property
    def known(self) -> list[Symbol]:
        return sorted(symbols(self.sequent), key=lambda s: s.name)

    @cached_property
    def names(self) -> list[str]:
        """The index variables."""
        return sorted(free_indices(self.sequent))

    @cached_property
    def orthonormal(self) -> dict[Symbol, tuple[bool, Formula]]:
        """The matrices of which a hypothesis says that their rows (True) or columns are orthonormal."""
        found = {}
        for h in self.hypotheses:
            for part in h.equations:
                if symbol := _orthonormal(part):
                    found[symbol] = (isinstance(cast(Mul, part.lhs).factors[0], Atom), h.formula)
        return dict(sorted(found.items(), key=lambda pair: pair[0].name))

    @cached_property
    def equations(self) -> list[tuple[Eq, frozenset[Symbol], list[Symbol]]]:
        """Each equation that may give a variable, with its variables, and those alone on a side."""
        found = []
        for h in self.hypotheses:
            for part in h.equations:
                if not _orthonormal(part):
                    inside = frozenset(symbols(part)) - set(self.orthonormal)
                    bare = [s for side in (part.lhs, part.rhs) if (s := _bare(side)) and s in inside]
                    found.append((part, inside, bare))
        return found

    @cached_property
    def bounded(self) -> set[Symbol]:
        """What the hypotheses that hold no equation are about."""
        return {s for h in self.hypotheses if not h.equations for s in h.symbols}

    def draw(self, chosen: random.Random, degenerate: bool = False) -> Point:
        """A point, or NoPoint after many attempts. A degenerate one: sizes 0 and 1, zeros, equal values."""
        missed: Counter[Any] = Counter()
        for number in range(ATTEMPTS):
            attempt = Attempt(chosen, number, degenerate)
            try:
                self._indices(attempt)
                self._reaches(attempt)
                outputs = self._outputs(attempt)
                self._inputs(attempt, outputs)
                self._solve(attempt, outputs, [h for h in self.hypotheses if h.symbols & set(outputs)])
                _check(attempt.point, self.hypotheses)
                return attempt.point
            except Unmet as reason:
                missed[reason.source] += 1
        raise NoPoint(missed.most_common(1)[0][0])

    # ------------------------------------------------------------------------------------------------- indices
    @cached_property
    def sizes(self) -> set[str]:
        """The index variables that shapes depend on, or the ranges of a minimiser."""
        shapes = {s for s in walk(self.sequent) if type(s) is Symbol}
        ranges = [x.ranges for x in walk(self.sequent) if type(x) is UniqueMinimiser]
        return free_indices((tuple((s.rows, s.columns) for s in shapes), tuple(ranges)))

    def _index(self, attempt: Attempt, name: str) -> int:
        """A value for an index variable: small, but in later attempts from a wider range."""
        wider, chosen = attempt.number // 8, attempt.random
        if name in self.sizes:
            return (
                chosen.randint(0, 1)
                if attempt.degenerate
                else chosen.choice((1, 2, 2)) + chosen.randint(0, min(wider, 2))
            )
        if attempt.degenerate or not attempt.often(2 if attempt.number else 9):
            return chosen.randint(0, 1)
        return chosen.randint(1, 3 + 2 * wider + 4 * (not attempt.often(8)))

    def _indices(self, attempt: Attempt) -> None:
        of_indices = [h for h in self.hypotheses if not h.symbols]
        reason: Any = None
        for _ in range(40):
            for name in self.names:
                attempt.point[name] = self._index(attempt, name)
            try:
                if any(min(attempt.shape(s)) < 0 for s in self.known):
                    raise Unmet(reason or "a matrix of negative size")
                return _check(attempt.point, of_indices)
            except Unmet as unmet:
                reason = unmet.source
        raise Unmet(reason)

    @cached_property
    def uses(self) -> dict[str, set[Index]]:
        """The indices at which each family is used."""
        found: dict[str, set[Index]] = {}
        for x in walk(self.sequent):
            if type(x) is Atom and x.indices:
                found.setdefault(x.symbol.name, set()).update(x.indices)
        return dict(sorted(found.items()))

    def _reaches(self, attempt: Attempt) -> None:
        """How many members of each family are its own: about as many as the statement speaks of."""
        largest = max((value for value in attempt.point.values()), default=1)
        for symbol in self.known:
            if symbol.arity:
                farthest = max(i.constant + sum(c * largest for _, c in i.coefficients) for i in self.uses[symbol.name])
                limit = min(max(farthest + 1, 1), FARTHEST if symbol.arity == 1 else FARTHEST // 2)
                attempt.reaches[symbol.name] = limit if attempt.number % 2 == 0 else attempt.random.randint(1, limit)

    # -------------------------------------------------------------------------------------- what is solved for
    def _outputs(self, attempt: Attempt) -> list[Symbol]:
        """For each equation a variable that it gives: one that stands alone on a side, else any that is not taken."""
        found: set[Symbol] = set()
        chosen, first = attempt.random, attempt.number == 0
        for _, _, bare in self.equations:
            if bare and (first or attempt.often(9)):
                found.add(bare[0] if first else chosen.choice(bare))
        for _, inside, bare in self.equations:
            if not bare and (first or not inside & found or attempt.often(2)):
                free = inside - found - self.bounded if attempt.often(5) else inside - found
                found.update(self._some(attempt, free or inside - found))
        if attempt.number > 3 and attempt.often(1):
            anywhere = {s for _, inside, _ in self.equations for s in inside}
            found.update(self._some(attempt, anywhere - found))
        return sorted(found, key=lambda s: (-self.occurrences[s], self.definitions[s], s.name))

    @cached_property
    def definitions(self) -> Counter[Symbol]:
        """In how many equations a variable stands alone: where two are multiplied, it is better solved for."""
        return Counter(s for _, _, bare in self.equations for s in bare)

    @cached_property
    def occurrences(self) -> Counter[Symbol]:
        """In how many equations a variable occurs."""
        return Counter(s for _, inside, _ in self.equations for s in inside)

    def _some(self, attempt: Attempt, among: Iterable[Symbol]) -> list[Symbol]:
        """One of them, if there is any; at first one that few equations speak of."""
        ordered = sorted(among, key=lambda s: s.name)
        if attempt.number == 0 and ordered:
            return [min(ordered, key=lambda s: self.occurrences[s])]
        return [attempt.random.choice(ordered)] if ordered else []

    # --------------------------------------------------------------------------------------------------- inputs
    def _inputs(self, attempt: Attempt, outputs: Iterable[Symbol]) -> None:
        inputs = [s for s in self.known if s not in set(outputs)]
        self._orthonormal_ones(attempt)
        about = [h for h in self.hypotheses if h.symbols and h.symbols <= set(inputs) and not h.equations]
        bounded = {s for h in about for s in h.symbols}
        for symbol in inputs:
            if symbol not in bounded and symbol.name not in attempt.point:
                attempt.point[symbol.name] = self._input(attempt, symbol)
        self._solve(attempt, [s for s in inputs if s in bounded and s.name not in attempt.point], about, given=True)

    def _input(self, attempt: Attempt, symbol: Symbol) -> Any:
        alike = [
            attempt.point[s.name]
            for s in self.known
            if s.name in attempt.point and (s.rows, s.columns, s.arity) == (symbol.rows, symbol.columns, symbol.arity)
        ]
        if alike and not attempt.often(1 if attempt.zeros else 20):
            return attempt.random.choice(alike)
        rows, columns = attempt.shape(symbol)
        settled = attempt.often(3 if attempt.number < 4 else 1)

        def member(place: Place) -> Any:
            if (place is None and symbol.arity and settled) or (attempt.zeros and not attempt.often(1)):
                return zeros(rows, columns)
            return any_matrix(attempt.random, rows, columns, attempt.special, attempt.positive)

        return assembled(symbol, {place: member(place) for place in attempt.places(symbol, given=True)})

    def _orthonormal_ones(self, attempt: Attempt) -> None:
        """Rows of one orthogonal matrix for all that live in one space, as far as they go."""
        by_space: dict[Index, list[Any]] = {}
        for symbol, (by_rows, source) in self.orthonormal.items():
            shape = attempt.shape(symbol)
            (count, n), space = (shape, symbol.columns) if by_rows else (shape[::-1], symbol.rows)
            if count > n:
                raise Unmet(source)
            left = by_space.setdefault(space, [])
            if len(left) < count:
                left[:] = list(orthogonal(attempt.random, n))
            taken = filled(count, n, lambda i, j, rows=left[:count]: rows[i][j])  # type: ignore[misc]
            del left[:count]
            attempt.point[symbol.name] = taken if by_rows else taken.T

    # -------------------------------------------------------------------------------------------------- solving
    def _solve(self, attempt: Attempt, unknown: list[Symbol], about: list[Hypothesis], given: bool = False) -> None:
        """Find the unknown variables from the hypotheses about them, and put them into the attempt's point."""
        if not unknown:
            return
        cells = Cells(attempt, unknown, given)
        point = attempt.point | {s.name: assembled(s, members) for s, members in cells.members.items()}
        window = attempt.reach + 4
        constraints = [c for h in about for c in _constraints(h.formula, h.formula, point, window)]
        constraints += implied(constraints)
        order = last_bounded_from_one_side(constraints, range(cells.count))
        values = Solver(constraints, attempt.random, attempt.positive).solve(order, cells.preferred)
        for symbol, members in cells.members.items():
            attempt.point[symbol.name] = assembled(symbol, {p: cells.found(m, values) for p, m in members.items()})


class Cells:
    """An unknown for each entry of each member of each variable that is sought."""

    def __init__(self, attempt: Attempt, sought: Iterable[Symbol], given: bool) -> None:
        self.count = 0
        self.members: dict[Symbol, dict[Place, Any]] = {}
        self.preferred: dict[int, fmpq] = {}
        settled = attempt.often(3 if attempt.number < 4 else 1)
        for symbol in sought:
            shape = attempt.shape(symbol)
            self.members[symbol] = {}
            for place in attempt.places(symbol, given):
                start = self.count
                self.members[symbol][place] = filled(*shape, self._next)
                default = place is None and symbol.arity > 0 and settled
                if default or (attempt.zeros and not attempt.often(1)):
                    self.preferred.update((v, fmpq(0)) for v in range(start, self.count))

    def _next(self, _: int, __: int) -> Expression:
        self.count += 1
        return Expression.unknown(self.count - 1)

    @staticmethod
    def found(member: Any, values: Mapping[int, fmpq]) -> Any:
        """A member with the values of its unknowns."""
        rows, columns = member.shape
        return filled(rows, columns, lambda i, j: values[min(unknowns(member[i, j].above))])


def _check(point: Point, hypotheses: Iterable[Hypothesis]) -> None:
    """Raises Unmet, or NoPoint for a hypothesis that cannot be decided at any point."""
    for h in hypotheses:
        try:
            met = holds(h.formula, point)
        except Undecidable as reason:
            raise NoPoint(h.formula, "cannot be decided at a point") from reason
        except ZeroDivisionError as reason:
            raise Unmet(h.formula) from reason
        if not met:
            raise Unmet(h.formula)


def _opened(h: Formula) -> Iterator[Formula]:
    """What a hypothesis says under its quantifiers, part by part; the bound variables stay positions."""
    if isinstance(h, And):
        for part in h.parts:
            yield from _opened(part)
    elif isinstance(h, ForAll):
        yield from _opened(h.body)
    else:
        yield h


def _bare(side: Node) -> Symbol | None:
    match side:
        case Atom(symbol, _) | Transpose(Atom(symbol, _)):
            return symbol
    return None


def _orthonormal(part: Formula) -> Symbol | None:
    """X, where the formula is X X' = I or X'X = I, also for one row or column."""
    match part:
        case Eq(Mul((Atom(x, ()), Transpose(Atom(y, ())))) | Mul((Transpose(Atom(x, ())), Atom(y, ()))), unit):
            if x == y and (isinstance(unit, Identity) or unit == term(1)):
                return x
    return None


def _constraints(
    h: Formula, source: Formula, point: Point, window: int, bound: tuple[int, ...] = ()
) -> Iterator[Constraint]:
    """What the formula asks of the unknowns in the point; a quantified one is opened at 0, 1, ..., window - 1."""
    match h:
        case And(parts):
            for part in parts:
                yield from _constraints(part, source, point, window, bound)
        case ForAll(body):
            for t in range(window):
                yield from _constraints(body, source, point, window, (t, *bound))
        case Eq() | Le() | Lt() | Nonzero():
            try:
                difference = _difference(h, point, bound)
            except ZeroDivisionError as reason:
                raise Unmet(source) from reason
            relation = {Eq: "=", Le: "<=", Lt: "<", Nonzero: "!="}[type(h)]
            for x in difference.flat:
                yield from _constraint(relation, expression(x), source)
        case IndexLe():
            if position(h.lhs, point, bound) > position(h.rhs, point, bound):
                raise Unmet(source)
        case _:
            raise Unmet(source)


def _difference(h: Any, point: Point, bound: tuple[int, ...]) -> Any:
    if isinstance(h, Nonzero):
        return np.array([evaluate(h.term, point, bound=bound)], dtype=object)
    difference = evaluate(h.lhs, point, bound=bound) - evaluate(h.rhs, point, bound=bound)
    return difference if isinstance(difference, np.ndarray) else np.array([difference], dtype=object)


def _constraint(relation: str, x: Expression, source: Formula) -> Iterator[Constraint]:
    if x.below != ONE:
        yield Constraint("!=", x.below, source)
    if relation in ("<=", "<") and x.below != ONE:
        yield Constraint(relation, (Expression(x.above) * Expression(x.below)).above, source)
    else:
        yield Constraint(relation, x.above, source)
