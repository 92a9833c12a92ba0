"""The rules are those of the list, each parameter of each is checked, and the base stays short enough to read."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import proofs
from proofs import kernel
from proofs.kernel import RULES
from proofs.kernel.entry import CHECKS

FOLDER = Path(next(iter(proofs.__path__))) / "kernel"
LISTED = [
    "additive",
    "apart",
    "assume",
    "cases",
    "component",
    "congruence",
    "conjunction",
    "discharge",
    "empty",
    "enclosure",
    "generalise",
    "identity",
    "induction",
    "instantiate",
    "linear",
    "minimiser",
    "refute",
    "rewrite",
    "single",
    "specialise",
    "split",
    "squares",
    "words",
]


class Foreign:
    """No rule takes one of these."""


def test_the_rules_are_those_of_the_list() -> None:
    assert sorted(RULES) == LISTED
    assert set(RULES) <= set(kernel.__all__)
    assert all(getattr(kernel, name) is rule for name, rule in RULES.items())


PARAMETERS = [(name, place) for name, rule in RULES.items() for place in inspect.signature(rule).parameters]


@pytest.mark.parametrize(("name", "place"), PARAMETERS, ids=lambda part: str(part))
def test_every_parameter_of_every_rule_is_checked(name: str, place: str) -> None:
    """A foreign object there is refused at the door, by name, whatever the other arguments are."""
    parameter = inspect.signature(RULES[name]).parameters[place]
    assert parameter.annotation in CHECKS
    with pytest.raises(TypeError, match=r"needed, given|given Foreign|a point is a dict"):
        CHECKS[parameter.annotation](Foreign())


def test_the_rules_are_under_650_lines_and_the_base_under_2500() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in FOLDER.glob("*.py")}
    assert lengths["rules.py"] < 650
    assert sum(lengths.values()) < 2500
