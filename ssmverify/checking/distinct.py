"""When two cases are the same: a hashable key for each, made of its values."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from types import FunctionType
from typing import Any, cast

import numpy as np
from torch import Tensor, dtype

PLAIN = (bytes, int, str, bool, type(None))  # the most frequent, which need no look


def key(x: Any) -> Hashable:
    """Equal for equal values. Arrays and tensors count by shape, dtype and entries, objects by type and fields.

    Functions count by their code and what it refers to. Raises TypeError for an object that is equal to itself alone.
    """
    if type(x) in PLAIN:
        return cast(Hashable, x)
    match x:
        case list() | tuple():
            return type(x), *map(key, x)
        case set() | frozenset():
            return frozenset(map(key, x))
        case dict():
            return dict, frozenset((key(name), key(value)) for name, value in x.items())
        case np.ndarray():
            return np.ndarray, x.shape, str(x.dtype), *map(key, x.ravel().tolist())
        case Tensor():
            return Tensor, tuple(x.shape), str(x.dtype), *map(key, x.detach().reshape(-1).tolist())
        case float() | complex() if x != x:
            return type(x), "nan"
        case partial():
            return partial, key((x.func, x.args, x.keywords))
        case FunctionType():
            return x.__code__, key(x.__defaults__), key([cell.cell_contents for cell in x.__closure__ or ()])
    if _has_value_hash(x) or isinstance(x, type | dtype):  # of each class and each dtype there is one
        return cast(Hashable, x)
    if (fields := _fields(x)) is None:
        raise TypeError(f"a {type(x).__name__} has no value to compare it by: give cases that have one")
    return type(x), key(fields)


def _fields(x: Any) -> dict[str, Any] | None:
    """What a class written in Python keeps in an object of it; None of others."""
    slots = [name for kind in type(x).__mro__ for name in np.atleast_1d(vars(kind).get("__slots__", ())).tolist()]
    if not slots and not hasattr(x, "__dict__"):
        return None
    return {name: getattr(x, name) for name in slots if hasattr(x, name)} | getattr(x, "__dict__", {})


def _has_value_hash(x: Any) -> bool:
    """Whether it hashes by its value: not by identity, as an object does by default, nor not at all."""
    if getattr(type(x), "__hash__", None) is getattr(object, "__hash__"):  # noqa: B009
        return False
    try:
        hash(x)
    except TypeError:
        return False
    return True
