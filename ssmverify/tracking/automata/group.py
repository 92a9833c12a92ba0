"""Finite groups by their tables, with one convention: **the latest factor of a product stands on the left**.

`table[a, b]` is a·b, "b first, then a"; for permutations (a·b)(i) = a(b(i)). Having read g_1, ..., g_t, a tracker holds
the prefix product g_t ··· g_1, as a recurrence h_t = A_t h_{t-1} does. A worked example in S3, points 0, 1, 2:

    a = (0 1), b = (1 2), read in this order:  b·a sends 0 to b(a(0)) = b(1) = 2, so b·a = (0 2 1);
    in the other order it would be             a·b: 0 -> a(b(0)) = a(0) = 1,  so a·b = (0 1 2).

The word-problem data sets (Merrill, Petty, Sabharwal 2024) compose permutations in the same way but multiply the new
element on the right: their target is x_1 ··· x_t, so the new element acts first. As (x_1 ··· x_t)^-1 =
x_t^-1 ··· x_1^-1, such a row becomes one of ours, and back, by taking the inverse of every input and every target;
`ssmverify.tracking.words` does so when it reads and writes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton

Permutation = tuple[int, ...]  # the image of each point 0..degree-1
LARGEST = 5040  # elements for which a multiplication table is made


@dataclass(frozen=True, eq=False)
class Group:
    """A finite group. `permutations` has the elements' action on points, if the group was given so (else its own table,
    by multiplication from the left)."""

    name: str
    table: NDArray[np.int64]  # (order, order): table[a, b] = a·b, b acts first
    names: tuple[str, ...]
    identity: int
    inverse: NDArray[np.int64]  # (order,)
    generators: tuple[int, ...]
    permutations: NDArray[np.int64]  # (order, degree)

    @property
    def order(self) -> int:
        return len(self.table)

    def product(self, word: Iterable[int]) -> int:
        """g_t ··· g_1 of the word g_1, ..., g_t."""
        return reduce(lambda held, g: int(self.table[g, held]), word, self.identity)

    def commutator(self, a: int, b: int) -> int:
        """a b a^-1 b^-1."""
        return self.product([int(self.inverse[b]), int(self.inverse[a]), b, a])

    def element(self, permutation: Sequence[int]) -> int:
        """The index of a permutation of the group's points."""
        key = np.asarray(permutation, np.int64).tobytes()
        if key not in self._index:
            raise BadInput(f"{self.name} does not have the permutation {cycles(permutation)}")
        return self._index[key]

    @cached_property
    def _index(self) -> dict[bytes, int]:
        return {row.tobytes(): i for i, row in enumerate(self.permutations)}

    def action(self, letters: Sequence[int] | None = None) -> Automaton:
        """The permutation automaton on the group's points; its letters are the generators, or the elements named."""
        return self._automaton(self.permutations, 0, letters)

    def cayley(self, letters: Sequence[int] | None = None) -> Automaton:
        """The word problem as an automaton: its state is the prefix product, its start the identity."""
        return self._automaton(self.table, self.identity, letters)

    def _automaton(self, rows: NDArray[np.int64], start: int, letters: Sequence[int] | None) -> Automaton:
        letters = letters or self.generators or (self.identity,)
        return Automaton(
            tuple(self.names[g] for g in letters),
            tuple(tuple(rows[g].tolist()) for g in letters),
            start,
            name=self.name,
        )


def compose(later: Permutation, earlier: Permutation) -> Permutation:
    """The product later·earlier."""
    return tuple(later[i] for i in earlier)


def order(permutation: Permutation) -> int:
    """The least k > 0 with permutation^k = e."""
    return math.lcm(*cycle_lengths(permutation))


def cycle_lengths(permutation: Permutation) -> list[int]:
    """The lengths of the cycles, fixed points among them."""
    return [len(cycle) for cycle in _cycles(permutation)]


def cycles(permutation: Sequence[int]) -> str:
    """Cycle notation, `e` for the identity: (0 2 1) sends 0 to 2, 2 to 1 and 1 to 0."""
    return "".join(f"({' '.join(map(str, cycle))})" for cycle in _cycles(permutation) if len(cycle) > 1) or "e"


def _cycles(permutation: Sequence[int]) -> Iterator[list[int]]:
    seen: set[int] = set()
    for point in range(len(permutation)):
        cycle = []
        while point not in seen:
            seen.add(point)
            cycle.append(point)
            point = permutation[point]
        if cycle:
            yield cycle


