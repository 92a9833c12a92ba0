"""Whether a picture can be drawn, asked before the work that it is to show."""

from __future__ import annotations

from pathlib import Path

from ssmverify.errors import BadInput


def require(file: Path) -> None:
    """Raises BadInput without matplotlib, for an ending that names no kind of picture, and for a folder that is not."""
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError as error:
        raise BadInput("a plot needs matplotlib: pip install 'ssmverify[plot]'") from error
    if file.suffix[1:] not in FigureCanvasBase.get_supported_filetypes():
        raise BadInput(f"cannot draw to {file}: give it an ending such as .png, .svg or .pdf")
    if not file.absolute().parent.is_dir():
        raise BadInput(f"cannot draw to {file}: make the folder {file.parent} first")
