"""Backend `cpu` of `scan`: the canonical chain in C, at the speed of memory, with the bits of the reference.

    a b g h (B, T, D) of any strides, h0 (B, D); float32, float64, complex64, complex128

One thread that walks time in memory order, vectorised over channels, moves what a copy moves; no parallel
prefix can be faster, and none rounds less. Sequences, groups of chains and pieces of long rows are
dealt out to threads; a short row is never split, since two threads on it are slower than one.
"""

import torch
from torch import Tensor

from numeric.scan.machine import compiling as native
from numeric.scan.machine.layout import new_states

_FEW = 50_000  # elements; below, waking a second thread costs more than the scan
_FRESH = 4 << 20  # bytes of a fresh output above which large pages pay
_PAST_CACHES = 32 << 20  # bytes moved in all, beyond which nobody finds the output in a cache afterwards


def forward(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool, out: Tensor | None = None) -> Tensor:
    """All states h (B, T, D) of h_t = a_t·h_{t-1} + b_t; with reverse, of h_t = a_t·h_{t+1} + b_t."""
    h = _fresh(b) if out is None else out
    tensors = [_plain(x) for x in (a, b)]
    start = None if h0 is None else _plain(h0)
    views = [native.sequence(x, reverse) for x in tensors]
    views += [native.state(start), native.sequence(h, reverse)]
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
    start = None if h0 is None else _plain(h0)
    views = [native.sequence(x, reverse) for x in tensors]
    views += [native.state(start), native.sequence(da, reverse), native.sequence(db, reverse)]
    _call("scan_backward", views, h, streams=5)
    return da, db


def _call(name: str, views: list[native.View], h: Tensor, streams: int) -> None:
    elements = h.numel()
    if elements == 0:
        return
    threads = torch.get_num_threads() if elements >= _FEW else 1
    past_caches = streams * elements * h.element_size() >= _PAST_CACHES
    native.call(name, h.dtype, views, *h.shape, past_caches, threads)


def _fresh(x: Tensor) -> Tensor:
    out = new_states(x)
    size = out.numel() * out.element_size()
    if size >= _FRESH:
        native.advise_large_pages(out.data_ptr(), size)
    return out


def _plain(x: Tensor) -> Tensor:
    """x with its conjugation carried out, should it only be marked."""
    return x.resolve_conj().resolve_neg() if x.is_complex() or x.is_neg() else x
