"""The distributions that layers are trained on: contexts x_1, y_1, ..., x_N, y_N, a query x_q, and its target y_q."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ssmverify.errors import BadInput


def _uniform(shape: tuple[int, ...], low: float, high: float, generator: Generator, dtype: torch.dtype) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator, dtype=dtype)


def interleaved(x: Tensor, y: Tensor) -> Tensor:
    """Tokens x_1, y_1, ..., x_N, y_N, x_q: from x and y (B, N + 1, f), the last y left out, to (B, 2N + 1, f)."""
    return torch.stack([x, y], 2).flatten(1, 2)[:, :-1]


def require_sizes(f: int, N: int, half_width: float) -> None:
    """Raises BadInput for a task that has no entries, no pairs or no inputs but one."""
    if f < 1 or N < 1 or not 0 < half_width < math.inf:
        raise BadInput(f"a task needs f >= 1, N >= 1 and a half width > 0, given f = {f}, N = {N}, {half_width}")


@dataclass(frozen=True)
class LinearRegression:
    """y = W x without noise: entries of x uniform on (-half_width, half_width), entries of W (f, f) standard normal.

    The distribution of the authors' code, whose default is f = N = 10 and half_width = 1/2. Raises BadInput unless
    f >= 1, N >= 1 and the half width is positive.
    """

    f: int = 10
    N: int = 10
    half_width: float = 0.5

    def __post_init__(self) -> None:
        require_sizes(self.f, self.N, self.half_width)

    def draw(self, many: int, generator: Generator, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
        """Tokens (many, 2N + 1, f) and the targets of the queries (many, f)."""
        x = _uniform((many, self.N + 1, self.f), -self.half_width, self.half_width, generator, dtype)
        W = torch.randn((many, self.f, self.f), generator=generator, dtype=dtype)
        y = x @ W.mT
        return interleaved(x, y), y[:, -1]


@dataclass(frozen=True)
class Sine:
    """y = amplitude sin(x + phase): x uniform on (-5, 5), amplitude on (1/10, 5), phase on (0, π).

    The range is that of von Oswald et al. (arXiv 2212.07677): wide enough that no affine function comes near. Raises
    BadInput unless N >= 1 and the half width is positive.
    """

    N: int = 10
    half_width: float = 5.0
    amplitudes: tuple[float, float] = (0.1, 5.0)

    def __post_init__(self) -> None:
        require_sizes(1, self.N, self.half_width)

    def draw(self, many: int, generator: Generator, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
        """Tokens (many, 2N + 1, 1) and the targets of the queries (many, 1)."""
        x = _uniform((many, self.N + 1, 1), -self.half_width, self.half_width, generator, dtype)
        phase = _uniform((many, 1, 1), 0, math.pi, generator, dtype)
        y = _uniform((many, 1, 1), *self.amplitudes, generator, dtype) * torch.sin(x + phase)
        return interleaved(x, y), y[:, -1]

    @property
    def mean_square(self) -> float:
        """E amplitude²."""
        low, high = self.amplitudes
        return (low * low + low * high + high * high) / 3

    def affine_floor(self) -> float:
        """Half the mean square error of the best affine function of x, chosen with the task known.

        E y² = A/2 with A = E amplitude²; of it a constant explains (A/2) (sin w / w)² and a multiple of x explains
        (A/2) E(x sin x)² / (w²/3), where E(x sin x) = (sin w - w cos w)/w and w is the half width; both averaged over
        the phase, for which (0, π) is as good as a full turn. No predictor that is affine in the query gets below this.
        """
        w = self.half_width
        constant = (math.sin(w) / w) ** 2
        slope = ((math.sin(w) - w * math.cos(w)) / w) ** 2 * 3 / w**2
        return self.mean_square / 4 * (1 - constant - slope)


Task = LinearRegression | Sine
