"""What a machine can hold, and casts to it, exactly: rationals in, rationals out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from ssmverify.errors import BadInput

Real = Fraction | int
Cast = Callable[[Fraction], Fraction]


@dataclass(frozen=True)
class Gaussian:
    """A complex number with rational parts."""

    re: Fraction
    im: Fraction

    def __add__(self, other: Gaussian) -> Gaussian:
        return Gaussian(self.re + other.re, self.im + other.im)

    def __mul__(self, other: Gaussian) -> Gaussian:
        return Gaussian(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)

    def __str__(self) -> str:
        return f"{self.re}{'-' if self.im < 0 else '+'}{abs(self.im)}i"


N = TypeVar("N", Fraction, Gaussian)


def gaussian(re: Real | str, im: Real | str = 0) -> Gaussian:
    """re + im i, from integers, fractions or strings such as '-3/5'."""
    return Gaussian(Fraction(re), Fraction(im))


def cast_parts(cast: Cast, z: N) -> N:
    """The cast of a real number; of a complex one, that of its two parts."""
    return Gaussian(cast(z.re), cast(z.im)) if isinstance(z, Gaussian) else cast(z)


def half_away(q: Fraction) -> int:
    """The nearest integer; of two, the one away from 0."""
    return math.floor(abs(q) + Fraction(1, 2)) * (-1 if q < 0 else 1)


ROUNDINGS: dict[str, Callable[[Fraction], int]] = {
    "nearest-even": round,
    "floor": math.floor,
    "half-away": half_away,
    "toward-zero": math.trunc,
}


def rounding(name: str) -> Callable[[Fraction], int]:
    """The rounding to integers of that name; raises BadInput for another."""
    if name not in ROUNDINGS:
        raise BadInput(f"there is no rounding {name!r}: take one of {', '.join(ROUNDINGS)}")
    return ROUNDINGS[name]


@dataclass(frozen=True)
class Fixed:
    """Fixed point: the multiples of `unit` from `low` to `high` times it.

    What is beyond them saturates, or with `wraps` is taken modulo their number. With `flushes`, what is smaller than
    one unit becomes 0. Called with a rational, it gives the rational it is rounded to.
    """

    low: int
    high: int
    unit: Fraction = Fraction(1)
    rounding: str = "nearest-even"
    wraps: bool = False
    flushes: bool = False

    def __post_init__(self) -> None:
        rounding(self.rounding)
        if not (self.low <= 0 <= self.high and self.unit > 0):
            raise BadInput(f"fixed point needs low <= 0 <= high and a unit above 0, given {self}")

    def __call__(self, q: Fraction) -> Fraction:
        scaled = Fraction(q) / self.unit
        number = 0 if self.flushes and abs(scaled) < 1 else rounding(self.rounding)(scaled)
        return self.within(number) * self.unit

    def within(self, number: int) -> int:
        """A number of units, brought into the range."""
        if self.wraps:
            return self.low + (number - self.low) % (self.high - self.low + 1)
        return min(max(number, self.low), self.high)

    def __iter__(self) -> Iterator[Fraction]:
        """Every number there is, in increasing order."""
        return (number * self.unit for number in range(self.low, self.high + 1))


@dataclass(frozen=True)
class Float:
    """IEEE 754 binary floating point: p = `precision` binary digits, exponents from `lowest` to `highest`.

    Below 2**lowest the numbers are multiples of 2**(lowest - p + 1), gradual underflow; with `flushes` a result that
    is that small becomes 0. Overflow raises BadInput: infinity is no rational. Called with a rational, it gives the
    rational it is rounded to.
    """

    precision: int
    lowest: int
    highest: int
    rounding: str = "nearest-even"
    flushes: bool = False

    def __post_init__(self) -> None:
        rounding(self.rounding)

    def __call__(self, q: Fraction) -> Fraction:
        if q == 0:
            return Fraction(0)
        unit = Fraction(2) ** (max(exponent(abs(q)), self.lowest) - self.precision + 1)
        value = rounding(self.rounding)(q / unit) * unit
        if abs(value) >= Fraction(2) ** (self.highest + 1):
            raise BadInput(
                f"2**{exponent(abs(value))} or more overflows this floating-point format: scale the inputs down"
            )
        return Fraction(0) if self.flushes and abs(value) < Fraction(2) ** self.lowest else value

    @property
    def smallest(self) -> Fraction:
        """The smallest positive number without flushing."""
        return Fraction(2) ** (self.lowest - self.precision + 1)


def exponent(q: Fraction) -> int:
    """The integer e with 2**e <= q < 2**(e + 1), for q > 0."""
    e = q.numerator.bit_length() - q.denominator.bit_length()
    return e if Fraction(2) ** e <= q else e - 1


Format = Fixed | Float

FLOAT16, BFLOAT16, FLOAT32, FLOAT64 = (
    Float(11, -14, 15),
    Float(8, -126, 127),
    Float(24, -126, 127),
    Float(53, -1022, 1023),
)
