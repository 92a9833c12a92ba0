"""The trusted base stays small and apart, and a Fact comes only from a rule."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import proofs
from proofs.kernel import Fact, Sequent, identity
from proofs.terms import Eq, scalar, term

FOLDER = Path(next(iter(proofs.__path__)))
false = Eq(term(0), term(1))


def test_the_trusted_base_imports_nothing_of_ours_but_itself() -> None:
    for path in (FOLDER / "kernel").glob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        imports = [line.split()[1] for line in lines if line.strip().startswith(("from proofs", "import proofs"))]
        assert all(module.startswith("proofs.kernel") for module in imports)


def test_proofs_load_neither_torch_nor_the_other_side() -> None:
    modules = [
        ".".join(("proofs", *path.relative_to(FOLDER).with_suffix("").parts))
        for path in FOLDER.rglob("*.py")
        if path.stem != "__init__"
    ]
    script = (
        f"import sys, {', '.join(modules)}; print([m for m in ('torch', 'numeric', 'ssmverify') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=FOLDER.parent)
    assert done.stdout.strip() == "[]"


def test_a_fact_is_neither_built_nor_edited_by_hand() -> None:
    fact = identity(scalar("x"), scalar("x"))
    with pytest.raises(TypeError, match="only the rules"):
        Fact(None, "identity", frozenset(), false, ())
    with pytest.raises(TypeError):
        Fact("identity", frozenset(), false, ())  # type: ignore[call-arg, arg-type]
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(fact, conclusion=false)
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(fact, conclusion=false, made_by=None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        fact.conclusion = false  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        fact.conclusion.lhs = term(0)  # type: ignore[attr-defined]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sequent(frozenset(), false).conclusion = false  # type: ignore[misc]


def test_copies_of_a_fact_state_the_same() -> None:
    fact = identity(scalar("x") / scalar("x"), term(1))
    for twin in (copy.copy(fact), copy.deepcopy(fact), pickle.loads(pickle.dumps(fact))):
        assert (twin.hypotheses, twin.conclusion) == (fact.hypotheses, fact.conclusion)
