"""What `proofs/tracking/monotone.py` takes by hand, gone through exactly where there are finitely many cases."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import pytest

from proofs.derivation import derivations
from proofs.kernel import NotProved, establish
from proofs.tracking import monotone

DERIVATIONS = derivations(monotone)

HALF = Fraction(1, 2)
ROUNDINGS: dict[str, Callable[[Fraction], int]] = {"nearest": round, "floor": math.floor, "toward zero": math.trunc}


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda derivation: derivation.claim.name)
def test_every_claim_is_proved_under_its_own_hypotheses(derivation: object) -> None:
    fact = derivation.found  # type: ignore[attr-defined]
    assert fact.conclusion == derivation.claim.conclusion  # type: ignore[attr-defined]
    assert fact.hypotheses == derivation.claim.sequent.hypotheses  # type: ignore[attr-defined]


def test_a_claim_that_returns_does_not_follow_without_returning() -> None:
    once, returning = DERIVATIONS[0], DERIVATIONS[1]
    with pytest.raises(NotProved):
        establish(returning.claim, once.script())


def periods(step: tuple[int, ...]) -> set[int]:
    """The lengths of the cycles of a map of 0..n-1."""
    found = set()
    for state in range(len(step)):
        for _ in step:
            state = step[state]
        around, p = step[state], 1
        while around != state:
            around, p = step[around], p + 1
        found.add(p)
    return found


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_maps_that_keep_the_order_have_period_1_and_those_that_reverse_it_1_or_2(n: int) -> None:
    """What the theorems say of every chain, on the maps themselves: the slopes are no loss."""
    keeping = list(itertools.combinations_with_replacement(range(n), n))
    assert len(keeping) == math.comb(2 * n - 1, n)
    assert set().union(*(periods(step) for step in keeping)) == {1}
    reversing = set().union(*(periods(step[::-1]) for step in keeping))
    assert reversing == ({1, 2} if n > 1 else {1})


def integral(rounding: Callable[[Fraction], int], u: Fraction) -> Fraction:
    """The integral of the rounding from 0 to u, exactly: it is constant between the multiples of 1/2."""
    edges = [Fraction(k, 2) for k in range(math.ceil(2 * min(u, 0)), math.floor(2 * max(u, 0)) + 1)]
    ends = sorted({min(u, Fraction(0)), *edges, max(u, Fraction(0))})
    area = sum(((hi - lo) * rounding((lo + hi) / 2) for lo, hi in itertools.pairwise(ends)), Fraction(0))
    return area if u >= 0 else -area


@pytest.mark.parametrize("rounding", ROUNDINGS.values(), ids=ROUNDINGS)
def test_a_rounding_is_the_slope_of_its_integral(rounding: Callable[[Fraction], int]) -> None:
    """The potential that `semidefinite_orbits` asks for: φ(v) - φ(u) >= ρ(u) (v - u)."""
    places = [Fraction(k, 6) for k in range(-15, 16)]
    potential = {u: integral(rounding, u) for u in places}
    for u, v in itertools.product(places, repeat=2):
        assert potential[v] - potential[u] >= rounding(u) * (v - u)


@pytest.mark.parametrize("rounding", ROUNDINGS.values(), ids=ROUNDINGS)
def test_semidefinite_channels_come_to_rest_on_a_constant_input(rounding: Callable[[Fraction], int]) -> None:
    """Every symmetric B'B with small B and several inputs, from every state of -2..2 squared."""
    grid = list(itertools.product(range(-2, 3), repeat=2))
    entries = [Fraction(k, 3) for k in (-2, 1, 3)]
    for p, q, r, s in itertools.product(entries, repeat=4):
        A = ((p * p + r * r, p * q + r * s), (p * q + r * s, q * q + s * s))
        for c in ((Fraction(1, 4), -HALF), (Fraction(0), Fraction(1, 3))):
            step = []
            for x in grid:
                u = (A[i][0] * x[0] + A[i][1] * x[1] + c[i] for i in range(2))
                step.append(grid.index(tuple(min(max(rounding(v), -2), 2) for v in u)))  # type: ignore[arg-type]
            assert periods(tuple(step)) == {1}
