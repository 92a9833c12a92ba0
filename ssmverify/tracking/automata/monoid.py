"""The transition monoid of an automaton: all transformations that words make of its states, with their words."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.limits import Limits
from ssmverify.tracking.automata.orbit import Orbit, orbit


@dataclass(frozen=True, eq=False, kw_only=True)
class TransitionMonoid(Orbit):
    """`elements[i][s]` is the state that element i sends s to; element 0 is the identity.

    `right[i, a]` is the element of "i's word, then the letter a".
    """

    automaton: Automaton

    def multiply(self, later: int, earlier: int) -> int:
        """The index of the product: `earlier` acts first."""
        return int(self.find(self.elements[later][self.elements[earlier]][None])[0])


def transition_monoid(automaton: Automaton, cap: int = 10**6, limits: Limits | None = None) -> TransitionMonoid:
    """Enumerate the monoid breadth first, at most `cap` elements."""
    delta = np.array(automaton.delta, np.min_scalar_type(automaton.states - 1))
    everything = np.arange(automaton.states, dtype=delta.dtype)
    found = orbit(everything, [row.__getitem__ for row in delta], cap, limits)
    return TransitionMonoid(**{f.name: getattr(found, f.name) for f in fields(Orbit)}, automaton=automaton)
