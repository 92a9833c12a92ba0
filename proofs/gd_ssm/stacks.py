"""GD-SSM (arXiv 2410.11687), continued: what causal stacks do instead of K steps, and minibatches one after the other.

What was read: see `proofs/gd_ssm/steps.py`, which refutes the reading that a stack of layers takes K steps; and of the
authors' code the model of two steps, without its skip connections.

| symbol | shape | meaning |
| --- | --- | --- |
| f, m | sizes | of an input and of a target |
| T | size, length | pairs; minibatches |
| x_i, y_i | (f,), (m,) | input and target of pair i |
| γ, β_t | scalars | rate of a step on the sum of the losses; on pair t |
| W_t, e_t | (m, f), (m,) | weights after a pass over t pairs, a step on each; the error that step t meets |
| E, U | (T, T) | -γ x_l'x_i in row l and column i for l < i; γ x_l'x_i there for l <= i; 0 elsewhere |
| Y, B | (m, T) | the targets; what the stacks below come near to |
| A_k | (m, T) | errors as layer k estimates them, from the weights that layer k - 1 had one pair before |
| R_k, P_k | (m, T) | targets as the layers below have rewritten them; the sum of what the layers so far have read |
| S_b, M_b, W₀ | (f, f), (m, f), (m, f) | sums of x x' and of y x' over minibatch b; weights before the first |
| q, N | (f,), length | a query; pairs of the whole context |
| W₁ | (m, f) | weights after the first of two steps |

B, column by column: for steps of rate γ on each pair the errors e_i of the pass, Y = B - B E (`gd_ssm.pass_errors`);
for steps that fit their pair, the Kaczmarz sweep, B = β_i e_i / γ, Y = B U (`gd_ssm.kaczmarz`).

By hand: that E, being strictly triangular, has E^T = 0; and that I - U, being triangular with 1 - γ x_i'x_i on its
diagonal, has powers that go to 0 just if all those are less than 1 in size.
"""

from __future__ import annotations

from typing import cast

from flint import fmpq

from proofs import recurrence
from proofs.derivation import main, proves
from proofs.gd_ssm.one_step import (
    at,
    column,
    f,
    gamma,
    i,
    k,
    l,
    m,
    memory,
    rational,
    s,
    scatter,
    slope_is,
    step,
    t,
    x,
    y,
)
from proofs.kernel import (
    Fact,
    Refuted,
    Table,
    additive,
    assume,
    congruence,
    discharge,
    empty,
    generalise,
    identity,
    induction,
    instantiate,
    linear,
    refute,
    rewrite,
    single,
    specialise,
    split,
)
from proofs.tactics.equations import equal, unfold
from proofs.terms import (
    Add,
    Eq,
    Formula,
    Identity,
    Index,
    Mul,
    Sum,
    Symbol,
    Term,
    Zero,
    family,
    for_all,
    matrix,
    product,
    sequence,
    size,
    substitute,
    summation,
    term,
    vector,
)

T, K = size("T"), size("K")
one = term(1)


# --------------------------------------------------------------------------- one pass over the pairs, a step on each
W, e, beta = sequence("W", m, f), sequence("e", m), sequence("β")
one_pass: dict[str, Formula] = {
    "W_starts_at_zero": Eq(W(0), Zero(m, f)),
    "errors_met": for_all(t, Eq(e(t + 1), y(t + 1) - W(t) @ x(t + 1))),
    "W_steps": for_all(t, Eq(W(t + 1), W(t) + beta(t + 1) * (e(t + 1) @ x(t + 1).T))),
}


def explained(last: Index) -> Term:
    """What the errors up to the last one explain of target T + 1."""
    return summation(i, 1, last, (x(i).T @ x(T + 1)) * (beta(i) * e(i)))


@proves(Eq(e(T + 1), y(T + 1) - explained(T)), one_pass)
def pass_errors() -> Fact:
    """W_T = sum of β_i e_i x_i', by induction on T; read at the next input, each outer product leaves x_i'x_{T+1}."""
    given = {name: assume(h) for name, h in one_pass.items()}
    outer = one * ((beta(i) * e(i)) @ x(i).T)
    total = summation(i, 1, t, outer)
    statement = Eq(W(t), total)
    base = equal(W(0), at(statement.rhs, 0), given["W_starts_at_zero"], empty(at(total, 0)))
    steps = specialise(given["W_steps"], t)
    grown = equal(W(t + 1), at(statement.rhs, t + 1), steps, assume(statement), unfold(at(total, t + 1)))
    weights = instantiate(induction(statement, t, base, grown), {"t": T})
    each = equal((x(i).T @ x(T + 1)) * (beta(i) * e(i)), Mul((one, outer, x(T + 1))))
    read = rewrite(congruence(each, Sum, i, 1, T), linear(i, 1, T, one, outer, x(T + 1)))
    goal = cast(Eq, pass_errors.conclusion)
    return equal(goal.lhs, goal.rhs, specialise(given["errors_met"], T), weights, read)


