"""Rows for GD-SSM (arXiv 2410.11687), causal stacks and minibatches in turn: claims from `proofs.gd_ssm.stacks`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from flint import fmpq
from hypothesis import strategies as st

from proofs.gd_ssm import stacks as paper
from proofs.gd_ssm.one_step import descend, gamma, memory, rational, s, y
from proofs.kernel import Table
from proofs.terms import Identity
from ssmverify.breaks import lhs, rhs
from ssmverify.catalogue.gd_ssm.one_step import CODE, OURS
from ssmverify.catalogue.gd_ssm.steps import MINIBATCH
from ssmverify.rows import Theorem
from ssmverify.strategies import columns, matrices, rationals, tables, zeros

RELEASED = replace(
    CODE, read="its code for two steps, of which the skip connections are left out; not the paper's body"
)


# ---------------------------------------------------------------------------------------------- exact instances
def one_pass(X: Any, Y: Any, rates: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Weights before and after each pair, and the error that each step meets: X (f, T), Y (m, T)."""
    W, errors = [zeros(len(Y), len(X))], []
    for i, rate in enumerate(rates):
        pair = X[:, i : i + 1].T, Y[:, i : i + 1].T
        errors.append(pair[1].T - W[-1] @ pair[0].T)
        W.append(descend(*pair, W[-1], rate, 1))
    return W, errors


def fitting(X: Any) -> list[Any]:
    """For each input the rate 1/x'x; 1 for an input of 0."""
    norms = (x @ x for x in X.T)
    return [1 / norm if norm else fmpq(1) for norm in norms]


@st.composite
def passes(draw: st.DrawFn, fit: bool = False) -> Mapping[str, Any]:
    """A pass with rates of their own; if `fit`, those that fit each pair, no input of which is 0."""
    f, m, T = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 2))
    X, Y = draw(matrices(f, T + 1, rationals(1, 3) if fit else None)), draw(matrices(m, T + 1))
    rates = fitting(X) if fit else draw(st.lists(rationals(), min_size=T + 1, max_size=T + 1))
    W, errors = one_pass(X, Y, rates)
    unit = rational(np.eye(f, dtype=int)[:, :1])
    x, y = (
        Table({(i + 1,): Z[:, i : i + 1] for i in range(T + 1)}, after) for Z, after in ((X, unit), (Y, zeros(m, 1)))
    )
    beta = Table({(i,): rate for i, rate in enumerate(rates, 1)}, fmpq(1))
    # the pass goes on: later pairs have the input e_1, the target 0 and the rate 1, so one of them leaves W e_1 = 0
    met = Table({**{(i,): error for i, error in enumerate(errors, 1)}, (T + 2,): -W[-1] @ unit}, zeros(m, 1))
    after = W[-1] - W[-1] @ unit @ unit.T
    weights = Table({(t,): w for t, w in enumerate(W)}, after)
    return {"f": f, "m": m, "T": T, "β": beta, "x": x, "y": y, "e": met, "W": weights}


UNIT = [[1, 0], [0, -1], [fmpq(3, 5), fmpq(4, 5)], [fmpq(-5, 13), fmpq(12, 13)]]


@st.composite
def estimates(draw: st.DrawFn, until_rest: bool = False) -> Mapping[str, Any]:
    """Inputs, the errors of a pass of rate γ over them, and the layers that estimate those."""
    m, T, rate = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(rationals())
    X, Y = draw(matrices(2, T)), draw(matrices(m, T))
    E = -rate * np.triu(X.T @ X, 1)
    A = [draw(matrices(m, T))]
    for _ in range(T):
        A.append(Y + A[-1] @ E)
    B = np.concatenate(one_pass(X, Y, [rate] * T)[1], 1)
    layers = {"s" if until_rest else "K": draw(st.integers(0, 2)), "A": Table({(k,): a for k, a in enumerate(A)}, B)}
    return {"m": m, "T": T, "E": E, "Y": Y, "B": B, **layers}


