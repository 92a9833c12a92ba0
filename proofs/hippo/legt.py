"""HiPPO-LegT and HiPPO-LegS, derived from Legendre polynomials, and their read-outs.

Sources: Gu, Dao, Ermon, Rudra and Ré, "HiPPO" (arXiv 2008.07669), for the matrices; "HiPPO-Prophecy" (arXiv
2407.09375) for the read-out C = B'A, D = B'B, of which its authors' code was read, not the body. Derived here.

| symbol | meaning |
| --- | --- |
| p_n, μ_nq | Legendre polynomials on the window and their moments: see `proofs/hippo/legendre.py` |
| d_n | the scale of state n, c_n = d_n ∫ u p_n: sqrt(2n+1) makes the basis orthonormal |
| x_n | the states in the scale d_n = 1 |
| A_nk, B_n | LegT: A_nk = -(2k+1) d_n/d_k for k <= n, (-1)^(n-k) times that for k > n; B_n = d_n |
| | LegS: A_nk = -(2k+1) d_n/d_k for k < n, A_nn = -(n+1), 0 for k > n; B_n = d_n |
| g_n | (2n+1)/d_n: the reconstruction at lag 0 is the sum of g_n c_n. Orthonormal, g_n = B_n |
| C_k, D | the read-out, which differentiates that reconstruction by the ODE: the sums of g_n A_nk and of g_n B_n |

Square roots are no rationals, so the scale is left open; for d_n² = 2n+1 the entries are those of the usual table.
Signals are polynomials: of a window u(t - x) = x^q, with its derivative in t, -q x^(q-1); of the past of [0, t], t^q.
By linearity that is every polynomial, and by density every differentiable signal.
"""

from __future__ import annotations

from functools import cache
from typing import cast

from proofs.derivation import main, proves
from proofs.hippo.legendre import (
    alternating,
    closed_moment,
    derivative_row,
    k,
    legendre_moments,
    moment,
    moments_of_neighbours,
    n,
    q,
    weighted,
)
from proofs.kernel import (
    Fact,
    additive,
    assume,
    congruence,
    conjunction,
    identity,
    induction,
    instantiate,
    rewrite,
    single,
    specialise,
    split,
)
from proofs.tactics.inequalities import settle
from proofs.tactics.products import (
    cancelled,
    falling,
    grow,
    inductively,
    lowered,
    moved_out,
    one,
    outermost,
    put_in,
    raised,
    rising,
    sign,
    square_of_sign,
    zero,
)
from proofs.terms import (
    Add,
    And,
    Eq,
    Index,
    Nat,
    Nonzero,
    Sum,
    Term,
    for_all,
    index,
    index_le,
    scalar,
    sequence,
    size,
    substitute,
    summation,
)

half = one / 2
N, j, r, J = (size(name) for name in ("N", "j", "r", "J"))
u, z = scalar("u"), scalar("z")
d, c = sequence("d"), sequence("c")
scaled = {"scales_not_zero": for_all(k, Nonzero(d(k)))}
state = c(k) / d(k)  # ∫ u p_k, from the scaled state


# ------------------------------------------------------------------------------------------- the window's ODE


@proves(
    And(
        (
            Eq(-Nat(q + 1) * moment(n, q) - derivative_row(n, moment(k, q + 1)), -sign(n)),
            Eq(-derivative_row(n, moment(k, 0)), one - sign(n)),
        )
    )
)
def legt_window() -> Fact:
    """The sums of (2k+1) μ_kq and of (-1)^k (2k+1) μ_kq are multiples of μ_nq, and that is one of μ_n(q+1)."""
    first, constant = (cast(Eq, part) for part in cast(And, legt_window.conclusion).parts)
    sums = [instantiate(fact, {"q": q + 1}) for fact in (far_end(), near_end())]
    given = [*sums, higher_power(), square_of_sign(n)]
    times = put_in(Nat(q + 1) * first.lhs, Nat(q + 1) * first.rhs, (), given)
    at_constant = [instantiate(far_end(), {"q": index(0)}), near_end_of_one(), one_is_orthogonal(), square_of_sign(n)]
    return conjunction(
        cancelled(times, first.lhs, first.rhs, Nat(q + 1)),
        put_in(constant.lhs, constant.rhs, (), at_constant),
    )


