"""Rules of what selects or shrinks entry by entry: 1-Lipschitz functions, which round nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ssmverify.bounds.arithmetic import mul
from ssmverify.bounds.ball import Ball, met, operand
from ssmverify.bounds.registry import rule


def _one_lipschitz(f: Callable[..., Tensor], *operands: Any) -> Ball:
    dtype = met(*operands)
    balls = [operand(x, dtype) for x in operands]
    value = f(*(x.value for x in balls))
    radius = balls[0].radius
    for x in balls[1:]:
        radius = torch.maximum(radius, x.radius)
    return Ball(value, radius.expand_as(value).clone(), dtype)


@rule("aten::relu")
def relu(x: Ball) -> Ball:
    """1-Lipschitz, without rounding; and 0 where x is certainly negative."""
    return Ball(x.value.clamp(min=0), torch.where(x.value + 2 * x.radius <= 0, 0.0, x.radius), x.dtype)


@rule("aten::abs")
def absolute(x: Ball) -> Ball:
    """1-Lipschitz, without rounding."""
    return Ball(x.value.abs(), x.radius.clone(), x.dtype)


@rule("aten::maximum", "aten::fmax")
def maximum(x: Any, y: Any) -> Ball:
    """1-Lipschitz in both at once, without rounding."""
    return _one_lipschitz(torch.maximum, x, y)


@rule("aten::minimum", "aten::fmin")
def minimum(x: Any, y: Any) -> Ball:
    """1-Lipschitz in both at once, without rounding."""
    return _one_lipschitz(torch.minimum, x, y)


@rule("aten::clamp", "aten::hardtanh")
def clamp(x: Ball, min: Any = None, max: Any = None) -> Ball:
    """1-Lipschitz in x and the limits at once, without rounding."""
    result = x.map(torch.clone)
    if min is not None:
        result = _one_lipschitz(torch.maximum, result, _as_ball(min, x.dtype))
    if max is not None:
        result = _one_lipschitz(torch.minimum, result, _as_ball(max, x.dtype))
    return Ball(result.value, result.radius, x.dtype if not isinstance(min, Ball) else result.dtype)


def _as_ball(x: Any, dtype: torch.dtype) -> Ball:
    return x if isinstance(x, Ball) else operand(x, dtype)


@rule("aten::clamp_min")
def clamp_min(x: Ball, min: Any) -> Ball:
    """1-Lipschitz."""
    return clamp(x, min)


@rule("aten::clamp_max")
def clamp_max(x: Ball, max: Any) -> Ball:
    """1-Lipschitz."""
    return clamp(x, None, max)


@rule("aten::leaky_relu")
def leaky_relu(x: Ball, negative_slope: float = 0.01) -> Ball:
    """x, or slope x rounded once, (1 or |slope|)-Lipschitz."""
    scaled = mul(x, negative_slope)
    low, high = x.value - 2 * x.radius, x.value + 2 * x.radius
    value = torch.where(x.value >= 0, x.value, scaled.value)
    larger = torch.maximum(x.radius, scaled.radius)
    return Ball(value, torch.where(low > 0, x.radius, torch.where(high < 0, scaled.radius, larger)), x.dtype)
