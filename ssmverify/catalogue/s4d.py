"""Rows for S4D (arXiv 2206.11893): claims from `proofs.s4d.spectrum` and `proofs.s4d.steps`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from flint import fmpq
from hypothesis import strategies as st
from torch import Tensor

from numeric import s4
from numeric.bounds import hippo as hippo_bounds
from proofs.hippo.weights import value
from proofs.hippo_prophecy import kernels
from proofs.s4d import spectrum as s4d
from proofs.s4d import steps as paper
from proofs.terms import And, Eq, Lt, Nat, term
from ssmverify.breaks import rhs
from ssmverify.catalogue.hippo.layers import BITS, centre
from ssmverify.rows import Broken, Finite, Layer, Source, Theorem
from ssmverify.strategies import exact, floats, noise, points, rationals, tensors

S4D = Source(
    "On the Parameterization and Initialization of Diagonal State Space Models",
    "2206.11893",
    read="nothing: the formulas are the usual ones of a bilinear transform",
)


@st.composite
def s4d_inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Any]:
    """Complex numbers as pairs of real ones; A with a negative real part."""
    d, n, T = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 3))
    pair = noise((d, n, 2), dtype, -2.0, 2.0)
    decay, frequency = draw(noise((d, n), dtype, -4.0, -0.01)), draw(tensors((d, n), dtype, floats(dtype)))
    return {
        "u": draw(noise((1, T, d), dtype, -2.0, 2.0) | tensors((1, T, d), dtype, floats(dtype))),
        "A": torch.stack([decay, frequency], -1),
        "B": draw(pair),
        "C": draw(pair),
        "D": draw(tensors((d,), dtype, floats(dtype))),
        "delta": draw(noise((d,), dtype, 2.0**-10, 2.0)),
    }


def _complex(given: Mapping[str, Tensor]) -> dict[str, Any]:
    return {name: torch.view_as_complex(x) if name in "ABC" else x for name, x in given.items()}


def _times(x: Any, y: Any) -> Any:
    """The product of pairs."""
    return x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0]


def exact_s4d(**given: Tensor) -> tuple[Any]:
    """(1 - z) h_t = (1 + z) h_{t-1} + δ B u_t, z = δA/2, in pairs of rationals; y = 2 Re(C h) + D u."""
    u, A, B, C, D, delta = (exact(given[name]) for name in ("u", "A", "B", "C", "D", "delta"))
    out = D * u
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            x, y = delta[i] * A[i, j] / 2
            left, h = (1 - x) ** 2 + y**2, (fmpq(0), fmpq(0))
            for t in range(u.shape[1]):
                advanced = _times((1 + x, y), h)
                right = [advanced[p] + delta[i] * B[i, j, p] * u[0, t, i] for p in (0, 1)]
                h = _times(right, ((1 - x) / left, y / left))
                out[0, t, i] += 2 * _times(C[i, j], h)[0]
    return (out,)


s4d_layer = Layer(
    "numeric.s4.s4d, bilinear",
    lambda **given: (s4.s4d(**_complex(given)),),
    exact_s4d,
    lambda **given: (hippo_bounds.s4d_bound(**_complex(given)),),
    s4d_inputs,
    (s4.bilinear, s4.reciprocal, s4.read_out),
)


@st.composite
def eigenvalues(draw: st.DrawFn) -> Mapping[str, Any]:
    drawn = draw(points(x=rationals(), y=rationals()))
    return {**drawn, "x": fmpq(-1)} if drawn["x"] == 1 and drawn["y"] == 0 else drawn


first, second = (cast(Eq, part) for part in cast(And, paper.gate.conclusion).parts)
s4d_gate = Theorem(
    paper.gate,
    instances=eigenvalues,
    source=S4D,
    says="The gate of one eigenvalue under the bilinear transform is (1 + z)/(1 - z), z = δλ/2, with a real division.",
    layers=(s4d_layer,),
    breaks={
        "1 - z for 1 + z": And((replace(first, rhs=1 - paper.x), second)),
        "one of a pair only": lambda **given: (s4.s4d(**_complex({**given, "C": given["C"] / 2})),),
        "zero-order hold": lambda **given: (s4.s4d(**_complex(given), method="zoh"),),
    },
)


# ---------------------------------------------------------------------------------------------- S4D-LegS, every size
LEGS = replace(S4D, place="S4D-LegS", read="the abstract; its diagonal is remembered, the rest derived here")


@st.composite
def frequencies(draw: st.DrawFn, above: bool = False) -> Mapping[str, Any]:
    """κ, which need not be rπ/2, and as many states as it needs or a few more."""
    kappa = fmpq(draw(st.integers(3, 5)), 2)
    N = int((5 * kappa).ceil()) + draw(st.integers(0, 1))
    low = fmpq(N * N) / (2 * kappa) - kappa / 3
    return {"N": N, "κ": kappa, "y": low + above * kappa**3 / (4 * N * N)}


lines = cast(Eq, s4d.legs_spectrum.conclusion).rhs
s4d_spectrum = Theorem(
    s4d.legs_spectrum,
    instances=lambda: points(N=st.integers(0, 4), n=st.integers(0, 3), ρ=rationals(0, 3)),
    source=LEGS,
    says="(A + P P') μ = ρ μ - (1 + V_N(ρ))/2 B, line by line, for LegS's states μ of t^ρ: so the eigenvalues of "
    "A + P P' are where V_N(ρ) = ∏ (ρ+1-i)/(ρ+i) is -1.",
    by_hand=(
        "What is rational in ρ and holds for real ρ holds for complex.",
        "V_N(ρ) = -1 at ρ = -1/2 ± iy just where the sum of arctan((i+1/2)/y) over i < N is rπ/2, r odd: polar "
        "coordinates.",
        "These are N places, counted with ρ = -1/2 if N is odd, and so all: the sum falls from Nπ/2 to 0 as y grows.",
    ),
    breaks={
        "2 P P'": Eq(s4d.of_A + 2 * s4d.of_P, lines),
        "LegS itself": Eq(s4d.of_A, lines),
    },
)
s4d_at_least = Theorem(
    s4d.legs_frequencies_at_least,
    instances=frequencies,
    source=LEGS,
    says="The r-th largest frequency of S4D-LegS, r = 1, 3, 5, ..., is above N²/(rπ) - rπ/6 for every N >= 8r: there "
    "the sum of arctan is above κ = rπ/2, as its Taylor sum is that ends with a negative term.",
    by_hand=("arctan x is above its Taylor sums that end with a negative term, for x > 0.", "3 < π < 22/7."),
    breaks={"κ/4 for κ/3": Lt(s4d.kappa, s4d.added(s4d.y + s4d.kappa / 12, 7))},
)
s4d_at_most = Theorem(
    s4d.legs_frequencies_at_most,
    instances=lambda: frequencies(above=True),
    source=LEGS,
    says="It is below N²/(rπ) - rπ/6 + π³r³/(32 N²), for every N >= 8r. So S4D-Inv, N²/(rπ) - N/π, is "
    "of the same order, and off by nearly N/π.",
    by_hand=("arctan x is below its Taylor sums that end with a positive term, for x > 0.", "3 < π < 22/7."),
    breaks={
        "half as much room": Lt(s4d.added(s4d.y - s4d.rise / 2, 5), s4d.kappa),
        "one term fewer": Lt(s4d.added(s4d.y, 1), s4d.kappa),
    },
)


# ------------------------------------------------------------------------------------- the diagonals in closed form
@st.composite
def diagonals(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Any]:
    init, pairs = draw(st.sampled_from(["real", "lin", "inv"])), draw(st.integers(1, 8))
    return {"init": init, "N": 2 * pairs, "like": torch.ones((), dtype=dtype)}


def run_diagonal(init: str, N: int, like: Tensor) -> tuple[Tensor, ...]:
    A = s4.s4d_diagonal(init, N)
    return (A.real.to(like.dtype), A.imag.to(like.dtype)) if A.is_complex() else (A.to(like.dtype),)


def exact_diagonal(init: str, N: int, like: Tensor) -> tuple[Any, ...]:
    if init == "real":
        return (np.array([fmpq(-n - 1) for n in range(N)], dtype=object),)
    turns = [fmpq(n) if init == "lin" else N * (fmpq(N, 2 * n + 1) - 1) for n in range(N // 2)]  # times π, or over it
    frequencies = [centre(value((turn * turn, 1 if init == "lin" else -1), BITS)) for turn in turns]
    return np.full(N // 2, fmpq(-1, 2), dtype=object), np.array(frequencies, dtype=object)


def bound_diagonal(init: str, N: int, like: Tensor) -> tuple[Tensor, ...]:
    """The real parts are whole numbers, or -1/2, and are to be exact."""
    sizes = (torch.from_numpy(part.astype(float)) for part in exact_diagonal(init, N, like))
    of_real, *of_imaginary = (hippo_bounds.weights_bound(size, like.dtype) for size in sizes)
    return torch.zeros_like(of_real), *of_imaginary


shifted = -(Nat(kernels.j + 1) - term(1) / 2) * kernels.legendre_ratio(kernels.j, kernels.q)
s4d_real = Theorem(
    s4d.real,
    instances=lambda: points(j=st.integers(0, 2), q=st.integers(0, 4)),
    source=replace(S4D, place="S4D-Real", read="the abstract; its diagonal is remembered, the rest derived here"),
    says="S4D-Real, -(j+1), is the spectrum of LegS itself, for every N: A R_j = -(j+1) R_j, line n = j + q, with R_nj "
    "the coefficient of r^j in P_n(2r - 1); before line j both sides are 0.",
    breaks={"-(j + 1/2)": rhs(shifted)},
)
s4d_lin = Finite(
    name="s4d.lin",
    says="S4D-Lin's frequencies πn are those of FouT for a window of 2: A + 2gg', which is FouT made normal, has the "
    "characteristic polynomial s ∏ (s² + π²m²), m = 1..M, here for M = 0..8. Its real part is 0, that of S4D-Lin -1/2. "
    "The layers are the diagonals in closed form: Real, Lin and Inv.",
    decide=s4d.check_lin,
    cases=lambda: range(9),
    number=9,
    source=replace(S4D, place="S4D-Lin", read="the abstract; its diagonal is remembered, the rest derived here"),
    layers=(Layer("numeric.s4.s4d_diagonal", run_diagonal, exact_diagonal, bound_diagonal, diagonals),),
    mutants=(Broken("a window of 1", lambda M: s4d.check_lin(M, window=1)),),
)
