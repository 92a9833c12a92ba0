"""HiPPO for every N against exact computations for single N, which know nothing of the proofs; and the tactics."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import acb, acb_mat, arb, fmpq, fmpq_mat, fmpq_poly

from proofs.hippo import lagt as hippo_lagt
from proofs.hippo import legendre as hippo_legendre
from proofs.hippo import legt as hippo_legt
from proofs.hippo import pade as hippo_pade
from proofs.hippo import spectra as hippo_spectra
from proofs.hippo import weights as hippo_weights
from proofs.hippo import window as hippo
from proofs.kernel import NotProved, assume, evaluate, identity
from proofs.tactics.products import cancelled, falling, grow, inductively, nothing, put_in, rising, sign
from proofs.terms import Eq, Lt, Nat, Term, index, scalar, size, summation, term
from tests.rates import holds_rate, order

n, k = size("n"), size("k")
SIZES = range(1, 7)
ROOT = Path(hippo.__file__).parents[2]


def legendre(N: int) -> list[fmpq_poly]:
    """P_0(1 - 2x) .. P_(N-1)(1 - 2x) by Bonnet's recurrence."""
    x = fmpq_poly([1, -2])
    p = [fmpq_poly([1]), x]
    for i in range(1, N):
        p.append(((2 * i + 1) * x * p[i] - i * p[i - 1]) / (i + 1))
    return p[:N]


def laguerre(N: int) -> list[fmpq_poly]:
    """L_0 .. L_(N-1) by their recurrence."""
    x = fmpq_poly([0, 1])
    p = [fmpq_poly([1]), 1 - x]
    for i in range(1, N):
        p.append(((2 * i + 1 - x) * p[i] - i * p[i - 1]) / (i + 1))
    return p[:N]


@pytest.mark.parametrize(("family", "known"), [(hippo_legendre, legendre), (hippo_lagt, laguerre)])
def test_the_coefficients_are_those_of_the_recurrence(family: Any, known: Any) -> None:
    for degree, p in enumerate(known(8)):
        found = [evaluate(family.coefficient(n, k), {"n": degree, "k": power}) for power in range(10)]
        assert fmpq_poly(found) == p


def signed_square(x: fmpq, ratio: fmpq) -> fmpq:
    return x * abs(x) * ratio


def entry(measure: str, i: int, j: int) -> Term:
    """A_ij as `proofs.hippo.legt` writes it."""
    if measure == "legt" and j > i:
        return hippo_legt.high(index(i), index(j))
    if measure == "legs" and j >= i:
        return -Nat(index(i + 1)) if i == j else term(0)
    return hippo_legt.low(index(i), index(j))


@pytest.mark.parametrize("N", SIZES)
@pytest.mark.parametrize("measure", ["legt", "legs"])
def test_the_entries_are_those_of_the_table(measure: str, N: int) -> None:
    """Entries of the scale d = 1, brought to d_n² = 2n + 1, as x |x|."""
    table = hippo_weights.written(measure, N)
    for i in range(N):
        found = [evaluate(entry(measure, i, j), {"d": fmpq(1)}) for j in range(N)]
        squares = [signed_square(x, fmpq(2 * i + 1, 2 * j + 1)) for j, x in enumerate(found)]
        assert squares == [x for x, _ in table["A"][N * i : N * i + N]]
        read = evaluate(hippo_legt.read_out, {"d": fmpq(1), "k": i, "N": N})
        assert signed_square(read, fmpq(1, 2 * i + 1)) == table["C"][i][0]


def unscaled(N: int) -> tuple[fmpq_mat, fmpq_mat, fmpq_mat]:
    """A, B and g₀ of LegT in the scale d = 1."""
    now, _, B = hippo_spectra.rows_of(N)
    return hippo_spectra.square_matrix(N, hippo_spectra.legt_entry), B, now


@pytest.mark.parametrize("N", SIZES)
def test_the_read_out_of_legt_misses_by_the_pade_denominator(N: int) -> None:
    """y - s = -s^(N+1)/Q_N(s), with the steady state solved for."""
    A, B, now = unscaled(N)
    one = fmpq_mat(N, N, [int(i == j) for i in range(N) for j in range(N)])
    Q = hippo_spectra.pade_denominator(N)
    for s in (fmpq(1), fmpq(-1, 3), fmpq(7, 2), fmpq(10)):
        w = (s * one - A).solve(B)
        assert (now * (A * w + B))[0, 0] - s == -(s ** (N + 1)) / Q(s)
        assert evaluate(hippo_pade.denominator(N), {"z": 1 / s}) == Q(s) / s**N


@pytest.mark.parametrize("N", SIZES)
def test_legt_is_exact_up_to_degree_N_and_then_off_by_a_constant(N: int) -> None:
    """The response to t^q/q! is the sum of w_i t^(q-i)/(q-i)! with A w_0 = -B and A w_(i+1) = w_i."""
    A, B, now = unscaled(N)
    w = [A.solve(-1 * B)]
    for _ in range(N + 1):
        w.append(A.solve(w[-1]))
    reads = [(now * A * x)[0, 0] for x in w]
    reads[0] += (now * B)[0, 0]
    assert reads[: N + 1] == [fmpq(int(i == 1)) for i in range(N + 1)]
    constant = fmpq(factorial(N - 1), factorial(2 * N - 1))
    assert reads[N + 1] == -constant


