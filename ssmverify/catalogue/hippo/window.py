"""Rows for HiPPO's windows in general, and FouT: claims from `proofs.hippo.window` and `proofs.hippo.pade`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb, fmpq, fmpq_mat
from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from numeric import hippo as layer
from proofs.gd_ssm.one_step import rational
from proofs.hippo import pade, spectra
from proofs.hippo import window as paper
from proofs.kernel import Claim, Table
from proofs.tactics.products import one, zero
from proofs.terms import Eq, Nat, product
from ssmverify.breaks import lhs, rhs
from ssmverify.catalogue.hippo.layers import matrix_layer, read_out_layer
from ssmverify.catalogue.hippo.legt import OURS, degrees
from ssmverify.rows import Broken, Finite, Source, Theorem
from ssmverify.strategies import columns, matrices, points, rationals

FOUT = Source(
    "How to Train Your HiPPO: State Space Models with Generalized Orthogonal Basis Projections",
    "2206.12037",
    "FouT",
    read="its abstract; a matrix in the code of github.com/FedeArang/In-Context-SSM. Derived here",
)
PRINTED_CODE = Source(
    "HiPPO-Prophecy: State-Space Models can Provably Learn Dynamical Systems in Context",
    "2407.09375",
    "its authors' code, model/op.py of github.com/FedeArang/In-Context-SSM, commit 943a748, measure 'fout'",
    words="elif n-k==1 and k%2==1: A[n,k]=2*np.pi*n; elif k-n==1 and n%2==1: A[n,k]=-2*np.pi*k",
    read="this file of the code; n and k are the row and the column there, counted from 0",
)
PRINTED_TEXT = replace(
    FOUT,
    read="second hand: the formula was remembered as 2πk for n - k = 1, k odd, and -2πn for k - n = 1, n odd, n and k "
    "the row and the column; the text itself was not at hand",
)
GENERAL = Source("stated here", read="nothing: it is what the derivations of all of HiPPO's windows share")


# ---------------------------------------------------------------------------------------------- exact instances
def solved(A: Any, b: Any) -> Any:
    """X of A X = b; where there is none, the draw is given up."""
    try:
        x = fmpq_mat(*A.shape, list(A.flat)).solve(fmpq_mat(*b.shape, list(b.flat)))
    except ZeroDivisionError:
        reject()
    return np.array(x.tolist(), dtype=object).reshape(b.shape)


def unit(n: int) -> Any:
    return rational(np.eye(n, dtype=int))


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    """A derivative matrix, and the values at the two ends that it belongs to."""
    N = draw(st.integers(1, 3))
    g0, g1, free = (draw(matrices(N, m)) for m in (1, 1, N))
    M = (g1 @ g1.T - g0 @ g0.T) / fmpq(2) + free - free.T
    return {"N": N, "M": M, "g₀": g0, "g₁": g1, "c": draw(columns(N)), "u": draw(rationals())}


@st.composite
def nilpotent_loops(draw: st.DrawFn) -> Mapping[str, Any]:
    """A window with a strictly triangular M, as LegT's; and its closed loop, run until it stands still."""
    g0 = draw(columns(3))
    signs = draw(st.lists(st.sampled_from([1, -1]), min_size=3, max_size=3))
    g1 = np.array([[sign * g0[i, 0]] for i, sign in enumerate(signs)], dtype=object)
    M = (g1 @ g1.T - g0 @ g0.T) * rational(np.tri(3, k=-1))
    x, u = [draw(columns(3))], [draw(rationals())]
    for _ in range(6):
        x.append((M - g1 @ g1.T) @ x[-1] + u[-1] * g0)
        u.append((g0.T @ x[-1])[0, 0])
    states = {name: Table({(t,): z for t, z in enumerate(zs)}, zs[-1]) for name, zs in (("x", x), ("u", u))}
    return {"N": 3, "T": draw(st.integers(0, 3)), "M": M, "g₀": g0, "g₁": g1, **states}


def near_pi() -> SearchStrategy[fmpq]:
    """Rationals between 3 and 22/7."""
    return st.integers(1, 20).map(lambda i: 3 + fmpq(i, 147))


def harmonics() -> SearchStrategy[Mapping[str, Any]]:
    return points(m=degrees, π=near_pi(), e=rationals(1, 3), X=rationals())


