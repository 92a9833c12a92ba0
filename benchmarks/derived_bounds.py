"""Derived against hand-written bounds, every layer of the catalogue: python benchmarks/derived_bounds.py [examples].

For each layer and dtype, over inputs drawn by the layer's own strategy: the ratio derived/hand at entries where both
are finite and positive (least, median, most), the worst error over the derived bound, and what is refused. An error far
above the derived bound in float64 is a constant such as math.pi, exact in the program's text and not in the paper.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from hypothesis import HealthCheck, Phase, given, settings

from ssmverify.bounds import Refused
from ssmverify.bounds.layers import layer_bound
from ssmverify.catalogue import catalogue
from ssmverify.checking.layer import ratio
from ssmverify.rows import Layer


def compared(layer: Layer, dtype: torch.dtype, examples: int) -> str:
    derive, quotients, worst, unknown, refusals, tried = layer_bound(layer.run), [], 0.0, 0, [], 0

    how: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}

    @settings(max_examples=examples, phases=[Phase.generate], **how)
    @given(layer.inputs(dtype))
    def explore(inputs: dict[str, Any]) -> None:
        nonlocal worst, unknown, tried
        by_hand = layer.bound(**inputs)
        try:
            derived = derive(**inputs)
        except Refused as error:
            refusals.append(str(error))
            return
        tried += 1
        for d, h in zip(derived, by_hand, strict=True):
            d, h = torch.broadcast_tensors(d.double(), h.double())
            both = (h > 0) & (d > 1e-30 * (1 + h)) & d.isfinite() & h.isfinite() & (h > 64 * torch.finfo(dtype).tiny)
            unknown += int((d.isinf() & h.isfinite()).sum())
            quotients.append((d / h)[both].flatten())
        found = ratio(layer, layer.run, inputs, (layer.exact(**inputs), derived))
        worst = max(worst, float("inf") if found is None else found)

    explore()
    if not tried:
        return f"refused: {refusals[0] if refusals else 'no input'}"
    q = torch.cat(quotients) if quotients else torch.zeros(0)
    spread = f"{q.min():9.3g} {q.median():9.3g} {q.max():9.3g}" if q.numel() else f"{'-':>9} {'-':>9} {'-':>9}"
    more = f"  no bound at {unknown} entries" if unknown else ""
    more += f"  refused {len(refusals)} of {tried + len(refusals)} inputs: {refusals[0]}" if refusals else ""
    return f"{spread} {worst:9.3g}{more}"


def main(examples: int) -> None:
    layers: dict[str, Layer] = {layer.name: layer for row in catalogue() for layer in row.layers}
    print(f"{'layer':48} {'dtype':8} {'least':>9} {'median':>9} {'most':>9} {'err/der.':>9}")
    for name, layer in layers.items():
        for dtype in layer.dtypes:
            try:
                said = compared(layer, getattr(torch, dtype), examples)
            except Exception as error:  # a table says what went wrong in its row
                said = f"{type(error).__name__}: {str(error)[:100]}"
            print(f"{name:48} {dtype:8} {said}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
