"""Automata whose letters may lead to several states, or to none, and made deterministic by sets of states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton

MOST_STATES = 50_000  # of the deterministic automaton
Edge = tuple[int, str | None, int]  # source, letter (None: reads nothing), target


@dataclass(frozen=True)
class Nfa:
    """States 0..states-1. A word is accepted if some path from an initial state to a final one reads it.

    `final` is None where no language is meant: then the states are the sets of states that words lead to.
    """

    letters: tuple[str, ...]
    states: int
    edges: Sequence[Edge]
    initial: frozenset[int]
    final: frozenset[int] | None
    name: str = "automaton"

    def determinised(self, most: int = MOST_STATES) -> Automaton:
        """The automaton of the sets of states that words lead to; the empty set is a state of no return.

        Raises BadInput where they are more than `most`.
        """
        if not self.letters:
            raise BadInput(f"{self.name} has no letters: name at least one (for an expression: --letters)")
        moves = self._moves()
        start = _union(self._closures(), self.initial)
        number, sets = {start: 0}, [start]
        rows: list[list[int]] = [[] for _ in self.letters]
        for held in sets:  # grows while it is read
            for row, move in zip(rows, moves, strict=True):
                after = _union(move, bits(held))
                if after not in number:
                    if len(sets) >= most:
                        raise BadInput(f"{self.name}: made deterministic it has more than {most:,} states, too many")
                    number[after] = len(sets)
                    sets.append(after)
                row.append(number[after])
        accept = None
        if self.final is not None:
            marked = sum(1 << state for state in self.final)
            accept = frozenset(i for i, held in enumerate(sets) if held & marked)
        return Automaton(self.letters, tuple(map(tuple, rows)), 0, accept, self.name)

    def _moves(self) -> list[list[int]]:
        """For each letter and state, the set that it leads to, closed under edges that read nothing."""
        place = {letter: i for i, letter in enumerate(self.letters)}
        closures = self._closures()
        moves = [[0] * self.states for _ in self.letters]
        for source, letter, target in self.edges:
            if letter is not None:
                moves[place[letter]][source] |= closures[target]
        return moves

    def _closures(self) -> list[int]:
        """For each state the set of those that paths reading nothing lead to, as the bits of a number."""
        silent: dict[int, list[int]] = {}
        for source, letter, target in self.edges:
            if letter is None:
                silent.setdefault(source, []).append(target)
        found = []
        for state in range(self.states):
            held, waiting = 1 << state, [state]
            while waiting:
                for target in silent.get(waiting.pop(), ()):
                    if not held >> target & 1:
                        held |= 1 << target
                        waiting.append(target)
            found.append(held)
        return found


def _union(sets: Sequence[int], members: Iterable[int]) -> int:
    held = 0
    for member in members:
        held |= sets[member]
    return held


def bits(held: int) -> Iterator[int]:
    """The members of a set, the smallest first."""
    while held:
        lowest = held & -held
        yield lowest.bit_length() - 1
        held ^= lowest
