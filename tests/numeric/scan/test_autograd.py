"""Gradients of `scan`: every order, every transform of torch, and the exact adjoint chain."""

import warnings
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import Tensor
from torch.autograd import forward_ad

from numeric.scan import scan
from numeric.scan.machine import compiling as native

BACKENDS = ["reference", "associative"] + ([] if native.missing() else ["cpu"])
DTYPES = [torch.float64, torch.complex128]

backends = pytest.mark.parametrize("backend", BACKENDS)
dtypes = pytest.mark.parametrize("dtype", DTYPES)
directions = pytest.mark.parametrize("reverse", [False, True])


def inputs(dtype: torch.dtype = torch.float64, shape: tuple[int, int, int] = (2, 3, 2)) -> tuple[Tensor, ...]:
    a, b, h0 = torch.randn(shape, dtype=dtype), torch.randn(shape, dtype=dtype), torch.randn(shape[::2], dtype=dtype)
    return tuple(x.requires_grad_() for x in (a, b, h0))


def whole_numbers(shape: tuple[int, int, int] = (2, 4, 3)) -> tuple[Tensor, ...]:
    """Small integers, on which every derivative is computed exactly, in whatever order."""
    return tuple(torch.randint(-2, 3, size).double() for size in (shape, shape, shape[::2]))


def of_backend(backend: str, reverse: bool = False) -> Callable[..., Tensor]:
    return lambda a, b, h0=None: scan(a, b, h0, reverse=reverse, order="any", backend=backend)


@backends
@dtypes
@directions
def test_first_and_second_derivatives(backend: str, dtype: torch.dtype, reverse: bool) -> None:
    f = of_backend(backend, reverse)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gradcheck's own use of vmap
        assert torch.autograd.gradcheck(f, inputs(dtype), check_forward_ad=True, check_batched_grad=True)
        assert torch.autograd.gradgradcheck(f, inputs(dtype))
        assert torch.autograd.gradcheck(f, inputs(dtype)[:2], check_forward_ad=True)
        assert torch.autograd.gradgradcheck(f, inputs(dtype)[:2])


@backends
def test_third_derivative(backend: str) -> None:
    def gradient(a: Tensor, b: Tensor) -> Tensor:
        (da,) = torch.autograd.grad(of_backend(backend)(a, b).square().sum(), a, create_graph=True)
        return da

    assert torch.autograd.gradgradcheck(gradient, inputs(shape=(1, 3, 1))[:2])


@backends
def test_gradient_of_the_final_state_and_of_h0(backend: str) -> None:
    def final(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        return scan(a, b, h0, order="any", backend=backend, final_state=True)[1]

    assert torch.autograd.gradcheck(final, inputs())
    a, b, h0 = inputs(shape=(2, 0, 3))
    (dh0,) = torch.autograd.grad(final(a, b, h0).sum(), h0)
    assert torch.equal(dh0, torch.ones_like(h0))
    (dh0,) = torch.autograd.grad(scan(a, b, h0, order="any", backend=backend).sum(), h0)
    assert torch.equal(dh0, torch.zeros_like(h0))


@backends
def test_each_transform_agrees_with_the_backward(backend: str) -> None:
    a, b, h0 = whole_numbers()
    f = of_backend(backend)
    want = torch.autograd.functional.jacobian(lambda a: f(a, b, h0), a)
    assert torch.equal(torch.func.jacrev(f)(a, b, h0), want)
    assert torch.func.jacfwd(f)(a, b, h0).shape == want.shape

    def loss(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        return f(a[None], b[None], h0[None]).square().sum()

    each = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1, 2)))(a, b, h0)
    whole = torch.func.grad(lambda *x: f(*x).square().sum(), argnums=(0, 1, 2))(a, b, h0)
    assert all(torch.equal(x, y) for x, y in zip(each, whole, strict=True))
    shared = torch.func.vmap(lambda a: f(a[None], b[:1]), in_dims=0)(a)
    assert torch.equal(shared[:, 0], f(a, b[:1].expand_as(a)))
    for point, energy in ((a, lambda a: f(a, b, h0).square().sum()), (h0, lambda h0: f(a, b, h0).square().sum())):
        forward_over_reverse = torch.func.hessian(energy)(point)
        reverse_over_reverse = torch.func.jacrev(torch.func.jacrev(energy))(point)
        assert torch.equal(forward_over_reverse, reverse_over_reverse)


