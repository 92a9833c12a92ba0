"""The groups and automata that have names: Z60, S5, A4xZ5, PSL(2,7), SmallGroup(24,3), parity, flip-flop, ..."""

from __future__ import annotations

import difflib
import math
import re
from functools import cache, reduce

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.group import LARGEST, Group, cycles, direct_product, from_permutations
from ssmverify.tracking.automata.permutation_groups import FAMILIES, MATHIEU, Generators, cyclic, small_group

KNOWN: tuple[str, ...] = (
    "Z2",
    "Z60",
    "S3",
    "S4",
    "S5",
    "A4",
    "A5",
    "D4",
    "Q8",
    "Q16",
    "F20",
    "Heis3",
    "M11",
    "M12",
    "PSL(2,7)",
)
KNOWN += ("SL(2,3)", "SmallGroup(24,3)", "A4xZ5", "parity", "flip-flop", "mod-3")
PART = r"(?:(?:[ZSADQF]|Heis|PSL\(2,|SL\(2,)[1-9]\d{0,3}\)?|M1[12]|SmallGroup\(\d{1,4},\d{1,4}\))"
NAME = re.compile(rf"parity|flip-flop|mod-[1-9]\d{{0,2}}|{PART}(?:x{PART})*")


def is_name(text: str) -> bool:
    """Whether a text has the form of a name; of some there is nothing, such as Q9."""
    return bool(NAME.fullmatch(text))


@cache
def group(name: str) -> Group:
    """A named group with its table, such as A4xZ5. Raises BadInput for more than `LARGEST` elements."""
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
        + " (there are Z<m>, S<n>, A<n>, D<n> of order 2n, Q<order>, F<order>, Heis<p>, PSL(2,p), SL(2,p), M11, M12, "
        "SmallGroup(n,k), products such as A4xZ5, parity, flip-flop and mod-<k>)"
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


def _generators(part: str, whole: str) -> tuple[Generators, int]:
    """Generators of a group, and its order."""
    if part in MATHIEU:
        return MATHIEU[part]
    if match := re.fullmatch(r"SmallGroup\((\d+),(\d+)\)", part):
        found = small_group(int(match[1]), int(match[2]))
        return found.generators, found.order
    match = re.fullmatch(r"([A-Za-z]+(?:\(2,)?)([1-9]\d{0,3})(\)?)", part)
    if match is None or match[1] not in FAMILIES or (match[3] == ")") != ("(" in match[1]):
        raise BadInput(unknown(whole))
    family, index = FAMILIES[match[1]], int(match[2])
    if not family.has(index):
        near = difflib.get_close_matches(part, KNOWN, n=3, cutoff=0.5)
        others = f"; near it: {', '.join(near)}" if near else ""
        raise BadInput(f"there is no {part}: the number after {match[1]} {family.indices}{others}")
    distinct = {tuple(p): p for p in family.generators(index)}
    return list(distinct.values()), family.order(index)
