"""An inequality: a gate between 0 and 1 never raises the energy of what it mixes."""

from dataclasses import replace

from proofs.derivation import proves
from proofs.kernel import Fact, squares
from proofs.terms import Le, scalar, term
from ssmverify import Mutant, Theorem
from ssmverify.strategies import points, rationals

a, h, x = scalar("a"), scalar("h"), scalar("x")
mixed = a * h + (1 - a) * x
energy = a * (h * h) + (1 - a) * (x * x)
at_least_0, at_most_1 = Le(term(0), a), Le(a, term(1))


@proves(Le(mixed * mixed, energy), {"gate_at_least_0": at_least_0, "gate_at_most_1": at_most_1})
def energy_of_a_gate() -> Fact:
    """What is missing is a (1 - a) (h - x)², a product of what is not negative."""
    return squares(mixed * mixed, energy, a * (1 - a) * ((h - x) * (h - x)), [at_least_0, at_most_1])


row = Theorem(
    energy_of_a_gate,
    instances=lambda: points(a=rationals(0, 1), h=rationals(), x=rationals()),
    mutants=[
        Mutant("the energy times the gate", replace(energy_of_a_gate.claim, conclusion=Le(mixed * mixed, a * energy))),
    ],
)
