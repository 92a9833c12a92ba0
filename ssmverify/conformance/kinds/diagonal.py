"""Kind `scan`: h_t = a_t h_{t-1} + b_t, real and complex, forwards and in reverse, and its gradients.

a b h (B, T, D)    h0 (B, D)    g (B, T, D) cotangent of h
lambda_t = g_t + conj(a_{t+1}) lambda_{t+1}    db = lambda, da_t = lambda_t conj(h_{t-1}), dh0 = conj(a_1) lambda_1
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from numeric.bounds import Gradients, scan_bound, scan_gradient_bounds, stored_bound
from numeric.bounds.diagonal import COMPLEX_PRODUCT
from numeric.scan import scan
from proofs.recurrence import run
from ssmverify.conformance.kinds.kind import Case, Judged, Kind, Outputs, Sizes, uniform
from ssmverify.conformance.measure import Array, numbers
from ssmverify.conformance.order import Order
from ssmverify.conformance.shrink import Inputs, select
from ssmverify.conformance.targets.target import NotSupported
from ssmverify.conformance.trial import NotRun, Problem, Trial

NARROW = (torch.bfloat16, torch.float16)
COUNTS = {False: (1, 1), True: (COMPLEX_PRODUCT, 2)}  # m and s of `order`, of real and of complex numbers
Constants = tuple[int, int]


# ------------------------------------------------------------------------------------------ what is right, how far off
def in_time(inputs: Inputs, name: str) -> Tensor:
    """A sequence in the order in which the scan meets it."""
    x: Tensor = inputs[name]
    return x.flip(1) if inputs.get("reverse") else x


def carried(x: Tensor) -> Tensor:
    """In the dtype in which states are carried: float32 for 16 bits."""
    return x.float() if x.dtype in NARROW else x


def states(a: Array, b: Array, h0: Array | None) -> Array:
    """All states (B, T, D) in exact arithmetic, in time order."""
    if b.size == 0:
        return b
    gates, inputs = (list(x.swapaxes(0, 1).reshape(b.shape[1], -1)) for x in (a, b))
    start = 0 * inputs[0] if h0 is None else h0.ravel()
    return np.stack(run(gates, inputs, start)).reshape(b.shape[1], b.shape[0], b.shape[2]).swapaxes(0, 1)


def exact_states(inputs: Inputs) -> Array:
    """All states in time order, or none."""
    a, b = in_time(inputs, "a"), in_time(inputs, "b")
    length = b.shape[1]
    h0 = numbers(inputs["h0"], length) if "h0" in inputs else None
    return states(numbers(a, length), numbers(b, length), h0)


def constants(order: Order, dtype: torch.dtype, length: int) -> Constants:
    """(p, q) of the order: in moduli where the numbers are complex."""
    if order.has_bits:
        return (2, 2) if dtype.is_complex else (1, 1)
    return order.constants(length, *COUNTS[dtype.is_complex])


def gradient_constants(order: Order, dtype: torch.dtype, length: int) -> Constants:
    """(p, q) for the gradients."""
    if order.has_bits:
        return constants(order, dtype, length)
    return order.gradient_constants(length, *COUNTS[dtype.is_complex])


def in_storage(computed: Tensor, bound: Tensor) -> Tensor:
    """The bound, with the rounding to 16 bits if that is how it is stored."""
    return stored_bound(computed, bound) if computed.dtype in NARROW else bound


class DiagonalScan(Kind):
    """The diagonal linear recurrence."""

    name = "scan"
    signature = "(a, b, h0=None) -> h"
    required = ("a", "b")
    state = "h0"
    optional = ("reverse",)
    axes: ClassVar[Mapping[str, str]] = {"a": "btd", "b": "btd", "h0": "bd", "g": "btd"}
    final = "bd"
    linear = ("b", "h0")

    def sample(self, generator: torch.Generator, dtype: torch.dtype, sizes: Sizes, state: bool) -> Inputs:
        b, t, d = sizes.get("b", 2), sizes.get("t", 8), sizes.get("d", 3)
        gates, inputs = uniform(generator, (b, t, d), dtype), uniform(generator, (b, t, d), dtype)
        gates = gates * 0.7 if dtype.is_complex else gates  # at most 1 in modulus
        return {"a": gates, "b": inputs, **({"h0": uniform(generator, (b, d), dtype)} if state else {})}

    def judge(self, inputs: Inputs, outputs: Outputs, order: Order) -> Iterator[Judged]:
        exact = exact_states(inputs)
        p, q = constants(order, inputs["b"].dtype, inputs["b"].shape[1])
        a, b = carried(in_time(inputs, "a")), carried(in_time(inputs, "b"))
        h0 = carried(inputs["h0"]) if "h0" in inputs else None
        bound = scan_bound(a, b, h0, p=p, q=q, reassociated=order.reassociates)
        main = outputs.main.flip(1) if inputs.get("reverse") else outputs.main
        yield Judged("h", main, exact, in_storage(main, bound))
        if outputs.final is not None:
            yield self._final(inputs, outputs.final, exact, bound)

    @staticmethod
    def _final(inputs: Inputs, final: Tensor, exact: Array, bound: Tensor) -> Judged:
        if exact.shape[1]:
            return Judged("final", final, exact[:, -1], in_storage(final, bound[:, -1]))
        h0 = inputs.get("h0", torch.zeros_like(final))
        return Judged("final", final, numbers(h0, 0), torch.zeros(h0.shape, dtype=torch.float64))

    def chain(self, inputs: Inputs) -> Outputs | None:
        """The canonical chain; the backend `reference` is tested against rationals, bit by bit."""
        if inputs["b"].numel() == 0:
            return None
        h0, reverse = inputs.get("h0"), bool(inputs.get("reverse"))
        return Outputs(scan(inputs["a"], inputs["b"], h0, reverse=reverse, backend="reference"), None)


# ------------------------------------------------------------------------------------------------- inputs that hurt
def with_gates(trial: Trial, gates: Tensor, inputs: Tensor | None = None, state: bool = True) -> Inputs:
    """Those gates, with ordinary inputs unless given."""
    b, t, d = gates.shape
    sample = trial.sample(state, b=b, t=t, d=d)
    return {**sample, "a": gates.to(trial.dtype), **({} if inputs is None else {"b": inputs.to(trial.dtype)})}


def randoms(trial: Trial, t: int, low: float, high: float, d: int = 2) -> Tensor:
    """Uniform real numbers in float64, (1, t, d)."""
    return uniform(trial.generator, (1, t, d), torch.float64, low, high)


def signs(trial: Trial, t: int, d: int = 2) -> Tensor:
    return torch.where(randoms(trial, t, -1, 1, d) > 0, 1.0, -1.0)


def constant_gates(trial: Trial, value: float) -> None:
    for t in (2, 33, 130):
        trial.judge(with_gates(trial, torch.full((1, t, 2), value)))
    positive = randoms(trial, 1000, 0, 1)
    trial.judge(with_gates(trial, torch.full((1, 1000, 2), value), positive))


def near_one(trial: Trial) -> None:
    """Gates 1 - 2^-k of either sign, the neighbours of 1 included."""
    most = -int(torch.finfo(trial.dtype).eps.as_integer_ratio()[1]).bit_length() + 1
    for t in (3, 65, 300):
        exponents = torch.randint(most - 1, 0, (1, t, 2), generator=trial.generator)
        close = 1 - torch.ldexp(torch.ones(1, t, 2, dtype=torch.float64), exponents)
        trial.judge(with_gates(trial, close))
        trial.judge(with_gates(trial, close * signs(trial, t)))


def above_one(trial: Trial) -> None:
    """Gates between 1 and 1.25: old terms grow."""
    for t in (4, 33):
        trial.judge(with_gates(trial, randoms(trial, t, 1, 1.25)))


def strong(trial: Trial) -> None:
    """Gates between 0 and 0.3: their products underflow after some dozen steps, the states do not."""
    for t in (9, 64, 260, 1003):
        trial.judge(with_gates(trial, randoms(trial, t, 0, 0.3)))


def mixed(trial: Trial) -> None:
    """Strong and weak decay by turns, of either sign."""
    for t in (9, 140):
        weak, decay = randoms(trial, t, 0.999, 1), randoms(trial, t, -0.1, 0.1)
        trial.judge(with_gates(trial, torch.where(signs(trial, t) > 0, weak, decay)))


def tiny_gates(trial: Trial) -> None:
    """Gates down to the least subnormal number."""
    info = torch.finfo(trial.dtype)
    for t in (5, 40):
        powers = torch.tensor([info.tiny * info.eps, info.tiny, info.tiny**0.5, info.eps, 1.0], dtype=torch.float64)
        chosen = powers[torch.randint(0, len(powers), (1, t, 2), generator=trial.generator)]
        trial.judge(with_gates(trial, chosen * signs(trial, t)))


def resets(trial: Trial) -> None:
    """Gates that are 0 now and then: nothing before shows, however large it was."""
    for t in (3, 30, 257):
        gates = torch.where(randoms(trial, t, 0, 1) < 0.2, 0.0, randoms(trial, t, 0.5, 1))
        trial.judge(with_gates(trial, gates))
        large = torch.where(randoms(trial, t, 0, 1) < 0.2, 2.0**10, randoms(trial, t, -1, 1) * 2.0**-6)
        trial.judge(with_gates(trial, gates, large))


def unit_circle(trial: Trial) -> None:
    """Complex gates of modulus 1."""
    for t in (3, 65, 300):
        angle = 2 * torch.pi * randoms(trial, t, 0, 1)
        trial.judge(with_gates(trial, torch.polar(torch.ones_like(angle), angle)))


def cancellation(trial: Trial) -> None:
    """Inputs that cancel the state they meet, but for a little."""
    for t in (4, 40, 120):
        gates = randoms(trial, t, -1, 1).to(trial.dtype)
        rest = randoms(trial, t, -1, 1) * 2.0**-9
        inputs, h = [], torch.ones(1, 2, dtype=torch.float64)
        for s in range(t):
            b = (1 if s == 0 else 0) + rest[:, s] - gates[:, s].double() * h
            inputs.append(b.to(trial.dtype))
            h = gates[:, s].double() * h + inputs[-1].double()
        trial.judge(with_gates(trial, gates, torch.stack(inputs, 1), state=False))


def magnitudes(trial: Trial) -> None:
    """Inputs from 2^-20 to 2^20, or what the dtype has room for."""
    room = 6 if trial.dtype == torch.float16 else 20
    for t in (6, 90):
        powers = torch.randint(-room, room, (1, t, 2), generator=trial.generator)
        inputs = torch.ldexp(randoms(trial, t, -1, 1), powers)
        trial.judge(with_gates(trial, randoms(trial, t, 0.5, 1), inputs))


def subnormals(trial: Trial) -> None:
    """Inputs and states below the normal range."""
    info = torch.finfo(trial.dtype)
    for t in (4, 40):
        inputs = torch.round(randoms(trial, t, -40, 40)) * (info.tiny * info.eps)
        trial.judge(with_gates(trial, randoms(trial, t, 0.3, 1), inputs, state=False))


def long(trial: Trial) -> None:
    """More than 65,536 steps of slow decay."""
    if trial.quick:
        raise NotRun("--quick")
    trial.judge(with_gates(trial, randoms(trial, 66_049, 0.999, 1, d=1)))


# ------------------------------------------------------------------------------------------------ overflow, time
def overflowing(trial: Trial) -> None:
    """States past the largest number: infinite from there on, and untouched before."""
    largest = torch.finfo(trial.dtype).max
    gates, inputs = torch.ones(1, 12, 2), torch.full((1, 12, 2), 2.0**-3, dtype=torch.float64)
    inputs[:, 6:8] = largest * 0.75

    def problem(inputs: Inputs) -> Problem:
        h = trial.target(inputs).main
        beyond = torch.cumsum(inputs["b"].double() / largest, 1) > 1.25
        if bool(torch.isfinite(h[beyond]).any()):
            return f"the states pass the largest number, but the output is {h.tolist()}"
        fine = int((~beyond).all(-1).all(0).sum())
        early = {name: x[:, :fine] if x.ndim == 3 else x for name, x in inputs.items()}
        found = trial.off(early, lambda _: Outputs(h[:, :fine], None))
        return found and f"before an overflow: {found}"

    trial.require(problem, with_gates(trial, gates, inputs, state=False), axes={})


def overflowing_gates(trial: Trial) -> None:
    """Gates whose products overflow although no state does: the states are 0, or a reset comes in time."""
    large = 2.0 ** (math.frexp(torch.finfo(trial.dtype).max)[1] // 3)
    gates = torch.full((1, 16, 2), large, dtype=torch.float64)
    trial.judge(with_gates(trial, gates, torch.zeros(1, 16, 2), state=False))
    gates[:, ::2] = 0
    trial.judge(with_gates(trial, gates, state=False))


def reverse(trial: Trial) -> None:
    """Against time: h_t = a_t h_{t+1} + b_t."""
    trial.need("reverse")
    for t in (1, 2, 17, 130):
        trial.judge({**trial.sample(True, t=t), "reverse": True})


def concatenation(trial: Trial) -> None:
    """Two halves, the second from the state after the first, give the bits of the whole."""
    if not trial.order.has_bits:
        raise NotSupported("the bits of two halves are those of the whole in a declared sequential order only")
    trial.need("h0")

    if trial.dtype.itemsize == 2 and trial.target(trial.sample(t=2)).final is None:
        raise NotSupported("it does not return the state that it carries, which has more than 16 bits")

    def problem(inputs: Inputs) -> Problem:
        whole = trial.target(inputs).main
        for cut in range(1, whole.shape[1]):
            first, second = (select(inputs, trial.kind.axes, "t", s) for s in (slice(cut), slice(cut, None)))
            early, carried = trial.target(first)
            carried = early[:, -1].clone() if carried is None else carried
            late = trial.target({**second, "h0": carried}).main
            joined = torch.cat([early, late], 1)
            if found := trial.differs(f"cut after {cut} steps, the output", joined, whole, "at once it is"):
                return found
        return None

    trial.require(problem, trial.sample(t=19))


# ---------------------------------------------------------------------------------------------------- gradients
def exact_gradients(inputs: Inputs) -> tuple[Array, Array, Array]:
    """da, db, dh0 in exact arithmetic; forwards in time only."""
    a, b, g = inputs["a"], inputs["b"], inputs["g"]
    length = b.shape[1]
    gates = numbers(a.conj(), length)
    later = np.concatenate([gates[:, 1:], 0 * gates[:, :1]], 1)
    adjoint = states(later[:, ::-1], numbers(g, length)[:, ::-1], None)[:, ::-1]
    h0 = inputs.get("h0", torch.zeros_like(b[:, 0]))
    conjugate = {name: x.conj() for name, x in inputs.items() if name != "g"}
    before = np.concatenate([numbers(h0.conj(), length)[:, None], exact_states(conjugate)], 1)[:, :-1]
    return adjoint * before, adjoint, gates[:, 0] * adjoint[:, 0]


def computed_gradients(trial: Trial, inputs: Inputs) -> dict[str, Tensor]:
    """The target's gradients for the cotangent g. Raises NotSupported where it has none."""
    tracked = {name: x.detach().requires_grad_() for name, x in inputs.items() if name != "g"}
    h = trial.target(tracked).main
    if not h.requires_grad:
        raise NotSupported("its output carries no gradient")
    found = torch.autograd.grad(h, list(tracked.values()), inputs["g"], allow_unused=True)
    return {
        name: torch.zeros_like(x) if grad is None else grad
        for (name, x), grad in zip(tracked.items(), found, strict=True)
    }


