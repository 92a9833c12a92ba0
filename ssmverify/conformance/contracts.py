"""The cases that hold for every kind: sizes, memory layouts, invariances, what must not change, torch integration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ssmverify.conformance.kinds.kind import Case, Outputs
from ssmverify.conformance.shrink import Inputs, select
from ssmverify.conformance.trial import NotRun, Problem, Trial

PRIMES = (5, 7, 11, 13, 31, 97, 251, 997)


# --------------------------------------------------------------------------------------------------------- sizes
def lengths(trial: Trial) -> None:
    """2, 3, primes, powers of two and their neighbours, with and without an initial state."""
    powers = {2**k + shift for k in range(2, 7 if trial.quick else 11) for shift in (-1, 0, 1)}
    largest = max(powers)
    for t in sorted({2, 3, *powers, *(prime for prime in PRIMES if prime <= largest)}):
        few = {"b": 1, "d": 2} if t > 40 else {"b": 2, "d": 3}
        for state in (False, True) if t < 20 else (t % 2 == 0,):
            trial.judge(trial.sample(state, t=t, **few))


def one_step(trial: Trial) -> None:
    """One step alone, with and without an initial state."""
    for state in (False, True):
        trial.judge(trial.sample(state, t=1))


def wide(trial: Trial) -> None:
    """More than 4,096 channels; more than 256 sequences; one channel alone."""
    for sizes in ({"b": 1, "t": 3, "d": 4099}, {"b": 259, "t": 3, "d": 1}, {"b": 1, "t": 5, "d": 1}):
        trial.judge(trial.sample(True, **sizes))


def empty(trial: Trial) -> None:
    """No steps, no sequences, no channels, with and without an initial state."""
    for sizes in ({"b": 2, "t": 0, "d": 3}, {"b": 0, "t": 3, "d": 2}, {"b": 2, "t": 3, "d": 0}):
        for state in (False, True):
            trial.judge(trial.sample(state, **sizes))


def large(trial: Trial) -> None:
    """More than 65,536 numbers, so that an offset of 16 bits overflows inside a row and between batches."""
    trial.judge(trial.sample(b=3, t=24, d=1031))


def far_offsets(trial: Trial) -> None:
    """More than 2^31 numbers: an offset of 32 bits overflows. The last channels are judged."""
    if trial.target.device == "cpu":
        raise NotRun("it needs a GPU with room for 2^31 numbers: --device cuda")
    d, tail = 2**30 + 5, slice(-5, None)
    few = trial.sample(b=1, t=2, d=5)

    def call(inputs: Inputs) -> Outputs:
        whole = {name: torch.zeros(1, 2, d, dtype=trial.dtype, device=trial.target.device) for name in inputs}
        for name, x in whole.items():
            x[..., tail] = inputs[name].to(x.device)
        return Outputs(trial.target(whole).main[..., tail], None)

    trial.require(lambda inputs: trial.off(inputs, call), few, axes={})


def initial_state(trial: Trial) -> None:
    """An initial state, large and small, and no input at all."""
    trial.need(trial.kind.state)
    for t in (2, 33):
        inputs = trial.sample(True, t=t)
        trial.judge(inputs)
        trial.judge({**inputs, trial.kind.state: 64 * inputs[trial.kind.state]})
        trial.judge(
            {**inputs, **{name: torch.zeros_like(inputs[name]) for name in trial.kind.linear if name in inputs}}
        )


# ------------------------------------------------------------------------------------------------------- layouts
def _reversed_in_memory(x: Tensor) -> Tensor:
    order = tuple(reversed(range(x.ndim)))
    return x.permute(order).contiguous().permute(order)


def _every_second(x: Tensor) -> Tensor:
    room = x.new_full([2 * size + 1 for size in x.shape], float("nan"))
    view = room[tuple(slice(1, None, 2) for _ in x.shape)]
    return view.copy_(x)


def _inside(x: Tensor) -> Tensor:
    """Rows that begin at odd offsets of a larger tensor full of NaN."""
    room = x.new_full([*x.shape[:-1], x.shape[-1] + 3], float("nan"))
    return room[..., 1 : 1 + x.shape[-1]].copy_(x)


def _time_first(x: Tensor) -> Tensor:
    return x.transpose(0, 1).contiguous().transpose(0, 1) if x.ndim > 1 else x


LAYOUTS: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("its dimensions reversed in memory", _reversed_in_memory),
    ("time before batch in memory", _time_first),
    ("every second number of a larger tensor", _every_second),
    ("rows inside wider rows", _inside),
)


def layouts(trial: Trial) -> None:
    """Each argument, and all of them, laid out otherwise in memory: the values count, not the strides."""
    inputs = trial.sample(True, b=2, t=9, d=3)
    names = [name for name in trial.kind.axes if name in inputs]
    for what, laid_out in LAYOUTS:
        for chosen in [*([name] for name in names), names]:

            def problem(
                inputs: Inputs, laid_out: Any = laid_out, chosen: list[str] = chosen, what: str = what
            ) -> Problem:
                changed = {name: laid_out(x) if name in chosen else x for name, x in inputs.items()}
                found = trial.off(changed)
                return found and f"with {', '.join(chosen)} as {what}: {found}"

            trial.require(problem, inputs)


def expanded(trial: Trial) -> None:
    """Arguments that repeat one number along a dimension with stride 0, as `expand` makes them."""
    inputs = trial.sample(True, b=2, t=6, d=3)
    for name, letters in trial.kind.axes.items():
        for dim, letter in enumerate(letters if name in inputs else ""):

            def problem(inputs: Inputs, name: str = name, dim: int = dim, letter: str = letter) -> Problem:
                x = inputs[name]
                if x.shape[dim] == 0:
                    return None
                found = trial.off({**inputs, name: x.narrow(dim, 0, 1).expand(x.shape)})
                return found and f"with {name} expanded along {NAMES[letter]}: {found}"

            trial.require(problem, inputs)


NAMES = {"b": "the batch", "t": "time", "d": "the channels", "n": "the state", "m": "the columns"}


# --------------------------------------------------------------------------------------------------- invariances
def batch(trial: Trial) -> None:
    """A sequence alone gives what it gives in a batch: the same bits in a sequential order, else within the bound."""
    inputs = trial.sample(True, b=5, t=17)

    def problem(inputs: Inputs) -> Problem:
        together = trial.target(inputs).main
        for i in range(together.shape[0]):
            alone = select(inputs, trial.kind.axes, "b", slice(i, i + 1))
            found = trial.off(alone)
            if trial.order.has_bits and not found:
                found = trial.differs("the output", trial.target(alone).main, together[i : i + 1], "in the batch it is")
            if found:
                return f"sequence {i} alone: {found}"
        return None

    trial.require(problem, inputs)


def scaling(trial: Trial) -> None:
    """Inputs and initial state times a power of two: the outputs are exactly that many times as large."""
    if trial.dtype.itemsize == 2:
        raise NotRun("16 bits have no room for exact scaling")
    inputs = trial.sample(True, t=21)

    def problem(inputs: Inputs) -> Problem:
        once = trial.target(inputs).main
        for power in (8.0, 2.0**-6):
            scaled = {name: x * power if name in trial.kind.linear else x for name, x in inputs.items()}
            if found := trial.differs("the output", trial.target(scaled).main, once * power, f"{power} times it was"):
                return f"inputs times {power}: {found}"
        return None

    trial.require(problem, inputs)


def causality(trial: Trial) -> None:
    """What comes later, NaN and infinity included, leaves no trace in earlier outputs, nor in other sequences."""
    inputs = trial.sample(True, b=3, t=40)

    def problem(inputs: Inputs) -> Problem:
        clean = trial.target(inputs).main
        b, length = clean.shape[:2]
        in_time = [name for name in inputs if trial.kind.axes[name].startswith("bt")]
        for at in sorted({0, 1, length // 3, length // 2, length - 1} & set(range(length))):
            for name in in_time:
                for value in (float("nan"), float("inf"), 3.0):
                    changed = inputs[name].clone()
                    changed[0, at:] = value
                    main = trial.target({**inputs, name: changed}).main
                    where = f"with {name}[0, {at}:] = {value}: the output"
                    found = trial.differs(where, main[0, :at], clean[0, :at], "without it it is")
                    for other in range(1, b):
                        found = found or trial.differs(
                            f"{where} {other}", main[other], clean[other], "without it it is"
                        )
                    if found:
                        return found
                    if value != value and name == trial.kind.linear[0] and bool(torch.isfinite(main[0, at]).any()):
                        return f"with {name}[0, {at}:] = nan: the output there is finite"
        return None

    trial.require(problem, inputs)


def determinism(trial: Trial) -> None:
    """The same inputs give the same bits: again and again, with one thread and with all."""

    def problem(inputs: Inputs) -> Problem:
        first = trial.target(inputs).main
        threads = torch.get_num_threads()
        for i in range(4):
            try:
                torch.set_num_threads(1 if i == 3 else threads)
                again = trial.target(inputs).main
            finally:
                torch.set_num_threads(threads)
            if found := trial.differs("the output", again, first, "the first time it was"):
                return f"run {i + 2}{' with one thread' if i == 3 else ''}: {found}"
        return None

    trial.require(problem, trial.sample(True, b=3, t=200, d=16))


def mutation(trial: Trial) -> None:
    """The arguments are as they were afterwards, also after a backward pass; the output shares no memory with them."""

    def problem(inputs: Inputs) -> Problem:
        before = {name: x.clone() if isinstance(x, Tensor) else x for name, x in inputs.items()}
        main = trial.target(inputs).main
        tracked = {name: x.detach().requires_grad_() if isinstance(x, Tensor) else x for name, x in inputs.items()}
        out = trial.target(tracked).main
        if out.requires_grad:
            torch.autograd.backward(out, torch.ones_like(out))
        for name, x in inputs.items():
            if not isinstance(x, Tensor):
                continue
            if found := trial.differs(name, x, before[name], "before the call it was"):
                return found
            if x.numel() and main.untyped_storage().data_ptr() == x.untyped_storage().data_ptr():
                return f"the output shares its memory with {name}"
        return None

    for t in (1, 12):
        for state in (False, True):
            trial.require(problem, trial.sample(state, t=t))


# ------------------------------------------------------------------------------------------------- in torch's hands
def compiled(trial: Trial) -> None:
    """torch.compile captures it whole; what it computes then is inside the bound."""
    torch.compiler.reset()
    function = torch.compile(trial.target.function, fullgraph=True, dynamic=False, backend="aot_eager")
    whole = replace(trial.target, function=function)
    trial.require(lambda inputs: trial.off(inputs, whole), trial.sample(True, t=7), axes={})


def vmapped(trial: Trial) -> None:
    """torch.vmap over a further dimension gives what the calls one by one give, inside the bound."""
    many = [trial.sample(True, t=7) for _ in range(2)]
    names = list(many[0])
    stacked = [torch.stack([inputs[name] for inputs in many]) for name in names]
    outputs = torch.vmap(lambda *parts: trial.target(dict(zip(names, parts, strict=True))).main)(*stacked)
    for inputs, main in zip(many, outputs, strict=True):
        trial.require(partial(_off_at, trial, main), inputs, axes={})


def _off_at(trial: Trial, main: Tensor, inputs: Inputs) -> Problem:
    """What is wrong with an output got in another way."""
    return trial.off(inputs, lambda _: Outputs(main, None))


def autocast(trial: Trial) -> None:
    """Under torch.autocast to bfloat16 its outputs keep the dtype of its inputs, and their bound."""

    def call(inputs: Inputs) -> Outputs:
        with torch.autocast(trial.target.device, torch.bfloat16):
            return trial.target(inputs)

    trial.require(lambda inputs: trial.off(inputs, call), trial.sample(True, t=33))


def cases() -> Iterator[Case]:
    """All of them, in the order of the report."""
    yield Case("sizes.lengths", lengths.__doc__ or "", lengths)
    yield Case("sizes.one", one_step.__doc__ or "", one_step)
    yield Case("sizes.empty", empty.__doc__ or "", empty)
    yield Case("sizes.wide", wide.__doc__ or "", wide)
    yield Case("sizes.large", large.__doc__ or "", large)
    yield Case("sizes.beyond-2-31", far_offsets.__doc__ or "", far_offsets)
    yield Case("initial-state", initial_state.__doc__ or "", initial_state)
    yield Case("layout.strides", layouts.__doc__ or "", layouts)
    yield Case("layout.expanded", expanded.__doc__ or "", expanded)
    yield Case("invariance.batch", batch.__doc__ or "", batch)
    yield Case("invariance.scaling", scaling.__doc__ or "", scaling)
    yield Case("invariance.causality", causality.__doc__ or "", causality)
    yield Case("purity.determinism", determinism.__doc__ or "", determinism)
    yield Case("purity.mutation", mutation.__doc__ or "", mutation)
    yield Case("torch.compile", compiled.__doc__ or "", compiled, thorough=True)
    yield Case("torch.vmap", vmapped.__doc__ or "", vmapped, thorough=True)
    yield Case("torch.autocast", autocast.__doc__ or "", autocast, thorough=True)
