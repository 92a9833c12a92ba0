"""JSON by the line, and CSV, written as it comes, so that what is broken off is not lost.

A file may be `-`, the output, or None: then nothing is written.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any


@contextmanager
def lines_of_json(file: str | None) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that writes one object on a line."""
    if file is None:
        yield lambda record: None
        return
    with nullcontext(sys.stdout) if file == "-" else Path(file).open("w", encoding="utf-8") as out:

        def write(record: dict[str, Any]) -> None:
            out.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")
            out.flush()

        yield write


@contextmanager
def rows_of_csv(file: str | None, columns: Sequence[str]) -> Iterator[Callable[[Sequence[Any]], None]]:
    """A function that writes one row; the columns' names come first."""
    if file is None:
        yield lambda row: None
        return
    with nullcontext(sys.stdout) if file == "-" else Path(file).open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)

        def write(row: Sequence[Any]) -> None:
            writer.writerow(row)
            out.flush()

        yield write
