"""What moves numbers: views, indexing, concatenation, filling. The same call goes to value and radius, so there is
nothing to prove but that the operation neither rounds nor mixes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ssmverify.bounds.ball import Ball, met, narrowed, operand
from ssmverify.bounds.model import Refused
from ssmverify.bounds.registry import moves, rule

moves(
    """view _unsafe_view reshape _reshape_alias expand permute transpose t unsqueeze squeeze select slice split
    unsafe_split unsafe_chunk chunk split_with_sizes unbind diagonal alias detach unfold narrow clone index index_select
    gather flip roll repeat tril triu lift_fresh lift contiguous as_strided movedim view_as select_backward
    slice_backward unfold_backward diagonal_backward embedding slice_scatter select_scatter diagonal_scatter
    masked_select diag_embed diagonal_copy rot90 take swapaxes pixel_shuffle expand_copy permute_copy view_copy
    im2col channel_shuffle"""
)


def _all(balls: Any) -> tuple[list[Ball], torch.dtype]:
    dtype = balls[0].dtype
    for b in balls[1:]:
        dtype = torch.promote_types(dtype, b.dtype)
    return [operand(b, dtype) for b in balls], dtype


@rule("aten::cat", "aten::_cat")
def cat(balls: Any, dim: int = 0) -> Ball:
    """Concatenation; dtypes are promoted, which is exact."""
    parts, dtype = _all(balls)
    return Ball(torch.cat([b.value for b in parts], dim), torch.cat([b.radius for b in parts], dim), dtype)


@rule("aten::stack")
def stack(balls: Any, dim: int = 0) -> Ball:
    """As `cat`."""
    parts, dtype = _all(balls)
    return Ball(torch.stack([b.value for b in parts], dim), torch.stack([b.radius for b in parts], dim), dtype)


@rule("aten::where")
def where(condition: Tensor, x: Any, y: Any) -> Ball:
    """Selects; the condition is decided."""
    if isinstance(condition, Ball):
        raise Refused("no proven rule for where with a condition of floats: compare them first")
    dtype = met(x, y)
    a, b = operand(x, dtype), operand(y, dtype)
    return Ball(torch.where(condition, a.value, b.value), torch.where(condition, a.radius, b.radius), dtype)


@rule("aten::masked_fill")
def masked_fill(x: Ball, mask: Tensor, value: Any) -> Ball:
    """Selects a constant, rounded to the dtype."""
    c = operand(value, x.dtype)
    return Ball(torch.where(mask, c.value, x.value), torch.where(mask, c.radius, x.radius), x.dtype)


@rule("aten::constant_pad_nd")
def pad(x: Ball, sizes: Any, value: Any = 0) -> Ball:
    """Pads with a constant, rounded to the dtype."""
    c = operand(value, x.dtype)
    call = torch.ops.aten.constant_pad_nd
    return Ball(call(x.value, sizes, float(c.value)), call(x.radius, sizes, float(c.radius)), x.dtype)


@rule("aten::fill", "aten::full_like")
def fill(x: Ball, value: Any, **how: Any) -> Ball:
    """A constant, rounded to the dtype."""
    dtype = how.get("dtype") or x.dtype
    c = operand(value, dtype)
    return Ball(c.value.expand_as(x.value).clone(), c.radius.expand_as(x.value).clone(), dtype)


@rule("aten::index_put", "aten::_unsafe_index_put")
def index_put(x: Ball, indices: Any, values: Any, accumulate: bool = False, unsafe: bool = False) -> Ball:
    """Writes; with accumulate a sum. Where indices repeat without it, torch does not say which write wins."""
    from ssmverify.bounds.sums import index_put_accumulated

    b = operand(values, x.dtype)
    if accumulate:
        return index_put_accumulated(x, indices, b)
    _distinct(x, indices)
    return Ball(x.value.index_put(indices, b.value), x.radius.index_put(indices, b.radius), x.dtype)


def _distinct(x: Ball, indices: Any) -> None:
    """Refuses indices that name a place twice."""
    if all(i is None or i.dtype == torch.bool for i in indices):
        return
    places = torch.arange(x.value.numel()).reshape(x.value.shape)[
        tuple(slice(None) if i is None else i for i in indices)
    ]
    if places.unique().numel() != places.numel():
        raise Refused(
            "no proven rule for writing through indices that name a place twice: which write wins is not stated"
        )


@rule("aten::scatter")
def scatter(x: Ball, dim: int, index: Tensor, source: Any, *, reduce: Any = None) -> Ball:
    """Writes at distinct places."""
    if reduce is not None:
        raise Refused("no proven rule for scatter with reduce=: use scatter_add")
    b = operand(source, x.dtype)
    count = torch.zeros(x.value.shape).scatter_add(dim, index, torch.ones(index.shape))
    if isinstance(source, Ball) and bool((count > 1).any()):
        raise Refused("no proven rule for scatter that names a place twice: which write wins is not stated")
    if isinstance(source, Ball):
        return Ball(x.value.scatter(dim, index, b.value), x.radius.scatter(dim, index, b.radius), x.dtype)
    return Ball(x.value.scatter(dim, index, float(b.value)), x.radius.scatter(dim, index, float(b.radius)), x.dtype)


@rule("aten::_to_copy", "aten::to")
def cast(x: Any, *, dtype: torch.dtype | None = None, **_: Any) -> Any:
    """A rounding where the new dtype is narrower; exact where it holds every number of the old."""
    dtype = dtype or x.dtype
    if isinstance(x, Ball):
        if not dtype.is_floating_point:
            raise Refused(f"no proven rule for a cast of floats to {dtype}: numbers with errors are no integers")
        return narrowed(x, dtype)
    return operand(x, dtype)


@rule("aten::dropout", "aten::native_dropout")
def dropout(x: Ball, p: float, train: bool | None) -> Any:
    """Nothing, outside training or for p = 0."""
    if train and p > 0:
        raise Refused("no proven rule for dropout in training: call .eval(), or set p = 0")
    return x.map(torch.clone)
