"""Linear self-attention as gradient descent, and as a recurrence.

Sources: von Oswald et al., "Transformers learn in-context by gradient descent" (arXiv 2212.07677), Proposition 1 and
appendix A.1, the full text of which was read; the recurrence is that of Katharopoulos et al., "Transformers are RNNs"
(arXiv 2006.16236), remembered and derived here.

| symbol | shape | meaning |
| --- | --- | --- |
| f, m, p | sizes | of an input, a target, a token; the paper has p = f + m |
| N, T, K | lengths | pairs in the context; steps of a recurrence; layers |
| P, R | (f, p), (m, p) | what takes the input, and the target, out of a token: [I 0] and [0 I] |
| e_i | (p,) | token P'x_i + R'y_i |
| W_Q, W_K, W_V | (p, p) | the layer's weights: P'P, P'P and R'(W_0 P - R) |
| γ | scalar | η/N; the paper's projection is γ I |
| X, Y | (f, N), (m, N) | the context as columns; Y_k, after k layers |
| z_k | (m,) | the query's target entry after k layers, -W_0 q at the start; the prediction is -z_k |
| c | scalar | GD++'s second rate, by which a layer shrinks the inputs along their scatter |

Departure. Keys and values come from the context alone: the query's token is none of them (`attention.query_as_key` says
what it would do).
"""

from __future__ import annotations

from typing import cast

from proofs.derivation import main, proves
from proofs.gd_ssm.one_step import (
    W0,
    Z,
    at,
    collects,
    column,
    f,
    from_tokens,
    gate,
    i,
    k,
    m,
    memory,
    modulo,
    output,
    query,
    rate,
    rational,
    scatter,
    step,
    t,
    target_gate,
    x,
    y,
)
from proofs.gd_ssm.one_step import one_step as gd_ssm_layer
from proofs.gd_ssm.steps import scatter_symmetric
from proofs.kernel import (
    Fact,
    additive,
    assume,
    congruence,
    empty,
    identity,
    induction,
    instantiate,
    linear,
    rewrite,
    specialise,
)
from proofs.tactics.equations import equal, unfold
from proofs.terms import (
    Eq,
    Formula,
    Identity,
    Mul,
    Sum,
    Term,
    Zero,
    add,
    for_all,
    matrix,
    scalar,
    sequence,
    size,
    substitute,
    summation,
    term,
    vector,
)

N, T, K, p = (size(name) for name in ("N", "T", "K", "p"))
gamma, one = scalar("γ"), term(1)
q, z = vector("q", f), vector("z", m)

# ---------------------------------------------------------------------------- linear attention is a recurrence
keys, values, S = sequence("k", f), sequence("v", m), sequence("S", m, f)


@proves(
    Eq(S(T) @ q, summation(i, 1, T, (keys(i).T @ q) * values(i))),
    {
        "S_starts_empty": Eq(S(0), Zero(m, f)),
        "S_recurrence": for_all(t, Eq(S(t + 1), S(t) + values(t + 1) @ keys(t + 1).T)),
    },
)
def recurrence() -> Fact:
    """S_T is the sum of v_i k_i', by induction on T; read at q, each is v_i (k_i'q)."""
    start, recurs = (assume(h) for h in recurrence.hypotheses.values())
    outer = one * (values(i) @ keys(i).T)
    total = summation(i, 1, t, outer)
    statement = Eq(S(t), total)
    base = equal(S(0), at(total, 0), start, empty(at(total, 0)))
    grown = equal(S(t + 1), at(total, t + 1), specialise(recurs, t), assume(statement), unfold(at(total, t + 1)))
    state = instantiate(induction(statement, t, base, grown), {"t": T})
    each = equal((keys(i).T @ q) * values(i), Mul((one, outer, q)))
    read = rewrite(congruence(each, Sum, i, 1, T), linear(i, 1, T, one, outer, q))
    goal = cast(Eq, recurrence.conclusion)
    return equal(goal.lhs, goal.rhs, state, read)


# ------------------------------------------------------------------------------- GD-SSM's layer is linear attention


