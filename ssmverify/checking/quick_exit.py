"""Imported last by the process that workers are forked from: it ends at once, without taking torch to pieces.

It holds the streams of the command that it served, and who reads them waits for it.
"""

from __future__ import annotations

import atexit
import os

atexit.register(os._exit, 0)  # of this process alone: workers end without these calls
