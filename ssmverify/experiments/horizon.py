"""How long a constructed model tracks when every operation is rounded: the first wrong state, and the last sure step.

Each multiplication and each addition is rounded to the format by itself, in time order; complex numbers are written
out. The guarantee for channels whose gates are roots of unity is that of `tracking.models.sure`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from numeric.cascade import Layer, nearest
from ssmverify.tracking.models.models import Model
from ssmverify.tracking.models.sure import sure

FORMATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


@dataclass(frozen=True)
class Horizon:
    """Of some random words: the first step after which one of them is decoded wrongly (None: never in `steps`), how
    many were ever, the steps that are sure by the proven bound (None: it says nothing of this model), and the largest
    entry of a state at the end. A layer is sure while those below are, so the steps of several are the fewest."""

    format: str
    steps: int
    words: int
    first_wrong: int | None
    wrong_words: int
    sure: float | None
    largest: float


def horizon(model: Model, format: torch.dtype, words: Tensor) -> Horizon:
    """Run a model over the words (B, T), each operation rounded to the format.

    A layer reads the states that those below it were decoded to.
    """
    layers = [_Rounded(weights, format, len(words)) for weights in model.wide]
    delta = torch.tensor(model.automaton.delta)
    state = torch.full((len(words),), model.automaton.start)
    wrong = torch.zeros(len(words), dtype=torch.bool)
    first = None
    for t in range(words.shape[1]):
        letter = words[:, t]
        before, joint = torch.zeros_like(letter), torch.zeros_like(letter)
        for layer in layers:
            held, now = layer.held, layer.read(letter, before)
            before, joint = before * layer.points + held, joint * layer.points + now
        state = delta[letter, state]
        wrong |= model.decode(joint) != state
        if first is None and bool(wrong.any()):
            first = t + 1
    found = [sure(layer, format) for layer in model.layers]
    steps = None if None in found else min(s for s in found if s is not None)
    largest = max(float(layer.h.abs().max()) for layer in layers)
    name = str(format).removeprefix("torch.")
    return Horizon(name, words.shape[1], len(words), first, int(wrong.sum()), steps, largest)


class _Rounded:
    """A layer while it runs: its weights and its states in the format, and the state that it is decoded to."""

    def __init__(self, weights: Layer, format: torch.dtype, batch: int):
        self.gates, self.inputs = _parts(weights.gates).to(format), _parts(weights.inputs).to(format)
        self.h = _parts(weights.start.expand(batch, -1)).to(format)
        self.weights, self.points = weights, len(weights.points)
        self.held = nearest(weights.start, weights.points).expand(batch)

    def read(self, letter: Tensor, before: Tensor) -> Tensor:
        """The state it is decoded to after the letters (B,), where the layers below held `before` (B,)."""
        self.h = _step(self.gates[letter, before], self.h) + self.inputs[letter, before]
        self.held = nearest(_whole(self.h, self.weights), self.weights.points)
        return self.held


def _parts(x: Tensor) -> Tensor:
    """Real and imaginary parts in the last axis."""
    return torch.view_as_real(x) if x.is_complex() else x.unsqueeze(-1)


def _whole(h: Tensor, weights: Layer) -> Tensor:
    wide = h.double()
    return torch.complex(wide[..., 0], wide[..., 1]) if weights.points.is_complex() else wide[..., 0]


def _step(gate: Tensor, h: Tensor) -> Tensor:
    """gate · h, each operation rounded: gate (B, n, parts), or (B, n, n, 1)."""
    if gate.ndim == 4:
        total = gate[:, :, 0] * h[:, :1]
        for j in range(1, h.shape[1]):
            total = total + gate[:, :, j] * h[:, j : j + 1]
        return total
    if gate.shape[-1] == 1:
        return gate * h
    (ar, ai), (hr, hi) = gate.unbind(-1), h.unbind(-1)
    return torch.stack((ar * hr - ai * hi, ar * hi + ai * hr), dim=-1)
