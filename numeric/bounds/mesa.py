"""How far `numeric.mesa` may be from ridge regression: its formulas, run on sizes and errors.

Of the exact numbers it uses that R is symmetric with 0 <= R <= λ I, so that no entry of it exceeds λ; that the
denominator 1 + s, s = k'R k, is at least 1; and that the gain R k/(1 + s) has norm at most sqrt(λ s)/(1 + s), which is
at most sqrt(λ)/2. (Without that the sizes of R would be squared in every step.) The bound is infinite where rounding
might take the denominator to half its least value.
"""

from __future__ import annotations

import torch
from torch import Tensor

from numeric.bounds.majorant import Majorant


def mesa_bound(q: Tensor, k: Tensor, v: Tensor, lam: Tensor) -> Tensor:
    """For the outputs of `mesa`, absent overflow: float64 (B, T, d)."""
    batch, length, n = k.shape
    largest = lam.detach().double()
    R = Majorant.of((lam * torch.eye(n, dtype=k.dtype)).expand(batch, n, n))
    F, one, bounds = Majorant.of(v.new_zeros(batch, v.shape[2], n)), Majorant.of(v.new_ones(batch, 1, 1)), []
    for t in range(length):
        key, value, query = (Majorant.of(x[:, t].unsqueeze(-1)) for x in (k, v, q))
        Rk = R @ key
        gain = Rk.divided(one + key.moved(lambda x: x.mT) @ Rk, at_least=1.0).at_most(largest.sqrt() / 2)
        along = gain.moved(lambda x: x.mT)
        R, F = (R + Rk @ along).at_most(largest), F + (value + F @ key) @ along
        bounds.append((F @ query).bound(8 * length, n).squeeze(-1))
    return torch.stack(bounds, 1) if bounds else v.detach().double()
