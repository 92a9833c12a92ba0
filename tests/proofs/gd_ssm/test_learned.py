"""The moments behind `gd_ssm.optimal_rate`, by enumeration; and its numbers for the task of the paper."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from flint import fmpq

from proofs.gd_ssm.learned import optimum, population_loss
from proofs.kernel import evaluate
from proofs.terms import scalar

ENTRY = {fmpq(-2): fmpq(1, 10), fmpq(0): fmpq(8, 10), fmpq(2): fmpq(1, 10)}  # an entry of x, with its probabilities


def moment(order: int) -> fmpq:
    return sum((p * x**order for x, p in ENTRY.items()), fmpq(0))


def enumerated_loss(f: int, N: int, rate: fmpq) -> fmpq:
    """Half of E ‖(I - κ S) q‖², over every context and query; an entry of W has variance 1."""
    total = fmpq(0)
    identity = np.array([[fmpq(int(a == b)) for a in range(f)] for b in range(f)], dtype=object)
    for values in itertools.product(ENTRY.items(), repeat=f * (N + 1)):
        entries: Any = np.array([x for x, _ in values], dtype=object).reshape(N + 1, f)
        probability = fmpq(1)
        for _, p in values:
            probability *= p
        error = (identity - rate * (entries[:N].T @ entries[:N])) @ entries[N]
        total += probability * (error @ error)
    return total / 2


@pytest.mark.parametrize(("f", "N"), [(1, 1), (1, 3), (2, 1), (2, 2), (3, 1)])
def test_the_population_loss_is_what_enumeration_gives(f: int, N: int) -> None:
    for rate in (fmpq(0), fmpq(1, 3), fmpq(2)):
        point = {"f": f - 1, "N": N - 1, "σ": moment(2), "μ": moment(4), "κ": rate}
        assert evaluate(population_loss(scalar("κ")), point) == enumerated_loss(f, N, rate)


@pytest.mark.parametrize(("f", "N"), [(1, 1), (1, 3), (2, 1), (2, 2)])
def test_the_best_preconditioner_of_such_inputs_is_the_best_rate(f: int, N: int) -> None:
    """E S² γ* = E S, the equations of `gd_ssm.best_preconditioner`, over every context."""
    rate, _ = optimum(f, N, moment(2), moment(4))
    left: Any = np.full((f, f), fmpq(0), dtype=object)
    for values in itertools.product(ENTRY.items(), repeat=f * N):
        x: Any = np.array([entry for entry, _ in values], dtype=object).reshape(N, f)
        S = x.T @ x
        left = left + math.prod((p for _, p in values), start=fmpq(1)) * (rate * (S @ S) - S)
    assert not left.any()


def test_the_optimum_of_the_paper_s_task() -> None:
    assert optimum(10, 10, fmpq(1, 12), fmpq(1, 80)) == (fmpq(20, 33), fmpq(245, 1188))
    assert optimum(10, 10, fmpq(1, 3), fmpq(1, 5)) == (fmpq(5, 33), fmpq(245, 297))
