"""How far a program's floats may be from the truth: a proven bound for any torch program.

    from ssmverify.bounds import bound, assert_within_bound
    bound(layer, x).bound                      # at least |computed - exact|, entry by entry
    assert_within_bound(kernel(x), layer, x)   # what `kernel` computes, against what `layer` says

docs/bounds.md says what is proved, what is assumed, and how to add a rule.
"""

from ssmverify.bounds.ball import Ball, operand, rounded
from ssmverify.bounds.model import Refused, Undecided
from ssmverify.bounds.registry import rule
from ssmverify.bounds.result import Bounds, Contribution, bound, reference
from ssmverify.bounds.within import assert_within_bound

__all__ = [
    "Ball",
    "Bounds",
    "Contribution",
    "Refused",
    "Undecided",
    "assert_within_bound",
    "bound",
    "operand",
    "reference",
    "rounded",
    "rule",
]
