"""Any automaton whose groups are solvable, by complex-diagonal layers: the holonomy decomposition, level by level.

A level whose letters never permute its tiles is one real channel, with gates 1 (keep) and 0 (write the tile's number).
One whose letters do is a group, and a tile: (g, y) stands for the tile g(y). A permutation k makes it (k g, y), and a
reset to t makes it (g, g^-1 t). g takes as many layers as the group's derived series is long (`models.solvable`), and
is never reset; y is a channel with gates 0 and 1 above them, which is left out where nothing is ever reset.

So an aperiodic automaton takes layers with gates 0 and 1 alone, one for each level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from sympy import QQ

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.group import LARGEST, Group, Permutation, from_permutations
from ssmverify.tracking.automata.limits import Limits
from ssmverify.tracking.automata.stabilisers import Chain, series_of
from ssmverify.tracking.models.holonomy import Holonomy, Permuted, Tile
from ssmverify.tracking.models.models import RATIONAL, Exact
from ssmverify.tracking.models.solvable import solvable
from ssmverify.tracking.models.stacks import Affine, Code, Rule, Stack, stacked

KEEP: Affine = ([QQ(1)], None)


@dataclass(frozen=True)
class Level:
    """One level of the decomposition: its tiles by number, and which layers are its own, from `first` on."""

    tiles: list[Tile]
    group: Group | None
    layers: tuple[Exact, ...]  # of the group
    codes: tuple[tuple[int, ...], ...]  # of each of its elements
    resets: bool
    first: int

    @property
    def depth(self) -> int:
        return len(self.layers) + (self.resets or self.group is None)

    def held(self, code: Code) -> Tile | None:
        """The tile that the level's layers stand for."""
        own = code[self.first : self.first + self.depth]
        y = own[len(self.layers)] if self.depth > len(self.layers) else 1
        if y == 0 or self.group is None:
            return None if y == 0 else self.tiles[y - 1]
        return self.tiles[int(self.group.permutations[self.element(own)][y - 1])]

    def element(self, own: Code) -> int:
        return self.codes.index(own[: len(self.layers)])


def cascaded(automaton: Automaton, limits: Limits | None = None) -> Stack:
    """The stack of layers. Raises BadInput where a group is not solvable, or something is too large to build."""
    limits = limits or Limits()
    holonomy = Holonomy(automaton, limits)
    moves = _moves(holonomy, limits)
    levels: list[Level] = []
    for i, tiles in enumerate(holonomy.level_tiles):
        first = levels[-1].first + levels[-1].depth if levels else 0
        levels.append(_level(tiles, moves[i], first, limits))
    rules = [rule for i in range(len(levels)) for rule in _rules(holonomy, levels, i)]
    start = _code(holonomy, levels, automaton.start)
    return stacked(automaton, rules, start, lambda code: _decoded(holonomy, levels, code), limits)


def _moves(holonomy: Holonomy, limits: Limits) -> list[list[Permuted | None]]:
    """For each level what letters do there, in the chains that words reach: permutations, and None for a reset."""
    start = holonomy.code(holonomy.automaton.start)
    seen, waiting = {start}, [start]
    found: list[dict[object, Permuted | None]] = [{} for _ in range(holonomy.levels)]
    while waiting:
        limits.check()
        held = waiting.pop()
        for letter in range(len(holonomy.automaton.letters)):
            after: list[Tile | None] = []
            for level in range(holonomy.levels):
                move = holonomy.move(level, letter, held[:level])
                tile = held[level]
                if isinstance(move, Permuted):
                    found[level][tuple(sorted(move.by.items()))] = move
                    after.append(None if tile is None else move.by[tile])
                else:
                    if move.to is not None:
                        found[level][None] = None
                    after.append(move.to)
            if (following := tuple(after)) not in seen:
                seen.add(following)
                waiting.append(following)
                if len(seen) > 5 * LARGEST:
                    raise BadInput(f"more than {5 * LARGEST:,} chains of sets stand for the states")
    return [list(each.values()) for each in found]


