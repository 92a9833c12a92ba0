"""Finer classes of aperiodic automata, decided from the automaton in polynomial time where there is such a test.

| class | the automaton, or its monoid M | of languages |
| --- | --- | --- |
| definite | the last k letters determine the state | known by a suffix |
| reverse definite | after k letters nothing changes any more | known by a prefix |
| R-trivial | no cycle but loops at a state | disjoint unions of A0* a1 A1* ..., ai not in A(i-1) |
| J-trivial | R-trivial, and from each state the letters a, b lead to one state that both fix | piecewise testable |
| L-trivial | x and y that are left multiples of each other are equal | mirror images of R-trivial ones |
| DA | the regular elements of M are idempotent | first-order with two variables |
| locally testable | eSe, S the non-empty words, is commutative and idempotent | known by its factors of k letters |

(Perles, Rabin, Shamir 1963; Brzozowski and Fich 1980; Simon 1975, with the test of Klíma and Polák 2013; Schützenberger
1976, Thérien and Wilke 1998; Brzozowski and Simon 1973, McNaughton 1974.) The names of languages are for minimal
automata; of an automaton without a language the first column is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.image_sets import components
from ssmverify.tracking.automata.monoid import TransitionMonoid
from ssmverify.tracking.automata.orbit import Indices, Rows

LARGEST = 3000  # elements of a monoid on which the tests that need it are made
IMPLIES = {
    "definite": ("L-trivial", "DA", "locally testable"),  # idempotents e with s e = e: constants
    "reverse definite": ("R-trivial", "DA", "locally testable"),  # with e s = e
    "J-trivial": ("L-trivial", "DA"),
    "R-trivial": ("DA",),
    "L-trivial": ("DA",),
}
WORK = 10**8  # entries that the test of local testability may touch


@dataclass(frozen=True)
class Finer:
    """Whether the automaton is in the class; None where that was not decided."""

    name: str
    holds: bool | None


def by_states(automaton: Automaton) -> tuple[Finer, ...]:
    """The classes that the automaton itself decides. Each of them holds aperiodic monoids only."""
    ordered = is_r_trivial(automaton)
    return (
        Finer("definite", is_definite(automaton)),
        Finer("reverse definite", is_reverse_definite(automaton)),
        Finer("R-trivial", ordered),
        Finer("J-trivial", ordered and is_confluent(automaton)),
    )


def by_monoid(monoid: TransitionMonoid) -> tuple[Finer, ...]:
    """The classes that an aperiodic monoid decides; undecided where it is not complete, or too large."""
    if not monoid.complete or len(monoid) > LARGEST:
        return tuple(Finer(name, None) for name in ("L-trivial", "DA", "locally testable"))
    return (
        Finer("L-trivial", is_l_trivial(monoid)),
        Finer("DA", is_da(monoid)),
        Finer("locally testable", is_locally_testable(monoid)),
    )


def implied(found: tuple[Finer, ...]) -> tuple[Finer, ...]:
    """The same, with what others imply in the place of what was not decided."""
    holding = {each.name for each in found if each.holds}
    also = {name for other in holding for name in IMPLIES.get(other, ())}
    return tuple(Finer(each.name, True) if each.holds is None and each.name in also else each for each in found)


def is_definite(automaton: Automaton) -> bool:
    """By merging states that every letter merges, until nothing changes: one block must be left."""
    block = list(range(automaton.states))
    while True:
        numbers: dict[tuple[int, ...], int] = {}
        merged = [
            numbers.setdefault(tuple(block[row[s]] for row in automaton.delta), len(numbers)) for s in range(len(block))
        ]
        # two states in one block stay so: their letters lead to states in one block
        if len(numbers) == len(set(block)):
            return len(numbers) == 1
        block = merged


def is_r_trivial(automaton: Automaton) -> bool:
    return all(len(component) == 1 for component in components(_edges(automaton)))


def is_reverse_definite(automaton: Automaton) -> bool:
    """Every state on a cycle is fixed by all letters."""
    if not is_r_trivial(automaton):
        return False
    return all(
        all(row[s] == s for row in automaton.delta)
        for s in range(automaton.states)
        if any(row[s] == s for row in automaton.delta)
    )


def is_confluent(automaton: Automaton) -> bool:
    """Of an automaton without cycles but loops: from each state, reading a or b first, a's and b's end in one state."""
    everything = np.arange(automaton.states)
    delta = np.array(automaton.delta)
    for i, a in enumerate(delta):
        for b in delta[:i]:
            end, further = everything, b[a]
            while not np.array_equal(end, further):  # the power of ab that all states are fixed by
                end, further = further, further[further]
            if not np.array_equal(end[a], end[b]):
                return False
    return True


def _edges(automaton: Automaton) -> Indices:
    return np.array(automaton.delta, np.int32).T


def is_l_trivial(monoid: TransitionMonoid) -> bool:
    letters = [np.array(row) for row in monoid.automaton.delta]
    left = np.stack([monoid.find(monoid.elements[:, row]) for row in letters], axis=1)
    return all(len(component) == 1 for component in components(left))


def is_da(monoid: TransitionMonoid) -> bool:
    """An element is regular if one that is a right multiple of it and of which it is one is idempotent."""
    idempotent = _idempotent(monoid.elements)
    return all(idempotent[c].all() or not idempotent[c].any() for c in components(monoid.right))


def is_locally_testable(monoid: TransitionMonoid) -> bool | None:
    words = monoid.elements if (monoid.right == 0).any() else monoid.elements[1:]
    idempotents = words[_idempotent(words)]
    if len(idempotents) * words.size > WORK:
        return None
    return all(_is_semilattice(local) for local in _local(words, idempotents))


def _local(words: Rows, idempotents: Rows) -> Iterator[Rows]:
    """For each idempotent e the elements e s e."""
    for e in idempotents:
        yield np.unique(e[words[:, e]], axis=0)


def _is_semilattice(rows: Rows) -> bool:
    if not _idempotent(rows).all():
        return False
    return all(np.array_equal(rows[:, x], x[rows]) for x in rows)


def _idempotent(rows: Rows) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (np.take_along_axis(rows, rows, axis=1) == rows).all(axis=1)
    return found
