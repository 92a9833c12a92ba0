"""Rows for HiPPO-Prophecy: the Fourier basis and its error bound, from `proofs.hippo_prophecy` and `_bound`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from flint import fmpq
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs import hippo_prophecy as fout
from proofs import hippo_prophecy_bound as bound
from proofs.evaluation import Table
from proofs.kernel import Claim, Fact
from proofs.terms import And, Eq, Formula, Le, Nat, absolute_le, term
from ssmverify.strategies import rationals
from ssmverify.theorem import Broken, Finite, Mutant, Source, Theorem

PAPER = "HiPPO-Prophecy: State-Space Models can Provably Learn Dynamical Systems in Context"
CODE = Source(
    PAPER,
    "2407.09375",
    "the weights for FouT",
    read="the abstract and the authors' code (repository FedeArang/In-Context-SSM), not the paper's body; derived here",
)
BOUND = Source(
    PAPER,
    "2407.09375",
    "the error bound",
    words="we find an explicit weight construction for continuous SSMs and provide an asymptotic error bound on the "
    "derivative approximation",
    read="the abstract, and the authors' notebook, which plots the error on a function with |u'''| <= 15 beside 15/N; "
    "the theorem's own wording was not at hand",
)
OURS = Source("stated here")
Point = Mapping[str, Any]
nonzero = rationals(1, 3).flatmap(lambda q: st.sampled_from([q, -q]))
AHEAD = 3  # harmonics that a point lists beyond those of the sum, for mutants that look there


def _families(count: int, rows: Sequence[Mapping[str, fmpq]]) -> dict[str, Table]:
    """Families from a row for each harmonic 0..count, the last of which holds for every other one as well."""
    return {name: Table({(m,): rows[m][name] for m in range(count + 1)}, rows[count][name]) for name in rows[0]}


def _harmonics(draw: st.DrawFn, M: int, one: Callable[[], Mapping[str, fmpq]]) -> dict[str, Table]:
    return _families(M + AHEAD, [one() for _ in range(M + AHEAD + 1)])


def _total(M: int, family: Table) -> fmpq:
    return sum((family[(m,)] for m in range(1, M + 1)), fmpq(0))


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def motions(draw: st.DrawFn) -> Point:
    """A state and its rate of change."""
    M, theta, d = draw(st.integers(0, 3)), draw(rationals(1, 3)), draw(rationals())

    def harmonic() -> Mapping[str, fmpq]:
        omega, Q = draw(rationals()), draw(rationals())
        return {"ω": omega, "Q": Q, "P'": 4 / theta * d - omega * Q}

    return {"M": M, "θ": theta, "d": d, "C'": 2 / theta * d, **_harmonics(draw, M, harmonic)}


@st.composite
def growing(draw: st.DrawFn) -> Point:
    """The steady state for e^(st)."""
    M, theta, d, s = draw(st.integers(0, 3)), draw(rationals(1, 3)), draw(rationals()), draw(nonzero)

    def harmonic() -> Mapping[str, fmpq]:
        omega = draw(rationals())
        P = 4 * s * d / (theta * (s * s + omega * omega))
        return {"ω": omega, "P": P, "Q": omega * P / s, "G": 2 * s / (s * s + omega * omega)}

    families = _harmonics(draw, M, harmonic)
    G = (1 / s + _total(M, families.pop("G"))) / theta
    assume(1 + 2 * G != 0)
    mean = 2 * d / (theta * s)
    return {"M": M, "θ": theta, "d": d, "s": s, "G": G, "C": mean, "u": d + mean + _total(M, families["P"]), **families}


@st.composite
def oscillating(draw: st.DrawFn) -> Point:
    """The steady state for a sinusoid above all frequencies of the basis; often so far that nothing is to spare."""
    M, theta, d1, d2 = draw(st.integers(0, 3)), draw(rationals(1, 3)), draw(rationals()), draw(rationals())
    nu, far = 1 + draw(rationals(0, 3)), draw(st.booleans())

    def harmonic() -> Mapping[str, fmpq]:
        omega = fmpq(0) if far else nu * draw(st.sampled_from([fmpq(0), fmpq(1, 2), fmpq(-3, 4), fmpq(1, 5)]))
        P1, P2 = (4 * nu * d / (theta * (nu * nu - omega * omega)) for d in (d2, -d1))
        return {"ω": omega, "P₁": P1, "P₂": P2, "Q₁": omega * P2 / nu, "Q₂": -omega * P1 / nu}

    families = _harmonics(draw, M, harmonic)
    C1, C2 = 2 * d2 / (theta * nu), -2 * d1 / (theta * nu)
    u1, u2 = d1 + C1 + _total(M, families["P₁"]), d2 + C2 + _total(M, families["P₂"])
    numbers = {"M": M, "θ": theta, "ν": nu, "d₁": d1, "d₂": d2, "C₁": C1, "C₂": C2, "u₁": u1, "u₂": u2}
    return numbers | families


@st.composite
def resonant(draw: st.DrawFn) -> Point:
    """The steady state for a harmonic of the basis: only the pair with its frequency moves."""
    j, r, theta, nu = draw(st.integers(0, 2)), draw(st.integers(0, 1)), draw(rationals(1, 3)), draw(rationals(1, 3))
    P1, P2 = draw(rationals()), draw(rationals())
    silent = {name: fmpq(0) for name in ("P₁", "P₂", "Q₁", "Q₂")}
    rows = [{"ω": nu + draw(rationals(1, 3)), **silent} for _ in range(j + r + AHEAD + 2)]
    rows[j + 1] = {"ω": nu, "P₁": P1, "P₂": P2, "Q₁": P2, "Q₂": -P1}
    still = {name: fmpq(0) for name in ("d₁", "d₂", "C₁", "C₂")}
    return {"j": j, "r": r, "θ": theta, "ν": nu, "u₁": P1, "u₂": P2, **still, **_families(len(rows) - 1, rows)}


@st.composite
def windows(draw: st.DrawFn) -> Point:
    """Coefficients of an input and of its derivative that an integration by parts ties together."""
    M, theta, J = draw(st.integers(0, 3)), draw(rationals(1, 3)), draw(rationals())

    def harmonic() -> Mapping[str, fmpq]:
        omega, X = draw(rationals()), draw(rationals())
        return {"ω": omega, "X": X, "Y": J / theta - omega * X}

    families = _harmonics(draw, M, harmonic)
    for name, value in (("ω", fmpq(0)), ("X", fmpq(0)), ("Y", J / theta)):
        families[name] = Table({**families[name].entries, (0,): value}, families[name].default)
    return {"M": M, "θ": theta, "J": J, **families}


@st.composite
def steps(draw: st.DrawFn) -> Point:
    """A step with each error a share of its bound, mostly all of it."""
    share = st.sampled_from([fmpq(1), fmpq(1), fmpq(-1), fmpq(0)])
    u, slope, delta, E, S = (draw(r) for r in (rationals(), rationals(), *(rationals(0, 3),) * 3))
    sign = draw(share)
    v = u + delta * slope + sign * delta**2 / 2 * S
    return {"u": u, "u'": slope, "δ": delta, "E": E, "S": S, "v": v, "y": slope - draw(st.sampled_from([sign, 0])) * E}


@st.composite
def quadratics(draw: st.DrawFn) -> Point:
    """Coefficients of a₁ t + a₂ t²."""
    M, theta = draw(st.integers(0, 3)), draw(rationals(1, 3))
    t, a1, a2 = (draw(rationals()) for _ in range(3))

    def harmonic() -> Mapping[str, fmpq]:
        omega = draw(nonzero)
        return {"ω": omega, "X": (a1 + a2 * (2 * t - theta)) / omega}

    rest = {"L": draw(rationals(0, 3)), "κ": draw(rationals())}
    return {"M": M, "θ": theta, "t": t, "a₁": a1, "a₂": a2, **rest, **_harmonics(draw, M, harmonic)}


@st.composite
def ramps(draw: st.DrawFn) -> Point:
    """Coefficients of t, and of a window with equal ends."""
    M, p, kappa = draw(st.integers(0, 3)), draw(st.integers(0, 2)), draw(rationals())

    def harmonic() -> Mapping[str, fmpq]:
        omega = draw(nonzero)
        return {"ω": omega, "X": 1 / omega, "Z": fmpq(0)}

    return {"M": M, "p": p, "κ": kappa, "L": fmpq(0), **_harmonics(draw, M, harmonic)}


@st.composite
def moving_ramps(draw: st.DrawFn) -> Point:
    """Coefficients of t, and a time."""
    families = {name: table for name, table in draw(ramps()).items() if name in ("ω", "X")}
    return {"m": draw(st.integers(0, 2)), "t": draw(rationals()), "θ": draw(rationals(1, 3)), **families}


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
    return {**numbers, "λ": draw(st.sampled_from([fmpq(1, 9), fmpq(1), fmpq(9)])), **_families(len(rows) - 1, rows)}


@st.composite
def sampled(draw: st.DrawFn) -> Point:
    """Samples of u^(k), and of waves."""
    unit = st.sampled_from([(fmpq(1), fmpq(0)), (fmpq(-1), fmpq(0)), (fmpq(3, 5), fmpq(4, 5))])
    size, L = draw(st.integers(0, 3)), draw(rationals())
    rows = []
    for _ in range(size + AHEAD):
        x, y = draw(unit)
        rows.append({"c": x, "s": y, "v": draw(st.sampled_from([L, -L, L / 2]))})
    return {"n": size, "L": L, **_families(len(rows) - 1, rows)}


# ------------------------------------------------------------------------------------------------- the theorems
def row(
    claim: Claim,
    proof: Callable[[], Fact],
    instances: Callable[[], SearchStrategy[Point]],
    source: Source,
    says: str,
    **broken: Formula,
) -> Theorem:
    """A row whose author's mutants are the claim with other conclusions."""
    mutants = (Mutant(what.replace("_", " "), claim=replace(claim, conclusion=c)) for what, c in broken.items())
    return Theorem(claim, proof, instances, tuple(mutants), source, says)


