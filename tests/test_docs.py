"""The documentation runs: its sessions give what they show, and the list of rules in it is whole."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from proofs.kernel import RULES

DOCS = Path(__file__).parent.parent / "docs"
SESSIONS = sorted(file for file in DOCS.glob("*.md") if ">>> " in file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", SESSIONS, ids=lambda file: file.name)
def test_a_session_gives_what_it_shows(file: Path) -> None:
    failed, tried = doctest.testfile(str(file), module_relative=False, encoding="utf-8")
    assert tried > 0
    assert failed == 0


def test_every_rule_is_explained() -> None:
    guide = (DOCS / "proofs.md").read_text(encoding="utf-8")
    assert [name for name in RULES if f"`{name}(" not in guide] == []
