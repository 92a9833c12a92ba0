"""The correlations behind `gd_ssm.optimal_predictor`: against enumeration of a discrete law, and beyond degree 3."""

import itertools
from typing import Any

import numpy as np
import pytest
from flint import fmpq

from proofs.gd_ssm.learned import population_loss
from proofs.gd_ssm.optimal import (
    Monomial,
    N,
    correlation,
    f,
    left_over,
    pattern,
    patterns,
    polynomials,
    shown,
    sigma,
    step,
    truth,
)
from proofs.kernel import evaluate
from proofs.terms import scalar

ENTRIES, ODDS = (-2, 0, 2), {-2: 1, 0: 8, 2: 1}  # an entry of x or q, with its probabilities in tenths
TARGETS = 2
SMALL = [p for degree in range(4) for p in patterns(degree)]


def moments(inputs: int, pairs: int) -> list[fmpq]:
    """Values for the variables of the polynomials: of x by the table above, of W for the values 1 and -1."""
    even = [fmpq(sum(odds * x**order for x, odds in ODDS.items()), 10) for order in (2, 4, 6, 8)]
    return [fmpq(inputs), fmpq(pairs), *even, fmpq(1), fmpq(1)]


def at(polynomial: Any, inputs: int, pairs: int) -> fmpq:
    value = polynomial.evaluate(list(zip(polynomials.gens, moments(inputs, pairs), strict=True)))
    return fmpq(int(value.numerator), int(value.denominator))


def enumerated(inputs: int, pairs: int) -> tuple[Any, Any, Any, Any]:
    """Every outcome: x (outcomes, pairs, f), q (outcomes, f), W (outcomes, targets, f), and ten to the power of the
    number of entries times its probability."""
    drawn = list(itertools.product(ENTRIES, repeat=inputs * (pairs + 1)))
    signs = list(itertools.product((-1, 1), repeat=inputs * TARGETS))
    values = np.array([v for v in drawn for _ in signs], dtype=np.int64).reshape(-1, pairs + 1, inputs)
    W = np.array([w for _ in drawn for w in signs], dtype=np.int64).reshape(-1, TARGETS, inputs)
    odds = np.where(values == 0, 8, 1).prod((1, 2))
    return values[:, :pairs], values[:, pairs], W, odds


@pytest.mark.parametrize(("inputs", "pairs"), [(1, 1), (1, 2), (2, 1)])
def test_correlations_are_what_enumeration_gives(inputs: int, pairs: int) -> None:
    x, q, W, odds = enumerated(inputs, pairs)
    y = np.einsum("smf,snf->snm", W, x)
    answers = {truth: np.einsum("sf,sf->s", W[:, 0], q), step: np.einsum("sn,snf,sf->s", y[..., 0], x, q)}
    total, compared = fmpq(10) ** (inputs * (pairs + 1)) * 2 ** (inputs * TARGETS), 0
    for monomial in SMALL:
        try:
            factors = [{"x": x, "y": y, "q": q}[kind][(slice(None), *places)] for kind, *places in monomial]
        except IndexError:
            continue  # more pairs, entries or targets than there are
        value = np.prod(factors, axis=0) if factors else 1
        for answer, predicted in answers.items():
            found = at(correlation(answer, monomial), inputs, pairs)
            assert found == fmpq(int((odds * predicted * value).sum())) / total
            compared += 1
    assert compared > 20


def test_the_population_loss_of_a_step_for_every_size() -> None:
    """Its coefficients are of degree 2 in f and N, so agreement at three sizes each is agreement everywhere."""
    leading = (("x", 0, 0), ("y", 0, 0), ("q", 0))  # (M q)_c is a sum of N f such monomials
    rate, law = fmpq(2, 7), dict(zip(("σ", "μ"), moments(1, 1)[2:4], strict=True))
    cross, square = (N * f * correlation(answer, leading) for answer in (truth, step))
    loss = (f * sigma - 4 * cross / 7 + 4 * square / 49) / 2
    for inputs, pairs in itertools.product((1, 2, 3), repeat=2):
        point = {"f": inputs - 1, "N": pairs - 1, **law, "κ": rate}
        assert evaluate(population_loss(scalar("κ")), point) == at(loss, inputs, pairs)


def test_degree_four_changes_nothing_and_degree_five_does() -> None:
    assert not any(left_over(monomial) for monomial in patterns(4))
    longer: Monomial = (("x", 0, 0), ("x", 0, 0), ("x", 0, 0), ("y", 0, 0), ("q", 0))
    assert left_over(longer)


def test_patterns_are_listed_once_and_none_is_missing() -> None:
    xs, ys = itertools.product("x", range(3), range(3)), itertools.product("y", range(3), range(4))
    letters = [*xs, *ys, *itertools.product("q", range(3))]
    for degree in range(4):
        listed = list(patterns(degree))
        assert len(listed) == len(set(listed))
        every = {pattern(monomial) for monomial in itertools.combinations_with_replacement(letters, degree)}
        assert set(listed) == every
    assert {shown(p) for p in patterns(1)} == {"x_1,1", "y_1,1", "y_1,2", "q_1"}
