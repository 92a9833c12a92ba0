"""The vocabulary: the rows of the catalogue, and the `Verdict` that says what was found of one.

| row | its statement | is decided by |
| --- | --- | --- |
| `Theorem` | a claim in the language of `proofs.terms` | the kernel: for every size and length, or in listed cases |
| `Finite` | words | a program that goes exactly through every case, or through samples, and is then only tested |
| `Cited` | words | the literature, a conjecture, or our corollary of these, by hand: nothing here |
| `Open` | words | nobody yet |

Each takes `by_hand`: sentences, one for each step between what is decided here and what `says` says that nothing here
checks. Nothing here runs anything; `ssmverify.checking.check` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast, get_args

from proofs.derivation import Derivation, Proved
from proofs.kernel import Claim, Fact
from ssmverify.errors import BadInput

if TYPE_CHECKING:
    import torch
    from hypothesis.strategies import SearchStrategy
    from torch import Tensor

    from ssmverify.checking.computes import Computes

NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
DTYPES = ("float32", "float64")
TIGHT = 0.1  # of a bound: what the errors of a layer reach


@dataclass(frozen=True)
class Source:
    """Where a statement comes from, and what of it was read.

    `words` quotes what was read; where the wording was not at hand it is empty, and `read` names what was. What refutes
    a statement is a refutation of the source only where its words are quoted, and else a caution.
    """

    paper: str
    arxiv: str = ""
    place: str = ""
    words: str = ""
    read: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.paper, self.arxiv and f"arXiv {self.arxiv}", self.place) if part)


STATED_HERE = Source("stated here")


@dataclass(frozen=True)
class Layer:
    """A torch layer that is to compute what the claim says, and how far rounding may take it from that.

    `run(**inputs)` gives a tuple of tensors; `exact(**inputs)` the same values as arrays of rationals, computed on the
    very floats of the inputs; `bound(**inputs)` float64 tensors that broadcast to the outputs, derived from
    the run itself (`ssmverify.bounds`) where it is None. `inputs(dtype)` is a strategy for the
    keyword arguments. `formulas` are the functions whose every sign, term and product the harness breaks in turn.

    A bound is to be tight as well: for each output the errors of some inputs must reach the fraction `reaches` of it.
    Where that is below TIGHT, `loose` says why, in a sentence.
    """

    name: str
    run: Callable[..., tuple[Tensor, ...]]
    exact: Callable[..., tuple[Any, ...]]
    bound: Callable[..., tuple[Tensor, ...]] | None
    inputs: Callable[[torch.dtype], SearchStrategy[dict[str, Any]]]
    formulas: tuple[Callable[..., Any], ...] = ()
    dtypes: tuple[str, ...] = DTYPES
    reaches: float = TIGHT
    loose: str = ""

    def __post_init__(self) -> None:
        if self.bound is None:
            from ssmverify.bounds.layers import layer_bound

            object.__setattr__(self, "bound", layer_bound(self.run))
        wrong = [dtype for dtype in self.dtypes if dtype not in DTYPES]
        if wrong or not self.dtypes:
            given = ", ".join(map(repr, wrong)) or "no dtype"
            raise BadInput(f"the layer {self.name} is to run in {given}: give dtypes= of {' and '.join(DTYPES)}.")
        if not 0 < self.reaches <= 1 or (self.reaches < TIGHT) != bool(self.loose):
            raise BadInput(
                f"the bound of {self.name} is to be reached to reaches = {self.reaches}: give a fraction up to 1, and "
                f"in loose= the reason just where it is below {TIGHT}."
            )


@dataclass(frozen=True)
class Mutant:
    """The claim, or one layer's `run`, with one thing broken on purpose; the theorem's checks must refute it."""

    description: str
    claim: Claim | None = None
    run: Callable[..., tuple[Tensor, ...]] | None = None
    layer: int = 0

    def __post_init__(self) -> None:
        if self.claim is not None and type(self.claim) is not Claim:
            raise BadInput(f"the mutant '{self.description}' has a claim= that is no Claim")
        if (self.claim is None) == (self.run is None):
            raise BadInput(f"the mutant '{self.description}' needs either claim= or run=")


@dataclass(frozen=True, init=False)
class Theorem:
    """A row of the catalogue.

    The claim comes with its proof (`proofs.derivation.proves`), or alone, and then `proof` returns a Fact of the claim,
    or its refutation. `instances` is a strategy for points that satisfy the claim's hypotheses; where none is given
    they are derived from the claim. Another theorem's `fact` may serve as a premise of the proof. `breaks` are mutants
    in short (`ssmverify.breaks`).
    """

    claim: Claim
    proof: Callable[[], Proved]
    instances: Callable[[], SearchStrategy[Mapping[str, Any]]]
    mutants: tuple[Mutant, ...]
    source: Source
    says: str
    layers: tuple[Layer, ...]
    by_hand: tuple[str, ...]
    derivation: Derivation = field(init=False, compare=False)

    def __init__(
        self,
        claim: Claim | Derivation,
        proof: Callable[[], Proved] | None = None,
        instances: Callable[[], SearchStrategy[Mapping[str, Any]]] | None = None,
        mutants: Sequence[Mutant] = (),
        source: Source = STATED_HERE,
        says: str = "",
        layers: Sequence[Layer | Computes] = (),
        by_hand: Sequence[str] = (),
        breaks: Mapping[str, Any] | None = None,
    ) -> None:
        if type(claim) not in (Claim, Derivation):
            raise BadInput(f"a theorem is of a Claim, or of a Derivation as `proves` makes it, given {claim!r:.80}")
        if isinstance(claim, Claim) and proof is None:
            raise BadInput(f"the theorem {claim.name} has no proof: give proof=, or a claim with its proof")
        derivation = claim if isinstance(claim, Derivation) else Derivation(claim, cast(Callable[[], Proved], proof))
        for name, value in {
            "claim": derivation.claim,
            "proof": derivation.script,
            "instances": instances or (lambda: _derived(derivation.claim)),
            "mutants": (*mutants, *_mutants(breaks or {}, derivation.claim)),
            "source": source,
            "says": says,
            "layers": tuple(each if isinstance(each, Layer) else each.layer(derivation.claim) for each in layers),
            "by_hand": by_hand,
            "derivation": derivation,
        }.items():
            object.__setattr__(self, name, value)
        self._check()

    def _check(self) -> None:
        _require(self, mutants=Mutant, layers=Layer, by_hand=str)
        if not self.mutants:
            raise BadInput(
                f"the theorem {self.claim.name} has no mutants, so nothing shows that its checks can fail: "
                "give breaks={...} or mutants=(Mutant(...),) with at least one broken claim or layer"
            )
        for mutant in self.mutants:
            if mutant.run is not None and not 0 <= mutant.layer < len(self.layers):
                raise BadInput(
                    f"the mutant '{mutant.description}' of {self.name} breaks layer {mutant.layer}, but the layers are "
                    f"{', '.join(map(str, range(len(self.layers)))) or 'none'}: give layer= one of them."
                )

    @property
    def name(self) -> str:
        return self.claim.name

    @property
    def fact(self) -> Fact:
        """The proved fact, for use as a premise elsewhere; raises NotProved."""
        return self.derivation.fact

    @property
    def code(self) -> list[Callable[..., Any]]:
        """The functions that the row brings along."""
        return [self.proof, *_layer_code(self.layers)]


def _mutants(breaks: Mapping[str, Any], claim: Claim) -> list[Mutant]:
    from ssmverify.breaks import broken

    return [Mutant(description, **broken(description, what, claim)) for description, what in breaks.items()]


def _derived(claim: Claim) -> SearchStrategy[Mapping[str, Any]]:
    from ssmverify.checking.points import derived

    return derived(claim)


Decide = Callable[[Any], str]


@dataclass(frozen=True)
class Broken:
    """A `Finite` row's decision with one thing broken on purpose: it must find a wrong value."""

    description: str
    decide: Decide


