"""What a user gave wrongly, as one sentence."""

from __future__ import annotations


class BadInput(Exception):
    """What the user gave cannot be used; the message names the culprit and the mend in one sentence."""


def one_line(message: str, limit: int = 300) -> str:
    """The beginning of a message from elsewhere, on one line, and without what would steer a terminal."""
    printable = "".join(c if c.isprintable() else " " for c in message[: 4 * limit])
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[:limit] + " ..."
