"""The language of claims: indices, terms, formulas.

Part of the trusted base, which `proofs.kernel` lists.

| written | is | stands for |
| --- | --- | --- |
| `Index` | an integer linear form in index variables | a size, a length, a position; variables are natural |
| `Term` | a matrix expression with a shape of two indices | a real matrix; scalars have shape (1, 1), vectors (n, 1) |
| `Formula` | a relation between terms, or built from such | a statement, true or false once variables have values |

A symbol of arity r is a family: `a = sequence("a")` is applied as `a(t + 1)`. Free variables of a statement are
universally quantified. Division is total, its value at denominator 0 unspecified: whoever cancels must know better.

Binders (`Sum`, `Prod`, `ForAll`, `Lambda`) name the bound variable by the depth of binders below it, so that two
terms which differ only in the names of bound variables are equal as Python objects. Such names (`#1`) and those of
`fresh` (`i~7`) are nobody else's. The shape of a symbol depends on no bound variable: symbols are variables of their
own, so k of shape (n, 1) under a `for every n` would be another variable than k of shape (m, 1).
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar, cast

Number = int | Fraction


@dataclass(frozen=True)
class Node:
    """Anything that variables occur in; the fields are the children."""


N = TypeVar("N")


# ---------------------------------------------------------------------------------------------------- indices
@dataclass(frozen=True)
class Index(Node):
    """The integer `constant + sum of coefficient * variable`."""

    coefficients: tuple[tuple[str, int], ...]
    constant: int

    def __post_init__(self) -> None:
        if not all(isinstance(c, int) for c in (self.constant, *(c for _, c in self.coefficients))):
            raise TypeError(f"an index is an integer, given {self.coefficients} + {self.constant}")

    def __add__(self, other: Index | int) -> Index:
        other = index(other)
        total = dict(self.coefficients)
        for name, c in other.coefficients:
            total[name] = total.get(name, 0) + c
        return Index(tuple(sorted((v, c) for v, c in total.items() if c)), self.constant + other.constant)

    def __mul__(self, factor: int) -> Index:
        return Index(tuple((v, c * factor) for v, c in self.coefficients if factor), self.constant * factor)

    def __sub__(self, other: Index | int) -> Index:
        return self + index(other) * -1

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: int) -> Index:
        return index(other) - self

    @property
    def name(self) -> str:
        """The variable's name, where this is a bare variable."""
        if self.constant or len(self.coefficients) != 1 or self.coefficients[0][1] != 1:
            raise TypeError(f"{self} is not an index variable")
        return self.coefficients[0][0]

    def surely_nonnegative(self) -> bool:
        """True if no coefficient is negative (variables are natural numbers)."""
        return self.constant >= 0 and all(c >= 0 for _, c in self.coefficients)


def index(value: Index | int) -> Index:
    """An integer as an index."""
    return value if isinstance(value, Index) else Index((), operator.index(value))


def size(name: str) -> Index:
    """An index variable: a natural number, as a size, a length or a position."""
    if "#" in name or "~" in name:
        raise ValueError(f"{name!r}: names with # and ~ are kept for bound and fresh variables")
    return _variable(name)


def _variable(name: str) -> Index:
    return Index(((name, 1),), 0)


ONE = index(1)
Shape = tuple[Index, Index]


