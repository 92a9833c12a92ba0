"""The rules of majorants are tried to be broken: perturbed numbers, computed in a low precision, against exact ones."""

import math
from fractions import Fraction

import torch
from hypothesis import assume, given, settings, target
from hypothesis import strategies as st

from numeric.bounds.majorant import Majorant


def narrow(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, width=32, allow_subnormal=True)


@settings(max_examples=300, deadline=None)
@given(narrow(-8, 8), narrow(-1, 1), narrow(-8, 8), narrow(-0.75, 0.75), st.floats(0.5, 1, width=32))
def test_no_quotient_is_found_outside_its_bound(
    x: float, moved: float, y: float, shifted: float, at_least: float
) -> None:
    assume(abs(y) >= at_least)
    x_hat, y_hat = (torch.tensor(v, dtype=torch.float32) for v in (x + moved, y + shifted))
    errors = [abs(Fraction(float(hat)) - Fraction(exact)) for hat, exact in ((x_hat, x), (y_hat, y))]
    sizes = [torch.tensor(abs(v), dtype=torch.float64) for v in (x, y)]
    upper = [torch.tensor(math.nextafter(float(e), math.inf), dtype=torch.float64) for e in errors]
    numerator, denominator = (Majorant(s, e, torch.float32) for s, e in zip(sizes, upper, strict=True))
    bound = float(numerator.divided(denominator, at_least).bound(1, 1))
    if math.isfinite(bound):
        error = abs(Fraction(float(x_hat / y_hat)) - Fraction(x) / Fraction(y))
        target(float(error / Fraction(bound)), label="error / bound")
        assert error <= Fraction(bound)
    else:
        assert 2 * upper[1] > at_least


def test_the_quotient_s_bound_is_attained() -> None:
    """At |y| = L and y^ = y - F no smaller bound holds, but for the rounding."""
    x, L, F = 1.0, 1.0, 0.25
    numerator = Majorant.of(torch.tensor(x))
    denominator = Majorant(torch.tensor(L).double(), torch.tensor(F).double(), torch.float32)
    bound = float(numerator.divided(denominator, L).bound(1, 1))
    assert 1 <= bound / (x / (L - F) - x / L) < 1 + 1e-5


def test_a_denominator_that_may_vanish_bounds_nothing_from_there_on() -> None:
    one = Majorant.of(torch.ones(2))
    unsure = Majorant(torch.ones(2).double(), torch.tensor([0.5, 0.6]).double(), torch.float32)
    found = one.divided(unsure, 1.0)
    assert found.error.isfinite().tolist() == [True, False]
    nothing = Majorant.of(torch.zeros(2))
    assert (found * nothing).bound(1, 1).isfinite().tolist() == [True, False]


def test_what_is_known_of_a_size_leaves_its_error() -> None:
    x = Majorant(torch.tensor([4.0]).double(), torch.tensor([0.5]).double(), torch.float32)
    assert x.at_most(torch.tensor(3.0).double()).size.tolist() == [3]
    assert x.at_most(torch.tensor(5.0).double()).size.tolist() == [4]
    assert x.at_most(torch.tensor(3.0).double()).error is x.error
