"""The normal form that decides equations between terms of every size.

Part of the trusted base, which `proofs.kernel` lists.

A matrix expression becomes a linear combination of *words* (products of matrix letters, each perhaps transposed); the
coefficients are rational functions, in sympy's fraction field over Q, of the *atoms*: scalar variables, members of
scalar families, index variables, and words of shape 1 by 1 such as k'p. A word of shape 1 by 1 is a number, so it
commutes, equals its transpose, and leaves the word it stands in. Sums and products under a binder are letters or atoms
of their own: equal only if written alike. Two terms with one normal form are equal for every size, wherever no
denominator is zero; shapes are symbolic and never looked into, except for the literal 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import QQ
from sympy.polys.fields import field
from sympy.polys.groebnertools import groebner

from proofs.kernel.terms import (
    ONE,
    Add,
    Atom,
    Div,
    Eq,
    Identity,
    Index,
    Mul,
    Nat,
    Node,
    Num,
    Prod,
    Sum,
    Term,
    Transpose,
    Zero,
)

Letter = tuple[Term, bool]  # a matrix, and whether it is transposed
Word = tuple[Letter, ...]
Linear = dict[Word, Any]  # word -> coefficient


class Undecided(Exception):
    """Rewriting did not end, or a denominator is identically zero."""


class _Support:
    """A coefficient of which only the atoms matter: the first pass collects them."""

    def __init__(self) -> None:
        self.atoms: dict[Node | Word, None] = {}

    def number(self, _: Fraction) -> _Support:
        return self

    def atom(self, key: Node | Word) -> _Support:
        self.atoms[key] = None
        return self

    def inverse(self, _: Any) -> _Support:
        return self

    def __add__(self, _: Any) -> _Support:
        return self

    __mul__ = __add__

    def __bool__(self) -> bool:
        return True


class _Fractions:
    """Rational functions of the collected atoms."""

    def __init__(self, atoms: Sequence[Node | Word]) -> None:
        self.field, *self.generators = field([f"x{i}" for i in range(len(atoms) or 1)], QQ)
        self.of = dict(zip(atoms, self.generators, strict=False))

    def number(self, value: Fraction) -> Any:
        return self.field(QQ(value.numerator, value.denominator))

    def atom(self, key: Node | Word) -> Any:
        return self.of[key]

    def inverse(self, value: Any) -> Any:
        if not value:
            raise Undecided("a denominator is identically zero")
        return 1 / value


def _letter_shape(letter: Letter) -> tuple[Index, Index]:
    rows, columns = letter[0].shape
    return (columns, rows) if letter[1] else (rows, columns)


def _flip(word: Word) -> Word:
    return tuple((matrix, not transposed) for matrix, transposed in reversed(word))


def _pieces(word: Word) -> list[Word]:
    """Cut a word wherever its inner dimension is 1: the pieces of shape 1 by 1 are numbers."""
    pieces: list[Word] = [()]
    for letter in word:
        pieces[-1] += (letter,)
        if _letter_shape(letter)[1] == ONE:
            pieces.append(())
    return [p for p in pieces if p]


class Normaliser:
    """Normal forms over one coefficient arithmetic, modulo rewriting rules `word -> linear combination`."""

    def __init__(self, arithmetic: Any, rules: Sequence[Eq] = (), cap: int = 10_000) -> None:
        self.arithmetic = arithmetic
        self.rules: list[tuple[Word, Linear]] = []
        self.steps_left = cap
        for rule in rules:
            lhs = self.linear(rule.lhs)
            (word,) = lhs if len(lhs) == 1 else ((),)
            if not word or not (isinstance(arithmetic, _Support) or lhs[word] == 1):
                raise Undecided("the left side of a rewriting rule must be a single word of matrices")
            self.rules.append((word, self.linear(rule.rhs)))

    def linear(self, term: Term) -> Linear:
        """The linear combination of words that `term` is."""
        one = self.arithmetic.number(Fraction(1))
        match term:
            case Num(value):
                return {(): self.arithmetic.number(value)}
            case Nat(index):
                total = self.arithmetic.number(Fraction(index.constant))
                for name, c in index.coefficients:
                    variable = self.arithmetic.atom(Nat(Index(((name, 1),), 0)))
                    total = total + variable * self.arithmetic.number(Fraction(c))
                return {(): total}
            case Zero():
                return {}
            case Identity():
                return {(): one}
            case Add(terms):
                return self._sum([self.linear(t) for t in terms])
            case Mul(factors):
                result: Linear = {(): one}
                for factor in map(self.linear, factors):
                    products = itertools.product(result.items(), factor.items())
                    result = self._sum([self._word(u + v, c * d) for (u, c), (v, d) in products])
                return result
            case Div(numerator, denominator):
                below = self.linear(denominator).get((), self.arithmetic.number(Fraction(0)))
                inverse = self.arithmetic.inverse(below)
                return {word: c * inverse for word, c in self.linear(numerator).items()}
            case Transpose(of):
                return self._sum([self._word(_flip(word), c) for word, c in self.linear(of).items()])
            case Atom() | Sum() | Prod():
                return self._word(((term, False),), one)
        raise TypeError(f"no normal form for {type(term).__name__}")

    def _sum(self, parts: Sequence[Linear]) -> Linear:
        total: Linear = {}
        for part in parts:
            for word, c in part.items():
                total[word] = total[word] + c if word in total else c
        return {word: c for word, c in total.items() if c}

    def _word(self, word: Word, c: Any) -> Linear:
        """c * word: the first rule that fits, again and again; then every piece of shape 1 by 1 becomes a number."""
        parts: list[Linear] = []
        waiting = [(word, c)]
        while waiting:
            word, c = waiting.pop()
            fitting = self._first_fit(word)
            if fitting is None:
                parts.append(self._take_numbers_out(word, c))
                continue
            if self.steps_left == 0:
                raise Undecided("rewriting did not end within its cap")
            self.steps_left -= 1
            before, rhs, after = fitting
            waiting.extend((before + w + after, c * d) for w, d in rhs.items())
        return self._sum(parts)

    def _first_fit(self, word: Word) -> tuple[Word, Linear, Word] | None:
        for lhs, rhs in self.rules:
            for i in range(len(word) - len(lhs) + 1):
                if word[i : i + len(lhs)] == lhs:
                    return word[:i], rhs, word[i + len(lhs) :]
        return None

    def _take_numbers_out(self, word: Word, c: Any) -> Linear:
        rest: Word = ()
        for piece in _pieces(word):
            if _letter_shape(piece[0])[0] == _letter_shape(piece[-1])[1] == ONE:
                c = c * self.arithmetic.atom(min(piece, _flip(piece), key=repr))
            else:
                rest += piece
        return {rest: c}


@dataclass(frozen=True)
class Remainder:
    """What is left of a difference; false if nothing is. The atoms are what the coefficients' generators stand for."""

    left: Linear
    atoms: tuple[Node | Word, ...]

    def __bool__(self) -> bool:
        return bool(self.left)


