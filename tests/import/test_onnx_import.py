"""Float ONNX becomes a Keras model that computes the same, without a transposition."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from edgesq.errors import ModelError
from edgesq.importers.onnx import TOLERANCE, ImportedFloat, import_onnx
from edgesq.quantize import to_int8_tflite
from support.crun import Runtime
from support.graph_ladder import problems
from support.onnx_cases import CASES
from support.onnx_exported import EXPORTED
from support.onnx_models import OnnxNetwork, lenet, mobilenet_v2, noise, resnet_8, squeezenet
from support.random_sketch import Drawn

MODELS = {build.__name__: build for build in (squeezenet, mobilenet_v2, resnet_8, lenet)}
NETWORKS = CASES | EXPORTED | MODELS


class Importer:
    """Makes and imports each model on first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, ImportedFloat] = {}

    def __getitem__(self, name: str) -> ImportedFloat:
        if name not in self.known:
            onnx.save(NETWORKS[name](), self.path(name))
            made = import_onnx(self.path(name))
            assert isinstance(made, ImportedFloat)
            self.known[name] = made
        return self.known[name]

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.onnx"


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    return Importer(tmp_path_factory.mktemp("onnx"))


@pytest.mark.parametrize("name", NETWORKS)
def test_keras_equals_onnx_runtime(name: str, imported: Importer) -> None:
    """The import compares by itself too; here with an image as the file has it."""
    import onnxruntime

    made = imported[name].keras
    session = onnxruntime.InferenceSession(imported.path(name), providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0].name
    for image in noise(onnx.load(imported.path(name)), 2):
        (theirs,) = session.run(None, {source: image})
        is_nchw = image.ndim == 4 and not name.startswith("channels_last")
        pixels = image.transpose(0, 2, 3, 1) if is_nchw else image
        if name == "sequence":
            pixels = image.transpose(0, 2, 1)
        mine = np.asarray(made(pixels.reshape(1, *made.inputs[0].shape[1:])))
        if theirs.ndim == 4:
            theirs = theirs.transpose(0, 2, 3, 1)
        theirs = theirs.reshape(mine.shape)
        assert theirs.std() > 0
        np.testing.assert_allclose(mine, theirs, atol=TOLERANCE * np.abs(theirs).max(), rtol=0)


def test_what_is_imported_is_quantized_and_climbs_the_ladder(
    imported: Importer, runtime: Runtime, tmp_path: Path
) -> None:
    names = [name for name in NETWORKS if not name.endswith("_9")]  # _10 is enough of them
    drawn = []
    for name in names:
        made = imported[name].keras
        shape = (6, 1, *made.inputs[0].shape[1:])
        images = np.random.default_rng(7).uniform(-1, 1, shape).astype(np.float32)
        drawn.append(Drawn(to_int8_tflite(made, images), name, 1))
    found = dict(zip(names, problems(runtime, tmp_path, drawn), strict=True))
    assert {name: problem for name, problem in found.items() if problem} == {}


def test_weights_in_a_file_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(lenet(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert isinstance(import_onnx(path), ImportedFloat)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelError, match="is not beside the model"):
        import_onnx(path)


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    net = OnnxNetwork((3, 4, 5), opset=13)
    how: dict[str, Any] = {
        "nearest_mode": "floor",
        "mode": "nearest",
        "coordinate_transformation_mode": "tf_half_pixel_for_nn",
    }
    step = net.node("Resize", net.conv(net.input, 4), "", net.floats([1, 1, 2, 2]), **how)
    onnx.save(net.model(step), tmp_path / "model.onnx")
    capfd.readouterr()
    import_onnx(tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")
