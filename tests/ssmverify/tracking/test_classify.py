"""The verdicts: known ones, against brute force and libsemigroups on random automata, and certificates that lie."""

import csv
import itertools
import json
import re
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from ssmverify.cli import main
from ssmverify.errors import BadInput
from ssmverify.tracking.automata import witness
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.classify import APERIODIC, NON_SOLVABLE, P_GROUPS, SOLVABLE, classify
from ssmverify.tracking.automata.formats import read
from ssmverify.tracking.automata.formats.objects import from_json
from ssmverify.tracking.automata.group import compose
from ssmverify.tracking.automata.group_witness import generated
from ssmverify.tracking.automata.image_sets import components, groups, image_sets
from ssmverify.tracking.automata.limits import Limits, breaking_off
from ssmverify.tracking.automata.monoid import transition_monoid
from ssmverify.tracking.automata.named import automaton, group
from ssmverify.tracking.automata.sources import load

KNOWN = {
    "(a*b*)": (APERIODIC, (), 0),
    "(a|b)*aa(a|b)*": (APERIODIC, (), 0),
    "(ab)*": (APERIODIC, (), 0),
    "flip-flop": (APERIODIC, (), 0),
    "Z1": (APERIODIC, (), 0),
    "parity": (P_GROUPS, (2,), 1),
    "(aa|b)*": (P_GROUPS, (2,), 1),
    "(aa)*": (P_GROUPS, (2,), 1),
    "mod-9": (P_GROUPS, (3,), 1),
    "D4": (P_GROUPS, (2,), 2),
    "Q8": (P_GROUPS, (2,), 2),
    "Z60": (SOLVABLE, (2, 3, 5), 1),
    "S3": (SOLVABLE, (2, 3), 2),
    "A4": (SOLVABLE, (2, 3), 2),
    "A4xZ5": (SOLVABLE, (2, 3, 5), 2),
    "S4": (SOLVABLE, (2, 3), 3),
    "(aaa|b)*|(cc|b)*": (SOLVABLE, (2, 3), 1),
    "A5": (NON_SOLVABLE, (2, 3, 5), None),
    "S5": (NON_SOLVABLE, (2, 3, 5), None),
    "S12": (NON_SOLVABLE, (2, 3, 5, 7, 11), None),
}


@pytest.mark.parametrize("target", KNOWN)
def test_known_verdicts(target):
    certificate = classify(load(target), cap=10**4)
    assert (certificate.verdict, certificate.primes, certificate.derived_length) == KNOWN[target]
    assert certificate.decided
    assert witness.problems(certificate) == []


def test_derived_series():
    series = {name: classify(automaton(name)).groups[0].derived_series for name in ("S4", "A4xZ5", "S5", "A5")}
    assert series == {"S4": (24, 12, 4, 1), "A4xZ5": (60, 4, 1), "S5": (120, 60), "A5": (60,)}


@st.composite
def automata(draw, most_states=5, most_letters=3):
    n, k = draw(st.integers(1, most_states)), draw(st.integers(1, most_letters))
    row = st.tuples(*[st.integers(0, n - 1)] * n) | st.permutations(range(n)).map(tuple)
    return Automaton(tuple("abcdef"[:k]), tuple(draw(row) for _ in range(k)))


def brute_force(a):
    """Every maximal subgroup by its definition: for each idempotent e the invertible elements of e M e."""
    rows = {tuple(range(a.states))}
    while new := {tuple(row[s] for s in m) for m in rows for row in a.delta} - rows:
        rows |= new
    found = []
    for e in rows:
        if compose(e, e) == e:
            local = {m for m in rows if compose(e, m) == m == compose(m, e)}
            units = {m for m in local if any(compose(m, x) == e == compose(x, m) for x in local)}
            found.append((e, units))
    return rows, found


@given(automata(most_states=4))
@settings(max_examples=150, deadline=None)
def test_verdicts_are_those_of_the_maximal_subgroups_by_their_definition(a):
    rows, subgroups = brute_force(a)
    certificate = classify(a)
    assert len(certificate.monoid) == len(rows)
    orders = {len(units) for _, units in subgroups} - {1}
    by_images = {len(elements) for elements in witness.maximal_subgroups(certificate.monoid)}
    assert by_images == orders
    primes = {p for n in orders for p in (2, 3) if n % p == 0}
    assert set(certificate.primes) == primes
    lengths = [witness.derived_series(sorted(restricted(e, units))) for e, units in subgroups]
    assert certificate.derived_length == max(len(series) - 1 for series in lengths)
    assert witness.problems(certificate) == []


def restricted(e, units):
    """The group's elements as permutations of the image of its idempotent."""
    image = sorted(set(e))
    return {tuple(image.index(m[s]) for s in image) for m in units}


