"""A layer to classify: its gate may be -1, so it can track parity; with gates from 0 to 1 it cannot.

ssmverify classify examples/layer_parity.py:Signed
ssmverify classify examples/layer_parity.py:Positive
"""


class Signed:
    """h -> a h + b with a = -1 for the letter 1, from h = 1: the sign of h is the parity."""

    letters = (0, 1)

    def transition(self, token: int) -> tuple[float, float]:
        """(a, b) of h -> a h + b."""
        return (-1.0, 1.0) if token else (1.0, 0.0)


class Positive:
    """The same layer with a gate from 0 to 1."""

    letters = (0, 1)

    def transition(self, token: int) -> tuple[float, float]:
        """(a, b) of h -> a h + b."""
        return (0.5, 0.5) if token else (1.0, 0.0)