@cache
def far_end() -> Fact:
    """Sum over k < n of (-1)^k (2k+1) μ_kq = 1 - (q+n+1) (-1)^n μ_nq."""
    at = moment(k, q)
    statement = Eq(alternating(n, at), one - Nat(q + n + 1) * (sign(n) * moment(n, q)))
    growth = grow(alternating(n + 1, at), sign(n + 1))
    return inductively(statement, n, growth, [moments_of_neighbours()], grow(moment(0, q)))


@cache
def near_end() -> Fact:
    """q times the sum over k < n of (2k+1) μ_kq = -n (n+q+1) μ_nq."""
    at = moment(k, q)
    statement = Eq(Nat(q) * weighted(n, at), -Nat(n) * Nat(n + q + 1) * moment(n, q))
    return inductively(statement, n, grow(weighted(n + 1, at)), [moments_of_neighbours()])


@cache
def one_is_orthogonal() -> Fact:
    """n μ_n0 = 0."""
    statement = Eq(Nat(n) * moment(n, 0), zero)
    base = put_in(Nat(index(0)) * moment(0, 0), zero)
    raised = instantiate(moments_of_neighbours(), {"q": index(0)})
    nought = put_in(Nat(n + 2) * moment(n + 1, 0), zero, (), [raised, assume(statement)])
    gone = cancelled(nought, moment(n + 1, 0), zero, Nat(n + 2))
    return induction(statement, n, base, put_in(Nat(n + 1) * moment(n + 1, 0), zero, (), [gone]))


@cache
def near_end_of_one() -> Fact:
    """Sum over k < n of (2k+1) μ_k0 = 1 - μ_n0, which is 1 as soon as n > 0."""
    at = moment(k, 0)
    raised = instantiate(moments_of_neighbours(), {"q": index(0)})
    given = [one_is_orthogonal(), instantiate(one_is_orthogonal(), {"n": n + 1}), raised]
    statement = Eq(weighted(n, at), one - moment(n, 0))
    return inductively(statement, n, grow(weighted(n + 1, at)), given, grow(moment(0, 0)))


def higher_power() -> Fact:
    """(q+1)² μ_nq = (q+n+2) (q+1-n) μ_n(q+1)."""
    values = [legendre_moments.fact, instantiate(legendre_moments.fact, {"q": q + 1})]
    given = [lowered(q, n), raised(q + 1, n + 1), *grow(falling(q + 1, n + 1), rising(q + 1, n + 2))]
    rhs = Nat(q + n + 2) * (Nat(q + 1) - Nat(n)) * moment(n, q + 1)
    return put_in(Nat(q + 1) * Nat(q + 1) * moment(n, q), rhs, values, given)


# ------------------------------------------------------------------------------------------- the table of LegT
def entry(n: Index, k: Index) -> Term:
    """(2k+1) d_n/d_k."""
    return Nat(2 * k + 1) * (d(n) / d(k))


def low(n: Index, k: Index) -> Term:
    """A_nk of LegT for k <= n, and of LegS for k < n."""
    return -entry(n, k)


def high(n: Index, k: Index) -> Term:
    """A_nk of LegT for k > n."""
    return -(sign(n) * sign(k) * entry(n, k))


@proves(
    Eq(
        d(n) * (derivative_row(n, state) + u - sign(n) * alternating(N, state)),
        summation(k, 0, n, low(n, k) * c(k)) + summation(k, n + 1, N - 1, high(n, k) * c(k)) + d(n) * u,
    ),
    {"n_below_N": index_le(n + 1, N), **scaled},
)
def legt_matrix() -> Fact:
    """The far end u(t - 1) is read off the reconstruction, the sum of p_k(1) (2k+1) c_k/d_k with p_k(1) = (-1)^k;
    what of it lies below the diagonal cancels the alternating half of the derivative matrix."""
    goal = cast(Eq, legt_matrix.conclusion)
    plain, signed = Nat(2 * k + 1) * state, sign(k) * (Nat(2 * k + 1) * state)
    below = moved_out(k, 0, n, low(n, k) * c(k), -d(n), plain)
    above = moved_out(k, n + 1, N - 1, high(n, k) * c(k), -(d(n) * sign(n)), signed)
    values = [*grow(alternating(n + 1, state), weighted(n + 1, state))]
    cut = split(alternating(N, state), n)
    fact = put_in(goal.lhs, goal.rhs, [below, above, cut, *values], [square_of_sign(n)])
    return settle(fact, scale_not_zero(n))


