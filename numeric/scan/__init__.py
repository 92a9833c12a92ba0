"""Linear-recurrence scans: diagonal, matrix-valued, delta rule, S6."""

from numeric.scan.delta import delta_scan
from numeric.scan.linear import plan, scan
from numeric.scan.matrix import matrix_scan
from numeric.scan.planning import Plan
from numeric.scan.selective import selective_scan

__all__ = ["Plan", "delta_scan", "matrix_scan", "plan", "scan", "selective_scan"]
