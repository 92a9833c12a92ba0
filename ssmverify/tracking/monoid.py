"""The transition monoid of an automaton: all transformations that words make of its states, with their words."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ssmverify.tracking.automaton import Automaton, Word

Integers = NDArray[np.integer]
CELLS = 2 * 10**8  # entries of all the elements together


@dataclass(frozen=True, eq=False)
class TransitionMonoid:
    """The elements in order of their shortest words; element 0 is the identity (the empty word).

    `elements[i][s]` is the state that element i sends s to. `right[i, a]` is the index of "i, then the letter a"; it is
    -1 where the enumeration stopped at its cap (`complete` is False then).
    """

    automaton: Automaton
    elements: Integers  # (size, states)
    right: Integers  # (size, letters)
    parent: Integers  # (size,): the element of the word without its last letter
    last: Integers  # (size,): the last letter
    complete: bool
    index: dict[bytes, int] = field(repr=False)

    def __len__(self) -> int:
        return len(self.elements)

    def word(self, element: int) -> Word:
        """A shortest word for the element, the first such in the order of the letters."""
        letters = []
        while element:
            letters.append(int(self.last[element]))
            element = int(self.parent[element])
        return tuple(reversed(letters))

    def find(self, rows: Integers) -> Integers:
        """The indices of transformations (any number of rows), -1 for those that are not there."""
        rows = np.ascontiguousarray(rows, self.elements.dtype)
        return np.array([self.index.get(key, -1) for key in _keys(rows)], np.int64)

    def multiply(self, later: int, earlier: int) -> int:
        """The index of the product: `earlier` acts first."""
        return int(self.find(self.elements[later][self.elements[earlier]][None])[0])


def transition_monoid(automaton: Automaton, cap: int = 10**6) -> TransitionMonoid:
    """Enumerate the monoid breadth first: at most `cap` elements, fewer where they would not fit in the memory."""
    cap = min(cap, max(CELLS // automaton.states, 1))
    dtype = np.min_scalar_type(automaton.states - 1)
    delta = np.array(automaton.delta, dtype)
    letters = len(delta)
    level = np.arange(automaton.states, dtype=dtype)[None]
    index = {level.tobytes(): 0}
    levels, rights = [level], []
    parent, last = [0], [0]
    first = 0  # the index of the level's first element
    while len(level):
        # products[i, a] is element first + i followed by the letter a
        products = np.stack([row[level] for row in delta], axis=1).reshape(-1, automaton.states)
        found, fresh = [], []
        for k, key in enumerate(_keys(products)):
            i = index.get(key)
            if i is None and len(index) < cap:
                i = index[key] = len(index)
                fresh.append(k)
                parent.append(first + k // letters)
                last.append(k % letters)
            found.append(-1 if i is None else i)
        rights.append(np.array(found, np.int32).reshape(-1, letters))
        first += len(level)
        level = products[fresh]
        levels.append(level)
    right = np.concatenate(rights)
    return TransitionMonoid(
        automaton,
        np.concatenate(levels),
        right,
        np.array(parent, np.int32),
        np.array(last, np.int32),
        bool((right >= 0).all()),
        index,
    )


def _keys(rows: Integers) -> list[bytes]:
    """Each row's bytes: equal exactly where the rows are."""
    data, width = rows.tobytes(), rows.shape[1] * rows.itemsize
    return [data[i : i + width] for i in range(0, len(data), width)]
