"""Rows for GD-SSM (arXiv 2410.11687), what training can find: claims from `proofs.gd_ssm.learned`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs.gd_ssm import learned as paper
from proofs.terms import And, Eq, Term, term
from ssmverify.breaks import lhs, rhs
from ssmverify.catalogue.gd_ssm.one_step import ABSTRACT, OURS
from ssmverify.rows import Theorem
from ssmverify.strategies import points, rationals

MATCHING = replace(
    ABSTRACT,
    words="The empirically obtained parameters through optimization match the ones predicted analytically by the "
    "theoretical construction.",
)


# ---------------------------------------------------------------------------------------------- exact instances
def moments() -> SearchStrategy[Mapping[str, Any]]:
    sizes = {"f": st.integers(0, 3), "N": st.integers(0, 3)}
    return points(**sizes, σ=rationals(1, 3), μ=rationals(1, 3))


# ------------------------------------------------------------------------------------------------- the theorems
def _with_minimum(at: Term) -> Any:
    return replace(paper.optimal_rate.claim, conclusion=replace(paper.least, at=at))


uniform_rate, uniform_loss = paper.optimal_rate_uniform.conclusion.parts  # type: ignore[attr-defined]

optimal_rate = Theorem(
    paper.optimal_rate,
    source=OURS,
    says="On the linear task the best rate of one step from zero is γ* = s²/(μ_4 + (f + N - 2) s⁴), for f entries and "
    "N pairs, variance s² and fourth moment μ_4. Nothing of degree 3 in the tokens is better: "
    "gd_ssm.optimal_predictor.",
    by_hand=(
        "E tr S = (N + 1)(f + 1) σ and E tr S² = (N + 1)(f + 1)(μ + (f + N) σ²), the sum over pairs and entries; and "
        "the mean square of an entry of W (I - κ S) q is σ E tr (I - κ S)².",
    ),
    breaks={
        "one pair more": _with_minimum(paper.sigma / (paper.spread(paper.sigma, paper.mu) + paper.sigma * paper.sigma)),
        "twice the rate": _with_minimum(2 * paper.best_rate()),
    },
)

optimal_loss = Theorem(
    paper.optimal_loss,
    source=OURS,
    says="The loss there is (1/2) f s² (1 - γ* N s²): no step leaves (1/2) f s².",
    by_hand=(
        "E tr S = (N + 1)(f + 1) σ and E tr S² = (N + 1)(f + 1)(μ + (f + N) σ²), the sum over pairs and entries; and "
        "the mean square of an entry of W (I - κ S) q is σ E tr (I - κ S)².",
    ),
    breaks={
        "the loss without a step": Eq(
            paper.population_loss(paper.best_rate()), term(1) / 2 * paper.entries * paper.sigma
        )
    },
)

uniform_optimum = Theorem(
    paper.optimal_rate_uniform,
    source=OURS,
    says="For x uniform on (-a, a): γ* = 15/(a² (5(f + N) - 1)), the loss (f a²/6)(5f - 1)/(5(f + N) - 1). At a = 1/2 "
    "and f = N = 10, as in the authors' code, that is 20/33 and 245/1188.",
    by_hand=(
        "E tr S = (N + 1)(f + 1) σ and E tr S² = (N + 1)(f + 1)(μ + (f + N) σ²), the sum over pairs and entries; and "
        "the mean square of an entry of W (I - κ S) q is σ E tr (I - κ S)².",
    ),
    breaks={
        "the moments of a normal distribution": And(
            (
                Eq(paper.best_rate(paper.area / 3, paper.area * paper.area / 3), uniform_rate.rhs),
                uniform_loss,
            )
        )
    },
)

identifiability = Theorem(
    paper.identifiability,
    source=MATCHING,
    says="Trained weights can match the construction's up to a change of coordinates of the state only: B to R B and D "
    "to Q D with R'Q = I give the same outputs, for every R.",
    breaks={
        "D turned like B": Eq(
            paper.turned(paper.T).T @ (paper.R @ paper.D @ paper.token(paper.T)),
            paper.identifiability.rhs,
        )
    },
)

r, s, products = paper.first, paper.second, paper.B_2.T @ paper.D_2
product_fixed = Theorem(
    paper.outputs_fix_the_product,
    source=OURS,
    says="Conversely two layers that agree on all sequences of one and of two tokens have the same B'D.",
    breaks={
        "the tokens exchanged": rhs(s.T @ products @ r),
        "B alone turned": rhs(r.T @ (paper.B_2.T @ paper.D) @ s),
    },
)

B_turned, D_turned, inverse = paper.product_fixes_the_weights.conclusion.parts  # type: ignore[attr-defined]
weights_fixed = Theorem(
    paper.product_fixes_the_weights,
    source=OURS,
    says="And the same B'D, with all four of full rank, leaves a change of coordinates only: one R takes B to "
    "B̂, and its inverse transposed D to D̂.",
    breaks={
        "no change of coordinates": And((Eq(paper.B_2, paper.B), D_turned, inverse)),
        "D turned like B": And((B_turned, Eq(paper.D_2, paper.turn @ paper.D), inverse)),
    },
)

scalings = Theorem(
    paper.scalings,
    source=MATCHING,
    says="On raw tokens: the mixing times α, the pick times β and C over α β give the same outputs.",
    breaks={"C as it was": lhs(paper.alpha * paper.beta * paper.scaled_output)},
)
