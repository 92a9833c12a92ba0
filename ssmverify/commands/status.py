"""Exit statuses, of every command."""

FELL = 1  # something fell, or a mutant survived
USAGE = 2  # what was asked for cannot be done
UNDECIDED = 3  # the time ran out, or the run was interrupted
