"""Rows for the delta rule and its neighbours: claims from `proofs.delta`, the layer from `numeric.scan`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from flint import fmpq, fmpq_mat
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from torch import Tensor

from numeric import mesa as mesa_layers
from numeric import ttt as ttt_layers
from numeric.bounds import delta_scan_bound, read_bound
from numeric.scan import delta_scan
from numeric.scan.delta import fused as delta_fused
from proofs import delta as paper
from proofs.gd_ssm.one_step import descend, rational
from proofs.kernel import Table
from proofs.terms import And, Eq, Identity, Term, UniqueMinimiser
from ssmverify.breaks import rhs
from ssmverify.rows import Layer, Source, Theorem
from ssmverify.strategies import columns, exact, floats, matrices, points, rationals, tables, tensors, zeros

SCHLAG = Source(
    "Linear Transformers Are Secretly Fast Weight Programmers",
    "2102.11174",
    "equation 25",
    read="remembered; re-derived",
)
PROXIMAL = Source(
    "Longhorn: State Space Models are Amortized Online Learners",
    "2407.14207",
    "Theorem 3.1",
    read="secondary quotations of the theorem; that its update is the implicit step is derived here",
)
MESA = Source(
    "Uncovering mesa-optimization algorithms in Transformers",
    "2309.05858",
    "the mesa-layer",
    read="remembered; re-derived",
)
SUN = Source(
    "Learning to (Learn at Test Time): RNNs with Expressive Hidden States",
    "2407.04620",
    "TTT-linear and its dual form",
    read="remembered; re-derived",
)


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def steps(draw: st.DrawFn, strengths: SearchStrategy[fmpq] | None = None) -> Mapping[str, Any]:
    n, d = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    families = {"S": matrices(d, n), "k": columns(n), "v": columns(d), "a": columns(d), "b": columns(n)}
    return draw(points(n=n, d=d, **families, β=rationals() if strengths is None else strengths))


@st.composite
def minibatches(draw: st.DrawFn) -> Mapping[str, Any]:
    """The states of one minibatch."""
    n, d, T, eta = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 3)), draw(rationals())
    times = range(1, T + 3)
    k, v = draw(tables(times, columns(n), zeros(n, 1))), draw(tables(times, columns(d), zeros(d, 1)))
    W = [draw(matrices(d, n))]
    for t in times:
        W.append(W[-1] - 2 * eta * ((W[0] @ k[(t,)] - v[(t,)]) @ k[(t,)].T))
    states = Table({(t,): state for t, state in enumerate(W)}, W[-1])
    return {"n": n, "d": d, "T": T, "η": eta, "q": draw(columns(n)), "k": k, "v": v, "W": states}


# -------------------------------------------------------------------------------------------------- the layers
@st.composite
def inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Tensor]:
    n, d, T = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(0, 4))
    shapes = {"q": (1, T, n), "k": (1, T, n), "v": (1, T, d), "beta": (1, T), "S0": (1, d, n)}
    return {name: draw(tensors(shape, dtype, floats(dtype))) for name, shape in shapes.items()}


def run(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, S0: Tensor) -> tuple[Tensor, ...]:
    return (delta_scan(q, k, v, beta, S0, backend="reference")[0],)


def exactly(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, S0: Tensor) -> tuple[Any, ...]:
    """Gradient descent on one pair after the other, from its definition."""
    queries, keys, values, strengths, S = (exact(each)[0] for each in (q, k, v, beta, S0))
    out = np.empty((1, *values.shape), dtype=object)
    for t in range(len(keys)):
        S = descend(keys[t : t + 1], values[t : t + 1], S, strengths[t], 1)
        out[0, t] = S @ queries[t]
    return (out,)


def bound(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, S0: Tensor) -> tuple[Tensor, ...]:
    *_, states = delta_scan(q, k, v, beta, S0, states=True, backend="reference")
    return (read_bound(states, q, delta_scan_bound(k, v, beta, states, S0)),)


def all_at_once(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, S0: Tensor) -> tuple[Tensor, ...]:
    """Every gradient at the first state: linear attention on the errors."""
    written = (beta.unsqueeze(-1) * (v - k @ S0.mT)).unsqueeze(-1) * k.unsqueeze(-2)
    states = S0.unsqueeze(1) + written.cumsum(1)
    return ((states @ q.unsqueeze(-1)).squeeze(-1),)


layer = Layer("numeric.scan.delta_scan", run, exactly, bound, inputs, (delta_fused.write,))


@st.composite
def regressions(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Tensor]:
    n, d, T = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(0, 4))
    shapes = {"q": (1, T, n), "k": (1, T, n), "v": (1, T, d)}
    drawn = {name: draw(tensors(shape, dtype, floats(dtype, 1.0))) for name, shape in shapes.items()}
    return {**drawn, "lam": draw(tensors((), dtype, st.floats(2**-6, 1, width=32)))}


def ridge_exactly(q: Tensor, k: Tensor, v: Tensor, lam: Tensor) -> tuple[Any, ...]:
    """Ridge regression on each prefix, from its definition: (I/λ + K'K) F' = K'V, solved."""
    queries, keys, values, penalty = *(exact(each)[0] for each in (q, k, v)), 1 / exact(lam)[()]
    out, n = np.empty((1, *values.shape), dtype=object), keys.shape[1]
    for t in range(len(keys)):
        K, V = keys[: t + 1], values[: t + 1]
        scatter = fmpq_mat((penalty * rational(np.eye(n, dtype=int)) + K.T @ K).tolist())
        weights = np.array(scatter.solve(fmpq_mat((K.T @ V).tolist())).tolist(), dtype=object)
        out[0, t] = weights.T @ queries[t]
    return (out,)


def run_mesa(q: Tensor, k: Tensor, v: Tensor, lam: Tensor) -> tuple[Tensor, ...]:
    return mesa_layers.mesa(q, k, v, lam)[:1]


def gain_of_the_delta_rule(q: Tensor, k: Tensor, v: Tensor, lam: Tensor) -> tuple[Tensor, ...]:
    """The implicit delta rule of strength λ: R is left as it starts."""
    return (delta_scan(q, k, v, lam.expand(1, k.shape[1]), form="implicit", backend="reference")[0],)


mesa_layer = Layer(
    "numeric.mesa.mesa",
    run_mesa,
    ridge_exactly,
    None,
    regressions,
    (mesa_layers.updated,),
)


@st.composite
def streams(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Any]:
    n, d, T = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 4))
    shapes = {"q": (1, T, n), "k": (1, T, n), "v": (1, T, d), "rate": (), "W0": (d, n)}
    drawn = {name: draw(tensors(shape, dtype, floats(dtype, 2.0))) for name, shape in shapes.items()}
    return {**drawn, "batch": draw(st.integers(1, 3))}


