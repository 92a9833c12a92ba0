"""Theorems and scan kernels as tests: `theorem_*.py`, `--ssmverify 'longhorn.*'`, `--ssmverify-scan kernel.py:my_scan`.

Each part of a row is a test, and each case of the conformance suite. Nothing is imported before a file or an option
asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ssmverify.conformance import Target
    from ssmverify.conformance.kinds.kind import Case
    from ssmverify.conformance.outcome import KnownFailure, Result


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `ssmverify check` and `ssmverify scan`, with a prefix."""
    group = parser.getgroup("ssmverify", "theorems, and the conformance of scan kernels")
    group.addoption(
        "--ssmverify", nargs="?", const="*", metavar="NAME|FILE|PATTERN", help="theorems to check: all of the catalogue"
    )
    group.addoption("--ssmverify-scan", action="append", default=[], metavar="FILE:FUNCTION", help="a kernel to test")
    group.addoption("--ssmverify-kind", metavar="KIND", help="scan, selective, delta or matrix")
    group.addoption("--ssmverify-order", metavar="ORDER", help="what it declares: sequential, loop, tree or any")
    group.addoption("--ssmverify-dtypes", metavar="DTYPES", help="what it claims, with commas between")
    group.addoption("--ssmverify-case", default="*", metavar="CASE", help="only this case, or a pattern")
    group.addoption("--ssmverify-seed", type=int, metavar="SEED", help="of everything random; theorems draw one anew")
    group.addoption("--ssmverify-skip", metavar="FILE", help="its known failures, with reasons")
    group.addoption("--ssmverify-quick", action="store_true", help="shorter inputs, fewer examples")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """A file theorem_*.py holds rows, not test functions, if it was named or speaks of ssmverify."""
    found = yield
    if not file_path.match("theorem_*.py"):
        return found
    if not parent.session.isinitpath(file_path) and b"ssmverify" not in file_path.read_bytes():
        return found
    from ssmverify.theorem_items import TheoremFile

    others = [each for each in found if type(each) is not pytest.Module]
    return [*others, TheoremFile.from_parent(parent, path=file_path)]


@pytest.fixture
def within_bound() -> Callable[..., None]:
    """`ssmverify.bounds.assert_within_bound`: (actual, reference, *inputs), instead of a tolerance."""
    from ssmverify.bounds import assert_within_bound

    return assert_within_bound


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds a test for each part of each theorem named, and for each case of each kernel."""
    if pattern := config.getoption("--ssmverify"):
        from ssmverify.theorem_items import named

        items.extend(named(session, pattern))
    for spec in config.getoption("--ssmverify-scan"):
        items.extend(_tests(session, config, spec))


def _tests(session: pytest.Session, config: pytest.Config, spec: str) -> list[pytest.Item]:
    from ssmverify.conformance import find, read_known_failures
    from ssmverify.conformance.running import plan
    from ssmverify.errors import BadInput

    given = {name: config.getoption(f"--ssmverify-{name}") for name in ("kind", "order", "dtypes", "skip", "case")}
    try:
        dtypes = given["dtypes"].split(",") if given["dtypes"] else None
        target = find(spec, kind=given["kind"], order=given["order"], dtypes=dtypes)
        known = read_known_failures(Path(given["skip"])) if given["skip"] else []
        chosen = plan(target, given["case"])
    except BadInput as error:
        raise pytest.UsageError(f"--ssmverify-scan: {error}") from error
    return [
        ConformanceTest.from_parent(
            session, name=f"{spec}[{case.id}/{dtype}]", target=target, case=case, dtype=dtype, known=known
        )
        for case, dtype in chosen
    ]


class ConformanceTest(pytest.Item):
    """One case in one dtype."""

    def __init__(self, *, target: Target, case: Case, dtype: str, known: list[KnownFailure], **rest: Any) -> None:
        super().__init__(**rest)
        self.target, self.case, self.dtype, self.known = target, case, dtype, known

    def runtest(self) -> None:
        """Fails where the case does; skipped where it was not run, or is not supported."""
        from ssmverify.conformance.outcome import FAILED, KNOWN, NOT_RUN, NOT_SUPPORTED
        from ssmverify.conformance.running import excused, run

        option = self.config.getoption
        result = run(self.target, self.case, self.dtype, option("--ssmverify-seed") or 0, option("--ssmverify-quick"))
        result = excused(result, self.known)
        if result.outcome == FAILED:
            raise Failed(result)
        if result.outcome == KNOWN:
            pytest.xfail(result.detail)
        if result.outcome in (NOT_RUN, NOT_SUPPORTED):
            pytest.skip(f"{result.outcome}: {result.detail}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is wrong, the smallest input, and the replay line; no traceback through the suite."""
        if isinstance(excinfo.value, Failed):
            result = excinfo.value.result
            return "\n".join((result.detail, f"at {result.smallest}", f"replay: {result.replay}"))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where pytest says that the test is."""
        return Path(self.target.spec), None, self.name


class Failed(Exception):
    """A case failed."""

    def __init__(self, result: Result):
        super().__init__(result.detail)
        self.result = result