# --------------------------------------------------------------------------------------- windows, for every basis
observer_rhs, fout_rhs = (
    [part.rhs for part in claim.conclusion.parts]  # type: ignore[attr-defined]
    for claim in (paper.legt_observer.claim, paper.fout_closure.claim)
)
observer = Theorem(
    paper.legt_observer,
    source=GENERAL,
    says="Reading u(t - 1) as g₁'c makes the window an observer: c' = -M'c + g₀ (u - g₀'c). A + A' = -(g₀g₀' + "
    "g₁g₁'): LegT is skew less half of that, of rank 2 (its NPLR form). And g₀'A, the read-out of u', is "
    "-(M g₀)' - (g₀'g₀) g₀': the derivative of the basis, and of the innovation.",
    breaks={
        "no innovation": rhs(-(paper.M.T @ paper.c) + paper.u * paper.g0, part=0),
        "rank 1": rhs(-2 * (paper.g0 @ paper.g0.T), part=1),
    },
)
fout_closure = Theorem(
    paper.fout_closure,
    source=FOUT,
    says="With g(0) = g(1) a Fourier sum gives the mean of both ends, so u(t - 1) is read as 2 g'c - u: then "
    "A = M - 2 g g', B = 2 g, and A + 2 g g' is skew. C = -(M g)' differentiates the basis at lag 0; to differentiate "
    "by the ODE is g'A = -(M g)' - 2 (g'g) g'.",
    breaks={
        "B = g": rhs(paper.A_fout @ paper.c + paper.u * paper.g, part=0),
        "A + A' = -2 g g'": rhs(-2 * (paper.g @ paper.g.T), part=1),
    },
)
fourier_orthogonal = Theorem(
    paper.fourier_orthogonal,
    source=FOUT,
    says="Cosines and sines of different frequencies are orthogonal on the window, of norm² 1/2: from the product "
    "rule, cos' = -2πm sin, sin' = 2πm cos, their return after the window, and cos² + sin² = 1.",
    breaks={
        "norm 1": rhs(one, part=4),
        "cosines in phase": rhs(paper.half, part=0),
    },
)
matrix_rhs = [part.rhs for part in paper.fout_matrix.conclusion.parts]  # type: ignore[attr-defined]
fout_matrix = Theorem(
    paper.fout_matrix,
    source=FOUT,
    says="The rows of FouT, from integration by parts: with e² = 2, so 2e = 4/e = 2 sqrt2, they are -2, -2 sqrt2 and "
    "-4, and turns of ±2πm between cosine and sine of frequency m; B = (2, 2 sqrt2, 0, 2 sqrt2, 0, ...).",
    layers=(matrix_layer("fout", layer._fout),),
    breaks={
        "the mean taken for the far end": rhs(matrix_rhs[0] / 2, part=0),
        "turned the other way": rhs(-paper.frequency(paper.j) * paper.cosine(paper.j), part=2),
        "twice the frequency": rhs(2 * paper.frequency(paper.j) * paper.cosine(paper.j), part=2),
    },
)


half_slope = -(paper.frequency(paper.j) * paper.sine_now) / 2
fout_read_out = Theorem(
    paper.fout_readout,
    source=replace(
        OURS, read="the weights -2 sqrt2 π (i+1) at 2i + 2 in the authors' code of HiPPO-Prophecy (arXiv 2407.09375)"
    ),
    says="The reconstruction, differentiated at lag 0: C = -4πm/e at the sine of frequency m, -2 sqrt2 πm for e² = 2, "
    "0 elsewhere, D = 0. On cos 2πjt, whose state is e/2 sin 2πjt, that is u'.",
    layers=(read_out_layer("fout"),),
    breaks={"sqrt2 missing": rhs(-(paper.frequency(paper.j) * paper.sine_now) / 2, part=1)},
)


def misread(name: str, claim: Claim, proof: Any, source: Source, says: str) -> Theorem:
    """A refuted reading of the indices of FouT; one reading further off is refuted as well."""
    further = paper.rotation(name, 2 * paper.pi * Nat(2 * paper.m + 3))
    return Theorem(
        claim=claim,
        proof=proof,
        instances=harmonics,
        source=source,
        says=says,
        breaks={"the row after": further},
    )


printed = misread(
    "hippo.fout_printed_indices",
    paper.printed,
    paper.refute_printed,
    PRINTED_CODE,
    "The turn between cosine and sine of frequency m, rows and columns 2m - 1 and 2m of A, is 2πn with n the row: 4πm. "
    "But the coefficients of cos 2πmt turn with 2πm, half of that. (The claim counts frequencies as m + 1.)",
)
text = misread(
    "hippo.fout_text_indices",
    paper.text,
    paper.refute_text,
    PRINTED_TEXT,
    "The same turn is 2πk with k the column: 2π(2m - 1), right for m = 1 alone. (The claim counts them as m + 1.)",
)

# ------------------------------------------------------------------------------------- read-outs of the derivative
transfer_error = Theorem(
    paper.transfer_error,
    source=OURS,
    says="H(s) - s = -χ_K/χ_A for every size: with F the adjugate and χ the determinant of sI - A, sI - K maps "
    "(F B; χ) to (0; χ_K), and H - s = -χ_K/χ. That this χ_K is det(sI - K) is Schur's formula, which is classical; "
    "`hippo.transfer_error_determinant` has it for small sizes.",
    breaks={
        "without D": rhs(-((paper.chi_K + paper.D * paper.chi) / paper.chi), part=2),
        "the sign": rhs(paper.chi_K / paper.chi, part=2),
    },
)
modes_rhs = [part.rhs for part in paper.closed_loop_modes.conclusion.parts]  # type: ignore[attr-defined]
closed_loop_modes = Theorem(
    paper.closed_loop_modes,
    source=OURS,
    says="What the read-out differentiates exactly is what its closed loop generates: x is the steady state of "
    "u e^(st) and y = u' exactly if (x; u) is an eigenvector of K = [[A, B], [C, D]] for s. Any basis, every size.",
    breaks={
        "the input's row for u' = y - u": rhs(modes_rhs[1] - paper.input_, part=1),
        "no input to the states": rhs(modes_rhs[0] - paper.input_ * paper.B, part=0),
    },
)


