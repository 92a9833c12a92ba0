"""Rows for Longhorn (arXiv 2407.14207): claims from `proofs.longhorn.update`, layers from `numeric.longhorn`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from flint import fmpq
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from torch import Tensor

from numeric import longhorn as layers
from numeric.bounds.longhorn import longhorn_bound
from numeric.scan.delta import fused as delta_fused
from numeric.scan.delta import scan as delta
from proofs.longhorn import update as paper
from proofs.terms import family
from ssmverify.rows import Layer, Source, Theorem
from ssmverify.strategies import columns, exact, floats, noise, points, rationals, tables, tensors, zeros

PAPER = "Longhorn: State Space Models are Amortized Online Learners"
THEOREM = Source(
    PAPER,
    "2407.14207",
    "Theorem 3.1",
    read="two secondary quotations of the objective (Eq. 5), the theorem and its closed form, which agree; "
    "the abstract and opening of v3 and v5",
)
RELEASED = Source(
    PAPER,
    "2407.14207",
    "the authors' repository github.com/Cranial-XIX/longhorn, README and figure 1",
    words="we make a parallelizable RNN, named Longhorn, that explicitly solves for this online associative recall "
    "objective in closed-form per token.",
    read="the README, quoted here; its figure 1, which sets the diagonal update equal to the argmin of the objective; "
    "the code, whose update is the diagonal one; the abstract of v5, which says more carefully that the update "
    "'resembles the closed-form solution'",
)


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def rows(draw: st.DrawFn, strengths: SearchStrategy[fmpq] | None = None) -> Mapping[str, Any]:
    """Points for the statements row by row."""
    d, n = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    channels = range(1, d + 1)
    return draw(
        points(
            d=d,
            n=n,
            k=columns(n),
            x=tables(channels, rationals()),
            β=tables(channels, rationals(0, 3) if strengths is None else strengths),
            p=tables(channels, columns(n), zeros(n, 1)),
        )
    )


@st.composite
def entries(draw: st.DrawFn) -> Mapping[str, Any]:
    """Points for the statements entry by entry; k has members beyond its n, which must not matter."""
    d, n = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    pairs = [(i, j) for i in range(1, d + 2) for j in range(1, n + 2)]
    return draw(
        points(
            d=d,
            n=n,
            k=tables(range(n + 2), rationals()),
            x=tables(range(1, d + 2), rationals()),
            β=tables(range(1, d + 2), rationals(0, 3)),
            p=tables(pairs, rationals()),
        )
    )


# -------------------------------------------------------------------------------------------------- the layers
@st.composite
def inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Tensor]:
    """Short sequences entry by entry, and now and then a longer one from a seed."""
    d, n = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    long = draw(st.integers(0, 3)) == 3
    T = draw(st.integers(6, 10) if long else st.integers(0, 4))

    def tensor(*shape: int, low: float = -4.0) -> Tensor:
        drawn = floats(dtype) if low < 0 else floats(dtype).map(abs)
        return draw(noise(shape, dtype, low, 4.0) if long else tensors(shape, dtype, drawn))

    return {
        "q": tensor(1, T, n),
        "k": tensor(1, T, n),
        "x": tensor(1, T, d),
        "beta": tensor(1, T, d, low=0.0),
        "S0": tensor(1, d, n),
    }


def _exactly(step: Any, q: Tensor, k: Tensor, x: Tensor, beta: Tensor, S0: Tensor) -> tuple[Any, Any]:
    """y and the last state of batch 0 by the paper's update, over the rationals."""
    queries, keys, targets, strengths, S = (exact(value)[0] for value in (q, k, x, beta, S0))
    outputs = np.empty((1, *targets.shape), dtype=object)
    for t in range(len(keys)):
        S = np.array([step(S[i], keys[t], targets[t][i], strengths[t][i]) for i in range(len(S))], dtype=object)
        outputs[0, t] = S @ queries[t]
    return outputs, S[None]


