"""The word problem of S5 in other clothes: each element becomes a fixed run of moves, and another program reads them.

A word over S5 acts on five places, the latest element on the left: pi(i) is where ends up what began at place i. Each
element is written as swaps of two places; a swap is six moves of chess, an assignment in Python, or a sentence.
The readers know nothing of groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Swap = tuple[int, int]
PLACES = 5


def swaps(permutation: Sequence[int]) -> list[Swap]:
    """Swaps of places which, in this order, bring what is at place i to place permutation[i]; at most four."""
    at = list(range(len(permutation)))  # where the thing from place i is now
    found = []
    for target in range(len(permutation)):
        now = at[permutation.index(target)]
        if now != target:
            found.append((target, now))
            other = at.index(target)
            at[permutation.index(target)], at[other] = target, now
    return found


def swaps_of_word(word: Iterable[Sequence[int]]) -> list[Swap]:
    """The swaps of a word's permutations, in the order in which they are read."""
    return [swap for permutation in word for swap in swaps(permutation)]
