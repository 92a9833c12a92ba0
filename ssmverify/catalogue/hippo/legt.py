"""Rows for HiPPO-LegT and -LegS: claims from `proofs.hippo.legendre`, `proofs.hippo.legt` and `proofs.hippo.pade`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flint import fmpq, fmpq_poly
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from numeric import hippo
from proofs.hippo import legendre, pade, spectra
from proofs.hippo import legt as paper
from proofs.kernel import Claim
from proofs.tactics.products import falling, one, rising, sign
from proofs.terms import Eq, Nat, Term, summation
from ssmverify.breaks import lhs, rhs
from ssmverify.catalogue.hippo.layers import matrix_layer, read_out_layer, run_weights
from ssmverify.rows import Broken, Finite, Source, Theorem
from ssmverify.strategies import points, rationals, tables

CLASSICAL = Source("Legendre polynomials", place="classical", read="remembered; derived here")
HIPPO = Source(
    "HiPPO: Recurrent Memory with Optimal Polynomial Projections",
    "2008.07669",
    "LegT and LegS",
    read="the matrices in the code of github.com/FedeArang/In-Context-SSM; derived here",
)
READ_OUT = Source(
    "stated here",
    read="the weights C = B'A and D = B'B in the authors' code of HiPPO-Prophecy (arXiv 2407.09375); their closed form "
    "is ours",
)
NPLR = Source(
    "Efficiently Modeling Long Sequences with Structured State Spaces",
    "2111.00396",
    "NPLR forms of LegS and LegT",
    read="remembered; derived here",
)
OURS = Source(
    "stated here",
    read="nothing: it is about the construction of HiPPO-Prophecy (arXiv 2407.09375), of which the abstract and the "
    "authors' code were at hand, not the body",
)

degrees = st.integers(0, 3)
scales = tables(range(7), st.builds(fmpq, st.integers(1, 5), st.integers(1, 3)), fmpq(1))


def below(low: str, high: str, **others: SearchStrategy[Any]) -> SearchStrategy[Mapping[str, Any]]:
    """Points at which one index is below another."""
    pairs = [{low: i, high: top} for top in range(1, 5) for i in range(top)]
    return st.tuples(st.sampled_from(pairs), points(**others)).map(lambda drawn: {**drawn[0], **drawn[1]})


n, k, q, N = legendre.n, legendre.k, legendre.q, paper.N
square = Nat(N) * Nat(N)

ends = Theorem(
    legendre.legendre_ends,
    source=CLASSICAL,
    says="p_n(0) = 1 now, p_n(1) = (-1)^n at the far end of the window.",
    breaks={"1 at both ends": rhs(one, part=1)},
)
derivative = Theorem(
    legendre.legendre_derivative,
    instances=lambda: points(n=degrees, j=degrees),
    source=CLASSICAL,
    says="The derivative matrix: p_n' is the sum over k < n of ((-1)^(n-k) - 1)(2k+1) p_k, power by power.",
    breaks={"the sign of the window's other direction": rhs(-legendre.legendre_derivative.rhs)},
)
moments = Theorem(
    legendre.legendre_moments,
    source=CLASSICAL,
    says="∫ x^q p_n(x) dx over the window in closed form, for every n and q; it is 0 for q < n.",
    breaks={"the moment of x^(q+1)": rhs(legendre.closed_moment(n, legendre.q + 1))},
)
tilted = summation(q, 0, legendre.m, legendre.coefficient(legendre.m, q) * legendre.moment(n, q + 1))
orthogonal = Theorem(
    legendre.legendre_orthogonal,
    instances=lambda: below("m", "n"),
    source=CLASSICAL,
    says="∫ p_m p_n = 0 for m < n, ∫ p_n² = 1/(2n+1): sqrt(2n+1) p_n is an orthonormal basis of the window.",
    breaks={
        "a weight x": lhs(tilted, part=0),
        "the norm on [-1, 1]": rhs(2 / Nat(2 * n + 1), part=1),
    },
)

window = Theorem(
    paper.legt_window,
    source=HIPPO,
    says="The exact coefficients of every polynomial signal obey x_n' = (M x)_n + u(t) - (-1)^n u(t - 1), with M the "
    "derivative matrix: nothing is closed yet. Here u(t - x) = x^(q+1), and 1.",
    breaks={
        "the far end as p_n(0)": rhs(-one, part=0),
        "the near end forgotten": rhs(-sign(n), part=1),
        "the rows of M weighted by 2k+1 of every k < n": lhs(
            -Nat(q + 1) * legendre.moment(n, q) + legendre.weighted(n, legendre.moment(k, q + 1)), part=0
        ),
        "M transposed in sign": lhs(
            -Nat(q + 1) * legendre.moment(n, q) + legendre.derivative_row(n, legendre.moment(k, q + 1)), part=0
        ),
    },
)
matrix = Theorem(
    paper.legt_matrix,
    instances=lambda: below("n", "N", d=scales, c=tables(range(6), rationals()), u=rationals()),
    source=HIPPO,
    says="Reading the far end u(t - 1) off the reconstruction turns the window's ODE into the table of LegT.",
    layers=(matrix_layer("legt"),),
    breaks={
        "LegS": lambda N, like: run_weights("legs", N, like)[:2],
        "the far end read as p_k(0)": Eq(
            paper.d(n) * (legendre.derivative_row(n, paper.state) + paper.u - legendre.weighted(N, paper.state)),
            paper.legt_matrix.rhs,
        ),
    },
)
legs = Theorem(
    paper.legs_matrix,
    source=HIPPO,
    says="The coefficients of u on [0, t] obey t c' = A c + B u with the table of LegS, exactly: no end is closed.",
    layers=(matrix_layer("legs", hippo._legs),),
    breaks={"2n+1 on the diagonal": rhs(paper.legs_matrix.rhs - Nat(n) * paper.past(n, legendre.closed_moment(n, q)))},
)
legt_nplr = Theorem(
    paper.legt_nplr,
    source=NPLR,
    says="c'A c = -(g₀'c)²/2 - (g₁'c)²/2 for every c, with c_n = sqrt(2n+1) x_n: A + (g₀g₀' + g₁g₁')/2 is skew.",
    breaks={
        "rank 1": rhs(-(paper.ends[0] * paper.ends[0])),
        "twice as much": rhs(2 * paper.legt_nplr.rhs),
    },
)
nplr_rhs = paper.legs_nplr.rhs.terms  # type: ignore[attr-defined]
legs_nplr = Theorem(
    paper.legs_nplr,
    source=NPLR,
    says="c'A c = -c'c/2 - (B'c)²/2 for every c, in the orthonormal scale: A + P P' is -I/2 plus a skew matrix, "
    "with P = B/sqrt2.",
    breaks={"no I/2": rhs(nplr_rhs[1])},
)
legt_read_out = Theorem(
    paper.legt_readout,
    instances=lambda: below("k", "N", d=scales),
    source=READ_OUT,
    says="C = g'A and D = g'B of LegT in closed form: -(2k+1)/d_k (N² - k(k+1)) and N²; orthonormal, with d_k² = 2k+1, "
    "C_k = -sqrt(2k+1)(N² - k(k+1)).",
    layers=(read_out_layer("legt"),),
    breaks={
        "N² - k²": rhs(-paper.share * (Nat(N) * Nat(N) - Nat(k) * Nat(k)), part=0),
        "D = N": rhs(Nat(N), part=1),
    },
)
legs_read_out = Theorem(
    paper.legs_readout,
    source=READ_OUT,
    says="The read-out of LegS is that of LegT, to be divided by t.",
    layers=(read_out_layer("legs"),),
    breaks={"without the diagonal": rhs(-paper.share * Nat(N) * Nat(N), part=0)},
)
far, now = legendre.moment(k, q), legendre.moment(k, q + 1)
exact = Theorem(
    pade.legt_exact_on_polynomials,
    instances=lambda: points(q=st.integers(0, 3), r=st.integers(0, 3)),
    source=OURS,
    says="LegT is exact on polynomials. Up to degree N - 1 the reconstruction from N coefficients has the right values "
    "at both ends of the window (1 at the far end, 0 now, for u(t - x) = x^q with q > 0), so the coefficients obey the "
    "closed ODE. Up to degree N the read-out is u': that is g'c', and c' belongs to u', of degree N - 1.",
    breaks={
        "one state fewer": lhs(legendre.alternating(q + pade.r, far), part=0),
        "without signs": lhs(legendre.weighted(q + 1 + pade.r, far), part=0),
        "one state fewer, now": lhs(legendre.weighted(q + 1 + pade.r, now), part=1),
        "1 from no state": lhs(legendre.weighted(pade.r, legendre.moment(k, 0)), part=2),
    },
)
row = pade.transform(k)
weights = legendre.weighted(N, row)
denominator = Theorem(
    pade.legt_denominator,
    instances=lambda: points(n=degrees, N=degrees, z=rationals()),
    source=OURS,
    says="ℓ = (sI + M)^-1 g for LegT's M and g = (1, 1, ...), with z = 1/s, and 1 + the sum of (2k+1) ℓ_k is "
    "z^N Q_N(1/z). With `hippo.observer_error`: y - u' = -[s^(N+1)/Q_N(s)] u, for every N and s other than 0.",
    breaks={
        "Q_(N+1)": lhs(pade.denominator(N + 1) - weights, part=1),
        "no weights": lhs(pade.denominator(N) - summation(k, 0, N - 1, row), part=1),
        "s I - M": lhs(pade.transform(n) - pade.z * legendre.derivative_row(n, row), part=0),
    },
)


def unsettled(row: Term) -> Claim:
    """The claim about the error, with other rows of A x."""
    rows = pade.share * (paper.x(n) - pade.z * row - pade.z)
    missed = pade.z * (pade.denominator(N) * (1 - pade.seen))
    return replace(pade.legt_error.claim, conclusion=Eq(summation(n, 0, N - 1, rows) + missed, pade.z))


legs_row = -legendre.weighted(n, paper.x(k)) - Nat(n + 1) * paper.x(n)
error = Theorem(
    pade.legt_error,
    instances=lambda: points(N=degrees, z=rationals(), x=tables(range(4), rationals())),
    source=OURS,
    says="In the scale d = 1, for any x, and z = 1/s: where x = z (A x + B), the steady state for u = e^(st), the "
    "sum over n is 0; so 1 less the reconstruction is s^N/Q_N(s), and y - u' = -[s^(N+1)/Q_N(s)] u, as y is s times "
    "the reconstruction. For every N.",
    breaks={
        "LegS": unsettled(legs_row),
        "no signs": unsettled(-legendre.weighted(N, paper.x(k))),
        "the other time": unsettled(-paper.row),
    },
)
order = Theorem(
    pade.pade_order,
    source=OURS,
    says="Q_N(s) e^(-s) has no power from s^N to s^(2N-1), for (-m)_N = 0 if m < N: what it has below s^N, over Q_N, "
    "is the Padé approximant [N-1/N] of e^(-s).",
    breaks={"a power more": rhs(sign(N) * falling(pade.m, N + 1) / rising(pade.m + 1, N))},
)


def decide_characteristic(N: int, A: spectra.Entry = spectra.legt_entry, last: int = 0) -> str:
    """det(sI - A) = Q_N, and Q_N times the far end's transfer function = what Q_N e^(-s) has below s^N."""
    matrix = spectra.square_matrix(N, A)
    Q, K = spectra.pade_denominator(N), spectra.closed_loop(matrix)
    if matrix.charpoly() != Q:
        return f"N = {N}: det(sI - A) = {matrix.charpoly()}, Q_N = {Q}"
    if K.charpoly() != fmpq_poly([*[0] * (N + 1 + last), 1]):
        return f"N = {N}: det(sI - K) = {K.charpoly()}"
    series = spectra.times_exponential(Q, 2 * N + last)
    far_end = spectra.far_end_numerator(matrix)
    if [far_end[i] for i in range(len(series))] != series:
        return f"N = {N}: the far end has the numerator {far_end}, Q_N e^(-s) begins {series}"
    return ""


characteristic = Finite(
    name="hippo.legt_characteristic",
    says="For N = 1..32: det(sI - A) = Q_N, det(sI - K) = s^(N+1) for the closed loop K = [[A, B], [C, D]], and the "
    "far end g₁'(sI - A)^-1 B is the Padé approximant [N-1/N] of e^(-s). By H - s = -χ_K/χ_A the read-out misses "
    "-[s^(N+1)/Q_N(s)] u.",
    decide=decide_characteristic,
    cases=lambda: range(1, 33),
    number=32,
    source=OURS,
    mutants=(
        Broken("no signs above the diagonal", lambda N: decide_characteristic(N, lambda n, k: -(2 * k + 1))),
        Broken("LegS", lambda N: decide_characteristic(N, lambda n, k: -(2 * k + 1) * (k <= n) + n * (k == n))),
        Broken("one power more", lambda N: decide_characteristic(N, last=1)),
    ),
)
