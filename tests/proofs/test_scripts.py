"""Proof files run by themselves: `python -m proofs.longhorn.update`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import proofs
from proofs import recurrence
from proofs.derivation import derivations
from proofs.longhorn import update as longhorn

ROOT = Path(next(iter(proofs.__path__))).parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT, env=utf8(), check=False)


def utf8() -> dict[str, str]:
    return {**os.environ, "PYTHONIOENCODING": "utf-8"}


@pytest.mark.parametrize("paper", [longhorn, recurrence])
def test_a_proof_file_prints_every_derivation_and_ends_in_what_was_proved(paper: ModuleType) -> None:
    done = run(paper.__name__)
    assert (done.returncode, done.stderr) == (0, "")
    for derivation in derivations(paper):
        assert f"\n{derivation.claim.name}\n" in done.stdout
    endings = done.stdout.count("\nProved") + done.stdout.count("\nRefuted as read, at ")
    assert endings == len(derivations(paper))


def test_sizes_are_put_in() -> None:
    done = run("proofs.longhorn.update", "longhorn.closed_form", "--d", "3", "--n", "2")
    assert done.returncode == 0
    assert "For d = 3, n = 2:" in done.stdout.splitlines()[-2]
    assert "∑[i=1..3]" in done.stdout.splitlines()[-1]


def test_latex_is_printed() -> None:
    done = run("proofs.longhorn.update", "longhorn.closed_form", "--latex")
    assert done.returncode == 0
    assert r"\frac{\beta_{i}}{1 + \beta_{i} k^{\top} k}" in done.stdout
    assert r"\operatorname*{arg\,min}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["longhorn.closed_from"], "longhorn.closed_from"),
        (["--d", "-1"], "-1"),
        (["--d", "1.5"], "1.5"),
        (["--latx"], "--latx"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_status_2(arguments: list[str], culprit: str) -> None:
    done = run("proofs.longhorn.update", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert culprit in done.stderr


def test_a_reader_that_leaves_causes_no_traceback() -> None:
    command = [sys.executable, "-m", "proofs.longhorn.update"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=ROOT, env=utf8()
    ) as script:
        assert script.stdout is not None
        assert script.stderr is not None
        script.stdout.close()  # before the first line, so that writing must fail
        assert script.stderr.read() == ""
        assert script.wait() == 1
