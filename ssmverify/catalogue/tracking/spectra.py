"""What one letter can do by the form of its transition; and Mamba-3's rotations, moved to keys and readouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from flint import fmpq
from hypothesis import strategies as st

from proofs.kernel import Table
from proofs.terms import Eq
from proofs.tracking import spectra as proved
from ssmverify.rows import Source, Theorem
from ssmverify.strategies import columns, rationals, zeros

GRAZZI = Source("stated here, beside Theorems 1 and 2 of Grazzi et al.", "2411.12537v5")
Point = Mapping[str, Any]


@st.composite
def diagonal_forms(draw: st.DrawFn) -> Point:
    n = draw(st.integers(1, 3))
    H, W = (draw(st.lists(rationals(), min_size=n, max_size=n)) for _ in range(2))
    return {"n": n, "H": diagonal(H), "W": diagonal(W), "k": draw(columns(n))}


def diagonal(entries: list[fmpq]) -> Any:
    found = zeros(len(entries), len(entries))
    for i, x in enumerate(entries):
        found[i, i] = x
    return found


ROTATIONS = [
    np.array([[fmpq(c, e), fmpq(-s, e)], [fmpq(s, e), fmpq(c, e)]]) for c, s, e in ((3, 4, 5), (0, 1, 1), (5, -12, 13))
]


@st.composite
def rotated(draw: st.DrawFn) -> Point:
    """Some rotations of the plane with rational entries; then a = 0 and b = 0."""
    T = draw(st.integers(0, 3))
    times = range(T + 2)
    R, a = [draw(st.sampled_from(ROTATIONS)) for _ in times], [draw(rationals()) for _ in times]
    b, turned, g = [draw(columns(2)) for _ in times], [draw(st.sampled_from(ROTATIONS))], [draw(columns(2))]
    for rotation, decay, added in zip(R, a, b, strict=True):
        turned.append(rotation @ turned[-1])
        g.append(decay * g[-1] + turned[-1].T @ added)
    identity = diagonal([fmpq(1), fmpq(1)])
    h = [Q @ x for Q, x in zip(turned, g, strict=True)]
    families = {"R": (R, 1, identity), "a": (a, 1, fmpq(0)), "b": (b, 1, zeros(2, 1)), "Φ": (turned, 0, turned[-1])}
    families |= {"g": (g, 0, zeros(2, 1)), "h": (h, 0, zeros(2, 1))}
    tables = {
        name: Table({(t,): x for t, x in enumerate(members, first)}, rest)
        for name, (members, first, rest) in families.items()
    }
    return {"n": 2, "T": T, **tables}


self_adjoint = Theorem(
    proved.rwkv7_is_self_adjoint,
    instances=diagonal_forms,
    breaks={"symmetric by itself": Eq(proved.transition, proved.transition.T)},
    says="RWKV-7's transition W - k (H k)' is self-adjoint for the form H. Two such letters together may turn by any "
    "angle.",
    by_hand=("Where H > 0 a letter, exact, moves finitely many states with no period above 2.",),
    source=GRAZZI,
)
cumulative_rotations = Theorem(
    proved.cumulative_rotations,
    instances=rotated,
    breaks={"turned the other way": Eq(proved.h(proved.T), proved.turned(proved.T).T @ proved.g(proved.T))},
    says="A recurrence with rotations is one without, whose inputs are turned by the rotations so far; the readout C "
    "then becomes Φ_t' C. With planes for complex numbers: a complex diagonal model is a real one with rotated keys.",
    source=Source("Mamba-3", read="a summary; statement and proof here are ours"),
)
