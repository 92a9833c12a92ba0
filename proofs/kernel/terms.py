"""The language of claims: indices, terms, formulas, sequents.

Part of the trusted base, which `proofs.kernel` lists.

| written | is | stands for |
| --- | --- | --- |
| `Index` | an integer linear form in index variables | a size, a length, a position; variables are natural |
| `Term` | a matrix expression with a shape of two indices | a real matrix; scalars have shape (1, 1), vectors (n, 1) |
| `Formula` | a relation between terms, or built from such | a statement, true or false once variables have values |
| `Sequent` | hypotheses and a conclusion | that they entail it, for every value of every free variable |

A symbol of arity r is a family: `a = sequence("a")` is applied as `a(t + 1)`. Division is total, its value at
denominator 0 unspecified: whoever cancels must know better.

Free variables have names, which users choose. Bound variables have none: under its binders an index variable is a
position, 0 for the innermost binder, and the symbol of a `UniqueMinimiser` has the empty name. So terms that differ
only in the names of bound variables are equal as Python objects, and nothing is ever captured. What stands for a
variable is closed: it has no position of its own. The shape of a symbol depends on no bound variable: symbols are
variables of their own, so k of shape (n, 1) under a `for every n` would be another variable than k of shape (m, 1).

Every node checks its fields when it is made: exact classes of this file, tuples, `Fraction`, `int` and `str`, and no
subclasses of them. So a node that exists is well formed, but for positions without a binder, which `loose` finds.
"""

from __future__ import annotations

import itertools
import operator
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, TypeVar, cast

Number = int | Fraction
Variable = str | int  # a name; or a position, counted from the innermost binder
LETTERS = "[A-Za-zÀ-ÖØ-öø-ıĴ-ňŊ-ƿǍ-ǰǴ-ɏΓΔΘΛΞΠΣΦΨΩα-ξπ-ωḀ-ỿℓ]"  # those that do not look like others, nor like signs
NAME = re.compile(rf"(?!I(?!{LETTERS})){LETTERS}+[\u0302\u0303]?[0-9]*[₀-₉]*[⁺']*")
BOUND = ""  # the name of the symbol that a UniqueMinimiser binds


@dataclass(frozen=True)
class Node:
    """Anything that variables occur in; the fields are the children."""

    def __init_subclass__(cls) -> None:
        if cls.__module__ != __name__:
            raise TypeError(f"{cls.__name__}: the language is closed, so its classes have no subclasses")

    def __str__(self) -> str:
        return show(self)


_printer: list[Callable[[Any], str]] = []


def show(x: Any) -> str:
    """x for a reader. `proofs.printing` says how; nothing here rests on it."""
    return _printer[0](x) if _printer else object.__repr__(x)


def print_with(printer: Callable[[Any], str]) -> None:
    """Let `show` use this printer."""
    _printer[:] = [printer]


N = TypeVar("N")


def _require(holds: bool, what: str, given: object) -> None:
    if not holds:
        plain = type(given) in (int, float, str, bool, tuple, type(None))
        raise TypeError(f"{what}, given {given!r:.80}" if plain else f"{what}, given a {type(given).__name__}")


def require_name(name: object) -> None:
    """Raises TypeError for what is no name: letters, perhaps a hat, digits or subscripts, primes; not I."""
    _require(type(name) is str, "a name is a str", name)
    if not _is_name(cast(str, name)):
        raise TypeError(
            f"{name!r} is no name: letters, then perhaps a hat, digits or subscripts, and primes; I is the identity"
        )


@cache
def _is_name(name: str) -> bool:
    return bool(NAME.fullmatch(name)) and unicodedata.is_normalized("NFC", name)