@dataclass(frozen=True)
class Finite:
    """A row whose statement speaks of finitely many cases, each decided exactly by a program.

    `decide(case)` is empty where the case is right, and says what is wrong, with the values, where it is not; it raises
    for neither. `cases()` lists every case of the statement, no two alike, and `number` says how many there are: then
    the row `holds`. `samples()` is a hypothesis strategy for cases of a larger domain; with it alone the row is only
    `tested`. Where one item stands for many cases, `members(item)` goes through them, so that they too are counted and
    compared, and `number` counts members.

    With `refuted`, `says` is a false statement, and each item of `cases` a counterexample, which `decide` rejects;
    `right()` lists cases that it accepts, for a decision that rejects everything shows nothing. The mutants are then
    decisions under which none of the counterexamples is one. `missing()` says what the decision needs that is not here,
    and is empty where nothing is: the row is then not run.
    """

    name: str
    says: str
    decide: Decide
    mutants: tuple[Broken, ...]
    cases: Callable[[], Iterable[Any]] | None = None
    samples: Callable[[], SearchStrategy[Any]] | None = None
    source: Source = STATED_HERE
    layers: tuple[Layer, ...] = ()
    number: int | None = None
    members: Callable[[Any], Iterable[Any]] = lambda item: (item,)
    refuted: bool = False
    right: Callable[[], Iterable[Any]] = tuple
    missing: Callable[[], str] = lambda: ""
    by_hand: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require(self, mutants=Broken, layers=Layer, by_hand=str)
        if not self.mutants:
            raise BadInput(f"the row {self.name} has no mutants, so nothing shows that it can fail: give Broken(...)")
        if not (self.cases or self.samples) or (self.refuted and not self.cases):
            raise BadInput(
                f"the row {self.name} has nothing to decide: give cases=" + " or samples=" * (not self.refuted)
            )
        if bool(self.cases) != (type(self.number) is int):
            mend = "give number= as well, how many there are" if self.cases else "number= goes with cases= alone"
            raise BadInput(f"the row {self.name} says {self.number} is the number of its cases: {mend}.")

    @property
    def code(self) -> list[Callable[..., Any]]:
        """The functions that the row brings along."""
        return [self.decide, *(m.decide for m in self.mutants), *_layer_code(self.layers)]


