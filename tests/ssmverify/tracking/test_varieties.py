"""The finer classes against their definitions on the monoid."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.classify import APERIODIC, classify
from ssmverify.tracking.automata.expressions import from_expression
from ssmverify.tracking.automata.group import Permutation

Element = Permutation


def then(x: Element, y: Element) -> Element:
    """x is read first."""
    return tuple(y[s] for s in x)


def by_definition(automaton: Automaton) -> dict[str, bool]:
    """From all products of letters, S, and M with the identity."""
    letters = set(automaton.delta)
    S = set(letters)
    while new := {then(x, a) for x in S for a in letters} - S:
        S |= new
    identity = tuple(range(automaton.states))
    M = S | {identity}
    idempotents = {e for e in S if then(e, e) == e}
    right = {x: frozenset(then(x, m) for m in M) for x in M}
    left = {x: frozenset(then(m, x) for m in M) for x in M}
    two_sided = {x: frozenset(then(then(m, x), k) for m in M for k in M) for x in M}
    regular = {x for x in M if any(then(then(x, m), x) == x for m in M)}
    local = [{then(then(e, s), e) for s in S} for e in idempotents]
    return {
        "definite": all(len(set(e)) == 1 for e in idempotents),
        "reverse definite": all(then(e, s) == e for s in S for e in idempotents),
        "R-trivial": len(set(right.values())) == len(M),
        "L-trivial": len(set(left.values())) == len(M),
        "J-trivial": len(set(two_sided.values())) == len(M),
        "DA": all(then(x, x) == x for x in regular),
        "locally testable": all(
            then(x, x) == x and then(x, y) == then(y, x) for T in local for x, y in itertools.product(T, repeat=2)
        ),
    }


rows = st.integers(1, 4).flatmap(
    lambda n: st.lists(
        st.tuples(*[st.integers(0, n - 1)] * n).map(lambda r: tuple(sorted(r)))
        | st.tuples(*[st.integers(0, n - 1)] * n),
        min_size=1,
        max_size=3,
    )
)


@given(rows)
@settings(max_examples=300, deadline=None)
def test_each_class_is_what_its_definition_says(delta: list[Permutation]) -> None:
    automaton = Automaton(tuple("abc"[: len(delta)]), tuple(delta))
    certificate = classify(automaton)
    if certificate.verdict == APERIODIC:
        assert {f.name: f.holds for f in certificate.finer} == by_definition(automaton)
    else:
        assert certificate.finer == ()


@pytest.mark.parametrize(
    ("expression", "inside"),
    [
        ("(a|b)*ab", {"definite", "L-trivial", "DA", "locally testable"}),
        ("ab(a|b)*", {"reverse definite", "R-trivial", "DA", "locally testable"}),
        ("(a|b)*a(a|b)*b(a|b)*", {"R-trivial", "J-trivial", "L-trivial", "DA", "locally testable"}),
        ("(ab)*", {"locally testable"}),
        ("(a|b|c)*ab(a|b|c)*", {"locally testable"}),
        ("c*a(a|b|c)*", {"R-trivial", "DA"}),
    ],
)
def test_known_languages_have_their_classes(expression: str, inside: set[str]) -> None:
    finer = classify(from_expression(expression)).finer
    assert {f.name for f in finer if f.holds} == inside


def test_a_definite_language_of_thousands_of_states_is_decided_without_its_monoid() -> None:
    certificate = classify(from_expression("(a|b)*a(a|b){12}"), cap=10)
    assert (certificate.automaton.states, certificate.verdict, certificate.decided) == (8192, APERIODIC, True)
    assert {f.name for f in certificate.finer if f.holds} == {"definite", "L-trivial", "DA", "locally testable"}
    assert {f.name for f in certificate.finer if f.holds is None} == set()
