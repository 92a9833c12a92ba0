"""Rows for GD-SSM (arXiv 2410.11687), one step: claims from `proofs.gd_ssm.one_step` and `proofs.gd_ssm.starts`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from flint import fmpq
from hypothesis import strategies as st
from torch import Tensor

from numeric import gd_ssm as layers
from proofs.gd_ssm import one_step as paper
from proofs.gd_ssm import starts
from proofs.kernel import Table
from proofs.terms import And, Eq
from ssmverify.breaks import lhs, rhs
from ssmverify.rows import Layer, Source, Theorem
from ssmverify.strategies import columns, exact, floats, matrices, rationals, tables, tensors, zeros

PAPER = "State-space models can learn in-context by gradient descent"
ABSTRACT = Source(
    PAPER,
    "2410.11687",
    "abstract of v2",
    words="we prove that a single structured state-space model layer, augmented with multiplicative input and output "
    "gating, can reproduce the outputs of an implicit linear model with least squares loss after one step of gradient "
    "descent",
    read="the abstracts of v1, v2 and v3; the authors' code, from which the weights are taken; not the paper's body",
)
CODE = Source(
    PAPER,
    "2410.11687",
    "the authors' repository github.com/Efficient-Scalable-Machine-Learning/gd-ssm",
    read="its code; not the paper's body",
)
START: dict[str, Any] = {"W₀": lambda f: matrices(f, f)}
OURS = Source("stated here", read="nothing: the statement and its proof are ours; it is about the layer of 2410.11687")


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def contexts(draw: st.DrawFn, /, gates: Any = None, scale: Any = None, **parts: Any) -> Mapping[str, Any]:
    """Tokens, and the states that they drive; tokens beyond the query must not matter.

    gates: for each state, how the three tokens of a window are written; scale(draw, t): the factors of the old state
    and of what is written.
    """
    f, T = draw(st.integers(1, 2)), draw(st.integers(0, 3))
    last = 2 * T + 5
    u = draw(tables(range(1, last), columns(f), zeros(f, 1)))
    point = {"f": f, "T": T, "N": draw(st.integers(1, 3)), "η": draw(rationals()), "u": u}
    point |= {name: draw(part(f) if callable(part) else part) for name, part in parts.items()}
    for name, write in (gates or {"Z": _target}).items():
        states = {0: zeros(f, f)}
        for t in range(last):
            window = [u[(2 * t + a,)] for a in (1, 2, 3)]
            keep, gain = (fmpq(1), fmpq(1)) if scale is None else scale(point, t + 1)
            states[t + 1] = keep * states[t] + gain * write(window, point)
        point[name] = Table({(t,): Z for t, Z in states.items()}, states[last])
    return point


def _target(window: Any, _: Any) -> Any:
    return window[0] @ window[1].T


@st.composite
def averaged(draw: st.DrawFn) -> Mapping[str, Any]:
    """Contexts whose states are averages: counts other than 0 from the first pair on."""
    counts = draw(st.lists(rationals(1, 3), min_size=5, max_size=5))
    n = Table({(0,): fmpq(0), **{(t,): count for t, count in enumerate(counts, 1)}}, counts[-1])
    weights = draw(tables(range(1, 6), rationals()))

    def scale(_: Any, t: int) -> tuple[fmpq, fmpq]:
        return n[(t - 1,)] / n[(t,)], weights[(t,)] / n[(t,)]

    point = dict(draw(contexts(scale=scale)))
    del point["N"]
    return {**point, "n": n, "ω": weights}


@st.composite
def constructed(draw: st.DrawFn, A: bool = False) -> Mapping[str, Any]:
    """Constructed tokens, whose halves may be swapped; with a matrix A of the inputs' size if asked for."""
    f, T, N, eta = draw(st.integers(1, 2)), draw(st.integers(0, 2)), draw(st.integers(1, 3)), draw(rationals())
    x = draw(tables(range(1, T + 4), columns(f), zeros(f, 1)))
    y = draw(tables(range(1, T + 3), rationals()))
    whole = paper.rational(np.eye(2 * f, dtype=int))
    B, D = (whole[:f], whole[f:])[:: draw(st.sampled_from([1, -1]))]
    times = range(1, T + 5)
    s: dict[tuple[int, ...], Any] = {(t,): B.T @ (y[(t,)] * x[(t,)]) + D.T @ x[(t + 1,)] for t in times}
    z: dict[tuple[int, ...], Any] = {(0,): zeros(f, 1)}
    for t in times:
        z[(t,)] = z[(t - 1,)] - eta / N * (B @ s[(t,)])
    s[(0,)] = zeros(2 * f, 1)
    return {
        "f": f, "T": T, "N": N, "η": eta, "x": x, "y": y, "B": B, "D": D,
        "s": Table(s, zeros(2 * f, 1)), "z": Table(z, z[(T + 4,)]), **({"A": draw(matrices(f, f))} if A else {}),
    }  # fmt: skip


