"""Every theorem of the catalogue under pytest, one item a check."""

import pytest

from ssmverify import Theorem, check
from ssmverify.catalogue import catalogue
from ssmverify.checking.claim import scope
from ssmverify.rows import Row
from ssmverify.verdict import HOLDS, REFUTED, TESTED


@pytest.mark.parametrize("theorem", catalogue(), ids=lambda theorem: theorem.name)
def test_theorem(theorem: Row) -> None:
    verdict = check(theorem, examples=40)
    assert verdict.green, verdict.problems
    assert verdict.status in (HOLDS, REFUTED, TESTED) or verdict.unchecked


def test_the_first_theorems_hold_for_every_size_and_length() -> None:
    rows = {theorem.name: scope(theorem.claim) for theorem in catalogue() if isinstance(theorem, Theorem)}
    assert rows["recurrence.unrolled"] == ("every m, n", "every T")
    assert rows["recurrence.scan_operator"][0] == "every m, n"
    assert rows["recurrence.any_order"] == ("every m, n", "every p, r, s")
    assert rows["longhorn.closed_form"][0] == "every d, n"
    assert rows["longhorn.diagonal_objective"][0] == "every d, n"
