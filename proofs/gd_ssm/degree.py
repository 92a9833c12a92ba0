"""GD-SSM (arXiv 2410.11687), continued: how many layers it takes for so many steps.

What was read: see `proofs/gd_ssm/one_step.py`.

| symbol | shape | meaning |
| --- | --- | --- |
| K | length | steps of gradient descent from zero |
| γ | scalar | their rate on the sum of the losses |
| u, n u | scalars | one entry; the input, the target and the query of a context of one pair |
| w, d, C, D | (3, 3), (3,), scalars | any mixing and picking of a window, by entries; any read-out and skip |
| z | scalar | γ s², for a context of one pair and a query that all are s |

On that context K steps leave (1 - γ s²)^K of the error (`gd_ssm.left_over`). By hand: a layer whose decays do not read
the tokens is a polynomial of degree 3 in what it reads; so L layers, each of which reads the tokens and what the layers
before it gave, with nothing else between them, are of degree 3^L at most; and two polynomials that agree everywhere
have the same degree. K steps are of degree 2K + 1, so they take L >= log_3(2K + 1) layers. (`gd_ssm.multi_step_query`
takes K.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from proofs.derivation import main, proves
from proofs.gd_ssm.one_step import gamma, k, l
from proofs.kernel import (
    Fact,
    assume,
    congruence,
    conjunction,
    identity,
    induction,
    instantiate,
    rewrite,
    single,
    squares,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import backwards, settle
from proofs.tactics.products import factorial, falling, grow, lowered, power, put_in, sign, top_coefficient
from proofs.terms import (
    And,
    Eq,
    Index,
    Lt,
    Prod,
    Term,
    add,
    index,
    product,
    scalar,
    sequence,
    size,
    substitute,
    summation,
    term,
)

K, j = size("K"), size("j")
one = term(1)


# ---------------------------------------------------------------------------------- one layer, and K + 2 steps
w, pick, C, D = sequence("w", arity=2), sequence("d"), scalar("C"), scalar("D")
u = scalar("u")


def head(multiple: int) -> Term:
    """One layer, f = 1, on the pair and the query that all are the token n u: any mixing, picking, C and skip."""
    token = multiple * u
    state = add(*(w(a, b) * (token * token) for a in (1, 2, 3) for b in (1, 2, 3)))
    return C * state * add(*(pick(a) * token for a in (1, 2, 3))) + D * token


def steps_on(multiple: int) -> Term:
    """K + 2 steps of rate γ from zero on that pair, at that query: each leaves 1 - γ x² of the error."""
    token = multiple * u
    return (1 - product(l, 1, K + 2, 1 - gamma * (token * token))) * token


factors = {1: 5, 2: -4, 3: 1}


def combined(of: Callable[[int], Term]) -> Term:
    """5 of(1) - 4 of(2) + of(3), which is 0 for n and for n³."""
    return add(*(factor * of(multiple) for multiple, factor in factors.items()))


def raised(base: int, k: Index) -> Term:
    return product(l, 1, k, term(base))


@proves(
    And(
        (
            Eq(combined(head), term(0)),
            Eq(combined(steps_on), (8 * raised(-3, K + 2) - 3 * raised(-8, K + 2)) * u),
        )
    ),
    {"unit_rate": Eq(gamma * (u * u), one)},
)
def one_layer_degree() -> Fact:
    """Tokens times n multiply a layer's read-out by n³ and its skip by n. With γ u² = 1 the steps leave (1 - n²)^{K+2}
    of the error, so the combination is 8·(-3)^{K+2} less 3·(-8)^{K+2}. (A layer with decays, more pairs and more
    entries has these inputs as well, the other pairs and entries being 0.)"""
    parts = cast(Sequence[Eq], cast(And, one_layer_degree.conclusion).parts)
    unit = assume(one_layer_degree.hypotheses["unit_rate"])
    left = {}
    for multiple in factors:
        token = multiple * u
        each = equal(1 - gamma * (token * token), term(1 - multiple**2), unit)
        left[multiple] = congruence(each, Prod, l, 1, K + 2)
    nothing = unfold(raised(0, K + 2))
    steps = identity(combined(steps_on), parts[1].rhs, [cast(Eq, f.conclusion) for f in (*left.values(), nothing)])
    steps = settle(steps, *left.values(), nothing)
    return conjunction(identity(parts[0].lhs, parts[0].rhs), steps)


@proves(Lt(64 * raised(9, K + 2), 9 * raised(64, K + 2)))
def one_layer_apart() -> Fact:
    """By induction on K: one more factor is 9 on the left and 64 on the right."""
    nine, more = raised(9, k + 2), raised(64, k + 2)
    statement = Lt(64 * nine, 9 * more)
    base = squares(64 * term(81), 9 * term(64**2), term(9 * 64**2 - 64 * 81), strict=True)
    step = squares(
        64 * (9 * nine), 9 * (64 * more), 9 * (9 * more - 64 * nine) + 55 * 9 * more, [statement], strict=True
    )
    for number in (9, 64):
        square = raised(number, index(2))
        base = rewrite(base, equal(term(number**2), square, unfold(square), single(raised(number, index(1)))))
        step = rewrite(step, backwards(unfold(raised(number, k + 3))))
    return instantiate(induction(statement, k, base, step), {"k": K})


# --------------------------------------------------------------------------------- the degree of K steps, on a line
z = scalar("z")


def coefficient(K: Index, j: Index) -> Term:
    """(-K)_j / j! = (-1)^j (K choose j)."""
    return falling(K, j) / factorial(j)


def polynomial(K: Index, last: Index) -> Term:
    """The sum over j <= last of (-1)^j (K choose j) z^j."""
    return summation(j, 0, last, coefficient(K, j) * power(z, j))


written_out = Eq(polynomial(K, K), power(1 - z, K)), Eq(coefficient(K, K), sign(K))


@proves(And(written_out))
def steps_degree() -> Fact:
    """A coefficient for K + 1 is that for K less the one before. So up to degree n the polynomial for K + 1 is 1 - z
    times that for K and c_n z^{n+1} more, by induction on n; at n = K its last member takes that off again."""
    whole, top = (substitute(part, {"K": k}) for part in written_out)
    start, step = (substitute(whole, {"k": place}) for place in (index(0), k + 1))
    base = put_in(start.lhs, start.rhs, grow(polynomial(index(0), index(0))))
    values = [*grow(polynomial(k + 1, k + 1)), next_polynomial(k), lowered(k, k), *grow(factorial(k + 1))]
    grown = put_in(step.lhs, step.rhs, values, [assume(whole), *grow(power(1 - z, k + 1))])
    leading = put_in(top.lhs, top.rhs, [top_coefficient(k)])
    return instantiate(conjunction(induction(whole, k, base, grown), leading), {"k": K})


def next_polynomial(last: Index) -> Fact:
    """The polynomial for k + 1, up to the degree `last`, from that for k."""
    n = size("n")
    carried = coefficient(k, n) * power(z, n + 1)
    statement = Eq(polynomial(k + 1, n), (1 - z) * polynomial(k, n) + carried)
    start, step = (substitute(statement, {"n": place}) for place in (index(0), n + 1))
    values = grow(*(polynomial(degree, index(0)) for degree in (k + 1, k)))
    base = put_in(start.lhs, start.rhs, values, grow(power(z, 1)))
    values = grow(*(polynomial(degree, n + 1) for degree in (k + 1, k)))
    values += [lowered(k, n), *grow(falling(k, n + 1), factorial(n + 1))]
    grown = put_in(step.lhs, step.rhs, values, [assume(statement), *grow(power(z, n + 2), power(z, n + 1))])
    return instantiate(induction(statement, n, base, grown), {"n": last})


if __name__ == "__main__":
    main(__doc__)
