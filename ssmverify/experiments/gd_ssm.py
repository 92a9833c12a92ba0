"""GD-SSM's layer trained from random weights, against the best it can be: one step of gradient descent with γ*.

The optimum is exact (`gd_ssm.optimal_rate`, `gd_ssm.optimal_loss`), and nothing that the layer can be is better
(`gd_ssm.optimal_predictor`); training knows nothing of it. A loss clearly below the optimum's is a problem as well.

The output is linear in mixing, in pick and in C, so that factors can be moved between them and no data tells. Weights
are compared where mixing has w_12 = 1 and pick d_3 = 1, with what that divides out multiplied into C.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

import torch
from flint import fmpq
from torch import Tensor

from numeric.gd_ssm import GDSSM
from proofs.gd_ssm.learned import optimum
from ssmverify.experiments.fitting import FOLDER, Fit, Recipe, Run, Tell, choose_seeds, tasks_of, train
from ssmverify.experiments.measures import Estimate, beside, cosines, double
from ssmverify.experiments.tasks import LinearRegression

RECIPE = Recipe(steps=2500)
CHECKPOINT = FOLDER / "gd_ssm.pt"
EVALUATED, DIFFERENTIATED = 20_000, 2_000  # tasks
MEDIAN, WORST, COSINE = 1.02, 1.05, 0.999  # the criterion


@dataclass(frozen=True)
class Weights:
    """In the gauge w_12 = d_3 = 1: mixing (3, 3), pick (3,), rate = -w_12 d_3 C (f, f), which should be γ* I, and decay
    (f, f), which should be 1."""

    mixing: Tensor
    pick: Tensor
    rate: Tensor
    decay: Tensor

    @classmethod
    def of(cls, layer: GDSSM) -> Weights:
        """Those of a layer whose w_12 and d_3 are not 0."""
        w, d = layer.mixing[0, 1], layer.pick[2]
        return cls(layer.mixing / w, layer.pick / d, -w * d * layer.C, torch.sigmoid(layer.logit))

    @property
    def stray(self) -> tuple[float, float, float]:
        """The largest entries that should be 0: of mixing, of pick, and of the rate off its diagonal."""
        mixing, pick, rate = self.mixing.clone(), self.pick.clone(), self.rate.clone()
        mixing[0, 1] = pick[2] = 0
        rate.fill_diagonal_(0)
        return mixing.abs().max().item(), pick.abs().max().item(), rate.abs().max().item()


@dataclass(frozen=True)
class Trained:
    """What became of one seed.

    `distance` is half the mean square of the difference between the predictions of the layer and of the exact optimum,
    over the optimum's loss: ratio - 1 again, as one step is the best of all that the layer can be. `cosine` is a mean
    over tasks, `least_cosine` the worst task's, `curve` the loss in training.
    """

    seed: int
    loss: Estimate
    ratio: Estimate
    distance: Estimate
    cosine: float
    least_cosine: float
    weights: Weights
    layer: GDSSM
    curve: list[tuple[int, float]]


@dataclass(frozen=True)
class Comparison:
    """All seeds, and the exact optimum: the rate γ* and the loss at it."""

    task: LinearRegression
    rate: fmpq
    floor: fmpq
    trained: tuple[Trained, ...]

    @property
    def median(self) -> float:
        """The median of the ratios."""
        return statistics.median(each.ratio.value for each in self.trained)

    @property
    def problems(self) -> list[str]:
        """What of the criterion is not met, a sentence each. A ratio counts with its margin on top."""
        upper = [each.ratio.value + each.ratio.margin for each in self.trained]
        found = []
        if not statistics.median(upper) <= MEDIAN:
            found.append(f"the median loss is {statistics.median(upper):.4f} of the exact optimum, above {MEDIAN}")
        for each, ratio in zip(self.trained, upper, strict=True):
            if not ratio <= WORST:
                found.append(f"seed {each.seed}: the loss is {ratio:.4f} of the exact optimum, above {WORST}")
            if not each.ratio.value + 3 * each.ratio.margin >= 1:
                found.append(f"seed {each.seed}: the loss is below the exact optimum, so that one step is not the best")
            if not each.cosine > COSINE:
                found.append(
                    f"seed {each.seed}: the cosine of the sensitivities is {each.cosine:.5f}, not above {COSINE}"
                )
        return found


def train_gd_ssm(
    seeds: int = 5,
    seed: int | None = None,
    *,
    task: LinearRegression | None = None,
    recipe: Recipe = RECIPE,
    checkpoint: Path = CHECKPOINT,
    tell: Tell | None = None,
) -> Comparison:
    """Train `seeds` layers, the first from `seed` (drawn now if None), and compare each with the exact optimum.

    An interrupted run goes on from `checkpoint`. Raises BadInput for a seed that is none and for a checkpoint of other
    settings.
    """
    task = task or LinearRegression()
    run = Run("gd_ssm", lambda: GDSSM(task.f), task, recipe, choose_seeds(seeds, seed, checkpoint))
    a = fmpq(*task.half_width.as_integer_ratio())
    rate, floor = optimum(task.f, task.N, a**2 / 3, a**4 / 5)
    trained = tuple(compare(fit, task, rate, floor) for fit in train(run, checkpoint, tell))
    return Comparison(task, rate, floor, trained)


def compare(fit: Fit[GDSSM], task: LinearRegression, rate: fmpq, floor: fmpq) -> Trained:
    """One trained layer against the exact optimum, on tasks drawn now."""
    exact, model = double(fit.model), double(fit.model)
    exact.descend(int(rate.p) / int(rate.q))
    least, generator = int(floor.p) / int(floor.q), tasks_of(fit.seed, "evaluation")
    found = beside(model, exact, task, generator, EVALUATED)
    cosine = cosines(model, exact, task, generator, DIFFERENTIATED)
    return Trained(
        fit.seed,
        loss=found.excess + least,
        ratio=found.excess / least + 1,
        distance=found.distance / least,
        cosine=cosine.mean().item(),
        least_cosine=cosine.min().item(),
        weights=Weights.of(model),
        layer=fit.model,
        curve=fit.curve,
    )
