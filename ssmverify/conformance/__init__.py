"""The conformance suite: puts anybody's scan kernel through what has broken others.

    from ssmverify.conformance import conform
    report = conform(my_scan)                       # (a, b, h0=None) -> h, all (B, T, D)
    assert not report.failed, report.failed[0].detail

| word | meaning |
| --- | --- |
| kind | scan, selective, delta or matrix: what the kernel computes, and how it is called |
| order | in what order it evaluates, by its own declaration; an undeclared one is held to the loosest proven bound |
| case | one thing tried, in one dtype; its error is measured exactly, in units of the proven bound |
| known failure | a line of the implementation's own skip file: a case and the reason why it fails |

No tolerance is fitted: the bounds are `numeric.bounds`, the references exact rationals or certified balls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ssmverify.conformance.kinds import KINDS
from ssmverify.conformance.order import ORDERS, named
from ssmverify.conformance.outcome import KnownFailure, Report, Result, read_known_failures
from ssmverify.conformance.running import Tell, run_suite
from ssmverify.conformance.targets.builtin import BUILTIN
from ssmverify.conformance.targets.target import NotSupported, Target, device_named, dtype_named, load
from ssmverify.errors import BadInput

__all__ = [
    "BUILTIN",
    "KINDS",
    "ORDERS",
    "KnownFailure",
    "NotSupported",
    "Report",
    "Result",
    "Target",
    "conform",
    "find",
    "read_known_failures",
]


def conform(
    target: str | Callable[..., Any] | Target,
    *,
    kind: str | None = None,
    order: str | None = None,
    dtypes: Sequence[str] | None = None,
    device: str = "cpu",
    seed: int = 0,
    quick: bool = False,
    thorough: bool = False,
    only: str = "*",
    known: Sequence[KnownFailure] = (),
    tell: Tell = lambda _: None,
    add: Callable[[Result], None] = lambda _: None,
) -> Report:
    """Put a kernel through the suite: a callable, 'file.py:function', 'module:function' or a built-in name.

    kind, order, dtypes: what it is and claims; see `find`. seed: of everything random. quick: shorter inputs.
    thorough: torch.compile, vmap and autocast too. only: a case id, or a pattern. known: failures that count as such.
    tell: called with what is being done. add: called with each result.

    Raises BadInput where the target cannot be loaded, or a name means nothing.
    """
    found = target if isinstance(target, Target) else find(target, kind=kind, order=order, dtypes=dtypes, device=device)
    return run_suite(found, seed=seed, quick=quick, thorough=thorough, only=only, known=known, tell=tell, add=add)


def find(
    target: str | Callable[..., Any],
    *,
    kind: str | None = None,
    order: str | None = None,
    dtypes: Sequence[str] | None = None,
    device: str = "cpu",
) -> Target:
    """The target: a built-in one by name with what it claims, or any other with what is claimed here.

    kind: scan unless given. order: the loosest with a proven bound unless given. dtypes: float32 and float64 unless
    given. Raises BadInput.
    """
    builtin = BUILTIN.get(target) if isinstance(target, str) else None
    name = kind or (builtin.kind if builtin else "scan")
    if name not in KINDS:
        raise BadInput(f"there is no kind {name}; choose one of {', '.join(KINDS)}.")
    spec = target if isinstance(target, str) else _spec(target)
    return Target(
        spec,
        KINDS[name].adapt(_function(target)),
        KINDS[name],
        _order(name, order or (builtin.order if builtin else None)),
        _checked_dtypes((builtin.dtypes if builtin else ("float32", "float64")) if dtypes is None else dtypes),
        device_named(device),
        dict(builtin.declines) if builtin else {},
    )


def _spec(function: Callable[..., Any]) -> str:
    """What names a callable on the command line, if it stands at the top level of a module."""
    name = getattr(function, "__qualname__", type(function).__name__)
    return name if "<" in name else f"{function.__module__}:{name}"


def _function(target: str | Callable[..., Any]) -> Callable[..., Any]:
    if not isinstance(target, str):
        return target
    if target not in BUILTIN:
        if ":" not in target:
            raise BadInput(
                f"there is no target {target}; write file.py:function, module:function, or one of {', '.join(BUILTIN)}."
            )
        return load(target)
    try:
        return BUILTIN[target].build()
    except ImportError as error:
        raise BadInput(f"{target} is not installed here ({error}); install it, or name another target.") from error


def _order(kind: str, order: str | None) -> Any:
    proven = KINDS[kind].orders
    if order is not None and named(order).name not in proven:
        raise BadInput(f"for kind {kind} no bound is proved in order {order}; declare one of {', '.join(proven)}.")
    return ORDERS[order or proven[0]]


def _checked_dtypes(dtypes: Sequence[str]) -> tuple[str, ...]:
    if not dtypes:
        raise BadInput("no dtype is given; name what the kernel claims, such as float32.")
    for name in dtypes:
        dtype_named(name)
    return tuple(dtypes)
