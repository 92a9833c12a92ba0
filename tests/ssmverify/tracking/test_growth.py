"""The growth of circuits: the fit, the table, the plot, and what the user may get wrong."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from click.testing import CliRunner, Result

from ssmverify.cli import main
from ssmverify.tracking.circuits.compile import compile_model
from ssmverify.tracking.circuits.fixed_point import exact_then_cast, free
from ssmverify.tracking.circuits.growth import Size, draw, sizes, slope, student


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["circuit", *arguments])


@pytest.mark.parametrize(("degrees", "t"), [(1, 12.7062), (2, 4.30265), (10, 2.22814), (19, 2.09302)])
def test_students_quantiles(degrees: int, t: float) -> None:
    """The tabulated values."""
    assert student(degrees) == pytest.approx(t, rel=1e-5)


def test_slope_of_a_power() -> None:
    fit = slope([2, 4, 8, 16], [5 * n**3 for n in (2, 4, 8, 16)])
    assert (fit.slope, fit.low, fit.high, fit.least, fit.largest) == pytest.approx((3, 3, 3, 3, 3))


def test_slope_of_scattered_points() -> None:
    """By hand: y = 0, 2, 1 at x = 0, 1, 2 (logarithms) has slope 1/2 and residuals -1/2, 1, -1/2."""
    e = 2.718281828459045
    fit = slope([1, e, e**2], [1, e**2, e])  # type: ignore[list-item]
    half = 12.7062 * (1.5 / 1 / 2) ** 0.5
    assert (fit.slope, fit.low, fit.high) == pytest.approx((0.5, 0.5 - half, 0.5 + half), rel=1e-4)
    assert (fit.least, fit.largest) == pytest.approx((-1, 2))


def test_the_table() -> None:
    result = run("--n", "2,4..5", "--words", "5")
    assert result.exit_code == 0
    assert result.output.splitlines()[1].split()[:3] == ["2", "6", "56"]
    assert "0 wrong outputs on 15 random words" in result.output
    assert "Depth 6 at every n." in result.output


def test_each_size_is_that_of_its_circuit() -> None:
    (found,) = sizes([3], 2, signed=True, method="residues", cast="floor", one_hot=False, words=5, seed=1)
    circuit = compile_model(free(2, signed=True), 3, method="residues", cast="floor", one_hot=False)
    counted = (circuit.depth, circuit.layers, circuit.size, circuit.wires, circuit.weight_bits)
    assert (found.depth, found.layers, found.gates, found.wires, found.weight_bits) == counted
    assert (found.n, found.words, found.right) == (3, 5, 5)


def test_a_wrong_output_is_exit_status_1() -> None:
    def wrong(*arguments: object) -> object:
        return exact_then_cast(*arguments) + 1  # type: ignore[arg-type]

    with mock.patch("ssmverify.tracking.circuits.growth.exact_then_cast", wrong):
        result = run("--n", "2", "--words", "5")
    assert result.exit_code == 1
    assert "5 wrong outputs on 5 random words" in result.output


def test_the_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "growth.png"
    assert run("--n", "2..4", "--plot", str(file)).exit_code == 0
    assert file.read_bytes().startswith(b"\x89PNG")


def test_the_plot_shows_the_counts_and_the_line_through_the_gates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = pytest.importorskip("matplotlib.figure")
    drawn: list[object] = []
    monkeypatch.setattr(figure.Figure, "savefig", lambda self, *_, **__: drawn.append(self))
    n, counts = [2, 4, 8], [40, 300, 2700]
    found = [Size(k, 6, 6, count, 7 * k**2, 1, 0.0, 5, 5) for k, count in zip(n, counts, strict=True)]
    draw(found, slope(n, [size.gates for size in found]), "", tmp_path / "growth.png")
    wires, gates, line = drawn[0].axes[0].lines  # type: ignore[attr-defined]
    assert list(wires.get_ydata()) == [7 * k**2 for k in n]
    assert list(gates.get_ydata()) == counts
    power, constant = np.polyfit(np.log(n), np.log(counts), 1)
    assert list(line.get_ydata()) == pytest.approx([np.exp(constant) * k**power for k in n])
    assert all(list(x.get_xdata()) == n for x in (wires, gates, line))
    assert line.get_label().startswith(f"gates ~ n^{power:.2f}  [")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--n", "24..4"], "--n 24..4 is no list"),
        (["--n", "0"], "--n 0 is no list"),
        (["--n", "a"], "--n a is no list"),
        (["--n", "4", "--plot", "x.png"], "three numbers of tokens"),
        (["--n", "2..4", "--plot", "x.nonsense"], "give it an ending such as .png"),
    ],
)
def test_what_the_user_gets_wrong(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
