"""Theorems about state-space models, derived with sympy and python-flint, without torch."""

from proofs import printing as printing  # the kernel shows its facts and failures with it