# ------------------------------------------------------------------------------------------------------ terms
@dataclass(frozen=True)
class Term(Node):
    """A real matrix of shape `shape`. `*` multiplies by a scalar, `@` is the matrix product, `.T` transposes."""

    @property
    def shape(self) -> Shape:
        raise NotImplementedError(type(self))

    @property
    def is_scalar(self) -> bool:
        return self.shape == (ONE, ONE)

    @property
    def T(self) -> Term:
        return self if self.is_scalar else Transpose(self)

    def __add__(self, other: Term | Number) -> Term:
        return add(self, other)

    def __radd__(self, other: Number) -> Term:
        return add(other, self)

    def __neg__(self) -> Term:
        return Mul((Num(Fraction(-1)), self))

    def __sub__(self, other: Term | Number) -> Term:
        return add(self, -term(other))

    def __rsub__(self, other: Number) -> Term:
        return add(other, -self)

    def __mul__(self, other: Term | Number) -> Term:
        return scale(self, term(other))

    def __rmul__(self, other: Number) -> Term:
        return scale(term(other), self)

    def __matmul__(self, other: Term) -> Term:
        if self.shape[1] != other.shape[0]:
            raise TypeError(f"cannot multiply shapes {self.shape} and {other.shape}; * multiplies by a scalar")
        return Mul((self, other))

    def __truediv__(self, other: Term | Number) -> Term:
        return Div(self, term(other))

    def __rtruediv__(self, other: Number) -> Term:
        return Div(term(other), self)


@dataclass(frozen=True)
class Num(Term):
    value: Fraction

    @property
    def shape(self) -> Shape:
        return ONE, ONE


@dataclass(frozen=True)
class Nat(Term):
    """An index, as a real number."""

    index: Index

    @property
    def shape(self) -> Shape:
        return ONE, ONE


@dataclass(frozen=True)
class Symbol(Node):
    """A variable, or for arity > 0 a family of variables, of one shape. Names identify it within a claim."""

    name: str
    rows: Index
    columns: Index
    arity: int = 0

    @property
    def is_scalar(self) -> bool:
        return (self.rows, self.columns) == (ONE, ONE)

    def __call__(self, *indices: Index | int) -> Term:
        return Atom(self, tuple(index(i) for i in indices))


@dataclass(frozen=True)
class Atom(Term):
    symbol: Symbol
    indices: tuple[Index, ...]

    def __post_init__(self) -> None:
        if len(self.indices) != self.symbol.arity:
            raise TypeError(f"{self.symbol.name} takes {self.symbol.arity} indices, {len(self.indices)} given")

    @property
    def shape(self) -> Shape:
        return self.symbol.rows, self.symbol.columns


@dataclass(frozen=True)
class Identity(Term):
    rows: Index

    @property
    def shape(self) -> Shape:
        return self.rows, self.rows


@dataclass(frozen=True)
class Zero(Term):
    rows: Index
    columns: Index

    @property
    def shape(self) -> Shape:
        return self.rows, self.columns


@dataclass(frozen=True)
class Add(Term):
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        if len({t.shape for t in self.terms}) != 1:
            raise TypeError(f"cannot add shapes {[t.shape for t in self.terms]}")

    @property
    def shape(self) -> Shape:
        return self.terms[0].shape


@dataclass(frozen=True)
class Mul(Term):
    """A product of two or more factors; a scalar may stand anywhere."""

    factors: tuple[Term, ...]

    def __post_init__(self) -> None:
        matrices = [f for f in self.factors if not f.is_scalar]
        for left, right in itertools.pairwise(matrices):
            if left.shape[1] != right.shape[0]:
                raise TypeError(f"cannot multiply shapes {left.shape} and {right.shape}")

    @property
    def shape(self) -> Shape:
        matrices = [f for f in self.factors if not f.is_scalar]
        return (matrices[0].shape[0], matrices[-1].shape[1]) if matrices else (ONE, ONE)


@dataclass(frozen=True)
class Div(Term):
    numerator: Term
    denominator: Term

    def __post_init__(self) -> None:
        _require_scalar(self.denominator, "a denominator")

    @property
    def shape(self) -> Shape:
        return self.numerator.shape


@dataclass(frozen=True)
class Transpose(Term):
    of: Term

    @property
    def shape(self) -> Shape:
        return self.of.shape[1], self.of.shape[0]


def _require_scalar(x: Term, role: str) -> None:
    if not x.is_scalar:
        raise TypeError(f"{role} must be a scalar, given shape {x.shape}")


def term(value: Term | Number) -> Term:
    """A number as a term."""
    return value if isinstance(value, Term) else Num(Fraction(value))


