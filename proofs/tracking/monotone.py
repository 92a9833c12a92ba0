"""The Illusion of State (arXiv 2404.08819): what rounding after every step does to the states of a channel.

What was read: notes of the whole of v3. Its upper bounds are for the convolutional form, evaluated exactly and rounded
once; footnote 3 assumes that the recurrence computes the same. The statements below are ours, about the recurrence as
it is run, h -> ρ(a h + b) with ρ monotone: for every length of the word, every number of passes, every set of numbers.

The kernel has no functions of reals, so a monotone ρ enters by its slopes: between two arguments z != z' the quotient
(ρ(z) - ρ(z'))/(z - z') is >= 0, and where z = z' any number will do. The input b cancels in differences. A product that
is rounded by itself before the sum has a slope of its own; r below is the product of the slopes in one step, so that
fused and separate rounding, saturation and flushing to zero are all covered. Wrapping is not monotone.

| symbol | meaning |
| --- | --- |
| n; a_l, l = 1..n | the length of a word, and the gates of its letters |
| x_t | the state after t passes of the word; with gates of any sign, after 2 t passes |
| y_t | with gates of any sign, the state after 2 t + 1 passes |
| d_{t,l} | after l letters, how far the pass from x_{t+1} is from that from x_t |
| e_{t,l} | the same of the passes from y_{t+1} and y_t |
| r_{t,l}, q_{t,l} | the slope of the rounding at letter l, between these two passes |
| M_t, S_T | the slope of the whole word between x_{t+1} and x_t; S_T = sum over t < T of M_{t-1} ... M_0 |
| B, c | a channel that is not diagonal: x_{t+1} = ρ(B'B x_t + c), entry by entry, c fixed; B is b by m |
| φ_t, V_t | the potential of ρ at the argument of x_{t+1}; the energy φ_t - (1/2) ‖B x_t‖² |

By hand, beside the slopes. First, what the statements say of automata: each element of the transition monoid is the map
of a word, so if no orbit of a word returns but a constant one (but after one or two passes) the monoid has no group but
the trivial one (but groups of exponent 2); direct products of channels and cascades of layers then have none (none but
2-groups). That the languages of the first kind are the star-free ones is Schützenberger's theorem. Second, a monotone ρ
is the derivative of a convex function: that is `potential`. Third, ‖v‖² <= 0 only if v = 0.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from flint import fmpq

from proofs.derivation import main, proves
from proofs.kernel import (
    Fact,
    apart,
    assume,
    conjunction,
    discharge,
    empty,
    generalise,
    identity,
    induction,
    instantiate,
    rewrite,
    single,
    specialise,
    split,
    squares,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import at_most, backwards, settle
from proofs.terms import (
    And,
    Eq,
    Formula,
    Index,
    Le,
    Symbol,
    Term,
    family,
    for_all,
    index,
    matrix,
    product,
    sequence,
    size,
    substitute,
    summation,
    term,
    vector,
)

n, p, T, t, s, l, i, k = (size(name) for name in ("n", "p", "T", "t", "s", "l", "i", "k"))
x, y, a, M = (sequence(name) for name in "xyaM")
d, e, r, q = (sequence(name, arity=2) for name in "derq")


# ------------------------------------------------------------------------- a step with slopes M_t >= 0, as a lemma
def slopes(start: Index | int, end: Index | int) -> Term:
    """M_end ... M_start."""
    return product(s, start, end, M(s))


def displacement(end: Index | int) -> Term:
    """S_end."""
    return summation(t, 0, index(end) - 1, slopes(0, t - 1))


follows = for_all(t, Eq(x(t + 2) - x(t + 1), M(t) * (x(t + 1) - x(t))))
order_kept = for_all(t, Le(term(0), M(t)))


def displaced(total: Term, whole: Term) -> Eq:
    """x_T - x_0 = (S_T / S_{p+1}) (x_{p+1} - x_0)."""
    return Eq(x(T) - x(0), total / whole * (x(p + 1) - x(0)))


def prove_displaced() -> Fact:
    """Each difference of neighbours is a product of slopes times the first; they add up to S_T (x_1 - x_0). S_{p+1}
    has the empty product as its first member and none below 0, so it can be divided by."""
    first = x(1) - x(0)
    neighbours, total = Eq(x(t + 1) - x(t), slopes(0, t - 1) * first), Eq(x(t) - x(0), displacement(t) * first)
    base = equal(first, slopes(0, -1) * first, empty(slopes(0, -1)))
    by = specialise(assume(follows), t), assume(neighbours), unfold(slopes(0, t))
    step = equal(x(t + 2) - x(t + 1), slopes(0, t) * first, *by)
    moved = induction(neighbours, t, base, step)

    base = equal(x(0) - x(0), displacement(0) * first, empty(displacement(0)))
    by = assume(total), moved, unfold(displacement(t + 1))
    summed = induction(total, t, base, equal(x(t + 1) - x(0), displacement(t + 1) * first, *by))

    ends = (instantiate(summed, {"t": end}) for end in (T, p + 1))
    goal = displaced(displacement(T), displacement(p + 1))
    return settle(equal(goal.lhs, goal.rhs, *ends), apart(positive_displacement()))


def positive_displacement() -> Fact:
    """0 < S_{p+1}."""
    whole = displacement(p + 1)
    cut = rewrite(split(whole, 0), single(summation(t, 0, 0, slopes(0, t - 1))))
    cut = rewrite(cut, empty(slopes(0, -1)))
    parts = cast(Eq, cut.conclusion).rhs
    return rewrite(squares(term(0), parts, parts, [order_kept], strict=True), backwards(cut))


returns = Eq(x(p + 1), x(0))


def prove_returned() -> Fact:
    """x_T = x_0 where x_{p+1} = x_0: a multiple of nothing."""
    fact = rewrite(prove_displaced(), assume(returns))
    nothing = identity(cast(Eq, fact.conclusion).rhs, term(0))
    return rewrite(fact, settle(nothing, apart(positive_displacement())))


# ------------------------------------------------------------------------------- a word, letter by letter, rounded
def passes(differences: Symbol, slope: Symbol, before: Term, after: Term) -> dict[str, Formula]:
    """Passes of the word that start `before` apart and end `after` apart, by a rounding with slopes >= 0."""
    name = differences.name
    letter = Eq(differences(t, l + 1), slope(t, l + 1) * (a(l + 1) * differences(t, l)))
    return {
        f"{name}_starts": for_all(t, Eq(differences(t, 0), before)),
        f"{name}_letters": for_all(t, for_all(l, letter)),
        f"{name}_ends": for_all(t, Eq(differences(t, n), after)),
        f"{slope.name}_monotone": for_all(t, for_all(l, Le(term(0), slope(t, l)))),
    }


def word(slope: Symbol, length: Index | int) -> Term:
    """(r_{t,l} a_l) ... (r_{t,1} a_1), l = `length`."""
    return product(s, 1, length, slope(t, s) * a(s))


def through_the_word(differences: Symbol, slope: Symbol, before: Term, after: Term) -> Fact:
    """after = (r_n a_n) ... (r_1 a_1) before, by induction on the letters."""
    starts, letters, ends, _ = (assume(h) for h in passes(differences, slope, before, after).values())
    statement = Eq(differences(t, l), word(slope, l) * differences(t, 0))
    base = equal(differences(t, 0), word(slope, 0) * differences(t, 0), empty(word(slope, 0)))
    by = specialise(specialise(letters, t), l), assume(statement), unfold(word(slope, l + 1))
    step = equal(differences(t, l + 1), word(slope, l + 1) * differences(t, 0), *by)
    whole = instantiate(induction(statement, l, base, step), {"l": n})
    return equal(after, word(slope, n) * before, whole, specialise(starts, t), specialise(ends, t))


def for_words(lemma: Fact, slope: Term, moves: Fact, sign: Fact) -> Fact:
    """The lemma with M_t the slope of a word, for which `moves` and `sign` prove its hypotheses at t."""
    fact = instantiate(lemma, families={M: family((t,), slope)})
    return discharge(fact, generalise(moves, t), generalise(sign, t))


def displaced_by_words(slope: Term) -> Eq:
    """x_T - x_0 = (S_T / S_{p+1}) (x_{p+1} - x_0), for words of this slope."""
    statement = displaced(displacement(T), displacement(p + 1))
    return substitute(statement, families={M: family((t,), slope)})


# ------------------------------------------------------------------------------------------------ gates a_l >= 0
single_pass = d, r, x(t + 1) - x(t), x(t + 2) - x(t + 1)
nonnegative = {**passes(*single_pass), "gates_nonnegative": for_all(l, Le(term(0), a(l)))}
resting = {"n": 1, "p": 0, "T": 1, **{name: fmpq(1, 2) for name in "xyarq"}, "d": fmpq(0), "e": fmpq(0)}


@proves(displaced_by_words(word(r, n)), nonnegative)
def monotone_orbits() -> Fact:
    """The slope of a word is a product of numbers >= 0, so the lemma is about words as well as letters."""
    return prove_for_nonnegative_gates(prove_displaced())


@proves(Eq(x(T) - x(0), term(0)), {**nonnegative, "returns": returns})
def monotone_orbits_that_return() -> Fact:
    """S_{p+1} is not 0, so what is a multiple of x_{p+1} - x_0 = 0 is 0: there is no period but 1."""
    return prove_for_nonnegative_gates(prove_returned())


def prove_for_nonnegative_gates(lemma: Fact) -> Fact:
    slope = word(r, n)
    sign = squares(term(0), slope, slope, list(nonnegative.values()))
    return for_words(lemma, slope, through_the_word(*single_pass), sign)


# -------------------------------------------------------------------------------------------- gates of either sign
halfway = y(t + 1) - y(t)
first_pass, second_pass = (d, r, x(t + 1) - x(t), halfway), (e, q, halfway, x(t + 2) - x(t + 1))
either_sign = {**passes(*first_pass), **passes(*second_pass)}


def twice(length: Index | int) -> Term:
    """Two passes: every gate comes as a square."""
    return product(s, 1, length, (q(t, s) * a(s)) * (r(t, s) * a(s)))


@proves(displaced_by_words(twice(n)), either_sign)
def monotone_orbits_any_sign() -> Fact:
    """Two passes keep the order, whatever one does: their slope is a product of squares of gates and of slopes >= 0."""
    return prove_for_any_gates(prove_displaced())


@proves(And((Eq(x(T) - x(0), term(0)), Eq(y(T) - y(0), term(0)))), {**either_sign, "returns": returns})
def monotone_orbits_any_sign_that_return() -> Fact:
    """After an even number of passes there is one state, so after an odd number as well: the period is 1 or 2."""
    even = prove_for_any_gates(prove_returned())
    now, later = (instantiate(even, {"T": end}) for end in (t, t + 1))
    rests = Eq(y(t) - y(0), term(0))
    moved = equal(y(t + 1) - y(0), term(0), through_the_word(*first_pass), now, later, assume(rests))
    odd = instantiate(induction(rests, t, identity(y(0) - y(0), term(0)), moved), {"t": T})
    return conjunction(even, odd)


def prove_for_any_gates(lemma: Fact) -> Fact:
    slope = twice(n)
    together = Eq(word(q, l) * word(r, l), twice(l))
    base = equal(word(q, 0) * word(r, 0), twice(0), *(empty(z) for z in (word(q, 0), word(r, 0), twice(0))))
    longer = word(q, l + 1), word(r, l + 1), twice(l + 1)
    step = equal(longer[0] * longer[1], longer[2], *(unfold(z) for z in longer), assume(together))
    both = instantiate(induction(together, l, base, step), {"l": n})
    halves = through_the_word(*first_pass), through_the_word(*second_pass), both
    moves = equal(x(t + 2) - x(t + 1), slope * (x(t + 1) - x(t)), *halves)
    sign = squares(term(0), slope, slope, list(either_sign.values()))
    return for_words(lemma, slope, moves, sign)


# ------------------------------------------------------- x_{t+1} = ρ(B'B x_t + c), entry by entry, on one input c
b, m = size("b"), size("m")
B, c, X, phi = matrix("B", b, m), vector("c", m), sequence("x", m), sequence("φ")


def argument(t: Index) -> Term:
    """Of which ρ makes x_{t+1}."""
    return B.T @ B @ X(t) + c


def squared(v: Term) -> Term:
    return v.T @ v


def energy(t: Index | int) -> Term:
    """V_t."""
    return phi(t) - term(1) / 2 * squared(B @ X(t))


potential = for_all(t, Le(X(t + 1).T @ (argument(t + 1) - argument(t)), phi(t + 1) - phi(t)))
change = squared(B @ (X(T + 1) - X(T)))
still = {
    "m": 1, "b": 1, "T": 0, "p": 0, "B": np.array([[fmpq(1)]]), "φ": fmpq(0),
    **{name: np.array([[fmpq(0)]]) for name in "cx"},
}  # fmt: skip


@proves(
    Le(term(1) / 2 * (change + squared(B @ X(T + 1 + p)) - squared(B @ X(0))), phi(T + 1 + p) - phi(0)),
    {"potential": potential},
)
def semidefinite_orbits() -> Fact:
    """A step adds at least (1/2) ‖B (x_{t+1} - x_t)‖² to the energy, for x'B'B y is half of ‖B x‖² + ‖B y‖² less
    ‖B (x - y)‖²; so it never falls, and from x_0 to x_{T+1+p} it gains no less than at step T."""
    gain = squared(B @ (X(t + 1) - X(t)))
    slack = phi(t + 1) - phi(t) - X(t + 1).T @ (argument(t + 1) - argument(t))
    grows = at_most(term(1) / 2 * gain, energy(t + 1) - energy(t), [slack], specialise(assume(potential), t))

    kept = Le(energy(s), energy(s + t))
    one_more = instantiate(grows, {"t": s + t})
    gaps = [energy(s + t) - energy(s), gap(one_more), cast(Le, one_more.conclusion).lhs]
    later = at_most(energy(s), energy(s + t + 1), gaps, assume(kept), one_more)
    never_falls = induction(kept, t, at_most(energy(s), energy(s), [term(0)]), later)

    before = instantiate(never_falls, {"s": index(0), "t": T})
    after = instantiate(never_falls, {"s": T + 1, "t": p})
    at_T = instantiate(grows, {"t": T})
    parts = before, at_T, after
    goal = cast(Le, semidefinite_orbits.conclusion)
    return at_most(goal.lhs, goal.rhs, [gap(fact) for fact in parts], *parts)


@proves(
    Le(change, term(0)),
    {
        "potential": potential,
        "returns": Eq(X(T + 1 + p), X(0)),
        "potential_returns": Eq(phi(T + 1 + p), phi(0)),
    },
)
def semidefinite_orbits_that_return() -> Fact:
    """Back at x_0 the energy is what it was: no step has changed B x, hence the argument of ρ, hence the state."""
    fact = semidefinite_orbits.fact
    for name in ("returns", "potential_returns"):
        fact = rewrite(fact, assume(semidefinite_orbits_that_return.hypotheses[name]))
    return at_most(change, term(0), [2 * gap(fact)], fact)


def gap(fact: Fact) -> Term:
    """b - a, for a <= b."""
    inequality = cast(Le, fact.conclusion)
    return inequality.rhs - inequality.lhs


if __name__ == "__main__":
    main(__doc__)
