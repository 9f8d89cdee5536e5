"""Verify: the images, the right board, and the report."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgesq.errors import BoardError, EdgesqError, ImageError
from edgesq.flash import flash, recorded, stop
from edgesq.formats.tflite import read_graph
from edgesq.link.client import Client
from edgesq.project import compile_firmware
from edgesq.reference import run_observed
from edgesq.targets import load_target
from edgesq.verify import Outlook, VerifyOptions, find_board, read_json, verify
from edgesq.verify import run as run_module
from edgesq.verify.images import open_images
from edgesq.verify.oracle import Oracle, default_oracle
from support.builds import light_build
from support.networks import Network, images

SHAPE = (12, 10, 3)
KEYS = ("run", "result", "accuracy", "device", "link", "comparisons", "profile")


def network(seed: int = 0) -> bytes:
    net = Network(SHAPE, (1 / 255, -128), seed)
    return net.build(net.softmax(net.mean(net.conv(net.input, 7, (3, 3)))))


# --- a board that runs a small network ---


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Flash a small network to the host board; its NPZ has the right classes as labels but one."""
    folder = tmp_path_factory.mktemp("build")
    inputs = images(SHAPE, 6)
    light_build(folder, "host", network(), inputs)
    expected = run_observed(read_graph(network()), inputs)[0].argmax(axis=1)
    labels = np.where(np.arange(len(inputs)) == 0, expected + 1, expected)
    np.savez(folder / "verify_images.npz", input=inputs, labels=labels)
    compile_firmware(folder / "firmware", load_target("host"), warnings_are_errors=True)
    flash(folder, load_target("host"))
    yield folder
    stop(folder)


