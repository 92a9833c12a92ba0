"""Theorems under pytest: a test for each part of a row, which fails for the problems of this part and of no other.

Each run is a process of its own, for torch cannot be imported twice in one.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ssmverify import Cited, Source
from ssmverify.cli import main
from ssmverify.theorem_items import part_of, parts, unreached
from ssmverify.verdict import CITED, FAILED, HOLDS, NOT_RUN, LayerResult, MutantResult, Verdict

EMA = (Path(__file__).parents[2] / "examples" / "theorem_ema.py").read_text(encoding="utf-8")
GROWTH = "product(l, 1, t, a) * (h(0) - g(0))"
BROKEN = {
    "right": ("", ""),
    "false": (GROWTH, GROWTH.replace("- g(0)", "- 2 * g(0)")),
    "layer": ("(1 - a) * x[:, t]", "(1 + a) * x[:, t]"),
    "break": ("rhs(0 * a)", f"rhs({GROWTH})"),
}
OUTCOME = re.compile(r"(?:theorem_)?(\w+)(?:::|\.)\w+\[(\w+)\] (PASSED|FAILED|SKIPPED|ERROR)")


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Where `CI` is set pytest's summary says every failure a second time, in full."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    here = {name: value for name, value in os.environ.items() if name not in ("CI", "BUILD_NUMBER")}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, env=here)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The theorem of the examples, as it is, and broken in three ways."""
    found = tmp_path_factory.mktemp("theorems")
    for name, (old, new) in BROKEN.items():
        assert not old or EMA.count(old) == 1
        (found / f"theorem_{name}.py").write_text(EMA.replace(old, new) if old else EMA, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def said(folder: Path) -> str:
    """What pytest says of all of them, and of a theorem of the catalogue."""
    arguments = ("--ssmverify", "longhorn.diagonal_at_one_s*", "--ssmverify-quick", "-v", ".")
    return run_pytest(folder, *arguments).stdout


def outcomes(said: str, name: str) -> dict[str, str]:
    """What became of each part, by its name in brackets."""
    return {part: outcome for file, part, outcome in OUTCOME.findall(said) if file == name}


def test_each_part_of_a_theorem_is_a_test(said: str) -> None:
    assert outcomes(said, "right") == dict.fromkeys(("claim", "float32", "float64", "mutants"), "PASSED")


def test_a_false_claim_fails_and_leaves_the_rest_unreached(said: str) -> None:
    rest = dict.fromkeys(("float32", "float64", "mutants"), "SKIPPED")
    assert outcomes(said, "false") == {"claim": "FAILED", **rest}
    assert re.search(r"^the proof fails: .* the two sides differ by g_0", said, re.MULTILINE)
    assert "Traceback" not in said


def test_a_wrong_layer_fails_in_its_dtypes(said: str) -> None:
    expected = {"claim": "PASSED", "float32": "FAILED", "float64": "FAILED", "mutants": "SKIPPED"}
    assert outcomes(said, "layer") == expected
    for dtype in ("float32", "float64"):
        assert re.search(rf"ema in {dtype}: error: error / bound = .* at x = ", said)


def test_a_mutant_that_survives_fails_the_mutants_alone(said: str) -> None:
    passed = dict.fromkeys(("claim", "float32", "float64"), "PASSED")
    assert outcomes(said, "break") == {**passed, "mutants": "FAILED"}
    assert "\na mutant survived: at once\n" in said


def test_a_theorem_of_the_catalogue_is_named_by_a_pattern(said: str) -> None:
    assert outcomes(said, "longhorn") == {"claim": "PASSED", "mutants": "PASSED"}


def test_a_row_is_checked_once(said: str) -> None:
    seeds = re.findall(r"^replay: ssmverify check theorem_layer.py --seed (\d+) --quick$", said, re.MULTILINE)
    assert len(seeds) == 2  # in float32 and in float64
    assert len(set(seeds)) == 1


def test_the_replay_finds_the_same_counterexample(folder: Path, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (counterexample,) = re.findall(r"^the claim is false at .*$", said, re.MULTILINE)
    (replay,) = re.findall(r"^replay: ssmverify (check theorem_false.py .*)$", said, re.MULTILINE)
    monkeypatch.chdir(folder)
    replayed = CliRunner().invoke(main, shlex.split(replay))
    assert replayed.exit_code == 1
    assert counterexample in replayed.output


def test_a_part_is_run_by_its_name_with_the_seed_given(folder: Path) -> None:
    claim = "theorem_false.py::theorem_false.forgets_its_start[claim]"
    chosen = run_pytest(folder, claim, "--ssmverify-seed", "5", "-v").stdout
    assert outcomes(chosen, "false") == {"claim": "FAILED"}
    assert "\nreplay: ssmverify check theorem_false.py --seed 5\n" in chosen


def test_the_whole_catalogue_is_collected(folder: Path) -> None:
    listed = run_pytest(folder, "--ssmverify", "--collect-only", "-q", "-k", "closed_form or theorem_right")
    for part in ("claim", "float32", "float64", "mutants"):
        assert f"longhorn.closed_form[{part}]\n" in listed.stdout
        assert f"theorem_right.py::theorem_right.forgets_its_start[{part}]\n" in listed.stdout


def test_what_names_no_theorem_is_a_usage_error(folder: Path) -> None:
    refused = run_pytest(folder, "--ssmverify=longhorn.closed_from")
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert "did you mean longhorn.closed_form?" in refused.stderr


def test_a_file_that_does_not_import_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "theorem_mine.py").write_text("import ssmverify\n1 / 0\n", encoding="utf-8")
    stopped = run_pytest(tmp_path)
    assert stopped.returncode == pytest.ExitCode.INTERRUPTED
    assert "theorem_mine.py does not import: ZeroDivisionError: division by zero" in stopped.stdout
    assert "Traceback" not in stopped.stdout


def test_nothing_heavy_is_imported_where_no_theorem_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "theorem_of_others.py").write_text("raise SystemExit\n", encoding="utf-8")
    (tmp_path / "test_light.py").write_text(
        "import sys\ndef test_light():\n    assert 'ssmverify.pytest_plugin' in sys.modules\n"
        "    assert not {'torch', 'sympy', 'flint', 'numpy', 'ssmverify.rows'} & set(sys.modules)\n",
        encoding="utf-8",
    )
    ran = run_pytest(tmp_path)
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def test_what_is_cited_or_did_not_run_does_not_pass() -> None:
    assert parts(Cited("cited.there", "It is so.", Source("somebody"))) == ["claim"]
    assert unreached("claim", Verdict("cited.there", CITED, "-", "-", "")) == "cited: nothing here checks it"
    missing = Verdict("finite.here", NOT_RUN, "-", "-", "", because="no scipy here")
    assert unreached("claim", missing) == "not run: no scipy here"
    nowhere = LayerResult("layer", "float32", "cuda", 0, 0.0, "", "not run: no GPU here")
    assert unreached("float32", Verdict("theorem.here", "holds", "-", "-", "", layers=[nowhere])) == "not run"


def test_what_broke_off_in_the_midst_does_not_pass() -> None:
    ran = [LayerResult("layer", "float32", "cpu", 9, 0.5, "")]
    mutants = [MutantResult("a sign", "refuted", "claim")]
    stopped = Verdict(
        "mine.row", FAILED, "-", "-", "", layers=ran, mutants=mutants, problems=["it was stopped by OSError"]
    )
    assert part_of(stopped.problems[0], stopped) == "claim"
    assert all(unreached(part, stopped).startswith("not reached") for part in ("float32", "mutants"))
    whole = Verdict("mine.row", HOLDS, "-", "-", "", layers=ran, mutants=mutants)
    assert [unreached(part, whole) for part in ("claim", "float32", "mutants")] == ["", "", ""]