class _Unchecked:
    """A row of which nothing is checked: it has no layers, and brings no functions along."""

    layers: ClassVar[tuple[Layer, ...]] = ()
    code: ClassVar[tuple[Callable[..., Any], ...]] = ()


@dataclass(frozen=True)
class Cited(_Unchecked):
    """A row that rests on the literature: nothing here proves it, and nothing here could make it fail.

    `assumes` names the open conjectures it is conditional on; it inherits those of the rows it rests on. With `by_hand`
    it is our corollary of what it rests on, and these are its steps.
    """

    name: str
    says: str
    source: Source
    assumes: tuple[str, ...] = ()
    rests_on: tuple[Row, ...] = ()
    by_hand: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require(self, assumes=str, rests_on=Row, by_hand=str)

    @property
    def conjectures(self) -> tuple[str, ...]:
        """All open conjectures below it."""
        inherited = [c for row in self.rests_on if isinstance(row, Cited) for c in row.conjectures]
        return tuple(dict.fromkeys((*self.assumes, *inherited)))


@dataclass(frozen=True)
class Open(_Unchecked):
    """A row that nobody has settled, as far as its source says."""

    name: str
    says: str
    source: Source
    by_hand: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require(self, by_hand=str)


Row = Theorem | Finite | Cited | Open


def _layer_code(layers: Iterable[Layer]) -> list[Callable[..., Any]]:
    return [f for layer in layers for f in (layer.run, layer.exact, layer.bound) if f is not None]


def _require(row: Row, **members: Any) -> None:
    """Raises BadInput for a name that is none, and for a field that is no tuple of what it should be."""
    if not (isinstance(row.name, str) and NAME.fullmatch(row.name)):
        raise BadInput(
            f"a row cannot be called {row.name!r}: a name is words of lower-case letters, digits and _ with "
            "dots between, such as mine.square."
        )
    if type(row) not in get_args(Row):
        raise BadInput(f"the row {row.name} is of a class of its own: make it of Theorem, Finite, Cited or Open.")
    for member, kind in members.items():
        given = getattr(row, member)
        if not isinstance(given, tuple | list) or not all(isinstance(one, kind) for one in given):
            expected = getattr(kind, "__name__", "row")
            raise BadInput(f"the row {row.name} has {member}= that is no tuple of {expected}: write {member}=(..., ).")
        object.__setattr__(row, member, tuple(given))  # a list may change later
