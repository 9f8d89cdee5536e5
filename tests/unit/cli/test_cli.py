"""The real command: export, flash, verify on the host board, and the commands around them."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import edgesq as package
from edgesq.builds import PAGE, read_report
from edgesq.targets import list_targets
from support.builds import COMMAND, Exported, done, edgesq, is_running, refused, snapshot, words

pytestmark = pytest.mark.slow

pytest_plugins = ("support.build_fixtures",)

HEAVY = ("tensorflow", "keras", "onnx", "onnxruntime", "tf2onnx")
NOISE = r"(?i)absl|oneDNN|XNNPACK|WARNING|INFO|\b[IWEF]0000 |tensorflow/|Saved artifact|CUDA|MLIR"

REPORT_KEYS = {
    *("schema", "model", "firmware", "sizes", "calibration", "files", "parity", "versions"),
}
VERIFY_KEYS = {"run", "result", "accuracy", "classes", "device", "link", "comparisons"}


def heavy_imports(*arguments: str | Path) -> set[str]:
    """Return which heavy libraries a command imports; to `--help` all that computes is heavy."""
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], *map(str, arguments)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60).stderr
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in said.splitlines()}
    assert "edgesq" in imported
    return imported & {*HEAVY, *(("numpy", "msgspec") if "--help" in arguments else ())}


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--help"], ["--version"], ["targets"], ["doctor"]),
        *([name, "--help"] for name in ("export", "flash", "verify", "doctor", "inspect")),
    ],
    ids=" ".join,
)
def test_light_commands_import_nothing_heavy(arguments: list[str]) -> None:
    assert heavy_imports(*arguments) == set()


def test_flash_verify_and_inspect_import_neither_tensorflow_nor_onnx(demo: Path) -> None:
    assert heavy_imports("flash", "--build", demo) == set()
    assert heavy_imports("verify", "--build", demo, "--count", "1") == set()
    assert heavy_imports("inspect", demo) == set()


def test_the_console_command_is_installed() -> None:
    command = shutil.which("edgesq", path=str(Path(sys.executable).parent))
    assert command is not None
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout == f"edgesq {package.__version__}\n"


def test_help_names_every_command() -> None:
    said = done("--help")
    assert all(
        re.search(rf"\b{name}\b", said)
        for name in ("export", "flash", "verify", "targets", "doctor", "inspect")
    )


def test_targets_lists_every_board() -> None:
    said = done("targets")
    assert all(target.name in said and target.description in said for target in list_targets())
    assert re.search(r"stm32f405 .* 1,024 KiB +128 KiB", said)


def test_wrong_usage_ends_with_2() -> None:
    result = edgesq("verify", "--count", "0")
    assert result.returncode == 2
    assert "Invalid value for '--count'" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_reader_that_ends_early_changes_no_exit_code() -> None:
    command = [*COMMAND, "targets"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_export_is_quiet(demo_export: Exported) -> None:
    assert words(demo_export.stderr) == ""
    steps = re.findall(r"^\[(\d+)/(\d+)\] ", demo_export.stderr, re.M)
    assert [int(number) for number, _ in steps] == list(range(1, int(steps[0][1]) + 1))
    assert re.findall(NOISE, demo_export.stdout) == []
    assert "flash, whole firmware" in demo_export.stdout
    assert "on 100 of 120 calibration images" in demo_export.stdout
    assert re.search(r"C runtime on this computer +100 +2,000 +0 +0 ", demo_export.stdout)


def test_the_report_is_complete_and_its_hashes_are_true(demo_export: Exported) -> None:
    report = json.loads((demo_export.build / "report.json").read_text())
    assert report.keys() >= REPORT_KEYS
    assert (report["firmware"]["target"], report["model"]["macs"]) == ("host", 2_995_904)
    found = snapshot(demo_export.build)
    compiled = {name for name in found if name.startswith("firmware/build/")}
    files = {name: value for name, value in found.items() if value != "folder"}
    assert report["files"] == {
        name: value
        for name, value in files.items()
        if name not in {"report.json", ".edgesq-build", *compiled}
    }
    assert compiled == {"firmware/build/edgesq", "firmware/build/edgesq.map"}


def test_the_report_holds_the_parity_of_every_form(demo_export: Exported) -> None:
    report = read_report(demo_export.build)
    differing = {row.name: row.differing for row in report.parity.rows}
    assert differing.keys() == {
        *("C runtime on this computer", "ONNX, integer operators", "ONNX, QDQ"),
        *("TFLite, default kernels", "float Keras"),
    }
    assert differing["C runtime on this computer"] == 0
    assert differing["ONNX, integer operators"] == 0
    assert {row.images for row in report.parity.rows} == {100}


def test_flash_verify_stop(demo: Path, tmp_path: Path) -> None:
    said = done("flash", "--build", demo)
    board = json.loads((demo / "board.json").read_text())
    assert board.keys() >= {"port", "pid", "target"}
    assert board["target"] == "host"
    assert f"edgesq verify --build {demo} --port {board['port']}" in said
    assert f"edgesq flash --build {demo} --stop" in said

    for port in ([], ["--port", board["port"]]):
        said = done(
            *("verify", "--build", demo, "--count", "30", "--json", tmp_path / "out.json"), *port
        )
        assert "0 differing values" in said
        result = json.loads((tmp_path / "out.json").read_text())
        assert result.keys() >= VERIFY_KEYS
        assert (
            result["run"]["images"],
            result["result"]["exact_images"],
            result["result"]["max_abs_lsb"],
        ) == (30, 30, 0)
        assert (result["result"]["top1_agreement"], result["link"]["retries"]) == (1.0, 0)
        assert result["accuracy"]["top1"] > 0.9
        assert result["device"]["instructions"] is None
        assert result["device"]["us"] > 0
        assert result["link"]["bytes_per_s"] > 0
        assert result["run"]["expected_by"] == "TFLite BUILTIN_REF"

    written = ("--junit", tmp_path / "junit.xml", "--html", tmp_path / "page.html")
    resumed = ("verify", "--build", demo, "--count", "30", "--json", tmp_path / "out.json")
    assert "0 differing values" in done(*resumed, "--resume", *written)
    assert json.loads((tmp_path / "out.json").read_text()) == result
    assert ElementTree.parse(tmp_path / "junit.xml").getroot()[0].get("failures") == "0"
    assert "<strong>Exact</strong>" in (tmp_path / "page.html").read_text()

    assert done("flash", "--build", demo, "--stop") == "stopped\n"
    assert not is_running(board["pid"])
    assert not (demo / "board.json").exists()
    assert done("flash", "--build", demo, "--stop") == "no board was running\n"
    refused(3, r"no board found \(`edgesq flash` one", "verify", "--build", demo)


def test_a_person_sees_progress(demo: Path) -> None:
    for arguments in (["flash"], ["verify", "--count", "40"]):
        master, slave = pty.openpty()
        command = [*COMMAND, *arguments, "--build", str(demo)]
        env = {**os.environ, "TERM": "xterm"}
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=slave, env=env) as process:
            os.close(slave)
            seen = b""
            with contextlib.suppress(OSError):  # Linux' way of saying that it ended
                while part := os.read(master, 4096):
                    seen += part
        os.close(master)
        assert process.returncode == 0
        assert "━".encode() in seen
    assert b"40/40" in seen


def test_flash_again_replaces_the_board(demo: Path) -> None:
    done("flash", "--build", demo)
    first = json.loads((demo / "board.json").read_text())["pid"]
    done("flash", "--build", demo)
    assert json.loads((demo / "board.json").read_text())["pid"] != first
    assert not is_running(first)


def test_flipped_weights_are_found(demo: Path, tmp_path: Path) -> None:
    data = demo / "firmware" / "demo_model.c"
    head, name, rest = data.read_text().rpartition("static const int8_t weights_")
    start = rest.index("\n") + 1
    row, _, tail = rest[start:].partition("\n")
    flipped = re.sub(r"-?\d+", lambda weight: str(int(weight[0]) ^ 0x40), row)
    assert flipped != row
    data.write_text(f"{head}{name}{rest[:start]}{flipped}\n{tail}")

    done("flash", "--build", demo)
    arguments = ("verify", "--build", demo, "--count", "20", "--json", tmp_path / "out.json")
    result = edgesq(*arguments)
    assert result.returncode == 1, result.stderr
    assert "The board differs from the host." in result.stdout
    assert words(result.stderr) == ""
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["result"]["exact_images"] < found["run"]["images"] == 20
    assert found["result"]["max_abs_lsb"] > 0
    assert found["result"]["differing_values"] > 0


def test_inspect_shows_sizes_operators_and_parity(demo: Path) -> None:
    said = done("inspect", demo)
    report = read_report(demo)
    assert f"{report.model.weights_bytes:,}" in said
    assert said.count("CONV_2D") == 26
    assert report.model.sha256 in said
    assert "C runtime on this computer" in said
    assert f"Arena {report.firmware.arena_bytes:,} B" in said


def test_inspect_writes_the_page_that_export_wrote(demo: Path, tmp_path: Path) -> None:
    said = done("inspect", demo, "--html", tmp_path / "page.html")
    assert f"Wrote {tmp_path / 'page.html'}" in said
    assert (tmp_path / "page.html").read_text() == (demo / PAGE).read_text()
    refused(2, "is in no folder that is there", "inspect", demo, "--html", tmp_path / "no" / "page")
