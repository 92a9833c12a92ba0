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
from ssmverify.checking.search import RAISED, Effort, shorten
from ssmverify.rows import Theorem
from ssmverify.verdict import HOLDS, HOLDS_FURTHER, REFUTED, Verdict


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
    if points:
        return _cases(sizes, points), _cases(indices, points)
    return _every(sizes, claim), _every(indices, claim)


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
    """The index variables that a formula speaks of as numbers, not as sizes or places alone."""
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


def _cases(names: list[str], points: Sequence[Mapping[str, Any]]) -> str:
    """The values that the variables take at the points, which are all that there are of them."""
    if not names:
        return "-"
    taken = list(dict.fromkeys(tuple(int(point[name]) for name in names) for point in points))
    columns = [sorted(set(column)) for column in zip(*taken, strict=True)]
    if len(taken) == math.prod(len(column) for column in columns):
        return ", ".join(f"{name} {_values(column)}" for name, column in zip(names, columns, strict=True))
    listed = ", ".join(f"({', '.join(map(str, values))})" for values in taken)
    return f"({', '.join(names)}) in {listed}" if len(listed) <= 40 else f"{len(taken)} values of {', '.join(names)}"


def _values(values: list[int]) -> str:
    low, high = values[0], values[-1]
    if len(values) == 1:
        return f"= {low}"
    return f"= {low}..{high}" if len(values) == high - low + 1 else f"in {', '.join(map(str, values))}"


def check_claim(theorem: Theorem, verdict: Verdict, effort: Effort) -> None:
    effort.tell("proof")
    try:
        found = theorem.derivation.run()
    except (NotProved, *RAISED) as reason:
        verdict.problems.append(f"the proof fails: {explain(reason)}")
        _look_for_counterexample(theorem, verdict, effort)
        return
    rules = [step.rule for step in found.steps()] if isinstance(found, Fact) else ["evaluate"]
    order = ("induction", "squares", "words", "identity", "enclosure", "evaluate")
    verdict.decided_by = ", ".join(rule for rule in order if rule in rules)
    if isinstance(found, Refuted):
        verdict.status, verdict.sizes, verdict.indices = REFUTED, "-", "-"
        verdict.counterexample = show_point(found.point)
        return
    verdict.sizes, verdict.indices = scope(theorem.claim, found)
    named = {h: name for name, h in theorem.claim.hypotheses.items()}
    used = found.hypotheses if isinstance(found, Fact) else set(named)  # the points of cases satisfy all of them
    further = theorem.claim.further & {named[h] for h in used}
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
        verdict.problems.append(f"the instances cannot be drawn: {type(reason).__name__}: {shorten(str(reason))}")
        return
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
