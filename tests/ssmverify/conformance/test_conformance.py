"""The suite on our own backends, and what its users see: outcomes, replay lines, skip files, exit statuses, pytest."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from flint import arb, fmpq
from torch import Tensor

from numeric.scan import delta_scan, scan
from numeric.scan.machine import compiling as native
from ssmverify.cli import main
from ssmverify.conformance import BUILTIN, KINDS, KnownFailure, conform, find, measure, read_known_failures
from ssmverify.conformance import Result as CaseResult
from ssmverify.conformance.kinds.kind import Case
from ssmverify.conformance.measure import TooWide, Undecided, decided, first_difference, units
from ssmverify.conformance.outcome import FAILED, KNOWN, NOT_RUN, NOT_SUPPORTED, PASSED
from ssmverify.conformance.running import excused, plan
from ssmverify.conformance.running import run as run_case
from ssmverify.conformance.shrink import smallest
from ssmverify.conformance.trial import NotRun, Trial, Wrong
from ssmverify.errors import BadInput

pytest_plugins = ("pytester",)

OURS = [
    ("ours:cpu", None),
    ("ours:reference", ("float32", "complex64")),
    ("ours:associative", ("float32", "complex64", "bfloat16")),
    ("ours:matrix", None),
    ("ours:matrix-associative", None),
    ("ours:delta", None),
    ("ours:delta-reference", ("float32",)),
    ("ours:selective", None),
    ("ours:selective-reference", ("float32",)),
]
NEAR = 0.05  # of a bound
FUSED = {"ours:cpu", "ours:matrix", "ours:delta", "ours:selective"}

BROKEN = """
import torch

def drops(a, b, h0=None):
    h = torch.zeros_like(b[:, 0]) if h0 is None else h0
    states = []
    for t in range(b.shape[1]):
        h = a[:, t] * h + (b[:, t] if t != 2 else 0)
        states.append(h)
    return torch.stack(states, 1)

def refuses(a, b):
    raise NotImplementedError("only on Sundays")

number = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kernels.py"
    path.write_text(BROKEN)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["scan", *arguments])


