"""Every rule alone: operands anywhere within their errors, and an operation rounded as badly as the model allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, target
from hypothesis import strategies as st
from torch import Tensor

from ssmverify.bounds import Ball
from ssmverify.bounds.adversary import SHARE
from ssmverify.bounds.ball import BallTensor
from ssmverify.bounds.dispatch import Charged
from ssmverify.bounds.model import Run, running
from tests.ssmverify.bounds.programs import examples

Function = Callable[..., Any]


def softplus(x: Tensor) -> Tensor:
    """Without torch's threshold, past which it returns x by definition; balls meet torch's own."""
    return F.softplus(x) if isinstance(x, BallTensor) else x.clamp(min=0) + torch.log1p(torch.exp(-x.abs()))


# name: (function, how many operands, where they lie, whether one operation rounds all of it)
POSITIVE, ANY, SMALL, ABOVE = "positive", "any", "small", "above -1"
RULES: dict[str, tuple[Function, int, str]] = {
    "add": (torch.add, 2, ANY),
    "sub": (torch.sub, 2, ANY),
    "alpha": (lambda x, y: torch.add(x, y, alpha=0.25), 2, ANY),
    "mul": (torch.mul, 2, ANY),
    "div": (torch.div, 2, ANY),
    "square": (torch.square, 1, ANY),
    "exp": (torch.exp, 1, SMALL),
    "exp2": (torch.exp2, 1, SMALL),
    "expm1": (torch.expm1, 1, SMALL),
    "log": (torch.log, 1, POSITIVE),
    "log2": (torch.log2, 1, POSITIVE),
    "log1p": (torch.log1p, 1, ABOVE),
    "sqrt": (torch.sqrt, 1, POSITIVE),
    "rsqrt": (torch.rsqrt, 1, POSITIVE),
    "reciprocal": (torch.reciprocal, 1, ANY),
    "sigmoid": (torch.sigmoid, 1, ANY),
    "tanh": (torch.tanh, 1, ANY),
    "erf": (torch.erf, 1, ANY),
    "sin": (torch.sin, 1, ANY),
    "cos": (torch.cos, 1, ANY),
    "softplus": (softplus, 1, ANY),
    "log_sigmoid": (F.logsigmoid, 1, ANY),
    "silu": (F.silu, 1, ANY),
    "gelu": (F.gelu, 1, ANY),
    "pow": (lambda x: x.pow(1.7), 1, POSITIVE),
    "cube": (lambda x: x.pow(4), 1, ANY),
    "2 ** x": (lambda x: 2.0**x, 1, SMALL),
    "elu": (F.elu, 1, ANY),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.25), 1, ANY),
    "relu": (torch.relu, 1, ANY),
    "abs": (torch.abs, 1, ANY),
    "clamp": (lambda x: x.clamp(-0.5, 0.5), 1, ANY),
    "maximum": (torch.maximum, 2, ANY),
    "lerp": (lambda x, y: torch.lerp(x, y, 0.75), 2, ANY),
    "mm": (torch.mm, 2, ANY),
    "sum": (lambda x: x.sum(0), 1, ANY),
    "mean": (lambda x: x.mean(0), 1, ANY),
    "cumsum": (lambda x: x.cumsum(0), 1, ANY),
    "cumprod": (lambda x: x.cumprod(0), 1, SMALL),
    "prod": (lambda x: x.prod(0), 1, SMALL),
    "norm": (lambda x: torch.linalg.vector_norm(x, dim=0), 1, ANY),
    "amax": (lambda x: x.amax(0), 1, ANY),
    "max": (lambda x: x.max(0).values, 1, ANY),
    "softmax": (lambda x: torch.softmax(x, 0), 1, ANY),
    "log_softmax": (lambda x: torch.log_softmax(x, 0), 1, ANY),
    "logsumexp": (lambda x: torch.logsumexp(x, 0), 1, ANY),
    "layer_norm": (lambda x: F.layer_norm(x, x.shape[-1:]), 1, ANY),
    "var": (lambda x: x.var(0, correction=0), 1, ANY),
    "conv1d": (lambda x, w: F.conv1d(x[None], w[:, :, None]), 2, ANY),
    "where": (lambda x, y: torch.where(torch.ones_like(x, dtype=torch.bool).tril(), x, y), 2, ANY),
    "scatter_add": (lambda x: torch.zeros_like(x).scatter_add(0, torch.zeros(x.shape, dtype=torch.int64), x), 1, ANY),
}
ELEMENTWISE = list(RULES)[: list(RULES).index("lerp")]


def as_single(values: Tensor, radii: Tensor) -> BallTensor:
    return BallTensor(Ball(values.clone(), radii.clone(), torch.float32))


def run(f: Function, values: list[Tensor], radii: list[Tensor]) -> BallTensor:
    with running(Run()), torch.no_grad(), Charged():  # type: ignore[no-untyped-call]
        result = f(*map(as_single, values, radii))
    assert isinstance(result, BallTensor)
    return result


class Case:
    """Values with radii, the exact and the computed numbers among them."""

    def __init__(self, f: Function, many: int, where: str, seed: int):
        r = torch.Generator().manual_seed(seed)
        n = int(torch.randint(1, 7, (), generator=r))

        def uniform(low: float, high: float) -> float:
            return low + (high - low) * float(torch.rand((), generator=r))

        def signs() -> Tensor:
            return torch.randint(0, 2, (n, n), generator=r).double() * 2 - 1

        self.values, self.radii, self.exact, self.computed = [], [], [], []
        for _ in range(many):
            size = torch.tensor(uniform(-6, 0 if where == SMALL else 3)).double().exp()
            v = torch.randn(n, n, generator=r, dtype=torch.float64) * size
            v = v.abs() + 1e-3 if where == POSITIVE else v.abs() - 0.9 if where == ABOVE else v
            e = v.abs() * 10 ** uniform(-8, -1) * torch.rand(n, n, generator=r, dtype=torch.float64)
            e = e + (10 ** uniform(-12, -3) if uniform(0, 1) < 0.5 else 0.0)
            x = v + e * torch.rand(n, n, generator=r, dtype=torch.float64) * signs() * (1 if uniform(0, 1) < 0.3 else 0)
            shift = signs() if uniform(0, 1) < 0.5 else torch.ones(n, n).double() * (1 if uniform(0, 1) < 0.5 else -1)
            self.values.append(v), self.radii.append(e), self.exact.append(x), self.computed.append(x + e * shift)
        self.up = 1.0 if uniform(0, 1) < 0.5 else -1.0

    def error(self, f: Function) -> tuple[Tensor, Tensor, Tensor]:
        """The bound, the error of the worst rounding at the computed operands, and that of the value."""
        ball = run(f, self.values, self.radii)
        rounding = run(f, self.computed, [torch.zeros_like(c) for c in self.computed]).radius
        true = f(*self.exact)
        pushed = f(*self.computed) + self.up * SHARE * rounding.nan_to_num(posinf=0.0)
        slack = 1e-14 * true.abs().amax().clamp(min=1e-14)
        return ball.radius, (pushed - true).abs() - slack, (ball.value - true).abs() - slack


@pytest.mark.parametrize("name", RULES)
def test_a_rule_covers_operands_and_rounding_at_their_worst(name: str) -> None:
    f, many, where = RULES[name]

    @settings(max_examples=examples(15), deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def explore(seed: int) -> None:
        radius, error, off = Case(f, many, where, seed).error(f)
        known = radius.isfinite()
        assert bool((error[known] <= radius[known]).all())
        assert bool((off[known] <= radius[known]).all())
        if bool(known.any()):
            target(float((error[known] / (radius[known] + 1e-300)).max()), label="error / bound")

    explore()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_rules_bound_is_attained(name: str) -> None:
    """Or it has rotted: over many cases the worst must come to two fifths of it."""
    f, many, where = RULES[name]
    worst = 0.0
    for seed in range(40):
        radius, error, _ = Case(f, many, where, seed).error(f)
        known = radius.isfinite() & (radius > 0)
        if bool(known.any()):
            worst = max(worst, float((error[known] / radius[known]).max()))
    assert worst >= 0.4


ABSORBED = torch.cat([torch.ones(1), torch.full((40,), 2.0**-24)])  # each tie is rounded to even: back to 1


def one_by_one(terms: Tensor) -> Tensor:
    """The sum in float32, in time order: all but the first term are lost."""
    total = torch.zeros(())
    for term in terms:
        total = total + term
    return total


COUNTED: dict[str, Function] = {
    "sum": lambda x: x.sum(),
    "cumsum": lambda x: x.cumsum(0)[-1],
    "dot": lambda x: torch.dot(x, torch.ones(41)),
    "mm": lambda x: (x[None] @ torch.ones(41, 1))[0, 0],
    "addmm": lambda x: torch.addmm(torch.zeros(1, 1), x[None], torch.ones(41, 1))[0, 0],
    "conv1d": lambda x: F.conv1d(x[None, None], torch.ones(1, 1, 41))[0, 0, 0],
    "mean": lambda x: x.mean() * 41,
    "index_add": lambda x: torch.zeros(1).index_add(0, torch.zeros(41, dtype=torch.int64), x)[0],
    "vector_norm": lambda x: torch.linalg.vector_norm(x, 1),
    "logsumexp": lambda x: torch.logsumexp(torch.log(x.double()).float(), 0).exp(),
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_sum_in_an_unlucky_order_stays_within_its_bound_and_comes_near_it(name: str) -> None:
    """Rounding at its worst in real float32: one rounding fewer than counted would show."""
    from ssmverify.bounds import bound

    error = abs(float(one_by_one(ABSORBED)) - float(ABSORBED.double().sum()))
    limit = float(bound(COUNTED[name], ABSORBED).bound)
    assert 0.25 * limit <= error <= limit
