"""Rows for GD-SSM (arXiv 2410.11687), several steps: claims from `proofs.gd_ssm.steps`, the layer from `numeric`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from numeric import gd_ssm as layers
from numeric.attention import attended, collected
from proofs.gd_ssm import steps as paper
from proofs.gd_ssm.one_step import descend, memory
from proofs.kernel import Table
from proofs.terms import And, Eq, substitute
from ssmverify.breaks import rhs
from ssmverify.catalogue.gd_ssm.one_step import ABSTRACT, OURS, single
from ssmverify.rows import Layer, Theorem
from ssmverify.strategies import columns, exact, floats, rationals, tables, tensors, zeros

POSTER = replace(
    ABSTRACT,
    arxiv="",
    place="abstract of the authors' poster at SNUFA 2025",
    words="this framework naturally extends to multi-step optimization by stacking layers",
    read="that abstract, and the authors' code; not the paper's body, which may stack in another way",
)
MINIBATCH = replace(
    POSTER,
    words="We prove that a single-layer SSM, equipped with multiplicative input-output gating, can precisely emulate "
    "one step of mini-batch GD on a least-squares objective.",
    read="that abstract; `gd_ssm.one_step` is the reading with one minibatch, the context",
)


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def descents(draw: st.DrawFn, stack: bool = True) -> Mapping[str, Any]:
    """K steps with rates of their own, 0 afterwards; with a stack, its queries."""
    f, m, T, K = (draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 2)), draw(st.integers(0, 3)))
    pairs = range(1, T + 2)
    x = draw(tables(pairs, columns(f), zeros(f, 1)))
    y = draw(tables(pairs, columns(m), zeros(m, 1)))
    q, rates = draw(columns(f)), draw(tables(range(1, 4), rationals()))
    X, Y = (np.array([z[(i,)][:, 0] for i in range(1, T + 1)]).reshape(T, n) for z, n in ((x, f), (y, m)))
    W, v = [zeros(m, f)], [zeros(f, 1)]
    for k in range(1, 5):
        W.append(descend(X, Y, W[-1], rates[(k,)], 1) if T else W[-1])
        v.append(v[-1] + rates[(k,)] * (q - X.T @ (X @ v[-1]) if T else q))
    point = {"f": f, "m": m, "T": T, "K": K, "x": x, "y": y, "γ": rates, "W": _steps(W)}
    return {**point, "q": q, "v": _steps(v)} if stack else point


def _steps(values: list[Any]) -> Table:
    return Table({(k,): value for k, value in enumerate(values)}, values[-1])


# --------------------------------------------------------------------------------------------------- the layer
@st.composite
def inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Tensor]:
    f, m, N, K = (draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(0, 3)))
    entries = floats(dtype)
    return {
        "x": draw(tensors((1, N + 1, f), dtype, entries)),
        "y": draw(tensors((1, N, m), dtype, entries)),
        "rates": draw(tensors((K,), dtype, entries)),
    }


def exactly(x: Tensor, y: Tensor, rates: Tensor) -> tuple[Any, ...]:
    """Gradient descent on each prefix, from its definition."""
    keys, targets, steps = exact(x)[0], exact(y)[0], exact(rates)
    predictions = np.empty((1, *targets.shape), dtype=object)
    for j in range(1, len(keys)):
        W = zeros(targets.shape[1], keys.shape[1])
        for rate in steps:
            W = descend(keys[:j], targets[:j], W, rate, 1)
        predictions[0, j - 1] = W @ keys[j]
    return (predictions,)


def rewrites_targets(x: Tensor, y: Tensor, rates: Tensor) -> tuple[Tensor, ...]:
    """The causal stack that replaces targets by their errors and adds its predictions up."""
    keys, total = x[:, :-1], torch.zeros_like(y)
    for rate in rates:
        state = collected(y, keys)
        total = total + rate * attended(state, x[:, 1:])
        y = y - rate * attended(state, keys)
    return (total,)


layer = Layer(
    "numeric.gd_ssm.multi_step",
    single(layers.multi_step),
    exactly,
    None,
    inputs,
    (layers.rewritten_query,),
)


# ------------------------------------------------------------------------------------------------- the theorems
matrix_goal = paper.minibatches_need_a_matrix.conclusion

multi_step_query = Theorem(
    paper.multi_step_query,
    source=OURS,
    says="A stack that rewrites the query, v <- v + γ_k (q - S v), and reads M v at the end is exactly K steps of "
    "gradient descent from zero, on every prefix, with the same rates in the same order.",
    layers=(layer,),
    breaks={
        "one layer fewer": rhs(substitute(paper.multi_step_query.rhs, {"K": paper.K + 1})),
        "the stack that rewrites targets": rewrites_targets,
    },
)

stacking = Theorem(
    paper.multi_step_by_stacking,
    source=POSTER,
    says="Read as: each layer takes a step and hands on the errors, as a stack of attention layers does. A causal "
    "layer's errors are those of prefixes; already two layers on two pairs are not two steps. What it does instead: "
    "gd_ssm.stacking_error.",
    breaks={"one pass over the pairs as well": rhs(paper.sweep(paper.two_pairs))},
)

closed_form = Theorem(
    paper.closed_form,
    source=OURS,
    says="K steps from zero, written out: W' is the sum of (I - γ_K S) ... (I - γ_{k+1} S) γ_k times M'; for one rate "
    "W = γ M times the sum of the powers of I - γ S below the K-th. A polynomial of degree 2K in the tokens.",
    breaks={
        "one step fewer": rhs(substitute(paper.closed_form.rhs, {"K": paper.K + 1})),
        "the first step alone": rhs(paper.g(1) * memory(paper.T).T),
    },
)

left_over = Theorem(
    paper.left_over,
    instances=lambda: descents(stack=False),
    source=OURS,
    says="What K steps leave of the gradient, M - W S, is M (I - γ_K S) ... (I - γ_1 S).",
    breaks={"one step fewer": rhs(substitute(paper.left_over.rhs, {"K": paper.K + 1}))},
)

dual = Theorem(
    paper.dual,
    source=OURS,
    says="K steps on features need their inner products alone: W q = A X'q, where A moves by A X'X - Y. Against "
    "gd_ssm.stacking_error: all of X'X stands here, its upper triangle there.",
    breaks={
        "one step fewer": rhs(paper.A(paper.K + 1) @ (paper.X.T @ paper.q)),
        "the targets for A": rhs(paper.Y @ (paper.X.T @ paper.q)),
    },
)

in_turn = Theorem(
    paper.sequential_minibatches,
    source=MINIBATCH,
    says="Read as: a step for each minibatch, one after the other during one pass. The layer takes all gradients at "
    "zero; already two minibatches of one pair differ.",
    breaks={"two full steps as well": rhs(paper.two_steps(paper.two_pairs))},
)

diagonal_minibatches = Theorem(
    paper.minibatches_need_a_matrix,
    source=OURS,
    says="No gates mend it for f >= 2: whatever the gates of the entries, even if they read the tokens, the layer "
    "gives 0 where two minibatch steps in turn give -γ² y_1 x_11 x_21 x_22 q_2.",
    breaks={
        "without the second entry of the second input": And(
            (
                matrix_goal.parts[0],  # type: ignore[attr-defined]
                Eq(
                    paper.sweep_by_entries(),
                    -(paper.gamma * paper.gamma) * (paper.y_1 * paper.x_1 * paper.x_2 * paper.q_2),
                ),
            )
        )
    },
)
