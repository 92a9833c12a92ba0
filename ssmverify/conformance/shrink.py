"""Failing inputs made small: fewer batches, steps and channels, then simpler numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

Inputs = dict[str, Any]  # tensors by name, and flags
ATTEMPTS = 250  # runs of the kernel that a shrink may cost,
NUMBERS = 600_000  # and numbers in the inputs of them all
FEW = 40  # numbers; above, they are not simplified one by one


def smallest(inputs: Inputs, axes: Mapping[str, str], fails: Callable[[Inputs], bool]) -> Inputs:
    """A smaller input that fails as well, greedily; no smaller one was found within ATTEMPTS and NUMBERS.

    axes: a letter for each dimension of each tensor, the same letter wherever the size is shared.
    """
    attempts, numbers = ATTEMPTS, NUMBERS
    shrinking = True
    while shrinking:
        shrinking = False
        for candidate in _smaller(inputs, axes):
            attempts, numbers = attempts - 1, numbers - _size(candidate)
            if attempts < 0 or numbers < 0:
                return inputs
            if fails(candidate):
                inputs, shrinking = candidate, True
                break
    return inputs


def _smaller(inputs: Inputs, axes: Mapping[str, str]) -> Iterator[Inputs]:
    sizes = sizes_of(inputs, axes)
    for letter, size in sizes.items():
        half = size // 2
        if half:
            yield select(inputs, axes, letter, slice(half))
            yield select(inputs, axes, letter, slice(half, size))
    for letter, size in sizes.items():
        if 2 < size <= FEW:
            for i in range(size):
                yield select(inputs, axes, letter, [j for j in range(size) if j != i])
    yield from _without(inputs)
    if _size(inputs) <= FEW:
        yield from _simpler(inputs)


def _size(inputs: Inputs) -> int:
    return sum(x.numel() for x in inputs.values() if isinstance(x, Tensor))


def _without(inputs: Inputs) -> Iterator[Inputs]:
    """Without the initial state, or another thing that may be left away."""
    for name in ("h0", "H0", "S0", "D", "reverse"):
        if name in inputs:
            yield {key: value for key, value in inputs.items() if key != name}


def _simpler(inputs: Inputs) -> Iterator[Inputs]:
    for name, x in inputs.items():
        if not isinstance(x, Tensor):
            continue
        flat = x.resolve_conj().reshape(-1)
        for i in range(flat.numel()):
            for value in _simpler_numbers(flat[i]):
                changed = flat.clone()
                changed[i] = value
                yield {**inputs, name: changed.reshape(x.shape)}


def _simpler_numbers(x: Tensor) -> Iterator[Tensor]:
    """0, 1 and a number of few digits, where x is none of them."""
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    if x == zero:
        return
    yield zero
    if x == one:
        return
    yield one
    if x.is_complex():
        return
    fraction, exponent = torch.frexp(x.double())
    for digits in (2, 6):
        short = torch.ldexp(torch.round(fraction * 2**digits), exponent - digits).to(x.dtype)
        if short != x and bool(short.isfinite()):
            yield short


def sizes_of(inputs: Inputs, axes: Mapping[str, str]) -> dict[str, int]:
    """The size that each letter stands for."""
    sizes: dict[str, int] = {}
    for name, letters in axes.items():
        if name in inputs:
            sizes.update(zip(letters, inputs[name].shape, strict=True))
    return sizes


def select(inputs: Inputs, axes: Mapping[str, str], letter: str, which: slice | list[int]) -> Inputs:
    """The inputs with only some indices of one axis, in every tensor and every dimension that has it."""
    chosen = dict(inputs)
    for name, letters in axes.items():
        if name in inputs:
            for dim in (d for d, name_of_d in enumerate(letters) if name_of_d == letter):
                chosen[name] = chosen[name][(slice(None),) * dim + (which,)]
    return chosen