@given(automata(most_states=6))
@settings(max_examples=60, deadline=None)
def test_libsemigroups_finds_the_same_monoid_and_the_same_groups(a):
    lib = pytest.importorskip("libsemigroups_pybind11")
    lib.ReportGuard(False)
    generators = [lib.Transf(list(row)) for row in (tuple(range(a.states)), *a.delta)]
    mine, theirs = transition_monoid(a), lib.FroidurePin(generators)
    assert theirs.size() == len(mine)
    idempotents = sum(m == compose(m, m) for m in map(tuple, mine.elements.tolist()))
    assert theirs.number_of_idempotents() == idempotents
    classes = lib.Konieczny(generators)
    classes.run()
    regular = {d.size_H_class() for d in classes.D_classes() if d.is_regular_D_class()}
    assert {len(g) for g in witness.maximal_subgroups(mine)} == regular - {1}


@given(automata(), st.data())
@settings(max_examples=50, deadline=None)
def test_names_of_states_and_letters_do_not_matter(a, data):
    p = data.draw(st.permutations(range(a.states)))
    back = np.argsort(p).tolist()
    rows = [tuple(p[row[back[s]]] for s in range(a.states)) for row in a.delta]
    b = Automaton(a.letters, tuple(data.draw(st.permutations(rows))))
    mine, theirs = classify(a), classify(b)
    assert (mine.verdict, mine.primes, mine.derived_length, len(mine.monoid), mine.sets) == (
        (theirs.verdict, theirs.primes, theirs.derived_length, len(theirs.monoid), theirs.sets)
    )
    assert {g.derived_series for g in mine.groups} == {g.derived_series for g in theirs.groups}


@given(automata(most_states=3), automata(most_states=3))
@settings(max_examples=50, deadline=None)
def test_side_by_side_is_as_bad_as_the_worse(a, b):
    n = a.states
    identity_a, identity_b = range(n), range(n, n + b.states)
    rows = [(*row, *identity_b) for row in a.delta] + [(*identity_a, *(n + s for s in row)) for row in b.delta]
    both = classify(Automaton(tuple("abcdefghij"[: len(rows)]), tuple(rows)))
    parts = classify(a), classify(b)
    assert len(both.monoid) == len(parts[0].monoid) * len(parts[1].monoid)
    assert set(both.primes) == set(parts[0].primes) | set(parts[1].primes)
    assert both.derived_length == max(part.derived_length for part in parts)


@given(st.lists(st.lists(st.integers(-1, 7), min_size=2, max_size=2), min_size=8, max_size=8))
def test_strongly_connected_components(edges):
    edges = np.array(edges, np.int32)
    reach = np.eye(8, dtype=bool)
    for i, row in enumerate(edges):
        reach[i, row[row >= 0]] = True
    for k in range(8):
        reach |= reach[:, [k]] & reach[[k], :]
    want = {frozenset(np.flatnonzero(reach[i] & reach[:, i]).tolist()) for i in range(8)}
    assert {frozenset(c) for c in components(edges)} == want


def test_the_cayley_automaton_has_the_same_group():
    for name in ("S3", "Q8", "A5"):
        on_points, on_elements = classify(group(name).action()), classify(group(name).cayley())
        assert on_points.groups[0].derived_series == on_elements.groups[0].derived_series
        assert len(on_elements.monoid) == group(name).order


def test_a_hidden_group():
    """S5 on five of seven states, by letters that are no permutations of the seven."""
    five = automaton("S5").delta
    rows = tuple((1, *(s + 1 for s in row), 3) for row in five)
    certificate = classify(Automaton(("a", "b"), rows))
    assert certificate.verdict == NON_SOLVABLE
    assert certificate.groups[0].states == (1, 2, 3, 4, 5)
    assert witness.problems(certificate) == []


def test_generators_of_the_groups_permute_the_set_as_their_words_do():
    rows = ((1, 2, 3, 4, 0), (1, 0, 2, 3, 4), (0, 0, 2, 3, 4))
    full = Automaton(("a", "b", "c"), rows)
    orders = {}
    for states, generators in groups(full, image_sets(full, 10**4)):
        for permutation, word in generators.items():
            assert [full.run(word, s) for s in states] == [states[i] for i in permutation]
        orders[len(states)] = len(generators)
    assert set(orders) == {2, 3, 4, 5}


