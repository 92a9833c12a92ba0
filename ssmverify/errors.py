"""What a user gave wrongly, as one sentence."""

from __future__ import annotations


class BadInput(Exception):
    """What the user gave cannot be used; the message names the culprit and the mend in one sentence."""
