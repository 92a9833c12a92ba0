"""The search for a competitor: where the curvature is positive, zero and negative, at the minimum and beside it."""

from itertools import product

import numpy as np
import pytest
from flint import fmpq

from proofs.kernel import evaluate
from proofs.tactics.quadratics import competitor
from proofs.terms import UniqueMinimiser, scalar, sequence, vector

S, a, b = sequence("S", 2, arity=0), vector("a", 2), vector("b", 2)
alpha, beta, slope = scalar("α"), scalar("β"), scalar("γ")
OBJECTIVE = alpha * (a.T @ S()) * (a.T @ S()) + beta * (b.T @ S()) * (b.T @ S()) + slope * (a.T @ S())
GOAL = UniqueMinimiser(S, (), OBJECTIVE, 0 * a)


def column(*entries: int) -> object:
    return np.array([[fmpq(x)] for x in entries], dtype=object)


@pytest.mark.parametrize(("curvatures", "slope"), list(product(product((-1, 0, 2), repeat=2), (0, 3))))
def test_a_competitor_is_found_unless_the_minimum_is_the_only_one(curvatures: tuple[int, int], slope: int) -> None:
    """α (a'S)² + β (b'S)² + γ a'S for independent a, b has the one minimum 0 just where α, β > 0 and γ = 0."""
    for directions in ((column(1, 0), column(0, 1)), (column(1, 1), column(1, 2)), (column(0, 1), column(1, -1))):
        names = zip(("a", "b", "α", "β", "γ"), (*directions, *map(fmpq, curvatures), fmpq(slope)), strict=True)
        point = dict(names)
        better = competitor(GOAL, point)
        assert (better is None) == (min(curvatures) > 0 and not slope)
        if better is not None:
            assert better.any()
            assert evaluate(OBJECTIVE, {**point, "S": better}) <= 0
