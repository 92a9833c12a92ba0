"""Rows for GD-SSM (arXiv 2410.11687), causal stacks and minibatches in turn: claims from `proofs.gd_ssm_stacks`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from flint import fmpq
from hypothesis import strategies as st

from proofs import gd_ssm_stacks as paper
from proofs.evaluation import Table
from proofs.gd_ssm import descend, gamma, memory, rational, s, y
from ssmverify.catalogue.gd_ssm import CODE, OURS
from ssmverify.mutation import with_lhs, with_rhs
from ssmverify.strategies import columns, matrices, rationals, tables, zeros
from ssmverify.theorem import Mutant, Theorem

RELEASED = replace(
    CODE, read="its code for two steps, of which the skip connections are left out; not the paper's body"
)


# ---------------------------------------------------------------------------------------------- exact instances
def one_pass(X: Any, Y: Any, rate: Any) -> tuple[list[Any], list[Any]]:
    """Weights before and after each pair, and the error that each step meets: X (f, T), Y (m, T)."""
    W, errors = [zeros(len(Y), len(X))], []
    for i in range(X.shape[1]):
        pair = X[:, i : i + 1].T, Y[:, i : i + 1].T
        errors.append(pair[1].T - W[-1] @ pair[0].T)
        W.append(descend(*pair, W[-1], rate, 1))
    return W, errors


@st.composite
def passes(draw: st.DrawFn) -> Mapping[str, Any]:
    f, m, T, rate = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 2)), draw(rationals())
    X, Y = draw(matrices(f, T + 1)), draw(matrices(m, T + 1))
    W, errors = one_pass(X, Y, rate)
    pairs = {
        name: Table({(i + 1,): Z[:, i : i + 1] for i in range(T + 1)}, zeros(len(Z), 1))
        for name, Z in (("x", X), ("y", Y))
    }
    met = Table({(i,): error for i, error in enumerate(errors, 1)}, zeros(m, 1))
    weights = Table({(t,): w for t, w in enumerate(W)}, W[-1])
    return {"f": f, "m": m, "T": T, "γ": rate, **pairs, "e": met, "W": weights}


UNIT = [[1, 0], [0, -1], [fmpq(3, 5), fmpq(4, 5)], [fmpq(-5, 13), fmpq(12, 13)]]


@st.composite
def stacks(draw: st.DrawFn, from_targets: bool = False) -> Mapping[str, Any]:
    """Inputs with γ x'x = 1, the errors of a pass over them, and the layers of a stack until they no longer change."""
    m, T, root = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(rationals(1, 3))
    inputs = draw(st.lists(st.sampled_from(UNIT), min_size=T, max_size=T))
    X = root * np.array([[fmpq(e) for e in unit] for unit in inputs], dtype=object).T
    Y = draw(matrices(m, T))
    rate = 1 / root**2
    E, one = -rate * np.triu(X.T @ X, 1), rational(np.eye(T, dtype=int))
    B = np.concatenate(one_pass(X, Y, rate)[1], 1)
    point = {"m": m, "T": T, "s": draw(st.integers(0, 2)), "E": E, "Y": Y, "B": B}
    if not from_targets:
        A = [draw(matrices(m, T))]
        for _ in range(T):
            A.append(Y + A[-1] @ E)
        return {**point, "A": Table({(k,): a for k, a in enumerate(A)}, B)}
    R, P = [Y], [zeros(m, T)]
    for _ in range(T):
        P.append(P[-1] + R[-1])
        R.append(R[-1] - R[-1] @ (one - E))
    layers = {"R": (R, zeros(m, T)), "P": (P, B)}
    return {**point, **{name: Table({(k,): z for k, z in enumerate(zs)}, end) for name, (zs, end) in layers.items()}}


@st.composite
def at_rest(draw: st.DrawFn) -> Mapping[str, Any]:
    f, m, rate = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(rationals())
    x, p, V = draw(columns(f, rationals(1, 3))), draw(columns(m)), draw(matrices(m, f))
    after = V + rate * (p @ x.T)
    return {"f": f, "m": m, "γ": rate, "x": x, "p": p, "V": V, "V'": after, "y": after @ x}


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
    claim=paper.pass_errors,
    proof=paper.prove_pass_errors,
    instances=passes,
    source=OURS,
    says="One pass over the pairs, a step on each (the delta rule; with γ = 1/x'x the Kaczmarz sweep), meets errors of "
    "which each is its target less what the errors before explain of it: B = Y + B E, column by column.",
    mutants=(
        Mutant("targets for errors", claim=with_rhs(paper.pass_errors, y(T + 1))),
        Mutant(
            "errors that explain twice as much",
            claim=with_rhs(paper.pass_errors, y(T + 1) - 2 * paper.explained),
        ),
    ),
)

