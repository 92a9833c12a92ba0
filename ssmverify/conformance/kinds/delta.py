"""Kind `delta`: S_t = S_{t-1}(I - beta_t k_t k_t') + beta_t v_t k_t', y_t = S_t q_t, evaluated step by step.

    q k (B, T, n)    v y (B, T, d)    beta (B, T)    S (B, d, n)

The bound is proved for the recurrence as it stands. For chunked forms none is proved, and none is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from numeric.bounds import delta_recurrence_bound, read_bound
from numeric.scan import delta_scan
from ssmverify.conformance import whole
from ssmverify.conformance.kinds.kind import Case, Judged, Kind, Outputs, Sizes, uniform
from ssmverify.conformance.measure import Array, magnitudes, numbers
from ssmverify.conformance.order import Order
from ssmverify.conformance.shrink import Inputs
from ssmverify.conformance.trial import Trial


def exact_run(inputs: Inputs) -> tuple[Array, Array]:
    """y (B, T, d) and all states (B, T, d, n) in exact arithmetic; T >= 1."""
    k = inputs["k"]
    batch, length, n = k.shape
    d = inputs["v"].shape[2]
    start = inputs.get("S0", torch.zeros(batch, d, n, dtype=k.dtype))
    q_, k_, v_, beta_, S_ = (numbers(x, length) for x in (inputs["q"], k, inputs["v"], inputs["beta"], start))
    y, states = np.empty((batch, length, d), dtype=object), np.empty((batch, length, d, n), dtype=object)
    for i in range(batch):
        S = S_[i]
        for t in range(length):
            S = S + np.outer(beta_[i, t] * (v_[i, t] - S @ k_[i, t]), k_[i, t])
            y[i, t], states[i, t] = S @ q_[i, t], S
    return y, states


class DeltaRule(Kind):
    """The delta rule, explicit form."""

    name = "delta"
    signature = "(q, k, v, beta, S0=None) -> y or (y, S_T)"
    required = ("q", "k", "v", "beta")
    state = "S0"
    axes: ClassVar[Mapping[str, str]] = {"q": "btn", "k": "btn", "v": "btd", "beta": "bt", "S0": "bdn"}
    final = "bdn"
    linear = ("v", "S0")
    orders = ("loop",)

    def sample(self, generator: torch.Generator, dtype: torch.dtype, sizes: Sizes, state: bool) -> Inputs:
        b, t, d, n = sizes.get("b", 2), sizes.get("t", 6), sizes.get("d", 2), sizes.get("n", 3)
        drawn = {
            "q": uniform(generator, (b, t, n), dtype),
            "k": uniform(generator, (b, t, n), dtype),
            "v": uniform(generator, (b, t, d), dtype),
            "beta": uniform(generator, (b, t), dtype, 0, 2 / max(n, 1)),
        }
        return {**drawn, **({"S0": uniform(generator, (b, d, n), dtype)} if state else {})}

    def judge(self, inputs: Inputs, outputs: Outputs, order: Order) -> Iterator[Judged]:
        if inputs["v"].numel() == 0:
            return
        y, states = exact_run(inputs)
        sizes = magnitudes(states)
        rows = delta_recurrence_bound(inputs["k"], inputs["v"], inputs["beta"], sizes, inputs.get("S0"))
        yield Judged("y", outputs.main, y, read_bound(sizes + rows.unsqueeze(-1), inputs["q"], rows))
        if outputs.final is not None:
            yield Judged("final", outputs.final, states[:, -1], rows[:, -1].unsqueeze(-1))


def unit_keys(trial: Trial) -> Inputs:
    """Ordinary inputs whose keys are of length 1."""
    inputs = trial.sample(True, b=1, t=24)
    k = inputs["k"].double()
    return {**inputs, "k": (k / k.norm(dim=-1, keepdim=True)).to(trial.dtype)}


def strengths(trial: Trial, value: float) -> None:
    inputs = unit_keys(trial)
    trial.judge({**inputs, "beta": torch.full_like(inputs["beta"], value)})


def repeated_keys(trial: Trial) -> None:
    """One key over and over, with signs: each write overwrites the last."""
    inputs = unit_keys(trial)
    sign = torch.where(torch.rand(inputs["beta"].shape, generator=trial.generator) < 0.5, -1.0, 1.0)
    trial.judge({**inputs, "k": inputs["k"][:, :1] * sign.unsqueeze(-1).to(trial.dtype)})


def no_keys(trial: Trial) -> None:
    """Keys 0: nothing is written."""
    inputs = trial.sample(True, t=5)
    trial.judge({**inputs, "k": torch.zeros_like(inputs["k"])})


def state_sizes(trial: Trial) -> None:
    """States of 1 to 65 columns."""
    for n in (1, 2, 8, 17, 65):
        trial.judge(trial.sample(True, b=1, t=4, n=n))


def case(id: str, function: Callable[[Trial], None], says: str = "") -> Case:
    return Case(id, says or function.__doc__ or "", function)


def _reference(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, S0: Tensor | None = None) -> Tensor:
    return delta_scan(q, k, v, beta, S0, backend="reference")[0]


DeltaRule.cases = (
    case("sizes.state", state_sizes),
    case("strength.none", partial(strengths, value=0.0), "Strength 0: nothing is written."),
    case("strength.one", partial(strengths, value=1.0), "Unit keys at strength 1: each value is stored."),
    case("strength.two", partial(strengths, value=2.0), "Unit keys at strength 2: reflections."),
    case("strength.above-two", partial(strengths, value=2.5), "Unit keys above strength 2: old errors grow."),
    case("keys.repeated", repeated_keys),
    case("keys.zero", no_keys),
    case(
        "gradients.whole-numbers",
        partial(whole.gradients, reference=_reference),
        "Gradients on whole numbers, where nothing rounds.",
    ),
)
