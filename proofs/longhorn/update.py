"""Longhorn: State Space Models are Amortized Online Learners (arXiv 2407.14207).

What was read: the abstract and opening of v3 and v5; Theorem 3.1 and the diagonal step in two quotations that agree
(section 3.2, Eq. 5); the authors' figure 1, README and code. The full text was not at hand.

| symbol | shape | meaning |
| --- | --- | --- |
| d, n | sizes | channels; state size of a channel (the paper writes m) |
| k | (n,) | key, shared by the channels |
| x_i, β_i | scalars | the input of channel i, which is also the regression target; its write strength, a sigmoid |
| p_i, s_i | (n,) | old and new state of channel i: the rows of S_{t-1} and S |
| ε_i | scalar | β_i / (1 + β_i k'k) |

Departures. The theorem is quoted for β in R^d while the layer's β is a sigmoid: we prove it for β >= 0 and refute it
for β in R^d. ‖S - S_{t-1}‖² is written as the sum over its rows, so that each channel has its own β at every d. Where
the update is diagonal the state is written entry by entry: k_j, p_ij, s_ij.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from flint import fmpq

from proofs.derivation import main, proves
from proofs.kernel import Fact, Refuted, Table, apart, discharge, identity, refute, rewrite, split, squares
from proofs.tactics.equations import unfold, unique_minimiser
from proofs.terms import (
    ONE,
    And,
    Eq,
    Index,
    Le,
    Lt,
    Term,
    UniqueMinimiser,
    family,
    for_all,
    scalar,
    sequence,
    size,
    substitute,
    summation,
    term,
    vector,
)

d, n, i, j, l = (size(name) for name in "dnijl")
x, beta = sequence("x"), sequence("β")
beta_nonnegative = for_all(i, Le(term(0), beta(i)))


def strength(beta: Term, k_squared: Term) -> Term:
    """ε = β / (1 + β k'k)."""
    return beta / (1 + beta * k_squared)


def strength_is_defined(beta: Term, k_squared: Term) -> Fact:
    """0 <= β |- 1 + β k'k != 0."""
    below = 1 + beta * k_squared
    return apart(squares(term(0), below, below, [Le(term(0), beta)], strict=True))


# ------------------------------------------------------------------------------------- Theorem 3.1: closed form
k = vector("k", n)
p, s = sequence("p", n), sequence("s", n)


def step(p: Term, k: Term, x: Term, beta: Term) -> Term:
    """The paper's update of one channel: (I - ε k k') p + ε x k, multiplied out."""
    return p - strength(beta, k.T @ k) * (k.T @ p - x) * k


def objective() -> Term:
    """‖S - S_{t-1}‖² + ‖S k - x‖²_diag(β), channel by channel."""
    error = k.T @ s(i) - x(i)
    return summation(i, 1, d, (s(i) - p(i)).T @ (s(i) - p(i)) + beta(i) * (error * error))


minimises = UniqueMinimiser(s, ((ONE, d),), objective(), family((i,), step(p(i), k, x(i), beta(i))))


@proves(minimises, {"beta_nonnegative": beta_nonnegative})
def closed_form() -> Fact:
    """Moving channel i by δ_i from the update raises its part of the objective by exactly |δ_i|² + β_i (k'δ_i)²."""
    return unique_minimiser(
        minimises,
        gap=lambda delta, i: beta(i) * ((k.T @ delta) * (k.T @ delta)),
        nonzero=lambda i: [strength_is_defined(beta(i), k.T @ k)],
        given=[beta_nonnegative],
    )


@proves(minimises)
def closed_form_every_beta() -> Refuted:
    """At β = -2 the objective of one channel with one state is concave: the update is its maximum."""
    one = fmpq(1)
    point = {"d": 1, "n": 1, "k": column(1), "x": one, "β": fmpq(-2), "p": column(0), "s": column(0)}
    return refute(closed_form_every_beta.sequent, point)


# ---------------------------------------------------------------------- the released update, which is diagonal
kj, pij, sij = sequence("k"), sequence("p", arity=2), sequence("s", arity=2)
beta_is_a_sigmoid = for_all(i, And((Lt(term(0), beta(i)), Lt(beta(i), term(1)))))


def diagonal_step(p: Term, k: Term, k_squared: Term, x: Term, beta: Term) -> Term:
    """Entry j of the released update: (1 - ε k_j²) p_j + ε x k_j."""
    epsilon = strength(beta, k_squared)
    return (1 - epsilon * (k * k)) * p + epsilon * x * k


k_squared = summation(l, 1, n, kj(l) * kj(l))
k_squared_but_j = summation(l, 1, j - 1, kj(l) * kj(l)) + summation(l, j + 1, n, kj(l) * kj(l))
diagonal_update = family((i, j), diagonal_step(pij(i, j), kj(j), k_squared, x(i), beta(i)))


def objective_by_entries() -> Term:
    """The objective of Theorem 3.1, entry by entry."""
    stay = summation(j, 1, n, (sij(i, j) - pij(i, j)) * (sij(i, j) - pij(i, j)))
    error = summation(j, 1, n, kj(j) * sij(i, j)) - x(i)
    return summation(i, 1, d, stay + beta(i) * (error * error))


def separable_objective() -> Term:
    """sum_ij (s_ij - p_ij)² + w_ij (k_j s_ij - x_i)²: each entry alone explains the whole target.

    w_ij = β_i / (1 + β_i sum_{l != j} k_l²).
    """
    stay = sij(i, j) - pij(i, j)
    error = kj(j) * sij(i, j) - x(i)
    weight = strength(beta(i), k_squared_but_j)
    return summation(i, 1, d, summation(j, 1, n, stay * stay + weight * (error * error)))


entries = ((ONE, d), (ONE, n))


@proves(
    UniqueMinimiser(sij, entries, objective_by_entries(), diagonal_update), {"beta_is_a_sigmoid": beta_is_a_sigmoid}
)
def diagonal_is_minimiser() -> Refuted:
    """One channel, two states. For one state the two updates agree (`diagonal_at_one_state`), so two is least; with
    β = 1/2, the simplest number that a sigmoid takes, all others can be 0 or 1."""
    half = fmpq(1, 2)
    k, p = {1: 1, 2: 1}, {1: 1, 2: 0}
    epsilon = half / (1 + half * sum(k[j] ** 2 for j in k))
    error = sum(k[j] * p[j] for j in k)
    point = {
        "d": 1,
        "n": 2,
        "β": half,
        "k": table(k),
        "x": fmpq(0),
        "p": table({(1, j): p[j] for j in p}),
        "s": table({(1, j): p[j] - epsilon * error * k[j] for j in p}),
    }
    return refute(diagonal_is_minimiser.sequent, point)


p_1, k_1, x_1, beta_1 = (scalar(name) for name in ("p", "k", "x", "β"))

updates_agree = Eq(diagonal_step(p_1, k_1, k_1 * k_1, x_1, beta_1), step(p_1, k_1, x_1, beta_1))


@proves(updates_agree, {"beta_nonnegative": Le(term(0), beta_1)})
def diagonal_at_one_state() -> Fact:
    """For n = 1 there is nothing beside the diagonal."""
    both = identity(updates_agree.lhs, updates_agree.rhs)
    return discharge(both, strength_is_defined(beta_1, k_1 * k_1))


minimises_by_entries = UniqueMinimiser(sij, entries, separable_objective(), diagonal_update)


@proves(minimises_by_entries, {"beta_nonnegative": beta_nonnegative})
def diagonal_objective() -> Fact:
    """Moving entry ij by δ_ij raises its part by exactly δ_ij² + w_ij k_j² δ_ij², once k'k is cut at j."""

    def cut_at(j: Index) -> Fact:
        early = unfold(summation(l, 1, j, kj(l) * kj(l)))
        return rewrite(split(k_squared, j), early)

    def denominators(i: Index, j: Index) -> list[Fact]:
        return [
            strength_is_defined(beta(i), k_squared),
            strength_is_defined(beta(i), substitute(k_squared_but_j, {"j": j})),
        ]

    def gap(delta: Term, i: Index, j: Index) -> Term:
        weight = strength(beta(i), substitute(k_squared_but_j, {"j": j}))
        return weight * (kj(j) * kj(j)) * (delta * delta)

    return unique_minimiser(
        minimises_by_entries,
        gap,
        denominators,
        [beta_nonnegative],
        equations=lambda i, j: [cut_at(j)],
    )


def column(*values: int) -> Any:
    """A column of rationals."""
    return np.array([[fmpq(v)] for v in values], dtype=object)


def table(values: dict[Any, Any]) -> Table:
    """A family of rationals, zero elsewhere."""
    return Table({i if isinstance(i, tuple) else (i,): fmpq(v) for i, v in values.items()}, fmpq(0))


if __name__ == "__main__":
    main(__doc__)
