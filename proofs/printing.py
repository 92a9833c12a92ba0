"""Terms, formulas and facts as text for a terminal, and as LaTeX."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, cast

from proofs.kernel import Cases, Claim, Fact, Refuted, Sequent
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
    Transpose,
    UniqueMinimiser,
    Zero,
    apply,
    free_indices,
    fresh,
    index,
    size,
    symbols,
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
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


class Text:
    """Unicode text."""

    minus, le, ne, lt, transpose = "-", "≤", "≠", "<", "ᵀ"
    identity, every, conjunction = "I", "for every", " and "
    negation, entails, count = "not: ", "⊢", "at {} points: "
    quotient = QUOTIENT  # how tightly a/b binds: (a/b) c needs its brackets

    def __init__(self, taken: set[str]):
        self.taken = set(taken)  # letters that already mean something here
        self.fresh: dict[str, str] = {}  # letters given to the kernel's fresh variables

    def name(self, name: str) -> str:
        if "~" in name and name not in self.fresh:
            self.fresh[name] = self._letter()
            self.taken.add(self.fresh[name])
        return self.fresh.get(name, name)

    def _letter(self) -> str:
        numbered = (f"i{k}" for k in itertools.count(1))
        return next(letter for letter in itertools.chain("ijlmruvwxyz", numbered) if letter not in self.taken)

    def subscript(self, base: str, indices: list[str]) -> str:
        joined = ",".join(indices) if any(len(i) > 1 for i in indices) else "".join(indices)
        return f"{base}_{joined}" if len(joined) == len(indices) else f"{base}({joined})"

    def fraction(self, above: str, below: str) -> str:
        return f"{above}/{below}"

    def big(self, kind: str, variable: str, lo: str, hi: str, body: str) -> str:
        return f"{'Σ' if kind == 'Sum' else '∏'}[{variable}={lo}..{hi}] {body}"

    def square(self, base: str) -> str:
        return f"{base}²"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{exponent}" if len(exponent) == 1 else f"{base}^({exponent})"

    def group(self, inner: str) -> str:
        return f"({inner})"

    def argmin(self, at: str, symbol: str, objective: str) -> str:
        return f"{at}  is the unique minimiser over {symbol} of  {objective}"

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
            case Identity():
                return ATOM, self.identity
            case Zero():
                return ATOM, "0"
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
        variable, count = fresh(), x.hi - x.lo + 1
        body = x.at(variable)
        if not count.surely_nonnegative():
            return ""
        if variable.name not in free_indices(body):
            return self.power(self.show(body, ATOM), self._index(count))
        return f"{self.show(count, ATOM)}!" if body == Nat(variable + 1) and x.lo == index(0) else ""

    def _quotient(self, above: Node, below: Node) -> str:
        return self.fraction(self.show(above, QUOTIENT), self.show(below, POWER))

    def _index(self, i: Index) -> str:
        parts = [("-" if c < 0 else "+", f"{abs(c) if abs(c) > 1 else ''}{self.name(v)}") for v, c in i.coefficients]
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
        kept = [f for f in factors if f != Num(cast(Any, 1))] or [factors[0]]
        *front, last = kept
        shown = [self._factor(f, PRODUCT, k > 0) for k, f in enumerate(front)] + [self._factor(last, QUOTIENT, front)]
        return min(PRODUCT, self._node(last)[0]) if self._node(last)[0] > ADDITIVE else PRODUCT, " ".join(shown)

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
            case Le(lhs, rhs) | IndexLe(lhs, rhs):
                return f"{self.show(lhs)} {self.le} {self.show(rhs)}"
            case Lt(lhs, rhs):
                return f"{self.show(lhs)} {self.lt} {self.show(rhs)}"
            case Nonzero(t):
                return f"{self.show(t)} {self.ne} 0"
            case And(parts):
                return self.conjunction.join(self._part(part) for part in parts)
            case ForAll():
                return self._under(x, lambda i, body: f"{self._part(body)} {self.every} {i}")
            case UniqueMinimiser():
                return self._minimiser(x)
            case Refuted(sequent):
                return self.negation + self.sequent(sequent)
            case Cases(sequent, count):
                return self.count.format(count) + self.sequent(sequent)
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

    def _minimiser(self, x: UniqueMinimiser, indices: tuple[str, ...] = ()) -> str:
        if len(indices) < len(x.ranges):
            at = x.at if not indices else apply(x.at, tuple(size(i) for i in indices))
            return self._under(cast(Binder, at), lambda i, _: self._minimiser(x, (*indices, i)))
        base = self.name(x.symbol.name)
        member = self.subscript(base, list(indices)) if indices else base
        at = apply(x.at, tuple(size(i) for i in indices))
        return self.argmin(f"{member} = {self.show(at)}", base, self.show(x.objective))


class Latex(Text):
    """LaTeX, for math mode."""

    minus, le, ne, lt, transpose = "-", r"\le", r"\ne", "<", r"^{\top}"
    every, conjunction = r"\quad\text{for every }", r"\quad\text{and}\quad "
    negation, entails, count = r"\text{not: }", r"\vdash", r"\text{{at {} points: }}"
    quotient = PRODUCT

    def name(self, name: str) -> str:
        base = super().name(name)
        hat = base.endswith("\u0302")
        base = base.removesuffix("\u0302")
        letter = base.rstrip("₀₁₂₃₄₅₆₇₈₉")
        digits = base[len(letter) :].translate(SUBSCRIPTS)
        base = ("\\" + GREEK[letter] if letter in GREEK else letter) + (f"_{{{digits}}}" if digits else "")
        return rf"\hat{{{base}}}" if hat else base

    def subscript(self, base: str, indices: list[str]) -> str:
        return f"{f'{{{base}}}' if '_' in base else base}_{{{','.join(indices)}}}"

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def _quotient(self, above: Node, below: Node) -> str:
        return self.fraction(self.show(above), self.show(below))

    def big(self, kind: str, variable: str, lo: str, hi: str, body: str) -> str:
        return rf"\{kind.lower()}_{{{variable}={lo}}}^{{{hi}}} {body}"

    def square(self, base: str) -> str:
        return f"{base}^{{2}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def group(self, inner: str) -> str:
        return rf"\left({inner}\right)"

    def argmin(self, at: str, symbol: str, objective: str) -> str:
        return rf"{at} \;=\; \operatorname*{{arg\,min}}_{{{symbol}}}\; {objective}"


def _negated(t: Any) -> tuple[bool, Any]:
    """Whether t is written as minus something, and that something."""
    if isinstance(t, Mul) and t.factors[0] == Num(cast(Any, -1)):
        return True, t.factors[1] if len(t.factors) == 2 else Mul(t.factors[1:])
    if isinstance(t, Num) and t.value < 0:
        return True, Num(-t.value)
    return False, t


def _letters(x: Any) -> set[str]:
    return {v for v in free_indices(x) if "~" not in v} | {symbol.name for symbol in symbols(x)}


def text(x: Any) -> str:
    """A term or formula on one line."""
    return Text(_letters(x)).show(x)


def latex(x: Any) -> str:
    """A term or formula as LaTeX."""
    return Latex(_letters(x)).show(x)


def statement(claim: Claim, printer: type[Text] = Text) -> list[str]:
    """A claim: its named hypotheses, then its conclusion, a line each."""
    shared = printer(_letters((claim.conclusion, *claim.hypotheses.values())))
    return [*(f"{name}: {shared.show(h)}" for name, h in claim.hypotheses.items()), shared.show(claim.conclusion)]


def sequent(fact: Fact, printer: type[Text] = Text, conclusion: str | None = None) -> str:
    """A fact on one line; `conclusion` stands in for its conclusion."""
    return printer(_letters((fact.conclusion, fact.hypotheses))).sequent(fact, conclusion)
