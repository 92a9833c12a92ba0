"""What checking a row found: its status, its layers, its mutants."""

from __future__ import annotations

from dataclasses import dataclass, field

HOLDS = "holds"
HOLDS_FURTHER = "holds with a further hypothesis"
REFUTED = "refuted as read"
TESTED = "tested"
CITED = "cited"
CONDITIONAL = "conditional"  # with the conjectures' names behind it
OPEN = "open"
NOT_RUN = "not run"  # with the reason behind it
FELL = "not proved"


@dataclass(frozen=True)
class LayerResult:
    """The worst that was seen of one layer in one dtype on one device."""

    layer: str
    dtype: str
    device: str
    examples: int
    worst: float  # error / bound
    worst_input: str
    problem: str = ""  # a violation, with its input; or why the layer did not run


@dataclass(frozen=True)
class MutantResult:
    """What became of a mutant: refuted (by which check, where), or survived; some are no mutants after all.

    Those are: equivalent (with its proof); weaker, an inequality with a larger bound, which is not false; ill-typed,
    a layer that raises an error on every input.
    """

    description: str
    outcome: str  # "refuted" | "survived" | "equivalent" | "weaker" | "ill-typed"
    shown_by: str


@dataclass
class Verdict:
    """What checking one theorem found."""

    theorem: str
    status: str
    sizes: str
    indices: str  # lengths, degrees, positions
    decided_by: str
    instances: int = 0
    counterexample: str = ""
    layers: list[LayerResult] = field(default_factory=list)
    mutants: list[MutantResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    undecided: bool = False  # the time given ran out
    seed: int = 0
    sources: str = ""  # hash of what it rests on
    seconds: float = 0.0

    @property
    def unchecked(self) -> bool:
        """Nothing was checked: cited, conditional or open, where nothing could fail, or not run."""
        return self.status in (CITED, OPEN) or self.status.startswith((CONDITIONAL, NOT_RUN))

    @property
    def green(self) -> bool:
        """Proved or refuted, every layer inside its bound, every mutant refuted, and all of it in time."""
        return not self.problems and not self.undecided

    @property
    def refuted_mutants(self) -> str:
        """How many of the mutants that are programs and not equivalent were refuted."""
        counted = [m for m in self.mutants if m.outcome in ("refuted", "survived")]
        return f"{sum(m.outcome == 'refuted' for m in counted)}/{len(counted)}" if counted else "-"
