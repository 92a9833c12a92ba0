"""HiPPO's weights to the last bits at every size in use, discretised matrices inside their bound, what is refused."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from flint import arb, arb_mat, ctx
from torch import Tensor

from numeric.bounds.hippo import discretize_bound, zero_order_hold_bound
from numeric.hippo import (
    MEASURES,
    averaged,
    basis,
    bilinear_sides,
    discretize,
    discretize_legs,
    hippo,
    readout,
    reconstruction,
    states,
)
from proofs.hippo.weights import value, written
from ssmverify.catalogue.hippo.layers import hold_layer
from ssmverify.checking.layer import ratio


@pytest.fixture(autouse=True)
def _wide() -> Any:
    """Balls of 400 bits."""
    before, ctx.prec = ctx.prec, 400
    yield
    ctx.prec = before


def integers(*shape: int) -> Tensor:
    """Small integers, with which float64 computes exactly."""
    return torch.randint(-3, 4, shape).double()


# ------------------------------------------------------------------------------------------------- the matrices
EACH = [(measure, N) for measure in MEASURES for N in (1, 2, 3, 33, 64, 255, 256) if N % 2 or measure != "fout"]


@pytest.mark.parametrize(("measure", "N"), EACH)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_weights_are_within_4_ulp(measure: str, N: int, dtype: torch.dtype) -> None:
    made = [*hippo(measure, N, dtype=dtype), *(() if measure == "lagt" else readout(measure, N, dtype=dtype))]
    for tensor, exact in zip(made, written(measure, N).values(), strict=True):
        entries = tensor.reshape(-1).numpy()
        for x, ulp, entry in zip(entries.tolist(), np.spacing(abs(entries)).tolist(), exact, strict=True):
            assert abs(arb(x) - value(entry)) <= 4 * arb(ulp)


def usual(measure: str, N: int) -> tuple[Any, Any]:
    """A (N, N) and B (N,) as in the code of github.com/state-spaces/s4: "legt" of early revisions, "fourier2"."""
    q = np.arange(N)
    n, k = q[:, None], q[None, :]
    root = np.sqrt(2 * q + 1.0)
    if measure == "legt":
        return -root[:, None] * np.where(n < k, (-1.0) ** (n - k), 1) * root, root
    if measure == "legs":
        return -np.where(n > k, root[:, None] * root, np.where(n == k, n + 1.0, 0)), root
    if measure == "lagt":
        return np.eye(N) / 2 - np.tril(np.ones((N, N))), np.ones(N)
    turns = np.stack([np.zeros(N // 2), np.arange(N // 2)], -1).reshape(-1)[1:]  # cosine and sine of 0, of 1, ...
    near = np.where(q % 2 == 0, math.sqrt(2), 0) * np.where(q == 0, math.sqrt(0.5), 1)
    return 2 * (np.pi * (np.diag(turns, -1) - np.diag(turns, 1)) - np.outer(near, near)), 2 * near


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("N", [1, 5, 33])
def test_the_weights_are_the_usual_ones(measure: str, N: int) -> None:
    """As the module says, to the roundings of both: at most 4 each. FouT without the sine of frequency 0, index 1."""
    A, B = hippo(measure, N)
    other, gain = usual(measure, N + 1 if measure == "fout" else N)
    if measure == "fout":
        assert not other[1].any()
        assert not other[:, 1].any()
        assert gain[1] == 0
        kept = np.delete(np.arange(N + 1), 1)
        other, gain = other[np.ix_(kept, kept)], gain[kept]
    for found, expected in ((A.numpy(), other), (B.numpy(), gain)):
        assert (abs(found - expected) <= 8 * np.spacing(abs(expected))).all()


@pytest.mark.parametrize(("measure", "N"), [(m, N) for m in MEASURES for N in (9, 65, 255 if m == "fout" else 256)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_discretised_matrices_are_inside_a_bound_with_their_condition_number(
    measure: str, N: int, dtype: torch.dtype
) -> None:
    A, B = hippo(measure, N, dtype=dtype)
    delta = torch.tensor(1e-3, dtype=dtype)
    I = torch.eye(N, dtype=dtype)
    P, L, U = torch.linalg.lu(bilinear_sides(delta * A, I, 0.5)[0])
    factors = P.double() @ (L.double().abs() @ U.double().abs())
    left, right = _exact_sides(A, B, delta)
    inverse = left.inv()
    solution = inverse * right
    bounds = discretize_bound(A, B, delta, 0.5, _sizes(inverse), _sizes(solution), factors * (1 + 2.0**-40))
    made = discretize(A, B, delta)
    for n in range(N):
        for k in range(N + 1):
            x, limit = (pair[0][n, k] if k < N else pair[1][n] for pair in (made, bounds))
            assert abs(arb(float(x)) - solution[n, k]) <= arb(float(limit))
    assert float(bounds[0].max()) < 0.01, "the bound says nothing"


def _exact_sides(A: Tensor, B: Tensor, delta: Tensor) -> tuple[arb_mat, arb_mat]:
    half, gain = arb(float(delta)) / 2, arb(float(delta))
    X = [[half * x for x in row] for row in A.tolist()]
    left = [[(n == k) - x for k, x in enumerate(row)] for n, row in enumerate(X)]
    right = [[*((n == k) + x for k, x in enumerate(row)), gain * float(B[n])] for n, row in enumerate(X)]
    return arb_mat(left), arb_mat(right)


def _sizes(x: arb_mat) -> Tensor:
    return torch.tensor([[float(entry.abs_upper()) for entry in row] for row in x.table()], dtype=torch.float64)


@pytest.mark.parametrize("measure", MEASURES)
def test_zero_order_hold_of_the_measures_is_inside_its_bound(measure: str) -> None:
    for N, dtype in ((3, torch.float32), (7, torch.float64)):
        A, B = hippo(measure, N, dtype=dtype)
        found = ratio(hold_layer, hold_layer.run, {"A": A, "B": B, "delta": torch.tensor(0.01, dtype=dtype)})
        assert found is not None
        assert found <= 1


# -------------------------------------------------------------------------------------------------- other parts
@pytest.mark.parametrize("measure", MEASURES)
def test_a_state_of_one_coefficient_is_reconstructed_as_its_basis_function(measure: str) -> None:
    x = torch.linspace(0, 1, 7, dtype=torch.float64)
    assert torch.equal(reconstruction(measure, torch.eye(5, dtype=torch.float64), x), basis(measure, 5, x).mT)


def test_the_named_methods_are_gbt_with_their_alpha() -> None:
    A, B = hippo("legt", 4)
    for method, alpha in (("forward", 0.0), ("bilinear", 0.5), ("backward", 1.0)):
        named, general = discretize(A, B, 0.25, method), discretize(A, B, 0.25, "gbt", alpha)
        assert all(torch.equal(x, y) for x, y in zip(named, general, strict=True))
    assert torch.equal(discretize(A, B, 0.25, "forward")[0], torch.eye(4) + 0.25 * A)


@pytest.mark.parametrize("method", ["bilinear", "zoh"])
def test_there_may_be_no_steps_to_discretise_for(method: str) -> None:
    A, B = discretize(*hippo("legt", 3), torch.zeros(0), method)
    assert (A.shape, B.shape) == ((0, 3, 3), (0, 3))


def near(found: Any, A: Tensor, B: Tensor, step: Tensor, method: str) -> bool:
    """Whether two runs of one discretisation agree to within the bound of both, for batches may round otherwise."""
    alone, bounds = discretize(A, B, step, method), zero_order_hold_bound(A, B, step)
    return all(bool(((x - y).abs() <= 2 * b).all()) for x, y, b in zip(found, alone, bounds, strict=True))


def test_a_batch_of_held_steps_is_each_of_them() -> None:
    A, B = hippo("legs", 3)
    steps = torch.tensor([[0.5, 0.01], [1.0, 2.0]], dtype=torch.float64)
    Ad, Bd = discretize(A, B, steps, "zoh")
    assert all(near((Ad[i, j], Bd[i, j]), A, B, steps[i, j], "zoh") for i in (0, 1) for j in (0, 1))


def test_zero_order_hold_takes_a_singular_matrix() -> None:
    A, B = torch.tensor([[0.0, 1.0], [0.0, 0.0]], dtype=torch.float64), torch.tensor([0.0, 1.0], dtype=torch.float64)
    Ad, Bd = discretize(A, B, 0.5, "zoh")  # a double integrator: 1/2 δ² and δ
    assert torch.equal(Ad, torch.tensor([[1.0, 0.5], [0.0, 1.0]], dtype=torch.float64))
    assert torch.equal(Bd, torch.tensor([0.125, 0.5], dtype=torch.float64))


@pytest.mark.parametrize("method", ["bilinear", "backward", "forward"])
def test_legs_steps_are_those_of_the_ode_at_their_time(method: str) -> None:
    Ad, Bd = discretize_legs(4, 5, method, start=3)
    A, B = hippo("legs", 4)
    for i, t in enumerate(range(3, 8)):
        one = discretize(A, B, 1 / t, method)
        assert torch.equal(Ad[i], one[0])
        assert torch.equal(Bd[i], one[1])


def test_legs_holds_its_input_in_logarithmic_time() -> None:
    Ad, Bd = discretize_legs(4, 5, "zoh", start=3)
    A, B = hippo("legs", 4)
    for i, t in enumerate(range(3, 8)):
        assert near((Ad[i], Bd[i]), A, B, torch.tensor(1 / t, dtype=torch.float64).log1p(), "zoh")
    assert discretize_legs(4, 0, "zoh")[0].shape == (0, 4, 4)


def test_states_are_the_recurrence_in_every_batch_and_channel() -> None:
    Ad, Bd, u, c0 = integers(6, 3, 3), integers(6, 3), integers(2, 6, 2), integers(2, 2, 3)
    c = states(Ad, Bd, u, c0)
    assert c.shape == (2, 6, 2, 3)
    for b in range(2):
        for d in range(2):
            state = c0[b, d]
            for t in range(6):
                state = Ad[t] @ state + Bd[t] * u[b, t, d]
                assert torch.equal(c[b, t, d], state)
    assert torch.equal(states(Ad[0], Bd[0], u), states(Ad[:1].expand(6, 3, 3), Bd[:1].expand(6, 3), u))
    assert states(Ad[0], Bd[0], u[:, :0]).shape == (2, 0, 2, 3)


def test_an_averaged_input_starts_from_the_one_before() -> None:
    u, before = integers(2, 4, 3), integers(2, 3)
    assert torch.equal(averaged(u, before)[:, 0], (before + u[:, 0]) / 2)
    assert torch.equal(averaged(u)[:, 1:], (u[:, :-1] + u[:, 1:]) / 2)
    assert torch.equal(averaged(u)[:, 0], u[:, 0] / 2)


def test_gradients() -> None:
    A, B = (x.requires_grad_() for x in hippo("legt", 3))
    delta = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    for method in ("bilinear", "zoh"):
        assert torch.autograd.gradcheck(lambda *x, method=method: discretize(*x, method), (A, B, delta))
    u = torch.randn(1, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(states, (A, B, u))


# ------------------------------------------------------------------------------------------------ what is refused
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hippo("legendre", 4), "the measure 'legendre' is not known: take one of legt, legs, lagt, fout"),
        (lambda: hippo("legt", 0), "needs N >= 1 states, a whole number, given N = 0"),
        (lambda: hippo("legs", 2.5), "needs N >= 1 states, a whole number, given N = 2.5"),
        (lambda: hippo("lagt", 3.0), "given N = 3.0"),
        (lambda: hippo("legt", "4"), "given N = '4'"),
        (lambda: hippo("legt", math.nan), "given N = nan"),
        (lambda: hippo("fout", 4), "fout needs an odd N"),
        (lambda: readout("lagt", 4), "no read-out of the derivative for lagt"),
        (lambda: basis("fout", 2, torch.zeros(1)), "fout needs an odd N"),
        (lambda: basis("legt", 2, torch.tensor([1.5])), "between 0 and 1"),
        (lambda: basis("lagt", 2, torch.tensor([-1.0])), "between 0 and inf"),
        (lambda: basis("lagt", 2, torch.tensor([torch.inf])), "between 0 and inf"),
        (lambda: basis("legt", 2, torch.tensor([0, 1])), "floating-point"),
        (lambda: discretize(torch.ones(2, 3), torch.ones(2), 0.1), r"A must be \(\.\.\., N, N\)"),
        (lambda: discretize(torch.ones(3), torch.ones(3), 0.1), r"A must be \(\.\.\., N, N\)"),
        (lambda: discretize(torch.ones(3, 3), torch.ones(2), 0.1), r"B \(\.\.\., N\)"),
        (lambda: discretize(torch.ones(2, 3, 3), torch.ones(5, 3), 0.1), r"B \(\.\.\., N\)"),
        (lambda: discretize(torch.eye(2, dtype=torch.int64), torch.ones(2), 0.1), "floating-point entries"),
        (lambda: discretize(*hippo("legt", 2), 0.0), "delta must be a positive number, given 0.0"),
        (lambda: discretize(*hippo("legt", 2), float("nan")), "delta must be a positive number"),
        (lambda: discretize(*hippo("legt", 2), -1.0, "zoh"), "delta must be a positive number"),
        (lambda: discretize(*hippo("legt", 2), 0.1, "tustin"), "the method 'tustin' is not known"),
        (lambda: discretize(*hippo("legt", 2), 0.1, "gbt"), "alpha goes with"),
        (lambda: discretize(*hippo("legt", 2), 0.1, "zoh", 0.5), "alpha goes with"),
        (lambda: discretize(*hippo("legt", 2), 0.1, "gbt", 1.5), "alpha must lie between 0 and 1"),
        (lambda: discretize(torch.eye(2), torch.ones(2), 1.0, "backward"), "I - alpha delta A is singular"),
        (lambda: discretize_legs(2, 3, start=0), "from t >= 1"),
        (lambda: discretize_legs(0, 3), "needs N >= 1"),
        (lambda: states(torch.eye(2), torch.ones(2), torch.ones(4, 1)), r"u must be \(batch, time, channel\)"),
        (lambda: states(torch.eye(3), torch.ones(2), torch.ones(1, 4, 1)), "Bd must be"),
        (lambda: states(torch.eye(3), torch.ones(3), torch.ones(2, 4, 1), torch.ones(1, 3, 2)), "c0 must be"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
