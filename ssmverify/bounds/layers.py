"""A layer's rounding bound from its own run: what `Layer.bound` needs, derived."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ssmverify.bounds.result import bound

Run = Callable[..., tuple[Tensor, ...]]


def layer_bound(run: Run) -> Callable[..., tuple[Tensor, ...]]:
    """The bound of every output of run(**inputs), as a function of the same inputs.

    It raises Refused where the run calls an operation without a rule. The exact result that it bounds the distance from
    is that of the run's own operations over real numbers: a run that is off by a formula has a bound all the same.
    """

    def derived(**inputs: Any) -> tuple[Tensor, ...]:
        found = bound(run, **inputs)
        return tuple(torch.as_tensor(x) for x in found.tensors)

    return derived
