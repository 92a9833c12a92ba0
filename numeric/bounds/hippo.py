"""How far `numeric.hippo`, `hippo_prophecy` and `s4` may be from exact arithmetic: their formulas, run on Majorants.

All bounds are float64, of the shape of the outputs, and hold absent overflow. What is by hand, beyond `majorant`:

* a solved system P x = b, rows in the order of the pivots. Every entry of L, of U, of L^-1 b and of x is some
  s = (c - sum of m < n products a_k b_k)/d, added up in whatever order. The roundings that c met, moved to the other
  terms, leave d s (1 + θ) = c - sum of a_k b_k (1 + θ_k), each 1 + θ of at most n + 1 factors (1 + δ)^±1: one for each
  of the m additions, one for the product or two for a division by way of the reciprocal. With γ = γ_{n+1} so
  L U = P + E_1, (L + E_2) y = b, (U + E_3) x = y, where |E_1| <= γ |L||U|, |E_2| <= γ |L|, |E_3| <= γ |U|: together
  (P + E) x = b with |E| <= (3γ + γ²) |L||U| <= γ_{4n+4} |L||U|. Below the normal range each of them adds η times a
  factor, or a sum of n of them. A library that inverts whole blocks of L or U, as some do on GPUs, computes otherwise,
  and is not covered. The caller knows the inverse of P.
* complex numbers: a Majorant of moduli. A product is charged three roundings, as `scan_bound` explains.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from numeric.bounds.majorant import Majorant
from numeric.bounds.model import underflow, unit_roundoff, widened
from numeric.hippo import TAYLOR_DEGREE, squarings

U64 = 2.0**-53


def rounded(x: Majorant, times: int = 1) -> Majorant:
    """x after so many further roundings: a product with 1 has one."""
    for _ in range(times):
        x = x * Majorant.of(torch.ones((), dtype=x.dtype))
    return x


def divided(x: Majorant, by: float) -> Majorant:
    """x / by, rounded once, of a number that is exact."""
    return rounded(Majorant(x.size / by, x.error / by, x.dtype))


def quotient(x: Majorant, y: Majorant, least: Tensor) -> Majorant:
    """x / y, rounded once, where |y| >= least: |x^/y^ - x/y| <= (E + F X/|y|)/(|y| - F). No bound unless F < least."""
    size = x.size / least
    error = (x.error + y.error * size) / (least - y.error)
    return rounded(Majorant(size, torch.where(y.error < least, error, math.inf), x.dtype))


def stacked(*parts: Majorant, dim: int) -> Majorant:
    """Majorants side by side."""
    size, error = (torch.cat([getattr(p, field) for p in parts], dim) for field in ("size", "error"))
    return Majorant(size, error, parts[0].dtype)


def given(size: Tensor, dtype: torch.dtype, roundings: int = 0) -> Majorant:
    """Numbers of float64 sizes that reach the computation with so many roundings."""
    return rounded(Majorant(size, torch.zeros_like(size), dtype), roundings)


# ----------------------------------------------------------------------------------------- weights and basis
def weights_bound(exact: Tensor, dtype: torch.dtype) -> Tensor:
    """For `hippo` and `readout`: three roundings in float64, π being one, and one to the dtype."""
    return widened(rounded(given(exact.abs(), torch.float64, 3)).error + float(unit_roundoff(dtype)) * exact.abs(), 4)


def basis_bound(measure: str, N: int, x: Tensor) -> Tensor:
    """For `basis` at lags x (X,): (X, N). Of lagt and fout on the condition that exp, cos, sin are within 4 roundings.

    A Fourier angle 2π frac(m x) is off by at most 2π (m x + 2 frac) u, and so are its cosine and sine.
    """
    lag = Majorant.of(x.double())
    if measure == "fout":
        m = torch.arange(1, N // 2 + 1).double().repeat_interleave(2)
        angle = 2 * math.pi * U64 * (m * lag.size.unsqueeze(-1) + 2)
        waves = rounded(Majorant(torch.ones_like(angle), angle, torch.float64), 4)
        pairs = waves * given(torch.full_like(m, math.sqrt(2)), torch.float64, 1)
        one = given(torch.ones(len(x), 1, dtype=torch.float64), torch.float64)
        values = stacked(one, pairs, dim=-1)
    elif measure == "lagt":
        decay = given((-lag.size / 2).exp(), torch.float64, 5).moved(lambda s: s.unsqueeze(-1))
        values = _recurrence(N, lambda n: given(2 * n + 1 + lag.size, torch.float64, 1), lag) * decay
    else:
        z = given(1 + 2 * lag.size, torch.float64, 1)
        roots = given((2 * torch.arange(N).double() + 1).sqrt(), torch.float64, 1)
        values = _recurrence(N, lambda n: rounded(Majorant((2 * n + 1) * z.size, (2 * n + 1) * z.error, z.dtype)), lag)
        values = values * roots
    return rounded(Majorant(values.size, values.error, x.dtype)).bound(8 * N, 1)


def _recurrence(N: int, factor: Callable[[int], Majorant], like: Majorant) -> Majorant:
    """p_{n+1} = (factor(n) p_n - n p_{n-1})/(n + 1) from 1 and 0: (X, N)."""
    p, q = (given(torch.full_like(like.size, start), torch.float64) for start in (1.0, 0.0))
    values = [p]
    for n in range(N - 1):
        p, q = divided(factor(n) * p + rounded(Majorant(n * q.size, n * q.error, q.dtype)), n + 1), p
        values.append(p)
    return stacked(*(v.moved(lambda s: s.unsqueeze(-1)) for v in values), dim=-1)


# --------------------------------------------------------------------------------------------- discretisation
def discretize_bound(
    A: Tensor,
    B: Tensor,
    delta: Tensor,
    alpha: float,
    inverse: Tensor,
    solution: Tensor,
    factors: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """For `discretize` by gbt: A (N, N), B (N,), delta (); |(I - αδA)^-1| (N, N) and |Ad|, |Bd| side by side (N, N+1).

    factors (N, N): |L||U| of the very elimination, its rows in the order of A; None takes the largest that partial
    pivoting allows, 2^N times the largest entry of a column: as |l| <= 1, a row of U is at most that entry and the
    rows before. (With roundings, a little more: |l| <= 1 + 3u, and n + 1 of them in a row.)
    From (P + E) x^ = b + f: |x^ - x| <= |P^-1| (|E| |x^| + |f|), with |x^| <= |x| + |x^ - x|, so there is a bound if
    the largest row sum of |P^-1| |E| is below 1, and infinity else.
    """
    N, dtype = len(B), A.dtype
    u, eta = unit_roundoff(dtype), underflow(dtype)
    X = Majorant.of(delta) * Majorant.of(A)
    I = Majorant.of(torch.eye(N, dtype=dtype))
    implicit = I + given(torch.tensor(alpha, dtype=torch.float64), dtype, 1) * X
    explicit = I + given(torch.tensor(1 - alpha, dtype=torch.float64), dtype, 2) * X
    gain = (Majorant.of(delta) * Majorant.of(B)).moved(lambda x: x.unsqueeze(-1))
    right = stacked(explicit, gain, dim=-1)
    if factors is None:
        factors = float((2 + (2 * N + 16) * u) ** N) * (implicit.size + implicit.error).amax(0).expand(N, N)
    roundings = 4 * N + 4
    below = 16 * N * eta * (1 + float(factors.max())) * (1 + float(solution.max()))
    E = implicit.error + float(roundings * u / (1 - roundings * u)) * factors + below
    M, r = inverse @ E, inverse @ (E @ solution + right.error + below)
    row = M.sum(-1, keepdim=True)
    contraction = float(row.max())
    if not contraction < 1:
        whole = torch.full_like(solution, math.inf)
    else:
        whole = widened(r + row * (r.max() / (1 - contraction)), 4, N)
    return whole[:, :-1], whole[:, -1]


def zero_order_hold_bound(A: Tensor, B: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    """For `discretize` by zoh: A (N, N), B (N,), delta ()."""
    X = Majorant.of(delta) * Majorant.of(A)
    gain = (Majorant.of(delta) * Majorant.of(B)).moved(lambda x: x.unsqueeze(-1))
    rows = stacked(X, gain, dim=-1)
    whole = stacked(rows, given(torch.zeros(1, len(B) + 1, dtype=torch.float64), A.dtype), dim=-2)
    bound = _exponential(whole, int(squarings(torch.cat([delta * A, (delta * B).unsqueeze(-1)], -1))))
    return bound[:-1, :-1], bound[:-1, -1]


def _exponential(X: Majorant, s: int) -> Tensor:
    n = len(X.size)
    I = Majorant.of(torch.eye(n, dtype=X.dtype))
    Y = divided(X, 2.0**s)
    P = I
    for k in range(TAYLOR_DEGREE, 0, -1):
        P = I + divided(Y @ P, k)
    norm, first = float(Y.size.sum(0).max()), TAYLOR_DEGREE + 1
    rest = norm**first / math.factorial(first) / (1 - norm / (first + 1))
    P = Majorant(P.size + rest, P.error + rest, P.dtype)
    for _ in range(s):
        P = P @ P
    return P.bound(TAYLOR_DEGREE + s, n)


# ------------------------------------------------------------------------------------------------ predictions
def trapezoid_majorants(C: Tensor, D: Tensor, delta: Tensor) -> tuple[Majorant, Majorant]:
    """The weights of `trapezoid`: C (N,), D (), delta () or (T,)."""
    one, step = Majorant.of(torch.ones_like(delta)), Majorant.of(delta)
    half = divided(step * Majorant.of(D), 2)
    left = one + half
    exact = 1 - delta.double() * D.double() / 2
    least = exact.abs() - 4 * U64 * (1 + half.size)
    row = quotient(step, left, least).moved(lambda x: x.unsqueeze(-1)) * Majorant.of(C)
    return row, quotient(one + half, left, least)


def euler_majorants(C: Tensor, delta: Tensor) -> tuple[Majorant, Majorant]:
    """The weights of `euler`: C (N,), delta ()."""
    return Majorant.of(delta) * Majorant.of(C), Majorant.of(torch.ones_like(delta))


def next_state_bound(u: Tensor, A: Tensor, B: Tensor, row: Majorant, skip: Majorant) -> Tensor:
    """For `next_state` with weights C, D so computed, of one time or of T: u (1, T, 1) -> (1, T, 1)."""
    c = _states(Majorant.of(A), Majorant.of(B), u)
    y = (c * row).sum(-1) + skip * Majorant.of(u[0, :, 0])
    return y.bound(u.shape[1], A.shape[-1])[None, :, None]


def _states(A: Majorant, B: Majorant, u: Tensor, start: Majorant | None = None) -> Majorant:
    """The states (T, N) of one signal u (1, T, 1)."""
    signal = Majorant.of(u[0])
    varying = A.size.ndim == 3
    inputs, c, states = B * signal, start, []
    for t in range(u.shape[1]):
        gate = A.moved(lambda x, t=t: x[t]) if varying else A  # type: ignore[misc]
        new = inputs.moved(lambda x, t=t: x[t])  # type: ignore[misc]
        c = new if c is None else _apply(gate, c) + new
        states.append(c.moved(lambda x: x.unsqueeze(0)))
    return stacked(*states, dim=0)


def _apply(A: Majorant, x: Majorant) -> Majorant:
    return (A @ x.moved(lambda v: v.unsqueeze(-1))).moved(lambda v: v.squeeze(-1))


def roll_out_bound(u: Tensor, steps: int, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
    """For `roll_out` with weights A, B, C, D of one time: u (1, T, 1) -> (1, steps, 1)."""
    a, b, row, skip = (Majorant.of(w) for w in (A, B, C, D))
    c = _states(a, b, u).moved(lambda x: x[-1:])
    z = stacked(c, Majorant.of(u[0, -1:]), dim=-1)
    outer = b.moved(lambda x: x.unsqueeze(-1)) * row
    top = stacked(a + outer, (skip * b).moved(lambda x: x.unsqueeze(-1)), dim=-1)
    bottom = stacked(row, skip.moved(lambda x: x.reshape(1)), dim=-1).moved(lambda x: x.unsqueeze(0))
    K = stacked(top, bottom, dim=0)
    N, outputs = len(B), []
    for step in range(steps):
        if step:
            z = _apply(K, z.moved(lambda x: x[0])).moved(lambda x: x.unsqueeze(0)) + given(0 * z.size, z.dtype)
        y = (z.moved(lambda x: x[:, :N]) * row).sum(-1) + skip * z.moved(lambda x: x[:, N])
        outputs.append(y)
    return stacked(*outputs, dim=0).bound(u.shape[1] + steps, len(B) + 1)[None, :, None]


# -------------------------------------------------------------------------------------------------------- S4D
def s4d_bound(u: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, delta: Tensor) -> Tensor:
    """For `s4d`, bilinear, with complex A of negative real part: u (1, T, d) -> (1, T, d)."""
    real = u.dtype
    a, b, c = (Majorant(_modulus(x), torch.zeros(x.shape, dtype=torch.float64), real) for x in (A, B, C))
    step = Majorant.of(delta.unsqueeze(-1))
    one = Majorant.of(torch.ones((), dtype=real))
    z = rounded(divided(rounded(step * a, 2), 2), 2)
    near = one + z
    least = _modulus(1 - delta.double().unsqueeze(-1) * A.to(torch.complex128) / 2) * (1 - 16 * U64)
    inverse = rounded(quotient(one, near, least), 2)
    gate = rounded(near * inverse, 2)
    gain = rounded(rounded(step * b, 2) * inverse, 2)
    inputs = rounded(gain * Majorant.of(u[0].unsqueeze(-1)), 2)
    h, states = None, []
    for t in range(u.shape[1]):
        new = inputs.moved(lambda x, t=t: x[t])  # type: ignore[misc]
        h = new if h is None else rounded(gate * h + new, 2)
        states.append(h.moved(lambda x: x.unsqueeze(0)))
    read = rounded(stacked(*states, dim=0) * c).sum(-1)
    y = given(torch.tensor(2.0, dtype=torch.float64), real) * read + Majorant.of(D) * Majorant.of(u[0])
    return y.bound(u.shape[1] + 8, A.shape[-1])[None]


def _modulus(x: Tensor) -> Tensor:
    """|x| in float64, rounded up."""
    return x.to(torch.complex128).abs() * (1 + 4 * U64)
