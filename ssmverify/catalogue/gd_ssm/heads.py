"""Rows for GD-SSM (arXiv 2410.11687), features, classes, preconditioned steps: claims from `proofs.gd_ssm.heads`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat
from hypothesis import strategies as st

from proofs.gd_ssm import heads as paper
from proofs.gd_ssm.one_step import gamma, q_next, rational
from proofs.kernel import Table
from proofs.terms import Eq
from ssmverify.breaks import rhs
from ssmverify.catalogue.gd_ssm.one_step import ABSTRACT, OURS
from ssmverify.rows import Theorem
from ssmverify.strategies import columns, matrices, points, rationals, tables, zeros

NON_LINEAR = replace(
    ABSTRACT,
    words="We then show a straightforward extension to multi-step linear and non-linear regression tasks.",
    read="that abstract, and the released sine model, which is another: its MLP stands behind the state",
)
CLASSES = replace(
    ABSTRACT,
    place="abstract of v3",
    words="",
    read="the abstract of v3, which names classification with the cross-entropy; not how it is done",
)


RESTRICTED = replace(
    OURS,
    read="nothing: Theorem 1 of Ahn et al. (arXiv 2306.00297), remembered, has this optimum for all weights of a layer "
    "of linear attention; here it is that of steps of one form",
)


@st.composite
def contexts(draw: st.DrawFn, classes: bool = False) -> Mapping[str, Any]:
    """Features and targets; for classes also what is added to each entry, which may be any vector."""
    p, m, T = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(0, 3))
    pairs = range(1, T + 2)
    families = {"φ": tables(pairs, columns(p), zeros(p, 1)), "y": tables(pairs, columns(m), zeros(m, 1))}
    centring = {"o": columns(m), "c": rationals()} if classes else {}
    return draw(points(p=p, m=m, T=T, ψ=columns(p), γ=rationals(), **families, **centring))


def inverse(A: Any) -> Any:
    """Of a matrix of rationals."""
    return np.array(fmpq_mat(A.tolist()).inv().tolist(), dtype=object)


@st.composite
def laws(draw: st.DrawFn) -> Mapping[str, Any]:
    """A few contexts with positive definite S, and the best preconditioner."""
    f, n, nu = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(rationals(0, 3))
    one, inputs = rational(np.eye(f, dtype=int)), draw(st.lists(columns(f), min_size=n, max_size=n))
    contexts = [(draw(rationals(1, 3)), one + x @ x.T) for x in inputs]
    change = {"δ": draw(matrices(f, f)), "q": draw(columns(f))}
    mean, square = (sum((w * each for w, each in ways), zeros(f, f)) for ways in (contexts, squared(contexts)))
    return {**_law(contexts), "f": f, "ν": nu, "P": inverse(square + nu * mean).T @ mean.T, **change}


def squared(contexts: Any) -> Any:
    return [(weight, S @ S) for weight, S in contexts]


def _law(contexts: Any) -> Mapping[str, Any]:
    """Their probabilities and S; what is listed beyond the last must not matter."""
    (weights, S), one = zip(*contexts, strict=True), rational(np.eye(len(contexts[0][1]), dtype=int))
    outcomes = {"ω": (weights, fmpq(1)), "S": (S, one)}
    tables = {name: Table({(s,): z for s, z in enumerate(zs, 1)}, end) for name, (zs, end) in outcomes.items()}
    return {"n": len(S), **tables}


NORMAL = {fmpq(-2): fmpq(1, 6), fmpq(0): fmpq(2, 3), fmpq(2): fmpq(1, 6)}  # variance 4/3, up to the fifth moment normal


centred, constant = paper.cross_entropy.rhs.terms  # type: ignore[attr-defined]

features = Theorem(
    paper.features,
    source=NON_LINEAR,
    says="With features φ(x), by an MLP before the layer, in place of x, and y as it is, the layer takes one step on "
    "the last layer W of ‖W φ(x) - y‖², from zero. It takes none on the MLP.",
    breaks={"up the gradient": rhs(-paper.features.rhs)},
)

classes = Theorem(
    paper.cross_entropy,
    source=CLASSES,
    says="On unit vectors for classes the layer's logits are those of one step on the cross-entropy from zero, whose "
    "targets are centred, but for one number added to all: the probabilities are the "
    "same.",
    by_hand=("The gradient of the cross-entropy at W = 0 is the sum of (1/m - y_i) x_i', for softmax(0) is 1/m.",),
    breaks={
        "without the constant": rhs(centred),
        "without the constant's factor": rhs(centred + gamma * paper.ones),
    },
)

goal = paper.preconditioned.conclusion
assert isinstance(goal, Eq)
preconditioned = Theorem(
    paper.preconditioned,
    source=OURS,
    says="On constructed tokens D = [0 A] takes the step along the gradient times A, on the inputs' side, for every A. "
    "(The layer on raw tokens has no such weight: its C acts on the targets' side.)",
    breaks={
        "without A": rhs(-paper.change @ q_next),
        "A transposed": rhs(-paper.change @ paper.A.T @ q_next),
    },
)

normal = paper.normal_equations
before, added, noisy = paper.best_preconditioner.rhs.terms  # type: ignore[attr-defined]
best_preconditioner = Theorem(
    paper.best_preconditioner,
    instances=laws,
    source=RESTRICTED,
    says="Of the steps M P from zero the one with P'(E S² + ν E S) = E S is best, for every query at once: another P "
    "loses E ‖S δ q‖² + ν E (δ q)'S (δ q). Restricted to steps of this form; gd_ssm.preconditioned is a layer that can "
    "take them, and the layer on raw tokens is none. For independent symmetric entries of one law P is γ* I (tested).",
    by_hand=(
        "The mean square over weights and noise of M P q - w'q is ‖(S P - I) q‖² + ν (P q)'S (P q), for entries of w "
        "and noise independent of all else, of mean 0 and variances 1 and ν.",
    ),
    breaks={
        "nothing lost": rhs(before),
        "nothing lost by the noise": rhs(before + added),
    },
)

gaussian_preconditioner = Theorem(
    paper.best_preconditioner_gaussian,
    source=RESTRICTED,
    says="For N normal inputs of covariance Σ the best P is the inverse of (N + 1) Σ + (tr Σ + ν) I, for their E S and "
    "E S².",
    by_hand=("E S = N Σ, and E S² = N (N + 1) Σ² + N tr(Σ) Σ: Isserlis' theorem.",),
    breaks={
        "no noise": Eq(paper.P.T @ paper.mean(paper.S(paper.at) @ paper.S(paper.at)), normal.rhs),
        "twice as much": rhs(2 * normal.rhs),
    },
)
