"""Puts a target through the suite."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from ssmverify.conformance import contracts
from ssmverify.conformance.kinds.kind import Case
from ssmverify.conformance.outcome import FAILED, KNOWN, NOT_RUN, NOT_SUPPORTED, PASSED, KnownFailure, Report, Result
from ssmverify.conformance.targets.target import NotSupported, Target, absent, dtype_named
from ssmverify.conformance.trial import NotRun, Trial, Wrong
from ssmverify.errors import BadInput

Tell = Callable[[str], None]


def plan(target: Target, only: str = "*", thorough: bool = False) -> list[tuple[Case, str]]:
    """The cases, each with a dtype. only: a case id, or a pattern; raises BadInput if it names none."""
    cases = [*contracts.cases(), *target.kind.cases]
    chosen = [
        (case, dtype)
        for case in cases
        for dtype in target.dtypes
        if case.speaks_of(dtype_named(dtype))
        and (fnmatchcase(case.id, only) or fnmatchcase(f"{case.id}/{dtype}", only))
    ]
    if not chosen:
        raise BadInput(
            f"no case is called {only}; those of kind {target.kind.name} are {', '.join(c.id for c in cases)}."
        )
    return [(case, dtype) for case, dtype in chosen if thorough or not case.thorough or case.id == only]


def run_suite(
    target: Target,
    *,
    seed: int = 0,
    quick: bool = False,
    thorough: bool = False,
    only: str = "*",
    known: Sequence[KnownFailure] = (),
    tell: Tell = lambda _: None,
    add: Callable[[Result], None] = lambda _: None,
) -> Report:
    """Every chosen case in every dtype that the target claims; the arguments are those of `conform`."""
    started = time.monotonic()
    report = Report(target.spec, target.kind.name, target.order.name, seed)
    for case, dtype in plan(target, only, thorough):
        tell(f"{case.id} in {dtype}")
        result = excused(run(target, case, dtype, seed, quick), known)
        report.results.append(result)
        add(result)
    report.seconds = time.monotonic() - started
    return report


def run(target: Target, case: Case, dtype: str, seed: int, quick: bool) -> Result:
    """One case in one dtype."""
    started, name = time.monotonic(), f"{case.id}/{dtype}"
    for pattern, reason in target.declines.items():
        if fnmatchcase(case.id, pattern):
            return Result(name, NOT_SUPPORTED, None, reason)
    if reason := absent(target.device):
        return Result(name, NOT_RUN, None, reason)
    trial = Trial(target, case.id, dtype, seed, quick)
    try:
        case.run(trial)
        result = Result(name, PASSED, trial.worst)
    except NotSupported as reason:
        result = Result(name, NOT_SUPPORTED, trial.worst, str(reason))
    except NotRun as reason:
        result = Result(name, NOT_RUN, trial.worst, str(reason))
    except Wrong as wrong:
        result = Result(name, FAILED, trial.worst, str(wrong), wrong.shown, replay(target, case.id, dtype, seed, quick))
    except Exception as error:
        detail = f"it raised {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        result = Result(name, FAILED, trial.worst, detail, "", replay(target, case.id, dtype, seed, quick))
    return replace(result, seconds=time.monotonic() - started)


def replay(target: Target, case: str, dtype: str, seed: int, quick: bool) -> str:
    """The command that runs one case again, on the same inputs."""
    kind = "" if target.kind.name == "scan" else f" --kind {target.kind.name}"
    device = "" if target.device == "cpu" else f" --device {target.device}"
    order = f" --order {target.order.name}"
    return (
        f"ssmverify scan {target.spec}{kind}{order}{device} --dtypes {dtype} --case {case} --seed {seed}"
        + " --quick" * quick
    )


def excused(result: Result, known: Iterable[KnownFailure]) -> Result:
    """The result; a failure that is known as one is no longer a failure."""
    reason = next((k.reason for k in known if k.covers(result.case)), None)
    if reason is None:
        return result
    if result.outcome == FAILED:
        return replace(result, outcome=KNOWN, detail=f"{reason} ({result.detail})")
    return replace(result, detail=f"{result.detail} known as a failure, but {result.outcome}: strike it off".strip())
