"""How many labelled letters a second the words of the tracking suite come at, each kind, and each oracle.

    python benchmarks/tracking_words.py [--group S5] [--batch 20000] [--length 512] [--rounds 5]

One process on one core. A line is the median of the rounds: the words and their labels by the table, and the labels
alone by each oracle. The last line is a plain Python loop with one look-up a letter, on a hundredth of the words.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from ssmverify.tracking import words
from ssmverify.tracking.automata.named import group

KINDS = (
    words.uniform,
    words.letters_only,
    words.padded,
    words.there_and_back,
    words.near_identity,
    words.escaping,
    words.runs,
)


def seconds(rounds: int, run: Callable[[], object]) -> float:
    def once() -> float:
        started = time.perf_counter()
        run()
        return time.perf_counter() - started

    return statistics.median(once() for _ in range(rounds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--group", default="S5")
    parser.add_argument("--batch", type=int, default=20_000)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    g, rng = group(options.group), np.random.default_rng(0)
    batch, length = options.batch, options.length
    letters = words.uniform(rng, g, batch, length)
    few = letters[: batch // 100].tolist()
    table = g.table.tolist()

    def in_python() -> None:
        for word in few:
            held, labels = g.identity, []
            for letter in word:
                held = table[letter][held]
                labels.append(held)

    def line(name: str, count: int, run: Callable[[], object]) -> None:
        print(f"{name:34} {count / seconds(options.rounds, run) / 1e6:8.1f} million labels a second")

    print(f"{g.name}, {batch:,} words of {length} letters, median of {options.rounds}, one process")
    for kind in KINDS:
        line(
            f"{kind.__name__} and labels",
            batch * length,
            lambda k=kind: words.prefix_products(g, k(rng, g, batch, length)),
        )
    line("labels by the table", batch * length, lambda: words.prefix_products(g, letters))
    line("labels by doubling", batch * length, lambda: words.prefix_products_by_doubling(g, letters))
    line("labels in a Python loop", len(few) * length, in_python)


if __name__ == "__main__":
    main()
