"""Words and their labels: two oracles and a third by hand, what each kind of word promises, and files."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssmverify.errors import BadInput
from ssmverify.tracking import words as w
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.named import automaton, group

GROUPS = ("Z1", "Z7", "S3", "Q8", "A5", "A4xZ5", "S5", "S6")
KINDS = [w.uniform, w.letters_only, w.padded, w.there_and_back, w.near_identity, w.escaping, w.runs]


def by_hand(g, word):
    """Compose the permutations themselves."""
    held, labels = np.arange(g.permutations.shape[1]), []
    for letter in word:
        held = g.permutations[letter][held]  # the new one acts last
        labels.append(g.element(held.tolist()))
    return labels


@given(st.sampled_from(GROUPS), st.integers(1, 5), st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_the_two_oracles_and_composition_by_hand_agree(name, batch, length, seed):
    g = group(name)
    words = w.uniform(np.random.default_rng(seed), g, batch, length)
    labels = w.prefix_products(g, words)
    assert labels.tolist() == w.prefix_products_by_doubling(g, words).tolist()
    assert labels.tolist() == [by_hand(g, word) for word in words]
    assert labels[:, -1].tolist() == [g.product(word) for word in words.tolist()]


@given(st.data())
@settings(deadline=None)
def test_states_of_an_automaton(data):
    n, k = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 3))
    rows = data.draw(st.lists(st.tuples(*[st.integers(0, n - 1)] * n), min_size=k, max_size=k))
    a = Automaton(tuple("abc"[:k]), tuple(rows), data.draw(st.integers(0, n - 1)))
    words = np.array(data.draw(st.lists(st.lists(st.integers(0, k - 1), min_size=9, max_size=9), min_size=1)))
    expected = [[a.run(word[: t + 1]) for t in range(9)] for word in words.tolist()]
    assert w.states(a, words).tolist() == w.states_by_doubling(a, words).tolist() == expected


def test_labels_are_the_states_of_the_cayley_automaton():
    g = group("A5")
    words = w.uniform(np.random.default_rng(1), g, 4, 30)
    cayley = g.cayley(range(60))
    assert (w.states(cayley, words) == w.prefix_products(g, words)).all()
    assert w.states(automaton("parity"), np.array([[0, 1, 1, 1]])).tolist() == [[0, 1, 0, 1]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["S3", "A5", "A4xZ5", "S6"])
@pytest.mark.parametrize("length", [1, 2, 3, 64])
def test_every_kind_has_its_shape_and_its_seed(kind, name, length):
    g = group(name)
    one, again, other = (kind(np.random.default_rng(seed), g, 50, length) for seed in (3, 3, 4))
    assert one.shape == (50, length)
    assert one.dtype == w.smallest(g.order)
    assert (one == again).all()
    assert (one != other).any()
    assert one.min() >= 0
    assert one.max() < g.order


def test_what_the_kinds_promise():
    g, rng = group("A5"), np.random.default_rng(0)
    assert len(np.unique(w.uniform(rng, g, 100, 100))) == 60
    assert set(w.letters_only(rng, g, 9, 99).ravel().tolist()) == set(g.generators)
    assert set(w.letters_only(rng, g, 9, 99, [5, 7]).ravel().tolist()) == {5, 7}
    assert 0.25 < (w.padded(rng, g, 50, 100, 0.3) == g.identity).mean() < 0.36
    back = w.there_and_back(rng, g, 20, 31)
    labels = w.prefix_products(g, back)
    assert (labels[:, 19] == g.identity).all()
    assert (labels[:, 20:] == w.prefix_products(g, back[:, 20:])).all()
    near = w.near_identity(rng, g, 30, 17)
    assert ((near != g.identity).sum(axis=1) == 1).all()
    assert (w.prefix_products(g, near)[:, -1] == near[near != g.identity]).all()
    repeated = w.runs(rng, g, 2000, 5)
    assert (repeated == repeated[:, :1]).all()
    assert set(repeated[:, 0].tolist()) == set(range(60)) - {g.identity}


def test_one_change_changes_every_later_label_and_no_earlier_one():
    g, rng = group("S5"), np.random.default_rng(0)
    words = w.uniform(rng, g, 40, 50)
    changed = w.one_change(rng, g, words)
    place = (words != changed).argmax(axis=1)
    assert ((words != changed).sum(axis=1) == 1).all()
    differ = w.prefix_products(g, words) != w.prefix_products(g, changed)
    assert (differ == (np.arange(50) >= place[:, None])).all()


def test_escaping_leaves_the_subgroup_half_way():
    g, rng = group("A5"), np.random.default_rng(0)
    inside = w.stabiliser(g)
    assert len(inside) == 12
    labels = w.prefix_products(g, w.escaping(rng, g, 50, 40))
    assert np.isin(labels[:, :20], inside).all()
    assert not np.isin(labels[:, 20:], inside).all()
    with pytest.raises(BadInput, match="no subgroup"):
        w.escaping(rng, g, 5, 10, [0, 1])


def test_commutator_towers_end_in_the_derived_groups():
    rng = np.random.default_rng(0)
    sizes = {}
    for name in ("Z7", "A4xZ5", "S4", "A5"):
        g = group(name)
        ends = []
        for depth in range(4):
            tower = w.commutator_tower(rng, g, 4000, depth)
            assert tower.shape == (4000, 4**depth)
            ends.append(len(np.unique(w.prefix_products(g, tower)[:, -1])))
        sizes[name] = ends
    assert sizes == {"Z7": [7, 1, 1, 1], "A4xZ5": [60, 4, 1, 1], "S4": [24, 12, 4, 1], "A5": [60, 60, 60, 60]}


def test_a_group_of_one_element_has_no_letters_to_change():
    with pytest.raises(BadInput, match="one element"):
        w.near_identity(np.random.default_rng(0), group("Z1"), 1, 3)


# -------------------------------------------------------------------------------------------------------- files
@pytest.mark.parametrize("name", ["S3", "A4xZ5", "S5"])
def test_files_follow_the_convention_of_the_data_sets_and_read_back(name, tmp_path):
    g, file = group(name), tmp_path / "words.csv"
    words = w.uniform(np.random.default_rng(0), g, 30, 12)
    w.write_csv(file, g, words, seed=7)
    with file.open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["seed", "input", "target"]
    assert rows[0]["seed"] == "7"
    for row in rows:
        held, targets = g.identity, []
        for x in map(int, row["input"].split()):
            held = int(g.table[held, x])  # theirs: acc * x
            targets.append(held)
        assert row["target"] == " ".join(map(str, targets))
    assert (w.read_csv(file, g) == words).all()


def test_a_row_of_the_data_sets_by_hand(tmp_path):
    """S3 in lexicographic order, x = (0 2 1) then y = (1 0 2) as image lists: x·y sends 0 to x(1) = 2."""
    file = tmp_path / "S3=2.csv"
    file.write_text("seed,input,target\n1,1 2,1 4\n")
    words = w.read_csv(file, group("S3"))
    assert words.tolist() == [[1, 2]]  # both are their own inverses
    file.write_text("seed,input,target\n1,1 2,1 3\n")  # y·x
    with pytest.raises(BadInput, match="line 2: the target at place 1 is not the product in S3"):
        w.read_csv(file, group("S3"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no columns"),
        ("a,b\n1,2\n", "no columns"),
        ("seed,input,target\n1,é,0\n", "no text in UTF-8"),
        ("seed,input,target\n", "there must be rows"),
        ("seed,input,target\n1,0 1,0\n", "one length"),
        ("seed,input,target\n1,0 9,0 9\n", r"outside 0\.\.5"),
        ("seed,input,target\n1,0 x,0 1\n", "line 2: '0 x' is no list"),
        ("seed,input,target\n1\n", "there must be rows|one length"),
    ],
)
def test_files_that_will_not_do(text, why, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(BadInput, match=why):
        w.read_csv(file, group("S3"))
