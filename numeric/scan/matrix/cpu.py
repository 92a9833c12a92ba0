"""Backend `cpu` of `matrix_scan`: the sequence of products in C, and its gradients.

    A dA (B, T, n, n)    B G H dB (B, T, n, m)    H0 (B, n, m)    n <= 32, m <= 64; float32, float64

    L_t = G_t + A_{t+1}' L_{t+1},  dB_t = L_t,  dA_t = L_t H_{t-1}',  dH_0 = A_1' L_1

An entry of H_t is a chain of n fused multiply-adds that starts at b: (p, q) = (n, 1).
"""

import torch
from torch import Tensor

from numeric.scan.machine import compiling as native

MOST = 32
WIDEST = 64
_FEW = 20_000  # multiply-adds; below, waking a second thread costs more than it saves


def _rows(x: Tensor) -> Tensor:
    """x with the entries of a matrix row side by side."""
    return x if x.stride(-1) == 1 or x.shape[-1] == 1 else x.contiguous()


def forward(A: Tensor, B: Tensor, H0: Tensor | None) -> Tensor:
    """All states H (B, T, n, m)."""
    H = B.new_empty(B.shape)
    A, B, start = _rows(A), _rows(B), None if H0 is None else _rows(H0)
    views = [native.sequence(A), native.sequence(B), native.state(start), native.sequence(H)]
    _call("matrix_scan", views, H)
    return H


def backward(G: Tensor, A: Tensor, H: Tensor, H0: Tensor | None) -> tuple[Tensor, Tensor]:
    """dA and dB."""
    dA, dB = A.new_empty(A.shape), H.new_empty(H.shape)
    G, A, H, start = _rows(G), _rows(A), _rows(H), None if H0 is None else _rows(H0)
    views = [*map(native.sequence, (G, A, H)), native.state(start), *map(native.sequence, (dA, dB))]
    _call("matrix_scan_backward", views, H)
    return dA, dB


def _call(name: str, views: list[native.View], H: Tensor) -> None:
    if H.numel():
        threads = torch.get_num_threads() if H.numel() * H.shape[2] >= _FEW else 1
        native.call(name, H.dtype, views, *H.shape, threads)