def _level(tiles: list[Tile], moves: list[Permuted | None], first: int, limits: Limits) -> Level:
    identity = tuple(range(len(tiles)))
    generators = {_permutation(tiles, move) for move in moves if move is not None} - {identity}
    resets = any(move is None for move in moves)
    if not generators:
        return Level(tiles, None, (), (), True, first)
    chain = Chain(sorted(generators), len(tiles), limits.check)
    if series_of(chain)[-1] > 1:
        raise BadInput("a level's group is not solvable")
    if chain.order > LARGEST:
        raise BadInput(f"a level's group has {chain.order:,} elements, and {LARGEST:,} at most are built")
    group = from_permutations(sorted(generators), "level")
    model = solvable(group)
    needed = resets or any(tile[0] != tiles[0][0] for tile in tiles) or not _transitive(generators)
    return Level(tiles, group, model.layers, model.codes, needed, first)


def _transitive(generators: set[Permutation]) -> bool:
    from ssmverify.tracking.automata.stabilisers import orbits

    return len(orbits(sorted(generators))) == 1


def _permutation(tiles: list[Tile], move: Permuted) -> Permutation:
    number = {tile: i for i, tile in enumerate(tiles)}
    return tuple(number[move.by.get(tile, tile)] for tile in tiles)


def _chains(levels: list[Level], code: Code) -> list[Tile | None]:
    return [level.held(code) for level in levels if level.first + level.depth <= len(code)]


def _rules(holonomy: Holonomy, levels: list[Level], i: int) -> list[Rule]:
    """The layers of a level: those of its group, and the one of gates 0 and 1."""
    level = levels[i]
    rules = [
        Rule(layer.field, layer.points, _group_act(holonomy, levels, i, j), layer.real)
        for j, layer in enumerate(level.layers)
    ]
    if level.depth > len(level.layers):
        points = [[QQ(n)] for n in range(len(level.tiles) + 1)]
        rules.append(Rule(RATIONAL, points, _tile_act(holonomy, levels, i), True))
    return rules


def _group_act(holonomy: Holonomy, levels: list[Level], i: int, j: int) -> Callable[[int, Code], Affine]:
    """Of the j-th layer of a level's group: the gate of the permutation that the letter is, given the layers below."""
    level = levels[i]
    sizes = [len(layer.points) for layer in level.layers]

    @cache
    def permuting(letter: int, above: Code) -> int:
        move = holonomy.move(i, letter, _chains(levels[:i], above))
        assert level.group is not None
        if isinstance(move, Permuted):
            return level.group.element(_permutation(level.tiles, move))
        return level.group.identity

    def act(letter: int, below: Code) -> Affine:
        element, joint = permuting(letter, below[: level.first]), 0
        for state, size in zip(below[level.first :], sizes, strict=False):
            joint = joint * size + state
        return level.layers[j].gates[element][joint], None

    return act


def _tile_act(holonomy: Holonomy, levels: list[Level], i: int) -> Callable[[int, Code], Affine]:
    level = levels[i]
    number = {tile: n for n, tile in enumerate(level.tiles)}

    def act(letter: int, below: Code) -> Affine:
        move = holonomy.move(i, letter, _chains(levels[:i], below[: level.first]))
        if isinstance(move, Permuted):
            return KEEP
        if move.to is None:
            return [QQ(0)], [QQ(0)]
        place = number[move.to]
        if level.group is not None:
            g = level.element(below[level.first :])
            place = int(level.group.permutations[level.group.inverse[g]][place])
        return [QQ(0)], [QQ(place + 1)]

    return act


def _code(holonomy: Holonomy, levels: list[Level], state: int) -> Code:
    """A code of a state, with the identity of each group."""
    found: list[int] = []
    for level, tile in zip(levels, holonomy.code(state), strict=True):
        if level.group is not None:
            g = level.group.identity
            if tile is not None and level.depth == len(level.layers):  # no y: the first tile, moved by g
                g = next(g for g, p in enumerate(level.group.permutations) if p[0] == level.tiles.index(tile))
            found.extend(level.codes[g])
        if level.depth > len(level.layers):
            found.append(0 if tile is None else level.tiles.index(tile) + 1)
    return tuple(found)


def _decoded(holonomy: Holonomy, levels: list[Level], code: Code) -> int:
    held = holonomy.chain(_chains(levels, code))
    if held & (held - 1):
        raise AssertionError("a chain ends in a single state")
    return held.bit_length() - 1
