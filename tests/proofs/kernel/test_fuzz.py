"""A short run of the fuzzer, at seeds that hypothesis draws. The long one: `python -m tests.proofs.kernel.fuzz`."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofs.kernel import RULES
from tests.proofs.kernel.fuzz.run import MOVES, run

short = settings(derandomize=False, deadline=None, suppress_health_check=list(HealthCheck), max_examples=20)


@short
@given(st.integers(0, 10**9))
def test_random_scripts_prove_nothing_false(seed: int) -> None:
    tally = run(seed, 60)
    assert not tally.false, tally.false


def test_every_rule_is_fuzzed() -> None:
    assert set(MOVES) == set(RULES)
    tally = run(1, 10**6, (), lambda so_far: all(so_far.judged[rule] for rule in RULES))
    assert not tally.false
