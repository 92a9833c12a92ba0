"""Rows for the error bound of the Fourier basis: claims from `proofs.hippo_prophecy.bound` and `_harmonics`."""

from __future__ import annotations

from collections.abc import Mapping

from flint import fmpq
from hypothesis import strategies as st

from proofs.hippo_prophecy import bound, fout, harmonics
from proofs.tactics.products import power
from proofs.terms import And, Eq, Le, Nat, absolute_le, term
from ssmverify.catalogue.hippo_prophecy.fout import (
    AHEAD,
    OURS,
    PAPER,
    Point,
    families,
    nonzero,
    of_harmonics,
    parts,
    row,
)
from ssmverify.rows import Source
from ssmverify.strategies import rationals

BOUND = Source(
    PAPER,
    "2407.09375",
    "the error bound",
    words="we find an explicit weight construction for continuous SSMs and provide an asymptotic error bound on the "
    "derivative approximation",
    read="the abstract, and the authors' notebook, which plots the error on a function with |u'''| <= 15 beside 15/N; "
    "the theorem's own wording was not at hand",
)


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def quadratics(draw: st.DrawFn) -> Point:
    """Coefficients of a₁ t + a₂ t²."""
    M, theta = draw(st.integers(0, 3)), draw(rationals(1, 3))
    t, a1, a2 = (draw(rationals()) for _ in range(3))

    def harmonic() -> Mapping[str, fmpq]:
        omega = draw(nonzero)
        return {"ω": omega, "X": (a1 + a2 * (2 * t - theta)) / omega}

    rest = {"L": draw(rationals(0, 3)), "κ": draw(rationals())}
    return {"M": M, "θ": theta, "t": t, "a₁": a1, "a₂": a2, **rest, **of_harmonics(M, harmonic)}


@st.composite
def ramps(draw: st.DrawFn) -> Point:
    """Coefficients of t, and of a window with equal ends."""
    M, p, kappa = draw(st.integers(0, 3)), draw(st.integers(0, 2)), draw(rationals())

    def harmonic() -> Mapping[str, fmpq]:
        omega = draw(nonzero)
        return {"ω": omega, "X": 1 / omega, "Z": fmpq(0)}

    return {"M": M, "p": p, "κ": kappa, "L": fmpq(0), **of_harmonics(M, harmonic)}


@st.composite
def moving_ramps(draw: st.DrawFn) -> Point:
    """Coefficients of t, and a time."""
    ramp = {name: table for name, table in draw(ramps()).items() if name in ("ω", "X")}
    return {"m": draw(st.integers(0, 2)), "t": draw(rationals()), "θ": draw(rationals(1, 3)), **ramp}


@st.composite
def tails(draw: st.DrawFn) -> Point:
    """Errors that add up: every harmonic is as large as it may be, and of one sign."""
    first, size, p = draw(st.integers(0, 3)), draw(st.integers(0, 12)), draw(st.integers(0, 2))
    unit = st.sampled_from([(fmpq(1), fmpq(0)), (fmpq(3, 5), fmpq(4, 5)), (fmpq(5, 13), fmpq(-12, 13))])
    sign = draw(st.sampled_from([1, 1, -1]))
    rows = []
    for _ in range(first + size + AHEAD):
        x, y = draw(unit)
        rows.append({"c": x, "s": y, "f": sign * x, "h": sign * y})
    numbers = {"μ": first, "n": size, "p": p, "L": draw(rationals(0, 3))}
    return {**numbers, "λ": draw(st.sampled_from([fmpq(1, 9), fmpq(1), fmpq(9)])), **families(len(rows) - 1, rows)}


@st.composite
def sampled(draw: st.DrawFn) -> Point:
    """Samples of u^(k), and of waves."""
    unit = st.sampled_from([(fmpq(1), fmpq(0)), (fmpq(-1), fmpq(0)), (fmpq(3, 5), fmpq(4, 5))])
    size, L = draw(st.integers(0, 3)), draw(rationals())
    rows = []
    for _ in range(size + AHEAD):
        x, y = draw(unit)
        rows.append({"c": x, "s": y, "v": draw(st.sampled_from([L, -L, L / 2]))})
    return {"n": size, "L": L, **families(len(rows) - 1, rows)}


