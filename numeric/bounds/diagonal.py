"""Bounds for h_t = a_t h_{t-1} + b_t: of numbers, real or complex, and of matrices; of gradients; of 16-bit storage.

| symbol | meaning |
| --- | --- |
| (p, q) | the term of b_j in h_t collects at most p (t - j) + q roundings, in the order at hand |
| H, W | H_t = \\|a_t\\| H_{t-1} + \\|b_t\\|; W_t = \\|a_t\\| (W_{t-1} + H_{t-1}) |
| U | what underflow may add: U_t = (1 + 2pu) \\|a_t\\| U_{t-1} + (a few eta) |
| g, lambda | cotangent of h; the adjoint state lambda_t = g_t + conj(a_{t+1}) lambda_{t+1} |

Absent overflow, |computed - exact| <= u/(1 - Nu) (p W_t + q H_t) + U_t for every N >= pT + q with Nu < 1. For the chain
this is proved in the kernel (`rounding.chain`, with N from `rounding.distance`); for a tree, `rounding.node` proves the
count c(j,t) = (t - j) + depth(j) that puts (p, q) in, and the rest follows as for the chain.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from numeric.bounds.model import (
    Array,
    norm,
    relative,
    sizes,
    stacked,
    start_sizes,
    underflow,
    unit_roundoff,
    widened,
)

COMPLEX_PRODUCT = 3  # roundings that a product of complex numbers counts, see `scan_bound`


def scan_bound(a: Tensor, b: Tensor, h0: Tensor | None = None, *, p: int, q: int, reassociated: bool = False) -> Tensor:
    """The bound for each state of h_t = a_t h_{t-1} + b_t: a, b (B, T, ...), h0 (B, ...) -> float64 (B, T, ...).

    p, q: the constants of the order; (1, 1) for the chain of fused multiply-adds. reassociated: gates are multiplied
    with one another, so that a product of gates may underflow; what that adds is derived by hand.

    Complex: a bound of the modulus of the error, for the moduli |a|, |b|, |h0|; derived by hand. In the canonical chain
    the inner fma's two parts round a_r h + b, of modulus at most |a||h| + |b|, and the outer ones the sum: together at
    most ((1 + u)^2 - 1)(|a||h| + |b|), which is `rounding.chain` with (p, q) = (2, 2). In any other order a product xy
    whose parts are two products and a sum, fused or not, is off by at most ((1 + u)^2 - 1) sqrt(2) |x||y|, less than
    COMPLEX_PRODUCT = 3 roundings, and a sum of modulus s by u s: p is larger by 2 than between real numbers, q the
    same, or twice that where a product's parts are added to the other addend one by one. (Part by part, as for 2 by 2
    matrices, the bound would grow like 2^(t/2) on the unit circle.)
    """
    return _bound(a, b, h0, np.multiply, 2 if b.is_complex() else 1, p, q, reassociated)[1]


def matrix_scan_bound(
    A: Tensor, B: Tensor, H0: Tensor | None = None, *, p: int, q: int, reassociated: bool = False
) -> Tensor:
    """The bound for each entry of each state of H_t = A_t H_{t-1} + B_t: A (B, T, n, n) -> float64 (B, T, n, m).

    A product of n by n matrices rounds each term n times, in whatever order it sums: p = n + 1, q = 1 for a loop that
    adds the input afterwards; where the products are added to the input one by one, q = n. By hand: `rounding.chain`
    entry by entry, with |A_t| for a_t.
    """
    return _bound(A, B, H0, np.matmul, A.shape[-1], p, q, reassociated)[1]


def _bound(
    a: Tensor,
    b: Tensor,
    h0: Tensor | None,
    product: Callable[[Array, Array], Array],
    n: int,
    p: int,
    q: int,
    reassociated: bool,
) -> tuple[Tensor, Tensor]:
    """H and the bound, each (B, T, ...)."""
    u, eta = unit_roundoff(b.dtype), underflow(b.dtype)
    length = b.shape[1]
    roundings = p * length + q
    if roundings * u >= Fraction(1, 2):
        raise ValueError(f"no bound: {roundings} roundings in {b.dtype} may leave nothing of a term; use a wider dtype")
    gates, inputs = sizes(a), sizes(b)
    H = start_sizes(h0, inputs)
    W, U = np.zeros_like(H), np.zeros_like(H)
    largest = H.max(initial=0.0)
    c, growth = float(u / (1 - roundings * u)), float(1 + 2 * p * u)
    states, bounds = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(length):
            U = growth * product(gates[:, t], U) + 4 * q * n * n * eta * (1 + largest if reassociated else 1)
            W, H = product(gates[:, t], W + H), product(gates[:, t], H) + inputs[:, t]
            largest = max(largest, H.max(initial=0.0))
            states.append(H)
            bounds.append(c * (p * W + q * H) + U)
    return widened(stacked(states, inputs), length, n), widened(stacked(bounds, inputs), length, n)


def stored_bound(stored: Tensor, carried: Tensor) -> Tensor:
    """The bound for states (B, T, ...) stored in 16 bits, each rounded once, from the bound of the states carried.

    |stored - carried state| <= u |carried state| + eta <= u/(1 - u) |stored| + eta/(1 - u), in the storage's u and eta.
    Of float32 inputs the carried bound is `scan_bound` of the inputs in float32, which holds every 16-bit number.
    """
    u, eta = float(unit_roundoff(stored.dtype)), underflow(stored.dtype)
    return widened(carried + (u * torch.from_numpy(sizes(stored)) + eta) / (1 - u), 1)


# -------------------------------------------------------------------------------------------------- gradients
class Gradients(NamedTuple):
    """One number for each entry of a, of b and of h0."""

    a: Tensor
    b: Tensor
    h0: Tensor


def scan_gradient_bounds(
    a: Tensor, b: Tensor, h0: Tensor | None, g: Tensor, *, p: int, q: int, reassociated: bool = False
) -> Gradients:
    """Bounds for db_t = lambda_t, da_t = lambda_t conj(h_{t-1}), dh_0 = conj(a_1) lambda_1: a b g (B, T, ...).

    p, q: the constants of the order of both scans. lambda is the scan of g against time, with its bound E; with L the
    H of that scan, and H and E' of the scan forwards, `rounding.gradient` bounds the error of one rounded product by
    (1 + u)(L + E)(H + E') - L H + eta, and three roundings take the place of one where the numbers are complex.

    By hand: it also covers gradients that sum their terms in another order, such as those of automatic differentiation.
    A term of da_t is a product of a g, a b, and the gates between, and collects what its two parts collect together,
    which is what E and E' count; q is then at least the depth of the graph against time, sums of cotangents included.
    """
    u, eta = unit_roundoff(b.dtype), underflow(b.dtype)
    rounded = float(relative(COMPLEX_PRODUCT if b.is_complex() else 1, u))
    order = (np.multiply, 2 if b.is_complex() else 1, p, q, reassociated)
    H, E = _bound(a, b, h0, *order)
    next_gate = torch.cat([a[:, 1:], torch.zeros_like(a[:, :1])], 1).flip(1) if a.shape[1] else a
    adjoint, of_adjoint = (x.flip(1) for x in _bound(next_gate, g.flip(1), None, *order))
    start = torch.from_numpy(start_sizes(h0, sizes(b)))
    before, of_before = _shifted(H, start), _shifted(E, torch.zeros_like(start))
    da = adjoint * of_before + of_adjoint * (before + of_before)
    da = da + rounded * (adjoint + of_adjoint) * (before + of_before) + 8 * eta
    if b.shape[1] == 0:
        return Gradients(da, of_adjoint, torch.zeros_like(start))
    first = torch.from_numpy(sizes(a[:, 0]))
    dh0 = first * (of_adjoint[:, 0] + rounded * (adjoint + of_adjoint)[:, 0]) + 8 * eta
    return Gradients(widened(da, 4), of_adjoint, widened(dh0, 4))


def _shifted(x: Tensor, first: Tensor) -> Tensor:
    """x_{t-1} at t, with `first` at the start."""
    return torch.cat([first.unsqueeze(1), x], 1)[:, : x.shape[1]]


# ------------------------------------------------------------------------------ chains with a further computation


def read_bound(states: Tensor, q: Tensor, row_error: Tensor) -> Tensor:
    """The bound for y = S q: computed states (B, T, d, n), q (B, T, n), the 2-norm errors of the rows (B, T, d).

    Computed in the dtype of q; what is at least as large may take the computed states' place.
    """
    u, eta, n = unit_roundoff(q.dtype), underflow(q.dtype), q.shape[-1]
    states, q = states.double().abs(), q.double().abs()
    rounding = float(relative(n, u)) * (states * q.unsqueeze(-2)).sum(-1) + 2 * n * eta
    return widened(row_error * norm(q).unsqueeze(-1) + rounding, 1, n)
