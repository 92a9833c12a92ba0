"""The picture of HiPPO-Prophecy: its numbers against what is proved, the file, the table, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ssmverify.cli import main
from ssmverify.experiments import systems
from ssmverify.report import hippo as report

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def signals() -> list[report.Signal]:
    return report.signals()


def test_the_error_of_fout_stays_below_the_proven_bound(signals: list[report.Signal]) -> None:
    for signal in signals:
        for N in (3, 5, 9, 17, 33):
            assert report.derivative_error("fout", N, signal.samples) <= report.proven_bound(signal, N)


def test_with_another_window_than_the_period_fout_misses_by_the_jump() -> None:
    """For u = cos 2πt and window θ that is 2N sin(πθ)/θ, over 2π. By `fout_two_ends` the rest is at most 1, for the
    mean of both ends, and 4/π², up to O(1/N)."""
    wave, window = np.cos(2 * np.pi * systems.times(1, report.SAMPLES)), 1.25
    jump = 2 * abs(np.sin(np.pi * window)) / window / (2 * np.pi)
    for N in (65, 257):
        assert abs(report.derivative_error("fout", N, wave, window) - N * jump) < 1 + 4 / np.pi**2


def test_one_harmonic_is_exact_for_fout_and_for_legt_has_the_error_of_its_pade_denominator() -> None:
    """For N = 1, H(s) - s = -s²/(s + 1): at s = 2πi relative error 2π/sqrt(1 + 4π²)."""
    wave = np.cos(2 * np.pi * systems.times(1, report.SAMPLES))
    assert report.derivative_error("fout", 3, wave) < 1e-12
    expected = 2 * np.pi / np.hypot(1, 2 * np.pi)
    assert abs(report.derivative_error("legt", 1, wave) - expected) < 1e-4  # the largest of 1024 samples


def test_the_ramp_has_error_N_for_fout_and_none_for_the_polynomials() -> None:
    for N in (3, 17, 65):
        assert abs(report.ramp_error("fout", N) - N) < 1e-9
        assert max(report.ramp_error("legt", N), report.ramp_error("legs", N)) < 1e-6


def test_periods_are_periods(signals: list[report.Signal]) -> None:
    """The samples close up: their step across the end is no larger than those within."""
    for signal in signals[1:]:
        steps = np.abs(np.diff(signal.samples))
        assert abs(signal.samples[0] - signal.samples[-1]) <= steps.max()


def test_show_draws_the_picture_and_prints_the_table(tmp_path: Path) -> None:
    file = tmp_path / "errors.png"
    result = CliRunner().invoke(main, ["show", "hippo_prophecy", "--plot", str(file)])
    assert result.exit_code == 0, result.output
    assert file.read_bytes().startswith(PNG)
    assert "persistence" in result.output
    assert "two points" in result.output
    assert str(file) in result.output


def test_another_paper_has_no_picture() -> None:
    result = CliRunner().invoke(main, ["show", "longhorn", "--plot"])
    assert result.exit_code == 2
    assert "there is no picture of longhorn" in result.output


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> None:
        raise systems.BadInput(f"this needs {name.partition('.')[0]}: pip install 'ssmverify[plot]'")

    monkeypatch.setattr(systems, "extra", missing)
    result = CliRunner().invoke(main, ["show", "hippo_prophecy", "--plot", str(tmp_path / "x.png")])
    assert result.exit_code == 2
    assert "pip install 'ssmverify[plot]'" in result.output
    assert not (tmp_path / "x.png").exists()


def test_a_paper_is_shown_by_its_name() -> None:
    result = CliRunner().invoke(main, ["show", "delta"])
    assert result.exit_code == 0
    assert "delta.mesa" in result.output
    assert "longhorn.closed_form\n" not in result.output
