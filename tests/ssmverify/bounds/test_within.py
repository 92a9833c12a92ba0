"""`assert_within_bound`, the search for the worst input, and the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from ssmverify.bounds import assert_within_bound
from ssmverify.bounds.layers import layer_bound
from ssmverify.bounds.search import parse_range, parse_shapes, sized, worst_input
from ssmverify.cli import main
from ssmverify.errors import BadInput


def reference(x: Tensor, w: Tensor) -> Tensor:
    return torch.softmax(x @ w * 0.3, -1)


def given_() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(4, 8), torch.randn(8, 5)


def test_another_order_of_the_same_sums_is_within_the_bound(within_bound: Callable[..., None]) -> None:
    x, w = given_()
    columns = sum((x[:, i, None] * w[i] for i in reversed(range(8))), start=torch.zeros(4, 5))
    within_bound(torch.softmax(columns * 0.3, -1), reference, x, w)


def test_a_lower_precision_is_not_and_the_message_says_so_in_units_of_the_bound() -> None:
    x, w = given_()
    with pytest.raises(
        AssertionError, match=r"output 0 is [\d,]+ bounds off at \(\d, \d\); \d+ of 20 entries"
    ) as caught:
        assert_within_bound(reference(x.bfloat16(), w.bfloat16()), reference, x, w)
    assert "_softmax at" in str(caught.value)
    assert "test_within.py:" in str(caught.value)


def test_what_is_not_finite_is_off() -> None:
    x, w = given_()
    y = reference(x, w)
    y[1, 2] = torch.nan
    with pytest.raises(AssertionError, match=r"\(1, 2\)"):
        assert_within_bound(y, reference, x, w)


def test_a_check_without_a_bound_fails_rather_than_passes() -> None:
    x = torch.full((3,), 80.0)
    with pytest.raises(AssertionError, match="3 of 3 entries have no bound"):
        assert_within_bound(torch.ones(3), lambda z: torch.exp(z + 9), x)
    assert_within_bound(torch.ones(3), lambda z: torch.exp(z + 9), x, allow_unbounded=True)


def test_another_shape_is_an_error() -> None:
    x, w = given_()
    with pytest.raises(ValueError, match="shape"):
        assert_within_bound(torch.zeros(4), reference, x, w)
    with pytest.raises(ValueError, match="outputs"):
        assert_within_bound((torch.zeros(4, 5), torch.zeros(2)), reference, x, w)


def test_the_search_finds_an_input_near_the_bound_and_none_above() -> None:
    found = worst_input(lambda x: x * 0.1 + 1, [(20,)], torch.float32, examples=20)
    assert 0.3 < found.ratio <= 1
    assert found.error <= found.bound


def test_the_search_repeats_itself_for_a_seed() -> None:
    first, second = (worst_input(torch.tanh, [(5,)], torch.bfloat16, examples=5, seed=3) for _ in range(2))
    assert torch.equal(first.inputs[0], second.inputs[0])


def test_shapes_and_ranges_are_read() -> None:
    shapes = parse_shapes("x:2,T,16 w:16,4")
    assert sized(shapes, {"T": 8}) == [(2, 8, 16), (16, 4)]
    assert parse_range("T=8..50") == ("T", [8, 16, 32, 50])


@pytest.mark.parametrize("text", ["2,3", "x:2,3-4", ":2"])
def test_a_shape_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--shapes"):
        parse_shapes(text)


@pytest.mark.parametrize("text", ["T", "T=8", "T=8..4", "T=0..4"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--over"):
        parse_range(text)


def test_a_layers_bound_is_derived_from_its_run() -> None:
    def run(*, x: Tensor, w: Tensor) -> tuple[Tensor, ...]:
        return reference(x, w), x * 2

    x, w = given_()
    first, second = layer_bound(run)(x=x, w=w)
    assert first.shape == (4, 5)
    assert 0 < float(first.max()) < 1e-5
    assert float(second.max()) < 1e-37


PROGRAM = """
import torch

def scan(x, w):
    h, out = torch.zeros_like(x[0]), []
    for t in range(len(x)):
        h = torch.sigmoid(w) * h + x[t]
        out.append(h)
    return torch.stack(out)

def fourier(x):
    return torch.fft.fft(x).real

def raising(x):
    return x @ x

net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh())
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def ran(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["bound", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_command_shows_the_worst_error_its_bound_and_where_it_comes_from(file: Path) -> None:
    status, said = ran(f"{file}:scan", "--shapes", "x:8,3 w:3", "--examples", 3)
    assert status == 0
    for words in (
        "error/bound 0.",
        "what the bound is due to",
        "sigmoid",
        "program.py:7",
        "assumed:",
        "sigmoid within",
    ):
        assert words in said


def test_the_command_goes_over_sizes_and_draws_them(file: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "bound.png"
    how = ("--shapes", "x:T,3 w:3", "--over", "T=2..8", "--examples", 2, "--plot", picture)
    status, said = ran(f"{file}:scan", *how)
    assert (status, said.count("T = ")) == (0, 3)
    assert picture.stat().st_size > 1000


def test_the_command_takes_inputs_from_a_file_and_modules(file: Path, tmp_path: Path) -> None:
    torch.save([torch.randn(2, 4)], tmp_path / "x.pt")
    for against in ("exact", "float64"):
        status, said = ran(f"{file}:net", "--inputs", tmp_path / "x.pt", "--against", against)
        assert status == 0
        assert "error/bound" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fourier", "--shapes", "x:4"), "no proven rule for aten._fft"),
        (("raising", "--shapes", "x:2,3"), "it raises RuntimeError at inputs of shape (2, 3)"),
        (("absent", "--shapes", "x:4"), "has no absent"),
        (("scan",), "give either --inputs FILE or --shapes"),
        (("scan", "--shapes", "x:T,3 w:3"), "how large T is"),
        (("scan", "--inputs", "nowhere.pt"), "there is no file"),
        (("scan", "--shapes", "x:4,3 w:3", "--plot", "a.png"), "--over"),
    ],
)
def test_the_command_says_in_one_sentence_what_is_wrong(file: Path, arguments: tuple[str, ...], words: str) -> None:
    status, said = ran(f"{file}:{arguments[0]}", *arguments[1:])
    assert status == 2
    assert words in said.replace("\n", " ")
    assert "Traceback" not in said


def test_ulps_are_measured_against_what_is_taken() -> None:
    from ssmverify.bounds.ulps import measure, measure_doubles

    measured = measure("exp", stride=1 << 12)
    assert measured.holds
    assert measured.worst > 0.25
    assert measure_doubles("exp", 500) <= 1
