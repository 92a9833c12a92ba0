"""Regular expressions, read by a parser of our own into an automaton.

    letters        a  0  -  and, after a backslash, any sign:  \\*  \\.  \\(
    either, then   a|b   ab   with nothing for the empty word:  (a|)  ()
    repeated       a*  a+  a?  a{3}  a{2,5}  a{2,}  a{,5}
    classes        [abc]  [a-z0-9]  [^ab]
    any letter     .
    groups         (ab)*   (?:ab)*

The language is that of all words which the expression matches from end to end, as `re.fullmatch` of Python has it.
What . and [^...] stand for depends on which letters there are, so these need `letters`. What Python would read and this
does not is refused: back-references, anchors, look-arounds, flags, named classes, lazy and possessive repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.nfa import Edge, Nfa

MOST_PARTS = 2000  # letters of an expression when all repeats are written out
SIGNS = "()|*+?.[]{}^$&\\"  # that are no letters unless a backslash stands before them


@dataclass(frozen=True)
class OneOf:
    """One letter of these; `but` says any letter except these."""

    letters: frozenset[str]
    but: bool = False


@dataclass(frozen=True)
class Either:
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Then:
    """One part after the other; the empty word if there are none."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Repeated:
    part: Part
    least: int
    most: int | None  # None: without end


Part = OneOf | Either | Then | Repeated


def from_expression(expression: str, letters: str | None = None) -> Automaton:
    """The minimal automaton of the language.

    letters: the alphabet, one character a letter; those that the expression names, if it is not given. Raises BadInput
    for what is no expression as above, for letters outside the alphabet, and for more than `MOST_PARTS` letters when
    all repeats are written out.
    """
    part = Parser(expression).parse()
    named = {letter for one in _leaves(part) for letter in one.letters}
    open_ended = any(one.but for one in _leaves(part))
    if letters is None and open_ended:
        raise BadInput(f"{expression}: . and [^...] stand for any letter: say which letters there are with --letters")
    if letters is not None and (outside := named - set(letters)):
        raise BadInput(f"{expression} has {', '.join(sorted(outside))}, which --letters {letters} does not: add it")
    alphabet = tuple(sorted(named if letters is None else set(letters)))
    if not alphabet:
        raise BadInput(f"the regular expression {expression} names no letters: give them with --letters")
    size = _size(part)
    if size > MOST_PARTS:
        raise BadInput(
            f"the regular expression has {size:,} letters with its repeats written out: {MOST_PARTS:,} at most"
        )
    return _Thompson(alphabet, expression).automaton(part).determinised().minimal()


