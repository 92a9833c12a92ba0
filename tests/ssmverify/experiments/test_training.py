"""The learned side: exact floors, layers that are trained, runs that are interrupted or damaged, bad usage."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from flint import fmpq

from numeric.gd_ssm import GDSSM, multi_step
from proofs.gd_ssm.learned import optimum
from ssmverify.cli import main
from ssmverify.errors import BadInput
from ssmverify.experiments import (
    LinearRegression,
    Recipe,
    Sine,
    fitting,
    gd_ssm,
    sine,
    train_gd_ssm,
    train_sine,
    train_two_layers,
    two_layers,
)
from ssmverify.experiments.exact import free_rates, shared_rate, trace_moment
from ssmverify.experiments.measures import Estimate, beside, cosines, double, half_square, sensitivity
from ssmverify.experiments.models import Featured, Layer, TwoLayers

HALF = fmpq(1, 2)
SMALL = LinearRegression(f=2, N=3)
SHORT = Recipe(steps=400, batch=16)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (gd_ssm, two_layers, sine):
        monkeypatch.setattr(module, "RECIPE", Recipe(steps=30, batch=8))
        monkeypatch.setattr(module, "EVALUATED", 1000)
        monkeypatch.setattr(module, "DIFFERENTIATED", 100, raising=False)


# ------------------------------------------------------------------------------------------------ exact floors
def test_the_paper_s_optimum_is_exact() -> None:
    assert optimum(10, 10, fmpq(1, 12), fmpq(1, 80)) == (fmpq(20, 33), fmpq(245, 1188))
    assert free_rates(1, 10, 10, HALF).exact == fmpq(245, 1188)
    assert free_rates(1, 10, 10, HALF).rates == (20 / 33,)


@pytest.mark.parametrize(("f", "N"), [(1, 1), (1, 3), (4, 2), (7, 5)])
def test_one_step_of_any_size_agrees_with_the_theorem(f: int, N: int) -> None:
    rate, loss = optimum(f, N, HALF**2 / 3, HALF**4 / 5)
    best = free_rates(1, f, N, HALF)
    assert best.exact == loss
    assert best.rates[0] == pytest.approx(int(rate.p) / int(rate.q))
    assert shared_rate(1, f, N, HALF).loss == pytest.approx(best.loss)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_trace_moments_against_every_input_of_a_small_law(k: int) -> None:
    """Entries are +-1 with probability 1/2 here, so that the law has 16 points."""
    f, N = 2, 2
    total = Fraction(0)
    for signs in product((-1, 1), repeat=f * N):
        x = [signs[i * f : (i + 1) * f] for i in range(N)]
        S = [[sum(v[a] * v[b] for v in x) for b in range(f)] for a in range(f)]
        power = [[int(a == b) for b in range(f)] for a in range(f)]
        for _ in range(k):
            power = [[sum(row[c] * S[c][b] for c in range(f)) for b in range(f)] for row in power]
        total += Fraction(sum(power[a][a] for a in range(f)), 2 ** (f * N))
    exact = trace_moment(k, f, N, lambda n: fmpq(int(n % 2 == 0)))
    assert exact == fmpq(total.numerator, total.denominator)


def test_two_steps_have_the_loss_that_is_sampled() -> None:
    task = LinearRegression()
    for descent in (free_rates(2, 10, 10, HALF), shared_rate(2, 10, 10, HALF)):
        losses = []
        generator = torch.Generator().manual_seed(3)
        for _ in range(5):
            tokens, target = task.draw(2000, generator, torch.float64)
            rates = torch.tensor(descent.rates, dtype=torch.float64)
            losses.append(half_square(multi_step(tokens[:, ::2], tokens[:, 1::2], rates)[:, -1] - target))
        loss = torch.cat(losses)
        assert abs(loss.mean() - descent.loss) < 5 * loss.std() / math.sqrt(len(loss))
    assert free_rates(2, 10, 10, HALF).loss < shared_rate(2, 10, 10, HALF).loss < free_rates(1, 10, 10, HALF).loss


def test_the_affine_floor_of_the_sine_is_what_least_squares_finds() -> None:
    task = Sine()
    x = torch.linspace(-task.half_width, task.half_width, 20_001, dtype=torch.float64)
    columns = torch.stack([torch.ones_like(x), x], 1)
    rests = []
    for phase in torch.arange(0, math.pi, math.pi / 16, dtype=torch.float64):
        y = torch.sin(x + phase).unsqueeze(1)
        rests.append((y - columns @ torch.linalg.lstsq(columns, y).solution).square().mean())
    assert task.mean_square / 2 * torch.stack(rests).mean().item() == pytest.approx(task.affine_floor(), rel=1e-3)


# ----------------------------------------------------------------------------------------------------- models
def test_two_layers_can_be_two_steps() -> None:
    tokens, _ = SMALL.draw(4, torch.Generator().manual_seed(1), torch.float64)
    layers = double(TwoLayers(2)).descend(0.4, 1.1)
    rates = torch.tensor([0.4, 1.1], dtype=torch.float64)
    torch.testing.assert_close(layers(tokens), multi_step(tokens[:, ::2], tokens[:, 1::2], rates))


def test_a_layer_of_the_stack_is_the_layer_of_the_paper() -> None:
    from numeric.gd_ssm import windows

    tokens, _ = SMALL.draw(4, torch.Generator().manual_seed(1))
    paper, mine = GDSSM(2), Layer(2)
    mine.load_state_dict(paper.state_dict())
    X = windows(tokens)
    torch.testing.assert_close(-mine(X, X), paper(tokens))


def test_a_held_layer_is_one_step_on_its_features() -> None:
    raw, _ = Sine().draw(4, torch.Generator().manual_seed(1))
    model = Featured(3, 5, held=True)
    phi, y = model.features(raw[:, ::2]), raw[:, 1::2, 0]
    by_hand = torch.einsum("bn,bnp,bp->b", y, phi[:, :-1], phi[:, -1])
    torch.testing.assert_close(model(raw)[:, -1], by_hand)
    torch.testing.assert_close(model.one_step(raw)[:, -1], by_hand)
    assert not any(weight.requires_grad for weight in model.layer.parameters())


# --------------------------------------------------------------------------------------------------- measures
def test_the_control_variate_takes_the_luck_out() -> None:
    """Against itself a layer is 0 above; beside another rate, by the exact difference, more sharply than on its own."""
    at = [double(GDSSM(10)).descend(rate) for rate in (20 / 33, 0.5)]
    generator = torch.Generator().manual_seed(2)
    same = beside(at[0], at[0], LinearRegression(), generator, 2000)
    assert (same.excess.value, same.distance.value) == (0, 0)
    other = beside(at[1], at[0], LinearRegression(), generator, 10_000)
    sigma, S2 = 1 / 12, 55 / 4
    exact = sigma / 2 * S2 * (20 / 33 - 0.5) ** 2  # the loss is a parabola in the rate
    assert abs(other.excess.value - exact) < 2.5 * other.excess.margin < 0.5 * exact
    assert abs(other.distance.value - exact) < 2.5 * other.distance.margin < 0.25 * exact


def test_sensitivities_are_those_of_gradient_descent() -> None:
    tokens, _ = SMALL.draw(3, torch.Generator().manual_seed(1), torch.float64)
    M = torch.einsum("bna,bnc->bac", tokens[:, 1::2], tokens[:, :-1:2])
    torch.testing.assert_close(sensitivity(double(GDSSM(2)).descend(0.5), tokens), 0.5 * M)


def test_a_layer_that_does_the_opposite_has_the_cosine_minus_1() -> None:
    task, generator = LinearRegression(f=2, N=3), torch.Generator().manual_seed(1)
    forth, back = (double(GDSSM(2)).descend(rate) for rate in (0.5, -0.25))
    for model, cosine in ((forth, 1.0), (back, -1.0)):
        found = cosines(model, forth, task, generator, 5)
        torch.testing.assert_close(found, torch.full((5,), cosine, dtype=torch.float64))


def test_estimates_are_shown_to_the_digits_that_they_have() -> None:
    assert str(Estimate(1.00044, 0.00019)) == "1.00044 ± 0.00019"


def test_an_estimate_is_scaled_with_its_margin_and_moved_without_it() -> None:
    assert Estimate(3.0, 0.5) / 2 == Estimate(1.5, 0.25)
    assert Estimate(3.0, 0.5) + 2 == Estimate(5.0, 0.5)


def test_weights_are_compared_in_one_gauge() -> None:
    layer = GDSSM(2).descend(0.5)
    with torch.no_grad():
        layer.mixing *= 4
        layer.pick *= -8
        layer.C /= -32
    weights = gd_ssm.Weights.of(layer)
    assert weights.stray == (0, 0, 0)
    torch.testing.assert_close(weights.rate, 0.5 * torch.eye(2))


# --------------------------------------------------------------------------------------------------- training
def test_a_small_layer_finds_the_optimum_again_and_again() -> None:
    """f = 2, N = 3; the seeds are fixed here, and drawn by the command."""
    found = train_gd_ssm(2, 11, task=SMALL, recipe=Recipe(steps=800, batch=64))
    assert found.problems == []
    assert [each.seed for each in found.trained] == [11, 12]
    again = train_gd_ssm(1, 12, task=SMALL, recipe=Recipe(steps=800, batch=64))
    assert again.trained[0].loss == found.trained[1].loss


def test_too_short_a_training_is_told() -> None:
    found = train_gd_ssm(1, 5, task=SMALL, recipe=Recipe(steps=2))
    assert any("median" in problem for problem in found.problems)
    assert any("seed 5" in problem for problem in found.problems)


class Interrupted(Exception):
    pass


def test_an_interrupted_run_goes_on_to_the_same_bits() -> None:
    whole = train_gd_ssm(2, 3, task=SMALL, recipe=SHORT)

    def stop(seed: int, steps: int, loss: float) -> None:
        if (seed, steps) == (4, 250):
            raise Interrupted

    with pytest.raises(Interrupted):
        train_gd_ssm(2, 3, task=SMALL, recipe=SHORT, tell=stop)
    assert gd_ssm.CHECKPOINT.exists()
    seen: list[tuple[int, int]] = []
    resumed = train_gd_ssm(2, task=SMALL, recipe=SHORT, tell=lambda seed, steps, loss: seen.append((seed, steps)))
    assert seen[0] == (4, 201)
    for one, other in zip(whole.trained, resumed.trained, strict=True):
        assert one.loss == other.loss
        assert one.curve == other.curve
        for mine, theirs in zip(one.layer.parameters(), other.layer.parameters(), strict=True):
            assert torch.equal(mine, theirs)
    assert not gd_ssm.CHECKPOINT.exists()


def test_a_checkpoint_of_other_settings_is_not_used() -> None:
    def stop(seed: int, steps: int, loss: float) -> None:
        if steps == 300:
            raise Interrupted

    with pytest.raises(Interrupted):
        train_gd_ssm(1, 3, task=SMALL, recipe=SHORT, tell=stop)
    others = ({"seed": 4}, {"seeds": 2, "seed": 3}, {"seed": 3, "task": LinearRegression(f=3, N=3)})
    for other, named in zip(others, ("seeds", "seeds", "task"), strict=True):
        with pytest.raises(BadInput, match=rf"unfinished run \(seeds 3\) with other settings \({named}\)"):
            train_gd_ssm(**{"seeds": 1, "task": SMALL, "recipe": SHORT, **other})  # type: ignore[arg-type]


def test_a_damaged_checkpoint_is_told() -> None:
    gd_ssm.CHECKPOINT.parent.mkdir(parents=True)
    for damage in (b"", b"nonsense", torch_bytes({"weights": 1})):
        gd_ssm.CHECKPOINT.write_bytes(damage)
        with pytest.raises(BadInput, match="delete it"):
            train_gd_ssm(1, 3, task=SMALL, recipe=SHORT)


def torch_bytes(contents: object) -> bytes:
    torch.save(contents, "other.pt")
    return Path("other.pt").read_bytes()


def test_the_caller_s_random_numbers_and_threads_are_left_alone() -> None:
    threads = torch.get_num_threads()
    before = torch.random.get_rng_state()
    train_gd_ssm(1, 3, task=SMALL, recipe=Recipe(steps=3, batch=4))
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.get_num_threads() == threads


def test_training_and_evaluation_have_tasks_of_their_own() -> None:
    drawn = {
        SMALL.draw(1, fitting.tasks_of(seed, purpose))[0].flatten()[0].item()
        for seed in (1, 2)
        for purpose in ("training", "choice", "evaluation")
    }
    assert len(drawn) == 6


@pytest.mark.usefixtures("_short")
def test_the_other_tasks_run() -> None:
    two = train_two_layers(1, 1, task=SMALL, recipe=Recipe(steps=5, batch=8))
    assert len(two.problems) == 1
    wave = train_sine(1, 1, recipe=Recipe(steps=5, batch=8))
    assert len(wave.problems) == 2
    assert wave.sin_cos.value < wave.affine < wave.nothing


@pytest.mark.parametrize("size", [{"f": 0}, {"N": 0}, {"half_width": 0.0}, {"half_width": math.nan}])
def test_a_task_without_inputs_is_refused(size: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="f >= 1, N >= 1 and a half width > 0"):
        LinearRegression(**size)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="half width > 0"):
        Sine(N=0)
    with pytest.raises(BadInput, match="1 step or more on 1 task or more, given 3 on 0"):
        Recipe(steps=3, batch=0)


# ------------------------------------------------------------------------------------------------ command line
def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["train", *arguments])


@pytest.mark.usefixtures("_short")
@pytest.mark.parametrize(("task", "says"), [("gd_ssm", "245/1188"), ("two_layers", "17228165/121952736")])
def test_a_criterion_that_is_not_met_is_exit_status_1(task: str, says: str) -> None:
    ran = run(task, "--seeds", "2", "--seed", "7")
    assert ran.exit_code == 1
    assert f"again with: ssmverify train {task} --seeds 2 --seed 7" in ran.stdout
    assert "Not met: " in ran.stdout
    assert says in ran.stdout
    for seed in ("7", "8"):
        assert any(line.strip().startswith(f"{seed} ") for line in ran.stdout.splitlines())


@pytest.mark.usefixtures("_short")
def test_the_sine_says_what_is_gradient_descent_and_what_is_not() -> None:
    ran = run("sine", "--seeds", "1")
    assert "Gradient descent: the held layer" in ran.stdout
    assert "Not gradient descent: what the free layer does besides" in ran.stdout


@pytest.mark.usefixtures("_short")
def test_an_interruption_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    step = fitting.Fit.step
    monkeypatch.setattr(fitting, "SAVED_EVERY", 10)

    def interrupted(fit: fitting.Fit[GDSSM]) -> None:
        if fit.steps == 25:
            raise KeyboardInterrupt
        step(fit)

    with monkeypatch.context() as patched:
        patched.setattr(fitting.Fit, "step", interrupted)
        ran = run("gd_ssm", "--seeds", "1", "--seed", "7")
    assert ran.exit_code == 3
    assert "Interrupted: the same command goes on" in ran.stdout
    assert "Going on from step 20 of seed 7." in run("gd_ssm", "--seeds", "1").stdout


@pytest.mark.usefixtures("_short")
def test_a_plot_is_drawn() -> None:
    pytest.importorskip("matplotlib")
    run("gd_ssm", "--seeds", "2", "--plot", "losses.png")
    assert Path("losses.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("file", ["losses.docx", "nowhere/losses.png"])
def test_a_plot_that_cannot_be_drawn_is_told_before_any_training(file: str) -> None:
    ran = run("gd_ssm", "--plot", file)
    assert ran.exit_code == 2
    assert ran.stderr.startswith(f"ssmverify: cannot draw to {file}: ")
    assert ran.stdout == ""


def test_a_plot_without_matplotlib_is_one_sentence_before_any_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.backend_bases", None)
    ran = run("gd_ssm", "--plot", "losses.png")
    assert ran.exit_code == 2
    assert ran.stderr == "ssmverify: a plot needs matplotlib: pip install 'ssmverify[plot]'\n"


def test_an_unknown_task_is_one_sentence() -> None:
    ran = run("mamba")
    assert ran.exit_code == 2
    assert ran.stderr == "ssmverify: there is no task 'mamba': give one of gd_ssm, two_layers, sine\n"
