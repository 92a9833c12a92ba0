"""Rows for GD-SSM (arXiv 2410.11687), the best predictor of degree 3: statements from `proofs.gd_ssm.optimal`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flint import fmpq
from hypothesis import strategies as st

from proofs.gd_ssm import optimal as paper
from proofs.kernel import Table
from proofs.terms import term
from ssmverify.breaks import rhs
from ssmverify.catalogue.gd_ssm.one_step import OURS
from ssmverify.rows import Broken, Finite, Theorem
from ssmverify.strategies import columns, rationals


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def symmetric_laws(draw: st.DrawFn) -> Mapping[str, Any]:
    """Outcomes in twins, of which one has the monomials of the other with the sign changed, and the same residual."""
    d, twins = draw(st.integers(1, 2)), draw(st.integers(0, 2))
    weights, values, errors = [], [], []
    for _ in range(twins):
        weight, value, error = draw(rationals(0, 3)), draw(columns(d)), draw(rationals())
        weights += [weight, weight]
        values += [value, -value]
        errors += [error, error]

    def outcomes(members: list[Any], default: Any) -> Table:
        return Table({(s,): member for s, member in enumerate(members, 1)}, default)

    families = {
        "ω": outcomes(weights, fmpq(1)),
        "r": outcomes(errors, fmpq(1)),
        "m": outcomes(values, draw(columns(d))),
    }
    return {"n": 2 * twins, "d": d, "δ": draw(columns(d)), **families}


# ------------------------------------------------------------------------------------------------- the theorems
before, added = paper.optimal_excess.rhs.terms  # type: ignore[attr-defined]


excess = Theorem(
    paper.optimal_excess,
    instances=symmetric_laws,
    source=OURS,
    says="A predictor whose residual is uncorrelated with all monomials is best among the polynomials in them: another "
    "one loses the mean square of the difference of the two.",
    breaks={
        "nothing lost": rhs(before),
        "half of it lost": rhs(before + term(1) / 2 * added),
    },
)


def every_pattern() -> Iterator[paper.Monomial]:
    for degree in range(4):
        yield from paper.patterns(degree)


def correlated(left_over: Any, monomial: paper.Monomial) -> str:
    return f"E[r {paper.shown(monomial)}] is ({left_over}) / ({paper.spread}), not 0" if left_over else ""


def uncorrelated(monomial: paper.Monomial) -> str:
    return correlated(paper.left_over(monomial), monomial)


def another_rate(monomial: paper.Monomial) -> str:
    return correlated(paper.left_over(monomial, spread=paper.spread + paper.sigma**2), monomial)


def degree_five(monomial: paper.Monomial) -> str:
    longer = (*monomial, ("x", 0, 0), ("x", 0, 0))
    return correlated(paper.left_over(longer), longer)


def asymmetric(monomial: paper.Monomial) -> str:
    third = {**paper.MOMENTS, "x": {**paper.MOMENTS["x"], 3: paper.polynomials.one}}
    return correlated(paper.left_over(monomial, moments=third), monomial)


predictor = Finite(
    name="gd_ssm.optimal_predictor",
    says="On the linear task with independent symmetric entries, for every f, N and moments, one step at the best rate "
    "leaves a residual that is uncorrelated with every monomial of degree 3 or less in the tokens. So no such "
    "predictor, and no GD-SSM layer, is better. The cases are the patterns of monomials, each for all f and N at once.",
    decide=uncorrelated,
    cases=every_pattern,
    number=130,
    by_hand=(
        "The mean of a monomial is the product of the moments of its variables, which are independent.",
        "E[r p] depends on the pattern of p alone, as the law does not change when pairs, entries or targets change "
        "their names.",
        "A sum over indices is the sum over their patterns, each times the number of its choices.",
        "A GD-SSM layer, whatever its weights, is a polynomial of degree 3 in the entries of its tokens.",
    ),
    source=OURS,
    mutants=(
        Broken("the rate for one pair more", another_rate),
        Broken("monomials of degree 5", degree_five),
        Broken("inputs whose third moment is not 0", asymmetric),
    ),
)
