"""Gradients where nothing rounds: on small whole numbers every order of evaluation must give the very same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ssmverify.conformance.kinds.kind import Sizes
from ssmverify.conformance.shrink import Inputs
from ssmverify.conformance.targets.target import NotSupported
from ssmverify.conformance.trial import Problem, Trial

Reference = Callable[..., Any]


def whole_inputs(trial: Trial, sizes: Sizes) -> Inputs:
    """Ordinary inputs with -1, 0 or 1 for every number."""
    sample = trial.sample(True, **sizes)

    def whole(x: Tensor) -> Tensor:
        return torch.randint(-1, 2, x.shape, generator=trial.generator).to(trial.dtype)

    return {name: whole(x) for name, x in sample.items()}


def gradients(trial: Trial, reference: Reference) -> None:
    """Raises Wrong unless the target's gradients are those of the reference, run in float64, on whole numbers."""
    for t in (1, 2, 4, 6):
        inputs = whole_inputs(trial, {"b": 2, "t": t, "d": 2, "n": 2, "m": 2})
        trial.require(lambda inputs: _differs(trial, reference, inputs), inputs)


def _differs(trial: Trial, reference: Reference, inputs: Inputs) -> Problem:
    tracked = {name: x.detach().requires_grad_() for name, x in inputs.items()}
    main = trial.target(tracked).main
    if not main.requires_grad:
        raise NotSupported("its output carries no gradient")
    computed = _backward(main, tracked)
    exactly = {name: x.detach().double().requires_grad_() for name, x in inputs.items()}
    returned = reference(**exactly)
    expected = _backward(returned if isinstance(returned, Tensor) else returned[0], exactly)
    for name, x in computed.items():
        if found := trial.differs(f"d{name}", x.double() + 0.0, expected[name] + 0.0, "exactly it is"):
            return found
    return None


def _backward(main: Tensor, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """The gradients for a cotangent of 1, -1, 1, ..."""
    cotangent = 1 - 2 * (torch.arange(main.numel()) % 2).to(main.dtype).reshape(main.shape)
    found = torch.autograd.grad(main, list(inputs.values()), cotangent, allow_unused=True)
    pairs = zip(inputs.items(), found, strict=True)
    return {name: torch.zeros_like(x) if grad is None else grad for (name, x), grad in pairs}
