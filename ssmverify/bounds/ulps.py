"""How accurate torch's functions are taken to be: units in the last place (2u of the result), by measurement.

`ssmverify doctor --ulps` measures them again, here, against float64: over every float32 there is, in pieces, for the
functions of one argument. The constants leave room above what was measured on a CPU of ours, and every result of
`bound` that uses one says which.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

ULPS: dict[str, float] = {
    "exp": 1.0,
    "exp2": 1.0,
    "expm1": 1.0,
    "log": 1.0,
    "log2": 1.0,
    "log1p": 1.0,
    "sigmoid": 2.0,
    "tanh": 1.0,
    "softplus": 2.0,
    "log_sigmoid": 2.0,
    "silu": 2.5,
    "gelu": 4.0,  # of |x|
    "gelu_tanh": 2.0,  # of |x|
    "sqrt": 0.75,
    "rsqrt": 1.5,
    "sin": 1.0,
    "cos": 1.0,
    "erf": 1.0,
    "pow": 1.5,
}
TINY = 2.0**-126


def _softplus64(x: Tensor) -> Tensor:
    return x.clamp(min=0) + torch.log1p(torch.exp(-x.abs()))


_F = torch.nn.functional
FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "exp": (torch.exp, torch.exp),
    "exp2": (torch.exp2, torch.exp2),
    "expm1": (torch.expm1, torch.expm1),
    "log": (torch.log, torch.log),
    "log2": (torch.log2, torch.log2),
    "log1p": (torch.log1p, torch.log1p),
    "sigmoid": (torch.sigmoid, torch.sigmoid),
    "tanh": (torch.tanh, torch.tanh),
    "softplus": (_F.softplus, _softplus64),
    "log_sigmoid": (_F.logsigmoid, lambda x: -_softplus64(-x)),
    "silu": (_F.silu, _F.silu),
    "gelu": (_F.gelu, _F.gelu),
    "gelu_tanh": (partial(_F.gelu, approximate="tanh"), partial(_F.gelu, approximate="tanh")),
    "sqrt": (torch.sqrt, torch.sqrt),
    "rsqrt": (torch.rsqrt, torch.rsqrt),
    "sin": (torch.sin, torch.sin),
    "cos": (torch.cos, torch.cos),
    "erf": (torch.erf, torch.erf),
    "pow": (lambda x: x.abs().pow(0.7), lambda x: x.abs().pow(0.7)),
}
PIECE = 1 << 24


@dataclass(frozen=True)
class Measured:
    """The worst of a function over the float32 arguments that were tried."""

    name: str
    worst: float  # ulp
    at: float
    tried: int
    taken: float

    @property
    def holds(self) -> bool:
        """The constant in use covers what was seen."""
        return self.worst <= self.taken


def measure(name: str, stride: int = 1) -> Measured:
    """The worst error of a function over every `stride`-th float32, in units of the last place.

    Left out are results below the normal range, which the bounds charge to underflow, infinite ones, softplus past its
    threshold of 20, where torch returns x by definition, silu below -87 and gelu past 1e12, where x³ may overflow.
    """
    computed, exact = FUNCTIONS[name]
    worst, at, tried = 0.0, 0.0, 0
    for piece, start in enumerate(range(0, 1 << 32, PIECE)):
        bits = torch.arange(start + piece % stride, start + PIECE, stride, dtype=torch.int64)
        x = torch.where(bits < 1 << 31, bits, bits - (1 << 32)).to(torch.int32).view(torch.float32)
        for part in (x, x[: 8 * (piece + 1) - 3]):  # the second ends amid a vector
            y, z = computed(part).double(), exact(part.double())
            scale = part.double().abs() if name.startswith("gelu") else z.abs()
            known = z.isfinite() & y.isfinite() & (scale >= 2 * TINY)
            if name == "softplus":
                known &= part <= 20
            if name == "silu":
                known &= part > -87  # below, e^-x may overflow, which its rule charges
            if name.startswith("gelu"):
                known &= part.abs() < 1e12
            error = torch.where(known, (y - z).abs() / scale, 0.0) * 2.0**23
            found = int(error.argmax())
            if float(error[found]) > worst:
                worst, at = float(error[found]), float(part[found])
        tried += len(x)
    return Measured(name, worst, at, tried, ULPS[name])


def measure_doubles(name: str, tries: int = 20_000) -> float:
    """The worst error in float64 at random arguments, against balls of 128 bits, in units of the last place."""
    from flint import arb, ctx

    balls: dict[str, Callable[[arb], arb]] = {
        "exp": lambda x: x.exp(),
        "expm1": lambda x: x.expm1(),
        "log": lambda x: x.log(),
        "log1p": lambda x: x.log1p(),
        "tanh": lambda x: x.tanh(),
        "sigmoid": lambda x: 1 / (1 + (-x).exp()),
        "sqrt": lambda x: x.sqrt(),
        "rsqrt": lambda x: x.rsqrt(),
        "sin": lambda x: x.sin(),
        "cos": lambda x: x.cos(),
        "erf": lambda x: x.erf(),
    }
    if name not in balls:
        return math.nan
    sign = 1.0 if name in ("log", "sqrt", "rsqrt", "log1p") else -1.0
    x = torch.randn(tries, dtype=torch.float64) * torch.exp(torch.rand(tries, dtype=torch.float64) * 8 - 4)
    x = x.abs() if sign > 0 else x
    worst = 0.0
    with ctx.workprec(128):
        for number, found in zip(x.tolist(), FUNCTIONS[name][0](x).tolist(), strict=True):
            true = balls[name](arb(number))
            if abs(true) > 2.0**-1020 and abs(true) < 2.0**1020:
                worst = max(worst, float(abs((arb(found) - true) / true)) * 2.0**52)
    return worst


def report(stride: int, say: Callable[[str], object]) -> bool:
    """Measures every function and says so, line by line; whether every constant holds."""
    say(f"{'function':12} {'float32, ulp':>12} {'at':>13} {'tried':>13} {'float64, ulp':>12} {'taken':>6}")
    sound = True
    for name in FUNCTIONS:
        single, double = measure(name, stride), measure_doubles(name)
        holds = single.holds and not double > single.taken
        sound &= holds
        wide = "-" if math.isnan(double) else f"{double:.3f}"
        line = f"{name:12} {single.worst:12.4f} {single.at:13.6g} {single.tried:13,} {wide:>12} {single.taken:6g}"
        say(line if holds else f"{line}  EXCEEDED: raise ULPS[{name!r}] in ssmverify/bounds/ulps.py")
    return sound
