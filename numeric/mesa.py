"""The Mesa layer: at every step the ridge regression of the values so far on the keys so far, read at a query.

| symbol | shape | meaning |
| --- | --- | --- |
| q, k, v | (B, T, n), (B, T, n), (B, T, d) | query, key, value |
| lam | () | λ > 0; the regression's penalty is ‖F‖²/(2λ) |
| R | (B, n, n) | inverse of I/λ + sum of k_i k_i' |
| F | (B, d, n) | the regression's weights, M R with M the sum of v_i k_i'; y_t = F_t q_t |

Source: von Oswald et al., "Uncovering mesa-optimization algorithms in Transformers" (arXiv 2309.05858), remembered; the
recursion (Sherman and Morrison) is proved in `proofs/delta.py`, `delta.mesa`. Departures: one head; no forgetting; the
penalty is a multiple of the identity and the same at every step.
"""

from __future__ import annotations

import torch
from torch import Tensor


def mesa(q: Tensor, k: Tensor, v: Tensor, lam: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs y (B, T, d), and R (B, n, n) and F (B, d, n) after the last step; shapes as in the module's table.

    Raises ValueError for other shapes, and unless λ > 0.
    """
    if q.ndim != 3 or k.shape != q.shape or v.ndim != 3 or v.shape[:2] != k.shape[:2]:
        shapes = ", ".join(str(tuple(each.shape)) for each in (q, k, v))
        raise ValueError(f"q and k must be (B, T, n) and v (B, T, d), given {shapes}")
    if lam.ndim or not bool(lam > 0):
        raise ValueError(f"mesa needs one number lam > 0, the inverse of the ridge penalty, given {lam.tolist()}")
    batch, length, n = k.shape
    R = (lam * torch.eye(n, dtype=k.dtype, device=k.device)).expand(batch, n, n)
    F, outputs = v.new_zeros(batch, v.shape[2], n), []
    for t in range(length):
        R, F = updated(R, F, k[:, t], v[:, t])
        outputs.append(applied(F, q[:, t]))
    return (torch.stack(outputs, 1) if outputs else v.clone()), R, F


def updated(R: Tensor, F: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """R and F with one more key (B, n) and value (B, d): F moves by its error v - F k along the gain."""
    Rk = applied(R, k)
    gain = Rk / (1 + (k * Rk).sum(-1, keepdim=True))
    return R - outer(Rk, gain), F + outer(v - applied(F, k), gain)


def applied(S: Tensor, x: Tensor) -> Tensor:
    """S x: (B, m, n), (B, n) -> (B, m)."""
    return (S @ x.unsqueeze(-1)).squeeze(-1)


def outer(x: Tensor, y: Tensor) -> Tensor:
    """x y': (B, m), (B, n) -> (B, m, n)."""
    return x.unsqueeze(-1) * y.unsqueeze(-2)
