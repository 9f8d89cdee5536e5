"""Build folders that somebody else made: read by type, and nothing written or ended outside."""

import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesq.cli.documents import inspect_document
from edgesq.errors import EdgesqError
from edgesq.export import REPORT, ensure_compiled, planned, read_model, read_report
from edgesq.export.operators import read_operators
from edgesq.files import check_output, open_new, read_json, write_output, write_whole
from edgesq.flash import recorded, stop
from edgesq.flash.board import Board, write_record
from edgesq.flash.process import start_time
from edgesq.formats.tflite import read_graph
from edgesq.project import compile_firmware, firmware_path
from edgesq.targets import load_target
from support.builds import light_build, snapshot
from support.networks import Network


@pytest.fixture(scope="module")
def content() -> bytes:
    network = Network((8, 8, 3))
    return network.build(network.conv(network.input, 4, (3, 3)))


@pytest.fixture
def build(tmp_path: Path, content: bytes) -> Path:
    folder = light_build(tmp_path / "build", "host", content, np.zeros((1, 8, 8, 3), np.int8))
    report = json.loads((folder / REPORT).read_text())
    report |= {"kernels": "portable", "bands": {"8": 2}, "name": "my", "format": "cmake"}
    (folder / REPORT).write_text(json.dumps(report))
    return folder


def changed(build: Path, **keys: Any) -> None:
    report = json.loads((build / REPORT).read_text())
    (build / REPORT).write_text(json.dumps({**report, **keys}))


IN_PART = {
    "name": "x",
    "note": "",
    "images": 1,
    "values": 1,
    "differing": 0,
    "max_lsb": 0,
    "top1_agreement": None,
}


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"target": 5}, "key 'target': is not of type str"),
        ({"name": "../../evil"}, "key 'name': is no C identifier"),
        ({"files": {"../x": ""}}, "key 'files': .* is not in the folder"),
        ({"files": {"/etc/x": ""}}, "key 'files': .* is not in the folder"),
        ({"files": ["x"]}, "key 'files': is not of type dict"),
        ({"bands": {"8": 0}}, "key 'bands'"),
        ({"bands": {"8": True}}, "key 'bands': is not of type int"),
        ({"bands": {"x": 1}}, "key 'bands'"),
        ({"bands": {"8": 1 << 60}}, "key 'bands'"),
        ({"kernels": "quick"}, "key 'kernels'"),
        ({"format": "../.."}, "key 'format'"),
        ({"macs": -1}, "key 'macs'"),
        ({"flash_bytes": 1e300}, "key 'flash_bytes'"),
        ({"tflm_dir": "a\0b"}, "key 'tflm_dir': holds a zero byte"),
        ({"parity": [{"name": "x"}]}, "key 'parity': key 'images' is missing"),
        ({"parity": [IN_PART]}, "key 'parity': a row holds results in part"),
        ({"preprocessing": {"scale": -1}}, "scale"),
        ({"classes": {"names": 3}}, "classes"),
        ({"operators": [1]}, "key 'operators'"),
    ],
)
def test_a_report_is_read_by_type(build: Path, keys: dict[str, Any], says: str) -> None:
    changed(build, **keys)
    with pytest.raises(EdgesqError, match=rf"{REPORT} is damaged: .*{says}"):
        read_report(build)


def test_the_arena_shown_is_the_planned_one(build: Path) -> None:
    graph = read_graph(read_model(build))
    chosen = planned(read_report(build), graph)
    assert chosen is not None
    shown = inspect_document(defaultdict(lambda: None), graph, chosen.plan)
    assert shown["arena_bytes"] == chosen.plan.arena_bytes > 0


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"[" * 200_000, b'{"a":' * 99_999, b"\xff\xfe{}", b"[]", b"null", b"{"),
        *(b'{"macs": NaN}', b'{"macs": 1e400}', b'{"macs": -Infinity}'),
        b'{"macs": 1%s}' % (b"0" * 400),
        b'{"macs": 1%s}' % (b"0" * 9000),
    ],
    ids=lambda text: text[:14].decode(errors="replace"),
)
def test_a_report_that_is_no_json_of_ours(build: Path, text: bytes) -> None:
    (build / REPORT).write_bytes(text)
    with pytest.raises(EdgesqError, match=f"{REPORT} is damaged"):
        read_report(build)


def test_a_key_that_a_command_needs_and_the_report_lacks(build: Path) -> None:
    with pytest.raises(EdgesqError, match="key 'macs' is missing"):
        read_report(build)["macs"]


