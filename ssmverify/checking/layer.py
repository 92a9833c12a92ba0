"""One layer: its error in units of its bound, both exact, over many inputs, dtypes and devices.

A bound that is far too wide holds as well, and lets through what it was to catch: so errors must come near it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from flint import fmpq
from torch import Tensor

from ssmverify.checking.search import RAISED, Effort, shown
from ssmverify.rows import Layer
from ssmverify.strategies import exact
from ssmverify.verdict import LayerResult, Verdict

Run = Callable[..., tuple[Tensor, ...]]
NEARER = range(6, 30)  # searches for an error that comes near the bound, before it is said not to be tight


Reference = tuple[tuple[Any, ...], tuple[Tensor, ...]]


def reference(layer: Layer, inputs: Mapping[str, Any]) -> Reference:
    """What is right at the inputs, and how far from it rounding may lead."""
    assert layer.bound is not None  # derived where none was given
    return layer.exact(**inputs), layer.bound(**inputs)


def ratio(layer: Layer, run: Run, inputs: Mapping[str, Any], known: Reference | None = None) -> float | None:
    """The worst error of one run in units of the bound; None if an output is not finite.

    The error is exact: output and reference are rationals. An error where the bound is 0 counts as infinite.
    """
    found = ratios(layer, run, inputs, known)
    return None if found is None else max((error for error in found if error is not None), default=0.0)


def ratios(
    layer: Layer, run: Run, inputs: Mapping[str, Any], known: Reference | None = None
) -> list[float | None] | None:
    """The worst error of each output, as `ratio` has it; None for an output that is exact, with the bound 0."""
    outputs = run(**inputs)
    if not all(bool(torch.isfinite(out).all()) for out in outputs):
        return None
    found: list[float | None] = []
    for out, true, bound in zip(outputs, *(known or reference(layer, inputs)), strict=True):
        worst, limits = 0.0, bound.expand(out.shape).reshape(-1).tolist()
        for computed, value, limit in zip(exact(out).ravel(), np.asarray(true).ravel(), limits, strict=True):
            error = abs(computed - value)
            if error:
                worst = max(worst, float("inf") if limit == 0 else _quotient(error, limit))
        found.append(worst if worst or any(limits) else None)
    return found


def _quotient(error: fmpq, limit: float) -> float:
    if limit == float("inf"):
        return 0.0
    quotient = error / fmpq(*limit.as_integer_ratio())
    return int(quotient.p) / int(quotient.q) if quotient < 10**300 else float("inf")


def check_layer(layer: Layer, verdict: Verdict, effort: Effort) -> None:
    for name in layer.dtypes:
        effort.tell(f"{layer.name} in {name}")
        result = _worst(layer, layer.run, getattr(torch, name), effort)
        verdict.layers.append(replace(result, device="cpu"))
        problem = result.problem or slack(layer, name, effort)
        if problem:
            verdict.problems.append(f"{layer.name} in {name}: {problem}")
        verdict.layers.append(_on_gpu(layer, name, effort))
        if verdict.layers[-1].problem.startswith("error"):
            verdict.problems.append(f"{layer.name} in {name} on cuda: {verdict.layers[-1].problem}")


def _on_gpu(layer: Layer, name: str, effort: Effort) -> LayerResult:
    if not torch.cuda.is_available():
        return LayerResult(layer.name, name, "cuda", 0, 0.0, "", "not run: no GPU here")

    def run(**inputs: Any) -> tuple[Tensor, ...]:
        moved = {key: x.cuda() if isinstance(x, Tensor) else x for key, x in inputs.items()}
        return tuple(out.cpu() for out in layer.run(**moved))

    return replace(_worst(layer, run, getattr(torch, name), effort), device="cuda")


def _worst(layer: Layer, run: Run, dtype: torch.dtype, effort: Effort) -> LayerResult:
    """The largest error / bound over many inputs; above 1 is a violation, shrunk to its simplest form."""
    worst, worst_input, tried, name = 0.0, "", 0, str(dtype).removeprefix("torch.")

    def violates(inputs: Mapping[str, Any]) -> bool:
        nonlocal worst, worst_input, tried
        _require_dtype(inputs, dtype)
        tried += 1
        known = reference(layer, inputs)
        effort.inputs.setdefault((layer.name, name), []).append((inputs, known))
        found = ratio(layer, run, inputs, known)
        if found is None:
            return True
        if found > worst:
            worst, worst_input = found, show_inputs(inputs)
        return found > 1

    try:
        inputs = effort.search(layer.inputs(dtype), violates)
    except RAISED as error:
        problem = f"error: {shown(error)}"
        return LayerResult(layer.name, name, "", tried, worst, worst_input, problem)
    problem = "" if tried else "error: no input can be drawn"
    if inputs is not None:
        found = ratio(layer, run, inputs)
        how = "the output is not finite" if found is None else f"error / bound = {found:.3g}"
        problem = f"error: {how} at {show_inputs(inputs)}"
        worst, worst_input = (worst if found is None else found), show_inputs(inputs)
    return LayerResult(layer.name, name, "", tried, worst, worst_input, problem)


def _require_dtype(inputs: Mapping[str, Any], dtype: torch.dtype) -> None:
    """Raises TypeError for inputs of other dtypes than the one that was asked for: of that they say nothing."""
    floats = {x.dtype for x in inputs.values() if isinstance(x, Tensor) and x.is_floating_point()}
    if floats and dtype not in floats:
        raise TypeError(f"inputs({dtype}) gives {', '.join(sorted(map(str, floats)))}; give tensors of that dtype")


# ------------------------------------------------------------------------------------------------ tight as well
def slack(layer: Layer, dtype: str, effort: Effort) -> str:
    """What is wrong with the bound; empty where the error of each output was seen to reach `layer.reaches` of it.

    Seen first among the inputs tried before, then in searches of their own: luck is not to decide. An output whose
    bound is 0 at all of the former is exact, and has none to reach.
    """
    reached: dict[int, float] = {}
    outputs = 0

    def near(inputs: Mapping[str, Any], known: Reference | None = None) -> bool:
        """Whether each output that has a bound above 0 has come near it, by now."""
        nonlocal outputs
        found = ratios(layer, layer.run, inputs, known) or ()
        outputs = len(found)
        for i, error in enumerate(found):
            if error is not None:
                reached[i] = max(reached.get(i, 0.0), error)
        return bool(reached) and all(error >= layer.reaches for error in reached.values())

    tried = effort.inputs.get((layer.name, dtype), [])
    effort.among(tried, lambda drawn: near(*drawn) and len(reached) == outputs)
    if tried and all(error >= layer.reaches for error in reached.values()):
        return ""
    if effort.any_input(layer.inputs(getattr(torch, dtype)), near, NEARER) is not None:
        return ""
    short = ", ".join(f"{error:.2g} of output {i + 1}" for i, error in reached.items() if error < layer.reaches)
    return (
        f"its bound is not tight: no error was found that reaches {layer.reaches:g} of it, but {short}; "
        "tighten it, or say in reaches= what is reached, and in loose= why"
    )


def show_inputs(inputs: Mapping[str, Any]) -> str:
    """Inputs on one line; long tensors by shape."""

    def show(x: Any) -> str:
        if not isinstance(x, Tensor):
            return repr(x)
        return str(x.tolist()) if x.numel() <= 24 else f"<{str(x.dtype).removeprefix('torch.')} {tuple(x.shape)}>"

    return ", ".join(f"{name} = {show(x)}" for name, x in inputs.items())


def in_precision(layer: Layer, lower: torch.dtype) -> Run:
    """The layer's run with its inputs rounded to a lower precision and the outputs taken back."""

    def run(**inputs: Any) -> tuple[Tensor, ...]:
        dtype = next(x.dtype for x in inputs.values() if isinstance(x, Tensor))
        working = torch.float32 if lower is torch.bfloat16 else lower
        rounded = {k: x.to(lower).to(working) if isinstance(x, Tensor) else x for k, x in inputs.items()}
        return tuple(out.to(lower).to(dtype) for out in layer.run(**rounded))

    return run
