"""Facts, and the few rules that alone can make one.

A `Fact` is a sequent: under its hypotheses its conclusion holds, for every value of every free variable. As in an LCF
prover a proof script may be as long and as clever as it likes: it can only combine the rules below, so a wrong script
fails (`NotProved`, with what was left over) and cannot lie by accident. Python has no walls against malice, and this
file does not pretend otherwise.

The trusted base is this folder, with sympy's polynomial rings and python-flint below it. A Fact in mid-proof may assume
anything, as proofs by induction must; when it is put forward for a `Claim`, `establish` demands that the claim's
hypotheses hold together at a point.

What evaluation gives, `Refuted` and `Cases`, are results of their own kind: no rule takes them, nothing assumes them.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from fractions import Fraction
from typing import Any, ParamSpec, TypeVar, cast

from proofs.kernel import normal
from proofs.kernel.entry import CHECKS, checked, exactly
from proofs.kernel.evaluation import (
    Frozen,
    Point,
    Undecidable,
    frozen,
    holds,
    inhabited,
    require_distinct_names,
    require_well_typed,
    same_point,
)
from proofs.kernel.signs import ZERO, Interval, bounded, plain
from proofs.kernel.terms import (
    Add,
    And,
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
    Node,
    Nonzero,
    Prod,
    Sequent,
    Sum,
    Symbol,
    Term,
    UniqueMinimiser,
    Zero,
    apply,
    bind,
    children,
    family,
    free_indices,
    fresh,
    index_le,
    replace,
    show,
    substitute,
    summation,
    symbols,
    term,
)


class NotProved(Exception):
    """A rule does not apply. `rule` names it, `goal` is what it was to show, `remainder` what the sides differ by."""

    def __init__(self, message: str, goal: Sequent | None = None, remainder: normal.Remainder | None = None) -> None:
        super().__init__(message)
        self.message, self.goal, self.remainder, self.rule = message, goal, remainder, ""

    def __str__(self) -> str:
        left_over = f" {show(self.remainder)}" if self.remainder else ""
        return f"{self.rule}: {self.message}{left_over}" if self.rule else f"{self.message}{left_over}"


_RULES_ONLY = object()


@dataclass(frozen=True, eq=False, repr=False)
class _Made:
    """Made by the rules of this file alone."""

    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _RULES_ONLY:
            raise TypeError(f"only the rules of proofs.kernel make a {type(self).__name__}")

    def __repr__(self) -> str:
        return show(self)


@dataclass(frozen=True, eq=False, repr=False)
class Fact(_Made):
    """A proved sequent, with the rule that made it, the arguments it was given and the facts it rests on."""

    rule: str
    hypotheses: frozenset[Formula]
    conclusion: Formula
    premises: tuple[Fact, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def steps(self) -> list[Fact]:
        """The derivation: every fact this one rests on, premises first, itself last."""
        found: dict[int, Fact] = {}

        def visit(fact: Fact) -> None:
            if id(fact) not in found:
                for premise in fact.premises:
                    visit(premise)
                found[id(fact)] = fact

        visit(self)
        return list(found.values())


@dataclass(frozen=True, eq=False, repr=False)
class Refuted(_Made):
    """The sequent is false: at the point every hypothesis holds and the conclusion does not."""

    sequent: Sequent
    point: Point


@dataclass(frozen=True, eq=False, repr=False)
class Cases(_Made):
    """The sequent holds at each of these different points."""

    sequent: Sequent
    points: tuple[Point, ...]


CHECKS["Fact"] = exactly("a Fact", Fact)
RULES: dict[str, Callable[..., Any]] = {}

P = ParamSpec("P")
R = TypeVar("R", Fact, Refuted, Cases)


def rule(move: Callable[P, R]) -> Callable[P, R]:
    """A rule: its arguments are checked at the door, by their annotations, and recorded in the fact that it makes."""
    signature, check = inspect.signature(move), checked(move)

    @functools.wraps(move)
    def at_the_door(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        arguments = bound.arguments = check(bound.arguments)
        try:
            made = move(*bound.args, **bound.kwargs)
        except NotProved as reason:
            reason.rule = move.__name__
            raise
        if isinstance(made, Fact):
            object.__setattr__(made, "arguments", Frozen(arguments))
        return made

    del at_the_door.__wrapped__  # no way in past the door
    at_the_door.__signature__ = signature  # type: ignore[attr-defined]
    RULES[move.__name__] = at_the_door
    return at_the_door


def _fact(rule: str, hypotheses: Iterable[Formula], conclusion: Formula, *premises: Fact) -> Fact:
    sequent = Sequent(frozenset(hypotheses), conclusion)
    return Fact(_RULES_ONLY, rule, sequent.hypotheses, conclusion, premises)


# ------------------------------------------------------------------------------------------ the ordinary moves
@rule
def assume(formula: Formula) -> Fact:
    """phi |- phi."""
    return _fact("assume", [formula], formula)


@rule
def discharge(fact: Fact, *by: Fact) -> Fact:
    """Cut: a hypothesis that another fact proves is replaced by that fact's own hypotheses."""
    proved = {b.conclusion for b in by}
    if not proved <= fact.hypotheses:
        raise NotProved("a fact proves none of the hypotheses")
    remaining = fact.hypotheses - proved
    return _fact("discharge", remaining.union(*(b.hypotheses for b in by)), fact.conclusion, fact, *by)


