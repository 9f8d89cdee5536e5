"""Fixtures for pytest: a build, its board, and what `verify` finds on it.

    pytest --edgesq-build build/edgesq [--edgesq-port /dev/ttyACM0] [--edgesq-images photos/]

    def test_the_board_computes_what_the_model_does(edgesq_report):
        assert edgesq_report.equal

pytest finds this module by its entry point where edgesq is installed; without --edgesq-build it
loads nothing more, and tests that ask for these fixtures are skipped.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgesq.errors import EdgesqError

if TYPE_CHECKING:
    from edgesq.api.board import Board
    from edgesq.api.build import Build
    from edgesq.verify.report import VerifyReport

_OPTIONS = {
    "build": "build folder whose firmware the fixtures are about",
    "port": "serial device or URL of a board that runs it; flashed or emulated if left out",
    "images": "folder or .npz that edgesq_report streams; the build's own if left out",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("edgesq", "firmware of edgesq on a board")
    for name, words in _OPTIONS.items():
        group.addoption(f"--edgesq-{name}", metavar=name.upper(), help=words)


@pytest.fixture(scope="session")
def edgesq_build(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The build of --edgesq-build; a test that asks for it is skipped without that."""
    folder = request.config.getoption("--edgesq-build")
    if folder is None:
        pytest.skip("no --edgesq-build BUILD was given")
    from edgesq.api.build import load

    with _told():
        build = load(folder)
        if not hasattr(request.config, "workerinput"):
            return build
        # Each process of pytest-xdist starts a board of its own, which is known by its build.
        copy = tmp_path_factory.mktemp("edgesq") / Path(folder).resolve().name
        shutil.copytree(folder, copy)
        return load(copy)


@pytest.fixture(scope="session")
def edgesq_board(request: pytest.FixtureRequest, edgesq_build: Build) -> Iterator[Board]:
    """The board at --edgesq-port, or one that is flashed or emulated, and given back at the end."""
    port = request.config.getoption("--edgesq-port")
    with _told():
        found = edgesq_build.flash() if port is None else edgesq_build.board(port)
    with found as board:
        yield board


@pytest.fixture(scope="session")
def edgesq_report(request: pytest.FixtureRequest, edgesq_board: Board) -> VerifyReport:
    """What `Board.verify` finds, on --edgesq-images or the build's own images."""
    with _told():
        return edgesq_board.verify(request.config.getoption("--edgesq-images"))


@contextmanager
def _told() -> Iterator[None]:
    """Tell an error of ours in its one line."""
    try:
        yield
    except EdgesqError as error:
        pytest.fail(f"edgesq: {error}", pytrace=False)
