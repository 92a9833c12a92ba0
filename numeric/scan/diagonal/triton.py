"""Backend `triton` of `scan`: the canonical chain on a GPU, forward and backward.

    a b g h (B, T, D), h0 (B, D); float32, float64, complex64, complex128

Any strides are walked; complex inputs whose channels do not lie side by side are copied so that they do.

The interpreter rounds products, and is held to the bound of that; the code for sm_90 is read. Not run on a GPU yet.
"""

import importlib.util
import os
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from numeric.scan.machine.layout import new_states

_KERNELS = {
    torch.float32: "",
    torch.float64: "",
    torch.complex64: "_complex",
    torch.complex128: "_complex",
}
INSTALLED = importlib.util.find_spec("triton") is not None


def interpreting() -> bool:
    """Whether Triton runs its kernels in Python, on the CPU; products are then rounded before they are added."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def obstacle(device: torch.device, dtype: torch.dtype) -> str:
    """What keeps Triton from working on such tensors: one clause, empty where nothing does."""
    if not INSTALLED:
        return "Triton is not installed (pip install triton)"
    if device.type != "cuda" and not interpreting():
        return f"the tensors are on {device}, and Triton needs a GPU"
    if dtype not in _KERNELS:
        return f"it has no kernel for {dtype}"
    return ""


def forward(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool) -> Tensor:
    """All states h (B, T, D) of h_t = a_t·h_{t-1} + b_t; with reverse, of h_t = a_t·h_{t+1} + b_t."""
    h = new(b)
    write_states(a, b, h0, h, reverse)
    return h


def write_states(a: Tensor, b: Tensor, h0: Tensor | None, h: Tensor, reverse: bool, chunk: int = 0) -> None:
    """The same, into h. With chunk, each chunk of so many steps has a start of its own, h0 (B, chunks, D)."""
    start = h if h0 is None else h0.contiguous()
    _launch("forward", (a, b), start, (h,), reverse, HAS_H0=h0 is not None, CHUNK=chunk)


def write_ends(a: Tensor, b: Tensor, gates: Tensor, states: Tensor, reverse: bool, chunk: int) -> None:
    """Of each chunk the product of its gates, and its last state after the state 0: into two (B, chunks, D)."""
    _launch("ends", (a, b), None, (gates, states), reverse, CHUNK=chunk)


def backward(g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
    """The gradients (da, db) for the cotangent g of the states h that `forward` gave."""
    da, db = new(h), new(h)
    start = h if h0 is None else h0.contiguous()
    _launch("backward", (g, a, h), start, (da, db), reverse, HAS_H0=h0 is not None)
    return da, db


def new(x: Tensor) -> Tensor:
    """Room for states like x: in its memory order, but complex channels side by side."""
    return x.new_empty(x.shape) if x.is_complex() else new_states(x)


def _launch(
    name: str,
    inputs: tuple[Tensor, ...],
    start: Tensor | None,
    outputs: tuple[Tensor, ...],
    reverse: bool,
    **constants: int,
) -> None:
    """One program for each sequence, chunk and tile of channels. The inputs have one shape, the outputs one layout."""
    if inputs[0].numel() == 0:
        return
    kernels = _kernels()
    given, made = [_real(x) for x in inputs], [_real(x) for x in outputs]
    starts = [] if start is None else [_real(start)]
    dims = 2 if inputs[0].is_complex() else 3  # the kernels for complex numbers take channels side by side
    strides = [stride for x in given for stride in x.stride()[:dims]] + [x.stride(0) for x in starts]
    strides += made[0].stride()[:dims]
    steps = kernels.STEPS_BACKWARD if name == "backward" else kernels.STEPS
    kind, *tile = _KERNELS[outputs[0].dtype], steps, kernels.CHANNELS
    if _along_time(given[-1]):
        kind, *tile = "_rows", kernels.STEPS_ROWS, kernels.ROWS
    batch, length, channels = given[0].shape
    programs = batch * -(-length // (constants.get("CHUNK") or length)) * -(-channels // tile[1])
    kernel = getattr(kernels, f"{name}{kind}_kernel")
    constants |= {"REVERSE": reverse, "STEPS": tile[0], "CHANNELS": tile[1], "STAGES": kernels.STAGES}
    run(kernel, programs, *given, *starts, *made, length, channels, *strides, **constants, num_warps=1)


def run(kernel: Any, programs: int, *arguments: Any, **constants: int) -> None:
    """Launches a kernel of Triton on the GPU of its first tensor; by itself it would take the current one."""
    with torch.cuda.device_of(arguments[0]):
        kernel[(programs,)](*arguments, **constants)


def _along_time(x: Tensor) -> bool:
    """Whether time lies innermost in x (B, T, D)."""
    return x.stride(1) == 1 and x.stride(2) != 1


def _real(x: Tensor) -> Tensor:
    """x as real numbers; complex ones as pairs, their channels side by side."""
    x = x.resolve_conj().resolve_neg()
    if not x.is_complex():
        return x
    return torch.view_as_real(x if x.stride(-1) == 1 else x.contiguous()).flatten(-2)


def _kernels() -> ModuleType:
    """Imported at first use: Triton is optional and takes its time."""
    from numeric.scan.diagonal import triton_kernels

    return triton_kernels
