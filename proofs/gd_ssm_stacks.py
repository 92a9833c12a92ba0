"""GD-SSM (arXiv 2410.11687), continued: what causal stacks do instead of K steps, and minibatches one after the other.

What was read: see `proofs/gd_ssm_steps.py`, which refutes the reading that a stack of layers takes K steps; and of the
authors' code the model of two steps, without its skip connections.

| symbol | shape | meaning |
| --- | --- | --- |
| f, m | sizes | of an input and of a target |
| T | size, length | pairs; minibatches |
| x_i, y_i, Y | (f,), (m,), (m, T) | input and target of pair i; the targets as columns |
| γ | scalar | rate of a step on the sum of the losses |
| W_t, e_t | (m, f), (m,) | weights after a pass over t pairs, a step on each; the error that step t meets |
| E | (T, T) | -γ x_l'x_i in row l and column i for l < i, 0 elsewhere |
| B | (m, T) | the errors e_1, ..., e_T of the pass: Y = B - B E, which is `gd_ssm.pass_errors` pair by pair |
| A_k | (m, T) | errors as layer k estimates them, from the weights that layer k - 1 had one pair before |
| R_k, P_k | (m, T) | targets as the layers below have rewritten them; the sum of what the layers so far have read |
| V, p, V' | (m, f), (m,), (m, f) | weights before a pair, what its reads add up to, weights after it |
| S_b, M_b | (f, f), (m, f) | sums of x x' and of y x' over minibatch b |
| q, N | (f,), length | a query; pairs of the whole context |
| W₁ | (m, f) | weights after the first of two steps |

By hand: that E, being strictly triangular, has E^T = 0.
"""

from __future__ import annotations

from typing import cast

from flint import fmpq

from proofs import recurrence
from proofs.derivation import Derivation, main
from proofs.evaluation import Table
from proofs.gd_ssm import at, column, f, gamma, i, k, l, m, memory, rational, s, scatter, slope_is, step, t, x, y
from proofs.kernel import (
    Claim,
    Fact,
    assume,
    congruence,
    discharge,
    empty,
    generalise,
    induction,
    instantiate,
    linear,
    refute,
    rewrite,
    single,
    specialise,
    split,
)
from proofs.tactics import equal, unfold
from proofs.terms import (
    Eq,
    Formula,
    Identity,
    Index,
    Mul,
    Nonzero,
    Sum,
    Symbol,
    Term,
    Zero,
    family,
    for_all,
    index,
    matrix,
    product,
    sequence,
    size,
    summation,
    term,
    vector,
)

T = size("T")
one = term(1)


# --------------------------------------------------------------------------- one pass over the pairs, a step on each
W, e = sequence("W", m, f), sequence("e", m)
one_pass: dict[str, Formula] = {
    "W_starts_at_zero": Eq(W(0), Zero(m, f)),
    "errors_met": for_all(t, Eq(e(t + 1), y(t + 1) - W(t) @ x(t + 1))),
    "W_steps": for_all(t, Eq(W(t + 1), W(t) + gamma * (e(t + 1) @ x(t + 1).T))),
}
explained = gamma * summation(i, 1, T, (x(i).T @ x(T + 1)) * e(i))
pass_errors = Claim(
    "gd_ssm.pass_errors",
    Eq(e(T + 1), y(T + 1) - explained),
    one_pass,
    witness={"f": 1, "m": 1, "γ": fmpq(1), **{name: column(0) for name in "xye"}, "W": rational([[0]])},
)


def prove_pass_errors() -> Fact:
    """W_T = γ sum of e_i x_i', by induction on T; read at the next input, each outer product leaves x_i'x_{T+1}."""
    given = {name: assume(h) for name, h in one_pass.items()}
    outer = one * (e(i) @ x(i).T)
    total = summation(i, 1, t, outer)
    statement = Eq(W(t), gamma * total)
    base = equal(W(0), at(statement.rhs, 0), given["W_starts_at_zero"], empty(at(total, 0)))
    steps = specialise(given["W_steps"], t)
    grown = equal(W(t + 1), at(statement.rhs, t + 1), steps, assume(statement), unfold(at(total, t + 1)))
    weights = instantiate(induction(statement, t, base, grown), {"t": T})
    each = equal((x(i).T @ x(T + 1)) * e(i), Mul((one, outer, x(T + 1))))
    read = rewrite(congruence(each, Sum, i, 1, T), linear(i, 1, T, one, outer, x(T + 1)))
    goal = cast(Eq, pass_errors.conclusion)
    return equal(goal.lhs, goal.rhs, specialise(given["errors_met"], T), weights, read)


