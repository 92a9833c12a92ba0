"""The steps that HiPPO's layers compute: the generalised bilinear transform, and zero-order hold.

What a solver returns is tied here to what it should solve, the discretised equation: for every A and B.

| symbol | shape | meaning |
| --- | --- | --- |
| A, B | (N, N), (N, 1) | of c' = A c + B u |
| δ, α | scalars | step; the share of the new state in the generalised bilinear transform |
| c, v | (N, 1) | the state before and after a step |
| X, b, E_j | (N, N), (N, 1), (N, N) | δA, δB, and X^j/j! for r_j = 1/(j+1) |
"""

from __future__ import annotations

from typing import cast

from proofs.derivation import main, proves
from proofs.kernel import (
    Fact,
    assume,
    congruence,
    linear,
    rewrite,
    specialise,
    words,
)
from proofs.tactics.inequalities import backwards
from proofs.terms import (
    Eq,
    Identity,
    Mul,
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
A, B = matrix("A", N, N), vector("B", N)
c, v = vector("c", N), vector("v", N)
delta, alpha, u = (scalar(name) for name in ("δ", "α", "u"))
one = term(1)

# ---------------------------------------------------------------------------------- the generalised bilinear step
implicit = Identity(N) - (alpha * delta) * A
explicit = Identity(N) + ((1 - alpha) * delta) * A
slope = A @ (alpha * v + (1 - alpha) * c) + u * B


@proves(Eq(implicit @ v - explicit @ c - (delta * u) * B, v - c - delta * slope))
def gbt_step() -> Fact:
    """Multiplied out. So v solves (I - αδA) v = (I + (1-α)δA) c + δB u if and only if v - c = δ slope."""
    goal = cast(Eq, gbt_step.conclusion)
    return words(goal.lhs, goal.rhs, ())


# ------------------------------------------------------------------------------------------------ zero-order hold
X, b = matrix("X", N, N), vector("b", N)
E = sequence("E", N, N)
r = sequence("r")
held = summation(j, 0, k, r(j) * (E(j) @ b))


@proves(Eq(X @ held, summation(j, 0, k, E(j + 1) @ b)), {"series": for_all(j, Eq(E(j + 1), r(j) * (X @ E(j))))})
def zero_order_hold() -> Fact:
    """Term by term. For E_0 = I, r_j = 1/(j+1), k -> infinity: X times the integral of e^(sX) b is (e^X - I) b."""
    series = specialise(assume(zero_order_hold.hypotheses["series"]), j)
    inner = r(j) * (E(j) @ b)
    member = rewrite(words(Mul((X, inner)), (r(j) * (X @ E(j))) @ b, ()), backwards(series))
    return rewrite(congruence(member, Sum, j, 0, k), linear(j, 0, k, X, inner))


if __name__ == "__main__":
    main(__doc__)
