"""HiPPO (arXiv 2008.07669): the kernels e^(At) B of LegS and LagT, and the Legendre polynomials they are made of.

Remembered, and derived here: LegS's matrix is that of `proofs/hippo_prophecy/legs.py`; LagT's has -1/2 on the diagonal
and -1 before it, and B is all 1.

| symbol | meaning |
| --- | --- |
| n | number of a state; n = j + q |
| j, q | power of a monomial; by how much n is more |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from flint import fmpq_poly

from proofs.derivation import main, proves
from proofs.kernel import (
    Fact,
    evaluate,
    single,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import backwards
from proofs.tactics.products import grow, inductively
from proofs.terms import (
    Eq,
    Index,
    Nat,
    Term,
    index,
    product,
    size,
    summation,
)

i, j, l, q = (size(name) for name in "ijlq")


def legendre_ratio(j: Index, q: Index | int) -> Term:
    """The coefficient of r^j in P_(j+q)(2r - 1), over that in P_j: ∏ -(2j + i)/i, i = 1..q."""
    return product(i, 1, q, -Nat(2 * j + i) / Nat(i))


@proves(
    Eq(
        Nat(j + 1) * legendre_ratio(j, q),
        Nat(j + q + 1) * legendre_ratio(j, q) + summation(l, 0, q - 1, Nat(2 * j + 2 * l + 1) * legendre_ratio(j, l)),
    ),
)
def legs_kernel() -> Fact:
    """e^(At) B has the entries √(2n+1) P_n(2x - 1) x with x = e^-t. The claim is, for the power x^(j+1) and n = j + q,
    the equation K' = A K, in which d/dt is -x d/dx; K = B at x = 1, for P_n(1) = 1.

    The sum is -q times the ratio, by induction on q.
    """
    body = Nat(2 * j + 2 * l + 1) * legendre_ratio(j, l)
    total = summation(l, 0, q - 1, body)
    statement = Eq(total, -Nat(q) * legendre_ratio(j, q))
    values = grow(summation(l, 0, q, body), legendre_ratio(j, q + 1))
    goal = cast(Eq, legs_kernel.conclusion)
    return equal(goal.lhs, goal.rhs, inductively(statement, q, values))


def binomial(j: Index, q: Index | int) -> Term:
    """j + q over j: ∏ (j + i)/i, i = 1..q."""
    return product(i, 1, q, Nat(j + i) / Nat(i))


@proves(Eq(binomial(j + 1, q), summation(l, 0, q, binomial(j, l))))
def lagt_kernel() -> Fact:
    """e^(At) B of LagT has the entries L_n(t) e^(-t/2), L_n = sum over j of (-t)^j/j! times n over j. With the factor
    e^(-t/2) gone K' = A K is L_n' = -(L_0 + ... + L_{n-1}); at t^j, for n = j + 1 + q, that is the claim.

    The left side is (j + 1 + q)/(j + 1) times the last member of the sum, by induction on q; so the sum grows as the
    left side does, by induction again.
    """
    upper, lower = (binomial(j + shift, q) for shift in (1, 0))
    grown = grow(binomial(j + 1, q + 1), binomial(j, q + 1))
    ratio = inductively(Eq(upper, Nat(j + 1 + q) / Nat(j + 1) * lower), q, grown)
    total, after, start = (summation(l, 0, last, binomial(j, l)) for last in (q, q + 1, index(0)))
    return backwards(inductively(Eq(total, upper), q, [unfold(after), *grown], [ratio], [single(start)]))


# ------------------------------------------------------------------------------- Legendre's polynomials, case by case
SHIFTED = fmpq_poly([-1, 2])  # x = 2r - 1


def legendre(last: int, x: fmpq_poly = SHIFTED) -> list[fmpq_poly]:
    """P_0..P_last at x, by Bonnet's recurrence (n + 1) P_{n+1} = (2n + 1) x P_n - n P_{n-1}."""
    found = [fmpq_poly([1]), x]
    for n in range(1, last):
        found.append(((2 * n + 1) * x * found[n] - n * found[n - 1]) / (n + 1))
    return found[: last + 1]


def product_over(factors: Iterable[fmpq_poly]) -> fmpq_poly:
    """Their product."""
    result = fmpq_poly([1])
    for factor in factors:
        result = result * factor
    return result


def moment_numerator(P: fmpq_poly) -> fmpq_poly:
    """The mean of r^ρ P(r) over [0, 1], times (ρ + 1) ... (ρ + n + 1), as a polynomial in ρ: n is P's degree."""
    poles = [fmpq_poly([j + 1, 1]) for j in range(P.degree() + 1)]
    return sum(
        (P[j] * product_over(pole for i, pole in enumerate(poles) if i != j) for j in range(len(poles))), fmpq_poly([])
    )


def check_legendre(n: int, basis: Sequence[fmpq_poly]) -> str:
    """Whether the last of the polynomials P_0..P_n has the moments of r^ρ and the coefficients claimed, and is 1 at 1.

    Empty if so, else what is wrong.
    """
    P, numerator = basis[n], product_over(fmpq_poly([-i, 1]) for i in range(n))
    if moment_numerator(P) != numerator:
        return f"n = {n}: the moment has the numerator {moment_numerator(P)}, not {numerator}"
    for j in range(n + 1):
        claimed = evaluate(legendre_ratio(index(j), n - j), {}) * basis[j][j]
        if P[j] != claimed:
            return f"n = {n}: the coefficient of r^{j} is {P[j]}, not {claimed}"
    return "" if P(1) == 1 else f"n = {n}: P_n(1) = {P(1)}"


if __name__ == "__main__":
    main(__doc__)
