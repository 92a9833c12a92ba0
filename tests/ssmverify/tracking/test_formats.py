"""One language in every format, read alike; and what is wrong in a file is said."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from ssmverify.errors import BadInput
from ssmverify.tracking.automata import formats, named
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.classify import NON_SOLVABLE, classify
from ssmverify.tracking.automata.formats import gap
from ssmverify.tracking.automata.sources import expanded, from_object, load

# (ab)*, with a sink left out, or an automaton that guesses
TEXTS = {
    "a.att": "0\t1\ta\ta\n1\t0\tb\tb\n0\n",
    "b.fsa": "0 1 a\n1 0 b\n0 0.0\n",
    "c.json": json.dumps(
        {"transitions": {"p": {"a": "q"}, "q": {"b": "p"}}, "initial_state": "p", "final_states": ["p"]}
    ),
    "d.json": json.dumps(
        {
            "states": ["p", "q", "r"],
            "input_symbols": ["a", "b"],
            "transitions": {"p": {"a": ["q", "r"]}, "q": {"b": ["p"]}, "r": {"": ["r"]}},
            "initial_state": "p",
            "final_states": ["p"],
        }
    ),
    "e.dot": "digraph { rankdir=LR; s [shape=point]; node [shape=circle]; p [shape=doublecircle]; q;\n"
    's -> p; p -> q [label="a"]; q -> p [label = "b", color=red]; }',
    "f.gv": 'digraph g { node [shape = doublecircle]; "p"; node [shape = circle]; "" -> p; p -> q [label=a]\n'
    "q -> p [label=b] }",
    "g.jff": "<structure><type>fa</type><automaton><state id='0' name='p'><initial/><final/></state><state id='1'/>"
    "<transition><from>0</from><to>1</to><read>a</read></transition>"
    "<transition><from>1</from><to>0</to><read>b</read></transition></automaton></structure>",
}
WORDS = ["".join(word) for length in range(6) for word in itertools.product("ab", repeat=length)]


def language(automaton: Automaton) -> list[str]:
    return [w for w in WORDS if automaton.accepts(automaton.word(w))]


@pytest.mark.parametrize("name", TEXTS)
def test_a_language_is_the_same_in_every_format(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(TEXTS[name])
    assert language(load(str(tmp_path / name))) == ["", "ab", "abab"]


def test_hanoi_letters_are_valuations(tmp_path: Path) -> None:
    """Finally p: states 0 and 1, 1 accepting."""
    file = tmp_path / "f.hoa"
    file.write_text(
        'HOA: v1\nStates: 2\nStart: 0\nAP: 2 "p" "q"\nacc-name: Buchi\nAcceptance: 1 Inf(0)\n--BODY--\n'
        "State: 0\n[!0] 0\n[0 & (1 | !1)] 1\nState: 1 {0}\n[t] 1\n--END--\n"
    )
    automaton = load(str(file)).minimal()
    assert automaton.letters == ("!p & !q", "!p & q", "p & !q", "p & q")
    assert automaton.states == 2
    assert [automaton.accepts([letter]) for letter in range(4)] == [False, False, True, True]


def test_letters_that_lead_nowhere_are_letters(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    data = {"transitions": {"p": {"a": "p"}}, "initial_state": "p", "final_states": ["p"], "input_symbols": ["a", "b"]}
    file.write_text(json.dumps(data))
    assert load(str(file)).letters == ("a", "b")
    file.write_text(json.dumps(data | {"input_symbols": ["b"]}))
    with pytest.raises(BadInput, match="none of the input_symbols"):
        load(str(file))


def test_gap_lists_are_letters() -> None:
    assert load("(1,2,3,4,5),(1,2)").delta == ((1, 2, 3, 4, 0), (1, 0, 2, 3, 4))
    assert load("Transformation([ 2, 1, 3 ]);").delta == ((1, 0, 2),)
    assert load("Group((1,2)(3,4), ())").delta == ((1, 0, 3, 2), (0, 1, 2, 3))
    assert load("Semigroup([ Transformation( [ 1, 1 ] ), Transformation( [ 2, 3, 3 ] ) ])").states == 3
    assert classify(load("(1,2,3,4,5), (3,4,5)")).verdict == NON_SOLVABLE
    assert not gap.is_text("(a,b)")
    for wrong in ("(1,1)", "(0,1)", "PermList([1,1])", "(1,2)(2,3)"):
        with pytest.raises(BadInput):
            gap.from_text(wrong, "wrong")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.att", "0 1 a b c d e\n", "3 to 5 fields"),
        ("a.att", "0\t1\ta\tb\n", "a transducer"),
        ("a.att", "", "no transitions"),
        ("a.json", "{", "is no JSON"),
        ("a.jff", "<a", "is no XML"),
        ("a.jff", "<structure><type>pda</type></structure>", "no finite automaton"),
        ("a.jff", "<structure><type>fa</type></structure>", "0 initial states"),
        ("a.dot", "digraph { a -> b [label=x] }", "initial states"),
        ("a.dot", "x", "it has no {"),
        ("a.dot", "digraph { s [shape=point]; s -> p; p -> p; }", "has no label"),
        ("a.hoa", "nothing", "Hanoi format"),
        ("a.hoa", "HOA: v1\nStart: 0&1\nAP: 0\n--BODY--\nState: 0\n--END--", "no alternation"),
        ("a.hoa", 'HOA: v1\nStart: 0\nAP: 1 "p"\n--BODY--\nState: 0\n[0] 0 {0}\n--END--', "on a transition"),
        ("a.hoa", 'HOA: v1\nStart: 0\nAP: 1 "p"\n--BODY--\nState: 0\n[7] 0\n--END--', "no expression"),
        ("a.g", "foo", "GAP's"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(name: str, text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=why):
        formats.read(tmp_path / name)


def test_folders_and_the_input_stand_for_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("b.att", "inner/a.att", "other.txt"):
        (tmp_path / name).write_text(TEXTS["a.att"])
    found = list(expanded([str(tmp_path), "-", "S3"], iter(["Z2\n", "\n"])))
    assert found == [str(tmp_path / "b.att"), str(tmp_path / "inner/a.att"), "Z2", "S3"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no file"):
        list(expanded([str(tmp_path / "empty")], iter([])))


def test_objects_with_automata_lib_s_attributes() -> None:
    machine = SimpleNamespace(
        states={"p", "q"},
        input_symbols={"a", "b"},
        transitions={"p": {"a": {"q"}}, "q": {"b": {"p"}, "": set()}},
        initial_state="p",
        final_states={"p"},
    )
    assert language(from_object(machine)) == ["", "ab", "abab"]
    with pytest.raises(BadInput, match="is no DFA or NFA"):
        from_object("(ab)*")


@pytest.mark.parametrize(
    ("name", "order"),
    [("Q16", 16), ("F20", 20), ("Heis3", 27), ("PSL(2,7)", 168), ("SL(2,3)", 24), ("M11", 7920), ("D8", 16)],
)
def test_names_have_the_order_that_the_literature_gives(name: str, order: int) -> None:
    assert classify(named.automaton(name)).groups[0].order == order


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Q9", "the number after Q is the order"),
        ("PSL(2,4)", "is a prime"),
        ("F15", "a divisor of p - 1"),
        ("SmallGroup(8,9)", "there are 5 of order 8"),
        ("SmallGroup(61,1)", "listed to order 60"),
        ("D2", "of order 2n"),
    ],
)
def test_names_of_nothing_are_refused(name: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        load(name)
