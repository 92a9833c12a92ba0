"""Rows for linear recurrences: claims from `proofs.recurrence`, layers from `numeric.scan`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from flint import fmpq
from hypothesis import strategies as st
from torch import Tensor

from numeric.bounds import matrix_scan_bound, scan_bound
from numeric.scan import matrix_scan, plan, scan
from numeric.scan.diagonal import associative
from numeric.scan.matrix import scan as matrix
from proofs import recurrence as paper
from proofs.kernel import Table
from proofs.terms import ONE, Eq
from ssmverify.rows import Layer, Source, Theorem
from ssmverify.strategies import exact, floats, gates, matrices, noise, points, rationals, tables, tensors, zeros

BLELLOCH = Source(
    "Blelloch: Prefix sums and their applications", place="1990, section 1.4", read="remembered; re-derived"
)


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def runs(draw: st.DrawFn, scalar: bool = False) -> Mapping[str, Any]:
    """Gates and inputs with finitely many exceptions, and the states that they drive, from a drawn start."""
    T = draw(st.integers(0, 3))
    n, m = (1, 1) if scalar else (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    members = (lambda rows, columns: rationals()) if scalar else matrices
    nought = (lambda rows, columns: fmpq(0)) if scalar else zeros
    A = draw(tables(range(T + 3), members(n, n), nought(n, n)))
    B = draw(tables(range(T + 3), members(n, m), nought(n, m)))
    start = draw(members(n, m))
    times = range(1, T + 3)
    states = paper.run([A[(t,)] for t in times], [B[(t,)] for t in times], start)
    H = Table({(0,): start, **{(t,): h for t, h in zip(times, states, strict=True)}}, nought(n, m))
    sizes = {} if scalar else {"n": n, "m": m}
    return {"T": T, **sizes, "A": A, "B": B, "H": H}


@st.composite
def three_steps(draw: st.DrawFn) -> Mapping[str, Any]:
    n, m = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    steps = {f"A{i}": matrices(n, n) for i in "₁₂₃"} | {f"B{i}": matrices(n, m) for i in "₁₂₃"}
    return draw(points(n=n, m=m, **steps))


@st.composite
def segments(draw: st.DrawFn) -> Mapping[str, Any]:
    n, m, (s, p, r) = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.tuples(*[st.integers(0, 2)] * 3))
    times = range(s + p + r + 3)
    families = {"A": tables(times, matrices(n, n), zeros(n, n)), "B": tables(times, matrices(n, m), zeros(n, m))}
    return draw(points(n=n, m=m, s=s, p=p, r=r, **families))


# -------------------------------------------------------------------------------------------------- the layers
@st.composite
def scan_inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Tensor]:
    """Decays near 1 and tiny, cancellation, subnormals; entry by entry, or long from a seed."""
    if draw(st.integers(0, 4)) == 4:
        T = draw(st.sampled_from([17, 64, 129]))
        low, high = draw(st.sampled_from([(0.8, 1.0), (0.999, 1.0), (-1.0, 1.0), (-1.0, -0.9999)]))
        a, b = draw(noise((1, T, 1), dtype, low, high)), draw(noise((1, T, 1), dtype, -1, 1))
    else:
        T, D = draw(st.integers(0, 6)), draw(st.integers(1, 2))
        a, b = draw(tensors((1, T, D), dtype, gates(dtype))), draw(tensors((1, T, D), dtype, floats(dtype)))
    return {"a": a, "b": b, "h0": draw(tensors((1, a.shape[2]), dtype, floats(dtype)))}


@st.composite
def matrix_inputs(draw: st.DrawFn, dtype: torch.dtype) -> dict[str, Tensor]:
    n, m = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    if draw(st.integers(0, 4)) == 4:
        T = draw(st.integers(9, 17))
        A, B = draw(noise((1, T, n, n), dtype, -1, 1)), draw(noise((1, T, n, m), dtype, -1, 1))
    else:
        T = draw(st.integers(0, 4))
        A, B = draw(tensors((1, T, n, n), dtype, gates(dtype))), draw(tensors((1, T, n, m), dtype, floats(dtype)))
    return {"A": A, "B": B, "H0": draw(tensors((1, n, m), dtype, floats(dtype)))}


def _stacked(states: list[Any], like: Tensor) -> Any:
    return np.array(states, dtype=object).reshape(tuple(like.shape))


def exactly(a: Tensor, b: Tensor, h0: Tensor) -> tuple[Any, ...]:
    return (_stacked(paper.run(exact(a)[0], exact(b)[0], exact(h0)[0]), b) if b.numel() else exact(b),)


def matrices_exactly(A: Tensor, B: Tensor, H0: Tensor) -> tuple[Any, ...]:
    return (_stacked(paper.run(list(exact(A)[0]), list(exact(B)[0]), exact(H0)[0]), B) if B.numel() else exact(B),)


def sequential(a: Tensor, b: Tensor, h0: Tensor) -> tuple[Tensor, ...]:
    return (scan(a, b, h0, backend="reference"),)


def default_chain(a: Tensor, b: Tensor, h0: Tensor) -> tuple[Tensor, ...]:
    return (scan(a, b, h0),)


def any_order(a: Tensor, b: Tensor, h0: Tensor) -> tuple[Tensor, ...]:
    return (scan(a, b, h0, order="any", backend="associative"),)


def matrix_loop(A: Tensor, B: Tensor, H0: Tensor) -> tuple[Tensor, ...]:
    return (matrix_scan(A, B, H0, backend="reference"),)


def default_matrix(A: Tensor, B: Tensor, H0: Tensor) -> tuple[Tensor, ...]:
    return (matrix_scan(A, B, H0),)


def matrix_tree(A: Tensor, B: Tensor, H0: Tensor) -> tuple[Tensor, ...]:
    return (matrix_scan(A, B, H0, backend="associative"),)


def chain_bound(a: Tensor, b: Tensor, h0: Tensor) -> tuple[Tensor, ...]:
    return (scan_bound(a, b, h0, p=1, q=1),)


def tree_bound(a: Tensor, b: Tensor, h0: Tensor) -> tuple[Tensor, ...]:
    order = plan(a, b, order="any", backend="associative")
    return (scan_bound(a, b, h0, p=order.p, q=order.q, reassociated=True),)


def matrix_loop_bound(A: Tensor, B: Tensor, H0: Tensor) -> tuple[Tensor, ...]:
    return (matrix_scan_bound(A, B, H0, p=A.shape[-1] + 1, q=1),)


def any_matrix_loop_bound(A: Tensor, B: Tensor, H0: Tensor) -> tuple[Tensor, ...]:
    """Also where a kernel adds the products to B one by one, which rounds B n times."""
    return (matrix_scan_bound(A, B, H0, p=A.shape[-1] + 1, q=A.shape[-1]),)


def matrix_tree_bound(A: Tensor, B: Tensor, H0: Tensor) -> tuple[Tensor, ...]:
    levels = max(A.shape[1], 1).bit_length() - 1
    return (matrix_scan_bound(A, B, H0, p=A.shape[-1], q=2 * levels + 1, reassociated=True),)


loop_layer = Layer(
    "numeric.scan.matrix_scan (loop)", matrix_loop, matrices_exactly, matrix_loop_bound, matrix_inputs, (matrix._loop,)
)
tree_layer = Layer(
    "numeric.scan.matrix_scan (tree)",
    matrix_tree,
    matrices_exactly,
    matrix_tree_bound,
    matrix_inputs,
    (associative.combine, associative.states),
)
chain_layer = Layer("numeric.scan.scan (chain)", sequential, exactly, chain_bound, scan_inputs)
default_chain_layer = Layer("numeric.scan.scan (default backend)", default_chain, exactly, chain_bound, scan_inputs)
default_matrix_layer = Layer(
    "numeric.scan.matrix_scan (default backend)", default_matrix, matrices_exactly, any_matrix_loop_bound, matrix_inputs
)
# Its formulas are broken one by one in the matrix layer above: between numbers a swapped product is no mutant.
scan_tree_layer = Layer("numeric.scan.scan (tree)", any_order, exactly, tree_bound, scan_inputs)


def backwards(A: Tensor, B: Tensor, H0: Tensor) -> tuple[Tensor, ...]:
    """The loop with the new factor on the right."""
    H, states = H0, []
    for t in range(A.shape[1]):
        H = (H.mT @ A[:, t]).mT + B[:, t]
        states.append(H)
    return (torch.stack(states, 1),) if states else (B,)


def forgets_start(a: Tensor, b: Tensor, h0: Tensor) -> tuple[Tensor, ...]:
    return (scan(a, b, backend="reference"),)


# ------------------------------------------------------------------------------------------------- the theorems
def swapped_product(earlier: paper.Pair, later: paper.Pair) -> paper.Pair:
    """The operator with the earliest factor on the left; right for numbers and for diagonal matrices."""
    (a1, b1), (a2, b2) = earlier, later
    return a1 @ a2, a2 @ b1 + b2


unrolled_rhs = paper.unrolled_at(paper.T)

unrolled = Theorem(
    paper.unrolled,
    layers=(loop_layer, default_matrix_layer),
    says="h_T = (a_T ... a_1) h_0 + sum over t of (a_T ... a_{t+1}) b_t.",
    breaks={
        "without the start": Eq(unrolled_rhs.lhs, paper.input_part(ONE, paper.T)),
        "the earliest factor on the left": backwards,
    },
)

unrolled_scalar = Theorem(
    paper.unrolled_scalar,
    instances=lambda: runs(scalar=True),
    layers=(chain_layer, default_chain_layer),
    says="The same for numbers.",
    breaks={"the initial state ignored": forgets_start},
)

scan_operator = Theorem(
    paper.scan_operator,
    source=BLELLOCH,
    says="(a1, b1) o (a2, b2) = (a2 a1, a2 b1 + b2) is associative, with the identity (1, 0).",
    layers=(tree_layer,),
    breaks={"the earliest factor on the left": paper.monoid_laws(swapped_product)},
)

any_order_theorem = Theorem(
    paper.any_order,
    instances=segments,
    source=BLELLOCH,
    says="So sequential, tree and chunked evaluation agree.",
    layers=(scan_tree_layer,),
    breaks={"the initial state ignored": forgets_start},
)
