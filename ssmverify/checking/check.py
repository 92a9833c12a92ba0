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

from proofs.kernel import Claim
from proofs.printing import show_point
from ssmverify.checking.claim import check_claim, refuted_at, scope
from ssmverify.checking.comparison import equivalence, foreign, weaker
from ssmverify.checking.finite import check_finite, try_broken
from ssmverify.checking.layer import Reference, Run, check_layer, in_precision, ratio, show_inputs
from ssmverify.checking.mutants import claim_mutants, source_mutants, swapped
from ssmverify.checking.points import derived
from ssmverify.checking.search import FIRST, FURTHER, RAISED, Effort, OutOfTime, shown
from ssmverify.errors import BadInput, one_line
from ssmverify.evidence import sources_hash
from ssmverify.rows import Cited, Finite, Layer, Open, Row, Theorem
from ssmverify.verdict import CAUTION, CITED, CONDITIONAL, DERIVED, FELL, NOT_RUN, OPEN, REFUTED, MutantResult, Verdict

LOWER = {"float64": torch.float32, "float32": torch.bfloat16}


def check(
    theorem: Row,
    *,
    examples: int = 100,
    seed: int | None = None,
    budget: float | None = None,
    tell: Callable[[str], None] = lambda _: None,
    careful: bool = False,
) -> Verdict:
    """Check one row of the catalogue; of a cited or open one, only its status is to be had.

    The verdict is true exactly if it is `green`: `assert check(theorem)`. Whatever the row raises, SystemExit included,
    is its problem, and stands in the verdict. It runs in this process, so a budget is kept between steps alone;
    `ssmverify check` runs rows in processes that can be ended within a step.

    examples: inputs tried for each layer and dtype. seed: to reproduce a run; drawn anew if None, and stated in the
    verdict. budget: seconds, after which the verdict is `undecided`. tell: called with what is being done. careful:
    tell each case and input as well.

    Raises BadInput for a budget that is no positive number of seconds.
    """
    started = time.monotonic()
    if budget is not None and not 0 < budget < float("inf"):
        raise BadInput(f"a budget of {budget} is none: give seconds, more than 0.")
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    effort = Effort(examples, seed, started + budget if budget else float("inf"), tell, careful)
    verdict = Verdict(theorem.name, FELL, "-", "-", "", by_hand=list(theorem.by_hand), seed=seed)
    try:
        verdict.sources = sources_hash(theorem)
        _status(theorem, verdict, effort)
    except OutOfTime:
        verdict.undecided = True
    except KeyboardInterrupt:
        raise
    except BaseException as reason:
        verdict.problems.append(f"the check was stopped by {shown(reason)}")
    verdict.settle()
    verdict.flush_to_zero = bool((torch.tensor(torch.finfo(torch.float32).tiny) / 2) == 0)
    verdict.seconds = time.monotonic() - started
    return verdict


def _status(row: Row, verdict: Verdict, effort: Effort) -> None:
    match row:
        case Cited():
            verdict.because = ", ".join(row.conjectures)
            verdict.status = CONDITIONAL if row.conjectures else DERIVED if row.by_hand else CITED
        case Open():
            verdict.status = OPEN
        case Finite() if reason := row.missing():
            verdict.status, verdict.because = NOT_RUN, reason
        case Theorem():
            verdict.sizes, verdict.indices = scope(row.claim)
            check_claim(row, verdict, effort)
            _check_layers(row, verdict, effort)
        case Finite():
            check_finite(row, verdict, effort)
            _check_layers(row, verdict, effort)


def _check_layers(row: Finite | Theorem, verdict: Verdict, effort: Effort) -> None:
    for layer in row.layers if not verdict.problems else ():  # a layer cannot agree with a false claim
        check_layer(layer, verdict, effort)
    if not verdict.problems:  # mutants of what fails itself say nothing
        _check_mutants(row, verdict, effort)


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
        if own.outcome == "foreign":
            verdict.problems.append(f"the mutant '{own.description}' is none of this claim: {own.shown_by}")
    if isinstance(theorem, Theorem) and verdict.status not in (REFUTED, CAUTION):
        for description, claim in claim_mutants(theorem.claim):
            effort.tell(f"mutant: {one_line(description)}")
            verdict.mutants.append(_try_claim(description, claim, theorem, effort))
    for layer in theorem.layers:
        verdict.mutants.extend(_layer_mutants(layer, effort))
    for mutant_result in verdict.mutants:
        if mutant_result.outcome == "survived":
            verdict.problems.append(f"a mutant survived: {mutant_result.description}")
    refuted = {mutant.of for mutant in verdict.mutants if mutant.outcome == "refuted"}
    for what in ("the claim", *(layer.name for layer in theorem.layers)):  # what refutes one credits no other
        if what not in refuted:
            verdict.problems.append(
                f"no mutant of {what} was refuted by a wrong value, so nothing shows that its check can fail"
            )


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
    if reason := foreign(theorem.claim, claim):
        return MutantResult(description, "foreign", reason)

    def refuted(point: Mapping[str, Any]) -> bool:
        return refuted_at(claim, point)

    point = effort.among(effort.points, refuted)
    if point is None:
        point = effort.any_input(theorem.instances(), refuted, FIRST)
    if point is None and claim.hypotheses != theorem.claim.hypotheses:  # false only beyond the theorem's own hypotheses
        point = effort.any_input(derived(claim), refuted, FIRST)
    if point is None:
        if proof := equivalence(theorem.claim, claim):
            return MutantResult(description, "equivalent", proof)
        if weaker(theorem, claim, effort):
            return MutantResult(description, "weaker", "a larger bound at every point tried, so not false")
        point = effort.any_input(theorem.instances(), refuted, FURTHER)
    if point is None:
        return MutantResult(description, "survived", "")
    return MutantResult(description, "refuted", f"claim, at {show_point(point)}")


def _layer_mutants(layer: Layer, effort: Effort) -> Iterator[MutantResult]:
    """The harness's own: each formula broken at each place, and the layer run in the next lower precision."""
    for formula in layer.formulas:
        for description, code in source_mutants(formula):
            effort.tell(f"mutant: {one_line(description)}")
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
        shown_by = f"{layer.name}, error / bound = {error:.3g} at {show_inputs(inputs)}"
        return MutantResult(description, "refuted", shown_by, layer.name)
    return MutantResult(description, "survived" if ran else "ill-typed", "", layer.name)
