"""The steps that the layers of HiPPO, HiPPO-Prophecy (arXiv 2407.09375) and S4D (arXiv 2206.11893) compute.

What a solver returns is tied here to what it should solve: the discretised equation, the trapezoidal rule for the next
state, the loop in which a prediction is fed back. All of it holds for every A, B, C, D, of HiPPO or not.

| symbol | shape | meaning |
| --- | --- | --- |
| A, B, C, D | (N, N), (N, 1), (1, N), () | of c' = A c + B u, and of the read-out C c + D u for u' |
| δ, α | scalars | step; the share of the new state in the generalised bilinear transform |
| c, v | (N, 1) | the state before and after a step |
| X, b, E_j | (N, N), (N, 1), (N, N) | δA, δB, and X^j/j! for r_j = 1/(j+1) |
| x + iy | scalars | z = δλ/2 of an eigenvalue λ |
"""

from __future__ import annotations

from typing import cast

import numpy as np
from flint import fmpq

from proofs.derivation import Derivation, main
from proofs.kernel import (
    Claim,
    Fact,
    Table,
    assume,
    congruence,
    conjunction,
    identity,
    linear,
    rewrite,
    specialise,
    words,
)
from proofs.tactics.equations import equal
from proofs.tactics.inequalities import backwards
from proofs.terms import (
    And,
    Eq,
    Identity,
    Mul,
    Nonzero,
    Sum,
    for_all,
    matrix,
    scalar,
    sequence,
    size,
    summation,
    term,
    vector,
)

N, j, k, t = (size(name) for name in ("N", "j", "k", "t"))
A, B, C = matrix("A", N, N), vector("B", N), matrix("C", 1, N)
c, v = vector("c", N), vector("v", N)
D, delta, alpha, u = (scalar(name) for name in ("D", "δ", "α", "u"))
one = term(1)

# ---------------------------------------------------------------------------------- the generalised bilinear step
implicit = Identity(N) - (alpha * delta) * A
explicit = Identity(N) + ((1 - alpha) * delta) * A
slope = A @ (alpha * v + (1 - alpha) * c) + u * B
gbt_step = Claim(
    "hippo.gbt_step",
    Eq(implicit @ v - explicit @ c - (delta * u) * B, v - c - delta * slope),
)


def prove_gbt_step() -> Fact:
    """Multiplied out. So v solves (I - αδA) v = (I + (1-α)δA) c + δB u if and only if v - c = δ slope."""
    goal = cast(Eq, gbt_step.conclusion)
    return words(goal.lhs, goal.rhs, ())


# ------------------------------------------------------------------------------------------------ zero-order hold
X, b = matrix("X", N, N), vector("b", N)
E = sequence("E", N, N)
r = sequence("r")
held = summation(j, 0, k, r(j) * (E(j) @ b))
zero_order_hold = Claim(
    "hippo.zero_order_hold",
    Eq(X @ held, summation(j, 0, k, E(j + 1) @ b)),
    {"series": for_all(j, Eq(E(j + 1), r(j) * (X @ E(j))))},
    witness={"N": 1, "k": 0, "r": Table({}, fmpq(1)), "E": Table({}, np.array([[fmpq(0)]]))}
    | {name: np.array([[fmpq(0)]]) for name in ("X", "b")},
)


def prove_zero_order_hold() -> Fact:
    """Term by term. For E_0 = I, r_j = 1/(j+1), k -> infinity: X times the integral of e^(sX) b is (e^X - I) b."""
    series = specialise(assume(zero_order_hold.hypotheses["series"]), j)
    inner = r(j) * (E(j) @ b)
    member = rewrite(words(Mul((X, inner)), (r(j) * (X @ E(j))) @ b, ()), backwards(series))
    return rewrite(congruence(member, Sum, j, 0, k), linear(j, 0, k, X, inner))


# ---------------------------------------------------------------------------------- the next state, and its loop
half = delta * D / 2
following = ((1 + half) * u + delta * (C @ c)) / (1 - half)
trapezoid = Claim(
    "hippo_prophecy.trapezoid",
    Eq(following - u, delta * (C @ c + D * ((u + following) / 2))),
    {"not_singular": Nonzero(1 - half)},
    witness={"N": 1, "δ": fmpq(1), "D": fmpq(1), "u": fmpq(0), "C": np.array([[fmpq(0)]]), "c": np.array([[fmpq(0)]])},
)


def prove_trapezoid() -> Fact:
    """Multiplied out: (1 - δD/2) times either side is δ(C c + D u). At δD = 2 there is no such weight."""
    goal = cast(Eq, trapezoid.conclusion)
    return words(goal.lhs, goal.rhs, ())


states, inputs = sequence("c", N), sequence("u")
feedback = {
    "state": Eq(states(t + 1), A @ states(t) + inputs(t + 1) * B),
    "prediction_fed_back": Eq(inputs(t + 1), C @ states(t) + D * inputs(t)),
}
fed_back = Claim(
    "hippo_prophecy.fed_back",
    Eq(states(t + 1), (A + B @ C) @ states(t) + inputs(t) * (D * B)),
    feedback,
    witness={"N": 1, "t": 0, "D": fmpq(0), "u": Table({}, fmpq(0))}
    | {name: np.array([[fmpq(0)]]) for name in ("A", "B", "C")}
    | {"c": Table({}, np.array([[fmpq(0)]]))},
)


def prove_fed_back() -> Fact:
    """The prediction put for the input."""
    state, prediction = (assume(hypothesis) for hypothesis in feedback.values())
    goal = cast(Eq, fed_back.conclusion)
    return equal(goal.lhs, goal.rhs, rewrite(state, prediction))


# ------------------------------------------------------------------------------------- one eigenvalue, bilinear
x, y = scalar("x"), scalar("y")
square = (1 - x) * (1 - x) + y * y
gate_real, gate_imaginary = ((1 + x) * (1 - x) - y * y) / square, 2 * y / square
s4d_gate = Claim(
    "s4d.gate",
    And(
        (
            Eq((1 - x) * gate_real + y * gate_imaginary, 1 + x),
            Eq((1 - x) * gate_imaginary - y * gate_real, y),
        )
    ),
    {"not_singular": Nonzero(square)},
    witness={"x": fmpq(0), "y": fmpq(0)},
)


def prove_s4d_gate() -> Fact:
    """(1 - z) g = 1 + z in real and imaginary part, for g = (1 + z) conj(1 - z)/|1 - z|²."""
    parts = [cast(Eq, part) for part in cast(And, s4d_gate.conclusion).parts]
    return conjunction(*(identity(part.lhs, part.rhs) for part in parts))


derivations = (
    Derivation(gbt_step, prove_gbt_step),
    Derivation(zero_order_hold, prove_zero_order_hold),
    Derivation(trapezoid, prove_trapezoid),
    Derivation(fed_back, prove_fed_back),
    Derivation(s4d_gate, prove_s4d_gate),
)

if __name__ == "__main__":
    main(__doc__, derivations)
