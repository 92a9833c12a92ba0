"""Which backend serves a call, in what order of rounding it evaluates, and the error bound of that order.

(p, q)   the term of b_j in h_t collects at most p·(t - j) + q roundings. So, for real numbers and absent
         overflow and underflow, |error| <= u/(1 - Nu)·(p·W_t + q·H_t) for N >= pT + q, Nu < 1, where
         H = scan(|a|, |b|, |h0|) and W_t = |a_t|·(W_{t-1} + H_{t-1})
"""

from dataclasses import dataclass

from torch import Tensor

from numeric.scan import native
from numeric.scan.arguments import require_choice
from numeric.scan.operators import BACKENDS

ORDERS = ("sequential", "any")


@dataclass(frozen=True)
class Plan:
    """What `scan` does with given arguments.

    backend: the one that serves. order: "sequential" for the canonical chain of fused multiply-adds, whose
    bits are defined; "reassociated" for another order. p, q: the constants of that order's error bound. why:
    one sentence.
    """

    backend: str
    order: str
    p: int
    q: int
    why: str


def plan_scan(b: Tensor, length: int, order: str, backend: str) -> Plan:
    """The plan for inputs like b. Raises ValueError where a backend named outright can't serve."""
    require_choice("order", order, ORDERS)
    require_choice("backend", backend, ("auto", *BACKENDS))
    if backend == "cpu":
        _require_cpu(b)
    if backend == "associative" and order == "sequential":
        raise ValueError("backend 'associative' reassociates, so it can't keep order='sequential': ask for order='any'")
    if backend == "associative":
        return _associative(length, "it was asked for")
    if backend in ("reference", "cpu"):
        return _chain(backend, "it was asked for")
    if b.device.type == "cpu" and not native.missing():
        return _chain("cpu", "on a CPU no other order is faster, and none has a smaller bound")
    if order == "any":
        return _associative(length, "order='any' allows a parallel prefix")
    return _chain("reference", f"nothing faster keeps the sequential order here: {_without_cpu(b)}")


def _chain(backend: str, why: str) -> Plan:
    return Plan(backend, "sequential", 1, 1, why)


def _require_cpu(b: Tensor) -> None:
    if b.device.type != "cpu" or native.missing():
        raise ValueError(f"backend 'cpu' can't serve: {_without_cpu(b)}")


def _without_cpu(b: Tensor) -> str:
    return native.missing() if b.device.type == "cpu" else f"the tensors are on {b.device}"


def _associative(length: int, why: str) -> Plan:
    levels = max(length, 1).bit_length() - 1
    return Plan("associative", "reassociated", 1, 2 * levels + 1, why)
