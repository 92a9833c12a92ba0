"""The labels of words: two oracles against composition itself, and what towers of commutators come to."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from ssmverify.rows import Broken, Decide, Finite
from ssmverify.tracking import words
from ssmverify.tracking.automata.group import Group, closure
from ssmverify.tracking.automata.named import group
from ssmverify.tracking.automata.witness import derived_series


class Batch(NamedTuple):
    """Words (batch, length) over a group's elements."""

    group: Group
    words: words.Words


def every_word(length: int) -> Iterable[Batch]:
    """All words of the length over Z4, S3 and Q8, where order matters and where it does not."""
    for name in ("Z4", "S3", "Q8"):
        g = group(name)
        yield Batch(g, np.array(list(itertools.product(range(g.order), repeat=length))))


@st.composite
def random_words(draw: st.DrawFn) -> Batch:
    g = group(draw(st.sampled_from(["A4xZ5", "A5", "S5"])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return Batch(g, words.uniform(rng, g, 4, draw(st.integers(1, 200))))


def composed(batch: Batch) -> words.Words:
    """The labels by their definition: what is held sends i to g_t(...g_2(g_1(i)))."""
    g = batch.group
    held = np.tile(np.arange(g.permutations.shape[1]), (len(batch.words), 1))
    index = {row.tobytes(): i for i, row in enumerate(g.permutations)}
    labels = []
    for t in range(batch.words.shape[1]):
        held = np.take_along_axis(g.permutations[batch.words[:, t]], held, axis=1)
        labels.append([index[row.tobytes()] for row in held])
    return np.array(labels).T


Oracle = Callable[[Group, words.Words], words.Words]


def labels_right(*oracles: Oracle) -> Decide:
    def decide(batch: Batch) -> str:
        expected = composed(batch)
        for oracle in oracles:
            wrong = np.argwhere(oracle(*batch) != expected)
            if len(wrong):
                row, place = wrong[0]
                word = [batch.group.names[x] for x in batch.words[row, : place + 1]]
                found, right = (batch.group.names[x[row, place]] for x in (oracle(*batch), expected))
                return f"{batch.group.name}: {found} after {', '.join(word)}, not {right}"
        return ""

    return decide


def transposed(oracle: Oracle) -> Oracle:
    """The new factor on the right of what is held."""
    return lambda g, w: oracle(replace(g, table=g.table.T), w)


def one_round_short(g: Group, w: words.Words) -> words.Words:
    """The doubling scan of the first half and the second, never joined."""
    half = (w.shape[1] + 1) // 2
    return np.concatenate([words.prefix_products_by_doubling(g, part) for part in (w[:, :half], w[:, half:])], axis=1)


prefix_products = Finite(
    "tracking.words.prefix_products",
    "The labels by the table, letter by letter, and by the doubling scan are both the compositions g_t ··· g_1 of the "
    "permutations, the latest acting last: decided for all words of four letters over Z4, S3 and Q8; words of up to "
    "200 over A4xZ5, A5 and S5 are sampled.",
    labels_right(words.prefix_products, words.prefix_products_by_doubling),
    (
        Broken("table: the new factor on the right", labels_right(transposed(words.prefix_products))),
        Broken("doubling: the later half on the right", labels_right(transposed(words.prefix_products_by_doubling))),
        Broken("doubling: one round short", labels_right(one_round_short)),
    ),
    lambda: every_word(4),
    random_words,
    number=5_648,
    members=lambda batch: (word.tobytes() for word in batch.words),
)


class Tower(NamedTuple):
    """All towers of commutators of a depth over a group."""

    group: str
    depth: int


TOWERS = tuple(
    Tower(*t) for t in (("Z7", 1), ("S3", 1), ("S3", 2), ("Q8", 1), ("Q8", 2), ("A4", 1), ("A4", 2), ("A5", 1))
)


def leaves(tower: Tower) -> Iterator[tuple[int, ...]]:
    """What the towers are built of."""
    return itertools.product(range(group(tower.group).order), repeat=2**tower.depth)


Level = Callable[[Group, words.Words], words.Words]


def generates(level: Level) -> Decide:
    """Whether the products of the towers generate the derived group of the depth."""

    def decide(tower: Tower) -> str:
        g = group(tower.group)
        built = np.array(list(leaves(tower))).reshape(-1, 1)
        for _ in range(tower.depth):
            built = level(g, built)
        ends = np.unique(words.prefix_products(g, built)[:, -1])
        size = len(closure([tuple(row) for row in g.permutations[ends].tolist()], g.order))
        series = derived_series([tuple(g.permutations[x].tolist()) for x in g.generators])
        expected = series[min(tower.depth, len(series) - 1)]
        return "" if size == expected else f"{tower}: the products generate a group of order {size}, not {expected}"

    return decide


def without_inverses(_: Group, w: words.Words) -> words.Words:
    u, v = w[0::2], w[1::2]
    return np.concatenate([u, v, u, v], axis=1)


def not_turned_round(g: Group, w: words.Words) -> words.Words:
    u, v = w[0::2], w[1::2]
    return np.concatenate([u, v, g.inverse[u], g.inverse[v]], axis=1)


commutator_towers = Finite(
    "tracking.words.commutator_towers",
    "The products of towers of commutators of depth k generate the k-th derived group, so that a model which tracks a "
    "group of derived length d must answer the identity to every tower of depth d: for Z7 and A5 at depth 1, for S3, "
    "Q8 and A4 at depths 1 and 2.",
    generates(words.commutators),
    (
        Broken("u v u v", generates(without_inverses)),
        Broken("the inverse of each letter in the old order", generates(not_turned_round)),
    ),
    lambda: TOWERS,
    number=30_021,
    members=leaves,
)
