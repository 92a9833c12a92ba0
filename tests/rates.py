"""Rates of errors as intervals: what a measured slope says of the exponent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from flint import arb


def order(sizes: Sequence[int], found: Sequence[arb]) -> tuple[float, float]:
    """An interval for p in error ~ size^p, for errors with an expansion in 1/size, at sizes that double.

    The slopes of neighbours are extrapolated as in Romberg's scheme; the interval is the last value with twice its
    distance to the one before.
    """
    assert all(b == 2 * a for a, b in pairwise(sizes))
    column = [(b / a).log() / arb(2).log() for a, b in pairwise(found)]
    ends = [column[-1]]
    for j in range(1, len(column)):
        column = [b + (b - a) / (2**j - 1) for a, b in pairwise(column)]
        ends.append(column[-1])
    centre, spread = float(ends[-1].mid()), 2 * abs(float((ends[-1] - ends[-2]).mid()))
    return centre - spread, centre + spread


def confidence(sizes: Sequence[int], found: Sequence[float]) -> tuple[float, float]:
    """A 95 % confidence interval of the slope in the regression of log error on log size."""
    x, y = np.log(sizes) - np.log(sizes).mean(), np.log(found) - np.log(found).mean()
    slope = (x @ y) / (x @ x)
    spread = math.sqrt(((y - slope * x) ** 2).sum() / (len(sizes) - 2) / (x @ x))
    t = {4: 4.303, 5: 3.182, 6: 2.776, 7: 2.571}[len(sizes)]
    return slope - t * spread, slope + t * spread


def holds_rate(interval: tuple[float, float], proved: float, width: float = 0.05) -> bool:
    low, high = interval
    return low <= proved <= high and high - low < width
