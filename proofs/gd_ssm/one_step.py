"""GD-SSM: State-space models can learn in-context by gradient descent (arXiv 2410.11687).

What was read: the abstracts of v1, v2 and v3, the public reviews of v1, and the authors' code (repository
Efficient-Scalable-Machine-Learning/gd-ssm, branches master and constructed-token), from which the weights below are
taken. The body of the paper was not at hand, so no theorem number or wording of it is quoted.

| symbol | shape | meaning |
| --- | --- | --- |
| f, m | sizes | of an input and of a target; the released layer has m = f |
| N, T, K | lengths | pairs in the context; pairs seen so far, a prefix; steps of gradient descent |
| x_i, y_i, q | (f,), (m,), (f,) | input and target of pair i; a query |
| u_s | (f,) | the tokens x_1, y_1, x_2, y_2, ..., the query last: x_i = u_{2i-1} and y_i = u_{2i} |
| η, γ | scalars | learning rate of the mean loss; γ = η/N, that of the sum |
| ω_i | scalar | weight of pair i in the loss |
| L(W) | scalar | (1/2) sum over i of ω_i ‖W x_i - y_i‖² / N |
| Z_t, V_t | matrices | states: Z collects products of tokens; V, where there is a second one, x x' |

A window is three tokens, the windows of successive pairs begin two tokens apart: x_t, y_t, x_{t+1}. With the mixing
e_1 e_2' of a window its gate is x_t y_t', and its query, picked by e_3, is x_{t+1}. The state's transpose is read.

Departures. The recurrence runs with decay 1, which the released discretisation exp(ΛΔ), Λ < 0, reaches only in the
limit. C is -(η/N) I; the code divides by the state size instead of by N (they are equal in its experiments). A step
on a prefix of the context keeps the factor 1/N of the whole context: see `gd_ssm.prefix_normalisation`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from flint import fmpq

from proofs.derivation import main, proves
from proofs.kernel import (
    Fact,
    Refuted,
    Table,
    additive,
    assume,
    congruence,
    discharge,
    empty,
    identity,
    induction,
    instantiate,
    linear,
    refute,
    rewrite,
    single,
    specialise,
    split,
    words,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import backwards, settle
from proofs.terms import (
    ONE,
    Add,
    Eq,
    Formula,
    Identity,
    Index,
    Mul,
    Nat,
    Nonzero,
    Sum,
    Symbol,
    Term,
    Zero,
    add,
    family,
    for_all,
    index,
    matrix,
    product,
    scalar,
    sequence,
    size,
    substitute,
    summation,
    term,
    vector,
)

f, m, i, l, t, s, k, N, T, K = (size(name) for name in ("f", "m", "i", "l", "t", "s", "k", "N", "T", "K"))
x, y = sequence("x", f), sequence("y", m)
omega, eta, gamma = sequence("ω"), scalar("η"), scalar("γ")
rate = eta / Nat(N)
not_empty = {"context_not_empty": Nonzero(Nat(N))}
unweighted = term(1)


def rational(entries: Any) -> Any:
    """An array of integers as one of rationals."""
    return np.vectorize(lambda v: fmpq(int(v)), otypes=[object])(entries)


def column(*values: int) -> Any:
    """A column of rationals."""
    return rational(np.array(values).reshape(-1, 1))


# --------------------------------------------------------------------------------- the loss and its gradient
def residual(W: Term | None, i: Index) -> Term:
    """W x_i - y_i; None stands for the zero matrix."""
    return W @ x(i) - y(i) if W else -y(i)


def loss(W: Term, T: Index = N) -> Term:
    """(1/2) sum over i <= T of ω_i ‖W x_i - y_i‖² / N."""
    return term(1) / 2 * (summation(i, 1, T, omega(i) * (residual(W, i).T @ residual(W, i))) / Nat(N))


def slope(W: Term | None, T: Index, weight: Term = unweighted) -> Term:
    """sum over i <= T of ω_i (W x_i - y_i) x_i': N times the gradient of the loss."""
    return summation(i, 1, T, weight * (residual(W, i) @ x(i).T))


