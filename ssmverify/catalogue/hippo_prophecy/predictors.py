"""Rows for the discrete predictors and the order of the steps: claims from `proofs.hippo_prophecy.predictors`."""

from __future__ import annotations

from dataclasses import replace

from flint import fmpq
from hypothesis import assume
from hypothesis import strategies as st

from proofs.hippo_prophecy import predictors as paper
from proofs.terms import And, Eq, Nat, term
from ssmverify.catalogue.hippo_prophecy.fout import CODE, OURS, Point, nonzero, parts, row
from ssmverify.rows import Broken, Finite
from ssmverify.strategies import columns, matrices, points, rationals

PREDICTORS = replace(CODE, place="the discrete predictors")
STEP = fmpq(1, 1000)


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def growing(draw: st.DrawFn) -> Point:
    """A continuous model in steady state for e^(st), and a step; B is what makes the state steady."""
    n, x, delta = draw(st.integers(1, 2)), draw(rationals()), draw(nonzero)
    assume(x != 1)
    A, v = draw(matrices(n, n)), draw(columns(n))
    return {"n": n, "A": A, "v": v, "B": 2 / delta * x * v - A @ v, "x": x, "δ": delta, "u": draw(rationals())}


@st.composite
def smooth(draw: st.DrawFn) -> Point:
    """A state that follows its equation, under a smooth input, with whatever remainders."""
    n = draw(st.integers(1, 2))
    A, B, c = draw(matrices(n, n)), draw(columns(n)), draw(columns(n))
    inputs = {name: draw(rationals()) for name in ("u", "u'", "u''")}
    states = [c]
    for value in inputs.values():
        states.append(A @ states[-1] + value * B)
    motion = dict(zip(("c", "c'", "c''", "c'''"), states, strict=True)) | {"b": A @ B, "e": A @ A @ B}
    numbers = {name: rationals() for name in ("τ", "α", "β", "δ")}
    return draw(points(n=n, A=A, B=B, **motion, **inputs, **numbers, ρ=columns(n)))


# ------------------------------------------------------------------------------------------------- the theorems
P = paper
x, delta, D, w = P.x, P.delta, P.D, P.w
by_trapezoid, by_euler = parts(P.predictor.claim)
legt_step, legs_step = parts(P.predictor_singular.claim)

state = row(
    P.predictor_state,
    growing,
    PREDICTORS,
    "For u_k = z^k u the state after bilinear steps with one sample each is 1 + x = 2z/(z + 1) times that of the "
    "continuous model at s = (2/δ)(z - 1)/(z + 1): that of an input half a step ahead, which 2 c_k makes up for.",
    the_old_sample=Eq(
        P.predictor_state.conclusion.lhs,  # type: ignore[attr-defined]
        (P.eye + delta / 2 * P.A) @ P.state + delta * P.u * P.B,
    ),
)
predictor = row(
    P.predictor,
    lambda: points(x=rationals(), δ=nonzero, D=rationals(), ε=rationals(), u=rationals()).filter(lambda p: p["x"] != 1),
    PREDICTORS,
    "What the predictors miss the next input by, for every model: with the trapezoidal rule, times 1 - δD/2, "
    "x² (δD - 2x)/(1 - x) - δ(1 + x)ε, so that the closed loop has s = 0 twice if ε has; with Euler's rule "
    "-2x³/(1 - x) - δDx - δ(1 + x)ε, where δDx is a bias of first order, unless D = 0 as for FouT.",
    a_perfect_derivative=And((Eq(by_trapezoid.lhs, (delta * D - 2 * x) * (x * x) / (1 - x) * P.u), by_euler)),
    Euler_without_bias=And((by_trapezoid, Eq(by_euler.lhs, (-2 * x * x * x / (1 - x) - P.missed) * P.u))),
)
order = row(
    P.predictor_order,
    lambda: points(w=rationals(), δ=rationals(), D=rationals()).filter(lambda p: p["w"] != -2),
    PREDICTORS,
    "Up to ε the miss is (δD/4)(z-1)² - (z-1)³/4 and terms with (z-1)⁴ and δ(z-1)³, so (δ³/4)(D u'' - u''') and terms "
    "of fourth order: an error of third order in a step, and the rule is of second order.",
    without_the_third_difference=Eq(P.predictor_order.conclusion.lhs, delta * D / 4 * (w * w)),  # type: ignore[attr-defined]
)
singular = row(
    P.predictor_singular,
    lambda: points(n=st.integers(0, 5), r=st.integers(0, 5)),
    PREDICTORS,
    "The trapezoidal predictor divides by zero at δ N² = 2 for LegT, and for LegS, whose steps are δ = 1 and D = N²/t, "
    "at the step t = N²/2 for every even N.",
    one_state_more=And(
        (legt_step, Eq(1 - Nat(2 * P.r + 3) * Nat(2 * P.r + 3) / (2 * P.half_states * P.half_states) / 2, term(0)))
    ),
)
bilinear_order = row(
    P.bilinear_order,
    smooth,
    OURS,
    "What the exact solution leaves of a generalised bilinear step: δ² ((α - 1/2) c'' + (β - α) B u') and terms of "
    "third order. So it is of second order if and only if α = β = 1/2: with one sample of the input it is of first.",
    any_share_of_the_input=Eq(
        P.bilinear_order.conclusion.lhs,  # type: ignore[attr-defined]
        delta * delta * ((P.alpha - P.half) * P.c2),
    ),
)
hold_order = row(
    P.hold_order,
    smooth,
    OURS,
    "What zero-order hold misses: δ² (β - 1/2) B u' and terms of third order, and nothing of a constant input. So it "
    "is of first order with one sample of the input, of second with the mean of two.",
    any_share_of_the_input=Eq(
        P.hold_order.conclusion.lhs,  # type: ignore[attr-defined]
        P.beta * P.tau * P.hold - P.rest,
    ),
)


def _weaker_innovation(N: int) -> P.Model:
    A, B, C, D = P.legt(N)
    return A, B, C, D - 1


closed_loop = Finite(
    "hippo_prophecy.closed_loop",
    "Fed its own predictions LegT's predictor with δ = 1/1000 has the eigenvalue 1 twice, and one outside of the unit "
    "circle: whatever it predicts explodes, though it continues every line exactly. For N = 2..32.",
    decide=lambda N: P.check_unstable(P.legt(N), STEP),
    cases=lambda: range(2, 33),
    number=31,
    mutants=(
        Broken("D = N² - 1", lambda N: P.check_unstable(_weaker_innovation(N), STEP)),
        Broken("one state", lambda _: P.check_unstable(P.legt(1), STEP)),
    ),
    source=PREDICTORS,
)
