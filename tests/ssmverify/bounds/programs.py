"""Layers as a stranger would write them, in plain torch, with inputs; and their gradients."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Make = Callable[[int], tuple[Tensor, ...]]


@dataclass(frozen=True)
class Program:
    """A function of tensors, what it is called, and inputs for a given length."""

    name: str
    run: Callable[..., Any]
    inputs: Make

    @property
    def gradient(self) -> Program:
        """The gradient of the sum of the squares of its output, in every input."""

        def run(*inputs: Tensor) -> tuple[Tensor, ...]:
            return torch.autograd.grad((self.run(*inputs) ** 2).sum(), inputs)

        return Program(f"{self.name}, gradient", run, lambda T: tuple(x.requires_grad_() for x in self.inputs(T)))


def examples(n: int) -> int:
    """How many examples a test draws: n, or more for a longer run (BOUNDS_EFFORT=20 python -m pytest ...)."""
    return n * int(os.environ.get("BOUNDS_EFFORT", "1"))


def randoms(*shapes: tuple[int, ...]) -> tuple[Tensor, ...]:
    return tuple(torch.randn(shape) for shape in shapes)


class Mamba(nn.Module):
    """A Mamba block: width d, inner width e, state n, step rank r, a causal convolution of kernel taps."""

    def __init__(self, d: int = 4, e: int = 8, n: int = 3, r: int = 2, taps: int = 3):
        super().__init__()
        self.n, self.r, self.taps = n, r, taps
        self.into, self.out = nn.Linear(d, 2 * e, bias=False), nn.Linear(e, d, bias=False)
        self.conv, self.conv_bias = nn.Parameter(torch.randn(e, taps) / taps), nn.Parameter(torch.randn(e) / 10)
        self.read, self.step = nn.Linear(e, r + 2 * n, bias=False), nn.Linear(r, e)
        self.log_decay = nn.Parameter(torch.log(torch.arange(1.0, n + 1)).repeat(e, 1))
        self.skip = nn.Parameter(torch.ones(e))

    def forward(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        h, z = self.into(x).chunk(2, -1)
        padded = F.pad(h, (0, 0, self.taps - 1, 0))
        h = sum((padded[:, i : i + length] * self.conv[:, i] for i in range(self.taps)), start=self.conv_bias)
        h = F.silu(h)
        step, write, read = self.read(h).split([self.r, self.n, self.n], -1)
        step = F.softplus(self.step(step))
        gates = torch.exp(step[..., None] * -torch.exp(self.log_decay))
        inputs = step[..., None] * write[:, :, None, :] * h[..., None]
        state, outputs = torch.zeros(batch, h.shape[2], self.n), []
        for t in range(length):
            state = gates[:, t] * state + inputs[:, t]
            outputs.append((state * read[:, t, None, :]).sum(-1))
        return self.out((torch.stack(outputs, 1) + h * self.skip) * F.silu(z))


class MinGRU(nn.Module):
    def __init__(self, d: int = 4, h: int = 6):
        super().__init__()
        self.gate, self.candidate = nn.Linear(d, h), nn.Linear(d, h)

    def forward(self, x: Tensor) -> Tensor:
        z, c = torch.sigmoid(self.gate(x)), torch.tanh(self.candidate(x))
        h, out = torch.zeros_like(c[:, 0]), []
        for t in range(x.shape[1]):
            h = (1 - z[:, t]) * h + z[:, t] * c[:, t]
            out.append(h)
        return torch.stack(out, 1)


class LSTM(nn.Module):
    def __init__(self, d: int = 4, h: int = 6):
        super().__init__()
        self.cell, self.h = nn.Linear(d + h, 4 * h), h

    def forward(self, x: Tensor) -> Tensor:
        h = c = torch.zeros(x.shape[0], self.h)
        out = []
        for t in range(x.shape[1]):
            i, f, g, o = self.cell(torch.cat([x[:, t], h], -1)).chunk(4, -1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            out.append(h)
        return torch.stack(out, 1)


def gla(q: Tensor, k: Tensor, v: Tensor, g: Tensor) -> Tensor:
    """Gated linear attention, q k g (B, T, n), v (B, T, d), the loop."""
    a = torch.exp(-F.softplus(-g) / 16)
    S, out = torch.zeros(q.shape[0], q.shape[2], v.shape[2]), torch.zeros(v.shape)
    for t in range(q.shape[1]):
        S = S * a[:, t, :, None] + k[:, t, :, None] * v[:, t, None, :]
        out[:, t] = (q[:, t, :, None] * S).sum(1)
    return out


def rwkv6(r: Tensor, k: Tensor, v: Tensor, w: Tensor, bonus: Tensor) -> Tensor:
    """RWKV-6, r k w (B, T, n), v (B, T, d), bonus (n), the loop."""
    S, out, decay = torch.zeros(r.shape[0], r.shape[2], v.shape[2]), [], torch.exp(-torch.exp(w))
    for t in range(r.shape[1]):
        written = k[:, t, :, None] * v[:, t, None, :]
        out.append(torch.einsum("bn,bnd->bd", r[:, t], S + bonus[None, :, None] * written))
        S = decay[:, t, :, None] * S + written
    return torch.stack(out, 1)


def _unit(x: Tensor) -> Tensor:
    return x / (x * x).sum(-1, keepdim=True).add(1e-6).sqrt()


def delta_loop(q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Gated DeltaNet, q k (B, T, n), v (B, T, d), a b (B, T): the loop."""
    q, k, g, beta = _unit(q), _unit(k), -F.softplus(a), torch.sigmoid(b)
    S, out = torch.zeros(q.shape[0], k.shape[2], v.shape[2]), []
    for t in range(q.shape[1]):
        S = S * g[:, t].exp()[:, None, None]
        target = (v[:, t] - (S * k[:, t, :, None]).sum(1)) * beta[:, t, None]
        S = S + k[:, t, :, None] * target[:, None, :]
        out.append((q[:, t, :, None] * S).sum(1))
    return torch.stack(out, 1)


