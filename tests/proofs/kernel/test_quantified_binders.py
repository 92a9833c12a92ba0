"""A quantified formula may hold sums and quantifiers, as long as their ranges do not grow with its variable."""

import pytest
from flint import fmpq

from proofs.kernel import Table, Undecidable, holds
from proofs.terms import Eq, for_all, sequence, size, summation

k, i = size("k"), size("i")
w, x, r = sequence("w"), sequence("x"), sequence("r", arity=2)
grows = for_all(k, Eq(w(k + 1), w(k) + summation(i, 1, 2, x(i) * w(k))))


def table(*values: int, default: int = 0) -> Table:
    return Table({(n,): fmpq(v) for n, v in enumerate(values)}, fmpq(default))


def test_a_sum_inside_is_evaluated_at_every_value_that_matters() -> None:
    growth = {"x": table(0, 1, -2)}
    assert holds(grows, {**growth, "w": table(1, 0)})
    assert not holds(grows, {**growth, "w": table(1, 0, 0, 0, 5)})
    assert not holds(grows, {**growth, "w": table(1, 0, default=1)})


def test_a_quantifier_inside_is_evaluated_at_every_value_that_matters() -> None:
    same = for_all(k, for_all(i, Eq(r(k, i), w(k) * x(i))))
    entries = {(1, 2): fmpq(3)}
    point = {"w": table(0, 1), "x": table(0, 0, 3)}
    assert holds(same, {**point, "r": Table(entries, fmpq(0))})
    assert not holds(same, {**point, "r": Table({**entries, (7, 2): fmpq(1)}, fmpq(0))})
    assert not holds(same, {**point, "r": Table(entries, fmpq(1))})


def test_a_range_that_grows_with_the_variable_is_refused() -> None:
    with pytest.raises(Undecidable, match="outside the index"):
        holds(for_all(k, Eq(w(k), summation(i, 1, k, x(i)))), {"w": table(0), "x": table(0, 1)})
