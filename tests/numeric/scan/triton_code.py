"""What Triton's own compiler and assembler make of a kernel for sm_90, which needs no GPU."""

import re
import subprocess
from pathlib import Path
from typing import Any


def compiled(kernel: Any, pointers: str, element: str, fixed: dict[str, Any], warps: int = 1) -> Any:
    """The kernel with its constants fixed, and what it may specialise on known to be a multiple of 16, T apart."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    names = kernel.arg_names
    fixed = {name: value for name, value in fixed.items() if name in names}
    kinds = {name: "*" + element if name in pointers.split() else "i32" for name in names}
    signature = {name: "constexpr" if name in fixed else kinds[name] for name in names}
    unknown = {"T", *fixed, *kernel.do_not_specialize}
    aligned = {(i,): [["tt.divisibility", 16]] for i, name in enumerate(names) if name not in unknown}
    constants = {(names.index(name),): value for name, value in fixed.items()}
    source = ASTSource(kernel, signature, constexprs=constants, attrs=aligned)
    return triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": warps})


def stack_bytes(code: Any, path: Path) -> int:
    """What a thread keeps outside its registers; `path` is where the code is written for the tool that says so."""
    import triton

    path.write_bytes(code.asm["cubin"])
    tool = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    usage = subprocess.run([tool, "-res-usage", path], check=True, capture_output=True, text=True)
    return sum(map(int, re.findall(r"(?:STACK|LOCAL):(\d+)", usage.stdout + usage.stderr)))
