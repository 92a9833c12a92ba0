"""Python files that a user names on the command line, and the rows that a module defines."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from ssmverify.errors import BadInput, one_line
from ssmverify.rows import Row

Found = tuple[str, Row]  # with the place where it was found
_loaded: dict[Path, ModuleType] = {}
_beside: dict[Path, dict[str, ModuleType]] = {}  # what the files of a folder imported from it, by name


def load_file(file: Path) -> ModuleType:
    """The module that a Python file is, with its folder on the path while it is imported; imported once.

    Raises BadInput if there is no such file, or if importing it fails.
    """
    if not file.is_file():
        raise BadInput(f"there is no file {file}; give a path that exists.")
    if module := _loaded.get(file.resolve()):
        return module
    spec = importlib.util.spec_from_file_location(f"ssmverify_user_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise BadInput(f"{file} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    folder = file.resolve().parent
    sys.path.insert(0, str(folder))
    _see_only(folder)
    known = set(sys.modules)
    try:
        spec.loader.exec_module(module)
    except (BadInput, KeyboardInterrupt):
        raise
    except BaseException as error:  # a script that exits must not pass for one that was checked
        what = one_line(f"{type(error).__name__}: {error}")
        raise BadInput(f"{file} does not import: {what}; run `python {file}` to see where.") from error
    finally:
        sys.path.pop(0)
        new = {name: sys.modules[name] for name in set(sys.modules) - known}
        beside = {
            name: one for name, one in new.items() if folder in Path(getattr(one, "__file__", None) or "").parents
        }
        _beside.setdefault(folder, {}).update(beside)
    _loaded[file.resolve()] = module
    return module


def _see_only(folder: Path) -> None:
    """Of the modules beside files only those of this folder: a name means another module in another folder."""
    for modules in _beside.values():
        for name in modules:
            sys.modules.pop(name, None)
    sys.modules.update(_beside.get(folder, {}))


def rows_of(module: ModuleType, where: str) -> Iterator[Found]:
    """The rows at the top level of a module, alone or in tuples, lists, sets and mappings, each with its place."""
    for name, value in list(vars(module).items()):
        yield from _inside(value, f"{where}: {name}")


def _inside(value: Any, place: str) -> Iterator[Found]:
    if isinstance(value, Row):
        yield place, value
    elif isinstance(value, tuple | list | set | frozenset):
        for i, member in enumerate(value):
            yield from _inside(member, f"{place}[{i}]")
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from _inside(member, f"{place}[{key!r}]")


def distinct(found: Iterable[Found]) -> list[Row]:
    """The rows, each once, however often it is found. Raises BadInput for two different rows of one name."""
    known: dict[str, Found] = {}
    for place, row in found:
        first, other = known.setdefault(row.name, (place, row))
        if other is not row:
            raise BadInput(f"two different rows are called {row.name}: {first} and {place}; rename one of them.")
    return [row for _, row in known.values()]
