"""What one letter of a layer can do, by the form of its transition; and a rotation moved from the state to its keys.

| symbol | shape | meaning |
| --- | --- | --- |
| H, W, k | (n, n), (n, n), (n, 1) | RWKV-7's transition is W - k (H k)', W and H diagonal, H >= 0 |
| R_t, Φ_t | (n, n) | the rotation of step t, and Φ_t = R_t ... R_1, orthogonal |
| h_t, g_t, b_t, a_t | (n, 1), scalar | state, the state turned back, input, decay |

RWKV-7: H times the transition is symmetric, so it is self-adjoint for the form H. Where H > 0 a letter that moves
finitely many states, exact, has no period above 2.
(Ours, extending Grazzi et al., arXiv 2411.12537, Theorems 1 and 2; what follows from the identities is by hand.)

Mamba-3: a complex diagonal recurrence is a real one whose inputs and readouts are turned by the rotations so far.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from flint import fmpq

from proofs.derivation import main, proves
from proofs.kernel import Fact, assume, induction, instantiate, rewrite, specialise, words
from proofs.tactics.equations import equal
from proofs.tactics.inequalities import backwards
from proofs.terms import Eq, Identity, for_all, matrix, sequence, size, vector

n, T, t = (size(name) for name in ("n", "T", "t"))


# ---------------------------------------------------------------------------------------------------- RWKV-7
H, W, k = matrix("H", n, n), matrix("W", n, n), vector("k", n)
transition = W - k @ (H @ k).T


@proves(
    Eq(H @ transition, transition.T @ H),
    {"H_symmetric": Eq(H.T, H), "W_symmetric": Eq(W.T, W), "they_commute": Eq(W @ H, H @ W)},
)
def rwkv7_is_self_adjoint() -> Fact:
    """Multiply out: H W is symmetric, and H k (H k)' is."""
    claimed = cast(Eq, rwkv7_is_self_adjoint.conclusion)
    return words(claimed.lhs, claimed.rhs, [cast(Eq, rule) for rule in rwkv7_is_self_adjoint.hypotheses.values()])


# ---------------------------------------------------------------------------------------------------- Mamba-3
R, turned = sequence("R", n, n), sequence("Φ", n, n)
h, g, b, a = sequence("h", n), sequence("g", n), sequence("b", n), sequence("a")


@proves(
    Eq(h(T), turned(T) @ g(T)),
    {
        "orthogonal": for_all(t, Eq(turned(t) @ turned(t).T, Identity(n))),
        "cumulative": for_all(t, Eq(turned(t + 1), R(t + 1) @ turned(t))),
        "rotated_state": for_all(t, Eq(h(t + 1), a(t + 1) * (R(t + 1) @ h(t)) + b(t + 1))),
        "rotated_input": for_all(t, Eq(g(t + 1), a(t + 1) * g(t) + turned(t + 1).T @ b(t + 1))),
        "start": Eq(h(0), turned(0) @ g(0)),
    },
    witness={
        "n": 1,
        "T": 0,
        **{name: np.array([[fmpq(1)]]) for name in ("R", "Φ", "h", "g")},
        "b": np.array([[fmpq(0)]]),
        "a": fmpq(1),
    },
)
def cumulative_rotations() -> Fact:
    """By induction on T: Φ_{t+1} Φ_{t+1}' b = b, and Φ_{t+1} g_t = R_{t+1} Φ_t g_t."""
    orthogonal, cumulative, state, turned_input, start = (
        assume(formula) for formula in cumulative_rotations.hypotheses.values()
    )
    along = Eq(h(t), turned(t) @ g(t))
    after = a(t + 1) * (turned(t + 1) @ g(t)) + b(t + 1)
    moved = equal(turned(t + 1) @ g(t + 1), after, specialise(turned_input, t), specialise(orthogonal, t + 1))
    same = equal(h(t + 1), after, specialise(state, t), assume(along), specialise(cumulative, t))
    step = rewrite(same, backwards(moved))
    return instantiate(induction(along, t, start, step), {"t": T})


if __name__ == "__main__":
    main(__doc__)
