"""HiPPO-Prophecy: State-Space Models can Provably Learn Dynamical Systems in Context (arXiv 2407.09375).

| symbol | shape | meaning |
| --- | --- | --- |
| u | (B, T, D) | the signal, of D channels |
| A, B | (N, N), (N,) | step of the state, c_k = A c_{k-1} + B u_k; with a leading T where they vary with time (LegS) |
| C, D | (N,), () | next state: C c_k + D u_k stands for u_{k+1}; with a leading T likewise |
| delta | () | step in units of the window |

The state is advanced by the bilinear transform, fed with one sample. The next state comes from u' ~ C' c + D' u, with
the read-out C', D' of `numeric.hippo.readout`:

| measure | next state |
| --- | --- |
| legt, legs | the trapezoidal rule, solved for u_{k+1}: (1 - δD'/2) u_{k+1} = (1 + δD'/2) u_k + δ C' c_k |
| fout | Euler: u_{k+1} = u_k + δ C' c_k |

Source of both: the authors' code (github.com/FedeArang/In-Context-SSM), as the paper's body was not at hand. It departs
from the trapezoidal rule by c_k for (c_k + c_{k+1})/2, which a state fed with one sample, half a step ahead, makes up
for. We depart from the code: its frequencies of fout are 4πm, ours 2πm; at the first step it halves C' c.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from numeric.hippo import discretize, discretize_legs, hippo, readout, states
from numeric.scan import matrix_scan


class Weights(NamedTuple):
    """A, B, C, D of the module's table, of one time or of T of them."""

    A: Tensor
    B: Tensor
    C: Tensor
    D: Tensor


# --------------------------------------------------------------------------------------------------- the weights
def predictor(
    measure: str,
    N: int,
    delta: float,
    *,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
) -> Weights:
    """The weights for "legt" or "fout", a step of delta windows. For LegS see `predictor_legs`.

    Raises ValueError as `hippo` does, for another measure, delta <= 0, and for legt at delta N² = 2, where the weights
    do not exist.
    """
    if measure in ("legs", "lagt"):
        mend = "its weights vary with time: take predictor_legs" if measure == "legs" else "take legt, legs or fout"
        raise ValueError(f"there is no predictor for {measure} at fixed delta; {mend}")
    A, B = discretize(*hippo(measure, N, dtype=dtype, device=device), delta)
    C, D = readout(measure, N, dtype=dtype, device=device)
    step = torch.as_tensor(delta, dtype=dtype, device=device)
    return Weights(A, B, *(euler(C, step) if measure == "fout" else trapezoid(C, D, step)))


def predictor_legs(
    N: int,
    T: int,
    *,
    start: int = 1,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
) -> Weights:
    """The weights for LegS at t = start, ..., start + T - 1, the step being the unit of time.

    Raises ValueError for N < 1, T < 0, start < 1, and for an even N where t = N²/2 is among the times.
    """
    A, B = discretize_legs(N, T, start=start, dtype=dtype, device=device)
    if N % 2 == 0 and start <= N * N // 2 < start + T:
        raise ValueError(f"LegS with N = {N} divides by zero at t = N²/2 = {N * N // 2}: take an odd N, or fewer steps")
    C, D = readout("legs", N, dtype=dtype, device=device)
    t = torch.arange(start, start + T, dtype=dtype, device=device)
    return Weights(A, B, *trapezoid(C, D, 1 / t))


