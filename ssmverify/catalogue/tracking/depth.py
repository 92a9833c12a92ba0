"""How many layers, of which gates, a group or an automaton needs: proved in the kernel, built, or by hand.

"Exact" means that nothing is rounded and that finitely many states are reached. Rounded after every step other things
hold: `tracking.rounded_complex_channel`. Layers read what those below held before the letter ("late").
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from flint import fmpq
from hypothesis import strategies as st

from proofs.kernel import Table
from proofs.recurrence import run
from proofs.terms import Eq, Le
from proofs.tracking import depth as proved
from ssmverify.catalogue.tracking.models import SERIES, all_words, first_difference
from ssmverify.rows import Broken, Cited, Decide, Finite, Source, Theorem
from ssmverify.strategies import columns, matrices, rationals, tables, zeros
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.classify import APERIODIC, classify
from ssmverify.tracking.automata.group import Permutation, cycle_lengths, from_permutations
from ssmverify.tracking.automata.monoid import transition_monoid
from ssmverify.tracking.automata.permutation_groups import SmallGroup, small_groups
from ssmverify.tracking.models.cascades import cascaded
from ssmverify.tracking.models.constructions import transpositions
from ssmverify.tracking.models.one_layer import indistinguishable, is_right_regular_band
from ssmverify.tracking.models.stacks import Stack

DEPTH = Source(
    "Shakerinava et al.",
    "2603.01959",
    read="its abstract; statement and proof here are ours",
)
CORRECTION = Source("stated here, after arXiv 2605.07755", "2605.07755", read="its abstract")
LARGEST = 24  # of the groups that are gone through in a row
Point = Mapping[str, Any]


# ---------------------------------------------------------------------------------------------- the kernel's rows
@st.composite
def commuting(draw: st.DrawFn) -> Point:
    """Two commuting affine maps with one fixed point z; then "the one, then the other" is the same in both orders."""
    n = draw(st.integers(1, 2))
    A, z, u = draw(matrices(n, n)), draw(columns(n)), draw(columns(n))
    identity = np.array([[fmpq(int(i == j)) for j in range(n)] for i in range(n)], dtype=object)
    C = draw(rationals()) * identity + draw(rationals()) * A
    b, d = z - A @ z, z - C @ z
    y = C @ (A @ u + b) + d
    sizes = {"n": n, "p": draw(st.integers(0, 2))}
    return {**sizes, "A": A, "C": C, "b": b, "d": d, "u": Table({}, u), "y": Table({}, y)}


commuting_letters = Theorem(
    proved.commuting_letters,
    instances=commuting,
    breaks={"A b for A d": Eq(proved.A @ proved.b + proved.b, proved.C @ proved.b + proved.d)},
    says="If the gates of two words commute, and the orbit under one order and back by the other returns, the two "
    "words make one map in both orders: words of one layer that permute finitely many states commute.",
    source=DEPTH,
)


@st.composite
def beside_codes(draw: st.DrawFn) -> Point:
    """Affine letters with one fixed point, codes, and a state that starts beside them."""
    n, N, T = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 3))
    z, times = draw(columns(n)), range(1, T + 3)
    A = draw(tables(times, matrices(n, n), zeros(n, n)))
    gates = [A[(t,)] for t in times]
    inputs = [z - gate @ z for gate in gates]
    starts = [draw(columns(n)) for _ in range(N + 1)]
    alpha = draw(tables(range(1, N + 2), rationals()))
    beside = starts[0] + sum((alpha[(i,)] * (starts[i] - starts[0]) for i in range(1, N + 1)), zeros(n, 1))
    codes: dict[tuple[int, ...], Any] = {}
    for i, start in enumerate(starts):
        codes |= {(i, t): x for t, x in enumerate([start, *run(gates, inputs, start)])}
    held = dict(enumerate([beside, *run(gates, inputs, beside)]))
    return {
        "n": n,
        "N": N,
        "T": T,
        "A": A,
        "b": Table({(t,): b for t, b in zip(times, inputs, strict=True)}, z),
        "c": Table(codes, z),
        "h": Table({(t,): x for t, x in held.items()}, z),
        "α": alpha,
    }


no_error_correction = Theorem(
    proved.no_error_correction,
    instances=beside_codes,
    breaks={
        "the error forgotten": Eq(proved.h(proved.T), proved.c(0, proved.T)),
        "the error turned round": Eq(proved.h(proved.T), proved.c(0, proved.T) - proved.mixed(proved.T)),
    },
    says="An error along differences of codes moves exactly as the codes do, for ever: where a word returns all codes "
    "it returns the error, so no norm contracts there. (Rounding after every step does correct.)",
    source=CORRECTION,
)


@st.composite
def delta_steps(draw: st.DrawFn) -> Point:
    n = draw(st.integers(1, 3))
    k, v, share = draw(columns(n)), draw(columns(n)), draw(st.sampled_from([fmpq(0), fmpq(1, 2), fmpq(1)]))
    length = (k.T @ k)[0, 0]
    return {"n": n, "k": k, "v": v, "β": share / length if length else share}


firm_delta_rule = Theorem(
    proved.firm_delta_rule,
    instances=delta_steps,
    breaks={
        "twice the move": Le(
            proved.square(proved.delta_gate @ proved.v) + 2 * proved.square(proved.v - proved.delta_gate @ proved.v),
            proved.square(proved.v),
        )
    },
    says="A delta rule's step with 0 <= β, β |k|² <= 1 is firmly non-expansive, as gates in [0, 1] are.",
    source=Source("stated here, beside Theorems 1 and 2 of Grazzi et al.", "2411.12537v5"),
)


@st.composite
def firm_sequences(draw: st.DrawFn) -> Point:
    """Differences under gates in [0, 1]."""
    n, T = draw(st.integers(1, 2)), draw(st.integers(0, 3))
    gates = st.sampled_from([fmpq(0), fmpq(1, 3), fmpq(1, 2), fmpq(1)])
    d = [draw(columns(n))]
    for _ in range(T):
        d.append(np.array([[draw(gates) * x] for x in d[-1][:, 0]], dtype=object))
    return {"n": n, "T": T, "d": Table({(t,): x for t, x in enumerate(d)}, zeros(n, 1))}


firm_letters = Theorem(
    proved.firm_letters,
    instances=firm_sequences,
    breaks={
        "twice the moves": Le(
            proved.square(proved.e(proved.T)) + 2 * proved.moves(proved.T), proved.square(proved.e(0))
        )
    },
    says="Under firmly non-expansive letters a difference loses what it moves; one that returns never moved. So one "
    "layer of DeltaNet, Gated DeltaNet or KDA with β |k|² <= 1 and decays in [0, 1], exact, tracks no group.",
    by_hand=(
        "A word that permutes finitely many states returns each difference after some power, which then never moved.",
    ),
    source=Source("stated here, beside Theorems 1 and 2 of Grazzi et al.", "2411.12537v5"),
)

# --------------------------------------------------------------------------------------------------- by hand, cited
diagonal_depth = Cited(
    "tracking.diagonal_depth",
    "k layers with commuting gates (complex diagonal; powers of one matrix; rotations of position), exact, with "
    "any functions of the letter and of the states below as gates and inputs and any readout, track a group only "
    "if its derived length is at most k; k such layers suffice (tracking.small_groups_by_depth). An automaton needs "
    "at least the derived length of each group in its monoid.",
    DEPTH,
    rests_on=(commuting_letters,),
    by_hand=(
        "From tracking.commuting_letters: the words permute a set of joint states as a group that maps onto the given "
        "one; those that fix the states of the layers below i act on layer i as an abelian group, so each layer takes "
        "one abelian step.",
    ),
)
nonnegative_gates = Cited(
    "tracking.nonnegative_gates",
    "Diagonal layers with gates >= 0, exact, at any depth, track no automaton with a group in its monoid.",
    Source("Sarrof, Veitsman, Hahn", "2405.17394", read="its abstract; the proof for exact layers is ours"),
    rests_on=(diagonal_depth,),
    by_hand=(
        "As in tracking.diagonal_depth: a loop that permutes finitely many values of a channel has a gate that is a "
        "root of unity where there are two values or more, and the only one >= 0 is 1, which moves nothing.",
    ),
)
machine_gates = Cited(
    "tracking.machine_gates",
    "Diagonal layers whose gates are binary floating-point or dyadic complex numbers of any width, evaluated "
    "exactly, at any depth, track only automata whose groups are 2-groups.",
    DEPTH,
    rests_on=(diagonal_depth,),
    by_hand=(
        "As in tracking.diagonal_depth: a gate of a loop is a product of such numbers and a root of unity, and the "
        "roots of unity in Q(i) are ±1 and ±i.",
    ),
)
one_layer = Cited(
    "tracking.one_layer",
    "One diagonal layer, exact, tracks an automaton exactly if its state is a function of: the order of the "
    "letters' last occurrences, the counts modulo m of the letters since each of them, and the totals modulo m, m"
    " the least common multiple of the periods in the transition monoid (tracking.one_layer_with_gates_0_1 checks "
    "it for m = 1).",
    Source("stated here"),
    by_hand=("A channel with finitely many values is reset or turns about their centre by a root of unity.",),
)


# ------------------------------------------------------------------------------------------------- what is built
def solvable_groups() -> list[SmallGroup]:
    return [g for g in small_groups().values() if 1 < g.order <= LARGEST and g.derived_series[-1] == 1]


def has_depth(build: Callable[[Automaton], Stack], depth: Callable[[SmallGroup], int]) -> Decide:
    def decide(group: SmallGroup) -> str:
        table = from_permutations(group.generators, f"SmallGroup({group.order},{group.number})")
        stack = build(table.cayley())
        if stack.depth != depth(group):
            return f"{table.name}: {stack.depth} layers, not {depth(group)}"
        return stack.wrong_step() and f"{table.name}: {stack.wrong_step()}"

    return decide


def derived_length(group: SmallGroup) -> int:
    return len(group.derived_series) - 1


def one_code_wrong(automaton: Automaton) -> Stack:
    """The last code taken for the first one's state."""
    stack = cascaded(automaton)
    return replace(stack, decoded=(*stack.decoded[:-1], stack.decoded[0]))


