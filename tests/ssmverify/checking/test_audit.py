"""The audit finds what is false, wherever a rule has proved it, and counts what it could not judge."""

from __future__ import annotations

import random
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.kernel import Claim, Fact, Sequent, identity, rules
from proofs.terms import (
    Eq,
    ForAll,
    Le,
    Nonzero,
    UniqueMinimiser,
    for_all,
    matrix,
    product,
    scalar,
    sequence,
    size,
    summation,
    term,
    vector,
)
from ssmverify import cli
from ssmverify.checking.audit import OUT_OF_TIME, POINTS, Audit, Judged, audit, digest, is_degenerate, summary
from ssmverify.checking.judge import Judge, Unjudged
from ssmverify.rows import Mutant, Theorem

n, t, i = size("n"), size("t"), size("i")
x, y = scalar("x"), scalar("y")
h = sequence("h")
HALF = fmpq(1, 2)


def row(script: Any, claim: Claim) -> Theorem:
    return Theorem(claim, script, lambda: st.just({}), (Mutant("another right side", Claim("other", Eq(x, x + 1))),))


SQUARE = Claim("square", Eq((x + y) * (x - y), x * x - y * y), witness={"x": HALF, "y": HALF})


def square() -> Fact:
    """The difference of two squares."""
    return identity((x + y) * (x - y), x * x - y * y)


# ------------------------------------------------------------------------------------------------------- the audit
def test_true_facts_are_judged_at_points_of_both_kinds() -> None:
    found = audit(row(square, SQUARE), seed=1)
    assert (found.steps, found.unjudged, found.false) == (1, {}, [])
    assert min(found.judged.values()) >= POINTS


def flipped(make: Any, at: str) -> Any:
    """`_fact`, but one rule swaps the sides of a difference."""

    def wrong(rule: str, hypotheses: Any, conclusion: Any, *premises: Fact) -> Fact:
        if rule == at and isinstance(conclusion, Eq):
            conclusion = Eq(conclusion.lhs, -conclusion.rhs)
        return make(rule, hypotheses, conclusion, *premises)  # type: ignore[no-any-return]

    return wrong


def test_an_unsound_rule_is_found_by_the_facts_it_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_fact", flipped(rules._fact, "identity"))
    wrong = Claim("square", Eq((x + y) * (x - y), -(x * x - y * y)), witness={"x": HALF, "y": HALF})
    found = audit(row(square, wrong), seed=1)
    assert len(found.false) == 1
    assert re.fullmatch(r"square, identity: .*x² - y².* at x = .*, y = .*", found.false[0]), found.false


def test_an_unsound_step_is_found_though_the_claim_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    make = rules._fact

    def twice_wrong() -> Fact:
        with monkeypatch.context() as patched:
            patched.setattr(rules, "_fact", flipped(make, "identity"))
            lie = identity(x + x, 2 * x)
        return Fact(rules._RULES_ONLY, "discharge", frozenset(), SQUARE.conclusion, (lie,))

    found = audit(row(twice_wrong, SQUARE), seed=1)
    assert len(found.false) == 1
    assert "identity" in found.false[0]


def test_a_fact_without_points_is_counted_by_its_reason() -> None:
    contradiction = Sequent(frozenset([Le(term(1), x), Le(x, term(0))]), Eq(x, x))
    judged = Judged(contradiction, random.Random(1))
    judged.draw()
    assert judged.ordinary + judged.degenerate == 0
    assert judged.reason in ("no point found for: 1 ≤ x", "no point found for: x ≤ 0")


def test_a_fact_that_no_point_decides_is_counted_by_its_reason() -> None:
    powers = for_all(i, Eq(product(t, 1, i, x), h(i)))
    judged = Judged(Sequent(frozenset([powers]), Eq(x, x)), random.Random(1))
    judged.draw()
    assert judged.ordinary + judged.degenerate == 0
    assert judged.reason.startswith("cannot be decided at a point: ")


def test_where_a_denominator_is_always_zero_nothing_is_judged() -> None:
    judged = Judged(Sequent(frozenset([Eq(x, term(0))]), Eq(1 / x, 1 / x)), random.Random(1))
    judged.draw()
    assert (judged.ordinary, judged.reason) == (0, "a denominator is zero")


def test_points_with_nothing_but_zeros_do_not_make_a_fact_judged() -> None:
    assert is_degenerate({"n": 2, "x": fmpq(0)})
    assert is_degenerate({"n": 0, "x": fmpq(1), "v": np.empty((0, 1), dtype=object)})
    assert not is_degenerate({"n": 2, "x": fmpq(0), "y": fmpq(1)})
    only_zero = Judged(Sequent(frozenset([Eq(x, term(0))]), Eq(x + x, x)), random.Random(1))
    only_zero.draw()
    assert (only_zero.ordinary, only_zero.reason) == (0, "only degenerate points were found")


