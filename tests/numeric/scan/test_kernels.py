"""The fused kernels of matrices, the delta rule and S6: exact where nothing rounds, within a bound elsewhere."""

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import assume, example, given
from torch import Tensor

from numeric.scan import delta_scan, matrix_scan, selective_scan
from numeric.scan.machine import compiling as native

pytestmark = pytest.mark.skipif(bool(native.missing()), reason=native.missing())

lengths = st.one_of(st.integers(0, 6), st.sampled_from([31, 32, 33, 70]))
UNITS = {torch.float32: Fraction(1, 2**24), torch.float64: Fraction(1, 2**53)}


class Whole:
    """Draws small whole numbers, on which neither kernel nor reference rounds, in memory of any layout."""

    def __init__(self, data: st.DataObject, most: int = 1) -> None:
        self.generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**32)))
        self.awry, self.most = data.draw(st.booleans()), most

    def __call__(self, *shape: int) -> Tensor:
        x = torch.randint(-self.most, self.most + 1, shape, generator=self.generator).double()
        x = x.mT.contiguous().mT if self.awry and x.ndim > 1 else x
        return x.requires_grad_()


def agree_exactly(run: Callable[..., tuple[Tensor, ...]], inputs: Sequence[Tensor], whole: Whole) -> None:
    """Values and gradients of backends cpu and reference are equal."""
    results = []
    cotangents: list[Tensor] | None = None
    for backend in ("cpu", "reference"):
        values = run(*inputs, backend=backend)
        cotangents = cotangents or [whole(*x.shape).detach() for x in values]
        gradients = torch.autograd.grad(values, inputs, cotangents, materialize_grads=True)
        results.append([*values, *gradients])
    largest = max((float(x.detach().abs().max()) for x in results[1] if x.numel()), default=0.0)
    assume(largest < 2.0**50)  # above, even whole numbers round
    for got, want in zip(*results, strict=True):
        assert torch.equal(got, want)


@given(data=st.data(), length=lengths)
def test_matrices(data: st.DataObject, length: int) -> None:
    whole = Whole(data)
    batch, n, m = data.draw(st.integers(0, 3)), data.draw(st.integers(1, 5)), data.draw(st.sampled_from([1, 2, 9]))
    assume(length * n <= 40)
    inputs = [whole(batch, length, n, n), whole(batch, length, n, m), whole(batch, n, m)]
    agree_exactly(lambda *x, backend: (matrix_scan(*x, backend=backend),), inputs, whole)
    agree_exactly(lambda *x, backend: (matrix_scan(*x, backend=backend),), inputs[:2], whole)


@given(data=st.data(), length=lengths, per_channel=st.booleans())
def test_delta_rule(data: st.DataObject, length: int, per_channel: bool) -> None:
    whole = Whole(data)
    batch, n, d = data.draw(st.integers(0, 2)), data.draw(st.integers(1, 4)), data.draw(st.sampled_from([1, 5, 16, 17]))
    beta = whole(batch, length, d) if per_channel else whole(batch, length)
    inputs = [whole(batch, length, n), whole(batch, length, n), whole(batch, length, d), beta, whole(batch, d, n)]
    with torch.no_grad():  # keys of one entry and strengths 0 or 1 keep long sequences small
        inputs[1].mul_(torch.eye(n)[torch.arange(length) % n])
        beta.abs_()
    agree_exactly(delta_scan, inputs, whole)
    with torch.no_grad():
        results = [delta_scan(*inputs, states=True, backend=backend) for backend in ("cpu", "reference")]
    assert all(torch.equal(x, y) for x, y in zip(*results, strict=True))


@given(data=st.data(), length=lengths)
def test_selective_scan_without_decay(data: st.DataObject, length: int) -> None:
    """A = 0 makes every gate exp(0) = 1, and everything else whole; the gradient of A is not zero."""
    whole = Whole(data)
    batch, n, d = data.draw(st.integers(0, 2)), data.draw(st.integers(1, 4)), data.draw(st.sampled_from([1, 5, 16, 17]))
    x, delta, D = whole(batch, length, d), whole(batch, length, d), whole(d)
    B, C, h0 = whole(batch, length, n), whole(batch, length, n), whole(batch, d, n)
    A = torch.zeros(d, n, dtype=torch.float64, requires_grad=True)
    agree_exactly(
        lambda x, delta, A, B, C, D, h0, backend: selective_scan(x, delta, A, B, C, D, h0=h0, backend=backend),
        [x, delta, A, B, C, D, h0],
        whole,
    )


