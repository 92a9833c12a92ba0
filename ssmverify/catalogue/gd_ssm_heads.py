"""Rows for GD-SSM (arXiv 2410.11687), features, classes, a preconditioned step: claims from `proofs.gd_ssm_heads`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from proofs import gd_ssm_heads as paper
from proofs.gd_ssm import gamma, q_next
from proofs.terms import Eq
from ssmverify.catalogue.gd_ssm import ABSTRACT, OURS, constructed
from ssmverify.mutation import with_rhs
from ssmverify.strategies import columns, points, rationals, tables, zeros
from ssmverify.theorem import Mutant, Theorem

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


@st.composite
def contexts(draw: st.DrawFn, classes: bool = False) -> Mapping[str, Any]:
    """Features and targets; for classes also what is added to each entry, which may be any vector."""
    p, m, T = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(0, 3))
    pairs = range(1, T + 2)
    families = {"φ": tables(pairs, columns(p), zeros(p, 1)), "y": tables(pairs, columns(m), zeros(m, 1))}
    centring = {"o": columns(m), "c": rationals()} if classes else {}
    return draw(points(p=p, m=m, T=T, ψ=columns(p), γ=rationals(), **families, **centring))


centred, constant = paper.classes.conclusion.rhs.terms  # type: ignore[attr-defined]

features = Theorem(
    claim=paper.features,
    proof=paper.prove_features,
    instances=contexts,
    source=NON_LINEAR,
    says="With features φ(x), by an MLP before the layer, in place of x, and y as it is, the layer takes one step on "
    "the last layer W of ‖W φ(x) - y‖², from zero. It takes none on the MLP.",
    mutants=(Mutant("up the gradient", claim=with_rhs(paper.features, -paper.features.conclusion.rhs)),),  # type: ignore[attr-defined]
)

classes = Theorem(
    claim=paper.classes,
    proof=paper.prove_classes,
    instances=lambda: contexts(classes=True),
    source=CLASSES,
    says="On unit vectors for classes the layer's logits are those of one step on the cross-entropy from zero, but for "
    "one number added to all: the probabilities are the same.",
    mutants=(
        Mutant("without the constant", claim=with_rhs(paper.classes, centred)),
        Mutant("without the constant's factor", claim=with_rhs(paper.classes, centred + gamma * paper.ones)),
    ),
)

goal = paper.preconditioned.conclusion
assert isinstance(goal, Eq)
preconditioned = Theorem(
    claim=paper.preconditioned,
    proof=paper.prove_preconditioned,
    instances=lambda: constructed(A=True),
    source=OURS,
    says="On constructed tokens D = [0 A] takes the step along the gradient times A, on the inputs' side, for every A. "
    "(The layer on raw tokens has no such weight: its C acts on the targets' side.)",
    mutants=(
        Mutant("without A", claim=with_rhs(paper.preconditioned, -paper.change @ q_next)),
        Mutant("A transposed", claim=with_rhs(paper.preconditioned, -paper.change @ paper.A.T @ q_next)),
    ),
)

theorems = (features, classes, preconditioned)