@pytest.mark.skipif(bool(native.missing()), reason=native.missing())
@given(st.sampled_from([(2, 5, 3), (1, 6, 9)]), st.booleans())
def test_a_tangent_survives_the_backward(shape: tuple[int, int, int], reverse: bool) -> None:
    """A raw operator would drop it silently: the gradient of h in direction v is linear in v, and not zero."""
    a, b, _ = whole_numbers(shape)
    a.requires_grad_()
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(a, torch.ones_like(a))
        h = scan(dual, b, reverse=reverse, backend="cpu")
        (da,) = torch.autograd.grad(h.sum(), dual)
        tangent = forward_ad.unpack_dual(da).tangent
        assert tangent is not None
    (first,) = torch.autograd.grad(scan(a, b, reverse=reverse).sum(), a, create_graph=True)
    (twice,) = torch.autograd.grad(first.sum(), a)
    assert torch.equal(tangent, twice)


@pytest.mark.skipif(bool(native.missing()), reason=native.missing())
@directions
@pytest.mark.parametrize("time_innermost", [False, True])
def test_raw_operators_keep_their_contracts(reverse: bool, time_innermost: bool) -> None:
    a, b, h0 = (x.detach() for x in inputs(torch.float32, (2, 9, 5)))
    if time_innermost:
        a, b = (x.mT.contiguous().mT for x in (a, b))
    for state in (None, h0):
        arguments = (a, b, state, reverse, "cpu")
        torch.library.opcheck(torch.ops.ssmverify.scan.default, arguments)
        torch.library.opcheck(torch.ops.ssmverify.scan_backward.default, (a, *arguments))


@backends
def test_compiles_into_one_graph(backend: str) -> None:
    a, b, h0 = inputs(torch.float32)

    def loss(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        return (of_backend(backend)(a * 1, b, h0) * 2).sum()

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    want = torch.autograd.grad(loss(a, b, h0), (a, b, h0))
    got = torch.autograd.grad(compiled(a, b, h0), (a, b, h0))
    assert all(torch.equal(x, y) for x, y in zip(got, want, strict=True))


@pytest.mark.skipif(bool(native.missing()), reason=native.missing())
def test_compiles_with_the_default_compiler() -> None:
    a, b, _ = inputs(torch.float32)
    compiled = torch.compile(lambda a, b: scan(a, b) * 2, fullgraph=True)
    assert torch.equal(compiled(a, b), scan(a, b) * 2)


@backends
def test_the_gradient_survives_gates_that_are_zero(backend: str) -> None:
    """A backward that recovered h_{t-1} by dividing by the gate would give NaN here."""
    a, b = torch.zeros(1, 5, 2, dtype=torch.float64, requires_grad=True), torch.randn(1, 5, 2, dtype=torch.float64)
    (da,) = torch.autograd.grad(of_backend(backend)(a, b).sum(), a)
    assert torch.equal(da[:, 1:], b[:, :-1])
    assert torch.equal(da[:, 0], torch.zeros(1, 2, dtype=torch.float64))


@backends
def test_broadcast_inputs_get_gradients_of_their_own_shape(backend: str) -> None:
    a = torch.rand(1, 1, 3, dtype=torch.float64, requires_grad=True)
    b = torch.randn(2, 6, 1, dtype=torch.float64, requires_grad=True)
    h0 = torch.randn(1, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(of_backend(backend), (a, b, h0))
