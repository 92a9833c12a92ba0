"""When two cases are the same: a hashable key for each, made of its values."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, cast

import numpy as np
from torch import Tensor

PLAIN = (bytes, int, str)  # the most frequent, which need no look


def key(x: Any) -> Hashable:
    """Equal for equal values. Arrays and tensors count by shape, dtype and entries, objects by type and fields."""
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
            return Tensor, tuple(x.shape), str(x.dtype), *x.detach().reshape(-1).tolist()
    if not callable(x) and hasattr(x, "__dict__") and not _has_value_hash(x):
        return type(x), key(vars(x))
    return cast(Hashable, x)


def _has_value_hash(x: Any) -> bool:
    """Whether it hashes by its value: not by identity, as an object does by default, nor not at all."""
    if getattr(type(x), "__hash__", None) is getattr(object, "__hash__"):  # noqa: B009
        return False
    try:
        hash(x)
    except TypeError:
        return False
    return True
