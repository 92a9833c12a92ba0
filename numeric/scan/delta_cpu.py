"""Backend `cpu` of `delta_scan`: sixteen channels at a time, their states in the first-level cache, and the gradients.

    q k (B, T, n)    v r y (B, T, d)    S (B, d, n)    n <= 256; float32, float64
    kept (B, ceil(T / 32), d, n)    the states before each 32 steps; the backward recomputes those in between

No state is recovered by undoing a write. The channels share q and k, so their gradients are sums over channels: groups
of sixteen are summed in the kernel, the groups here, always in the same order.
"""

from typing import Any

import torch
from torch import Tensor

from numeric.scan import library, native
from numeric.scan.higher import through_gradients

LANES = 16
CHUNK = 32
MOST = 256
_FEW = 20_000  # multiply-adds; below, waking a second thread costs more than it saves

Gradients = tuple[Tensor | None, ...]


def delta_scan(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor) -> tuple[Tensor, Tensor]:
    """(y, S_T) for strengths r (B, T, d); differentiable to every order, from the second by the loop in torch."""
    y, S_T, _ = _DeltaScan.apply(q, k, v, r, S0)  # type: ignore[no-untyped-call]
    return y, S_T


def loop(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S: Tensor) -> tuple[Tensor, Tensor]:
    """The same by torch, a step at a time."""
    outputs = []
    for t in range(k.shape[1]):
        S = write(S, k[:, t], v[:, t], r[:, t])
        outputs.append(read(S, q[:, t]))
    return (torch.stack(outputs, 1) if outputs else v.clone()), S


def read(S: Tensor, q: Tensor) -> Tensor:
    """S q: S (..., d, n), q (..., n) -> (..., d)."""
    return (S @ q.unsqueeze(-1)).squeeze(-1)


def write(S: Tensor, k: Tensor, v: Tensor, r: Tensor) -> Tensor:
    """S + r (v - S k) k': what the state holds at k moves towards v by the fraction r k'k."""
    w = v - read(S, k)
    return S + (r * w).unsqueeze(-1) * k.unsqueeze(-2)


def delta_states(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor) -> tuple[Tensor, Tensor]:
    """(y, S) with all states S (B, T, d, n), without gradients."""
    batch, length, n = k.shape
    S = v.new_empty(batch, length, v.shape[2], n)
    return _run(q, k, v, r, S0, None, S)[0], S


class _DeltaScan(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y, S_T, kept = _forward(q, k, v, r, S0)
        return y, S_T, kept

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(output[2])
        ctx.save_for_backward(*inputs, output[2])

    @staticmethod
    def backward(ctx: Any, gy: Tensor, gS: Tensor, _: Tensor) -> Gradients:
        gradients: Gradients = _DeltaScanBackward.apply(gy, gS, *ctx.saved_tensors)  # type: ignore[no-untyped-call]
        return gradients


class _DeltaScanBackward(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(
        gy: Tensor, gS: Tensor, q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor, kept: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        dq, dk, dv, dr, dS0 = _backward(gy, gS, q, k, v, r, kept)
        return dq, dk, dv, dr, dS0

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.save_for_backward(*inputs[:7])

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Gradients:
        saved = ctx.saved_tensors
        return *through_gradients(loop, saved[:2], saved[2:], outer), None


def _run_forward(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    batch, length, n = k.shape
    kept = v.new_empty(batch, -(-length // CHUNK), v.shape[2], n)
    return *_run(q, k, v, r, S0, kept, None), kept


def _run(
    q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor, kept: Tensor | None, S: Tensor | None
) -> tuple[Tensor, Tensor]:
    start, y, S_T = S0.contiguous(), v.new_empty(v.shape), v.new_empty(S0.shape)
    inputs = [*map(native.sequence, (q, k, v, r)), native.state(start)]
    outputs = [native.sequence(y), native.state(S_T), native.sequence(S), native.sequence(kept)]
    _call("delta_scan", inputs + outputs, v, k.shape[2])
    return y, S_T


def _run_backward(
    gy: Tensor, gS: Tensor, q: Tensor, k: Tensor, v: Tensor, r: Tensor, kept: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    batch, length, n = k.shape
    d = v.shape[2]
    dq, dk = (k.new_empty(batch, length, -(-d // LANES), n) for _ in range(2))
    dv, dr, dS0, final = v.new_empty(v.shape), r.new_empty(r.shape), v.new_empty(batch, d, n), gS.contiguous()
    kept = kept.contiguous()
    views = [native.sequence(gy), native.state(final), *map(native.sequence, (q, k, v, r, kept, dq, dk, dv, dr))]
    workspace = v.new_empty(torch.get_num_threads() * (CHUNK + 1) * n * LANES)
    _call("delta_scan_backward", [*views, native.state(dS0)], v, n, workspace)
    return dq.sum(2), dk.sum(2), dv, dr, dS0


def _call(name: str, views: list[native.View], v: Tensor, n: int, *workspace: Tensor) -> None:
    batch, length, d = v.shape
    threads = torch.get_num_threads() if v.numel() * n >= _FEW else 1
    pointers = (native.pointer(x) for x in workspace)
    native.call(name, v.dtype, views, *pointers, batch, length, d, n, threads)


def _fake_forward(q: Tensor, k: Tensor, v: Tensor, r: Tensor, S0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    kept = v.new_empty(v.shape[0], (v.shape[1] + CHUNK - 1) // CHUNK, v.shape[2], k.shape[2])
    return v.new_empty(v.shape), v.new_empty(S0.shape), kept


_forward = library.define(
    "delta_scan(Tensor q, Tensor k, Tensor v, Tensor r, Tensor S0) -> (Tensor, Tensor, Tensor)",
    _run_forward,
    _fake_forward,
)
_backward = library.define(
    "delta_scan_backward(Tensor gy, Tensor gS, Tensor q, Tensor k, Tensor v, Tensor r, Tensor kept)"
    " -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
    _run_backward,
    lambda gy, gS, q, k, v, r, kept: (
        q.new_empty(q.shape),
        k.new_empty(k.shape),
        v.new_empty(v.shape),
        r.new_empty(r.shape),
        gS.new_empty(gS.shape),
    ),
)
