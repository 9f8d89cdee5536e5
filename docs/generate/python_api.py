"""The public names of `import edgesq`, each to be filled in by mkdocstrings."""

import inspect
from collections.abc import Iterator
from typing import Any

import edgesq

_NAMED_ARGUMENTS = ("api.export.ExportArguments", "api.verifying.VerifyArguments")
"""What `export` and `verify` take by name, in types of their own."""


def functions() -> str:
    """Return an entry for each public function."""
    return _entries(inspect.isfunction)


def classes() -> str:
    """Return an entry for each public class that is no error."""
    return _entries(lambda one: inspect.isclass(one) and not issubclass(one, Exception))


def others() -> str:
    """Return an entry for each other public name: types of arguments."""
    names = [*_names(lambda one: not inspect.isfunction(one) and not inspect.isclass(one))]
    return "\n\n".join(f"::: edgesq.{name}" for name in (*names, *_NAMED_ARGUMENTS)) + "\n"


def _entries(is_wanted: Any) -> str:
    return "\n\n".join(f"::: edgesq.{name}" for name in _names(is_wanted)) + "\n"


def _names(is_wanted: Any) -> Iterator[str]:
    for name in edgesq.__all__:
        if not name.startswith("__") and is_wanted(getattr(edgesq, name)):
            yield name
