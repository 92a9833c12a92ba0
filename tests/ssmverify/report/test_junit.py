"""`check --junit`: a test case for each row, whatever became of it."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ssmverify.checking.processes import Workers
from ssmverify.cli import main
from ssmverify.report.junit import write
from ssmverify.verdict import FELL, HOLDS, NOT_RUN, OPEN, REFUTED, Verdict

ROWS = ["paper.right", "paper.part.wrong", "paper.late", "paper.open", "paper.absent", "paper.refuted", "paper.never"]
FOUND = [
    Verdict(
        "paper.part.wrong", FELL, "-", "-", "", problems=["false at <x> & \x1b[31m\x00\ud800", "more"], seconds=1.5
    ),
    Verdict("paper.right", HOLDS, "-", "-", "", seconds=0.25),
    Verdict("paper.late", FELL, "-", "-", "", because="mutant: a sign", undecided=True),
    Verdict("paper.open", OPEN, "-", "-", ""),
    Verdict("paper.absent", NOT_RUN, "-", "-", "", because="no scipy here"),
    Verdict("paper.refuted", REFUTED, "-", "-", ""),
]


def case_of(file: Path, name: str) -> xml.Element:
    cases = {f"{case.get('classname')}.{case.get('name')}": case for case in xml.parse(file).iter("testcase")}
    return cases[name]


def test_each_row_is_a_case_with_what_became_of_it(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "junit.xml"
    write(file, ROWS, FOUND, 7, 2.5)
    said = {name: [(child.tag, child.get("message")) for child in case_of(file, name)] for name in ROWS}
    assert said == {
        "paper.right": [],
        "paper.part.wrong": [("failure", "false at <x> & [31m")],
        "paper.late": [("error", "undecided: the time given ran out (at: mutant: a sign)")],
        "paper.open": [("skipped", "open: nothing here checks it")],
        "paper.absent": [("skipped", "not run: no scipy here")],
        "paper.refuted": [],
        "paper.never": [("error", "not reached: the run was interrupted")],
    }
    assert case_of(file, "paper.part.wrong")[0].text == "false at <x> & [31m\nmore\nseed 0"
    assert [case_of(file, name).get("time") for name in ROWS[:2]] == ["0.250", "1.500"]


def test_the_counts_are_those_of_the_cases(tmp_path: Path) -> None:
    write(tmp_path / "junit.xml", ROWS, FOUND, 7, 2.5)
    whole = xml.parse(tmp_path / "junit.xml").getroot()
    (suite,) = whole
    for element in (whole, suite):
        counts = {name: element.get(name) for name in ("tests", "failures", "errors", "skipped", "time")}
        assert counts == {"tests": "7", "failures": "1", "errors": "2", "skipped": "2", "time": "2.500"}
    assert [dict(each.items()) for each in suite.iter("property")] == [{"name": "seed", "value": "7"}]


def test_it_is_written_where_the_run_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = Workers.results

    def interrupted(*arguments: Any) -> Iterator[Any]:
        yield next(results(*arguments))
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Workers, "results", interrupted)
    ran = CliRunner().invoke(main, ["check", "longhorn.diagonal_*", "--jobs", "1", "--quick", "--junit", "j.xml"])
    assert ran.exit_code == 3, ran.output
    cases = list(xml.parse("j.xml").iter("testcase"))
    assert len(cases) > 1
    assert [len(case) for case in cases] == [0] + [1] * (len(cases) - 1)


def test_a_file_that_cannot_be_written_is_said_and_costs_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("", encoding="utf-8")
    ran = CliRunner().invoke(main, ["check", "longhorn.diagonal_at_one_state", "--quick", "--junit", "taken/j.xml"])
    assert ran.exit_code == 2
    assert "1 of 1 theorems as they should be" in ran.output
    assert "WARNING: taken/j.xml could not be written" in ran.output


def test_it_does_not_go_with_the_audit() -> None:
    refused = CliRunner().invoke(main, ["check", "longhorn", "--audit", "--junit", "j.xml"])
    assert refused.exit_code == 2
    assert "leave it out, or --audit" in refused.output
