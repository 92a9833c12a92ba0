"""Two claims that print alike say the same: pairs are drawn, and near misses above all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proofs.kernel import Claim, NotProved, identity
from proofs.printing import Latex, Text, statement
from proofs.terms import (
    ONE,
    And,
    Eq,
    Formula,
    Identity,
    Index,
    Le,
    Lt,
    Nat,
    Symbol,
    Term,
    UniqueMinimiser,
    Zero,
    family,
    for_all,
    free_indices,
    index,
    index_le,
    matrix,
    scalar,
    sequence,
    size,
    summation,
    symbols,
    term,
    vector,
)

n, m, i, j = (size(name) for name in "nmij")
SHAPES = [(ONE, ONE), (n, ONE), (ONE, n), (n, n), (n, m), (index(2), index(2)), (n + 1, n + 1)]
NAMES = ["x", "x₁", "x1", "x'", "xx", "A", "B", "x\u0302", "Σ"]
INDICES = [index(0), index(1), index(11), n, m, i, n + 1, 2 * n, n - 1]


@st.composite
def an_atom(draw: st.DrawFn) -> Term:
    rows, columns = draw(st.sampled_from(SHAPES))
    arity = draw(st.integers(0, 2))
    symbol = Symbol(draw(st.sampled_from(NAMES)), rows, columns, arity)
    return symbol(*(draw(st.sampled_from(INDICES)) for _ in range(arity)))


LEAVES = st.one_of(
    an_atom(),
    st.sampled_from([term(0), term(1), term(2), term(-1), Nat(n), Nat(n + 1)]),
    st.sampled_from([Identity(n), Identity(n + 1), Identity(m), Zero(n, ONE), Zero(n, n), Zero(n, m), Zero(m, n)]),
)


def _together(parts: tuple[Callable[[Term, Term], Term], Term, Term]) -> Term | None:
    operation, x, y = parts
    try:
        return operation(x, y)
    except TypeError:  # the shapes do not fit
        return None


def _sum(x: Term, y: Term) -> Term:
    return summation(i, y_range(y), n, x)


def y_range(y: Term) -> Index:
    return index(1) if y.is_scalar else index(0)


OPERATIONS: Sequence[Callable[[Term, Term], Term]] = [
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x @ y,
    lambda x, y: x * y,
    lambda x, y: x / y,
    lambda x, _: x.T,
    lambda x, _: -x,
    _sum,
]
TERMS = st.recursive(
    LEAVES,
    lambda inner: st.tuples(st.sampled_from(OPERATIONS), inner, inner).map(_together).filter(lambda t: t is not None),
    max_leaves=5,
)


@st.composite
def formulas(draw: st.DrawFn) -> Formula:
    lhs = draw(TERMS)
    rhs = draw(st.one_of(TERMS, st.just(lhs)).filter(lambda t: t.shape == lhs.shape))
    relation = draw(st.sampled_from([Eq, Le, Lt]))(lhs, rhs)
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return And((relation, index_le(draw(st.sampled_from(INDICES)), n)))
    if kind == 1 and not any("i" in free_indices((s.rows, s.columns)) for s in symbols(relation)):
        return for_all(i, relation)
    return relation


def the_same(x: Any, y: Any) -> bool:
    """Whether two formulas differ by bracketing and by the order of numbers in products at most."""
    if type(x) is not type(y):
        return False
    if isinstance(x, Term):
        try:
            return symbols(x) == symbols(y) and bool(identity(x, y))
        except (NotProved, TypeError):
            return x == y
    if isinstance(x, Eq | Le | Lt):
        return the_same(x.lhs, y.lhs) and the_same(x.rhs, y.rhs)
    if isinstance(x, And):
        return len(x.parts) == len(y.parts) and all(map(the_same, x.parts, y.parts))
    return bool(x == y)


def a_claim(conclusion: Formula, hypothesis: Formula) -> Claim:
    try:
        return Claim("drawn", conclusion, {"given": hypothesis})
    except TypeError:  # one name for two variables
        assume(False)
        raise


@pytest.mark.parametrize("printer", [Text, Latex])
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_what_prints_alike_is_the_same(printer: type[Text], data: st.DataObject) -> None:
    claims = [a_claim(data.draw(formulas()), data.draw(formulas())) for _ in range(2)]
    one, other = (statement(claim, printer) for claim in claims)
    if one == other:
        assert the_same(claims[0].conclusion, claims[1].conclusion)
        assert symbols(claims[0].sequent) == symbols(claims[1].sequent)


x, y, k = scalar("x"), scalar("y"), vector("k", n)
s = sequence("s")
PAIRS: list[tuple[Formula, Formula]] = [
    (Eq(x * y, y * x), Eq(matrix("x", n, n) @ matrix("y", n, n), matrix("y", n, n) @ matrix("x", n, n))),
    (Le(x, y), Le(vector("x", n), vector("y", n))),
    (Eq(k, Zero(n, ONE)), Eq(vector("k", m), Zero(m, ONE))),
    (Eq(Identity(n) @ k, k), Eq(Identity(ONE) @ k.T, k.T)),
    (Eq(scalar("x₁"), x), Eq(sequence("x")(1), x)),
    (Eq(scalar("x1"), x), Eq(sequence("x")(1), x)),
    (Eq(scalar("xy"), x), Eq(x * y, x)),
    (Eq(sequence("x", arity=2)(1, 1), y), Eq(sequence("x")(11), y)),
    (Eq(sequence("x", arity=2)(i, j), y), Eq(sequence("x")(size("ij")), y)),
    (Eq(x, x + term(0)), Eq(x, x)),
    (Eq(x * term(1), x), Eq(x, x)),
    (for_all(i, And((Eq(s(i), x), Eq(x, y)))), And((for_all(i, Eq(s(i), x)), Eq(x, y)))),
    (
        UniqueMinimiser(s, ((ONE, ONE),), s(1) * s(1), family((i,), term(0))),
        UniqueMinimiser(s, ((ONE, n),), s(1) * s(1), family((i,), term(0))),
    ),
    (
        UniqueMinimiser(s, ((ONE, n),), s(1) * s(1), family((i,), term(0))),
        UniqueMinimiser(s, ((index(0), n),), s(1) * s(1), family((i,), term(0))),
    ),
]


@pytest.mark.parametrize("printer", [Text, Latex])
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_statements_that_used_to_print_alike_do_not(printer: type[Text], one: Formula, other: Formula) -> None:
    try:
        claims = [Claim("drawn", formula) for formula in (one, other)]
    except TypeError as reason:
        assert "names more than one variable" in str(reason)  # noqa: PT017
        return
    assert statement(claims[0], printer) != statement(claims[1], printer)


@pytest.mark.parametrize(
    "name", ["I", "0", "x²", "a_1", "x + y", "A B", "e\u0301", "x\n", "", "Α", "×", "1x", "x(", "∑"]
)
def test_what_prints_as_something_else_is_no_name(name: str) -> None:
    for make in (scalar, size, sequence, lambda name: vector(name, n)):
        with pytest.raises(TypeError, match="is no name"):
            make(name)
