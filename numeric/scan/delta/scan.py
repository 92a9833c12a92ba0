"""The delta rule, S_t = S_{t-1}(I - r_t k_t k_t') + r_t v_t k_t' with y_t = S_t q_t: the public `delta_scan`.

    q k (B, T, n) query, key     v (B, T, d) value     beta (B, T) or (B, T, d) write strength
    S (B, d, n) state            y (B, T, d) output    r the strength of the write: beta (explicit),
                                                       or beta/(1 + beta k'k) (implicit)

Sources: explicit, I. Schlag, K. Irie and J. Schmidhuber, "Linear Transformers Are Secretly Fast Weight
Programmers", ICML 2021, equation 25. Implicit, B. Liu et al., "Longhorn: State Space Models are Amortized
Online Learners", arXiv:2407.14207, theorem 3.1 (the exact closed form, not the diagonal approximation that
its code releases).
"""

from typing import Literal, overload

import torch
from torch import Tensor

from numeric.scan.arguments import (
    own_precision,
    require_choice,
    require_dtype,
    require_same,
    require_shape,
    require_tensors,
)
from numeric.scan.delta import cpu as delta_cpu
from numeric.scan.delta import fused as delta_fused
from numeric.scan.diagonal.planning import fused
from numeric.scan.matrix.scan import matrix_scan

FORMS = ("explicit", "implicit")
BACKENDS = ("auto", "reference", "associative", "cpu", "triton")


@overload
def delta_scan(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    S0: Tensor | None = ...,
    *,
    form: str = ...,
    states: Literal[False] = ...,
    backend: str = ...,
) -> tuple[Tensor, Tensor]: ...
@overload
def delta_scan(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    S0: Tensor | None = ...,
    *,
    form: str = ...,
    states: Literal[True],
    backend: str = ...,
) -> tuple[Tensor, Tensor, Tensor]: ...
def delta_scan(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    S0: Tensor | None = None,
    *,
    form: str = "explicit",
    states: bool = False,
    backend: str = "auto",
) -> tuple[Tensor, ...]:
    """Runs the delta rule over a sequence.

    q, k: (B, T, n). v: (B, T, d). beta: (B, T), or (B, T, d) for a strength of its own in each channel. S0:
    (B, d, n); None is zero. One real dtype (float32, float64) and one device.
    form: "explicit" writes with strength beta, "implicit" with beta/(1 + beta k'k), which is exact Longhorn.
    states: return all S_t (B, T, d, n) as well.
    backend: "auto"; "reference", the loop in torch; "cpu" and "triton", the loop in C and on a GPU for n <= 256,
    without gradients of all states; "associative", a parallel prefix over the transitions I - r k k'.

    Returns (y, S_T), or (y, S_T, S) with states=True: y (B, T, d), S_T (B, d, n). T = 0 and empty batches are
    fine. Differentiable to every order; from the second on by the loop in torch.

    Raises TypeError for dtypes that are unsupported or differ, ValueError for shapes or devices that do not
    agree, an unknown form or backend.
    """
    _check(q, k, v, beta, S0)
    require_choice("form", form, FORMS)
    require_choice("backend", backend, BACKENDS)
    strength = beta.unsqueeze(-1) if beta.ndim == 2 else beta
    start = v.new_zeros(v.shape[0], v.shape[2], k.shape[2]) if S0 is None else S0
    with own_precision(v):
        if kernels := fused(backend, v.device, v.dtype, _limits(q, k, v, strength, start, states)):
            r = _write_strength(k, strength, form).expand_as(v)
            if not states:
                return delta_fused.delta_scan(q, k, v, r, start, kernels)
            y, S = delta_fused.delta_states(q, k, v, r, start, kernels)
        else:
            run = _prefix if backend == "associative" else _loop
            y, S = run(q, k, v, strength, start, form)
    final = S[:, -1] if S.shape[1] else start
    return (y, final, S) if states else (y, final)


def _write_strength(k: Tensor, beta: Tensor, form: str) -> Tensor:
    """r: k (..., n), beta (..., 1) or (..., d) -> of the shape of beta."""
    if form == "explicit":
        return beta
    return beta / (1 + beta * (k * k).sum(-1, keepdim=True))


def _loop(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, S: Tensor, form: str) -> tuple[Tensor, Tensor]:
    r = [_write_strength(k[:, t], beta[:, t], form) for t in range(k.shape[1])]
    return delta_fused.steps(q, k, v, r, S)


def _prefix(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, S: Tensor, form: str) -> tuple[Tensor, Tensor]:
    """The same states by a matrix scan of their transposes: S_t' = (I - r k k') S_{t-1}' + r k v'.

    A strength of its own in each channel makes a transition of its own: the channels join the batch.
    """
    r = _write_strength(k, beta, form)
    batch, length, n = k.shape
    d, channels = v.shape[2], r.shape[2]
    per_channel = r.movedim(2, 1)[..., None]  # (B, channels, T, 1)
    keys = k.unsqueeze(1)
    transitions = torch.eye(n, dtype=k.dtype, device=k.device) - (per_channel * keys)[..., None] * keys.unsqueeze(-2)
    each = d // max(channels, 1)
    values = v.reshape(batch, length, channels, each).movedim(2, 1)  # (B, channels, T, each)
    inputs = (per_channel * keys)[..., None] * values.unsqueeze(-2)
    start = S.reshape(batch, channels, each, n).mT
    folded = (x.flatten(0, 1) for x in (transitions, inputs, start))
    transposed = matrix_scan(*folded, backend="associative").reshape(batch, channels, length, n, each)
    states = transposed.permute(0, 2, 1, 4, 3).reshape(batch, length, d, n)
    return delta_fused.read(states, q), states


def _limits(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, S: Tensor, states: bool) -> str:
    """What keeps fused kernels from serving, beside device and dtype."""
    if k.shape[2] > delta_cpu.MOST:
        return f"the state size is {k.shape[2]}, the largest it takes is {delta_cpu.MOST}"
    if states and torch.is_grad_enabled() and any(x.requires_grad for x in (q, k, v, beta, S)):
        return "it has no gradients of all states"
    return ""


def _check(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, S0: Tensor | None) -> None:
    require_tensors(q=q, k=k, v=v, beta=beta, S0=S0)
    require_dtype("v", v, (torch.float32, torch.float64))
    require_same("dtype", q=q, k=k, v=v, beta=beta, S0=S0)
    require_same("device", q=q, k=k, v=v, beta=beta, S0=S0)
    if k.ndim != 3 or v.ndim != 3:
        raise ValueError(
            f"k and v must be (batch, time, n) and (batch, time, d), not {tuple(k.shape)}, {tuple(v.shape)}"
        )
    batch, length, n = k.shape
    d = v.shape[2]
    require_shape("q", q, (batch, length, n), "(batch, time, n)")
    require_shape("v", v, (batch, length, d), "(batch, time, d)")
    if beta.shape not in ((batch, length), (batch, length, d)):
        raise ValueError(
            f"beta must be (batch, time) = {(batch, length)} or (batch, time, d) = {(batch, length, d)}, "
            f"not {tuple(beta.shape)}"
        )
    if S0 is not None:
        require_shape("S0", S0, (batch, d, n), "(batch, d, n)")
