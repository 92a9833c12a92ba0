"""Rows for linear attention: claims from `proofs.attention`, layers from `numeric.attention`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from numeric import attention as layers
from proofs import attention as paper
from proofs.gd_ssm.one_step import descend, output, rational
from proofs.kernel import Table
from proofs.terms import substitute, term
from ssmverify.breaks import lhs, rhs
from ssmverify.catalogue.gd_ssm.one_step import OURS, single
from ssmverify.rows import Layer, Source, Theorem
from ssmverify.strategies import columns, exact, floats, matrices, rationals, tables, tensors, zeros

PROPOSITION = Source(
    "Transformers learn in-context by gradient descent",
    "2212.07677",
    "Proposition 1 and appendix A.1",
    read="the full text with its appendices; the statement is paraphrased",
)
STACK = replace(PROPOSITION, place="section 3 and appendix A.1, several layers")
RECURRENCE = Source("Transformers are RNNs", "2006.16236", read="remembered; re-derived")


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def recurrences(draw: st.DrawFn) -> Mapping[str, Any]:
    f, m, T = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 3))
    times = range(1, T + 3)
    k = draw(tables(times, columns(f), zeros(f, 1)))
    v = draw(tables(times, columns(m), zeros(m, 1)))
    states = [zeros(m, f)]
    for t in times:
        states.append(states[-1] + v[(t,)] @ k[(t,)].T)
    S = Table({(t,): state for t, state in enumerate(states)}, states[-1])
    return {"f": f, "m": m, "T": T, "q": draw(columns(f)), "k": k, "v": v, "S": S}


@st.composite
def scatters(draw: st.DrawFn) -> Mapping[str, Any]:
    f, N = draw(st.integers(1, 2)), draw(st.integers(0, 3))
    return {"f": f, "N": N, "c": draw(rationals()), "x": draw(tables(range(1, N + 2), columns(f), zeros(f, 1)))}


@st.composite
def token_layouts(draw: st.DrawFn, asked: bool = False, shrink: bool = False) -> Mapping[str, Any]:
    """Inputs before targets or after them, and padding that is nobody's; asked: the query's token starts at -W_0 q."""
    f, m, N, padding = (draw(st.integers(low, 2)) for low in (1, 1, 0, 0))
    whole = rational(np.eye(f + m + padding, dtype=int))
    P, R = (whole[:f], whole[f : f + m]) if draw(st.booleans()) else (whole[m : m + f], whole[:m])
    pairs = range(N + 2)
    x, y = draw(tables(pairs, columns(f), zeros(f, 1))), draw(tables(pairs, columns(m), zeros(m, 1)))
    q, W0 = draw(columns(f)), draw(matrices(m, f))
    z = -(W0 @ q) if asked else draw(columns(m))
    e: dict[tuple[int, ...], Any] = {(i,): P.T @ x[(i,)] + R.T @ y[(i,)] for i in pairs}
    point = {"f": f, "m": m, "p": f + m + padding, "N": N, "P": P, "R": R, "x": x, "y": y, "q": q, "z": z}
    tokens = {"e": Table(e, zeros(f + m + padding, 1)), "e₀": P.T @ q + R.T @ z}
    second = {"c": draw(rationals())} if shrink else {}
    return {**point, **tokens, **second, "W₀": W0, "γ": draw(rationals())}


@st.composite
def stacks(draw: st.DrawFn) -> Mapping[str, Any]:
    f, m, N, K = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 3))
    X, q, rates = draw(matrices(f, N)), draw(columns(f)), draw(tables(range(1, 4), rationals()))
    Y, W = [draw(matrices(m, N))], [draw(matrices(m, f))]
    z = [-W[0] @ q]
    for k in range(1, 5):
        errors = W[0] @ X - Y[-1]
        z.append(z[-1] + rates[(k,)] * (errors @ X.T @ q))
        W.append(W[-1] - rates[(k,)] * ((W[-1] @ X - Y[0]) @ X.T))
        Y.append(Y[-1] + rates[(k,)] * (errors @ X.T @ X))
    families = {"Y": Y, "W": W, "z": z}
    point = {"f": f, "m": m, "N": N, "K": K, "X": X, "q": q, "γ": rates}
    return {**point, **{name: Table({(k,): u for k, u in enumerate(us)}, us[-1]) for name, us in families.items()}}


# -------------------------------------------------------------------------------------------------- the layers
@st.composite
def sequences(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Tensor]:
    f, m, T = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(0, 4))
    shapes = {"q": (1, T, f), "k": (1, T, f), "v": (1, T, m)}
    return {name: draw(tensors(shape, dtype, floats(dtype))) for name, shape in shapes.items()}


@st.composite
def contexts(draw: st.DrawFn, dtype: torch.dtype, steps: tuple[int, int] = (0, 3)) -> dict[str, Tensor]:
    f, m, N, K = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(*steps))
    shapes = {"x": (1, N, f), "y": (1, N, m), "q": (1, 1, f), "W0": (m, f), "rates": (K,)}
    return {name: draw(tensors(shape, dtype, floats(dtype))) for name, shape in shapes.items()}


def attention_exactly(q: Tensor, k: Tensor, v: Tensor) -> tuple[Any, ...]:
    """The sum itself."""
    queries, keys, values = (exact(each)[0] for each in (q, k, v))
    out = np.empty((1, *values.shape), dtype=object)
    for t in range(len(queries)):
        out[0, t] = values[: t + 1].T @ (keys[: t + 1] @ queries[t])
    return (out,)


def descent_exactly(x: Tensor, y: Tensor, q: Tensor, W0: Tensor, rates: Tensor) -> tuple[Any, ...]:
    """Gradient descent on the context, from its definition."""
    inputs, targets, W = exact(x)[0], exact(y)[0], exact(W0)
    for rate in exact(rates):
        W = descend(inputs, targets, W, rate, 1)
    return ((exact(q)[0] @ W.T)[None],)


def query_among_keys(x: Tensor, y: Tensor, q: Tensor, W0: Tensor, rates: Tensor) -> tuple[Tensor, ...]:
    """The query's token is a key and a value as well."""
    answers = -(q @ W0.mT)
    return (layers.descent_stack(torch.cat([x, q], 1), torch.cat([y, answers], 1), q, W0, rates),)


