"""Runs one theorem: its proof, its exact instances, its layers against their bounds, and its mutants.

Nothing is compared with a hand-picked tolerance: instances are decided exactly, a layer's error is measured exactly
in units of its bound, and a mutant counts as refuted only by a finite, exactly wrong value.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from flint import fmpq
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample
from torch import Tensor

from proofs.derivation import show_point
from proofs.evaluation import Undecidable, evaluate, holds
from proofs.kernel import Claim, Fact, NotProved, Refuted, cases, identity, refute
from proofs.printing import text
from proofs.quadratic import competitor
from proofs.terms import And, Le, Lt, Nonzero, Symbol, UniqueMinimiser, free_indices, walk
from ssmverify.evidence import sources_hash
from ssmverify.mutation import claim_mutants, construction, source_mutants, swapped
from ssmverify.strategies import exact
from ssmverify.theorem import (
    FELL,
    HOLDS,
    HOLDS_FURTHER,
    REFUTED,
    Layer,
    LayerResult,
    MutantResult,
    Theorem,
    Verdict,
)

LOWER = {"float64": torch.float32, "float32": torch.bfloat16}


class OutOfTime(Exception):
    """The time given ran out."""


@dataclass
class Effort:
    """How hard to try: examples for each layer and dtype, seed, a deadline, and whom to tell about progress."""

    examples: int = 100
    seed: int = 0
    deadline: float = float("inf")
    tell: Callable[[str], None] = lambda _: None

    def search(
        self, strategy: Any, condition: Callable[[Any], bool], examples: int | None = None, simplify: bool = True
    ) -> Any | None:
        """An input that satisfies the condition, made as simple as can be; None if none was found."""

        def in_time(x: Any) -> bool:
            if time.monotonic() > self.deadline:
                raise OutOfTime
            return condition(x)

        how = settings(
            max_examples=examples or self.examples,
            database=None,
            deadline=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink)[: 2 if simplify else 1],
        )
        try:
            return find(strategy, in_time, settings=how, random=random.Random(self.seed))
        except NoSuchExample:
            return None


def check(
    theorem: Theorem,
    *,
    examples: int = 100,
    seed: int | None = None,
    budget: float | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Check one theorem.

    examples: inputs tried for each layer and dtype. seed: to reproduce a run; drawn anew if None, and stated in the
    verdict. budget: seconds after which the verdict is `undecided`. tell: called with what is being done.
    """
    started = time.monotonic()
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    effort = Effort(examples, seed, started + budget if budget else float("inf"), tell)
    sizes, lengths = scope(theorem.claim)
    verdict = Verdict(theorem.name, FELL, sizes, lengths, "", seed=seed, sources=sources_hash(theorem))
    try:
        _check_claim(theorem, verdict, effort)
        for layer in theorem.layers if not verdict.problems else ():  # a layer cannot agree with a false claim
            _check_layer(layer, verdict, effort)
        if not verdict.problems:  # mutants of what fails itself say nothing
            _check_mutants(theorem, verdict, effort)
    except OutOfTime:
        verdict.undecided = True
    verdict.seconds = time.monotonic() - started
    return verdict


# --------------------------------------------------------------------------------------------------- the claim
def scope(claim: Claim) -> tuple[str, str]:
    """For which sizes and for which lengths the claim speaks, read off its variables.

    An index variable that occurs in a shape, or bounds the range of a minimiser, is a size; any other is a length.
    """
    in_shapes: set[str] = set()
    for node in walk(claim.sequent):
        if isinstance(node, Symbol):
            in_shapes |= free_indices((node.rows, node.columns))
        if isinstance(node, UniqueMinimiser):
            in_shapes |= free_indices(node.ranges)
    free = {name for name in free_indices(claim.sequent) if "~" not in name}
    sizes, lengths = sorted(free & in_shapes), sorted(free - in_shapes)
    return tuple(f"every {', '.join(names)}" if names else "-" for names in (sizes, lengths))  # type: ignore[return-value]


