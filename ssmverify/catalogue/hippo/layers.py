"""Rows for the weights of HiPPO and their discretisation: from `proofs.hippo.weights` and `proofs.hippo.steps`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat
from hypothesis import strategies as st
from torch import Tensor

from numeric import hippo
from numeric.bounds import hippo as hippo_bounds
from proofs.hippo import steps as paper
from proofs.hippo import weights
from proofs.kernel import Table
from proofs.terms import Term, summation
from ssmverify.rows import Broken, Finite, Layer, Source, Theorem
from ssmverify.strategies import columns, exact, floats, matrices, noise, points, rationals, tables, tensors, zeros

OURS = Source("stated here", read="nothing: it ties our layers to what they are to solve")
HIPPO = Source(
    "HiPPO: Recurrent Memory with Optimal Polynomial Projections; How to Train Your HiPPO",
    "2008.07669, 2206.12037",
    read="the matrices in the authors' repository github.com/state-spaces/s4; not the papers' bodies",
)


BITS = 1600  # of balls: after what cancels they are still far narrower than any bound


# ------------------------------------------------------------------------------------------------- the weights
def centre(ball: arb) -> fmpq:
    """The centre of a ball whose radius is below 2^-1200; else ArithmeticError.

    No positive bound in float64 is below 2^-1074, so that what is left out is far less than a thousandth of any.
    """
    if not ball.rad() < arb(2) ** -1200:
        raise ArithmeticError(f"{ball} is not narrow enough")
    mantissa, exponent = ball.mid().man_exp()
    return fmpq(int(mantissa)) * fmpq(2) ** int(exponent)


def table(measure: str, N: int) -> list[Any]:
    """A, B, C, D as arrays of rationals; A and B alone for lagt."""
    shapes = {"A": (N, N), "B": (N,), "C": (N,), "D": ()}
    found = weights.written(measure, N)
    return [
        np.array([centre(weights.value(e, BITS)) for e in found[w]], dtype=object).reshape(shapes[w]) for w in found
    ]


def run_weights(measure: str, N: int, like: Tensor) -> tuple[Tensor, ...]:
    made = hippo.hippo(measure, N, dtype=like.dtype, device=like.device)
    return made if measure == "lagt" else (*made, *hippo.readout(measure, N, dtype=like.dtype, device=like.device))


def bound_weights(measure: str, N: int, like: Tensor) -> tuple[Tensor, ...]:
    sizes = [torch.from_numpy(np.vectorize(float, otypes=[float])(w)) for w in table(measure, N)]
    bounds = [hippo_bounds.weights_bound(size, like.dtype) for size in sizes]
    return (*bounds[:3], *map(torch.zeros_like, bounds[3:]))  # D is a whole number, which is to be exact


def cases() -> Iterator[tuple[str, int]]:
    """Every measure and N <= 8 that it has."""
    for measure in weights.MEASURES:
        yield from ((measure, N) for N in range(1, 9) if measure != "fout" or N % 2)


@st.composite
def weight_inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Any]:
    measure, N = draw(st.sampled_from(list(cases())))
    return {"measure": measure, "N": N, "like": torch.ones((), dtype=dtype)}


@st.composite
def lag_inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Any]:
    measure, N = draw(st.sampled_from(list(cases())))
    furthest = 8.0 if measure == "lagt" else 1.0
    lags = floats(dtype, furthest).map(abs).filter(lambda x: x <= furthest)
    return {"measure": measure, "N": N, "x": draw(tensors((3,), dtype, lags))}


def exact_basis(measure: str, N: int, x: Tensor) -> tuple[Any]:
    before, ctx.prec = ctx.prec, BITS
    try:
        rows = [[centre(g) for g in _basis_at(measure, N, lag)] for lag in exact(x)]
    finally:
        ctx.prec = before
    return (np.array(rows, dtype=object),)


def _basis_at(measure: str, N: int, lag: fmpq) -> list[arb]:
    if measure == "fout":
        waves = [f(2 * arb.pi() * m * arb(lag)) for m in range(1, N // 2 + 1) for f in (arb.cos, arb.sin)]
        return [arb(1), *(arb(2).sqrt() * wave for wave in waves)]
    decay = (-arb(lag) / 2).exp() if measure == "lagt" else arb(1)
    scales = [decay if measure == "lagt" else arb(2 * n + 1).sqrt() for n in range(N)]
    return [arb(p(lag)) * scale for p, scale in zip(weights.polynomials(measure, N), scales, strict=True)]


weights_layer = Layer(
    "numeric.hippo.hippo, readout", run_weights, lambda like, **case: tuple(table(**case)), bound_weights, weight_inputs
)


def matrix_layer(measure: str, *formulas: Callable[..., Any]) -> Layer:
    """A and B of one measure."""
    return _of_one(f"numeric.hippo.hippo, {measure}", measure, slice(0, 2), formulas)


def read_out_layer(measure: str) -> Layer:
    """C and D of one measure."""
    return _of_one(f"numeric.hippo.readout, {measure}", measure, slice(2, 4), ())


def _of_one(name: str, measure: str, part: slice, formulas: tuple[Callable[..., Any], ...]) -> Layer:
    @st.composite
    def inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Any]:
        sizes = [N for other, N in cases() if other == measure]
        return {"N": draw(st.sampled_from(sizes)), "like": torch.ones((), dtype=dtype)}

    return Layer(
        name,
        lambda **given: run_weights(measure, **given)[part],
        lambda N, like: tuple(table(measure, N)[part]),
        lambda **given: bound_weights(measure, **given)[part],
        inputs,
        formulas,
    )


basis_layer = Layer(
    "numeric.hippo.basis",
    lambda **given: (hippo.basis(**given),),
    exact_basis,
    lambda **given: (hippo_bounds.basis_bound(**given),),
    lag_inputs,
)


def decide(case: tuple[str, int]) -> str:
    return weights.difference(weights.written(*case), weights.derived(*case))


def _broken(change: Callable[[str, int, weights.Weights], None]) -> Callable[[tuple[str, int]], str]:
    """The decision with the written table changed."""

    def decide_changed(case: tuple[str, int]) -> str:
        written = weights.written(*case)
        change(*case, written)
        return weights.difference(written, weights.derived(*case))

    return decide_changed


def _slip(measure: str, N: int, found: weights.Weights) -> None:
    """2πn with n the index in the matrix: the frequencies of the authors' code, 4πm."""
    found["A"] = [(square * 4**power, power) for square, power in found["A"]]