def off_in_gradients(trial: Trial, inputs: Inputs) -> Problem:
    """What is wrong with the gradients."""
    computed = computed_gradients(trial, inputs)
    a, b, g = (carried(inputs[name]) for name in ("a", "b", "g"))
    h0 = carried(inputs["h0"]) if "h0" in inputs else None
    p, q = gradient_constants(trial.order, b.dtype, b.shape[1])
    bounds = scan_gradient_bounds(a, b, h0, g, p=p, q=q, reassociated=trial.order.reassociates)

    def judge() -> Iterator[Judged]:
        exact = dict(zip(Gradients._fields, exact_gradients(inputs), strict=True))
        for name in (field for field in Gradients._fields if field in computed):
            gradient = computed[name]
            yield Judged(f"d{name}", gradient, exact[name], in_storage(gradient, getattr(bounds, name)))

    return trial.measured(judge)


def gradients_of(trial: Trial, gates: Callable[[int], Tensor], lengths: tuple[int, ...]) -> None:
    for t in lengths:
        for state in (True, False):
            inputs = with_gates(trial, gates(t), state=state)
            cotangent = uniform(trial.generator, tuple(inputs["b"].shape), trial.dtype)
            trial.require(partial(off_in_gradients, trial), {**inputs, "g": cotangent})


