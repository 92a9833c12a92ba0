"""Rows for complex channels rounded after every step: their states compose like S5, in exact arithmetic."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

from ssmverify.catalogue.tracking import automata
from ssmverify.catalogue.tracking.arithmetic import OURS
from ssmverify.catalogue.tracking.monotone import any_sign_returns, monotone_returns
from ssmverify.rows import Broken, Cited, Finite, Source
from ssmverify.tracking.arithmetic.evaluators import exact, fused, once, per_step
from ssmverify.tracking.arithmetic.numbers import FLOAT32, Gaussian, cast_parts, gaussian
from ssmverify.tracking.arithmetic.witnesses import SELECTIVE, SQUARE, SUBNORMAL, TIME_INVARIANT, Witness
from ssmverify.tracking.automata.group import Permutation, cycles

ZERO = gaussian(0)


# --------------------------------------------------------------------------------------- complex gates: all of S5
def makes(witness: Witness) -> Callable[[Permutation], str]:
    """Whether a product of the witness's words permutes its five states so."""

    def decide(permutation: Permutation) -> str:
        if permutation in witness.group:
            return ""
        if witness.group:
            return f"the words generate {len(witness.group)} permutations, {cycles(permutation)} not among them"
        ends = (f"{word} to {', '.join(map(witness.show, witness.ends(word)))}" for word in witness.words)
        return f"from {', '.join(map(witness.show, witness.places))} the word {', '.join(ends)}"

    return decide


def permutations() -> Iterator[Permutation]:
    return itertools.permutations(range(5))


def other_rounding(witness: Witness, rounding: str) -> Broken:
    return Broken(f"rounding {rounding}", makes(replace(witness, cast=replace(witness.cast, rounding=rounding))))


def other_word(witness: Witness, word: str) -> Broken:
    return Broken(f"the word {word} for {witness.words[1]}", makes(replace(witness, words=(witness.words[0], word))))


selective = Finite(
    "tracking.rounded_complex_channel",
    "One complex channel with two letters, gates of modulus at most 1, rounded after every step to {-1, 0, 1} + "
    "{-1, 0, 1}i: the words b and ababaaabababb permute five states, and their products are all 120 permutations, S5.",
    makes(SELECTIVE),
    (
        other_rounding(SELECTIVE, "floor"),
        other_rounding(SELECTIVE, "toward-zero"),
        other_word(SELECTIVE, "ababaaababab"),
        Broken("wrap-around for clipping", makes(replace(SELECTIVE, cast=replace(SQUARE, wraps=True)))),
    ),
    permutations,
    number=120,
    source=OURS,
)
time_invariant = Finite(
    "tracking.rounded_time_invariant_channel",
    "One complex gate for all three letters, as in S4, (-14 + 5i)/16: rounded after every step to the same nine "
    "states, the words cab and caaacab generate S5. As a real 2 x 2 matrix the gate is within Theorem 4.2.",
    makes(TIME_INVARIANT),
    (
        other_rounding(TIME_INVARIANT, "floor"),
        other_rounding(TIME_INVARIANT, "toward-zero"),
        other_word(TIME_INVARIANT, "caaacac"),
    ),
    permutations,
    number=120,
    source=OURS,
)
subnormal = Finite(
    "tracking.float32_channel",
    "One complex gate (8 + 5i)/16, of modulus 0.59, and the inputs 2, 1, 1 + i times 2^-149, in float32 with gradual "
    "underflow and every product and sum rounded: among 16 states that are reached from 0, five on which two words "
    "generate S5.",
    makes(SUBNORMAL),
    (
        Broken("fused multiply-adds", makes(replace(SUBNORMAL, step=fused))),
        Broken("one rounding a step", makes(replace(SUBNORMAL, step=once))),
        Broken("subnormals flushed to 0", makes(replace(SUBNORMAL, cast=replace(FLOAT32, flushes=True)))),
        other_rounding(SUBNORMAL, "toward-zero"),
        other_word(SUBNORMAL, "0012020011"),
    ),
    permutations,
    number=120,
    source=OURS,
)


