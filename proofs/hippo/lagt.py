"""HiPPO-LagT, derived from Laguerre polynomials.

Sources: Gu, Dao, Ermon, Rudra and Ré, "HiPPO" (arXiv 2008.07669), and the code of github.com/state-spaces/s4, whose A
has 1/2 on the diagonal where the paper's, remembered, has 1: they differ in the tilt b. Derived here for every N.

| symbol | meaning |
| --- | --- |
| x | lag, from 0 to infinity |
| L_n(x) | the sum over j <= n of l_nj x^j, with l_nj = (-n)_j / (j!)² |
| λ_nq | ∫ x^q e^(-x) L_n(x) dx over q!: the sum over j of l_nj (q+1)_j, for ∫ x^i e^(-x) dx = i! |
| b | tilt: the states are c_n = ∫ u(t - x) e^(-b x) L_n(x) dx; b = 1/2 makes L_n(x) e^(-b x) orthonormal |
| A, B | A_nk = -1 for k < n, A_nn = -b, 0 for k > n; B_n = 1 |

Signals are u(t - x) = x^q e^(-(1-b) x), and what is linear in these. Their derivative in t is that in -x, so that
c_n' is (q!)(1 - b) λ_nq less q! λ_n(q-1). Everything below is divided by q!, or by (q+1)! for x^(q+1).
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
    rising,
    square_of_sign,
    top_coefficient,
    zero,
)
from proofs.terms import (
    And,
    Eq,
    Index,
    Nat,
    Sum,
    Term,
    index,
    index_le,
    scalar,
    sequence,
    size,
    substitute,
    summation,
)

n, m, j, k, q, J, N = (size(name) for name in ("n", "m", "j", "k", "q", "J", "N"))
tilt, c = scalar("b"), sequence("c")


def coefficient(n: Index | int, j: Index | int) -> Term:
    """l_nj = (-n)_j / (j!)²."""
    return falling(n, j) / (factorial(j) * factorial(j))


def moment(n: Index | int, q: Index | int, last: Index | int | None = None) -> Term:
    """The sum of l_nj (q+1)_j over j <= last; up to n it is λ_nq."""
    return summation(j, 0, n if last is None else last, coefficient(n, j) * rising(index(q) + 1, j))


def closed_moment(n: Index | int, q: Index | int) -> Term:
    """λ_nq = (-q)_n / n!."""
    return falling(q, n) / factorial(n)


# ----------------------------------------------------------------------------------------------- the derivative


@proves(Eq(falling(n, j + 1), -Nat(j + 1) * summation(k, 0, n - 1, falling(k, j))))
def laguerre_derivative() -> Fact:
    """L_n' = - sum over k < n of L_k, power by power and times (j!)² (j+1), by induction on n."""
    goal = cast(Eq, laguerre_derivative.conclusion)
    first, following = (substitute(goal, {"n": index(i)}) for i in (0, n + 1))
    flat = inductively(Eq(falling(0, j + 1), zero), j, grow(falling(0, j + 2)), base=grow(falling(0, 1)))
    base = put_in(first.lhs, first.rhs, (), [flat])
    given = [assume(goal), lowered(n, j), *grow(falling(n, j + 1))]
    step = put_in(following.lhs, following.rhs, grow(summation(k, 0, n, falling(k, j))), given)
    return induction(goal, n, base, step)


# -------------------------------------------------------------------------------------- moments, orthogonality


@proves(Eq(factorial(n) * moment(n, q), falling(q, n)))
def laguerre_moments() -> Fact:
    """λ_nq = (-q)_n / n! by induction on n, from (n+1) λ_(n+1)q = (n-q) λ_nq."""
    goal = cast(Eq, laguerre_moments.conclusion)
    return put_in(goal.lhs, goal.rhs, [known_moments()])


@cache
def known_moments() -> Fact:
    """λ_nq = (-q)_n / n!."""
    goal = Eq(moment(n, q), closed_moment(n, q))
    first, following = (substitute(goal, {"n": index(i)}) for i in (0, n + 1))
    base = put_in(first.lhs, first.rhs, grow(moment(0, q)))
    quotient = (Nat(n) - Nat(q)) * goal.rhs / Nat(n + 1)
    step = cancelled(rewrite(moments_of_neighbours(), assume(goal)), following.lhs, quotient, Nat(n + 1))
    value = put_in(quotient, following.rhs, grow(falling(q, n + 1), factorial(n + 1)))
    return induction(goal, n, base, rewrite(step, value))


@cache
def moments_of_neighbours() -> Fact:
    """(n+1) λ_(n+1)q = (n-q) λ_nq: up to j = J the difference is l_nJ (q+1)_(J+1), which ends with J > n."""
    sums = moment(n + 1, q, J), moment(n, q, J)
    partial = Eq(
        Nat(n + 1) * sums[0] - (Nat(n) - Nat(q)) * sums[1],
        coefficient(n, J) * rising(q + 1, J + 1),
    )
    following, starts = ([substitute(x, {"J": index(i)}) for x in sums] for i in (J + 1, 0))
    powers = grow(falling(n, J + 1), factorial(J + 1), rising(q + 1, J + 1), rising(q + 1, J + 2))
    every = inductively(partial, J, grow(*following), [lowered(n, J), *powers], grow(*starts, rising(q + 1, 1)))
    none = put_in(coefficient(n, n + 1), zero, (), grow(falling(n, n + 1)))
    ended = rewrite(unfold(moment(n, q, n + 1)), none)
    given = [rewrite(instantiate(every, {"J": n + 1}), none), ended]
    return put_in(Nat(n + 1) * moment(n + 1, q), (Nat(n) - Nat(q)) * moment(n, q), (), given)


