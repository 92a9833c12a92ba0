"""The signals to predict: against closed forms, invariants, another integrator; what is refused."""

import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from flint import arb
from scipy.integrate import solve_ivp

from ssmverify.errors import BadInput
from ssmverify.experiments import systems

GRID = systems.times(20, 401)


def test_the_scalar_van_der_pol_solution_solves_its_equation() -> None:
    t, mu, start = sympy.symbols("t mu x0")
    x = sympy.tanh(sympy.atanh(start) + mu * (1 - sympy.cos(t)))
    assert sympy.expand(x.diff(t) - mu * (1 - x**2) * sympy.sin(t)) == 0
    assert sympy.simplify(x.subs(t, 0) - start) == 0
    found = systems.scalar_van_der_pol(GRID, mu=1.5, start=-0.25)
    assert found.x.shape == (401, 1)
    for time, value in zip(GRID.tolist(), found.x[:, 0].tolist(), strict=True):
        ball = (arb(-0.25).atanh() + arb(1.5) * (1 - arb(time).cos())).tanh()
        assert abs(arb(value) - ball) < 16 * np.finfo(float).eps  # the argument is below 4, and tanh' at most 1


def test_lotka_volterra_keeps_its_invariant_and_the_oscillators_agree_with_another_integrator() -> None:
    """To a thousand times the relative tolerance of a step: the steps' errors add up."""
    prey, predators = systems.lotka_volterra(GRID).x.T
    kept = prey - np.log(prey) + 4 / 3 * predators - 2 / 3 * np.log(predators)
    assert np.ptp(kept) < 1e3 * systems.RTOL
    fields: dict[Callable[..., Any], Any] = {
        systems.van_der_pol: lambda _, z: (z[1], (1 - z[0] ** 2) * z[1] - z[0]),
        systems.fitzhugh_nagumo: lambda _, z: (z[0] - z[0] ** 3 / 3 - z[1] + 0.5, (z[0] + 0.7 - 0.8 * z[1]) / 12.5),
        systems.bernoulli: lambda t, y: (-math.cos(5 * t) * y[0] + math.sin(t) * math.sqrt(y[0]),),
    }
    for system, field in fields.items():
        found = system(GRID)
        other = solve_ivp(field, (0, 20), found.x[0], method="Radau", t_eval=GRID, rtol=1e-10, atol=1e-12)
        assert np.abs(found.x - other.y.T).max() < 1e3 * systems.RTOL


def test_the_bernoulli_solution_has_period_2_pi_whatever_the_first_time() -> None:
    t = np.array([0.0, 1.0, 2 * math.pi, 2 * math.pi + 1])
    y = systems.bernoulli(t).x[:, 0]
    assert np.abs(y[:2] - y[2:]).max() < 1e3 * systems.RTOL
    assert abs(systems.bernoulli(t[1:]).x[0, 0] - y[1]) < 1e3 * systems.RTOL


def test_a_white_signal_has_its_band_and_root_mean_square() -> None:
    x = systems.white_signal(systems.times(8, 1024), period=8, high=2, rms=0.75, seed=3).x[:, 0]
    spectrum = np.abs(np.fft.rfft(x))
    assert spectrum[1:17].min() > 1e6 * max(spectrum[0], spectrum[17:].max())
    assert math.isclose(math.sqrt((x**2).mean()), 0.75, rel_tol=1e-12)


def test_filtered_noise_has_the_autocovariance_of_its_filter() -> None:
    """That of the impulse response t e^(-t/τ)/τ² is (1 + h/τ) e^(-h/τ)/(4τ) at lag h; samples deviate by percents."""
    x = systems.filtered_noise(systems.times(4000, 400_000), tau=0.1, seed=1).x[1000:, 0]
    for lag in (0, 10, 20):
        h = lag / 10  # in units of τ
        found = (x[lag:] * x[: len(x) - lag]).mean()
        assert abs(0.4 * found - (1 + h) * math.exp(-h)) < 0.05


def white(t: systems.Array, seed: int) -> systems.Trajectory:
    return systems.white_signal(t, period=20, seed=seed)


@pytest.mark.parametrize("signal", [systems.filtered_noise, white])
def test_a_seed_gives_the_same_signal_again(signal: Any) -> None:
    first, again, other = signal(GRID, seed=5), signal(GRID, seed=5), signal(GRID, seed=6)
    assert np.array_equal(first.x, again.x)
    assert not np.array_equal(first.x, other.x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: systems.van_der_pol(np.array([0.0, 2.0, 1.0])), "finite numbers that increase"),
        (lambda: systems.van_der_pol(np.array([0.0])), "at least two"),
        (lambda: systems.lotka_volterra(np.array([0.0, math.nan])), "finite"),
        (lambda: systems.scalar_van_der_pol(GRID, start=1.0), "between -1 and 1, given 1.0"),
        (lambda: systems.bernoulli(GRID, start=0.0), "starts above 0"),
        (lambda: systems.bernoulli(GRID - 1), "times from -1"),
        (lambda: systems.white_signal(GRID, period=0.5), "has no frequency up to 1"),
        (lambda: systems.white_signal(GRID, period=math.nan), "has no frequency up to 1"),
        (lambda: systems.van_der_pol(GRID, mu=math.nan), "must be finite"),
        (lambda: systems.lotka_volterra(GRID, start=(math.nan, 1.0)), "must be finite"),
        (lambda: systems.filtered_noise(GRID, tau=-1.0), "tau > 0, given -1.0"),
        (lambda: systems.filtered_noise(GRID**2), "equidistant"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(call: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        call()


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(BadInput, match=r"this needs scipy: pip install 'ssmverify\[plot\]'"):
        systems.van_der_pol(GRID)
