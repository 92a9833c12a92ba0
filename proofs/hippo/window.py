"""HiPPO: the ODE of a window and its closure, for every basis and size; FouT; what a read-out of u' is exact on.

Sources: Gu, Dao, Ermon, Rudra and Ré, "HiPPO" (arXiv 2008.07669); Gu, Johnson, Timalsina, Rudra and Ré, "How to Train
Your HiPPO" (arXiv 2206.12037), for FouT; "HiPPO-Prophecy" (arXiv 2407.09375) for the read-out. Derived here.
`proofs/hippo/legt.py` has LegT and LegS, `proofs/hippo/lagt.py` LagT.

| symbol | shape | meaning |
| --- | --- | --- |
| g_n(x), c | (N, 1) | basis functions of the lag x, orthonormal on the window 0..1; c = ∫ u(t - x) g(x) dx |
| M | (N, N) | the derivative matrix, g' = M g |
| g₀, g₁ | (N, 1) | g(0) and g(1): now, and the far end; g where both are the same |
| u, v | scalars | u(t), and u(t - 1) or what stands for it |
| s | scalar | rate of a signal e^(st) |
| e | scalar | scale of the Fourier basis e cos 2πmx, e sin 2πmx: orthonormal for e² = 2 |
| a, c_m, s_m | scalars | states of FouT: of 1, of the cosine and of the sine of frequency m = 1..M |
| C, D, y | (1, N), (), () | read-out y = C c + D u of the derivative u' |
| K | (N+1, N+1) | the closed loop [[A, B], [C, D]]; P (N, N+1) picks the states, p (N+1, 1) is the input's place |
| F, χ | (N, N), () | the adjugate and the determinant of sI - A, of which (sI - A) F = χ I is used, and no more |

Differentiated under the integral, as u(t - x) changes by -d/dx u(t - x), the coefficients obey
c' = M c + g₀ u(t) - g₁ u(t - 1); and M + M' = g₁g₁' - g₀g₀', for it is ∫ (g g')' dx. These two are calculus, and
hypotheses or hand-work here; for Legendre polynomials `hippo.legt_window` proves the first, and with the entries
M_nk = ((-1)^(n-k) - 1) sqrt((2n+1)(2k+1)), k < n, the second is plain. Identities in s, being polynomial, hold for
complex s as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from flint import fmpq

from proofs.derivation import main, proves
from proofs.gd_ssm.one_step import modulo
from proofs.kernel import (
    Claim,
    Fact,
    Refuted,
    assume,
    conjunction,
    identity,
    refute,
    rewrite,
)
from proofs.tactics.products import cancelled, moved_out, one, put_in, zero
from proofs.terms import (
    ONE,
    And,
    Eq,
    Identity,
    Index,
    Lt,
    Nat,
    Nonzero,
    Term,
    Zero,
    matrix,
    scalar,
    sequence,
    size,
    summation,
    term,
    vector,
)

N, H, m, j, T, t, l = (size(name) for name in ("N", "M", "m", "j", "T", "t", "l"))
M = matrix("M", N, N)
g0, g1, g, c = (vector(name, N) for name in ("g₀", "g₁", "g", "c"))
u, s, half = scalar("u"), scalar("s"), one / 2


def nought(*names: str) -> dict[str, object]:
    """Matrices of shape 1 by 1, with the entry 0."""
    return {name: np.array([[fmpq(0)]]) for name in names}


def proved(claim: Claim, *by: Fact) -> Fact:
    """Every part of the claim by normal form, modulo equations between matrices."""
    parts = claim.conclusion.parts if isinstance(claim.conclusion, And) else (claim.conclusion,)
    facts = [modulo(part.lhs, part.rhs, *by) for part in cast(Sequence[Eq], parts)]
    return conjunction(*facts) if isinstance(claim.conclusion, And) else facts[0]


# ----------------------------------------------------------------------------- LegT: the far end is read as g₁'c
by_parts = Eq(M.T, g1 @ g1.T - g0 @ g0.T - M)
A = M - g1 @ g1.T


@proves(
    And(
        (
            Eq(M @ c + u * g0 - (g1.T @ c) * g1, -(M.T @ c) + (u - g0.T @ c) * g0),
            Eq(A + A.T, -(g0 @ g0.T) - g1 @ g1.T),
            Eq(g0.T @ A, -(g0.T @ M.T) - (g0.T @ g0) * g0.T),
        )
    ),
    {"by_parts": by_parts},
)
def legt_observer() -> Fact:
    """Integration by parts turns M - g₁g₁' into -M' - g₀g₀'."""
    return proved(legt_observer.claim, assume(by_parts))


# ------------------------------------------------- FouT: a Fourier sum gives the mean of both ends, so v = 2 g'c - u
periodic = Eq(M.T, -M)
A_fout = M - 2 * (g @ g.T)


