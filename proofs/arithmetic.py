"""The arithmetics that a construction runs over.

A construction or a recurrence is written once, with `+ - * /`,
`@` and `.T`, and runs over whatever numbers it is given:

| arithmetic | elements | what a run of the construction gives |
| --- | --- | --- |
| words | `proofs.terms` | the statement itself, for every size; the kernel's normal form decides it |
| rationals | `fmpq`, in object arrays | the exact value on given numbers, such as the floats that a layer was given |
| polynomials | sympy's ring over the rationals | the value as a polynomial in the entries that were left open |
| balls | `arb` | an enclosure of the value over an interval of inputs |
| a prime field | `nmod` | evidence for an identity too big to expand |

A non-zero polynomial of degree D vanishes at a random point of the field of p elements with probability at most D/p.
Division is the arithmetic's own, so a zero denominator is an error where it occurs and nothing is cancelled before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import nmod
from sympy import QQ
from sympy.polys.rings import ring

from proofs.kernel import rational

Number = Callable[[Any], Any]  # how a number enters an arithmetic


def polynomials(count: int) -> tuple[Number, list[Any]]:
    """The polynomials over the rationals in `count` variables: how a number enters, and the variables."""
    constant, *variables = ring([f"x{i}" for i in range(count)], QQ)
    return constant, variables


def prime_field(p: int) -> Number:
    """The field of p elements: a rational enters as numerator over denominator. p must be a prime."""

    def residue(value: Any) -> nmod:
        q = rational(value)
        return nmod(int(q.p), p) / nmod(int(q.q), p)

    return residue


def entrywise(number: Number, array: Any) -> Any:
    """An array of numbers over another arithmetic."""
    entries = np.array(array, dtype=object)
    result = np.empty(entries.shape, dtype=object)
    for place, value in np.ndenumerate(entries):
        result[place] = number(value)
    return result
