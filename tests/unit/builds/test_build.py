"""The build folder: deterministic, whole or not at all, and true after a change of target."""

import hashlib
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from edgesq.builds import (
    ExportOptions,
    ExportReport,
    Stage,
    build,
    ensure_compiled,
    export,
    read_report,
)
from edgesq.cli import terminal
from edgesq.cli.app import app
from edgesq.errors import EdgesqError, TargetError, ToolError
from edgesq.project import Layout
from edgesq.targets import load_target
from support.builds import done, light_build, snapshot, words
from support.networks import RECTIFIED, Network
from support.paths import ROOT
from support.reports import put
from support.stages import check_announced

pytestmark = pytest.mark.slow

pytest_plugins = ("support.build_fixtures",)

Export = Callable[[str], ExportReport]


def small_network() -> bytes:
    """Return an int8 .tflite with a softmax, so that logits are observed too."""
    network = Network((9, 8, 3))
    x = network.conv(network.input, 6, (3, 3), (2, 2), quant=RECTIFIED)
    x = network.conv(network.max_pool(x, (2, 2), (2, 2)), 5)
    return network.build(network.softmax(network.mean(x)))


def map_network() -> bytes:
    """Return an int8 .tflite whose output is a map, [1, H, W, C]."""
    network = Network((9, 8, 3))
    return network.build(network.conv(network.input, 4))


@pytest.fixture
def exporting(tmp_path: Path) -> Export:
    """Return a function that exports `small.tflite` for the host."""
    (tmp_path / "small.tflite").write_bytes(small_network())

    def run(out: str) -> ExportReport:
        options = ExportOptions(
            tmp_path / "small.tflite", None, load_target("host"), tmp_path / out
        )
        stages: list[Stage] = []
        report = export(options, stages.append)
        check_announced(stages)
        return report

    return run


def hashes(folder: Path) -> dict[str, str]:
    """Return what report.json must say of a build folder's files."""
    apart = re.compile(r"\.edgesq-build|report\.json|board\.(json|log)|firmware/build/.*")
    found = snapshot(folder)
    return {
        name: value
        for name, value in found.items()
        if value != "folder" and not apart.fullmatch(name)
    }


def test_two_exports_are_the_same_byte_for_byte(exporting: Export, tmp_path: Path) -> None:
    exporting("one")
    exporting("deep/er/two")
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "deep/er/two")
    assert str(tmp_path) not in (tmp_path / "one" / "report.json").read_text()
    hidden = {path.name for path in tmp_path.rglob(".*")}
    assert hidden == {".edgesq-build"}


def test_the_report_of_a_tflite(exporting: Export, tmp_path: Path) -> None:
    report = exporting("out")
    assert report == read_report(tmp_path / "out")
    assert report.files == hashes(tmp_path / "out")
    assert report.model.c_name == "small"
    assert (tmp_path / "out" / "firmware" / "small_model.c").is_file()
    assert report.files.keys() >= {
        *("model_int8.tflite", "model_int8.onnx", "model_int8_qdq.onnx"),
        *("model_tflite.c", "model_tflite.h", "verify_images.npz"),
    }
    exact = {"C runtime on this computer", "ONNX, integer operators"}
    assert {row.name for row in report.parity.rows if row.differing == 0} >= exact
    assert (report.verify_images, report.warnings) == ("seeded noise", ())


def test_a_network_that_gives_a_map(tmp_path: Path) -> None:
    (tmp_path / "map.tflite").write_bytes(map_network())
    options = ExportOptions(tmp_path / "map.tflite", None, load_target("host"), tmp_path / "out")
    rows = export(options, lambda _: None).parity.rows
    assert [(row.values, row.differing) for row in rows[:2]] == [(16 * 9 * 8 * 4, 0)] * 2


