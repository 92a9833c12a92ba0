"""The weights of HiPPO for one N: as they are written down, and as integration by parts gives them.

With c_n(t) = ∫ u(t - x) g_n(x) dx, g orthonormal and u(t - x) differentiated under the integral:

| measure | c' | so that A is |
| --- | --- | --- |
| legt | ∫ u(t - x) g' dx + g(0) u(t) - g(1) u(t - 1) | ∫ g_n' g_k - g_n(1) g_k(1) |
| fout | the same | ∫ g_n' g_k - 2 g_n(0) g_k(0) |
| legs | with x the lag divided by t: (∫ u ((1 - x) g)' dx + g(0) u(t))/t | ∫ ((1 - x) g_n)' g_k |
| lagt | ∫ u(t - x) g' dx + g(0) u(t) | ∫ g_n' g_k |

For u(t - 1) stands what the state makes of it: g(1)·c for legt; for fout, whose sum gives the mean of both ends of the
window, 2 g(0)·c - u(t). B = g(0), and 2 g(0) for fout. The read-out of u' is B'(A c + B u) for legt and legs, and
-g'(0)·c for fout.

An entry is irrational, but x |x| is rational, or π² times that: this is what is compared, as a pair of the rational
and the power of π².
"""

from __future__ import annotations

import math
from typing import Any

from flint import arb, ctx, fmpq, fmpq_poly

MEASURES = ("legt", "legs", "lagt", "fout")
Entry = tuple[fmpq, int]  # x |x| = rational * π^(2 power)
Weights = dict[str, list[Entry]]  # A row by row, B, and where there is a read-out C and D


def value(entry: Entry, bits: int = 200) -> arb:
    """The entry, as a ball."""
    square, power = entry
    before, ctx.prec = ctx.prec, bits
    try:
        size = arb(abs(square)).sqrt() * arb.pi() ** power
        return size if square >= 0 else -size
    finally:
        ctx.prec = before


# -------------------------------------------------------------------------------------------------- written down
def written(measure: str, N: int) -> Weights:
    """The weights as the tables have them."""
    pairs = [(n, k) for n in range(N) for k in range(N)]
    if measure == "fout":
        A = [_fout(n, k) for n, k in pairs]
        B = [(4 * fmpq(_square(n)), 0) for n in range(N)]
        C = [(fmpq(-2 * n * n), 1) if n and n % 2 == 0 else _nought for n in range(N)]
        return {"A": A, "B": B, "C": C, "D": [_nought]}
    odd = [2 * n + 1 for n in range(N)]
    if measure == "lagt":
        below = [fmpq(-1, 4) if n == k else fmpq(-1 if n > k else 0) for n, k in pairs]
        return {"A": [(x, 0) for x in below], "B": [(fmpq(1), 0)] * N}
    if measure == "legt":
        A = [(fmpq((1 if k > n and (k - n) % 2 else -1) * odd[n] * odd[k]), 0) for n, k in pairs]
    else:
        A = [(fmpq(-((n + 1) ** 2) if n == k else -odd[n] * odd[k] if n > k else 0), 0) for n, k in pairs]
    C = [(fmpq(-odd[k] * (N * N - k * (k + 1)) ** 2), 0) for k in range(N)]
    return {"A": A, "B": [(fmpq(x), 0) for x in odd], "C": C, "D": [(fmpq(N) ** 4, 0)]}


_nought = (fmpq(0), 0)


def _square(n: int) -> int:
    """The square of the n-th function of the Fourier basis at lag 0."""
    return 1 if n == 0 else 2 * (n % 2)


def _fout(n: int, k: int) -> Entry:
    if n and n % 2 == 0 and k == n - 1:
        return fmpq(n * n), 1
    if k and k % 2 == 0 and n == k - 1:
        return fmpq(-k * k), 1
    return fmpq(-4 * _square(n) * _square(k)), 0


# ------------------------------------------------------------------------------------------------------- derived
def derived(measure: str, N: int) -> Weights:
    """The weights by exact integration, for legt, legs and lagt; for fout from the derivatives of sine and cosine."""
    return _derived_fourier(N) if measure == "fout" else _derived_polynomial(measure, N)


