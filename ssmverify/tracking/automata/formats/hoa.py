"""Automata in the Hanoi format (.hoa), as Spot and LTLf tools write them.

A letter is a valuation of the atomic propositions, written `p & !q`. The automaton is read as one of finite words: its
final states are those in some acceptance set. That is no statement about infinite words.
"""

from __future__ import annotations

import re
from itertools import product

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.nfa import Edge, Nfa

MOST_PROPOSITIONS = 8
STATE = re.compile(r'State:\s*(?:\[(?P<label>[^]]*)\])?\s*(?P<number>\d+)\s*(?:"[^"]*")?\s*(?P<sets>\{[\d\s]*\})?')
EDGE = re.compile(r"(?:\[(?P<label>[^]]*)\])?\s*(?P<target>\d+(?:\s*&\s*\d+)*)\s*(?P<sets>\{[\d\s]*\})?")
Valuation = tuple[bool, ...]


def from_text(text: str, name: str) -> Automaton:
    """The automaton, made deterministic. Raises BadInput for alternation, aliases, and acceptance on transitions."""
    head, _, body = text.partition("--BODY--")
    if not body or "HOA:" not in head:
        raise BadInput(f"{name} is no automaton in the Hanoi format: it has no HOA: or no --BODY--")
    propositions = re.findall(r'"([^"]*)"', _line(head, "AP") or "")
    if len(propositions) > MOST_PROPOSITIONS:
        raise BadInput(
            f"{name} has {len(propositions)} propositions: {MOST_PROPOSITIONS} at most are letters of a table"
        )
    starts = re.findall(r"^Start:\s*(.*)$", head, re.M)
    if len(starts) != 1 or not starts[0].strip().isdigit():
        raise BadInput(f"{name} must have one initial state, and no alternation; it has Start: {starts}")
    valuations = list(product([False, True], repeat=len(propositions)))
    edges, final, most = _body(body.partition("--END--")[0], propositions, valuations, name)
    states = max(most, int(starts[0])) + 1
    letters = tuple(_spelled(v, propositions) for v in valuations)
    return Nfa(letters, states, edges, frozenset([int(starts[0])]), frozenset(final) or None, name).determinised()


def _body(
    body: str, propositions: list[str], valuations: list[Valuation], name: str
) -> tuple[list[Edge], set[int], int]:
    """The edges, the states in some acceptance set, and the largest number of a state."""
    edges: list[Edge] = []
    final: set[int] = set()
    largest, source, shared = 0, -1, None
    for line in filter(None, map(str.strip, body.splitlines())):
        if match := STATE.fullmatch(line):
            source, shared = int(match["number"]), match["label"]
            final |= {source} if match["sets"] and re.search(r"\d", match["sets"]) else set()
            largest = max(largest, source)
            continue
        match = EDGE.fullmatch(line)
        label = shared if match is None or match["label"] is None else match["label"]
        if match is None or source < 0 or label is None or "&" in match["target"] or "@" in label:
            raise BadInput(f"{name}: cannot read {line!r}: wanted is [label] state, without alternation or aliases")
        if match["sets"]:
            raise BadInput(f"{name}: {line!r} accepts on a transition: wanted is acceptance by states")
        target = int(match["target"])
        largest = max(largest, target)
        for valuation in valuations:
            if _Label(label, valuation, name).holds():
                edges.append((source, _spelled(valuation, propositions), target))
    return edges, final, largest


def _line(head: str, key: str) -> str | None:
    match = re.search(rf"^{key}:(.*)$", head, re.M)
    return match[1] if match else None


def _spelled(valuation: Valuation, propositions: list[str]) -> str:
    return " & ".join(p if held else f"!{p}" for p, held in zip(propositions, valuation, strict=True)) or "t"


class _Label:
    """A boolean expression of propositions' numbers: t f ! & | ( )."""

    def __init__(self, text: str, valuation: Valuation, name: str):
        self.tokens = re.findall(r"\d+|[tf!&|()]|\S", text)
        self.at, self.text, self.valuation, self.name = 0, text, valuation, name

    def holds(self) -> bool:
        found = self._either()
        if self.at < len(self.tokens):
            self._refuse()
        return found

    def _either(self) -> bool:
        found = self._both()
        while self._take("|"):
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._one()
        while self._take("&"):
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if self._take("!"):
            return not self._one()
        if self._take("("):
            found = self._either()
            if not self._take(")"):
                self._refuse()
            return found
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        self.at += 1
        if token.isdigit() and int(token) < len(self.valuation):
            return self.valuation[int(token)]
        if token not in ("t", "f"):
            self._refuse()
        return token == "t"

    def _take(self, token: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at] == token
        self.at += found
        return found

    def _refuse(self) -> None:
        raise BadInput(f"{self.name}: [{self.text}] is no expression of the {len(self.valuation)} propositions")
