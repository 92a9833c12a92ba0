"""Rows for the layers of HiPPO-Prophecy (arXiv 2407.09375): claims from `proofs.hippo_prophecy.steps`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from flint import fmpq
from hypothesis import strategies as st
from torch import Tensor

from numeric import hippo, hippo_prophecy
from numeric.bounds import hippo as hippo_bounds
from proofs.hippo_prophecy import steps as paper
from ssmverify.catalogue.hippo.layers import replaced
from ssmverify.rows import Layer, Source, Theorem
from ssmverify.strategies import columns, exact, floats, matrices, noise, points, rationals, tensors, zeros

CODE = Source(
    "HiPPO-Prophecy: State-Space Models can Provably Learn Dynamical Systems in Context",
    "2407.09375",
    "the authors' repository github.com/FedeArang/In-Context-SSM",
    read="its code; not the paper's body",
)


@st.composite
def signal_inputs(draw: st.DrawFn, dtype: torch.dtype, fed_back: bool = False) -> dict[str, Any]:
    """A step of size |A| <= 1, and δD/2 at most 1/2, or at least 2, beyond the singular step.

    The weights are of one time or, where nothing is fed back, of each time, as LegS has them.
    """
    N, T = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    times = (T,) if not fed_back and draw(st.booleans()) else ()
    drawn = {
        "u": draw(noise((1, T, 1), dtype, -2.0, 2.0) | tensors((1, T, 1), dtype, floats(dtype))),
        "A": draw(noise((*times, N, N), dtype, -1.0, 1.0)),
        "B": draw(noise((*times, N), dtype, -1.0, 1.0)),
        "C": draw(tensors((N,), dtype, floats(dtype))),
    }
    if fed_back:
        return {**drawn, "steps": draw(st.integers(1, 3)), "D": draw(noise((), dtype, -1.0, 1.0))}
    low, high = draw(st.sampled_from([(0.0, 0.25), (0.25, 1.0)]))
    return {
        **drawn,
        "D": draw(noise((), dtype, 64 * low, 64 * high) if low else noise((), dtype, 0.0, 4.0)),
        "delta": draw(noise(times, dtype, max(low, 2.0**-10), high)),
    }


def run_prediction(u: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, delta: Tensor) -> tuple[Tensor]:
    made = hippo_prophecy.Weights(A, B, *hippo_prophecy.trapezoid(C, D, delta))
    return (hippo_prophecy.next_state(u, made),)


def bound_prediction(u: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, delta: Tensor) -> tuple[Tensor]:
    return (hippo_bounds.next_state_bound(u, A, B, *hippo_bounds.trapezoid_majorants(C, D, delta)),)


def _states(u: Any, A: Any, B: Any) -> Iterator[tuple[int, Any]]:
    """Each time and its state, over the rationals."""
    c = zeros(B.shape[-1], 1)[:, 0]
    for t, sample in enumerate(u):
        c = (A[t] if A.ndim == 3 else A) @ c + sample * (B[t] if B.ndim == 2 else B)
        yield t, c


def exact_prediction(**given: Tensor) -> tuple[Any]:
    """The u_{k+1} that the trapezoidal rule asks for."""
    u, A, B, C, D, delta = (exact(given[name]) for name in ("u", "A", "B", "C", "D", "delta"))
    signal, out = u[0, :, 0], np.empty(u.shape, dtype=object)
    for t, c in _states(signal, A, B):
        step, D0 = (delta[t] if delta.ndim else delta[()]), D[()]
        out[0, t, 0] = (signal[t] + step * (C @ c + D0 * signal[t] / 2)) / (1 - step * D0 / 2)
    return (out,)


def run_roll_out(u: Tensor, steps: int, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> tuple[Tensor]:
    return (hippo_prophecy.roll_out(u, steps, hippo_prophecy.Weights(A, B, C, D)),)


def exact_roll_out(u: Tensor, steps: int, **given: Tensor) -> tuple[Any]:
    """Each prediction is the next input."""
    A, B, C, D = (exact(given[name]) for name in "ABCD")
    signal, c = exact(u)[0, :, 0], zeros(len(B), 1)[:, 0]
    for _, state in _states(signal, A, B):
        c = state
    last, out = signal[-1], np.empty((1, steps, 1), dtype=object)
    for t in range(steps):
        last = C @ c + D[()] * last
        out[0, t, 0] = last
        c = A @ c + last * B
    return (out,)


prediction_layer = Layer(
    "numeric.hippo_prophecy.next_state",
    run_prediction,
    exact_prediction,
    bound_prediction,
    signal_inputs,
    (hippo_prophecy.trapezoid, hippo_prophecy.read_out),
)


@st.composite
def euler_inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Any]:
    drawn = draw(signal_inputs(dtype, fed_back=True))
    kept = {name: x for name, x in drawn.items() if name in ("u", "A", "B", "C")}
    return {**kept, "delta": draw(noise((), dtype, 2.0**-10, 1.0))}


def exact_euler(**given: Tensor) -> tuple[Any]:
    u, A, B, C, delta = (exact(given[name]) for name in ("u", "A", "B", "C", "delta"))
    out = u.copy()
    for t, c in _states(u[0, :, 0], A, B):
        out[0, t, 0] += delta[()] * (C @ c)
    return (out,)


def run_euler(u: Tensor, A: Tensor, B: Tensor, C: Tensor, delta: Tensor) -> tuple[Tensor]:
    made = hippo_prophecy.Weights(A, B, *hippo_prophecy.euler(C, delta))
    return (hippo_prophecy.next_state(u, made),)


def bound_euler(u: Tensor, A: Tensor, B: Tensor, C: Tensor, delta: Tensor) -> tuple[Tensor]:
    return (hippo_bounds.next_state_bound(u, A, B, *hippo_bounds.euler_majorants(C, delta)),)


euler_layer = Layer(
    "numeric.hippo_prophecy.next_state, Euler",
    run_euler,
    exact_euler,
    bound_euler,
    euler_inputs,
    (hippo_prophecy.euler,),
)
roll_out_layer = Layer(
    "numeric.hippo_prophecy.roll_out",
    run_roll_out,
    exact_roll_out,
    lambda **given: (hippo_bounds.roll_out_bound(**given),),
    lambda dtype: signal_inputs(dtype, fed_back=True),
    (hippo_prophecy.closed_loop,),
)


@st.composite
def predictions(draw: st.DrawFn) -> Mapping[str, Any]:
    N = draw(st.integers(1, 3))
    drawn = draw(points(N=N, C=matrices(1, N), c=columns(N), u=rationals(), D=rationals(), δ=rationals(1, 3)))
    return drawn if drawn["δ"] * drawn["D"] != 2 else {**drawn, "D": fmpq(-1)}


def _euler(u: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, delta: Tensor) -> tuple[Tensor]:
    """Not solved for u_{k+1}: u + δ (C c + D u)."""
    made = hippo_prophecy.Weights(A, B, delta * C, 1 + delta * D)
    return (hippo_prophecy.next_state(u, made),)


def _stale(u: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, delta: Tensor) -> tuple[Tensor]:
    """The state before u_k came."""
    made = hippo_prophecy.Weights(A, B, *hippo_prophecy.trapezoid(C, D, delta))
    c = hippo.states(A, B, u)
    before = torch.cat([torch.zeros_like(c[:, :1]), c[:, :-1]], 1)
    return (hippo_prophecy.read_out(before, u, made.C, made.D),)


def _teacher(u: Tensor, steps: int, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> tuple[Tensor]:
    """The last sample again for the input, not the prediction."""
    held = torch.cat([u, u[:, -1:].expand(-1, steps - 1, -1)], 1)
    return (hippo_prophecy.next_state(held, hippo_prophecy.Weights(A, B, C, D))[:, -steps:],)


trapezoid = Theorem(
    paper.trapezoid,
    source=CODE,
    says="The next state of LegT and LegS solves u_{k+1} = u_k + δ (C c + D (u_k + u_{k+1})/2), the trapezoidal rule "
    "in u. At δD = 2 there are no such weights, and the layer refuses.",
    layers=(prediction_layer,),
    breaks={
        "Euler's rule": replaced(paper.trapezoid.claim, rhs=paper.delta * (paper.C @ paper.c + paper.D * paper.u)),
        "not solved for the next state": _euler,
        "the state of one step before": _stale,
    },
)

fed_back = Theorem(
    paper.fed_back,
    source=CODE,
    says="With the prediction for the next input, state and input follow the matrix [[A + B C, D B], [C, D]].",
    layers=(roll_out_layer,),
    breaks={
        "the input of a time before": replaced(
            paper.fed_back.claim,
            rhs=paper.A @ paper.states(paper.t) + paper.inputs(paper.t) * (paper.D * paper.B),
        ),
        "the last sample held": _teacher,
    },
)
