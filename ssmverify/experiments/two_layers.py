"""Two layers trained from random weights, against the best two steps of gradient descent: with one rate, with two.

The layers read raw tokens, and the second's query may have the first's output in it: with the right weights they are
two steps at every prefix (`gd_ssm.multi_step_query`). They can be more than that, so that no theorem here says that two
steps are the best they can do: a loss below theirs would be no error. Nor does training always find them: from some
random weights it stays near one step, which is why the criterion is on the median; every seed is shown.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

from flint import fmpq

from ssmverify.experiments.exact import Descent, free_rates, shared_rate
from ssmverify.experiments.fitting import FOLDER, Fit, Recipe, Run, Tell, choose_seeds, tasks_of, train
from ssmverify.experiments.measures import Estimate, beside, cosines, double
from ssmverify.experiments.models import TwoLayers
from ssmverify.experiments.tasks import LinearRegression

RECIPE = Recipe(steps=2500, rate=0.1, decay_rate=0.05)
CHECKPOINT = FOLDER / "two_layers.pt"
EVALUATED, DIFFERENTIATED = 20_000, 2_000  # tasks
MEDIAN = 1.02  # the criterion, of the best two steps with two rates


@dataclass(frozen=True)
class Trained:
    """What became of one seed: the loss, and its ratios to those of the best two steps with one rate and with two.
    `distance` is half the mean square of the difference from the predictions of the latter, in units of their loss, and
    `cosine` that between the sensitivities of both to the query, the mean over tasks."""

    seed: int
    loss: Estimate
    to_one_rate: Estimate
    to_two_rates: Estimate
    distance: Estimate
    cosine: float
    layers: TwoLayers
    curve: list[tuple[int, float]]


@dataclass(frozen=True)
class Comparison:
    """All seeds, and the best descents: one step, two steps with one rate, two steps with two."""

    task: LinearRegression
    one_step: Descent
    one_rate: Descent
    two_rates: Descent
    trained: tuple[Trained, ...]

    @property
    def median(self) -> float:
        """The median of the ratios to two rates."""
        return statistics.median(each.to_two_rates.value for each in self.trained)

    @property
    def problems(self) -> list[str]:
        """What of the criterion is not met, a sentence each. A ratio counts with its margin on top."""
        upper = statistics.median(each.to_two_rates.value + each.to_two_rates.margin for each in self.trained)
        if upper <= MEDIAN:
            return []
        return [f"the median loss is {upper:.4f} of the best two steps with two rates, above {MEDIAN}"]


def train_two_layers(
    seeds: int = 3,
    seed: int | None = None,
    *,
    task: LinearRegression | None = None,
    recipe: Recipe = RECIPE,
    checkpoint: Path = CHECKPOINT,
    tell: Tell | None = None,
) -> Comparison:
    """Train `seeds` stacks, the first from `seed` (drawn now if None), and compare each with the best two steps.

    An interrupted run goes on from `checkpoint`. Raises BadInput as `train_gd_ssm` does.
    """
    task = task or LinearRegression()
    run = Run("two_layers", lambda: TwoLayers(task.f), task, recipe, choose_seeds(seeds, seed, checkpoint))
    size = task.f, task.N, fmpq(*task.half_width.as_integer_ratio())
    one_rate, two_rates = shared_rate(2, *size), free_rates(2, *size)
    trained = tuple(compare(fit, task, one_rate, two_rates) for fit in train(run, checkpoint, tell))
    return Comparison(task, free_rates(1, *size), one_rate, two_rates, trained)


def compare(fit: Fit[TwoLayers], task: LinearRegression, one_rate: Descent, two_rates: Descent) -> Trained:
    """One trained stack against two steps, on tasks drawn now."""
    model = double(fit.model)
    exact = double(fit.model).descend(*two_rates.rates)
    generator = tasks_of(fit.seed, "evaluation")
    found = beside(model, exact, task, generator, EVALUATED)
    loss = found.excess + two_rates.loss
    return Trained(
        fit.seed,
        loss=loss,
        to_one_rate=loss / one_rate.loss,
        to_two_rates=loss / two_rates.loss,
        distance=found.distance / two_rates.loss,
        cosine=cosines(model, exact, task, generator, DIFFERENTIATED).mean().item(),
        layers=fit.model,
        curve=fit.curve,
    )
