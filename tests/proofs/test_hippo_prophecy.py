"""HiPPO-Prophecy: what its proofs take by hand, its closed forms against matrices, its bound on inputs, its rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import sympy
from flint import acb, acb_mat, arb, arb_mat, ctx, fmpq, fmpq_mat, fmpq_poly
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.hippo_prophecy.bound import scale
from proofs.hippo_prophecy.kernels import legendre
from proofs.hippo_prophecy.legs import V
from proofs.hippo_prophecy.predictors import closed_loop, legt
from proofs.kernel import evaluate
from proofs.terms import index, scalar
from tests.rates import confidence, holds_rate, order


@pytest.fixture(autouse=True)
def _precise() -> Any:
    """Balls of 256 bits."""
    before, ctx.prec = ctx.prec, 256
    yield
    ctx.prec = before


# ------------------------------------------------------------------------------------------ what is taken by hand
@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("kind", ["1", "x", "x**2", "x**3", "x**4", "exp(x)", "exp(-2*x)"])
def test_one_integration_by_parts_ties_the_coefficients(kind: str, m: int) -> None:
    """The hypothesis of `fout_jump`; and cosines are orthogonal to the slope of a quadratic, as `error_bound` needs."""
    x, t, theta = sympy.Symbol("x"), sympy.Integer(2), sympy.Rational(3, 2)
    u = sympy.sympify(kind, {"x": x})
    sigma, omega = sympy.Symbol("sigma"), 2 * sympy.pi * m / theta

    def mean(f: Any, wave: Any) -> Any:
        return sympy.integrate(f.subs(x, t - sigma) * wave(omega * sigma), (sigma, 0, theta)) / theta

    X, Y = mean(u, sympy.sin), mean(u.diff(x), sympy.cos)
    jump = u.subs(x, t) - u.subs(x, t - theta)
    assert sympy.simplify(omega * X - jump / theta + Y) == 0
    if kind in ("1", "x", "x**2"):
        assert Y == 0


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=5), st.integers(0, 8))
@settings(max_examples=30, deadline=None)
def test_samples_of_a_period_give_the_amplitudes(waves: list[tuple[int, int]], more: int) -> None:
    """The step by hand of `amplitude`: (2/n) times the sum over n >= 2K + 1 equidistant samples."""
    n = 2 * len(waves) + 1 + more
    times = [arb(2 * i) / n for i in range(n)]
    values = [sum(a * (m * t).cos_pi() + b * (m * t).sin_pi() for m, (a, b) in enumerate(waves, 1)) for t in times]
    for m, (a, b) in enumerate(waves, 1):
        assert (2 * sum(v * (m * t).cos_pi() for v, t in zip(values, times, strict=True)) / n).contains(a)
        assert (2 * sum(v * (m * t).sin_pi() for v, t in zip(values, times, strict=True)) / n).contains(b)


# -------------------------------------------------------------------------------- closed forms against matrices
def fout(M: int) -> tuple[acb_mat, acb_mat, acb_mat]:
    """A, B, C of FouT with window 1, for the orthonormal basis."""
    N, root = 2 * M + 1, acb(2).sqrt()
    ends = [acb(1) if n == 0 else root * (n % 2) for n in range(N)]
    rows = [[-2 * x * y for y in ends] for x in ends]
    for m in range(1, M + 1):
        rows[2 * m][2 * m - 1] += 2 * m * acb.pi()
        rows[2 * m - 1][2 * m] -= 2 * m * acb.pi()
    read = [-(n // 2) * 2 * root * acb.pi() if n and n % 2 == 0 else acb(0) for n in range(N)]
    return acb_mat(rows), acb_mat([[2 * x] for x in ends]), acb_mat([read])


def transfer(model: tuple[acb_mat, acb_mat, acb_mat], s: acb) -> acb:
    """C (sI - A)^-1 B, by a linear solve."""
    A, B, C = model
    shifted = acb_mat(A.nrows(), A.nrows(), [s * (i == j) for i in range(A.nrows()) for j in range(A.nrows())]) - A
    return (C * shifted.solve(B))[0, 0]


@pytest.mark.parametrize("M", [0, 1, 2, 5])
@pytest.mark.parametrize("s", [acb(1), acb(0, 1), acb(-2, 7), acb(3, -20)])
def test_the_transfer_function_of_fout_is_that_of_its_matrices(M: int, s: acb) -> None:
    G = 1 / s + sum((2 * s / (s**2 + (2 * m * acb.pi()) ** 2) for m in range(1, M + 1)), acb(0))
    claimed = -(s + 2 * (2 * M + 1)) / (1 + 2 * G)
    found = transfer(fout(M), s) - s
    assert found.overlaps(claimed)
    assert found.rel_accuracy_bits() > 100


@pytest.mark.parametrize("M", [1, 2, 3])
def test_harmonics_of_the_basis_are_differentiated_exactly_and_others_within_their_frequency(M: int) -> None:
    for m in range(M + 1, M + 20):
        frequency = 2 * m * arb.pi()
        assert abs(transfer(fout(M), acb(0, 1) * frequency) - acb(0, 1) * frequency) <= frequency
    for m in range(1, M + 1):
        s = acb(0, 2 * m) * acb.pi()
        assert transfer(fout(M), s).overlaps(s)


def legs(N: int) -> tuple[fmpq_mat, fmpq_mat]:
    """A, B of LegS for the states c_n/√(2n+1)."""
    entries = [-(n + 1) if n == k else -(2 * k + 1) * (k < n) for n in range(N) for k in range(N)]
    return fmpq_mat(N, N, entries), fmpq_mat(N, 1, [1] * N)


@pytest.mark.parametrize("N", range(1, 9))
def test_the_closed_loop_of_legs_has_the_eigenvalues_0_0_1_to_N_minus_1(N: int) -> None:
    A, _ = legs(N)
    read = fmpq_mat(1, N, [2 * k + 1 for k in range(N)]) * A
    rows = [[*A.tolist()[n], fmpq(1)] for n in range(N)]
    polynomial = fmpq_mat([*rows, [*read.tolist()[0], fmpq(N * N)]]).charpoly()
    expected = fmpq_poly([0, 1])
    for root in range(N):
        expected = expected * fmpq_poly([-root, 1])
    assert polynomial == expected


@pytest.mark.parametrize("N", range(1, 9))
def test_legs_answers_to_a_power_of_t_as_claimed(N: int) -> None:
    """The states solve (ρI - A) c = B; the read-out misses ρ by -ρ V_N, exactly."""
    A, B = legs(N)
    for rho in (fmpq(0), fmpq(1, 2), fmpq(3), fmpq(7, 3), fmpq(9)):
        shifted = fmpq_mat(N, N, [rho * (i == j) for i in range(N) for j in range(N)]) - A
        c = shifted.solve(B)
        read = fmpq_mat(1, N, [2 * k + 1 for k in range(N)]) * A * c
        claimed = evaluate(-scalar("ρ") * V(index(N)), {"ρ": rho})
        assert read[0, 0] + N * N - rho == claimed


def error_kernel(N: int) -> fmpq_poly:
    """κ(r) = r (P_N + P_{N-1})(2r - 1) - Φ_N(r): the error of LegS's read-out is -(t/2) ∫ u''(tr) κ(r) dr."""
    P = legendre(N)
    return fmpq_poly([0, 1]) * (P[N] + P[N - 1]) - (P[N] + P[N - 1]).integral()