def test_a_target_without_a_port_is_a_library(tmp_path: Path) -> None:
    model = tmp_path / "small.tflite"
    model.write_bytes(small_network())
    options = ExportOptions(model, None, load_target("esp32s3"), tmp_path / "out")
    with pytest.raises(TargetError, match=r"esp32s3: has no port.*--format c-library"):
        export(options, lambda _: None)
    assert not (tmp_path / "out").exists()
    report = export(replace(options, layout=Layout.C_LIBRARY), lambda _: None)
    assert report.sizes is None
    assert (tmp_path / "out" / "c-library" / "edgesq" / "CMakeLists.txt").is_file()
    assert not (tmp_path / "out" / "firmware").exists()
    with pytest.raises(TargetError, match=r"esp32s3: has no port"):
        ensure_compiled(tmp_path / "out", None, lambda _: None)
    target = load_target("host")
    assert ensure_compiled(tmp_path / "out", target, lambda _: None) == target
    assert (tmp_path / "out" / "firmware" / "build" / "edgesq").is_file()


def test_kernels_that_are_asked_for_stay(tmp_path: Path) -> None:
    """Also on another board; one whose core does not run them is refused."""
    model, out = tmp_path / "small.tflite", tmp_path / "out"
    model.write_bytes(small_network())
    done("export", model, "--target", "mps2-an500", "--kernels", "scalar", "--out", out)
    report = read_report(out)
    assert (report.firmware.kernels, report.request.kernels) == ("scalar", "scalar")
    own = ensure_compiled(out, None, lambda _: None)
    assert (own.name, own.kernels) == ("mps2-an500", "scalar")
    other = ensure_compiled(out, load_target("stm32f405"), lambda _: None)
    assert (other.kernels, read_report(out).firmware.kernels) == ("scalar", "scalar")
    put(out, "request.kernels", "mve")
    with pytest.raises(TargetError, match=r"stm32f405: runs no kernels 'mve' \(known: portable"):
        ensure_compiled(out, None, lambda _: None)


def test_the_c_array_is_the_tflite(exporting: Export, tmp_path: Path) -> None:
    exporting("out")
    text = (tmp_path / "out" / "model_tflite.c").read_text().partition("{")[2]
    content = bytes(int(value, 16) for value in re.findall(r"0x[0-9a-f]{2}\b", text))
    assert content == (tmp_path / "out" / "model_int8.tflite").read_bytes() == small_network()