class Parser:
    """Reads from left to right; `at` is the place of the next character."""

    def __init__(self, text: str):
        self.text, self.at, self.depth = text, 0, 0

    def parse(self) -> Part:
        part = self._either()
        if self.at < len(self.text):
            self._refuse("a ) closes no group: write \\) for the letter")
        return part

    def _either(self) -> Part:
        parts = [self._then()]
        while self._take("|"):
            parts.append(self._then())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _then(self) -> Part:
        parts: list[Part] = []
        while self._next() not in ("", "|", ")"):
            parts.append(self._repeated())
        return parts[0] if len(parts) == 1 else Then(tuple(parts))

    def _repeated(self) -> Part:
        part = self._atom()
        if counts := self._counts():
            part = Repeated(part, *counts)
            if self._next() in ("*", "+", "?", "{"):
                self._refuse(
                    "a repeat follows a repeat, which would be a lazy or possessive one: bracket the first, (a*)?"
                )
        return part

    def _counts(self) -> tuple[int, int | None] | None:
        for sign, counts in {"*": (0, None), "+": (1, None), "?": (0, 1)}.items():
            if self._take(sign):
                return counts
        if self._next() != "{":
            return None
        start = self.at
        self.at += 1
        least = self._digits()
        most = self._digits() if (comma := self._take(",")) else least
        if not self._take("}") or not (least or most):
            self.at = start
            self._refuse("{ } hold a count, as {3}, {2,5}, {2,} or {,5}: write \\{ for the letter")
        low, high = int(least or 0), int(most) if most or not comma else None
        if high is not None and high < low:
            self.at = start
            self._refuse(f"the count {{{low},{high}}} ends before it begins")
        return low, high

    def _digits(self) -> str:
        start = self.at
        while self._next() in tuple("0123456789"):
            self.at += 1
        if self.at - start > 9:
            self._refuse("the count is too large")
        return self.text[start : self.at]

    def _atom(self) -> Part:
        if self._take("("):
            return self._group()
        if self._take("["):
            return self._class()
        if self._take("."):
            return OneOf(frozenset(), but=True)
        return OneOf(frozenset([self._letter()]))

    def _group(self) -> Part:
        if self._next() == "?" and not self._take("?:"):
            self._refuse(
                "(? opens what is no part of a regular language here: look-arounds, names and flags are refused"
            )
        self.depth += 1
        if self.depth > 100:
            self._refuse("groups are nested more than 100 deep")
        part = self._either()
        if not self._take(")"):
            self._refuse("a ( is not closed: write \\( for the letter")
        self.depth -= 1
        return part

    def _class(self) -> Part:
        but, letters = self._take("^"), set[str]()
        while not self._take("]"):
            if self._next() in ("", "["):
                self._refuse("a class [...] is not closed: write \\[ for the letter")
            first = self._class_letter()
            last = first
            if self._next() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                last = self._class_letter()
            if last < first:
                self._refuse(f"the range {first}-{last} ends before it begins")
            letters |= {chr(code) for code in range(ord(first), ord(last) + 1)}
            if len(letters) > 1000:
                self._refuse("a class holds more than 1,000 letters")
        if not letters:
            self._refuse("a class [ ] is empty: write \\] for the letter")
        return OneOf(frozenset(letters), but)

    def _class_letter(self) -> str:
        if self._next() == "\\":
            return self._escaped()
        self.at += 1
        return self.text[self.at - 1]

    def _letter(self) -> str:
        sign = self._next()
        if sign == "\\":
            return self._escaped()
        refusals = {
            "^": "^ is an anchor: the language is of whole words, so leave it out, or write \\^ for the letter",
            "$": "$ is an anchor: the language is of whole words, so leave it out, or write \\$ for the letter",
            "&": "& is no operation: write \\& for the letter",
            "*": "* repeats nothing: write \\* for the letter",
            "+": "+ repeats nothing: write \\+ for the letter",
            "?": "? repeats nothing: write \\? for the letter",
            "{": "{ repeats nothing: write \\{ for the letter",
            "]": "a ] closes no class: write \\] for the letter",
            "}": "a } closes no count: write \\} for the letter",
        }
        if sign in refusals:
            self._refuse(refusals[sign])
        if sign.isspace():
            self._refuse("a space is no letter unless a backslash stands before it: leave it out")
        self.at += 1
        return sign

    def _escaped(self) -> str:
        sign = self.text[self.at + 1 : self.at + 2]
        if sign.isdigit():
            self._refuse(f"\\{sign} is a back-reference, and makes no regular language: write the part out")
        if not sign or sign.isalpha():
            self._refuse(f"\\{sign} names no letter: write the letters out, as [0-9] for digits")
        self.at += 2
        return sign

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self, sign: str) -> bool:
        found = self.text.startswith(sign, self.at)
        self.at += len(sign) * found
        return found

    def _refuse(self, why: str) -> NoReturn:
        shown = self.text if len(self.text) <= 60 else f"{self.text[:57]}..."
        raise BadInput(f"the regular expression {shown} cannot be read at character {self.at + 1}: {why}")


def _leaves(part: Part) -> Iterator[OneOf]:
    match part:
        case OneOf():
            yield part
        case Repeated(inner, _, _):
            yield from _leaves(inner)
        case Either(parts) | Then(parts):
            for inner in parts:
                yield from _leaves(inner)


def _size(part: Part) -> int:
    """The parts when all repeats are written out; empty ones count, for they are written out as well."""
    match part:
        case OneOf():
            return 1
        case Repeated(inner, least, most):
            return max(least if most is None else most, 1) * _size(inner)
        case Either(parts) | Then(parts):
            return 1 + sum(map(_size, parts))


class _Thompson:
    """Edges between numbered states, one fragment for each part (Thompson 1968)."""

    def __init__(self, alphabet: tuple[str, ...], name: str):
        self.alphabet, self.name = alphabet, name
        self.states = 1
        self.edges: list[Edge] = []

    def automaton(self, part: Part) -> Nfa:
        final = self._build(part, 0)
        return Nfa(self.alphabet, self.states, self.edges, frozenset([0]), frozenset([final]), self.name)

    def _new(self) -> int:
        self.states += 1
        return self.states - 1

    def _build(self, part: Part, source: int) -> int:
        """Adds the part behind the state `source`; returns the state at its end."""
        match part:
            case OneOf(letters, but):
                end = self._new()
                chosen = [a for a in self.alphabet if (a in letters) != but]
                self.edges.extend((source, letter, end) for letter in chosen)
                return end
            case Then(parts):
                for inner in parts:
                    source = self._build(inner, source)
                return source
            case Either(parts):
                ends = [self._build(inner, self._silent(source)) for inner in parts]
                end = self._new()
                self.edges.extend((each, None, end) for each in ends)
                return end
            case Repeated(inner, least, most):
                return self._repeat(inner, least, most, source)

    def _repeat(self, inner: Part, least: int, most: int | None, source: int) -> int:
        for _ in range(least):
            source = self._build(inner, source)
        if most is None:
            hub = self._silent(source)
            self.edges.append((self._build(inner, hub), None, hub))
            return self._silent(hub)
        ends = [source]
        for _ in range(most - least):
            ends.append(self._build(inner, self._silent(ends[-1])))
        end = self._new()
        self.edges.extend((each, None, end) for each in ends)
        return end

    def _silent(self, source: int) -> int:
        """A new state behind `source`, so that no path comes back to it."""
        new = self._new()
        self.edges.append((source, None, new))
        return new
