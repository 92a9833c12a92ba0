"""Exact instances of a `UniqueMinimiser`: is a point the one minimum of a quadratic, and if not, what does better?

Not trusted: a competitor is handed to the kernel's `refute`, which evaluates it. That there is none, for an objective
of degree 2 with positive definite Hessian and zero gradient, is evidence at one instance, not a Fact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import fmpq

from proofs.arithmetic import polynomials
from proofs.kernel import Point, Table, Undecidable, evaluate, minimiser_table, position
from proofs.terms import UniqueMinimiser


def competitor(goal: UniqueMinimiser, point: Point) -> Any | None:
    """A value of the bound symbol, other than the claimed minimiser and no worse; None if there is none.

    Raises Undecidable if the objective is no quadratic in the symbol's entries.
    """
    at = minimiser_table(goal, point)
    rows, columns = position(goal.symbol.rows, point), position(goal.symbol.columns, point)
    members = list(at.entries) if isinstance(at, Table) else [()]
    claimed = np.array([np.array(at[i] if i else at, dtype=object).ravel() for i in members], dtype=object).ravel()
    constant, x = polynomials(len(claimed))

    def value(entries: Sequence[Any]) -> Any:
        """The entries as a value of the symbol."""
        shaped = np.array(entries, dtype=object).reshape(len(members), rows, columns)
        cells = [m[0, 0] if goal.symbol.is_scalar else m for m in shaped]
        return Table(dict(zip(members, cells, strict=True)), at.default) if goal.ranges else cells[0]

    objective = constant(evaluate(goal.objective, {**point, goal.symbol.name: value(x)}, constant))
    if any(sum(monomial) > 2 for monomial in objective.monoms()):
        raise Undecidable("the objective is not quadratic")
    gradient = np.array([coefficient(objective.diff(v).evaluate(list(zip(x, claimed, strict=True)))) for v in x])
    hessian = np.array([[coefficient(objective.diff(v).diff(w)) for w in x] for v in x])
    direction = _descent(gradient, hessian)
    return None if direction is None else value(claimed + direction)


def coefficient(constant: Any) -> fmpq:
    """A constant polynomial, or a number, as a rational."""
    return fmpq(constant) if isinstance(constant, int | fmpq) else fmpq(constant.LC if constant else 0)


def _descent(gradient: Any, hessian: Any) -> Any | None:
    """A step that does not raise gradient'v + v'Hv/2: down the gradient, or where the curvature is not positive."""
    if gradient.any():
        curvature = gradient @ hessian @ gradient
        return gradient * (-(gradient @ gradient) / curvature if curvature > 0 else fmpq(-1))
    reduced, basis = (
        hessian.copy(),
        np.array([[fmpq(int(i == j)) for j in range(len(hessian))] for i in range(len(hessian))]),
    )
    for k in range(len(hessian)):
        if reduced[k, k] <= 0:
            return basis[k]
        for r in range(k + 1, len(hessian)):
            factor = reduced[r, k] / reduced[k, k]
            reduced[r] = reduced[r] - factor * reduced[k]
            reduced[:, r] = reduced[:, r] - factor * reduced[:, k]
            basis[r] = basis[r] - factor * basis[k]
    return None
