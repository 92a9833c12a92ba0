"""Stacks of layers that only know the joint states which words reach, so that many layers are no larger than few.

`models.Model` has a gate for every joint state of the layers below, which are too many where the layers are. Here a
layer is a rule: the letter and the states below give a diagonal gate and an input, exactly. `Stack` enumerates the
codes that words reach, by the exact arithmetic of the layers, and checks each letter in each of them: after it, the
code stands for the automaton's next state. By `tracking.simulation` the stack then tracks the automaton, on all words.

Layers read what those below held before the letter, as `numeric.cascade` does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from numeric.cascade import nearest, run
from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.limits import Limits
from ssmverify.tracking.models.models import Column, Exact, Field
from ssmverify.tracking.models.sure import sure

MOST_CODES = 20_000
Code = tuple[int, ...]  # for each layer, the number of its point
Affine = tuple[Column, Column | None]  # gate and input, None for 0


@dataclass(frozen=True)
class Rule:
    """One layer: the points of its states, and what a letter does there, given the states of the layers below."""

    field: Field
    points: list[Column]
    act: Callable[[int, Code], Affine]
    real: bool

    def moved(self, letter: int, below: Code, state: int) -> int:
        """The number of the point that the letter takes a point to. Raises KeyError where it is none."""
        gate, added = self.act(letter, below)
        after = [a * x for a, x in zip(gate, self.points[state], strict=True)]
        if added is not None:
            after = [x + b for x, b in zip(after, added, strict=True)]
        return self._number[tuple(after)]

    @cached_property
    def _number(self) -> dict[tuple[Any, ...], int]:
        return {tuple(point): i for i, point in enumerate(self.points)}


@dataclass(frozen=True, eq=False)
class Stack:
    """Layers, lowest first; the codes that words reach, the start's first; and what each letter makes of each."""

    automaton: Automaton
    rules: tuple[Rule, ...]
    codes: tuple[Code, ...]
    delta: tuple[tuple[int, ...], ...]
    decoded: tuple[int, ...]  # of each code, the automaton's state

    @property
    def depth(self) -> int:
        return len(self.rules)

    @property
    def channels(self) -> int:
        """Numbers in all states together."""
        return sum(len(rule.points[0]) for rule in self.rules)

    def wrong_step(self) -> str:
        """Empty if each letter moves each code to one of the next state; else where it does not."""
        for letter, row in enumerate(self.delta):
            for code, after in enumerate(row):
                wanted = self.automaton.delta[letter][self.decoded[code]]
                if self.decoded[after] != wanted:
                    return f"code {self.codes[code]}, letter {self.automaton.letters[letter]}: not state {wanted}"
        return ""

    @cached_property
    def layers(self) -> tuple[Exact, ...]:
        """The layers with tables over the prefixes of codes, in the order of `prefixes`."""
        return tuple(self._layer(i, rule) for i, rule in enumerate(self.rules))

    @cached_property
    def prefixes(self) -> list[dict[Code, int]]:
        """For each layer, and past the last, the states below that occur, numbered."""
        return [
            {prefix: k for k, prefix in enumerate(dict.fromkeys(code[:i] for code in self.codes))}
            for i in range(self.depth + 1)
        ]

    def _layer(self, i: int, rule: Rule) -> Exact:
        letters = range(len(self.automaton.letters))
        table = [[rule.act(letter, prefix) for prefix in self.prefixes[i]] for letter in letters]
        zero = [rule.field.domain.zero] * len(rule.points[0])
        silent = all(added is None for row in table for _, added in row)
        inputs = None if silent else [[zero if added is None else added for _, added in row] for row in table]
        return Exact(rule.field, [[gate for gate, _ in row] for row in table], rule.points, inputs, real=rule.real)

    def run(self, words: Tensor, dtype: torch.dtype) -> Tensor:
        """The automaton's states after each letter, (B, T), by torch's scans in dtype; -1 where they hold none."""
        before = torch.zeros_like(words)
        now = torch.zeros_like(words)
        for i, rule in enumerate(self.rules):
            gates, inputs, points = self._weights(i, dtype)
            first = self.codes[0][i]
            h = run(gates[words, before], inputs[words, before], points[first])
            own = nearest(h, points)
            held = torch.cat((own.new_full((len(words), 1), first), own[:, :-1]), dim=1)
            following = self._following(i, len(rule.points))
            before, now = following[before, held].clamp(min=0), following[now, own]
        return torch.tensor([*(self.decoded[self._code[p]] for p in self.prefixes[-1]), -1])[now]

    def _weights(self, i: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        from ssmverify.tracking.models.models import as_floats

        layer = as_floats(self.layers[i], self.codes[0][i])
        made = [x.to(dtype if x.is_floating_point() else dtype.to_complex()) for x in layer]
        return made[0], made[1], made[3]

    def _following(self, i: int, points: int) -> Tensor:
        """From a prefix and a point, the longer prefix; -1 where no code has it, also from -1."""
        table = torch.full((len(self.prefixes[i]) + 1, points), -1)
        for prefix, k in self.prefixes[i + 1].items():
            table[self.prefixes[i][prefix[:-1]], prefix[-1]] = k
        return table

    @cached_property
    def _code(self) -> dict[Code, int]:
        return {code: k for k, code in enumerate(self.codes)}

    def sure_steps(self, format: torch.dtype) -> float | None:
        """Letters after which every word is decoded rightly in a float format, each operation rounded; see `horizon`.

        None if no bound of ours covers a layer.
        """
        found = [_sure(layer, format) for layer in self.layers]
        return None if None in found else min((s for s in found if s is not None), default=math.inf)


def _sure(layer: Exact, format: torch.dtype) -> float | None:
    """A layer that only keeps and writes whole numbers makes no error, as long as the format holds them."""
    one, zero = layer.field.domain.one, layer.field.domain.zero
    if layer.inputs is None:
        return sure(layer, format)
    copies = all(g in (zero, one) for row in layer.gates for gate in row for g in gate)
    writes_only = all(
        added == zero or g == zero
        for gates, inputs in zip(layer.gates, layer.inputs, strict=True)
        for gate, column in zip(gates, inputs, strict=True)
        for g, added in zip(gate, column, strict=True)
    )
    largest = max(abs(layer.field.value(x)) for point in layer.points for x in point)
    held = largest <= 2 / torch.finfo(format).eps
    return math.inf if layer.real and copies and writes_only and held else None


def stacked(
    automaton: Automaton,
    rules: Sequence[Rule],
    start: Code,
    decode: Callable[[Code], int],
    limits: Limits | None = None,
) -> Stack:
    """The stack of the layers, with the codes that words reach. Raises BadInput for more than `MOST_CODES`."""
    limits = limits or Limits()
    number, codes = {start: 0}, [start]
    rows: list[list[int]] = [[] for _ in automaton.letters]
    for code in codes:  # grows while it is read
        limits.check()
        for letter, row in enumerate(rows):
            after = tuple(rule.moved(letter, code[:i], code[i]) for i, rule in enumerate(rules))
            if after not in number:
                if len(codes) >= MOST_CODES:
                    raise BadInput(f"more than {MOST_CODES:,} codes stand for the states of {automaton.name}")
                number[after] = len(codes)
                codes.append(after)
            row.append(number[after])
    return Stack(automaton, tuple(rules), tuple(codes), tuple(map(tuple, rows)), tuple(map(decode, codes)))
