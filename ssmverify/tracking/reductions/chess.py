"""S5 as chess in source-target notation: arXiv 2404.08819, Proposition 3.3.

Black has a rook and four queens on a8..e8. To swap what stands on two files X and Y takes twelve plies: black moves
X8-X7, Y8-Y6, X7-Y7, Y6-X6, Y7-Y8, X6-X8, and white's king steps to b1 and back in between. The rules of python-chess
decide which moves are legal and where the rook is in the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ssmverify.errors import BadInput
from ssmverify.tracking.reductions import PLACES, Swap

if TYPE_CHECKING:
    import chess

FILES = "abcde"


def start(rook: int) -> str:
    """The position with black to move and the rook on the given file, in Forsyth-Edwards notation."""
    pieces = "".join("r" if file == rook else "q" for file in range(PLACES))
    return f"{pieces}3/8/8/8/8/8/PP6/K6k b - - 0 1"


def moves(swaps: Iterable[Swap]) -> list[str]:
    """The plies, twelve for each swap; none depends on where the rook is."""
    plies = []
    for swap in swaps:
        x, y = (FILES[place] for place in swap)
        black = [f"{x}8{x}7", f"{y}8{y}6", f"{x}7{y}7", f"{y}6{x}6", f"{y}7{y}8", f"{x}6{x}8"]
        white = ["a1b1", "b1a1"] * 3
        plies += [ply for pair in zip(black, white, strict=True) for ply in pair]
    return plies


def play(position: str, plies: Iterable[str]) -> chess.Board | None:
    """The board after the plies, or None if one of them is illegal; draws are ignored.

    Raises ValueError for notation that python-chess cannot read.
    """
    engine = _engine()
    board = engine.Board(position)
    if not board.is_valid():
        return None
    for ply in plies:
        move = engine.Move.from_uci(ply)
        if not board.is_legal(move):
            return None
        board.push(move)
    return board  # type: ignore[no-any-return]


def rook_file(board: chess.Board) -> int | None:
    """Where on the last rank black's one rook is; None if that rank does not hold the rook and four queens again."""
    pieces = board.board_fen().split("/")[0]
    return pieces.index("r") if sorted(pieces) == sorted("3qqqqr") and pieces[-1] == "3" else None


def read(swaps: Iterable[Swap]) -> tuple[int, ...] | None:
    """The permutation that the moves perform, from one game for each file on which the rook may begin."""
    plies = moves(swaps)
    boards = [play(start(place), plies) for place in range(PLACES)]
    ends = [rook_file(board) if board else None for board in boards]
    return tuple(end for end in ends if end is not None) if None not in ends else None


def _engine() -> Any:
    try:
        import chess
    except ImportError as error:
        raise BadInput("python-chess is missing: pip install 'ssmverify[tracking]'") from error
    return chess
