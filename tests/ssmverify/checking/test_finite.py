"""Rows in words: every case or samples, decided exactly; cited and open ones; and claims proved at listed sizes."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from flint import fmpq
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from rich.console import Console

from proofs.kernel import Claim, Fact, cases
from proofs.terms import Eq, Nat, Sum, bind, index_le, scalar, size, term
from ssmverify import Broken, Cited, Finite, Mutant, Open, Source, Theorem, check
from ssmverify.checking.claim import scope
from ssmverify.errors import BadInput
from ssmverify.report.terminal import show, summary, table
from ssmverify.rows import Decide
from ssmverify.strategies import points
from ssmverify.verdict import (
    CAUTION,
    CONDITIONAL,
    DERIVED,
    FAILED,
    FELL,
    HOLDS,
    HOLDS_FURTHER,
    HOLDS_TESTED,
    NOT_RUN,
    REFUTED,
    TESTED,
)


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
    number=4,
)


def test_every_case_decided_is_a_proof() -> None:
    verdict = check(row)
    assert (verdict.status, verdict.decided_by, verdict.problems) == (HOLDS, "exhaustion (4)", [])
    assert (verdict.mutants[0].outcome, verdict.mutants[0].shown_by) == ("refuted", "1² mod 4 is not 0")


def test_samples_are_only_tested() -> None:
    verdict = check(replace(row, cases=None, number=None, samples=lambda: st.integers()))
    assert verdict.status == TESTED
    assert verdict.decided_by.startswith("samples (")


def test_cases_with_samples_beyond_are_no_proof_for_all_of_them() -> None:
    verdict = check(replace(row, samples=lambda: st.integers(10, 10**9)), examples=20)
    assert (verdict.status, verdict.problems) == (HOLDS_TESTED, [])
    assert re.fullmatch(r"exhaustion \(4\), samples \(\d+\)", verdict.decided_by)


def test_each_sample_is_counted_once() -> None:
    verdict = check(replace(row, cases=None, number=None, samples=lambda: st.booleans().map(int)))
    assert verdict.decided_by == "samples (2)"


# ------------------------------------------------------------------------- cases are those that the row speaks of
def test_a_case_that_comes_twice_is_refused() -> None:
    verdict = check(replace(row, cases=lambda: [1] * 100, number=100))
    assert verdict.problems == ["the case 1 comes twice: give each case once"]
    assert verdict.status == FAILED


class Plain:
    """Without an equality of its own."""

    def __init__(self, values: Any):
        self.values = values

    def __repr__(self) -> str:
        return "Plain"


@pytest.mark.parametrize(
    "twin",
    [
        lambda: [1, 2],
        lambda: {"a": [1]},
        lambda: {1, 2},
        lambda: torch.tensor([1.0, 2.0]),
        lambda: np.array([[1], [2]]),
        lambda: Plain([1]),
        lambda: Plain(torch.tensor([1])),
    ],
)
def test_cases_are_compared_by_their_values(twin: Callable[[], Any]) -> None:
    twice = check(replace(row, decide=lambda _: "", cases=lambda: [twin(), twin()], number=2))
    assert "comes twice" in twice.problems[0]


def stops_early() -> Iterator[int]:
    with suppress(ZeroDivisionError):
        for n in (0, 1, 2, 3):
            yield n
            1 // (2 - n)


def test_cases_that_end_early_are_noticed() -> None:
    verdict = check(replace(row, cases=stops_early))
    assert "3 cases were gone through, and the row says number=4" in verdict.problems[0]
    assert not verdict


def test_an_item_stands_for_no_more_cases_than_it_goes_through() -> None:
    def members(start: int) -> Iterator[int]:
        return iter(range(start, start + 10))

    batches = replace(row, decide=lambda n: square_residue(n) if n < 30 else only_even(n), cases=lambda: (0, 10, 20))
    assert check(replace(batches, members=members, number=30)).decided_by == "exhaustion (30)"
    grand = check(replace(batches, members=members, number=3_000_000_000))
    assert "30 cases were gone through, and the row says number=3,000,000,000" in grand.problems[0]
    assert "comes twice within 0" in check(replace(batches, members=lambda _: [1] * 10, number=30)).problems[0]


def test_the_number_of_cases_is_declared() -> None:
    with pytest.raises(BadInput, match="give number= as well"):
        replace(row, number=None)
    with pytest.raises(BadInput, match="goes with cases= alone"):
        replace(row, cases=None, samples=st.integers)


@pytest.mark.parametrize("returned", [None, True, 0, ("wrong",)])
def test_a_decision_that_is_no_string_decides_nothing(returned: Any) -> None:
    verdict = check(replace(row, decide=lambda _: returned))
    assert f"decide returned {returned!r} for the case 0, which decides nothing" in verdict.problems[0]
    assert verdict.status == FAILED
    broken = check(replace(row, mutants=(*row.mutants, Broken("forgets", lambda _: returned))))
    assert "the mutant 'forgets' is not a program: decide returned" in broken.problems[0]


def test_a_wrong_case_fails_the_row() -> None:
    verdict = check(replace(row, decide=only_even))
    assert (verdict.status, verdict.green) == (FAILED, False)
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
    assert verdict.problems[0] == "a mutant survived: nothing broken"


def test_a_mutant_that_raises_is_no_mutant() -> None:
    verdict = check(replace(row, mutants=(Broken("no program", lambda n: str(1 // 0)),)))
    assert "the mutant 'no program' is not a program: ZeroDivisionError" in verdict.problems[0]
    assert "no mutant of the claim was refuted by a wrong value" in verdict.problems[1]


odd = replace(
    row,
    decide=only_even,
    cases=lambda: (3, 1),
    number=2,
    mutants=(Broken("mod 4", square_residue),),
    refuted=True,
    right=lambda: (2,),
    source=Source("somebody", words="every square is 0 modulo 4"),
)


def test_counterexamples_refute() -> None:
    verdict = check(odd)
    assert (verdict.status, verdict.counterexample, verdict.problems) == (REFUTED, "3² mod 4 is not 0", [])
    assert [m.outcome for m in verdict.mutants] == ["refuted"]


def test_what_refutes_no_quoted_words_is_a_caution() -> None:
    verdict = check(replace(odd, source=Source("somebody", read="a summary")))
    assert (verdict.status, verdict.green) == (CAUTION, True)


def test_a_counterexample_that_is_none_fails() -> None:
    verdict = check(replace(odd, cases=lambda: (3, 2)))
    assert verdict.problems == ["what is given as a counterexample is none"]


@pytest.mark.parametrize("right", [tuple, lambda: (3,)])
def test_a_decision_that_rejects_everything_refutes_nothing(right: Any) -> None:
    verdict = check(replace(odd, decide=lambda n: f"{n} is wrong, says its author", right=right))
    assert "nothing shows a case that decide accepts" in verdict.problems[0]
    assert verdict.status == FAILED


def test_a_row_needs_mutants_and_something_to_decide() -> None:
    with pytest.raises(BadInput, match="has no mutants"):
        replace(row, mutants=())
    with pytest.raises(BadInput, match="nothing to decide: give cases= or samples="):
        replace(row, cases=None, number=None)
    with pytest.raises(BadInput, match=r"nothing to decide: give cases=$"):
        replace(row, cases=None, number=None, samples=st.integers, refuted=True)


def test_what_cannot_run_here_is_not_run() -> None:
    verdict = check(replace(row, missing=lambda: "there is no python-chess (pip install chess)"))
    assert (verdict.status, verdict.because) == (NOT_RUN, "there is no python-chess (pip install chess)")
    assert verdict.unchecked
    assert not verdict, "what did not run has not passed"
    assert "test.squares not run: there is no python-chess (pip install chess)" in summary([verdict], 1.0)


BARRINGTON = Cited("test.barrington", "S5's word problem is NC1-complete.", Source("Barrington 1989"))


def test_cited_rows_inherit_the_conjectures_below_them() -> None:
    hard = Cited("test.hard", "Not in TC0.", Source("Merrill 2024"), assumes=("TC0 != NC1",), rests_on=(BARRINGTON,))
    above = Cited("test.above", "No layer tracks S5.", Source("Merrill 2024"), rests_on=(hard,))
    assert check(BARRINGTON).status == "cited"
    assert (check(above).status, check(above).standing) == (CONDITIONAL, "conditional on TC0 != NC1")
    assert "It is conditional on TC0 != NC1." in "\n".join(show(above, None, ""))


def test_a_corollary_of_ours_is_derived_by_hand() -> None:
    steps = ("words over A5 become words of tokens letter by letter",)
    corollary = Cited("test.corollary", "So is that of A5.", Source("ours"), rests_on=(BARRINGTON,), by_hand=steps)
    verdict = check(corollary)
    assert (verdict.status, verdict.by_hand, verdict.unchecked) == (DERIVED, list(steps), True)
    assert steps[0] in "\n".join(show(corollary, None, ""))
    conditional = replace(corollary, assumes=("TC0 != NC1",))
    assert (check(conditional).status, check(conditional).by_hand) == (CONDITIONAL, list(steps))


def test_steps_by_hand_stand_in_the_table_and_in_show() -> None:
    stepped = replace(row, by_hand=("squares modulo 4 depend on n modulo 4",))
    verdict = check(stepped)
    assert verdict.status == HOLDS
    console = Console(width=150, record=True, file=StringIO())
    console.print(table([verdict]))
    assert "exhaustion (4) + 1 by hand" in console.export_text()
    assert "1 rest on steps by hand" in "\n".join(summary([verdict], 1.0))
    assert "squares modulo 4 depend on n modulo 4" in "\n".join(show(stepped, None, ""))


@pytest.mark.parametrize("given", ["one sentence", (1,), None])
def test_steps_by_hand_are_sentences(given: Any) -> None:
    with pytest.raises(BadInput, match="by_hand= that is no tuple of str"):
        replace(row, by_hand=given)


def test_what_was_not_checked_is_not_counted() -> None:
    verdicts = [check(row), check(BARRINGTON), check(Open("test.open", "Who knows?", Source("nobody")))]
    assert [v.unchecked for v in verdicts] == [False, True, True]
    lines = summary(verdicts, 1.0)
    assert lines[-2] == "2 cited, derived by hand, conditional, open or not run: of these nothing was checked."
    assert lines[-1].startswith("1 of 1 theorems")


@pytest.mark.parametrize("shown", [row, replace(row, cases=None, number=None, samples=st.integers), BARRINGTON])
def test_show_says_how_a_statement_stands(shown: Finite | Cited) -> None:
    text = "\n".join(show(shown, None, ""))
    assert shown.says in text
    assert any(words in text for words in ("every case.", "no proof", "nothing here proves it"))


# ------------------------------------------------------------------------------------ claims at listed sizes
N, M, i = size("N"), size("M"), size("i")
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
    ("sizes", "said"), [((0, 1, 2, 3), "N <= 3"), ((2, 3), "N = 2..3"), ((1, 3), "N in 1, 3"), ((1, 2), "N = 1..2")]
)
def test_a_claim_proved_case_by_case_says_for_which(sizes: tuple[int, ...], said: str) -> None:
    verdict = check(claimed(proof=lambda: at(*sizes)))
    assert (verdict.status, verdict.sizes, verdict.indices, verdict.problems) == (HOLDS, "-", said, [])


products = Claim("test.products", Eq(Nat(N) * Nat(M), Nat(M) * Nat(N)))


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([(1, 2), (2, 1)], "(M, N) in (1, 2), (2, 1)"),
        ([(n, m) for n in range(3) for m in range(3) if n <= m], "6 points (M, N)"),
        ([(n, m) for n in range(3) for m in (1, 2)], "M = 1..2, N <= 2"),
    ],
)
def test_a_box_is_printed_only_where_the_points_fill_it(pairs: list[tuple[int, int]], said: str) -> None:
    points = [{"M": m, "N": n} for m, n in pairs]
    if said.startswith("M ="):
        points = [{"M": m, "N": n} for n, m in pairs]
    assert scope(products, cases(products.sequent, points)) == ("-", said)


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
