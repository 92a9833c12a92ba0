"""S5 as chess, as Python and as a story: what other programs read equals the group's product."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from importlib.util import find_spec
from unittest import mock

import pytest

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.named import group
from ssmverify.tracking.reductions import PLACES, Swap, chess, narrative, python_swaps, swaps, swaps_of_word

needs_chess = pytest.mark.skipif(find_spec("chess") is None, reason="python-chess is not installed")
S5 = group("S5")
PAIRS = list(itertools.permutations(range(PLACES), 2))


def elements(word: Sequence[int]) -> list[list[int]]:
    return [S5.permutations[g].tolist() for g in word]


def product(word: Sequence[int]) -> tuple[int, ...]:
    return tuple(S5.permutations[S5.product(word)].tolist())


def words(count: int, longest: int) -> list[list[int]]:
    rng = random.Random()
    return [[rng.randrange(S5.order) for _ in range(rng.randrange(longest + 1))] for _ in range(count)]


def transposition(x: int, y: int) -> tuple[int, ...]:
    return tuple(y if place == x else x if place == y else place for place in range(PLACES))


def moved(swapped: Sequence[Swap]) -> tuple[int, ...]:
    """What swaps do, one after another."""
    return S5_product([transposition(*swap) for swap in swapped])


def S5_product(permutations: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return product([S5.element(p) for p in permutations])


def test_every_element_is_its_swaps() -> None:
    for row in S5.permutations.tolist():
        assert moved(swaps(row)) == tuple(row)
        assert len(swaps(row)) < PLACES


@needs_chess
@pytest.mark.parametrize("rook", range(PLACES))
@pytest.mark.parametrize("pair", PAIRS)
def test_a_transposition_in_twelve_legal_plies(rook: int, pair: Swap) -> None:
    """The 100 cases: every place of the rook, every ordered pair of files."""
    plies = chess.moves([pair])
    assert len(plies) == 12
    board = chess.play(chess.start(rook), plies)
    assert board is not None
    assert chess.rook_file(board) == transposition(*pair)[rook]
    expected = chess.start(transposition(*pair)[rook]).split()
    assert board.fen().split()[:4] == expected[:4]  # pieces, side to move, castling, en passant


@needs_chess
def test_words_as_games() -> None:
    for word in words(5, 8):
        assert chess.read(swaps_of_word(elements(word))) == product(word)


@needs_chess
@pytest.mark.parametrize("ply", ["a8b8", "a7a6", "h1h3", "a1a2"])
def test_an_illegal_move_ends_in_no_board(ply: str) -> None:
    assert chess.play(chess.start(0), [ply]) is None


@needs_chess
def test_a_position_that_is_none() -> None:
    assert chess.play("8/8/8/8/8/8/8/K7 b - - 0 1", []) is None


@needs_chess
def test_the_rook_is_read_only_from_a_full_rank() -> None:
    board = chess.play(chess.start(2), chess.moves([(0, 1)])[:2])
    assert chess.rook_file(board) is None


def test_without_python_chess() -> None:
    with mock.patch.dict("sys.modules", {"chess": None}), pytest.raises(BadInput, match="pip install"):
        chess.play(chess.start(0), [])


def test_words_as_programs() -> None:
    drawn = words(50, 40)
    program = python_swaps.render(swaps_of_word(elements(word)) for word in drawn)
    assert python_swaps.read(program) == [product(word) for word in drawn]


@pytest.mark.parametrize(
    "program",
    [
        "import socket",
        "open('x')",
        "a = [1]",
        "print(a.b)",
        "print(exit())",
        "a: int = 1",
        "print = eval\nprint('1')",
        "print, a = a, print",
        "a, b = eval, 1",
        "print(a, file=b)",
        "print(*a)",
    ],
)
def test_only_swaps_are_run(program: str) -> None:
    with pytest.raises(BadInput, match="only assignments and print"):
        python_swaps.read(program)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("a = (", "no program"),
        ("a, b = b, a", "NameError"),
        ("a, b = 0, 1\nprint(a, b)", "it prints"),
        ("a, b = 0, 1, 2", "ValueError"),
    ],
)
def test_a_program_that_swaps_nothing(program: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        python_swaps.read(program)


def test_what_was_read_is_what_is_run() -> None:
    program = python_swaps.render([[(0, 1)]])
    assert python_swaps.read(f"# coding: no-such-encoding é\n{program}") == [(1, 0, 2, 3, 4)]


def test_words_as_stories() -> None:
    rng = random.Random(1)
    for word in words(50, 40):
        assert narrative.read(narrative.render(swaps_of_word(elements(word)), rng)) == product(word)


def test_a_sentence_about_something_else() -> None:
    story = narrative.render([], random.Random(0)) + "\nThe guests on the first chair and on the sixth chair swap."
    with pytest.raises(BadInput, match="sixth chair"):
        narrative.read(story)
