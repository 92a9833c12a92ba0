"""S5 as a Python program that swaps variables; the real interpreter, in a process of its own, says how it ends."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ssmverify.theorem import BadInput
from ssmverify.tracking.reductions import PLACES, Swap

NAMES = ("a", "b", "c", "d", "e")
HARMLESS = (ast.Module, ast.Assign, ast.Tuple, ast.Name, ast.Load, ast.Store, ast.Constant, ast.Expr, ast.Call)


def render(words: Iterable[Sequence[Swap]]) -> str:
    """A program that starts anew for each word and prints a line for it: which thing each variable holds."""
    everything = ", ".join(NAMES)
    lines = []
    for swaps in words:
        lines.append(f"{everything} = {', '.join(map(str, range(PLACES)))}")
        lines += [f"{NAMES[x]}, {NAMES[y]} = {NAMES[y]}, {NAMES[x]}" for x, y in swaps]
        lines.append(f"print({everything})")
    return "\n".join(lines) + "\n"


def read(program: str) -> list[tuple[int, ...]]:
    """The permutations that the interpreter finds, one a line.

    It runs isolated and without an environment, and only a program of assignments and prints, so nothing that runs can
    reach a file or a network. Raises BadInput for any other program.
    """
    tree = ast.parse(program)
    for node in ast.walk(tree):
        calls_print = not isinstance(node, ast.Call) or (isinstance(node.func, ast.Name) and node.func.id == "print")
        if not isinstance(node, HARMLESS) or not calls_print:
            raise BadInput(f"only assignments and print are run, not {ast.unparse(node)!r}")
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-"],
        input=program,
        capture_output=True,
        check=True,
        cwd=Path(sys.executable).anchor,
        encoding="ascii",
        env={},
        timeout=60,
    )
    held = [[int(thing) for thing in line.split()] for line in ran.stdout.splitlines()]
    return [tuple(line.index(thing) for thing in range(PLACES)) for line in held]
