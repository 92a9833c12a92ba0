"""Runs a program on balls: every call that reaches torch's operators, below autograd and autocast, is answered here.

Autocast's casts, writes in place, views, promotions, constants and autograd's backward are then ordinary calls. Plain
tensors that the program brings along (parameters, buffers) are exact numbers; what it computes from them is charged.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from ssmverify.bounds import (  # noqa: F401 - each registers its rules
    arithmetic,
    comparisons,
    composites,
    functions,
    gradients,
    products,
    refused,
    scans,
    selection,
    sums,
    views,
)
from ssmverify.bounds.ball import F64, Ball, BallTensor, given, narrowed, operand
from ssmverify.bounds.comparisons import Unsettled
from ssmverify.bounds.model import Refused, Undecided, active
from ssmverify.bounds.registry import HANDLERS, MOVES, REFUSED, RULES, Rule, named

FACTORIES = named(
    """zeros ones full empty arange eye zeros_like ones_like empty_like new_zeros new_ones new_full new_empty
    new_empty_strided empty_strided empty_permuted scalar_tensor tril_indices triu_indices _efficientzerotensor"""
)
READS = named("_local_scalar_dense item is_nonzero")
SHAPES = named("is_same_size sym_size sym_stride sym_numel sym_storage_offset")
COPIES = named("copy_ fill_ zero_")
PLAIN = named("cat stack where constant_pad_nd dropout")


@dataclass(frozen=True)
class Operator:
    """What the schema of an operator says."""

    func: Any
    name: str
    base: str  # without the underscore of what writes in place
    writes: bool
    random: bool
    rule: Rule | None


@lru_cache(maxsize=4096)
def _operator(func: Any) -> Operator:
    name = func._schema.name
    writes = name.endswith("_") and not name.endswith("__")
    base = name.rstrip("_") if writes else name
    random = torch.Tag.nondeterministic_seeded in func.tags
    return Operator(func, name, base, writes, random, None)


class Charged(TorchDispatchMode):
    """Inside, every operation is answered with balls, those on plain float tensors too."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return handle(func, args, kwargs or {})


def is_float(x: Any) -> bool:
    """A tensor of floats, plain or a ball's."""
    return isinstance(x, Tensor) and x.dtype.is_floating_point


