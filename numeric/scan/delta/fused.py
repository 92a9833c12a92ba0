"""The fused delta rule as torch operators with gradients: on the CPU in C, on a GPU in Triton.

    q k (B, T, n)    v r y (B, T, d)    S (B, d, n)    n <= 256; float32, float64
    kept (B, ceil(T / 32), d, n)    the states before each 32 steps; the backward recomputes those in between

No state is recovered by undoing a write. Derivatives of the gradients go by the loop in torch.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from numeric.scan.delta import cpu as delta_cpu
from numeric.scan.machine import library, states_gpu
from numeric.scan.machine.higher import through_gradients

Gradients = tuple[Tensor | None, ...]


def delta_scan(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor, backend: str) -> tuple[Tensor, Tensor]:
    """(y, S_T) for strengths r (B, T, d); differentiable to every order, from the second by the loop in torch."""
    y, S_T, _ = _DeltaScan.apply(q, k, v, r, S0, backend)  # type: ignore[no-untyped-call]
    return y, S_T


def delta_states(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor, backend: str) -> tuple[Tensor, Tensor]:
    """(y, S) with all states S (B, T, d, n), without gradients."""
    if backend == "triton":
        y, _, S = states_gpu.delta_forward(q, k, v, r, S0, states=True)
        return y, S
    return delta_cpu.states(q, k, v, r, S0)


def loop(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S: Tensor) -> tuple[Tensor, Tensor]:
    """`delta_scan` by torch, a step at a time."""
    y, states = steps(q, k, v, r.unbind(1), S)
    return y, states[:, -1] if states.shape[1] else S


def steps(q: Tensor, k: Tensor, v: Tensor, r: Sequence[Tensor], S: Tensor) -> tuple[Tensor, Tensor]:
    """(y, S) with all states S (B, T, d, n), by torch; r_t (B, d) or (B, 1) for each step."""
    outputs, states = [], []
    for t, strength in enumerate(r):
        S = write(S, k[:, t], v[:, t], strength)
        outputs.append(read(S, q[:, t]))
        states.append(S)
    if not states:
        return v.clone(), S.unsqueeze(1)[:, :0]
    return torch.stack(outputs, 1), torch.stack(states, 1)


def read(S: Tensor, q: Tensor) -> Tensor:
    """S q: S (..., d, n), q (..., n) -> (..., d)."""
    return (S @ q.unsqueeze(-1)).squeeze(-1)


def write(S: Tensor, k: Tensor, v: Tensor, r: Tensor) -> Tensor:
    """S + r (v - S k) k': what the state holds at k moves towards v by the fraction r k'k."""
    w = v - read(S, k)
    return S + (r * w).unsqueeze(-1) * k.unsqueeze(-2)


class _DeltaScan(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor, backend: str) -> tuple[Tensor, Tensor, Tensor]:
        y, S_T, kept = _forward(q, k, v, r, S0, backend)
        return y, S_T, kept

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(output[2])
        *given, ctx.backend = inputs
        ctx.save_for_backward(*given, output[2])

    @staticmethod
    def backward(ctx: Any, gy: Tensor, gS: Tensor, _: Tensor) -> Gradients:
        gradients: Gradients = _DeltaScanBackward.apply(gy, gS, *ctx.saved_tensors, ctx.backend)  # type: ignore[no-untyped-call]
        return *gradients, None


class _DeltaScanBackward(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(
        gy: Tensor, gS: Tensor, q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor, kept: Tensor, backend: str
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        dq, dk, dv, dr, dS0 = _backward(gy, gS, q, k, v, r, kept, backend)
        return dq, dk, dv, dr, dS0

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.save_for_backward(*inputs[:7])

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Gradients:
        saved = ctx.saved_tensors
        return *through_gradients(loop, saved[:2], saved[2:], outer), None, None


def _run_forward(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor, backend: str) -> tuple[Tensor, Tensor, Tensor]:
    run = states_gpu.delta_forward if backend == "triton" else delta_cpu.forward
    return run(q, k, v, r, S0)


def _run_backward(
    gy: Tensor, gS: Tensor, q: Tensor, k: Tensor, v: Tensor, r: Tensor, kept: Tensor, backend: str
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    run = states_gpu.delta_backward if backend == "triton" else delta_cpu.backward
    return run(gy, gS, q, k, v, r, kept)


def _fake_forward(
    q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor, backend: str
) -> tuple[Tensor, Tensor, Tensor]:
    chunks = (v.shape[1] + delta_cpu.CHUNK - 1) // delta_cpu.CHUNK
    kept = v.new_empty(v.shape[0], chunks, v.shape[2], k.shape[2])
    return v.new_empty(v.shape), v.new_empty(S0.shape), kept


_forward = library.define(
    "delta_scan(Tensor q, Tensor k, Tensor v, Tensor r, Tensor S0, str backend) -> (Tensor, Tensor, Tensor)",
    _run_forward,
    _fake_forward,
)
_backward = library.define(
    "delta_scan_backward(Tensor gy, Tensor gS, Tensor q, Tensor k, Tensor v, Tensor r, Tensor kept,"
    " str backend)"
    " -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
    _run_backward,
    lambda gy, gS, q, k, v, r, kept, backend: (
        q.new_empty(q.shape),
        k.new_empty(k.shape),
        v.new_empty(v.shape),
        r.new_empty(r.shape),
        gS.new_empty(gS.shape),
    ),
)
