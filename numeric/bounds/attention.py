"""How far `numeric.attention` may be from exact arithmetic: its formulas, run on sizes and errors.

All bounds are float64, of the shape of the output, and hold absent overflow.
"""

from __future__ import annotations

import torch
from torch import Tensor

from numeric.attention import descent_weights
from numeric.bounds.majorant import Majorant, scanned


def linear_attention_bound(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """For `linear_attention`: (B, T, m)."""
    state = collected(Majorant.of(v), Majorant.of(k))
    return attended(state, Majorant.of(q)).bound(q.shape[1], q.shape[2])


def collected(values: Majorant, keys: Majorant) -> Majorant:
    """The majorant of `numeric.attention.collected`."""
    outer = values.moved(lambda z: z.unsqueeze(-1)) * keys.moved(lambda z: z.unsqueeze(-2))
    return scanned(Majorant.of(torch.ones_like(outer.size).to(outer.dtype)), outer)


def attended(state: Majorant, query: Majorant) -> Majorant:
    """The majorant of `numeric.attention.attended`."""
    return (state @ query.moved(lambda z: z.unsqueeze(-1))).moved(lambda z: z.squeeze(-1))


def descent_stack_bound(x: Tensor, y: Tensor, q: Tensor, W0: Tensor, rates: Tensor) -> Tensor:
    """For `descent_stack`: (B, M, m)."""
    W_Q, _, W_V = (Majorant.of(weight.mT) for weight in descent_weights(W0))
    context = Majorant.of(torch.cat([x, y], -1))
    answer = Majorant.of(q) @ Majorant.of(W0.mT)
    asked = Majorant.of(q)
    asking = Majorant(torch.cat([asked.size, answer.size], -1), torch.cat([asked.error, answer.error], -1), q.dtype)
    for rate in rates:
        written = (context @ W_V).moved(lambda z: z.mT) @ (context @ W_Q)
        read = written.moved(lambda z: z.mT)
        context, asking = (tokens + Majorant.of(rate) * ((tokens @ W_Q) @ read) for tokens in (context, asking))
    steps = sum(x.shape[1:]) + len(rates)
    return asking.moved(lambda z: z[..., x.shape[2] :]).bound(4 * steps, sum(W0.shape))
