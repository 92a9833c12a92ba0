"""Rules of operations that a kernel fuses: softmax, log_softmax, logsumexp, and norms by moments.

A rule covers every kernel that evaluates the formula in its docstring; the derivations are by hand.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ssmverify.bounds.arithmetic import add, mul, sub
from ssmverify.bounds.ball import WIDER, Ball, narrowed, rounded
from ssmverify.bounds.functions import rsqrt, sqrt
from ssmverify.bounds.model import HALF, Refused, active
from ssmverify.bounds.registry import rule
from ssmverify.bounds.sums import mean, total
from ssmverify.bounds.ulps import ULPS


# -------------------------------------------------------------------------------------------- softmax and relatives
def _exponents(x: Ball, dim: int, u: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The shadow of softmax, E_j >= the error of the exponent x_j - max x, the excess of Σ p_j e^{E_j} over 1, max r.

    E_j = r_j + u R_j with R_j = |c_j - max c|: subtracting the same maximum from all does not change a
    softmax, so its own error does not count. Places that hold -inf exactly have weight 0 and are left out.
    """
    live = x.value > -math.inf
    top = x.value.amax(dim, keepdim=True)
    largest = torch.where(live, x.radius, 0.0).amax(dim, keepdim=True)
    distance = torch.where(live, (x.value - top).abs() + 2 * x.radius + 2 * largest, 0.0)
    error = torch.where(live, x.radius, 0.0) + u * distance
    shadow = torch.softmax(x.value, dim)
    excess = torch.exp(2 * largest) * (shadow * torch.expm1(error)).sum(dim, keepdim=True) * (1 + 2.0**-30)
    return shadow, error, excess, largest


@rule("aten::_softmax", "aten::_safe_softmax")
def softmax(x: Ball, dim: int, half_to_float: Any = False) -> Ball:
    """e^{x_i - m}/Σ_j e^{x_j - m}, m the maximum.

    Numerator and denominator are off by factors within e^{±E_i}(1 + ρ) and 1 + Σ_j p_j(e^{E_j} - 1), and as much the
    other way (Jensen); n - 1 roundings of the sum, and 2 of a quotient or of a product with a rounded inverse. A
    numerator may underflow; the denominator is at least 1, so that adds η a term.
    """
    run = active()
    run.assume(f"exp within {ULPS['exp']:g} ulp")
    if x.value.ndim == 0:
        return Ball(torch.ones_like(x.value), torch.zeros_like(x.value), x.dtype)
    dtype = torch.float32 if half_to_float is True else x.dtype
    form, n = run.format(dtype), x.value.shape[dim]
    shadow, error, excess, largest = _exponents(x, dim, form.u)
    live = x.value > -math.inf
    fixed = form.relative(n + 2) + 2 * form.relative(0, ULPS["exp"], 0) * (1 + form.relative(n + 2))
    relative = torch.expm1(error + torch.log1p(excess) + 1.01 * fixed + n * 2.0**-50)
    size = torch.where(live, shadow * torch.exp(2 * largest) * (1 + 2.0**-40), 0.0)
    radius = relative * size + torch.where(live, (2 * n + 4) * (form.eta + form.stored_eta), 0.0)
    radius = torch.where(radius.isnan() | shadow.isnan(), math.inf, radius * WIDER)
    return Ball(shadow, radius, dtype)


