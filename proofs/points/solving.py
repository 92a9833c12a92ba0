"""Values for unknowns that satisfy polynomial constraints: what is determined is solved, the rest is drawn.

An equation with one unknown left is solved, several linear ones are solved together. When nothing is determined, one
unknown is drawn from what its inequalities leave to it. No search: a wrong draw ends in `Unmet`, and one tries again.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt
from typing import Any

from flint import fmpq, fmpq_mat

from proofs.points.expressions import Polynomial, assigned, at, plus, unknowns


class Unmet(Exception):
    """A constraint was not met; `source` is where it came from."""

    def __init__(self, source: Any) -> None:
        super().__init__(source)
        self.source = source


STEPS = (1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 0)


@dataclass(frozen=True)
class Constraint:
    """`polynomial` stands in the relation =, <=, < or != to 0."""

    relation: str
    polynomial: Polynomial
    source: Any

    def met(self, value: fmpq) -> bool:
        match self.relation:
            case "=":
                return bool(value == 0)
            case "<=":
                return bool(value <= 0)
            case "<":
                return bool(value < 0)
        return bool(value != 0)


class Solver:
    """The constraints on what is still unknown, and what has been found."""

    def __init__(self, constraints: Iterable[Constraint], chosen: random.Random, positive: bool = False) -> None:
        self.random, self.positive, self.values = chosen, positive, dict[int, fmpq]()
        self.open: dict[int, Constraint] = {}
        self.within: dict[int, set[int]] = {}
        for number, constraint in enumerate(constraints):
            self._post(number, constraint)

    def _post(self, number: int, constraint: Constraint) -> None:
        """Keep a constraint, or decide it, where it has no unknowns left."""
        left = unknowns(constraint.polynomial)
        if not left:
            self.open.pop(number, None)
            if not constraint.met(constraint.polynomial.get((), fmpq(0))):
                raise Unmet(constraint.source)
            return
        self.open[number] = constraint
        for v in left:
            self.within.setdefault(v, set()).add(number)

    def assign(self, values: Mapping[int, fmpq]) -> None:
        """Give unknowns their values, and those that follow; raises Unmet."""
        waiting = dict(values)
        while waiting:
            self.values |= waiting
            touched = {number for v in waiting for number in self.within.get(v, ()) if number in self.open}
            for number in sorted(touched):
                c = self.open[number]
                self._post(number, Constraint(c.relation, assigned(c.polynomial, waiting), c.source))
            waiting = self._determined(touched)

    def _determined(self, among: Iterable[int]) -> dict[int, fmpq]:
        """The unknowns that are alone in an equation."""
        found: dict[int, fmpq] = {}
        for number in sorted(among):
            c = self.open.get(number)
            if c is not None and c.relation == "=" and len(left := unknowns(c.polynomial)) == 1:
                (v,) = left
                if v not in found:
                    found[v] = self._root(c)
        return found

    def _root(self, c: Constraint) -> fmpq:
        """A rational root of a polynomial in one unknown, of degree 2 at most."""
        by_degree: dict[int, fmpq] = {len(monomial): value for monomial, value in c.polynomial.items()}
        p, q, r = (by_degree.get(k, fmpq(0)) for k in (2, 1, 0))
        if max(by_degree) == 1:
            return -r / q
        under = q * q - 4 * p * r
        top, bottom = (isqrt(max(int(x), 0)) for x in (under.p, under.q))
        if max(by_degree) > 2 or under != fmpq(top, bottom) ** 2:
            raise Unmet(c.source)
        return (-q + self.random.choice((1, -1)) * fmpq(top, bottom)) / (2 * p)

    def solve(self, order: Sequence[int], preferred: Mapping[int, fmpq]) -> dict[int, fmpq]:
        """Values of all the unknowns; those that nothing determines are drawn as they come in `order`.

        `preferred` values are taken where the inequalities allow. Raises Unmet.
        """
        self.assign(self._determined(list(self.open)))
        rank = {v: k for k, v in enumerate(order)}
        for v in order:
            while v not in self.values:
                free, determined = self._linear(rank)
                if determined:
                    self.assign(determined)
                    continue
                self.assign(self._drawn(v if v in free or not free else min(free, key=rank.__getitem__), preferred))
        return self.values

    def _linear(self, rank: Mapping[int, int]) -> tuple[set[int], dict[int, fmpq]]:
        """Of the equations that are linear by now: the unknowns that one may choose, and those determined."""
        equations = [c for c in self.open.values() if c.relation == "=" and max(map(len, c.polynomial)) == 1]
        if not equations:
            return set(), {}
        columns = sorted({v for c in equations for v in unknowns(c.polynomial)}, key=lambda v: -rank[v])
        place = {v: k for k, v in enumerate(columns)}
        rows = [[fmpq(0)] * (len(columns) + 1) for _ in equations]
        for row, c in zip(rows, equations, strict=True):
            for monomial, value in c.polynomial.items():
                row[place[monomial[0]] if monomial else len(columns)] = value if monomial else -value
        reduced, count = fmpq_mat(rows).rref()
        free, determined = set(columns), {}
        for i in range(count):
            row = [reduced[i, k] for k in range(len(columns) + 1)]
            pivots = [k for k in range(len(columns)) if row[k] != 0]
            if not pivots:
                raise Unmet(self.random.choice(equations).source)
            free.discard(columns[pivots[0]])
            if len(pivots) == 1:
                determined[columns[pivots[0]]] = row[-1]
        return free, determined

    def _drawn(self, v: int, preferred: Mapping[int, fmpq]) -> dict[int, fmpq]:
        """A value for v that the inequalities in v alone allow."""
        about = [self.open[k] for k in sorted(self.within.get(v, ())) if k in self.open]
        alone = [c for c in about if unknowns(c.polynomial) == {v}]
        low, high = _interval(v, alone)
        tried = [preferred[v]] if v in preferred else []
        tried += [small(self.random, low, high, self.positive) for _ in range(12)]
        allowed = [value for value in tried if all(c.met(at(c.polynomial, value)) for c in alone)]
        if not allowed:
            raise Unmet(alone[0].source)
        wise = [value for value in allowed if all(c.met(at(c.polynomial, value)) for c in _squared(v, about))]
        return {v: (wise or allowed)[0]}


def _squared(v: int, about: Iterable[Constraint]) -> list[Constraint]:
    """The inequalities in which v is squared, with their other unknowns 0: x x <= 1 of x x + y y <= 1."""
    return [
        Constraint(c.relation, {m: value for m, value in c.polynomial.items() if set(m) <= {v}}, c.source)
        for c in about
        if c.relation in ("<=", "<") and (v, v) in c.polynomial
    ]


def _interval(v: int, alone: Iterable[Constraint]) -> tuple[fmpq | None, fmpq | None]:
    """What linear inequalities leave to v."""
    low: fmpq | None = None
    high: fmpq | None = None
    for c in alone:
        slope = c.polynomial.get((v,), fmpq(0))
        if c.relation in ("<=", "<") and max(map(len, c.polynomial)) == 1:
            end = -c.polynomial.get((), fmpq(0)) / slope
            if slope > 0:
                high = end if high is None or end < high else high
            else:
                low = end if low is None or end > low else low
    return low, high


def small(chosen: random.Random, low: fmpq | None = None, high: fmpq | None = None, positive: bool = False) -> fmpq:
    """A small rational, within bounds where there are any; the bounds themselves come often. 0 is rare.

    positive: where no bound says otherwise, it is not negative.
    """
    step = fmpq(chosen.choice(STEPS), chosen.choice((1, 1, 2, 3)))
    if low is not None and high is not None:
        part = chosen.choice(((0, 1), (1, 4), (1, 2), (2, 3), (1, 1)))
        return low + (high - low) * fmpq(*part)
    end = low if low is not None else high
    if end is not None:
        tight = end != 0 and chosen.choice((True, False))
        return end if tight else end + step if low is not None else end - step
    return step if positive else step * chosen.choice((1, -1))


def implied(constraints: Sequence[Constraint]) -> list[Constraint]:
    """The sums of neighbouring inequalities that speak of fewer unknowns, as 0 <= X of -X <= x and x <= X."""
    found = []
    for c, d in pairwise(constraints):
        if c.relation == d.relation == "<=":
            total = plus(c.polynomial, d.polynomial)
            if len(unknowns(total)) < min(len(unknowns(c.polynomial)), len(unknowns(d.polynomial))):
                found.append(Constraint("<=", total, c.source))
    return found


def last_bounded_from_one_side(constraints: Sequence[Constraint], order: Sequence[int]) -> list[int]:
    """`order`, but unknowns that inequalities bound from one side only come late, after what bounds them.

    As in Fourier and Motzkin's elimination: such an unknown can always meet its inequalities, which may be left out
    when one looks for the unknown to come before it.
    """
    left = [c for c in constraints if c.relation in ("<=", "<")]
    late: list[int] = []
    found = True
    while left and found:
        found = False
        sides: dict[int, set[int]] = {}
        for c in left:
            for v in unknowns(c.polynomial):
                alone = [m for m in c.polynomial if v in m]
                slope = c.polynomial.get((v,), fmpq(0))
                sides.setdefault(v, set()).update({1, -1} if alone != [(v,)] else {1 if slope > 0 else -1})
        for v in sorted(sides, reverse=True):
            if len(sides[v]) == 1 and any(
                len(unknowns(c.polynomial)) > 1 and v in unknowns(c.polynomial) for c in left
            ):
                late.append(v)
                left = [c for c in left if v not in unknowns(c.polynomial)]
                found = True
                break
    return [v for v in order if v not in set(late)] + late[::-1]