def ttt_exactly(q: Tensor, k: Tensor, v: Tensor, rate: Tensor, W0: Tensor, batch: int) -> tuple[Any, ...]:
    """Gradient descent, minibatch by minibatch, from its definition."""
    queries, keys, values, W = (*(exact(each)[0] for each in (q, k, v)), exact(W0))
    out = np.empty((1, *values.shape), dtype=object)
    for start in range(0, len(keys), batch):
        end = min(start + batch, len(keys))
        states = [descend(keys[start:t], values[start:t], W, 2 * exact(rate)[()], 1) for t in range(start + 1, end + 1)]
        for t, state in enumerate(states, start):
            out[0, t] = state @ queries[t]
        W = states[-1]
    return (out,)


def run_ttt(**given: Any) -> tuple[Tensor, ...]:
    return ttt_layers.ttt_linear(**given)[:1]


def one_token_each(batch: int, **given: Any) -> tuple[Tensor, ...]:
    """The delta rule instead: every gradient at the newest state."""
    return ttt_layers.ttt_linear(**given, batch=1)[:1]


ttt_layer = Layer(
    "numeric.ttt.ttt_linear",
    run_ttt,
    ttt_exactly,
    None,
    streams,
    (ttt_layers.minibatch,),
)


# ------------------------------------------------------------------------------------------------- the theorems
def _with_rule(rhs: Term) -> Any:
    """The online claim with another right side of the rule."""
    expansion, rule = paper.online_gradient.conclusion.parts  # type: ignore[attr-defined]
    return replace(paper.online_gradient.claim, conclusion=And((expansion, Eq(rule.lhs, rhs))))


online = Theorem(
    paper.online_gradient,
    source=SCHLAG,
    says="S (I - β k k') + β v k' is one step of rate β on (1/2) ‖S k - v‖², from S. TTT-linear with rate η on the "
    "loss without the 1/2 is the same with β = 2η.",
    layers=(layer,),
    breaks={
        "the rate of the loss without 1/2": _with_rule(paper.S - 2 * paper.beta * paper.gradient),
        "all gradients at the first state": all_at_once,
    },
)

implicit = Theorem(
    paper.implicit_step,
    source=PROXIMAL,
    says="With β/(1 + β k'k) for β the delta rule is the implicit step: its gradient is taken at the new state.",
    breaks={"the gradient at the old state": Eq(paper.new, paper.S - paper.beta * paper.gradient)},
)

mesa_at_T, mesa_parts = paper.T, paper.mesa.conclusion.parts  # type: ignore[attr-defined]
mesa = Theorem(
    paper.mesa,
    source=MESA,
    says="Updating R by Sherman and Morrison and F by its error keeps R the inverse of I/λ + Σ and F = M R, exactly, "
    "for every λ > 0.",
    layers=(mesa_layer,),
    breaks={
        "the implicit delta rule": gain_of_the_delta_rule,
        "the inverse of I + Σ": And(
            (
                Eq(mesa_parts[0].lhs, Identity(paper.n) - paper.R(mesa_at_T)),
                *mesa_parts[1:],
            )
        ),
    },
)


def _with_minimum(at: Term) -> Any:
    goal = paper.ridge.conclusion
    assert isinstance(goal, UniqueMinimiser)
    return replace(paper.ridge.claim, conclusion=replace(goal, at=at))


ridge = Theorem(
    paper.ridge,
    source=MESA,
    says="Each row of M R is the ridge regression of that row's values on the keys so far.",
    breaks={"λ times the minimum": _with_minimum(paper.lam * paper.ridge_at)},
)

moved = paper.dual_sum
dual = Theorem(
    paper.ttt_dual,
    source=SUN,
    says="Within a minibatch TTT-linear needs no states: its outputs are attention to the errors that the state before "
    "the minibatch makes. With W_0 = 0 and η = 1/2 that is linear attention.",
    layers=(ttt_layer,),
    breaks={
        "the rate of the loss with 1/2": rhs(paper.W(0) @ paper.q - paper.eta * moved),
        "every gradient at the newest state": one_token_each,
    },
)
