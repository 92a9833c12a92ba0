"""`ssmverify classify`: what automata need of a circuit and of a model, with witnesses."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ssmverify.tracking.automata.automaton import Automaton
    from ssmverify.tracking.automata.limits import Limits
    from ssmverify.tracking.sheet import Sheet

DIFFERS, USAGE, UNDECIDED = 1, 2, 3
MONOID_SECONDS = 3.0, 0.2  # for the monoid, once the verdict is there: of one target, of each of many
COLUMNS = ("target", "states", "letters", "verdict", "primes", "derived_length", "monoid", "finer", "problem")


@dataclass(frozen=True)
class Asked:
    """The options of a call."""

    cap: int
    bits: int | None
    rounding: str | None
    letters: str | None
    every_state: bool
    needs: bool
    monoid_seconds: float | None


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="NAME|FILE|FOLDER|REGEX|GAP|FILE.py:LAYER|- ...")
@click.option(
    "--cap",
    type=click.IntRange(1),
    default=10**6,
    show_default=True,
    help="Stop at so many elements of the monoid, and at so many sets of states.",
)
@click.option(
    "--budget", type=click.FloatRange(0, min_open=True), default=60, show_default=True, help="Seconds for each."
)
@click.option(
    "--letters", help="Of a regular expression, such as abc: what . stands for, and letters it does not name."
)
@click.option(
    "--compare", metavar="TARGET", help="Say whether the language is that of TARGET, or the shortest other word."
)
@click.option(
    "--needs/--no-needs", default=None, help="What models need, with layers built; for one target if not said."
)
@click.option("--json", "json_file", metavar="FILE", help="A line of JSON for each target; - prints it instead.")
@click.option("--csv", "csv_file", metavar="FILE", help="A table for spreadsheets; - prints it instead.")
@click.option(
    "--bits", type=click.IntRange(2, 32), help="Of a layer's quantised state: 3 for transition, none for step."
)
@click.option("--rounding", help="Of a layer's state: nearest-even (if not given), floor, half-away or toward-zero.")
@click.option("--every-state", is_flag=True, help="A layer from all states of its grid, not only from its start.")
def classify(
    targets: tuple[str, ...],
    cap: int,
    budget: float,
    letters: str | None,
    compare: str | None,
    needs: bool | None,
    json_file: str | None,
    csv_file: str | None,
    bits: int | None,
    rounding: str | None,
    every_state: bool,
) -> None:
    """Say what tracking an automaton needs: star-free, only p-groups, solvable, or non-solvable.

    Names are Z<m>, S<n>, A<n>, D<n> of order 2n, Q<order>, F<order>, Heis<p>, PSL(2,p), SL(2,p), M11, M12,
    SmallGroup(n,k), products such as A4xZ5, parity, flip-flop and mod-<k>. A file is JSON, OpenFST's text (.att), GAP's
    (.g), Graphviz (.dot), JFLAP (.jff) or HOA; a regular expression, such as "(aa|b)*", stands for its language; so do
    GAP's "(1,2)(3,4), (1,2,3)" for its group. A folder stands for all files in it, and - for the lines of the input. A
    layer of yours, my_layer.py:Layer, is quantised after every step, unless it steps by itself; what it needs is in
    docs/classify.md.

    Exit status 0 with a verdict on each, 1 if a language differs from --compare's or a check failed, 2 if a target
    cannot be read, 3 if the cap, the budget, Ctrl-C, or 10,000 states of a layer came first: what was found is printed.
    """
    from ssmverify.errors import BadInput
    from ssmverify.tracking.automata.limits import Limits, breaking_off
    from ssmverify.tracking.automata.sources import expanded

    chosen = list(expanded(list(targets), sys.stdin))
    if not chosen:
        raise BadInput("there is no target: - takes names, expressions and files from the input, one a line")
    many = len(chosen) > 1
    if many and compare:
        raise BadInput("--compare takes one target, and the other as its value")
    asked = Asked(cap, bits, rounding, letters, every_state, not many if needs is None else needs, MONOID_SECONDS[many])
    with ExitStack() as files:
        out = _Output(json_file, csv_file, many, files)
        limits = Limits()
        with breaking_off(limits):
            status = _all(chosen, asked, budget, limits, out)
            if compare:
                status = max(status, _compare(chosen[0], compare, asked, limits))
    raise click.exceptions.Exit(status)


def _all(targets: list[str], asked: Asked, budget: float, limits: Limits, out: _Output) -> int:
    """Classifies one after the other; what cannot be read is said, and the others go on."""
    from ssmverify.errors import BadInput

    statuses = [0]
    for i, target in enumerate(targets):
        if limits.interrupted:
            out.say(f"Ctrl-C: {len(targets) - i:,} of {len(targets):,} were not looked at")
            statuses.append(UNDECIDED)
            break
        started = time.monotonic()
        try:
            sheets = _sheets(target, asked, limits.within(budget, f"--budget {budget:g}"), out)
        except (BadInput, OSError) as error:
            if len(targets) == 1:
                raise
            out.refused(target, str(error))
            statuses.append(USAGE)
            continue
        out.add(target, sheets, time.monotonic() - started, asked)
        statuses.append(_status(sheets))
    out.end()
    return next((s for s in (DIFFERS, USAGE, UNDECIDED) if s in statuses), 0)


def _status(sheets: list[Sheet]) -> int:
    """The worst; several channels are decided together once one is not solvable."""
    from ssmverify.tracking.automata.classify import NON_SOLVABLE

    worst = max(sheet.status for sheet in sheets)
    settled = any(sheet.certificate.decided and sheet.certificate.verdict == NON_SOLVABLE for sheet in sheets)
    return 0 if worst == UNDECIDED and settled and len(sheets) > 1 else worst


def _sheets(target: str, asked: Asked, limits: Limits, out: _Output) -> list[Sheet]:
    """The one of an automaton; those of a layer's channels, until one is not solvable."""
    from ssmverify.tracking.automata import witness
    from ssmverify.tracking.automata.classify import NON_SOLVABLE
    from ssmverify.tracking.automata.classify import classify as certify
    from ssmverify.tracking.needs import needs
    from ssmverify.tracking.sheet import Sheet

    found: list[Sheet] = []
    with out.working(target):
        for automaton in _automata(target, asked, limits):
            certificate = certify(automaton, asked.cap, limits, asked.monoid_seconds)
            wanted = needs(certificate, limits) if asked.needs else None
            found.append(Sheet(certificate, tuple(witness.problems(certificate)), wanted))
            if certificate.decided and certificate.verdict == NON_SOLVABLE:
                break
    return found


