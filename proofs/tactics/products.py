"""Rising factorials, signs and powers as products, and tactics for sums of them. Not trusted: they can only fail.

| written | is |
| --- | --- |
| `rising(n, j)` | (n)_j = n (n + 1) ... (n + j - 1) |
| `falling(n, j)` | (-n)_j = (-n)(1 - n) ... (j - 1 - n), which is 0 for j > n |
| `factorial(j)` | j! = (1)_j |
| `sign(j)`, `power(z, j)` | (-1)^j, z^j |

Each is a product over l = 0..j-1, so its next value is its last times a factor: `unfold` of `proofs.tactics.equations`
says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import cast

from proofs.kernel import (
    Fact,
    NotProved,
    apart,
    assume,
    congruence,
    discharge,
    empty,
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
from proofs.tactics.inequalities import at_most, backwards, settle
from proofs.terms import (
    Eq,
    Formula,
    Index,
    Mul,
    Nat,
    Nonzero,
    Prod,
    Sum,
    Term,
    children,
    index,
    product,
    replace,
    size,
    substitute,
    term,
)

l, zero, one = size("l"), term(0), term(1)


def rising(n: Index | int, j: Index | int) -> Term:
    """(n)_j."""
    return product(l, 0, index(j) - 1, Nat(l + n))


def falling(n: Index | int, j: Index | int) -> Term:
    """(-n)_j."""
    return product(l, 0, index(j) - 1, Nat(l) - Nat(index(n)))


def factorial(j: Index | int) -> Term:
    """j!."""
    return rising(1, j)


def sign(j: Index | int) -> Term:
    """(-1)^j."""
    return product(l, 0, index(j) - 1, term(-1))


def power(z: Term, j: Index | int) -> Term:
    """z^j."""
    return product(l, 0, index(j) - 1, z)


# --------------------------------------------------------------------------------------------------- tactics
def plainly_nonzero(fact: Fact, *known: Formula) -> Fact:
    """Discharge every hypothesis `x != 0` whose x is positive as written, such as j + 1 or j!, or by what is known."""
    for hypothesis in fact.hypotheses:
        if isinstance(hypothesis, Nonzero):
            try:
                positive = squares(term(0), hypothesis.term, hypothesis.term, known, strict=True)
            except NotProved:
                continue
            fact = discharge(fact, apart(positive))
    return fact


def less(lhs: Term, rhs: Term, gap: Term, *known: Fact, strict: bool = True) -> Fact:
    """lhs < rhs, or <=, as `at_most`, where the known facts show as well that no denominator is 0."""
    bound = at_most(lhs, rhs, [gap], *known, strict=strict)
    return settle(plainly_nonzero(bound, *(fact.conclusion for fact in known)), *known)


def put_in(lhs: Term, rhs: Term, values: Sequence[Fact] = (), given: Sequence[Fact] = ()) -> Fact:
    """lhs = rhs, by normal form once the equations `values` have been put in, modulo the equations `given`.

    A value with a denominator has to be put in: the ideal of `given` does not contain what is left after a division.
    Each sum or product over no index is opened as well. A value that does not occur is left aside.
    """
    goal = Eq(lhs, rhs)
    used: list[Fact] = []
    for fact in values:
        equation = cast(Eq, fact.conclusion)
        if (put := replace(goal, equation.lhs, equation.rhs)) != goal:
            goal, used = put, [*used, fact]
    left, right = goal.lhs, goal.rhs
    proved = plainly_nonzero(equal(left, right, *given, *nothing((left, right, *(fact.conclusion for fact in given)))))
    for fact in reversed(used):
        proved = rewrite(proved, plainly_nonzero(backwards(fact)))
    if proved.conclusion != Eq(lhs, rhs):
        raise NotProved("put_in: a value occurs elsewhere in the goal")
    return proved


def cancelled(fact: Fact, x: Term, y: Term, factor: Term, *known: Formula) -> Fact:
    """x = y from an equation that is factor x = factor y by normal form, for a factor that is plainly positive."""
    equation = cast(Eq, fact.conclusion)
    quotient = plainly_nonzero(identity(x, equation.lhs / factor), *known)
    value = plainly_nonzero(identity(equation.rhs / factor, y), *known)
    return rewrite(rewrite(quotient, fact), value)


def inductively(
    statement: Eq,
    t: Index,
    values: Sequence[Fact],
    given: Sequence[Fact] = (),
    base: Sequence[Fact] = (),
) -> Fact:
    """The statement for every t: at 0 modulo `base`; at t + 1 with `values` put in, modulo `given` and itself."""
    first, following = (substitute(statement, {t.name: index(i)}) for i in (0, t + 1))
    start = put_in(first.lhs, first.rhs, (), base)
    step = put_in(following.lhs, following.rhs, values, [assume(statement), *given])
    return induction(statement, t, start, step)


def nothing(x: object) -> list[Fact]:
    """That the sums and products over no index in x, outside other binders, are 0 and 1."""
    return [empty(big) for big in outermost(x) if (big.lo - big.hi - 1).surely_nonnegative()]


def outermost(x: object) -> list[Sum | Prod]:
    """The different sums and products in x that are inside no other."""
    if isinstance(x, Sum | Prod):
        return [x]
    return list(dict.fromkeys(big for part in children(x) for big in outermost(part)))


def grow(*values: Term) -> list[Fact]:
    """Each sum or product with its last member split off."""
    return [single(value) if value.lo == value.hi else unfold(value) for value in values]  # type: ignore[attr-defined]


def moved_out(i: Index, lo: Index | int, hi: Index | int, body: Term, factor: Term, inner: Term, *by: Fact) -> Fact:
    """The sum of the body over i = lo..hi is the factor times that of `inner`."""
    moved = linear(i, lo, hi, factor, inner)
    if body == Mul((factor, inner)):
        return moved
    each = put_in(body, Mul((factor, inner)), (), by)
    return rewrite(congruence(each, Sum, i, lo, hi), moved)


# ----------------------------------------------------------------------------------------------- products compared
@cache
def lowered(n: Index | int, j: Index | int) -> Fact:
    """(-n-1)_(j+1) = -(n+1) (-n)_j."""
    above, i = index(n) + 1, size("i")
    statement = Eq(falling(above, i + 1), -Nat(above) * falling(n, i))
    every = inductively(statement, i, grow(falling(above, i + 2), falling(n, i + 1)), base=grow(falling(above, 1)))
    return instantiate(every, {"i": index(j)})


@cache
def raised(n: Index | int, j: Index | int) -> Fact:
    """(n)_(j+1) = n (n+1)_j."""
    n, i = index(n), size("i")
    statement = Eq(rising(n, i + 1), Nat(n) * rising(n + 1, i))
    every = inductively(statement, i, grow(rising(n, i + 2), rising(n + 1, i + 1)), base=grow(rising(n, 1)))
    return instantiate(every, {"i": index(j)})


@cache
def square_of_sign(n: Index) -> Fact:
    """((-1)^n)² = 1."""
    return inductively(Eq(sign(n) * sign(n), one), n, grow(sign(n + 1)))


def top_coefficient(n: Index) -> Fact:
    """(-n)_n = (-1)^n n!."""
    growth = [lowered(n, n), *grow(sign(n + 1), factorial(n + 1))]
    return inductively(Eq(falling(n, n), sign(n) * factorial(n)), n, (), growth)


def no_factor_left(q: Index, last: Index) -> Fact:
    """(-q)_(last+1) = 0, if q <= last: it has the factor q - q."""
    cut = rewrite(split(falling(q, last + 1), q), unfold(falling(q, q + 1)))
    return rewrite(cut, identity(cast(Eq, cut.conclusion).rhs, zero))


def all_vanish(i: Index, last: Index, body: Term, values: Sequence[Fact], factor: Fact) -> Fact:
    """The sum of the body over i = 0..last is 0: with `values` put in, it is a multiple of what `factor` says is 0."""
    gone = rewrite(factor, identity(cast(Eq, factor.conclusion).rhs, zero))
    each = put_in(body, Mul((zero, one)), values, [gone])
    nothing = linear(i, 0, last, zero, one)
    summed = rewrite(congruence(each, Sum, i, 0, last), nothing)
    return rewrite(summed, identity(cast(Eq, nothing.conclusion).rhs, zero))
