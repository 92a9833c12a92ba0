"""The error of every order stays inside its proven bound, both evaluated in exact rationals.

|h_t computed - h_t| <= u/(1 - Nu)·(p·W_t + q·H_t) + U_t

H = scan(|a|, |b|, |h0|), W_t = |a_t|·(W_{t-1} + H_{t-1}), U_t = (1 + u)^p·|a_t|·U_{t-1} + (1 + u)·η
u  unit roundoff, η  half the least subnormal, N = pT + q
"""

from fractions import Fraction

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, target
from torch import Tensor

from numeric.scan import delta_scan, matrix_scan, plan, scan
from numeric.scan.machine import compiling as native

FORMATS = {
    torch.float32: (Fraction(1, 2**24), Fraction(1, 2**150)),
    torch.float64: (Fraction(1, 2**53), Fraction(1, 2**1075)),
}


def fractions(x: Tensor) -> list[Fraction]:
    return [Fraction(value) for value in x.tolist()]


def exact(a: list[Fraction], b: list[Fraction], h0: Fraction) -> list[Fraction]:
    states = []
    for gate, x in zip(a, b, strict=True):
        h0 = gate * h0 + x
        states.append(h0)
    return states


def largest_ratio(a: Tensor, b: Tensor, h0: Tensor, h: Tensor, p: int, q: int) -> Fraction:
    """max_t |error| / bound, of one sequence; a positive error over a zero bound counts as 2."""
    u, eta = FORMATS[b.dtype]
    gates, inputs, start = fractions(a), fractions(b), Fraction(h0.item())
    big_h, w, underflow, worst = abs(start), Fraction(0), Fraction(0), Fraction(0)
    n = p * len(gates) + q
    for gate, x, state, got in zip(gates, inputs, exact(gates, inputs, start), fractions(h), strict=True):
        big_h, w = abs(gate) * big_h + abs(x), abs(gate) * (w + big_h)
        underflow = (1 + u) ** p * abs(gate) * underflow + (1 + u) * eta
        bound = u / (1 - n * u) * (p * w + q * big_h) + underflow
        worst = max(worst, abs(got - state) / bound if bound else Fraction(2 if got != state else 0))
    return worst


@st.composite
def sequences(draw: st.DrawFn, least_exponent: int) -> tuple[Tensor, Tensor, Tensor]:
    """One sequence (T,), (T,), () whose states neither overflow nor, unless asked to, underflow."""
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    digits = 24 if dtype == torch.float32 else 53
    significands = st.integers(1 - 2**digits, 2**digits - 1)
    length = draw(st.integers(1, 33))

    def numbers(count: int, exponents: tuple[int, int]) -> Tensor:
        values = [draw(significands) * 2.0 ** (draw(st.integers(*exponents)) - digits) for _ in range(count)]
        return torch.tensor(values, dtype=torch.float64).to(dtype)

    around_one = draw(st.booleans())
    gates = numbers(length, (1, 1) if around_one else (least_exponent, 1))
    return gates, numbers(length, (least_exponent, 4)), numbers(1, (-3, 4)).squeeze()


@given(sequences(least_exponent=-150), st.sampled_from(["reference"] + ([] if native.missing() else ["cpu"])))
def test_the_chain_is_inside_its_bound_subnormals_included(
    sequence: tuple[Tensor, Tensor, Tensor], backend: str
) -> None:
    a, b, h0 = sequence
    made = plan(a, b, h0, dim=0, backend=backend)
    ratio = largest_ratio(a, b, h0, scan(a, b, h0, dim=0, backend=backend), made.p, made.q)
    target(float(ratio))
    assert ratio <= 1


@given(sequences(least_exponent=-3))
def test_the_tree_is_inside_its_bound(sequence: tuple[Tensor, Tensor, Tensor]) -> None:
    a, b, h0 = sequence
    made = plan(a, b, h0, dim=0, order="any", backend="associative")
    h = scan(a, b, h0, dim=0, order="any", backend="associative")
    ratio = largest_ratio(a, b, h0, h, made.p, made.q)
    target(float(ratio))
    assert ratio <= 1


def test_the_bounds_can_tell() -> None:
    """Each bound refutes the next lower precision, and the chain's refutes a term that is dropped."""
    a, b = torch.full((32,), 0.9), torch.ones(32)
    h0 = torch.tensor(0.3)
    h = scan(a, b, h0, dim=0)
    assert largest_ratio(a, b, h0, h, 1, 1) <= 1
    assert largest_ratio(a, b, h0, h.bfloat16().float(), 1, 11) > 1
    dropped = b.clone()
    dropped[-1] = 0
    assert largest_ratio(a, b, h0, scan(a, dropped, h0, dim=0), 1, 11) > 1


@pytest.mark.parametrize("backend", ["reference", "associative"])
@given(data=st.data())
def test_matrices_do_not_commute(backend: str, data: st.DataObject) -> None:
    """Small whole numbers: exact in every order of association, wrong in every other order of the factors."""
    batch, length, n, m = (data.draw(st.integers(0, 2)), data.draw(st.integers(0, 9)), data.draw(st.integers(1, 3)), 2)
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**32)))

    def whole(*shape: int) -> Tensor:
        return torch.randint(-2, 3, shape, generator=generator).double()

    A, B, H0 = whole(batch, length, n, n), whole(batch, length, n, m), whole(batch, n, m)
    start = data.draw(st.sampled_from([None, H0]))
    H = matrix_scan(A, B, start, backend=backend)
    state = torch.zeros_like(H0) if start is None else start
    for t in range(length):
        state = torch.einsum("bij,bjk->bik", A[:, t], state) + B[:, t]
        assert torch.equal(H[:, t], state)


@pytest.mark.parametrize("backend", ["reference", "associative"])
@pytest.mark.parametrize("per_channel", [False, True])
@given(data=st.data())
def test_the_delta_rule_on_whole_numbers(backend: str, per_channel: bool, data: st.DataObject) -> None:
    """Against the definition S_t = S_{t-1}(I - r k k') + r v k', channel by channel, where nothing rounds."""
    batch, length, n, d = 2, data.draw(st.integers(0, 5)), data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**32)))

    def whole(*shape: int) -> Tensor:
        return torch.randint(-2, 3, shape, generator=generator).double()

    q, k, v, S0 = whole(batch, length, n), whole(batch, length, n), whole(batch, length, d), whole(batch, d, n)
    beta = whole(batch, length, d) if per_channel else whole(batch, length)
    y, final, states = delta_scan(q, k, v, beta, S0, states=True, backend=backend)
    for i in range(batch):
        for c in range(d):
            row = S0[i, c]
            for t in range(length):
                r = beta[i, t, c] if per_channel else beta[i, t]
                row = (
                    row @ (torch.eye(n, dtype=row.dtype) - r * torch.outer(k[i, t], k[i, t])) + r * v[i, t, c] * k[i, t]
                )
                assert torch.equal(states[i, t, c], row)
                assert torch.equal(y[i, t, c], row @ q[i, t])
            assert torch.equal(final[i, c], row)


def test_the_implicit_strength_is_beta_over_one_plus_beta_k_k() -> None:
    k = torch.tensor([[[1.0, 1.0, 1.0]]])
    y, S = delta_scan(k, k, torch.tensor([[[5.0]]]), torch.tensor([[1.0]]), form="implicit")
    assert torch.equal(S, torch.tensor([[[1.25, 1.25, 1.25]]]))  # 1/(1 + 3)·5
    assert torch.equal(y, torch.tensor([[[3.75]]]))
