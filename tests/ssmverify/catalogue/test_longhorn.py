"""The counterexample against the released update is as small as the proof file says."""

import itertools
from typing import Any

from flint import fmpq

from proofs.kernel import evaluate, minimiser_table
from proofs.longhorn import update as paper
from proofs.tactics.quadratics import competitor

GOAL = paper.diagonal_is_minimiser.conclusion
POINT = paper.diagonal_is_minimiser.found.point


def simplest(k: tuple[int, int], p: tuple[int, int], x: int) -> dict[str, Any]:
    """One channel, two states, β = 1/2."""
    keys, old = paper.table(dict(enumerate(k, 1))), paper.table({(1, j): v for j, v in enumerate(p, 1)})
    return {"d": 1, "n": 2, "β": fmpq(1, 2), "k": keys, "x": fmpq(x), "p": old}


def test_no_counterexample_has_fewer_entries_that_are_not_zero() -> None:
    """β = 1/2 has the least height in (0, 1); all other entries are 0 or ±1."""
    refuting = []
    for k1, k2, p1, p2, x in itertools.product((-1, 0, 1), repeat=5):
        if competitor(GOAL, simplest((k1, k2), (p1, p2), x)) is not None:  # type: ignore[arg-type]
            refuting.append(sum(v != 0 for v in (k1, k2, p1, p2, x)))
    used = [POINT["k"][(1,)], POINT["k"][(2,)], POINT["p"][(1, 1)], POINT["p"][(1, 2)], POINT["x"]]
    assert min(refuting) == sum(v != 0 for v in used) == 3


def test_the_released_update_does_worse_than_the_exact_one_there() -> None:
    released = minimiser_table(GOAL, POINT)  # type: ignore[arg-type]
    objective = GOAL.objective  # type: ignore[attr-defined]
    at_released, at_exact = (evaluate(objective, {**POINT, "": s}) for s in (released, POINT["s"]))
    assert (at_exact, at_released) == (fmpq(1, 4), fmpq(11, 32))