def parts(claim: Claim) -> tuple[Any, ...]:
    """The parts of a conjunction."""
    return cast(And, claim.conclusion).parts


moved = fout.innovation.conclusion.lhs  # type: ignore[attr-defined]
of_u, of_error, dynamic = parts(fout.transfer)
below, above = fout.overtone.conclusion.lhs, fout.overtone.conclusion.rhs  # type: ignore[attr-defined]
real, imaginary = parts(fout.harmonic)
static = fout.jump.conclusion.lhs  # type: ignore[attr-defined]
jumps = fout.N / fout.theta * fout.J
step = fout.after - (fout.u + fout.delta * fout.read)
half_curvature = fout.delta * fout.delta / 2 * fout.S
drifted, *beyond_every_constant = parts(bound.no_constant)
n_samples = bound.samples

innovation = row(
    fout.innovation,
    fout.prove_innovation,
    motions,
    CODE,
    "The derivative of the recomposed input is the read-out y plus 2N/θ times the innovation u - (C + sum of P_m): the "
    "static read-out leaves out what the input brings.",
    without_the_mean=Eq(moved, fout.readout + 4 / fout.theta * (Nat(fout.M) * fout.d)),
)
transfer = row(
    fout.transfer,
    fout.prove_transfer,
    growing,
    CODE,
    "H(s) = 2 (s G - N/θ)/(1 + 2 G), H(s) - s = -(s + 2N/θ)/(1 + 2 G) with G = (1/θ)(1/s + sum of 2s/(s² + ω_m²)); the "
    "dynamic read-out has 2 s G/(1 + 2 G). So it is exact on e^(-2Nt/θ), and where G is infinite: on the basis.",
    a_closure_that_takes_the_far_end_alone=And(
        (
            Eq(of_u.lhs, 2 * (fout.s * fout.G - fout.N / fout.theta) / (1 + fout.G) * fout.u),
            of_error,
            dynamic,
        )
    ),
)
overtone = row(
    fout.overtone,
    fout.prove_overtone,
    oscillating,
    OURS,
    "A sinusoid above all frequencies of the basis is differentiated with an error of at most that of y = 0, whatever "
    "the frequencies of the basis are: |H(iν) - iν| <= ν.",
    half_of_that=Le(below, above / 2),
)
harmonic = row(
    fout.harmonic,
    fout.prove_harmonic,
    resonant,
    OURS,
    "A harmonic of the basis is differentiated exactly, in steady state.",
    twice_the_frequency=And((Eq(real.lhs, 2 * real.rhs), imaginary)),
)
closed_loop = Finite(
    "hippo_prophecy.fout_closed_loop",
    "Where its own read-out is its input, u' = y, FouT with window 1 has the characteristic polynomial "
    "s (s + 2N) ∏ (s² + 4π²m²), π a variable: it goes on with constants, the harmonics of the basis, and e^(-2Nt). For "
    "M = 0..6.",
    decide=fout.check_closed_loop,
    cases=lambda: range(7),
    mutants=(Broken("a closure that takes the far end alone", lambda M: fout.check_closed_loop(M, jump=1)),),
    source=OURS,
)
jump = row(
    fout.jump,
    fout.prove_jump,
    windows,
    OURS,
    "With the exact coefficients of any input, y = -(N/θ)(u(t) - u(t - θ)) + the M-th Fourier partial sum of u' at "
    "lag 0: the jump of the window's ends is multiplied by N.",
    the_partial_sum_alone=Eq(static, fout.partial_sum),
    the_jump_counted_once=Eq(static, -(1 / fout.theta) * fout.J + fout.partial_sum),
    the_mean_twice=Eq(static, -jumps + fout.partial_sum + fout.Y(0)),
)
next_state = row(
    fout.next_state,
    fout.prove_next_state,
    steps,
    replace(CODE, place="discretisation"),
    "u + δ y misses the next state by at most δ |u' - y| + (δ²/2) sup |u''|, whatever law the input follows.",
    without_the_curvature=absolute_le(step, fout.delta * fout.E),
    a_perfect_derivative=absolute_le(step, half_curvature),
)
as_read = row(
    bound.as_read,
    bound.refute_as_read,
    quadratics,
    BOUND,
    "Read as: if |u^(k)| <= L everywhere then |u' - y| <= κ L/N^(k-2), with κ depending on neither u nor N; "
    "here for k = 3 and quadratic u. No constant will do: see `hippo_prophecy.error_bound_no_constant`.",
    a_bound_that_does_not_fall_with_N=absolute_le(bound.slope - bound.read_out(fout.X), bound.kappa * bound.L),
)
no_constant = row(
    bound.no_constant,
    bound.prove_no_constant,
    ramps,
    BOUND,
    "u = t has u^(k) = 0 for k >= 2 and an error of exactly N; x(x - 1) on [0, 1], whose window closes, has u^(k) = 0 "
    "for k >= 3 and an error of 1. N^(k-2) times either is above κ L = 0 for every constant κ, every k, N and θ.",
    an_error_of_two_M=And((Eq(drifted.lhs, Nat(2 * fout.M)), *beyond_every_constant)),
)
ramp_motion = row(
    bound.ramp_motion,
    bound.prove_ramp_motion,
    moving_ramps,
    OURS,
    "The exact coefficients of u = t move as FouT's equation says, so the error of N is that of the layer as well, in "
    "steady state.",
    a_recomposed_ramp_without_lag=And((Eq(parts(bound.ramp_motion)[0].lhs, term(0)), parts(bound.ramp_motion)[1])),
)
periodic = row(
    bound.periodic,
    bound.prove_periodic,
    tails,
    BOUND,
    "The bound that holds: if u has period θ and |u^(k)| <= L, k >= 3, then |u' - y| <= L θ^(k-1)/(π^(k-1) (k-2) "
    "(N-1)^(k-2)), for exact coefficients and in steady state. Proved for trigonometric polynomials of every degree "
    "M + n, with λ = 2π/θ and k = p + 3; that C^k inputs follow is by hand.",
    one_power_of_M_more=absolute_le(
        bound.beyond_basis(bound.weight * bound.wave), bound.scale / (bound.q * bound.power(bound.M_, bound.p + 2))
    ),
    a_third_of_it=absolute_le(
        bound.beyond_basis(bound.weight * bound.wave), bound.scale / (3 * bound.q * bound.power(bound.M_, bound.p + 1))
    ),
)
amplitude = row(
    bound.amplitude,
    bound.prove_amplitude,
    sampled,
    OURS,
    "|u^(k)| <= L at n + 1 samples makes the sum of the samples times (cos, sin) at most (n + 1) L long: a harmonic of "
    "u has an amplitude of at most 2L/(λm)^k.",
    one_sample_fewer=Le(
        bound.amplitude.conclusion.lhs,  # type: ignore[attr-defined]
        (n_samples - 1) * bound.L * ((n_samples - 1) * bound.L),
    ),
)

theorems = (
    innovation,
    transfer,
    overtone,
    harmonic,
    closed_loop,
    jump,
    next_state,
    as_read,
    no_constant,
    ramp_motion,
    amplitude,
    periodic,
)