# ---------------------------------------------------------------------------------------------------- indices
@dataclass(frozen=True)
class Index(Node):
    """The integer `constant + sum of coefficient * variable`; variables in order, coefficients not 0."""

    coefficients: tuple[tuple[Variable, int], ...]
    constant: int

    def __post_init__(self) -> None:
        pairs = self.coefficients
        _require(type(pairs) is tuple, "the coefficients of an index are a tuple", pairs)
        for pair in pairs:
            _require(type(pair) is tuple and len(pair) == 2, "a coefficient is a pair (variable, int)", pair)
            if type(pair[0]) is not int:
                require_name(pair[0])
            _require(type(pair[1]) is int and pair[1] != 0, "an index is an integer without zeros", pair)
        _require(type(self.constant) is int, "an index is an integer", self.constant)
        keys = [_order(v) for v, _ in pairs]
        _require(all(a < b for a, b in itertools.pairwise(keys)), "the variables of an index are in order", pairs)

    def __add__(self, other: Index | int) -> Index:
        other = index(other)
        return _index([*self.coefficients, *other.coefficients], self.constant + other.constant)

    def __mul__(self, factor: int) -> Index:
        return _index([(v, c * factor) for v, c in self.coefficients], self.constant * operator.index(factor))

    def __sub__(self, other: Index | int) -> Index:
        return self + index(other) * -1

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: int) -> Index:
        return index(other) - self

    @property
    def name(self) -> str:
        """The variable's name, where this is a bare variable."""
        match self:
            case Index(((str(name), 1),), 0):
                return name
        raise TypeError(f"{self} is not an index variable")

    @property
    def variables(self) -> set[Variable]:
        """Names and positions."""
        return {v for v, _ in self.coefficients}

    def surely_nonnegative(self) -> bool:
        """True if no coefficient is negative (variables are natural numbers)."""
        return self.constant >= 0 and all(c >= 0 for _, c in self.coefficients)


def _order(v: Variable) -> tuple[bool, Any]:
    return type(v) is str, v


def _index(pairs: list[tuple[Variable, int]], constant: int) -> Index:
    total: dict[Variable, int] = {}
    for v, c in pairs:
        total[v] = total.get(v, 0) + c
    kept = sorted(((v, c) for v, c in total.items() if c), key=lambda pair: _order(pair[0]))
    return Index(tuple(kept), constant)


def index(value: Index | int) -> Index:
    """An integer as an index."""
    return value if type(value) is Index else Index((), operator.index(cast(int, value)))


def size(name: str) -> Index:
    """An index variable: a natural number, as a size, a length or a position."""
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
        _require_term(other, "a factor")
        if self.shape[1] != other.shape[0]:
            raise TypeError(f"cannot multiply shapes {_show(self.shape)} and {_show(other.shape)}; * is for scalars")
        return Mul((self, other))

    def __truediv__(self, other: Term | Number) -> Term:
        return Div(self, term(other))

    def __rtruediv__(self, other: Number) -> Term:
        return Div(term(other), self)


def _show(shape: Shape) -> str:
    return f"({shape[0]}, {shape[1]})"


def _require_term(x: object, role: str) -> None:
    _require(type(x) in TERMS, f"{role} is a term", x)


def _require_terms(xs: object, role: str) -> None:
    _require(type(xs) is tuple and xs != (), f"the {role} are a tuple of terms", xs)
    for x in cast(tuple[Any, ...], xs):
        _require_term(x, f"each of the {role}")


def _require_index(x: object, role: str) -> None:
    _require(type(x) is Index, f"{role} is an Index", x)


@dataclass(frozen=True)
class Num(Term):
    value: Fraction

    def __post_init__(self) -> None:
        _require(type(self.value) is Fraction, "a number is a Fraction", self.value)

    @cached_property
    def shape(self) -> Shape:
        return ONE, ONE


@dataclass(frozen=True)
class Nat(Term):
    """An index, as a real number."""

    index: Index

    def __post_init__(self) -> None:
        _require_index(self.index, "a natural number")

    @cached_property
    def shape(self) -> Shape:
        return ONE, ONE


@dataclass(frozen=True)
class Symbol(Node):
    """A variable, or for arity > 0 a family of variables, of one shape. Names identify it within a claim."""

    name: str
    rows: Index
    columns: Index
    arity: int = 0

    def __post_init__(self) -> None:
        if self.name != BOUND or type(self.name) is not str:
            require_name(self.name)
        for side in (self.rows, self.columns):
            _require_index(side, "a side of a symbol")
            if any(type(v) is int for v in side.variables):
                raise TypeError(f"the shape of {self.name} depends on a bound variable")
        _require(type(self.arity) is int and self.arity >= 0, "an arity is a natural number", self.arity)

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
        _require(type(self.symbol) is Symbol, "an atom is of a Symbol", self.symbol)
        _require(type(self.indices) is tuple, "the indices of an atom are a tuple", self.indices)
        for i in self.indices:
            _require_index(i, f"an index of {self.symbol.name}")
        if len(self.indices) != self.symbol.arity:
            raise TypeError(f"{self.symbol.name} takes {self.symbol.arity} indices, {len(self.indices)} given")

    @cached_property
    def shape(self) -> Shape:
        return self.symbol.rows, self.symbol.columns


