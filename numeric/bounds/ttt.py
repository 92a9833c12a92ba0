"""How far `numeric.ttt` may be from gradient descent: its formulas, run on sizes and errors."""

from __future__ import annotations

import torch
from torch import Tensor

from numeric.bounds.majorant import Majorant
from numeric.ttt import causal


def ttt_linear_bound(q: Tensor, k: Tensor, v: Tensor, rate: Tensor, W0: Tensor, batch: int) -> Tensor:
    """For the outputs of `ttt_linear`, absent overflow: float64 (B, T, d)."""
    W, gamma = Majorant.of(W0.expand(q.shape[0], *W0.shape)), Majorant.of(2 * rate)
    bounds = [v[:, :0].detach().double()]
    for queries, keys, values in zip(*(x.split(batch, 1) for x in (q, k, v)), strict=True):
        query, key, value = (Majorant.of(x) for x in (queries, keys, values))
        turned, state = key.moved(lambda x: x.mT), W.moved(lambda x: x.mT)
        errors = key @ state + value
        weights = (query @ turned).moved(causal)
        y = query @ state + gamma * (weights @ errors)
        bounds.append(y.bound(8 * q.shape[1], batch + k.shape[2]))
        W = W + gamma * (errors.moved(lambda x: x.mT) @ key)
    return torch.cat(bounds, 1)