@rule
def instantiate(
    fact: Fact, indices: Mapping[str, Index] | None = None, families: Mapping[Symbol, Node] | None = None
) -> Fact:
    """Replace free variables, everywhere at once. An index must stay a natural number for all values."""
    for name, value in (indices or {}).items():
        if not value.surely_nonnegative():
            raise NotProved(f"{name} may become negative")
    hypotheses = [substitute(h, indices, families) for h in fact.hypotheses]
    return _fact("instantiate", hypotheses, substitute(fact.conclusion, indices, families), fact)


@rule
def generalise(fact: Fact, variable: Index) -> Fact:
    """From phi(t) to: for all t, phi(t). No hypothesis may mention t."""
    _require_fresh(variable, fact.hypotheses)
    return _fact("generalise", fact.hypotheses, bind(ForAll, variable, fact.conclusion), fact)


@rule
def specialise(fact: Fact, value: Index | int) -> Fact:
    """From: for all t, phi(t), to phi(value), value a natural number for all values of its variables."""
    if not isinstance(fact.conclusion, ForAll):
        raise NotProved("the conclusion is not quantified")
    if not cast(Index, value).surely_nonnegative():
        raise NotProved("the index may be negative")
    return _fact("specialise", fact.hypotheses, fact.conclusion.at(value), fact)


@rule
def conjunction(*facts: Fact) -> Fact:
    """All the conclusions at once."""
    hypotheses = frozenset[Formula]().union(*(f.hypotheses for f in facts))
    return _fact("conjunction", hypotheses, And(tuple(f.conclusion for f in facts)), *facts)


@rule
def component(fact: Fact, i: int) -> Fact:
    """One part of a conjunction."""
    if not (isinstance(fact.conclusion, And) and 0 <= i < len(fact.conclusion.parts)):
        raise NotProved(f"the conclusion is not a conjunction with a part {i}")
    return _fact("component", fact.hypotheses, fact.conclusion.parts[i], fact)


@rule
def rewrite(fact: Fact, by: Fact) -> Fact:
    """Replace, in the conclusion, the left side of a proved equation by its right side."""
    equation = _equation(by)
    conclusion = replace(fact.conclusion, equation.lhs, equation.rhs)
    if conclusion == fact.conclusion and equation.lhs != equation.rhs:
        raise NotProved(f"{equation.lhs} does not occur in {fact.conclusion}")
    return _fact("rewrite", fact.hypotheses | by.hypotheses, conclusion, fact, by)


def _equation(fact: Fact) -> Eq:
    if not isinstance(fact.conclusion, Eq):
        raise NotProved("an equation is needed here")
    return fact.conclusion


def _require_fresh(variable: Index, formulas: Iterable[Node]) -> None:
    if any(variable.name in free_indices(f) for f in formulas):
        raise NotProved(f"{variable.name} is not fresh: it occurs in a hypothesis or a bound")


# --------------------------------------------------------------------------------------------------- equations
@rule
def identity(lhs: Term, rhs: Term, given: Sequence[Eq] = ()) -> Fact:
    """lhs = rhs, by normal form; modulo the ideal of the equations `given`, all of scalars, which become hypotheses.

    Every denominator that was written becomes a hypothesis `!= 0`, also one that cancels, unless it is a number.
    """
    if not given:
        return words(lhs, rhs, ())
    equation = Eq(lhs, rhs)
    goal = Sequent(frozenset(given), equation)
    try:
        left_over = normal.modulo(lhs, rhs, given)
    except normal.Undecided as reason:
        raise NotProved(str(reason), goal) from reason
    if left_over:
        raise NotProved("modulo the given equations the two sides differ by", goal, left_over)
    return _fact("identity", [*given, *_denominators((equation, *given))], equation)


