"""One step a h + b of complex float32 channels, as machines do it: numpy, torch, and the scan of `numeric`.

A complex product `a * h` would leave it to the library how it rounds. In numpy and torch every product and sum is
written out as an operation of its own, so that nothing is fused; the scan uses fused multiply-adds.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from numeric.scan import scan
from ssmverify.tracking.arithmetic.evaluators import Step, fused, unfused
from ssmverify.tracking.arithmetic.numbers import Gaussian, gaussian

Complex64 = NDArray[np.complex64]
Machine = Callable[[Complex64, Complex64, Complex64], Complex64]


def _unfused(a: Any, h: Any, b: Any) -> tuple[Any, Any]:
    return (a.real * h.real - a.imag * h.imag) + b.real, (a.real * h.imag + a.imag * h.real) + b.imag


def in_numpy(a: Complex64, h: Complex64, b: Complex64) -> Complex64:
    """`evaluators.unfused`."""
    return _joined(*_unfused(a, h, b))


def in_torch(a: Complex64, h: Complex64, b: Complex64) -> Complex64:
    """`evaluators.unfused`."""
    return _joined(*(part.numpy() for part in _unfused(*map(torch.from_numpy, (a, h, b)))))


def in_scan(a: Complex64, h: Complex64, b: Complex64) -> Complex64:
    """`evaluators.fused`: one step of `numeric.scan`."""
    gate, start, new = map(torch.from_numpy, (a, h, b))
    states: Complex64 = scan(gate[:, None, None], new[:, None, None], start[:, None])[:, 0, 0].numpy()
    return states


MACHINES: dict[str, tuple[Machine, Step]] = {
    "numpy": (in_numpy, unfused),
    "torch": (in_torch, unfused),
    "numeric.scan": (in_scan, fused),
}


def _joined(re: Any, im: Any) -> Complex64:
    found = np.empty(re.shape, np.complex64)
    found.real, found.imag = re, im
    return found


def run(machine: Machine, a: Gaussian, b: Gaussian, h: Gaussian) -> Gaussian:
    """One step; the parts of all three must be float32 numbers. Exact values in and out."""
    (found,) = machine(_complex64(a), _complex64(h), _complex64(b))
    return Gaussian(Fraction(float(found.real)), Fraction(float(found.imag)))


def _complex64(z: Gaussian) -> Complex64:
    re, im = np.array([[float(z.re)], [float(z.im)]], np.float32)
    return _joined(re, im)


def flushes(machine: Machine) -> bool:
    """Whether it makes 0 of the smallest float32 numbers: 1 h + 0 at h = 2**-149 (1 + i)."""
    tiny = Fraction(1, 2**149)
    h = Gaussian(tiny, tiny)
    return run(machine, gaussian(1), gaussian(0), h) != h


# ---------------------------------------------------------------------------------- the same lattice in small integers
Shift = Callable[[int], int]


def nearest_even(value: int) -> int:
    """value / 16, rounded to the nearest integer, ties to even, by a shift."""
    return (value + 7 + (value >> 4 & 1)) >> 4


def in_int8(a: tuple[int, int], h: tuple[int, int], b: tuple[int, int], shift: Shift = nearest_even) -> tuple[int, int]:
    """`evaluators.unfused` with an int8 state, the gate being (a_r + a_i i)/16.

    Products are of wider integers and shifted back; the state saturates.
    """
    (a_r, a_i), (h_r, h_i), (b_r, b_i) = a, h, b
    re = shift(a_r * h_r) - shift(a_i * h_i) + b_r
    im = shift(a_r * h_i) + shift(a_i * h_r) + b_i
    return min(max(re, -128), 127), min(max(im, -128), 127)
