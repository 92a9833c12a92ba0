"""Ben-Or and Cleve: formulas by products of matrices that differ from the identity by a block."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq
from hypothesis import strategies as st

from proofs.derivation import Derivation
from proofs.terms import Eq
from proofs.tracking import formulas as proved
from ssmverify.rows import Broken, Decide, Finite, Mutant, Source, Theorem
from ssmverify.strategies import matrices
from ssmverify.tracking.reductions import formulas
from ssmverify.tracking.reductions.formulas import Factor, Formula, Leaf, Node

PAPER = Source(
    "Ben-Or and Cleve: Computing algebraic formulas using a constant number of registers",
    place="SIAM Journal on Computing 21, 1992",
    read="remembered; the proof here is ours",
)


@st.composite
def three_blocks(draw: st.DrawFn) -> Mapping[str, Any]:
    """Columns of a permutation matrix with signs, m each for P, Q and R, and two matrices."""
    m = draw(st.integers(1, 2))
    places = draw(st.permutations(range(3 * m)))
    signs = draw(st.lists(st.sampled_from([-1, 1]), min_size=3 * m, max_size=3 * m))
    whole = np.array([[fmpq(signs[j] * int(places[j] == i)) for j in range(3 * m)] for i in range(3 * m)], dtype=object)
    blocks = {name: whole[:, k * m : (k + 1) * m] for k, name in enumerate("PQR")}
    return {"n": 3 * m, "m": m, **blocks, "F": draw(matrices(m, m)), "G": draw(matrices(m, m))}


def theorem(claim: Derivation, says: str, *mutants: Mutant) -> Theorem:
    return Theorem(claim, instances=three_blocks, mutants=mutants, says=says, source=PAPER)


one, P, Q, R, F, G = proved.one, proved.P, proved.Q, proved.R, proved.F, proved.G
product_of_blocks = theorem(
    proved.ben_or_cleve_product,
    "A commutator of two such matrices, P to Q and Q to R, holds the product of their values, from P to R.",
    Mutant(
        "the values in the other order",
        claim=replace(
            proved.ben_or_cleve_product.claim,
            conclusion=Eq(
                (one + P @ F @ Q.T) @ (one + Q @ G @ R.T) @ (one - P @ F @ Q.T) @ (one - Q @ G @ R.T),
                one + P @ G @ F @ R.T,
            ),
        ),
    ),
    Mutant(
        "the second and third factor exchanged",
        claim=replace(
            proved.ben_or_cleve_product.claim,
            conclusion=Eq(
                (one + P @ F @ Q.T) @ (one - P @ F @ Q.T) @ (one + Q @ G @ R.T) @ (one - Q @ G @ R.T),
                one + P @ F @ G @ R.T,
            ),
        ),
    ),
)
sum_of_blocks = theorem(
    proved.ben_or_cleve_sum,
    "The product of two such matrices, both from P to R, holds the sum of their values.",
    Mutant(
        "the product of the values",
        claim=replace(
            proved.ben_or_cleve_sum.claim,
            conclusion=Eq(
                (one + P @ F @ R.T) @ (one + P @ G @ R.T),
                one + P @ F @ G @ R.T,
            ),
        ),
    ),
)


def small_formulas() -> Iterator[Formula]:
    """All of depth 2 at most with the leaves 2 and -3."""
    level: list[Formula] = [Leaf(Fraction(2)), Leaf(Fraction(-3))]
    for _ in range(2):
        level = level[:2] + [Node(sign, a, b) for sign in "+*" for a, b in itertools.product(level, repeat=2)]
    yield from level


numbers = st.builds(Leaf, st.fractions(min_value=-3, max_value=3, max_denominator=4))
larger_formulas = st.recursive(
    numbers, lambda inner: st.builds(Node, st.sampled_from(["+", "*"]), inner, inner), max_leaves=12
)


def computes(program: Callable[[Formula], list[Factor]]) -> Decide:
    def decide(formula: Formula) -> str:
        factors = program(formula)
        if len(factors) > 4 ** formulas.depth(formula):
            return f"{formula}: {len(factors)} factors, more than 4^{formulas.depth(formula)}"
        found, wanted = formulas.multiplied(factors), formulas.value(formula)
        expected = [[Fraction(int(i == j)) for j in range(3)] for i in range(3)]
        expected[0][2] = wanted
        return "" if found == expected else f"{formula}: {found}, not {wanted} in the corner of the identity"

    return decide


def without_inverses(formula: Formula) -> list[Factor]:
    factors = formulas.program(formula)
    return factors[: len(factors) // 2] if isinstance(formula, Node) and formula.sign == "*" else factors


ben_or_cleve = Finite(
    "tracking.ben_or_cleve",
    "Each formula of depth at most 2 with the leaves 2 and -3 is the corner entry of a product of at most 4^depth "
    "matrices I + x e_i e_j' of size 3, x a leaf or minus one, and the rest of the product is the identity.",
    computes(formulas.program),
    (Broken("without the two inverses", computes(without_inverses)),),
    small_formulas,
    lambda: larger_formulas,
    source=PAPER,
    number=202,
)
