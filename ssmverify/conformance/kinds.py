"""Every kind of kernel that the suite knows."""

from __future__ import annotations

from ssmverify.conformance.delta_rule import DeltaRule
from ssmverify.conformance.diagonal import DiagonalScan
from ssmverify.conformance.kind import Kind
from ssmverify.conformance.matrices import MatrixScan
from ssmverify.conformance.selective import SelectiveScan

KINDS: dict[str, Kind] = {kind.name: kind for kind in (DiagonalScan(), SelectiveScan(), DeltaRule(), MatrixScan())}