def test_board_equals_reference(build: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = verify(VerifyOptions(build), lambda done, total: seen.append((done, total)))
    assert (report.run.images, report.result.exact_images) == (8, 8)
    assert (report.result.values, report.result.differing_values, report.result.max_abs_lsb) == (
        8 * 14,
        0,
        0,
    )
    assert report.result.top1_agreement == 1
    assert report.accuracy.top1 == pytest.approx(7 / 8)
    assert (report.device.instructions, report.link.retries) == (None, 0)
    assert report.run.expected_by == "TFLite BUILTIN_REF"
    assert report.link.bytes_per_s > 1000
    assert report.is_exact
    assert seen == [(done, 8) for done in range(1, 9)]


def test_the_fastest_rate_and_back(build: Path) -> None:
    for baud, expected in ((None, 3_000_000), (921_600, 921_600), (115_200, 115_200)):
        report = verify(VerifyOptions(build, baud=baud))
        assert (report.link.baud, report.link.resets, report.is_exact) == (expected, 0, True)
        assert report.link.line_share > 0
        assert report.link.sent_share > 0
        assert report.link.sent_bytes > 0
        held = [rate.baud for rate in report.link.pace.rates if rate.outcome == "held"]
        assert held == ([] if expected == 115_200 else [expected])
        assert report.link.pace.line is None  # a pty has no rate


def test_what_is_before_it_is_said_first(build: Path) -> None:
    said: list[Outlook | int] = []
    report = verify(VerifyOptions(build), lambda done, _: said.append(done), on_start=said.append)
    first = said[0]
    assert isinstance(first, Outlook)
    assert (first.images, first.image_bytes, first.baud) == (8, int(np.prod(SHAPE)), None)
    assert first.bytes_per_s > 1000
    assert said[1:] == list(range(1, 9))
    assert report.link.pace.image_bytes_per_s > 0
    assert report.link.pace.bound in ("board", "computer")


def test_a_difference_is_a_result(build: Path) -> None:
    right = default_oracle(network()).observed

    def wrong(inputs: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
        output, logits = right(inputs)
        if (inputs == 127).all():  # the last image
            logits = logits ^ np.array([[0, 0, 4, 0, 0, 0, 0]], np.int8)
        return output, logits

    report = verify(VerifyOptions(build), oracle=Oracle("a liar", wrong))
    assert (
        report.result.exact_images,
        report.result.differing_values,
        report.result.max_abs_lsb,
    ) == (7, 1, 4)
    assert (report.result.top1_agreement, report.run.expected_by) == (1, "a liar")
    assert not report.is_exact


def test_count_takes_the_first(build: Path) -> None:
    report = verify(VerifyOptions(build, count=2))
    assert report.run.images == 2
    assert report.accuracy.top1 == 0.5


def test_json(build: Path, tmp_path: Path) -> None:
    report = verify(VerifyOptions(build, count=1))
    report.write_json(tmp_path / "out.json")
    fields = json.loads((tmp_path / "out.json").read_text())
    assert read_json(tmp_path / "out.json") == report
    assert fields.keys() >= set(KEYS)
    assert fields["device"]["instructions"] is None
    assert fields["run"]["model_sha256"] == read_graph(network()).sha256


def test_numpy_reference_where_litert_is_missing(
    build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgesq.verify.oracle.is_installed", lambda _: False)
    report = verify(VerifyOptions(build, count=2))
    assert report.run.expected_by == "numpy reference"
    assert report.is_exact


def test_another_model_is_refused_with_both_hashes(build: Path, tmp_path: Path) -> None:
    other = light_build(tmp_path / "other", "host", network(seed=1), images(SHAPE))
    hashes = [read_graph(network(seed)).sha256 for seed in (0, 1)]
    port = find_board(build)
    with pytest.raises(BoardError, match=f"runs model {hashes[0]}, the build holds {hashes[1]}"):
        verify(VerifyOptions(other, ports=(port,)))


def test_a_board_that_lies_about_its_shape(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Client.hello
    monkeypatch.setattr(Client, "hello", lambda self: replace(real(self), observed_bytes=(7, 8)))
    with pytest.raises(BoardError, match=r"gives \(7, 8\) values, the model .* \(7, 7\)"):
        verify(VerifyOptions(build))


@pytest.mark.emulated
def test_an_emulated_board_counts_instructions(tmp_path: Path) -> None:
    target = load_target("stm32f405")
    build = light_build(tmp_path / "build", target.name, network(), images(SHAPE))
    compile_firmware(build / "firmware", target, warnings_are_errors=True)
    flash(build, target)
    try:
        reports = [verify(VerifyOptions(build)) for _ in range(2)]
    finally:
        stop(build)
    for report in reports:
        assert report.is_exact
        assert report.accuracy.top1 is None
        # 120 pixels, 7 channels, 27 MACs each: at least an instruction, at most 20 for each.
        assert report.device.instructions is not None
        assert 22_680 < report.device.instructions < 20 * 22_680
        assert (report.device.us, report.device.us_p95) == (None, None)  # never a wrong number
        shown = {str(row[0]): row[1] for row in report.tables[0].rows}
        assert shown["instructions per image"] == f"{report.device.instructions:,}"
        assert "time per image on the board" not in shown
        with pytest.raises(EdgesqError, match="an emulated one takes no time: use instructions"):
            report.check(["us>1"])
        assert (report.device.core, report.warnings) == ("Cortex-M4 r0p0", ())
        assert " -O2 -mcpu=cortex-m4 " in report.device.build
    # But for the interrupts of bytes that come meanwhile, the count is the same every time.
    counts = [report.device.instructions or 0 for report in reports]
    assert counts[0] == pytest.approx(counts[1], rel=0.05)


# --- which images ---


def test_pixels_are_prepared_as_in_the_report(build: Path, tmp_path: Path) -> None:
    graph = read_graph(network())
    pixels = np.random.default_rng(0).integers(0, 256, (3, *SHAPE)).astype(np.uint8)
    np.savez(tmp_path / "pixels.npz", input=pixels)
    loaded = open_images(build, graph, tmp_path / "pixels.npz", None)
    assert np.array_equal(list(loaded.read()), (pixels ^ 0x80).view(np.int8))
    assert np.array_equal(loaded.pick([2, 0])[2], (pixels[2] ^ 0x80).view(np.int8))
    assert loaded.label(0) is None


def test_a_folder_of_images(build: Path, tmp_path: Path) -> None:
    graph = read_graph(network())
    pixels = np.random.default_rng(0).integers(0, 256, (4, *SHAPE)).astype(np.uint8)
    for index, image in enumerate(pixels):
        folder = tmp_path / "photos" / f"class{index % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{index}.png")
    loaded = open_images(build, graph, tmp_path / "photos", 3)
    assert loaded.classes.names == ("class0", "class1")
    assert [loaded.label(number) for number in range(loaded.count)] == [0, 0, 1]
    expected = (pixels[[0, 2, 1]] ^ 0x80).view(np.int8)
    assert np.array_equal(list(loaded.read()), expected)
    assert np.array_equal(list(loaded.read(2)), expected[2:])
    assert np.array_equal(loaded.pick([2])[2], expected[2])


def test_pixels_without_a_report(tmp_path: Path) -> None:
    np.savez(tmp_path / "pixels.npz", input=np.zeros((1, *SHAPE), np.uint8))
    with pytest.raises(EdgesqError, match="not a build folder"):
        open_images(tmp_path, read_graph(network()), tmp_path / "pixels.npz", None)


def test_images_that_cannot_be_used(build: Path, tmp_path: Path) -> None:
    graph = read_graph(network())
    with pytest.raises(ImageError, match="no such"):
        open_images(build, graph, tmp_path / "nowhere.npz", None)
    with pytest.raises(ImageError, match="no such"):
        open_images(tmp_path, graph, None, None)
    with pytest.raises(EdgesqError, match="cannot stream 0 images"):
        open_images(build, graph, None, 0)


def test_a_model_without_state_has_no_sequences(build: Path) -> None:
    with pytest.raises(EdgesqError, match="has no sequences"):
        verify(VerifyOptions(build, sequence=4))


# --- which board ---


def test_no_board(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"no board found \(`edgesq flash` one"):
        find_board(tmp_path)


def test_boards_on_usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ["/dev/ttyACM0"]
    monkeypatch.setattr(run_module, "find_ports", lambda _: found)
    assert find_board(tmp_path, ("0483:374b",)) == "/dev/ttyACM0"
    found.append("/dev/ttyACM1")
    with pytest.raises(BoardError, match=r"several boards: /dev/ttyACM0, /dev/ttyACM1"):
        find_board(tmp_path, ("0483:374b",))


def test_a_board_killed_in_the_middle(build: Path) -> None:
    board = flash(build, load_target("host"))

    def kill(done: int, _: int) -> None:
        if done == 3:
            os.kill(board.pid, signal.SIGKILL)

    try:
        with pytest.raises(BoardError, match="went away in the middle"):
            verify(VerifyOptions(build), kill)
        assert recorded(build) is None
    finally:
        flash(build, load_target("host"))


def test_not_a_build_folder(tmp_path: Path) -> None:
    with pytest.raises(EdgesqError, match=r"holds no model_int8.tflite"):
        verify(VerifyOptions(tmp_path))


def test_nothing_heavy_is_imported() -> None:
    program = "import sys, edgesq.verify, edgesq.flash; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"tensorflow", "keras", "onnx", "onnxruntime", "ai_edge_litert", "typer"}
