"""Longhorn: State Space Models are Amortized Online Learners (arXiv 2407.14207).

| symbol | shape | meaning |
| --- | --- | --- |
| x | (B, T, d) | input; also the target that the state regresses on |
| q, k | (B, T, n) | query, key, shared by the channels |
| beta | (B, T, d) | write strength of each channel |
| S | (B, d, n) | state; y_t = S_t q_t is read after the write |

Two layers. `longhorn` is the exact update of Theorem 3.1, the delta rule with the strength eps = beta/(1 + beta k'k).
`longhorn_diagonal` is what the authors release: the transition I - eps k k' replaced by its diagonal, which runs as a
diagonal scan and does not minimise the objective of the theorem. Departures from the released model: no convolution
before the recurrence, no skip, no output gate; the projections of beta have full rank and a bias.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from numeric.scan import delta_scan, scan


def longhorn(
    q: Tensor, k: Tensor, x: Tensor, beta: Tensor, S0: Tensor | None = None, *, backend: str = "auto"
) -> tuple[Tensor, Tensor]:
    """The exact layer, Theorem 3.1: S_t minimises ‖S - S_{t-1}‖² + sum_i beta_i (S_i k - x_i)².

    Shapes as in the module's table; returns y (B, T, d) and the last state (B, d, n). Raises what `delta_scan` raises,
    and ValueError for a negative or NaN beta, where the minimiser need not exist.
    """
    if not bool((beta >= 0).all()):
        raise ValueError("longhorn needs beta >= 0 everywhere: pass it through a sigmoid or clamp it")
    return delta_scan(q, k, x, beta, S0, form="implicit", backend=backend)


def diagonal_transition(k: Tensor, x: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
    """Decay 1 - eps k_j² and input eps x k_j of every entry of the state, both (B, T, d, n)."""
    key, target = k.unsqueeze(-2), x.unsqueeze(-1)
    eps = (beta / (1 + beta * (k * k).sum(-1, keepdim=True))).unsqueeze(-1)
    return 1 - eps * (key * key), eps * target * key


def longhorn_diagonal(
    q: Tensor,
    k: Tensor,
    x: Tensor,
    beta: Tensor,
    S0: Tensor | None = None,
    *,
    order: str = "sequential",
    backend: str = "auto",
) -> tuple[Tensor, Tensor]:
    """The released layer: S_t = (1 - eps (x) k²) * S_{t-1} + (eps x) (x) k, entry by entry.

    Shapes as in the module's table; returns y (B, T, d) and the last state (B, d, n). Raises what `scan` raises.
    """
    decay, write = diagonal_transition(k, x, beta)
    S, last = scan(decay, write, S0, dim=1, order=order, backend=backend, final_state=True)
    return (S * q.unsqueeze(-2)).sum(-1), last


class Longhorn(nn.Module):
    """A Longhorn layer on (B, T, d): query, key and write strength are linear in the input.

    diagonal: the released update instead of the exact one. forward(x, S0=None) returns y (B, T, d) and the last
    state (B, d, n), with which the next call goes on. Raises ValueError for a size below 1 or an input that is not
    (B, T, d).
    """

    def __init__(self, d: int, n: int, *, diagonal: bool = False, dtype: torch.dtype | None = None):
        super().__init__()
        if d < 1 or n < 1:
            raise ValueError(f"Longhorn needs d >= 1 channels and a state size n >= 1, given d = {d}, n = {n}")
        self.query = nn.Linear(d, n, bias=False, dtype=dtype)
        self.key = nn.Linear(d, n, bias=False, dtype=dtype)
        self.strength = nn.Linear(d, d, dtype=dtype)
        self.diagonal = diagonal

    def forward(self, x: Tensor, S0: Tensor | None = None) -> tuple[Tensor, Tensor]:
        d = self.strength.in_features
        if x.ndim != 3 or x.shape[-1] != d:
            raise ValueError(f"Longhorn takes (batch, time, {d}), given {tuple(x.shape)}")
        run = longhorn_diagonal if self.diagonal else longhorn
        return run(self.query(x), self.key(x), x, torch.sigmoid(self.strength(x)), S0)
