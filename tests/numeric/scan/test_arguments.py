"""Every wrong argument is answered by one sentence that names it."""

from pathlib import Path
from typing import Any

import pytest
import torch

from numeric.scan import delta_scan, matrix_scan, plan, scan
from numeric.scan.machine import compiling as native

X = torch.zeros(2, 5, 3)


@pytest.mark.parametrize(
    ("error", "message", "arguments", "options"),
    [
        (TypeError, "a must be a torch.Tensor, not list", ([1.0], X), {}),
        (TypeError, "b is torch.int64; supported are float32", (X.long(), X.long()), {}),
        (TypeError, "a is torch.float64, b is torch.float32", (X.double(), X), {}),
        (TypeError, "h0 is torch.float64", (X, X, X[:, 0].double()), {}),
        (ValueError, r"a \(2, 4, 3\), b \(2, 5, 3\)", (X[:, :4], X), {}),
        (ValueError, r"numbers of dimensions must agree: a \(5, 3\), b \(2, 5, 3\)", (X[0], X), {}),
        (
            ValueError,
            r"h0 must have the shape of b without time, \(2, 3\), not \(2, 4\)",
            (X, X, torch.zeros(2, 4)),
            {},
        ),
        (ValueError, "the devices must agree: a is meta, b is cpu", (X.to("meta"), X), {}),
        (IndexError, "dim=3 is not a dimension", (X, X), {"dim": 3}),
        (ValueError, "order must be one of sequential, any, not 'fast'", (X, X), {"order": "fast"}),
        (ValueError, "backend must be one of auto, reference, associative", (X, X), {"backend": "gpu"}),
        (ValueError, "ask for order='any'", (X, X), {"backend": "associative"}),
        (ValueError, "backend 'cpu' can't serve: the tensors are on meta", (X.to("meta"),) * 2, {"backend": "cpu"}),
        (ValueError, r"out must be the shape of the states = \(2, 5, 3\)", (X, X), {"out": X[0]}),
        (TypeError, "out is torch.float64", (X, X), {"out": X.double()}),
        (RuntimeError, "out= gives no gradient", (X.clone().requires_grad_(), X), {"out": X.clone()}),
    ],
)
def test_scan_refuses(error: type[Exception], message: str, arguments: Any, options: Any) -> None:
    with pytest.raises(error, match=message):
        scan(*arguments, **options)


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (ValueError, r"B must be \(batch, time, n, m\)", (torch.zeros(2, 5, 3, 3), X)),
        (ValueError, "A must be", (torch.zeros(2, 5, 4, 4), torch.zeros(2, 5, 3, 1))),
        (ValueError, "H0 must be", (torch.zeros(2, 5, 3, 3), torch.zeros(2, 5, 3, 1), torch.zeros(2, 3))),
        (TypeError, "A is torch.float64", (torch.zeros(2, 5, 3, 3).double(), torch.zeros(2, 5, 3, 1))),
    ],
)
def test_matrix_scan_refuses(error: type[Exception], message: str, arguments: Any) -> None:
    with pytest.raises(error, match=message):
        matrix_scan(*arguments)


@pytest.mark.parametrize(
    ("error", "message", "change"),
    [
        (ValueError, "q must be", {"q": X}),
        (ValueError, "v must be", {"v": torch.zeros(2, 4, 3)}),
        (ValueError, "beta must be", {"beta": torch.zeros(2, 5, 4)}),
        (ValueError, "S0 must be", {"S0": torch.zeros(2, 4, 3)}),
        (ValueError, "form must be one of explicit, implicit", {"form": "released"}),
        (TypeError, "the dtypes must agree", {"k": torch.zeros(2, 5, 4).double()}),
        (TypeError, "v is torch.complex64", {"v": X.to(torch.complex64)}),
    ],
)
def test_delta_scan_refuses(error: type[Exception], message: str, change: dict[str, Any]) -> None:
    arguments = {"q": torch.zeros(2, 5, 4), "k": torch.zeros(2, 5, 4), "v": X, "beta": torch.zeros(2, 5)}
    with pytest.raises(error, match=message):
        delta_scan(**arguments | change)


def test_without_a_compiler_the_reference_serves_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    native._load.cache_clear()
    try:
        assert plan(X, X).backend == "reference"
        assert "no C compiler" in plan(X, X).why
        with pytest.raises(ValueError, match="backend 'cpu' can't serve: there is no C compiler"):
            scan(X, X, backend="cpu")
    finally:
        native._load.cache_clear()


def test_a_compiler_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    failing = tmp_path / "cc"
    failing.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setenv("CC", str(failing))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    native._load.cache_clear()
    try:
        assert native.library() is None
        assert native.missing().endswith("broken")
        assert not list(tmp_path.glob("ssmverify/*.so")), "a failed compilation leaves nothing behind"
    finally:
        native._load.cache_clear()


@pytest.mark.skipif(bool(native.missing()), reason=native.missing())
@pytest.mark.parametrize("left", [0, 4096])
def test_a_damaged_library_is_compiled_anew(left: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(native, "OPTIONAL", ((),))
    native._load.cache_clear()
    try:
        assert native.missing() == ""
        (path,) = (tmp_path / "ssmverify").iterdir()
        whole = path.read_bytes()
        path.unlink()  # it stays loaded here, and is not to change there
        path.write_bytes(whole[:left])
        native._load.cache_clear()
        with pytest.warns(RuntimeWarning, match=r"\.so was damaged: it is removed and compiled anew"):
            assert native.missing() == ""
        assert [other.read_bytes() == whole for other in path.parent.iterdir()] == [True]
    finally:
        native._load.cache_clear()
