"""Rows for HiPPO-Prophecy: its Fourier basis, and the next state. Claims from `proofs.hippo_prophecy.fout`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from flint import fmpq
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs.derivation import Derivation
from proofs.hippo_prophecy import fout
from proofs.kernel import Claim, Table
from proofs.terms import And, Eq, Formula, Le, Nat, absolute_le
from ssmverify.catalogue.hippo_prophecy.layers import euler_layer
from ssmverify.rows import Broken, Finite, Mutant, Source, Theorem
from ssmverify.strategies import rationals

PAPER = "HiPPO-Prophecy: State-Space Models can Provably Learn Dynamical Systems in Context"
CODE = Source(
    PAPER,
    "2407.09375",
    "the weights for FouT",
    read="the abstract and the authors' code (repository FedeArang/In-Context-SSM), not the paper's body; derived here",
)
OURS = Source("stated here")
Point = Mapping[str, Any]
nonzero = rationals(1, 3).flatmap(lambda q: st.sampled_from([q, -q]))
AHEAD = 3  # harmonics that a point lists beyond those of the sum, for mutants that look there


def families(count: int, rows: Sequence[Mapping[str, fmpq]]) -> dict[str, Table]:
    """Families from a row for each harmonic 0..count, the last of which holds for every other one as well."""
    return {name: Table({(m,): rows[m][name] for m in range(count + 1)}, rows[count][name]) for name in rows[0]}


def of_harmonics(M: int, one: Callable[[], Mapping[str, fmpq]]) -> dict[str, Table]:
    """Families from what `one` draws for each harmonic."""
    return families(M + AHEAD, [one() for _ in range(M + AHEAD + 1)])


def total(M: int, family: Table) -> fmpq:
    """The sum over the harmonics of the basis."""
    return sum((family[(m,)] for m in range(1, M + 1)), fmpq(0))


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def motions(draw: st.DrawFn) -> Point:
    """A state and its rate of change."""
    M, theta, d = draw(st.integers(0, 3)), draw(rationals(1, 3)), draw(rationals())

    def harmonic() -> Mapping[str, fmpq]:
        omega, Q = draw(rationals()), draw(rationals())
        return {"ω": omega, "Q": Q, "P'": 4 / theta * d - omega * Q}

    return {"M": M, "θ": theta, "d": d, "C'": 2 / theta * d, **of_harmonics(M, harmonic)}


@st.composite
def growing(draw: st.DrawFn) -> Point:
    """The steady state for e^(st)."""
    M, theta, d, s = draw(st.integers(0, 3)), draw(rationals(1, 3)), draw(rationals()), draw(nonzero)

    def harmonic() -> Mapping[str, fmpq]:
        omega = draw(rationals())
        P = 4 * s * d / (theta * (s * s + omega * omega))
        return {"ω": omega, "P": P, "Q": omega * P / s, "G": 2 * s / (s * s + omega * omega)}

    families = of_harmonics(M, harmonic)
    G = (1 / s + total(M, families.pop("G"))) / theta
    assume(1 + 2 * G != 0)
    mean = 2 * d / (theta * s)
    return {"M": M, "θ": theta, "d": d, "s": s, "G": G, "C": mean, "u": d + mean + total(M, families["P"]), **families}


@st.composite
def oscillating(draw: st.DrawFn) -> Point:
    """The steady state for a sinusoid above all frequencies of the basis; often so far that nothing is to spare."""
    M, theta, d1, d2 = draw(st.integers(0, 3)), draw(rationals(1, 3)), draw(rationals()), draw(rationals())
    nu, far = 1 + draw(rationals(0, 3)), draw(st.booleans())

    def harmonic() -> Mapping[str, fmpq]:
        omega = fmpq(0) if far else nu * draw(st.sampled_from([fmpq(0), fmpq(1, 2), fmpq(-3, 4), fmpq(1, 5)]))
        P1, P2 = (4 * nu * d / (theta * (nu * nu - omega * omega)) for d in (d2, -d1))
        return {"ω": omega, "P₁": P1, "P₂": P2, "Q₁": omega * P2 / nu, "Q₂": -omega * P1 / nu}

    families = of_harmonics(M, harmonic)
    C1, C2 = 2 * d2 / (theta * nu), -2 * d1 / (theta * nu)
    u1, u2 = d1 + C1 + total(M, families["P₁"]), d2 + C2 + total(M, families["P₂"])
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
    return {"j": j, "r": r, "θ": theta, "ν": nu, "u₁": P1, "u₂": P2, **still, **families(len(rows) - 1, rows)}


@st.composite
def windows(draw: st.DrawFn) -> Point:
    """Coefficients of an input and of its derivative that an integration by parts ties together."""
    M, theta, J = draw(st.integers(0, 3)), draw(rationals(1, 3)), draw(rationals())

    def harmonic() -> Mapping[str, fmpq]:
        omega, X = draw(rationals()), draw(rationals())
        return {"ω": omega, "X": X, "Y": J / theta - omega * X}

    families = of_harmonics(M, harmonic)
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


# ------------------------------------------------------------------------------------------------- the theorems
def row(
    claim: Derivation,
    instances: Callable[[], SearchStrategy[Point]],
    source: Source,
    says: str,
    *by_hand: str,
    **broken: Formula,
) -> Theorem:
    """A row with its steps by hand, whose author's mutants are the claim with other conclusions."""
    mutants = (Mutant(what.replace("_", " "), claim=replace(claim.claim, conclusion=c)) for what, c in broken.items())
    return Theorem(claim, None, instances, tuple(mutants), source, says, by_hand=by_hand)


