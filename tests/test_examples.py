"""The examples do what they say, and notice what is broken in them."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from ssmverify import Theorem, check
from ssmverify.bounds import assert_within_bound
from ssmverify.catalogue import from_file
from ssmverify.cli import main
from ssmverify.tracking.automata.classify import APERIODIC, P_GROUPS
from ssmverify.tracking.models.quantised import classify_layer, verdict

EXAMPLES = Path(__file__).parent.parent / "examples"
SMALL = sorted(file for file in EXAMPLES.glob("*.py") if file.name != "replaced_tolerances.py")
STATUSES = {
    "theorem_ema.forgets_its_start": "holds",
    "refuted_delta_rule.stored": "caution",
    "refuted_delta_rule.stored_at_a_unit_key": "holds with a further hypothesis",
    "inequality_gate.energy_of_a_gate": "holds",
}
ROWS = [row for file in SMALL if "Theorem" in file.read_text() for row in from_file(file)]


def broken(tmp_path: Path, name: str, old: str, new: str) -> Theorem:
    """The last row of an example in which something was replaced, once."""
    text = (EXAMPLES / name).read_text()
    assert text.count(old) == 1
    file = tmp_path / name
    file.write_text(text.replace(old, new))
    row = from_file(file)[-1]
    assert isinstance(row, Theorem)
    return row


@pytest.mark.parametrize("file", SMALL, ids=lambda file: file.name)
def test_an_example_is_short(file: Path) -> None:
    assert len(file.read_text().splitlines()) < 40


def test_every_row_of_an_example_is_checked_here() -> None:
    assert {row.name for row in ROWS} == set(STATUSES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_as_its_example_says(row: Theorem) -> None:
    found = check(row)
    assert (found.status, found.problems) == (STATUSES[row.name], [])
    assert found.green


def test_a_wrong_sign_in_the_layer_is_refuted(tmp_path: Path) -> None:
    row = broken(tmp_path, "theorem_ema.py", "states.append(h := a * h + (1 - a)", "states.append(h := a * h - (1 - a)")
    found = check(row, examples=20)
    assert found.status == "failed"
    assert all(layer.worst > 1e5 for layer in found.layers if layer.device == "cpu")


def test_a_wrong_certificate_proves_nothing(tmp_path: Path) -> None:
    row = broken(tmp_path, "inequality_gate.py", "((h - x) * (h - x))", "((h + x) * (h + x))")
    assert check(row, examples=20).status == "not proved"


def test_without_its_hypothesis_the_repaired_theorem_is_not_proved(tmp_path: Path) -> None:
    row = broken(tmp_path, "refuted_delta_rule.py", ', {"unit_key": unit}, further=["unit_key"])', ")")
    assert check(row, examples=20).status == "not proved"


def test_the_layers_are_classified_as_their_file_says() -> None:
    found = {name: verdict(classify_layer(f"{EXAMPLES}/layer_parity.py:{name}")) for name in ("Signed", "Positive")}
    assert found == {"Signed": P_GROUPS, "Positive": APERIODIC}


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [("scan", 0, ": 31 passed, 2 not supported, 2 not run;"), ("forgetful", 1, "h[0, 0, 0] is 0.0, exactly 1: error")],
)
def test_the_suite_tells_the_kernel_from_the_forgetful_one(target: str, status: int, said: str) -> None:
    how = ["--order", "loop", "--quick", "--dtypes", "float32"]
    result = CliRunner().invoke(main, ["scan", f"{EXAMPLES}/kernel_loop.py:{target}", *how])
    assert result.exit_code == status, result.output
    assert said in result.output


def test_each_replaced_tolerance_is_run_or_said_to_be_not_run() -> None:
    command = [sys.executable, str(EXAMPLES / "replaced_tolerances.py")]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout.splitlines()
    headings = [line for line in lines if not line.startswith(" ")]
    assert [heading.partition(",")[0].partition(" ")[0] for heading in headings] == ["keras", "fla", "transformers"]


def test_a_tolerance_passes_what_the_bound_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    told = runpy.run_path(str(EXAMPLES / "replaced_tolerances.py"))["told"]
    x = torch.ones(3)
    told("right", lambda: 0.0, 0.1, lambda: assert_within_bound(x.exp(), torch.exp, x))
    told("a thousandth off", lambda: 1e-3, 0.1, lambda: assert_within_bound(x.exp() * 1.001, torch.exp, x))
    right, off = capsys.readouterr().out.splitlines()
    assert "tolerance passes" in right
    assert "within its bound" in right
    assert "tolerance passes" in off
    assert "within its bound" not in off
