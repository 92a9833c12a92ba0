"""Transformations and permutations as GAP prints them, points from 1:

    Transformation([ 2, 1, 3 ])    PermList([ 2, 1, 3 ])    (1,2,3)(4,5)    ()

one or several with commas between, bare, in [ ], or in Group( ), Semigroup( ), Monoid( ). Each is a letter. GAP acts
from the right, x^(g*h) = (x^g)^h, so a product read from left to right is a word of ours.
"""

from __future__ import annotations

import re

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.group import cycles

NUMBERS = r"\[(?:\d+(?:,\d+)*)?\]"
ITEM = rf"(?:Transformation\({NUMBERS}\)|PermList\({NUMBERS}\)|(?:\((?:\d+(?:,\d+)+)?\))+)"
LIST = rf"{ITEM}(?:,{ITEM})*"
WHOLE = re.compile(rf"(?:(?:Group|Semigroup|Monoid)\((?:{LIST}|\[{LIST}\])\)|\[{LIST}\]|{LIST});?")
LARGEST = 100_000  # of a point


def is_text(text: str) -> bool:
    """Whether a text is such a list, and names a point."""
    plain = re.sub(r"\s", "", text)
    return bool(re.search(r"\d", plain) and WHOLE.fullmatch(plain))


def from_text(text: str, name: str) -> Automaton:
    """The automaton of the points, each a state; the first, 1, is the state 0.

    Raises BadInput for another text, and where an image is no point.
    """
    if not is_text(text):
        raise BadInput(
            f"{name} is no list of GAP's transformations or permutations: write Transformation([2,1]) or (1,2)(3,4)"
        )
    items = list(dict.fromkeys(re.findall(ITEM, re.sub(r"\s", "", text))))
    points = max(int(n) for item in items for n in re.findall(r"\d+", item))
    if points > LARGEST:
        raise BadInput(f"{name}: the point {points:,} is too large: {LARGEST:,} at most")
    rows = [_row(item, points, name) for item in items]
    letters = [
        cycles(row) if sorted(row) == list(range(points)) else item for row, item in zip(rows, items, strict=True)
    ]
    distinct = dict(zip(letters, rows, strict=True))
    return Automaton(tuple(distinct), tuple(distinct.values()), name=name)


def _row(item: str, points: int, name: str) -> tuple[int, ...]:
    """Images of the points 0.. of one item; what a shorter list does not name stays."""
    row = list(range(points))
    if item.startswith("("):
        seen: set[int] = set()
        for cycle in re.findall(r"\(([\d,]+)\)", item):
            members = [int(n) - 1 for n in cycle.split(",")]
            if -1 in members or len(set(members)) < len(members) or seen & set(members):
                raise BadInput(f"{name}: {item} is no permutation in disjoint cycles of the points 1, 2, ...")
            seen |= set(members)
            for source, target in zip(members, members[1:] + members[:1], strict=True):
                row[source] = target
        return tuple(row)
    images = [int(n) - 1 for n in re.findall(r"\d+", item)]
    if -1 in images or (item.startswith("PermList") and sorted(images) != list(range(len(images)))):
        raise BadInput(f"{name}: {item} does not send the points 1, 2, ... to points")
    row[: len(images)] = images
    return tuple(row)
