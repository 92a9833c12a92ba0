"""A ball: a float64 value with a radius that holds the exact number and the float a program computes.

For the exact number x and the computed float c, |value - x| <= radius and |c - x| <= radius, entry by entry. So x lies
within `radius` of the value, and c within twice the radius: [value - 2 radius, value + 2 radius] holds all three, and a
rule may look no nearer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ssmverify.bounds.model import HALF, active, format_of
from ssmverify.bounds.registry import HANDLERS

F64 = torch.float64
WIDER = 1 + 2.0**-46  # more than evaluating a rule of fewer than 50 float64 operations may lose
FLOOR = 2.0**-1050  # more than 2^20 float64 products may lose below the normal range, values and radii alike


@dataclass(slots=True)
class Ball:
    """value and radius: float64 tensors of one shape; dtype is that of the floats it stands for."""

    value: Tensor
    radius: Tensor
    dtype: torch.dtype

    @property
    def reach(self) -> Tensor:
        """At least the size of the exact and of the computed number."""
        return self.value.abs().add_(self.radius, alpha=2)

    def map(self, move: Callable[[Tensor], Tensor]) -> Ball:
        """The same numbers in another shape or selection."""
        return Ball(move(self.value), move(self.radius), self.dtype)

    def __neg__(self) -> Ball:
        return Ball(-self.value, self.radius.clone(), self.dtype)


class BallTensor(Tensor):
    """What a program sees of a ball: a tensor of its dtype, shape and strides, without numbers.

    Views of it are views of its value and radius, so writes in place land where the program's own would.
    """

    value: Tensor
    radius: Tensor

    @staticmethod
    def __new__(cls, ball: Ball, requires_grad: bool = False) -> BallTensor:
        v = ball.value
        made: BallTensor = Tensor._make_wrapper_subclass(
            cls,
            v.shape,
            strides=v.stride(),
            storage_offset=v.storage_offset(),
            dtype=ball.dtype,
            device=torch.device("cpu"),
            requires_grad=requires_grad,
        )
        made.value, made.radius = v, ball.radius
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"BallTensor({self.value}, radius={self.radius}, dtype={self.dtype})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return HANDLERS[0](func, args, kwargs or {})


def given(x: Tensor) -> Ball:
    """The ball of floats, which are what they are."""
    value = x.detach().to("cpu", F64, copy=True)
    return Ball(value, torch.zeros_like(value), x.dtype)


def constant(number: float | int | bool, dtype: torch.dtype) -> Ball:
    """A number of the program's text: it is rounded to the dtype of the tensor that it meets, or not at all."""
    value = torch.tensor(float(number), dtype=F64)
    radius = torch.zeros((), dtype=F64)
    if not active().exact and math.isfinite(number):
        lost = abs(float(value.to(dtype)) - float(number))
        if math.isfinite(lost) and lost > 0 and dtype in HALF:
            lost += 2.0**-23 * abs(float(number))  # it may pass through float32
        radius = torch.tensor(lost * WIDER, dtype=F64)
    return Ball(value, radius, dtype)


def operand(x: Any, dtype: torch.dtype) -> Ball:
    """Any argument as a ball that meets others in `dtype`: floats, integers and numbers."""
    if isinstance(x, Ball):
        if x.dtype == dtype or x.value.ndim or torch.promote_types(x.dtype, dtype) == dtype:
            return x
        return narrowed(x, dtype)  # a float64 number without dimensions meets float32 ones as a float32
    if isinstance(x, Tensor):
        value = x.to(F64)
        lost = (value.to(dtype).to(F64) - value).abs()
        return Ball(value, torch.zeros_like(value) if active().exact else lost, dtype)
    return constant(x, dtype)


def narrowed(x: Ball, dtype: torch.dtype) -> Ball:
    """Rounding to another dtype; exact where the number is known and representable."""
    form, run = format_of(dtype), active()
    if run.exact or run.mute or torch.promote_types(x.dtype, dtype) == dtype:
        return Ball(x.value.clone(), x.radius.clone(), dtype)
    u = max(form.stored, form.u)
    size = x.reach
    radius = (x.radius + u * size + size.clamp(max=max(form.eta, form.stored_eta))) * WIDER
    known = (x.radius == 0) & (x.value.to(dtype).to(F64) == x.value)
    radius = torch.where(known, x.radius, radius)
    return Ball(x.value.clone(), torch.where((size * (1 + u) > form.largest) & ~known, math.inf, radius), dtype)


def met(*operands: Any) -> torch.dtype:
    """The dtype in which operands meet: tensors with dimensions decide, then those without, then numbers."""
    kinds: list[list[torch.dtype]] = [[], []]
    for x in operands:
        if isinstance(x, Ball):
            kinds[x.value.ndim == 0].append(x.dtype)
    for dtypes in kinds:
        if dtypes:
            chosen = dtypes[0]
            for dtype in dtypes[1:]:
                chosen = chosen if dtype is chosen else torch.promote_types(chosen, dtype)
            return chosen
    return torch.get_default_dtype()


def rounded(
    value: Tensor,
    spread: Tensor,
    dtype: torch.dtype,
    *,
    roundings: int = 1,
    ulps: float = 0.0,
    size: Tensor | None = None,
    storings: int = 1,
    certain: Tensor | None = None,
    zero: Callable[[], Tensor] | None = None,
) -> Ball:
    """The ball of an operation: its value in float64, the spread that its operands' radii cause, and its own rounding.

    Obligation: |f(c) - f(x)| <= spread and |f(value) - f(x)| <= spread; evaluating f collects at most `roundings`
    relative errors u, one of them within `ulps` units of 2u, on terms whose sizes, at the values, add up to at most
    `size` (default |f(value)|) and at the computed operands to at most size + 2 spread (`rounding.rounded`).
    certain: where an infinite value is exact, as of exp(-inf). zero: says where a result of 0 is no underflow.
    """
    form = active().format(dtype)
    relative = form.relative(roundings, ulps, storings)
    terms = (value.abs() if size is None else size.clone()).add_(spread, alpha=2)
    count = 2 * roundings + 2
    radius = (terms * relative).add_(spread)
    low, top = (float(x) for x in terms.aminmax()) if terms.numel() else (1.0, 1.0)
    if not top * (1 + relative) < form.largest:
        lost = ~(terms * (1 + relative) < form.largest)  # or not a number
        radius, terms = torch.where(lost, math.inf, radius), torch.where(lost, form.largest, terms)
    if form.stored_eta:
        radius.add_(terms.clamp(max=form.stored_eta))
    radius.add_(terms.clamp_(max=form.eta), alpha=count).mul_(WIDER + (roundings + 16) * 2.0**-51).add_(FLOOR)
    if certain is not None:
        radius = torch.where(certain & ~value.isnan(), 0.0, radius)
    if zero is not None and low == 0:
        radius = torch.where(zero(), 0.0, radius)
    return Ball(value, radius, dtype)
