"""The order of a permutation group, membership, and its derived series, by a chain of stabilisers (Sims 1970).

G = G_0 ≥ G_1 ≥ ... ≥ 1, where G_i fixes the first i base points: |G| is the product of the sizes of the orbits of the
next base point under G_i. A chain is filled with random products of the generators, which is fast and proves nothing;
then Schreier's generators of each stabiliser, all of them, are sifted through the levels below. If all come to the
identity the chain is complete (Schreier's lemma). So the randomness costs time at worst, never truth.

A group that holds the alternating group of its points is known sooner (`jordan_element`): transitive, with an element
that has a cycle of prime length p, n/2 < p < n - 2. A block would be moved by the p-cycle (a power of the element) or
not, and neither fits p > n/2, so the group is primitive; then it holds A_n (Jordan 1873; Wielandt 1964, Theorem 13.9).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ssmverify.tracking.automata.automaton import Word
from ssmverify.tracking.automata.group import Permutation, compose, cycle_lengths

Rows = NDArray[np.int64]  # (permutations, degree)
QUIET = 12  # random elements in a row that add nothing end the random part
BATCH = 4096  # permutations that are sifted at once


class Level:
    """A base point, generators of the group that fixes the base points before it, and the orbit under them.

    `home[p]`, for a point p of the orbit, is a permutation of that group that takes p back to the base point.
    """

    def __init__(self, point: int, degree: int):
        self.point, self.generators = point, np.empty((0, degree), np.int64)
        self.known = np.zeros(degree, bool)
        self.known[point] = True
        self.home = np.tile(np.arange(degree), (degree, 1))

    def add(self, generator: Rows) -> None:
        self.generators = np.concatenate([self.generators, generator[None]])
        if not self.known[generator[self.known]].all():
            self._grow()

    def _grow(self) -> None:
        frontier = np.flatnonzero(self.known)
        while len(frontier):
            new: list[int] = []
            for g in self.generators:
                back = np.argsort(g)
                reached, first = np.unique(g[frontier], return_index=True)
                fresh = ~self.known[reached]
                for p, source in zip(reached[fresh].tolist(), frontier[first[fresh]].tolist(), strict=True):
                    self.home[p] = self.home[source][back]
                    self.known[p] = True
                    new.append(p)
            frontier = np.array(new, np.int64)

    def schreier(self) -> Rows:
        """Generators of the stabiliser of the base point: there along the orbit, a generator, and home."""
        orbit = np.flatnonzero(self.known)
        there = np.argsort(self.home[orbit], axis=1)  # from the base point to each point of the orbit
        moved = self.generators[:, there]  # (generators, orbit, degree)
        ends = moved[:, :, self.point]
        return np.take_along_axis(self.home[ends], moved, axis=2).reshape(-1, there.shape[1])


class Chain:
    """A complete chain of stabilisers of the group that the permutations generate."""

    def __init__(self, generators: Sequence[Permutation], degree: int, check: Callable[[], None] = lambda: None):
        """check: called now and then; what it raises ends the work."""
        self.degree, self.check = degree, check
        self.levels: list[Level] = []
        self.generators: list[Permutation] = []
        self._random = random.Random(0)
        self.add(generators)

    def add(self, generators: Sequence[Permutation]) -> None:
        """The group that these and the earlier ones generate."""
        new = [g for g in generators if self._insert(np.array([g], np.int64), 0)]
        if new:
            self.generators.extend(new)
            self._fill()
            while not self._verified():
                pass

    @property
    def order(self) -> int:
        return math.prod(int(level.known.sum()) for level in self.levels)

    def __contains__(self, permutation: Permutation) -> bool:
        residues, _ = self._sift(np.array([permutation], np.int64), 0)
        return bool((residues == np.arange(self.degree)).all())

    def _sift(self, rows: Rows, first: int) -> tuple[Rows, NDArray[np.int64]]:
        """What is left of each row, and the level at which it stuck (or past the last)."""
        rows, stuck = rows.copy(), np.full(len(rows), len(self.levels))
        moving = np.arange(len(rows))
        for i, level in enumerate(self.levels[first:], first):
            ends = rows[moving, level.point]
            inside = level.known[ends]
            stuck[moving[~inside]] = i
            moving, ends = moving[inside], ends[inside]
            if not len(moving):
                break
            away = moving[ends != level.point]
            rows[away] = np.take_along_axis(level.home[ends[ends != level.point]], rows[away], axis=1)
        return rows, stuck

    def _insert(self, rows: Rows, first: int) -> bool:
        """Sifts the rows, which fix the first base points, and keeps what is left of the first that is not trivial."""
        residues, stuck = self._sift(rows, first)
        rest = np.flatnonzero((residues != np.arange(self.degree)).any(axis=1))
        if not len(rest):
            return False
        residue, at = residues[rest[0]], int(stuck[rest[0]])
        if at == len(self.levels):
            moved = int(np.flatnonzero(residue != np.arange(self.degree))[0])
            self.levels.append(Level(moved, self.degree))
        for level in self.levels[first : at + 1]:
            level.add(residue)
        return True

    def _fill(self) -> None:
        """Random products (product replacement), until some in a row add nothing."""
        pool = [np.array(g, np.int64) for g in self.generators]
        pool = (pool * (10 // len(pool) + 1))[: max(10, len(pool))]
        quiet = steps = 0
        while quiet < QUIET:
            self.check()
            i, j = self._random.sample(range(len(pool)), 2)
            pool[i] = pool[i][pool[j]] if self._random.random() < 0.5 else pool[j][pool[i]]
            steps += 1
            if steps > 20:
                quiet = 0 if self._insert(pool[i][None], 0) else quiet + 1

    def _verified(self) -> bool:
        """Whether all Schreier generators sift to the identity, from the last level up; else one more is kept."""
        for i in reversed(range(len(self.levels))):
            rows = self.levels[i].schreier()
            for k in range(0, len(rows), BATCH):
                self.check()
                if self._insert(rows[k : k + BATCH], i + 1):
                    return False
        return True


def derived_series(generators: Sequence[Permutation]) -> tuple[int, ...]:
    """The orders of G, G', G'', ... down to 1, or to the first group that is its own derived group."""
    return series_of(Chain(generators, len(generators[0])))


