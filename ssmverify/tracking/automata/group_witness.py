"""A group that words generate on a set of states: which one, and what shows that it is not solvable."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from sympy import factorint

from ssmverify.tracking.automata import stabilisers
from ssmverify.tracking.automata.automaton import Word
from ssmverify.tracking.automata.group import Permutation, compose, cycle_lengths, order
from ssmverify.tracking.automata.image_sets import Generators
from ssmverify.tracking.automata.limits import Limits

POINTS = 60  # above, a group is taken apart into its actions on its orbits
PAIRS = 2000  # of elements that are tried before the orders of a large group are computed
LONGEST = 10_000  # letters of a word in a witness
Letters = list[tuple[Permutation, Word]]


@dataclass(frozen=True)
class GroupWitness:
    """Words that permute a set of states, and the group that they generate there.

    `derived_series` has the orders of G, G', G'', ... down to 1, or to the first group that is its own derived group;
    it is empty where a witness shows that G is not solvable and the orders would take long. The witness is one of:

    `coprime`: two words x, y such that the orders of x, of y and of "x, then y" are greater
    than 1 and pairwise coprime. No solvable group has such a pair: of the group that it generates, take the largest
    abelian quotient; there the order of xy divides that of x times that of y, so all three are trivial, and the
    group is its own derived group. (Every non-solvable finite group has one: Thompson 1968, Corollary 3.)

    `jordan`: the words are transitive, and this one, a product of them, has a cycle of prime length p, n/2 < p < n - 2
    on n states: the group holds the alternating group (`automata.stabilisers`).
    """

    states: tuple[int, ...]
    words: tuple[Word, ...]
    derived_series: tuple[int, ...]
    coprime: tuple[Word, Word] | None = None
    jordan: Word | None = None

    @property
    def order(self) -> int | None:
        """None where it was not computed."""
        return self.derived_series[0] if self.derived_series else None

    @property
    def solvable(self) -> bool:
        return self.derived_series[-1:] == (1,)

    @property
    def derived_length(self) -> int:
        return len(self.derived_series) - 1


def generated(states: tuple[int, ...], generators: Generators, limits: Limits | None = None) -> list[GroupWitness]:
    """The group, by few of the generators, those with the shortest words first.

    A group of many points that is not transitive is given by its actions on its orbits, one witness each: it is a
    subgroup of their product, so it is trivial, a p-group, solvable of some derived length exactly if they all are.
    Raises Stopped where the limits end it.
    """
    limits = limits or Limits()
    letters = sorted(generators.items(), key=lambda item: (len(item[1]), item[1]))
    if len(letters) == 1:
        ((permutation, word),) = letters
        return [GroupWitness(states, (word,), (order(permutation), 1))]
    if giant := _giant(states, letters):
        return [giant]
    parts = stabilisers.orbits([g for g, _ in letters])
    if len(states) > POINTS and len(parts) > 1:
        return [w for part in parts if len(part) > 1 for w in generated(*_restricted(states, letters, part), limits)]
    return [_by_chain(states, letters, limits)]


def _restricted(states: tuple[int, ...], letters: Letters, part: list[int]) -> tuple[tuple[int, ...], Generators]:
    """The action on some points that no letter leads out of; each permutation with its shortest word."""
    place = {point: i for i, point in enumerate(part)}
    generators: Generators = {}
    for permutation, word in letters:
        generators.setdefault(tuple(place[permutation[point]] for point in part), word)
    generators.pop(tuple(range(len(part))), None)
    return tuple(states[point] for point in part), generators


def _giant(states: tuple[int, ...], letters: Letters) -> GroupWitness | None:
    """The symmetric or alternating group of the states, by Jordan's theorem; None if it was not seen to be one."""
    n = len(states)
    few = next((k for k in (2, 4, 8, 16, len(letters)) if stabilisers.jordan_element(letters[:k])), 0)
    if n < 8 or not few:
        return None
    chosen = letters[:few]
    if not any(map(_is_odd, (g for g, _ in chosen))):
        chosen = chosen + [letter for letter in letters if _is_odd(letter[0])][:1]
    odd = any(_is_odd(g) for g, _ in chosen)
    half = math.factorial(n) // 2
    words = tuple(word for _, word in chosen)
    return GroupWitness(
        states, words, (2 * half, half) if odd else (half,), jordan=stabilisers.jordan_element(letters[:few])
    )


def _is_odd(permutation: Permutation) -> bool:
    return sum(length - 1 for length in cycle_lengths(permutation)) % 2 == 1


def _by_chain(states: tuple[int, ...], letters: Letters, limits: Limits) -> GroupWitness:
    if len(states) > POINTS and (pair := _coprime(letters[:10], limits, PAIRS)):
        return GroupWitness(states, tuple(word for _, word in letters[:10]), (), pair)
    chain = stabilisers.Chain((), len(states), limits.check)
    chosen = []
    for permutation, word in letters:
        if permutation not in chain:
            chain.add([permutation])
            chosen.append((permutation, word))
    series = stabilisers.series_of(chain)
    pair = None if series[-1] == 1 else _coprime(chosen, limits)
    return GroupWitness(states, tuple(word for _, word in chosen), series, pair)


def _coprime(letters: Letters, limits: Limits, tries: int | None = None) -> tuple[Word, Word] | None:
    """Two words as `GroupWitness.coprime` wants them: among the shortest, then among random ones."""
    pairs = itertools.chain(_short_pairs(letters), _random_pairs(letters))
    for (x, a), (y, b) in itertools.islice(pairs, tries):
        limits.check()
        orders = order(x), order(y), order(compose(y, x))
        if 1 not in orders and all(math.gcd(m, n) == 1 for m, n in itertools.combinations(orders, 2)):
            return a, b
    return None


def _short_pairs(letters: Letters, most: int = 200) -> Iterator[Letters]:
    """Pairs of products of few letters, those with the shortest first."""
    seen = {tuple(range(len(letters[0][0])))}
    elements: Letters = [(next(iter(seen)), ())]
    for x, word in elements:  # grows while it is read
        for letter, spelled in letters:
            product = compose(letter, x)
            if product not in seen and len(elements) < most:
                seen.add(product)
                elements.append((product, word + spelled))
    elements.sort(key=lambda element: len(element[1]))
    pairs = itertools.product(range(len(elements)), repeat=2)
    for i, j in sorted(pairs, key=lambda pair: len(elements[pair[0]][1]) + len(elements[pair[1]][1])):
        yield [elements[i], elements[j]]


def _random_pairs(letters: Letters) -> Iterator[Letters]:
    """Pairs of powers, of prime order, of random products, with words that can be run."""
    generator = random.Random(0)

    def element() -> tuple[Permutation, Word]:
        x, word = letters[0]
        for letter, spelled in generator.choices(letters, k=generator.randrange(40)):
            x, word = compose(letter, x), word + spelled
        times = order(x) // generator.choice([*factorint(order(x)), 1])
        if times * len(word) > LONGEST:
            return letters[0]
        return reduce(compose, [x] * times), word * times

    while True:
        yield [element(), element()]
