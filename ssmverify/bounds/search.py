"""Searches for the input at which a program's floats come nearest to their bound."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import seed as seeded
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

from ssmverify.bounds.model import Undecided
from ssmverify.bounds.result import Bounds
from ssmverify.bounds.within import Comparison, compare
from ssmverify.errors import BadInput

Shapes = dict[str, tuple[int | str, ...]]
DTYPES = ("float32", "float64", "bfloat16", "float16")


@dataclass(frozen=True)
class Found:
    """The worst input of a search."""

    inputs: tuple[Any, ...]
    output: int
    comparison: Comparison
    bounds: Bounds
    tried: int
    undecided: int

    @property
    def ratio(self) -> float:
        """error / bound at the worst entry."""
        return self.comparison.worst

    def at_worst(self, of: Tensor) -> float:
        """A tensor's number at the worst entry."""
        return float(of.reshape(-1)[self.comparison.at])

    def _relative(self, of: Tensor) -> float:
        """The largest number at entries with a bound, over the largest exact output."""
        c = self.comparison
        return float(torch.where(c.bound.isfinite(), of, 0.0).max() / c.exact.abs().max().clamp(min=2.0**-1000))

    @property
    def relative_bound(self) -> float:
        """The largest bound over the largest exact output."""
        return self._relative(self.comparison.bound)

    @property
    def relative_error(self) -> float:
        """The largest error over the largest exact output."""
        return self._relative((self.comparison.actual - self.comparison.exact).abs())

    @property
    def error(self) -> float:
        """|computed - exact| at the worst entry."""
        return abs(self.at_worst(self.comparison.actual) - self.at_worst(self.comparison.exact))

    @property
    def bound(self) -> float:
        """The bound there."""
        return self.at_worst(self.comparison.bound)


def parse_shapes(text: str) -> Shapes:
    """ "x:T,16 w:16,4" -> the shape of each argument; a name in a shape is a size to be given. Raises BadInput."""
    shapes: Shapes = {}
    for part in re.split(r"[;\s]+", text.strip()):
        name, colon, sizes = part.partition(":")
        entries = [s for s in sizes.split(",") if s]
        if not colon or not name.isidentifier() or not all(s.isdigit() or s.isidentifier() for s in entries):
            raise BadInput(f"--shapes: {part!r} is no shape; write it as x:2,T,16, arguments separated by spaces")
        shapes[name] = tuple(int(s) if s.isdigit() else s for s in entries)
    return shapes


def parse_range(text: str) -> tuple[str, list[int]]:
    """ "T=8..256" -> the name and sizes, doubling. Raises BadInput."""
    match = re.fullmatch(r"(\w+)=(\d+)\.\.(\d+)", text)
    if match is None or not 0 < int(match[2]) <= int(match[3]):
        raise BadInput(f"--over: {text!r} is no range; write it as T=8..256")
    low, high = int(match[2]), int(match[3])
    sizes = [low]
    while sizes[-1] * 2 < high:
        sizes.append(sizes[-1] * 2)
    return match[1], sizes if sizes[-1] == high else [*sizes, high]


def load_inputs(file: Path) -> tuple[Tensor, ...]:
    """The tensors of a file written by torch.save (a tensor, a list, a dictionary) or numpy.savez. Raises BadInput."""
    if not file.is_file():
        raise BadInput(f"there is no file {file}; give tensors saved by torch.save or numpy.savez.")
    try:
        if file.suffix == ".npz":
            import numpy as np

            return tuple(torch.from_numpy(x) for x in np.load(file).values())
        return tuple(x for x in tree_flatten(torch.load(file, weights_only=True))[0] if isinstance(x, Tensor))
    except Exception as error:
        raise BadInput(f"{file} holds no tensors: {error}") from error


def sized(shapes: Shapes, sizes: dict[str, int]) -> list[tuple[int, ...]]:
    """The shapes with their names replaced by sizes. Raises BadInput for a name without one."""
    missing = {s for shape in shapes.values() for s in shape if isinstance(s, str) and s not in sizes}
    if missing:
        raise BadInput(
            f"--shapes: nothing says how large {', '.join(sorted(missing))} is; add --over, such as T=8..256"
        )
    return [tuple(s if isinstance(s, int) else sizes[s] for s in shape) for shape in shapes.values()]


