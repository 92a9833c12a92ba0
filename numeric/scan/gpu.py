"""Backend `triton` of `scan`: the canonical chain on a GPU, forward and backward.

    a b g h (B, T, D), h0 (B, D); float32, float64

Inputs whose channels do not lie side by side are copied so that they do, which costs a pass over them.
"""

import importlib.util
import os
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

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
    if dtype not in (torch.float32, torch.float64):
        return f"it has no kernel for {dtype}"
    return ""


def forward(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool) -> Tensor:
    """All states h (B, T, D) of h_t = a_t·h_{t-1} + b_t; with reverse, of h_t = a_t·h_{t+1} + b_t."""
    kernels = _kernels()
    h = b.new_empty(b.shape)
    a, b = _side_by_side(a), _side_by_side(b)
    start = h if h0 is None else _side_by_side(h0)
    strides = (*a.stride()[:2], *b.stride()[:2], start.stride(0), *h.stride()[:2])
    tile = kernels.STEPS, kernels.CHANNELS, kernels.STAGES
    tensors = (a, b, start, h)
    _launch(kernels, kernels.forward_kernel, tensors, h.shape, strides, h0 is not None, reverse, tile)
    return h


def backward(g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
    """The gradients (da, db) for the cotangent g of the states h that `forward` gave."""
    kernels = _kernels()
    da, db = h.new_empty(h.shape), h.new_empty(h.shape)
    g, a, h = _side_by_side(g), _side_by_side(a), _side_by_side(h)
    start = h if h0 is None else _side_by_side(h0)
    strides = (*g.stride()[:2], *a.stride()[:2], *h.stride()[:2], start.stride(0), *db.stride()[:2])
    tile = kernels.STEPS_BACKWARD, kernels.CHANNELS, kernels.STAGES
    tensors = (g, a, h, start, da, db)
    _launch(kernels, kernels.backward_kernel, tensors, db.shape, strides, h0 is not None, reverse, tile)
    return da, db


def _launch(
    kernels: ModuleType,
    kernel: Any,
    tensors: tuple[Tensor, ...],
    shape: torch.Size,
    strides: tuple[int, ...],
    has_h0: bool,
    reverse: bool,
    tile: tuple[int, int, int],
) -> None:
    batch, length, channels = shape
    if batch * length * channels == 0:
        return
    programs = batch * -(-channels // kernels.CHANNELS)
    kernel[(programs,)](*tensors, length, channels, *strides, has_h0, reverse, *tile, num_warps=1)


def _kernels() -> ModuleType:
    """Imported at first use: Triton is optional and takes its time."""
    from numeric.scan import triton_kernels

    return triton_kernels


def _side_by_side(x: Tensor) -> Tensor:
    return x if x.stride(-1) == 1 else x.contiguous()
