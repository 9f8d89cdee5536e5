"""Whose a build folder is: only what export wrote is replaced, whole, and nothing else is lost."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgesq.builds import folder
from edgesq.builds.folder import appearing, check_out, file_hashes, scratch_beside
from edgesq.builds.report import write_report
from edgesq.errors import EdgesqError
from support.builds import snapshot
from support.paths import TESTS
from support.reports import put, report_of


def export(out: Path, content: str = "new") -> None:
    """Write a build as `export` does, of two files."""
    check_out(out)
    with appearing(out) as new:
        (new / "model.txt").write_text(content)
        (new / "firmware" / "build").mkdir(parents=True)
        (new / "firmware" / "main.c").write_text("/* main */")
        (new / "firmware" / "build" / "edgesq").write_text("compiled")
        write_report(new, report_of(files=file_hashes(new)))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    export(tmp_path / "out", "old")
    return tmp_path / "out"


def test_what_export_and_our_commands_wrote_is_replaced(out: Path, tmp_path: Path) -> None:
    (out / "verify.json").write_text("{}")
    (out / "firmware" / "build" / "edgesq.bin").write_bytes(b"flat")
    (out / ".edgesq-0123456789abcdef").write_text("left by a write that was killed")
    export(out)
    assert (out / "model.txt").read_text() == "new"
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == [
        *(".edgesq-build", "edgesq", "main.c", "model.txt", "report.json"),
    ]
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("can_exchange", [True, False])
def test_what_export_did_not_write_is_kept(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(folder, "exchange", lambda *_: False)
    (out / "notes").mkdir()
    (out / "notes" / "mine.txt").write_text("mine")
    (out / "firmware" / "mine.c").write_text("mine too")
    (out / "board.json").write_text("{}")
    (out / "link").symlink_to(tmp_path)
    export(out)
    assert (out / "model.txt").read_text() == "new"
    assert (out / "notes" / "mine.txt").read_text() == "mine"
    assert (out / "firmware" / "mine.c").read_text() == "mine too"
    assert (out / "board.json").read_text() == "{}"
    assert (out / "link").readlink() == tmp_path
    assert list(tmp_path.iterdir()) == [out]


def refused(out: Path, says: str) -> None:
    """Hold that a folder is not written over, neither before the work nor at its end."""
    before = snapshot(out.parent)
    with pytest.raises(EdgesqError, match=says) as raised:
        check_out(out)
    assert raised.value.exit_code == 2
    with pytest.raises(EdgesqError, match=says), appearing(out) as new:
        (new / "model.txt").touch()
    assert snapshot(out.parent) == before


def test_a_file_that_was_changed_is_not_written_over(out: Path) -> None:
    (out / "firmware" / "main.c").write_text("/* my own */")
    refused(out, r"firmware/main\.c was changed since it was exported")


def test_a_file_in_the_way_of_a_new_one_is_not_written_over(out: Path) -> None:
    (out / "plan.svg").write_text("mine")
    with (
        pytest.raises(EdgesqError, match=r"plan\.svg: would be written over"),
        appearing(out) as new,
    ):
        (new / "plan.svg").write_text("ours")
    assert (out / "plan.svg").read_text() == "mine"


@pytest.mark.parametrize(
    "report",
    ["", "{}", '{"target": "host", "files": {}, "verify_images": ""}', "[" * 99_999],
    ids=["empty", "nothing", "somebody's", "deep"],
)
def test_a_folder_with_some_report_is_no_build(tmp_path: Path, report: str) -> None:
    out = tmp_path / "tests"
    out.mkdir()
    (out / "report.json").write_text(report)
    (out / "thesis.tex").write_text("years of work")
    refused(out, "exists and is not a build folder")


def test_a_marker_alone_makes_no_build(out: Path) -> None:
    put(out, "files", {"../../x": ""})
    refused(out, "cannot be told from others")


@pytest.mark.parametrize("name", ["x" * 256, "none/" * 900 + "x"])
def test_names_that_no_folder_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(EdgesqError, match="cannot be written: File name too long"):
        check_out(tmp_path / name)
    export(tmp_path / ("x" * 255))


def test_places_that_no_new_folder_can_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(EdgesqError, match="cannot be written: Too many levels of symbolic links"):
        check_out(tmp_path / "loop")
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path.name == "disk")
    with pytest.raises(EdgesqError, match=r"is a mounted disk \(give a folder in it\)"):
        check_out(tmp_path / "disk")


def test_what_a_killed_export_did_not_leave_is_no_matter(tmp_path: Path) -> None:
    for number, content in enumerate((b"a\0b", None)):
        left = tmp_path / f".edgesq-{number:016x}"
        (left / "old").mkdir(parents=True)
        if content is None:
            os.mkfifo(left / "lock")
        else:
            (left / "lock").write_bytes(content)
    export(tmp_path / "out")


def test_a_link_to_a_build_stays_one(out: Path, tmp_path: Path) -> None:
    link = tmp_path / "latest"
    link.symlink_to(out)
    export(link)
    assert link.readlink() == out
    assert (out / "model.txt").read_text() == "new"


KILLED = """
import sys, time
from pathlib import Path
from edgesq.builds import folder
sys.path[:0] = sys.argv[3:]
from test_folder import export
out, where = Path(sys.argv[1]), sys.argv[2]
def stop(*_):
    print("here", flush=True)
    time.sleep(60)
if where == "between":
    folder.exchange = lambda *_: False
    rename = Path.rename
    def once(self, other):
        rename(self, other)
        stop()
    Path.rename = once
else:
    setattr(folder, where, stop)
export(out)
"""
"""Exports, and waits at a place to be killed; "between" is between the two renames."""


@pytest.mark.parametrize("where", ["mark", "_replace", "between"])
def test_a_killed_export_loses_nothing_and_is_cleared_away(
    out: Path, tmp_path: Path, where: str
) -> None:
    before = snapshot(out)
    command = [
        sys.executable,
        "-c",
        KILLED,
        str(out),
        where,
        str(TESTS),
        str(Path(__file__).parent),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        with scratch_beside(out):  # what another export does first
            left = [path for path in tmp_path.iterdir() if path.name.startswith(".edgesq-")]
            assert len(left) == 2  # that of a running export is left alone
        process.send_signal(signal.SIGKILL)
    if where != "between":
        assert snapshot(out) == before
    with scratch_beside(out):
        assert snapshot(out) == before
    assert list(tmp_path.iterdir()) == [out]


def test_only_our_own_leftovers_are_cleared_away(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in (".edgesq-mine", ".edgesq-0123456789abcdef", ".edgesq-fedcba9876543210"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / ".edgesq-fedcba9876543210" / "lock").write_text("../../elsewhere")
    (tmp_path / ".edgesq-00000000000000ff").symlink_to(tmp_path / ".edgesq-mine")
    long_ago = time.time() - 3600
    os.utime(tmp_path / ".edgesq-0123456789abcdef", (long_ago, long_ago))
    export(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(".edgesq-00000000000000ff", ".edgesq-0123456789abcdef", ".edgesq-mine", "out"),
    ]


def test_the_report_of_a_build_says_so(out: Path) -> None:
    assert re.search("replaces it", (out / ".edgesq-build").read_text())
    assert json.loads((out / "report.json").read_text())["files"].keys() == {
        *("model.txt", "firmware/main.c"),
    }
