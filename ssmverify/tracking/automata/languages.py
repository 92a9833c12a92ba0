"""Whether two automata accept the same words; if not, a shortest word on which they differ."""

from __future__ import annotations

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton, Word


def difference(first: Automaton, second: Automaton) -> Word | None:
    """A shortest word that one of them accepts, in the first's letters, the first such in their order; None if none.

    Pairs of states are gone through by their shortest words (Hopcroft and Karp 1971, without merging). Raises BadInput
    where one has no accepting states, or their letters are not the same.
    """
    for automaton in (first, second):
        if automaton.accept is None:
            raise BadInput(f"{automaton.name} stands for no language: it has no accepting states")
        if automaton.beyond is not None:
            raise BadInput(f"{automaton.name} has more than {automaton.beyond:,} states, so its language is not known")
    if set(first.letters) != set(second.letters):
        one, other = (", ".join(sorted(automaton.letters)) for automaton in (first, second))
        raise BadInput(f"{first.name} has the letters {one}, and {second.name} {other}: give both the same (--letters)")
    place = [second.letters.index(letter) for letter in first.letters]
    marked = first.accept or frozenset(), second.accept or frozenset()
    start = first.start, second.start
    seen = {start}
    pairs: list[tuple[tuple[int, int], Word]] = [(start, ())]
    for (p, q), word in pairs:  # grows while it is read
        if (p in marked[0]) != (q in marked[1]):
            return word
        for letter, row in enumerate(first.delta):
            after = row[p], second.delta[place[letter]][q]
            if after not in seen:
                seen.add(after)
                pairs.append((after, (*word, letter)))
    return None
