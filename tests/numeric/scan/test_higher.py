"""Derivatives of the fused kernels' gradients: of every order, and under torch's transforms."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from numeric.scan import delta_scan, selective_scan
from numeric.scan.machine import compiling as native

pytestmark = pytest.mark.skipif(bool(native.missing()), reason=native.missing())

BATCH, LENGTH, N, D = 2, 4, 3, 2


def leaf(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def explicit(*x: Tensor) -> tuple[Tensor, ...]:
    return delta_scan(*x, backend="cpu")


def implicit(*x: Tensor) -> tuple[Tensor, ...]:
    return delta_scan(*x, form="implicit", backend="cpu")


def s6(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor) -> tuple[Tensor, ...]:
    return selective_scan(x, delta, A, B, C, h0=h0, backend="cpu")


def inputs(run: Callable[..., tuple[Tensor, ...]]) -> list[Tensor]:
    wide, narrow = (BATCH, LENGTH, N), (BATCH, LENGTH, D)
    shapes = [narrow, narrow, (D, N), wide, wide] if run is s6 else [wide, wide, narrow, (BATCH, LENGTH)]
    return [leaf(*shape) for shape in (*shapes, (BATCH, D, N))]


@pytest.mark.parametrize("run", [explicit, implicit, s6])
def test_first_and_second_derivatives(run: Callable[..., tuple[Tensor, ...]]) -> None:
    assert torch.autograd.gradcheck(run, inputs(run))
    assert torch.autograd.gradgradcheck(run, inputs(run))


@pytest.mark.parametrize("run", [explicit, s6])
def test_no_step_at_all(run: Callable[..., tuple[Tensor, ...]]) -> None:
    given = [x[:, :0] if x.shape[1] == LENGTH else x for x in inputs(run)]
    (first,) = torch.autograd.grad(run(*given)[1].square().sum(), given[-1], create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), given[-1])
    assert bool((second == 2).all())


def test_a_jacobian_of_a_gradient_is_the_loops() -> None:
    q, k, v, beta, S0 = (x.detach() for x in inputs(explicit))

    def gradient(backend: str) -> Callable[[Tensor], Tensor]:
        return torch.func.grad(lambda k: delta_scan(q, k, v, beta, S0, backend=backend)[0].square().sum())

    fused, loop = (torch.func.jacrev(gradient(backend))(k) for backend in ("cpu", "reference"))
    torch.testing.assert_close(fused, loop)
    assert torch.func.vmap(gradient("cpu"))(torch.stack([k, 2 * k])).shape == (2, *k.shape)