def from_permutations(generators: Sequence[Sequence[int]], name: str = "group") -> Group:
    """The group that permutations of 0..degree-1 generate, in lexicographic order (so element 0 is the identity)."""
    check_permutations(generators, name)
    elements = sorted(closure([tuple(p) for p in generators], LARGEST, name))
    rows = np.array(elements, np.int64)
    place = {p: i for i, p in enumerate(elements)}
    letters = [np.array([place[compose(tuple(g), p)] for p in elements]) for g in generators]
    table = np.empty((len(rows), len(rows)), np.int64)
    table[0] = np.arange(len(rows))
    reached = {0}
    level = [0]
    for a in level:  # grows while it is read
        for letter in letters:
            if (b := int(letter[a])) not in reached:
                table[b] = letter[table[a]]  # (g·a)·x = g·(a·x)
                reached.add(b)
                level.append(b)
    return _group(name, table, tuple(map(cycles, elements)), [place[tuple(p)] for p in generators], rows)


def check_permutations(rows: Sequence[Sequence[int]], name: str) -> None:
    """Raises BadInput unless the rows are permutations of 0..degree-1."""
    if not rows or not rows[0]:
        raise BadInput(f"{name}: no permutations: give at least one, as the list of the images of 0, 1, ...")
    for row in rows:
        if sorted(row) != list(range(len(rows[0]))):
            raise BadInput(f"{name}: {list(row)} is not a permutation of 0..{len(rows[0]) - 1}")


def closure(generators: Sequence[Permutation], cap: int, name: str = "group") -> set[Permutation]:
    """All products of the permutations."""
    identity = tuple(range(len(generators[0])))
    found, level = {identity}, [identity]
    while level:
        level = list({compose(g, p) for p in level for g in generators} - found)
        found.update(level)
        if len(found) > cap:
            raise BadInput(f"{name} has more than {cap} elements, too many for a table")
    return found


def from_table(rows: Sequence[Sequence[int]], name: str = "table", names: Sequence[str] | None = None) -> Group:
    """The group of a Cayley table, rows[a][b] = a·b. Raises BadInput saying why a table is none."""
    n = len(rows)
    names = tuple(names) if names is not None else tuple(map(str, range(n)))
    if n == 0 or any(len(row) != n for row in rows):
        raise BadInput(f"{name}: a Cayley table is square and not empty; this one has {n} rows")
    if len(set(names)) != n:
        raise BadInput(f"{name}: {n} elements need {n} different names")
    for a, row in enumerate(rows):
        for b, value in enumerate(row):
            if not (isinstance(value, int | np.integer) and 0 <= value < n):
                raise BadInput(
                    f"{name} is no group: {names[a]}·{names[b]} = {value} is none of the elements 0..{n - 1}"
                )
    table = np.array(rows, np.int64)
    points = np.arange(n)
    neutral = [e for e in range(n) if (table[e] == points).all() and (table[:, e] == points).all()]
    if not neutral:
        raise BadInput(f"{name} is no group: no identity, no element e has e·a = a·e = a for every a")
    generators = _generators(table, neutral[0])
    for c in generators:  # Light's test: associativity with a generator in the middle is enough
        left, right = table[table[:, c]], table[:, table[c]]  # (a·c)·b and a·(c·b)
        if (left != right).any():
            a, b = (names[i] for i in np.argwhere(left != right)[0])
            raise BadInput(f"{name} is no group: not associative, ({a}·{names[c]})·{b} is not {a}·({names[c]}·{b})")
    for a in range(n):
        if neutral[0] not in table[a]:
            raise BadInput(f"{name} is no group: {names[a]} has no inverse")
    return _group(name, table, names, generators, table)


def _generators(table: NDArray[np.int64], identity: int) -> list[int]:
    """Elements that generate the table, each the first that those before it do not reach."""
    generators: list[int] = []
    reached = {identity}
    for element in range(len(table)):
        if element not in reached:
            generators.append(element)
            level = list(reached)
            while level:
                level = list({int(table[g, a]) for a in level for g in generators} - reached)
                reached.update(level)
    return generators


def _group(
    name: str, table: NDArray[np.int64], names: tuple[str, ...], generators: Sequence[int], rows: NDArray[np.int64]
) -> Group:
    identity = int(np.flatnonzero((table == np.arange(len(table))).all(axis=1))[0])
    inverse = np.argmax(table == identity, axis=1)
    kept = tuple(g for g in dict.fromkeys(generators) if g != identity)
    return Group(name, table, names, identity, inverse, kept, rows)


def direct_product(first: Group, second: Group, name: str | None = None) -> Group:
    """Pairs, (a, b) at index a·|second| + b; the points of the second follow those of the first."""
    n = second.order
    table = (first.table[:, None, :, None] * n + second.table[None, :, None, :]).reshape(first.order * n, -1)
    names = tuple(f"{a}×{b}" for a in first.names for b in second.names)
    generators = [g * n + second.identity for g in first.generators] + [
        first.identity * n + h for h in second.generators
    ]
    degree = first.permutations.shape[1]
    rows = np.array([[*p, *(q + degree)] for p in first.permutations for q in second.permutations], np.int64)
    return _group(name or f"{first.name}x{second.name}", table, names, generators, rows)
