"""How far the floats of scans and layers may be from the exact result: the proven bounds, evaluated.

| module | bounds |
| --- | --- |
| `model` | the model of rounding, and what every bound is built from |
| `diagonal` | scans of numbers, real or complex, and of matrices; gradients; 16-bit storage |
| `delta` | the delta rule, explicit and implicit |
| `selective` | S6, conditional on a stated accuracy of exp |
| `majorant` | sizes and errors that a layer's own formulas are run on |
| `attention`, `gd_ssm`, `hippo`, `longhorn`, `mesa`, `ttt` | the layers of those names |

Exported are the bounds of scans; those of a layer are imported from its module.

`proofs/rounding.py` proves, in the kernel, `chain` (the tolerance of every sequential scan), `distance`, `node` (how
many roundings a tree makes), `gamma`, `product` and `rounded` (how majorants go through a product and a rounding),
`gradient`, `delta_step` and `quotient`. Each docstring here says which of them it rests on, and what is derived by hand
alone. Everything is evaluated in float64 and widened by its own rounding errors; all terms are non-negative, so none
cancels. Every bound holds absent overflow.
"""

from numeric.bounds.delta import delta_recurrence_bound, delta_scan_bound, strength_error
from numeric.bounds.diagonal import (
    Gradients,
    matrix_scan_bound,
    read_bound,
    scan_bound,
    scan_gradient_bounds,
    stored_bound,
)
from numeric.bounds.model import norm, relative, underflow, unit_roundoff
from numeric.bounds.selective import selective_scan_bound

__all__ = [
    "Gradients",
    "delta_recurrence_bound",
    "delta_scan_bound",
    "matrix_scan_bound",
    "norm",
    "read_bound",
    "relative",
    "scan_bound",
    "scan_gradient_bounds",
    "selective_scan_bound",
    "stored_bound",
    "strength_error",
    "underflow",
    "unit_roundoff",
]
