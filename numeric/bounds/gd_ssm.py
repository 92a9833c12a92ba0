"""How far `numeric.gd_ssm` may be from gradient descent: its formulas, run on sizes and errors.

All bounds are float64, of the shape of the predictions, and hold absent overflow, on every backend whose scan runs in
time order. The constructed weights are 0, 1 and -γ, and products with 0 and 1 are charged like any others.
"""

from __future__ import annotations

import torch
from torch import Tensor

from numeric.bounds.attention import attended, collected
from numeric.bounds.majorant import Majorant, scanned
from numeric.gd_ssm import construction, windows


def _layer(tokens: Tensor, mixing: Tensor, pick: Tensor, C: Tensor) -> Majorant:
    """The majorant of `gd_ssm` with decay 1."""
    X = Majorant.of(windows(tokens))
    turned = X.moved(lambda x: x.mT)
    gates = turned @ (Majorant.of(mixing) @ X)
    Z = scanned(Majorant.of(torch.ones_like(gates.size).to(tokens.dtype)), gates)
    query = turned @ Majorant.of(pick).moved(lambda x: x.unsqueeze(-1))
    return (Majorant.of(C) @ (Z.moved(lambda x: x.mT) @ query)).moved(lambda x: x.squeeze(-1))


def one_step_bound(tokens: Tensor, rate: Tensor) -> Tensor:
    """For `one_step`: (B, N, f)."""
    return _layer(tokens, *construction(tokens.shape[-1], rate)).bound(tokens.shape[1], tokens.shape[2])


def one_step_from_bound(tokens: Tensor, W0: Tensor, rate: Tensor) -> Tensor:
    """For `one_step_from`: (B, N, f)."""
    mixing, pick, C = construction(tokens.shape[-1], rate)
    of_inputs = torch.zeros_like(mixing)
    of_inputs[0, 0] = 1
    targets, inputs = _layer(tokens, mixing, pick, C), _layer(tokens, of_inputs, pick, C)
    whole = targets + (Majorant.of(tokens[:, 2::2]) + inputs) @ Majorant.of(W0.mT)
    return whole.bound(tokens.shape[1], tokens.shape[2])


def one_step_vector_bound(x: Tensor, y: Tensor, rate: Tensor) -> Tensor:
    """For `one_step_vector`: (B, N)."""
    f = x.shape[-1]
    halves = torch.eye(2 * f, dtype=x.dtype)
    products = Majorant.of(y).moved(lambda z: z.unsqueeze(-1)) * Majorant.of(x[:, :-1])
    following = Majorant.of(x[:, 1:])
    token = Majorant(
        torch.cat([products.size, following.size], -1), torch.cat([products.error, following.error], -1), x.dtype
    )
    written = token @ Majorant.of((rate * halves[:f]).mT)
    z = scanned(Majorant.of(torch.ones_like(written.size).to(x.dtype)), written)
    return (z * (token @ Majorant.of(halves[f:].mT))).sum(-1).bound(x.shape[1], 2 * f)


def multi_step_bound(x: Tensor, y: Tensor, rates: Tensor) -> Tensor:
    """For `multi_step`: (B, N, m)."""
    keys, q = Majorant.of(x[:, :-1]), Majorant.of(x[:, 1:])
    S, M = collected(keys, keys), collected(Majorant.of(y), keys)
    v = Majorant.of(torch.zeros_like(x[:, 1:]))
    for rate in rates:
        v = v + Majorant.of(rate) * (q + attended(S, v))
    return attended(M, v).bound(x.shape[1] + len(rates), x.shape[2])