normalised = for_all(t, Eq(beta(t + 1) * (x(t + 1).T @ x(t + 1)), one))


@proves(Eq(explained(T + 1), y(T + 1)), {**one_pass, "steps_fit_their_pairs": normalised})
def kaczmarz() -> Fact:
    """The last member of the sum is β (x'x) e = e, and e is the target less the other members."""
    goal, fits = cast(Eq, kaczmarz.conclusion), specialise(assume(normalised), T)
    whole = unfold(goal.lhs)
    last = cast(Add, cast(Eq, whole.conclusion).rhs).terms[1]
    member = rewrite(identity(last, cast(Eq, fits.conclusion).lhs * e(T + 1)), fits)
    rest = equal(explained(T) + one * e(T + 1), goal.rhs, pass_errors.fact)
    return rewrite(rewrite(whole, member), rest)


# ----------------------------------------------------------------------------------- stacks that come near to a pass
Y, B, E, F, U = (matrix(name, rows, T) for name, rows in (("Y", m), ("B", m), ("E", T), ("F", T), ("U", T)))
A, R, P = (sequence(name, m, T) for name in "ARP")


def power(F: Term, k: Index | int) -> Term:
    """F^k."""
    return product(l, 1, k, F)


def power_grows() -> Fact:
    """F^k F = F^{k+1}, by induction on k, for a product has its last factor on the left."""
    statement = Eq(power(F, k) @ F, power(F, k + 1))
    longer = unfold(power(F, k + 1))
    base = equal(power(F, 0) @ F, power(F, 1), single(power(F, 1)), empty(power(F, 0)))
    step = equal(power(F, k + 1) @ F, power(F, k + 2), longer, unfold(power(F, k + 2)), assume(statement))
    return induction(statement, k, base, step)


def iterates(A: Symbol, factor: Term, *by: Fact) -> Fact:
    """A_K = B + (A_0 - B) F^K with F = factor, if `by` give A_{k+1} = Y + A_k F and Y = B - B F: the difference to B is
    multiplied by F in every layer."""
    layer, at_rest = Eq(A(k + 1), Y + A(k) @ F), Eq(Y, B - B @ F)
    statement = Eq(A(k), B + (A(0) - B) @ power(F, k))
    base = equal(A(0), B + (A(0) - B) @ power(F, 0), empty(power(F, 0)))
    after = B + (A(0) - B) @ power(F, k + 1)
    step = equal(A(k + 1), after, assume(layer), assume(at_rest), assume(statement), power_grows())
    every = instantiate(induction(statement, k, base, step), {"k": K}, {Symbol("F", T, T): factor})
    given = [substitute(equation, families={Symbol("F", T, T): factor}) for equation in (layer, at_rest)]
    shown = [equal(equation.lhs, equation.rhs, *by) for equation in given]
    return discharge(every, generalise(shown[0], k), shown[1])


a_pass: dict[str, Formula] = {"B_errors_of_a_pass": Eq(Y, B - B @ E)}
estimating: dict[str, Formula] = {"A_by_layers": for_all(k, Eq(A(k + 1), Y + A(k) @ E))}
nothing = {"m": 1, "T": 1, **{name: rational([[0]]) for name in "YB"}}


@proves(Eq(A(K), B + (A(0) - B) @ power(E, K)), {**a_pass, **estimating})
def picard_error() -> Fact:
    """A_k - B = (A_0 - B) E^k by induction on k."""
    given = {name: assume(h) for name, h in picard_error.hypotheses.items()}
    return iterates(A, E, specialise(given["A_by_layers"], k), given["B_errors_of_a_pass"])


causal: dict[str, Formula] = {"E_strictly_causal": Eq(power(E, T), Zero(T, T)), **a_pass}


@proves(Eq(A(T + s), B), {**causal, **estimating})
def picard() -> Fact:
    """The error of T layers or more has the factor E^T = 0."""
    return equal(A(T + s), B, instantiate(picard_error.fact, {"K": T + s}), vanished())


def vanished() -> Fact:
    """E^{T+s} = 0."""
    return equal(power(E, T + s), Zero(T, T), split(power(E, T + s), T), assume(causal["E_strictly_causal"]))


def rewriting(U: Term) -> dict[str, Formula]:
    """Each layer takes R U off the targets R, and adds R to what has been read."""
    return {
        "R_starts_as_targets": Eq(R(0), Y),
        "R_rewritten": for_all(k, Eq(R(k + 1), R(k) - R(k) @ U)),
        "P_starts_empty": Eq(P(0), Zero(m, T)),
        "P_adds_up": for_all(k, Eq(P(k + 1), P(k) + R(k))),
    }


