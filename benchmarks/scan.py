"""How fast `scan` is, beside a copy of the same bytes and beside what a user would take instead.

    python benchmarks/scan.py [--device cpu] [--threads 1] [--dtype float32] [--rounds 9] [--no-peers] [--write NAME]

Every row of a table runs once a round, rounds are interleaved, and what is shown are medians: of the time, and of
the ratio to the copy of the same round, so that a neighbour's noise hits both. Bytes are the least any
implementation must move: three streams forward (a, b, h), five backward (g, a, h, da, db), eight for both, two for
a copy. "warm" means that the outputs were there before; a row that allocates pays for its page faults, as `a + b`
does. --write keeps the tables and a picture under benchmarks/results/.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peers
import torch
from torch import Tensor

from numeric.scan import scan
from numeric.scan.diagonal import cpu
from numeric.scan.machine import compiling as native

SHAPES = {
    "cpu": [(1, 65536, 64), (8, 4096, 256), (64, 1024, 64)],
    "cuda": [(1, 2097152, 64), (8, 16384, 1024), (64, 2048, 1024)],  # 512 MB in float32, far past a GPU's caches
}
SIDES = {  # what the picture says of each, and its colour
    "ours": ("ssmverify", "#c2410c"),
    "yardstick": ("yardsticks", "#0f766e"),
    "peer": ("peers", "#94a3b8"),
    "vehicle": ("numba, in place of C", "#cbd5e1"),
}
RESULTS = Path(__file__).parent / "results"


@dataclass
class Row:
    """One line of a table: what runs, how many streams of (B, T, D) it must move, and what it is there for.

    side: "yardstick", "ours", "peer", or "vehicle" for what the kernels might have been written in instead.
    """

    name: str
    streams: int
    call: Callable[[], Any]
    side: str = "yardstick"


@dataclass
class Measured:
    """A row's medians: seconds, and bytes a second as a fraction of the copy's."""

    row: Row
    seconds: float
    of_copy: float


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    if options.threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("no CUDA device: not run")
    dtype = getattr(torch, options.dtype)
    how = f"{options.dtype}, {options.device}, {options.threads} thread{'s' if options.threads > 1 else ''}"
    lines = [
        f"# `scan`, {how}",
        "",
        *_machine(),
        "",
    ]
    pictures: dict[str, list[Measured]] = {}
    for title, rows_of in (("forward", _forward), ("forward + backward", _training)):
        for shape in SHAPES[options.device]:
            measured = _measure(list(rows_of(shape, dtype, options)), options)
            lines += _table(f"{title}, (B,T,D) = {shape}", measured, shape, dtype)
            pictures[f"{title} {shape}"] = measured
    lines += _short_calls(options)
    print("\n".join(lines))
    if options.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{options.write}.md").write_text("\n".join(lines) + "\n")
        _draw(f"scan, {how}", pictures, RESULTS / f"{options.write}.svg")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--write", metavar="NAME")
    return parser.parse_args()


def _problem(shape: tuple[int, int, int], dtype: torch.dtype, device: str) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    a = torch.rand(shape, generator=generator, dtype=dtype) * 0.2 + 0.8
    return a.to(device), torch.randn(shape, generator=generator, dtype=dtype).to(device)


def _time_innermost(x: Tensor) -> Tensor:
    return x.mT.contiguous().mT


def _yardsticks(a: Tensor, b: Tensor, h: Tensor) -> Iterator[Row]:
    yield Row("copy (warm)", 2, lambda: h.copy_(b))
    yield Row("torch.add(out=) (warm)", 3, lambda: torch.add(a, b, out=h))
    yield Row("a + b (allocates)", 3, lambda: a + b)


def _forward(shape: tuple[int, int, int], dtype: torch.dtype, options: argparse.Namespace) -> Iterator[Row]:
    a, b = _problem(shape, dtype, options.device)
    h, at, bt, ht = torch.empty_like(b), *map(_time_innermost, (a, b, b))
    yield from _yardsticks(a, b, h)
    yield Row("scan (B,T,D), out=", 3, lambda: scan(a, b, out=h), "ours")
    yield Row("scan (B,D,T), out=", 3, lambda: scan(at, bt, out=ht), "ours")
    yield Row("scan (B,T,D), allocates", 3, lambda: scan(a, b), "ours")
    if options.device == "cuda":
        yield Row("scan (B,D,T), allocates", 3, lambda: scan(at, bt), "ours")
        yield Row("scan (B,T,D), order='any', allocates", 3, lambda: scan(a, b, order="any"), "ours")
    if not options.no_peers:
        for name, prepare in peers.forward(options.device, shape[1]):
            yield Row(name, 3, prepare(a, b), "peer")
        for name, prepare in peers.vehicles() if options.device == "cpu" else ():
            yield Row(name, 3, prepare(a, b), "vehicle")


def _training(shape: tuple[int, int, int], dtype: torch.dtype, options: argparse.Namespace) -> Iterator[Row]:
    a, b = _problem(shape, dtype, options.device)
    h = torch.empty_like(b)
    yield from _yardsticks(a, b, h)
    if options.device == "cpu":
        yield Row("scan (B,T,D), kernels, warm", 8, _warm_kernels(a, b), "ours")
        yield Row("scan (B,D,T), kernels, warm", 8, _warm_kernels(*map(_time_innermost, (a, b))), "ours")
    yield Row("scan (B,T,D), autograd, allocates", 8, _autograd(a, b), "ours")
    yield Row("scan (B,D,T), autograd, allocates", 8, _autograd(*map(_time_innermost, (a, b))), "ours")
    if not options.no_peers:
        for name, prepare in peers.training(options.device, shape[1]):
            yield Row(name, 8, prepare(a, b), "peer")


def _warm_kernels(a: Tensor, b: Tensor) -> Callable[[], None]:
    h, g, da, db = (torch.ones_like(b) for _ in range(4))

    def call() -> None:
        cpu.forward(a, b, None, False, out=h)
        cpu.backward(g, a, h, None, False, out=(da, db))

    return call


def _autograd(a: Tensor, b: Tensor) -> Callable[[], Any]:
    a, b, g = a.detach().requires_grad_(), b.detach().requires_grad_(), torch.ones_like(b)
    return lambda: torch.autograd.grad(scan(a, b), (a, b), g)


def _timed(call: Callable[[], Any], device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _measure(rows: list[Row], options: argparse.Namespace) -> list[Measured]:
    """The first row is the copy. Before each call other memory is written, so that all start from the same caches.

    Slow rows run in fewer rounds.
    """
    once = [min(_timed(row.call, options.device) for _ in range(2)) for row in rows]
    other = torch.zeros(16 << 20, device=options.device)
    times: list[list[float]] = [[] for _ in rows]
    for number in range(options.rounds):
        time.sleep(0.1)  # a peer's threads may still be giving memory back, which the first rows would pay for
        for row, seconds, kept in zip(rows, once, times, strict=True):
            if seconds < 0.3 or number < 3:
                other += 1
                kept.append(_timed(row.call, options.device))
    copies = times[0]
    return [
        Measured(
            row,
            statistics.median(kept),
            statistics.median(row.streams / 2 * copy / own for copy, own in zip(copies, kept, strict=False)),
        )
        for row, kept in zip(rows, times, strict=True)
    ]


def _table(title: str, measured: list[Measured], shape: tuple[int, int, int], dtype: torch.dtype) -> list[str]:
    size = shape[0] * shape[1] * shape[2] * dtype.itemsize
    of_peers = [m.of_copy for m in measured if m.row.side == "peer"]
    lines = [f"## {title}", "", "| | ms | GB/s | of the copy |", "| --- | ---: | ---: | ---: |"]
    for m in measured:
        name = f"**{m.row.name}**" if m.row.side == "ours" else m.row.name
        speed = m.row.streams * size / m.seconds / 1e9
        lines.append(f"| {name} | {m.seconds * 1e3:.2f} | {speed:.1f} | {m.of_copy:.3f} |")
    if of_peers:
        best = max(m.of_copy for m in measured if m.row.side == "ours")
        lines += ["", f"Best of ours over the best peer: {best / max(of_peers):.1f}."]
    return [*lines, ""]


def _short_calls(options: argparse.Namespace) -> list[str]:
    """What a call costs where there is next to nothing to compute."""
    a, b = _problem((16, 256, 1), torch.float32, options.device)
    calls = {
        "forward": lambda: scan(a, b),
        "forward, out=": lambda: scan(a, b, out=h),
        "forward + backward": _autograd(a, b),
    }
    h = torch.empty_like(b)
    lines = ["## one call, (B,T,D) = (16, 256, 1), float32", "", "| | µs |", "| --- | ---: |"]
    for name, call in calls.items():
        for _ in range(100):
            call()
        samples = [_timed(call, options.device) for _ in range(2000)]
        lines.append(f"| {name} | {statistics.median(samples) * 1e6:.0f} |")
    return lines


def _machine() -> list[str]:
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = f"{models[0]}, {len(models)} cores visible" if models else name
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    width = next((bits for flag, bits in (("avx512f", 512), ("avx2", 256)) if flag in flags), 128)
    backend = native.missing() or "C kernels compiled here"
    return [
        f"Machine: {name}, vectors of {width} bits, {platform.system()}. Python {platform.python_version()}, "
        f"torch {torch.__version__}; {backend}.",
        f"Load average at the start: {os.getloadavg()[0]:.1f}. Medians of interleaved rounds; fractions are medians of "
        "each round's ratio to its copy.",
    ]


def _draw(what: str, pictures: dict[str, list[Measured]], path: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        print("matplotlib is not installed: no picture", file=sys.stderr)
        return
    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 3, figsize=(15, 8), sharex=True, layout="constrained")
    for axis, (title, measured) in zip(axes.flat, pictures.items(), strict=True):
        shown = sorted(measured, key=lambda m: m.of_copy)
        colours = [SIDES[m.row.side][1] for m in shown]
        bars = axis.barh([m.row.name for m in shown], [m.of_copy for m in shown], color=colours)
        axis.bar_label(bars, fmt="%.2f", padding=2, fontsize=7)
        axis.axvline(1, color="black", linewidth=0.6)
        axis.set_title(title, fontsize=9)
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{what}: bytes a second, as a fraction of a copy", fontsize=11)
    patches = [pyplot.Rectangle((0, 0), 1, 1, color=colour, label=meaning) for meaning, colour in SIDES.values()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), fontsize=8)
    matplotlib.rcParams["svg.hashsalt"] = "scan"
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
