"""Automata from what a user has: a name, a JSON file, a regular expression, or an object of automata-lib.

A JSON file holds one object, with an optional "name" and one of

    {"permutations": [[1, 0, 2], [1, 2, 0]], "letters": ["a", "b"]}                images of the points 0, 1, ...
    {"table": [[0, 1], [1, 0]], "names": ["e", "g"]}                               a Cayley table, table[a][b] = a·b
    {"delta": [[1, 0], [0, 0]], "letters": ["a", "b"], "start": 0, "accept": [1]}  delta[letter][state]
    {"transitions": {"p": {"a": "q"}, "q": {"a": "p"}}, "initial_state": "p", "final_states": ["q"]}

where "letters", "names", "start", "accept" and "final_states" may be left out. The last form has automata-lib's field
names; a transition that is not there leads to a state of no return. What has accepting states stands for its language,
anything else for its states alone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable, Iterable, Mapping
from operator import index
from pathlib import Path
from typing import Any

from ssmverify.errors import BadInput
from ssmverify.tracking.automata import named
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.group import check_permutations, cycles, from_table

RESERVED = "()|*+?.[]{}&^"  # what makes a target a regular expression


def load(target: str) -> Automaton:
    """The automaton that a command-line argument means."""
    if target.endswith(".json"):
        return read(Path(target))
    if target.endswith(".py") or Path(target).is_file():
        raise BadInput(f"{target} is a file: name a layer in it, FILE.py:LAYER, or give a file that ends in .json")
    if any(character in RESERVED for character in target):
        return from_regex(target)
    try:
        return named.automaton(target)
    except BadInput as error:
        raise BadInput(f"{error}; a regular expression of letters alone goes in brackets: ({target})") from None


def read(path: Path) -> Automaton:
    """The automaton in a JSON file."""
    if not path.is_file():
        raise BadInput(f"there is no file {path}; give a path that exists")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is no JSON: {error}") from None
    return from_json(data, path.stem)


def from_json(data: Any, name: str = "automaton") -> Automaton:
    """The automaton that the decoded JSON describes."""
    if not isinstance(data, dict):
        raise BadInput(f'{name}: the JSON must be one object, such as {{"permutations": [[1, 0]]}}')
    name = str(data.get("name", name))
    forms = {"permutations": _permutations, "table": _table, "delta": _delta, "transitions": _transitions}
    present = [form for form in forms if form in data]
    if len(present) != 1:
        raise BadInput(
            f"{name}: the JSON needs exactly one of the fields {', '.join(forms)}; it has {present or 'none'}"
        )
    try:
        return forms[present[0]](data, name)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise BadInput(
            f"{name}: the field {present[0]} is not as it should be ({type(error).__name__}: {error}); "
            "`python -c 'help(\"ssmverify.tracking.automata.sources\")'` shows the forms"
        ) from None


def _permutations(data: Mapping[str, Any], name: str) -> Automaton:
    rows = [_integers(row) for row in data["permutations"]]
    check_permutations(rows, name)
    return Automaton(tuple(map(str, data.get("letters") or map(cycles, rows))), tuple(rows), name=name)


def _table(data: Mapping[str, Any], name: str) -> Automaton:
    names = data.get("names")
    return from_table(data["table"], name, names and list(map(str, names))).cayley()


def _delta(data: Mapping[str, Any], name: str) -> Automaton:
    rows = tuple(map(_integers, data["delta"]))
    letters = tuple(map(str, data.get("letters") or (f"a{i}" for i in range(len(rows)))))
    accept = frozenset(_integers(data["accept"])) if "accept" in data else None
    return Automaton(letters, rows, index(data.get("start", 0)), accept, name)


def _integers(row: Iterable[Any]) -> tuple[int, ...]:
    return tuple(map(index, row))


def _transitions(data: Mapping[str, Any], name: str) -> Automaton:
    accept = frozenset(data["final_states"]) if "final_states" in data else None
    return _from_transitions(data["transitions"], data["initial_state"], accept, name)


def _from_transitions(
    transitions: Mapping[Any, Mapping[str, Any]], initial: Hashable, accept: frozenset[Any] | None, name: str
) -> Automaton:
    """Numbers the states, the initial one 0, then as they are listed; absent transitions lead to one more state."""
    letters = sorted({letter for row in transitions.values() for letter in row})
    states = list(dict.fromkeys([initial, *transitions, *(accept or ())]))
    number = {state: i for i, state in enumerate(states)}
    for state, row in transitions.items():
        for letter, target in row.items():
            if target not in number:
                raise BadInput(f"{name}: from {state!r} the letter {letter!r} leads to {target!r}, which is no state")
    sink = len(states)
    rows = [[number.get(transitions.get(s, {}).get(letter), sink) for s in states] for letter in letters]
    if any(sink in row for row in rows):
        rows = [[*row, sink] for row in rows]
    marked = None if accept is None else frozenset(number[s] for s in accept)
    return Automaton(tuple(letters), tuple(map(tuple, rows)), 0, marked, name)


def from_automata_lib(machine: Any, name: str = "automaton") -> Automaton:
    """The automaton of automata-lib's DFA, NFA or GNFA; its letters in sorted order."""
    from automata.fa.dfa import DFA
    from automata.fa.gnfa import GNFA
    from automata.fa.nfa import NFA

    if isinstance(machine, GNFA):
        machine = NFA.from_regex(machine.to_regex())
    if isinstance(machine, NFA):
        machine = DFA.from_nfa(machine)
    if not isinstance(machine, DFA):
        raise BadInput(f"{name}: {type(machine).__name__} is no DFA, NFA or GNFA of automata-lib")
    return _from_transitions(machine.transitions, machine.initial_state, frozenset(machine.final_states), name)


MOST_REPEATS = 2000  # of parts of a regular expression, which are all written out


def from_regex(expression: str) -> Automaton:
    """The minimal automaton of a regular expression in automata-lib's syntax: ( ) | * + ? . [ ] {m,n} & ^.

    & is intersection and ^ shuffle; . is any of the letters that the expression names. Raises BadInput for what is no
    regular expression, and for counts whose product is above `MOST_REPEATS`.
    """
    try:
        from automata.base.exceptions import AutomatonException, RegexException
        from automata.fa.dfa import DFA
        from automata.fa.nfa import NFA
    except ImportError:
        raise BadInput("regular expressions need automata-lib: pip install 'ssmverify[tracking]'") from None
    repeats = math.prod(int(count) for count in re.findall(r"(\d+)\}", expression))
    if repeats > MOST_REPEATS:
        raise BadInput(
            f"{expression!r} repeats its parts {repeats:,} times: {MOST_REPEATS:,} at most, counts multiplied"
        )
    try:
        # automata-lib takes the digits of {2} for letters, if it is not told which the letters are.
        letters = NFA.from_regex(re.sub(r"\{[\d,]*\}", "", expression)).input_symbols
        machine = DFA.from_nfa(NFA.from_regex(expression, input_symbols=letters))
    except (AutomatonException, RegexException) as error:
        reason = str(error).rstrip(".")
        raise BadInput(
            f"{expression!r} is no regular expression of letters, ( ) | * + ? . [ ] {{m,n}} & and ^: {reason}"
        ) from None
    if not letters:
        raise BadInput(f"the regular expression {expression!r} names no letters")
    return from_automata_lib(machine, expression).minimal()
