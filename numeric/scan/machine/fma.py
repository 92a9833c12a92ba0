"""The correctly rounded fused multiply-add, RN(x·y + z), elementwise on numpy arrays, whatever the machine.

    RN   rounding to nearest, ties to even, into the format of the arguments
    RO   rounding to odd: an inexact result takes the neighbour whose last bit is 1

Whether `torch.addcmul` or a compiler fuses depends on the machine; this file does not. float32 goes through
float64, where x·y is exact and rounding the sum to odd keeps the final rounding innocuous. float64 goes
through error-free transformations on significands, and the few elements whose result may be subnormal through
exact rationals.

Source: S. Boldo and G. Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using
rounding to odd", IEEE Transactions on Computers 57(4), 2008, sections 3 and 5. Departure: scaling by
exponents (so that no intermediate overflows or underflows) replaces the paper's hypothesis that none does.
"""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_ABSENT = -100_000  # the exponent given to a zero: below that of any product of two floats
_FAR = 200  # a term this many binary orders below the other one matters by its sign alone
_SMALLEST_NORMAL_EXPONENT = -1021  # of float64, as frexp counts it


def fma(x: Array, y: Array, z: Array) -> Array:
    """RN(x·y + z), elementwise.

    x, y, z: arrays of one dtype, float32 or float64, of shapes that broadcast together. Returns that dtype
    and shape. Infinities, NaNs and signed zeros follow IEEE 754-2019. Raises TypeError for other or mixed
    dtypes.
    """
    if not (x.dtype == y.dtype == z.dtype and x.dtype in (np.float32, np.float64)):
        raise TypeError(f"fma takes three float32 or three float64 arrays, not {x.dtype}, {y.dtype}, {z.dtype}")
    with np.errstate(all="ignore"):
        return _fma32(x, y, z) if x.dtype == np.float32 else _fma64(x, y, z)


def _fma32(x: Array, y: Array, z: Array) -> Array:
    product = np.multiply(x, y, dtype=np.float64)  # exact: 24 + 24 bits fit into 53
    total, error = _two_sum(product, z.astype(np.float64))
    return _to_odd(total, error).astype(np.float32)


def _fma64(x: Array, y: Array, z: Array) -> Array:
    (mx, ex), (my, ey), (mz, ez) = np.frexp(x), np.frexp(y), np.frexp(z)
    product_exponent = np.where((mx == 0) | (my == 0), _ABSENT, ex + ey)
    addend_exponent = np.where(mz == 0, _ABSENT, ez)
    exponent = np.maximum(product_exponent, addend_exponent)

    product_shift = np.maximum(product_exponent - exponent, -_FAR)
    high, low = (np.ldexp(part, product_shift) for part in _two_product(mx, my))
    addend = np.ldexp(mz, np.maximum(addend_exponent - exponent, -_FAR))

    upper, lower = _two_sum(addend, low)
    head, rest = _two_sum(high, upper)
    tail = _to_odd(*_two_sum(lower, rest))
    significand = head + tail
    result = np.ldexp(significand, exponent)

    plain = x * y + z  # right where the exact sum is zero, and for infinities and NaNs among x and y
    result = np.where(np.isfinite(x) & np.isfinite(y), np.where(np.isfinite(z), result, z), plain)
    result = np.where(significand == 0, plain, result)
    finite = np.isfinite(x) & np.isfinite(y) & np.isfinite(z)
    below_normal = np.frexp(significand)[1] + exponent <= _SMALLEST_NORMAL_EXPONENT
    tiny = finite & (significand != 0) & below_normal
    if tiny.any():
        x, y, z = np.broadcast_arrays(x, y, z)
        result[tiny] = [_exact(*triple) for triple in zip(x[tiny], y[tiny], z[tiny], strict=True)]
    return result


def _exact(x: float, y: float, z: float) -> float:
    """RN(x·y + z) in float64 by rationals: Python divides two integers with correct rounding."""
    return float(Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)))


def _two_sum(x: Array, y: Array) -> tuple[Array, Array]:
    """(s, e) with s = RN(x + y) and s + e = x + y exactly (Knuth)."""
    total = x + y
    y_part = total - x
    return total, (x - (total - y_part)) + (y - y_part)


def _two_product(x: Array, y: Array) -> tuple[Array, Array]:
    """(p, e) with p = RN(x·y) and p + e = x·y exactly, for float64 in (-1, 1) (Dekker, Veltkamp)."""
    product = x * y
    (x1, x2), (y1, y2) = _halves(x), _halves(y)
    return product, x2 * y2 - (((product - x1 * y1) - x2 * y1) - x1 * y2)


def _halves(x: Array) -> tuple[Array, Array]:
    """x as a sum of two float64 with at most 26 significant bits each."""
    scaled = x * 134217729.0  # 2^27 + 1
    upper = scaled - (scaled - x)
    return upper, x - upper


def _to_odd(total: Array, error: Array) -> Array:
    """RO(total + error), given that total = RN(total + error), both float64."""
    bits = np.ascontiguousarray(total).view(np.int64)
    inexact = np.isfinite(total) & (error != 0) & (bits & 1 == 0)
    step = np.where((error > 0) == (total > 0), 1, -1)  # away from zero or towards it
    return np.where(inexact, bits + step, bits).view(np.float64)
