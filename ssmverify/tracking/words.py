"""Words over a group's elements, from uniform to adversarial, and their prefix products.

A batch of words is an integer array (batch, length) of element indices, read from left to right; its labels are the
prefix products g_t ··· g_1 of `ssmverify.tracking.automata.group`. A kind of word takes a seeded
`numpy.random.Generator` first. Words that come from a formula are in `ssmverify.tracking.reductions.barrington`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.group import Group

Words = NDArray[np.integer[Any]]  # (batch, length)


# ------------------------------------------------------------------------------------------------- the labels
def prefix_products(group: Group, words: Words) -> Words:
    """g_t ··· g_1 for every prefix, (batch, length): one look-up in the table for each letter, in time order."""
    return _run(group.table, group.identity, words)


def states(automaton: Automaton, words: Words) -> Words:
    """The automaton's state after every letter, (batch, length)."""
    return _run(np.array(automaton.delta), automaton.start, words)


def _run(table: NDArray[np.int64], start: int, words: Words) -> Words:
    """h_t = table[word_t, h_{t-1}], all words of the batch at once."""
    flat = np.ascontiguousarray(table, smallest(table.shape[1])).ravel()
    row = np.ascontiguousarray(words.T).astype(np.int32)  # time first, so that every step reads and writes in one piece
    row *= table.shape[1]
    labels = np.empty(row.shape, flat.dtype)
    held = np.full(row.shape[1], start, flat.dtype)
    for t in range(len(row)):
        row[t] += held
        held = np.take(flat, row[t], out=labels[t])
    return labels.T


def prefix_products_by_doubling(group: Group, words: Words) -> Words:
    """The same labels in log2(length) rounds: after round k each place holds the product of its last 2^k letters."""
    table, products = group.table.astype(smallest(group.order)), np.array(words)
    reach = 1
    while reach < words.shape[1]:
        products[:, reach:] = table[products[:, reach:], products[:, :-reach]]  # later letters on the left
        reach *= 2
    return products


def states_by_doubling(automaton: Automaton, words: Words) -> Words:
    """The same states, from compositions of the letters' transformations, (batch, length, states) in memory."""
    maps = np.array(automaton.delta)[words]
    reach = 1
    while reach < words.shape[1]:
        maps[:, reach:] = np.take_along_axis(maps[:, reach:], maps[:, :-reach], axis=2)
        reach *= 2
    return maps[:, :, automaton.start]


def smallest(n: int) -> np.dtype[Any]:
    """The smallest unsigned type for 0..n-1."""
    return np.min_scalar_type(n - 1)


# -------------------------------------------------------------------------------------------------- the words
def uniform(rng: Generator, group: Group, batch: int, length: int) -> Words:
    """Every element equally likely at every place."""
    # One byte for each draw is several times faster; time first, as the labels want it.
    return rng.integers(group.order, size=(length, batch), dtype=smallest(group.order)).T


def letters_only(rng: Generator, group: Group, batch: int, length: int, letters: Sequence[int] | None = None) -> Words:
    """Only the given elements: the group's generators, if none are given."""
    chosen = np.array(letters or group.generators or [group.identity], smallest(group.order))
    return chosen[rng.integers(len(chosen), size=(batch, length))]


def padded(rng: Generator, group: Group, batch: int, length: int, share: float = 0.5) -> Words:
    """Uniform words in which each letter is replaced by the identity with probability `share`."""
    words = uniform(rng, group, batch, length)
    return np.where(rng.random(words.shape) < share, smallest(group.order).type(group.identity), words)


def inverted(group: Group, words: Words) -> Words:
    """The words' inverses: the inverse of each letter, in the opposite order."""
    return group.inverse.astype(smallest(group.order))[words[:, ::-1]]