@rule
def words(lhs: Term, rhs: Term, rules: Sequence[Eq]) -> Fact:
    """lhs = rhs, by normal form modulo rewriting with `rules` (word -> expression), which become hypotheses.

    Rewriting that does not end within its cap proves nothing.
    """
    equation = Eq(lhs, rhs)
    goal = Sequent(frozenset(rules), equation)
    try:
        left_over = normal.residual(lhs, rhs, rules)
    except normal.Undecided as reason:
        raise NotProved(str(reason), goal) from reason
    if left_over:
        raise NotProved("the two sides differ by", goal, left_over)
    rule = "words" if rules or not lhs.is_scalar else "identity"
    return _fact(rule, [*rules, *_denominators((equation, *rules))], equation)


def _denominators(x: object) -> set[Formula]:
    """`!= 0` for each denominator outside binders (inside, a quotient is an unopened part of its atom)."""
    if isinstance(x, Binder):
        return set()
    found: set[Formula] = set().union(*(_denominators(c) for c in children(x)))
    if isinstance(x, Div) and not normal.constant(x.denominator):
        found.add(Nonzero(x.denominator))
    return found


# ------------------------------------------------------------------------------------------- sums and products
Big = Sum | Prod


def _big(value: Term) -> Big:
    if not isinstance(value, Big):
        raise NotProved("a sum or product is needed here")
    return value


@rule
def empty(value: Term) -> Fact:
    """A sum over no index is zero, a product the identity: only where hi < lo for all values of the variables."""
    big = _big(value)
    if not (big.lo - big.hi - 1).surely_nonnegative():
        raise NotProved("the range may contain an index")
    rows, columns = big.shape
    if isinstance(big, Sum):
        return _fact("empty", [], Eq(big, term(0) if big.is_scalar else Zero(rows, columns)))
    return _fact("empty", [], Eq(big, term(1) if big.is_scalar else Identity(rows)))


@rule
def single(value: Term) -> Fact:
    """A sum or product over one index is its only member."""
    big = _big(value)
    if big.lo != big.hi:
        raise NotProved("the range is not one index")
    return _fact("single", [], Eq(big, cast(Term, big.at(big.lo))))


@rule
def split(value: Term, middle: Index | int) -> Fact:
    """A range cut in two after `middle`; in a product the later part stands on the left.

    Needs lo <= middle + 1 and middle <= hi, which become hypotheses unless they are plain: without them a range run
    backwards would count indices that are not there.
    """
    big = _big(value)
    middle = cast(Index, middle)
    early = type(big)(big.body, big.lo, middle)
    late = type(big)(big.body, middle + 1, big.hi)
    conditions = [index_le(big.lo, middle + 1), index_le(middle, big.hi)]
    needed = [c for c in conditions if not (c.rhs - c.lhs).surely_nonnegative()]
    whole = Add((early, late)) if isinstance(big, Sum) else Mul((late, early))
    return _fact("split", needed, Eq(big, whole))


@rule
def additive(i: Index, lo: Index | int, hi: Index | int, parts: Sequence[Term]) -> Fact:
    """The sum of sums is the sum of the sums."""
    whole = summation(i, lo, hi, Add(tuple(parts)))
    return _fact("additive", [], Eq(whole, Add(tuple(summation(i, lo, hi, p) for p in parts))))


@rule
def linear(i: Index, lo: Index | int, hi: Index | int, left: Term, inner: Term, right: Term | None = None) -> Fact:
    """Factors free of the bound variable move out of a sum: sum(left inner right) = left sum(inner) right."""
    after = () if right is None else (right,)
    _require_fresh(i, [left, *after])
    whole = summation(i, lo, hi, Mul((left, inner, *after)))
    return _fact("linear", [], Eq(whole, Mul((left, summation(i, lo, hi, inner), *after))))


@rule
def congruence(fact: Fact, kind: type[Big], i: Index, lo: Index | int, hi: Index | int) -> Fact:
    """From f(i) = g(i), i arbitrary, to sum f = sum g; likewise for products; from f(i) <= g(i) for sums.

    That i lies in lo..hi may be used: those two hypotheses are discharged. The other hypotheses that mention i come
    out quantified.
    """
    lo, hi = cast(Index, lo), cast(Index, hi)
    _require_fresh(i, [lo, hi])
    if not lo.surely_nonnegative():
        raise NotProved("the range may contain a negative index, of which the premise says nothing")
    relation = fact.conclusion
    if not (isinstance(relation, Eq) or (isinstance(relation, Le) and kind is Sum)):
        raise NotProved("an equation is needed, or an inequality under a sum")
    rest = fact.hypotheses - {index_le(lo, i), index_le(i, hi)}
    conclusion = type(relation)(bind(kind, i, relation.lhs, lo, hi), bind(kind, i, relation.rhs, lo, hi))
    return _fact("congruence", _quantified(rest, i), conclusion, fact)


