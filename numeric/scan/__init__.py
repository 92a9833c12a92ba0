"""Linear-recurrence scans: diagonal, matrix-valued, delta rule, S6."""

from numeric.scan.delta.scan import delta_scan
from numeric.scan.diagonal.planning import Plan
from numeric.scan.diagonal.scan import plan, scan
from numeric.scan.matrix.scan import matrix_scan
from numeric.scan.selective.scan import selective_scan

__all__ = ["Plan", "delta_scan", "matrix_scan", "plan", "scan", "selective_scan"]
