"""What `ssmverify doctor` reports."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("ssmverify", "sympy", "python-flint", "numpy", "torch", "hypothesis", "numba", "triton", "matplotlib")
OURS = ("proofs", "numeric")


def foreign_packages() -> list[str]:
    """A sentence for each of our top-level packages that Python would take from elsewhere, or not find."""
    home = Path(__file__).resolve().parent.parent
    found = []
    for name in OURS:
        spec = importlib.util.find_spec(name)
        where = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
        if where != home:
            found.append(
                f"Python finds the package '{name}' in {where}, not beside ssmverify in {home}: "
                "remove the other one, or put ours first on the path."
            )
    return found


def findings() -> Iterator[tuple[str, str]]:
    """Name and value, a pair for each line."""
    yield "python", f"{sys.version.split()[0]} on {platform.system()} {platform.machine()}"
    for package in PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            yield package, "not installed"
    import torch

    yield "GPU", torch.cuda.get_device_name() if torch.cuda.is_available() else "none: GPU checks are not run"
    yield "threads", str(torch.get_num_threads())
    yield "matmul", f"float32 precision '{torch.get_float32_matmul_precision()}'"
    from numeric.scan import plan
    from numeric.scan.diagonal import triton as gpu
    from numeric.scan.machine import compiling as native

    chosen = plan(torch.ones(1, 2, 1), torch.ones(1, 2, 1))
    yield "scan", f"backend {chosen.backend}, {chosen.order} order: {chosen.why}"
    yield "C kernels", native.missing() or "compiled"
    yield "Triton", gpu.obstacle(torch.device("cuda"), torch.float32) or "ready"
    yield "Rocq", shutil.which("rocq") or shutil.which("coqc") or "none: no proof is checked a second time"
    for sentence in foreign_packages():
        yield "WARNING", sentence
