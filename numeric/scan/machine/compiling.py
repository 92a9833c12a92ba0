"""Compiles the C kernels once, with the machine's own compiler, and loads them.

The library is cached in the user's cache directory under a hash of everything that shapes it: sources,
compiler, flags and processor; a second hash, of its own bytes, tells a damaged one, which is compiled anew: loading it
could kill the process. Writing is atomic, so that processes may race. Where there is no compiler,
`library()` is None and `missing()` says why in one sentence; nothing else in `numeric` needs one.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor

SOURCES = Path(__file__).parents[1] / "c"
FLAGS = ("-std=c99", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fPIC", "-shared")
OPTIONAL = (  # the first combination that the compiler takes
    ("-march=native", "-fopenmp"),
    ("-march=native",),
    ("-mcpu=native", "-fopenmp"),
    ("-mcpu=native",),
    (),
)


def library() -> ctypes.CDLL | None:
    """The compiled kernels, or None where they can't be had."""
    return _load()[0]


class View(ctypes.Structure):
    """A tensor as the kernels see it: where it starts, and its strides in elements."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("batch", ctypes.c_int64),
        ("time", ctypes.c_int64),
        ("channel", ctypes.c_int64),
    )


ABSENT = View(None, 0, 0, 0)
SUFFIX = {torch.float32: "f32", torch.float64: "f64", torch.complex64: "c64", torch.complex128: "c128"}


def sequence(x: Tensor | None, reverse: bool = False) -> View:
    """x (batch, time, channel, ...); in reverse, from its last step backwards."""
    if x is None:
        return ABSENT
    batch, time, channel = x.stride()[:3]
    if reverse:
        return View(x.data_ptr() + (x.shape[1] - 1) * time * x.element_size(), batch, -time, channel)
    return View(x.data_ptr(), batch, time, channel)


def state(x: Tensor | None) -> View:
    """x (batch, channel, ...), which has no time."""
    return ABSENT if x is None else View(x.data_ptr(), x.stride(0), 0, x.stride(1))


def pointer(x: Tensor) -> ctypes.c_void_p:
    """Where x starts."""
    return ctypes.c_void_p(x.data_ptr())


def call(name: str, dtype: torch.dtype, views: list[View], *rest: int | ctypes.c_void_p) -> None:
    """Runs a kernel: views, then integers of 64 bits and pointers, the number of threads last."""
    kernels = library()
    assert kernels is not None
    numbers = (x if isinstance(x, ctypes.c_void_p) else ctypes.c_int64(x) for x in rest)
    getattr(kernels, f"{name}_{SUFFIX[dtype]}")(*map(ctypes.byref, views), *numbers)


def advise_large_pages(address: int, size: int) -> None:
    """Asks for large pages beneath fresh memory: faulting 4 KB at a time costs more than a scan of it."""
    kernels = library()
    assert kernels is not None
    kernels.advise_large_pages(ctypes.c_void_p(address), ctypes.c_int64(size))


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def missing() -> str:
    """Why `library()` is None: one sentence, empty where it is not."""
    return _load()[1]


def obstacle(device: torch.device, dtype: torch.dtype) -> str:
    """What keeps the kernels from working on such tensors: one clause, empty where nothing does."""
    if device.type != "cpu":
        return f"the tensors are on {device}"
    if dtype not in SUFFIX:
        return f"it has no kernel for {dtype}"
    return str(missing())


@functools.cache
def _load() -> tuple[ctypes.CDLL | None, str]:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return None, "there is no C compiler (cc, or what the environment variable CC names): install gcc or clang"
    try:
        directory, key = _cache_directory(), _key(compiler)
        return ctypes.CDLL(str(_cached(directory, key) or _compile(compiler, directory, key))), ""
    except (OSError, subprocess.CalledProcessError) as error:
        detail = getattr(error, "stderr", None) or str(error)
        return None, f"the C kernels could not be compiled by {compiler}: {detail.strip().splitlines()[0]}"


def _cache_directory() -> Path:
    directory = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ssmverify"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _key(compiler: str) -> str:
    digest = hashlib.sha256()
    for source in sorted(SOURCES.iterdir()):
        digest.update(source.name.encode() + source.read_bytes())
    real = Path(compiler).resolve()
    digest.update(f"{real} {real.stat().st_size} {real.stat().st_mtime_ns} {FLAGS} {OPTIONAL}".encode())
    digest.update(f"{platform.machine()} {_processor()}".encode())
    return digest.hexdigest()[:32]


def _processor() -> str:
    """What -march=native depends on: code for another processor may not even run."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return "".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))}))


def _cached(directory: Path, key: str) -> Path | None:
    """The library compiled before, if it is whole; one that is not is removed, with a warning."""
    whole = None
    for path in sorted(directory.glob(f"{key}-*.so")):
        if path == _named(directory, key, path.read_bytes()):
            whole = path
        else:
            path.unlink(missing_ok=True)
            warnings.warn(f"{path} was damaged: it is removed and compiled anew", RuntimeWarning, stacklevel=2)
    return whole


def _named(directory: Path, key: str, content: bytes) -> Path:
    return directory / f"{key}-{hashlib.sha256(content).hexdigest()[:32]}.so"


def _compile(compiler: str, directory: Path, key: str) -> Path:
    failure: subprocess.CalledProcessError | None = None
    for extra in OPTIONAL:
        descriptor, name = tempfile.mkstemp(suffix=".so", dir=directory)
        os.close(descriptor)
        try:
            command = [compiler, *FLAGS, *extra, str(SOURCES / "kernels.c"), "-o", name, "-lm"]
            subprocess.run(command, check=True, capture_output=True, text=True)
            path = _named(directory, key, Path(name).read_bytes())
            os.replace(name, path)
            return path
        except subprocess.CalledProcessError as error:
            failure = failure or error
            os.unlink(name)
    assert failure is not None
    raise failure
