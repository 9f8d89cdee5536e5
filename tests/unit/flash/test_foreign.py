"""What is flashed from another build system's folder is found again by the export it holds."""

import os
from pathlib import Path

import pytest

from edgesq.builds.report import write_report
from edgesq.errors import BoardError
from edgesq.flash import Wish, foreign_run, run, system_of
from edgesq.flash.board import Line, read_line
from edgesq.flash.foreign_run import export_of
from edgesq.formats.tflite import read_graph
from edgesq.verify import find_board
from support.builds import edgesq
from support.cases import NETWORKS
from support.esp_projects import project
from support.fake_tools import Bench, Says
from support.reports import report_of

PORT = "/dev/ttyUSB7"
GOOD = [Says("chip", "Detecting chip type... ESP32-S3"), Says("")]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Return a folder that says of itself that `edgesq export` wrote it."""
    write_report(tmp_path, report_of("esp32s3", read_graph(NETWORKS["fire"]())))
    return tmp_path


def test_the_export_is_found_from_below(
    export: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    below = export / "esp-idf" / "examples" / "build"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert export_of(below) == export_of(elsewhere, below) == export
    (elsewhere / "report.json").write_text("{}")
    assert export_of(elsewhere / "build") is None


def test_verify_goes_to_where_the_board_was_programmed(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Bench(export, monkeypatch).put("esptool", GOOD)
    monkeypatch.setattr(run, "is_listed", lambda port: port == PORT)
    folder = project(export / "examples" / "build")
    system = system_of(folder)
    assert system is not None
    done = foreign_run.put(folder, system.read(folder, Wish(probe=PORT)), lambda _: None)
    assert (done.export, find_board(export)) == (export, PORT)
    monkeypatch.setattr(run, "is_listed", lambda _: False)
    with pytest.raises(BoardError, match="no board found"):
        find_board(export)


def test_a_line_is_believed_in_nothing(export: Path) -> None:
    for text in ("", "[]", '{"port": 1, "board": "x"}', '{"port": "x"}'):
        (export / "line.json").write_text(text)
        assert read_line(export) is None
    (export / "line.json").write_text('{"port": "/dev/x", "board": "y"}')
    assert read_line(export) == Line("/dev/x", "y")


def test_options_are_for_other_systems_alone(export: Path) -> None:
    result = edgesq("flash", "--build", export, "--", "--erase")
    assert result.returncode == 2
    assert "takes no --erase (only programs of other build systems" in result.stderr


def test_folders_that_are_none_hold_no_export(tmp_path: Path, export: Path) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    strange = (circle, Path("/zero\0byte"), tmp_path / ("long" * 100))
    assert export_of(*strange, export / "build") == export


def test_a_pipe_is_no_cache(tmp_path: Path) -> None:
    """It would be waited for."""
    os.mkfifo(tmp_path / "CMakeCache.txt")
    assert system_of(tmp_path) is None


def test_what_the_users_own_words_say() -> None:
    wish = Wish(options=("-e", "a", "--environment=b", "-ec", "--erase", "--port"))
    assert wish.values("--environment", "-e") == ["a", "b", "c"]
    assert (wish.value("--port"), wish.value("--upload-port"), wish.value("-v")) == ("", "", "")
