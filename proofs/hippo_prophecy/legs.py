"""HiPPO-Prophecy (arXiv 2407.09375), continued: what LegS makes of powers of t, its error integral, its time scale.

What was read: see `proofs/hippo_prophecy/fout.py`. LegS projects all of the past, [0, t], on Legendre polynomials:
t c' = A c + B u, which is exact for the exact coefficients. Its read-out is y = (1/t)(B'A c + N² u).

| symbol | meaning |
| --- | --- |
| N, n | states; number of a state |
| ρ | u = t^ρ, any real power above -1; so u' = ρ u/t. What holds for each power holds for their sums |
| μ_n | moment of P_n: the mean over [0, 1] of r^ρ P_n(2r - 1). The state c_n is √(2n+1) μ_n u |
| V_N | ∏ (ρ + 1 - i)/(ρ + i), i = 1..N; μ_n = V_n/(ρ + n + 1) |
| S, F | means of r^(ρ-1) (P_N + P_{N-1}) and of r^(ρ-2) Φ_N, where Φ_N' = P_N + P_{N-1} and Φ_N(0) = 0 |

That the moments are V_n/(ρ + n + 1) is `hippo.legendre_moments` for natural ρ and every n, and so, as both sides are
rational in ρ, for every ρ: that step by hand, and `hippo_prophecy.legendre` goes through n <= 16 without it.

The states below are c_n/√(2n+1), so that nothing is irrational: A has the rows -(n+1) on the diagonal and -(2k+1)
before it, B is all 1, and B'A has the entries -(2k+1)(N² - k(k+1)).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from proofs.derivation import main, proves
from proofs.hippo_prophecy.fout import followed
from proofs.kernel import (
    Fact,
    additive,
    apart,
    assume,
    component,
    congruence,
    conjunction,
    empty,
    generalise,
    identity,
    induction,
    instantiate,
    linear,
    rewrite,
    single,
    split,
    squares,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import backwards, settle
from proofs.tactics.products import grow, inductively
from proofs.terms import (
    Add,
    And,
    Eq,
    Identity,
    Index,
    Lt,
    Mul,
    Nat,
    Sum,
    Symbol,
    Term,
    index,
    matrix,
    product,
    scalar,
    size,
    substitute,
    summation,
    term,
    vector,
)

N, n, k, i, j, l = (size(name) for name in "Nnkijl")
one = term(1)
rho, u, t = scalar("ρ"), scalar("u"), scalar("t")
integrable = Lt(term(-1), rho)


def V(last: Index | int, rho: Term = rho) -> Term:
    """(ρ/(ρ + 1)) ((ρ - 1)/(ρ + 2)) ... to `last` factors."""
    return product(i, 1, last, (rho + 1 - Nat(i)) / (rho + Nat(i)))


def moment(n: Index, rho: Term = rho) -> Term:
    """μ_n."""
    return V(n, rho) / (rho + Nat(n + 1))


def below(last: Index, body: Term) -> Term:
    """The sum over the states k < last."""
    return summation(k, 0, last - 1, body)


def above_zero(shift: Index) -> Fact:
    """ρ + 1 + shift is not 0, as ρ > -1."""
    return apart(squares(term(0), rho + Nat(shift + 1), Add((rho - term(-1), Nat(shift))), [integrable], strict=True))


# ------------------------------------------------------------------------------------------------ powers of t
odd = Nat(2 * k + 1)
drive = 1 - below(N, odd * moment(k))  # B u + A c, line N, without its diagonal, over u
readout = Nat(N) * Nat(N) * u - below(N, odd * (Nat(N) * Nat(N) - Nat(k) * Nat(k + 1)) * (moment(k) * u))  # t y


@proves(
    And(
        (
            Eq(rho * moment(N), drive - Nat(N + 1) * moment(N)),
            Eq(below(N, odd * moment(k)) - 1, -V(N)),
            Eq(readout - rho * u, -(rho * V(N) * u)),
        )
    ),
    {"integrable": integrable},
)
def legs_powers() -> Fact:
    """(2k+1) μ_k = V_k - V_{k+1} telescopes; and so does what the read-out makes of it, by induction on N.

    So uhat = (1 - V_N) u, and y is its derivative. V_N = 0 for the powers 0..N-1; ρ V_N has the root 0 twice, so that
    log t is differentiated exactly as well.
    """
    goals = [cast(Eq, part) for part in cast(And, legs_powers.conclusion).parts]
    sums, curved = recomposed(), curvature()
    line = equal(goals[0].lhs, goals[0].rhs, sums)
    value = equal(goals[1].lhs, goals[1].rhs, sums)
    square = Nat(N) * Nat(N)
    inner = [odd * moment(k), odd * Nat(k) * Nat(k + 1) * moment(k)]
    outer = [square * u, -u]
    products = [Mul((left, body)) for left, body in zip(outer, inner, strict=True)]
    body = odd * (square - Nat(k) * Nat(k + 1)) * (moment(k) * u)
    apart_ = congruence(settle(identity(body, Add(tuple(products))), above_zero(k)), Sum, k, 0, N - 1)
    apart_ = rewrite(apart_, additive(k, 0, N - 1, products))
    for left, part in zip(outer, inner, strict=True):
        apart_ = rewrite(apart_, linear(k, 0, N - 1, left, part))
    read = equal(goals[2].lhs, goals[2].rhs, apart_, sums, curved)
    return settle(conjunction(line, value, read), above_zero(N))


def telescoped(body: Term, value: Callable[[Index, Term], Term]) -> Fact:
    """The sum of `body` over the states below N is value(N, V_N), by induction on N."""
    statement = Eq(below(N, body), value(N, V(N)))
    fact = inductively(statement, N, grow(below(N + 1, body), V(N + 1)))
    return settle(fact, generalise(above_zero(N), N))


def recomposed() -> Fact:
    """The sum of (2k+1) μ_k is 1 - V_N, as (2N+1) μ_N = V_N - V_{N+1}."""
    return telescoped(odd * moment(k), lambda _, V: 1 - V)


def curvature() -> Fact:
    """The sum of (2k+1) k (k+1) μ_k is ρ - (ρ + N²) V_N: the slope of the recomposed input at its end."""
    body = odd * Nat(k) * Nat(k + 1) * moment(k)
    return telescoped(body, lambda N, V: rho - (rho + Nat(N) * Nat(N)) * V)


r = size("r")
degree: dict[Symbol, Term] = {Symbol("ρ", *rho.shape): Nat(j)}


def of_power(value: Term, states: Index) -> Term:
    """A term in N and ρ, for so many states and the power t^j."""
    return substitute(substitute(value, {"N": states}), families=dict(degree))


@proves(Eq(of_power(readout, j + 1 + r), Nat(j) * u))
def legs_polynomials() -> Fact:
    """V_N has the factor ρ + 1 - i = 0 at i = j + 1, for the power j < N."""
    fact = component(instantiate(legs_powers.fact, {"N": j + 1 + r}, dict(degree)), 2)
    whole, until_j = (of_power(V(N), states) for states in (j + 1 + r, j + 1))
    factors = rewrite(split(whole, j + 1), unfold(until_j))
    nought = followed(factors, term(0))
    least = squares(term(-1), Nat(j), Nat(j + 1), strict=True)
    defined = [apart(squares(term(0), Nat(j) + Nat(j + 1), Nat(2 * j + 1), strict=True))]
    fact = followed(rewrite(fact, nought), term(0))
    goal = cast(Eq, legs_polynomials.conclusion)
    return settle(equal(goal.lhs, goal.rhs, fact), least, *defined)


# -------------------------------------------------------------------------------------------- the error integral
positive = Lt(term(0), rho)
earlier = rho - 1
S, F = scalar("S"), scalar("F")
value_error, slope_error = -(rho / 2 * S), -(rho * (rho - 1) / 2 * (S - F))


@proves(
    And((Eq(value_error, -V(N + 1)), Eq(slope_error, -(rho * V(N + 1))))),
    {
        "moments": Eq(S, moment(N + 1, earlier) + moment(N, earlier)),
        "by_parts": Eq((rho - 1) * F, -S),
        "integrable": positive,
    },
)
def legs_error_integral() -> Fact:
    """V_{N+1}(ρ) = ρ² V_N(ρ-1)/((ρ+N)(ρ+N+1)), by induction on N, and so the two moments add up.

    For u = t^ρ the claim is: the value error is -(t/2) ∫ u'(tr) (P_N + P_{N-1})(2r-1) dr, and for N >= 2 that of y is
    -(t/2) ∫ u''(tr) κ(r) dr, κ(r) = r (P_N + P_{N-1})(2r-1) - Φ_N(r), over [0, 1]; here with N + 1 states. `by_parts`
    is an integration by parts, as Φ_N(1) = 0. By hand: that it then holds for every u with two continuous derivatives,
    for polynomials approximate u'' uniformly.
    """
    moments, by_parts, _ = (assume(h) for h in legs_error_integral.hypotheses.values())
    closed = later()
    summed = rewrite(moments, unfold(V(N + 1, earlier)))
    goals = [cast(Eq, part) for part in cast(And, legs_error_integral.conclusion).parts]
    written_out = cast(Eq, summed.conclusion).rhs, cast(Eq, closed.conclusion).rhs
    value = identity(-(rho / 2 * written_out[0]), -written_out[1])
    value = rewrite(rewrite(value, backwards(summed)), backwards(closed))
    slope = equal(goals[1].lhs, goals[1].rhs, by_parts, value)
    return settle(conjunction(value, slope), *from_zero())


def later() -> Fact:
    """V_{N+1}(ρ) from V_N(ρ - 1)."""

    def value(N: Index, V: Term) -> Term:
        return rho * rho * V / ((rho + Nat(N)) * (rho + Nat(N + 1)))

    statement = Eq(V(N + 1), value(N, V(N, earlier)))
    ends = value(index(0), one), value(index(0), V(0, earlier))
    base = rewrite(followed(single(V(1)), ends[0]), equal(*ends, empty(V(0, earlier))))
    longer = unfold(V(N + 1, earlier))
    step = rewrite(unfold(V(N + 2)), assume(statement))
    step = rewrite(followed(step, value(N + 1, cast(Eq, longer.conclusion).rhs)), backwards(longer))
    return induction(statement, N, base, settle(step, *from_zero()))


def from_zero() -> list[Fact]:
    """What the moments are divided by is not 0, as ρ > 0."""
    a, b, c = (rho + Nat(N + shift) for shift in (0, 1, 2))
    before = [(earlier + Nat(N + shift + 1), rho + Nat(N + shift)) for shift in (0, 1)]
    pairs = [*((x, x) for x in (b, c, a * b, b * c)), *before]
    facts = [apart(squares(term(0), x, shown, [positive], strict=True)) for x, shown in pairs]
    return facts + [instantiate(fact, {"N": index(0)}) for fact in facts]


# ------------------------------------------------------------------------------------------------ the time scale
A, B = matrix("A", n, n), vector("B", n)
c, moved, old = vector("c", n), vector("c'", n), scalar("a")
delta, alpha, step_count = scalar("δ"), scalar("α"), scalar("k")
now = step_count * delta


@proves(
    And(
        (
            Eq(t * (old * moved), A @ c + u * B),
            Eq(Identity(n) - alpha * delta / now * A, Identity(n) - alpha / step_count * A),
            Eq(delta / now * B, 1 / step_count * B),
        )
    ),
    {
        "at_a_times_t": Eq(old * t * moved, A @ c + u * B),
        "step_not_empty": Lt(term(0), delta),
        "not_at_the_start": Lt(term(0), step_count),
    },
)
def legs_time_scale() -> Fact:
    """c(at) has the derivative a c'(at); and a step δ at time kδ divides A/(kδ), so that δ cancels."""
    given = list(map(assume, legs_time_scale.hypotheses.values()))
    signs = [Lt(term(0), delta), Lt(term(0), step_count)]
    defined = [apart(squares(term(0), x, x, signs, strict=True)) for x in (step_count, now)]
    goals = [cast(Eq, part) for part in cast(And, legs_time_scale.conclusion).parts]
    stretched = rewrite(identity(goals[0].lhs, old * t * moved), given[0])
    facts = [stretched, *(identity(goal.lhs, goal.rhs) for goal in goals[1:])]
    return settle(conjunction(*facts), *defined)


if __name__ == "__main__":
    main(__doc__)
