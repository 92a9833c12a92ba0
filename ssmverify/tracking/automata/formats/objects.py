"""Automata as JSON. A file holds one object, with an optional "name" and one of

    {"permutations": [[1, 0, 2], [1, 2, 0]], "letters": ["a", "b"]}                images of the points 0, 1, ...
    {"table": [[0, 1], [1, 0]], "names": ["e", "g"]}                               a Cayley table, table[a][b] = a·b
    {"delta": [[1, 0], [0, 0]], "letters": ["a", "b"], "start": 0, "accept": [1]}  delta[letter][state]
    {"transitions": {"p": {"a": "q"}, "q": {"a": "p"}}, "initial_state": "p", "final_states": ["q"]}

where "letters", "names", "start", "accept" and "final_states" may be left out. The last form has automata-lib's field
names: a letter may lead to a list of states, "" reads nothing, and "input_symbols" are the letters, used or not; a
transition that is not there leads to a state of no return.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from operator import index
from typing import Any

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.group import check_permutations, cycles, from_table
from ssmverify.tracking.automata.nfa import Edge, Nfa


def from_text(text: str, name: str) -> Automaton:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"{name} is no JSON: {error}") from None
    return from_json(data, name)


def from_json(data: Any, name: str = "automaton") -> Automaton:
    """The automaton that the decoded JSON describes."""
    if not isinstance(data, dict):
        raise BadInput(f'{name}: the JSON must be one object, such as {{"permutations": [[1, 0]]}}')
    name = str(data.get("name", name))
    forms = {"permutations": _permutations, "table": _table, "delta": _delta, "transitions": from_transitions}
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
            "`python -c 'help(\"ssmverify.tracking.automata.formats.objects\")'` shows the forms"
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


def from_transitions(data: Mapping[str, Any], name: str) -> Automaton:
    """The automaton of automata-lib's fields, made deterministic; its letters in sorted order.

    Raises BadInput where a letter leads to what is no state, or is none of the "input_symbols".
    """
    transitions = data["transitions"]
    initial, final = data["initial_state"], data.get("final_states")
    states = list(dict.fromkeys([*data.get("states", ()), initial, *transitions, *(final or ())]))
    number = {state: i for i, state in enumerate(states)}
    used = {letter for row in transitions.values() for letter in row if letter != ""}
    letters = sorted(set(map(str, data.get("input_symbols") or used)))
    if unknown := used - set(letters):
        raise BadInput(f"{name}: {', '.join(sorted(unknown))} leads somewhere and is none of the input_symbols: add it")
    edges: list[Edge] = []
    for state, row in transitions.items():
        for letter, targets in row.items():
            for target in targets if isinstance(targets, list | set | frozenset | tuple) else [targets]:
                if target not in number:
                    raise BadInput(f"{name}: from {state!r} {letter!r} leads to {target!r}, which is no state")
                edges.append((number[state], letter or None, number[target]))
    marked = None if final is None else frozenset(number[s] for s in final)
    return Nfa(tuple(letters), len(states), edges, frozenset([number[initial]]), marked, name).determinised()
