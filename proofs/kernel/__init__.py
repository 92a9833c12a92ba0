"""The trusted base, behind one list: what a proof may use, and all that makes a Fact.

| kind | is |
| --- | --- |
| `Fact` | a proved sequent; only the rules make one |
| `Claim`, `establish` | a statement to be proved, and the check that a fact proves it |
| `Sequent`, `Refuted`, `Cases` | a statement about all values; that it is false at a point; that it holds at points |
| `NotProved`, `Undecidable` | a rule does not apply; a truth cannot be computed |
| `Point`, `Table` | values for the variables; a family's values |

The rest of the list are the rules (`proofs/kernel/rules.py`), and exact evaluation.
"""

from __future__ import annotations

from proofs.kernel.arithmetic import ball, rational
from proofs.kernel.evaluation import (
    Frozen,
    Point,
    Table,
    Undecidable,
    evaluate,
    holds,
    member,
    minimiser_table,
    position,
)
from proofs.kernel.normal import Remainder
from proofs.kernel.rules import (
    RULES,
    Cases,
    Claim,
    Fact,
    NotProved,
    Refuted,
    additive,
    apart,
    assume,
    cases,
    component,
    congruence,
    conjunction,
    discharge,
    empty,
    enclosure,
    establish,
    generalise,
    identity,
    induction,
    instantiate,
    linear,
    minimiser,
    refute,
    rewrite,
    single,
    specialise,
    split,
    squares,
    words,
)
from proofs.kernel.terms import Sequent

__all__ = [
    "RULES",
    "Cases",
    "Claim",
    "Fact",
    "Frozen",
    "NotProved",
    "Point",
    "Refuted",
    "Remainder",
    "Sequent",
    "Table",
    "Undecidable",
    "additive",
    "apart",
    "assume",
    "ball",
    "cases",
    "component",
    "congruence",
    "conjunction",
    "discharge",
    "empty",
    "enclosure",
    "establish",
    "evaluate",
    "generalise",
    "holds",
    "identity",
    "induction",
    "instantiate",
    "linear",
    "member",
    "minimiser",
    "minimiser_table",
    "position",
    "rational",
    "refute",
    "rewrite",
    "single",
    "specialise",
    "split",
    "squares",
    "words",
]
