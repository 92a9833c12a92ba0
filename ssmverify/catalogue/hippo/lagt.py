"""Rows for HiPPO-LagT: claims from `proofs.hippo.lagt`."""

from __future__ import annotations

from proofs.hippo import lagt
from proofs.tactics.products import falling, one
from proofs.terms import Nat
from ssmverify.breaks import lhs, rhs
from ssmverify.catalogue.hippo.legt import below
from ssmverify.rows import Source, Theorem

LAGUERRE = Source("Laguerre polynomials", place="classical", read="remembered; derived here")
LAGT = Source(
    "HiPPO: Recurrent Memory with Optimal Polynomial Projections",
    "2008.07669",
    "LagT",
    read="its matrix in the code of github.com/FedeArang/In-Context-SSM; derived here",
)

laguerre_derivative = Theorem(
    lagt.laguerre_derivative,
    source=LAGUERRE,
    says="L_n' = - sum over k < n of L_k, power by power (times (j!)² (j+1)).",
    breaks={"the sign": rhs(-lagt.laguerre_derivative.rhs)},
)
laguerre_moments = Theorem(
    lagt.laguerre_moments,
    source=LAGUERRE,
    says="∫ x^q e^(-x) L_n(x) dx = q! (-q)_n / n!, which is 0 for q < n.",
    breaks={"the moment of x^(q+1)": rhs(falling(lagt.q + 1, lagt.n))},
)
laguerre_orthogonal = Theorem(
    lagt.laguerre_orthogonal,
    instances=lambda: below("m", "n"),
    source=LAGUERRE,
    says="The L_n are orthonormal with the weight e^(-x).",
    breaks={
        "not normed": rhs(Nat(lagt.n + 1), part=1),
        "a degree with itself": lhs(lagt.inner(lagt.n, lagt.n), part=0),
    },
)
earlier = lagt.before(lagt.n, 0)
lagt_matrix = Theorem(
    lagt.lagt_matrix,
    source=LAGT,
    says="The coefficients obey c' = A c + B u with -1 below the diagonal of A, -b on it, and B = 1, exactly: the past "
    "fades, so no end is closed. b = 1/2 is the orthonormal form, b = 1 the one without tilt.",
    breaks={
        "-1 on the diagonal": lhs((2 - lagt.tilt) * lagt.moment(lagt.n, 0) + earlier, part=1),
        "a diagonal A": lhs(lagt.moment(lagt.n, 0), part=1),
        "B = 1 at every power": rhs(one, part=0),
        "all of the past kept": lhs(lagt.change(lagt.q) + lagt.tilt * lagt.moment(lagt.n, lagt.q + 1), part=0),
    },
)
lagt_nplr = Theorem(
    lagt.lagt_nplr,
    source=LAGT,
    says="c'A c = -(1'c)²/2 for every c: with b = 1/2, A + 11'/2 is skew.",
    breaks={"A + 11' skew": rhs(2 * lagt.lagt_nplr.rhs)},
)
