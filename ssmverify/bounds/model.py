"""The model of rounding that every bound stands on.

| symbol | meaning |
| --- | --- |
| u, eta | unit roundoff of one operation; the largest absolute error that underflow adds to it, flushed to 0 or not |
| stored | the further rounding of a 16-bit result: it is computed in float32 and rounded once where it is stored |
| largest | the largest finite number; what may exceed it has no bound |

Rounding is to nearest; sums are associated in any order, products fused into additions or not. Each of these is
u >= 2^-53, so a bound of the floats also bounds the float64 values beside which they are measured.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import torch


class Refused(RuntimeError):
    """There is no proven rule; the message names the operation and the mend."""


class Undecided(Refused):
    """A comparison, or a number that leaves the tensors, may come out either way within the errors."""


@dataclass(frozen=True)
class Format:
    """How one dtype rounds."""

    u: float
    stored: float
    eta: float
    stored_eta: float
    largest: float

    @cache  # noqa: B019 - there are six formats, and they live for ever
    def relative(self, roundings: int, ulps: float = 0.0, storings: int = 1) -> float:
        """The relative error of so many roundings, one of them within `ulps` units of 2u, stored so many times."""
        total = roundings * math.log1p(self.u) + math.log1p(2 * ulps * self.u) + storings * math.log1p(self.stored)
        return math.expm1(total) if total < 700 else math.inf


EXACT = Format(2.0**-53, 0.0, 2.0**-1022, 0.0, torch.finfo(torch.float64).max)
SINGLE = Format(2.0**-24, 0.0, 2.0**-126, 0.0, torch.finfo(torch.float32).max)
FORMATS = {
    torch.float64: EXACT,
    torch.float32: SINGLE,
    torch.bfloat16: Format(2.0**-24, 2.0**-8, 2.0**-126, 2.0**-126, torch.finfo(torch.bfloat16).max),
    torch.float16: Format(2.0**-24, 2.0**-11, 2.0**-126, 2.0**-25, torch.finfo(torch.float16).max),
}
HALF = (torch.bfloat16, torch.float16)

Place = tuple[str, str]  # an operation, and file:line where the program calls it


@dataclass
class Run:
    """One run of a program on balls.

    exact: round every operation to float64 alone, whatever its dtype: the radii then say how far the float64 values
    are from the exact ones. silent: the same for the operations of one place only, which is how a place's share of the
    bound is found.
    """

    exact: bool = False
    silent: Place | None = None
    places: Counter[Place] | None = None
    assumed: set[str] = field(default_factory=set)
    operations: Counter[str] = field(default_factory=Counter)
    mute: bool = False

    def format(self, dtype: torch.dtype) -> Format:
        """How the operation at hand rounds."""
        form = format_of(dtype)
        return EXACT if self.exact or self.mute else form

    def assume(self, sentence: str) -> None:
        """Records what the bound rests on."""
        self.assumed.add(sentence)


def format_of(dtype: torch.dtype) -> Format:
    """How a dtype rounds. Raises Refused for one without a model."""
    if dtype not in FORMATS:
        raise Refused(f"no proven rule for {_short(dtype)}: there are rules for {', '.join(map(_short, FORMATS))}")
    return FORMATS[dtype]


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


_runs: list[Run] = []


def active() -> Run:
    """The run at hand."""
    if not _runs:
        raise Refused("balls live only inside a call of bound(...): return what you need from the function")
    return _runs[-1]


@contextmanager
def running(run: Run) -> Iterator[None]:
    """Makes a run the active one."""
    _runs.append(run)
    try:
        yield
    finally:
        _runs.pop()
