"""Worlds drawn at random, and made to satisfy hypotheses where that is easy.

An entry is drawn by hashing its name and place, so a world has a value for every family at every index. The kinds of
worlds: entries of few or of many values, all positive, the same in every member of a family, alike under different
names; and the degenerate ones: all zero, or all equal.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from fractions import Fraction
from hashlib import blake2b
from typing import Any

from proofs.kernel import Fact
from proofs.terms import And, Atom, Eq, ForAll, Formula, Le, Lt, Nonzero, Num, Symbol, Term, free_indices, symbols
from tests.proofs.kernel.fuzz.judge import Bound, Matrix, Number, Unjudged, filled, number, position, true, value

FEW = (0, 1, -1, 2)
MANY = tuple(range(-9, 10))
QUOTIENTS = tuple(Fraction(p, q) for p in range(-5, 6) for q in (2, 3))
POSITIVE = (1, 2, 3, Fraction(1, 2))
KINDS = ("few", "few", "many", "many", "many", "quotients", "positive", "constant", "alike", "zero", "equal")
REACH = 7  # a quantified hypothesis is tried at 0..REACH
FAR = 24  # and before a fact is called false at 0..FAR, beyond every index that a drawn fact takes it at
NEAR = 4  # a quantified conclusion is tried at 0..NEAR


class Drawn:
    """A world drawn from a seed; `fixed` holds the entries that were set since."""

    def __init__(self, seed: int) -> None:
        chosen = random.Random(seed)
        self.seed, self.kind = seed, chosen.choice(KINDS)
        self.sizes = {name: chosen.choice((0, 1, 2, 2, 2, 3)) for name in "nm"}
        self.sizes |= {name: chosen.choice((0, 1, 1, 2, 2, 3)) for name in "tij"}
        self.one = chosen.choice((1, -1, 2))
        self.known: dict[Any, Number] = {}
        self.fixed: dict[Any, Number] = {}

    def size(self, name: str) -> int:
        return self.sizes.setdefault(name, 2)

    def entry(self, symbol: Symbol, shape: tuple[int, int], at: tuple[int, ...], row: int, column: int) -> Number:
        key = symbol.name, shape, at, row, column
        if key in self.fixed:
            return self.fixed[key]
        if key not in self.known:
            self.known[key] = self._draw(symbol.name, at, row, column)
        return self.known[key]

    def _draw(self, name: str, at: tuple[int, ...], row: int, column: int) -> Number:
        if self.kind in ("zero", "equal"):
            return 0 if self.kind == "zero" else self.one
        at = () if self.kind == "constant" else at
        name = str(sum(map(ord, name)) % 2) if self.kind == "alike" else name
        drawn = blake2b(f"{self.seed} {name} {at} {row} {column}".encode(), digest_size=4).digest()
        values = {"few": FEW, "constant": FEW, "positive": POSITIVE, "quotients": QUOTIENTS}.get(self.kind, MANY)
        return values[int.from_bytes(drawn, "big") % len(values)]

    def put(self, atom: Atom, new: Matrix, bound: Bound) -> None:
        at = tuple(position(i, self, bound) for i in atom.indices)
        for (row, column), q in new.entries.items():
            self.fixed[atom.symbol.name, (new.rows, new.columns), at, row, column] = q

    def satisfies(self, hypotheses: Iterable[Formula], reach: int = REACH) -> bool:
        return all(true(h, self, reach) for h in hypotheses)


def settle(world: Drawn, hypotheses: Iterable[Formula], reach: int = REACH) -> None:
    """Set entries so that the hypotheses that speak of one variable of their own hold, if nothing else forbids it."""
    ordered = sorted(hypotheses, key=repr)
    for h in ordered:
        _settle(world, h, reach, ())
    for low in (h for h in ordered if type(h) is Le and type(h.lhs) is Num and type(h.rhs) is Atom):
        for high in (h for h in ordered if type(h) is Le and h.lhs == low.rhs and type(h.rhs) is Num):
            weight = random.Random(f"{world.seed} {low.rhs.symbol.name}").choice((0, Fraction(1, 3), Fraction(1, 2), 1))
            least, most = low.lhs.value, high.rhs.value
            world.put(low.rhs, number(least + (most - least) * weight), ())


def _settle(world: Drawn, formula: Formula, reach: int, bound: Bound) -> None:
    match formula:
        case And(parts):
            for part in parts:
                _settle(world, part, reach, bound)
        case ForAll():
            for k in range(reach + 1):
                _settle(world, formula.body, reach, (k, *bound))
        case Eq(Atom() as left, right) | Eq(right, Atom() as left):
            world.put(left, value(right, world, bound), bound)
        case Le(left, Atom() as right) | Lt(left, Atom() as right):
            _shift(world, right, left, 1 if type(formula) is Lt else 0, 1, bound)
        case Le(Atom() as left, right) | Lt(Atom() as left, right):
            _shift(world, left, right, 1 if type(formula) is Lt else 0, -1, bound)
        case Nonzero(Atom() as atom) if value(atom, world, bound).entries[0, 0] == 0:
            world.put(atom, number(1), bound)


def _shift(world: Drawn, atom: Atom, other: Term, least: int, sign: int, bound: Bound) -> None:
    """Put the atom at a distance of its own size, and `least`, above (sign 1) or below the other side."""
    mine, far = value(atom, world, bound), value(other, world, bound)

    def entry(row: int, column: int) -> Number:
        return far.entries[row, column] + sign * (abs(mine.entries[row, column]) + least)

    world.put(atom, filled(mine.rows, mine.columns, entry), bound)


def judged(fact: Fact, seed: int, most: int = 10, enough: int = 3) -> tuple[bool | None, Drawn | None]:
    """Whether a fact is true where its hypotheses are, with the world where it is not.

    None if it was seen at degenerate points only, or at none.
    """
    seen, proper = 0, False
    proper_at = _proper_places((fact.hypotheses, fact.conclusion))
    for k in range(most):
        world = Drawn(seed * 1009 + k)
        try:
            settle(world, fact.hypotheses)
            if not world.satisfies(fact.hypotheses):
                continue
            if not true(fact.conclusion, world, NEAR) and _still_false(fact, world):
                return False, world
        except Unjudged:
            continue
        seen += 1
        proper = proper or proper_at(world)
        if proper and seen >= enough:
            break
    return (True if proper else None), None


def _still_false(fact: Fact, world: Drawn) -> bool:
    """Whether the hypotheses hold farther out too, and the conclusion fails as before."""
    settle(world, fact.hypotheses, FAR)
    return world.satisfies(fact.hypotheses, FAR) and not true(fact.conclusion, world, NEAR)


def _proper_places(about: Any) -> Callable[[Drawn], bool]:
    """Tells worlds that are not degenerate: no size of a matrix is 0 or 1, not every index 0, not all entries alike."""
    known, free = symbols(about), free_indices(about)
    sizes = {str(v) for symbol in known for side in (symbol.rows, symbol.columns) for v in side.variables}

    def proper(world: Drawn) -> bool:
        alike = bool(known) and world.kind in ("zero", "equal")
        still = bool(free) and not any(map(world.size, free))
        return not alike and not still and all(world.size(name) >= 2 for name in sizes)

    return proper
