"""`ssmverify show hippo_prophecy --plot`: how well the read-out differentiates, and how well it predicts.

Derivative errors are those of the weights of `numeric.hippo`. For LegT and FouT they are of the steady state: of a
Fourier series the error at frequency s is H(s) - s with H(s) = C (sI - A)^-1 B + D, by linear solves. LegS has no
steady state; its coefficients are integrals over [0, t], by Gauss's rule, and its error is the largest for t between
one period and two. The unit of time is the period, which is also the window; but FouT is drawn with another window as
well, of which the bound says nothing. The bound is that of `hippo_prophecy.error_bound_periodic`, with the largest
|u^(k)| over the samples for L. Beside the errors stand those of no state at all: of y = 0, and of the forecasts that
hold the last sample, or go on with the last two.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import Tensor

from numeric.hippo import basis, hippo, readout
from numeric.hippo_prophecy import Weights, next_state, predictor, predictor_legs, roll_out
from ssmverify.experiments import systems
from ssmverify.experiments.systems import Trajectory
from ssmverify.report.picture import require

Array = NDArray[np.float64]
Complexes = NDArray[np.complex128]
SIZES = (3, 5, 9, 17, 33, 65, 129)
SAMPLES = 1024  # of a period
COLOURS = {"fout": "#0072b2", "legt": "#d55e00", "legs": "#009e73"}
NAMES = {"fout": "FouT", "legt": "LegT", "legs": "LegS"}
LOOPS = {"fout": 33, "legt": 5}  # states of the closed loops drawn


@dataclass(frozen=True)
class Signal:
    """One period of a signal, and the orders k for which its k-th derivative is bounded."""

    name: str
    samples: Array
    orders: range = range(3, 11)


# ------------------------------------------------------------------------------------------------- the signals
def signals() -> list[Signal]:
    """Periodic signals, a period of each."""
    turn = 2 * math.pi * systems.times(1, SAMPLES)
    rough = np.sin(turn) ** 3 + np.abs(np.sin(turn)) ** 3
    white = systems.white_signal(systems.times(1, SAMPLES), period=1, high=10)
    return [
        Signal("sin³ + |sin|³", rough, range(3, 4)),
        Signal("Van der Pol oscillator", _period(systems.van_der_pol, after=60)),
        Signal("Van der Pol, scalar (mu = 1)", systems.scalar_van_der_pol(turn, mu=1).x[:, 0]),
        Signal("Bernoulli", systems.bernoulli(turn).x[:, 0]),
        Signal("Lotka-Volterra", _period(systems.lotka_volterra, after=1)),
        Signal("FitzHugh-Nagumo", _period(systems.fitzhugh_nagumo, after=400)),
        Signal("white signal, 10 harmonics", white.x[:, 0]),
    ]


def _period(system: Callable[[Array], Trajectory], after: float, longest: float = 100.0) -> Array:
    """One period of the first coordinate, from the time `after` on, when it is on its cycle."""
    grid = np.concatenate([[0.0], after + systems.times(longest, 4000)])
    x = system(grid).x[1:, 0]
    height = float((x.max() + x.min()) / 2)
    up = np.flatnonzero((x[:-1] < height) & (x[1:] >= height))[:2]

    def level(t: float) -> float:
        return float(system(np.array([0.0, t])).x[-1, 0]) - height

    root = systems.extra("scipy.optimize").brentq
    first, second = (root(level, grid[i + 1], grid[i + 2], xtol=1e-12) for i in up)
    return system(np.concatenate([[0.0], first + systems.times(second - first, SAMPLES)])).x[1:, 0]


# -------------------------------------------------------------------------------------------- derivative errors
def _spectrum(samples: Array) -> tuple[Array, Complexes]:
    """Frequencies 0, 1, ... and the Fourier coefficients of real samples; what is noise of the solver is left out."""
    coefficients = np.fft.rfft(samples) / len(samples)
    coefficients[np.abs(coefficients) < 1e-11 * np.abs(coefficients).max()] = 0
    return np.arange(len(coefficients), dtype=np.float64), coefficients


def _synthesis(coefficients: Complexes) -> Array:
    return np.fft.irfft(coefficients * SAMPLES, SAMPLES)


def derivative_error(measure: str, N: int, samples: Array, window: float = 1.0) -> float:
    """The largest |y - u'| over a period, relative to the largest |u'|. LegS has no window."""
    m, coefficients = _spectrum(samples)
    slope = np.abs(_synthesis(2j * math.pi * m * coefficients)).max()
    if measure == "legs":
        return _legs_error(N, m, coefficients) / float(slope)
    used = np.flatnonzero(coefficients)
    A, B, C, D = (w.to(torch.complex128) for w in (*hippo(measure, N), *readout(measure, N)))
    s = torch.from_numpy(2j * math.pi * m[used])
    resolvent = window * s[:, None, None] * torch.eye(N) - A
    H = ((torch.linalg.solve(resolvent, B.expand(len(s), N)) @ C + D) / window).numpy()
    error = np.zeros_like(coefficients)
    error[used] = (H - s.numpy()) * coefficients[used]
    return float(np.abs(_synthesis(error)).max() / slope)


def _gauss() -> tuple[Tensor, Tensor]:
    """Lags in [0, 1] and the weights of Gauss's rule there."""
    nodes, weights = (torch.from_numpy(x) for x in np.polynomial.legendre.leggauss(400))
    return (1 - nodes) / 2, weights / 2