@dataclass(frozen=True)
class Identity(Term):
    rows: Index

    def __post_init__(self) -> None:
        _require_index(self.rows, "the size of an identity")

    @cached_property
    def shape(self) -> Shape:
        return self.rows, self.rows


@dataclass(frozen=True)
class Zero(Term):
    rows: Index
    columns: Index

    def __post_init__(self) -> None:
        _require_index(self.rows, "the rows of a zero")
        _require_index(self.columns, "the columns of a zero")

    @cached_property
    def shape(self) -> Shape:
        return self.rows, self.columns


@dataclass(frozen=True)
class Add(Term):
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        _require_terms(self.terms, "parts of a sum")
        if len({t.shape for t in self.terms}) != 1:
            raise TypeError(f"cannot add shapes {', '.join(_show(t.shape) for t in self.terms)}")

    @cached_property
    def shape(self) -> Shape:
        return self.terms[0].shape


@dataclass(frozen=True)
class Mul(Term):
    """A product of factors; a scalar may stand anywhere."""

    factors: tuple[Term, ...]

    def __post_init__(self) -> None:
        _require_terms(self.factors, "factors")
        matrices = [f for f in self.factors if not f.is_scalar]
        for left, right in itertools.pairwise(matrices):
            if left.shape[1] != right.shape[0]:
                raise TypeError(f"cannot multiply shapes {_show(left.shape)} and {_show(right.shape)}")

    @cached_property
    def shape(self) -> Shape:
        matrices = [f for f in self.factors if not f.is_scalar]
        return (matrices[0].shape[0], matrices[-1].shape[1]) if matrices else (ONE, ONE)


@dataclass(frozen=True)
class Div(Term):
    numerator: Term
    denominator: Term

    def __post_init__(self) -> None:
        _require_term(self.numerator, "a numerator")
        _require_scalar(self.denominator, "a denominator")

    @cached_property
    def shape(self) -> Shape:
        return self.numerator.shape


@dataclass(frozen=True)
class Transpose(Term):
    of: Term

    def __post_init__(self) -> None:
        _require_term(self.of, "what is transposed")

    @cached_property
    def shape(self) -> Shape:
        return self.of.shape[1], self.of.shape[0]


def _require_scalar(x: Term, role: str) -> None:
    _require_term(x, role)
    if not x.is_scalar:
        raise TypeError(f"{role} must be a scalar, given shape {_show(x.shape)}")


def term(value: Term | Number) -> Term:
    """A number as a term."""
    if type(value) in TERMS:
        return cast(Term, value)
    _require(type(value) in (int, Fraction), "a term, an int or a Fraction is needed", value)
    return Num(Fraction(cast(Number, value)))


def add(*values: Term | Number) -> Term:
    """The sum of terms of one shape."""
    terms = tuple(term(v) for v in values)
    flat = (part for t in terms for part in (t.terms if isinstance(t, Add) else (t,)))
    return Add(tuple(flat)) if len(terms) > 1 else terms[0]


def scale(left: Term, right: Term) -> Term:
    """The product of two terms of which at least one is a scalar."""
    if not (left.is_scalar or right.is_scalar):
        raise TypeError(f"* needs a scalar, given shapes {_show(left.shape)} and {_show(right.shape)}: use @")
    return Mul((left, right))


def scalar(name: str) -> Term:
    """A real variable."""
    return _named(name, ONE, ONE)()


def vector(name: str, n: Index | int) -> Term:
    """A column of n real variables."""
    return _named(name, index(n), ONE)()


def matrix(name: str, n: Index | int, m: Index | int) -> Term:
    """An n by m real matrix."""
    return _named(name, index(n), index(m))()


def sequence(name: str, n: Index | int = 1, m: Index | int = 1, arity: int = 1) -> Symbol:
    """A family of n by m real matrices (scalars by default), with `arity` indices."""
    return _named(name, index(n), index(m), arity)


