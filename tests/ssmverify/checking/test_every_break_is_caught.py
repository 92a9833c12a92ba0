"""Break any one sign, term or product of Longhorn, in the layer or in the claim: the check fails and says where."""

import importlib
import sys
from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import Any

import pytest

import proofs.longhorn.update
import ssmverify.catalogue.longhorn.update as rows
from numeric import longhorn
from numeric.scan.delta import fused as delta_fused
from numeric.scan.delta import scan as delta
from ssmverify import check
from ssmverify.checking.mutants import source_mutants, swapped
from ssmverify.rows import Theorem

LAYERS: list[tuple[Any, Theorem]] = [
    (delta._write_strength, rows.closed_form),
    (delta_fused.write, rows.closed_form),
    (longhorn.diagonal_transition, rows.diagonal_objective),
]
BROKEN_LAYERS = [
    pytest.param(function, code, theorem, id=what)
    for function, theorem in LAYERS
    for what, code in source_mutants(function)
]


@pytest.mark.parametrize(("function", "code", "theorem"), BROKEN_LAYERS)
def test_a_broken_layer_fails(function: Any, code: CodeType, theorem: Theorem) -> None:
    with swapped(function, code):
        verdict = check(theorem, examples=40)
    assert verdict.problems, "the break went unnoticed"
    assert any("numeric.longhorn" in problem for problem in verdict.problems)
    assert any("error / bound" in problem or "error: " in problem for problem in verdict.problems)


CONSTRUCTIONS = {
    "strength": "closed_form",
    "step": "closed_form",
    "objective": "closed_form",
    "diagonal_step": "diagonal_objective",
    "separable_objective": "diagonal_objective",
}
BROKEN_CLAIMS = [
    pytest.param(name, row, i, id=what)
    for name, row in CONSTRUCTIONS.items()
    for i, (what, _) in enumerate(source_mutants(getattr(proofs.longhorn.update, name)))
]


@pytest.fixture
def restored() -> Iterator[None]:
    """Puts the proof file and its rows back as they were."""
    names = ("proofs.longhorn.update", "ssmverify.catalogue.longhorn.update")
    originals = {name: sys.modules[name] for name in names}
    yield
    for name, module in originals.items():
        sys.modules[name] = module
        package, _, child = name.rpartition(".")
        setattr(sys.modules[package], child, module)


def rebuilt_with(name: str, code: CodeType) -> ModuleType:
    """The catalogue file over a proof file in which one function is broken from the start."""
    for module in ("proofs.longhorn.update", "ssmverify.catalogue.longhorn.update"):
        del sys.modules[module]
    spec = importlib.util.find_spec("proofs.longhorn.update")
    assert spec is not None
    assert spec.loader is not None
    broken = importlib.util.module_from_spec(spec)
    source = spec.loader.get_source("proofs.longhorn.update")  # type: ignore[attr-defined]
    start = source.index(f"def {name}(")
    end = source.index("\n\n\n", start)
    broken.__dict__["__broken__"] = code
    patch = f"\n{name}.__code__ = __broken__\n"
    exec(compile(source[:end] + patch + source[end:], "proofs/longhorn/update.py", "exec"), broken.__dict__)
    sys.modules["proofs.longhorn.update"] = broken
    sys.modules["proofs.longhorn"].update = broken  # type: ignore[attr-defined]
    return importlib.import_module("ssmverify.catalogue.longhorn.update")


@pytest.mark.parametrize(("name", "row", "i"), BROKEN_CLAIMS)
@pytest.mark.usefixtures("restored")
def test_a_broken_claim_fails(name: str, row: str, i: int) -> None:
    _, code = list(source_mutants(getattr(proofs.longhorn.update, name)))[i]
    try:
        theorem = getattr(rebuilt_with(name, code), row)
    except TypeError:
        return  # the shapes do not fit: the broken claim cannot even be stated
    verdict = check(theorem, examples=40)
    assert verdict.problems, "the break went unnoticed"
    assert verdict.counterexample, verdict.problems
