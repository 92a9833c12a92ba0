"""Points derived from a claim, as a hypothesis strategy."""

from __future__ import annotations

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs.kernel import Claim, Point
from proofs.points import NoPoint, Sampler


def derived(claim: Claim, degenerate: bool = False) -> SearchStrategy[Point]:
    """Points at which the claim's hypotheses hold, drawn from nothing but the claim; `Sampler` says how.

    degenerate: sizes 0 and 1, zeros and equal values. Where no point is found hypothesis sees an example that is
    rejected, and says so if that is all it sees.
    """
    sampler = Sampler(claim.sequent)

    def point(chosen: st.DrawFn) -> Point:
        try:
            return sampler.draw(chosen(st.randoms(use_true_random=False)), degenerate)
        except NoPoint:
            reject()

    return st.composite(point)()
