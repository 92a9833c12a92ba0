"""Which backend serves a call, in what order of rounding it evaluates, and the error bound of that order.

(p, q)   the term of b_j in h_t collects at most p·(t - j) + q roundings. So, for real numbers and absent
         overflow and underflow, |error| <= u/(1 - Nu)·(p·W_t + q·H_t) for N >= pT + q, Nu < 1, where
         H = scan(|a|, |b|, |h0|) and W_t = |a_t|·(W_{t-1} + H_{t-1})
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from numeric.scan.arguments import NARROW, require_choice
from numeric.scan.diagonal import chunked
from numeric.scan.diagonal import triton as gpu
from numeric.scan.diagonal.operators import BACKENDS
from numeric.scan.machine import compiling as native

ORDERS = ("sequential", "any")
_FEW = 4096  # chains; a GPU needs more of them to be busy with one warp for 128


@dataclass(frozen=True)
class Plan:
    """What `scan` does with given arguments.

    backend: the one that serves. order: "sequential" for the canonical chain of fused multiply-adds, whose
    bits are defined; "separate" for the same chain with each product rounded before it is added; "reassociated"
    for any other order. p, q: the constants of that order's error bound. why: one sentence.
    """

    backend: str
    order: str
    p: int
    q: int
    why: str


def plan_scan(b: Tensor, length: int, chains: int, order: str, backend: str) -> Plan:
    """The plan for `chains` sequences like b. Raises ValueError where a backend named outright can't serve."""
    require_choice("order", order, ORDERS)
    require_choice("backend", backend, ("auto", *BACKENDS))
    if backend == "auto":
        return _chosen(b, length, chains, order)
    obstacle = _obstacle(backend, b, order)
    if obstacle:
        raise ValueError(f"backend {backend!r} can't serve: {obstacle}")
    return _plan(backend, length, "it was asked for")


def _chosen(b: Tensor, length: int, chains: int, order: str) -> Plan:
    fast = "cpu" if b.device.type == "cpu" else "triton"
    obstacle = _obstacle(fast, b, order)
    if not obstacle and fast == "triton" and order == "any" and chains < _FEW and length >= 4 * chunked.CHUNK:
        return _plan("chunked", length, f"order='any' allows chunks, and {chains} chains alone leave a GPU idle")
    if not obstacle:
        return _plan(fast, length, "no other order is faster here, and none has a smaller bound")
    if order == "any":
        return _plan("associative", length, f"order='any' allows a parallel prefix, and backend {fast!r}: {obstacle}")
    return _plan("reference", length, f"nothing faster keeps the sequential order; backend {fast!r}: {obstacle}")


def _plan(backend: str, length: int, why: str) -> Plan:
    unfused = gpu.interpreting() and backend in ("triton", "chunked")
    if unfused:
        why += "; Triton's interpreter rounds products before it adds them"
    if backend == "associative":
        return Plan(backend, "reassociated", 1, 2 * (max(length, 1).bit_length() - 1) + 1, why)
    if backend == "chunked":
        return Plan(backend, "reassociated", 2 if unfused else 1, 2, why)
    return Plan(backend, *(("separate", 2, 1) if unfused else ("sequential", 1, 1)), why)


def _obstacle(backend: str, b: Tensor, order: str) -> str:
    """What keeps a backend from serving: one clause, empty where nothing does."""
    carry = torch.float32 if b.dtype in NARROW else b.dtype
    if backend in ("associative", "chunked") and order == "sequential":
        return "it reassociates, so it can't keep order='sequential'; ask for order='any'"
    if backend == "cpu":
        return native.obstacle(b.device, carry)
    if backend in ("triton", "chunked"):
        return gpu.obstacle(b.device, carry)
    return ""


def fused(backend: str, device: torch.device, dtype: torch.dtype, limits: str) -> str:
    """Which fused kernels serve the delta rule, S6 or matrices: "cpu", "triton", or "" for none.

    backend: "auto" or what the caller named. limits: what else keeps a kernel from serving, a clause, or empty. Raises
    ValueError where kernels named outright can't serve.
    """
    if backend not in ("auto", "cpu", "triton"):
        return ""
    name = ("cpu" if device.type == "cpu" else "triton") if backend == "auto" else backend
    obstacle = native.obstacle(device, dtype) if name == "cpu" else gpu.obstacle(device, dtype)
    obstacle = obstacle or (f"it has no kernel for {dtype}" if dtype.is_complex else limits)
    if backend != "auto" and obstacle:
        raise ValueError(f"backend {backend!r} can't serve: {obstacle}")
    return "" if obstacle else name
