"""Random exact matrices: those of a certain structure come more often than chance would have it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from flint import fmpq

from proofs.points.solving import small

ROTATIONS = ((0, 1), (1, 0), (fmpq(3, 5), fmpq(4, 5)), (fmpq(4, 5), fmpq(-3, 5)), (fmpq(5, 13), fmpq(12, 13)))


def filled(rows: int, columns: int, entry: Callable[[int, int], Any]) -> Any:
    """The matrix with `entry(i, j)` at row i and column j; there may be none."""
    result = np.empty((rows, columns), dtype=object)
    for i, j in np.ndindex(rows, columns):
        result[i, j] = entry(i, j)
    return result


def zeros(rows: int, columns: int) -> Any:
    """All entries 0."""
    return filled(rows, columns, lambda i, j: fmpq(0))


def any_matrix(chosen: random.Random, rows: int, columns: int, special: int = 1, positive: bool = False) -> Any:
    """Entries of any kind; `special` times in 8 zero or, if square, a projection, nilpotent or the identity."""
    kinds = ("zero",) + ("projection", "nilpotent", "identity") * (rows == columns > 1)
    match chosen.choice(kinds) if chosen.randint(0, 7) > 7 - special else "any":
        case "zero":
            return zeros(rows, columns)
        case "projection":
            return filled(rows, columns, lambda i, j: fmpq(i == j and chosen.randint(0, 1)))
        case "nilpotent":
            return filled(rows, columns, lambda i, j: small(chosen) if j > i else fmpq(0))
        case "identity":
            return filled(rows, columns, lambda i, j: fmpq(i == j))
    return filled(rows, columns, lambda i, j: small(chosen, positive=positive))


def orthogonal(chosen: random.Random, n: int) -> Any:
    """A rational orthogonal matrix: signs, a permutation, and rotations by Pythagorean triples."""
    places = chosen.sample(range(n), n)
    result = filled(n, n, lambda i, j: fmpq(chosen.choice((1, -1))) if places[i] == j else fmpq(0))
    for _ in range(n if n > 1 else 0):
        i, j = chosen.sample(range(n), 2)
        cosine, sine = chosen.choice(ROTATIONS)
        result[i], result[j] = cosine * result[i] - sine * result[j], sine * result[i] + cosine * result[j]
    return result
