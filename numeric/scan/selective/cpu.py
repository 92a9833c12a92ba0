"""Backend `cpu` of `selective_scan`: exponential, update and read-out in one pass, and the gradients.

    x delta y (B, T, d)    A (B, d, n)    B C (B, T, n)    h0 h_T (B, d, n)    n <= 256; float32, float64
    kept (B, ceil(T / 32), d, n)    the states before each 32 steps; the backward recomputes those in between

The (B, T, d, n) states are never stored. Gradients of B and C, which the channels share, are sums over channels: groups
of sixteen are summed in the kernel, the groups here, always in the same order.
"""

import torch
from torch import Tensor

from numeric.scan.machine import compiling as native

LANES = 16
CHUNK = 32
MOST = 256
_FEW = 4_000  # exponentials; below, waking a second thread costs more than it saves


def new_outputs(x: Tensor, B: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Room for y, h_T and kept."""
    (batch, length, d), n = x.shape, B.shape[2]
    kept = x.new_empty(batch, (length + CHUNK - 1) // CHUNK, d, n)
    return x.new_empty(x.shape), x.new_empty(batch, d, n), kept


def forward(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(y, h_T, kept)."""
    y, h_T, kept = new_outputs(x, B)
    A, start = _rows(A), _rows(h0)
    inputs = [native.sequence(x), native.sequence(delta), native.state(A), native.sequence(B), native.sequence(C)]
    outputs = [native.state(start), native.sequence(y), native.state(h_T), native.sequence(kept)]
    _call("selective_scan", inputs + outputs, x, B.shape[2])
    return y, h_T, kept


def backward(
    gy: Tensor, gh: Tensor, x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, kept: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradients of x, delta, A, B, C and h0."""
    batch, length, d = x.shape
    n = B.shape[2]
    dB, dC = (B.new_empty(batch, length, -(-d // LANES), n) for _ in range(2))
    dx, ddelta = x.new_empty(x.shape), x.new_empty(x.shape)
    dA, dh0 = x.new_empty(batch, d, n), x.new_empty(batch, d, n)
    A, final, kept = _rows(A), _rows(gh), kept.contiguous()
    inputs = [native.sequence(gy), native.state(final), native.sequence(x), native.sequence(delta), native.state(A)]
    inputs += map(native.sequence, (B, C, kept))
    outputs = [native.sequence(dx), native.sequence(ddelta), native.state(dA), native.sequence(dB)]
    outputs += [native.sequence(dC), native.state(dh0)]
    workspace = x.new_empty(torch.get_num_threads() * (2 * CHUNK + 1) * n * LANES)
    _call("selective_scan_backward", inputs + outputs, x, n, workspace)
    return dx, ddelta, dA, dB.sum(2), dC.sum(2), dh0


def _rows(x: Tensor) -> Tensor:
    """x with its last dimension contiguous."""
    return x if x.stride(-1) == 1 or x.shape[-1] == 1 else x.contiguous()


def _call(name: str, views: list[native.View], x: Tensor, n: int, *workspace: Tensor) -> None:
    batch, length, d = x.shape
    threads = torch.get_num_threads() if x.numel() * n >= _FEW else 1
    pointers = (native.pointer(x) for x in workspace)
    native.call(name, x.dtype, views, *pointers, batch, length, d, n, threads)
