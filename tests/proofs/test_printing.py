"""Terms and formulas as text and as LaTeX: brackets where they are needed, and bound letters that clash with none."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest
from flint import fmpq

from proofs import recurrence
from proofs.derivation import derivations
from proofs.kernel import Sequent, assume, cases, conjunction, refute
from proofs.longhorn import update as longhorn
from proofs.printing import Latex, Text, latex, sequent, statement, text
from proofs.terms import (
    Add,
    And,
    Eq,
    Le,
    Lt,
    Mul,
    Nat,
    Term,
    Transpose,
    for_all,
    index_le,
    matrix,
    product,
    scalar,
    sequence,
    size,
    summation,
    term,
    vector,
)

n, m, i, j = (size(name) for name in "nmij")
x, y, z = scalar("x"), scalar("y"), scalar("z")
A, B, C = (matrix(name, n, n) for name in "ABC")
a, p = sequence("a"), sequence("p", arity=2)
square = x * x


@pytest.mark.parametrize(
    ("shown", "in_latex", "printed"),
    [
        ("x + y - z", "x + y - z", x + y - z),
        ("x - (y + z)", r"x - \left(y + z\right)", x - (y + z)),
        ("x - (y - z)", r"x - \left(y - z\right)", x - (y - z)),
        ("-(x + y)", r"-\left(x + y\right)", -(x + y)),
        ("x - 1", "x - 1", x + term(-1)),
        ("x (-1)", r"x \left(-1\right)", x * -1),
        ("(x + y) z", r"\left(x + y\right) z", (x + y) * z),
        ("x/y", r"\frac{x}{y}", x / y),
        ("(x/y) z", r"\frac{x}{y} z", (x / y) * z),
        ("x/(y z)", r"\frac{x}{y z}", x / (y * z)),
        ("x/(y/z)", r"\frac{x}{\frac{y}{z}}", x / (y / z)),
        ("(x y/z) x", r"x \frac{y}{z} x", (x * (y / z)) * x),
        ("(1/2) x", r"\frac{1}{2} x", term(Fraction(1, 2)) * x),
        ("x²", "x^{2}", square),
        ("x^3", "x^{3}", Mul((x, x, x))),
        ("(x²)²", r"\left(x^{2}\right)^{2}", square * square),
        ("(x + y)²", r"\left(x + y\right)^{2}", (x + y) * (x + y)),
        ("(x/y)²", r"\left(\frac{x}{y}\right)^{2}", (x / y) * (x / y)),
        ("x²/y²", r"\frac{x^{2}}{y^{2}}", square / (y * y)),
        ("(2n)²", r"\left(2n\right)^{2}", Nat(2 * n) * Nat(2 * n)),
        ("(n+1)²", r"\left(n+1\right)^{2}", Nat(n + 1) * Nat(n + 1)),
        ("2n x", "2n x", Nat(2 * n) * x),
        ("A (B C)", r"A \left(B C\right)", A @ (B @ C)),
        ("A B C", "A B C", (A @ B) @ C),
        ("(A B)ᵀ", r"\left(A B\right)^{\top}", (A @ B).T),
        ("Aᵀ Bᵀ", r"A^{\top} B^{\top}", A.T @ B.T),
        ("(Aᵀ)ᵀ", r"\left(A^{\top}\right)^{\top}", Transpose(A.T)),
        ("(∑[i=1..n] a_i) x", r"\left(\sum_{i=1}^{n} a_{i}\right) x", summation(j, 1, n, a(j)) * x),
        ("∑[i=1..n] (a_i + x)", r"\sum_{i=1}^{n} \left(a_{i} + x\right)", summation(j, 1, n, a(j) + x)),
        ("∏[i=1..n] (∏[j=1..i] a_j)", r"\prod_{i=1}^{n} \left(\prod_{j=1}^{i} a_{j}\right)",
         product(j, 1, n, product(i, 1, j, a(i)))),
        ("x^(n+1)", "x^{n+1}", product(j, 0, n, x)),
        ("(x + 1)^n", r"\left(x + 1\right)^{n}", product(j, 1, n, x + 1)),
        ("(n+1)!", r"\left(n+1\right)!", product(j, 0, n, Nat(j + 1))),
        ("∏[i=2..n] x", r"\prod_{i=2}^{n} x", product(j, 2, n, x)),
        ("p_ij", "p_{i,j}", p(i, j)),
        ("p(i+1,j)", "p_{i+1,j}", p(i + 1, j)),
        ("p_12", "p_{1,2}", p(1, 2)),
        ("a(12)", "a_{12}", a(12)),
        ("β\u0302₁", r"\hat{\beta}_{1}", scalar("β\u0302₁")),
        ("x₁_i", "{x_{1}}_{i}", sequence("x₁")(i)),
    ],
)  # fmt: skip
def test_terms(shown: str, in_latex: str, printed: Term) -> None:
    assert text(printed) == shown
    assert latex(printed) == in_latex


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("x = y", Eq(x, y)),
        ("n+1 ≤ m", index_le(n + 1, m)),
        ("(0 < x and x < 1) for every i", for_all(i, And((Lt(term(0), x), Lt(x, term(1)))))),
        ("(0 ≤ a_i for every i) and x = y", And((for_all(i, Le(term(0), a(i))), Eq(x, y)))),
        ("(p_ji = x for every j) for every i", for_all(i, for_all(j, Eq(p(j, i), x)))),
    ],
)
def test_formulas(shown: str, printed: Any) -> None:
    assert text(printed) == shown


def test_a_refutation_and_cases_show_the_hypotheses() -> None:
    claim = Sequent(frozenset([Le(term(0), x)]), Lt(term(0), x))
    assert text(refute(claim, {"x": fmpq(0)})) == "not: 0 ≤ x ⊢ 0 < x"
    assert text(cases(claim, [{"x": fmpq(1)}])) == "at 1 points: 0 ≤ x ⊢ 0 < x"
    assert sequent(conjunction(assume(Eq(x, y)))) == "x = y ⊢ x = y"
    assert sequent(assume(Eq(x, y)), Latex) == r"x = y \vdash x = y"


def test_bound_letters_never_clash_with_free_ones() -> None:
    for taken in ("i", "j", "l"):
        shown = text(summation(n, 1, m, a(n) * scalar(taken)))
        bound = shown[2]
        assert shown == f"∑[{bound}=1..m] a_{bound} {taken}"
        assert bound not in (taken, "a", "m")
    assert text(summation(n, 1, i, a(n) * a(i))) == "∑[j=1..i] a_j a_i"
    assert text(Add((a(i), summation(n, 1, i, a(n))))) == "a_i + ∑[j=1..i] a_j"


def test_letters_do_not_run_out() -> None:
    many: Term = x
    for _ in range(10):  # more than there are letters
        many = summation(n, 1, m, Mul((many, a(n))))
    letters = re.findall(r"\[(\w+)=1", text(many))
    assert len(set(letters)) == 10
    assert "m" not in letters
    assert latex(many)


@pytest.mark.parametrize("printer", [Text, Latex])
@pytest.mark.parametrize("derivation", [*derivations(longhorn), *derivations(recurrence)], ids=lambda d: d.claim.name)
def test_every_claim_prints_with_balanced_brackets(printer: type[Text], derivation: Any) -> None:
    for line in statement(derivation.claim, printer):
        assert "~" not in line
        assert "#" not in line
        for opening, closing in ("()", "[]", "{}"):
            assert line.count(opening) == line.count(closing)
        assert not re.search(r"\^\{[^{}]*\}\^|\}_\{[^{}]*\}_\{", line)  # double superscripts, double subscripts


def test_vectors_and_numbers() -> None:
    k = vector("k", n)
    assert text(term(1) / (1 + x * (k.T @ k))) == "1/(1 + x kᵀ k)"