@pytest.mark.parametrize("N", range(2, 9))
def test_the_error_integral_of_legs_gives_the_error_on_powers(N: int) -> None:
    """Exact integrals, against `legs_powers`: what `by_parts` in `legs_error_integral` stands for."""
    for d in range(2, 13):
        integral = (fmpq_poly([0] * (d - 2) + [1]) * error_kernel(N)).integral()(1)
        assert fmpq(-d * (d - 1), 2) * integral == evaluate(-scalar("ρ") * V(index(N)), {"ρ": fmpq(d)})


def lagt(N: int) -> arb_mat:
    """A of LagT."""
    return arb_mat(N, N, [arb(-1) / 2 if n == k else arb(-(k < n)) for n in range(N) for k in range(N)])


@pytest.mark.parametrize("t", ["0", "0.3", "2"])
def test_the_kernels_are_those_of_the_matrix_exponential(t: str) -> None:
    N, time = 8, arb(t)
    x = (-time).exp()
    A, B = legs(N)
    of_legs = (arb_mat(A) * time).exp() * arb_mat(B)
    of_lagt = (lagt(N) * time).exp() * arb_mat(N, 1, [1] * N)
    for n, P in enumerate(legendre(N - 1)):
        laguerre = sum((math.comb(n, j) * (-time) ** j / math.factorial(j) for j in range(n + 1)), arb(0))
        assert of_legs[n, 0].overlaps(sum((arb(P[j]) * x ** (j + 1) for j in range(n + 1)), arb(0)))
        assert of_lagt[n, 0].overlaps(laguerre * (-time / 2).exp())


