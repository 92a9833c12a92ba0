"""Exact points at which the hypotheses of a statement hold, derived from the statement. Nothing trusted is here: every
point is checked by `proofs.kernel.holds` before it is handed out."""

from __future__ import annotations

from proofs.points.derive import NoPoint, Sampler

__all__ = ["NoPoint", "Sampler"]