def program(fn: Any) -> Callable[..., Any]:
    """What the user named: a function, a module, or a module's class without arguments. Raises BadInput."""
    if inspect.isclass(fn) and issubclass(fn, torch.nn.Module):
        try:
            fn = fn()
        except TypeError as error:
            raise BadInput(f"{fn.__name__}() needs arguments: name an instance of it instead") from error
    if isinstance(fn, torch.nn.Module):
        fn.eval()
    if not callable(fn):
        raise BadInput(f"{fn!r} cannot be called: name a function or a torch module")
    return fn  # type: ignore[no-any-return]


KINDS = ("normal", "positive", "alike", "spread", "alternating")


def _filled(shape: tuple[int, ...], kind: str, scale: float, generator: torch.Generator) -> Tensor:
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    if kind == "positive":
        x = x.abs()
    elif kind == "alike":
        x = 1 + x * 2.0**-10
    elif kind == "spread":
        x = x * torch.exp2(torch.randint(-12, 3, shape, generator=generator).double())
    elif kind == "alternating":
        x = x.abs() * (1 - 2 * (torch.arange(x.numel()).reshape(shape) % 2))
    return x * scale


def worst_input(
    fn: Callable[..., Any],
    shapes: list[tuple[int, ...]],
    dtype: torch.dtype,
    *,
    examples: int = 50,
    seed: int = 0,
    against: str = "exact",
) -> Found:
    """The input of these shapes, among `examples` that hypothesis draws towards it, with the largest error / bound.

    against: "exact", the float64 shadow within its own proven radius, or "float64", fn run on float64 inputs.
    Raises BadInput where no input could be judged.
    """
    best: Found | None = None
    tried = undecided = 0

    @seeded(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.target],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.integers(0, 2**32 - 1),
        st.lists(st.sampled_from(KINDS), min_size=len(shapes), max_size=len(shapes)),
        st.sampled_from([1.0, 0.1, 4.0]),
    )
    def climb(draw: int, kinds: list[str], scale: float) -> None:
        nonlocal best, tried, undecided
        generator = torch.Generator().manual_seed(draw)
        inputs = tuple(_filled(s, k, scale, generator).to(dtype) for s, k in zip(shapes, kinds, strict=True))
        try:
            found = judged(fn, inputs, against)
        except Undecided:
            undecided += 1
            return
        tried += 1
        ratio = min(found.ratio, 1e300)
        target(ratio, label="error / bound")
        if best is None or ratio > best.ratio:
            best = found

    climb()
    if best is None:
        raise BadInput(f"no input could be judged: at each of {undecided} a comparison may come out either way")
    return Found(best.inputs, best.output, best.comparison, best.bounds, tried, undecided)


def judged(fn: Callable[..., Any], inputs: tuple[Any, ...], against: str = "exact") -> Found:
    """One input: fn run as it stands, and the output that is worst."""
    with torch.no_grad():
        try:
            actual = fn(*inputs)
        except Exception as error:
            shapes = ", ".join(str(tuple(x.shape)) for x in inputs if isinstance(x, Tensor))
            raise BadInput(f"it raises {type(error).__name__} at inputs of shape {shapes}: {error}") from error
        compared, bounds = compare(actual, fn, *inputs)
        if against == "float64":
            wide = [x for x in tree_flatten(_in_float64(fn, inputs))[0] if isinstance(x, Tensor)]
            compared = [_against(c, x.double()) for c, x in zip(compared, wide, strict=True)]
    output = max(range(len(compared)), key=lambda i: compared[i].worst)
    return Found(inputs, output, compared[output], bounds, 1, 0)


def _in_float64(fn: Callable[..., Any], inputs: tuple[Any, ...]) -> Any:
    """fn of float64 inputs, a module with its parameters in float64 too."""
    wide = copy.deepcopy(fn).double() if isinstance(fn, torch.nn.Module) else fn
    try:
        return wide(*tree_map(_widened, inputs))
    except RuntimeError as error:
        raise BadInput(f"--against float64: it does not run in float64 ({error}); use --against exact") from error


def _widened(x: Any) -> Any:
    return x.double() if isinstance(x, Tensor) and x.is_floating_point() else x


def _against(c: Comparison, exact: Tensor) -> Comparison:
    error = (c.actual - exact).abs()
    ratio = torch.where(error == 0, 0.0, error / c.bound).nan_to_num(nan=0.0)
    return Comparison(c.actual, exact, torch.zeros_like(exact), c.bound, ratio)
