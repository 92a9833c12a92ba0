"""Attacks on the kernel: each test tries to prove something false, and must be refused.

The statement that would be false is in the test's name or first line. An ill-typed term is refused when it is built
(TypeError, ValueError), a rule that does not apply raises NotProved.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import fmpq

from proofs.kernel import (
    RULES,
    Claim,
    Fact,
    NotProved,
    Sequent,
    Table,
    Undecidable,
    additive,
    apart,
    assume,
    cases,
    component,
    congruence,
    conjunction,
    discharge,
    empty,
    enclosure,
    establish,
    generalise,
    holds,
    identity,
    induction,
    instantiate,
    linear,
    minimiser,
    refute,
    rewrite,
    single,
    specialise,
    split,
    squares,
    words,
)
from proofs.terms import (
    ONE,
    Add,
    And,
    Eq,
    Formula,
    Identity,
    Le,
    Lt,
    Mul,
    Nat,
    Nonzero,
    Prod,
    Sum,
    Symbol,
    Term,
    UniqueMinimiser,
    Zero,
    family,
    for_all,
    index,
    index_le,
    matrix,
    product,
    scalar,
    sequence,
    size,
    substitute,
    summation,
    term,
    vector,
)

REFUSED = (NotProved, TypeError, ValueError)

n, m, t, i, j, l = (size(name) for name in "nmtijl")
x, y, z, s = (scalar(name) for name in "xyzs")
a, b = sequence("a"), sequence("b")
A, B, C = (matrix(name, n, n) for name in "ABC")
zero, one = term(0), term(1)


def array(*rows: list[int]) -> Any:
    """A matrix of rationals."""
    return np.array([[fmpq(v) for v in row] for row in rows], dtype=object)


def entails(conclusion: Formula, *hypotheses: Formula) -> Sequent:
    return Sequent(frozenset(hypotheses), conclusion)


def minimum(symbol: Symbol, objective: Term, at: Term, delta: Symbol, gap: Term = zero) -> Fact:
    """`minimiser` for arity 0, its premise proved by `identity`."""
    after, before = (substitute(objective, families={symbol: v}) for v in (at + delta(), at))
    premise = identity(after, before + Add((delta().T @ delta(), gap)))
    return minimiser(UniqueMinimiser(symbol, (), objective, at), premise, delta, gap)


# -------------------------------------------------------------------------------------------------- what is a Fact
@pytest.mark.parametrize(
    "rule",
    [
        lambda unproved: conjunction(unproved),
        lambda unproved: component(unproved, 0),
        lambda unproved: instantiate(unproved, {}),
        lambda unproved: generalise(unproved, t),
        lambda unproved: discharge(assume(unproved.conclusion), unproved),
        lambda unproved: establish(Claim("false", unproved.conclusion), unproved),
    ],
)
@pytest.mark.parametrize("unproved", [entails(And((Eq(zero, one),))), Claim("false", And((Eq(zero, one),)))])
def test_a_claim_or_a_sequent_is_no_premise(rule: Callable[[Any], Fact], unproved: Any) -> None:
    with pytest.raises(REFUSED):
        rule(unproved)


@pytest.mark.parametrize(
    "build",
    [
        lambda: linear(i, 1, n, Mul([a(i), x]), one),
        lambda: identity(Mul(f for f in (x, y)), one),
        lambda: single(Sum(x, summation(j, 1, n, summation(i, 1, j, a(i))).body.hi, ONE)),  # type: ignore[attr-defined]
    ],
)
def test_a_term_cannot_hide_a_variable_in_a_list_or_behind_a_lost_binder(build: Callable[[], Fact]) -> None:
    with pytest.raises(REFUSED):
        build()


@pytest.mark.parametrize("build", [lambda: n * 0.5, lambda: index(0.5), lambda: sequence("a")(0.5)])
def test_half_an_index_is_no_natural_number(build: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        build()


# ------------------------------------------------------------------------------------------- capture, substitution
def test_a_factor_that_mentions_the_bound_variable_does_not_move_out_of_a_sum() -> None:
    for left, right in ((a(i), one), (one, a(i)), (vector("v", i).T @ vector("v", i), one)):
        with pytest.raises(NotProved):
            linear(i, 1, n, left, one, right)


def test_the_name_of_a_bound_variable_cannot_be_used() -> None:
    """a_1 + a_2 = 2 a_k for every k, were k named as the sum names its own variable."""
    for name in ("#1", "i~0", "", "0", "-1"):
        with pytest.raises(TypeError, match="is no name"):
            size(name)
    loose = summation(j, 1, n, a(j)).body
    with pytest.raises(REFUSED):
        linear(i, 1, 2, loose, one)
    grows = identity(summation(j, 1, n, a(j) * Nat(m)), summation(j, 1, n, a(j) * Nat(m)))
    with pytest.raises(REFUSED):
        instantiate(grows, {"m": loose.indices[0]})


def test_substitution_under_a_binder_captures_nothing() -> None:
    inner = summation(i, 1, n, summation(j, 1, i, b(i) * a(n)))
    assert substitute(inner, {"n": i + j}) == summation(l, 1, i + j, summation(m, 1, l, b(l) * a(i + j)))
    by_hand = summation(l, 1, i + j, summation(m, 1, l, b(l) * b(i + j + i)))
    assert substitute(inner, {"n": i + j}, {a: family((l,), b(l + i))}) == by_hand


def test_a_minimiser_statement_binds_its_symbol() -> None:
    """x is the unique minimiser over s of (s - x)², so s = y must not make it one of (y - x)²."""
    least = minimum(s.symbol, (s - x) * (s - x), x, Symbol("d", ONE, ONE))
    with pytest.raises(NotProved, match="does not occur"):
        rewrite(least, assume(Eq(s, y)))
    assert instantiate(least, families={s.symbol: y}).conclusion == least.conclusion
    moved = UniqueMinimiser(z.symbol, (), (z - s) * (z - s), s)  # s is the least of (z - s)² over z
    assert rewrite(least, assume(Eq(x, s))).conclusion == moved
    assert instantiate(least, families={x.symbol: s}).conclusion == moved
    with pytest.raises(TypeError, match="bound"):
        UniqueMinimiser(s.symbol, (), (s - x) * (s - x), s)


def test_sizes_that_become_equal_do_not_let_a_minimiser_capture_its_namesake() -> None:
    """M u minimises |s - M u|² over s of size n; were u named s of size m, n = m would claim it of |s - M s|²."""
    s_n, s_m = vector("s", n).symbol, vector("s", m)  # type: ignore[attr-defined]
    at = matrix("M", n, m) @ s_m
    least = minimum(s_n, (s_n() - at).T @ (s_n() - at), at, Symbol("d", n, ONE))
    equal = instantiate(least, {"m": n})
    free = vector("s", n)
    unknown, claimed = vector("r", n).symbol, matrix("M", n, n) @ free  # type: ignore[attr-defined]
    assert equal.conclusion == UniqueMinimiser(unknown, (), (unknown() - claimed).T @ (unknown() - claimed), claimed)


def test_a_symbol_whose_shape_is_bound_is_another_variable() -> None:
    """(for every n, k'k = 0 for k of size n) |- p'p = 0: k and p have nothing to do with one another."""
    k = vector("k", n)
    with pytest.raises(REFUSED):
        for_all(n, Eq(k.T @ k, zero))
    with pytest.raises(REFUSED):
        generalise(identity(k.T @ k, k.T @ k), n)
    with pytest.raises(REFUSED):
        summation(i, 1, n, vector("k", i))


def test_only_natural_numbers_stand_for_an_index() -> None:
    at_every = generalise(squares(zero, Nat(t), Nat(t)), t)
    for value in (index(-1), n - 1, n - m):
        with pytest.raises(NotProved):
            specialise(at_every, value)
        with pytest.raises(NotProved):
            instantiate(squares(zero, Nat(t), Nat(t)), {"t": value})


def test_no_hypothesis_may_mention_the_generalised_variable() -> None:
    with pytest.raises(NotProved, match="fresh"):
        generalise(assume(Eq(a(t), zero)), t)


# --------------------------------------------------------------------------------------------------- equations
def test_cancelled_denominators_stay_as_hypotheses() -> None:
    for lhs, rhs, given, below in [
        (x / x, one, [], [x]),
        (x / (y / y), x, [], [y]),
        (1 / (1 / x), x, [], [x, 1 / x]),
        (zero, (x - x) / x, [], [x]),
        (z, one, [Eq(z, x / x)], [x]),
        ((x / x) * A @ B, A @ B, [], [x]),
    ]:
        assert {Nonzero(d) for d in below} <= identity(lhs, rhs, given).hypotheses if given or lhs.is_scalar else True
        assert {Nonzero(d) for d in below} <= words(lhs, rhs, ()).hypotheses if not given else True


def test_an_identically_zero_denominator_proves_nothing() -> None:
    below = x - x
    for attack in (
        lambda: identity(x / below, x / below),
        lambda: identity(one / (y / below), zero),
        lambda: identity(x, y, [Eq(z, one / below)]),
        lambda: words(A, B, [Eq(C, (one / below) * A)]),
    ):
        with pytest.raises(NotProved):
            attack()


def test_ideals_are_of_scalars() -> None:
    """x = x |- A = B, and A = 2 I |- 0 = 1: a matrix has no numerator."""
    for attack in (
        lambda: identity(A, B, [Eq(x, x)]),
        lambda: identity(zero, one, [Eq(A, 2 * Identity(n))]),
        lambda: identity(x, y, [Eq(product(l, 1, n, A), Identity(n))]),
    ):
        with pytest.raises(NotProved):
            attack()


def test_inconsistent_given_equations_stay_as_hypotheses() -> None:
    """0 = 1 follows from x = 0 and x = 1; no point satisfies them, so it serves no claim."""
    given = [Eq(x, zero), Eq(x, one)]
    nonsense = identity(zero, one, given)
    assert nonsense.hypotheses == set(given)
    for witness in ({"x": fmpq(0)}, {"x": fmpq(1)}, {}):
        with pytest.raises(NotProved):
            establish(Claim("nonsense", Eq(zero, one), dict(zip("ab", given, strict=True)), witness), nonsense)


def test_relations_and_quotients_are_typed() -> None:
    for build in (
        lambda: Eq(A, term(2)),  # as a rule for words it would give A A = 4 I
        lambda: Eq(A, matrix("B", n, m)),
        lambda: Le(zero, vector("v", n)),
        lambda: x / (Identity(n) + A),  # the normal form would see x / 1
        lambda: Nonzero(A),
        lambda: UniqueMinimiser(A.symbol, (), A @ A, B),
        lambda: product(i, 1, n, vector("v", n)),
        lambda: congruence(identity(vector("v", 2), vector("v", 2)), Prod, i, 1, 0),
    ):
        with pytest.raises(TypeError):
            build()


@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [
        (A @ B, B @ A),
        ((A @ B).T, A.T @ B.T),
        (vector("u", n) @ vector("v", n).T, vector("v", n) @ vector("u", n).T),
        (A @ A.T, A.T @ A),
        (A @ vector("u", n), vector("u", n)),
        (a(t), a(t + 1)),
        (a(n), b(n)),
    ],
)
def test_unequal_words_are_refused(lhs: Term, rhs: Term) -> None:
    with pytest.raises(NotProved):
        words(lhs, rhs, ())


def test_transposes_of_numbers_and_of_words() -> None:
    u, v = vector("u", n), vector("v", n)
    for lhs, rhs in [(u.T @ v, v.T @ u), (u.T @ A @ v, v.T @ A.T @ u), ((u @ v.T) @ u, (v.T @ u) * u)]:
        assert not words(lhs, rhs, ()).hypotheses
    with pytest.raises(NotProved):
        words(u.T @ A @ v, v.T @ A @ u, ())


def test_rewriting_that_does_not_end_proves_nothing() -> None:
    for rules in ([Eq(A, A @ A)], [Eq(A @ B, B @ A), Eq(B @ A, A @ B)], [Eq(A, B), Eq(B, A + C)]):
        with pytest.raises(NotProved):
            words(A @ B @ C, C @ A, rules)


def test_overlapping_rules_are_hypotheses_and_a_left_side_is_one_word() -> None:
    overlapping = [Eq(A @ B, Identity(n)), Eq(B @ C, Identity(n))]
    assert words(A @ B @ C, C, overlapping).hypotheses == set(overlapping)
    for lhs in (2 * A, A + B, x * A, Identity(n), Zero(n, n)):
        with pytest.raises(NotProved):
            words(A, B, [Eq(lhs, B)])


# ------------------------------------------------------------------------------------------- sums and products
def test_a_sum_run_backwards_is_zero_and_is_never_split() -> None:
    """sum over 1..n with n < middle counts no index; split would otherwise give it some, of negative sign elsewhere."""
    whole = summation(i, 1, n, a(i))
    for fact in (split(whole, m), split(whole, n + 3), split(summation(i, 5, 2, a(i)), 3)):
        for point in ({"n": 2, "m": 5}, {"n": 0, "m": 2}):
            values = {**point, "a": fmpq(1)}
            assert not all(holds(h, values) for h in fact.hypotheses) or holds(fact.conclusion, values)
    assert index_le(m, n) in split(whole, m).hypotheses
    assert index_le(n + 3, n) in split(whole, n + 3).hypotheses  # false: 3 <= 0


def test_a_range_that_may_hold_an_index_is_neither_empty_nor_single() -> None:
    for big in (summation(i, 1, n, a(i)), summation(i, n, m, a(i)), product(i, n, 2 * n, a(i))):
        with pytest.raises(NotProved):
            empty(big)
        with pytest.raises(NotProved):
            single(big)
    for not_big in (x, a(i), Add((x, y))):
        for rule in (empty, single, lambda v: split(v, n)):
            with pytest.raises(NotProved):
                rule(not_big)


def test_congruence_says_nothing_of_negative_indices() -> None:
    natural = squares(zero, Nat(i), Nat(i))
    for lo in (index(-3), n - 2):
        with pytest.raises(NotProved):
            congruence(natural, Sum, i, lo, 2)


def test_congruence_discharges_only_its_own_range() -> None:
    inside, outside = [index_le(1, i), index_le(i, n)], [index_le(2, i), index_le(i, n + 1), index_le(i, m)]
    equation = Eq(a(i), b(i))
    for hypothesis in outside:
        assumed = conjunction(assume(equation), *(assume(h) for h in (*inside, hypothesis)))
        fact = congruence(component(assumed, 0), Sum, i, 1, n)
        assert for_all(i, hypothesis) in fact.hypotheses
        assert not fact.hypotheses & set(inside)


def test_congruence_keeps_inequalities_out_of_products_and_bounds_free_of_its_variable() -> None:
    smaller = assume(Le(a(i), b(i)))  # -2 <= -1, and yet (-2)(-2) > (-1)(-1)
    with pytest.raises(NotProved):
        congruence(smaller, Prod, i, 1, 2)
    with pytest.raises(NotProved):
        congruence(assume(Lt(a(i), b(i))), Sum, i, 1, n)  # over no index 0 < 0
    with pytest.raises(NotProved):
        congruence(smaller, Sum, i, 1, i)


def test_additive_parts_have_one_shape() -> None:
    with pytest.raises(TypeError):
        additive(i, 1, n, [a(i), vector("v", n)])
    with pytest.raises(TypeError):
        additive(i, 1, n, [])


def test_induction_needs_its_base_its_step_and_a_fresh_variable() -> None:
    statement = Eq(a(t), zero)
    base, step = assume(Eq(a(0), zero)), assume(Eq(a(t + 1), zero))
    proved = induction(statement, t, base, step)
    assert proved.hypotheses == {Eq(a(0), zero), for_all(t, Eq(a(t + 1), zero))}
    for wrong_base, wrong_step in [
        (assume(Eq(a(1), zero)), step),
        (base, assume(Eq(a(t + 2), zero))),
        (base, assume(statement)),
        (step, step),
    ]:
        with pytest.raises(NotProved):
            induction(statement, t, wrong_base, wrong_step)
    from_t = component(conjunction(base, assume(Eq(b(t), zero))), 0)
    with pytest.raises(NotProved, match="fresh"):
        induction(statement, t, from_t, step)


# ------------------------------------------------------------------------------------------ signs and minimisers
not_plain: dict[str, tuple[Term, list[Formula], bool]] = {
    "x² - x⁴, stationary at 0 and no minimum": (x * x - x * x * x * x, [], False),
    "a cube": (x * x * x, [], False),
    "a product of different factors": (x * y, [], False),
    "a negative weight": (term(-1) * (x * x), [], False),
    "a negative number": (term(-1), [], False),
    "0 is not positive": (zero, [], True),
    "a square may be 0": (x * x, [], True),
    "v'v may be 0": (vector("v", n).T @ vector("v", n), [], True),
    "a sum may be empty": (summation(i, 1, n, one), [], True),
    "u'v": (vector("u", n).T @ vector("v", n), [], False),
    "v'Av": (vector("v", n).T @ A @ vector("v", n), [], False),
    "an index less one": (Nat(n - 1), [], False),
    "an index may be 0": (Nat(n), [], True),
    "over a sign": (one / x, [], False),
    "over what may be 0": (one / (x * x), [], False),
    "over what is given as >= 0 only": (one / x, [Le(zero, x)], False),
    "<= given where < is asked": (x, [Le(zero, x)], True),
    "the given turned round": (x, [Le(x, zero)], False),
    "a given difference turned round": (x - y, [Le(x, y)], False),
    "given of another": (x, [Le(zero, y)], False),
    "given at one index, asked at all": (summation(i, 1, n, a(i)), [Le(zero, a(i))], False),
    "given of naturals, asked of -1": (a(n - 1), [for_all(i, Le(zero, a(i)))], False),
    "given of naturals, asked from -1": (summation(i, -1, n, a(i)), [for_all(i, Le(zero, a(i)))], False),
    "row sums do not show the trace": (
        summation(j, 1, n, sequence("p", arity=2)(j, j)),
        [for_all(i, Le(zero, summation(j, 1, n, sequence("p", arity=2)(i, j))))],
        False,
    ),
    "the diagonal does not show the rows": (
        sequence("p", arity=2)(n, m),
        [for_all(i, Le(zero, sequence("p", arity=2)(i, i)))],
        False,
    ),
    "a product over a sign": (product(i, 1, n, a(i)), [], False),
    "nested sums over one name": (
        summation(i, 1, n, summation(j, 1, n, sequence("p", arity=2)(i, j) * sequence("p", arity=2)(j, i))),
        [],
        False,
    ),
}


@pytest.mark.parametrize("case", not_plain)
def test_squares_refuses(case: str) -> None:
    certificate, given, strict = not_plain[case]
    with pytest.raises(NotProved):
        squares(zero, certificate, certificate, given, strict=strict)


def test_squares_refuses_a_matrix_and_another_difference() -> None:
    v = matrix("v", 1, n)
    with pytest.raises(REFUSED):
        squares(Zero(n, n), v.T @ v, v.T @ v)  # v'v of a row is no sum of squares
    with pytest.raises(NotProved):
        squares(one, x * x, x * x)
    with pytest.raises(NotProved):
        squares(x * x, zero, x * x)


def test_squares_keeps_what_it_used_and_no_more() -> None:
    given = [for_all(i, Le(zero, a(i))), Le(zero, y), for_all(i, Lt(zero, b(i)))]
    certificate = summation(i, 1, n, a(i) * (x * x) / b(i))
    assert squares(zero, certificate, certificate, given).hypotheses == {given[0], given[2]}
    assert squares(x, y, y - x, [Le(x, y), *given]).hypotheses == {Le(x, y)}


def test_apart_needs_a_strict_inequality_with_zero() -> None:
    for formula in (Le(zero, x), Lt(x, zero), Lt(one, x), Eq(zero, x)):
        with pytest.raises(NotProved):
            apart(assume(formula))


def test_a_stationary_point_that_is_no_minimum_is_refused() -> None:
    """x² - x⁴ at 0: objective(0 + d) = 0 + d² - d⁴, and -d⁴ shows no sign."""
    d = Symbol("d", ONE, ONE)
    objective = s * s - s * s * s * s
    with pytest.raises(NotProved, match="sign"):
        minimum(s.symbol, objective, zero, d, term(-1) * (d() * d() * d() * d()))


def test_minimiser_needs_a_fresh_difference_the_whole_norm_and_the_ranges() -> None:
    symbol, p = sequence("s"), sequence("p")
    d, ranges = sequence("d"), ((ONE, n),)

    def attempt(goal: UniqueMinimiser, delta: Symbol, norm: Term, gap: Term) -> Fact:
        """With the premise assumed, so that delta stands in a hypothesis."""
        moved = family((i,), goal.at.at(i) + delta(i))
        after, before = (substitute(goal.objective, families={symbol: v}) for v in (moved, goal.at))
        return minimiser(goal, assume(Eq(after, before + Add((norm, gap)))), delta, gap)

    goal = UniqueMinimiser(
        symbol, ranges, summation(i, 1, n, (symbol(i) - p(i)) * (symbol(i) - p(i))), family((i,), p(i))
    )
    norm = summation(i, 1, n, d(i) * d(i))
    for delta, shown in ((d, norm), (p, norm), (symbol, norm), (Symbol("d", ONE, ONE, 2), norm), (d, zero)):
        with pytest.raises(REFUSED):
            attempt(goal, delta, shown, zero)


def test_minimiser_over_part_of_the_norm_or_other_ranges_is_refused() -> None:
    """(s_1)² alone has no unique minimiser over s_1, s_2: the norm of the difference must be whole."""
    symbol, d = sequence("s"), sequence("d")
    objective = symbol(1) * symbol(1)
    at = family((i,), zero)
    after = substitute(objective, families={symbol: family((i,), zero + d(i))})
    before = substitute(objective, families={symbol: at})
    premise = identity(after, before + Add((d(1) * d(1), zero)))
    for ranges in (((ONE, index(2)),), ((ONE, n),), ((index(0), ONE),), ()):
        with pytest.raises(REFUSED):
            minimiser(UniqueMinimiser(symbol, ranges, objective, at), premise, d, zero)


# ----------------------------------------------------------------------------------------------------- enclosure
def test_enclosure_refuses_vectors_gaps_and_vanishing_denominators() -> None:
    u, v, unit = matrix("u", 1, 2), matrix("v", 2, 1), (Fraction(0), Fraction(1))
    around = (Fraction(-1), Fraction(1))
    for value, box, bound in [
        (u @ v, {u: unit, v: unit}, 2),  # each entry in [0, 1] allows the value 2; as one ball each it would be 1
        (x * y, {x: unit}, 1),
        (x, {x: unit, y: unit}, 1),
        (x, {x: unit[::-1]}, 1),
        (x, {x: unit}, Fraction(999, 1000)),
        (one / x, {x: around}, 10**6),
        (x / x, {x: around}, 1),
        (a(1), {a(1): unit}, 1),
        (x * Nat(n), {x: unit}, 1),
        (term(2), {}, 1),
    ]:
        with pytest.raises(REFUSED):
            enclosure(value, box, Fraction(bound), depth=6)


# ---------------------------------------------------------------------------------------------- points and claims
def test_what_evaluation_gives_is_no_premise_of_any_rule() -> None:
    """`n² = n` holds at n = 0, and not at every n: every rule refuses a result of `cases` or `refute`."""
    square = Eq(Nat(n) * Nat(n), Nat(n))
    results = cases(entails(And((square,))), [{"n": 0}, {"n": 1}]), refute(entails(And((square,))), {"n": 2})
    fact = assume(square)
    for result in results:
        for attack in uses_of(result, fact):
            with pytest.raises(TypeError, match=r"needed, given a (Cases|Refuted)"):
                attack()
        with pytest.raises(NotProved):
            establish(Claim("square", And((square,)), {}, {"n": 0}), result)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            Claim("square", result)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            And((result,))  # type: ignore[arg-type]


def uses_of(made: Any, fact: Fact) -> list[Callable[[], object]]:
    """Every place of every rule that takes a fact, a formula or a sequent, taken by what evaluation gave."""
    goal = UniqueMinimiser(s.symbol, (), (s - x) * (s - x), x)
    calls: list[Callable[[], object]] = []
    for name, rule in RULES.items():
        takes = inspect.signature(rule).parameters
        good: dict[str, Any] = {
            "fact": fact, "by": fact, "base": fact, "step": fact, "variable": n, "value": index(1), "i": n, "kind": Sum,
            "lo": index(0), "hi": n, "lhs": x, "rhs": x, "certificate": x * x, "given": [], "rules": [], "goal": goal,
            "difference": fact, "delta": Symbol("d", ONE, ONE), "gap": zero, "statement": fact.conclusion,
            "formula": fact.conclusion, "sequent": entails(fact.conclusion), "point": {"n": 1}, "points": [{"n": 1}],
            "middle": n, "parts": [x], "left": x, "inner": x, "indices": {}, "box": {}, "bound": Fraction(1),
        }  # fmt: skip
        if name == "component":
            good["i"] = 0
        for place, parameter in takes.items():
            if parameter.annotation in ("Fact", "Formula", "Sequent", "Sequence[Formula]", "Sequence[Eq]"):
                wrong = [made] if parameter.annotation.startswith("Sequence") else made
                calls.append(functools.partial(_call, rule, good, takes, {place: wrong}))
    return calls


def _call(rule: Any, good: dict[str, Any], takes: Any, wrong: dict[str, Any]) -> object:
    positional, named = [], {}
    for place, parameter in takes.items():
        given = {**good, **wrong}
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += [given.get(place, good["fact"])]
        elif parameter.kind is parameter.KEYWORD_ONLY:
            continue
        elif place in given:
            named[place] = given[place]
    if positional:
        return rule(*named.values(), *positional)
    return rule(**named)


@pytest.mark.parametrize(
    "point",
    [
        {},
        {"x": 1.0, "y": fmpq(2)},
        {"x": float("nan"), "y": fmpq(2)},
        {"x": 1, "y": fmpq(2)},
        {"x": True, "y": fmpq(2)},
        {"x": 1j, "y": fmpq(2)},
        {"x": "1", "y": fmpq(2)},
        {"x": None, "y": fmpq(2)},
        {"x": array([1]), "y": fmpq(2)},
        {"x": Table({}, fmpq(1)), "y": fmpq(2)},
    ],
)
def test_points_are_exact_and_typed_in_the_conclusion_and_in_the_hypotheses(point: dict[str, Any]) -> None:
    for sequent in (entails(Eq(x, y)), entails(Eq(y, zero), Le(x, x))):
        with pytest.raises((NotProved, TypeError)):
            refute(sequent, point)
        with pytest.raises((NotProved, TypeError)):
            cases(sequent, [point])


def test_an_impossible_hypothesis_is_not_met_by_a_value_of_another_shape() -> None:
    """e'JJe = -1 for no 1 by 1 matrix J: a quarter turn must not pass for one."""
    J, e = matrix("J", n, n), vector("e", n)
    turn = {"n": 1, "J": array([0, -1], [1, 0]), "e": array([1], [0]), "y": fmpq(1)}
    with pytest.raises(NotProved):
        refute(entails(Eq(y, zero), Eq(e.T @ J @ J @ e, term(-1))), turn)


@pytest.mark.parametrize("value", [-1, 1.0, fmpq(1), "1", None])
def test_sizes_are_natural_numbers(value: Any) -> None:
    with pytest.raises((NotProved, TypeError)):
        refute(entails(Lt(Nat(n), zero)), {"n": value})


def test_a_point_where_a_denominator_vanishes_decides_nothing() -> None:
    for decide in (refute, lambda sequent, point: cases(sequent, [point])):
        for formula in (Eq(x / x, one), Eq(zero * (1 / x), zero), Le(1 / x, zero)):
            with pytest.raises(NotProved, match="denominator"):
                decide(entails(formula), {"x": fmpq(0)})


def test_two_variables_of_one_name_have_no_point() -> None:
    """s = 2 s_1 does minimise (s - 2 s_1)², but a point that gives both one value would refute it."""
    s_0, s_1 = Symbol("s", ONE, ONE), sequence("s")
    at = 2 * s_1(1)
    goal = UniqueMinimiser(s_0, (), (s_0() - at) * (s_0() - at), at)
    with pytest.raises(NotProved):
        refute(entails(goal), {"s": Table({(1,): fmpq(1)}, fmpq(0))})
    with pytest.raises(TypeError, match="more than one"):
        establish(Claim("namesakes", Eq(s_0(), s_1(1)), {"equal": Eq(s_0(), s_1(1))}), assume(Eq(s_0(), s_1(1))))


def test_the_claimed_minimiser_counts_outside_the_ranges_too() -> None:
    """s_1² + (s_0 - 5)² has its minimum over s_1 at s_i = 5 (1 - i), so nothing may refute that."""
    symbol = sequence("s")
    objective = symbol(1) * symbol(1) + (symbol(0) - 5) * (symbol(0) - 5)
    goal = UniqueMinimiser(symbol, ((ONE, ONE),), objective, family((i,), 5 * (1 - Nat(i))))
    for entries in ({(1,): 1, (0,): 5}, {(1,): 1}, {(1,): 0, (0,): 5}):
        with pytest.raises(NotProved):
            refute(entails(goal), {"s": Table({key: fmpq(v) for key, v in entries.items()}, fmpq(0))})


def test_a_competitor_must_differ_within_the_ranges_and_be_no_worse() -> None:
    goal = UniqueMinimiser(s.symbol, (), (s - x) * (s - x), x)
    for competitor in (1, 2):
        with pytest.raises(NotProved):
            refute(entails(goal), {"x": fmpq(1), "s": fmpq(competitor)})
    flat = UniqueMinimiser(s.symbol, (), x * x, x)
    assert refute(entails(flat), {"x": fmpq(1), "s": fmpq(0)})


def test_the_empty_domain_and_the_same_point_twice_are_no_cases() -> None:
    claim = entails(Eq(x, x), Le(zero, x))
    for points in (
        [],
        [{"x": fmpq(-1)}],
        [{"x": fmpq(1)}, {"x": fmpq(2, 2)}],
        [{"x": fmpq(1)}, {"x": fmpq(1), "junk": 7}],
    ):
        with pytest.raises(NotProved):
            cases(claim, points)
    nothing = np.zeros((0, 0), dtype=object)
    with pytest.raises(NotProved, match="void"):
        cases(entails(Eq(A, B)), [{"n": 0, "A": nothing, "B": nothing}])
    tables = [{"a": Table({(1,): fmpq(v)}, fmpq(0))} for v in (0, 0)] + [{"a": Table({}, fmpq(0))}]
    for pair in (tables[:2], tables[1:]):
        with pytest.raises(NotProved, match="twice"):
            cases(entails(Eq(a(1), zero)), pair)


def test_a_fact_keeps_its_points_whatever_becomes_of_the_arrays() -> None:
    values = array([1])
    table = Table({(1,): values}, array([0]))
    point = {"n": 1, "A": values, "F": table}
    fact = refute(entails(Eq(A, sequence("F", n, n)(2))), point)
    values[0, 0], point["n"] = fmpq(0), 7
    kept: Any = fact.point
    assert kept["n"] == 1
    assert kept["A"][0, 0] == kept["F"][1,][0, 0] == 1
    for change in (lambda: kept.update(n=2), lambda: kept["A"].fill(0), lambda: kept["F"].entries.clear()):
        with pytest.raises((AttributeError, ValueError)):
            change()


@pytest.mark.parametrize(
    ("formula", "entries"),
    [
        (lambda t: Lt(Zero(t, t), Identity(t)), {}),  # true for t = 0 and 1, false for 2
        (lambda t: Eq(Nat(t) * (Nat(t) - 1), zero), {}),
        (lambda t: index_le(t, 5), {}),
        (lambda t: Eq(summation(i, 1, t, a(i)), zero), {3: 1}),
        (lambda t: Eq(a(9 - t), zero), {9: 1}),
        (lambda t: Eq(a(t + n), zero), {3: 1}),
        (lambda t: for_all(l, Eq(a(t + l), zero)), {3: 1}),
    ],
)
def test_a_quantifier_that_no_finite_table_decides_is_left_undecided(
    formula: Callable[[Any], Formula], entries: dict[int, int]
) -> None:
    point = {"n": 0, "a": Table({(key,): fmpq(v) for key, v in entries.items()}, fmpq(0))}
    with pytest.raises(Undecidable):
        holds(for_all(t, formula(t)), point)


def test_establish_wants_this_very_statement_from_these_very_hypotheses() -> None:
    claim = Claim("x_is_y", Eq(x, y), {"equal": Eq(x, y)}, {"x": fmpq(1), "y": fmpq(1)})
    assert establish(claim, assume(Eq(x, y)))
    further = rewrite(assume(Eq(x, z)), assume(Eq(z, y)))
    for fact in (identity(zero, zero), assume(Eq(y, x)), further, identity(x, x)):
        with pytest.raises(NotProved):
            establish(claim, fact)


@pytest.mark.parametrize("witness", [{}, {"x": fmpq(1), "y": fmpq(2)}, {"x": 1.0, "y": 1.0}, {"x": fmpq(1)}])
def test_a_witness_that_lies_is_found_out(witness: dict[str, Any]) -> None:
    with pytest.raises((NotProved, TypeError)):
        establish(Claim("x_is_y", Eq(x, y), {"equal": Eq(x, y)}, witness), assume(Eq(x, y)))


def test_contradictory_hypotheses_have_no_witness_not_even_an_empty_one() -> None:
    v, nought = vector("v", n), Zero(n, ONE)
    below, above = assume(Lt(v, nought)), assume(Lt(nought, v))
    both = conjunction(below, above)
    for witness in ({"n": 1, "v": array([1])}, {"n": 0, "v": np.zeros((0, 1), dtype=object)}):
        claim = Claim("void", both.conclusion, {"below": below.conclusion, "above": above.conclusion}, witness)
        with pytest.raises(NotProved):
            establish(claim, both)


def test_a_further_hypothesis_is_one_of_the_claim() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Claim("c", Eq(x, y), {"equal": Eq(x, y)}, further=frozenset({"nonsense"}))
