"""One `Finite` row: every case, or many samples, decided exactly; and its mutants by the same decisions."""

from __future__ import annotations

from typing import Any

from ssmverify.checking.search import RAISED, Effort, shorten
from ssmverify.rows import Broken, Decide, Finite
from ssmverify.verdict import HOLDS, REFUTED, TESTED, MutantResult, Verdict


def check_finite(row: Finite, verdict: Verdict, effort: Effort) -> None:
    """Sets the verdict's status, what it was decided by, and its problems."""
    try:
        if row.refuted:
            _refute(row, verdict)
        else:
            _decide(row, verdict, effort)
    except RAISED as reason:
        verdict.problems.append(f"a case decides nothing: {type(reason).__name__}: {shorten(str(reason))}")


def _refute(row: Finite, verdict: Verdict) -> None:
    found = [row.decide(case) for case in (row.cases or tuple)()]
    if not found or not all(found):
        verdict.problems.append("what is given as a counterexample is none")
        return
    verdict.status, verdict.decided_by, verdict.counterexample = REFUTED, "evaluate", found[0]


def _decide(row: Finite, verdict: Verdict, effort: Effort) -> None:
    decided = []
    for how, given, search in (("exhaustion", row.cases, _every_case), ("samples", row.samples, _samples)):
        if given is None:
            continue
        effort.tell(how)
        number, wrong = search(row, effort)
        if wrong or not number:
            verdict.counterexample = wrong
            verdict.problems.append(
                f"the statement is false: {shorten(wrong)}" if wrong else "there is no case to decide"
            )
            return
        decided.append(f"{how} ({number:,})")
    verdict.status, verdict.decided_by = HOLDS if row.cases else TESTED, ", ".join(decided)


def _every_case(row: Finite, effort: Effort) -> tuple[int, str]:
    """How many cases there are, and what is wrong with the first that is."""
    assert row.cases
    number = 0
    for case in row.cases():
        effort.in_time()
        number += row.count(case)
        if wrong := row.decide(case):
            return number, wrong
    return number, ""


def _samples(row: Finite, effort: Effort) -> tuple[int, str]:
    """How many samples were tried, and what is wrong with the simplest that is."""
    assert row.samples
    tried = 0

    def wrong(case: Any) -> bool:
        nonlocal tried
        tried += row.count(case)
        return bool(row.decide(case))

    case = effort.search(row.samples(), wrong)
    return tried, "" if case is None else row.decide(case)


def try_broken(mutant: Broken, row: Finite, effort: Effort) -> MutantResult:
    """Refuted if a case comes out otherwise than in the row: by a value, for a decision that raises is no program."""
    try:
        shown = _difference(mutant.decide, row, effort)
    except RAISED as reason:
        return MutantResult(mutant.description, "ill-typed", f"{type(reason).__name__}: {shorten(str(reason))}")
    return MutantResult(mutant.description, "refuted" if shown else "survived", shorten(shown))


def _difference(decide: Decide, row: Finite, effort: Effort) -> str:
    cases = row.cases() if row.cases else ()
    if row.refuted:
        return "" if any(decide(case) for case in cases) else "no case is a counterexample"
    for case in cases:
        effort.in_time()
        if wrong := decide(case):
            return wrong
    found = effort.any_input(row.samples(), lambda case: bool(decide(case))) if row.samples else None
    return "" if found is None else decide(found)
