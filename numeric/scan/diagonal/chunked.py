"""Backend `chunked` of `scan`: few channels and a long time on a GPU, which one warp a sequence would leave idle.

    a b g h (B, T, D), h0 (B, D)    L = CHUNK steps a chunk, whatever the batch and the GPU    P, E, K (B, chunks, D)

Each chunk alone gives the product P of its gates and its last state E after the state 0; the states between chunks
follow from K_c = P_c K_{c-1} + E_c, K_{-1} = h_0, and every chunk then runs the canonical chain from its own start.

Rounding: b_j collects one for each step to the end e of its chunk and one where it enters, e - j + 1; one where E joins
K; in a whole chunk L - 1 for P and one where K meets it, so one for each step; and one for each step of the last chunk:
t - j + 2 in all, (p, q) = (1, 2). Products of gates may overflow although the states would not.

Traffic: a and b are read twice and h is written once, 5/3 of the least there is. The backward scans the adjoint
likewise, lambda_{t-1} = a_t lambda_t + g_{t-1} from lambda_T = g_T, and multiplies: 8 streams, of 5.
"""

import torch
from torch import Tensor

from numeric.scan.diagonal import triton as gpu

CHUNK = 1024


def forward(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool) -> Tensor:
    """All states h (B, T, D) of h_t = a_t·h_{t-1} + b_t; with reverse, of h_t = a_t·h_{t+1} + b_t."""
    h = gpu.new(b)
    gpu.write_states(a, b, _starts(a, b, h0, reverse), h, reverse, CHUNK)
    return h


def backward(g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
    """The gradients (da, db) for the cotangent g of the states h that `forward` gave."""
    da, db = gpu.new(h), gpu.new(h)
    if h.numel() == 0:
        return da, db
    before, after = slice(None, -1), slice(1, None)
    first, last = 0, -1
    if reverse:
        before, after, first, last = after, before, last, first
    gates, inputs, final = a[:, after].conj(), g[:, before], g[:, last]
    db[:, last] = final
    gpu.write_states(gates, inputs, _starts(gates, inputs, final, not reverse), db[:, before], not reverse, CHUNK)
    torch.mul(db[:, after], h[:, before].conj(), out=da[:, after])
    da[:, first] = 0 if h0 is None else db[:, first] * h0.conj()
    return da, db


def _starts(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool) -> Tensor:
    """The state before each chunk (B, chunks, D), chunks counted as the scan runs."""
    batch, length, channels = b.shape
    gates, ends = (b.new_empty(batch, -(-length // CHUNK), channels) for _ in range(2))
    gpu.write_ends(a, b, gates, ends, reverse, CHUNK)
    first = torch.zeros_like(b[:, :1]) if h0 is None else h0.unsqueeze(1)
    return torch.cat([first, gpu.forward(gates[:, :-1], ends[:, :-1], h0, False)], 1)
