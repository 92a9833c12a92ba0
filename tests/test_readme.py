"""What the README shows is so."""

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import ssmverify.catalogue
from ssmverify import Open, Source, check
from ssmverify.catalogue import catalogue, from_file, select
from ssmverify.cli import main
from ssmverify.errors import BadInput
from ssmverify.verdict import STATUSES

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


def registered(monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    entry = EntryPoint("theirs", "their.module:theorems", ssmverify.catalogue.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _: value)
    monkeypatch.setattr(ssmverify.catalogue, "entry_points", lambda group: [entry])


def test_theorems_of_other_packages_join_the_catalogue_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    own = catalogue()
    theirs = Open("theirs.question", "Who knows?", Source("nobody"))
    registered(monkeypatch, (theirs, theirs, own[0]))
    assert catalogue() == [*own, theirs]
    registered(monkeypatch, theirs)
    assert catalogue() == [*own, theirs]


def test_a_theorem_of_another_package_replaces_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, Open(catalogue()[0].name, "Another.", Source("nobody")))
    with pytest.raises(BadInput, match="the entry point theirs; rename one of them"):
        catalogue()


def test_every_status_and_every_fate_of_a_mutant_is_explained() -> None:
    explained = re.findall(r"^\| ([a-z ,-]+) \|", README, re.MULTILINE)
    assert set(STATUSES) <= set(explained)
    assert {"refuted", "equivalent", "weaker", "ill-typed", "foreign", "survived"} <= set(explained)


def test_the_shown_table_names_the_catalogue() -> None:
    for theorem in select(["recurrence.*", "longhorn.*"]):
        assert theorem.name in README


def test_every_command_is_listed() -> None:
    assert [name for name in main.commands if f"\nssmverify {name}" not in README] == []
