"""Linear attention as a recurrence, and linear self-attention that takes steps of gradient descent.

| symbol | shape | meaning |
| --- | --- | --- |
| q, k, v | (B, T, f), (B, T, f), (B, T, m) | query, key, value |
| x, y | (B, N, f), (B, N, m) | inputs and targets of a context |
| tokens | (B, M, f + m) | [x; y], M of them |
| W_Q, W_K, W_V | (f + m, f + m) | weights of a self-attention layer without softmax |
| rates | (K,) | γ = η/N of each layer, a step on the sum of the losses |

Source: von Oswald et al., "Transformers learn in-context by gradient descent" (arXiv 2212.07677), Proposition 1 and
appendix A.1. Departure: keys and values come from the context alone, never from a query's token.
"""

from __future__ import annotations

import torch
from torch import Tensor

from numeric.scan import scan


def linear_attention(q: Tensor, k: Tensor, v: Tensor, *, backend: str = "auto") -> Tensor:
    """y_t = sum over i <= t of v_i (k_i' q_t), by its recurrence: (B, T, m).

    Raises ValueError for shapes other than the module's table, and what `scan` raises.
    """
    if q.ndim != 3 or k.shape != q.shape or v.ndim != 3 or v.shape[:2] != k.shape[:2]:
        shapes = ", ".join(str(tuple(each.shape)) for each in (q, k, v))
        raise ValueError(f"q and k must be (B, T, f) and v (B, T, m), given {shapes}")
    return attended(collected(v, k, backend=backend), q)


def collected(values: Tensor, keys: Tensor, *, backend: str = "auto") -> Tensor:
    """The states, sum over i <= t of value_i key_i': (B, T, m), (B, T, f) -> (B, T, m, f)."""
    outer = values.unsqueeze(-1) * keys.unsqueeze(-2)
    return scan(torch.ones_like(outer), outer, backend=backend)


def attended(state: Tensor, query: Tensor) -> Tensor:
    """The states read at the queries: (B, T, m, f), (B, T, f) -> (B, T, m)."""
    return torch.einsum("btmf,btf->btm", state, query)


def self_attention(
    tokens: Tensor, context: Tensor, W_Q: Tensor, W_K: Tensor, W_V: Tensor, rate: Tensor | float = 1.0
) -> Tensor:
    """tokens + rate * (sum over the context of (W_V e)(W_K e)') W_Q token: (B, M, p), (B, N, p) -> (B, M, p).

    Raises ValueError for shapes other than these, or weights other than (p, p).
    """
    p = tokens.shape[-1:]
    if tokens.ndim != 3 or context.ndim != 3 or context.shape[-1:] != p or {W_Q.shape, W_K.shape, W_V.shape} != {p + p}:
        shapes = ", ".join(str(tuple(each.shape)) for each in (tokens, context, W_Q, W_K, W_V))
        raise ValueError(f"tokens must be (B, M, p), the context (B, N, p) and weights (p, p), given {shapes}")
    written = torch.einsum("bnp,bnr->bpr", context @ W_V.mT, context @ W_K.mT)
    return tokens + rate * torch.einsum("bpr,bmr->bmp", written, tokens @ W_Q.mT)


def descent_weights(W0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """W_Q = W_K = [[I, 0], [0, 0]] and W_V = [[0, 0], [W_0, -I]], for W_0 (m, f)."""
    m, f = W0.shape
    inputs, values = W0.new_zeros(f + m, f + m), W0.new_zeros(f + m, f + m)
    inputs[:f, :f] = torch.eye(f, dtype=W0.dtype, device=W0.device)
    values[f:, :f] = W0
    values[f:, f:] = -torch.eye(m, dtype=W0.dtype, device=W0.device)
    return inputs, inputs, values


def descent_stack(x: Tensor, y: Tensor, q: Tensor, W0: Tensor, rates: Tensor) -> Tensor:
    """Predictions (B, M, m) at q (B, M, f) after K steps from W_0 (m, f) on the whole context, by K layers of the same
    weights (`attention.stack`).

    Raises ValueError for shapes other than the module's table.
    """
    fit = all(each.ndim == 3 for each in (x, y, q)) and x.shape[:2] == y.shape[:2] and q.shape[::2] == x.shape[::2]
    if not fit or W0.shape != (y.shape[2], x.shape[2]) or rates.ndim != 1:
        shapes = ", ".join(str(tuple(each.shape)) for each in (x, y, q, W0, rates))
        raise ValueError(f"x must be (B, N, f), y (B, N, m), q (B, M, f), W_0 (m, f) and rates (K,), given {shapes}")
    f = x.shape[2]
    weights = descent_weights(W0)
    context, asking = torch.cat([x, y], -1), torch.cat([q, -(q @ W0.mT)], -1)
    for rate in rates:
        context, asking = (self_attention(tokens, context, *weights, rate) for tokens in (context, asking))
    return -asking[..., f:]
