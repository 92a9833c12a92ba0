"""One attempt at a point: the values found so far, the unknowns, and what the hypotheses ask of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from flint import fmpq

from proofs.kernel import Point, Table, evaluate, position
from proofs.points.expressions import ONE, Expression, expression, unknowns
from proofs.points.solving import Constraint, Unmet
from proofs.points.values import filled
from proofs.terms import And, Eq, ForAll, Formula, IndexLe, Le, Lt, Nonzero, Symbol

ATTEMPTS = 60
Place = tuple[int, ...] | None  # of a member of a family; None is the default


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


def constraints_of(
    h: Formula, source: Formula, point: Point, window: int, bound: tuple[int, ...] = ()
) -> Iterator[Constraint]:
    """What the formula asks of the unknowns in the point; a quantified one is opened at 0, 1, ..., window - 1."""
    match h:
        case And(parts):
            for part in parts:
                yield from constraints_of(part, source, point, window, bound)
        case ForAll(body):
            for t in range(window):
                yield from constraints_of(body, source, point, window, (t, *bound))
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