def _named(name: str, rows: Index, columns: Index, arity: int = 0) -> Symbol:
    require_name(name)
    return Symbol(name, rows, columns, arity)


# ---------------------------------------------------------------------------------------------------- binders
@dataclass(frozen=True)
class Binder(Node):
    """Binds an index variable in `body`, where it is position 0. `bind` makes one from a named variable."""

    body: Any

    def at(self, value: Index | int) -> Any:
        """The body with the bound variable replaced by a closed index."""
        return _opened(self.body, 0, index(value))


def _require_range(lo: object, hi: object) -> None:
    _require_index(lo, "the start of a range")
    _require_index(hi, "the end of a range")


def _outer_shape(body: Term, what: str) -> Shape:
    """The shape of the body seen from outside its binder."""
    rows, columns = body.shape
    if 0 in rows.variables | columns.variables:
        raise TypeError(f"{what} needs one shape, given {_show(body.shape)}, which varies with the index")
    return _opened(rows, 0, ONE), _opened(columns, 0, ONE)


@dataclass(frozen=True)
class Sum(Binder, Term):
    """The sum of the body over the integers from `lo` to `hi`, both included; zero if there are none."""

    lo: Index
    hi: Index

    def __post_init__(self) -> None:
        _require_term(self.body, "the body of a sum")
        _require_range(self.lo, self.hi)
        _outer_shape(self.body, "a sum")

    @cached_property
    def shape(self) -> Shape:
        return _outer_shape(self.body, "a sum")


@dataclass(frozen=True)
class Prod(Binder, Term):
    """The product over lo..hi, the latest factor on the left; the identity if there are none."""

    lo: Index
    hi: Index

    def __post_init__(self) -> None:
        _require_term(self.body, "the body of a product")
        _require_range(self.lo, self.hi)
        rows, columns = _outer_shape(self.body, "a product")
        if rows != columns:
            raise TypeError(f"a product needs square factors of one shape, given {_show(self.body.shape)}")

    @cached_property
    def shape(self) -> Shape:
        return _outer_shape(self.body, "a product")


@dataclass(frozen=True)
class Lambda(Binder):
    """A family given by its general member: a term, or a family of one index fewer."""

    def __post_init__(self) -> None:
        _require(type(self.body) is Lambda or type(self.body) in TERMS, "a family is of terms", self.body)


def bind(kind: type[N], variable: Index, body: Node, *rest: Index | int) -> N:
    """`kind` (a binder) over `variable` in `body`."""
    name = variable.name
    _require_closed(body)
    if any(name in side.variables for s in _all_symbols(body) for side in (s.rows, s.columns)):
        raise TypeError(f"the shape of a symbol depends on {name}, so it cannot be bound")

    def close(i: Index, depth: int) -> Index:
        return _index([(depth if v == name else v, c) for v, c in i.coefficients], i.constant)

    return kind(_mapped(body, close), *(index(i) for i in rest))  # type: ignore[call-arg]


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
        _require(type(function) is Lambda, "a family of more indices is needed", function)
        function = cast(Lambda, function).at(i)
    _require_term(function, "a family at all its indices")
    return cast(Term, function)


# --------------------------------------------------------------------------------------------------- formulas
@dataclass(frozen=True)
class Formula(Node):
    """A statement about terms."""


@dataclass(frozen=True)
class Relation(Formula):
    """Between two matrices of one shape; an inequality is one between all entries."""

    lhs: Term
    rhs: Term

    def __post_init__(self) -> None:
        _require_term(self.lhs, "a side of a relation")
        _require_term(self.rhs, "a side of a relation")
        if self.lhs.shape != self.rhs.shape:
            raise TypeError(f"a relation needs one shape, given {_show(self.lhs.shape)} and {_show(self.rhs.shape)}")


class Eq(Relation):
    """lhs = rhs."""


class Le(Relation):
    """lhs <= rhs, entry by entry."""


class Lt(Relation):
    """lhs < rhs, entry by entry."""


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

    def __post_init__(self) -> None:
        _require_range(self.lhs, self.rhs)


@dataclass(frozen=True)
class And(Formula):
    parts: tuple[Formula, ...]

    def __post_init__(self) -> None:
        _require(type(self.parts) is tuple and self.parts != (), "a conjunction is of a tuple of parts", self.parts)
        for part in self.parts:
            _require(type(part) in FORMULAS, "a part of a conjunction is a formula", part)


