"""How hypothesis runs here: at random, without a deadline, since a neighbour on the machine is no failure."""

from hypothesis import settings

settings.register_profile("numeric", deadline=None, print_blob=True)
settings.load_profile("numeric")