@proves(Eq(-output, rate * from_tokens(summation(i, 1, T, (x(i).T @ query) * y(i)))), gd_ssm_layer.hypotheses)
def gd_ssm() -> Fact:
    """The layer's state is the transpose of the memory of linear attention, its query the next input."""
    state = collects(Z, gate(target_gate, t), lambda T: from_tokens(memory(T)))
    outer = one * from_tokens(y(i) @ x(i).T)
    each = equal(from_tokens((x(i).T @ query) * y(i)), Mul((one, outer, query)))
    read = rewrite(congruence(each, Sum, i, 1, T), linear(i, 1, T, one, outer, query))
    goal = cast(Eq, gd_ssm.conclusion)
    return equal(goal.lhs, goal.rhs, state, read)


# ------------------------------------------------------------------------ Proposition 1: a layer is a step
P, R, e, here = matrix("P", f, p), matrix("R", m, p), sequence("e", p), vector("e₀", p)
W_K = W_Q = P.T @ P
W_V = R.T @ (W0 @ P - R)
token_layout: dict[str, Formula] = {
    "inputs_apart": Eq(P @ P.T, Identity(f)),
    "targets_apart": Eq(R @ R.T, Identity(m)),
    "inputs_from_targets": Eq(P @ R.T, Zero(f, m)),
    "targets_from_inputs": Eq(R @ P.T, Zero(m, f)),
    "context": for_all(i, Eq(e(i), P.T @ x(i) + R.T @ y(i))),
    "token": Eq(here, P.T @ q + R.T @ z),
}
written = (W_V @ e(i)) @ (W_K @ e(i)).T
updated = here + gamma * (summation(i, 1, N, written) @ W_Q @ here)
moved = step(W0, N, gamma) - W0
uphill = z + moved @ q


@proves(Eq(updated, P.T @ q + R.T @ (z - moved @ q)), token_layout)
def one_step() -> Fact:
    """A value is R'(W_0 x_i - y_i), a key P'x_i, the query P'q: their sum is R' times the slope times q."""
    given = {name: assume(h) for name, h in token_layout.items()}
    apart = [fact for name, fact in given.items() if name not in ("context", "token")]
    error = one * ((W0 @ x(i) - y(i)) @ x(i).T)
    each = modulo(written, Mul((R.T, error, P)), specialise(given["context"], i), *apart)
    summed = rewrite(congruence(each, Sum, i, 1, N), linear(i, 1, N, R.T, error, P))
    goal = cast(Eq, one_step.conclusion)
    return modulo(goal.lhs, goal.rhs, summed, given["token"], *apart)


# -------------------------------------------------------------------- the query's token as a key, and GD++
own_token = (W_V @ here) @ (W_K @ here).T
start_asked = {"query_starts": Eq(z, -(W0 @ q))}


@proves(
    Eq(
        -(R @ (updated + gamma * (own_token @ W_Q @ here))),
        (W0 + moved) @ q - 2 * gamma * ((q.T @ q) * (W0 @ q)),
    ),
    {**token_layout, **start_asked},
    witness={
        "f": 1,
        "m": 1,
        "p": 2,
        "N": 1,
        "P": rational([[1, 0]]),
        "R": rational([[0, 1]]),
        "e": column(0, 0),
        "e₀": column(0, 0),
        **{name: column(0) for name in ("x", "y", "q", "z")},
        "W₀": rational([[0]]),
    },
)
def query_as_key() -> Fact:
    """The query's value is R'(W_0 q - z) = 2 R'W_0 q, weighed by q'q."""
    given = {name: assume(h) for name, h in query_as_key.hypotheses.items()}
    apart = [given[name] for name in ("inputs_apart", "targets_apart", "inputs_from_targets", "targets_from_inputs")]
    goal = cast(Eq, query_as_key.conclusion)
    rest = modulo(
        goal.lhs, -(R @ updated) - 2 * gamma * ((q.T @ q) * (W0 @ q)), given["token"], *apart, given["query_starts"]
    )
    taken = modulo(-(R @ cast(Eq, one_step.conclusion).rhs), (W0 + moved) @ q, *apart, given["query_starts"])
    return rewrite(rewrite(rest, one_step.fact), taken)


shrink = scalar("c")
W_plus = gamma * W_V - shrink * (P.T @ P)
both_moved = here + summation(i, 1, N, (W_plus @ e(i)) @ (W_K @ e(i)).T) @ W_Q @ here