def trapezoid(C: Tensor, D: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    """δC/(1 - δD/2) and (1 + δD/2)/(1 - δD/2), of delta () or (T,); ValueError where δD = 2 in their precision."""
    half = delta * D / 2
    one = torch.ones_like(half)
    left = one - half
    if bool((left.abs() <= torch.finfo(C.dtype).eps).any()):
        raise ValueError(
            f"the predictor divides by 1 - delta D/2, which is zero: delta D = 2 at D = N² = {float(D):g}; "
            "take another delta or N"
        )
    return (delta / left).unsqueeze(-1) * C, (one + half) / left


def euler(C: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    """δC and 1."""
    return delta * C, torch.ones_like(delta)


# ---------------------------------------------------------------------------------------------------- the layers
def next_state(u: Tensor, weights: Weights, c0: Tensor | None = None, *, backend: str = "auto") -> Tensor:
    """Predictions of u_{k+1} from u_0, ..., u_k: u (B, T, D) -> (B, T, D). c0 (B, D, N), None is zero.

    Raises ValueError for weights of other shapes than `Weights` has, and what `numeric.hippo.states` raises.
    """
    if vary(weights) and u.ndim == 3 and u.shape[1] != len(weights.C):
        raise ValueError(f"there are weights of {len(weights.C)} times for {u.shape[1]} samples")
    c = states(weights.A, weights.B, u, c0, backend=backend)
    return read_out(c, u, weights.C, weights.D)


def vary(weights: Weights) -> bool:
    """Whether the weights vary with time; ValueError unless all four do or none."""
    N = weights.A.shape[-1]
    times = weights.C.shape[:-1]
    wanted = tuple((*times, *shape) for shape in ((N, N), (N,), (N,), ()))
    if len(times) > 1 or tuple(tuple(w.shape) for w in weights) != wanted:
        given = ", ".join(str(tuple(w.shape)) for w in weights)
        raise ValueError(f"weights must be (N, N), (N,), (N,), (), all with or all without a leading T, given {given}")
    return len(times) == 1


def read_out(c: Tensor, u: Tensor, C: Tensor, D: Tensor) -> Tensor:
    """C c + D u: c (B, T, D, N), u (B, T, D), C (N,) or (T, N), D () or (T,)."""
    if C.ndim == 2:
        C, D = C.unsqueeze(1), D.unsqueeze(-1)
    return (c * C).sum(-1) + D * u


def closed_loop(weights: Weights) -> Tensor:
    """K with (c_{k+1}, u_{k+1}) = K (c_k, u_k) where the prediction is fed back: (N+1, N+1), or (T-1, N+1, N+1).

    The prediction of time k is written with the weights A, B of time k + 1.
    """
    A, B, C, D = weights
    if vary(weights):
        A, B, C, D = A[1:], B[1:], C[:-1], D[:-1]
    B, C, D = B.unsqueeze(-1), C.unsqueeze(-2), D[..., None, None]
    return torch.cat([torch.cat([A + B @ C, D * B], -1), torch.cat([C, D.expand(*C.shape[:-2], 1, 1)], -1)], -2)


def roll_out(u: Tensor, steps: int, weights: Weights, c0: Tensor | None = None, *, backend: str = "auto") -> Tensor:
    """Predictions (B, steps, D) of what follows u (B, T, D), each fed back as the next input.

    Weights that vary with time must reach to T + steps - 1, as the last prediction is not fed back. Raises ValueError
    for an empty u, steps < 1, weights that do not reach so far or have other shapes, and what `states` raises.
    """
    if u.ndim != 3 or u.shape[1] < 1 or steps < 1:
        raise ValueError(
            f"a roll-out needs u (batch, T >= 1, D) and steps >= 1, given {tuple(u.shape)}, steps = {steps}"
        )
    batch, T, D = u.shape
    varying = vary(weights)
    if varying and len(weights.C) < T + steps - 1:
        raise ValueError(f"weights of {len(weights.C)} times do not reach to {T} + {steps} - 1: make T larger")
    context = Weights(*(w[:T] for w in weights)) if varying else weights
    c = states(context.A, context.B, u, c0, backend=backend)
    first = read_out(c, u, context.C, context.D)[:, -1:]
    if steps == 1:
        return first
    ahead = Weights(*(w[T - 1 : T + steps - 1] for w in weights)) if varying else weights
    K = closed_loop(ahead)
    N = K.shape[-1]
    z = torch.cat([c[:, -1], u[:, -1].unsqueeze(-1)], -1).reshape(1, batch * D, N).mT
    # the last prediction is read, not written: the row of C, D at the last time
    Z = matrix_scan(K.expand(1, steps - 1, N, N), z.new_zeros(1, steps - 1, *z.shape[1:]), z, backend=backend)
    fed = Z[0].reshape(steps - 1, N, batch, D).permute(2, 0, 3, 1)
    C, D_last = (ahead.C[1:], ahead.D[1:]) if varying else (ahead.C, ahead.D)
    return torch.cat([first, read_out(fed[..., :-1], fed[..., -1], C, D_last)], 1)


class NextState(nn.Module):
    """A trainable layer (B, T, D) -> (B, T, D) that starts at the construction of `predictor`.

    Raises what `predictor` raises.
    """

    def __init__(self, measure: str, N: int, delta: float, *, dtype: torch.dtype | None = None):
        super().__init__()
        weights = predictor(measure, N, delta, dtype=dtype or torch.get_default_dtype())
        self.A, self.B, self.C, self.D = (nn.Parameter(weight) for weight in weights)

    @property
    def weights(self) -> Weights:
        return Weights(self.A, self.B, self.C, self.D)

    def forward(self, u: Tensor) -> Tensor:
        return next_state(u, self.weights)
