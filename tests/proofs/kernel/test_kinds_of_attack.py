"""The kinds of attack that once got through, each closed as a kind: many variants, all refused.

Not met here: writing to an object past its own checks (`object.__setattr__`), against which Python has no walls.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import fmpq

import proofs
from proofs.kernel import (
    Claim,
    Fact,
    NotProved,
    Sequent,
    Table,
    Undecidable,
    apart,
    assume,
    cases,
    congruence,
    discharge,
    enclosure,
    establish,
    holds,
    identity,
    minimiser,
    refute,
    rewrite,
    split,
    squares,
    words,
)
from proofs.terms import (
    ONE,
    Add,
    And,
    Atom,
    Eq,
    ForAll,
    Index,
    IndexLe,
    Le,
    Lt,
    Mul,
    Nat,
    Nonzero,
    Num,
    Prod,
    Sum,
    Symbol,
    UniqueMinimiser,
    for_all,
    index,
    index_le,
    matrix,
    scalar,
    sequence,
    size,
    summation,
    term,
)

n, t, i, j = (size(name) for name in "ntij")
x, y, s = (scalar(name) for name in "xys")
a = sequence("a")
A, B = matrix("A", n, n), matrix("B", n, n)
zero, one = term(0), term(1)
REFUSED = (NotProved, TypeError)


def entails(conclusion: Any, *hypotheses: Any) -> Sequent:
    return Sequent(frozenset(hypotheses), conclusion)


# --------------------------------------------------------------------------- 1: an inequality taken for an equation
NO_EQUATIONS = [
    Le(zero, one),
    Lt(zero, one),
    Nonzero(one),
    index_le(0, 1),
    And((Eq(x, y),)),
    for_all(t, Eq(a(t), zero)),
    entails(Eq(x, y)),
    assume(Eq(x, y)),
    (x, y),
    x,
    None,
    "x = y",
]


@pytest.mark.parametrize("wrong", NO_EQUATIONS, ids=lambda wrong: type(wrong).__name__)
def test_a_rule_takes_no_inequality_for_an_equation(wrong: Any) -> None:
    """0 <= 1 given to an ideal, as a rewriting rule, to a rewriting step, or as a minimiser's premise."""
    goal = UniqueMinimiser(s.symbol, (), s * s, zero)  # type: ignore[attr-defined]
    attacks: list[Callable[[], object]] = [
        lambda: identity(zero, one, [wrong]),
        lambda: identity(zero, one, wrong),
        lambda: words(A, B, [wrong]),
        lambda: words(A, B, (Eq(A, A), wrong)),
    ]
    if not (isinstance(wrong, Fact) and isinstance(wrong.conclusion, Eq)):
        fact = assume(wrong) if type(wrong) in (Le, Lt, Nonzero, IndexLe, And, ForAll) else wrong
        attacks += [
            lambda: rewrite(assume(Eq(zero, zero)), fact),
            lambda: minimiser(goal, fact, Symbol("d", ONE, ONE), zero),
            lambda: congruence(fact, Prod, i, 0, 1),
        ]
    for attack in attacks:
        with pytest.raises(REFUSED):
            attack()


# ----------------------------------------------------------------------- 2: equal containers that iterate otherwise
class AnotherTuple(tuple[Any, ...]):
    pass


@pytest.mark.parametrize(
    "container", [frozenset, set, list, iter, AnotherTuple, dict.fromkeys, lambda xs: (q for q in xs)]
)
def test_equal_containers_of_another_order_are_no_terms(container: Any) -> None:
    """A B = B A, were the factors a set."""
    pair = (("x", 1),)
    for build in (
        lambda: Mul(container((A, B))),
        lambda: Add(container((A, B))),
        lambda: And(container((Eq(x, y), Eq(y, x)))),
        lambda: Index(container(pair), 0),
        lambda: Atom(sequence("p", arity=2), container((n, t))),
        lambda: UniqueMinimiser(a, container(((ONE, n),)), zero, summation(i, 0, 1, one)),
        lambda: Sequent(container((Eq(x, y),)), Eq(x, y)) if container is not frozenset else Mul(frozenset((A, B))),
    ):
        with pytest.raises(TypeError):
            build()