class Block(NamedTuple):
    """A witness with words of one length, and a number of them; an even permutation."""

    witness: Witness
    factors: int
    permutation: Permutation


BLOCKS = (
    (replace(SELECTIVE, words=("b" * 13, "ababaaabababb")), 10),
    (replace(TIME_INVARIANT, words=("cab" * 7, "caaacab" * 3)), 13),
    (replace(SUBNORMAL, words=("0200120012020012", "0012020012020012")), 12),
)


def blocks() -> Iterator[Block]:
    for (witness, factors), permutation in itertools.product(BLOCKS, permutations()):
        if sum(x > y for x, y in itertools.combinations(permutation, 2)) % 2 == 0:
            yield Block(witness, factors, permutation)


def of_one_length(case: Block, fewer: int = 0) -> str:
    """Whether a product of exactly so many words makes the permutation."""
    witness = case.witness
    if len(set(map(len, witness.words))) > 1 or not witness.group:
        return f"{witness.name}: the words are of several lengths, or do not permute the five states"
    products = {tuple(range(5))}
    for _ in range(case.factors - fewer):
        products = {tuple(p[i] for i in q) for p in witness.generators for q in products}
    if case.permutation in products:
        return ""
    return f"{witness.name}: {cycles(case.permutation)} is no product of {case.factors - fewer} words"


one_length = Finite(
    "tracking.rounded_blocks",
    "In the three channels that follow S5, each element of A5 is the effect of a block of tokens of one length: 130, "
    "273 and 192. So words over A5 become words of tokens letter by letter, each token depending on one letter (NC0).",
    of_one_length,
    (Broken("one word fewer", lambda case: of_one_length(case, 1)),),
    blocks,
    number=180,
    source=OURS,
)


class Place(NamedTuple):
    """A witness, one of its letters, one of its states."""

    witness: Witness
    letter: str
    state: Gaussian


def places() -> Iterator[Place]:
    for witness in (SELECTIVE, TIME_INVARIANT):
        for letter, state in itertools.product(witness.letters, witness.starts):
            yield Place(witness, letter, state)


def off_ties(least: Fraction) -> Callable[[Place], str]:
    def decide(place: Place) -> str:
        distance = place.witness.margin(place.letter, place.state)
        return "" if distance >= least else f"letter {place.letter} at {place.state} comes to {distance} of a tie"

    return decide


ties = Finite(
    "tracking.rounded_complex_margin",
    "In both nine-state channels every number that is rounded is 1/20 or more from a tie, so that how ties go does not "
    "matter, nor would errors below 1/20.",
    off_ties(Fraction(1, 20)),
    (Broken("1/16", off_ties(Fraction(1, 16))),),
    places,
    number=45,
    source=OURS,
)


# ---------------------------------------------------------------------------------------- what is refuted, and cited
class Form(NamedTuple):
    """A channel and a word, read from h_0 = 0."""

    witness: Witness
    word: str


FORMS = (Form(SELECTIVE, "aab"), Form(TIME_INVARIANT, "ac"), Form(SUBNORMAL, "11"))


def forms_differ(case: Form, rounded: bool = True) -> str:
    """The last state by the recurrence, cast after every step, and by the convolution, cast once; or neither cast."""
    witness = case.witness
    a, b = zip(*(witness.letters[letter] for letter in case.word), strict=True)
    recurrence = (per_step(a, b, ZERO, witness.cast, witness.step) if rounded else exact(a, b, ZERO))[-1]
    convolved = convolution(a, b)
    if rounded:
        convolved = cast_parts(witness.cast, convolved)
    if recurrence == convolved:
        return ""
    shown = f"{witness.show(recurrence)} rounded after every step, {witness.show(convolved)} exact and then cast"
    return f"{witness.name}, after {case.word} from 0: {shown}"


def convolution(a: Sequence[Gaussian], b: Sequence[Gaussian]) -> Gaussian:
    """The sum over j of a_T ... a_{j+1} b_j, each term by itself."""
    terms = (reduce(operator.mul, a[j + 1 :], b_j) for j, b_j in enumerate(b))
    return reduce(operator.add, terms, ZERO)