def _quantified(hypotheses: Iterable[Formula], variable: Index) -> list[Formula]:
    return [bind(ForAll, variable, h) if variable.name in free_indices(h) else h for h in hypotheses]


@rule
def induction(statement: Formula, variable: Index, base: Fact, step: Fact) -> Fact:
    """P(t) for every t, from P(0) and from P(t) |- P(t + 1).

    Only P(t) is discharged. t may not occur in the base's hypotheses; the step's other hypotheses that mention t come
    out quantified over it, for they are used at every t.
    """
    _require_fresh(variable, base.hypotheses)
    if base.conclusion != substitute(statement, {variable.name: Index((), 0)}):
        raise NotProved("the base does not prove P(0)")
    if step.conclusion != substitute(statement, {variable.name: variable + 1}):
        raise NotProved("the step does not prove P(t + 1)")
    others = _quantified(step.hypotheses - {statement}, variable)
    return _fact("induction", base.hypotheses.union(others), statement, base, step)


# ------------------------------------------------------------------------------------------ signs and minimisers
@rule
def squares(lhs: Term, rhs: Term, certificate: Term, given: Sequence[Formula] = (), *, strict: bool = False) -> Fact:
    """lhs <= rhs (or <) for scalars, from a certificate: rhs - lhs = certificate, which shows its sign as written.

    What shows a sign is listed at `signs.plain`; the inequalities `given` that it uses become hypotheses. A negative
    weight has no certificate.
    """
    equation = identity(rhs - lhs, certificate)
    used = plain(certificate, given, strict)
    if used is None or not certificate.is_scalar:
        raise NotProved("the certificate does not show its sign as written")
    return _fact("squares", used | equation.hypotheses, (Lt if strict else Le)(lhs, rhs), equation)


@rule
def apart(fact: Fact) -> Fact:
    """From 0 < x to x != 0."""
    if isinstance(fact.conclusion, Lt) and fact.conclusion.lhs == ZERO:
        return _fact("apart", fact.hypotheses, Nonzero(fact.conclusion.rhs), fact)
    raise NotProved("the conclusion is not 0 < x")


@rule
def minimiser(goal: UniqueMinimiser, difference: Fact, delta: Symbol, gap: Term, given: Sequence[Formula] = ()) -> Fact:
    """The unique minimiser, from: objective(at + delta) = objective(at) + (|delta|^2 + gap), gap >= 0 as written.

    delta occurs nowhere else, so it stands for the difference to any competitor; |delta|^2, the sum of squares over
    the ranges, is positive as soon as they differ there. No calculus, and every size. A stationary point that is no
    minimum has no such gap.
    """
    if delta in symbols((goal, *difference.hypotheses, *given)) or delta.arity != goal.symbol.arity:
        raise NotProved("delta is not fresh, or not of the arity of the family")
    variables: tuple[Index, ...] = ()
    for _ in goal.ranges:
        variables = (*variables, fresh(goal, delta, gap, *variables))
    moved = family(variables, apply(goal.at, variables) + delta(*variables))
    norm: Term = delta(*variables).T @ delta(*variables)
    for v, (lo, hi) in reversed(list(zip(variables, goal.ranges, strict=True))):
        norm = summation(v, lo, hi, norm)
    before = substitute(goal.objective, families={goal.symbol: goal.at})
    after = substitute(goal.objective, families={goal.symbol: moved})
    if difference.conclusion != Eq(after, before + Add((norm, gap))):
        raise NotProved("the premise is not objective(at + delta) = objective(at) + (|delta|^2 + gap)")
    used = plain(gap, given)
    if used is None:
        raise NotProved("the gap does not show its sign as written")
    return _fact("squares", difference.hypotheses | used, goal, difference)


@rule
def enclosure(value: Term, box: Mapping[Atom, Interval], bound: Fraction, depth: int = 20) -> Fact:
    """value <= bound while each variable stays in its interval, by ball arithmetic with bisection."""
    scalars = all(a.is_scalar and not a.indices for a in box) and depth >= 0
    if {a.symbol for a in box} != symbols(value) or free_indices(value) or not scalars:
        raise NotProved("the box must name each scalar variable of the term, and nothing else")
    if any(lo > hi for lo, hi in box.values()):
        raise NotProved("an interval is empty")
    if not bounded(value, {a.symbol.name: side for a, side in box.items()}, bound, depth):
        raise NotProved(f"{bound} was not reached within {depth} bisections")
    hypotheses = [h for a, (lo, hi) in box.items() for h in (Le(term(lo), a), Le(a, term(hi)))]
    return _fact("enclosure", hypotheses, Le(value, term(bound)))