# ------------------------------------------------------------------------------------------------- the bound
def errors(M: int, waves: Sequence[tuple[int, int]], steady: bool) -> list[tuple[arb, arb]]:
    """u' - y by harmonic, as amplitudes of cos and sin; in steady state or from exact coefficients, of period 1."""
    found = []
    for m, (a, b) in enumerate(waves, 1):
        s = acb(0, 2 * m) * acb.pi()
        gain = s - transfer(fout(M), s) if steady else s * (m > M)
        phasor = gain * acb(a, -b)
        found.append((phasor.real, -phasor.imag))
    return found


def largest(waves: Sequence[tuple[Any, Any]], points: int = 128) -> arb:
    """The largest value on a grid: at most the supremum."""
    values = []
    for i in range(points):
        phases = [arb(2 * i * m) / points for m in range(1, len(waves) + 1)]
        pairs = zip(waves, phases, strict=True)
        values.append(abs(sum((a * p.cos_pi() + b * p.sin_pi() for (a, b), p in pairs), arb(0))))
    return max(values, key=lambda value: float(value.mid()))


def bound(k: int, M: int, L: arb) -> arb:
    """The right side of `error_bound_periodic`, period 1."""
    N = 2 * M + 1
    return L / (arb.pi() ** (k - 1) * (k - 2) * (N - 1) ** (k - 2))


def ratio(k: int, M: int, waves: Sequence[tuple[int, int]], steady: bool) -> arb:
    """Largest error over bound, with the largest |u^(k)| on a grid for L: that is smaller, so the bound is sharper."""
    derivative = [((2 * m * arb.pi()) ** k * a, (2 * m * arb.pi()) ** k * b) for m, (a, b) in enumerate(waves, 1)]
    turned = derivative if k % 2 == 0 else [(b, -a) for a, b in derivative]
    return largest(errors(M, waves, steady)) / bound(k, M, largest(turned))


def test_the_bound_is_the_one_proved() -> None:
    lam = 2 * arb.pi()
    for k in (3, 4, 7):
        for M in (1, 2, 9):
            point = {"L": arb(1), "λ": lam, "p": k - 3}
            assert (evaluate(scale, point, arb) / ((k - 2) * M ** (k - 2))).overlaps(bound(k, M, arb(1)))


entries = st.integers(-20, 20)


