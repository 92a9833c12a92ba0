"""What the suite has to know of a kind of kernel: its arguments, inputs that hurt, what is exact, and the bound."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from ssmverify.conformance.measure import Array
from ssmverify.conformance.order import Order
from ssmverify.conformance.shrink import Inputs

if TYPE_CHECKING:
    from ssmverify.conformance.trial import Trial

Sizes = Mapping[str, int]


class Outputs(NamedTuple):
    """What a kernel returned: its sequence, and the state to go on from if it returned one."""

    main: Tensor
    final: Tensor | None


class Judged(NamedTuple):
    """One output beside what it ought to be, and the bound of its error."""

    name: str
    computed: Tensor
    exact: Array
    bound: Tensor


@dataclass(frozen=True)
class Case:
    """A case of the suite.

    id: as users write it. says: what is tried. thorough: run only when asked for. numbers: for all, real or complex
    ones.
    """

    id: str
    says: str
    run: Callable[[Trial], None]
    thorough: bool = False
    numbers: str = "all"

    def speaks_of(self, dtype: torch.dtype) -> bool:
        """Whether it is about numbers of that dtype."""
        return self.numbers in ("all", "complex" if dtype.is_complex else "real")


class Kind(ABC):
    """A kind of kernel: how it is called, what it ought to give, how far it may be off."""

    name: ClassVar[str]
    signature: ClassVar[str]
    required: ClassVar[tuple[str, ...]]
    state: ClassVar[str]  # the optional argument that holds the state before the first step
    optional: ClassVar[tuple[str, ...]] = ()  # further ones, given by keyword
    axes: ClassVar[Mapping[str, str]]  # of every tensor argument: b batch, t time, d channel, n m state
    main: ClassVar[str] = "btd"
    final: ClassVar[str]
    linear: ClassVar[tuple[str, ...]]  # the arguments in which, all together, the outputs are linear
    orders: ClassVar[tuple[str, ...]] = (
        "any",
        "sequential",
        "loop",
        "tree",
    )  # that have a proven bound; first, the default
    cases: ClassVar[tuple[Case, ...]] = ()

    @abstractmethod
    def sample(self, generator: torch.Generator, dtype: torch.dtype, sizes: Sizes, state: bool) -> Inputs:
        """Ordinary inputs of those sizes (b, t, d, n, m; those missing are small)."""

    @abstractmethod
    def judge(self, inputs: Inputs, outputs: Outputs, order: Order) -> Iterator[Judged]:
        """The outputs beside the exact ones, computed to the bits that `measure.decided` sets."""

    def adapt(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, called with arguments as they are laid out here."""
        return function

    def chain(self, inputs: Inputs) -> Outputs | None:
        """The outputs whose very bits a sequential order promises; None if it promises none."""
        return None


def uniform(
    generator: torch.Generator, shape: tuple[int, ...], dtype: torch.dtype, low: float = -1.0, high: float = 1.0
) -> Tensor:
    """Uniform numbers; of complex ones each part."""
    if dtype.is_complex:
        parts = (low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64) for _ in range(2))
        return torch.complex(*parts).to(dtype)
    return (low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64)).to(dtype)
