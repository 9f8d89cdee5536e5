"""`edgesq search`: what is refused before anything is trained."""

import io
import os
import pty
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from edgesq.cli import search as command
from edgesq.cli import terminal
from edgesq.cli.app import app
from edgesq.search import store
from edgesq.search.folder import StudyFolder
from edgesq.search.records import Needed, Outcome, Row
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
    assert not (data.parent / "new").exists(), "so that the corrected command is not refused"
    none = refused(data, "--out", data.parent / "newer", "--storage", "nothing://me:secret@here")
    assert "nothing://me@here: cannot be used as a storage" in none
    assert "secret" not in none
    assert not (data.parent / "newer").exists()


def test_a_space_that_fails_leaves_nothing_in_the_way(data: Path) -> None:
    """Neither in the folder nor in a storage."""
    space, out = data.parent / "space.py", data.parent / "study"
    url = f"sqlite:///{data.parent / 'shared.db'}"
    space.write_text("build = 1")
    command = (data, "--space", space, "--target", "host", "--storage", url, "--out", out)
    assert "has no function build" in refused(*command)
    assert not out.exists()
    space.write_text("build = 2")
    assert "has no function build" in refused(*command)


def test_the_live_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is drawn over itself, and gone at the end."""
    ours, theirs = pty.openpty()
    parts: list[bytes] = []
    reader = threading.Thread(target=lambda: parts.extend(iter(lambda: _read(ours), b"")))
    reader.start()
    with os.fdopen(theirs, "w") as screen:
        monkeypatch.setattr(terminal, "err", type(terminal.err)(file=screen, width=100))
        assert terminal.err.is_terminal
        with command._live() as on_row:
            for number in range(20):
                needed = Needed(9_000 + number, 90_000, 5_000, 1_000_000, 12.5)
                on_row(Row(number, {}, Outcome("dropped", needed)))
            on_row(Row(20, {}, Outcome("trained", needed, needed=needed, accuracy=0.875)))
    reader.join(timeout=20)
    os.close(ours)
    drawn = b"".join(parts).decode()
    assert "9,019" in drawn
    assert "20 dropped, 1 trained" in drawn
    assert "87.5%" in drawn
    assert drawn.count("\x1b[1A") > 20, "the cursor goes up to draw the next over it"
    last = drawn.rpartition("87.5%")[2]
    assert last.count("\x1b[2K") >= 14, "and its lines are cleared"


def test_a_search_without_time_ends_without_a_front(data: Path, tmp_path: Path) -> None:
    arguments = ["search", data, "--target", "host", "--hours", "0", "--out", tmp_path / "study"]
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "study" / "study.html").is_file()


def _read(terminal_end: int) -> bytes:
    """Return what was drawn; nothing once its other end is closed, which Linux calls an error."""
    try:
        return os.read(terminal_end, 1 << 16)
    except OSError:
        return b""
