"""How numbers enter: as exact rationals, and as balls. Part of the trusted base, which `proofs.kernel` lists."""

from __future__ import annotations

from typing import Any

from flint import arb, fmpq


def rational(value: Any) -> fmpq:
    """An int, Fraction, fmpq or finite float as an exact rational."""
    if isinstance(value, fmpq):
        return value
    return fmpq(*(int(part) for part in value.as_integer_ratio()))


def ball(lo: Any, hi: Any) -> arb:
    """A ball that contains the interval from lo to hi, both exact."""
    return arb(rational(lo)).union(arb(rational(hi)))
