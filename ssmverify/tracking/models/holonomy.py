"""The holonomy decomposition of an automaton: levels that keep, permute or reset, as Zeiger and Eilenberg have it.

Sets are the images of all states under words, and the single states; a set is held as the bits of a number.

| name | meaning |
| --- | --- |
| A ≤ B | A is inside some image of B; A ~ B: both ways. Then a word takes the one onto the other |
| height | 0 of a single state, else 1 + the greatest of those strictly below |
| tiles of P | the largest sets properly inside P |
| representative | one set of each class of ~; `carried[P]` takes the representative's states to P's by a word |

A state q is coded by a chain Q ⊃ Z_1 ⊃ ... ⊃ {q} of tiles of tiles. Level h holds, if the chain passes a parent P of
height h, the tile taken there, carried back to the representative of P; else nothing. Let a letter take the chain's
parent P to a set inside the new chain's parent P' (which the levels above determine). At level h then

- P' is not of height h: nothing is held;
- the letter takes P onto P', which are then in one class: the representative's tiles are permuted;
- it does not: a tile of P' that contains the image of P is taken, whatever was held.

A word that permutes the tiles permutes states, so where the monoid is aperiodic no level permutes: one real channel
with gates 0 and 1 holds the tile's number. (Eilenberg, Automata, Languages and Machines B, 1976, chapter II; that
exactly the aperiodic ones are so: Krohn and Rhodes 1965.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.limits import Limits
from ssmverify.tracking.automata.nfa import bits

MOST_SETS = 400
Tile = tuple[int, int]  # a representative, and one of its tiles


@dataclass(frozen=True)
class Permuted:
    """The representative's tiles, each with the one that takes its place."""

    by: dict[Tile, Tile]


@dataclass(frozen=True)
class Reset:
    """Whatever was held, this tile is (None: nothing)."""

    to: Tile | None


