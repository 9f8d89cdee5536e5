"""`edgesq search`: what is refused before anything is trained."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from edgesq.cli import terminal
from edgesq.cli.app import app
from edgesq.search import store
from edgesq.search.folder import StudyFolder
from support.searching import TinySpace, tiny_study


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.npz"
    np.savez(path, input=np.zeros((40, 16, 16, 3), np.uint8), labels=np.arange(40) % 2)
    return path


@pytest.fixture
def study(tmp_path: Path) -> Path:
    tiny_study(StudyFolder(tmp_path / "study"), TinySpace())
    return tmp_path / "study"


def refused(*arguments: object) -> str:
    """Return what is said on stderr of a command that cannot be done."""
    result = CliRunner().invoke(app, ["search", *map(str, arguments)])
    assert result.exit_code == 2, result.output
    return result.stderr


@pytest.fixture(autouse=True)
def err(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors go to where the runner looks, when they are said."""

    class Now(io.TextIOBase):
        def write(self, text: str) -> int:
            return sys.stderr.write(text)

    monkeypatch.setattr(terminal, "err", type(terminal.err)(file=Now(), width=400))


def test_no_images(tmp_path: Path) -> None:
    assert "DATA: no images are given" in refused("--out", tmp_path / "new")
    missing = refused(tmp_path / "missing", "--out", tmp_path / "new")
    assert "no such image folder" in missing
    assert not (tmp_path / "new").exists()


def test_a_limit_that_means_nothing(data: Path) -> None:
    out = data.parent / "new"
    said = refused(data, "--target", "generic", "--ms-limit", 5, "--out", out)
    assert "generic: the time per image is not known there" in said
    assert "--side: is 3" in refused(data, "--side", 3, "--out", out)
    assert not out.exists()


def test_a_study_is_not_written_over(data: Path, study: Path) -> None:
    before = (study / "study.json").read_bytes()
    assert "holds a study (go on with it by --resume" in refused(data, "--out", study)
    assert (study / "study.json").read_bytes() == before
    said = refused(data, "--out", study, "--resume", "--target", "microbit", "--seed", 3)
    assert "the study is about another DATA, --target, --seed" in said


def test_there_is_no_study(data: Path, study: Path) -> None:
    empty = data.parent / "empty"
    empty.mkdir()
    assert "empty: holds no study" in refused(data, "--out", empty, "--resume")
    assert "holds no study" in refused("--export", empty, 3)
    assert "3 is no trial of this study" in refused("--export", study, 3)


def test_a_storage_of_another_study(data: Path) -> None:
    """The folder's name is the study's in a storage that several use."""
    url = f"sqlite:///{data.parent / 'shared.db'}"
    store.Store(url, "edgesq new", 1, resume=False)
    said = refused(data, "--out", data.parent / "new", "--storage", url)
    assert "holds another study called edgesq new" in said
    none = refused(data, "--out", data.parent / "newer", "--storage", "nothing://here")
    assert "cannot be used as a storage" in none


def test_a_search_without_time_ends_without_a_front(data: Path, tmp_path: Path) -> None:
    arguments = ["search", data, "--target", "host", "--hours", "0", "--out", tmp_path / "study"]
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "study" / "study.html").is_file()
