"""How a trained layer is compared with a predictor whose loss is known: on tasks drawn after training."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ssmverify.experiments.fitting import Model
from ssmverify.experiments.tasks import Task

Predictor = Callable[[Tensor], Tensor]  # tokens -> predictions for every prefix, the last one for the query
NORMAL = 1.96  # 95 % of a normal distribution lie within so many standard deviations
BATCH = 2000  # tasks at a time


@dataclass(frozen=True)
class Estimate:
    """A mean over sampled tasks, with half the width of its 95 % confidence interval."""

    value: float
    margin: float

    def __str__(self) -> str:
        digits = max(2, 1 - math.floor(math.log10(self.margin))) if 0 < self.margin < math.inf else 5
        return f"{self.value:.{digits}f} ± {self.margin:.{digits}f}"

    def __truediv__(self, by: float) -> Estimate:
        return Estimate(self.value / by, self.margin / by)

    def __add__(self, constant: float) -> Estimate:
        return Estimate(self.value + constant, self.margin)


def estimate(samples: Tensor) -> Estimate:
    """Of one number a task."""
    return Estimate(samples.mean().item(), NORMAL * samples.std().item() / math.sqrt(samples.numel()))


def double(model: Model) -> Model:
    """The same weights in float64, so that rounding plays no part."""
    return copy.deepcopy(model).double()


def batches(task: Task, generator: Generator, tasks: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Fresh tasks in float64."""
    for drawn in range(0, tasks, BATCH):
        yield task.draw(min(BATCH, tasks - drawn), generator, torch.float64)


def half_square(error: Tensor) -> Tensor:
    """Half the mean square over the entries of each task: (B, ...) -> (B,)."""
    return error.square().flatten(1).mean(1) / 2


@dataclass(frozen=True)
class Beside:
    """A layer beside a predictor: by how much its loss is above, and half the mean square of their difference."""

    excess: Estimate
    distance: Estimate


def beside(model: Predictor, known: Predictor, task: Task, generator: Generator, tasks: int) -> Beside:
    """Both on the same tasks, so that the luck of the draw is in both losses and cancels: the known predictor, whose
    loss needs no sample, is a control variate."""
    excess, distance = [], []
    with torch.no_grad():
        for tokens, target in batches(task, generator, tasks):
            mine, other = (each(tokens)[:, -1] for each in (model, known))
            excess.append(half_square(mine - target) - half_square(other - target))
            distance.append(half_square(mine - other))
    return Beside(estimate(torch.cat(excess)), estimate(torch.cat(distance)))


def sensitivity(model: Predictor, tokens: Tensor) -> Tensor:
    """The derivatives of the prediction by the query, for each task: (B, 2N + 1, f) -> (B, f, f)."""
    tokens = tokens.detach().requires_grad_()
    entries = model(tokens)[:, -1].unbind(1)
    return torch.stack([torch.autograd.grad(y.sum(), tokens, retain_graph=True)[0][:, -1] for y in entries], 1)


def cosines(model: Predictor, known: Predictor, task: Task, generator: Generator, tasks: int) -> Tensor:
    """For each task, the cosine between the sensitivities of the two."""
    found = []
    for tokens, _ in batches(task, generator, tasks):
        mine, other = (sensitivity(each, tokens).flatten(1) for each in (model, known))
        found.append(torch.cosine_similarity(mine, other))
    return torch.cat(found)
