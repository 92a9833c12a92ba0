"""S4D: "On the Parameterization and Initialization of Diagonal State Space Models" (arXiv 2206.11893).

| symbol | shape | meaning |
| --- | --- | --- |
| u, y | (B, T, d) | input and output of d channels |
| A, B, C | (d, n) | of h' = A h + B u, y = 2 Re(C h) + D u in each channel; complex, one of each conjugate pair |
| D, delta | (d,) | skip; step of each channel |

With real A, B, C a state stands for itself and y = C h + D u. B = 1 in the paper; C is trained.
"""

from __future__ import annotations

import math
from numbers import Integral

import torch
from torch import Tensor, nn

from numeric.hippo import hippo
from numeric.scan import scan

INITIALISATIONS = ("legs", "inv", "lin", "real")


def s4d_diagonal(init: str, N: int) -> Tensor:
    """The diagonal A for a state of size N, in float64 precision.

    "legs": the eigenvalues of LegS's normal part A + P P', P_n = sqrt(n + 1/2), with positive imaginary parts, which
    increase; "inv": -1/2 + i (N/π)(N/(2n+1) - 1); "lin": -1/2 + i π n; each (N/2,) complex, for the pairs
    n = 0..N/2-1. "real": -(n+1), (N,). "real" has the eigenvalues of LegS itself, "lin" the frequencies of FouT for a
    window of 2 (`proofs/s4d/spectrum.py`).

    Raises ValueError for another name, N < 1, and an odd N where there are pairs.
    """
    if init not in INITIALISATIONS:
        raise ValueError(f"the initialisation {init!r} is not known: take one of {', '.join(INITIALISATIONS)}")
    if not isinstance(N, Integral) or N < 1 or (init != "real" and N % 2):
        raise ValueError(f"S4D-{init} needs N >= 1 states" + ", an even number" * (init != "real") + f", given N = {N}")
    n = torch.arange(N if init == "real" else N // 2, dtype=torch.float64)
    if init == "real":
        return -(n + 1)
    if init == "legs":
        frequency = _legs_frequencies(n, N)
    else:
        frequency = math.pi * n if init == "lin" else N * (N - 2 * n - 1) / (math.pi * (2 * n + 1))
    return torch.complex(torch.full_like(n, -0.5), frequency)


def _legs_frequencies(n: Tensor, N: int) -> Tensor:
    """A + P P' + I/2 is skew, so i times it is Hermitian, and its eigenvalues are well-conditioned."""
    A = hippo("legs", N)[0]
    skew = (A - A.mT) / 2  # P P' is symmetric, and with 1/2 it cancels the symmetric part of A
    frequencies: Tensor = torch.linalg.eigvalsh(1j * skew)
    return frequencies[len(n) :]


def s4d(
    u: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor,
    delta: Tensor,
    *,
    method: str = "bilinear",
    order: str = "sequential",
    backend: str = "auto",
) -> Tensor:
    """The layer, shapes as in the module's table: u (B, T, d) -> y (B, T, d), real.

    method: "bilinear" or "zoh", both with one sample a step. Raises ValueError for another method, for shapes that do
    not agree, complex numbers beside real ones in A, B and C, delta <= 0, A = 0 with zoh, and what `scan` raises.
    """
    if u.ndim != 3 or A.ndim != 2 or A.shape[0] != u.shape[-1] or not A.shape == B.shape == C.shape:
        shapes = ", ".join(str(tuple(x.shape)) for x in (u, A, B, C))
        raise ValueError(f"u must be (batch, T, d) and A, B, C each (d, n), given {shapes}")
    if not D.shape == delta.shape == A.shape[:1]:
        raise ValueError(f"D and delta must be {tuple(A.shape[:1])}, given {tuple(D.shape)} and {tuple(delta.shape)}")
    if not A.is_complex() == B.is_complex() == C.is_complex():
        raise ValueError("A, B and C must be all real or all complex")
    if not bool((delta > 0).all()):
        raise ValueError("delta must be positive in every channel")
    if method not in ("bilinear", "zoh"):
        raise ValueError(f"the method {method!r} is not known: take bilinear or zoh")
    if method == "zoh" and bool((A == 0).any()):
        raise ValueError("zoh divides by A, which must not be 0: take bilinear")
    step = delta.unsqueeze(-1)
    gate, gain = bilinear(A, B, step) if method == "bilinear" else zero_order_hold(A, B, step)
    inputs = (gain * u.unsqueeze(-1)).flatten(2)
    h = scan(gate.flatten().expand_as(inputs), inputs, order=order, backend=backend).unflatten(-1, A.shape)
    return read_out(h, C) + D * u


def bilinear(A: Tensor, B: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    """(1 + z)/(1 - z) and δB/(1 - z), with z = δA/2."""
    z = delta * A / 2
    one = torch.ones_like(z)
    inverse = reciprocal(one - z)
    return (one + z) * inverse, delta * B * inverse


def reciprocal(z: Tensor) -> Tensor:
    """1/z, of complex z through conj(z)/|z|², one division by a real number."""
    if not z.is_complex():
        return 1 / z
    square = z.real * z.real + z.imag * z.imag
    return torch.complex(z.real / square, -z.imag / square)


def zero_order_hold(A: Tensor, B: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    """e^(δA) and (e^(δA) - 1)/A B, for A != 0."""
    z = delta * A
    return z.exp(), expm1(z) / A * B


def expm1(z: Tensor) -> Tensor:
    """e^z - 1 to full precision near 0: with z = x + iy, real part (e^x - 1) cos y - 2 sin²(y/2)."""
    if not z.is_complex():
        return z.expm1()
    x, y = z.real, z.imag
    half = (y / 2).sin()
    return torch.complex(x.expm1() * y.cos() - 2 * half * half, x.exp() * y.sin())


def read_out(h: Tensor, C: Tensor) -> Tensor:
    """2 Re(C h), summed over the pairs; C h where all is real."""
    if not C.is_complex():
        return (C * h).sum(-1)
    return 2 * (C.real * h.real - C.imag * h.imag).sum(-1)


class S4D(nn.Module):
    """The trainable layer (B, T, d) -> (B, T, d): A starts at `s4d_diagonal(init, N)`, B = 1, C and D at random.

    A keeps a negative real part, A = -e^a + i w. delta starts log-uniform between 1e-3 and 1e-1.
    """

    def __init__(self, d: int, N: int, *, init: str = "legs", method: str = "zoh", dtype: torch.dtype = torch.float32):
        super().__init__()
        start = s4d_diagonal(init, N).expand(d, -1)
        self.method = method
        self.log_decay = nn.Parameter((-start.real).log().to(dtype))
        self.frequency = nn.Parameter(start.imag.to(dtype)) if start.is_complex() else None
        parts = 2 if start.is_complex() else 1
        self.C = nn.Parameter(torch.randn(*start.shape, parts, dtype=dtype) / parts**0.5)
        self.D = nn.Parameter(torch.randn(d, dtype=dtype))
        self.log_delta = nn.Parameter(math.log(1e-3) + math.log(1e2) * torch.rand(d, dtype=dtype))

    def forward(self, u: Tensor) -> Tensor:
        A = -self.log_decay.exp()
        C = self.C.squeeze(-1)
        if self.frequency is not None:
            A, C = torch.complex(A, self.frequency), torch.view_as_complex(self.C)
        return s4d(u, A, torch.ones_like(A), C, self.D, self.log_delta.exp(), method=self.method)