@dataclass(frozen=True)
class ForAll(Binder, Formula):
    """The body holds for every natural number."""

    def __post_init__(self) -> None:
        _require(type(self.body) in FORMULAS, "what holds for every number is a formula", self.body)


@dataclass(frozen=True)
class UniqueMinimiser(Formula):
    """`objective` is larger at every other value of `symbol` than at `at`.

    For a family, `ranges` are the inclusive bounds of its indices, and "other" means: different somewhere within them.
    `symbol` is bound: it gets the empty name, and its own is kept as `letter`, for readers and for points that carry a
    competitor, and means nothing else.
    """

    symbol: Symbol
    ranges: tuple[tuple[Index, Index], ...]
    objective: Term
    at: Node
    letter: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        _require(type(self.symbol) is Symbol, "what is minimised over is a Symbol", self.symbol)
        _require_scalar(self.objective, "an objective")
        _require(
            type(self.ranges) is tuple and len(self.ranges) == self.symbol.arity, "each index has a range", self.ranges
        )
        for pair in self.ranges:
            _require(type(pair) is tuple and len(pair) == 2, "a range is a pair of indices", pair)
            _require_range(*pair)
        _require(type(self.at) is Lambda or type(self.at) in TERMS, "the minimiser is a term or a family", self.at)
        if self.symbol in _all_symbols(self.at):
            raise TypeError(f"{self.symbol.name} is bound, so the claimed minimiser cannot mention it")
        if self.symbol.name != BOUND:
            self._bind()
        require_name(self.letter)
        if any(s.name == BOUND and s != self.symbol for s in _all_symbols(self.objective)):
            raise TypeError(f"{self.letter} is bound with another shape than the objective has it")
        member: Node = self.at
        for _ in self.ranges:
            _require(type(member) is Lambda, "the minimiser of a family is a family", member)
            member = cast(Lambda, member).body
        _require_term(member, "a member of the minimiser")
        if cast(Term, member).shape != (self.symbol.rows, self.symbol.columns):
            raise TypeError(f"{self.letter} and its minimiser need one shape")

    def _bind(self) -> None:
        named, bound = self.symbol, Symbol(BOUND, self.symbol.rows, self.symbol.columns, self.symbol.arity)
        object.__setattr__(self, "letter", named.name)
        object.__setattr__(self, "symbol", bound)
        object.__setattr__(self, "objective", _rebuilt(self.objective, lambda x, _: bound if x == named else None))


@dataclass(frozen=True)
class Sequent(Node):
    """The statement that the hypotheses entail the conclusion, for all values of the free variables."""

    hypotheses: frozenset[Formula]
    conclusion: Formula

    def __post_init__(self) -> None:
        _require(type(self.hypotheses) is frozenset, "hypotheses are a frozenset", self.hypotheses)
        for formula in (*self.hypotheses, self.conclusion):
            _require(type(formula) in FORMULAS, "hypotheses and conclusion are formulas", formula)
        _require_closed(self)


TERMS = frozenset((Num, Nat, Atom, Identity, Zero, Add, Mul, Div, Transpose, Sum, Prod))
FORMULAS = frozenset((Eq, Le, Lt, Nonzero, IndexLe, And, ForAll, UniqueMinimiser))


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
    if type(x) in (tuple, frozenset):
        yield from x
    elif isinstance(x, Node):
        kind: Any = type(x)
        yield from (getattr(x, name) for name in _field_names(kind))


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


def walk(x: Any) -> Iterator[Any]:
    """Every node and tuple inside x, x included."""
    waiting = [x]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(children(part))


def _all_symbols(x: Any) -> set[Symbol]:
    return {y for y in walk(x) if type(y) is Symbol}


def symbols(x: Any) -> set[Symbol]:
    """The symbols that are free in x."""
    return {symbol for symbol in _all_symbols(x) if symbol.name != BOUND}


def free_indices(x: Any) -> set[str]:
    """The index variables free in x (those of shapes included)."""
    return {v for y in walk(x) if type(y) is Index for v in y.variables if type(v) is str}


