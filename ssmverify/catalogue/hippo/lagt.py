"""Rows for HiPPO-LagT: claims from `proofs.hippo.lagt`."""

from __future__ import annotations

from hypothesis import strategies as st

from proofs.hippo import lagt
from proofs.tactics.products import falling, one
from proofs.terms import Nat
from ssmverify.catalogue.hippo.legt import below, degrees
from ssmverify.checking.mutants import part_with_lhs, part_with_rhs, with_rhs
from ssmverify.rows import Mutant, Source, Theorem
from ssmverify.strategies import points, rationals, tables

LAGUERRE = Source("Laguerre polynomials", place="classical", read="remembered; derived here")
LAGT = Source(
    "HiPPO: Recurrent Memory with Optimal Polynomial Projections",
    "2008.07669",
    "LagT",
    read="its matrix in the code of github.com/FedeArang/In-Context-SSM; derived here",
)

laguerre_derivative = Theorem(
    lagt.laguerre_derivative,
    instances=lambda: points(n=degrees, j=degrees),
    source=LAGUERRE,
    says="L_n' = - sum over k < n of L_k, power by power (times (j!)² (j+1)).",
    mutants=(Mutant("the sign", claim=with_rhs(lagt.laguerre_derivative.claim, -lagt.laguerre_derivative.rhs)),),
)
laguerre_moments = Theorem(
    lagt.laguerre_moments,
    instances=lambda: points(n=degrees, q=degrees),
    source=LAGUERRE,
    says="∫ x^q e^(-x) L_n(x) dx = q! (-q)_n / n!, which is 0 for q < n.",
    mutants=(
        Mutant("the moment of x^(q+1)", claim=with_rhs(lagt.laguerre_moments.claim, falling(lagt.q + 1, lagt.n))),
    ),
)
laguerre_orthogonal = Theorem(
    lagt.laguerre_orthogonal,
    instances=lambda: below("m", "n"),
    source=LAGUERRE,
    says="The L_n are orthonormal with the weight e^(-x).",
    mutants=(
        Mutant("not normed", claim=part_with_rhs(lagt.laguerre_orthogonal.claim, 1, Nat(lagt.n + 1))),
        Mutant(
            "a degree with itself", claim=part_with_lhs(lagt.laguerre_orthogonal.claim, 0, lagt.inner(lagt.n, lagt.n))
        ),
    ),
)
earlier = lagt.before(lagt.n, 0)
lagt_matrix = Theorem(
    lagt.lagt_matrix,
    instances=lambda: points(n=degrees, q=degrees, b=rationals()),
    source=LAGT,
    says="The coefficients obey c' = A c + B u with -1 below the diagonal of A, -b on it, and B = 1, exactly: the past "
    "fades, so no end is closed. b = 1/2 is the orthonormal form, b = 1 the one without tilt.",
    mutants=(
        Mutant(
            "-1 on the diagonal",
            claim=part_with_lhs(lagt.lagt_matrix.claim, 1, (2 - lagt.tilt) * lagt.moment(lagt.n, 0) + earlier),
        ),
        Mutant("a diagonal A", claim=part_with_lhs(lagt.lagt_matrix.claim, 1, lagt.moment(lagt.n, 0))),
        Mutant("B = 1 at every power", claim=part_with_rhs(lagt.lagt_matrix.claim, 0, one)),
        Mutant(
            "all of the past kept",
            claim=part_with_lhs(
                lagt.lagt_matrix.claim, 0, lagt.change(lagt.q) + lagt.tilt * lagt.moment(lagt.n, lagt.q + 1)
            ),
        ),
    ),
)
lagt_nplr = Theorem(
    lagt.lagt_nplr,
    instances=lambda: points(N=st.integers(0, 4), c=tables(range(6), rationals())),
    source=LAGT,
    says="c'A c = -(1'c)²/2 for every c: with b = 1/2, A + 11'/2 is skew.",
    mutants=(Mutant("A + 11' skew", claim=with_rhs(lagt.lagt_nplr.claim, 2 * lagt.lagt_nplr.rhs)),),
)

theorems = (laguerre_derivative, laguerre_moments, laguerre_orthogonal, lagt_matrix, lagt_nplr)
