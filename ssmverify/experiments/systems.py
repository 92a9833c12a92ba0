"""Dynamical systems and random signals to predict: times and values, integrated by scipy (extra `plot`).

| signal | equation | values |
| --- | --- | --- |
| van_der_pol | x'' = mu (1 - x²) x' - x | x, x' |
| scalar_van_der_pol | x' = mu (1 - x²) sin t, the "Van der Pol" data of arXiv 2407.09375's code | x, in closed form |
| bernoulli | y' = -cos(5t) y + sin(t) sqrt(y) | y |
| lotka_volterra | x' = a x - b x y, y' = d x y - g y | x, y |
| fitzhugh_nagumo | v' = v - v³/3 - w + I, w' = (v + a - b w)/tau | v, w |
| white_signal | a random Fourier series up to a frequency, periodic | x |
| filtered_noise | white noise through the filter 1/(tau s + 1)² | x |

Nothing is cached. Solutions come from `scipy.integrate.solve_ivp` (DOP853) with the tolerances below, random signals
from numpy's PCG64 with the seed given. Every function takes the times (T,), increasing, and returns a `Trajectory`; it
raises BadInput for times that do not increase, for what its docstring names, and where scipy is missing or gives up.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ssmverify.errors import BadInput

RTOL, ATOL = 1e-10, 1e-12
Array = NDArray[np.float64]


class Trajectory(NamedTuple):
    """Times t (T,) and values x (T, d)."""

    t: Array
    x: Array


def times(duration: float, steps: int) -> Array:
    """`steps` equidistant times from 0 on, the end not included."""
    return np.arange(steps, dtype=np.float64) * (duration / steps)


def extra(module: str) -> Any:
    """A module of the extra `plot`; BadInput that names the extra where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as missing:
        raise BadInput(f"this needs {module.partition('.')[0]}: pip install 'ssmverify[plot]'") from missing


def _increasing(t: Array) -> Array:
    t = np.asarray(t, dtype=np.float64)
    if t.ndim != 1 or len(t) < 2 or not (np.isfinite(t).all() and (np.diff(t) > 0).all()):
        raise BadInput("times must be a row of at least two finite numbers that increase")
    return t


def _solve(field: Callable[[float, Array], Sequence[float]], t: Array, start: Sequence[float]) -> Trajectory:
    t = _increasing(t)
    if not np.isfinite([*start, *field(t[0], np.array(start))]).all():  # the solver would not end
        raise BadInput("the start, and the slope there, must be finite: take other parameters")
    solved = extra("scipy.integrate").solve_ivp(
        field, (t[0], t[-1]), start, method="DOP853", t_eval=t, rtol=RTOL, atol=ATOL
    )
    if not solved.success:
        raise BadInput(f"the solver gave up: {solved.message} Take other parameters or a shorter time.")
    return Trajectory(t, np.asarray(solved.y.T))


# ------------------------------------------------------------------------------------------------- the systems
def van_der_pol(t: Array, *, mu: float = 1.0, start: tuple[float, float] = (2.0, 0.0)) -> Trajectory:
    """The oscillator: position and velocity from `start` at t[0]."""
    return _solve(lambda _, z: (z[1], mu * (1 - z[0] ** 2) * z[1] - z[0]), t, start)


def scalar_van_der_pol(t: Array, *, mu: float = 7.0, start: float = 0.5) -> Trajectory:
    """x = tanh(artanh(start) + mu (1 - cos t)), which solves the equation from t = 0 and has period 2π.

    No solver: 1 - x falls to 1e-13, where each loses the solution. Raises BadInput unless -1 < start < 1.
    """
    if not -1 < start < 1:
        raise BadInput(f"the closed form needs a start between -1 and 1, given {start}")
    t = _increasing(t)
    return Trajectory(t, np.tanh(math.atanh(start) + mu * (1 - np.cos(t)))[:, None])


