"""Kinds of program at which a first try was unsound, each held to its bound; and what must be refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ssmverify.bounds import Ball, Refused, Undecided, bound, reference, rounded, rule
from tests.ssmverify.bounds.programs import examples
from tests.ssmverify.bounds.test_programs import worst

Run = Callable[..., Any]


def held(run: Run, *inputs: Tensor) -> float:
    """The worst error over its bound, which must not exceed 1."""
    found = worst(run(*inputs), *reference(run, *inputs), bound(run, *inputs).tensors)
    assert found <= 1
    return found


def explore(run: Run, *shapes: tuple[int, ...], scale: float = 1.0, positive: bool = False) -> None:
    @settings(max_examples=examples(6), deadline=None)
    @given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 30.0, 1e-3]))
    def draw(seed: int, size: float) -> None:
        torch.manual_seed(seed)
        inputs = [torch.randn(shape) * size * scale for shape in shapes]
        held(run, *(x.abs() + 1e-3 if positive else x for x in inputs))

    draw()


def autocast(x: Tensor, w: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return torch.tanh(x) @ w


def rows_into_a_bfloat16_buffer(x: Tensor) -> Tensor:
    out = torch.empty(x.shape, dtype=torch.bfloat16)
    for i in range(x.shape[0]):
        out[i] = x[i] * 1.1
    return out


def in_place_on_a_view(x: Tensor) -> Tensor:
    y = x * 1.5
    y.view(-1)[::2].mul_(3.0).add_(0.1)
    y[1:].t().sub_(x[1:].t())
    return y


def transposed_in_place(x: Tensor) -> Tensor:
    y = (x * 1.1).transpose_(0, 1)
    y[0] = 1.0
    return y / 3


def branch_of_a_product(x: Tensor) -> Tensor:
    return x * 2 if float(torch.ones(())) > 0 else x


def loop_over_integers(x: Tensor) -> Tensor:
    out = torch.zeros_like(x)
    for i in torch.arange(x.shape[0]):
        out[int(i)] = x[int(i)] * int(i) / 7
    return out


def normed_by_hand(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)


def attention_in_its_composite_form(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)


M = (5, 6)
KINDS: dict[str, tuple[Run, tuple[tuple[int, ...], ...]]] = {
    "a constant that is no float32": (lambda x: (x + 0.1) - 0.1, (M,)),
    "a product with 0.1": (lambda x: x * 0.1, (M,)),
    "a constant as a tensor": (lambda x: x * torch.tensor(0.1) + torch.full((6,), 0.3), (M,)),
    "a constant in bfloat16": (lambda x: x.bfloat16() * 0.1 + 0.7, (M,)),
    "alpha=": (lambda x, y: torch.add(x, y, alpha=0.3), (M, M)),
    "alpha= on what cancels": (lambda x: torch.sub(x, x * 3, alpha=1 / 3), (M,)),
    "rsub": (lambda x: torch.rsub(x, 0.7, alpha=0.2), (M,)),
    "autocast to bfloat16": (autocast, (M, (6, 4))),
    "rows written to a bfloat16 buffer": (rows_into_a_bfloat16_buffer, (M,)),
    "a cast that rounds": (lambda x: x.bfloat16().float() * x.half().float(), (M,)),
    "a cast of what is wide": (lambda x: (x.double() * 0.1).float(), (M,)),
    "a quotient of integers": (lambda x: x * (torch.arange(1, 7) / torch.arange(2, 8)), (M,)),
    "large integers": (lambda x: x * torch.tensor([16777217, 3, 5, 7, 33554435, 1]), (M,)),
    "a computed constant": (lambda x: x * torch.exp(torch.arange(6.0)), (M,)),
    "a float64 number without dimensions": (lambda x: x * torch.tensor(1 / 3, dtype=torch.float64), (M,)),
    "two dtypes": (lambda x: x.bfloat16() + x.half() * 0.3, (M,)),
    "bfloat16 throughout": (lambda x: torch.tanh(x.bfloat16()) * x.bfloat16() + x.bfloat16(), (M,)),
    "half precision, near its underflow": (lambda x: (x.half() * 1e-5) * 0.7, (M,)),
    "a sum in bfloat16": (lambda x: x.bfloat16().sum(-1), ((4, 700),)),
    "a mean in bfloat16": (lambda x: x.bfloat16().mean(0), ((700, 3),)),
    "a running sum in bfloat16": (lambda x: x.bfloat16().cumsum(0), ((300, 3),)),
    "a product of bfloat16 matrices": (lambda x, y: x.bfloat16() @ y.bfloat16(), ((4, 500), (500, 3))),
    "a bfloat16 matrix and vector": (lambda x, y: x.bfloat16() @ y.bfloat16(), ((40, 500), (500,))),
    "a bfloat16 dot product": (lambda x, y: torch.dot(x.bfloat16(), y.bfloat16()), ((900,), (900,))),
    "a batch of bfloat16 products": (lambda x, y: x.bfloat16() @ y.bfloat16(), ((3, 4, 300), (3, 300, 2))),
    "softmax in bfloat16": (lambda x: torch.softmax(x.bfloat16(), -1), ((4, 60),)),
    "float64": (lambda x: torch.exp(x.double().tanh()) / 3, (M,)),
    "a square matrix from the left": (lambda x, y: y @ x.exp(), (M, (5, 5))),
    "einsum with a repeated index": (lambda x: torch.einsum("iij->ij", x.unsqueeze(0).expand(1, 5, 6)[:1, :1]), (M,)),
    "einsum": (lambda x, y: torch.einsum("ij,kj->ik", x, y), (M, M)),
    "in place on a view": (in_place_on_a_view, (M,)),
    "transposed in place": (transposed_in_place, (M,)),
    "the power 1, then in place": (lambda x: (x.pow(1).mul_(3.0), x * 1.1)[1], (M,)),
    "a branch on an exact number": (branch_of_a_product, (M,)),
    "a loop over integers": (loop_over_integers, (M,)),
    "log sigmoid": (F.logsigmoid, (M,)),
    "softplus past its threshold": (lambda x: F.softplus(x * 10), (M,)),
    "relu, clamp, abs, max": (lambda x, y: torch.maximum(F.relu(x * y), x.abs().clamp(0.1, 2.0)), (M, M)),
    "softmax": (lambda x: torch.softmax(x * 3, -1), (M,)),
    "log softmax": (lambda x: torch.log_softmax(x * 3, -1), (M,)),
    "logsumexp": (lambda x: torch.logsumexp(x * 3, -1), (M,)),
    "a running product": (lambda x: torch.cumprod(torch.tanh(x), 0), (M,)),
    "layer_norm": (lambda x: F.layer_norm(x * 1.1, (6,)), (M,)),
    "layer_norm of a large mean": (lambda x: F.layer_norm(x + 100, (6,)), (M,)),
    "variance": (lambda x: torch.var(x + 10, -1) + torch.std(x), (M,)),
    "rms_norm": (lambda x: F.rms_norm(x, (6,), eps=1e-6), (M,)),
    "a norm by hand": (normed_by_hand, (M,)),
    "normalize": (lambda x: F.normalize(x, dim=-1), (M,)),
    "gelu": (F.gelu, (M,)),
    "silu far below 0": (lambda x: F.silu(-x.abs() * 3 - 88), (M,)),
    "softplus and sigmoid far below 0": (lambda x: F.softplus(-x.abs() * 3 - 88) + torch.sigmoid(-x.abs() - 88), (M,)),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), (M,)),
    "leaky_relu and elu": (lambda x: F.leaky_relu(x * 1.1, 0.3) + F.elu(x), (M,)),
    "lerp": (lambda x, y: torch.lerp(x, y, 0.3), (M, M)),
    "addcmul and addcdiv": (lambda x, y: torch.addcmul(x, x, y, value=0.3) + torch.addcdiv(x, y, x.exp()), (M, M)),
    "powers": (lambda x: x.pow(3) + (x.abs() + 1).pow(0.3) + 2.0 ** x.tanh(), (M,)),
    "scatter_add": (lambda x: torch.zeros(3, 6).scatter_add(0, torch.arange(30).reshape(5, 6) % 3, x), (M,)),
    "index_add": (lambda x: torch.zeros(2, 6).index_add(0, torch.tensor([0, 1, 1, 0, 1]), x), (M,)),
    "distinct places": (lambda x: torch.zeros(9, 6).index_put((torch.arange(5) * 2 % 9,), x * 1.1), (M,)),
    "embedding": (lambda w: F.embedding(torch.tensor([0, 2, 2]), w) * 1.1, (M,)),
    "stride and dilation": (lambda x, w: F.conv1d(x, w, stride=2, dilation=2), ((2, 4, 15), (6, 4, 3))),
    "groups": (lambda x, w: F.conv1d(x, w, groups=2), ((2, 4, 9), (6, 2, 3))),
    "a transposed convolution": (lambda x, w: F.conv_transpose1d(x, w), ((2, 4, 9), (4, 3, 3))),
    "attention in its composite form": (attention_in_its_composite_form, ((2, 5, 4),) * 3),
    "bilinear pieces": (lambda x, y: F.glu(torch.cat([x, y], -1)) + torch.outer(x[:, 0], y[0]), (M, M)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_program_stays_within_its_bound(kind: str) -> None:
    run, shapes = KINDS[kind]
    explore(run, *shapes)


def test_the_gradient_in_every_parameter_is_bounded() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.LayerNorm(5), nn.Linear(5, 2))

    def run(x: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(module(x).square().sum(), (x, *module.parameters()))

    assert held(run, torch.randn(4, 6).requires_grad_()) > 0


def test_unwritten_numbers_have_no_bound() -> None:
    found = bound(lambda x: torch.empty(3).copy_(x).add(torch.empty(3)), torch.ones(3))
    assert bool(found.bound.isinf().all())


@pytest.mark.parametrize(
    "run",
    [lambda x: torch.exp(x * 10), lambda x: x * 1e30 * 1e30, lambda x: (x * 3e38 + x * 3e38) * 0.1, lambda x: x / 0.0],
)
def test_an_overflow_has_no_bound(run: Run) -> None:
    assert bool(bound(run, torch.full((2,), 30.0)).bound.isinf().all())


def test_an_overflow_in_float64_has_no_bound() -> None:
    assert bool(bound(lambda x: x * x, torch.full((2,), 1e200, dtype=torch.float64)).bound.isinf().all())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_product_below_every_range_is_not_taken_for_0(dtype: torch.dtype) -> None:
    """The float64 values underflow as well: an error that they do not see is charged all the same."""
    tiny = torch.full((3,), 2.0**-140 if dtype == torch.float32 else 2.0**-700, dtype=dtype)
    for run in (
        lambda x: torch.stack([x] * 9).prod(0),
        lambda x: x * x * x * x * x * x * x * x,
        lambda x: x @ x * x.sum() ** 6,
    ):
        assert bool((bound(run, tiny).bound > 0).all())
    assert float(bound(lambda x: x * x * 2.0**600, torch.full((1,), 2.0**-540, dtype=torch.float64)).bound) >= 2.0**-480


def test_what_cannot_round_is_charged_nothing_but_underflow() -> None:
    mask = torch.ones(4, 4).tril()
    found = bound(lambda x: (x + torch.zeros(4)) * mask, torch.randn(4, 4))
    assert bool((found.bound[mask == 0] == 0).all())
    assert float(bound(lambda x: x + torch.zeros(4), torch.randn(4, 4)).bound.max()) <= 2.0**-125


def raises(run: Run, error: type[Refused], says: str, *inputs: Tensor) -> None:
    with pytest.raises(error, match=says):
        bound(run, *(inputs or (torch.linspace(-1, 1, 12).reshape(3, 4),)))


def into_a_buffer(buffer: Tensor) -> Run:
    def run(x: Tensor) -> Tensor:
        buffer[0] = x[0] * 2
        return buffer * 3

    return run


REFUSALS: dict[str, tuple[Run, type[Refused], str]] = {
    "dropout": (lambda x: F.dropout(x, 0.5, training=True), Refused, r"random; draw the numbers outside"),
    "random numbers": (lambda x: x + torch.rand(4), Refused, "random"),
    "a close comparison": (lambda x: torch.where(x * 1.1 > x + x * 0.1, x, -x), Undecided, "may come out either way"),
    "an inexact number that leaves": (lambda x: x * float((x * 0.1).sum()), Undecided, "leaves the tensors"),
    "a branch on an inexact number": (lambda x: x if (x * 0.1).sum() > 1e-9 else -x, Undecided, "either way"),
    "complex numbers": (lambda x: torch.fft.fft(x).real, Refused, "no proven rule"),
    "fused attention": (
        lambda x: F.scaled_dot_product_attention(*[x[None, None]] * 3),
        Refused,
        "composite form is bounded",
    ),
    "out=": (lambda x: torch.add(x, x, out=torch.empty(3, 4)), Refused, "out="),
    "a buffer made outside": (into_a_buffer(torch.zeros(3, 4)), Refused, "pass that tensor as an input"),
    "places named twice": (
        lambda x: torch.zeros(3, 4).index_put((torch.tensor([0, 0, 1]),), x),
        Refused,
        "names? a place twice",
    ),
    "a quotient rounded to an integer": (
        lambda x: torch.div(x, 0.3, rounding_mode="floor"),
        Refused,
        "rounded to an int",
    ),
    "a cast to integers": (lambda x: (x * 3.3).long(), Refused, "cast"),
    "topk": (lambda x: torch.topk(x, 2).values, Refused, "equal numbers"),
    "a triangular solve": (lambda x: torch.linalg.solve_triangular(x[:, :3], x, upper=False), Refused, "substitution"),
    "float8": (lambda x: x.to(torch.float8_e4m3fn), Refused, "float8"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_cannot_be_bounded_is_refused_by_name(what: str) -> None:
    run, error, says = REFUSALS[what]
    raises(run, error, says)


def test_a_fused_lstm_is_refused_and_its_composite_form_bounded() -> None:
    torch.manual_seed(0)
    lstm, x = nn.LSTM(4, 3, batch_first=True), torch.randn(2, 5, 4)
    raises(lstm, Refused, "mkldnn.enabled", x)
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False
    try:
        assert held(lambda z: lstm(z)[0], x) > 0
    finally:
        torch.backends.mkldnn.enabled = before


def test_tf32_is_refused() -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        raises(lambda x: x @ x.t(), Refused, "set_float32_matmul_precision")
    finally:
        torch.set_float32_matmul_precision(before)


def test_the_index_of_a_certain_maximum_may_be_used_and_of_an_uncertain_one_not() -> None:
    def run(x: Tensor) -> Tensor:
        y = x * 1.1
        return y.gather(-1, y.max(-1, keepdim=True).indices)

    held(run, torch.tensor([[1.0, 2.0, 3.0]]))
    raises(run, Undecided, "index of a maximum", torch.tensor([[1.0, 3.0, 3.0]]))
    held(lambda x: x - (x * 1.1).max(-1, keepdim=True).values, torch.tensor([[1.0, 3.0, 3.0]]))


def test_a_rule_can_be_given_for_an_operator_of_ones_own() -> None:
    library = torch.library.Library("bounds_test", "DEF")
    library.define("twice(Tensor x) -> Tensor")
    library.impl("twice", lambda x: 2 * x, "CompositeExplicitAutograd")
    raises(torch.ops.bounds_test.twice, Refused, r"@rule\('bounds_test::twice'\)")

    @rule("bounds_test::twice")
    def twice(x: Ball) -> Ball:
        return rounded(2 * x.value, 2 * x.radius, x.dtype, roundings=0)

    held(lambda x: torch.ops.bounds_test.twice(x * 0.1) + 1, torch.randn(5))


def test_a_result_says_what_it_rests_on_and_where_it_comes_from() -> None:
    def run(x: Tensor) -> Tensor:
        y = torch.exp(x)
        return y.cumsum(0)

    found = bound(run, torch.randn(50))
    assert any("exp within" in sentence for sentence in found.assumed)
    first, second = found.contributions()
    assert (first.operation, second.operation) == ("cumsum", "exp")
    assert first.share + second.share == pytest.approx(1, abs=0.01)
    assert "test_kinds.py:" in first.where


def test_no_rule_returns_the_memory_of_its_argument() -> None:
    """Or a write in place into the result would change the argument as well."""
    for f in (torch.clamp_min, torch.add, torch.sub):
        for x in (torch.zeros(3), torch.ones(3)):
            held(lambda z, f=f: (f(z, 0).mul_(1.1), z)[1], x)  # type: ignore[misc]
    for g in (torch.relu, torch.abs, torch.clone, lambda z: z.to(torch.float32, copy=True), lambda z: z.pow(1)):
        held(lambda z, g=g: (g(z).mul_(1.1), z)[1], torch.ones(3))  # type: ignore[misc]
        assert bool((bound(lambda z, g=g: (g(z).mul_(1.1), z)[1], torch.ones(3)).bound == 0).all())  # type: ignore[misc]
