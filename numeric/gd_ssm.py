"""GD-SSM: State-space models can learn in-context by gradient descent (arXiv 2410.11687).

| symbol | shape | meaning |
| --- | --- | --- |
| B, f, N | sizes | batch; entries of a token; pairs in the context |
| tokens | (B, 2N + 1, f) | x_1, y_1, ..., x_N, y_N, x_q: no positional code |
| window j | (3, f) | rows x_j, y_j, x_{j+1} (x_{N+1} = x_q); windows start two tokens apart |
| mixing, pick | (3, 3), (3,) | input gate X' mixing X, and query X' pick, of a window X |
| decay, C | (f, f) | of each entry of the state Z; what the read-out Z' X' pick is multiplied by |
| o | (B, N, f) | output after each pair; the prediction for x_{j+1} is -o_j |
| rate | () | γ = η/N, the rate of a step on the sum of the losses |

Source: the authors' code (Efficient-Scalable-Machine-Learning/gd-ssm), branches master (`gd_ssm`) and
constructed-token (`gd_ssm_vector`). Departures: the decay is a parameter, not the discretisation exp(ΛΔ), which reaches
1 only in the limit; C of the construction is -γ I with γ = η/N, where the code divides η by the state size; a parameter
B that the code creates and never uses is left out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from numeric.attention import attended, collected
from numeric.scan import scan

WINDOW, STRIDE = 3, 2


def windows(tokens: Tensor) -> Tensor:
    """The windows of successive pairs: (B, 2N + 1, f) -> (B, N, 3, f).

    Raises ValueError unless there are three dimensions and an odd number of tokens, three at least.
    """
    if tokens.ndim != 3:
        raise ValueError(f"tokens must be (batch, 2N + 1, f), given {tuple(tokens.shape)}")
    length = tokens.shape[1]
    if length < WINDOW:
        raise ValueError(
            f"a window takes {WINDOW} tokens, x_1, y_1 and a query, given {length}: give one pair at least, N >= 1"
        )
    if length % STRIDE == 0:
        raise ValueError(
            f"tokens are x_1, y_1, ..., x_N, y_N and a query, so an odd number, given {length}: "
            "append the query, or drop the input that has no target"
        )
    return tokens.unfold(1, WINDOW, STRIDE).movedim(-1, -2)


def require_shape(name: str, weight: Tensor, shape: tuple[int, ...], given: str) -> None:
    """Raises ValueError for a weight of another shape, which some sizes would let pass by broadcasting."""
    if weight.shape != shape:
        raise ValueError(f"{name} must be {shape} for {given}, given {tuple(weight.shape)}")


def input_gate(X: Tensor, mixing: Tensor) -> Tensor:
    """X' mixing X of each window X (..., 3, f): (..., f, f)."""
    return X.mT @ (mixing @ X)


def read_out(Z: Tensor, X: Tensor, pick: Tensor, C: Tensor) -> Tensor:
    """C Z' (X' pick) of each state Z (..., f, f) and window X (..., 3, f): (..., f)."""
    q = torch.einsum("...sf,s->...f", X, pick)
    read = torch.einsum("...gf,...g->...f", Z, q)
    return torch.einsum("ef,...f->...e", C, read)


def gd_ssm(
    tokens: Tensor, mixing: Tensor, pick: Tensor, C: Tensor, decay: Tensor | None = None, *, backend: str = "auto"
) -> Tensor:
    """The layer on raw tokens: the outputs o (B, N, f), shapes as in the module's table; a decay of None is 1.

    Raises what `windows` raises, ValueError for weights of other shapes, and what `scan` raises.
    """
    X = windows(tokens)
    f = tokens.shape[-1]
    given = {"mixing": mixing, "pick": pick, "C": C, "decay": C if decay is None else decay}
    wanted = {"mixing": (WINDOW, WINDOW), "pick": (WINDOW,), "C": (f, f), "decay": (f, f)}
    for name, weight in given.items():
        require_shape(name, weight, wanted[name], f"tokens of f = {f} entries")
    gates = input_gate(X, mixing).flatten(2)
    factor = torch.ones_like(gates) if decay is None else decay.reshape(1, 1, f * f).expand_as(gates)
    Z = scan(factor, gates, backend=backend).reshape(*gates.shape[:2], f, f)
    return read_out(Z, X, pick, C)