@pytest.mark.parametrize("m", range(1, 5))
def test_which_turn_of_fout_fits_its_harmonics(m: int) -> None:
    """The rows of the table keep the states of cos 2πmt and sin 2πmt; the printed indices do not, but by accident."""
    N = 9
    turn = arb(0) + hippo_weights.value(hippo_weights.written("fout", N)["A"][N * 2 * m + 2 * m - 1])
    point = {"m": m - 1, "π": fmpq(1)}
    printed, text = (evaluate(hippo.read_as[name], point) for name in sorted(hippo.read_as))
    assert turn.overlaps(2 * arb.pi() * m)
    assert (printed, text) == (4 * m, 2 * (2 * m - 1))
    assert (printed == 2 * m, text == 2 * m) == (False, m == 1)


def test_the_normal_part_of_legs_has_the_real_part_minus_one_half() -> None:
    """All eigenvalues, enclosed; the imaginary parts are those that `hippo_spectra` finds."""
    N = 8
    entries = [
        fmpq(hippo_spectra.legs_skew(i, j), 2) - (fmpq(1, 2) if i == j else 0) for i in range(N) for j in range(N)
    ]
    eigenvalues = acb_mat(N, N, entries).eig()
    assert all(value.real.overlaps(arb(-1) / 2) for value in eigenvalues)
    positive = sorted((value.imag for value in eigenvalues if value.imag > 0), key=float, reverse=True)
    found = hippo_spectra.imaginary_parts(N)
    assert len(positive) == len(found) == N // 2
    assert all(x.overlaps(y) for x, y in zip(positive, found, strict=True))


def phase(N: int, y: arb) -> arb:
    """The sum of arctan((i + 1/2)/y), i < N."""
    return sum((((2 * i + 1) / (2 * y)).atan() for i in range(N)), arb(0))


@pytest.mark.parametrize("N", [2, 7, 16])
def test_the_frequencies_of_legs_have_the_phases_claimed(N: int) -> None:
    """What is by hand in `s4d.spectrum`: enclosed eigenvalues have V_N = -1, and the phases rπ/2, r = 1, 3, 5, ..."""
    for r, y in zip(range(1, N + 1, 2), hippo_spectra.imaginary_parts(N), strict=False):
        root = acb(arb(-1) / 2, y)
        assert acb(-1).overlaps(math.prod(((root + 1 - i) / (root + i) for i in range(1, N + 1)), start=acb(1)))
        assert phase(N, y).overlaps(r * arb.pi() / 2)


def frequency(N: int, r: int) -> arb:
    """The r-th frequency, to 2^-80, between the bounds proved: by bisection of its phase."""
    low = N * N / (r * arb.pi()) - r * arb.pi() / 6
    high, target = low + r**3 / arb(N * N), r * arb.pi() / 2
    assert phase(N, low) > target > phase(N, high)
    for _ in range(80):
        middle = ((low + high) / 2).mid()
        low, high = (middle, high) if phase(N, middle) > target else (low, middle)
    return low.union(high)


@pytest.mark.parametrize("r", [1, 3])
def test_the_law_of_the_frequencies_is_off_like_one_over_N_squared(r: int) -> None:
    sizes = [8 * r * 2**i for i in range(5)]
    gaps = [frequency(N, r) - N * N / (r * arb.pi()) + r * arb.pi() / 6 for N in sizes]
    assert holds_rate(order(sizes, gaps), -2)


def test_a_determinant_by_expansion_is_that_of_elimination() -> None:
    entries = np.random.default_rng(4).integers(-5, 6, (5, 5)).tolist()
    assert hippo_spectra.determinant(entries) == fmpq_mat(entries).det()


# --------------------------------------------------------------------------------------------------- the tactics
def test_products_are_what_their_names_say() -> None:
    point = {"n": 3, "k": 5}
    assert evaluate(rising(n, k), point) == 3 * 4 * 5 * 6 * 7
    assert evaluate(falling(n, k), point) == 0
    assert evaluate(falling(n, size("m")), {"n": 3, "m": 2}) == 6
    assert evaluate(sign(k), point) == -1


def test_induction_proves_no_wrong_sum() -> None:
    odd = summation(k, 0, n - 1, Nat(2 * k + 1))
    grown = grow(summation(k, 0, n, Nat(2 * k + 1)))
    assert inductively(Eq(odd, Nat(n) * Nat(n)), n, grown).hypotheses == frozenset()
    for wrong in (Nat(n) * Nat(n + 1), Nat(n) * Nat(n) + 1, Nat(n)):
        with pytest.raises(NotProved):
            inductively(Eq(odd, wrong), n, grown)


def test_only_what_is_plainly_positive_is_cancelled() -> None:
    x, y, a = scalar("x"), scalar("y"), scalar("a")
    kept = cancelled(assume(Eq(Nat(n + 1) * x, Nat(n + 1) * y)), x, y, Nat(n + 1))
    assert kept.conclusion == Eq(x, y)
    assert len(kept.hypotheses) == 1  # the equation alone
    doubtful = cancelled(assume(Eq(a * x, a * y)), x, y, a)
    assert len(doubtful.hypotheses) == 2  # a != 0 stays
    assert Lt(term(0), a) in cancelled(assume(Eq(a * x, a * y)), x, y, a, Lt(term(0), a)).hypotheses


def test_a_value_that_occurs_elsewhere_is_not_put_in() -> None:
    x, y = scalar("x"), scalar("y")
    with pytest.raises(NotProved, match="occurs elsewhere"):
        put_in(x + y, y + y, [assume(Eq(x, y))])
    with pytest.raises(NotProved):
        put_in(x, y + 1, [assume(Eq(x, y))])
    assert nothing(identity(x, x).conclusion) == []


@pytest.mark.parametrize("name", ["window.fout_closure", "pade.pade_order", "lagt.lagt_nplr"])
def test_a_proof_file_runs_by_itself(name: str) -> None:
    file, claim = name.split(".")
    command = [sys.executable, "-m", f"proofs.hippo.{file}", f"hippo.{claim}"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nProved for every " in done.stdout
