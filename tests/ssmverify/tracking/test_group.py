"""Groups: the composition convention, named groups, and tables that are none."""

import itertools

import numpy as np
import pytest
from sympy.combinatorics import Permutation, PermutationGroup

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.group import closure, cycles, from_permutations, from_table
from ssmverify.tracking.automata.named import automaton, group

ORDERS = {
    "Z1": 1, "Z7": 7, "S1": 1, "S2": 2, "S3": 6, "S5": 120, "A1": 1, "A2": 1, "A3": 3, "A4": 12, "A5": 60, "D3": 6,
    "D4": 8, "Q8": 8, "A4xZ5": 60, "Z2xZ3xZ5": 30, "S6": 720,
}  # fmt: skip


def test_the_latest_factor_stands_on_the_left():
    s3 = group("S3")
    a, b = s3.element((1, 0, 2)), s3.element((0, 2, 1))
    assert s3.names[s3.product([a, b])] == "(0 2 1)"  # the module's worked example
    assert s3.names[s3.table[b, a]] == "(0 2 1)"
    assert s3.names[s3.table[a, b]] == "(0 1 2)"


@pytest.mark.parametrize("name", ORDERS)
def test_a_named_group_is_one(name):
    g = group(name)
    assert g.order == ORDERS[name]
    assert g.identity == 0
    assert (g.table[g.inverse, np.arange(g.order)] == g.identity).all()
    points = np.arange(g.order)
    for c in points if g.order < 200 else points[:20]:
        assert (g.table[g.table[:, c]] == g.table[:, g.table[c]]).all()
    for a, b in itertools.product(range(0, g.order, 7), range(0, g.order, 5)):
        assert (g.permutations[g.table[a, b]] == g.permutations[a][g.permutations[b]]).all()
    assert len(closure([tuple(g.permutations[x].tolist()) for x in g.generators] or [(0,)], 10**4)) == g.order


@pytest.mark.parametrize("name", ["S4", "A5", "D4", "Q8", "A4xZ5"])
def test_sympy_finds_the_same_group(name):
    g = group(name)
    theirs = PermutationGroup([Permutation(g.permutations[x].tolist()) for x in g.generators])
    assert theirs.order() == g.order
    assert theirs.is_abelian == (g.table == g.table.T).all()


def test_elements_of_the_symmetric_group_are_in_lexicographic_order():
    assert group("S4").permutations.tolist() == [list(p) for p in itertools.permutations(range(4))]


def test_quaternions():
    q = group("Q8")
    i, j = q.generators
    minus = q.table[i, i]
    assert minus == q.table[j, j] != q.identity
    assert q.table[i, j] == q.table[minus, q.table[j, i]]


def test_a_large_degree_takes_the_other_way_to_the_table():
    pairs = [[1, 0, *range(2, 40)], [*range(38), 39, 38]]
    g = from_permutations(pairs)
    assert g.order == 4
    assert (g.table == g.table.T).all()


def test_word_problem_and_action_agree():
    s5 = group("S5")
    word = [0, 1, 1, 0, 1, 0, 0, 1]
    prefix = s5.cayley().run(word)
    assert [s5.action().run(word, point) for point in range(5)] == s5.permutations[prefix].tolist()


def test_a_table_reads_back():
    a4 = group("A4")
    again = from_table(a4.table.tolist(), "mine", a4.names)
    assert (again.table == a4.table).all()
    assert again.identity == a4.identity
    assert set(range(12)) == {again.product(w) for k in range(6) for w in itertools.product(again.generators, repeat=k)}


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "square"),
        ([[0, 1], [1]], "square"),
        ([[0, 1], [1, 2]], "none of the elements"),
        ([[1, 1], [1, 1]], "no identity"),
        ([[0, 1], [1, 1]], "no inverse"),
        ([[0, 1, 2], [1, 0, 1], [2, 1, 0]], r"not associative, \(1·1\)·2 is not 1·\(1·2\)"),
    ],
)
def test_a_table_that_is_no_group(rows, why):
    with pytest.raises(BadInput, match=why):
        from_table(rows)


@pytest.mark.parametrize("wrong", [[[0, 0, 1]], [], [[]], [[1, 0], [0, 1, 2]]])
def test_permutations_that_are_none(wrong):
    with pytest.raises(BadInput):
        from_permutations(wrong)


def test_unknown_names_and_too_large_groups():
    with pytest.raises(BadInput, match=r"near it: .*Q8"):
        group("Q9")
    with pytest.raises(BadInput, match="S12 has 479001600 elements"):
        group("S12")
    with pytest.raises(BadInput, match="from 3 to 999"):
        group("D2")
    with pytest.raises(BadInput, match="too many"):
        group("S6xS6")


@pytest.mark.parametrize("name", ["S1", "S2", "Z5", "A5", "Q8", "A4xZ5"])
def test_the_automaton_of_a_group_is_its_action(name):
    assert automaton(name).delta == group(name).action().delta


def test_a_group_too_large_for_a_table_has_an_automaton():
    assert automaton("S12").states == 12
    assert automaton("Z2xS12").states == 14


def test_cycle_notation():
    assert cycles((1, 2, 0, 3, 5, 4)) == "(0 1 2)(4 5)"
    assert cycles((0, 1)) == "e"