def require_one_number(rate: Tensor) -> None:
    """Raises ValueError for a rate that is not a tensor of no dimensions."""
    if not isinstance(rate, Tensor) or rate.ndim:
        given = tuple(rate.shape) if isinstance(rate, Tensor) else type(rate).__name__
        raise ValueError(f"the rate must be one number, a tensor of shape (), given {given}")


def construction(f: int, rate: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mixing e_1 e_2', pick e_3 and C = -γ I: one step of gradient descent from zero (`gd_ssm.one_step`).

    Raises ValueError for a rate that is not one number.
    """
    require_one_number(rate)
    mixing, pick = rate.new_zeros(WINDOW, WINDOW), rate.new_zeros(WINDOW)
    mixing[0, 1] = 1
    pick[2] = 1
    return mixing, pick, -rate * torch.eye(f, dtype=rate.dtype, device=rate.device)


def one_step(tokens: Tensor, rate: Tensor, *, backend: str = "auto") -> Tensor:
    """For every prefix of the context, the prediction after one step from zero on it: (B, N, f).

    Raises what `gd_ssm` and `construction` raise.
    """
    f = windows(tokens).shape[-1]
    return -gd_ssm(tokens, *construction(f, rate), backend=backend)


def one_step_from(tokens: Tensor, W0: Tensor, rate: Tensor, *, backend: str = "auto") -> Tensor:
    """The same from W_0 (f, f): a second accumulator with mixing e_1 e_1', and a skip (B, N, f).

    W_0 x_{j+1} + γ M_j x_{j+1} - W_0 (γ S_j x_{j+1}). Raises what `one_step` raises, and ValueError for W_0 of another
    shape.
    """
    f = windows(tokens).shape[-1]
    require_shape("W0", W0, (f, f), f"tokens of f = {f} entries")
    mixing, pick, C = construction(f, rate)
    of_inputs = torch.zeros_like(mixing)
    of_inputs[0, 0] = 1
    targets = -gd_ssm(tokens, mixing, pick, C, backend=backend)
    inputs = gd_ssm(tokens, of_inputs, pick, C, backend=backend)
    return corrected(W0, tokens[:, 2::2], targets, inputs)


def corrected(W0: Tensor, q: Tensor, targets: Tensor, inputs: Tensor) -> Tensor:
    """W_0 q + γ M q + W_0 (-γ S q), from γ M q and -γ S q: each (B, N, f)."""
    return targets + (q + inputs) @ W0.mT


def require_pairs(N: int) -> None:
    """Raises ValueError for an empty context."""
    if N == 0:
        raise ValueError("the context is empty: give at least one pair, N >= 1")


def constructed_tokens(x: Tensor, y: Tensor) -> Tensor:
    """Tokens [y_j x_j ; x_{j+1}] (B, N, 2f) from inputs x (B, N + 1, f), the query last, and targets y (B, N).

    Raises ValueError for other shapes, or N = 0.
    """
    if x.ndim != 3 or y.shape != (x.shape[0], x.shape[1] - 1):
        raise ValueError(f"x must be (B, N + 1, f) and y (B, N), given {tuple(x.shape)} and {tuple(y.shape)}")
    require_pairs(y.shape[1])
    return torch.cat([y.unsqueeze(-1) * x[:, :-1], x[:, 1:]], -1)


def gd_ssm_vector(
    tokens: Tensor, B: Tensor, D: Tensor, decay: Tensor | None = None, *, backend: str = "auto"
) -> Tensor:
    """The layer on constructed tokens: z_j = decay z_{j-1} + B s_j, o_j = z_j' D s_j.

    tokens (B, N, 2f); B, D (P, 2f); decay (P,), None is 1. Returns o (B, N). Raises ValueError for other shapes, or
    N = 0.
    """
    if tokens.ndim != 3 or B.ndim != 2 or B.shape != D.shape or B.shape[1] != tokens.shape[-1]:
        shapes = ", ".join(str(tuple(each.shape)) for each in (tokens, B, D))
        raise ValueError(f"tokens must be (batch, N, 2f), B and D both (P, 2f), given {shapes}")
    require_pairs(tokens.shape[1])
    if decay is not None:
        require_shape("decay", decay, (B.shape[0],), f"a state of {B.shape[0]} entries")
    written, q = tokens @ B.mT, tokens @ D.mT
    factor = torch.ones_like(written) if decay is None else decay.expand_as(written)
    return (scan(factor, written, backend=backend) * q).sum(-1)


def one_step_vector(x: Tensor, y: Tensor, rate: Tensor, *, backend: str = "auto") -> Tensor:
    """Predictions (B, N) after one step from zero on every prefix: x (B, N + 1, f), the query last, y (B, N).

    Raises what `constructed_tokens` raises, and ValueError for a rate that is not one number.
    """
    require_one_number(rate)
    tokens, f = constructed_tokens(x, y), x.shape[-1]
    halves = torch.eye(2 * f, dtype=x.dtype, device=x.device)
    return -gd_ssm_vector(tokens, -rate * halves[:f], halves[f:], backend=backend)


class GDSSM(nn.Module):
    """A trainable layer on raw tokens, (B, 2N + 1, f) -> predictions (B, N, f), the last one for the query.

    decay = sigmoid(logit). Starts at random; `descend` sets the construction, with decay 1 in all bits. Raises
    ValueError for f < 1, and what `gd_ssm` raises.
    """

    def __init__(self, f: int, *, dtype: torch.dtype | None = None):
        super().__init__()
        if f < 1:
            raise ValueError(f"GDSSM needs tokens of f >= 1 entries, given f = {f}")
        self.mixing = nn.Parameter(torch.randn(WINDOW, WINDOW, dtype=dtype) / WINDOW)
        self.pick = nn.Parameter(torch.randn(WINDOW, dtype=dtype) / WINDOW**0.5)
        self.C = nn.Parameter(torch.randn(f, f, dtype=dtype) / f**0.5)
        self.logit = nn.Parameter(torch.full((f, f), 4.0, dtype=dtype))

    @torch.no_grad()
    def descend(self, rate: float) -> GDSSM:
        """The construction of `gd_ssm.one_step` with γ = rate."""
        weights = construction(self.C.shape[0], self.C.new_tensor(rate))
        for parameter, weight in zip((self.mixing, self.pick, self.C), weights, strict=True):
            parameter.copy_(weight)
        self.logit.fill_(float("inf"))
        return self

    def forward(self, tokens: Tensor) -> Tensor:
        return -gd_ssm(tokens, self.mixing, self.pick, self.C, torch.sigmoid(self.logit))


def multi_step(x: Tensor, y: Tensor, rates: Tensor, *, backend: str = "auto") -> Tensor:
    """Predictions (B, N, m) after K steps from zero on every prefix, by a stack of layers that rewrite the query.

    x (B, N + 1, f), the query last; y (B, N, m); rates (K,), of step k on the sum of the losses. The layers compute
    v <- v + γ_k (q - S_j v) and the last one M_j v, with S_j and M_j the sums of x_i x_i' and y_i x_i' over the prefix
    (`gd_ssm.multi_step_query`). Raises ValueError for other shapes, or N = 0.
    """
    if x.ndim != 3 or y.ndim != 3 or y.shape[:2] != (x.shape[0], x.shape[1] - 1) or rates.ndim != 1:
        shapes = ", ".join(str(tuple(each.shape)) for each in (x, y, rates))
        raise ValueError(f"x must be (B, N + 1, f), y (B, N, m) and rates (K,), given {shapes}")
    require_pairs(y.shape[1])
    keys, q = x[:, :-1], x[:, 1:]
    S, M = collected(keys, keys, backend=backend), collected(y, keys, backend=backend)
    v = torch.zeros_like(q)
    for rate in rates:
        v = rewritten_query(v, q, attended(S, v), rate)
    return attended(M, v)


def rewritten_query(v: Tensor, q: Tensor, read: Tensor, rate: Tensor) -> Tensor:
    """One layer: v + γ (q - S v), each (B, N, f)."""
    return v + rate * (q - read)
