"""Real layers and their gradients: no error above its bound; and an adversary comes near it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings, target
from hypothesis import strategies as st
from torch import Tensor

from ssmverify.bounds import bound, reference
from ssmverify.bounds.adversary import OUTWARDS, UP, drawn, pushed
from tests.ssmverify.bounds.programs import LOOPS, Program, examples, programs

NAMES = [p.name for p in programs()]
ROWS = [*NAMES, *(f"{name}, gradient" for name in NAMES)]
seeds = st.integers(0, 2**32 - 1)
scales = st.sampled_from([1.0, 0.1, 3.0])


def program(name: str, seed: int) -> Program:
    torch.manual_seed(seed)
    found = {p.name: p for p in programs()}[name.removesuffix(", gradient")]
    return found.gradient if name.endswith(", gradient") else found


def drawn_inputs(of: Program, scale: float, length: int = 8) -> tuple[Tensor, ...]:
    inputs = of.inputs(length)
    return tuple((x.detach() * scale).requires_grad_(x.requires_grad) for x in inputs)


def outputs(result: Any) -> tuple[Tensor, ...]:
    return tuple(x.detach() for x in (result if isinstance(result, tuple) else (result,)))


def worst(computed: Any, exact: Any, slack: Any, bounds: tuple[Tensor, ...]) -> float:
    """The largest (error - slack)/bound, where slack is how far `exact` is from the exact numbers."""
    found = 0.0
    for y, x, w, e in zip(outputs(computed), outputs(exact), outputs(slack), bounds, strict=True):
        error = ((y.double() - x).abs() - w).clamp(min=0)
        assert bool(torch.isfinite(y).all() | ~torch.isfinite(e).all())
        found = max(found, float(torch.where(error > 0, error / e, 0.0).max()))
    return found


@pytest.mark.parametrize("name", ROWS)
def test_no_error_exceeds_its_bound(name: str) -> None:
    @settings(max_examples=examples(2), deadline=None)
    @given(seeds, scales)
    def climb(seed: int, scale: float) -> None:
        this = program(name, seed)
        inputs = drawn_inputs(this, scale)
        found = worst(this.run(*inputs), *reference(this.run, *inputs), bound(this.run, *inputs).tensors)
        target(found, label="error / bound")
        assert found <= 1

    climb()


def float64_twin(this: Program) -> Program:
    """The same numbers in float64: modules are drawn in float32 and widened."""
    if isinstance(this.run, torch.nn.Module):
        this.run.double()
    return this


def pushed_to_the_limit(name: str, seed: int, scale: float) -> float:
    """The adversary's error over the bound, the best of its choices of signs."""
    this = program(name, seed)
    inputs = drawn_inputs(this, scale)
    found = bound(this.run, *inputs)
    exact, slack = reference(this.run, *inputs)
    this = float64_twin(this)
    choices = (UP, OUTWARDS, lambda x: -torch.sign(x), drawn(seed))
    return max(worst(pushed(this.run, *inputs, signs=s), exact, slack, found.tensors) for s in choices)


PUSHED = [n for n in NAMES if n not in ("nn.GRU", "cross entropy")]  # whose parameters or casts cannot be widened


@pytest.mark.parametrize("name", PUSHED)
def test_no_adversary_exceeds_the_bound(name: str) -> None:
    @settings(max_examples=examples(1), deadline=None)
    @given(seeds, scales)
    def push(seed: int, scale: float) -> None:
        assert pushed_to_the_limit(name, seed, scale) <= 1

    push()


@pytest.mark.parametrize("name", LOOPS)
def test_an_adversary_attains_a_loops_bound(name: str) -> None:
    """Or the bound has rotted: it must be reached to two fifths by the worst rounding that the model allows."""
    assert max(pushed_to_the_limit(name, seed, 1.0) for seed in range(6)) >= 0.4