def test_a_plan_that_the_model_cannot_have(build: Path, content: bytes) -> None:
    graph = read_graph(content)
    assert planned(read_report(build), graph) is not None
    changed(build, streamed=[99])
    with pytest.raises(EdgesqError, match="key 'streamed': no such convolutions"):
        planned(read_report(build), graph)
    changed(build, streamed=[], kernels="tflm")
    assert planned(read_report(build), graph) is None
    changed(build, operators=[])
    with pytest.raises(EdgesqError, match="does not say which operators"):
        read_operators(read_report(build), graph)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(path)])
@pytest.mark.parametrize(
    ("name", "read"), [(REPORT, read_report), ("model_int8.tflite", read_model)]
)
def test_what_is_no_file_is_not_waited_for(
    build: Path, name: str, read: Callable[[Path], Any], make: Callable[[Path], None]
) -> None:
    (build / name).unlink()
    make(build / name)
    with pytest.raises(EdgesqError):
        read(build)


@pytest.mark.parametrize("place", ["firmware", "firmware/build", "firmware/build/edgesq.bin"])
def test_nothing_is_compiled_through_a_link(build: Path, tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    path = build / place
    if place == "firmware":
        path.rename(tmp_path / "elsewhere")
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(outside)
    before = snapshot(outside)
    with pytest.raises(EdgesqError, match=f"{place}: is a link"):
        ensure_compiled(build, None, lambda _: None)
    assert snapshot(outside) == before


def test_a_compiler_waits_for_no_pipe(build: Path) -> None:
    (build / "firmware" / "src" / "esq_engine.c").unlink()
    os.mkfifo(build / "firmware" / "src" / "esq_engine.c")
    with pytest.raises(EdgesqError, match=r"esq_engine\.c: is no file"):
        ensure_compiled(build, None, lambda _: None)


def test_no_write_follows_a_link(tmp_path: Path) -> None:
    precious, link = tmp_path / "precious", tmp_path / "link"
    precious.write_text("precious")
    for write in (
        lambda: write_whole(link, "new"),
        lambda: write_output(link, "new"),
        lambda: os.close(open_new(link)),
        lambda: check_output(link, "--json"),
        lambda: write_record(tmp_path, Board("/dev/pts/0", 1, "host", 1)),
    ):
        link.unlink(missing_ok=True)
        link.symlink_to(precious)
        (tmp_path / "board.json").unlink(missing_ok=True)
        (tmp_path / "board.json").symlink_to(precious)
        write()  # type: ignore[no-untyped-call]
        assert precious.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board.json", "link", "precious"]


def test_pipes_and_devices_are_written_as_they_are(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="No such device"):  # nobody reads, and nobody is waited for
        write_output(pipe, "new")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_output(pipe, "new")
    assert os.read(reader, 9) == b"new"
    os.close(reader)
    for path in (Path("/dev/null"), Path("/dev/stderr")):
        before = path.lstat()
        check_output(path, "--json")
        write_output(path, "")
        assert path.lstat().st_ino == before.st_ino
    link.symlink_to("/dev/null")  # as a build of others may hold: replaced
    write_output(link, "new")
    assert (link.is_symlink(), link.read_text()) == (False, "new")
    link.unlink()
    link.symlink_to(link)
    write_output(link, "new")
    assert link.read_text() == "new"


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_stop_ends_no_strange_process(tmp_path: Path, stranger: "subprocess.Popen[bytes]") -> None:
    started = start_time(stranger.pid)
    assert started is not None
    for pid, when in ((stranger.pid, started), (stranger.pid, started + 1), (1, 0), (-1, 0)):
        write_record(tmp_path, Board("/dev/pts/0", pid, "host", when))
        assert recorded(tmp_path) is None
        assert not stop(tmp_path)
        assert stranger.poll() is None
    for text in ("[]", '{"port": 1}', "[" * 99_999, '{"pid": 1e400}'):
        (tmp_path / "board.json").write_text(text)
        assert not stop(tmp_path)


def test_a_folder_whose_name_is_more_than_a_name_is_compiled_in(
    tmp_path: Path, content: bytes
) -> None:
    folder = tmp_path / "a;b $(c) [d] 'e' #f"
    light_build(folder, "host", content, np.zeros((1, 8, 8, 3), np.int8))
    sizes = compile_firmware(folder / "firmware", load_target("host"))
    assert sizes.flash_bytes > 0
    assert os.access(firmware_path(folder / "firmware", load_target("host")), os.X_OK)


@pytest.mark.parametrize("text", ["1e999", "NaN", "-Infinity", "1" * 21, "[" * 99_999])
def test_json_with_numbers_of_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ValueError, match=r"is no number of ours|nested too deeply"):
        read_json(tmp_path / "x.json")
