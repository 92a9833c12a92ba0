"""The predictors and their closed loop: singular steps, time-varying weights, and what is refused."""

from typing import Any

import pytest
import torch
from torch import Tensor

from numeric.hippo import readout
from numeric.hippo_prophecy import NextState, Weights, next_state, predictor, predictor_legs, roll_out


def integers(*shape: int) -> Tensor:
    """Small integers, with which float64 computes exactly."""
    return torch.randint(-2, 3, shape).double()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("N", [1, 2, 3, 4, 5, 7, 16, 33])
def test_the_singular_step_of_legt_is_refused(N: int, dtype: torch.dtype) -> None:
    with pytest.raises(ValueError, match="delta D = 2"):
        predictor("legt", N, 2 / N**2, dtype=dtype)
    weights = predictor("legt", N, 2.5 / N**2, dtype=dtype)
    assert all(bool(torch.isfinite(w).all()) for w in weights)


@pytest.mark.parametrize("N", [2, 4, 6, 8])
def test_legs_is_refused_at_its_singular_time_for_even_N(N: int) -> None:
    singular = N * N // 2
    with pytest.raises(ValueError, match=f"t = N²/2 = {singular}"):
        predictor_legs(N, singular)
    for weights in (predictor_legs(N, singular - 1), predictor_legs(N, 5, start=singular + 1)):
        assert all(bool(torch.isfinite(w).all()) for w in weights)


@pytest.mark.parametrize("N", [1, 3, 5, 9])
def test_legs_of_odd_N_has_no_singular_time(N: int) -> None:
    assert all(bool(torch.isfinite(w).all()) for w in predictor_legs(N, N * N))


@pytest.mark.parametrize("varying", [False, True])
def test_a_roll_out_feeds_each_prediction_back(varying: bool) -> None:
    T, steps, N = 3, 4, 2
    times = (T + steps,) if varying else ()
    weights = Weights(integers(*times, N, N), integers(*times, N), integers(*times, N), integers(*times))
    u = integers(2, T, 2)
    fed = u
    for k in range(T, T + steps):
        upto = Weights(*(w[:k] for w in weights)) if varying else weights
        fed = torch.cat([fed, next_state(fed, upto)[:, -1:]], 1)
    assert torch.equal(roll_out(u, steps, weights), fed[:, T:])


def test_fout_adds_the_read_derivative_times_the_step() -> None:
    C, _ = readout("fout", 5)
    weights = predictor("fout", 5, 0.125)
    assert torch.equal(weights.C, 0.125 * C)
    assert float(weights.D) == 1


def test_channels_and_batches_do_not_mix() -> None:
    weights = Weights(integers(3, 3), integers(3), integers(3), integers())
    u = integers(2, 5, 3)
    whole = next_state(u, weights)
    for b in range(2):
        for d in range(3):
            assert torch.equal(whole[b : b + 1, :, d : d + 1], next_state(u[b : b + 1, :, d : d + 1], weights))


def test_a_later_sample_changes_no_earlier_prediction() -> None:
    u = torch.randn(1, 6, 1, dtype=torch.float64)
    weights = predictor("fout", 5, 0.1)
    clean = next_state(u, weights)
    u[0, 3] = float("nan")
    assert torch.equal(next_state(u, weights)[:, :3], clean[:, :3])


def test_the_module_starts_at_the_construction_and_can_be_trained() -> None:
    layer, u = NextState("legt", 5, 0.01, dtype=torch.float64), torch.randn(2, 7, 3, dtype=torch.float64)
    assert torch.equal(layer(u), next_state(u, predictor("legt", 5, 0.01)))
    layer(u).sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())
    assert NextState("fout", 3, 0.1)(u.float()).dtype == torch.float32


def test_gradients() -> None:
    weights = [w.requires_grad_() for w in predictor("legt", 3, 0.1)]
    u = torch.randn(1, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda u, *w: next_state(u, Weights(*w)), (u, *weights))
    assert torch.autograd.gradcheck(lambda u, *w: roll_out(u, 3, Weights(*w)), (u, *weights))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u: predictor("legs", 3, 0.1), "take predictor_legs"),
        (lambda u: predictor("lagt", 3, 0.1), "take legt, legs or fout"),
        (lambda u: predictor("legt", 3, 0.0), "delta must be a positive number"),
        (lambda u: predictor("fout", 4, 0.1), "odd N"),
        (lambda u: predictor_legs(3, 4, start=0), "from t >= 1"),
        (lambda u: roll_out(u, 0, predictor("legt", 3, 0.1)), "steps = 0"),
        (lambda u: roll_out(u[:, :0], 1, predictor("legt", 3, 0.1)), "steps >= 1, given"),
        (lambda u: roll_out(u[0], 1, predictor("legt", 3, 0.1)), r"given \(4, 1\)"),
        (lambda u: next_state(u, predictor_legs(3, 5)), "weights of 5 times for 4 samples"),
        (lambda u: next_state(u, predictor("legt", 3, 0.1)._replace(C=u[0, :, 0])), "weights must be"),
        (lambda u: roll_out(u, 1, predictor_legs(3, 5)._replace(A=torch.eye(3))), "all with or all without"),
        (lambda u: roll_out(u, 4, predictor_legs(3, 6)), "make T larger"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(torch.ones(1, 4, 1, dtype=torch.float64))
