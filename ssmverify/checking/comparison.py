"""Whether a mutant says what its claim says, judged by the whole sequent: hypotheses, relation, both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from proofs.kernel import Claim, NotProved, evaluate, identity
from proofs.printing import text
from proofs.terms import (
    And,
    Eq,
    Formula,
    Le,
    Lt,
    Nonzero,
    Symbol,
    Term,
    UniqueMinimiser,
    absolute_le,
    apply,
    family,
    free_indices,
    size,
    substitute,
    symbols,
    walk,
)
from ssmverify.checking.search import Effort
from ssmverify.rows import Theorem

Frame = tuple[Any, ...]  # what is left of a formula without its terms


def foreign(claim: Claim, mutant: Claim) -> str:
    """Why the mutant is none of this claim: it names what the claim does not, or nothing that it concludes of."""
    if others := sorted(_names(mutant.sequent) - _names(claim.sequent)):
        return f"it speaks of {', '.join(others)}, which the claim does not name"
    ours, theirs = _names(claim.conclusion), _names(mutant.conclusion)
    return "it names nothing that the claim names" if ours and not ours & theirs else ""


def _names(formulas: Any) -> set[str]:
    letters = {node.letter for node in walk(formulas) if isinstance(node, UniqueMinimiser)}
    return {symbol.name for symbol in symbols(formulas)} | free_indices(formulas) | letters


def equivalence(original: Claim, mutant: Claim) -> str:
    """The identities that make a mutant the same claim; empty if there are none to be had."""
    if set(original.hypotheses.values()) != set(mutant.hypotheses.values()):
        return ""
    (frame, ours), (mutated, theirs) = _opened(original.conclusion), _opened(mutant.conclusion)
    if frame != mutated:
        return ""
    try:
        facts = [identity(x, y) for x, y in zip(ours, theirs, strict=True) if x != y]
    except (NotProved, ValueError, TypeError):
        return ""
    if any(not isinstance(h, Nonzero) for fact in facts for h in fact.hypotheses):
        return ""
    return "; ".join(text(fact.conclusion) for fact in facts)


def _opened(formula: Formula) -> tuple[list[Frame], list[Term]]:
    """A formula as its terms, with families at fixed indices, and the frame that they stand in."""
    parts = list(_parts(formula))
    return [frame for frame, _ in parts], [term for _, terms in parts for term in terms]


def _parts(formula: Formula) -> Iterator[tuple[Frame, tuple[Term, ...]]]:
    match formula:
        case Eq(lhs, rhs) | Le(lhs, rhs) | Lt(lhs, rhs):
            yield (type(formula), lhs.shape), (lhs, rhs)
        case And(parts):
            yield (And, len(parts)), ()
            for part in parts:
                yield from _parts(part)
        case UniqueMinimiser():
            at = apply(formula.at, tuple(size(f"place{i}") for i in range(len(formula.ranges))))
            yield (UniqueMinimiser, formula.symbol, formula.ranges), (_objective(formula), at)
        case _:
            yield (formula,), ()


def _objective(formula: UniqueMinimiser) -> Term:
    """The objective of a symbol that has a name, as a term needs that stands alone."""
    bound = formula.symbol
    variables = tuple(size(f"place{i}") for i in range(bound.arity))
    competitor = Symbol("competitor", bound.rows, bound.columns, bound.arity)
    return substitute(formula.objective, families={bound: family(variables, competitor(*variables))})


def weaker(theorem: Theorem, mutant: Claim, effort: Effort) -> bool:
    """Whether the mutant is the same inequality with a bound that is no smaller at any drawn point."""
    original = theorem.claim
    before, after = _bounded(original.conclusion), _bounded(mutant.conclusion)
    same = set(original.hypotheses.values()) == set(mutant.hypotheses.values())
    if before is None or after is None or before[0] != after[0] or not same:
        return False
    bounds = before[1], after[1]

    def stronger(point: Mapping[str, Any]) -> bool:
        old, new = (evaluate(bound, point) for bound in bounds)
        return bool(new < old)

    return effort.any_input(theorem.instances(), stronger) is None


def _bounded(formula: Formula) -> tuple[Frame, Term] | None:
    """What an inequality bounds, and its bound."""
    match formula:
        case Le(lhs, rhs) | Lt(lhs, rhs) if lhs.is_scalar:
            return (type(formula), lhs), rhs
        case And((Le(_, x), Le(y, bound))) if x == y and formula == absolute_le(x, bound):
            return ("absolute", x), bound
    return None
