"""A layer's inputs, exact run and bound come from the claim; what cannot be matched is said."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from proofs.derivation import Derivation
from proofs.kernel import Claim, identity
from proofs.terms import Eq, Le, for_all, matrix, scalar, sequence, size, term
from ssmverify import Computes, Theorem, check
from ssmverify.breaks import rhs
from ssmverify.errors import BadInput
from ssmverify.strategies import exact

n, m, t = size("n"), size("m"), size("t")
S, k, v, beta = sequence("S", m, n), sequence("k", n), sequence("v", m), sequence("β")
W = matrix("W", m, n)
written = for_all(t, Eq(S(t + 1), S(t) + beta(t + 1) * (v(t + 1) @ k(t + 1).T)))
memory = Claim(
    "test.memory", Eq(S(t) + S(t), 2 * S(t)), {"written": written, "β_nonnegative": for_all(t, Le(term(0), beta(t)))}
)
proved = Derivation(memory, lambda: identity(S(t) + S(t), 2 * S(t)))


def hebbian(k: Tensor, v: Tensor, beta: Tensor, S0: Tensor) -> Tensor:
    """k (B, T, n), v (B, T, m), beta (B, T), S0 (B, m, n) -> the states (B, T, m, n)."""
    states, S = [], S0
    for i in range(k.shape[1]):
        S = S + beta[:, i, None, None] * (v[:, i, :, None] * k[:, i, None, :])
        states.append(S)
    return torch.stack(states, 1)


def test_matrices_columns_and_a_start_are_matched_by_name() -> None:
    row = Theorem(proved, layers=[Computes(hebbian, lambda t: S(t))], breaks={"twice": rhs(3 * S(t))})
    verdict = check(row, examples=20)
    assert verdict.green, verdict.problems


def test_the_exact_run_is_the_claims_recurrence() -> None:
    layer = Computes(hebbian, lambda t: S(t)).layer(memory)
    inputs = {
        "k": torch.tensor([[[1.0, 2.0]]]),
        "v": torch.tensor([[[3.0]]]),
        "beta": torch.tensor([[0.5]]),
        "S0": torch.tensor([[[1.0, 1.0]]]),
    }
    (found,) = layer.exact(**inputs)
    assert found.tolist() == exact(torch.tensor([[[[2.5, 4.0]]]])).tolist()


def test_a_transposed_state_is_refuted() -> None:
    def transposed(k: Tensor, v: Tensor, beta: Tensor, S0: Tensor) -> Tensor:
        return hebbian(k, v, beta, -S0)

    row = Theorem(proved, layers=[Computes(transposed, lambda t: S(t))], breaks={"twice": rhs(3 * S(t))})
    assert check(row, examples=20).status == "failed"


def test_a_parameter_without_a_symbol_is_named() -> None:
    def layer(k: Tensor, rate: Tensor) -> Tensor:
        return k * rate

    with pytest.raises(BadInput, match="the parameter rate of layer is called like no symbol"):
        Theorem(proved, layers=[Computes(layer, lambda t: S(t))], breaks={"twice": rhs(3 * S(t))})


def test_a_term_without_time_is_one_output() -> None:
    x, y = scalar("x"), scalar("y")
    claim = Claim("test.sum", Eq(y, x + x), {"y_is_twice": Eq(y, x + x)})

    def double(x: Tensor) -> Tensor:
        return x + x

    (found,) = Computes(double, y).layer(claim).exact(x=torch.tensor(1.5))
    assert found == 3
