"""HiPPO-Prophecy (arXiv 2407.09375), continued: the discrete predictors of the next state, and the order of the steps.

What was read: see `proofs/hippo_prophecy/fout.py`; the predictors are those of the authors' code. Its state takes a
bilinear step with one sample of the input, (I - δA/2) c_{k+1} = (I + δA/2) c_k + δ B u_{k+1}; then LegT and LegS
predict by the trapezoidal rule for u' = C c + D u, with 2 c_k for c_k + c_{k+1}; FouT by Euler's rule with D = 0.

| symbol | shape | meaning |
| --- | --- | --- |
| n, N | sizes | of the state: any, and that of LegT or LegS |
| A, B, C, D | (n, n), (n, 1), (1, n), scalar | any state-space model whose output is to be u' |
| δ, u | scalars | the step, and the input now, which grows by z each step |
| x, s | scalars | z = (1 + x)/(1 - x) and s = 2x/δ: the bilinear rule takes z for e^(sδ), to second order |
| v | (n, 1) | the continuous model's state for e^(st): s v = A v + B |
| ε | scalar | by which its output misses u': C v + D = s - ε |
| α, β | scalars | shares of the new state and of the new input in a step; β = 0 or 1: one sample, β = 1/2: the mean |
| c, c', c'', c'''; u', u'' | (n, 1); scalars | the state and its three derivatives before a step; those of the input |
| b, e | (n, 1) | A B and A A B |
| ρ, τ | (n, 1), scalar | what Taylor's formula leaves of the state and of the input, of order δ⁴ and δ³ |

All is rational in x, so that what holds for real x holds for complex x. For LegT D = N² and ε = s^(N+1)/Q_N(s).
"""

from __future__ import annotations

from typing import cast

import numpy as np
from flint import fmpq, fmpq_mat, fmpq_poly

from proofs.derivation import main, proves
from proofs.kernel import Fact, apart, conjunction, identity, squares, words
from proofs.tactics.inequalities import settle
from proofs.terms import And, Eq, Formula, Identity, Nat, Nonzero, matrix, scalar, size, term, vector

n, r = size("n"), size("r")
A, B = matrix("A", n, n), vector("B", n)
v, D, x, delta, u, epsilon = vector("v", n), scalar("D"), scalar("x"), scalar("δ"), scalar("u"), scalar("ε")
half = term(1) / 2
eye = Identity(n)

# ------------------------------------------------------------------------------------- one step of a predictor
z, s = (1 + x) / (1 - x), 2 / delta * x
state = (1 + x) * u * v  # one sample a step: the state is that of an input half a step ahead
steady = Eq(A @ v, s * v - B)
defined: dict[str, Formula] = {"step_not_empty": Nonzero(delta), "finite_growth": Nonzero(1 - x)}
numbers = {"x": fmpq(2), "δ": fmpq(2), "u": fmpq(1), "D": fmpq(1), "ε": fmpq(1)}


@proves(
    Eq((eye - delta / 2 * A) @ (z * state), (eye + delta / 2 * A) @ state + delta * (z * u) * B),
    {"steady": steady, **defined},
)
def predictor_state() -> Fact:
    """(z - 1) c = (δ/2)(z + 1) A c + δ z u B, as z - 1 = x (z + 1) and 2z = (1 + x)(z + 1); and A v = s v - B."""
    goal = cast(Eq, predictor_state.conclusion)
    return words(goal.lhs, goal.rhs, [steady])


read = (1 + x) * (s - D - epsilon) * u  # C c
trapezoidal = (1 + delta * D / 2) * u + delta * read - (1 - delta * D / 2) * (z * u)
euler = u + delta * (read + D * u) - z * u
missed = delta * (1 + x) * epsilon


@proves(
    And(
        (
            Eq(trapezoidal, ((delta * D - 2 * x) * (x * x) / (1 - x) - missed) * u),
            Eq(euler, (-2 * x * x * x / (1 - x) - delta * D * x - missed) * u),
        )
    ),
    defined,
)
def predictor() -> Fact:
    """Both rules are rational in x, and so are what they miss: the normal forms are the same."""
    parts = [cast(Eq, part) for part in cast(And, predictor.conclusion).parts]
    return conjunction(*(identity(part.lhs, part.rhs) for part in parts))


# ---------------------------------------------------------------------------------- second order, singular steps
w = scalar("w")  # z - 1: the forward difference, δ u' + δ² u''/2 + ...; so x = w/(2 + w)
y = 1 / (2 + w)


@proves(
    Eq(
        (delta * D - 2 * (w * y)) * (w * y * (w * y)) / (1 - w * y),
        delta * D / 4 * (w * w) - w * w * w / 4 + w * w * w * (w * (4 + w) / 4 * (y * y) - delta * D / 4 * y),
    ),
    {"growth_not_minus_one": Nonzero(2 + w), "finite_growth": Nonzero(1 - w * y)},
)
def predictor_order() -> Fact:
    """What `predictor` has without ε, by powers of w; of which each is one of δ."""
    goal = cast(Eq, predictor_order.conclusion)
    return identity(goal.lhs, goal.rhs)


states, half_states = Nat(n + 1), Nat(r + 1)


@proves(
    And(
        (
            Eq(1 - 2 / (states * states) * (states * states) / 2, term(0)),
            Eq(1 - Nat(2 * r + 2) * Nat(2 * r + 2) / (2 * half_states * half_states) / 2, term(0)),
        )
    ),
)
def predictor_singular() -> Fact:
    """1 - δ D/2 for LegT, D = N² and δ = 2/N²; and for LegS, D = N²/t and δ = 1, at the step t = N²/2, N = 2(r + 1)."""
    parts = [cast(Eq, part) for part in cast(And, predictor_singular.conclusion).parts]
    below = [states * states, 2 * half_states * half_states]
    known = [apart(squares(term(0), value, value, strict=True)) for value in below]
    return settle(conjunction(*(identity(part.lhs, part.rhs) for part in parts)), *known)


