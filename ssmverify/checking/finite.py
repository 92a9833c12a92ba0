"""One `Finite` row: every case, or many samples, decided exactly; and its mutants by the same decisions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ssmverify.checking.distinct import key
from ssmverify.checking.search import RAISED, Effort, shown
from ssmverify.errors import one_line
from ssmverify.rows import Broken, Decide, Finite
from ssmverify.verdict import CAUTION, FAILED, HOLDS, HOLDS_TESTED, REFUTED, TESTED, MutantResult, Verdict


class Unfit(Exception):
    """What the row gives decides nothing, though nothing was raised."""


def check_finite(row: Finite, verdict: Verdict, effort: Effort) -> None:
    """Sets the verdict's status, what it was decided by, and its problems."""
    try:
        if row.refuted:
            _refute(row, verdict, effort)
        else:
            _decide(row, verdict, effort)
    except RAISED as reason:
        verdict.status = FAILED
        said = str(reason) if isinstance(reason, Unfit) else f"a case decides nothing: {shown(reason)}"
        verdict.problems.append(said)


def decision(decide: Decide, case: Any) -> str:
    """What is wrong with the case; raises Unfit if the decision is none."""
    found = decide(case)
    if type(found) is not str:
        raise Unfit(
            f"decide returned {one_line(repr(found))} for the case {one_line(repr(case))}, which decides nothing: "
            "return a string, empty where the case is right"
        )
    return found


def _refute(row: Finite, verdict: Verdict, effort: Effort) -> None:
    """Every item is a counterexample, and some case is none: else the decision would reject whatever it gets."""
    count, found = Count(row), list[str]()
    for case in (row.cases or tuple)():
        effort.at(case)
        count.add(case)
        found.append(decision(row.decide, case))
    count.complete()
    if not all(found):
        raise Unfit("what is given as a counterexample is none")
    accepted = [decision(row.decide, case) for case in row.right()]
    if any(accepted) or not accepted:
        raise Unfit("nothing shows a case that decide accepts: give right=, cases in which the statement is true")
    verdict.status = REFUTED if row.source.words else CAUTION
    verdict.decided_by, verdict.counterexample = "evaluate", found[0]


def _decide(row: Finite, verdict: Verdict, effort: Effort) -> None:
    decided = []
    for how, given, search in (("exhaustion", row.cases, _every_case), ("samples", row.samples, _samples)):
        if given is None:
            continue
        effort.tell(how)
        number, wrong = search(row, effort)
        if wrong or not number:
            verdict.counterexample = wrong
            raise Unfit(f"the statement is false: {one_line(wrong)}" if wrong else "there is no case to decide")
        decided.append(f"{how} ({number:,})")
    verdict.decided_by = ", ".join(decided)
    verdict.status = TESTED if not row.cases else HOLDS_TESTED if row.samples else HOLDS


class Count:
    """How many different cases were gone through; it raises Unfit for one that comes twice, or if some are missing."""

    def __init__(self, row: Finite):
        self.row, self.items, self.number = row, set[Any](), 0

    def add(self, item: Any) -> None:
        self.number += len(_different(self.row.members(item), item))
        if (known := key(item)) in self.items:
            raise Unfit(f"the case {one_line(repr(item))} comes twice: give each case once")
        self.items.add(known)

    def complete(self) -> None:
        if self.number == 0:
            raise Unfit("there is no case to decide")
        if self.number != self.row.number:
            raise Unfit(
                f"{self.number:,} cases were gone through, and the row says number={self.row.number:,}: cases are "
                "missing, or the number is wrong"
            )


def _different(members: Iterable[Any], item: Any) -> set[Any]:
    found = set[Any]()
    for member in members:
        if (known := key(member)) in found:
            twice = f"the case {one_line(repr(member))} comes twice within {one_line(repr(item))}"
            raise Unfit(f"{twice}: give each case once")
        found.add(known)
    return found


def _every_case(row: Finite, effort: Effort) -> tuple[int, str]:
    """How many cases there are, and what is wrong with the first that is."""
    assert row.cases
    count = Count(row)
    for case in row.cases():
        effort.at(case)
        count.add(case)
        if wrong := decision(row.decide, case):
            return count.number, wrong
    count.complete()
    return count.number, ""


def _samples(row: Finite, effort: Effort) -> tuple[int, str]:
    """How many different samples were tried, and what is wrong with the simplest that is."""
    assert row.samples
    tried = dict[Any, int]()

    def wrong(case: Any) -> bool:
        known, found = key(case), decision(row.decide, case)  # a case that `decide` rejects by `assume` is none
        if known not in tried:
            tried[known] = len({key(member) for member in row.members(case)})
        return bool(found)

    case = effort.search(row.samples(), wrong)
    return sum(tried.values()), "" if case is None else decision(row.decide, case)


def try_broken(mutant: Broken, row: Finite, effort: Effort) -> MutantResult:
    """Refuted if a case comes out otherwise than in the row: by a value, for a decision that raises is no program."""
    try:
        found = _difference(mutant.decide, row, effort)
    except RAISED as reason:
        how = str(reason) if isinstance(reason, Unfit) else shown(reason)
        return MutantResult(mutant.description, "ill-typed", how)
    return MutantResult(mutant.description, "refuted" if found else "survived", one_line(found))


def _difference(decide: Decide, row: Finite, effort: Effort) -> str:
    cases = row.cases() if row.cases else ()
    if row.refuted:
        found = [decision(decide, case) for case in cases]
        return "" if any(found) else "no case is a counterexample"
    for case in cases:
        effort.at(case)
        if wrong := decision(decide, case):
            return wrong
    sample = effort.any_input(row.samples(), lambda case: bool(decision(decide, case))) if row.samples else None
    return "" if sample is None else decision(decide, sample)
