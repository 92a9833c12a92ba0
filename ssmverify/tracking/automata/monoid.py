"""The transition monoid of an automaton: all transformations that words make of its states, with their words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.orbit import Orbit, orbit


@dataclass(frozen=True, eq=False)
class TransitionMonoid(Orbit):
    """`elements[i][s]` is the state that element i sends s to; element 0 is the identity.

    `right[i, a]` is the element of "i's word, then the letter a".
    """

    automaton: Automaton

    def multiply(self, later: int, earlier: int) -> int:
        """The index of the product: `earlier` acts first."""
        return int(self.find(self.elements[later][self.elements[earlier]][None])[0])


def transition_monoid(automaton: Automaton, cap: int = 10**6) -> TransitionMonoid:
    """Enumerate the monoid breadth first, at most `cap` elements."""
    delta = np.array(automaton.delta, np.min_scalar_type(automaton.states - 1))

    found = orbit(np.arange(automaton.states, dtype=delta.dtype), [row.__getitem__ for row in delta], cap)
    return TransitionMonoid(found.elements, found.right, found.parent, found.last, found.index, automaton)
