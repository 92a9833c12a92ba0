"""Legendre polynomials on the window: coefficients, values at the ends, derivatives, moments, orthogonality.

The basis of HiPPO-LegT and -LegS, from which `proofs/hippo/legt.py` derives their matrices. Source: classical (Szegő,
Orthogonal Polynomials, chapter 4); derived here for every degree.

| symbol | meaning |
| --- | --- |
| x | lag in the window: 0 is now, 1 the far end |
| p_n(x) = P_n(1 - 2x) | = sum over j <= n of p_nj x^j, with p_nj = (-n)_j (n+1)_j / (j!)² |
| (a)_j | a (a + 1) ... (a + j - 1); so p_nj = 0 for j > n |
| μ_nq | the moment ∫ x^q p_n(x) dx from 0 to 1: the sum over j of p_nj / (j + q + 1) |

An integral of a polynomial over the window is what linearity makes of ∫ x^i dx = 1/(i + 1), its derivative what
linearity makes of (x^i)' = i x^(i-1): that, and no more, is what stands here for calculus.
"""

from __future__ import annotations

from functools import cache
from typing import cast

from proofs.derivation import main, proves
from proofs.kernel import (
    Fact,
    assume,
    conjunction,
    induction,
    instantiate,
    rewrite,
    split,
)
from proofs.tactics.equations import unfold
from proofs.tactics.products import (
    all_vanish,
    cancelled,
    factorial,
    falling,
    grow,
    inductively,
    lowered,
    no_factor_left,
    one,
    put_in,
    raised,
    rising,
    sign,
    square_of_sign,
    top_coefficient,
    zero,
)
from proofs.terms import (
    And,
    Eq,
    Index,
    Nat,
    Term,
    index,
    index_le,
    size,
    substitute,
    summation,
)

n, m, j, k, q, J = (size(name) for name in ("n", "m", "j", "k", "q", "J"))


def coefficient(n: Index | int, j: Index | int) -> Term:
    """p_nj = (-n)_j (n+1)_j / (j!)²."""
    return falling(n, j) * rising(index(n) + 1, j) / (factorial(j) * factorial(j))


def total(n: Index | int, last: Index | int) -> Term:
    """The sum of p_nj over j <= last."""
    return summation(j, 0, last, coefficient(n, j))


def moment(n: Index | int, q: Index | int, last: Index | int | None = None) -> Term:
    """The sum of p_nj / (j + q + 1) over j <= last; up to n it is μ_nq."""
    return summation(j, 0, n if last is None else last, coefficient(n, j) / Nat(j + q + 1))


def closed_moment(n: Index | int, q: Index | int) -> Term:
    """μ_nq = (-q)_n / (q+1)_(n+1)."""
    return falling(q, n) / rising(index(q) + 1, index(n) + 1)


@cache
def no_higher_power(n: Index) -> Fact:
    """(-n)_(n+1) = 0, so p_n has no x^(n+1)."""
    factor = put_in(falling(n, n + 1), zero, (), grow(falling(n, n + 1)))
    return put_in(coefficient(n, n + 1), zero, (), [factor])


# --------------------------------------------------------------------------------------------------- the ends


@proves(And((Eq(coefficient(n, 0), one), Eq(total(n, n), sign(n)))))
def legendre_ends() -> Fact:
    """p_n(0) = 1 is the empty product. The sums of p_nj and p_(n+1)j up to J add up to 2 (n+1+J)/(n+1) p_nJ, by
    induction on J; at J = n + 1 that is 0, so p_(n+1)(1) = -p_n(1)."""
    last = Eq(total(n, n), sign(n))
    first = substitute(last, {"n": index(0)})
    base = put_in(first.lhs, first.rhs, grow(total(0, 0)))
    step = put_in(total(n + 1, n + 1), sign(n + 1), (), [ends_differ(n), assume(last), *grow(sign(n + 1))])
    return conjunction(put_in(coefficient(n, 0), one), induction(last, n, base, step))


