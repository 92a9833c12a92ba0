"""Standard streams that may be closed, full, a pipe that nobody reads any more, or ASCII: none of it ends a command."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Any, TextIO, cast


class Tolerant:
    """A text stream that drops what cannot be written, and remembers why."""

    def __init__(self, stream: TextIO):
        self.stream, self.reason = stream, ""

    def write(self, text: str) -> int:
        self._try(self.stream.write, text)
        return len(text)

    def flush(self) -> None:
        self._try(self.stream.flush)

    def _try(self, do: Callable[..., Any], *arguments: Any) -> None:
        if self.reason:
            return
        try:
            do(*arguments)
        except OSError as error:
            self.reason = error.strerror or str(error)
            if error.errno != errno.EPIPE:
                with suppress(OSError, ValueError):
                    print(f"ssmverify: the output cannot be written: {self.reason}.", file=sys.stderr)
            with suppress(OSError, ValueError):  # what is left in its buffer must not raise as Python ends
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def tolerant() -> Iterator[Callable[[], bool]]:
    """Within the block stdout is such a stream; gives whether it has lost something that somebody wanted to have."""
    _fill_closed_descriptors()
    before = sys.stdout
    if sys.stderr is None:
        sys.stderr = _nowhere()
    out = Tolerant(_nowhere() if before is None else before)
    if isinstance(out.stream, TextIOWrapper):
        out.stream.reconfigure(errors="backslashreplace")
    sys.stdout = cast(TextIO, out)
    try:
        yield lambda: bool(out.reason) and out.reason != os.strerror(errno.EPIPE)
    finally:
        out.flush()
        sys.stdout = before


def _nowhere() -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _fill_closed_descriptors() -> None:
    """Else the next file that is opened, or a process' pipe, would be taken for a standard stream."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
