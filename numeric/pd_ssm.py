"""PD-SSM: transitions that are column-one-hot times diagonal (Terzic, Menet et al. 2025, arXiv 2509.22284).

    A = P D, P[target_j, j] = 1: column j of A has D_j in row target_j       target (B, T, n) indices, D (B, T, n)
    h_t = A_t h_{t-1} + b_t, so h_t[i] = b_t[i] + sum over j with target_j = i of D_j h_{t-1}[j]

Such matrices are closed under products: (P D)(P' D') sends j to target[target'_j] with D[target'_j] D'_j.
"""

from __future__ import annotations

import torch
from torch import Tensor


def compose(later: tuple[Tensor, Tensor], earlier: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Target and diagonal, each (..., n), of the product of two transitions, the later on the left."""
    (target, D), (target_before, D_before) = later, earlier
    return target.gather(-1, target_before), D.gather(-1, target_before) * D_before


def pd_scan(target: Tensor, D: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """All states (B, T, n); b (B, T, n), h0 (B, n), absent: zero. n additions a step where a dense product takes n².

    Raises ValueError where shapes do not agree, and for targets that are no row.
    """
    if not target.shape == D.shape == b.shape or b.ndim != 3:
        shapes = ", ".join(str(tuple(x.shape)) for x in (target, D, b))
        raise ValueError(f"target, D and b must be one (batch, time, n), given {shapes}")
    h = b.new_zeros(b.shape[0], b.shape[2]) if h0 is None else h0
    if h.shape != (b.shape[0], b.shape[2]):
        raise ValueError(f"h0 must be {(b.shape[0], b.shape[2])}, given {tuple(h.shape)}")
    if target.numel() and not 0 <= int(target.min()) <= int(target.max()) < b.shape[2]:
        raise ValueError(f"targets must be rows 0..{b.shape[2] - 1}, given {int(target.min())}..{int(target.max())}")
    states = []
    for t in range(b.shape[1]):
        h = b[:, t].scatter_add(-1, target[:, t], D[:, t] * h)
        states.append(h)
    return torch.stack(states, dim=1) if states else b.clone()
