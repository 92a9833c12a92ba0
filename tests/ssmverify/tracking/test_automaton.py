"""Automata, their minimisation and their transition monoids, against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.monoid import transition_monoid
from ssmverify.tracking.automata.named import automaton, counter, parity


@st.composite
def automata(draw, most_states=5, most_letters=3, accepting=False):
    n, k = draw(st.integers(1, most_states)), draw(st.integers(1, most_letters))
    row = st.tuples(*[st.integers(0, n - 1)] * n)
    accept = draw(st.frozensets(st.integers(0, n - 1))) if accepting else None
    return Automaton(tuple("abcdef"[:k]), tuple(draw(row) for _ in range(k)), draw(st.integers(0, n - 1)), accept)


def test_reading_goes_from_left_to_right():
    ff = automaton("flip-flop")
    assert ff.run(ff.word("1r0r1rr")) == 1
    assert ff.transformation(ff.word("r1")) == (1, 1)
    assert ff.spell((0, 1, 2)) == "r01"
    assert ff.spell(()) == "ε"
    assert parity().accepts(parity().word("01011"))
    s3 = automaton("S3")
    assert s3.word(["(0 1)"]) == (0,)
    assert s3.word(s3.spell((0, 1, 1))) == (0, 1, 1)
    assert s3.word(s3.spell(())) == ff.word(ff.spell(())) == ()
    assert counter(3).run([1] * 7) == 1


@given(automata(accepting=True))
def test_the_minimal_automaton_has_the_same_language_and_no_two_states_alike(a):
    small = a.minimal()
    words = [w for k in range(7) for w in itertools.product(range(len(a.letters)), repeat=k)]
    assert all(a.accepts(w) == small.accepts(w) for w in words)
    futures = {tuple(small.run(w, s) in small.accept for w in words[:121]) for s in range(small.states)}
    assert len(futures) == small.states
    assert {small.run(w) for w in words} == set(range(small.states))


@given(automata())
def test_the_monoid_is_what_words_make(a):
    monoid = transition_monoid(a)
    rows = [tuple(row) for row in monoid.elements.tolist()]
    assert monoid.complete
    assert len(set(rows)) == len(rows)
    short = {a.transformation(w) for k in range(5) for w in itertools.product(range(len(a.letters)), repeat=k)}
    assert short <= set(rows)
    for i in range(0, len(rows), 1 + len(rows) // 50):
        assert a.transformation(monoid.word(i)) == rows[i]
        for letter, row in enumerate(a.delta):
            assert rows[monoid.right[i, letter]] == tuple(row[s] for s in rows[i])


@given(automata(most_states=4))
def test_words_are_shortest_and_products_compose(a):
    monoid = transition_monoid(a)
    lengths = [len(monoid.word(i)) for i in range(len(monoid))]
    assert lengths == sorted(lengths)
    i, j = len(monoid) // 2, len(monoid) - 1
    assert a.transformation(monoid.word(j) + monoid.word(i)) == tuple(monoid.elements[monoid.multiply(i, j)])


def test_the_cap():
    full = Automaton(("a", "b", "c"), ((1, 2, 3, 4, 5, 0), (1, 0, 2, 3, 4, 5), (0, 0, 2, 3, 4, 5)))
    assert len(transition_monoid(full)) == 6**6
    part = transition_monoid(full, cap=1000)
    assert not part.complete
    assert len(part) == len(part.elements) == len(part.right) == 1000
    assert len(transition_monoid(full, cap=6**6)) == 6**6
    assert transition_monoid(full, cap=6**6).complete
    assert (part.find(part.elements) == np.arange(1000)).all()


@pytest.mark.parametrize(
    ("letters", "delta", "rest"),
    [
        ((), (), {}),
        (("a",), ((),), {}),
        (("a",), ((0,), (0,)), {}),
        (("a",), ((1,),), {}),
        (("a", "a"), ((0,), (0,)), {}),
        (("a", "b"), ((0,), (0, 1)), {}),
        (("a",), ((0,),), {"start": 1}),
        (("a",), ((0,),), {"accept": frozenset({3})}),
    ],
)
def test_automata_that_are_none(letters, delta, rest):
    with pytest.raises(BadInput):
        Automaton(letters, delta, **rest)


def test_misuse():
    with pytest.raises(BadInput, match="no letter 'z'"):
        parity().word("0z")
    with pytest.raises(BadInput, match="accept="):
        automaton("flip-flop").accepts(())
    with pytest.raises(BadInput, match="accept="):
        automaton("flip-flop").minimal()
