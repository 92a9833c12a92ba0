"""What the scans require of their arguments, and the sentences they answer with when it is not so."""

import torch
from torch import Tensor

WIDE = (torch.float32, torch.float64, torch.complex64, torch.complex128)
NARROW = (torch.bfloat16, torch.float16)


def require_tensors(**tensors: object) -> None:
    """Raises TypeError naming the first argument that is no tensor. None is let through."""
    for name, x in tensors.items():
        if x is not None and not isinstance(x, Tensor):
            raise TypeError(f"{name} must be a torch.Tensor, not {type(x).__name__}")


def require_same(kind: str, **tensors: Tensor | None) -> None:
    """Raises TypeError (dtype) or ValueError (device) unless all tensors agree. None is let through."""
    values = {name: getattr(x, kind) for name, x in tensors.items() if x is not None}
    first = next(iter(values.values()))
    if any(value != first for value in values.values()):
        given = ", ".join(f"{name} is {value}" for name, value in values.items())
        mend = "convert them with .to(...)" if kind == "dtype" else "move them to one device"
        raise (TypeError if kind == "dtype" else ValueError)(f"the {kind}s must agree: {given}; {mend}")


def require_dtype(name: str, x: Tensor, allowed: tuple[torch.dtype, ...]) -> None:
    """Raises TypeError unless x has one of the dtypes."""
    if x.dtype not in allowed:
        names = ", ".join(str(dtype).removeprefix("torch.") for dtype in allowed)
        raise TypeError(f"{name} is {x.dtype}; supported are {names}")


def require_shape(name: str, x: Tensor, shape: tuple[int, ...], meaning: str) -> None:
    """Raises ValueError unless x has exactly that shape. meaning: the shape in letters, for the message."""
    if x.shape != shape:
        raise ValueError(f"{name} must be {meaning} = {tuple(shape)}, not {tuple(x.shape)}")


def require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raises ValueError unless value is one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def broadcast(**tensors: Tensor) -> torch.Size:
    """The common shape of tensors of as many dimensions; raises ValueError where they do not broadcast."""
    shapes = [x.shape for x in tensors.values()]
    if all(shape == shapes[0] for shape in shapes):
        return shapes[0]
    given = ", ".join(f"{name} {tuple(x.shape)}" for name, x in tensors.items())
    if len({len(shape) for shape in shapes}) > 1:
        raise ValueError(f"the numbers of dimensions must agree: {given}")
    sizes = []
    for of_one_dimension in zip(*shapes, strict=True):
        proper = set(of_one_dimension) - {1}
        if len(proper) > 1:
            raise ValueError(f"the shapes must agree, or be 1 where they do not: {given}")
        sizes.append(proper.pop() if proper else 1)
    return torch.Size(sizes)


def own_precision(x: Tensor) -> torch.autocast:
    """Autocast off: a scan computes in the dtype it is given, though its caller lets products be rounded to 16 bits."""
    return torch.autocast(x.device.type, enabled=False)