def gradients(trial: Trial) -> None:
    """da, db and dh0 against the exact ones: ordinary gates."""
    gradients_of(trial, lambda t: randoms(trial, t, -1, 1), (2, 3, 31, 64, 130))


def gradients_at_resets(trial: Trial) -> None:
    """Gradients where gates are 0 or tiny: nothing may be divided by a gate."""

    def gates(t: int) -> Tensor:
        kept, tiny = randoms(trial, t, 0.5, 1), randoms(trial, t, -1, 1) * torch.finfo(trial.dtype).eps ** 2
        which = randoms(trial, t, 0, 1)
        return torch.where(which < 0.25, 0.0, torch.where(which < 0.5, tiny, kept))

    gradients_of(trial, gates, (2, 33))


def gradients_of_sums(trial: Trial) -> None:
    """Gradients for a cotangent of stride 0, as a sum makes it, and for the last state alone; of one step too."""
    for t in (1, 6, 40):
        inputs = trial.sample(True, b=1, t=t)
        ones = torch.ones((), dtype=trial.dtype).expand(inputs["b"].shape)
        last = torch.zeros_like(inputs["b"])
        last[:, -1] = 1
        for g in (ones, last):
            trial.require(partial(off_in_gradients, trial), {**inputs, "g": g})


def gradients_of_many(trial: Trial) -> None:
    """Gradients of more than 65,536 numbers, so that an offset of 16 bits overflows."""
    inputs = trial.sample(b=3, t=24, d=1031)
    cotangent = uniform(trial.generator, tuple(inputs["b"].shape), trial.dtype)
    trial.require(partial(off_in_gradients, trial), {**inputs, "g": cotangent})


