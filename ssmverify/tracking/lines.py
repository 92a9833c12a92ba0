"""JSON by the line, written as it comes, so that what is broken off is not lost."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any


@contextmanager
def lines_of_json(file: str | None) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that writes one object on a line: into the file, to the output for `-`, nowhere for None."""
    if file is None:
        yield lambda record: None
        return
    with nullcontext(sys.stdout) if file == "-" else Path(file).open("w", encoding="utf-8") as out:

        def write(record: dict[str, Any]) -> None:
            out.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")
            out.flush()

        yield write
