"""How far `numeric.longhorn` may be from exact arithmetic: the bounds of `numeric.bounds`, put together.

Shapes as in `numeric.longhorn`. All bounds are float64 and hold absent overflow, for beta >= 0.
"""

from __future__ import annotations

from torch import Tensor

from numeric.bounds import (
    delta_scan_bound,
    norm,
    perturbed_scan_bound,
    read_bound,
    strength_error,
    underflow,
    unit_roundoff,
)
from numeric.longhorn import diagonal_transition
from numeric.scan import delta_scan, scan


def longhorn_bound(q: Tensor, k: Tensor, x: Tensor, beta: Tensor, S0: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """For `longhorn(..., backend="reference")`: of each y (B, T, d), and of each row of the last state (B, d)."""
    *_, states = delta_scan(q, k, x, beta, S0, form="implicit", states=True, backend="reference")
    rows = delta_scan_bound(k, x, beta, states, S0, form="implicit")
    return read_bound(states, q, rows), _last(rows)


def longhorn_diagonal_bound(
    q: Tensor, k: Tensor, x: Tensor, beta: Tensor, S0: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """For `longhorn_diagonal`: of each y (B, T, d), and of each entry of the last state (B, d, n)."""
    u, eta, n = unit_roundoff(x.dtype), underflow(x.dtype), k.shape[-1]
    decay, write = diagonal_transition(k, x, beta)
    states = scan(decay, write, S0, dim=1)

    exact_decay, exact_write = diagonal_transition(k.double(), x.double(), beta.double())
    product = float((1 + strength_error(n, "implicit", u)) * (1 + u) ** 2 - 1)  # eps times two more factors
    tiny = 8 * n * eta * (1 + x.double().abs().unsqueeze(-1)) * (1 + k.double().abs().unsqueeze(-2))
    forgotten = (1 - exact_decay).abs()
    da = float(1 + u) * product * forgotten + float(u) * exact_decay.abs() + tiny
    entries = perturbed_scan_bound(exact_decay.abs() + da, da, product * exact_write.abs() + tiny, states, S0)
    rows = norm(entries)
    return read_bound(states, q, rows), _last(entries)


def _last(errors: Tensor) -> Tensor:
    """The bound after the last step; 0 where there was none."""
    return errors[:, -1] if errors.shape[1] else errors.new_zeros(errors.shape[:1] + errors.shape[2:])
