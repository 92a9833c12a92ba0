"""The matrix-valued recurrence H_t = A_t H_{t-1} + B_t: the public `matrix_scan`.

    A (B, T, n, n) transition     B (B, T, n, m) input     H0 (B, n, m) state at the start, absent: zero
    H (B, T, n, m) states

Products of matrices do not commute: the latest factor stands on the left.
"""

import torch
from torch import Tensor

from numeric.scan.arguments import (
    WIDE,
    own_precision,
    require_choice,
    require_dtype,
    require_same,
    require_shape,
    require_tensors,
)
from numeric.scan.diagonal import associative
from numeric.scan.diagonal.planning import fused
from numeric.scan.matrix import cpu as matrix_cpu
from numeric.scan.matrix import fused as matrix_fused

BACKENDS = ("auto", "reference", "associative", "cpu", "triton")


def matrix_scan(A: Tensor, B: Tensor, H0: Tensor | None = None, *, backend: str = "auto") -> Tensor:
    """All states of H_t = A_t H_{t-1} + B_t.

    A: (B, T, n, n). B: (B, T, n, m). H0: (B, n, m); None is zero. One dtype (float32, float64, complex64,
    complex128) and one device. backend: "auto"; "reference", the loop in torch; "cpu" and "triton", the loop in C
    and on a GPU for real n <= 32, m <= 64; "associative", a parallel prefix, whose products of transitions round
    in another order and may overflow where the states do not.

    Returns H (B, T, n, m). T = 0 and empty batches are fine; a NaN moves forward in time only.
    Differentiable.

    Raises TypeError for dtypes that are unsupported or differ, ValueError for shapes or devices that do not
    agree, an unknown backend, or one named outright that can't serve.
    """
    _check(A, B, H0)
    require_choice("backend", backend, BACKENDS)
    with own_precision(B):
        if backend == "associative":
            return associative.states(A, B, H0, torch.matmul)
        kernels = fused(backend, B.device, B.dtype, _limits(B))
        return matrix_fused.matrix_scan(A, B, H0, kernels) if kernels else _loop(A, B, H0)


def _loop(A: Tensor, B: Tensor, H0: Tensor | None) -> Tensor:
    H = B.new_zeros(B.shape[0], *B.shape[2:]) if H0 is None else H0
    states = []
    for t in range(B.shape[1]):
        H = A[:, t] @ H + B[:, t]
        states.append(H)
    return torch.stack(states, dim=1) if states else B.clone()


def _limits(B: Tensor) -> str:
    """What keeps fused kernels from serving, beside device and dtype."""
    if B.shape[2] > matrix_cpu.MOST or B.shape[3] > matrix_cpu.WIDEST:
        return f"its matrices go up to n = {matrix_cpu.MOST}, m = {matrix_cpu.WIDEST}"
    return ""


def _check(A: Tensor, B: Tensor, H0: Tensor | None) -> None:
    require_tensors(A=A, B=B, H0=H0)
    require_dtype("B", B, WIDE)
    require_same("dtype", A=A, B=B, H0=H0)
    require_same("device", A=A, B=B, H0=H0)
    if B.ndim != 4:
        raise ValueError(f"B must be (batch, time, n, m), not of shape {tuple(B.shape)}")
    batch, length, n, m = B.shape
    require_shape("A", A, (batch, length, n, n), "(batch, time, n, n)")
    if H0 is not None:
        require_shape("H0", H0, (batch, n, m), "(batch, n, m)")
