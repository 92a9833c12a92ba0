"""A false theorem, and what mends it: after a step of the delta rule, does the key give back its value?"""

from dataclasses import replace

import numpy as np
from flint import fmpq

from proofs.derivation import proves
from proofs.kernel import Fact, Refuted, assume, identity, refute, rewrite
from proofs.terms import Eq, matrix, size, term, vector
from ssmverify import Mutant, Theorem

d, n = size("d"), size("n")
S, k, v = matrix("S", d, n), vector("k", n), vector("v", d)
written = S - (S @ k - v) @ k.T  # the delta rule with write strength 1
unit = Eq(k.T @ k, term(1))


@proves(Eq(written @ k, v))
def stored() -> Refuted:
    """Written into the state 0, the key 2 gives back 4 v."""
    number = {name: np.array([[fmpq(x)]], dtype=object) for name, x in {"S": 0, "k": 2, "v": 1}.items()}
    return refute(stored.sequent, {"d": 1, "n": 1, **number})


@proves(Eq(written @ k, v), {"unit_key": unit}, further=["unit_key"])
def stored_at_a_unit_key() -> Fact:
    """The step takes k'k times the error off S k, and k'k is 1."""
    expanded = identity(written @ k, S @ k - (k.T @ k) * (S @ k - v))
    at_one = rewrite(expanded, assume(unit))
    return rewrite(at_one, identity(at_one.conclusion.rhs, v))


added = Eq((S + (S @ k - v) @ k.T) @ k, v)
rows = [
    Theorem(each, mutants=[Mutant("the sign of the error", replace(each.claim, conclusion=added))])
    for each in (stored, stored_at_a_unit_key)
]
