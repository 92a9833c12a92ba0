"""Stabiliser chains against enumeration, and against GAP's derived series of the small groups."""

from __future__ import annotations

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from ssmverify.tracking.automata import stabilisers, witness
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.classify import NON_SOLVABLE, classify
from ssmverify.tracking.automata.group import Permutation, closure
from ssmverify.tracking.automata.permutation_groups import small_groups


def test_the_small_groups_have_gap_s_derived_series() -> None:
    assert len(small_groups()) == 312
    for group in small_groups().values():
        assert stabilisers.derived_series([tuple(g) for g in group.generators]) == group.derived_series


@given(st.integers(2, 7).flatmap(lambda n: st.lists(st.permutations(range(n)).map(tuple), min_size=1, max_size=3)))
@settings(max_examples=100, deadline=None)
def test_a_chain_knows_its_elements(generators: list[Permutation]) -> None:
    elements = closure(generators, 5040)
    chain = stabilisers.Chain(generators, len(generators[0]))
    assert chain.order == len(elements)
    shuffled = list(range(len(generators[0])))
    random.Random(0).shuffle(shuffled)
    assert (tuple(shuffled) in chain) == (tuple(shuffled) in elements)
    assert stabilisers.derived_series(generators) == witness.derived_series(generators)


def wreath(m: int, k: int) -> list[Permutation]:
    """S_m on each of k blocks, and S_k on the blocks."""
    first = [1, 0, *range(2, m * k)]
    turn = [(i + 1) % m if i < m else i for i in range(m * k)]
    blocks = [(i + m) % (m * k) for i in range(m * k)]
    swap = [i + m if i < m else i - m if i < 2 * m else i for i in range(m * k)]
    return [tuple(g) for g in (first, turn, blocks, swap)]


def test_wreath_products_have_their_order() -> None:
    for m, k in ((2, 5), (3, 4), (4, 4), (5, 3)):
        generators = wreath(m, k)
        assert stabilisers.Chain(generators, m * k).order == math.factorial(m) ** k * math.factorial(k)
    assert stabilisers.derived_series(wreath(4, 4))[-1] == 1


def test_a_jordan_element_is_none_of_a_smaller_group() -> None:
    """Primitive or not, transitive or not: no group below the alternating one has such a cycle."""
    for generators in (wreath(3, 4), wreath(5, 3), [(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0)]):
        assert stabilisers.jordan_element([(g, (i,)) for i, g in enumerate(generators)]) is None


def test_large_random_permutations_are_decided_at_once() -> None:
    generator = random.Random(3)
    for n in (60, 100, 200):
        rows = tuple(tuple(generator.sample(range(n), n)) for _ in range(2))
        certificate = classify(Automaton(("a", "b"), rows), cap=1000)
        assert certificate.verdict == NON_SOLVABLE
        assert certificate.decided
        assert witness.problems(certificate) == []
        assert certificate.groups[0].order in (math.factorial(n), math.factorial(n) // 2)
