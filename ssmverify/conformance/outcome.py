"""The vocabulary: what became of a case, and of all of them; known failures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from ssmverify.errors import BadInput

PASSED = "passed"
FAILED = "FAILED"
NOT_SUPPORTED = "not supported"
NOT_RUN = "not run"
KNOWN = "known failure"


@dataclass(frozen=True)
class Result:
    """One case in one dtype.

    worst: the largest error in units of the bound among the inputs inside it; None where nothing was measured.
    detail: what is wrong, or why the case was not run. smallest: the smallest failing input found. replay: the command
    that runs this case alone on the same inputs.
    """

    case: str  # "decays.near-one/float32"
    outcome: str
    worst: float | None = None
    detail: str = ""
    smallest: str = ""
    replay: str = ""
    seconds: float = 0.0


@dataclass
class Report:
    """What a target was put through, and what came of it."""

    target: str
    kind: str
    order: str
    seed: int
    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0

    def having(self, outcome: str) -> list[Result]:
        """The results with that outcome."""
        return [result for result in self.results if result.outcome == outcome]

    @property
    def failed(self) -> list[Result]:
        """The failures that are not known ones."""
        return self.having(FAILED)

    @property
    def worst(self) -> float | None:
        """The largest error in units of the bound among all inputs inside it."""
        return max((r.worst for r in self.results if r.worst is not None), default=None)

    def write(self, file: Path) -> None:
        """As one JSON object."""
        file.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class KnownFailure:
    """A line of a skip file: which cases fail in this implementation, and why."""

    pattern: str
    reason: str

    def covers(self, case: str) -> bool:
        """Whether it means this case: by its id with or without dtype; `*` stands for anything."""
        return fnmatchcase(case, self.pattern) or fnmatchcase(case.partition("/")[0], self.pattern)


def read_known_failures(file: Path) -> list[KnownFailure]:
    """A case id and a reason on each line; blank lines and lines that begin with # say nothing.

    Raises BadInput for a file that is not there or not text, and for a line without a reason.
    """
    if not file.exists():
        raise BadInput(f"there is no skip file {file}; give one that exists, or leave --skip away.")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise BadInput(f"the skip file {file} is not text; write a case id and a reason on each line.") from error
    return list(_known_failures(file, text))


def _known_failures(file: Path, lines: str) -> Iterator[KnownFailure]:
    for number, line in enumerate(lines.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        pattern, _, reason = text.partition(" ")
        if not reason.strip():
            raise BadInput(f"{file}, line {number}: '{pattern}' has no reason; write why it fails after the case id.")
        yield KnownFailure(pattern, reason.strip())
