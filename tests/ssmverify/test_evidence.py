"""What is recorded of a check, and when it is out of date."""

import json
import os
import sys
from pathlib import Path

import pytest

from ssmverify import Finite, evidence
from ssmverify.loading import load_file
from ssmverify.verdict import FAILED, Verdict

OWN = """
from ssmverify import Broken, Finite
import beside

theorem = Finite(
    "mine.theorem", "", beside.decide, (Broken("wrong", lambda case: "wrong"),), cases=lambda: [1], number=1
)
"""
BESIDE = 'def decide(case):\n    return ""\n'


@pytest.fixture
def row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Finite:
    (tmp_path / "mine.py").write_text(OWN)
    (tmp_path / "beside.py").write_text(BESIDE)
    monkeypatch.delitem(sys.modules, "beside", raising=False)
    theorem = load_file(tmp_path / "mine.py").theorem
    assert isinstance(theorem, Finite)
    return theorem


def rewritten(file: Path, old: str, new: str) -> None:
    """Other contents of the same length, under the same name, and as old as before."""
    assert len(old) == len(new)
    before = file.stat()
    file.write_text(file.read_text().replace(old, new))
    os.utime(file, (before.st_atime, before.st_mtime))


@pytest.mark.parametrize(("name", "old", "new"), [("mine.py", "[1]", "[2]"), ("beside.py", "case", "item")])
def test_the_hash_notices_a_change_in_a_file_of_the_row(
    row: Finite, tmp_path: Path, name: str, old: str, new: str
) -> None:
    before = evidence.sources_hash(row)
    assert evidence.sources_hash(row) == before
    rewritten(tmp_path / name, old, new)
    assert evidence.sources_hash(row) != before


@pytest.mark.parametrize("suffix", ["py", "c", "h"])
def test_the_hash_notices_a_change_in_a_file_of_ours(
    row: Finite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    kernel = package / f"kernel.{suffix}"
    kernel.write_text("x = 1")
    monkeypatch.setattr(evidence, "_folders", lambda: [package])

    def anew() -> str:
        evidence._packages.cache_clear()
        return evidence.sources_hash(row)

    try:
        before = anew()
        rewritten(kernel, "1", "2")
        assert anew() != before
        rewritten(kernel, "2", "1")
        assert anew() == before
        kernel.rename(package / f"other.{suffix}")
        assert anew() != before
    finally:
        evidence._packages.cache_clear()


def test_every_package_of_ours_counts() -> None:
    assert {folder.name for folder in evidence._folders()} == {"proofs", "numeric", "ssmverify"}


def test_problems_and_steps_by_hand_are_recorded(tmp_path: Path) -> None:
    verdict = Verdict("mine.row", FAILED, "-", "-", "", problems=["a mutant survived: α"], by_hand=["a step"])
    evidence.append(verdict, tmp_path / "folder" / "evidence.jsonl")
    (line,) = (tmp_path / "folder" / "evidence.jsonl").read_text().splitlines()
    read = json.loads(line)
    assert (read["status"], read["green"], read["problems"]) == ("failed", False, ["a mutant survived: α"])
    assert read["by_hand"] == ["a step"]


@pytest.mark.parametrize(
    "foreign",
    [
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"1" * 10_000,
        b"{",
        b"[]",
        b"null",
        b'{"theorem": "mine.row"}',
        b'"\xed\xa0\x80"',
    ],
)
def test_lines_that_are_no_evidence_are_passed_over(tmp_path: Path, foreign: bytes) -> None:
    file = tmp_path / "evidence.jsonl"
    evidence.append(Verdict("mine.row", FAILED, "-", "-", "", seed=5), file)
    file.write_bytes(foreign + b"\n" + file.read_bytes() + foreign + b"\n")
    found = evidence.latest("mine.row", file)
    assert found is not None
    assert found["seed"] == 5
    assert evidence.latest("mine.other", file) is None


def test_no_file_is_no_evidence(tmp_path: Path) -> None:
    assert evidence.latest("mine.row", tmp_path / "absent") is None
    assert evidence.latest("mine.row", tmp_path) is None