small_groups_by_depth = Finite(
    "tracking.small_groups_by_depth",
    f"Each solvable group of order 2 to {LARGEST} (GAP's small groups) is tracked by complex-diagonal layers, as "
    "many as its derived series is long: every letter in every code, exactly, which by tracking.simulation "
    "decides all words.",
    has_depth(cascaded, derived_length),
    (
        Broken("one code decoded wrongly", has_depth(one_code_wrong, derived_length)),
        Broken("one layer for every group", has_depth(cascaded, lambda group: 1)),
    ),
    solvable_groups,
    source=SERIES,
    number=73,
)


def aperiodic_automata() -> Iterator[Automaton]:
    """All with two letters on two or three states, from the state 0."""
    for n in (2, 3):
        for delta in itertools.product(itertools.product(range(n), repeat=n), repeat=2):
            automaton = Automaton(("a", "b"), delta)
            if classify(automaton).verdict == APERIODIC:
                yield automaton


@st.composite
def larger_aperiodic(draw: st.DrawFn) -> Automaton:
    """Monotone maps of up to six states, which hold no group."""
    n = draw(st.integers(2, 6))
    row = st.lists(st.integers(0, n - 1), min_size=n, max_size=n).map(lambda r: tuple(sorted(r)))
    delta = tuple(draw(st.lists(row, min_size=1, max_size=3)))
    return Automaton(tuple("abc"[: len(delta)]), delta, draw(st.integers(0, n - 1)))


