"""Registers raw torch operators, without autograd: one opaque step for torch.compile, vmap and fake tensors.

Autograd comes from an autograd.Function around the operator, never from the operator itself: a gradient registered on
an operator does not work under torch.func.grad, an autograd.Function around a raw one does.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Dims = tuple[int | None, ...]

_library = torch.library.Library("ssmverify", "DEF")


def define(signature: str, run: Callable[..., Any], fake: Callable[..., Any]) -> Callable[..., Any]:
    """The operator ssmverify::<signature>, computed by `run`, its shapes by `fake`.

    Every tensor among the arguments and results has the batch as its first dimension.
    """
    name = signature.split("(")[0]
    _library.define(signature)
    _library.impl(name, run, "CompositeExplicitAutograd")
    operator: Callable[..., Any] = getattr(torch.ops.ssmverify, name)
    torch.library.register_fake(f"ssmverify::{name}", fake, lib=_library)
    torch.library.register_vmap(f"ssmverify::{name}", _joining_the_batch(operator), lib=_library)
    return operator


def _joining_the_batch(operator: Callable[..., Any]) -> Callable[..., Any]:
    """The vmap rule: the new dimension joins the batch."""

    def rule(info: Any, in_dims: Dims, *arguments: Any) -> tuple[Any, Any]:
        size = info.batch_size

        def merged(x: Any, dim: int | None) -> Any:
            if not isinstance(x, Tensor):
                return x
            x = x.expand(size, *x.shape) if dim is None else x.movedim(dim, 0)
            return x.flatten(0, 1)

        def split(x: Tensor) -> Tensor:
            return x.reshape(size, x.shape[0] // size, *x.shape[1:])

        result = operator(*(merged(x, dim) for x, dim in zip(arguments, in_dims, strict=True)))
        if isinstance(result, Tensor):
            return split(result), 0
        return tuple(map(split, result)), (0,) * len(result)

    return rule