def exponential(x: float, dtype: torch.dtype) -> float:
    """The kernel's own exp, through one step of a state of one number: h = exp(1·x)·1 + 0."""
    one, zero = torch.ones(1, 1, 1, dtype=dtype), torch.zeros(1, 1, 1, dtype=dtype)
    rate = torch.tensor([[x]], dtype=dtype)
    return float(selective_scan(zero, one, rate, zero, zero, h0=one, backend="cpu")[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(data=st.data())
def test_the_exponential_is_within_its_stated_ulp(dtype: torch.dtype, data: st.DataObject) -> None:
    low, high = (-87, 88) if dtype == torch.float32 else (-708, 709)
    x = data.draw(st.floats(low, high, width=32 if dtype == torch.float32 else 64))
    got = Fraction(exponential(x, dtype))
    with localcontext() as context:
        context.prec = 50
        want = Fraction(Decimal(x).exp())
    below = Fraction(2) ** (want.numerator.bit_length() - want.denominator.bit_length())
    power = below if below <= want else below / 2  # the largest power of two up to it
    assert abs(got - want) <= Fraction(3, 2) * power * 2 * UNITS[dtype]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_exponential_at_its_ends(dtype: torch.dtype) -> None:
    assert exponential(0.0, dtype) == 1
    assert exponential(-1e30, dtype) == 0
    assert exponential(float("-inf"), dtype) == 0
    assert exponential(1e30, dtype) == float("inf")
    assert exponential(float("nan"), dtype) != exponential(float("nan"), dtype)


@given(seed=st.integers(0, 2**32), length=st.sampled_from([1, 5, 33, 100]), scale=st.sampled_from([0.01, 1.0, 8.0]))
@example(seed=0, length=100, scale=1.0)
def test_selective_scan_is_inside_its_bound(seed: int, length: int, scale: float) -> None:
    """float32 against float64, which is so much finer that its own error is one unit in 2^29.

    A gate collects the rounding of delta·A, |delta A| units of the result, three units of exp (1.5 ulp) and one of the
    fused multiply-add; an input two and one; the read-out n + 1.
    """
    generator = torch.Generator().manual_seed(seed)
    n, d = 4, 5
    x, delta = torch.randn(1, length, d, generator=generator), torch.rand(1, length, d, generator=generator)
    B, C = (torch.randn(1, length, n, generator=generator) for _ in range(2))
    A = -scale * torch.rand(d, n, generator=generator)
    y, _ = selective_scan(x, delta, A, B, C, backend="cpu")
    want, _ = selective_scan(*(z.double() for z in (x, delta, A, B, C)), backend="reference")

    u = float(UNITS[torch.float32])
    H = W = torch.zeros(d, n, dtype=torch.float64)
    roundings = 0.0
    for t in range(length):
        exponent = (delta[0, t, :, None] * A).double()
        gate, own = exponent.exp(), (delta[0, t] * x[0, t]).abs().double()[:, None] * B[0, t].abs().double()
        W = gate * (W + (exponent.abs() + 4) * H)
        H = gate * H + own
        roundings += float(exponent.abs().max()) + 4
        N = roundings + n + 5
        bound = u / (1 - N * u) * ((W + (n + 4) * H) @ C[0, t].abs().double()) * (1 + 1e-6)
        assert bool(((y[0, t].double() - want[0, t]).abs() <= bound).all())


def test_gradients_that_do_round() -> None:
    def double(*shape: int) -> Tensor:
        return torch.randn(shape, dtype=torch.float64, requires_grad=True)

    q, k, v, S0 = double(2, 35, 2), double(2, 35, 2), double(2, 35, 3), double(2, 3, 2)
    beta = torch.rand(2, 35, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda *x: delta_scan(*x, form="implicit", backend="cpu"), (q, k, v, beta, S0), fast_mode=True
    )
    x, delta, A, B, C = double(2, 35, 3), double(2, 35, 3), double(3, 2), double(2, 35, 2), double(2, 35, 2)
    D, z, h0 = double(3), double(2, 35, 3), double(2, 3, 2)
    assert torch.autograd.gradcheck(
        lambda x, delta, A, *rest: selective_scan(x, delta, -A.exp(), *rest, softplus=True, backend="cpu"),
        (x, delta, A, B, C, D, z, h0),
        fast_mode=True,
    )
    matrices = double(2, 5, 2, 2), double(2, 5, 2, 3), double(2, 2, 3)
    assert torch.autograd.gradcheck(lambda *x: matrix_scan(*x, backend="cpu"), matrices)
    assert torch.autograd.gradgradcheck(lambda *x: matrix_scan(*x, backend="cpu"), matrices)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_any_number_of_threads(count: int) -> None:
    threads = torch.get_num_threads()

    def everything() -> list[Tensor]:
        generator = torch.Generator().manual_seed(0)

        def draw(*shape: int) -> Tensor:
            return torch.rand(shape, generator=generator).requires_grad_()

        q, k, v, beta = draw(3, 70, 16), draw(3, 70, 16), draw(3, 70, 50), draw(3, 70)
        A, matrices, inputs = draw(50, 16), draw(9, 70, 8, 8), draw(9, 70, 8, 4)
        values = [
            delta_scan(q, k, v, beta, backend="cpu")[0],
            selective_scan(v, v, -A, q, k, backend="cpu")[0],
            matrix_scan(matrices / 8, inputs, backend="cpu"),
        ]
        gradients = torch.autograd.grad([x.sum() for x in values], [q, k, v, beta, A, matrices, inputs])
        return [x.detach() for x in (*values, *gradients)]

    want = everything()
    try:
        torch.set_num_threads(count)
        got = everything()
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(x, y) for x, y in zip(got, want, strict=True))


def test_the_raw_operators_keep_their_contracts() -> None:
    A, B, H0 = torch.rand(2, 5, 3, 3), torch.rand(2, 5, 3, 2), torch.rand(2, 3, 2)
    operators = torch.ops.ssmverify
    torch.library.opcheck(operators.matrix_scan.default, (A, B, H0, "cpu"))
    torch.library.opcheck(operators.matrix_scan_backward.default, (B, A, B, None, "cpu"))
    q, v, S0 = torch.rand(2, 35, 3), torch.rand(2, 35, 5), torch.rand(2, 5, 3)
    torch.library.opcheck(operators.delta_scan.default, (q, q, v, v, S0, "cpu"))
    kept = torch.rand(2, 2, 5, 3)
    torch.library.opcheck(operators.delta_scan_backward.default, (v, S0, q, q, v, v, kept, "cpu"))
    torch.library.opcheck(operators.selective_scan.default, (v, v, S0, q, q, S0, "cpu"))
    torch.library.opcheck(operators.selective_scan_backward.default, (v, S0, v, v, S0, q, q, kept, "cpu"))


def test_each_transform_sees_one_operator() -> None:
    q, v, beta = torch.rand(3, 9, 2), torch.rand(3, 9, 4), torch.rand(3, 9)

    def loss(q: Tensor, v: Tensor, beta: Tensor) -> Tensor:
        return delta_scan(q[None], q[None], v[None], beta[None], backend="cpu")[0].sum()

    each = torch.func.vmap(torch.func.grad(loss))(q, v, beta)
    assert torch.equal(each, torch.stack([torch.func.grad(loss)(*x) for x in zip(q, v, beta, strict=True)]))
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(q[0], v[0], beta[0]), loss(q[0], v[0], beta[0]))


def test_what_they_can_not_do_they_say() -> None:
    X = torch.zeros(1, 2, 3)
    with pytest.raises(ValueError, match="its matrices go up to n = 32, m = 64"):
        matrix_scan(torch.zeros(1, 2, 33, 33), torch.zeros(1, 2, 33, 1), backend="cpu")
    with pytest.raises(ValueError, match=r"no kernel for torch\.complex64"):
        matrix_scan(torch.zeros(1, 2, 3, 3) * 1j, torch.zeros(1, 2, 3, 1) * 1j, backend="cpu")
    with pytest.raises(ValueError, match="no gradients of all states"):
        delta_scan(X, X, X.clone().requires_grad_(), X[..., 0], states=True, backend="cpu")
    with pytest.raises(ValueError, match="the state size is 257"):
        selective_scan(X, X, torch.zeros(3, 257), torch.zeros(1, 2, 257), torch.zeros(1, 2, 257), backend="cpu")
    with pytest.raises(ValueError, match=r"B must be \(batch, time, n\)"):
        selective_scan(X, X, torch.zeros(3, 2), X, X)
    twice = delta_scan(X.clone().requires_grad_(), X, X, X[..., 0], backend="cpu")[0]
    assert twice.shape == X.shape