def test_an_earlier_build_is_replaced_and_its_board_stays_known(
    exporting: Export, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    exporting("out")
    done("flash", "--build", out)
    board = (out / "board.json").read_text()
    (out / "stale.txt").touch()
    exporting("out")
    assert (out / "board.json").read_text() == board
    assert (out / "stale.txt").exists()
    assert done("flash", "--build", out, "--stop") == "stopped\n"


@pytest.mark.parametrize("earlier", [True, False])
def test_an_interrupted_export_leaves_everything_as_it_was(
    exporting: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: bool
) -> None:
    if earlier:
        exporting("a/b/out")
    (tmp_path / "tmp").mkdir()
    before = snapshot(tmp_path)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    said = io.StringIO()
    monkeypatch.setattr(terminal, "err", type(terminal.err)(file=said))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(build, "compare", interrupt)  # the last stage
    arguments = ["export", str(tmp_path / "small.tflite"), "--out", str(tmp_path / "a/b/out")]
    assert CliRunner().invoke(app, [*arguments, "--target", "host"]).exit_code == 130
    assert words(said.getvalue()) == "interrupted\n"
    assert snapshot(tmp_path) == before


def fake_tool(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_failing_tool_leaves_nothing(
    exporting: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_tool(tmp_path / "bin", "cmake", "echo no such generator >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    before = snapshot(tmp_path)
    with pytest.raises(ToolError, match="cmake: failed: no such generator"):
        exporting("a/b/out")
    assert snapshot(tmp_path) == before


def test_without_a_compiler_everything_else_is_written(
    exporting: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setitem(sys.modules, "ziglang", None)
    report = exporting("out")
    assert report.sizes is None
    assert "not compiled" in report.warnings[0]
    assert report.parity.rows[0].differing is None
    assert "gcc is not installed" in report.parity.rows[0].note
    assert report.parity.rows[1].differing == 0
    assert "not compiled" in done("inspect", tmp_path / "out")

    monkeypatch.setenv("PATH", path)
    ensure_compiled(tmp_path / "out", None, lambda _: None)
    report = read_report(tmp_path / "out")
    assert report.sizes is not None
    assert report.sizes.flash_bytes > report.model.weights_bytes
    assert report.sizes.ram_bytes > report.firmware.arena_bytes


def test_a_change_of_target_keeps_the_report_true(demo: Path) -> None:
    first = read_report(demo)
    stages: list[str] = []
    ensure_compiled(demo, load_target("stm32f405"), stages.append)
    second = read_report(demo)
    assert second.firmware.target == "stm32f405"
    assert second.sizes != first.sizes
    kept = {name: second.files[name] for name in hashes(demo)}
    assert kept == hashes(demo)
    assert second.files.keys() - kept.keys() == first.files.keys() - {
        name for name in first.files if (demo / name).exists() or "ports/host" in name
    }
    assert (demo / "firmware" / "link.ld").exists()
    assert not (demo / "firmware" / "ports" / "host").exists()

    ensure_compiled(demo, load_target("host"), stages.append)
    assert read_report(demo) == first
    assert stages == ["compile for stm32f405", "compile for host"]
    hidden = [path.name for path in demo.iterdir() if path.name.startswith(".")]
    assert hidden == [".edgesq-build"]


def test_firmware_is_compiled_again_only_when_it_changed(tmp_path: Path) -> None:
    light_build(tmp_path / "out", "host", map_network(), np.zeros((1, 9, 8, 3), np.int8))
    stages: list[str] = []
    for _ in range(2):
        ensure_compiled(tmp_path / "out", None, stages.append)
    assert stages == ["compile for host"]
    source = tmp_path / "out" / "firmware" / "app" / "main.c"
    source.write_text(source.read_text() + "\n/* mine */\n")
    ensure_compiled(tmp_path / "out", None, stages.append)
    assert stages == ["compile for host"] * 2


def test_a_report_of_an_unknown_target_is_refused(tmp_path: Path) -> None:
    light_build(tmp_path / "out", "host", map_network(), np.zeros((1, 9, 8, 3), np.int8))
    put(tmp_path / "out", "firmware.target", "gone")
    with pytest.raises(EdgesqError, match="unknown target 'gone'"):
        ensure_compiled(tmp_path / "out", None, lambda _: None)


def test_the_npz_of_an_export_verifies_with_labels(demo: Path, tmp_path: Path) -> None:
    with np.load(demo / "verify_images.npz") as archive:
        images, labels = archive["input"], archive["labels"]
    assert (images.shape, images.dtype, labels.shape) == ((599, 32, 32, 3), np.int8, (599,))
    pixels = images.view(np.uint8) ^ 0x80  # back to what the preprocessing takes
    np.savez(tmp_path / "pixels.npz", input=pixels[:9], labels=labels[:9])
    done("flash", "--build", demo)
    verify = ("verify", "--build", demo, "--images")
    said = done(*verify, tmp_path / "pixels.npz")
    assert re.search(r"images equal bit for bit +9\s", said)
    assert re.search(r"accuracy +100\.0%", said)
    shutil.copytree(ROOT / "calibration_data" / "7", tmp_path / "sevens")
    assert re.search(r"accuracy +none: .* no labels", done(*verify, tmp_path / "sevens"))


def test_model_names_and_digests(demo: Path) -> None:
    content = (demo / "model_int8.tflite").read_bytes()
    report = read_report(demo)
    assert report.model.sha256 == hashlib.sha256(content).hexdigest()
    assert report.files["model_int8.tflite"] == report.model.sha256