def _legs_error(N: int, m: Array, coefficients: Complexes) -> float:
    lag, weights = _gauss()
    g = basis("legs", N, lag)
    C, D = readout("legs", N)
    doubled = np.where(m == 0, 1, 2) * coefficients

    def value(t: Array, factor: Any) -> Array:
        used = np.flatnonzero(coefficients)
        return np.real(np.exp(2j * math.pi * np.multiply.outer(t, m[used])) @ (factor * doubled)[used])

    t = 1 + systems.times(1, 24)
    past = torch.from_numpy(value(np.multiply.outer(t, 1 - lag.numpy()), np.ones_like(m)))
    c = (past * weights) @ g
    now, slope = (torch.from_numpy(value(t, factor)) for factor in (np.ones_like(m), 2j * math.pi * m))
    return float(((c @ C + D * now) / torch.from_numpy(t) - slope).abs().max())


def ramp_error(measure: str, N: int) -> float:
    """|y - u'| of u = t at t = 1, from the coefficients of the window, which the steady state has as well."""
    lag, weights = _gauss()
    C, D = readout(measure, N)
    return abs(float(((1 - lag) * weights) @ basis(measure, N, lag) @ C + D) - 1)


def proven_bound(signal: Signal, N: int) -> float:
    """L / (pi^(k-1) (k-2) (N-1)^(k-2)), for FouT with the period as window: the least over k, relative to max |u'|."""
    m, coefficients = _spectrum(signal.samples)
    derivatives = [np.abs(_synthesis((2j * math.pi * m) ** k * coefficients)).max() for k in range(11)]
    bounds = [derivatives[k] / (math.pi ** (k - 1) * (k - 2) * (N - 1) ** (k - 2)) for k in signal.orders]
    return float(min(bounds) / derivatives[1])


# -------------------------------------------------------------------------------------------------- the picture
def picture(file: Path) -> list[str]:
    """Draws the picture; lines for the terminal. Raises BadInput where it cannot be drawn, before any work is done."""
    systems.extra("scipy")
    require(file)
    figure = systems.extra("matplotlib.figure").Figure(figsize=(17, 11.5), layout="constrained")
    panels = figure.subplots(3, 4).ravel()
    drawn = signals()
    _draw_ramp(panels[0])
    for panel, signal in zip(panels[1:8], drawn, strict=True):
        _draw_errors(panel, signal)
    for panel, (name, samples) in zip(panels[8:], _forecasts(drawn).items(), strict=True):
        _draw_forecast(panel, name, samples)
    (errors, measures), (forecasts, loops) = (panels[i].get_legend_handles_labels() for i in (1, 8))
    figure.legend([*errors, *forecasts], [*measures, *loops], loc="outside lower center", ncols=6, fontsize=11)
    figure.suptitle(
        "HiPPO-Prophecy: how well the read-out differentiates, with N states, and what its closed loop predicts. "
        "The window is a period, where not said otherwise",
        fontsize=14,
    )
    figure.savefig(file, dpi=120)
    return [*table_lines(next_state_errors()), "", f"{file} has the picture."]


def _draw_ramp(panel: Any) -> None:
    """u = t: y - u' is N for FouT; the Legendre read-outs are exact, but for rounding."""
    for measure, colour in COLOURS.items():
        panel.plot(SIZES, [ramp_error(measure, N) for N in SIZES], "o-", color=colour, markersize=4)
    _axes_of_errors(panel)
    panel.set(title="u = t, of no period", ylim=(1e-17, 1e4))
    panel.text(SIZES[0], 1e-2, "FouT: N. Bound as read: 0, for L = 0", fontsize=11)
    panel.text(SIZES[0], 1e-15, "LegT, LegS: 0, but for rounding", fontsize=11)


def _draw_errors(panel: Any, signal: Signal) -> None:
    for measure, colour in COLOURS.items():
        errors = [derivative_error(measure, N, signal.samples) for N in SIZES]
        panel.plot(SIZES, errors, "o-", color=colour, markersize=4, label=NAMES[measure])
    elsewhere = [derivative_error("fout", N, signal.samples, window=1.25) for N in SIZES]
    panel.plot(SIZES, elsewhere, ":", color=COLOURS["fout"], label="FouT, window of 5/4 periods")
    panel.axhline(1, color="0.6", linewidth=1, label="y = 0")
    bounds = [proven_bound(signal, N) for N in SIZES]
    panel.plot(SIZES, bounds, "--", color="black", linewidth=1, label="bound for FouT, L of the samples")
    panel.set(title=signal.name)
    _axes_of_errors(panel)


