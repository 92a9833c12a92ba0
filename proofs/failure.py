"""Why a proof failed, as mathematics: which step, what it was to show, what is left over, and where that is not 0."""

from __future__ import annotations

import random
import traceback
from fractions import Fraction
from pathlib import Path

import numpy as np

from proofs.kernel import NotProved, Point, Table, Undecidable, holds, rational
from proofs.printing import shortened, show_point, text
from proofs.terms import Eq, Formula, Symbol, free_indices, symbols

FOLDER = Path(__file__).parent
INSIDE = (FOLDER / "kernel", FOLDER / "tactics")


def explain(reason: BaseException) -> str:
    """The step of the proof that failed, in a sentence or two; for an error of Python's, where it was raised."""
    where = _step(reason)
    if not isinstance(reason, NotProved):
        return f"{where}: {type(reason).__name__}: {reason}" if where else f"{type(reason).__name__}: {reason}"
    parts = [f"{where}: {reason}" if where else str(reason)]
    if reason.goal is not None:
        parts.append(f"it was to show {shortened(text(reason.goal))}")
        if point := counterexample(reason.goal):
            parts.append(f"which is false at {show_point(point)}")
    return ", ".join(parts)


def _step(reason: BaseException) -> str:
    """The line of the script from which the rule was called: the last one outside the kernel and the tactics."""
    frames = [f for f in traceback.extract_tb(reason.__traceback__) if f.lineno and "<" not in f.filename]
    starts = [k for k, f in enumerate(frames) if Path(f.filename) == FOLDER / "derivation.py"]
    frames = frames[starts[-1] + 1 :] if starts else frames  # what the derivation called
    scripts = [f for f in frames if not any(Path(f.filename).is_relative_to(folder) for folder in INSIDE)]
    if not scripts:
        return ""
    last = scripts[-1]
    return f"{Path(last.filename).name}:{last.lineno}, {(last.line or '').strip()}"


def counterexample(goal: Formula, tries: int = 60) -> Point | None:
    """A small point where an equation without hypotheses is false, if a few random ones have one."""
    if not isinstance(goal, Eq):
        return None
    drawn = random.Random(0)
    for _ in range(tries):
        point = _point(goal, drawn)
        try:
            if not holds(goal, point):
                return point
        except (Undecidable, ZeroDivisionError, ValueError, IndexError):
            continue
    return None


def _point(goal: Formula, drawn: random.Random) -> Point:
    point: dict[str, object] = {name: drawn.randint(1, 2) for name in sorted(free_indices(goal))}
    for symbol in sorted(symbols(goal), key=lambda s: s.name):
        point[symbol.name] = _value(symbol, point, drawn)
    return point


def _value(symbol: Symbol, point: Point, drawn: random.Random) -> object:
    from proofs.kernel import position

    rows, columns = position(symbol.rows, point), position(symbol.columns, point)

    def member() -> object:
        if symbol.is_scalar:
            return rational(Fraction(drawn.randint(-2, 3)))
        entries = [rational(Fraction(drawn.randint(-2, 3))) for _ in range(rows * columns)]
        return np.array(entries, dtype=object).reshape(rows, columns)

    if not symbol.arity:
        return member()
    keys = np.ndindex(*(4,) * symbol.arity)
    return Table({tuple(int(i) for i in key): member() for key in keys}, member())
