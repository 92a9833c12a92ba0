"""Backend `triton` of the delta rule, S6 and matrix recurrences: the same functions as the CPU backends have.

Sums over n are in Triton's order, so the bits are not those of the CPU: the error bounds, which hold for sums in any
order, are the same. Checked in Triton's interpreter and compiled for sm_90; not run on a GPU yet.
"""

from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from numeric.scan.diagonal import triton as gpu

COLUMNS = 4


def delta_forward(
    q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor, *, states: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """(y, S_T, kept), or (y, S_T, S) with all states."""
    kernels = _kernels()
    batch, length, n = k.shape
    d = v.shape[2]
    y, S_T = v.new_empty(v.shape), v.new_empty(batch, d, n)
    extra = v.new_empty(batch, length if states else -(-length // kernels.CHUNK), d, n)
    inputs = [x.contiguous() for x in (q, k, v, r, S0)]
    tile = (not states, states, kernels.CHUNK, kernels.CHANNELS, _power(n))
    _launch(kernels.delta_forward_kernel, batch, d, [*inputs, y, S_T, extra, extra, length, d, n, *tile])
    return y, S_T, extra


def delta_backward(
    gy: Tensor, gS: Tensor, q: Tensor, k: Tensor, v: Tensor, r: Tensor, kept: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradients of q, k, v, r and S0."""
    kernels = _kernels()
    batch, length, n = k.shape
    d = v.shape[2]
    dq, dk = _parts(k, d), _parts(k, d)
    dv, dr, dS0 = v.new_empty(v.shape), v.new_empty(v.shape), v.new_empty(batch, d, n)
    inputs = [x.contiguous() for x in (gy, gS, q, k, v, r, kept)]
    outputs = [dq, dk, dv, dr, dS0, _scratch(v, n)]
    tile = kernels.CHUNK, kernels.CHANNELS, _power(n)
    _launch(kernels.delta_backward_kernel, batch, d, [*inputs, *outputs, length, d, n, *tile])
    return dq.sum(2), dk.sum(2), dv, dr, dS0


def selective_forward(
    x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """(y, h_T, kept)."""
    kernels = _kernels()
    batch, length, d = x.shape
    n = B.shape[2]
    y, h_T = x.new_empty(x.shape), x.new_empty(batch, d, n)
    kept = x.new_empty(batch, -(-length // kernels.CHUNK), d, n)
    inputs = [t.contiguous() for t in (x, delta, A, B, C, h0)]
    tile = True, kernels.CHUNK, kernels.CHANNELS, _power(n)
    _launch(kernels.selective_forward_kernel, batch, d, [*inputs, y, h_T, kept, length, d, n, *tile])
    return y, h_T, kept


def selective_backward(
    gy: Tensor, gh: Tensor, x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, kept: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradients of x, delta, A, B, C and h0."""
    kernels = _kernels()
    batch, length, d = x.shape
    n = B.shape[2]
    dB, dC = _parts(B, d), _parts(B, d)
    dx, ddelta = x.new_empty(x.shape), x.new_empty(x.shape)
    dA, dh0 = x.new_empty(batch, d, n), x.new_empty(batch, d, n)
    inputs = [t.contiguous() for t in (gy, gh, x, delta, A, B, C, kept)]
    outputs = [dx, ddelta, dA, dB, dC, dh0, _scratch(x, n)]
    tile = kernels.CHUNK, kernels.CHANNELS, _power(n)
    _launch(kernels.selective_backward_kernel, batch, d, [*inputs, *outputs, length, d, n, *tile])
    return dx, ddelta, dA, dB.sum(2), dC.sum(2), dh0


def matrix_forward(A: Tensor, B: Tensor, H0: Tensor | None) -> Tensor:
    """All states of H_t = A_t H_{t-1} + B_t."""
    return _matrices(A, B, H0, reverse=False)


def matrix_backward(G: Tensor, A: Tensor, H: Tensor, H0: Tensor | None) -> tuple[Tensor, Tensor]:
    """dB_t = G_t + A_{t+1}' dB_{t+1} by the kernel, backwards in time; dA_t = dB_t H_{t-1}' by a product."""
    dB = _matrices(A, G, None, reverse=True)
    start = torch.zeros_like(H[:, :1]) if H0 is None else H0.unsqueeze(1)
    before = torch.cat([start, H[:, :-1]], 1) if H.shape[1] else H
    return dB @ before.mT, dB


def _matrices(A: Tensor, B: Tensor, H0: Tensor | None, *, reverse: bool) -> Tensor:
    batch, length, n, m = B.shape
    A, B, H = A.contiguous(), B.contiguous(), B.new_empty(B.shape)
    if H.numel():
        programs = batch * -(-m // COLUMNS)
        start = H if H0 is None else H0.contiguous()
        tile = H0 is not None, reverse, COLUMNS, _power(n)
        warps = _warps(_power(n) ** 2 * COLUMNS)
        gpu.run(_kernels().matrix_forward_kernel, programs, A, B, start, H, length, n, m, *tile, num_warps=warps)
    return H


def _parts(shared: Tensor, d: int) -> Tensor:
    """Room for the gradient of what the rows share, one part a program: (B, T, blocks, n)."""
    batch, length, n = shared.shape
    return shared.new_empty(batch, length, -(-d // _kernels().CHANNELS), n)


def _scratch(v: Tensor, n: int) -> Tensor:
    kernels = _kernels()
    programs = v.shape[0] * -(-v.shape[2] // kernels.CHANNELS)
    return v.new_empty(programs, kernels.CHUNK, kernels.CHANNELS, _power(n))


def _launch(kernel: Any, batch: int, d: int, arguments: list[Any]) -> None:
    programs = batch * -(-d // _kernels().CHANNELS)
    if programs:
        gpu.run(kernel, programs, *arguments, num_warps=_warps(arguments[-1] * _kernels().CHANNELS))


def _warps(entries: int) -> int:
    """Eight entries of a tile a thread, and eight warps at most."""
    return min(max(entries // 256, 1), 8)


def _power(n: int) -> int:
    """The smallest power of two that is not below n."""
    return 1 << max(n - 1, 0).bit_length()


def _kernels() -> ModuleType:
    """Imported at first use: Triton is optional and takes its time."""
    from numeric.scan.machine import triton_states

    return triton_states