@proves(
    And(
        (
            Eq(M @ c + u * g - (2 * (g.T @ c) - u) * g, A_fout @ c + 2 * u * g),
            Eq(A_fout + A_fout.T, -4 * (g @ g.T)),
            Eq(g.T @ A_fout, -(M @ g).T - 2 * (g.T @ g) * g.T),
        )
    ),
    {"periodic": periodic},
)
def fout_closure() -> Fact:
    """A basis with the same values at both ends has M' = -M."""
    return proved(fout_closure.claim, assume(periodic))


# --------------------------------------------------------------------------------------------- the Fourier basis
pi, e, a = scalar("π"), scalar("e"), scalar("a")
cc, ss, cs, sc, c2, s2 = (scalar(name) for name in ("cc", "ss", "cs", "sc", "c₂", "s₂"))


def frequency(m: Index) -> Term:
    """2πm."""
    return 2 * pi * Nat(m)


slow, fast = frequency(m), frequency(m + j + 1)


@proves(
    And((Eq(cc, zero), Eq(ss, zero), Eq(cs, zero), Eq(sc, zero), Eq(c2, half), Eq(s2, half))),
    {
        "pi_positive": Lt(zero, pi),
        "sin_cos_returns": Eq(slow * cc - fast * ss, zero),
        "cos_sin_returns": Eq(fast * cc - slow * ss, zero),
        "sin_sin_returns": Eq(slow * cs + fast * sc, zero),
        "cos_cos_returns": Eq(-slow * sc - fast * cs, zero),
        "own_sin_cos_returns": Eq(fast * c2 - fast * s2, zero),
        "squares_add_up": Eq(c2 + s2, one),
    },
)
def fourier_orthogonal() -> Fact:
    """Products of a cosine or sine of m with one of n > m return to their value after the window, so their derivatives
    integrate to 0: two equations for two integrals, with the determinant n² - m² > 0."""
    positive, *given = fourier_orthogonal.hypotheses.values()
    gap = 4 * (pi * pi * Nat(j + 1) * Nat(2 * m + j + 1))
    facts = [assume(equation) for equation in given]

    def solved(x: Term, value: Term, factor: Term) -> Fact:
        scaled = put_in(factor * x, factor * value, (), facts)
        return cancelled(scaled, x, value, factor, positive)

    own = [solved(x, half, pi * Nat(m + j + 1)) for x in (c2, s2)]
    return conjunction(*(solved(x, zero, gap) for x in (cc, ss, cs, sc)), *own)


cosine, sine = sequence("c"), sequence("s")
now, far = scalar("u"), scalar("v")
slopes = tuple(scalar(name) for name in ("Z", "X", "Y"))  # of the window, integrated against 1, cosine, sine
reconstruction = a + summation(m, 1, H, 2 / e * cosine(m))
seen = summation(m, 1, H, 4 / e * cosine(m)), summation(m, 1, H, 4 * cosine(m))


@proves(
    And(
        (
            Eq(-slopes[0], -2 * a - seen[0] + 2 * now),
            Eq(-e * slopes[1], -2 * e * a - seen[1] - frequency(j) * sine(j) + 2 * e * now),
            Eq(-e * slopes[2], frequency(j) * cosine(j)),
        )
    ),
    {
        "scale_not_zero": Nonzero(e),
        "one_by_parts": Eq(slopes[0], far - now),
        "cosine_by_parts": Eq(slopes[1], far - now + frequency(j) * (sine(j) / e)),
        "sine_by_parts": Eq(slopes[2], -frequency(j) * (cosine(j) / e)),
        "far_end": Eq(far, 2 * reconstruction - now),
    },
)
def fout_matrix() -> Fact:
    """The far end, put into the rows; the sum over the harmonics moves past its factors."""
    _, *given = (assume(h) for h in fout_matrix.hypotheses.values())
    sums = [
        moved_out(m, 1, H, body, factor, cosine(m))
        for body, factor in ((2 / e * cosine(m), 2 / e), (4 / e * cosine(m), 4 / e), (4 * cosine(m), term(4)))
    ]
    parts = cast(Sequence[Eq], cast(And, fout_matrix.conclusion).parts)
    return conjunction(*(put_in(part.lhs, part.rhs, [*given, *sums]) for part in parts))


now_cosine, now_sine = scalar("c₀"), scalar("s₀")
tangent = cosine(m) * -(frequency(m) * now_sine) + sine(m) * (frequency(m) * now_cosine)
cosine_now, sine_now = scalar("X"), scalar("Y")  # cos 2πmt, sin 2πmt: a signal with X' = -2πm Y, Y' = 2πm X


def fout_weight(m: Index) -> Term:
    """C at the sine of frequency m: -4πm/e, which is -2 sqrt2 πm for e² = 2."""
    return -(4 * pi * Nat(m) / e)


