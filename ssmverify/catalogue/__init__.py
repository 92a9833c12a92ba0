"""The catalogue: a folder or a file a paper, and what others have registered under the entry point group
`ssmverify.theorems`. A module of this package is found by being there, a row by standing at the top level of one."""

from __future__ import annotations

import difflib
import fnmatch
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from proofs.derivation import derivations
from ssmverify.errors import BadInput, one_line
from ssmverify.loading import Found, distinct, load_file, rows_of
from ssmverify.rows import Row

GROUP = "ssmverify.theorems"


def modules() -> list[str]:
    """The modules of the catalogue, by name."""
    found = pkgutil.walk_packages(__path__, f"{__name__}.")
    return sorted(module.name for module in found if not module.ispkg)


def catalogue() -> list[Row]:
    """Every theorem: ours, paper by paper, then those of other packages' entry points (a row, or a sequence of them).

    Raises BadInput for two different rows of one name.
    """
    return distinct(_everything())


def _everything() -> list[Found]:
    ours = [found for name in modules() for found in rows_of(importlib.import_module(name), name)]
    ours.sort(key=lambda found: found[1].name.partition(".")[0])  # a module also holds the rows that it imports
    return [*ours, *_registered()]


def _registered() -> Iterator[Found]:
    for entry in entry_points(group=GROUP):
        value = entry.load()
        for row in [value] if isinstance(value, Row) else value:
            yield f"the entry point {entry.name}", row


def select(names: Sequence[str]) -> list[Row]:
    """The theorems meant by names, of theorems or papers, patterns such as 'longhorn.*', and Python files.

    No names mean all of ours.

    Raises BadInput for what names nothing, and for two different rows of one name.
    """
    if not names:
        return catalogue()
    chosen: list[Found] = []
    for name in names:
        chosen.extend(_defined(Path(name)) if name.endswith(".py") else _matching(name, _everything()))
    return distinct(chosen)


def _matching(name: str, theorems: Iterable[Found]) -> list[Found]:
    named = list(theorems)
    found = [f for f in named if fnmatch.fnmatchcase(f[1].name, name) or f[1].name.startswith(f"{name}.")]
    if not found:
        near = difflib.get_close_matches(name, [row.name for _, row in named], n=1)
        hint = f"did you mean {near[0]}?" if near else "`ssmverify list` shows all."
        raise BadInput(f"no theorem is called {one_line(name)}; {hint}")
    return found


def from_file(file: Path) -> list[Row]:
    """The theorems that a Python file defines.

    Raises BadInput if it cannot be imported, defines none, two of one name, or proves what no row of it checks.
    """
    return distinct(_defined(file))


def _defined(file: Path) -> list[Found]:
    module = load_file(file)
    found = list(rows_of(module, str(file)))
    checked = {row.name for _, row in found}
    if unchecked := [each.name for each in derivations(module) if each.name not in checked]:
        raise BadInput(f"{file} proves {unchecked[0]}, which no row of it checks: give Theorem({unchecked[0]}, ...).")
    if not found:
        raise BadInput(
            f"{file} defines no Theorem or other row; bind one, or a tuple of them, to a name at its top level."
        )
    return found
