"""Kind `matrix`: H_t = A_t H_{t-1} + B_t. Products of matrices do not commute: the latest factor stands on the left.

A (B, T, n, n)    B H (B, T, n, m)    H0 (B, n, m)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from numeric.bounds import matrix_scan_bound
from numeric.scan import matrix_scan
from proofs.recurrence import run
from ssmverify.conformance import whole
from ssmverify.conformance.kinds.kind import Case, Judged, Kind, Outputs, Sizes, uniform
from ssmverify.conformance.measure import Array, numbers
from ssmverify.conformance.order import Order
from ssmverify.conformance.shrink import Inputs
from ssmverify.conformance.trial import Trial


def exact_states(inputs: Inputs) -> Array:
    """All states (B, T, n, m) in exact arithmetic."""
    A, B = inputs["A"], inputs["B"]
    if B.numel() == 0:
        return np.empty(tuple(B.shape), dtype=object)
    gates, inputs_, start = (numbers(x, B.shape[1]) for x in (A, B, inputs.get("H0", torch.zeros_like(B[:, 0]))))
    return np.stack([np.stack(run(list(gates[i]), list(inputs_[i]), start[i])) for i in range(B.shape[0])])


class MatrixScan(Kind):
    """The matrix-valued linear recurrence."""

    name = "matrix"
    signature = "(A, B, H0=None) -> H"
    required = ("A", "B")
    state = "H0"
    axes: ClassVar[Mapping[str, str]] = {"A": "btnn", "B": "btnm", "H0": "bnm"}
    main = "btnm"
    final = "bnm"
    linear = ("B", "H0")

    def sample(self, generator: torch.Generator, dtype: torch.dtype, sizes: Sizes, state: bool) -> Inputs:
        """The suite's channels are here the columns of the state."""
        b, t, n, m = sizes.get("b", 2), sizes.get("t", 6), sizes.get("n", 2), sizes.get("m", sizes.get("d", 2))
        drawn = {"A": uniform(generator, (b, t, n, n), dtype), "B": uniform(generator, (b, t, n, m), dtype)}
        return {**drawn, **({"H0": uniform(generator, (b, n, m), dtype)} if state else {})}

    def judge(self, inputs: Inputs, outputs: Outputs, order: Order) -> Iterator[Judged]:
        A, B = inputs["A"], inputs["B"]
        p, q = order.constants(B.shape[1], A.shape[-1], A.shape[-1])
        bound = matrix_scan_bound(A, B, inputs.get("H0"), p=p, q=q, reassociated=order.reassociates)
        exact = exact_states(inputs)
        yield Judged("H", outputs.main, exact, bound)
        if outputs.final is not None and B.shape[1]:
            yield Judged("final", outputs.final, exact[:, -1], bound[:, -1])


def with_transitions(trial: Trial, A: Tensor) -> None:
    """Those transitions, with ordinary inputs."""
    b, t, n, _ = A.shape
    trial.judge({**trial.sample(True, b=b, t=t, n=n), "A": A.to(trial.dtype)})


def state_sizes(trial: Trial) -> None:
    """States of 1 to 33 rows."""
    for n in (1, 3, 4, 8, 9, 16, 33):
        trial.judge(trial.sample(True, b=1, t=4 if n < 16 else 2, n=n))


def rotations(trial: Trial) -> None:
    """Rotations, whose products neither grow nor shrink."""
    for t in (3, 40):
        angle = 2 * torch.pi * torch.rand(1, t, generator=trial.generator, dtype=torch.float64)
        c, s = torch.cos(angle), torch.sin(angle)
        with_transitions(trial, torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2))


def shears(trial: Trial) -> None:
    """Shears to and fro, which commute least of all."""
    for t in (2, 3, 24):
        upper = torch.eye(2, dtype=torch.float64).repeat(1, t, 1, 1)
        upper[:, ::2, 0, 1], upper[:, 1::2, 1, 0] = 0.5, -0.25
        with_transitions(trial, upper)


def zero(trial: Trial) -> None:
    """Transitions 0: the inputs alone."""
    with_transitions(trial, torch.zeros(1, 5, 2, 2))


def case(id: str, function: Callable[[Trial], None], says: str = "") -> Case:
    return Case(id, says or function.__doc__ or "", function)


MatrixScan.cases = (
    case("sizes.state", state_sizes),
    case("decays.rotations", rotations),
    case("decays.shears", shears),
    case("decays.zero", zero),
    case(
        "gradients.whole-numbers",
        partial(whole.gradients, reference=partial(matrix_scan, backend="reference")),
        "Gradients on whole numbers, where nothing rounds.",
    ),
)