forms = Finite(
    "tracking.rounded_forms_agree",
    "The recurrence, rounded after every step, gives the state that the convolution gives, which is exact inside and "
    "cast once. (The paper assumes that the difference is negligible, and states its bounds for the convolution.)",
    forms_differ,
    (Broken("no rounding", lambda case: forms_differ(case, rounded=False)),),
    lambda: FORMS,
    number=3,
    source=Source(OURS.paper, OURS.arxiv, "footnote 3", read="notes of the whole paper"),
    refuted=True,
    right=lambda: [Form(SELECTIVE, "a")],
)


def tracks(witness: Witness) -> str:
    """The words whose products are all permutations of five states, if they are."""
    if len(witness.group) < 120:
        return ""
    states = ", ".join(map(witness.show, witness.places))
    return f"{witness.name}: the words {', '.join(witness.words)} generate S5 on the states {states}"


def unrounded(witness: Witness) -> str:
    """The same where nothing is rounded: words are then maps z -> a z + b."""

    def moved(word: str) -> set[Gaussian]:
        a, b = zip(*(witness.letters[letter] for letter in word), strict=True)
        return {exact(a, b, place)[-1] for place in witness.places}

    return tracks(witness) if all(moved(word) == set(witness.places) for word in witness.words) else ""


cannot_track = Finite(
    "tracking.rounded_recurrence_cannot_track_s5",
    "No diagonal channel that is run as a recurrence with few bits, rounded after every step, composes its states like "
    "S5. (Of the convolutional form the paper shows as much, for growing lengths and if TC0 is not NC1. Of the three "
    "counterexamples the last two are time-invariant, as S4 is.)",
    tracks,
    (Broken("no rounding", unrounded),),
    lambda: (SELECTIVE, TIME_INVARIANT, SUBNORMAL),
    number=3,
    source=Source(OURS.paper, OURS.arxiv, "Corollary 4.7, read for the recurrence", read="notes of the whole paper"),
    refuted=True,
    right=lambda: [replace(SELECTIVE, cast=replace(SQUARE, rounding="floor"))],
)

nc1_hard = Cited(
    "tracking.rounded_complex_is_nc1_hard",
    "The state after n tokens of a complex channel that is rounded after every step, such as those of "
    "tracking.rounded_blocks, at a number of bits that does not grow, is an NC1-complete problem, for the word problem "
    "of A5 is one.",
    automata.hard.source,
    rests_on=(automata.hard, one_length),
    by_hand=(
        "A word over A5 becomes a word of tokens letter by letter, each token depending on one letter: an NC0 "
        "reduction from the word problem of A5.",
        "At a number of bits that does not grow the state is that of a finite automaton, and so in NC1.",
    ),
)
not_in_tc0 = Cited(
    "tracking.rounded_complex_is_not_in_tc0",
    "So complex channels that are run as a recurrence and rounded after every step are not all in TC0, even "
    "time-invariant ones: the bound for the convolutional form does not carry over to them.",
    automata.hard.source,
    assumes=("TC0 != NC1",),
    rests_on=(nc1_hard,),
    by_hand=("A problem that is complete for NC1 under NC0 reductions is in TC0 only if TC0 = NC1.",),
)
star_free = Cited(
    "tracking.rounded_real_is_star_free",
    "Layers of real channels with gates >= 0, rounded after every step to finitely many numbers by a monotone rounding "
    "(one that saturates: wrap-around is none, tracking.wrapping_counts), accept star-free languages only, which are "
    "in AC0; with gates of any sign, languages whose monoids have no groups but 2-groups, which are in AC0[2].",
    automata.star_free.source,
    rests_on=(monotone_returns, any_sign_returns, automata.star_free, automata.solvable),
    by_hand=(
        "The syntactic monoid of what a layer accepts divides the transition monoid of its channels, which has no "
        "groups but those of tracking.monotone_orbits_that_return and tracking.monotone_orbits_any_sign_that_return.",
    ),
)
