"""How far the errors of real layers, and an adversary, lie below their bounds: python -m benchmarks.bounds [s] [seed].

For s seconds, a line for each program and its gradient: inputs tried, the worst error/bound, the median bound/error
over all entries, the bound relative to the output, the adversary's worst error/bound of all its runs, and the cost in
plain runs.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import torch

from ssmverify.bounds import bound, reference
from ssmverify.bounds.adversary import OUTWARDS, UP, drawn, pushed
from tests.ssmverify.bounds.programs import Program, programs

LENGTHS = (8, 16, 32)
SCALES = (1.0, 0.1, 3.0)


@dataclass
class Row:
    """What was seen of one program."""

    name: str
    tried: int = 0
    worst: float = 0.0
    medians: list[float] = field(default_factory=list)
    relative: list[float] = field(default_factory=list)
    pushes: int = 0
    pushed: float = 0.0
    cost: float = 0.0

    def __str__(self) -> str:
        median = torch.tensor(self.medians or [0.0]).median()
        relative = torch.tensor(self.relative or [0.0]).median()
        adversary = f"{self.pushed:9.3f} {self.pushes:6,}" if self.pushes else f"{'-':>9} {'-':>6}"
        seen = f"{self.name:34} {self.tried:7,} {self.worst:9.4f} {median:8.1f} {relative:9.1e}"
        return f"{seen} {adversary} {self.cost:6.0f}"


def tensors(result: object) -> tuple[torch.Tensor, ...]:
    return tuple(x.detach() for x in (result if isinstance(result, tuple) else (result,)))  # type: ignore[union-attr]


def observe(row: Row, this: Program, scale: float, length: int) -> tuple[torch.Tensor, ...]:
    """One input: the error against the bound."""
    inputs = tuple((x.detach() * scale).requires_grad_(x.requires_grad) for x in this.inputs(length))
    started = time.perf_counter()
    computed = tensors(this.run(*inputs))
    plain = time.perf_counter() - started
    limits = bound(this.run, *inputs).tensors
    row.cost = (time.perf_counter() - started - plain) / plain
    values, slacks = (tensors(x) for x in reference(this.run, *inputs))
    for y, x, w, e in zip(computed, values, slacks, limits, strict=True):
        error = ((y.double() - x).abs() - w).clamp(min=0)
        row.worst = max(row.worst, float(torch.where(error > 0, error / e, 0.0).max()))
        off = error > 0
        if bool(off.any()):
            row.medians.append(float((e / error)[off].median()))
        row.relative.append(float(e.max() / x.abs().max().clamp(min=2.0**-100)))
    row.tried += 1
    return inputs


def push(row: Row, this: Program, inputs: tuple[torch.Tensor, ...], seed: int) -> None:
    """One input's rounding at its worst."""
    (value,), (slack,), (limit,) = (
        *(tensors(x) for x in reference(this.run, *inputs)),
        bound(this.run, *inputs).tensors,
    )
    if isinstance(this.run, torch.nn.Module):
        this.run.double()
    for signs in (UP, OUTWARDS, lambda x: -torch.sign(x), drawn(seed)):
        error = ((pushed(this.run, *inputs, signs=signs) - value).abs() - slack).clamp(min=0)
        row.pushed = max(row.pushed, float(torch.where(error > 0, error / limit, 0.0).max()))
        row.pushes += 1


def main(seconds: float, seed: int) -> None:
    torch.set_num_threads(1)
    rows: dict[str, Row] = {}
    started, step = time.monotonic(), seed
    while time.monotonic() - started < seconds:
        torch.manual_seed(step)
        for this in programs():
            for each in (this, this.gradient):
                row = rows.setdefault(each.name, Row(each.name))
                inputs = observe(row, each, SCALES[step % 3], LENGTHS[step // 3 % 3])
                if each is this and this.name not in ("nn.GRU", "cross entropy"):
                    push(row, this, inputs, step)
                    if isinstance(this.run, torch.nn.Module):
                        this.run.float()
        step += 1
    print(f"{'program':34} {'inputs':>7} err/bound b/e med.  relative adversary   runs   cost")
    for row in rows.values():
        print(row)
    print(f"{sum(r.tried for r in rows.values()):,} inputs, {sum(r.pushes for r in rows.values()):,} adversarial runs")
    if max(max(r.worst, r.pushed) for r in rows.values()) > 1:
        raise SystemExit("a bound was exceeded")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
