"""GD-SSM's layers: what they refuse, what they do at sizes beyond the catalogue's, and that the bounds hold."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numeric.gd_ssm import (
    GDSSM,
    constructed_tokens,
    construction,
    gd_ssm,
    gd_ssm_vector,
    multi_step,
    one_step,
    one_step_from,
    one_step_vector,
)
from ssmverify.catalogue.gd_ssm.one_step import raw_layer
from ssmverify.checking.check import ratio


def uniform(*shape: int) -> torch.Tensor:
    return 2 * torch.rand(shape, dtype=torch.float64) - 1


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 10), st.integers(1, 12), st.sampled_from([torch.float32, torch.float64]))
def test_sizes_of_the_paper_and_more_are_inside_the_bound(f: int, N: int, dtype: torch.dtype) -> None:
    tokens, rate = uniform(1, 2 * N + 1, f).to(dtype), torch.tensor(0.7, dtype=dtype)
    found = ratio(raw_layer, raw_layer.run, {"tokens": tokens, "rate": rate})
    assert found is not None
    assert found <= 1


@pytest.mark.parametrize("length", [4, 20])
def test_an_even_number_of_tokens_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"odd number, given {length}"):
        one_step(uniform(1, length, 2), torch.tensor(1.0).double())


@pytest.mark.parametrize("length", [0, 1, 2])
def test_an_empty_context_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="N >= 1"):
        one_step(uniform(1, length, 2), torch.tensor(1.0).double())
    with pytest.raises(ValueError, match="N >= 1"):
        constructed_tokens(uniform(1, 1, 2), uniform(1, 0))


def test_wrong_shapes_are_named() -> None:
    mixing, pick, C = construction(2, torch.tensor(1.0).double())
    with pytest.raises(ValueError, match=r"tokens must be \(batch, 2N \+ 1, f\)"):
        gd_ssm(uniform(5, 2), mixing, pick, C)
    with pytest.raises(ValueError, match="C must be"):
        gd_ssm(uniform(1, 5, 3), mixing, pick, C)
    with pytest.raises(ValueError, match="mixing must be"):
        gd_ssm(uniform(1, 5, 2), mixing[:2], pick, C)
    with pytest.raises(ValueError, match="x must be"):
        constructed_tokens(uniform(1, 3, 2), uniform(1, 3))
    with pytest.raises(ValueError, match=r"rates \(K,\)"):
        multi_step(uniform(1, 3, 2), uniform(1, 2, 1), uniform(1, 1))
    with pytest.raises(ValueError, match="N >= 1"):
        multi_step(uniform(1, 1, 2), uniform(1, 0, 1), uniform(1))
    with pytest.raises(ValueError, match="B and D both"):
        gd_ssm_vector(uniform(1, 3, 4), uniform(2, 4), uniform(3, 4))
    with pytest.raises(ValueError, match=r"decay must be \(2,\)"):
        gd_ssm_vector(uniform(1, 3, 4), uniform(2, 4), uniform(2, 4), uniform(1))
    with pytest.raises(ValueError, match="N >= 1"):
        gd_ssm_vector(uniform(1, 0, 4), uniform(2, 4), uniform(2, 4))
    with pytest.raises(ValueError, match="f >= 1"):
        GDSSM(0)
    with pytest.raises(ValueError, match=r"C must be \(3, 3\) for tokens of f = 3 entries, given \(2, 2\)"):
        GDSSM(2, dtype=torch.float64)(uniform(1, 5, 3))


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (2,), (3, 3)])
def test_a_start_that_would_broadcast_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"W0 must be \(2, 2\)"):
        one_step_from(uniform(1, 5, 2), uniform(*shape), torch.tensor(1.0).double())


@pytest.mark.parametrize("rate", [0.5, torch.ones(1), torch.ones(2)])
def test_a_rate_is_one_number(rate: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="the rate must be one number"):
        one_step(uniform(1, 5, 2), rate)
    with pytest.raises(ValueError, match="the rate must be one number"):
        one_step_vector(uniform(1, 3, 2), uniform(1, 2), rate)


def test_a_later_token_changes_no_earlier_prediction() -> None:
    tokens, rate = uniform(2, 9, 3), torch.tensor(0.5).double()
    clean = one_step(tokens, rate)
    tokens[0, 5, 1] = float("nan")
    y = one_step(tokens, rate)
    assert torch.equal(y[:, :2], clean[:, :2])
    assert torch.isnan(y[0, 2:]).any(-1).all()
    assert torch.equal(y[1], clean[1])


def test_gradients() -> None:
    weights = [w.requires_grad_() for w in (uniform(3, 3), uniform(3), uniform(2, 2), uniform(2, 2))]
    assert torch.autograd.gradcheck(gd_ssm, (uniform(2, 5, 2).requires_grad_(), *weights))
    stack = [w.requires_grad_() for w in (uniform(1, 3, 2), uniform(1, 2, 1), uniform(2))]
    assert torch.autograd.gradcheck(multi_step, stack)
    start = [w.requires_grad_() for w in (uniform(2, 5, 2), uniform(2, 2), uniform(1)[0])]
    assert torch.autograd.gradcheck(one_step_from, start)
    halves = [w.requires_grad_() for w in (uniform(1, 3, 4), uniform(2, 4), uniform(2, 4), uniform(2))]
    assert torch.autograd.gradcheck(gd_ssm_vector, halves)


def test_the_module_set_to_descend_is_the_construction_and_can_be_trained() -> None:
    layer, tokens = GDSSM(3, dtype=torch.float64), uniform(2, 7, 3)
    layer(tokens).sum().backward()
    assert all(p.grad is not None for p in layer.parameters())
    assert torch.equal(layer.descend(0.25)(tokens), one_step(tokens, torch.tensor(0.25).double()))
