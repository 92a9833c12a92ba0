"""fma against an oracle that shares nothing with it: integers, scaled and rounded to nearest even by hand."""

import math
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

from numeric.scan.machine.fma import fma

FORMATS = {
    np.float32: (24, -149, 128),
    np.float64: (53, -1074, 1024),
}  # precision, exponent of the least, of overflow


def round_to_nearest_even(value: Fraction, dtype: type) -> float:
    """The float of that format nearest to a non-zero rational, as a Python float."""
    precision, least, limit = FORMATS[dtype]
    magnitude = abs(value)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if magnitude < Fraction(2) ** exponent:
        exponent -= 1  # now 2^exponent <= |value| < 2^(exponent + 1)
    unit = max(exponent - precision + 1, least)
    units = magnitude / Fraction(2) ** unit
    whole, rest = divmod(units.numerator, units.denominator)
    if 2 * rest > units.denominator or (2 * rest == units.denominator and whole % 2 == 1):
        whole += 1
    rounded = whole * Fraction(2) ** unit
    if rounded >= Fraction(2) ** limit:
        return math.inf if value > 0 else -math.inf
    return (1 if value > 0 else -1) * (rounded.numerator / rounded.denominator)


def oracle(x: float, y: float, z: float, dtype: type) -> float:
    if not (math.isfinite(x) and math.isfinite(y)):
        return x * y + z
    if not math.isfinite(z):
        return z
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    if exact:
        return round_to_nearest_even(exact, dtype)
    zero_of_the_product = math.copysign(1, x) * math.copysign(1, y) * 0.0
    return zero_of_the_product + z if x * y == 0 == z else 0.0


@st.composite
def triples(draw: st.DrawFn, width: int) -> tuple[float, float, float]:
    """Three floats; often z cancels x·y or lies at the edge where it decides a tie."""
    floats = st.floats(width=width)
    x, y = draw(floats), draw(floats)
    z = draw(floats)
    kind = np.float32 if width == 32 else np.float64
    if draw(st.booleans()) and math.isfinite(x * y):
        with np.errstate(over="ignore"):
            z = float(kind(-x * y)) * draw(st.sampled_from([1.0, 0.5, 2.0**24, 2.0**-24, 2.0**53, 2.0**-53, 2.0**-54]))
            z = float(kind(z))
    return x, y, z


def check(triple: tuple[float, float, float], dtype: type) -> None:
    x, y, z = (np.array([value], dtype) for value in triple)
    got, want = fma(x, y, z)[0], oracle(*map(float, triple), dtype)
    assert got.dtype == dtype
    assert (math.isnan(got) and math.isnan(want)) or (
        got == want and math.copysign(1, got) == math.copysign(1, want)
    ), f"fma{triple} = {got!r}, exactly rounded {want!r}"


@given(triples(32))
@example((1.0, 2.0**-149, 1.0))
@example((-0.0, 1.0, 0.0))
@example((-0.0, 1.0, -0.0))
@example((2.0**127, 2.0, -math.inf))
@example((2.0**127, 2.0, -(2.0**127)))
@example((2.0**-75, 2.0**-75, 0.0))
@example((1.5 * 2.0**-75, 2.0**-75, -(2.0**-149)))
def test_float32_is_correctly_rounded(triple: tuple[float, float, float]) -> None:
    check(triple, np.float32)


@given(triples(64))
@example((2.0**-537, 2.0**-538, 0.0))
@example((2.0**-537, -(2.0**-538), 0.0))
@example((3 * 2.0**-538, 2.0**-537, 2.0**-1074))
@example((1.0 + 2.0**-52, 1.0 + 2.0**-52, -1.0))
@example((2.0**1023, 2.0, -(2.0**1023)))
@example((2.0**1023, 2.0, -math.inf))
@example((1.0 - 2.0**-53, 2.0**-1022, 0.0))
@example((1.0, 1.0, 2.0**-53))
@example((1.0, 1.0 + 2.0**-52, 2.0**-53))
@example((1.0, 1.0 + 2.0**-52, -(2.0**-1074)))
def test_float64_is_correctly_rounded(triple: tuple[float, float, float]) -> None:
    check(triple, np.float64)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_at_once_and_broadcast(dtype: type) -> None:
    rng = np.random.default_rng()
    x = rng.standard_normal((50, 1)).astype(dtype)
    y = rng.standard_normal((1, 40)).astype(dtype)
    z = -(x * y)[:, :1] * dtype(0.5)
    got = fma(x, y, z)
    for i in range(50):
        for j in range(40):
            assert got[i, j] == oracle(float(x[i, 0]), float(y[0, j]), float(z[i, 0]), dtype)


def test_mixed_dtypes_are_refused() -> None:
    with pytest.raises(TypeError, match="three float32 or three float64"):
        fma(np.zeros(1, np.float32), np.zeros(1, np.float32), np.zeros(1))
