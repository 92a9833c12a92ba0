"""One theorem's claim: its proof, the scope it speaks for, and its exact instances."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from proofs.derivation import Proved
from proofs.failure import explain
from proofs.kernel import Cases, Claim, Fact, NotProved, Refuted, Undecidable, cases, holds, refute
from proofs.printing import show_point, text
from proofs.tactics.quadratics import competitor
from proofs.terms import (
    Atom,
    Eq,
    ForAll,
    Formula,
    IndexLe,
    Nat,
    Symbol,
    UniqueMinimiser,
    free_indices,
    fresh,
    index,
    symbols,
    walk,
)
from ssmverify.checking.search import RAISED, Effort, shown
from ssmverify.errors import one_line
from ssmverify.rows import Theorem
from ssmverify.verdict import CAUTION, HOLDS, HOLDS_FURTHER, REFUTED, Verdict


def scope(claim: Claim, found: Proved | None = None) -> tuple[str, str]:
    """For which sizes and for which other indices the claim speaks: read off its variables, or its cases' points.

    An index variable that occurs in a shape, or bounds the range of a minimiser, is a size; any other is a length, a
    degree or a position.
    """
    points = found.points if isinstance(found, Cases) else ()
    in_shapes: set[str] = set()
    for node in walk(claim.sequent):
        if isinstance(node, Symbol):
            in_shapes |= free_indices((node.rows, node.columns))
        if isinstance(node, UniqueMinimiser):
            in_shapes |= free_indices(node.ranges)
    free = free_indices(claim.sequent)
    sizes, indices = sorted(free & in_shapes), sorted(free - in_shapes)
    if not points:
        return _every(sizes, claim), _every(indices, claim)
    if _fill_a_box(sizes + indices, points):
        return _ranges(sizes, points), _ranges(indices, points)
    listed = _listed(sizes + indices, points)
    return (listed, "with the sizes" if indices else "-") if sizes else ("-", listed)


def _every(names: list[str], claim: Claim) -> str:
    """`every n` where no hypothesis bounds n; else with the conditions on indices alone, or `as assumed`."""
    bounding = [h for h in claim.hypotheses.values() if not _defines(h, claim)]
    met = {name: [h for h in bounding if name in _numbers(h)] for name in names}
    unbounded = [name for name in names if not met[name]]
    plain = [name for name in names if met[name] and not any(symbols(h) for h in met[name])]
    conditions = dict.fromkeys(text(h) for name in plain for h in met[name])
    assumed = [name for name in names if name not in (*unbounded, *plain)]
    parts = [f"every {', '.join(unbounded)}"] if unbounded else []
    parts += [f"{', '.join(plain)} with {', '.join(conditions)}"] if plain else []
    parts += [f"{', '.join(assumed)} as assumed"] if assumed else []
    return "; ".join(parts) or "-"


def _numbers(formula: Formula) -> set[str]:
    """The index variables that a formula speaks of as numbers, not as sizes or places alone.

    One without symbols speaks of nothing else.
    """
    if not symbols(formula):
        return free_indices(formula)
    return {name for node in walk(formula) if isinstance(node, Nat | IndexLe) for name in free_indices(node)}


def _defines(formula: Formula, claim: Claim) -> bool:
    """Whether a hypothesis only gives a symbol its value, which no other hypothesis speaks of: so it bounds nothing."""
    body = formula.at(fresh(claim.sequent)) if isinstance(formula, ForAll) else formula
    if not (isinstance(body, Eq) and isinstance(body.lhs, Atom)):
        return False
    own = body.lhs.symbol
    others = [h for h in claim.hypotheses.values() if h != formula and not _starts(h, own)]
    return body.lhs not in walk(body.rhs) and own not in symbols(tuple(others))


def _starts(formula: Formula, family: Symbol) -> bool:
    """Whether it only says what the family, given by a recurrence, is at 0."""
    return isinstance(formula, Eq) and formula.lhs == Atom(family, (index(0),) * family.arity) and family.arity > 0


def _fill_a_box(names: list[str], points: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the points are all combinations of the values that each variable takes."""
    taken = {tuple(int(point[name]) for name in names) for point in points}
    return len(taken) == math.prod(len({point[i] for point in taken}) for i in range(len(names)))


