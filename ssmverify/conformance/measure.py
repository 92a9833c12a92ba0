"""Errors measured exactly: in rationals where the input is short, in balls far narrower than any bound elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flint
import numpy as np
import torch
from flint import acb, arb
from numpy.typing import NDArray
from torch import Tensor

from ssmverify.strategies import exact

Array = NDArray[Any]
BITS = 384  # of a ball; 53 for the floats, 20 for the length, and hundreds to spare for what cancels
SHORT = 40  # steps for which rationals stay small


@contextmanager
def precision() -> Iterator[None]:
    """Within it, balls are computed to BITS bits."""
    with flint.ctx.workprec(BITS):
        yield


def numbers(x: Tensor, length: int) -> Array:
    """The very values of a finite tensor: rationals for real numbers of few steps, else balls of radius 0."""
    if not x.is_complex() and length <= SHORT:
        return np.asarray(exact(x))
    make = acb if x.is_complex() else arb
    values = np.empty(x.numel(), dtype=object)
    for i, value in enumerate(wide(x).reshape(-1).tolist()):
        values[i] = make(value.real, value.imag) if make is acb else make(value)
    return values.reshape(tuple(x.shape))


def wide(x: Tensor) -> Tensor:
    """On the CPU, in float64 or complex128."""
    return x.detach().cpu().to(torch.complex128 if x.is_complex() else torch.float64)


def floats(x: Array) -> Tensor:
    """Real numbers rounded to float64."""
    flat = [float(value) if isinstance(value, arb) else int(value.p) / int(value.q) for value in x.ravel()]
    return torch.tensor(flat, dtype=torch.float64).reshape(x.shape)


def units(computed: Tensor, true: Array, bound: Tensor) -> tuple[float, tuple[int, ...]]:
    """The largest |computed - true| / bound, and where; an error where the bound is 0 is infinite.

    computed is finite. Where `true` is a ball the error is the least that it allows.
    """
    limits = bound.expand(computed.shape).reshape(-1).tolist()
    make = acb if computed.is_complex() else arb
    if computed.numel() == 0:
        return 0.0, ()
    worst, place = 0.0, 0
    for i, (value, exactly, limit) in enumerate(
        zip(wide(computed).reshape(-1).tolist(), true.ravel(), limits, strict=True)
    ):
        error = (make(value) - exactly).abs_lower() if make is acb else abs(make(value) - exactly).abs_lower()
        if error > 0 and limit != float("inf"):
            ratio = float(error / limit) if limit > 0 else float("inf")
            if ratio > worst:
                worst, place = ratio, i
    return worst, tuple(int(k) for k in np.unravel_index(place, tuple(computed.shape)))


def first_difference(x: Tensor, y: Tensor) -> tuple[int, ...] | None:
    """Where two tensors of one shape first differ in their bits, NaNs being all alike; None if nowhere."""
    if x.is_complex():
        x, y = torch.view_as_real(x.resolve_conj()), torch.view_as_real(y.resolve_conj())
    x, y = x.detach().cpu(), y.detach().cpu()
    alike = ((x == y) & (torch.signbit(x) == torch.signbit(y))) | (x.isnan() & y.isnan())
    if bool(alike.all()):
        return None
    return tuple(int(k) for k in (~alike).nonzero()[0])
