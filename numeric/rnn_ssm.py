"""RNN-SSM: a recurrence with a sign. "The Illusion of State in State-Space Models" (arXiv 2404.08819v3), 5.1.

    h_t = sgn(A h_{t-1} + W x_t)        h (B, T, d) of signs, x (B, T, k), A (d, d), W (d, k)

The construction of Theorem 5.1 for an automaton with n states, in our own words: unit (p, s) stands for "it was in p
and has read s", one more unit for "nothing has been read". Inputs are one-hot, so a constant can be kept in W.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Weights(NamedTuple):
    """A (d, d), W (d, k), the state at the start (d,), and the automaton's state that each unit moves to (d,)."""

    A: Tensor
    W: Tensor
    start: Tensor
    moves_to: Tensor


def rnn_ssm(x: Tensor, A: Tensor, W: Tensor, start: Tensor) -> Tensor:
    """All states, (B, T, d). Raises ValueError where shapes do not agree."""
    if x.ndim != 3 or A.shape != (len(start), len(start)) or W.shape != (len(start), x.shape[-1]):
        shapes = tuple(x.shape), tuple(A.shape), tuple(W.shape), tuple(start.shape)
        raise ValueError(f"x, A, W, start must be (B, T, k), (d, d), (d, k), (d,), given {', '.join(map(str, shapes))}")
    h, states = start.expand(len(x), -1), []
    for t in range(x.shape[1]):
        h = torch.sign(h @ A.mT + x[:, t] @ W.mT)
        states.append(h)
    return torch.stack(states, dim=1) if states else x.new_zeros(len(x), 0, len(start))


def automaton(delta: Sequence[Sequence[int]], start: int, dtype: torch.dtype = torch.float32) -> Weights:
    """Theorem 5.1: unit (p, s), at p · letters + s, is on if the automaton was in p and has read s.

    Its pre-activation is [it is in p] + [x = s] - 3/2, where "it is in p" sums (h + 1)/2 over the units that move to p.
    delta[letter][state] is the next state. Raises ValueError for a table that is not rectangular, or names a state that
    is none.
    """
    letters, n = len(delta), len(delta[0]) if delta else 0
    if not n or any(len(row) != n or not all(0 <= q < n for q in row) for row in delta) or not 0 <= start < n:
        raise ValueError("delta must send each state to one of 0, ..., n - 1, for every letter; start must be one too")
    moves_to = torch.tensor([*(delta[s][p] for p in range(n) for s in range(letters)), start])
    d = len(moves_to)
    A, W = torch.zeros(d, d, dtype=dtype), torch.zeros(d, letters, dtype=dtype)
    for p in range(n):
        for s in range(letters):
            unit, into_p = p * letters + s, moves_to == p
            A[unit, into_p] = 0.5
            W[unit] = 0.5 * into_p.sum() - 1.5
            W[unit, s] += 1
    W[-1] = -1.0  # "nothing has been read" ends with the first letter
    at_start = torch.full((d,), -1.0, dtype=dtype)
    at_start[-1] = 1
    return Weights(A, W, at_start, moves_to)
