"""Rules of numeric.scan's own kernels, by the bounds that they carry (numeric.bounds).

In time order a step is what the kernel's step is: one fused multiply-add for numbers, sums of products for matrices. In
any other order the operands' radii go through the recurrence and the rounding is `scan_bound` at the computed operands'
sizes. The delta rule has a bound of its own, in the 2-norm: an old error is mapped by I - r k k', which no bound entry
by entry knows to be no larger than 1.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from numeric.bounds import delta_recurrence_bound, norm, read_bound, scan_bound
from numeric.scan.delta import cpu as delta_cpu
from ssmverify.bounds.arithmetic import add, mul, sub
from ssmverify.bounds.ball import FLOOR, WIDER, Ball, rounded
from ssmverify.bounds.functions import exp
from ssmverify.bounds.model import EXACT, Refused, active
from ssmverify.bounds.products import matmul
from ssmverify.bounds.registry import rule
from ssmverify.bounds.sums import total

REASSOCIATED = ("associative", "chunked")


def _at(x: Ball, t: int) -> Ball:
    return x.map(lambda z: z[:, t])


def _stacked(steps: list[Ball], like: Ball) -> Ball:
    if not steps:
        return like.map(torch.clone)
    return Ball(torch.stack([s.value for s in steps], 1), torch.stack([s.radius for s in steps], 1), like.dtype)


def _zeros(like: Ball) -> Ball:
    return Ball(torch.zeros_like(like.value), torch.zeros_like(like.value), like.dtype)


def _turned(x: Ball, reverse: bool) -> Ball:
    return x.map(lambda z: z.flip(1)) if reverse else x


def _chain(a: Ball, b: Ball, h0: Ball | None, roundings: int) -> Ball:
    """h_t = a_t h_{t-1} + b_t in time order, `roundings` a step of the whole result."""
    h, states = h0 if h0 is not None else _zeros(b.map(lambda z: z[:, 0] if z.shape[1] else z.sum(1))), []
    for t in range(b.value.shape[1]):
        gate, new = _at(a, t), _at(b, t)
        spread = gate.radius * h.value.abs() + (gate.value.abs() + 3 * gate.radius) * h.radius + new.radius
        value = torch.addcmul(new.value, gate.value, h.value)
        size = None if roundings == 1 else (gate.value * h.value).abs() + new.value.abs()
        h = rounded(value, spread, b.dtype, roundings=roundings, size=size)
        states.append(h)
    return _stacked(states, b)


@rule("ssmverify::scan")
def scan(a: Ball, b: Ball, h0: Ball | None, reverse: bool, backend: str) -> Ball:
    """One rounding a step for the canonical chain (`rounding.chain`), two where products are rounded; else `node`."""
    a, b = _turned(a, reverse), _turned(b, reverse)
    a = a.map(lambda z: z.expand_as(b.value))
    if backend not in REASSOCIATED:
        return _turned(_chain(a, b, h0, 1 if backend in ("cpu", "reference") else 2), reverse)
    run, silent = active(), active().mute
    run.mute = True
    spread = _chain(a, b, h0, 1)  # the operands' radii, and what float64 rounds
    run.mute = silent
    dtype = torch.float64 if run.format(b.dtype) == EXACT else b.dtype
    gates, inputs = ((x.reach * WIDER).to(dtype) * (1 + 2.0**-20) for x in (a, b))
    start = None if h0 is None else (h0.reach * WIDER).to(dtype) * (1 + 2.0**-20)
    depth = 2 * (max(b.value.shape[1], 1).bit_length() - 1) + 1
    rounding = scan_bound(gates, inputs, start, p=1, q=depth, reassociated=True)
    return _turned(Ball(spread.value, (spread.radius + rounding) * WIDER, b.dtype), reverse)


@rule("ssmverify::scan_backward")
def scan_backward(g: Ball, a: Ball, h: Ball, h0: Ball | None, reverse: bool, backend: str) -> tuple[Ball, Ball]:
    """λ_t = g_t + a_{t+1} λ_{t+1} by the same scan against time, and da_t = λ_t h_{t-1}."""
    g, a, h = (_turned(x, reverse) for x in (g, a, h))
    if h.value.shape[1] == 0:
        return g.map(torch.clone), g.map(torch.clone)
    following = a.map(lambda z: torch.cat([z[:, 1:], torch.zeros_like(z[:, :1])], 1))
    adjoint = scan(following, g, None, True, backend)
    first = h0 if h0 is not None else _zeros(_at(h, 0))
    before = Ball(
        torch.cat([first.value.unsqueeze(1), h.value[:, :-1]], 1),
        torch.cat([first.radius.unsqueeze(1), h.radius[:, :-1]], 1),
        h.dtype,
    )
    return _turned(mul(adjoint, before), reverse), _turned(adjoint, reverse)


@rule("ssmverify::matrix_scan")
def matrix_scan(A: Ball, B: Ball, H0: Ball | None, backend: str) -> Ball:
    """H_t = A_t H_{t-1} + B_t: sums of n products and an input."""
    H, states = H0 if H0 is not None else _zeros(B.map(lambda z: z.sum(1))), []
    for t in range(B.value.shape[1]):
        H = add(matmul(_at(A, t), H), _at(B, t))
        states.append(H)
    return _stacked(states, B)


@rule("ssmverify::matrix_scan_backward")
def matrix_scan_backward(G: Ball, A: Ball, H: Ball, H0: Ball | None, backend: str) -> tuple[Ball, Ball]:
    """The adjoint scan Λ_t = G_t + A_{t+1}' Λ_{t+1}, and dA_t = Λ_t H_{t-1}'."""
    if H.value.shape[1] == 0:
        return A.map(torch.clone), G.map(torch.clone)
    following = A.map(lambda z: torch.cat([z[:, 1:], torch.zeros_like(z[:, :1])], 1).mT.flip(1))
    adjoint = matrix_scan(following, G.map(lambda z: z.flip(1)), None, backend).map(lambda z: z.flip(1))
    first = H0 if H0 is not None else _zeros(_at(H, 0))
    value = torch.cat([first.value.unsqueeze(1), H.value[:, :-1]], 1).mT
    radius = torch.cat([first.radius.unsqueeze(1), H.radius[:, :-1]], 1).mT
    return matmul(adjoint, Ball(value, radius, H.dtype)), adjoint


@rule("ssmverify::selective_scan")
def selective_scan(x: Ball, delta: Ball, A: Ball, B: Ball, C: Ball, h0: Ball, backend: str) -> tuple[Ball, Ball, Ball]:
    """h_t = exp(δ_t A) h_{t-1} + δ_t x_t B_t, y_t = C_t·h_t, every operation of a step charged."""
    h, outputs = h0.map(torch.clone), []
    for t in range(x.value.shape[1]):
        step = _at(delta, t)
        gate = exp(mul(step.map(lambda z: z.unsqueeze(-1)), A))
        written = mul(mul(step, _at(x, t)).map(lambda z: z.unsqueeze(-1)), _at(B, t).map(lambda z: z.unsqueeze(1)))
        h = add(mul(gate, h), written)
        outputs.append(_read(h, _at(C, t)))
    return _stacked(outputs, x), h, _unknown(h.value.unsqueeze(1), x.dtype)


def _read(state: Ball, q: Ball) -> Ball:
    """Σ_n state q, (B, d, n) and (B, n)."""
    return total(mul(state, q.map(lambda z: z.unsqueeze(1))), -1)


def _unknown(like: Tensor, dtype: torch.dtype) -> Ball:
    """What a kernel keeps for its backward, which has no rule."""
    return Ball(torch.zeros_like(like), torch.full_like(like, torch.inf), dtype)


@rule("ssmverify::delta_scan")
def delta_scan(q: Ball, k: Ball, v: Ball, r: Ball, S0: Ball, backend: str) -> tuple[Ball, Ball, Ball]:
    """S_t = S_{t-1} + r_t (v_t - S_{t-1} k_t) k_t', y_t = S_t q_t: each step charged entry by entry, or by rows (see
    `_by_rows`), whichever is smaller."""
    S, states, outputs = S0.map(torch.clone), [], []
    for t in range(v.value.shape[1]):
        key = _at(k, t)
        target = mul(_at(r, t), sub(_at(v, t), _read(S, key)))
        S = add(S, mul(target.map(lambda z: z.unsqueeze(-1)), key.map(lambda z: z.unsqueeze(1))))
        states.append(S)
        outputs.append(_read(S, _at(q, t)))
    y = _stacked(outputs, v)
    if states:
        _by_rows(q, k, v, r, S0, states, y)
    chunks = -(-v.value.shape[1] // delta_cpu.CHUNK)
    kept = S0.value.unsqueeze(1).expand(-1, chunks, -1, -1)
    return y, states[-1] if states else S, _unknown(kept, v.dtype)


def _by_rows(q: Ball, k: Ball, v: Ball, r: Ball, S0: Ball, states: list[Ball], y: Ball) -> None:
    """Lowers the radii of y and of the last state to what the 2-norms e of the rows' errors give.

    S^_t - S_t = (S^_{t-1} - S_{t-1})(I - r^ k^ k^') + [S_{t-1}(r k k' - r^ k^ k^') + r^ v^ k^' - r v k'] + rounding:
    the first is at most max(1, |1 - r^ k^'k^|) e, the second is bounded by sizes, the third by
    `delta_recurrence_bound` for a single step from |S_{t-1}| + e.
    """
    dtype = torch.float64 if active().format(v.dtype) == EXACT else v.dtype
    K, V, R = (x.reach for x in (k, v, r))
    keys, values, strengths = k.value.abs(), v.value.abs(), r.value.abs()
    k_, v_, r_ = ((x * (1 + 2.0**-20)).to(dtype) for x in (K, V, R))
    before, e, rows = S0.value.abs(), norm(S0.radius), []
    for t, state in enumerate(states):
        size, reach = (keys[:, t] ** 2).sum(-1, keepdim=True), (K[:, t] ** 2).sum(-1, keepdim=True)
        off = R[:, t] * reach - strengths[:, t] * size + 2.0**-48 * R[:, t] * reach
        grown = ((1 - r.value[:, t] * size).abs() + off).clamp(min=1)
        moved = _written(R[:, t], K[:, t], V[:, t], before) * (1 + 2.0**-46)
        moved = (moved - _written(strengths[:, t], keys[:, t], values[:, t], before)).clamp(min=0)
        now = slice(t, t + 1)
        start = before + e.unsqueeze(-1)
        rounding = delta_recurrence_bound(k_[:, now], v_[:, now], r_[:, now], start[:, None], start)[:, 0]
        e = (grown * e + norm(moved) + rounding) * (1 + 2.0**-20) + FLOOR
        rows.append(e)
        before = state.value.abs()
    stacked = torch.stack(rows, 1)
    computed = torch.stack([s.value for s in states], 1).abs() + stacked.unsqueeze(-1)
    read = read_bound(computed, (q.reach * (1 + 2.0**-20)).to(dtype), stacked)
    read = read + (computed * q.radius.unsqueeze(-2)).sum(-1) * WIDER
    y.radius.copy_(torch.minimum(y.radius, read))
    states[-1].radius.copy_(torch.minimum(states[-1].radius, e.unsqueeze(-1).expand_as(states[-1].radius)))


def _written(r: Tensor, k: Tensor, v: Tensor, before: Tensor) -> Tensor:
    """|r|(|v| + |S||k|)|k|', (B, d, n), of sizes."""
    return (r * (v + (before * k.unsqueeze(1)).sum(-1))).unsqueeze(-1) * k.unsqueeze(1)


@rule("ssmverify::selective_scan_backward", "ssmverify::delta_scan_backward")
def _fused_backward(*args: Any) -> Any:
    raise Refused("no proven rule for the fused kernel's gradient: call the scan with backend='reference'")