def decide_determinant(N: int, sign: int = -1, adjugate: bool = True) -> str:
    """det(sI - K) = (s - D) det(sI - A) - C adj(sI - A) B, with every entry a variable."""
    whole, corner, inner, through = spectra.bordered(N)
    found = whole - (corner * inner + sign * through * adjugate)
    return "" if found == 0 else f"N = {N}: the difference is {str(found)[:80]}"


determinants = Finite(
    name="hippo.transfer_error_determinant",
    says="det(sI - K) = (s - D) det(sI - A) - C adj(sI - A) B for N = 1..5, as polynomials in s and all entries: so "
    "H - s = -det(sI - K)/det(sI - A).",
    decide=decide_determinant,
    cases=lambda: range(1, 6),
    number=5,
    source=OURS,
    mutants=(
        Broken("plus C adj(sI - A) B", lambda N: decide_determinant(N, sign=1)),
        Broken("without it", lambda N: decide_determinant(N, adjugate=False)),
    ),
)
observer_error = Theorem(
    pade.observer_error,
    source=OURS,
    says="For every basis closed as LegT is, and every rate s: of u = e^(st) the reconstruction misses u/(1 + ℓ'g₀) "
    "now, the read-out s times that, where ℓ = (sI + M)^-1 g₀.",
    breaks={
        "u' itself": rhs(zero, part=1),
        "the reconstruction itself": lhs(pade.gain * (paper.g0.T @ pade.w), part=0),
    },
)
observer_modes = Theorem(
    pade.observer_modes,
    source=OURS,
    says="An eigenvector of A that the reconstruction sees has an eigenvalue with 1 + ℓ'g₀ = 0, for LegT a root of "
    "Q_N.",
    breaks={"1 - ℓ'g₀": Eq((2 - pade.gain) * (paper.g0.T @ pade.v), zero)},
)

loop_rhs = pade.legt_closed_loop.rhs
closed_loop = Theorem(
    pade.legt_closed_loop,
    instances=nilpotent_loops,
    source=OURS,
    says="LegT's closed loop K = [[A, B], [C, D]] turns the states by -M' after its first step, and M is strictly "
    "triangular: K^(N+1) = 0, so what LegT generates, and differentiates exactly, are polynomials.",
    breaks={
        "the other sign": rhs(-loop_rhs),
        "M for M'": rhs(product(pade.l, 1, pade.T, -paper.M) @ pade.looped(1)),
    },
)


# -------------------------------------------------------------------------------------------------- S4D's spectrum
def decide_spectrum(N: int, sixth: Any = None, entry: spectra.Entry = spectra.legs_skew) -> str:
    """0 < (nth imaginary part) - N²/(rπ) + rπ/6 < 2r³/(3N²) for r = 2n + 1 and the four largest, with balls."""
    for n, found in enumerate(spectra.imaginary_parts(N, entry)[:4]):
        r = 2 * n + 1
        gap = (found - N * N / (r * arb.pi()) + r * (arb.pi() / 6 if sixth is None else sixth)) * N * N
        if not (gap > 0 and gap < arb(2 * r**3) / 3):
            return f"N = {N}, n = {n}: N² times the difference is {gap}"
    return ""


spectrum = Finite(
    name="s4d.legs_frequencies",
    says="For N = 8..64: the eigenvalues of A + P P', which is LegS made normal and the diagonal of S4D-LegS, have the "
    "real part -1/2, and the four largest imaginary parts are N²/(rπ) - rπ/6, r = 1, 3, 5, 7, and at most 2r³/(3N²) "
    "more. S4D-Inv puts N²/(rπ) - N/π there. `s4d.legs_frequencies_at_most` is for every N.",
    decide=decide_spectrum,
    cases=lambda: range(8, 65),
    number=57,
    source=Source(
        "On the Parameterization and Initialization of Diagonal State Space Models",
        "2206.11893",
        "S4D-LegS",
        read="remembered: the diagonals of S4D; `proofs/s4d/spectrum.py` derives the law",
    ),
    mutants=(
        Broken("1/2 for π/6", lambda N: decide_spectrum(N, arb(1) / 2)),
        Broken("S4D-Inv", lambda N: decide_spectrum(N, N / arb.pi())),
        Broken("without scale", lambda N: decide_spectrum(N, entry=lambda n, k: 0 if n == k else 1 if k > n else -1)),
    ),
)