def _ranges(names: list[str], points: Sequence[Mapping[str, Any]]) -> str:
    """The values that the variables take."""
    return ", ".join(f"{name} {_values({int(point[name]) for point in points})}" for name in names) or "-"


def _values(values: set[int]) -> str:
    low, high = min(values), max(values)
    if values != set(range(low, high + 1)):
        return f"in {', '.join(map(str, sorted(values)))}"
    return f"<= {high}" if low == 0 else f"= {low}..{high}" if low < high else f"= {low}"


def _listed(names: list[str], points: Sequence[Mapping[str, Any]], most: int = 4) -> str:
    """Points that fill no box: listed, or counted."""
    taken = sorted({tuple(int(point[name]) for name in names) for point in points})
    spelt = ", ".join(names)
    if len(taken) > most:
        return f"{len(taken)} points ({spelt})"
    return f"({spelt}) in {', '.join(str(point) for point in taken)}"


def check_claim(theorem: Theorem, verdict: Verdict, effort: Effort) -> None:
    effort.tell("proof")
    try:
        found = theorem.derivation.found
    except (NotProved, *RAISED) as reason:
        verdict.problems.append(f"the proof fails: {one_line(explain(reason))}")
        _look_for_counterexample(theorem, verdict, effort)
        return
    rules = [step.rule for step in found.steps()] if isinstance(found, Fact) else ["evaluate"]
    order = ("induction", "squares", "words", "identity", "enclosure", "evaluate")
    trivial = theorem.claim.conclusion in theorem.claim.hypotheses.values()
    verdict.decided_by = "trivial" if trivial else ", ".join(rule for rule in order if rule in rules) or "trivial"
    if isinstance(found, Refuted):
        verdict.status = REFUTED if theorem.source.words else CAUTION
        verdict.sizes, verdict.indices = "-", "-"
        verdict.counterexample = show_point(found.point)
        return
    verdict.sizes, verdict.indices = scope(theorem.claim, found)
    stated = theorem.claim.hypotheses
    used = found.hypotheses if isinstance(found, Fact) else stated.values()  # the points of cases satisfy all of them
    further = {stated[name] for name in theorem.claim.further} & set(used)  # of two names for a formula either counts
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
        effort.points.append(point)
        return refutation(theorem.claim, point) is not None

    try:
        point = effort.search(theorem.instances(), fails, max(effort.examples // 4, 10))
    except Unusable as reason:
        verdict.problems.append(f"an instance decides nothing: {reason}")
        return
    except RAISED as reason:
        verdict.problems.append(f"the instances cannot be drawn: {shown(reason)}")
        return
    if not tried:
        verdict.problems.append("the instances cannot be drawn: the strategy has none")
    verdict.instances = tried
    if point is not None:
        verdict.counterexample = show_point(point)
        verdict.problems.append(f"the claim is false at {verdict.counterexample}")


class Unusable(Exception):
    """The claim is neither true nor false at a point: it does not satisfy the hypotheses, or cannot be evaluated."""


def refutation(claim: Claim, point: Mapping[str, Any]) -> Refuted | None:
    """That the claim is false at the point; None if it is true there. Raises Unusable if it is neither."""
    goal = claim.conclusion
    try:
        if not isinstance(goal, UniqueMinimiser):
            cases(claim.sequent, [point])
            return None
        better = competitor(goal, point)
        return None if better is None else refute(claim.sequent, {**point, goal.letter: better})
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
        if isinstance(claim.conclusion, UniqueMinimiser):
            return refutation(claim, point) is not None
        return not holds(claim.conclusion, point) and bool(refute(claim.sequent, point))
    except (NotProved, Unusable, Undecidable, ZeroDivisionError):
        return False
