"""Layers of linear recurrences whose gates are chosen by the token and by what the layers below held before it.

| symbol | shape | meaning |
| --- | --- | --- |
| B, T, n | sizes | batch; tokens of a word; entries of a layer's state |
| tokens | (B, T) | letters of a word, as indices |
| r | (B, T) | joint state of the layers below before the token; from the lowest up, r · (points of a layer) + its own |
| gates | (letters, below, n) or (letters, below, n, n) | transition: diagonal, or a matrix |
| inputs | (letters, below, n) | what is added |
| start, points | (n,), (states, n) | h_0; the values that the state takes: the nearest one is the layer's own state |

    h_t = gates[x_t, r_t] h_{t-1} + inputs[x_t, r_t]

One layer with nothing below it is the diagonal, or dense, input-dependent SSM of "The Illusion of State in State-Space
Models" (arXiv 2404.08819, Definition 2.1); several are such a network, whose point-wise part between the layers is the
table look-up. A layer sees what those below held before the token, as their outputs, one step late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from numeric.scan import matrix_scan, scan


class Layer(NamedTuple):
    """One layer's weights; shapes as in the module's table."""

    gates: Tensor
    inputs: Tensor
    start: Tensor
    points: Tensor


def cascade(tokens: Tensor, layers: Sequence[Layer], *, backend: str = "auto") -> Tensor:
    """The joint state after each token: (B, T) indices, the lowest layer's state the most significant.

    Raises ValueError for tokens that are no (B, T) table of letters, or a layer whose gates do not know the states of
    those below; and what the scans raise.
    """
    joint = torch.zeros_like(tokens)
    for _, own, count in _states(tokens, layers, backend):
        joint = joint * count + own
    return joint


def trajectories(tokens: Tensor, layers: Sequence[Layer], *, backend: str = "auto") -> list[Tensor]:
    """The states h of each layer, (B, T, n), before they are read; raises what `cascade` raises."""
    return [h for h, _, _ in _states(tokens, layers, backend)]


def _states(tokens: Tensor, layers: Sequence[Layer], backend: str) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Of each layer its states, the nearest points, and how many points there are."""
    if tokens.ndim != 2 or tokens.dtype not in (torch.int32, torch.int64):  # others would be masks
        raise ValueError(f"tokens must be a (batch, time) table of letters, given {tokens.dtype} {tuple(tokens.shape)}")
    before, count = torch.zeros_like(tokens), 1
    for layer in layers:
        if layer.gates.shape[1] != count:
            raise ValueError(f"the layers below have {count} joint states, the gates know {layer.gates.shape[1]}")
        if tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < len(layer.gates):
            given = f"{int(tokens.min())}..{int(tokens.max())}"
            raise ValueError(f"tokens must be letters 0..{len(layer.gates) - 1}, given {given}")
        h = run(layer.gates[tokens, before], layer.inputs[tokens, before], layer.start, backend=backend)
        own, first = nearest(h, layer.points), nearest(layer.start, layer.points)
        yield h, own, len(layer.points)
        held = torch.cat((first.expand(len(tokens), 1), own[:, :-1]), dim=1) if tokens.shape[1] else own
        before, count = before * len(layer.points) + held, count * len(layer.points)


def run(gates: Tensor, inputs: Tensor, start: Tensor, *, backend: str = "auto") -> Tensor:
    """States (B, T, n) of one layer: gates (B, T, n) diagonal or (B, T, n, n), inputs (B, T, n), start (n,)."""
    start = start.expand(len(gates), -1)
    if gates.ndim == inputs.ndim:
        return scan(gates, inputs, start, backend=backend)
    return matrix_scan(gates, inputs.unsqueeze(-1), start.unsqueeze(-1), backend=backend).squeeze(-1)


def nearest(h: Tensor, points: Tensor) -> Tensor:
    """The index of the point nearest to each state: h (..., n), points (states, n)."""
    distance: Tensor = (h.unsqueeze(-2) - points).abs().square().sum(-1)
    return distance.argmin(-1)
