"""The fused matrix recurrence as torch operators with gradients: on the CPU in C, on a GPU in Triton.

A dA (B, T, n, n)    B G H dB (B, T, n, m)    H0 (B, n, m)    float32, float64

L_t = G_t + A_{t+1}' L_{t+1},  dB_t = L_t,  dA_t = L_t H_{t-1}',  dH_0 = A_1' L_1
"""

from typing import Any

import torch
from torch import Tensor

from numeric.scan.machine import library, states_gpu
from numeric.scan.matrix import cpu as matrix_cpu

Gradients = tuple[Tensor | None, ...]


def matrix_scan(A: Tensor, B: Tensor, H0: Tensor | None, backend: str) -> Tensor:
    """All states H (B, T, n, m), differentiable to every order."""
    H: Tensor = _MatrixScan.apply(A, B, H0, backend)  # type: ignore[no-untyped-call]
    return H


class _MatrixScan(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(A: Tensor, B: Tensor, H0: Tensor | None, backend: str) -> Tensor:
        H: Tensor = _forward(A, B, H0, backend)
        return H

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        A, _, H0, ctx.backend = inputs
        ctx.save_for_backward(A, output, H0)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> Gradients:
        A, H, H0 = ctx.saved_tensors
        if torch.is_grad_enabled():
            dA, dB = _differentiable_backward(G, A, H, H0, ctx.backend)
        else:
            dA, dB = _backward(G, A, H, H0, ctx.backend)
        dH0 = None if H0 is None else A[:, :1].mT.sum(1) @ dB[:, :1].sum(1)  # the sums are over one step, or none
        return dA, dB, dH0, None


def _differentiable_backward(G: Tensor, A: Tensor, H: Tensor, H0: Tensor | None, backend: str) -> tuple[Tensor, Tensor]:
    """The same gradients as a scan against time and one product, which can be differentiated again."""
    if H.shape[1] == 0:
        return torch.zeros_like(A), G
    following = torch.cat([A[:, 1:], torch.zeros_like(A[:, :1])], 1).mT
    before = torch.zeros_like(H[:, :1]) if H0 is None else H0.unsqueeze(1)
    adjoint = matrix_scan(following.flip(1), G.flip(1), None, backend).flip(1)
    return adjoint @ torch.cat([before, H[:, :-1]], 1).mT, adjoint


def _run_forward(A: Tensor, B: Tensor, H0: Tensor | None, backend: str) -> Tensor:
    run = states_gpu.matrix_forward if backend == "triton" else matrix_cpu.forward
    return run(A, B, H0)


def _run_backward(G: Tensor, A: Tensor, H: Tensor, H0: Tensor | None, backend: str) -> tuple[Tensor, Tensor]:
    run = states_gpu.matrix_backward if backend == "triton" else matrix_cpu.backward
    return run(G, A, H, H0)


_forward = library.define(
    "matrix_scan(Tensor A, Tensor B, Tensor? H0, str backend) -> Tensor",
    _run_forward,
    lambda A, B, H0, backend: B.new_empty(B.shape),
)
_backward = library.define(
    "matrix_scan_backward(Tensor G, Tensor A, Tensor H, Tensor? H0, str backend) -> (Tensor, Tensor)",
    _run_backward,
    lambda G, A, H, H0, backend: (A.new_empty(A.shape), H.new_empty(H.shape)),
)