@proves(
    And(
        (
            Eq(-summation(m, 1, H, 2 / e * tangent), summation(m, 1, H, fout_weight(m) * sine(m))),
            Eq(fout_weight(j) * (e / 2 * sine_now), -(frequency(j) * sine_now)),
        )
    ),
    {"scale_not_zero": Nonzero(e), "cosine_is_one": Eq(now_cosine, one), "sine_is_zero": Eq(now_sine, zero)},
)
def fout_readout() -> Fact:
    """The reconstruction a + sum of (2/e)(c_m cos + s_m sin), differentiated at lag 0; and the state s_j = e Y/2."""
    ends = [assume(h) for name, h in fout_readout.hypotheses.items() if name != "scale_not_zero"]
    slope, harmonic = cast(Sequence[Eq], cast(And, fout_readout.conclusion).parts)
    inner = Nat(m) * sine(m)
    sums = [moved_out(m, 1, H, 2 / e * tangent, 4 * pi / e, inner, *ends)]
    sums.append(moved_out(m, 1, H, fout_weight(m) * sine(m), -(4 * pi / e), inner))
    return conjunction(put_in(slope.lhs, slope.rhs, sums), put_in(harmonic.lhs, harmonic.rhs))


# ------------------------------------------------------------------------------------- indices as they are printed
read_as = {  # entry (2m, 2m - 1) of A, m = 1, 2, ..., counting the states from 0
    "hippo.fout_printed_indices": 2 * pi * Nat(2 * m + 2),  # 2πn, n the row
    "hippo.fout_text_indices": 2 * pi * Nat(2 * m + 1),  # 2πk, k the column
}
# of π no more is used than this; the turns differ by a multiple of π other than 0, whatever it is
about_pi = {"pi_above": Lt(term(3), pi), "pi_below": Lt(pi, term(22) / 7)}


def rotation(name: str, entry: Term) -> Claim:
    """Row 2m of the ODE for the signal X = cos 2πmt: its states are e X/2 and e Y/2, for every frequency m + 1."""
    true = e / 2 * (frequency(m + 1) * cosine_now)
    return Claim(name, Eq(true, entry * (e / 2 * cosine_now)), {"scale_not_zero": Nonzero(e), **about_pi})


printed, text = (rotation(name, entry) for name, entry in read_as.items())
harmonic_at = {"m": 0, "π": fmpq(25, 8), "e": fmpq(1), "X": fmpq(1)}


def refute_printed() -> Refuted:
    """The state of the sine of frequency 1 would turn with 4π."""
    return refute(printed.sequent, harmonic_at)


def refute_text() -> Refuted:
    """The states of frequency 1 would turn with 2π, as they should, those of frequency 2 with 6π."""
    return refute(text.sequent, {**harmonic_at, "m": 1})


# -------------------------------------------------------------------------------- what a read-out of u' is exact on
F, K, P = matrix("F", N, N), matrix("K", N + 1, N + 1), matrix("P", N, N + 1)
A_any, B, C, D = matrix("A", N, N), vector("B", N), matrix("C", 1, N), scalar("D")
last, x, chi, rate = vector("p", N + 1), vector("x", N), scalar("χ"), s * Identity(N)
transfer = (C @ F @ B) / chi + D
chi_K = s * chi - C @ F @ B - D * chi


@proves(
    And(
        (
            Eq((rate - A_any) @ (F @ B) - chi * B, Zero(N, ONE)),
            Eq(s * chi - C @ (F @ B) - chi * D, chi_K),
            Eq(transfer - s, -(chi_K / chi)),
        )
    ),
    {"adjugate": Eq(A_any @ F, s * F - chi * Identity(N)), "no_eigenvalue": Nonzero(chi)},
)
def transfer_error() -> Fact:
    """Block elimination: sI - K sends the column (F B; χ) to (0; χ_K)."""
    return proved(transfer_error.claim, assume(transfer_error.hypotheses["adjugate"]))


state, input_ = x, scalar("u")
mode = P.T @ state + input_ * last
steady = A_any @ state + input_ * B - s * state
missed = C @ state + D * input_ - s * input_


@proves(
    And(
        (
            Eq(P @ (K @ mode - s * mode), steady),
            Eq(last.T @ (K @ mode - s * mode), missed),
            Eq(K @ mode - s * mode, P.T @ steady + missed * last),
        )
    ),
    {
        "K_of_states": Eq(K @ P.T, P.T @ A_any + last @ C),
        "K_of_input": Eq(K @ last, P.T @ B + D * last),
        "states_apart": Eq(P @ P.T, Identity(N)),
        "input_apart": Eq(P @ last, Zero(N, ONE)),
        "apart_input": Eq(last.T @ P.T, Zero(ONE, N)),
        "input_is_one": Eq(last.T @ last, one),
    },
)
def closed_loop_modes() -> Fact:
    """K = [[A, B], [C, D]] applied to (x; u), block by block."""
    *given, unit = (assume(h) for h in closed_loop_modes.hypotheses.values())
    first, second, whole = cast(Sequence[Eq], cast(And, closed_loop_modes.conclusion).parts)
    norm = last.T @ last
    below = rewrite(modulo(second.lhs, norm * missed, *given), unit)
    return conjunction(
        modulo(first.lhs, first.rhs, *given),
        rewrite(below, identity(one * missed, missed)),
        modulo(whole.lhs, whole.rhs, *given),
    )


if __name__ == "__main__":
    main(__doc__)
