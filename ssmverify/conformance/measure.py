"""Errors measured exactly: in rationals where the input is short, elsewhere in balls that are narrow beside the bound.

A ball wider than a thousandth of its bound decides nothing: everything is computed again to more bits, and where even
the most do not suffice, the case is not run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import flint
import numpy as np
import torch
from flint import acb, arb
from numpy.typing import NDArray
from torch import Tensor

from ssmverify.strategies import exact

Array = NDArray[Any]
BITS = (384, 1536, 6144)  # of a ball, tried in turn: a recurrence in balls loses some at each step
NARROW = 1000  # radii of a ball that the bound must hold
SHORT = 40  # steps for which rationals stay small

T = TypeVar("T")


class Undecided(Exception):
    """Nothing can be said of an error here; the message says why."""


class TooWide(Undecided):
    """A ball is wider than a thousandth of the bound: more bits may help."""


def decided(measure: Callable[[], T]) -> T:
    """What `measure` returns, computed with as many bits as it takes; raises Undecided where BITS has not enough."""
    for bits in BITS[:-1]:
        try:
            with flint.ctx.workprec(bits):
                return measure()
        except TooWide:
            continue
    with flint.ctx.workprec(BITS[-1]):
        return measure()


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


def magnitudes(x: Array) -> Tensor:
    """Float64 numbers, rounded to nearest, of the absolute values of real numbers: of a ball the largest it allows."""
    flat = [float(abs(arb(value)).upper()) for value in x.ravel()]
    return torch.tensor(flat, dtype=torch.float64).reshape(x.shape)


def units(computed: Tensor, true: Array, bound: Tensor) -> tuple[float, tuple[int, ...]]:
    """The largest |computed - true| / bound, and where; an error where the bound is 0 is infinite.

    computed is finite. Where `true` is a ball the error is the least that it allows, which differs from the true one by
    less than 2/NARROW of the bound. An entry without a finite bound is passed over. Raises TooWide for a wider ball,
    unless some error is certainly above its bound, and Undecided where no entry has a finite bound.
    """
    limits = bound.expand(computed.shape).reshape(-1).tolist()
    if limits and not any(map(math.isfinite, limits)):
        raise Undecided("the bound is infinite: rounding may do anything")
    make = acb if computed.is_complex() else arb
    worst, place, wide_at = 0.0, 0, -1
    for i, (value, exactly, limit) in enumerate(
        zip(wide(computed).reshape(-1).tolist(), true.ravel(), limits, strict=True)
    ):
        if not math.isfinite(limit):
            continue
        difference = make(value) - exactly
        if not NARROW * difference.rad() <= limit:
            wide_at = i
        error = difference.abs_lower()
        if error > 0:
            ratio = float(error / limit) if limit > 0 else math.inf
            if ratio > worst:
                worst, place = ratio, i
    if wide_at >= 0 and worst <= 1:
        radius = float((make(0) + true.ravel()[wide_at]).rad())
        raise TooWide(f"the exact value is known to {radius:.1g} only, which decides nothing: use shorter inputs")
    return worst, tuple(int(k) for k in np.unravel_index(place, tuple(computed.shape))) if limits else ()


def first_difference(x: Tensor, y: Tensor) -> tuple[int, ...] | None:
    """Where two tensors of one shape first differ in their bits, NaNs being all alike; None if nowhere."""
    if x.is_complex():
        x, y = torch.view_as_real(x.resolve_conj()), torch.view_as_real(y.resolve_conj())
    x, y = x.detach().cpu(), y.detach().cpu()
    alike = ((x == y) & (torch.signbit(x) == torch.signbit(y))) | (x.isnan() & y.isnan())
    if bool(alike.all()):
        return None
    return tuple(int(k) for k in (~alike).nonzero()[0])
