"""`bound`: a program's proven error bounds, and what they are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from ssmverify.bounds.ball import Ball, BallTensor, given
from ssmverify.bounds.dispatch import Charged, is_float
from ssmverify.bounds.model import Place, Run, running

ASSUMED = (
    "rounding to nearest; sums in any order; products fused into additions or not",
    "results below the normal range may be flushed to 0",
    "16-bit operations are computed in float32 and rounded where they are stored",
)


@dataclass(frozen=True)
class Contribution:
    """A place of the program and what the bound would be less without its roundings."""

    operation: str
    where: str
    calls: int
    share: float  # of the bound, at the entry where it is largest against the size of the result


@dataclass(frozen=True)
class Bounds:
    """What `bound` found: `bound` and `value` have the structure of the program's output.

    bound: float64, at least |computed - exact| entry by entry, infinite where nothing is proved. value: float64 numbers
    near the exact ones (within `bound` too; `reference` says how near). assumed: what the bound rests on.
    """

    bound: Any
    value: Any
    assumed: tuple[str, ...]
    operations: Counter[str]
    _again: Callable[[Run], tuple[Any, Any]] = field(repr=False)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The bounds alone, in a row."""
        return tuple(x for x in tree_flatten(self.bound)[0] if isinstance(x, Tensor))

    @property
    def values(self) -> tuple[Tensor, ...]:
        """The float64 values in the same row."""
        return tuple(x for x in tree_flatten(self.value)[0] if isinstance(x, Tensor))

    def contributions(self, entry: tuple[int, int] | None = None, most: int = 40) -> list[Contribution]:
        """The places that the bound is due to, largest first, each found by a run without its roundings.

        entry: the output and the position (of the flattened tensor) to explain; by default where bound/|value| is
        largest. most: so many places at most, those that are called most often.
        """
        run = Run(places=Counter())
        self._again(run)
        which, at = entry if entry is not None else self._worst()
        whole = float(self.tensors[which].reshape(-1)[at])
        found = []
        for (operation, where), calls in (run.places or Counter()).most_common(most):
            silenced = self._again(Run(silent=(operation, where)))[0]
            rest = float(_tensors(silenced)[which].reshape(-1)[at])
            share = (whole - rest) / whole if 0 < whole < float("inf") else 0.0
            if share > 0:
                found.append(Contribution(operation, where, calls, share))
        return sorted(found, key=lambda c: -c.share)

    def _worst(self) -> tuple[int, int]:
        best = (-1.0, 0, 0)
        for i, (b, v) in enumerate(zip(self.tensors, self.values, strict=True)):
            if b.numel():
                relative = torch.where(b.isfinite(), b, 0.0) / (v.abs().mean() + 2.0**-1000)
                at = int(relative.argmax())
                best = max(best, (float(relative.reshape(-1)[at]), i, at))
        return best[1], best[2]


def _tensors(tree: Any) -> list[Tensor]:
    return [x for x in tree_flatten(tree)[0] if isinstance(x, Tensor)]


def bound(fn: Callable[..., Any], *inputs: Any, **named: Any) -> Bounds:
    """A proven bound on |computed - exact| for every output of fn(*inputs, **named), for these floats.

    fn: any function of torch tensors, a module too. It runs once on balls, on the CPU; so its own branches must not
    depend on numbers with errors. Inputs are exact as they are given; one that requires a gradient keeps it, so fn may
    call torch.autograd.grad. "Exact" is the same sequence of operations over real numbers, casts included.

    Raises Refused for an operation without a proven rule, Undecided for a comparison that may come out either way.
    """

    def again(run: Run) -> tuple[Any, Any]:
        return _run_the_program(run, fn, inputs, named)

    run = Run()
    radii, values = again(run)
    return Bounds(radii, values, (*ASSUMED, *sorted(run.assumed)), run.operations, again)


def reference(fn: Callable[..., Any], *inputs: Any, **named: Any) -> tuple[Any, Any]:
    """float64 values of fn's outputs and a proven bound of how far they are from the exact ones."""
    radii, values = _run_the_program(Run(exact=True), fn, inputs, named)
    return values, radii


def _run_the_program(run: Run, fn: Callable[..., Any], inputs: Any, named: Any) -> tuple[Any, Any]:
    """Radii and values of fn's outputs."""
    differentiable = any(isinstance(x, Tensor) and x.requires_grad for x in tree_flatten((inputs, named))[0])
    with running(run):
        inputs, named = tree_map(_enclosed, inputs), tree_map(_enclosed, named)
        with nullcontext() if differentiable else torch.no_grad(), Charged():  # type: ignore[no-untyped-call]
            result = fn(*inputs, **named)
        leaves, form = tree_flatten(result)
        radii = tree_unflatten([_radius(x) for x in leaves], form)
        values = tree_unflatten([_value(x) for x in leaves], form)
    return radii, values


def _enclosed(x: Any) -> Any:
    return BallTensor(given(x), x.requires_grad) if is_float(x) and not isinstance(x, BallTensor) else x


def _radius(x: Any) -> Any:
    if isinstance(x, BallTensor):
        return x.radius.detach().nan_to_num(nan=torch.inf, posinf=torch.inf)
    return torch.zeros(x.shape, dtype=torch.float64) if is_float(x) else None


def _value(x: Any) -> Any:
    if isinstance(x, BallTensor):
        return x.value.detach()
    return x.detach().double() if is_float(x) else None


__all__ = ["Ball", "Bounds", "Contribution", "Place", "bound", "reference"]
