"""What the README shows is so."""

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import ssmverify.catalogue
from ssmverify import check
from ssmverify.catalogue import catalogue, from_file, select

README = (Path(__file__).parent.parent / "README.md").read_text()
(EXAMPLE,) = re.findall(r"```python\n(from proofs.*?)```", README, re.DOTALL)


def test_the_theorem_of_ones_own_holds(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(EXAMPLE)
    (theorem,) = from_file(file)
    verdict = check(theorem)
    assert (verdict.status, verdict.sizes, verdict.problems) == ("holds", "every n", [])


def test_a_changed_sign_is_caught(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(EXAMPLE.replace("Identity(n) + 4", "Identity(n) - 4"))
    verdict = check(from_file(file)[0])
    assert verdict.status == "not proved"
    assert verdict.counterexample


def test_theorems_of_other_packages_join_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    own = catalogue()
    entry = EntryPoint("longhorn", "ssmverify.catalogue.longhorn.update:theorems", ssmverify.catalogue.GROUP)
    monkeypatch.setattr(ssmverify.catalogue, "entry_points", lambda group: [entry])
    assert len(catalogue()) == len(own) + len(entry.load())


def test_the_shown_table_names_the_catalogue() -> None:
    for theorem in select(["recurrence.*", "longhorn.*"]):
        assert theorem.name in README
