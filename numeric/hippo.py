"""HiPPO: the state-space models that keep a signal's past as coefficients of orthogonal functions.

Sources: Gu, Dao, Ermon, Rudra and Ré, "HiPPO: Recurrent Memory with Optimal Polynomial Projections" (arXiv
2008.07669), for LegT, LegS, LagT; Gu, Johnson, Timalsina, Rudra and Ré, "How to Train Your HiPPO" (arXiv 2206.12037),
for FouT; the matrices are derived in `proofs/hippo/window.py`.

| measure | the state c(t) of c' = A c + B u holds | lag x of its basis functions g_n, orthonormal |
| --- | --- | --- |
| legt | the window [t - 1, t], in Legendre polynomials | sqrt(2n+1) P_n(1 - 2x), 0 <= x <= 1 |
| fout | the window [t - 1, t], in 1, sqrt2 cos 2πmx, sqrt2 sin 2πmx | 0 <= x <= 1; N = 2M + 1, m = 1..M |
| legs | all of [0, t]; the ODE is c' = (A c + B u)/t | as legt, with x the lag divided by t |
| lagt | all of (-inf, t], forgotten like e^(-x/2) | L_n(x) e^(-x/2), x >= 0 |

| symbol | shape | meaning |
| --- | --- | --- |
| A, B | (N, N), (N,) | of the ODE, for a window of length 1: for a window of length θ divide A, B, C and D by θ |
| C, D | (N,), () | read-out C c + D u of the derivative u' (arXiv 2407.09375) |
| Ad, Bd | (N, N), (N,) | of the step c_k = Ad c_{k-1} + Bd u_k; (T, N, N), (T, N) where they vary with time |
| u, c | (B, T, D), (B, T, D, N) | input and states of D channels |
| delta | () | step in units of the window |

Normalisation. `legs` and `lagt` are the matrices of github.com/state-spaces/s4 (its function `transition`). Its `legt`
is half of this one, for a window of length 2 (in an early revision it is this one). Its `fourier2` is this `fout` with
a further state for the sine of frequency 0, which is always 0, so its N is even; its `fout` is half of that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral

import torch
from torch import Tensor

from numeric.scan import matrix_scan

MEASURES = ("legt", "legs", "lagt", "fout")
METHODS = {"forward": 0.0, "bilinear": 0.5, "backward": 1.0}  # each the generalised bilinear method with this alpha
TAYLOR_DEGREE = 16  # for a norm of 1/2 the rest of the series is below 2^-65: 2 * 0.5^17 / 17!


# ------------------------------------------------------------------------------------------------- the matrices
def hippo(
    measure: str, N: int, *, dtype: torch.dtype = torch.float64, device: torch.device | str | None = None
) -> tuple[Tensor, Tensor]:
    """A (N, N) and B (N,) of the ODE of a measure, computed in float64 and rounded once to `dtype`.

    For legt and fout of a window of length 1; orthonormal scale. The module says what is usual elsewhere.

    Raises ValueError for an unknown measure, N < 1, or an even N with "fout".
    """
    A, B = {"legt": _legt, "legs": _legs, "lagt": _lagt, "fout": _fout}[_checked(measure, N)](N)
    return A.to(device, dtype), B.to(device, dtype)


def _checked(measure: str, N: int) -> str:
    if measure not in MEASURES:
        raise ValueError(f"the measure {measure!r} is not known: take one of {', '.join(MEASURES)}")
    if not isinstance(N, Integral) or N < 1:
        raise ValueError(f"{measure} needs N >= 1 states, a whole number, given N = {N!r}")
    if measure == "fout" and N % 2 == 0:
        raise ValueError(f"fout needs an odd N = 2M + 1, a constant and M pairs of cosine and sine, given N = {N}")
    return measure


def _odd(N: int) -> Tensor:
    """1, 3, ..., 2N - 1."""
    return 2 * torch.arange(N, dtype=torch.float64) + 1


def _legt(N: int) -> tuple[Tensor, Tensor]:
    n, k = torch.meshgrid(torch.arange(N), torch.arange(N), indexing="ij")
    sign = torch.where((k > n) & ((k - n) % 2 == 1), 1.0, -1.0).double()
    return sign * torch.outer(_odd(N), _odd(N)).sqrt(), _odd(N).sqrt()


def _legs(N: int) -> tuple[Tensor, Tensor]:
    products = torch.outer(_odd(N), _odd(N)).sqrt()
    return (-products).tril(-1) - torch.diag(torch.arange(1, N + 1, dtype=torch.float64)), _odd(N).sqrt()


def _lagt(N: int) -> tuple[Tensor, Tensor]:
    ones = torch.ones(N, N, dtype=torch.float64)
    return (-ones).tril(-1) - torch.eye(N, dtype=torch.float64) / 2, ones[0]


def _fout(N: int) -> tuple[Tensor, Tensor]:
    """A = M - 2 g g', B = 2 g with g the values at lag 0, so that g_n g_k is 1, sqrt2, 2 or 0."""
    M = torch.zeros(N, N, dtype=torch.float64)
    for m in range(1, N // 2 + 1):
        M[2 * m, 2 * m - 1], M[2 * m - 1, 2 * m] = 2 * math.pi * m, -2 * math.pi * m
    squares = _fourier_squares(N)
    return M - 2 * torch.outer(squares, squares).sqrt(), 2 * squares.sqrt()


def _fourier_squares(N: int) -> Tensor:
    """The squares of the values at lag 0: 1 for the constant, 2 for a cosine, 0 for a sine."""
    squares = torch.zeros(N, dtype=torch.float64)
    squares[0], squares[1::2] = 1, 2
    return squares


# ------------------------------------------------------------------------------- basis, reconstruction, read-out
def basis(measure: str, N: int, x: Tensor) -> Tensor:
    """The values g_0(x), ..., g_{N-1}(x) of the basis functions at lags x (...): (..., N), in the dtype of x.

    Polynomials by their three-term recurrences, in float64. Raises ValueError as `hippo` does, and for lags that
    are integers or outside the domain of the table.
    """
    _checked(measure, N)
    furthest = math.inf if measure == "lagt" else 1.0
    if not x.is_floating_point() or not bool(((x >= 0) & (x <= furthest) & x.isfinite()).all()):
        raise ValueError(f"lags of {measure} must be floating-point numbers between 0 and {furthest:g}")
    lag = x.double()
    if measure == "fout":
        m = torch.arange(1, N // 2 + 1, dtype=torch.float64, device=x.device)
        angle = 2 * math.pi * torch.remainder(lag.unsqueeze(-1) * m, 1)
        pairs = math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], -1).flatten(-2)
        values = torch.cat([torch.ones_like(lag).unsqueeze(-1), pairs], -1)
    elif measure == "lagt":
        values = _polynomials(N, lag, lambda n, p, q: ((2 * n + 1 - lag) * p - n * q) / (n + 1))
        values = values * (-lag / 2).exp().unsqueeze(-1)
    else:
        z = 1 - 2 * lag
        values = _polynomials(N, lag, lambda n, p, q: ((2 * n + 1) * z * p - n * q) / (n + 1))
        values = values * _odd(N).sqrt().to(x.device)
    return values.to(x.dtype)