def step(W: Term | None, T: Index, rate: Term = rate, weight: Term = unweighted) -> Term:
    """One step of gradient descent from W, on the pairs up to T."""
    change = rate * slope(W, T, weight)
    return W - change if W else -change


W0 = matrix("W₀", m, f)
a, b = vector("a", m), vector("b", f)
curvature = summation(i, 1, T, omega(i) * ((b.T @ x(i)) * (b.T @ x(i))))


@proves(
    Eq(
        loss(W0 + a @ b.T, T),
        loss(W0, T) + a.T @ (slope(W0, T, omega(i)) / Nat(N)) @ b + term(1) / 2 * (a.T @ a) * (curvature / Nat(N)),
    ),
    not_empty,
)
def gradient() -> Fact:
    """Pair by pair, ‖W x + a (b'x) - y‖² is expanded; what is linear in the entries of a and in those of b is the
    gradient. With unit vectors a and b, and ε a for a, this is every partial derivative."""
    square = residual(W0, i).T @ residual(W0, i)
    moved = residual(W0 + a @ b.T, i)
    crossed = weighted = omega(i) * (residual(W0, i) @ x(i).T)
    bent = omega(i) * ((b.T @ x(i)) * (b.T @ x(i)))
    parts = [omega(i) * square, Mul((2 * a.T, crossed, b)), Mul((a.T @ a, bent))]
    each = equal(omega(i) * (moved.T @ moved), Add(tuple(parts)))
    summed = rewrite(congruence(each, Sum, i, 1, T), additive(i, 1, T, parts))
    summed = rewrite(summed, linear(i, 1, T, 2 * a.T, weighted, b))
    summed = rewrite(summed, linear(i, 1, T, a.T @ a, bent))
    goal = cast(Eq, gradient.conclusion)
    return equal(goal.lhs, goal.rhs, summed)


def scatter(T: Index, weight: Term = unweighted) -> Term:
    """S_T = sum of ω_i x_i x_i'."""
    return summation(i, 1, T, weight * (x(i) @ x(i).T))


def memory(T: Index, weight: Term = unweighted) -> Term:
    """M_T = sum of ω_i y_i x_i'."""
    return summation(i, 1, T, weight * (y(i) @ x(i).T))


def slope_is(W: Term | None, T: Index, weight: Term = unweighted) -> Fact:
    """The slope is W S_T - M_T."""
    square, cross = weight * (x(i) @ x(i).T), weight * (y(i) @ x(i).T)
    away = Mul((term(-1), cross))
    parts = [Mul((W, square)), away] if W else [away]
    each = equal(weight * (residual(W, i) @ x(i).T), add(*parts))
    fact = congruence(each, Sum, i, 1, T)
    if W:
        fact = rewrite(rewrite(fact, additive(i, 1, T, parts)), linear(i, 1, T, W, square))
    return rewrite(fact, linear(i, 1, T, term(-1), cross))


# ------------------------------------------------------------ one step, from raw tokens: the released construction
u, Z, V = sequence("u", f), sequence("Z", f, f), sequence("V", f, f)
tokens: dict[Symbol, Any] = {
    Symbol("x", f, index(1), 1): family((i,), u(2 * i - 1)),
    Symbol("y", f, index(1), 1): family((i,), u(2 * i)),
}
Weights = dict[tuple[int, ...], Term]
one = term(1)


def mixed(weights: Weights, member: Callable[..., Term]) -> Term:
    """The sum of weight times member, over the places where there is a weight."""
    return add(*(member(*place) if w == one else w * member(*place) for place, w in weights.items()))


def gate(mixing: Weights, t: Index) -> Term:
    """X' Q X for the window X of pair t + 1, whose rows are u_{2t+1}, u_{2t+2}, u_{2t+3}; Q by its entries not 0."""
    return mixed(mixing, lambda a, b: u(2 * t + a) @ u(2 * t + b).T)


