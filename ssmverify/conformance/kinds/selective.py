"""Kind `selective`: S6, h_t = exp(delta_t A) h_{t-1} + delta_t x_t B_t, y_t = C_t·h_t + D·x_t.

    x delta y (B, T, d)    A (d, n)    B C (B, T, n)    D (d)    h (B, d, n)

Conditional: the bound holds for an exp that is within EXP_ULP units in the last place, which the target promises by
asking for it. The step is given as it is: softplus and the gate z are not tried, nor gradients, for which no bound is
derived.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from flint import arb
from torch import Tensor

from numeric.bounds import selective_scan_bound
from ssmverify.conformance.kinds.kind import Case, Judged, Kind, Outputs, Sizes, uniform
from ssmverify.conformance.measure import Array, wide
from ssmverify.conformance.order import Order
from ssmverify.conformance.shrink import Inputs
from ssmverify.conformance.trial import Trial

EXP_ULP = 2.0


def balls(x: Tensor) -> Array:
    """The very values, as balls of radius 0."""
    values = np.array([arb(value) for value in wide(x).reshape(-1).tolist()], dtype=object)
    return values.reshape(tuple(x.shape))


def exact_run(inputs: Inputs) -> tuple[Array, Array]:
    """y (B, T, d) and the last state (B, d, n), in balls."""
    x, delta, A, B, C = (balls(inputs[name]) for name in ("x", "delta", "A", "B", "C"))
    batch, length, _ = x.shape
    h = balls(inputs["h0"]) if "h0" in inputs else balls(torch.zeros(batch, *A.shape))
    y = np.empty(x.shape, dtype=object)
    exponential = np.frompyfunc(lambda z: z.exp(), 1, 1)
    for t in range(length):
        step = delta[:, t, :, None]
        h = exponential(step * A) * h + step * x[:, t, :, None] * B[:, t, None, :]
        y[:, t] = (C[:, t, None, :] * h).sum(-1) + (balls(inputs["D"]) * x[:, t] if "D" in inputs else 0)
    return y, h


class SelectiveScan(Kind):
    """S6 with the step given."""

    name = "selective"
    signature = "(x, delta, A, B, C, [D=, h0=]) -> y or (y, h_T); first argument u: (B, d, T) and (B, n, T) instead"
    required = ("x", "delta", "A", "B", "C")
    state = "h0"
    optional = ("D",)
    axes: ClassVar[Mapping[str, str]] = {
        "x": "btd",
        "delta": "btd",
        "A": "dn",
        "B": "btn",
        "C": "btn",
        "D": "d",
        "h0": "bdn",
    }
    final = "bdn"
    linear = ("x", "h0")

    def adapt(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function whose first argument is u has time last: u delta y (B, d, T), B C (B, n, T)."""
        names = list(inspect.signature(function).parameters)
        if names[:1] != ["u"]:
            return function

        def time_second(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor | None = None) -> Any:
            returned = function(x.mT, delta.mT, A, B.mT, C.mT, *(() if D is None else (D,)))
            y, *rest = returned if isinstance(returned, tuple) else (returned,)
            return (y.mT, *rest)

        return time_second

    def sample(self, generator: torch.Generator, dtype: torch.dtype, sizes: Sizes, state: bool) -> Inputs:
        b, t, d, n = sizes.get("b", 2), sizes.get("t", 6), sizes.get("d", 2), sizes.get("n", 3)
        drawn = {
            "x": uniform(generator, (b, t, d), dtype),
            "delta": uniform(generator, (b, t, d), dtype, 0.01, 1),
            "A": uniform(generator, (d, n), dtype, -4, -0.1),
            "B": uniform(generator, (b, t, n), dtype),
            "C": uniform(generator, (b, t, n), dtype),
        }
        return {**drawn, **({"h0": uniform(generator, (b, d, n), dtype)} if state else {})}

    def judge(self, inputs: Inputs, outputs: Outputs, order: Order) -> Iterator[Judged]:
        if inputs["x"].numel() == 0:
            return
        p, q = order.constants(inputs["x"].shape[1], 1)
        of_y, of_h = selective_scan_bound(**inputs, p=p, q=q, ulp=EXP_ULP)
        y, h = exact_run(inputs)
        yield Judged("y", outputs.main, y, of_y)
        if outputs.final is not None:
            yield Judged("final", outputs.final, h, of_h)


def steps(trial: Trial, low: float, high: float, lengths: tuple[int, ...] = (3, 65)) -> None:
    for t in lengths:
        inputs = trial.sample(True, b=1, t=t)
        trial.judge({**inputs, "delta": uniform(trial.generator, (1, t, 2), trial.dtype, low, high)})


def slow(trial: Trial) -> None:
    """Steps near 0, gates near 1."""
    steps(trial, 0, 2.0**-9)


def strong(trial: Trial) -> None:
    """Steps up to 100: gates underflow, and a difference of running sums has lost every digit."""
    steps(trial, 0, 100)


def by_turns(trial: Trial) -> None:
    """Steps near 0 and of 60 by turns: the state is kept, then forgotten, over and over."""
    for t in (8, 130):
        inputs = trial.sample(True, b=1, t=t)
        small = uniform(trial.generator, (1, t, 2), torch.float64, 0, 2.0**-6)
        chosen = torch.rand((1, t, 2), generator=trial.generator)
        trial.judge({**inputs, "delta": torch.where(chosen < 0.5, small, 60.0).to(trial.dtype)})


def growing(trial: Trial) -> None:
    """Rates above 0: the state grows."""
    inputs = trial.sample(True, b=1, t=12)
    trial.judge({**inputs, "A": -inputs["A"] / 4})


def skip(trial: Trial) -> None:
    """The skip D."""
    trial.need("D")
    inputs = trial.sample(True, t=9)
    trial.judge({**inputs, "D": uniform(trial.generator, (2,), trial.dtype)})


def state_sizes(trial: Trial) -> None:
    """States of 1 to 33 numbers a channel."""
    for n in (1, 2, 16, 17, 33):
        trial.judge(trial.sample(True, b=1, t=4, n=n))


def case(id: str, function: Callable[[Trial], None]) -> Case:
    return Case(id, function.__doc__ or "", function)


SelectiveScan.cases = (
    case("sizes.state", state_sizes),
    case("steps.slow", slow),
    case("steps.strong", strong),
    case("steps.by-turns", by_turns),
    case("rates.growing", growing),
    case("skip", skip),
)
