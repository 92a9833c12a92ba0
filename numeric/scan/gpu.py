"""Backend `triton` of `scan`: the canonical chain on a GPU, forward and backward.

    a b g h (B, T, D), h0 (B, D); float32, float64, complex64, complex128

Inputs whose channels do not lie side by side are copied so that they do, which costs a pass over them.
"""

import importlib.util
import os
from types import ModuleType

import torch
from torch import Tensor

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
    kernels = _kernels()
    h = b.new_empty(b.shape)
    tile = kernels.STEPS, kernels.CHANNELS, kernels.STAGES
    _launch("forward", kernels, (a, b), h0, (h,), reverse, tile)
    return h


def backward(g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
    """The gradients (da, db) for the cotangent g of the states h that `forward` gave."""
    kernels = _kernels()
    da, db = h.new_empty(h.shape), h.new_empty(h.shape)
    tile = kernels.STEPS_BACKWARD, kernels.CHANNELS, kernels.STAGES
    _launch("backward", kernels, (g, a, h), h0, (da, db), reverse, tile)
    return da, db


def _launch(
    name: str,
    kernels: ModuleType,
    inputs: tuple[Tensor, ...],
    h0: Tensor | None,
    outputs: tuple[Tensor, ...],
    reverse: bool,
    tile: tuple[int, int, int],
) -> None:
    """One program for each sequence and tile of channels; outputs are contiguous."""
    if outputs[0].numel() == 0:
        return
    kernel = getattr(kernels, f"{name}{_KERNELS[outputs[0].dtype]}_kernel")
    given, made = [_real(x) for x in inputs], [_real(x) for x in outputs]
    start = made[0] if h0 is None else _real(h0)
    batch, length, channels = made[0].shape
    strides = [stride for x in given for stride in x.stride()[:2]]
    strides += [start.stride(0), *made[0].stride()[:2]]
    programs = batch * -(-channels // kernels.CHANNELS)
    kernel[(programs,)](*given, start, *made, length, channels, *strides, h0 is not None, reverse, *tile, num_warps=1)


def _real(x: Tensor) -> Tensor:
    """x with its channels side by side, complex ones as pairs of real ones."""
    x = x.resolve_conj().resolve_neg()
    x = x if x.stride(-1) == 1 else x.contiguous()
    return torch.view_as_real(x).flatten(-2) if x.is_complex() else x


def _kernels() -> ModuleType:
    """Imported at first use: Triton is optional and takes its time."""
    from numeric.scan import triton_kernels

    return triton_kernels