def exactly(**tensors_in: Tensor) -> tuple[Any, Any]:
    """Theorem 3.1's update: the construction of `proofs.longhorn.update`, run over the rationals."""

    def step(p: Any, k: Any, x: Any, beta: Any) -> Any:
        return paper.step(p, k, x, beta)

    return _exactly(step, **tensors_in)


def exactly_diagonal(**tensors_in: Tensor) -> tuple[Any, Any]:
    """The diagonal update, likewise."""

    def step(p: Any, k: Any, x: Any, beta: Any) -> Any:
        return paper.diagonal_step(p, k, k @ k, x, beta)

    return _exactly(step, **tensors_in)


def run(**tensors_in: Tensor) -> tuple[Tensor, Tensor]:
    return layers.longhorn(**tensors_in, backend="reference")


def bound(**tensors_in: Tensor) -> tuple[Tensor, Tensor]:
    y, rows_of_state = longhorn_bound(**tensors_in)
    return y, rows_of_state.unsqueeze(-1)


exact_layer = Layer(
    "numeric.longhorn.longhorn",
    run,
    exactly,
    bound,
    inputs,
    (delta._write_strength, delta_fused.write),
)
# The bound counts roundings in any order of a dot product, so it holds for whatever backend serves.
fused_layer = Layer("numeric.longhorn.longhorn (default backend)", layers.longhorn, exactly, bound, inputs)
diagonal_layer = Layer(
    "numeric.longhorn.longhorn_diagonal",
    layers.longhorn_diagonal,
    exactly_diagonal,
    None,
    inputs,
    (layers.diagonal_transition,),
)


# ------------------------------------------------------------------------------------------------- the theorems
def _with_update(update: Any) -> Any:
    """Theorem 3.1's claim with another update of channel i."""
    at = family((paper.i,), update)
    return replace(paper.closed_form.claim, conclusion=replace(paper.minimises, at=at))


p_i, x_i, beta_i = paper.p(paper.i), paper.x(paper.i), paper.beta(paper.i)
error = paper.k.T @ p_i - x_i

closed_form = Theorem(
    paper.closed_form,
    source=THEOREM,
    says="The argmin is S_i = (I - ε_i k k') S_{t-1,i} + ε_i k x_i with ε_i = β_i/(1 + β_i k'k), row by row.",
    layers=(exact_layer, fused_layer),
    breaks={
        "the explicit step: β for ε": _with_update(p_i - beta_i * error * paper.k),
        "half of the squared distance: 2β/(1 + 2β k'k) for ε": _with_update(
            p_i - paper.strength(2 * beta_i, paper.k.T @ paper.k) * error * paper.k
        ),
        "the diagonal layer for the exact one": layers.longhorn_diagonal,
    },
)

closed_form_every_beta = Theorem(
    paper.closed_form_every_beta,
    source=THEOREM,
    says="The theorem is quoted for β in R^d, without a sign.",
    breaks={"the explicit step as well": replace(_with_update(p_i - beta_i * error * paper.k), hypotheses={})},
)

diagonal_is_minimiser = Theorem(
    paper.diagonal_is_minimiser,
    source=RELEASED,
    says="The released, diagonal update minimises the objective of Theorem 3.1.",
    breaks={
        "also for every β >= 0": replace(
            paper.diagonal_is_minimiser.claim, hypotheses={"beta_nonnegative": paper.beta_nonnegative}
        )
    },
)

diagonal_at_one_state = Theorem(
    paper.diagonal_at_one_state,
    source=RELEASED,
    says="For a state of size 1 the released update and the exact one are the same.",
    breaks={
        "β for ε in the exact update": replace(
            paper.updates_agree,
            rhs=paper.p_1 - paper.beta_1 * (paper.k_1 * paper.p_1 - paper.x_1) * paper.k_1,
        )
    },
)

diagonal_objective = Theorem(
    paper.diagonal_objective,
    instances=entries,
    source=RELEASED,
    says="Nothing; this is the objective that the released update does minimise.",
    layers=(diagonal_layer,),
    breaks={
        "the objective of Theorem 3.1 for the separable one": paper.diagonal_is_minimiser.conclusion,
        "the exact layer for the diagonal one": run,
    },
)
