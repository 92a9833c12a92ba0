"""How far a scan's floats may be from the exact result: the proven bounds, evaluated.

| symbol | meaning |
| --- | --- |
| u, eta | unit roundoff, and the largest absolute error of one operation below the normal range |
| (p, q) | the term of b_j in h_t collects at most p (t - j) + q roundings, in the order at hand |
| H, W | H_t = \\|a_t\\| H_{t-1} + \\|b_t\\|; W_t = \\|a_t\\| (W_{t-1} + H_{t-1}) |
| U | what underflow may add: U_t = (1 + 2pu) \\|a_t\\| U_{t-1} + (a few eta) |

Absent overflow, |computed - exact| <= u/(1 - Nu) (p W_t + q H_t) + U_t for every N >= pT + q with Nu < 1. The chain's
bound is proved in `proofs/rounding.py` (`rounding.chain`), as are the steps on which the bounds for trees and for the
delta rule rest. Everything is evaluated in float64 and widened by its own rounding errors; all terms are
non-negative, so none cancels. Only real dtypes are covered here.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import torch
from torch import Tensor

U53 = Fraction(1, 2**53)


def unit_roundoff(dtype: torch.dtype) -> Fraction:
    """u of a floating-point dtype: half the gap above 1."""
    return Fraction(torch.finfo(dtype).eps) / 2


def underflow(dtype: torch.dtype) -> float:
    """At least the absolute error of an operation whose result is below the normal range, flush-to-zero or not.

    For float64 this is the smallest normal number, like for every other dtype.
    """
    return float(torch.finfo(dtype).tiny)


def relative(roundings: int, u: Fraction) -> Fraction:
    """(1 + u)^roundings - 1: the largest relative error that so many roundings make."""
    return (1 + u) ** roundings - 1


def scan_bound(a: Tensor, b: Tensor, h0: Tensor | None = None, *, p: int, q: int, reassociated: bool = False) -> Tensor:
    """The bound for each state of h_t = a_t h_{t-1} + b_t: a, b (B, T, ...), h0 (B, ...) -> float64 (B, T, ...).

    p, q: the constants of the order; (1, 1) for the chain of fused multiply-adds. reassociated: gates are multiplied
    with one another, so that a product of gates may underflow.
    """
    return _bound(a, b, h0, torch.mul, 1, p, q, reassociated)


def matrix_scan_bound(
    A: Tensor, B: Tensor, H0: Tensor | None = None, *, p: int, q: int, reassociated: bool = False
) -> Tensor:
    """The bound for each entry of each state of H_t = A_t H_{t-1} + B_t: A (B, T, n, n) -> float64 (B, T, n, m).

    A product of n by n matrices rounds each term n times, in whatever order it sums: p = n + 1, q = 1 for the loop.
    """
    return _bound(A, B, H0, torch.matmul, A.shape[-1], p, q, reassociated)


def _bound(
    a: Tensor,
    b: Tensor,
    h0: Tensor | None,
    product: Callable[[Tensor, Tensor], Tensor],
    n: int,
    p: int,
    q: int,
    reassociated: bool,
) -> Tensor:
    u, eta = unit_roundoff(b.dtype), underflow(b.dtype)
    length = b.shape[1]
    roundings = p * length + q
    if roundings * u >= Fraction(1, 2):
        raise ValueError(f"no bound: {roundings} roundings in {b.dtype} may leave nothing of a term; use a wider dtype")
    a, b = a.double().abs(), b.double().abs()
    H = torch.zeros_like(b[:, 0]) if h0 is None else h0.double().abs()
    W, U, largest = torch.zeros_like(H), torch.zeros_like(H), H
    c, growth = float(u / (1 - roundings * u)), float(1 + 2 * p * u)
    bounds = []
    for t in range(length):
        injected = 4 * q * n * n * eta * (1 + largest.amax() if reassociated else 1)
        U = growth * product(a[:, t], U) + injected
        W, H = product(a[:, t], W + H), product(a[:, t], H) + b[:, t]
        largest = torch.maximum(largest, H)
        bounds.append(c * (p * W + q * H) + U)
    return torch.stack(bounds, 1) * _slack(length, n) if bounds else b


def _slack(length: int, n: int) -> float:
    """Above 1 by more than evaluating the recurrences in float64 may lose."""
    return float(1 + 16 * (length + 4) * (n + 4) * U53)


def strength_error(n: int, form: str, u: Fraction) -> Fraction:
    """The relative error of r = beta (0), or of r = beta/(1 + beta k'k) for beta >= 0, evaluated as written.

    The denominator is a sum of non-negative terms, each rounded n + 2 times at most; the quotient once more.
    """
    if form == "explicit":
        return Fraction(0)
    return (1 + u) / (1 - relative(n + 2, u)) - 1


def delta_scan_bound(
    k: Tensor, v: Tensor, beta: Tensor, states: Tensor, S0: Tensor | None = None, *, form: str = "explicit"
) -> Tensor:
    """The bound for the 2-norm of the error of each row of each state of `delta_scan(backend="reference")`.

    k (B, T, n), v (B, T, d), beta (B, T) or (B, T, d), the computed states (B, T, d, n) -> float64 (B, T, d). Errors
    add and do not multiply: one step maps an old error by I - r k k', of norm max(1, |1 - r k'k|), and makes a new one
    of its own, which is bounded from the state it started from.
    """
    u, eta, n = unit_roundoff(v.dtype), underflow(v.dtype), k.shape[-1]
    k, v, states = k.double(), v.double(), states.double().abs()
    beta = (beta.unsqueeze(-1) if beta.ndim == 2 else beta).double().expand_as(v)
    first = torch.zeros_like(states[:, :1]) if S0 is None else S0.double().abs().unsqueeze(1)
    before = torch.cat([first, states[:, :-1]], 1)  # |S_{t-1}|, (B, T, d, n)
    k_squared = (k * k).sum(-1, keepdim=True)
    r = beta / (1 + beta * k_squared) if form == "implicit" else beta
    expansion = (1 - r * k_squared).abs() + float(8 * U53) * (1 + r.abs() * k_squared)
    expansion = expansion if n == 1 else expansion.clamp(min=1)

    written = (1 + u) ** 4 * (1 + strength_error(n, form, u))  # r (v - S k) k' and its four roundings
    read = (before * k.abs().unsqueeze(-2)).sum(-1)  # |S_{t-1}| |k|, (B, T, d)
    of_target, of_read = float(written - 1), float(written * (1 + u) ** n - 1)
    tiny = 8 * n * eta * (1 + r.abs()) * (1 + v.abs() + read) * (1 + k.abs().amax(-1, keepdim=True))
    fresh = r.abs() * (of_target * v.abs() + of_read * read)
    local = float(u) * before + fresh.unsqueeze(-1) * k.abs().unsqueeze(-2) + tiny.unsqueeze(-1)
    return _accumulate(expansion, norm(local)) * _slack(k.shape[1], n)


def perturbed_scan_bound(a: Tensor, da: Tensor, db: Tensor, states: Tensor, h0: Tensor | None = None) -> Tensor:
    """The bound for the canonical chain whose gates and inputs are off by at most da and db: all (B, T, ...).

    From h^_t - h_t = a_t (h^_{t-1} - h_{t-1}) + (a^_t - a_t) h^_{t-1} + (b^_t - b_t) + (the rounding of h^_t).
    """
    u, eta = float(unit_roundoff(states.dtype)), underflow(states.dtype)
    now = states.double().abs()
    first = torch.zeros_like(now[:, :1]) if h0 is None else h0.double().abs().unsqueeze(1)
    before = torch.cat([first, now[:, :-1]], 1)
    local = da * before + db + u * now + 2 * eta
    return _accumulate(a.double().abs(), local) * _slack(now.shape[1], 1)


def _accumulate(factor: Tensor, local: Tensor) -> Tensor:
    """e_t = factor_t e_{t-1} + local_t along dimension 1, from 0."""
    e, errors = local.new_zeros(local.shape[:1] + local.shape[2:]), []
    for t in range(local.shape[1]):
        e = factor[:, t] * e + local[:, t]
        errors.append(e)
    return torch.stack(errors, 1) if errors else local


def read_bound(states: Tensor, q: Tensor, row_error: Tensor) -> Tensor:
    """The bound for y = S q: computed states (B, T, d, n), q (B, T, n), the 2-norm errors of the rows (B, T, d)."""
    u, eta, n = unit_roundoff(states.dtype), underflow(states.dtype), q.shape[-1]
    states, q = states.double().abs(), q.double().abs()
    rounding = float(relative(n, u)) * (states * q.unsqueeze(-2)).sum(-1) + 2 * n * eta
    return (row_error * norm(q).unsqueeze(-1) + rounding) * _slack(1, n)


def norm(x: Tensor) -> Tensor:
    """The 2-norm along the last dimension, whose squares do not underflow."""
    largest = x.abs().amax(-1, keepdim=True).clamp(min=torch.finfo(x.dtype).tiny)
    length: Tensor = torch.linalg.vector_norm(x / largest, dim=-1)
    return length * largest.squeeze(-1)
