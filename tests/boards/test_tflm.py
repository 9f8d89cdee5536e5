"""Firmware around TensorFlow Lite Micro: arena, files, and the real interpreter as a board."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from edgesq import extras
from edgesq.builds import FirmwareOptions, around_tflm, make_firmware, read_report
from edgesq.codegen import generate_tflm
from edgesq.errors import FitError, MissingExtraError, ModelError, ToolError
from edgesq.formats import tflm
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.project import compile_firmware
from edgesq.targets import load_target
from support.builds import done, refused, stop_and_check
from support.ladder import demo_tflite
from support.paths import SHARED

TREE = os.environ.get("EDGESQ_TFLM_DIR")
needs_tree = pytest.mark.skipif(
    TREE is None, reason="EDGESQ_TFLM_DIR names no TensorFlow Lite Micro with its library built"
)


@pytest.fixture(scope="module")
def tflite() -> bytes:
    return demo_tflite()


def test_its_interpreter_computes_what_the_reference_kernels_do(tflite: bytes) -> None:
    graph = read_graph(tflite)
    shape = graph.tensors[graph.input].hwc
    images = np.random.default_rng(1).integers(-128, 128, (4, *shape), np.int8)
    interpreter = tflm.TflmInterpreter(tflite)
    assert interpreter.input_bytes == images[0].size
    expected = ReferenceInterpreter(tflite).run(images).reshape(4, -1)
    for image, wanted in zip(images, expected, strict=True):
        np.testing.assert_array_equal(interpreter.run(image.tobytes()), wanted)


def test_the_arena_has_room_for_what_was_used(tflite: bytes) -> None:
    used = tflm.arena_bytes(tflite)
    options = FirmwareOptions(load_target("tflm-host"), "model")
    firmware = make_firmware(read_graph(tflite), tflite, options)
    assert firmware.facts.tflm_used_arena_bytes == used
    given = firmware.facts.arena_bytes
    assert used + used // 32 + 1024 <= given < used + used // 32 + 1040
    assert f"#define MODEL_MODEL_ARENA_BYTES {given}u" in firmware.files["model_model.h"]


def test_the_resolver_holds_what_the_model_uses_and_no_more(tflite: bytes) -> None:
    graph = read_graph(tflite)
    text = generate_tflm(graph, tflite, 1000, "digit")["tflm_operators.h"]
    added = re.findall(r"resolver->Add(\w+)\(\)", text)
    kinds = {"".join(part.capitalize() for part in op.kind.split("_")) for op in graph.ops}
    assert {name.lower() for name in added} == {kind.lower() for kind in kinds}
    assert f"MicroMutableOpResolver<{len(added)}>" in text


def test_a_damaged_model_is_refused(tflite: bytes) -> None:
    with pytest.raises(ModelError, match="TensorFlow Lite Micro cannot run the model"):
        tflm.arena_bytes(tflite[:1000])


def test_a_missing_package_is_named(tflite: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    said = r"needs tflite-micro \(pip install --pre 'edgesq\[tflm\]'\)"
    with pytest.raises(MissingExtraError, match=said):
        tflm.TflmInterpreter(tflite)


def test_a_board_too_small_for_it_is_refused(tmp_path: Path) -> None:
    target = around_tflm(load_target("stm32f405"))
    options = FirmwareOptions(target, "model", tflm_dir=tmp_path)
    shared = SHARED / "models"
    if not shared.is_dir():
        pytest.skip("a larger model is not here (../shared/models)")
    content = (shared / "squeezenet_v1.1_10c_96.tflite").read_bytes()
    with pytest.raises(FitError, match=r"B of ram .*are TensorFlow Lite Micro's arena"):
        make_firmware(read_graph(content), content, options)


def test_a_board_needs_a_tree(tmp_path: Path) -> None:
    options = ("--runtime", "tflm", "--target", "mps2-an500", "--out", tmp_path / "out")
    refused(2, "give --tflm-dir TREE", "export", *options)
    refused(2, "no such folder", "export", *options, "--tflm-dir", tmp_path / "none")
    assert not (tmp_path / "out").exists()


def test_a_tree_without_the_library_is_refused(tflite: bytes, tmp_path: Path) -> None:
    target = around_tflm(load_target("mps2-an500"))
    options = FirmwareOptions(target, "model", tflm_dir=tmp_path)
    firmware = make_firmware(read_graph(tflite), tflite, options)
    firmware.lay_out(tmp_path / "firmware")
    with pytest.raises(ToolError, match=r"no gen/\*_cortex-m7_\*/lib/libtensorflow-microlite\.a"):
        compile_firmware(tmp_path / "firmware", target)


def test_a_library_for_an_ecosystem_is_refused(tmp_path: Path) -> None:
    options = ("--target", "tflm-host", "--format", "c-library", "--out", tmp_path / "out")
    refused(2, "a c-library library holds edgesq's own runtime", "export", *options)


def test_the_real_interpreter_is_a_board_that_verifies(tmp_path: Path) -> None:
    build = tmp_path / "build"
    done("export", "--target", "tflm-host", "--out", build)
    assert read_report(build).firmware.kernels == "tflm"
    try:
        done("flash", "--build", build)
        said = done("verify", "--build", build, "--count", "12", "--json", tmp_path / "v.json")
    finally:
        stop_and_check(build)
    verdict = json.loads((tmp_path / "v.json").read_text())
    assert (verdict["run"]["images"], verdict["result"]["differing_values"]) == (12, 0)
    assert (verdict["device"]["board"], verdict["device"]["kernels"]) == ("tflm-host", "tflm")
    assert "0 differing values" in said


def test_both_runtimes_side_by_side_without_a_tree(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    said = done("compare-runtimes", "--target", "mps2-an500", "--json", path)
    ours, theirs = json.loads(path.read_text())["runtimes"]
    assert (ours["runtime"], ours["differing"]) == ("edgesq", 0)
    assert ours["ram_bytes"] * 3 < theirs["ram_bytes"]
    assert theirs["instructions"] is None
    assert "give --tflm-dir" in said


@needs_tree
def test_both_runtimes_side_by_side_on_an_emulated_board(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    done("compare-runtimes", "--target", "mps2-an500", "--tflm-dir", str(TREE), "--json", path)
    ours, theirs = json.loads(path.read_text())["runtimes"]
    assert (ours["differing"], theirs["differing"]) == (0, 0)
    assert ours["instructions"] < theirs["instructions"]
    assert ours["ram_bytes"] < theirs["ram_bytes"]