def add(*values: Term | Number) -> Term:
    """The sum of terms of one shape."""
    terms = tuple(term(v) for v in values)
    flat = (part for t in terms for part in (t.terms if isinstance(t, Add) else (t,)))
    return Add(tuple(flat)) if len(terms) > 1 else terms[0]


def scale(left: Term, right: Term) -> Term:
    """The product of two terms of which at least one is a scalar."""
    if not (left.is_scalar or right.is_scalar):
        raise TypeError(f"* needs a scalar, given shapes {left.shape} and {right.shape}: use @")
    return Mul((left, right))


def scalar(name: str) -> Term:
    """A real variable."""
    return Symbol(name, ONE, ONE)()


def vector(name: str, n: Index | int) -> Term:
    """A column of n real variables."""
    return Symbol(name, index(n), ONE)()


def matrix(name: str, n: Index | int, m: Index | int) -> Term:
    """An n by m real matrix."""
    return Symbol(name, index(n), index(m))()


def sequence(name: str, n: Index | int = 1, m: Index | int = 1, arity: int = 1) -> Symbol:
    """A family of n by m real matrices (scalars by default), with `arity` indices."""
    return Symbol(name, index(n), index(m), arity)


# ---------------------------------------------------------------------------------------------------- binders
@dataclass(frozen=True)
class Binder(Node):
    """Binds the index variable `bound` in `body`, and nowhere else. Made by `bind` only."""

    bound: str
    body: Any

    def at(self, value: Index | int) -> Any:
        """The body with the bound variable replaced."""
        return substitute(self.body, {self.bound: index(value)})


@dataclass(frozen=True)
class Sum(Binder, Term):
    """The sum of the body over the integers from `lo` to `hi`, both included; zero if there are none."""

    lo: Index
    hi: Index

    def __post_init__(self) -> None:
        if self.bound in free_indices(self.shape):
            raise TypeError(f"the terms of a sum need one shape, given {self.shape}")

    @property
    def shape(self) -> Shape:
        return cast(Term, self.body).shape


@dataclass(frozen=True)
class Prod(Binder, Term):
    """The product over lo..hi, the latest factor on the left; the identity if there are none."""

    lo: Index
    hi: Index

    def __post_init__(self) -> None:
        if self.shape[0] != self.shape[1] or self.bound in free_indices(self.shape):
            raise TypeError(f"a product needs square factors of one shape, given {self.shape}")

    @property
    def shape(self) -> Shape:
        return cast(Term, self.body).shape


@dataclass(frozen=True)
class Lambda(Binder):
    """A family given by its general member."""


def bind(kind: type[N], variable: Index, body: Node, *rest: Index | int) -> N:
    """`kind` binding `variable` in `body`, under the canonical name for its depth."""
    bound = f"#{_depth(body) + 1}"
    if bound in free_indices(body):
        raise TypeError("a bound variable has lost its binder; open a binder with `at`")
    if any(variable.name in free_indices(symbol) for symbol in symbols(body)):
        raise TypeError(f"the shape of a symbol depends on {variable.name}, so it cannot be bound")
    closed = substitute(body, {variable.name: _variable(bound)})
    return kind(bound, closed, *(index(i) for i in rest))  # type: ignore[call-arg]


def summation(variable: Index, lo: Index | int, hi: Index | int, body: Term) -> Term:
    """sum of `body` over variable = lo..hi."""
    return bind(Sum, variable, body, lo, hi)


def product(variable: Index, lo: Index | int, hi: Index | int, body: Term) -> Term:
    """product of `body` over variable = lo..hi, latest on the left; the body is square."""
    return bind(Prod, variable, body, lo, hi)


def family(variables: tuple[Index, ...], body: Term) -> Node:
    """The family whose member at `variables` is `body`; without variables, the term itself."""
    result: Node = body
    for v in reversed(variables):
        result = bind(Lambda, v, result)
    return result


def apply(function: Node, indices: tuple[Index, ...]) -> Term:
    """The member of a family at `indices`."""
    for i in indices:
        function = cast(Lambda, function).at(i)
    return cast(Term, function)