def loose(x: Any, depth: int = 0, bound: bool = False) -> bool:
    """Whether a bound variable in x, which lies under `depth` binders (and a minimiser), has lost its binder."""
    if type(x) is Index:
        return any(type(v) is int and not 0 <= v < depth for v in x.variables)
    if type(x) is Symbol:
        return x.name == BOUND and not bound
    if isinstance(x, Binder):
        return loose(x.body, depth + 1, bound) or any(loose(y, depth, bound) for y in list(children(x))[1:])
    if type(x) is UniqueMinimiser:
        return loose((x.ranges, x.at), depth, bound) or loose(x.objective, depth, True)
    return any(loose(y, depth, bound) for y in children(x))


def _require_closed(x: Any) -> None:
    if loose(x):
        raise TypeError("a bound variable has lost its binder; open a binder with `at`")


Change = Callable[[Any, int], Any]  # of a node and the number of binders around it; None leaves it to its children


def _rebuilt(x: Any, change: Change, depth: int = 0) -> Any:
    """x with every node replaced by what `change` makes of it, from outside in; x itself if nothing changes."""
    if type(x) in (tuple, frozenset):
        parts = [_rebuilt(y, change, depth) for y in x]
        return x if all(a is b for a, b in zip(parts, x, strict=True)) else type(x)(parts)
    if not isinstance(x, Node):
        return x
    if (made := change(x, depth)) is not None:
        return made
    before = list(children(x))
    deeper = isinstance(x, Binder)
    after = [_rebuilt(y, change, depth + (deeper and k == 0)) for k, y in enumerate(before)]
    return x if all(a is b for a, b in zip(before, after, strict=True)) else type(x)(*after)


def _mapped(x: Any, change: Callable[[Index, int], Index]) -> Any:
    """x with each index inside replaced; `change` is told how many binders are around it."""
    return _rebuilt(x, lambda y, depth: change(y, depth) if type(y) is Index else None)


def _opened(x: Any, outermost: int, value: Index) -> Any:
    """x, which a binder has lost: its variable, which is position `outermost` + depth, becomes `value`."""

    def change(i: Index, depth: int) -> Index:
        at = outermost + depth
        result = index(i.constant)
        for v, c in i.coefficients:
            if v == at:
                result = result + _shifted(value, depth) * c
            else:
                result = result + Index(((v - 1 if type(v) is int and v > at else v, c),), 0)
        return result

    return _mapped(x, change)


def _shifted(value: Index, depth: int) -> Index:
    """An index, seen from under `depth` further binders."""
    moved = [(v + depth if type(v) is int and v >= 0 else v, c) for v, c in value.coefficients]
    return _index(moved, value.constant)


def fresh(*beside: Any, stem: str = "i") -> Index:
    """An index variable that does not occur in `beside`."""
    taken = {name for x in beside for name in (free_indices(x) | {symbol.name for symbol in symbols(x)})}
    names = itertools.chain([stem], (f"{stem}{k}" for k in itertools.count(1)))
    return size(next(name for name in names if name not in taken))


def substitute(x: N, indices: Mapping[str, Index] | None = None, families: Mapping[Symbol, Node] | None = None) -> N:
    """Replace free index variables, and symbols by terms (arity 0) or families, simultaneously; never captures."""
    given, members = dict(indices or {}), dict(families or {})
    for value in (*given.values(), *members.values()):
        _require_closed(value)

    def put(i: Index) -> Index:
        result = index(i.constant)
        for v, c in i.coefficients:
            result = result + (given[v] if type(v) is str and v in given else Index(((v, 1),), 0)) * c
        return result

    def change(y: Any, depth: int) -> Any:
        if type(y) is Index:
            return put(y) if given else y
        if type(y) is Atom and y.symbol in members:
            value = apply(members[y.symbol], tuple(put(i) for i in y.indices))
            if value.shape != tuple(put(side) for side in y.shape):
                raise TypeError(f"{y.symbol.name} has shape {_show(y.shape)}, its replacement {_show(value.shape)}")
            return value
        return None

    return cast(N, _rebuilt(x, change))


def replace(x: N, old: Term, new: Term) -> N:
    """Replace every occurrence of the closed term `old` by the closed term `new`."""
    _require_closed((old, new))
    return cast(N, _rebuilt(x, lambda y, _: new if y == old else None))
