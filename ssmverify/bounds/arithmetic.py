"""Rules of sums, products and quotients entry by entry, by `rounding.product` and `rounding.rounded` of proofs."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ssmverify.bounds.ball import WIDER, Ball, met, operand, rounded
from ssmverify.bounds.model import HALF, Refused, active
from ssmverify.bounds.registry import rule

SLACK = 1 + 2.0**-40  # of evaluating a spread in float64


def exact_infinity(*balls: Ball) -> Tensor | None:
    """Where an operand is an exact infinity and the others are finite; None where there is no infinity."""
    infinite = [x.value.isinf() & (x.radius == 0) for x in balls]
    if not any(bool(i.any()) for i in infinite):
        return None
    found = infinite[0]
    for i in infinite[1:]:
        found = found | i
    for x, i in zip(balls, infinite, strict=True):
        found = found & (i | (x.reach < math.inf))
    return found


def _maybe_infinite(value: Tensor, *balls: Ball) -> Tensor | None:
    """`exact_infinity`, asked only where a value is infinite."""
    if value.numel() == 0 or math.isfinite(float(value.sum())):
        return None
    return exact_infinity(*balls)


@rule("aten::add")
def add(x: Any, y: Any, *, alpha: float = 1) -> Ball:
    """x + alpha y. The rounding of a sum is at most each addend's size (to nearest: an addend is a candidate), three
    times that where it is rounded twice; so x + 0 is exact. alpha y is charged its own rounding."""
    dtype = met(x, y)
    a, b = operand(x, dtype), operand(y, dtype)
    if alpha == -1:
        b = Ball(-b.value, b.radius, b.dtype)
    elif alpha != 1:
        b = mul(b, alpha)
    form = active().format(dtype)
    value, spread = a.value + b.value, a.radius + b.radius
    terms = value.abs().add_(spread, alpha=2)
    smaller = torch.minimum(a.reach, b.reach)
    if dtype in HALF:
        smaller = smaller * 3
    relative = form.relative(1)
    radius = torch.minimum(terms * relative, smaller).add_(spread)
    certain = _maybe_infinite(value, a, b)
    if terms.numel() and not float(terms.amax()) * (1 + relative) < form.largest:
        finite = terms * (1 + relative) < form.largest  # and a number
        radius, terms = torch.where(finite, radius, math.inf), torch.where(finite, terms, form.largest)
    tiny = form.eta + form.stored_eta
    radius.add_(terms.clamp_(max=tiny)).mul_(WIDER)
    return Ball(value, radius if certain is None else torch.where(certain & ~value.isnan(), 0.0, radius), dtype)


@rule("aten::sub")
def sub(x: Any, y: Any, *, alpha: float = 1) -> Ball:
    """x - alpha y: as `add`."""
    return add(x, y, alpha=-alpha)


@rule("aten::rsub")
def rsub(x: Any, y: Any, alpha: float = 1) -> Ball:
    """y - alpha x: as `add`."""
    return add(y, x, alpha=-alpha)


@rule("aten::mul")
def mul(x: Any, y: Any) -> Ball:
    """x y (`rounding.product`): with |x| <= |v| + r, the computed product is off by r|w| + |v|s + 3rs at most.

    By a power of two it is exact, but for underflow."""
    dtype = met(x, y)
    a, b = operand(x, dtype), operand(y, dtype)
    value = a.value * b.value
    spread = (a.radius * b.value.abs()).add_((a.value.abs() + 3 * a.radius) * b.radius)
    certain = None
    if value.numel() and not math.isfinite(float(value.sum())):
        signed = (a.value.abs() > 2 * a.radius) & (b.value.abs() > 2 * b.radius)
        infinite = exact_infinity(a, b)
        certain = None if infinite is None else infinite & signed
    exact = _is_power_of_two(x) or _is_power_of_two(y)
    count = 0 if exact else 1
    nought = lambda: (a.reach == 0) | (b.reach == 0)  # noqa: E731
    return rounded(value, spread, dtype, roundings=count, storings=count, certain=certain, zero=nought)


def _is_power_of_two(x: Any) -> bool:
    return (
        isinstance(x, int | float) and math.isfinite(x) and abs(math.frexp(x)[0]) == 0.5 and 2**-14 <= abs(x) <= 2**14
    )


@rule("aten::div")
def div(x: Any, y: Any, *, rounding_mode: str | None = None) -> Ball:
    """x/y for |y| >= L = |w| - 2s > 0: off by (r + (|v| + r)/L s)/L at most; else no bound.

    As in `numeric/bounds/majorant.py`.
    """
    if rounding_mode is not None:
        raise Refused(f"no proven rule for a quotient rounded to an integer (rounding_mode={rounding_mode!r})")
    dtype = met(x, y)
    a, b = operand(x, dtype), operand(y, dtype)
    value = a.value / b.value
    least = b.value.abs().sub_(b.radius, alpha=2)
    spread = (((a.value.abs() + a.radius) / least) * b.radius + a.radius) / least
    spread = torch.where(least > 0, spread * SLACK, math.inf)
    exact = _is_power_of_two(y)
    infinite = torch.isinf(a.value + b.value) if value.numel() and not math.isfinite(float(value.sum())) else None
    certain = None if infinite is None else infinite & (a.radius == 0) & (b.radius == 0)
    spread = spread if certain is None else torch.where(certain, 0.0, spread)
    count = 0 if exact else 1
    nought = lambda: (a.reach == 0) & (least > 0)  # noqa: E731
    return rounded(value, spread, dtype, roundings=count, storings=count, certain=certain, zero=nought)


@rule("aten::neg")
def neg(x: Ball) -> Ball:
    """Exact."""
    return -x


@rule("aten::square")
def square(x: Ball) -> Ball:
    """x x."""
    return mul(x, x)


@rule("aten::reciprocal")
def reciprocal(x: Ball) -> Ball:
    """1/x; where a machine approximates it, it is as good as a quotient."""
    return div(1.0, x)


@rule("aten::addcmul")
def addcmul(c: Any, x: Any, y: Any, *, value: float = 1) -> Ball:
    """c + value x y, each product and the sum charged."""
    return add(c, mul(mul(x, y), value) if value != 1 else mul(x, y))


@rule("aten::addcdiv")
def addcdiv(c: Any, x: Any, y: Any, *, value: float = 1) -> Ball:
    """c + value x/y, the product, the quotient and the sum charged, in either order of the two."""
    return add(c, mul(div(x, y), value) if value != 1 else div(x, y))


@rule("aten::lerp")
def lerp(start: Any, end: Any, weight: Any) -> Ball:
    """start + weight (end - start), or end - (end - start)(1 - weight), whichever is worse; torch uses both."""
    step = sub(end, start)
    one, other = add(start, mul(weight, step)), sub(end, mul(step, rsub(weight, 1.0)))
    return Ball(one.value, torch.maximum(one.radius, other.radius), one.dtype)
