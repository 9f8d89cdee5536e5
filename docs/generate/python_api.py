"""The public names of `import edgesq`, each to be filled in by mkdocstrings."""

import inspect
from collections.abc import Iterator
from typing import Any, is_typeddict

import edgesq


def functions() -> str:
    """Return an entry for each public function."""
    return _entries(inspect.isfunction)


def classes() -> str:
    """Return an entry for each public class that is no error."""
    return _entries(lambda one: inspect.isclass(one) and not _is_other(one))


def others() -> str:
    """Return an entry for each other public name: types of arguments."""
    return _entries(lambda one: not inspect.isfunction(one) and _is_other(one))


def _is_other(one: Any) -> bool:
    """Say whether a name is a type of arguments; errors are told elsewhere."""
    return not inspect.isclass(one) or is_typeddict(one)


def _entries(is_wanted: Any) -> str:
    return "\n\n".join(f"::: edgesq.{name}" for name in _names(is_wanted)) + "\n"


def _names(is_wanted: Any) -> Iterator[str]:
    for name in edgesq.__all__:
        if not name.endswith(("Error", "__")) and is_wanted(getattr(edgesq, name)):
            yield name
