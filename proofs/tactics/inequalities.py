"""Tactics for inequalities: |x| <= X and what follows, and a <= b from what makes up the gap. Not trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from proofs.kernel import Fact, component, conjunction, discharge, squares
from proofs.tactics.equations import equal
from proofs.terms import Add, And, Eq, Le, Lt, Term, term


@dataclass(frozen=True)
class Bounded:
    """Two facts, -X <= x and x <= X."""

    x: Term
    X: Term
    below: Fact
    above: Fact

    @staticmethod
    def of(fact: Fact) -> Bounded:
        """From the pair that `absolute_le` states."""
        below, above = component(fact, 0), component(fact, 1)
        x_le = cast(Le, above.conclusion)
        return Bounded(x_le.lhs, x_le.rhs, below, above)

    @property
    def facts(self) -> tuple[Fact, Fact]:
        return self.below, self.above

    @property
    def gaps(self) -> tuple[Term, Term]:
        """X - x and x - (-X), written as the kernel reads the two facts."""
        return self.X - self.x, self.x - (-self.X)

    def __add__(self, other: Bounded) -> Bounded:
        (f, g), (k, l) = self.gaps, other.gaps
        return within(self.x + other.x, self.X + other.X, [f, k], [g, l], self, other)

    def __mul__(self, other: Bounded) -> Bounded:
        """XY - xy = ((X - x)(Y + y) + (X + x)(Y - y))/2, and likewise XY + xy."""
        (f, g), (k, l) = self.gaps, other.gaps
        half = term(1) / 2
        return within(
            self.x * other.x, self.X * other.X, [half * (f * l), half * (g * k)], [half * (f * k), half * (g * l)],
            self, other,
        )  # fmt: skip


def within(x: Term, X: Term, upper: Sequence[Term], lower: Sequence[Term], *using: Bounded) -> Bounded:
    """|x| <= X from what X - x and X + x are the sums of, by the bounds used."""
    facts = [f for b in using for f in b.facts]
    return Bounded(x, X, at_most(-X, x, lower, *facts), at_most(x, X, upper, *facts))


def at_most(lhs: Term, rhs: Term, gap: Sequence[Term], *facts: Fact, strict: bool = False) -> Fact:
    """lhs <= rhs (strict: <), as rhs - lhs is the sum of the terms `gap`, whose signs the facts show."""
    total = gap[0] if len(gap) == 1 else Add(tuple(gap))  # not `+`, which would dissolve the parts
    proved = squares(lhs, rhs, total, [f.conclusion for f in facts], strict=strict)
    return settle(proved, *facts)


def settle(fact: Fact, *by: Fact) -> Fact:
    """Discharge whichever hypotheses the other facts prove."""
    return discharge(fact, *(b for b in {b.conclusion: b for b in by}.values() if b.conclusion in fact.hypotheses))


def restated(found: Bounded, goal: And) -> Fact:
    """The bound in the goal's words: both sides equal by normal form."""
    below, above = (cast(Le, part) for part in goal.parts)
    return conjunction(
        at_most(below.lhs, below.rhs, [found.gaps[1]], found.below),
        at_most(above.lhs, above.rhs, [found.gaps[0]], found.above),
    )


def positive_gap(fact: Fact) -> Fact:
    """0 < y - x from x < y."""
    less = cast(Lt, fact.conclusion)
    gap = less.rhs - less.lhs
    return at_most(term(0), gap, [gap], fact, strict=True)


def backwards(fact: Fact) -> Fact:
    """y = x from x = y."""
    equation = cast(Eq, fact.conclusion)
    return equal(equation.rhs, equation.lhs, fact)