def _automata(target: str, asked: Asked, limits: Limits) -> Iterator[Automaton]:
    from ssmverify.errors import BadInput
    from ssmverify.tracking.automata.sources import load
    from ssmverify.tracking.models import quantised, user_layers

    if user_layers.is_layer(target):
        layer = user_layers.load(target)
        rounding = asked.rounding or "nearest-even"
        yield from quantised.channels(layer, target, asked.bits, rounding, quantised.STATES, limits, asked.every_state)
    elif asked.bits or asked.rounding or asked.every_state:
        raise BadInput(f"--bits, --rounding and --every-state are for layers, FILE.py:LAYER, and {target} is none")
    else:
        yield load(target, asked.letters)


def _compare(target: str, other: str, asked: Asked, limits: Limits) -> int:
    """Says whether the two languages are one; returns the exit status."""
    from ssmverify.errors import BadInput
    from ssmverify.tracking.automata.languages import difference
    from ssmverify.tracking.automata.sources import load
    from ssmverify.tracking.models.user_layers import is_layer

    mine = list(_automata(target, asked, limits))
    if len(mine) > 1:
        raise BadInput(f"{target} has channels and no language: give it accept(state) or readout(state)")
    single = all(len(letter) == 1 for letter in mine[0].letters)
    letters = asked.letters or ("".join(mine[0].letters) if single else None)
    theirs = next(_automata(other, asked, limits)) if is_layer(other) else load(other, letters)
    word = difference(mine[0], theirs)
    if word is None:
        click.echo(f"compared: {target} and {other} have the same language")
        return 0
    who = target if mine[0].accepts(word) else other
    click.echo(f"compared: {target} and {other} differ; a shortest word in one only: {mine[0].spell(word)}, in {who}")
    return DIFFERS


class _Output:
    """Where the answers go: a sheet for one target, a line for each of many, JSON and CSV where asked."""

    def __init__(self, json_file: str | None, csv_file: str | None, many: bool, files: ExitStack):
        from ssmverify.tracking.lines import lines_of_json, rows_of_csv

        self.many, self.quiet = many, "-" in (json_file, csv_file)
        self.json = files.enter_context(lines_of_json(json_file))
        self.csv = files.enter_context(rows_of_csv(csv_file, COLUMNS))
        self.kinds: dict[str, int] = {}

    def working(self, target: str) -> Any:
        from rich.console import Console

        return Console(stderr=True).status(f"{target}: states, groups, monoid; Ctrl-C prints what was found")

    def say(self, text: str) -> None:
        click.echo(text, err=self.quiet)

    def refused(self, target: str, why: str) -> None:
        self.say(f"{target}: {why}")
        self._count("not read")
        self.csv([target, *[""] * (len(COLUMNS) - 2), why])
        self.json({"target": target, "error": why})

    def add(self, target: str, sheets: list[Sheet], seconds: float, asked: Asked) -> None:
        from ssmverify.tracking.models.user_layers import is_layer

        for sheet in sheets:
            self._count(sheet.certificate.verdict if sheet.certificate.decided else "not decided")
            record = sheet.record(target, seconds)
            self.csv(_row(record))
            self.json(record)
        if self.quiet:
            return
        if self.many:
            for sheet in sheets:
                click.echo(_line(target, sheet))
        elif is_layer(target):
            _print_layer(target, sheets, asked)
        else:
            print_sheet(sheets[0])

    def _count(self, kind: str) -> None:
        self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def end(self) -> None:
        if self.many:
            self.say("; ".join(f"{kind}: {count:,}" for kind, count in sorted(self.kinds.items())))