def rewritten(Y: Any, U: Any, layers: int, afterwards: tuple[Any, Any]) -> dict[str, Table]:
    """R and P of so many layers, and what they are afterwards."""
    R, P = [Y], [0 * Y]
    for _ in range(layers):
        P.append(P[-1] + R[-1])
        R.append(R[-1] - R[-1] @ U)
    sides = zip("RP", (R, P), afterwards, strict=True)
    return {name: Table({(k,): z for k, z in enumerate(zs)}, end) for name, zs, end in sides}


@st.composite
def stacks(draw: st.DrawFn) -> Mapping[str, Any]:
    """U = I - F with F³ = 0, triangular or not, so that the layers come to an end; B U = Y."""
    m, one = draw(st.integers(1, 2)), rational(np.eye(3, dtype=int))
    shear = draw(rationals()) * one[:, [2]] @ one[[0]]
    F = (one + shear) @ np.triu(draw(matrices(3, 3)), 1) @ (one - shear)
    Y, U = draw(matrices(m, 3)), one - F
    B = Y @ (one + F + F @ F)
    return {
        "m": m,
        "T": 3,
        "K": draw(st.integers(0, 3)),
        "U": U,
        "Y": Y,
        "B": B,
        **rewritten(Y, U, 3, (zeros(m, 3), B)),
    }


@st.composite
def minibatches(draw: st.DrawFn) -> Mapping[str, Any]:
    f, m, T, rate = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 3)), draw(rationals())
    times = range(1, T + 2)
    symmetric = matrices(f, f).map(lambda A: A + A.T)
    S, M = draw(tables(times, symmetric, zeros(f, f))), draw(tables(times, matrices(m, f), zeros(m, f)))
    W = [draw(matrices(m, f))]
    for t in times:
        W.append(W[-1] - rate * (W[-1] @ S[(t,)] - M[(t,)]))
    return {
        "f": f,
        "m": m,
        "T": T,
        "γ": rate,
        "S": S,
        "M": M,
        "W": Table(dict(zip(((t,) for t in range(T + 2)), W, strict=True)), W[-1]),
    }


@st.composite
def contexts(draw: st.DrawFn) -> Mapping[str, Any]:
    """A context of N pairs, and the first step on it."""
    f, m, N, rate = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(rationals())
    times = range(1, N + 2)
    pairs = {"x": draw(tables(times, columns(f), zeros(f, 1))), "y": draw(tables(times, columns(m), zeros(m, 1)))}
    point = {"f": f, "m": m, "N": N, "γ": rate, "q": draw(columns(f)), **pairs}
    return {**point, "W₁": first_step(point, N)}


def first_step(point: Mapping[str, Any], T: int) -> Any:
    """One step from zero on the pairs up to T."""
    outer = (point["y"][(i,)] @ point["x"][(i,)].T for i in range(1, T + 1))
    return point["γ"] * sum(outer, zeros(point["m"], point["f"]))


@st.composite
def prefixes(draw: st.DrawFn) -> Mapping[str, Any]:
    """A context and a prefix of it, and the first step on that."""
    point, T = draw(contexts()), draw(st.integers(1, 2))
    return {**point, "T": T, "W₁": first_step(point, T)}


# ------------------------------------------------------------------------------------------------- the theorems
T = paper.T

pass_errors = Theorem(
    paper.pass_errors,
    source=OURS,
    says="One pass over the pairs, a step on each with a rate of its own (the delta rule), meets errors of which each "
    "is its target less what the errors before explain of it.",
    breaks={
        "targets for errors": rhs(y(T + 1)),
        "errors that explain twice as much": rhs(y(T + 1) - 2 * paper.explained(T)),
    },
)

kaczmarz = Theorem(
    paper.kaczmarz,
    instances=lambda: passes(fit=True),
    source=OURS,
    says="If each step fits its pair, β = 1/x'x, which is the Kaczmarz sweep, the errors times their rates explain "
    "each target in full, its own pair included: they are Y A^{-1}, A the products x_l'x_i for l <= i.",
    breaks={
        "its own pair not included": lhs(paper.explained(T)),
        "one pair more": lhs(paper.explained(T + 2)),
    },
)

