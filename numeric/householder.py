"""Products of generalised Householder matrices, as the transitions of DeltaNet and DeltaProduct (arXiv 2502.10297).

    A = (I - β_m k_m k_m') ··· (I - β_1 k_1 k_1')        keys k (..., m, n), strengths β (..., m) -> A (..., n, n)

With unit keys β = 2 reflects (eigenvalue -1), β = 1 projects, β in [0, 1] keeps every eigenvalue of a factor in [0, 1]
(Grazzi et al. 2025, arXiv 2411.12537).
"""

from __future__ import annotations

import torch
from torch import Tensor


def householder_product(k: Tensor, beta: Tensor) -> Tensor:
    """The product, the last key's factor on the left; shapes as in the module's formula.

    Raises ValueError where keys and strengths do not agree.
    """
    if k.shape[:-1] != beta.shape:
        raise ValueError(f"keys {tuple(k.shape)} need strengths {tuple(k.shape[:-1])}, given {tuple(beta.shape)}")
    A = torch.eye(k.shape[-1], dtype=k.dtype, device=k.device).expand(*k.shape[:-2], -1, -1)
    for key, strength in zip(k.unbind(-2), beta.unbind(-1), strict=True):
        read = torch.einsum("...n,...nm->...m", key, A)
        A = A - strength[..., None, None] * key.unsqueeze(-1) * read.unsqueeze(-2)
    return A
