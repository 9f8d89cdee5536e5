"""An .onnx file from `edgesq export` to values on an emulated board."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgesq.builds import ExportOptions, Stage, ensure_compiled, export, load_graph
from edgesq.calibrate import load_folder
from edgesq.cli.export import _show
from edgesq.flash import flash
from edgesq.formats.onnx import run_onnx
from edgesq.importers.onnx import ImportedInt8, import_onnx
from edgesq.resources import resource
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, verify
from support.builds import stop_and_check
from support.onnx_models import lenet, quantized, squeezenet
from support.stages import check_announced

pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")

CALIBRATION = resource("calibration_data")


@pytest.mark.parametrize("qdq", [True, False], ids=["qdq", "qoperator"])
def test_int8_squeezenet_to_the_board(
    qdq: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = "mps2-an500"
    target = load_target(board)
    for tool in (target.compiler, "cmake", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    path, out = tmp_path / "squeeze.onnx", tmp_path / "build"
    onnx.save(quantized(squeezenet(opset=13), qdq), path)
    stages: list[Stage] = []
    report = export(ExportOptions(path, None, target, out), stages.append)
    check_announced(stages)
    rows = {row.name: row for row in report.parity.rows}
    assert rows["C runtime on this computer"].differing == 0
    assert rows["ONNX, integer operators"].differing == 0
    itself = rows["ONNX Runtime, the file itself"]
    assert itself.values == rows["ONNX, integer operators"].values, "logits too"
    assert 0 < (itself.differing or 0) < itself.values // 2
    assert itself.max_lsb in (1, 2)
    assert (itself.top1_agreement or 0) >= 0.8
    _show(report, out, target)
    shown = capsys.readouterr().out
    assert "ONNX Runtime, the file itself" in shown
    assert ("import: the output is in steps of 1/256" in shown) == qdq
    flash(out, ensure_compiled(out, target, lambda _: None))
    try:
        result = verify(VerifyOptions(out, count=3, timeout=60))
    finally:
        stop_and_check(out)
    assert (result.result.exact_images, result.result.differing_values) == (3, 0)


def test_float_model(tmp_path: Path) -> None:
    path, out = tmp_path / "le net-5.onnx", tmp_path / "build"
    onnx.save(lenet(), path)
    stages: list[Stage] = []
    report = export(ExportOptions(path, CALIBRATION, load_target("host"), out), stages.append)
    check_announced(stages)
    assert (report.model.name, report.model.c_name) == ("le net-5", "le_net_5")
    assert report.notes[-1].startswith("Keras model against ONNX Runtime on 3 random images")
    assert {row.check for row in report.calibration.audit} >= {"coverage", "silent channels"}
    rows = {row.name: row for row in report.parity.rows}
    assert rows["ONNX, integer operators"].differing == 0
    assert rows["float Keras"].max_lsb in range(5)
    assert "ONNX Runtime, the file itself" not in rows
    loaded = load_folder(CALIBRATION, (20, 20, 1))
    floats = loaded.preprocessing.to_float(loaded.images[:5])
    (mine,) = run_onnx((out / "model_float.onnx").read_bytes(), floats)
    (theirs,) = run_onnx(path.read_bytes(), floats.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(mine, theirs, atol=1e-5 * np.abs(theirs).max())


def test_plan_needs_no_images(tmp_path: Path) -> None:
    onnx.save(lenet(), tmp_path / "lenet.onnx")
    graph = load_graph(tmp_path / "lenet.onnx", lambda _: None)
    assert graph.tensors[graph.input].hwc == (20, 20, 1)


def test_an_import_gives_the_same_bytes_again(tmp_path: Path) -> None:
    onnx.save(quantized(lenet()), tmp_path / "lenet.onnx")
    made = [import_onnx(tmp_path / "lenet.onnx") for _ in range(2)]
    contents = {one.tflite for one in made if isinstance(one, ImportedInt8)}
    assert len(contents) == 1
