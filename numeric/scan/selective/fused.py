"""Fused S6 as torch operators with gradients: on the CPU in C, on a GPU in Triton.

    x delta y (B, T, d)    A (B, d, n)    B C (B, T, n)    h0 h_T (B, d, n)    n <= 256; float32, float64
    kept (B, ceil(T / 32), d, n)    the states before each 32 steps; the backward recomputes those in between

The (B, T, d, n) states are never stored. Derivatives of the gradients go by the loop in torch.
"""

from typing import Any

import torch
from torch import Tensor

from numeric.scan.machine import library, states_gpu
from numeric.scan.machine.higher import through_gradients
from numeric.scan.selective import cpu as selective_cpu

Gradients = tuple[Tensor | None, ...]


def selective_scan(
    x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor, backend: str
) -> tuple[Tensor, Tensor]:
    """(y, h_T) of h_t = exp(delta_t A) h_{t-1} + delta_t x_t B_t, y_t = C_t h_t.

    Differentiable to every order, from the second by the loop in torch.
    """
    y, h_T, _ = _SelectiveScan.apply(x, delta, A, B, C, h0, backend)  # type: ignore[no-untyped-call]
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
    def forward(
        x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor, backend: str
    ) -> tuple[Tensor, Tensor, Tensor]:
        y, h_T, kept = _forward(x, delta, A, B, C, h0, backend)
        return y, h_T, kept

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(output[2])
        *given, ctx.backend = inputs
        ctx.save_for_backward(*given, output[2])

    @staticmethod
    def backward(ctx: Any, gy: Tensor, gh: Tensor, _: Tensor) -> Gradients:
        given = gy, gh, *ctx.saved_tensors, ctx.backend
        gradients: Gradients = _SelectiveScanBackward.apply(*given)  # type: ignore[no-untyped-call]
        return *gradients, None


class _SelectiveScanBackward(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(
        gy: Tensor,
        gh: Tensor,
        x: Tensor,
        delta: Tensor,
        A: Tensor,
        B: Tensor,
        C: Tensor,
        h0: Tensor,
        kept: Tensor,
        backend: str,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        dx, ddelta, dA, dB, dC, dh0 = _backward(gy, gh, x, delta, A, B, C, kept, backend)
        return dx, ddelta, dA, dB, dC, dh0

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.save_for_backward(*inputs[:8])

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Gradients:
        saved = ctx.saved_tensors
        return *through_gradients(loop, saved[:2], saved[2:], outer), None, None


def _run_forward(
    x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor, backend: str
) -> tuple[Tensor, Tensor, Tensor]:
    run = states_gpu.selective_forward if backend == "triton" else selective_cpu.forward
    return run(x, delta, A, B, C, h0)


def _run_backward(
    gy: Tensor, gh: Tensor, x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, kept: Tensor, backend: str
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    run = states_gpu.selective_backward if backend == "triton" else selective_cpu.backward
    return run(gy, gh, x, delta, A, B, C, kept)


_forward = library.define(
    "selective_scan(Tensor x, Tensor delta, Tensor A, Tensor B, Tensor C, Tensor h0, str backend)"
    " -> (Tensor, Tensor, Tensor)",
    _run_forward,
    lambda x, delta, A, B, C, h0, backend: selective_cpu.new_outputs(x, B),
)
_backward = library.define(
    "selective_scan_backward(Tensor gy, Tensor gh, Tensor x, Tensor delta, Tensor A, Tensor B, Tensor C,"
    " Tensor kept, str backend) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
    _run_backward,
    lambda gy, gh, x, delta, A, B, C, kept, backend: (
        x.new_empty(x.shape),
        x.new_empty(x.shape),
        gh.new_empty(gh.shape),
        B.new_empty(B.shape),
        C.new_empty(C.shape),
        gh.new_empty(gh.shape),
    ),
)
