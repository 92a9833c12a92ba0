"""How hypothesis runs here, in CI too: at random, with what failed before kept and tried first, without deadlines.

Hypothesis's own profile for CI draws the same inputs for ever; a neighbour on the machine is no failure.
"""

from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

settings.register_profile(
    "explore",
    derandomize=False,
    database=DirectoryBasedExampleDatabase(".hypothesis/examples"),
    deadline=None,
    print_blob=True,
)
settings.load_profile("explore")
