"""The fuzzer notices each unsound edit: it finds a false fact, by value."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import proofs
from tests.proofs.unsound_edits import EDITS, Edit

PROOFS = Path(next(iter(proofs.__path__)))
FUZZ = Path(__file__).parent / "fuzz"
SECONDS = "60"  # it ends at the first false fact, mostly within five
ALWAYS = 10  # of the edits are tried in every run of the tests; `make test-slow` tries the others
SHARED = [pytest.param(e, marks=() if k % 3 == 0 else pytest.mark.slow, id=e.name) for k, e in enumerate(EDITS)]


def test_enough_edits_are_tried_in_every_run() -> None:
    assert sum(not edit.marks for edit in SHARED) >= ALWAYS


@pytest.mark.parametrize("edit", SHARED)
def test_an_unsound_edit_gives_a_false_fact(edit: Edit, tmp_path: Path) -> None:
    shutil.copytree(PROOFS, tmp_path / "proofs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(FUZZ, tmp_path / "tests" / "proofs" / "kernel" / "fuzz")
    file = tmp_path / "proofs" / "kernel" / edit.file
    text = file.read_text(encoding="utf-8")
    assert text.count(edit.old) == 1
    file.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
    options = ["--facts", "20000", "--seed", "1", "--seconds", SECONDS, "--first", "--rules", *edit.rules]
    done = subprocess.run(
        [sys.executable, "-m", "tests.proofs.kernel.fuzz", *options],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(f"FALSE {rule}" in done.stdout for rule in edit.rules), done.stdout + done.stderr


def test_edits_have_names_of_their_own_and_change_something() -> None:
    assert len({edit.name for edit in EDITS}) == len(EDITS) >= 10
    assert all(edit.old != edit.new for edit in EDITS)
