"""The algebra under the state-tracking suite: verdicts on automata, and their witnesses.

What a verdict means for circuits is cited; the verdicts themselves are decided here, case by case, against the
definition of a maximal subgroup.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from hypothesis import strategies as st

from ssmverify.rows import Broken, Cited, Decide, Finite, Source
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.classify import APERIODIC, NON_SOLVABLE, P_GROUPS, SOLVABLE, Certificate, classify
from ssmverify.tracking.automata.group import Permutation, compose, order
from ssmverify.tracking.automata.named import group
from ssmverify.tracking.automata.sources import load
from ssmverify.tracking.automata.witness import derived_series, problems

# --------------------------------------------------------------------------------------------- known verdicts
Known = tuple[str, str, tuple[int, ...], int | None, int]  # what, verdict, primes, derived length, monoid's size

KNOWN: tuple[Known, ...] = (
    ("(a*b*)", APERIODIC, (), 0, 5),
    ("(a|b)*aa(a|b)*", APERIODIC, (), 0, 6),
    ("flip-flop", APERIODIC, (), 0, 3),
    ("parity", P_GROUPS, (2,), 1, 2),
    ("(aa|b)*", P_GROUPS, (2,), 1, 7),
    ("(abab)*", P_GROUPS, (2,), 1, 10),
    ("D4", P_GROUPS, (2,), 2, 8),
    ("Q8", P_GROUPS, (2,), 2, 8),
    ("Z60", SOLVABLE, (2, 3, 5), 1, 60),
    ("S3", SOLVABLE, (2, 3), 2, 6),
    ("A4", SOLVABLE, (2, 3), 2, 12),
    ("A4xZ5", SOLVABLE, (2, 3, 5), 2, 60),
    ("S4", SOLVABLE, (2, 3), 3, 24),
    ("A5", NON_SOLVABLE, (2, 3, 5), None, 60),
    ("S5", NON_SOLVABLE, (2, 3, 5), None, 120),
)
Classify = Callable[[Automaton], Certificate]


def has_verdict(certify: Classify) -> Decide:
    def decide(known: Known) -> str:
        target, *expected = known
        certificate = certify(load(target))
        found = [certificate.verdict, certificate.primes, certificate.derived_length, len(certificate.monoid)]
        wrong = "" if found == expected else f"{target}: {found}, not {expected}"
        return wrong or "; ".join(problems(certificate))

    return decide


def only_permutations(a: Automaton) -> Certificate:
    """Looks for groups among the letters that permute all states, and nowhere else."""
    kept = [row for row in a.delta if sorted(row) == list(range(a.states))] or [tuple(range(a.states))]
    groups = classify(Automaton(tuple(map(str, range(len(kept)))), tuple(kept))).groups
    return replace(classify(a), groups=groups)


def without_series(a: Automaton) -> Certificate:
    """Takes every group that is not abelian for non-solvable."""
    certificate = classify(a)
    cut = tuple(
        g if g.derived_length == 1 else replace(g, derived_series=g.derived_series[:1]) for g in certificate.groups
    )
    return replace(certificate, groups=cut)


def without_last_letter(a: Automaton) -> Certificate:
    """A generator dropped."""
    if len(a.letters) == 1:
        return classify(a)
    return classify(Automaton(a.letters[:-1], a.delta[:-1], a.start, a.accept, a.name))


BREAKS = (
    Broken("every group that is not abelian taken for non-solvable", has_verdict(without_series)),
    Broken("a generator dropped", has_verdict(without_last_letter)),
)
known_verdicts = Finite(
    "tracking.automata.known_verdicts",
    f"The verdicts on {', '.join(target for target, *_ in KNOWN)}: aperiodic, only p-groups, solvable with the derived "
    "length, or non-solvable; each certificate is checked by running its words and by going through the monoid's "
    "elements.",
    has_verdict(classify),
    (*BREAKS, Broken("groups sought in permutations of all states alone", has_verdict(only_permutations))),
    lambda: KNOWN,
    number=15,
)


# ------------------------------------------------------------------------------ the groups, by their definition
def all_automata() -> Iterator[Automaton]:
    """All automata with one letter and at most four states, or two letters and at most three."""
    for letters, most in ((1, 4), (2, 3)):
        for n in range(1, most + 1):
            for delta in itertools.product(itertools.product(range(n), repeat=n), repeat=letters):
                yield Automaton(("a", "b")[:letters], delta)


@st.composite
def larger_automata(draw: st.DrawFn) -> Automaton:
    """Two or three letters on four states, some of them permutations."""
    row = st.tuples(*[st.integers(0, 3)] * 4) | st.permutations(range(4)).map(tuple)
    delta = tuple(draw(st.lists(row, min_size=2, max_size=3)))
    return Automaton(("a", "b", "c")[: len(delta)], delta)


def maximal_subgroups(a: Automaton) -> Iterator[list[Permutation]]:
    """For each idempotent e of the monoid M the group of units of e M e, as permutations of the image of e."""
    elements = {tuple(range(a.states))}
    while new := {compose(row, m) for m in elements for row in a.delta} - elements:
        elements |= new
    for e in elements:
        if compose(e, e) == e:
            local = {compose(compose(e, m), e) for m in elements}
            image = sorted(set(e))
            units = [m for m in local if any(compose(m, x) == e == compose(x, m) for x in local)]
            yield [tuple(image.index(m[s]) for s in image) for m in units]


def is_by_definition(certify: Classify) -> Decide:
    def decide(a: Automaton) -> str:
        series = {derived_series(units) for units in maximal_subgroups(a)}
        primes = {p for p in (2, 3, 5) for s in series if s[0] % p == 0}
        solvable = all(s[-1] == 1 for s in series)
        expected = (tuple(sorted(primes)), max(len(s) - 1 for s in series) if solvable else None)
        certificate = certify(a)
        found = (certificate.primes, certificate.derived_length)
        return "" if found == expected else f"δ = {a.delta}: primes and derived length {found}, not {expected}"

    return decide


by_definition = Finite(
    "tracking.automata.image_sets",
    "The primes and the greatest derived length of the maximal subgroups of an automaton's monoid are those of the "
    "groups that words make on the sets of states they lead to: decided for all automata with one letter and at most "
    "four states, or two letters and at most three; with two or three letters and four states they are sampled.",
    is_by_definition(classify),
    (
        Broken("groups sought in permutations of all states alone", is_by_definition(only_permutations)),
        Broken("every group that is not abelian taken for non-solvable", is_by_definition(without_series)),
        Broken("a generator dropped", is_by_definition(without_last_letter)),
    ),
    all_automata,
    larger_automata,
    number=1_034,
    source=Source(
        "Linton, Pfeiffer, Robertson, Ruskuc: Groups and actions in transformation semigroups",
        place="1998",
        read="remembered; derived in ssmverify/tracking/automata/image_sets.py",
    ),
)

# ------------------------------------------------------------------------------------- words of coprime orders
COPRIME = ("Z1", "Z6", "Z30", "S3", "D5", "Q8", "D6", "A4", "S4", "A4xZ5", "S3xZ5", "S3xS3", "A5", "S5")
Test = Callable[[int, int, int], bool]  # of the orders of x, y and xy


def coprime(x: int, y: int, xy: int) -> bool:
    return math.gcd(x, y) == math.gcd(x, xy) == math.gcd(y, xy) == 1


def coprime_not_1(*orders: int) -> bool:
    return 1 not in orders and coprime(*orders)


def two_coprime(x: int, y: int, xy: int) -> bool:
    return 1 not in (x, y, xy) and math.gcd(x, y) == 1


def coprime_as_three(*orders: int) -> bool:
    return 1 not in orders and math.gcd(*orders) == 1


def tells_solvable(test: Test) -> Decide:
    """Whether a pair of elements that passes the test is there just where the group is not solvable."""

    def decide(name: str) -> str:
        g = group(name)
        orders = [order(tuple(p)) for p in g.permutations.tolist()]
        pairs = itertools.product(range(g.order), repeat=2)
        found = next((p for p in pairs if test(orders[p[0]], orders[p[1]], orders[g.table[p[0], p[1]]])), None)
        solvable = derived_series([tuple(g.permutations[x].tolist()) for x in g.generators] or [(0,)])[-1] == 1
        if (found is None) == solvable:
            return ""
        what = "no pair" if found is None else f"x = {g.names[found[0]]} and y = {g.names[found[1]]}"
        return f"{name} is {'' if solvable else 'not '}solvable, and {what}"

    return decide


coprime_orders = Finite(
    "tracking.automata.coprime_orders",
    f"Of the groups {', '.join(COPRIME)} those that are not solvable, and no others, have elements x and y such that "
    "the orders of x, y and xy are greater than 1 and pairwise coprime. (So it is of every finite group: Thompson.)",
    tells_solvable(coprime_not_1),
    (
        Broken("orders of 1 allowed", tells_solvable(coprime)),
        Broken("only the orders of x and y coprime", tells_solvable(two_coprime)),
        Broken("coprime as three, not pairwise", tells_solvable(coprime_as_three)),
    ),
    lambda: COPRIME,
    number=25_797,
    members=lambda name: itertools.product(range(group(name).order), repeat=2),
    source=Source(
        "Thompson: Nonsolvable finite groups all of whose local subgroups are solvable",
        place="1968, Corollary 3",
        read="remembered; that such a pair makes a group non-solvable is derived in `tracking.automata.classify`",
    ),
)


# ------------------------------------------------------------------------------ what the verdicts mean, cited
REMEMBERED = "remembered"
VERDICTS = (known_verdicts, by_definition)

star_free = Cited(
    "tracking.automata.aperiodic_is_star_free",
    "A regular language whose syntactic monoid is aperiodic is star-free, first-order definable with <, and in AC0.",
    Source(
        "Schützenberger: On finite monoids having only trivial subgroups",
        place="1965; McNaughton and Papert: Counter-free automata, 1971",
        read=REMEMBERED,
    ),
    rests_on=VERDICTS,
)
solvable = Cited(
    "tracking.automata.solvable_is_in_acc0",
    "A regular language whose syntactic monoid has only solvable groups is in ACC0, and so in TC0; in AC0[p], strictly "
    "below TC0, if they are p-groups for one prime p.",
    Source(
        "Barrington and Thérien: Finite monoids and the fine structure of NC1",
        place="1988; that AC0[p] is not TC0: Razborov 1987, Smolensky 1987",
        read=REMEMBERED,
    ),
    rests_on=VERDICTS,
)
hard = Cited(
    "tracking.automata.non_solvable_is_nc1_complete",
    "The word problem of a finite monoid that has a non-solvable group is NC1-complete, and so is every regular "
    "language with such a syntactic monoid.",
    Source(
        "Barrington: Bounded-width polynomial-size branching programs recognize exactly those languages in NC1",
        place="1989; for languages Barrington, Compton, Straubing and Thérien 1992",
        read=REMEMBERED,
    ),
    rests_on=VERDICTS,
)
not_in_tc0 = Cited(
    "tracking.automata.non_solvable_is_not_in_tc0",
    "So no model inside TC0, such as a diagonal SSM in its convolutional form, tracks S5 or A5 at all lengths.",
    Source(
        "The Illusion of State in State-Space Models", "2404.08819v3", "Corollary 4.7", read="notes of the whole paper"
    ),
    assumes=("TC0 != NC1",),
    rests_on=(hard,),
)
