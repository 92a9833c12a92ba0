"""Terms, formulas and facts as text for a terminal, and as LaTeX.

Two claims that differ in meaning print differently: variables are declared with their sort and shape, the identity and
zeros carry their size, an order between matrices says that it is one entry by entry, a minimiser its ranges. Only
brackets in sums and in products of numbers are left out.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from proofs.kernel import Cases, Claim, Fact, Refuted, Remainder, Sequent, Table
from proofs.kernel.terms import print_with
from proofs.terms import (
    Add,
    And,
    Atom,
    Binder,
    Div,
    Eq,
    ForAll,
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
    Term,
    Transpose,
    UniqueMinimiser,
    Zero,
    add,
    apply,
    free_indices,
    fresh,
    index,
    size,
    symbols,
    term,
)

ADDITIVE, QUOTIENT, PRODUCT, POWER, ATOM = range(1, 6)  # binding strengths


GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "varepsilon",
    "ζ": "zeta",
    "η": "eta",
    "θ": "theta",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "φ": "varphi",
    "χ": "chi",
    "ψ": "psi",
    "ω": "omega",
}
ACCENTS = {"\u0302": "hat", "\u0303": "tilde"}
NAME_PARTS = re.compile("([^\u0302\u03030-9₀-₉⁺']+)([\u0302\u0303]?)([0-9]*)([₀-₉]*)([⁺']*)")
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


class Text:
    """Unicode text."""

    minus, le, ne, lt, transpose = "-", "≤", "≠", "<", "ᵀ"
    every, conjunction, entrywise = "for every", " and ", " entrywise"
    negation, entails, count = "not: ", "⊢", "at {} points: "
    naturals, integers, reals, member_of, family_of, times = "ℕ", "ℤ", "ℝ", " ∈ ", " : {} → ", "×"
    quotient = QUOTIENT  # how tightly a/b binds: (a/b) c needs its brackets

    def __init__(self, taken: set[str]):
        self.taken = set(taken)  # letters that already mean something here
        self.minimised = ""  # the letter of the symbol that a minimiser statement binds, within it

    def name(self, name: str) -> str:
        return name or self.minimised

    def _letter(self) -> str:
        numbered = (f"i{k}" for k in itertools.count(1))
        return next(letter for letter in itertools.chain("ijlmruvwxyz", numbered) if letter not in self.taken)

    def subscript(self, base: str, indices: list[str]) -> str:
        joined = ",".join(indices) if any(len(i) > 1 for i in indices) else "".join(indices)
        return f"{base}_{joined}" if len(joined) == len(indices) else f"{base}({joined})"

    def fraction(self, above: str, below: str) -> str:
        return f"{above}/{below}"

    def big(self, kind: str, variable: str, lo: str, hi: str, body: str) -> str:
        return f"{'∑' if kind == 'Sum' else '∏'}[{variable}={lo}..{hi}] {body}"

    def square(self, base: str) -> str:
        return f"{base}²"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{exponent}" if len(exponent) == 1 else f"{base}^({exponent})"

    def group(self, inner: str) -> str:
        return f"({inner})"

    def argmin(self, at: str, symbol: str, spans: list[tuple[str, str, str]], objective: str) -> str:
        among = ", ".join(f"{i} = {lo}..{hi}" for i, lo, hi in spans)
        return f"{at}{f', {among},' * bool(among)}  is the unique minimiser over {symbol} of  {objective}"

    def space(self, rows: str, columns: str) -> str:
        """The matrices of a shape."""
        if (rows, columns) == ("1", "1"):
            return self.reals
        return self.power(
            self.reals, rows if columns == "1" else f"{self._side(rows)}{self.times}{self._side(columns)}"
        )

    def _side(self, side: str) -> str:
        return f"({side})" if "+" in side or "-" in side else side

    def zero(self, rows: str, columns: str) -> str:
        return f"0_{self._side(rows)}{self.times}{self._side(columns)}"

    # ------------------------------------------------------------------------------------------ the common part
    def show(self, x: Any, strength: int = 0) -> str:
        """x, in brackets if it binds less tightly than `strength`."""
        own, shown = self._node(x)
        return self.group(shown) if own < strength else shown

    def _node(self, x: Any) -> tuple[int, str]:
        match x:
            case Index():
                shown = self._index(x)
                return (ADDITIVE if "+" in shown or "-" in shown else PRODUCT if len(shown) > 1 else ATOM), shown
            case Num(value):
                whole = str(value.numerator)
                shown = whole if value.denominator == 1 else self.fraction(whole, str(value.denominator))
                return (ADDITIVE if value < 0 else self.quotient if value.denominator > 1 else ATOM), shown
            case Nat(i):
                return self._node(i)
            case Atom(symbol, indices):
                base = self.name(symbol.name)
                return ATOM, self.subscript(base, [self._index(i) for i in indices]) if indices else base
            case Identity(rows):
                return ATOM, self.subscript("I", [self._index(rows)])
            case Zero(rows, columns):
                return ATOM, self.zero(self._index(rows), self._index(columns))
            case Add(terms):
                return ADDITIVE, self._sum(terms)
            case Mul(factors):
                return self._product(x, factors)
            case Div(above, below):
                return self.quotient, self._quotient(above, below)
            case Transpose(of):
                return POWER, self.show(of, ATOM) + self.transpose
            case Prod() if shown := self._power(x):
                return POWER, shown
            case Sum() | Prod():
                lo, hi, kind = self._index(x.lo), self._index(x.hi), type(x).__name__
                return ADDITIVE, self._under(x, lambda i, body: self.big(kind, i, lo, hi, self.show(body, QUOTIENT)))
        return 0, self._formula(x)

    def _power(self, x: Prod) -> str:
        """A product of equals as a power, of 1, ..., n as a factorial; empty if x is neither."""
        variable, count = fresh(x), x.hi - x.lo + 1
        body = x.at(variable)
        if not count.surely_nonnegative():
            return ""
        if variable.name not in free_indices(body):
            return self.power(self.show(body, ATOM), self._index(count))
        return f"{self.show(count, ATOM)}!" if body == Nat(variable + 1) and x.lo == index(0) else ""

    def _quotient(self, above: Node, below: Node) -> str:
        return self.fraction(self.show(above, QUOTIENT), self.show(below, POWER))

    def _index(self, i: Index) -> str:
        parts = [
            ("-" if c < 0 else "+", f"{abs(c) if abs(c) > 1 else ''}{self.name(str(v))}") for v, c in i.coefficients
        ]
        if i.constant or not parts:
            parts.append(("-" if i.constant < 0 else "+", str(abs(i.constant))))
        return "".join(sign + part for sign, part in parts).removeprefix("+")

    def _sum(self, terms: tuple[Any, ...]) -> str:
        shown = self.show(terms[0], ADDITIVE)
        for t in terms[1:]:
            negative, positive = _negated(t)
            shown += f" {self.minus} {self.show(positive, QUOTIENT)}" if negative else f" + {self.show(t, ADDITIVE)}"
        return shown

    def _product(self, x: Any, factors: tuple[Any, ...]) -> tuple[int, str]:
        negative, positive = _negated(x)
        if negative:
            return ADDITIVE, self.minus + self.show(positive, QUOTIENT)
        if len(factors) > 1 and factors[0].is_scalar and len(set(factors)) == 1:
            base = self.show(factors[0], ATOM)
            return POWER, self.square(base) if len(factors) == 2 else self.power(base, str(len(factors)))
        *front, last = factors
        shown = [self._factor(f, PRODUCT, k > 0) for k, f in enumerate(front)] + [self._factor(last, QUOTIENT, front)]
        return min(PRODUCT, self._node(last)[0]) if self._node(last)[0] > ADDITIVE else PRODUCT, self.juxtaposed(shown)

    def juxtaposed(self, factors: list[str]) -> str:
        return " ".join(factors)

    def _factor(self, f: Any, strength: int, later: object) -> str:
        """A later product of matrices in its own brackets, for the bracketing is what associativity is about."""
        return self.show(f, POWER if later and isinstance(f, Mul) and not f.is_scalar else strength)

    def _under(self, x: Binder, show: Callable[[str, Any], str]) -> str:
        """`show(variable, body)` with a readable name for the bound variable, taken while it is in scope."""
        variable = self._letter()
        self.taken.add(variable)
        shown = show(variable, x.at(size(variable)))
        self.taken.remove(variable)
        return shown

    def _formula(self, x: Any) -> str:
        match x:
            case Eq(lhs, rhs):
                return f"{self.show(lhs)} = {self.show(rhs)}"
            case Le(lhs, rhs):
                return f"{self.show(lhs)} {self.le} {self.show(rhs)}{self.entrywise * (not lhs.is_scalar)}"
            case Lt(lhs, rhs):
                return f"{self.show(lhs)} {self.lt} {self.show(rhs)}{self.entrywise * (not lhs.is_scalar)}"
            case IndexLe(lhs, rhs):
                return f"{self.show(lhs)} {self.le} {self.show(rhs)}"
            case Nonzero(t):
                return f"{self.show(t)} {self.ne} 0"
            case And(parts):
                return self.conjunction.join(self._part(part) for part in parts)
            case ForAll():
                return self._under(x, lambda i, body: f"{self._part(body)} {self.every} {i}")
            case UniqueMinimiser():
                return self._minimiser(x)
            case Refuted(sequent=sequent):
                return self.negation + self.sequent(sequent)
            case Cases(sequent=sequent, points=points):
                return self.count.format(len(points)) + self.sequent(sequent)
            case Fact() | Sequent():
                return self.sequent(x)
            case Remainder():
                return shortened(self.show(as_term(x)))
            case tuple() | frozenset():
                return ", ".join(sorted(map(self.show, x)) if isinstance(x, frozenset) else map(self.show, x))
        raise TypeError(f"cannot print {type(x).__name__}")

    def _part(self, x: Any) -> str:
        """A formula inside another."""
        shown = self.show(x)
        return self.group(shown) if isinstance(x, And | ForAll | UniqueMinimiser) else shown

    def sequent(self, x: Sequent | Fact, conclusion: str | None = None) -> str:
        """Hypotheses and conclusion; without hypotheses the conclusion alone, if x is no Fact."""
        left = ", ".join(sorted(self.show(h) for h in x.hypotheses))
        right = conclusion or self.show(x.conclusion)
        return f"{left} {self.entails} {right}".lstrip() if left or isinstance(x, Fact) else right

    def _minimiser(self, x: UniqueMinimiser) -> str:
        outer, letters = set(self.taken), []
        for _ in x.ranges:
            letters.append(self._letter())
            self.taken.add(letters[-1])
        self.minimised = next(a for a in (x.letter + "'" * k for k in itertools.count()) if a not in self.taken)
        base = self.name(self.minimised)
        member = self.subscript(base, letters) if letters else base
        claimed = self.show(apply(x.at, tuple(size(i) for i in letters)))
        spans = [(i, self._index(lo), self._index(hi)) for i, (lo, hi) in zip(letters, x.ranges, strict=True)]
        self.taken = outer | {self.minimised}
        objective = self.show(x.objective)
        self.taken = outer
        return self.argmin(f"{member} = {claimed}", base, spans, objective)

    def declarations(self, x: Any) -> str:
        """The free variables of x with their sorts and shapes."""
        sorts: dict[str, list[str]] = {}
        for name in sorted(free_indices(x)):
            sorts.setdefault(self.member_of + self.naturals, []).append(self.name(name))
        for symbol in sorted(symbols(x), key=lambda s: (s.arity, s.name)):
            space = self.space(self._index(symbol.rows), self._index(symbol.columns))
            domain = self.power(self.integers, str(symbol.arity)) if symbol.arity > 1 else self.integers
            sort = (self.family_of.format(domain) if symbol.arity else self.member_of) + space
            sorts.setdefault(sort, []).append(self.name(symbol.name))
        return "; ".join(", ".join(names) + sort for sort, names in sorts.items())


class Latex(Text):
    """LaTeX, for math mode."""

    minus, le, ne, lt, transpose = "-", r"\le", r"\ne", "<", r"^{\top}"
    every, conjunction = r"\quad\text{for every }", r"\quad\text{and}\quad "
    entrywise, times = r"\;\text{entrywise}", r" \times "
    naturals, integers, reals = r"\mathbb{N}", r"\mathbb{Z}", r"\mathbb{R}"
    member_of, family_of = r" \in ", r" \colon {} \to "
    negation, entails, count = r"\text{not: }", r"\vdash", r"\text{{at {} points: }}"
    quotient = PRODUCT

    def name(self, name: str) -> str:
        parts = NAME_PARTS.fullmatch(super().name(name))
        assert parts, name
        letters, accent, digits, subscripts, marks = parts.groups()
        base = "\\" + GREEK[letters] if letters in GREEK else letters if len(letters) == 1 else rf"\mathit{{{letters}}}"
        base = rf"\{ACCENTS[accent]}{{{base}}}" if accent else base
        index = f"_{{{subscripts.translate(SUBSCRIPTS)}}}" if subscripts else ""
        return base + digits + index + marks.replace("⁺", "^{+}")

    def subscript(self, base: str, indices: list[str]) -> str:
        member = f"{f'{{{base}}}' if '_' in base else base}_{{{','.join(indices)}}}"
        taken = member in {self.name(name) for name in self.taken}  # x at 1, where there is an x₁
        return member if not taken else f"{base}_{{({','.join(indices)})}}"

    def zero(self, rows: str, columns: str) -> str:
        return rf"0_{{{rows} \times {columns}}}"

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def _quotient(self, above: Node, below: Node) -> str:
        return self.fraction(self.show(above), self.show(below))

    def big(self, kind: str, variable: str, lo: str, hi: str, body: str) -> str:
        return rf"\{kind.lower()}_{{{variable}={lo}}}^{{{hi}}} {body}"

    def square(self, base: str) -> str:
        return self.power(base, "2")

    def power(self, base: str, exponent: str) -> str:
        return f"{self.group(base) if base.endswith('^{+}') else base}^{{{exponent}}}"

    def juxtaposed(self, factors: list[str]) -> str:
        """A space is not seen: 2 3 would be 23, and x 1 the variable x1."""
        first, *later = factors
        return first + "".join(f" \\cdot {f}" if f[0].isdigit() else f" {f}" for f in later)

    def group(self, inner: str) -> str:
        return rf"\left({inner}\right)"

    def argmin(self, at: str, symbol: str, spans: list[tuple[str, str, str]], objective: str) -> str:
        among = ", ".join(rf"{i} = {lo}, \ldots, {hi}" for i, lo, hi in spans)
        unique = rf"{at} \;=\; \operatorname*{{arg\,min}}_{{{symbol}}}\; {objective}\quad\text{{(unique)}}"
        return rf"{unique}, \quad {among}" if among else unique


def _negated(t: Any) -> tuple[bool, Any]:
    """Whether t is written as minus something, and that something."""
    if isinstance(t, Mul) and t.factors[0] == term(-1) and len(t.factors) > 1:
        return True, t.factors[1] if len(t.factors) == 2 else Mul(t.factors[1:])
    if isinstance(t, Num) and t.value < 0:
        return True, Num(-t.value)
    return False, t


def _letters(x: Any) -> set[str]:
    match x:
        case Refuted(sequent=inside) | Cases(sequent=inside):
            return _letters(inside)
        case Fact(hypotheses=hypotheses, conclusion=conclusion):
            return _letters((hypotheses, conclusion))
        case Remainder():
            return _letters(as_term(x))
    return free_indices(x) | {symbol.name for symbol in symbols(x)}


def as_term(remainder: Remainder) -> Term:
    """What is left over, as a term."""
    parts = [_product(_coefficient(c, remainder.atoms), *_word(word)) for word, c in remainder.left.items()]
    return add(*parts)


def _word(word: Any) -> list[Term]:
    return [Transpose(letter) if flipped else letter for letter, flipped in word]


def _coefficient(c: Any, atoms: tuple[Any, ...]) -> Term:
    above, below = _polynomial(c.numer, atoms), _polynomial(c.denom, atoms)
    return above if below == term(1) else above / below


def _polynomial(p: Any, atoms: tuple[Any, ...]) -> Term:
    parts = []
    for monomial, c in p.terms():
        powers = [factor for atom, k in zip(atoms, monomial, strict=False) for factor in [_atom(atom)] * k]
        parts.append(_product(term(Fraction(int(c.numerator), int(c.denominator))), *powers))
    return add(*parts) if parts else term(0)


def _atom(atom: Any) -> Term:
    return atom if isinstance(atom, Term) else _product(*_word(atom))


def _product(*factors: Term) -> Term:
    """The product, without a factor 1 and with its sign in front."""
    kept = [f for f in factors if f != term(1)] or [term(1)]
    if kept[0] == term(-1) or len(kept) == 1:
        return Mul(tuple(kept)) if len(kept) > 1 else kept[0]
    if isinstance(kept[0], Num) and kept[0].value < 0:
        kept = [term(-1), term(-kept[0].value), *kept[1:]]
    return Mul(tuple(kept))


def shortened(line: str, limit: int = 400) -> str:
    """The beginning of a long line."""
    return line if len(line) <= limit else f"{line[:limit]} ... ({len(line):,} characters)"


def text(x: Any) -> str:
    """A term or formula on one line."""
    return Text(_letters(x)).show(x)


def latex(x: Any) -> str:
    """A term or formula as LaTeX."""
    return Latex(_letters(x)).show(x)


def statement(claim: Claim, printer: type[Text] = Text) -> list[str]:
    """A claim: its variables, its named hypotheses, its conclusion, a line each."""
    shared = printer(_letters(claim.sequent))
    declared = shared.declarations(claim.sequent)
    hypotheses = [f"{name}: {shared.show(h)}" for name, h in claim.hypotheses.items()]
    return [*([declared] if declared else []), *hypotheses, shared.show(claim.conclusion)]


def sequent(fact: Fact, printer: type[Text] = Text, conclusion: str | None = None) -> str:
    """A fact on one line; `conclusion` stands in for its conclusion."""
    return printer(_letters((fact.conclusion, fact.hypotheses))).sequent(fact, conclusion)


def show_value(value: Any) -> str:
    """A value of a point, on one line."""
    if isinstance(value, Table):
        inside = ", ".join(f"{','.join(map(str, i))}: {show_value(v)}" for i, v in value.entries.items())
        return f"{{{inside}; else {show_value(value.default)}}}"
    if hasattr(value, "tolist"):
        rows = [" ".join(map(str, row)) for row in value.tolist()]
        return "[" + "; ".join(rows) + "]"
    return str(value)


def show_point(point: Any) -> str:
    """A point, on one line."""
    return ", ".join(f"{name} = {show_value(value)}" for name, value in point.items())


print_with(text)
