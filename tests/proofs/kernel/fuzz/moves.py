"""Moves: for each rule, ways of calling it with random arguments that often fit.

A `Script` holds the facts so far. Every call of a rule goes through `Script.do`, which keeps what it made under the
rule's name, for the judge. A wild script now and then swaps an argument for one of the wrong kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proofs import kernel
from proofs.kernel import RULES, Cases, Fact, NotProved, Refuted
from proofs.terms import (
    ONE,
    And,
    Eq,
    ForAll,
    Formula,
    Index,
    Le,
    Lt,
    Mul,
    Nat,
    Node,
    Nonzero,
    Symbol,
    Term,
    Transpose,
    for_all,
    free_indices,
    summation,
    symbols,
    term,
    walk,
)
from proofs.terms import family as family_of
from tests.proofs.kernel.fuzz import imitations
from tests.proofs.kernel.fuzz.nodes import GIVEN, VARIABLES, Draw, a, b, changed, n, p, x, y

REFUSED = (NotProved, TypeError, ValueError)


class Script:
    """A proof script in the making."""

    def __init__(self, seed: int) -> None:
        self.draw = Draw(seed)
        self.wild = self.draw.flip(0.15)
        self.facts: list[Fact] = []
        self.made: list[tuple[str, Fact | Refuted | Cases]] = []

    def do(self, rule: str, *arguments: Any, **options: Any) -> Any:
        given = list(arguments)
        if self.wild and given and self.draw.flip(0.3):
            k = self.draw.randrange(len(given))
            given[k] = imitations.instead_of(given[k], self.draw, self.facts)
        result = RULES[rule](*given, **options)
        self.made.append((rule, result))
        return result

    def fact(self, like: Callable[[Fact], bool] = lambda _: True) -> Fact:
        """One of the facts, of the kind asked for if there is one."""
        fitting = [f for f in self.facts if like(f)]
        return self.draw.one(*(fitting or self.facts))

    def assumed(self, formula: Formula) -> Fact:
        """phi |- phi, which needs no judge."""
        return kernel.assume(formula)

    def part_of(self, fact: Fact) -> Term:
        """A closed term inside the conclusion."""
        inside = [q for q in walk(fact.conclusion) if isinstance(q, Term)]
        return self.draw.one(*inside) if inside else self.draw.term()

    def under(self, fact: Fact, *formulas: Formula) -> Fact:
        """The fact under further hypotheses."""
        both: Fact = self.do("component", self.do("conjunction", fact, *map(self.assumed, formulas)), 0)
        return both


Move = Callable[[Script], Any]


# ------------------------------------------------------------------------------------------------ the ordinary moves
def assume(s: Script) -> Any:
    return s.do("assume", s.draw.formula())


def discharge(s: Script) -> Any:
    fact = s.fact(lambda f: bool(f.hypotheses))
    if s.draw.flip(0.2) or not fact.hypotheses:
        return s.do("discharge", fact, s.fact())
    h = s.draw.one(*sorted(fact.hypotheses, key=repr))
    if isinstance(h, Nonzero) and s.draw.flip(0.7):
        return s.do("discharge", fact, s.do("apart", s.assumed(Lt(term(0), h.term))))
    if isinstance(h, Eq) and s.draw.flip(0.5):
        return s.do("discharge", fact, s.do("rewrite", s.assumed(Eq(h.lhs, h.lhs + 0 * x)), s.assumed(_zero(h, s))))
    return s.do("discharge", fact, s.under(s.assumed(h), s.draw.formula()))


def _zero(h: Eq, s: Script) -> Formula:
    return Eq(h.lhs + 0 * x, h.rhs) if h.lhs.is_scalar else s.draw.formula()


def instantiate(s: Script) -> Any:
    fact = s.fact(lambda f: bool(free_indices(f.conclusion) or symbols(f.conclusion)))
    draw = s.draw
    names = sorted(free_indices((fact.hypotheses, fact.conclusion))) or ["t"]
    indices = {draw.one(*names): draw.natural() if draw.flip(0.8) else draw.index() for _ in range(draw.randrange(3))}
    families: dict[Symbol, Node] = {}
    for symbol in draw.sample(known := sorted(symbols(fact.conclusion), key=repr), min(len(known), 2)):
        if draw.flip(0.6):
            variables = tuple(draw.sample(VARIABLES, symbol.arity))
            families[symbol] = family_of(variables, draw.term(symbol.rows, symbol.columns, 1))
    if families and draw.flip(0.5):
        indices = {}
    return s.do("instantiate", fact, indices, families)


def instantiate_a_sign(s: Script) -> Any:
    """Of a natural number, for which an index that may be negative does not stand."""
    v = s.draw.variable()
    certificate = s.draw.one(Nat(v), Nat(v + 1), Nat(v) * y)
    return s.do("instantiate", s.do("squares", term(0), certificate, certificate, GIVEN), {v.name: s.draw.index()})


def instantiate_under_a_binder(s: Script) -> Any:
    """A family whose member is a sum or a product takes the place of one that stands in a sum."""
    draw = s.draw
    k, l = draw.sample(VARIABLES, 2)
    whole = summation(k, draw.natural(), draw.natural(), draw.one(a(k), a(k + 1) * b(k), a(l) * p(k, l)))
    member = summation(l, draw.natural(), draw.natural(), draw.one(p(k, l), b(k) * Nat(l), b(l) + Nat(k)))
    at = draw.natural()
    alone = s.do("single", summation(k, at, at, draw.one(a(k), a(k + 1), a(k) * b(k))))  # once bound, once not
    fact = draw.one(alone, alone, s.assumed(Eq(x, whole)), s.under(alone, Eq(x, whole)))
    return s.do("instantiate", fact, {}, {a: family_of((k,), member)})


def generalise(s: Script) -> Any:
    fact = s.fact(lambda f: bool(free_indices(f.conclusion)))
    names = free_indices(fact.conclusion) - (set() if s.draw.flip(0.2) else free_indices(fact.hypotheses))
    if names:
        return s.do("generalise", fact, Index(((s.draw.one(*sorted(names)), 1),), 0))
    law = s.draw.leaf(ONE, ONE)
    return s.do("generalise", s.do("identity", law, s.draw.law(law)), s.draw.variable())


def specialise(s: Script) -> Any:
    fact = s.fact(lambda f: isinstance(f.conclusion, ForAll))
    if not isinstance(fact.conclusion, ForAll) and s.draw.flip(0.8):
        fact = s.assumed(for_all(s.draw.variable(), s.draw.formula()))
    value = s.draw.natural() if s.draw.flip(0.8) else s.draw.index()
    return s.do("specialise", fact, value)


def specialise_a_sign(s: Script) -> Any:
    """Of a natural number, which an index that may be negative is not."""
    v = s.draw.variable()
    certificate = s.draw.one(Nat(v), Nat(v + 1), Nat(v) * y)
    fact = s.do("generalise", s.do("squares", term(0), certificate, certificate, GIVEN), v)
    return s.do("specialise", fact, s.draw.index())


def conjunction(s: Script) -> Any:
    return s.do("conjunction", *(s.fact() for _ in range(s.draw.one(1, 2, 2, 3))))


def component(s: Script) -> Any:
    fact = s.fact(lambda f: isinstance(f.conclusion, And))
    if not isinstance(fact.conclusion, And):
        fact = s.do("conjunction", fact, s.fact())
    return s.do("component", fact, s.draw.one(0, 0, 1, 1, 2, -1))


def rewrite(s: Script) -> Any:
    fact = s.fact()
    part = s.part_of(fact)
    if s.draw.flip(0.2):
        return s.do("rewrite", fact, s.fact(lambda f: isinstance(f.conclusion, Eq)))
    if s.draw.flip(0.5):
        return s.do("rewrite", fact, s.do("words", part, s.draw.law(part), []))
    equation = s.draw.one(Eq, Eq, Eq, Le)(part, s.draw.term(*part.shape, 1))
    return s.do("rewrite", fact, s.assumed(equation))


# ------------------------------------------------------------------------------------------------------ equations
def identity(s: Script) -> Any:
    left = s.draw.term(*s.draw.shape())
    return s.do("identity", left, s.draw.law(s.draw.law(left)))


def identity_modulo(s: Script) -> Any:
    """In the ideal, or just outside it."""
    draw = s.draw
    given: list[Formula] = [Eq(draw.atom(), draw.term(depth=1)) for _ in range(draw.one(1, 1, 2))]
    if draw.flip(0.3):
        given[-1] = draw.formula()
    target = draw.term(depth=1)
    other = target
    for e in given:
        if isinstance(e, Eq | Le | Lt):
            other = other + draw.term(depth=0) * (e.lhs - e.rhs)
    if draw.flip(0.2):
        other = changed(draw, other)
    return s.do("identity", target, other, given)


def words(s: Script) -> Any:
    left = s.draw.term(*s.draw.one((n, n), (n, ONE), (ONE, n)))
    return s.do("words", left, s.draw.law(s.draw.law(left)), [])


def words_of_a_transpose(s: Script) -> Any:
    """(A B)' = B' A', and not A' B'."""
    draw = s.draw
    left, right = draw.term(n, n, 1), draw.term(n, n, 1)
    turned = [right.T, left.T] if draw.flip(0.7) else [left.T, right.T]
    around = draw.one((), (draw.leaf(n, n),))
    return s.do("words", Mul((*around, Transpose(Mul((left, right))))), Mul((*around, *turned)), [])


def words_modulo(s: Script) -> Any:
    """A letter replaced by its definition."""
    draw = s.draw
    letter = Symbol(draw.one("L", "ANN"), n, n)()
    rule: Formula = draw.one(Eq, Eq, Eq, Le)(letter, draw.term(n, n, 1))
    if draw.flip(0.2):
        rule = Eq(letter @ letter, rule.rhs)
    before, after = draw.term(n, n, 1), draw.term(n, draw.one(ONE, n), 1)
    whole = Mul((before, letter, after))
    other = Mul((before, rule.rhs, after)) if draw.flip(0.8) else Mul((rule.rhs, before, after))
    return s.do("words", whole, draw.one(other, draw.law(other)), [rule])


MOVES: dict[str, list[Move]] = {
    "assume": [assume],
    "discharge": [discharge],
    "instantiate": [instantiate, instantiate, instantiate_a_sign, instantiate_under_a_binder],
    "generalise": [generalise],
    "specialise": [specialise, specialise_a_sign],
    "conjunction": [conjunction],
    "component": [component],
    "rewrite": [rewrite],
    "identity": [identity, identity_modulo],
    "words": [words, words_modulo, words_of_a_transpose],
}