def causal(x: Tensor, y: Tensor, q: Tensor, W0: Tensor, rates: Tensor) -> tuple[Tensor, ...]:
    """Each pair sees the pairs up to itself alone."""
    residuals, total = x @ W0.mT - y, q @ W0.mT
    for rate in rates:
        state = layers.collected(residuals, x)
        total = total - rate * (q @ state[:, -1].mT)
        residuals = residuals - rate * layers.attended(state, x)
    return (total,)


attention_layer = Layer(
    "numeric.attention.linear_attention",
    single(layers.linear_attention),
    attention_exactly,
    None,
    sequences,
)
step_layer = Layer(
    "numeric.attention.self_attention",
    single(layers.descent_stack),
    descent_exactly,
    None,
    lambda dtype: contexts(dtype, (1, 1)),
    (layers.self_attention,),
)
stack_layer = Layer(
    "numeric.attention.descent_stack",
    single(layers.descent_stack),
    descent_exactly,
    None,
    contexts,
)


# ------------------------------------------------------------------------------------------------- the theorems
def shifted(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, ...]:
    """The state read before it is written."""
    return (layers.linear_attention(q, k, v) - v * (k * q).sum(-1, keepdim=True),)


recurrence = Theorem(
    paper.recurrence,
    instances=recurrences,
    source=RECURRENCE,
    says="Causal attention without softmax is a recurrence with the state S_t = S_{t-1} + v_t k_t'.",
    layers=(attention_layer,),
    breaks={"the state before the write": shifted},
)

exact_step, own_error = paper.query_as_key.rhs.terms  # type: ignore[attr-defined]
inputs_moved, _ = paper.gd_plus_plus.rhs.terms  # type: ignore[attr-defined]

gd_ssm_layer = Theorem(
    paper.gd_ssm,
    source=OURS,
    says="GD-SSM's layer on raw tokens is γ times linear attention with the keys x_i, the values y_i and the next "
    "input for a query. So a parallel scan computes it, as it does linear attention (recurrence.scan_operator).",
    breaks={
        "without γ": rhs(paper.gd_ssm.rhs.factors[1]),  # type: ignore[attr-defined]
        "the layer's own sign": lhs(output),
    },
)

one_step = Theorem(
    paper.one_step,
    instances=token_layouts,
    source=PROPOSITION,
    says="One layer changes every token's target entry by -ΔW x, ΔW one step of gradient descent from W_0.",
    layers=(step_layer,),
    breaks={
        "up the gradient": rhs(paper.P.T @ paper.q + paper.R.T @ paper.uphill),
        "the query among the keys and values": query_among_keys,
    },
)

query_as_key = Theorem(
    paper.query_as_key,
    instances=lambda: token_layouts(asked=True),
    source=replace(PROPOSITION, place="appendix A.1, whose keys and values may hold the query"),
    says="With the query's token among the keys and values the prediction is off by -2γ ‖q‖² W_0 q: not at all from "
    "W_0 = 0, which is why W_0 near 0 is asked for.",
    breaks={
        "no error": rhs(exact_step),
        "half of it": rhs(exact_step + term(1) / 2 * own_error),
    },
)

plus_plus = Theorem(
    paper.gd_plus_plus,
    instances=lambda: token_layouts(shrink=True),
    source=replace(PROPOSITION, place="appendix A.10, GD++"),
    says="Values that hold -c x_i beside the error take the step and, at the same time, the inputs x to (I - c S) x.",
    breaks={
        "the targets moved by the inputs that come out": rhs(
            inputs_moved + paper.R.T @ (paper.z - paper.moved @ paper.P @ inputs_moved)
        )
    },
)

bent = Theorem(
    paper.gd_plus_plus_scatter,
    instances=scatters,
    source=replace(PROPOSITION, place="appendix A.10, GD++"),
    says="A layer of GD++ makes S - 2c S² + c² S³ of the inputs' scatter: λ (1 - c λ)² of each eigenvalue λ.",
    breaks={"one side of the scatter alone": rhs(paper.S_x - paper.shrink * (paper.S_x @ paper.S_x))},
)

stack = Theorem(
    paper.stack,
    source=STACK,
    says="K layers of the same weights are K steps, if every token sees the whole context.",
    layers=(stack_layer,),
    breaks={
        "one step more": rhs(substitute(paper.stack.rhs, {"K": paper.K + 1})),
        "a causal stack": causal,
    },
)
