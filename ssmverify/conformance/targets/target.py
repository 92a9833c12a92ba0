"""What is put through the suite: a callable, what it claims, and how it is called."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from ssmverify.conformance.kinds.kind import Kind, Outputs
from ssmverify.conformance.order import ORDERS, Order
from ssmverify.conformance.shrink import Inputs
from ssmverify.errors import BadInput
from ssmverify.loading import load_file


class NotSupported(Exception):
    """The target says that it does not do this: it has no such parameter, or raised NotImplementedError."""


@dataclass(frozen=True)
class Target:
    """A kernel under test.

    spec: as it was named. function: called as its kind's signature says; it refuses what it does not do by raising
    NotImplementedError with the reason. dtypes: those it claims. device: where its inputs are put. declines: patterns
    of cases that it documents not to do, each with the reason.
    """

    spec: str
    function: Callable[..., Any]
    kind: Kind
    order: Order = ORDERS["any"]
    dtypes: tuple[str, ...] = ("float32", "float64")
    device: str = "cpu"
    declines: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(init=False)  # our name for each argument: the target's

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", _parameters(self.function, self.kind))

    def takes(self, name: str) -> bool:
        """Whether it has that argument."""
        return name in self.parameters

    def __call__(self, inputs: Inputs) -> Outputs:
        """Run it on its device; the outputs come back to the CPU. Raises NotSupported, and whatever it raises."""
        missing = [name for name in inputs if name not in self.parameters]
        if missing:
            raise NotSupported(f"it takes no {missing[0]}")
        moved = {name: x.to(self.device) if isinstance(x, Tensor) else x for name, x in inputs.items()}
        positional = [moved.pop(name) for name in self.kind.required]
        try:
            returned = self.function(*positional, **{self.parameters[name]: x for name, x in moved.items()})
        except NotImplementedError as reason:
            raise NotSupported(f"it refused: {str(reason) or 'NotImplementedError'}") from reason
        return _outputs(returned)


def _outputs(returned: Any) -> Outputs:
    parts = returned if isinstance(returned, tuple | list) else (returned,)
    if not parts or not all(isinstance(part, Tensor) for part in parts[:2]):
        raise TypeError(f"it must return a tensor, or a tuple that begins with tensors, not {type(returned).__name__}")
    main, *rest = (part.cpu() for part in parts[:2])
    return Outputs(main, rest[0] if rest else None)


def _parameters(function: Callable[..., Any], kind: Kind) -> dict[str, str]:
    """Our names for the arguments it has, with its own.

    The initial state may go by any name if it comes right after the required arguments; other optional arguments are
    known by name.
    """
    names = {name: name for name in kind.required}
    try:
        given = list(inspect.signature(function).parameters.values())
    except ValueError:  # some built-in functions have no signature
        return names
    found = [p.name for p in given if p.kind is not inspect.Parameter.VAR_POSITIONAL]
    names.update({name: name for name in (kind.state, *kind.optional) if name in found})
    if kind.state not in names and len(given) > len(kind.required):
        following = given[len(kind.required)]
        positional = following.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        if positional and following.name not in kind.optional and following.name not in FLAGS:
            names[kind.state] = following.name
    return names


FLAGS = ("dim", "axis", "reverse", "backend", "chunk", "chunk_size", "block", "out")  # no initial states


def load(spec: str) -> Callable[..., Any]:
    """The function that 'file.py:function' or 'module:function' names. Raises BadInput."""
    where, _, name = spec.rpartition(":")
    if not where or not name:
        raise BadInput(f"'{spec}' names no kernel; write file.py:function, module:function or a built-in name.")
    module = load_file(Path(where)) if where.endswith(".py") else _from_path(where)
    function = module
    for part in name.split("."):
        if not hasattr(function, part):
            raise BadInput(f"{where} has no '{name}'; name a function that it defines.")
        function = getattr(function, part)
    if not callable(function):
        raise BadInput(f"{spec} is no function but {type(function).__name__}; name a callable.")
    return function


def _from_path(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise BadInput(f"the module {name} does not import: {type(error).__name__}: {error}") from error


DTYPES = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")


def dtype_named(name: str) -> torch.dtype:
    """A dtype in which kernels can be judged, by name; raises BadInput."""
    if name not in DTYPES:
        raise BadInput(f"no bound is proved in dtype {name!r}; give some of {', '.join(DTYPES)}.")
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def device_named(name: str) -> str:
    """The name, if torch knows such a device, here or not; raises BadInput."""
    try:
        known = torch.device(name).type != "meta"  # whose tensors hold no numbers
    except RuntimeError:
        known = False
    if not known:
        raise BadInput(f"there is no device {name!r}; give cpu, cuda or cuda:1.")
    return name


def absent(device: str) -> str:
    """Why nothing can run on the device here: one clause, empty where it can."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        return f"there is no {device} here"
    return ""
