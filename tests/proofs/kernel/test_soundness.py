"""Meta-tests: what the kernel proves is true, and what is true by construction it proves.

Hypothesis draws terms, true rearrangements of them and falsified ones. The judge is the evaluator in this file: plain
loops over Fractions, written apart from `proofs.kernel.evaluation`, in worlds that give every variable a value.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import fmpq
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from proofs import kernel
from proofs.kernel import Fact, NotProved, Sequent, Table, Undecidable, holds
from proofs.kernel.terms import BOUND
from proofs.tactics.equations import equal, unfold
from proofs.terms import (
    ONE,
    Add,
    And,
    Atom,
    Div,
    Eq,
    ForAll,
    Formula,
    Identity,
    Index,
    IndexLe,
    Le,
    Lt,
    Mul,
    Nat,
    Node,
    Nonzero,
    Num,
    Prod,
    Sum,
    Symbol,
    Term,
    Transpose,
    UniqueMinimiser,
    Zero,
    family,
    for_all,
    free_indices,
    index,
    index_le,
    matrix,
    product,
    replace,
    scalar,
    sequence,
    size,
    substitute,
    summation,
    symbols,
    term,
    walk,
)

random_search = settings(derandomize=False, deadline=None, suppress_health_check=list(HealthCheck), max_examples=100)

n, m, t, i, j = (size(name) for name in "nmtij")
x, y, z = scalar("x"), scalar("y"), scalar("z")
a, b = sequence("a"), sequence("b")
zero, one = term(0), term(1)
Rows = list[list[Fraction]]
Variable = str | int
REACH = 14  # a quantified formula is tried at 0..REACH, beyond every index that a drawn term reaches


# ------------------------------------------------------------------------------------------------------ the judge
class World:
    """A value for every variable: sizes as given, any other drawn from `values` by name and indices."""

    def __init__(self, seed: int, sizes: dict[str, int], values: Sequence[Fraction]):
        self.seed, self.sizes, self.values = seed, sizes, values
        self.fixed: dict[str, Callable[[tuple[int, ...]], Rows]] = {}

    def member(self, symbol: Symbol, at: tuple[int, ...], bound: dict[Variable, int]) -> Rows:
        if symbol.name in self.fixed:
            return self.fixed[symbol.name](at)
        rows, columns = self.index(symbol.rows, bound), self.index(symbol.columns, bound)
        drawn = random.Random(f"{self.seed} {symbol.name} {at}")
        return [[drawn.choice(self.values) for _ in range(columns)] for _ in range(rows)]

    def index(self, i: Index, bound: dict[Variable, int]) -> int:
        return i.constant + sum(c * {**self.sizes, **bound}[name] for name, c in i.coefficients)


def value(x: Any, world: World, bound: dict[Variable, int] | None = None) -> Rows:
    """The value of a term, as rows; a scalar is 1 by 1."""
    bound = bound or {}

    def of(part: Any) -> Rows:
        return value(part, world, bound)

    match x:
        case Num(q):
            return [[Fraction(q)]]
        case Nat(i):
            return [[Fraction(world.index(i, bound))]]
        case Atom(symbol, indices):
            return world.member(symbol, tuple(world.index(i, bound) for i in indices), bound)
        case Identity(k):
            return unit(world.index(k, bound))
        case Zero(r, c):
            return [[Fraction(0)] * world.index(c, bound) for _ in range(world.index(r, bound))]
        case Add(terms):
            total = of(terms[0])
            for part in terms[1:]:
                total = plus(total, of(part))
            return total
        case Mul(factors):
            result = of(factors[0])
            for factor in factors[1:]:
                result = times(result, of(factor))
            return result
        case Div(above, below):
            return times(of(above), [[1 / of(below)[0][0]]])
        case Transpose(inner):
            return [list(column) for column in zip(*of(inner), strict=True)]
        case Sum() | Prod():
            span = range(world.index(x.lo, bound), world.index(x.hi, bound) + 1)
            members = [value(x.body, world, under(bound, k)) for k in span]
            rows, columns = (world.index(side, bound) for side in x.shape)
            if isinstance(x, Sum):
                total = [[Fraction(0)] * columns for _ in range(rows)]
                for part in members:
                    total = plus(total, part)
                return total
            result = unit(rows)
            for part in members:
                result = times(part, result)
            return result
    raise AssertionError(x)


def under(bound: dict[Variable, int], k: int) -> dict[Variable, int]:
    """One binder further in, whose variable is k: the positions of the others grow by one."""
    return {0: k} | {v + 1 if isinstance(v, int) else v: at for v, at in bound.items()}


def unit(k: int) -> Rows:
    return [[Fraction(r == c) for c in range(k)] for r in range(k)]


def plus(u: Rows, v: Rows) -> Rows:
    return [[p + q for p, q in zip(r, s, strict=True)] for r, s in zip(u, v, strict=True)]


def times(u: Rows, v: Rows) -> Rows:
    for one_by_one, other in ((u, v), (v, u)):
        if len(one_by_one) == len(one_by_one[0]) == 1:
            return [[one_by_one[0][0] * q for q in row] for row in other]
    return [[sum((p * q for p, q in zip(row, c, strict=True)), Fraction(0)) for c in zip(*v, strict=True)] for row in u]


def true(formula: Any, world: World, bound: dict[Variable, int] | None = None) -> bool:
    """The truth of a formula; ZeroDivisionError where a denominator vanishes."""
    bound = bound or {}

    def pairs(lhs: Term, rhs: Term) -> Iterator[tuple[Fraction, Fraction]]:
        for row, other in zip(value(lhs, world, bound), value(rhs, world, bound), strict=True):
            yield from zip(row, other, strict=True)

    match formula:
        case Eq(lhs, rhs):
            return all(p == q for p, q in pairs(lhs, rhs))
        case Le(lhs, rhs):
            return all(p <= q for p, q in pairs(lhs, rhs))
        case Lt(lhs, rhs):
            return all(p < q for p, q in pairs(lhs, rhs))
        case Nonzero(inner):
            return value(inner, world, bound)[0][0] != 0
        case IndexLe(lhs, rhs):
            return world.index(lhs, bound) <= world.index(rhs, bound)
        case And(parts):
            return every(true(part, world, bound) for part in parts)
        case ForAll():
            return every(true(formula.body, world, under(bound, k)) for k in range(REACH + 1))
    raise AssertionError(formula)


def every(truths: Iterable[bool]) -> bool:
    """`all`, of all: no vanishing denominator goes unseen."""
    return all(list(truths))


FEW = [Fraction(q) for q in (0, 1, -1, 2)]  # meets zeros and equations often
MANY = [Fraction(p, q) for p in range(-9, 10) for q in (1, 2, 3)]  # tells unequal terms apart


def drawn_world(seed: int, values: Sequence[Fraction]) -> World:
    chosen = random.Random(seed)
    sizes = {name: chosen.randint(1, 3) for name in "nm"} | {name: chosen.randint(0, 4) for name in "tij"}
    return World(seed, sizes, values)


seeds = st.integers(0, 2**32)


def worlds(values: Sequence[Fraction] = MANY) -> st.SearchStrategy[World]:
    return seeds.map(lambda seed: drawn_world(seed, values))


def several(draw: Callable[[st.SearchStrategy[int]], int], count: int = 6) -> list[World]:
    """Worlds of few and of many values, no two alike; among them one where nothing is equal for want of size."""
    first = draw(seeds)
    places = [drawn_world(first + k, (FEW, MANY)[k % 2]) for k in range(2 * count)]
    places[1].sizes |= {"n": 3, "m": 2, "t": 3}
    return places


def check(fact: Fact, places: Sequence[World]) -> None:
    """The fact is true wherever its hypotheses are; a conclusion without a value there lacks a hypothesis."""
    for world in places:
        try:
            met = every(true(h, world) for h in fact.hypotheses)
        except ZeroDivisionError:
            continue
        if met:
            event("hypotheses met" if fact.hypotheses else "no hypotheses")
            assert true(fact.conclusion, world), (fact, world.sizes)


def agree(lhs: Term, rhs: Term, places: Sequence[World]) -> bool:
    """Whether two terms have one value, wherever they have any."""
    for world in places:
        try:
            if value(lhs, world) != value(rhs, world):
                return False
        except ZeroDivisionError:
            continue
    return True


def attempt(rule: Callable[..., Fact], *arguments: Any, **options: Any) -> Fact | None:
    try:
        return rule(*arguments, **options)
    except NotProved:
        return None


# -------------------------------------------------------------------------------------------------- drawing terms
SIDES = [ONE, n, m]


def tag(rows: Index, columns: Index) -> str:
    return "".join("U" if side == ONE else side.name for side in (rows, columns))


def letters(rows: Index, columns: Index) -> list[Term]:
    """Two variables of each shape."""
    return [Symbol(f"{letter}{tag(rows, columns)}", rows, columns)() for letter in "AB"]


@st.composite
def indices(draw: st.DrawFn, variables: Sequence[Index] = (t, n)) -> Index:
    return draw(st.sampled_from([index(0), *variables])) + draw(st.integers(0, 2))


@st.composite
def terms(
    draw: st.DrawFn,
    rows: Index = ONE,
    columns: Index = ONE,
    depth: int = 3,
    *,
    binders: bool = False,
    division: bool = False,
    variables: tuple[Index, ...] = (t, n),
) -> Term:
    """A term of the given shape."""

    def inner(r: Index, c: Index, **changed: Any) -> Term:
        options = {"binders": binders, "division": division, "variables": variables} | changed
        return draw(terms(r, c, depth - 1, **options))

    if depth == 0 or draw(st.integers(0, 6)) == 6:
        return draw(leaves(rows, columns, variables))
    kinds = ["sum", "difference", "product", "product", "multiple", "transpose"]
    kinds += ["Sum", "Prod"] * (binders and rows == columns) + ["Sum"] * binders + ["quotient"] * division
    match draw(st.sampled_from(kinds)):
        case "sum":
            return inner(rows, columns) + inner(rows, columns)
        case "difference":
            return inner(rows, columns) - inner(rows, columns)
        case "product":
            through = draw(st.sampled_from(SIDES))
            return Mul((inner(rows, through), inner(through, columns)))
        case "multiple":
            return inner(ONE, ONE) * inner(rows, columns)
        case "transpose":
            return Transpose(inner(columns, rows))
        case "quotient":
            return inner(rows, columns) / inner(ONE, ONE)
        case kind:
            variable = draw(st.sampled_from([i, j, t]))  # t shadows a free variable of the same name
            body = inner(rows, columns, variables=(*variables, variable), division=False)
            lo, hi = draw(indices(variables)), draw(indices(variables))
            return summation(variable, lo, hi, body) if kind == "Sum" else product(variable, lo, hi, body)


@st.composite
def leaves(draw: st.DrawFn, rows: Index, columns: Index, variables: tuple[Index, ...]) -> Term:
    if rows == columns == ONE:
        number = term(Fraction(draw(st.integers(-3, 3)), draw(st.integers(1, 2))))
        position = draw(indices(variables))
        return draw(st.sampled_from([number, x, y, a(position), a(position), Nat(position)]))
    family_of = sequence(f"F{tag(rows, columns)}", rows, columns)
    options = [*letters(rows, columns), *(w.T for w in letters(columns, rows)), family_of(draw(indices(variables)))]
    options += [Identity(rows)] if rows == columns else [Zero(rows, columns)]
    return draw(st.sampled_from(options))


def rebuilt(x: Term, parts: Sequence[Term]) -> Term:
    """x with its direct parts replaced; binders are left closed."""
    match x:
        case Add():
            return Add(tuple(parts))
        case Mul():
            return Mul(tuple(parts))
        case Div():
            return Div(*parts)
        case Transpose():
            return Transpose(*parts)
    return x


def parts_of(x: Term) -> tuple[Term, ...]:
    match x:
        case Add(parts) | Mul(parts):
            return parts
        case Div(above, below):
            return above, below
        case Transpose(of):
            return (of,)
    return ()


@st.composite
def rearranged(draw: st.DrawFn, x: Term, division: bool = False) -> Term:
    """A term equal to x: laws of matrix algebra applied at random places."""
    x = rebuilt(x, [draw(rearranged(part, division)) for part in parts_of(x)])
    laws = [x, *same_as(x)]
    if division and draw(st.booleans()):
        laws.append((x * y) / y)
    return draw(st.sampled_from(laws))


def same_as(x: Term) -> Iterator[Term]:
    """Terms that one law makes equal to x."""
    if x.is_scalar:
        yield Transpose(x)
    elif not isinstance(x, Add | Mul):
        yield x + x - x
        yield Mul((Identity(x.shape[0]), one * x))
    if isinstance(x, Add):
        yield Add(x.terms[::-1])
        yield Add((x.terms[0], Add(x.terms[1:])))
    if isinstance(x, Transpose) and isinstance(x.of, Add):
        yield Add(tuple(Transpose(part) for part in x.of.terms))
    if isinstance(x, Transpose) and isinstance(x.of, Mul):
        yield Mul(tuple(Transpose(factor) for factor in reversed(x.of.factors)))
    if isinstance(x, Mul):
        first, *rest = x.factors
        backwards = Mul(tuple(Transpose(factor) for factor in reversed(x.factors)))
        yield backwards if x.is_scalar else Transpose(backwards)
        if first.is_scalar or all(factor.is_scalar for factor in rest):
            yield Mul((*rest, first))
        if isinstance(first, Add):
            yield Add(tuple(Mul((part, *rest)) for part in first.terms))
        *front, last = x.factors
        if isinstance(last, Mul):
            yield Mul((*front, *last.factors)) if _chains((*front, *last.factors)) else x
        if isinstance(last, Add):
            yield Add(tuple(Mul((*front, part)) for part in last.terms))


def _chains(factors: tuple[Term, ...]) -> bool:
    matrices = [factor for factor in factors if not factor.is_scalar]
    return all(u.shape[1] == v.shape[0] for u, v in itertools.pairwise(matrices))


def falsified(x: Any) -> Iterator[Any]:
    """x with one sign, factor, index or number changed; some are equal to x all the same."""
    match x:
        case Num(q):
            yield Num(q + 1)
        case Atom(symbol, positions):
            yield -x
            for k, position in enumerate(positions):
                yield symbol(*positions[:k], position + 1, *positions[k + 1 :])
        case Identity() | Zero() | Nat():
            yield 2 * x
        case Sum() | Prod():
            yield type(x)(x.body, x.lo, x.hi + 1)
            yield type(x)(x.body, x.lo + 1, x.hi)
        case Transpose(of) if of.shape == x.shape:
            yield of
        case Mul((first, second)) if first.shape == second.shape[::-1]:
            if first.shape[0] == first.shape[1]:
                yield Mul((second, first))
    for k, part in enumerate(parts_of(x)):
        for changed in falsified(part):
            yield rebuilt(x, [*parts_of(x)[:k], changed, *parts_of(x)[k + 1 :]])


@st.composite
def perhaps_falsified(draw: st.DrawFn, x: Term) -> Term:
    changes = list(falsified(x))
    return draw(st.sampled_from(changes)) if changes and draw(st.booleans()) else x


shapes = st.tuples(st.sampled_from(SIDES), st.sampled_from(SIDES))


# ------------------------------------------------------------------------------------------------- the normal form
@random_search
@given(st.data(), shapes)
def test_normal_form_decides_equality(data: st.DataObject, shape: tuple[Index, Index]) -> None:
    lhs = data.draw(terms(*shape))
    rhs = data.draw(rearranged(data.draw(perhaps_falsified(lhs))))
    fact = attempt(kernel.identity, lhs, rhs)
    event("equal" if fact else "unequal")
    assert bool(fact) == agree(lhs, rhs, several(data.draw, 8))
    assert not fact or not fact.hypotheses


@random_search
@given(st.data(), shapes)
def test_normal_form_is_sound_with_quotients_and_binders(data: st.DataObject, shape: tuple[Index, Index]) -> None:
    lhs = data.draw(terms(*shape, binders=True, division=True))
    true_rhs = data.draw(rearranged(lhs, division=True))
    places = several(data.draw)
    for rhs in (true_rhs, data.draw(perhaps_falsified(true_rhs))):
        if fact := attempt(kernel.identity, lhs, rhs):
            check(fact, places)
        else:
            event("refused")


@random_search
@given(st.data(), shapes)
def test_rearrangements_with_binders_and_quotients_are_proved(data: st.DataObject, shape: tuple[Index, Index]) -> None:
    lhs = data.draw(terms(*shape, binders=True))
    rhs = data.draw(rearranged(lhs, division=True))
    assert kernel.words(lhs, rhs, ()).hypotheses <= {Nonzero(y)}


@random_search
@given(st.data())
def test_every_denominator_becomes_a_hypothesis(data: st.DataObject) -> None:
    below = data.draw(terms(depth=2, division=True))
    numerator = data.draw(terms(depth=1))
    for lhs in ((numerator * below) / below, numerator / (1 / (1 / below)) * below):
        for rhs in (numerator, numerator / below * below, numerator * below * below / below):
            if fact := attempt(kernel.identity, lhs, rhs):
                check(fact, several(data.draw, 3))


# -------------------------------------------------------------------------------------- equations modulo equations
@settings(random_search, max_examples=40)
@given(st.data(), shapes)
def test_words_modulo_rules(data: st.DataObject, shape: tuple[Index, Index]) -> None:
    """Rules L = definition and P Q = I, in worlds where they hold: proved exactly what is equal there."""
    square = matrix("L", n, n), matrix("P", n, n), matrix("Q", n, n)
    L, P, Q = square
    definition = data.draw(terms(n, n, 2))
    rules = [Eq(L, definition), Eq(P @ Q, Identity(n))]
    around = data.draw(terms(shape[0], n, 1)), data.draw(terms(n, shape[1], 1))
    plain = Mul((around[0], definition @ definition + Identity(n), around[1]))
    lhs = Mul((around[0], L @ P @ Q @ definition + P @ Q, around[1]))
    rhs = data.draw(rearranged(data.draw(perhaps_falsified(plain))))
    places = several(data.draw, 5)
    for world in places:
        c, k = Fraction(2), world.sizes["n"]
        corner = [[c * (r == 0 and s == k - 1 and k > 1) for s in range(k)] for r in range(k)]
        minus = [[-q for q in row] for row in corner]
        world.fixed["L"] = lambda _, world=world: value(definition, world)
        p, q = plus(unit(k), corner), plus(unit(k), minus)
        world.fixed |= {"P": lambda _, p=p: p, "Q": lambda _, q=q: q}
    fact = attempt(kernel.words, lhs, rhs, rules)
    event("equal" if fact else "unequal")
    assert bool(fact) == agree(lhs, rhs, places)
    if fact:
        assert set(rules) <= fact.hypotheses
        check(fact, places)


@random_search
@given(st.data())
def test_identities_modulo_an_ideal(data: st.DataObject) -> None:
    """y = definition, z² = x: what is proved is true there, and a use of the definition is proved."""
    definition = substitute(data.draw(terms(depth=2)), families={y.symbol: term(3)})
    lhs = data.draw(terms(depth=2)) * y + y * y * z * z
    true_rhs = substitute(lhs, families={y.symbol: definition}) + (z * z - x) * y
    equations = [Eq(y, definition), Eq(x, z * z)]
    places = several(data.draw)
    for world in places:
        root = value(z, world)[0][0]
        world.fixed["x"] = lambda _, root=root: [[root * root]]
        world.fixed["y"] = lambda _, world=world: value(definition, world)
    check(kernel.identity(lhs, true_rhs, equations), places)
    wrong = data.draw(perhaps_falsified(true_rhs))
    if fact := attempt(kernel.identity, lhs, wrong, equations):
        check(fact, places)
    else:
        assert wrong != true_rhs


# ----------------------------------------------------------------------------------------------- sums and products
@random_search
@given(st.data(), st.sampled_from([summation, product]), st.sampled_from(SIDES))
def test_ranges_cut_emptied_or_single(data: st.DataObject, kind: Any, side: Index) -> None:
    body = data.draw(terms(side, side, 1, variables=(t, i))) + sequence(f"F{tag(side, side)}", side, side)(i)
    some_index = indices((t, n, m)).map(lambda k: k - 1)
    lo, middle = data.draw(some_index), data.draw(some_index)
    hi = data.draw(st.sampled_from([lo - 2, lo - 1, lo, lo + 2, data.draw(some_index)]))
    middle = data.draw(st.sampled_from([middle, lo, hi]))
    value_of = kind(i, lo, hi, body)
    places = several(data.draw)
    check(kernel.split(value_of, middle), places)
    for rule, condition in ((kernel.empty, hi - lo + 1), (kernel.single, hi - lo)):
        fact = attempt(rule, value_of)
        assert bool(fact) == (condition == index(0) or (rule is kernel.empty and (condition * -1).surely_nonnegative()))
        if fact:
            check(fact, places)


@random_search
@given(st.data(), shapes)
def test_sums_are_linear(data: st.DataObject, shape: tuple[Index, Index]) -> None:
    lo, hi = data.draw(indices()), data.draw(indices())
    inside = st.sampled_from([(t, i), (t, n)])
    parts = [data.draw(terms(*shape, 2, variables=data.draw(inside))) for _ in range(2)]
    check(kernel.additive(i, lo, hi, parts), several(data.draw, 3))
    left = data.draw(terms(n, shape[0], 1, variables=data.draw(inside)))
    right = data.draw(terms(shape[1], m, 1, variables=data.draw(inside)))
    fact = attempt(kernel.linear, i, lo, hi, left, parts[0], right)
    if fact:
        check(fact, several(data.draw, 3))
    else:
        assert "i" in free_indices((left, right))


@random_search
@given(st.data(), st.sampled_from([Sum, Prod]), st.booleans())
def test_congruence_under_sums_and_products(data: st.DataObject, kind: Any, equation: bool) -> None:
    """From a(i) = f or a(i) <= f, assumed on the range or everywhere, in worlds where that is so."""
    bound = data.draw(terms(depth=2, variables=(t, i)))
    bound = substitute(bound, families={a: family((j,), b(j + 1))})
    lo, hi = data.draw(indices()) - data.draw(st.integers(0, 1)), data.draw(indices())
    premise = kernel.assume((Eq if equation else Le)(a(i), bound))
    for limit in (index_le(lo, i), index_le(i, hi), index_le(t, i)):
        premise = kernel.component(kernel.conjunction(premise, kernel.assume(limit)), 0)
    fact = attempt(kernel.congruence, premise, kind, i, lo, hi)
    if not fact:
        assert not lo.surely_nonnegative() or (kind is Prod and not equation)
        return
    places = several(data.draw)
    for world in places:
        world.sizes["t"] = 0
        less = data.draw(st.integers(0, 2)) * (not equation)
        world.fixed["a"] = lambda at, world=world, less=less: plus(
            value(bound, world, {"i": at[0]}), [[Fraction(5 if at[0] < 0 else -less)]]
        )
    check(fact, places)


@random_search
@given(st.data())
def test_induction_proves_telescoping_sums_and_nothing_else(data: st.DataObject) -> None:
    """sum over 1..t of f(i) - f(i - 1) = f(t) - f(0), with f drawn, and perhaps broken on one side."""
    f = data.draw(terms(depth=2, variables=(t,)))
    g = data.draw(perhaps_falsified(f))

    def statement(time: Index) -> Eq:
        step = substitute(f, {"t": i + 1}) - substitute(f, {"t": i})
        return Eq(summation(i, 0, time - 1, step), substitute(g, {"t": time}) - substitute(f, {"t": index(0)}))

    def proof() -> Fact:
        start, after = statement(index(0)), statement(t + 1)
        base = equal(start.lhs, start.rhs, kernel.empty(start.lhs))
        step = equal(after.lhs, after.rhs, kernel.assume(statement(t)), unfold(after.lhs))
        return kernel.induction(statement(t), t, base, step)

    places = several(data.draw)
    fact = attempt(proof)
    event("proved" if fact else "refused")
    if fact:
        assert not fact.hypotheses
        check(fact, places)
    assert bool(fact) == agree(f, g, places)


# ---------------------------------------------------------------------------------------------------- substitution
@random_search
@given(st.data(), shapes)
def test_substitution_means_evaluation_elsewhere(data: st.DataObject, shape: tuple[Index, Index]) -> None:
    """value(x[new / old]) in a world is the value of x in the world where old has the value of new."""
    original = data.draw(terms(*shape, 3, binders=True))
    world = data.draw(worlds(MANY))
    moved = {name: data.draw(indices((n, m, t, i, j))) for name in ("n", "m", "t")}
    new_x = data.draw(terms(depth=2, binders=True, variables=(t, i)))
    new_a = data.draw(terms(depth=2, binders=True, variables=(t, i, j)))
    families: dict[Symbol, Node] = {x.symbol: new_x, a: family((j,), new_a)}
    elsewhere = World(world.seed, {**world.sizes, **{k: world.index(v, {}) for k, v in moved.items()}}, MANY)
    assume(all(elsewhere.sizes[name] for name in "nm"))
    elsewhere.fixed["x"] = lambda _: value(new_x, world)
    elsewhere.fixed["a"] = lambda at: value(new_a, world, {"j": at[0]})
    assert value(substitute(original, moved, families), world) == value(original, elsewhere)


@random_search
@given(st.data(), shapes)
def test_rewriting_keeps_the_value_where_the_equation_holds(data: st.DataObject, shape: tuple[Index, Index]) -> None:
    statement = data.draw(terms(*shape, 3, binders=True)), data.draw(terms(*shape, 2, binders=True))
    old = data.draw(st.sampled_from([x, a(t), a(t + 1), a(n), Nat(n)]))
    new = data.draw(terms(depth=1, variables=(t, i)))
    fact = attempt(kernel.rewrite, kernel.assume(Eq(*statement)), kernel.assume(Eq(old, new)))
    assert bool(fact) == (old == new or any(part == old for part in walk(statement)))
    if fact:
        check(fact, several(data.draw))
    assert replace(statement[0], old, old) == statement[0]
    world = data.draw(worlds())
    assert agree(statement[0], replace(statement[0], old, old + 0), [world])


@random_search
@given(st.data())
def test_scripts_of_random_moves_prove_only_what_is_true(data: st.DataObject) -> None:
    """Assume, then combine at random; whatever comes out is true wherever its hypotheses are."""
    small = st.sampled_from([x, y, zero, one, a(t), a(0), a(t + 1), Nat(t), Nat(n)])
    relation = st.builds(lambda kind, u, v: kind(u, v), st.sampled_from([Eq, Eq, Le, Lt]), small, small)
    quantified = relation.map(lambda r: for_all(t, r))
    ordered = st.builds(index_le, indices(), indices())
    facts = [kernel.assume(f) for f in data.draw(st.lists(relation | quantified | ordered, min_size=3, max_size=4))]

    def pick() -> Fact:
        return data.draw(st.sampled_from(tuple(facts)))

    moves: list[Callable[[], Fact]] = [
        lambda: kernel.discharge(pick(), pick()),
        lambda: kernel.rewrite(pick(), pick()),
        lambda: kernel.generalise(pick(), data.draw(st.sampled_from([t, n]))),
        lambda: kernel.specialise(pick(), data.draw(indices()) - data.draw(st.integers(0, 1))),
        lambda: kernel.conjunction(pick(), pick()),
        lambda: kernel.component(pick(), 0),
        lambda: kernel.apart(pick()),
        lambda: kernel.instantiate(pick(), {"t": data.draw(indices()) - data.draw(st.integers(0, 1))}),
        lambda: kernel.instantiate(pick(), {}, {a: family((i,), data.draw(small))}),
        lambda: kernel.congruence(pick(), data.draw(st.sampled_from([Sum, Prod])), t, 0, data.draw(indices())),
        lambda: kernel.identity(data.draw(small), data.draw(small), [f.conclusion for f in facts[:2]]),
        lambda: kernel.induction(data.draw(relation), t, pick(), pick()),
        lambda: kernel.squares(data.draw(small), u := data.draw(small), u, [f.conclusion for f in facts]),
    ]
    for _ in range(8):
        try:
            facts.append(data.draw(st.sampled_from(moves))())
        except (NotProved, TypeError, AttributeError):
            continue
    places = [data.draw(worlds(FEW)) for _ in range(6)]
    for world in places[::2]:
        constant = data.draw(st.sampled_from(FEW))
        world.fixed["a"] = lambda _, c=constant: [[c]]
    for fact in facts:
        check(fact, places)


# ----------------------------------------------------------------------------------------------------------- signs
signs = [
    Le(zero, x),
    Lt(zero, y),
    for_all(i, Le(zero, a(i))),
    for_all(i, for_all(j, Lt(zero, sequence("p", arity=2)(i, j)))),
]


def keep_signs(world: World) -> None:
    """Make the world satisfy `signs`."""
    for name, least in (("x", 0), ("y", 1), ("a", 0), ("p", 1)):
        world.fixed[name] = lambda at, name=name, least=least: [
            [abs(random.Random(f"{world.seed} {name} {at}").choice(world.values)) + least]
        ]


@st.composite
def signed(draw: st.DrawFn, strict: bool, depth: int = 3, variables: tuple[Index, ...] = (t, n)) -> Term:
    """A scalar term whose sign is plain as written, given `signs`."""

    def inner(strictly: bool = strict, more: tuple[Index, ...] = ()) -> Term:
        return draw(signed(strictly, depth - 1, (*variables, *more)))

    position, other = draw(indices(variables)), draw(indices(variables))
    if depth == 0:
        positive = [y, one, sequence("p", arity=2)(position, other), Nat(position + 1)]
        return draw(st.sampled_from(positive if strict else [*positive, x, a(position), Nat(position), zero]))
    kinds = ["sum", "product", "quotient", "Prod"] + ["square", "norm", "Sum"] * (not strict)
    match draw(st.sampled_from(kinds)):
        case "sum":
            return inner() + inner(False) if draw(st.booleans()) else inner(False) + inner()
        case "product":
            return inner() * inner()
        case "quotient":
            return inner() / inner(True)
        case "square":
            some = draw(terms(depth=2, variables=variables))
            return some * some
        case "norm":
            v = draw(terms(n, ONE, 2, variables=variables))
            return Mul((Transpose(v), v))
        case kind:
            lo = draw(indices())
            return (summation if kind == "Sum" else product)(i, lo, draw(indices()), inner(more=(i,)))


@settings(random_search, max_examples=50)
@given(st.data(), st.booleans())
def test_squares_shows_plain_signs_and_no_wrong_ones(data: st.DataObject, strict: bool) -> None:
    certificate = data.draw(signed(strict))
    lhs = data.draw(terms(depth=1))
    places = several(data.draw, 4)
    for world in places:
        keep_signs(world)
    check(kernel.squares(lhs, lhs + certificate, certificate, signs, strict=strict), places)
    for wrong in (data.draw(perhaps_falsified(certificate)), data.draw(terms(depth=3, binders=True))):
        if fact := attempt(kernel.squares, lhs, lhs + wrong, wrong, signs, strict=strict):
            check(fact, places)
        else:
            event("refused")


def minimum_of_a_family(claimed: Term) -> Fact:
    """claimed is the unique minimiser over s_1 .. s_n of the sum of (s_i - b_i)² + y (a_i s_i - x)², if that is so."""
    s, d = sequence("s"), sequence("d")
    error = a(i) * s(i) - x
    body = (s(i) - b(i)) * (s(i) - b(i)) + y * (error * error)
    below = 1 + y * (a(i) * a(i))
    positive = kernel.apart(kernel.squares(zero, below, below, signs, strict=True))
    parts = [substitute(body, families={s: family((i,), claimed)}), d(i) * d(i), y * (a(i) * d(i)) * (a(i) * d(i))]
    fact = kernel.identity(substitute(body, families={s: family((i,), claimed + d(i))}), Add(tuple(parts)))
    fact = kernel.discharge(fact, *([positive] if positive.conclusion in fact.hypotheses else []))
    fact = kernel.rewrite(kernel.congruence(fact, Sum, i, 1, n), kernel.additive(i, 1, n, parts))
    goal = UniqueMinimiser(s, ((ONE, n),), summation(i, 1, n, body), family((i,), claimed))
    return kernel.minimiser(goal, fact, d, summation(i, 1, n, parts[2]), signs)


true_minimiser = b(i) - y / (1 + y * (a(i) * a(i))) * (a(i) * b(i) - x) * a(i)


@settings(random_search, max_examples=25)
@given(st.data())
def test_a_minimiser_is_proved_exactly_where_nothing_beats_it(data: st.DataObject) -> None:
    changed = data.draw(perhaps_falsified(true_minimiser))
    fact = attempt(minimum_of_a_family, changed)
    places = several(data.draw, 4)
    for world in places:
        keep_signs(world)
    assert bool(fact) == agree(true_minimiser, changed, [with_entry(w, "i", k) for w in places for k in range(5)])
    if not fact:
        return
    goal = fact.conclusion
    assert isinstance(goal, UniqueMinimiser)
    for world in places:
        entry = data.draw(st.integers(1, world.sizes["n"]))
        at, other = (
            with_family(
                world, BOUND, lambda k, w=world, far=far: plus(value(changed, with_entry(w, "i", k[0])), far(k[0]))
            )
            for far in (lambda _: [[Fraction(0)]], lambda k, entry=entry: [[Fraction(k == entry)]])
        )
        assert every(true(h, world) for h in fact.hypotheses)
        assert value(goal.objective, at) < value(goal.objective, other)


def with_entry(world: World, name: str, k: int) -> World:
    """The world at another value of an index."""
    other = with_family(world, "", None)
    other.sizes = {**world.sizes, name: k}
    return other


def with_family(world: World, name: str, members: Any) -> World:
    other = World(world.seed, world.sizes, world.values)
    other.fixed = {**world.fixed, name: members}
    return other


@random_search
@given(st.data())
def test_enclosures_hold_on_the_whole_box(data: st.DataObject) -> None:
    """Proved with room to spare for a polynomial; never below a value that is taken in the box."""
    expression = substitute(
        data.draw(terms(depth=3, division=data.draw(st.booleans()), variables=())),
        {"n": ONE, "m": ONE},
        {a: family((i,), x + Nat(i))},
    )
    ends = [sorted(Fraction(data.draw(st.integers(-8, 8)), 4) for _ in range(2)) for _ in range(2)]
    boxed = [v for v in (x, y) if v.symbol in symbols(expression)]
    assume(symbols(expression) == {v.symbol for v in boxed})
    box = {v: (lo, hi) for v, (lo, hi) in zip(boxed, ends, strict=False)}
    taken = []
    for weights in itertools.product((0, Fraction(1, 3), Fraction(1, 2), 1), repeat=len(box)):
        world = World(0, {}, MANY)
        for (v, (lo, hi)), w in zip(box.items(), weights, strict=True):
            world.fixed[v.symbol.name] = lambda _, q=lo + (hi - lo) * w: [[q]]
        try:
            taken.append(value(expression, world)[0][0])
        except ZeroDivisionError:
            taken.append(Fraction(10**9))  # no bound is to be had
    most = max(taken)
    for room in (Fraction(-1, 1000), Fraction(1, 1000), Fraction(1)):
        fact = attempt(kernel.enclosure, expression, box, most + room, depth=4)
        assert not fact or (room > 0 and most < 10**9)
        event(f"room {room}: {'proved' if fact else 'refused'}")


@pytest.mark.parametrize("room", [Fraction(1, 100), Fraction(1, 2)])
def test_enclosures_are_reached_by_bisection(room: Fraction) -> None:
    box = {x: (Fraction(0), Fraction(1)), y: (Fraction(-1), Fraction(1))}
    assert kernel.enclosure(x - x * x + y * y, box, Fraction(5, 4) + room)


# ---------------------------------------------------------------------------------------------------------- points
@st.composite
def points(draw: st.DrawFn) -> tuple[dict[str, Any], World]:
    """One assignment, as a point for the kernel and as a world for the judge."""
    world = draw(worlds(FEW))
    point: dict[str, Any] = dict(world.sizes)
    sizes = {"1": 1, "n": world.sizes["n"], "m": world.sizes["m"]}
    for name in "xy":
        point[name] = _exact(value(scalar(name), world))[0, 0]
    keys = draw(st.lists(st.integers(0, 5), max_size=3))
    entries = {(key,): draw(st.sampled_from(FEW)) for key in keys}
    default = draw(st.sampled_from(FEW))
    point["a"] = Table({key: fmpq(int(v)) for key, v in entries.items()}, fmpq(int(default)))
    world.fixed["a"] = lambda at: [[entries.get(at, default)]]
    for rows, columns in itertools.product(sizes, repeat=2):
        if rows + columns == "11":
            continue
        sides = tuple(ONE if side == "1" else size(side) for side in (rows, columns))
        for letter in "AB":
            symbol = Symbol(f"{letter}{tag(*sides)}", *sides)
            point[symbol.name] = _exact(world.member(symbol, (), {}))
        F = Symbol(f"F{tag(*sides)}", *sides, 1)
        members = {(k,): world.member(F, (k,), sizes) for k in range(4)}
        point[F.name] = Table({k: _exact(v) for k, v in members.items()}, _exact(members[0,]))
        world.fixed[F.name] = lambda at, members=members: members.get(at, members[0,])
    return point, world


def _exact(rows: Rows) -> Any:
    return np.array([[fmpq(q.numerator, q.denominator) for q in row] for row in rows], dtype=object)


@st.composite
def formulas(draw: st.DrawFn) -> Formula:
    rows, columns = draw(shapes)
    kind = draw(st.sampled_from([Eq, Eq, Le, Lt, Nonzero, IndexLe, And, ForAll]))
    if kind is Nonzero:
        return Nonzero(draw(terms(depth=2, binders=True, division=True)))
    if kind is IndexLe:
        return index_le(draw(indices()), draw(indices()))
    if kind is And:
        return And((draw(formulas()), draw(formulas())))
    if kind is ForAll:
        inside = a(draw(st.integers(1, 3)) * t + draw(st.integers(-4, 4)))
        other = a(t + draw(st.integers(-3, 3))) if draw(st.booleans()) else draw(terms(depth=1, variables=(n,)))
        return for_all(t, draw(st.sampled_from([Eq, Le, Lt]))(inside, other))
    sides = [draw(terms(rows, columns, 2, binders=True, division=True)) for _ in range(2)]
    sides[1] = draw(
        st.sampled_from([sides[1], sides[0] + Zero(rows, columns) if sides[0].shape != (ONE, ONE) else sides[0]])
    )
    return kind(*sides)


@random_search
@given(st.data(), formulas(), points())
def test_evaluation_agrees_with_the_judge(
    data: st.DataObject, formula: Formula, at: tuple[dict[str, Any], World]
) -> None:
    point, world = at
    try:
        expected = true(formula, world)
    except ZeroDivisionError:
        return
    try:
        found = holds(formula, point)
    except Undecidable:
        assume(False)
    assert found == expected


@random_search
@given(formulas(), formulas(), points())
def test_refute_and_cases_follow_the_judge(
    hypothesis: Formula, conclusion: Formula, at: tuple[dict[str, Any], World]
) -> None:
    point, world = at
    sequent = Sequent(frozenset([hypothesis]), conclusion)
    refuted, shown = attempt(kernel.refute, sequent, point), attempt(kernel.cases, sequent, [point])
    try:
        met, concluded = true(hypothesis, world), true(conclusion, world)
    except ZeroDivisionError:
        return
    assert not refuted or (met and not concluded)
    assert not shown or (met and concluded)
    claim = kernel.Claim("drawn", hypothesis, {"drawn": hypothesis}, point)
    if attempt(kernel.establish, claim, kernel.assume(hypothesis)):
        assert met


def test_a_quantifier_looks_at_every_exception_of_a_table() -> None:
    """for every t, a(c t + offset) = 0, with one exception in the table: exhaustively, against plain search."""
    for c, offset, exception in itertools.product((1, 2, 3), range(-4, 5), range(-3, 8)):
        point = {"a": Table({(exception,): fmpq(1)}, fmpq(0))}
        expected = all(c * k + offset != exception for k in range(20))
        assert holds(for_all(t, Eq(a(c * t + offset), zero)), point) == expected


def test_the_latest_factor_of_a_product_stands_on_the_left() -> None:
    F = sequence("F", n, n)
    early, late = [[1, 1], [0, 1]], [[1, 0], [1, 1]]
    values = {(k,): _exact([[Fraction(q) for q in row] for row in rows]) for k, rows in ((1, early), (2, late))}
    point = {"n": 2, "F": Table(values, values[1,])}
    assert holds(Eq(product(i, 1, 2, F(i)), F(2) @ F(1)), point)
    assert not holds(Eq(product(i, 1, 2, F(i)), F(1) @ F(2)), point)
    assert holds(Eq(product(i, 2, 1, F(i)), Identity(n)), point)


def test_a_transposed_number_is_itself() -> None:
    assert holds(Eq(Transpose(x), x), {"x": fmpq(2)})
    assert kernel.enclosure(Transpose(x), {x: (Fraction(0), Fraction(1))}, Fraction(2))
