"""Training from random weights, seed by seed, in a way that an interruption cannot lose.

Adam on fresh tasks in every step, gradients clipped to length 1, with a rate that falls along half a cosine to zero
after a fixed number of steps.
Nothing here knows an optimum: neither the loss, nor when to stop.
"""

from __future__ import annotations

import os
import pickle
import secrets
import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Generator, nn

from ssmverify.errors import BadInput
from ssmverify.experiments.tasks import Task

FOLDER = Path(".ssmverify") / "train"
SAVED_EVERY, SMOOTHED_OVER = 200, 25  # steps
Model = TypeVar("Model", bound=nn.Module)
Tell = Callable[[int, int, float], None]  # seed, steps done, loss on the last batch


@dataclass(frozen=True)
class Recipe:
    """How long, on how many tasks a step, how fast: `decay_rate` is for the logits of decays, which saturate.

    Raises BadInput for less than one step, or than one task a step.
    """

    steps: int
    batch: int = 128
    rate: float = 0.1
    decay_rate: float = 0.2

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise BadInput(f"training takes 1 step or more on 1 task or more, given {self.steps} on {self.batch}")


@dataclass(frozen=True)
class Run(Generic[Model]):
    """Everything that decides the outcome of a training run. One layer is trained for each seed."""

    name: str
    build: Callable[[], Model]
    task: Task
    recipe: Recipe
    seeds: tuple[int, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """What must be equal for a checkpoint to be gone on from."""
        what = {"name": self.name, "task": asdict(self.task), "recipe": asdict(self.recipe)}
        return {**what, "seeds": list(self.seeds), "torch": str(torch.__version__)}


class Fit(Generic[Model]):
    """One layer in training: weights, optimiser, rate and source of tasks, which together are its state."""

    def __init__(self, run: Run[Model], seed: int):
        self.run, self.seed = run, seed
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            self.model: Model = run.build()
        self.generator = tasks_of(seed, "training")
        groups: list[dict[str, Any]] = [{"params": []}, {"params": [], "lr": run.recipe.decay_rate}]
        for name, weight in self.model.named_parameters():
            groups[name.endswith("logit")]["params"].append(weight)
        self.optimiser = torch.optim.Adam(groups, lr=run.recipe.rate)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, run.recipe.steps)
        self.losses: list[float] = []  # of every step taken

    @property
    def steps(self) -> int:
        """How many were taken."""
        return len(self.losses)

    @property
    def curve(self) -> list[tuple[int, float]]:
        """The loss in training: after every so many steps, its mean over them."""
        ends = range(SMOOTHED_OVER, self.steps + 1, SMOOTHED_OVER)
        return [(end, statistics.fmean(self.losses[end - SMOOTHED_OVER : end])) for end in ends]

    def step(self) -> None:
        """One step on fresh tasks."""
        tokens, target = self.run.task.draw(self.run.recipe.batch, self.generator)
        loss = (self.model(tokens)[:, -1] - target).square().mean() / 2
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)  # a product of weights is steep far out
        self.optimiser.step()
        self.schedule.step()
        self.losses.append(loss.item())

    def state(self) -> dict[str, Any]:
        """All of it, for `restore`."""
        parts = {name: getattr(self, name).state_dict() for name in ("model", "optimiser", "schedule")}
        return {**parts, "generator": self.generator.get_state(), "losses": list(self.losses)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        for name in ("model", "optimiser", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.generator.set_state(state["generator"])
        self.losses = state["losses"]


def tasks_of(seed: int, purpose: str) -> Generator:
    """The source of tasks of a seed, another one for another purpose."""
    return Generator().manual_seed(4 * seed + ("training", "choice", "evaluation").index(purpose))


def train(run: Run[Model], checkpoint: Path, tell: Tell | None = None) -> Iterator[Fit[Model]]:
    """The finished fits, one a seed.

    Goes on from `checkpoint` if it holds an unfinished run with the same settings, keeps it up to date, and removes it
    once the last fit has been used. Until then torch runs in one thread. Raises BadInput if it holds anything else.
    """
    states: dict[int, dict[str, Any]] = {}
    if saved := load(checkpoint):
        require_same(saved["settings"], run.settings, checkpoint)
        states = saved["states"]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the layers are too small for more, and one adds up in one order
    try:
        for seed in run.seeds:
            fit = Fit(run, seed)
            if seed in states:
                fit.restore(states[seed])
            while fit.steps < run.recipe.steps:
                fit.step()
                if fit.steps % SAVED_EVERY == 0 or fit.steps == run.recipe.steps:
                    states[seed] = fit.state()
                    save(checkpoint, {"settings": run.settings, "states": states})
                if tell:
                    tell(seed, fit.steps, fit.losses[-1])
            fit.model.requires_grad_(False)
            yield fit
    finally:
        torch.set_num_threads(threads)
    checkpoint.unlink(missing_ok=True)


def require_same(saved: dict[str, Any], settings: dict[str, Any], checkpoint: Path) -> None:
    """Raises BadInput if the unfinished run is not the one that is asked for."""
    if other := [name for name, value in settings.items() if saved.get(name) != value]:
        seeds = ", ".join(map(str, saved.get("seeds", ())))
        unfinished = f"an unfinished run (seeds {seeds}) with other settings ({', '.join(other)})"
        raise BadInput(f"{checkpoint} has {unfinished}: finish it, or delete the file")


def choose_seeds(many: int, seed: int | None, checkpoint: Path) -> tuple[int, ...]:
    """`many` successive seeds from `seed` on; without one, those of the unfinished run, or drawn now.

    Raises BadInput for many < 1 and for a seed outside 0 ... 2^32 - 1.
    """
    if many < 1 or not 0 <= (seed or 0) < 2**32:
        raise BadInput(f"seeds must be 1 or more, the first one from 0 to 2^32 - 1, given {many} from {seed}")
    if seed is None and (saved := load(checkpoint)) and len(saved["settings"]["seeds"]) == many:
        return tuple(saved["settings"]["seeds"])
    first = secrets.randbits(31) if seed is None else seed
    return tuple(range(first, first + many))


def save(file: Path, contents: dict[str, Any]) -> None:
    """Write all of it or, when interrupted, nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half_written = file.with_suffix(f".{os.getpid()}")
    torch.save(contents, half_written)
    half_written.replace(file)


def load(file: Path) -> dict[str, Any] | None:
    """What `save` wrote; None if there is no file. Raises BadInput for a file that is something else."""
    if not file.exists():
        return None
    try:
        contents = torch.load(file, weights_only=True)
        return {"settings": contents["settings"], "states": contents["states"]}
    except (pickle.UnpicklingError, EOFError, RuntimeError, KeyError, TypeError) as error:
        raise BadInput(f"{file} is not a checkpoint that can be read: delete it to train from the start") from error
