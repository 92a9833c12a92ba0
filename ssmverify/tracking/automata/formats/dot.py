"""Automata drawn for Graphviz (.dot, .gv).

An edge's label is the letters that it reads, with commas or line breaks between. Final are the nodes with
`shape=doublecircle` or `peripheries=2`. The initial state is where an edge without a label comes from a node that is
not drawn as a state (`shape=point`, `none`, `plaintext`, `style=invis`) or is called `start` or `init`, as in

    digraph { s [shape=point]; q1 [shape=doublecircle]; s -> q0; q0 -> q1 [label="a"]; q1 -> q0 [label="a,b"]; }
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.nfa import Nfa

TOKEN = re.compile(
    r'\s+|//[^\n]*|/\*.*?\*/|^\s*#[^\n]*|(?P<arrow>->|--)|(?P<sign>[][{}=;,:])|"(?P<quoted>(?:\\.|[^"\\])*)"|'
    r"(?P<word>[\w.]+|-?\d+(?:\.\d+)?)",
    re.S | re.M,
)
SILENT = ("ε", "eps", "epsilon", "λ")
Attributes = dict[str, str]


@dataclass
class Graph:
    nodes: dict[str, Attributes] = field(default_factory=dict)
    edges: list[tuple[str, str, Attributes]] = field(default_factory=list)


def from_text(text: str, name: str) -> Automaton:
    """The automaton, made deterministic. Raises BadInput where the initial state, or a label, is not to be found."""
    graph = _Parser(list(_tokens(text, name)), name).graph()
    unlabelled = [(source, target) for source, target, with_ in graph.edges if not with_.get("label", "").strip()]
    entries = {source for source, _ in unlabelled if _is_entry(source, graph)}
    states = [node for node in graph.nodes if node not in entries and not _hidden(graph.nodes[node])]
    initial = {target for source, target in unlabelled if source in entries}
    if len(initial) != 1:
        raise BadInput(
            f"{name} has {len(initial)} initial states: let an edge without a label lead to the one from a node with "
            "shape=point"
        )
    number = {state: i for i, state in enumerate(states)}
    edges = []
    for source, target, attributes in graph.edges:
        if source in entries:
            continue
        letters = [part.strip() for part in re.split(r",|\\n|\\l|\n", attributes.get("label", ""))]
        if not any(letters):
            raise BadInput(f"{name}: the edge {source} -> {target} has no label, the letters that it reads")
        for letter in filter(None, letters):
            edges.append((number[source], None if letter in SILENT else letter, number[target]))
    final = frozenset(number[s] for s in states if _is_final(graph.nodes[s]))
    letters_used = tuple(sorted({letter for _, letter, _ in edges if letter is not None}))
    start = frozenset(number[s] for s in initial)
    return Nfa(letters_used, len(states), edges, start, final or None, name).determinised()


def _is_final(attributes: Attributes) -> bool:
    return attributes.get("shape") == "doublecircle" or attributes.get("peripheries") == "2"


def _hidden(attributes: Attributes) -> bool:
    return attributes.get("shape") in ("point", "none", "plaintext") or "invis" in attributes.get("style", "")


def _is_entry(node: str, graph: Graph) -> bool:
    called = node.strip("_").lower() in ("", "start", "start0", "init", "initial", "i", "empty")
    read = [with_ for source, target, with_ in graph.edges if target == node]
    return not read and (_hidden(graph.nodes[node]) or called)


def _tokens(text: str, name: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise BadInput(f"{name} is no graph that can be read, from {text[at : at + 20]!r} on: quote labels")
        at = match.end()
        if match.lastgroup:
            kind = "word" if match.lastgroup == "quoted" else match.lastgroup
            yield kind, match[match.lastgroup].replace('\\"', '"')


class _Parser:
    """Statements until the last }; `node [...]` sets what later nodes have."""

    def __init__(self, tokens: list[tuple[str, str]], name: str):
        self.tokens, self.at, self.name = tokens, 0, name
        self.found, self.default = Graph(), Attributes()

    def graph(self) -> Graph:
        while self._value() not in ("{", ""):
            self.at += 1
        if not self._value():
            raise BadInput(f"{self.name} is no graph: it has no {{")
        while self.at < len(self.tokens):
            self._statement()
        return self.found

    def _value(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _statement(self) -> None:
        kind, value = self.tokens[self.at]
        self.at += 1
        if kind != "word" or value in ("subgraph", "strict"):
            return
        if self._value() == "=":
            self.at += 2
            return
        path = [value]
        self._port()
        while self.at < len(self.tokens) and self.tokens[self.at][0] == "arrow":
            path.append(self.tokens[self.at + 1][1] if self.at + 1 < len(self.tokens) else "")
            self.at += 2
            self._port()
        attributes = self._attributes()
        if value in ("node", "edge", "graph") and len(path) == 1:
            if value == "node":
                self.default = self.default | attributes
            return
        for node in path:
            self.found.nodes.setdefault(node, dict(self.default))
        if len(path) == 1:
            self.found.nodes[value].update(attributes)
        self.found.edges.extend((a, b, attributes) for a, b in pairwise(path))

    def _port(self) -> None:
        """Skips `:port`, and its compass point."""
        while self._value() == ":" and self.at + 1 < len(self.tokens):
            self.at += 2

    def _attributes(self) -> Attributes:
        found = Attributes()
        while self._value() == "[":
            self.at += 1
            while self._value() not in ("]", ""):
                key = self._value()
                self.at += 1
                if self._value() == "=":
                    self.at += 1
                    found[key] = self._value()
                    self.at += 1
            self.at += 1
        return found