def delta_chunks(q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, C: int = 8) -> Tensor:
    """The same by chunks of C in the WY form, T a multiple of C."""
    q, k, g, beta = _unit(q), _unit(k), -F.softplus(a), torch.sigmoid(b)
    S, out, seen = torch.zeros(q.shape[0], k.shape[2], v.shape[2]), [], torch.ones(C, C, dtype=torch.bool).tril()
    for s in range(0, q.shape[1], C):
        qc, kc, vc, bc = q[:, s : s + C], k[:, s : s + C], v[:, s : s + C], beta[:, s : s + C, None]
        G = g[:, s : s + C].cumsum(-1)
        decay = (G[:, :, None] - G[:, None]).masked_fill(~seen, -math.inf).exp()
        mixing = -((bc * kc) @ kc.transpose(1, 2) * decay).masked_fill(~seen.tril(-1), 0)
        for i in range(1, C):
            mixing[:, i, :i] = mixing[:, i, :i] + (mixing[:, i, :i, None].clone() * mixing[:, :i, :i].clone()).sum(1)
        inverse = mixing + torch.eye(C)
        new = inverse @ (bc * vc) - inverse @ (bc * kc * G.exp()[..., None]) @ S
        out.append((qc * G.exp()[..., None]) @ S + (qc @ kc.transpose(1, 2) * decay) @ new)
        left = (G[:, -1:] - G).exp()[..., None]
        S = S * G[:, -1].exp()[:, None, None] + (kc * left).transpose(1, 2) @ new
    return torch.cat(out, 1)


def ssd(q: Tensor, k: Tensor, v: Tensor, g: Tensor, C: int = 8) -> Tensor:
    """Mamba-2's recurrence by chunks, q k (B, T, n), v (B, T, d), g (B, T)."""
    g = -F.softplus(g)
    S, out, seen = torch.zeros(q.shape[0], k.shape[2], v.shape[2]), [], torch.ones(C, C, dtype=torch.bool).tril()
    for s in range(0, q.shape[1], C):
        qc, kc, vc, G = q[:, s : s + C], k[:, s : s + C], v[:, s : s + C], g[:, s : s + C].cumsum(-1)
        decay = (G[:, :, None] - G[:, None]).masked_fill(~seen, -math.inf).exp()
        out.append((qc @ kc.transpose(1, 2) * decay) @ vc + torch.einsum("btn,bnd,bt->btd", qc, S, G.exp()))
        S = S * G[:, -1].exp()[:, None, None] + torch.einsum("btn,btd,bt->bnd", kc, vc, (G[:, -1:] - G).exp())
    return torch.cat(out, 1)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal softmax attention, (B, T, n)."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    seen = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    return torch.softmax(scores.masked_fill(~seen, -math.inf), -1) @ v


