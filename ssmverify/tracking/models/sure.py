"""How many steps of a rounded model are sure, by a proven bound.

The guarantee for channels whose gates are roots of unity, u being the unit roundoff: a gate that is rounded, to
float64 and from there to the format, errs by (1 + 2^-53)(1 + u) - 1 of its modulus at most. A complex product errs
√2 (2u + u²) of its own, for each of its parts errs by (2u + u²) times the sum of the moduli of two products, and
by Cauchy and Schwarz neither sum exceeds |a||h|. Below the normal range each of a step's four products errs by η, the
least subnormal. (To 16 bits a gate is rounded by way of float32. That matters only within 2^-24 of the middle of two
numbers, and there it errs by (u + 2^-24)/(1 + u - 2^-24) of itself at most, which is below u, as 2^-23 < u².)

Nothing is decoded wrongly while all that together is below r, half the distance of two codes, less what float64 loses
when it compares distances: the squares, of n channels and below 16 n, err by 16 n (n + 8) 2^-53 at most, with the
codes' own rounding, and the one to another code is the larger by 4 r (r - error) or more.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import mpmath
import torch

from ssmverify.tracking.models.models import DIGITS, Exact


def sure(layer: Exact, format: torch.dtype) -> float | None:
    """The steps after which every word is decoded rightly, by the bound of the module's docstring.

    None if it is not about this layer: roots of unity on the diagonal, nothing added. Real ones are exact: infinite.
    """
    one = layer.field.domain.one
    diagonal = not isinstance(layer.gates[0][0][0], list)
    if layer.inputs or not (
        diagonal and all(_is_root(g, one) for below in layer.gates for gate in below for g in gate)
    ):
        return None
    if layer.real:
        return math.inf
    info = torch.finfo(format)
    with mpmath.workdps(DIGITS):
        u, smallest = mpmath.mpf(info.eps) / 2, mpmath.mpf(info.tiny) * info.eps
        growth = (1 + mpmath.mpf(2) ** -53) * (1 + u) * (1 + mpmath.sqrt(2) * (2 * u + u * u))
        # after t steps the error is at most (growth^t - 1) (1 + 4 η / (growth - 1))
        r, n = _half_distance(layer), len(layer.points[0])
        allowed = (r - 8 * n * (n + 8) * 2.0**-53 / r) / (1 + 4 * smallest / (growth - 1))
        return int(mpmath.floor(mpmath.log1p(allowed) / mpmath.log(growth)))


def _is_root(element: Any, one: Any, largest: int = 5040) -> bool:
    power = element
    for _ in range(largest):
        if power == one:
            return True
        power *= element
    return False


def _half_distance(layer: Exact) -> float:
    """Half the least distance of two codes that differ in a channel, over the channels."""
    columns = [list(dict.fromkeys(column)) for column in zip(*layer.points, strict=True)]
    values = [[layer.field.value(x) for x in column] for column in columns]
    return min(abs(a - b) for column in values for a, b in combinations(column, 2)) / 2