def by_gates_0_1(build: Callable[[Automaton], Stack]) -> Decide:
    def decide(automaton: Automaton) -> str:
        stack = build(automaton)
        for layer in stack.layers:
            gates = {g for row in layer.gates for gate in row for g in gate}
            if not gates <= {layer.field.domain.zero, layer.field.domain.one}:
                return f"δ = {automaton.delta}: gates {sorted(map(str, gates))}"
        if wrong := stack.wrong_step():
            return f"δ = {automaton.delta}: {wrong}"
        if not stack.rules:
            return ""
        words = all_words(len(automaton.letters), 64)
        return first_difference(automaton, words, stack.run(words, torch.float32))

    return decide


aperiodic_by_gates_0_1 = Finite(
    "tracking.aperiodic_by_gates_0_1",
    "Every aperiodic automaton with two letters and two or three states is tracked by layers of real channels "
    "with gates 0 and 1, one for each level of its holonomy decomposition: every letter in every code, exactly, "
    "and in torch all words of six letters.",
    by_gates_0_1(cascaded),
    (Broken("one code decoded wrongly", by_gates_0_1(one_code_wrong)),),
    aperiodic_automata,
    larger_aperiodic,
    number=241,
    source=Source("Sarrof, Veitsman, Hahn", "2405.17394", read="its abstract; the construction is Eilenberg's"),
)