@pytest.mark.parametrize("container", [frozenset, set, iter, AnotherTuple, dict.fromkeys, lambda xs: (q for q in xs)])
def test_rules_take_lists_and_tuples_and_copy_them_once(container: Any) -> None:
    with pytest.raises(TypeError, match="a list or a tuple is needed"):
        identity(x, y, container([Eq(x, y)]))
    given = [Eq(x, y)]
    fact = identity(x, y, given)
    given.clear()
    assert fact.hypotheses == {Eq(x, y)}


# ----------------------------------------------------------------------------------- 3 and 6: names, and freshness
class Text(str):
    __slots__ = ()


NO_NAMES = [
    "", "#1", "0", "1", "-1", "I", "I1", "x y", "x+y", "x²", "a_1", "a(1)", "x,y", " x", "x\n", "λ ", "x→y", "∑", "T T",
    "e\u0301", "ᵀ", "x_{1}", "\\x", "I'", Text("x"), b"x", 0, True, None,
]  # fmt: skip


@pytest.mark.parametrize("name", NO_NAMES, ids=repr)
def test_bound_variables_have_no_names_that_a_user_can_spell(name: Any) -> None:
    for build in (
        lambda: size(name) if type(name) is not int else Index(((True, 1),), 0),
        lambda: scalar(name),
        lambda: sequence(name),
    ):
        with pytest.raises(TypeError):
            build()


def test_a_sum_made_by_hand_overwrites_no_symbol() -> None:
    """The bound variable is a position: x in the body of a sum is x, and 20 <= 3 is no consequence."""
    by_hand = Sum(x, ONE, index(3))
    assert by_hand == summation(j, 1, 3, x)
    unit = {x: (Fraction(0), Fraction(20))}
    with pytest.raises(NotProved):
        enclosure(by_hand, unit, Fraction(3), depth=3)
    assert enclosure(by_hand, unit, Fraction(61))
    for lost in (Sum(a(Index(((1, 1),), 0)), ONE, n), Sum(x, ONE, Index(((0, 1),), 0)), a(Index(((-1, 1),), 0))):
        for attack in (
            lambda lost=lost: identity(lost, lost),
            lambda lost=lost: assume(Eq(lost, zero)),
            lambda lost=lost: split(lost, 1),
            lambda lost=lost: entails(Eq(lost, zero)),
        ):
            with pytest.raises(TypeError, match="lost its binder"):
                attack()


def test_terms_that_differ_in_bound_names_only_are_equal() -> None:
    assert summation(i, 1, n, a(i)) == summation(j, 1, n, a(j))
    assert for_all(i, Eq(a(i), x)) == for_all(t, Eq(a(t), x))
    of_s, of_x = (UniqueMinimiser(v.symbol, (), v * v, zero) for v in (s, x))  # type: ignore[attr-defined]
    assert of_s == of_x
    assert hash(of_s) == hash(of_x)


def test_signs_under_a_sum_are_not_shown_by_one_sign() -> None:
    """a_i >= 0 for one i shows no sum of a, whatever the name of i: 0 <= -1 came of a name that was fresh once."""
    for name in ("i", "i1", "i2", "j", "t"):
        k = size(name)
        with pytest.raises(NotProved):
            squares(zero, summation(i, 1, n, a(i)), summation(i, 1, n, a(i)), [Le(zero, a(k))])