@st.composite
def heads(draw: st.DrawFn) -> Mapping[str, Any]:
    """Heads that agree: the state may hold the pair, or the query; `stray` is a weight that the inputs do not see."""
    c, rate, stray = draw(rationals()), draw(rationals(1, 3)), draw(rationals())
    scale = draw(rationals(1, 3))
    cosine, sine = draw(st.sampled_from([(fmpq(1), fmpq(0)), (fmpq(3, 5), fmpq(4, 5)), (fmpq(-5, 13), fmpq(12, 13))]))
    holds_pair = draw(st.booleans())
    w = {(1, 1): -c, (1, 2): fmpq(1)} if holds_pair else {(3, 1): -c - stray, (3, 2): fmpq(1), (1, 3): stray}
    unit = paper.rational(np.eye(2, dtype=int))
    return {
        "f": 2,
        "p": np.array([[cosine], [sine]]),
        "r": np.array([[-sine], [cosine]]),
        "γ": rate,
        "W₀": c * unit,
        "C": rate / scale**2 * unit,
        "D": c * unit,
        "w": Table({place: scale * value for place, value in w.items()}, fmpq(0)),
        "d": Table({(3 if holds_pair else 1,): scale}, fmpq(0)),
    }


# -------------------------------------------------------------------------------------------------- the layers
@st.composite
def token_inputs(draw: st.DrawFn, dtype: torch.dtype, start: bool = False) -> dict[str, Tensor]:
    f, N = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    entries = floats(dtype)
    drawn = {"tokens": draw(tensors((1, 2 * N + 1, f), dtype, entries)), "rate": draw(tensors((), dtype, entries))}
    return {**drawn, "W0": draw(tensors((f, f), dtype, entries))} if start else drawn


@st.composite
def pair_inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Tensor]:
    f, N = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    entries = floats(dtype)
    return {
        "x": draw(tensors((1, N + 1, f), dtype, entries)),
        "y": draw(tensors((1, N), dtype, entries)),
        "rate": draw(tensors((), dtype, entries)),
    }


def descended(x: Any, y: Any, W: Any, rate: Any) -> Any:
    """Predictions after one step on each prefix, exactly: x (N + 1, f), y (N, m) -> (1, N, m)."""
    return np.array(
        [[paper.descend(x[:j], y[:j], W, rate, 1) @ x[j] for j in range(1, len(x))]],
        dtype=object,
    )


def exactly(tokens: Tensor, rate: Tensor, W0: Tensor | None = None) -> tuple[Any, ...]:
    """Gradient descent itself, from its definition."""
    u, f = exact(tokens)[0], tokens.shape[-1]
    W = zeros(f, f) if W0 is None else exact(W0)
    return (descended(u[0::2], u[1::2], W, exact(rate)[()]),)


