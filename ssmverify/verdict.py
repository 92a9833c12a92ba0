"""What checking a row found: its status, its layers, its mutants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HOLDS = "holds"
HOLDS_FURTHER = "holds with a further hypothesis"
HOLDS_TESTED = "holds on the cases, tested beyond"
REFUTED = "refuted as read"  # the words that are false are quoted
CAUTION = "caution"  # refuted, but nobody's words: a reading that one might have
TESTED = "tested"
CITED = "cited"
DERIVED = "derived by hand"  # a corollary of what is cited
CONDITIONAL = "conditional"  # on the conjectures that `because` names
OPEN = "open"
NOT_RUN = "not run"  # for the reason that `because` gives
FELL = "not proved"
FAILED = "failed"  # proved or decided, but a layer, an instance or a mutant says otherwise; or decided to be false
STATUSES = (
    HOLDS,
    HOLDS_FURTHER,
    HOLDS_TESTED,
    REFUTED,
    CAUTION,
    TESTED,
    CITED,
    DERIVED,
    CONDITIONAL,
    OPEN,
    NOT_RUN,
    FELL,
    FAILED,
)


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
    a layer or a decision that raises an error on every input; foreign, a claim about other things than the theorem's.
    """

    description: str
    outcome: str  # "refuted" | "survived" | "equivalent" | "weaker" | "ill-typed" | "foreign"
    shown_by: str
    of: str = "the claim"  # or the layer that is broken


@dataclass
class Verdict:
    """What checking one theorem found. It is true, as in `assert check(theorem)`, exactly if it is `green`.

    The status is one of STATUSES; one that failed is `failed` or `not proved`, whatever the proof alone said.
    """

    theorem: str
    status: str
    sizes: str
    indices: str  # lengths, degrees, positions
    decided_by: str
    because: str = ""  # the conjectures of a conditional row; why one was not run; what was done as the time ran out
    by_hand: list[str] = field(default_factory=list)  # steps that nothing here checked
    instances: int = 0
    counterexample: str = ""
    layers: list[LayerResult] = field(default_factory=list)
    mutants: list[MutantResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    undecided: bool = False  # the time given ran out
    seed: int = 0
    sources: str = ""  # hash of what it rests on
    seconds: float = 0.0
    flush_to_zero: bool = False  # where it was checked

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Verdict:
        """The verdict that `dataclasses.asdict` was taken of."""
        layers = [LayerResult(**layer) for layer in found["layers"]]
        return cls(**{**found, "layers": layers, "mutants": [MutantResult(**mutant) for mutant in found["mutants"]]})

    @property
    def unchecked(self) -> bool:
        """Nothing was checked: cited, derived by hand, conditional or open, where nothing could fail, or not run."""
        return self.status in (CITED, DERIVED, CONDITIONAL, OPEN, NOT_RUN)

    @property
    def why_unchecked(self) -> str:
        """Why nothing was checked; empty where something was."""
        if not self.unchecked:
            return ""
        return self.standing if self.status == NOT_RUN else f"{self.standing}: nothing here checks it"

    @property
    def green(self) -> bool:
        """As it should be: proved or refuted, layers inside their bounds, mutants refuted, and all of it in time.

        A row of which nothing could fail is green; one that did not run is not.
        """
        return not self.problems and not self.undecided and self.status != NOT_RUN

    def __bool__(self) -> bool:
        return self.green

    @property
    def standing(self) -> str:
        """The status with what it is conditional on, or why it was not run."""
        joint = {CONDITIONAL: " on ", NOT_RUN: ": "}.get(self.status)
        return f"{self.status}{joint}{self.because}" if joint else self.status

    def settle(self) -> None:
        """The status of what failed, or ran out of time, is not that of its proof."""
        if self.undecided:
            self.status = FELL
        elif self.problems and self.status != FELL:
            self.status = FAILED

    @property
    def refuted_mutants(self) -> str:
        """How many of the mutants that are programs and not equivalent were refuted."""
        counted = [m for m in self.mutants if m.outcome in ("refuted", "survived")]
        return f"{sum(m.outcome == 'refuted' for m in counted)}/{len(counted)}" if counted else "-"