def _polynomials(N: int, x: Tensor, following: Callable[[int, Tensor, Tensor], Tensor]) -> Tensor:
    """p_0 = 1, p_{n+1} = following(n, p_n, p_{n-1}): N of them at x (...), stacked (..., N)."""
    values = [torch.ones_like(x), torch.zeros_like(x)]  # the second stands for p_{-1}
    for n in range(N - 1):
        values.insert(0, following(n, values[0], values[1]))
    return torch.stack(values[-2::-1], -1)


def reconstruction(measure: str, c: Tensor, x: Tensor) -> Tensor:
    """The signal at lags x (X,), as states c (..., N) hold it: (..., X). Raises what `basis` raises."""
    return c @ basis(measure, c.shape[-1], x.to(c.dtype)).mT


def readout(
    measure: str, N: int, *, dtype: torch.dtype = torch.float64, device: torch.device | str | None = None
) -> tuple[Tensor, Tensor]:
    """C (N,) and D () with which C c + D u approximates u' (arXiv 2407.09375); for legs divide both by t.

    legt and legs differentiate the reconstruction at lag 0 through the ODE: C_k = -sqrt(2k+1) (N² - k(k+1)), D = N².
    fout differentiates the basis: C_{2m} = -2 sqrt2 π m, all else 0. Raises ValueError as `hippo` does, and for lagt,
    of which the paper says nothing.
    """
    if _checked(measure, N) == "lagt":
        raise ValueError("there is no read-out of the derivative for lagt: take legt, legs or fout")
    C = torch.zeros(N, dtype=torch.float64)
    if measure == "fout":
        m = torch.arange(1, N // 2 + 1, dtype=torch.float64)
        C[2::2] = -(8 * m * m).sqrt() * math.pi
        D = torch.zeros((), dtype=torch.float64)
    else:
        k = torch.arange(N, dtype=torch.float64)
        C, D = -_odd(N).sqrt() * (N * N - k * (k + 1)), torch.tensor(float(N * N), dtype=torch.float64)
    return C.to(device, dtype), D.to(device, dtype)


# ----------------------------------------------------------------------------------------------- discretisation
def discretize(
    A: Tensor, B: Tensor, delta: float | Tensor, method: str = "bilinear", alpha: float | None = None
) -> tuple[Tensor, Tensor]:
    """Ad and Bd of the step c_k = Ad c_{k-1} + Bd u_k over a time delta > 0.

    A (..., N, N), B (..., N) and delta () or (...) give Ad (..., N, N), Bd (..., N). Methods: "gbt", the generalised
    bilinear transform, Ad = (I - αδA)^-1 (I + (1-α)δA), Bd = (I - αδA)^-1 δB with 0 <= alpha <= 1; "forward" (Euler),
    "bilinear" and "backward" (Euler), which are gbt with α = 0, 1/2, 1; "zoh" (zero-order hold), Ad = e^(δA), Bd the
    integral of e^(sA) B over 0 <= s <= δ, also where A is singular.

    The input of a step is one sample, u_k; with `averaged(u)` for u it is (u_{k-1} + u_k)/2, which makes bilinear and
    zoh of second order.

    Raises ValueError for other shapes, integers in A, delta <= 0, an unknown method, an alpha that is missing, out of
    range or not asked for, and where I - αδA is singular.
    """
    if A.ndim < 2 or A.shape[-2] != A.shape[-1] or B.shape != A.shape[:-1]:
        raise ValueError(f"A must be (..., N, N) and B (..., N), given {tuple(A.shape)} and {tuple(B.shape)}")
    if not A.is_floating_point():
        raise ValueError(f"A must have floating-point entries, given {A.dtype}")
    step = torch.as_tensor(delta, dtype=A.dtype, device=A.device)
    useless = ~((step > 0) & torch.isfinite(step))
    if bool(useless.any()):
        raise ValueError(f"delta must be a positive number, given {float(step[useless][0])}")
    if (method == "gbt") != (alpha is not None):
        raise ValueError('alpha goes with method="gbt", and is needed there')
    X, b = step[..., None, None] * A, (step[..., None] * B).unsqueeze(-1)
    if method == "zoh":
        return _hold(X, b)
    if method not in ("gbt", *METHODS):
        raise ValueError(f"the method {method!r} is not known: take one of gbt, {', '.join(METHODS)}, zoh")
    weight = METHODS.get(method, alpha)
    if weight is None or not 0 <= weight <= 1:
        raise ValueError(f"alpha must lie between 0 and 1, given {alpha}")
    I = torch.eye(A.shape[-1], dtype=A.dtype, device=A.device)
    implicit, explicit = bilinear_sides(X, I, weight)
    solution, failed = torch.linalg.solve_ex(implicit, torch.cat([explicit, b], -1))
    if bool((failed != 0).any()):
        first = float(step.expand(failed.shape)[failed != 0][0])
        raise ValueError(f"I - alpha delta A is singular at delta = {first}, alpha = {weight}: take another delta")
    return solution[..., :-1], solution[..., -1]


def bilinear_sides(X: Tensor, I: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """I - αX and I + (1-α)X, for X = δA."""
    return I - alpha * X, I + (1 - alpha) * X


def _hold(X: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """e^X and the integral of e^(sX) b over 0 <= s <= 1: the exponential of [[X, b], [0, 0]] holds both."""
    rows = torch.cat([X, b], -1)
    whole = exponential(torch.cat([rows, torch.zeros_like(rows[..., :1, :])], -2))
    return whole[..., :-1, :-1], whole[..., :-1, -1]


def exponential(X: Tensor) -> Tensor:
    """e^X of X (..., n, n): the Taylor polynomial of X/2^s, of 1-norm below 1/2, squared s times.

    `torch.linalg.matrix_exp` computes the same; of this one the rounding error is bounded (`numeric.bounds.hippo`).
    """
    s = squarings(X)[..., None, None]
    I = torch.eye(X.shape[-1], dtype=X.dtype, device=X.device)
    P = taylor(X / 2**s, I)
    for done in range(int(s.max()) if s.numel() else 0):
        P = torch.where(done < s, P @ P, P)
    return P


def taylor(X: Tensor, I: Tensor) -> Tensor:
    """The Taylor polynomial of e^X, by Horner's rule."""
    P = I
    for k in range(TAYLOR_DEGREE, 0, -1):
        P = I + (X @ P) / k
    return P


def squarings(X: Tensor) -> Tensor:
    """An s >= 0 (...) for which the 1-norm of X/2^s is below 1/2, of each X (..., n, m)."""
    return (torch.frexp(X.detach().abs().sum(-2).amax(-1)).exponent + 1).clamp(min=0)


def discretize_legs(
    N: int,
    T: int,
    method: str = "bilinear",
    alpha: float | None = None,
    *,
    start: int = 1,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
) -> tuple[Tensor, Tensor]:
    """Ad (T, N, N) and Bd (T, N) of LegS at t = start, ..., start + T - 1: the steps of c' = (A c + B u)/t.

    The methods of `discretize` with delta = 1 and A/t, such as bilinear (I - A/2t)^-1 (I + A/2t); "zoh" holds the input
    from t to t + 1, e^(A log((t+1)/t)), which is exact for such inputs. A step does not depend on the unit of time.

    Raises ValueError as `hippo` and `discretize` do, and for T < 0 or start < 1.
    """
    if T < 0 or start < 1:
        raise ValueError(f"LegS takes T >= 0 steps from t >= 1 on, given T = {T}, start = {start}")
    A, B = hippo("legs", N, dtype=dtype, device=device)
    t = torch.arange(start, start + T, dtype=dtype, device=device)
    if T == 0:
        return A.new_zeros(0, N, N), B.new_zeros(0, N)
    return discretize(A, B, (1 / t).log1p() if method == "zoh" else 1 / t, method, alpha)


def averaged(u: Tensor, before: Tensor | None = None) -> Tensor:
    """(u_{k-1} + u_k)/2 of u (B, T, D); `before` (B, D) is u_{-1}, None is zero, as the states before are."""
    first = torch.zeros_like(u[:, :1]) if before is None else before.unsqueeze(1)
    return (torch.cat([first, u[:, :-1]], 1) + u) / 2


# --------------------------------------------------------------------------------------------------- the states
def states(Ad: Tensor, Bd: Tensor, u: Tensor, c0: Tensor | None = None, *, backend: str = "auto") -> Tensor:
    """All states c_k = Ad c_{k-1} + Bd u_k of u (B, T, D): (B, T, D, N), by `numeric.scan.matrix_scan`.

    Ad (N, N) or (T, N, N), Bd (N,) or (T, N); c0 (B, D, N), None is zero. Raises ValueError for other shapes, and what
    `matrix_scan` raises.
    """
    N = Ad.shape[-1]
    if u.ndim != 3:
        raise ValueError(f"u must be (batch, time, channel), given {tuple(u.shape)}")
    batch, T, D = u.shape
    for name, weight, shape in (("Ad", Ad, (N, N)), ("Bd", Bd, (N,))):
        if tuple(weight.shape) not in (shape, (T, *shape)):
            raise ValueError(f"{name} must be {shape} or {(T, *shape)}, given {tuple(weight.shape)}")
    if c0 is not None and c0.shape != (batch, D, N):
        raise ValueError(f"c0 must be {(batch, D, N)}, given {tuple(c0.shape)}")
    signals = u.movedim(1, 0).reshape(T, 1, batch * D)
    start = None if c0 is None else c0.reshape(1, batch * D, N).mT
    H = matrix_scan(Ad.expand(1, T, N, N), (Bd.unsqueeze(-1) * signals).unsqueeze(0), start, backend=backend)
    return H.reshape(T, N, batch, D).permute(2, 0, 3, 1)
