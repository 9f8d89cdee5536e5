"""An environment in which only what `pip install edgesq` brings can be imported."""

import os
import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions, requires

from packaging.requirements import Requirement

from support.paths import ROOT, SUPPORT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def normal(name: str) -> str:
    """Return a distribution's name as all spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def brought() -> set[str]:
    """Return the distributions that come with edgesq where no extra is asked for."""
    waiting = [Requirement(line) for line in PROJECT["dependencies"]]
    found: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = normal(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += [Requirement(line) for line in requires(name) or ()]
    return found


def others() -> set[str]:
    """Return all packages installed here that do not come with edgesq, as they are imported."""
    base = brought() | {"edgesq"}
    owners = packages_distributions().items()
    return {
        package
        for package, names in owners
        if package.isidentifier() and not base & {normal(name) for name in names}
    }


def without(packages: Iterable[str]) -> dict[str, str]:
    """Return what to add to the environment of a Python that is to find no such packages."""
    paths = [str(SUPPORT / "refusing"), *filter(None, [os.environ.get("PYTHONPATH")])]
    refused = " ".join(sorted(packages))
    return {"PYTHONPATH": os.pathsep.join(paths), "EDGESQ_TEST_REFUSED": refused}