def there_and_back(rng: Generator, group: Group, batch: int, length: int) -> Words:
    """w w^-1 v with w a third of the length: after w^-1 the labels are those of v alone."""
    w = uniform(rng, group, batch, length // 3)
    v = uniform(rng, group, batch, length - 2 * w.shape[1])
    return np.concatenate([w, inverted(group, w), v], axis=1)


def near_identity(rng: Generator, group: Group, batch: int, length: int) -> Words:
    """Identities but for one letter at a random place, which every later label must show; length >= 1."""
    words = np.full((batch, length), group.identity, smallest(group.order))
    rows = np.arange(batch)
    words[rows, rng.integers(length, size=batch)] = _other_than(rng, group, words[:, 0])
    return words


def one_change(rng: Generator, group: Group, words: Words) -> Words:
    """The words with one letter changed at a random place: in a group, every label from there on changes."""
    changed = np.array(words)
    rows, places = np.arange(len(words)), rng.integers(words.shape[1], size=len(words))
    changed[rows, places] = _other_than(rng, group, changed[rows, places])
    return changed


def _other_than(rng: Generator, group: Group, elements: Words) -> Words:
    """For each element a random other one."""
    if group.order == 1:
        raise BadInput(f"{group.name} has but one element, so no letter can be changed")
    return (elements + rng.integers(1, group.order, size=elements.shape)) % group.order


def escaping(rng: Generator, group: Group, batch: int, length: int, inside: Sequence[int] | None = None) -> Words:
    """Letters of a subgroup in the first half, then letters of the whole group.

    inside: the subgroup's elements; the stabiliser of the last point if none are given (A4 in A5, S4 in S5).
    """
    subgroup = np.array(stabiliser(group) if inside is None else inside, smallest(group.order))
    if set(group.table[np.ix_(subgroup, subgroup)].ravel().tolist()) != set(subgroup.tolist()):
        raise BadInput(f"{len(subgroup)} elements of {group.name} that are no subgroup: give all of its elements")
    first = subgroup[rng.integers(len(subgroup), size=(batch, length // 2))]
    return np.concatenate([first, uniform(rng, group, batch, length - length // 2)], axis=1)


def stabiliser(group: Group, point: int = -1) -> list[int]:
    """The elements that leave a point where it is; the last point by default."""
    point %= group.permutations.shape[1]
    return np.flatnonzero(group.permutations[:, point] == point).tolist()


def runs(rng: Generator, group: Group, batch: int, length: int) -> Words:
    """g g g ...: one letter, other than the identity, repeated: where a phase would drift or a state saturate."""
    letters = _other_than(rng, group, np.full(batch, group.identity, smallest(group.order)))
    return np.repeat(letters[:, None], length, axis=1).astype(smallest(group.order))


def commutator_tower(rng: Generator, group: Group, batch: int, depth: int) -> Words:
    """Commutators u v u^-1 v^-1 of commutators, `depth` of them, of random letters: words of length 4^depth.

    Their product is in the depth-th derived group: the identity, if the group is solvable of that derived length.
    """
    words = uniform(rng, group, batch * 2**depth, 1)
    for _ in range(depth):
        words = commutators(group, words)
    return words


def commutators(group: Group, words: Words) -> Words:
    """u v u^-1 v^-1 for each two words that follow one another, (batch / 2, 4 length)."""
    u, v = words[0::2], words[1::2]
    return np.concatenate([u, v, inverted(group, u), inverted(group, v)], axis=1)


# ------------------------------------------------------------------------------------- the word-problem data sets
HEADER = ["seed", "input", "target"]


def write_csv(file: Path, group: Group, words: Words, seed: int = 0) -> None:
    """Write words and labels in the format, and the convention, of the word-problem data sets.

    There the new element stands on the right, so what is written is the inverse of every letter and of every label.
    """
    inputs, targets = group.inverse[words], group.inverse[prefix_products(group, words)]
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        for row, labels in zip(inputs.tolist(), targets.tolist(), strict=True):
            writer.writerow([seed, " ".join(map(str, row)), " ".join(map(str, labels))])


def read_csv(file: Path, group: Group) -> Words:
    """The words of a word-problem data set, as words of ours: the inverse of every letter.

    Elements are numbered as the data sets number them: S_n in lexicographic order, A_n in the order of S_n, Z_m by the
    exponent, pairs of a product row by row. Every target is checked; raises BadInput where one is not the product.
    """
    try:
        reader = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline=""))
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is no text in UTF-8: {error}") from None
    if not {"input", "target"} <= set(reader.fieldnames or ()):
        raise BadInput(f"{file} has no columns 'input' and 'target'; the first line must be {','.join(HEADER)}")
    rows = [(_numbers(row["input"], file, k), _numbers(row["target"], file, k)) for k, row in enumerate(reader, 2)]
    if (
        not rows
        or not rows[0][0]
        or any(len(word) != len(rows[0][0]) or len(word) != len(labels) for word, labels in rows)
    ):
        raise BadInput(f"{file}: there must be rows, and all inputs and targets of one length")
    inputs, targets = (np.array([row[i] for row in rows]) for i in range(2))
    if inputs.min(initial=0) < 0 or inputs.max(initial=0) >= group.order:
        raise BadInput(f"{file} has elements outside 0..{group.order - 1}, those of {group.name}")
    words: Words = group.inverse[inputs].astype(smallest(group.order))
    wrong = np.argwhere(group.inverse[prefix_products(group, words)] != targets)
    if len(wrong):
        line, place = wrong[0] + (2, 0)
        raise BadInput(
            f"{file}, line {line}: the target at place {place} is not the product in {group.name}; "
            "is it another group, or another order of its elements?"
        )
    return words


def _numbers(text: str | None, file: Path, line: int) -> list[int]:
    try:
        return [int(number) for number in (text or "").split()]
    except ValueError:
        raise BadInput(f"{file}, line {line}: {text!r} is no list of element numbers with spaces between") from None