def parts(claim: Claim) -> tuple[Any, ...]:
    """The parts of a conjunction."""
    return cast(And, claim.conclusion).parts


moved = fout.fout_innovation.conclusion.lhs  # type: ignore[attr-defined]
of_u, of_error, dynamic = parts(fout.fout_transfer.claim)
below, above = fout.fout_overtone.conclusion.lhs, fout.fout_overtone.conclusion.rhs  # type: ignore[attr-defined]
real, imaginary = parts(fout.fout_harmonic.claim)
static = fout.fout_jump.conclusion.lhs  # type: ignore[attr-defined]
jumps = fout.N / fout.theta * fout.J
step = fout.after - (fout.u + fout.delta * fout.read)
half_curvature = fout.delta * fout.delta / 2 * fout.S

innovation = row(
    fout.fout_innovation,
    motions,
    CODE,
    "The derivative of the recomposed input is the read-out y plus 2N/θ times the innovation u - (C + sum of P_m): the "
    "static read-out leaves out what the input brings.",
    without_the_mean=Eq(moved, fout.readout + 4 / fout.theta * (Nat(fout.M) * fout.d)),
)
transfer = row(
    fout.fout_transfer,
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
    fout.fout_overtone,
    oscillating,
    OURS,
    "A sinusoid above all frequencies of the basis is differentiated with an error of at most that of y = 0, whatever "
    "the frequencies of the basis are: |H(iν) - iν| <= ν.",
    half_of_that=Le(below, above / 2),
)
harmonic = row(
    fout.fout_harmonic,
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
    number=7,
    mutants=(Broken("a closure that takes the far end alone", lambda M: fout.check_closed_loop(M, jump=1)),),
    source=OURS,
)
jump = row(
    fout.fout_jump,
    windows,
    OURS,
    "With the exact coefficients of any input, y = -(N/θ)(u(t) - u(t - θ)) + the M-th Fourier partial sum of u' at "
    "lag 0: the jump of the window's ends is multiplied by N.",
    the_partial_sum_alone=Eq(static, fout.partial_sum),
    the_jump_counted_once=Eq(static, -(1 / fout.theta) * fout.J + fout.partial_sum),
    the_mean_twice=Eq(static, -jumps + fout.partial_sum + fout.Y(0)),
)
next_state = replace(
    row(
        fout.next_state,
        steps,
        replace(CODE, place="discretisation"),
        "u + δ y misses the next state by at most δ |u' - y| + (δ²/2) sup |u''|, whatever law the input follows. The "
        "layer is that of FouT, y = C c.",
        without_the_curvature=absolute_le(step, fout.delta * fout.E),
        a_perfect_derivative=absolute_le(step, half_curvature),
    ),
    layers=(euler_layer,),
)