@given(
    st.integers(3, 5),
    st.integers(1, 3),
    st.lists(st.tuples(entries, entries), min_size=5, max_size=7).filter(lambda waves: any(map(any, waves))),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_no_periodic_input_exceeds_the_bound(k: int, M: int, waves: list[tuple[int, int]], steady: bool) -> None:
    assert ratio(k, M, waves, steady) <= 1


def test_one_harmonic_beyond_the_basis() -> None:
    """Its error and its bound are known exactly, so that the two sides of the other test are seen to be right."""
    for M in (1, 2, 4, 8):
        found = ratio(3, M, [(0, 0)] * M + [(1, 0)], steady=False)
        assert found.overlaps(arb(M) / (2 * (M + 1) ** 2))


def worst_error(k: int, M: int, steady: bool) -> float:
    """The supremum of |u' - y| over all u of period 1 with |u^(k)| <= 1.

    It is the L1 norm of the kernel that takes u^(k) to u' - y: here in float64, by a Fourier transform.
    """
    points = 1 << 15
    m = np.arange(1, points // 8)
    s = 2j * np.pi * m
    if steady:
        j = np.arange(1, M + 1)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):  # at the harmonics of the basis, where the error is 0
            G = 1 / s + (2 * s / (s**2 + (2 * np.pi * j) ** 2)).sum(0)
            error = np.where(m > M, (s + 4 * M + 2) / (1 + 2 * G), 0)
    else:
        error = np.where(m > M, s, 0)
    spectrum = np.zeros(points // 2 + 1, dtype=complex)
    spectrum[1 : points // 8] = error / s**k * points
    return float(np.abs(np.fft.irfft(spectrum)).mean())


def test_how_much_of_the_bound_is_reached() -> None:
    """A sixth and a fifth at most; less and less as N grows, for the bound is not of sharp order."""
    worst = {
        (k, M, steady): worst_error(k, M, steady) / float(bound(k, M, arb(1)))
        for k in (3, 4)
        for M in (1, 2, 4, 8, 16)
        for steady in (False, True)
    }
    assert max(worst.values()) <= 1
    shown = {place: f"{value:.2f}" for place, value in worst.items() if place[:2] in ((3, 1), (3, 16), (4, 2))}
    assert shown == {
        (3, 1, False): "0.17",
        (3, 1, True): "0.16",
        (3, 16, False): "0.05",
        (3, 16, True): "0.04",
        (4, 2, False): "0.20",
        (4, 2, True): "0.18",
    }


def test_on_a_ramp_the_error_is_the_number_of_states() -> None:
    """The steady motion C = t - 1/2, Q_m = 2/ω_m of `error_bound_no_constant`, run through the matrices."""
    for M in (1, 4, 16):
        A, B, C = fout(M)
        root = acb(2).sqrt()

        def at(t: Any, M: int = M, root: acb = root) -> acb_mat:
            waves = [x for m in range(1, M + 1) for x in (acb(0), root / (2 * m * acb.pi()))]
            return acb_mat([[acb(t) - acb(1) / 2], *([x] for x in waves)])

        rate = A * at(3) + B * acb(3)
        assert all(rate[n, 0].contains(acb(n == 0)) for n in range(2 * M + 1))
        assert (1 - (C * at(3))[0, 0]).contains(acb(2 * M + 1))


def error_of_notebook(window: float, M: int) -> float:
    """The error with exact coefficients at t = 20 for sin³ + |sin|³, the input of the authors' notebook, by float64."""
    t, points = 20.0, 1 << 14
    sigma = np.arange(points) * window / points

    def slope(x: Any) -> Any:
        return 3 * np.sin(x) * np.cos(x) * (np.sin(x) + abs(np.sin(x)))

    def value(x: float) -> float:
        return math.sin(x) ** 3 + abs(math.sin(x)) ** 3

    past = slope(t - sigma)
    past[0] = (past[0] + slope(t - window)) / 2  # the trapezoidal rule
    means = [(past * np.cos(2 * np.pi * m * sigma / window)).mean() for m in range(M + 1)]
    jump = value(t) - value(t - window)
    y = -(2 * M + 1) / window * jump + means[0] + 2 * sum(means[1:])
    return abs(float(slope(t)) - float(y))


def test_the_notebook_s_own_input_exceeds_its_bound_unless_the_window_is_a_period() -> None:
    """Its third derivative is at most 15, so the bound as read is κ 15/N. It is drawn there with κ = 1, which holds for
    a window of one period; with other windows the error grows, so that no κ is enough."""
    sizes = [4, 16, 64]
    for window in (1.0, 5.0):
        found = [error_of_notebook(window, M) for M in sizes]
        assert all(error > 15 / (2 * M + 1) for error, M in zip(found[1:], sizes[1:], strict=True))
        assert found[2] > 3 * found[1]
    assert all(error_of_notebook(2 * math.pi, M) <= 15 / (2 * M + 1) for M in sizes)


# -------------------------------------------------------------------------------------------------- rates, as rates
def test_the_interval_of_an_order_contains_it_and_no_other() -> None:
    sizes = [2**j for j in range(5, 11)]
    for p in (-3, -1, 2):
        found = [arb(n) ** p * (1 + arb(3) / n - arb(7) / n**2) for n in sizes]
        assert holds_rate(order(sizes, found), p)
        assert not holds_rate(order(sizes, found), p + 1)


def test_the_error_on_a_sinusoid_grows_like_N() -> None:
    """T5's jump: N |1 - e^(-iω)|, for a frequency that is no harmonic of the window."""
    M = [8, 16, 32, 64, 128]
    s = acb(0, 1)
    errors = []
    for half in M:
        G = 1 / s + sum((2 * s / (s**2 + (2 * m * acb.pi()) ** 2) for m in range(1, half + 1)), acb(0))
        errors.append(abs((s + 2 * (2 * half + 1)) / (1 + 2 * G)))
    assert holds_rate(order(M, errors), 1)


def test_the_read_out_nears_its_limit_like_one_over_N() -> None:
    """`fout_two_ends`, exactly for each N; and what its last term tends to, at a frequency that is no harmonic."""
    M, distances, remainders, s = [8, 16, 32, 64, 128], [], [], acb(0, 2)
    E = (-s).exp()
    for half in M:
        N = 2 * half + 1
        G = 1 / s + sum((2 * s / (s**2 + (2 * m * acb.pi()) ** 2) for m in range(1, half + 1)), acb(0))
        H, R = 2 * (s * G - N) / (1 + 2 * G), (1 + E) / (2 * (1 - E)) - G
        jumped = H - s * (1 + E) / 2 + N * (1 - E)
        assert jumped.overlaps(R * (1 - E) * (H - s))
        distances.append(abs(jumped + s * (1 - E) ** 2 / acb.pi() ** 2))
        remainders.append(abs(R))
    assert holds_rate(order(M, distances), -1)
    assert holds_rate(order(M, remainders), -1)


@pytest.mark.parametrize("steady", [False, True])
@pytest.mark.parametrize("k", [3, 4])
def test_the_worst_periodic_error_falls_at_least_as_fast_as_the_bound(k: int, steady: bool) -> None:
    M = [8, 16, 32, 64, 128]
    low, high = confidence(M, [worst_error(k, half, steady) for half in M])
    assert high < -(k - 2)  # proved: at least that fast
    assert high - low < 0.2


def test_the_error_constant_of_legs_falls_like_one_over_the_root_of_N() -> None:
    """Measured, not proved: (1/2) ‖κ‖₁, by which |u''| <= L bounds the error, times L t."""
    sizes, constants = [8, 16, 32, 64, 128], []
    r = (np.arange(1 << 15) + 0.5) / (1 << 15)
    for N in sizes:
        basis = [np.polynomial.Legendre.basis(n, domain=[0, 1]) for n in (N, N - 1)]
        both = basis[0] + basis[1]
        constants.append(float(np.abs(r * both(r) - both.integ(lbnd=0)(r)).mean() / 2))
    low, high = confidence(sizes, constants)
    assert low < -0.5 < high
    assert high - low < 0.02


Method = Callable[[arb_mat, arb_mat, arb], tuple[arb_mat, arb_mat, float]]


def eye(n: int) -> arb_mat:
    return arb_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])


def gbt(alpha: float, beta: float) -> Method:
    """The generalised bilinear transform, with the share β of the new sample."""

    def step(A: arb_mat, B: arb_mat, delta: arb) -> tuple[arb_mat, arb_mat, float]:
        left = eye(A.nrows()) - A * (alpha * delta)
        return left.solve(eye(A.nrows()) + A * ((1 - alpha) * delta)), left.solve(B * delta), beta

    return step


def hold(beta: float) -> Method:
    """Zero-order hold, with the share β of the new sample."""

    def step(A: arb_mat, B: arb_mat, delta: arb) -> tuple[arb_mat, arb_mat, float]:
        flow = (A * delta).exp()
        return flow, A.solve((flow - eye(A.nrows())) * B), beta

    return step


def stepped(measure: str) -> tuple[arb_mat, arb_mat]:
    """A and B to take steps with."""
    if measure == "legt":
        A, B, *_ = legt(4)
        return arb_mat(A), arb_mat(B)
    if measure == "lagt":
        return lagt(4), arb_mat(4, 1, [1] * 4)
    A, B, _ = fout(1)
    return (arb_mat([[x.real for x in row] for row in matrix.table()]) for matrix in (A, B))  # type: ignore[return-value]


@pytest.mark.parametrize("measure", ["legt", "lagt", "fout"])
@pytest.mark.parametrize(
    ("method", "proved"),
    [
        (gbt(0, 0), 1),
        (gbt(1, 1), 1),
        (gbt(0.5, 0.5), 2),
        (gbt(0.5, 1), 1),
        (hold(0), 1),
        (hold(1), 1),
        (hold(0.5), 2),
    ],
    ids=["euler", "backward euler", "bilinear", "bilinear, one sample", "zoh, old", "zoh, new", "zoh, mean"],
)
def test_a_step_s_order_is_the_proved_one(measure: str, method: Method, proved: int) -> None:
    """The state after time 1 from rest, under sin 3t: against the exponential of the joint system."""
    A, B = stepped(measure)
    N, one = A.nrows(), arb(1)
    joint = [[*(A[i, j] for j in range(N)), B[i, 0], arb(0)] for i in range(N)]
    joint += [[arb(0)] * (N + 1) + [arb(3)], [arb(0)] * N + [arb(-3), arb(0)]]  # (sin 3t, cos 3t)
    end = arb_mat(joint).exp() * arb_mat(N + 2, 1, [0] * (N + 1) + [1])
    sizes, errors = [2**j for j in range(6, 11)], []
    for steps in sizes:
        delta = one / steps
        keep, write, beta = method(A, B, delta)
        samples = [(3 * delta * k).sin() for k in range(steps + 1)]
        c = arb_mat(N, 1, [0] * N)
        for old, new in pairwise(samples):
            c = keep * c + write * ((1 - beta) * old + beta * new)
        errors.append(max((abs(c[i, 0] - end[i, 0]) for i in range(N)), key=lambda e: float(e.mid())))
    assert holds_rate(order(sizes, errors), -proved)


def test_one_prediction_misses_by_the_third_power_of_the_step() -> None:
    """LegT's predictor for N = 16, so that ε is far below; in steady state at cos t, from the discrete matrices."""
    N, sizes, errors = 16, [2**j for j in range(12, 18)], []
    A, B, C, D = (arb_mat(x) if isinstance(x, fmpq_mat) else arb(x) for x in legt(N))
    for steps in sizes:
        delta = arb(1) / steps
        z = acb(0, delta).exp()
        keep, write, _ = gbt(0.5, 1)(A, B, delta)
        shifted = acb_mat(N, N, [z * (i == j) for i in range(N) for j in range(N)]) - acb_mat(keep)
        state = shifted.solve(acb_mat(write) * z)
        predicted = ((1 + delta * D / 2) + delta * (acb_mat(C) * state)[0, 0]) / (1 - delta * D / 2)
        errors.append(abs(predicted - z))
    assert holds_rate(order(sizes, errors), -3)


@pytest.mark.parametrize(("N", "growth"), [(3, "0.0117"), (5, "0.598"), (9, "6.69"), (17, "47"), (33, "421")])
def test_how_fast_the_loop_of_legt_grows(N: int, growth: str) -> None:
    """Per window, at 1000 steps a window; the sizes beyond `closed_loop` included."""
    others = divmod(closed_loop(legt(N), fmpq(1, 1000)).charpoly(), fmpq_poly([-1, 1]) ** 2)[0]
    rates = [float((1000 * abs(root).log()).mid()) for root, _ in others.numer().complex_roots()]
    assert f"{max(rates):.3g}" == growth
