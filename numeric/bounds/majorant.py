"""Error bounds by running a computation on sizes and errors: the sum, product and rounding of `Majorant`s.

| symbol | meaning |
| --- | --- |
| X, E | of a number x and the computed x^: \\|x\\| <= X and \\|x^ - x\\| <= E |
| u, eta | unit roundoff; the largest absolute error of one operation below the normal range |

The two rules are `rounding.product` and `rounding.rounded` of `proofs/rounding.py`: |x^ y^ - xy| is at most
(X + E)(Y + F) - XY, and a rounding takes E to (1 + u)E + uX + eta. So the formula of a layer, run on Majorants, bounds
the layer's error. Every operation is charged its own rounding, a fused multiply-add two, and a sum of n terms n for
each term, which covers every order of summation. All terms are non-negative, and evaluated in float64: `bound` widens
by what that loses.

Division needs L > 0 with |y| >= L, for the exact y. With |y^ - y| <= F <= L/2 also |y^| >= L - F > 0, and

    x^/y^ - x/y = (x^ - x)/y^ + (x/y)(y - y^)/y^    so    |x^/y^ - x/y| <= (E + (X/L) F)/(L - F),    |x/y| <= X/L.

Where F may exceed L/2 the error is unbounded: infinite, here and in all that follows. (L - F >= L/2 >= F keeps the
relative error of the one subtraction that of F.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from numeric.bounds.model import relative, underflow, unit_roundoff, widened


@dataclass(frozen=True)
class Majorant:
    """Sizes X and errors E, float64 tensors of one shape, of a computation in `dtype`."""

    size: Tensor
    error: Tensor
    dtype: torch.dtype

    @staticmethod
    def of(x: Tensor) -> Majorant:
        """A number that is given, so without error."""
        size = x.detach().cpu().double().abs()
        return Majorant(size, torch.zeros_like(size), x.dtype)

    def moved(self, view: Callable[[Tensor], Tensor]) -> Majorant:
        """The same numbers in another shape or selection."""
        return Majorant(view(self.size), view(self.error), self.dtype)

    def __add__(self, other: Majorant) -> Majorant:
        return Majorant(self.size + other.size, self.error + other.error, self.dtype)._rounded(1)

    def __mul__(self, other: Majorant) -> Majorant:
        error = self.error * other.error + self.error * other.size + self.size * other.error
        return Majorant(self.size * other.size, error, self.dtype)._rounded(1)

    def divided(self, by: Majorant, at_least: float) -> Majorant:
        """The quotient, for a denominator that is exactly no smaller in size than `at_least` > 0."""
        size = self.size / at_least
        error = (self.error + size * by.error) / (at_least - by.error)
        known = (2 * by.error <= at_least).expand_as(error)
        return Majorant(size.expand_as(error), torch.where(known, error, torch.inf), self.dtype)._rounded(1)

    def at_most(self, size: Tensor) -> Majorant:
        """The same numbers, whose exact values are known to be no larger in size than this."""
        return Majorant(torch.minimum(self.size, size), self.error, self.dtype)

    def sum(self, dim: int) -> Majorant:
        """The sum over a dimension, in any order."""
        return self._rounded(self.size.shape[dim]).moved(lambda x: x.sum(dim))

    def __matmul__(self, other: Majorant) -> Majorant:
        """The product of matrices, in the last two dimensions."""
        return (self.moved(lambda x: x.unsqueeze(-1)) * other.moved(lambda x: x.unsqueeze(-3))).sum(-2)

    def _rounded(self, times: int) -> Majorant:
        u, eta = unit_roundoff(self.dtype), underflow(self.dtype)
        lost = float(relative(times, u))
        error = (1 + lost) * self.error + lost * self.size + times * (1 + lost) * eta
        return Majorant(self.size, error, self.dtype)

    def bound(self, length: int, n: int) -> Tensor:
        """The bound of the error, for a computation of `length` steps with sums of n terms."""
        return widened(self.error.nan_to_num(nan=torch.inf, posinf=torch.inf), length, n)  # NaN is 0 times infinity


def scanned(a: Majorant, b: Majorant, start: Majorant | None = None) -> Majorant:
    """The states of h_t = a_t h_{t-1} + b_t along dimension 1, stacked, in time order."""
    h, states = start, []
    for t in range(b.size.shape[1]):
        step = b.moved(lambda x, t=t: x[:, t])  # type: ignore[misc]
        h = step if h is None else a.moved(lambda x, t=t: x[:, t]) * h + step  # type: ignore[misc]
        states.append(h)
    if not states:
        return b
    return Majorant(torch.stack([s.size for s in states], 1), torch.stack([s.error for s in states], 1), b.dtype)