def exactly_vector(x: Tensor, y: Tensor, rate: Tensor) -> tuple[Any, ...]:
    inputs, targets = exact(x)[0], exact(y)[0][:, None]
    return (descended(inputs, targets, zeros(1, x.shape[-1]), exact(rate)[()])[..., 0],)


def single(function: Callable[..., Tensor], **fixed: Any) -> Callable[..., tuple[Tensor, ...]]:
    """The function, with its one output in a tuple."""

    def run(**inputs: Any) -> tuple[Tensor, ...]:
        return (function(**inputs, **fixed),)

    return run


raw_layer = Layer(
    "numeric.gd_ssm.one_step",
    single(layers.one_step),
    exactly,
    None,
    token_inputs,
    (layers.input_gate, layers.construction),
)
vector_layer = Layer(
    "numeric.gd_ssm.one_step_vector",
    single(layers.one_step_vector),
    exactly_vector,
    None,
    pair_inputs,
    (layers.one_step_vector,),
)
start_layer = Layer(
    "numeric.gd_ssm.one_step_from",
    single(layers.one_step_from),
    exactly,
    None,
    lambda dtype: token_inputs(dtype, start=True),
    (layers.corrected,),
)


def not_transposed(tokens: Tensor, rate: Tensor) -> tuple[Tensor, ...]:
    """The state read as it stands."""
    mixing, pick, C = layers.construction(tokens.shape[-1], rate)
    return (-layers.gd_ssm(tokens, mixing.mT, pick, C),)


def every_token_a_window(tokens: Tensor, rate: Tensor) -> tuple[Tensor, ...]:
    """Windows one token apart: y_j x_{j+1}' is written as well."""
    mixing, pick, C = layers.construction(tokens.shape[-1], rate)
    X = tokens.unfold(1, layers.WINDOW, 1).movedim(-1, -2)
    Z = layers.input_gate(X, mixing).cumsum(1)
    return (-layers.read_out(Z, X, pick, C)[:, ::2],)


def late_window(tokens: Tensor, rate: Tensor) -> tuple[Tensor, ...]:
    """Windows that begin at y_j: y_j and x_{j+1} are taken for a pair."""
    shifted = torch.cat([tokens[:, 1:], tokens[:, :1]], 1)
    return (layers.one_step(shifted, rate),)


def plus_gradient(tokens: Tensor, rate: Tensor) -> tuple[Tensor, ...]:
    """Up the gradient."""
    return (layers.one_step(tokens, -rate),)


def forgets_start(tokens: Tensor, rate: Tensor, W0: Tensor) -> tuple[Tensor, ...]:
    return (layers.one_step(tokens, rate),)


# ------------------------------------------------------------------------------------------------- the theorems
eta, T, N, W0 = paper.eta, paper.T, paper.N, paper.W0
half_slope = paper.gradient.rhs.terms  # type: ignore[attr-defined]

gradient = Theorem(
    paper.gradient,
    says="The loss moves by a'Gb, G = (1/N) sum of ω_i (W x_i - y_i) x_i', and by a term quadratic in a, if a b' is "
    "added to W: G is its gradient. This is what 'one step of gradient descent' means in the other rows.",
    breaks={
        "a loss without its factor 1/2": lhs(2 * paper.loss(W0, T)),
        "no curvature": rhs(half_slope[0] + half_slope[1]),
    },
)

one_step = Theorem(
    paper.one_step,
    source=ABSTRACT,
    says="With mixing e_1 e_2', pick e_3, C = -(η/N) I and decay 1 the layer's prediction for x_{T+1} is that of the "
    "linear model after one step from zero on the pairs up to T, in a loss divided by N.",
    layers=(raw_layer,),
    breaks={
        "the state read without its transpose": lhs(-(paper.C @ paper.Z(T) @ paper.query)),
        "C = (η/N) I": lhs(paper.output),
        "the query picked by e_2": lhs(-(paper.C @ paper.Z(T).T @ paper.u(2 * T))),
        "no transpose": not_transposed,
        "the sign of C": plus_gradient,
        "stride 1": every_token_a_window,
        "windows that begin at a target": late_window,
    },
)

