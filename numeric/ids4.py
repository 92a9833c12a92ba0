"""IDS4: S4 with input-dependent transitions. "The Illusion of State in State-Space Models" (arXiv 2404.08819v3), 5.2.

| symbol | shape | meaning |
| --- | --- | --- |
| B, T, k, d | sizes | batch; time; entries of an input; entries of the state |
| x | (B, T, k) | inputs |
| offset, maps | (d, d), (k, d, d) | A(x) = offset + sum_i x_i maps_i: affine in the input |
| write | (d, k) | what an input adds: h_t = A(x_t) h_{t-1} + write x_t |
| read, skip | (k, d), (k, k) | y_t = read h_t + skip x_t |

The published training code differs: it takes a GELU of the transition, multiplies the new factor on the right, and has
no input term. The layer here is the one of Definition 2.1 and Theorem 5.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from numeric.scan import matrix_scan


def transitions(x: Tensor, offset: Tensor, maps: Tensor) -> Tensor:
    """A(x_t): (B, T, k) -> (B, T, d, d)."""
    return offset + torch.einsum("btk,kde->btde", x, maps)


class IDS4(nn.Module):
    """The layer, with weights to train: A(x) starts as the identity with noise, as in the paper's experiments."""

    def __init__(self, k: int, d: int, *, noise: float = 0.01, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.offset = nn.Parameter(torch.eye(d, dtype=dtype) + noise * torch.randn(d, d, dtype=dtype))
        self.maps = nn.Parameter(noise * torch.randn(k, d, d, dtype=dtype))
        self.write = nn.Parameter(torch.randn(d, k, dtype=dtype) / k**0.5)
        self.read = nn.Parameter(torch.randn(k, d, dtype=dtype) / d**0.5)
        self.skip = nn.Parameter(torch.eye(k, dtype=dtype))

    def states(self, x: Tensor) -> Tensor:
        """h (B, T, d). Raises ValueError for inputs of another shape."""
        if x.ndim != 3 or x.shape[-1] != self.maps.shape[0]:
            raise ValueError(f"x must be (batch, time, {self.maps.shape[0]}), given {tuple(x.shape)}")
        written = x @ self.write.mT
        return matrix_scan(transitions(x, self.offset, self.maps), written.unsqueeze(-1)).squeeze(-1)

    def forward(self, x: Tensor) -> Tensor:
        """y (B, T, k). Raises what `states` raises."""
        return self.states(x) @ self.read.mT + x @ self.skip.mT


def embedding(letters: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Token vectors in R^letters for the letters and, last, for the beginning symbol $: (letters + 1, letters).

    The first letter is 0 and the others unit vectors, so the letters are affinely independent in a subspace that $ lies
    outside of: with linearly independent letters in R^letters, `write` could not be 0 on all of them and not on $.
    """
    vectors = torch.zeros(letters + 1, letters, dtype=dtype)
    for i in range(1, letters + 1):
        vectors[i, i % letters] = 1
    return vectors


def automaton(delta: Sequence[Sequence[int]], start: int, dtype: torch.dtype = torch.float32) -> IDS4:
    """Theorem 5.2: after $ and a word, the state is the unit vector of the automaton's state.

    delta[letter][state] is the next state; inputs are rows of `embedding(len(delta))`, $ first. Raises ValueError for a
    table that is not rectangular, or has a state that is none.
    """
    letters, n = len(delta), len(delta[0]) if delta else 0
    if not n or any(len(row) != n or not all(0 <= q < n for q in row) for row in delta) or not 0 <= start < n:
        raise ValueError("delta must send each state to one of 0, ..., n - 1, for every letter; start must be one too")
    moves = torch.zeros(letters, n, n, dtype=dtype)
    for letter, row in enumerate(delta):
        moves[letter, list(row), range(n)] = 1
    layer = IDS4(letters, n, dtype=dtype)
    with torch.no_grad():
        layer.offset.copy_(moves[0])
        layer.maps.zero_()
        layer.maps[1:] = moves[1:] - moves[0]
        layer.write.zero_()
        layer.write[start, 0] = 1
    return layer
