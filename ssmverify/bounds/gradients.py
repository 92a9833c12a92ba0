"""Rules of autograd's own operations: each is its formula in rules that stand elsewhere, every step charged."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ssmverify.bounds.arithmetic import div, mul, rsub, square, sub
from ssmverify.bounds.ball import Ball, rounded
from ssmverify.bounds.comparisons import settled
from ssmverify.bounds.functions import exp, overflowed_exponential, sigmoid
from ssmverify.bounds.model import Refused, active
from ssmverify.bounds.registry import rule
from ssmverify.bounds.sums import total
from ssmverify.bounds.ulps import ULPS


@rule("aten::sigmoid_backward")
def sigmoid_backward(g: Ball, y: Ball) -> Ball:
    """g (1 - y) y, in either order of the products."""
    return mul(mul(g, rsub(y, 1.0)), y)


@rule("aten::tanh_backward")
def tanh_backward(g: Ball, y: Ball) -> Ball:
    """g (1 - y²)."""
    return mul(g, rsub(square(y), 1.0))


@rule("aten::softplus_backward")
def softplus_backward(g: Ball, x: Ball, beta: float, threshold: float) -> Ball:
    """g z/(z + 1), z = e^{βx}; past the threshold g, which is e^{-threshold} off."""
    if beta != 1:
        raise Refused("no proven rule for the gradient of softplus with beta other than 1")
    active().assume(f"exp within {ULPS['exp']:g} ulp")
    slope = sigmoid(x)
    # z has exp's error, which cancels but for a factor 1 - slope < 1; z + 1 and the quotient round once each
    slope.radius.add_(active().format(x.dtype).relative(3, ULPS["exp"], 3) * slope.reach)
    if not active().exact:
        past = x.value + 2 * x.radius > threshold
        slope.radius.add_(torch.where(past, 1.1 * math.exp(-threshold), 0.0))
    return mul(g, slope)


@rule("aten::log_sigmoid_backward")
def log_sigmoid_backward(g: Ball, x: Ball, buffer: Any) -> Ball:
    """g sigmoid(-x), evaluated as z/(1 + z) or 1 - z/(1 + z) with z = e^{-|x|}: the second cancels, so its rounding is
    charged to 1."""
    active().assume(f"exp within {ULPS['exp']:g} ulp")
    slope = sigmoid(-x)
    slope.radius.add_(active().format(x.dtype).relative(4, ULPS["exp"], 4) * 1.01)
    return mul(g, slope)


@rule("aten::silu_backward")
def silu_backward(g: Ball, x: Ball) -> Ball:
    """g s (1 + x (1 - s)), s = sigmoid(x): |silu''| <= 1/2, and the terms s and x s(1 - s) rounded on their own."""
    active().assume(f"sigmoid within {ULPS['sigmoid']:g} ulp")
    s = torch.sigmoid(x.value)
    value = s * (1 + x.value * (1 - s))
    size = s * (1 + x.value.abs()) if active().exact else s * (1 + x.value.abs() * (1 - s)) + 2.0**-23 * x.value.abs()
    slope = rounded(value, x.radius / 2, x.dtype, roundings=5, ulps=2 * ULPS["sigmoid"], size=size, storings=1)
    slope.radius.add_(overflowed_exponential(x))
    return mul(g, slope)


@rule("aten::gelu_backward")
def gelu_backward(g: Ball, x: Ball, *, approximate: str = "none") -> Ball:
    """g (Φ(x) + x φ(x)), |second derivative| <= 1.13; 1 + erf cancels, so its rounding is charged to 1 + |x| φ(x)."""
    if approximate != "none":
        raise Refused("no proven rule for the gradient of gelu by tanh: use approximate='none', or write it out")
    active().assume(f"erf within {ULPS['erf']:g} ulp")
    density = torch.exp(-(x.value**2) / 2) / math.sqrt(2 * math.pi)
    value = (1 + torch.erf(x.value / math.sqrt(2))) / 2 + x.value * density
    size = 1 + x.value.abs() * density * (1 + x.value**2)
    return mul(g, rounded(value, 1.13 * x.radius, x.dtype, roundings=8, ulps=4 * ULPS["erf"], size=size))


@rule("aten::threshold_backward")
def threshold_backward(g: Ball, x: Ball, threshold: float) -> Ball:
    """g where x > threshold, else 0: decided, or refused."""
    over = x.value > threshold
    near = (x.value - threshold).abs() <= 2 * x.radius
    settled("aten.threshold_backward", ~near | (x.radius == 0) | (g.reach == 0))
    return Ball(torch.where(over, g.value, 0.0), torch.where(over, g.radius, 0.0), g.dtype)


@rule("aten::hardtanh_backward")
def hardtanh_backward(g: Ball, x: Ball, low: float, high: float) -> Ball:
    """g inside the limits, else 0: decided, or refused."""
    inside = (x.value > low) & (x.value < high)
    near = torch.minimum((x.value - low).abs(), (x.value - high).abs()) <= 2 * x.radius
    settled("aten.hardtanh_backward", ~near | (x.radius == 0))
    return Ball(torch.where(inside, g.value, 0.0), torch.where(inside, g.radius, 0.0), g.dtype)


@rule("aten::_softmax_backward_data")
def softmax_backward(g: Ball, y: Ball, dim: int, dtype: torch.dtype) -> Ball:
    """(g - Σ g y) y, or g y - y Σ g y: the second is charged too."""
    weighted = mul(g, y)
    summed = total(weighted, dim, True)
    one, other = mul(sub(g, summed), y), sub(weighted, mul(y, summed))
    return Ball(one.value, torch.maximum(one.radius, other.radius), one.dtype)


@rule("aten::_log_softmax_backward_data")
def log_softmax_backward(g: Ball, y: Ball, dim: int, dtype: torch.dtype) -> Ball:
    """g - e^y Σ g."""
    return sub(g, mul(exp(y), total(g, dim, True)))


def _picked(x: Ball, target: Tensor, ignore: int) -> tuple[Ball, Tensor]:
    live = target != ignore
    index = torch.where(live, target, 0).unsqueeze(-1)
    taken = x.map(lambda z: torch.where(live, z.gather(-1, index).squeeze(-1), 0.0))
    return taken, live


@rule("aten::nll_loss_forward")
def nll_loss(x: Ball, target: Tensor, weight: Any, reduction: int, ignore: int) -> tuple[Ball, Ball]:
    """-x at the target, their mean (1) or sum (2) over what is not ignored; and how many those are."""
    if weight is not None or x.value.ndim != 2:
        raise Refused("no proven rule for nll_loss with class weights, or over more than (N, C)")
    taken, live = _picked(x, target, ignore)
    many = Ball(live.sum().double(), torch.zeros((), dtype=torch.float64), x.dtype)
    if reduction == 0:
        return -taken, many
    summed = -total(taken)
    return (div(summed, many) if reduction == 1 else summed), many


@rule("aten::nll_loss_backward")
def nll_loss_backward(g: Ball, x: Ball, target: Tensor, weight: Any, reduction: int, ignore: int, many: Ball) -> Ball:
    """-g, or -g/n, at the target."""
    if weight is not None or x.value.ndim != 2:
        raise Refused("no proven rule for nll_loss with class weights, or over more than (N, C)")
    live = target != ignore
    index = torch.where(live, target, 0).unsqueeze(-1)
    each = -(div(g, many) if reduction == 1 else g)
    each = each.map(lambda z: torch.where(live, z.expand(target.shape), 0.0).unsqueeze(-1))
    zero = torch.zeros_like(x.value)
    return Ball(zero.scatter(1, index, each.value), zero.scatter(1, index, each.radius), x.dtype)
