"""`ssmverify new`: what it writes holds at once, teaches nothing wrong, and overwrites nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ssmverify import Theorem, check
from ssmverify.catalogue import from_file
from ssmverify.cli import main
from ssmverify.commands.new import content

LAYERS = pytest.mark.parametrize("options", [[], ["--layer"]], ids=["alone", "layer"])


@LAYERS
def test_what_it_writes_holds_at_once(options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = CliRunner().invoke(main, ["new", "demo", *options])
    assert written.exit_code == 0, written.output
    checked = CliRunner().invoke(main, written.output.rpartition("with: ssmverify ")[2].split())
    assert checked.exit_code == 0, checked.output
    assert "theorem_demo.superposition  holds" in checked.output
    assert ("float64" in checked.output) == bool(options)


def test_it_passes_under_pytest(tmp_path: Path) -> None:
    (tmp_path / "theorem_demo.py").write_text(content("theorem_demo.py", layer=True), encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "theorem_demo.py"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert ran.returncode == 0, ran.stdout
    assert "4 passed" in ran.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [("Eq(s(t), h(t) + g(t))", "Eq(s(t), h(t) - g(t))"), ("a * h + x[:, t]", "a * h - x[:, t]")],
    ids=["claim", "layer"],
)
def test_a_sign_changed_in_it_is_caught(old: str, new: str, tmp_path: Path) -> None:
    file, text = tmp_path / "theorem_broken.py", content("theorem_broken.py", layer=True)
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    (row,) = from_file(file)
    assert isinstance(row, Theorem)
    assert check(row, examples=25).problems


@LAYERS
def test_it_is_short_and_imports_only_what_it_uses(options: list[str]) -> None:
    lines = content("theorem_demo.py", layer=bool(options)).splitlines()
    assert len(lines) < 70
    assert max(map(len, lines)) <= 120
    assert ("import torch" in lines) == bool(options)


def test_it_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("theorem_mine.py").write_text("mine", encoding="utf-8")
    refused = CliRunner().invoke(main, ["new", "mine"])
    assert refused.exit_code == 2
    assert refused.output == "ssmverify: there is a file theorem_mine.py already: choose another name.\n"
    assert Path("theorem_mine.py").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["../demo", "De mo", "", "demo.py"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(main, ["new", name])
    assert refused.exit_code == 2
    assert "is no name for a theorem: use small letters, digits and _." in refused.output
    assert list(tmp_path.iterdir()) == []
