"""Longhorn's layers: what they refuse, how they step, and their gradients."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numeric.longhorn import Longhorn, longhorn, longhorn_diagonal


def random_inputs(B: int = 2, T: int = 5, d: int = 3, n: int = 2) -> dict[str, torch.Tensor]:
    shapes = {"q": (B, T, n), "k": (B, T, n), "x": (B, T, d), "beta": (B, T, d), "S0": (B, d, n)}
    drawn = {name: torch.rand(shape, dtype=torch.float64) for name, shape in shapes.items()}
    return {name: value if name == "beta" else 2 * value - 1 for name, value in drawn.items()}


@pytest.mark.parametrize("run", [longhorn, longhorn_diagonal])
def test_one_run_is_two_runs_one_after_the_other(run: Any) -> None:
    given_all = random_inputs()
    start = given_all.pop("S0")
    whole, last = run(**given_all, S0=start)
    first, state = run(**{name: x[:, :2] for name, x in given_all.items()}, S0=start)
    second, state = run(**{name: x[:, 2:] for name, x in given_all.items()}, S0=state)
    assert torch.equal(torch.cat([first, second], 1), whole)
    assert torch.equal(state, last)


@pytest.mark.parametrize("run", [longhorn, longhorn_diagonal])
def test_no_steps_leave_the_state_as_it_was(run: Any) -> None:
    y, last = run(**(given_all := random_inputs(T=0)))
    assert y.shape == (2, 0, 3)
    assert torch.equal(last, given_all["S0"])


@pytest.mark.parametrize("value", [-0.5, float("nan")])
def test_a_strength_without_a_minimiser_is_refused(value: float) -> None:
    given_all = random_inputs()
    given_all["beta"][0, 0, 0] = value
    with pytest.raises(ValueError, match="beta >= 0"):
        longhorn(**given_all)


def test_a_wrong_shape_is_named() -> None:
    given_all = random_inputs()
    given_all["k"] = given_all["k"][:, :, :1]
    with pytest.raises(ValueError, match="q must be"):
        longhorn(**given_all)


@pytest.mark.parametrize("run", [longhorn, longhorn_diagonal])
def test_a_nan_moves_forward_in_time_only(run: Any) -> None:
    given_all = random_inputs()
    clean, _ = run(**given_all)
    given_all["x"][0, 2, 1] = float("nan")
    y, _ = run(**given_all)
    assert torch.equal(y[:, :2], clean[:, :2])
    assert torch.isnan(y[0, 2:, 1]).all()
    assert torch.equal(y[1], clean[1])


@pytest.mark.parametrize("run", [longhorn, longhorn_diagonal])
def test_gradients(run: Any) -> None:
    given_all = {name: x.requires_grad_() for name, x in random_inputs(B=1, T=3, d=2, n=2).items()}
    assert torch.autograd.gradcheck(run, tuple(given_all.values()))


@pytest.mark.parametrize("diagonal", [False, True])
def test_the_module_steps_with_its_state(diagonal: bool) -> None:
    layer = Longhorn(3, 2, diagonal=diagonal, dtype=torch.float64)
    x = torch.rand(2, 4, 3, dtype=torch.float64)
    whole, last = layer(x)
    state, outputs = None, []
    for t in range(4):
        y, state = layer(x[:, t : t + 1], state)
        outputs.append(y)
    (0.5 * whole.sum()).backward()
    assert all(p.grad is not None for p in layer.parameters())
    assert whole.shape == (2, 4, 3)
    assert last.shape == (2, 3, 2)
    assert torch.cat(outputs, 1).shape == whole.shape


@pytest.mark.parametrize("diagonal", [False, True])
def test_the_module_is_the_layer_on_its_projections(diagonal: bool) -> None:
    layer = Longhorn(3, 2, diagonal=diagonal, dtype=torch.float64)
    with torch.no_grad():  # whole numbers, of which no projection is rounded
        for weight in layer.parameters():
            weight.copy_(torch.randint(-2, 3, weight.shape))
    x, S0 = torch.randint(-2, 3, (2, 4, 3)).double(), torch.rand(2, 3, 2, dtype=torch.float64)
    strength = torch.sigmoid(x @ layer.strength.weight.mT + layer.strength.bias)
    run = longhorn_diagonal if diagonal else longhorn
    right = run(x @ layer.query.weight.mT, x @ layer.key.weight.mT, x, strength, S0)
    assert all(torch.equal(found, expected) for found, expected in zip(layer(x, S0), right, strict=True))


@pytest.mark.parametrize(("d", "n"), [(0, 2), (2, 0)])
def test_the_module_refuses_empty_sizes(d: int, n: int) -> None:
    with pytest.raises(ValueError, match="d >= 1 channels"):
        Longhorn(d, n)


@given(st.sampled_from([(3,), (2, 3), (2, 4, 5), (1, 2, 3, 3)]))
def test_the_module_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(batch, time, 3\)"):
        Longhorn(3, 2)(torch.zeros(shape))
