"""The scan by its definition: the canonical chain of fused multiply-adds, one step after the other.

    a (B, T, D)   decay          b (B, T, D)   input          h0 (B, D)   state at the start, absent: +0
    h (B, T, D)   states         g (B, T, D)   cotangent of h

    real       h_t = fma(a_t, h_{t-1}, b_t)
    complex    re h_t = fma(-im a_t, im h_{t-1}, fma(re a_t, re h_{t-1}, re b_t))
               im h_t = fma( im a_t, re h_{t-1}, fma(re a_t, im h_{t-1}, im b_t))

The gradients are a chain as well, backwards in time, and never divide by the gate:

    db_t = fma(conj(a_{t+1}), db_{t+1}, g_t),  with 0 for a_{T+1} and db_{T+1}
    da_t = db_t · conj(h_{t-1}), where a real product is rounded once and a complex one is
           re = fma(im db, im h, re db · re h),  im = fma(-re db, im h, im db · re h)

Every fma is correctly rounded whatever the machine does, so these bits are the definition that each
sequential backend must reproduce. It is slow: some tens of microseconds a step. Rounding: every term of h_t
collects at most (t - j) + 1 roundings, (p, q) = (1, 1).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from numeric.scan.machine.fma import Array, fma


def forward(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool) -> Tensor:
    """All states h (B, T, D) of h_t = a_t·h_{t-1} + b_t; with reverse, of h_t = a_t·h_{t+1} + b_t."""
    gates, inputs = _in_time_order(a, reverse), _in_time_order(b, reverse)
    state = _start(h0, inputs)
    states = np.empty_like(inputs)
    with _subnormals_kept():
        for t in range(inputs.shape[1]):
            state = _step(gates[:, t], state, inputs[:, t])
            states[:, t] = state
    return _like(b, states, reverse)


def backward(g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
    """The gradients (da, db) for the cotangent g of the states h that `forward` gave."""
    gates, cotangents, states = (_in_time_order(x, reverse) for x in (a, g, h))
    before = _start(h0, states)
    da, db = np.empty_like(states), np.empty_like(states)
    gate = adjoint = np.zeros_like(before)
    with _subnormals_kept():
        for t in reversed(range(states.shape[1])):
            adjoint = _step(gate, adjoint, cotangents[:, t])
            db[:, t] = adjoint
            da[:, t] = _times_conjugate(adjoint, states[:, t - 1] if t > 0 else before)
            gate = gates[:, t].conj()
    return _like(a, da, reverse), _like(a, db, reverse)


@contextmanager
def _subnormals_kept() -> Iterator[None]:
    """Undoes torch.set_flush_denormal(True) for a while: the definition knows no flushing to zero."""
    flushing = bool(np.finfo(np.float32).tiny * np.float32(0.5) == 0)
    if flushing:
        torch.set_flush_denormal(False)
    try:
        yield
    finally:
        if flushing:
            torch.set_flush_denormal(True)


def _step(a: Array, h: Array, b: Array) -> Array:
    if not np.iscomplexobj(h):
        return fma(a, h, b)
    real = fma(-a.imag, h.imag, fma(a.real, h.real, b.real))
    imag = fma(a.imag, h.real, fma(a.real, h.imag, b.imag))
    return _complex(real, imag)


def _times_conjugate(x: Array, h: Array) -> Array:
    with np.errstate(all="ignore"):
        if not np.iscomplexobj(h):
            return np.asarray(x * h)
        real = fma(x.imag, h.imag, x.real * h.real)
        imag = fma(-x.real, h.imag, x.imag * h.real)
        return _complex(real, imag)


def _complex(real: Array, imag: Array) -> Array:
    joined = np.empty(real.shape, np.complex64 if real.dtype == np.float32 else np.complex128)
    joined.real, joined.imag = real, imag  # real + 1j * imag would lose infinities and signs of zeros
    return joined


def _start(h0: Tensor | None, x: Array) -> Array:
    return np.zeros((x.shape[0], x.shape[2]), x.dtype) if h0 is None else _array(h0)


def _array(x: Tensor) -> Array:
    return x.detach().cpu().resolve_conj().resolve_neg().numpy()


def _in_time_order(x: Tensor, reverse: bool) -> Array:
    return _array(x)[:, ::-1] if reverse else _array(x)


def _like(x: Tensor, values: Array, reverse: bool) -> Tensor:
    return torch.from_numpy((values[:, ::-1] if reverse else values).copy()).to(x.device)