# --------------------------------------------------------------------------------------------------- formulas
@dataclass(frozen=True)
class Formula(Node):
    """A statement about terms."""


@dataclass(frozen=True)
class Closed(Formula):
    """A statement about a statement: all its variables are its own, so nothing is ever replaced in it."""


@dataclass(frozen=True)
class Relation(Formula):
    """Between two matrices of one shape; an inequality is one between all entries."""

    lhs: Term
    rhs: Term

    def __post_init__(self) -> None:
        if self.lhs.shape != self.rhs.shape:
            raise TypeError(f"a relation needs one shape, given {self.lhs.shape} and {self.rhs.shape}")


class Eq(Relation):
    """lhs = rhs."""


class Le(Relation):
    """lhs <= rhs."""


class Lt(Relation):
    """lhs < rhs."""


@dataclass(frozen=True)
class Nonzero(Formula):
    """A scalar differs from 0."""

    term: Term

    def __post_init__(self) -> None:
        _require_scalar(self.term, "what differs from 0")


@dataclass(frozen=True)
class IndexLe(Formula):
    lhs: Index
    rhs: Index


@dataclass(frozen=True)
class And(Formula):
    parts: tuple[Formula, ...]


@dataclass(frozen=True)
class ForAll(Binder, Formula):
    """The body holds for every natural number."""


@dataclass(frozen=True)
class UniqueMinimiser(Formula):
    """`objective` is larger at every other value of `symbol` than at `at`.

    `symbol` is bound. For a family, `ranges` are the inclusive bounds of its indices, and "other" means: different
    somewhere within them.
    """

    symbol: Symbol
    ranges: tuple[tuple[Index, Index], ...]
    objective: Term
    at: Node

    def __post_init__(self) -> None:
        _require_scalar(self.objective, "an objective")
        if self.symbol in symbols(self.at):
            raise TypeError(f"{self.symbol.name} is bound, so the claimed minimiser cannot mention it")


def for_all(variable: Index, body: Formula) -> Formula:
    """`body` for every natural number `variable`."""
    return bind(ForAll, variable, body)


def index_le(a: Index | int, b: Index | int) -> IndexLe:
    """a <= b, written without negative coefficients, so that a + 1 <= b + 1 is the same formula."""
    difference = index(b) - a
    above = tuple((v, c) for v, c in difference.coefficients if c > 0)
    below = tuple((v, -c) for v, c in difference.coefficients if c < 0)
    return IndexLe(Index(below, max(-difference.constant, 0)), Index(above, max(difference.constant, 0)))


def absolute_le(x: Term, bound: Term) -> Formula:
    """|x| <= bound, as the pair -bound <= x <= bound."""
    return And((Le(-bound, x), Le(x, bound)))


# -------------------------------------------------------------------------------------- variables, replacement
def children(x: Any) -> Iterator[Any]:
    """The direct constituents of a node, a tuple or a frozenset."""
    if isinstance(x, tuple | frozenset):
        yield from x
    elif isinstance(x, Node):
        kind: Any = type(x)
        yield from (getattr(x, name) for name in _field_names(kind))