# ------------------------------------------------------------------------------------------- points and claims
@rule
def refute(sequent: Sequent, point: Point) -> Refuted:
    """The sequent is false: at the point every hypothesis holds and the conclusion does not, exactly."""
    if _truth(sequent, point) is not False:
        raise NotProved("the point satisfies the sequent")
    return Refuted(_RULES_ONLY, sequent, point)


@rule
def cases(sequent: Sequent, points: Sequence[Point]) -> Cases:
    """The sequent holds at each of finitely many points, one at least, all of which satisfy the hypotheses.

    The points differ, so that the count says what it seems to.
    """
    if not points:
        raise NotProved("an empty domain proves nothing")
    if any(same_point(x, y, sequent) for x, y in itertools.combinations(points, 2)):
        raise NotProved("a point is listed twice")
    for point in points:
        if not _truth(sequent, point):
            raise NotProved(f"the sequent fails at {dict(point)}")
    return Cases(_RULES_ONLY, sequent, tuple(points))


def _truth(sequent: Sequent, point: Point) -> bool:
    """The conclusion's truth at a point at which every hypothesis holds, and every symbol has an entry."""
    try:
        require_well_typed(sequent, point)
        if not inhabited(sequent, point):
            raise NotProved("the point is void: a symbol has no entries there")
        if violated := [h for h in sequent.hypotheses if not holds(h, point)]:
            raise NotProved(f"the point does not satisfy the hypothesis {show(violated[0])}")
        return holds(sequent.conclusion, point)
    except (Undecidable, ZeroDivisionError) as reason:
        raise NotProved(str(reason)) from reason


@dataclass(frozen=True)
class Claim:
    """A statement to be proved: the conclusion under hypotheses that are named by content.

    `further` names the hypotheses that the source does not state. `witness` is a point at which all hypotheses hold.
    Everything is copied and frozen. Raises TypeError for what is no formula, and for two variables of one name.
    """

    name: str
    conclusion: Formula
    hypotheses: Mapping[str, Formula] = field(default_factory=dict)
    witness: Point = field(default_factory=dict)
    further: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "hypotheses", Frozen(self.hypotheses))
        for name in (self.name, *self.hypotheses):
            if type(name) is not str or not name.isprintable() or name != name.strip() or ":" in name or not name:
                raise TypeError(f"claims and hypotheses are named by a str on one line, without colons, given {name!r}")
        object.__setattr__(self, "witness", frozen(self.witness))
        object.__setattr__(self, "further", frozenset(self.further))
        if unknown := self.further - set(self.hypotheses):
            raise ValueError(f"{self.name}: further names no hypothesis of the claim: {', '.join(sorted(unknown))}")
        try:
            require_distinct_names(self.sequent)
        except Undecidable as reason:
            raise TypeError(f"{self.name}: {reason}") from None

    @property
    def sequent(self) -> Sequent:
        return Sequent(frozenset(self.hypotheses.values()), self.conclusion)


def establish(claim: Claim, fact: Fact) -> Fact:
    """The fact, if its statement is the claim.

    Its conclusion must be the claim's, written alike, and its hypotheses among the claim's; and these must hold
    together at the claim's witness, so that nothing is proved from nonsense.
    """
    if type(claim) is not Claim:
        raise TypeError(f"establish: a Claim is needed, given a {type(claim).__name__}")
    if type(fact) is not Fact:
        raise NotProved(f"{claim.name}: a Fact is needed, given a {type(fact).__name__}")
    if fact.conclusion != claim.conclusion:
        raise NotProved(f"{claim.name}: the fact proves another statement, {show(fact)}")
    hypotheses = claim.sequent.hypotheses
    if missing := fact.hypotheses - hypotheses:
        needed = "; ".join(sorted(show(h) for h in missing))
        raise NotProved(f"{claim.name}: the fact needs hypotheses that the claim does not make: {needed}")
    try:
        require_well_typed(hypotheses, claim.witness)
        failing = [name for name, h in claim.hypotheses.items() if not holds(h, claim.witness)]
    except (Undecidable, ZeroDivisionError) as reason:
        raise NotProved(f"{claim.name}: at the witness, {reason}") from reason
    if failing or not inhabited(hypotheses, claim.witness):
        raise NotProved(f"{claim.name}: the witness does not satisfy {', '.join(failing) or 'anything, being empty'}")
    return fact
