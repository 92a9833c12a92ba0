"""Attacks on the kernel and on the printer that got through once, each named after its kind."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from proofs.kernel import Claim, Frozen, NotProved, Sequent, cases, conjunction, identity, refute
from proofs.kernel.rules import RULES
from proofs.printing import latex, statement, text
from proofs.terms import (
    ONE,
    And,
    Eq,
    Identity,
    Le,
    Mul,
    Nat,
    Node,
    Symbol,
    Term,
    UniqueMinimiser,
    Zero,
    matrix,
    product,
    scalar,
    sequence,
    size,
    summation,
    term,
    vector,
)

x, y = scalar("x"), scalar("y")
n = size("n")


def _full(rows: int, columns: int, value: int) -> Any:
    return np.full((rows, columns), Fraction(value), dtype=object)


def test_what_is_remembered_of_a_statement_does_not_depend_on_the_letter_that_one_equal_to_it_had() -> None:
    """|s - e|^2 is least at s = e; the number x, taken for a competitor in R^n, would refute that."""
    e = vector("e", n)

    def least(s: Symbol) -> Sequent:
        objective = s().T @ s() - 2 * (e.T @ s()) + e.T @ e + (x - x)
        return Sequent(frozenset(), UniqueMinimiser(s, (), objective, e))

    point = {"n": 2, "x": Fraction(1), "e": np.array([[Fraction(1)], [Fraction(0)]], dtype=object)}
    for letter in ("s", "x"):
        with pytest.raises(NotProved):
            refute(least(sequence(letter, n, 1, 0)), point)


def test_a_point_is_of_no_class_that_a_user_makes() -> None:
    """x = x, where each look at x finds another value."""

    class Name(str):
        looks = 0

        def __hash__(self) -> int:
            return hash("x")

        def __eq__(self, _: object) -> bool:
            Name.looks += 1
            return Name.looks % 2 == 0

    class Dict(dict[str, Any]):
        def items(self) -> Any:
            return [(Name("x"), Fraction(1)), (Name("x"), Fraction(2)), ("x", Fraction(3))]

    class Mine(Frozen):
        def items(self) -> Any:
            return Dict().items()

    for point in (Dict(x=Fraction(1)), Mine({"x": Fraction(1)})):
        with pytest.raises(TypeError, match="a point is a dict"):
            refute(Sequent(frozenset(), Eq(x, x)), point)


def test_the_point_of_a_refutation_cannot_be_changed_afterwards() -> None:
    a, b = matrix("A", 2, 2), matrix("B", 2, 2)
    refuted = refute(Sequent(frozenset(), Eq(a, b)), {"A": _full(2, 2, 1), "B": _full(2, 2, 2)})
    with pytest.raises(ValueError, match="WRITEABLE"):
        refuted.point["A"].setflags(write=True)


def test_there_is_no_way_to_a_rule_past_its_door() -> None:
    """0 <= 1 |- 0 = 1, by an inequality that `identity` would take for an equation."""
    assert not any(hasattr(rule, "__wrapped__") for rule in RULES.values())
    with pytest.raises(TypeError, match="an Eq is needed"):
        identity(term(0), term(1), given=[Le(term(0), term(1))])  # type: ignore[list-item]


def test_an_identity_of_size_1_is_a_number() -> None:
    a = matrix("A", 2, 2)
    for left, right in ((Mul((Identity(ONE), a)), a), (Mul((Zero(ONE, ONE), a)), Zero(size("n") * 0 + 2, n * 0 + 2))):
        assert cases(Sequent(frozenset(), Eq(left, right)), [{"A": _full(2, 2, 1)}])


def test_a_conjunction_says_something() -> None:
    for make in (lambda: And(()), conjunction):
        with pytest.raises(TypeError):
            make()


# -------------------------------------------------------------------------------------------- what prints alike
def _least(body: Term, symbol: Symbol) -> list[str]:
    return statement(Claim("a.b", UniqueMinimiser(symbol, (), body, term(0))))


def test_the_letter_of_a_minimiser_is_that_of_no_other_variable_within() -> None:
    s, t = sequence("i", 1, 1, 0), size("t")
    once, twice = Mul((s(), Nat(t), Nat(t))), Mul((s(), s(), Nat(t)))
    assert _least(summation(t, 0, 3, once), s) != _least(summation(t, 0, 3, twice), s)


@pytest.mark.parametrize("name", ["a: 0 ≤ x\nb", "a: b", "", " a", "a\x1b[2K"])
def test_the_name_of_a_hypothesis_passes_for_nothing_else(name: str) -> None:
    with pytest.raises(TypeError, match="on one line"):
        Claim("a.b", Eq(x, x), {name: Le(x, y)})


@pytest.mark.parametrize("name", ["nǃ", "ǀxǀ", "ǆ", "ĳ", "ŉ"])
def test_a_name_looks_like_no_sign_and_like_no_product(name: str) -> None:
    with pytest.raises(TypeError, match="is no name"):
        size(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [(Mul((term(2), term(3))), term(23)), (Mul((x, term(1))), scalar("x1")), (Mul((Nat(n), term(2))), Nat(size("n2")))],
)
def test_factors_do_not_run_together_where_spaces_are_not_seen(one: Term, other: Term) -> None:
    assert latex(one).replace(" ", "") != latex(other).replace(" ", "")


@pytest.mark.parametrize("odd", [Mul((term(-1),)), product(size("t"), 0, 2, scalar("x⁺")), Mul((scalar("x⁺"),) * 2)])
def test_every_term_can_be_printed(odd: Node) -> None:
    assert text(odd)
    assert "}^" not in latex(odd)