def test_facts_pickled_elsewhere_bring_no_collisions() -> None:
    """A fact of another process, unpickled here: its bound variables clash with nothing made here."""
    script = (
        "import sys, pickle; from proofs.kernel import *; from proofs.terms import *\n"
        "i, n, a = size('i'), size('n'), sequence('a')\n"
        "fact = congruence(identity(a(i) * 2, a(i) + a(i)), Sum, i, 1, n)\n"
        "sys.stdout.buffer.write(pickle.dumps(fact))"
    )
    folder = str(next(iter(proofs.__path__))).removesuffix("proofs")
    sent = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=folder).stdout
    fact = pickle.loads(sent)
    here = congruence(identity(a(j) * 2, a(j) + a(j)), Sum, j, 1, n)
    assert (fact.conclusion, fact.hypotheses) == (here.conclusion, here.hypotheses)
    assert rewrite(here, fact).conclusion == Eq(fact.conclusion.rhs, fact.conclusion.rhs)
    certificate = summation(j, 1, n, a(j))
    with pytest.raises(NotProved):
        squares(zero, certificate, certificate, [Le(zero, a(i)), Le(zero, fact.conclusion.lhs)])


# --------------------------------------------------------------------------------------------------- 4: points
class Array(np.ndarray[Any, Any]):
    pass


def _ones() -> Any:
    return np.array([[fmpq(1)]], dtype=object)


