"""Rules of sums, running sums and products along dimensions, and what adds into places.

A sum of n terms collects n - 1 roundings a term in any order; a running sum the same up to where it has got.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ssmverify.bounds.arithmetic import mul, sub
from ssmverify.bounds.ball import F64, FLOOR, WIDER, Ball, narrowed, rounded
from ssmverify.bounds.functions import sqrt
from ssmverify.bounds.model import HALF, Refused, active
from ssmverify.bounds.registry import rule
from ssmverify.bounds.selection import absolute

Dims = Any


def _dims(x: Tensor, dim: Dims) -> list[int]:
    if dim is None or (isinstance(dim, list | tuple) and not dim):
        return list(range(x.ndim))
    return [dim] if isinstance(dim, int) else list(dim)


def _count(x: Tensor, dims: list[int]) -> int:
    return math.prod(x.shape[d] for d in dims) if x.ndim else 1


def _as(x: Any, dtype: torch.dtype | None) -> Ball:
    if not isinstance(x, Ball):
        raise Refused("no proven rule for a sum of integers into floats: convert them first")
    return x if dtype is None or dtype == x.dtype else narrowed(x, dtype)


@rule("aten::sum")
def total(x: Ball, dim: Dims = None, keepdim: bool = False, *, dtype: torch.dtype | None = None) -> Ball:
    """n - 1 roundings a term. In 16 bits torch accumulates in float32."""
    x = _as(x, dtype)
    dims = _dims(x.value, dim)
    n = _count(x.value, dims)
    if x.value.ndim == 0:
        return x.map(torch.clone)
    if n <= 1:
        return x.map(lambda z: z.sum(dims, keepdim=keepdim))
    if x.dtype in HALF:
        active().assume("sums in 16 bits are accumulated in float32")
    size = x.value.abs().sum(dims, keepdim=keepdim)
    value, spread = (z.sum(dims, keepdim=keepdim) for z in (x.value, x.radius))
    return rounded(value, spread, x.dtype, roundings=n - 1, size=size, zero=lambda: size + spread == 0)


@rule("aten::mean")
def mean(x: Ball, dim: Dims = None, keepdim: bool = False, *, dtype: torch.dtype | None = None) -> Ball:
    """A sum, and a quotient by n or a product with a rounded 1/n: two roundings more, stored twice."""
    x = _as(x, dtype)
    dims = _dims(x.value, dim)
    n = _count(x.value, dims)
    if n == 0:
        raise Refused("the mean of nothing is not a number")
    if x.dtype in HALF:
        active().assume("sums in 16 bits are accumulated in float32")
    parts = [z.sum(dims, keepdim=keepdim) if x.value.ndim else z for z in (x.value, x.radius, x.value.abs())]
    form, nothing = active().format(x.dtype), parts[1] + parts[2] == 0
    if float(parts[2].max() + 2 * parts[1].max()) * (1 + form.relative(n)) < form.largest:  # the sum does not overflow
        value, spread, size = (z / n for z in parts)
    else:
        value, spread, size = parts[0] / n, torch.full_like(parts[1], math.inf), parts[2]
    return rounded(value, spread, x.dtype, roundings=n + 1, size=size, storings=2, zero=lambda: nothing)


@rule("aten::cumsum")
def cumsum(x: Ball, dim: int, *, dtype: torch.dtype | None = None) -> Ball:
    """After k + 1 terms, k roundings each; 16-bit partial sums may be stored each."""
    x = _as(x, dtype)
    if x.value.ndim == 0:
        return x.map(torch.clone)
    form = active().format(x.dtype)
    value, spread, size = (z.cumsum(dim) for z in (x.value, x.radius, x.value.abs()))
    k = _positions(x.value, dim)
    relative = torch.expm1(k * (math.log1p(form.u) + math.log1p(form.stored)))
    terms = size + 2 * spread
    radius = spread + relative * terms + torch.minimum(terms, k * (form.eta + form.stored_eta)) * (1 + relative)
    radius = radius * (WIDER + x.value.shape[dim] * 2.0**-50)
    return Ball(value, torch.where(terms * (1 + relative) < form.largest, radius, math.inf), x.dtype)


def _positions(x: Tensor, dim: int) -> Tensor:
    shape = [1] * x.ndim
    shape[dim] = x.shape[dim]
    return torch.arange(x.shape[dim], dtype=F64).view(shape)


@rule("aten::cumprod")
def cumprod(x: Ball, dim: int, *, dtype: torch.dtype | None = None) -> Ball:
    """|prod (x + d) - prod x| <= prod (|x| + |d|) - prod |x|, increasing in |x|; after k + 1 factors, k roundings."""
    x = _as(x, dtype)
    form = active().format(x.dtype)
    k = _positions(x.value, dim)
    value, size, reach = (z.cumprod(dim) for z in (x.value, x.value.abs(), x.reach))
    lost = 4 * (k + 1) * 2.0**-53 * reach
    spread = torch.where(x.radius.cumsum(dim) > 0, reach - size + lost, 0.0)
    relative = torch.expm1(k * (math.log1p(form.u) + math.log1p(form.stored)))
    # what underflows is multiplied by the factors after it
    tiny = k * (form.eta + form.stored_eta) * _largest_tail(x.reach, dim)
    radius = spread + relative * reach + torch.where(reach == 0, 0.0, tiny) * (1 + relative) + lost
    largest = x.reach.cumprod(dim).cummax(dim)[0]
    fits = largest * (1 + relative) < form.largest
    never = x.reach.eq(0).cumsum(dim) > 0  # 0 from an exact 0 on
    radius = torch.where(never, 0.0, radius * (WIDER + x.value.shape[dim] * 2.0**-50) + FLOOR)
    return Ball(value, torch.where(fits, radius, math.inf), x.dtype)


def _largest_tail(reach: Tensor, dim: int) -> Tensor:
    """At each position, at least the product of any run of factors that ends there or before, and 1."""
    return reach.clamp(min=1).cumprod(dim)


@rule("aten::prod")
def product(x: Ball, dim: int | None = None, keepdim: bool = False, *, dtype: torch.dtype | None = None) -> Ball:
    """The last of the running products; every order rounds a factor as often."""
    x = _as(x, dtype)
    if dim is None:
        x, dim = x.map(lambda z: z.reshape(-1)), 0
    run = cumprod(x, dim)
    return run.map(lambda z: z.narrow(dim, -1, 1) if keepdim else z.select(dim, -1))


@rule("aten::linalg_vector_norm")
def vector_norm(
    x: Ball, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: torch.dtype | None = None
) -> Ball:
    """√Σx², Σ|x| or max|x|, each step charged."""
    x = _as(x, dtype)
    if ord == 2:
        return sqrt(total(mul(x, x), dim, keepdim))
    if ord == 1:
        return total(absolute(x), dim, keepdim)
    if ord == math.inf:
        return amax(absolute(x), dim, keepdim)
    raise Refused(f"no proven rule for a vector norm of order {ord}: there are 1, 2 and infinity")


@rule("aten::amax")
def amax(x: Ball, dim: Dims = (), keepdim: bool = False) -> Ball:
    """1-Lipschitz in the largest radius, without rounding."""
    return x.map(lambda z: z.amax(_dims(x.value, dim), keepdim=keepdim))


@rule("aten::amin")
def amin(x: Ball, dim: Dims = (), keepdim: bool = False) -> Ball:
    """As `amax`."""
    dims = _dims(x.value, dim)
    return Ball(x.value.amin(dims, keepdim=keepdim), x.radius.amax(dims, keepdim=keepdim), x.dtype)


def _added(x: Ball, added: tuple[Tensor, Tensor, Tensor], most: int) -> Ball:
    """x plus sums of at most `most` terms, given as their value, radius and size."""
    value, radius, size = added
    return rounded(
        x.value + value, x.radius + radius, x.dtype, roundings=most, size=x.value.abs() + size, storings=most
    )


@rule("aten::scatter_add")
def scatter_add(x: Ball, dim: int, index: Tensor, source: Ball) -> Ball:
    """A sum at each place, of as many terms as the index names it most often, and x."""
    zero = torch.zeros_like(x.value)
    parts = [zero.scatter_add(dim, index, z) for z in (source.value, source.radius, source.value.abs())]
    most = zero.scatter_add(dim, index, torch.ones_like(source.value)).max()
    return _added(x, (parts[0], parts[1], parts[2]), int(most))


@rule("aten::index_add")
def index_add(x: Ball, dim: int, index: Tensor, source: Ball, *, alpha: float = 1) -> Ball:
    """As `scatter_add`."""
    source = source if alpha == 1 else mul(source, alpha)
    zero = torch.zeros_like(x.value)
    parts = [zero.index_add(dim, index, z) for z in (source.value, source.radius, source.value.abs())]
    most = zero.index_add(dim, index, torch.ones_like(source.value)).max()
    return _added(x, (parts[0], parts[1], parts[2]), int(most))


def index_put_accumulated(x: Ball, indices: Any, values: Ball) -> Ball:
    """index_put with accumulate=True: as `scatter_add`."""
    zero = torch.zeros_like(x.value)
    parts = [zero.index_put(indices, z, accumulate=True) for z in (values.value, values.radius, values.value.abs())]
    most = zero.index_put(indices, torch.ones_like(values.value), accumulate=True).max()
    return _added(x, (parts[0], parts[1], parts[2]), int(most))


@rule("aten::embedding_dense_backward")
def embedding_dense_backward(g: Ball, indices: Tensor, rows: int, padding: int, by_frequency: bool) -> Ball:
    """A sum at each row, of as many terms as the indices name it most often."""
    if by_frequency:
        raise Refused("no proven rule for an embedding's gradient scaled by frequency")
    call = torch.ops.aten.embedding_dense_backward
    parts = [call(z, indices, rows, padding, False) for z in (g.value, g.radius, g.value.abs())]
    most = int(torch.bincount(indices.reshape(-1)).max()) if indices.numel() else 1
    return rounded(parts[0], parts[1], g.dtype, roundings=most, size=parts[2], storings=most)


@rule("aten::mse_loss")
def mse_loss(x: Ball, y: Ball, reduction: int = 1) -> Ball:
    """(x - y)², its mean (1) or sum (2)."""
    squares = mul(*[sub(x, y)] * 2)
    return squares if reduction == 0 else mean(squares) if reduction == 1 else total(squares)


@rule("aten::mse_loss_backward")
def mse_loss_backward(g: Ball, x: Ball, y: Ball, reduction: int) -> Ball:
    """2 (x - y) g, over n for the mean: 1/n may be rounded before it multiplies."""
    slope = mul(mul(sub(x, y), 2.0), g)
    return _over(slope, x.value.numel()) if reduction == 1 else slope


def _over(x: Ball, n: int) -> Ball:
    return rounded(x.value / n, x.radius / n, x.dtype, roundings=2, storings=2)