def _row(record: dict[str, Any]) -> list[Any]:
    monoid = record["monoid"]
    return [
        record["target"],
        f"more than {record['states'] - 1}" if record["more_states"] else record["states"],
        len(record["letters"]),
        record["verdict"] or f"not decided, so far {record['verdict_so_far']}",
        " ".join(map(str, record["primes"])),
        record["derived_length"],
        monoid["elements"] if monoid["complete"] else f"more than {monoid['elements']}",
        " ".join(name.replace(" ", "-") for name, holds in record["finer"].items() if holds),
        "; ".join(record["problems"]),
    ]


def _line(target: str, sheet: Sheet) -> str:
    from ssmverify.tracking.sheet import found, states

    c = sheet.certificate
    size = f"{len(c.monoid):,}" if c.monoid.complete else f"more than {len(c.monoid):,}"
    called = target if c.automaton.name in target else f"{target} ({c.automaton.name})"
    inside = [f.name for f in c.finer if f.holds]
    text = "; ".join(sheet.problems) or found(c) + (f"; {', '.join(inside)}" if inside else "")
    return f"{called}: {states(c.automaton)}, monoid {size}, {text}"


def _print_layer(target: str, sheets: list[Sheet], asked: Asked) -> None:
    """The certificate of the worst channel, and a line for each."""
    from ssmverify.tracking.automata.classify import NON_SOLVABLE
    from ssmverify.tracking.models import quantised, user_layers
    from ssmverify.tracking.sheet import found, states

    certificates = [sheet.certificate for sheet in sheets]
    print_sheet(
        min(sheets, key=lambda s: (s.certificate.verdict != NON_SOLVABLE, -(s.certificate.derived_length or 0)))
    )
    layer = user_layers.load(target)
    if len(certificates) > 1 or certificates[0].automaton.name != target:
        for sheet in sheets:
            c = sheet.certificate
            click.echo(f"{c.automaton.name}: {states(c.automaton)}, {'; '.join(sheet.problems) or found(c)}")
        together = quantised.verdict(certificates)
        if together != NON_SOLVABLE and not all(c.decided for c in certificates):
            together = f"not decided; so far {together}"
        settled = "; channels after it were not looked at" if together == NON_SOLVABLE else ""
        click.echo(f"the layer, all its channels together: {together}{settled}")
    rounding = asked.rounding or "nearest-even"
    if hasattr(layer, "transition"):
        which = (
            "all of the grid"
            if asked.every_state
            else f"those that words reach from the first, {quantised.STATES:,} at most"
        )
        click.echo(f"states: {which}; {asked.bits or 3} bits, {rounding}, saturating")
        if quantised.silent(layer, target) and not asked.every_state:
            click.echo("warning: no letter writes (b = 0) and the state starts at 0, so it stays there: give start, or")
            click.echo("         take all states of the grid with --every-state")
    else:
        quantisation = f"{asked.bits} bits, {rounding}, saturating" if asked.bits else "as the layer returns them"
        click.echo(f"states: those that words reach from the first, {quantised.STATES:,} at most; {quantisation}")


def print_certificate(automaton: Automaton, cap: int = 10**6) -> int:
    """Classify, check the certificate, print it; returns the exit status."""
    from ssmverify.tracking.automata import witness
    from ssmverify.tracking.automata.classify import classify as certify
    from ssmverify.tracking.sheet import Sheet

    certificate = certify(automaton, cap)
    sheet = Sheet(certificate, tuple(witness.problems(certificate)))
    print_sheet(sheet)
    return sheet.status


def print_sheet(sheet: Sheet) -> None:
    from rich.console import Console
    from rich.table import Table

    from ssmverify.tracking.needs import NOTE
    from ssmverify.tracking.sheet import lines, title

    table = Table.grid(padding=(0, 2))
    for head, text in lines(sheet):
        table.add_row(head, text)
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False, markup=False)
    console.print(title(sheet.certificate.automaton), soft_wrap=True)
    console.print(table)
    if sheet.needs is None:
        return
    console.print(f"\nto track {sheet.needs.tracked}:", soft_wrap=True)
    needed = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for head in ("layers", "need", "rests on"):
        needed.add_column(head)
    for line in sheet.needs.lines:
        needed.add_row(line.family, line.answer, line.rests_on)
    console.print(needed)
    console.print(NOTE, soft_wrap=False)
