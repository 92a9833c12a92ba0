"""Programs drawn at random, run in torch and again with balls of 300 bits on the very same floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from flint import arb, ctx
from hypothesis import given, settings, target
from hypothesis import strategies as st
from torch import Tensor

from ssmverify.bounds import bound, reference
from tests.ssmverify.bounds.programs import examples

N = 3
Array = Any  # an N by N array of arb


def each(f: Callable[..., arb]) -> Callable[..., Array]:
    return np.frompyfunc(f, f.__code__.co_argcount, 1)


def rows(x: Array) -> Array:
    """Sums along the last dimension, kept."""
    return x.sum(-1, keepdims=True) * np.ones((1, N), dtype=object)


def sigmoid(x: arb) -> arb:
    return 1 / (1 + (-x).exp())


def softmax(x: Array) -> Array:
    e = each(lambda z: z.exp())(x)
    return e / rows(e)


def layer_norm(x: Array) -> Array:
    c = x - rows(x) / N
    return c / each(lambda z: z.sqrt())(rows(c * c) / N + EPS)


EPS = arb(2) ** -10
S = F.softplus
# name: (torch, exact, operands). Arguments of exp and of divisors are tamed by bounded functions before.
OPERATIONS: dict[str, tuple[Callable[..., Tensor], Callable[..., Array], int]] = {
    "add": (torch.add, lambda x, y: x + y, 2),
    "sub": (torch.sub, lambda x, y: x - y, 2),
    "mul": (torch.mul, lambda x, y: x * y, 2),
    "quarter": (lambda x: x * 0.1, lambda x: x * arb(0.1), 1),
    "shift": (lambda x: x + 0.3, lambda x: x + arb(0.3), 1),
    "quotient": (lambda x, y: x / (y * y + 1), lambda x, y: x / (y * y + 1), 2),
    "exp": (lambda x: torch.exp(torch.tanh(x)), lambda x: each(lambda z: z.tanh().exp())(x), 1),
    "log": (lambda x: torch.log(x * x + 1), lambda x: each(lambda z: z.log())(x * x + 1), 1),
    "sqrt": (lambda x: torch.sqrt(x * x + 0.5), lambda x: each(lambda z: z.sqrt())(x * x + arb(0.5)), 1),
    "rsqrt": (lambda x: torch.rsqrt(x * x + 0.5), lambda x: 1 / each(lambda z: z.sqrt())(x * x + arb(0.5)), 1),
    "sigmoid": (torch.sigmoid, each(sigmoid), 1),
    "tanh": (torch.tanh, each(lambda z: z.tanh()), 1),
    "silu": (F.silu, each(lambda z: z * sigmoid(z)), 1),
    "softplus": (lambda x: S(torch.tanh(x)), each(lambda z: (1 + z.tanh().exp()).log()), 1),
    "matmul": (torch.matmul, lambda x, y: x @ y, 2),
    "sum": (lambda x: x.sum(-1, keepdim=True).expand(N, N), rows, 1),
    "mean": (lambda x: x.mean(-1, keepdim=True).expand(N, N), lambda x: rows(x) / N, 1),
    "cumsum": (lambda x: x.cumsum(0), lambda x: np.cumsum(x, 0), 1),
    "cumprod": (lambda x: x.cumprod(0), lambda x: np.cumprod(x, 0), 1),
    "softmax": (lambda x: torch.softmax(torch.tanh(x) * 4, -1), lambda x: softmax(each(lambda z: 4 * z.tanh())(x)), 1),
    "layer_norm": (lambda x: F.layer_norm(x, (N,), eps=2.0**-10), layer_norm, 1),
    "transpose": (lambda x: x.t(), lambda x: x.T, 1),
    "roll": (lambda x: x.roll(1, 0), lambda x: np.roll(x, 1, 0), 1),
    "addcmul": (lambda x, y: torch.addcmul(x, x, y, value=0.5), lambda x, y: x + x * y / 2, 2),
}
DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16, "float16": torch.float16}

steps = st.lists(
    st.tuples(st.sampled_from(list(OPERATIONS)), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=6
)
entries = st.one_of(
    st.floats(-3, 3, width=16), st.sampled_from([0.0, 1.0, -1.0, 2.0**-14, 1 - 2.0**-8, 3.0]), st.integers(-4, 4)
)
matrices = st.lists(entries, min_size=2 * N * N, max_size=2 * N * N)


def interpreted(program: list[tuple[str, int, int]], stack: list[Any], which: int) -> Any:
    stack = list(stack)
    for name, i, j in program:
        *_, many = OPERATIONS[name]
        operands = (stack[-1 - i % len(stack)], stack[-1 - j % len(stack)])[:many]
        stack.append(OPERATIONS[name][which](*operands))
    return stack[-1]


def exactly(x: Tensor) -> Array:
    return np.array([arb(v) for v in x.double().reshape(-1).tolist()], dtype=object).reshape(x.shape)


@settings(max_examples=examples(100), deadline=None)
@given(steps, matrices, st.sampled_from(list(DTYPES)))
def test_no_program_strays_further_from_its_exact_result_than_its_bound(
    program: list[tuple[str, int, int]], numbers: list[float], dtype: str
) -> None:
    inputs = [x.to(DTYPES[dtype]) for x in torch.tensor(numbers, dtype=torch.float64).reshape(2, N, N)]

    def run(*given: Tensor) -> Tensor:
        return interpreted(program, list(given), 0)

    computed, limit, (value, slack) = run(*inputs), bound(run, *inputs).bound, reference(run, *inputs)
    with ctx.workprec(300):
        true = interpreted(program, [exactly(x) for x in inputs], 1)
        worst = 0.0
        for y, e, v, w, x in zip(
            *(z.double().reshape(-1).tolist() for z in (computed, limit, value, slack)), true.reshape(-1), strict=True
        ):
            if e < float("inf"):
                assert abs(arb(y) - x) <= arb(e)
                worst = max(worst, float(abs(arb(y) - x) / arb(e)) if e else 0.0)
            assert abs(arb(v) - x) <= arb(w)
    target(worst, label="error / bound")