@proves(Eq(P(K), B - B @ power(Identity(T) - U, K)), {**rewriting(U), "B_explains": Eq(Y, B @ U)})
def stacking_error() -> Fact:
    """What has been read is B but for the factor I - U of every layer."""
    return stacked(U, Identity(T) - U, assume(stacking_error.hypotheses["B_explains"]))


def stacked(U: Term, factor: Term, at_rest: Fact) -> Fact:
    """P_K = B - B F^K, F = factor = I - U: for R_k = Y - P_k U by induction on k, so that P_{k+1} = Y + P_k F."""
    given = {name: assume(h) for name, h in rewriting(U).items()}
    statement = Eq(R(k), Y - P(k) @ U)
    base = equal(R(0), Y - P(0) @ U, given["R_starts_as_targets"], given["P_starts_empty"])
    rewritten, added = (specialise(given[name], k) for name in ("R_rewritten", "P_adds_up"))
    step = equal(R(k + 1), Y - P(k + 1) @ U, rewritten, added, assume(statement))
    every = iterates(P, factor, added, induction(statement, k, base, step), at_rest)
    return equal(P(K), B - B @ power(factor, K), every, given["P_starts_empty"])


@proves(Eq(P(T + s), B), {**causal, **rewriting(Identity(T) - E)})
def stacking_sweeps() -> Fact:
    """Here I - U = E, which is 0 to the power T."""
    read = instantiate(stacked(Identity(T) - E, E, assume(a_pass["B_errors_of_a_pass"])), {"K": T + s})
    return equal(P(T + s), B, read, vanished())


# ------------------------------------------------------------------------------------------------- minibatches
S, M = sequence("S", f, f), sequence("M", m, f)
minibatches: dict[str, Formula] = {
    "S_symmetric": for_all(t, Eq(S(t).T, S(t))),
    "W_steps": for_all(t, Eq(W(t + 1), W(t) - gamma * (W(t) @ S(t + 1) - M(t + 1)))),
}


start = matrix("W₀", m, f)
at_once = start - gamma * summation(i, 1, T, start @ S(i) - M(i))


@proves(Eq(at_once, start - gamma * (start @ summation(i, 1, T, S(i)) - summation(i, 1, T, M(i)))))
def minibatches_at_once() -> Fact:
    """The slopes at one W_0 add up to the slope of all."""
    parts = [Mul((start, S(i))), Mul((-one, M(i)))]
    each = congruence(identity(start @ S(i) - M(i), Add(tuple(parts))), Sum, i, 1, T)
    summed = rewrite(rewrite(each, additive(i, 1, T, parts)), linear(i, 1, T, start, S(i)))
    summed = rewrite(summed, linear(i, 1, T, -one, M(i)))
    goal = cast(Eq, minibatches_at_once.conclusion)
    return equal(goal.lhs, goal.rhs, summed)


def kept(lo: Index | int, hi: Index) -> Term:
    """(I - γ S_hi) ... (I - γ S_lo)."""
    return product(l, lo, hi, Identity(f) - gamma * S(l))


@proves(Eq(W(T).T, kept(1, T) @ W(0).T + summation(i, 1, T, kept(i + 1, T) @ (gamma * M(i).T))), minibatches)
def minibatch_product() -> Fact:
    """W_{t+1}' = (I - γ S) W_t' + γ M', a linear recurrence: unrolled."""
    given = {name: assume(h) for name, h in minibatches.items()}
    symmetric, steps = specialise(given["S_symmetric"], t + 1), specialise(given["W_steps"], t)
    moved = equal(W(t + 1).T, (Identity(f) - gamma * S(t + 1)) @ W(t).T + gamma * M(t + 1).T, steps, symmetric)
    unrolled = instantiate(recurrence.unrolled.fact, {"n": f})
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


@proves(Eq(-released(N) @ q, step(W_1, N, gamma) @ q), first_step(N))
def released_two_steps() -> Fact:
    """The blocks hold -γ M, -γ S and -γ M: in all -(2γ M - γ² M S), which is -W_2."""
    goal, first = cast(Eq, released_two_steps.conclusion), assume(released_two_steps.hypotheses["first_step"])
    return equal(goal.lhs, goal.rhs, first, slope_is(None, N), slope_is(W_1, N))


@proves(Eq(-released(T) @ q, step(W_1, T, gamma) @ q), first_step(T))
def released_two_steps_prefix() -> Refuted:
    """One pair of two equal ones, γ = 1: the step fits it and a second one keeps it; the layer, whose one factor knows
    both pairs, gives 0."""
    alike = Table({(1,): column(1), (2,): column(1)}, column(0))
    point = {"f": 1, "m": 1, "N": 2, "T": 1, "γ": fmpq(1), "q": column(1), "x": alike, "y": alike, "W₁": column(1)}
    return refute(released_two_steps_prefix.sequent, point)


if __name__ == "__main__":
    main(__doc__)
