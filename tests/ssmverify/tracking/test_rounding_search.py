"""The search for channels whose rounding lets them track non-solvable groups, and what its lines replay."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from click.testing import CliRunner

from ssmverify.cli import main
from ssmverify.errors import BadInput
from ssmverify.tracking.arithmetic.search import FAMILIES, KINDS, NON_SOLVABLE, Rates, instances, kind, parse, search
from ssmverify.tracking.arithmetic.witnesses import TIME_INVARIANT
from ssmverify.tracking.automata.classify import classify

LTI = FAMILIES[0]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_floats_of_the_search_are_the_exact_channel(family: object) -> None:
    for automaton, instance in itertools.islice(instances(family, np.random.default_rng(5)), 20):  # type: ignore[arg-type]
        assert instance.automaton().delta == automaton.delta
        assert parse(str(instance)) == instance


def test_a_seed_draws_the_same_channels() -> None:
    first, second = (itertools.islice(instances(LTI, np.random.default_rng(7)), 100) for _ in range(2))
    assert [str(i) for _, i in first] == [str(i) for _, i in second]


def test_the_search_agrees_with_classify() -> None:
    for automaton, _ in itertools.islice(instances(LTI, np.random.default_rng(3)), 150):
        certificate = classify(automaton, 2000)
        length = certificate.derived_length
        assert kind(automaton) == KINDS[2 if length is None else min(length, 1)]


def test_a_time_invariant_channel_with_a_non_solvable_group_is_found() -> None:
    """That there is one among the first channels of a seed is so; how often, nobody says."""
    drawn = itertools.islice(instances(LTI, np.random.default_rng(1)), 2000)
    automaton, instance = next((a, i) for a, i in drawn if kind(a) == NON_SOLVABLE)
    assert len({a for a, _ in instance.letters.values()}) == 1
    assert classify(parse(str(instance)).automaton(), 2000).derived_length is None
    assert classify(automaton, 2000).groups[0].order >= 60


def test_the_witness_of_the_catalogue_is_of_the_family() -> None:
    gates = {a for a, _ in TIME_INVARIANT.letters.values()}
    numbers = [part * 16 for a in gates for part in (a.re, a.im)]
    numbers += [part * 4 for _, b in TIME_INVARIANT.letters.values() for part in (b.re, b.im)]
    assert len(gates) == 1
    assert all(number.denominator == 1 for number in numbers)


def test_rates_add_up_and_time_runs() -> None:
    rates, told = Rates(LTI), []
    search(rates, 0.3, 1, lambda seen: told.append(seen.drawn))
    assert rates.drawn == sum(rates.kinds.values()) > 0
    assert told == sorted(told)
    assert rates.seconds >= 0.3


@pytest.mark.parametrize(
    "line",
    [
        "",
        "largest 1",
        "largest one; a: 1+0i, 0+0i",
        "largest 1; a: 1, 0+0i",
        "small 1; a: 1",
        "largest 1; : 1+0i, 0+0i",
        "largest 1; a: 1+0i, 0+0i; a: 0+1i, 0+0i",
    ],
)
def test_a_line_that_is_no_channel_says_how_one_is_written(line: str) -> None:
    with pytest.raises(BadInput, match="is no channel; one is written"):
        parse(line)


def test_no_time_is_soon_over() -> None:
    done = CliRunner().invoke(main, ["search-rounding", "--family", "lti-3", "--seconds", "nan"])
    assert done.exit_code == 0


def test_the_command_prints_rates_a_channel_and_its_seed() -> None:
    done = CliRunner().invoke(main, ["search-rounding", "--family", "lti-3", "--seconds", "1", "--seed", "1"])
    assert done.exit_code == 0
    assert "lti-3" in done.output
    assert "seed 1" in done.output


def test_the_help_names_every_family() -> None:
    shown = CliRunner().invoke(main, ["search-rounding", "--help"]).output
    assert all(f"{family.name} " in shown for family in FAMILIES)


def test_a_channel_is_replayed_with_its_certificate() -> None:
    line = "largest 1; a: -1/5+4/5i, 0-1/4i; b: -4/5+3/5i, -1/4-3/4i"
    done = CliRunner().invoke(main, ["search-rounding", "--replay", line])
    assert done.exit_code == 0
    assert "non-solvable" in done.output
    assert "order 120" in done.output


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["search-rounding", "--family", "lti-9"], "lti-9"),
        (["search-rounding", "--replay", "largest 1; b"], "largest 1; b"),
        (["search-rounding", "--replay", "largest 3000; a: 1+0i, 0+0i"], "from 0 to 49"),
        (["search-rounding", "--replay", "largest -1; a: 1+0i, 0+0i"], "from 0 to 49"),
        (["disagreement", "--rounding", "up"], "'up'"),
        (["disagreement", "--lengths", "8,x"], "8,x"),
        (["disagreement", "--lengths", "9" * 5000], "from 1 to 999999"),
        (["disagreement", "--bits", "1"], "--bits"),  # there is no gate from 3/4 up to 1
    ],
)
def test_what_is_given_wrongly_is_one_sentence(arguments: list[str], culprit: str) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert culprit in done.output
    assert "Traceback" not in done.output


def test_the_table_of_disagreements() -> None:
    done = CliRunner().invoke(main, ["disagreement", "--lengths", "4", "--words", "10"])
    assert done.exit_code == 0
    assert "M4 blelloch" in done.output
