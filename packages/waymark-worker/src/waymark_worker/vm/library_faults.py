"""The language's name of an exception of the standard library comes in; the host's class goes out."""

from __future__ import annotations

import binascii
import dataclasses
import decimal
import json
import re
import statistics
import zoneinfo
from types import ModuleType

from waymark_schema.ir import library

_MODULES: dict[str, ModuleType] = {
    module.__name__: module
    for module in (binascii, dataclasses, decimal, json, re, statistics, zoneinfo)
}

LIBRARY_FAULTS: dict[str, type[BaseException]] = {
    name: getattr(_MODULES[name.partition(".")[0]], name.partition(".")[2])
    for name in library.EXCEPTIONS
}
"""Class of each name of ``ir.library.EXCEPTIONS``."""