# --------------------------------------------------------------------------- stacks that come to be that pass
E, Y, B = matrix("E", T, T), matrix("Y", m, T), matrix("B", m, T)
A, R, P = (sequence(name, m, T) for name in "ARP")


def power(k: Index | int) -> Term:
    """E^k."""
    return product(l, 1, k, E)


causal: dict[str, Formula] = {
    "E_strictly_causal": Eq(power(T), Zero(T, T)),
    "B_errors_of_a_pass": Eq(Y, B - B @ E),
}
picard = Claim(
    "gd_ssm.picard",
    Eq(A(T + s), B),
    {**causal, "A_by_layers": for_all(k, Eq(A(k + 1), Y + A(k) @ E))},
    witness={"m": 1, "T": 1, **{name: rational([[0]]) for name in "AEYB"}},
)


def power_grows() -> Fact:
    """E^k E = E^{k+1}, by induction on k, for a product has its last factor on the left."""
    statement = Eq(power(k) @ E, power(k + 1))
    longer = unfold(power(k + 1))
    base = equal(power(0) @ E, power(1), single(power(index(1))), empty(power(0)))
    step = equal(power(k + 1) @ E, power(k + 2), longer, unfold(power(k + 2)), assume(statement))
    return induction(statement, k, base, step)


def iterates(A: Symbol, by_layers: Fact) -> Fact:
    """A_{T+s} = B, for A_{k+1} = Y + A_k E: the difference to B is multiplied by E in every layer."""
    errors = assume(causal["B_errors_of_a_pass"])
    statement = Eq(A(k), B + (A(0) - B) @ power(k))
    base = equal(A(0), B + (A(0) - B) @ power(0), empty(power(0)))
    step = equal(
        A(k + 1), B + (A(0) - B) @ power(k + 1), specialise(by_layers, k), assume(statement), errors, power_grows()
    )
    every = instantiate(induction(statement, k, base, step), {"k": T + s})
    return equal(A(T + s), B, every, split(power(T + s), T), assume(causal["E_strictly_causal"]))


def prove_picard() -> Fact:
    """A_k - B = (A_0 - B) E^k by induction on k, and E^T = 0."""
    return iterates(A, assume(picard.hypotheses["A_by_layers"]))


rewriting: dict[str, Formula] = {
    "R_starts_as_targets": Eq(R(0), Y),
    "R_rewritten": for_all(k, Eq(R(k + 1), R(k) - R(k) @ (Identity(T) - E))),
    "P_starts_empty": Eq(P(0), Zero(m, T)),
    "P_adds_up": for_all(k, Eq(P(k + 1), P(k) + R(k))),
}
stacking_sweeps = Claim(
    "gd_ssm.stacking_sweeps",
    Eq(P(T + s), B),
    {**causal, **rewriting},
    witness={"m": 1, "T": 1, **{name: rational([[0]]) for name in "PREYB"}},
)


def prove_stacking_sweeps() -> Fact:
    """R_k = Y - P_k + P_k E by induction on k, so P_{k+1} = Y + P_k E: the sums are Picard's iterates, from 0."""
    given = {name: assume(h) for name, h in rewriting.items()}
    statement = Eq(R(k), Y - P(k) + P(k) @ E)
    base = equal(R(0), Y - P(0) + P(0) @ E, given["R_starts_as_targets"], given["P_starts_empty"])
    rewritten, added = (specialise(given[name], k) for name in ("R_rewritten", "P_adds_up"))
    step = equal(R(k + 1), Y - P(k + 1) + P(k + 1) @ E, rewritten, added, assume(statement))
    targets = induction(statement, k, base, step)
    by_layers = generalise(equal(P(k + 1), Y + P(k) @ E, added, targets), k)
    return iterates(P, by_layers)


# --------------------------------------------------------------------------------------- where the stack rests
V, p, x_1, y_1 = matrix("V", m, f), vector("p", m), vector("x", f), vector("y", m)
V_after = matrix("V'", m, f)
norm = x_1.T @ x_1
at_rest: dict[str, Formula] = {
    "V_adds_the_reads": Eq(V_after, V + gamma * (p @ x_1.T)),
    "nothing_left": Eq(y_1, V_after @ x_1),
    "input_not_zero": Nonzero(norm),
}
stacking_rests = Claim(
    "gd_ssm.stacking_rests",
    Eq(V_after, V + ((y_1 - V @ x_1) / norm) @ x_1.T),
    at_rest,
    witness={"f": 1, "m": 1, "γ": fmpq(1), "p": column(0), "x": column(1), "y": column(0), "V": rational([[0]])}
    | {"V'": rational([[0]])},
)


