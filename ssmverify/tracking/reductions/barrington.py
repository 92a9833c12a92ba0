"""Barrington's construction: a Boolean formula becomes a word over A5 or S5 whose product is its truth value.

A program is a sequence of instructions (variable, element if false, element if true). On an assignment it is a word,
whose product, the latest factor on the left, is the target tau if the formula is true and the identity if it is false:

    a variable   one instruction: tau if it is true
    not f        the program for f and tau^-1, with tau multiplied on the left of its last instruction
    f and g      for five-cycles with tau = a b a^-1 b^-1, the programs for (g, b^-1), (f, a^-1), (g, b), (f, a) in
                 turn: where f or g is false, what is left of a b a^-1 b^-1 cancels

with `or` by De Morgan's law, and instructions that say the identity where one branch is shorter. So a formula whose
branches nest at most d connectives `and` or `or` has a program of length 4**d exactly (Barrington 1989).
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.group import Group
from ssmverify.tracking.automata.named import group


@dataclass(frozen=True)
class Var:
    name: str


@dataclass(frozen=True)
class Not:
    of: Formula


@dataclass(frozen=True)
class And:
    left: Formula
    right: Formula


@dataclass(frozen=True)
class Or:
    left: Formula
    right: Formula


Formula = Var | Not | And | Or


def value(formula: Formula, assignment: Mapping[str, bool]) -> bool:
    """The truth value, from the meaning of the connectives."""
    match formula:
        case Var(name):
            return assignment[name]
        case Not(f):
            return not value(f, assignment)
        case And(f, g):
            return value(f, assignment) and value(g, assignment)
        case Or(f, g):
            return value(f, assignment) or value(g, assignment)


def variables(formula: Formula) -> list[str]:
    """The names of its variables, sorted."""
    match formula:
        case Var(name):
            return [name]
        case Not(f):
            return variables(f)
        case And(f, g) | Or(f, g):
            return sorted({*variables(f), *variables(g)})


def depth(formula: Formula) -> int:
    """How deep `and` and `or` are nested; `not` is free."""
    match formula:
        case Var():
            return 0
        case Not(f):
            return depth(f)
        case And(f, g) | Or(f, g):
            return 1 + max(depth(f), depth(g))


def assignments(formula: Formula) -> Iterator[dict[str, bool]]:
    """Every assignment of its variables."""
    names = variables(formula)
    for values in itertools.product([False, True], repeat=len(names)):
        yield dict(zip(names, values, strict=True))


# ---------------------------------------------------------------------------------------------------- the text form
def parse(text: str) -> Formula:
    """A formula such as 'x1 & ~(x2 | x3)'; ~ binds tightest, then &, then |. Raises BadInput."""
    tokens = re.findall(r"\w+|[^\w\s]", text)
    found, rest = _disjunction(tokens, text)
    if rest:
        raise BadInput(f"the formula {text!r} cannot be read from {rest[0]!r} on; write names, ~, &, | and brackets")
    return found


def _disjunction(tokens: list[str], text: str) -> tuple[Formula, list[str]]:
    left, rest = _conjunction(tokens, text)
    while rest[:1] == ["|"]:
        right, rest = _conjunction(rest[1:], text)
        left = Or(left, right)
    return left, rest


def _conjunction(tokens: list[str], text: str) -> tuple[Formula, list[str]]:
    left, rest = _atom(tokens, text)
    while rest[:1] == ["&"]:
        right, rest = _atom(rest[1:], text)
        left = And(left, right)
    return left, rest


def _atom(tokens: list[str], text: str) -> tuple[Formula, list[str]]:
    match tokens:
        case ["~", *rest]:
            inner, rest = _atom(rest, text)
            return Not(inner), rest
        case ["(", *rest]:
            inner, rest = _disjunction(rest, text)
            if rest[:1] == [")"]:
                return inner, rest[1:]
        case [name, *rest] if re.fullmatch(r"[A-Za-z_]\w*", name):
            return Var(name), rest
    raise BadInput(f"the formula {text!r} breaks off or has a symbol too many; write names, ~, &, | and brackets")


def show(formula: Formula) -> str:
    """The text that `parse` reads, with a bracket around every `and` and `or`."""
    match formula:
        case Var(name):
            return name
        case Not(f):
            return f"~{show(f)}"
        case And(f, g):
            return f"({show(f)} & {show(g)})"
        case Or(f, g):
            return f"({show(f)} | {show(g)})"


def random_formula(rng: random.Random, deepest: int, names: Sequence[str]) -> Formula:
    """A formula of depth at most `deepest`, with a `not` here and there."""
    if deepest == 0 or rng.random() < 0.15:
        found: Formula = Var(rng.choice(names))
    else:
        left, right = (random_formula(rng, deepest - 1, names) for _ in range(2))
        found = And(left, right) if rng.random() < 0.5 else Or(left, right)
    return Not(found) if rng.random() < 0.3 else found


# ------------------------------------------------------------------------------------------------------ the program
@dataclass(frozen=True)
class Instruction:
    """One token of the word: an element for each value of one variable."""

    variable: str
    if_false: int
    if_true: int


@dataclass(frozen=True)
class Program:
    """What a formula is compiled to: a word over the group for each assignment."""

    group: Group
    target: int
    instructions: tuple[Instruction, ...]

    def word(self, assignment: Mapping[str, bool]) -> list[int]:
        """The group's elements in the order in which they are read."""
        return [i.if_true if assignment[i.variable] else i.if_false for i in self.instructions]


