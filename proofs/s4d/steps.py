"""S4D (arXiv 2206.11893), continued: the bilinear step of one eigenvalue.

| symbol | meaning |
| --- | --- |
| x + iy | z = δλ/2 of an eigenvalue λ |
"""

from __future__ import annotations

from typing import cast

from proofs.derivation import main, proves
from proofs.kernel import Fact, conjunction, identity
from proofs.terms import And, Eq, Nonzero, scalar

# ------------------------------------------------------------------------------------- one eigenvalue, bilinear
x, y = scalar("x"), scalar("y")
square = (1 - x) * (1 - x) + y * y
gate_real, gate_imaginary = ((1 + x) * (1 - x) - y * y) / square, 2 * y / square


@proves(
    And(
        (
            Eq((1 - x) * gate_real + y * gate_imaginary, 1 + x),
            Eq((1 - x) * gate_imaginary - y * gate_real, y),
        )
    ),
    {"not_singular": Nonzero(square)},
)
def gate() -> Fact:
    """(1 - z) g = 1 + z in real and imaginary part, for g = (1 + z) conj(1 - z)/|1 - z|²."""
    parts = [cast(Eq, part) for part in cast(And, gate.conclusion).parts]
    return conjunction(*(identity(part.lhs, part.rhs) for part in parts))


if __name__ == "__main__":
    main(__doc__)