def bernoulli(t: Array, *, start: float = 0.1) -> Trajectory:
    """The solution from y = start at t = 0, through z = sqrt(y), z' = (sin t - cos(5t) z)/2, of period 2π.

    Raises BadInput for a start <= 0 or one from which z falls below 0, where y is not unique.
    """
    t = _increasing(t)
    if start <= 0 or t[0] < 0:
        raise BadInput(f"the Bernoulli equation starts above 0 at t = 0, given {start} and times from {t[0]:g}")
    begun = t if t[0] == 0 else np.concatenate([[0.0], t])
    _, z = _solve(lambda s, z: ((math.sin(s) - math.cos(5 * s) * z[0]) / 2,), begun, (math.sqrt(start),))
    if (z <= 0).any():
        raise BadInput(f"from {start} the Bernoulli equation reaches 0, where it has many solutions: start higher")
    return Trajectory(t, z[-len(t) :] ** 2)


def lotka_volterra(
    t: Array,
    *,
    a: float = 2 / 3,
    b: float = 4 / 3,
    d: float = 1.0,
    g: float = 1.0,
    start: tuple[float, float] = (1.0, 1.0),
) -> Trajectory:
    """Prey and predators from `start` at t[0]; d x - g log x + b y - a log y does not change."""
    return _solve(lambda _, z: (a * z[0] - b * z[0] * z[1], d * z[0] * z[1] - g * z[1]), t, start)


def fitzhugh_nagumo(
    t: Array,
    *,
    current: float = 0.5,
    a: float = 0.7,
    b: float = 0.8,
    tau: float = 12.5,
    start: tuple[float, float] = (0.0, 0.0),
) -> Trajectory:
    """Voltage and recovery from `start` at t[0]; with the defaults it spikes."""
    return _solve(lambda _, z: (z[0] - z[0] ** 3 / 3 - z[1] + current, (z[0] + a - b * z[1]) / tau), t, start)


# ------------------------------------------------------------------------------------------------- the signals
def white_signal(t: Array, *, period: float, high: float = 1.0, rms: float = 0.5, seed: int = 0) -> Trajectory:
    """A Fourier series with Gaussian coefficients at the frequencies 1/period, 2/period, ... up to `high`.

    Scaled so that its root mean square over a period is `rms`. Raises BadInput where there is no such frequency.
    """
    count = math.floor(high * period) if math.isfinite(high * period) else 0
    if count < 1:
        raise BadInput(f"a period of {period:g} has no frequency up to {high:g}: make high * period at least 1")
    cosines, sines = np.random.default_rng(seed).standard_normal((2, count))
    angle = 2 * math.pi / period * np.outer(_increasing(t), np.arange(1, count + 1))
    scale = rms / math.sqrt(float((cosines**2 + sines**2).sum()) / 2)
    return Trajectory(np.asarray(t), scale * (np.cos(angle) @ cosines + np.sin(angle) @ sines)[:, None])


def filtered_noise(t: Array, *, tau: float = 0.1, seed: int = 0) -> Trajectory:
    """White noise of unit power through the filter 1/(tau s + 1)², at equidistant times, from rest.

    Each sample of the noise is Gaussian of variance 1/step and held for one step. Raises BadInput for times that are
    not equidistant, and for tau <= 0.
    """
    t = _increasing(t)
    if not 0 < tau < math.inf:
        raise BadInput(f"the filter needs tau > 0, given {tau}")
    step = (t[-1] - t[0]) / (len(t) - 1)
    # In start + i h the roundings of h, of i h and of the sum leave 5 u max|t|, as |i h| <= 2 max|t|: so 12 u max|t| in
    # a difference of two times, and as much in the step.
    if bool((np.abs(np.diff(t) - step) > 12 * np.finfo(np.float64).eps * np.abs(t).max()).any()):
        raise BadInput("filtered noise needs equidistant times")
    signal = extra("scipy.signal")
    numerator, denominator, _ = signal.cont2discrete(([1.0], [tau * tau, 2 * tau, 1.0]), step, method="zoh")
    noise = np.random.default_rng(seed).standard_normal(len(t)) / math.sqrt(step)
    return Trajectory(t, np.asarray(signal.lfilter(numerator.ravel(), denominator, noise))[:, None])
