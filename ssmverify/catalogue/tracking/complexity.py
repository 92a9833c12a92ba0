"""What is known of where state-space models stand among the circuit classes: cited, conditional and open rows.

Nothing here is proved by this suite. What it can show itself are the finite statements beside them: the explicit
circuits (`tracking.circuit*`), the reductions (`tracking.chess_*`), and the recurrences rounded after every step
(`tracking.rounded_*`), which these theorems do not cover.
"""

from __future__ import annotations

from ssmverify.catalogue.tracking.automata import hard, not_in_tc0
from ssmverify.catalogue.tracking.reductions import transpositions
from ssmverify.rows import Cited, Open, Source

PAPER = "The Illusion of State in State-Space Models"


def illusion(place: str) -> Source:
    return Source(PAPER, "2404.08819v3", place, read="notes of the whole paper; its proofs not checked")


def beside(place: str) -> Source:
    """An open question of ours about a theorem."""
    return Source("stated here", place=f"beside {place} of arXiv 2404.08819", read="notes of the whole paper")


iterated_product = Cited(
    "tracking.tc0.iterated_product",
    "The product of n integers of n bits each, and division with remainder, are in DLOGTIME-uniform TC0, by way of "
    "Chinese remainders and discrete logarithms.",
    Source(
        "Hesse, Allender and Barrington: Uniform constant-depth threshold circuits for division and iterated "
        "multiplication",
        place="JCSS 65, 2002",
        read="the abstract and the introduction",
    ),
)
time_invariant = Cited(
    "tracking.tc0.time_invariant",
    "Log-precision models whose matrices do not depend on the input, such as S4, are in L-uniform TC0 in their "
    "convolutional form: sums and products exact, then cast. (Non-uniformly, in fixed point: tracking.circuit_time_"
    "invariant, for the sizes gone through there.)",
    illusion("Theorem 4.2, Corollary 4.3"),
    rests_on=(iterated_product,),
)
diagonal = Cited(
    "tracking.tc0.diagonal",
    "Log-precision models with real diagonal gates that are computed from the input in L-uniform TC0, such as S6 "
    "(Mamba), are in L-uniform TC0 in their convolutional form: sums and products exact, then cast. (Non-uniformly, in "
    "fixed point: tracking.circuit, for the sizes gone through there.)",
    illusion("Theorem 4.4, Corollary 4.5, Proposition B.1"),
    rests_on=(iterated_product,),
)
conjugated = Cited(
    "tracking.tc0.simultaneously_diagonalizable",
    "The same for gates W diag(a_i) W^-1 with one fixed W, if the value of a product of gates is that of the "
    "expression in which W^-1 W has been cancelled.",
    illusion("Theorem 4.6, Definition A.3"),
    rests_on=(diagonal,),
)
cannot_track = Cited(
    "tracking.tc0.s4_and_s6_cannot_track_s5",
    "No log-precision model of the S4 or S6 architecture solves the word problem of S5 at all lengths in its "
    "convolutional form. (Rounded after every step, complex channels do: tracking.rounded_recurrence_cannot_track_s5.)",
    illusion("Corollary 4.7"),
    rests_on=(time_invariant, diagonal, not_in_tc0),
)
chess = Cited(
    "tracking.chess_is_nc1_complete",
    "To track a chess board through moves in source-target notation is NC1-complete under AC0 reductions.",
    illusion("Proposition 3.3, Corollary 3.4"),
    rests_on=(hard, transpositions),
)
rounded_gates = Open(
    "tracking.tc0.rounded_conjugation",
    "Are models with gates W diag(a_i) W^-1 in TC0 if each gate is rounded to log precision before the gates are "
    "multiplied? Rounded gates no longer commute, so the products are of matrices in general; those of integer "
    "matrices, from 2 x 2 on, are in TC0 only if TC0 = NC1 (Mereghetti and Palano 2000, the abstract).",
    beside("Theorem 4.6"),
)
rounded_real = Open(
    "tracking.tc0.rounded_real_recurrence",
    "Are real diagonal gates in TC0 if the recurrence is rounded after every step to O(log n) bits? At a constant "
    "number of bits they are star-free or of 2-groups (tracking.rounded_real_is_star_free); here only L is known.",
    beside("Theorem 4.4"),
)
