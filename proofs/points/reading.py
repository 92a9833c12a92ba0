"""What is read off a hypothesis: its parts, its variables, what it says plainly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from proofs.terms import (
    And,
    Atom,
    Eq,
    ForAll,
    Formula,
    Identity,
    Mul,
    Node,
    Symbol,
    Transpose,
    symbols,
    term,
)


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
def read(h: Formula) -> Hypothesis:
    """A hypothesis, read once."""
    return Hypothesis(h, repr(h), tuple(opened(h)), frozenset(symbols(h)))


def opened(h: Formula) -> Iterator[Formula]:
    """What a hypothesis says under its quantifiers, part by part; the bound variables stay positions."""
    if isinstance(h, And):
        for part in h.parts:
            yield from opened(part)
    elif isinstance(h, ForAll):
        yield from opened(h.body)
    else:
        yield h


def bare_symbol(side: Node) -> Symbol | None:
    """The variable, where a side of an equation is nothing else, but perhaps transposed."""
    match side:
        case Atom(symbol, _) | Transpose(Atom(symbol, _)):
            return symbol
    return None


def orthonormal_symbol(part: Formula) -> Symbol | None:
    """X, where the formula is X X' = I or X'X = I, also for one row or column."""
    match part:
        case Eq(Mul((Atom(x, ()), Transpose(Atom(y, ())))) | Mul((Transpose(Atom(x, ())), Atom(y, ()))), unit):
            if x == y and (isinstance(unit, Identity) or unit == term(1)):
                return x
    return None