@cache
def _field_names(kind: type[Node]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


def walk(x: Any) -> Iterator[Any]:
    """Every node and tuple inside x, x included."""
    waiting = [x]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(children(part))


def symbols(x: Any) -> set[Symbol]:
    """The symbols that occur in x, those bound by a UniqueMinimiser included."""
    return {y for y in walk(x) if isinstance(y, Symbol)}


def free_indices(x: Any) -> set[str]:
    """The index variables free in x (those of shapes included)."""
    if isinstance(x, Index):
        return {name for name, _ in x.coefficients}
    if isinstance(x, Closed):
        return set()
    if isinstance(x, Binder):
        return free_indices(x.body) - {x.bound} | free_indices(tuple(children(x))[2:])
    return set().union(*(free_indices(c) for c in children(x)))


def _depth(x: Any) -> int:
    below = max((_depth(c) for c in children(x)), default=0)
    return max(below, int(x.bound[1:])) if isinstance(x, Binder) else below


def require_well_formed(x: object) -> None:
    """Nothing inside x can hide a variable (a list, a generator), and no bound variable has lost its binder."""
    for part in walk(x):
        if not isinstance(part, Node | tuple | frozenset | str | int | Fraction):
            raise TypeError(f"a term holds a {type(part).__name__}, which is no part of the language")
    if any(name.startswith("#") for name in free_indices(x)):
        raise TypeError("a bound variable has lost its binder; open a binder with `at`")


_names = itertools.count()


def fresh(stem: str = "i") -> Index:
    """An index variable that occurs nowhere else."""
    return _variable(f"{stem}~{next(_names)}")


def substitute(x: N, indices: Mapping[str, Index] | None = None, families: Mapping[Symbol, Node] | None = None) -> N:
    """Replace free index variables, and symbols by terms (arity 0) or families, simultaneously; never captures."""
    return cast(N, _substitute(x, indices or {}, families or {}))


def _substitute(x: Any, indices: Mapping[str, Index], families: Mapping[Symbol, Node]) -> Any:
    if isinstance(x, Index):
        result = index(x.constant)
        for name, c in x.coefficients:
            result = result + indices.get(name, _variable(name)) * c
        return result
    if isinstance(x, tuple | frozenset):
        return type(x)(_substitute(y, indices, families) for y in x)
    if isinstance(x, Closed):
        return x
    if isinstance(x, Atom) and x.symbol in families:
        value = apply(families[x.symbol], _substitute(x.indices, indices, {}))
        if value.shape != _substitute(x.shape, indices, {}):
            raise TypeError(f"{x.symbol.name} has shape {x.shape}, its replacement {value.shape}")
        return value
    if isinstance(x, UniqueMinimiser):
        others = {_substitute(symbol, indices, {}) for symbol in symbols(x) - {x.symbol}}
        if x.symbol in families or _substitute(x.symbol, indices, {}) in others | symbols(tuple(families.items())):
            raise TypeError(f"{x.symbol.name} is bound by the minimiser statement: it cannot be replaced, nor captured")
    if isinstance(x, Binder) and not families and x.bound not in free_indices(tuple(indices.values())):
        kept = {**indices, x.bound: _variable(x.bound)}  # nothing to capture, so the name may stay
        rest = (_substitute(getattr(x, f.name), indices, families) for f in fields(x)[2:])
        return type(x)(x.bound, _substitute(x.body, kept, families), *rest)
    if isinstance(x, Binder):
        variable = fresh()
        body = _substitute(x.body, {**indices, x.bound: variable}, families)
        rest = (_substitute(getattr(x, f.name), indices, families) for f in fields(x)[2:])
        return bind(type(x), variable, cast(Node, body), *rest)
    if isinstance(x, Node):
        return type(x)(*(_substitute(child, indices, families) for child in children(x)))
    return x


def replace(x: N, old: Term, new: Term) -> N:
    """Replace every occurrence of the term `old`, which has no loose bound variable, by `new`."""
    if x == old:
        return cast(N, new)
    if isinstance(x, Closed):
        return x
    if isinstance(x, UniqueMinimiser) and x.symbol in symbols((old, new)):
        raise TypeError(f"{x.symbol.name} is bound by the minimiser statement: it cannot be replaced, nor captured")
    if isinstance(x, tuple | frozenset):
        return cast(N, type(x)(replace(y, old, new) for y in x))
    if isinstance(x, Binder):
        variable = fresh()
        body = replace(x.at(variable), old, new)
        rest = (replace(getattr(x, f.name), old, new) for f in fields(x)[2:])
        return cast(N, bind(type(x), variable, body, *rest))
    if isinstance(x, Node) and not isinstance(x, Index | Symbol):
        return cast(N, type(x)(*(replace(child, old, new) for child in children(x))))
    return x
