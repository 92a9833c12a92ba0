"""Whether one exact layer of diagonal gates with finitely many states tracks an automaton: decided, with two words.

A channel with finitely many values either forgets (gate 0) or turns about the centre of its values, by a root of unity.
So all that one layer can know of a word is, for each letter that occurred, how often each other letter came since it
last did, modulo m; the order in which the letters occurred last; and the totals modulo m. That is a finite automaton,
the universal one. The layer tracks an automaton exactly if what is known determines its state. m: the least common
multiple of the periods of the transition monoid's elements, which is enough, for x^(k+m) = x^k there, once a power of
each element is read twice; with m = 1, gates 0 and 1 alone.
"""

from __future__ import annotations

import math

import numpy as np

from ssmverify.tracking.automata.automaton import Automaton, Word
from ssmverify.tracking.automata.limits import Limits
from ssmverify.tracking.automata.monoid import TransitionMonoid

MOST_KNOWN = 50_000  # states of the universal automaton
Known = tuple[tuple[int, ...], tuple[tuple[int, ...], ...], tuple[int, ...]]


def periods(monoid: TransitionMonoid) -> int:
    """The least common multiple of the periods of the elements."""
    found = 1
    for row in monoid.elements:
        seen: dict[bytes, int] = {}
        power = row
        while (key := power.tobytes()) not in seen:
            seen[key] = len(seen)
            power = row[power]
        found = math.lcm(found, len(seen) - seen[key])
    return found


def indistinguishable(automaton: Automaton, m: int, limits: Limits | None = None) -> tuple[Word, Word] | bool:
    """Two words that lead to different states and that no such layer tells apart; False if there are none.

    True where more than `MOST_KNOWN` states of the universal automaton would have to be seen, and nothing is decided.
    """
    k = len(automaton.letters)
    nothing: Known = ((), (), (0,) * k)
    found: dict[Known, tuple[int, Word]] = {nothing: (automaton.start, ())}
    waiting = [nothing]
    for known in waiting:  # grows while it is read
        if limits is not None:
            limits.check()
        state, word = found[known]
        for letter in range(k):
            after, reached = _read(known, letter, m), automaton.delta[letter][state]
            if after not in found:
                if len(found) >= MOST_KNOWN:
                    return True
                found[after] = reached, (*word, letter)
                waiting.append(after)
            elif found[after][0] != reached:
                return found[after][1], (*word, letter)
    return False


def _read(known: Known, letter: int, m: int) -> Known:
    """Letters by their last occurrence, the latest first; the counts since each; the totals."""
    order, since, totals = known
    kept = [(other, _counted(counts, letter, m)) for other, counts in zip(order, since, strict=True) if other != letter]
    new = [(letter, (0,) * len(totals)), *kept]
    return tuple(other for other, _ in new), tuple(counts for _, counts in new), _counted(totals, letter, m)


def _counted(counts: tuple[int, ...], letter: int, m: int) -> tuple[int, ...]:
    return (*counts[:letter], (counts[letter] + 1) % m, *counts[letter + 1 :])


def is_right_regular_band(monoid: TransitionMonoid) -> bool:
    """Whether xx = x and xyx = yx for all elements, the first letter acting first: one layer of gates 0 and 1."""
    rows = monoid.elements
    if not (np.take_along_axis(rows, rows, axis=1) == rows).all():
        return False
    return all((x[rows[:, x]] == x[rows]).all() for x in rows)