def test_a_budget_holds_and_leaves_the_rest_unjudged() -> None:
    found = audit(row(square, SQUARE), seed=1, budget=1e-9)
    assert found.undecided
    assert list(found.unjudged.values()) == [OUT_OF_TIME]


def test_a_fact_of_two_rows_counts_once() -> None:
    key = digest(Sequent(frozenset(), SQUARE.conclusion))
    audits = [Audit("one", judged={key: 4}, steps=2), Audit("two", unjudged={key: "no point"}, steps=3)]
    assert summary(audits, 7, 1.0) == [
        "5 steps, 1 different facts: 1 judged at 4 points, 1 of them at 3 or more.",
        "none false; seed 7, 1 s",
    ]


def test_the_command_says_what_was_judged_and_from_which_seed() -> None:
    result = CliRunner().invoke(
        cli.main, ["check", "--audit", "--seed", "5", "--jobs", "1", "recurrence.scan_operator"]
    )
    assert result.exit_code == 0, result.output
    assert "facts judged" in result.output
    assert "none false; seed 5" in result.output


UNSOUND = """
from proofs.kernel import Claim, identity
from proofs.terms import Eq, scalar
from ssmverify import Mutant, Theorem

x = scalar("x")
false = Claim("unsound.one_more", Eq(x, x + 1))


def malice():
    fact = identity(x, x)
    object.__setattr__(fact, "conclusion", false.conclusion)
    return fact


theorem = Theorem(false, malice, mutants=(Mutant("as it is", claim=Claim("same", Eq(x, x))),))
"""


def test_a_false_fact_ends_the_command_with_exit_status_1(tmp_path: Path) -> None:
    file = tmp_path / "unsound.py"
    file.write_text(UNSOUND)
    result = CliRunner().invoke(cli.main, ["check", "--audit", "--seed", "5", str(file)])
    assert result.exit_code == 1, result.output
    assert "FALSE unsound.one_more, identity: " in result.output


# ------------------------------------------------------------------------------------------------------- the judge
def test_the_judge_computes_a_sum_and_a_product_of_matrices_latest_on_the_left() -> None:
    a = sequence("A", n, n)
    values = {
        (1,): np.array([[fmpq(1), fmpq(1)], [fmpq(0), fmpq(1)]], dtype=object),
        (2,): np.array([[fmpq(1), fmpq(0)], [fmpq(1), fmpq(1)]], dtype=object),
    }
    from proofs.kernel import Table

    judge = Judge({"n": 2, "A": Table(values, np.full((2, 2), fmpq(0), dtype=object))})
    assert judge.value(product(i, 1, 2, a(i))).entries == [[1, 1], [1, 2]]  # type: ignore[union-attr]
    assert judge.value(summation(i, 1, 2, a(i))).entries == [[2, 1], [1, 2]]  # type: ignore[union-attr]


def test_a_matrix_without_rows_keeps_its_columns() -> None:
    judge = Judge({"n": 0, "m": 2, "X": np.empty((2, 0), dtype=object)})
    square_of = matrix("X", size("m"), n) @ matrix("X", size("m"), n).T
    assert judge.value(square_of).entries == [[0, 0], [0, 0]]  # type: ignore[union-attr]


def test_a_denominator_that_is_zero_is_judged_neither_way() -> None:
    with pytest.raises(Unjudged, match="a denominator is zero"):
        Judge({"x": fmpq(0)}).true(Nonzero(1 / x))


@given(st.fractions(max_denominator=5), st.integers(1, 3))
@settings(max_examples=30)
def test_the_judge_tells_a_minimiser_from_its_neighbours(off: Fraction, size_of: int) -> None:
    v, w = vector("v", n), vector("w", n)
    objective = (v - w).T @ (v - w) + 1
    point = {"n": size_of, "w": np.array([[fmpq(k, 3)] for k in range(size_of)], dtype=object), "x": fmpq(1)}
    symbol = next(s for s in [v.symbol])  # type: ignore[attr-defined]
    assert Judge(point).true(UniqueMinimiser(symbol, (), objective, w))
    moved = Judge({**point, "x": fmpq(off.numerator, off.denominator)}).true(
        UniqueMinimiser(symbol, (), objective, w * (1 + x) if off else w)
    )
    assert moved is (off == 0 or size_of == 1)


def test_a_saddle_has_no_minimiser() -> None:
    u, v = scalar("u"), scalar("v")
    saddle = UniqueMinimiser(u.symbol, (), x * u * u, term(0))  # type: ignore[attr-defined]
    assert Judge({"x": fmpq(1)}).true(saddle)
    assert not Judge({"x": fmpq(-1)}).true(saddle)
    assert not Judge({"x": fmpq(0)}).true(saddle)
    assert isinstance(for_all(t, Le(v, v)), ForAll)
