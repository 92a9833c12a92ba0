"""The two raw torch operators beneath `scan`, without autograd: shapes, batching, dispatch to a backend.

    ssmverify::scan(a, b, h0, reverse, backend) -> h                   all (B, T, D), h0 (B, D)
    ssmverify::scan_backward(g, a, h, h0, reverse, backend) -> da, db

They exist so that torch.compile, vmap and fake tensors see one opaque step. Autograd is in `autograd.py`: a
gradient registered on an operator does not work under torch.func.grad, an autograd.Function around a raw one
does.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from numeric.scan import associative, cpu, reference
from numeric.scan.layout import new_states

Dims = tuple[int | None, ...]

BACKENDS: dict[str, ModuleType] = {"reference": reference, "associative": associative, "cpu": cpu}
"""Each has forward(a, b, h0, reverse) -> h and backward(g, a, h, h0, reverse) -> (da, db)."""

_library = torch.library.Library("ssmverify", "DEF")
_library.define("scan(Tensor a, Tensor b, Tensor? h0, bool reverse, str backend) -> Tensor")
_library.define(
    "scan_backward(Tensor g, Tensor a, Tensor h, Tensor? h0, bool reverse, str backend) -> (Tensor, Tensor)"
)


def _scan(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool, backend: str) -> Tensor:
    h: Tensor = BACKENDS[backend].forward(a, b, h0, reverse)
    return _laid_out(h, b)


def _scan_backward(
    g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool, backend: str
) -> tuple[Tensor, Tensor]:
    da, db = BACKENDS[backend].backward(g, a, h, h0, reverse)
    return _laid_out(da, h), _laid_out(db, h)


def _laid_out(values: Tensor, x: Tensor) -> Tensor:
    out = new_states(x)
    return values if values.stride() == out.stride() else out.copy_(values)


_library.impl("scan", _scan, "CompositeExplicitAutograd")
_library.impl("scan_backward", _scan_backward, "CompositeExplicitAutograd")


def _fake_scan(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool, backend: str) -> Tensor:
    return new_states(b)


def _fake_scan_backward(
    g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool, backend: str
) -> tuple[Tensor, Tensor]:
    return new_states(h), new_states(h)


torch.library.register_fake("ssmverify::scan", _fake_scan, lib=_library)
torch.library.register_fake("ssmverify::scan_backward", _fake_scan_backward, lib=_library)


def _batched(operator: Callable[..., Any], tensors: int) -> Callable[..., Any]:
    """The vmap rule of an operator whose first arguments are tensors (B, ...): the new dimension joins B."""

    def rule(info: Any, in_dims: Dims, *arguments: Any) -> tuple[Any, Any]:
        size = info.batch_size

        def merged(x: Tensor | None, dim: int | None) -> Tensor | None:
            if x is None:
                return None
            x = x.expand(size, *x.shape) if dim is None else x.movedim(dim, 0)
            return x.flatten(0, 1)

        inputs = [merged(x, dim) for x, dim in zip(arguments[:tensors], in_dims[:tensors], strict=True)]

        def split(x: Tensor) -> Tensor:
            return x.reshape(size, x.shape[0] // size, *x.shape[1:])

        result = operator(*inputs, *arguments[tensors:])
        if isinstance(result, Tensor):
            return split(result), 0
        return tuple(map(split, result)), (0,) * len(result)

    return rule


torch.library.register_vmap("ssmverify::scan", _batched(torch.ops.ssmverify.scan, 3), lib=_library)
torch.library.register_vmap("ssmverify::scan_backward", _batched(torch.ops.ssmverify.scan_backward, 4), lib=_library)
