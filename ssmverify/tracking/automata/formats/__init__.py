"""Files that hold automata, one module a format; `FORMATS` says which suffix is whose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.formats import dot, gap, hoa, jflap, objects, openfst

Reader = Callable[[str, str], Automaton]  # the text and the name

FORMATS: dict[str, Reader] = {
    ".json": objects.from_text,
    ".att": openfst.from_text,
    ".fst": openfst.from_text,
    ".fsa": openfst.from_text,
    ".g": gap.from_text,
    ".gap": gap.from_text,
    ".dot": dot.from_text,
    ".gv": dot.from_text,
    ".jff": jflap.from_text,
    ".hoa": hoa.from_text,
}


def known(path: Path) -> bool:
    """Whether the suffix is one of ours."""
    return path.suffix.lower() in FORMATS


def read(path: Path) -> Automaton:
    """The automaton in a file. Raises BadInput where there is none, or it does not hold what its suffix says."""
    if not path.is_file():
        raise BadInput(f"there is no file {path}; give a path that exists")
    if not known(path):
        raise BadInput(f"{path}: a file of automata ends in {', '.join(FORMATS)}")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is no text: {error}") from None
    return FORMATS[path.suffix.lower()](text, path.stem)
