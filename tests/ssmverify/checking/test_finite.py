"""Rows in words: every case or samples, decided exactly; cited and open ones; and claims proved at listed sizes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flint import fmpq
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs.kernel import Claim, Fact, cases
from proofs.terms import Eq, Nat, Sum, bind, index_le, scalar, size, term
from ssmverify import Broken, Cited, Finite, Mutant, Open, Source, Theorem, check
from ssmverify.errors import BadInput
from ssmverify.report.terminal import show, summary
from ssmverify.rows import Decide
from ssmverify.strategies import points
from ssmverify.verdict import FELL, HOLDS, HOLDS_FURTHER, REFUTED, TESTED


def square_residue(n: int) -> str:
    return "" if n * n % 4 in (0, 1) else f"{n}² mod 4 is {n * n % 4}"


def only_even(n: int) -> str:
    return "" if n * n % 4 == 0 else f"{n}² mod 4 is not 0"


row = Finite(
    name="test.squares",
    says="A square is 0 or 1 modulo 4.",
    decide=square_residue,
    mutants=(Broken("0 only", only_even),),
    cases=lambda: range(4),
)


def test_every_case_decided_is_a_proof() -> None:
    verdict = check(row)
    assert (verdict.status, verdict.decided_by, verdict.problems) == (HOLDS, "exhaustion (4)", [])
    assert (verdict.mutants[0].outcome, verdict.mutants[0].shown_by) == ("refuted", "1² mod 4 is not 0")


def test_samples_are_only_tested() -> None:
    verdict = check(replace(row, cases=None, samples=lambda: st.integers()))
    assert verdict.status == TESTED
    assert verdict.decided_by.startswith("samples (")


def test_both_are_counted() -> None:
    verdict = check(replace(row, samples=lambda: st.integers(), count=lambda _: 10), examples=20)
    assert verdict.decided_by == "exhaustion (40), samples (200)"


def test_a_wrong_case_fails_the_row() -> None:
    verdict = check(replace(row, decide=only_even))
    assert (verdict.status, verdict.green) == (FELL, False)
    assert verdict.problems == ["the statement is false: 1² mod 4 is not 0"]


def test_no_case_decides_nothing() -> None:
    assert check(replace(row, cases=lambda: ())).problems == ["there is no case to decide"]


def asserting(n: int) -> str:
    raise AssertionError(n)


def reading(n: int) -> str:
    return Path(f"no file {n}").read_text()


@pytest.mark.parametrize(
    ("decide", "error"),
    [(lambda n: str(1 // n), "ZeroDivisionError"), (asserting, "AssertionError"), (reading, "FileNotFoundError")],
)
def test_a_decision_that_raises_is_a_failure_not_a_crash(decide: Decide, error: str) -> None:
    verdict = check(replace(row, decide=decide))
    assert f"a case decides nothing: {error}" in verdict.problems[0]


def test_a_mutant_that_finds_nothing_wrong_survives() -> None:
    verdict = check(replace(row, mutants=(Broken("nothing broken", square_residue),)))
    assert verdict.problems == ["a mutant survived: nothing broken"]


def test_a_mutant_that_raises_is_no_mutant() -> None:
    verdict = check(replace(row, mutants=(Broken("no program", lambda n: str(1 // 0)),)))
    assert "is not a program: ZeroDivisionError" in verdict.problems[0]


def test_counterexamples_refute() -> None:
    verdict = check(
        replace(row, decide=only_even, cases=lambda: (3, 1), mutants=(Broken("mod 4", square_residue),), refuted=True)
    )
    assert (verdict.status, verdict.counterexample) == (REFUTED, "3² mod 4 is not 0")
    assert [m.outcome for m in verdict.mutants] == ["refuted"]


def test_a_counterexample_that_is_none_fails() -> None:
    verdict = check(replace(row, refuted=True))
    assert verdict.problems == ["what is given as a counterexample is none"]


def test_a_row_needs_mutants_and_something_to_decide() -> None:
    with pytest.raises(BadInput, match="has no mutants"):
        replace(row, mutants=())
    with pytest.raises(BadInput, match="nothing to decide: give cases= or samples="):
        replace(row, cases=None)
    with pytest.raises(BadInput, match=r"nothing to decide: give cases=$"):
        replace(row, cases=None, samples=st.integers, refuted=True)


def test_what_cannot_run_here_is_not_run() -> None:
    verdict = check(replace(row, missing=lambda: "there is no python-chess (pip install chess)"))
    assert (verdict.status, verdict.unchecked) == ("not run: there is no python-chess (pip install chess)", True)
    assert "test.squares not run: there is no python-chess (pip install chess)" in summary([verdict], 1.0)


BARRINGTON = Cited("test.barrington", "S5's word problem is NC1-complete.", Source("Barrington 1989"))


def test_cited_rows_inherit_the_conjectures_below_them() -> None:
    hard = Cited("test.hard", "Not in TC0.", Source("Merrill 2024"), assumes=("TC0 != NC1",), rests_on=(BARRINGTON,))
    above = Cited("test.above", "No layer tracks S5.", Source("Merrill 2024"), rests_on=(hard,))
    assert check(BARRINGTON).status == "cited"
    assert check(above).status == "conditional on TC0 != NC1"
    assert "It is conditional on TC0 != NC1." in "\n".join(show(above, None, ""))


def test_what_was_not_checked_is_not_counted() -> None:
    verdicts = [check(row), check(BARRINGTON), check(Open("test.open", "Who knows?", Source("nobody")))]
    assert [v.unchecked for v in verdicts] == [False, True, True]
    lines = summary(verdicts, 1.0)
    assert lines[-2] == "2 cited, conditional, open or not run: of these nothing was checked."
    assert lines[-1].startswith("1 of 1 theorems")


@pytest.mark.parametrize("shown", [row, replace(row, cases=None, samples=st.integers), BARRINGTON])
def test_show_says_how_a_statement_stands(shown: Finite | Cited) -> None:
    text = "\n".join(show(shown, None, ""))
    assert shown.says in text
    assert any(words in text for words in ("every case.", "no proof", "nothing here proves it"))


# ------------------------------------------------------------------------------------ claims at listed sizes
N, i = size("N"), size("i")
gauss = Claim("test.gauss", Eq(bind(Sum, i, Nat(i), N - N, N), Nat(N) * (Nat(N) + 1) / 2))


def at(*sizes: int) -> Fact:
    return cases(gauss.sequent, [{"N": n} for n in sizes])


def instances() -> SearchStrategy[Mapping[str, Any]]:
    return points(N=st.integers(0, 5))


def claimed(**changes: Any) -> Theorem:
    wrong = Mutant("without the half", claim=replace(gauss, conclusion=Eq(gauss.conclusion.lhs, Nat(N) * (Nat(N) + 1))))  # type: ignore[attr-defined]
    given: dict[str, Any] = {"claim": gauss, "proof": lambda: at(0, 1, 2, 3), "instances": instances}
    return Theorem(**{**given, "mutants": (wrong,), **changes})


@pytest.mark.parametrize(
    ("sizes", "said"), [((0, 1, 2, 3), "N <= 3"), ((2, 3), "N = 2..3"), ((1, 3), "N in 1, 3"), ((1, 2), "N <= 2")]
)
def test_a_claim_proved_case_by_case_says_for_which(sizes: tuple[int, ...], said: str) -> None:
    verdict = check(claimed(proof=lambda: at(*sizes)))
    assert (verdict.status, verdict.sizes, verdict.indices, verdict.problems) == (HOLDS, "-", said, [])


def test_cases_use_every_hypothesis() -> None:
    claim = replace(gauss, hypotheses={"small": index_le(N, 3)}, witness={"N": 1}, further=frozenset({"small"}))
    verdict = check(
        claimed(
            claim=claim,
            proof=lambda: cases(claim.sequent, [{"N": 0}, {"N": 1}]),
            instances=lambda: points(N=st.integers(0, 3)),
        )
    )
    assert (verdict.status, verdict.indices, verdict.problems) == (HOLDS_FURTHER, "N <= 1", [])


def test_cases_do_not_prove_what_speaks_of_more_than_sizes() -> None:
    x = scalar("x")
    claim = Claim("test.zero", Eq(x * x, x), {"zero": Eq(x, term(0))}, witness={"x": fmpq(0)})
    proof = lambda: cases(claim.sequent, [{"x": fmpq(0)}])  # noqa: E731
    verdict = check(claimed(claim=claim, proof=proof, instances=lambda: points(x=st.just(fmpq(0)))))
    assert verdict.status == FELL
    assert "cases fix the values of x, which are any" in verdict.problems[0]