def recurrence(Z: Symbol, write: Term) -> dict[str, Formula]:
    """Z_0 = 0 and Z_{t+1} = Z_t + (what is written at t)."""
    state = Z.name
    return {
        f"{state}_starts_empty": Eq(Z(0), Zero(Z.rows, Z.columns)),
        f"{state}_recurrence": for_all(t, Eq(Z(t + 1), Z(t) + write)),
    }


def from_tokens(statement: Any) -> Any:
    """The statement for x_i = u_{2i-1} and y_i = u_{2i}."""
    return substitute(substitute(statement, {"m": f}), families=tokens)


query = u(2 * T + 1)  # the third token of window T
target_gate: Weights = {(1, 2): one}  # e_1 e_2'
C = -rate * Identity(f)
output = C @ Z(T).T @ query
from_zero = from_tokens(step(None, T)) @ query


@proves(Eq(-output, from_zero), {**not_empty, **recurrence(Z, gate(target_gate, t))})
def one_step() -> Fact:
    """Z_T' = M_T by induction on T; and one step from 0 is (η/N) M_T, for the slope at 0 is -M_T."""
    goal = cast(Eq, one_step.conclusion)
    state = collects(Z, gate(target_gate, t), lambda T: from_tokens(memory(T)))
    slope = slope_from_tokens(None)
    return equal(goal.lhs, goal.rhs, state, slope)


def collects(Z: Symbol, write: Term, total: Callable[[Index], Term]) -> Fact:
    """Z_T' = total(T), a sum over the pairs up to T, whose last member is the transpose of what is written then."""
    start, recurs = (assume(h) for h in recurrence(Z, write).values())
    statement = Eq(Z(t).T, total(t))
    base = transposed(start, total(index(0)), empty(total(index(0))))
    grown = unfold(total(t + 1))
    now = transposed(specialise(recurs, t), Z(t).T + cast(Add, cast(Eq, grown.conclusion).rhs).terms[1])
    step = equal(Z(t + 1).T, total(t + 1), now, assume(statement), grown)
    return instantiate(induction(statement, t, base, step), {"t": T})


def transposed(fact: Fact, rhs: Term, *by: Fact) -> Fact:
    """x' = rhs from x = y, where rhs is y' modulo the equations `by`."""
    equation = cast(Eq, fact.conclusion)
    return rewrite(equal(equation.rhs.T, rhs, *by), backwards(fact))


def slope_from_tokens(W: Term | None) -> Fact:
    """The slope, for the pairs that the tokens hold."""
    return instantiate(instantiate(slope_is(W, T), {"m": f}), families=tokens)


# -------------------------------------------------- one step, from constructed tokens: the released scalar version
yx, q_next = sequence("y"), x(T + 2)
z, c_token = sequence("z", f), sequence("s", 2 * f)
B, D = matrix("B", f, 2 * f), matrix("D", f, 2 * f)
halves = {
    "B_is_a_half": Eq(B @ B.T, Identity(f)),
    "D_is_a_half": Eq(D @ D.T, Identity(f)),
    "halves_apart": Eq(B @ D.T, Zero(f, f)),
    "apart_halves": Eq(D @ B.T, Zero(f, f)),
    "tokens": for_all(t, Eq(c_token(t + 1), B.T @ (yx(t + 1) * x(t + 1)) + D.T @ x(t + 2))),
}
one_target = substitute(step(None, T + 1), {"m": ONE})
constructed_prediction = -(z(T + 1).T @ D @ c_token(T + 1))


@proves(
    Eq(constructed_prediction, one_target @ q_next),
    {**not_empty, **halves, **recurrence(z, -rate * (B @ c_token(t + 1)))},
)
def one_step_constructed_tokens() -> Fact:
    """B s_t = y_t x_t and D s_t = x_{t+1}, for B and D are the two halves of a token; so z_T' = -γ M_T."""
    goal = cast(Eq, one_step_constructed_tokens.conclusion)
    return modulo(goal.lhs, goal.rhs, *vector_state(), instantiate(slope_is(None, T + 1), {"m": ONE}))