def diagonal_loop(a: Tensor, b: Tensor) -> Tensor:
    """h_t = a_t h_{t-1} + b_t, (B, T, D), the gates by tanh."""
    a, h, out = torch.tanh(a), torch.zeros_like(b[:, 0]), []
    for t in range(b.shape[1]):
        h = a[:, t] * h + b[:, t]
        out.append(h)
    return torch.stack(out, 1)


def minimal_rnn(x: Tensor, W: Tensor, U: Tensor) -> Tensor:
    """h_t = tanh(x_t W + h_{t-1} U)."""
    h, out = torch.zeros(x.shape[0], U.shape[0]), []
    for t in range(x.shape[1]):
        h = torch.tanh(x[:, t] @ W + h @ U)
        out.append(h)
    return torch.stack(out, 1)


class Normed(nn.Module):
    """A perceptron with LayerNorm and GELU, and a residual."""

    def __init__(self, d: int = 8):
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.Linear(2 * d, d)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(F.gelu(self.up(self.norm(x))))


def loss(x: Tensor, W: Tensor) -> Tensor:
    """Cross entropy of a linear classifier, (N, d), (d, classes)."""
    return F.cross_entropy(x @ W, torch.arange(x.shape[0]) % W.shape[1])


def swiglu(x: Tensor, W: Tensor, V: Tensor) -> Tensor:
    return F.silu(x @ W) * (x @ V)


def _sequence(d: int = 4) -> Make:
    return lambda T: randoms((2, T, d))


def programs() -> list[Program]:
    """The layers, with parameters drawn anew; lengths are multiples of 8."""

    def qkv(T: int) -> tuple[Tensor, ...]:
        return randoms((2, T, 4), (2, T, 4), (2, T, 3))

    gru = nn.GRU(4, 5, batch_first=True)
    return [
        Program("LSTM cell", LSTM(), _sequence()),
        Program("Mamba block", Mamba(), _sequence()),
        Program("minGRU", MinGRU(), _sequence()),
        Program("nn.GRU", lambda x: gru(x)[0], _sequence()),
        Program("tanh RNN", minimal_rnn, lambda T: randoms((2, T, 4), (4, 5), (5, 5))),
        Program("diagonal loop", diagonal_loop, lambda T: randoms((2, T, 4), (2, T, 4))),
        Program("GLA loop", gla, lambda T: (*qkv(T), *randoms((2, T, 4)))),
        Program("RWKV-6 loop", rwkv6, lambda T: (*qkv(T), *randoms((2, T, 4), (4,)))),
        Program("gated DeltaNet loop", delta_loop, lambda T: (*qkv(T), *randoms((2, T), (2, T)))),
        Program("gated DeltaNet chunks", delta_chunks, lambda T: (*qkv(T), *randoms((2, T), (2, T)))),
        Program("SSD chunks", ssd, lambda T: (*qkv(T), *randoms((2, T)))),
        Program("softmax attention", attention, qkv),
        Program("MLP with LayerNorm", Normed(), _sequence(8)),
        Program("RMSNorm", nn.RMSNorm(8, eps=1e-6), _sequence(8)),
        Program("LayerNorm", nn.LayerNorm(8), _sequence(8)),
        Program("conv1d", lambda x, w: F.conv1d(x, w, padding=1), lambda T: randoms((2, 4, T), (5, 4, 3))),
        Program("SwiGLU", swiglu, lambda T: randoms((T, 4), (4, 6), (4, 6))),
        Program("cross entropy", loss, lambda T: randoms((T, 4), (4, 3))),
        Program("cumulative", lambda x: torch.cumsum(x.sigmoid().cumprod(1), 1), _sequence()),
        Program("logsumexp", lambda x: torch.logsumexp(x, 1), _sequence()),
    ]


LOOPS = ("diagonal loop", "GLA loop", "RWKV-6 loop", "minGRU", "LSTM cell", "gated DeltaNet loop")
