"""No verdict is lost: whatever a row, a file, the disk or the terminal does, the others are checked and reported."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ssmverify.cli import main

HEAD = """
import ctypes, os, sys, time
from ssmverify import Broken, Finite

def row(name, decide, cases=(7,)):
    broken = (Broken("wrong", lambda case: "wrong"),)
    return Finite(f"mine.{name}", "", decide, broken, cases=lambda: cases, number=len(cases))

def loop(case):
    while True:
        pass

def fail(error):
    raise error

def segfault(case):
    if case == 13:
        ctypes.string_at(0)
    return ""

right = row("right", lambda case: "")
"""
SECONDS = 60  # that a command may take here at most, on a busy machine


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def mine(text: str, name: str = "mine.py") -> None:
    Path(name).write_text(HEAD + text)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def command(*arguments: str, shell: str = "", **options: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with what a shell puts behind it."""
    line = f"{sys.executable} -m ssmverify {' '.join(arguments)} {shell}"
    environment = {**os.environ, **options}
    return subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        env=environment,
        check=False,
    )


def one_line_of(result: Result, start: str) -> str:
    """The line that starts so, with those that it was wrapped into."""
    text = " ".join(result.output.split())
    assert start in text, result.output
    return text[text.index(start) :]


# --------------------------------------------------------------------------------------------------- what a row does
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(
    "error", ["SystemExit(0)", "KeyboardInterrupt()", "BaseException('outside')", "GeneratorExit()", "MemoryError()"]
)
def test_an_exception_of_any_kind_is_its_rows_problem(error: str, jobs: str) -> None:
    mine(f"leaves = row('leaves', lambda case: fail({error}))\n")
    result = check("mine.py", "--jobs", jobs)
    assert result.exit_code == 1
    assert "ok   mine.right: holds" in result.output
    assert error.partition("(")[0] in one_line_of(result, "mine.leaves FAILS:")
    assert "1 of 2 theorems" in result.output


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(
    ("death", "said"),
    [
        ("segfault", "died of SIGSEGV, at 13"),
        ("lambda case: os._exit(0) if case == 13 else ''", "ended itself, with exit status 0, at 13"),
        ("lambda case: os.kill(os.getpid(), 9) if case == 13 else ''", "SIGKILL, perhaps for want of memory"),
        ("lambda case: os.abort() if case == 13 else ''", "died of SIGABRT, at 13"),
    ],
)
def test_a_process_that_dies_costs_its_own_row_and_names_the_case(death: str, said: str, jobs: str) -> None:
    mine(f"dies = row('dies', {death}, (11, 12, 13, 14))\nlast = row('last', lambda case: '')\n")
    result = check("mine.py", "--jobs", jobs)
    assert result.exit_code == 1
    assert said in one_line_of(result, "mine.dies FAILS: its process")
    assert "2 of 3 theorems" in result.output


def test_a_row_that_loops_is_ended_by_its_limit() -> None:
    mine("loops = row('loops', loop)\nlast = row('last', lambda case: '')\n")
    started = time.monotonic()
    result = check("mine.py", "--limit", "1", "--jobs", "1")
    assert result.exit_code == 3
    assert time.monotonic() - started < SECONDS / 2
    assert "mine.loops is undecided: the time given ran out" in result.output
    assert "2 of 3 theorems" in result.output
    assert not re.search(r"(FAIL|TIME) mine.loops: holds", result.output)


IN_C = "regex = row('regex', lambda case: str(__import__('re').match(r'(a+)+$', 'a' * 60 + 'b')) * 0)\n"
IN_SYMPY = """
from sympy import symbols, factor, expand
x, y, z = symbols("x y z")
slow = row("slow", lambda case: str(factor(expand((x + y + z + 1) ** 60 * (x - y) ** 40))) * 0)
"""


@pytest.mark.parametrize("loop", ["loops = row('loops', loop)\n", IN_C, IN_SYMPY])
def test_the_budget_holds_within_a_step(loop: str) -> None:
    mine(loop)
    started = time.monotonic()
    result = check("mine.py", "--budget", "12", "--jobs", "1")
    assert 10 < time.monotonic() - started < 18
    assert result.exit_code == 3
    assert "raise --budget" in result.output
    assert "1 of 2 theorems" in result.output


