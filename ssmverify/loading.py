"""Python files that a user names on the command line."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from ssmverify.errors import BadInput


def load_file(file: Path) -> ModuleType:
    """The module that a Python file is, with its folder on the path while it is imported.

    Raises BadInput if there is no such file, or if importing it fails.
    """
    if not file.is_file():
        raise BadInput(f"there is no file {file}; give a path that exists.")
    spec = importlib.util.spec_from_file_location(f"ssmverify_user_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise BadInput(f"{file} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(file.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except BadInput:
        raise
    except (Exception, SystemExit) as error:  # a script that exits must not pass for one that was checked
        message = f"{file} does not import: {type(error).__name__}: {error}; run `python {file}` to see where."
        raise BadInput(message) from error
    finally:
        sys.path.pop(0)
    return module
