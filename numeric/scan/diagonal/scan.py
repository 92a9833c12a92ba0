"""The diagonal linear recurrence h_t = a_t·h_{t-1} + b_t: the public `scan` and `plan`.

    a (B, T, D) decay    b (B, T, D) input    h0 (B, D) state before the first step    h (B, T, D) states

Real and complex, forwards and in reverse, along any dimension of tensors of any number of dimensions.
"""

import math
from typing import Literal, overload

import torch
from torch import Tensor

from numeric.scan.arguments import (
    NARROW,
    WIDE,
    broadcast,
    require_dtype,
    require_same,
    require_shape,
    require_tensors,
)
from numeric.scan.diagonal import cpu
from numeric.scan.diagonal.autograd import differentiable_scan
from numeric.scan.diagonal.planning import Plan, plan_scan
from numeric.scan.machine.layout import from_batch_time_channel, state_to_batch_channel, to_batch_time_channel


@overload
def scan(
    a: Tensor,
    b: Tensor,
    h0: Tensor | None = ...,
    *,
    dim: int = ...,
    reverse: bool = ...,
    order: str = ...,
    backend: str = ...,
    out: Tensor | None = ...,
    final_state: Literal[False] = ...,
) -> Tensor: ...
@overload
def scan(
    a: Tensor,
    b: Tensor,
    h0: Tensor | None = ...,
    *,
    dim: int = ...,
    reverse: bool = ...,
    order: str = ...,
    backend: str = ...,
    out: Tensor | None = ...,
    final_state: Literal[True],
) -> tuple[Tensor, Tensor]: ...
def scan(
    a: Tensor,
    b: Tensor,
    h0: Tensor | None = None,
    *,
    dim: int = 1,
    reverse: bool = False,
    order: str = "sequential",
    backend: str = "auto",
    out: Tensor | None = None,
    final_state: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """All states of h_t = a_t·h_{t-1} + b_t along one dimension.

    a, b: (B, T, D), or any shapes that broadcast together, time at `dim`; one dtype (float32, float64,
    complex64, complex128, bfloat16, float16) and one device. 16-bit inputs carry their state in float32 and
    round each h_t once.
    h0: that shape without time, (B, D); None is zero. With 16-bit inputs it may be float32, the dtype of the
    carry.
    reverse: run against time, h_t = a_t·h_{t+1} + b_t; h0 is then the state after the last step.
    order: "sequential" is the chain of fused multiply-adds in time order, with the same bits on every backend
    that offers it, whatever the batch and the layout, and step by step through h0. "any" lets a backend
    reassociate.
    backend: "auto", or "reference" (the loop in torch), "associative" (a parallel prefix in torch), "cpu" (in C),
    "triton" (on a GPU), "chunked" (there too, for few sequences and a long time); `plan` tells which one "auto"
    takes, and the error bound of its order.
    out: where to write the states, for a caller that needs no gradient; it may be a or b, but not overlap
    them otherwise. A fresh output of many megabytes costs more in page faults than the scan itself.
    final_state: return (h, h_T) where h_T is the state to go on from, of the dtype of the carry.

    Returns h in the broadcast shape. T = 0 and empty batches are fine. A NaN or an infinity moves forward in
    time only. Differentiable to every order in a, b and h0.

    Raises TypeError for dtypes that are unsupported or differ, ValueError for shapes that do not broadcast,
    devices that differ, an unknown order or backend, or a backend named outright that can't serve; IndexError
    for `dim`.
    """
    shape, dim = _checked(a, b, h0, dim)
    backend = plan_scan(b, shape[dim], _chains(shape, dim), order, backend).backend
    dtype, carry = b.dtype, torch.float32 if b.dtype in NARROW else b.dtype
    a, b = (to_batch_time_channel(_expanded(x, carry, shape), dim) for x in (a, b))
    if h0 is not None:
        h0 = state_to_batch_channel(_expanded(h0, carry, shape[:dim] + shape[dim + 1 :]), len(shape), dim)
    if out is not None:
        _check_out(out, shape, dtype, a, b, h0)
    if out is not None and _writes_directly(out, dim, carry, backend):
        cpu.forward(a, b, h0, reverse, out=to_batch_time_channel(out, dim))
        states = h = out
    else:
        states = from_batch_time_channel(differentiable_scan(a, b, h0, reverse, backend), shape, dim)
        h = states.to(dtype) if out is None else out.copy_(states)
    return (h, _final(states, h0, dim, reverse)) if final_state else h


def plan(
    a: Tensor,
    b: Tensor,
    h0: Tensor | None = None,
    *,
    dim: int = 1,
    order: str = "sequential",
    backend: str = "auto",
) -> Plan:
    """What `scan` does with the same arguments: backend, order, constants of its error bound, and why.

    Raises what `scan` raises.
    """
    shape, dim = _checked(a, b, h0, dim)
    return plan_scan(b, shape[dim], _chains(shape, dim), order, backend)


def _checked(a: Tensor, b: Tensor, h0: Tensor | None, dim: int) -> tuple[torch.Size, int]:
    """Checks every argument; the broadcast shape and the time dimension counted from the front."""
    require_tensors(a=a, b=b, h0=h0)
    require_dtype("b", b, WIDE + NARROW)
    carried = h0 is not None and b.dtype in NARROW and h0.dtype == torch.float32
    require_same("dtype", a=a, b=b, h0=None if carried else h0)
    require_same("device", a=a, b=b, h0=h0)
    shape = broadcast(a=a, b=b)
    if not -len(shape) <= dim < len(shape):
        raise IndexError(f"dim={dim} is not a dimension of a tensor of shape {tuple(shape)}")
    dim %= len(shape)
    if h0 is not None:
        without_time = shape[:dim] + shape[dim + 1 :]
        if h0.ndim != len(without_time) or any(x not in (1, n) for x, n in zip(h0.shape, without_time, strict=True)):
            raise ValueError(f"h0 must have the shape of b without time, {tuple(without_time)}, not {tuple(h0.shape)}")
    return shape, dim


def _chains(shape: torch.Size, dim: int) -> int:
    """How many sequences of numbers there are."""
    return math.prod(shape[:dim] + shape[dim + 1 :])


def _expanded(x: Tensor, dtype: torch.dtype, shape: torch.Size) -> Tensor:
    x = x if x.dtype == dtype else x.to(dtype)
    return x if x.shape == shape else x.expand(shape)


def _check_out(out: Tensor, shape: torch.Size, dtype: torch.dtype, *inputs: Tensor | None) -> None:
    require_shape("out", out, shape, "the shape of the states")
    require_dtype("out", out, (dtype,))
    require_same("device", out=out, b=inputs[0])
    if torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in inputs):
        raise RuntimeError(
            "scan with out= gives no gradient: detach the inputs, use torch.no_grad(), or leave out= away"
        )


def _writes_directly(out: Tensor, dim: int, carry: torch.dtype, backend: str) -> bool:
    """Whether the kernel can write the states where the caller wants them, without a copy."""
    walkable = to_batch_time_channel(out, dim).data_ptr() == out.data_ptr()
    return backend == "cpu" and out.dtype == carry and walkable and not torch.compiler.is_compiling()


def _final(states: Tensor, h0: Tensor | None, dim: int, reverse: bool) -> Tensor:
    if states.shape[dim] > 0:
        return states.select(dim, 0 if reverse else -1)
    without_time = states.shape[:dim] + states.shape[dim + 1 :]
    return states.new_zeros(without_time) if h0 is None else h0.reshape(without_time)