def test_what_a_row_prints_is_no_line_of_the_report() -> None:
    mine("prints = row('prints', lambda case: print('ok   mine.false: holds') or '')\n")
    result = command("check", "mine.py", shell="2> /dev/null")
    assert result.returncode == 0
    assert "mine.false" not in result.stdout


def test_a_message_cannot_forge_a_line_of_the_report() -> None:
    mine("forges = row('forges', lambda case: fail(ValueError('x\\nok   mine.false: holds\\n\\x1b[2J[green]f[/]')))\n")
    result = check("mine.py")
    assert result.exit_code == 1
    assert not [line for line in result.output.splitlines() if line.startswith("ok   mine.false")]
    assert "\x1b" not in result.output


def test_what_a_row_starts_ends_with_it(tmp_path: Path) -> None:
    mine("""
import subprocess

def starts(case):
    child = subprocess.Popen(["sleep", "600"])
    open("child", "w").write(str(child.pid))
    loop(case)

starts = row("starts", starts)
""")
    assert check("mine.py", "--limit", "2").exit_code == 3
    child = int(Path("child").read_text())
    end = time.monotonic() + 10
    while time.monotonic() < end and Path(f"/proc/{child}/cmdline").exists():
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_verdict_records_the_sources_of_a_row_that_died() -> None:
    mine("dies = row('dies', lambda case: os._exit(1))\n")
    check("mine.py")
    lines = map(json.loads, Path(".ssmverify/evidence.jsonl").read_text().splitlines())
    (died,) = [line for line in lines if line["theorem"] == "mine.dies"]
    assert (died["status"], died["green"]) == ("failed", False)
    assert "exit status 1, at 7" in died["problems"][0]
    assert died["sources"]


# ------------------------------------------------------------------------------------------------ what a file does
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sys.exit(0)\n", "mine.py does not import: SystemExit"),
        ("ctypes.string_at(0)\n", "died of SIGSEGV, while mine.py was imported"),
        ("os._exit(0)\n", "ended itself, with exit status 0, while mine.py was imported"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("raise ValueError('a\\nb')\n", "does not import: ValueError: a b"),
    ],
)
def test_a_file_that_does_not_import_is_a_sentence(text: str, said: str) -> None:
    mine(text)
    result = check("mine.py")
    assert result.exit_code == 2
    assert said in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_the_budget_holds_at_import() -> None:
    mine("loop(0)\n")
    result = check("mine.py", "--budget", "8")
    assert result.exit_code == 3
    assert "the time given ran out while mine.py was imported; raise --budget" in result.output


SECOND = "second = row('second', lambda case: '')\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{SECOND}theorems = (second,)\n",
        "theorems = (row('second', lambda case: ''),)\n",
        "mine = [[row('second', lambda case: '')]]\n",
        "mine = {'second': row('second', lambda case: '')}\n",
        f"{SECOND}again = [second, second]\n",
    ],
)
def test_rows_are_found_alone_and_in_sequences_each_once(text: str) -> None:
    mine(text)
    result = check("mine.py", "mine.py")
    assert result.exit_code == 0
    assert "2 of 2 theorems" in result.output


def test_a_false_row_in_a_sequence_fails() -> None:
    mine("theorems = (row('false', lambda case: 'wrong'),)\n")
    result = check("mine.py")
    assert result.exit_code == 1
    assert "mine.false FAILS: the statement is false: wrong" in result.output


@pytest.mark.parametrize("what", ["list", "show"])
@pytest.mark.parametrize("text", ["sys.exit(0)", "ctypes.string_at(0)"])
def test_a_file_cannot_end_what_lists_or_shows_it(what: str, text: str) -> None:
    mine(f"{text}\n")
    result = CliRunner().invoke(main, [what, "mine.py"])
    assert result.exit_code == 2
    assert len(result.output.strip().splitlines()) == 1


