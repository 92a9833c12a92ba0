"""Loss against the levels that are known, in training and after it."""

from __future__ import annotations

from pathlib import Path

from ssmverify.experiments.report import Report
from ssmverify.report.picture import require


def draw(report: Report, file: Path) -> None:
    """Two panels: the loss in training, a line a seed; the loss after it over the last of the levels, 95 % intervals.

    Raises what `require` raises.
    """
    require(file)
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    figure = Figure(figsize=(11, 5), layout="constrained")
    training, after = figure.subplots(1, 2, width_ratios=[3, 1])
    for (name, level), style in zip(report.levels.items(), (":", "--", "-")[-len(report.levels) :], strict=True):
        training.axhline(level, color="black", linewidth=1, linestyle=style, label=name)
    for place, (seed, curve) in enumerate(report.curves.items()):
        training.plot(*zip(*curve, strict=True), color=f"C{place}", linewidth=0.8, label=f"seed {seed}")
        ratio = report.losses[seed] / level
        after.errorbar(place, ratio.value, ratio.margin, fmt="o", color=f"C{place}", markersize=4, capsize=3)
    after.axhline(1, color="black", linewidth=1)
    training.set(xlabel="step", ylabel="loss: half the mean square error", yscale="log", title="in training")
    training.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    training.yaxis.set_major_formatter(ScalarFormatter())
    training.yaxis.set_minor_formatter(NullFormatter())
    after.set(title="after it, over the solid line", xlim=(-0.5, len(report.curves) - 0.5))
    after.set_xticks(range(len(report.curves)), [str(seed) for seed in report.curves], rotation=45, ha="right")
    after.ticklabel_format(axis="y", useOffset=False)
    training.legend(fontsize="small")
    figure.suptitle(report.title)
    figure.savefig(file, dpi=150)