def modulo(lhs: Term, rhs: Term, *by: Fact) -> Fact:
    """lhs = rhs by rewriting with proved equations between matrices; unlike `equal`, for scalars as well."""
    return discharge(words(lhs, rhs, [cast(Eq, fact.conclusion) for fact in by]), *by)


def vector_state() -> tuple[Fact, Fact]:
    """z_{T+1}' = -γ M_{T+1}, and D s_{T+1} = x_{T+2}."""
    given = {name: assume(h) for name, h in one_step_constructed_tokens.hypotheses.items()}
    total = substitute(memory(t), {"m": ONE})
    split_token = specialise(given["tokens"], t)
    inner = [given[name] for name in ("B_is_a_half", "halves_apart", "apart_halves", "D_is_a_half")]
    write = modulo(B @ c_token(t + 1), yx(t + 1) * x(t + 1), split_token, *inner)
    recurs = specialise(given["z_recurrence"], t)
    statement = Eq(z(t).T, -rate * total)
    base = transposed(given["z_starts_empty"], at(statement.rhs, 0), empty(at(total, 0)))
    now = transposed(rewrite(recurs, write), z(t).T - rate * (yx(t + 1) * x(t + 1).T))
    grown = modulo(z(t + 1).T, at(statement.rhs, t + 1), now, assume(statement), unfold(at(total, t + 1)))
    state = instantiate(induction(statement, t, base, grown), {"t": T + 1})
    read = modulo(D @ c_token(T + 1), q_next, instantiate(split_token, {"t": T}), *inner)
    return state, read


def at(x: Any, value: Index | int) -> Any:
    """x with t = value."""
    return substitute(x, {"t": index(value)})


# --------------------------------------------------------------------- what a prefix of the context is divided by


@proves(
    Eq(-output, from_tokens(step(None, T, eta / Nat(T))) @ query),
    {**one_step.hypotheses, "prefix_not_empty": Nonzero(Nat(T))},
)
def prefix_normalisation() -> Refuted:
    """One pair of two: the layer's step has the factor η/2, a step on the mean loss of what was seen has η."""
    point = {
        "f": 1,
        "N": 2,
        "T": 1,
        "η": fmpq(1),
        "u": Table({(place,): column(1) for place in (1, 2, 3)}, column(0)),
        "Z": Table({(0,): column(0)}, column(1)),
    }
    return refute(prefix_normalisation.sequent, point)


n = sequence("n")
averaging = {
    "Z_starts_empty": Eq(Z(0), Zero(f, f)),
    "count_starts_at_zero": Eq(n(0), term(0)),
    "count_not_zero": for_all(t, Nonzero(n(t + 1))),
    "Z_averages": for_all(t, Eq(Z(t + 1), (n(t) / n(t + 1)) * Z(t) + (omega(t + 1) / n(t + 1)) * gate(target_gate, t))),
}
last = u(2 * T + 3)


def mean_step(count: Term) -> Term:
    """The prediction after a step from zero on the weighted loss of the pairs up to T + 1, divided by the count."""
    return cast(Term, from_tokens(step(None, T + 1, eta / count, omega(i)))) @ last


