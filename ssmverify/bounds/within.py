"""`assert_within_bound`: a test without a tolerance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten

from ssmverify.bounds.result import Bounds, Contribution, bound, reference


@dataclass(frozen=True)
class Comparison:
    """One output against the exact result: float64 tensors of its shape, and the entry where it is worst."""

    actual: Tensor
    exact: Tensor  # within `slack`
    slack: Tensor
    bound: Tensor
    ratio: Tensor  # of the error, less the slack, to the bound

    @property
    def at(self) -> int:
        """Where the ratio is largest, as a place in the flattened tensor."""
        return int(self.ratio.argmax())

    @property
    def worst(self) -> float:
        """The largest ratio; 0 of nothing."""
        return float(self.ratio.max()) if self.ratio.numel() else 0.0

    @property
    def unbounded(self) -> int:
        """How many entries have no bound."""
        return int(self.bound.isinf().sum())


def compare(actual: Any, fn: Callable[..., Any], *inputs: Any, **named: Any) -> tuple[list[Comparison], Bounds]:
    """What was computed, output by output, against fn's exact result and the bound of fn's own order of operations.

    Raises ValueError where the number of outputs or a shape differs.
    """
    found = bound(fn, *inputs, **named)
    values, slacks = reference(fn, *inputs, **named)
    outputs = [x for x in tree_flatten(actual)[0] if isinstance(x, Tensor) and x.is_floating_point()]
    exact, slack = (
        [x for x in tree_flatten(tree)[0] if isinstance(x, Tensor) and x.is_floating_point()]
        for tree in (values, slacks)
    )
    if len(outputs) != len(exact):
        raise ValueError(f"the reference has {len(exact)} outputs, what was given has {len(outputs)}: give the same")
    return [_compared(*of) for of in zip(outputs, exact, slack, found.tensors, strict=True)], found


def _compared(y: Tensor, x: Tensor, w: Tensor, e: Tensor) -> Comparison:
    if y.shape != x.shape:
        raise ValueError(f"the reference's output has shape {tuple(x.shape)}, what was given {tuple(y.shape)}")
    y = y.detach().cpu().double()
    error = ((y - x).abs() - w * (1 + 2.0**-40)).clamp(min=0)
    ratio = torch.where(error == 0, 0.0, error / e)
    wrong = ~y.isfinite() & e.isfinite()
    same = y == x  # infinities too
    ratio = torch.where(wrong, torch.inf, torch.where(same | ratio.isnan(), 0.0, ratio))
    return Comparison(y, x, w, e, ratio)


def assert_within_bound(
    actual: Any, fn: Callable[..., Any], *inputs: Any, allow_unbounded: bool = False, **named: Any
) -> None:
    """Raises AssertionError where `actual` is further from the exact value of fn(*inputs) than rounding may lead.

    fn: the reference, in torch; its operations, in any order of summation, fused or not, define what may be rounded.
    An error above the bound proves that `actual` was computed by another program, or in a lower precision. An entry
    without a bound (of an overflow) would pass whatever it holds: that fails too, unless allow_unbounded=True.

    Raises Refused where fn has an operation without a rule.
    """
    compared, found = compare(actual, fn, *inputs, **named)
    for i, c in enumerate(compared):
        if c.worst > 1:
            raise AssertionError(message(i, c, found))
        if c.unbounded and not allow_unbounded:
            raise AssertionError(
                f"output {i}: {c.unbounded} of {c.bound.numel()} entries have no bound (an overflow is possible), so "
                "nothing is shown of them; choose smaller inputs, or pass allow_unbounded=True"
            )


def message(which: int, c: Comparison, found: Bounds) -> str:
    """What is wrong, in units of the bound, and what the bound is made of there."""
    at, over = c.at, int((c.ratio > 1).sum())
    place = tuple(int(i) for i in torch.unravel_index(torch.tensor(at), c.ratio.shape))
    y, x, w, e = (float(z.reshape(-1)[at]) for z in (c.actual, c.exact, c.slack, c.bound))
    lines = [
        f"output {which} is {times(c.worst)} bounds off at {place}; {over} of {c.ratio.numel()} entries exceed theirs",
        f"  computed {y!r}",
        f"  exact    {x!r} ± {w:.1e}",
        f"  error    {abs(y - x):.3e}, bound {e:.3e}",
    ]
    lines += ["  the bound comes from:"] + [f"    {line(c)}" for c in found.contributions((which, at), most=12)[:5]]
    return "\n".join(lines)


def times(ratio: float) -> str:
    """How many bounds, as people write it."""
    return f"{ratio:,.0f}" if 10 <= ratio < 1e6 else f"{ratio:.3g}"


def line(c: Contribution) -> str:
    """A contribution on one line."""
    return f"{c.share:6.1%}  {c.operation} at {short(c.where)}, called {c.calls} times"


def short(where: str) -> str:
    """file:line from here, if the file lies below."""
    file, _, number = where.rpartition(":")
    try:
        return f"{Path(file).resolve().relative_to(Path.cwd())}:{number}"
    except ValueError:
        return where
