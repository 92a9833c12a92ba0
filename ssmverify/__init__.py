"""ssmverify: theorems about state-space models, proved and run.

    from ssmverify import Theorem, check
    assert check(theorem)

Names are imported when first used, so that the command line answers before torch and sympy are loaded.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssmverify.checking.check import check
    from ssmverify.checking.computes import Computes
    from ssmverify.rows import Broken, Cited, Finite, Layer, Mutant, Open, Source, Theorem
    from ssmverify.verdict import Verdict

_HOMES = {
    "Broken": "rows",
    "Computes": "checking.computes",
    "Cited": "rows",
    "Finite": "rows",
    "Layer": "rows",
    "Mutant": "rows",
    "Open": "rows",
    "Source": "rows",
    "Theorem": "rows",
    "Verdict": "verdict",
    "check": "checking.check",
}
__all__ = ["Broken", "Cited", "Computes", "Finite", "Layer", "Mutant", "Open", "Source", "Theorem", "Verdict", "check"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
