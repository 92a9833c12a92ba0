"""What the recurrence rows rest on, seen from the side."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import recurrence as paper
from proofs.kernel import Table, evaluate, holds
from ssmverify.catalogue.recurrence import swapped_product, three_steps
from ssmverify.checking.claim import refuted_at
from ssmverify.strategies import matrices

swapped_claim = replace(paper.scan_operator.claim, conclusion=paper.monoid_laws(swapped_product))


@settings(deadline=None)
@given(three_steps())
def test_the_swapped_product_survives_on_diagonal_matrices(point: dict[str, Any]) -> None:
    diagonal = {
        name: np.array(
            [[x if i == j else fmpq(0) for j, x in enumerate(row)] for i, row in enumerate(value)], dtype=object
        )
        for name, value in point.items()
        if name.startswith("A")
    }
    assert holds(swapped_claim.conclusion, {**point, **diagonal})


def test_the_swapped_product_dies_on_matrices_that_do_not_commute() -> None:
    up, down = (
        np.array(rows, dtype=object)
        for rows in ([[fmpq(1), fmpq(1)], [fmpq(0), fmpq(1)]], [[fmpq(1), fmpq(0)], [fmpq(1), fmpq(1)]])
    )
    point = {f"A{i}": up if i == "₂" else down for i in "₁₂₃"} | {f"B{i}": up for i in "₁₂₃"}
    assert refuted_at(swapped_claim, {"n": 2, "m": 2, **point})


Tree = Any  # a leaf's number, or a pair of trees


def trees(first: int, last: int) -> Iterator[Tree]:
    """Every way of bracketing the steps first..last."""
    if first == last:
        yield first
    for cut in range(first, last):
        for early in trees(first, cut):
            for late in trees(cut + 1, last):
                yield early, late


def value(tree: Tree, steps: list[paper.Pair]) -> paper.Pair:
    if isinstance(tree, int):
        return steps[tree]
    return paper.combine(value(tree[0], steps), value(tree[1], steps))


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 6])
def test_every_bracketing_holds_the_segment(length: int) -> None:
    @settings(max_examples=5, deadline=None)
    @given(st.lists(st.tuples(matrices(2, 2), matrices(2, 1)), min_size=length, max_size=length))
    def compare(steps: list[paper.Pair]) -> None:
        expected = paper.run([a for a, _ in steps], [b for _, b in steps], np.full((2, 1), fmpq(0), dtype=object))[-1]
        assert all((value(tree, steps)[1] == expected).all() for tree in trees(0, length - 1))

    compare()


def test_a_run_is_what_the_unrolled_claim_evaluates_to() -> None:
    steps = {"A": [fmpq(1, 2), fmpq(3)], "B": [fmpq(1), fmpq(-1)]}
    claim = paper.unrolled_scalar.claim
    (last,) = paper.run(steps["A"], steps["B"], fmpq(4))[-1:]

    tables = {name: Table({(t + 1,): x for t, x in enumerate(values)}, fmpq(0)) for name, values in steps.items()}
    point = {"T": 2, **tables, "H": Table({(0,): fmpq(4)}, fmpq(0))}
    assert evaluate(claim.conclusion.rhs, point) == last == 8  # type: ignore[attr-defined]