@cache
def ends_differ(n: Index) -> Fact:
    """p_(n+1)(1) + p_n(1) = 0."""
    both = total(n + 1, J) + total(n, J)
    partial = Eq(Nat(n + 1) * both, 2 * (Nat(n + 1 + J) * coefficient(n, J)))
    powers = grow(falling(n, J + 1), rising(n + 1, J + 1), rising(n + 2, J + 1), rising(n + 1, J + 2), factorial(J + 1))
    sums = grow(total(n + 1, J + 1), total(n, J + 1))
    starts = grow(total(n + 1, 0), total(n, 0))
    every = inductively(partial, J, sums, [lowered(n, J), raised(n + 1, J), *powers], starts)
    top = no_higher_power(n)
    at_top = rewrite(instantiate(every, {"J": n + 1}), top)
    whole = total(n + 1, n + 1) + total(n, n)
    nought = put_in(Nat(n + 1) * whole, zero, (), [at_top, rewrite(unfold(total(n, n + 1)), top)])
    return cancelled(nought, whole, zero, Nat(n + 1))


# ------------------------------------------------------------------------------------------- the derivative matrix
def weighted(n: Index | int, at: Term) -> Term:
    """The sum of (2k+1) x_k over k < n, for the term x_k that mentions k."""
    return summation(k, 0, index(n) - 1, Nat(2 * k + 1) * at)


def alternating(n: Index | int, at: Term) -> Term:
    """The sum of (-1)^k (2k+1) x_k over k < n."""
    return summation(k, 0, index(n) - 1, sign(k) * (Nat(2 * k + 1) * at))


def derivative_row(n: Index | int, at: Term) -> Term:
    """Row n of the derivative matrix M: the sum over k < n of ((-1)^(n-k) - 1) (2k+1) x_k."""
    return sign(n) * alternating(n, at) - weighted(n, at)


def scaled_coefficient(n: Index | int, j: Index | int) -> Term:
    """(j!)² p_nj."""
    return falling(n, j) * rising(index(n) + 1, j)


@proves(Eq(scaled_coefficient(n, j + 1), Nat(j + 1) * derivative_row(n, scaled_coefficient(k, j))))
def legendre_derivative() -> Fact:
    """By induction on n, from p_(n+1)' + p_n' = -2 sum over k <= n of (2k+1) p_k. Everything times (j!)² (j+1)."""
    goal = cast(Eq, legendre_derivative.conclusion)
    row = scaled_coefficient(k, j)
    flat = inductively(Eq(falling(0, j + 1), zero), j, grow(falling(0, j + 2)), base=grow(falling(0, 1)))
    first, following = (substitute(goal, {"n": index(i)}) for i in (0, n + 1))
    base = put_in(first.lhs, first.rhs, (), [flat])
    sums = grow(alternating(n + 1, row), weighted(n + 1, row), sign(n + 1))
    pair = rewrite(derivatives_of_neighbours(), unfold(weighted(n + 1, row)))
    step = put_in(following.lhs, following.rhs, sums, [assume(goal), pair, square_of_sign(n)])
    return induction(goal, n, base, step)


def derivatives_of_neighbours() -> Fact:
    """p_(n+1)' + p_n' = -2 sum over k <= n of (2k+1) p_k, by induction on n."""
    row = scaled_coefficient(k, j)
    slopes = scaled_coefficient(n + 1, j + 1) + scaled_coefficient(n, j + 1)
    statement = Eq(slopes, -2 * Nat(j + 1) * weighted(n + 1, row))
    start = grow(falling(0, j + 1), rising(1, j + 1), rising(2, j + 1), weighted(1, row))
    base = [lowered(0, j), raised(1, j), *start]
    first, following = (substitute(statement, {"n": index(i)}) for i in (0, n + 1))
    step = put_in(following.lhs, following.rhs, grow(weighted(n + 2, row)), [assume(statement), three_terms()])
    return induction(statement, n, put_in(first.lhs, first.rhs, (), base), step)


def three_terms() -> Fact:
    """p_(n+2)' - p_n' = -2(2n+3) p_(n+1), power by power."""
    lhs = scaled_coefficient(n + 2, j + 1) - scaled_coefficient(n, j + 1)
    return put_in(lhs, -2 * Nat(2 * n + 3) * (Nat(j + 1) * scaled_coefficient(n + 1, j)), (), multiples(n, j))


def multiples(n: Index, j: Index) -> list[Fact]:
    """What makes (j!)² p_(n+2)(j+1), (j!)² p_(n+1)j and (j!)² p_n(j+1) multiples of (-n-1)_j (n+2)_j."""
    powers = [falling(n, j + 1), falling(n + 1, j + 1), *(rising(n + i, j + 1) for i in (1, 2, 3)), factorial(j + 1)]
    return [lowered(n + 1, j), lowered(n, j), raised(n + 2, j), raised(n + 1, j), *grow(*powers)]