def _axes_of_errors(panel: Any) -> None:
    panel.set(xscale="log", yscale="log", ylim=(1e-5, 1e3), xlabel="N", ylabel="max |y - u'| / max |u'|")
    panel.set_xticks(SIZES, [str(N) for N in SIZES])
    panel.minorticks_off()
    panel.grid(alpha=0.3)


def _forecasts(drawn: list[Signal]) -> dict[str, Array]:
    """Three periods of two oscillators and of the white signal, and filtered noise, 256 samples in a unit of time."""
    every = SAMPLES // 256
    chosen = [drawn[1], drawn[5], drawn[6]]
    noise = systems.filtered_noise(systems.times(3, 768)).x[:, 0]
    return {**{s.name: np.tile(s.samples[::every], 3) for s in chosen}, "filtered noise": noise}


def _draw_forecast(panel: Any, name: str, samples: Array) -> None:
    """The truth, and closed loops from two periods on."""
    context, t = 512, systems.times(3, 768)
    u = torch.from_numpy(samples.copy())[None, :, None]
    panel.plot(t, samples, color="0.6", linewidth=3, label="truth")
    ahead = np.arange(1, 257)
    panel.plot(t[context:], np.full(256, samples[context - 1]), "--", color="black", label="persistence")
    line = samples[context - 1] + ahead * (samples[context - 1] - samples[context - 2])
    panel.plot(t[context:], line, ":", color="black", label="two points")
    for measure, N in LOOPS.items():
        rolled = roll_out(u[:, :context], 256, predictor(measure, N, 1 / 256))[0, :, 0].numpy()
        panel.plot(t[context:], rolled, color=COLOURS[measure], label=f"{NAMES[measure]}, N = {N}, closed loop")
    low, high = samples.min(), samples.max()
    margin = 0.4 * (high - low)
    panel.axvline(t[context], color="black", linewidth=0.8)
    panel.set(title=name, xlabel="t, in windows", ylim=(low - margin, high + margin))
    panel.grid(alpha=0.3)


# ---------------------------------------------------------------------------------------------------- the table
@dataclass(frozen=True)
class NextStateErrors:
    """Mean squared errors of the next state of one signal, over the second half of its record."""

    signal: str
    errors: dict[str, float]


def next_state_errors(N: int = 17, steps: int = 10_000) -> list[NextStateErrors]:
    """The authors' setting, window = record of 10,000 samples, and a window of a twentieth of it."""
    records = {
        "Van der Pol oscillator": systems.van_der_pol(systems.times(20, steps)),
        "Van der Pol, scalar (mu = 7)": systems.scalar_van_der_pol(systems.times(20, steps)),
        "Bernoulli": systems.bernoulli(systems.times(10, steps)),
        "Lotka-Volterra": systems.lotka_volterra(systems.times(40, steps)),
        "FitzHugh-Nagumo": systems.fitzhugh_nagumo(systems.times(200, steps)),
        "white signal, 1 Hz": systems.white_signal(systems.times(10, steps), period=10),
        "filtered noise": systems.filtered_noise(systems.times(10, steps)),
    }
    predictors = {
        "LegT": predictor("legt", N, 1 / steps),
        "FouT": predictor("fout", N, 1 / steps),
        "LegS": predictor_legs(N, steps),
        "LegT, 1/20": predictor("legt", N, 20 / steps),
        "FouT, 1/20": predictor("fout", N, 20 / steps),
    }
    return [NextStateErrors(name, _compare(record, predictors)) for name, record in records.items()]


def _compare(record: Trajectory, predictors: dict[str, Weights]) -> dict[str, float]:
    u = torch.from_numpy(np.ascontiguousarray(record.x[:, :1]))[None]

    def score(prediction: Tensor) -> float:
        half = u.shape[1] // 2
        return float((prediction[:, half:-1] - u[:, half + 1 :]).square().mean())

    errors = {name: score(next_state(u, weights)) for name, weights in predictors.items()}
    before = torch.cat([u[:, :1], u[:, :-1]], 1)
    return {**errors, "persistence": score(u), "two points": score(2 * u - before)}


def table_lines(rows: list[NextStateErrors]) -> list[str]:
    """A table of the errors, as lines."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column("mean squared error of the next state")
    for name in rows[0].errors:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(row.signal, *(f"{error:.2g}" for error in row.errors.values()))
    console = Console(file=io.StringIO(), width=120)
    with console.capture() as captured:
        console.print(table)
    return [
        *captured.get().rstrip().splitlines(),
        "",
        "N = 17, 10,000 samples, scored on the second half. The window is the whole record, as in the authors' code,",
        "or a twentieth of it. Persistence predicts u_k, two points 2 u_k - u_{k-1}: neither needs a state.",
    ]
