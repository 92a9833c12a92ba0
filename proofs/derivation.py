"""Run a proof file by itself: `python -m proofs.longhorn.update` prints its derivations, step by step."""

from __future__ import annotations

import argparse
import inspect
import os
import random
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import NoReturn, cast

from proofs.failure import explain
from proofs.kernel import Cases, Claim, Fact, NotProved, Point, Refuted, Sequent, establish, instantiate
from proofs.points import NoPoint, Sampler
from proofs.printing import Latex, Text, sequent, show_point, statement
from proofs.terms import And, Formula, Relation, Term, free_indices, index, symbols

Proved = Fact | Refuted | Cases
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Derivation:
    """A claim, and the script that proves it (ends in a fact with its statement) or refutes it."""

    claim: Claim
    script: Callable[[], Proved]

    @property
    def name(self) -> str:
        return self.claim.name

    @property
    def hypotheses(self) -> Mapping[str, Formula]:
        return self.claim.hypotheses

    @property
    def conclusion(self) -> Formula:
        return self.claim.conclusion

    @property
    def sequent(self) -> Sequent:
        return self.claim.sequent

    @property
    def lhs(self) -> Term:
        """The left side of an equation or an inequality."""
        return cast(Relation, self.conclusion).lhs

    @property
    def rhs(self) -> Term:
        """Its right side."""
        return cast(Relation, self.conclusion).rhs

    @cached_property
    def found(self) -> Proved:
        """What the script found, checked to be about this very claim; raises NotProved.

        `cases` will do where sizes and lengths are all that varies: then each case is proved.
        """
        if type(self.claim) is not Claim:
            raise NotProved(f"{self.name}: a {type(self.claim).__name__} is no Claim")
        found = self.script()
        if type(found) is Fact:
            return establish(self._witnessed(), found)
        if type(found) not in (Cases, Refuted):
            raise NotProved(f"{self.name}: the proof returns a {type(found).__name__}, and no Fact")
        if found.sequent != self.sequent:  # type: ignore[union-attr]
            raise NotProved(f"{self.name}: what is shown is about another statement")
        if isinstance(found, Cases) and (varying := sorted(symbol.name for symbol in symbols(self.sequent))):
            raise NotProved(f"{self.name}: cases fix the values of {', '.join(varying)}, which are any")
        return found

    def _witnessed(self) -> Claim:
        """The claim with a point at which its hypotheses hold together; `establish` looks whether they do."""
        if self.claim.witness or not self.hypotheses:
            return self.claim
        hypotheses = self.sequent.hypotheses
        try:
            point = Sampler(Sequent(hypotheses, And(tuple(hypotheses)))).draw(random.Random(0))
        except NoPoint as reason:
            raise NotProved(f"{self.name}: {reason}; give a witness= at which the hypotheses hold") from reason
        return replace(self.claim, witness=point)

    @property
    def fact(self) -> Fact:
        """The proved fact, for use as a premise elsewhere; raises NotProved."""
        if not isinstance(self.found, Fact):
            raise NotProved(f"{self.name} is no fact, but a {type(self.found).__name__}: it cannot be a premise")
        return self.found

    @property
    def idea(self) -> str:
        """The proof in a sentence or two."""
        return inspect.cleandoc(self.script.__doc__ or "")


def proves(
    conclusion: Formula,
    hypotheses: Mapping[str, Formula] | None = None,
    *,
    further: Iterable[str] = (),
    witness: Point | None = None,
) -> Callable[[Callable[[], Proved]], Derivation]:
    """The claim that the decorated script proves; both are called by the place where they stand.

    hypotheses: by names that say what they are. further: those that the source does not make. witness: a point at which
    all of them hold; one is sought where none is given.
    """

    def decorate(script: Callable[[], Proved]) -> Derivation:
        name = f"{_paper(script)}.{script.__name__}"
        return Derivation(Claim(name, conclusion, hypotheses or {}, witness or {}, frozenset(further)), script)

    return decorate


def _paper(script: Callable[[], Proved]) -> str:
    """The folder or file under `proofs` that a script stands in; of a file elsewhere its name."""
    file = Path(script.__code__.co_filename)
    return file.relative_to(FOLDER).with_suffix("").parts[0] if file.is_relative_to(FOLDER) else file.stem


def derivations(module: ModuleType) -> list[Derivation]:
    """The derivations that a module defines, in its order."""
    found = [value for value in vars(module).values() if isinstance(value, Derivation)]
    return [each for each in found if each.script.__module__ == module.__name__]


def steps(fact: Fact, printer: type[Text] = Text) -> list[str]:
    """The derivation, a line for each step: number, rule, the steps it rests on, the sequent."""
    numbers: dict[int, int] = {}
    lines = []
    for number, step in enumerate(fact.steps(), 1):
        numbers[id(step)] = number
        on = " ".join(str(numbers[id(premise)]) for premise in step.premises)
        repeated = step.premises and step.premises[0].conclusion == step.conclusion
        conclusion = f"the same as in {numbers[id(step.premises[0])]}" if repeated else None
        lines.append(f"{number:3}. [{' '.join((step.rule, on)).strip()}]  {sequent(step, printer, conclusion)}")
    return lines


def main(title: str | None) -> None:
    """The command line of a proof file run as a script: all derivations, or those named; sizes by `--n 3` and so on.

    Exit status: 0 if all was derived, 1 if a proof fails or nobody reads on, 2 for wrong arguments.
    """
    own = derivations(sys.modules["__main__"])
    sizes = sorted({name for each in own for name in free_indices(each.claim.sequent)})
    parser = _Parser(allow_abbrev=False, description=(title or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="claims to derive (default: all)")
    parser.add_argument("--latex", action="store_true", help="print formulas as LaTeX")
    for name in sizes:
        parser.add_argument(f"--{name}", type=_natural, help=f"state the result for {name} = this number as well")
    options = vars(parser.parse_args())
    unknown = set(options["names"]) - {each.name for each in own}
    if unknown:
        parser.error(f"no claim {', '.join(sorted(unknown))} here; there are {', '.join(each.name for each in own)}")
    try:
        for each in own:
            if not options["names"] or each.name in options["names"]:
                _print(each, Latex if options["latex"] else Text, {s: options[s] for s in sizes})
        sys.stdout.flush()
    except NotProved as reason:
        sys.exit(f"not proved: {explain(reason)}")
    except BrokenPipeError:  # `| head`: what is still in the buffer has no reader
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a size is a natural number, given {text}")
    return int(text)


def _print(derivation: Derivation, printer: type[Text], sizes: dict[str, int | None]) -> None:
    claim = derivation.claim
    print(f"\n{claim.name}\n{'=' * len(claim.name)}")
    print("Claim.", *statement(claim, printer), sep="\n  ")
    fact = derivation.found
    print("Idea.", *derivation.idea.splitlines(), sep="\n  ")
    if isinstance(fact, Refuted):
        print(f"Refuted as read, at {show_point(fact.point)}.")
        return
    if isinstance(fact, Cases):
        print(f"Proved at {'; '.join(show_point(point) for point in fact.points)}.")
        return
    print("Derivation.", *steps(fact, printer), sep="\n")
    free = sorted(free_indices(claim.sequent))
    print(f"Proved{' for every ' + ', '.join(free) if free else ''}.")
    given = {name: index(value) for name, value in sizes.items() if value is not None and name in free}
    if given:
        print(f"For {', '.join(f'{n} = {sizes[n]}' for n in given)}:\n  {sequent(instantiate(fact, given), printer)}")
