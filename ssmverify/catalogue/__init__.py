"""The catalogue: a folder or a file a paper, and what others have registered under the entry point group
`ssmverify.theorems`. A module of this package is found by being there."""

from __future__ import annotations

import difflib
import fnmatch
import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from ssmverify.errors import BadInput
from ssmverify.loading import load_file
from ssmverify.rows import Row

GROUP = "ssmverify.theorems"


def modules() -> list[str]:
    """The modules of the catalogue, by name."""
    found = pkgutil.walk_packages(__path__, f"{__name__}.")
    return sorted(module.name for module in found if not module.ispkg)


def catalogue() -> list[Row]:
    """Every theorem: ours, then those of other packages' entry points (a row, or a sequence of them)."""
    found: list[Row] = []
    for name in modules():
        found.extend(importlib.import_module(name).theorems)
    for entry in entry_points(group=GROUP):
        value = entry.load()
        found.extend([value] if isinstance(value, Row) else value)
    return found


def select(names: Sequence[str]) -> list[Row]:
    """The theorems meant by names, of theorems or papers, patterns such as 'longhorn.*', and Python files.

    No names mean all of ours.

    Raises BadInput for what names nothing.
    """
    if not names:
        return catalogue()
    chosen: dict[str, Row] = {}
    for name in names:
        found = from_file(Path(name)) if name.endswith(".py") else _matching(name, catalogue())
        chosen.update((theorem.name, theorem) for theorem in found)
    return list(chosen.values())


def _matching(name: str, theorems: Iterable[Row]) -> list[Row]:
    by_name = {theorem.name: theorem for theorem in theorems}
    found = [row for key, row in by_name.items() if fnmatch.fnmatchcase(key, name) or key.startswith(f"{name}.")]
    if not found:
        near = difflib.get_close_matches(name, by_name, n=1)
        hint = f"did you mean {near[0]}?" if near else "`ssmverify list` shows all."
        raise BadInput(f"no theorem is called {name}; {hint}")
    return found


def from_file(file: Path) -> list[Row]:
    """The theorems that a Python file defines. Raises BadInput if it cannot be imported or defines none."""
    module = load_file(file)
    found = [value for value in vars(module).values() if isinstance(value, Row)]
    if not found:
        raise BadInput(f"{file} defines no Theorem; bind one to a name at its top level.")
    return found
