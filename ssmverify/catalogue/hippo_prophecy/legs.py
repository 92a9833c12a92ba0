"""Rows for LegS and the kernels: claims from `proofs.hippo_prophecy.legs` and `proofs.hippo_prophecy.kernels`."""

from __future__ import annotations

from dataclasses import replace

from flint import fmpq, fmpq_poly
from hypothesis import strategies as st

from proofs.hippo_prophecy import kernels, legs
from proofs.kernel import evaluate
from proofs.terms import And, Eq, Nat
from ssmverify.catalogue.hippo_prophecy.fout import CODE, OURS, Point, nonzero, parts, row
from ssmverify.rows import Broken, Finite, Source
from ssmverify.strategies import columns, matrices, points, rationals

HIPPO = Source(
    "HiPPO: Recurrent Memory with Optimal Polynomial Projections",
    "2008.07669",
    read="remembered; re-derived",
)
WEIGHTS = replace(CODE, place="the weights for LegS")


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def parted(draw: st.DrawFn) -> Point:
    """Powers t^ρ with the moments that the error integral is made of."""
    N, rho = draw(st.integers(0, 3)), draw(st.sampled_from([fmpq(2), fmpq(5, 2), fmpq(1, 2), fmpq(4), fmpq(1, 3)]))
    moments = legs.legs_error_integral.hypotheses["moments"]
    S = evaluate(moments.rhs, {"N": N, "ρ": rho})  # type: ignore[attr-defined]
    return {"N": N, "ρ": rho, "S": S, "F": -S / (rho - 1)}


@st.composite
def stretched(draw: st.DrawFn) -> Point:
    """A state and its rate of change at the time a t."""
    n, u, a, t = draw(st.integers(1, 2)), draw(rationals()), draw(nonzero), draw(nonzero)
    A, B, c = draw(matrices(n, n)), draw(columns(n)), draw(columns(n))
    rest = {"n": n, "u": u, "a": a, "t": t, "A": A, "B": B, "c": c, "c'": (A @ c + u * B) * (1 / (a * t))}
    return draw(points(**rest, δ=rationals(1, 3), k=rationals(1, 3), α=rationals()))


# ------------------------------------------------------------------------------------------------- the theorems
line, value, slope = parts(legs.legs_powers.claim)
with_fewer = legs.of_power(legs.readout, legs.j)
of_value, of_slope = parts(legs.legs_error_integral.claim)
moves, keeps, writes = parts(legs.legs_time_scale.claim)

powers = row(
    legs.legs_powers,
    lambda: points(N=st.integers(0, 4), ρ=rationals(0, 3), u=rationals()),
    WEIGHTS,
    "LegS on u = t^ρ: its states are √(2n+1) V_n/(ρ+n+1) u, they satisfy t c' = A c + B u; the recomposed input is "
    "(1 - V_N) u, and the read-out y = (1 - V_N) u', V_N = ∏ (ρ+1-i)/(ρ+i). So the error has the roots 0, 0, 1..N-1.",
    an_error_without_the_second_root_at_zero=And((line, value, Eq(slope.lhs, -(legs.V(legs.N) * legs.u)))),
)
polynomials = row(
    legs.legs_polynomials,
    lambda: points(j=st.integers(0, 3), r=st.integers(0, 2), u=rationals()),
    WEIGHTS,
    "LegS with N states differentiates t^j exactly for every j < N, and so every polynomial of degree below N.",
    one_state_fewer=Eq(with_fewer, legs.legs_polynomials.conclusion.rhs),  # type: ignore[attr-defined]
)
integral = row(
    legs.legs_error_integral,
    parted,
    OURS,
    "The value error is -(t/2) ∫ u'(tr)(P_N + P_{N-1})(2r-1) dr, and that of y -(t/2) ∫ u''(tr) κ(r) dr: here on every "
    "power of t.",
    "It then holds for every u with two continuous derivatives, for polynomials approximate u'' uniformly.",
    one_state_fewer=And((Eq(of_value.lhs, -legs.V(legs.N)), of_slope)),
)
time_scale = row(
    legs.legs_time_scale,
    stretched,
    HIPPO,
    "LegS does not know the unit of time: c(at) answers to u(at), and a step from k δ has matrices without δ.",
    a_step_that_knows_its_length=And((moves, keeps, Eq(writes.lhs, legs.delta / legs.step_count * legs.B))),
)
legs_kernel = row(
    kernels.legs_kernel,
    lambda: points(j=st.integers(0, 2), q=st.integers(0, 4)),
    HIPPO,
    "e^(At) B of LegS has the entries √(2n+1) P_n(2e^-t - 1) e^-t: the equation K' = A K, power by power of e^-t.",
    without_the_own_state=Eq(
        kernels.legs_kernel.conclusion.lhs,  # type: ignore[attr-defined]
        Nat(kernels.j + kernels.q) * kernels.legendre_ratio(kernels.j, kernels.q),
    ),
)
lagt_kernel = row(
    kernels.lagt_kernel,
    lambda: points(j=st.integers(0, 3), q=st.integers(0, 4)),
    HIPPO,
    "e^(At) B of LagT has the entries L_n(t) e^(-t/2): the equation K' = A K, power by power of t.",
    the_last_state_alone=Eq(
        kernels.lagt_kernel.conclusion.lhs,  # type: ignore[attr-defined]
        kernels.binomial(kernels.j, kernels.q),
    ),
)


def chebyshev(last: int) -> list[fmpq_poly]:
    """T_0..T_last at 2r - 1."""
    found = [fmpq_poly([1]), kernels.SHIFTED]
    for n in range(1, last):
        found.append(2 * kernels.SHIFTED * found[n] - found[n - 1])
    return found[: last + 1]


legendre = Finite(
    "hippo_prophecy.legendre",
    "The mean over [0, 1] of r^ρ P_n(2r - 1) is ∏ (ρ+1-i)/(ρ+i) / (ρ+n+1) for every ρ, the coefficient of r^j in P_n "
    "that of P_j times ∏ -(2j+i)/i, and P_n(1) = 1: for n = 0..16, with P_n from Bonnet's recurrence.",
    decide=lambda n: kernels.check_legendre(n, kernels.legendre(n)),
    cases=lambda: range(17),
    number=17,
    mutants=(
        Broken("Chebyshev's polynomials", lambda n: kernels.check_legendre(n, chebyshev(n))),
        Broken("at r, not at 2r - 1", lambda n: kernels.check_legendre(n, kernels.legendre(n, fmpq_poly([0, 1])))),
    ),
    source=HIPPO,
)
