"""Imported by the process that workers are forked from, so that none has to load torch or the catalogue anew."""

from __future__ import annotations

import importlib
from contextlib import suppress

with suppress(Exception):  # a worker meets it again, and says so
    from ssmverify.catalogue import modules

    importlib.import_module("ssmverify.checking.check")
    for name in modules():
        importlib.import_module(name)
