"""One case in one dtype: calls the target, measures it, and makes what fails small."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from flint import arb
from torch import Tensor

from ssmverify.checking.layer import show_inputs
from ssmverify.conformance import measure
from ssmverify.conformance.kinds.kind import Judged, Outputs
from ssmverify.conformance.shrink import Inputs, sizes_of, smallest
from ssmverify.conformance.targets.target import NotSupported, Target, dtype_named

Problem = str | None
Call = Callable[[Inputs], Outputs]


class Wrong(Exception):
    """The target did something wrong. The message says what; `inputs` are the smallest found with which it does."""

    def __init__(self, message: str, inputs: Inputs):
        super().__init__(message)
        self.inputs = inputs

    @property
    def shown(self) -> str:
        """The inputs on one line."""
        return show_inputs(self.inputs)


class NotRun(Exception):
    """The case cannot be decided here; the message says why."""


class Trial:
    """What a case works with. Everything random comes from the seed, the case and the dtype.

    worst: the largest error in units of the bound so far, of inputs inside it.
    """

    def __init__(self, target: Target, case: str, dtype: str, seed: int, quick: bool):
        self.target, self.kind, self.order, self.quick = target, target.kind, target.order, quick
        self.dtype = dtype_named(dtype)
        self.generator = torch.Generator().manual_seed(zlib.crc32(f"{seed} {case} {dtype}".encode()))
        self.worst: float | None = None

    # --------------------------------------------------------------------------------------------------- inputs
    def sample(self, state: bool = False, **sizes: int) -> Inputs:
        """Ordinary inputs; with a state before the first step if asked for and if the target takes one."""
        return self.kind.sample(self.generator, self.dtype, sizes, state and self.target.takes(self.kind.state))

    def need(self, argument: str) -> None:
        """Raises NotSupported if the target has no such argument."""
        if not self.target.takes(argument):
            raise NotSupported(f"it takes no {argument}")

    # --------------------------------------------------------------------------------------------------- checks
    def require(
        self, problem: Callable[[Inputs], Problem], inputs: Inputs, axes: Mapping[str, str] | None = None
    ) -> None:
        """Raises Wrong with the smallest inputs that have the problem, if these have it."""
        found = self._caught(problem, inputs)
        if found is None:
            return
        worst, axes = self.worst, self.kind.axes if axes is None else axes

        def fails_alike(candidate: Inputs) -> bool:
            nonlocal found
            try:
                message = self._caught(problem, candidate)
            except (NotSupported, NotRun):  # of the candidate, not of what was found
                return False
            if _sort(message) == _sort(found):
                found = message
                return True
            return False

        small = smallest(inputs, axes, fails_alike)
        self.worst = worst
        raise Wrong(str(found), small)

    def judge(self, inputs: Inputs) -> None:
        """Raises Wrong unless the outputs are inside their bounds, and of the right bits where the order has any."""
        self.require(self.off, inputs)

    def off(self, inputs: Inputs, call: Call | None = None) -> Problem:
        """What is wrong with the values of one run."""
        outputs = (call or self.target)(inputs)
        if problem := self._misshapen(inputs, outputs):
            return problem
        return self.measured(lambda: self.kind.judge(inputs, outputs, self.order)) or self._other_bits(inputs, outputs)

    def measured(self, judge: Callable[[], Iterable[Judged]]) -> Problem:
        """The first problem among the outputs. Raises NotRun where their exact values cannot be had closely enough."""

        def first() -> Problem:
            return next(filter(None, (self.beyond(*judged) for judged in judge())), None)

        try:
            return measure.decided(first)
        except measure.Undecided as reason:
            raise NotRun(str(reason)) from reason

    def beyond(self, name: str, computed: Tensor, exact: measure.Array, bound: Tensor) -> Problem:
        """What is wrong with one output: not finite, or off by more than the bound."""
        finite = torch.isfinite(computed)
        if not bool(finite.all()):
            place = tuple((~finite).nonzero()[0].tolist())
            return f"{name}{list(place)} is {computed[place].item()}, exactly {_short(exact[place])}"
        ratio, place = measure.units(computed, exact, bound)
        if ratio > 1:
            value, limit = computed[place].item(), bound.expand(computed.shape)[place].item()
            return (
                f"{name}{list(place)} is {value}, exactly {_short(exact[place])}: "
                f"error / bound = {ratio:.3g}, bound {limit:.3g}"
            )
        self.worst = max(self.worst or 0.0, ratio)
        return None

    def _misshapen(self, inputs: Inputs, outputs: Outputs) -> Problem:
        sizes = sizes_of(inputs, self.kind.axes)
        like = inputs[self.kind.linear[0]]
        for name, x, letters in (
            ("the output", outputs.main, self.kind.main),
            ("final", outputs.final, self.kind.final),
        ):
            shape = tuple(sizes[letter] for letter in letters)
            if x is not None and tuple(x.shape) != shape:
                return f"{name} has the shape {tuple(x.shape)}, it must have {shape}"
        if outputs.main.dtype != like.dtype:
            return f"the output is {outputs.main.dtype}, the inputs are {like.dtype}"
        return None

    def _other_bits(self, inputs: Inputs, outputs: Outputs) -> Problem:
        chain = self.kind.chain(inputs) if self.order.has_bits else None
        if chain is None:
            return None
        return self.differs("the output", outputs.main, chain.main, "the canonical chain has")

    @staticmethod
    def differs(name: str, x: Tensor, y: Tensor, other: str) -> Problem:
        """Where x has other bits than y; other: whose y is."""
        if x.shape != y.shape or x.dtype != y.dtype:
            return f"{name} is {x.dtype} {tuple(x.shape)}, {other} {y.dtype} {tuple(y.shape)}"
        place = measure.first_difference(x, y)
        if place is None:
            return None
        here, there = (z[place[: z.ndim]].item() for z in (x, y))
        return f"{name}{list(place[: x.ndim])} is {here}, {other} {there}"

    def _caught(self, problem: Callable[[Inputs], Problem], inputs: Inputs) -> Problem:
        """The problem; an exception of the target is one as well, but for a refusal."""
        try:
            return problem(inputs)
        except (NotSupported, NotRun, KeyboardInterrupt):
            raise
        except Exception as error:
            return f"it raised {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _sort(problem: Problem) -> str:
    """What sort of problem it is, so that making it small does not turn a wrong value into an exception."""
    if problem is None:
        return "none"
    if problem.startswith("it raised"):
        return problem.partition(":")[0]
    return "not finite" if " is nan," in problem or "inf," in problem else "wrong"


def _short(exact: Any) -> str:
    """An exact number for a message."""
    text = str(exact)
    if len(text) <= 24:
        return text
    if hasattr(exact, "numer"):
        return str(arb(exact).str(17, radius=False))
    return str(exact.str(17, radius=False))
