"""Finite automata as JFLAP saves them (.jff): XML with states, which may be initial or final, and transitions."""

from __future__ import annotations

from xml.etree import ElementTree

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.nfa import Edge, Nfa


def from_text(text: str, name: str) -> Automaton:
    """The automaton, made deterministic; a transition that reads nothing is silent. Raises BadInput for other XML."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise BadInput(f"{name} is no XML, as JFLAP saves: {error}") from None
    if (kind := root.findtext("type", "").strip()) != "fa":
        raise BadInput(f"{name} holds what JFLAP calls {kind or 'nothing'}, and no finite automaton (fa)")
    states = [state for state in root.iter("state") if state.get("id") is not None]
    number = {str(state.get("id")): i for i, state in enumerate(states)}
    edges = [_edge(each, number, name) for each in root.iter("transition")]
    initial, final = (
        frozenset(i for i, state in enumerate(states) if state.find(mark) is not None) for mark in ("initial", "final")
    )
    if len(initial) != 1:
        raise BadInput(f"{name} has {len(initial)} initial states: mark one")
    letters = tuple(sorted({letter for _, letter, _ in edges if letter is not None}))
    return Nfa(letters, len(states), edges, initial, final or None, name).determinised()


def _edge(each: ElementTree.Element, number: dict[str, int], name: str) -> Edge:
    source, target = (each.findtext(end, "").strip() for end in ("from", "to"))
    read = (each.findtext("read") or "").strip()
    if source not in number or target not in number:
        raise BadInput(f"{name}: a transition goes from {source!r} to {target!r}, and one of them is no state")
    if len(read) > 1:
        raise BadInput(f"{name}: a transition reads {read!r} at once: give each letter a transition of its own")
    return number[source], read or None, number[target]
