"""Linear-recurrence scans: diagonal, matrix-valued, delta rule."""

from numeric.scan.delta import delta_scan
from numeric.scan.linear import plan, scan
from numeric.scan.matrix import matrix_scan
from numeric.scan.planning import Plan

__all__ = ["Plan", "delta_scan", "matrix_scan", "plan", "scan"]
