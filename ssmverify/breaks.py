"""What is broken on purpose, in a row's short form: `breaks={"the sign": rhs(-x), "the other layer": run}`.

A break of the claim is another claim, another conclusion, or the claim with one side of its equation changed. A break
of a layer is a function that is run instead of it: of the first layer, or as a pair with the layer's number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from proofs.derivation import Derivation
from proofs.kernel import Claim
from proofs.terms import And, Eq, Formula, Relation, Term
from ssmverify.errors import BadInput


@dataclass(frozen=True)
class Edit:
    """A change to the claim of the row that it stands in."""

    change: Callable[[Claim], Claim]


def lhs(side: Term, part: int | None = None) -> Edit:
    """Another left side of the equation, or of that in part `part` of a conjunction."""
    return _edit(part, lambda relation: replace(relation, lhs=side))


def rhs(side: Term, part: int | None = None) -> Edit:
    """Another right side of the equation, or of that in part `part` of a conjunction."""
    return _edit(part, lambda relation: replace(relation, rhs=side))


def _edit(part: int | None, change: Callable[[Relation], Relation]) -> Edit:
    def changed(claim: Claim) -> Claim:
        if part is None:
            return replace(claim, conclusion=change(cast(Eq, claim.conclusion)))
        parts = cast(And, claim.conclusion).parts
        new = change(cast(Eq, parts[part]))
        return replace(claim, conclusion=And((*parts[:part], new, *parts[part + 1 :])))

    return Edit(changed)


def broken(description: str, what: Any, claim: Claim) -> dict[str, Any]:
    """A break of a row with this claim, as the arguments of its `Mutant`."""
    match what:
        case Edit(change):
            return {"claim": change(claim)}
        case Claim():
            return {"claim": what}
        case Derivation():
            return {"claim": what.claim}
        case Formula():
            return {"claim": replace(claim, conclusion=what)}
        case (int(layer), run) if callable(run):
            return {"run": run, "layer": layer}
        case _ if callable(what):
            return {"run": what}
    raise BadInput(
        f"the break '{description}' of {claim.name} is a {type(what).__name__}: give rhs(...), lhs(...), a conclusion, "
        "a claim, or a function that is run instead of a layer."
    )
