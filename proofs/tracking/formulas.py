"""Arithmetic formulas by products of matrices I + (one block), in three blocks (Ben-Or and Cleve 1992).

| symbol | shape | meaning |
| --- | --- | --- |
| P, Q, R | (n, m) | three blocks of the state, orthogonal to each other; Q'Q = I |
| F, G | (m, m) | the values of two formulas; numbers where m = 1 |

A formula of depth d over +, × and leaves becomes a product of at most 4^d matrices I + P X R', X a leaf: a leaf is one,
a sum takes the lengths' sum, a product twice that. So a linear recurrence with gates of the form identity plus low rank
evaluates formulas: the arithmetic twin of Barrington's theorem. (The form for m = 1 and matrices of size 3 is the
paper's, as remembered; blocks, so that the values need not commute, are ours.)
"""

from __future__ import annotations

from typing import cast

import numpy as np
from flint import fmpq

from proofs.derivation import main, proves
from proofs.kernel import Claim, Fact, words
from proofs.terms import Eq, Formula, Identity, Zero, matrix, size

n, m = size("n"), size("m")
P, Q, R = (matrix(name, n, m) for name in "PQR")
F, G = matrix("F", m, m), matrix("G", m, m)
blocks: dict[str, Formula] = {
    "Q_orthonormal": Eq(Q.T @ Q, Identity(m)),
    "Q_and_P_apart": Eq(Q.T @ P, Zero(m, m)),
    "R_and_P_apart": Eq(R.T @ P, Zero(m, m)),
    "R_and_Q_apart": Eq(R.T @ Q, Zero(m, m)),
}
one = Identity(n)
axes = {name: np.array([[fmpq(int(i == j))] for i in range(3)]) for j, name in enumerate("PQR")}
numbers = {"F": np.array([[fmpq(2)]]), "G": np.array([[fmpq(3)]])}


@proves(
    Eq((one + P @ F @ Q.T) @ (one + Q @ G @ R.T) @ (one - P @ F @ Q.T) @ (one - Q @ G @ R.T), one + P @ F @ G @ R.T),
    blocks,
)
def ben_or_cleve_product() -> Fact:
    """Multiply out: what is not P F G R' cancels, or holds a product of blocks that are apart."""
    return _multiplied_out(ben_or_cleve_product.claim)


@proves(
    Eq((one + P @ F @ R.T) @ (one + P @ G @ R.T), one + P @ (F + G) @ R.T), {"R_and_P_apart": blocks["R_and_P_apart"]}
)
def ben_or_cleve_sum() -> Fact:
    """Multiply out: R'P = 0."""
    return _multiplied_out(ben_or_cleve_sum.claim)


def _multiplied_out(claim: Claim) -> Fact:
    equation = cast(Eq, claim.conclusion)
    return words(equation.lhs, equation.rhs, [cast(Eq, rule) for rule in claim.hypotheses.values()])


if __name__ == "__main__":
    main(__doc__)
