"""S5 as a Python program that swaps variables; the real interpreter, in a process of its own, says how it ends."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ssmverify.errors import BadInput
from ssmverify.tracking.reductions import PLACES, Swap

NAMES = ("a", "b", "c", "d", "e")


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

    It runs isolated and without an environment, and only a program that assigns to the five variables and prints them,
    as it was parsed, so nothing that runs can reach a file or a network. Raises BadInput for any other program.
    """
    try:
        statements = ast.parse(program).body
    except (SyntaxError, ValueError) as error:
        raise BadInput(f"this is no program in Python: {error}") from error
    for statement in statements:
        if not _harmless(statement):
            raise BadInput(f"only assignments and print are run, not {ast.unparse(statement)!r}")
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-"],
        input="\n".join(map(ast.unparse, statements)),  # a comment could name another encoding
        capture_output=True,
        cwd=Path(sys.executable).anchor,
        encoding="ascii",
        env={},
        timeout=60,
    )
    held = [[int(thing) for thing in line.split()] for line in ran.stdout.splitlines()]
    if ran.returncode or any(sorted(line) != list(range(PLACES)) for line in held):
        reason = (ran.stderr.splitlines() or [f"it prints {held}"])[-1]
        raise BadInput(f"the program does not swap five variables that hold 0 to {PLACES - 1}: {reason}")
    return [tuple(line.index(thing) for thing in range(PLACES)) for line in held]


def _harmless(statement: ast.stmt) -> bool:
    """Whether it assigns variables or numbers to variables, or prints variables; `print` itself cannot be replaced."""
    match statement:
        case ast.Assign([ast.Tuple(variables)], ast.Tuple(values)):
            return all(map(_variable, variables)) and all(_variable(v) or _number(v) for v in values)
        case ast.Expr(ast.Call(ast.Name("print"), variables, [])):
            return all(map(_variable, variables))
    return False


def _variable(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in NAMES


def _number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int
