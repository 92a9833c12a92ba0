"""Backend `cpu` of `scan`: the canonical chain in C, at the speed of memory, with the bits of the reference.

    a b g h (B, T, D) of any strides, h0 (B, D); float32, float64, complex64, complex128

One thread that walks time in memory order, vectorised over channels, moves what a copy moves; no parallel
prefix can be faster, and none rounds less. Sequences, groups of eight chains and pieces of long rows are
dealt out to threads; a short row is never split, since two threads on it are slower than one.
"""

import ctypes

import torch
from torch import Tensor

from numeric.scan.layout import new_states
from numeric.scan.native import library

SUFFIX = {torch.float32: "f32", torch.float64: "f64", torch.complex64: "c64", torch.complex128: "c128"}

_FEW = 50_000  # elements; below, waking a second thread costs more than the scan
_FRESH = 4 << 20  # bytes of a fresh output above which large pages pay
_PAST_CACHES = 32 << 20  # bytes moved in all, beyond which nobody finds the output in a cache afterwards


class _View(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("batch", ctypes.c_int64),
        ("time", ctypes.c_int64),
        ("channel", ctypes.c_int64),
    )


def forward(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool, out: Tensor | None = None) -> Tensor:
    """All states h (B, T, D) of h_t = a_t·h_{t-1} + b_t; with reverse, of h_t = a_t·h_{t+1} + b_t."""
    h = _fresh(b) if out is None else out
    tensors = [_plain(x) for x in (a, b)]
    views = [_view(x, reverse) for x in (*tensors, _state(h0), h)]
    _call("scan", views, h, streams=3)
    return h


def backward(
    g: Tensor,
    a: Tensor,
    h: Tensor,
    h0: Tensor | None,
    reverse: bool,
    out: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """The gradients (da, db) for the cotangent g of the states h that `forward` gave."""
    da, db = (_fresh(h), _fresh(h)) if out is None else out
    tensors = [_plain(x) for x in (g, a, h)]
    views = [_view(x, reverse) for x in (*tensors, _state(h0), da, db)]
    _call("scan_backward", views, h, streams=5)
    return da, db


def _call(name: str, views: list[_View], h: Tensor, streams: int) -> None:
    elements = h.numel()
    if elements == 0:
        return
    native = library()
    assert native is not None
    threads = torch.get_num_threads() if elements >= _FEW else 1
    past_caches = streams * elements * h.element_size() >= _PAST_CACHES
    kernel = getattr(native, f"{name}_{SUFFIX[h.dtype]}")
    kernel(*map(ctypes.byref, views), *map(ctypes.c_int64, h.shape), past_caches, threads)


def _fresh(x: Tensor) -> Tensor:
    out = new_states(x)
    size = out.numel() * out.element_size()
    if size >= _FRESH:
        native = library()
        assert native is not None
        native.advise_large_pages(ctypes.c_void_p(out.data_ptr()), ctypes.c_int64(size))
    return out


def _plain(x: Tensor) -> Tensor:
    """x with its conjugation carried out, should it only be marked."""
    return x.resolve_conj().resolve_neg() if x.is_complex() or x.is_neg() else x


def _state(h0: Tensor | None) -> Tensor | None:
    return None if h0 is None else _plain(h0).unsqueeze(1)


def _view(x: Tensor | None, reverse: bool) -> _View:
    if x is None:
        return _View(None, 0, 0, 0)
    batch, time, channel = x.stride()
    if reverse:
        return _View(x.data_ptr() + (x.shape[1] - 1) * time * x.element_size(), batch, -time, channel)
    return _View(x.data_ptr(), batch, time, channel)
