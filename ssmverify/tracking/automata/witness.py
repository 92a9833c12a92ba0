"""Checks a certificate by another way than it was made: words are run, and the monoid's elements taken one by one.

An element m of a finite monoid is in a subgroup exactly if m and m·m have images of the same size; the subgroup's
idempotent is then the power of m that is the identity on the image. Sorting the elements by it gives every maximal
subgroup, with no sets of states, no components and no group theory from a library.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.classify import NON_SOLVABLE, Certificate
from ssmverify.tracking.automata.group import Permutation, closure, compose, cycle_lengths, order
from ssmverify.tracking.automata.group_witness import GroupWitness
from ssmverify.tracking.automata.monoid import TransitionMonoid
from ssmverify.tracking.automata.orbit import Rows

LARGEST = 10**5  # elements of a group that is enumerated here


def problems(certificate: Certificate) -> list[str]:
    """What is wrong with a certificate: with its groups and, where `checks_all`, with there being no others."""
    wrong = [text for group in certificate.groups for text in _group_problems(certificate.automaton, group)]
    if checks_all(certificate):
        wrong.extend(_monoid_problems(certificate))
    return wrong


def checks_all(certificate: Certificate) -> bool:
    """Whether the monoid's elements are gone through: where they are all there, not too many, and could tell more."""
    monoid = certificate.monoid
    return monoid.complete and len(monoid) <= LARGEST and certificate.verdict != NON_SOLVABLE


def _group_problems(automaton: Automaton, witness: GroupWitness) -> Iterator[str]:
    letters = [_run(automaton, witness.states, word) for word in witness.words]
    if any(sorted(letter) != list(range(len(witness.states))) for letter in letters):
        yield f"a word does not permute the states {witness.states}"
        return
    small = witness.order is not None and witness.order <= LARGEST
    if small and (series := derived_series(letters)) != witness.derived_series:
        yield f"the words generate a group with the derived series {series}, not {witness.derived_series}"
    if witness.solvable == (witness.coprime is not None or witness.jordan is not None):
        yield "the group is called solvable, and a witness says that it is not, or neither"
    if witness.coprime is not None:
        x, y = (_run(automaton, witness.states, word) for word in witness.coprime)
        orders = order(x), order(y), order(compose(y, x))
        if 1 in orders or any(math.gcd(m, n) > 1 for m, n in itertools.combinations(orders, 2)):
            yield f"the orders {orders} are not pairwise coprime and greater than 1"
    if witness.jordan is not None:
        yield from _jordan_problems(automaton, witness, letters)


def _jordan_problems(automaton: Automaton, witness: GroupWitness, letters: list[Permutation]) -> Iterator[str]:
    n = len(witness.states)
    product = _run(automaton, witness.states, witness.jordan or ())
    primes = [p for p in cycle_lengths(product) if n < 2 * p < 2 * (n - 2) and _primes(p) == {p}]
    if not primes or not _spelled_by(witness.jordan or (), witness.words):
        yield f"no product of the words has a cycle of prime length between {n // 2} and {n - 2}"
    reached, waiting = {0}, [0]
    while waiting:
        point = waiting.pop()
        new = {letter[point] for letter in letters} - reached
        reached |= new
        waiting.extend(new)
    if len(reached) < n:
        yield f"the words lead from one state to {len(reached)} of the {n} states only"
    odd = any(sum(length - 1 for length in cycle_lengths(letter)) % 2 for letter in letters)
    half = math.factorial(n) // 2
    if witness.derived_series != ((2 * half, half) if odd else (half,)):
        kind = "symmetric" if odd else "alternating"
        yield f"the group is the {kind} one of {n} states, and other orders are claimed"


def _spelled_by(word: tuple[int, ...], words: tuple[tuple[int, ...], ...]) -> bool:
    """Whether the word is a product of the words."""
    ends = {0}
    for at in range(len(word)):
        if at in ends:
            ends |= {at + len(w) for w in words if word[at : at + len(w)] == w}
    return len(word) in ends


