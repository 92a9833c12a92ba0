"""Backend `triton` of `scan`: the canonical chain on a GPU, forward and backward.

    a b g h (B, T, D), h0 (B, D); float32, float64, complex64, complex128

Any strides are walked; complex inputs whose channels do not lie side by side are copied so that they do.
"""

import importlib.util
import os
from types import ModuleType

import torch
from torch import Tensor

from numeric.scan.layout import new_states

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
    h = _new(b)
    _launch("forward", (a, b), h0, (h,), reverse)
    return h


def backward(g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
    """The gradients (da, db) for the cotangent g of the states h that `forward` gave."""
    da, db = _new(h), _new(h)
    _launch("backward", (g, a, h), h0, (da, db), reverse)
    return da, db


def _launch(
    name: str, inputs: tuple[Tensor, ...], h0: Tensor | None, outputs: tuple[Tensor, ...], reverse: bool
) -> None:
    """One program for each sequence and tile of channels; the outputs have one layout."""
    out = outputs[0]
    if out.numel() == 0:
        return
    kernels = _kernels()
    given, made = [_real(x) for x in inputs], [_real(x) for x in outputs]
    start = made[0] if h0 is None else _real(h0.contiguous())
    dims = 2 if out.is_complex() else 3  # the kernels for complex numbers take channels side by side
    strides = [stride for x in given for stride in x.stride()[:dims]]
    strides += [start.stride(0), *made[0].stride()[:dims]]
    steps = kernels.STEPS_BACKWARD if name == "backward" else kernels.STEPS
    kind, *tile = _KERNELS[out.dtype], steps, kernels.CHANNELS
    if _along_time(out):
        kind, *tile = "_rows", kernels.STEPS_ROWS, kernels.ROWS
    batch, length, channels = made[0].shape
    kernel = getattr(kernels, f"{name}{kind}_kernel")
    arguments = [*given, start, *made, length, channels, *strides, h0 is not None, reverse, *tile, kernels.STAGES]
    kernel[(batch * -(-channels // tile[1]),)](*arguments, num_warps=1)


def _along_time(x: Tensor) -> bool:
    """Whether time lies innermost in x (B, T, D)."""
    return x.stride(1) == 1 and x.stride(2) != 1


def _new(x: Tensor) -> Tensor:
    """Room for states like x: in its memory order, but complex channels side by side."""
    return x.new_empty(x.shape) if x.is_complex() else new_states(x)


def _real(x: Tensor) -> Tensor:
    """x as real numbers; complex ones as pairs, their channels side by side."""
    x = x.resolve_conj().resolve_neg()
    if not x.is_complex():
        return x
    return torch.view_as_real(x if x.stride(-1) == 1 else x.contiguous()).flatten(-2)


def _kernels() -> ModuleType:
    """Imported at first use: Triton is optional and takes its time."""
    from numeric.scan import triton_kernels

    return triton_kernels
