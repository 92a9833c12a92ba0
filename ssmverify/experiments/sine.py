"""A task that is not linear: the layer behind a perceptron, trained, and what of it is gradient descent.

| predictor | what it is |
| --- | --- |
| affine | the best affine function of x, with the task known: no predictor that is affine in the query gets below it |
| sin, cos | one step from zero on the linear head of sin x and cos x, with the best rate |
| held | the layer held at the construction: exactly one step on the linear head of φ (`gd_ssm.features`) |
| free | the layer trained with φ |
| step on free's φ | one step from zero on the linear head of the φ that was trained with the free layer, best rate |

In none of them is φ changed by the context: gradient descent in context is on the head alone. The perceptron's weights
are what Adam found before, over many tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ssmverify.experiments.fitting import FOLDER, Fit, Recipe, Run, Tell, choose_seeds, tasks_of, train
from ssmverify.experiments.measures import Estimate, batches, double, estimate, half_square
from ssmverify.experiments.models import SideBySide
from ssmverify.experiments.tasks import Sine

RECIPE = Recipe(steps=2500, rate=0.01, decay_rate=0.01)
CHECKPOINT = FOLDER / "sine.pt"
FEATURES, HIDDEN = 16, 32
EVALUATED = 20_000  # tasks


@dataclass(frozen=True)
class Trained:
    """What became of one seed: three losses. `unexplained` is the part of the mean square of the free layer's
    predictions that no multiple of one step on its own features has in it, 0 if it is such a step; `curve` is the mean
    of the free and the held layer's loss in training."""

    seed: int
    free: Estimate
    held: Estimate
    step_on_free: Estimate
    unexplained: float
    models: SideBySide
    curve: list[tuple[int, float]]


@dataclass(frozen=True)
class Comparison:
    """All seeds, and the losses of three predictors that are not trained."""

    task: Sine
    nothing: float
    affine: float
    sin_cos: Estimate
    trained: tuple[Trained, ...]

    @property
    def problems(self) -> list[str]:
        """What of the criterion is not met: both layers below every affine predictor, on every seed."""
        return [
            f"seed {each.seed}: the {name} layer's loss {loss} is not below the affine predictor's {self.affine:.3f}"
            for each in self.trained
            for name, loss in (("free", each.free), ("held", each.held))
            if not loss.value + loss.margin < self.affine
        ]


def train_sine(
    seeds: int = 3,
    seed: int | None = None,
    *,
    task: Sine | None = None,
    recipe: Recipe = RECIPE,
    checkpoint: Path = CHECKPOINT,
    tell: Tell | None = None,
) -> Comparison:
    """Train `seeds` pairs of a free and a held layer, the first from `seed` (drawn now if None), and compare them.

    An interrupted run goes on from `checkpoint`. Raises BadInput as `train_gd_ssm` does.
    """
    task = task or Sine()
    run = Run("sine", lambda: SideBySide(FEATURES, HIDDEN), task, recipe, choose_seeds(seeds, seed, checkpoint))
    trained = tuple(compare(fit, task) for fit in train(run, checkpoint, tell))
    return Comparison(task, task.mean_square / 4, task.affine_floor(), sin_cos(task, run.seeds[0]), trained)


def compare(fit: Fit[SideBySide], task: Sine) -> Trained:
    """One trained pair, on tasks drawn now; the rate is chosen on others."""
    model = double(fit.model)

    def predictions(purpose: str) -> Iterator[tuple[Tensor, Tensor]]:
        for tokens, target in batches(task, tasks_of(fit.seed, purpose), EVALUATED):
            yield torch.stack([*model(tokens)[:, -1].unbind(-1), model.free.one_step(tokens)[:, -1]], -1), target

    with torch.no_grad():
        chosen, wanted = (torch.cat(each) for each in zip(*predictions("choice"), strict=True))
        rate = multiple(chosen[:, 2], wanted[:, 0])
        found, target = (torch.cat(each) for each in zip(*predictions("evaluation"), strict=True))
    free, held, step = found.unbind(-1)
    rest = free - multiple(step, free) * step
    return Trained(
        fit.seed,
        free=estimate(half_square(free.unsqueeze(-1) - target)),
        held=estimate(half_square(held.unsqueeze(-1) - target)),
        step_on_free=estimate(half_square(rate * step.unsqueeze(-1) - target)),
        unexplained=(rest.square().mean() / free.square().mean()).item(),
        models=fit.model,
        curve=fit.curve,
    )


def multiple(of: Tensor, wanted: Tensor) -> float:
    """The factor by which it comes nearest in the mean square."""
    return ((of * wanted).mean() / of.square().mean()).item()


def sin_cos(task: Sine, seed: int) -> Estimate:
    """The loss of one step on the linear head of sin x and cos x: the sum of the y_i cos(x_i - x_q), times a rate."""

    def steps(purpose: str) -> tuple[Tensor, Tensor]:
        drawn = list(batches(task, tasks_of(seed, purpose), EVALUATED))
        tokens, target = (torch.cat(each)[..., 0] for each in zip(*drawn, strict=True))
        return (tokens[:, 1::2] * torch.cos(tokens[:, :-1:2] - tokens[:, -1:])).sum(1), target

    rate = multiple(*steps("choice"))
    step, target = steps("evaluation")
    return estimate((rate * step - target).square() / 2)