def handle(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """The result of one operator."""
    run, op = active(), _operator(func)
    run.operations[op.base] += 1
    floats = _floats(args, kwargs)
    if run.places is not None or run.silent is not None:
        place = (op.base.removeprefix("aten::"), _caller())
        if run.places is not None and any(isinstance(x, BallTensor) for x in floats):
            run.places[place] += 1
        run.mute = place == run.silent
    try:
        return _answer(op, args, kwargs, floats)
    finally:
        run.mute = False


def _floats(args: Any, kwargs: dict[str, Any]) -> list[Tensor]:
    found: list[Tensor] = []
    for x in (*args, *kwargs.values()):
        if isinstance(x, Tensor):
            if x.dtype.is_complex:
                raise Refused("no proven rule for complex numbers: split them into real and imaginary parts")
            if isinstance(x, Unsettled):
                raise Undecided(x.why)
            if x.dtype.is_floating_point:
                found.append(x)
        elif isinstance(x, list | tuple):
            for y in x:
                if isinstance(y, Unsettled):
                    raise Undecided(y.why)
                if is_float(y):
                    found.append(y)
    return found


def _answer(op: Operator, args: Any, kwargs: dict[str, Any], floats: list[Tensor]) -> Any:
    name = op.name
    if op.random and not (name == "aten::native_dropout" and not args[2]):
        why = REFUSED.get(op.base, "it is random; draw the numbers outside and pass them in, or call .eval()")
        raise Refused(f"no proven rule for {_short(op.base)}: {why}")
    if op.base in REFUSED:
        raise Refused(f"no proven rule for {_short(op.base)}: {REFUSED[op.base]}")
    if "out" in kwargs:
        raise Refused(f"no proven rule for {_short(name)} with out=: assign its result")
    if name in READS:
        return _read(args[0], op)
    if name in SHAPES:
        return op.func(*tree_map(_value, args), **kwargs)
    if op.base in FACTORIES:
        return _made(op, args, kwargs)
    if op.writes or name in COPIES:
        return _written(op, args, kwargs)
    if not floats:
        return _from_integers(op, args, kwargs)
    if not any(isinstance(x, BallTensor) for x in floats) and (op.base in MOVES or op.base in PLAIN):
        return op.func(*args, **kwargs)  # exact numbers, moved: they stay plain, and views of them stay views
    if op.base in MOVES:
        return _moved(op, args, kwargs)
    return _wrapped(_call(_rule(op), args, kwargs))


def _rule(op: Operator) -> Rule:
    found = RULES.get(op.base)
    if found is None:
        hint = "" if op.name.startswith("aten::") else f": register one with @rule({op.name!r})"
        raise Refused(f"no proven rule for {_short(op.name)}{hint}")
    return found


def _call(rule: Rule, args: Any, kwargs: dict[str, Any]) -> Any:
    given_ = {
        k: _unwrapped(x) for k, x in kwargs.items() if x is not None and k not in ("layout", "device", "pin_memory")
    }
    return rule(*[_unwrapped(x) for x in args], **given_)


def _unwrapped(x: Any) -> Any:
    if isinstance(x, BallTensor):
        return Ball(x.value, x.radius, x.dtype)
    if isinstance(x, Tensor):
        if not x.dtype.is_floating_point:
            return x
        if x.ndim == 0 and x.dtype == F64 and torch.result_type(x, _HALF) == torch.float16:
            return x.item()  # a number that torch has put into a tensor
        return given(x)
    if isinstance(x, list | tuple):
        return [_unwrapped(y) for y in x]
    return x


_HALF = torch.zeros((), dtype=torch.float16)


def _wrapped(result: Any) -> Any:
    if isinstance(result, Ball):
        return BallTensor(result)
    if isinstance(result, tuple | list):
        return type(result)(_wrapped(x) for x in result)
    return result


def _value(x: Any) -> Any:
    return x.value if isinstance(x, BallTensor) else x


def _radius(x: Any) -> Any:
    if isinstance(x, BallTensor):
        return x.radius
    return torch.zeros_like(x, dtype=F64) if is_float(x) else x


def _moved(op: Operator, args: Any, kwargs: dict[str, Any]) -> Any:
    dtype = next(x.dtype for x in _floats(args, kwargs) if isinstance(x, BallTensor))
    values, radii = (
        op.func(*tree_map(f, args), **{k: tree_map(f, x) for k, x in kwargs.items()})
        for f in (lambda x: _value(x).to(F64) if is_float(x) else x, _radius)
    )
    if isinstance(values, Tensor):
        return BallTensor(Ball(values, radii, dtype))
    return type(values)(BallTensor(Ball(v, r, dtype)) for v, r in zip(values, radii, strict=True))


def _read(x: Tensor, op: Operator) -> Any:
    if not isinstance(x, BallTensor):
        return op.func(x)
    if bool((x.radius != 0).any()):
        raise Undecided("a number with an error leaves the tensors (.item(), bool() or float()): return the tensor")
    return x.value.item()


def _made(op: Operator, args: Any, kwargs: dict[str, Any]) -> Any:
    """Tensors that the program makes: exact, but for a constant that its dtype rounds; unwritten ones have no bound."""
    plain = [torch.empty_strided(x.shape, x.stride(), dtype=x.dtype) if isinstance(x, BallTensor) else x for x in args]
    made = op.func(*plain, **kwargs)
    if not is_float(made):
        return made
    ball = given(made)
    if "empty" in op.base:
        ball.radius.fill_(torch.inf)
        ball.value.zero_()
    elif op.base.endswith("full") or op.base == "aten::scalar_tensor":
        number = args[0 if op.base == "aten::scalar_tensor" else 1 + (op.base == "aten::new_full")]
        number = operand(_unwrapped(number), made.dtype)
        ball.value.copy_(number.value.expand_as(ball.value))
        ball.radius.copy_(number.radius.expand_as(ball.value))
    elif op.base == "aten::arange" and any(isinstance(x, float) and not x.is_integer() for x in args):
        raise Refused("no proven rule for arange in steps that are no integers: make it outside and pass it in")
    return BallTensor(ball)


def _written(op: Operator, args: Any, kwargs: dict[str, Any]) -> Any:
    x = args[0]
    if not is_float(x):
        if any(isinstance(y, BallTensor) for y in _floats(args, kwargs)):
            raise Refused(f"no proven rule for {_short(op.name)}: it writes floats with errors into {x.dtype}")
        return op.func(*args, **kwargs)
    if not isinstance(x, BallTensor):
        raise Refused(
            f"no proven rule for {_short(op.name)}: it writes into a tensor made outside, which holds plain floats; "
            "pass that tensor as an input"
        )
    if op.name in ("aten::detach_", "aten::requires_grad_"):
        return x
    if op.base in MOVES:
        for part in (x.value, x.radius):
            op.func(part, *args[1:], **kwargs)
        with torch._C._DisableTorchDispatch():
            op.func(x, *args[1:], **kwargs)  # the ball's own shape and strides; it has no numbers
        return x
    if op.name == "aten::zero_":
        new = operand(0.0, x.dtype)
    elif op.name in ("aten::fill_", "aten::copy_"):
        new = narrowed(operand(_unwrapped(args[1]), _own_dtype(args[1], x)), x.dtype)
    else:
        found = _call(_rule(op), args, kwargs)
        new = narrowed(found, x.dtype) if found.dtype != x.dtype else found
    x.value.copy_(new.value.expand_as(x.value))
    x.radius.copy_(new.radius.expand_as(x.radius))
    return x


def _own_dtype(source: Any, target: Tensor) -> torch.dtype:
    return source.dtype if is_float(source) else target.dtype


def _from_integers(op: Operator, args: Any, kwargs: dict[str, Any]) -> Any:
    """Integers and booleans are exact; floats made of them are charged by the operation's rule."""
    if op.base in ("aten::_to_copy", "aten::to") and (kwargs.get("dtype") or torch.int64).is_floating_point:
        return _wrapped(_call(_rule(op), args, kwargs))
    result = op.func(*args, **kwargs)
    if not any(is_float(x) for x in (result if isinstance(result, tuple | list) else [result])):
        return result
    dtype = result.dtype if isinstance(result, Tensor) else result[0].dtype
    balls = [operand(x, dtype) if isinstance(x, Tensor) else x for x in args]
    return _wrapped(_call_balls(_rule(op), balls, kwargs))


def _call_balls(rule: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    return rule(*args, **{k: x for k, x in kwargs.items() if x is not None})


def _short(name: str) -> str:
    return name.replace("aten::", "aten.")


_OWN = str(Path(__file__).parent)
_TORCH = str(Path(torch.__file__).parent)
_MODULES = str(Path(torch.__file__).parent / "nn" / "modules")
PROGRAM = "_run_the_program"  # the function of result.py whose callees are the program


def _caller() -> str:
    """The line of the program that makes the call: the innermost outside torch, or else of torch's own modules."""
    frame, inside = sys._getframe(2), "?"
    while frame.f_back is not None and frame.f_code.co_name != PROGRAM:
        file = frame.f_code.co_filename
        if file.startswith(_MODULES) and inside == "?":
            inside = f"{file}:{frame.f_lineno}"
        if not file.startswith((_TORCH, _OWN, "<")):
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return inside


HANDLERS[:] = [handle]