def _no_far_end(measure: str, N: int, found: weights.Weights) -> None:
    if measure == "legt":
        found["A"] = weights.written("legs", N)["A"]


def _half_window(measure: str, N: int, found: weights.Weights) -> None:
    if measure == "legt":
        found["A"], found["B"] = ([(square / 4, power) for square, power in found[name]] for name in ("A", "B"))


def _halved_readout(measure: str, N: int, found: weights.Weights) -> None:
    """-2πm, without √2: a revision of the authors' code."""
    if measure == "fout":
        found["C"] = [(square / 2, power) for square, power in found["C"]]


hippo_weights = Finite(
    name="hippo.weights",
    says="A, B and the read-outs C, D of LegT, LegS, LagT and FouT are what integration by parts gives, for N <= 8.",
    decide=decide,
    cases=cases,
    number=28,
    source=HIPPO,
    layers=(weights_layer, basis_layer),
    mutants=(
        Broken("fout with frequencies 4πm", _broken(_slip)),
        Broken("legs for legt: no far end", _broken(_no_far_end)),
        Broken("legt for a window of 2", _broken(_half_window)),
        Broken("fout read out without the √2", _broken(_halved_readout)),
    ),
)


# ---------------------------------------------------------------------------------------------- discretisation
@st.composite
def step_inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Any]:
    """Matrices whose rows -(N + 1) on the diagonal dominates, so that I - αδA has an inverse for every δ > 0."""
    N = draw(st.integers(1, 4))
    delta = draw(st.one_of(st.sampled_from([2.0**-10, 0.125, 0.5, 1.0]), st.floats(0.0078125, 1.0, width=32)))
    return {
        "A": draw(noise((N, N), dtype, -1.0, 1.0)) - (N + 1) * torch.eye(N, dtype=dtype),
        "B": draw(tensors((N,), dtype, floats(dtype))),
        "delta": torch.tensor(delta, dtype=dtype),
    }


@st.composite
def gbt_inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Any]:
    return {**draw(step_inputs(dtype)), "alpha": draw(st.sampled_from([0.5, 0.0, 1.0, 0.25, 2 / 3]))}


def _solved(A: Tensor, B: Tensor, delta: Tensor, alpha: float) -> tuple[Any, Any]:
    """The inverse of I - αδA, and Ad and Bd side by side, exactly."""
    N, step, share = len(B), exact(delta)[()], fmpq(*alpha.as_integer_ratio())
    X, I = step * exact(A), np.eye(N, dtype=int) * fmpq(1)
    inverse = fmpq_mat((I - share * X).tolist()).inv()
    back = np.array(inverse.table(), dtype=object)
    return back, back @ np.concatenate([I + (1 - share) * X, step * exact(B)[:, None]], 1)


def exact_gbt(**given: Any) -> tuple[Any, Any]:
    _, solution = _solved(**given)
    return solution[:, :-1], solution[:, -1]


def bound_gbt(**given: Any) -> tuple[Tensor, Tensor]:
    inverse, solution = (torch.from_numpy(abs(x).astype(float)) * (1 + 2.0**-50) for x in _solved(**given))
    return hippo_bounds.discretize_bound(**given, inverse=inverse, solution=solution)