def lies():
    s5, a4, parity, star_free = (classify(load(x)) for x in ("S5", "A4", "parity", "(a|b)*aa(a|b)*"))
    first, v4 = s5.groups[0], classify(automaton("Z2xZ2")).groups[0]
    yield "no group, where there is one", replace(parity, groups=())
    yield "a group, where there is none", replace(star_free, groups=parity.groups)
    yield "a shorter series", replace(a4, groups=(replace(a4.groups[0], derived_series=(12, 1)),))
    yield "a generator dropped", replace(a4, groups=(replace(a4.groups[0], words=a4.groups[0].words[:1]),))
    yield "solvable, said of S5", replace(s5, groups=(replace(first, derived_series=(120, 60, 1), coprime=None),))
    yield "no witness", replace(s5, groups=(replace(first, coprime=None),))
    yield "orders not coprime", replace(s5, groups=(replace(first, coprime=((0,), (1,))),))
    yield "orders of 1", replace(s5, groups=(replace(first, coprime=((), ())),))
    yield "another set", replace(s5, groups=(replace(first, states=(0, 1)),))
    giant = classify(Automaton(("a", "b"), ((*range(1, 11), 0), (1, 2, 0, *range(3, 11)))), cap=10)
    eleven = giant.groups[0]
    assert eleven.jordan is not None
    yield "no cycle of prime length", replace(giant, groups=(replace(eleven, jordan=(1,)),))
    yield "not transitive", replace(giant, groups=(replace(eleven, words=((1,), (1, 1))),))
    yield (
        "the symmetric group for the alternating",
        replace(giant, groups=(replace(eleven, derived_series=(39916800, 19958400)),)),
    )
    yield "another group's", replace(a4, groups=(replace(v4, words=((0,),)),))


def test_thousands_of_generators_are_few_in_the_witness():
    """Of sets of states with many loops; sympy's derived series would not end with all of them."""
    words = {p: (i,) for i, p in enumerate(itertools.permutations(range(7)))}
    del words[tuple(range(7))]
    (found,) = generated(tuple(range(7)), words)
    assert found.derived_series == (5040, 2520)
    assert len(found.words) <= 7


@pytest.mark.parametrize(("what", "certificate"), list(lies()))
def test_the_checker_refutes_a_certificate_that_lies(what, certificate):
    assert witness.problems(certificate) != []


def test_indices_are_the_largest():
    chain = Automaton(("a",), ((1, 2, 3, 4, 4),))
    assert witness.largest_index(transition_monoid(chain)) == 4
    assert witness.largest_index(transition_monoid(automaton("S4"))) == 1


def test_over_the_cap_the_answer_is_partial():
    partial = classify(load("((aaa)|b)*"), cap=2)
    assert not partial.decided
    assert not partial.monoid.complete
    assert classify(load("S5"), cap=1).decided  # a non-solvable group among those seen settles it


# ------------------------------------------------------------------------------------------------------- sources
def test_json_forms(tmp_path):
    forms = {
        "p": ({"permutations": [[1, 0, 2], [1, 2, 0]], "letters": ["s", "r"]}, 6),
        "t": ({"table": group("Q8").table.tolist(), "names": list(group("Q8").names)}, 8),
        "d": ({"delta": [[1, 0], [0, 0]], "start": 0, "accept": [1]}, 4),
        "x": ({"transitions": {"p": {"a": "q"}, "q": {"b": "p"}}, "initial_state": "p", "final_states": ["p"]}, 6),
    }
    for name, (data, size) in forms.items():
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(data))
        assert len(classify(read(file)).monoid) == size
        assert load(str(file)).name == name


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ([[0]], "one object"),
        ({}, "exactly one of the fields"),
        ({"table": [[0]], "delta": [[0]]}, "exactly one"),
        ({"permutations": [[0, 0]]}, "not a permutation"),
        ({"permutations": "ab"}, "not as it should be"),
        ({"permutations": 3}, "not as it should be"),
        ({"table": [[0, 1], [1, 1]]}, "no inverse"),
        ({"table": [["e"]]}, "none of the elements"),
        ({"delta": [[1, "x"]]}, "not as it should be"),
        ({"delta": [[2, 0]]}, "must send each"),
        ({"delta": [[0, 0.5]]}, "not as it should be"),
        ({"permutations": [[1.0, 0.0]]}, "not as it should be"),
        ({"permutations": [[1, 0]], "letters": ["a", "b"]}, "2 letters and 1 rows"),
        ({"permutations": [[1, 0], [0, 1]], "letters": ["a", "a"]}, "there twice"),
        ({"table": [[0, 1], [1, 0]], "names": ["e"]}, "2 different names"),
        ({"delta": [[0]], "accept": [4]}, "accept must be among"),
        ({"transitions": {"p": {"a": "z"}}, "initial_state": "p"}, "which is no state"),
        ({"transitions": {"p": {"a": "p"}}}, "initial_state"),
    ],
)
def test_json_that_will_not_do(data, why):
    with pytest.raises(BadInput, match=why):
        from_json(data)


# --------------------------------------------------------------------------------------------------- the command
def run(*arguments):
    return CliRunner().invoke(main, ["classify", *arguments])


