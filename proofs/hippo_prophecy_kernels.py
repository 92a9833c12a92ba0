"""HiPPO (arXiv 2008.07669): the kernels e^(At) B of LegS and LagT, and the Legendre polynomials they are made of.

Remembered, and derived here: LegS's matrix is that of `proofs/hippo_prophecy_legs.py`; LagT's has -1/2 on the diagonal
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

from proofs.derivation import Derivation, main
from proofs.evaluation import evaluate
from proofs.hippo_prophecy import followed
from proofs.inequalities import backwards, settle
from proofs.kernel import (
    Claim,
    Fact,
    apart,
    assume,
    empty,
    induction,
    instantiate,
    rewrite,
    single,
    squares,
)
from proofs.tactics import equal, unfold
from proofs.terms import (
    Eq,
    Index,
    Nat,
    Term,
    index,
    product,
    size,
    summation,
    term,
)

i, j, l, q = (size(name) for name in "ijlq")


def legendre_ratio(j: Index, q: Index | int) -> Term:
    """The coefficient of r^j in P_(j+q)(2r - 1), over that in P_j: ∏ -(2j + i)/i, i = 1..q."""
    return product(i, 1, q, -Nat(2 * j + i) / Nat(i))


legs_kernel = Claim(
    "hippo_prophecy.legs_kernel",
    Eq(
        Nat(j + 1) * legendre_ratio(j, q),
        Nat(j + q + 1) * legendre_ratio(j, q) + summation(l, 0, q - 1, Nat(2 * j + 2 * l + 1) * legendre_ratio(j, l)),
    ),
    {},
    witness={"j": 0, "q": 1},
)


def prove_legs_kernel() -> Fact:
    """e^(At) B has the entries √(2n+1) P_n(2x - 1) x with x = e^-t. The claim is, for the power x^(j+1) and n = j + q,
    the equation K' = A K, in which d/dt is -x d/dx; K = B at x = 1, for P_n(1) = 1.

    The sum is -q times the ratio, by induction on q.
    """
    body = Nat(2 * j + 2 * l + 1) * legendre_ratio(j, l)
    total = summation(l, 0, q - 1, body)
    statement = Eq(total, -Nat(q) * legendre_ratio(j, q))
    nothing = summation(l, 0, -1, body)
    base = equal(nothing, -Nat(index(0)) * legendre_ratio(j, 0), empty(nothing), empty(legendre_ratio(j, 0)))
    longer = unfold(legendre_ratio(j, q + 1))
    step = rewrite(unfold(summation(l, 0, q, body)), assume(statement))
    step = followed(step, -Nat(q + 1) * cast(Eq, longer.conclusion).rhs)
    step = settle(rewrite(step, backwards(longer)), at_least_one(q + 1))
    goal = cast(Eq, legs_kernel.conclusion)
    return equal(goal.lhs, goal.rhs, induction(statement, q, base, step))


def at_least_one(i: Index) -> Fact:
    """i != 0, as it is 1 or more."""
    return apart(squares(term(0), Nat(i), Nat(i), strict=True))


def binomial(j: Index, q: Index | int) -> Term:
    """j + q over j: ∏ (j + i)/i, i = 1..q."""
    return product(i, 1, q, Nat(j + i) / Nat(i))


lagt_kernel = Claim(
    "hippo_prophecy.lagt_kernel",
    Eq(binomial(j + 1, q), summation(l, 0, q, binomial(j, l))),
    {},
    witness={"j": 0, "q": 1},
)


def prove_lagt_kernel() -> Fact:
    """e^(At) B of LagT has the entries L_n(t) e^(-t/2), L_n = sum over j of (-t)^j/j! times n over j. With the factor
    e^(-t/2) gone K' = A K is L_n' = -(L_0 + ... + L_{n-1}); at t^j, for n = j + 1 + q, that is the claim.

    The left side is (j + 1 + q)/(j + 1) times the last member of the sum, by induction on q; so the sum grows as the
    left side does, by induction again.
    """

    def share(q: Index) -> Term:
        return Nat(j + 1 + q) / Nat(j + 1)

    upper, lower = (binomial(j + shift, q) for shift in (1, 0))
    first, next_upper, next_lower = binomial(j + 1, 0), *(binomial(j + shift, q + 1) for shift in (1, 0))
    longer, known = unfold(next_lower), [at_least_one(j + 1), at_least_one(q + 1)]
    ratio = Eq(upper, share(q) * lower)
    nothing = [empty(first), empty(binomial(j, 0))]
    base = settle(equal(first, share(index(0)) * binomial(j, 0), *nothing), *known)
    step = followed(rewrite(unfold(next_upper), assume(ratio)), share(q + 1) * cast(Eq, longer.conclusion).rhs)
    every = induction(ratio, q, base, settle(rewrite(step, backwards(longer)), *known))

    total, after = (summation(l, 0, last, binomial(j, l)) for last in (q, q + 1))
    statement = Eq(total, upper)
    start = summation(l, 0, 0, binomial(j, l))
    base = equal(start, first, single(start), *nothing)
    step = rewrite(rewrite(rewrite(unfold(after), assume(statement)), every), longer)
    step = followed(step, share(q + 1) * cast(Eq, longer.conclusion).rhs)
    step = rewrite(rewrite(step, backwards(longer)), backwards(instantiate(every, {"q": q + 1})))
    hockey_stick = induction(statement, q, base, settle(step, *known))
    return backwards(hockey_stick)


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


derivations = (
    Derivation(legs_kernel, prove_legs_kernel),
    Derivation(lagt_kernel, prove_lagt_kernel),
)

if __name__ == "__main__":
    main(__doc__, derivations)
