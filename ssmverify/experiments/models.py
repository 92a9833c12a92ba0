"""What is trained beside GD-SSM's own layer: a stack of such layers, and one behind a feature map.

| symbol | shape | meaning |
| --- | --- | --- |
| B, f, N, p | sizes | batch; entries of a token; pairs in the context; features |
| tokens | (B, 2N + 1, f) | x_1, y_1, ..., x_N, y_N, x_q, as in `numeric.gd_ssm` |
| mixing, pick, C, decay | (3, 3), (3 or 4,), (f, f), (f, f) | weights of a layer, as there |
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from numeric.gd_ssm import GDSSM, WINDOW, input_gate, one_step, read_out, windows
from numeric.scan import scan
from ssmverify.experiments.tasks import interleaved


class Layer(nn.Module):
    """A state summed over the windows' input gates and read at one of `rows` rows. Starts at random."""

    def __init__(self, f: int, rows: int = WINDOW):
        super().__init__()
        self.mixing = nn.Parameter(torch.randn(WINDOW, WINDOW) / WINDOW)
        self.pick = nn.Parameter(torch.randn(rows) / rows**0.5)
        self.C = nn.Parameter(torch.randn(f, f) / f**0.5)
        self.logit = nn.Parameter(torch.full((f, f), 4.0))

    def forward(self, X: Tensor, rows: Tensor) -> Tensor:
        """Windows X (B, N, 3, f) make the states, rows (B, N, rows, f) their queries: (B, N, f)."""
        gates = input_gate(X, self.mixing).flatten(2)
        decay = torch.sigmoid(self.logit).flatten().expand_as(gates)
        return read_out(scan(decay, gates).unflatten(2, self.C.shape), rows, self.pick, self.C)


class TwoLayers(nn.Module):
    """Two layers on the same raw tokens; the second's query may have the first's output in it (`multi_step_query`).

    (B, 2N + 1, f) -> predictions (B, N, f). Starts at random; `descend` sets two steps of gradient descent.
    """

    def __init__(self, f: int):
        super().__init__()
        self.first, self.second = Layer(f), Layer(f, WINDOW + 1)

    def forward(self, tokens: Tensor) -> Tensor:
        X = windows(tokens)
        v = self.first(X, X)
        o: Tensor = self.second(X, torch.cat([X, v.unsqueeze(-2)], -2))
        return -o

    @torch.no_grad()
    def descend(self, rate: float, then: float) -> TwoLayers:
        """M ((γ_1 + γ_2) q - γ_1 γ_2 S q): two steps from zero with the rates γ_1 and γ_2."""
        for layer in (self.first, self.second):
            for weight in (layer.mixing, layer.pick, layer.C):
                weight.zero_()
            layer.logit.fill_(float("inf"))
        self.first.mixing[0, 0] = self.first.pick[2] = 1
        self.first.C.fill_diagonal_(-rate * then)
        self.second.mixing[0, 1] = self.second.pick[3] = 1
        self.second.pick[2] = rate + then
        self.second.C.fill_diagonal_(-1)
        return self


class Featured(nn.Module):
    """A perceptron x -> φ(x) before GD-SSM's layer, for scalar x and y: (B, 2N + 1, 1) -> predictions (B, N).

    The layer's tokens are φ(x_1), (0, ..., 0, y_1), ..., φ(x_q), of p entries each. Starts at random; if `held`, the
    layer is the construction and stays it, so that the whole is one step on the linear head of φ (`gd_ssm.features`).
    """

    def __init__(self, p: int, hidden: int, *, held: bool = False):
        super().__init__()
        inner = nn.Linear(1, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU()
        self.features = nn.Sequential(*inner, nn.Linear(hidden, p))
        self.layer = GDSSM(p)
        if held:
            self.layer.descend(1).requires_grad_(False)  # φ's own scale makes the rate

    def tokens(self, raw: Tensor) -> Tensor:
        """(B, 2N + 1, 1) -> (B, 2N + 1, p)."""
        phi = self.features(raw[:, ::2])
        y = phi.new_zeros(phi.shape)
        y[:, :-1, -1] = raw[:, 1::2, 0]
        return interleaved(phi, y)

    def forward(self, raw: Tensor) -> Tensor:
        predictions: Tensor = self.layer(self.tokens(raw))
        return predictions[..., -1]

    def one_step(self, raw: Tensor) -> Tensor:
        """One step from zero with rate 1 on the linear head of φ, whatever the layer's weights: (B, N)."""
        return one_step(self.tokens(raw), raw.new_tensor(1.0))[..., -1]


class SideBySide(nn.Module):
    """A layer that is free and one that is held, each behind features of its own: (B, 2N + 1, 1) -> (B, N, 2)."""

    def __init__(self, p: int, hidden: int):
        super().__init__()
        self.free, self.held = Featured(p, hidden), Featured(p, hidden, held=True)

    def forward(self, raw: Tensor) -> Tensor:
        return torch.stack([self.free(raw), self.held(raw)], -1)