def _with_fractions(run: Callable[[Any], Any]) -> tuple[Any, tuple[Node | Word, ...]]:
    """Run twice: once to collect the atoms, once over the fraction field that they generate."""
    support = _Support()
    run(support)
    atoms = tuple(support.atoms)
    return run(_Fractions(atoms)), atoms


def residual(lhs: Term, rhs: Term, rules: Sequence[Eq] = ()) -> Remainder:
    """The normal form of lhs - rhs modulo rewriting rules: empty if they are equal."""
    if lhs.shape != rhs.shape:
        raise TypeError(f"an equation needs one shape, given {lhs.shape} and {rhs.shape}")
    return Remainder(*_with_fractions(lambda arithmetic: Normaliser(arithmetic, rules).linear(lhs - rhs)))


def modulo(lhs: Term, rhs: Term, given: Sequence[Eq]) -> Remainder:
    """The numerator of the scalar lhs - rhs modulo the ideal of the numerators of `given`: empty if it lies in it."""
    if not all(side.is_scalar for side in (lhs, *(e.lhs for e in given))):
        raise Undecided("an ideal is one of scalars; equations between matrices are rules for `words`")

    def run(arithmetic: Any) -> Linear:
        zero = arithmetic.number(Fraction(0))
        target, *generators = (
            Normaliser(arithmetic).linear(e.lhs - e.rhs).get((), zero) for e in (Eq(lhs, rhs), *given)
        )
        if isinstance(arithmetic, _Support):
            return {}
        basis = groebner([g.numer for g in generators if g], arithmetic.field.ring)
        remainder = target.numer.rem(basis)
        return {(): arithmetic.field(remainder)} if remainder else {}

    return Remainder(*_with_fractions(run))


def constant(term: Term) -> Fraction | None:
    """The value of a scalar term whose normal form is a number, else None."""
    found, _ = _with_fractions(lambda arithmetic: Normaliser(arithmetic).linear(term))
    if not found:
        return Fraction(0)
    value = found.get((), None)
    if len(found) > 1 or value is None or not (value.numer.is_ground and value.denom.is_ground):
        return None
    q = value.numer.LC / value.denom.LC
    return Fraction(int(q.numerator), int(q.denominator))
