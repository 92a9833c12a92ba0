"""GD-SSM (arXiv 2410.11687), continued: gradient descent that starts at weights other than zero.

What was read: see `proofs/gd_ssm/one_step.py`, whose letters these are.

| symbol | shape | meaning |
| --- | --- | --- |
| W_0 | (f, f) | the weights from which the step is taken |
| Z_t, V_t | (f, f) | two accumulators: Z collects x y', V collects x x' |
| w, d | (3, 3), (3,) | any mixing and any picking of a window, by entries |
| C, D | (f, f) | any read-out, and any skip from the query |
| p, r | (f,) | two unit vectors across each other |
| α, β | scalars | w_11 d_3 + w_31 d_1 + w_13 d_1 and w_12 d_3 + w_32 d_1 |

The question is for which W_0 a layer can give W_1 x_q, W_1 one step from W_0: by the construction (zero only), by two
heads (every W_0), by one head (multiples of the identity, and no other).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

from flint import fmpq

from proofs.derivation import main, proves
from proofs.gd_ssm.one_step import (
    W0,
    T,
    V,
    Weights,
    Z,
    collects,
    column,
    f,
    from_tokens,
    gamma,
    gate,
    i,
    memory,
    modulo,
    not_empty,
    one,
    one_step,
    output,
    query,
    rate,
    rational,
    recurrence,
    scatter,
    slope_from_tokens,
    step,
    t,
    target_gate,
    tokens,
    x,
)
from proofs.kernel import (
    Fact,
    Refuted,
    Table,
    assume,
    congruence,
    conjunction,
    identity,
    instantiate,
    linear,
    refute,
    rewrite,
)
from proofs.tactics.equations import equal
from proofs.terms import (
    And,
    Eq,
    Formula,
    Identity,
    Mul,
    Nonzero,
    Sum,
    Symbol,
    Term,
    add,
    matrix,
    scalar,
    sequence,
    substitute,
    summation,
    term,
    vector,
    walk,
)

W, c = matrix("W₀", f, f), scalar("c")
step_from_W = from_tokens(step(W0, T))
input_gate: Weights = {(1, 1): one}  # e_1 e_1'
both_states = {**not_empty, **recurrence(Z, gate(target_gate, t)), **recurrence(V, gate(input_gate, t))}


@proves(Eq(-output, step_from_W @ query), one_step.hypotheses)
def nonzero_start() -> Refuted:
    """One pair that W_0 = 1 fits: a step of any rate changes nothing, so 1 is to come out; the layer gives η = 2."""
    point = {
        "f": 1,
        "N": 1,
        "T": 1,
        "η": fmpq(2),
        "W₀": column(1),
        "u": Table({(place,): column(1) for place in (1, 2, 3)}, column(0)),
        "Z": Table({(0,): column(0)}, column(1)),
    }
    return refute(nonzero_start.sequent, point)


second_term = rate * (W @ V(T).T @ query)


@proves(Eq(W @ query + rate * (Z(T).T @ query) - second_term, step_from_W @ query), both_states)
def nonzero_start_two_accumulators() -> Fact:
    """Z_T' = M_T and V_T' = S_T, each by induction; the step from W_0 is W_0 - γ (W_0 S_T - M_T)."""
    goal = cast(Eq, nonzero_start_two_accumulators.conclusion)
    states = [
        collects(Z, gate(target_gate, t), lambda T: from_tokens(memory(T))),
        collects(V, gate(input_gate, t), lambda T: from_tokens(scatter(T))),
    ]
    return equal(goal.lhs, goal.rhs, *states, slope_from_tokens(W0))


scalar_gate: Weights = {(1, 2): one, (1, 1): -c}  # e_1 (e_2 - c e_1)'


@proves(
    Eq(c * query - output, substitute(step_from_W, families={Symbol("W₀", f, f): c * Identity(f)}) @ query),
    {**not_empty, **recurrence(Z, gate(scalar_gate, t))},
)
def nonzero_start_scalar() -> Fact:
    """With W_0 = c I the residual W_0 x - y is a mixture c x - y of the tokens of the window itself."""
    W, y_f = c * Identity(f), sequence("y", f)
    written = y_f(i) @ x(i).T - c * (x(i) @ x(i).T)
    error = (W @ x(i) - y_f(i)) @ x(i).T
    each = congruence(equal(one * error, Mul((term(-1), written))), Sum, i, 1, T)
    slope = instantiate(rewrite(each, linear(i, 1, T, term(-1), written)), families=tokens)
    state = collects(Z, gate(scalar_gate, t), lambda T: from_tokens(summation(i, 1, T, written)))
    goal = cast(Eq, nonzero_start_scalar.conclusion)
    return equal(goal.lhs, goal.rhs, state, slope)


w, pick, skip, C_any = sequence("w", arity=2), sequence("d"), matrix("D", f, f), matrix("C", f, f)
p, r = vector("p", f), vector("r", f)


def head(x: Term | None, y: Term | None, q: Term) -> Term:
    """One head on one pair and a query, with any window mixing w, any picking d, any C, any skip D; None is zero."""
    window = {a: token for a, token in enumerate((x, y, q), 1) if token}
    state = add(*(add(*(w(a, b) * window[a] for a in window)) @ window[b].T for b in window))
    picked = add(*(pick(a) * window[a] for a in window))
    return C_any @ state.T @ picked + skip @ q


def wanted(x: Term | None, y: Term | None, q: Term) -> Term:
    """One step from W_0 on that pair, at the query."""
    if not x:
        return W @ q
    error = W @ x - y if y else W @ x
    return (W - gamma * (error @ x.T)) @ q


signs = "+-"
of_p: dict[str, Term | None] = {"+": p, "-": -p, "0": None}
of_r: dict[str, Term] = {"+": r, "-": -r}
read_target = {(a, b): (of_r[a], p, of_r[b]) for a in signs for b in signs}
read_start = {(a, b): (x_1, None, cast(Term, of_p[b])) for a, x_1 in of_p.items() for b in signs}
plane = {"p_unit": Eq(p.T @ p, one), "r_unit": Eq(r.T @ r, one), "p_across_r": Eq(p.T @ r, term(0))}
agreement: dict[str, Formula] = {
    **{f"agrees_with_target_{a}r_p_{b}r": Eq(head(*v), wanted(*v)) for (a, b), v in read_target.items()},
    **{f"agrees_without_target_{a}p_{b}p": Eq(head(*v), wanted(*v)) for (a, b), v in read_start.items()},
}
weight_of_target = w(1, 2) * pick(3) + w(3, 2) * pick(1)
weight_of_input = w(1, 1) * pick(3) + w(3, 1) * pick(1) + w(1, 3) * pick(1)


@proves(
    And(
        (
            Eq(gamma * p, weight_of_target * (C_any @ p)),
            Eq(weight_of_target * (W @ p), -weight_of_input * p),
        )
    ),
    {**plane, "rate_not_zero": Nonzero(gamma), **agreement},
    witness={
        "f": 2,
        "p": column(1, 0),
        "r": column(0, 1),
        "γ": fmpq(1),
        "W₀": rational([[2, 0], [0, 2]]),
        "C": rational([[1, 0], [0, 1]]),
        "D": rational([[2, 0], [0, 2]]),
        "w": Table({(1, 1): fmpq(-2), (1, 2): fmpq(1)}, fmpq(0)),
        "d": Table({(3,): fmpq(1)}, fmpq(0)),
    },
)
def nonzero_start_one_head() -> Fact:
    """Where the head agrees, so do combinations over signs. What is odd in x_1 and odd in q, at y = p across
    x_1 = q = r, is the target's term: γ p = β C p. What is even in x_1 and odd in q, less what is there without x_1,
    is the start's: -γ W_0 p = α C p. So W_0 p = -(α/β) p for every unit p: W_0 is a multiple of the identity."""
    quarter, half = Fraction(1, 4), Fraction(1, 2)
    odd = {(a, b): quarter if a == b else -quarter for a in signs for b in signs}
    even = {(a, b): quarter if b == "+" else -quarter for a in signs for b in signs}
    even |= {("0", "+"): -half, ("0", "-"): half}
    others = w(2, 1) * pick(3) + w(3, 1) * pick(2) + w(1, 3) * pick(2) + w(2, 3) * pick(1)
    across = others * (p.T @ r) * (C_any @ r)
    target = combination(read_target, odd, weight_of_target * (r.T @ r) * (C_any @ p) + across, gamma * (r.T @ r) * p)
    target = restate(target, gamma * p, weight_of_target * (C_any @ p))
    norm = p.T @ p
    start = combination(read_start, even, weight_of_input * norm * (C_any @ p), -gamma * norm * (W @ p))
    start = restate(start, -gamma * (W @ p), weight_of_input * (C_any @ p))
    share = weight_of_input / gamma
    solved = rewrite(equal(W @ p, -one / gamma * (-gamma * (W @ p))), start)
    scaled = modulo(weight_of_target * (W @ p), -share * (weight_of_target * (C_any @ p)), solved)
    turned = rewrite(rewrite(identity(gamma * p, p * gamma), target), identity(p * gamma, gamma * p))
    scaled = rewrite(scaled, turned)
    return conjunction(target, rewrite(scaled, identity(cast(Eq, scaled.conclusion).rhs, -weight_of_input * p)))


def combination(inputs: dict[Any, Any], factors: dict[Any, Fraction], head_is: Term, target_is: Term) -> Fact:
    """target_is = head_is, from the agreements: the two sides of one combination of them, in which p and r still
    stand in p'p, r'r and p'r."""

    def total(of: Callable[..., Term]) -> Term:
        return add(*(factor * of(*inputs[place]) for place, factor in factors.items()))

    left, right = identity(total(head), head_is), identity(target_is, total(wanted))
    for place in factors:
        left = rewrite(left, assume(Eq(head(*inputs[place]), wanted(*inputs[place]))))
    both = rewrite(right, left)
    for equation in plane.values():
        if equation.lhs in walk(both.conclusion):
            both = rewrite(both, assume(equation))
    return both


def restate(fact: Fact, lhs: Term, rhs: Term) -> Fact:
    """The same equation, its sides written otherwise."""
    equation = cast(Eq, fact.conclusion)
    return rewrite(rewrite(identity(lhs, equation.lhs), fact), identity(equation.rhs, rhs))


if __name__ == "__main__":
    main(__doc__)