def case(id: str, function: Callable[[Trial], None], says: str = "", numbers: str = "all") -> Case:
    return Case(id, says or function.__doc__ or "", function, numbers=numbers)


DiagonalScan.cases = (
    case("sizes.long", long),
    case("decays.zero", partial(constant_gates, value=0.0), "Gates 0: the inputs alone."),
    case("decays.one", partial(constant_gates, value=1.0), "Gates 1: running sums."),
    case("decays.minus-one", partial(constant_gates, value=-1.0), "Gates -1: alternating sums."),
    case("decays.near-one", near_one),
    case("decays.above-one", above_one),
    case("decays.strong", strong),
    case("decays.mixed", mixed),
    case("decays.tiny", tiny_gates),
    case("decays.unit-circle", unit_circle, numbers="complex"),
    case("decays.resets", resets),
    case("values.cancellation", cancellation, numbers="real"),
    case("values.magnitudes", magnitudes),
    case("values.subnormal", subnormals),
    case("overflow.states", overflowing, numbers="real"),
    case("overflow.gates", overflowing_gates, numbers="real"),
    case("reverse", reverse),
    case("invariance.concatenation", concatenation),
    case("gradients.values", gradients),
    case("gradients.resets", gradients_at_resets),
    case("gradients.cotangents", gradients_of_sums),
    case("gradients.large", gradients_of_many),
)