def series_of(group: Chain) -> tuple[int, ...]:
    """The same, of the group of a chain."""
    orders = [group.order]
    while orders[-1] > 1:
        derived = _derived(group)
        if derived.order == orders[-1]:
            break
        group = derived
        orders.append(group.order)
    return tuple(orders)


def _derived(group: Chain) -> Chain:
    """The commutators of the generators, and conjugates by generators until there is none outside."""
    letters = [(g, inverse(g)) for g in group.generators]
    new = [compose(compose(a, b), compose(back_a, back_b)) for a, back_a in letters for b, back_b in letters if a < b]
    derived = Chain((), group.degree, group.check)
    while new:
        before = len(derived.generators)
        derived.add(new)
        added = derived.generators[before:]
        new = [c for h in added for g, back in letters if (c := compose(compose(g, h), back)) not in derived]
    return derived


def inverse(permutation: Permutation) -> Permutation:
    return tuple(np.argsort(permutation).tolist())


def orbits(generators: Sequence[Permutation]) -> list[list[int]]:
    """The sets of points that the group can take to each other, each sorted."""
    leader = list(range(len(generators[0])))

    def root(p: int) -> int:
        while leader[p] != p:
            leader[p] = p = leader[leader[p]]
        return p

    for g in generators:
        for p, image in enumerate(g):
            leader[root(p)] = root(image)
    found: dict[int, list[int]] = {}
    for p in range(len(leader)):
        found.setdefault(root(p), []).append(p)
    return list(found.values())


def jordan_prime(permutation: Permutation) -> int | None:
    """A prime p that is the length of one cycle, n/2 < p < n - 2 on n points."""
    n = len(permutation)
    for p in cycle_lengths(permutation):
        if n < 2 * p < 2 * (n - 2) and all(p % q for q in range(2, math.isqrt(p) + 1)):
            return p
    return None


def jordan_element(letters: Sequence[tuple[Permutation, Word]], tries: int = 300) -> Word | None:
    """A word with a cycle as `jordan_prime` wants it, among random products of the letters, which are (action, word).

    None where the letters are not transitive, or none was found, which proves nothing.
    """
    if len(letters[0][0]) < 8 or len(orbits([g for g, _ in letters])) > 1:
        return None
    generator = random.Random(0)
    x, word = letters[0]
    for _ in range(tries):
        if jordan_prime(x):
            return word
        if len(word) > 200:
            x, word = generator.choice(letters)
        letter, spelled = generator.choice(letters)
        x, word = compose(letter, x), word + spelled
    return None
