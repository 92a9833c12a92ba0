"""Rows for GD-SSM (arXiv 2410.11687), layers for so many steps: claims from `proofs.gd_ssm.degree`."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from proofs.gd_ssm import degree as paper
from proofs.terms import And, Eq, Lt, term
from ssmverify.catalogue.gd_ssm.one_step import OURS
from ssmverify.rows import Theorem
from ssmverify.strategies import points

degree_goal: Any = paper.one_layer_degree.conclusion
degree_lhs, degree_rhs = paper.combined(paper.steps_on), degree_goal.parts[1].rhs

one_layer_degree = Theorem(
    paper.one_layer_degree,
    source=OURS,
    says="No weights let one layer take two steps or more: on tokens u, 2u and 3u, γ u² = 1, a combination that is 0 "
    "for every layer is (8 (-3)^K - 3 (-8)^K) u for K >= 2 steps of rate γ > 0 from zero. That is not 0: "
    "gd_ssm.one_layer_apart.",
    breaks={
        "a layer without its skip, and two of the inputs": And(
            (Eq(8 * paper.head(1), paper.head(2)), Eq(degree_lhs, degree_rhs))
        ),
        "a combination that steps do not see either": And((degree_goal.parts[0], Eq(degree_lhs, term(0)))),
    },
)

one_layer_apart = Theorem(
    paper.one_layer_apart,
    instances=lambda: points(K=st.integers(0, 3)),
    source=OURS,
    says="8·3^K < 3·8^K for K >= 2, squared: the combination of gd_ssm.one_layer_degree is not 0.",
    breaks={"from the first step on": Lt(64 * paper.raised(9, paper.K + 1), 9 * paper.raised(64, paper.K + 1))},
)

whole, leading = paper.written_out
steps_degree = Theorem(
    paper.steps_degree,
    source=OURS,
    says="Where one pair and the query all are s, K steps of rate γ leave (1 - γ s²)^K of the error, written out: the "
    "prediction is of degree 2K + 1 in s exactly, its leading coefficient -(-γ)^K. L layers with nothing non-linear "
    "between them are of degree 3^L at most, so K steps take log_3(2K + 1) layers or more.",
    by_hand=(
        "A layer whose decays do not read the tokens is a polynomial of degree 3 in what it reads, so L of them are of "
        "degree 3^L at most.",
        "Two polynomials that agree everywhere have the same degree.",
    ),
    breaks={
        "one power fewer": And((Eq(paper.polynomial(paper.K, paper.K - 1), whole.rhs), leading)),
        "a leading coefficient that is always 1": And((whole, Eq(leading.lhs, term(1)))),
    },
)