@cache
def five_cycles(name: str) -> tuple[int, ...]:
    """The five-cycles of A5 or S5, as indices of elements."""
    g = group(name)
    order_five = [x for x in range(g.order) if x != g.identity and g.product([x] * 5) == g.identity]
    return tuple(order_five)


@cache
def commutator_pairs(name: str) -> dict[int, list[tuple[int, int]]]:
    """For each five-cycle the pairs of five-cycles a, b with a b a^-1 b^-1 equal to it."""
    g = group(name)
    pairs: dict[int, list[tuple[int, int]]] = {c: [] for c in five_cycles(name)}
    for a, b in itertools.product(five_cycles(name), repeat=2):
        if (c := g.commutator(a, b)) in pairs:
            pairs[c].append((a, b))
    return pairs


def compile_formula(formula: Formula, name: str = "A5", target: int | None = None) -> Program:
    """The program over A5 or S5 of length 4**depth(formula); target: a five-cycle, the first if None."""
    if name not in ("A5", "S5"):
        raise BadInput(f"Barrington's words are made over A5 and S5, not over {name}")
    tau = five_cycles(name)[0] if target is None else target
    if tau not in five_cycles(name):
        raise BadInput(f"the target {group(name).names[tau]} is not a five-cycle")
    return Program(group(name), tau, tuple(_compile(formula, name, tau, depth(formula))))


def _compile(formula: Formula, name: str, tau: int, d: int) -> list[Instruction]:
    """Exactly 4**d instructions with the product tau or the identity."""
    g = group(name)
    match formula:
        case Var(variable):
            rest = Instruction(variable, g.identity, g.identity)
            return [Instruction(variable, g.identity, tau), *[rest] * (4**d - 1)]
        case Not(f):
            *first, last = _compile(f, name, int(g.inverse[tau]), d)
            return [
                *first,
                Instruction(last.variable, int(g.table[tau, last.if_false]), int(g.table[tau, last.if_true])),
            ]
        case Or(left, right):
            return _compile(Not(And(Not(left), Not(right))), name, tau, d)
        case And(left, right):
            a, b = commutator_pairs(name)[tau][0]
            steps = [(right, int(g.inverse[b])), (left, int(g.inverse[a])), (right, b), (left, a)]
            return [i for f, element in steps for i in _compile(f, name, element, d - 1)]
