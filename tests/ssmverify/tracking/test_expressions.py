"""Our reading of regular expressions against Python's, and what is refused."""

from __future__ import annotations

import itertools
import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.expressions import from_expression

ALPHABET = "abc*"
WORDS = ["".join(word) for length in range(5) for word in itertools.product(ALPHABET, repeat=length)]
REPEATS = ("*", "+", "?", "{0}", "{0,0}", "{,0}", "{1}", "{2}", "{0,2}", "{1,3}", "{2,}", "{,2}", "{0,}")

leaves = st.sampled_from(["a", "b", "c", "", ".", "[ab]", "[^a]", "[a-c]", "(?:b)", "\\*", "()"])
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("({}|{})".format, inner, inner),
        st.builds("{}|{}".format, inner, inner),
        st.builds("({}){}".format, inner, st.sampled_from(REPEATS)),
        st.builds("{}{}".format, st.sampled_from("abc"), st.sampled_from(REPEATS)),
    ),
    max_leaves=8,
)


def compiled(expression: str) -> re.Pattern[str] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return re.compile(expression)
        except (re.error, OverflowError):
            return None


def disagreements(expression: str, automaton: Automaton, pattern: re.Pattern[str]) -> list[str]:
    return [w for w in WORDS if automaton.accepts(automaton.word(w)) != bool(pattern.fullmatch(w))]


@given(expressions)
@settings(max_examples=1000, deadline=None)
def test_an_expression_means_what_python_takes_it_for(expression: str) -> None:
    pattern = compiled(expression)
    assert pattern is not None
    refused = ""
    try:
        automaton = from_expression(expression, ALPHABET)
    except BadInput as error:
        refused = str(error)
    if refused:
        assert "2,000 at most" in refused
        return
    assert disagreements(expression, automaton, pattern) == []


@given(st.text("ab()|*+?.[]{}^$\\1,-2&: ", max_size=8))
@settings(max_examples=500, deadline=None)
def test_what_is_read_at_all_is_read_as_python_does(text: str) -> None:
    try:
        automaton = from_expression(text, ALPHABET)
    except BadInput:
        return
    pattern = compiled(text)
    assert pattern is not None
    assert disagreements(text, automaton, pattern) == []


def test_counts_of_none_are_none() -> None:
    """The language is b*; another library reads {0} as at most once."""
    automaton = from_expression("(b|(aa){0})*")
    assert automaton.letters == ("a", "b")
    assert [automaton.accepts(automaton.word(w)) for w in ("", "bb", "aa", "aab")] == [True, True, False, False]


def test_any_letter_depends_on_the_letters() -> None:
    assert from_expression("(..)*a?", "a").states == 1
    assert from_expression("(..)*a?", "ab").states == 3


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("((a)\\2)*", "back-reference"),
        ("a$", "an anchor"),
        ("^a", "an anchor"),
        ("(?=a)b", "look-arounds"),
        ("(?P<x>a)", "look-arounds"),
        ("a**", "a repeat follows a repeat"),
        ("a*?", "a repeat follows a repeat"),
        ("(a", "is not closed"),
        ("a)|", "closes no group"),
        ("*a", "repeats nothing"),
        ("a b", "a space is no letter"),
        ("a{x}", "hold a count"),
        ("a{3,2}", "ends before it begins"),
        ("[b-a]", "ends before it begins"),
        ("[]a]", "is empty"),
        ("[a", "is not closed"),
        ("\\d", "names no letter"),
        ("a&b", "no operation"),
        ("a.b", "--letters"),
        ("[^a]", "--letters"),
        ("()", "names no letters"),
        ("a{100000}", "2,000 at most"),
        ("(a{50}b){1,50}", "2,000 at most"),
        ("(" * 200, "nested"),
    ],
)
def test_what_is_refused_is_told_in_one_sentence(expression: str, why: str) -> None:
    with pytest.raises(BadInput, match=re.escape(why)) as refused:
        from_expression(expression)
    assert "\n" not in str(refused.value)


def test_letters_outside_the_alphabet_are_refused() -> None:
    with pytest.raises(BadInput, match="has c, which"):
        from_expression("abc", "ab")
