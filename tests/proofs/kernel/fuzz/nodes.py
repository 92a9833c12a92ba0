"""Random indices, terms, formulas, and rearrangements of terms, true and false."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeVar

from proofs.terms import (
    ONE,
    Add,
    Atom,
    Binder,
    Div,
    Eq,
    ForAll,
    Formula,
    Identity,
    Index,
    Le,
    Lt,
    Mul,
    Nat,
    Nonzero,
    Num,
    Prod,
    Sum,
    Symbol,
    Term,
    Transpose,
    Zero,
    children,
    for_all,
    index,
    index_le,
    product,
    scalar,
    sequence,
    size,
    summation,
    term,
    vector,
)

T = TypeVar("T")
n, m, t, i, j = (size(name) for name in "nmtij")
x, y, z = (scalar(name) for name in "xyz")
a, b, p = sequence("a"), sequence("b"), sequence("p", arity=2)
VARIABLES = (t, i, j)
SHAPES = ((ONE, ONE), (ONE, ONE), (n, ONE), (n, n), (n, m), (ONE, n))
NUMBERS = (0, 1, -1, 2, Fraction(1, 2))


class Draw(random.Random):
    """A source of random nodes."""

    def flip(self, probability: float) -> bool:
        return self.random() < probability

    def one(self, *options: T) -> T:
        return options[int(self.random() * len(options))]

    def variable(self) -> Index:
        return self.one(*VARIABLES)

    def natural(self) -> Index:
        """An index that is never negative."""
        return self.one(index(0), index(1), index(2), t, i, j, n, t + 1, i + 1, i + j, 2 * t, n + 1)

    def index(self) -> Index:
        return self.natural() if self.flip(0.7) else self.one(index(-1), n - 1, n - t, t - 1, 2 - i, m - n, i - j)

    def shape(self) -> tuple[Index, Index]:
        return self.one(*SHAPES)

    def leaf(self, rows: Index, columns: Index) -> Term:
        if rows == columns == ONE:
            constants = term(self.one(*NUMBERS)), Nat(self.index())
            return self.one(x, y, z, a(self.index()), b(self.index()), p(self.index(), self.index()), *constants)
        tag = "".join("1" if side == ONE else side.name if side in (n, m) else "k" for side in (rows, columns))
        letters = {"n": "N", "m": "M", "1": "U", "k": "K"}
        name = "".join(letters[c] for c in tag)
        options = [Symbol(letter + name, rows, columns)() for letter in "ABC"]
        options += [Transpose(Symbol("A" + name[::-1], columns, rows)())]
        options += [sequence("F" + name, rows, columns)(self.index())] * 2
        options += [Zero(rows, columns)] + [Identity(rows)] * (rows == columns)
        return self.one(*options)

    def term(self, rows: Index = ONE, columns: Index = ONE, depth: int = 2) -> Term:
        """A term of the shape; TypeError where a drawn binder fits no body."""
        if depth == 0 or self.flip(0.2):
            return self.leaf(rows, columns)

        def of(r: Index, c: Index) -> Term:
            return self.term(r, c, depth - 1)

        through = self.one(ONE, n, m)
        kinds: list[Callable[[], Term]] = [
            lambda: Add((of(rows, columns), of(rows, columns))),
            lambda: of(rows, columns) - of(rows, columns),
            lambda: Mul((of(rows, through), of(through, columns))),
            lambda: Mul((of(rows, through), of(through, columns))),
            lambda: Mul((of(ONE, ONE), of(rows, through), of(ONE, ONE), of(through, columns))),
            lambda: Transpose(of(columns, rows)),
            lambda: Div(of(rows, columns), of(ONE, ONE)),
            lambda: summation(self.variable(), self.index(), self.index(), of(rows, columns)),
            lambda: (
                product(self.variable(), self.index(), self.index(), of(rows, rows)) @ of(rows, columns)
                if rows != ONE
                else product(self.variable(), self.index(), self.index(), of(ONE, ONE)) * of(rows, columns)
            ),
        ]
        return self.one(*kinds)()

    def big(self, kind: Callable[..., Term], lo: Index, hi: Index) -> Term:
        """A sum or a product whose members differ."""
        rows, columns = self.one((ONE, ONE), (n, n), (n, ONE) if kind is summation else (n, n))
        v = self.variable()
        member = a(v) if (rows, columns) == (ONE, ONE) else sequence("G", rows, columns)(v)
        body = self.one(member, member + self.term(rows, columns, 1), self.term(rows, columns, 2))
        return kind(v, lo, hi, body)

    def atom(self) -> Term:
        return self.one(x, y, a(self.natural()), b(self.variable()), p(self.natural(), self.variable()))

    def sign(self) -> Formula:
        """A formula about the sign of one variable."""
        v = self.atom()
        formula = self.one(Le, Lt)(term(0), v)
        return for_all(self.variable(), formula) if self.flip(0.3) else formula

    def equation(self) -> Eq:
        rows, columns = self.shape()
        left = self.leaf(rows, columns) if self.flip(0.7) else self.term(rows, columns)
        return Eq(left, self.one(self.term(rows, columns, self.one(0, 1, 2)), self.law(left)))

    def formula(self) -> Formula:
        match self.one("equation", "equation", "order", "sign", "index", "nonzero", "for all", "for all"):
            case "equation":
                return self.equation()
            case "order":
                rows, columns = self.shape()
                return self.one(Le, Lt)(self.term(rows, columns, 1), self.term(rows, columns, 1))
            case "sign":
                return self.sign()
            case "index":
                return index_le(self.natural(), self.natural())
            case "nonzero":
                return Nonzero(self.one(self.atom(), self.term(depth=1)))
        inner = self.formula()
        twice = isinstance(inner, ForAll) and isinstance(inner.body, ForAll)
        return inner if twice else for_all(self.variable(), inner)

    def law(self, whole: Term) -> Term:
        """A rearrangement of the term; not every one is true."""
        parts = [c for c in children(whole) if isinstance(c, Term)] if not isinstance(whole, Binder) else []
        if isinstance(whole, Add | Mul):
            inner = list(whole.terms if isinstance(whole, Add) else whole.factors)
            k = self.randrange(len(inner))
            inner[k] = self.law(inner[k]) if self.flip(0.5) else inner[k]
            if self.flip(0.6):
                self.shuffle(inner)
            return self._fitting(type(whole), inner, whole)
        if isinstance(whole, Transpose) and isinstance(whole.of, Mul):
            flipped = [Transpose(f) for f in (whole.of.factors if self.flip(0.1) else whole.of.factors[::-1])]
            return self._fitting(Mul, flipped, whole)
        if isinstance(whole, Transpose) and whole.of.shape == whole.shape and self.flip(0.2):
            return whole.of
        if isinstance(whole, Transpose | Div) and parts and self.flip(0.5):
            return type(whole)(*[self.law(q) for q in parts])
        return self.one(
            whole, Div(Mul((whole, y)), y), whole + whole - whole, Mul((x, whole, 1 / x)), Transpose(Transpose(whole))
        )

    def _fitting(self, kind: Any, parts: Sequence[Term], otherwise: Term) -> Term:
        try:
            made: Term = kind(tuple(parts))
        except TypeError:
            return otherwise
        return made if made.shape == otherwise.shape else otherwise

    def plain(self, depth: int = 2, strict: bool = False) -> Term:
        """A term whose sign is plain as written, given that y, a, p are positive; or nearly so."""
        if depth == 0:
            k = self.natural()
            strictly = self.one(y, a(k), p(k, self.natural()), Nat(k + 1), term(2))
            return strictly if strict or self.flip(0.5) else self.one(Nat(k), term(0), x * x, strictly)

        def of(strictly: bool = strict) -> Term:
            return self.plain(depth - 1, strictly)

        some = self.term(depth=1)
        v = self.term(n, ONE, 1)
        column = vector("k", n)
        kinds: list[Callable[[], Term]] = [
            lambda: Add((of(), of(False))),
            lambda: Mul((of(), of())),
            lambda: Div(of(), of(True)),
            lambda: product(self.variable(), self.natural(), self.index(), of()),
        ]
        if not strict:
            kinds += [
                lambda: some * some,
                lambda: Mul((Transpose(v), v)),
                lambda: Mul((Transpose(column), column)),
                lambda: summation(self.variable(), self.natural(), self.index(), of()),
            ]
        return self.one(*kinds)()


GIVEN: tuple[Formula, ...] = (
    Lt(term(0), y),
    for_all(i, Lt(term(0), a(i))),
    for_all(i, for_all(j, Lt(term(0), p(i, j)))),
)


def changed(draw: Draw, whole: Term) -> Term:
    """The term with one number, index or range changed."""
    match whole:
        case Num(q):
            return Num(q + draw.one(1, -1))
        case Atom(symbol, indices) if indices:
            return symbol(indices[0] + 1, *indices[1:])
        case Sum(body, lo, hi) | Prod(body, lo, hi):
            return draw.one(type(whole)(body, lo, hi + 1), type(whole)(body, lo - 1, hi))
        case Add(parts) | Mul(parts):
            k = draw.randrange(len(parts))
            return type(whole)((*parts[:k], changed(draw, parts[k]), *parts[k + 1 :]))
        case Transpose(of):
            return Transpose(changed(draw, of))
    return -whole
