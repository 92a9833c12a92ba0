"""Runs one theorem: its proof, its exact instances, its layers against their bounds, and its mutants.

Nothing is compared with a hand-picked tolerance: instances are decided exactly, a layer's error is measured exactly
in units of its bound, and a mutant counts as refuted only by a finite, exactly wrong value.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from proofs.kernel import Claim, NotProved, evaluate, identity
from proofs.printing import show_point, text
from proofs.terms import And, Le, Lt, Nonzero
from ssmverify.checking.claim import check_claim, refuted_at, scope
from ssmverify.checking.finite import check_finite, try_broken
from ssmverify.checking.layer import Reference, Run, check_layer, in_precision, ratio, show_inputs
from ssmverify.checking.mutants import claim_mutants, construction, source_mutants, swapped
from ssmverify.checking.search import FIRST, FURTHER, RAISED, Effort, OutOfTime, shorten
from ssmverify.evidence import sources_hash
from ssmverify.rows import Cited, Finite, Layer, Open, Row, Theorem
from ssmverify.verdict import CITED, CONDITIONAL, FELL, NOT_RUN, OPEN, REFUTED, MutantResult, Verdict

LOWER = {"float64": torch.float32, "float32": torch.bfloat16}


def check(
    theorem: Row,
    *,
    examples: int = 100,
    seed: int | None = None,
    budget: float | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Check one row of the catalogue; of a cited or open one, only its status is to be had.

    examples: inputs tried for each layer and dtype. seed: to reproduce a run; drawn anew if None, and stated in the
    verdict. budget: seconds after which the verdict is `undecided`. tell: called with what is being done.
    """
    started = time.monotonic()
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    effort = Effort(examples, seed, started + budget if budget else float("inf"), tell)
    sizes, indices = scope(theorem.claim) if isinstance(theorem, Theorem) else ("-", "-")
    verdict = Verdict(theorem.name, FELL, sizes, indices, "", seed=seed, sources=sources_hash(theorem))
    try:
        match theorem:
            case Cited():
                on = ", ".join(theorem.conjectures)
                verdict.status = f"{CONDITIONAL} on {on}" if on else CITED
            case Open():
                verdict.status = OPEN
            case Finite() if reason := theorem.missing():
                verdict.status = f"{NOT_RUN}: {reason}"
            case Finite() | Theorem():
                _check(theorem, verdict, effort)
    except OutOfTime:
        verdict.undecided = True
    verdict.seconds = time.monotonic() - started
    return verdict


def _check(theorem: Finite | Theorem, verdict: Verdict, effort: Effort) -> None:
    if isinstance(theorem, Finite):
        check_finite(theorem, verdict, effort)
    else:
        check_claim(theorem, verdict, effort)
    for layer in theorem.layers if not verdict.problems else ():  # a layer cannot agree with a false claim
        check_layer(layer, verdict, effort)
    if not verdict.problems:  # mutants of what fails itself say nothing
        _check_mutants(theorem, verdict, effort)


# ------------------------------------------------------------------------------------------------- the mutants
def _check_mutants(theorem: Finite | Theorem, verdict: Verdict, effort: Effort) -> None:
    if isinstance(theorem, Finite):
        verdict.mutants.extend(_broken_ones(theorem, effort))
    else:
        verdict.mutants.extend(_authors(theorem, effort))
    for own in verdict.mutants:
        if own.outcome == "ill-typed":
            how = own.shown_by or "it raises an error on every input"
            verdict.problems.append(f"the mutant '{own.description}' is not a program: {how}")
    if isinstance(theorem, Theorem) and verdict.status != REFUTED:
        for description, claim in claim_mutants(theorem.claim):
            effort.tell(f"mutant: {shorten(description)}")
            verdict.mutants.append(_try_claim(description, claim, theorem, effort))
    for layer in theorem.layers:
        verdict.mutants.extend(_layer_mutants(layer, effort))
    for mutant_result in verdict.mutants:
        if mutant_result.outcome == "survived":
            verdict.problems.append(f"a mutant survived: {mutant_result.description}")


def _broken_ones(row: Finite, effort: Effort) -> Iterator[MutantResult]:
    for mutant in row.mutants:
        effort.tell(f"mutant: {mutant.description}")
        yield try_broken(mutant, row, effort)


def _authors(theorem: Theorem, effort: Effort) -> Iterator[MutantResult]:
    for mutant in theorem.mutants:
        effort.tell(f"mutant: {mutant.description}")
        if mutant.claim is not None:
            yield _try_claim(mutant.description, mutant.claim, theorem, effort)
        else:
            layer = theorem.layers[mutant.layer]
            yield _try_layer(mutant.description, layer, mutant.run or layer.run, effort)


def _try_claim(description: str, claim: Claim, theorem: Theorem, effort: Effort) -> MutantResult:
    def refuted(point: Mapping[str, Any]) -> bool:
        return refuted_at(claim, point)

    point = effort.among(effort.points, refuted)
    if point is None:
        point = effort.any_input(theorem.instances(), refuted, FIRST)
    if point is None:
        if proof := _equivalence(theorem.claim, claim):
            return MutantResult(description, "equivalent", proof)
        if _weaker(theorem, claim, effort):
            return MutantResult(description, "weaker", "a larger bound at every point tried, so not false")
        point = effort.any_input(theorem.instances(), refuted, FURTHER)
    if point is None:
        return MutantResult(description, "survived", "")
    return MutantResult(description, "refuted", f"claim, at {show_point(point)}")


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

    return effort.any_input(theorem.instances(), stronger) is None


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
            effort.tell(f"mutant: {shorten(description)}")
            with swapped(formula, code):
                yield _try_layer(description, layer, layer.run, effort)
    for name in layer.dtypes:
        lower = LOWER[name]
        effort.tell(f"mutant: {layer.name} in {lower}")
        lowered = f"{layer.name}: {name} computed in {str(lower).removeprefix('torch.')}"
        yield _try_layer(lowered, layer, in_precision(layer, lower), effort, name)


def _try_layer(
    description: str,
    layer: Layer,
    run: Run,
    effort: Effort,
    dtype: str | None = None,
) -> MutantResult:
    ran = False

    def wrong(inputs: Mapping[str, Any], known: Reference | None = None) -> bool:
        nonlocal ran
        try:
            found = ratio(layer, run, inputs, known)
        except RAISED:
            return False
        ran = True
        return found is not None and found > 1

    name = dtype or layer.dtypes[0]
    tried = effort.inputs.get((layer.name, name), [])
    found = effort.among(tried, lambda drawn: wrong(*drawn))
    if found is None and (ran or not tried):  # else it raised on all of them
        anew = effort.any_input(layer.inputs(getattr(torch, name)), wrong)
        found = None if anew is None else (anew, None)
    if found is not None:
        inputs, known = found
        error = ratio(layer, run, inputs, known)
        return MutantResult(
            description, "refuted", f"{layer.name}, error / bound = {error:.3g} at {show_inputs(inputs)}"
        )
    return MutantResult(description, "survived" if ran else "ill-typed", "")
