"""The CEL library without its command line.

``import cel`` also imports the package's own shell (prompt_toolkit, typer): 0.1 s and more for every command of a
fleet that has health rules. The compiled module inside is all that is needed, so it is loaded by itself.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Any

_NAME = "cel.cel"


@lru_cache(maxsize=1)
def library() -> Any:
    """The module with ``compile`` and ``Context``; the whole package where it cannot be had alone."""
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    return _alone() or importlib.import_module("cel")


def _alone() -> ModuleType | None:
    package = importlib.util.find_spec("cel")
    folders = package.submodule_search_locations if package else None
    files = (Path(folder) / f"cel{suffix}" for folder in folders or () for suffix in EXTENSION_SUFFIXES)
    file = next((path for path in files if path.exists()), None)
    spec = importlib.util.spec_from_file_location(_NAME, file) if file else None
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module  # a later `import cel` must not load it twice
    spec.loader.exec_module(module)
    return module
