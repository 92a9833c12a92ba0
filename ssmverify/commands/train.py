"""`ssmverify train`: layers trained from random weights, held against what they can be at best."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from ssmverify.experiments.report import Report

TASKS = {"gd_ssm": 5, "two_layers": 3, "sine": 3}  # with how many seeds
WRONG, UNDECIDED = 1, 3


@click.command()
@click.argument("task", metavar="gd_ssm|two_layers|sine")
@click.option("--seeds", type=click.IntRange(1), help="How many layers to train: 5 for gd_ssm, else 3.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Reproduce a run: its first seed.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the losses here.")
def train(task: str, seeds: int | None, seed: int | None, plot: Path | None) -> None:
    """Train layers from random weights and compare them with gradient descent.

    gd_ssm: GD-SSM's layer against the exact optimum, one step with the best rate. two_layers: two of them against two
    steps with one rate and with two. sine: a layer behind a perceptron, and what of it is gradient descent.

    An interrupted run goes on where it was when the same command is given again.

    Exit status 0 if the criterion of the task is met, 1 if not, 2 for wrong usage, 3 if interrupted.
    """
    from ssmverify.errors import BadInput

    if task not in TASKS:
        raise BadInput(f"there is no task {task!r}: give one of {', '.join(TASKS)}")
    if plot:
        from ssmverify.report.picture import require

        require(plot)
    found = _train(task, seeds or TASKS[task], seed)
    if plot:
        from ssmverify.experiments.plot import draw

        draw(found, plot)
    raise click.exceptions.Exit(WRONG if found.problems else 0)


def _train(task: str, seeds: int, seed: int | None) -> Report:
    """Train, and print what was found."""
    from importlib import import_module

    from rich.console import Console

    from ssmverify.experiments.fitting import choose_seeds
    from ssmverify.experiments.report import report

    module: Any = import_module(f"ssmverify.experiments.{task}")
    console = Console(width=None if sys.stdout.isatty() else 190, highlight=False, markup=False)
    first, *rest = choose_seeds(seeds, seed, module.CHECKPOINT)
    more = f" ... {rest[-1]}" if rest else ""
    console.print(
        f"Seeds {first}{more}; again with: ssmverify train {task} --seeds {seeds} --seed {first}", soft_wrap=True
    )
    try:
        with Progression(console, [first, *rest], module.RECIPE.steps) as shown:
            how = {"recipe": module.RECIPE, "checkpoint": module.CHECKPOINT, "tell": shown.tell}
            found = report(getattr(module, f"train_{task}")(seeds, first, **how))
    except KeyboardInterrupt:
        kept = module.CHECKPOINT.exists()
        later = f"the same command goes on from {module.CHECKPOINT}" if kept else "too early for anything to be kept"
        console.print(f"Interrupted: {later}.", soft_wrap=True)
        raise click.exceptions.Exit(UNDECIDED) from None
    _print(found, console)
    return found


def _print(found: Report, console: Console) -> None:
    from rich.table import Table

    console.print(*found.opening, sep="\n", soft_wrap=True)
    for headings, *rows in found.tables:
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for heading in headings:
            table.add_column(heading, justify="right", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        console.print("", table, sep="\n")
    console.print("", *found.closing, *(f"Not met: {problem}." for problem in found.problems), sep="\n", soft_wrap=True)


class Progression:
    """Shows how far training is: a bar over all steps in a terminal, a line a seed elsewhere."""

    def __init__(self, console: Console, seeds: list[int], steps: int):
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self.console, self.seeds, self.steps = console, seeds, steps
        self.started = False
        columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn()
        self.progress = Progress(*columns, console=console, transient=True)
        self.bar = self.progress.add_task("", total=len(seeds) * steps)

    def __enter__(self) -> Progression:
        if self.console.is_terminal:
            self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.console.is_terminal:
            self.progress.stop()

    def tell(self, seed: int, steps: int, loss: float) -> None:
        """One step is done."""
        index = self.seeds.index(seed)
        done = index * self.steps + steps
        if done > 1 and not self.started:
            self.console.print(f"Going on from step {steps - 1:,} of seed {seed}.")
        self.started = True
        text = f"seed {seed} ({index + 1} of {len(self.seeds)})  loss {loss:.4f}"
        self.progress.update(self.bar, completed=done, description=text)
        if steps == self.steps and not self.console.is_terminal:
            self.console.print(f"seed {seed}: trained in {steps:,} steps")
