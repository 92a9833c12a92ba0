"""The groups and automata that have names: Z60, S5, A4xZ5, parity, flip-flop, ..."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable
from functools import cache, reduce

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.group import LARGEST, Group, cycles, direct_product, from_permutations


def cyclic(m: int) -> list[list[int]]:
    return [[(i + 1) % m for i in range(m)]]


def symmetric(n: int) -> list[list[int]]:
    """The transposition (0 1) and the cycle (0 1 ... n-1)."""
    return [[1, 0, *range(2, n)], [*range(1, n), 0]] if n > 1 else [[0]]


def alternating(n: int) -> list[list[int]]:
    """The 3-cycles (0 1 k)."""
    return [[1, k, *(0 if i == k else i for i in range(2, n))] for k in range(2, n)] or [list(range(n))]


def dihedral(n: int) -> list[list[int]]:
    """The rotation and a reflection of the n-gon, 2n elements; n > 2."""
    return [[*range(1, n), 0], [-i % n for i in range(n)]]


# i and j act from the left on 1, i, -1, -i, j, k, -j, -k (0..7): i·j = k, j·i = -k.
QUATERNIONS = [[1, 2, 3, 0, 5, 6, 7, 4], [4, 7, 6, 5, 2, 1, 0, 3]]

FAMILIES: dict[str, tuple[Callable[[int], list[list[int]]], Callable[[int], int], range]] = {
    "Z": (cyclic, int, range(1, 1000)),  # generators, order, indices
    "S": (symmetric, math.factorial, range(1, 41)),
    "A": (alternating, lambda n: max(math.factorial(n) // 2, 1), range(1, 41)),
    "D": (dihedral, lambda n: 2 * n, range(3, 1000)),
}
KNOWN = ("Z2", "Z60", "S3", "S4", "S5", "A4", "A5", "D4", "Q8", "A4xZ5", "parity", "flip-flop", "mod-3")


@cache
def group(name: str) -> Group:
    """Z_m, S_n, A_n, D_n (of order 2n), Q8, and products such as A4xZ5."""
    parts = [_generators(part, name) for part in name.split("x")]
    order = math.prod(order for _, order in parts)
    if order > LARGEST:
        raise BadInput(f"{name} has {order} elements, too many for a table (at most {LARGEST})")
    factors = [from_permutations(made, part) for part, (made, _) in zip(name.split("x"), parts, strict=True)]
    return reduce(direct_product, factors)


def unknown(name: str) -> str:
    near = difflib.get_close_matches(name, KNOWN, n=3, cutoff=0.5)
    return (
        f"no group or automaton is called {name!r}"
        + (f"; near it: {', '.join(near)}" if near else "")
        + " (there are Z<m>, S<n>, A<n>, D<n>, Q8, products such as A4xZ5, parity, flip-flop and mod-<k>)"
    )


def parity() -> Automaton:
    """Whether the number of 1s is odd."""
    return Automaton(("0", "1"), ((0, 1), (1, 0)), accept=frozenset({1}), name="parity")


def flip_flop() -> Automaton:
    """One bit: read it (r), or set it to 0 or to 1."""
    return Automaton(("r", "0", "1"), ((0, 1), (0, 0), (1, 1)), name="flip-flop")


def counter(k: int) -> Automaton:
    """The number of 1s mod k."""
    return Automaton(("0", "1"), (tuple(range(k)), tuple(cyclic(k)[0])), name=f"mod-{k}")


@cache
def automaton(name: str) -> Automaton:
    """A named automaton; a group's is its action on points, with its generators as letters."""
    if name == "parity":
        return parity()
    if name == "flip-flop":
        return flip_flop()
    if match := re.fullmatch(r"mod-([1-9]\d{0,2})", name):
        return counter(int(match[1]))
    first, *rest = (_generators(part, name)[0] for part in name.split("x"))
    for more in rest:  # side by side, the points of the next factor after those before it
        degree, points = len(first[0]), len(more[0])
        first = [[*p, *range(degree, degree + points)] for p in first]
        first += [[*range(degree), *(degree + i for i in q)] for q in more]
    return Automaton(tuple(map(cycles, first)), tuple(map(tuple, first)), name=name)


def _generators(part: str, whole: str) -> tuple[list[list[int]], int]:
    """Generators of a group, and its order."""
    if part == "Q8":
        return QUATERNIONS, 8
    match = re.fullmatch(r"([ZSAD])([1-9]\d{0,2})", part)
    if match is None:
        raise BadInput(unknown(whole))
    generators, order, indices = FAMILIES[match[1]]
    if int(match[2]) not in indices:
        raise BadInput(f"{part}: the index of {match[1]} goes from {indices[0]} to {indices[-1]}")
    distinct = {tuple(p): p for p in generators(int(match[2]))}
    return list(distinct.values()), order(int(match[2]))