def _log_of_sum(x: Ball, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """log Σ e^{x_j - m}: an absolute error, from the relative one of the sum, and the size of the logarithm."""
    form, n = active().format(x.dtype), x.value.shape[dim]
    active().assume(f"exp within {ULPS['exp']:g} ulp")
    active().assume(f"log within {ULPS['log']:g} ulp")
    _, _, excess, _ = _exponents(x, dim, form.u)
    relative = torch.log1p(excess) + 1.01 * form.relative(n, ULPS["exp"], 0) + n * (2 * form.eta + 2.0**-50)
    size = math.log(n) + relative
    error = relative + form.relative(1, ULPS["log"], 0) * size
    return (error, size) if keepdim else (error.squeeze(dim), size.squeeze(dim))


@rule("aten::_log_softmax")
def log_softmax(x: Ball, dim: int, half_to_float: bool = False) -> Ball:
    """(x_i - m) - log Σ e^{x_j - m}, two roundings, of sizes |x_i - m| and |result|."""
    dtype = torch.float32 if half_to_float else x.dtype
    form = active().format(dtype)
    error, size = _log_of_sum(x, dim, True)
    value = torch.log_softmax(x.value, dim)
    largest = x.radius.amax(dim, keepdim=True)
    distance = (x.value - x.value.amax(dim, keepdim=True)).abs() + 4 * largest
    spread = x.radius + largest + error + form.relative(1, 0, 0) * distance * 2 + form.u * size * 2
    return rounded(value, spread, dtype, roundings=2)


@rule("aten::logsumexp")
def logsumexp(x: Ball, dim: Any, keepdim: bool = False) -> Ball:
    """m + log Σ e^{x_j - m}: 1-Lipschitz in the largest radius; the sum rounded once more."""
    dims = [dim] if isinstance(dim, int) else list(dim)
    if len(dims) != 1:
        raise Refused("no proven rule for logsumexp over several dimensions at once: flatten them first")
    d = dims[0]
    error, size = _log_of_sum(x, d, keepdim)
    largest = x.radius.amax(d, keepdim=keepdim)
    top = x.value.amax(d, keepdim=keepdim).abs() + 2 * largest
    return rounded(torch.logsumexp(x.value, d, keepdim), largest + error, x.dtype, roundings=2, size=top + size)


# -------------------------------------------------------------------------------------------------- norms by moments
def moments(x: Ball, dims: list[int]) -> tuple[Ball, Ball]:
    """Mean and variance (over n) along dimensions that are kept, by two passes or by updates of Welford and Chan.

    Two passes: as the operations stand. Updates: with M the largest |x|, a mean of any block is within ε =
    uM(n/2 + 7 log2 n + 14) (each update adds uM and 6uM/k, and shrinks what was by 1 - 1/k); a difference of means is
    then off by ε' = 2ε + 2uM, and with the weights w of the merges, Σ w δ² = n var and Σ w <= n W, W =
    max(2, log2(n)/2), so that Cauchy and Schwarz bound what it does to the variance by 2√(var W)ε' + Wε'²; n + 8
    roundings more.
    """
    wide = narrowed(x, torch.float32) if x.dtype in HALF else x
    form, n = active().format(wide.dtype), math.prod(x.value.shape[d] for d in dims)
    middle = mean(wide, dims, True)
    centred = sub(wide, middle)
    variance = mean(mul(centred, centred), dims, True)
    u = form.u
    largest = wide.reach.amax(dims, keepdim=True)
    of_mean = u * largest * (n / 2 + 7 * math.log2(max(n, 2)) + 14) * 1.001
    off, weight = 2 * of_mean + 2 * u * largest, max(2.0, math.log2(max(n, 2)) / 2)
    updated = (
        2 * torch.sqrt(variance.reach * weight) * off + weight * off**2 + form.relative(2 * n + 16) * variance.reach
    )
    active().assume("moments by two passes, or by updates of Welford and Chan")
    middle = Ball(
        middle.value, torch.maximum(middle.radius, of_mean + wide.radius.amax(dims, keepdim=True)), wide.dtype
    )
    return middle, Ball(variance.value, variance.radius + updated * WIDER, wide.dtype)


@rule("aten::native_layer_norm")
def layer_norm(x: Ball, shape: Any, weight: Ball | None, bias: Ball | None, eps: float) -> tuple[Ball, Ball, Ball]:
    """(x - μ) s γ + β, s = 1/√(var + ε), or x (sγ) + (β - μ s γ): the second rounds the larger terms |x| s, |μ| s."""
    dims = list(range(x.value.ndim - len(shape), x.value.ndim))
    middle, variance = moments(x, dims)
    scale = rsqrt(add(variance, eps))
    wide = narrowed(x, torch.float32) if x.dtype in HALF else x
    scaled = mul(sub(wide, middle), scale)
    size = (wide.reach + middle.reach) * scale.reach
    if weight is not None:
        scaled, size = mul(scaled, narrowed(weight, wide.dtype)), size * weight.reach
    if bias is not None:
        scaled, size = add(scaled, narrowed(bias, wide.dtype)), size + bias.reach
    form = active().format(wide.dtype)
    out = Ball(scaled.value, scaled.radius + form.relative(8) * size, wide.dtype)
    return narrowed(out, x.dtype), narrowed(middle, x.dtype), narrowed(scale, x.dtype)


@rule("aten::native_layer_norm_backward")
def layer_norm_backward(
    g: Ball, x: Ball, shape: Any, middle: Ball, scale: Ball, weight: Ball | None, bias: Ball | None, mask: Any
) -> tuple[Ball | None, Ball | None, Ball | None]:
    """s (g γ - mean(gγ) - x^ mean(g γ x^)), x^ = (x - μ)s; kernels that expand x^ round the larger terms |x|s, |μ|s,
    each product n + 16 times at most."""
    dims = list(range(x.value.ndim - len(shape), x.value.ndim))
    rows = list(range(x.value.ndim - len(shape)))
    n, many = math.prod(shape), math.prod(x.value.shape[d] for d in rows)
    form = active().format(x.dtype)
    normal = mul(sub(x, middle), scale)
    size = (x.reach + middle.reach) * scale.reach
    weighted = g if weight is None else mul(g, weight)
    of_x = of_weight = of_bias = None
    if mask[0]:
        inner = sub(sub(weighted, mean(weighted, dims, True)), mul(normal, mean(mul(weighted, normal), dims, True)))
        of_x = mul(scale, inner)
        reach = weighted.reach
        terms = reach + reach.mean(dims, keepdim=True) + size * (reach * size).mean(dims, keepdim=True)
        of_x.radius.add_(form.relative(n + 16, 0, 4) * terms * scale.reach * WIDER)
    if mask[1] and weight is not None:
        of_weight = total(mul(g, normal), rows)
        of_weight.radius.add_(form.relative(many + 8, 0, 4) * (g.reach * size).sum(rows) * WIDER)
    if mask[2] and bias is not None:
        of_bias = total(g, rows)
    return of_x, of_weight, of_bias


@rule("aten::var")
def variance(
    x: Ball, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: float | None = None
) -> Ball:
    """Σ(x - mean)²/(n - correction), two roundings after the moments."""
    return _variance(x, dim, keepdim, correction if correction is not None else 1)


def _variance(x: Ball, dim: Any, keepdim: bool, correction: float) -> Ball:
    dims = list(range(x.value.ndim)) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    n = math.prod(x.value.shape[d] for d in dims)
    _, spread = moments(x, dims)
    factor = n / (n - correction) if n > correction else math.inf
    found = rounded(spread.value * factor, spread.radius * factor, spread.dtype, roundings=3)
    found = found if keepdim else found.map(lambda z: z.squeeze(dims))
    return narrowed(found, x.dtype)


@rule("aten::std")
def deviation(
    x: Ball, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: float | None = None
) -> Ball:
    """The root of the variance."""
    return sqrt(_variance(x, dim, keepdim, correction if correction is not None else 1))


@rule("aten::var_mean")
def variance_and_mean(
    x: Ball, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: float | None = None
) -> tuple[Ball, Ball]:
    """Both moments."""
    dims = list(range(x.value.ndim)) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    middle = moments(x, dims)[0]
    middle = middle if keepdim else middle.map(lambda z: z.squeeze(dims))
    return _variance(x, dim, keepdim, correction if correction is not None else 1), narrowed(middle, x.dtype)
