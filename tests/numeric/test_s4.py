"""S4D's diagonals and layer."""

from typing import Any

import numpy as np
import pytest
import torch
from flint import acb, acb_mat, arb, ctx

from numeric.bounds.hippo import s4d_bound
from numeric.hippo import hippo
from numeric.s4 import INITIALISATIONS, S4D, expm1, read_out, s4d, s4d_diagonal, zero_order_hold


@pytest.fixture(autouse=True)
def _wide() -> Any:
    """Balls of 400 bits."""
    before, ctx.prec = ctx.prec, 400
    yield
    ctx.prec = before


def complex_normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.complex128)


@pytest.mark.parametrize("N", [2, 8, 64])
def test_the_diagonals_in_closed_form_are_within_4_ulp(N: int) -> None:
    n = range(N // 2)
    laws = {"lin": [arb.pi() * k for k in n], "inv": [N / arb.pi() * (arb(N) / (2 * k + 1) - 1) for k in n]}
    for init, exact in laws.items():
        A = s4d_diagonal(init, N)
        assert bool((A.real == -0.5).all())
        ulps = np.spacing(A.imag.numpy()).tolist()
        assert all(abs(arb(x) - y) <= 4 * arb(u) for x, y, u in zip(A.imag.tolist(), exact, ulps, strict=True))
    assert s4d_diagonal("real", N).tolist() == [-k for k in range(1, N + 1)]


@pytest.mark.parametrize("N", [2, 6, 16])
def test_the_legs_diagonal_is_the_spectrum_of_its_normal_part(N: int) -> None:
    """Of S = A + P P', to within N eps |S|: LAPACK's bound for eigenvalues of a Hermitian matrix, p(N) eps |S|."""
    A = hippo("legs", N)[0]
    S = A + torch.outer(*[(torch.arange(N).double() + 0.5).sqrt()] * 2)
    exact = sorted((z.imag for z in acb_mat(S.tolist()).eig() if z.imag > 0), key=float)
    found = s4d_diagonal("legs", N)
    limit = N * torch.finfo(torch.float64).eps * float(torch.linalg.matrix_norm(S))
    assert bool((found.real == -0.5).all())
    assert all(abs(arb(x) - y) <= limit for x, y in zip(found.imag.tolist(), exact, strict=True))


def test_a_real_state_is_a_plain_recurrence() -> None:
    A, B, C = (torch.tensor([[x]], dtype=torch.float64) for x in (-2.0, 3.0, 0.5))
    D, delta = torch.tensor([0.25], dtype=torch.float64), torch.tensor([1.0], dtype=torch.float64)
    u = torch.tensor([[[2.0], [4.0], [-8.0]]], dtype=torch.float64)
    # (1 - 1)/(1 + 1) = 0 and 3/(1 + 1): h = 1.5 u
    assert torch.equal(s4d(u, A, B, C, D, delta), (0.5 * 1.5 + 0.25) * u)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_zero_order_hold_is_the_exponential(dtype: torch.dtype) -> None:
    """Within 8 roundings of float64 for float64 and of float32 for float32, if torch's exp and expm1 are within 2."""
    z = -torch.logspace(-6, 1, 15, dtype=dtype).reshape(1, -1)
    one = torch.ones_like(z)
    gate, gain = zero_order_hold(z, one, one[:, :1])
    u = torch.finfo(dtype).eps / 2
    for x, g, b in zip(z[0].tolist(), gate[0].tolist(), gain[0].tolist(), strict=True):
        assert abs(arb(g) - arb(x).exp()) <= 8 * u * arb(x).exp()
        assert abs(arb(b) - arb(x).expm1() / arb(x)) <= 8 * u * arb(x).expm1() / arb(x)


def test_one_of_each_pair_is_the_layer_of_both() -> None:
    A, B, C = -complex_normal(2, 3).abs() + 1j * torch.randn(2, 3).double(), complex_normal(2, 3), complex_normal(2, 3)
    u, D, delta = torch.randn(1, 5, 2).double(), torch.randn(2).double(), torch.rand(2).double() + 0.1
    halves = A, B, C
    both = tuple(torch.cat([x, x.conj()], -1) for x in (A, B, C / 2))
    one, two = (s4d(u, *weights, D, delta) for weights in (halves, both))
    bounds = [s4d_bound(u, *weights, D, delta) for weights in (halves, both)]
    assert bool(((one - two).abs() <= bounds[0] + bounds[1]).all())


def test_the_gain_of_a_short_hold_loses_nothing() -> None:
    """At z of size 1e-9 both parts of e^z - 1 are right to 8 roundings, if torch's functions are to 2."""
    for x, y in ((-1e-9, 3e-9), (-2e-3, 1.0), (-1e-12, 0.0), (-0.5, -3.0)):
        found = expm1(torch.complex(*torch.tensor([[x], [y]], dtype=torch.float64))).item()
        exact = acb(x, y).expm1()
        for part, ball in ((found.real, exact.real), (found.imag, exact.imag)):
            assert abs(arb(part) - ball) <= 8 * 2.0**-53 * abs(ball)


def test_the_read_out_is_twice_the_real_part() -> None:
    h, C = torch.tensor([[1 + 2j, 3 - 1j]]), torch.tensor([[2 - 1j, 1 + 4j]])
    assert read_out(h, C).tolist() == [2 * (4 + 7)]
    assert read_out(h.real, C.imag).tolist() == [-1 + 12]


@pytest.mark.parametrize("init", INITIALISATIONS)
@pytest.mark.parametrize("method", ["bilinear", "zoh"])
def test_the_module_is_the_layer_with_its_weights(init: str, method: str) -> None:
    layer = S4D(3, 4, init=init, method=method, dtype=torch.float64)
    A = s4d_diagonal(init, 4).expand(3, -1)
    parts = layer.C.detach().unbind(-1)
    C = torch.complex(*parts) if A.is_complex() else parts[0]
    u, D, delta = torch.randn(2, 6, 3, dtype=torch.float64), layer.D.detach(), layer.log_delta.detach().exp()
    decay = -layer.log_decay.detach().exp()
    gate = torch.complex(decay, A.imag) if A.is_complex() else decay
    assert torch.equal(layer(u), s4d(u, gate, torch.ones_like(A), C, D, delta, method=method))


@pytest.mark.parametrize("init", INITIALISATIONS)
@pytest.mark.parametrize("method", ["bilinear", "zoh"])
def test_the_module_can_be_trained(init: str, method: str) -> None:
    layer = S4D(3, 4, init=init, method=method)
    layer(torch.randn(2, 6, 3)).sum().backward()
    assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in layer.parameters())


