"""Every kind of kernel that the suite knows."""

from __future__ import annotations

from ssmverify.conformance.kinds.delta import DeltaRule
from ssmverify.conformance.kinds.diagonal import DiagonalScan
from ssmverify.conformance.kinds.kind import Kind
from ssmverify.conformance.kinds.matrix import MatrixScan
from ssmverify.conformance.kinds.selective import SelectiveScan

KINDS: dict[str, Kind] = {kind.name: kind for kind in (DiagonalScan(), SelectiveScan(), DeltaRule(), MatrixScan())}
