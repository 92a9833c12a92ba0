"""HiPPO-Prophecy (arXiv 2407.09375), continued: the next state by the trapezoidal rule, and predictions fed back.

It holds for every A, B, C, D, of HiPPO or not.

| symbol | shape | meaning |
| --- | --- | --- |
| A, B, C, D | (N, N), (N, 1), (1, N), () | of c' = A c + B u, and of the read-out C c + D u for u' |
| δ | scalar | step |
| c | (N, 1) | the state; u the input |
"""

from __future__ import annotations

from typing import cast

from proofs.derivation import main, proves
from proofs.kernel import Fact, assume, rewrite, words
from proofs.tactics.equations import equal
from proofs.terms import Eq, Nonzero, matrix, scalar, sequence, size, vector

N, t = size("N"), size("t")
A, B, C, c = matrix("A", N, N), vector("B", N), matrix("C", 1, N), vector("c", N)
D, delta, u = (scalar(name) for name in ("D", "δ", "u"))

# ---------------------------------------------------------------------------------- the next state, and its loop
half = delta * D / 2
following = ((1 + half) * u + delta * (C @ c)) / (1 - half)


@proves(Eq(following - u, delta * (C @ c + D * ((u + following) / 2))), {"not_singular": Nonzero(1 - half)})
def trapezoid() -> Fact:
    """Multiplied out: (1 - δD/2) times either side is δ(C c + D u). At δD = 2 there is no such weight."""
    goal = cast(Eq, trapezoid.conclusion)
    return words(goal.lhs, goal.rhs, ())


states, inputs = sequence("c", N), sequence("u")
feedback = {
    "state": Eq(states(t + 1), A @ states(t) + inputs(t + 1) * B),
    "prediction_fed_back": Eq(inputs(t + 1), C @ states(t) + D * inputs(t)),
}


@proves(Eq(states(t + 1), (A + B @ C) @ states(t) + inputs(t) * (D * B)), feedback)
def fed_back() -> Fact:
    """The prediction put for the input."""
    state, prediction = (assume(hypothesis) for hypothesis in feedback.values())
    goal = cast(Eq, fed_back.conclusion)
    return equal(goal.lhs, goal.rhs, rewrite(state, prediction))


if __name__ == "__main__":
    main(__doc__)
