"""Points for a statement, from nothing but its variables and its hypotheses.

Sizes and other indices come first, then inputs: variables that no equation gives. What the equations give, be it by a
definition, a recurrence or a linear equation, is solved for. Which variable an equation gives is a guess, another one
at each attempt. Every family is constant from some index on, so that its quantified hypotheses can be decided.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from proofs.kernel import Point, Sequent, Undecidable, holds
from proofs.points.attempt import ATTEMPTS, Attempt, Cells, Place, assembled, constraints_of
from proofs.points.reading import Hypothesis, bare_symbol, orthonormal_symbol, read
from proofs.points.solving import Solver, Unmet, implied, last_bounded_from_one_side
from proofs.points.values import any_matrix, filled, orthogonal, zeros
from proofs.terms import (
    Atom,
    Eq,
    Formula,
    Index,
    Mul,
    Symbol,
    UniqueMinimiser,
    free_indices,
    symbols,
    walk,
)

FARTHEST = 8  # the members that a family may have of its own


class NoPoint(Exception):
    """No point was found; `hypothesis` is the one that was missed most often, or that no point decides."""

    def __init__(self, hypothesis: Any, what: str = "no point found for") -> None:
        super().__init__(f"{what}: {hypothesis}")
        self.hypothesis = hypothesis


@dataclass(frozen=True)
class Sampler:
    """Draws points at which the hypotheses of the sequent hold and its conclusion can be read."""

    sequent: Sequent

    @cached_property
    def hypotheses(self) -> list[Hypothesis]:
        return sorted(map(read, self.sequent.hypotheses), key=lambda h: h.name)

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
                if symbol := orthonormal_symbol(part):
                    found[symbol] = (isinstance(cast(Mul, part.lhs).factors[0], Atom), h.formula)
        return dict(sorted(found.items(), key=lambda pair: pair[0].name))

    @cached_property
    def equations(self) -> list[tuple[Eq, frozenset[Symbol], list[Symbol]]]:
        """Each equation that may give a variable, with its variables, and those alone on a side."""
        found = []
        for h in self.hypotheses:
            for part in h.equations:
                if not orthonormal_symbol(part):
                    inside = frozenset(symbols(part)) - set(self.orthonormal)
                    bare = [s for side in (part.lhs, part.rhs) if (s := bare_symbol(side)) and s in inside]
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
        constraints = [c for h in about for c in constraints_of(h.formula, h.formula, point, window)]
        constraints += implied(constraints)
        order = last_bounded_from_one_side(constraints, range(cells.count))
        values = Solver(constraints, attempt.random, attempt.positive).solve(order, cells.preferred)
        for symbol, members in cells.members.items():
            attempt.point[symbol.name] = assembled(symbol, {p: cells.found(m, values) for p, m in members.items()})


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
