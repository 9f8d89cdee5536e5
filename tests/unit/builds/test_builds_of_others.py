"""Build folders that somebody else made: read by type, and nothing written or ended outside."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from edgesq.builds import (
    REPORT,
    ensure_compiled,
    planned,
    read_model,
    read_operators,
    read_report,
)
from edgesq.cli.app import app
from edgesq.errors import EdgesqError
from edgesq.files import check_output, open_new, read_json, write_output, write_whole
from edgesq.flash import recorded, stop
from edgesq.flash.board import Board, write_record
from edgesq.flash.process import start_time
from edgesq.formats.tflite import read_graph
from edgesq.project import compile_firmware, firmware_path
from edgesq.targets import load_target
from support.builds import light_build, snapshot
from support.mutants.damage import json_values
from support.networks import Network
from support.reports import put


@pytest.fixture(scope="module")
def content() -> bytes:
    network = Network((8, 8, 3))
    return network.build(network.conv(network.input, 4, (3, 3)))


@pytest.fixture
def build(tmp_path: Path, content: bytes) -> Path:
    folder = light_build(tmp_path / "build", "host", content, np.zeros((1, 8, 8, 3), np.int8))
    put(folder, "firmware.plan.bands.by_height", {"8": 2})
    return folder


IN_PART = {
    "name": "x",
    "note": "",
    "images": 1,
    "values": 1,
    "differing": 0,
    "max_lsb": None,
    "top1_agreement": None,
}


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("model.macs", -1, "expected int >= 0"),
        ("model.c_name", "../../evil", "is no C identifier"),
        ("model.input", [1, 2], "expected array of length 3, got 2"),
        ("firmware.target", 5, "expected str, got int"),
        ("firmware.kernels", "quick", "no such family"),
        ("firmware.kernels", "tflm", "edgesq's runtime has one"),
        ("firmware.plan.bands.by_height", {"8": 0}, "expected int >= 1"),
        ("firmware.plan.bands.by_height", {"8": True}, "expected int, got bool"),
        ("firmware.plan.bands.by_height", {"x": 1}, "expected int, got str"),
        ("firmware.plan.bands.by_height", {"0": 1}, "expected int >= 1"),
        ("firmware.plan.bands.by_height", {"8": 1 << 60}, "expected int <= "),
        ("firmware.operators", [1], "expected object, got int"),
        ("sizes", {"flash_bytes": 1e300, "ram_bytes": 1}, "expected int, got float"),
        ("request.layout", "../..", "invalid enum value '../..'"),
        ("request.tflm_dir", "a\0b", "holds a zero byte"),
        ("calibration.preprocessing.scale", -1, "scale"),
        ("calibration.classes", {"names": 3}, "expected array, got int"),
        ("calibration.classes", {"names": ["a", "a"]}, "a is there twice"),
        ("calibration.classes", {"names": ["a\nb"]}, "not printable"),
        ("parity.rows", [{"name": "x"}], r"key 'parity.rows\[0\].images' is missing"),
        ("parity.rows", [IN_PART], "a row holds results in part"),
        ("files", {"../x": ""}, "is not in the folder"),
        ("files", {"/etc/x": ""}, "is not in the folder"),
        ("files", ["x"], "expected object, got array"),
    ],
)
def test_a_report_is_read_by_type(build: Path, place: str, value: Any, says: str) -> None:
    put(build, place, value)
    with pytest.raises(EdgesqError, match=rf"{REPORT} is damaged: .*{says}") as caught:
        read_report(build)
    assert place.partition(".")[0] in caught.value.message


def test_every_value_of_a_report_has_a_type(build: Path) -> None:
    """None is put in the place of each; those that may be None are few."""
    good = (build / REPORT).read_text()
    taken, refused = set(), {}
    for number, (_, key) in enumerate(json_values(json.loads(good))):
        content = json.loads(good)
        holder, _ = list(json_values(content))[number]
        holder[key] = None
        (build / REPORT).write_text(json.dumps(content))
        try:
            read_report(build)
            taken.add(key)
        except EdgesqError as error:
            refused[str(key)] = error.message
    assert "of another version" in refused.pop("schema")
    unnamed = [message for key, message in refused.items() if key not in message]
    assert all("by_height[...]" in message for message in unnamed), unnamed
    assert taken == {
        *("sizes", "accuracy", "compression", "ram_limit", "tflm_dir", "resize", "overwrites"),
        *("classes", "declared_preprocessing", "estimated", "growth_bytes", "kernels"),
        "limit_bytes",
        "tflm_used_arena_bytes",
    }


def test_a_report_of_another_version(build: Path) -> None:
    for schema in (1, 3, None, "2"):
        put(build, "schema", schema)
        with pytest.raises(EdgesqError, match=r"of another version of edgesq \(export again\)"):
            read_report(build)


def test_the_arena_shown_is_the_planned_one(build: Path) -> None:
    graph = read_graph(read_model(build))
    chosen = planned(read_report(build), graph)
    assert chosen is not None
    put(build, "firmware.arena_bytes", 7)
    shown = json.loads(CliRunner().invoke(app, ["inspect", str(build), "--json", "-"]).stdout)
    for part in (shown["report"]["firmware"], shown["plan"]):
        assert part["arena_bytes"] == chosen.plan.arena_bytes > 7


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


def test_a_plan_that_the_model_cannot_have(build: Path, content: bytes) -> None:
    graph = read_graph(content)
    assert planned(read_report(build), graph) is not None
    put(build, "firmware.plan.in_ram", [0])
    again = planned(read_report(build), graph)
    assert again is not None
    assert again.plan.in_ram == {0}
    put(build, "firmware.plan.in_ram", [0, 99])
    with pytest.raises(EdgesqError, match=r"key 'firmware.plan.in_ram': no such operators"):
        planned(read_report(build), graph)
    put(build, "firmware.plan.coded", [99])
    with pytest.raises(EdgesqError, match=r"key 'firmware.plan.coded': no such convolutions"):
        planned(read_report(build), graph)
    put(build, "firmware.plan.coded", [])
    for place, value in (
        ("fused", [{"outputs": [99, 98], "running": False}]),
        ("whole", [99]),
    ):
        put(build, f"firmware.plan.bands.{place}", value)
        with pytest.raises(EdgesqError, match=r"key 'firmware.plan.bands': no such operators"):
            planned(read_report(build), graph)
        put(build, f"firmware.plan.bands.{place}", [])
    put(build, "firmware.plan", None)
    put(build, "firmware.kernels", "tflm")
    assert planned(read_report(build), graph) is None
    put(build, "firmware.operators", [])
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


@pytest.mark.slow
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
