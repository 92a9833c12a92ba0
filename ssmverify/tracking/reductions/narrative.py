"""S5 as a story of five guests who change chairs; a parser that knows only the sentences says who sits where."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable

from ssmverify.errors import BadInput
from ssmverify.tracking.reductions import Swap

GUESTS = ("Ada", "Ben", "Cleo", "Dan", "Eve")
CHAIRS = ("first", "second", "third", "fourth", "fifth")
SENTENCES = (
    "The guests on the {} chair and on the {} chair swap.",
    "Whoever sits on the {} chair changes places with whoever sits on the {} chair.",
    "The {} chair and the {} chair are vacated, and their guests take each other's.",
)
OPENING = re.compile(r"^(\w+) takes the (\w+) chair\.$")
CHANGE = re.compile(r"^.*\bthe (\w+) chair\b.*\bthe (\w+) chair\b.*$", re.IGNORECASE)


def render(swaps: Iterable[Swap], rng: random.Random) -> str:
    """The story, a sentence a line: who sits down where, then a sentence for each swap."""
    opening = [f"{guest} takes the {chair} chair." for guest, chair in zip(GUESTS, CHAIRS, strict=True)]
    changes = [rng.choice(SENTENCES).format(CHAIRS[x], CHAIRS[y]) for x, y in swaps]
    return "\n".join([*opening, *changes])


def read(story: str) -> tuple[int, ...]:
    """Where each guest sits in the end, the guests in the order of their chairs at the start. Raises BadInput."""
    sits: dict[str, str] = {}  # chair -> guest
    guests = []
    for sentence in story.splitlines():
        if found := OPENING.match(sentence):
            guest, chair = found.groups()
            sits[chair] = guest
            guests.append(guest)
        elif (found := CHANGE.match(sentence)) and set(found.groups()) <= set(sits):
            first, second = found.groups()
            sits[first], sits[second] = sits[second], sits[first]
        else:
            raise BadInput(f"the story has a sentence that says nothing of two chairs: {sentence!r}")
    chairs = {guest: chair for chair, guest in sits.items()}
    order = list(sits)
    return tuple(order.index(chairs[guest]) for guest in guests)