constructed_tokens = Theorem(
    paper.one_step_constructed_tokens,
    source=CODE,
    says="The older layer: tokens [y_j x_j; x_{j+1}], a state of f entries, B = -(η/N) [I 0], D = [0 I].",
    layers=(vector_layer,),
    breaks={
        "without the factor -1": lhs(-paper.constructed_prediction),
        "up the gradient": lambda x, y, rate: (layers.one_step_vector(x, y, -rate),),
    },
)

nonzero_start = Theorem(
    starts.nonzero_start,
    source=ABSTRACT,
    says="Nothing of where the step starts. Read for every W_0 the construction does not do it: zero must be meant.",
    breaks={"up the gradient as well": lhs(paper.output)},
)

two_accumulators = Theorem(
    starts.nonzero_start_two_accumulators,
    source=OURS,
    says="A second head that collects x x', multiplied by W_0, and a skip W_0 x_q give the step from every W_0.",
    layers=(start_layer,),
    breaks={
        "one accumulator": forgets_start,
        "no skip": lhs(paper.rate * (paper.Z(T).T @ paper.query) - starts.second_term),
        "W_0 behind the state": lhs(
            starts.W @ paper.query
            + paper.rate * (paper.Z(T).T @ paper.query)
            - paper.rate * (paper.V(T).T @ starts.W @ paper.query)
        ),
    },
)

scalar_start = Theorem(
    starts.nonzero_start_scalar,
    source=OURS,
    says="For W_0 = c I one head is enough: mixing e_1 (e_2 - c e_1)', and a skip c x_q.",
    breaks={
        "no skip": lhs(-paper.output),
        "from zero": rhs(paper.from_zero),
    },
)

beta, alpha = starts.weight_of_target, starts.weight_of_input
one_head = Theorem(
    starts.nonzero_start_one_head,
    instances=heads,
    source=OURS,
    says="For no other W_0 if f >= 2: a head with any mixing, pick, C and skip that agrees with the step from W_0 on "
    "ten inputs has W_0 p = -(α/β) p for the unit vector p, with α and β its weights, the same for every p.",
    breaks={
        "the weights of a head whose state holds the pair alone": And(
            (
                Eq(paper.gamma * starts.p, (starts.w(1, 2) * starts.pick(3)) * (starts.C_any @ starts.p)),
                Eq(beta * (starts.W @ starts.p), -alpha * starts.p),
            )
        ),
        "W_0 for a multiple of the identity, without the sign": And(
            (
                Eq(paper.gamma * starts.p, beta * (starts.C_any @ starts.p)),
                Eq(beta * (starts.W @ starts.p), alpha * starts.p),
            )
        ),
    },
)

mean_so_far = Theorem(
    paper.prefix_normalisation,
    source=replace(CODE, read="its code, whose factor is the same after every pair; not the paper's body"),
    says="Nothing of what a prediction before the last is: read as a step on the mean loss of the pairs so far, it is "
    "not one. It is a step on their loss divided by N.",
    breaks={"up the gradient as well": lhs(paper.output)},
)

running_mean = Theorem(
    paper.prefix_mean,
    instances=averaged,
    source=OURS,
    says="Gates n_{t-1}/n_t and gains ω_t/n_t, which depend on time alone, divide by n_T at every prefix.",
    breaks={"the count of one pair fewer": rhs(paper.mean_step(paper.n(T + 2)))},
)

decay = Theorem(
    paper.decay,
    source=CODE,
    says="With a decay λ_t, as the discretised layer has, the step is one on the loss with weights λ_T ... λ_{i+1}.",
    breaks={
        "no decay": rhs(paper.from_zero),
        "C = (η/N) I": lhs(paper.output),
    },
)
