"""What makes S5 hard, in programs: Barrington's words, and S5 as chess, as Python and as a story."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import permutations, product
from unittest import mock

from hypothesis import strategies as st

from ssmverify.rows import Broken, Decide, Finite, Source
from ssmverify.tracking.automata.named import group
from ssmverify.tracking.reductions import PLACES, Swap, barrington, chess, narrative, python_swaps, swaps_of_word
from ssmverify.tracking.reductions.barrington import And, Formula, Not, Or, Program, Var, compile_formula, five_cycles

BARRINGTON = Source(
    "Bounded-width polynomial-size branching programs recognize exactly those languages in NC1",
    place="Barrington 1989, Theorem 1",
    read="not the paper: the construction is derived here",
)
ILLUSION = Source(
    "The Illusion of State in State-Space Models", "2404.08819v3", "Proposition 3.3", read="notes of the whole paper"
)
OURS = Source("stated here", read="nothing: the rendering is ours, after Figure 1 of 2404.08819")


# ------------------------------------------------------------------------------------------------ Barrington's words
def truth(make: Callable[[Formula], Program]) -> Decide:
    """The length is 4**depth, and the product is the target where the formula is true, else the identity."""

    def decide(formula: Formula) -> str:
        program, shown = make(formula), barrington.show(formula)
        g, length = program.group, len(program.instructions)
        if length != 4 ** barrington.depth(formula):
            return f"{shown} has a word of length {length}"
        for assigned in barrington.assignments(formula):
            wanted = program.target if barrington.value(formula, assigned) else g.identity
            if (found := g.product(program.word(assigned))) != wanted:
                return f"{shown} at {assigned} gives {g.names[found]} and not {g.names[wanted]}"
        return ""

    return decide


def with_pairs(g: str, changed: Callable[[int, int], tuple[int, int]]) -> Callable[[Formula], Program]:
    """The compiler over g with other five-cycles for a commutator."""

    def make(formula: Formula) -> Program:
        pairs = {c: [changed(*pair) for pair in found] for c, found in barrington.commutator_pairs(g).items()}
        with mock.patch.object(barrington, "commutator_pairs", return_value=pairs):
            return compile_formula(formula, g)

    return make


def read_backwards(program: Program) -> Program:
    return Program(program.group, program.target, program.instructions[::-1])


def small_formulas() -> Iterator[Formula]:
    """All of depth at most 2 in two variables with `not` at variables only."""
    literals: list[Formula] = [f for name in "xy" for f in (Var(name), Not(Var(name)))]
    deeper: list[Formula] = [c(f, g) for c in (And, Or) for f, g in product(literals, repeat=2)]
    yield from [*literals, *deeper]
    pairs = [(f, g) for f, g in product(literals + deeper, repeat=2) if barrington.depth(And(f, g)) == 2]
    yield from (c(f, g) for c in (And, Or) for f, g in pairs)


def formulas(deepest: int, names: str) -> st.SearchStrategy[Formula]:
    return st.integers(0, 2**64 - 1).map(lambda seed: barrington.random_formula(random.Random(seed), deepest, names))


A5 = group("A5")


def commutators(cycle: int, of: Callable[[int, int], int] = A5.commutator) -> str:
    """How many pairs of five-cycles have the five-cycle as their commutator."""
    pairs = sum(of(a, b) == cycle for a, b in product(five_cycles("A5"), repeat=2))
    return "" if pairs == 10 else f"{A5.names[cycle]} is the commutator of {pairs} pairs"


def row_barrington(name: str, g: str) -> Finite:
    return Finite(
        name=name,
        says=f"The word over {g} of a formula has length 4 to the depth of its `and` and `or`, and its product is a "
        "five-cycle where the formula is true, the identity where it is false: all formulas of depth at most 2 in two "
        "variables (`not` at variables), on all assignments; of depth at most 4 in five variables they are sampled.",
        decide=truth(lambda formula: compile_formula(formula, g)),
        mutants=(
            Broken("the word read backwards", truth(lambda formula: read_backwards(compile_formula(formula, g)))),
            Broken("a and b exchanged in the commutator", truth(with_pairs(g, lambda a, b: (b, a)))),
            Broken("a five-cycle for its inverse", truth(with_pairs(g, lambda a, b: (a, int(group(g).inverse[b]))))),
        ),
        cases=small_formulas,
        number=2_596,
        samples=lambda: formulas(4, "vwxyz"),
        source=BARRINGTON,
    )


# ------------------------------------------------------------------------------------------------------ S5 in disguise
S5 = group("S5")
Word = list[int]
Reader = Callable[[list[Swap]], tuple[int, ...] | None]
words = st.lists(st.integers(0, S5.order - 1), max_size=6)


def swaps(word: Word) -> list[Swap]:
    return swaps_of_word(S5.permutations[g].tolist() for g in word)


def reads(reader: Reader, rendered: Callable[[Word], list[Swap]] = swaps) -> Decide:
    """The reader finds the group's product."""

    def decide(word: Word) -> str:
        wanted, found = tuple(S5.permutations[S5.product(word)].tolist()), reader(rendered(word))
        return "" if found == wanted else f"{found} and not {wanted} for {[S5.names[g] for g in word]}"

    return decide


def disguised(
    name: str, says: str, reader: Reader, source: Source, *more: Broken, missing: Callable[[], str] = str
) -> Finite:
    return Finite(
        name=f"tracking.{name}",
        says=says,
        decide=reads(reader),
        mutants=(
            Broken("the word in the other order", reads(reader, lambda word: swaps(word[::-1]))),
            Broken(
                "each element's swaps in the other order",
                reads(reader, lambda w: [s for g in w for s in swaps([g])[::-1]]),
            ),
            *more,
        ),
        samples=lambda: words,
        missing=missing,
        source=source,
    )


