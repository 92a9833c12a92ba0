"""Backend `cpu` of `matrix_scan`: the sequence of products in C, and its gradients.

    A dA (B, T, n, n)    B G H dB (B, T, n, m)    H0 (B, n, m)    n <= 32, m <= 64; float32, float64

    L_t = G_t + A_{t+1}' L_{t+1},  dB_t = L_t,  dA_t = L_t H_{t-1}',  dH_0 = A_1' L_1

An entry of H_t is a chain of n fused multiply-adds that starts at b: (p, q) = (n, 1).
"""

from typing import Any

import torch
from torch import Tensor

from numeric.scan import library, native

MOST = 32
WIDEST = 64
_FEW = 20_000  # multiply-adds; below, waking a second thread costs more than it saves

Gradients = tuple[Tensor | None, ...]


def matrix_scan(A: Tensor, B: Tensor, H0: Tensor | None) -> Tensor:
    """All states H (B, T, n, m), differentiable to every order."""
    H: Tensor = _MatrixScan.apply(A, B, H0)  # type: ignore[no-untyped-call]
    return H


class _MatrixScan(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(A: Tensor, B: Tensor, H0: Tensor | None) -> Tensor:
        H: Tensor = _forward(A, B, H0)
        return H

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        A, _, H0 = inputs
        ctx.save_for_backward(A, output, H0)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> Gradients:
        A, H, H0 = ctx.saved_tensors
        if torch.is_grad_enabled():
            dA, dB = _differentiable_backward(G, A, H, H0)
        else:
            dA, dB = _backward(G, A, H, H0)
        dH0 = None if H0 is None else A[:, :1].mT.sum(1) @ dB[:, :1].sum(1)  # the sums are over one step, or none
        return dA, dB, dH0


def _differentiable_backward(G: Tensor, A: Tensor, H: Tensor, H0: Tensor | None) -> tuple[Tensor, Tensor]:
    """The same gradients as a scan against time and one product, which can be differentiated again."""
    if H.shape[1] == 0:
        return torch.zeros_like(A), G
    following = torch.cat([A[:, 1:], torch.zeros_like(A[:, :1])], 1).mT
    before = torch.zeros_like(H[:, :1]) if H0 is None else H0.unsqueeze(1)
    adjoint = matrix_scan(following.flip(1), G.flip(1), None).flip(1)
    return adjoint @ torch.cat([before, H[:, :-1]], 1).mT, adjoint


def _rows(x: Tensor) -> Tensor:
    """x with the entries of a matrix row side by side."""
    return x if x.stride(-1) == 1 or x.shape[-1] == 1 else x.contiguous()


def _run_forward(A: Tensor, B: Tensor, H0: Tensor | None) -> Tensor:
    H = B.new_empty(B.shape)
    A, B, start = _rows(A), _rows(B), None if H0 is None else _rows(H0)
    views = [native.sequence(A), native.sequence(B), native.state(start), native.sequence(H)]
    _call("matrix_scan", views, H)
    return H


def _run_backward(G: Tensor, A: Tensor, H: Tensor, H0: Tensor | None) -> tuple[Tensor, Tensor]:
    dA, dB = A.new_empty(A.shape), H.new_empty(H.shape)
    G, A, H, start = _rows(G), _rows(A), _rows(H), None if H0 is None else _rows(H0)
    views = [*map(native.sequence, (G, A, H)), native.state(start), *map(native.sequence, (dA, dB))]
    _call("matrix_scan_backward", views, H)
    return dA, dB


def _call(name: str, views: list[native.View], H: Tensor) -> None:
    if H.numel():
        threads = torch.get_num_threads() if H.numel() * H.shape[2] >= _FEW else 1
        native.call(name, H.dtype, views, *H.shape, threads)


_forward = library.define(
    "matrix_scan(Tensor A, Tensor B, Tensor? H0) -> Tensor",
    _run_forward,
    lambda A, B, H0: B.new_empty(B.shape),
)
_backward = library.define(
    "matrix_scan_backward(Tensor G, Tensor A, Tensor H, Tensor? H0) -> (Tensor, Tensor)",
    _run_backward,
    lambda G, A, H, H0: (A.new_empty(A.shape), H.new_empty(H.shape)),
)