@proves(Eq(eta * (Z(T + 1).T @ last), mean_step(n(T + 1))), averaging)
def prefix_mean() -> Fact:
    """n_t Z_t' = M_t by induction on t. With n_t = t and weights 1 the gate is (t-1)/t and the gain 1/t, which depend
    on the time alone, and the step is one on the mean loss of the pairs so far."""
    given = {name: assume(h) for name, h in averaging.items()}
    defined, recurs = (specialise(given[name], t) for name in ("count_not_zero", "Z_averages"))
    total = from_tokens(at_T(memory(T, omega(i)), t))
    new = cast(Eq, recurs.conclusion).rhs
    statement = Eq(n(t) * Z(t).T, total)
    grown = unfold(at(total, t + 1))
    member = cast(Add, cast(Eq, grown.conclusion).rhs).terms[1]
    now = settle(identity(n(t + 1) * new.T, n(t) * Z(t).T + member), defined)
    now = rewrite(rewrite(now, settle(backwards(recurs), defined)), assume(statement))
    now = rewrite(now, backwards(grown))
    nought = rewrite(identity(term(0) * Z(0).T, Zero(f, f)), backwards(given["count_starts_at_zero"]))
    base = rewrite(nought, backwards(empty(at(total, 0))))
    every = instantiate(induction(statement, t, base, now), {"t": T + 1})
    state, whole = Z(T + 1).T, n(T + 1)
    solved = rewrite(identity(state, one / whole * (whole * state)), every)
    slope = instantiate(slope_is(None, T + 1, omega(i)), {"m": f})
    slope = instantiate(slope, families=tokens)
    goal = cast(Eq, prefix_mean.conclusion)
    return settle(equal(goal.lhs, goal.rhs, solved, slope), specialise(given["count_not_zero"], T))


# ------------------------------------------------------------------------------------------------ gates below one
lam = sequence("λ")
kept = product(l, i + 1, T, lam(l))
decaying = {
    "Z_starts_empty": Eq(Z(0), Zero(f, f)),
    "Z_decays": for_all(t, Eq(Z(t + 1), lam(t + 1) * Z(t) + gate(target_gate, t))),
}


@proves(Eq(-output, from_tokens(step(None, T, weight=kept)) @ query), {**not_empty, **decaying})
def decay() -> Fact:
    """Z_T' = sum of ω_i y_i x_i' with ω_i = λ_T ... λ_{i+1}, by induction on T: one more gate in each product."""
    total = at_T(from_tokens(memory(T, kept)), t)
    statement = Eq(Z(t).T, total)
    after = at(total, t + 1)
    cut = split(after, t)
    member = from_tokens(y(t + 1) @ x(t + 1).T)
    newest = single(summation(i, t + 1, t + 1, from_tokens(product(l, i + 1, t + 1, lam(l)) * (y(i) @ x(i).T))))
    newest = rewrite(newest, empty(product(l, t + 2, t + 1, lam(l))))
    pair, before = from_tokens(y(i) @ x(i).T), product(l, i + 1, t, lam(l))
    longer = unfold(product(l, i + 1, t + 1, lam(l)))
    each = identity(cast(Eq, longer.conclusion).rhs * pair, Mul((lam(t + 1), before * pair)))
    each = congruence(rewrite(each, backwards(longer)), Sum, i, 1, t)
    older = rewrite(each, linear(i, 1, t, lam(t + 1), before * pair))
    recurs = specialise(assume(decaying["Z_decays"]), t)
    now = transposed(recurs, lam(t + 1) * Z(t).T + member)
    grown = equal(Z(t + 1).T, after, now, assume(statement), cut, newest, older)
    base = transposed(assume(decaying["Z_starts_empty"]), at(total, 0), empty(at(total, 0)))
    state = instantiate(induction(statement, t, base, grown), {"t": T})
    slope = instantiate(instantiate(slope_is(None, T, kept), {"m": f}), families=tokens)
    goal = cast(Eq, decay.conclusion)
    return equal(goal.lhs, goal.rhs, state, slope)


def at_T(x: Any, value: Index) -> Any:
    """x with T = value."""
    return substitute(x, {"T": value})


# ------------------------------------------------------------------------------- gradient descent, run exactly
def descend(x: Any, y: Any, W: Any, rate: Any, steps: int) -> Any:
    """W after so many steps on the sum of the losses: x (N, f), y (N, m), W (m, f), over any arithmetic."""
    for _ in range(steps):
        W = W - rate * ((W @ x.T - y.T) @ x)
    return W


if __name__ == "__main__":
    main(__doc__)
