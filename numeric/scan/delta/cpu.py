"""Backend `cpu` of `delta_scan`: sixteen channels at a time, their states in the first-level cache, and the gradients.

    q k (B, T, n)    v r y (B, T, d)    S (B, d, n)    n <= 256; float32, float64
    kept (B, ceil(T / 32), d, n)    the states before each 32 steps; the backward recomputes those in between

No state is recovered by undoing a write. The channels share q and k, so their gradients are sums over channels: groups
of sixteen are summed in the kernel, the groups here, always in the same order.
"""

import torch
from torch import Tensor

from numeric.scan.machine import compiling as native

LANES = 16
CHUNK = 32
MOST = 256
_FEW = 20_000  # multiply-adds; below, waking a second thread costs more than it saves


def forward(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(y, S_T, kept)."""
    batch, length, n = k.shape
    kept = v.new_empty(batch, -(-length // CHUNK), v.shape[2], n)
    return *_run(q, k, v, r, S0, kept, None), kept


def states(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor) -> tuple[Tensor, Tensor]:
    """(y, S) with all states S (B, T, d, n)."""
    batch, length, n = k.shape
    S = v.new_empty(batch, length, v.shape[2], n)
    return _run(q, k, v, r, S0, None, S)[0], S


def _run(
    q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor, kept: Tensor | None, S: Tensor | None
) -> tuple[Tensor, Tensor]:
    start, y, S_T = S0.contiguous(), v.new_empty(v.shape), v.new_empty(S0.shape)
    inputs = [*map(native.sequence, (q, k, v, r)), native.state(start)]
    outputs = [native.sequence(y), native.state(S_T), native.sequence(S), native.sequence(kept)]
    _call("delta_scan", inputs + outputs, v, k.shape[2])
    return y, S_T


def backward(
    gy: Tensor, gS: Tensor, q: Tensor, k: Tensor, v: Tensor, r: Tensor, kept: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradients of q, k, v, r and S0."""
    batch, length, n = k.shape
    d = v.shape[2]
    dq, dk = (k.new_empty(batch, length, -(-d // LANES), n) for _ in range(2))
    dv, dr, dS0, final = v.new_empty(v.shape), r.new_empty(r.shape), v.new_empty(batch, d, n), gS.contiguous()
    kept = kept.contiguous()
    views = [native.sequence(gy), native.state(final), *map(native.sequence, (q, k, v, r, kept, dq, dk, dv, dr))]
    workspace = v.new_empty(torch.get_num_threads() * (CHUNK + 1) * n * LANES)
    _call("delta_scan_backward", [*views, native.state(dS0)], v, n, workspace)
    return dq.sum(2), dk.sum(2), dv, dr, dS0


def _call(name: str, views: list[native.View], v: Tensor, n: int, *workspace: Tensor) -> None:
    batch, length, d = v.shape
    threads = torch.get_num_threads() if v.numel() * n >= _FEW else 1
    pointers = (native.pointer(x) for x in workspace)
    native.call(name, v.dtype, views, *pointers, batch, length, d, n, threads)
