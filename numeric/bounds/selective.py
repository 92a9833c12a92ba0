"""The bound for S6: h_t = exp(delta_t A) h_{t-1} + delta_t x_t B_t, y_t = C_t·h_t + D·x_t.

    x delta (B, T, d)    A (d, n)    B C (B, T, n)    D (d)    h0 (B, d, n)    y (B, T, d)
    ulp   the stated accuracy: exp is off by at most that many units in the last place, on this the bound is conditional
    H, E  H_t = |a_t| H_{t-1} + |b_t|, at least |h_t|; E_t at least the error of h_t

By hand, with `rounding.product` and `rounding.rounded` at every step. The argument delta A is rounded once, so it is
off by |delta A| u, which multiplies the gate by at most exp(|delta A| u); exp adds ulp units of 2u each. So a step puts
1 + rho = exp(|delta A| u)(1 + 2 ulp u)(1 + u)^p on the state, and an input delta x B, with two roundings of its own,
collects q + 2: the majorants H^_t = (1 + rho_t)|a_t| H^_{t-1} + (1 + u)^(q+2) |b_t| less H_t are E_t.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from numeric.bounds.model import relative, sizes, start_sizes, underflow, unit_roundoff, widened


def selective_scan_bound(
    x: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    h0: Tensor | None = None,
    *,
    p: int,
    q: int,
    ulp: float,
) -> tuple[Tensor, Tensor]:
    """Bounds of y (B, T, d) and of the last state (B, d, n), for an exp that is within `ulp` units in the last place.

    p, q: the constants of the order of the recurrence; a sum over the state rounds each of its n terms n times.
    """
    u, eta, (batch, length, d), n = unit_roundoff(x.dtype), underflow(x.dtype), x.shape, A.shape[1]
    steps, inputs, write, read = sizes(delta), sizes(delta) * sizes(x), sizes(B), sizes(C)
    exponent = delta.detach().double().numpy()[..., None] * A.detach().double().numpy()
    gates = np.exp(exponent) * (1 + 8 * 2.0**-53 * (1 + np.abs(exponent)))
    rho = np.expm1(np.abs(exponent) * float(u) + np.log1p(2 * ulp * float(u)) + p * np.log1p(float(u)))
    sigma, kappa = float(relative(q + 2, u)), float(relative(n, u))
    H = start_sizes(h0, np.zeros((batch, 1, d, n)))
    E, skip = np.zeros_like(H), 0.0 if D is None else sizes(D)
    outputs = []
    for t in range(length):
        b = inputs[:, t, :, None] * write[:, t, None, :]
        size = (1 + H.max(initial=0.0)) * (1 + steps[:, t]) * (1 + inputs[:, t]) * (1 + sizes(x[:, t]))
        tiny = 8 * q * (1 + ulp) * eta * size[..., None] * (1 + write[:, t, None, :])
        E = (1 + rho[:, t]) * gates[:, t] * E + rho[:, t] * gates[:, t] * H + sigma * b + tiny
        H = gates[:, t] * H + b
        summed = ((E + kappa * (H + E)) * read[:, t, None, :] + 2 * eta).sum(-1)
        passed = sizes(x[:, t]) * skip
        whole = (H * read[:, t, None, :]).sum(-1) + summed + (1 + float(u)) * passed
        outputs.append(summed + float(u) * (passed + whole) + 2 * eta)
    y = torch.from_numpy(np.stack(outputs, 1) if outputs else np.zeros((batch, 0, d)))
    return widened(y, length, n), widened(torch.from_numpy(E), length, n)