class Holonomy:
    """Raises BadInput where there are more than `MOST_SETS` sets; Stopped where the limits end it."""

    def __init__(self, automaton: Automaton, limits: Limits | None = None):
        self.automaton, self.limits = automaton, limits or Limits()
        self.whole = (1 << automaton.states) - 1
        self.sets = self._image_sets()
        self.reach = {held: self._images(held) for held in self.sets}
        self.representative = self._classes()
        self.height = self._heights()
        self.tiles = {held: self._tiles(held) for held in self.sets if held & (held - 1)}
        self.carried = self._carried()
        self._known: dict[tuple[int, int, tuple[Tile | None, ...]], Permuted | Reset] = {}

    @property
    def levels(self) -> int:
        return self.height[self.whole]

    def image(self, held: int, letter: int) -> int:
        row, found = self.automaton.delta[letter], 0
        for state in bits(held):
            found |= 1 << row[state]
        return found

    def _image_sets(self) -> list[int]:
        found, seen = [self.whole], {self.whole}
        for held in found:  # grows while it is read
            for letter in range(len(self.automaton.delta)):
                if (image := self.image(held, letter)) not in seen:
                    seen.add(image)
                    found.append(image)
            if len(found) > MOST_SETS:
                raise BadInput(f"words lead to more than {MOST_SETS} sets of states")
        singles = [1 << state for state in range(self.automaton.states)]
        return sorted(seen | set(singles), key=lambda held: (-held.bit_count(), held))

    def _images(self, held: int) -> set[int]:
        self.limits.check()
        found, waiting = {held}, [held]
        while waiting:
            images = {self.image(waiting[-1], letter) for letter in range(len(self.automaton.delta))} - found
            waiting.pop()
            found |= images
            waiting.extend(images)
        return found

    def _classes(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for held in self.sets:
            same = (r for r in set(found.values()) if held in self.reach[r] and r in self.reach[held])
            found[held] = next(same, held)
        return found

    def _heights(self) -> dict[int, int]:
        """Of the classes, the smallest sets first: what lies strictly below a set has fewer states, or as many."""
        heads = sorted(set(self.representative.values()), key=int.bit_count)
        largest = {head: _largest(self.reach[head]) for head in heads}
        below = {head: [a for a in heads if a != head and any(a & ~b == 0 for b in largest[head])] for head in heads}
        height: dict[int, int] = {}

        def of(head: int) -> int:
            if head not in height:
                single = head & (head - 1) == 0
                height[head] = 0 if single else 1 + max(of(a) for a in below[head] if head not in below[a])
            return height[head]

        return {held: 0 if held & (held - 1) == 0 else of(self.representative[held]) for held in self.sets}

    def _tiles(self, held: int) -> list[int]:
        inside = [other for other in self.sets if other != held and other & ~held == 0]
        return [tile for tile in inside if not any(tile != other and tile & ~other == 0 for other in inside)]

    def _carried(self) -> dict[int, dict[int, int]]:
        found: dict[int, dict[int, int]] = {}
        for head in set(self.representative.values()):
            found[head] = {state: state for state in bits(head)}
            waiting = [head]
            for held in waiting:  # grows while it is read
                for row in self.automaton.delta:
                    moved = {state: row[now] for state, now in found[held].items()}
                    image = sum(1 << state for state in set(moved.values()))
                    if image not in found and self.representative.get(image) == head:
                        found[image] = moved
                        waiting.append(image)
        return found

    # ------------------------------------------------------------------------------------------------- levels
    @cached_property
    def level_tiles(self) -> list[list[Tile]]:
        """For each level, the highest first, all tiles that it may hold."""
        heads = sorted(set(self.representative.values()))
        return [
            [(head, tile) for head in heads if self.height[head] == h for tile in self.tiles.get(head, ())]
            for h in range(self.levels, 0, -1)
        ]

    def inside(self, parent: int, tile: Tile) -> int:
        """The representative's tile, carried into the parent."""
        return sum(1 << self.carried[parent][state] for state in bits(tile[1]))

    def back(self, parent: int, held: int) -> Tile:
        """A tile of the parent, carried back to the representative."""
        home = {now: state for state, now in self.carried[parent].items()}
        return self.representative[parent], sum(1 << home[state] for state in bits(held))

    def chain(self, held: Sequence[Tile | None]) -> int:
        """The set that the levels from the highest on lead to."""
        parent = self.whole
        for h, tile in zip(range(self.levels, 0, -1), held, strict=False):
            if self.height[parent] == h and tile is not None:
                parent = self.inside(parent, tile)
        return parent

    def code(self, state: int) -> tuple[Tile | None, ...]:
        """A code of a state."""
        parent, found = self.whole, list[Tile | None]()
        for h in range(self.levels, 0, -1):
            if self.height[parent] != h:
                found.append(None)
                continue
            tile = next(t for t in self.tiles[parent] if t >> state & 1)
            found.append(self.back(parent, tile))
            parent = tile
        return tuple(found)

    def move(self, level: int, letter: int, held: Sequence[Tile | None]) -> Permuted | Reset:
        """What a letter does at a level (0 the highest), given what the levels above it held before."""
        key = level, letter, tuple(held)
        if key not in self._known:
            self._known[key] = self._moved(level, letter, held)
        return self._known[key]

    def _moved(self, level: int, letter: int, held: Sequence[Tile | None]) -> Permuted | Reset:
        parent = after = self.whole
        for i in range(level):
            moved = self._move(self.levels - i, letter, parent, after)
            tile = held[i]
            new = moved.to if isinstance(moved, Reset) else moved.by[tile] if tile is not None else None
            parent, after = self._next(self.levels - i, parent, tile), self._next(self.levels - i, after, new)
        return self._move(self.levels - level, letter, parent, after)

    def _next(self, h: int, parent: int, tile: Tile | None) -> int:
        return self.inside(parent, tile) if self.height[parent] == h and tile is not None else parent

    def _move(self, h: int, letter: int, parent: int, after: int) -> Permuted | Reset:
        if self.height[after] != h:
            return Reset(None)
        image = self.image(parent, letter)
        if image == after:
            head = self.representative[parent]
            return Permuted(
                {
                    (head, tile): self.back(after, self.image(self.inside(parent, (head, tile)), letter))
                    for tile in self.tiles[head]
                }
            )
        return Reset(self.back(after, next(tile for tile in self.tiles[after] if image & ~tile == 0)))


def _largest(sets: set[int]) -> list[int]:
    """Those inside no other; enough to ask what is inside some of them."""
    found: list[int] = []
    for held in sorted(sets, key=int.bit_count, reverse=True):
        if not any(held & ~other == 0 for other in found):
            found.append(held)
    return found
