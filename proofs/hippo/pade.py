"""HiPPO-LegT's read-out of u', exactly: what it misses is -[s^(N+1)/Q_N(s)] u, with a Padé denominator Q_N of e^(-s).

Source: stated here, of the construction in "HiPPO-Prophecy" (arXiv 2407.09375), whose code was read, not its body.

| symbol | shape | meaning |
| --- | --- | --- |
| p_n, μ_nq | | Legendre polynomials on the window and their moments: see `proofs/hippo/legendre.py` |
| M, g₀, g₁, A | (N, N), (N, 1), (N, 1), (N, N) | as in `window.py`: A = M - g₁g₁', B = g₀, C = g₀'A, D = g₀'g₀ |
| s, z | scalars | rate of a signal u = e^(st), and 1/s |
| w | (N, 1) | the steady state it leads to, s w = A w + g₀ |
| ℓ | (N, 1) | (sI + M)^-1 g₀ |
| ℓ_n(z) | scalars | for Legendre, unscaled: ∫ p_n(-x) e^(-sx) dx over x > 0, the sum over j of (-1)^j j! p_nj z^(j+1) |
| Q_N(s) | scalar | the sum over i <= N of q_i s^(N-i), q_i = (-1)^i (-N)_i (N)_i / i! = N (N+i-1)! / ((N-i)! i!) |

Together: 1 + ℓ'g₀ = Q_N(s)/s^N, so u - g₀'w u = [s^N/Q_N(s)] u is what the reconstruction misses now, and s times
that the read-out, g₀'(A w + g₀) = s g₀'w. `legt_error` says it of LegT's matrix itself. What is classical for
determinants makes that Q_N = det(sI - A): as A = -M' - g₀g₀', and M is strictly triangular, this is s^N (1 + ℓ'g₀).
And det(sI - K) = s^(N+1) for the closed loop K, since by `closed_loop` a power of it is 0. The catalogue checks both
exactly for a range of N.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import cast

from proofs.derivation import main, proves
from proofs.gd_ssm.one_step import at, modulo, t
from proofs.hippo.legendre import (
    alternating,
    coefficient,
    derivative_row,
    k,
    legendre_moments,
    moment,
    multiples,
    n,
    no_higher_power,
    q,
    weighted,
)
from proofs.hippo.legt import cut_in_two, far_end, near_end, near_end_of_one, row, x
from proofs.hippo.window import A, M, by_parts, g0
from proofs.kernel import (
    Fact,
    assume,
    conjunction,
    empty,
    identity,
    induction,
    instantiate,
    rewrite,
    specialise,
    split,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.products import (
    cancelled,
    factorial,
    falling,
    grow,
    inductively,
    lowered,
    moved_out,
    one,
    power,
    put_in,
    raised,
    rising,
    sign,
    square_of_sign,
    zero,
)
from proofs.terms import (
    And,
    Eq,
    Index,
    Mul,
    Nat,
    Term,
    for_all,
    index,
    product,
    scalar,
    sequence,
    size,
    substitute,
    summation,
    vector,
)

N, T, l, r, i, j, m, J = (size(name) for name in ("N", "T", "l", "r", "i", "j", "m", "J"))
s, z = scalar("s"), scalar("z")


# ------------------------------------------------------------------------------------- the error of an observer
ell, w, v = (vector(name, N) for name in ("ℓ", "w", "v"))
gain = 1 + ell.T @ g0
read = g0.T @ A @ w + g0.T @ g0
resolved = {"by_parts": by_parts, "resolvent_of_M": Eq(s * ell, g0 - M @ ell)}


@proves(
    And((Eq(gain * (1 - g0.T @ w), one), Eq(gain * (read - s), -s))),
    {**resolved, "steady_state": Eq(s * w, A @ w + g0)},
)
def observer_error() -> Fact:
    """ℓ'w, with sℓ and with s w in its place: by parts, g₀'w (1 + ℓ'g₀) = ℓ'g₀. And the read-out is g₀'(s w)."""
    given = [assume(h) for h in observer_error.hypotheses.values()]
    products = taken_twice(w, *given)
    read_twice = rewrite(identity(s * (g0.T @ w), Mul((g0.T, s * w))), given[2])
    value, derivative = cast(Sequence[Eq], cast(And, observer_error.conclusion).parts)
    return conjunction(
        equal(value.lhs, value.rhs, *products),
        equal(derivative.lhs, derivative.rhs, *products, read_twice),
    )


@proves(Eq(gain * (g0.T @ v), zero), {**resolved, "eigenvector": Eq(s * v, A @ v)})
def observer_modes() -> Fact:
    """As before, without an input."""
    goal = cast(Eq, observer_modes.conclusion)
    return equal(goal.lhs, goal.rhs, *taken_twice(v, *(assume(h) for h in observer_modes.hypotheses.values())))


def taken_twice(w: Term, parts: Fact, resolvent: Fact, steady: Fact) -> tuple[Fact, Fact, Fact]:
    """s w'ℓ by the equation of ℓ, by that of w, and w'M ℓ by parts."""
    return (
        rewrite(identity(s * (w.T @ ell), Mul((w.T, s * ell))), resolvent),
        rewrite(identity(s * (w.T @ ell), Mul((ell.T, s * w))), steady),
        rewrite(identity(w.T @ M @ ell, Mul((ell.T, M.T, w))), parts),
    )


looped, fed = sequence("x", N), sequence("u")


@proves(
    Eq(looped(T + 1), product(l, 1, T, -M.T) @ looped(1)),
    {
        "by_parts": by_parts,
        "states": for_all(t, Eq(looped(t + 1), A @ looped(t) + fed(t) * g0)),
        "read_out": for_all(t, Eq(fed(t + 1), g0.T @ looped(t + 1))),
    },
)
def legt_closed_loop() -> Fact:
    """(A + g₀g₀') x = -M'x, by parts: from the first on, each power of K = [[A, B], [C, D]] costs one of -M'."""
    parts, states, reads = (assume(h) for h in legt_closed_loop.hypotheses.values())
    turns = product(l, 1, t, -M.T)
    statement = Eq(looped(t + 1), turns @ looped(1))
    base = modulo(looped(1), at(statement.rhs, 0), empty(at(turns, 0)))
    moved = rewrite(instantiate(specialise(states, t), {"t": t + 1}), specialise(reads, t))
    grown = modulo(looped(t + 2), at(statement.rhs, t + 1), assume(statement), unfold(at(turns, t + 1)), parts, moved)
    return instantiate(induction(statement, t, base, grown), {"t": T})


# ------------------------------------------------------------------------------------------ exact on polynomials


@proves(
    And(
        (
            Eq(alternating(q + 1 + r, moment(k, q)), one),
            Eq(weighted(q + 2 + r, moment(k, q + 1)), zero),
            Eq(weighted(1 + r, moment(k, 0)), one),
        )
    )
)
def legt_exact_on_polynomials() -> Fact:
    """The sums end in a multiple of μ_Nq, which has the factor q - q if N > q."""
    degree = q + 1 + r
    factor = split(falling(q, degree), q)
    factor = rewrite(factor, unfold(falling(q, q + 1)))
    factor = rewrite(factor, identity(cast(Eq, factor.conclusion).rhs, zero))
    gone = put_in(moment(degree, q), zero, [instantiate(legendre_moments.fact, {"n": degree})], [factor])
    far = put_in(alternating(degree, moment(k, q)), one, (), [instantiate(far_end(), {"n": degree}), gone])
    near = instantiate(near_end(), {"n": degree + 1, "q": q + 1})
    here = weighted(degree + 1, moment(k, q + 1))
    nought = put_in(Nat(q + 1) * here, zero, (), [near, instantiate(gone, {"q": q + 1})])
    constant = [instantiate(near_end_of_one(), {"n": r + 1}), instantiate(gone, {"q": index(0)})]
    at_one = put_in(weighted(1 + r, moment(k, 0)), one, (), constant)
    return conjunction(far, cancelled(nought, here, zero, Nat(q + 1)), at_one)


# ------------------------------------------------------------------------------------ the denominator, for every N
def transform(n: Index | int, last: Index | None = None) -> Term:
    """ℓ_n(z), the sum over j <= last of (-1)^j j! p_nj z^(j+1)."""
    body = sign(j) * factorial(j) * coefficient(n, j) * power(z, j + 1)
    return summation(j, 0, n if last is None else last, body)


def denominator(N: Index | int, last: Index | None = None) -> Term:
    """z^N Q_N(1/z), the sum over i <= last of (-1)^i (-N)_i (N)_i / i! z^i."""
    body = sign(j) * (falling(N, j) * rising(N, j) / factorial(j)) * power(z, j)
    return summation(j, 0, N if last is None else last, body)


@proves(
    And(
        (
            Eq(transform(n) + z * derivative_row(n, transform(k)), z),
            Eq(denominator(N) - weighted(N, transform(k)), one),
        )
    )
)
def legt_denominator() -> Fact:
    """The three-term relation of the derivatives makes ℓ_(n+2) - ℓ_n = 2(2n+3) z ℓ_(n+1), whence the first part as for
    the derivative matrix; and z^N Q_N(1/z) grows by (2N+1) ℓ_N with N."""
    return conjunction(prove_resolvent(), prove_sum())


resolvent, total_is = (cast(Eq, part) for part in cast(And, legt_denominator.conclusion).parts)


@cache
def prove_resolvent() -> Fact:
    """ℓ_n + z (M ℓ)_n = z, by induction on n."""
    each = transform(k)
    growth = grow(alternating(n + 1, each), weighted(n + 1, each), sign(n + 1))
    pair = rewrite(neighbouring_transforms(), unfold(weighted(n + 1, each)))
    return inductively(resolvent, n, growth, [pair, square_of_sign(n)], grow(transform(0), power(z, 1)))


@cache
def prove_sum() -> Fact:
    """z^N Q_N(1/z) - sum over k < N of (2k+1) ℓ_k = 1, by induction on N."""
    return inductively(total_is, N, grow(weighted(N + 1, transform(k))), [denominators_differ()], grow(denominator(0)))


def neighbouring_transforms() -> Fact:
    """ℓ_(n+1) + ℓ_n = 2z + 2z times the sum over k <= n of (2k+1) ℓ_k, by induction on n."""
    at = transform(k)
    statement = Eq(transform(n + 1) + transform(n), 2 * z + 2 * z * weighted(n + 1, at))
    powers = grow(falling(1, 1), rising(2, 1), factorial(1), sign(1), power(z, 1), power(z, 2))
    start = grow(transform(1), transform(1, index(0)), transform(0), weighted(1, at))
    return inductively(statement, n, grow(weighted(n + 2, at)), [three_transforms()], [*start, *powers])


def three_transforms() -> Fact:
    """ℓ_(n+2) - ℓ_n = 2(2n+3) z ℓ_(n+1): up to j = J on the left, J - 1 on the right, by induction on J."""
    partial = Eq(transform(n + 2, J) - transform(n, J), 2 * Nat(2 * n + 3) * z * transform(n + 1, J - 1))
    sums = grow(transform(n + 2, J + 1), transform(n, J + 1), transform(n + 1, J))
    given = [*multiples(n, J), *grow(sign(J + 1), power(z, J + 2))]
    every = inductively(partial, J, sums, given, grow(transform(n + 2, index(0)), transform(n, index(0))))
    gone = no_higher_power(n), put_in(coefficient(n, n + 2), zero, (), [*grow(falling(n, n + 2), falling(n, n + 1))])
    ends = [rewrite(unfold(transform(n, n + i)), each) for i, each in enumerate(gone, 1)]
    goal = substitute(partial, {"J": n + 2})
    return put_in(transform(n + 2) - transform(n), goal.rhs, (), [instantiate(every, {"J": n + 2}), *ends])


def denominators_differ() -> Fact:
    """z^(N+1) Q_(N+1)(1/z) - z^N Q_N(1/z) = (2N+1) ℓ_N: up to i = J on the left, j = J - 1 on the right."""
    partial = Eq(denominator(N + 1, J) - denominator(N, J), Nat(2 * N + 1) * transform(N, J - 1))
    sums = grow(denominator(N + 1, J + 1), denominator(N, J + 1), transform(N, J))
    growth = grow(falling(N, J + 1), rising(N + 1, J + 1), factorial(J + 1), sign(J + 1), power(z, J + 1))
    given = [lowered(N, J), raised(N, J), *growth]
    every = inductively(partial, J, sums, given, grow(denominator(N + 1, index(0)), denominator(N, index(0))))
    factor = put_in(falling(N, N + 1), zero, (), grow(falling(N, N + 1)))
    top = unfold(denominator(N, N + 1))
    member = cast(Eq, top.conclusion).rhs.terms[1]  # type: ignore[attr-defined]
    top = rewrite(top, put_in(member, zero, (), [factor]))
    rhs = Nat(2 * N + 1) * transform(N)
    return put_in(denominator(N + 1) - denominator(N), rhs, (), [instantiate(every, {"J": N + 1}), top])


# --------------------------------------------------------------------- the error of LegT, with its matrix, for every N
seen = weighted(N, x(k))  # the reconstruction now
unsettled = x(n) - z * row - z  # of x = z (A x + B), in the scale d = 1
share = Nat(2 * n + 1) * transform(n)


@proves(Eq(summation(n, 0, N - 1, share * unsettled) + z * (denominator(N) * (1 - seen)), z))
def legt_error() -> Fact:
    """The signed sum over k > n is that over k < N less that over k <= n. What then depends on N alone moves out, and
    the rest adds up, row by row, as ℓ_n = z (1 + sum of (2k+1) ℓ_k - (-1)^n times the signed sum)."""
    goal = cast(Eq, legt_error.conclusion)
    whole, part = alternating(N, x(k)), alternating(n + 1, x(k))
    outer = z * whole * (sign(n) * share)
    inner = share * (x(n) + z * weighted(n + 1, x(k)) - z * sign(n) * part - z)
    summed = cut_in_two(share * unsettled, inner, outer, split(whole, n))
    signed = alternating(N, transform(k))
    moved = moved_out(n, 0, N - 1, outer, z * whole, sign(n) * share)
    rest = summation(n, 0, N - 1, inner)
    total = weighted(N, transform(k))
    adds_up = Eq(rest, z * ((total + 1) * seen - signed * whole - total))
    values = [substitute(value, {"N": N + 1}) for value in (rest, total, seen, signed, whole)]
    given = [instantiate(fact, {"n": N}) for fact in (prove_resolvent(), square_of_sign(n))]
    closed = inductively(adds_up, N, grow(*values), given)
    return put_in(goal.lhs, goal.rhs, [summed, moved], [closed, prove_sum()])


# ------------------------------------------------------------------------------------------------ Padé, every order
def summand(N: Index | int, i: Index | int) -> Term:
    """(-N)_i (N)_i / (i! (m+1)_i): times (-1)^m/m! it is q_i times the coefficient of s^(m+i) in e^(-s)."""
    return falling(N, i) * rising(N, i) / (factorial(i) * rising(m + 1, i))


def product_coefficient(N: Index | int, last: Index | int | None = None) -> Term:
    """The sum over i <= last of that; up to N it is the coefficient of s^(N+m) in Q_N(s) e^(-s), times (-1)^m m!."""
    return summation(i, 0, N if last is None else last, summand(N, i))


@proves(Eq(product_coefficient(N), sign(N) * falling(m, N) / rising(m + 1, N)))
def pade_order() -> Fact:
    """By induction on N: the sums S_N obey (m+N+1) S_(N+1) = (m-N) S_N, for up to i = J the difference of the two sides
    is (2N+1) (-N)_J (N+1)_J / (J! (m+1)_J), by induction on J."""
    goal = cast(Eq, pade_order.conclusion)
    first, following = (substitute(goal, {"N": index(value)}) for value in (0, N + 1))
    base = put_in(first.lhs, first.rhs, grow(product_coefficient(0)))
    quotient = (Nat(m) - Nat(N)) * goal.rhs / Nat(m + N + 1)
    step = cancelled(rewrite(orders_of_neighbours(), assume(goal)), following.lhs, quotient, Nat(m + N + 1))
    value = put_in(quotient, following.rhs, grow(falling(m, N + 1), rising(m + 1, N + 1), sign(N + 1)))
    return induction(goal, N, base, rewrite(step, value))


def orders_of_neighbours() -> Fact:
    """(m+N+1) S_(N+1) = (m-N) S_N."""
    sums = product_coefficient(N + 1, J), product_coefficient(N, J)
    rest = Nat(2 * N + 1) * (falling(N, J) * rising(N + 1, J) / (factorial(J) * rising(m + 1, J)))
    partial = Eq(Nat(m + N + 1) * sums[0] - (Nat(m) - Nat(N)) * sums[1], rest)
    following, starts = ([substitute(x, {"J": index(value)}) for x in sums] for value in (J + 1, 0))
    powers = grow(falling(N, J + 1), rising(N + 1, J + 1), factorial(J + 1), rising(m + 1, J + 1))
    every = inductively(partial, J, grow(*following), [lowered(N, J), raised(N, J), *powers], grow(*starts))
    factor = grow(falling(N, N + 1))
    end = instantiate(every, {"J": N + 1})
    ended = rewrite(unfold(product_coefficient(N, N + 1)), put_in(summand(N, N + 1), zero, (), factor))
    none = put_in(cast(Eq, end.conclusion).rhs, zero, (), factor)
    given = [rewrite(end, none), ended]
    lhs = Nat(m + N + 1) * product_coefficient(N + 1)
    return put_in(lhs, (Nat(m) - Nat(N)) * product_coefficient(N), (), given)


if __name__ == "__main__":
    main(__doc__)