def scale_not_zero(i: Index) -> Fact:
    """d_i is not 0."""
    return specialise(assume(scaled["scales_not_zero"]), i)


# -------------------------------------------------------------------------------------------------------- LegS
def past(k: Index, moment: Term) -> Term:
    """c_k(t)/t^q for u = t^q: d_k ∫ r^q P_k(2r - 1) dr over 0..1, and P_k(2r - 1) = (-1)^k p_k(r)."""
    return d(k) * (sign(k) * moment)


held = past(k, closed_moment(k, q))


@proves(
    Eq(
        Nat(q) * past(n, moment(n, q)),
        summation(k, 0, n - 1, low(n, k) * held) - Nat(n + 1) * past(n, closed_moment(n, q)) + d(n),
    ),
    scaled,
)
def legs_matrix() -> Fact:
    """t c' = q c for u = t^q; the sum of (2k+1) times the moments with alternating signs is known in closed form."""
    goal = cast(Eq, legs_matrix.conclusion)
    inner = sign(k) * (Nat(2 * k + 1) * moment(k, q))
    known = legendre_moments.fact, instantiate(legendre_moments.fact, {"n": k})
    below = moved_out(k, 0, n - 1, low(n, k) * held, -d(n), inner, known[1])
    return put_in(goal.lhs, goal.rhs, [below], [far_end(), known[0]])


# --------------------------------------------------------------------------------------------------- read-outs
def weight(n: Index) -> Term:
    """g_n = (2n+1)/d_n."""
    return Nat(2 * n + 1) / d(n)


read_out = -(Nat(2 * k + 1) / d(k)) * (Nat(N) * Nat(N) - Nat(k) * Nat(k + 1))
feedthrough = Eq(summation(n, 0, N - 1, weight(n) * d(n)), Nat(N) * Nat(N))


@proves(
    And(
        (
            Eq(
                summation(n, 0, k - 1, weight(n) * high(n, k)) + summation(n, k, N - 1, weight(n) * low(n, k)),
                read_out,
            ),
            feedthrough,
        )
    ),
    {"k_below_N": index_le(k + 1, N), **scaled},
)
def legt_readout() -> Fact:
    """The odd numbers 2n+1 add up to N² - k² from k on; with alternating signs, below k, to -(-1)^k k."""
    goal = cast(Eq, cast(And, legt_readout.conclusion).parts[0])
    signed = sign(n) * odd
    before = moved_out(n, 0, k - 1, weight(n) * high(n, k), -(sign(k) * share), signed)
    alternate = Eq(summation(n, 0, k - 1, signed), -(sign(k) * Nat(k)))
    sums = inductively(alternate, k, grow(summation(n, 0, k, signed), sign(k + 1)))
    rows = split(summation(n, k, N - 1, weight(n) * low(n, k)), k)
    diagonal = single(summation(n, k, k, weight(n) * low(n, k)))
    fact = put_in(
        goal.lhs, goal.rhs, [before, rows, diagonal, later_rows()], [sums, instantiate(square_of_sign(n), {"n": k})]
    )
    return conjunction(settle(fact, scale_not_zero(k)), prove_feedthrough())


@proves(
    And(
        (
            Eq(
                weight(k) * -Nat(k + 1) + summation(n, k + 1, N - 1, weight(n) * low(n, k)),
                read_out,
            ),
            feedthrough,
        )
    ),
    legt_readout.hypotheses,
)
def legs_readout() -> Fact:
    """As for LegT, whose column k differs from k + 1 on by nothing, and up to k by what adds up to the same."""
    goal = cast(Eq, cast(And, legs_readout.conclusion).parts[0])
    fact = put_in(goal.lhs, goal.rhs, [later_rows()])
    return conjunction(settle(fact, scale_not_zero(k)), prove_feedthrough())


def odd_numbers(last: Index) -> Fact:
    """Sum over n < last of 2n+1 = last²."""
    squares = Eq(summation(n, 0, N - 1, Nat(2 * n + 1)), Nat(N) * Nat(N))
    every = inductively(squares, N, grow(summation(n, 0, N, Nat(2 * n + 1))))
    return instantiate(every, {"N": last})


