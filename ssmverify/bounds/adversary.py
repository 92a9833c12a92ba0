"""Rounding as bad as the model allows: what a bound is worth is how near this comes to it.

The program runs in float64, and each operation's result is pushed by (almost) all that its rule would charge it, were
its operands exact. The pushes agree in sign, or follow the result's sign, or are drawn. An error above the bound would
disprove a rule's propagation; one far below for every choice of signs says that the bound is loose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from ssmverify.bounds.ball import F64, Ball, BallTensor
from ssmverify.bounds.dispatch import COPIES, FACTORIES, READS, handle, is_float
from ssmverify.bounds.model import Run, running
from ssmverify.bounds.registry import MOVES

SHARE = 1 - 2.0**-20  # of the allowance: the rest is for evaluating this in float64
UNDERFLOW = 1024 * 2.0**-126  # which rules charge everywhere, and which happens below the normal range alone
Signs = Callable[[Tensor], Tensor]

UP: Signs = torch.ones_like
OUTWARDS: Signs = torch.sign


def drawn(seed: int) -> Signs:
    """Random signs."""
    generator = torch.Generator().manual_seed(seed)
    return lambda x: torch.randint(0, 2, x.shape, generator=generator).double() * 2 - 1


class _Pushed(TorchDispatchMode):
    def __init__(self, signs: Signs):
        super().__init__()  # type: ignore[no-untyped-call]
        self.signs = signs

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = {k: F64 if x == torch.float32 else x for k, x in (kwargs or {}).items()}
        name = func._schema.name
        base = name.rstrip("_")
        if base in MOVES or base in FACTORIES or name in READS | COPIES or base == "aten::_to_copy":
            return func(*args, **kwargs)
        if name != base and is_float(args[0]):
            plain = getattr(torch.ops.aten, base.removeprefix("aten::"))
            with self:
                return args[0].copy_(plain(*args, **kwargs))
        return tree_map(self._pushed, handle(func, *tree_map(_as_single, (args, kwargs))))

    def _pushed(self, x: Any) -> Any:
        if not isinstance(x, BallTensor):
            return x
        push = (torch.where(x.radius.isfinite(), x.radius, 0.0) - UNDERFLOW).clamp(min=0) * SHARE
        return x.value + self.signs(x.value) * push


def _as_single(x: Any) -> Any:
    return BallTensor(Ball(x.detach(), torch.zeros_like(x), torch.float32)) if is_float(x) else x


def pushed(fn: Callable[..., Any], *inputs: Any, signs: Signs) -> Any:
    """What the float32 program fn would return if every rounding were as bad as the model allows, in float64.

    It must have no casts; modules must hold float64 parameters, whose numbers are float32 ones.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(F64)
    try:
        with running(Run()), torch.no_grad(), _Pushed(signs):
            return fn(*tree_map(lambda x: x.double() if is_float(x) else x, inputs))
    finally:
        torch.set_default_dtype(before)