def exact_hold(A: Tensor, B: Tensor, delta: Tensor) -> tuple[Any, Any]:
    """The exponential of [[δA, δB], [0, 0]], by ball arithmetic."""
    N, step = len(B), exact(delta)[()]
    rows = np.concatenate([step * exact(A), step * exact(B)[:, None]], 1)
    whole = np.concatenate([rows, zeros(1, N + 1)], 0)
    before, ctx.prec = ctx.prec, BITS
    try:
        found = arb_mat([[arb(x) for x in row] for row in whole.tolist()]).exp()
        values = np.array([[centre(x) for x in row] for row in found.table()], dtype=object)
    finally:
        ctx.prec = before
    return values[:-1, :-1], values[:-1, -1]


gbt_layer = Layer(
    "numeric.hippo.discretize by gbt",
    lambda A, B, delta, alpha: hippo.discretize(A, B, delta, "gbt", alpha),
    exact_gbt,
    bound_gbt,
    gbt_inputs,
    (hippo.bilinear_sides,),
    reaches=0.03,
    loose="The elimination is charged as if |L||U| were the largest that partial pivoting allows, 2^N times the "
    "largest entry of a column; where the diagonal dominates, as here, it is far less.",
)
hold_layer = Layer(
    "numeric.hippo.discretize by zoh",
    lambda A, B, delta: hippo.discretize(A, B, delta, "zoh"),
    exact_hold,
    hippo_bounds.zero_order_hold_bound,
    step_inputs,
    reaches=0.03,
    loose="Of the roundings that Bd is charged with, those of products with 0 and 1 and of sums with 0 do not happen.",
)


@st.composite
def steps(draw: st.DrawFn) -> Mapping[str, Any]:
    N = draw(st.integers(1, 3))
    scalars = {name: rationals() for name in ("δ", "α", "u")}
    return draw(points(N=N, A=matrices(N, N), B=columns(N), c=columns(N), v=columns(N), **scalars))


@st.composite
def series(draw: st.DrawFn) -> Mapping[str, Any]:
    """E_j = r_{j-1} X E_{j-1} from any E_0."""
    N, k = draw(st.integers(1, 2)), draw(st.integers(0, 3))
    X, r = draw(matrices(N, N)), draw(tables(range(k + 2), rationals()))
    E: dict[tuple[int, ...], Any] = {(0,): draw(matrices(N, N))}
    for j in range(k + 2):
        E[(j + 1,)] = r[(j,)] * (X @ E[(j,)])
    return {"N": N, "k": k, "X": X, "b": draw(columns(N)), "r": r, "E": Table(E, zeros(N, N))}


def replaced(claim: Any, **sides: Term) -> Any:
    """The claim with a side of its equation replaced."""
    return replace(claim, conclusion=replace(claim.conclusion, **sides))


gbt_step = Theorem(
    paper.gbt_step,
    source=OURS,
    says="Solving with I - αδA is the step c + δ (A (αv + (1-α)c) + B u) that is implicit in v: Euler forwards for "
    "α = 0, backwards for α = 1, bilinear for α = 1/2.",
    layers=(gbt_layer,),
    breaks={
        "the new state's share for the old one's": replaced(
            paper.gbt_step.claim,
            rhs=paper.v
            - paper.c
            - paper.delta * (paper.A @ (paper.alpha * paper.c + (1 - paper.alpha) * paper.v) + paper.u * paper.B),
        ),
        "α and 1 - α exchanged": lambda A, B, delta, alpha: hippo.discretize(A, B, delta, "gbt", 1 - alpha),
        "A transposed": lambda A, B, delta, alpha: hippo.discretize(A.mT, B, delta, "gbt", alpha),
        "the input not scaled by δ": lambda A, B, delta, alpha: hippo.discretize(A, B / delta, delta, "gbt", alpha),
    },
)


def _not_squared(A: Tensor, B: Tensor, delta: Tensor) -> tuple[Tensor, ...]:
    """The Taylor polynomial of X/2^s alone."""
    X = delta * torch.cat([torch.cat([A, B.unsqueeze(-1)], -1), torch.zeros_like(A[:1, :1]).expand(1, len(B) + 1)])
    whole = hippo.taylor(X / 2 ** hippo.squarings(X), torch.eye(len(X), dtype=X.dtype))
    return whole[:-1, :-1], whole[:-1, -1]


zero_order_hold = Theorem(
    paper.zero_order_hold,
    instances=series,
    source=OURS,
    says="The gain of a held input, of which A need have no inverse: X (b + X b/2 + X² b/6 + ...) = (e^X - I) b, here "
    "for partial sums of any length and any factors r_j.",
    layers=(hold_layer,),
    breaks={
        "the gain of Euler's rule, one index back": replaced(
            paper.zero_order_hold.claim,
            rhs=summation(paper.j, 0, paper.k, paper.E(paper.j) @ paper.b),
        ),
        "the bilinear transform": lambda A, B, delta: hippo.discretize(A, B, delta, "bilinear"),
        "no squaring": _not_squared,
        "Euler's gain δB": lambda A, B, delta: (hippo.discretize(A, B, delta, "zoh")[0], delta * B),
    },
)