def test_two_rows_of_one_name_are_an_error_that_names_both_places() -> None:
    mine("theorems = (row('right', lambda case: 'wrong'),)\n")
    result = check("mine.py")
    assert result.exit_code == 2
    assert "two different rows are called mine.right: mine.py: right and mine.py: theorems[0]" in result.output
    mine("")
    mine("", "other.py")
    both = check("mine.py", "other.py")
    assert both.exit_code == 2
    assert "mine.py: right and other.py: right" in both.output


# ------------------------------------------------------------------------------------- the disk, and the terminal
def test_a_folder_that_cannot_be_written_costs_no_verdict() -> None:
    mine("")
    Path(".ssmverify").write_text("no folder")
    result = check("mine.py")
    assert result.exit_code == 0, "the store of a folder is a convenience"
    assert "ok   mine.right: holds" in result.output
    assert "WARNING: .ssmverify/evidence.jsonl could not be written: " in result.output


def test_evidence_that_was_asked_for_and_not_written_is_exit_status_2() -> None:
    mine("")
    result = check("mine.py", "--json", "/dev/full")
    assert result.exit_code == 2
    assert "1 of 1 theorems" in result.output
    assert "WARNING: /dev/full could not be written: No space left on device." in result.output
    mine("wrong = row('wrong', lambda case: 'wrong')\n")
    assert check("mine.py", "--json", "/dev/full").exit_code == 1, "what fell comes first"


@pytest.mark.parametrize(
    ("shell", "status"),
    [(">&-", 0), (">&- 2>&-", 0), ("<&- >&- 2>&-", 0), ("| head -1; exit ${PIPESTATUS[0]}", 0), ("> /dev/full", 2)],
)
def test_an_output_that_is_closed_or_full_ends_nothing(shell: str, status: int) -> None:
    mine("")
    result = command("check", "mine.py", shell=shell)
    assert result.returncode == status
    assert "Traceback" not in result.stderr
    assert json.loads(Path(".ssmverify/evidence.jsonl").read_text())["status"] == "holds"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_our_letters_gets_others(encoding: str) -> None:
    mine("wrong = row('wrong', lambda case: 'α = ½')\n")
    result = command("check", "mine.py", PYTHONIOENCODING=encoding, PYTHONUTF8="0", LANG="C", LC_ALL="C")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "mine.wrong FAILS" in result.stdout


def test_an_interrupt_reports_the_rows_so_far_within_a_second() -> None:
    mine("loops = row('loops', loop)\n")
    line = [sys.executable, "-m", "ssmverify", "check", "mine.py", "--jobs", "1"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert "mine.right" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        out, error = process.communicate(timeout=SECONDS)
    assert time.monotonic() - started < 1
    assert process.returncode == 3
    assert "mine.right" in out
    assert "1 of 2 theorems were not reached" in out
    assert "Traceback" not in error


def test_an_interrupt_at_import_is_a_sentence() -> None:
    mine("Path = __import__('pathlib').Path\nPath('begun').touch()\nloop(0)\n")
    line = [sys.executable, "-m", "ssmverify", "check", "mine.py"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + SECONDS
        while not Path("begun").exists() and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=SECONDS)
    assert (process.returncode, error.strip()) == (3, "ssmverify: interrupted.")


@pytest.mark.parametrize("option", ["--budget", "--limit"])
@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "soon"])
def test_seconds_are_a_finite_number_above_0(option: str, seconds: str) -> None:
    result = check("mine.py", option, seconds)
    assert result.exit_code == 2
    assert f"{seconds} is no number of seconds above 0" in result.output


def test_a_table_says_how_each_row_stands() -> None:
    mine("loops = row('loops', loop)\nwrong = row('wrong', lambda case: 'wrong')\n")
    result = check("mine.py", "--limit", "1", "--jobs", "2")
    for words in ("TIME mine.loops: not proved", "FAIL mine.wrong: failed", "failed (FAILS)", "not proved (undecided)"):
        assert words in result.output
