"""Derived points cover the catalogue, and break the claims that are false."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import Unsatisfiable

from proofs.kernel import Claim, Point, holds
from proofs.points import NoPoint, Sampler
from proofs.terms import Eq, for_all, scalar, sequence, size
from ssmverify.catalogue import catalogue
from ssmverify.checking.claim import refuted_at
from ssmverify.checking.points import derived
from ssmverify.rows import Theorem

ROWS = {row.name: row for row in catalogue() if isinstance(row, Theorem)}
WANTED = 140  # of the rows, the refuted ones among them
t, i = size("t"), size("i")
x = scalar("x")
h, a = sequence("h"), sequence("a")
once = settings(database=None, max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def covered(row: Theorem) -> Point | str:
    """A point at which all hypotheses of a row hold; or why none was found."""
    why = ""
    for seed in range(3):
        try:
            point = Sampler(row.claim.sequent).draw(random.Random(seed))
        except NoPoint as reason:
            why = str(reason)
            continue
        assert all(holds(hypothesis, point) for hypothesis in row.claim.hypotheses.values())
        return point
    return why


def test_points_are_found_for_nearly_all_of_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    found = {name: covered(row) for name, row in ROWS.items()}
    missing = {name: why for name, why in found.items() if isinstance(why, str)}
    with capsys.disabled():
        print(f"\npoints for {len(ROWS) - len(missing)} of {len(ROWS)} rows", *missing.items(), sep="\n  ")
    assert len(ROWS) - len(missing) >= WANTED


RECURRENCE = for_all(i, Eq(h(i + 1), a(i + 1) * h(i)))


def test_a_false_claim_is_refuted_at_a_small_point() -> None:
    wrong = Claim("wrong", Eq(h(t), h(0)), {"the recurrence": RECURRENCE})
    point = find(derived(wrong), lambda p: refuted_at(wrong, p), settings=once, random=random.Random(1))
    assert point["t"] >= 1
    assert point["t"] <= 2


def test_a_claim_without_points_has_no_examples() -> None:
    nowhere = Claim("nowhere", Eq(x, x), {"one": Eq(x, x + 1)})
    with pytest.raises(Unsatisfiable):
        find(derived(nowhere), lambda p: True, settings=settings(once, max_examples=5, phases=[Phase.generate]))


BROKEN = [
    "recurrence.unrolled",
    "delta.mesa",
    "longhorn.closed_form",
    "gd_ssm.prefix_mean",
    "attention.one_step",
    "hippo.legs_energy",
    "rounding.product",
    "s4d.gate",
]


@pytest.mark.parametrize("name", [name for name in BROKEN if name in ROWS])
def test_a_rows_own_mutants_are_refuted_at_derived_points(name: str) -> None:
    sampler = Sampler(ROWS[name].claim.sequent)
    points = [sampler.draw(random.Random(seed)) for seed in range(25)]
    for mutant in ROWS[name].mutants:
        if mutant.claim is not None:
            assert any(refuted_at(mutant.claim, point) for point in points), mutant.description
