"""Barrington's words against the truth tables of their formulas."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.group import Group
from ssmverify.tracking.automata.named import group
from ssmverify.tracking.reductions.barrington import (
    And,
    Formula,
    Not,
    Or,
    Program,
    Var,
    assignments,
    commutator_pairs,
    compile_formula,
    depth,
    five_cycles,
    parse,
    random_formula,
    show,
    value,
    variables,
)

NAMES = ["v", "w", "x", "y", "z"]


def right(formula: Formula, program: Program) -> bool:
    g, tau = program.group, program.target
    return all(
        g.product(program.word(assigned)) == (tau if value(formula, assigned) else g.identity)
        for assigned in assignments(formula)
    )


@pytest.mark.parametrize("name", ["A5", "S5"])
def test_random_formulas(name: str) -> None:
    rng = random.Random()
    for _ in range(50):
        formula = random_formula(rng, 4, NAMES)
        program = compile_formula(formula, name, rng.choice(five_cycles(name)))
        assert len(program.instructions) == 4 ** depth(formula), show(formula)
        assert right(formula, program), show(formula)


@pytest.mark.parametrize("d", range(5))
def test_full_formulas(d: int) -> None:
    """A conjunction of 2**d variables: true at one assignment of all."""
    names = [f"x{i}" for i in range(2**d)]
    formulas: list[Formula] = [Var(name) for name in names]
    while len(formulas) > 1:
        formulas = [And(f, g) for f, g in zip(formulas[::2], formulas[1::2], strict=True)]
    program = compile_formula(formulas[0])
    assert len(program.instructions) == 4**d
    true = dict.fromkeys(names, True)
    assert program.group.product(program.word(true)) == program.target
    for name in names:
        assert program.group.product(program.word(true | {name: False})) == program.group.identity


def test_the_five_cycles_of_a5_are_commutators_of_ten_pairs_each() -> None:
    for name in ("A5", "S5"):
        assert len(five_cycles(name)) == 24
    assert {len(pairs) for pairs in commutator_pairs("A5").values()} == {10}


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("x", Var("x")),
        ("~~x", Not(Not(Var("x")))),
        ("x1 & ~(x2 | x3)", And(Var("x1"), Not(Or(Var("x2"), Var("x3"))))),
        ("a | b & c | d", Or(Or(Var("a"), And(Var("b"), Var("c"))), Var("d"))),
        ("~a & b", And(Not(Var("a")), Var("b"))),
    ],
)
def test_parse(text: str, formula: Formula) -> None:
    assert parse(text) == formula


def test_parse_reads_what_show_writes() -> None:
    rng = random.Random(5)
    for _ in range(100):
        formula = random_formula(rng, 4, NAMES)
        assert parse(show(formula)) == formula
        assert set(variables(formula)) <= set(NAMES)


@pytest.mark.parametrize("text", ["", "x &", "(x", "x)", "x y", "& x", "3", "x ^ y", "~", "()"])
def test_what_is_no_formula(text: str) -> None:
    with pytest.raises(BadInput, match=r"write names, ~, &, \| and brackets"):
        parse(text)


def test_other_groups_and_targets_are_refused() -> None:
    with pytest.raises(BadInput, match="not over S4"):
        compile_formula(Var("x"), "S4")
    with pytest.raises(BadInput, match="is not a five-cycle"):
        compile_formula(Var("x"), "A5", group("A5").identity)


def other_order(g: Group) -> Group:
    """The group that multiplies the other way round."""
    return replace(g, table=g.table.T.copy())


def test_the_order_of_a_product_matters() -> None:
    formula = parse("x & y")
    program = compile_formula(formula)
    assert right(formula, program)
    assert not right(formula, replace(program, group=other_order(program.group)))
