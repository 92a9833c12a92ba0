"""HiPPO-Prophecy (arXiv 2407.09375), continued: the error bound of the Fourier basis, as read and as it holds.

What was read: the abstract ("an asymptotic error bound" on the approximation of the derivative) and the authors'
notebook, which compares the error on a function with |u'''| <= 15 with 15/N. So the statement examined here, that
|u^(k)| <= L makes |u' - y| at most a constant times L/N^(k-2), is a reconstruction; its wording was not at hand.

It is false for every constant, for nothing makes the two ends of the window meet (`fout_jump`). It holds if u is
periodic with the window. With λ = 2π/θ the harmonic m of u is 2L/(λm)^k times an amplitude in the unit disc
(`amplitude`), y misses it by at most λm times that (`fout_overtone`; by nothing for m <= M, `fout_harmonic`), so the
error is a sum over m > M of 2L/(λm)^(k-1) times numbers in [-1, 1] (`harmonic_error`). `error_bound_periodic` bounds
that sum, by

    2L / (λ^(k-1) (k-2) M^(k-2)) = L θ^(k-1) / (π^(k-1) (k-2) (N-1)^(k-2)),

for every trigonometric polynomial, whatever its degree M + n. (The tests find inputs that reach a fifth of it; its
order is not sharp.) By hand: that these facts, one for each harmonic, make the bound for such polynomials; and that it
then holds for every periodic u with |u^(k)| <= L, whose Fejér means have that bound too, and derivatives and
coefficients that converge to those of u.

| symbol | meaning |
| --- | --- |
| M, N, θ, ω_m, y | as in `fout.py`; in the tail M = μ + 1, for it starts at M >= 1 |
| X_m | mean over the window of u(t - σ) sin ω_m σ, so that y = - sum of 2 ω_m X_m |
| κ | the constant of the bound |
| k, p | order of the derivative; k = p + 2 where the bound is refuted, k = p + 3 where it is proved |
| n | harmonics of u beyond the basis |
"""

from __future__ import annotations

from functools import cache
from typing import cast

from flint import fmpq

