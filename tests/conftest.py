"""Fixtures that several test files share, made once per run."""

import os
from pathlib import Path

import pytest

from support.crun import Runtime
from support.ladder import LadderModels


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share; see `ladder.once`."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def ladder_models(shared_folder: Path) -> LadderModels:
    return LadderModels(shared_folder)


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(tmp_path_factory.mktemp("runtime"))