picard = Theorem(
    claim=paper.picard,
    proof=paper.prove_picard,
    instances=stacks,
    source=OURS,
    says="A causal stack whose layers estimate each error from the layer below, one pair before, is that pass exactly "
    "from layer T on, whatever the first estimates: E is nilpotent.",
    mutants=(
        Mutant("two layers", claim=with_lhs(paper.picard, paper.A(2))),
        Mutant("as many layers fewer as there are pairs", claim=with_lhs(paper.picard, paper.A(s))),
    ),
)

stacking_sweeps = Theorem(
    claim=paper.stacking_sweeps,
    proof=paper.prove_stacking_sweeps,
    instances=lambda: stacks(from_targets=True),
    source=OURS,
    says="What the causal stack that rewrites targets does instead of K steps: if γ x'x = 1, so that a layer takes "
    "R (I - E) off R, then T or more layers have read the errors of one pass over the T pairs, the Kaczmarz sweep.",
    mutants=(
        Mutant("one layer", claim=with_lhs(paper.stacking_sweeps, paper.P(1))),
        Mutant("as many layers fewer as there are pairs", claim=with_lhs(paper.stacking_sweeps, paper.P(s))),
        Mutant("nothing rewritten", claim=with_rhs(paper.stacking_sweeps, paper.Y)),
    ),
)

stacking_rests = Theorem(
    claim=paper.stacking_rests,
    proof=paper.prove_stacking_rests,
    instances=at_rest,
    source=OURS,
    says="For any γ: where that stack has nothing left of a target, the reads of its pair have moved the weights by a "
    "normalised step. So where it comes to rest it has done the Kaczmarz sweep. (That it does so is not claimed.)",
    mutants=(
        Mutant(
            "a step of rate γ",
            claim=with_rhs(paper.stacking_rests, paper.V + gamma * ((paper.y_1 - paper.V @ paper.x_1) @ paper.x_1.T)),
        ),
    ),
)

kept_start, learned = paper.minibatch_product.conclusion.rhs.terms  # type: ignore[attr-defined]
minibatch_product = Theorem(
    claim=paper.minibatch_product,
    proof=paper.prove_minibatch_product,
    instances=minibatches,
    source=OURS,
    says="Minibatch steps in turn, written out: what minibatch b taught is multiplied by I - γ S of every later one. "
    "Minibatches of one pair give the delta rule; for f = 1 the factors are numbers, which a gate can be.",
    mutants=(Mutant("all gradients at the start", claim=with_rhs(paper.minibatch_product, paper.W(0).T + learned)),),
)

released_two_steps = Theorem(
    claim=paper.released_two_steps,
    proof=paper.prove_released,
    instances=contexts,
    source=RELEASED,
    says="The released model of two steps, three blocks of which one is multiplied by the state of another at the end "
    "of the context, is two steps from zero at the end of the context.",
    mutants=(
        Mutant(
            "one block fewer",
            claim=with_lhs(paper.released_two_steps, (-paper.released(paper.N) - gamma * memory(paper.N)) @ paper.q),
        ),
        Mutant("one step", claim=with_rhs(paper.released_two_steps, paper.W_1 @ paper.q)),
    ),
)

released_on_prefix = Theorem(
    claim=paper.released_on_prefix,
    proof=paper.refute_released_on_prefix,
    instances=prefixes,
    source=RELEASED,
    says="Nothing of what its earlier outputs are: read as two steps on each prefix they are not: they know the end.",
    mutants=(Mutant("one step as well", claim=with_rhs(paper.released_on_prefix, paper.W_1 @ paper.q)),),
)

theorems = (
    pass_errors,
    picard,
    stacking_sweeps,
    stacking_rests,
    minibatch_product,
    released_two_steps,
    released_on_prefix,
)