@st.composite
def overtones(draw: st.DrawFn) -> Point:
    """A harmonic as large as it may be, and an error in it, mostly as large as it may be."""
    p, nu, L = draw(st.integers(0, 2)), draw(st.sampled_from([fmpq(1, 2), fmpq(1), fmpq(3)])), draw(rationals())
    x, y = draw(st.sampled_from([(fmpq(1), fmpq(0)), (fmpq(3, 5), fmpq(-4, 5)), (fmpq(1, 2), fmpq(1, 2))]))
    size = 2 * L / nu ** (p + 3)
    return {"p": p, "ν": nu, "L": L, "A": size**2, "e₁": nu * size * x, "e₂": nu * size * y}


# ------------------------------------------------------------------------------------------------- the theorems
drifted, *beyond_every_constant = parts(bound.error_bound_no_constant.claim)

as_read = row(
    bound.error_bound,
    quadratics,
    BOUND,
    "Read as: if |u^(k)| <= L everywhere then |u' - y| <= κ L/N^(k-2), with κ depending on neither u nor N; "
    "here for k = 3 and quadratic u. No constant will do: see `hippo_prophecy.error_bound_no_constant`.",
    a_bound_that_does_not_fall_with_N=absolute_le(bound.slope - bound.read_out(fout.X), bound.kappa * bound.L),
)
no_constant = row(
    bound.error_bound_no_constant,
    ramps,
    BOUND,
    "u = t has u^(k) = 0 for k >= 2 and an error of exactly N; x(x - 1) on [0, 1], whose window closes, has u^(k) = 0 "
    "for k >= 3 and an error of 1. N^(k-2) times either is above κ L = 0 for every constant κ, every k, N and θ.",
    an_error_of_two_M=And((Eq(drifted.lhs, Nat(2 * fout.M)), *beyond_every_constant)),
)
ramp_motion = row(
    bound.fout_ramp,
    moving_ramps,
    OURS,
    "The exact coefficients of u = t move as FouT's equation says, so the error of N is that of the layer as well, in "
    "steady state.",
    a_recomposed_ramp_without_lag=And(
        (Eq(parts(bound.fout_ramp.claim)[0].lhs, term(0)), parts(bound.fout_ramp.claim)[1])
    ),
)
amplitude = row(
    harmonics.amplitude,
    sampled,
    OURS,
    "|u^(k)| <= L at n + 1 samples makes the sum of the samples times (cos, sin) at most (n + 1) L long: a harmonic of "
    "u has an amplitude of at most 2L/(λm)^k.",
    "The sums of n + 1 equidistant samples of a period, divided by (n + 1)/2, are the amplitudes of u^(k), and so "
    "(λm)^k times those of u, for n twice the degree of u: waves are orthogonal there.",
    one_sample_fewer=Le(
        harmonics.amplitude.conclusion.lhs,  # type: ignore[attr-defined]
        (harmonics.samples - 1) * bound.L * ((harmonics.samples - 1) * bound.L),
    ),
)
harmonic_error = row(
    harmonics.harmonic_error,
    overtones,
    OURS,
    "So the error in a harmonic beyond the basis is at most 2L/(λm)^(k-1).",
    one_derivative_more=Le(
        harmonics.norm(harmonics.e1, harmonics.e2),
        harmonics.most * harmonics.most / (harmonics.nu * harmonics.nu),
    ),
)
periodic = row(
    bound.error_bound_periodic,
    tails,
    BOUND,
    "The bound that holds: if u has period θ and |u^(k)| <= L, k >= 3, then |u' - y| <= L θ^(k-1)/(π^(k-1) (k-2) "
    "(N-1)^(k-2)), for exact coefficients and in steady state. Proved is what the errors of the harmonics beyond the "
    "basis add up to, each as large as `harmonic_error` allows, for every degree M + n, with λ = 2π/θ and k = p + 3.",
    "u' - y is the sum of the harmonics' errors where u is a trigonometric polynomial.",
    "The bound then holds for every periodic u with |u^(k)| <= L: its Fejér means have that bound too, and derivatives "
    "and coefficients that converge to those of u.",
    one_power_of_M_more=absolute_le(
        bound.beyond_basis(bound.weight * bound.wave), bound.scale / (bound.q * power(bound.M_, bound.p + 2))
    ),
    a_third_of_it=absolute_le(
        bound.beyond_basis(bound.weight * bound.wave), bound.scale / (3 * bound.q * power(bound.M_, bound.p + 1))
    ),
)
