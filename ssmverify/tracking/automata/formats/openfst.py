"""Automata as OpenFST and foma print them (.att, .fst, .fsa), one transition a line, fields parted by blanks:

    source  target  letter  [letter  [weight]]
    state  [weight]                               a final state

The first line's source is the initial state. Weights are left aside. A letter <eps>, ε or @0@ reads nothing.
"""

from __future__ import annotations

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.nfa import Edge, Nfa

SILENT = ("<eps>", "<epsilon>", "ε", "@0@", "@_EPSILON_SYMBOL_@")


def from_text(text: str, name: str) -> Automaton:
    """The automaton, made deterministic. Raises BadInput for a line that is none of these, and for transducers."""
    number: dict[str, int] = {}
    edges: list[Edge] = []
    final: set[int] = set()
    for i, line in enumerate(text.splitlines(), 1):
        fields = line.split("\t") if "\t" in line else line.split()
        if not any(fields):
            continue
        if len(fields) <= 2:
            final.add(number.setdefault(fields[0], len(number)))
            continue
        if len(fields) > 5:
            raise BadInput(f"{name}, line {i}: a transition has 3 to 5 fields, source target letter; given {line!r}")
        source, target, letter = fields[:3]
        if len(fields) > 3 and fields[3] != letter and not _is_weight(fields[3], len(fields)):
            raise BadInput(f"{name}, line {i}: reads {letter} and writes {fields[3]}: a transducer is no automaton")
        ends = [number.setdefault(state, len(number)) for state in (source, target)]
        edges.append((ends[0], None if letter in SILENT else letter, ends[1]))
    if not number:
        raise BadInput(f"{name} holds no transitions: one a line, source target letter")
    letters = tuple(sorted({letter for _, letter, _ in edges if letter is not None}))
    return Nfa(letters, len(number), edges, frozenset([0]), frozenset(final) or None, name).determinised()


def _is_weight(field: str, fields: int) -> bool:
    """Whether the fourth field of four is an acceptor's weight: a number, where letters would be equal."""
    try:
        float(field)
    except ValueError:
        return False
    return fields == 4
