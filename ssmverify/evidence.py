"""The record of what was checked: one JSON line for each theorem, with a hash of the sources it rests on."""

from __future__ import annotations

import hashlib
import inspect
import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numeric
import proofs
from ssmverify.rows import Row
from ssmverify.verdict import Verdict

STORE = Path(".ssmverify") / "evidence.jsonl"
PACKAGES = ("sympy", "python-flint", "numpy", "torch", "hypothesis")


def sources_hash(row: Row) -> str:
    """A hash of everything the verdict rests on: the kernel and proof files, the layers, the checks, the row itself.

    A row's own files count wherever they lie; of the packages every file counts, so that a change in a kernel
    that a layer calls is never missed.
    """
    own = {inspect.getsourcefile(f) for f in row.code if inspect.isfunction(f)}
    files = {Path(f): Path(f).read_bytes() for f in own if f} | _packages()
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + files[file])
    return digest.hexdigest()[:16]


@cache
def _packages() -> dict[Path, bytes]:
    """Our own sources, read once: what of them is loaded does not change any more."""
    packages = [Path(p).parent for p in (proofs.__file__, numeric.__file__, __file__) if p]
    return {f: f.read_bytes() for p in packages for s in ("*.py", "*.c", "*.h") for f in p.rglob(s)}


def record(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON, with the versions and the machine it was found on."""
    import torch

    return {
        **asdict(verdict),
        "green": verdict.green,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "versions": {name: version(name) for name in PACKAGES},
        "flush_to_zero": _flushes(torch),
    }


def _flushes(torch: Any) -> bool:
    smallest = torch.finfo(torch.float32).tiny
    return bool((torch.tensor(smallest) / 2) == 0)


def append(verdict: Verdict, file: Path) -> None:
    """Add one line to an evidence file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as out:
        out.write(json.dumps(record(verdict), ensure_ascii=False) + "\n")


def latest(name: str, file: Path = STORE) -> dict[str, Any] | None:
    """The last line about a theorem; None if there is none."""
    found = None
    for line in _lines(file):
        if line.get("theorem") == name:
            found = line
    return found


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    if file.exists():
        for line in file.read_text().splitlines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:  # a line cut short when a run was stopped
                continue
