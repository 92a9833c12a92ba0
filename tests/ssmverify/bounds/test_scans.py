"""numeric.scan inside a program: its kernels are rules, and stay within their bounds."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from numeric.scan import delta_scan, matrix_scan, scan, selective_scan
from ssmverify.bounds import Refused, bound
from tests.ssmverify.bounds.programs import examples
from tests.ssmverify.bounds.test_kinds import held

R = torch.randn


def gated(a: Tensor, b: Tensor, **how: Any) -> Tensor:
    return scan(torch.sigmoid(a), b * 1.1, **how).tanh()


SCANS: dict[str, tuple[Any, Any]] = {
    "reference": (lambda a, b: gated(a, b, backend="reference"), lambda: (R(2, 9, 3), R(2, 9, 3))),
    "cpu": (lambda a, b: gated(a, b), lambda: (R(2, 9, 3), R(2, 9, 3))),
    "in reverse": (lambda a, b: gated(a, b, reverse=True), lambda: (R(2, 9, 3), R(2, 9, 3))),
    "associative": (
        lambda a, b: gated(a, b, backend="associative", order="any"),
        lambda: (R(2, 33, 3), R(2, 33, 3)),
    ),
    "with a start": (lambda a, b, h: scan(a.tanh(), b, h), lambda: (R(2, 9, 3), R(2, 9, 3), R(2, 3))),
    "matrices": (lambda A, B: matrix_scan(A.tanh() / 2, B), lambda: (R(2, 7, 3, 3), R(2, 7, 3, 2))),
    "delta": (
        lambda q, k, v, b: delta_scan(q, k, v, b),
        lambda: (R(2, 9, 3), R(2, 9, 3), R(2, 9, 2), torch.rand(2, 9)),
    ),
    "delta of computed keys": (
        lambda q, k, v, b: delta_scan(q, torch.tanh(k), v, torch.sigmoid(b)),
        lambda: (R(2, 9, 3), R(2, 9, 3), R(2, 9, 2), R(2, 9)),
    ),
    "implicit delta": (
        lambda q, k, v, b: delta_scan(q, k, v, b, form="implicit"),
        lambda: (R(2, 9, 3), R(2, 9, 3), R(2, 9, 2), torch.rand(2, 9)),
    ),
    "selective": (
        lambda x, d, A, B, C: selective_scan(x, d, -torch.exp(A), B, C, softplus=True),
        lambda: (R(2, 9, 3), R(2, 9, 3), R(3, 4), R(2, 9, 4), R(2, 9, 4)),
    ),
}


@pytest.mark.parametrize("kind", SCANS)
def test_a_scan_stays_within_its_bound(kind: str) -> None:
    run, inputs = SCANS[kind]

    @settings(max_examples=examples(4), deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def explore(seed: int) -> None:
        torch.manual_seed(seed)
        held(run, *inputs())

    explore()


@pytest.mark.parametrize("kind", ["reference", "cpu", "in reverse", "associative", "with a start", "matrices"])
def test_a_scans_gradient_stays_within_its_bound(kind: str) -> None:
    run, inputs = SCANS[kind]

    def gradient(*given: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(run(*given).square().sum(), given)

    for seed in range(2):
        torch.manual_seed(seed)
        assert held(gradient, *(x.requires_grad_() for x in inputs())) > 0


def test_the_canonical_chain_is_charged_one_rounding_a_step() -> None:
    """As `scan_bound` with (p, q) = (1, 1), which its own tests hold to the kernels."""
    from numeric.bounds import scan_bound

    torch.manual_seed(0)
    a, b = torch.rand(2, 20, 3), R(2, 20, 3)
    derived, by_hand = bound(scan, a, b).bound, scan_bound(a, b, p=1, q=1)
    assert bool((derived <= 1.001 * by_hand).all())


def test_the_delta_rules_bound_is_the_one_by_rows() -> None:
    """Entry by entry an old error grows with every step; in the 2-norm it does not."""
    torch.manual_seed(0)
    q, k, v, beta = R(1, 200, 4), R(1, 200, 4), R(1, 200, 2), torch.rand(1, 200)
    k = k / k.norm(dim=-1, keepdim=True)
    y, _ = bound(delta_scan, q, k, v, beta).bound
    assert float(y[:, -1].max()) < 1e-3


def test_the_gradient_of_a_fused_delta_rule_is_refused() -> None:
    given_ = [x.requires_grad_() for x in (R(1, 5, 3), R(1, 5, 3), R(1, 5, 2))]
    with pytest.raises(Refused, match="backend='reference'"):
        bound(lambda q, k, v: torch.autograd.grad(delta_scan(q, k, v, torch.ones(1, 5))[0].sum(), (q, k, v)), *given_)