@pytest.mark.parametrize(
    "value",
    [
        [[1]], ((1,),), np.ma.masked_array([[1]], mask=True), np.array([[1]]), np.array([[1.0]]),
        _ones().view(Array), np.array([1], dtype=object), np.array([[1.0]], dtype=object),
        np.array([[True]], dtype=object),
        np.array([[[1]]], dtype=object), {(0, 0): 1}, iter([[1]]), np.int64(1), np.float64(1), 1.0, True, "1",
        {(): fmpq(1)}, np.ma.masked_array(_ones(), mask=True),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_nested_lists_and_masked_arrays_are_no_points(value: Any) -> None:
    for given in (value, Table({}, value) if not isinstance(value, dict) else value):
        for decide in (
            lambda at: refute(entails(Eq(A, 2 * A)), at),
            lambda at: cases(entails(Eq(A, A)), [at]),
            lambda at: establish(Claim("same", Eq(A, A), {"a": Le(A, A)}, at), identity(A, A)),
        ):
            with pytest.raises(REFUSED):
                decide({"n": 1, "A": given})


@pytest.mark.parametrize(
    "size_of", [np.int64(1), True, fmpq(1), Fraction(1), 1.0, -1, "1"], ids=lambda v: type(v).__name__
)
def test_a_size_at_a_point_is_an_int(size_of: Any) -> None:
    with pytest.raises(REFUSED):
        refute(entails(Lt(Nat(n), zero)), {"n": size_of})


# --------------------------------------------------------------------------------- 5: quantifiers that look nowhere
def test_a_quantifier_over_negative_and_empty_tables_decides_or_raises() -> None:
    """False at 0 and ever after, with all exceptions below: none of these may hold, or pass for want of a value."""
    keys: list[dict[Any, Any]] = [{}, {(-2,): fmpq(0)}, {(-9,): fmpq(0), (-3,): fmpq(0)}, {(-1,): fmpq(0)}]
    never = [
        Eq(a(t), zero),
        Eq(a(t + 3), zero),
        Eq(a(2 * t + 1), zero),
        Lt(a(t), a(t + 1)),
        for_all(i, Eq(a(t), a(i) + 1)),
    ]
    for entries in keys:
        point = {"a": Table(entries, fmpq(1)), "x": fmpq(0)}
        for body in never:
            assert not holds(for_all(t, body), point)
            with pytest.raises(NotProved):
                cases(entails(for_all(t, body)), [point])
            with pytest.raises(NotProved):
                refute(entails(Eq(x, one), for_all(t, body)), point)
            claim = Claim("void", Eq(x, x), {"never": for_all(t, body)}, point)
            with pytest.raises(NotProved):
                establish(claim, identity(x, x))
    with pytest.raises(Undecidable):
        holds(for_all(t, Eq(Nat(t), zero)), {})
    two = sequence("p", arity=2)
    shifted = for_all(t, for_all(i, Eq(two(t, i), one)))
    assert not holds(shifted, {"p": Table({(-2, 4): fmpq(1)}, fmpq(0))})


# ----------------------------------------------------------------------------------------------- 8: imitations
class Once(list[Any]):
    asked = 0

    def __iter__(self) -> Iterator[Any]:
        self.asked += 1
        return super().__iter__() if self.asked == 1 else iter(())


class Any1(Fraction):
    __hash__ = Fraction.__hash__

    def __eq__(self, _: object) -> bool:
        return True


class Int(int):
    def __add__(self, _: int) -> int:
        return 0


def test_imitations_of_lists_fractions_and_sums_are_refused() -> None:
    box = {x: (Fraction(0), Fraction(1))}

    class Items(dict[Any, Any]):
        def items(self) -> Any:
            return [(x, (Fraction(0), Fraction(0)))]

    attacks: list[Callable[[], object]] = [
        lambda: identity(x, y, Once([Eq(x, y)])),
        lambda: words(A, B, Once([Eq(A, B)])),
        lambda: squares(zero, x, x, Once([Le(zero, x)])),
        lambda: cases(entails(Eq(x, x)), Once([{"x": fmpq(1)}])),
        lambda: Num(Any1(1)),
        lambda: Num(1),  # type: ignore[arg-type]
        lambda: Num(True),  # type: ignore[arg-type]
        lambda: Num(0.5),  # type: ignore[arg-type]
        lambda: Num(np.float64(1)),  # type: ignore[arg-type]
        lambda: term(Any1(1)),
        lambda: term(True),
        lambda: term(np.int64(1)),  # type: ignore[arg-type]
        lambda: enclosure(x, box, Any1(0)),
        lambda: enclosure(x, box, 1),  # type: ignore[arg-type]
        lambda: enclosure(x, {x: (Any1(0), Fraction(1))}, Fraction(1)),
        lambda: enclosure(x, {x: [Fraction(0), Fraction(1)]}, Fraction(1)),  # type: ignore[dict-item]
        lambda: enclosure(x, Items(box), Fraction(1)),
        lambda: enclosure(x, box, Fraction(1), depth=True),
        lambda: Index((("t", True),), 0),
        lambda: Index((("t", Int(1)),), 0),
        lambda: Index((), Int(1)),
        lambda: Index((("t", 0),), 0),
        lambda: Index((("t", 1), ("n", 1)), 0),
        lambda: Symbol("x", ONE, ONE, True),
        lambda: squares(zero, x * x, x * x, strict=1),  # type: ignore[arg-type]
        lambda: split(summation(i, 1, n, a(i)), True),
        lambda: split(summation(i, 1, n, a(i)), Int(1)),
        lambda: split(summation(i, 1, n, a(i)), 1.0),  # type: ignore[arg-type]
        lambda: discharge(assume(Eq(x, y)), Eq(x, y)),  # type: ignore[arg-type]
        lambda: apart(Lt(zero, x)),  # type: ignore[arg-type]
    ]
    for number, attack in enumerate(attacks):
        with pytest.raises(TypeError):
            assert attack() is None, number


@pytest.mark.parametrize("kind", [Sum, Prod, Num, Eq, Le, Mul, Index, Symbol, Sequent, ForAll, UniqueMinimiser])
def test_no_class_of_the_language_has_a_subclass(kind: type) -> None:
    with pytest.raises(TypeError, match="no subclasses"):
        type("Imitation", (kind,), {"at": lambda *_: one})


@pytest.mark.parametrize("made", [Fact, type(refute(entails(Eq(x, zero)), {"x": fmpq(1)}))])
def test_a_subclass_of_a_fact_is_no_fact(made: Any) -> None:
    fields = {"hypotheses": frozenset(), "conclusion": Eq(zero, one), "rule": "identity"}
    imitation = type("Imitation", (made,), {"__post_init__": lambda *_: None, "__repr__": lambda _: "0 = 1"} | fields)
    made_up = object.__new__(imitation)
    with pytest.raises(REFUSED):
        apart(made_up)
    with pytest.raises(REFUSED):
        establish(Claim("zero_is_one", Eq(zero, one)), made_up)