def _derived_polynomial(measure: str, N: int) -> Weights:
    """g_n = w_n p_n with p_n a polynomial of value 1 at lag 0, and w_n² = 2n + 1 for Legendre, 1 for Laguerre."""
    laguerre = measure == "lagt"
    p, squares = polynomials(measure, N), [1 if laguerre else 2 * n + 1 for n in range(N)]
    x = fmpq_poly([0, 1])
    entries: list[fmpq] = []
    for n in range(N):
        slope = ((1 - x) * p[n]).derivative() if measure == "legs" else p[n].derivative()
        slope = slope - p[n] / 2 if laguerre else slope
        far = p[n](1) if measure == "legt" else fmpq(0)
        entries.extend(integral(slope * p[k], laguerre) - far * p[k](1) for k in range(N))
    pairs = [(n, k) for n in range(N) for k in range(N)]
    A = [(signed(a) * squares[n] * squares[k], 0) for a, (n, k) in zip(entries, pairs, strict=True)]
    B = [(signed(p[n](0)) * squares[n], 0) for n in range(N)]
    if laguerre:
        return {"A": A, "B": B}
    near = [squares[n] * p[n](0) for n in range(N)]
    C = [(signed(sum((near[n] * entries[n * N + k] for n in range(N)), fmpq(0))) * squares[k], 0) for k in range(N)]
    return {"A": A, "B": B, "C": C, "D": [(signed(sum((near[n] * p[n](0) for n in range(N)), fmpq(0))), 0)]}


def _derived_fourier(N: int) -> Weights:
    """(√2 cos 2πmx)' = -2πm √2 sin 2πmx and (√2 sin 2πmx)' = 2πm √2 cos 2πmx, in an orthonormal basis."""
    near = [fmpq(1) if n == 0 else fmpq(2 * (n % 2)) for n in range(N)]  # squares of g_n(0)
    slope = {}
    for m in range(1, N // 2 + 1):
        slope[2 * m - 1, 2 * m], slope[2 * m, 2 * m - 1] = fmpq(-2 * m), fmpq(2 * m)
    pairs = [(n, k) for n in range(N) for k in range(N)]
    A = [(signed(slope[nk]), 1) if nk in slope else (-4 * near[nk[0]] * near[nk[1]], 0) for nk in pairs]
    C = [_nought] * N
    for (n, k), a in slope.items():  # -g_n'(0) = -sum over k of slope_nk g_k(0)
        if near[k]:
            C[n] = (signed(-a) * near[k], 1)
    return {"A": A, "B": [(4 * x, 0) for x in near], "C": C, "D": [_nought]}


def polynomials(measure: str, N: int) -> list[Any]:
    """P_n(1 - 2x), or L_n(x) for lagt, from their Rodrigues sums."""
    if measure == "lagt":
        terms = [[fmpq((-1) ** j * math.comb(n, j), math.factorial(j)) for j in range(n + 1)] for n in range(N)]
    else:
        terms = [[fmpq((-1) ** j * math.comb(n, j) * math.comb(n + j, j)) for j in range(n + 1)] for n in range(N)]
    return [fmpq_poly(coefficients) for coefficients in terms]


def integral(p: Any, laguerre: bool) -> fmpq:
    """∫ p over [0, 1], or ∫ p e^(-x) over x >= 0."""
    weight = [fmpq(math.factorial(j)) if laguerre else fmpq(1, j + 1) for j in range(p.degree() + 1)]
    return sum((a * w for a, w in zip(p.coeffs(), weight, strict=False)), fmpq(0))


def signed(x: fmpq) -> fmpq:
    """x |x|."""
    return x * abs(x)


def difference(one: Weights, other: Weights) -> str:
    """Where two sets of weights differ; empty if nowhere."""
    for name in sorted(one.keys() | other.keys()):
        for i, (x, y) in enumerate(zip(one.get(name, []), other.get(name, []), strict=True)):
            if x != y:
                return f"{name}[{i}] |{name}[{i}]| = {x[0]} π^{2 * x[1]}, not {y[0]} π^{2 * y[1]}"
    return ""
