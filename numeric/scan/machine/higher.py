"""Derivatives of a fused kernel's gradients, by way of the loop in torch that it computes.

The kernels give the first derivatives; whoever differentiates those again gets the derivative of the loop's gradient,
which is the same function. It takes the loop's time, and its memory: all states.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Loop = Callable[..., tuple[Tensor, ...]]


def through_gradients(
    loop: Loop, cotangents: tuple[Tensor, ...], inputs: tuple[Tensor, ...], outer: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """The gradient of <outer, gradients of loop> in the cotangents and the inputs, itself differentiable."""
    count = len(cotangents)

    def gradients(*arguments: Tensor) -> tuple[Tensor, ...]:
        back: tuple[Tensor, ...] = torch.func.vjp(loop, *arguments[count:])[1](arguments[:count])
        return back

    found: tuple[Tensor, ...] = torch.func.vjp(gradients, *cotangents, *inputs)[1](outer)
    return found
