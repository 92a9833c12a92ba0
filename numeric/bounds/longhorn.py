"""How far `numeric.longhorn` may be from exact arithmetic: the bounds of `numeric.bounds`, put together.

Shapes as in `numeric.longhorn`. All bounds are float64 and hold absent overflow, for beta >= 0.
"""

from __future__ import annotations

from torch import Tensor

from numeric.bounds import (
    delta_scan_bound,
    read_bound,
)
from numeric.scan import delta_scan


def longhorn_bound(q: Tensor, k: Tensor, x: Tensor, beta: Tensor, S0: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """For `longhorn(..., backend="reference")`: of each y (B, T, d), and of each row of the last state (B, d)."""
    *_, states = delta_scan(q, k, x, beta, S0, form="implicit", states=True, backend="reference")
    rows = delta_scan_bound(k, x, beta, states, S0, form="implicit")
    return read_bound(states, q, rows), _last(rows)


def _last(errors: Tensor) -> Tensor:
    """The bound after the last step; 0 where there was none."""
    return errors[:, -1] if errors.shape[1] else errors.new_zeros(errors.shape[:1] + errors.shape[2:])
