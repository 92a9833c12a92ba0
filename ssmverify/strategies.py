"""Hypothesis strategies: sizes, exact points, and tensors that lie where floats hurt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from flint import fmpq
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from torch import Tensor

from proofs.kernel import Table

# ------------------------------------------------------------------------------------------------- exact values


def rationals(low: int = -3, high: int = 3) -> SearchStrategy[fmpq]:
    """Small rationals: what refutes an identity should be readable."""
    return st.builds(fmpq, st.integers(low, high), st.integers(1, 3))


def columns(n: int, values: SearchStrategy[fmpq] | None = None) -> SearchStrategy[Any]:
    """Columns of n rationals."""
    return matrices(n, 1, values)


def matrices(n: int, m: int, values: SearchStrategy[fmpq] | None = None) -> SearchStrategy[Any]:
    """n by m matrices of rationals."""
    flat = st.lists(rationals() if values is None else values, min_size=n * m, max_size=n * m)
    return flat.map(lambda entries: np.array(entries, dtype=object).reshape(n, m))


def tables(keys: Any, members: SearchStrategy[Any], default: Any = None) -> SearchStrategy[Table]:
    """Families with a member of their own at each key (an int or a tuple of ints)."""
    places = [key if isinstance(key, tuple) else (key,) for key in keys]
    drawn = st.lists(members, min_size=len(places), max_size=len(places))
    nought = fmpq(0) if default is None else default
    return drawn.map(lambda values: Table(dict(zip(places, values, strict=True)), nought))


def zeros(n: int, m: int) -> Any:
    """The n by m matrix of exact zeros."""
    return np.full((n, m), fmpq(0), dtype=object)


def points(**parts: SearchStrategy[Any] | Any) -> SearchStrategy[Mapping[str, Any]]:
    """Points with the given variables; what is no strategy is a constant."""
    return st.fixed_dictionaries(
        {name: part if isinstance(part, SearchStrategy) else st.just(part) for name, part in parts.items()}
    )


# ------------------------------------------------------------------------------------------------------ tensors
def _width(dtype: torch.dtype) -> int:
    return torch.finfo(dtype).bits


def floats(dtype: torch.dtype, largest: float = 4.0) -> SearchStrategy[float]:
    """Floats up to `largest`, with the nasty ones more often: 0, subnormals, units, neighbours of 1."""
    info = torch.finfo(dtype)
    nasty = [0.0, 1.0, -1.0, 1 - info.eps / 2, 1 + info.eps, -1 + info.eps / 2, info.tiny, info.tiny * info.eps, 0.5]
    spread = st.floats(-largest, largest, width=cast(Any, _width(dtype)), allow_subnormal=True)
    return st.one_of(spread, st.sampled_from(nasty))


def gates(dtype: torch.dtype) -> SearchStrategy[float]:
    """Decays: near 1, near -1, tiny, above 1 by a little."""
    info = torch.finfo(dtype)
    close = st.integers(1, 12).map(lambda k: float(torch.tensor(1 - 2.0**-k, dtype=dtype)))
    nasty = [0.0, 1.0, -1.0, 1 - info.eps / 2, 1.25, info.tiny, info.tiny * info.eps]
    return st.one_of(
        close, close.map(lambda x: -x), st.sampled_from(nasty), st.floats(-1, 1, width=cast(Any, _width(dtype)))
    )


def tensors(shape: tuple[int, ...], dtype: torch.dtype, entries: SearchStrategy[float]) -> SearchStrategy[Tensor]:
    """Tensors drawn entry by entry: they shrink to small counterexamples."""
    size = int(np.prod(shape))
    flat = st.lists(entries, min_size=size, max_size=size)
    return flat.map(lambda values: torch.tensor(values, dtype=dtype).reshape(shape))


def noise(shape: tuple[int, ...], dtype: torch.dtype, low: float, high: float) -> SearchStrategy[Tensor]:
    """Uniform tensors from a drawn seed, for shapes too long to draw entry by entry."""

    def sample(seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return (low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64)).to(dtype)

    return st.integers(0, 2**32 - 1).map(sample)


def exact(x: Tensor) -> Any:
    """A tensor's very values as an array of rationals. Raises ValueError for infinities and NaNs."""
    if not bool(torch.isfinite(x).all()):
        raise ValueError("a NaN or an infinity has no exact value: the strategy of a layer must draw finite inputs")
    flat = x.detach().double().reshape(-1).tolist()
    values = np.empty(len(flat), dtype=object)
    for i, v in enumerate(flat):
        values[i] = fmpq(*v.as_integer_ratio())
    return values.reshape(tuple(x.shape))
