"""The evaluated bound is the proved one: never below the theorem's formula, and hardly above it."""

from typing import Any

import pytest
import torch
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from numeric.bounds import scan_bound, underflow, unit_roundoff
from proofs.rounding import run_bound
from ssmverify.catalogue.recurrence import scan_inputs
from ssmverify.strategies import exact


def rational(x: Any) -> fmpq:
    return fmpq(*x.as_integer_ratio())


@pytest.mark.parametrize(("p", "q"), [(1, 1), (2, 1), (1, 9)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_evaluated_bound_is_the_bound_of_the_theorem(dtype: torch.dtype, p: int, q: int) -> None:
    u = rational(unit_roundoff(dtype))
    least = rational(torch.finfo(dtype).smallest_normal) * u  # half the least subnormal: gradual underflow
    most = 8 * q * rational(underflow(dtype))

    @settings(max_examples=60, deadline=None)
    @given(scan_inputs(dtype), st.integers(0, 1))
    def compare(drawn: dict[str, Any], channel: int) -> None:
        evaluated = exact(scan_bound(**drawn, p=p, q=q))[0]
        a, b, h0 = (exact(drawn[name])[0] for name in ("a", "b", "h0"))
        channel %= a.shape[1]
        for eta, side in ((least, -1), (most, 1)):
            proved = run_bound(a[:, channel], b[:, channel], h0[channel], u, eta, p, q)
            for ours, theirs in zip(evaluated[:, channel], proved, strict=True):
                assert side * ours <= side * theirs * (1 + fmpq(max(side, 0), 2**36))

    compare()
