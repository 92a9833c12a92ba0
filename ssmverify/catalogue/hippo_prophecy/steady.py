"""Rows for what FouT reads out in steady state: claims from `proofs.hippo_prophecy.steady`."""

from __future__ import annotations

from flint import fmpq
from hypothesis import strategies as st

from proofs.hippo_prophecy import fout, steady
from proofs.terms import Eq, Le
from ssmverify.catalogue.hippo_prophecy.fout import OURS, Point, growing, row
from ssmverify.strategies import rationals


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def with_every_harmonic(draw: st.DrawFn) -> Point:
    """The steady state for e^(st), and an E with the R that it asks for."""
    point, E = draw(growing()), draw(rationals().filter(lambda E: E != 1))
    return {**point, "E": E, "R": (1 + E) / (2 * (1 - E)) - point["G"]}


@st.composite
def tails(draw: st.DrawFn) -> Point:
    """Rates, often the fastest sinusoid, and a number of harmonics."""
    mu, n, lam = draw(st.integers(0, 2)), draw(st.integers(0, 12)), draw(rationals(1, 3))
    slowest = -(lam * lam) * (mu + 1) ** 2 / 2
    return {"μ": mu, "n": n, "λ": lam, "σ": slowest + draw(st.just(fmpq(0)) | rationals(0, 3))}


# ------------------------------------------------------------------------------------------------- the theorems
ends, bound = steady.fout_two_ends.conclusion, steady.fout_tail.conclusion
assert isinstance(ends, Eq)
assert isinstance(bound, Le)
u, slope, E = fout.u, fout.s * fout.u, steady.E
jump = fout.N / fout.theta * (u - E * u)
two_ends = row(
    steady.fout_two_ends,
    with_every_harmonic,
    OURS,
    "In steady state y = (u'(t) + u'(t-θ))/2 - (N/θ)(u(t) - u(t-θ)) + R [(y - u')(t) - (y - u')(t-θ)], for every N, R "
    "the harmonics beyond the basis; that all of them add up to coth(sθ/2)/2 is classical, and a hypothesis. At a "
    "time when u(t) = u(t-θ), too, FouT's read-out does not tend to u'.",
    "As N grows R falls like 1/N, and the last term tends to -(u'(t) - 2u'(t-θ) + u'(t-2θ))/π².",
    the_jump_and_the_mean_alone=Eq(ends.lhs, (slope + E * slope) / 2 - jump),
    u_for_the_mean=Eq(ends.lhs, slope - jump + steady.R * (steady.missed - E * steady.missed)),
)
tail = row(
    steady.fout_tail,
    tails,
    OURS,
    "R is 2s/θ times the sum of 1/(s² + (λm)²) over m > M, which is at most 2/(λ² M): for every real s, and for "
    "sinusoids up to 1/√2 of the basis' highest frequency (σ = s²). So R falls like 1/N.",
    a_quarter_of_it=Le(bound.lhs, bound.rhs / 4),
)
