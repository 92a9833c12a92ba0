"""The command line, as a user meets it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ssmverify.cli import main

MINE = """
from proofs.kernel import Claim, identity
from proofs.terms import Eq, scalar
from ssmverify import Mutant, Theorem
from ssmverify.strategies import points, rationals

x = scalar("x")
goal = Eq((x + 1) * (x - 1), x * x - 1)
theorem = Theorem(
    claim=Claim("mine.difference_of_squares", goal),
    proof=lambda: identity(goal.lhs, goal.rhs),
    instances=lambda: points(x=rationals()),
    mutants=(Mutant("plus one", claim=Claim("wrong", Eq(goal.lhs, x * x + 1))),),
)
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments))

    return invoke


def test_help_needs_neither_torch_nor_sympy() -> None:
    code = (
        "import sys\nfrom ssmverify.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "assert not {'torch', 'sympy', 'flint', 'hypothesis', 'numpy'} & set(sys.modules), 'heavy imports'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_check_one_theorem(run) -> None:  # type: ignore[no-untyped-def]
    result = run("check", "longhorn.diagonal_at_one_state", "--quick", "--json", "evidence.jsonl", "--seed", "5")
    assert result.exit_code == 0, result.output
    assert "1 of 1 theorems as they should be" in result.output
    (line,) = Path("evidence.jsonl").read_text().splitlines()
    evidence = json.loads(line)
    assert (evidence["status"], evidence["seed"], evidence["green"]) == ("holds", 5, True)
    assert evidence["versions"]["torch"]


def test_check_shows_a_refutation(run) -> None:  # type: ignore[no-untyped-def]
    result = run("check", "longhorn.diagonal_is_minimiser", "--quick")
    assert result.exit_code == 0
    assert "refuted as read" in result.output
    assert "β = 1/2" in result.output


def test_check_patterns_and_files(run) -> None:  # type: ignore[no-untyped-def]
    Path("mine.py").write_text(MINE)
    result = run("check", "mine.py", "rounding.g*", "--quick")
    assert result.exit_code == 0, result.output
    assert "mine.difference_of_squares" in result.output
    assert "rounding.gamma" in result.output


def test_a_false_theorem_exits_with_1_and_a_counterexample(run) -> None:  # type: ignore[no-untyped-def]
    Path("mine.py").write_text(MINE.replace("x * x - 1)", "x * x - 2)"))
    result = run("check", "mine.py", "--quick")
    assert result.exit_code == 1
    assert "mine.difference_of_squares FAILS: the claim is false at x = 0" in result.output


def test_running_out_of_time_exits_with_3(run) -> None:  # type: ignore[no-untyped-def]
    result = run("check", "longhorn.diagonal_objective", "--budget", "0.001")
    assert result.exit_code == 3
    assert "raise --budget" in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("check", "longhorn.closed_from"), "did you mean longhorn.closed_form?"),
        (("show", "nothing_like_it"), "no theorem is called nothing_like_it"),
        (("check", "absent.py"), "there is no file absent.py"),
        (("check", "broken.py"), "broken.py does not import: ZeroDivisionError"),
        (("check", "leaves.py"), "leaves.py does not import: SystemExit"),
        (("check", "empty.py"), "empty.py defines no Theorem"),
        (("check", "toothless.py"), "has no mutants"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_2(run, arguments: tuple[str, ...], sentence: str) -> None:  # type: ignore[no-untyped-def]
    Path("broken.py").write_text("1 / 0\n")
    Path("leaves.py").write_text("import sys\n\nsys.exit(0)\n")
    Path("empty.py").write_text("x = 1\n")
    Path("toothless.py").write_text(MINE[: MINE.index("    mutants=")] + "    mutants=(),\n)\n")
    result = run(*arguments)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_traceback_is_shown_on_demand(run) -> None:  # type: ignore[no-untyped-def]
    result = run("--traceback", "check", "absent.py")
    assert result.exit_code == 1
    assert result.exception is not None


def test_list_names_every_theorem(run) -> None:  # type: ignore[no-untyped-def]
    result = run("list")
    assert "longhorn.closed_form" in result.output
    assert "arXiv 2407.14207" in result.output


def test_show_tells_claim_source_derivation_and_evidence(run) -> None:  # type: ignore[no-untyped-def]
    before = run("show", "longhorn.diagonal_at_one_state").output
    assert "none yet" in before
    run("check", "longhorn.diagonal_at_one_state", "--quick")
    after = run("show", "longhorn.diagonal_at_one_state").output
    for part in ("Claim", "0 ≤ β", "Source", "What is so", "Derivation", "[squares", "Mutants", "mutant refuted"):
        assert part in after


def test_evidence_is_stale_when_a_source_has_changed(run) -> None:  # type: ignore[no-untyped-def]
    run("check", "longhorn.diagonal_at_one_state", "--quick")
    store = Path(".ssmverify/evidence.jsonl")
    assert "STALE" not in run("show", "longhorn.diagonal_at_one_state").output
    store.write_text(store.read_text().replace('"sources": "', '"sources": "0'))
    assert "STALE" in run("show", "longhorn.diagonal_at_one_state").output


def test_doctor_reports_versions_and_backends(run) -> None:  # type: ignore[no-untyped-def]
    output = run("doctor").output
    for word in ("python", "torch", "GPU", "Rocq", "scan"):
        assert word in output


def test_doctor_finds_a_foreign_proofs_package(tmp_path: Path) -> None:
    (tmp_path / "proofs").mkdir()
    (tmp_path / "proofs" / "__init__.py").write_text("")
    code = "from ssmverify.doctor import foreign_packages; print(foreign_packages())"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "package 'proofs'" in done.stdout
    assert "remove the other one" in done.stdout
    command = [sys.executable, "-m", "ssmverify", "list"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "remove the other one" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_rows_checked_at_once_are_the_rows_checked_one_by_one(run) -> None:  # type: ignore[no-untyped-def]
    Path("mine.py").write_text(MINE + MINE.replace("theorem =", "second =").replace("mine.", "other."))
    one, two = (run("check", "mine.py", "--seed", "5", "--jobs", jobs) for jobs in ("1", "2"))
    assert (one.exit_code, two.exit_code) == (0, 0), two.output
    lines = [[line.split()[:2] for line in result.output.splitlines() if "holds" in line] for result in (one, two)]
    assert sorted(lines[0]) == sorted(lines[1])
    assert "2 of 2 theorems as they should be" in two.output


KILLED = """
import os
from ssmverify import Broken, Finite

broken = (Broken("wrong", lambda case: "wrong"),)
killed = Finite("mine.killed", "", lambda case: os._exit(9), broken, cases=lambda: [7], number=1)
right = Finite("mine.right", "", lambda case: "", broken, cases=lambda: [1], number=1)
"""


def test_a_row_whose_process_is_killed_fails(run) -> None:  # type: ignore[no-untyped-def]
    Path("mine.py").write_text(KILLED)
    result = run("check", "mine.py", "--jobs", "2")
    assert result.exit_code == 1
    assert "mine.killed FAILS: its process" in " ".join(result.output.split())
    assert "Traceback" not in result.output


WAITING = """
import os, time
from pathlib import Path
from ssmverify import Broken, Finite


def wait(case):
    Path(f"{os.getpid()}.pid").touch()
    time.sleep(600)
    return ""


broken = (Broken("wrong", lambda case: "wrong"),)
first, second = (Finite(f"mine.{name}", "", wait, broken, cases=lambda: [1], number=1) for name in ("first", "second"))
"""


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(WAITING)
    command = [sys.executable, "-m", "ssmverify", "check", "mine.py", "--jobs", "2"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as check:
        workers = _until(lambda: list(tmp_path.glob("*.pid")) if len(list(tmp_path.glob("*.pid"))) == 2 else [])
        check.kill()
    assert _until(lambda: not any(_runs(int(worker.stem)) for worker in workers))


def _until(condition: Callable[[], Any]) -> Any:
    """What the condition gives once it holds; what it gives after a minute otherwise."""
    end = time.monotonic() + 60
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_failed_checks_what_failed_last_and_nothing_else(run) -> None:  # type: ignore[no-untyped-def]
    Path("mine.py").write_text(MINE)
    right = Path("mine.py").read_text()
    Path("other.py").write_text(MINE.replace("mine.", "other."))
    Path("mine.py").write_text(right.replace("x * x - 1)", "x * x - 2)"))
    assert run("check", "mine.py", "longhorn.diagonal_at_one_state", "--quick").exit_code == 1
    again = run("check", "mine.py", "other.py", "longhorn.diagonal_at_one_state", "--failed", "--quick")
    assert again.exit_code == 1
    assert (
        "1 of 3 theorems were not as they should be when last checked; 1 never checked here: left out." in again.output
    )
    assert "0 of 1 theorems as they should be" in again.output
    Path("mine.py").write_text(right)
    assert "1 of 1 theorems as they should be" in run("check", "mine.py", "--failed", "--quick").output
    mended = run("check", "mine.py", "--failed", "--quick")
    assert mended.exit_code == 0
    assert "0 of 1 theorems were not as they should be when last checked.\n" in mended.output


def test_failed_without_evidence_is_an_error(run) -> None:  # type: ignore[no-untyped-def]
    Path("mine.py").write_text(MINE)
    result = run("check", "mine.py", "--failed")
    assert result.exit_code == 2
    assert "has no evidence of these theorems" in result.output
