"""Bounds for the delta rule S_t = S_{t-1}(I - r_t k_t k_t') + r_t v_t k_t', evaluated step by step as it stands.

    k (B, T, n)    v (B, T, d)    beta (B, T) or (B, T, d)    r beta (explicit), or beta/(1 + beta k'k) (implicit)
    S (B, T, d, n)    e (B, d) the 2-norm of the error of each row of the state

Errors add and do not multiply: one step maps an old error by I - r k k', of norm max(1, |1 - r k'k|) (1 by
`rounding.delta_step` while 0 <= r k'k <= 2), and makes a new one of its own, which follows from `rounding.product` and
`rounding.rounded`, by hand. Not covered: chunked forms, which solve a triangular system.
"""

from __future__ import annotations

from fractions import Fraction

import torch
from torch import Tensor

from numeric.bounds.model import U53, accumulate, norm, relative, underflow, unit_roundoff, widened


def strength_error(n: int, form: str, u: Fraction) -> Fraction:
    """The relative error of r = beta (0), or of r = beta/(1 + beta k'k) for beta >= 0, evaluated as written.

    The denominator is a sum of non-negative terms, each rounded n + 2 times at most; the quotient once more
    (`rounding.quotient`).
    """
    if form == "explicit":
        return Fraction(0)
    return (1 + u) / (1 - relative(n + 2, u)) - 1


def delta_scan_bound(
    k: Tensor, v: Tensor, beta: Tensor, states: Tensor, S0: Tensor | None = None, *, form: str = "explicit"
) -> Tensor:
    """The bound for the 2-norm of the error of each row of each state, from the computed states: float64 (B, T, d).

    k (B, T, n), v (B, T, d), beta (B, T) or (B, T, d), states (B, T, d, n), S0 (B, d, n). One step's new error is
    bounded from the state it started from.
    """
    states = states.double().abs()
    first = torch.zeros_like(states[:, :1]) if S0 is None else S0.double().abs().unsqueeze(1)
    before = torch.cat([first, states[:, :-1]], 1)  # |S_{t-1}|, (B, T, d, n)
    expansion, of_state = _expansion(k, v, beta, form), _new_error(before, k, v, beta, form)
    return widened(accumulate(expansion, norm(of_state)), k.shape[1], k.shape[2])


def delta_recurrence_bound(
    k: Tensor, v: Tensor, beta: Tensor, exact: Tensor, S0: Tensor | None = None, *, form: str = "explicit"
) -> Tensor:
    """The same bound for a kernel that does not show its states, from the exact ones in float64: (B, T, d).

    An entry of the computed state before a step is at most |S_{t-1}| + e_{t-1}, with e_{t-1} the bound so far.
    """
    before = torch.zeros_like(exact[:, 0]) if S0 is None else S0.double().abs()
    expansion = _expansion(k, v, beta, form)
    e, errors = torch.zeros_like(before[..., 0]), []
    for t in range(k.shape[1]):
        now = slice(t, t + 1)
        majorant = (before + e.unsqueeze(-1)).unsqueeze(1)
        fresh = norm(_new_error(majorant, k[:, now], v[:, now], beta[:, now], form))
        e = expansion[:, t] * e + fresh[:, 0]
        errors.append(e)
        before = exact[:, t].abs()
    return widened(torch.stack(errors, 1), k.shape[1], k.shape[2])


def _strength(k: Tensor, v: Tensor, beta: Tensor, form: str) -> Tensor:
    """r in float64, (B, T, d)."""
    beta = (beta.unsqueeze(-1) if beta.ndim == 2 else beta).double().expand(v.shape)
    k_squared = (k.double() ** 2).sum(-1, keepdim=True)
    return beta / (1 + beta * k_squared) if form == "implicit" else beta


def _expansion(k: Tensor, v: Tensor, beta: Tensor, form: str) -> Tensor:
    """At least the norm of I - r k k' on a row: (B, T, d)."""
    r, k_squared = _strength(k, v, beta, form), (k.double() ** 2).sum(-1, keepdim=True)
    expansion = (1 - r * k_squared).abs() + float(8 * U53) * (1 + r.abs() * k_squared)
    return expansion if k.shape[-1] == 1 else expansion.clamp(min=1)


def _new_error(before: Tensor, k: Tensor, v: Tensor, beta: Tensor, form: str) -> Tensor:
    """What one step may add to each entry of the error, from |S_{t-1}| at most `before`: (B, T, d, n)."""
    u, eta, n = unit_roundoff(v.dtype), underflow(v.dtype), k.shape[-1]
    r, k, v = _strength(k, v, beta, form).abs(), k.double().abs(), v.double().abs()
    written = (1 + u) ** 4 * (1 + strength_error(n, form, u))  # r (v - S k) k' and its four roundings
    read = (before * k.unsqueeze(-2)).sum(-1)  # |S_{t-1}| |k|, (B, T, d)
    of_target, of_read = float(written - 1), float(written * (1 + u) ** n - 1)
    tiny = 8 * n * eta * (1 + r) * (1 + v + read) * (1 + k.amax(-1, keepdim=True))
    fresh = r * (of_target * v + of_read * read)
    return float(u) * before + fresh.unsqueeze(-1) * k.unsqueeze(-2) + tiny.unsqueeze(-1)