def test_gradients() -> None:
    A = (-1 + 1j * torch.randn(2, 2, dtype=torch.float64)).requires_grad_()
    B, C = (complex_normal(2, 2).requires_grad_() for _ in "BC")
    u, D, delta = (torch.rand(*s, dtype=torch.float64, requires_grad=True) for s in ((1, 3, 2), (2,), (2,)))
    for method in ("bilinear", "zoh"):
        assert torch.autograd.gradcheck(lambda *x, method=method: s4d(*x, method=method), (u, A, B, C, D, delta))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: s4d_diagonal("hippo", 4), "the initialisation 'hippo' is not known"),
        (lambda x: s4d_diagonal("lin", 3), "an even number, given N = 3"),
        (lambda x: s4d_diagonal("real", 0), "N >= 1"),
        (lambda x: s4d(x[0], *[torch.ones(2, 3)] * 3, *[torch.ones(2)] * 2), r"u must be \(batch, T, d\)"),
        (lambda x: s4d(x, *[torch.ones(3, 2)] * 3, *[torch.ones(3)] * 2), r"A, B, C each \(d, n\)"),
        (lambda x: s4d(x, *[torch.ones(2, 3)] * 3, torch.ones(7, 4, 2), torch.ones(2)), r"D and delta must be \(2,\)"),
        (lambda x: s4d(x, *[torch.ones(2, 3)] * 3, torch.ones(2), torch.tensor(1.0)), r"D and delta must be \(2,\)"),
        (lambda x: s4d(x, torch.ones(2, 3) * 1j, *[torch.ones(2, 3)] * 2, *[torch.ones(2)] * 2), "all complex"),
        (lambda x: s4d(x, torch.zeros(2, 3), *[torch.ones(2, 3)] * 2, *[torch.ones(2)] * 2, method="zoh"), "not be 0"),
        (lambda x: s4d(x, *[torch.ones(2, 3)] * 3, torch.ones(2), torch.zeros(2)), "delta must be positive"),
        (lambda x: s4d(x, *[torch.ones(2, 3)] * 3, *[torch.ones(2)] * 2, method="euler"), "'euler' is not known"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(torch.ones(1, 4, 2))
