"""Imports run downwards: no module imports itself by way of others, and each proof has its row."""

from __future__ import annotations

import importlib
import pkgutil
from graphlib import TopologicalSorter

import grimp

import proofs
from proofs.derivation import derivations
from ssmverify.catalogue import catalogue


def test_the_import_graph_has_no_circle() -> None:
    graph = grimp.build_graph("proofs", "numeric", "ssmverify", exclude_type_checking_imports=True)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imported).prepare()  # raises CycleError, which names the modules


def test_every_claim_that_is_derived_has_a_row() -> None:
    rows = {row.name for row in catalogue()}
    modules = [m.name for m in pkgutil.walk_packages(proofs.__path__, "proofs.") if not m.ispkg]
    derived = {each.name for name in modules for each in derivations(importlib.import_module(name))}
    assert sorted(derived - rows) == []