def prove_stacking_rests() -> Fact:
    """y - V x = γ p (x'x), if nothing of y is left: so γ p is the error over x'x."""
    goal = cast(Eq, stacking_rests.conclusion)
    given = [assume(at_rest[name]) for name in ("V_adds_the_reads", "nothing_left")]
    return equal(goal.lhs, goal.rhs, *given)


# ------------------------------------------------------------------------------------------------- minibatches
S, M = sequence("S", f, f), sequence("M", m, f)
minibatches: dict[str, Formula] = {
    "S_symmetric": for_all(t, Eq(S(t).T, S(t))),
    "W_steps": for_all(t, Eq(W(t + 1), W(t) - gamma * (W(t) @ S(t + 1) - M(t + 1)))),
}


def kept(lo: Index | int, hi: Index) -> Term:
    """(I - γ S_hi) ... (I - γ S_lo)."""
    return product(l, lo, hi, Identity(f) - gamma * S(l))


minibatch_product = Claim(
    "gd_ssm.minibatch_product",
    Eq(W(T).T, kept(1, T) @ W(0).T + summation(i, 1, T, kept(i + 1, T) @ (gamma * M(i).T))),
    minibatches,
    witness={"f": 1, "m": 1, "γ": fmpq(1), **{name: rational([[0]]) for name in "SMW"}},
)


def prove_minibatch_product() -> Fact:
    """W_{t+1}' = (I - γ S) W_t' + γ M', a linear recurrence: unrolled."""
    given = {name: assume(h) for name, h in minibatches.items()}
    symmetric, steps = specialise(given["S_symmetric"], t + 1), specialise(given["W_steps"], t)
    moved = equal(W(t + 1).T, (Identity(f) - gamma * S(t + 1)) @ W(t).T + gamma * M(t + 1).T, steps, symmetric)
    unrolled = instantiate(recurrence.prove_unrolled(), {"n": f})
    place = size("place")
    unrolled = instantiate(
        unrolled,
        families={
            Symbol("A", f, f, 1): family((place,), Identity(f) - gamma * S(place)),
            Symbol("B", f, m, 1): family((place,), gamma * M(place).T),
            Symbol("H", f, m, 1): family((place,), W(place).T),
        },
    )
    return discharge(unrolled, generalise(moved, t))


# ------------------------------------------------------------------------------- two steps, as they were released
N, q, W_1 = size("N"), vector("q", f), matrix("W₁", m, f)


def released(T: Index) -> Term:
    """The released blocks after T pairs, of which one is multiplied by another's state at the end of the context."""
    targets, inputs, end = -gamma * memory(T), -gamma * scatter(T), -gamma * memory(N)
    return targets + end @ inputs + targets


def first_step(T: Index) -> dict[str, Formula]:
    """W_1 is one step from zero on the pairs up to T."""
    return {"first_step": Eq(W_1, step(None, T, gamma))}


released_two_steps = Claim(
    "gd_ssm.released_two_steps",
    Eq(-released(N) @ q, step(W_1, N, gamma) @ q),
    first_step(N),
    witness={"f": 1, "m": 1, "N": 1, "γ": fmpq(1), "W₁": rational([[0]]), **{name: column(0) for name in "qxy"}},
)
released_on_prefix = Claim(
    "gd_ssm.released_two_steps_prefix", Eq(-released(T) @ q, step(W_1, T, gamma) @ q), first_step(T)
)


def prove_released() -> Fact:
    """The blocks hold -γ M, -γ S and -γ M: in all -(2γ M - γ² M S), which is -W_2."""
    goal, first = cast(Eq, released_two_steps.conclusion), assume(released_two_steps.hypotheses["first_step"])
    return equal(goal.lhs, goal.rhs, first, slope_is(None, N), slope_is(W_1, N))


def refute_released_on_prefix() -> Fact:
    """One pair of two equal ones, γ = 1: the step fits it and a second one keeps it; the layer, whose one factor knows
    both pairs, gives 0."""
    alike = Table({(1,): column(1), (2,): column(1)}, column(0))
    point = {"f": 1, "m": 1, "N": 2, "T": 1, "γ": fmpq(1), "q": column(1), "x": alike, "y": alike, "W₁": column(1)}
    return refute(released_on_prefix.sequent, point)


derivations = (
    Derivation(pass_errors, prove_pass_errors),
    Derivation(picard, prove_picard),
    Derivation(stacking_sweeps, prove_stacking_sweeps),
    Derivation(stacking_rests, prove_stacking_rests),
    Derivation(minibatch_product, prove_minibatch_product),
    Derivation(released_two_steps, prove_released),
    Derivation(released_on_prefix, refute_released_on_prefix),
)

if __name__ == "__main__":
    main(__doc__, derivations)
