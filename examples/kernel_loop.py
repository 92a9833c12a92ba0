"""A scan kernel, right and wrong, for the suite: h_t = a_t h_{t-1} + b_t over tensors (batch, time, channel).

ssmverify scan examples/kernel_loop.py:scan --order loop
ssmverify scan examples/kernel_loop.py:forgetful
"""

import torch
from torch import Tensor


def scan(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """The recurrence, a step at a time."""
    h = b.new_zeros(b.shape[0], b.shape[2]) if h0 is None else h0
    states = torch.empty_like(b)
    for t in range(b.shape[1]):
        h = a[:, t] * h + b[:, t]
        states[:, t] = h
    return states


def forgetful(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """The same without the state that it is given: a fault that published kernels have had."""
    return scan(a, b)