# ------------------------------------------------------------------------------------- the order of a step
alpha, beta, tau = scalar("α"), scalar("β"), scalar("τ")
c, c1, c2, c3, b, e, rest = (vector(name, n) for name in ("c", "c'", "c''", "c'''", "b", "e", "ρ"))
u1, u2 = scalar("u'"), scalar("u''")
square, cube = delta * delta, delta * delta * delta
equation = {
    "first_derivative": Eq(A @ c, c1 - u * B),
    "second_derivative": Eq(A @ c1, c2 - u1 * B),
    "third_derivative": Eq(A @ c2, c3 - u2 * B),
}
driven = {"driven_once": Eq(A @ B, b), "driven_twice": Eq(A @ b, e)}
later_input = delta * u1 + square / 2 * u2 + tau  # u_{k+1} - u_k
later_state = c + delta * c1 + square / 2 * c2 + cube / 6 * c3 + rest
fed = u + beta * later_input
left = eye - alpha * delta * A
standing = {name: np.array([[fmpq(0)]]) for name in ("A", "B", "c", "c'", "c''", "c'''", "b", "e")} | {
    name: fmpq(0) for name in ("u", "u'", "u''")
}


@proves(
    Eq(
        (eye + (1 - alpha) * delta * A) @ c + delta * fed * B - left @ later_state,
        square * ((alpha - half) * c2 + (beta - alpha) * u1 * B)
        + cube * ((alpha / 2 - term(1) / 6) * c3 + (beta - alpha) / 2 * u2 * B)
        + cube * delta / 6 * alpha * A @ c3
        + beta * delta * tau * B
        - left @ rest,
    ),
    equation,
)
def bilinear_order() -> Fact:
    """What the exact solution leaves of the step's equation, by Taylor's formula and the derivatives of c' = A c + B u.

    With the solution of the step itself for c_{k+1} it is 0, so it is (I - αδA) times the local error.
    """
    goal = cast(Eq, bilinear_order.conclusion)
    return words(goal.lhs, goal.rhs, list(equation.values()))


hold = delta * B + square / 2 * b + cube / 6 * e  # the integral of e^(At) B over a step
flow = A @ (A @ (A @ c)) * (cube / 6) + A @ (A @ c) * (square / 2) + A @ c * delta + c  # e^(δA) c


@proves(
    Eq(
        flow + fed * hold - later_state,
        square * ((beta - half) * u1 * B)
        + cube * ((beta / 2 - term(1) / 6) * (u1 * b + u2 * B))
        + cube * delta * beta * (u1 / 6 * e + u2 / 4 * b + delta * u2 / 12 * e)
        + beta * tau * hold
        - rest,
    ),
    equation | driven,
)
def hold_order() -> Fact:
    """The power series of e^(δA) and of its integral over a step, less the Taylor series of the exact solution.

    Both series are cut after δ³: what they leave is in ρ.
    """
    goal = cast(Eq, hold_order.conclusion)
    return words(goal.lhs, goal.rhs, list((equation | driven).values()))


# -------------------------------------------------------------------------- the closed loop, one N after the other
Model = tuple[fmpq_mat, fmpq_mat, fmpq_mat, fmpq]


def legt(N: int) -> Model:
    """A, B, C, D of LegT with window 1, for the states c_n/√(2n+1), which makes them rational."""
    sign = [[-1 if k > n and (k - n) % 2 else 1 for k in range(N)] for n in range(N)]
    A = fmpq_mat(N, N, [-(2 * k + 1) * sign[n][k] for n in range(N) for k in range(N)])
    C = fmpq_mat(1, N, [-(2 * k + 1) * (N * N - k * (k + 1)) for k in range(N)])
    return A, fmpq_mat(N, 1, [1] * N), C, fmpq(N * N)


def closed_loop(model: Model, delta: fmpq) -> fmpq_mat:
    """The matrix of (c, u) when each prediction of the trapezoidal rule is the next input."""
    A, B, C, D = model
    N = A.nrows()
    identity = fmpq_mat(N, N, [int(i == j) for i in range(N) for j in range(N)])
    solved = (identity - A * (delta / 2)).inv()
    keep, write = solved * (identity + A * (delta / 2)), solved * B * delta
    of_c, of_u = C * (delta / (1 - delta * D / 2)), (1 + delta * D / 2) / (1 - delta * D / 2)
    fed_back, driven = (keep + write * of_c).tolist(), (write * of_u).tolist()
    rows = [[*fed_back[i], *driven[i]] for i in range(N)]
    return fmpq_mat([*rows, [*of_c.tolist()[0], of_u]])


def check_unstable(model: Model, delta: fmpq) -> str:
    """Whether the loop has the eigenvalue 1 twice and one outside of the unit circle; if not, what is wrong."""
    polynomial = closed_loop(model, delta).charpoly()
    others, remainder = divmod(polynomial, fmpq_poly([-1, 1]) ** 2)
    if remainder:
        return f"the characteristic polynomial modulo (z - 1)² is {remainder}, not 0"
    if any(abs(root) > 1 for root, _ in others.numer().complex_roots()):
        return ""
    return f"no root of {others} is outside of the unit circle"


if __name__ == "__main__":
    main(__doc__)
