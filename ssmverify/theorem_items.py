"""The tests that pytest runs of a row: its claim, its layers in each dtype, its mutants.

The row is checked once, in this process, as the first of its tests is run; each reports its part of the verdict.
"""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from ssmverify.catalogue import from_file, select
from ssmverify.checking.check import check
from ssmverify.errors import BadInput
from ssmverify.rows import Finite, Row, Theorem
from ssmverify.verdict import LayerResult, Verdict

CLAIM, MUTANTS = "claim", "mutants"
OF_MUTANTS = ("a mutant survived: ", "the mutant '", "no mutant of ")  # how such problems begin
EXAMPLES, QUICK = 100, 25  # as `ssmverify check` has them


class TheoremFile(pytest.File):
    """A file theorem_*.py."""

    def collect(self) -> Iterator[pytest.Item]:
        """A test for each part of each row. Raises CollectError if the file cannot be imported, or has no rows."""
        try:
            yield from _parts(self, from_file(self.path), _from_here(self))
        except BadInput as error:
            raise self.CollectError(str(error)) from error


def named(session: pytest.Session, name: str) -> list[pytest.Item]:
    """The tests of the theorems that a name, file or pattern selects. Raises UsageError if it selects none."""
    try:
        return list(_parts(session, select([name]), name if name.endswith(".py") else ""))
    except BadInput as error:
        raise pytest.UsageError(f"--ssmverify: {error}") from error


def _parts(parent: pytest.Session | pytest.File, rows: Iterable[Row], file: str) -> Iterator[pytest.Item]:
    for row in rows:
        checked = Checked(row, file or row.name, parent.config)
        for part in parts(row):
            yield PartTest.from_parent(parent, name=f"{row.name}[{part}]", checked=checked, part=part)


def _from_here(file: TheoremFile) -> str:
    here = file.config.invocation_params.dir
    return str(file.path.relative_to(here) if file.path.is_relative_to(here) else file.path)


def parts(row: Row) -> list[str]:
    """What of a row is reported apart."""
    if not isinstance(row, Theorem | Finite):
        return [CLAIM]
    return [CLAIM, *dict.fromkeys(dtype for layer in row.layers for dtype in layer.dtypes), MUTANTS]


class Checked:
    """A row, and its verdict once somebody asks for it."""

    def __init__(self, row: Row, place: str, config: pytest.Config):
        self.row, self.place = row, place
        self.seed, self.quick = config.getoption("--ssmverify-seed"), config.getoption("--ssmverify-quick")

    @cached_property
    def verdict(self) -> Verdict:
        """Found under Python's own filter of warnings, as in `ssmverify check`, so that the replay finds the same."""
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            return check(self.row, examples=QUICK if self.quick else EXAMPLES, seed=self.seed)

    @property
    def replay(self) -> str:
        """The line that finds the same again."""
        quick = " --quick" if self.quick else ""
        return f"ssmverify check {shlex.quote(self.place)} --seed {self.verdict.seed}{quick}"


class PartTest(pytest.Item):
    """One part of a row."""

    def __init__(self, *, checked: Checked, part: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.checked, self.part = checked, part

    def runtest(self) -> None:
        """Fails for the problems of this part; skipped where nothing was checked."""
        verdict = self.checked.verdict
        if problems := [problem for problem in verdict.problems if part_of(problem, verdict) == self.part]:
            raise Failed(problems)
        if reason := unreached(self.part, verdict):
            pytest.skip(reason)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is wrong, where, and the replay line; no traceback through the harness."""
        if not isinstance(excinfo.value, Failed):
            return super().repr_failure(excinfo, style)
        lines = list(excinfo.value.problems)
        point = self.checked.verdict.counterexample
        if self.part == CLAIM and point and not any(point in line for line in lines):
            lines.append(f"counterexample: {point}")
        return "\n".join((*lines, f"replay: {self.checked.replay}"))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where pytest says that the test is."""
        return self.path, None, self.name


class Failed(Exception):
    """A part of a row has problems."""

    def __init__(self, problems: list[str]):
        super().__init__("; ".join(problems))
        self.problems = problems


def part_of(problem: str, verdict: Verdict) -> str:
    """The part that a problem is reported by: the claim has those of no other, so that none is lost."""
    if problem.startswith(OF_MUTANTS):
        return MUTANTS
    return next((layer.dtype for layer in verdict.layers if problem.startswith(_beginnings(layer))), CLAIM)


def _beginnings(layer: LayerResult) -> tuple[str, str]:
    return f"{layer.layer} in {layer.dtype}: ", f"{layer.layer} in {layer.dtype} on "


def unreached(part: str, verdict: Verdict) -> str:
    """Why a part without problems says nothing; empty where it was checked."""
    if part == CLAIM or verdict.unchecked:
        return verdict.why_unchecked
    others = {part_of(problem, verdict) for problem in verdict.problems} - {part}
    if CLAIM in others or (part == MUTANTS and others):  # it was not begun, or broke off in the midst
        return "not reached: another part of this theorem has failed"
    ran = [layer for layer in verdict.layers if layer.dtype == part and not layer.problem.startswith("not run")]
    return "" if (verdict.mutants if part == MUTANTS else ran) else "not run"
