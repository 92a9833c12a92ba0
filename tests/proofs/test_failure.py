"""A proof that fails says which line, which rule, what is left over in the author's names, and where it is false."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from proofs.failure import explain
from proofs.kernel import Fact, NotProved, assume, identity, rewrite, words
from proofs.terms import Eq, Identity, matrix, scalar, size, vector

n = size("n")
x, y, k, A = scalar("x"), scalar("y"), vector("k", n), matrix("A", n, n)


def said(proof: Callable[[], Fact]) -> str:
    with pytest.raises(NotProved) as failure:
        proof()
    return explain(failure.value)


def test_the_line_the_rule_and_the_residual_are_named() -> None:
    message = said(lambda: identity(x + x, x * y))
    assert message.startswith("test_failure.py:")
    assert "identity: the two sides differ by -x y + 2 x" in message
    assert "it was to show ⊢ x + x = x y" in message or "it was to show x + x = x y" in message
    assert "which is false at " in message


def test_residuals_of_words_are_words() -> None:
    assert "the two sides differ by (kᵀ k - 2) k kᵀ" in said(lambda: words((k @ k.T) @ (k @ k.T), 2 * (k @ k.T), []))


def test_a_point_shown_satisfies_what_was_given() -> None:
    unit = Eq(x * x, y)
    message = said(lambda: identity(x * x, y + 1, [unit]))
    assert "differ by -1" in message
    point = dict(part.split(" = ") for part in message.rpartition("which is false at ")[2].split(", "))
    assert Fraction(point["x"]) ** 2 == Fraction(point["y"])


def test_a_rewrite_that_matches_nothing_is_an_error() -> None:
    assert "A does not occur in x = y" in said(lambda: rewrite(assume(Eq(x, y)), assume(Eq(A, Identity(n)))))


def test_what_python_raises_in_a_proof_is_placed_as_well() -> None:
    with pytest.raises(TypeError) as failure:
        A @ vector("k", n + 1)
    assert "test_failure.py:" in explain(failure.value)


def test_a_fact_shows_as_a_line() -> None:
    assert repr(identity(x / x, x / x)) == "x ≠ 0 ⊢ x/x = x/x"
