"""What training found, for the terminal and for the plot."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from flint import fmpq

from ssmverify.experiments import gd_ssm, sine, two_layers
from ssmverify.experiments.measures import Estimate
from ssmverify.experiments.tasks import LinearRegression

Comparison = gd_ssm.Comparison | two_layers.Comparison | sine.Comparison


@dataclass(frozen=True)
class Report:
    """Sentences, tables and sentences; for the plot, levels that are known and, for each seed, its loss in training and
    after it. A table is its headings and its rows. `problems` are sentences: what of the criterion is not met."""

    title: str
    opening: list[str]
    tables: list[list[list[str]]]
    closing: list[str]
    problems: list[str]
    levels: dict[str, float]
    curves: dict[int, list[tuple[int, float]]]
    losses: dict[int, Estimate]


def report(comparison: Comparison) -> Report:
    """Of any of the tasks."""
    if isinstance(comparison, gd_ssm.Comparison):
        return of_gd_ssm(comparison)
    if isinstance(comparison, two_layers.Comparison):
        return of_two_layers(comparison)
    return of_sine(comparison)


def of_gd_ssm(found: gd_ssm.Comparison) -> Report:
    """One layer against one step with the best rate."""
    floor = _float(found.floor)
    opening = [
        f"The optimum ({_sizes(found.task)}), exactly: γ* = {found.rate}, loss {found.floor} = {floor:.6f}.",
        f"Loss and ratio: on {gd_ssm.EVALUATED:,} tasks drawn after training, beside the exact optimum on the same "
        "tasks, ± half of a 95 % interval.",
        "Distance: half the mean square between the layer's and the optimum's predictions, over the optimum's loss. It "
        "is ratio - 1 again (gd_ssm.optimal_excess), with less of the sample's luck. Cosine: of the sensitivities to "
        "the query, mean and worst task.",
        "W_q (by rows), d, rate: with factors moved so that w_12 = d_3 = 1, rate = -w_12 d_3 C. The optimum has 0 "
        "else in W_q and d, rate γ* I (shown: its diagonal's mean, least and most; the largest entry off it), decay 1.",
    ]
    scores = [["seed", "loss", "ratio", "distance", "cosine", "worst task"]]
    gates = [["seed", "W_q", "d"]]
    rates = [["seed", "rate", "least", "most", "off it", "decay", "least"]]
    for each in found.trained:
        cosine = _digits(5, each.cosine, each.least_cosine)
        scores.append([*map(str, (each.seed, each.loss, each.ratio, each.distance)), *cosine])
        rows = (" ".join(_digits(3, *row)) for row in each.weights.mixing.tolist())
        gates.append([str(each.seed), "; ".join(rows), " ".join(_digits(3, *each.weights.pick.tolist()))])
        diagonal, decay = each.weights.rate.diagonal(), each.weights.decay
        along = [value.item() for value in (diagonal.mean(), diagonal.min(), diagonal.max())]
        kept = [value.item() for value in (decay.mean(), decay.min())]
        rates.append([str(each.seed), *_digits(4, *along, each.weights.stray[2], *kept)])
    worst = max(each.ratio.value for each in found.trained)
    closing = [
        f"Median ratio {found.median:.5f} (at most {gd_ssm.MEDIAN}), worst {worst:.5f} (at most {gd_ssm.WORST}), least "
        f"cosine {min(each.cosine for each in found.trained):.5f} (above {gd_ssm.COSINE})."
    ]
    return Report(
        "GD-SSM's layer, trained, and one step of gradient descent",
        opening,
        [scores, gates, rates],
        closing,
        found.problems,
        {f"one step with γ* = {found.rate}: {found.floor}": floor},
        {each.seed: each.curve for each in found.trained},
        {each.seed: each.loss for each in found.trained},
    )


def of_two_layers(found: two_layers.Comparison) -> Report:
    """Two layers against two steps."""
    one, shared, free = found.one_step, found.one_rate, found.two_rates
    opening = [
        f"The best steps of gradient descent ({_sizes(found.task)}):",
        f"  one step, γ = {one.rates[0]:.6f}: loss {one.exact} = {one.loss:.6f}",
        f"  two steps with one rate, γ = {shared.rates[0]:.6f}: loss {shared.loss:.6f}",
        f"  two steps with two rates, γ = {free.rates[0]:.6f} and {free.rates[1]:.6f}: "
        f"loss {free.exact} = {free.loss:.6f}",
        "The layers can be these two steps, and other things too: no theorem here says that they cannot be better.",
    ]
    table = [["seed", "loss", "of one rate", "of two rates", "distance", "cosine"]]
    table += [
        [str(cell) for cell in (each.seed, each.loss, each.to_one_rate, each.to_two_rates)]
        + _digits(5, each.distance.value, each.cosine)
        for each in found.trained
    ]
    below = sum(each.loss.value + each.loss.margin < shared.loss for each in found.trained)
    closing = [
        f"Median ratio to two rates {found.median:.5f} (at most {two_layers.MEDIAN}). Better than two steps with one "
        f"rate: {below} of {len(found.trained)} seeds."
    ]
    levels = {
        "one step": one.loss,
        "two steps, one rate": shared.loss,
        f"two steps, two rates: {free.exact}": free.loss,
    }
    return Report(
        "Two layers, trained, and two steps of gradient descent",
        opening,
        [table],
        closing,
        found.problems,
        levels,
        {each.seed: each.curve for each in found.trained},
        {each.seed: each.loss for each in found.trained},
    )


def of_sine(found: sine.Comparison) -> Report:
    """What is gradient descent, and what is not."""
    w = found.task.half_width
    opening = [
        f"y = amplitude sin(x + phase), x in (-{w:g}, {w:g}), {found.task.N} pairs. Losses of what is not trained:",
        f"  0 for every query: {found.nothing:.4f}",
        f"  the best affine function of x, told the task: {found.affine:.4f}",
        f"  one step of gradient descent on the linear head of (sin x, cos x), best rate: {found.sin_cos}",
        "  least squares on (sin x, cos x) is exact: one step is no solver",
        "Trained, each with a perceptron φ of its own: a layer that is free, and one held at the construction.",
    ]
    table = [["seed", "free", "held", "one step on free's φ", "no such step"]]
    table += [
        [str(cell) for cell in (each.seed, each.free, each.held, each.step_on_free)]
        + [f"{100 * each.unexplained:.1f} %"]
        for each in found.trained
    ]
    share = statistics.median(each.free.value / each.held.value for each in found.trained)
    closing = [
        "Gradient descent: the held layer, one step from zero on the linear head of its φ (gd_ssm.features), exactly.",
        "Not gradient descent: what the free layer does besides, in the last column as a part of its mean square; it "
        f"brings its loss to {share:.2f} of the held one's (median).",
        "Not gradient descent either: how φ came about. No context changes it; Adam found it before, over many tasks.",
    ]
    levels = {"the best affine predictor": found.affine, "one step on (sin x, cos x)": found.sin_cos.value}
    return Report(
        "A sine behind a perceptron (in training: the mean of free and held layer; after it: the free one)",
        opening,
        [table],
        closing,
        found.problems,
        levels,
        {each.seed: each.curve for each in found.trained},
        {each.seed: each.free for each in found.trained},
    )


def _sizes(task: LinearRegression) -> str:
    a = fmpq(*task.half_width.as_integer_ratio())
    return f"entries of x uniform on (-{a}, {a}), f = {task.f}, N = {task.N}"


def _digits(many: int, *values: float) -> list[str]:
    return [f"{value:.{many}f}" for value in values]


def _float(value: fmpq) -> float:
    return int(value.p) / int(value.q)
