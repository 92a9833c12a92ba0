"""Backend `cpu` of `selective_scan`: exponential, update and read-out in one pass, and the gradients.

    x delta y (B, T, d)    A (B, d, n)    B C (B, T, n)    h0 h_T (B, d, n)    n <= 256; float32, float64
    kept (B, ceil(T / 32), d, n)    the states before each 32 steps; the backward recomputes those in between

The (B, T, d, n) states are never stored. Gradients of B and C, which the channels share, are sums over channels: groups
of sixteen are summed in the kernel, the groups here, always in the same order.
"""

from typing import Any

import torch
from torch import Tensor

from numeric.scan import library, native
from numeric.scan.higher import through_gradients

LANES = 16
CHUNK = 32
MOST = 256
_FEW = 4_000  # exponentials; below, waking a second thread costs more than it saves

Gradients = tuple[Tensor | None, ...]


def selective_scan(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor) -> tuple[Tensor, Tensor]:
    """(y, h_T) of h_t = exp(delta_t A) h_{t-1} + delta_t x_t B_t, y_t = C_t h_t.

    Differentiable to every order, from the second by the loop in torch.
    """
    y, h_T, _ = _SelectiveScan.apply(x, delta, A, B, C, h0)  # type: ignore[no-untyped-call]
    return y, h_T


def loop(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    """The same by torch, a step at a time; A (d, n) or (B, d, n)."""
    outputs = []
    for t in range(x.shape[1]):
        gate = torch.exp(delta[:, t].unsqueeze(-1) * A)
        h = gate * h + (delta[:, t] * x[:, t]).unsqueeze(-1) * B[:, t].unsqueeze(-2)
        outputs.append((h @ C[:, t].unsqueeze(-1)).squeeze(-1))
    return (torch.stack(outputs, 1) if outputs else x.clone()), h


class _SelectiveScan(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y, h_T, kept = _forward(x, delta, A, B, C, h0)
        return y, h_T, kept

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(output[2])
        ctx.save_for_backward(*inputs, output[2])

    @staticmethod
    def backward(ctx: Any, gy: Tensor, gh: Tensor, _: Tensor) -> Gradients:
        gradients: Gradients = _SelectiveScanBackward.apply(gy, gh, *ctx.saved_tensors)  # type: ignore[no-untyped-call]
        return gradients


class _SelectiveScanBackward(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(
        gy: Tensor, gh: Tensor, x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor, kept: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        dx, ddelta, dA, dB, dC, dh0 = _backward(gy, gh, x, delta, A, B, C, kept)
        return dx, ddelta, dA, dB, dC, dh0

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.save_for_backward(*inputs[:8])

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Gradients:
        saved = ctx.saved_tensors
        return *through_gradients(loop, saved[:2], saved[2:], outer), None


def _run_forward(
    x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    y, h_T, kept = _fake_forward(x, delta, A, B, C, h0)
    A, start = _rows(A), _rows(h0)
    inputs = [native.sequence(x), native.sequence(delta), native.state(A), native.sequence(B), native.sequence(C)]
    outputs = [native.state(start), native.sequence(y), native.state(h_T), native.sequence(kept)]
    _call("selective_scan", inputs + outputs, x, B.shape[2])
    return y, h_T, kept


def _run_backward(
    gy: Tensor, gh: Tensor, x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, kept: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
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


def _fake_forward(
    x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    kept = x.new_empty(x.shape[0], (x.shape[1] + CHUNK - 1) // CHUNK, x.shape[2], B.shape[2])
    return x.new_empty(x.shape), x.new_empty(h0.shape), kept


_forward = library.define(
    "selective_scan(Tensor x, Tensor delta, Tensor A, Tensor B, Tensor C, Tensor h0) -> (Tensor, Tensor, Tensor)",
    _run_forward,
    _fake_forward,
)
_backward = library.define(
    "selective_scan_backward(Tensor gy, Tensor gh, Tensor x, Tensor delta, Tensor A, Tensor B, Tensor C,"
    " Tensor kept) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
    _run_backward,
    lambda gy, gh, x, delta, A, B, C, kept: (
        x.new_empty(x.shape),
        x.new_empty(x.shape),
        gh.new_empty(gh.shape),
        B.new_empty(B.shape),
        C.new_empty(C.shape),
        gh.new_empty(gh.shape),
    ),
)
