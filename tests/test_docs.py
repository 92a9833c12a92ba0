"""The documentation runs: its sessions give what they show, and the list of rules in it is whole."""

from __future__ import annotations

import doctest
import re
import tomllib
from pathlib import Path

import pytest

from proofs.kernel import RULES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
PLACE = re.compile(r"`((?:proofs|numeric|ssmverify|tests|docs|examples|benchmarks)/[\w./-]*)`")
SESSIONS = sorted(file for file in DOCS.glob("*.md") if ">>> " in file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", SESSIONS, ids=lambda file: file.name)
def test_a_session_gives_what_it_shows(file: Path) -> None:
    failed, tried = doctest.testfile(str(file), module_relative=False, encoding="utf-8")
    assert tried > 0
    assert failed == 0


def test_every_rule_is_explained() -> None:
    guide = (DOCS / "proofs.md").read_text(encoding="utf-8")
    assert [name for name in RULES if f"`{name}(" not in guide] == []


def test_every_place_that_a_guide_names_is_there() -> None:
    places = {place for guide in GUIDES for place in PLACE.findall(guide.read_text(encoding="utf-8"))}
    assert "proofs/kernel/rules.py" in places
    assert sorted(place for place in places if not (ROOT / place).exists()) == []


def test_the_citation_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"\nversion: {project['version']}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
