"""GD-SSM (arXiv 2410.11687), continued: more than one step of gradient descent.

What was read: see `proofs/gd_ssm/one_step.py`; and the abstract of the authors' SNUFA 2025 poster, which says that the
framework "naturally extends to multi-step optimization by stacking layers", and that a single layer emulates "one step
of mini-batch GD".

| symbol | shape | meaning |
| --- | --- | --- |
| f, m | sizes | of an input and of a target |
| T, K | lengths | pairs seen so far, a prefix; steps, and layers |
| x_i, y_i, q | (f,), (m,), (f,) | input and target of pair i; the query |
| γ_k | scalar | rate of step k on the sum of the losses |
| W_k | (m, f) | weights after k steps from zero, each on all pairs up to T |
| S, M | (f, f), (m, f) | the sums of x_i x_i' and of y_i x_i' over the pairs up to T |
| v_k | (f,) | the query as layer k has rewritten it |
| X, Y, A_k | (f, T), (m, T), (m, T) | inputs and targets as columns; what step k weighs the inputs by |

The question is which stack of the one-step layers computes several steps at every prefix, as a causal layer must. What
other stacks do, the released one among them: `proofs/gd_ssm/stacks.py`. How many layers it takes:
`proofs/gd_ssm/degree.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from flint import fmpq

from proofs import recurrence
from proofs.derivation import main, proves
from proofs.gd_ssm.one_step import column, f, i, k, l, m, memory, modulo, rational, s, scatter, slope, slope_is, t, x, y
from proofs.kernel import (
    Fact,
    Refuted,
    assume,
    congruence,
    conjunction,
    discharge,
    empty,
    generalise,
    identity,
    induction,
    instantiate,
    linear,
    refute,
    rewrite,
    specialise,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import backwards
from proofs.terms import (
    ONE,
    And,
    Eq,
    Identity,
    Index,
    Mul,
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
    summation,
    term,
    vector,
)

T, K = size("T"), size("K")
g, W, v, q = sequence("γ"), sequence("W", m, f), sequence("v", f), vector("q", f)
one = term(1)

descent = {
    "W_starts_at_zero": Eq(W(0), Zero(m, f)),
    "W_descends": for_all(k, Eq(W(k + 1), W(k) - g(k + 1) * slope(W(k), T))),
}


# ---------------------------------------------------------------------------------- rewriting the query, layer by layer
def attended(values: Any, to: Term) -> Term:
    """sum over i <= T of value_i (x_i' to): linear attention with the inputs as keys."""
    return summation(i, 1, T, (x(i).T @ to) * values(i))


query_stack = {
    "v_starts_empty": Eq(v(0), Zero(f, ONE)),
    "v_rewritten": for_all(k, Eq(v(k + 1), v(k) + g(k + 1) * (q - attended(x, v(k))))),
}
nought = {"W": rational([[0]]), "v": column(0), "x": column(0), "y": column(0)}


@proves(Eq(attended(y, v(K)), W(K) @ q), {**descent, **query_stack})
def multi_step_query() -> Fact:
    """W_k S^s q = M S^s v_k for every s, by induction on k: W_{k+1} S^s q = W_k S^s q - γ W_k S^{s+1} q + γ M S^s q,
    and M S^s v_{k+1} = M S^s v_k + γ M S^s q - γ M S^{s+1} v_k. The powers of S commute. So both stand for the same
    polynomial in S, which may act on the weights or on the query."""
    given = {name: assume(h) for name, h in multi_step_query.hypotheses.items()}
    S, M = scatter(T), memory(T)

    def power(s: Index | int) -> Term:
        return product(l, 1, s, S)

    longer = unfold(power(s + 1))
    commutes = Eq(power(s) @ S, S @ power(s))
    start = equal(power(0) @ S, S @ power(0), empty(power(0)))
    grown = equal(power(s + 1) @ S, S @ power(s + 1), longer, assume(commutes))
    swapped = induction(commutes, s, start, grown)
    on_the_left = backwards(longer)
    on_the_right = equal(power(s) @ S, power(s + 1), swapped, on_the_left)

    statement = for_all(s, Eq(W(k) @ power(s) @ q, M @ power(s) @ v(k)))
    nothing_yet = [given["W_starts_at_zero"], given["v_starts_empty"]]
    base = generalise(equal(W(0) @ power(s) @ q, M @ power(s) @ v(0), *nothing_yet), s)
    now, later = (specialise(assume(statement), place) for place in (s, s + 1))
    moved = [specialise(given[name], k) for name in ("W_descends", "v_rewritten")]
    sums = [slope_is(W(k), T), attended_is(x, v(k))]
    next_W = modulo(
        W(k + 1) @ power(s) @ q,
        _next(W(k) @ power(s) @ q, W(k) @ power(s + 1) @ q, M @ power(s) @ q),
        moved[0],
        sums[0],
        on_the_left,
    )
    next_v = modulo(
        M @ power(s) @ v(k + 1),
        _next(M @ power(s) @ v(k), M @ power(s + 1) @ v(k), M @ power(s) @ q),
        moved[1],
        sums[1],
        on_the_right,
    )
    next_W = rewrite(rewrite(next_W, now), later)
    step = generalise(rewrite(next_W, backwards(next_v)), s)
    every = specialise(induction(statement, k, base, step), 0)
    every = instantiate(every, {"k": K})
    goal = cast(Eq, multi_step_query.conclusion)
    return equal(goal.lhs, goal.rhs, attended_is(y, v(K)), empty(power(0)), every)


def attended_is(values: Any, to: Term) -> Fact:
    """Linear attention is a product with the sum of the outer products."""
    outer = one * (values(i) @ x(i).T)
    each = equal((x(i).T @ to) * values(i), Mul((one, outer, to)))
    return rewrite(congruence(each, Sum, i, 1, T), linear(i, 1, T, one, outer, to))


def _next(now: Term, later: Term, new: Term) -> Term:
    """now - γ_{k+1} later + γ_{k+1} new."""
    return now - g(k + 1) * later + g(k + 1) * new


# --------------------------------------------------------------------------------------------- K steps, written out
def left(lo: Index | int, hi: Index) -> Term:
    """(I - γ_hi S) ... (I - γ_lo S)."""
    return product(l, lo, hi, Identity(f) - g(l) * scatter(T))


@proves(Eq(W(K).T, summation(i, 1, K, left(i + 1, K) @ (g(i) * memory(T).T))), descent)
def closed_form() -> Fact:
    """W_{k+1}' = (I - γ_{k+1} S) W_k' + γ_{k+1} M', a linear recurrence: unrolled."""
    S, M, place = scatter(T), memory(T), size("place")
    descends = specialise(assume(descent["W_descends"]), k)
    after = (Identity(f) - g(k + 1) * S) @ W(k).T + g(k + 1) * M.T
    moved = equal(W(k + 1).T, after, descends, slope_is(W(k), T), scatter_symmetric())
    families = {
        Symbol("A", f, f, 1): family((place,), Identity(f) - g(place) * S),
        Symbol("B", f, m, 1): family((place,), g(place) * M.T),
        Symbol("H", f, m, 1): family((place,), W(place).T),
    }
    unrolled = instantiate(instantiate(recurrence.unrolled.fact, {"n": f, "T": K}), families=families)
    goal = cast(Eq, closed_form.conclusion)
    every = discharge(unrolled, generalise(moved, k))
    return equal(goal.lhs, goal.rhs, assume(descent["W_starts_at_zero"]), every)


def scatter_symmetric() -> Fact:
    """S' = S, by induction on T."""
    statement, longer = Eq(scatter(t).T, scatter(t)), unfold(scatter(t + 1))
    base = equal(scatter(index(0)).T, scatter(index(0)), empty(scatter(index(0))))
    step = equal(scatter(t + 1).T, scatter(t + 1), longer, assume(statement))
    return instantiate(induction(statement, t, base, step), {"t": T})


# ------------------------------------------------------------------------------------ what K steps leave of it


@proves(Eq(memory(T) - W(K) @ scatter(T), memory(T) @ left(1, K)), descent)
def left_over() -> Fact:
    """A step multiplies M - W S by I - γ S, by induction on K; its factors commute, being polynomials in S."""
    S, M = scatter(T), memory(T)
    start, now, longer = left(1, index(0)), left(1, k), unfold(left(1, k + 1))
    commutes = Eq(now @ S, S @ now)
    base = equal(start @ S, S @ start, empty(start))
    turned = induction(commutes, k, base, equal(left(1, k + 1) @ S, S @ left(1, k + 1), longer, assume(commutes)))
    statement = Eq(W(k) @ S, M - M @ now)
    base = equal(W(0) @ S, M - M @ start, assume(descent["W_starts_at_zero"]), empty(start))
    moved = specialise(assume(descent["W_descends"]), k)
    grown = equal(W(k + 1) @ S, M - M @ left(1, k + 1), moved, slope_is(W(k), T), assume(statement), longer, turned)
    every = instantiate(induction(statement, k, base, grown), {"k": K})
    goal = cast(Eq, left_over.conclusion)
    return equal(goal.lhs, goal.rhs, every)


# ------------------------------------------------------------------------------------------ K steps, from products
X, Y, A = matrix("X", f, T), matrix("Y", m, T), sequence("A", m, T)
kernel_descent = {
    "W_starts_at_zero": Eq(W(0), Zero(m, f)),
    "W_descends": for_all(k, Eq(W(k + 1), W(k) - g(k + 1) * ((W(k) @ X - Y) @ X.T))),
    "A_starts_at_zero": Eq(A(0), Zero(m, T)),
    "A_descends": for_all(k, Eq(A(k + 1), A(k) - g(k + 1) * (A(k) @ (X.T @ X) - Y))),
}


@proves(Eq(W(K) @ q, A(K) @ (X.T @ q)), kernel_descent)
def dual() -> Fact:
    """W_k = A_k X', by induction on k."""
    given, statement = {name: assume(h) for name, h in kernel_descent.items()}, Eq(W(k), A(k) @ X.T)
    base = equal(W(0), A(0) @ X.T, given["W_starts_at_zero"], given["A_starts_at_zero"])
    moved = [specialise(given[name], k) for name in ("W_descends", "A_descends")]
    grown = equal(W(k + 1), A(k + 1) @ X.T, *moved, assume(statement))
    every = instantiate(induction(statement, k, base, grown), {"k": K})
    return equal(W(K) @ q, A(K) @ (X.T @ q), every)


# --------------------------------------------------------------------------- rewriting the targets, layer by layer
gamma = scalar("γ")
Pairs = Sequence[tuple[Term, Term]]
first, second = (vector("x₁", f), vector("y₁", m)), (vector("x₂", f), vector("y₂", m))
two_pairs: Pairs = (first, second)


def rewritten(pairs: Pairs) -> Pairs:
    """One causal layer: y_i - γ sum over l <= i of y_l (x_l' x_i)."""
    seen = [(x, y - gamma * add(*((a.T @ x) * b for a, b in pairs[: j + 1]))) for j, (x, y) in enumerate(pairs)]
    return tuple(seen)


def read(pairs: Pairs) -> Term:
    """γ sum of y_i (x_i' q): the layer's prediction."""
    return gamma * add(*((x.T @ q) * y for x, y in pairs))


def two_steps(pairs: Pairs) -> Term:
    """The prediction after two steps from zero on all pairs."""
    W = gamma * add(*(y @ x.T for x, y in pairs))
    return (W - gamma * add(*((W @ x - y) @ x.T for x, y in pairs))) @ q


def sweep(pairs: Pairs) -> Term:
    """The prediction after one pass over the pairs, a step on each."""
    (inputs, target), *later = pairs
    W = gamma * (target @ inputs.T)
    for inputs, target in later:
        W = W + gamma * ((target - W @ inputs) @ inputs.T)
    return W @ q


stack = read(two_pairs) + read(rewritten(two_pairs))


@proves(Eq(stack, two_steps(two_pairs)))
def multi_step_by_stacking() -> Refuted:
    """The same pair twice, with γ = 1: two steps overshoot to 2 and come back to 0; the stack gives 1. For one pair
    the two agree, so two are least."""
    return refute(multi_step_by_stacking.sequent, {"f": 1, "m": 1, "γ": fmpq(1), **one_pair_twice})


one_pair_twice = {name: column(1) for name in ("x₁", "x₂", "y₁", "y₂", "q")}


# ------------------------------------------------------------------------------------------------- minibatches


@proves(Eq(read(two_pairs), sweep(two_pairs)))
def sequential_minibatches() -> Refuted:
    """The same pair twice, with γ = 1: after the first step nothing is left to learn; the layer adds both gradients
    at zero. For one minibatch the two agree, so two are least."""
    return refute(sequential_minibatches.sequent, {"f": 1, "m": 1, "γ": fmpq(1), **one_pair_twice})


forget, C = sequence("λ", arity=2), scalar("C")
x_1, x_2, x_3, y_1, q_2 = (scalar(name) for name in ("x₁₁", "x₂₁", "x₂₂", "y₁", "q₂"))
entry_inputs, entry_targets, entry_query = ((x_1, term(0)), (x_2, x_3)), (y_1, term(0)), (term(0), q_2)


def diagonal_layer() -> Term:
    """One target, two entries: z_e <- λ_te z_e + y_t x_te, read by C z'q; gates and C may be anything."""
    z = [term(0), term(0)]
    for time, (inputs, target) in enumerate(zip(entry_inputs, entry_targets, strict=True), 1):
        z = [forget(time, e + 1) * z[e] + target * inputs[e] for e in range(2)]
    return C * add(*(z[e] * entry_query[e] for e in range(2)))


def sweep_by_entries() -> Term:
    """Two steps in turn, on the same pairs, entry by entry."""
    w = [gamma * (y_1 * e) for e in entry_inputs[0]]
    error = add(*(w[e] * entry_inputs[1][e] for e in range(2))) - entry_targets[1]
    w = [w[e] - gamma * (error * entry_inputs[1][e]) for e in range(2)]
    return add(*(w[e] * entry_query[e] for e in range(2)))


@proves(
    And(
        (
            Eq(diagonal_layer(), term(0)),
            Eq(sweep_by_entries(), -(gamma * gamma) * (y_1 * x_1 * x_2 * x_3 * q_2)),
        )
    )
)
def minibatches_need_a_matrix() -> Fact:
    """The first pair writes into the first entry alone, and gates on the diagonal leave it there; the second step
    carries it to the second entry, which the query asks for: its transition is I - γ x x'."""
    parts = cast(Sequence[Eq], cast(And, minibatches_need_a_matrix.conclusion).parts)
    return conjunction(*(identity(part.lhs, part.rhs) for part in parts))


if __name__ == "__main__":
    main(__doc__)