def no_chess() -> str:
    """Why there is no chess, if there is none."""
    return "" if find_spec("chess") else "there is no python-chess (pip install 'ssmverify[tracking]')"


Game = tuple[int, Swap]  # the rook's file at the start, and the files to swap


def transposition(moves: Callable[[Sequence[Swap]], list[str]]) -> Decide:
    """The moves are legal, swap the two files, and leave the rest of the position as it was."""

    def decide(case: Game) -> str:
        rook, (x, y) = case
        board = chess.play(chess.start(rook), moves([(x, y)]))
        if board is None:
            return f"an illegal move, rook on file {rook}, files {x} and {y}"
        wanted = chess.start(y if rook == x else x if rook == y else rook)
        if board.fen().split()[:4] != wanted.split()[:4]:
            return f"{board.fen()} and not {wanted}, rook on file {rook}, files {x} and {y}"
        return ""

    return decide


def games() -> Iterator[Game]:
    yield from product(range(PLACES), permutations(range(PLACES), 2))


def home_again(swaps: Sequence[Swap]) -> list[str]:
    """Both pieces go back to where they came from."""
    plies = chess.moves(swaps)
    black = plies[:4:2]
    back = [ply[2:] + ply[:2] for ply in reversed(black)]
    return [ply for pair in zip([*black, *back], ["a1b1", "b1a1"] * 2, strict=True) for ply in pair]


def by_rank_seven(swaps: Sequence[Swap]) -> list[str]:
    """Both pieces on rank 7, where they are in each other's way."""
    return [ply.replace("6", "7") for ply in chess.moves(swaps)]


transpositions = Finite(
    name="tracking.chess_transpositions",
    says="Twelve plies that do not depend on where the rook is swap what stands on two of the files a to e of rank 8, "
    "and leave the rest of the position as it was, so that runs of them compose: every place of the rook, every pair "
    "of files in either order.",
    decide=transposition(chess.moves),
    mutants=(
        Broken("two plies short", transposition(lambda swaps: chess.moves(swaps)[:-2])),
        Broken("the pieces go back", transposition(home_again)),
        Broken("rank 7 for rank 6", transposition(by_rank_seven)),
    ),
    cases=games,
    missing=no_chess,
    number=100,
    source=ILLUSION,
)
games_of_words = disguised(
    "chess_words",
    "The moves of a word over S5, played under the rules of chess from each of five positions, bring the rook to where "
    "the word's product brings its file.",
    chess.read,
    ILLUSION,
    missing=no_chess,
)


Assigned = dict[str, bool]


def moves_of(program: Program, assigned: Assigned) -> list[str]:
    return chess.moves(swaps(program.word(assigned)))


def by_chess(moves: Callable[[Program, Assigned], list[str]]) -> Decide:
    """A formula's word over S5, played from the rook on a8: it is back there if and only if the formula is false."""

    def decide(formula: Formula) -> str:
        program = compile_formula(formula, "S5")
        for assigned in barrington.assignments(formula):
            board = chess.play(chess.start(0), moves(program, assigned))
            file = chess.rook_file(board) if board else None
            if file is None or (file != 0) != barrington.value(formula, assigned):
                return f"the rook is on file {file} for {barrington.show(formula)} at {assigned}"
        return ""

    return decide


def of_the_negated(program: Program, assigned: Assigned) -> list[str]:
    return moves_of(program, {name: not value for name, value in assigned.items()})


formulas_by_chess = Finite(
    name="tracking.chess_evaluates_formulas",
    says="A formula becomes moves of chess, each run of them chosen by one variable, after which the rook is back on "
    "a8 if and only if the formula is false: all formulas of depth at most 1 in two variables, on all assignments; of "
    "depth at most 2 in three they are sampled.",
    decide=by_chess(moves_of),
    mutants=(
        Broken("the last two swaps left out", by_chess(lambda program, assigned: moves_of(program, assigned)[:-24])),
        Broken("each variable negated", by_chess(of_the_negated)),
    ),
    cases=lambda: (f for f in small_formulas() if barrington.depth(f) < 2),
    number=36,
    samples=lambda: formulas(2, "xyz"),
    missing=no_chess,
    source=ILLUSION,
)
programs = disguised(
    "python_swaps",
    "A word over S5 as a Python program of swaps of five variables: the interpreter ends with the word's product.",
    lambda swapped: python_swaps.read(python_swaps.render([swapped]))[0],
    OURS,
)


def by_name(swapped: list[Swap]) -> tuple[int, ...]:
    """The story of guests who swap, whatever chairs they are on: the new factor on the right."""
    sits = list(range(PLACES))
    for x, y in swapped:
        sits[x], sits[y] = sits[y], sits[x]
    return tuple(sits)


stories = disguised(
    "narrative",
    "A word over S5 as a story of five guests who change chairs: a parser of the sentences ends with its product.",
    lambda swapped: narrative.read(narrative.render(swapped, random.Random(len(swapped)))),
    OURS,
    Broken("guests for chairs", reads(by_name)),
)

barrington_row = row_barrington("tracking.barrington", "A5")
barrington_s5 = row_barrington("tracking.barrington_s5", "S5")
barrington_commutators = Finite(
    name="tracking.barrington_commutators",
    says="Each of the 24 five-cycles of A5 is the commutator of exactly 10 ordered pairs of five-cycles.",
    decide=commutators,
    mutants=(
        Broken(
            "a b a^-1 b for the commutator",
            lambda c: commutators(c, lambda a, b: A5.product([b, int(A5.inverse[a]), b, a])),
        ),
    ),
    cases=lambda: five_cycles("A5"),
    number=24,
    source=OURS,
)
