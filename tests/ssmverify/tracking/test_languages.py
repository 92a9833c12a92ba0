"""The language of a layer, rounded, against a target's: one, or the shortest word on which they differ."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ssmverify.errors import BadInput
from ssmverify.tracking.automata import named
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.expressions import from_expression
from ssmverify.tracking.automata.languages import difference
from ssmverify.tracking.models.quantised import automata, silent

BITS = 5


class Trained(torch.nn.Module):
    """A torch RNN that is trained on the words of at most six letters, and read by the sign of a line."""

    def __init__(self, target: Automaton, steps: int = 150) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.letters = target.letters
        self.rnn = torch.nn.RNN(len(self.letters), 4)
        self.line = torch.nn.Linear(4, 1)
        words = [w for n in range(1, 7) for w in itertools.product(range(len(self.letters)), repeat=n)]
        wanted = {w: target.accepts(w) for w in words}
        optimiser = torch.optim.Adam(self.parameters(), 0.05)
        longest = [w for w in words if len(w) == 6]
        inputs = torch.eye(len(self.letters))[torch.tensor(longest)].transpose(0, 1)
        labels = torch.tensor([[float(wanted[w[:t]]) for w in longest] for t in range(1, 7)])
        for _ in range(steps):
            optimiser.zero_grad()
            found = self.line(self.rnn(inputs)[0]).squeeze(-1)
            torch.nn.functional.binary_cross_entropy_with_logits(found, labels).backward()
            optimiser.step()

    def initial(self) -> Tensor:
        return torch.zeros(1, 4)

    def embed(self, token: str) -> Tensor:
        return torch.eye(len(self.letters))[[self.letters.index(token)]]

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        output, state = self.rnn(x, state)
        return output, state

    def readout(self, state: Tensor) -> Tensor:
        return self.line(state).squeeze()

    def accepts(self, word: tuple[int, ...]) -> bool:
        """By hand: each part of the state rounded to fifteenths after every step."""
        state, largest = self.initial(), 2 ** (BITS - 1) - 1
        with torch.no_grad():
            for letter in word:
                _, state = self.forward(self.embed(self.letters[letter]), state)
                state = ((state.double() * largest).round() / largest).float()
            return bool(self.readout(state) > 0)


@pytest.mark.parametrize("target", [named.parity(), from_expression("(aa)*")], ids=lambda a: a.name)
def test_a_trained_layer_has_the_target_s_language_or_a_shortest_other_word(target: Automaton) -> None:
    layer = Trained(target)
    (mine,) = automata(layer, "trained", bits=BITS)
    assert mine.beyond is None
    words = [w for n in range(7) for w in itertools.product(range(len(mine.letters)), repeat=n)]
    assert [w for w in words if mine.accepts(w) != layer.accepts(w)] == []
    word = difference(mine, target)
    others = [w for w in words if layer.accepts(w) != target.accepts(w)]
    if word is None or len(word) > 6:
        assert others == []
    else:
        assert layer.accepts(word) != target.accepts(word)
        assert len(word) == min(map(len, others))


class Parity:
    letters = ("0", "1")

    def transition(self, token: str) -> tuple[int, int]:
        return (1, 0) if token == "0" else (-1, 1)

    def accept(self, h: list[float]) -> bool:
        return h[0] > 0.5


def test_a_layer_that_is_parity_is_told_from_what_it_is_not() -> None:
    (mine,) = automata(Parity(), "layer")
    assert difference(mine, named.parity()) is None
    word = difference(mine, from_expression("0*10*", "01"))
    assert word is not None
    assert mine.spell(word) == "111"


automata_with_languages = st.integers(1, 4).flatmap(
    lambda n: st.builds(
        lambda rows, accept: Automaton(("a", "b"), tuple(rows), accept=frozenset(accept)),
        st.lists(st.tuples(*[st.integers(0, n - 1)] * n), min_size=2, max_size=2),
        st.sets(st.integers(0, n - 1)),
    )
)


@given(automata_with_languages, automata_with_languages)
def test_the_word_is_a_shortest_on_which_they_differ(first: Automaton, second: Automaton) -> None:
    word = difference(first, second)
    differing = [
        w for n in range(8) for w in itertools.product(range(2), repeat=n) if first.accepts(w) != second.accepts(w)
    ]
    assert word == (differing[0] if differing else None)


def test_letters_and_languages_must_be_there() -> None:
    with pytest.raises(BadInput, match="give both the same"):
        difference(named.parity(), from_expression("(ab)*"))
    with pytest.raises(BadInput, match="stands for no language"):
        difference(named.parity(), named.automaton("mod-3"))


class Turning:
    letters = ("a",)

    def transition(self, token: str) -> tuple[list[complex], int]:
        return [1j], 0


def test_a_start_is_where_a_layer_that_writes_nothing_begins() -> None:
    layer = Turning()
    assert automata(layer, "layer")[0].states == 1
    assert silent(layer, "layer")
    layer.start = [1]  # type: ignore[attr-defined]
    assert automata(layer, "layer")[0].states == 4
    assert not silent(layer, "layer")
    assert automata(Turning(), "layer", bits=2, every_state=True)[0].states == 9


def test_a_matrix_state_is_its_columns() -> None:
    class Swaps:
        letters = ("a",)
        start = ((1, 0), (0, 0))

        def transition(self, token: str) -> tuple[list[list[int]], list[list[int]]]:
            return [[0, 1], [1, 0]], [[0, 0], [0, 0]]

    assert [a.states for a in automata(Swaps(), "layer")] == [2, 1]


def test_bits_round_the_states_of_a_layer_that_steps() -> None:
    class Halves:
        letters = ("a",)
        start = (1.0, [0.5])

        def step(self, state: tuple[float, list[float]], token: str) -> tuple[float, list[float]]:
            return state[0] / 2 + 0.25, [state[1][0]]

    fine = automata(Halves(), "layer", cap=20)[0]
    assert fine.beyond == 20
    coarse = automata(Halves(), "layer", bits=4, cap=20)[0]
    assert coarse.beyond is None
    assert coarse.states < 6
