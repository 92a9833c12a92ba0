"""Rules of functions entry by entry.

A function f rests on one number D >= |f'| on [value - 2 radius, value + 2 radius], an interval that holds the value,
the exact and the computed number: so the spread is D radius (mean value theorem). Its own rounding is `ulps` units of
2u of |f|, measured (`ulps.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ssmverify.bounds.arithmetic import SLACK, div, exact_infinity, mul, reciprocal, square
from ssmverify.bounds.ball import Ball, met, operand, rounded
from ssmverify.bounds.model import HALF, Refused, active
from ssmverify.bounds.registry import rule
from ssmverify.bounds.ulps import ULPS

Derivative = Callable[[Tensor, Tensor], Tensor]  # of low and high, the ends of the interval


def function(name: str, f: Callable[..., Tensor], derivative: Derivative, *, limit: bool = True) -> Callable[..., Ball]:
    """The rule of a function from a bound of its derivative; `limit`: it is exact at infinities, up to rounding."""
    odd = float(f(torch.zeros(()))) == 0  # f(0) = 0 exactly, in every libm

    def apply(x: Any) -> Ball:
        ball = operand(x, met(x))
        active().assume(f"{name} within {ULPS[name]:g} ulp")
        value = f(ball.value)
        reach = 2 * ball.radius
        slope = derivative(ball.value - reach, ball.value + reach)
        spread = torch.where(ball.radius == 0, 0.0, ball.radius * slope * SLACK)
        infinite = None
        if limit and ball.value.numel() and not math.isfinite(float(ball.value.sum())):
            infinite = exact_infinity(ball)
        nought = (lambda: ball.reach == 0) if odd else None
        return rounded(value, spread, ball.dtype, ulps=ULPS[name], roundings=0, certain=infinite, zero=nought)

    apply.__doc__ = f"{name}: D bounds the derivative between the ends of the interval; ulps measured."
    return rule(f"aten::{name}")(apply)


def _nearest(low: Tensor, high: Tensor) -> Tensor:
    """The smallest size in [low, high]."""
    return torch.maximum(low, -high).clamp(min=0)


def _positive(low: Tensor, slope: Tensor) -> Tensor:
    return torch.where(low > 0, slope, math.inf)


def _logistic_slope(low: Tensor, high: Tensor) -> Tensor:
    size = _nearest(low, high)  # sigmoid' = sigmoid(x) sigmoid(-x) falls from 0
    return torch.sigmoid(-size)


def _sech_squared(low: Tensor, high: Tensor) -> Tensor:
    shrunk = torch.exp(-2 * _nearest(low, high))  # 1 - tanh² = 4 e^-2x/(1 + e^-2x)², falling from 0
    return 4 * shrunk / (1 + shrunk) ** 2


def _bell(low: Tensor, high: Tensor) -> Tensor:
    return 2 / math.sqrt(math.pi) * torch.exp(-(_nearest(low, high) ** 2))


def softplus64(x: Tensor) -> Tensor:
    """log(1 + e^x) without overflow."""
    return x.clamp(min=0) + torch.log1p(torch.exp(-x.abs()))


exp = function("exp", torch.exp, lambda low, high: torch.exp(high))
exp2 = function("exp2", torch.exp2, lambda low, high: torch.exp2(high))
expm1 = function("expm1", torch.expm1, lambda low, high: torch.exp(high))
log = function("log", torch.log, lambda low, high: _positive(low, 1 / low))
log2 = function("log2", torch.log2, lambda low, high: _positive(low, 1.4427 / low))
log1p = function("log1p", torch.log1p, lambda low, high: _positive(1 + low, 1 / (1 + low)))
sigmoid = function("sigmoid", torch.sigmoid, _logistic_slope)
tanh = function("tanh", torch.tanh, _sech_squared)
erf = function("erf", torch.erf, _bell)
sin = function("sin", torch.sin, lambda low, high: torch.ones_like(low), limit=False)
cos = function("cos", torch.cos, lambda low, high: torch.ones_like(low), limit=False)
rsqrt = function("rsqrt", torch.rsqrt, lambda low, high: _positive(low, 0.5 * low.clamp(min=1e-300) ** -1.5))


@rule("aten::sqrt")
def sqrt(x: Ball) -> Ball:
    """|√c - √x| <= √|c - x|, and r/(2 √(v - 2r)) where that is defined; no bound where x may be negative."""
    active().assume(f"sqrt within {ULPS['sqrt']:g} ulp")
    low = x.value - 2 * x.radius
    spread = torch.minimum(x.radius.sqrt(), x.radius / 2 / low.clamp(min=1e-300).sqrt())
    spread = torch.where(low >= 0, spread * SLACK, math.inf)
    nought = lambda: x.reach == 0  # noqa: E731
    return rounded(torch.sqrt(x.value), spread, x.dtype, roundings=0, ulps=ULPS["sqrt"], zero=nought)


def silu64(x: Tensor) -> Tensor:
    """x sigmoid(x)."""
    return torch.nn.functional.silu(x)


@rule("aten::glu")
def glu(x: Ball, dim: int = -1) -> Ball:
    """a sigmoid(b), a and b the halves."""
    half = x.value.shape[dim] // 2
    return mul(x.map(lambda z: z.narrow(dim, 0, half)), sigmoid(x.map(lambda z: z.narrow(dim, half, half))))


def _silu_slope(low: Tensor, high: Tensor) -> Tensor:
    # silu' = s + x s(1 - s), s = sigmoid(x): at most 1.0999 everywhere, and s(1 + |x|) where s is small
    return torch.minimum(torch.sigmoid(high) * (1 + torch.maximum(low.abs(), high.abs())), torch.full_like(low, 1.0999))


_silu = function("silu", silu64, _silu_slope, limit=False)


@rule("aten::silu")
def silu(x: Ball) -> Ball:
    """x sigmoid(x), D see `_silu_slope`; as x/(1 + e^{-x}) it is 0 where e^{-x} overflows: charged to |x| e^x there."""
    result = _silu(x)
    result.radius.add_(overflowed_exponential(x))
    return result


def overflowed_exponential(x: Ball) -> Tensor:
    """(1 + |x|) e^x where e^{-x} may overflow, else 0."""
    run = active()
    edge = math.log(run.format(torch.float32 if x.dtype in HALF else x.dtype).largest) - 1
    low, high = x.value - 2 * x.radius, x.value + 2 * x.radius
    return torch.where(low < -edge, (1 + low.abs()) * torch.exp(high.clamp(max=0)) * SLACK, 0.0).nan_to_num(nan=0.0)


@rule("aten::softplus")
def softplus(x: Ball, beta: float = 1, threshold: float = 20) -> Ball:
    """log(1 + e^{βx})/β, whose derivative is sigmoid(βx); past the threshold torch returns x, e^{-threshold}/β off."""
    if beta != 1:
        return div(softplus(mul(x, beta), 1, threshold), beta)
    active().assume(f"softplus within {ULPS['softplus']:g} ulp")
    high = x.value + 2 * x.radius
    spread = x.radius * torch.sigmoid(high) * SLACK
    result = rounded(softplus64(x.value), spread, x.dtype, roundings=0, ulps=ULPS["softplus"])
    if not active().exact:
        result.radius.add_(torch.where(high > threshold, 1.1 * math.exp(-threshold), 0.0))
    return result


@rule("aten::log_sigmoid_forward")
def log_sigmoid(x: Ball) -> tuple[Ball, Ball]:
    """-log(1 + e^{-x}) = min(x, 0) - log1p(e^{-|x|}), for every x; and the buffer that torch keeps, empty on a CPU."""
    active().assume(f"log_sigmoid within {ULPS['log_sigmoid']:g} ulp")
    spread = x.radius * torch.sigmoid(-(x.value - 2 * x.radius)) * SLACK
    result = rounded(-softplus64(-x.value), spread, x.dtype, roundings=0, ulps=ULPS["log_sigmoid"])
    none = torch.zeros(0, dtype=torch.float64)
    return result, Ball(none, none.clone(), x.dtype)


@rule("aten::gelu")
def gelu(x: Ball, *, approximate: str = "none") -> Ball:
    """x Φ(x), |derivative| <= 1.13. Evaluated as 0.5 x (1 + erf(x/√2)) it loses relative accuracy where 1 + erf
    cancels: its rounding is charged to |x|, not to the result. With "tanh" the same."""
    name = "gelu_tanh" if approximate == "tanh" else "gelu"
    active().assume(f"{name} within {ULPS[name]:g} ulp of |x|")
    value = torch.nn.functional.gelu(x.value, approximate=approximate)
    return rounded(value, 1.13 * x.radius, x.dtype, roundings=0, ulps=ULPS[name], size=x.value.abs())


@rule("aten::pow")
def power(x: Any, k: Any) -> Ball:
    """x^k for a number k: products for whole k up to 3, else |derivative| = |k| |x|^{k-1}; and base^x for a number."""
    if isinstance(x, int | float) and isinstance(k, Ball):
        return _exponential(float(x), k)
    if not isinstance(x, Ball) or not isinstance(k, int | float):
        raise Refused("no proven rule for a power whose exponent is a tensor: write exp(k log x)")
    simple: dict[float, Callable[[Ball], Ball]] = {
        1: lambda z: z.map(torch.clone),
        2: square,
        3: lambda z: mul(mul(z, z), z),
    }
    simple |= {0.5: sqrt, -0.5: rsqrt, -1: reciprocal}
    if k in simple:
        return simple[k](x)
    active().assume(f"pow within {ULPS['pow']:g} ulp")
    least, most = _nearest(x.value - 2 * x.radius, x.value + 2 * x.radius), x.reach
    slope = abs(k) * torch.maximum(least ** (k - 1), most ** (k - 1))
    defined = (x.value - 2 * x.radius > 0) | torch.tensor(float(k).is_integer() and k >= 0)
    spread = torch.where(defined, x.radius * slope * SLACK, math.inf)
    return rounded(x.value**k, spread, x.dtype, roundings=0, ulps=ULPS["pow"])


def _exponential(base: float, x: Ball) -> Ball:
    if base <= 0:
        raise Refused(f"no proven rule for {base} to the power of a tensor")
    active().assume(f"pow within {ULPS['pow']:g} ulp")
    c = constant_of(base, x.dtype)
    high = x.reach
    slope = abs(math.log(base)) * torch.exp(torch.maximum((x.value + 2 * x.radius) * math.log(base), torch.zeros(())))
    value = torch.tensor(base, dtype=torch.float64) ** x.value
    spread = x.radius * slope * SLACK + c / base * high * torch.exp(high * (abs(math.log(base)) + 2 * c / base))
    return rounded(value, spread, x.dtype, roundings=0, ulps=ULPS["pow"])


def constant_of(number: float, dtype: torch.dtype) -> float:
    """How far a number is from itself in the dtype."""
    return float(operand(number, dtype).radius)


@rule("aten::elu")
def elu(x: Ball, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Ball:
    """x, or alpha (e^x - 1): alpha, then scale, charged a rounding each; alpha itself is rounded to the dtype."""
    if input_scale != 1 or alpha < 0:
        raise Refused("no proven rule for elu with a negative alpha or a scaled input: write it with where and expm1")
    slope = torch.where(x.value - 2 * x.radius > 0, 1.0, max(1.0, alpha))
    value = torch.where(x.value > 0, x.value, alpha * torch.expm1(x.value.clamp(max=0)))
    active().assume(f"expm1 within {ULPS['expm1']:g} ulp")
    off = constant_of(alpha, x.dtype)
    result = rounded(value, x.radius * slope + off, x.dtype, roundings=1, ulps=ULPS["expm1"])
    return result if scale == 1 else mul(result, scale)