def _run(automaton: Automaton, states: tuple[int, ...], word: tuple[int, ...]) -> Permutation:
    ends = [automaton.run(word, state) for state in states]
    return tuple(states.index(end) if end in states else -1 for end in ends)


def derived_series(generators: list[Permutation]) -> tuple[int, ...]:
    """The orders of G, G', G'', ... until 1 or a group that is its own derived group, by enumeration."""
    orders = [len(closure(generators, LARGEST))]
    while orders[-1] > 1:
        generators = _derived(generators)
        orders.append(len(closure(generators, LARGEST)))
        if orders[-1] == orders[-2]:
            return tuple(orders[:-1])
    return tuple(orders)


def _derived(generators: list[Permutation]) -> list[Permutation]:
    """Generators of the derived group: the generators' commutators, and conjugates until it is normal."""
    inverse = {g: tuple(np.argsort(g).tolist()) for g in generators}
    new = [compose(compose(a, b), compose(inverse[a], inverse[b])) for a, b in itertools.combinations(generators, 2)]
    chosen = [tuple(range(len(generators[0])))]
    group = set(chosen)
    while new:
        element = new.pop()
        if element not in group:
            chosen.append(element)
            group = closure(chosen, LARGEST)
            new.extend(compose(compose(g, element), inverse[g]) for g in generators)
    return chosen


def _monoid_problems(certificate: Certificate) -> Iterator[str]:
    primes, length = set(certificate.primes), certificate.derived_length or 0
    seen = 0
    for elements in maximal_subgroups(certificate.monoid):
        if any(len(elements) % p == 0 for p in _primes(len(elements)) - primes):
            yield f"there is a group of order {len(elements)}, and only the primes {sorted(primes)} are claimed"
        series = derived_series(_generators(elements))
        if series[-1] > 1 or len(series) - 1 > length:
            yield f"there is a group with the derived series {series}, and derived length {length} is claimed"
        seen = max(seen, len(series) - 1)
    if seen < length:
        yield f"no maximal subgroup has derived length {length}"


def _generators(elements: list[Permutation]) -> list[Permutation]:
    """A few elements that generate the group."""
    chosen = elements[:1]
    while left := set(elements) - closure(chosen, LARGEST):
        chosen.append(min(left))
    return chosen


def _primes(n: int) -> set[int]:
    return {p for p in range(2, n + 1) if n % p == 0 and all(p % q for q in range(2, math.isqrt(p) + 1))}


def maximal_subgroups(monoid: TransitionMonoid) -> Iterator[list[Permutation]]:
    """The elements of each maximal subgroup that is not trivial, as permutations of its image; one for each image."""
    rows = monoid.elements
    images = _images(rows)
    in_group = np.flatnonzero(images.sum(axis=1) == _images(np.take_along_axis(rows, rows, axis=1)).sum(axis=1))
    rows, images = rows[in_group], images[in_group]
    inverse = np.zeros_like(rows)
    for state in range(rows.shape[1]):
        here = np.flatnonzero(images[:, state])
        inverse[here, rows[here, state]] = state
    members: dict[bytes, list[int]] = defaultdict(list)
    for i, idempotent in enumerate(np.take_along_axis(inverse, rows, axis=1)):
        members[idempotent.tobytes()].append(i)
    done = set()
    for group in members.values():
        image = np.flatnonzero(images[group[0]])
        if len(group) > 1 and image.tobytes() not in done:
            done.add(image.tobytes())
            yield [tuple(row) for row in np.searchsorted(image, rows[group][:, image]).tolist()]


def _images(rows: Rows) -> NDArray[np.bool_]:
    """Of each transformation, which states are in its image."""
    images = np.zeros(rows.shape, bool)
    np.put_along_axis(images, rows.astype(np.intp), True, axis=1)
    return images


def largest_index(monoid: TransitionMonoid) -> int:
    """The least k such that, for each element m, m^k is in a subgroup."""
    elements = power = monoid.elements
    images, k = _images(power), 1
    while True:
        further = np.take_along_axis(elements, power, axis=1)
        before, images = images, _images(further)
        if not (left := (before != images).any(axis=1)).any():
            return k
        elements, power, images, k = elements[left], further[left], images[left], k + 1
