"""TTT-linear: a state that takes a step of gradient descent on ‖W k - v‖² for each token, minibatch by minibatch.

| symbol | shape | meaning |
| --- | --- | --- |
| q, k, v | (B, T, n), (B, T, n), (B, T, d) | query, key, value |
| rate | () | η, the rate of the steps |
| W0 | (d, n) | the state before the first token |
| batch | | tokens of a minibatch; the last one may be shorter |

Within a minibatch every gradient is taken at W, the state before it: W_t = W - 2η sum of (W k_i - v_i) k_i' over its
tokens up to t, and y_t = W_t q_t. That is computed without the states W_t, as the paper's dual form does
(`delta.ttt_dual`): y_t = W q_t - 2η sum of (k_i'q_t)(W k_i - v_i). With minibatches of one token it is the delta rule
of strength 2η; with one minibatch, W0 = 0 and η = 1/2 linear attention.

Source: Sun et al., "Learning to (Learn at Test Time): RNNs with Expressive Hidden States" (arXiv 2407.04620),
remembered. Departures: no normalisation and no residual around W, one rate for all tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor


def ttt_linear(q: Tensor, k: Tensor, v: Tensor, rate: Tensor, W0: Tensor, *, batch: int) -> tuple[Tensor, Tensor]:
    """Outputs y (B, T, d) and the state after the last token (B, d, n); shapes as in the module's table.

    Raises ValueError for other shapes, or a minibatch of no tokens.
    """
    fit = q.ndim == 3 and k.shape == q.shape and v.ndim == 3 and v.shape[:2] == k.shape[:2]
    if not fit or W0.shape != (v.shape[2], k.shape[2]):
        shapes = ", ".join(str(tuple(each.shape)) for each in (q, k, v, W0))
        raise ValueError(f"q and k must be (B, T, n), v (B, T, d) and W0 (d, n), given {shapes}")
    if batch < 1:
        raise ValueError(f"a minibatch has one token at least, given batch = {batch}")
    W, outputs = W0.expand(q.shape[0], *W0.shape), [v[:, :0]]
    for queries, keys, values in zip(*(x.split(batch, 1) for x in (q, k, v)), strict=True):
        y, W = minibatch(queries, keys, values, 2 * rate, W)
        outputs.append(y)
    return torch.cat(outputs, 1), W


def minibatch(q: Tensor, k: Tensor, v: Tensor, rate: Tensor, W: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs and next state of one minibatch, `rate` that of the loss with the factor 1/2."""
    errors = k @ W.mT - v
    y = q @ W.mT - rate * (causal(q @ k.mT) @ errors)
    return y, W - rate * (errors.mT @ k)


def causal(weights: Tensor) -> Tensor:
    """The weights of a query (row) on the keys (column) up to its own; 0 on later ones."""
    t = torch.arange(weights.shape[-1], device=weights.device)
    return torch.where(t.unsqueeze(-1) >= t, weights, 0)