def test_the_command():
    out = run("S5").output
    assert "non-solvable" in out
    assert "120 > 60" in out
    assert "unless TC0 = NC1" in out
    assert "pairwise coprime" in out
    out = run("A4xZ5").output
    assert "solvable, derived length 2" in out
    assert "60 > 4 > 1" in out
    out = run("(a|b)*aa(a|b)*").output
    assert "aperiodic (star-free)" in out
    assert "m^2 = m^3" in out


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["A4xZ5"], 0, "ACC0"),
        (["S6", "--cap", "100"], 0, "more than 100 elements"),
        (["(aaa|b)*", "--cap", "2"], 3, "not decided"),
        (["Q9"], 2, "near it: .*Q8"),
        (["S99"], 2, "from 1 to 40"),
        (["(aa)*", "--compare", "(aa)*"], 0, "have the same language"),
        (["(aa)*", "--compare", "(aaaa)*"], 1, "shortest word in one only: aa, in"),
        (["(aa)*", "--compare", "parity"], 2, "give both the same"),
        (["S5", "--bits", "3"], 2, "are for layers"),
        (["S3", "Q9", "S5"], 2, "not read: 1"),
        (["(a"], 2, "cannot be read at character 3"),
        (["nowhere.json"], 2, "there is no file nowhere.json"),
        (["my_layer.py"], 2, "my_layer.py is a file: name a layer in it"),  # and no regular expression
        (["S5", "--cap", "0"], 2, "cap"),
    ],
)
def test_exit_status(arguments, status, says):
    result = run(*arguments)
    assert result.exit_code == status
    assert re.search(says, result.output)
    assert "Traceback" not in result.output


def test_bad_json_is_one_sentence(tmp_path):
    file = tmp_path / "bad.json"
    file.write_text("{")
    result = run(str(file))
    assert result.exit_code == 2
    assert "is no JSON" in result.output


def test_the_command_imports_nothing_heavy():
    code = "import ssmverify.commands.classify, sys; assert not {'sympy', 'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_many_targets_are_one_table(tmp_path):
    (tmp_path / "a.att").write_text("0\t0\ta\n0\n")
    (tmp_path / "b.att").write_text("0\t1\ta\tb\n")
    (tmp_path / "c.g").write_text("(1,2,3),(1,2)")
    out, table = tmp_path / "out.jsonl", tmp_path / "out.csv"
    result = run(str(tmp_path), "S5", "--json", str(out), "--csv", str(table))
    assert result.exit_code == 2
    assert "b.att: b, line 1: reads a and writes b: a transducer is no automaton" in result.output
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [record.get("verdict") for record in records] == [APERIODIC, None, SOLVABLE, NON_SOLVABLE]
    assert records[2]["derived_length"] == 2
    assert "transducer" in records[1]["error"]
    rows = list(csv.reader(table.read_text().splitlines()))
    assert [row[3] for row in rows] == ["verdict", APERIODIC, "", SOLVABLE, NON_SOLVABLE]


def test_needs_are_printed_for_one_target_and_recorded_where_asked(tmp_path):
    assert "rests on" in run("S3").output
    assert "rests on" not in run("S3", "--no-needs").output
    assert run("S3", "S4", "--needs", "--json", str(tmp_path / "x")).exit_code == 0
    records = [json.loads(line) for line in (tmp_path / "x").read_text().splitlines()]
    assert [len(record["needs"]) > 3 for record in records] == [True, True]


def test_a_budget_that_ends_keeps_what_was_found():
    result = run("(((aaa)*b)*c)*(a|b)*", "--budget", "0.000001", "--no-needs")
    assert result.exit_code == 3
    assert "--budget 1e-06 ended it" in result.output


def test_a_cap_says_that_it_was_the_cap():
    assert "where --cap 100 ended it" in run("S6", "--cap", "100").output
    partial = run("(((aaa)*b)*c)*(a|b)*", "--cap", "5")
    assert partial.exit_code == 3
    assert "not decided within 5 sets of states, where --cap 5 ended it; among them only 3-groups" in partial.output


def test_ctrl_c_ends_the_search_and_keeps_what_was_found():
    limits = Limits()
    with breaking_off(limits):
        signal.raise_signal(signal.SIGINT)
        certificate = classify(load("(((aaa)*b)*c)*(a|b)*"), limits=limits)
    assert not certificate.decided
    assert certificate.stopped == "Ctrl-C"
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_end_between_the_sets_and_their_groups_decides_nothing(monkeypatch):
    """The sets are complete, and the time is over before a group was looked at."""
    module = sys.modules["ssmverify.tracking.automata.classify"]
    monkeypatch.setattr(module, "GRACE", 0)
    limits = Limits()
    seen = module.image_sets

    def interrupted(*arguments):
        found = seen(*arguments)
        limits.interrupted = True
        return found

    monkeypatch.setattr(module, "image_sets", interrupted)
    certificate = classify(load("(aa|b)*"), limits=limits)
    assert not certificate.decided
    assert certificate.stopped == "Ctrl-C"
