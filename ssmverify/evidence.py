"""The record of what was checked: one JSON line for each theorem, with a hash of the sources it rests on."""

from __future__ import annotations

import hashlib
import importlib.util
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
from typing import TYPE_CHECKING, Any

from ssmverify.verdict import Verdict

if TYPE_CHECKING:
    from ssmverify.rows import Row

STORE = Path(".ssmverify") / "evidence.jsonl"
PACKAGES = ("sympy", "python-flint", "numpy", "torch", "hypothesis")
OURS = ("proofs", "numeric", "ssmverify")
NEEDED = frozenset(("theorem", "time", "status", "seed", "sources", "layers", "mutants", "versions"))


def sources_hash(row: Row) -> str:
    """A hash of everything the verdict rests on: the kernel and proof files, the layers, the checks, the row itself.

    A row's own files count wherever they lie, with what was imported from beside them; of our packages every file
    counts, so that a change in a kernel that a layer calls is never missed.
    """
    own = {inspect.getsourcefile(f) for f in row.code if inspect.isfunction(f)}
    files = {Path(f).resolve() for f in own if f}
    files |= {f for folder in {f.parent for f in files} for f in _imported_from(folder)}
    digest = hashlib.sha256(_packages())
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + _contents(file))
    return digest.hexdigest()[:16]


def _imported_from(folder: Path) -> set[Path]:
    """The modules of this process that lie in a folder, if it is none of ours; installed ones do not count."""
    if any(folder.is_relative_to(package) for package in _folders()):
        return set()
    loaded = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    near = {Path(file) for file in loaded if file and str(file).startswith(str(folder))}
    return {file for file in near if not {"site-packages", "dist-packages"} & set(file.parts)}


def _contents(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it was deleted since, or lies in an archive


@cache
def _folders() -> list[Path]:
    found = (importlib.util.find_spec(name) for name in OURS)
    return [Path(spec.origin).resolve().parent for spec in found if spec and spec.origin]


@cache
def _packages() -> bytes:
    """A hash of our own sources, read once: what of them is loaded does not change any more."""
    digest = hashlib.sha256()
    for file in sorted(f for p in _folders() for s in ("*.py", "*.c", "*.h") for f in p.rglob(s)):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.digest()


def record(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON, with the versions and the machine it was found on."""
    return {
        **asdict(verdict),
        "green": verdict.green,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def append(verdict: Verdict, file: Path) -> None:
    """Add one line to an evidence file. Raises OSError if it cannot be written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8", errors="backslashreplace") as out:
        out.write(json.dumps(record(verdict), ensure_ascii=False) + "\n")


def newest(file: Path = STORE) -> dict[str, dict[str, Any]]:
    """The last line about each theorem."""
    return {line["theorem"]: line for line in _lines(file)}


def latest(name: str, file: Path = STORE) -> dict[str, Any] | None:
    """The last line about a theorem; None if there is none."""
    return newest(file).get(name)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The lines that are evidence: one may be cut short where a run was stopped, or not be ours."""
    try:
        found = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in found:
        try:
            read = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(read, dict) and read.keys() >= NEEDED and isinstance(read["theorem"], str):
            yield read
