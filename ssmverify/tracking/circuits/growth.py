"""How the compiled circuits grow with the number of tokens: measured, fitted, drawn."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import mpmath
import numpy as np

from ssmverify.report.picture import require
from ssmverify.tracking.circuits.circuit import evaluate
from ssmverify.tracking.circuits.compile import compile_model, decode, encode
from ssmverify.tracking.circuits.fixed_point import exact_then_cast, free, random_words


@dataclass(frozen=True)
class Size:
    """One circuit: its counts, how long it took to build, and on how many of `words` random words it was right."""

    n: int
    depth: int
    layers: list[int]
    gates: int
    wires: int
    weight_bits: int
    seconds: float
    words: int
    right: int


def sizes(
    lengths: Iterable[int], p: int, *, signed: bool, method: str, cast: str, one_hot: bool, words: int, seed: int
) -> Iterator[Size]:
    """Builds a circuit for one free channel of p bits at each length, and tries it on random words."""
    model, rng = free(p, signed=signed), np.random.default_rng(seed)
    for n in lengths:
        started = time.perf_counter()
        circuit = compile_model(model, n, method=method, cast=cast, one_hot=one_hot)
        seconds = time.perf_counter() - started
        tried = random_words(model, n, words, rng)
        got = decode(evaluate(circuit, encode(model, tried, one_hot=one_hot)), signed)
        right = sum(a == b for a, b in zip(got, exact_then_cast(model, tried, cast), strict=True))
        yield Size(
            n, circuit.depth, circuit.layers, circuit.size, circuit.wires, circuit.weight_bits, seconds, words, right
        )


@dataclass(frozen=True)
class Slope:
    """A straight line through (log n, log size): its slope with a 95 % interval, and the slopes between neighbours.

    The interval is Student's, as if the logarithms lay about the line with independent normal errors. They do not, for
    the sizes are exact: it says how straight the line is, not where a limit lies.
    """

    slope: float
    intercept: float
    low: float
    high: float
    least: float
    largest: float


def slope(lengths: Sequence[int], counts: Sequence[int]) -> Slope:
    """Least squares; three lengths at least."""
    x, y = np.log(lengths), np.log(counts)
    dx = x - x.mean()
    found = float(dx @ y / (dx @ dx))
    rest = y - y.mean() - found * dx
    degrees = len(x) - 2
    half = student(degrees) * math.sqrt(rest @ rest / degrees / (dx @ dx))
    local = [(b - a) / (v - u) for (u, a), (v, b) in pairwise(zip(x, y, strict=True))]
    intercept = float(y.mean() - found * x.mean())
    return Slope(found, intercept, found - half, found + half, float(min(local)), float(max(local)))


def student(degrees: int, outside: float = 0.05) -> float:
    """The t that Student's distribution exceeds in size with this probability."""

    def tails(t: float) -> float:
        return float(mpmath.betainc(degrees / 2, 0.5, 0, degrees / (degrees + t * t), regularized=True))

    low, high = 0.0, 1e3
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if tails(middle) > outside else (low, middle)
    return high


def draw(found: Sequence[Size], fit: Slope, title: str, file: Path) -> None:
    """Gates and wires against n, both axes logarithmic, with the line through the gates.

    Raises what `require` raises.
    """
    require(file)
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    n = [size.n for size in found]
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot()
    axes.loglog(n, [size.wires for size in found], "s", color="0.6", label="wires")
    axes.loglog(n, [size.gates for size in found], "o", color="C0", label="gates")
    line = [math.exp(fit.intercept) * k**fit.slope for k in n]
    axes.loglog(n, line, "-", color="C0", label=f"gates ~ n^{fit.slope:.2f}  [{fit.low:.2f}, {fit.high:.2f}]")
    axes.set_xticks(n[:: max(len(n) // 8, 1)])
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlabel="tokens n", ylabel="count", title=title)
    axes.legend()
    figure.savefig(file, dpi=150)