# ------------------------------------------------------------------------------------ moments and orthogonality


@proves(Eq(moment(n, q), closed_moment(n, q)))
def legendre_moments() -> Fact:
    """By induction on n: (q+n+2) μ_(n+1)q = (n-q) μ_nq."""
    goal = cast(Eq, legendre_moments.conclusion)
    first, following = (substitute(goal, {"n": index(i)}) for i in (0, n + 1))
    base = put_in(first.lhs, first.rhs, grow(moment(0, q)), grow(rising(q + 1, 1)))
    scaled = rewrite(moments_of_neighbours(), assume(goal))
    quotient = (Nat(n) - Nat(q)) * goal.rhs / Nat(q + n + 2)
    step = cancelled(scaled, following.lhs, quotient, Nat(q + n + 2))
    value = put_in(quotient, following.rhs, grow(falling(q, n + 1), rising(q + 1, n + 2)))
    return induction(goal, n, base, rewrite(step, value))


@cache
def moments_of_neighbours() -> Fact:
    """(q+n+2) μ_(n+1)q = (n-q) μ_nq. For each j the summands (q+n+2) p_(n+1)j + (q-n) p_nj and
    (j+q+1) (p_(n+1)j + p_nj) agree, as (n+1-j) p_(n+1)j = (n+1+j) p_nj; and the ends cancel."""
    raising = put_in(
        (Nat(n + 1) - Nat(J + 1)) * coefficient(n + 1, J + 1),
        Nat(n + 2 + J) * coefficient(n, J + 1),
        (),
        [lowered(n, J + 1), raised(n + 1, J + 1), *grow(falling(n + 1, J + 2), rising(n + 1, J + 2))],
    )
    sums = [moment(n + 1, q, J), moment(n, q, J), total(n + 1, J), total(n, J)]
    partial = Eq(Nat(q + n + 2) * sums[0] + (Nat(q) - Nat(n)) * sums[1], sums[2] + sums[3])
    following, starts = ([substitute(x, {"J": index(i)}) for x in sums] for i in (J + 1, 0))
    every = inductively(partial, J, grow(*following), [raising], grow(*starts))
    top = no_higher_power(n)
    ended = [rewrite(unfold(x), top) for x in (total(n, n + 1), moment(n, q, n + 1))]
    given = [instantiate(every, {"J": n + 1}), ends_differ(n), *ended]
    return put_in(Nat(q + n + 2) * moment(n + 1, q), (Nat(n) - Nat(q)) * moment(n, q), (), given)


def inner(m: Index | int, n: Index | int, last: Index | int | None = None) -> Term:
    """∫ p_m p_n: the sum over q <= m of p_mq μ_nq."""
    return summation(q, 0, m if last is None else last, coefficient(m, q) * moment(n, q))


@proves(And((Eq(inner(m, n), zero), Eq(inner(n, n), one / Nat(2 * n + 1)))), {"m_below_n": index_le(m + 1, n)})
def legendre_orthogonal() -> Fact:
    """μ_nq has the factor q - q for q < n, so p_n is orthogonal to all lower powers. What is left of ∫ p_n² is
    p_nn μ_nn, where (-n)_n = (-1)^n n! and (n+1)_(n+1) = (2n+1) (n+1)_n."""
    products = [coefficient(degree, q) * moment(n, q) for degree in (m, n)]
    lower = all_vanish(
        q, m, products[0], [legendre_moments.fact], rewrite(split(falling(q, n), m), no_factor_left(q, m))
    )
    early = all_vanish(q, n - 1, products[1], [legendre_moments.fact], no_factor_left(q, n - 1))
    square = rewrite(rewrite(unfold(inner(n, n)), early), instantiate(legendre_moments.fact, {"q": n}))
    powers = [top_coefficient(n), square_of_sign(n), *grow(rising(n + 1, n + 1))]
    value = put_in(zero + coefficient(n, n) * closed_moment(n, n), one / Nat(2 * n + 1), (), powers)
    return conjunction(lower, rewrite(square, value))


if __name__ == "__main__":
    main(__doc__)