# ------------------------------------------------------------------------------------------------- one layer
def all_small_automata() -> Iterator[Automaton]:
    """One or two letters, up to three states, all reached from the state 0."""
    for letters in (1, 2):
        for n in (1, 2, 3):
            for delta in itertools.product(itertools.product(range(n), repeat=n), repeat=letters):
                reached = [0]
                for state in reached:
                    reached.extend({row[state] for row in delta} - set(reached))
                if len(reached) == n:
                    yield Automaton(("a", "b")[:letters], delta)


def one_layer_is(band: Callable[[Automaton], bool]) -> Decide:
    def decide(automaton: Automaton) -> str:
        found = indistinguishable(automaton, 1)
        if (found is False) == band(automaton):
            return ""
        return f"δ = {automaton.delta}: told apart by one layer of gates 0 and 1: {found is False}"

    return decide


def right_regular(automaton: Automaton) -> bool:
    return is_right_regular_band(transition_monoid(automaton))


def idempotent(automaton: Automaton) -> bool:
    rows = transition_monoid(automaton).elements
    return bool((np.take_along_axis(rows, rows, axis=1) == rows).all())


one_layer_with_gates_0_1 = Finite(
    "tracking.one_layer_with_gates_0_1",
    "Of all automata with one or two letters and at most three states, one layer of gates 0 and 1 tells the "
    "states apart (by the search for two words that it cannot) exactly for those whose monoid satisfies xx = x "
    "and xyx = yx.",
    one_layer_is(right_regular),
    (Broken("xx = x alone", one_layer_is(idempotent)),),
    all_small_automata,
    number=454,
)


# ---------------------------------------------------------------------------------------------- reflections
def all_permutations() -> Iterator[Permutation]:
    return (p for n in range(1, 7) for p in itertools.permutations(range(n)))


def counts(swaps: Callable[[Permutation], int]) -> Decide:
    """By exact elimination: the rank of I - P, which no product of fewer reflections has."""

    def decide(p: Permutation) -> str:
        rank = _rank([[int(i == j) - int(p[j] == i) for j in range(len(p))] for i in range(len(p))])
        product = tuple(range(len(p)))
        for i, j in transpositions(p):
            swap = {i: j, j: i}
            product = tuple(swap.get(x, x) for x in product)
        if product != p:
            return f"{p}: the swaps make {product}"
        wanted = len(p) - len(cycle_lengths(p))
        return "" if rank == wanted == swaps(p) else f"{p}: rank {rank}, {swaps(p)} swaps, n - cycles {wanted}"

    return decide


def _rank(rows: list[list[int]]) -> int:
    from flint import fmpz_mat

    return int(fmpz_mat(rows).rank())


householder_counts = Finite(
    "tracking.householder_counts",
    "A permutation of n points, n <= 6, is a product of n - cycles swaps, which are reflections, and its matrix P"
    " of no fewer: the rank of I - P is n - cycles, and a product of r reflections differs from I by rank r at "
    "most.",
    counts(lambda p: len(transpositions(p))),
    (Broken("a swap for each point that moves", counts(lambda p: sum(x != i for i, x in enumerate(p)))),),
    all_permutations,
    source=Source("DeltaProduct", "2502.10297v7", read="a summary of its theorem"),
    number=873,
)