# ------------------------------------------------------------------------------------------------------------- ours
@pytest.mark.parametrize(("name", "dtypes"), OURS)
def test_ours_pass(name: str, dtypes: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the bounds are tight: of each output in each dtype the error comes near its own."""
    if name in FUSED and native.missing():
        pytest.skip(native.missing())
    nearest: dict[tuple[str, torch.dtype], float] = {}
    beyond = Trial.beyond

    def recorded(trial: Trial, output: str, *rest: Any) -> str | None:
        before, trial.worst = trial.worst, None
        found = beyond(trial, output, *rest)
        now = trial.worst or 0.0
        nearest[output, trial.dtype] = max(nearest.get((output, trial.dtype), 0.0), now)
        trial.worst = max(before or 0.0, now)
        return found

    monkeypatch.setattr(Trial, "beyond", recorded)
    report = conform(name, dtypes=dtypes, quick=True, seed=torch.seed() % 2**32)
    assert [(r.case, r.detail, r.smallest, r.replay) for r in report.failed] == []
    assert report.worst is not None
    assert report.worst <= 1
    assert {output: near for output, near in nearest.items() if near < NEAR} == {}


def test_ours_in_torchs_hands() -> None:
    for name in ("ours:cpu", "ours:associative"):
        if not (name in FUSED and native.missing()):
            report = conform(name, only="torch.*", thorough=True, dtypes=("float32",))
            assert [(r.case, r.detail) for r in report.failed] == []
            assert len(report.having(PASSED)) == 3


def test_every_kind_has_a_case_for_every_argument() -> None:
    for kind in KINDS.values():
        sample = kind.sample(torch.Generator(), torch.float32, {"b": 2, "t": 3, "d": 2}, True)
        assert set(kind.required) | {kind.state} == set(sample)
        assert all(name in kind.axes for name in sample)


# --------------------------------------------------------------------------------------------------------- outcomes
def test_a_failure_is_small_and_replays(file: Path) -> None:
    report = conform(f"{file}:drops", only="sizes.lengths", dtypes=("float64",), seed=5)
    (result,) = report.failed
    assert "h[0, 2, 0] is " in result.detail
    assert "error / bound" in result.detail
    assert result.smallest == "a = [[[0.0], [0.0], [0.0]]], b = [[[0.0], [0.0], [1.0]]]"
    program, command, *arguments = shlex.split(result.replay)
    assert (program, command) == ("ssmverify", "scan")
    again = run(*arguments)
    assert again.exit_code == 1
    assert result.detail in again.output


def test_the_seed_decides() -> None:
    def worst(seed: int) -> list[float | None]:
        return [r.worst for r in conform("ours", only="values.*", seed=seed, dtypes=("float32",)).results]

    assert worst(1) == worst(1) != worst(2)


def test_a_refusal_is_not_a_failure(file: Path) -> None:
    report = conform(f"{file}:refuses", quick=True, dtypes=("float32",))
    assert {r.outcome for r in report.results} == {NOT_SUPPORTED, NOT_RUN}
    assert "it refused: only on Sundays" in {r.detail for r in report.results}


def test_known_failures(file: Path, tmp_path: Path) -> None:
    skip = tmp_path / "known"
    skip.write_text("# ours\n\nsizes.lengths  the third input is lost, issue 7\ndecays.zero/float32 likewise\n")
    known = read_known_failures(skip)
    assert known[0] == KnownFailure("sizes.lengths", "the third input is lost, issue 7")
    report = conform(f"{file}:drops", only="*s*", quick=True, dtypes=("float32",), known=known)
    outcomes = {r.case: r for r in report.results}
    assert outcomes["sizes.lengths/float32"].outcome == KNOWN
    assert outcomes["decays.zero/float32"].outcome == KNOWN
    assert outcomes["decays.one/float32"].outcome == FAILED
    passing = conform("ours", only="sizes.lengths", quick=True, dtypes=("float32",), known=known).results[0]
    assert (passing.outcome, passing.detail) == (PASSED, "known as a failure, but passed: strike it off")
    skip.write_text("sizes.lengths\n")
    with pytest.raises(BadInput, match=r"line 1: 'sizes\.lengths' has no reason"):
        read_known_failures(skip)


def test_a_replay_line_names_the_order_that_was_declared(file: Path) -> None:
    for order in ("sequential", "loop", "tree"):
        (result,) = conform(f"{file}:drops", only="sizes.lengths", dtypes=("float64",), order=order, quick=True).failed
        assert f" --order {order} " in result.replay


def test_what_was_not_run_is_no_known_failure() -> None:
    known = [KnownFailure("*", "all of it")]
    for outcome in (NOT_RUN, NOT_SUPPORTED, PASSED):
        assert excused(CaseResult("x/float32", outcome), known).outcome == outcome
    assert excused(CaseResult("x/float32", FAILED), known).outcome == KNOWN


def test_an_initial_state_of_another_name_is_found() -> None:
    def kernel(a: Tensor, b: Tensor, initial: Tensor | None = None) -> Tensor:
        return scan(a, b, initial)

    def without(a: Tensor, b: Tensor, chunk: int = 4) -> Tensor:
        return scan(a, b)

    assert find(kernel).parameters["h0"] == "initial"
    assert not find(without).takes("h0")
    assert conform(without, only="initial-state", dtypes=("float32",)).results[0].outcome == NOT_SUPPORTED


# ----------------------------------------------------------------------------------------------------------- measures
def test_errors_are_measured_exactly() -> None:
    """A third of an ulp of 1 shows as that, and a bound of 0 forgives nothing."""
    true = torch.empty(1, dtype=torch.float64).numpy().astype(object)
    true[0] = 1 + fmpq(1, 3 * 2**52)
    one = torch.ones(1, dtype=torch.float64)
    ratio, place = decided(lambda: units(one, true, torch.tensor([2.0**-53], dtype=torch.float64)))
    assert (ratio, place) == (2 / 3, (0,))
    assert decided(lambda: units(one, true, torch.zeros(1)))[0] == float("inf")


def delta_of(length: int) -> CaseResult:
    """The delta rule with its last output off by 1."""

    def off_by_one(q: Tensor, k: Tensor, v: Tensor, beta: Tensor) -> Tensor:
        y = delta_scan(q, k, v, beta)[0]
        y[:, -1] += 1
        return y

    case = Case("long", "", lambda trial: trial.judge(trial.sample(b=1, t=length, d=1)))
    return run_case(find(off_by_one, kind="delta"), case, "float32", 0, False)


def test_balls_of_a_long_input_are_computed_to_more_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """To 384 bits the exact outputs of the delta rule are known to 1e23 after 1,400 steps."""
    assert delta_of(1400).outcome == FAILED
    monkeypatch.setattr(measure, "BITS", (64, 384))
    result = delta_of(1400)
    assert (result.outcome, result.worst) == (NOT_RUN, None)
    assert re.search(r"known to \de\+2\d only, which decides nothing: use shorter inputs", result.detail)


def test_a_wide_ball_decides_nothing_but_an_error_beyond_it() -> None:
    true = np.array([arb(1, 2.0**-40)], dtype=object)
    one, two = torch.ones(1, dtype=torch.float64), torch.full((1,), 2.0, dtype=torch.float64)
    with pytest.raises(TooWide, match="known to 9e-13 only"):
        units(one, true, one * 2.0**-31)
    assert units(one, true, one * 2.0**-30) == (0.0, (0,))
    assert units(two, true, one * 2.0**-31)[0] > 2.0**30


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_where_no_bound_is_finite_nothing_is_decided(value: float) -> None:
    one = torch.ones(2, dtype=torch.float64)
    true = np.array([fmpq(7), fmpq(1)], dtype=object)
    with pytest.raises(Undecided, match="the bound is infinite"):
        units(one, true, one * value)
    assert units(one, true, torch.tensor([value, 1.0], dtype=torch.float64)) == (0.0, (0,))
    assert units(one, true, torch.tensor([1.0, value], dtype=torch.float64)) == (6.0, (0,))


def test_a_smaller_input_that_cannot_be_decided_hides_no_failure() -> None:
    def problem(inputs: dict[str, Tensor]) -> str | None:
        if inputs["b"].shape[1] < 3:
            raise NotRun("too short")
        return "wrong"

    trial = Trial(find("ours:reference"), "", "float32", 0, False)
    with pytest.raises(Wrong) as wrong:
        trial.require(problem, trial.sample(t=6))
    assert wrong.value.inputs["b"].shape[1] == 3


def test_bits_tell_signs_of_zero_but_not_nans_apart() -> None:
    x = torch.tensor([0.0, float("nan"), 1.0])
    assert first_difference(x, x.clone()) is None
    assert first_difference(x, torch.tensor([-0.0, float("nan"), 1.0])) == (0,)


def test_shrinking_finds_the_one_number_that_matters() -> None:
    x = torch.zeros(3, 7, 4)
    x[2, 5, 1] = 9.5
    found = smallest({"x": x}, {"x": "btd"}, lambda inputs: bool((inputs["x"] > 3).any()))
    assert found["x"].shape == (1, 1, 1)


# ------------------------------------------------------------------------------------------------------ command line
def test_exit_statuses(file: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    good = run("ours", "--dtypes", "float32", "--quick", "--case", "sizes.*", "--json", str(report))
    assert good.exit_code == 0
    assert "sizes.lengths" in good.output
    assert {r["outcome"] for r in json.loads(report.read_text())["results"]} == {PASSED, NOT_RUN}
    bad = run(f"{file}:drops", "--dtypes", "float32", "--quick", "--case", "decays.*")
    assert bad.exit_code == 1
    assert "replay: ssmverify scan" in bad.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing"], "there is no target nothing; write file.py:function"),
        (["missing.py:scan"], "there is no file missing.py"),
        (["no_such_module:scan"], "the module no_such_module does not import"),
        (["KERNELS:absent"], "has no 'absent'"),
        (["KERNELS:number"], "is no function but int"),
        (["ours", "--kind", "knot"], "there is no kind knot"),
        (["ours", "--order", "none"], "there is no order none"),
        (["ours:delta", "--order", "tree"], "no bound is proved in order tree"),
        (["ours", "--dtypes", "int8"], "no bound is proved in dtype 'int8'; give some of float16, "),
        (["ours", "--dtypes", "float8_e5m2"], "no bound is proved in dtype 'float8_e5m2'"),
        (["ours", "--dtypes", ""], "no bound is proved in dtype ''"),
        (["ours", "--device", "banana"], "there is no device 'banana'; give cpu, cuda or cuda:1."),
        (["ours", "--device", "meta"], "there is no device 'meta'"),
        (["ours", "--skip", "BINARY"], "is not text"),
        (["ours", "--case", "nonsense"], "no case is called nonsense"),
        (["ours", "--skip", "missing"], "there is no skip file missing"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], says: str, file: Path) -> None:
    binary = file.with_suffix(".bin")
    binary.write_bytes(b"\xff\xfe\x00")
    places = {"KERNELS": str(file), "BINARY": str(binary)}
    result = run(*(re.sub("KERNELS|BINARY", lambda found: places[found[0]], argument) for argument in arguments))
    assert result.exit_code == 2
    assert says in result.output
    assert "Traceback" not in result.output


def test_without_a_dtype_there_is_nothing_to_claim() -> None:
    with pytest.raises(BadInput, match="no dtype is given"):
        find("ours", dtypes=())


@pytest.mark.skipif(torch.cuda.device_count() > 7, reason="all those GPUs are here")
def test_a_device_that_is_not_here_is_not_run() -> None:
    report = conform("ours:reference", device="cuda:7", quick=True, dtypes=("float32",))
    assert {(r.outcome, r.detail) for r in report.results} == {(NOT_RUN, "there is no cuda:7 here")}
    result = run("ours:reference", "--device", "cuda:7", "--quick", "--dtypes", "float32")
    assert result.exit_code == 0
    assert "not run: there is no cuda:7 here" in result.output


def test_a_builtin_that_is_not_installed_says_so() -> None:
    missing = [name for name in ("torchlpc", "mambapy", "jax", "ours:triton") if _not_installed(name)]
    for name in missing:
        result = run(name)
        assert result.exit_code == 2
        assert f"{name} is not installed here" in result.output


def _not_installed(name: str) -> bool:
    try:
        BUILTIN[name].build()
    except ImportError:
        return True
    return False


def test_the_plan_leaves_out_what_does_not_apply() -> None:
    chosen = {(case.id, dtype) for case, dtype in plan(find("ours"))}
    assert ("decays.unit-circle", "complex64") in chosen
    assert ("decays.unit-circle", "float32") not in chosen
    assert ("torch.compile", "float32") not in chosen
    assert ("torch.compile", "float32") in {(case.id, dtype) for case, dtype in plan(find("ours"), thorough=True)}


# ------------------------------------------------------------------------------------------------------------ pytest
def test_the_pytest_option(file: Path, pytester: pytest.Pytester) -> None:
    skip = pytester.path / "known"
    skip.write_text("decays.zero  the third input is lost\n")
    arguments = ["--ssmverify-scan", f"{file}:drops", "--ssmverify-dtypes", "float32"]
    arguments += ["--ssmverify-quick", "--ssmverify-skip", str(skip), "--ssmverify-case", "decays.*"]
    result = pytester.runpytest_inprocess(*arguments)
    counts = result.parseoutcomes()
    assert counts["xfailed"] == 1
    assert counts["failed"] >= 5
    result.stdout.fnmatch_lines(["*error / bound*", "replay: ssmverify scan *"])


def test_the_pytest_option_names_a_wrong_target(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--ssmverify-scan", "nothing")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no target nothing*"])
