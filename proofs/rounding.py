"""How far floating-point evaluation of a linear recurrence may be from the exact result.

Source: the standard model of rounding (Higham, Accuracy and Stability of Numerical Algorithms, 2002, sections 2.2 and
3.1); the bounds for recurrences are derived here.

| symbol | meaning |
| --- | --- |
| u, η | unit roundoff; the largest absolute error of one operation whose result is below the normal range |
| h_t, g_t | the exact states h_t = a_t h_{t-1} + b_t, and the computed ones |
| α_t, β_t, ε_t | g_t = a_t g_{t-1} (1 + α_t) + b_t (1 + β_t) + ε_t: one step's rounding errors |
| A_t, B_t | bounds of |a_t| and |b_t| |
| H_t, W_t, U_t | H_t = A_t H_{t-1} + B_t; W_t = A_t (W_{t-1} + H_{t-1}); U_t = (1 + P) A_t U_{t-1} + η |
| p, q | how many roundings a step puts on a_t g_{t-1} and on b_t: 1 and 1 for a fused multiply-add, 2 and 1 else |
| P, Q | bounds of |α_t| and |β_t|, such as (1 + u)^p - 1 and (1 + u)^q - 1 |
| N | any number with p W_t + (p + q) H_t <= N H_t wherever A_{t+1} > 0; p T + q will do for T steps, by `distance` |
| v | 1 + u |

A hypothesis `∀t` on an infinite sequence costs a run of T steps nothing: gates and inputs after T may be taken as 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from proofs.derivation import main, proves
from proofs.kernel import (
    Fact,
    apart,
    assume,
    component,
    conjunction,
    empty,
    induction,
    instantiate,
    rewrite,
    specialise,
    squares,
)
from proofs.recurrence import any_order
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import Bounded, at_most, backwards, positive_gap, restated, settle
from proofs.terms import (
    ONE,
    Add,
    And,
    Eq,
    ForAll,
    Formula,
    Index,
    Le,
    Lt,
    Nat,
    Symbol,
    Term,
    absolute_le,
    family,
    for_all,
    index,
    replace,
    scalar,
    sequence,
    size,
    summation,
    term,
    vector,
)
from proofs.terms import (
    product as product_of,
)

t, T, i, r, s, n = (size(name) for name in "tTirsn")
p, q = Nat(size("p")), Nat(size("q"))
u, eta, N, P, Q = (scalar(name) for name in ("u", "η", "N", "P", "Q"))


# ------------------------------------------------------- majorants: one rule for every straight-line computation
x, y, xc, yc, X, Y, Xm, Ym, d, e = (scalar(name) for name in ("x", "y", "x̂", "ŷ", "X", "Y", "X̂", "Ŷ", "δ", "ε"))
sizes = {"x_size": absolute_le(x, X), "y_size": absolute_le(y, Y)}
errors = {"x_error": absolute_le(xc - x, Xm - X), "y_error": absolute_le(yc - y, Ym - Y)}


@proves(absolute_le(xc * yc - x * y, Xm * Ym - X * Y), {**sizes, **errors})
def product() -> Fact:
    """x̂ŷ - xy = (x̂ - x)(ŷ - y) + (x̂ - x) y + x (ŷ - y), and the three bounds add up to X̂Ŷ - XY."""
    bx, by = (Bounded.of(assume(h)) for h in sizes.values())
    ex, ey = (Bounded.of(assume(h)) for h in errors.values())
    return restated(ex * ey + ex * by + bx * ey, cast(And, product.conclusion))


@proves(
    absolute_le(xc * (1 + d) + e - x, (1 + u) * Xm + eta - X),
    {
        "x_size": sizes["x_size"],
        "x_error": errors["x_error"],
        "rounding": absolute_le(d, u),
        "underflow": absolute_le(e, eta),
    },
)
def rounded() -> Fact:
    """x̂(1 + δ) + ε - x = (x̂ - x) + δ (x̂ - x) + δ x + ε. With `rounding.product`, and sums, which are plain: replace
    each number by its size and each rounding by (1 + u) and η; what comes out, less the sizes alone, is a bound."""
    bx, ex, bd, be = (Bounded.of(assume(h)) for h in rounded.hypotheses.values())
    return restated(ex + bd * ex + bd * bx + be, cast(And, rounded.conclusion))


@proves(
    absolute_le(xc * yc * (1 + d) + e - x * y, (1 + u) * (Xm * Ym) + eta - X * Y),
    {**rounded.hypotheses, "y_size": sizes["y_size"], "y_error": errors["y_error"]},
)
def gradient() -> Fact:
    """A product of two computed numbers, rounded, as in da_t = λ_t h_{t-1}: `rounded` for what `product` gives."""
    hypotheses = gradient.hypotheses
    bx, by, ex, ey, bd, be = (
        Bounded.of(assume(hypotheses[name]))
        for name in ("x_size", "y_size", "x_error", "y_error", "rounding", "underflow")
    )
    error = ex * ey + ex * by + bx * ey
    return restated(error + bd * error + bd * (bx * by) + be, cast(And, gradient.conclusion))


# ----------------------------------------------------------------------------------------- the chain, for every T
a, b, h, g = (sequence(name) for name in "abhg")
alpha, beta, eps = sequence("α"), sequence("β"), sequence("ε")
A, B, H, W, U = (sequence(name) for name in "ABHWU")
c = u / (1 - N * u)


def always(relation: Formula) -> Formula:
    return for_all(t, relation)


def sized(x: Symbol, X: Symbol | Term) -> Formula:
    return always(absolute_le(x(t + 1), X(t + 1) if isinstance(X, Symbol) else X))


nonnegative_sizes = {
    "gate_bound": always(Le(term(0), A(t + 1))),
    "input_bound": always(Le(term(0), B(t + 1))),
    "start_bound": Le(term(0), H(0)),
    "H_recurrence": always(Eq(H(t + 1), A(t + 1) * H(t) + B(t + 1))),
}
distances = {
    "W_start": Eq(W(0), term(0)),
    "W_recurrence": always(Eq(W(t + 1), A(t + 1) * (W(t) + H(t)))),
}


@proves(
    absolute_le(g(T) - h(T), c * (p * W(T) + q * H(T)) + U(T)),
    {
        "recurrence": always(Eq(h(t + 1), a(t + 1) * h(t) + b(t + 1))),
        "computed": always(
            Eq(g(t + 1), a(t + 1) * g(t) * (1 + alpha(t + 1)) + b(t + 1) * (1 + beta(t + 1)) + eps(t + 1))
        ),
        "same_start": Eq(g(0), h(0)),
        "gate_size": sized(a, A),
        "input_size": sized(b, B),
        "start_size": absolute_le(h(0), H(0)),
        "gate_rounding": sized(alpha, P),
        "input_rounding": sized(beta, Q),
        "underflow": sized(eps, eta),
        **nonnegative_sizes,
        **distances,
        "U_start": Eq(U(0), term(0)),
        "U_recurrence": always(Eq(U(t + 1), (1 + P) * A(t + 1) * U(t) + eta)),
        "u_nonnegative": Le(term(0), u),
        "P_nonnegative": Le(term(0), P),
        "eta_nonnegative": Le(term(0), eta),
        "P_is_p_roundings": Le((1 - p * u) * (1 + P), term(1)),
        "Q_is_q_roundings": Le(Q * (1 - N * u), q * u),
        "N_small": Lt(term(0), 1 - N * u),
        "N_enough": always(Le(A(t + 1) * (p * W(t)), A(t + 1) * ((N - p - q) * H(t)))),
    },
)
def chain() -> Fact:
    """With e_t = g_t - h_t, e_{t+1} = a (1 + α) e_t + α a h_t + β b + ε. The bound at t, put in here, falls short of
    that at t + 1 by A [Y K + p c (H K + (1 + P) u D)] + (c q - Q) B, in which every factor is not negative:
    Y = H + c (p W + q H), K = 1 - (1 - p u)(1 + P), D = (N - p - q) H - p W."""
    statement = absolute_le(g(t) - h(t), error_bound(t))
    error = Bounded.of(assume(statement))
    state = exact_states_are_bounded()
    gate, new = Bounded.of(at_t("gate_size")), Bounded.of(at_t("input_size"))
    on_gate, on_input = Bounded.of(at_t("gate_rounding")), Bounded.of(at_t("input_rounding"))
    found = gate * error + on_gate * gate * error + on_gate * gate * state + on_input * new
    found = found + Bounded.of(at_t("underflow"))

    H_sign, W_sign, U_sign = sizes_of_the_chain()
    signs = [at_t(name) for name in ("gate_bound", "input_bound", "u_nonnegative", "P_nonnegative", "N_small")]
    signs += [H_sign, W_sign, U_sign, *(at_t(f) for f in ("P_is_p_roundings", "Q_is_q_roundings", "N_enough"))]
    Y_t = H(t) + c * (p * W(t) + q * H(t))
    K = term(1) - (1 - p * u) * (1 + P)
    AD = A(t + 1) * ((N - p - q) * H(t)) - A(t + 1) * (p * W(t))
    slack = [
        A(t + 1) * (Y_t * K + p * c * (H(t) * K)),
        p * c * ((1 + P) * u * AD),
        (q * u - Q * (1 - N * u)) / (1 - N * u) * B(t + 1),
    ]
    one_step = [at_t(name) for name in ("computed", "recurrence", "W_recurrence", "U_recurrence", "H_recurrence")]
    new_error, new_bound = g(t + 1) - h(t + 1), error_bound(t + 1)
    for equation in (cast(Eq, fact.conclusion) for fact in one_step):
        new_error, new_bound = (replace(x, equation.lhs, equation.rhs) for x in (new_error, new_bound))
    facts = [*found.facts, *signs, apart(given["N_small"])]
    upper = at_most(new_error, new_bound, [found.gaps[0], *slack], *facts)
    lower = at_most(-new_bound, new_error, [found.gaps[1], *slack], *facts)
    step = conjunction(lower, upper)
    for fact in one_step:
        step = rewrite(step, backwards(fact))
    every = instantiate(induction(statement, t, prove_start(), step), {"t": T})
    return settle(every, apart(given["N_small"]))


given = {name: assume(formula) for name, formula in chain.hypotheses.items()}


def at_t(name: str) -> Fact:
    """A hypothesis of the chain at step t."""
    fact = given[name]
    return specialise(fact, t) if isinstance(fact.conclusion, ForAll) else fact


def never_negative(family: Symbol, start: Fact, recurrence: str, *using: Fact) -> Fact:
    """0 <= family_t for every t: its recurrence adds and multiplies what is not negative."""
    statement = Le(term(0), family(t))
    step = cast(Eq, at_t(recurrence).conclusion).rhs
    grown = at_most(term(0), step, [step], assume(statement), *using)
    return induction(statement, t, start, rewrite(grown, backwards(at_t(recurrence))))


def zero_start(name: str) -> Fact:
    """0 <= x from x = 0."""
    nought = term(1) * term(0)
    x = cast(Eq, given[name].conclusion).lhs
    return rewrite(squares(term(0), nought, nought), equal(nought, x, given[name]))


def sizes_of_the_chain() -> tuple[Fact, Fact, Fact]:
    """H_t, W_t and U_t are not negative."""
    bounds = at_t("gate_bound"), at_t("input_bound")
    H_sign = never_negative(H, given["start_bound"], "H_recurrence", *bounds)
    W_sign = never_negative(W, zero_start("W_start"), "W_recurrence", H_sign, *bounds)
    signs = given["P_nonnegative"], given["eta_nonnegative"]
    return H_sign, W_sign, never_negative(U, zero_start("U_start"), "U_recurrence", *bounds, *signs)


def exact_states_are_bounded() -> Bounded:
    """|h_t| <= H_t."""
    statement = absolute_le(h(t), H(t))
    now = Bounded.of(assume(statement))
    grown = Bounded.of(at_t("gate_size")) * now + Bounded.of(at_t("input_size"))
    step = conjunction(*grown.facts)
    for name in ("recurrence", "H_recurrence"):
        step = rewrite(step, backwards(at_t(name)))
    return Bounded.of(induction(statement, t, given["start_size"], step))


def error_bound(t: Index) -> Term:
    return c * (p * W(t) + q * H(t)) + U(t)


def prove_start() -> Fact:
    """At t = 0 there is no error yet, and no term of the bound is negative."""
    bound = error_bound(index(0))
    facts = [given[name] for name in ("start_bound", "u_nonnegative", "N_small")]
    facts += [apart(given["N_small"]), zero_start("W_start"), zero_start("U_start")]
    start = h(0) * 1
    both = conjunction(at_most(-bound, start - h(0), [bound], *facts), at_most(start - h(0), bound, [bound], *facts))
    return rewrite(both, equal(start, g(0), given["same_start"]))


@proves(Le(W(T), Nat(T) * H(T)), {**nonnegative_sizes, **distances})
def distance() -> Fact:
    """(t + 1) H_{t+1} - W_{t+1} = A (t H_t - W_t) + (t + 1) B: no term of H_t is older than t steps."""
    statement = Le(W(t), Nat(t) * H(t))
    one_step = [at_t("W_recurrence"), at_t("H_recurrence")]
    lhs, rhs = W(t + 1), Nat(t + 1) * H(t + 1)
    for equation in (cast(Eq, fact.conclusion) for fact in one_step):
        lhs, rhs = (replace(x, equation.lhs, equation.rhs) for x in (lhs, rhs))
    gap = [A(t + 1) * (Nat(t) * H(t) - W(t)), Nat(t + 1) * B(t + 1)]
    step = at_most(lhs, rhs, gap, assume(statement), at_t("gate_bound"), at_t("input_bound"))
    for fact in one_step:
        step = rewrite(step, backwards(fact))
    nought = term(1) * term(0)
    base = at_most(nought, Nat(index(0)) * H(0), [term(0)])
    base = rewrite(base, equal(nought, W(0), given["W_start"]))
    return instantiate(induction(statement, t, base, step), {"t": T})


def run_bound(gates: Sequence[Any], inputs: Sequence[Any], start: Any, u: Any, eta: Any, p: int, q: int) -> list[Any]:
    """The bound of `chain` after each step, run exactly, with N = p T + q and 1 + P = 1/(1 - p u)."""
    c = u / (1 - (p * len(gates) + q) * u)
    H, W, U = abs(start), 0 * start, 0 * start
    bounds = []
    for a_t, b_t in zip(gates, inputs, strict=True):
        U = abs(a_t) * U / (1 - p * u) + eta
        W, H = abs(a_t) * (W + H), abs(a_t) * H + abs(b_t)
        bounds.append(c * (p * W + q * H) + U)
    return bounds


# ----------------------------------------------------------------- any order: counting roundings, node by node
k = size("k")
w = sequence("w")  # w_t = v a_t for gates of one sign: a gate with the rounding that its product costs
b_i = sequence("b")
v, V = 1 + u, scalar("V")  # V = v^q: what the deepest term of a part has collected


def gates(lo: Index, hi: Index) -> Term:
    return product_of(i, lo, hi, w(i))


def inputs(lo: Index, hi: Index) -> Term:
    """sum over i of b_i times the gates after it, each with its rounding: (t - i) roundings."""
    return summation(i, lo, hi, gates(i + 1, hi) @ b_i(i))


early = (s + 1, s + size("p"))
late = (s + size("p") + 1, s + size("p") + r)
whole = (s + 1, s + size("p") + r)


@proves(
    And(
        (
            Eq(v * ((gates(*late) / v) * (gates(*early) / v)), gates(*whole) / v),
            Eq(v * (v * ((gates(*late) / v) * (V * inputs(*early))) + V * inputs(*late)), (v * V) * inputs(*whole)),
        )
    ),
    {"u_nonnegative": Le(term(0), u)},
)
def node() -> Fact:
    """One node of any tree: its gate collects one rounding fewer than it has factors; what has collected V on either
    side has collected v V, beside one for each step of its distance. So by induction over the tree (by hand: the kernel
    knows no trees) the term of b_j in h_t collects (t - j) + depth(j) roundings, whatever the order."""
    scalars = {Symbol("A", size("n"), size("n"), 1): w, Symbol("B", size("n"), size("m"), 1): b_i}
    fact = instantiate(any_order.fact, {"n": ONE, "m": ONE})
    fact = instantiate(fact, families={Symbol(f.name, ONE, ONE, 1): family((k,), new(k)) for f, new in scalars.items()})
    gates_join, inputs_join = component(fact, 4), component(fact, 5)
    parts = cast(Sequence[Eq], cast(And, node.conclusion).parts)
    defined = apart(squares(term(0), v, v, [Le(term(0), u)], strict=True))
    joined = (equal(parts[0].lhs, parts[0].rhs, gates_join), equal(parts[1].lhs, parts[1].rhs, inputs_join))
    return conjunction(*(settle(j, defined) for j in joined))


@proves(Le((1 - Nat(T) * u) * product_of(i, 1, T, 1 + u), term(1)), {"u_nonnegative": Le(term(0), u)})
def gamma() -> Fact:
    """(1 - T u)(1 + u)^T <= 1, so (1 + u)^T - 1 <= T u / (1 - T u): a factor more lowers it by (T + 1) u² (1 + u)^T."""

    def value(t: Index, power: Term) -> Term:
        return (1 - Nat(t) * u) * power

    statement = Le(value(t, product_of(i, 1, t, 1 + u)), term(1))
    now, after = product_of(i, 1, t, 1 + u), product_of(i, 1, t + 1, 1 + u)
    grown = unfold(after)
    new = cast(Eq, grown.conclusion).rhs
    gap = [1 - value(t, now), Nat(t + 1) * (u * u) * now]
    step = at_most(value(t + 1, new), term(1), gap, assume(statement), given["u_nonnegative"])
    nothing = product_of(i, 1, 0, 1 + u)
    base = rewrite(
        at_most(value(index(0), term(1)), term(1), [term(0)]),
        equal(value(index(0), term(1)), value(index(0), nothing), empty(nothing)),
    )
    return instantiate(induction(statement, t, base, rewrite(step, backwards(grown))), {"t": T})


# ------------------------------------------------------------------------------------ the delta rule's one step
error, key = vector("e", n), vector("k", n)
strength = scalar("r")
moved = error - strength * (key.T @ error) * key


@proves(
    Le(moved.T @ moved, error.T @ error),
    {
        "strength_nonnegative": Le(term(0), strength),
        "strength_at_most_two": Le(strength * (key.T @ key), term(2)),
    },
)
def delta_step() -> Fact:
    """|e|² - |(I - r k k') e|² = r (2 - r k'k) (k'e)²: an old error does not grow while 0 <= r k'k <= 2."""
    gap = strength * (2 - strength * (key.T @ key)) * ((key.T @ error) * (key.T @ error))
    facts = [assume(hypothesis) for hypothesis in delta_step.hypotheses.values()]
    return at_most(moved.T @ moved, error.T @ error, [gap], *facts)


x_, D, Dc, kappa = scalar("x"), scalar("D"), scalar("D̂"), scalar("κ")


@proves(
    absolute_le(x_ * (1 + d) / Dc - x_ / D, ((1 + u) / (1 - kappa) - 1) * (x_ / D)),
    {
        "x_nonnegative": Le(term(0), x_),
        "D_positive": Lt(term(0), D),
        "D_error": absolute_le(Dc - D, kappa * D),
        "kappa_small": Lt(kappa, term(1)),
        "kappa_nonnegative": Le(term(0), kappa),
        "rounding": absolute_le(d, u),
    },
)
def quotient() -> Fact:
    """With D̂ >= (1 - κ) D, and D̂ <= (1 + κ) D, both sides are x/(D D̂ (1 - κ)) times sums of what is not negative."""
    facts = {name: assume(formula) for name, formula in quotient.hypotheses.items()}
    close, small = Bounded.of(facts["D_error"]), Bounded.of(facts["rounding"])
    low, high = close.gaps[1], close.gaps[0]  # D̂ - (1 - κ) D and (1 + κ) D - D̂
    scale = x_ / (D * Dc * (1 - kappa))
    least = Add(((1 - kappa) * D, low))
    known = [facts["D_positive"].conclusion, facts["kappa_small"].conclusion, close.below.conclusion]
    Dc_positive = settle(squares(term(0), Dc, least, known, strict=True), close.below)
    positive = [facts["D_positive"], Dc_positive, facts["kappa_small"]]
    all_of_it = D * Dc * (1 - kappa)
    all_positive = settle(
        squares(term(0), all_of_it, all_of_it, [f.conclusion for f in positive], strict=True), *positive
    )
    defined = [apart(f) for f in (facts["D_positive"], Dc_positive, positive_gap(facts["kappa_small"]), all_positive)]
    signs = [
        *positive,
        facts["x_nonnegative"],
        facts["kappa_nonnegative"],
        *close.facts,
        *small.facts,
    ]
    below, above = (cast(Le, part) for part in cast(And, quotient.conclusion).parts)
    upper = [scale * ((1 + u) * low), scale * ((1 - kappa) * D * small.gaps[0])]
    lower = [
        scale * ((1 - kappa) * high),
        scale * ((kappa + u) * low),
        scale * ((1 - kappa) * D * small.gaps[1]),
    ]
    u_sign = at_most(term(0), u, [term(1) / 2 * small.gaps[0], term(1) / 2 * small.gaps[1]], *small.facts)
    proved = conjunction(
        at_most(below.lhs, below.rhs, lower, *signs, u_sign, *defined),
        at_most(above.lhs, above.rhs, upper, *signs, u_sign, *defined),
    )
    return settle(proved, *defined)


if __name__ == "__main__":
    main(__doc__)
