"""The bound for scans whose decays are exponentials of running sums of log decays: the order of chunked kernels.

    h_t = e^{g_t} h_{t-1} + b_t, in chunks of C;   g, b (B, T, ...), h0 (B, ...)   within a chunk G_t = g_1 + ... + g_t

form         the decay from s to t is computed as   α_t               w_t
differences  exp(G_t - G_s), sums in any order      2(1+u) EG_t + η   u|g_t|
             the same, sums in time order           4tη               (1+u)(dg_t + u(A_t + EG_t)) + u|g_t|
segments     exp of the sum over s+1..t itself      4tη               dg_t + γ_m(|g_t| + dg_t)
products     exp(G_t) exp(-G_s)                     2 EG_t            0

with A_t = Σ|g_r| + dg_r, EG_t = Σ dg_r + γ_depth A_t + 2tη at least the error of G_t, γ_m = (1+u)^m - 1, depth t - 1 in
any order and log2 C in a balanced tree. exp is within ulp units in the last place: ρ = 2 ulp u, and its argument off by
a further κu where it is exp2 of a rounded product. Theorem (by hand): absent overflow the state is off by at most

    ((1+ν)e^α - 1) e^g H_{t-1} + (1+ν) e^α X_t + ν'(|b_t| + db_t) + M_t + U_t
    H_t = e^g H_{t-1} + |b_t| + db_t,  H_0 = |x| + E_in;     M_t = e^g M_{t-1} + db_t,  M_0 = E_in
    X_t = e^g (e^w X_{t-1} + (e^w - 1) H_{t-1}),  X_0 = 0;   1 + ν = (1+ρ)^m (1+u)^{C+3+m} (1+u16)^casts

x the state that enters the chunk, E_in its error, m the exponentials in a term (2 for products, else 1), ν' = ν, for
products (1+ν)e^α - 1; U_t is what underflow may add. Each sum Ĝ_t collects at most `depth` roundings a term, so
|Ĝ_t - G_t| <= EG_t; the exponent from s to t is then off by at most α_t + Σ_{s<r<=t} w_r in every form (in time order
the error that Ĝ_t and Ĝ_s share cancels), and |e^z - 1| <= e^|z| - 1 term by term.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from numeric.bounds import underflow, unit_roundoff

FORMS = ("differences", "segments", "products")
LOG_LARGEST = {torch.float32: 88.72, torch.float64: 709.78}
U16 = {None: 0.0, torch.bfloat16: 2.0**-8, torch.float16: 2.0**-11}


@dataclass(frozen=True)
class Order:
    """How a kernel evaluates.

    form: see the module. sums: "any" order, "time" order, or "tree" for a balanced one. carry: "loop" takes states from
    chunk to chunk; "levels" makes local states of all chunks and applies the same form to the chunks' totals (Mamba-2).
    casts: how often a term is rounded to `cast_to`. ulp, kappa: of exp.
    """

    chunk: int
    form: str = "differences"
    sums: str = "any"
    carry: str = "loop"
    casts: int = 0
    cast_to: torch.dtype | None = None
    ulp: float = 1.0
    kappa: float = 0.0

    def __post_init__(self) -> None:
        if self.form not in FORMS or self.sums not in ("any", "time", "tree") or self.carry not in ("loop", "levels"):
            raise ValueError(
                f"an order has a form of {FORMS}, sums any, time or tree, and a carry loop or levels; given: {self}"
            )
        if self.casts and self.cast_to not in U16:
            raise ValueError(f"casts={self.casts} need cast_to=torch.bfloat16 or torch.float16, not {self.cast_to}")

    def depth(self, length: int) -> int:
        """Roundings that a term of a sum of so many collects."""
        return max(math.ceil(math.log2(length)) if self.sums == "tree" and length > 1 else length - 1, 0)

    def log_factor(self, u: float, terms: int) -> float:
        """log(1 + ν) for sums of so many terms."""
        m = 2 if self.form == "products" else 1
        cast = self.casts * math.log1p(U16[self.cast_to])
        return m * math.log1p(2 * self.ulp * u) + (terms + 3 + m) * math.log1p(u) + cast


def exponents_bound(
    g: Tensor,
    b: Tensor,
    h0: Tensor | None = None,
    *,
    order: Order,
    dtype: torch.dtype = torch.float32,
    dg: Tensor | None = None,
    db: Tensor | None = None,
    dh0: Tensor | None = None,
) -> Tensor:
    """The bound for each state, float64 (B, T, ...): infinite where the form may overflow.

    g, b (B, T, ...), h0 (B, ...): the numbers a kernel in `dtype` was given. dg, db, dh0: how far those it computes
    with may be off them, as where log decays are themselves computed.
    """
    g, b = torch.broadcast_tensors(g.double(), b.double())
    start = torch.zeros_like(b[:, 0]) if h0 is None else h0.double().abs()
    of_decay, of_input = (torch.zeros_like(b) if x is None else x.double().expand_as(b) for x in (dg, db))
    error = torch.zeros_like(start) if dh0 is None else dh0.double().expand_as(start)
    run = _Chunks(order, float(unit_roundoff(dtype)), underflow(dtype), LOG_LARGEST[dtype])
    way = run.levels if order.carry == "levels" else run.loop
    return way(g, b, start, of_decay, of_input, error)


@dataclass(frozen=True)
class _Chunks:
    order: Order
    u: float
    eta: float
    log_largest: float

    def loop(self, g: Tensor, b: Tensor, x: Tensor, dg: Tensor, db: Tensor, error: Tensor) -> Tensor:
        """The bound where each chunk starts from the state of the one before."""
        bounds, lost = [], torch.zeros_like(x, dtype=torch.bool)
        for s in range(0, b.shape[1], self.order.chunk):
            now = slice(s, s + self.order.chunk)
            found, _ = self.chunk(g[:, now], b[:, now], x, dg[:, now], db[:, now], error, self.order.chunk)
            lost = lost | self.overflows(g[:, now], b[:, now], dg[:, now], db[:, now])
            found = torch.where(lost.unsqueeze(1), torch.inf, found)
            bounds.append(found)
            error = found[:, -1].nan_to_num(nan=torch.inf)
            x = _sizes(g[:, now], b[:, now], x)
        return torch.cat(bounds, 1) if bounds else b

    def levels(self, g: Tensor, b: Tensor, x: Tensor, dg: Tensor, db: Tensor, error: Tensor) -> Tensor:
        """The bound where the states that chunks start from come from the same form over the chunks' totals."""
        C, zero = self.order.chunk, torch.zeros_like(x)
        parts = [slice(s, s + C) for s in range(0, b.shape[1], C)]
        local, totals, of_totals, ends = [], [], [], []
        for now in parts:
            found, of_sums = self.chunk(g[:, now], b[:, now], zero, dg[:, now], db[:, now], zero, C)
            end = _signed(g[:, now], b[:, now])
            local.append(found[:, -1] + 1e-12 * _sizes(g[:, now], b[:, now], zero))
            totals.append(g[:, now].sum(1))
            of_totals.append(of_sums)
            ends.append(end.abs() * (1 + 1e-12))
        many = len(parts)
        outer = [torch.stack(z, 1) for z in (totals, ends, of_totals, local)]
        carried, _ = self.chunk(outer[0], outer[1], x, outer[2], outer[3], error, many + 1)
        first = error + math.expm1(self.order.log_factor(self.u, many + 1)) * (x + error)  # h0 passes the outer sum too
        bounds = []
        for i, now in enumerate(parts):
            entering = first if i == 0 else carried[:, i - 1]
            found, _ = self.chunk(g[:, now], b[:, now], x, dg[:, now], db[:, now], entering, C)
            bounds.append(found)
            x = _sizes(g[:, now], b[:, now], x)
        return torch.cat(bounds, 1)

    def chunk(
        self, g: Tensor, b: Tensor, x: Tensor, dg: Tensor, db: Tensor, error: Tensor, terms: int
    ) -> tuple[Tensor, Tensor]:
        """The bound of the states of one chunk, and that of its last running sum."""
        eta, log_factor = self.eta, self.order.log_factor(self.u, terms)
        A, off, X, M, H = torch.zeros_like(x), torch.zeros_like(x), torch.zeros_like(x), error, x + error
        inflow, nu, bounds = H.clone(), math.expm1(log_factor), []
        of_sum = torch.zeros_like(x)
        for t in range(b.shape[1]):
            size, new = g[:, t].abs(), b[:, t].abs() + db[:, t]
            decay = torch.exp(g[:, t]) * (1 + 2.0**-50)
            A, off = A + size + dg[:, t], off + dg[:, t]
            of_sum = off + self.gamma(self.order.depth(t + 1)) * A + 2 * (t + 1) * eta
            alpha, w = self.exponent(A, of_sum, size, dg[:, t], t + 1)
            X = decay * (torch.exp(w) * X + torch.expm1(w) * H)
            before, M, inflow = decay * H, decay * M + db[:, t], inflow + new
            factor = torch.expm1(alpha + log_factor)
            of_input = factor if self.order.form == "products" else torch.full_like(factor, nu)
            tiny = (1 + nu) * eta * (inflow + 4 * (terms + 2))
            if self.order.form == "products":  # an e^{G_t} flushed to 0 meets an e^{-G_s} as large as e^A
                tiny = tiny + torch.where(A + of_sum > 87, eta * torch.exp(A + of_sum) * inflow * (1 + factor), 0.0)
            bounds.append(factor * before + (1 + factor) * X + of_input * new + M + tiny)
            H = before + new
        wider = 1 + 2.0**-40 * (b.shape[1] + 8)
        return torch.stack(bounds, 1) * wider, of_sum

    def exponent(self, A: Tensor, of_sum: Tensor, size: Tensor, dg: Tensor, t: int) -> tuple[Tensor, Tensor]:
        """α_t and w_t."""
        u, kappa = self.u, self.order.kappa * self.u
        if self.order.form == "products":
            return 2 * of_sum + 2 * kappa * (A + of_sum), torch.zeros_like(A)
        if self.order.form == "segments":
            gamma = self.gamma(self.order.depth(t))
            return torch.full_like(A, 4 * t * self.eta), dg + (gamma + kappa * (1 + gamma)) * (size + dg)
        if self.order.sums == "time":
            w = (1 + kappa) * ((1 + u) * (dg + u * (A + of_sum)) + u * size) + kappa * size
            return torch.full_like(A, 4 * t * self.eta), w
        return (1 + kappa) * (2 * (1 + u) * of_sum + self.eta), (1 + kappa) * u * size + kappa * size

    def gamma(self, roundings: int) -> float:
        """(1 + u)^roundings - 1."""
        return math.expm1(roundings * math.log1p(self.u))

    def overflows(self, g: Tensor, b: Tensor, dg: Tensor, db: Tensor) -> Tensor:
        """Where b e^{-G} of the product form may exceed the largest number."""
        if self.order.form != "products":
            return torch.zeros_like(b[:, 0], dtype=torch.bool)
        A = (g.abs() + dg).sum(1) * (1 + 2 * self.gamma(self.order.chunk)) + self.order.chunk * self.eta
        return A + torch.log((b.abs() + db).clamp(min=1).sum(1)) > self.log_largest


def _sizes(g: Tensor, b: Tensor, x: Tensor) -> Tensor:
    """At least the size of the state after a chunk."""
    for t in range(b.shape[1]):
        x = (torch.exp(g[:, t]) * x + b[:, t].abs()) * (1 + 2.0**-49 * (1 + g[:, t].abs()))
    return x


def _signed(g: Tensor, b: Tensor) -> Tensor:
    """The state after a chunk that starts from 0."""
    x = torch.zeros_like(b[:, 0])
    for t in range(b.shape[1]):
        x = torch.exp(g[:, t]) * x + b[:, t]
    return x