@proves(
    Eq(both_moved, P.T @ (q - shrink * (summation(i, 1, N, x(i) @ x(i).T) @ q)) + R.T @ (z - moved @ q)), token_layout
)
def gd_plus_plus() -> Fact:
    """A value is γ R'(W_0 x_i - y_i) - c P'x_i: the first part is the step, the second moves inputs by the scatter."""
    given = {name: assume(h) for name, h in token_layout.items()}
    apart = [fact for name, fact in given.items() if name not in ("context", "token")]
    error, square = one * ((W0 @ x(i) - y(i)) @ x(i).T), x(i) @ x(i).T
    parts = [Mul((gamma * R.T, error, P)), Mul((-shrink * P.T, square, P))]
    each = modulo((W_plus @ e(i)) @ (W_K @ e(i)).T, add(*parts), specialise(given["context"], i), *apart)
    summed = rewrite(congruence(each, Sum, i, 1, N), additive(i, 1, N, parts))
    for left, inner in ((gamma * R.T, error), (-shrink * P.T, square)):
        summed = rewrite(summed, linear(i, 1, N, left, inner, P))
    goal = cast(Eq, gd_plus_plus.conclusion)
    return modulo(goal.lhs, goal.rhs, summed, given["token"], *apart)


S_x = scatter(N)
shrunk = Identity(f) - shrink * S_x


@proves(
    Eq(
        summation(i, 1, N, (shrunk @ x(i)) @ (shrunk @ x(i)).T),
        S_x - 2 * shrink * (S_x @ S_x) + shrink * shrink * (S_x @ S_x @ S_x),
    )
)
def gd_plus_plus_scatter() -> Fact:
    """(I - c S) S (I - c S)', and S is symmetric."""
    square = one * (x(i) @ x(i).T)
    each = identity((shrunk @ x(i)) @ (shrunk @ x(i)).T, Mul((shrunk, square, shrunk.T)))
    summed = rewrite(congruence(each, Sum, i, 1, N), linear(i, 1, N, shrunk, square, shrunk.T))
    goal = cast(Eq, gd_plus_plus_scatter.conclusion)
    return equal(goal.lhs, goal.rhs, instantiate(scatter_symmetric(), {"T": N}), summed)


# --------------------------------------------------------------------------------- the same weights, K times over
g = sequence("γ")
X, Y, W, zs = matrix("X", f, N), sequence("Y", m, N), sequence("W", m, f), sequence("z", m)
start = W(0)
layers: dict[str, Formula] = {
    "targets_rewritten": for_all(k, Eq(Y(k + 1), Y(k) + g(k + 1) * ((W(0) @ X - Y(k)) @ X.T @ X))),
    "query_starts": Eq(zs(0), -(W(0) @ q)),
    "query_rewritten": for_all(k, Eq(zs(k + 1), zs(k) + g(k + 1) * ((W(0) @ X - Y(k)) @ X.T @ q))),
    "W_descends": for_all(k, Eq(W(k + 1), W(k) - g(k + 1) * ((W(k) @ X - Y(0)) @ X.T))),
}


@proves(Eq(-zs(K), W(K) @ q), layers)
def stack() -> Fact:
    """Y_k = Y_0 - (W_k - W_0) X by induction on k: the errors of layer k are those of the weights after k steps, for
    every layer sees the whole context. Then z_k = -W_k q, likewise."""
    given = {name: assume(h) for name, h in layers.items()}
    targets = Eq(Y(k), Y(0) - W(k) @ X + W(0) @ X)
    rewrites, descends = (specialise(given[name], k) for name in ("targets_rewritten", "W_descends"))
    base = identity(Y(0), Y(0) - W(0) @ X + W(0) @ X)
    errors = equal(Y(k + 1), at_k(targets.rhs), rewrites, assume(targets), descends)
    every = induction(targets, k, base, errors)
    query = Eq(zs(k), -(W(k) @ q))
    asks = specialise(given["query_rewritten"], k)
    answers = equal(zs(k + 1), -(W(k + 1) @ q), asks, every, descends, assume(query))
    found = instantiate(induction(query, k, given["query_starts"], answers), {"k": K})
    return equal(-zs(K), W(K) @ q, found)


def at_k(x: Term) -> Term:
    """x with k + 1 for k."""
    return substitute(x, {"k": k + 1})


if __name__ == "__main__":
    main(__doc__)