before, further = paper.picard_error.rhs.terms  # type: ignore[attr-defined]
picard_error = Theorem(
    paper.picard_error,
    instances=estimates,
    source=OURS,
    says="A causal stack whose layers estimate each error from the layer below, one pair before, is off one pass "
    "(the delta rule) by (A_0 - B) E^K after K layers, exactly. E has the factor γ, so that is of order γ^K, in "
    "the weights γ^{K+1}.",
    breaks={
        "no error": rhs(before),
        "the error of one layer more": rhs(paper.B + (paper.A(0) - paper.B) @ paper.power(paper.E, paper.K + 1)),
        "the other sign": rhs(before - further),
    },
)

picard = Theorem(
    paper.picard,
    instances=lambda: estimates(until_rest=True),
    source=OURS,
    says="A stack that estimates each error from the layer below, one pair before, is one pass over the T pairs "
    "exactly from layer T on, whatever the first estimates: E is nilpotent.",
    breaks={
        "two layers": lhs(paper.A(2)),
        "as many layers fewer as there are pairs": lhs(paper.A(s)),
    },
)

stacking_error = Theorem(
    paper.stacking_error,
    instances=stacks,
    source=OURS,
    says="What the causal stack that rewrites targets does instead of K steps: for any γ, what K layers have read is "
    "off the Kaczmarz sweep B = Y U^{-1} by B (I - U)^K, exactly. If 0 < γ x'x < 2 for each input, that goes to 0 "
    "as K grows. With all products x_l'x_i in U, not those for l <= i alone, it is K steps (gd_ssm.dual).",
    by_hand=(
        "I - U is triangular with 1 - γ x'x on its diagonal, and so has powers that go to 0 just if all those are less "
        "than 1 in size.",
    ),
    breaks={
        "no error": rhs(paper.B),
        "the error of one layer more": rhs(paper.B - paper.B @ paper.power(Identity(T) - paper.U, paper.K + 1)),
        "the targets left": rhs(paper.Y - paper.stacking_error.rhs),
    },
)

stacking_sweeps = Theorem(
    paper.stacking_sweeps,
    source=OURS,
    says="If γ x'x = 1, so that a layer takes R (I - E) off R, then T or more layers have read the errors of one pass "
    "over the T pairs, the Kaczmarz sweep, with nothing left.",
    breaks={
        "one layer": lhs(paper.P(1)),
        "as many layers fewer as there are pairs": lhs(paper.P(s)),
        "nothing rewritten": rhs(paper.Y),
    },
)

minibatches_at_once = Theorem(
    paper.minibatches_at_once,
    source=MINIBATCH,
    says="Read as: the gradients of all minibatches, each taken at W_0. Their sum is one step on all pairs, so a "
    "recurrence with decay 1 does it.",
    breaks={"the last minibatch alone": rhs(paper.start - gamma * (paper.start @ paper.S(T) - paper.M(T)))},
)

kept_start, learned = paper.minibatch_product.rhs.terms  # type: ignore[attr-defined]
minibatch_product = Theorem(
    paper.minibatch_product,
    instances=minibatches,
    source=OURS,
    says="Minibatch steps in turn, written out: what minibatch b taught is multiplied by I - γ S of every later one. "
    "Minibatches of one pair give the delta rule; for f = 1 the factors are numbers, which a gate can be.",
    breaks={"all gradients at the start": rhs(paper.W(0).T + learned)},
)

released_two_steps = Theorem(
    paper.released_two_steps,
    source=RELEASED,
    says="The released model of two steps, three blocks of which one is multiplied by the state of another at the end "
    "of the context, is two steps from zero at the end of the context.",
    breaks={
        "one block fewer": lhs((-paper.released(paper.N) - gamma * memory(paper.N)) @ paper.q),
        "one step": rhs(paper.W_1 @ paper.q),
    },
)

released_on_prefix = Theorem(
    paper.released_two_steps_prefix,
    source=RELEASED,
    says="Nothing of what its earlier outputs are: read as two steps on each prefix they are not: they know the end.",
    breaks={"one step as well": rhs(paper.W_1 @ paper.q)},
)
