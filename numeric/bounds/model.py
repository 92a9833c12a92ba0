"""The model of rounding, and what every bound is built from.

| symbol | meaning |
| --- | --- |
| u, eta | unit roundoff, and the largest absolute error of one operation below the normal range |
| e_t | an error that one step multiplies by a factor and adds to |
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

U53 = Fraction(1, 2**53)
Array = NDArray[np.float64]


def unit_roundoff(dtype: torch.dtype) -> Fraction:
    """u of a floating-point dtype, or of a complex one's parts: half the gap above 1."""
    return Fraction(torch.finfo(dtype).eps) / 2


def underflow(dtype: torch.dtype) -> float:
    """At least the absolute error of an operation whose result is below the normal range, flush-to-zero or not.

    For float64 this is the smallest normal number, like for every other dtype.
    """
    return float(torch.finfo(dtype).tiny)


def relative(roundings: int, u: Fraction) -> Fraction:
    """(1 + u)^roundings - 1: the largest relative error that so many roundings make."""
    return (1 + u) ** roundings - 1


def widened(bound: Tensor, length: int, n: int = 1) -> Tensor:
    """The bound times a factor above 1 by more than evaluating `length` steps of n terms in float64 may lose."""
    return bound * float(1 + 16 * (length + 4) * (n + 4) * U53)


def sizes(x: Tensor) -> Array:
    """|x| in float64, of complex numbers the modulus."""
    wide = x.detach().cpu().to(torch.complex128 if x.is_complex() else torch.float64)
    return np.asarray(wide.resolve_conj().abs().numpy())


def start_sizes(h0: Tensor | None, like: Array) -> Array:
    """|h0|, or zeros in the shape of one step of `like`."""
    return np.zeros(like.shape[:1] + like.shape[2:]) if h0 is None else sizes(h0)


def stacked(steps: list[Array], empty: Array) -> Tensor:
    """The steps along dimension 1; `empty` where there are none."""
    return torch.from_numpy(np.stack(steps, 1) if steps else empty)


def accumulate(factor: Tensor, local: Tensor) -> Tensor:
    """e_t = factor_t e_{t-1} + local_t along dimension 1, from 0."""
    e, errors = local.new_zeros(local.shape[:1] + local.shape[2:]), []
    for t in range(local.shape[1]):
        e = factor[:, t] * e + local[:, t]
        errors.append(e)
    return torch.stack(errors, 1) if errors else local


def norm(x: Tensor) -> Tensor:
    """The 2-norm along the last dimension, whose squares do not underflow."""
    largest = x.abs().amax(-1, keepdim=True).clamp(min=torch.finfo(x.dtype).tiny)
    length: Tensor = torch.linalg.vector_norm(x / largest, dim=-1)
    return length * largest.squeeze(-1)