from proofs.derivation import main, proves
from proofs.hippo_prophecy.fout import M, N, X, followed, m, omega, one, over, theta
from proofs.kernel import (
    Fact,
    Refuted,
    apart,
    assume,
    congruence,
    conjunction,
    empty,
    identity,
    induction,
    instantiate,
    linear,
    refute,
    rewrite,
    specialise,
    squares,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import at_most, backwards, settle
from proofs.tactics.products import grow, inductively, plainly_nonzero, power
from proofs.terms import (
    Add,
    And,
    Eq,
    Formula,
    Le,
    Lt,
    Mul,
    Nat,
    Sum,
    Symbol,
    Term,
    absolute_le,
    for_all,
    index,
    scalar,
    sequence,
    size,
    substitute,
    summation,
    term,
)

i, j, n, p, mu, c = (size(name) for name in ("i", "j", "n", "p", "μ", "c"))
L, kappa, t, a1, a2, lam = (scalar(name) for name in ("L", "κ", "t", "a₁", "a₂", "λ"))
half = term(1) / 2


def with_sides(fact: Fact, lhs: Term, rhs: Term, *by: Fact) -> Fact:
    """lhs <= rhs from an inequality whose sides are equal to these, modulo the equations `by`."""
    old = cast(Le | Lt, fact.conclusion)
    for before, after in ((old.lhs, lhs), (old.rhs, rhs)):
        if before != after:
            fact = rewrite(fact, equal(before, after, *by))
    return fact


def slack(fact: Fact) -> Term:
    """What an inequality leaves between its sides."""
    relation = cast(Le | Lt, fact.conclusion)
    return relation.rhs - relation.lhs


# ------------------------------------------------------------------------------------------ refuted, as it is read
def read_out(X: Symbol) -> Term:
    """y, from the exact coefficients."""
    return -2 * over(omega(m) * X(m))


def drift(X: Symbol, rise: Term) -> Formula:
    """ω_m X_m = J/θ for m >= 1: so it is where u is quadratic, as u' is then orthogonal to cos ω_m σ (`fout_jump`)."""
    return for_all(m, Eq(omega(m + 1) * X(m + 1), rise))


slope = a1 + 2 * a2 * t
rise = a1 + a2 * (2 * t - theta)  # J/θ for u = a₁ t + a₂ t²


@proves(
    absolute_le(N * (slope - read_out(X)), kappa * L),
    {
        "coefficients": drift(X, rise),
        "third_derivative": Le(term(0), L),
        "window_not_empty": Lt(term(0), theta),
    },
)
def error_bound() -> Refuted:
    """k = 3 and u = t, whose third derivative is 0: the error is 3 with three states. Only the products ω_m X_m matter,
    so that ω_m = 1 may stand for 2πm/θ, which is no rational."""
    point = {"M": 1, "θ": fmpq(1), "t": fmpq(1), "a₁": fmpq(1), "a₂": fmpq(0), "L": fmpq(0), "κ": fmpq(1)}
    return refute(error_bound.sequent, {**point, "ω": fmpq(1), "X": fmpq(1)})


Z = sequence("Z")


@proves(
    And(
        (
            Eq(1 - read_out(X), N),
            Lt(kappa * L - power(N, p) * (1 - read_out(X)), term(0)),
            Lt(kappa * L - power(N, p) * (1 - read_out(Z)), term(0)),
        )
    ),
    {"ramp": drift(X, one), "closed_window": drift(Z, term(0)), "derivative_bound": Eq(L, term(0))},
)
def error_bound_no_constant() -> Fact:
    """u = t (X) has u^(k) = 0 for k >= 2, and an error of exactly N. So that no one blames the jump alone: the window
    [0, 1] of u = x(x - 1) (Z), at t = 1, has equal ends, u^(k) = 0 for k >= 3, and an error of 1, for every N."""
    given = {name: assume(h) for name, h in error_bound_no_constant.hypotheses.items()}
    found: list[Fact] = []
    for coefficients, name, total in ((X, "ramp", N), (Z, "closed_window", one)):
        found.append(equal(1 - read_out(coefficients), total, summed(coefficients, given[name])))
    above = []
    for error in found:
        reached, value = (cast(Eq, error.conclusion).lhs, cast(Eq, error.conclusion).rhs)
        below = -(power(N, p) * value)
        bound = squares(below, term(0), power(N, p) * value, strict=True)
        above.append(with_sides(bound, kappa * L - power(N, p) * reached, term(0), given["derivative_bound"], error))
    return conjunction(found[0], *above)


def summed(X: Symbol, drifts: Fact) -> Fact:
    """The sum of ω_m X_m is M J/θ, by induction on M."""
    each = specialise(drifts, M)
    rise = cast(Eq, each.conclusion).rhs
    total, grown = (summation(m, 1, last, omega(m) * X(m)) for last in (M, M + 1))
    return inductively(Eq(total, Nat(M) * rise), M, [unfold(grown)], [each])


innovation = t - (t - theta / 2)  # of u = t, where C = t - θ/2 and P_m = 0 recompose it


@proves(
    And(
        (
            Eq(2 / theta * innovation, one),
            Eq(4 / theta * innovation - omega(m + 1) * (2 * X(m + 1)), term(0)),
        )
    ),
    {"ramp": drift(X, one), "window_not_empty": Lt(term(0), theta)},
)
def fout_ramp() -> Fact:
    """The exact coefficients of u = t, Q_m = 2 X_m = 2/ω_m, satisfy FouT's equations: C' = 1, P_m' = 0, Q_m' = 0. So in
    steady state the layer reads out what exact coefficients do, and misses u' by N."""
    parts = [cast(Eq, part) for part in cast(And, fout_ramp.conclusion).parts]
    ramp, window = (assume(h) for h in fout_ramp.hypotheses.values())
    still = rewrite(identity(parts[1].lhs, 2 - 2 * (omega(m + 1) * X(m + 1))), specialise(ramp, m))
    return settle(conjunction(identity(parts[0].lhs, one), followed(still, term(0))), apart(window))


# ------------------------------------------------------------------------------- the tail of the sum of m^-(k-1)
x, next_x = Nat(c + 1), Nat(c + 2)


@cache
def bernoulli() -> Fact:
    """x^p (x + p) <= x (x + 1)^p, by induction on p: Bernoulli's inequality times x^(p+1)."""
    statement = Le(power(x, p) * (x + Nat(p)), x * power(next_x, p))
    nothing = [empty(power(base, 0)) for base in (x, next_x)]
    start = at_most(one * x, x * one, [term(0)])
    start = with_sides(start, power(x, 0) * (x + Nat(index(0))), x * power(next_x, 0), *nothing)
    lhs, rhs = x * power(x, p) * (x + Nat(p + 1)), x * (next_x * power(next_x, p))
    before = assume(statement)
    step = at_most(lhs, rhs, [next_x * slack(before), Nat(p) * power(x, p)], before)
    grown = grow(power(x, p + 1), power(next_x, p + 1))
    step = with_sides(step, power(x, p + 1) * (x + Nat(p + 1)), x * power(next_x, p + 1), *grown)
    return induction(statement, p, start, step)


q, M_ = Nat(p + 1), Nat(mu + 1)  # k - 2, and M
higher = mu + 1 + j  # the harmonics that the basis does not have are M + 1..M + n


def beyond_basis(term: Term) -> Term:
    """The sum over them."""
    return summation(j, 1, n, term)


beyond = beyond_basis(1 / power(Nat(higher), p + 2))


@cache
def tail() -> Fact:
    """q times the tail is at most the difference of two powers: (k-2)/(x+1)^(k-1) <= 1/x^(k-2) - 1/(x+1)^(k-2), by
    Bernoulli, and these differences telescope."""
    x, next_x = Nat(mu + 1 + n), Nat(mu + 2 + n)
    steeper = instantiate(bernoulli(), {"c": mu + n, "p": p + 1})
    a, b, first = power(x, p + 1), power(next_x, p + 1), power(M_, p + 1)
    falls = (next_x * slack(steeper) + q * a) / (x * a * b * next_x)
    statement = Le(q * beyond, 1 / power(M_, p + 1) - 1 / power(Nat(mu + 1 + n), p + 1))
    before, goal = assume(statement), substitute(statement, {"n": n + 1})
    step = at_most(q * (beyond + 1 / (next_x * b)), 1 / first - 1 / b, [slack(before), falls], before, steeper)
    longer = rewrite(unfold(substitute(beyond, {"n": n + 1})), unfold(power(next_x, p + 2)))
    step = with_sides(step, goal.lhs, goal.rhs, longer)
    none = substitute(beyond, {"n": index(0)})
    start = at_most(q * term(0), 1 / first - 1 / first, [term(0)])
    start = with_sides(start, q * none, 1 / first - 1 / first, empty(none))
    return induction(statement, n, plainly_nonzero(start), plainly_nonzero(step))


# --------------------------------------------------------------------------------------------- the corrected bound
f, h, cosine, sine = (sequence(name) for name in "fhcs")
unit_disc = {
    "error_amplitudes": for_all(m, Le(f(m) * f(m) + h(m) * h(m), one)),
    "phases": for_all(m, Le(cosine(m) * cosine(m) + sine(m) * sine(m), one)),
}
positive_constants = {"frequency": Lt(term(0), lam), "derivative_bound": Le(term(0), L)}
wave = f(higher) * cosine(higher) + h(higher) * sine(higher)


weight = 2 * L / power(lam * Nat(higher), p + 2)
scale = 2 * L / power(lam, p + 2)


@proves(absolute_le(beyond_basis(weight * wave), scale / (q * power(M_, p + 1))), {**unit_disc, **positive_constants})
def error_bound_periodic() -> Fact:
    """A number in [-1, 1] times the weight is at most the weight; the weights are 2L/λ^(k-1) times m^-(k-1), of which
    the `tail` has the sum."""
    given = [assume(hypothesis) for hypothesis in positive_constants.values()]
    falls, share = tail(), 1 / q * scale
    rest = share * (1 / power(Nat(mu + 1 + n), p + 1))
    bounds = []
    for sign, part in zip((-1, 1), cast(And, error_bound_periodic.conclusion).parts, strict=True):
        most, goal = largest(sign), cast(Le, part)
        bounds.append(at_most(goal.lhs, goal.rhs, [slack(most), share * slack(falls), rest], most, falls, *given))
    return plainly_nonzero(conjunction(*bounds), positive_constants["frequency"])


def power_of_product(y: Term) -> Fact:
    """(λ y)^p = λ^p y^p, by induction on p."""
    statement = Eq(power(lam * y, p), power(lam, p) * power(y, p))
    return inductively(statement, p, grow(*(power(base, p + 1) for base in (lam * y, lam, y))))


def largest(sign: int) -> Fact:
    """± the error is at most 2L/λ^(k-1) times the sum of m^-(k-1), by (f c + h s)² <= (f² + h²)(c² + s²) <= 1."""
    given = {name: assume(hypothesis) for name, hypothesis in error_bound_periodic.hypotheses.items()}
    inside = [specialise(given[name], higher) for name in unit_disc]
    x = Nat(higher)
    separate, each = power(lam, p + 2) * power(x, p + 2), 1 / power(x, p + 2)
    away = [f(higher) - sign * cosine(higher), h(higher) - sign * sine(higher)]
    room = scale * each * (half * Add((away[0] * away[0], away[1] * away[1], *map(slack, inside))))
    wide = Mul((term(sign), 2 * L / separate * wave))
    bound = at_most(wide, Mul((scale, each)), [room], *inside, given["frequency"], given["derivative_bound"])
    bound = plainly_nonzero(bound, positive_constants["frequency"])
    bound = rewrite(bound, backwards(instantiate(power_of_product(x), {"p": p + 2})))
    bound = congruence(bound, Sum, j, 1, n)
    return rewrite(rewrite(bound, linear(j, 1, n, term(sign), weight * wave)), linear(j, 1, n, scale, each))


if __name__ == "__main__":
    main(__doc__)
