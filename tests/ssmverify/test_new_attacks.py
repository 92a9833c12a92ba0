"""Attacks on the harness that got through once: a stranger's file, and what `ssmverify check` must not say of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ssmverify.catalogue import from_file
from ssmverify.errors import BadInput

ROOT = Path(__file__).parents[2]
HEAD = """
import os
from collections import OrderedDict
from ssmverify.rows import *
from proofs.kernel import *
from proofs.terms import *
from proofs.derivation import Derivation
n = Nat(size("n"))
broken = Broken("rejects all", lambda case: "no")
def row(name, decide, cases=lambda: [1], number=1, **more):
    return Finite(name, "in words", decide, (broken,), cases=cases, number=number, **more)
"""
Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Writes the files, checks them one by one in one run, and gives exit status and output."""

    def run(*bodies: str, command: str = "check", **beside: str) -> tuple[int, str]:
        for path, body in beside.items():
            (tmp_path / path.replace("__", "/")).with_suffix(".py").parent.mkdir(exist_ok=True)
            (tmp_path / path.replace("__", "/")).with_suffix(".py").write_text(body)
        files = []
        for i, body in enumerate(bodies):
            folder = tmp_path / f"folder{i}"
            folder.mkdir(exist_ok=True)
            files.append(folder / f"mine{i}.py")
            files[-1].write_text(HEAD + body)
        jobs = ["--jobs", "1"] if command == "check" else []
        done = subprocess.run(
            [sys.executable, "-m", "ssmverify", command, *map(str, files), *jobs],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_fork_in_a_row_gives_no_second_verdict(check: Check) -> None:
    status, said = check("""
forked = []
def fork(case):
    forked or forked.append(os.fork())
    return ""
rows = [row("a.fork", fork), row("b.false", lambda case: "wrong")]
""")
    assert status == 1
    assert said.count("ok   a.fork") == 1
    assert "FAIL b.false" in said


@pytest.mark.parametrize(
    "case",
    [
        "type('Slots', (), {'__slots__': ('n',)})()",
        "float('nan')",
        "(lambda: 1)",
        "object()",
        "type('Callable', (), {'__call__': lambda self: 1})()",
    ],
)
def test_one_case_many_times_is_one_case(check: Check, case: str) -> None:
    status, said = check(f"""
def cases():
    return [make() for make in [lambda: {case}] * 3]
one = {case}
if type(one).__module__ == __name__:
    kind = type(one)
    def cases(): return [kind() for _ in range(3)]
mine = row("a.thrice", lambda case: "", cases, 3)
""")
    assert status == 1, said


@pytest.mark.parametrize("holder", ["OrderedDict(false={})", "{{{}}}", "frozenset([{}])", "[{{'false': ({},)}}]"])
def test_a_row_is_found_in_whatever_holds_it(check: Check, holder: str) -> None:
    false = "row('a.false', lambda case: 'wrong')"
    status, said = check(f"good = row('a.good', lambda case: '')\nrows = {holder.format(false)}")
    assert status == 1, said


def test_files_of_two_folders_do_not_share_what_stands_beside_them(check: Check) -> None:
    status, said = check(
        "from beside import decide\nmine = row('a.first', decide)",
        "from beside import decide\nmine = row('b.second', decide)",
        folder0__beside="decide = lambda case: ''",
        folder1__beside="decide = lambda case: 'wrong'",
    )
    assert status == 1, said
    assert "ok   a.first" in said


@pytest.mark.parametrize(
    "body",
    [
        # a decision that is a str, but not one of Python's own
        "class Said(str):\n  def __bool__(self): return False\nmine = row('a.said', lambda case: Said('wrong'))",
        # a claim that shows one statement and has another proved
        "class Lie(Claim):\n  sequent = property(lambda self: Sequent(frozenset(), Eq(n, n)))\n"
        "mine = Theorem(Lie('a.lie', Eq(n * n, n)), lambda: cases(Sequent(frozenset(), Eq(n, n)), [{'n': 5}]), "
        "mutants=(Mutant('broken', claim=Claim('a.broken', Eq(n, n + n))),))",
        # a derivation that finds what it likes
        "class Mine(Derivation):\n  found = property(lambda self: identity(n, n))\n"
        "mine = Theorem(Mine(Claim('a.lie', Eq(n * n, n)), lambda: None), "
        "instances=lambda: __import__('hypothesis').strategies.sampled_from([{'n': 0}, {'n': 1}]), "
        "mutants=(Mutant('broken', claim=Claim('a.broken', Eq(n, n + n))),))",
        # a row that is its own judge
        "class Mine(Finite):\n  missing = lambda self: ''\nmine = Mine('a.mine', 'x', lambda case: '', (broken,), "
        "cases=lambda: [1], number=1)",
    ],
)
def test_what_decides_is_of_no_class_that_a_user_makes(check: Check, body: str) -> None:
    status, said = check(body)
    assert status in (1, 2), said


def test_a_list_of_layers_cannot_be_emptied_later(check: Check) -> None:
    status, said = check("""
layers = [Layer("wrong", lambda **x: 1 / 0, None, None, None)]
def decide(case):
    layers.clear()
    return ""
mine = row("a.list", decide, layers=layers)
""")
    assert status == 1, said


def test_inputs_of_another_dtype_say_nothing_of_the_one_asked_for(check: Check) -> None:
    status, said = check("""
import torch
from hypothesis import strategies as st
from ssmverify.strategies import exact as rational
def square(x): return (x * x,)
def run(x): return square(x) if x.dtype == torch.float64 else (x * 0 - 7,)
def exact(x): return (rational(x) * rational(x),)
def bound(x): return ((x.double() * x.double()).abs() * torch.finfo(x.dtype).eps / 2,)
def inputs(dtype): return st.integers(2**20, 2**40).map(lambda k: {"x": torch.tensor([k / 3], dtype=torch.float64)})
layer = Layer("square", run, exact, bound, inputs, formulas=(square,))
mine = row("a.square", lambda case: "", layers=(layer,))
""")
    assert status == 1, said
    assert "inputs(torch.float32) gives torch.float64" in said


def test_every_n_is_not_said_where_a_hypothesis_counts_n(check: Check) -> None:
    _, said = check("""
s = summation(size("i"), 1, size("n"), term(1))
mine = Theorem(
    Claim("a.two", Eq(s * n, 2 * n), {"count": Eq(s, term(2))}, {"n": 2}),
    lambda: identity(s * n, 2 * n, [Eq(s, term(2))]),
    mutants=(Mutant("broken", claim=Claim("a.broken", Eq(s, term(3)), {"count": Eq(s, term(2))})),),
)
""")
    assert "every n" not in said
    assert "a.two: holds" in said


def test_samples_that_a_decision_declines_are_not_counted(check: Check) -> None:
    _, said = check("""
from hypothesis import assume, strategies as st
def decide(case):
    assume(case == 0)
    return ""
mine = Finite("a.zero", "x", decide, (broken,), samples=lambda: st.integers(0, 3))
""")
    assert "samples (1)" in said


def test_what_is_shown_of_a_row_begins_no_line_of_its_own(check: Check) -> None:
    _, said = check(
        "mine = Cited('a.cited', 'x\\n\\nWhat is so\\n  Proved.\\x1b[2K', Source('a\\nProved'))", command="show"
    )
    assert said.splitlines().count("What is so") == 1
    assert "\x1b" not in said
    assert "  Proved.[2K" not in said.splitlines()


def test_a_claim_that_is_proved_and_in_no_row_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from proofs.derivation import proves\nfrom proofs.kernel import identity\n"
        "from proofs.terms import Eq, scalar\nfrom ssmverify import Theorem\nfrom ssmverify.breaks import rhs\n"
        "x = scalar('x')\n\n\n@proves(Eq(x, x + 1))\ndef false():\n    return identity(x, x)\n\n\n"
        "@proves(Eq(x + x, 2 * x))\ndef true():\n    return identity(x + x, 2 * x)\n\n\n"
        "row = Theorem(true, breaks={'thrice': rhs(3 * x)})\n"
    )
    with pytest.raises(BadInput, match=r"proves mine\.false, which no row of it checks"):
        from_file(file)