def _check_claim(theorem: Theorem, verdict: Verdict, effort: Effort) -> None:
    effort.tell("proof")
    try:
        fact = theorem.derivation.run()
    except NotProved as reason:
        verdict.problems.append(f"the proof fails: {_short(str(reason))}")
        _look_for_counterexample(theorem, verdict, effort)
        return
    rules = [step.rule for step in fact.steps()]
    order = ("induction", "squares", "words", "identity", "enclosure", "evaluate")
    verdict.decided_by = ", ".join(rule for rule in order if rule in rules)
    if isinstance(fact.conclusion, Refuted):
        verdict.status, verdict.sizes, verdict.lengths = REFUTED, "-", "-"
        verdict.counterexample = show_point(fact.points[0])
        return
    named = {h: name for name, h in theorem.claim.hypotheses.items()}
    further = theorem.claim.further & {named[h] for h in fact.hypotheses}
    verdict.status = HOLDS_FURTHER if further else HOLDS
    effort.tell("instances")
    _look_for_counterexample(theorem, verdict, effort)


def _look_for_counterexample(theorem: Theorem, verdict: Verdict, effort: Effort) -> None:
    """Evaluate the claim exactly at drawn points; a proved claim that fails at one means that the kernel is wrong."""
    tried = 0

    def fails(point: Mapping[str, Any]) -> bool:
        nonlocal tried
        tried += 1
        if verdict.problems:  # the proof has failed: look on where the broken claim cannot be evaluated
            return refuted_at(theorem.claim, point)
        return refutation(theorem.claim, point) is not None

    try:
        point = effort.search(theorem.instances(), fails, max(effort.examples // 4, 10))
    except Unusable as reason:
        verdict.problems.append(f"an instance decides nothing: {reason}")
        return
    verdict.instances = tried
    if point is not None:
        verdict.counterexample = show_point(point)
        verdict.problems.append(f"the claim is false at {verdict.counterexample}")


class Unusable(Exception):
    """The claim is neither true nor false at a point: it does not satisfy the hypotheses, or cannot be evaluated."""


def refutation(claim: Claim, point: Mapping[str, Any]) -> Fact | None:
    """A Fact that the claim is false at the point; None if it is true there. Raises Unusable if it is neither."""
    goal = claim.conclusion
    try:
        if not isinstance(goal, UniqueMinimiser):
            cases(claim.sequent, [point])
            return None
        better = competitor(goal, point)
        return None if better is None else refute(claim.sequent, {**point, goal.symbol.name: better})
    except (Undecidable, ZeroDivisionError, KeyError) as reason:
        raise Unusable(f"{reason} at {show_point(point)}") from reason
    except NotProved:
        try:
            return refute(claim.sequent, point)
        except NotProved as reason:
            raise Unusable(f"{reason} at {show_point(point)}") from reason


def refuted_at(claim: Claim, point: Mapping[str, Any]) -> bool:
    """Whether the kernel can refute the claim at the point; the cheap look at the conclusion alone comes first."""
    try:
        if not isinstance(claim.conclusion, UniqueMinimiser) and holds(claim.conclusion, point):
            return False
        return refutation(claim, point) is not None
    except (Unusable, Undecidable, ZeroDivisionError):
        return False


# -------------------------------------------------------------------------------------------------- the layers
def ratio(layer: Layer, run: Callable[..., tuple[Tensor, ...]], inputs: Mapping[str, Any]) -> float | None:
    """The worst error of one run in units of the bound; None if an output is not finite.

    The error is exact: output and reference are rationals. An error where the bound is 0 counts as infinite.
    """
    outputs = run(**inputs)
    if not all(bool(torch.isfinite(out).all()) for out in outputs):
        return None
    worst = 0.0
    for out, true, bound in zip(outputs, layer.exact(**inputs), layer.bound(**inputs), strict=True):
        limits = bound.expand(out.shape).reshape(-1).tolist()
        for computed, value, limit in zip(exact(out).ravel(), np.asarray(true).ravel(), limits, strict=True):
            error = abs(computed - value)
            if error:
                worst = max(worst, float("inf") if limit == 0 else _quotient(error, limit))
    return worst


def _quotient(error: fmpq, limit: float) -> float:
    if limit == float("inf"):
        return 0.0
    quotient = error / fmpq(*limit.as_integer_ratio())
    return int(quotient.p) / int(quotient.q) if quotient < 10**300 else float("inf")


def _check_layer(layer: Layer, verdict: Verdict, effort: Effort) -> None:
    for name in layer.dtypes:
        effort.tell(f"{layer.name} in {name}")
        result = _worst(layer, layer.run, getattr(torch, name), effort)
        verdict.layers.append(replace(result, device="cpu"))
        if result.problem:
            verdict.problems.append(f"{layer.name} in {name}: {result.problem}")
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


def _worst(layer: Layer, run: Callable[..., tuple[Tensor, ...]], dtype: torch.dtype, effort: Effort) -> LayerResult:
    """The largest error / bound over many inputs; above 1 is a violation, shrunk to its simplest form."""
    worst, worst_input, tried, name = 0.0, "", 0, str(dtype).removeprefix("torch.")

    def violates(inputs: Mapping[str, Any]) -> bool:
        nonlocal worst, worst_input, tried
        tried += 1
        found = ratio(layer, run, inputs)
        if found is None:
            return True
        if found > worst:
            worst, worst_input = found, show_inputs(inputs)
        return found > 1

    try:
        inputs = effort.search(layer.inputs(dtype), violates)
    except (TypeError, ValueError, RuntimeError, IndexError, ZeroDivisionError) as error:
        problem = f"error: {type(error).__name__}: {_short(str(error))}"
        return LayerResult(layer.name, name, "", tried, worst, worst_input, problem)
    problem = ""
    if inputs is not None:
        found = ratio(layer, run, inputs)
        how = "the output is not finite" if found is None else f"error / bound = {found:.3g}"
        problem = f"error: {how} at {show_inputs(inputs)}"
        worst, worst_input = (worst if found is None else found), show_inputs(inputs)
    return LayerResult(layer.name, name, "", tried, worst, worst_input, problem)


def show_inputs(inputs: Mapping[str, Any]) -> str:
    """Inputs on one line; long tensors by shape."""

    def show(x: Any) -> str:
        if not isinstance(x, Tensor):
            return repr(x)
        return str(x.tolist()) if x.numel() <= 24 else f"<{str(x.dtype).removeprefix('torch.')} {tuple(x.shape)}>"

    return ", ".join(f"{name} = {show(x)}" for name, x in inputs.items())


# ------------------------------------------------------------------------------------------------- the mutants
def _check_mutants(theorem: Theorem, verdict: Verdict, effort: Effort) -> None:
    for mutant in theorem.mutants:
        effort.tell(f"mutant: {mutant.description}")
        if mutant.claim is not None:
            verdict.mutants.append(_try_claim(mutant.description, mutant.claim, theorem, effort))
        else:
            layer = theorem.layers[mutant.layer]
            verdict.mutants.append(_try_layer(mutant.description, layer, mutant.run or layer.run, effort))
    for own in verdict.mutants:
        if own.outcome == "ill-typed":
            verdict.problems.append(
                f"the mutant '{own.description}' is not a program: it raises an error on every input"
            )
    if verdict.status != REFUTED:
        for description, claim in claim_mutants(theorem.claim):
            effort.tell(f"mutant: {_short(description)}")
            verdict.mutants.append(_try_claim(description, claim, theorem, effort))
    for layer in theorem.layers:
        verdict.mutants.extend(_layer_mutants(layer, effort))
    for mutant_result in verdict.mutants:
        if mutant_result.outcome == "survived":
            verdict.problems.append(f"a mutant survived: {mutant_result.description}")


def _try_claim(description: str, claim: Claim, theorem: Theorem, effort: Effort) -> MutantResult:
    point = effort.search(theorem.instances(), lambda p: refuted_at(claim, p), 200, simplify=False)
    if point is not None:
        return MutantResult(description, "refuted", f"claim, at {show_point(point)}")
    if proof := _equivalence(theorem.claim, claim):
        return MutantResult(description, "equivalent", proof)
    if _weaker(theorem, claim, effort):
        return MutantResult(description, "weaker", "a larger bound at every point tried, so not false")
    return MutantResult(description, "survived", "")


def _weaker(theorem: Theorem, mutant: Claim, effort: Effort) -> bool:
    """Whether the mutant of an inequality only enlarges its bound, at every drawn point."""
    original = theorem.claim.conclusion
    bounds = construction(theorem.claim), construction(mutant)
    inequality = isinstance(original, Le | Lt) or (isinstance(original, And) and isinstance(original.parts[0], Le))
    if not inequality or any(len(terms) != 1 for terms in bounds):
        return False

    def stronger(point: Mapping[str, Any]) -> bool:
        before, after = (evaluate(terms[0], point) for terms in bounds)
        return bool(after < before)

    return effort.search(theorem.instances(), stronger, 100, simplify=False) is None


def _equivalence(original: Claim, mutant: Claim) -> str:
    """The identity that makes a mutant the same claim; empty if there is none to be had."""
    try:
        facts = [identity(x, y) for x, y in zip(construction(original), construction(mutant), strict=True)]
    except (NotProved, ValueError, TypeError):
        return ""
    if any(not isinstance(h, Nonzero) for fact in facts for h in fact.hypotheses):
        return ""
    changed = [fact for fact in facts if fact.conclusion.lhs != fact.conclusion.rhs]  # type: ignore[attr-defined]
    return "; ".join(text(fact.conclusion) for fact in changed)


def _layer_mutants(layer: Layer, effort: Effort) -> Iterator[MutantResult]:
    """The harness's own: each formula broken at each place, and the layer run in the next lower precision."""
    for formula in layer.formulas:
        for description, code in source_mutants(formula):
            effort.tell(f"mutant: {_short(description)}")
            with swapped(formula, code):
                yield _try_layer(description, layer, layer.run, effort)
    for name in layer.dtypes:
        lower = LOWER[name]
        effort.tell(f"mutant: {layer.name} in {lower}")
        lowered = f"{layer.name}: {name} computed in {str(lower).removeprefix('torch.')}"
        yield _try_layer(lowered, layer, in_precision(layer, lower), effort, name)


def in_precision(layer: Layer, lower: torch.dtype) -> Callable[..., tuple[Tensor, ...]]:
    """The layer's run with its inputs rounded to a lower precision and the outputs taken back."""

    def run(**inputs: Any) -> tuple[Tensor, ...]:
        dtype = next(x.dtype for x in inputs.values() if isinstance(x, Tensor))
        working = torch.float32 if lower is torch.bfloat16 else lower
        rounded = {k: x.to(lower).to(working) if isinstance(x, Tensor) else x for k, x in inputs.items()}
        return tuple(out.to(lower).to(dtype) for out in layer.run(**rounded))

    return run


def _try_layer(
    description: str,
    layer: Layer,
    run: Callable[..., tuple[Tensor, ...]],
    effort: Effort,
    dtype: str | None = None,
) -> MutantResult:
    ran = False

    def wrong(inputs: Mapping[str, Any]) -> bool:
        nonlocal ran
        try:
            found = ratio(layer, run, inputs)
        except (TypeError, ValueError, RuntimeError, IndexError):
            return False
        ran = True
        return found is not None and found > 1

    inputs = effort.search(layer.inputs(getattr(torch, dtype or layer.dtypes[0])), wrong, 200, simplify=False)
    if inputs is not None:
        found = ratio(layer, run, inputs)
        return MutantResult(
            description, "refuted", f"{layer.name}, error / bound = {found:.3g} at {show_inputs(inputs)}"
        )
    return MutantResult(description, "survived" if ran else "ill-typed", "")


def _short(message: str, limit: int = 300) -> str:
    return message if len(message) <= limit else message[:limit] + " ..."
