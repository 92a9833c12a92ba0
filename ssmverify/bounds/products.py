"""Rules of products of matrices and convolutions: bilinear maps, each entry a sum of n products.

With |x| <= |v| + r entry by entry, sums of `rounding.product`: the spread is B(r, |w|) + B(|v| + 3r, s) where B is the
map on sizes. n terms collect n roundings each in any order of summation, fused or not (gamma_n of Higham, theorem 3.1).
Not covered: TF32, Strassen, Winograd, FFT.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ssmverify.bounds.arithmetic import add, mul
from ssmverify.bounds.ball import Ball, rounded
from ssmverify.bounds.model import HALF, Refused, active
from ssmverify.bounds.registry import rule

Bilinear = Callable[[Tensor, Tensor], Tensor]


def bilinear(f: Bilinear, a: Ball, b: Ball, n: int) -> Ball:
    """The ball of f(a, b) whose entries are sums of at most n products."""
    value, x, y = f(a.value, b.value), a.value.abs(), b.value.abs()
    inexact = bool(a.radius.any()), bool(b.radius.any())
    spread = f(a.radius, y) if inexact[0] else torch.zeros_like(value)
    if inexact[1]:
        spread = spread + f(x + 3 * a.radius, b.radius)
    if a.dtype in HALF:
        active().assume("sums of products in 16 bits are accumulated in float32")
    some = ((z.reach != 0).double() for z in (a, b))
    return rounded(value, spread, a.dtype, roundings=n, size=f(x, y), zero=lambda: f(*some) == 0)


def _one_dtype(a: Ball, b: Ball) -> None:
    if a.dtype != b.dtype:
        raise Refused(f"a product of matrices in {a.dtype} and {b.dtype}: torch has none; cast one of them")
    if a.dtype == torch.float32 and torch.get_float32_matmul_precision() != "highest":
        raise Refused(
            "no proven rule for float32 products at less than the highest precision (TF32, bfloat16): "
            "call torch.set_float32_matmul_precision('highest')"
        )


@rule("aten::mm", "aten::bmm", "aten::mv", "aten::dot")
def matmul(a: Ball, b: Ball) -> Ball:
    """Sums of n products, n the inner dimension."""
    _one_dtype(a, b)
    return bilinear(torch.matmul, a, b, a.value.shape[-1])


@rule("aten::addmm", "aten::baddbmm", "aten::addmv", "aten::addbmm")
def addmm(c: Ball, a: Ball, b: Ball, *, beta: float = 1, alpha: float = 1) -> Ball:
    """beta c + alpha a b, every step charged: more than a fused kernel rounds."""
    product = matmul(a, b)
    return add(c if beta == 1 else mul(c, beta), product if alpha == 1 else mul(product, alpha))


@rule("aten::convolution")
def convolution(
    x: Ball,
    weight: Ball,
    bias: Ball | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Ball:
    """A direct convolution: sums of (channels of a group) x (taps) products."""
    _one_dtype(x, weight)
    active().assume("convolutions are direct")
    how = (None, stride, padding, dilation, transposed, output_padding, groups)
    taps = weight.value[0, 0].numel()
    terms = taps * (x.value.shape[1] // groups)
    result = bilinear(lambda p, q: torch.ops.aten.convolution(p, q, *how), x, weight, terms)
    if bias is None:
        return result
    return add(result, bias.map(lambda b: b.view(-1, *[1] * (result.value.ndim - 2))))


@rule("aten::convolution_backward")
def convolution_backward(
    g: Ball,
    x: Ball,
    weight: Ball,
    bias_sizes: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
    mask: Any,
) -> tuple[Ball | None, Ball | None, Ball | None]:
    """The gradients of x and weight are convolutions again; that of the bias is a sum."""
    from ssmverify.bounds.sums import total

    active().assume("convolutions are direct")
    how = (bias_sizes, stride, padding, dilation, transposed, output_padding, groups)
    call = torch.ops.aten.convolution_backward
    taps, outputs = weight.value[0, 0].numel(), g.value.shape[0] * g.value[0, 0].numel()
    of_x = of_weight = of_bias = None
    if mask[0]:
        terms = taps * max(weight.value.shape[0], weight.value.shape[1])
        only_x = (True, False, False)
        of_x = bilinear(lambda p, q: call(p, x.value, q, *how, only_x)[0], g, weight, terms)
    if mask[1]:
        only_weight = (False, True, False)
        terms = max(outputs, x.value.shape[0] * x.value[0, 0].numel())
        of_weight = bilinear(lambda p, q: call(p, q, weight.value, *how, only_weight)[1], g, x, terms)
    if mask[2]:
        of_bias = total(g, [0, *range(2, g.value.ndim)])
    return of_x, of_weight, of_bias
