"""Layers that track any automaton: IDS4 and RNN-SSM of "The Illusion of State", and PD-SSM.

The cases are all automata with two letters and at most three states, with all words of five letters; the samples larger
automata and longer words. What the layers hold is exact in every float format, for automata of this size: small
integers and halves of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from numeric import ids4, pd_ssm, rnn_ssm
from ssmverify.catalogue.tracking.models import ILLUSION, first_difference
from ssmverify.rows import Broken, Decide, Finite, Source
from ssmverify.tracking.automata.automaton import Automaton

FIVE = torch.tensor(list(product(range(2), repeat=5)))


class Case(NamedTuple):
    """An automaton, and words for it (B, T)."""

    automaton: Automaton
    words: Tensor


def small_automata() -> Iterator[Case]:
    for n in (1, 2, 3):
        rows = list(product(range(n), repeat=n))
        for delta in product(rows, repeat=2):
            yield Case(Automaton(("a", "b"), delta), FIVE)


@st.composite
def larger_automata(draw: st.DrawFn) -> Case:
    n, letters = draw(st.integers(2, 8)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    delta = tuple(tuple(rng.integers(n, size=n).tolist()) for _ in range(letters))
    words = torch.from_numpy(rng.integers(letters, size=(4, draw(st.integers(1, 60)))))
    names = tuple("abcd"[:letters])
    return Case(Automaton(names, delta, start=draw(st.integers(0, n - 1))), words)


def unit(h: Tensor) -> Tensor:
    """Which unit vector each state is, exactly; -1 for what is none."""
    is_unit = (h.sum(-1) == 1) & ((h == 0) | (h == 1)).all(-1)
    return torch.where(is_unit, h.argmax(-1), -1)


# ---------------------------------------------------------------------------------------------------- the layers
def by_ids4(automaton: Automaton, words: Tensor) -> Tensor:
    """The states after each letter, by Theorem 5.2."""
    letters = len(automaton.letters)
    begun = torch.cat((torch.full((len(words), 1), letters), words), dim=1)
    with torch.no_grad():
        h = ids4.automaton(automaton.delta, automaton.start).states(ids4.embedding(letters)[begun])
    return unit(h[:, 1:])


def by_rnn(automaton: Automaton, words: Tensor) -> Tensor:
    """The states after each letter, by Theorem 5.1: the one that the unit which is on moves to."""
    weights = rnn_ssm.automaton(automaton.delta, automaton.start)
    x = torch.nn.functional.one_hot(words, len(automaton.letters)).float()
    h = rnn_ssm.rnn_ssm(x, weights.A, weights.W, weights.start)
    on = unit((h + 1) / 2)
    return torch.where(on < 0, -1, weights.moves_to[on])


def by_pd(automaton: Automaton, words: Tensor) -> Tensor:
    """The states after each letter: the column-one-hot matrix of the letter, its diagonal 1."""
    target = torch.tensor(automaton.delta)[words]
    ones = torch.ones(target.shape)
    start = torch.nn.functional.one_hot(torch.full((len(words),), automaton.start), automaton.states).float()
    return unit(pd_ssm.pd_scan(target, ones, torch.zeros_like(ones), start))


# ------------------------------------------------------------------------------------------------------ the rows
Tracker = Callable[[Automaton, Tensor], Tensor]


def tracks(tracker: Tracker) -> Decide:
    def decide(case: Case) -> str:
        wrong = first_difference(case.automaton, case.words, tracker(case.automaton, case.words))
        return f"δ = {case.automaton.delta}, {wrong}" if wrong else ""

    return decide


def right_products(tracker: Tracker) -> Broken:
    """The new factor on the right: the letters act in the other order."""

    def backwards(automaton: Automaton, words: Tensor) -> Tensor:
        last = [tracker(automaton, words[:, : t + 1].flip(1))[:, -1] for t in range(words.shape[1])]
        return torch.stack(last, dim=1)

    return Broken("each new factor on the right", tracks(backwards))


def another_letter(tracker: Tracker) -> Broken:
    """One transition of the last letter moved to another state."""

    def perturbed(automaton: Automaton, words: Tensor) -> Tensor:
        *others, last = automaton.delta
        moved = ((last[0] + 1) % automaton.states, *last[1:])
        return tracker(replace(automaton, delta=(*others, moved)), words)

    return Broken("one transition goes elsewhere", tracks(perturbed))


def row(name: str, says: str, tracker: Tracker, source: Source) -> Finite:
    return Finite(
        name=f"tracking.{name}",
        says=f"{says}: decided for all automata with two letters and at most three states, and all words of five "
        "letters; automata with up to four letters and eight states, and words of up to 60, are sampled.",
        decide=tracks(tracker),
        mutants=(right_products(tracker), another_letter(tracker)),
        cases=small_automata,
        samples=larger_automata,
        source=source,
        number=23_872,
        members=lambda case: (word.tobytes() for word in case.words.numpy()),
    )


def source(place: str) -> Source:
    return Source(ILLUSION, "2404.08819v3", place, read="notes of the whole paper")


ids4_row = row(
    "ids4",
    "The construction of the theorem, one IDS4 layer with k = |Σ|, tracks its automaton: after $ and a word its "
    "state is the unit vector of the automaton's",
    by_ids4,
    source("Theorem 5.2"),
)
rnn_ssm_row = row(
    "rnn_ssm",
    "The construction of the theorem, one RNN-SSM layer with k = |Σ|, tracks its automaton: the one unit that is "
    "on knows the automaton's state",
    by_rnn,
    source("Theorem 5.1"),
)
pd_ssm_row = row(
    "pd_ssm",
    "One layer whose transitions are column-one-hot times diagonal tracks its automaton",
    by_pd,
    Source("PD-SSM", "2509.22284", "Proposition 2", read="the paper to its section 5"),
)
