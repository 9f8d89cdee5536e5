"""Python imports this at its start where the folder is on PYTHONPATH: some packages are not there.

A finder that raises would not do: who asks whether a package is there expects None.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

REFUSED = frozenset(os.environ.get("EDGESQ_TEST_REFUSED", "").split())


class Refusing:
    """Another finder, but for some packages."""

    def __init__(self, finder: Any) -> None:
        self._finder = finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in REFUSED:
            return None
        found: ModuleSpec | None = self._finder.find_spec(name, path, target)
        return found


sys.meta_path[:] = [Refusing(finder) for finder in sys.meta_path]
