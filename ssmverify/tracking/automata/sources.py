"""Automata from what a user has: a name, a file, a regular expression, GAP's transformations, a Python object.

What has accepting states stands for its language, anything else for its states alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ssmverify.errors import BadInput
from ssmverify.tracking.automata import formats, named
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.expressions import SIGNS, from_expression
from ssmverify.tracking.automata.formats import gap
from ssmverify.tracking.automata.formats.objects import from_transitions


def load(target: str, letters: str | None = None) -> Automaton:
    """The automaton that a command-line argument means.

    letters: the alphabet of a regular expression, where that is more than the letters that it names.
    """
    path = Path(target)
    if formats.known(path):
        return formats.read(path)
    if named.is_name(target):
        return named.automaton(target)
    if target.endswith(".py") or path.is_file():
        known = ", ".join(formats.FORMATS)
        raise BadInput(f"{target} is a file: name a layer in it, FILE.py:LAYER, or give a file that ends in {known}")
    if gap.is_text(target):
        return gap.from_text(target, target)
    if any(character in SIGNS for character in target):
        return from_expression(target, letters)
    raise BadInput(f"{named.unknown(target)}; a regular expression of letters alone goes in brackets: ({target})")


def expanded(targets: list[str], standard_input: Iterator[str]) -> Iterator[str]:
    """The targets, with the automata of a folder, sorted, for the folder, and the lines of the input for `-`.

    Raises BadInput for a folder without any.
    """
    for target in targets:
        if target == "-":
            yield from (line.strip() for line in standard_input if line.strip())
        elif (folder := Path(target)).is_dir():
            found = sorted(path for path in folder.rglob("*") if path.is_file() and formats.known(path))
            if not found:
                raise BadInput(f"the folder {target} holds no file that ends in {', '.join(formats.FORMATS)}")
            yield from map(str, found)
        else:
            yield target


def from_object(machine: Any, name: str = "automaton") -> Automaton:
    """The automaton of an object with automata-lib's attributes, such as its DFA and NFA.

    Raises BadInput for one that lacks them.
    """
    fields = ("states", "input_symbols", "transitions", "initial_state", "final_states")
    if missing := [field for field in fields if not hasattr(machine, field)]:
        raise BadInput(f"{name}: {type(machine).__name__} is no DFA or NFA: it has no {missing[0]}")
    return from_transitions({field: getattr(machine, field) for field in fields}, name)
