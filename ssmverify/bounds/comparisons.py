"""Rules of what decides: comparisons and steps, answered only where every number within the radii answers alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ssmverify.bounds.ball import Ball, met, operand
from ssmverify.bounds.model import Undecided
from ssmverify.bounds.registry import rule


class Unsettled(Tensor):
    """Indices that may come out either way: to have them does no harm, to use them does."""

    why: str

    @staticmethod
    def __new__(cls, like: Tensor, why: str) -> Unsettled:
        made: Unsettled = Tensor._make_wrapper_subclass(cls, like.shape, dtype=like.dtype, device=torch.device("cpu"))
        made.why = why
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"Unsettled({self.why})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func._schema.name == "aten::detach":
            return args[0]
        raise Undecided(next(x for x in args if isinstance(x, Unsettled)).why)


def settled(what: str, sure: Tensor) -> None:
    """Raises Undecided unless every entry is sure."""
    if not bool(sure.all()):
        raise Undecided(
            f"{what}: {int((~sure).sum())} of {sure.numel()} may come out either way within the errors; "
            "choose inputs away from the threshold"
        )


def _compare(name: str, f: Callable[[Tensor, Tensor], Tensor]) -> None:
    def apply(x: Any, y: Any) -> Tensor:
        dtype = met(x, y)
        a, b = operand(x, dtype), operand(y, dtype)
        slack = a.radius + b.radius
        known = a.value.isinf() & (a.radius == 0) | b.value.isinf() & (b.radius == 0)
        settled(f"aten.{name}", ((a.value - b.value).abs() > 2 * slack) | (slack == 0) | known & (slack < torch.inf))
        return f(a.value, b.value)

    apply.__doc__ = f"{name}: the exact and the computed numbers are within the radii of the values, twice over."
    rule(f"aten::{name}")(apply)


for _name in ("gt", "lt", "ge", "le", "eq", "ne"):
    _compare(_name, getattr(torch, _name))


def _step(name: str, f: Callable[[Tensor], Tensor]) -> None:
    def apply(x: Ball, *rest: Any, **how: Any) -> Ball | Tensor:
        low, value, high = (f(x.value + k * x.radius, *rest, **how) for k in (-2, 0, 2))
        settled(f"aten.{name}", (low == value) & (value == high) & (x.radius < torch.inf))
        return Ball(value, torch.zeros_like(value), x.dtype) if value.is_floating_point() else value

    apply.__doc__ = f"{name}: monotone, so what its ends share, all share."
    rule(f"aten::{name}")(apply)


for _name in ("sign", "sgn", "floor", "ceil", "round", "trunc", "signbit", "logical_not"):
    _step(_name, getattr(torch, _name))


@rule("aten::isnan", "aten::isinf")
def _never(x: Ball) -> Tensor:
    """No number with a finite bound is one of these."""
    settled("aten.isnan or isinf", (x.radius < torch.inf) & x.value.isfinite())
    return torch.zeros_like(x.value, dtype=torch.bool)


def _extreme(x: Ball, dim: Any, keepdim: bool, sign: float) -> Any:
    if isinstance(dim, Ball):
        from ssmverify.bounds.selection import maximum, minimum

        return maximum(x, dim) if sign > 0 else minimum(x, dim)
    if dim is None:
        return Ball(sign * (sign * x.value).max(), x.radius.max(), x.dtype)
    top = (sign * x.value).max(dim, keepdim=True)
    index = top.indices if keepdim else top.indices.squeeze(dim)
    best, least = sign * x.value - 2 * x.radius, sign * x.value + 2 * x.radius
    rivals = (least >= best.gather(dim, top.indices)).sum(dim, keepdim=keepdim) > 1
    if bool(rivals.any()):
        index = Unsettled(index, "the index of a maximum may come out either way within the errors")
    value = sign * (top.values if keepdim else top.values.squeeze(dim))
    return Ball(value, x.radius.amax(dim, keepdim=keepdim), x.dtype), index


@rule("aten::max")
def largest(x: Ball, dim: Any = None, keepdim: bool = False) -> Any:
    """1-Lipschitz in the largest radius; the index is certain only where the maximum stands alone."""
    return _extreme(x, dim, keepdim, 1.0)


@rule("aten::min")
def smallest(x: Ball, dim: Any = None, keepdim: bool = False) -> Any:
    """As `largest`."""
    return _extreme(x, dim, keepdim, -1.0)
