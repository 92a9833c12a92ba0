"""In what order a kernel evaluates, and so which proven bound it is held to.

(p, q)   the term of b_j in h_t collects at most p (t - j) + q roundings (numeric.bounds)
m        how many roundings a product counts: 1 of numbers, 3 of complex ones, n of n by n matrices
L        floor(log2 T)
"""

from __future__ import annotations

from dataclasses import dataclass

from ssmverify.errors import BadInput


@dataclass(frozen=True)
class Order:
    """An order of evaluation. says: what a kernel that declares it promises."""

    name: str
    says: str

    @property
    def reassociates(self) -> bool:
        """Whether gates may be multiplied with one another."""
        return self.name in ("tree", "any")

    @property
    def has_bits(self) -> bool:
        """Whether the order defines the very bits of a diagonal scan."""
        return self.name == "sequential"

    def constants(self, length: int, m: int, s: int = 1) -> tuple[int, int]:
        """(p, q) for that many steps: a step is one product and one sum, in whatever order its terms are added."""
        if self.name == "tree":
            return m, 2 * (max(length, 1).bit_length() - 1) + 1
        if self.name == "any":
            return m + 1, s * (2 * (max(length, 1) - 1).bit_length() + 2)
        return m + 1, s

    def gradient_constants(self, length: int, m: int, s: int = 1) -> tuple[int, int]:
        """(p, q) for gradients by a scan against time, or by automatic differentiation.

        Against time each value's cotangent is a sum over its uses, of which trees in use have two at most.
        """
        p, q = self.constants(length, m, s)
        return p, 2 * q


ORDERS = {
    order.name: order
    for order in (
        Order("sequential", "the canonical chain of fused multiply-adds: its bits, and (p, q) = (1, 1)"),
        Order("loop", "time order, products and sums rounded or fused: (2, 1)"),
        Order("tree", "a balanced tree or a work-efficient prefix, sums after products: (1, 2 log2 T + 1)"),
        Order("any", "any order, chunks and trees: (2, 2 log2 T + 2)"),
    )
}


def named(name: str) -> Order:
    """The order of that name; raises BadInput for another."""
    if name not in ORDERS:
        raise BadInput(f"there is no order {name}; choose one of {', '.join(ORDERS)}.")
    return ORDERS[name]
