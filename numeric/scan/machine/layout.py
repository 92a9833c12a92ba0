"""How a scan sees its tensors: always as (batch, time, channel), whatever the caller's dimensions.

`dim` is the caller's time dimension; (B, T, D) is the view of three dimensions that every backend of `scan` works on.
"""

import torch
from torch import Tensor


def to_batch_time_channel(x: Tensor, dim: int) -> Tensor:
    """x with time at `dim` (0 <= dim < x.ndim) as (B, T, D): a view wherever strides allow one."""
    if x.ndim == 3:
        return x if dim == 1 else x.movedim(dim, 1)
    if x.ndim == 1:
        return x[None, :, None]
    if x.ndim == 2:
        return x.unsqueeze(0) if dim == 0 else x.unsqueeze(2)
    return x.movedim(dim, 1).flatten(2)


def from_batch_time_channel(h: Tensor, shape: torch.Size, dim: int) -> Tensor:
    """The inverse: h (B, T, D) as a view of the caller's shape."""
    if len(shape) == 3:
        return h if dim == 1 else h.movedim(1, dim)
    if len(shape) <= 2:
        return h.reshape(shape)
    without_time = shape[:dim] + shape[dim + 1 :]
    return h.reshape(without_time[0], h.shape[1], *without_time[1:]).movedim(1, dim)


def state_to_batch_channel(h0: Tensor, ndim: int, dim: int) -> Tensor:
    """A state of the caller's shape without time, as (B, D). ndim: of the tensors with time."""
    if ndim == 1:
        return h0[None, None]
    if ndim == 2:
        return h0.unsqueeze(0) if dim == 0 else h0.unsqueeze(1)
    return h0.flatten(1)


def new_states(x: Tensor) -> Tensor:
    """An uninitialised (B, T, D) tensor in the memory order of x: time innermost where x has it so."""
    batch, length, channels = x.shape
    if x.stride(1) == 1 and x.stride(2) != 1:
        return x.new_empty(batch, channels, length).transpose(1, 2)
    return x.new_empty(batch, length, channels)