odd, share = Nat(2 * n + 1), Nat(2 * k + 1) / d(k)
later = summation(n, k + 1, N - 1, weight(n) * low(n, k))


def later_rows() -> Fact:
    """Sum over n = k+1..N-1 of g_n times -(2k+1) d_n/d_k = -(2k+1)/d_k (N² - (k+1)²)."""
    moved = moved_out(n, k + 1, N - 1, weight(n) * low(n, k), -share, odd)
    sums = [split(summation(n, 0, N - 1, odd), k), odd_numbers(N), odd_numbers(k + 1)]
    return put_in(later, -share * (Nat(N) * Nat(N) - Nat(k + 1) * Nat(k + 1)), [moved], sums)


def prove_feedthrough() -> Fact:
    """g_n B_n = 2n+1."""
    each = identity(weight(n) * d(n), odd)
    return rewrite(congruence(each, Sum, n, 0, N - 1), odd_numbers(N))


# ------------------------------------------------------------------------------------------------- NPLR forms
x = sequence("x")
row = -weighted(n + 1, x(k)) - sign(n) * summation(k, n + 1, N - 1, sign(k) * (Nat(2 * k + 1) * x(k)))
ends = weighted(N, x(k)), alternating(N, x(k))  # the reconstruction now, and at the far end


@proves(
    Eq(
        summation(n, 0, N - 1, Nat(2 * n + 1) * x(n) * row),
        -half * (ends[0] * ends[0]) - half * (ends[1] * ends[1]),
    )
)
def legt_nplr() -> Fact:
    """The signed sum over k > n is that over k < N less that over k <= n; the first moves out, the rest adds up."""
    goal = cast(Eq, legt_nplr.conclusion)
    weight = Nat(2 * n + 1) * x(n)
    inner = weight * (sign(n) * alternating(n + 1, x(k)) - weighted(n + 1, x(k)))
    outer = -ends[1] * (sign(n) * weight)
    summed = cut_in_two(weight * row, inner, outer, split(ends[1], n))
    moved = moved_out(n, 0, N - 1, outer, -ends[1], sign(n) * (Nat(2 * n + 1) * x(n)))
    rest = summation(n, 0, N - 1, inner)
    adds_up = Eq(rest, half * (ends[1] * ends[1]) - half * (ends[0] * ends[0]))
    values = [substitute(value, {"N": N + 1}) for value in (rest, *ends)]
    closed = inductively(adds_up, N, grow(*values), [instantiate(square_of_sign(n), {"n": N})])
    return put_in(goal.lhs, goal.rhs, [summed, moved], [closed])


def cut_in_two(body: Term, inner: Term, outer: Term, *by: Fact) -> Fact:
    """The sum over n < N of the body is that of `inner` and that of `outer`, into which the values cut it."""
    each = put_in(body, Add((inner, outer)), by)
    return rewrite(congruence(each, Sum, n, 0, N - 1), additive(n, 0, N - 1, [inner, outer]))


mass = Nat(2 * n + 1) / d(n) / d(n)
reconstructed = summation(k, 0, N - 1, Nat(2 * k + 1) / d(k) * c(k))
drift = summation(k, 0, n - 1, low(n, k) * c(k)) - Nat(n + 1) * c(n)


@proves(
    Eq(
        summation(n, 0, N - 1, mass * (c(n) * drift)),
        -half * summation(n, 0, N - 1, mass * (c(n) * c(n))) - half * (reconstructed * reconstructed),
    ),
    scaled,
)
def legs_nplr() -> Fact:
    """By induction on N: the new row meets the sum over those before, which is the reconstruction from them."""
    goal = cast(Eq, legs_nplr.conclusion)
    first, following = (substitute(goal, {"N": index(i)}) for i in (0, N + 1))
    shares = Nat(2 * k + 1) / d(k) * c(k)
    row = instantiate(moved_out(k, 0, n - 1, low(n, k) * c(k), -d(n), shares), {"n": N})
    sums = grow(*(substitute(x, {"N": N + 1}) for x in outermost(goal)))
    step = put_in(following.lhs, following.rhs, [*sums, row], [assume(goal)])
    return induction(goal, N, put_in(first.lhs, first.rhs), settle(step, scale_not_zero(N)))


if __name__ == "__main__":
    main(__doc__)