def inner(m: Index | int, n: Index | int) -> Term:
    """∫ L_m L_n e^(-x): the sum over q <= m of l_mq q! λ_nq."""
    return summation(q, 0, m, coefficient(m, q) * (factorial(q) * moment(n, q)))


@proves(And((Eq(inner(m, n), zero), Eq(inner(n, n), one))), {"m_below_n": index_le(m + 1, n)})
def laguerre_orthogonal() -> Fact:
    """λ_nq has the factor q - q for q < n; and l_nn n! λ_nn = ((-n)_n / n!)² = 1."""
    products = [coefficient(degree, q) * (factorial(q) * moment(n, q)) for degree in (m, n)]
    lower = all_vanish(q, m, products[0], [known_moments()], rewrite(split(falling(q, n), m), no_factor_left(q, m)))
    early = all_vanish(q, n - 1, products[1], [known_moments()], no_factor_left(q, n - 1))
    square = rewrite(rewrite(unfold(inner(n, n)), early), instantiate(known_moments(), {"q": n}))
    top = zero + coefficient(n, n) * (factorial(n) * closed_moment(n, n))
    return conjunction(lower, rewrite(square, put_in(top, one, (), [top_coefficient(n), square_of_sign(n)])))


# --------------------------------------------------------------------------------------------------- the matrix
def before(n: Index | int, q: Index | int) -> Term:
    """The sum of λ_kq over k < n."""
    return summation(k, 0, index(n) - 1, moment(k, q))


def kept(n: Index, q: Index | int) -> Term:
    """Row n of A, on the signal x^q e^(-(1-b) x)."""
    return -tilt * moment(n, q) - before(n, q)


def change(q: Index) -> Term:
    """c_n' for the signal x^(q+1) e^(-(1-b) x)."""
    return (1 - tilt) * moment(n, q + 1) - moment(n, q)


@proves(
    And(
        (
            Eq(change(q) - kept(n, q + 1), zero),
            Eq((1 - tilt) * moment(n, 0) - kept(n, 0), one),
        )
    )
)
def lagt_matrix() -> Fact:
    """q times the sum of λ_kq over k < n is -n λ_nq, and (q+1) λ_nq = (q+1-n) λ_n(q+1); B = 1 shows at x^0."""
    first, constant = (cast(Eq, part) for part in cast(And, lagt_matrix.conclusion).parts)
    growth = grow(before(n + 1, q))
    sums = inductively(Eq(Nat(q) * before(n, q), -Nat(n) * moment(n, q)), n, growth, [moments_of_neighbours()])
    given = [instantiate(sums, {"q": q + 1}), higher_power()]
    times = put_in(Nat(q + 1) * first.lhs, Nat(q + 1) * first.rhs, (), given)
    return conjunction(
        cancelled(times, first.lhs, first.rhs, Nat(q + 1)),
        put_in(constant.lhs, constant.rhs, (), [ones_add_up()]),
    )


def higher_power() -> Fact:
    """(q+1) λ_nq = (q+1-n) λ_n(q+1)."""
    values = [known_moments(), instantiate(known_moments(), {"q": q + 1})]
    rhs = (Nat(q + 1) - Nat(n)) * moment(n, q + 1)
    return put_in(Nat(q + 1) * moment(n, q), rhs, values, [lowered(q, n), *grow(falling(q + 1, n + 1))])


def ones_add_up() -> Fact:
    """λ_n0 + sum over k < n of λ_k0 = 1, since (-0)_(n+1) = 0."""
    none = inductively(Eq(falling(0, n + 1), zero), n, grow(falling(0, n + 2)), base=grow(falling(0, 1)))
    gone = put_in(moment(n + 1, 0), zero, [instantiate(known_moments(), {"n": n + 1, "q": index(0)})], [none])
    statement = Eq(moment(n, 0) + before(n, 0), one)
    return inductively(statement, n, grow(before(n + 1, 0)), [gone], grow(moment(0, 0)))


@proves(
    Eq(
        summation(n, 0, N - 1, c(n) * (-(one / 2) * c(n) - summation(k, 0, n - 1, c(k)))),
        -(one / 2) * (summation(k, 0, N - 1, c(k)) * summation(k, 0, N - 1, c(k))),
    )
)
def lagt_nplr() -> Fact:
    """By induction on N: c'(A + 11'/2) c = 0 for b = 1/2."""
    goal = cast(Eq, lagt_nplr.conclusion)
    sums = [summation(n, 0, N, cast(Sum, goal.lhs).at(n)), summation(k, 0, N, c(k))]
    return inductively(goal, N, grow(*sums))


if __name__ == "__main__":
    main(__doc__)
