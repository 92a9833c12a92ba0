"""Judging the gated delta rule by its defects: what each step of a kernel lacks of the recurrence it should obey.

    S_t = a_t (I - β_t k_t k_t') S_{t-1} + β_t k_t v_t',   a_t = e^{g_t};   k (T, n), v (T, d), g and β (T)
    D_t = S^_t - [a_t (I - β_t k_t k_t') S^_{t-1} + β_t k_t v_t']    of the states S^ (T, n, d) that a kernel shows

A bound of the states' errors grows with T, and for the chunked form with the inverse of I + A twice over; a bound of
the defects does neither. A kernel shows its states to queries e_1 ... e_n (`shown_states`). Derived by hand; | | is
entry by entry, γ_m = (1+u)^m - 1, exp within ulp units in the last place (ρ = 2 ulp u).

loop     |D_t| <= ((1+ρ)(1+u)³ - 1) B + |βk| ⊗ [γ_5 |v| + ((1+ρ)(1+u)^{n+6} - 1) |k|'B],   B = a_t |S^_{t-1}|
chunks   |D_t| <= read_t + a_t(I + |β||k||k|') read_{t-1} + |k_t| ⊗ res_t, A_ij = β_i k_i·k_j e^{G_i-G_j} for i > j,
         T = (I + A)^{-1} by substitution, and V = T(βv - βk e^G S) the writes of the chunk that starts from S,
         read_t = φ_0 e^{G_t}|S| + Σ_{j<=t} φ_tj e^{G_t-G_j}|k_j||V_j|     what reading the state at t rounds
         res = δA|V| + γ_{C+1}(|A| + δA)|T||βv - βk e^G S| + (I + |A|) r       δA the error of A, r what follows T
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from numeric.bounds import relative, underflow, unit_roundoff

Kernel = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
WIDER = 1 + 2.0**-30


def shown_states(kernel: Kernel, k: Tensor, v: Tensor, g: Tensor, beta: Tensor) -> Tensor:
    """The states (T, n, d) of one sequence that kernel(q, k, v, g, beta) -> y reads, by the queries e_1 ... e_n.

    k (T, n), v (T, d), g, beta (T); the kernel takes a batch before these dimensions and is given n copies.
    """
    T, n = k.shape
    q = torch.eye(n, dtype=k.dtype).unsqueeze(1).expand(n, T, n)
    copies = [x.unsqueeze(0).expand(n, *x.shape) for x in (k, v, g, beta)]
    return kernel(q, *copies).movedim(0, 1)


def delta_defects(k: Tensor, v: Tensor, g: Tensor, beta: Tensor, states: Tensor) -> Tensor:
    """|D_t| (T, n, d) in float64, of states (T, n, d)."""
    k, v, g, beta, states = (x.double() for x in (k, v, g, beta, states))
    decayed = torch.exp(g)[:, None, None] * _before(states)
    read = torch.einsum("tn,tnd->td", k, decayed)
    return (states - decayed + (beta[:, None] * k)[..., None] * (read - v)[:, None, :]).abs()


def _before(states: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(states[:1]), states[:-1]], 0)


class _Model:
    """γ and the log factors of one dtype."""

    def __init__(self, dtype: torch.dtype, ulp: float):
        self.exact_u, self.u, self.eta = unit_roundoff(dtype), float(unit_roundoff(dtype)), underflow(dtype)
        self.log_exp, self.log_u = math.log1p(2 * ulp * self.u), math.log1p(self.u)

    def gamma(self, m: int) -> float:
        return float(relative(m, self.exact_u))

    def exponential(self, m: int) -> float:
        """(1 + ρ)(1 + u)^m - 1."""
        return math.expm1(self.log_exp + m * self.log_u)

    def tiny(self, n: int, *sizes: Tensor) -> float:
        """What underflow may add to an entry of n terms."""
        return 64 * n * self.eta * math.prod(1 + float(x.abs().max()) for x in sizes)


def loop_defect_bound(
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor,
    states: Tensor,
    *,
    reading: int = 0,
    dtype: torch.dtype = torch.float32,
    ulp: float = 1.0,
) -> Tensor:
    """The bound of |D_t| (T, n, d) for the loop in any inner order.

    reading: the roundings that a read by e_i may make; none where 1 x and x + 0 are exact.
    """
    m, n = _Model(dtype, ulp), k.shape[1]
    k, v, g, beta, states = (x.double() for x in (k, v, g, beta, states))
    keys, a = k.abs(), torch.exp(g)[:, None, None]
    written = keys * beta.abs()[:, None]
    off = m.gamma(reading) * states.abs() * (1 + 2 * m.gamma(reading))  # |carried - shown|
    before = _before(off)
    B = a * (_before(states).abs() + before)
    target = m.gamma(5) * v.abs() + m.exponential(n + 6) * torch.einsum("tn,tnd->td", keys, B)
    fresh = m.exponential(3) * B + written[..., None] * target[:, None, :]
    moved = off + a * before + written[..., None] * torch.einsum("tn,tnd->td", keys, a * before)[:, None, :]
    return (fresh + moved) * WIDER + m.tiny(n, v, B, k) + 2.0**-50 * n * (states.abs() + B + fresh)


def chunk_defect_bound(
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor,
    states: Tensor,
    *,
    chunk: int,
    dtype: torch.dtype = torch.float32,
    ulp: float = 1.0,
) -> Tensor:
    """The bound of |D_t| (T, n, d) for the WY form by chunks, T by substitution, decays by differences of sums."""
    m = _Model(dtype, ulp)
    k, v, g, beta, states = (x.double() for x in (k, v, g, beta, states))
    n, d = k.shape[1], v.shape[1]
    start, carried, bounds = torch.zeros(n, d).double(), torch.zeros(n, d).double(), []
    for s in range(0, len(k), chunk):
        now = slice(s, s + chunk)
        found, carried = _chunk(m, k[now], v[now], g[now], beta[now], start, carried, chunk)
        bounds.append(found)
        start = states[now][-1]
    found = torch.cat(bounds)
    return found * WIDER + m.tiny(n * chunk, v, states, k) + 2.0**-50 * n * (states.abs() + found)


def _chunk(
    m: _Model, k: Tensor, v: Tensor, g: Tensor, beta: Tensor, S: Tensor, carried: Tensor, C: int
) -> tuple[Tensor, Tensor]:
    """The bound of a chunk's defects, and that of the state it hands on. S: the shown state before, `carried` off."""
    size, n = k.shape
    keys, G = k.abs(), g.cumsum(0)
    low = torch.ones(size, size).double().tril()
    of_sum = torch.expm1(torch.arange(size) * m.log_u) * g.abs().cumsum(0)
    exponents = (G[:, None] - G[None]) * low
    decay, eps = torch.exp(exponents) * low, 2 * (1 + m.u) * of_sum[:, None] + m.u * exponents.abs()
    from_start, eye = torch.exp(G)[:, None], torch.eye(size).double()
    strict = decay * low.tril(-1)
    A, sizes = (k @ k.T) * beta[:, None] * strict, (keys @ keys.T) * beta.abs()[:, None] * strict
    dA = torch.expm1(eps + m.log_exp + (n + 3) * m.log_u) * sizes
    inverse = torch.linalg.solve_triangular(eye + A, eye, upper=False)
    T = inverse.abs() * low
    Q = T @ (dA + m.gamma(C + 1) * (A.abs() + dA))  # |T^ - T| <= (I - Q)^{-1} Q |T|, Q strictly lower triangular
    dT = torch.linalg.solve_triangular(eye - Q, Q @ T, upper=False)
    T_hat, reach = T + dT, S.abs() + carried
    bv, bk = (beta[:, None] * v).abs(), (beta[:, None] * k).abs() * from_start
    of_start = torch.expm1(of_sum + m.log_exp + (C + 4) * m.log_u)[:, None]
    U, W = inverse @ (beta[:, None] * v), inverse @ (beta[:, None] * k * from_start)
    V = U - W @ S
    after = m.gamma(C + 2) * T_hat @ bv + (T_hat @ (of_start * bk)) @ reach
    after = after + m.gamma(n + 1) * (W.abs() + dT @ bk + T_hat @ (of_start * bk)) @ reach
    after = after + m.u * (U.abs() + dT @ bv) + m.u * V.abs()
    V_hat = V.abs() + W.abs() @ carried + dT @ bv + (dT @ bk) @ reach + after
    right = (beta[:, None] * v - (beta[:, None] * k * from_start) @ S).abs() + bk @ carried
    res = dA @ V_hat + m.gamma(C + 1) * ((A.abs() + dA) @ T_hat @ right) + (eye + A.abs()) @ after
    phi = torch.expm1(eps + m.log_exp + (n + C + 4) * m.log_u)
    phi0 = torch.expm1(of_sum + m.log_exp + (n + C + 4) * m.log_u)[:, None]
    writes = keys[:, :, None] * V_hat[:, None, :]
    read = (phi0 * from_start)[..., None] * reach + torch.einsum("tj,jnd->tnd", decay * phi, writes)
    before = torch.cat([carried[None], read[:-1]])
    through = torch.einsum("tn,tnd->td", keys, before)
    moved = before + (beta.abs()[:, None] * keys)[..., None] * through[:, None, :]
    bound = read + torch.exp(g)[:, None, None] * moved + keys[..., None] * res[:, None, :]
    of_end = torch.expm1(eps[-1] + m.log_exp + (C + 4) * m.log_u)
    left = keys * (torch.exp(G[-1] - G) * of_end)[:, None]
    return bound, read[-1] + phi0[-1] * from_start[-1] * reach + left.T @ V_hat
