"""What an installation without extras can do, and what it says of what it cannot."""

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from edgesq.errors import MissingExtraError
from edgesq.extras import EXTRAS, LITERT, Extra, is_installed, require
from support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NOT_IMPORTED = {"protobuf"}
"""Packages of an extra that come with others of it: only their lowest version is ours to say."""


def distribution(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found[0].lower()


def distributions(requirements: list[str]) -> set[str]:
    """Return what is required besides other extras of ours."""
    return {distribution(one) for one in requirements} - {"edgesq", "pyyaml"}


@pytest.mark.parametrize("extra", EXTRAS, ids=lambda extra: extra.name)
def test_extras_are_those_of_pyproject(extra: Extra) -> None:
    owners = packages_distributions()
    mine = {owners[package][0].lower().replace("_", "-") for package in extra.packages}
    theirs = distributions(PROJECT["optional-dependencies"][extra.name])
    assert mine == theirs - NOT_IMPORTED


def test_every_extra_for_users_is_in_the_table() -> None:
    names = set(PROJECT["optional-dependencies"]) - {"test", "dev"}
    assert {extra.name for extra in EXTRAS} == names


def test_dev_holds_all_extras() -> None:
    (own,) = (one for one in PROJECT["optional-dependencies"]["dev"] if one.startswith("edgesq"))
    names = set(own.removeprefix("edgesq[").removesuffix("]").split(","))
    assert names == set(PROJECT["optional-dependencies"]) - {"dev"}


def test_a_missing_package_is_one_line_with_the_command() -> None:
    missing = Extra("no such", "nothing", {"no_such_package": "Nothing"})
    assert missing.missing == ("Nothing",)
    assert str(MissingExtraError("TensorFlow", EXTRAS[0].command)) == (
        "needs TensorFlow (pip install 'edgesq[convert]')"
    )
    require("keras", LITERT)  # they are here


def test_a_folder_of_that_name_is_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tf_of_mine").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not is_installed("tf_of_mine")
