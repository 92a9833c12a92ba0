"""Breadth-first enumeration of everything that letters make of one start, as rows of integers, with words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ssmverify.tracking.automata.automaton import Word
from ssmverify.tracking.automata.limits import Limits

Rows = NDArray[np.unsignedinteger]
Indices = NDArray[np.int32]
CELLS = 5 * 10**7  # entries of all the rows together
PIECE = 4096  # rows between two looks at the time


@dataclass(frozen=True, eq=False)
class Orbit:
    """What was found, in the order of its shortest words; element 0 is the start (the empty word).

    `right[i, a]` is the index of what letter a makes of element i; it is -1 where the enumeration stopped, and
    `stopped` says what stopped it: empty if everything was found.
    """

    elements: Rows  # (size, width)
    right: Indices  # (size, letters)
    parent: Indices  # (size,): the element of the word without its last letter
    last: Indices  # (size,): the word's last letter
    index: dict[bytes, int] = field(repr=False)
    stopped: str = ""

    def __len__(self) -> int:
        return len(self.elements)

    @property
    def complete(self) -> bool:
        return not self.stopped

    def word(self, element: int) -> Word:
        """A shortest word for the element, the first such in the order of the letters."""
        letters = []
        while element:
            letters.append(int(self.last[element]))
            element = int(self.parent[element])
        return tuple(reversed(letters))

    def find(self, rows: Rows) -> Indices:
        """The indices of rows, -1 for those that are not there."""
        return np.array([self.index.get(key, -1) for key in _keys(rows.astype(self.elements.dtype))], np.int32)


def orbit(start: Rows, letters: Sequence[Callable[[Rows], Rows]], cap: int, limits: Limits | None = None) -> Orbit:
    """Enumerate what the letters make of one row, at most `cap` elements (fewer where memory would not hold them).

    A letter maps an array of rows to the array of their images.
    """
    limits = limits or Limits()
    room = max(CELLS // len(start), 1)
    most = min(cap, room)
    level = start[None]
    index = {level.tobytes(): 0}
    levels, right, parent, last = [level], [], [0], [0]
    first = 0  # the index of the level's first element
    while len(level):
        fresh_rows = []
        for begin in range(0, len(level), PIECE):
            piece = level[begin : begin + PIECE]
            if limits.stopped:
                right.append(np.full((len(piece), len(letters)), -1, np.int32))
                continue
            images = np.stack([letter(piece) for letter in letters], axis=1).reshape(-1, len(start))
            found, fresh = [], []
            for k, key in enumerate(_keys(images)):
                i = index.get(key, -1)
                if i < 0 and len(index) < most:
                    i = index[key] = len(index)
                    fresh.append(k)
                    parent.append(first + begin + k // len(letters))
                    last.append(k % len(letters))
                found.append(i)
            right.append(np.array(found, np.int32).reshape(-1, len(letters)))
            fresh_rows.append(images[fresh])
        first += len(level)
        level = np.concatenate(fresh_rows) if fresh_rows else level[:0]
        levels.append(level)
    rows, edges = np.concatenate(levels), np.concatenate(right)
    stopped = ""
    if (edges < 0).any():
        full = f"--cap {cap:,}" if most == cap else "the memory kept for them"
        stopped = full if len(index) == most else limits.stopped
    return Orbit(rows, edges, np.array(parent, np.int32), np.array(last, np.int32), index, stopped)


def _keys(rows: Rows) -> Iterator[bytes]:
    """Each row's bytes: equal exactly where the rows are."""
    data, width = rows.tobytes(), rows.shape[1] * rows.itemsize
    return (data[i : i + width] for i in range(0, len(data), width))
