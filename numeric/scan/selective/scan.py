"""The selective scan of S6 (Mamba), with an input-dependent step: the public `selective_scan`.

    x delta (B, T, d) input, step    A (d, n) rates    B C (B, T, n) write, read    D (d) skip    z (B, T, d) gate
    h (B, d, n) state                y (B, T, d) output

    h_t = exp(delta_t A)·h_{t-1} + delta_t x_t B_t,    y_t = C_t·h_t + D·x_t, times z_t sigmoid(z_t) where z is given

Source: A. Gu and T. Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", arXiv:2312.00752v2,
algorithm 2 and section 3.3; and its released `selective_scan_fn`, whose discretisation of B, delta_t B_t instead of the
paper's zero-order hold (equation 4), is the one used here. Departure: time comes before channels, A is real, h0 is
accepted and the final state returned, both with gradients.
"""

import torch
from torch import Tensor
from torch.nn import functional

from numeric.scan.arguments import (
    own_precision,
    require_choice,
    require_dtype,
    require_same,
    require_shape,
    require_tensors,
)
from numeric.scan.diagonal.planning import fused
from numeric.scan.selective import cpu as selective_cpu
from numeric.scan.selective import fused as selective_fused

BACKENDS = ("auto", "reference", "cpu", "triton")


def selective_scan(
    x: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    z: Tensor | None = None,
    h0: Tensor | None = None,
    *,
    softplus: bool = False,
    backend: str = "auto",
) -> tuple[Tensor, Tensor]:
    """Runs S6 over a sequence.

    x, delta, z: (B, T, d). A: (d, n). B, C: (B, T, n). D: (d,). h0: (B, d, n); None is zero. One real dtype (float32,
    float64) and one device. softplus: take log(1 + exp(delta)) for the step.
    backend: "auto", "reference" (the loop), "cpu" and "triton" (fused): the (B, T, d, n) states are never stored, and
    the backward recomputes them from one in 32.

    Returns (y, h_T): y (B, T, d), h_T (B, d, n). T = 0 and empty batches are fine. Differentiable to every order; from
    the second on by the loop.

    Raises TypeError for dtypes that are unsupported or differ, ValueError for shapes or devices that do not agree, an
    unknown backend, or one named outright that can't serve.
    """
    _check(x, delta, A, B, C, D, z, h0)
    require_choice("backend", backend, BACKENDS)
    step = functional.softplus(delta) if softplus else delta
    start = x.new_zeros(x.shape[0], *A.shape) if h0 is None else h0
    with own_precision(x):
        if kernels := fused(backend, x.device, x.dtype, _limits(A.shape[1])):
            y, final = selective_fused.selective_scan(x, step, A.expand(x.shape[0], *A.shape), B, C, start, kernels)
        else:
            y, final = selective_fused.loop(x, step, A, B, C, start)
    if D is not None:
        y = y + D * x
    return (y if z is None else y * functional.silu(z)), final


def _limits(n: int) -> str:
    """What keeps fused kernels from serving, beside device and dtype."""
    most = selective_cpu.MOST
    return f"the state size is {n}, the largest it takes is {most}" if n > most else ""


def _check(
    x: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    z: Tensor | None,
    h0: Tensor | None,
) -> None:
    tensors = {"x": x, "delta": delta, "A": A, "B": B, "C": C, "D": D, "z": z, "h0": h0}
    require_tensors(**tensors)
    require_dtype("x", x, (torch.float32, torch.float64))
    require_same("dtype", **tensors)
    require_same("device", **tensors)
    if x.ndim != 3 or A.ndim != 2:
        raise ValueError(f"x must be (batch, time, d) and A (d, n), not {tuple(x.shape)}, {tuple(A.shape)}")
    batch, length, d = x.shape
    n = A.shape[1]
    shapes = {
        "delta": ((batch, length, d), "(batch, time, d)"),
        "A": ((d, n), "(d, n)"),
        "B": ((batch, length, n), "(batch, time, n)"),
        "C": ((batch, length, n), "(batch, time, n)"),
        "D": ((d,), "(d,)"),
        "z": ((batch, length, d), "(batch, time, d)"),
        "h0": ((batch, d, n), "(batch, d, n)"),
    }
    for name, (shape, meaning) in shapes.items():
        given = tensors[name]
        if given is not None:
            require_shape(name, given, shape, meaning)
