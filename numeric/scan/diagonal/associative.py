"""The scan as a parallel prefix over pairs: pure torch, on any device, but in another order of rounding.

    (A, B)    the map h -> A·h + B of a segment of time; for matrices A (n, n) and B (n, m)
    combine   composition of two maps, the later factor on the left
    L         floor(log2 T)

Source: G. E. Blelloch, "Prefix sums and their applications", CMU-CS-90-190, 1990, sections 1.2 and 1.4 (odd-even
recursion: O(T) work). Departure: h_0 is not a leaf of the tree but is folded into b_1, a_1·h_0 + b_1.

Rounding, with separate multiplication and addition: a segment of m gates costs m - 1 products in any order, a term
left of it m + 1 roundings when the two meet and a term right of it one. So b_j enters h_t with (t - j) + (depth of
leaf j) roundings. The recursion has depth at most 2L, folding h_0 adds one, hence

    c(j, t) <= p·(t - j) + q   with (p, q) = (1, 2L + 1)   for scalars,

and with p = n for n by n matrices, whose products collect n roundings each. Products of gates may overflow although
the states would not: the bound holds absent overflow. A NaN moves only forward in time, as every segment does.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Product = Callable[[Tensor, Tensor], Tensor]
Segment = tuple[Tensor, Tensor]


def combine(earlier: Segment, later: Segment, product: Product) -> Segment:
    """The map of `earlier` followed by `later`. product: torch.mul for scalars, torch.matmul for matrices."""
    (a1, b1), (a2, b2) = earlier, later
    return product(a2, a1), product(a2, b1) + b2


def prefix(a: Tensor, b: Tensor, product: Product) -> Segment:
    """The maps of all segments [1..t], along dimension 1 of a and b (batch, time, ...), T >= 1."""
    length = b.shape[1]
    if length == 1:
        return a, b
    paired = 2 * (length // 2)
    pairs = combine((a[:, 0:paired:2], b[:, 0:paired:2]), (a[:, 1:paired:2], b[:, 1:paired:2]), product)
    even = prefix(*pairs, product)  # [1..2], [1..4], [1..6], ...
    inner = (length - 1) // 2  # how many odd lengths beyond 1 there are
    odd = combine((even[0][:, :inner], even[1][:, :inner]), (a[:, 2::2], b[:, 2::2]), product)
    return _alternate(a[:, :1], odd[0], even[0]), _alternate(b[:, :1], odd[1], even[1])


def states(a: Tensor, b: Tensor, h0: Tensor | None, product: Product) -> Tensor:
    """All h_t = product(a_t, h_{t-1}) + b_t along dimension 1. h0 lacks that dimension; None is zero."""
    if b.shape[1] == 0:
        return b.clone()
    if h0 is not None:
        first = product(a[:, :1], h0.unsqueeze(1)) + b[:, :1]
        b = torch.cat([first, b[:, 1:]], dim=1)
    return prefix(a, b, product)[1] if b.shape[1] > 1 else b.clone()  # never the input itself


def forward(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool) -> Tensor:
    """All states h (B, T, D) of h_t = a_t·h_{t-1} + b_t; with reverse, of h_t = a_t·h_{t+1} + b_t."""
    if reverse:
        return states(a.flip(1), b.flip(1), h0, torch.mul).flip(1)
    return states(a, b, h0, torch.mul).contiguous()


def backward(g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
    """The gradients (da, db) for the cotangent g of the states h: a scan against time, then one product."""
    if h.shape[1] == 0:
        return torch.zeros_like(a), g.clone()
    edge = torch.zeros_like(h[:, :1])
    before = edge if h0 is None else h0.unsqueeze(1)
    if reverse:
        next_gate, previous = torch.cat([edge, a[:, :-1]], 1), torch.cat([h[:, 1:], before], 1)
    else:
        next_gate, previous = torch.cat([a[:, 1:], edge], 1), torch.cat([before, h[:, :-1]], 1)
    db = forward(next_gate.conj(), g, None, not reverse)
    return db * previous.conj(), db


def _alternate(first: Tensor, odd: Tensor, even: Tensor) -> Tensor:
    """first, even[0], odd[0], even[1], odd[1], ... along dimension 1."""
    out = even.new_empty(even.shape[0], 1 + odd.shape[1] + even.shape[1], *even.shape[2:])
    out[:, :1], out[:, 1::2], out[:, 2::2] = first, even, odd
    return out
