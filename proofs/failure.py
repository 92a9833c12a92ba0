"""Why a proof failed, as mathematics: which step, what it was to show, what is left over, and where that is not 0."""

from __future__ import annotations

import random
import time
import traceback
from pathlib import Path

from proofs.kernel import NotProved, Point, Sequent, Undecidable, holds
from proofs.points import NoPoint, Sampler
from proofs.printing import shortened, show_point, text

FOLDER = Path(__file__).parent
PATIENCE = 2.0  # seconds to look for a point where a failed step is false
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


def counterexample(goal: Sequent, tries: int = 20) -> Point | None:
    """A small point where what was to be shown is false though its hypotheses hold, if a few random ones have one."""
    drawn, sampler, until = random.Random(0), Sampler(goal), time.monotonic() + PATIENCE
    for _ in range(tries):
        if time.monotonic() > until:
            return None
        try:
            point = sampler.draw(drawn)
            if not holds(goal.conclusion, point):
                return point
        except NoPoint:
            return None
        except (Undecidable, ZeroDivisionError):
            continue
    return None
